"""Every LC-MS format the kit reads, in one table, and the one function that uses it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from kit.core.errors import InputError, Problem, Problems
from kit.core.findings import Finding
from kit.readers.headed import fold
from kit.readers.lcms import long_tables, wide_tables
from kit.readers.lcms.cells import Row
from kit.readers.lcms.compounds import compound as meaning
from kit.readers.lcms.long_tables import Columns
from kit.readers.sheets import Sheet, open_source, text_sheets

LONG = ("sample", "sample_type", "compound", "quantity", "value", "unit", "note", "amino_acid",
        "internal_standard", "known", "standard_area", "dilution", "transition", "background",
        "order", "place")  # fmt: skip
"""Columns of the long form: `quantity` is area or conc, `known` what a standard holds, `order` the
sample's place in the file.
"""


class Lcms(NamedTuple):
    """A table read: `rows` in the long form, the `format` it was recognised as, and what was found
    on the way.
    """

    rows: pd.DataFrame
    format: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Format:
    """How a sheet shows that it is meant, and its rows."""

    find: Callable[[Sheet], int | None]
    read: Callable[[Sheet, int], Iterator[Row]]


def _long(columns: Columns) -> Format:
    return Format(
        functools.partial(long_tables.find, columns=columns),
        lambda sheet, top: long_tables.rows(sheet, top, columns),
    )


def _find_xcalibur(sheet: Sheet) -> int | None:
    top = long_tables.find(sheet, long_tables.XCALIBUR)
    return top if top is not None and _component(sheet) else None


def _component(sheet: Sheet) -> str:
    """The compound of an Xcalibur sheet: under `Component Name`, before the table."""
    for here, below in zip(sheet.rows, sheet.rows[1:], strict=False):
        if here and fold(here[0]) == "component name" and below:
            return str(below[0])
    return ""


FORMATS = {
    "Skyline": _long(long_tables.SKYLINE),
    "El-MAVEN groups": Format(wide_tables.find_groups, wide_tables.groups),
    "El-MAVEN peaks": _long(long_tables.ELMAVEN_PEAKS),
    "MassHunter compounds": Format(wide_tables.find_compound_table, wide_tables.compound_table),
    "MassHunter batch": Format(wide_tables.find_two_rows, wide_tables.two_rows),
    "MultiQuant": _long(long_tables.MULTIQUANT),
    "Xcalibur": Format(
        _find_xcalibur,
        lambda sheet, top: long_tables.rows(
            sheet, top, long_tables.XCALIBUR, compound=_component(sheet)
        ),
    ),
    "TraceFinder": _long(long_tables.TRACEFINDER),
    "long table": _long(long_tables.PLAIN),
    "compounds down": Format(wide_tables.find_compounds_down, wide_tables.compounds_down),
    "samples down": Format(wide_tables.find_samples_down, wide_tables.samples_down),
}
"""Format -> how it is recognised and read, tried in this order. A new one is one entry."""


def read_lcms(path: Path | str, *, name: str = "", unit: str = "") -> Lcms:
    """The long form of a mass spectrometer's table.

    Parameters
    ----------
    path
        The file: text or Excel.
    name
        The path as the user knows it.
    unit
        Unit of concentrations whose unit the file does not say.

    Raises
    ------
    InputError
        With every cell that is no number, negative areas, and where nothing is recognised.
    """
    path = Path(path)
    name = name or path.name
    source = open_source(path, name, None)
    sheets = list(source.sheets or text_sheets(source.text))
    for kind, item in FORMATS.items():
        found = [(sheet, top) for sheet in sheets if (top := item.find(sheet)) is not None]
        if found:
            used = found if source.sheets and kind == "Xcalibur" else found[:1]
            rows = [row for sheet, top in used for row in item.read(sheet, top)]
            return _finish(rows, kind, name, unit)
    known = ", ".join(FORMATS)
    remedy = f"Export one of: {known}; or name the columns sample, compound, concentration, unit."
    raise InputError(Problem(name, "", "no table of areas or concentrations is recognised", remedy))


def _finish(rows: list[Row], kind: str, name: str, unit: str) -> Lcms:
    problems = Problems()
    for row in rows:
        if row.odd:
            what = f"{row.quantity} '{row.odd}' of {row.compound} is not a number"
            problems.say(name, row.place, what, "Write the number, or leave the cell empty.")
    problems.raise_if_any()
    if not rows:
        raise InputError(Problem(name, "", "the table holds no values", "Export it again."))
    rows, findings = _one_group(rows)
    isotopes = len({row.isotope for row in rows if row.isotope}) > 1
    order = {sample: i for i, sample in enumerate(dict.fromkeys(row.sample for row in rows), 1)}
    records = [_record(row, kind, isotopes, unit, order) for row in rows]
    frame = pd.DataFrame(records, columns=LONG)
    negative = frame["value"].lt(0)
    findings += [
        Finding("LCMS_NEGATIVE", "warn", f"{row.sample}, {row.compound}", {"value": row.value})
        for row in frame[negative].itertuples()
    ]
    frame.loc[negative, "note"] = frame.loc[negative, "value"].map("negative: {:g}".format)
    frame.loc[negative, "value"] = math.nan
    return Lcms(frame, kind, tuple(findings))


def _record(row: Row, kind: str, isotopes: bool, unit: str, order: dict[str, int]) -> tuple:
    means = meaning(row.compound)
    light = row.isotope in ("", "C12 PARENT")
    notes = [row.note]
    if row.transition.strip(">"):
        notes.insert(0, f"transition {row.transition}")
    if math.isfinite(row.background):
        notes.append(f"background {row.background:g} is a separate column, not subtracted here")
    given = row.unit or (unit if row.quantity == "conc" else "")
    if row.quantity == "area" and kind == "El-MAVEN groups":
        given = "AreaTop counts"
    return (
        row.sample,
        row.sample_type or ("blank" if row.blank else ""),
        f"{row.compound}|{row.isotope}" if isotopes else row.compound,
        row.quantity,
        row.value,
        given,
        "; ".join(note for note in notes if note),
        means.name if light else "",
        row.standard or means.labelled,
        row.known,
        row.standard_area,
        row.dilution,
        row.transition,
        row.background,
        order[row.sample],
        row.place,
    )


def _one_group(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """Of several peak groups for one compound the one nearest its expected time, never their sum:
    another group is another substance.
    """
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.group:
            group, _, off = row.group.partition("|")
            away = abs(float(off)) if off else math.inf
            groups = found.setdefault(row.compound, {})
            groups[group] = min(away, groups.get(group, math.inf))
    several = {name: groups for name, groups in found.items() if len(groups) > 1}
    kept = {name: min(groups, key=groups.__getitem__) for name, groups in several.items()}
    findings = [
        Finding("LCMS_PEAK_GROUPS", "warn", name, {"count": len(several[name]), "group": group})
        for name, group in kept.items()
    ]
    return [
        row
        for row in rows
        if row.compound not in kept or row.group.partition("|")[0] == kept[row.compound]
    ], findings


def quantifier(rows: Iterable[str], areas: Iterable[float]) -> str:
    """Of several transitions of one compound the one with the largest median area."""
    frame = pd.DataFrame({"transition": list(rows), "area": list(areas)})
    return str(frame.groupby("transition", sort=False)["area"].median().idxmax())
