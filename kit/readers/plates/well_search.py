"""Where tables with one row per well stand in a sheet, and how their lines name the well: in one
column, or by row and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from kit.core.wells import find_well, row_number
from kit.readers import tokens
from kit.readers.plates.grid_search import AFTER_Z, CAPITALS, blank, cell_at
from kit.readers.plates.headings import shorten
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text

PLATE = re.compile(
    r"(?:assay |measured )?plate(?:[ _-]?(?:id|name|barcode|no\.?|nr\.?|number|#))?|barcode",
    re.IGNORECASE,
)
WELL_HEAD = re.compile(
    r"wells?|(?:well[ _]?)?(?:pos(?:ition)?s?|names?|locations?|numbers?)\.?", re.IGNORECASE
)
_WELL_NAME = re.compile(r"well[ _-]*(?:id|name|type|content|label)", re.IGNORECASE)
_ROW_HEAD = re.compile(r"(?:well|plate)?[ _\n-]*row(?:[ _]?name)?", re.IGNORECASE)
_COLUMN_HEAD = re.compile(
    r"(?:well|plate)?[ _\n-]*col(?:umn)?\.?(?:[ _]?(?:name|number))?", re.IGNORECASE
)


@dataclass
class Table:
    """A long table: the line of its headings (-1: none), its body, the columns that name the well,
    and how they do.
    """

    header: int
    body: list[int]
    keys: tuple[int, ...]
    well: Callable[[Sequence[Cell]], tuple[int, int] | None]
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    columns: range = range(10**6)
    """The columns of this table, where several stand side by side."""
    name: str = ""
    """Says which of several columns of wells this reading goes by."""


def side_by_side(sheet: Sheet, table: Table) -> list[Table]:
    """The table, or the several that it is: one for each column of wells with values of its own.

    Where further columns of wells share the same values (a source and a destination), each gives a
    reading with a name, so that the user is asked which one is meant.
    """
    rows = [sheet.rows[r] for r in table.body]
    if len(table.keys) > 1:
        return [table]
    others = [i for i in range(max(map(len, rows))) if i != table.keys[0] and _holds_wells(rows, i)]
    heads = {
        i: str(cell_at(sheet.rows[table.header], i)) if table.header >= 0 else ""
        for i in (*table.keys, *others)
    }
    same = {i for i in others if all(_well_at(row, i) in (table.well(row), None) for row in rows)}
    others = [i for i in others if i not in same and not PLATE.fullmatch(heads[i])]
    blocks = sorted([*table.keys, *(i for i in others if _may_be_well(heads[i], table.header < 0))])
    if len(blocks) == 1:
        return [table]
    ends = [*blocks[1:], max(map(len, rows))]
    has_values = [
        any(tokens.kind(cell_at(row, i)) == "number" for row in rows for i in range(start + 1, end))
        for start, end in zip(blocks, ends)
    ]
    if not all(has_values):
        if WELL_HEAD.fullmatch(heads[table.keys[0]]) and not any(
            "well" in heads[i].lower() and not _WELL_NAME.search(heads[i]) for i in others
        ):
            return [table]
        return [_by(table, i, f"wells of '{heads[i] or f'column {i + 1}'}'") for i in blocks]
    parts = []
    for start, end in zip(blocks, ends):
        part = _by(table, start, "")
        part.columns = range(start, end)
        part.body = [r for r in table.body if any(cell != "" for cell in sheet.rows[r][start:end])]
        parts.append(part)
    return parts


def _by(table: Table, column: int, name: str) -> Table:
    """The same lines, read by another column of wells."""
    well = lambda row: _well_at(row, column)  # noqa: E731
    return replace(table, keys=(column,), well=well, name=name, faults=list(table.faults))


def _well_at(row: Sequence[Cell], column: int) -> tuple[int, int] | None:
    return find_well(cell_at(row, column))


def _holds_wells(rows: Sequence[Sequence[Cell]], column: int) -> bool:
    filled = [row for row in rows if cell_at(row, column) != ""]
    return 2 * len(filled) > len(rows) * 0.5 and all(_well_at(row, column) for row in filled)


def _may_be_well(head: str, unnamed: bool) -> bool:
    """Whether a heading lets its column name the wells: not an ID such as S1, nor a content."""
    return (
        unnamed
        or bool(WELL_HEAD.fullmatch(head))
        or ("well" in head.lower() and not _WELL_NAME.search(head))
    )


def find_tables(sheet: Sheet) -> list[Table]:
    """Long tables in the order of the file; lines of one do not count for another."""
    tables: list[Table] = []
    r = 0
    while r < len(sheet.rows):
        table = _row_column_table(sheet, r) or _well_table(sheet, r) or _dashed_table(sheet, r)
        if table is None:
            r += 1
            continue
        r = table.body[-1] + 1
        if not (tables and _goes_on(sheet, tables[-1], table)):
            tables.append(table)
    return tables


def _goes_on(sheet: Sheet, before: Table, table: Table) -> bool:
    """Whether a table is the rest of the one before, behind empty lines or the same headings again;
    then it joins it.

    Behind any other line without headings of its own it may be that or another plate: a fault, as
    either would be a guess.
    """
    wells = {before.well(sheet.rows[r]) for r in before.body}
    if table.keys != before.keys or any(before.well(sheet.rows[r]) in wells for r in table.body):
        return False
    headings = sheet.rows[before.header] if before.header >= 0 else None
    between = [r for r in range(before.body[-1] + 1, table.body[0]) if not blank(sheet.rows[r])]
    others = [r for r in between if sheet.rows[r] != headings]
    if not others:
        before.body += table.body
        return True
    if between == others and all(sum(cell != "" for cell in sheet.rows[r]) == 1 for r in others):
        words = next(cell_text(cell) for cell in sheet.rows[others[0]] if cell != "")
        what = (
            f"'{shorten(words)}' stands inside a list of wells, which may go on behind it or be"
            " another plate's"
        )
        table.faults.append(
            (
                sheet.place(others[0]),
                what,
                "Delete the line, or repeat the headings under it if another plate follows.",
            )
        )
    return False


def _well_table(sheet: Sheet, r: int) -> Table | None:
    """The table whose first well stands in line `r`: a column with a well there and in the next
    line.
    """
    if r + 1 >= len(sheet.rows):
        return None
    here, below = sheet.rows[r], sheet.rows[r + 1]
    columns = [
        i for i in range(min(len(here), len(below))) if find_well(here[i]) and find_well(below[i])
    ]
    if not columns or len(columns) > 3:
        return None
    header = _header_of(sheet, r, columns)
    heads = {i: str(cell_at(sheet.rows[header], i)) if header >= 0 else "" for i in columns}
    # P1 and P2 are plates under the heading "plate", though a well may be called so too.
    columns = [i for i in columns if not PLATE.fullmatch(heads[i])]
    if not columns:
        return None
    # S1 may be a sample under "Well ID": the column called just "well" comes first, any other with
    # the word in it next.
    column = min(
        columns,
        key=lambda i: (
            WELL_HEAD.fullmatch(heads[i]) is None,
            "well" not in heads[i].lower(),
            here[i] == below[i],
        ),
    )
    late = _has_late_rows(cell_at(row, column) for row in sheet.rows[r : r + _MANY])
    table = Table(
        header, [], (column,), lambda row: find_well(_capital(cell_at(row, column), late))
    )
    table.body = _body(sheet, r, table)
    for line in range(header + 1, r if header >= 0 else 0):
        if any(find_well(cell) for cell in sheet.rows[line]):
            what = "the line under the headings has its well in another column"
            table.faults.append((sheet.place(line), what, "Correct the line."))
    return table


def _dashed_table(sheet: Sheet, r: int) -> Table | None:
    """The table whose headings, in line `r`, call a column wells where those are written A-01, or
    P1-A01 beside a plate P1.
    """
    if r + 1 >= len(sheet.rows):
        return None
    for column, head in enumerate(sheet.rows[r]):
        if (
            isinstance(head, str)
            and WELL_HEAD.fullmatch(head)
            and _dashed_well(sheet.rows[r + 1], column)
        ):
            table = Table(r, [], (column,), lambda row, column=column: _dashed_well(row, column))  # type: ignore[misc]
            table.body = _body(sheet, r + 1, table)
            return table
    return None


def _dashed_well(row: Sequence[Cell], column: int) -> tuple[int, int] | None:
    """The well of a cell such as A-01, or P1-A01 where another cell of the line is P1; plain ones
    too.
    """
    match = re.fullmatch(r"(?:(.+)[-_ ])?([A-Za-z]{1,2})-?([0-9]{1,3})", str(cell_at(row, column)))
    if match is None or (
        match[1] and match[1] not in [cell_text(cell) for i, cell in enumerate(row) if i != column]
    ):
        return None
    return find_well(match[2] + match[3])


def _body(sheet: Sheet, start: int, table: Table) -> list[int]:
    """The table's lines: up to a blank one or one without a well. A line with numbers and a spoilt
    well belongs to it,
    so that it is reported rather than taken for the end; one without any well only if the table
    goes on behind it.
    """
    end, stop = start, start
    while end < len(sheet.rows) and not blank(sheet.rows[end]):
        row = sheet.rows[end]
        if table.well(row) is None:
            if not any(
                tokens.kind(cell) == "number" for i, cell in enumerate(row) if i not in table.keys
            ):
                break
            stop = end + 1 if any(cell_at(row, i) != "" for i in table.keys) else stop
        else:
            stop = end + 1
        end += 1
    return list(range(start, stop))


def _header_of(sheet: Sheet, r: int, columns: Sequence[int]) -> int:
    """The line of headings above line `r`: the nearest, directly above, with words over the column
    of wells.
    """
    for above in range(r - 1, max(-1, r - 5), -1):
        row = sheet.rows[above]
        if blank(row):
            return -1
        if any(find_well(cell) for cell in row):
            continue  # a spoilt line of the list
        if any(tokens.kind(cell_at(row, i)) == "text" for i in columns):
            return above
    return -1


def _row_column_table(sheet: Sheet, r: int) -> Table | None:
    """The table whose headings, in line `r`, are a row and a column of the plate."""
    if not any("row" in cell.lower() for cell in sheet.rows[r] if isinstance(cell, str)):
        return None
    heads = [" ".join(cell.split()) if isinstance(cell, str) else "" for cell in sheet.rows[r]]
    row = next((i for i, head in enumerate(heads) if _ROW_HEAD.fullmatch(head)), -1)
    column = next((i for i, head in enumerate(heads) if _COLUMN_HEAD.fullmatch(head)), -1)
    if row < 0 or column < 0 or r + 1 >= len(sheet.rows):
        return None
    late = False

    def well(cells: Sequence[Cell]) -> tuple[int, int] | None:
        letters, number = _capital(cell_at(cells, row), late), cell_at(cells, column)
        here = (
            row_number(letters)
            if isinstance(letters, str) and letters.isalpha()
            else _whole(letters)
        )
        return (here, _whole(number)) if 1 <= here <= 32 and 1 <= _whole(number) <= 48 else None

    first = next((k for k in (r + 1, r + 2) if k < len(sheet.rows) and well(sheet.rows[k])), 0)
    if not first or (
        first > r + 1 and any(cell_at(sheet.rows[r + 1], i) != "" for i in (row, column))
    ):
        return None
    late = _has_late_rows(cell_at(cells, row) for cells in sheet.rows[r : r + _MANY])
    table = Table(r, [], (row, column), well)
    table.body = _body(sheet, first, table)
    return table


_MANY = 1600
"""Lines that a list of one 1536-well plate may take."""


def _has_late_rows(cells: Iterable[Cell]) -> bool:
    """Whether rows are called a to f below Z, as MARS does, and so are not A to F again."""
    first = {cell[:1] for cell in cells if isinstance(cell, str)}
    return bool(first & set(AFTER_Z)) and bool(first & set(CAPITALS[16:]))


def _capital(cell: Cell, late: bool) -> Cell:
    """A well or row of those late rows, with its usual letters."""
    return "A" + cell if late and isinstance(cell, str) and cell[:1] in AFTER_Z else cell


def _whole(cell: Cell) -> int:
    """A cell as a whole number, 0 when it is none."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else 0
    return int(cell) if re.fullmatch(r"[0-9]{1,3}", cell) else 0
