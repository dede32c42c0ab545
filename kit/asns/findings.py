"""Blots and correlation as sentences for the first screen: one per rule, worst first."""

from __future__ import annotations

import pandas as pd

from kit.asns.study import OWN, mrna_only
from kit.config.model import ExperimentConfig
from kit.core.findings import Finding, of_rows, title

ON_ONE_LINE = {
    "SIGN_DEPENDS": "SIGN_ON_ONE_LINE",
    "SIGNIFICANCE_DEPENDS": "SIGNIFICANCE_ON_ONE_LINE",
}
"""What a correlation's row says -> as the first screen says it."""


def western_findings(western_qc: pd.DataFrame) -> list[Finding]:
    """Rules of the blots that failed or warn; all subjects of one rule and verdict share a
    sentence.
    """
    bad = western_qc[western_qc["verdict"].isin(["fail", "warn"])]
    return [
        of_rows(rows, str(rows["advice"].iloc[0]), f"ASNS blot, {title(str(check))}: ")
        for (_, check), rows in bad.groupby(["verdict", "check"], sort=True)
    ]


def class_findings(lines: pd.DataFrame, config: ExperimentConfig) -> list[Finding]:
    """Lines whose blot contradicts the `asns_class` of experiment.yaml, on which the reference-line
    checks rest.
    """
    known = lines.loc[lines["class_range"].notna(), ["cell_line", "class_range"]]
    given = {
        name: cells.asns_class for name, cells in config.cell_lines.items() if cells.asns_class
    }
    return [
        Finding("CLASS_CONTRADICTED", "warn", name, {"given": given[name], "found": found})
        for name, found in known.itertuples(index=False)
        if name in given and given[name] not in str(found)
    ]


def correlation_findings(
    correlation: pd.DataFrame, lines: pd.DataFrame, alpha: float
) -> list[Finding]:
    """mRNA without protein, and which of this experiment's own correlations (p below `alpha`)
    depend on one line; the reference panel is no
    verdict on the experiment, and a correlation that nobody would claim needs no warning on the
    first screen."""
    own = correlation[correlation["source"].eq(OWN) & correlation["p"].lt(alpha)]
    found = [Finding("MRNA_ALONE", "warn")] if mrna_only(lines) else []
    for row in own.to_dict("records"):
        values = {key: row[key] for key in ("predictor", "outcome", "n_lines")}
        found += [
            Finding(ON_ONE_LINE[code], "warn", "", values)
            for code in row["code"].split()
            if code in ON_ONE_LINE
        ]
    return found
