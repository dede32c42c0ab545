"""What stands in a well: a number, a word for "no number", or something nobody knows.

A reader writes OVRFLW, #SAT, MISSED and the like where it has no value. Such a well is missing with
a flag, never zero.
Numbers may use a decimal point or a decimal comma; which of the two is decided over all cells of
one read, and when
both readings are possible ("1,234") the file is refused rather than guessed at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Cell = str | float

MISSING, SATURATED, BELOW, MASKED = "missing", "saturated", "below_range", "masked"

_WORDS = {
    MISSING: (
        "nan|na|n/a|#n/a|#na|n.a.|n.d.|nd|null|none|missed|missing|#missing|path?|range?|error?|nocalc|#nocalc|nofit|no"
        " data|invalid|masked|skipped|unread|not read|not measured|undefined|.|…"
    ),
    SATURATED: (
        "ovrflw|ovrflow|over|overflow|#overflow|ovflw|ovfl|ovf|ovr|ofl|#sat|sat|sat.|*sat|saturated|#saturated|#over|#ovr|oor|#high|>max|>"
        " max|overload|over range|overrange|overscale|>range"
    ),
    BELOW: (
        "#low|under|#under|underflow|#underflow|undrflw|undflw|udf|<min|< min|under"
        " range|underrange|below range|<range"
    ),
}
TOKENS = {word: flag for flag, words in _WORDS.items() for word in words.split("|")}
_FILL = re.compile(r"\*+|#+|\?+|-+|–+|—+|_+")
_CROSSED_OUT = re.compile(r"\*\s*[+-]?[0-9.,]+\s*\*")
"""A value that its user masked in Gen5: *2087*."""
_BEYOND = re.compile(r"([<>])=?\s*[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?")
_POINT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?(?:[0-9]+(?:,[0-9]*)?|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
_GROUPED_COMMA = re.compile(r"[+-]?(?:[1-9][0-9]{0,2}(?:,[0-9]{3})*|0)(?:\.[0-9]+)?")
_GROUPED_POINT = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_GROUPED_OTHER = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:(?:[.][0-9]{3})+|(?:['’ ][0-9]{3})+)(?:[.,][0-9]+)?"
)
_NUMBERISH = re.compile(r"[+-]?[0-9.,][0-9.,'’ ]*(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?(?:inf(?:inity)?|∞|1\.#inf)", re.IGNORECASE)
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})


def token_flag(text: str) -> str:
    """The flag of a word that stands for "no number", "" when `text` is no such word."""
    if text == "":
        return MISSING
    known = TOKENS.get(text.lower())
    if known:
        return known
    if _FILL.fullmatch(text):
        return MISSING
    if _CROSSED_OUT.fullmatch(text):
        return MASKED
    if re.fullmatch(r">+|\++", text):
        return SATURATED
    if re.fullmatch(r"<+", text):
        return BELOW
    beyond = _BEYOND.fullmatch(text)
    return "" if beyond is None else SATURATED if beyond[1] == ">" else BELOW


def kind(cell: Cell) -> str:
    """`number`, `blank` (empty or a dash), `token` (a word for no number) or `text` (anything
    else).
    """
    if not isinstance(cell, str):
        return "number"
    if cell == "" or cell in ("-", "--", "---"):
        return "blank"
    text = cell.translate(_SPACES)
    if _NUMBERISH.fullmatch(text) and any(c.isdigit() for c in text):
        return "number"
    if token_flag(text):
        return "token"
    return "number" if _INFINITE.fullmatch(text) else "text"


def excel_text(cell: str) -> str:
    """The text inside `="..."`, with which exports keep Excel from reading a barcode as a
    number.
    """
    cell = cell.strip()
    if len(cell) >= 3 and cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1].strip().strip('"')
    return cell.strip()


def cell_text(cell: Cell) -> str:
    """A cell as one line of text: 3.0 is "3"."""
    return f"{cell:g}" if isinstance(cell, float) else " ".join(cell.split())


@dataclass(frozen=True)
class Values:
    """Cells as numbers: `signals` (NaN where missing), `flags`, and `bad`: position -> what is
    wrong with that cell.

    `style` says what is wrong with the way numbers are written in all of them, "" when nothing is.
    """

    signals: list[float]
    flags: list[str]
    bad: dict[int, str]
    style: str


def parse(cells: Sequence[Cell]) -> Values:
    """Turn the cells of one read into numbers and flags; nothing is raised, everything wrong is
    named.
    """
    signals, flags, bad = [math.nan] * len(cells), [""] * len(cells), dict[int, str]()
    written: list[tuple[int, str]] = []
    for i, cell in enumerate(cells):
        if not isinstance(cell, str):
            _store(i, float(cell), signals, flags, bad)
            continue
        text = cell.translate(_SPACES).strip()
        flag = token_flag(text)
        if flag:
            flags[i] = flag
        else:
            written.append((i, text))
    comma, style = _decimal([text for _, text in written], any(_is_whole(cell) for cell in cells))
    for i, text in written:
        if _INFINITE.fullmatch(text):
            bad[i] = f"signal '{text}' is not a finite number"
        elif (_COMMA if comma else _POINT).fullmatch(text):
            _store(i, float(text.replace(",", ".") if comma else text), signals, flags, bad, text)
        elif not (style and _NUMBERISH.fullmatch(text)):
            bad[i] = (
                f"signal '{text}' is neither a number nor a known word for a missing or saturated"
                " well"
            )
    return Values(signals, flags, bad, style)


def _grouped_by_points(numbers: Sequence[str], whole: bool) -> str:
    """What is wrong where points may group thousands ("95.017" beside "350"): a program writes as
    many decimals in every cell.
    """
    pointed = [text for text in numbers if "." in text]
    whole = whole or len(pointed) < len(numbers)
    if not whole or not pointed or not all(_GROUPED_POINT.fullmatch(text) for text in pointed):
        return ""
    return (
        f"'{pointed[0]}' may be {pointed[0].replace('.', '')} or {pointed[0]}, as other wells have"
        " no decimals"
    )


def _store(
    i: int,
    value: float,
    signals: list[float],
    flags: list[str],
    bad: dict[int, str],
    text: str = "",
) -> None:
    if math.isnan(value):
        flags[i] = MISSING
    elif math.isinf(value):
        bad[i] = f"signal '{text or value}' is not a finite number"
    else:
        signals[i] = value + 0.0


def _is_whole(cell: Cell) -> bool:
    """A number that Excel itself holds, without decimals."""
    return isinstance(cell, float) and cell.is_integer()


def _decimal(texts: Iterable[str], whole: bool) -> tuple[bool, str]:
    """(decimal comma?, what is wrong with the style) for the numbers among `texts`; `whole`: others
    are whole numbers.
    """
    numbers = [text for text in texts if _NUMBERISH.fullmatch(text)]
    odd = [text for text in numbers if not _POINT.fullmatch(text)]
    if not odd:
        return False, _grouped_by_points(numbers, whole)
    grouped = next(
        (
            t
            for t in odd
            if t.count(",") > 1 or ("," in t and "." in t) or _GROUPED_OTHER.fullmatch(t)
        ),
        "",
    )
    if grouped:
        return False, f"'{grouped}' has a thousands separator"
    commas = [text for text in odd if "," in text]
    if not commas or any("." in text for text in numbers):
        return bool(commas), (
            f"'{odd[0]}' stands beside numbers with a decimal point" if commas else ""
        )
    if all(_GROUPED_COMMA.fullmatch(text) for text in commas):
        return (
            True,
            f"'{commas[0]}' may be {commas[0].replace(',', '.')} or {commas[0].replace(',', '')}",
        )
    return True, ""
