"""Points -> one curve per biological replicate and scale, and what a line's curve says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, empty
from kit.core.findings import codes, number, say
from kit.dose.fit import Box, fit_batch
from kit.dose.points import SCALES, is_nutrient, unit_text
from kit.dose.status import ORDER, Limits, Series, codes_of

Floats = NDArray[np.float64]
LINE = ["cell_line", "agent", "medium", "readout", "hours"]
ALL = "all"
HALF = 0.5
_NUMBERS = ("ic50_relative", "ic50_absolute", "ci_low", "ci_high", "se_log10_ic50")


def limits(settings: Settings) -> Limits:
    """The cut-offs of the codes as the settings have them."""
    return Limits(
        min_effect=settings.min_dose_effect,
        alpha=settings.alpha,
        aicc_margin=settings.dose_aicc_margin,
        max_ci_log10=settings.max_ic50_ci_log10,
        max_control_error=settings.max_dose_control_error,
    )


def dose_response(points: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """The contract's `dose_response`: a row per curve of a replicate, and one, replicate `all`, per
    line, agent, medium, read-out, time and scale.

    The value of a line is the mean of log10 IC50 over its replicates, with a t interval from three
    on. It stands only where every replicate's curve may be reported.
    """
    rows: list[dict[str, Any]] = []
    for key, group in points[~points["excluded"]].groupby(LINE, sort=False):
        head = dict(zip(LINE, key, strict=True)) | {"unit": str(group["unit"].iloc[0])}
        nutrient = is_nutrient(str(head["agent"]), config)
        for scale in SCALES:
            curves = {
                int(replicate): series_of(part, scale)
                for replicate, part in group.groupby("replicate")
            }
            curves = {name: one for name, one in curves.items() if len(one.dose)}
            if not curves:
                continue
            boxes = [box_of(one, scale, nutrient) for one in curves.values()]
            found = [
                _curve(one, box, config.settings, nutrient)
                for one, box in zip(curves.values(), boxes, strict=True)
            ]
            for replicate, row in zip(curves, found, strict=True):
                rows.append(_said({**head, "scale": scale, "replicate": str(replicate), **row}))
            whole = pooled(list(curves.values()))
            over = _curve(whole, box_of(whole, scale, nutrient), config.settings, nutrient)
            line = _line(found, over)
            rows.append(_said({**head, "scale": scale, "replicate": ALL, **line}))
    return check(pd.DataFrame(rows), "dose_response") if rows else empty("dose_response")


def series_of(part: pd.DataFrame, scale: str) -> Series:
    """The points of one replicate on one scale."""
    part = part[part[scale].notna()].sort_values("dose")
    n = part["n_wells"].to_numpy(float)
    sd = part[f"sd_{scale}"].fillna(0.0).to_numpy(float)
    pure = float(((n - 1).clip(min=0) * sd**2).sum())
    return Series(part["dose"].to_numpy(float), part[scale].to_numpy(float), n, pure, int(n.sum()))


def pooled(curves: Sequence[Series]) -> Series:
    """Means over replicates: the unit is the replicate, wells no longer count."""
    table = pd.concat(
        [pd.DataFrame({"dose": one.dose, "y": one.mean}) for one in curves], ignore_index=True
    )
    by = table.groupby("dose")["y"]
    return Series(
        np.array(sorted(by.groups), float),
        by.mean().to_numpy(float),
        by.count().to_numpy(float),
        float(((table["y"] - by.transform("mean")) ** 2).sum()),
        len(table),
    )


def box_of(series: Series, scale: str, nutrient: bool) -> Box:
    """Bounds of a curve. Where the wells without agent vary by 10 % or less, 100 % is set to 1.

    A nutrient's upper plateau is free between 0.5 and 1.2: the richest dose need not equal the
    control medium.
    """
    low = -1.0 if scale == "gr" else 0.0
    if nutrient:
        return Box((low, 1.0), (0.5, 1.2))
    free = max(series.count - len(series.dose), 1)
    varies = math.sqrt(series.pure / free) > 0.1
    return Box((0.8, 1.2) if varies or series.dose[0] > 0 else (1.0, 1.0), (low, 0.8))


def _curve(series: Series, box: Box, settings: Settings, nutrient: bool) -> dict[str, Any]:
    """One fitted curve as columns; numbers of the IC50 only where it may be reported."""
    positive = series.dose[series.dose > 0]
    row: dict[str, Any] = {
        "direction": "rising" if nutrient else "falling",
        "n_doses": len(series.dose),
        "n_replicates": 1,
        "model": "4pl",
        **dict.fromkeys((*_NUMBERS, "hill", "top", "bottom", "p_flat"), math.nan),
        **_area(series),
        "censored": "none",
        "ci_method": "",
        "bound": math.nan,
    }
    if len(series.dose) < 5 or not len(positive):
        return row | {"codes": ("TOO_FEW",), "model": "constant"}
    fit = fit_batch(
        series.dose, series.mean[None], series.n[None], np.array([series.pure]), box, steps=60
    )
    start, end, m, hill = (float(part[0]) for part in (fit.start, fit.end, fit.m, fit.hill))
    free = max(series.count - len(series.dose), 1)
    error = math.sqrt(series.pure / free / series.n[0]) if series.dose[0] == 0 else 0.0
    found = codes_of(
        series,
        start=start,
        end=end,
        m=m,
        hill=hill,
        rss=float(fit.rss[0]),
        interval=(float(fit.low[0]), float(fit.high[0])),
        p_flat=float(fit.p_flat[0]),
        scale=1.0,
        limits=limits(settings),
        control_error=0.0 if nutrient else error,
    )
    row |= {
        "codes": found,
        "hill": hill,
        "top": max(start, end),
        "bottom": min(start, end),
        "p_flat": float(fit.p_flat[0]),
    }
    if not found:
        width = float(fit.high[0] - fit.low[0]) / 2
        row |= {
            "ic50_relative": 10**m,
            "ic50_absolute": _absolute(series, start, end, m, hill),
            "ci_low": 10 ** float(fit.low[0]),
            "ci_high": 10 ** float(fit.high[0]),
            "ci_method": "profile likelihood over wells",
            "se_log10_ic50": width / float(stats.t.isf(0.025, float(fit.df[0]))),
        }
    elif found[0] in ("NO_EFFECT", "FLAT_BEST"):
        level = float(np.average(series.mean, weights=series.n))
        row |= {"model": "constant", "hill": math.nan, "top": level, "bottom": level}
        row |= _censoring(series, positive, nutrient)
    elif found[0] == "BIPHASIC":
        row |= {"model": "biphasic"}
    elif found[0] in ("NO_UPPER", "NO_LOWER_PLATEAU"):
        row |= _half_seen(series, positive, nutrient)
    return row


def _absolute(series: Series, start: float, end: float, m: float, hill: float) -> float:
    """IC50_abs = IC50_rel ((start - L) / (L - end))^(1/h) with L = 0.5, where the curve crosses L
    and two doses are predicted on each side of it (Sebaugh 2011); else NaN.
    """
    if not min(start, end) < HALF < max(start, end):
        return math.nan
    dose = 10**m * ((start - HALF) / (HALF - end)) ** (1 / hill)
    sides = (series.dose < dose).sum(), (series.dose > dose).sum()
    return dose if min(sides) >= 2 else math.nan


def _censoring(series: Series, positive: Floats, nutrient: bool) -> dict[str, Any]:
    """Without an effect: a line that grows has its IC50 above the top dose, or its EC50 below the
    lowest; one that never grows the other way round.
    """
    grows = float(np.average(series.mean, weights=series.n)) > HALF
    if grows != nutrient:
        return {"censored": "right", "bound": float(positive[-1])}
    return {"censored": "left", "bound": float(positive[0])}


def _half_seen(series: Series, positive: Floats, nutrient: bool) -> dict[str, Any]:
    """The half-maximal response is censored only where all doses surely lie on one side of it."""
    free = max(series.count - len(series.dose), 1)
    error = 2 * np.sqrt(series.pure / free / series.n)
    tested = series.dose > 0
    over, under = series.mean - error > HALF, series.mean + error < HALF
    if (under if nutrient else over)[tested].all():
        return {"censored": "right", "bound": float(positive[-1])}
    if (over if nutrient else under)[tested].all():
        return {"censored": "left", "bound": float(positive[0])}
    return {}


def _area(series: Series) -> dict[str, float]:
    """Area over the curve (1 - response) per decade of dose, between the outermost doses."""
    dose, y = (part[series.dose > 0] for part in (series.dose, series.mean))
    if len(dose) < 2:
        return dict.fromkeys(("aoc", "aoc_low_c", "aoc_high_c", "max_effect"), math.nan)
    x = np.log10(dose)
    return {
        "aoc": float(np.trapezoid(1 - y, x) / (x[-1] - x[0])),
        "aoc_low_c": float(dose[0]),
        "aoc_high_c": float(dose[-1]),
        "max_effect": float(max(abs(y - series.mean[0]))),
    }


def _line(found: Sequence[Mapping[str, Any]], over: dict[str, Any]) -> dict[str, Any]:
    """What the replicates say together; shape, area and p are those of the mean curve."""
    n = len(found)
    row = over | {"n_replicates": n, **dict.fromkeys(_NUMBERS, math.nan), "ci_method": ""}
    row |= {"censored": "none", "bound": math.nan}
    bad = [one for one in found if one["codes"]]
    if bad:
        union = {code for one in bad for code in one["codes"]}
        row["codes"] = tuple(code for code in ORDER if code in union)
        sides = {one["censored"] for one in found}
        if sides in ({"right"}, {"left"}):
            bounds = [one["bound"] for one in found]
            right = sides == {"right"}
            row |= {"censored": sides.pop(), "bound": min(bounds) if right else max(bounds)}
        row["good"] = n - len(bad)
        return row
    row["codes"] = ()
    logs = np.log10([one["ic50_relative"] for one in found])
    mean = float(logs.mean())
    row |= {"ic50_relative": 10**mean, "model": "4pl"}
    halves = np.array([one["ic50_absolute"] for one in found])
    if np.isfinite(halves).all():
        row["ic50_absolute"] = 10 ** float(np.log10(halves).mean())
    if n == 1:
        return row | {name: found[0][name] for name in (*_NUMBERS, "ci_method")}
    se = float(logs.std(ddof=1) / math.sqrt(n))
    row["se_log10_ic50"] = se
    if n >= 3:
        half = float(stats.t.isf(0.025, n - 1)) * se
        row |= {"ci_low": 10 ** (mean - half), "ci_high": 10 ** (mean + half)}
        row["ci_method"] = "t over biological replicates"
    return row


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """Status, words and text of a row from its codes."""
    found, bound, good = row.pop("codes"), row.pop("bound"), row.pop("good", None)
    row["code"] = " ".join(found)
    row["status"] = found[0] if found else "ok"
    row["reportable"] = not found
    unit = unit_text(row["unit"])
    subject = f"{row['cell_line']}, {row['agent']}"
    notes = [say(codes()[code].sentence, subject) for code in found[:1]]
    if good:
        values = {"good": good, "n": row["n_replicates"]}
        notes.append(say(codes()["REPLICATES_DISAGREE"].sentence, subject, values))
    row["note"] = " ".join(notes)
    sign = {"right": ">", "left": "<"}.get(row["censored"])
    if not found:
        row["ic50_text"] = f"{number(row['ic50_relative'])} {unit}".strip()
    elif sign:
        row["ic50_text"] = f"{sign}{number(bound)} {unit}".strip()
    else:
        row["ic50_text"] = f"not reportable: {codes()[found[0]].title.lower()}"
    row["censored_at"] = bound
    return row
