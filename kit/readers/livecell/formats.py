"""Which live-imaging and kinetic formats there are, and how a file is read by the one it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from kit.core.errors import InputError, Problem, Problems
from kit.core.findings import Finding
from kit.readers import tokens
from kit.readers.livecell import imager, kinetic, long
from kit.readers.livecell.cells import Fault, Scan
from kit.readers.sheets import Sheet, open_source, text_sheets

LONG = ["well", "group", "elapsed_h", "metric", "image", "value", "place"]


@dataclass(frozen=True)
class LiveCell:
    """Scans in long form (columns `LONG`), the format they were written in, and what the reader
    noticed. A missing scan has no value.
    """

    scans: pd.DataFrame
    format: str
    findings: tuple[Finding, ...] = ()


class Format(NamedTuple):
    """How a format is recognised (the row where it starts, or None) and read."""

    find: Callable[[Sheet], int | None]
    read: Callable[[Sheet, int], Iterator[Scan | Fault]]


FORMATS: dict[str, Format] = {
    "imager grids": Format(imager.find_grids, imager.grids),
    "long table": Format(long.find_long, long.rows),
    "imager table": Format(imager.find_table, imager.table),
    "kinetic, plate blocks": Format(kinetic.find_blocks, kinetic.blocks),
    "kinetic, wells across": Format(kinetic.find_wells_across, kinetic.wells_across),
    "kinetic, wells down": Format(kinetic.find_wells_down, kinetic.wells_down),
    "kinetic, rows of wells": Format(kinetic.find_rows_of_wells, kinetic.rows_of_wells),
}
"""Format -> how it is recognised and read, tried in this order. A new one is one entry."""


def read_livecell(path: Path | str, *, name: str = "", sheet: str | None = None) -> LiveCell:
    """The scans of a live-imaging or kinetic export.

    Parameters
    ----------
    path
        The file: text or Excel.
    name
        The path as the user knows it.
    sheet
        Excel sheet; None: all.

    Raises
    ------
    InputError
        With every cell that is no number, times that do not increase, wells that stand twice, and
        where no format is recognised.
    """
    path = Path(path)
    name = name or path.name
    source = open_source(path, name, sheet)
    sheets = list(source.sheets or text_sheets(source.text))
    for kind, item in FORMATS.items():
        found = [(part, top) for part in sheets if (top := item.find(part)) is not None]
        if found:
            # Of several ways to cut a text, the one that gives the heading most cells.
            # White space comes last, because it also cuts within words.
            best = max(found, key=lambda p: (p[0].delimiter != " ", len(p[0].rows[p[1]])))
            used = found if source.sheets else [best]
            return _finish([row for part, top in used for row in item.read(part, top)], kind, name)
    remedy = (
        "Export a table with the columns `Date Time` and `Elapsed` and one column for each well,"
        " or a long table with the columns well, hours, metric, value."
    )
    raise InputError(Problem(name, "", "no table of scans is recognised", remedy))


def _finish(rows: Iterable[Scan | Fault], kind: str, name: str) -> LiveCell:
    everything = list(rows)
    faults = [item for item in everything if isinstance(item, Fault)]
    scans = [item for item in everything if isinstance(item, Scan)]
    problems = Problems()
    for fault in faults:
        if not fault.warn:
            problems.say(name, fault.place, fault.what, fault.remedy)
    values = tokens.parse([scan.cell for scan in scans])
    for i, scan in enumerate(scans):
        flag = values.flags[i]
        if i in values.bad or flag not in ("", tokens.MISSING):
            what = f"{scan.where}: '{tokens.cell_text(scan.cell)}' is not a number"
            problems.say(name, scan.place, what, "Write the number, or leave the cell empty.")
    if values.style:
        remedy = "Export with a decimal point and without thousands separators."
        problems.say(name, "", values.style, remedy)
    if not scans and not problems:
        problems.say(name, "", "the table holds no scans", "Export it again.")
    problems.raise_if_any()
    frame = pd.DataFrame(
        [
            (
                "" if s.group else s.where,
                s.where if s.group else "",
                s.hours,
                s.metric,
                s.image,
                value,
                s.place,
            )
            for s, value in zip(scans, values.signals)
        ],
        columns=LONG,
    )
    _refuse_twice(frame, name)
    warned = [fault for fault in faults if fault.warn]
    found = [
        Finding("LIVE_CLOCK", "warn", name, {"place": fault.place, "what": fault.what})
        for fault in warned[:1]
    ]
    return LiveCell(frame, kind, tuple(found))


def _refuse_twice(frame: pd.DataFrame, name: str) -> None:
    keys = ["well", "group", "elapsed_h", "metric", "image"]
    twice = frame[frame.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        what = f"{row['well'] or row['group']} has two values at {row['elapsed_h']:g} h"
        remedy = "Keep one row for each well, time and metric."
        raise InputError(Problem(name, str(row["place"]), what, remedy))
