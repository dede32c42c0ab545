"""Pearson and Spearman correlation of few lines: exact p, intervals, influence of single lines.

n is the number of cell lines, replicates averaged first. Pairs with a missing value are left out.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kit.stats.intervals import Interval, check_level

Floats = NDArray[np.float64]
Kind = Literal["pearson", "spearman"]
_EXACT_UP_TO = 12  # lines; the exact null distribution takes 2^n steps
_MIN_BOOTSTRAP = 8  # lines; below that the bootstrap sees too few distinct samples


class Correlation(NamedTuple):
    """Coefficient, 95 % interval, two-sided p, number of complete pairs, and how p was found."""

    r: float
    ci_low: float
    ci_high: float
    p: float
    n: int
    p_method: str


class LeaveOneOut(NamedTuple):
    """Coefficients with each line left out in turn, the largest change, and whether sign or
    significance depends on one line.
    """

    values: Floats
    max_change: float
    sign_changes: bool
    significance_changes: bool


def complete_pairs(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """x and y as vectors without the pairs that miss a value; raise ValueError when their lengths
    differ.
    """
    a, b = np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    if len(a) != len(b):
        raise ValueError(f"a correlation needs pairs: {len(a)} values against {len(b)}")
    both = np.isfinite(a) & np.isfinite(b)
    return a[both], b[both]


def _coefficient(x: Floats, y: Floats, kind: Kind) -> Floats:
    """Correlation along the last axis; NaN where one side does not vary."""
    if kind == "spearman":
        x, y = stats.rankdata(x, axis=-1), stats.rankdata(y, axis=-1)
    a, b = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (a * b).sum(axis=-1) / np.where(
            size > 1e-12 * np.maximum(1, np.abs(x).max(axis=-1)), size, math.nan
        )
    return np.asarray(np.clip(r, -1, 1))


def fisher_interval(r: float, n: int, level: float = 0.95) -> Interval:
    """Fisher's z interval of Pearson's r, SE 1/sqrt(n-3); NaN below 4 pairs and at |r| = 1, where
    it has no width.
    """
    return _z_interval(r, n, 1.0, level)


def spearman_interval(rho: float, n: int, level: float = 0.95) -> Interval:
    """Interval of Spearman's rho, SE of z sqrt((1 + rho²/2)/(n-3)) (Bonett & Wright 2000,
    Psychometrika 65:23).
    """
    return _z_interval(rho, n, 1 + rho**2 / 2, level)


def _z_interval(r: float, n: int, variance: float, level: float) -> Interval:
    if n < 4 or not abs(r) < 1 - 1e-12:
        return Interval(math.nan, math.nan)
    half = float(stats.norm.isf((1 - check_level(level)) / 2)) * math.sqrt(variance / (n - 3))
    return Interval(math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))


def pearson(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Correlation:
    """Pearson's r with Fisher's interval and the t test (n - 2 df)."""
    a, b = complete_pairs(x, y)
    r = float(_coefficient(a, b, "pearson")) if len(a) > 2 else math.nan
    return Correlation(r, *fisher_interval(r, len(a), level), _t_p(r, len(a) - 2), len(a), "t")


def spearman(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Correlation:
    """Spearman's rho with the Bonett–Wright interval; p exact up to 12 pairs (ties included), by t
    with n - 2 df above.
    """
    a, b = complete_pairs(x, y)
    n = len(a)
    rho = float(_coefficient(a, b, "spearman")) if n > 2 else math.nan
    exact = n <= _EXACT_UP_TO
    p = spearman_exact_p(a, b) if exact else _t_p(rho, n - 2)
    return Correlation(rho, *spearman_interval(rho, n, level), p, n, "exact" if exact else "t")


def _t_p(r: float, df: float) -> float:
    if not math.isfinite(r) or df <= 0:
        return math.nan
    return float(2 * stats.t.sf(abs(r) * math.sqrt(df / max(1 - r * r, 1e-300)), df))


def _distribution(x_ranks: tuple[int, ...], y_ranks: tuple[int, ...]) -> Floats:
    """Number of pairings of the ranks by their sum of squared differences (index): exact, one rank
    of x placed after another.

    State: which ranks of y are taken (a bit mask) -> counts by sum so far.
    """
    squared = np.sort((np.subtract.outer(x_ranks, y_ranks)) ** 2, axis=1)
    size = int(squared[:, -1].sum()) + 1
    layer: dict[int, Floats] = {0: np.eye(1, size)[0]}
    for x in x_ranks:
        following: dict[int, Floats] = {}
        for taken, counts in layer.items():
            for position, y in enumerate(y_ranks):
                if taken >> position & 1:
                    continue
                step = (x - y) ** 2
                target = following.setdefault(taken | 1 << position, np.zeros(size))
                target[step:] += counts[: size - step]
        layer = following
    return layer[(1 << len(y_ranks)) - 1]


_cached_distribution = lru_cache(maxsize=64)(_distribution)


def spearman_exact_p(x: ArrayLike, y: ArrayLike) -> float:
    """Two-sided p of rho over all n! pairings of the observed ranks; NaN below 3 pairs or where a
    side does not vary.

    Raises ValueError above 12 pairs, where it would take too long and t does well.
    """
    a, b = complete_pairs(x, y)
    if len(a) > _EXACT_UP_TO:
        raise ValueError(f"the exact p is for at most {_EXACT_UP_TO} pairs, not {len(a)}")
    if len(a) < 3 or not np.ptp(a) or not np.ptp(b):
        return math.nan
    ranks = [
        np.rint(2 * stats.rankdata(values)).astype(int) for values in (a, b)
    ]  # doubled, so that tied ranks are whole
    observed = int(((ranks[0] - ranks[1]) ** 2).sum())
    counts = _cached_distribution(*(tuple(sorted(int(v) for v in r)) for r in ranks))
    centre = (
        counts @ np.arange(len(counts)) / counts.sum()
    )  # rho = 0 here: rho falls linearly with the sum
    far = np.abs(np.arange(len(counts)) - centre) >= abs(observed - centre) - 1e-9
    return float(counts[far].sum() / counts.sum())


def spearman_critical(n: int, alpha: float = 0.05) -> float:
    """Smallest |rho| with exact two-sided p < alpha for n lines without ties; NaN where even |rho|
    = 1 is not enough.
    """
    ranks = tuple(range(1, n + 1))
    counts = _cached_distribution(ranks, ranks)
    rho = 1 - 6 * np.arange(len(counts)) / (n * (n * n - 1))
    tail = 2 * np.cumsum(counts) / counts.sum()  # small sums are large rho; the null is symmetric
    enough = np.flatnonzero((tail < alpha) & (counts > 0))
    return float(rho[enough[-1]]) if len(enough) else math.nan


def correlation_bca(
    x: ArrayLike,
    y: ArrayLike,
    kind: Kind = "spearman",
    n_draws: int = 4999,
    seed: int | np.random.Generator = 0,
    level: float = 0.95,
) -> Interval:
    """BCa bootstrap interval over lines (Efron 1987, J Am Stat Assoc 82:171); NaN below 8 pairs or
    where a side does not vary.
    """
    a, b = complete_pairs(x, y)
    n = len(a)
    if n < _MIN_BOOTSTRAP or not np.ptp(a) or not np.ptp(b):
        return Interval(math.nan, math.nan)
    index = np.random.default_rng(seed).integers(0, n, (n_draws, n))
    draws = _coefficient(a[index], b[index], kind)
    draws = draws[np.isfinite(draws)]
    observed = float(_coefficient(a, b, kind))
    share = (np.mean(draws < observed - 1e-12) + np.mean(draws <= observed + 1e-12)) / 2
    if not 0 < share < 1:
        return Interval(math.nan, math.nan)
    bias = stats.norm.ppf(share)
    change = np.nan_to_num(_left_out(a, b, kind).mean() - _left_out(a, b, kind))
    acceleration = (change**3).sum() / max(6 * (change**2).sum() ** 1.5, 1e-300)
    tail = stats.norm.isf((1 - check_level(level)) / 2) * np.array([-1, 1])
    quantiles = stats.norm.cdf(bias + (bias + tail) / (1 - acceleration * (bias + tail)))
    low, high = np.quantile(draws, quantiles)
    return Interval(float(low), float(high))


def _left_out(x: Floats, y: Floats, kind: Kind) -> Floats:
    """Coefficient without line i, for every i."""
    n = len(x)
    keep = np.array([[j for j in range(n) if j != i] for i in range(n)])
    return _coefficient(x[keep], y[keep], kind)


def leave_one_out(
    x: ArrayLike, y: ArrayLike, kind: Kind = "spearman", alpha: float = 0.05
) -> LeaveOneOut:
    """What each single line does to the correlation; needs four complete pairs, else NaN and no
    warning flags.
    """
    a, b = complete_pairs(x, y)
    if len(a) < 4:
        return LeaveOneOut(np.full(len(a), math.nan), math.nan, False, False)
    test = pearson if kind == "pearson" else spearman
    full = test(a, b)
    values = _left_out(a, b, kind)
    significant = np.array(
        [test(np.delete(a, i), np.delete(b, i)).p < alpha for i in range(len(a))]
    )
    change = np.abs(values - full.r)
    largest = float(np.nanmax(change)) if np.isfinite(change).any() else math.nan
    sign = bool(np.any(np.sign(values[np.isfinite(values)]) * np.sign(full.r) < 0))
    return LeaveOneOut(values, largest, sign, bool(np.any(significant != (full.p < alpha))))


def partial_spearman(
    x: ArrayLike, y: ArrayLike, covariates: ArrayLike, level: float = 0.95
) -> Correlation:
    """Spearman's rho of x and y with covariates held fixed: ranks, less their regression on the
    ranked covariates.

    `covariates` has one row per line and a column per covariate; give a category as 0/1 columns. p
    by t with n - 2 - g df and
    the interval with n - g, g the number of independent covariates. NaN where the covariates leave
    x or y no variation
    ("not separable").
    """
    z = np.asarray(covariates, dtype=float)
    z = z[:, None] if z.ndim == 1 else z
    a, b = np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    keep = np.isfinite(a) & np.isfinite(b) & np.isfinite(z).all(axis=1)
    a, b, z = stats.rankdata(a[keep]), stats.rankdata(b[keep]), stats.rankdata(z[keep], axis=0)
    n = len(a)
    design = np.column_stack([np.ones(n), z - z.mean(axis=0)])
    given = int(np.linalg.matrix_rank(design)) - 1
    rest = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (a, b)]
    if n - 2 - given < 1 or min(r @ r for r in rest) < 1e-9 * n**3:
        return Correlation(math.nan, math.nan, math.nan, math.nan, n, "not separable")
    r = float(_coefficient(rest[0], rest[1], "pearson"))
    return Correlation(r, *spearman_interval(r, n - given, level), _t_p(r, n - 2 - given), n, "t")
