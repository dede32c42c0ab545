"""SoftMax Pro text exports: blocks from "Plate:" to "~End", wells across in one line, or as a grid
without row letters.

The line that begins a block names the plate, the format (TimeFormat, PlateFormat), the read mode,
the wavelengths and the plate's size; the grid's rows follow from that size alone. A second line of
columns or wells in a block begins its reduced values.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from kit.core.wells import PLATES, find_well
from kit.readers.plates.grid_search import blank, cell_at, header_runs
from kit.readers.plates.headings import Heading, mode_of
from kit.readers.plates.reads import Found, Well
from kit.readers.plates.wide_table import wide_reads
from kit.readers.ragged import uneven_faults
from kit.readers.sheets import Sheet

SIZES = {rows * columns: (rows, columns) for rows, columns in PLATES}
_TWICE = "Give every plate section its own name in SoftMax Pro and export again."
_WHOLE = "Export the whole plate, or use the format with wells in columns."


def read_softmax(sheet: Sheet) -> tuple[list[Found], list[str]]:
    """(reads of all plate blocks, nothing passed over)."""
    starts = [r for r, row in enumerate(sheet.rows) if str(cell_at(row, 0)).startswith("Plate:")]
    found: list[Found] = []
    names = Counter(str(cell_at(sheet.rows[r], 1)) for r in starts)
    for start, after in zip(starts, [*starts[1:], len(sheet.rows)]):
        lines = range(start, after)
        end = next((r for r in lines if str(cell_at(sheet.rows[r], 0)).startswith("~End")), after)
        reads = _block(sheet, start, end)
        name = str(cell_at(sheet.rows[start], 1))
        if names[name] > 1:
            what = f"{names[name]} plates are called '{name}' and cannot be told apart"
            for read in reads:
                read.problems.append((sheet.place(start), what, _TWICE))
        found += reads
    return found, []


def _block(sheet: Sheet, start: int, end: int) -> list[Found]:
    """The reads of one plate block: raw values, then reduced ones if they differ."""
    head = [str(cell) for cell in sheet.rows[start]]
    title = Heading(cell_at(head, 1), mode_of(" ".join(head[4:7]), weak=False), "", _size(head))
    waves = next((c.split() for c in head if re.fullmatch(r"\d{3,4}(?: \d{3,4})*", c.strip())), [])
    waves = [wave for wave in waves if 200 <= int(wave) < 1100]
    part = replace(sheet, rows=sheet.rows[:end], cut=sheet.cut and end == len(sheet.rows))
    headers = [
        r
        for r in range(start + 1, end)
        if _wells_across(part, r)
        or (_is_header(part, r) and (r == start + 1 or blank(part.rows[r - 1])))
    ]
    found: list[Found] = []
    for n, (header, after) in enumerate(zip(headers, [*headers[1:], end])):
        lines = range(header + 1, after)
        named = replace(title, title="reduced" if n else "")
        if columns := _wells_across(part, header):
            reads = _lines(part, header, columns, lines, named, waves)
        else:
            reads = _grids(part, header, lines, head, named, waves)
        # Without a reduction the reduced values are the raw ones once more: not a second read.
        raw = [[well.cell for well in read.wells] for read in found]
        found += [read for read in reads if [well.cell for well in read.wells] not in raw]
    return found


def _wells_across(sheet: Sheet, r: int) -> list[tuple[int, tuple[int, int]]]:
    return [(i, well) for i, cell in enumerate(sheet.rows[r]) if (well := find_well(cell))]


def _is_header(sheet: Sheet, r: int) -> bool:
    """A line of column numbers, from 1 on, and nothing else but the word for the temperature."""
    runs = header_runs(sheet.rows[r])
    row = sheet.rows[r]
    numbers = sum(len(run.columns) for run in runs)
    return (
        bool(runs)
        and (all(run.columns[0][1] == 1 for run in runs) or "emperature" in str(row[1]))
        and not any(re.match(r"\d", str(cell)) for cell in row[: min(2, runs[0].first)])
        and numbers >= sum(cell != "" for cell in row) - 2
    )


def _size(head: list[str]) -> int:
    """Wells of the plate: the number behind those of the first column and of the columns, 1 12
    96.
    """
    return max((wells for _, _, wells in _extents(head)), default=0)


def _extents(head: list[str]) -> list[tuple[int, int, int]]:
    """(first column, columns, wells of the plate) wherever three such numbers follow each other."""
    numbers = [int(text) if re.fullmatch(r"[0-9]{1,4}", text.strip()) else 0 for text in head]
    return [
        (first, columns, wells)
        for first, columns, wells in zip(numbers, numbers[1:], numbers[2:])
        if wells in SIZES and first >= 1 and first - 1 + columns <= SIZES[wells][1] and columns
    ]


def _lines(
    sheet: Sheet,
    header: int,
    columns: list[tuple[int, tuple[int, int]]],
    lines: range,
    title: Heading,
    waves: list[str],
) -> list[Found]:
    """TimeFormat: lines of values, an empty line before those of the next wavelength."""
    groups = _sections(sheet, lines)
    found: list[Found] = []
    for k, group in enumerate(groups):
        wave = f"{waves[k]} nm" if len(groups) == len(waves) > 1 else ""
        wave = wave or (f"part {k + 1}" if len(groups) > 1 else "")
        text = ", ".join(part for part in (title.title, wave) if part)
        found += wide_reads(sheet, header, columns, replace(title, title=text), group)
    return found


def _grids(
    sheet: Sheet, header: int, lines: range, head: list[str], title: Heading, waves: list[str]
) -> list[Found]:
    """PlateFormat: a grid per wavelength side by side, and one below the other per time point."""
    runs = header_runs(sheet.rows[header])
    rows = SIZES[title.stated][0] if title.stated else 0
    found: list[Found] = []
    for section in _plate_sections(sheet, lines, rows):
        time = str(next((cell for r in section if (cell := cell_at(sheet.rows[r], 0)) != ""), ""))
        problems = uneven_faults(sheet, section)
        if len(section) != rows:
            size = rows or "unknown number of"
            what = f"{len(section)} lines without row letters for a plate of {size} rows"
            problems.append((sheet.place(section[0]), what, _WHOLE))
        problems += _shifted(sheet, section, runs[-1].last, head)
        for k, run in enumerate(runs):
            name = f"{waves[k]} nm" if k < len(waves) and len(runs) > 1 else ""
            if k >= max(1, len(waves)):
                name = "reduced"
            at = (
                f"{time} nm"
                if time.isdigit() and cell_at(head, 4) == "Spectrum"
                else f"time {time}"
            )
            parts = (title.title, name if name != title.title else "", at * bool(time))
            wells = [
                Well(n + 1, c, cell_at(sheet.rows[r], i), sheet.place(r))
                for n, r in enumerate(section)
                for i, c in run.columns
            ]
            read = Found(sheet.place(section[0]), wells, sheet.name, title.plate, title.mode)
            read.title, read.stated = ", ".join(part for part in parts if part), title.stated
            read.problems = list(problems)
            found.append(read)
    return found


def _shifted(
    sheet: Sheet, section: list[int], last: int, head: list[str]
) -> list[tuple[str, str, str]]:
    """Lines with cells behind the last column, and columns left out in front without a cell."""
    for r in section:
        row = sheet.rows[r]
        if any(cell != "" for cell in row[last + 1 :]):
            return [(sheet.place(r), "the line goes on behind the last column", _WHOLE)]
    first = max((first for first, *_ in _extents(head)), default=1)
    if first > 1 and all(len(sheet.rows[r]) <= last for r in section):
        what = f"the values may begin in column 1 or in column {first}, the first that was read"
        return [(sheet.place(section[0]), what, _WHOLE)]
    return []


def _sections(sheet: Sheet, lines: range) -> list[list[int]]:
    """Runs of lines that hold something."""
    sections: list[list[int]] = [[]]
    for r in lines:
        if blank(sheet.rows[r]):
            sections.append([])
        else:
            sections[-1].append(r)
    return [section for section in sections if section]


def _plate_sections(sheet: Sheet, lines: range, rows: int) -> list[list[int]]:
    """As many lines as the plate has rows, empty ones too, and an empty one before the next such."""
    sections: list[list[int]] = []
    at = lines.start
    while rows and any(not blank(sheet.rows[r]) for r in range(at, lines.stop)):
        here = list(range(at, min(at + rows, lines.stop)))
        at += rows
        if at < lines.stop and not blank(sheet.rows[at]):
            return _sections(sheet, lines)  # more lines than rows: told by their number
        sections.append(here)
        at += 1
    return sections or _sections(sheet, lines)
