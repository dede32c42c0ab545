"""evidence -> dependency call per line and amino acid, with its confidence and its reasons in
words.

The rules are applied in order: what voids a call, what the numbers say, what limits the confidence.
Nothing here reads raw data.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats as distributions

from kit.calls import posterior
from kit.calls.evidence import ADDED_BACK, Cells, Evidence, gather
from kit.calls.posterior import AUXOTROPHIC, PROTOTROPHIC, Certainty
from kit.config.model import CALLED, ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, empty, plain_text
from kit.core.findings import Finding, listing
from kit.core.reference import line_key
from kit.plates.readouts import call_arms

NAMES = {"asparagine": ("auxotrophic", "partially_dependent", "prototrophic")}
OTHER_NAMES = ("dependent", "partially_dependent", "prototrophic")
RESCUED = ("full", "likely_full", "reversible")
Expected = Mapping[tuple[str, str], Mapping[Any, Any]]


@dataclass
class Call:
    """A class with its confidence and the findings it rests on."""

    call: str
    subtype: str = ""
    confidence: str = "none"
    reasons: list[Finding] = field(default_factory=list)
    certainty: Certainty | None = None


def calls(
    config: ExperimentConfig,
    growth: pd.DataFrame,
    apoptosis: pd.DataFrame | None,
    rescue: pd.DataFrame | None,
    carryover: pd.DataFrame | None,
    compliance: pd.DataFrame | None,
    priors: pd.DataFrame | None = None,
    onset: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The contract's `calls` table: one row per line and amino acid that some dropout medium
    removes.

    Further columns: `medium`, `n_replicates`, `sa_ci_low`, `sa_ci_high`, `p_auxotrophic`,
    `p_partially_dependent`, `p_prototrophic`, `p_near_cutoff` (probability that the true GR lies
    within `cutoff_shift` of a cut-off), `p_subtype` (of cytotoxic or cytostatic),
    `distance` (to the nearest GR cut-off, signed), `gr_mask`, `exploratory`, `prior_subtype`.
    Intervals are t intervals over replicates.
    `priors` has cell_line, amino_acid, expected_call, expected_subtype, disputed.
    """
    return judge(
        call_evidence(config, growth, apoptosis, rescue, carryover, compliance, onset),
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
    onset: pd.DataFrame | None = None,
) -> list[Evidence]:
    """What each call rests on, in the order of the calls."""
    arms = plain_text(call_arms(growth, config))
    rest = [
        None if table is None else plain_text(table)
        for table in (apoptosis, rescue, carryover, compliance, onset)
    ]
    places = [
        (line, acid, medium)
        for line in config.cell_lines
        for acid in CALLED
        for medium in config.dropouts(acid)
    ]
    found = [gather(config, *place, arms, *rest) for place in places]
    cells = _cells(config, arms, rest[0])
    return [replace(item, cells=cells) for item in found if item is not None]


def _cells(config: ExperimentConfig, arms: pd.DataFrame, death: pd.DataFrame | None) -> Cells:
    """Replicates of each line in each medium; control is 1 (GR) or 0 (SA) by definition and tells
    nothing.
    """

    def groups(table: pd.DataFrame | None, value: str) -> tuple[np.ndarray, ...]:
        if table is None:
            return ()
        known = table["medium"].ne(config.control_medium or "") & table["verdict"].ne("fail")
        rows = table[known & table[value].notna()]
        return tuple(
            part.to_numpy(float) for _, part in rows.groupby(["cell_line", "medium"])[value]
        )

    return Cells(groups(arms, "gr"), groups(death, "specific_apoptosis"))


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
    numbers = _numbers(evidence, settings)

    def inconclusive(*reasons: Finding, certainty: Certainty | None = None) -> Call:
        return Call("inconclusive", reasons=[*reasons, *numbers], certainty=certainty)

    if evidence.voids or not len(evidence.gr):
        return inconclusive(*(evidence.voids or [_found("CALL_NO_GR", evidence, "fail")]))
    if evidence.rescue == "failed":
        return inconclusive(_found("CALL_NOT_SPECIFIC", evidence, "fail"))
    found = posterior.certainty(*draws(evidence, settings), settings)
    confidence = posterior.confidence(found, settings)
    if confidence == "none":
        return inconclusive(_borderline(found, evidence), certainty=found)
    if found.winner != AUXOTROPHIC and evidence.masks:
        masked = _found("CALL_MASKED", evidence, "fail")
        return inconclusive(*evidence.masks, masked, certainty=found)
    call = Call(
        NAMES.get(evidence.amino_acid, OTHER_NAMES)[found.winner],
        _subtype(evidence, found.winner, settings),
        confidence,
        numbers,
        found,
    )
    return _limit(call, evidence, settings)


