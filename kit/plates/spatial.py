"""Position on the plate: edge effect, drift, residuals, always after the treatments' means are
removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TREATMENT = ["cell_line", "medium", "agent", "concentration"]
MIN_EDGE = 4  # wells on either side below which nothing can be said
MIN_FREE = 0.1  # share of the spread over rows that must remain once treatments are known


@dataclass(frozen=True)
class Position:
    """An effect of position in percent with its 95 % interval and p; `note` says why there is
    none.
    """

    percent: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    note: str = ""


def is_edge(wells: pd.DataFrame) -> pd.Series:
    """Wells in the outermost rows and columns of their plate's format (96, 384 or 1536 wells, from
    the largest well used).
    """
    rows, columns = plate_shape(wells)
    return wells["row"].isin([1, rows]) | wells["column"].isin([1, columns])


def plate_shape(wells: pd.DataFrame) -> tuple[int, int]:
    """The smallest standard plate that holds all wells; a column pair `plate_rows`, `plate_columns`
    from the reader counts first.
    """
    if "plate_rows" in wells and len(wells):
        return int(wells["plate_rows"].iloc[0]), int(wells["plate_columns"].iloc[0])
    for rows, columns in ((8, 12), (16, 24), (32, 48)):
        if wells["row"].max() <= rows and wells["column"].max() <= columns:
            return rows, columns
    return int(wells["row"].max()), int(wells["column"].max())


def relative_to_treatment(samples: pd.DataFrame) -> pd.Series:
    """Corrected signal over the mean of the wells treated alike; NaN for a treatment of one well or
    of mean 0 or less.
    """
    groups = samples.groupby(TREATMENT, dropna=False)["signal_corrected"]
    mean = groups.transform("mean").where(groups.transform("size") > 1)
    return samples["signal_corrected"] / mean.where(mean > 0)


def _treatment(samples: pd.DataFrame) -> NDArray[np.int64]:
    """A number per well: the place of its treatment among all treatments in order."""
    return np.asarray(samples.groupby(TREATMENT, dropna=False).ngroup(), np.int64)


def edge_effect(samples: pd.DataFrame, n_draws: int, seed: int) -> Position:
    """Mean of edge wells over inner wells of the same treatment, less 1, in percent; permutation p
    within treatments.

    Only treatments with wells on both sides count; each edge well is compared with the mean of its
    treatment's inner wells.
    """
    groups = []
    signal, outer = (
        samples["signal_corrected"].to_numpy(float),
        is_edge(samples).to_numpy(bool) if len(samples) else np.zeros(0, bool),
    )
    treatment = _treatment(samples)
    for number in range(treatment.max(initial=-1) + 1):
        values, edge = signal[treatment == number], outer[treatment == number]
        if edge.any() and (~edge).any() and values[~edge].mean() > 0:
            groups.append((values, edge))
    n_edge, n_inner = (
        sum(int(edge.sum()) for _, edge in groups),
        sum(int((~edge).sum()) for _, edge in groups),
    )
    if min(n_edge, n_inner) < MIN_EDGE:
        return Position(
            note=(
                f"not testable: {n_edge} edge and {n_inner} inner wells share a treatment"
                f" ({MIN_EDGE} of each needed)"
            )
        )
    rng = np.random.default_rng(seed)
    observed = _edge_statistic([(values[None, :], edge[None, :]) for values, edge in groups])[0]
    null = _edge_statistic(
        [
            (np.broadcast_to(v, (n_draws, len(v))), rng.permuted(np.tile(e, (n_draws, 1)), axis=1))
            for v, e in groups
        ]
    )
    p = (1 + np.sum(np.abs(null) >= abs(observed))) / (n_draws + 1)
    low, high = np.percentile(
        _edge_statistic([_resample(v, e, n_draws, rng) for v, e in groups]), [2.5, 97.5]
    )
    return Position(100 * observed, 100 * low, 100 * high, float(p))


def _edge_statistic(groups: list[tuple[NDArray, NDArray]]) -> NDArray[np.float64]:
    """Mean over edge wells of value / (mean of inner wells of the treatment) - 1; arrays are draws
    x wells.
    """
    total, count = 0.0, 0.0
    for values, edge in groups:
        inner = np.where(edge, 0.0, values).sum(1) / (~edge).sum(1)
        total = total + np.where(edge, values, 0.0).sum(1) / inner
        count = count + edge.sum(1)
    return np.asarray(total / count - 1)


def _resample(
    values: NDArray, edge: NDArray, n_draws: int, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Bootstrap of the edge and the inner wells of one treatment, each within itself."""
    outer, inner = values[edge], values[~edge]
    drawn = np.concatenate(
        [rng.choice(outer, (n_draws, len(outer))), rng.choice(inner, (n_draws, len(inner)))], axis=1
    )
    return drawn, np.broadcast_to(np.arange(len(values)) < len(outer), drawn.shape)


def drift(samples: pd.DataFrame, axis: str, n_draws: int, seed: int) -> Position:
    """Range over the plate of a straight line through the wells' signals over their treatments'
    means, in percent of the mean.

    Treatments are removed from both sides first (Frisch-Waugh), so a treatment that fills one row
    cannot pose as drift; where
    that leaves too little spread of positions the drift is not testable. `samples` may hold
    `relative_to_treatment` as `relative`.
    """
    known = (
        samples
        if "relative" in samples
        else samples.assign(relative=relative_to_treatment(samples))
    )
    kept = known[known["relative"].notna()]
    if len(kept) < 2 * MIN_EDGE or kept[axis].nunique() < 3:
        return Position(note=f"not testable: too few wells in too few {axis}s")
    place = kept[axis].to_numpy(float)
    groups = _treatment(kept)
    x, y = _demean(place, groups), _demean(kept["relative"].to_numpy(float), groups)
    if (x**2).sum() < MIN_FREE * ((place - place.mean()) ** 2).sum():
        return Position(note=f"not testable: each treatment keeps to its own {axis}s")
    span = place.max() - place.min()
    draws = np.random.default_rng(seed).integers(0, len(x), (n_draws, len(x)))
    slopes = (x * y)[draws].sum(1) / (x**2)[draws].sum(1)
    slope = (x * y).sum() / (x**2).sum()
    low, high = np.percentile(slopes, [2.5, 97.5])
    bounds = sorted([abs(low), abs(high)]) if low * high > 0 else [0.0, max(abs(low), abs(high))]
    return Position(100 * abs(slope) * span, 100 * bounds[0] * span, 100 * bounds[1] * span)


def _demean(values: NDArray, groups: NDArray) -> NDArray[np.float64]:
    return values - (np.bincount(groups, values) / np.bincount(groups))[groups]


def residual_percent(samples: pd.DataFrame) -> pd.Series:
    """Deviation of each well from its treatment's mean, in percent: what the residual heatmap
    shows.
    """
    return 100 * (relative_to_treatment(samples) - 1)
