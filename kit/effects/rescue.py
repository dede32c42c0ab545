"""growth -> rescue classes: does giving the amino acid back restore growth?

Two questions, asked apart: is the rescue better than the dropout (superiority, one-sided), and is
it the same as control
(equivalence, two one-sided tests)? "Not significantly different from control" answers neither and
never counts as restored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from kit import stats
from kit.core.columns import check, empty
from kit.effects.contrasts import EffectLimits, LineModel, blocks_by_media
from kit.effects.effects import line_groups
from kit.plates.design import Design, read_design

_SHOWN = (
    "readout",
    "hours",
    "dropout",
    "n_replicates",
    "superiority",
    "superiority_p_holm",
    "difference_to_control",
)
EXTRA = (
    *_SHOWN,
    "tost_ci_low",
    "tost_ci_high",
    "gr_loss",
    "gr_loss_ci_low",
    "gr_loss_ci_high",
    "note",
)
"""Columns beyond the contract. `superiority` and `difference_to_control` in log2; `gr_loss` is 1 -
GR of the dropout.
"""


CODES = {
    "full": "RESCUE_FULL",
    "likely_full": "RESCUE_LIKELY_FULL",
    "partial": "RESCUE_PARTIAL",
    "failed": "RESCUE_FAILED",
    "indeterminate": "RESCUE_INDETERMINATE",
}
"""The code of each class that was tested."""


class RescueLimits(EffectLimits, Protocol):
    """The settings that the classes need."""

    @property
    def equivalence_margin_log2(self) -> float: ...
    @property
    def min_rescue_denominator(self) -> float: ...
    @property
    def rescue_index_likely_full(self) -> float: ...
    @property
    def rescue_index_failed(self) -> float: ...
    @property
    def rescue_index_failed_upper(self) -> float: ...


class Loss(NamedTuple):
    """What the dropout costs: 1 - GR with its 95 % interval; `none` is None where the data cannot
    tell.
    """

    gr: float
    low: float
    high: float
    none: bool | None


class Evidence(NamedTuple):
    """All that a class rests on. `restored` is the rescue index where one may be formed, else
    NaN.
    """

    superior: bool
    equivalent: bool
    restored: stats.Fieller
    loss: Loss


def rescue(
    growth: pd.DataFrame,
    media: Mapping[str, Any],
    settings: RescueLimits,
    *,
    hours: float | None = 48.0,
    readout: str | None = None,
    tolerance: float = 2.0,
) -> pd.DataFrame:
    """The contract's `rescue` table: one row per line, readout, time and rescue medium. Arguments
    as in `effects.effects`.

    Classes, in this order:
    not_applicable  no dropout medium lacks just what the rescue gives back; or the dropout takes
    less than
                    `min_rescue_denominator` of GR (without GR: less than the equivalence margin, in
                    log2), so there is nothing to restore
    indeterminate   fewer than `min_replicates`
    full            better than the dropout (Holm over the line's rescues) and equivalent to control
    likely_full     better, index at least `rescue_index_likely_full`, equivalence not shown
    partial         better, index between `rescue_index_failed` and that
    failed          index below `rescue_index_failed` with the upper end of its interval below
    `rescue_index_failed_upper`
    indeterminate   anything else
    """
    design = read_design(media)
    rows = []
    for key, part in line_groups(growth, media, hours, readout, tolerance):
        model = LineModel.of(part, design, settings)
        gr = (
            blocks_by_media(part, "gr", design.modelled, design.control, 1.0)
            if "gr" in part
            else pd.DataFrame()
        )
        named = dict(zip(("cell_line", "readout", "hours"), key))
        rows += [named | row for row in _line_rows(model, gr, design, settings)]
    if not rows:
        return empty("rescue").assign(**dict.fromkeys(EXTRA, pd.Series(dtype=object)))
    return check(pd.DataFrame(rows), "rescue")


def _line_rows(
    model: LineModel, gr: pd.DataFrame, design: Design, limits: RescueLimits
) -> list[dict[str, Any]]:
    """Rows of one line; superiority is adjusted over its rescue media before any class is given."""
    rows = [
        _measure(model, gr, name, design, limits) for name in design.rescues if name in model.table
    ]
    adjusted = stats.holm([row["superiority_p"] for row in rows])
    for row, p in zip(rows, adjusted):
        row["superiority_p_holm"] = float(p)
        row["class"], row["code"], row["note"] = _classify(row, limits)
    return [
        {name: value for name, value in row.items() if not name.startswith("_")} for row in rows
    ]


def _measure(
    model: LineModel, gr: pd.DataFrame, name: str, design: Design, limits: RescueLimits
) -> dict[str, Any]:
    """Everything of one rescue medium but its class."""
    partner = design.partner(name)
    over_dropout = {name: 1.0, partner: -1.0} if partner else {}
    to_control = {name: 1.0, design.control: -1.0}
    has_partner = bool(partner) and partner in model.table
    n = model.n(over_dropout) if has_partner else model.n(to_control)
    better, better_p = (
        _superiority(model, over_dropout, n, limits) if has_partner else (math.nan, math.nan)
    )
    difference, same = _equivalence(model, to_control, limits)
    loss = (
        _loss(model, gr, partner, design.control, limits)
        if partner and has_partner
        else Loss(math.nan, math.nan, math.nan, None)
    )
    index = (
        _index(gr, name, partner, loss, limits)
        if partner and has_partner
        else stats.Fieller(math.nan, math.nan, math.nan, "none")
    )
    return {
        "medium": name,
        "restores": "+".join(sorted(design.given[name])),
        "dropout": partner or "",
        "superiority": better,
        "superiority_p": better_p,
        "difference_to_control": difference,
        "tost_p": same.p,
        "tost_ci_low": same.ci_low,
        "tost_ci_high": same.ci_high,
        "rescue_index": index.ratio,
        "ci_low": index.low,
        "ci_high": index.high,
        "gr_loss": loss.gr,
        "gr_loss_ci_low": loss.low,
        "gr_loss_ci_high": loss.high,
        "n_replicates": n,
        "_measured": has_partner,
        "_loss": loss,
        "_index": index,
    }


def _superiority(
    model: LineModel, weights: Mapping[str, float], n: int, limits: RescueLimits
) -> tuple[float, float]:
    """Rescue less dropout (log2) and its one-sided p."""
    contrast = model.contrast(weights)
    testable = n >= limits.min_replicates and model.spreads(weights)
    return contrast.estimate, stats.one_sided_p(contrast) if testable else math.nan


def _equivalence(
    model: LineModel, weights: Mapping[str, float], limits: RescueLimits
) -> tuple[float, stats.Tost]:
    """Rescue less control (log2) and the two one-sided tests."""
    contrast = model.contrast(weights)
    if model.n(weights) < limits.min_replicates or not model.spreads(weights):
        return contrast.estimate, stats.Tost(math.nan, math.nan, math.nan)
    return contrast.estimate, stats.tost(*contrast, limits.equivalence_margin_log2, limits.alpha)


def _loss(
    model: LineModel, gr: pd.DataFrame, partner: str, control: str, limits: RescueLimits
) -> Loss:
    """What the dropout costs. Without GR (BrdU, no 0 h plate) the log2 change decides whether there
    is anything to restore.
    """
    if partner in gr:
        contrast = stats.paired_contrast(1 - gr[[partner]].to_numpy(), [1.0])
        return Loss(
            contrast.estimate,
            *stats.t_interval(contrast),
            contrast.estimate < limits.min_rescue_denominator,
        )
    fall = -model.contrast({partner: 1.0, control: -1.0}).estimate
    return Loss(math.nan, math.nan, math.nan, fall < limits.equivalence_margin_log2)


def _index(
    gr: pd.DataFrame, name: str, partner: str, loss: Loss, limits: RescueLimits
) -> stats.Fieller:
    """(GR_rescue - GR_dropout) / (1 - GR_dropout) over the replicates with both, with Fieller's
    interval at n - 1 df.

    Only where the loss is large enough and its own interval excludes 0; a ratio to next to nothing
    says nothing.
    """
    nothing = stats.Fieller(math.nan, math.nan, math.nan, "none")
    if name not in gr or partner not in gr:
        return nothing
    both = gr[[name, partner]].dropna().to_numpy()
    n = len(both)
    if n < limits.min_replicates or not (loss.gr >= limits.min_rescue_denominator and loss.low > 0):
        return nothing
    gained, lost = both[:, 0] - both[:, 1], 1 - both[:, 1]
    covariance = np.cov(gained, lost, ddof=1) / n
    found = stats.fieller_interval(
        gained.mean(), lost.mean(), covariance[0, 0], covariance[1, 1], covariance[0, 1], n - 1
    )
    return found if found.kind == "bounded" else nothing


def _classify(row: Mapping[str, Any], limits: RescueLimits) -> tuple[str, str, str]:
    """Class, code and a sentence in words."""
    name, partner = row["medium"], row["dropout"]
    if not row["_measured"]:
        missing = (
            f"{partner} was not measured"
            if partner
            else f"no dropout medium removes just {row['restores'] or 'what it restores'}"
        )
        said = f"{name} has nothing to be compared with: {missing}."
        return "not_applicable", "RESCUE_NO_DROPOUT", said
    if row["n_replicates"] < limits.min_replicates:
        return (
            "indeterminate",
            "RESCUE_FEW_REPLICATES",
            (
                f"Exploratory: {row['n_replicates']} of {limits.min_replicates} biological"
                " replicates, not tested."
            ),
        )
    if row["_loss"].none:
        said = _nothing_lost(partner, row["_loss"], limits)
        return "not_applicable", "RESCUE_NOTHING_LOST", said
    evidence = Evidence(
        row["superiority_p_holm"] < limits.alpha,
        row["tost_p"] < limits.alpha,
        row["_index"],
        row["_loss"],
    )
    verdict = _class(evidence, limits)
    return verdict, CODES[verdict], _sentence(verdict, row, evidence, limits)


def _nothing_lost(partner: str, loss: Loss, limits: RescueLimits) -> str:
    if math.isnan(loss.gr):
        return (
            f"{partner} takes less than {limits.equivalence_margin_log2:g} log2 of the signal:"
            " nothing to restore."
        )
    text = (
        f"{partner} takes {loss.gr:.2f} of GR, less than {limits.min_rescue_denominator:g}: nothing"
        " to restore"
    )
    open_ended = loss.high > limits.min_rescue_denominator
    return (
        f"{text} (a larger loss, up to {loss.high:.2f}, is not excluded)."
        if open_ended
        else f"{text}."
    )


def _class(evidence: Evidence, limits: RescueLimits) -> str:
    """NaN fails every comparison, so an index that may not be formed leads to `indeterminate`."""
    ratio = evidence.restored.ratio
    if evidence.superior and evidence.equivalent:
        return "full"
    if evidence.superior and ratio >= limits.rescue_index_likely_full:
        return "likely_full"
    if evidence.superior and limits.rescue_index_failed <= ratio:
        return "partial"
    if (
        ratio < limits.rescue_index_failed
        and evidence.restored.high < limits.rescue_index_failed_upper
    ):
        return "failed"
    return "indeterminate"


def _sentence(
    verdict: str, row: Mapping[str, Any], evidence: Evidence, limits: RescueLimits
) -> str:
    """The class in words, with the numbers it rests on and what is missing."""
    ratio = evidence.restored.ratio
    share = (
        f"rescue index {ratio:.2f} ({evidence.restored.low:.2f} to {evidence.restored.high:.2f})"
    )
    better = (
        f"{row['medium']} is {'' if evidence.superior else 'not shown to be '}above"
        f" {row['dropout']}"
    )
    margin = f"control within {limits.equivalence_margin_log2:g} log2"
    same = (
        f"equivalent to {margin}"
        if evidence.equivalent
        else f"not shown to be equivalent to {margin}"
    )
    words = [better, same, share if math.isfinite(ratio) else _no_index(row, evidence.loss, limits)]
    if verdict == "full" and ratio < limits.rescue_index_likely_full:
        words.append("the dropout itself lies near the margin of equivalence, so read the index")
    return "; ".join(words) + "."


def _no_index(row: Mapping[str, Any], loss: Loss, limits: RescueLimits) -> str:
    """Why there is no rescue index."""
    if math.isnan(loss.gr):
        return "no rescue index without GR"
    if not loss.low > 0:
        return (
            f"no rescue index: the interval of the loss of GR in {row['dropout']} ({loss.low:.2f}"
            f" to {loss.high:.2f}) includes 0"
        )
    return (
        f"no rescue index: fewer than {limits.min_replicates} replicates with GR, or its interval"
        " is unbounded"
    )
