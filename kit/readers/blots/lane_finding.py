"""Where the lanes of a blot image lie: clear lanes by their signal, faint and empty ones by the
comb's regular pitch, or a refusal in words.

A lane in the wrong place gives one line's band to another, so nothing is placed by the strongest of
the noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from kit.core.errors import InputError, Problem

Borders = list[tuple[int, int]]

_QUARTILE_OF_ABS = 0.3186  # lower quartile of the absolute value of a standard normal
_LAG = 3  # columns so far apart share no pixel's blur: their difference shows the whole noise
_OWN_RISE = 0.25  # share of a lane's signal by which it rises above the dip to its neighbour
_CLEAR_SD = 6.0  # a lane's rise over the noise of the gaps from which it cannot be noise
_CLEAR_SHARE = 0.01  # of the strongest lane: streaks and dust stay below
_STRONG_SD = 30.0  # from here a lane's own borders are sharper than the comb's
_STANDS_OUT = 4.0  # the faintest of as many lanes as are listed over the next peak
_MOST_UNEVEN = (
    1.75  # widest over narrowest step between lanes that leaves no room for a lane unseen
)
_MAX_OFF_PITCH = 0.12  # of a pitch by which a lane may lie beside the comb
_MAX_OUTSIDE = 0.1  # of a pitch by which an outer lane may reach over the image's edge
_WIDEST = 1.15  # a lane's width in pitches
_FLOOR = 0.02  # of its peak: there a lane ends
_REMEDY = "Give left and right (columns in pixels) of each lane in the lane list."


@dataclass(frozen=True)
class _Columns:
    """Signal per column above the gaps, and its noise there."""

    signal: np.ndarray
    noise: float

    @property
    def width(self) -> int:
        return len(self.signal)


@dataclass(frozen=True)
class _Clear:
    """Lanes that cannot be noise, by the column of their peak."""

    columns: _Columns
    peaks: np.ndarray

    @cached_property
    def borders(self) -> Borders:
        return _borders(self.columns, self.peaks)

    @cached_property
    def strong(self) -> np.ndarray:
        """Whether a lane's own edges stand out of the noise."""
        return np.asarray(self.columns.signal[self.peaks] > _STRONG_SD * self.columns.noise)

    @cached_property
    def centres(self) -> np.ndarray:
        """Centroid of what rises above half of the peak: a wide lane's top is flat, its highest
        column anywhere on it.
        """
        x, found = np.arange(self.columns.width), []
        for peak, (left, right) in zip(self.peaks, self.borders):
            above = np.maximum(self.columns.signal[left:right] - self.columns.signal[peak] / 2, 0)
            found.append(
                float(np.average(x[left:right], weights=above)) if above.any() else float(peak)
            )
        return np.array(found)

    @cached_property
    def wide(self) -> float:
        """Width of a lane, by the strong ones where there are any."""
        widths = np.array([right - left for left, right in self.borders], float)
        return float(np.median(widths[self.strong] if self.strong.any() else widths))


