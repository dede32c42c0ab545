"""What the lines around a table say of it: which plate, what was measured, under which title, how
many wells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.readers.tokens import Cell

MODES = ("luminescence", "absorbance", "fluorescence")
_STRONG = re.compile(
    r"(lumines[cz])|(absor[bp]|optical density|optische"
    r" dichte|extinction|extinktion|photometr)|(fluores[cz]|fluorimetr)",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"(\blum\b|lumi\b|uslum|\brlu\b|\bcps\b|celltiter-glo|\bctg\b)"
    r"|(\babs(?:\b|_)|\bod(?:[ _]?\d{3})?(?:\b|_)|\boptical\b)"
    r"|(\bfi\b|\bfl\b|\brfu\b|\btrf\b|\bhtrf\b|\bfret\b|\bex=(?!n/a)|\bexcitation\b|alamar|resazurin|cyquant)",
    re.IGNORECASE,
)
_PLATE_KEYS = {
    "barcode": 4, "plate barcode": 4, "assay plate barcode": 4, "measured plate barcode": 4, "plate_barcode": 4,
    "plate id": 3, "plate-id": 3, "plate-id (stacker)": 3, "plateid": 3, "plate_id": 3, "plate name": 3, "plate_name": 3, "assay plate id": 3,
    "plate number": 2, "plate no": 2, "plate no.": 2, "plate #": 2, "plate nr": 2, "plate nr.": 2, "plate seq#": 2, "plate": 2, "id1": 1,
}  # fmt: skip
_PLATE_KEY = re.compile(
    "("
    + "|".join(re.escape(key) for key in sorted(_PLATE_KEYS, key=len, reverse=True))
    + r")\s*[:=]\s*(\S.*)",
    re.I,
)
_PLATE_LINE = re.compile(r"plate[ _#:-]*(?=[\w.-]*\d|\w$)[\w.-]{1,30}", re.IGNORECASE)
_PLATE_TYPE = re.compile(
    r"\bwells?\b|\bflat\b|bottom|greiner|corning|costar|falcon|nunc|general|template|type|\bformat\b",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(6|12|24|48|96|384|1536)[ -]?wells?\b|(?:plate size|number of (?:the )?wells[a-z"
    r" ]*)[:\s|]*(6|12|24|48|96|384|1536)\b",
    re.I,
)
_NO_TITLE = re.compile(
    r"(?:.*\binformation$|temp|t°|target"
    r" temp|time|date|start|end|wavelength|plate\b|barcode|user|path|meas\w* (?:temp|time)|actual"
    r" temp|read(?:ing)?:|results?$"
    r"|\d+[/.:-]\d+|software|firmware|serial|settle|gain|multiple|reference filter|measurement"
    r" filter|[\d\s.,:;%/-]*$)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:label|name|reads?|measurement|data ?set|chromatic)\s*:\s*(\S.*)", re.IGNORECASE
)
_NO_SIGNAL = re.compile(
    r"\b(?:layout|plate ?map|well ?ids?|well names?|sample ?(?:ids?|names?|map)|flags?|used"
    r" wells|contents?|dilutions?)\b|^groups?$"
    r"|^(?:final )?conc(?:entrations?)?\b(?!.*\braw\b)|^(?:measurement |meas\."
    r" ?)?(?:time|temperature)s?(?: ?[\[(].*)?$|\bvolumes?(?: ?[\[(].*)?$",
    re.IGNORECASE,
)
_WAVELENGTHS = re.compile(
    r"(?:[2-9]\d\d|10\d\d)(?: ?nm)?(?: ?[,/;] ?(?:[2-9]\d\d|10\d\d)(?: ?nm)?)?"
)
MAX_TITLE = 60
MAX_REACH = 300
"""Lines above a table in which its plate and mode are looked for."""


@dataclass
class Heading:
    """`plate`, `mode`, `title` and `stated` number of wells; "" or 0 where the lines do not say."""

    plate: str = ""
    mode: str = ""
    title: str = ""
    stated: int = 0


def mode_of(text: str, *, strong: bool = True, weak: bool = True) -> str:
    """The one mode that `text` names; "" for none or for several at once."""
    for wanted, pattern in ((strong, _STRONG), (weak, _WEAK)):
        named = (
            {MODES[match.lastindex - 1] for match in pattern.finditer(text) if match.lastindex}
            if wanted
            else set()
        )
        if len(named) == 1:
            return named.pop()
        if named:
            return ""
    return ""


def is_wavelength(text: str) -> bool:
    """Whether a heading is one wavelength or a pair of them and nothing else: 570, 560,590."""
    return bool(_WAVELENGTHS.fullmatch(text.strip()))


def wavelength_mode(text: str) -> str:
    """What wavelengths alone tell: one is absorbance, a pair excitation and emission."""
    if not is_wavelength(text):
        return ""
    return (
        "absorbance"
        if text.strip()[:4].strip(" nm").isdigit() and len(text) < 8
        else "fluorescence"
    )


def names_no_signal(title: str) -> bool:
    """Whether a title announces something other than signals: a layout, names, concentrations."""
    return bool(_NO_SIGNAL.search(title.strip()))


def heading(rows: Sequence[Sequence[Cell]], before: Heading | None = None) -> Heading:
    """What the rows above a table say, the nearest first; plate and mode go on from `before` where
    they do not.
    """
    rows = rows[-MAX_REACH:]
    texts = [_words(row) for row in rows]
    title = _title(rows)
    mode = mode_of(title) or _nearest_mode(texts)
    plate = _plate(rows)
    stated = next((int(m[1] or m[2]) for m in map(_STATED.search, reversed(texts)) if m), 0)
    if before is not None:
        plate, mode, stated = plate or before.plate, mode or before.mode, stated or before.stated
    return Heading(plate, mode, title, stated)


def _words(row: Iterable[Cell]) -> str:
    return " | ".join(cell for cell in row if isinstance(cell, str) and cell)


def _nearest_mode(texts: list[str]) -> str:
    """The mode in the nearest line that names just one: whole words before abbreviations."""
    for strong in (True, False):
        for text in reversed(texts):
            found = mode_of(text, strong=strong, weak=not strong) if text else ""
            if found:
                return found
    return ""


def _title(rows: Sequence[Sequence[Cell]]) -> str:
    """The nearest line of one cell that reads like a heading, or the nearest `Label: ...` or `Name
    | ...`.
    """
    filled = [[cell for cell in row if cell != ""] for row in rows]
    filled = [row for row in filled if row]
    for row in reversed(filled[-4:]):
        text = row[0] if len(row) == 1 else ""
        if isinstance(text, str) and text and not _NO_TITLE.match(text) and len(text) > 1:
            return shorten(text)
    for row in reversed(filled[-25:]):
        if (
            len(row) == 2
            and str(row[0]).strip(": ").lower() in ("name", "label")
            and isinstance(row[1], str)
        ):
            return shorten(row[1])  # SparkControl names each label of a method so
        match = _LABEL.fullmatch(row[0]) if len(row) == 1 and isinstance(row[0], str) else None
        if match:
            return shorten(match[1])
    return ""


def shorten(title: str) -> str:
    """A title short enough for a label; a crosstalk correction is named as such, its formula left
    out.
    """
    if re.search("crosstalk", title, re.IGNORECASE):
        return "crosstalk corrected"
    text = " ".join(title.split()).rstrip(":;,. ")
    return text if len(text) <= MAX_TITLE else text[: MAX_TITLE - 1].rstrip() + "…"


def _plate(rows: Sequence[Sequence[Cell]]) -> str:
    """The plate's barcode, else its identifier, name or number; of equals the nearest."""
    best, rank = "", 0
    for i in range(len(rows) - 1, -1, -1):
        for name, weight in _plate_names(rows[i], rows[i + 1] if i + 1 < len(rows) else ()):
            if weight > rank:
                best, rank = name, weight
    return best


