"""Is it the same, and could we have seen a difference: two one-sided tests, power, detectable
effect.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, optimize, special, stats

from kit.stats.blocks import Contrast, one_sided_p, paired_contrast, t_interval
from kit.stats.multiple import dunnett_critical, scale_nodes


class Tost(NamedTuple):
    """Equivalence within ±margin: p (the larger of the two one-sided ones) and the matching 1 -
    2·alpha interval.
    """

    p: float
    ci_low: float
    ci_high: float


def tost(estimate: float, se: float, df: float, margin: float, alpha: float = 0.05) -> Tost:
    """Two one-sided t tests (Schuirmann 1987, J Pharmacokinet Biopharm 15:657): is |effect| below
    `margin`?

    p < alpha exactly when the 1 - 2·alpha interval (90 % at 0.05) lies inside ±margin. A large p
    means "not shown to be
    equal", never "different". NaN without a standard error.
    """
    if not margin > 0:
        raise ValueError(f"an equivalence margin is above 0, not {margin!r}")
    contrast = Contrast(estimate, se, df)
    above_lower = one_sided_p(contrast, -margin)
    below_upper = one_sided_p(Contrast(-estimate, se, df), -margin)
    return Tost(float(np.maximum(above_lower, below_upper)), *t_interval(contrast, 1 - 2 * alpha))


def tost_paired(a: ArrayLike, b: ArrayLike, margin: float, alpha: float = 0.05) -> Tost:
    """Equivalence of paired values a and b (same replicate, same position); pairs with a gap are
    left out.
    """
    pairs = np.column_stack([np.asarray(a, dtype=float), np.asarray(b, dtype=float)])
    return tost(*paired_contrast(pairs, [1, -1]), margin, alpha)


def tost_power(
    sd_diff: float,
    n_blocks: int,
    margin: float,
    df: float | None = None,
    true_difference: float = 0.0,
    alpha: float = 0.05,
) -> float:
    """Chance that `tost` shows equivalence, by quadrature over the residual SD.

    `sd_diff` is the SD of one paired difference (log2); df defaults to the paired n_blocks - 1, a
    pooled residual has more.
    """
    df = float(n_blocks - 1 if df is None else df)
    se, t = sd_diff / math.sqrt(n_blocks), float(stats.t.isf(alpha, df))

    def density(s: float) -> float:
        room = margin - t * s * se
        inside = special.ndtr((room - true_difference) / se) - special.ndtr(
            (-room - true_difference) / se
        )
        return float(inside * stats.chi.pdf(s * math.sqrt(df), df) * math.sqrt(df))

    return float(integrate.quad(density, 0, margin / (t * se), limit=200)[0])


def block_power(effect: float, n_blocks: int, sd_diff: float, df: float, critical: float) -> float:
    """Chance that |t| exceeds `critical` when the true difference is `effect` (in the unit of
    `sd_diff`).

    The noncentral t, by quadrature over the residual SD: scipy.stats.nct returns NaN far from the
    centre.
    """
    shift = effect / (sd_diff / math.sqrt(n_blocks))
    s, weight = scale_nodes(float(df))
    return float(
        1 - weight @ (special.ndtr(critical * s - shift) - special.ndtr(-critical * s - shift))
    )


def minimum_detectable_effect(
    n_blocks: int,
    n_groups: int,
    sd_diff: float,
    k: int,
    power: float = 0.8,
    *,
    alpha: float = 0.05,
    df: float | None = None,
    critical: float | None = None,
) -> float:
    """Smallest true difference from the control found with probability `power` by blocked Dunnett
    over `k` comparisons.

    In the unit of `sd_diff`, the SD of one paired difference (sqrt(2) times the residual SD). df
    defaults to (B-1)(G-1) and
    `critical` to Dunnett's; give `critical` to ask the same of another test.
    """
    df = float((n_blocks - 1) * (n_groups - 1) if df is None else df)
    if not (df > 0 and sd_diff > 0 and 0 < power < 1):
        return math.nan
    limit = dunnett_critical(k, df, alpha) if critical is None else critical
    top = (limit + 10 + 5 * limit / math.sqrt(df)) * sd_diff
    return float(
        optimize.brentq(
            lambda effect: block_power(effect, n_blocks, sd_diff, df, limit) - power,
            1e-9,
            top,
            xtol=1e-9,
        )
    )
