"""Exports of live imagers: wells or groups across and scans down, and one grid per scan."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from kit.core.wells import find_well, row_number, well_name
from kit.readers.headed import fold
from kit.readers.livecell.cells import Fault, Scan, clock_disagrees, clocks, duration
from kit.readers.ragged import beyond, last_filled
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text

CLOCK = {"date time", "datetime", "date/time", "date", "datum", "datum zeit", "datum uhrzeit",
         "date heure", "fecha hora", "time stamp", "timestamp", "날짜 시간"}  # fmt: skip
ELAPSED = {"elapsed", "elapsed h", "elapsed (h)", "elapsed hours", "elapsed (hours)",
           "elapsed time", "elapsed time (h)", "elapsed time (hours)", "verstrichen"}  # fmt: skip
_ERROR = re.compile(r"std\.? ?err|std\.? ?dev|\bsem\b|\(sd\)", re.IGNORECASE)
_WELL = re.compile(r":?\s*([A-Za-z]{1,2}[0-9]{1,2})\s*(?:,\s*image\s*([0-9]+))?(?:\s*:\s*(.+))?",
                   re.IGNORECASE)  # fmt: skip
_IMAGER = (16, 24)
"""Rows and columns of the largest plate of a live imager, 384 wells."""


class Column(NamedTuple):
    """One column of values: where it belongs, which image, and the metric its heading names."""

    at: int
    where: str
    image: str
    metric: str
    group: bool


def find_table(sheet: Sheet) -> int | None:
    """Row of the first heading with a clock and an elapsed time, or with a clock and wells."""
    return next((r for r, row in enumerate(sheet.rows) if _is_heading(row)), None)


def _is_heading(row: list[Cell]) -> bool:
    names = [fold(cell) for cell in row]
    if "well" in names:
        return False
    timed = any(name in ELAPSED for name in names)
    clocked = bool(names) and names[0] in CLOCK
    wells = any(_WELL.fullmatch(cell_text(cell)) for cell in row[1:])
    return (timed and (clocked or len(row) > 1)) or (clocked and wells)


def table(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """Every table of the export: wells across, one scan a row. A second block with its own heading
    is a table of its own.
    """
    start = 0
    heading: int | None = top
    while heading is not None:
        metric = _metric(sheet.rows[start:heading])
        end = _end(sheet, heading)
        yield from _block(sheet, heading, end, metric)
        start = end
        heading = next((r for r in range(end, len(sheet.rows)) if _is_heading(sheet.rows[r])), None)


def _metric(lines: list[list[Cell]]) -> str:
    """The metric that the lines above the heading name; it may hold the file's own delimiter."""
    for row in reversed(lines):
        first = cell_text(row[0]) if row else ""
        if first.casefold().startswith(("metric", "metrik")):
            rest = [first.partition(":")[2].strip(), *(cell_text(cell) for cell in row[1:])]
            return " ".join(part for part in rest if part)
    return ""


def _end(sheet: Sheet, heading: int) -> int:
    """The row behind the last scan: an empty line or the labels of another block."""
    for r in range(heading + 1, len(sheet.rows)):
        row = sheet.rows[r]
        if last_filled(row) < 0 or re.match(r"[^0-9]+:($|\s)", str(row[0])) or _is_heading(row):
            return r
    return len(sheet.rows)


def _block(sheet: Sheet, heading: int, end: int, metric: str) -> Iterator[Scan | Fault]:
    names = sheet.rows[heading]
    folded = [fold(cell) for cell in names]
    at = next((i for i, name in enumerate(folded) if name in ELAPSED), None)
    if at is None:
        what = f"there is no column Elapsed; the columns are {', '.join(map(str, names[:8]))}"
        yield Fault(sheet.place(heading), what, "Export the table with elapsed hours.")
        return
    columns = list(_columns(sheet, heading, at, metric))
    yield from (item for item in columns if isinstance(item, Fault))
    kept = [item for item in columns if isinstance(item, Column)]
    if end == heading + 1:
        yield Fault(sheet.place(heading), "the table holds no scan", "Export it again.")
    lines = range(heading + 1, end)
    yield from (Fault(*fault) for fault in beyond(sheet, last_filled(names), lines))
    yield from _scans(sheet, lines, at, kept, last_filled(names) + 1)


