"""The rules of a quantitative ASNS blot as verdict rows, one per rule and membrane, lane or line.
Nothing is dropped here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pandas as pd

from kit.readers.blots.densitometry import net_volume
from kit.western.antibody import linearity_rows, specificity_rows
from kit.western.conditions import BASAL, induction_rows
from kit.western.ladder import LadderFit
from kit.western.rows import COLUMNS, JUDGED, lane_name, row


class QcLimits(Protocol):
    """The settings the rules read."""

    western_lod_snr: float
    western_loq_snr: float
    min_western_linearity_r2: float
    min_lane_factor: float
    max_lane_factor: float
    min_reference_lanes: int
    max_reference_spread: float
    fail_reference_spread: float
    min_induction_log2: float
    asns_floor_percent: float
    min_lysates: int
    asns_mw_kDa: float
    max_mw_error_percent: float
    fail_mw_error_percent: float
    min_ladder_markers: int
    min_ladder_r2: float
    min_knockout_loss_percent: float
    max_off_target_share: float
    min_control_lane_ratio: float
    fail_control_lane_ratio: float
    asns_high_lines: Sequence[str]


def western_qc(
    bands: pd.DataFrame,
    lanes: pd.DataFrame,
    lines: pd.DataFrame,
    ladders: dict[str, LadderFit],
    induced: pd.DataFrame,
    settings: QcLimits,
) -> pd.DataFrame:
    """Columns as in the compliance table; `check` is W01 to W14 by the rules below, in their order.
    Every rule has a row: what cannot be
    judged says why. A membrane that is only a dilution series or only a knockout blot has no lines,
    so no rule on their loading or reference."""
    rows: list[dict[str, Any]] = []
    for name, group in lanes.groupby("membrane", sort=False):
        membrane, own = str(name), bands[bands["membrane"] == name]
        rows += [*_saturation(group), *_ladder(membrane, own, ladders.get(membrane), settings)]
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
    check: str, membrane: str, lanes: list[dict[Any, Any]], rule: str, why: str
) -> Iterator[dict[str, Any]]:
    """One row for all lanes of a membrane that a rule cannot judge."""
    if lanes:
        which = ", ".join(str(lane["lane"]) for lane in lanes)
        yield row(
            check,
            f"{membrane}, lane{'s' * (len(lanes) > 1)} {which}",
            f"not assessable: {why}",
            rule,
            "info",
            "info",
        )


def _judged(lanes: pd.DataFrame, column: str) -> tuple[list[dict[Any, Any]], list[dict[Any, Any]]]:
    """Lanes to be judged that have a value in `column`, and those that have none."""
    own = lanes[lanes["lane_role"].isin(JUDGED)]
    known = own[column].notna()
    return own[known].to_dict("records"), own[~known].to_dict("records")


def _saturation(lanes: pd.DataFrame) -> Iterator[dict[str, Any]]:
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
        advice = (
            "Expose shorter and image again; the lane cannot be quantified."
            if full
            else (
                "State in the column saturated (true or false) whether a pixel of the lane reached"
                " the detector's maximum."
            )
        )
        yield row(
            "W01",
            lane_name(lane),
            f"{what} saturated" if full else "none" if known else "not stated",
            "no pixel at 98 % of the detector's maximum",
            "fail",
            "fail" if full else "pass" if known else "warn",
            advice,
        )


def _detection(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W02: detection and quantification, per lane."""
    known, unknown = _judged(lanes, "snr")
    rule = (
        f"S/N: detected from {settings.western_lod_snr:g}, quantified from"
        f" {settings.western_loq_snr:g}"
    )
    for lane in known:
        snr = lane["snr"]
        state = (
            "not detected"
            if snr < settings.western_lod_snr
            else "below quantification"
            if snr < settings.western_loq_snr
            else "quantified"
        )
        yield row(
            "W02",
            lane_name(lane),
            f"S/N {snr:.1f}, {state}",
            rule,
            "info",
            "pass" if state == "quantified" else "info",
        )
    yield from _unknown(
        "W02", membrane, unknown, rule, "the table gives no signal to noise (column snr)"
    )


