"""Standards -> concentrations: a weighted line, how well it gives the standards back, its range,
and the drift of quality-control samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Calibration(NamedTuple):
    """response = intercept + slope·concentration, valid from `low` to `high` µM; `worst_percent` is
    the largest error of a standard calculated back.
    """

    intercept: float
    slope: float
    low: float
    high: float
    worst_percent: float
    n: int

    def concentration(self, response: ArrayLike) -> Floats:
        """µM of a response."""
        return (np.asarray(response, float) - self.intercept) / self.slope

    def inside(self, concentration: ArrayLike) -> NDArray[np.bool_]:
        """Whether concentrations lie within the standards."""
        c = np.asarray(concentration, float)
        return (c >= self.low) & (c <= self.high)


def calibrate(known: ArrayLike, response: ArrayLike, weight_power: float = 1.0) -> Calibration:
    """Weighted least squares of response on known concentration, weights 1/c^`weight_power`.

    Parameters
    ----------
    known
        Concentration of each standard, µM; zero standards take no part.
    response
        Area, or area over that of the internal standard.
    weight_power
        0 is the plain line, 1 and 2 give small standards their say.

    Returns
    -------
    Calibration
        NaN where fewer than two distinct standards remain.

    >>> round(calibrate([1, 10, 100], [2, 20, 200]).slope, 9)
    2.0
    """
    c, r = np.asarray(known, float), np.asarray(response, float)
    kept = np.isfinite(c) & np.isfinite(r) & (c > 0)
    c, r = c[kept], r[kept]
    if len(np.unique(c)) < 2:
        return Calibration(*[float("nan")] * 5, len(c))
    root = np.sqrt(c**-weight_power)
    design = np.column_stack([np.ones_like(c), c]) * root[:, None]
    intercept, slope = np.linalg.lstsq(design, r * root, rcond=None)[0]
    back = (r - intercept) / slope
    worst = float(np.max(np.abs(back / c - 1)) * 100)
    low, high = float(c.min()), float(c.max())
    return Calibration(float(intercept), float(slope), low, high, worst, len(c))


def drift_percent(order: ArrayLike, response: ArrayLike) -> float:
    """Change of a quality-control response over the whole run, percent of its mean; NaN with fewer
    than three.

    >>> drift_percent([1, 5, 9], [100, 95, 90]).__round__(1)
    -10.5
    """
    x, y = np.asarray(order, float), np.asarray(response, float)
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    if len(np.unique(x)) < 3 or y.mean() == 0:
        return float("nan")
    return float(np.polyfit(x, y, 1)[0] * np.ptp(x) / y.mean() * 100)


def cv_percent(values: ArrayLike) -> float:
    """Coefficient of variation, percent; NaN with fewer than two values."""
    v = np.asarray(values, float)
    v = v[np.isfinite(v)]
    return float(v.std(ddof=1) / v.mean() * 100) if len(v) > 1 and v.mean() > 0 else float("nan")
