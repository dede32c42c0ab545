"""Bands -> ASNS per line: net volume, normaliser, reference lanes, class. The rules and their
verdicts stand in `kit.western.rules`.

Volumes are in the imager's units; R = (ASNS / normaliser)_lane / mean (ASNS / normaliser)_reference
lanes of the same membrane.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import stats

from kit.config.settings import Settings
from kit.core.findings import Finding, judged
from kit.western.conditions import BASAL, induction, with_conditions
from kit.western.ladder import LadderFit
from kit.western.lanes import (
    lane_table,
    membrane_ladders,
    relative_to_reference,
    with_masses,
)
from kit.western.rules import western_qc

CLASSES = ("low", "moderate", "high")


@dataclass(frozen=True)
class Western:
    """`asns_protein` one row per line and lysate, `asns_lines` one per line, `western_qc` the
    verdicts, `lanes` one row per lane, the ladder
    fit of each membrane that has a ladder, and `asns_induction` one row per line, lysate and
    condition other than basal."""

    asns_protein: pd.DataFrame
    asns_lines: pd.DataFrame
    western_qc: pd.DataFrame
    lanes: pd.DataFrame
    ladders: dict[str, LadderFit]
    asns_induction: pd.DataFrame


def quantify(
    bands: pd.DataFrame, settings: Settings, media: Mapping[str, Any] | None = None
) -> Western:
    """Everything a set of blots says about ASNS; `bands` is the blot table of
    `kit.readers.blots.densitometry` (one or several membranes), `media` those of
    experiment.yaml, by which a lane's condition is known as basal or starved."""
    bands = with_conditions(bands, media)
    ladders = membrane_ladders(bands)
    lanes = relative_to_reference(lane_table(with_masses(bands, ladders), settings), settings)
    protein = asns_protein(lanes, settings)
    lines = asns_lines(protein, settings)
    induced = induction(lanes, settings)
    return Western(
        protein,
        lines,
        western_qc(bands, lanes, lines, ladders, induced, settings),
        lanes,
        ladders,
        induced,
    )


