"""Cleaned scans -> growth rates per phase, and onset, recovery and class per line and medium."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats as sps

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, empty
from kit.core.findings import Finding, codes, listing, say
from kit.stats import Fieller, fieller_interval
from kit.timecourse.arms import Arm, arms
from kit.timecourse.onset import Onset, find_onset
from kit.timecourse.rates import LN2, Rate, growth_rate
from kit.timecourse.recovery import RecoveryLimits, recovery_class, recovery_share
from kit.timecourse.scans import clean

ALL = "all"
"""The value of `replicate` in the rows that pool the experiments."""
DOUBTS = ("TIMECOURSE_MOVED", "LIVE_CLOCK")
"""Codes that keep a call that rests on a time course from being confident."""
_NONE = Rate(math.nan, math.nan, math.nan, math.nan)


class TimeCourses(NamedTuple):
    """The tables of `08_time_course`."""

    timecourse: pd.DataFrame
    growth_rates: pd.DataFrame
    onset: pd.DataFrame


def time_courses(
    scans: pd.DataFrame, config: ExperimentConfig, excluded: pd.DataFrame
) -> TimeCourses:
    """All tables of an experiment's time courses.

    Parameters
    ----------
    scans
        Scans of all entries of `timecourse`, as `read_timecourse` gives them.
    config
        The experiment.
    excluded
        The list of exclusions (plate, well).
    """
    frames = []
    for entry in config.timecourse:
        wells = frozenset(excluded.loc[excluded["plate"].eq(entry.plate), "well"])
        rows = scans[scans["plate"].eq(entry.plate)]
        frames.append(clean(rows, entry, config.settings, wells))
    table = pd.concat(frames, ignore_index=True)
    found = list(arms(table, config.timecourse, config.control_name))
    rates = pd.DataFrame([row for arm in found for row in _rates(arm, config.settings)])
    onsets = pd.DataFrame(_onsets(found, config, _doubts(table)))
    onsets = (
        empty("onset").assign(code="", n_replicates=0, n_recovered=0) if onsets.empty else onsets
    )
    hidden = [name for name in onsets if str(name).startswith("_")]
    return TimeCourses(
        check(table, "timecourse"),
        check(rates, "growth_rates"),
        check(onsets.drop(columns=hidden), "onset"),
    )


def rate_in(y: pd.Series, window: tuple[float, float], settings: Settings) -> Rate:
    """The rate of a log2 curve in a window; NaN where it holds too few scans or hours."""
    part = y[(y.index >= window[0]) & (y.index < window[1])]
    short = len(part) < settings.min_scans
    if short or part.index[-1] - part.index[0] < settings.min_rate_window_h:
        return _NONE
    return growth_rate(part.index.to_numpy(float), 2.0 ** part.to_numpy(float))


def phases(arm: Arm, settings: Settings) -> dict[str, tuple[float, float]]:
    """The windows of an arm, set beforehand and half-open."""
    entry = arm.entry
    found = {"before": (0.0, entry.withdrawal_h)} if entry.withdrawal_h > 0 else {}
    found["withdrawn"] = (entry.withdrawal_h, arm.withdrawn_to())
    if entry.addback_h is not None:
        late = (settings.recovery_from_h, settings.recovery_to_h)
        found["after_addback"] = (entry.addback_h + late[0], entry.addback_h + late[1])
    return found


def _rates(arm: Arm, settings: Settings) -> list[dict[str, Any]]:
    rows = []
    for phase, window in phases(arm, settings).items():
        rate = rate_in(arm.y, window, settings)
        part = arm.y[(arm.y.index >= window[0]) & (arm.y.index < window[1])]
        half = sps.t.isf(0.025, len(part) - 2) * rate.se if len(part) > 2 else math.nan
        code = "" if math.isfinite(rate.rate) else "TIMECOURSE_TOO_FEW_SCANS"
        rows.append(
            {
                "cell_line": arm.cell_line,
                "medium": arm.medium,
                "replicate": arm.entry.replicate,
                "metric": arm.metric,
                "phase": phase,
                "rate_per_h": rate.rate,
                "ci_low": rate.rate - half,
                "ci_high": rate.rate + half,
                "from_h": rate.from_h,
                "to_h": rate.to_h,
                "n_points": len(part),
                "note": _words(code),
                "doublings_per_h": rate.rate / LN2,
                "plate": arm.entry.plate,
                "code": code,
            }
        )
    return rows


def _words(code: str, values: dict[str, Any] | None = None) -> str:
    """The sentence of a code without its subject, which the row names."""
    if not code:
        return ""
    text = say(codes()[code].sentence, "", values or {}).removeprefix(": ")
    return f"{text[:1].upper()}{text[1:]}"


def _doubts(scans: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Plate -> codes of what puts its whole time course in doubt: a move, a clock that disagrees."""
    marks = {"TIMECOURSE_MOVED": scans["code"].eq("TIMECOURSE_MOVED")}
    if "clock" in scans:
        marks["LIVE_CLOCK"] = scans["clock"].astype(bool)
    plates = {code: set(scans.loc[where, "plate"]) for code, where in marks.items()}
    return {
        str(plate): tuple(code for code, found in plates.items() if plate in found)
        for plate in scans["plate"].unique()
    }


