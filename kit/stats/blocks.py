"""Randomised complete blocks: every medium once in every biological replicate, some cells perhaps
missing.

y_bg = mu + block_b + group_g + e, with one residual variance. The block takes up what a day,
passage or batch does to
all media alike, so only what a replicate does to one medium is left as error.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


class Contrast(NamedTuple):
    """A weighted sum of group means, its standard error and the degrees of freedom of that
    error.
    """

    estimate: float
    se: float
    df: float

    @property
    def t(self) -> float:
        """Estimate over its standard error; NaN where there is none."""
        return self.estimate / self.se if self.se > 0 else math.nan


class BlockFit(NamedTuple):
    """Least-squares fit: group effects relative to the first group, their covariance over the
    residual variance, that variance.
    """

    effects: Floats
    unscaled: Floats
    mean_square: float
    df: int

    def contrast(self, weights: ArrayLike) -> Contrast:
        """Estimate of sum(weights · group means); the weights must add up to zero, or the block
        effects would not cancel.
        """
        w = np.asarray(weights, dtype=float)
        if abs(w.sum()) > 1e-9:
            raise ValueError(f"the weights of a contrast add up to zero, not to {w.sum():g}")
        return Contrast(
            float(w @ self.effects),
            math.sqrt(max(self.mean_square * (w @ self.unscaled @ w), 0.0)),
            float(self.df),
        )

    def correlation(self, first: ArrayLike, second: ArrayLike) -> float:
        """Correlation of the estimates of two contrasts, known from the design alone."""
        a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
        return float(
            a @ self.unscaled @ b / math.sqrt((a @ self.unscaled @ a) * (b @ self.unscaled @ b))
        )


def fit_blocks(y: ArrayLike) -> BlockFit:
    """Fit blocks (rows) by groups (columns); NaN marks a missing cell.

    Complete tables give the textbook analysis, df = (B-1)(G-1). With missing cells: ordinary least
    squares on the cells there
    are, df = cells - rank. Raises ValueError when a group has no cell, or the cells do not connect
    the groups.
    """
    table = np.asarray(y, dtype=float)
    n_blocks, n_groups = table.shape
    block, group = np.nonzero(np.isfinite(table))
    design = np.zeros((len(block), n_blocks + n_groups - 1))
    design[np.arange(len(block)), block] = 1
    later = group > 0
    design[np.flatnonzero(later), n_blocks + group[later] - 1] = 1
    design = design[
        :, np.concatenate([np.isin(np.arange(n_blocks), block), np.ones(n_groups - 1, bool)])
    ]
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError(
            "some groups share no block with the others, directly or through a third: nothing links"
            " them"
        )
    values = table[block, group]
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ values
    df = len(values) - design.shape[1]
    residual = float(np.sum((values - design @ beta) ** 2))
    unscaled = np.zeros((n_groups, n_groups))
    unscaled[1:, 1:] = inverse[len(beta) - n_groups + 1 :, len(beta) - n_groups + 1 :]
    effects = np.concatenate([[0.0], beta[len(beta) - n_groups + 1 :]])
    return BlockFit(effects, unscaled, residual / df if df > 0 else math.nan, df)


def paired_contrast(y: ArrayLike, weights: ArrayLike) -> Contrast:
    """The same contrast from the blocks that hold all its groups, with its own SD and n - 1 degrees
    of freedom (paired t).
    """
    w = np.asarray(weights, dtype=float)
    used = np.asarray(y, dtype=float)[:, w != 0] @ w[w != 0]
    used = used[np.isfinite(used)]
    if len(used) < 2:
        return Contrast(
            float(used.mean()) if len(used) else math.nan, math.nan, float(max(len(used) - 1, 0))
        )
    return Contrast(
        float(used.mean()), float(used.std(ddof=1) / math.sqrt(len(used))), float(len(used) - 1)
    )


def two_sided_p(contrast: Contrast, null: float = 0.0) -> float:
    """Two-sided t test of estimate = null; NaN without a standard error."""
    return 2 * one_sided_p(Contrast(abs(contrast.estimate - null), contrast.se, contrast.df))


def one_sided_p(contrast: Contrast, null: float = 0.0) -> float:
    """t test of estimate > null; NaN without a standard error."""
    if not contrast.se > 0 or contrast.df <= 0:
        return math.nan
    return float(stats.t.sf((contrast.estimate - null) / contrast.se, contrast.df))


def t_interval(contrast: Contrast, level: float = 0.95) -> tuple[float, float]:
    """Ordinary (one at a time) t interval of a contrast."""
    if not contrast.se > 0 or contrast.df <= 0:
        return math.nan, math.nan
    half = float(stats.t.isf((1 - level) / 2, contrast.df)) * contrast.se
    return contrast.estimate - half, contrast.estimate + half
