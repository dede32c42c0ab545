"""Amounts and counts over time -> uptake per cell and hour, in plain numbers.

Cells grow as N = X0·e^{μt} and take up q, so dM/dt = −kM − vN and
M·e^{kt} = M0 − v·X0·x: a straight line in x = (e^{(μ+k)t} − 1)/(μ+k).
Uptake counts as positive; the public fluxes that prove this recipe count the other way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit.stats.robust import Line, robust_line

Floats = NDArray[np.float64]
FMOL_PER_NMOL = 1e6


class Growth(NamedTuple):
    """N = x0·e^{mu·t}: `mu` 1/h, `x0` cells; `line` is ln N on hours."""

    mu: float
    x0: float
    line: Line

    def cells(self, hours: ArrayLike) -> Floats:
        """Cells at these hours."""
        return self.x0 * np.exp(self.mu * np.asarray(hours, float))

    def cell_hours(self, hours: float) -> float:
        """Integral of N from 0 h, in cell·h.

        >>> round(Growth(0.0, 10.0, None).cell_hours(3.0), 6)
        30.0
        """
        return self.x0 * hours * float(_relative_growth(self.mu * hours))

    def doublings(self, hours: float) -> float:
        """Doublings in so many hours."""
        return self.mu * hours / np.log(2)


class Uptake(NamedTuple):
    """`rate` in fmol per cell and hour, positive where taken up, with its within-experiment `se`;
    `start` is the fitted amount at 0 h, nmol.
    """

    rate: float
    se: float
    start: float
    growth: Growth


def growth_fit(hours: ArrayLike, cells: ArrayLike) -> Growth:
    """Exponential growth by a robust line through ln N; counts that are not positive are left out.

    >>> round(growth_fit([0, 24, 48], [1e5, 2e5, 4e5]).mu * 24, 6)
    0.693147
    """
    counts = np.asarray(cells, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        line = robust_line(hours, np.where(counts > 0, np.log(counts), np.nan))
    return Growth(line.slope, float(np.exp(line.intercept)), line)


def uptake(hours: ArrayLike, amount: ArrayLike, growth: Growth, k_decay: float = 0.0) -> Uptake:
    """The rate of one amino acid in one arm of one experiment.

    Parameters
    ----------
    hours
        Times of the medium samples, from the medium switch.
    amount
        Amount in the well, nmol: concentration times the volume at that time.
    growth
        Growth of the arm, from its counts.
    k_decay
        Loss without cells, 1/h.

    Returns
    -------
    Uptake
        NaN where there are fewer than two distinct times.

    Source: Copeland et al. 2023 (the published fluxes follow from it to 1e-6).
    """
    t, m = np.asarray(hours, float), np.asarray(amount, float)

    def line(mu: float) -> Line:
        return robust_line(t * _relative_growth((mu + k_decay) * t), m * np.exp(k_decay * t))

    fit = line(growth.mu)
    rate = -fit.slope / growth.x0 * FMOL_PER_NMOL
    step = max(abs(growth.mu), 1e-3) * 1e-3
    by_mu = (line(growth.mu - step).slope - line(growth.mu + step).slope) / (2 * step)
    gradient = np.array([-rate, by_mu / growth.x0 * FMOL_PER_NMOL])  # by ln X0, by mu
    shared = float(gradient @ growth.line.covariance @ gradient)
    own = (fit.slope_se / growth.x0 * FMOL_PER_NMOL) ** 2
    return Uptake(rate, float(np.sqrt(own + shared)), fit.intercept, growth)


def exchange_rate(
    hours: ArrayLike, amount: ArrayLike, cells: ArrayLike, *, k_decay: float = 0.0
) -> tuple[float, float]:
    """Uptake of one amino acid in one arm of one experiment, from its amounts and counts.

    Parameters
    ----------
    hours
        Times since the medium switch, one a sample.
    amount
        Amount in the well at these times, nmol (concentration times volume); NaN: not measured.
    cells
        Cells in the well at these times; NaN: not counted.
    k_decay
        Loss without cells, 1/h.

    Returns
    -------
    (rate, se)
        fmol per cell and hour, positive where taken up; the standard error comes from the wells and
        is a measure of quality, not of what another experiment would give.

    Raises
    ------
    ValueError
        Where the arrays differ in length, or an amount or count is negative.

    >>> t = np.array([0.0, 24, 48, 72]); n = 2e5 * np.exp(0.03 * t)
    >>> m = 4000 - 40e-6 * (n - 2e5) / 0.03
    >>> round(exchange_rate(t, m, n)[0], 6)
    40.0
    """
    t, m, n = (np.asarray(values, float) for values in (hours, amount, cells))
    if not t.shape == m.shape == n.shape or t.ndim != 1:
        raise ValueError(f"hours, amount and cells differ in length: {t.size}, {m.size}, {n.size}")
    if (m < 0).any() or (n <= 0).any():
        raise ValueError("an amount is negative, or a count is not positive")
    found = uptake(t, m, growth_fit(t, n), k_decay)
    return found.rate, found.se


def two_point_rate(
    blank: float, amount: float, hours: float, growth: Growth, k_decay: float = 0.0
) -> float:
    """Uptake from one time and the cell-free blank at that time: provisional.

    v = (M_blank − M)(μ+k) / [X0(e^{μt} − e^{−kt})], amounts in nmol, fmol per cell and hour out.

    >>> growth = growth_fit([0, 48], [2e5, 2e5 * np.exp(0.03 * 48)])
    >>> start = 4000.0
    >>> left = start - 40e-6 * growth.cell_hours(48)
    >>> round(two_point_rate(start, left, 48, growth), 6)
    40.0
    """
    span = (growth.mu + k_decay) * hours
    weight = growth.x0 * np.exp(-k_decay * hours) * hours * _relative_growth(span)
    return float((blank - amount) / weight * FMOL_PER_NMOL)


def _relative_growth(exponent: ArrayLike) -> Floats:
    """(e^z − 1)/z, 1 at zero."""
    z = np.asarray(exponent, float)
    safe = np.where(np.abs(z) < 1e-12, 1.0, z)
    return np.where(np.abs(z) < 1e-12, 1.0, np.expm1(safe) / safe)


def decay_rate(hours: ArrayLike, amount: ArrayLike) -> tuple[float, float]:
    """First-order loss in cell-free medium and its standard error, 1/h: minus the slope of ln M.

    >>> round(decay_rate([0, 24, 48], [100, 100 * np.exp(-0.24), 100 * np.exp(-0.48)])[0], 6)
    0.01
    """
    m = np.asarray(amount, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        line = robust_line(hours, np.where(m > 0, np.log(m), np.nan))
    return -line.slope, line.slope_se


def runs_out_at(
    supply_nmol: float, rate: float, mu: float, x0: float, k_decay: float = 0.0
) -> float:
    """Hours until nothing is left, infinity where it lasts: M0 = v·X0·(e^{(μ+k)t} − 1)/(μ+k).

    >>> round(runs_out_at(572.0, 20.0, np.log(2) / 24, 2e5), 2)
    56.62
    """
    if not rate > 0 or not x0 > 0:
        return float("inf")
    ratio = supply_nmol * FMOL_PER_NMOL / (rate * x0)
    combined = mu + k_decay
    if abs(combined) < 1e-12:
        return ratio
    reach = 1 + ratio * combined
    return float(np.log(reach) / combined) if reach > 0 else float("inf")
