"""How well a value separates two classes of lines: area under the ROC curve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from kit.stats.intervals import Interval, check_level

Floats = NDArray[np.float64]
_MIN_DELONG = 5  # lines per class; with fewer the variance of DeLong is itself a guess


class Auc(NamedTuple):
    """Area, its interval and how that was made (`DeLong` or `Newcombe score`), exact two-sided
    permutation p, lines per class.
    """

    auc: float
    ci_low: float
    ci_high: float
    method: str
    p: float
    n_positive: int
    n_negative: int


def auc(positive: ArrayLike, negative: ArrayLike, level: float = 0.95) -> Auc:
    """Chance that a line of the positive class has the higher value (ties count half).

    The interval is DeLong's (1988, Biometrics 44:837) with at least five lines per class and
    imperfect separation, else Newcombe's
    score interval (2006, Stat Med 25:559, method 5), which stays honest at an area of 0 or 1. p is
    exact over all allocations of
    the observed values to the classes, ties included. Missing values are left out; an empty class
    gives NaN.
    """
    high, low = (
        values[np.isfinite(values)]
        for values in (np.asarray(v, dtype=float).ravel() for v in (positive, negative))
    )
    m, n = len(high), len(low)
    if not m or not n:
        return Auc(math.nan, math.nan, math.nan, "none", math.nan, m, n)
    wins = (high[:, None] > low[None, :]) + 0.5 * (high[:, None] == low[None, :])
    area = float(wins.mean())
    delong = min(m, n) >= _MIN_DELONG and 0 < area < 1
    interval = _delong(wins, level) if delong else _newcombe(area, m, n, level)
    return Auc(area, *interval, "DeLong" if delong else "Newcombe score", _exact_p(high, low), m, n)


def _delong(wins: Floats, level: float) -> Interval:
    """area ± z·sqrt(var over positives of their win share / m + the same over negatives / n), kept
    inside 0..1.
    """
    variance = (
        wins.mean(axis=1).var(ddof=1) / wins.shape[0]
        + wins.mean(axis=0).var(ddof=1) / wins.shape[1]
    )
    half = float(stats.norm.isf((1 - check_level(level)) / 2) * math.sqrt(variance))
    return Interval(max(0.0, float(wins.mean()) - half), min(1.0, float(wins.mean()) + half))


def _newcombe(area: float, m: int, n: int, level: float) -> Interval:
    """All areas A with |area - A| <= z·sqrt(V(A)), V by Hanley & McNeil (1982) with the mean class
    size.
    """
    z = float(stats.norm.isf((1 - check_level(level)) / 2))
    mean_n = (m + n) / 2

    def excess(a: float) -> float:
        variance = a * (1 - a) / (m * n) * (2 * mean_n - 1 - (3 * mean_n - 3) / ((2 - a) * (1 + a)))
        return (area - a) ** 2 - z * z * variance

    low = (
        0.0
        if area == 0
        else float(optimize.brentq(excess, 0.0, area - 1e-12))
        if excess(0.0) > 0
        else 0.0
    )
    high = (
        1.0
        if area == 1
        else float(optimize.brentq(excess, area + 1e-12, 1.0))
        if excess(1.0) > 0
        else 1.0
    )
    return Interval(low, high)


def _exact_p(high: Floats, low: Floats) -> float:
    """Two-sided p of the rank sum over all allocations: counts[j, s] = ways to choose j of the
    doubled ranks adding up to s.
    """
    doubled = np.rint(2 * stats.rankdata(np.concatenate([high, low]))).astype(int)
    counts = np.zeros((len(high) + 1, int(doubled.sum()) + 1))
    counts[0, 0] = 1.0
    for rank in doubled:
        counts[1:, rank:] += counts[:-1, : counts.shape[1] - rank].copy()
    ways = counts[len(high)]
    sums = np.arange(len(ways))
    centre = len(high) * doubled.sum() / len(doubled)
    far = np.abs(sums - centre) >= abs(doubled[: len(high)].sum() - centre) - 1e-9
    return float(min(1.0, ways[far].sum() / ways.sum()))
