"""Two correlations that share a variable: does k predict j better than h does? (same lines,
complete pairs)

`r_jk` and `r_jh` are compared, `r_kh` links the two predictors. Two-sided; a positive statistic
means r_jk is the larger.
All arguments may be arrays that broadcast; scalars give scalars.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from kit.stats.intervals import Interval, check_level


class Comparison(NamedTuple):
    """Test statistic and its two-sided p."""

    statistic: float
    p: float


def _checked(
    r_jk: ArrayLike, r_jh: ArrayLike, r_kh: ArrayLike, n: ArrayLike
) -> tuple[Any, Any, Any, Any, Any]:
    """The four inputs as arrays, and the determinant of their correlation matrix; raise ValueError
    where they cannot be.
    """
    a, b, c, size = (np.asarray(value, dtype=float) for value in (r_jk, r_jh, r_kh, n))
    for name, value in (("r_jk", a), ("r_jh", b), ("r_kh", c)):
        if np.any(np.abs(value) > 1):
            raise ValueError(f"{name} is a correlation, between -1 and 1, not {value}")
    if np.any(size < 4):
        raise ValueError(
            f"comparing two correlations takes at least 4 lines, not {size:g}"
            if size.ndim == 0
            else "n must be 4 or more"
        )
    determinant = 1 - a**2 - b**2 - c**2 + 2 * a * b * c
    if np.any(determinant < -1e-9):
        raise ValueError(
            "no data can have these three correlations together (were they computed on the same"
            " lines?)"
        )
    return a, b, c, size, np.maximum(determinant, 0)


def _plain(*values: Any) -> list[Any]:
    return [float(value) if np.ndim(value) == 0 else value for value in values]


def williams_test(r_jk: ArrayLike, r_jh: ArrayLike, r_kh: ArrayLike, n: ArrayLike) -> Comparison:
    """Williams' t with n - 3 df (Williams 1959, J R Stat Soc B 21:396; form of Steiger 1980,
    Psychol Bull 87:245, eq. 7).
    """
    a, b, c, size, determinant = _checked(r_jk, r_jh, r_kh, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = 2 * (size - 1) / (size - 3) * determinant + (a + b) ** 2 / 4 * (1 - c) ** 3
        t = (a - b) * np.sqrt((size - 1) * (1 + c) / spread)
        return Comparison(*_plain(t, 2 * stats.t.sf(np.abs(t), size - 3)))


def steiger_test(r_jk: ArrayLike, r_jh: ArrayLike, r_kh: ArrayLike, n: ArrayLike) -> Comparison:
    """Steiger's Z on Fisher's scale with the mean correlation in the covariance (Steiger 1980,
    Psychol Bull 87:245, eq. 14).
    """
    a, b, c, size, _ = _checked(r_jk, r_jh, r_kh, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean2 = ((a + b) / 2) ** 2
        covariance = (c * (1 - 2 * mean2) - mean2 * (1 - 2 * mean2 - c**2) / 2) / (1 - mean2) ** 2
        z = (np.arctanh(a) - np.arctanh(b)) * np.sqrt((size - 3) / (2 - 2 * covariance))
        return Comparison(*_plain(z, 2 * stats.norm.sf(np.abs(z))))


def zou_interval(
    r_jk: ArrayLike, r_jh: ArrayLike, r_kh: ArrayLike, n: ArrayLike, level: float = 0.95
) -> Interval:
    """Zou's interval of r_jk - r_jh, built from the two Fisher intervals (Zou 2007, Psychol Methods
    12:399, eq. 15).
    """
    a, b, c, size, _ = _checked(r_jk, r_jh, r_kh, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = stats.norm.isf((1 - check_level(level)) / 2) / np.sqrt(size - 3)
        a_low, a_high = np.tanh(np.arctanh(a) - half), np.tanh(np.arctanh(a) + half)
        b_low, b_high = np.tanh(np.arctanh(b) - half), np.tanh(np.arctanh(b) + half)
        link = ((c - a * b / 2) * (1 - a**2 - b**2 - c**2) + c**3) / ((1 - a**2) * (1 - b**2))
        down = np.sqrt((a - a_low) ** 2 + (b_high - b) ** 2 - 2 * link * (a - a_low) * (b_high - b))
        up = np.sqrt((a_high - a) ** 2 + (b - b_low) ** 2 - 2 * link * (a_high - a) * (b - b_low))
        return Interval(*_plain(a - b - down, a - b + up))
