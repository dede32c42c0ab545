"""Tables with one column per well: a line of at least three wells, and under it a line per read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from kit.core.wells import find_well, well_name
from kit.readers import tokens
from kit.readers.plates.grid_search import blank, cell_at
from kit.readers.plates.headings import Heading, heading, shorten
from kit.readers.plates.reads import Found, Well
from kit.readers.ragged import LOST, surplus_faults, uneven_faults
from kit.readers.sheets import Sheet
from kit.readers.tokens import cell_text


def read_wide(sheet: Sheet) -> list[Found]:
    """Reads of tables with wells across: a line of at least three wells, and under it a line per
    read.
    """
    found: list[Found] = []
    start = 0
    for r, row in enumerate(sheet.rows):
        if len(row) < 3:
            continue
        columns = [(i, well) for i, cell in enumerate(row) if (well := find_well(cell))]
        if len(columns) < 3 or columns[-1][0] - columns[0][0] != len(columns) - 1:
            continue
        above = heading(sheet.rows[start:r])
        found += wide_reads(sheet, r, columns, above, _lines_under(sheet, r, columns))
        start = r + 1
    return found


Columns = Sequence[tuple[int, tuple[int, int]]]


def _lines_under(sheet: Sheet, header: int, columns: Columns) -> list[int]:
    """The lines of values under a line of wells, none where something else stands there."""
    lines: list[int] = []
    for r in range(header + 1, len(sheet.rows)):
        values = [cell_at(sheet.rows[r], i) for i, _ in columns]
        if blank(sheet.rows[r]) and lines:
            break
        if any(find_well(value) for value in values) or not any(
            tokens.kind(value) in ("number", "token") for value in values
        ):
            if lines:
                break
            if not blank(sheet.rows[r]):
                return []
            continue
        lines.append(r)
    return lines


def wide_reads(
    sheet: Sheet, header: int, columns: Columns, above: Heading, lines: Sequence[int]
) -> list[Found]:
    """The lines of values under a line of wells, each a read; the cells in front of it (time,
    temperature) name it.
    """
    reads = []
    faults = uneven_faults(sheet, [header, *lines])
    if len(lines) == 1 and sheet.delimiter not in ("", " "):
        ends = {(len(row), row[-1]) for row in (sheet.rows[header], sheet.rows[lines[0]])}
        if len(ends) > 1 and {end for _, end in ends} == {""}:
            faults = [(sheet.place(lines[0]), "the line and its headings differ in cells", LOST)]
    for r in lines:
        cells = sheet.rows[r]
        wells = [Well(*well, cell_at(cells, i), sheet.place(r)) for i, well in columns]
        front = [
            (cell_text(sheet.rows[header][i]), cell_text(cell_at(cells, i)))
            for i in range(columns[0][0])
        ]
        key = ", ".join(
            f"{head} {text}".strip()
            for head, text in front
            if text and not re.match(r"temp|t°", head, re.IGNORECASE)
        )
        title = ", ".join(part for part in (above.title, key if len(lines) > 1 else "") if part)
        read = Found(
            sheet.place(r), wells, sheet.name, above.plate, above.mode, shorten(title), above.stated
        )
        if len(cells) <= columns[-1][0]:
            what = (
                f"the line has {max(0, len(cells) - columns[0][0])} values for {len(columns)} wells"
            )
            read.problems.append(
                (sheet.place(r), what, "Export it again, with a cell for every well.")
            )
        twice = [well for well, count in Counter(well for _, well in columns).items() if count > 1]
        if twice:
            read.problems.append(
                (
                    sheet.place(header),
                    f"well {well_name(*twice[0])} stands twice",
                    "Keep one column per well.",
                )
            )
        reads.append(read)
    for read in reads:
        read.problems += surplus_faults(sheet, header, lines) + faults
    return reads
