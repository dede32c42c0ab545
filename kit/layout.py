"""Plate maps: wellmap TOML, one row per well, or plate-shaped grids, all read to one row per well."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from kit.errors import InputError, Problem, Problems, did_you_mean
from kit.readers.geometry import parse_well, well_name
from kit.readers.sheets import Sheet, open_source, text_sheets

ROLES = ("sample", "blank", "kill", "empty")
COLUMNS = ("well", "cell_line", "medium", "role", "agent", "concentration", "concentration_unit")
WELLMAP_TABLES = ("meta", "plate", "expt", "block", "row", "irow", "col", "icol", "well")
_TEXT = ("cell_line", "medium", "role", "agent", "concentration_unit")
_OTHER_NAMES = {"wells": "well", "well id": "well", "well name": "well", "cell line": "cell_line", "line": "cell_line", "cells": "cell_line",
                "media": "medium", "treatment": "medium", "type": "role", "drug": "agent", "compound": "agent", "conc": "concentration",
                "unit": "concentration_unit"}  # fmt: skip


def read_layout(path: Path, name: str) -> pd.DataFrame:
    """The plate map at `path` as a frame with `COLUMNS` first (`well` as A01, plus `row`, `column` 1-based), further columns after.

    Missing text is "", a missing concentration NaN. Raises InputError (file shown as `name`) with every problem found.
    """
    if path.suffix.lower() == ".toml":
        table, problems = _read_wellmap(path, name)
    else:
        table, problems = _read_sheets(path, name)
    problems.raise_if_any()
    return _tidy(table, name)


def _read_wellmap(path: Path, name: str) -> tuple[pd.DataFrame, Problems]:
    problems = Problems()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Problem(name, "", f"not valid TOML: {error}", "wellmap layouts are described in the README.")) from None
    for table in raw:
        if table not in WELLMAP_TABLES:
            problems.say(name, f"[{table}]", f"'{table}' is not a table of a wellmap layout and would be ignored", did_you_mean(table, WELLMAP_TABLES))
    _check_wellmap_paths(raw, path, name, problems)
    problems.raise_if_any()
    import wellmap  # 1.4 s: it imports pyplot

    try:
        return wellmap.load(path, on_alert=lambda *_: None).drop(columns=["well0", "row_i", "col_j", "row", "col", "path"], errors="ignore"), problems
    except (wellmap.LayoutError, ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        raise InputError(Problem(name, "", f"wellmap cannot read it: {_reason(error, path)}", "See the wellmap file format.")) from None


def _reason(error: Exception, path: Path) -> str:
    """wellmap's words without the absolute path it puts in front."""
    return " ".join(str(error).replace(str(path.resolve()), "").split()).lstrip(": ")


def _check_wellmap_paths(raw: dict[str, Any], path: Path, name: str, problems: Problems) -> None:
    """Included layouts stay beside the layout: nothing outside the experiment is read."""
    for value in _wellmap_paths(raw):
        if not (path.parent / value).resolve().is_relative_to(path.parent.resolve()):
            problems.say(name, "[meta]", f"'{value}' is outside the layout's folder", "Include only layouts beside this one.")


def _wellmap_paths(raw: dict[str, Any]) -> Iterator[str]:
    """The files that a wellmap layout names itself, as they stand there."""
    meta = raw.get("meta", {}) if isinstance(raw.get("meta"), dict) else {}
    values = [meta.get("include", []), meta.get("concat", [])]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += [item for key, item in value.items() if key != "shift"]
        elif isinstance(value, list):
            values += value
        elif isinstance(value, str):
            yield value


def included(path: Path) -> list[str]:
    """Further layouts that a readable layout takes in, and those take in, relative to its folder; sorted."""
    found: set[str] = set()
    waiting = [path] if path.suffix.lower() == ".toml" else []
    while waiting:
        here = waiting.pop()
        for value in _wellmap_paths(tomllib.loads(here.read_text(encoding="utf-8-sig"))):
            name = os.path.relpath(here.parent / value, path.parent).replace(os.sep, "/")
            if name not in found and (path.parent / name).is_file():
                found.add(name)
                waiting.append(path.parent / name)
    return sorted(found)


def _read_sheets(path: Path, name: str) -> tuple[pd.DataFrame, Problems]:
    source = open_source(path, name, None)
    readings = [list(source.sheets)] if source.sheets else [[sheet] for sheet in text_sheets(source.text)]
    for sheets in readings:
        for sheet in sheets:
            header = _long_header(sheet)
            if header is not None:
                return _long(sheet, header, name)
    for sheets in readings:
        if any(_grids_of(sheet) for sheet in sheets):
            return _grids(sheets, name)
    remedy = "See 'layouts' in the README; `kit new` writes an example."
    raise InputError(Problem(name, "", "holds neither a table with a 'well' column nor a plate-shaped grid", remedy))


