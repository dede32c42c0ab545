"""One verdict row of a blot's rules."""

from __future__ import annotations

from typing import Any

COLUMNS = ("check", "subject", "value", "rule", "severity", "verdict", "advice")
JUDGED = ("sample", "reference", "knockout")
"""Lane roles that the rules judge one by one."""


def row(
    check: str,
    subject: object,
    value: str,
    rule: str,
    severity: str,
    verdict: str,
    advice: str = "",
) -> dict[str, Any]:
    """A row of `western_qc`; advice is shown only where something is amiss."""
    shown = advice if verdict in ("warn", "fail") else ""
    return dict(zip(COLUMNS, (check, str(subject), value, rule, severity, verdict, shown)))


def lane_name(lane: dict[Any, Any]) -> str:
    """How a lane is named in a row."""
    return f"{lane['membrane']}, lane {lane['lane']} ({lane['cell_line'] or lane['lane_role']})"
