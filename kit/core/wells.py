"""Wells and plate formats: names, numbers, and which plate a set of wells belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable

PLATES = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""(rows, columns) of the plates of 6, 12, 24, 48, 96, 384 and 1536 wells (ANSI/SLAS 4-2004 for the
last three).
"""

MAX_ROWS, MAX_COLUMNS = PLATES[-1]
COUNTED_FROM_0 = tuple(columns for _, columns in PLATES[-3:])
"""Widths of a header 0, 1, 2 ... that must be a whole plate's, as data frames are written: 0 is
column 1 there.
"""
_WELL = re.compile(r"([A-Za-z]{1,2})[ :]?0*([1-9][0-9]?)")


def row_letters(row: int) -> str:
    """The letters of a 1-based row: 1 -> A, 26 -> Z, 27 -> AA."""
    return chr(64 + row) if row <= 26 else "A" + chr(64 + row - 26)


def row_number(letters: str) -> int:
    """The 1-based row of its letters, 0 when they name no row of a plate."""
    text = letters.upper()
    if len(text) == 1 and "A" <= text <= "Z":
        return ord(text) - 64
    if len(text) == 2 and text[0] == "A" and "A" <= text[1] <= "F":
        return ord(text[1]) - 64 + 26
    return 0


def well_name(row: int, column: int) -> str:
    """The name of a well from its 1-based row and column: (1, 1) -> A01, (32, 48) -> AF48."""
    if not (1 <= row <= MAX_ROWS and 1 <= column <= MAX_COLUMNS):
        raise ValueError(
            f"row {row}, column {column} is on no plate (at most {MAX_ROWS} x {MAX_COLUMNS})"
        )
    return f"{row_letters(row)}{column:02d}"


def find_well(text: object) -> tuple[int, int] | None:
    """(row, column) when `text` names a well in any of the usual ways (a1, A01, AF48), else
    None.
    """
    match = _WELL.fullmatch(text.strip()) if isinstance(text, str) and len(text) < 12 else None
    if match is None:
        return None
    row, column = row_number(match[1]), int(match[2])
    return (row, column) if row and column <= MAX_COLUMNS else None


def parse_well(text: str) -> tuple[int, int]:
    """(row, column), 1-based, of a well name; ValueError when it is none."""
    found = find_well(text)
    if found is None:
        raise ValueError(
            f"{text!r} is not a well (expected a letter and a number such as A1 or A01)"
        )
    return found


def plate_shape(wells: Iterable[tuple[int, int]], stated: int = 0) -> tuple[int, int] | None:
    """(rows, columns) of the plate that holds `wells`; None when none does.

    `stated` is the number of wells the file itself gives, 0 if it gives none. Without it a plate
    below 96 wells is
    taken only when every one of its wells is there: A1 to B3 alone may as well be a corner of a
    larger plate.
    """
    here = set(wells)
    if not here:
        return None
    rows, columns = max(row for row, _ in here), max(column for _, column in here)
    fitting = {r * c: (r, c) for r, c in PLATES if rows <= r and columns <= c}
    if stated in fitting:
        return fitting[stated]
    return next(
        (shape for count, shape in fitting.items() if count >= 96 or len(here) == count), None
    )
