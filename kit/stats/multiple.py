"""Several comparisons at once: Dunnett for many against one control, Holm, Benjamini–Hochberg."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

Floats = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def _nodes(low: float, high: float) -> tuple[Floats, Floats]:
    """Gauss–Legendre nodes and weights on low..high."""
    half = (high - low) / 2
    return low + half * (_NODES + 1), half * _WEIGHTS


@lru_cache(maxsize=256)
def scale_nodes(df: float) -> tuple[Floats, Floats]:
    """Nodes and weights (density included) of s = sqrt(chi²_df / df), the residual SD over the true
    one.
    """
    if math.isinf(df):
        return np.ones(1), np.ones(1)
    chi = stats.chi(df)
    nodes, weights = _nodes(float(chi.ppf(1e-11)), float(chi.isf(1e-11)))
    return nodes / math.sqrt(df), weights * chi.pdf(nodes)


def dunnett_coverage(critical: float, k: int, df: float, rho: float = 0.5) -> float:
    """P(all |T_i| <= critical) for k t statistics that share one residual SD and correlate pairwise
    by `rho`.

    Writes T_i = (sqrt(1-rho) Z_i + sqrt(rho) Z_0) / s and integrates over Z_0 and s by quadrature
    (Dunnett 1955,
    J Am Stat Assoc 50:1096). `rho` is 0.5 when control and treatments have equal numbers.
    """
    if k < 1 or df <= 0 or not 0 <= rho < 1:
        raise ValueError(
            f"needs k >= 1, df > 0 and 0 <= rho < 1, not k={k!r}, df={df!r}, rho={rho!r}"
        )
    if critical <= 0:
        return 0.0
    s, s_weight = scale_nodes(float(df))
    z, z_weight = _nodes(-8.5, 8.5)
    shift, spread = math.sqrt(rho) * z[None, :], math.sqrt(1 - rho)
    limit = critical * s[:, None]
    inside = special.ndtr((limit + shift) / spread) - special.ndtr((shift - limit) / spread)
    return float(min(1.0, s_weight @ (inside**k) @ (z_weight * stats.norm.pdf(z))))


@lru_cache(maxsize=256)
def dunnett_critical(k: int, df: float, alpha: float = 0.05, rho: float = 0.5) -> float:
    """Two-sided critical value for k comparisons with one control at family error `alpha` and `df`
    residual degrees of freedom.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, for example 0.05, not {alpha!r}")
    single = float(stats.t.isf(alpha / 2, df))
    bonferroni = float(
        stats.t.isf(alpha / 2 / k, df)
    )  # the answer lies between: one test, and k tests with nothing shared
    if k == 1:
        return single
    return float(
        optimize.brentq(
            lambda c: dunnett_coverage(c, k, df, rho) - (1 - alpha),
            single * 0.999,
            bonferroni * 1.001,
            xtol=1e-8,
        )
    )


def dunnett_adjusted_p(t_values: ArrayLike, df: float, rho: float = 0.5) -> Floats:
    """Single-step Dunnett p of each t value; the family is the finite ones, NaN stays NaN."""
    t = np.abs(np.asarray(t_values, dtype=float))
    k = int(np.isfinite(t).sum())
    # The quadrature is good to about 1e-10; a smaller p than that is not claimed, and never one
    # below the unadjusted p.
    return np.array(
        [
            (
                max(1 - dunnett_coverage(v, k, df, rho), 2 * stats.t.sf(v, df))
                if np.isfinite(v)
                else math.nan
            )
            for v in t
        ]
    )


def holm(p_values: ArrayLike) -> Floats:
    """Holm's step-down adjusted p (Holm 1979, Scand J Stat 6:65); the family is the finite ones,
    NaN stays NaN.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(p.shape, math.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = (
        np.minimum(1.0, np.maximum.accumulate(factors * p[order])) if len(order) else []
    )
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Step-up q values (Benjamini & Hochberg 1995, J R Stat Soc B 57:289); the family is the finite
    ones, NaN stays NaN.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(p.shape, math.nan)
    known = np.isfinite(p)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known], method="bh")
    return adjusted


def spread_ratio_p(ratio: float, k: int, df: float) -> float:
    """Chance that the largest of k independent SDs, each with `df` degrees of freedom, is at least
    `ratio` times the smallest though
    all true SDs are equal (Hartley 1950, Biometrika 37:308; his F_max is the square of `ratio`)."""
    if not ratio > 1:
        return 1.0
    u, weight = _nodes(0.0, 1.0)  # u: probability below the smallest variance
    within = stats.chi2.cdf(ratio**2 * stats.chi2.ppf(u, df), df) - u
    return float(max(0.0, 1 - weight @ (k * within ** (k - 1))))
