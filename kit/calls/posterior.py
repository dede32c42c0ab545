"""How sure a class is: moderated posterior draws of GR and specific apoptosis, and the share that
falls in each class.

Three biological replicates allow only ten bootstrap resamples, so the replicates' SD is moderated
towards a prior SD instead
(in the manner of limma), and the mean is drawn from the t distribution that goes with it. Arrays
in, numbers out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit.config.settings import CallSettings

AUXOTROPHIC, PARTIAL, PROTOTROPHIC = 0, 1, 2
CLASSES = ("auxotrophic", "partially_dependent", "prototrophic")
Draws = NDArray[np.float64]
Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Cutoffs:
    """GR and specific-apoptosis cut-offs of the call."""

    gr_low: float
    gr_high: float
    sa_low: float
    sa_high: float

    @classmethod
    def of(cls, settings: CallSettings) -> Cutoffs:
        """The cut-offs in force."""
        return cls(settings.gr_auxotroph, settings.gr_prototroph, settings.sa_low, settings.sa_high)

    def moved(self, gr: float, sa: float) -> Cutoffs:
        """All GR cut-offs moved by `gr`, all apoptosis cut-offs by `sa`."""
        return replace(
            self,
            gr_low=self.gr_low + gr,
            gr_high=self.gr_high + gr,
            sa_low=self.sa_low + sa,
            sa_high=self.sa_high + sa,
        )


@dataclass(frozen=True)
class Certainty:
    """Posterior probability of each class in the order of CLASSES, the likeliest, and whether it
    withstands moved cut-offs.

    `near` is the probability that the true GR lies within `cutoff_shift` of a cut-off, `deadly`
    that of SA at or above `sa_high` within the likeliest class (NaN without death).
    """

    probabilities: tuple[float, float, float]
    winner: int
    robust: bool
    near: float = np.nan
    deadly: float = np.nan

    @property
    def probability(self) -> float:
        """Probability of the likeliest class."""
        return self.probabilities[self.winner]


def classify(gr: ArrayLike, sa: ArrayLike | None, cutoffs: Cutoffs) -> NDArray[np.int64]:
    """Class of each pair of values: GR at most `gr_low` auxotrophic; GR at least `gr_high` with SA
    below `sa_low` prototrophic; else partial.

    Without apoptosis (`sa` None) GR alone decides.
    """
    g = np.asarray(gr, float)
    quiet = np.True_ if sa is None else np.asarray(sa, float) < cutoffs.sa_low
    return np.where(
        g <= cutoffs.gr_low,
        AUXOTROPHIC,
        np.where((g >= cutoffs.gr_high) & quiet, PROTOTROPHIC, PARTIAL),
    )


@dataclass(frozen=True)
class Scale:
    """The SD of biological replicates towards which each cell's own SD is moderated: of GR, and of
    specific apoptosis.
    """

    gr: float
    sa: float

    @classmethod
    def of(
        cls,
        settings: CallSettings,
        gr: Iterable[ArrayLike] = (),
        sa: Iterable[ArrayLike] = (),
    ) -> Scale:
        """Pooled over the experiment: `gr` and `sa` hold the replicates of each cell (line in one
        medium).
        """
        weight = settings.prior_weight
        return cls(
            pooled_sd(gr, settings.prior_sd_gr, weight), pooled_sd(sa, settings.prior_sd_sa, weight)
        )


def pooled_sd(cells: Iterable[ArrayLike], prior_sd: float, weight: float) -> float:
    """s0 with s0^2 = (w s00^2 + sum d_j s_j^2) / (w + sum d_j), d_j = n_j - 1 (after Smyth 2004,
    Stat Appl Genet Mol Biol 3:3).

    One replicate that strays widens the intervals of the whole experiment.

    >>> round(pooled_sd([[0.4, 0.5, 0.6]], 0.10, 8), 3)
    0.1
    """
    squares, df = 0.0, 0.0
    for cell in cells:
        values = np.asarray(cell, float)
        values = values[np.isfinite(values)]
        if len(values) > 1:
            squares += float(((values - values.mean()) ** 2).sum())
            df += len(values) - 1
    return float(np.sqrt((weight * prior_sd**2 + squares) / (weight + df)))


def moderated_sd(values: Draws, prior_sd: float, prior_df: float) -> tuple[float, float]:
    """(SD, df) with s^2 = (v0 s0^2 + (n - 1) s^2) / (v0 + n - 1) and df = v0 + n - 1.

    >>> sd, df = moderated_sd(np.array([0.4, 0.5, 0.6]), 0.10, 4)
    >>> round(sd, 3), df
    (0.1, 6)
    """
    n = len(values)
    own = values.var(ddof=1) if n > 1 else 0.0
    df = prior_df + n - 1
    return float(np.sqrt((prior_df * prior_sd**2 + (n - 1) * own) / df)), df


def draw(
    gr: ArrayLike,
    sa: ArrayLike | None,
    settings: CallSettings,
    seed: int,
    linked: Pairs | None = None,
    scale: Scale | None = None,
) -> tuple[Draws, Draws | None]:
    """Posterior draws of the mean GR and the mean SA: mean + SD / sqrt(n) * t.

    `gr` and `sa` hold one value per biological replicate, `linked` the positions in each of those
    that are of one replicate (None: all
    in order where there are as many of each, else none). What is linked is drawn together, with the
    replicates' correlation shrunk by the prior's degrees of freedom. `scale` is that of the
    experiment (None: the settings' own).
    """
    scale = scale or Scale.of(settings)
    rng = np.random.default_rng(seed)
    g = np.asarray(gr, float)
    noise = rng.standard_t(settings.prior_df + len(g) - 1, settings.posterior_draws)
    g_sd, _ = moderated_sd(g, scale.gr, settings.prior_df)
    g_draws = g.mean() + g_sd / np.sqrt(len(g)) * noise
    if sa is None:
        return g_draws, None
    a = np.asarray(sa, float)
    own = rng.standard_t(settings.prior_df + len(a) - 1, settings.posterior_draws)
    if linked is None:
        linked = [(i, i) for i in range(len(g))] if len(g) == len(a) else []
    rho = _correlation_of_means(g, a, linked, settings.prior_df)
    a_sd, _ = moderated_sd(a, scale.sa, settings.prior_df)
    return g_draws, a.mean() + a_sd / np.sqrt(len(a)) * (rho * noise + np.sqrt(1 - rho**2) * own)


def _correlation_of_means(g: Draws, a: Draws, linked: Pairs, prior_df: float) -> float:
    """Correlation of the linked replicates, shrunk; replicates that lack the other value dilute it
    by n_linked / sqrt(n_g n_a).
    """
    n = len(linked)
    if n < 3:
        return 0.0
    x, y = g[[i for i, _ in linked]], a[[j for _, j in linked]]
    if x.std() == 0 or y.std() == 0:
        return 0.0
    return float(
        np.corrcoef(x, y)[0, 1] * (n - 1) / (prior_df + n - 1) * n / np.sqrt(len(g) * len(a))
    )


def certainty(gr_draws: Draws, sa_draws: Draws | None, settings: CallSettings) -> Certainty:
    """Share of the draws in each class, and whether the likeliest keeps
    `min_probability_provisional` when all cut-offs move.
    """
    cutoffs = Cutoffs.of(settings)
    shares = _shares(gr_draws, sa_draws, cutoffs)
    winner = int(np.argmax(shares))
    steps = (-settings.cutoff_shift, settings.cutoff_shift)
    moved = [
        _shares(gr_draws, sa_draws, cutoffs.moved(gr, sa))
        for gr, sa in itertools.product(steps, steps if sa_draws is not None else (0.0,))
    ]
    robust = all(
        int(np.argmax(share)) == winner and share[winner] >= settings.min_probability_provisional
        for share in moved
    )
    probabilities = (float(shares[0]), float(shares[1]), float(shares[2]))
    distance = np.abs(np.subtract.outer(gr_draws, [cutoffs.gr_low, cutoffs.gr_high])).min(axis=1)
    near = float((distance < settings.cutoff_shift).mean())
    deadly = np.nan
    if sa_draws is not None:
        inside = classify(gr_draws, sa_draws, cutoffs) == winner
        deadly = float((sa_draws[inside] >= cutoffs.sa_high).mean()) if inside.any() else np.nan
    return Certainty(probabilities, winner, robust, near, deadly)


def without_one(
    gr: ArrayLike, sa: ArrayLike | None, settings: CallSettings, linked: Pairs | None = None
) -> list[tuple[int, int]]:
    """(position, class) of each replicate of `gr` without which the class of the means changes;
    none below three replicates. What is linked to it in `sa` is left out with it.
    """
    g, cutoffs = np.asarray(gr, float), Cutoffs.of(settings)
    a = None if sa is None else np.asarray(sa, float)
    if len(g) < 3:
        return []
    partner = dict(linked or ([(i, i) for i in range(len(g))] if a is not None else []))
    whole = int(classify(g.mean(), None if a is None else a.mean(), cutoffs))
    found = []
    for out in range(len(g)):
        rest = None if a is None else np.delete(a, partner[out]) if _has(a, partner, out) else a
        death = None if rest is None or not len(rest) else rest.mean()
        other = int(classify(np.delete(g, out).mean(), death, cutoffs))
        found += [(out, other)] if other != whole else []
    return found


def _has(a: Draws, partner: Mapping[int, int], out: int) -> bool:
    return out in partner and partner[out] < len(a)


def _shares(gr_draws: Draws, sa_draws: Draws | None, cutoffs: Cutoffs) -> Draws:
    return np.bincount(classify(gr_draws, sa_draws, cutoffs), minlength=3) / len(gr_draws)


def confidence(found: Certainty, settings: CallSettings) -> str:
    """`confident`, `provisional`, or `none` when the classes cannot be told apart."""
    if found.probability >= settings.min_probability_confident and found.robust:
        return "confident"
    return "provisional" if found.probability >= settings.min_probability_provisional else "none"
