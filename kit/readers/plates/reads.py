"""A plate read once: what every reader hands over, how it is checked, and how one of several is
chosen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from kit.core.errors import InputError, Problem, Problems, did_you_mean, refused
from kit.core.wells import PLATES, plate_shape, well_name
from kit.readers import tokens
from kit.readers.tokens import Cell

MAX_PROBLEMS = 12
"""Wells named one by one before the rest is only counted."""

_CORRECTED = re.compile(
    r"correct|\bblank|crosstalk|subtract|minus|\bnorm(?!al\b)|calculat|delta|\bratio\b|percent|%|\blog|\bdiff|inhibition|\breduced|score|deviation",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Read:
    """One plate read once.

    `wells` has columns well (A01), row and column (1-based), signal (NaN where there is none) and
    flag ("" or saturated, missing, below_range, masked). `labelled` is False where the file names
    no rows or no columns and the position follows from the size of the block alone; `notes` says
    so in words.
    """

    label: str
    plate: str
    sheet: str
    mode: str
    n_rows: int
    n_columns: int
    labelled: bool
    wells: pd.DataFrame
    notes: tuple[str, ...] = ()
    title: str = ""
    problems: tuple[Problem, ...] = ()
    """What is wrong with this read; `choose` raises it when the read is asked for."""
    faulty_reads: tuple[str, ...] = ()
    """Labels of the other reads of the file that have faults, as `choose` found them."""


@dataclass(frozen=True)
class Well:
    """One cell that holds a signal: 1-based row and column, what the file has there, and where in
    the file it is.
    """

    row: int
    column: int
    cell: Cell
    place: str


@dataclass
class Found:
    """A read as it stands in the file, before its cells are turned into numbers. `place` is where
    it begins.
    """

    place: str
    wells: list[Well]
    sheet: str = ""
    plate: str = ""
    mode: str = ""
    title: str = ""
    stated: int = 0
    labelled: bool = True
    notes: tuple[str, ...] = ()
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """(place, what, remedy) of faults in the table itself."""

    @property
    def corrected(self) -> bool:
        """The file says that these are not the detector's own counts, so that they may be
        negative.
        """
        return bool(_CORRECTED.search(self.title))


def finish(found: Sequence[Found], file: str, saturation: float | None) -> list[Read]:
    """Reads with numbers and unique labels, each with its own problems."""
    return _labelled([(each, _numbers(each, file, saturation)) for each in found])


def _numbers(found: Found, file: str, saturation: float | None) -> Read:
    """One read with its numbers and faults; a read that is on no plate has 0 rows and columns."""
    problems = Problems()
    for place, what, remedy in found.problems:
        problems.say(file, place, what, remedy)
    shape = plate_shape(((well.row, well.column) for well in found.wells), found.stated)
    if shape is None:
        problems.say(
            file,
            found.place,
            "the wells fit no plate of 6 to 1536 wells",
            "Export one grid or list per plate.",
        )
        shape = (0, 0)
    elif not (found.stated or found.problems) and (stray := _outside(found.wells)):
        what = (
            f"well {well_name(stray.row, stray.column)} lies outside the plate that the others fill"
        )
        problems.say(file, stray.place, what, "Correct the well, or its row and column.")
    values = tokens.parse([well.cell for well in found.wells])
    if values.style:
        problems.say(
            file,
            found.place,
            f"{values.style}: what number it is cannot be told",
            "Export plain numbers such as 1234.5.",
        )
    _say_bad(found, values, file, problems)
    signals, flags = np.array(values.signals), np.array(values.flags, dtype=object)
    if saturation is not None:
        high = signals >= saturation
        signals[high], flags[high] = np.nan, tokens.SATURATED
    rows, columns = [well.row for well in found.wells], [well.column for well in found.wells]
    names = [well_name(row, column) for row, column in zip(rows, columns)]
    wells = pd.DataFrame(
        {"well": names, "row": rows, "column": columns, "signal": signals, "flag": flags}
    )
    wells = wells.sort_values(["row", "column"], ignore_index=True)
    return Read(
        "",
        found.plate,
        found.sheet,
        found.mode,
        *shape,
        found.labelled,
        wells,
        found.notes,
        found.title,
        tuple(problems),
    )


def _outside(wells: Sequence[Well]) -> Well | None:
    """The first of a few wells without which the others nearly fill a smaller plate: most likely a
    misspelt one, such as H17 for H7.
    """
    here = {(well.row, well.column) for well in wells}
    for rows, columns in PLATES[-3:-1]:
        inside = sum(row <= rows and column <= columns for row, column in here)
        outside = len(here) - inside
        if 0 < outside <= inside / 5 and inside >= 0.8 * rows * columns:
            return next(w for w in wells if w.row > rows or w.column > columns)
    return None


def _say_bad(found: Found, values: tokens.Values, file: str, problems: Problems) -> None:
    """One problem per well that holds no usable signal, the first `MAX_PROBLEMS` of them by
    name.
    """
    bad = dict(values.bad)
    counts = found.mode == "luminescence" or (not found.mode and not _like_absorbance(values))
    if counts and not found.corrected:
        # Counts of photons cannot be negative; absorbance can, less its blank, and so can anything
        # called corrected.
        negative = (i for i, value in enumerate(values.signals) if value < 0)
        bad |= {i: f"signal {values.signals[i]:g} is negative" for i in negative}
    for i in sorted(bad)[:MAX_PROBLEMS]:
        well = found.wells[i]
        remedy = (
            "Export the raw signal; a corrected one must say so above it ('blank corrected')."
            if bad[i].endswith("negative")
            else "Leave the well empty, or write NaN (missing) or OVRFLW (saturated)."
        )
        problems.say(file, f"{well.place}: well {well_name(well.row, well.column)}", bad[i], remedy)
    if len(bad) > MAX_PROBLEMS:
        problems.say(
            file, found.place, f"{len(bad) - MAX_PROBLEMS} more wells have no usable signal"
        )


def _like_absorbance(values: tokens.Values) -> bool:
    """Small numbers with decimals: optical densities, which may be negative less their blank."""
    known = [value for value in values.signals if not math.isnan(value)]
    return bool(known) and max(map(abs, known)) < 6 and any(value % 1 for value in known)


def _labelled(made: list[tuple[Found, Read]]) -> list[Read]:
    """Reads with labels: sheet (where there are several), plate, mode; then title and place as far
    as needed.
    """
    several = len({read.sheet for _, read in made}) > 1
    parts = []
    for found, read in made:
        head = [
            _words("sheet", read.sheet) if several else "",
            _words("plate", read.plate),
            read.mode or "signal",
        ]
        if found.corrected:
            head.append(found.title)
        if not read.labelled:
            head.append("positions inferred")
        parts.append([part for part in head if part])
    modes = {(read.plate, bool(read.mode)) for _, read in made}
    for extra in ("title", "place"):
        counts = Counter(" / ".join(part) for part in parts)
        for (found, read), part in zip(made, parts):
            text = getattr(found, extra)
            # "signal" alone says too little beside a luminescence of the same plate: it may be a
            # cell count.
            vague = extra == "title" and not read.mode and (read.plate, True) in modes
            if (
                (counts[" / ".join(part)] > 1 or vague)
                and text
                and text.casefold() not in {each.casefold() for each in part}
            ):
                part.append(text)
    counts, used = Counter(" / ".join(part) for part in parts), Counter[str]()
    reads = []
    for (_, read), part in zip(made, parts):
        label = " / ".join(part)
        used[label] += 1
        reads.append(
            replace(read, label=f"{label} ({used[label]})" if counts[label] > 1 else label)
        )
    return reads


def _words(what: str, name: str) -> str:
    """A bare number reads better as "plate 3"."""
    return f"{what} {name}" if name.isdigit() and len(name) < 4 else name


def choose(
    reads: Sequence[Read], *, read: str | None = None, plate: str = "", name: str = ""
) -> Read:
    """The one read meant: the only one, or the one whose label is, or alone contains, `read`.

    `plate` is the plate as experiment.yaml names it and `name` the file, both for the message.
    Raises `InputError`
    that lists the reads there are.
    """
    place = f"plate {plate}" if plate else ""
    if not reads:
        raise refused(name, "the file holds no plate read", place=place)
    chosen = _chosen(reads, read, place, name)
    if chosen.problems:
        raise InputError(dict.fromkeys(chosen.problems))
    faulty = tuple(each.label for each in reads if each.problems)
    return replace(chosen, faulty_reads=faulty) if faulty else chosen


def _chosen(reads: Sequence[Read], read: str | None, place: str, name: str) -> Read:
    """The read whose label, else whose title, is or alone contains `read`."""
    labels = [each.label for each in reads]
    listing = ", ".join(f"'{label}'" for label in labels[:MAX_PROBLEMS])
    listing += f" and {len(labels) - MAX_PROBLEMS} more" if len(labels) > MAX_PROBLEMS else ""
    if read is None or not read.strip():
        if len(reads) == 1:
            return reads[0]
        what = f"the file holds {len(reads)} plate reads: {listing}"
        remedy = (
            f'Write `read: "{labels[0]}"`, or another of them, on that plate in experiment.yaml.'
        )
        faults = dict.fromkeys(fault for each in reads for fault in each.problems)
        raise InputError([Problem(name, place, what, remedy), *faults])
    wanted = _folded(read)
    near = [each for each in reads if each.label == read]
    for text in ("label", "title"):
        near = near or [each for each in reads if _folded(getattr(each, text)) == wanted]
        near = near or [each for each in reads if _holds(_folded(getattr(each, text)), wanted)]
    if len(near) == 1:
        return near[0]
    fits = "fits several of" if near else "is none of"
    hint = "" if near else did_you_mean(read, labels, listing=False)
    remedy = f'{hint} Write `read: "<label>"` with one of these labels on that plate in experiment.yaml.'.strip()
    raise refused(
        name, f"read '{read}' {fits} the {len(reads)} plate reads: {listing}", remedy, place=place
    )


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _holds(text: str, wanted: str) -> bool:
    """Whether some words hold others, units in brackets aside; 3 is not in 300 and not in 0.3."""
    number = r"(?<![\d.,])" if wanted[:1].isdigit() else ""
    pattern = number + re.escape(wanted) + (r"(?![.,]?\d)" if wanted[-1:].isdigit() else "")
    return any(re.search(pattern, each) for each in (text, re.sub(r" \[[^]]*\]", "", text)))


def is_signal(cells: Sequence[Cell]) -> bool | None:
    """Whether a block of cells holds signals: False for names and empty maps; None when it is
    neither one nor other.

    Well identifiers and treatments are words, an unused plate map is all dashes. A block is a
    signal when most of what
    stands in it is numbers, or when it has no number but words that only a reader writes (NaN in
    every well).
    """
    kinds = Counter(tokens.kind(cell) for cell in cells)
    numbers, words, known = kinds["number"], kinds["text"], kinds["token"]
    if numbers == 0:
        return bool(known) and not words
    if words == 0:
        return True
    return None if words > numbers + known else True


def no_number(value: float) -> bool:
    """NaN, or the negative zero by which some converters mark a value they do not have."""
    return math.isnan(value) or (value == 0 and math.copysign(1, value) < 0)
