"""Blocks of numbers without row letters, without column numbers, or without both.

EnVision can leave the labels out. The position of a well then follows from the size of the block
alone: exactly 8 x 12,
16 x 24 or 32 x 48 cells, empty ones included. Where the size leaves more than one position possible
the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kit.core.wells import PLATES
from kit.readers import tokens
from kit.readers.plates.grid_search import blank, cell_at, from_zero, header_runs, row_of
from kit.readers.plates.headings import MAX_REACH, Heading, heading, names_no_signal
from kit.readers.plates.reads import Found, Well
from kit.readers.ragged import uneven
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text

SHAPES = PLATES[-3:]
WIDTHS = {columns: rows for rows, columns in SHAPES}
_NOTE = "the file does not label its rows and columns; wells are placed by the size of the block"
_REMEDY = (
    "Export it with row letters and column numbers, or with every well of the plate, empty ones"
    " too."
)


def read_bare(sheet: Sheet) -> tuple[list[Found], list[str]]:
    """(reads of unlabelled blocks, blocks of numbers that fit no plate and why)."""
    found: list[Found] = []
    passed: list[str] = []
    before, start = Heading(), 0
    for top, bottom in _blocks(sheet):
        above = heading(sheet.rows[start:top], before)
        placed = _place(sheet, top, bottom)
        if isinstance(placed, str):
            passed.append(f"{sheet.place(top)}: {placed}")
        elif names_no_signal(above.title):
            passed.append(f"{sheet.place(top)}: '{above.title}' is not a signal")
        else:
            stated = above.stated or len(placed)
            found.append(
                Found(
                    sheet.place(top),
                    placed,
                    sheet.name,
                    above.plate,
                    above.mode,
                    above.title,
                    stated,
                    False,
                    (_NOTE,),
                )
            )
        before, start = above, bottom
    below = heading(sheet.rows[start : start + MAX_REACH]) if found else Heading()
    for read in found:
        read.mode = read.mode or below.mode
    return found, passed


def _blocks(sheet: Sheet) -> Iterator[tuple[int, int]]:
    """(first, past the last) of runs of lines that hold numbers, empty cells and nothing else but
    one label in front.

    Text keeps the separators of an empty line, so there such a line belongs to the block; in Excel
    it does not.
    """
    start, width = -1, 0
    for r, row in enumerate([*sheet.rows, []]):
        fits = _numeric(row) and (len(row) >= 12 if sheet.delimiter else not blank(row))
        if start >= 0 and (not fits or (sheet.delimiter and len(row) != width)):
            if any(not blank(line) for line in sheet.rows[start:r]) and r - start > 1:
                yield start, r
            start = -1
        if fits and start < 0:
            start, width = r, len(row)


def _numeric(row: Sequence[Cell]) -> bool:
    """At least one number or only separators, and no words but perhaps a row letter in front."""
    if len(row) < 2:
        return False
    first = next((i for i, cell in enumerate(row) if cell != ""), -1)
    if first < 0:
        return True
    cells = row[first + 1 :] if row_of(row[first]) else row
    kinds = {tokens.kind(cell) for cell in cells}
    return "text" not in kinds and "number" in kinds


def _place(sheet: Sheet, top: int, bottom: int) -> list[Well] | str:
    """The wells of a block, or why they cannot be placed."""
    lines = list(range(top, bottom))
    if sheet.merged and any(a <= r <= c for r in lines for (a, _), (c, _) in sheet.merged):
        return "cells of a block without labels are merged"
    header = [from_zero(run, sheet.rows[top], -1) for run in header_runs(sheet.rows[top])]
    if (
        len(lines) - 1 in WIDTHS.values()
        and header
        and header[0].columns[0][1] == 1
        and not header[0].fault
    ):
        return _under_numbers(sheet, lines[1:], header[0].first, len(header[0].columns))
    labels = [_label(sheet.rows[r]) for r in lines]
    if all(labels):
        return _beside_letters(sheet, lines)
    if any(labels):
        return "some of its lines begin with a row letter and some do not"
    return _without_labels(sheet, lines)


def _label(row: Sequence[Cell]) -> int:
    """The plate row that a line's first cell names, 0 if it names none."""
    return row_of(next((cell for cell in row if cell != ""), ""))


