"""Molecular mass from migration: three curves through a ladder, judged by leaving out one marker at
a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.float64]
METHODS = ("pchip", "cubic", "log_linear")
"""PCHIP through log10 mass, a cubic in Rf, and the straight line log10 mass = a + b*Rf."""
_LEAST = {
    "pchip": 3,
    "cubic": 5,
    "log_linear": 2,
}  # markers each curve needs with one of them left out


@dataclass(frozen=True)
class LadderFit:
    """A ladder's curves: markers sorted by `rf`, their masses (kDa), straight line `intercept` +
    `slope`*Rf with its `r2`,
    `errors` the median leave-one-out error in percent by method, and the `method` with the least of
    them."""

    rf: Floats
    mw_kDa: Floats
    slope: float
    intercept: float
    r2: float
    errors: dict[str, float]
    method: str

    def mass(self, rf: ArrayLike) -> Floats:
        """Mass (kDa) at `rf`; outside the markers the straight line, as no curve can be trusted
        there.
        """
        x = np.asarray(rf, float)
        straight = 10 ** (self.intercept + self.slope * x)
        inside = (x >= self.rf[0]) & (x <= self.rf[-1])
        curve = _predict(self.method, self.rf, np.log10(self.mw_kDa), x)
        return np.where(inside, 10**curve, straight)

    def brackets(self, mass: float) -> bool:
        """Whether markers lie on both sides of `mass`."""
        return bool(self.mw_kDa.min() <= mass <= self.mw_kDa.max())


def fit_ladder(rf: ArrayLike, mw_kDa: ArrayLike) -> LadderFit | None:
    """Fit markers at `rf` with masses `mw_kDa`; None with fewer than two distinct ones.

    Every inner marker is predicted from the others by each method; the outermost two are not, since
    no method may extrapolate.
    Repeated ladders (several lanes) are averaged by mass first.
    """
    x, y = np.asarray(rf, float).ravel(), np.asarray(mw_kDa, float).ravel()
    known = np.isfinite(x) & np.isfinite(y) & (y > 0)
    masses = np.unique(y[known])
    x = np.array([x[known & (y == mass)].mean() for mass in masses])
    order = np.argsort(x, kind="stable")
    x, log = x[order], np.log10(masses[order])
    if len(x) < 2 or np.ptp(x) == 0:
        return None
    slope, intercept = np.polyfit(x, log, 1)
    rest = log - (intercept + slope * x)
    r2 = 1 - float(rest @ rest) / float(((log - log.mean()) ** 2).sum())
    errors = {method: _left_out_error(method, x, log) for method in METHODS}
    usable = {method: error for method, error in errors.items() if math.isfinite(error)}
    best = min(usable, key=lambda method: usable[method]) if usable else "log_linear"
    return LadderFit(x, 10**log, float(slope), float(intercept), r2, errors, best)


def left_out_errors(method: str, rf: ArrayLike, log10_mass: ArrayLike) -> Floats:
    """Error in percent of each inner marker's mass when it is predicted from the others."""
    x, log = np.asarray(rf, float), np.asarray(log10_mass, float)
    found = []
    for i in range(1, len(x) - 1):
        keep = np.arange(len(x)) != i
        found.append(
            100 * abs(10 ** (_predict(method, x[keep], log[keep], x[i : i + 1])[0] - log[i]) - 1)
        )
    return np.array(found)


def _left_out_error(method: str, x: Floats, log: Floats) -> float:
    if len(x) - 1 < max(_LEAST[method], 2) or (np.diff(x) <= 0).any():
        return math.nan
    return float(np.median(left_out_errors(method, x, log)))


def _predict(method: str, x: Floats, log: Floats, at: Floats) -> Floats:
    """log10 mass at `at` by one method."""
    if method == "pchip":
        return np.asarray(PchipInterpolator(x, log, extrapolate=True)(at), float)
    return np.asarray(np.polyval(np.polyfit(x, log, 3 if method == "cubic" else 1), at), float)