def find_lanes(pixels: np.ndarray, n_lanes: int | None = None, name: str = "") -> Borders:
    """Lane borders (left, right), half-open, from left to right. Without `n_lanes` every clear
    lane, else exactly so many.

    Columns that hold bands vary down their rows more than the gaps between lanes. Raises InputError
    (of the image `name`) where the lanes
    cannot be told for certain: fewer or more clear ones than listed, and no single regular comb
    that explains them.
    """
    columns = _columns(pixels)
    if n_lanes is None:
        peaks, _ = _peaks(columns, 0.08 * columns.signal.max())
        return _borders(columns, peaks)
    clear = _Clear(
        columns,
        _standing_out(
            *_peaks(columns, max(_CLEAR_SHARE * columns.signal.max(), _CLEAR_SD * columns.noise)),
            n_lanes,
        ),
    )
    found = len(clear.peaks)
    combs = list(_combs(clear, n_lanes)) if found >= max(3, -(-n_lanes // 2)) else []
    if len(combs) == 1:
        return _placed(clear, *combs[0])
    if found == n_lanes and (n_lanes < 3 or _even(clear.centres)):
        return _placed(clear, clear.centres, np.arange(n_lanes))
    what = (
        f"{found} clear lanes are found where the lane list names {n_lanes},"
        f" {_why(found, n_lanes, len(combs))}"
    )
    raise InputError(Problem(name, "", what, _REMEDY))


def _why(found: int, listed: int, combs: int) -> str:
    """Why so many clear lanes do not tell where the listed ones lie."""
    if combs > 1:
        return "and the others may lie on either side of them"
    return (
        "but at uneven steps: one may be dust and another unseen"
        if found == listed
        else "and no regular spacing explains them"
    )


def _columns(pixels: np.ndarray) -> _Columns:
    smooth = max(2.0, pixels.shape[1] / 250)
    spread = gaussian_filter1d(pixels, 1.5, axis=0).std(axis=0)
    bend = spread[: -2 * _LAG] - 2 * spread[_LAG:-_LAG] + spread[2 * _LAG :]
    raw = (
        float(np.percentile(np.abs(bend), 25)) / (_QUARTILE_OF_ABS * np.sqrt(6))
        if len(bend)
        else 0.0
    )  # edges of lanes fill the rest
    signal = gaussian_filter1d(spread, smooth)
    return _Columns(signal - np.percentile(signal, 5), raw / np.sqrt(smooth))


def _peaks(columns: _Columns, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the lanes that rise by `least`, and how far each rises. The two shoulders of one
    wide lane rise little above the dip
    between them; a faint lane rises from nothing."""
    peaks, shape = find_peaks(
        np.r_[0, columns.signal, 0], prominence=least, distance=max(4, columns.width // 60)
    )
    peaks, rise = peaks - 1, shape["prominences"]
    own = rise > _OWN_RISE * np.maximum(columns.signal[peaks], 1e-12)
    return peaks[own], rise[own]


def _standing_out(peaks: np.ndarray, rise: np.ndarray, n_lanes: int) -> np.ndarray:
    """The `n_lanes` highest where they stand far out of the rest, else all."""
    order = np.argsort(rise, kind="stable")[::-1]
    if len(peaks) <= n_lanes or rise[order[n_lanes - 1]] < _STANDS_OUT * rise[order[n_lanes]]:
        return peaks
    return np.sort(peaks[order[:n_lanes]])


def _even(peaks: np.ndarray) -> bool:
    steps = np.diff(peaks)
    return bool(steps.max() < _MOST_UNEVEN * steps.min())


def _combs(clear: _Clear, n_lanes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every way in which the clear lanes sit on a regular comb of `n_lanes` inside the image:
    centres of all lanes, places of the clear.
    """
    centres, seen = clear.centres, set()
    for first in range(n_lanes - len(centres) + 1):
        for last in range(first + len(centres) - 1, n_lanes):
            places = first + np.rint(
                (centres - centres[0]) * (last - first) / (centres[-1] - centres[0])
            ).astype(int)
            if len(set(places)) == len(places) and tuple(places) not in seen:
                seen.add(tuple(places))
                pitch, start = np.polyfit(places, centres, 1)
                comb = start + pitch * np.arange(n_lanes)
                if _fits(clear, comb, places, pitch):
                    yield comb, places


def _fits(clear: _Clear, comb: np.ndarray, places: np.ndarray, pitch: float) -> bool:
    """Every clear lane near its place, no lane wider than a step, and the outer ones inside the
    image.
    """
    spare = _MAX_OUTSIDE * pitch - clear.wide / 2
    inside = comb[0] >= -spare and comb[-1] <= clear.columns.width + spare
    return bool(
        inside
        and clear.wide <= _WIDEST * pitch
        and np.abs(clear.centres - comb[places]).max() <= _MAX_OFF_PITCH * pitch
    )


def _placed(clear: _Clear, comb: np.ndarray, places: np.ndarray) -> Borders:
    """Borders of all lanes. A strong lane keeps its own; a fainter one, whose edges are noise, lies
    at its place of the comb and is as wide
    as strong lanes are, up to halfway to its neighbour."""
    own = {
        int(place): border
        for place, border, strong in zip(places, clear.borders, clear.strong)
        if strong
    }
    middles = [
        0,
        *(round((left + right) / 2) for left, right in pairwise(comb)),
        clear.columns.width,
    ]
    found = []
    for place, centre in enumerate(comb):
        left, right = own.get(
            place, (round(centre - clear.wide / 2), round(centre + clear.wide / 2))
        )
        low, high = (
            middles[place + side] if not {place, place + 2 * side - 1} <= set(own) else end
            for side, end in ((0, left), (1, right))
        )
        found.append((max(left, low, 0), min(right, high, clear.columns.width)))
    return found


def _borders(columns: _Columns, peaks: Sequence[int] | np.ndarray) -> Borders:
    """Where each lane's signal has fallen to its floor, at most up to the valley to its
    neighbour.
    """
    signal = columns.signal
    valleys = [int(left + np.argmin(signal[left:right])) for left, right in pairwise(peaks)]
    found = []
    for peak, left, right in zip(peaks, [0, *valleys], [*valleys, columns.width]):
        low = np.flatnonzero(signal < _FLOOR * signal[peak])
        before, after = low[(low >= left) & (low < peak)], low[(low > peak) & (low < right)]
        found.append(
            (int(before[-1]) if len(before) else left, int(after[0]) + 1 if len(after) else right)
        )
    return found
