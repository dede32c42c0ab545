"""The rules of a quantitative ASNS blot as verdict rows, one per rule and membrane, lane or line. Nothing is dropped here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kit.western_ladder import LadderFit
from kit.western_lanes import net_volume

COLUMNS = ("check", "subject", "value", "rule", "severity", "verdict", "advice")
_SUBJECTS = {"sample", "reference", "knockout"}


class QcLimits(Protocol):
    """The settings the rules read."""

    western_lod_snr: float
    western_loq_snr: float
    min_western_linearity_r2: float
    min_lane_factor: float
    max_lane_factor: float
    min_reference_lanes: int
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
    bands: pd.DataFrame, lanes: pd.DataFrame, lines: pd.DataFrame, ladders: dict[str, LadderFit], settings: QcLimits
) -> pd.DataFrame:
    """Columns as in the compliance table; `check` is W01 to W13 by the rules below, in their order."""
    rows: list[dict[str, Any]] = []
    for membrane, group in lanes.groupby("membrane", sort=False):
        own = bands[bands["membrane"] == membrane]
        rows += [*_signals(group, settings), *_linearity(str(membrane), group, settings), *_load(str(membrane), group, settings)]
        rows += [*_reference(str(membrane), group, settings), *_ladder(str(membrane), own, ladders.get(str(membrane)), settings)]
        rows += [*_masses(group, settings), *_specificity(str(membrane), group, settings)]
    rows += [*_control_ratio(lanes, settings), *_lines(lines, settings)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("check", kind="stable", ignore_index=True)


def _row(check: str, subject: object, value: str, rule: str, severity: str, verdict: str, advice: str = "") -> dict[str, Any]:
    shown = advice if verdict in ("warn", "fail") else ""
    return dict(zip(COLUMNS, (check, str(subject), value, rule, severity, verdict, shown)))


def _subject(lane: dict[Any, Any]) -> str:
    return f"{lane['membrane']}, lane {lane['lane']} ({lane['cell_line'] or lane['lane_role']})"


def _signals(lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W01 saturation and W02 detection, per lane."""
    for lane in lanes.to_dict("records"):
        full = lane["saturated"] or lane["normaliser_saturated"]
        what = "ASNS" if lane["saturated"] else lane["normaliser_name"]
        advice = "Expose shorter and image again; the lane cannot be quantified."
        yield _row(
            "W01",
            _subject(lane),
            f"{what} saturated" if full else "none",
            "no pixel at 98 % of the detector's maximum",
            "fail",
            "fail" if full else "pass",
            advice,
        )
        snr = lane["snr"]
        if lane["lane_role"] not in _SUBJECTS or math.isnan(snr):
            continue
        state = (
            "not detected" if snr < settings.western_lod_snr else "below quantification" if snr < settings.western_loq_snr else "quantified"
        )
        rule = f"S/N: detected from {settings.western_lod_snr:g}, quantified from {settings.western_loq_snr:g}"
        yield _row("W02", _subject(lane), f"S/N {snr:.1f}, {state}", rule, "info", "pass" if state == "quantified" else "info")


