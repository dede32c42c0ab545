"""Source data as a workbook: a sheet for each figure panel and each table, with exact n and its
unit.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from kit.report.pack.report_files import ReportFiles

UNIT = "biological replicates (own passage, day and medium batch); wells are never n"
SHEET = 31  # letters that a sheet's name may have


def write(report: ReportFiles, path: Path) -> None:
    """Write the workbook of a report to `path`: first a list of its sheets, then the values behind
    every figure, then every table.
    """
    behind = {name: table for name, table in report.tables.items() if name in report.figures}
    rest = {name: table for name, table in report.tables.items() if name not in behind}
    sheets: dict[str, pd.DataFrame] = {}
    contents = []
    for kind, tables in (("figure", behind), ("table", rest)):
        for name, table in tables.items():
            sheet = _sheet_name(f"fig_{name}" if kind == "figure" else name, sheets)
            sheets[sheet] = table
            contents.append({"sheet": sheet, "kind": kind, "name": name, **replication(table)})
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        _front(report).to_excel(book, sheet_name="about", index=False)
        pd.DataFrame(contents).to_excel(book, sheet_name="contents", index=False)
        for sheet, table in sheets.items():
            _plain(table).to_excel(book, sheet_name=sheet, index=False)
        for sheet in book.sheets.values():
            _keep_text(sheet)


def replication(table: pd.DataFrame) -> dict[str, object]:
    """Exact n of a table and its unit: `rows`, `n` (smallest to largest over its groups)."""
    unit, counts = "", pd.Series(dtype=float)
    if "n_replicates" in table:
        unit, counts = UNIT, table["n_replicates"].dropna()
    elif {"cell_line", "medium", "replicate"} <= set(table):
        unit = UNIT
        counts = (
            table.dropna(subset="replicate").groupby(["cell_line", "medium"])["replicate"].nunique()
        )
    elif "n_lines" in table:
        unit, counts = "cell lines", table["n_lines"].dropna()
    if counts.empty:
        return {"rows": len(table), "n": "", "unit_of_n": unit}
    low, high = int(counts.min()), int(counts.max())
    return {
        "rows": len(table),
        "n": str(low) if low == high else f"{low} to {high}",
        "unit_of_n": unit,
    }


def _front(report: ReportFiles) -> pd.DataFrame:
    manifest = report.manifest
    rows = {
        "experiment": report.name,
        "title": manifest.get("title", ""),
        "date": manifest.get("date") or "",
        "simulated data": "yes" if manifest.get("simulated") else "no",
        "verdict": manifest["verdict"],
        "unit of n": UNIT,
        "origin": report.origin,
    }
    return pd.DataFrame(list(rows.items()), columns=["what", "value"])


def _sheet_name(name: str, taken: dict[str, pd.DataFrame]) -> str:
    """`name` as a sheet may be called, and not twice (a workbook ignores case)."""
    plain = re.sub(r"[\[\]:*?/\\]", "_", name)[:SHEET]
    lower, number, found = {sheet.casefold() for sheet in taken}, 2, plain
    while found.casefold() in lower:
        suffix = f"_{number}"
        found, number = plain[: SHEET - len(suffix)] + suffix, number + 1
    return found


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    return table.where(table.notna(), None)


def _keep_text(sheet) -> None:  # type: ignore[no-untyped-def]
    """A text that begins with `=` stays text: nothing in the workbook is a formula."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                cell.data_type = "s"
    sheet.freeze_panes = "A2"
