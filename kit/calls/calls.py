"""evidence -> dependency call per line and amino acid, with its confidence and its reasons in
words.

The rules are applied in order: what voids a call, what the numbers say, what limits the confidence.
Nothing here reads raw data.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats as distributions

from kit.calls import posterior
from kit.calls.evidence import Evidence, gather
from kit.calls.posterior import AUXOTROPHIC, PROTOTROPHIC, Certainty
from kit.config.model import CALLED, ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, empty, plain_text
from kit.core.reference import line_key
from kit.plates.readouts import call_arms

NAMES = {"asparagine": ("auxotrophic", "partially_dependent", "prototrophic")}
OTHER_NAMES = ("dependent", "partially_dependent", "prototrophic")
WORDS = {"auxotrophic": "auxotrophic", "dependent": "dependent", "partially_dependent": "partially dependent", "prototrophic": "prototrophic",
         "inconclusive": "inconclusive"}  # fmt: skip
RESCUED = ("full", "likely_full")
Expected = Mapping[tuple[str, str], Mapping[Any, Any]]


@dataclass
class Call:
    """A class with its confidence and sentences."""

    call: str
    subtype: str = ""
    confidence: str = "none"
    reasons: list[str] = field(default_factory=list)
    certainty: Certainty | None = None


def calls(
    config: ExperimentConfig,
    growth: pd.DataFrame,
    apoptosis: pd.DataFrame | None,
    rescue: pd.DataFrame | None,
    carryover: pd.DataFrame | None,
    compliance: pd.DataFrame | None,
    priors: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The contract's `calls` table: one row per line and amino acid that some dropout medium
    removes.

    Further columns: `medium`, `n_replicates`, `sa_ci_low`, `sa_ci_high`, `p_auxotrophic`,
    `p_partially_dependent`, `p_prototrophic`,
    `distance` (to the nearest GR cut-off, signed), `gr_mask`, `exploratory`, `prior_subtype`.
    Intervals are t intervals over replicates.
    `priors` has cell_line, amino_acid, expected_call, expected_subtype, disputed.
    """
    return judge(
        call_evidence(config, growth, apoptosis, rescue, carryover, compliance),
        config.settings,
        priors,
    )


def call_evidence(
    config: ExperimentConfig,
    growth: pd.DataFrame,
    apoptosis: pd.DataFrame | None,
    rescue: pd.DataFrame | None,
    carryover: pd.DataFrame | None,
    compliance: pd.DataFrame | None,
) -> list[Evidence]:
    """What each call rests on, in the order of the calls."""
    arms = plain_text(call_arms(growth, config))
    rest = [
        None if table is None else plain_text(table)
        for table in (apoptosis, rescue, carryover, compliance)
    ]
    places = [
        (line, acid, medium)
        for line in config.cell_lines
        for acid in CALLED
        for medium in config.dropouts(acid)
    ]
    found = [gather(config, *place, arms, *rest) for place in places]
    return [item for item in found if item is not None]


