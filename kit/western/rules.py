"""The rules of a quantitative ASNS blot as verdict rows, one per rule and membrane, lane or line.
Nothing is dropped here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from kit.config.settings import Settings
from kit.core.findings import band, listing
from kit.core.reference import line_letters
from kit.western.antibody import linearity_rows, specificity_rows
from kit.western.conditions import BASAL, induction_rows
from kit.western.ladder import LadderFit
from kit.western.rows import COLUMNS, JUDGED, lane_name, row


def western_qc(
    bands: pd.DataFrame,
    lanes: pd.DataFrame,
    lines: pd.DataFrame,
    ladders: dict[str, LadderFit],
    induced: pd.DataFrame,
    settings: Settings,
) -> pd.DataFrame:
    """Columns as in the compliance table; `check` is W01 to W14 by the rules below, in their order.
    Every rule has a row: what cannot be
    judged says why. A membrane that is only a dilution series or only a knockout blot has no lines,
    so no rule on their loading or reference."""
    rows: list[dict[str, Any]] = []
    for name, group in lanes.groupby("membrane", sort=False):
        membrane, own = str(name), bands[bands["membrane"] == name]
        rows += [
            *_saturation(group, settings),
            *_ladder(membrane, own, ladders.get(membrane), settings),
        ]
        if group["purpose"].iloc[0] != "series":
            rows += [
                *_detection(membrane, group, settings),
                *_masses(membrane, group, settings),
                *_off_target(membrane, group, settings),
            ]
        if group["purpose"].iloc[0] == "quantify":
            rows += [*_load(membrane, group, settings), *_reference(membrane, group, settings)]
    rows += (
        [*linearity_rows(lanes, settings), *specificity_rows(lanes, settings)] if len(lanes) else []
    )
    rows += [
        *_control_ratio(lanes, settings),
        *_lines(lines, settings),
        *induction_rows(lanes, induced, settings),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        "check", kind="stable", ignore_index=True
    )


def _unknown(
    code: str, membrane: str, lanes: list[dict[Any, Any]], settings: Settings
) -> Iterator[dict[str, Any]]:
    """One row for all lanes of a membrane that a rule cannot judge."""
    if lanes:
        which = ", ".join(str(lane["lane"]) for lane in lanes)
        yield row(code, f"{membrane}, lane{'s' * (len(lanes) > 1)} {which}", "info", settings)


def _judged(lanes: pd.DataFrame, column: str) -> tuple[list[dict[Any, Any]], list[dict[Any, Any]]]:
    """Lanes to be judged that have a value in `column`, and those that have none."""
    own = lanes[lanes["lane_role"].isin(JUDGED)]
    known = own[column].notna()
    return own[known].to_dict("records"), own[~known].to_dict("records")


def _saturation(lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W01: saturation, per lane; a table that does not state it is no proof of its absence."""
    for lane in lanes.to_dict("records"):
        full, known = lane["saturated"] or lane["normaliser_saturated"], lane["saturation_known"]
        what = (
            "ASNS"
            if lane["asns_saturated"]
            else "an off-target band"
            if lane["saturated"]
            else lane["normaliser_name"]
        )
        if full:
            yield row("W01_SATURATED", lane_name(lane), "fail", settings, what=what)
        else:
            code = "W01_NOT_SATURATED" if known else "W01_NOT_STATED"
            yield row(code, lane_name(lane), "pass" if known else "warn", settings)


