"""One verdict row of a blot's rules."""

from __future__ import annotations

from typing import Any

from kit.config.settings import Settings
from kit.core.columns import TABLES
from kit.core.findings import Finding, as_row

COLUMNS = tuple(TABLES["western_qc"])
JUDGED = ("sample", "reference", "knockout")
"""Lane roles that the rules judge one by one."""


SEVERITY = {
    "W01": "fail",
    "W02": "info",
    "W03": "fail",
    "W04": "fail",
    "W05": "warn",
    "W06": "fail",
    "W07": "warn",
    "W08": "warn",
    "W09": "fail",
    "W10": "warn",
    "W11": "warn",
    "W12": "fail",
    "W13": "fail",
    "W14": "warn",
}
"""The worst that each rule can say."""


def row(
    code: str, subject: object, verdict: str, settings: Settings, **values: object
) -> dict[str, Any]:
    """A row of `western_qc`: a finding of the rule with which its code begins."""
    rule = code.split("_")[0]
    filled = {**settings.model_dump(), **values}
    found = as_row(Finding(code, verdict, str(subject), filled), rule, SEVERITY[rule])
    return found if verdict in ("warn", "fail") else {**found, "advice": ""}


def lane_name(lane: dict[Any, Any]) -> str:
    """How a lane is named in a row."""
    return f"{lane['membrane']}, lane {lane['lane']} ({lane['cell_line'] or lane['lane_role']})"