def _found(code: str, evidence: Evidence, severity: str = "warn", **values: object) -> Finding:
    named = {"amino_acid": evidence.amino_acid, **values}
    return Finding(code, severity, evidence.cell_line, named)


def draw_seed(evidence: Evidence, settings: Settings) -> int:
    """The seed of this call's posterior draws: the same call always sees the same draws."""
    return settings.seed ^ zlib.crc32(
        f"{evidence.cell_line}|{evidence.amino_acid}|{evidence.medium}".encode()
    )


def draws(evidence: Evidence, settings: Settings) -> tuple[posterior.Draws, posterior.Draws | None]:
    """Posterior draws of GR and SA of one call, with the scatter of the whole experiment."""
    scale = posterior.Scale.of(settings, evidence.cells.gr, evidence.cells.sa)
    seed = draw_seed(evidence, settings)
    return posterior.draw(evidence.gr, evidence.sa, settings, seed, evidence.linked, scale)


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
        word = evidence.rescue.replace("_", " ")
        caps.append(_found("CALL_RESCUE_NOT_FULL", evidence, word=word))
    if _discordant(evidence, settings):
        caps.append(_found("CALL_DISCORDANT", evidence))
    caps += _shaky(call, evidence, settings)
    robust = call.certainty is None or call.certainty.robust
    if call.confidence == "provisional" and not robust:
        caps.append(_found("CALL_NOT_ROBUST", evidence, **settings.model_dump()))
    if caps and call.confidence == "confident":
        call.confidence = "provisional"
    if len(evidence.gr) < settings.min_replicates:
        call.confidence = "none"
        n = len(evidence.gr)
        counted = f"{n} biological replicate{'s' * (n > 1)}"
        asked = settings.min_replicates
        caps.insert(0, _found("CALL_EXPLORATORY", evidence, counted=counted, asked=asked))
    notes = [item for item in evidence.notes if item not in call.reasons]
    call.reasons = [*call.reasons, *caps, *notes]
    if auxotrophic and any(
        item.code in CARRYOVER for item in (*evidence.masks, *evidence.mask_caps)
    ):
        high = [] if evidence.mask_caps else [_found("CALL_CARRYOVER_IS_HIGH", evidence)]
        hides = _found("CALL_CARRYOVER_ONLY_HIDES", evidence, "info")
        call.reasons += [*evidence.mask_caps, *high, hides]
    return call


def _shaky(call: Call, evidence: Evidence, settings: Settings) -> list[Finding]:
    """A class that rests on one replicate, or whose mean GR lies at a cut-off."""
    found = []
    changed = posterior.without_one(evidence.gr, evidence.sa, settings, evidence.linked)
    if changed and evidence.gr_replicates:
        out, other = changed[0]
        names = NAMES.get(evidence.amino_acid, OTHER_NAMES)
        values: dict[str, Any] = {
            "replicate": evidence.gr_replicates[out],
            "other": names[other].replace("_", " "),
        }
        found.append(_found("CALL_ONE_REPLICATE", evidence, **values))
    cuts = (settings.gr_auxotroph, settings.gr_prototroph)
    nearest = min(cuts, key=lambda cut: abs(evidence.gr.mean() - cut))
    if call.certainty and abs(evidence.gr.mean() - nearest) < settings.cutoff_shift:
        values = {"cutoff": nearest, "shift": settings.cutoff_shift, "near": call.certainty.near}
        found.append(_found("CALL_AT_CUTOFF", evidence, **values))
    return found