def _load(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W04 what normalises, W05 each lane's load."""
    names = [name for name in dict.fromkeys(lanes["normaliser_name"]) if name]
    lacking = (
        lanes[lanes["lane_role"].isin(["sample", "reference"]) & lanes["normaliser_name"].eq("")]
        if names
        else lanes.iloc[:0]
    )
    verdict = (
        "fail" if not names or len(lacking) else "pass" if names == ["total_protein"] else "warn"
    )
    advice = (
        "Measure total protein (stain or stain-free) on the same membrane."
        if names
        else "Nothing tells how much was loaded; add total protein."
    )
    value = " / ".join(names) or "none"
    if len(lacking):
        value += (
            f"; not measured in lane{'s' * (len(lacking) > 1)}"
            f" {', '.join(map(str, lacking['lane']))}, which have no ratio"
        )
        advice = "Normalise every lane of a membrane by the same thing: total protein."
    rule = "total protein; housekeeping proteins differ between lines"
    yield row(
        "W04", membrane, value, rule, "fail" if verdict == "fail" else "warn", verdict, advice
    )
    known, unknown = _judged(lanes, "lane_factor")
    rule = (
        f"{settings.min_lane_factor:g} to {settings.max_lane_factor:g} of the membrane's mean load"
    )
    for lane in known:
        good = settings.min_lane_factor <= lane["lane_factor"] <= settings.max_lane_factor
        advice = "Load equal protein; measure the lysates again."
        yield row(
            "W05",
            lane_name(lane),
            f"{lane['lane_factor']:.2f}",
            rule,
            "warn",
            "pass" if good else "warn",
            advice,
        )
    yield from _unknown(
        "W05", membrane, unknown, rule, "the membrane's normaliser was not measured there"
    )


def _reference(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W06: reference lanes on each membrane, and whether they agree."""
    count = int(((lanes["lane_role"] == "reference") & lanes["asns_relative"].notna()).sum())
    stand_in, spread = (
        bool((lanes["reference"] == "high lines").any()),
        lanes["reference_spread"].iloc[0],
    )
    apart = spread > settings.max_reference_spread
    verdict = (
        "pass" if count >= settings.min_reference_lanes else "warn" if count or stand_in else "fail"
    )
    verdict = (
        "fail"
        if spread > settings.fail_reference_spread
        else "warn"
        if apart and verdict == "pass"
        else verdict
    )
    value = f"{count} usable" + ("; the high lines' own lanes stand in" if stand_in else "")
    value += (
        ""
        if math.isnan(spread)
        else (
            f", highest over lowest {spread:.2f}"
            if math.isfinite(spread)
            else ", one of them not above background"
        )
    )
    rule = (
        f"at least {settings.min_reference_lanes} lanes of pooled reference lysate, the highest at"
        f" most {settings.max_reference_spread:g} times the lowest"
    )
    advice = (
        "Load the pooled reference lysate (HeLa and A549) in at least two lanes of every membrane."
    )
    if apart:
        advice = (
            "Find out why the reference lanes differ (load, transfer, a bubble); above"
            f" {settings.fail_reference_spread:g}-fold the membrane gives no ratio."
        )
    yield row("W06", membrane, value, rule, "fail", verdict, advice)


def _ladder(
    membrane: str, bands: pd.DataFrame, fit: LadderFit | None, settings: QcLimits
) -> Iterator[dict[str, Any]]:
    """W08: the ladder's line, and which curve gave the masses."""
    rule = (
        f"at least {settings.min_ladder_markers} markers around {settings.asns_mw_kDa:g} kDa, R2 of"
        f" log10 mass on Rf >= {settings.min_ladder_r2:g}"
    )
    if fit is None:
        stated = bool(bands.loc[bands["target"] == "ASNS", "mw_kDa"].notna().any())
        value = (
            "masses as the imaging program states them" if stated else "no ladder: no mass is known"
        )
        advice = "Export the ladder lane with mass and Rf."
        yield row("W08", membrane, value, rule, "warn", "info" if stated else "warn", advice)
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
    value = (
        f"{len(fit.rf)} markers, R2 {fit.r2:.3f}; masses by {fit.method.replace('_', '-')} (median"
        f" error leaving one marker out: {errors or 'too few markers'})"
    )
    advice = "Use more markers on both sides of 64 kDa, or a gel percentage that separates there."
    yield row("W08", membrane, value, rule, "warn", "pass" if good else "warn", advice)


def _masses(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W09: mass of the band, per lane."""
    known, unknown = _judged(lanes, "mw_kDa")
    rule = (
        f"within {settings.max_mw_error_percent:g} % of {settings.asns_mw_kDa:g} kDa; beyond"
        f" {settings.fail_mw_error_percent:g} % it is not ASNS"
    )
    for lane in known:
        error = 100 * (lane["mw_kDa"] / settings.asns_mw_kDa - 1)
        verdict = (
            "pass"
            if abs(error) <= settings.max_mw_error_percent
            else "warn"
            if abs(error) <= settings.fail_mw_error_percent
            else "fail"
        )
        advice = "Look at the whole blot with its ladder."
        yield row(
            "W09",
            lane_name(lane),
            f"{lane['mw_kDa']:.1f} kDa ({error:+.0f} %)",
            rule,
            "fail",
            verdict,
            advice,
        )
    yield from _unknown(
        "W09", membrane, unknown, rule, "no mass of a band of the ASNS antibody is known there"
    )


def _off_target(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W11: off-target share, per lane."""
    known, unknown = _judged(lanes, "off_target_share")
    rule = f"at most {settings.max_off_target_share:g} of the lane's signal in other bands"
    for lane in known:
        share = lane["off_target_share"]
        verdict = "warn" if share > settings.max_off_target_share else "pass"
        yield row(
            "W11",
            lane_name(lane),
            f"{share:.2f}",
            rule,
            "warn",
            verdict,
            "Titrate the antibody or use another.",
        )
    yield from _unknown(
        "W11",
        membrane,
        unknown,
        rule,
        "neither masses nor off-target bands are in the table, or the lane has no signal",
    )


def _control_ratio(lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W12: high control over the lowest line observed (not the one assumed to be low)."""
    rule = (
        f"high over lowest line >= {settings.min_control_lane_ratio:g}; below"
        f" {settings.fail_control_lane_ratio:g} the blot cannot tell them apart"
    )
    usable = lanes[
        lanes["asns_relative"].notna()
        & lanes["condition"].eq(BASAL)
        & ~lanes["not_linear"]
        & lanes["purpose"].eq("quantify")
    ]
    levels = usable[usable["lane_role"] == "sample"].groupby("cell_line")["asns_relative"].mean()
    plain = {
        "".join(c for c in name.casefold() if c.isalnum()) for name in settings.asns_high_lines
    }
    high = levels[
        ["".join(c for c in str(line).casefold() if c.isalnum()) in plain for line in levels.index]
    ]
    top = (
        float(high.mean())
        if len(high)
        else (1.0 if (usable["lane_role"] == "reference").any() else math.nan)
    )
    if levels.empty or math.isnan(top):
        what = (
            "no line has a valid ratio"
            if levels.empty
            else "neither HeLa, A549 nor a reference lane is there"
        )
        yield row("W12", "all membranes", f"not assessable: {what}", rule, "info", "info")
        return
    lowest, floor = str(levels.idxmin()), float(levels.min())
    ratio = top / floor if floor > 0 else math.inf
    verdict = (
        "pass"
        if ratio >= settings.min_control_lane_ratio
        else "warn"
        if ratio >= settings.fail_control_lane_ratio
        else "fail"
    )
    name = " and ".join(str(line) for line in high.index) or "pooled reference"
    value = (
        f"{name} over {lowest}: {ratio:.1f}"
        if math.isfinite(ratio)
        else f"{name} over {lowest}: {lowest} is not above background"
    )
    yield row(
        "W12",
        "all membranes",
        value,
        rule,
        "fail",
        verdict,
        "Include a line known to be low (ASNS knockout, U-937) and a high one (HeLa, A549).",
    )


def _lines(lines: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W07 independent lysates, W13 how sure the class is, per line."""
    for line in lines.to_dict("records"):
        n = int(line["n_replicates"])
        advice = "Blot lysates of further passages."
        verdict = "pass" if n >= settings.min_lysates else "warn"
        yield row(
            "W07",
            line["cell_line"],
            f"{n}",
            f"at least {settings.min_lysates} independent lysates",
            "warn",
            verdict,
            advice,
        )
        if pd.isna(line["class_range"]):
            yield row(
                "W13",
                line["cell_line"],
                "no class",
                "class from quantified lysates",
                "fail",
                "fail",
                "See the failed rules of its lanes.",
            )
            continue
        spans = "-" in line["class_range"]
        interval = (
            f" (95 % {line['ci_low_percent']:.0f} to {line['ci_high_percent']:.0f} %)"
            if n > 1
            else " (one lysate: no interval)"
        )
        most = "<= " if line["floored"] else ""
        value = (
            f"{line['class_range']}, {most}{line['percent_of_reference']:.0f} % of"
            f" reference{'' if most else interval}"
        )
        yield row(
            "W13",
            line["cell_line"],
            value,
            "interval within one class",
            "info",
            "info" if spans or n < 2 else "pass",
        )


def net_by_target(bands: pd.DataFrame) -> pd.DataFrame:
    """Net volume per membrane, lane and target, for a first look at a blot."""
    return (
        bands.assign(net=net_volume(bands))
        .pivot_table(index=["membrane", "lane"], columns="target", values="net", aggfunc="sum")
        .reset_index()
    )
