"""Calls and plate quality as custom content of MultiQC: one table, a row per plate and per call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from kit.report.pack.report_files import ReportFiles

HEADERS = {
    "call": {"title": "Call"},
    "confidence": {"title": "Confidence"},
    "gr": {"title": "GR", "description": "1 grows as control, 0 stasis, below 0 loss"},
    "gr_ci_low": {"title": "GR low", "description": "lower end of the 95 % interval"},
    "gr_ci_high": {"title": "GR high", "description": "upper end of the 95 % interval"},
    "specific_apoptosis": {"title": "SA", "description": "specific Annexin V+ share at 72 h"},
    "probability": {"title": "P", "description": "probability of the call", "min": 0, "max": 1},
}


def write(report: ReportFiles, path: Path) -> None:
    """Write the custom content of a report to `path` (`<experiment_id>_mqc.json`)."""
    reasons = " ".join(report.manifest["reasons"])
    content: dict[str, Any] = {
        "id": f"dropout_{report.name}".replace(".", "_"),
        "parent_id": "amino_acid_dropout",
        "parent_name": "Amino-acid dropout assays",
        "section_name": report.name,
        "description": f"Verdict: {report.manifest['verdict']}. {reasons} {report.origin}",
        "plot_type": "table",
        "pconfig": {
            "id": f"dropout_{report.name}_table".replace(".", "_"),
            "title": f"{report.name}: dependency calls",
            "namespace": "dropout",
        },
        "headers": HEADERS,
        "data": _rows(report),
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _rows(report: ReportFiles) -> dict[str, dict[str, Any]]:
    calls = report.tables.get("calls")
    if calls is None or calls.empty:
        return {report.name: {"call": report.manifest["verdict"], "confidence": "no call"}}
    columns = [name for name in HEADERS if name in calls]
    return {
        f"{report.name}: {row['cell_line']} without {row['amino_acid']}": {
            name: row[name] for name in columns if pd.notna(row[name])
        }
        for row in calls.to_dict("records")
    }
