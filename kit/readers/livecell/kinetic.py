"""Kinetic exports of plate readers: wells down or across, times along the other side, or one grid
per time.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

from kit.core.wells import find_well, row_number, well_name
from kit.readers.headed import fold
from kit.readers.livecell.cells import Fault, Scan, duration, heading_unit
from kit.readers.ragged import last_filled
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text

_TIME = re.compile(r"(?:kinetic )?(?:time|zeit|temps|tiempo)\b|avg\.? time")
_HEAT = ("temp", "t°")
_MEAN = re.compile(r"\s*\((?:mean|mittelwert|average)\)\s*$", re.IGNORECASE)
_MODE = {"mode", "modus", "measurement mode", "read", "read mode", "detection method", "label"}
_WORDS = r"lumin\w*|fluor\w*|absorb\w*|\b(?:lum|od)\b"


def _is_time(cell: Cell) -> bool:
    return bool(_TIME.match(fold(cell)))


def _time_at(row: list[Cell]) -> int | None:
    """Column of the times; SoftMax may leave its heading empty in front of the temperature."""
    at = next((i for i, cell in enumerate(row) if _is_time(cell)), None)
    if at is None and len(row) > 1 and row[0] == "" and fold(row[1]).startswith(_HEAT):
        return 0
    return at


def _wells(row: list[Cell]) -> dict[int, str]:
    """Columns of wells; of several reads in a well (Spark) the mean, never its deviation."""
    plain = (re.sub(_MEAN, "", cell) if isinstance(cell, str) else cell for cell in row)
    return {i: well_name(*well) for i, cell in enumerate(plain) if (well := find_well(cell))}


def _backwards(before: float, hours: float, place: str) -> Fault:
    what = f"times go back from {before:g} h to {hours:g} h"
    if hours == before:
        what = f"two scans at {hours:g} h"
    return Fault(place, what, "Keep one scan for each time, in the order of time.")


def _metric(lines: list[list[Cell]]) -> str:
    """What was measured: the mode the file names, else the nearest word for one above."""
    for row in lines:
        filled = [cell_text(cell) for cell in row if cell != ""]
        if len(filled) > 1 and fold(filled[0]).rstrip(":") in _MODE:
            return filled[1]
    for row in reversed(lines):
        for cell in row:
            if found := re.search(_WORDS, cell_text(cell), re.IGNORECASE):
                return found[0]
    return ""


def _times(cells: dict[int, Cell], unit: float) -> dict[int, float]:
    found = {i: duration(cell, unit) for i, cell in cells.items()}
    return {i: hours for i, hours in found.items() if math.isfinite(hours)}


def _unit(heading: Cell, cells: list[Cell]) -> float:
    """Hours in the unit of a heading; NaN where bare numbers have none."""
    unit = heading_unit(cell_text(heading))
    bare = [cell for cell in cells if isinstance(cell, float) or re.fullmatch(r"[0-9.,]+", cell)]
    return unit if math.isfinite(unit) or bare else 1.0


def _without_unit(sheet: Sheet, row: int) -> Fault:
    remedy = "Write the unit behind it, for example `Time [s]`."
    return Fault(sheet.place(row), "the times have no unit", remedy)


def find_wells_down(sheet: Sheet) -> int | None:
    """Row of times above rows that each begin with a well."""
    for r, row in enumerate(sheet.rows):
        if row and _is_time(row[0]) and last_filled(row) >= 2 and len(_wells(row)) == 0:
            below = sheet.rows[r + 1 : r + 5]
            if any(line and find_well(line[0]) for line in below):
                return r
    return None


def wells_down(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """A row a well, a column a time; every such table of the sheet."""
    start = 0
    for r in range(top, len(sheet.rows)):
        row = sheet.rows[r]
        if not row or not _is_time(row[0]) or last_filled(row) < 2:
            continue
        unit = _unit(row[0], [cell for cell in row[1:] if cell != ""])
        if math.isnan(unit):
            yield _without_unit(sheet, r)
            return
        times = _times({i: cell for i, cell in enumerate(row) if i and cell != ""}, unit)
        metric = _metric(sheet.rows[start:r])
        order = list(times.values())
        for sooner, later in itertools.pairwise(order):
            if later <= sooner:
                yield _backwards(sooner, later, sheet.place(r))
        for below in range(r + 1, len(sheet.rows)):
            line = sheet.rows[below]
            well = find_well(line[0]) if line else None
            if well is None and line and fold(line[0]).startswith(_HEAT):
                continue
            if well is None:
                start = below
                break
            for i, hours in times.items():
                cell = line[i] if i < len(line) else ""
                yield Scan(well_name(*well), hours, metric, cell, sheet.place(below))


def find_wells_across(sheet: Sheet) -> int | None:
    """Row with a time heading and wells behind it."""
    return next(
        (
            r
            for r, row in enumerate(sheet.rows)
            if len(_wells(row)) > 0 and _time_at(row) is not None
        ),
        None,
    )


def wells_across(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """A column a well, a row a time; every such table of the sheet."""
    start = 0
    for r in range(top, len(sheet.rows)):
        row = sheet.rows[r]
        wells, at = _wells(row), _time_at(row)
        if at is None or not wells:
            continue
        metric = _metric([*sheet.rows[start:r], row])
        before = -math.inf
        for below in range(r + 1, len(sheet.rows)):
            line = sheet.rows[below]
            named = below == r + 1 and last_filled(line) >= 0  # MARS: what each well holds
            if at >= len(line) or line[at] == "":
                if named:
                    continue
                start = below
                break
            unit = _unit(row[at], [line[at]])
            if math.isnan(unit):
                yield _without_unit(sheet, r)
                return
            hours = duration(line[at], unit)
            if not math.isfinite(hours):
                start = below
                break
            cells = {well: line[i] if i < len(line) else "" for i, well in wells.items()}
            if hours <= before:
                if any(cell != "" for cell in cells.values()):
                    yield _backwards(before, hours, sheet.place(below))
                continue  # Gen5 writes 0:00:00 for reads that were planned and never made
            before = hours
            for well, cell in cells.items():
                yield Scan(well, hours, metric, cell, sheet.place(below))


def find_blocks(sheet: Sheet) -> int | None:
    """Row of a time heading with column numbers 1, 2, 3 behind it (SoftMax, plate format)."""
    for r, row in enumerate(sheet.rows):
        if _time_at(row) == 0 and {"1", "2", "3"} <= {cell_text(cell) for cell in row}:
            return r
    return None


def blocks(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """One grid a time: the time stands in front of row A, and an empty line ends the grid."""
    heading = sheet.rows[top]
    columns = {
        i: int(text) for i, cell in enumerate(heading) if (text := cell_text(cell)).isdigit()
    }
    hours, letter = math.nan, 0
    metric = _metric(sheet.rows[:top])
    for r in range(top + 1, len(sheet.rows)):
        row = sheet.rows[r]
        if last_filled(row) < 0:
            letter = 0
            continue
        if str(row[0]).startswith("~"):
            return
        if row[0] != "":
            unit = _unit(heading[0], [row[0]])
            hours, letter = duration(row[0], unit), 0
            if not math.isfinite(hours):
                return
        letter += 1
        for i, column in columns.items():
            if i < len(row) and row[i] != "":
                yield Scan(well_name(letter, column), hours, metric, row[i], sheet.place(r))


_ROW, _COLUMN = {"well row", "row"}, {"well col", "well column", "col", "column"}


def find_rows_of_wells(sheet: Sheet) -> int | None:
    """Row of headings with the well, or its row and column, and a time over every value (MARS)."""
    for r, row in enumerate(sheet.rows):
        names = {fold(cell) for cell in row}
        if ("well" in names or (names & _ROW and names & _COLUMN)) and _mars_times(sheet, r):
            return r
    return None


def _mars_times(sheet: Sheet, top: int) -> dict[int, float]:
    """Times of the columns: in a line `Time` below the headings, else in the headings."""
    for row in sheet.rows[top + 1 : top + 3]:
        at = next((i for i, cell in enumerate(row[:4]) if _is_time(cell)), None)
        if at is not None:
            cells = {i: cell for i, cell in enumerate(row) if i > at and cell != ""}
            unit = _unit(row[at], list(cells.values()))
            return _times(cells, unit) if math.isfinite(unit) else {}
    found = {}
    for i, cell in enumerate(sheet.rows[top]):
        text = re.search(r"([0-9.]+ ?(?:h|min|s)(?: [0-9.]+ ?(?:min|s))*)\)?$", fold(cell))
        if text and math.isfinite(hours := duration(text[1])):
            found[i] = hours
    return found if len(found) > 1 else {}


def rows_of_wells(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """A row a well, named by one cell or by row and column."""
    names = [fold(cell) for cell in sheet.rows[top]]
    times, metric = _mars_times(sheet, top), _metric(sheet.rows[: top + 1])
    single = names.index("well") if "well" in names else -1
    letter = next((i for i, name in enumerate(names) if name in _ROW), 0)
    number = next((i for i, name in enumerate(names) if name in _COLUMN), 0)
    for r in range(top + 1, len(sheet.rows)):
        row = sheet.rows[r]
        if last_filled(row) < 0:
            break
        if single >= 0:
            well = find_well(row[single])
        else:
            text = f"{cell_text(row[letter])}{cell_text(row[number])}"
            well = find_well(text) if row_number(cell_text(row[letter])) else None
        if well is None:
            continue
        for i, hours in times.items():
            cell = row[i] if i < len(row) else ""
            yield Scan(well_name(*well), hours, metric, cell, sheet.place(r))
