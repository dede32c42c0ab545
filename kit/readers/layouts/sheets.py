"""Plate maps in CSV or Excel: one row per well, or a plate-shaped grid per attribute.

Whatever would put a value into another well, or leave one out, is a problem with its line: cells
beyond the headings,
merged cells, rows and columns that no plate has, lines that lost a cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import Problems, refused
from kit.core.wells import COUNTED_FROM_0, MAX_COLUMNS, MAX_ROWS, row_letters, row_number, well_name
from kit.readers.ragged import beyond, table_faults
from kit.readers.sheets import Sheet, open_source, text_sheets

COLUMNS = ("well", "cell_line", "medium", "role", "agent", "concentration", "concentration_unit")
_OTHER_NAMES = {"wells": "well", "well id": "well", "well name": "well", "cell line": "cell_line", "line": "cell_line", "cells": "cell_line",
                "media": "medium", "treatment": "medium", "type": "role", "drug": "agent", "compound": "agent", "conc": "concentration",
                "unit": "concentration_unit"}  # fmt: skip
Fault = tuple[str, str, str]


@dataclass
class Grid:
    """A plate-shaped grid: which attribute, (row, column) -> cell, and its faults as (place, what,
    remedy).
    """

    attribute: str
    cells: dict[tuple[int, int], Any]
    faults: list[Fault] = field(default_factory=list)


def read_sheets(path: Path, name: str) -> tuple[pd.DataFrame, Problems]:
    """The plate map of a CSV or Excel file as it stands there, with `_place` of each row, and its
    problems.
    """
    source = open_source(path, name, None)
    readings = (
        [list(source.sheets)] if source.sheets else [[sheet] for sheet in text_sheets(source.text)]
    )
    for sheets in readings:
        for sheet in sheets:
            header = _long_header(sheet)
            if header is not None:
                return _long(sheet, header, name)
    for sheets in readings:
        grids = [(sheet, grid) for sheet in sheets for grid in _grids_of(sheet)]
        if grids:
            return _table(grids, name)
    remedy = "See 'layouts' in the README; `kit new` writes an example."
    raise refused(
        name, "holds neither a table with a 'well' column nor a plate-shaped grid", remedy
    )


def text_of(cell: Any) -> str:
    """A cell as text: "" for none, whole numbers without decimals."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _column_name(cell: Any) -> str:
    """A header as the kit's column name: `Cell line` and `cell-line` are `cell_line`."""
    text = re.sub(r"[\s\-]+", " ", text_of(cell).casefold().replace("_", " ")).strip()
    return (
        _OTHER_NAMES.get(text, text.replace(" ", "_"))
        if text.replace(" ", "_") not in COLUMNS
        else text.replace(" ", "_")
    )


def _merged(sheet: Sheet, top: int, bottom: int, left: int, right: int) -> list[Fault]:
    """Merged cells inside a table: Excel keeps the value of the first one only, and the others
    would count as empty.
    """
    faults = []
    for (a, b), (c, d) in sheet.merged:
        if a <= bottom and c >= top and b <= right and d >= left:
            cells = f"{_excel_column(sheet.left + b)}{sheet.numbers[0] + a}:{_excel_column(sheet.left + d)}{sheet.numbers[0] + c}"
            faults.append(
                (
                    f"sheet '{sheet.name}', {cells}",
                    "merged cells: only the first of them holds a value",
                    "Unmerge them in Excel and fill in every cell.",
                )
            )
    return faults


