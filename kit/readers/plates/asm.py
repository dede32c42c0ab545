"""Allotrope Simple Model (ASM) JSON of plate readers, read natively.

The documents of measurements are found wherever they stand: anything with a `sample document` that
names a well and a
`luminescence`, `absorbance` or `fluorescence` beside it. Several measurements of a well are several
reads, told apart by
plate, wavelength, the detector's settings or the time, never by the order in which they stand. A
null, NaN or negative
zero, with which some converters mark a value they do not have, is missing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kit.core.errors import refused
from kit.core.wells import find_well, well_name
from kit.readers.plates.headings import MODES
from kit.readers.plates.reads import Found, Well, no_number
from kit.readers.sheets import Source
from kit.readers.tokens import Cell

_WELL_KEYS = (
    "well location identifier",
    "location identifier",
    "well position identifier",
    "location name",
)
_PLATE_KEYS = (
    "well plate identifier",
    "plate barcode",
    "barcode",
    "plate identifier",
    "container identifier",
)
_VALUE_KEYS = {
    f"{prefix}{mode}": mode for mode in MODES for prefix in ("", "corrected ", "relative ")
}
_WAVELENGTH_KEYS = (
    "excitation wavelength setting",
    "detector wavelength setting",
    "filter wavelength setting",
    "electronic absorbance wavelength setting",
)
_REMEDY = "Convert the file again so that each measurement names its plate, wavelength or time."


@dataclass(frozen=True)
class _Measured:
    """One value of one well, and what may tell it from others of the well."""

    well: tuple[int, int]
    cell: Cell
    mode: str
    plate: str
    stated: int
    kind: str
    """A correction and the wavelengths, in words."""
    settings: str
    """Everything the file says of the detector."""
    time: str


def looks_like_asm(source: Source) -> bool:
    """JSON: an object, or a list of objects."""
    return re.match(r"\s*(?:\{\s*[\"}]|\[\s*[\[{])", source.text) is not None


def read_asm(source: Source) -> tuple[list[Found], list[str]]:
    """(reads, nothing passed over); raises `InputError` for JSON that is broken or holds no
    measurement of a well.
    """
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise refused(
            source.file,
            "this is not valid JSON; it may be cut off",
            "Export it again.",
            place=where,
        ) from error
    measured: list[_Measured] = []
    unnamed = 0
    for measurement, inherited in _measurements(document):
        found = _measured(measurement, inherited)
        unnamed += not found
        measured += found
    if not measured:
        what = (
            "no measurement names a well"
            if unnamed
            else "this JSON holds no luminescence, absorbance or fluorescence of a well"
        )
        raise refused(source.file, what, "Expected Allotrope ASM of a plate reader.")
    reads = _reads(measured)
    for read in reads if unnamed else ():
        read.problems.append(
            ("", f"{unnamed} measurements do not name a well such as A1", "Convert the file again.")
        )
    return reads, []


def _reads(measured: list[_Measured]) -> list[Found]:
    """One read per plate, mode and wavelength; where that leaves wells twice, per setting of the
    detector or time that tells them apart.
    """
    groups: dict[tuple[str, str, str], list[_Measured]] = {}
    for each in measured:
        groups.setdefault((each.plate, each.mode, each.kind), []).append(each)
    reads = []
    for group in groups.values():
        parts = _apart(group)
        for n, (name, part) in enumerate(parts.items(), start=1):
            first = part[0]
            extra = name if len(name) < 40 else f"setting {n}"
            title = ", ".join(words for words in (first.kind, extra) if words)
            read = Found(
                "",
                [Well(*each.well, each.cell, well_name(*each.well)) for each in part],
                "",
                first.plate,
                first.mode,
                title,
                first.stated,
            )
            well, count = Counter(each.well for each in part).most_common(1)[0]
            if count > 1:
                what = (
                    f"measured {count} times, and neither plate, wavelength, detector nor time"
                    " tells the measurements apart"
                )
                read.problems.append((f"well {well_name(*well)}", what, _REMEDY))
            reads.append(read)
    return reads


def _apart(group: list[_Measured]) -> dict[str, list[_Measured]]:
    """The group by the first of detector settings and time that leaves each well once; the whole
    where none does.
    """
    repeats = max(Counter(each.well for each in group).values())
    for field in ("settings", "time") if repeats > 1 else ():
        parts: dict[str, list[_Measured]] = {}
        for each in group:
            parts.setdefault(getattr(each, field), []).append(each)
        if len(parts) == repeats and all(
            len({each.well for each in part}) == len(part) for part in parts.values()
        ):
            return parts
    return {"": group}


def _measurements(document: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every object with a value of one of the modes, and the plain values of the objects it stands
    in.

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
            stack.extend(
                (item, inherited | own)
                for item in reversed(list(here.values()))
                if isinstance(item, (dict, list))
            )


def _measured(measurement: dict[str, Any], inherited: dict[str, Any]) -> list[_Measured]:
    """The values of one measurement, none when it does not name a well."""
    sample = (
        measurement["sample document"] if isinstance(measurement["sample document"], dict) else {}
    )
    facts = inherited | measurement | sample
    well = next((found for key in _WELL_KEYS if (found := find_well(facts.get(key)))), None)
    if well is None:
        return []
    plate = next((str(facts[key]) for key in _PLATE_KEYS if facts.get(key) not in (None, "")), "")
    size = facts.get("plate well count")
    stated = int(float(_plain(size))) if str(_plain(size)).replace(".", "", 1).isdigit() else 0
    detector = _detector(measurement)
    settings, time = json.dumps(detector, sort_keys=True), str(facts.get("measurement time", ""))
    waves = _wavelengths([facts, *detector])
    kinds = {
        key: ", ".join(word for word in (key if key != mode else "", waves) if word)
        for key, mode in _VALUE_KEYS.items()
    }
    return [
        _Measured(well, _value(measurement[key]), mode, plate, stated, kinds[key], settings, time)
        for key, mode in _VALUE_KEYS.items()
        if key in measurement
    ]


def _detector(measurement: dict[str, Any]) -> list[dict[str, Any]]:
    """The documents of the detector's settings that a measurement holds."""
    around = measurement.get("device control aggregate document")
    inner = (
        around.get("device control document")
        if isinstance(around, dict)
        else measurement.get("device control document")
    )
    return [
        each for each in (inner if isinstance(inner, list) else [inner]) if isinstance(each, dict)
    ]


def _wavelengths(documents: list[dict[str, Any]]) -> str:
    """The wavelengths that the documents set, "450 nm" or "380/505 nm"."""
    found: dict[str, str] = {}
    for key in _WAVELENGTH_KEYS:
        for document in documents:
            value = _plain(document.get(key))
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                setting = document[key]
                found.setdefault(
                    f"{value:g}", str(setting.get("unit", "")) if isinstance(setting, dict) else ""
                )
    return f"{'/'.join(found)} {next(iter(found.values()))}".strip() if found else ""


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
