"""Contrasts -> RDI, ADI and the class of each stimulus, by the table of rules in its order.

RDI = 1 - A_KO/A_WT is the share of the activation that needs Rag; ADI = 1 - A_KO,drug/A_KO the share
of what is left without Rag that needs Arf1. Independence is shown by equivalence, never by "n.s.".
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

import numpy as np

from kit.core import reference
from kit.signaling import names
from kit.signaling.activation import Estimate, Model, activation, arf1_arm, less, stimuli_of
from kit.stats import Fieller, holm, one_sided_p

CLASSES = ("rag_dependent", "rag_independent_arf1", "rag_independent", "mixed", "inconclusive")
INVALID, NOT_ACTIVATING, CLASSED = "invalid", "not_activating", "classed"
NO_RATIO = Fieller(math.nan, math.nan, math.nan, "none")


class ClassLimits(Protocol):
    """The settings this module reads; activations are log2."""

    alpha: float
    min_rdi_dependent: float
    rdi_half: float
    min_rdi_mixed: float
    min_adi: float


class Evidence(NamedTuple):
    """What is known of one stimulus; None where an arm was not measured."""

    stimulus: str
    wild_type: Estimate | None
    knock_out: Estimate | None
    knock_out_drug: Estimate | None
    rag: Estimate | None
    """I = A_WT - A_KO"""
    arf1: Estimate | None
    """J = A_KO - A_KO,drug"""
    rdi: Fieller
    rdi_90: Fieller
    adi: Fieller


def evidence(model: Model) -> list[Evidence]:
    """Every single amino acid's activations, contrasts and shares."""
    drug = arf1_arm(model.arms)
    return [_evidence(model, stimulus, drug) for stimulus in stimuli_of(model.arms)]


def _evidence(model: Model, stimulus: str, drug: str | None) -> Evidence:
    wild = activation(names.WILD_TYPE, names.VEHICLE, stimulus)
    knock = activation(names.KNOCK_OUT, names.VEHICLE, stimulus)
    blocked = activation(names.KNOCK_OUT, drug or "", stimulus)
    rag, arf1 = less(wild, knock), less(knock, blocked)
    found = [model.contrast(weights) for weights in (wild, knock, blocked, rag, arf1)]
    return Evidence(
        stimulus,
        *found,
        rdi=model.ratio(rag, wild),
        rdi_90=model.ratio(rag, wild, 0.90),
        adi=model.ratio(arf1, knock),
    )


def p_values(found: list[Evidence]) -> dict[str, tuple[float, float, float, float]]:
    """stimulus -> one-sided p of I > 0 and of J > 0, and both after Holm over the stimuli."""
    rag = [one_sided_p(one.rag.best) if one.rag else math.nan for one in found]
    arf1 = [one_sided_p(one.arf1.best) if one.arf1 else math.nan for one in found]
    columns = rag, arf1, holm(np.array(rag)), holm(np.array(arf1))
    return {
        one.stimulus: tuple(float(v) for v in values)  # type: ignore[misc]
        for one, *values in zip(found, *columns, strict=True)
    }


def classify(
    one: Evidence, p_rag: float, p_arf1: float, limits: ClassLimits
) -> tuple[str, str, str]:
    """Status, class and code of one stimulus whose assay is valid; the p are Holm's.

    The order of the rules: not activating; Rag-dependent (significant, RDI high, and its lower 95 %
    bound not below one half); Rag-independent (upper 90 % bound below one half), through Arf1 where
    that is shown; mixed; else inconclusive.
    """
    if one.wild_type is None or not one.wild_type.interval()[0] > 0:
        return NOT_ACTIVATING, "", "MTORC1_NOT_ACTIVATING"
    rdi, significant = one.rdi, p_rag < limits.alpha
    if (
        significant
        and rdi.ratio >= limits.min_rdi_dependent
        and rdi.kind == "bounded"
        and rdi.low >= limits.rdi_half
    ):
        return CLASSED, "rag_dependent", "MTORC1_RAG_DEPENDENT"
    if one.rdi_90.kind == "bounded" and one.rdi_90.high < limits.rdi_half:
        return (CLASSED, *_arf1(one, p_arf1, limits))
    left = one.knock_out is not None and one.knock_out.interval()[0] > 0
    if significant and rdi.ratio >= limits.min_rdi_mixed and left:
        return CLASSED, "mixed", "MTORC1_MIXED"
    return CLASSED, "inconclusive", "MTORC1_INCONCLUSIVE"


def _arf1(one: Evidence, p_arf1: float, limits: ClassLimits) -> tuple[str, str]:
    """Whether what is independent of Rag was shown to need Arf1."""
    if one.arf1 is None:
        return "rag_independent", "MTORC1_ARF1_NOT_TESTED"
    left = one.knock_out is not None and one.knock_out.best.estimate > 0
    if left and p_arf1 < limits.alpha and one.adi.ratio >= limits.min_adi:
        return "rag_independent_arf1", "MTORC1_ARF1_DEPENDENT"
    return "rag_independent", "MTORC1_ARF1_NOT_SHOWN"


def expected(stimulus: str) -> dict[str, Any]:
    """What the literature expects of a stimulus: class, citation and note; empty where nothing."""
    routes = reference.table("mtorc1_routes")
    own = routes[routes["stimulus"].eq(stimulus)]
    return {} if own.empty else own.iloc[0].to_dict()


def matches(found: str, code: str, wanted: str) -> bool | None:
    """Whether a class is the expected one; None where either is open. Where Arf1 was not tested,
    Rag-independence is all that can agree.
    """
    if found in ("", "inconclusive") or not wanted:
        return None
    if code == "MTORC1_ARF1_NOT_TESTED":
        return wanted.startswith(found)
    return found == wanted