def _excel_column(index: int) -> str:
    return (_excel_column(index // 26 - 1) if index >= 26 else "") + chr(65 + index % 26)


# One row per well


def _long_header(sheet: Sheet) -> int | None:
    """The first row that names a well column and at least one more known column."""
    for index, row in enumerate(sheet.rows[:30]):
        names = {_column_name(cell) for cell in row if text_of(cell)}
        if "well" in names and len(names) > 1:
            return index
    return None


def _long(sheet: Sheet, header: int, name: str) -> tuple[pd.DataFrame, Problems]:
    problems = Problems()
    names = [_column_name(cell) for cell in sheet.rows[header]]
    for item in sorted({item for item in names if item and names.count(item) > 1}):
        problems.say(
            name, sheet.place(header), f"column '{item}' stands there more than once", "Keep one."
        )
    records, lines = [], []
    for index, row in enumerate(sheet.rows[header + 1 :], start=header + 1):
        record = {
            column: row[position]
            for position, column in enumerate(names)
            if column and position < len(row)
        }
        if any(text_of(cell) for cell in record.values()):
            records.append({**record, "_place": sheet.place(index)})
            lines.append(index)
    named = [position for position, item in enumerate(names) if item]
    faults = table_faults(sheet, header, lines) + _merged(
        sheet, header, max(lines, default=header), named[0], named[-1]
    )
    for fault in faults:
        problems.say(name, *fault)
    return (
        pd.DataFrame(records, columns=[*dict.fromkeys(item for item in names if item), "_place"]),
        problems,
    )


# A grid per attribute


def _table(grids: list[tuple[Sheet, Grid]], name: str) -> tuple[pd.DataFrame, Problems]:
    """Grids as one row per well."""
    problems = Problems()
    found: dict[str, dict[tuple[int, int], Any]] = {}
    for sheet, grid in grids:
        if grid.attribute in found:
            what = f"a second grid for '{grid.attribute or 'no attribute'}'"
            problems.say(
                name,
                sheet.name,
                what,
                "Give each grid its attribute's name in the corner cell or above it.",
            )
        found.setdefault(grid.attribute, grid.cells)
        for fault in grid.faults:
            problems.say(name, *fault)
    if "" in found:
        problems.say(
            name,
            "",
            "a grid does not say which attribute it holds",
            f"Write one of {', '.join(COLUMNS[1:])} in its corner cell.",
        )
    wells = sorted({position for cells in found.values() for position in cells})
    records = [
        {
            "well": well_name(*position),
            **{attribute: cells.get(position) for attribute, cells in found.items()},
            "_place": "",
        }
        for position in wells
    ]
    return pd.DataFrame(records, columns=["well", *found, "_place"]), problems


def _grids_of(sheet: Sheet) -> list[Grid]:
    grids, index = [], 0
    while index < len(sheet.rows):
        corner = _grid_corner(sheet.rows, index)
        if corner is None:
            index += 1
            continue
        grid, index = _grid(sheet, index, *corner)
        grids.append(grid)
    if not grids and sheet.rows and _is_bare_template(sheet):
        grids.append(_bare(sheet))
    return grids


def _is_bare_template(sheet: Sheet) -> bool:
    """A grid with an empty header row and column, as some screening templates are."""
    return bool(sheet.name) and sheet.left > 0 and sheet.numbers[0] > 1


def _bare(sheet: Sheet) -> Grid:
    """The grid of a sheet whose first row and column are empty: sheet cell D4 is well C3."""
    grid = Grid(
        _column_name(sheet.name),
        {},
        _merged(sheet, 0, len(sheet.rows), 0, max(map(len, sheet.rows))),
    )
    for number, row in zip(sheet.numbers, sheet.rows):
        for column, cell in enumerate(row, start=sheet.left):
            if text_of(cell) and (number - 1 > MAX_ROWS or column > MAX_COLUMNS):
                place = f"sheet '{sheet.name}', {_excel_column(column)}{number}"
                grid.faults.append(
                    (
                        place,
                        f"'{text_of(cell)}' stands outside every plate",
                        "Keep notes on another sheet.",
                    )
                )
            elif text_of(cell):
                grid.cells[number - 1, column] = cell
    return grid


def _grid_corner(rows: Sequence[Sequence[Any]], index: int) -> tuple[int, list[int]] | None:
    """(column of the row labels, plate columns) where row `index` is a header 1, 2, 3 ... above a
    row labelled by a letter.
    """
    row = rows[index]
    for position in range(len(row) - 1):
        numbers: list[int] = []
        for cell in row[position + 1 :]:
            text = text_of(cell)
            if not re.fullmatch(r"\d{1,2}", text) or (numbers and int(text) != numbers[-1] + 1):
                break
            numbers.append(int(text))
        below = rows[index + 1] if index + 1 < len(rows) else []
        if len(numbers) >= 2 and _label(below, position):
            return position, numbers
    return None


def _label(row: Sequence[Any], column: int) -> str:
    """The row letters at the head of a grid's line, "" when there are none."""
    text = text_of(row[column]) if column < len(row) else ""
    return text if re.fullmatch(r"[A-Za-z]{1,2}", text) else ""


def _grid(sheet: Sheet, header: int, column: int, numbers: list[int]) -> tuple[Grid, int]:
    """The grid under a header line, and the line behind it."""
    lines = _lines(sheet, header, column)
    end = lines[-1] + 1
    grid = Grid(
        _attribute(sheet, header, column),
        {},
        _merged(sheet, header, end - 1, column, column + len(numbers)),
    )
    plate_columns = _plate_columns(sheet, header, column, numbers, grid.faults)
    last = 0
    for r in lines:
        label = _label(sheet.rows[r], column)
        row = row_number(label)
        if row <= last:
            what = (
                f"'{label}' names no row of a plate"
                if not row
                else f"row {label.upper()} stands behind row {row_letters(last)}"
            )
            grid.faults.append(
                (sheet.place(r), what, "Write the row letters A, B, C and so on, each once.")
            )
            continue
        last = row
        for offset, number in enumerate(plate_columns, start=column + 1):
            cell = sheet.rows[r][offset] if offset < len(sheet.rows[r]) else ""
            grid.cells[row, number] = cell if text_of(cell) else None
    grid.faults += _uneven(sheet, header, lines, column, column + len(numbers))
    return grid, end


def _lines(sheet: Sheet, header: int, column: int) -> list[int]:
    """The lines of a grid; a single empty line between two of its rows does not end it."""
    lines, index = [header + 1], header + 2
    while index < len(sheet.rows):
        row = sheet.rows[index]
        if _label(row, column):
            lines.append(index)
        elif any(text_of(cell) for cell in row) or not _goes_on(
            sheet, index + 1, column, lines[-1]
        ):
            break
        index += 1
    return lines


def _goes_on(sheet: Sheet, index: int, column: int, before: int) -> bool:
    """Whether line `index` is the next row of the grid whose last line is `before`."""
    here = row_number(_label(sheet.rows[index], column)) if index < len(sheet.rows) else 0
    return here > row_number(_label(sheet.rows[before], column)) > 0


def _plate_columns(
    sheet: Sheet, header: int, column: int, numbers: list[int], faults: list[Fault]
) -> list[int]:
    """The plate's columns under a header: counted from 0 where that is a whole plate; none where
    they cannot be told.
    """
    place = sheet.place(header)
    further = [
        text
        for cell in sheet.rows[header][column + len(numbers) + 1 :]
        if re.fullmatch(r"\d{1,2}", text := text_of(cell))
    ]
    if further:
        faults.append(
            (
                place,
                f"column {further[0]} does not follow column {numbers[-1]}",
                "Number the columns without a gap, one grid below the other.",
            )
        )
    if numbers[0] == 0 and len(numbers) in COUNTED_FROM_0 and not further:
        return [number + 1 for number in numbers]
    if numbers[0] == 0 or numbers[-1] > MAX_COLUMNS:
        what = f"the columns are numbered from {numbers[0]} to {numbers[-1]}, which no plate has"
        faults.append((place, what, "Number the columns as on the plate, from 1."))
        return []
    return numbers


def _uneven(sheet: Sheet, header: int, lines: list[int], first: int, last: int) -> list[Fault]:
    """Lines with cells beyond the last column, and lines of text that lost a cell while most have
    one for every column.
    """
    head = sheet.rows[header]
    faults = [] if len(head) > last + 1 and text_of(head[last + 1]) else beyond(sheet, last, lines)
    short = [r for r in lines if first < len(sheet.rows[r]) <= last]
    torn = bool(short) and sheet.cut and short[-1] == len(sheet.rows) - 1
    full = sum(len(sheet.rows[r]) > last for r in lines)
    if sheet.delimiter and (torn or 0 < len(short) <= full):
        for r in short:
            what = (
                f"row {_label(sheet.rows[r], first)} has {len(sheet.rows[r]) - first - 1} cells for"
                f" {last - first} columns"
            )
            faults.append((sheet.place(r), what, "Write a cell for every well, empty if need be."))
    return faults


def _attribute(sheet: Sheet, header: int, column: int) -> str:
    """What a grid is about: its corner cell, the text above it, or the sheet's name."""
    corner = _column_name(sheet.rows[header][column])
    if corner and corner != "<>":
        return corner
    for above in range(header - 1, max(header - 3, -1), -1):
        texts = [text_of(cell) for cell in sheet.rows[above] if text_of(cell)]
        if len(texts) == 1:
            return _column_name(texts[0].rstrip(":"))
        if texts:
            break
    return _column_name(sheet.name)
