"""Plate-shaped grids, found by content: column numbers over rows that begin with a row letter.

A grid may cover part of a plate (B2 to G11), leave rows out (A, E, I, M), hold several reads in the lines of each row
(Gen5), or stand beside another one. Every position comes from the labels; where labels contradict each other or the
number of cells, that is a problem with its line, never a guess. `inferred_grid` reads blocks without labels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kit.readers import tokens
from kit.readers.geometry import MAX_COLUMNS, row_letters, row_number
from kit.readers.headings import MAX_REACH, Heading, heading, mode_of, names_no_signal, shorten
from kit.readers.reads import Found, Well, is_signal
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell

_COLUMN = re.compile(r"(?:col(?:umn)?\.?\s*)?0*([1-9][0-9]?)(?:\.0+)?", re.IGNORECASE)
_ROW = re.compile(r"(?:row\s*)?([A-Za-z]{1,2})[:.]?", re.IGNORECASE)


@dataclass
class Run:
    """Consecutive column numbers in a header line: (cell index, plate column), and what is wrong with them."""

    columns: list[tuple[int, int]]
    fault: str = ""

    @property
    def first(self) -> int:
        """Cell index of the first column."""
        return self.columns[0][0]

    @property
    def last(self) -> int:
        """Cell index of the last column."""
        return self.columns[-1][0]


@dataclass
class Grid:
    """One header line, its runs, and the lines below: (line index, plate row); faults as (place, what, remedy)."""

    header: int
    end: int
    runs: list[Run]
    label: int
    lines: list[tuple[int, int]]
    faults: list[tuple[str, str, str]] = field(default_factory=list)


def column_number(cell: Cell) -> int:
    """The plate column a header cell names (1, "01", "Col 3", 4.0), 0 when none."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and 1 <= cell <= MAX_COLUMNS else 0
    if not cell[-1:].isdigit():
        return 0
    match = _COLUMN.fullmatch(cell)
    return int(match[1]) if match and int(match[1]) <= MAX_COLUMNS else 0


def row_of(cell: Cell) -> int:
    """The plate row a label names ("A", "b", "Row C", "AF"), 0 when none."""
    match = _ROW.fullmatch(cell) if isinstance(cell, str) else None
    return row_number(match[1]) if match else 0


def cell_at(row: Sequence[Cell], index: int) -> Cell:
    """The cell, "" beyond the end of a ragged line."""
    return row[index] if 0 <= index < len(row) else ""


def blank(row: Sequence[Cell]) -> bool:
    """Whether nothing stands in the row."""
    return all(cell == "" for cell in row)


def header_runs(row: Sequence[Cell]) -> list[Run]:
    """Runs of rising column numbers. A hole as wide as the numbers it skips belongs to the run; other gaps end it."""
    runs: list[Run] = []
    previous = -2
    for i, cell in enumerate(row):
        number = column_number(cell)
        if not number:
            continue
        if runs and previous == i - 1 and number <= runs[-1].columns[-1][1]:
            runs[-1].fault = f"the column numbers go from {runs[-1].columns[-1][1]} to {number}"
            runs[-1].columns.append((i, number))
        elif runs and (previous == i - 1 or number - runs[-1].columns[-1][1] == i - previous):
            runs[-1].columns.append((i, number))
        else:
            runs.append(Run([(i, number)]))
        previous = i
    return [run for run in runs if len(run.columns) > 1 or cell_at(row, run.first - 1) == "<>"]


def find_grids(sheet: Sheet) -> list[Grid]:
    """Every grid with row and column labels in a sheet, whatever stands in it."""
    grids: list[Grid] = []
    i = 0
    while i < len(sheet.rows):
        runs = header_runs(sheet.rows[i])
        grid = _below(sheet, i, i + 1, runs) if runs else None
        i += 1
        while grid is not None:
            grids.append(grid)
            i = grid.end
            # Rows that start again at the first letter, without a header of their own, are the next plate.
            grid = _below(sheet, grid.header, i, runs) if row_of(cell_at(_next(sheet, i), grid.label)) == grid.lines[0][1] else None
    return grids


def _next(sheet: Sheet, i: int) -> Sequence[Cell]:
    """The first row from `i` on that is not blank, at most one blank row away."""
    return next((row for row in sheet.rows[i : i + 2] if not blank(row)), ())


