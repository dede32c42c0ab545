"""Curves against each other: how far the IC50 moves between media, agents and lines, and whether an
enzyme acts through asparagine or glutamine.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, empty
from kit.core.findings import Finding, number
from kit.dose.curves import ALL

PLACE = ["cell_line", "agent", "medium"]
MOST_LINES = 8
"""Lines up to which all pairs of lines are compared."""

SLOPES, PLATEAUS = 1.5, 0.1
"""Ratio of Hill slopes, and difference of plateaus, up to which curves count as parallel [K]."""

Row = dict[Any, Any]
NOTHING: Row = dict.fromkeys(
    ("delta_log10", "fold", "ci_low", "ci_high", "p", "p_parallel", "delta_aoc", "msr"), math.nan
)


def curve_shifts(responses: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """The contract's `curve_shifts`, and further columns `cell_line_b`, `agent_b`, `compares`
    (media, agents or lines), `readout`, `hours`, `delta_aoc`, `msr` and `code`.

    `delta_log10` is log10 IC50 of the second curve less that of the first, `fold` its ratio.
    Media and agents are paired by biological replicate (t on the differences); lines are
    independent (Welch). Curves that are not parallel get no fold: their areas over the curve are
    compared. Where one IC50 lies beyond the doses, the interval is a bound and p that of a sign
    test. `msr` is the minimum significant ratio, 10^(2 sqrt(2) s) with the SD s of log10 IC50
    between replicates (Assay Guidance Manual).
    """
    single = responses[responses["replicate"].ne(ALL)]
    rows = []
    for (readout, hours, scale), part in single.groupby(["readout", "hours", "scale"], sort=False):
        shared = {"readout": readout, "hours": hours, "scale": scale}
        curves = dict(iter(part.groupby(PLACE, sort=False)))
        for kind, a, b in _pairs(list(curves), config):
            rows.append(_row(kind, a, b) | shared | _compared(curves[a], curves[b], kind, config))
    return check(pd.DataFrame(rows), "curve_shifts") if rows else empty("curve_shifts")


def _pairs(keys: list[Any], config: ExperimentConfig) -> Iterator[tuple[str, Any, Any]]:
    """What is compared: media with the control medium, agents with each other, lines likewise."""
    few = len({line for line, _, _ in keys}) <= MOST_LINES
    first = sorted(keys, key=lambda key: key[2] != config.control_name)
    for a, b in itertools.combinations(first, 2):
        same = [x == y for x, y in zip(a, b, strict=True)]
        if same == [True, True, False] and a[2] == first[0][2]:
            yield "media", a, b
        elif same == [True, False, True] and _kind(a[1], config) == _kind(b[1], config):
            yield "agents", a, b
        elif same == [False, True, True] and few:
            yield "lines", a, b


def _kind(agent: str, config: ExperimentConfig) -> str:
    known = config.agents.get(agent)
    return known.kind if known else ""


def _row(kind: str, a: Any, b: Any) -> Row:
    return {
        "compares": kind,
        "cell_line": a[0], "agent": a[1], "medium_a": a[2],
        "cell_line_b": b[0], "agent_b": b[1], "medium_b": b[2],
    }  # fmt: skip


def _compared(a: pd.DataFrame, b: pd.DataFrame, kind: str, config: ExperimentConfig) -> Row:
    """One comparison: by IC50, by areas, by bounds, or the reason why there is none."""
    paired = kind != "lines"
    if paired:
        both = sorted(set(a["replicate"]) & set(b["replicate"]))
        a, b = (part.set_index("replicate").loc[both].reset_index() for part in (a, b))
    n = min(len(a), len(b))
    row = NOTHING | {"method": "paired" if paired else "welch", "n_replicates": n}
    good = [part["reportable"].astype(bool).all() and n > 0 for part in (a, b)]
    if all(good):
        row["p_parallel"], apart = _parallel(a, b, paired)
        if apart and row["p_parallel"] < config.settings.alpha:
            return row | _areas(a, b, paired) | _words(Finding("SHIFT_NOT_PARALLEL", "info"))
        row |= _shifted(np.log10(a["ic50_relative"]), np.log10(b["ic50_relative"]), paired)
        return row | _said(row, config.settings)
    sides = [_side(part) for part in (a, b)]
    if n and all(side or ok for side, ok in zip(sides, good, strict=True)) and sides[0] != sides[1]:
        return row | _bounded(a, b, sides)
    return row | _words(Finding("SHIFT_NOT_REPORTABLE", "info"))


def _words(found: Finding) -> Row:
    return {"note": found.phrase, "code": found.code}


def _side(part: pd.DataFrame) -> str:
    """On which side of the doses every replicate's IC50 lies; empty where it is none."""
    sides = set(part["censored"])
    return sides.pop() if len(sides) == 1 and sides <= {"left", "right"} else ""