def _under_numbers(sheet: Sheet, lines: list[int], first: int, columns: int) -> list[Well] | str:
    """Column numbers but no letters: certain when the lines are just as many as the plate has
    rows.
    """
    if WIDTHS.get(columns) != len(lines):
        return f"{len(lines)} lines without row letters under {columns} columns"
    if uneven(sheet, lines):
        return "its lines have unequally many cells"
    for r in lines:
        row = sheet.rows[r]
        if any(tokens.kind(cell) == "number" for cell in row[first + columns :]):
            return f"{sheet.place(r)} goes on behind the last column"
    return _wells(sheet, lines, first, columns)


def _beside_letters(sheet: Sheet, lines: list[int]) -> list[Well] | str:
    """Row letters but no column numbers: certain when there are just as many cells as the plate has
    columns.
    """
    label = next(i for i, cell in enumerate(sheet.rows[lines[0]]) if cell != "")
    rows = [row_of(cell_at(sheet.rows[r], label)) for r in lines]
    if rows != sorted(set(rows)):
        return "its row letters are out of order"
    width = _width([sheet.rows[r][label + 1 :] for r in lines], 0)
    if width not in WIDTHS or rows[-1] > WIDTHS[width]:
        return f"lines with row letters but without column numbers, {width} cells wide"
    return [
        Well(row, c + 1, cell_at(sheet.rows[r], label + 1 + c), sheet.place(r))
        for r, row in zip(lines, rows)
        for c in range(width)
    ]


def _width(rows: Sequence[Sequence[Cell]], first: int) -> int:
    """Cells from `first` on, without a last one that is empty in every row and one more than a
    plate has columns.
    """
    width = max(len(row) for row in rows) - first
    if width - 1 in WIDTHS and all(cell_at(row, first + width - 1) == "" for row in rows):
        width -= 1
    return width


def _without_labels(sheet: Sheet, lines: list[int]) -> list[Well] | str:
    """No labels: by the box of the numbers if it is a whole plate, else by the cells of the lines
    if those are.
    """
    filled = [(r, i) for r in lines for i, cell in enumerate(sheet.rows[r]) if cell != ""]
    top, bottom = min(r for r, _ in filled), max(r for r, _ in filled)
    left, right = min(i for _, i in filled), max(i for _, i in filled)
    box = (bottom - top + 1, right - left + 1)
    numbered = [cell_text(cell_at(sheet.rows[r], left)) for r in lines]
    if any(numbered == [str(n) for n in range(k, len(lines) + k)] for k in (0, 1)):
        if (box[0], box[1] - 1) in SHAPES:
            return _wells(sheet, lines, left + 1, box[1] - 1)
        return f"{box[0]} numbered rows by {box[1] - 1} columns fit no plate"
    if box in SHAPES:
        return _wells(sheet, list(range(top, bottom + 1)), left, box[1])
    size = f"{box[0]} rows by {box[1]} columns of numbers without labels"
    if not sheet.delimiter or sheet.delimiter == " ":
        return f"{size} are no whole plate, so that their place on it cannot be told"
    width = len(sheet.rows[lines[0]])
    columns = next((c for c in WIDTHS if c <= width <= c + 2), 0)
    if WIDTHS.get(columns) != len(lines):
        return f"{len(lines)} lines of {width} cells ({size}) fit no plate"
    offset = _offset(sheet, width - columns, left, right, columns)
    return (
        f"{size} may begin in the first or the second column"
        if offset < 0
        else _wells(sheet, lines, offset, columns)
    )


def _offset(sheet: Sheet, spare: int, left: int, right: int, columns: int) -> int:
    """Cell index of the plate's first column, -1 when that cannot be told.

    Of the cells that a line has beyond the plate's columns, one in front would be that of the row
    letter and one at the
    end comes from a closing separator. Which it is shows in the file's lines of headings: they all
    close with one, or none does.
    """
    first, last = max(0, right - columns + 1), min(spare, left)
    if first >= last:
        return first if first == last else -1
    closing = {
        row[-1] == "" for row in sheet.rows if sum(tokens.kind(cell) == "text" for cell in row) >= 6
    }
    if closing == {True} and spare:
        return spare - 1
    return spare if closing == {False} else -1


def _wells(sheet: Sheet, lines: Sequence[int], first: int, columns: int) -> list[Well]:
    return [
        Well(k + 1, c + 1, cell_at(sheet.rows[r], first + c), sheet.place(r))
        for k, r in enumerate(lines)
        for c in range(columns)
    ]