def _detection(membrane: str, lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W02: detection and quantification, per lane."""
    known, unknown = _judged(lanes, "snr")
    for lane in known:
        snr = lane["snr"]
        state = (
            "not detected"
            if snr < settings.western_lod_snr
            else "below quantification"
            if snr < settings.western_loq_snr
            else "quantified"
        )
        verdict = "pass" if state == "quantified" else "info"
        yield row("W02_DETECTION", lane_name(lane), verdict, settings, snr=snr, state=state)
    yield from _unknown("W02_NO_SNR", membrane, unknown, settings)


def _load(membrane: str, lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W04 what normalises, W05 each lane's load."""
    names = [name for name in dict.fromkeys(lanes["normaliser_name"]) if name]
    lacking = (
        lanes[lanes["lane_role"].isin(["sample", "reference"]) & lanes["normaliser_name"].eq("")]
        if names
        else lanes.iloc[:0]
    )
    value = " / ".join(names) or "none"
    if not names:
        yield row("W04_NONE", membrane, "fail", settings)
    elif len(lacking):
        which = f"lane{'s' * (len(lacking) > 1)} {', '.join(map(str, lacking['lane']))}"
        yield row("W04_LANES_WITHOUT", membrane, "fail", settings, names=value, which=which)
    else:
        verdict = "pass" if names == ["total_protein"] else "warn"
        yield row("W04_NORMALISER", membrane, verdict, settings, names=value)
    known, unknown = _judged(lanes, "lane_factor")
    for lane in known:
        factor = lane["lane_factor"]
        good = settings.min_lane_factor <= factor <= settings.max_lane_factor
        verdict = "pass" if good else "warn"
        yield row("W05_LOAD", lane_name(lane), verdict, settings, factor=factor)
    yield from _unknown("W05_UNKNOWN", membrane, unknown, settings)


def _reference(membrane: str, lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W06: reference lanes on each membrane, and whether they agree."""
    count = int(((lanes["lane_role"] == "reference") & lanes["asns_relative"].notna()).sum())
    stand_in, spread = (
        bool((lanes["reference"] == "high lines").any()),
        lanes["reference_spread"].iloc[0],
    )
    apart = spread > settings.max_reference_spread
    enough = count >= settings.min_reference_lanes
    verdict = band(enough and not apart, not (count or stand_in))
    verdict = "fail" if spread > settings.fail_reference_spread else verdict
    values = {
        "count": count,
        "stand_in": "; the high lines' own lanes are used instead" if stand_in else "",
        "spread": _spread_words(spread),
    }
    yield row("W06_APART" if apart else "W06_LANES", membrane, verdict, settings, **values)


def _spread_words(spread: float) -> str:
    if math.isnan(spread):
        return ""
    if math.isinf(spread):
        return ", one of them not above background"
    return f", highest over lowest {spread:.2f}"


def _ladder(
    membrane: str, bands: pd.DataFrame, fit: LadderFit | None, settings: Settings
) -> Iterator[dict[str, Any]]:
    """W08: the ladder's line, and which curve gave the masses."""
    if fit is None:
        stated = bool(bands.loc[bands["target"] == "ASNS", "mw_kDa"].notna().any())
        code = "W08_MASSES_STATED" if stated else "W08_NO_LADDER"
        yield row(code, membrane, "info" if stated else "warn", settings)
        return
    good = (
        len(fit.rf) >= settings.min_ladder_markers
        and fit.brackets(settings.asns_mw_kDa)
        and fit.r2 >= settings.min_ladder_r2
    )
    errors = ", ".join(
        f"{name.replace('_', '-')} {error:.1f} %"
        for name, error in fit.errors.items()
        if math.isfinite(error)
    )
    values = {
        "markers": len(fit.rf),
        "r2": f"{fit.r2:.3f}",
        "method": fit.method.replace("_", "-"),
        "errors": errors or "too few markers",
    }
    yield row("W08_LADDER", membrane, "pass" if good else "warn", settings, **values)


def _masses(membrane: str, lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W09: mass of the band, per lane."""
    known, unknown = _judged(lanes, "mw_kDa")
    for lane in known:
        error = 100 * (lane["mw_kDa"] / settings.asns_mw_kDa - 1)
        limits = settings.max_mw_error_percent, settings.fail_mw_error_percent
        verdict = band(abs(error) <= limits[0], abs(error) > limits[1])
        values = {"mass": f"{lane['mw_kDa']:.1f}", "error": f"{error:+.0f}"}
        yield row("W09_MASS", lane_name(lane), verdict, settings, **values)
    yield from _unknown("W09_UNKNOWN", membrane, unknown, settings)


def _off_target(membrane: str, lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W11: off-target share, per lane."""
    known, unknown = _judged(lanes, "off_target_share")
    for lane in known:
        share = lane["off_target_share"]
        verdict = "warn" if share > settings.max_off_target_share else "pass"
        yield row("W11_OFF_TARGET", lane_name(lane), verdict, settings, share=f"{share:.2f}")
    yield from _unknown("W11_UNKNOWN", membrane, unknown, settings)


def _control_ratio(lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W12: high control over the lowest line observed (not the one assumed to be low)."""
    usable = lanes[
        lanes["asns_relative"].notna()
        & lanes["condition"].eq(BASAL)
        & ~lanes["not_linear"]
        & lanes["purpose"].eq("quantify")
    ]
    levels = usable[usable["lane_role"] == "sample"].groupby("cell_line")["asns_relative"].mean()
    named = {line_letters(name) for name in settings.asns_high_lines}
    high = levels[[line_letters(str(line)) in named for line in levels.index]]
    top = (
        float(high.mean())
        if len(high)
        else (1.0 if (usable["lane_role"] == "reference").any() else math.nan)
    )
    if levels.empty or math.isnan(top):
        code = "W12_NO_RATIO" if levels.empty else "W12_NO_HIGH_LANE"
        yield row(code, "all membranes", "info", settings)
        return
    lowest, floor = str(levels.idxmin()), float(levels.min())
    ratio = top / floor if floor > 0 else math.inf
    limits = settings.min_control_lane_ratio, settings.fail_control_lane_ratio
    verdict = band(ratio >= limits[0], ratio < limits[1])
    shown = f"{ratio:.1f}" if math.isfinite(ratio) else f"{lowest} is not above background"
    name = listing(high.index) or "pooled reference"
    values = {"high": name, "low": lowest, "ratio": shown}
    yield row("W12_RATIO", "all membranes", verdict, settings, **values)


def _lines(lines: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W07 independent lysates, W13 how sure the class is, per line."""
    for line in lines.to_dict("records"):
        n = int(line["n_replicates"])
        verdict = "pass" if n >= settings.min_lysates else "warn"
        yield row("W07_LYSATES", line["cell_line"], verdict, settings, n=n)
        if pd.isna(line["class_range"]):
            yield row("W13_NO_CLASS", line["cell_line"], "fail", settings)
            continue
        spans = "-" in line["class_range"]
        interval = (
            f" (95 % {line['ci_low_percent']:.0f} to {line['ci_high_percent']:.0f} %)"
            if n > 1
            else " (one lysate: no interval)"
        )
        most = "at most " if line["floored"] else ""
        values = {
            "level": line["class_range"],
            "percent": f"{most}{line['percent_of_reference']:.0f}",
            "interval": "" if most else interval,
        }
        verdict = "info" if spans or n < 2 else "pass"
        yield row("W13_CLASS", line["cell_line"], verdict, settings, **values)
