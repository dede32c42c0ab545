"""Allotrope Simple Model (ASM) JSON of plate readers, read natively.

The documents of measurements are found wherever they stand: anything with a `sample document` that names a well and a
`luminescence`, `absorbance` or `fluorescence` beside it. Several measurements of a well are several reads. A null, NaN or
negative zero, with which some converters mark a value they do not have, is missing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kit.errors import InputError, Problem
from kit.readers.geometry import find_well, well_name
from kit.readers.headings import MODES
from kit.readers.reads import Found, Well, no_number
from kit.readers.sheets import Source
from kit.readers.tokens import Cell

_WELL_KEYS = ("well location identifier", "location identifier", "well position identifier", "location name")
_PLATE_KEYS = ("well plate identifier", "plate barcode", "barcode", "plate identifier", "container identifier")
_VALUE_KEYS = {f"{prefix}{mode}": mode for mode in MODES for prefix in ("", "corrected ", "relative ")}
_DETAIL_KEYS = (
    "detector wavelength setting",
    "excitation wavelength setting",
    "filter wavelength setting",
    "electronic absorbance wavelength setting",
)


def looks_like_asm(source: Source) -> bool:
    """JSON: an object, or a list of objects."""
    return re.match(r"\s*(?:\{\s*[\"}]|\[\s*[\[{])", source.text) is not None


def read_asm(source: Source) -> tuple[list[Found], list[str]]:
    """(reads, nothing passed over); raises `InputError` for JSON that is broken or holds no measurement of a well."""
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(Problem(source.file, where, "this is not valid JSON; it may be cut off", "Export it again.")) from error
    groups: dict[tuple[str, str, str, int], Found] = {}
    seen: Counter[tuple[str, str, str, tuple[int, int]]] = Counter()
    unnamed = 0
    for measurement, inherited in _measurements(document):
        unnamed += _add(measurement, inherited, groups, seen)
    if not groups:
        what = "no measurement names a well" if unnamed else "this JSON holds no luminescence, absorbance or fluorescence of a well"
        raise InputError(Problem(source.file, "", what, "Expected Allotrope ASM of a plate reader."))
    if unnamed:
        first = next(iter(groups.values()))
        first.problems.append(("", f"{unnamed} measurements do not name a well such as A1", "Convert the file again."))
    return list(groups.values()), []


def _measurements(document: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every object with a value of one of the modes, and the plain values of the objects it stands in.

    A loop, not a recursion: the depth of a JSON file is not ours to choose.
    """
    stack: list[tuple[Any, dict[str, Any]]] = [(document, {})]
    while stack:
        here, inherited = stack.pop()
        if isinstance(here, list):
            stack.extend((item, inherited) for item in reversed(here))
        elif isinstance(here, dict):
            if any(key in here for key in _VALUE_KEYS) and "sample document" in here:
                yield here, inherited
                continue
            own = {
                key: value
                for key, value in here.items()
                if not isinstance(value, list) and (not isinstance(value, dict) or "value" in value)
            }
            stack.extend((item, inherited | own) for item in reversed(list(here.values())) if isinstance(item, (dict, list)))


def _add(measurement: dict[str, Any], inherited: dict[str, Any], groups: dict, seen: Counter) -> int:
    """Put one measurement into its read; 1 when it does not name a well, else 0."""
    sample = measurement["sample document"] if isinstance(measurement["sample document"], dict) else {}
    facts = inherited | measurement | sample
    well = next((found for key in _WELL_KEYS if (found := find_well(facts.get(key)))), None)
    if well is None:
        return 1
    plate = next((str(facts[key]) for key in _PLATE_KEYS if facts.get(key) not in (None, "")), "")
    size = facts.get("plate well count")
    stated = int(float(_plain(size))) if str(_plain(size)).replace(".", "", 1).isdigit() else 0
    for key, mode in _VALUE_KEYS.items():
        if key not in measurement:
            continue
        detail = _detail(key, mode, facts)
        seen[plate, key, detail, well] += 1
        group = (plate, key, detail, seen[plate, key, detail, well])
        if group not in groups:
            title = ", ".join(part for part in (detail, f"measurement {group[3]}" if group[3] > 1 else "") if part)
            groups[group] = Found("", [], "", plate, mode, title, stated)
        groups[group].wells.append(Well(*well, _value(measurement[key]), well_name(*well)))
    return 0


def _detail(key: str, mode: str, facts: dict[str, Any]) -> str:
    """What tells measurements of one mode apart: a correction, the wavelength."""
    setting = next((facts[name] for name in _DETAIL_KEYS if facts.get(name) is not None), None)
    unit = setting.get("unit", "") if isinstance(setting, dict) else ""
    wavelength = _plain(setting)
    words = [key if key != mode else "", f"{wavelength:g} {unit}".strip() if isinstance(wavelength, (int, float)) else ""]
    return ", ".join(word for word in words if word)


def _plain(value: Any) -> Any:
    return value.get("value") if isinstance(value, dict) else value


def _value(value: Any) -> Cell:
    """A measured value as a cell: missing is "", an unknown kind of value its text."""
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        return "1e999"
    return "" if no_number(number) else number
