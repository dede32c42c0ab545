"""log2 ratios of experiments x arms -> activation and its contrasts, blocked by experiment.

y = experiment + arm, one residual. The paired contrast stands beside it and takes its place where
its standard error is more than twice the pooled one: an arm that is noisier than the rest would
otherwise borrow their calm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.signaling import names
from kit.stats import (
    BlockFit,
    Contrast,
    Fieller,
    fieller_interval,
    fit_blocks,
    paired_contrast,
    t_interval,
)

Floats = NDArray[np.float64]
Arm = tuple[str, str, str]
"""genotype, drug, stimulus"""
Weights = Mapping[Arm, float]


class Estimate(NamedTuple):
    """A contrast by the method that counts (`pooled` or `paired`), and both."""

    best: Contrast
    method: str
    pooled: Contrast
    paired: Contrast
    n: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """t interval of the contrast."""
        return t_interval(self.best, level)


@dataclass(frozen=True)
class Model:
    """Means of arms (columns) in experiments (rows), log2, with their blocked fit (None where
    nothing can be fitted).
    """

    experiments: tuple[int, ...]
    arms: tuple[Arm, ...]
    y: Floats
    fit: BlockFit | None
    max_paired_se_ratio: float = 2.0

    @property
    def residual_sd(self) -> float:
        """Residual SD (log2); NaN without a fit."""
        return math.sqrt(self.fit.mean_square) if self.fit is not None else math.nan

    def vector(self, weights: Weights) -> Floats | None:
        """Weights in the order of the arms; None where an arm was not measured."""
        if any(arm not in self.arms for arm in weights):
            return None
        return np.array([weights.get(arm, 0.0) for arm in self.arms])

    def contrast(self, weights: Weights) -> Estimate | None:
        """A contrast of arms, or None where an arm is missing or nothing links them."""
        vector = self.vector(weights)
        if vector is None or self.fit is None:
            return None
        pooled, paired = self.fit.contrast(vector), paired_contrast(self.y, vector)
        n = int(np.isfinite(self.y[:, vector != 0]).all(axis=1).sum())
        swap = n > 1 and paired.se > self.max_paired_se_ratio * pooled.se
        return Estimate(*((paired, "paired") if swap else (pooled, "pooled")), pooled, paired, n)

    def ratio(self, numerator: Weights, denominator: Weights, level: float = 0.95) -> Fieller:
        """Ratio of two contrasts with Fieller's set, by the errors that count for either."""
        top, bottom = self.contrast(numerator), self.contrast(denominator)
        if top is None or bottom is None:
            return Fieller(math.nan, math.nan, math.nan, "none")
        first, second = self.vector(numerator), self.vector(denominator)
        if "paired" in (top.method, bottom.method):
            var_n, var_d, cov, df = self._paired_errors(first, second)
            values = top.paired.estimate, bottom.paired.estimate
        else:
            scale = self.fit.mean_square * self.fit.unscaled  # type: ignore[union-attr]
            var_n, var_d, cov = (
                float(a @ scale @ b) for a, b in ((first, first), (second, second), (first, second))
            )
            values, df = (top.pooled.estimate, bottom.pooled.estimate), top.pooled.df
        return fieller_interval(*values, var_n, var_d, cov, df, level)

    def _paired_errors(self, first: Floats, second: Floats) -> tuple[float, float, float, float]:
        """Variances and covariance of two contrasts over the experiments that hold both."""
        used = self.y[:, (first != 0) | (second != 0)]
        rows = self.y[np.isfinite(used).all(axis=1)]
        rows = np.where(np.isfinite(rows), rows, 0.0)
        if len(rows) < 2:
            return math.nan, math.nan, math.nan, 0.0
        cov = np.cov(rows @ first, rows @ second) / len(rows)
        return float(cov[0, 0]), float(cov[1, 1]), float(cov[0, 1]), float(len(rows) - 1)


def model_of(
    experiments: Sequence[int], arms: Sequence[Arm], y: Floats, max_paired_se_ratio: float = 2.0
) -> Model:
    """Fit a table of experiments x arms (log2, NaN missing)."""
    y = np.asarray(y, float)
    try:
        fit = fit_blocks(y) if y.size and np.isfinite(y).any(axis=0).all() else None
    except ValueError:  # nothing links the arms
        fit = None
    return Model(tuple(experiments), tuple(arms), y, fit, max_paired_se_ratio)


def model(lanes: pd.DataFrame, value: str, max_paired_se_ratio: float = 2.0) -> Model:
    """The model of one target's lanes (`experiment`, arm, `value`); lanes of one arm in one
    experiment are technical and averaged, reference lanes are no arm.
    """
    used = lanes[lanes[value].notna() & lanes["stimulus"].ne(names.REFERENCE)]
    if used.empty:
        return Model((), (), np.empty((0, 0)), None, max_paired_se_ratio)
    table = used.pivot_table(
        index="experiment", columns=["genotype", "drug", "stimulus"], values=value, aggfunc="mean"
    )
    return model_of(list(table.index), list(table.columns), table.to_numpy(), max_paired_se_ratio)


def activation(genotype: str, drug: str, stimulus: str) -> dict[Arm, float]:
    """Weights of stimulated less starved, in one genotype and drug."""
    return {(genotype, drug, stimulus): 1.0, (genotype, drug, names.STARVED): -1.0}


def less(first: Weights, second: Weights) -> dict[Arm, float]:
    """Weights of the difference of two contrasts."""
    arms = dict.fromkeys([*first, *second])
    return {arm: first.get(arm, 0.0) - second.get(arm, 0.0) for arm in arms}


def stimuli_of(arms: Iterable[Arm]) -> list[str]:
    """The single amino acids among the stimuli, in the kit's order."""
    there = {stimulus for _, _, stimulus in arms}
    return [name for name in names.STIMULUS_WORDS if name in there]


def arf1_arm(arms: Iterable[Arm]) -> str | None:
    """The drug that takes Arf1 away in the knock-out; None where it was not done."""
    there = {drug for genotype, drug, _ in arms if genotype == names.KNOCK_OUT}
    return next((drug for drug in names.ARF1_ARMS if drug in there), None)
