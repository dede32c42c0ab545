"""Lines that are longer than their headings: most likely a decimal comma that was taken for a
separator.

"A1,0,050" under "Well,OD600" is one number cut in two. Every cell behind the cut stands one place
too far right, so
that the line gives wrong numbers, or right ones in wrong wells; it is never read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell

REMEDY = (
    "Check for a decimal comma in a comma-separated file (export with ';' or a decimal point); else"
    " give every column a heading."
)

LOST = "A cell is missing, or the file is cut off; write a cell for every well, empty if need be."


def last_filled(row: Sequence[Cell]) -> int:
    """Index of the last cell that holds something, -1 for none."""
    return next((i for i in range(len(row) - 1, -1, -1) if row[i] != ""), -1)


def surplus(sheet: Sheet, last: int, row: Sequence[Cell]) -> Cell:
    """The first cell of `row` right of the last heading (cell index `last`), "" when there is none.

    In a workbook a note may stand apart from the table, behind an empty column; text has no such
    place.
    """
    reach = len(row) if sheet.delimiter else min(len(row), last + 2)
    return next((row[i] for i in range(last + 1, reach) if row[i] != ""), "")


def surplus_faults(sheet: Sheet, header: int, lines: Iterable[int]) -> list[tuple[str, str, str]]:
    """(place, what, remedy) for the first of `lines` that is longer than the line of headings, and
    how many more are.
    """
    return beyond(sheet, last_filled(sheet.rows[header]), lines)


def uneven(sheet: Sheet, lines: Sequence[int]) -> list[tuple[int, int, int]]:
    """(line, its cells, the cells of most lines) of the lines that lost or gained a cell.

    It shows where a file writes its empty cells: there some line ends with a separator, and all of
    them have equally many. A file that leaves out empty cells at line ends proves nothing.
    """
    if sheet.delimiter in ("", " ") or not any(sheet.rows[r][-1:] == [""] for r in lines):
        return []
    widths = Counter(len(sheet.rows[r]) for r in lines)
    usual, count = widths.most_common(1)[0]
    if 2 * count <= len(lines):
        return []
    found = [(r, len(sheet.rows[r]), usual) for r in lines if len(sheet.rows[r]) != usual]
    return [(r, n, usual) for r, n, _ in found if n < usual or sheet.rows[r][-1] == ""]


def uneven_faults(sheet: Sheet, lines: Sequence[int]) -> list[tuple[str, str, str]]:
    """`uneven` as (place, what, remedy)."""
    return [
        (sheet.place(r), f"the line has {n} cells where others have {usual}", LOST)
        for r, n, usual in uneven(sheet, lines)
    ]


def table_faults(sheet: Sheet, header: int, lines: Sequence[int]) -> list[tuple[str, str, str]]:
    """Faults of a table with headings: lines that go on behind them, or lost or gained a cell, so
    that a cell stands under another heading. Lines of a few cells below it are notes.
    """
    faults = surplus_faults(sheet, header, lines)
    if faults or sheet.delimiter in ("", " "):
        return faults
    widths = Counter(len(sheet.rows[r]) for r in (header, *lines))
    usual, count = widths.most_common(1)[0]
    if sheet.cut and lines and lines[-1] == len(sheet.rows) - 1 and len(lines) < 3:
        usual, count = len(sheet.rows[header]), len(lines) + 1
    if 2 * count <= len(lines) + 1:
        return []
    closed = any(sheet.rows[r][-1] == "" for r in lines if len(sheet.rows[r]) == usual)
    for r in (header, *lines):
        row = sheet.rows[r]
        note = 2 * len(row) < usual and not (sheet.cut and r == len(sheet.rows) - 1)
        wider = len(row) > usual and row[-1] == "" and (r != header or closed)
        if (wider or (len(row) < usual and (r != header or closed))) and not note:
            what = f"the line has {len(row)} cells where others have {usual}"
            faults.append((sheet.place(r), what, LOST))
    return faults


def beyond(sheet: Sheet, last: int, lines: Iterable[int]) -> list[tuple[str, str, str]]:
    """The same for lines of a table whose last column is cell index `last`."""
    longer = [(r, extra) for r in lines if (extra := surplus(sheet, last, sheet.rows[r])) != ""]
    if not longer:
        return []
    line, extra = longer[0]
    more = f" (and {len(longer) - 1} more lines do)" if len(longer) > 1 else ""
    text = f"{extra:g}" if isinstance(extra, float) else extra
    return [
        (
            sheet.place(line),
            f"the line goes on with '{text}' where the headings have no column{more}",
            REMEDY,
        )
    ]