def _onsets(
    found: Sequence[Arm], config: ExperimentConfig, doubts: Mapping[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Rows per experiment and one that pools them, for every line in a dropout medium."""
    rows: list[dict[str, Any]] = []
    groups: dict[tuple[str, str], list[Arm]] = {}
    for arm in found:
        if config.media[arm.medium].role == "dropout":
            groups.setdefault((arm.cell_line, arm.medium), []).append(arm)
    for (line, medium), group in groups.items():
        about = {
            "cell_line": line,
            "medium": medium,
            "amino_acid": str(config.media[medium].removes or ""),
            "metric": group[0].metric,
        }
        single = [_one(arm, config.settings) for arm in group]
        metrics = {arm.metric for arm in group}
        pooled = _pooled(single, len(metrics) > 1, config.settings)
        for arm, row in zip(group, single):
            own = {str(arm.entry.plate): doubts.get(arm.entry.plate, ())}
            rows.append(about | {"replicate": str(arm.entry.replicate)} | _doubted(row, own))
        every = {arm.entry.plate: doubts.get(arm.entry.plate, ()) for arm in group}
        rows.append(about | {"replicate": ALL} | _doubted(pooled, every))
    return rows


def _doubted(row: dict[str, Any], doubts: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The row with the codes of what puts its plates in doubt, and the plates in its note."""
    said = {code: [plate for plate in doubts if code in doubts[plate]] for code in DOUBTS}
    said = {code: plates for code, plates in said.items() if plates}
    notes = [f"{listing(plates)}: {codes()[code].title.lower()}." for code, plates in said.items()]
    return row | {
        "code": " ".join([*row["code"].split(), *said]),
        "note": " ".join([*([row["note"]] if row["note"] else []), *notes]),
    }


def _one(arm: Arm, settings: Settings) -> dict[str, Any]:
    """One experiment: onset with its profile interval, rates around it, recovery, end point."""
    entry, d = arm.entry, arm.difference
    start, stop = entry.withdrawal_h, arm.withdrawn_to()
    inside = d[(d.index >= start) & (d.index < stop)]
    onset = find_onset(inside.index, inside, start_h=start, alpha=settings.onset_alpha)
    tested = math.isfinite(onset.p)
    begin = onset.onset_h if onset.found else start
    late, late_control = (rate_in(y, (begin, stop), settings) for y in (arm.y, arm.control))
    row: dict[str, Any] = {
        "onset_h": onset.onset_h - start,
        "ci_low": onset.ci_low - start,
        "ci_high": onset.ci_high - start,
        "rate_before": rate_in(arm.y, (start, begin), settings).rate if onset.found else late.rate,
        "rate_after": late.rate,
        "rate_control": late_control.rate,
        "p": onset.p,
        "onset_found": onset.found,
        "tested": tested,
        "n_replicates": 1,
    }
    row |= _recovery(arm, onset, settings) | _endpoint(arm, late, late_control, settings)
    share = Fieller(*(row[k] for k in ("recovery_share", "recovery_low", "recovery_high", "_kind")))
    row["n_recovered"] = int(math.isfinite(row["_top"]) and math.isfinite(row["_bottom"]))
    return row | _class(row, share, entry.addback_h is not None, settings)


def _recovery(arm: Arm, onset: Onset, settings: Settings) -> dict[str, Any]:
    """Rate after add-back over control's, with the interval of the two curves; the lag."""
    nothing = {
        "recovery_share": math.nan,
        "recovery_low": math.nan,
        "recovery_high": math.nan,
        "lag_h": math.nan,
        "_kind": "none",
        "_top": math.nan,
        "_bottom": math.nan,
    }
    window = phases(arm, settings).get("after_addback")
    if window is None:
        return nothing
    top, bottom = (rate_in(y, window, settings) for y in (arm.y, arm.control))
    n = int(((arm.y.index >= window[0]) & (arm.y.index < window[1])).sum())
    share = fieller_interval(top.rate, bottom.rate, top.se**2, bottom.se**2, 0.0, max(n - 2, 1))
    at = float(arm.entry.addback_h or 0)
    late = arm.y[arm.y.index >= at]
    lag = find_onset(late.index, late, start_h=at, alpha=settings.onset_alpha, falling=False)
    recovered = recovery_class(share, _limits(settings)) == "reversible" and lag.found
    return {
        "recovery_share": share.ratio,
        "recovery_low": share.low,
        "recovery_high": share.high,
        "lag_h": lag.onset_h - at if recovered and lag.change > 0 else math.nan,
        "_kind": share.kind,
        "_top": top.rate,
        "_bottom": bottom.rate,
    }


def _endpoint(arm: Arm, late: Rate, control: Rate, settings: Settings) -> dict[str, Any]:
    """GR that an end point would have given, and GR of the phase after the onset."""
    start, stop = arm.entry.withdrawal_h, arm.withdrawn_to()
    both = pd.concat([arm.y, arm.control], axis=1, keys=["y", "c"]).dropna()
    both = both[(both.index >= start) & (both.index < stop)]
    row = {"endpoint_h": math.nan, "gr_endpoint": math.nan, "gr_late": math.nan}
    if len(both):
        at = min(both.index, key=lambda hour: abs(hour - start - settings.proliferation_h))
        grown = both.loc[at] - both.iloc[0]
        row["endpoint_h"] = float(at) - start
        if grown["c"] >= settings.undefined_control_doublings:
            row["gr_endpoint"] = float(2 ** (grown["y"] / grown["c"]) - 1)
    if control.rate > 0:
        row["gr_late"] = float(2 ** (late.rate / control.rate) - 1)
    return row


def _limits(settings: Settings) -> RecoveryLimits:
    return RecoveryLimits(
        settings.recovery_reversible,
        settings.recovery_reversible_low,
        settings.recovery_irreversible,
    )


def _class(
    row: dict[str, Any], share: Fieller, added_back: bool, settings: Settings
) -> dict[str, Any]:
    """Class with its code: no onset is no effect only where the rate is near the control's."""
    if not row["tested"]:
        kind, code = "indeterminate", "TIMECOURSE_TOO_FEW_SCANS"
    elif not row["onset_found"]:
        near = row["rate_after"] >= settings.recovery_reversible * row["rate_control"]
        kind, code = ("no_effect", "") if near else ("indeterminate", "TIMECOURSE_NO_CLEAR_ONSET")
    elif not added_back:
        kind, code = "indeterminate", "TIMECOURSE_NOT_ADDED_BACK"
    else:
        kind = recovery_class(share, _limits(settings))
        code = "" if kind != "indeterminate" else "TIMECOURSE_RECOVERY_UNCLEAR"
    differs = _differs(row, settings)
    found = [item for item in (code, "TIMECOURSE_ENDPOINT_DIFFERS" if differs else "") if item]
    values = {"end": row["gr_endpoint"], "late": row["gr_late"], "hours": row["endpoint_h"]}
    return {
        "class": kind,
        "code": " ".join(found),
        "note": " ".join(_words(item, values) for item in found),
    }


def _differs(row: dict[str, Any], settings: Settings) -> bool:
    """Whether the end point would stand on another side of a cut-off than the late phase."""
    limits = (settings.gr_auxotroph, settings.gr_prototroph)
    values = (row["gr_endpoint"], row["gr_late"])
    if not (row["onset_found"] and np.isfinite(values).all()):
        return False
    return sum(values[0] > limit for limit in limits) != sum(values[1] > limit for limit in limits)


def _pooled(rows: list[dict[str, Any]], mixed: bool, settings: Settings) -> dict[str, Any]:
    """The experiments together: t interval of the onset, Fieller of the recovery, means."""
    frame = pd.DataFrame(rows)
    onsets = frame["onset_h"].dropna().to_numpy(float)
    n = len(onsets)
    half = math.nan
    if n > 1:
        half = float(sps.t.isf(0.025, n - 1) * onsets.std(ddof=1) / math.sqrt(n))
    share = recovery_share(frame["_top"], frame["_bottom"])
    names = (
        "rate_before",
        "rate_after",
        "rate_control",
        "lag_h",
        "endpoint_h",
        "gr_endpoint",
        "gr_late",
        "p",
    )
    means = {name: float(frame[name].mean()) for name in names}
    mean = float(onsets.mean()) if n else math.nan
    row: dict[str, Any] = means | {
        "onset_h": mean,
        "ci_low": mean - half,
        "ci_high": mean + half,
        "recovery_share": share.ratio,
        "recovery_low": share.low,
        "recovery_high": share.high,
        "_kind": share.kind,
        "tested": bool(frame["tested"].any()),
        "onset_found": 2 * n > int(frame["tested"].sum()),
        "n_replicates": int(frame["tested"].sum()),
        "n_recovered": int(frame["n_recovered"].sum()),
    }
    row["p"] = math.nan
    if mixed:
        code = "TIMECOURSE_METRICS_DIFFER"
        words = {"class": "indeterminate", "code": code, "note": _words(code)}
        return row | dict.fromkeys(("onset_h", "ci_low", "ci_high"), math.nan) | words
    if row["onset_found"] or not n:
        return row | _class(row, share, bool(frame["_top"].notna().any()), settings)
    code = "TIMECOURSE_NO_CLEAR_ONSET"
    return row | {"class": "indeterminate", "code": code, "note": _words(code)}


def timecourse_findings(scans: pd.DataFrame, onset: pd.DataFrame) -> list[Finding]:
    """What the first screen says of the time courses."""
    found = []
    for code in ("TIMECOURSE_MOVED", "TIMECOURSE_STARTS_AT_ZERO", "TIMECOURSE_SATURATED"):
        rows = scans[scans["code"].eq(code)]
        for plate, part in rows.groupby("plate", sort=False):
            values = {"from": float(part["hours"].min()), "wells": int(part["well"].nunique())}
            severity = "info" if code == "TIMECOURSE_SATURATED" else "warn"
            found.append(Finding(code, severity, str(plate), values))
    pooled = onset[onset["replicate"].eq(ALL)]
    for row in pooled.to_dict("records"):
        if "TIMECOURSE_ENDPOINT_DIFFERS" in row["code"].split():
            values = {"end": row["gr_endpoint"], "late": row["gr_late"], "hours": row["endpoint_h"]}
            subject = f"{row['cell_line']} without {row['amino_acid'].replace('+', ' and ')}"
            found.append(Finding("TIMECOURSE_ENDPOINT_DIFFERS", "warn", subject, values))
    return found
