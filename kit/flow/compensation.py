"""Taking apart what each detector saw: spillover between stains, from a file's own matrix or from
single-stain controls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.core.errors import InputError, Problem
from kit.readers.flow.events import Spill

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


def unmix(columns: Floats, spill: Spill | None) -> Floats:
    """The first two channels of `columns` (events x channels), compensated.

    observed = true @ spill.matrix, hence true = observed @ inverse. `columns` begins with the
    channels of `spill`, in its order.
    """
    if spill is None:
        return columns[:, :2]
    inverse = np.linalg.inv(spill.matrix)[:, :2].astype(columns.dtype)
    return columns[:, : len(inverse)] @ inverse


def spill_from_controls(
    unstained: Floats, stained: Sequence[Floats], channels: Sequence[str]
) -> Spill:
    """Spillover from single-stain tubes: row i = (median of stain i's positives - median
    unstained), over its own channel's.

    `unstained` and each of `stained` are events x channels in the order of `channels`; stain i
    belongs to channel i.
    Bagwell & Adams 1993: with one dye present, signal in other detectors is proportional to that in
    its own.
    """
    dark = np.median(unstained, axis=0)
    rows = []
    for own, tube in enumerate(stained):
        shift = np.median(tube[_positives(tube[:, own], unstained[:, own])], axis=0) - dark
        if not shift[own] > 0:
            what = (
                f"the single-stain control of '{channels[own]}' is no brighter than the"
                " unstained one"
            )
            raise InputError(
                Problem(
                    "",
                    f"channel {channels[own]}",
                    what,
                    "Use a control with stained (dying) cells, or set `compensate: none`.",
                )
            )
        rows.append(shift / shift[own])
    return Spill(tuple(channels), np.array(rows, dtype=np.float64))


def _positives(bright: Floats, dark: Floats) -> Mask:
    """The stained events of a tube: all of them when it is one population, the upper class when
    unstained ones are among them.

    A cut through a single broad population would bias the medians, so the two classes (Otsu's
    threshold on asinh scale) are only
    told apart when the lower one lies where the unstained control does.
    """
    width = max(float(np.percentile(dark, 99.5) - np.percentile(dark, 0.5)), 1e-6)
    scaled = np.arcsinh((bright - np.median(dark)) / width)
    cut = _otsu(scaled)
    low, high = scaled < cut, scaled >= cut
    mixed = low.any() and high.any() and np.median(bright[low]) <= np.percentile(dark, 99.5)
    return high if mixed else np.ones(len(bright), dtype=bool)


def _otsu(values: Floats) -> float:
    """Cut that maximises the variance between two classes (Otsu 1979), on a histogram of 256
    bins.
    """
    counts, edges = np.histogram(values, bins=256)
    centers = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts)[:-1], len(values) - np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * centers)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return float(edges[1 + int(np.nanargmax(between))])
