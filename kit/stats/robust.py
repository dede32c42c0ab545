"""A straight line that single wild points cannot pull: Huber's M-estimator."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_STEPS, _CLOSE = 20, 1e-4  # iterations, and the relative change of the residuals that ends them


class Line(NamedTuple):
    """y = intercept + slope·x, with the covariance of (intercept, slope); NaN with two points."""

    intercept: float
    slope: float
    covariance: Floats
    n: int

    @property
    def slope_se(self) -> float:
        """Standard error of the slope; NaN with two points."""
        return float(np.sqrt(self.covariance[1, 1]))


def robust_line(x: ArrayLike, y: ArrayLike, tuning: float = 1.345) -> Line:
    """Huber's line: least squares first, then weights min(1, c·s/|r|) with s = median|r|/0.6745.

    Parameters
    ----------
    x, y
        Points, any unit; those with a missing value are left out.
    tuning
        c, in scales; 1.345 keeps 95 % of the efficiency of least squares.

    Returns
    -------
    Line
        NaN throughout where fewer than two distinct x remain.

    Source: Huber 1964; iteration and standard error as in Venables & Ripley, MASS.

    >>> line = robust_line([0, 1, 2, 3, 4, 5, 6], [0.1, 1, 2, 3, 4, 5, 60])
    >>> bool(abs(line.slope - 1) < 0.3)
    True
    """
    a, b = np.asarray(x, float), np.asarray(y, float)
    kept = np.isfinite(a) & np.isfinite(b)
    a, b = a[kept], b[kept]
    if len(np.unique(a)) < 2:
        return Line(np.nan, np.nan, np.full((2, 2), np.nan), len(a))
    design = np.column_stack([np.ones_like(a), a])
    coefficients, residuals = _weighted(design, b, np.ones_like(a))
    scale = 0.0
    for _ in range(_STEPS):
        scale = float(np.median(np.abs(residuals))) / 0.6745
        if scale <= 1e-12 * (float(np.abs(b).max()) or 1.0):
            break
        before = residuals
        coefficients, residuals = _weighted(design, b, _weights(residuals / scale, tuning))
        if np.sum((before - residuals) ** 2) <= _CLOSE**2 * max(1e-20, float(np.sum(before**2))):
            break
    covariance = _covariance(design, residuals, scale, tuning)
    return Line(float(coefficients[0]), float(coefficients[1]), covariance, len(a))


def _weights(z: Floats, tuning: float) -> Floats:
    return np.minimum(1.0, tuning / np.maximum(np.abs(z), 1e-300))


def _weighted(design: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    root = np.sqrt(weights)
    found = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    solution = np.asarray(found, dtype=float)
    return solution, y - design @ solution


def _covariance(design: Floats, residuals: Floats, scale: float, tuning: float) -> Floats:
    n, p = design.shape
    if n <= p:
        return np.full((p, p), np.nan)
    inverse = np.linalg.inv(design.T @ design)
    if scale == 0:
        return inverse * float(np.sum(residuals**2)) / (n - p)
    z = residuals / scale
    inside = (np.abs(z) <= tuning).astype(float)
    share = float(inside.mean()) or 1 / n
    spread = float(np.sum((residuals * _weights(z, tuning)) ** 2)) / (n - p)
    correction = 1 + p * float(inside.var(ddof=1)) / (n * share**2)
    return inverse * spread * (correction / share) ** 2
