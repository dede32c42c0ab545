"""Plate-shaped grids as reads: column numbers over rows that begin with a row letter (`grid_search`
finds them).

A grid may cover part of a plate (B2 to G11), leave rows out (A, E, I, M), hold several reads in the
lines of each row
(Gen5), or stand beside another one. Every position comes from the labels; where labels contradict
each other or the
number of cells, that is a problem with its line, never a guess. `bare_grid` reads blocks without
labels.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from kit.core.wells import PLATES, row_letters
from kit.readers import tokens
from kit.readers.plates.grid_search import Grid, Run, cell_at, find_grids
from kit.readers.plates.headings import (
    MAX_REACH,
    Heading,
    heading,
    is_wavelength,
    mode_of,
    names_no_signal,
    shorten,
    wavelength_mode,
)
from kit.readers.plates.reads import Found, Well, is_signal
from kit.readers.ragged import LOST, uneven_faults
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text


def read_grids(sheet: Sheet, grids: list[Grid] | None = None) -> tuple[list[Found], list[str]]:
    """(signal reads of all labelled grids, where grids without signals stand and why they are
    none); `grids` are those of the sheet, where they are known.
    """
    found: list[Found] = []
    passed: list[str] = []
    before, start = Heading(), 0
    for grid in find_grids(sheet) if grids is None else grids:
        above = heading(sheet.rows[start : grid.header], before)
        if grid.header < start:
            above = before
        for run in grid.runs:
            for read in _reads(sheet, grid, run, above):
                reason = _not_signal(read)
                if reason:
                    passed.append(f"{read.place}: {reason}")
                else:
                    found.append(read)
        before, start = above, grid.end
    _from_below(sheet, start, found)
    return found, passed


def _from_below(sheet: Sheet, start: int, found: list[Found]) -> None:
    """Plate and mode from the lines under the last grid, for reads whose own headings do not name
    them.
    """
    below = heading(sheet.rows[start : start + MAX_REACH]) if found else Heading()
    for read in found:
        read.mode = read.mode or below.mode
        read.stated = read.stated or below.stated
        if len(found) == 1:
            read.plate = read.plate or below.plate


def _not_signal(read: Found) -> str:
    """Why a grid is not a read, "" when it is one."""
    cells = [well.cell for well in read.wells]
    signal = is_signal(cells)
    if names_no_signal(read.title):
        return f"'{read.title}' is not a signal"
    if signal:
        return ""
    example = next((cell for cell in cells if tokens.kind(cell) == "text"), "")
    return f"holds text such as '{example}', not numbers" if example else "is empty"


def _reads(sheet: Sheet, grid: Grid, run: Run, above: Heading) -> list[Found]:
    """The reads of one run: one, or as many as each row of the plate has lines."""
    faults = [*grid.faults, *_header_faults(sheet, grid)]
    if run.fault:
        faults.append(
            (sheet.place(grid.header), run.fault, "Number the columns 1, 2, 3 and so on.")
        )
    reads = []
    for title, lines in _by_read(sheet, grid, faults).items():
        wells = [
            Well(row, c, cell_at(sheet.rows[r], i), sheet.place(r))
            for r, row in lines
            for i, c in run.columns
        ]
        text = shorten(title) or _beside(sheet, grid, run) or above.title
        mode = (mode_of(title) if title else "") or wavelength_mode(title) or above.mode
        corner = cell_at(sheet.rows[grid.header], run.first - 1)
        mode = mode or (mode_of(corner) if isinstance(corner, str) else "")
        reads.append(
            Found(
                sheet.place(grid.header), wells, sheet.name, above.plate, mode, text, above.stated
            )
        )
        reads[-1].problems = [*faults, *_width_faults(sheet, grid, run, lines)]
        if not reads[-1].problems:
            reads[-1].problems = uneven_faults(sheet, [r for r, _ in lines])
    return reads


def _beside(sheet: Sheet, grid: Grid, run: Run) -> str:
    """The title of one of several grids side by side: the nearest text above its own first
    columns.
    """
    if len(grid.runs) < 2:
        return ""
    columns = range(run.first - 1, run.last + 1)
    for row in reversed(sheet.rows[max(0, grid.header - 3) : grid.header]):
        text = next(
            (cell for cell in (cell_at(row, i) for i in columns) if isinstance(cell, str) and cell),
            "",
        )
        if text:
            return shorten(text)
    return f"columns from cell {run.first + 1}"


def _by_read(
    sheet: Sheet, grid: Grid, faults: list[tuple[str, str, str]]
) -> dict[str, list[tuple[int, int]]]:
    """Read title -> its lines. Several lines of one plate row are several reads, named by a
    trailing cell or numbered.
    """
    rows: dict[int, list[int]] = {}
    for r, row in grid.lines:
        rows.setdefault(row, []).append(r)
    counts = {len(lines) for lines in rows.values()}
    titles = {
        r: _trailing(sheet.rows[r], sheet.rows[grid.header], grid.runs[-1].last)
        for r, _ in grid.lines
    }
    if all(titles.values()) and all(
        len({titles[r] for r in lines}) == len(lines) for lines in rows.values()
    ):
        reads: dict[str, list[tuple[int, int]]] = {}
        for r, row in grid.lines:
            reads.setdefault(titles[r], []).append((r, row))
        if len(reads) == max(counts):
            return reads
    if counts != {1} and len(counts) > 1:
        odd = next(row for row, lines in rows.items() if len(lines) == max(counts))
        what = (
            f"row {row_letters(odd)} has {max(counts)} lines of values where others have"
            f" {min(counts)}"
        )
        faults.append((sheet.place(rows[odd][-1]), what, "Give every line its row letter, once."))
    _stray_faults(sheet, grid, faults)
    if max(counts) == 1:
        return {"": grid.lines}
    return {
        f"line {i + 1} of each row": [
            (lines[i], row) for row, lines in rows.items() if i < len(lines)
        ]
        for i in range(max(counts))
    }


def _trailing(row: Sequence[Cell], header: Sequence[Cell], last: int) -> str:
    """The name of the read that Gen5 writes behind each line; a bare number is one only if it may
    be a wavelength.
    """
    beyond = [
        row[i] for i in range(last + 1, len(row)) if row[i] != "" and cell_at(header, i) == ""
    ]
    if len(beyond) != 1:
        return ""
    text = cell_text(beyond[0])
    return text if tokens.kind(text) == "text" or is_wavelength(text) else ""


def _stray_faults(sheet: Sheet, grid: Grid, faults: list[tuple[str, str, str]]) -> None:
    """Numbers right of the last numbered column: most likely a decimal comma read as a
    separator.
    """
    header, last = sheet.rows[grid.header], grid.runs[-1].last
    for r, _ in grid.lines:
        row = sheet.rows[r]
        beyond = [
            row[i]
            for i in range(last + 1, len(row))
            if cell_at(header, i) == "" and tokens.kind(row[i]) in ("number", "token")
        ]
        if beyond:
            what = f"the line goes on with '{beyond[0]}' where the header has no column"
            remedy = (
                "Check for a decimal comma in a comma-separated file, or a missing column number."
            )
            faults.append((sheet.place(r), what, remedy))
            return


def _width_faults(
    sheet: Sheet, grid: Grid, run: Run, lines: list[tuple[int, int]]
) -> list[tuple[str, str, str]]:
    """Lines whose cells do not fit the header: too short where that can mean a shift, values under
    no number, merged cells.
    """
    faults = _short_lines(sheet, run, lines) if run is grid.runs[-1] else []
    named = {i for each in grid.runs for i, _ in each.columns}
    header = sheet.rows[grid.header]
    for r, row in lines:
        cells = sheet.rows[r]
        stray = [
            i
            for i in range(run.first, run.last)
            if i not in named and cell_at(cells, i) != "" and cell_at(header, i) == ""
        ]
        if run is grid.runs[0]:
            stray += [
                i
                for i in range(grid.label + 1, run.first)
                if _is_stray(cell_at(cells, i), cell_at(header, i))
            ]
        if stray:
            what = (
                f"row {row_letters(row)} has '{cell_at(cells, stray[0])}' in a column without a"
                " number"
            )
            faults.append((sheet.place(r), what, "Number every column."))
        for (top, left), (bottom, right) in sheet.merged:
            if top <= r <= bottom and left <= run.last and right >= run.first:
                what = (
                    f"cells of row {row_letters(row)} are merged, so that it cannot be told which"
                    " well a value belongs to"
                )
                faults.append(
                    (sheet.place(r), what, "Unmerge them in Excel and fill in every well.")
                )
                break
    return faults


def _short_lines(
    sheet: Sheet, run: Run, lines: list[tuple[int, int]]
) -> list[tuple[str, str, str]]:
    """Lines that end before the last column, where it cannot be told which cell was left out.

    A file may leave out the empty cells at the end of its lines; then few lines reach the last
    column. Where most do, or
    one shows its last cell empty, a shorter line has lost a cell somewhere, and the values behind
    it stand in wrong wells.
    """
    short = [(r, row) for r, row in lines if run.first < len(sheet.rows[r]) <= run.last]
    full = [r for r, _ in lines if len(sheet.rows[r]) > run.last]
    padded = any(cell_at(sheet.rows[r], run.last) == "" for r in full)
    unsure = padded or sheet.delimiter == " " or 0 < len(short) <= len(full)
    faults = []
    for r, row in short:
        if unsure or (sheet.cut and r == len(sheet.rows) - 1):
            what = (
                f"row {row_letters(row)} has {len(sheet.rows[r]) - run.first} values where the"
                f" header has {len(run.columns)} columns"
            )
            faults.append((sheet.place(r), what, LOST))
    return faults


def _header_faults(sheet: Sheet, grid: Grid) -> list[tuple[str, str, str]]:
    """Column numbers that go on behind a gap, where the lines have other cells than the headings:
    a number was lost, or a cell put in between.
    """
    header = sheet.rows[grid.header]
    columns = [each for run in grid.runs for each in run.columns]
    steps = {(n - m, i - k) for (k, m), (i, n) in itertools.pairwise(columns) if n > m}
    usual = Counter(len(sheet.rows[r]) for r, _ in grid.lines).most_common(1)[0][0]
    whole = len(columns) in {wide for _, wide in PLATES} and columns[0][1] == 1
    unfilled = all(cell == "" for r, _ in grid.lines for cell in sheet.rows[r][len(header) :])
    lost = usual > len(header) and unfilled and not whole
    if sheet.delimiter in ("", " ") or (all(m == f for m, f in steps) and not lost):
        return []
    gaps = [
        i
        for one, other in itertools.pairwise(grid.runs)
        if other.columns[0][1] == one.columns[-1][1] + 1
        for i in range(one.last + 1, other.first)
        if cell_at(header, i) == ""
    ]
    filled = any(
        tokens.kind(cell_at(sheet.rows[r], i)) == "number" for r, _ in grid.lines for i in gaps
    )
    if lost or filled or (len(header) != usual and len(steps) > 1):
        what = "the column numbers have a gap, and the lines have other cells than they"
        return [(sheet.place(grid.header), what, "Number every column, 1, 2, 3 and so on.")]
    return []


def _is_stray(cell: Cell, head: Cell) -> bool:
    """A number between the row letter and the first column, under no words: the columns may be
    shifted against the numbers.
    """
    return tokens.kind(cell) == "number" and (head == "" or tokens.kind(head) == "number")