def _below(sheet: Sheet, header: int, start: int, runs: list[Run]) -> Grid | None:
    """The grid under a header line, None when no row letter follows within two lines."""
    first = _next(sheet, start)
    label = next((k for k in range(runs[0].first - 1, -1, -1) if row_of(cell_at(first, k))), -1)
    if label < 0 or row_of(cell_at(sheet.rows[header], label)):
        return None  # a line with a row letter of its own is a row that happens to count 1, 2, 3
    grid = Grid(header, start, runs, label, [])
    blanks, last = 0, 0
    for r in range(start, len(sheet.rows)):
        row = sheet.rows[r]
        if blank(row):
            blanks += 1
            if blanks > 1:
                break
            continue
        number = row_of(cell_at(row, label))
        if not number and not (last and not blanks and cell_at(row, label) == "" and _continues(row, sheet.rows[header], runs)):
            _interrupted(sheet, grid, r, last)
            break
        if number and number < last:
            if number != grid.lines[0][1]:
                grid.faults.append(
                    (sheet.place(r), f"row {row_letters(number)} comes after row {row_letters(last)}", "Put the rows in order.")
                )
            break
        if number and number == last and grid.lines and number == grid.lines[0][1] and blanks:
            break
        last, blanks = number or last, 0
        grid.lines.append((r, last))
        grid.end = r + 1
    return grid


def _continues(row: Sequence[Cell], header: Sequence[Cell], runs: list[Run]) -> bool:
    """A further line of the row above: values in the columns, and not the header of the next grid."""
    columns = [i for run in runs for i, _ in run.columns]
    same = all(column_number(cell_at(row, i)) == column_number(cell_at(header, i)) for i in columns)
    return not same and any(tokens.kind(cell_at(row, i)) in ("number", "token") for i in columns)


def _interrupted(sheet: Sheet, grid: Grid, r: int, last: int) -> None:
    """A line that is no row of the plate, directly followed by later rows of it, is a fault and not the end."""
    for after in range(r + 1, len(sheet.rows)):
        row = sheet.rows[after]
        if blank(row) or header_runs(row):
            return
        if row_of(cell_at(row, grid.label)) > last > 0:
            what = f"'{cell_at(sheet.rows[r], grid.label)}' is not a row letter, but stands between rows {row_letters(last)} and "
            what += row_letters(row_of(cell_at(row, grid.label)))
            grid.faults.append((sheet.place(r), what, "Correct the row letter."))
            return


def read_grids(sheet: Sheet) -> tuple[list[Found], list[str]]:
    """(signal reads of all labelled grids, where grids without signals stand and why they are none)."""
    found: list[Found] = []
    passed: list[str] = []
    before, start = Heading(), 0
    for grid in find_grids(sheet):
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
    """Plate and mode from the lines under the last grid, for reads whose own headings do not name them."""
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
    faults = list(grid.faults)
    if run.fault:
        faults.append((sheet.place(grid.header), run.fault, "Number the columns 1, 2, 3 and so on."))
    reads = []
    for title, lines in _by_read(sheet, grid, faults).items():
        wells = [Well(row, c, cell_at(sheet.rows[r], i), sheet.place(r)) for r, row in lines for i, c in run.columns]
        text = shorten(title) or _beside(sheet, grid, run) or above.title
        mode = (mode_of(title) if title else "") or ("absorbance" if title.isdigit() else "") or above.mode
        corner = cell_at(sheet.rows[grid.header], run.first - 1)
        mode = mode or (mode_of(corner) if isinstance(corner, str) else "")
        reads.append(Found(sheet.place(grid.header), wells, sheet.name, above.plate, mode, text, above.stated))
        reads[-1].problems = [*faults, *_width_faults(sheet, grid, run, lines)]
    return reads


def _beside(sheet: Sheet, grid: Grid, run: Run) -> str:
    """The title of one of several grids side by side: the nearest text above its own first columns."""
    if len(grid.runs) < 2:
        return ""
    columns = range(run.first - 1, run.last + 1)
    for row in reversed(sheet.rows[max(0, grid.header - 3) : grid.header]):
        text = next((cell for cell in (cell_at(row, i) for i in columns) if isinstance(cell, str) and cell), "")
        if text:
            return shorten(text)
    return f"columns from cell {run.first + 1}"


