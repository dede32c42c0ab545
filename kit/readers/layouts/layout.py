"""Plate maps: wellmap TOML, one row per well, or plate-shaped grids, all read to one row per
well.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import Problems, did_you_mean, refused
from kit.core.text import plain_name
from kit.core.wells import parse_well, well_name
from kit.readers.layouts.sheets import COLUMNS, read_sheets, text_of
from kit.readers.layouts.wellmap import included, read_wellmap

__all__ = ["COLUMNS", "ROLES", "included", "read_layout"]

ROLES = ("sample", "blank", "kill", "empty")
_TEXT = ("cell_line", "medium", "role", "agent", "concentration_unit")
_FURTHER = ("plate", "cells_per_well")
"""Columns beyond `COLUMNS` that the kit itself knows."""
_NEAR = {"cell_line": 0.6, "medium": 0.6, "role": 0.6}
"""How alike a heading must be to count as misspelt; 0.75 for the rest, as `reagent` is near
`agent`.
"""


def read_layout(path: Path, name: str) -> pd.DataFrame:
    """The plate map at `path` as a frame with `COLUMNS` first (`well` as A01, plus `row`, `column`
    1-based), further columns after.

    Missing text is "", a missing concentration NaN. Raises InputError (file shown as `name`) with
    every problem found.
    """
    table, problems = (
        read_wellmap(path, name) if path.suffix.lower() == ".toml" else read_sheets(path, name)
    )
    problems.raise_if_any()
    return _tidy(table, name)


def _tidy(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Wells named A01, text stripped, roles filled in, numbers as numbers; every problem of the
    whole map at once.
    """
    problems = Problems()
    places = table.pop("_place") if "_place" in table else pd.Series("", index=table.index)
    if "well" not in table or not {"cell_line", "medium", "role"} & set(table):
        hints = [
            f"'{column}': {hint}"
            for column in table
            if column not in COLUMNS and (hint := did_you_mean(column, COLUMNS, listing=False))
        ]
        raise refused(
            name,
            (
                f"has the columns {', '.join(map(str, table.columns))}; needs well, cell_line,"
                " medium"
            ),
            " ".join(hints),
        )
    misspelt = _misspelt(table)
    for known, column in misspelt.items():
        problems.say(name, "", f"no column '{known}'", f"Is it '{column}'? Rename that column.")
    for column in COLUMNS[1:]:
        if column not in table:
            table[column] = None
    for column in _TEXT:
        table[column] = [
            plain_name(text_of(cell)) if not _missing(cell) else "" for cell in table[column]
        ]
    positions = [
        _position(cell, place, name, problems)
        for cell, place in zip(table["well"], places, strict=True)
    ]
    named = [position is not None for position in positions]
    table, read_at = (
        table[named].copy(),
        [place for place, good in zip(places, named, strict=True) if good],
    )
    wells = [position for position in positions if position is not None]
    table["well"] = [well_name(*position) for position in wells]
    table["row"], table["column"] = [p[0] for p in wells], [p[1] for p in wells]
    at = [
        f"{place}: well {well}" if place else f"well {well}"
        for place, well in zip(read_at, table["well"], strict=True)
    ]
    table["concentration"] = [
        _number(cell, place, name, problems)
        for cell, place in zip(table["concentration"], at, strict=True)
    ]
    _fill_roles(table, at, name, problems, no_medium="medium" in misspelt or "role" in misspelt)
    _check_doubles(table, name, problems)
    problems.raise_if_any()
    extra = [column for column in table if column not in (*COLUMNS, "row", "column")]
    return (
        table[[*COLUMNS, "row", "column", *extra]]
        .sort_values(["row", "column"], kind="stable")
        .reset_index(drop=True)
    )


def _misspelt(table: pd.DataFrame) -> dict[str, str]:
    """Known column that is not there -> the further column that most likely is meant, without which
    its wells would pass for others.
    """
    absent = [column for column in COLUMNS[1:] if column not in table]
    found: dict[str, str] = {}
    for column in (str(item) for item in table.columns if item not in (*COLUMNS, *_FURTHER)):
        likeness = {
            known: difflib.SequenceMatcher(None, column.casefold(), known).ratio()
            for known in absent
        }
        nearest = max(absent, key=lambda known: likeness[known], default="")
        if nearest and likeness[nearest] >= _NEAR.get(nearest, 0.75):
            found.setdefault(nearest, column)
    return found


def _missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)


def _position(cell: Any, place: str, name: str, problems: Problems) -> tuple[int, int] | None:
    try:
        return parse_well(text_of(cell))
    except ValueError:
        problems.say(
            name,
            place,
            f"'{text_of(cell)}' is not a well",
            "Write a letter and a number, such as A1 or B07.",
        )
        return None


def _number(cell: Any, place: str, name: str, problems: Problems) -> float:
    if _missing(cell) or not text_of(cell):
        return float("nan")
    try:
        value = float(text_of(cell))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        problems.say(
            name,
            place,
            f"concentration '{text_of(cell)}' is not a number of 0 or more",
            "Write a plain number; the unit goes into concentration_unit.",
        )
    return value


def _fill_roles(
    table: pd.DataFrame, places: list[str], name: str, problems: Problems, no_medium: bool
) -> None:
    """Roles in lower case, `sample` where a line or medium stands; `no_medium`: their column is
    misspelt, which was said.
    """
    filled = []
    for role, line, medium, place in zip(
        table["role"], table["cell_line"], table["medium"], places, strict=True
    ):
        role = role.casefold() or ("sample" if line or medium else "empty")
        if role not in ROLES:
            problems.say(name, place, f"role '{role}' is not known", did_you_mean(role, ROLES))
        elif role == "sample" and not medium and not no_medium:
            problems.say(
                name,
                place,
                "a sample well without a medium",
                "Fill in the medium, or give it role 'empty'.",
            )
        filled.append(role)
    table["role"] = filled


def _check_doubles(table: pd.DataFrame, name: str, problems: Problems) -> None:
    keys = ["plate", "well"] if "plate" in table else ["well"]
    for well in table.loc[table.duplicated(keys), "well"].unique():
        problems.say(name, f"well {well}", "stands there more than once", "Keep one row per well.")
