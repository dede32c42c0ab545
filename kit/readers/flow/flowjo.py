"""FlowJo workspaces, by way of FlowKit where it is installed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kit.core.errors import refused


def read_flowjo_workspace(
    path: Path | str, fcs_folder: Path | str, *, group: str | None = None
) -> pd.DataFrame:
    """Every population of a FlowJo 10 workspace, counted again from its FCS files: sample,
    population, count, percent of parent.

    Saved as CSV, the result is a list that `kit.readers.flow.gated_table.read_flow_table` reads.
    Needs FlowKit
    (`pip install "asn-dropout-kit[flowjo]"`), which at present asks for pandas < 3: hence an extra
    and not a requirement.
    """
    name = Path(path).name
    try:
        import flowkit
    except ImportError:
        remedy = (
            'Install it with: pip install "asn-dropout-kit[flowjo]" (needs pandas 2), or export a'
            " table from FlowJo (Table Editor, CSV)."
        )
        raise refused(
            name, "FlowJo workspaces are read by FlowKit, which is not installed", remedy
        ) from None
    try:
        workspace = flowkit.Workspace(str(path), fcs_samples=str(fcs_folder))
        workspace.analyze_samples(group_name=group, verbose=False)
        reports = [
            workspace.get_gating_results(sample).report.assign(sample=sample)
            for sample in workspace.get_sample_ids(group_name=group)
        ]
        report = pd.concat(reports)
    except Exception as error:
        # FlowKit raises whatever its XML and FCS parsing meets: to the user all of it means that
        # the workspace and its files do not fit
        raise refused(
            name,
            f"the workspace cannot be analysed ({error or type(error).__name__})",
            "Check that it opens in FlowJo 10.",
        ) from error
    paths = [
        "/".join([*gate_path[1:], gate])
        for gate_path, gate in zip(report["gate_path"], report["gate_name"])
    ]
    table = {
        "sample": report["sample"],
        "population": paths,
        "count": report["count"],
        "percent": report["relative_percent"],
    }
    return pd.DataFrame(table).reset_index(drop=True)
