"""All of a signalling experiment: bands -> ratios, validity, activation, classes, sensitivity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kit.core.findings import Finding
from kit.signaling import names
from kit.signaling.activation import Estimate, Model, activation, arf1_arm, model
from kit.signaling.classes import (
    INVALID,
    NO_RATIO,
    NOT_ACTIVATING,
    Evidence,
    classify,
    evidence,
    expected,
    matches,
    p_values,
)
from kit.signaling.gels import beside_starved
from kit.signaling.power import experiments_needed
from kit.signaling.ratios import lane_ratios
from kit.signaling.scaling import on_one_scale
from kit.signaling.sensitivity import sensitivity, values_of
from kit.signaling.validity import COLUMNS as VALIDITY_COLUMNS
from kit.signaling.validity import EVERY, INDEPENDENCE, Verdict, validity
from kit.stats import two_sided_p


@dataclass(frozen=True)
class Signaling:
    """The tables of a signalling experiment, the blocked model of the primary target and what was
    found.
    """

    signaling_ratios: pd.DataFrame
    mtorc1_validity: pd.DataFrame
    mtorc1_activation: pd.DataFrame
    mtorc1_divergence: pd.DataFrame
    mtorc1_sensitivity: pd.DataFrame
    model: Model
    findings: tuple[Finding, ...]


def analyse_signaling(
    bands: pd.DataFrame, settings: Any, rag_loss: str = "", choice: str = "reference"
) -> Signaling:
    """Every table of the bands of `kit.signaling.bands` (all experiments).

    `settings` are those of the experiment; `rag_loss` says how the loss of Rag was shown elsewhere.
    `choice` is one of `kit.signaling.sensitivity.CHOICES`: how values are taken; a report takes the
    first.
    """
    parts = []
    splits = []
    for target, own in lane_ratios(bands).groupby("target", sort=False):
        own, found = beside_starved(own, settings.min_reference_lanes)
        value = values_of(own)[choice] if target == names.PRIMARY else on_one_scale(own)
        parts.append(own.assign(log2_scaled=value.reindex(own.index)))
        splits = found if target == names.PRIMARY else splits
    parts = parts or [lane_ratios(bands.iloc[:0]).assign(log2_scaled=math.nan)]
    ratios = pd.concat(parts, ignore_index=True)
    lanes = ratios[ratios["target"].eq(names.PRIMARY)]
    fitted = model(lanes, "log2_scaled", settings.max_paired_se_ratio)
    judged = validity(lanes, bands, fitted, splits, settings, rag_loss)
    moved = sensitivity(lanes, settings.max_contrast_change_log2)
    rows, findings = _classes(fitted, judged, settings)
    activations = [
        _activations(str(target), own, settings) for target, own in ratios.groupby("target")
    ]
    return Signaling(
        ratios,
        pd.DataFrame([one.row for one in judged], columns=list(VALIDITY_COLUMNS)),
        pd.concat(activations or [pd.DataFrame(columns=list(ACTIVATION))], ignore_index=True),
        pd.DataFrame(rows, columns=list(DIVERGENCE)),
        moved,
        fitted,
        (*_worst(judged), *findings, *_moves(moved, settings)),
    )


DIVERGENCE = (
    "stimulus", "a_wt", "a_wt_low", "a_wt_high", "a_ko", "a_ko_low", "a_ko_high", "a_ko_drug",
    "drug", "rag_effect", "arf1_effect", "rdi", "rdi_low", "rdi_high", "rdi_high_90", "adi",
    "adi_low", "adi_high", "p_rag", "p_arf1", "p_adjusted", "p_arf1_adjusted", "status", "class",
    "expected", "matches_expected", "n_experiments", "residual_sd", "method", "n_needed", "code",
    "note", "citation",
)  # fmt: skip


def _classes(
    fitted: Model, judged: list[Verdict], settings: Any
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """A row and a finding per stimulus."""
    drug = arf1_arm(fitted.arms)
    found = [_tested(one, settings.min_replicates) for one in evidence(fitted)]
    p = p_values(found)
    rows, findings = [], []
    for one in found:
        p_rag, p_arf1, adjusted, arf1_adjusted = p[one.stimulus]
        status, name, code, why = _status(one, (adjusted, arf1_adjusted), judged, settings)
        wanted = expected(one.stimulus)
        row = _row(one, drug or "", fitted) | {
            "p_rag": p_rag,
            "p_arf1": p_arf1,
            "p_adjusted": adjusted,
            "p_arf1_adjusted": arf1_adjusted,
            "status": status,
            "class": name,
            "code": code,
            "expected": wanted.get("expected", ""),
            "citation": wanted.get("citation", ""),
            "matches_expected": matches(name, code, wanted.get("expected", "")),
            "n_needed": experiments_needed(one, wanted.get("expected", ""), fitted, settings),
        }
        row = _withheld(row) if status in (INVALID, NOT_ACTIVATING) else row
        finding = _finding(row, why)
        rows.append(row | {"note": finding.sentence})
        findings += _told(row, finding)
    return rows, findings


def _tested(one: Evidence, least: int) -> Evidence:
    """Without the Arf1 arm where too few experiments hold it."""
    if one.arf1 is None or one.arf1.n < least:
        return one._replace(arf1=None, adi=NO_RATIO)
    return one


def _status(
    one: Evidence, p: tuple[float, float], judged: list[Verdict], settings: Any
) -> tuple[str, str, str, Verdict | None]:
    """Status, class, code of a stimulus, and the broken rule where the assay is invalid for it."""
    broken = [rule for rule in judged if rule.verdict == "fail"]
    for rule in broken:
        if rule.concerns in (EVERY, one.stimulus):
            return INVALID, "", rule.code, rule
    if one.wild_type is None or one.rag is None:
        return INVALID, "", "MTORC1_ARM_MISSING", None
    if min(one.wild_type.n, one.rag.n) < settings.min_replicates:
        return INVALID, "", "MTORC1_STIMULUS_FEW", None
    status, name, code = classify(one, *p, settings)
    unproven = next((rule for rule in broken if rule.concerns == INDEPENDENCE), None)
    if unproven is not None and name.startswith("rag_independent"):
        return INVALID, "", unproven.code, unproven
    return status, name, code, None


def _row(one: Evidence, drug: str, fitted: Model) -> dict[str, Any]:
    low, high = _interval(one.wild_type)
    ko_low, ko_high = _interval(one.knock_out)
    return {
        "stimulus": one.stimulus,
        "a_wt": _value(one.wild_type),
        "a_wt_low": low,
        "a_wt_high": high,
        "a_ko": _value(one.knock_out),
        "a_ko_low": ko_low,
        "a_ko_high": ko_high,
        "a_ko_drug": _value(one.knock_out_drug),
        "drug": drug,
        "rag_effect": _value(one.rag),
        "arf1_effect": _value(one.arf1),
        "rdi": one.rdi.ratio,
        "rdi_low": _bound(one.rdi.low),
        "rdi_high": _bound(one.rdi.high),
        "rdi_high_90": _bound(one.rdi_90.high),
        "adi": one.adi.ratio,
        "adi_low": _bound(one.adi.low),
        "adi_high": _bound(one.adi.high),
        "n_experiments": 0 if one.rag is None else one.rag.n,
        "residual_sd": fitted.residual_sd,
        "method": "" if one.rag is None else one.rag.method,
    }


def _value(one: Estimate | None) -> float:
    return math.nan if one is None else one.best.estimate


def _interval(one: Estimate | None) -> tuple[float, float]:
    return (math.nan, math.nan) if one is None else one.interval()


def _bound(value: float) -> float:
    """A bound one may quote: none where Fieller's set is unbounded."""
    return value if math.isfinite(value) else math.nan