def _linearity(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W03: a dilution series through the origin."""
    series = lanes[(lanes["lane_role"] == "dilution") & (lanes["load"] > 0) & lanes["asns"].notna() & ~lanes["saturated"]]
    rule = (
        f"two-fold series of 5 loads proportional to the signal, R2 of the line through the origin >= {settings.min_western_linearity_r2:g}"
    )
    if series["load"].nunique() < 3:
        advice = (
            "Run a two-fold dilution series of one lysate with this antibody (lane_role dilution, load): ratios need proportional signals."
        )
        yield _row("W03", membrane, "no dilution series", rule, "warn", "warn", advice)
        return
    _, r2 = proportionality(series["load"], series["asns"])
    verdict = "fail" if r2 < settings.min_western_linearity_r2 else "warn" if series["load"].nunique() < 5 else "pass"
    advice = "Load less or expose shorter; ratios from this membrane are not valid." if verdict == "fail" else "Use five loads."
    yield _row("W03", membrane, f"R2 {r2:.3f} over {series['load'].nunique()} loads", rule, "fail", verdict, advice)


def proportionality(load: ArrayLike, signal: ArrayLike) -> tuple[float, float]:
    """Slope and R2 of signal = slope * load. R2 is against the mean, as for any line: against 0 it would flatter every series."""
    x, y = np.asarray(load, float), np.asarray(signal, float)
    slope = float(x @ y / (x @ x))
    spread = float(((y - y.mean()) ** 2).sum())
    return slope, 1 - float(((y - slope * x) ** 2).sum()) / spread if spread > 0 else math.nan


def _load(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W04 what normalises, W05 each lane's load."""
    names = [name for name in dict.fromkeys(lanes["normaliser_name"]) if name]
    verdict = "fail" if not names else "pass" if names == ["total_protein"] else "warn"
    advice = (
        "Measure total protein (stain or stain-free) on the same membrane."
        if names
        else "Nothing tells how much was loaded; add total protein."
    )
    if len(names) > 1:
        advice = "Normalise every lane of a membrane by the same thing."
    rule = "total protein; housekeeping proteins differ between lines"
    yield _row("W04", membrane, " / ".join(names) or "none", rule, "fail" if not names else "warn", verdict, advice)
    for lane in lanes[lanes["lane_role"].isin(_SUBJECTS) & lanes["lane_factor"].notna()].to_dict("records"):
        factor = lane["lane_factor"]
        good = settings.min_lane_factor <= factor <= settings.max_lane_factor
        rule = f"{settings.min_lane_factor:g} to {settings.max_lane_factor:g} of the membrane's mean load"
        yield _row(
            "W05",
            _subject(lane),
            f"{factor:.2f}",
            rule,
            "warn",
            "pass" if good else "warn",
            "Load equal protein; measure the lysates again.",
        )


def _reference(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W06: reference lanes on each membrane."""
    count = int(((lanes["lane_role"] == "reference") & lanes["asns_relative"].notna()).sum())
    stand_in = bool((lanes["reference"] == "high lines").any())
    verdict = "pass" if count >= settings.min_reference_lanes else "warn" if count or stand_in else "fail"
    value = f"{count} usable" + ("; the high lines' own lanes stand in" if stand_in else "")
    advice = "Load the pooled reference lysate (HeLa and A549) in at least two lanes of every membrane."
    yield _row("W06", membrane, value, f"at least {settings.min_reference_lanes} lanes of pooled reference lysate", "fail", verdict, advice)


def _ladder(membrane: str, bands: pd.DataFrame, fit: LadderFit | None, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W08: the ladder's line, and which curve gave the masses."""
    rule = f"at least {settings.min_ladder_markers} markers around {settings.asns_mw_kDa:g} kDa, R2 of log10 mass on Rf >= {settings.min_ladder_r2:g}"
    if fit is None:
        stated = bool(bands.loc[bands["target"] == "ASNS", "mw_kDa"].notna().any())
        value = "masses as the imaging program states them" if stated else "no ladder: no mass is known"
        advice = "Export the ladder lane with mass and Rf."
        yield _row("W08", membrane, value, rule, "warn", "info" if stated else "warn", advice)
        return
    good = len(fit.rf) >= settings.min_ladder_markers and fit.brackets(settings.asns_mw_kDa) and fit.r2 >= settings.min_ladder_r2
    errors = ", ".join(f"{name.replace('_', '-')} {error:.1f} %" for name, error in fit.errors.items() if math.isfinite(error))
    value = f"{len(fit.rf)} markers, R2 {fit.r2:.3f}; masses by {fit.method.replace('_', '-')} (median error leaving one marker out: {errors or 'too few markers'})"
    advice = "Use more markers on both sides of 64 kDa, or a gel percentage that separates there."
    yield _row("W08", membrane, value, rule, "warn", "pass" if good else "warn", advice)


def _masses(lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W09 mass of the band, W11 off-target share, per lane."""
    for lane in lanes[lanes["lane_role"].isin(_SUBJECTS)].to_dict("records"):
        if math.isfinite(lane["mw_kDa"]):
            error = 100 * (lane["mw_kDa"] / settings.asns_mw_kDa - 1)
            verdict = (
                "pass"
                if abs(error) <= settings.max_mw_error_percent
                else "warn"
                if abs(error) <= settings.fail_mw_error_percent
                else "fail"
            )
            rule = f"within {settings.max_mw_error_percent:g} % of {settings.asns_mw_kDa:g} kDa; beyond {settings.fail_mw_error_percent:g} % it is not ASNS"
            yield _row(
                "W09",
                _subject(lane),
                f"{lane['mw_kDa']:.1f} kDa ({error:+.0f} %)",
                rule,
                "fail",
                verdict,
                "Look at the whole blot with its ladder.",
            )
        share = lane["off_target_share"]
        if math.isfinite(share):
            verdict = "warn" if share > settings.max_off_target_share else "pass"
            rule = f"at most {settings.max_off_target_share:g} of the lane's signal in other bands"
            yield _row("W11", _subject(lane), f"{share:.2f}", rule, "warn", verdict, "Titrate the antibody or use another.")


def _specificity(membrane: str, lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W10: a knockout or siRNA lane, against the same line's own lanes or else the reference."""
    rule = f"knockout or siRNA lane loses at least {settings.min_knockout_loss_percent:g} % (2 of 12 ASNS antibodies were fully on-target)"
    null = lanes[(lanes["lane_role"] == "knockout") & lanes["asns_relative"].notna()]
    if null.empty:
        advice = "Run an ASNS knockout or siRNA lane: until then the antibody is unvalidated."
        yield _row("W10", membrane, "antibody unvalidated", rule, "warn", "warn", advice)
    for lane in null.to_dict("records"):
        parent = lanes[(lanes["lane_role"] == "sample") & (lanes["cell_line"] == lane["cell_line"])]["asns_relative"].mean()
        basis = "its parent" if parent > 0 else "the reference"
        loss = 100 * (1 - lane["asns_relative"] / (parent if parent > 0 else 1.0))
        verdict = "pass" if loss >= settings.min_knockout_loss_percent else "warn"
        yield _row(
            "W10",
            _subject(lane),
            f"{loss:.0f} % less than {basis}",
            rule,
            "warn",
            verdict,
            "The antibody sees something else: use another.",
        )


def _control_ratio(lanes: pd.DataFrame, settings: QcLimits) -> Iterator[dict[str, Any]]:
    """W12: high control over the lowest line observed (not the one assumed to be low)."""
    usable = lanes[lanes["asns_relative"].notna() & lanes["condition"].eq("basal")]
    levels = usable[usable["lane_role"] == "sample"].groupby("cell_line")["asns_relative"].mean()
    plain = {"".join(c for c in name.casefold() if c.isalnum()) for name in settings.asns_high_lines}
    high = levels[["".join(c for c in str(line).casefold() if c.isalnum()) in plain for line in levels.index]]
    top = float(high.mean()) if len(high) else (1.0 if (usable["lane_role"] == "reference").any() else math.nan)
    if levels.empty or math.isnan(top):
        return
    lowest, floor = str(levels.idxmin()), float(levels.min())
    ratio = top / floor if floor > 0 else math.inf
    verdict = "pass" if ratio >= settings.min_control_lane_ratio else "warn" if ratio >= settings.fail_control_lane_ratio else "fail"
    name = " and ".join(str(line) for line in high.index) or "pooled reference"
    value = f"{name} over {lowest}: {ratio:.1f}" if math.isfinite(ratio) else f"{name} over {lowest}: {lowest} is not above background"
    rule = f"high over lowest line >= {settings.min_control_lane_ratio:g}; below {settings.fail_control_lane_ratio:g} the blot cannot tell them apart"
    yield _row(
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
        yield _row("W07", line["cell_line"], f"{n}", f"at least {settings.min_lysates} independent lysates", "warn", verdict, advice)
        if pd.isna(line["class_range"]):
            yield _row(
                "W13", line["cell_line"], "no class", "class from quantified lysates", "fail", "fail", "See the failed rules of its lanes."
            )
            continue
        spans = "-" in line["class_range"]
        interval = f" (95 % {line['ci_low_percent']:.0f} to {line['ci_high_percent']:.0f} %)" if n > 1 else " (one lysate: no interval)"
        value = f"{line['class_range']}, {line['percent_of_reference']:.0f} % of reference{interval}"
        yield _row("W13", line["cell_line"], value, "interval within one class", "info", "info" if spans or n < 2 else "pass")


def net_by_target(bands: pd.DataFrame) -> pd.DataFrame:
    """Net volume per membrane, lane and target, for a first look at a blot."""
    return (
        bands.assign(net=net_volume(bands))
        .pivot_table(index=["membrane", "lane"], columns="target", values="net", aggfunc="sum")
        .reset_index()
    )
