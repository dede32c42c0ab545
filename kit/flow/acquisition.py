"""A whole flow acquisition: one gate, drawn from its controls, for every file of its sample sheet.

time -> debris -> singlets -> compensation -> thresholds -> counts -> flow table. One sheet is one
acquisition: files measured on another
day with other voltages belong on a sheet of their own, with their own controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.core.errors import InputError, Problem, Problems
from kit.flow.compensation import spill_from_controls, unmix
from kit.flow.gating import (
    Floats,
    FlowGates,
    FromControl,
    Quadrants,
    quadrants,
    singlets,
    time_gate,
)
from kit.readers.flow.events import Events, Spill

_MIN_CONTROL_EVENTS = 500  # [K] the 99.5th percentile of fewer events rests on one or two of them
_PLOT_POINTS = 20_000


@dataclass(frozen=True)
class Gated:
    """One gated file: events left after each step, and at most 20,000 events for figures.

    `points`: singlets x (annexin, pi), compensated; `scatter`: events within time x (FSC area, FSC
      height, SSC), NaN where not recorded.
    """

    name: str
    steps: dict[str, int]
    counts: Quadrants
    points: Floats
    scatter: Floats


@dataclass(frozen=True)
class GatedRun:
    """All samples of one acquisition: the flow table, the thresholds in force, the matrix, figures'
    points and what to know.
    """

    table: pd.DataFrame
    annexin_threshold: float
    pi_threshold: float
    singlet_center: float
    compensation: Spill | None
    samples: dict[str, Gated]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class _Cells:
    """One file after time and debris: the columns still needed, float32, and counts so far."""

    steps: dict[str, int]
    columns: Floats
    ratio: Floats | None
    scatter: Floats


def gate_files(
    sheet: pd.DataFrame,
    gates: FlowGates,
    load: Callable[[Any], Events],
    keep: Callable[[str, Floats], None] | None = None,
) -> GatedRun:
    """Gate every file of a sample sheet the same way.

    `sheet` has the columns of `kit.readers.flow.fcs.read_sample_sheet`; `load` turns one of its
    rows (a dict) into Events. Raises
    InputError with the problems of all files at once. Files are loaded one at a time; only the
    gated columns stay in memory, and only
    while this runs, unless `keep` takes each file's compensated singlets x (annexin, pi).
    """
    problems, notes = Problems(), []
    loaded: dict[str, tuple[_Cells, Spill | None]] = {}
    channels: tuple[str, ...] = ()
    for row in sheet.to_dict("records"):
        try:
            events = load(row)
            spill = events.spill if gates.compensate in ("auto", "file") else None
            channels = _wanted(events, gates, spill)
            loaded[row["file"]] = (
                _cells(events, gates, channels),
                _reduced(spill, events, channels),
            )
            notes += [f"{row['file']}: {note}" for note in events.notes]
        except InputError as error:
            problems.extend(error.problems)
    problems.raise_if_any()
    center = gates.singlet_center or _center(cells.ratio for cells, _ in loaded.values())
    single = {name: _single(cells, center, gates) for name, (cells, _) in loaded.items()}
    spills, note = _matrices(
        sheet, gates, {name: spill for name, (_, spill) in loaded.items()}, single
    )
    values = {name: unmix(columns, spills[name]) for name, columns in single.items()}
    cut_annexin = _threshold(
        gates.annexin_threshold, 0, "annexin_threshold", sheet, values, problems
    )
    cut_pi = _threshold(gates.pi_threshold, 1, "pi_threshold", sheet, values, problems)
    problems.raise_if_any()
    gated = {
        name: _gated(loaded[name][0], name, value, cut_annexin, cut_pi)
        for name, value in values.items()
    }
    for name, value in values.items() if keep is not None else ():
        keep(name, value[np.isfinite(value).all(axis=1)])  # type: ignore[misc]
    if gates.fsc_height is None:
        notes.append("singlets were not gated: the instrument records no pulse height")
    return GatedRun(
        _flow_table(sheet, gated),
        cut_annexin,
        cut_pi,
        center,
        next(iter(spills.values()), None),
        gated,
        (*dict.fromkeys(notes), *note),
    )


def _wanted(events: Events, gates: FlowGates, spill: Spill | None) -> tuple[str, ...]:
    """Annexin and PI first, then whatever else the matrix mixes into them."""
    pair = tuple(events.channels[events.index(channel)] for channel in (gates.annexin, gates.pi))
    if spill is None or not set(pair) <= set(spill.channels):
        return pair
    return (*pair, *(channel for channel in spill.channels if channel not in pair))


def _reduced(spill: Spill | None, events: Events, channels: tuple[str, ...]) -> Spill | None:
    """The matrix in the order of `channels`; None when it does not hold them."""
    if spill is None or not set(channels) <= set(spill.channels):
        return None
    order = [spill.channels.index(channel) for channel in channels]
    return Spill(channels, spill.matrix[np.ix_(order, order)])


def _cells(events: Events, gates: FlowGates, channels: tuple[str, ...]) -> _Cells:
    """Time and debris gates of one file."""
    keep = np.ones(len(events), dtype=bool)
    if gates.time is not None and gates.time in events.channels:
        keep = time_gate(events.column(gates.time), gates)
    area = events.column(gates.fsc_area)
    cells = np.flatnonzero(keep & (area > 0) & (area >= gates.debris_fsc_min))
    steps = {
        "events_total": len(events),
        "events_time": int(np.count_nonzero(keep)),
        "events_cells": len(cells),
    }
    columns = events.values[cells][:, [events.index(channel) for channel in channels]]
    ratio = (
        None
        if gates.fsc_height is None
        else _ratio(area[cells], events.column(gates.fsc_height)[cells])
    )
    return _Cells(steps, columns, ratio, _scatter(events, gates, _some(np.flatnonzero(keep))))


def _ratio(area: Floats, height: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(height > 0, area / height, np.nan)


def _scatter(events: Events, gates: FlowGates, at: NDArray[np.intp]) -> Floats:
    blank = np.full(len(at), np.nan, dtype=np.float32)
    names = (gates.fsc_area, gates.fsc_height, gates.ssc)
    return np.column_stack([blank if name is None else events.column(name)[at] for name in names])


def _some(items: NDArray[Any]) -> NDArray[Any]:
    """At most 20,000 of the items, the same ones each time."""
    return (
        items[np.sort(np.random.default_rng(0).permutation(len(items))[:_PLOT_POINTS])]
        if len(items) > _PLOT_POINTS
        else items
    )


def _center(ratios: Iterable[Floats | None]) -> float:
    pooled = [ratio for ratio in ratios if ratio is not None and len(ratio)]
    return float(np.nanmedian(np.concatenate(pooled))) if pooled else float("nan")


def _single(cells: _Cells, center: float, gates: FlowGates) -> Floats:
    """Columns of the singlets."""
    return (
        cells.columns
        if cells.ratio is None
        else cells.columns[singlets(cells.ratio, center, gates.singlet_ratio)]
    )


def _of_role(sheet: pd.DataFrame, role: str) -> list[str]:
    return sheet.loc[sheet["role"] == role, "file"].tolist()


def _matrices(
    sheet: pd.DataFrame, gates: FlowGates, own: dict[str, Spill | None], single: dict[str, Floats]
) -> tuple[dict[str, Spill | None], tuple[str, ...]]:
    """The matrix of each file, and which kind it is, in words."""
    nothing: dict[str, Spill | None] = dict.fromkeys(own)
    if gates.compensate == "none":
        return nothing, ("not compensated (compensate: none)",)
    without = [name for name, spill in own.items() if spill is None]
    if gates.compensate in ("auto", "file") and not without:
        return own, ("compensated with the matrix in each file",)
    if gates.compensate == "file":
        what = f"has no usable $SPILLOVER with '{gates.annexin}' and '{gates.pi}'"
        raise InputError(
            [
                Problem(name, "compensate: file", what, "Set `compensate: controls` or `none`.")
                for name in without
            ]
        )
    tubes = [_of_role(sheet, role) for role in ("unstained", "annexin_only", "pi_only")]
    if all(tubes):
        dark, *bright = (np.concatenate([single[name][:, :2] for name in names]) for names in tubes)
        spill = spill_from_controls(dark, bright, (gates.annexin, gates.pi))
        return dict.fromkeys(own, spill), (
            "compensated with a matrix from the single-stain controls",
        )
    if gates.compensate == "controls":
        missing = ", ".join(
            role
            for role, names in zip(("unstained", "annexin_only", "pi_only"), tubes)
            if not names
        )
        raise InputError(
            Problem(
                "sample sheet",
                "role",
                f"`compensate: controls` needs controls the sheet lacks: {missing}",
            )
        )
    return nothing, (
        (
            "NOT COMPENSATED: not every file carries a matrix and the sheet lacks single-stain"
            " controls"
        ),
    )


def _threshold(
    rule: float | FromControl,
    column: int,
    key: str,
    sheet: pd.DataFrame,
    values: dict[str, Floats],
    problems: Problems,
) -> float:
    """The number in force for a rule; notes a problem (and returns NaN) when its control is missing
    or too small.
    """
    if not isinstance(rule, FromControl):
        return float(rule)
    names = _of_role(sheet, rule.control)
    if not names:
        roles = ", ".join(sorted(set(sheet["role"]) - {"sample"})) or "none"
        remedy = f"Controls there: {roles}. Add the tube, name another control, or give a number."
        problems.say(
            "gates", key, f"the sample sheet has no file with role '{rule.control}'", remedy
        )
        return float("nan")
    pooled = np.concatenate([values[name][:, column] for name in names])
    if len(pooled) < _MIN_CONTROL_EVENTS:
        what = (
            f"'{rule.control}' leaves {len(pooled)} events after the gates; {_MIN_CONTROL_EVENTS}"
            " are needed"
        )
        problems.say("gates", key, what, "Record more, loosen the gates, or give a number.")
        return float("nan")
    return float(np.percentile(pooled, rule.percentile))


def _gated(cells: _Cells, name: str, pair: Floats, cut_annexin: float, cut_pi: float) -> Gated:
    pair = pair[np.isfinite(pair).all(axis=1)]
    counts = quadrants(pair[:, 0], pair[:, 1], cut_annexin, cut_pi)
    return Gated(
        name,
        {**cells.steps, "events": counts.total},
        counts,
        pair[_some(np.arange(len(pair)))],
        cells.scatter,
    )


def _flow_table(sheet: pd.DataFrame, gated: dict[str, Gated]) -> pd.DataFrame:
    """The flow table of the samples, with the events left after each step and the percentage of
    debris.
    """
    rows = []
    for row in sheet[sheet["role"] == "sample"].to_dict("records"):
        result = gated[row["file"]]
        total = max(result.counts.total, 1)
        percents = {
            f"{name}_percent": 100 * getattr(result.counts, name) / total
            for name in ("viable", "early", "late", "necrotic")
        }
        if not result.counts.total:
            percents = dict.fromkeys(percents, float("nan"))
        in_time = result.steps["events_time"]
        debris = 100 * (1 - result.steps["events_cells"] / in_time) if in_time else float("nan")
        keys = {key: row[key] for key in ("cell_line", "medium", "replicate")}
        rows.append(
            {**keys, **percents, **result.steps, "debris_percent": debris, "file": row["file"]}
        )
    columns = [
        "cell_line",
        "medium",
        "replicate",
        "viable_percent",
        "early_percent",
        "late_percent",
        "necrotic_percent",
        "events",
    ]
    table = pd.DataFrame(rows)
    return (
        table[[*columns, *(column for column in table if column not in columns)]]
        if rows
        else pd.DataFrame(columns=columns)
    )