def _scans(
    sheet: Sheet, lines: range, at: int, columns: list[Column], width: int
) -> Iterator[Scan | Fault]:
    before = -math.inf
    for r in lines:
        row, place = sheet.rows[r], sheet.place(r)
        if sheet.delimiter and len(row) < width:
            have = sum(column.at < len(row) for column in columns)
            what = f"the row has {have} values, the heading names {len(columns)} wells"
            yield Fault(place, what, "Export the table again; the file may be cut off.")
            continue
        hours = duration(row[at])
        if not math.isfinite(hours):
            yield Fault(place, f"elapsed time '{cell_text(row[at])}' is not a time in hours")
            continue
        if hours <= before:
            word = "two rows at" if hours == before else f"times go back from {before:g} h to"
            remedy = "Keep one row for each scan, in the order of time."
            yield Fault(place, f"{word} {hours:g} h", remedy)
        before = max(before, hours)
        said = clock_disagrees(
            sheet.rows[lines[0]][0], row[0], hours - duration(sheet.rows[lines[0]][at])
        )
        if at and clocks(row[0]) and math.isfinite(said):
            yield Fault(place, f"elapsed {hours:g} h, but the clock says {said:.3g} h", warn=True)
        for column in columns:
            yield Scan(
                column.where,
                hours,
                column.metric,
                row[column.at],
                place,
                column.image,
                column.group,
            )


def _columns(sheet: Sheet, heading: int, at: int, metric: str) -> Iterator[Column | Fault]:
    """The columns of values; the standard errors of wells are left out, those of groups named."""
    cells = [(i, cell_text(cell)) for i, cell in enumerate(sheet.rows[heading])]
    cells = [(i, text) for i, text in cells if i > at and text]
    behind = [(i, text) for i, text in cells if not _ERROR.search(text)]
    wells = {i: found for i, text in behind if (found := _WELL.fullmatch(text))}
    for i, text in cells:
        if not wells and (error := re.fullmatch(r"(.+) \((Std Err [^)]+)\)", text)):
            yield Column(i, error[1], "", error[2], True)
    seen: dict[tuple[str, str, str], str] = {}
    for i, text in behind:
        place = f"{sheet.place(heading)}, column {i + 1}"
        match = wells.get(i)
        if not match and wells:
            yield Fault(place, f"'{text}' names no well", "Name every column by its well.")
            continue
        if not match:
            # Groups are often named by their treatment, with one column for each of their wells.
            times = [other for _, other in behind].count(text)
            name = f"{text} (column {i + 1})" if times > 1 else text
            yield Column(i, name, "", metric or "value", True)
            continue
        well = find_well(match[1])
        if well is None or well[0] > _IMAGER[0] or well[1] > _IMAGER[1]:
            what = f"{match[1]} is no well of a plate with 96 or 384 wells"
            yield Fault(place, what, "Correct the heading.")
            continue
        name, image = well_name(*well), match[2] or ""
        own = (match[3] or metric).strip()
        if (name, image, own) in seen:
            what = f"{seen[name, image, own]} and {match[1]} are the same well"
            yield Fault(place, what, "Keep one column for each well.")
            continue
        seen[name, image, own] = match[1]
        yield Column(i, name, image, own, False)


def find_grids(sheet: Sheet) -> int | None:
    """Row of the first `Time Stamp:` of an export with one grid per scan."""
    return next(
        (r for r, row in enumerate(sheet.rows) if row and fold(row[0]).startswith("time stamp:")),
        None,
    )


def grids(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """One plate-shaped grid per scan and image."""
    metric, hours, title = _metric(sheet.rows[:top]), math.nan, ""
    columns: dict[int, int] = {}
    before = -math.inf
    for r in range(top, len(sheet.rows)):
        row, place = [*sheet.rows[r]], sheet.place(r)
        first = cell_text(row[0]) if row else ""
        if fold(first).startswith("time stamp:"):
            labels = [fold(cell) for cell in row]
            at = next((i for i, text in enumerate(labels) if text.startswith("elapsed")), None)
            hours = duration(row[at + 1]) if at is not None and at + 1 < len(row) else math.nan
            if not math.isfinite(hours) or hours <= before:
                what = f"the elapsed time {hours:g} h is missing or does not increase"
                yield Fault(place, what, "Export the scans in the order of time.")
            before = max(before, hours) if math.isfinite(hours) else before
            columns = {}
        elif not first and last_filled(row) > 0:
            numbers = {i: str(cell_text(cell)) for i, cell in enumerate(row) if cell != ""}
            columns = {i: int(text) for i, text in numbers.items() if text.isdigit()}
        elif first and last_filled(row) <= 0 and not row_number(first):
            title, columns = first, {}
        elif columns and row_number(first):
            image = title[5:].strip() if title.casefold().startswith("image") else ""
            for i, column in columns.items():
                if i < len(row) and row[i] != "":
                    name = well_name(row_number(first), column)
                    own = title if _ERROR.search(title) else metric
                    yield Scan(name, hours, own, row[i], place, image)
