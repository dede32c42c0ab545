"""Whether a curve may be reported: every code of the specification, in its order.

The rules follow Sebaugh 2011 (Pharm Stat 10:128): a midpoint needs two doses beyond each bend.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kit.dose.fit import Box, fit_batch
from kit.dose.rivals import RIVALS, aicc, fit_rival, must_reach

Floats = NDArray[np.float64]
BEND = 4.68
"""A bend of a log-logistic curve lies at EC50 · 4.68^(±1/h) (Sebaugh & McCray 2003)."""
MIN_DOSES = 5
ORDER = (
    "TOO_FEW",
    "NO_EFFECT",
    "FLAT_BEST",
    "BIPHASIC",
    "HORMETIC",
    "NONMONOTONE",
    "NO_UPPER",
    "NO_LOWER_PLATEAU",
    "HILL_RANGE",
    "CI_WIDE",
    "UNSTABLE_CONTROL",
)


class Limits(NamedTuple):
    """Cut-offs of the codes; the defaults are those of the settings."""

    min_effect: float = 0.2
    alpha: float = 0.05
    aicc_margin: float = 4.0
    turn: float = 0.15
    hill: tuple[float, float] = (0.5, 4.0)
    max_ci_log10: float = 1.0
    max_control_error: float = 0.05


class Series(NamedTuple):
    """Distinct doses, mean responses, their weights, pure error, and number of values."""

    dose: Floats
    mean: Floats
    n: Floats
    pure: float
    count: int


def codes_of(
    series: Series,
    *,
    start: float,
    end: float,
    m: float,
    hill: float,
    rss: float,
    interval: tuple[float, float],
    p_flat: float,
    scale: float,
    limits: Limits,
    control_error: float = 0.0,
) -> tuple[str, ...]:
    """Every code that applies to a fitted curve, in the order of the specification.

    `scale` is the response that counts as 100 %, `control_error` the relative standard error of the
    wells without agent, `rss` the residual sum of squares on the weights of `series`.
    """
    if len(series.dose) < MIN_DOSES or not (series.dose > 0).any():
        return ("TOO_FEW",)
    codes = set()
    within = [_response(value, start, end, m, hill) for value in (series.dose[0], series.dose[-1])]
    if abs(within[1] - within[0]) < limits.min_effect * scale:
        codes.add("NO_EFFECT")
    if not p_flat <= limits.alpha:
        codes.add("FLAT_BEST")
    if not codes and (rival := best_rival(series, limits.aicc_margin, rss)):
        codes.add(rival)
    if _turns_back(series, rss, 1 if start >= end else -1, limits.turn * scale):
        codes.add("NONMONOTONE")
    bend = BEND ** (1 / hill)
    if (series.dose < 10**m / bend).sum() < 2:
        codes.add("NO_UPPER")
    if (series.dose > 10**m * bend).sum() < 2:
        codes.add("NO_LOWER_PLATEAU")
    if not limits.hill[0] <= hill <= limits.hill[1]:
        codes.add("HILL_RANGE")
    if not interval[1] - interval[0] <= limits.max_ci_log10:
        codes.add("CI_WIDE")
    if control_error > limits.max_control_error:
        codes.add("UNSTABLE_CONTROL")
    return tuple(code for code in ORDER if code in codes)


def _response(dose: float, start: float, end: float, m: float, hill: float) -> float:
    """The curve at one dose.

    >>> round(_response(0.01, 1, 0.2, -2, 1), 6)
    0.6
    """
    return end + (start - end) / (1 + (dose / 10**m) ** hill)


def best_rival(series: Series, margin: float, bounded: float = math.inf) -> str:
    """BIPHASIC or HORMETIC where that curve beats the free four-parameter one by more than `margin`
    in AICc, else empty. `bounded` is what a curve within bounds leaves: the free one leaves less.
    """
    fewest = RIVALS["hormetic"].n_parameters
    if series.pure >= must_reach(bounded, series.count, fewest, margin):
        return ""
    free = fit_batch(
        series.dose,
        series.mean[None],
        series.n[None],
        np.array([series.pure]),
        Box(),
        steps=30,
        intervals=False,
    )
    rss, count = float(free.rss[0]), series.count
    found = {}
    for name in ("biphasic", "hormetic"):
        parameters = RIVALS[name].n_parameters
        needed = must_reach(rss, count, parameters, margin)
        if series.pure < needed:  # no model leaves less than the pure error
            fit = fit_rival(name, series.dose, series.mean, series.n, series.pure, needed)
            found[name.upper()] = aicc(fit.rss, count, parameters)
    best = min(found, key=found.__getitem__, default="")
    return best if best and found[best] < aicc(rss, count, 4) - margin else ""


def _turns_back(series: Series, rss: float, sign: int, least: float) -> bool:
    """Whether the means turn back by more than chance and the curve misses them."""
    y, n, doses = series.mean * sign, series.n, len(series.dose)
    free = series.count - doses
    if free == 0:  # no repeats to tell chance by: two neighbouring doses must agree
        turned = y - np.minimum.accumulate(y) > least
        return bool((turned[1:] & turned[:-1]).any())
    variance = series.pure / free
    misfit = (rss - series.pure) / max(doses - 4, 1)
    if not stats.f.sf(misfit / max(variance, 1e-300), max(doses - 4, 1), free) < 0.01:
        return False
    rise = y[None, :] - y[:, None]
    error = np.sqrt(variance * (1 / n[None, :] + 1 / n[:, None]))
    later = np.triu(np.ones((doses, doses), bool), 1)
    return bool((later & (rise > least) & (rise > 4 * error)).any())


def bends(m: float, hill: float) -> tuple[float, float]:
    """The doses of the two bends.

    >>> [round(dose, 3) for dose in bends(0.0, 1.0)]
    [0.214, 4.68]
    """
    return 10**m / BEND ** (1 / hill), 10**m * BEND ** (1 / hill)
