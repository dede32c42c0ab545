"""Growth that starts after a lag, fitted together with one amount: a check on the plain recipe.

X = X0 before the lag and X0·e^{μ(t−lag)} after it; dM/dt = −kM before it and −kM − vX after it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

Floats = NDArray[np.float64]
STARTS = 5


class LagFit(NamedTuple):
    """`mu` 1/h, `x0` cells at 0 h, `lag_h`, `start` amount at 0 h, `rate` amount per cell and hour
    (positive: taken up); `chi2` weighted, on `df` degrees of freedom; `determined` is whether the
    data fix the rate at all: its interval excludes nothing else.
    """

    mu: float
    x0: float
    lag_h: float
    start: float
    rate: float
    rate_se: float
    chi2: float
    df: int

    @property
    def determined(self) -> bool:
        """The rate is more than two standard errors from zero."""
        return bool(abs(self.rate) > 2 * self.rate_se)


def lag_fit(
    hours: ArrayLike,
    cells: ArrayLike,
    amount: ArrayLike,
    *,
    sd_cells: float,
    sd_amount: float,
    k_decay: float = 0.0,
) -> LagFit:
    """Weighted least squares of cells and amount together.

    Parameters
    ----------
    hours, cells, amount
        Times, cells (or biomass) and amount; NaN where not measured. Any unit: the rate is in
        amount per unit of cells and hour.
    sd_cells, sd_amount
        Standard deviation of one measurement.
    k_decay
        Loss without cells, 1/h.

    Source: the model of Peiro et al. 2019 and of PhysioFit 3.4.

    >>> t = np.linspace(0, 10, 11)
    >>> x, m = trajectory(t, 0.2, 1.0, 2.0, 50.0, 0.5)
    >>> round(lag_fit(t, x, m, sd_cells=0.01, sd_amount=0.1).rate, 3)
    0.5
    """
    t, x, m = (np.asarray(values, float) for values in (hours, cells, amount))
    seen_x, seen_m = np.isfinite(x), np.isfinite(m)

    def residuals(p: Floats) -> Floats:
        model_x, model_m = trajectory(t, *p, k_decay)
        return np.concatenate(
            [((model_x - x) / sd_cells)[seen_x], ((model_m - m) / sd_amount)[seen_m]]
        )

    first = t == t.min()
    slope = np.polyfit(t[seen_x], np.log(np.maximum(x[seen_x], 1e-12)), 1)[0]
    mu = max(float(slope), 1e-3)
    span = np.trapezoid(np.interp(t, t[seen_x], x[seen_x]), t)
    rate = (np.nanmean(m[first]) - m[seen_m][-1]) / span
    start = [mu, float(np.nanmean(x[first])), 0.0, float(np.nanmean(m[first])), float(rate)]
    low = [1e-6, 1e-12, 0.0, 0.0, -np.inf]
    high = [np.inf, np.inf, float(t.max()), np.inf, np.inf]
    scale = np.maximum(np.abs(start), 1e-3)
    fits = []
    for lag in np.linspace(0, 0.8 * t.max(), STARTS):
        begin = [mu * t.max() / max(t.max() - lag, 1e-9), start[1], lag, start[3], start[4]]
        fits.append(least_squares(residuals, begin, bounds=(low, high), x_scale=scale, xtol=1e-12))
    best = min(fits, key=lambda fit: fit.cost)
    covariance = np.linalg.pinv(best.jac.T @ best.jac)
    df = int(seen_x.sum() + seen_m.sum() - len(start))
    chi2 = float(2 * best.cost)
    se = float(np.sqrt(covariance[4, 4] * max(chi2 / df if df > 0 else 1.0, 1.0)))
    p = [float(value) for value in best.x]
    return LagFit(p[0], p[1], p[2], p[3], p[4], se, chi2, df)


def trajectory(
    hours: ArrayLike, mu: float, x0: float, lag: float, start: float, rate: float, k: float = 0.0
) -> tuple[Floats, Floats]:
    """Cells and amount at these hours, in closed form."""
    t = np.asarray(hours, float)
    late = np.maximum(t - lag, 0.0)
    combined = mu + k
    grown = late if abs(combined) < 1e-12 else np.expm1(combined * late) / combined
    return x0 * np.exp(mu * late), start * np.exp(-k * t) - rate * x0 * np.exp(-k * late) * grown
