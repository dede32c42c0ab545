"""Growth rates of one series: the slope in a window set beforehand, and the DIP rate."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit.core.errors import Problems

Floats = NDArray[np.float64]
LN2 = math.log(2)


class Rate(NamedTuple):
    """Slope of ln(signal) in 1/h with its standard error, and the first and last scan used.

    Divide by ln 2 for doublings per hour.
    """

    rate: float
    se: float
    from_h: float
    to_h: float


class Line(NamedTuple):
    """A straight line through scans: slope, its standard error and R squared."""

    slope: float
    se: float
    r2: float
    rmse: float


def series(hours: ArrayLike, value: ArrayLike) -> tuple[Floats, Floats]:
    """The usable scans of a series, on log2; a signal at or below zero is missing.

    Raises
    ------
    InputError
        Where the two differ in length, a time is no number, or times do not increase.
    """
    t, x = np.asarray(hours, dtype=float), np.asarray(value, dtype=float)
    problems = Problems()
    if t.shape != x.shape or t.ndim != 1:
        what = f"{t.size} times and {x.size} values"
        problems.say("", "time course", what, "Give one value for each time.")
        problems.raise_if_any()
    if not np.isfinite(t).all():
        problems.say("", "time course", "a time is missing", "Give the time of every scan.")
    elif (back := np.flatnonzero(np.diff(t) <= 0)).size:
        i = int(back[0])
        what = f"times do not increase ({t[i]:g} h, then {t[i + 1]:g} h)"
        problems.say("", f"scan {i + 2}", what, "Sort the scans and keep one for each time.")
    problems.raise_if_any()
    usable = np.isfinite(x) & (x > 0)
    return t[usable], np.log2(x[usable])


def inflation(residuals: ArrayLike) -> float:
    """(1+rho)/(1-rho), by which autocorrelated residuals inflate a variance; rho at lag 1, 0..0.9.

    >>> inflation([1.0, -1.0, 1.0, -1.0])
    1.0
    """
    r = np.asarray(residuals, dtype=float)
    scale = float(r @ r)
    rho = min(max(float(r[1:] @ r[:-1]) / scale, 0.0), 0.9) if scale > 0 else 0.0
    return (1 + rho) / (1 - rho)


def fit_line(t: Floats, y: Floats) -> tuple[Line, Floats]:
    """Least-squares line and its residuals; the error is NaN below three points."""
    centred = t - t.mean()
    slope = float(centred @ y / (centred @ centred))
    residuals = y - y.mean() - slope * centred
    rss, total = float(residuals @ residuals), float(((y - y.mean()) ** 2).sum())
    se = math.sqrt(rss / (len(t) - 2) / float(centred @ centred)) if len(t) > 2 else math.nan
    r2 = 1 - rss / total if total > 0 else 0.0
    return Line(slope, se, r2, math.sqrt(rss / len(t))), residuals


def growth_rate(
    hours: ArrayLike, value: ArrayLike, *, window: tuple[float, float] | None = None
) -> Rate:
    """Growth rate of one series: the slope of ln(signal), by least squares.

    The window is set beforehand and half-open: [start, end). The steepest window of a series would
    be 13 % too steep on average. The standard error is widened by sqrt((1+rho)/(1-rho)) for
    residuals that follow each other; the interval of a condition comes from its experiments.

    Parameters
    ----------
    hours
        Times of the scans, increasing, shape (n,), h.
    value
        Signal less blank, shape (n,); at or below zero it is missing.
    window
        First hour and the hour before which the last scan lies; None: all scans.

    Returns
    -------
    Rate
        1/h (natural logarithm); NaN where fewer than two scans are usable.

    Raises
    ------
    InputError
        Where times do not increase, or times and values differ in number.

    Examples
    --------
    >>> rate = growth_rate([0, 12, 24, 36, 48], [100, 141.42136, 200, 282.84271, 400])
    >>> round(0.6931472 / rate.rate, 3)  # doubling time, h
    24.0
    """
    t, y = series(hours, value)
    if window is not None:
        inside = (t >= window[0]) & (t < window[1])
        t, y = t[inside], y[inside]
    if len(t) < 2:
        return Rate(math.nan, math.nan, math.nan, math.nan)
    line, residuals = fit_line(t, y)
    se = line.se * math.sqrt(inflation(residuals))
    return Rate(line.slope * LN2, se * LN2, float(t[0]), float(t[-1]))


def dip_rate(hours: ArrayLike, value: ArrayLike) -> Rate:
    """Drug-induced proliferation rate: the slope after the delay, in 1/h.

    The start i of the suffix maximises adjR2·(1-RMSE)²·(n-3)^(1/4) over suffixes of n scans (Harris
    2016, Nat Methods 13:497).

    Parameters
    ----------
    hours, value
        As in `growth_rate`.

    Returns
    -------
    Rate
        NaN below five usable scans.
    """
    t, y = series(hours, value)
    best, found = -math.inf, Rate(math.nan, math.nan, math.nan, math.nan)
    for i in range(len(t) - 4):
        n = len(t) - i
        line, _ = fit_line(t[i:], y[i:])
        adjusted = line.r2 - (1 - line.r2) / (n - 2)
        score = adjusted * (1 - line.rmse) ** 2 * (n - 3) ** 0.25
        if score > best:
            best = score
            found = Rate(line.slope * LN2, line.se * LN2, float(t[i]), float(t[-1]))
    return found
