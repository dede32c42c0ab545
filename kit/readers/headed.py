"""Tables with one row of headings somewhere below the top: found by the headings, read as one
record per row, each with its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kit.core.errors import InputError, Problem, Problems
from kit.readers.ragged import last_filled, table_faults
from kit.readers.sheets import Sheet, open_source, text_sheets
from kit.readers.tokens import Cell, token_flag

_ABSENT = frozenset({"", "-", "--", "na", "n/a", "nan", "null", "none", "#n/a"})


@dataclass(frozen=True)
class Headed:
    """A sheet from its row of headings on: `headings` folded (see `fold`), `rows` below it with
    their places.
    """

    headings: list[str]
    rows: list[tuple[str, list[Cell]]]

    def records(self, columns: Sequence[int] | None = None) -> Iterator[dict[str, Any]]:
        """One dict per row that holds anything: folded heading -> cell, and `_place`; of some
        columns or of all.
        """
        wanted = range(len(self.headings)) if columns is None else columns
        for place, row in self.rows:
            cells = {
                self.headings[i]: row[i]
                for i in wanted
                if i < len(row) and self.headings[i] and not absent(row[i])
            }
            if cells:
                yield {**cells, "_place": place}


@lru_cache(maxsize=50_000)
def fold(heading: object) -> str:
    """A heading for comparison: lower case, one space between words, no dots, no unit in
    brackets.
    """
    text = re.sub(r"\((int|kda|intensity|%)\)", " ", str(heading).casefold())
    return " ".join(re.sub(r"[._]+", " ", text).split())


def absent(cell: object) -> bool:
    """Whether a cell says nothing."""
    return str(cell).strip().casefold() in _ABSENT


def find(path: Path, name: str, is_header: Callable[[list[str]], bool]) -> Headed | None:
    """The first table of the file whose folded headings satisfy `is_header`; None when there is
    none. Raises InputError for lines whose cells stand under other headings.
    """
    source = open_source(path, name, None)
    for sheet in source.sheets or text_sheets(source.text):
        for index, row in enumerate(sheet.rows):
            headings = [fold(cell) for cell in row]
            if is_header(headings):
                lines = _below(sheet, index)
                filled = [r for r in lines if last_filled(sheet.rows[r]) >= 0]
                faults = table_faults(sheet, index, filled)
                if faults:
                    raise InputError(Problem(name, *fault) for fault in faults)
                return Headed(headings, [(sheet.place(r), sheet.rows[r]) for r in lines])
    return None


def _below(sheet: Sheet, header: int) -> list[int]:
    """Lines under the header up to the next section, which starts with a word in square brackets."""
    lines = range(header + 1, len(sheet.rows))
    ends = (r for r in lines if re.fullmatch(r"\[.+\]", str(next(iter(sheet.rows[r]), ""))))
    return list(range(header + 1, next(ends, len(sheet.rows))))


def number(cell: object) -> float:
    """A cell as a number, NaN where it is none: decimal comma and grouped thousands are understood
    where only one reading is possible.
    """
    if isinstance(cell, bool):
        return math.nan
    if isinstance(cell, (int, float)):
        return float(cell)
    text = re.sub(r"[\s\u00a0\u202f'’]", "", str(cell)).replace("\u2212", "-")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3}){2,}|[+-]?\d{1,3}(,\d{3})+\.\d*", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3}){2,}|[+-]?\d{1,3}(\.\d{3})+,\d*", text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d*,\d+", text) and not re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        text = text.replace(",", ".")
    return (
        float(text)
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, flags=re.IGNORECASE)
        else math.nan
    )


def numbers(
    cells: Sequence[object], heading: str, places: Sequence[str], name: str, problems: Problems
) -> list[float]:
    """`number` of each cell, with a problem for each that is neither a number nor empty.

    "1,234" alone may mean two things: the other cells of the column decide, and where none does it
    is refused.
    """
    texts = [str(cell).strip() for cell in cells if isinstance(cell, str)]
    grouped = any(re.search(r"\d,\d{3}(,\d{3})+$|\d,\d{3}\.\d", text) for text in texts)
    commas = any(
        re.fullmatch(r"[+-]?\d*,\d+", text) and math.isfinite(number(text)) for text in texts
    )
    values = []
    for cell, place in zip(cells, places):
        value = number(cell)
        text = str(cell).strip()
        if (
            math.isnan(value)
            and re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text)
            and grouped != commas
        ):
            value = float(text.replace(",", "" if grouped else "."))
        elif math.isnan(value) and not absent(cell) and not token_flag(text):
            twice = (
                f" (may be {text.replace(',', '.')} or {text.replace(',', '')})"
                if "," in text
                else ""
            )
            problems.say(name, place, f"{heading} '{text}' is not a number{twice}")
        elif math.isinf(value):
            problems.say(name, place, f"{heading} '{text}' is not a finite number")
            value = math.nan
        values.append(value)
    return values


def flag(cell: object) -> bool | None:
    """true/false, yes/no, a count of pixels; None when the cell says none of it."""
    text = str(cell).strip().casefold()
    if text in ("true", "yes", "y", "1", "x", "saturated"):
        return True
    if text in ("false", "no", "n", "0", "", "nan", "none", "n/a", "na", "?", "ok"):
        return False
    value = number(cell)
    return None if math.isnan(value) else value > 0
