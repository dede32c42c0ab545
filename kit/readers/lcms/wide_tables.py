"""Exports with samples or compounds side by side: El-MAVEN groups, MassHunter, plain matrices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from kit.readers.headed import absent, fold
from kit.readers.lcms.cells import Row, amount
from kit.readers.lcms.compounds import compound as meaning
from kit.readers.lcms.units import heading_unit, unit
from kit.readers.sheets import Sheet

ANALYTE = {"analyt", "analyte", "compound", "metabolite", "name", "amino acid", "component",
           "aminosäure", "verbindung", "substanz"}  # fmt: skip
SAMPLE = {"sample", "code", "sample name", "sample id", "id", "file", "filename", "data file",
          "probe", "name", "injection", "sample names"}  # fmt: skip
ABOUT = {"condition", "conditions", "biological replicates", "biological replicate", "replicate",
         "growthfactor", "growth factor", "group", "type", "sample type", "hours", "time", "time h",
         "cell line", "medium", "batch", "order", "injection order", "analytical replicates",
         "level", "dilution", "volume ml", "volume ul", "cells", "class"}  # fmt: skip
UNITS = {"unit", "units", "einheit"}
LEAST_AREA = 1e5  # as a concentration in uM this would be 0.1 M: nobody makes such a medium
_ELMAVEN = ("label", "metagroupid", "groupid", "goodpeakcount", "medmz", "medrt", "maxquality",
            "adductname", "isotopelabel", "compound", "compoundid", "formula", "expectedrtdiff",
            "ppmdiff", "parent", "expectedmz", "charge", "category", "note")  # fmt: skip


def find_groups(sheet: Sheet) -> int | None:
    """Row of headings of an El-MAVEN group report."""
    return _first(sheet, lambda row: {"groupid", "medmz", "compound"} <= {fold(c) for c in row})


def groups(sheet: Sheet, top: int) -> Iterator[Row]:
    """An El-MAVEN group report: one row an isotopologue, one column a sample."""
    names = [fold(cell) for cell in sheet.rows[top]]
    samples = [i for i, name in enumerate(names) if name and name not in _ELMAVEN]
    at = {name: i for i, name in enumerate(names) if name in _ELMAVEN}
    for index in range(top + 1, len(sheet.rows)):
        line = sheet.rows[index]

        def cell(name: str, line: list = line) -> str:
            return str(line[at[name]]) if name in at and at[name] < len(line) else ""

        if not cell("compound").strip():
            continue
        for i in samples:
            name = str(sheet.rows[top][i])
            row = Row(
                sample=name,
                sample_type="blank" if fold(name).startswith(("blk", "blank")) else "",
                compound=cell("compound"),
                place=sheet.place(index),
                isotope=cell("isotopelabel"),
                group=f"{cell('metagroupid')}|{cell('expectedrtdiff')}",
            )
            yield row.measured("area", line[i] if i < len(line) else "", "counts")


def find_compound_table(sheet: Sheet) -> int | None:
    """Row of headings of MassHunter's compound table: one row a compound, a block a sample."""

    def is_header(row: list) -> bool:
        names = [fold(cell) for cell in row]
        return names[:1] == ["name"] and names.count("area") >= 1 and "transition" in names

    return _first(sheet, is_header, least=1)


def compound_table(sheet: Sheet, top: int) -> Iterator[Row]:
    """MassHunter's compound table: the row above the headings names each block's sample once."""
    names, above = [fold(cell) for cell in sheet.rows[top]], sheet.rows[top - 1]
    first = names.index("transition") + 1
    for index in range(top + 1, len(sheet.rows)):
        line = sheet.rows[index]
        if not line or absent(line[0]):
            continue
        sample = ""
        for i in range(first, len(names)):
            sample = str(above[i]) if i < len(above) and not absent(above[i]) else sample
            kind = {"area": "area", "final conc": "conc", "calc conc": "conc"}.get(names[i])
            if kind:
                row = Row(
                    _bare(sample),
                    str(line[0]),
                    sheet.place(index),
                    transition=str(line[names.index("transition")]),
                )
                yield row.measured(kind, line[i] if i < len(line) else "", "")


def find_two_rows(sheet: Sheet) -> int | None:
    """Second row of headings of MassHunter's batch table: `X Results` stand above the blocks."""
    for index in range(1, min(len(sheet.rows), 50)):
        above = [str(cell) for cell in sheet.rows[index - 1]]
        here = {fold(cell) for cell in sheet.rows[index]}
        if any(cell.endswith(" Results") for cell in above) and here & {"area", "final conc", "rt"}:
            return index
    return None


