"""Confidence intervals that need no model of the design: bootstrap, Wilson, Fieller."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper end; NaN where there is none."""

    low: float
    high: float


class Fieller(NamedTuple):
    """A ratio and Fieller's confidence set for it.

    `kind` is `bounded` (low to high), `unbounded` (the denominator may be 0, so the set reaches
    -inf and inf, with or without a
    gap; `low` and `high` say so) or `none` (an input is missing: all NaN). Only a bounded set is an
    interval one may quote.
    """

    ratio: float
    low: float
    high: float
    kind: str


def check_level(level: float) -> float:
    """Return the confidence level; raise ValueError unless it lies inside 0..1 (0.95, not 95)."""
    if not 0 < level < 1:
        raise ValueError(
            f"a confidence level lies between 0 and 1, for example 0.95, not {level!r}"
        )
    return float(level)


def bootstrap_interval(
    groups: Sequence[ArrayLike],
    statistic: Callable[..., Floats],
    n_draws: int = 2000,
    seed: int | np.random.Generator = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a statistic of several groups, each resampled within itself.

    `statistic` receives one array (n_draws, wells) per group and returns a vector (n_draws,), so it
    works along axis 1.
    Missing wells are left out first. NaN is returned where a group has fewer than two wells, or
    where the statistic is
    undefined in over half of the draws (a percentile of the rest would describe only the convenient
    ones).
    """
    tail = (1 - check_level(level)) / 2
    clean = [
        values[np.isfinite(values)]
        for values in (np.asarray(group, dtype=float).ravel() for group in groups)
    ]
    if not clean or min(len(values) for values in clean) < 2:
        return Interval(math.nan, math.nan)
    rng = np.random.default_rng(seed)
    draws = [values[rng.integers(0, len(values), (n_draws, len(values)))] for values in clean]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(statistic(*draws), dtype=float)
    if found.shape != (n_draws,):
        raise ValueError(
            f"the statistic must return one value per draw, shape ({n_draws},), not {found.shape}"
        )
    found = found[np.isfinite(found)]
    if 2 * len(found) < n_draws:
        return Interval(math.nan, math.nan)
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(low), float(high))


def pivotal_interval(
    groups: Sequence[ArrayLike],
    statistic: Callable[..., Floats],
    n_draws: int = 2000,
    seed: int | np.random.Generator = 0,
    level: float = 0.95,
) -> Interval:
    """Generalised confidence interval of a statistic of normal groups (Weerahandi 1993, J Am Stat
    Assoc 88:899): each group's SD is drawn as s sqrt((n - 1) / chi2), its mean as m + z SD / sqrt(n).

    Wells keep their shape: each draw is the group shifted and scaled, so `statistic` may use
    medians too. Arguments and NaN as in `bootstrap_interval`, whose percentiles cover too little
    below about 20 wells (66 % at 6).
    """
    tail = (1 - check_level(level)) / 2
    clean = [
        values[np.isfinite(values)]
        for values in (np.asarray(group, dtype=float).ravel() for group in groups)
    ]
    if not clean or min(len(values) for values in clean) < 2:
        return Interval(math.nan, math.nan)
    rng = np.random.default_rng(seed)
    draws = []
    for values in clean:
        n = len(values)
        factor = np.sqrt((n - 1) / rng.chisquare(n - 1, n_draws))
        shift = rng.standard_normal(n_draws) * factor * values.std(ddof=1) / math.sqrt(n)
        draws.append((values - values.mean()) * factor[:, None] + (values.mean() + shift)[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(statistic(*draws), dtype=float)
    found = found[np.isfinite(found)]
    if 2 * len(found) < n_draws:
        return Interval(math.nan, math.nan)
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(low), float(high))


def wilson_interval(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, J Am Stat Assoc 22:209).

    Holds for independent events only; events of one tube are not biological replicates.

    Args:
        successes: how many of the `n` events count, a number or an array; NaN where unknown.
        n: the events, of the same shape; the interval is NaN where they are 0 or unknown.
        level: the confidence level, between 0 and 1.

    Returns:
        The lower and upper limits as shares from 0 to 1: numbers, or arrays where arrays came in.

    Raises:
        ValueError: a count is negative, or more events count than there are.

    >>> low, high = wilson_interval(15, 148)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0624 0.1605
    """
    k, total = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    if (k < 0).any() or (total < 0).any() or (k > total * (1 + 1e-12)).any():
        raise ValueError(f"{successes!r} of {n!r} is not a proportion")
    z = stats.norm.isf((1 - check_level(level)) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / total
        centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    low, high = np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)
    return Interval(float(low), float(high)) if low.ndim == 0 else Interval(low, high)


def fieller_interval(
    numerator: float,
    denominator: float,
    var_n: float,
    var_d: float,
    cov: float = 0.0,
    df: float = math.inf,
    level: float = 0.95,
) -> Fieller:
    """Fieller's confidence set of numerator/denominator (Fieller 1954, J R Stat Soc B 16:175).

    The set holds every ratio r for which numerator - r·denominator does not differ from 0 by a t
    test at this level:
    (d² - t²·var_d) r² - 2 (n·d - t²·cov) r + (n² - t²·var_n) <= 0. `var_n`, `var_d` and `cov`
    belong to the two means,
    not to single values. Where the denominator itself does not differ from 0 the set is unbounded
    and is reported so.
    """
    if not all(map(math.isfinite, (numerator, denominator, var_n, var_d, cov))) or df <= 0:
        return Fieller(math.nan, math.nan, math.nan, "none")
    ratio = numerator / denominator if denominator else math.nan
    t2 = float(stats.t.isf((1 - check_level(level)) / 2, df)) ** 2
    a = denominator**2 - t2 * var_d
    b = numerator * denominator - t2 * cov
    c = numerator**2 - t2 * var_n
    if a <= 0:
        return Fieller(ratio, -math.inf, math.inf, "unbounded")
    half = math.sqrt(max(b * b - a * c, 0.0)) / a
    return Fieller(ratio, b / a - half, b / a + half, "bounded")
