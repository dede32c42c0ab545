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
    """Blocks by media of one line on log2, with the block fit.

    The test of a contrast is fixed beforehand (`contrast`). Dunnett's on the block model alone errs
    in 8 % of families where one medium is three times noisier and in 15 % where control is; a test
    that is chosen by the ratio of the SDs errs in up to 15 %; Dunnett's on paired differences with
    an SD of each in 6 to 9 %, also where the SDs are equal (`python -m kit.simulate.simulations`).

    `sd_ratio` is the largest over the smallest SD of the paired differences from control.
    """

    table: pd.DataFrame
    fit: stats.BlockFit | None
    sd_ratio: float
    media: tuple[str, ...]

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
            return cls(table, fit, math.nan, media)
        return cls(table, fit, float(spread.max() / max(spread.min(), 1e-12)), media)

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

    def modelled(self, weights: Mapping[str, float]) -> bool:
        """Whether all media of a contrast are in the block model."""
        return self.fit is not None and all(name in self.media for name in weights)

    def contrast(self, weights: Mapping[str, float]) -> stats.Contrast:
        """The contrast with the larger of two standard errors, that of the block model and that of
        its own paired differences, and degrees of freedom between theirs (geometric mean).

        Family errors at 3, 4 and 6 replicates: 1.4, 1.7 and 2.4 % with equal SDs; 3.5, 3.6 and
        3.4 % with one medium three times noisier; 5.6, 6.6 and 6.2 % with such a control. It costs
        power: -0.7 log2 with SD 0.18 is found in 0.72, 0.94 and 1.00 of experiments, by the block
        model alone in 0.95, 1.00 and 1.00, by paired t in 0.33, 0.70 and 0.99.
        """
        paired = self.paired(weights)
        if not self.modelled(weights):
            return paired
        pooled = self.fit.contrast(self.vector(weights))  # type: ignore[union-attr]
        larger = paired if paired.se > pooled.se else pooled
        df = math.sqrt(pooled.df * paired.df)
        return larger._replace(df=df)

    def spreads(self, weights: Mapping[str, float]) -> bool:
        """Whether the contrasts have an error to test against."""
        paired = self.paired(weights)
        if not (paired.se > _NO_SPREAD and paired.df > 0):
            return False
        return not self.modelled(weights) or self.contrast(weights).se > _NO_SPREAD


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
        "estimate": model.contrast(spec.weights).estimate,
    }
    row |= dict.fromkeys(("se", "df", "ci_low", "ci_high", "p", "p_adjusted", "mde_log2"), math.nan)
    row |= {"adjustment": "", "n_replicates": n, "family": family.name, "note": "", "code": ""}
    if judged:
        return row | judged | _words(_spread(model, limits))
    if n < limits.min_replicates:
        values = {"n": n, "asked": limits.min_replicates}
        return row | _words(Finding("CONTRAST_EXPLORATORY", "info", spec.medium, values))
    return row | _words(Finding("CONTRAST_WITHOUT_SPREAD", "info", spec.medium))


def _words(found: Finding | None) -> dict[str, str]:
    return {"note": found.phrase, "code": found.code} if found else {}


def _spread(model: LineModel, limits: EffectLimits) -> Finding | None:
    """That the SDs look unequal."""
    if not model.sd_ratio > limits.max_sd_ratio:
        return None
    return Finding("SPREADS_DIFFER", "info", "", {"fold": f"{model.sd_ratio:.1f}"})


def _judge(
    model: LineModel, specs: Sequence[Spec], family: Family, limits: EffectLimits, power: float
) -> list[dict[str, Any]]:
    """Interval, p and what belongs to them, all of one test, for each contrast."""
    if not specs:
        return []
    contrasts = [model.contrast(spec.weights) for spec in specs]
    if family.dunnett and all(model.modelled(spec.weights) for spec in specs):
        results, name = _dunnett(model, specs, contrasts, limits.alpha), "Dunnett"
    else:
        share = len(contrasts) if family.simultaneous else 1
        results, name = _holm(contrasts, limits.alpha, share), "t with Holm"
    rows = []
    for result, spec in zip(results, specs, strict=True):
        critical, n = result.pop("critical"), model.n(spec.weights)
        said = f"{name} over {len(specs)} {family.members}, {_error(model, spec)}"
        detectable = _detectable(critical, result, n, power)
        rows.append({**result, "adjustment": said, "mde_log2": detectable})
    return rows


def _detectable(critical: float, result: Mapping[str, Any], n: int, power: float) -> float:
    """The effect on log2 that this test finds with that power."""
    sd = result["se"] * math.sqrt(n)
    return stats.minimum_detectable_effect(n, 2, sd, 1, power, df=result["df"], critical=critical)


def _error(model: LineModel, spec: Spec) -> str:
    """Which error the test divides by."""
    if not model.modelled(spec.weights):
        return "error of the paired differences"
    return f"larger error of {_residual(model)} and of the paired differences"


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
    model: LineModel, specs: Sequence[Spec], contrasts: Sequence[stats.Contrast], alpha: float
) -> list[dict[str, Any]]:
    """Dunnett (1955, J Am Stat Assoc 50:1096). With missing cells the contrasts no longer correlate
    by exactly 0.5, nor have they the same df: the smallest of each is used (cautious).
    """
    fit = model.fit
    vectors = [model.vector(spec.weights) for spec in specs]
    pairs = [(a, b) for i, a in enumerate(vectors) for b in vectors[:i]]
    rho = min((fit.correlation(a, b) for a, b in pairs), default=0.5) if fit else 0.5
    rho = round(max(0.0, rho), 6)
    df = min(contrast.df for contrast in contrasts)
    common = [contrast._replace(df=df) for contrast in contrasts]
    critical = stats.dunnett_critical(len(specs), df, alpha, rho)
    adjusted = stats.dunnett_adjusted_p([c.t for c in common], df, rho)
    return [_with_interval(c, critical, p) for c, p in zip(common, adjusted)]


def _holm(contrasts: Sequence[stats.Contrast], alpha: float, share: int) -> list[dict[str, Any]]:
    """Holm's p; the interval is Bonferroni's for `share` contrasts, because Holm has none of its
    own that is as simple.
    """
    adjusted = stats.holm([stats.two_sided_p(c) for c in contrasts])
    criticals = [float(sps.t.isf(alpha / 2 / share, c.df)) for c in contrasts]
    return [
        _with_interval(c, critical, p) for c, critical, p in zip(contrasts, criticals, adjusted)
    ]