def _difference(a: Any, b: Any, paired: bool) -> tuple[float, float, float]:
    """Mean of b less mean of a, its standard error and degrees of freedom."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if paired:
        d = b - a
        se = d.std(ddof=1) / math.sqrt(len(d)) if len(d) > 1 else math.nan
        return float(d.mean()), float(se), len(d) - 1
    if min(len(a), len(b)) < 2:
        return float(b.mean() - a.mean()), math.nan, 0
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    squares = va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)
    df = (va + vb) ** 2 / squares if squares > 0 else 0
    return float(b.mean() - a.mean()), math.sqrt(va + vb), df


def _p(a: Any, b: Any, paired: bool) -> float:
    mean, se, df = _difference(a, b, paired)
    return float(2 * stats.t.sf(abs(mean) / se, df)) if df > 0 and se > 0 else math.nan


def _parallel(a: pd.DataFrame, b: pd.DataFrame, paired: bool) -> tuple[float, bool]:
    """p that Hill slope and the plateau at the effect are equal (Holm's smaller of the two), and
    whether they lie apart by more than a fold describes (`SLOPES`, `PLATEAUS`).
    """
    end = "top" if a["direction"].iloc[0] == "rising" else "bottom"
    slopes = np.log10(a["hill"]), np.log10(b["hill"])
    known = [p for p in (_p(*slopes, paired), _p(a[end], b[end], paired)) if math.isfinite(p)]
    apart = (
        abs(_difference(*slopes, paired)[0]) > math.log10(SLOPES)
        or abs(_difference(a[end], b[end], paired)[0]) > PLATEAUS
    )
    return (min(1.0, len(known) * min(known)) if known else math.nan), apart


def _shifted(a: Any, b: Any, paired: bool) -> Row:
    """Shift of log10 IC50 with its t interval, as a fold."""
    mean, se, df = _difference(a, b, paired)
    row: Row = {"delta_log10": mean, "fold": 10**mean}
    spread = [np.asarray(part, float).std(ddof=1) for part in (a, b) if len(part) > 1]
    if spread:
        row["msr"] = 10 ** (2 * math.sqrt(2 * float(np.mean(np.square(spread)))))
    if df >= 2 or (not paired and df > 1):
        half = float(stats.t.isf(0.025, df)) * se
        row |= {"ci_low": 10 ** (mean - half), "ci_high": 10 ** (mean + half)}
        row["p"] = _p(a, b, paired)
    return row


def _areas(a: pd.DataFrame, b: pd.DataFrame, paired: bool) -> Row:
    """Areas over the curve, over the same doses; no fold."""
    ends = pd.concat([a, b])[["aoc_low_c", "aoc_high_c"]].round(12).drop_duplicates()
    if len(ends) > 1:
        return {"method": "aoc"}
    mean, _, _ = _difference(a["aoc"], b["aoc"], paired)
    return {"method": "aoc", "delta_aoc": mean, "p": _p(a["aoc"], b["aoc"], paired)}


def _bounded(a: pd.DataFrame, b: pd.DataFrame, sides: list[str]) -> Row:
    """A bound of the fold where an IC50 lies beyond the doses; p of an exact sign test."""
    low, high = (_ends(part, side) for part, side in zip((a, b), sides, strict=True))
    floor, ceiling = high[0] - low[1], high[1] - low[0]
    n = min(len(a), len(b))
    p = min(1.0, 2 * 0.5**n) if floor > 0 or ceiling < 0 else math.nan
    row: Row = {"method": "censored", "ci_low": 10**floor, "ci_high": 10**ceiling, "p": p}
    values = {"fold": number(10**floor if floor > 0 else 10**ceiling)}
    code = "SHIFT_AT_LEAST" if floor > 0 else "SHIFT_AT_MOST"
    known = floor > 0 or ceiling < 0
    return row | _words(Finding(code if known else "SHIFT_NOT_REPORTABLE", "info", values=values))


def _ends(part: pd.DataFrame, side: str) -> tuple[float, float]:
    """Between which log10 IC50 lies, over the replicates."""
    if side == "right":
        return math.log10(part["censored_at"].min()), math.inf
    if side == "left":
        return -math.inf, math.log10(part["censored_at"].max())
    logs = np.log10(part["ic50_relative"].to_numpy(float))
    return float(logs.min()), float(logs.max())


def _said(row: Row, settings: Settings) -> Row:
    if row["n_replicates"] < settings.min_replicates:
        values = {"n": row["n_replicates"], "asked": settings.min_replicates}
        return {"p": math.nan} | _words(Finding("SHIFT_EXPLORATORY", "info", values=values))
    code = "SHIFT_SEEN" if row["p"] < settings.alpha else "SHIFT_NOT_SHOWN"
    values = {name: number(row[name]) for name in ("fold", "ci_low", "ci_high")}
    return _words(Finding(code, "info", values=values))


# ---- asparagine or glutamine


MOVED = 0.15
"""log10 below which glutamine does not move the IC50 (SPEC 9, [K])."""
RESTORED = 0.6
"""GR at ten times the IC50 from which glutamine explains the effect (SPEC 9, [K])."""


def enzyme_split(
    points: pd.DataFrame, responses: pd.DataFrame, config: ExperimentConfig
) -> pd.DataFrame:
    """The contract's `enzyme_split`, with `against` (the medium refed with glutamine, or the enzyme
    with less glutaminase), `readout`, `hours`, `delta_log10`, its 90 % interval `delta_low`,
    `delta_high`, `gr_restored` with its 90 % interval `ci_low`, `ci_high`, `code` and `note`.

    `gln_share` is the part of the lost GR that comes back at ten times the IC50 of the enzyme
    alone, `asn_share` the rest. The class is `asparagine` where glutamine moves log10 IC50 by less
    than 0.15 (both ends of the 90 % interval), `glutamine` where it restores GR to 0.6 or more
    (lower end), `both` where it surely moves the IC50 and surely does not restore GR.
    """
    single = responses[responses["replicate"].ne(ALL) & responses["scale"].eq("gr")]
    rows = []
    for (readout, hours), part in single.groupby(["readout", "hours"], sort=False):
        curves = dict(iter(part.groupby(PLACE, sort=False)))
        here = points[(points[["readout", "hours"]] == [readout, hours]).all(axis=1)]
        for a, b in itertools.permutations(curves, 2):
            if _splits(a, b, config):
                head = {"cell_line": a[0], "agent": a[1], "readout": readout, "hours": hours}
                head["against"] = b[2] if a[1] == b[1] else b[1]
                rows.append(head | _split(curves[a], curves[b], here, a, b, config.settings))
    return check(pd.DataFrame(rows), "enzyme_split") if rows else empty("enzyme_split")


def _splits(a: Any, b: Any, config: ExperimentConfig) -> bool:
    """Whether b is the enzyme a with glutamine given again, or an enzyme with less glutaminase."""
    if a[0] != b[0] or _kind(a[1], config) != "enzyme":
        return False
    if a[1] == b[1]:
        fed = [("glutamine" in config.media[key[2]].refeeds) for key in (a, b)]
        return fed == [False, True]
    shares = [_glutaminase(key[1], config) for key in (a, b)]
    return a[2] == b[2] and shares[1] <= shares[0] / 2


def _glutaminase(agent: str, config: ExperimentConfig) -> float:
    known = config.agents.get(agent)
    given = None if known is None or known.kind != "enzyme" else known.glutaminase_percent
    return math.nan if given is None else float(given)


def _split(
    a: pd.DataFrame, b: pd.DataFrame, points: pd.DataFrame, key: Any, other: Any, settings: Settings
) -> Row:
    both = sorted(set(a["replicate"]) & set(b["replicate"]))
    a, b = (part.set_index("replicate").loc[both] for part in (a, b))
    names = ("asn_share", "gln_share", "ci_low", "ci_high", "gr_restored")
    row: Row = dict.fromkeys((*names, "delta_log10", "delta_low", "delta_high"), math.nan)
    row |= {"class": "indeterminate", "n_replicates": len(both)}
    if len(both) < settings.min_replicates or not a["reportable"].all():
        return row | _words(Finding("SPLIT_NO_CURVE", "info"))
    moved = _moved(a, b)
    row |= moved
    dose = 10 * 10 ** float(np.log10(a["ic50_relative"]).mean())
    alone, fed = (_at(points, place, both, dose) for place in (key, other))
    if np.isfinite(fed).all():
        row |= dict(zip(("gr_restored", "ci_low", "ci_high"), _t(fed, 0.90), strict=True))
    if np.isfinite(fed).all() and np.isfinite(alone).all() and (alone < 1).all():
        share = float(np.clip(np.mean((fed - alone) / (1 - alone)), 0, 1))
        row |= {"gln_share": share, "asn_share": 1 - share}
    row["class"], code = _class(row)
    values = {"dose": number(dose), "unit": str(a["unit"].iloc[0])}
    return row | _words(Finding(code, "info", values=values))


def _class(row: Row) -> tuple[str, str]:
    if abs(row["delta_low"]) < MOVED and abs(row["delta_high"]) < MOVED:
        return "asparagine", "SPLIT_ASPARAGINE"
    if row["ci_low"] >= RESTORED:
        return "glutamine", "SPLIT_GLUTAMINE"
    if math.isnan(row["gr_restored"]):
        return "indeterminate", "SPLIT_DOSE_NOT_TESTED"
    if row["delta_low"] > MOVED and row["ci_high"] < RESTORED:
        return "both", "SPLIT_BOTH"
    return "indeterminate", "SPLIT_INDETERMINATE"


def _moved(a: pd.DataFrame, b: pd.DataFrame) -> Row:
    """Shift of log10 IC50 with its 90 % interval; a bound where the refed curve has none."""
    logs = np.log10(a["ic50_relative"].to_numpy(float))
    if b["reportable"].all():
        values = _t(np.log10(b["ic50_relative"].to_numpy(float)) - logs, 0.90)
        return dict(zip(("delta_log10", "delta_low", "delta_high"), values, strict=True))
    if _side(b) == "right":
        low = math.log10(b["censored_at"].min()) - float(logs.max())
        return {"delta_low": low, "delta_high": math.inf}
    return {}


def _t(values: Any, level: float) -> tuple[float, float, float]:
    """Mean with its t interval."""
    values = np.asarray(values, float)
    half = stats.t.isf((1 - level) / 2, len(values) - 1) * values.std(ddof=1)
    half /= math.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def _at(points: pd.DataFrame, place: Any, replicates: list[str], dose: float) -> Any:
    """GR of each replicate at a dose, between the two doses about it; NaN outside the doses."""
    own = points[~points["excluded"] & points["concentration"].gt(0) & points["gr"].notna()]
    own = own[(own[PLACE] == list(place)).all(axis=1)]
    found = []
    for replicate in replicates:
        one = own[own["replicate"].astype(str).eq(replicate)].sort_values("dose")
        x, y = np.log10(one["dose"].to_numpy(float)), one["gr"].to_numpy(float)
        inside = len(x) > 1 and x[0] <= math.log10(dose) <= x[-1]
        found.append(float(np.interp(math.log10(dose), x, y)) if inside else math.nan)
    return np.array(found)
