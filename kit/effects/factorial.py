"""Two amino acids taken away together: does one loss act through the other?

y = log2(N_t/N_0), blocked by experiment. A line and its knockouts share one residual; the knockout
validates, it never decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit import stats

Floats = NDArray[np.float64]
ARMS = ("control", "no_a", "no_b", "neither")
"""The order of the four arms: both amino acids, without the first, without the second, neither."""
A_WITH_B = np.array([1.0, -1.0, 0.0, 0.0])
A_WITHOUT_B = np.array([0.0, 0.0, 1.0, -1.0])
B_WITHOUT_A = np.array([0.0, 1.0, 0.0, -1.0])
INTERACTION = A_WITHOUT_B - A_WITH_B
SHARE_ACTS, SHARE_PART, SHARE_NONE, EXTERNAL = 0.5, 0.8, 0.2, 0.3


@dataclass(frozen=True)
class Factorial:
    """Contrasts of one line in doublings: interaction, effect of the first amino acid with and
    without the second, and the share of the second's effect that the first restores.
    """

    interaction: stats.Contrast
    a_with_b: stats.Contrast
    a_without_b: stats.Contrast
    b_without_a: stats.Contrast
    share: stats.Fieller
    share90: stats.Fieller
    control_doublings: float
    n: int


def fit_factorial(
    blocks: ArrayLike, *, line: int = 0, control_doublings: float | None = None
) -> Factorial:
    """Contrasts of one line out of a table of experiments by arms.

    Parameters
    ----------
    blocks
        log2(N_t/N_0), experiments (rows) by arms (columns in the order of ARMS, four for each
        line), NaN where missing. Lines side by side share the residual.
    line
        Which line's four arms, counted from 0.
    control_doublings
        Doublings of the control; None: its mean in the table.

    Returns
    -------
    Factorial

    Raises
    ------
    ValueError
        Where an arm was never measured or no experiment links the arms.
    """
    table = np.asarray(blocks, dtype=float)
    fit = stats.fit_blocks(table)

    def vector(weights: Floats) -> Floats:
        full = np.zeros(table.shape[1])
        full[4 * line : 4 * line + 4] = weights
        return full

    def contrast(weights: Floats) -> stats.Contrast:
        return fit.contrast(vector(weights))

    top, bottom = contrast(A_WITHOUT_B), contrast(B_WITHOUT_A)
    cov = fit.mean_square * float(vector(A_WITHOUT_B) @ fit.unscaled @ vector(B_WITHOUT_A))
    shares = [
        stats.fieller_interval(
            top.estimate, bottom.estimate, top.se**2, bottom.se**2, cov, top.df, level
        )
        for level in (0.95, 0.9)
    ]
    own = table[:, 4 * line : 4 * line + 4]
    control = float(np.nanmean(own[:, 0])) if control_doublings is None else control_doublings
    n = int(np.isfinite(own).all(axis=1).sum())
    first, second = shares
    both = contrast(INTERACTION), contrast(A_WITH_B)
    return Factorial(*both, top, bottom, first, second, control, n)


def factorial_verdict(
    found: Factorial, knockout: Factorial | None = None, alpha: float = 0.05
) -> str:
    """Whether the loss of the second amino acid acts through the first: a finding code.

    The rules in their order; the three-way contrast plays no part, because it is large wherever
    the knockout sits on the floor.
    """
    if knockout is not None and not knockout.a_with_b.estimate > 0:
        return "FACTORIAL_KO_NOT_VALIDATED"
    low = stats.t_interval(found.a_with_b)[0]
    if low > EXTERNAL * found.control_doublings:
        return "FACTORIAL_NOT_TESTABLE"
    share = found.share
    works = found.interaction.estimate > 0 and stats.two_sided_p(found.interaction) < alpha
    bounded = share.kind == "bounded" and found.b_without_a.estimate > 0
    if works and bounded and share.low >= SHARE_ACTS:
        return "FACTORIAL_ACTS_THROUGH"
    if works and bounded and share.low > 0 and share.high < SHARE_PART:
        return "FACTORIAL_PART"
    if bounded and found.share90.kind == "bounded" and found.share90.high < SHARE_NONE:
        return "FACTORIAL_BEYOND"
    return "FACTORIAL_INCONCLUSIVE"
