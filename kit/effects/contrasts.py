"""One line's replicates as a table of blocks by media, and the tests of its contrasts.

The block model belongs on log2 signal. `log2_fc` is that signal less the control of the same
replicate, and a block effect takes up
whatever is common to a replicate; so the table of `log2_fc` with the control's zeros gives the same
residual and the same contrasts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats as sps

from kit import stats
from kit.core.findings import Finding
from kit.plates.design import Design

Floats = NDArray[np.float64]
# p of equal SDs below which a ratio of SDs is believed; 0.05 would let the family error reach 6 %
_BEYOND_CHANCE = 0.02
_NO_SPREAD = 1e-9  # log2; replicates that agree to this are one measurement written several times


class EffectLimits(Protocol):
    """The settings that the tests need."""

    @property
    def alpha(self) -> float: ...
    @property
    def min_replicates(self) -> int: ...
    @property
    def max_sd_ratio(self) -> float: ...


def blocks_by_media(
    rows: pd.DataFrame, value: str, media: Sequence[str], control: str, control_value: float
) -> pd.DataFrame:
    """Replicates (rows) by media (columns) of one line; the control's value is known by definition
    wherever anything was measured.
    """
    finite = rows[np.isfinite(pd.to_numeric(rows[value], errors="coerce"))]
    table = (
        finite.groupby(["replicate", "medium"])[value].mean().unstack("medium")
    )  # as a pivot table, in a fifth of the time
    table = table.reindex(columns=list(media)).astype(float)
    table[control] = control_value
    return table.dropna(axis=1, how="all")


class Spec(NamedTuple):
    """A contrast to be tested: its row's medium, its wording, and the weight of each medium."""

    medium: str
    wording: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class LineModel:
    """Blocks by media of one line on log2, with the block fit and how unequal the SDs of the paired
    differences from control are.

    The plain rule, paired t + Holm in place of Dunnett where the largest SD exceeds the smallest by
    more than `max_sd_ratio`, chooses the
    test after a look at the data: equal SDs differ 3-fold in 44 % of experiments of three
    replicates and four media, and the family error
    becomes 7.6, 7.4 and 6.2 % with 3, 4 and 6 replicates (`python -m kit.simulate.simulations`). So
    the paired test rules alone only where chance
    does not explain the ratio (`unequal`); where it may (`wide` alone), a claim has to pass both
    tests, and the row shows the one with the
    larger adjusted p. That keeps equal SDs at 5 +-1 % and costs less error than the plain rule
    where one SD is 3- or 6-fold.
    """

    table: pd.DataFrame
    fit: stats.BlockFit | None
    sd_ratio: float
    unequal: bool
    media: tuple[str, ...]
    wide: bool = False

    @classmethod
    def of(cls, rows: pd.DataFrame, design: Design, limits: EffectLimits) -> LineModel:
        """Fit the model to the rows of one line, readout and time."""
        table = blocks_by_media(
            rows, "log2_fc", (*design.modelled, *design.others), design.control, 0.0
        )
        media = tuple(name for name in design.modelled if name in table)
        y = table[list(media)].to_numpy()
        fit = stats.fit_blocks(y) if len(media) > 1 else None
        enough = np.isfinite(y[:, 1:]).sum(axis=0) >= max(2, limits.min_replicates)
        spread = np.nanstd(y[:, 1:][:, enough], axis=0, ddof=1) if enough.any() else np.empty(0)
        if len(spread) < 2 or spread.max() <= _NO_SPREAD:
            return cls(table, fit, math.nan, False, media)
        ratio = float(spread.max() / max(spread.min(), 1e-12))
        df = int(np.isfinite(y[:, 1:][:, enough]).sum(axis=0).min()) - 1
        beyond_chance = stats.spread_ratio_p(ratio, len(spread), df) < _BEYOND_CHANCE
        wide = ratio > limits.max_sd_ratio
        return cls(table, fit, ratio, wide and beyond_chance, media, wide)

    def has(self, weights: Mapping[str, float]) -> bool:
        """Whether every medium of the contrast was measured."""
        return all(name in self.columns for name in weights)

    @cached_property
    def columns(self) -> dict[str, Floats]:
        """Values by medium."""
        return {str(name): self.table[name].to_numpy() for name in self.table}

    def cells(self, weights: Mapping[str, float]) -> Floats:
        """Replicates by the media of the contrast."""
        return np.column_stack([self.columns[name] for name in weights])

    def n(self, weights: Mapping[str, float]) -> int:
        """Replicates that hold all media of the contrast."""
        return int(np.isfinite(self.cells(weights)).all(axis=1).sum())

    def vector(self, weights: Mapping[str, float]) -> Floats:
        """Weights in the order of the fit's columns."""
        return np.array([weights.get(name, 0.0) for name in self.media])

    def paired(self, weights: Mapping[str, float]) -> stats.Contrast:
        """Contrast with its own SD, n - 1 df."""
        return stats.paired_contrast(self.cells(weights), list(weights.values()))

    def contrasts(self, weights: Mapping[str, float]) -> list[stats.Contrast]:
        """The block model's contrast; where SDs are unequal, or a medium is outside the model, the
        paired one (in both cases last).

        For rescue, where both have to be passed, and for the comparison of lines, which takes the
        last.
        """
        return self._tests(weights, self.unequal)

    def tests(self, weights: Mapping[str, float]) -> list[stats.Contrast]:
        """The block model's contrast and, where the SDs look unequal, the paired one after it: see
        the class.
        """
        return self._tests(weights, self.wide)

    def _tests(self, weights: Mapping[str, float], both: bool) -> list[stats.Contrast]:
        if self.fit is None or not all(name in self.media for name in weights):
            return [self.paired(weights)]
        pooled = self.fit.contrast(self.vector(weights))
        return [pooled, self.paired(weights)] if both else [pooled]

    def spreads(self, weights: Mapping[str, float]) -> bool:
        """Whether the contrasts have an error to test against."""
        return all(c.se > _NO_SPREAD and c.df > 0 for c in self.tests(weights))


