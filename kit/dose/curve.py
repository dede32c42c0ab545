"""One curve: arrays in, a fit with standard errors and a status out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from kit.core.errors import InputError, Problem
from kit.dose.fit import FREE, LN10, Box, fit_batch
from kit.dose.status import MIN_DOSES, Limits, Series, codes_of
from kit.stats.intervals import fieller_interval

Floats = NDArray[np.float64]
NAMES = ("log10_ec50", "hill", "top", "bottom")


@dataclass(frozen=True)
class CurveFit:
    """y = bottom + (top - bottom) / (1 + (c / ec50)^hill); hill is positive for a falling curve.

    Numbers stand here whatever the status: print an EC50 only where `status` is `ok`. All are NaN
    where the status is TOO_FEW.
    """

    log10_ec50: float
    hill: float
    top: float
    bottom: float
    se: dict[str, float]
    """Standard error by name; 0 for a value that was set or stands at its bound."""
    rss: float
    df: float
    covariance: Floats
    """Of log10_ec50, hill, top, bottom, in this order."""
    status: str
    """`ok` or the first code of `codes`."""
    codes: tuple[str, ...]
    ci_log10_ec50: tuple[float, float]
    """95 % profile-likelihood interval; infinite where it is open."""
    p_flat: float
    """F test of the curve against a constant."""

    @property
    def ec50(self) -> float:
        """The dose halfway between top and bottom, in the unit of the doses."""
        return 10**self.log10_ec50

    def predict(self, concentration: ArrayLike) -> Floats:
        """The curve at these doses."""
        share = _share(np.asarray(concentration, float), self.log10_ec50, self.hill)
        return self.bottom + (self.top - self.bottom) * share

    def effective_dose(self, share: float) -> tuple[float, float]:
        """The dose at which `share` of the whole change is done, and its standard error.

        ec50 (share / (1 - share))^(1 / |hill|); the error by the delta method.
        """
        if not 0 < share < 1:
            raise ValueError(f"a share lies between 0 and 1, for example 0.5, not {share!r}")
        odds = math.log10(share / (1 - share))
        value = 10 ** (self.log10_ec50 + odds / abs(self.hill))
        slope = np.array([1.0, -odds / self.hill**2 * math.copysign(1, self.hill), 0, 0])
        return value, value * LN10 * math.sqrt(slope @ self.covariance @ slope)

    def absolute_dose(self, level: float) -> float:
        """The dose at which the response is `level`; NaN unless it lies between top and bottom.

        >>> fit = fit_curve([0, .001, .003, .01, .03, .1, 1], [1, .9273, .8154, .6, .4, .2727, .2079])
        >>> round(fit.absolute_dose(0.5), 4)
        0.0167
        """
        if not min(self.top, self.bottom) < level < max(self.top, self.bottom):
            return math.nan
        return self.ec50 * ((self.top - level) / (level - self.bottom)) ** (1 / self.hill)


class PotencyRatio(NamedTuple):
    """ED(a) / ED(b) with its interval and standard error."""

    ratio: float
    low: float
    high: float
    se: float


def fit_curve(
    concentration: ArrayLike,
    response: ArrayLike,
    *,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    weights: ArrayLike | None = None,
    information: Literal["observed", "expected"] = "observed",
    limits: Limits | None = None,
) -> CurveFit:
    """Fit the four-parameter log-logistic curve by least squares.

    Parameters
    ----------
    concentration: doses, 0 allowed, one unit; shape (values,).
    response: what was measured at each, any scale; shape (values,).
    bounds: (low, high) by name of `top`, `bottom`, `hill`, `log10_ec50`; equal ends set a value.
        None is the free curve. A `hill` above 0 asks for a falling curve, below 0 for a rising one.
    weights: weights of the squares; a value of weight 0 is left out.
    information: standard errors from the observed Hessian of the sum of squares, or from the
        expected one, (J'J)^-1. Both are scaled by rss / df.
    limits: cut-offs of the status.

    Raises
    ------
    InputError: naming each value that is missing, infinite or negative where it may not be.
    """
    dose, y, w = _checked(concentration, response, weights)
    levels, where = np.unique(dose, return_inverse=True)
    n = np.bincount(where, w)
    mean = np.bincount(where, w * y) / n
    pure = float((w * (y - mean[where]) ** 2).sum())
    count = len(y)
    if len(levels) < MIN_DOSES:
        return _too_few()
    # a weight is no count: degrees of freedom come from the number of values
    scale = count / w.sum()
    spread = float(mean.max() - mean.min()) or abs(float(mean[0])) or 1.0
    centre = float(mean.mean())
    best: tuple[float, Floats, Box, object] | None = None
    for box in _boxes(bounds, levels, centre, spread):
        found = fit_batch(
            levels,
            ((mean - centre) / spread)[None],
            (n * scale)[None],
            np.array([pure * scale / spread**2]),
            box,
            steps=200,
        )
        if best is None or found.rss[0] < best[0]:
            best = (float(found.rss[0]), mean, box, found)
    found, box = best[3], best[2]  # type: ignore[index]
    start, end = (float(level[0]) * spread + centre for level in (found.start, found.end))
    falling = start >= end
    top, bottom = max(start, end), min(start, end)
    hill = float(found.hill[0]) * (1 if falling else -1)
    theta = np.array([float(found.m[0]), hill, top, bottom])
    rss, df = float(found.rss[0]) * spread**2 / scale, count - box.n_free
    free = _free(found, box)
    free = free if falling else free[[0, 1, 3, 2]]
    covariance = _covariance(
        levels, mean, n, theta, free, rss / df if df > 0 else math.nan, information
    )
    errors = np.sqrt(np.maximum(np.diag(covariance), 0))
    se = dict(zip(NAMES, errors.tolist(), strict=True))
    se["ec50"] = 10 ** theta[0] * LN10 * se["log10_ec50"]
    interval = (float(found.low[0]), float(found.high[0]))
    series = Series(levels, mean, n * scale, pure * scale, count)
    p_flat = float(found.p_flat[0])
    codes = codes_of(
        series,
        start=start,
        end=end,
        m=theta[0],
        hill=abs(hill),
        rss=rss * scale,
        interval=interval,
        p_flat=p_flat,
        scale=max(abs(top), abs(bottom)),
        limits=limits or Limits(),
    )
    return CurveFit(
        *(float(value) for value in theta),
        se,
        rss,
        df,
        covariance,
        codes[0] if codes else "ok",
        codes,
        interval,
        p_flat,
    )


def potency_ratio(
    a: CurveFit,
    b: CurveFit,
    share: float = 0.5,
    method: Literal["fieller", "delta"] = "fieller",
    *,
    residual_variance: float | None = None,
    df: float | None = None,
) -> PotencyRatio:
    """ED(a) / ED(b) at the same share of the change, with its 95 % interval.

    A fold means a shift only where the curves are parallel: look at hill, top and bottom first.

    Parameters
    ----------
    a, b: fits of independent curves in one unit.
    method: `fieller` inverts a t test of ED(a) - r ED(b) (Fieller 1954) and may be unbounded;
        `delta` is ratio ± t se.
    residual_variance, df: of a pool of curves, in place of each curve's own.
    """
    if method not in ("fieller", "delta"):
        raise ValueError(f"method is 'fieller' or 'delta', not {method!r}")
    (top, se_top), (under, se_under) = a.effective_dose(share), b.effective_dose(share)
    if residual_variance is not None:
        se_top *= math.sqrt(residual_variance / (a.rss / a.df))
        se_under *= math.sqrt(residual_variance / (b.rss / b.df))
    degrees = float(a.df + b.df) if df is None else float(df)
    ratio = top / under
    se = ratio * math.hypot(se_top / top, se_under / under)
    if method == "delta":
        half = float(stats.t.isf(0.025, degrees)) * se
        return PotencyRatio(ratio, ratio - half, ratio + half, se)
    found = fieller_interval(top, under, se_top**2, se_under**2, df=degrees)
    return PotencyRatio(ratio, found.low, found.high, se)


def _share(c: Floats, m: float, hill: float) -> Floats:
    with np.errstate(divide="ignore"):
        return special.expit(-LN10 * hill * (np.log10(c) - m))


def _checked(
    concentration: ArrayLike, response: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """The three arrays without values of weight 0; every wrong value is named at once."""
    dose, y = (np.asarray(item, float).ravel() for item in (concentration, response))
    w = np.ones_like(y) if weights is None else np.asarray(weights, float).ravel()
    if not len(dose) == len(y) == len(w):
        text = f"{len(dose)} concentrations, {len(y)} responses, {len(w)} weights"
        raise InputError([Problem("fit_curve", "", text, "give one of each per value")])
    problems = []
    for name, array, wrong, remedy in (
        ("concentration", dose, ~np.isfinite(dose) | (dose < 0), "a dose is a number from 0 up"),
        ("response", y, ~np.isfinite(y), "leave values that were not measured out"),
        ("weight", w, ~np.isfinite(w) | (w < 0), "a weight is a number from 0 up"),
    ):
        for index in np.flatnonzero(wrong):
            place = f"value {index + 1}"
            problems.append(
                Problem("fit_curve", place, f"{name} {array[index]:g} is not usable", remedy)
            )
    if problems:
        raise InputError(problems)
    used = w > 0
    return dose[used], y[used], w[used]


def _too_few() -> CurveFit:
    nan = math.nan
    se = dict.fromkeys((*NAMES, "ec50"), nan)
    empty = np.full((4, 4), nan)
    return CurveFit(
        nan, nan, nan, nan, se, nan, nan, empty, "TOO_FEW", ("TOO_FEW",), (-math.inf, math.inf), nan
    )


def _boxes(
    bounds: Mapping[str, tuple[float, float]] | None, dose: Floats, centre: float, spread: float
) -> list[Box]:
    """The boxes to try: one where the levels are free, else one per direction."""
    given = dict(bounds or {})
    if unknown := set(given) - set(NAMES):
        raise ValueError(f"bounds are for {', '.join(NAMES)}, not {', '.join(sorted(unknown))}")
    if any(low > high for low, high in given.values()):
        raise ValueError("of each bound the first value is the lower one")
    x = np.log10(dose[dose > 0])
    span = max(float(x.max() - x.min()), 1e-9)
    slopes = (0.45 / span, 90 / span)  # in the doses' own span: no result depends on their base
    low, high = given.get("hill", (-slopes[1], slopes[1]))
    top, bottom = (
        tuple((value - centre) / spread for value in given.get(name, FREE))
        for name in ("top", "bottom")
    )
    middle = given.get("log10_ec50")
    boxes = []
    for sign, start, end in ((1, top, bottom), (-1, bottom, top)):
        near, far = (low, high) if sign > 0 else (-high, -low)
        if far <= 0:
            continue
        hill = (max(near, slopes[0]) if near <= 0 else near, far)
        boxes.append(Box(start, end, hill, max(1.0, span / 4), middle))  # type: ignore[arg-type]
    free = top == FREE and bottom == FREE and "hill" not in given
    return boxes[:1] if free else boxes


def _free(found: object, box: Box) -> NDArray[np.bool_]:
    """Which of midpoint, slope, start and end are estimated and not at a bound."""
    free = [box.middle is None or box.middle[0] < found.m[0] < box.middle[1]]  # type: ignore[attr-defined]
    for name in ("hill", "start", "end"):
        (low, high), value = getattr(box, name), float(getattr(found, name)[0])
        edge = 1e-9 * max(abs(value), 1e-9)
        free.append(low + edge < value < high - edge)
    return np.array(free)


def _covariance(
    dose: Floats,
    mean: Floats,
    n: Floats,
    theta: Floats,
    free: NDArray[np.bool_],
    variance: float,
    information: str,
) -> Floats:
    """Inverse of half the Hessian of the sum of squares, times the residual variance."""
    m, hill, top, bottom = theta
    with np.errstate(divide="ignore"):
        x = np.log10(dose) - m
    share = _share(dose, m, hill)
    bend = share * (1 - share)
    x = np.where(np.isfinite(x), x, 0.0)
    s = np.stack([np.full_like(x, -LN10 * hill), LN10 * x])  # of LN10 hill (x - m)
    height = top - bottom
    slopes = np.stack([-height * bend * s[0], -height * bend * s[1], share, 1 - share])
    hessian = (slopes * n) @ slopes.T
    if information == "observed":
        left = n * (mean - bottom - height * share)
        second = np.zeros((4, 4))
        curve = bend * (1 - 2 * share)
        for i, j in ((0, 0), (0, 1), (1, 1)):
            mixed = -LN10 if i != j else 0.0
            second[i, j] = (left * height * (curve * s[i] * s[j] - bend * mixed)).sum()
        for i in (0, 1):
            second[i, 2] = (left * -bend * s[i]).sum()
            second[i, 3] = -second[i, 2]
        whole = hessian - second - np.triu(second, 1).T
        part = whole[np.ix_(free, free)]
        if len(part) and np.linalg.eigvalsh(part)[0] > 0:
            hessian = whole
    out = np.zeros((4, 4))
    part = hessian[np.ix_(free, free)]
    out[np.ix_(free, free)] = np.linalg.pinv(part) * variance
    return out
