"""How many experiments the next study needs: the chance that a stimulus gets the class it should
have, at the spread that was seen.

Decided by linear contrasts instead of Fieller's sets: RDI is above c with confidence where
(1-c)·A_WT - A_KO is above 0. All draws at once, so it is quick, and an independent check of
`kit.signaling.classes`.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kit.config.settings import SEED
from kit.signaling.activation import Model
from kit.signaling.classes import ClassLimits, Evidence

Floats = NDArray[np.float64]
DRAWS = 2000
MOST = 12
"""Experiments beyond which none is planned."""
TARGET = 0.8
"""Power that a design is asked for."""
TRUE_RDI = {"rag_dependent": 0.95, "rag_independent_arf1": 0.06, "rag_independent": 0.06}
"""Share of activation that needs Rag, of a stimulus that has the class without doubt."""
TRUE_ADI = 0.9


class PowerLimits(ClassLimits, Protocol):
    """The settings this module reads."""

    max_paired_se_ratio: float


class Truth(NamedTuple):
    """True activations (log2 over starved) of one stimulus, without and with loss of Rag, and with
    the Arf1 drug on top.
    """

    wild_type: float
    knock_out: float
    knock_out_drug: float


def simulated_arms(
    truths: Mapping[str, Truth],
    n_experiments: int,
    sd: float,
    *,
    biological_sd: float = 0.0,
    n_arms: int = 26,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Floats:
    """log2 ratios of simulated experiments, shape (draws, experiments, arms).

    The first three arms are starved (wild type, knock-out, knock-out under the drug), three more
    follow for each stimulus; the rest of the `n_arms` carry noise alone. Each value varies by `sd`
    (the lane) and `biological_sd` (the cells of that arm), both log2.
    """
    rng = np.random.default_rng(seed)
    mean = np.zeros(n_arms)
    mean[3 : 3 + 3 * len(truths)] = np.array([tuple(truth) for truth in truths.values()]).ravel()
    whole = math.hypot(sd, biological_sd)
    return mean + whole * rng.standard_normal((draws, n_experiments, n_arms))


def class_chances(
    truths: Mapping[str, Truth],
    n_experiments: int,
    sd: float,
    limits: PowerLimits,
    *,
    biological_sd: float = 0.0,
    n_arms: int = 26,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, dict[str, float]]:
    """stimulus -> class -> share of simulated assays that give it.

    Parameters
    ----------
    truths
        True activations of the stimuli, which are one family for Holm.
    n_experiments, sd, biological_sd, n_arms, draws, seed
        The design; see `simulated_arms`.
    limits
        The limits of the classes.
    """
    y = simulated_arms(
        truths,
        n_experiments,
        sd,
        biological_sd=biological_sd,
        n_arms=n_arms,
        draws=draws,
        seed=seed,
    )
    found = decide(y, list(truths), limits)
    return {
        stimulus: {name: float((classes == name).mean()) for name in np.unique(classes)}
        for stimulus, classes in found.items()
    }


class _Tested(NamedTuple):
    """A contrast in every draw: its estimates, standard errors and degrees of freedom."""

    estimate: Floats
    se: Floats
    df: Floats

    def p(self) -> Floats:
        """One-sided p of a contrast above 0."""
        return np.asarray(stats.t.sf(self.estimate / self.se, self.df))

    def lower(self, tail: float) -> Floats:
        """Lower bound that leaves `tail` below."""
        return self.estimate - stats.t.isf(tail, self.df) * self.se


def decide(y: Floats, stimuli: list[str], limits: PowerLimits) -> dict[str, NDArray[np.str_]]:
    """stimulus -> class in every draw, of `simulated_arms`."""
    n = y.shape[1]
    centred = (
        y - y.mean(1, keepdims=True) - y.mean(2, keepdims=True) + y.mean((1, 2), keepdims=True)
    )
    df = (n - 1) * (y.shape[2] - 1)
    pooled_sd = np.sqrt((centred**2).sum((1, 2)) / df)
    worst = limits.max_paired_se_ratio

    def tested(each: Floats, size: float, swapped: NDArray[np.bool_] | None = None) -> _Tested:
        """`each` (draws, experiments) of a contrast whose squared weights sum to `size`."""
        pooled = pooled_sd * math.sqrt(size / n)
        paired = each.std(1, ddof=1) / math.sqrt(n)
        swap = paired > worst * pooled if swapped is None else swapped
        return _Tested(each.mean(1), np.where(swap, paired, pooled), np.where(swap, n - 1, df))

    active = {}
    for row, name in enumerate(stimuli):
        own = y[:, :, 3 + 3 * row : 6 + 3 * row] - y[:, :, :3]
        active[name] = tuple(own[:, :, k] for k in range(3))
    rag = {name: tested(w - k, 4) for name, (w, k, _) in active.items()}
    arf1 = {name: tested(k - d, 4) for name, (_, k, d) in active.items()}
    p_rag = dict(zip(stimuli, _holm([one.p() for one in rag.values()])))
    p_arf1 = dict(zip(stimuli, _holm([one.p() for one in arf1.values()])))
    found = {}
    for name, (w, k, d) in active.items():
        wild, knock, half = tested(w, 2), tested(k, 2), limits.rdi_half
        swapped = (rag[name].df < df) | (wild.df < df)
        above = tested((1 - half) * w - k, 2 * (1 - half) ** 2 + 2, swapped)
        below = _Tested(-above.estimate, above.se, above.df)
        rdi, adi = 1 - k.mean(1) / w.mean(1), 1 - d.mean(1) / k.mean(1)
        significant = p_rag[name] < limits.alpha
        arf1_shown = (k.mean(1) > 0) & (p_arf1[name] < limits.alpha) & (adi >= limits.min_adi)
        rules = {
            "not_activating": wild.lower(0.025) <= 0,
            "rag_dependent": significant
            & (rdi >= limits.min_rdi_dependent)
            & (above.lower(0.025) >= 0),
            "rag_independent_arf1": (below.lower(0.05) > 0) & arf1_shown,
            "rag_independent": below.lower(0.05) > 0,
            "mixed": significant & (rdi >= limits.min_rdi_mixed) & (knock.lower(0.025) > 0),
        }
        found[name] = np.select(list(rules.values()), list(rules), "inconclusive")
    return found


def _holm(p: list[Floats]) -> Floats:
    """Holm's adjusted p over the rows of (stimuli, draws)."""
    table = np.array(p)
    order = np.argsort(table, axis=0)
    ranked = np.take_along_axis(table, order, axis=0)
    factors = np.arange(len(table), 0, -1)[:, None]
    adjusted = np.minimum(np.maximum.accumulate(factors * ranked, axis=0), 1.0)
    out = np.empty_like(table)
    np.put_along_axis(out, order, adjusted, axis=0)
    return out


def experiments_needed(one: Evidence, wanted: str, fitted: Model, limits: PowerLimits) -> float:
    """Least number of experiments that gives the expected class with 80 % power at the spread and
    the wild type's activation that were seen; NaN where nothing is expected or no number up to 12
    is enough.
    """
    if wanted not in TRUE_RDI or one.wild_type is None or not fitted.residual_sd > 0:
        return math.nan
    seen = one.wild_type.best.estimate
    if not seen > 0:
        return math.nan
    left = seen * (1 - TRUE_RDI[wanted])
    truth = {one.stimulus: Truth(seen, left, left * (1 - TRUE_ADI))}
    others = {f"other {k}": Truth(seen, left, left * (1 - TRUE_ADI)) for k in range(3)}

    def power(n: int) -> float:
        chances = class_chances(
            truth | others,
            n,
            fitted.residual_sd,
            limits,
            n_arms=max(len(fitted.arms), 15),
            draws=400,
        )
        return chances[one.stimulus].get(wanted, 0.0)

    numbers = range(3, MOST + 1)
    at = bisect.bisect_left(numbers, TARGET, key=power)
    return float(numbers[at]) if at < len(numbers) else math.nan
