"""What one scan of one well says, and how times, clocks and metrics are written."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from typing import NamedTuple

from kit.readers.tokens import Cell


class Scan(NamedTuple):
    """One value as written: `where` is a well or the name of a group, `cell` not yet a number."""

    where: str
    hours: float
    metric: str
    cell: Cell
    place: str
    image: str = ""
    group: bool = False


class Fault(NamedTuple):
    """What is wrong at a place of the file; `warn` where the file can be read all the same."""

    place: str
    what: str
    remedy: str = ""
    warn: bool = False


KINDS = (
    ("annexin", r"annexin|green|caspase"),
    ("dead", r"red|dead|corpse|cytotox|propidium|sytox|\bpi\b|7-?aad"),
    ("confluence", r"conflu|konfluenz|\bphase area\b"),
    ("count", r"count|nuclei|number of objects|cells"),
    ("luminescence", r"lumin|rlu|realtime"),
    ("fluorescence", r"fluor|rfu"),
    ("wound", r"wound"),
)
"""Kind of a metric by words of its name, the first that fits."""
DEATH_KINDS = ("dead", "annexin")
GROWTH_KINDS = ("count", "confluence", "luminescence", "fluorescence", "other")
"""Kinds that may stand for cell number, the most direct first."""


def metric_kind(name: str) -> str:
    """What a metric measures, by its name; `other` where no word is known.

    >>> metric_kind("Phase Object Confluence (Percent)"), metric_kind("Red Object Count (1/mm2)")
    ('confluence', 'dead')
    """
    folded = name.casefold().replace("_", " ")
    return next((kind for kind, words in KINDS if re.search(words, folded)), "other")


_UNITS = {"ms": 1 / 3_600_000, "s": 1 / 3600, "sec": 1 / 3600, "min": 1 / 60, "h": 1.0, "hr": 1.0,
          "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0, "days": 24.0}  # fmt: skip
_PART = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(days?|d|hours?|hrs?|hr|h|min|m|sec|s)(?![a-z])")


def heading_unit(heading: str) -> float:
    """Hours in one unit of a heading such as `Time [s]`; NaN where it names none."""
    found = re.search(r"[\[(/]\s*([a-z]+)\s*[\])]?", heading.casefold())
    return _UNITS.get(found[1], math.nan) if found else math.nan


def duration(cell: Cell, unit: float = 1.0) -> float:
    """Hours of an elapsed time: a number in `unit`, `0d02h00m`, `1 h 30 min`, `01:30:00`; NaN where
    it is none.

    >>> duration("1d12h00m"), duration("0:30:00"), duration("8,1"), duration(7200.0, 1 / 3600)
    (36.0, 0.5, 8.1, 2.0)
    """
    if isinstance(cell, float):
        return cell * unit
    text = str(cell).strip().casefold()
    if re.fullmatch(r"-?[0-9]+(?:[.,][0-9]+)?", text):
        return float(text.replace(",", ".")) * unit
    text = re.sub(r"^1899-12-3[01][ t]", "", text)
    clock = re.fullmatch(r"(?:([0-9]+)(?: days?,? |\.))?([0-9]+):([0-9]{2})(?::([0-9.]+))?", text)
    if clock:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return days * 24 + hours + minutes / 60 + seconds / 3600
    parts = _PART.findall(text)
    if parts and not _PART.sub("", text).strip(" ,;"):
        names = {"m": 1 / 60, "hrs": 1.0}
        return sum(float(n.replace(",", ".")) * names.get(u, _UNITS.get(u, 1.0)) for n, u in parts)
    return math.nan


_CLOCK = re.compile(
    r"([0-9]{1,4})[./-]([0-9]{1,2})[./-]([0-9]{1,4})[ t]+([^0-9]*)([0-9]{1,2}):([0-9]{2})"
    r"(?::([0-9]{2}))?[^0-9]*?([^\s0-9]*)"
)
_AFTERNOON = {"pm", "p.m.", "오후", "午後", "下午", "nachm."}
_MORNING = {"am", "a.m.", "오전", "午前", "上午", "vorm."}


def clocks(cell: Cell) -> list[dt.datetime]:
    """The moments a clock may mean: day first, month first, or year first."""
    found = _CLOCK.fullmatch(str(cell).strip().casefold())
    if not found:
        return []
    a, b, c = (int(part) for part in found.groups()[:3])
    hour, minute, second = int(found[5]), int(found[6]), int(found[7] or 0)
    half = {found[4].strip(), found[8].strip()}
    if half & _AFTERNOON and hour < 12:
        hour += 12
    if half & _MORNING and hour == 12:
        hour = 0
    year_first = a > 31
    orders = [(a, b, c)] if year_first else [(c, b, a), (c, a, b)]
    moments = []
    for year, month, day in dict.fromkeys(orders):
        try:
            start = dt.datetime(year if year > 99 else year + 2000, month, day)
        except ValueError:
            continue
        moments.append(start + dt.timedelta(hours=hour, minutes=minute, seconds=second))
    return moments


def clock_disagrees(first: Cell, cell: Cell, elapsed: float) -> float:
    """Hours the clocks say, where no reading of them comes within 1.1 h (a change of summer time)
    of `elapsed`; NaN where they agree or are no clocks.
    """
    gaps = [
        (later - sooner).total_seconds() / 3600
        for sooner, later in itertools.product(clocks(first), clocks(cell))
    ]
    near = min(gaps, key=lambda gap: abs(gap - elapsed), default=math.nan)
    return near if abs(near - elapsed) > 1.1 else math.nan