def _long_header(sheet: Sheet) -> int | None:
    """The first row that names a well column and at least one more known column."""
    for index, row in enumerate(sheet.rows[:30]):
        names = {_column_name(cell) for cell in row if _text(cell)}
        if "well" in names and len(names) > 1:
            return index
    return None


def _long(sheet: Sheet, header: int, name: str) -> tuple[pd.DataFrame, Problems]:
    problems = Problems()
    names = [_column_name(cell) for cell in sheet.rows[header]]
    doubled = sorted({item for item in names if item and names.count(item) > 1})
    for item in doubled:
        problems.say(name, f"line {header + 1}", f"column '{item}' stands there more than once", "Keep one.")
    records = []
    for index, row in enumerate(sheet.rows[header + 1 :], start=header + 2):
        record = {column: row[position] for position, column in enumerate(names) if column and position < len(row)}
        if any(_text(cell) for cell in record.values()):
            records.append({**record, "_place": f"line {index}"})
    return pd.DataFrame(records, columns=[*dict.fromkeys(item for item in names if item), "_place"]), problems


def _column_name(cell: Any) -> str:
    """A header as the kit's column name: `Cell line` and `cell-line` are `cell_line`."""
    text = re.sub(r"[\s\-]+", " ", _text(cell).casefold().replace("_", " ")).strip()
    return _OTHER_NAMES.get(text, text.replace(" ", "_")) if text.replace(" ", "_") not in COLUMNS else text.replace(" ", "_")


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _grids(sheets: list[Sheet], name: str) -> tuple[pd.DataFrame, Problems]:
    """Plate-shaped grids: the attribute is the grid's corner cell, the text above it, or the sheet's name."""
    problems = Problems()
    found: dict[str, dict[tuple[int, int], Any]] = {}
    for sheet in sheets:
        for attribute, cells in _grids_of(sheet):
            if attribute in found:
                problems.say(name, sheet.name, f"a second grid for '{attribute or 'no attribute'}'", "Give each grid its attribute's name in the corner cell or above it.")
            found.setdefault(attribute, cells)
    if "" in found:
        problems.say(name, "", "a grid does not say which attribute it holds", f"Write one of {', '.join(COLUMNS[1:])} in its corner cell.")
    wells = sorted({position for cells in found.values() for position in cells})
    records = [
        {"well": well_name(*position), **{attribute: cells.get(position) for attribute, cells in found.items()}, "_place": f"well {well_name(*position)}"}
        for position in wells
    ]
    return pd.DataFrame(records), problems


def _grids_of(sheet: Sheet) -> list[tuple[str, dict[tuple[int, int], Any]]]:
    grids, index = [], 0
    while index < len(sheet.rows):
        corner = _grid_corner(sheet.rows, index)
        if corner is None:
            index += 1
            continue
        column, numbers = corner
        cells, end = _grid_cells(sheet.rows, index, column, numbers)
        grids.append((_attribute(sheet, index, column), cells))
        index = end
    if not grids and sheet.rows and _is_bare_template(sheet):
        cells = {(number - 1, sheet.left + c): cell for number, row in zip(sheet.numbers, sheet.rows) for c, cell in enumerate(row) if _text(cell)}
        grids.append((_column_name(sheet.name), cells))
    return grids


def _grid_corner(rows: list[list[Any]], index: int) -> tuple[int, list[int]] | None:
    """(column of the row labels, plate columns) where row `index` is a header 1, 2, 3 ... above a row labelled by a letter."""
    row = rows[index]
    for position in range(len(row) - 1):
        numbers: list[int] = []
        for cell in row[position + 1 :]:
            text = _text(cell)
            if not re.fullmatch(r"\d{1,2}", text) or (numbers and int(text) != numbers[-1] + 1):
                break
            numbers.append(int(text))
        below = rows[index + 1] if index + 1 < len(rows) else []
        if len(numbers) >= 2 and position < len(below) and re.fullmatch(r"[A-Za-z]{1,2}", _text(below[position])):
            return position, numbers
    return None


