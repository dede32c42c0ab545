"""Densitometry on lane profiles: bands and volumes of a blot (a two-dimensional rolling ball takes
seconds, a profile none).

Rows run down the lane, columns across lanes; a profile is the sum of a lane's pixels per row, so
that the area under a
band equals the sum of its pixels above background (its volume).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_opening, label
from scipy.signal import find_peaks, peak_widths

from kit.readers.blots.image import BlotImage

MAD_TO_SD = 1.4826  # of a normal distribution
FWHM_TO_SD = 2.3548
_REACH_SD = 3.0  # a Gaussian band holds 99.7 % of its volume within this many SD of its peak
# touching pixels that share the image's largest value: the detector, not the sample, stopped there
_CLIPPED_PIXELS = 25


@dataclass(frozen=True)
class Band:
    """One band of a lane: `row` of its peak, half-open `top`..`bottom`, `total` pixel sum,
    `background` pixel sum, `height` over background.
    """

    row: float
    top: int
    bottom: int
    total: float
    background: float
    height: float

    @property
    def volume(self) -> float:
        """Pixel sum above background."""
        return self.total - self.background


def lane_profile(pixels: np.ndarray, left: int, right: int) -> np.ndarray:
    """Sum of the lane's pixels per row."""
    return np.asarray(pixels[:, left:right].sum(axis=1), float)


def noise_sd(profile: np.ndarray) -> float:
    """SD of a profile's row-to-row noise, from the median absolute second difference: bands and
    slopes are smooth, noise is not.
    """
    return float(MAD_TO_SD * np.median(np.abs(np.diff(profile, 2))) / np.sqrt(6))


def background(
    profile: np.ndarray, radius: float, bands: Sequence[tuple[int, int]] = ()
) -> np.ndarray:
    """Background under a lane: what the band-free rows within about `radius` say; under bands, the
    line between their neighbours.

    Without `bands` a first guess: an opening (the flat rolling ball of Sternberg 1983, in one
    dimension) of the smoothed profile.
    """
    if not bands:
        smooth = gaussian_filter1d(profile, 2.0)
        return np.asarray(
            np.minimum(
                gaussian_filter1d(grey_opening(smooth, size=2 * int(radius) + 1), radius / 2),
                smooth,
            )
        )
    free = np.ones(len(profile), bool)
    for top, bottom in bands:
        free[top:bottom] = False
    rows = np.flatnonzero(free)
    if len(rows) < 4:
        return np.full(len(profile), float(profile.min()))
    return np.asarray(
        np.interp(np.arange(len(profile)), rows, _local_line(profile, free, radius / 4)[rows])
    )


def _local_line(profile: np.ndarray, free: np.ndarray, sd: float) -> np.ndarray:
    """Weighted straight line through the free rows around each row (Gaussian weights of `sd` rows):
    a mean would sag beside a band.
    """
    y = np.linspace(-1.0, 1.0, len(profile))
    weight = np.maximum(gaussian_filter1d(free.astype(float), sd), 1e-12)
    mean_y, mean_p, mean_yy, mean_yp = (
        gaussian_filter1d(free * value, sd) / weight for value in (y, profile, y * y, y * profile)
    )
    spread = np.maximum(mean_yy - mean_y**2, 1e-12)
    return np.asarray(mean_p + (mean_yp - mean_y * mean_p) / spread * (y - mean_y))


def find_bands(
    profile: np.ndarray, *, radius: float, min_snr: float, min_separation: int = 4
) -> list[tuple[int, int, int]]:
    """(peak row, top, bottom) of each band, top to bottom; bands that touch are parted at the
    valley between them.
    """
    smooth = gaussian_filter1d(profile, 1.0)
    net = smooth - background(profile, radius)
    noise = max(noise_sd(profile), 1e-12)
    net -= min(
        max(float(np.median(net)), 0.0), noise
    )  # an opening lies at the valleys of the noise, about one SD too low
    threshold = min_snr * noise
    peaks, shape = find_peaks(net, height=threshold, prominence=threshold, distance=min_separation)
    if not len(peaks):
        return []
    half = peak_widths(
        net,
        peaks,
        rel_height=0.5,
        prominence_data=(shape["prominences"], shape["left_bases"], shape["right_bases"]),
    )
    reach = 2 * _REACH_SD / FWHM_TO_SD
    tops = np.floor(peaks - reach * (peaks - half[2])).astype(int)
    bottoms = np.ceil(peaks + reach * (half[3] - peaks)).astype(int) + 1
    for upper in range(len(peaks) - 1):
        valley = int(peaks[upper] + np.argmin(net[peaks[upper] : peaks[upper + 1] + 1]))
        bottoms[upper], tops[upper + 1] = min(bottoms[upper], valley), max(tops[upper + 1], valley)
    return [
        (int(p), max(min(int(t), int(p)), 0), min(max(int(b), int(p) + 1), len(profile)))
        for p, t, b in zip(peaks, tops, bottoms)
    ]


def integrate(
    profile: np.ndarray, bounds: Sequence[tuple[int, int, int]], *, radius: float
) -> list[Band]:
    """Bands with their volumes over the background that the rows outside `bounds` give."""
    floor = background(profile, radius, [(top, bottom) for _, top, bottom in bounds])
    bands = []
    for peak, top, bottom in bounds:
        net = profile[top:bottom] - floor[top:bottom]
        bands.append(
            Band(
                _centre(net, top, peak),
                top,
                bottom,
                float(profile[top:bottom].sum()),
                float(floor[top:bottom].sum()),
                float(profile[peak] - floor[peak]),
            )
        )
    return bands


def _centre(net: np.ndarray, top: int, peak: int) -> float:
    """Row of the peak to a fraction: the centroid of the rows around it that stand above half its
    height.
    """
    if net[peak - top] <= 0:
        return float(peak)
    runs, _ = label(net > net[peak - top] / 2)
    core = np.where(runs == runs[peak - top], net, 0.0)
    return float(top + (core * np.arange(len(net))).sum() / core.sum())


def saturated_pixels(image: BlotImage, fraction: float) -> np.ndarray:
    """Mask of pixels at `fraction` of the detector's maximum or more, and of plateaus where a
    detector of fewer bits stopped.
    """
    full = image.pixels >= fraction * image.maximum
    top, _ = label(image.pixels == image.pixels.max())
    sizes = np.bincount(top.ravel())
    sizes[0] = 0
    return np.asarray(full | (sizes >= _CLIPPED_PIXELS)[top])