def _plate_names(row: Sequence[Cell], below: Sequence[Cell]) -> list[tuple[str, int]]:
    """(name, weight) of every plate that a row names: a table of names over values, `key: value`,
    or `Plate 1`.
    """
    filled = [(i, cell) for i, cell in enumerate(row) if cell != ""]
    if not filled:
        return []
    names: list[tuple[str, int]] = []
    keys = [(i, str(cell).rstrip(": ").lower()) for i, cell in filled]
    if len(filled) >= 3 and all(isinstance(cell, str) for _, cell in filled):
        names += [
            (_name(below[i]), _PLATE_KEYS[key])
            for i, key in keys
            if key in _PLATE_KEYS and i < len(below)
        ]
    if len(filled) == 2 and keys[0][1] in _PLATE_KEYS:
        text = _name(filled[1][1])
        names.append(("" if _PLATE_TYPE.search(text) else text, _PLATE_KEYS[keys[0][1]]))
    for _, cell in filled:
        match = _PLATE_KEY.match(cell) if isinstance(cell, str) else None
        if match:
            names.append(
                (
                    _name(re.split(r"\s{2,}|\s+comment:", match[2], flags=re.IGNORECASE)[0]),
                    _PLATE_KEYS[match[1].lower()],
                )
            )
    only = filled[0][1]
    if (
        len(filled) == 1
        and isinstance(only, str)
        and _PLATE_LINE.fullmatch(only)
        and not _PLATE_TYPE.search(only)
    ):
        names.append((only, 2))
    return [(name, weight) for name, weight in names if name]


def _name(cell: Cell) -> str:
    """A plate's name as text; "" for words that stand for none."""
    text = f"{cell:g}" if isinstance(cell, float) else cell.strip().strip('"')
    return "" if text.lower() in ("n/a", "na", "none", "-", "<n/a>", "<none>") else text
