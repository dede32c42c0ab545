"""Units of concentration as instruments write them, and their size in µM."""

from __future__ import annotations

import re

_MOLAR = {"nm": 1e-3, "nmol/l": 1e-3, "um": 1.0, "umol/l": 1.0, "nmol/ml": 1.0, "pmol/ul": 1.0,
          "mm": 1e3, "mmol/l": 1e3, "umol/ml": 1e3, "mol/l": 1e6}  # fmt: skip
_MASS = {"ng/ml": 1.0, "ug/l": 1.0, "ug/ml": 1e3, "mg/l": 1e3, "ng/ul": 1e3, "mg/ml": 1e6}
_IN_HEADING = re.compile(
    r"^(?P<name>.*?)[\s_]*(?:[\(\[](?P<a>[^()\[\]]+)[\)\]]|(?<=[\s_])(?P<b>\S+))$"
)


def unit(text: object) -> str:
    """The unit in one spelling (`uM` for µM, µmol/L and the like), "" where it is none.

    >>> unit("µmol/L"), unit("mM"), unit("area")
    ('uM', 'mM', '')
    """
    key = _key(text)
    if key not in _MOLAR and key not in _MASS:
        return ""
    named = {1e-3: "nM", 1.0: "uM", 1e3: "mM", 1e6: "M"}
    return named[_MOLAR[key]] if key in _MOLAR else key.replace("l", "L")


def _key(text: object) -> str:
    return re.sub(r"\s", "", str(text)).replace("µ", "u").replace("μ", "u").casefold()


def heading_unit(heading: str) -> tuple[str, str]:
    """A heading's name and its unit: `Serine (µM)`, `serine_uM`.

    >>> heading_unit("Serine [mmol/L]")
    ('Serine', 'mM')
    """
    found = _IN_HEADING.match(heading.strip())
    if found and (known := unit(found["a"] or found["b"])) and found["name"]:
        return found["name"].strip(), known
    return heading.strip(), ""


def micromolar(unit_name: str, molar_mass: float) -> float:
    """µM in one `unit_name`; NaN where the unit or, for a mass, the molar mass is unknown.

    >>> micromolar("mM", 100.0), round(micromolar("mg/L", 132.12), 3)
    (1000.0, 7.569)
    """
    key = _key(unit_name)
    return _MOLAR.get(key, _MASS.get(key, float("nan")) / molar_mass)