def _discordant(evidence: Evidence, settings: Settings) -> bool:
    return (
        evidence.sa is not None
        and evidence.gr.mean() >= settings.gr_prototroph
        and evidence.sa.mean() >= settings.sa_high
    )


def _borderline(found: Certainty, evidence: Evidence) -> Finding:
    shares = sorted(zip(found.probabilities, posterior.CLASSES, strict=True), reverse=True)[:2]
    words = [f"{name.replace('_', ' ')} {share:.0%}" for share, name in shares]
    return _found("CALL_BORDERLINE", evidence, first=words[0], second=words[1])


RESCUE_CODES = {
    "full": "CALL_RESCUED",
    "likely_full": "CALL_RESCUED_ALMOST",
    "partial": "CALL_RESCUED_IN_PART",
    "indeterminate": "CALL_RESCUE_UNDECIDED",
}
CARRYOVER = ("CALL_CARRYOVER_HIGH", "CALL_CARRYOVER_MODERATE", "CALL_CARRYOVER_UNKNOWN", "P13")
SAID_ALWAYS = ("CALL_READOUTS_DISAGREE", "CALL_RESCUES_DIFFER", *ADDED_BACK.values())
"""Where the numbers come from is said whatever the call."""


def _numbers(evidence: Evidence, settings: Settings) -> list[Finding]:
    """The evidence in words, with its distance to the cut-offs."""
    found = []
    if len(evidence.gr):
        mean, low, high = interval(evidence.gr)
        span = f" (95 % {low:.2f} to {high:.2f})" if np.isfinite(low) else " (one replicate)"
        where = _place(mean, settings.gr_auxotroph, settings.gr_prototroph)
        found.append(_found("CALL_GR", evidence, "info", gr=f"{mean:.2f}", span=span, where=where))
    if evidence.sa is not None:
        mean = float(evidence.sa.mean())
        hours = f" after {listing(evidence.death_hours)} h" if evidence.death_hours else ""
        code = "CALL_DEATH" if mean > 0 else "CALL_NO_MORE_DEATH"
        values = {"sa": f"{mean:.2f}", "percent": 100 * mean, "word": evidence.death}
        found.append(_found(code, evidence, "info", hours=hours, **values))
    if evidence.rescue in RESCUE_CODES:
        index = f"{evidence.rescue_index:.2f}"
        found.append(_found(RESCUE_CODES[evidence.rescue], evidence, "info", index=index))
    return [*found, *(item for item in evidence.findings if item.code in SAID_ALWAYS)]


def _place(gr: float, low: float, high: float) -> str:
    """Where a GR lies among the two cut-offs."""
    if low < gr < high:
        return f"lies between {low:.2f} and {high:.2f}"
    cut = low if gr <= low else high
    return f"is {'at' if gr == cut else 'below' if gr < cut else 'above'} {cut:.2f}"


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
    deadly = call.certainty.deadly if call.certainty is not None else np.nan
    subtypes = {"cytotoxic": deadly, "cytostatic": 1 - deadly}
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
        "reasons": " ".join(dict.fromkeys(item.sentence for item in call.reasons)),
        "code": " ".join(dict.fromkeys(item.code for item in call.reasons)),
        **_prior(evidence, call, expected),
        "medium": evidence.medium,
        "n_replicates": len(evidence.gr),
        "sa_ci_low": sa_low,
        "sa_ci_high": sa_high,
        **{f"p_{name}": share for name, share in zip(posterior.CLASSES, shares, strict=True)},
        "p_near_cutoff": call.certainty.near if call.certainty is not None else np.nan,
        "p_subtype": subtypes.get(call.subtype, np.nan),
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
