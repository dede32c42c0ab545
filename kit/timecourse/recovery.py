"""Does growth come back after the amino acid is added again: rate over the control's, and class."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kit.stats import Fieller, fieller_interval

REVERSIBLE, REVERSIBLE_LOW, IRREVERSIBLE = 0.8, 0.5, 0.3


class RecoveryLimits(NamedTuple):
    """Shares of the control's rate: reversible at or above with its lower bound, irreversible
    below with its upper bound.
    """

    reversible: float = REVERSIBLE
    reversible_low: float = REVERSIBLE_LOW
    irreversible: float = IRREVERSIBLE


LIMITS = RecoveryLimits()


def recovery_share(rates: ArrayLike, control_rates: ArrayLike) -> Fieller:
    """Mean rate after add-back over the control's in the same hours, with Fieller's interval.

    Parameters
    ----------
    rates, control_rates
        One value per experiment, paired, shape (n,), any one unit; experiments with a gap are
        left out.

    Returns
    -------
    Fieller
        The interval is missing below two experiments, and unbounded where the control's rate
        may be zero.

    Examples
    --------
    >>> share = recovery_share([0.030, 0.032, 0.031], [0.040, 0.041, 0.040])
    >>> round(share.ratio, 3), share.kind
    (0.769, 'bounded')
    """
    pairs = np.column_stack([np.asarray(rates, float), np.asarray(control_rates, float)])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    n = len(pairs)
    if not n:
        return Fieller(math.nan, math.nan, math.nan, "none")
    top, bottom = pairs.mean(axis=0)
    if n < 2:
        share = top / bottom if bottom > 0 else math.nan
        return Fieller(float(share), math.nan, math.nan, "none")
    cov = np.cov(pairs.T) / n
    return fieller_interval(top, bottom, cov[0, 0], cov[1, 1], cov[0, 1], n - 1)


def recovery_class(share: Fieller, limits: RecoveryLimits = LIMITS) -> str:
    """The class of a recovery: `reversible`, `partly_reversible`, `irreversible` or
    `indeterminate`. A set that is not bounded decides nothing.

    >>> recovery_class(Fieller(0.9, 0.7, 1.1, "bounded"))
    'reversible'
    >>> recovery_class(Fieller(0.9, 0.4, 1.4, "bounded"))
    'indeterminate'
    """
    if share.kind != "bounded":
        return "indeterminate"
    if share.ratio >= limits.reversible and share.low >= limits.reversible_low:
        return "reversible"
    if share.high < limits.irreversible:
        return "irreversible"
    if share.low > 0 and share.high < 1:
        return "partly_reversible"
    return "indeterminate"
