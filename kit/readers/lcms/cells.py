"""One measured cell of an LC-MS table: a number, or in words why there is none."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kit.readers import headed
from kit.readers.lcms.units import unit

NOT_FOUND = {"n/a": "N/A = no peak", "na": "no value", "n/f": "N/F = not found", "nf": "not found",
             "no peak": "no peak", "nd": "not detected", "n.d.": "not detected", "-": "no value",
             "not found": "not found", "<loq": "< LOQ", "<lod": "< LOD", "nan": "no value",
             "null": "no value", "#n/a": "no value"}  # fmt: skip
_BELOW = re.compile(r"^<\s*[\d.,]+$")


class Amount(NamedTuple):
    """`value` NaN where there is none; `why` in words; `odd` where the text is no number at all."""

    value: float
    why: str = ""
    odd: bool = False


def amount(cell: Any) -> Amount:
    """A cell as a number.

    >>> amount("1.889,0").value, amount("< LOQ").why, amount("< 0").why
    (1889.0, '< LOQ', 'below curve')
    """
    text = str(cell).strip()
    if not text:
        return Amount(math.nan)
    if words := NOT_FOUND.get(text.casefold(), NOT_FOUND.get(text.casefold().replace(" ", ""))):
        return Amount(math.nan, text if "LO" in words else words)
    if _BELOW.match(text):
        below_curve = headed.number(text.lstrip("< ")) == 0
        return Amount(math.nan, "below curve" if below_curve else text)
    value = headed.number(cell)
    if math.isnan(value) and re.fullmatch(r"[+-]?\d{1,3},\d{3}", text):
        return Amount(math.nan, f"{text} may be {text.replace(',', '.')} or more", odd=True)
    return Amount(value, "", odd=not math.isfinite(value))


def flagged(cell: Any) -> bool:
    """Whether a cell says yes."""
    return bool(headed.flag(cell)) if str(cell).strip() else False


@dataclass(frozen=True)
class Row:
    """One sample and compound; `quantity` is area or conc, `value` NaN where missing."""

    sample: str
    compound: str
    place: str
    sample_type: str = ""
    quantity: str = "area"
    value: float = math.nan
    unit: str = ""
    note: str = ""
    odd: str = ""
    """Text of a cell that is no number."""
    standard: bool = False
    known: float = math.nan
    standard_area: float = math.nan
    dilution: float = 1.0
    """What a concentration was multiplied by."""
    transition: str = ""
    background: float = math.nan
    isotope: str = ""
    blank: bool = False
    group: str = ""
    """Which of several peaks proposed for one compound."""

    def measured(self, quantity: str, cell: Any, unit_name: str, dilution: float = 1.0) -> Row:
        """This row with a value; a concentration is multiplied by its dilution."""
        found = amount(cell)
        factor = dilution if quantity == "conc" and math.isfinite(dilution) else 1.0
        notes = [found.why]
        if factor != 1 and math.isfinite(found.value):
            notes.append(f"calculated concentration x dilution factor {factor:g}")
        if quantity == "conc" and not unit(unit_name):
            notes.append("unit is not in the file")
        return replace(
            self,
            quantity=quantity,
            value=found.value * factor,
            dilution=factor,
            unit="counts" if quantity == "area" else unit(unit_name),
            note="; ".join(note for note in notes if note),
            odd=str(cell) if found.odd else "",
        )