def judge(
    gathered: Iterable[Evidence], settings: Settings, priors: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The `calls` table from its evidence: quick enough for another look with other cut-offs of the
    call.
    """
    expected = _expected(priors)
    rows = [_row(item, decide(item, settings), settings, expected) for item in gathered]
    return check(pd.DataFrame(rows), "calls") if rows else empty("calls")


def decide(evidence: Evidence, settings: Settings) -> Call:
    """The ordered rules: what voids, what the numbers say, what masks, what caps."""
    if evidence.voids or not len(evidence.gr):
        reasons = list(dict.fromkeys(evidence.voids)) or ["GR is undefined."]
        return Call("inconclusive", reasons=[*reasons, *_numbers(evidence, settings)])
    if evidence.rescue == "failed":
        text = (
            f"Giving {evidence.amino_acid} back does not restore growth: the loss is not specific"
            " to it."
        )
        return Call("inconclusive", reasons=[text, *_numbers(evidence, settings)])
    drawn = posterior.draw(
        evidence.gr, evidence.sa, settings, draw_seed(evidence, settings), evidence.linked
    )
    found = posterior.certainty(*drawn, settings)
    confidence = posterior.confidence(found, settings)
    numbers = _numbers(evidence, settings)
    if confidence == "none":
        return Call("inconclusive", reasons=[_borderline(found), *numbers], certainty=found)
    if found.winner != AUXOTROPHIC and evidence.masks:
        return Call(
            "inconclusive",
            reasons=[
                *evidence.masks,
                "Masked growth cannot show that a line does without.",
                *numbers,
            ],
            certainty=found,
        )
    call = Call(
        NAMES.get(evidence.amino_acid, OTHER_NAMES)[found.winner],
        _subtype(evidence, found.winner, settings),
        confidence,
        numbers,
        found,
    )
    return _limit(call, evidence, settings)


def draw_seed(evidence: Evidence, settings: Settings) -> int:
    """The seed of this call's posterior draws: the same call always sees the same draws."""
    return settings.seed ^ zlib.crc32(
        f"{evidence.cell_line}|{evidence.amino_acid}|{evidence.medium}".encode()
    )


def _subtype(evidence: Evidence, winner: int, settings: Settings) -> str:
    if evidence.sa is None:
        return "death_not_assessed"
    if winner == AUXOTROPHIC:
        return "cytotoxic" if evidence.sa.mean() >= settings.sa_high else "cytostatic"
    return "slowed" if winner == PROTOTROPHIC and evidence.gr.mean() < settings.gr_slowed else ""


def _limit(call: Call, evidence: Evidence, settings: Settings) -> Call:
    """What keeps a clear result from being called confident."""
    auxotrophic = call.certainty is not None and call.certainty.winner == AUXOTROPHIC
    caps = [*evidence.caps, *([] if auxotrophic else evidence.mask_caps)]
    if auxotrophic and evidence.rescue not in (*RESCUED, ""):
        caps.append(
            f"Rescue is {evidence.rescue.replace('_', ' ')}: a confident call needs full or likely"
            " full rescue."
        )
    if _discordant(evidence, settings):
        caps.append("Discordant: growth looks spared while many cells die later (timing).")
    if (
        call.certainty is not None
        and call.confidence == "provisional"
        and not call.certainty.robust
    ):
        caps.append(
            f"The class changes, or falls below {settings.min_probability_provisional:g}, when the"
            f" cut-offs move by {settings.cutoff_shift:g}."
        )
    if caps and call.confidence == "confident":
        call.confidence = "provisional"
    if len(evidence.gr) < settings.min_replicates:
        call.confidence = "none"
        caps.insert(
            0,
            f"Exploratory: {len(evidence.gr)} biological"
            f" replicate{'s' * int(len(evidence.gr) > 1)}, {settings.min_replicates} needed.",
        )
    call.reasons = [*call.reasons, *caps, *evidence.notes]
    if auxotrophic and (evidence.masks or evidence.mask_caps):
        call.reasons += [
            *(evidence.mask_caps or ["Carry-over is high."]),
            "It can only hide an auxotroph, never make one.",
        ]
    return call


def _discordant(evidence: Evidence, settings: Settings) -> bool:
    return (
        evidence.sa is not None
        and evidence.gr.mean() >= settings.gr_prototroph
        and evidence.sa.mean() >= settings.sa_high
    )


def _borderline(found: Certainty) -> str:
    shares = sorted(zip(found.probabilities, posterior.CLASSES, strict=True), reverse=True)[:2]
    return (
        f"Borderline: {WORDS[shares[0][1]]} {shares[0][0]:.0%}, {WORDS[shares[1][1]]}"
        f" {shares[1][0]:.0%}."
    )


def _numbers(evidence: Evidence, settings: Settings) -> list[str]:
    """The evidence as sentences, with its distance to the cut-offs."""
    sentences = []
    if len(evidence.gr):
        mean, low, high = interval(evidence.gr)
        span = f" (95 % {low:.2f} to {high:.2f})" if np.isfinite(low) else " (one replicate)"
        if mean <= settings.gr_auxotroph:
            where = (
                f"is {'below' if mean < settings.gr_auxotroph else 'at'}"
                f" {settings.gr_auxotroph:.2f}"
            )
        elif mean >= settings.gr_prototroph:
            where = (
                f"is {'above' if mean > settings.gr_prototroph else 'at'}"
                f" {settings.gr_prototroph:.2f}"
            )
        else:
            where = f"lies between {settings.gr_auxotroph:.2f} and {settings.gr_prototroph:.2f}"
        sentences.append(f"GR {mean:.2f}{span} {where}.")
    if evidence.sa is not None:
        mean = float(evidence.sa.mean())
        word = "more" if mean >= 0 else "fewer"
        sentences.append(
            f"{abs(100 * mean):.0f} % {word} {evidence.death} cells than in control"
            f" (specific{_hours(evidence)})."
        )
    if evidence.rescue in RESCUED:
        how = (
            "fully"
            if evidence.rescue == "full"
            else "almost fully (equivalence with control is not proven)"
        )
        sentences.append(f"{evidence.amino_acid.capitalize()} restores growth {how}.")
    elif evidence.rescue == "partial":
        sentences.append(
            f"{evidence.amino_acid.capitalize()} restores growth in part (index"
            f" {evidence.rescue_index:.2f})."
        )
    elif evidence.rescue == "indeterminate":
        sentences.append(f"Whether {evidence.amino_acid} restores growth is undecided.")
    return [*sentences, *evidence.remarks]


def _hours(evidence: Evidence) -> str:
    """`, 72 h`: when death was measured, as far as that is known."""
    hours = [f"{hour:g}" for hour in evidence.death_hours]
    return (
        f", {' and '.join([', '.join(hours[:-1]), hours[-1]]) if len(hours) > 1 else hours[0]} h"
        if hours
        else ""
    )


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and its 95 % t interval over biological replicates (NaN ends for fewer than two)."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return mean, np.nan, np.nan
    half = float(distributions.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


# ---- rows


def _row(evidence: Evidence, call: Call, settings: Settings, expected: Expected) -> dict:
    gr, gr_low, gr_high = interval(evidence.gr) if len(evidence.gr) else (np.nan,) * 3
    sa, sa_low, sa_high = interval(evidence.sa) if evidence.sa is not None else (np.nan,) * 3
    shares = call.certainty.probabilities if call.certainty is not None else (np.nan,) * 3
    cuts = np.array([settings.gr_auxotroph, settings.gr_prototroph])
    return {
        "cell_line": evidence.cell_line,
        "amino_acid": evidence.amino_acid,
        "call": call.call,
        "subtype": call.subtype,
        "confidence": call.confidence,
        "probability": call.certainty.probability if call.certainty is not None else np.nan,
        "gr": gr,
        "gr_ci_low": gr_low,
        "gr_ci_high": gr_high,
        "specific_apoptosis": sa,
        "rescue": evidence.rescue,
        "reasons": " ".join(dict.fromkeys(call.reasons)),
        **_prior(evidence, call, expected),
        "medium": evidence.medium,
        "n_replicates": len(evidence.gr),
        "sa_ci_low": sa_low,
        "sa_ci_high": sa_high,
        **{f"p_{name}": share for name, share in zip(posterior.CLASSES, shares, strict=True)},
        "distance": float(min(gr - cuts, key=abs)) if np.isfinite(gr) else np.nan,
        "gr_mask": evidence.gr_mask,
        "exploratory": len(evidence.gr) < settings.min_replicates,
    }


def _expected(priors: pd.DataFrame | None) -> Expected:
    """What the source expects, by line and amino acid; Molt 4 is MOLT-4, as in the table of cell
    lines.
    """
    rows = [] if priors is None else priors.to_dict("records")
    return {(line_key(row["cell_line"]), row["amino_acid"]): row for row in reversed(rows)}


def _prior(evidence: Evidence, call: Call, expected: Expected) -> dict:
    """What the source expects of this line; a mismatch informs and never fails. Read too far from
    its times, nothing is compared.
    """
    row = expected.get((line_key(evidence.cell_line), evidence.amino_acid))
    if row is None:
        return {
            "prior": "",
            "prior_disputed": None,
            "matches_prior": None,
            "prior_subtype": "",
            "prior_note": "",
        }
    matches = (
        None
        if call.call == "inconclusive" or not evidence.comparable
        else bool(call.call == row["expected_call"])
    )
    subtype = row["expected_subtype"] if isinstance(row["expected_subtype"], str) else ""
    note = row["note"] if isinstance(row["note"], str) else ""
    return {
        "prior": row["expected_call"],
        "prior_disputed": bool(row["disputed"]),
        "matches_prior": matches,
        "prior_subtype": subtype,
        "prior_note": note,
    }
