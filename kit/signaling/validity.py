"""The rules that an assay has to keep before anything is read from it: one verdict per rule.

An assay or a stimulus that breaks one gets no class, and the row says which lane to repeat.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from kit.core.findings import Finding
from kit.readers.blots.densitometry import net_volume
from kit.signaling import names
from kit.signaling.activation import Model, activation, arf1_arm, less, stimuli_of
from kit.signaling.gels import Split, lane_faults
from kit.signaling.scaling import on_one_scale
from kit.stats import holm, one_sided_p

COLUMNS = (
    "rule", "subject", "value", "limit", "verdict", "concerns", "code", "note", "advice",
)  # fmt: skip
EVERY = "all"
INDEPENDENCE = "independence"
"""Concerns of a rule that only classes of independence rest on."""


class ValidityLimits(Protocol):
    """The settings this module reads."""

    alpha: float
    min_replicates: int
    min_reference_lanes: int
    min_all_activation_log2: float
    max_torin_log2: float
    max_total_change_percent: float
    max_rag_left_percent: float


@dataclass(frozen=True)
class Verdict:
    """One judged rule; `concerns` names whose class is lost where it fails: `all`, a stimulus,
    `independence`, or nobody.
    """

    rule: str
    code: str
    verdict: str
    subject: str = ""
    value: float = math.nan
    limit: float = math.nan
    concerns: str = EVERY
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def finding(self) -> Finding:
        """The same as a finding of the experiment."""
        values = {"value": self.value, "limit": self.limit, **self.values}
        return Finding(self.code, self.verdict, self.subject, values)

    @property
    def row(self) -> dict[str, Any]:
        """A row of `mtorc1_validity`."""
        finding = self.finding
        amiss = self.verdict in ("warn", "fail")
        return {
            "rule": self.rule,
            "subject": self.subject,
            "value": self.value,
            "limit": self.limit,
            "verdict": self.verdict,
            "concerns": self.concerns if amiss else "",
            "code": self.code,
            "note": finding.sentence,
            "advice": finding.remedy if amiss else "",
        }


def validity(
    lanes: pd.DataFrame,
    bands: pd.DataFrame,
    model: Model,
    splits: list[Split],
    limits: ValidityLimits,
    rag_loss: str = "",
) -> list[Verdict]:
    """Every rule of the assay. `lanes` are those of the primary target, after
    `kit.signaling.gels.beside_starved`; `bands` all bands; `rag_loss` how the loss of Rag was shown
    elsewhere, in the user's words.
    """
    if lanes.empty:
        return [Verdict("target", "MTORC1_NO_PRIMARY", "fail", values={"target": names.PRIMARY})]
    return [
        *_design(lanes, model, limits),
        _all_amino_acids(model, limits),
        *_torin(lanes, model, limits),
        *_totals(lanes, limits),
        *_rag(bands, model, limits, rag_loss),
        *_lanes(lanes, bands, model),
        *_gels(splits),
        *_references(lanes, limits),
    ]


def _design(lanes: pd.DataFrame, model: Model, limits: ValidityLimits) -> list[Verdict]:
    """Enough independent experiments, and both genotypes."""
    count = lanes.loc[lanes["stimulus"].ne(names.REFERENCE), "experiment"].nunique()
    few = count < limits.min_replicates
    rows = [
        Verdict(
            "experiments",
            "MTORC1_FEW_EXPERIMENTS" if few else "MTORC1_EXPERIMENTS",
            "fail" if few else "pass",
            "the assay",
            count,
            limits.min_replicates,
        )
    ]
    there = set(lanes["genotype"]) - {"reference"}
    for name in (names.WILD_TYPE, names.KNOCK_OUT):
        if name not in there:
            values = {"there": sorted(there)}
            rows.append(
                Verdict("genotypes", "MTORC1_GENOTYPE_MISSING", "fail", name, values=values)
            )
    if not stimuli_of(model.arms):
        rows.append(Verdict("stimuli", "MTORC1_NO_STIMULUS", "fail"))
    return rows


def _all_amino_acids(model: Model, limits: ValidityLimits) -> Verdict:
    found = model.contrast(activation(names.WILD_TYPE, names.VEHICLE, names.ALL))
    if found is None:
        return Verdict("all_amino_acids", "MTORC1_NO_ALL", "warn", names.WILD_TYPE)
    value, limit = found.best.estimate, limits.min_all_activation_log2
    weak = value < limit
    code = "MTORC1_ALL_WEAK" if weak else "MTORC1_ALL_ACTIVATES"
    verdict = "fail" if weak else "pass"
    return Verdict("all_amino_acids", code, verdict, names.WILD_TYPE, value, limit)


def _torin(lanes: pd.DataFrame, model: Model, limits: ValidityLimits) -> list[Verdict]:
    """Torin takes the signal down to starved or below, in each genotype that had it."""
    treated = lanes[lanes["drug"].eq(names.TORIN)]
    if treated.empty:
        return [Verdict("torin", "MTORC1_NO_TORIN", "warn")]
    rows, limit = [], limits.max_torin_log2
    for genotype, stimulus in treated[["genotype", "stimulus"]].drop_duplicates().to_numpy():
        weights = {
            (genotype, names.TORIN, stimulus): 1.0,
            (genotype, names.VEHICLE, names.STARVED): -1.0,
        }
        found = model.contrast(weights)
        value = found.best.estimate if found else math.nan
        high = value > limit
        code = "MTORC1_TORIN_HIGH" if high else "MTORC1_TORIN_BLOCKS"
        if not math.isfinite(value):
            code = "MTORC1_TORIN_BELOW"
        verdict = "fail" if high else "pass"
        rows.append(Verdict("torin", code, verdict, str(genotype), value, limit))
    return rows


def _totals(lanes: pd.DataFrame, limits: ValidityLimits) -> list[Verdict]:
    """Total S6K is the same in knock-out and wild type, and with and without each Arf1 drug."""
    used = lanes[lanes["total"].gt(0)].copy()
    loaded = used["total_protein"].gt(0)
    by = used["total_protein"] if loaded.all() else pd.Series(1.0, index=used.index)
    used["total_level"] = np.log2(used["total"] / by)
    used["total_level"] = on_one_scale(used, "total_level")
    rows = []
    pairs = [("genotype", names.KNOCK_OUT, names.WILD_TYPE)]
    pairs += [
        ("drug", drug, names.VEHICLE) for drug in names.ARF1_ARMS if (used["drug"] == drug).any()
    ]
    for column, name, base in pairs:
        percent = _percent_change(used, column, name, base)
        if not math.isfinite(percent):
            continue
        limit = limits.max_total_change_percent
        drifts = abs(percent) > limit
        code = "MTORC1_TOTAL_DRIFTS" if drifts else "MTORC1_TOTAL_STEADY"
        values = {"base": base, "by": "total protein" if loaded.all() else "nothing"}
        verdict = "fail" if drifts else "pass"
        rows.append(Verdict("total_s6k", code, verdict, name, percent, limit, values=values))
    return rows


def _percent_change(lanes: pd.DataFrame, column: str, name: str, base: str) -> float:
    """Mean change in percent (by logarithms) of `total_level` between two levels of a column, over
    matched lanes of each experiment.
    """
    keys = [key for key in ("genotype", "drug", "stimulus") if key != column]
    table = lanes.pivot_table(
        index=["experiment", *keys], columns=column, values="total_level", aggfunc="mean"
    )
    if name not in table or base not in table:
        return math.nan
    per_experiment = (table[name] - table[base]).dropna().groupby("experiment").mean()
    return float(100 * (2 ** per_experiment.mean() - 1))


def _rag(bands: pd.DataFrame, model: Model, limits: ValidityLimits, stated: str) -> list[Verdict]:
    """Whether the knock-out lacks Rag: by its band, else by what the user states, else by what it
    does to the signal.
    """
    left, limit = _rag_left(bands), limits.max_rag_left_percent
    if math.isfinite(left):
        there = left > limit
        code = "MTORC1_RAG_LEFT" if there else "MTORC1_RAG_LOST"
        verdict = "fail" if there else "pass"
        return [Verdict("rag_loss", code, verdict, names.KNOCK_OUT, left, limit)]
    if stated:
        values = {"stated": stated}
        return [Verdict("rag_loss", "MTORC1_RAG_STATED", "pass", names.KNOCK_OUT, values=values)]
    stimuli = [*stimuli_of(model.arms), names.ALL]
    wild = [activation(names.WILD_TYPE, names.VEHICLE, name) for name in stimuli]
    knock = [activation(names.KNOCK_OUT, names.VEHICLE, name) for name in stimuli]
    found = [model.contrast(less(a, b)) for a, b in zip(wild, knock, strict=True)]
    p = holm([one_sided_p(one.best) if one else math.nan for one in found])
    if np.nanmin(p, initial=1.0) < limits.alpha:
        return [Verdict("rag_loss", "MTORC1_RAG_BY_FUNCTION", "warn", names.KNOCK_OUT)]
    code = "MTORC1_RAG_NOT_SHOWN"
    return [Verdict("rag_loss", code, "fail", names.KNOCK_OUT, concerns=INDEPENDENCE)]


def _rag_left(bands: pd.DataFrame) -> float:
    """Rag left in the knock-out, percent of wild type, by the stronger of RagA and RagB; NaN where
    no Rag band was measured.
    """
    table = bands.assign(net=net_volume(bands))
    left = []
    for target in names.RAG_BANDS:
        own = table[table["target"].eq(target) & ~table["excluded"]]
        means = own.pivot_table(
            index=["experiment", "membrane"], columns="genotype", values="net", aggfunc="mean"
        )
        if {names.WILD_TYPE, names.KNOCK_OUT} <= set(means) and len(means):
            share = means[names.KNOCK_OUT].clip(lower=0) / means[names.WILD_TYPE]
            share = share[means[names.WILD_TYPE] > 0]
            left += [float(100 * share.mean())] if len(share) else []
    return max(left, default=math.nan)


def _lanes(lanes: pd.DataFrame, bands: pd.DataFrame, model: Model) -> list[Verdict]:
    """Lanes that cannot be quantified."""
    drug = arf1_arm([(g, d, s) for g, d, s in lanes[["genotype", "drug", "stimulus"]].to_numpy()])
    faults = lane_faults(lanes, drug)
    rows = [
        Verdict(
            "lanes",
            code,
            "fail" if concerns else "warn",
            lane,
            concerns=concerns,
            values={"target": names.PRIMARY},
        )
        for code, lane, concerns in faults
    ]
    if not faults:
        rows.append(Verdict("lanes", "MTORC1_LANES_GOOD", "pass", value=len(lanes)))
    unknown = int(bands["saturated"].isna().sum())
    if unknown:
        rows.append(Verdict("lanes", "MTORC1_SATURATION_UNKNOWN", "warn", value=unknown))
    return rows


def _gels(splits: list[Split]) -> list[Verdict]:
    """Starved and stimulated lanes of one genotype and drug on one gel."""
    if not splits:
        return [Verdict("one_gel", "MTORC1_ONE_GEL", "pass")]
    groups: dict[tuple[int, str], list[str]] = {}
    for one in splits:
        groups.setdefault((one.experiment, one.code), []).append(one.group)
    return [
        Verdict(
            "one_gel",
            code,
            "warn",
            f"Experiment {experiment}",
            concerns="",
            values={"groups": names_of},
        )
        for (experiment, code), names_of in groups.items()
    ]


def _references(lanes: pd.DataFrame, limits: ValidityLimits) -> list[Verdict]:
    """Reference lanes where an experiment has several gels."""
    rows = []
    for experiment, own in lanes.groupby("experiment"):
        gels = own["membrane"].unique()
        if len(gels) < 2:
            continue
        counts = own[own["stimulus"].eq(names.REFERENCE)].groupby("membrane").size()
        least = int(min(counts.get(gel, 0) for gel in gels))
        few = least < limits.min_reference_lanes
        code = "MTORC1_FEW_REFERENCES" if few else "MTORC1_REFERENCES"
        verdict, subject = "warn" if few else "pass", f"experiment {experiment}"
        limit = limits.min_reference_lanes
        rows.append(Verdict("reference_lanes", code, verdict, subject, least, limit, ""))
    return rows
