"""Where plate-shaped grids stand in a sheet: a line of column numbers over lines that begin with a
row letter.

Every position comes from the labels; where they contradict each other, that is a fault of the grid
with its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kit.core.wells import COUNTED_FROM_0, MAX_COLUMNS, PLATES, row_letters, row_number
from kit.readers import tokens
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell

CAPITALS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
AFTER_Z = ("a", "b", "c", "d", "e", "f")
"""MARS calls the rows AA to AF of a 1536-well plate a to f, below A to Z."""
_COLUMN = re.compile(r"(?:col(?:umn)?\.?\s*)?0*([1-9][0-9]?)(?:\.0+)?", re.IGNORECASE)
_ZERO = re.compile(r"(?:col(?:umn)?\.?\s*)?0+(?:\.0+)?", re.IGNORECASE)
_ROW = re.compile(r"(?:row\s*)?([A-Za-z]{1,2})[:.]?", re.IGNORECASE)


@dataclass
class Run:
    """Consecutive column numbers in a header line: (cell index, plate column), and what is wrong
    with them.
    """

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
    """One header line, its runs, and the lines below: (line index, plate row); faults as (place,
    what, remedy).
    """

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


def is_column_zero(cell: Cell) -> bool:
    """Whether a header cell counts a column 0, which no plate has."""
    return cell == 0.0 if isinstance(cell, float) else bool(_ZERO.fullmatch(cell))


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
    """Runs of rising column numbers. A hole as wide as the numbers it skips belongs to the run;
    other gaps end it.
    """
    runs: list[Run] = []
    previous = -2
    if len(row) < 2:
        return runs
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


def from_zero(run: Run, row: Sequence[Cell], label: int) -> Run:
    """A run whose columns are counted from 0: read when they are those of a whole plate (0 to 11),
    else a fault.
    """
    if (
        run.first - 1 <= label
        or not is_column_zero(cell_at(row, run.first - 1))
        or run.columns[0][1] != 1
    ):
        return run
    counted = [(run.first - 1, 1), *((i, column + 1) for i, column in run.columns)]
    whole = len(counted) in COUNTED_FROM_0 and [i for i, _ in counted] == list(
        range(run.first - 1, run.last + 1)
    )
    if whole and not run.fault:
        return Run(counted)
    return Run(
        run.columns,
        run.fault
        or f"the columns are numbered from 0 to {run.columns[-1][1]}, which is no whole plate",
    )


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
            # Rows that start again at the first letter, without a header of their own, are the next
            # plate.
            again = row_of(cell_at(_next(sheet, i), grid.label)) == grid.lines[0][1]
            before, grid = grid, _below(sheet, grid.header, i, runs) if again else None
            if grid and {row for _, row in grid.lines} != {row for _, row in before.lines}:
                what = "the rows begin anew here, but are others than those above"
                fault = (sheet.place(i), what, "Correct the row letters.")
                before.faults.append(fault)
                grid.faults.append(fault)
    return grids


def turned(sheet: Sheet) -> Sheet | None:
    """The sheet with its grid of row letters across and column numbers down the usual way round;
    None where there is none, its lines have unequally many cells, or it may be cut off.
    """
    for top, row in enumerate(sheet.rows):
        first = next((i for i, cell in enumerate(row) if row_of(cell) == 1), 0)
        letters = [row_of(cell) for cell in row[first:] if cell != ""]
        end = top + 1
        while end < len(sheet.rows) and column_number(cell_at(sheet.rows[end], first - 1)):
            end += 1
        lines = [line[first - 1 :] for line in sheet.rows[top:end]]
        if (
            not first
            or len(letters) < 3
            or letters != list(range(1, len(letters) + 1))
            or end < top + 3
        ):
            continue
        if len({len(line) for line in lines}) > 1 or sheet.cut:
            return None
        rows = [*sheet.rows[:top], *map(list, zip(*lines, strict=True))]
        numbers = [*sheet.numbers[:top], *[sheet.numbers[top]] * (len(rows) - top)]
        return replace(sheet, rows=rows, numbers=numbers, merged=())
    return None


def _next(sheet: Sheet, i: int) -> Sequence[Cell]:
    """The first row from `i` on that is not blank, at most one blank row away."""
    return next((row for row in sheet.rows[i : i + 2] if not blank(row)), ())


def _below(sheet: Sheet, header: int, start: int, runs: list[Run]) -> Grid | None:
    """The grid under a header line, None when no row letter follows within two lines."""
    first = _next(sheet, start)
    label = next((k for k in range(runs[0].first - 1, -1, -1) if row_of(cell_at(first, k))), -1)
    if label < 0 or row_of(cell_at(sheet.rows[header], label)):
        return None  # a line with a row letter of its own is a row that happens to count 1, 2, 3
    grid = Grid(
        header, start, [from_zero(run, sheet.rows[header], label) for run in runs], label, []
    )
    runs = grid.runs
    widest = max(column for run in runs for _, column in run.columns)
    blanks, last, capitals = 0, 0, False
    for r in range(start, len(sheet.rows)):
        row = sheet.rows[r]
        if blank(row):
            blanks += 1
            if blanks > 1:
                break
            continue
        letters = cell_at(row, label)
        number = row_of(letters)
        capitals = capitals or letters in CAPITALS
        if capitals and widest > 24 and letters in AFTER_Z:
            number = AFTER_Z.index(letters) + 27
        if not number and not (
            last
            and not blanks
            and cell_at(row, label) == ""
            and _continues(row, sheet.rows[header], runs)
        ):
            _interrupted(sheet, grid, r, last)
            break
        if number and number < last:
            if number != grid.lines[0][1]:
                grid.faults.append(
                    (
                        sheet.place(r),
                        f"row {row_letters(number)} comes after row {row_letters(last)}",
                        "Put the rows in order.",
                    )
                )
            break
        if number and number == last and grid.lines and number == grid.lines[0][1] and blanks:
            break
        last, blanks = number or last, 0
        grid.lines.append((r, last))
        grid.end = r + 1
    _below_the_plate(sheet, grid)
    return grid


def _below_the_plate(sheet: Sheet, grid: Grid) -> None:
    """A line such as M (mean), S (SD) or N under the last row of a whole plate is a fault: as a row
    it would enlarge the plate.
    """
    here, widest = (
        {row for _, row in grid.lines},
        max(column for run in grid.runs for _, column in run.columns),
    )
    for rows, columns in PLATES[-3:-1]:
        beyond = [(r, row) for r, row in grid.lines if row > rows]
        if (
            widest <= columns
            and here.issuperset(range(1, rows + 1))
            and beyond
            and rows + 1 not in here
        ):
            (line, row), last = beyond[0], row_letters(rows)
            what = (
                f"'{row_letters(row)}' stands under row {last}, the last row of a"
                f" {rows * columns}-well plate"
            )
            grid.faults.append(
                (
                    sheet.place(line),
                    what,
                    "Delete the line, or name it in words if it is a mean, SD or count.",
                )
            )
            return


def _continues(row: Sequence[Cell], header: Sequence[Cell], runs: list[Run]) -> bool:
    """A further line of the row above: values in the columns, and not the header of the next
    grid.
    """
    columns = [i for run in runs for i, _ in run.columns]
    same = all(column_number(cell_at(row, i)) == column_number(cell_at(header, i)) for i in columns)
    filled = sum(cell_at(row, i) != "" for i in columns)
    named = 2 * filled > len(columns) and any(cell != "" for cell in row[columns[-1] + 1 :])
    return not same and (
        named  # a line of times, such as Gen5's "t at Max V", belongs to the row all the same
        or any(tokens.kind(cell_at(row, i)) in ("number", "token") for i in columns)
    )


def _interrupted(sheet: Sheet, grid: Grid, r: int, last: int) -> None:
    """A line that is no row of the plate, directly followed by later rows of it, is a fault and not
    the end.
    """
    for after in range(r + 1, len(sheet.rows)):
        row = sheet.rows[after]
        if blank(row) or header_runs(row):
            return
        if row_of(cell_at(row, grid.label)) > last > 0:
            what = (
                f"'{cell_at(sheet.rows[r], grid.label)}' is not a row letter, but stands between"
                f" rows {row_letters(last)} and "
            )
            what += row_letters(row_of(cell_at(row, grid.label)))
            grid.faults.append((sheet.place(r), what, "Correct the row letter."))
            return