def _grid_cells(rows: list[list[Any]], header: int, column: int, numbers: list[int]) -> tuple[dict[tuple[int, int], Any], int]:
    cells: dict[tuple[int, int], Any] = {}
    index = header + 1
    while index < len(rows) and column < len(rows[index]) and re.fullmatch(r"[A-Za-z]{1,2}", _text(rows[index][column])):
        plate_row, _ = parse_well(f"{_text(rows[index][column])}1")
        for offset, number in enumerate(numbers, start=column + 1):
            if offset < len(rows[index]) and _text(rows[index][offset]):
                cells[plate_row, number] = rows[index][offset]
        index += 1
    return cells, index


def _attribute(sheet: Sheet, header: int, column: int) -> str:
    corner = _column_name(sheet.rows[header][column])
    if corner and corner != "<>":
        return corner
    for above in range(header - 1, max(header - 3, -1), -1):
        texts = [_text(cell) for cell in sheet.rows[above] if _text(cell)]
        if len(texts) == 1:
            return _column_name(texts[0].rstrip(":"))
        if texts:
            break
    return _column_name(sheet.name)


def _is_bare_template(sheet: Sheet) -> bool:
    """A grid with an empty header row and column (as some screening templates are): sheet cell D4 is well C3."""
    return bool(sheet.name) and sheet.left > 0 and sheet.numbers[0] > 1


def _tidy(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Wells named A01, text stripped, roles filled in, numbers as numbers; every problem of the whole map at once."""
    problems = Problems()
    places = table.pop("_place") if "_place" in table else pd.Series("", index=table.index)
    if "well" not in table or not {"cell_line", "medium", "role"} & set(table):
        hints = [f"'{column}': {hint}" for column in table if (hint := did_you_mean(column, COLUMNS, listing=False))]
        raise InputError(Problem(name, "", f"has the columns {', '.join(map(str, table.columns))}; needs well, cell_line, medium", " ".join(hints)))
    for column in COLUMNS[1:]:
        if column not in table:
            near = did_you_mean(column, [item for item in table.columns if item not in COLUMNS], listing=False)
            if near and column in ("cell_line", "medium", "role"):
                problems.say(name, "", f"no column '{column}'", near.replace("Did you mean", "Is it").replace("?", "? Rename that column."))
            table[column] = None
    for column in _TEXT:
        table[column] = [_text(cell) if not _missing(cell) else "" for cell in table[column]]
    positions = [_position(cell, place, name, problems) for cell, place in zip(table["well"], places, strict=True)]
    places = pd.Series([f"{place}: " if place.startswith("line") else "" for place in places]) + [f"well {well_name(*p)}" for p in positions]
    table["well"] = [well_name(*position) for position in positions]
    table["row"], table["column"] = [p[0] for p in positions], [p[1] for p in positions]
    table["concentration"] = [_number(cell, place, name, problems) for cell, place in zip(table["concentration"], places, strict=True)]
    _fill_roles(table, places, name, problems)
    _check_doubles(table, name, problems)
    problems.raise_if_any()
    extra = [column for column in table if column not in (*COLUMNS, "row", "column")]
    return table[[*COLUMNS, "row", "column", *extra]].sort_values(["row", "column"], kind="stable").reset_index(drop=True)


def _missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)


def _position(cell: Any, place: str, name: str, problems: Problems) -> tuple[int, int]:
    try:
        return parse_well(_text(cell))
    except ValueError:
        problems.say(name, place, f"'{_text(cell)}' is not a well", "Write a letter and a number, such as A1 or B07.")
        return (1, 1)


def _number(cell: Any, place: str, name: str, problems: Problems) -> float:
    if _missing(cell) or not _text(cell):
        return float("nan")
    try:
        value = float(_text(cell))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        problems.say(name, place, f"concentration '{_text(cell)}' is not a number of 0 or more", "Write a plain number; the unit goes into concentration_unit.")
    return value


def _fill_roles(table: pd.DataFrame, places: pd.Series, name: str, problems: Problems) -> None:
    filled = []
    for role, line, medium, place in zip(table["role"], table["cell_line"], table["medium"], places, strict=True):
        role = role.casefold() or ("sample" if line or medium else "empty")
        if role not in ROLES:
            problems.say(name, place, f"role '{role}' is not known", did_you_mean(role, ROLES))
        elif role == "sample" and not medium:
            problems.say(name, place, "a sample well without a medium", "Fill in the medium, or give it role 'empty'.")
        filled.append(role)
    table["role"] = filled


def _check_doubles(table: pd.DataFrame, name: str, problems: Problems) -> None:
    keys = ["plate", "well"] if "plate" in table else ["well"]
    for well in table.loc[table.duplicated(keys), "well"].unique():
        problems.say(name, f"well {well}", "stands there more than once", "Keep one row per well.")