def asns_protein(lanes: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The `asns_protein` table, one row per line and lysate; lanes of one lysate are averaged
    first, also across membranes.

    Further columns: `log2_relative` (values at or below `asns_floor_percent` stand at it,
    `floored`), `n_lanes`, `below_loq`, `off_target_share`.
    """
    samples = lanes[
        (lanes["lane_role"] == "sample")
        & lanes["condition"].eq(BASAL)
        & lanes["purpose"].eq("quantify")
    ]
    rows = [
        _lysate(group, settings)
        for _, group in samples.groupby(["cell_line", "replicate"], sort=False)
    ]
    columns = [
        "cell_line",
        "replicate",
        "asns_relative",
        "percent_of_reference",
        "class",
        "mw_kDa",
        "verdict",
        "note",
        "code",
        "log2_relative",
    ]
    return pd.DataFrame(
        rows, columns=[*columns, "floored", "below_loq", "off_target_share", "n_lanes"]
    )


def _lysate(group: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    usable = group[group["asns_relative"].notna()]
    value = float(usable["asns_relative"].mean()) if len(usable) else math.nan
    percent = 100 * value
    below = bool(len(usable) and (usable["snr"] < settings.western_loq_snr).all())
    floor = settings.asns_floor_percent / 100
    known = usable if len(usable) else group
    found = judged(_judge(group, usable, below, percent, settings))
    return {
        "cell_line": group["cell_line"].iloc[0],
        "replicate": int(group["replicate"].iloc[0]),
        "asns_relative": value,
        "percent_of_reference": percent,
        "class": None
        if found["verdict"] == "fail"
        else class_of(percent, settings, below_loq=below),
        "mw_kDa": float(known["mw_kDa"].mean()),
        **found,
        "log2_relative": math.log2(max(value, floor)) if math.isfinite(value) else math.nan,
        "floored": bool(value <= floor),
        "below_loq": below,
        "off_target_share": float(known["off_target_share"].max()),
        "n_lanes": len(usable),
    }


def class_of(percent: float, settings: Settings, *, below_loq: bool = False) -> str | None:
    """low up to 10 % of the reference or below the limit of quantification, moderate up to 50 %,
    else high; None when not known.
    """
    if below_loq or percent <= settings.asns_low_percent:
        return "low"
    if math.isnan(percent):
        return None
    return "moderate" if percent <= settings.asns_high_percent else "high"


def _judge(
    group: pd.DataFrame, usable: pd.DataFrame, below: bool, percent: float, settings: Settings
) -> list[Finding]:
    """What weakens or voids the lysate, by its lanes."""
    error = (group["mw_kDa"] / settings.asns_mw_kDa - 1).abs().max() * 100
    factors = group["lane_factor"].dropna()
    spread, top = group["reference_spread"].max(), settings.fail_reference_spread
    unshared = group["normalised"] & group["normaliser_name"].eq("")
    empty = group["normaliser_name"].ne("") & ~(group["normaliser"] > 0)
    load = (factors < settings.min_lane_factor) | (factors > settings.max_lane_factor)
    fails = {
        "LYSATE_NOT_LINEAR": group["not_linear"].any(),
        "LYSATE_REFERENCE_APART": spread > top,
        "LYSATE_SATURATED": (group["saturated"] | group["normaliser_saturated"]).any(),
        "LYSATE_NOT_ASNS": error > settings.fail_mw_error_percent,
        "LYSATE_NO_REFERENCE": (group["reference"] == "").any(),
        "LYSATE_NOT_NORMALISED": not group["normalised"].all(),
        "LYSATE_OTHER_NORMALISER": unshared.any(),
        "LYSATE_NORMALISER_EMPTY": empty.any(),
    }
    warns = {
        "LYSATE_MASS_OFF": settings.max_mw_error_percent < error <= settings.fail_mw_error_percent,
        "LYSATE_BY_HIGH_LINES": (group["reference"] == "high lines").any(),
        "LYSATE_REFERENCE_DIFFERS": settings.max_reference_spread < spread <= top,
        "LYSATE_LOAD": load.any(),
        "LYSATE_OFF_TARGET": (group["off_target_share"] > settings.max_off_target_share).any(),
    }
    infos = {
        "LYSATE_BELOW_LOQ": below,
        "LYSATE_NOT_ABOVE_BACKGROUND": len(usable) and percent <= 0,
    }
    mass = f"{group['mw_kDa'].mean():.1f}"
    values = {**settings.model_dump(), "spread": spread, "mass": mass, "error": error}
    return [
        Finding(code, severity, str(group["cell_line"].iloc[0]), values)
        for severity, codes in (("fail", fails), ("warn", warns), ("info", infos))
        for code, holds in codes.items()
        if holds
    ]


def asns_lines(protein: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """One row per line: mean over lysates on log2, 95 % t interval, `class`, `class_range`
    ("low-moderate" where the interval spans a cut-off)
    and `class_probability`, the share of the t distribution inside the class. Only lysates without
    a failed verdict count."""
    rows = [
        _line(str(line), group, settings)
        for line, group in protein.groupby("cell_line", sort=False)
    ]
    columns = [
        "cell_line",
        "n_replicates",
        "log2_relative",
        "se",
        "percent_of_reference",
        "ci_low_percent",
        "ci_high_percent",
        "class",
    ]
    return pd.DataFrame(rows, columns=[*columns, "class_range", "class_probability", "floored"])


def _line(line: str, group: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    used = group[(group["verdict"] != "fail") & group["log2_relative"].notna()]
    values = used["log2_relative"].to_numpy(float)
    n = len(values)
    mean = float(values.mean()) if n else math.nan
    se = float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    half = float(stats.t.ppf(0.975, n - 1)) * se if n > 1 else math.nan
    percent, low, high = (100 * 2**value for value in (mean, mean - half, mean + half))
    cls = class_of(percent, settings, below_loq=bool(n and used["below_loq"].all()))
    ends = [class_of(value, settings) for value in (low, high)]
    spans = [c for c in CLASSES if c in {*ends, cls}] if n > 1 else [cls] if cls else []
    return {
        "cell_line": line,
        "n_replicates": n,
        "log2_relative": mean,
        "se": se,
        "percent_of_reference": percent,
        "ci_low_percent": low,
        "ci_high_percent": high,
        "class": cls,
        "class_range": "-".join(dict.fromkeys([spans[0], spans[-1]])) if spans else None,
        "class_probability": _probability(cls, mean, se, n, settings),
        "floored": bool(n and "floored" in used and used["floored"].all()),
    }


def _probability(cls: str | None, mean: float, se: float, n: int, settings: Settings) -> float:
    """Share of mean + se*t(n-1) that lies within the class; NaN with one lysate."""
    if cls is None or n < 2:
        return math.nan
    edges = {
        "low": (0.0, settings.asns_low_percent),
        "moderate": (settings.asns_low_percent, settings.asns_high_percent),
    }
    bottom, top = edges.get(cls, (settings.asns_high_percent, math.inf))
    if se == 0:
        return 1.0
    ends = [
        (
            (math.log2(value / 100) - mean) / se
            if 0 < value < math.inf
            else (-math.inf if value == 0 else math.inf)
        )
        for value in (bottom, top)
    ]
    return float(stats.t.cdf(ends[1], n - 1) - stats.t.cdf(ends[0], n - 1))