class Family(NamedTuple):
    """How a set of contrasts is judged together: name, wording of its members, whether by Dunnett
    (else Holm), and whether the
    intervals hold together (else each by itself)."""

    name: str
    members: str
    dunnett: bool = False
    simultaneous: bool = True


def judge_family(
    model: LineModel,
    specs: Sequence[Spec],
    family: Family,
    limits: EffectLimits,
    power: float = 0.8,
) -> list[dict[str, Any]]:
    """Rows of one family of contrasts of one line: estimate, simultaneous interval, p, adjusted p,
    detectable effect, note.

    Contrasts with too few replicates, or without spread, keep their estimate and leave the family.
    """
    specs = [spec for spec in specs if model.has(spec.weights) and model.n(spec.weights) > 0]
    tested = [
        spec
        for spec in specs
        if model.n(spec.weights) >= limits.min_replicates and model.spreads(spec.weights)
    ]
    judged = dict(
        zip([spec.wording for spec in tested], _judge(model, tested, family, limits, power))
    )
    return [_row(model, spec, family, limits, judged.get(spec.wording)) for spec in specs]


def _row(
    model: LineModel,
    spec: Spec,
    family: Family,
    limits: EffectLimits,
    judged: dict[str, Any] | None,
) -> dict[str, Any]:
    """One row; without a judgement the estimate alone and the reason."""
    n = model.n(spec.weights)
    row: dict[str, Any] = {
        "medium": spec.medium,
        "contrast": spec.wording,
        "estimate": model.contrasts(spec.weights)[0].estimate,
    }
    row |= dict.fromkeys(("se", "df", "ci_low", "ci_high", "p", "p_adjusted", "mde_log2"), math.nan)
    row |= {"adjustment": "", "n_replicates": n, "family": family.name, "note": "", "code": ""}
    if judged:
        return row | judged | _words(_spread(model))
    if n < limits.min_replicates:
        values = {"n": n, "asked": limits.min_replicates}
        return row | _words(Finding("CONTRAST_EXPLORATORY", "info", spec.medium, values))
    return row | _words(Finding("CONTRAST_WITHOUT_SPREAD", "info", spec.medium))


def _words(found: Finding | None) -> dict[str, str]:
    return {"note": found.phrase, "code": found.code} if found else {}


def _spread(model: LineModel) -> Finding | None:
    """Which test rules and why, where the SDs look unequal."""
    if not model.wide:
        return None
    code = "SPREADS_DIFFER" if model.unequal else "SPREADS_MAY_DIFFER"
    return Finding(code, "info", "", {"fold": f"{model.sd_ratio:.1f}", "n": len(model.table)})