def two_rows(sheet: Sheet, top: int) -> Iterator[Row]:
    """MassHunter's batch table; qualifier blocks are no compounds, `Cal A.d` is sample `Cal A`."""
    above, names = sheet.rows[top - 1], [fold(cell) for cell in sheet.rows[top]]
    blocks, current = list[str](), ""
    for i in range(len(names)):
        text = str(above[i]) if i < len(above) else ""
        current = text.removesuffix(" Results") if text.endswith(" Results") else current
        blocks.append(current)
    kinds = {"area": "area", "final conc": "conc", "calc conc": "conc"}
    about = {name: i for i, name in reversed(list(enumerate(names))) if not blocks[i]}
    wanted = [
        (i, blocks[i], kinds[name])
        for i, name in enumerate(names)
        if name in kinds and blocks[i] and not blocks[i].startswith("Qualifier")
    ]
    for index in range(top + 1, len(sheet.rows)):
        line = sheet.rows[index]

        def cell(name: str, line: list = line) -> str:
            text = line[about[name]] if name in about and about[name] < len(line) else ""
            return "" if absent(text) else str(text)

        sample = cell("name") or _bare(cell("data file"))
        if not sample:
            continue
        kind = "/".join(part for part in (cell("type"), cell("level")) if part)
        for i, name, quantity in wanted:
            row = Row(sample, name, sheet.place(index), kind)
            yield row.measured(quantity, line[i] if i < len(line) else "", "")


def find_compounds_down(sheet: Sheet) -> int | None:
    """Row of headings of a matrix with a compound a row: at least one row must be known."""

    def is_header(row: list) -> bool:
        return bool(row) and fold(row[0]) in ANALYTE and len([c for c in row if str(c)]) > 1

    top = _first(sheet, is_header)
    below = [] if top is None else [row[0] for row in sheet.rows[top + 1 :] if row]
    return top if any(_known(str(cell)) for cell in below) else None


def compounds_down(sheet: Sheet, top: int) -> Iterator[Row]:
    """A matrix with compounds down and samples across, perhaps a column of units."""
    names = sheet.rows[top]
    unit_at = next((i for i, cell in enumerate(names) if fold(cell) in UNITS), None)
    samples = [i for i in range(1, len(names)) if i != unit_at and str(names[i]).strip()]
    samples = [i for i in samples if fold(names[i]) not in ABOUT]
    lines = [i for i in range(top + 1, len(sheet.rows)) if sheet.rows[i] and sheet.rows[i][0] != ""]
    cells = [sheet.rows[r][i] for r in lines for i in samples if i < len(sheet.rows[r])]
    for r in lines:
        line = sheet.rows[r]
        name, own = heading_unit(str(line[0]))
        if unit_at is not None and unit_at < len(line):
            own = unit(line[unit_at]) or own
        kind = "conc" if own else _kind(cells)
        for i in samples:
            row = Row(str(names[i]), name, sheet.place(r))
            yield row.measured(kind, line[i] if i < len(line) else "", own)


def find_samples_down(sheet: Sheet) -> int | None:
    """Row of headings of a matrix with a sample a row: two headings must be known compounds."""

    def is_header(row: list) -> bool:
        first = bool(row) and fold(row[0]) in SAMPLE
        return first and sum(_known(heading_unit(str(cell))[0]) for cell in row[1:]) >= 2

    return _first(sheet, is_header)


def samples_down(sheet: Sheet, top: int) -> Iterator[Row]:
    """A matrix with samples down and compounds across; what is no number is about the sample."""
    names = [heading_unit(str(cell)) for cell in sheet.rows[top]]
    lines = [i for i in range(top + 1, len(sheet.rows)) if sheet.rows[i] and sheet.rows[i][0] != ""]
    columns = [
        i
        for i in range(1, len(names))
        if names[i][0]
        and fold(sheet.rows[top][i]) not in ABOUT
        and (_known(names[i][0]) or _numeric(sheet, lines, i))
    ]
    kind_at = next(
        (
            i
            for i, (name, _) in enumerate(names)
            if fold(name) in ("type", "sample type", "condition", "conditions", "group")
        ),
        None,
    )
    cells = [sheet.rows[r][i] for r in lines for i in columns if i < len(sheet.rows[r])]
    plain = _kind(cells)
    for r in lines:
        line = sheet.rows[r]
        kind = str(line[kind_at]) if kind_at is not None and kind_at < len(line) else ""
        sample = f"{line[0]:g}" if isinstance(line[0], float) else str(line[0])
        for i in columns:
            row = Row(sample, names[i][0], sheet.place(r), kind)
            quantity = "conc" if names[i][1] else plain
            yield row.measured(quantity, line[i] if i < len(line) else "", names[i][1])


def _known(name: str) -> bool:
    found = meaning(name)
    return bool(found.name or found.choices)


def _numeric(sheet: Sheet, lines: list[int], column: int) -> bool:
    cells = [sheet.rows[r][column] for r in lines if column < len(sheet.rows[r])]
    found = [amount(cell) for cell in cells if not absent(cell)]
    return bool(found) and not any(item.odd for item in found)


def _kind(cells: list) -> str:
    """Areas or concentrations, where the table does not say."""
    values = [v for cell in cells if math.isfinite(v := amount(cell).value)]
    return "area" if values and median(values) >= LEAST_AREA else "conc"


def _bare(sample: str) -> str:
    return sample.removesuffix(".d").strip()


def _first(sheet: Sheet, is_header, least: int = 0) -> int | None:
    for index in range(least, min(len(sheet.rows), 200)):
        if is_header(sheet.rows[index]):
            return index
    return None
