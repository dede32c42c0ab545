"""Exports with one row a sample and compound: which column is what, vendor by vendor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kit.readers.headed import absent, fold
from kit.readers.lcms.cells import Row, amount, flagged
from kit.readers.sheets import Sheet

Names = tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """Folded headings of one vendor's long table; `needs` are those that show that it is meant
    (one of each group). The first of several names that is there is read.
    """

    needs: tuple[Names, ...]
    sample: Names
    compound: Names
    area: Names = ()
    concentration: Names = ()
    unit: Names = ()
    sample_type: Names = ()
    known: Names = ()
    """What a standard holds."""
    standard: Names = ()
    """Flag of an internal standard."""
    standard_area: Names = ()
    dilution: Names = ()
    """Not yet in the concentration."""
    transition: tuple[Names, ...] = ()
    background: Names = ()
    extra: dict[str, Names] = field(default_factory=dict)


SKYLINE = Columns(
    needs=(("molecule name", "molecule", "peptide"), ("replicate name", "replicate"), ("area",),
           ("product mz", "precursor mz")),
    sample=("replicate name", "replicate"), compound=("molecule name", "molecule", "peptide"),
    area=("area", "total area"), sample_type=("sample type",),
    known=("analyte concentration",), transition=(("precursor mz",), ("product mz",)),
    background=("background",), concentration=("calculated concentration",),
)  # fmt: skip
ELMAVEN_PEAKS = Columns(
    needs=(("groupid",), ("compound",), ("sample",),
           ("peakareacorrected", "peakareatopcorrected", "peakarea", "peakareatop")),
    sample=("sample",), compound=("compound",),
    area=("peakareacorrected", "peakareatopcorrected", "peakarea", "peakareatop"),
    extra={"isotope": ("isotopelabel",), "blank": ("fromblanksample",)},
)  # fmt: skip
MULTIQUANT = Columns(
    needs=(("sample name",), ("component name",),
           ("area", "calculated concentration", "area ratio")),
    sample=("sample name",), compound=("component name",), area=("area",),
    concentration=("calculated concentration",), sample_type=("sample type",),
    known=("actual concentration",), standard=("is",), standard_area=("is area",),
    dilution=("dilution factor",), unit=("concentration unit", "units"),
)  # fmt: skip
TRACEFINDER = Columns(
    needs=(("compound", "compound name"), ("filename", "sample name", "file name"),
           ("calculated amt", "calc amt", "theoretical amt", "response ratio")),
    sample=("filename", "file name", "sample name"), compound=("compound", "compound name"),
    area=("area", "peak area"), concentration=("calculated amt", "calc amt"),
    sample_type=("sample type",), known=("theoretical amt", "exp amt"),
    standard_area=("istd area", "istd response"), unit=("units", "unit"),
    standard=("is istd", "istd"),
)  # fmt: skip
XCALIBUR = Columns(
    needs=(("filename",), ("sample type",), ("calc amt", "area"), ("exp amt", "peak status")),
    sample=("sample name", "filename"), compound=(), area=("area",), concentration=("calc amt",),
    sample_type=("sample type",), known=("exp amt",), unit=("units",),
    standard_area=("istd area",),
)  # fmt: skip
PLAIN = Columns(
    needs=(("sample", "sample name", "sample id", "file", "probe"),
           ("compound", "analyte", "analyt", "metabolite", "amino acid", "component", "name"),
           ("area", "peak area", "concentration", "conc", "value", "amount", "konzentration",
            "wert", "fläche", "conc um", "concentration um", "conc mm", "concentration mm")),
    sample=("sample", "sample name", "sample id", "file", "probe"),
    compound=("compound", "analyte", "analyt", "metabolite", "amino acid", "component", "name"),
    area=("area", "peak area", "fläche"),
    concentration=("concentration", "conc", "konzentration", "conc um", "concentration um",
                   "conc mm", "concentration mm", "value", "amount", "wert"),
    unit=("unit", "units", "einheit"), sample_type=("sample type", "type"),
    known=("standard um", "known um", "nominal"), dilution=("dilution", "dilution factor"),
)  # fmt: skip


def find(sheet: Sheet, columns: Columns) -> int | None:
    """The row of headings, None where the sheet has no such table."""
    for index, row in enumerate(sheet.rows[:200]):
        here = {heading(cell) for cell in row}
        if all(here & set(group) for group in columns.needs):
            return index
    return None


def heading(cell: object) -> str:
    """A heading folded, a unit in brackets kept as a word: `Conc. [µM]` is `conc um`."""
    text = str(cell).replace("µ", "u").replace("μ", "u")
    for mark in "()[]/&":
        text = text.replace(mark, " ")
    return fold(text)


def rows(sheet: Sheet, top: int, columns: Columns, compound: str = "") -> Iterator[Row]:
    """The table's cells, area and concentration apart; `compound` names a sheet's only one."""
    at = {heading(cell): index for index, cell in reversed(list(enumerate(sheet.rows[top])))}

    def cell(line: list[Any], names: Names) -> Any:
        places = (at[name] for name in names if name in at)
        return next((line[i] for i in places if i < len(line) and not absent(line[i])), "")

    def is_there(names: Names) -> str:
        return next((name for name in names if name in at), "")

    for index in range(top + 1, len(sheet.rows)):
        line, place = sheet.rows[index], sheet.place(index)
        name, sample = compound or str(cell(line, columns.compound)), cell(line, columns.sample)
        if not str(sample).strip() or not name.strip():
            if compound and not any(str(item).strip() for item in line):
                break
            continue
        transition = ">".join(str(cell(line, names)) for names in columns.transition)
        shared = Row(
            sample=_text(sample),
            sample_type=str(cell(line, columns.sample_type)),
            compound=name,
            place=place,
            standard=flagged(cell(line, columns.standard)),
            known=amount(cell(line, columns.known)).value,
            standard_area=amount(cell(line, columns.standard_area)).value,
            transition=transition,
            background=amount(cell(line, columns.background)).value,
            isotope=str(cell(line, columns.extra.get("isotope", ()))),
            blank=flagged(cell(line, columns.extra.get("blank", ()))),
        )
        if area := is_there(columns.area):
            yield shared.measured("area", line[at[area]] if at[area] < len(line) else "", "counts")
        if conc := is_there(columns.concentration):
            raw = line[at[conc]] if at[conc] < len(line) else ""
            unit_name = str(cell(line, columns.unit)) or conc.rpartition(" ")[2]
            factor = amount(cell(line, columns.dilution)).value
            yield shared.measured("conc", raw, unit_name, factor)


def _text(cell: Any) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell).strip()