def _judge(
    model: LineModel, specs: Sequence[Spec], family: Family, limits: EffectLimits, power: float
) -> list[dict[str, Any]]:
    """Interval, p and what belongs to them, all of one test, for each contrast."""
    if not specs:
        return []
    rounds = list(zip(*(model.tests(spec.weights) for spec in specs)))
    found = [
        _one_test(model, specs, contrasts, family, limits, position)
        for position, contrasts in enumerate(rounds)
    ]
    return [
        _ruling([test[i] for test in found], model, spec, power) for i, spec in enumerate(specs)
    ]


def _one_test(
    model: LineModel,
    specs: Sequence[Spec],
    contrasts: Sequence[stats.Contrast],
    family: Family,
    limits: EffectLimits,
    position: int,
) -> list[dict[str, Any]]:
    """All contrasts of a family by Dunnett, or by t with Holm; `position` 1 is the paired test that
    joins the block model's.
    """
    if position == 0 and family.dunnett and model.fit is not None:
        results, wording = _dunnett(model, specs, contrasts, family, limits.alpha)
    else:
        results = _holm(contrasts, limits.alpha, len(contrasts) if family.simultaneous else 1)
        paired = position > 0 or model.fit is None or specs[0].medium not in model.media
        wording = (
            f"{'paired t' if paired else f't on the residual of {_residual(model)}'}, Holm over"
            f" {len(specs)} {family.members}"
        )
    return [result | {"adjustment": wording} for result in results]


def _ruling(
    parts: list[dict[str, Any]], model: LineModel, spec: Spec, power: float
) -> dict[str, Any]:
    """The test that rules: the paired one where the SDs are unequal beyond chance, else that with
    the larger adjusted p.
    """
    chosen = parts[-1] if model.unequal else max(parts, key=lambda part: part["p_adjusted"])
    n, critical = model.n(spec.weights), chosen["critical"]
    mde = stats.minimum_detectable_effect(
        n, 2, chosen["se"] * math.sqrt(n), 1, power, df=chosen["df"], critical=critical
    )
    return {name: value for name, value in chosen.items() if name != "critical"} | {"mde_log2": mde}


def _residual(model: LineModel) -> str:
    return f"{len(model.media)} media in {len(model.table)} replicates"


def _with_interval(contrast: stats.Contrast, critical: float, p_adjusted: float) -> dict[str, Any]:
    low, high = (
        contrast.estimate - critical * contrast.se,
        contrast.estimate + critical * contrast.se,
    )
    found = {
        "estimate": contrast.estimate,  # of this very test: with cells missing the tests' differ
        "se": contrast.se,
        "df": contrast.df,
        "ci_low": low,
        "ci_high": high,
        "critical": critical,
    }
    return found | {"p": stats.two_sided_p(contrast), "p_adjusted": float(p_adjusted)}


def _dunnett(
    model: LineModel,
    specs: Sequence[Spec],
    contrasts: Sequence[stats.Contrast],
    family: Family,
    alpha: float,
) -> tuple[list[dict[str, Any]], str]:
    """Blocked Dunnett. With missing cells the contrasts no longer correlate by exactly 0.5: the
    smallest correlation is used (cautious).
    """
    fit = model.fit
    vectors = [model.vector(spec.weights) for spec in specs]
    pairs = [(a, b) for i, a in enumerate(vectors) for b in vectors[:i]]
    rho = min((fit.correlation(a, b) for a, b in pairs), default=0.5) if fit else 0.5
    rho = round(max(0.0, rho), 6)
    df = contrasts[0].df
    critical = stats.dunnett_critical(len(specs), df, alpha, rho)
    adjusted = stats.dunnett_adjusted_p([c.t for c in contrasts], df, rho)
    wording = f"Dunnett over {len(specs)} {family.members}, residual of {_residual(model)}"
    return [_with_interval(c, critical, p) for c, p in zip(contrasts, adjusted)], wording


def _holm(contrasts: Sequence[stats.Contrast], alpha: float, share: int) -> list[dict[str, Any]]:
    """Holm's p; the interval is Bonferroni's for `share` contrasts, because Holm has none of its
    own that is as simple.
    """
    adjusted = stats.holm([stats.two_sided_p(c) for c in contrasts])
    criticals = [float(sps.t.isf(alpha / 2 / share, c.df)) for c in contrasts]
    return [
        _with_interval(c, critical, p) for c, critical, p in zip(contrasts, criticals, adjusted)
    ]
