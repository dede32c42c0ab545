"""Long tables: one row per well and time, one column or several for what was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from kit.core.wells import find_well, well_name
from kit.readers.headed import fold
from kit.readers.livecell.cells import Fault, Scan, clocks, duration, heading_unit
from kit.readers.ragged import last_filled
from kit.readers.sheets import Sheet
from kit.readers.tokens import cell_text

_TIME = {"time", "time h", "hours", "hour", "elapsed", "elapsed h", "elapsed hours", "timepoint",
         "time (h)", "time [h]", "time (hours)", "time [s]", "time (s)", "time (min)", "time [min]",
         "elapsed (h)"}  # fmt: skip
_CLOCK = {"date", "date time", "datetime", "timestamp", "time stamp", "date/time"}
_VALUES = re.compile(
    r"count|conflu|area|intens|signal|^value$|lumin|fluor|\brlu\b|\brfu\b|dead|live|annexin"
)


def find_long(sheet: Sheet) -> int | None:
    """Row of headings with a well, a time and something measured."""
    for r, row in enumerate(sheet.rows[:60]):
        names = [fold(cell) for cell in row]
        timed = any(name in _TIME or name in _CLOCK for name in names)
        if "well" in names and timed and any(_VALUES.search(name) for name in names):
            return r
    return None


def rows(sheet: Sheet, top: int) -> Iterator[Scan | Fault]:
    """A row a well and time. A clock counts from its first moment."""
    headings = [cell_text(cell) for cell in sheet.rows[top]]
    names = [fold(cell) for cell in headings]
    at = next((i for i, name in enumerate(names) if name in _TIME), -1)
    clock = next((i for i, name in enumerate(names) if name in _CLOCK), -1)
    well, unit = names.index("well"), heading_unit(headings[at]) if at >= 0 else math.nan
    named = names.index("metric") if "metric" in names and "value" in names else -1
    values = [i for i, name in enumerate(names) if _VALUES.search(name)]
    values = [names.index("value")] if named >= 0 else values
    lines = [r for r in range(top + 1, len(sheet.rows)) if last_filled(sheet.rows[r]) >= 0]
    moments = [clocks(sheet.rows[r][clock]) for r in lines] if at < 0 else []
    start = min((found[0] for found in moments if found), default=None)
    for position, r in enumerate(lines):
        row, place = [*sheet.rows[r], *[""] * len(names)], sheet.place(r)
        found = find_well(row[well])
        if found is None:
            yield Fault(place, f"'{cell_text(row[well])}' is no well", "Write for example B02.")
            continue
        if at >= 0:
            hours = duration(row[at], unit if math.isfinite(unit) else 1.0)
        else:
            moment = moments[position]
            hours = (moment[0] - start).total_seconds() / 3600 if moment and start else math.nan
        if not math.isfinite(hours):
            word = cell_text(row[at if at >= 0 else clock])
            yield Fault(place, f"'{word}' is not a time", "Give hours after the start.")
            continue
        for i in values:
            metric = cell_text(row[named]) if named >= 0 else headings[i]
            yield Scan(well_name(*found), hours, metric, row[i], place)
