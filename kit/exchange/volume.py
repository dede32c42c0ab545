"""The volume in a well over time: from plate weights, from a marker, or from a stated loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def from_masses(
    hours: ArrayLike, weighed_h: ArrayLike, masses_g: ArrayLike, empty_g: float, start_mL: float
) -> Floats:
    """Volume at `hours` on the straight line through the plate's net weights, which stand for
    `start_mL` at the first weighing.

    Source: Copeland et al. 2023.

    >>> from_masses([0, 48], [0, 24, 48], [30, 29, 28], 10, 2.0).round(6).tolist()
    [2.0, 1.8]
    """
    t, net = np.asarray(weighed_h, float), np.asarray(masses_g, float) - empty_g
    slope, intercept = np.polyfit(t, start_mL * net / net[np.argmin(t)], 1)
    return intercept + slope * np.asarray(hours, float)


def from_loss(hours: ArrayLike, loss_percent: float, last_h: float, start_mL: float) -> Floats:
    """Volume that falls steadily by `loss_percent` until `last_h`."""
    return start_mL * (1 - loss_percent / 100 * np.asarray(hours, float) / last_h)


def from_marker(concentration: ArrayLike, at_start: float, start_mL: float) -> Floats:
    """Volume from an inert marker that evaporation concentrates.

    >>> from_marker([100, 125], 100, 2.0).tolist()
    [2.0, 1.6]
    """
    return start_mL * at_start / np.asarray(concentration, float)
