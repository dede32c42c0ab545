"""Does uptake follow intracellular asparagine beyond growth? One slope an experiment, then a t
interval over experiments.

ε is the slope of log2(v/μ) on log2 of intracellular asparagine; δ is ε less the mean ε of amino
acids that no exchange moves (negative controls) in the same experiment. Uptake for maintenance
alone makes every ε negative, which δ takes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kit.stats.multiple import holm

Floats = NDArray[np.float64]
SUPPORTS, FOLLOWS, INCONCLUSIVE, INVALID = ("supports", "follows_growth", "inconclusive", "invalid")


class Mean(NamedTuple):
    """A mean over experiments, its 95 and 90 % t intervals and the one-sided p of being > 0."""

    estimate: float
    low: float
    high: float
    low90: float
    high90: float
    p_above_zero: float
    n: int


def slope(asparagine: ArrayLike, uptake: ArrayLike) -> float:
    """Slope of log2 uptake on log2 intracellular asparagine over the arms of one experiment.

    Parameters
    ----------
    asparagine
        Intracellular asparagine of each arm, any unit.
    uptake
        v/μ (or v) of each arm; arms without a positive uptake are left out.

    Returns
    -------
    float
        NaN with fewer than three arms, or where asparagine does not differ.

    >>> round(slope([1, 2, 4, 8], [10, 10 * 2**0.25, 10 * 2**0.5, 10 * 2**0.75]), 6)
    0.25
    """
    x, y = np.asarray(asparagine, float), np.asarray(uptake, float)
    kept = (x > 0) & (y > 0) & np.isfinite(x) & np.isfinite(y)
    if kept.sum() < 3 or np.ptp(x[kept]) == 0:
        return float("nan")
    logs = np.log2(x[kept])
    return float(np.polyfit(logs, np.log2(y[kept]), 1)[0])


def over_experiments(values: ArrayLike) -> Mean:
    """Mean over experiments with t intervals; NaN bounds with fewer than two.

    >>> over_experiments([0.2, 0.3]).n
    2
    """
    kept = np.asarray(values, float)
    kept = kept[np.isfinite(kept)]
    n = len(kept)
    if n < 2:
        estimate = float(kept[0]) if n else float("nan")
        return Mean(estimate, *[float("nan")] * 5, n)
    mean, se = float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(n))
    if se == 0:
        return Mean(mean, mean, mean, mean, mean, float(mean <= 0), n)
    wide, narrow = (se * stats.t.ppf(p, n - 1) for p in (0.975, 0.95))
    p = float(stats.t.sf(mean / se, n - 1))
    return Mean(mean, mean - wide, mean + wide, mean - narrow, mean + narrow, p, n)


@dataclass(frozen=True)
class Elasticity:
    """One amino acid's slopes over experiments: `epsilon` of v/μ, `delta` less the negative
    controls, `raw` of v alone.
    """

    amino_acid: str
    epsilon: Mean
    delta: Mean
    raw: Mean
    p: float
    """One-sided p that both ε and δ are above zero: the larger of the two."""


def elasticity(
    amino_acid: str, per_growth: ArrayLike, raw: ArrayLike, controls: ArrayLike
) -> Elasticity:
    """From the slopes of each experiment.

    Parameters
    ----------
    amino_acid
        Its name.
    per_growth, raw
        Slope of v/μ and of v in each experiment.
    controls
        Mean slope of v/μ of the negative controls in the same experiments; NaN: none.
    """
    slopes = np.asarray(per_growth, float)
    epsilon = over_experiments(slopes)
    delta = over_experiments(slopes - np.asarray(controls, float))
    ps = [item.p_above_zero for item in (epsilon, delta)]
    p = float("nan") if np.isnan(ps).any() else max(ps)
    return Elasticity(amino_acid, epsilon, delta, over_experiments(raw), p)


def adjusted(found: list[Elasticity]) -> list[float]:
    """Holm's p over the amino acids under test; NaN stays NaN and counts for nothing."""
    known = [item.p for item in found if np.isfinite(item.p)]
    values = iter(holm(known)) if known else iter(())
    return [float(next(values)) if np.isfinite(item.p) else float("nan") for item in found]


def verdict(found: Elasticity, p_adjusted: float, least: float, alpha: float = 0.05) -> str:
    """What the slopes say, gates aside: `supports`, `follows_growth` or `inconclusive`.

    Parameters
    ----------
    found
        The slopes.
    p_adjusted
        Holm's p of this amino acid.
    least
        The smallest slope that matters, `min_exchange_elasticity`.
    alpha
        Level of Holm's test.
    """
    both = (found.epsilon, found.delta)
    if all(item.estimate >= least and item.low > 0 for item in both) and p_adjusted < alpha:
        return SUPPORTS
    if all(item.high90 < least for item in both):
        return FOLLOWS
    return INCONCLUSIVE
