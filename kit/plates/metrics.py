"""Plate metrics as array functions: numbers in, numbers out, along the last axis.
`kit.plates.quality` decides on which wells and judges.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAD_TO_SD = 1.4826  # SD of a normal distribution over its MAD
Statistic = Callable[..., NDArray[np.float64]]


def z_prime(positive: ArrayLike, negative: ArrayLike) -> NDArray[np.float64]:
    """Z' = 1 - 3 (s_p + s_n) / |m_p - m_n| along the last axis (Zhang 1999); SDs with n - 1."""
    a, b = np.asarray(positive, float), np.asarray(negative, float)
    return _ratio(3 * (_sd(a) + _sd(b)), np.abs(a.mean(-1) - b.mean(-1)), lambda x: 1 - x)


def robust_z_prime(positive: ArrayLike, negative: ArrayLike) -> NDArray[np.float64]:
    """Z' with medians for means and 1.4826 MAD for SDs, along the last axis."""
    a, b = np.asarray(positive, float), np.asarray(negative, float)
    return _ratio(
        3 * (_mad(a) + _mad(b)), np.abs(np.median(a, -1) - np.median(b, -1)), lambda x: 1 - x
    )


def ssmd(positive: ArrayLike, negative: ArrayLike) -> NDArray[np.float64]:
    """Strictly standardised mean difference (m_p - m_n) / sqrt(s_p^2 + s_n^2) along the last axis
    (Zhang XHD 2007).
    """
    a, b = np.asarray(positive, float), np.asarray(negative, float)
    return _ratio(a.mean(-1) - b.mean(-1), np.sqrt(_sd(a) ** 2 + _sd(b) ** 2))


def signal_to_background(control: ArrayLike, blank: ArrayLike) -> NDArray[np.float64]:
    """Mean of control over mean of blank."""
    return _ratio(np.asarray(control, float).mean(-1), np.asarray(blank, float).mean(-1))


def signal_to_noise(control: ArrayLike, blank: ArrayLike) -> NDArray[np.float64]:
    """(mean of control - mean of blank) over the SD of blank."""
    low = np.asarray(blank, float)
    return _ratio(np.asarray(control, float).mean(-1) - low.mean(-1), _sd(low))


def cv_percent(values: ArrayLike) -> NDArray[np.float64]:
    """100 SD / mean, along the last axis."""
    array = np.asarray(values, float)
    return _ratio(100 * _sd(array), array.mean(-1))


def _sd(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.std(-1, ddof=1) if values.shape[-1] > 1 else np.full(values.shape[:-1], np.nan)


def _mad(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return MAD_TO_SD * np.median(np.abs(values - np.median(values, -1, keepdims=True)), -1)


def _ratio(top: ArrayLike, bottom: ArrayLike, then: Callable = lambda x: x) -> NDArray[np.float64]:
    """top / bottom, NaN where bottom is 0: a spread of nothing says nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return then(np.where(np.asarray(bottom) == 0, np.nan, np.asarray(top, float) / bottom))
