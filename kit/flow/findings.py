"""Flow samples that failed as sentences for the first screen, per line and medium."""

from __future__ import annotations

import pandas as pd

from kit.core.findings import Finding, listing

CLEARLY = 5.0
"""Points of Annexin V+ cells by which control has to exceed a sample to look exchanged [K]."""


def flow_findings(table: pd.DataFrame) -> list[Finding]:
    """One finding for each line and medium with failed samples; one for all where none is left.

    table: the contract's `apoptosis`; a sample fails by its events, its control or its inducer.
    """
    failed = table[table["verdict"].eq("fail")]
    if len(failed) and len(failed) == len(table):
        values = {"count": len(table), "why": _why(failed)}
        return [Finding("FLOW_ALL_FAILED", "fail", "", values)]
    found = []
    for (line, medium), rows in table.groupby(["cell_line", "medium"], sort=False):
        if found_turned := _turned(rows):
            values = {"control": found_turned[0], "sample": found_turned[1], "of": len(rows)}
            found.append(Finding("FLOW_CONTROL_DIES_MORE", "warn", f"{line}, {medium}", values))
        bad, doubtful = (rows[rows["verdict"].eq(verdict)] for verdict in ("fail", "warn"))
        if len(doubtful):
            values = {"count": len(doubtful), "of": len(rows), "why": _why(doubtful)}
            found.append(Finding("FLOW_UNCERTAIN", "warn", f"{line}, {medium}", values))
        if bad.empty:
            continue
        whole = len(bad) == len(rows)
        code = "FLOW_ARM_FAILED" if whole else "FLOW_SAMPLES_FAILED"
        values = {"count": len(bad), "of": len(rows), "why": _why(bad)}
        severity = "fail" if whole else "warn"
        found.append(Finding(code, severity, f"{line}, {medium}", values))
    return found


def _turned(rows: pd.DataFrame) -> tuple[float, float] | None:
    """Annexin V+ percents of control and sample, where in every sound replicate (two at least)
    clearly more cells of the control are dying.
    """
    sound = rows[rows["verdict"].ne("fail")]
    if "control_annexin_percent" not in sound or sound["replicate"].nunique() < 2:
        return None
    control, sample = sound["control_annexin_percent"], sound["annexin_percent"]
    if not (control - sample > CLEARLY).all():
        return None
    return float(control.mean()), float(sample.mean())


def _why(rows: pd.DataFrame) -> str:
    return listing(dict.fromkeys(note for note in rows["note"] if note), 2)