def _by_read(sheet: Sheet, grid: Grid, faults: list[tuple[str, str, str]]) -> dict[str, list[tuple[int, int]]]:
    """Read title -> its lines. Several lines of one plate row are several reads, named by a trailing cell or numbered."""
    rows: dict[int, list[int]] = {}
    for r, row in grid.lines:
        rows.setdefault(row, []).append(r)
    counts = {len(lines) for lines in rows.values()}
    titles = {r: _trailing(sheet.rows[r], sheet.rows[grid.header], grid.runs[-1].last) for r, _ in grid.lines}
    if all(titles.values()) and all(len({titles[r] for r in lines}) == len(lines) for lines in rows.values()):
        reads: dict[str, list[tuple[int, int]]] = {}
        for r, row in grid.lines:
            reads.setdefault(titles[r], []).append((r, row))
        if len(reads) == max(counts):
            return reads
    if counts != {1} and len(counts) > 1:
        odd = next(row for row, lines in rows.items() if len(lines) == max(counts))
        what = f"row {row_letters(odd)} has {max(counts)} lines of values where others have {min(counts)}"
        faults.append((sheet.place(rows[odd][-1]), what, "Give every line its row letter, once."))
    _stray_faults(sheet, grid, faults)
    if max(counts) == 1:
        return {"": grid.lines}
    return {f"line {i + 1} of each row": [(lines[i], row) for row, lines in rows.items() if i < len(lines)] for i in range(max(counts))}


def _trailing(row: Sequence[Cell], header: Sequence[Cell], last: int) -> str:
    """The name of the read that Gen5 writes behind each line; a bare number is one only if it may be a wavelength."""
    beyond = [row[i] for i in range(last + 1, len(row)) if row[i] != "" and cell_at(header, i) == ""]
    if len(beyond) != 1:
        return ""
    text = f"{beyond[0]:g}" if isinstance(beyond[0], float) else beyond[0]
    return text if tokens.kind(text) == "text" or re.fullmatch(r"[2-9][0-9]{2}|10[0-9]{2}", text) else ""


def _stray_faults(sheet: Sheet, grid: Grid, faults: list[tuple[str, str, str]]) -> None:
    """Numbers right of the last numbered column: most likely a decimal comma read as a separator."""
    header, last = sheet.rows[grid.header], grid.runs[-1].last
    for r, _ in grid.lines:
        row = sheet.rows[r]
        beyond = [row[i] for i in range(last + 1, len(row)) if cell_at(header, i) == "" and tokens.kind(row[i]) in ("number", "token")]
        if beyond:
            what = f"the line goes on with '{beyond[0]}' where the header has no column"
            remedy = "Check for a decimal comma in a comma-separated file, or a missing column number."
            faults.append((sheet.place(r), what, remedy))
            return


def _width_faults(sheet: Sheet, grid: Grid, run: Run, lines: list[tuple[int, int]]) -> list[tuple[str, str, str]]:
    """Lines whose cells do not fit the header: too short where that can mean a shift, values under no number."""
    faults = []
    named = {i for each in grid.runs for i, _ in each.columns}
    header = sheet.rows[grid.header]
    padded = any(len(sheet.rows[r]) > run.last and cell_at(sheet.rows[r], run.last) == "" for r, _ in lines)
    for r, row in lines:
        cells = sheet.rows[r]
        values = len(cells) - run.first
        at_end = sheet.cut and r == len(sheet.rows) - 1
        if run is grid.runs[-1] and values > 0 and len(cells) <= run.last and (padded or at_end or sheet.delimiter == " "):
            what = f"row {row_letters(row)} has {values} values where the header has {len(run.columns)} columns"
            faults.append((sheet.place(r), what, "The file may be cut off; write a cell for every well, empty if need be."))
        stray = [i for i in range(run.first, run.last) if i not in named and cell_at(cells, i) != "" and cell_at(header, i) == ""]
        if stray:
            what = f"row {row_letters(row)} has '{cell_at(cells, stray[0])}' in a column without a number"
            faults.append((sheet.place(r), what, "Number every column."))
        for (top, left), (bottom, right) in sheet.merged:
            if top <= r <= bottom and left <= run.last and right >= run.first:
                what = f"cells of row {row_letters(row)} are merged, so that it cannot be told which well a value belongs to"
                faults.append((sheet.place(r), what, "Unmerge them in Excel and fill in every well."))
                break
    return faults
