"""Flow samples that failed as sentences for the first screen, per line and medium."""

from __future__ import annotations

import pandas as pd

from kit.core.findings import Finding, listing


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


def _why(rows: pd.DataFrame) -> str:
    return listing(dict.fromkeys(note for note in rows["note"] if note), 2)