_NEVER = (
    "rdi", "rdi_low", "rdi_high", "rdi_high_90", "adi", "adi_low", "adi_high", "p_rag", "p_arf1",
    "p_adjusted", "p_arf1_adjusted", "rag_effect", "arf1_effect",
)  # fmt: skip


def _withheld(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the shares and tests that nothing may be read from."""
    return row | dict.fromkeys(_NEVER, math.nan)


def _finding(row: dict[str, Any], why: Verdict | None) -> Finding:
    """What was found of one stimulus. An unexpected class informs; so does an open one."""
    word = names.STIMULUS_WORDS[row["stimulus"]].capitalize()
    if why is not None:
        values = {"rule": why.finding.sentence, "what": why.finding.remedy}
        return Finding("MTORC1_WITHHELD", "info", word, values)
    needed = row["n_needed"]
    told = f"{needed:g} experiments in all give 80 % power" if needed > 0 else NOT_WITHIN_REACH
    percents = {
        "rdi_percent": 100 * row["rdi"],
        "most_percent": 100 * max(row["rdi_high_90"], 0.0),
        "adi_percent": 100 * row["adi"],
    }
    return Finding(row["code"], "info", word, row | percents | {"next": told})


NOT_WITHIN_REACH = "at this spread no number up to 12 gives 80 % power, so steady the lanes first"


def _told(row: dict[str, Any], finding: Finding) -> list[Finding]:
    """What the first screen lists: what is open, and what differs from the literature."""
    if row["status"] == INVALID:
        return [finding]
    found = [] if row["class"] not in ("", "inconclusive") else [finding]
    if row["matches_expected"] is False:
        values = {
            "found": names.words_of(row["class"]),
            "expected": names.words_of(row["expected"]),
            "citation": row["citation"],
        }
        found.append(Finding("MTORC1_UNEXPECTED", "info", finding.subject, values))
    return found


def _worst(judged: list[Verdict]) -> list[Finding]:
    """Broken and doubtful rules, as findings of the experiment."""
    return [one.finding for one in judged if one.verdict in ("warn", "fail")]


def _moves(moved: pd.DataFrame, settings: Any) -> list[Finding]:
    """One finding for each choice that moves contrasts."""
    found = []
    for choice, own in moved[moved["verdict"].eq("warn")].groupby("choice", sort=False):
        worst = own.loc[own["change"].abs().idxmax()]
        values = {
            "count": len(own),
            "largest": float(worst["change"]),
            "contrast": " ".join(filter(None, (worst["quantity"], worst["stimulus"]))),
            "limit": settings.max_contrast_change_log2,
        }
        found.append(Finding("MTORC1_CONTRASTS_MOVE", "warn", CHOICE_WORDS[str(choice)], values))
    return found


CHOICE_WORDS = {
    "unscaled": "Leaving the gels unscaled",
    "geometric_mean": "Scaling each gel by the geometric mean of its lanes",
    "sum": "Dividing each band by the gel's sum",
    "no_background": "Leaving the background in",
    "total_protein": "Dividing by total protein instead of total S6K",
}


ACTIVATION = (
    "target", "genotype", "drug", "stimulus", "a", "ci_low", "ci_high", "se", "df", "p",
    "n_experiments", "paired_se", "method",
)  # fmt: skip


def _activations(target: str, lanes: pd.DataFrame, settings: Any) -> pd.DataFrame:
    """Activation over starved of every genotype, drug and stimulus of one target."""
    fitted = model(lanes, "log2_scaled", settings.max_paired_se_ratio)
    rows = []
    for genotype, drug, stimulus in fitted.arms:
        if stimulus == names.STARVED or drug == names.TORIN:
            continue
        found = fitted.contrast(activation(genotype, drug, stimulus))
        if found is None:
            continue
        low, high = found.interval()
        rows.append(
            (
                target,
                genotype,
                drug,
                stimulus,
                found.best.estimate,
                low,
                high,
                found.best.se,
                found.best.df,
                two_sided_p(found.best),
                found.n,
                found.paired.se,
                found.method,
            )
        )
    return pd.DataFrame(rows, columns=list(ACTIVATION))
