"""SoftMax Pro text exports: blocks from "Plate:" to "~End", wells across in one line, or as a grid
without row letters.

The line that begins a block names the plate, the format (TimeFormat, PlateFormat), the read mode
and the plate's size;
the grid's rows follow from that size alone.
"""

from __future__ import annotations

import re
from collections import Counter

from kit.core.wells import PLATES, find_well
from kit.readers.plates.grid_search import blank, cell_at, header_runs
from kit.readers.plates.headings import Heading, mode_of
from kit.readers.plates.reads import Found, Well
from kit.readers.plates.wide_table import wide_reads
from kit.readers.sheets import Sheet

SIZES = {rows * columns: (rows, columns) for rows, columns in PLATES}
_TWICE = "Give every plate section its own name in SoftMax Pro and export again."


def read_softmax(sheet: Sheet) -> tuple[list[Found], list[str]]:
    """(reads of all plate blocks, nothing passed over)."""
    starts = [r for r, row in enumerate(sheet.rows) if str(cell_at(row, 0)).startswith("Plate:")]
    found: list[Found] = []
    for start, after in zip(starts, [*starts[1:], len(sheet.rows)]):
        end = next(
            (r for r in range(start, after) if str(cell_at(sheet.rows[r], 0)).startswith("~End")),
            after,
        )
        found += _block(sheet, start, end)
    names = Counter(str(cell_at(sheet.rows[r], 1)) for r in starts)
    for r in starts:
        name = str(cell_at(sheet.rows[r], 1))
        if names[name] > 1 and found:
            found[0].problems.append(
                (
                    sheet.place(r),
                    f"{names[name]} plates are called '{name}' and cannot be told apart",
                    _TWICE,
                )
            )
            break
    return found, []


def _block(sheet: Sheet, start: int, end: int) -> list[Found]:
    """The reads of one plate block."""
    head = [str(cell) for cell in sheet.rows[start]]
    title = Heading(
        head[1] if len(head) > 1 else "", mode_of(" ".join(head[4:7]), weak=False), "", _size(head)
    )
    part = Sheet(
        sheet.name,
        sheet.rows[:end],
        sheet.numbers,
        sheet.delimiter,
        cut=sheet.cut and end == len(sheet.rows),
    )
    for r in range(start + 1, end):
        columns = [(i, well) for i, cell in enumerate(sheet.rows[r]) if (well := find_well(cell))]
        if columns:
            return _lines(part, r, title)
        if header_runs(sheet.rows[r]):
            return _grids(part, r, head, title)
    return []


def _size(head: list[str]) -> int:
    """Wells of the plate: the number behind those of the first column and of the columns, 1 12
    96.
    """
    numbers = [int(text) if re.fullmatch(r"[0-9]{1,4}", text.strip()) else 0 for text in head]
    fit = [
        wells
        for first, columns, wells in zip(numbers, numbers[1:], numbers[2:])
        if wells in SIZES and first >= 1 and first - 1 + columns <= SIZES[wells][1] and columns
    ]
    return max(fit, default=0)


def _lines(sheet: Sheet, header: int, title: Heading) -> list[Found]:
    """TimeFormat: raw values, and again with a line of wells of their own the reduced ones."""
    found: list[Found] = []
    for r in range(header, len(sheet.rows)):
        columns = [(i, well) for i, cell in enumerate(sheet.rows[r]) if (well := find_well(cell))]
        if not columns:
            continue
        named = Heading(title.plate, title.mode, "reduced" if r > header else "", title.stated)
        reads = wide_reads(sheet, r, columns, named)
        # Without a reduction the reduced values are the raw ones once more: not a second read.
        raw = [[well.cell for well in read.wells] for read in found]
        found += [read for read in reads if [well.cell for well in read.wells] not in raw]
    return found


def _grids(sheet: Sheet, header: int, head: list[str], title: Heading) -> list[Found]:
    """PlateFormat: a grid per wavelength side by side, and one below the other per time point."""
    runs = header_runs(sheet.rows[header])
    waves = next(
        (cell.split() for cell in head if re.fullmatch(r"\d{3}(?: \d{3})*", cell.strip())), []
    )
    found: list[Found] = []
    for section in _sections(sheet, header + 1):
        time = str(cell_at(sheet.rows[section[0]], 0))
        for k, run in enumerate(runs):
            name = (
                f"{waves[k]} nm"
                if k < len(waves) and len(runs) > 1
                else "reduced"
                if k >= max(1, len(waves))
                else ""
            )
            text = ", ".join(part for part in (name, f"time {time}" if time else "") if part)
            wells = [
                Well(n + 1, c, cell_at(sheet.rows[r], i), sheet.place(r))
                for n, r in enumerate(section)
                for i, c in run.columns
            ]
            read = Found(
                sheet.place(section[0]),
                wells,
                sheet.name,
                title.plate,
                title.mode,
                text,
                title.stated,
            )
            rows = SIZES[title.stated][0] if title.stated else 0
            if len(section) != rows:
                what = (
                    f"{len(section)} lines without row letters for a plate of"
                    f" {rows or 'unknown number of'} rows"
                )
                read.problems.append(
                    (
                        sheet.place(section[0]),
                        what,
                        "Export the whole plate, or use the format with wells in columns.",
                    )
                )
            found.append(read)
    return found


def _sections(sheet: Sheet, start: int) -> list[list[int]]:
    """Runs of lines that hold something."""
    sections: list[list[int]] = [[]]
    for r in range(start, len(sheet.rows)):
        if blank(sheet.rows[r]):
            sections.append([])
        else:
            sections[-1].append(r)
    return [section for section in sections if section]
