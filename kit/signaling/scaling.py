"""Several gels on one scale: log2 y = arm + gel by least squares over the arms that gels share,
reference lanes among them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kit.signaling import names

Floats = NDArray[np.float64]


class Scales(NamedTuple):
    """Offset of each gel (log2) from the first gel that is linked to it, its standard error, the
    group of gels that are linked with one another, level of each arm on the first gel's scale, its
    standard error, and the residual SD with its degrees of freedom.
    """

    gel: dict[Hashable, float]
    gel_se: dict[Hashable, float]
    group: dict[Hashable, int]
    arm: dict[Hashable, float]
    arm_se: dict[Hashable, float]
    residual_sd: float
    df: int


def gel_scales(log2_value: ArrayLike, arm: Sequence[Hashable], gel: Sequence[Hashable]) -> Scales:
    """Least-squares fit of log2 value = arm + gel (the first gel of each linked group is 0).

    Gels that share no arm, directly or through others, cannot be compared: each such group has its
    own zero. The model is that of blotIt (measured = true / scale), on logarithms.

    >>> fit = gel_scales([1, 2, 4, 5], ["a", "b", "a", "b"], [1, 1, 2, 2])
    >>> round(fit.gel[2], 6), round(fit.arm["b"] - fit.arm["a"], 6)
    (3.0, 1.0)
    """
    y = np.asarray(log2_value, float)
    gels, arms = list(dict.fromkeys(gel)), list(dict.fromkeys(arm))
    group = _linked(arm, gel)
    first = {number: next(g for g in gels if group[g] == number) for number in group.values()}
    free = [g for g in gels if g != first[group[g]]]
    design = np.zeros((len(y), len(arms) + len(free)))
    for row, (one, other) in enumerate(zip(arm, gel, strict=True)):
        design[row, arms.index(one)] = 1
        if other in free:
            design[row, len(arms) + free.index(other)] = 1
    inverse = np.linalg.inv(design.T @ design) if len(y) else np.zeros((0, 0))
    beta = inverse @ design.T @ y
    df = len(y) - design.shape[1]
    rest = float(((y - design @ beta) ** 2).sum())
    sd = float(np.sqrt(rest / df)) if df > 0 else float("nan")
    se = sd * np.sqrt(np.diag(inverse))
    return Scales(
        {g: 0.0 for g in first.values()} | dict(zip(free, map(float, beta[len(arms) :]))),
        {g: 0.0 for g in first.values()} | dict(zip(free, map(float, se[len(arms) :]))),
        group,
        dict(zip(arms, map(float, beta))),
        dict(zip(arms, map(float, se))),
        sd,
        df,
    )


def _linked(arm: Sequence[Hashable], gel: Sequence[Hashable]) -> dict[Hashable, int]:
    """Number of the group of gels that each gel is linked with through shared arms."""
    group = {g: number for number, g in enumerate(dict.fromkeys(gel))}
    first: dict[Hashable, Hashable] = {}
    for one, other in zip(arm, gel, strict=True):
        old, new = group[other], group[first.setdefault(one, other)]
        group = {g: min(old, new) if n in (old, new) else n for g, n in group.items()}
    return group


def on_one_scale(lanes: pd.DataFrame, value: str = "log2_ratio") -> pd.Series:
    """`value` of each lane less the offset of its gel within its experiment and target.

    Gels of one experiment are linked by the lanes that stand on more than one of them: reference
    lanes, and any sample that was loaded again. Excluded lanes take no part and stay as they are.
    """
    scaled = lanes[value].astype(float).copy()
    used = lanes[lanes[value].notna()]
    for _, own in used.groupby(["experiment", "target"], sort=False):
        if own["membrane"].nunique() < 2:
            continue
        fit = gel_scales(own[value], arms_of(own), list(own["membrane"]))
        scaled.loc[own.index] = own[value] - own["membrane"].map(fit.gel)
    return scaled


def links(lanes: pd.DataFrame) -> dict[Hashable, int]:
    """Membrane -> number of the group of membranes it can be compared with (one experiment)."""
    return _linked(arms_of(lanes), list(lanes["membrane"]))


def arms_of(lanes: pd.DataFrame) -> list[tuple]:
    """(genotype, drug, stimulus) of each lane."""
    return list(lanes[["genotype", "drug", "stimulus"]].itertuples(index=False, name=None))


def reference_lanes(lanes: pd.DataFrame) -> pd.Series:
    """Usable reference lanes of each membrane."""
    own = lanes[lanes["stimulus"].eq(names.REFERENCE) & lanes["log2_ratio"].notna()]
    return own.groupby("membrane").size()
