"""Amounts and counts of an experiment -> the contract's `uptake_rates`, each rate with its gate."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from kit.config.model import AMINO_ACIDS, ExperimentConfig
from kit.core import reference
from kit.core.columns import check, empty, plain_text
from kit.core.findings import codes, say
from kit.core.protein import protein_demand_fmol
from kit.exchange import rates
from kit.exchange.calibration import cv_percent
from kit.exchange.elasticity import over_experiments
from kit.exchange.reading import ARM, UptakeData

ALL = "all"
DECAYS = ("glutamine",)
MIN_EXPERIMENTS, MIN_STABLE = 3, 3
FAILS = ("UPTAKE_EXHAUSTED", "UPTAKE_SMALL", "UPTAKE_UNSURE", "UPTAKE_NOISY", "UPTAKE_UNIT",
         "UPTAKE_ABOVE_SUPPLY", "UPTAKE_EVAPORATED")  # fmt: skip
DOUBTS = ("UPTAKE_PROVISIONAL", "UPTAKE_TWO_POINTS", "UPTAKE_RECIPE", "UPTAKE_BELOW_DEMAND")


def uptake_rates(data: UptakeData, config: ExperimentConfig) -> pd.DataFrame:
    """The contract's `uptake_rates`: one row per line, medium, replicate and amino acid, and one
    with replicate `all`: mean and t interval over experiments. Further columns: `condition`,
    `se_wells`, `change_percent`, `supply_left`, `blank_cv_percent`, `doublings`, `x0_cells`,
    `start_nmol`, `code`, `advice`.
    """
    decay, shift = decays(data, config)
    rows = []
    amounts, counts = plain_text(data.amounts), plain_text(data.counts)
    cells = amounts[amounts["kind"].eq("cells")]
    for (replicate, line, medium, condition), arm in cells.groupby(ARM, sort=False):
        growth = _growth(counts, replicate, line, medium, condition)
        blanks = _blanks(amounts, replicate, medium)
        for amino_acid, own in arm.groupby("amino_acid", sort=False):
            blank = blanks[blanks["amino_acid"].eq(amino_acid)]
            k = decay.get((int(replicate), str(amino_acid)), 0.0)
            who = {
                "cell_line": line,
                "medium": medium,
                "condition": condition,
                "replicate": str(replicate),
                "amino_acid": amino_acid,
            }
            bend = shift.get(int(replicate), 0.0)
            lost = data.evaporation.get(int(replicate), 0.0)
            rows.append(
                who | _rate(_bent(own, bend), _bent(blank, bend), growth, k, lost, config, who)
            )
    if not rows:
        return empty("uptake_rates")
    table = pd.DataFrame(rows)
    table = pd.concat([table, _over_experiments(table, config)], ignore_index=True)
    return check(table, "uptake_rates")


def decays(
    data: UptakeData, config: ExperimentConfig
) -> tuple[dict[tuple[int, str], float], dict[int, float]]:
    """(decay by replicate and amino acid, correction of the volume by replicate), 1/h.

    A decay counts where it is significant over experiments; with fewer than three only that of
    glutamine, which is known to decay. Amino acids that are known to be
    stable and "decay" together show a wrong evaporation: their median is taken off all.
    """
    alpha, found = config.settings.decay_alpha, dict[tuple[int, str], float]()
    blanks = data.amounts[data.amounts["kind"].eq("blank")].dropna(subset="amount_nmol")
    for (replicate, amino_acid), own in blanks.groupby(["replicate", "amino_acid"]):
        scaled = own["amount_nmol"] / own.groupby("medium")["amount_nmol"].transform("mean")
        if own["hours"].nunique() >= 2 and len(own) >= 3:
            found[int(replicate), str(amino_acid)] = rates.decay_rate(own["hours"], scaled)[0]
    replicates = sorted({key[0] for key in found})
    stable = {
        replicate: [
            k for (own, name), k in found.items() if own == replicate and name not in DECAYS
        ]
        for replicate in replicates
    }
    medians = {name: float(np.median(ks)) for name, ks in stable.items() if len(ks) >= MIN_STABLE}
    together = _significant(list(medians.values()), alpha)
    shift = {name: medians.get(name, 0.0) if together else 0.0 for name in replicates}
    chosen: dict[tuple[int, str], float] = {}
    for amino_acid in {key[1] for key in found}:
        own = {key: k - shift[key[0]] for key, k in found.items() if key[1] == amino_acid}
        few = len(own) < MIN_EXPERIMENTS and amino_acid in DECAYS
        if few or _significant(list(own.values()), alpha):
            chosen |= {key: max(k, 0.0) if few else k for key, k in own.items()}
    return chosen, shift


def _significant(ks: list[float], alpha: float) -> bool:
    """Whether rates differ from zero over experiments; never with fewer than three."""
    values = np.array(ks)
    if len(values) < MIN_EXPERIMENTS:
        return False
    if np.ptp(values) == 0:
        return bool(values[0] != 0)
    return bool(stats.ttest_1samp(values, 0).pvalue < alpha)


def _bent(rows: pd.DataFrame, shift: float) -> pd.DataFrame:
    """Amounts with a wrong evaporation put right."""
    factor = np.exp(shift * rows["hours"].to_numpy(float))
    return rows.assign(amount_nmol=rows["amount_nmol"] * factor)


def _growth(
    counts: pd.DataFrame, replicate: Any, line: Any, medium: Any, condition: Any
) -> rates.Growth | None:
    own = counts[counts["replicate"].eq(replicate) & counts["cell_line"].eq(line)]
    for name, value in (("medium", medium), ("condition", condition)):
        exact = own[own[name].eq(value)]
        shared = own[own[name].eq("")]  # a count before the media differ serves all of them
        own = pd.concat([exact, shared]) if len(exact) else shared
    return rates.growth_fit(own["hours"], own["cells"]) if len(set(own["hours"])) > 1 else None


def _blanks(amounts: pd.DataFrame, replicate: Any, medium: Any) -> pd.DataFrame:
    """The medium's own blanks, else those that serve every medium."""
    own = amounts[amounts["kind"].eq("blank") & amounts["replicate"].eq(replicate)]
    exact = own[own["medium"].eq(medium)]
    return exact if len(exact) else own[own["medium"].eq("")]


def _rate(
    own: pd.DataFrame,
    blank: pd.DataFrame,
    growth: rates.Growth | None,
    k: float,
    lost: float,
    config: ExperimentConfig,
    who: dict[str, Any],
) -> dict[str, Any]:
    """One rate with what its gate judges; NaN and a code where it cannot be had."""
    told = [code for code in pd.concat([own["code"], blank["code"]]) if code]
    own, blank = own.dropna(subset="amount_nmol"), blank.dropna(subset="amount_nmol")
    last = float(own["hours"].max()) if len(own) else math.nan
    start = blank[blank["hours"].eq(0)]
    points = own if own["hours"].eq(0).any() else pd.concat([start, own])
    why = (
        (told[0] if told else "UPTAKE_NO_VOLUME")
        if own.empty
        else "UPTAKE_NO_COUNT"
        if growth is None
        else "UPTAKE_NO_BLANK"
        if blank.empty
        else "UPTAKE_EVAPORATED"
        if lost > config.settings.fail_volume_loss_percent
        else "UPTAKE_TIMES_EQUAL"
        if points["hours"].nunique() < 2
        else ""
    )
    base = {"k_decay_per_h": k, "ci_low": math.nan, "ci_high": math.nan, "n_points": len(points)}
    if why or growth is None:
        base |= {name: math.nan for name in MEASURES}
        return (
            base
            | {"method": "none", "gate": "fail", "code": why, "advice": ""}
            | _words(why, base, config)
        )
    late = blank[blank["hours"].eq(last)]["amount_nmol"].mean()
    at_start = blank[blank["hours"].eq(blank["hours"].min())]
    reference_nmol = (
        late if math.isfinite(late) else at_start["amount_nmol"].mean() * math.exp(-k * last)
    )
    here = own[own["hours"].eq(last)]
    if points["hours"].nunique() >= 3:
        fit, method = rates.uptake(points["hours"], points["amount_nmol"], growth, k), "regression"
        v, se, begin = fit.rate, fit.se, fit.start
    else:
        v = rates.two_point_rate(
            float(reference_nmol), float(here["amount_nmol"].mean()), last, growth, k
        )
        se, begin, method = math.nan, float(at_start["amount_nmol"].mean()), "two_points"
    doublings = growth.doublings(last)
    grows = doublings >= config.settings.min_doublings_for_growth
    measured = {
        "v_fmol_per_cell_h": v,
        "v_per_new_cell_fmol": v / growth.mu if grows else math.nan,
        "mu_per_h": growth.mu,
        "se_wells": se,
        "change_percent": 100 * (1 - float(here["amount_nmol"].mean()) / float(reference_nmol)),
        "supply_left": float(here["conc_uM"].mean() / at_start["conc_uM"].mean()),
        "blank_cv_percent": _pooled_cv(blank),
        "blank_uM": float(at_start["conc_uM"].mean()),
        "doublings": doublings,
        "x0_cells": growth.x0,
        "start_nmol": begin,
        "used_share": v * growth.cell_hours(last) / (begin * rates.FMOL_PER_NMOL),
        "last_h": last,
    }
    code = _gate(measured, method, who, config)
    gate = "fail" if code in FAILS else "provisional" if code in DOUBTS else "pass"
    row = base | measured | {"method": method, "gate": gate, "code": code}
    return row | _words(code, row, config)


MEASURES = ("v_fmol_per_cell_h", "v_per_new_cell_fmol", "mu_per_h", "se_wells", "change_percent",
            "supply_left", "blank_cv_percent", "blank_uM", "doublings", "x0_cells", "start_nmol",
            "used_share", "last_h")  # fmt: skip


def _pooled_cv(blank: pd.DataFrame) -> float:
    """CV within times and media, pooled."""
    cvs = [cv_percent(own["conc_uM"]) for _, own in blank.groupby(["medium", "hours"])]
    known = [cv for cv in cvs if math.isfinite(cv)]
    return float(np.sqrt(np.mean(np.square(known)))) if known else math.nan


def _gate(row: dict[str, Any], method: str, who: dict[str, Any], config: ExperimentConfig) -> str:
    """The first gate that a rate does not pass; UPTAKE_GOOD where it passes all."""
    s, change = config.settings, abs(row["change_percent"])
    made = (
        config.media[who["medium"]].amount_uM(who["amino_acid"])
        if who["medium"] in config.media
        else None
    )
    off = abs(row["blank_uM"] / made - 1) * 100 if made else 0.0
    known, essential = who["amino_acid"] in AMINO_ACIDS, who["amino_acid"] in _essential()
    demand = _demand(config, who)
    checks = [
        ("UPTAKE_UNIT", known and demand > 0 and abs(row["v_fmol_per_cell_h"]) > s.max_uptake_fmol),
        ("UPTAKE_EXHAUSTED", row["supply_left"] < s.min_supply_left),
        ("UPTAKE_SMALL", change < s.provisional_uptake_change_percent),
        ("UPTAKE_UNSURE", row.get("change_over_se", math.inf) < s.min_uptake_change_se),
        ("UPTAKE_NOISY", row["blank_cv_percent"] > s.max_lcms_cv_percent),
        ("UPTAKE_ABOVE_SUPPLY", row["used_share"] > 1.1),
        ("UPTAKE_PROVISIONAL", change < s.min_uptake_change_percent),
        ("UPTAKE_TWO_POINTS", method == "two_points"),
        ("UPTAKE_RECIPE", off > s.max_blank_from_recipe_percent),
        (
            "UPTAKE_BELOW_DEMAND",
            essential and row["v_per_new_cell_fmol"] < s.min_essential_share * demand,
        ),
    ]
    return next((code for code, failed in checks if failed), "UPTAKE_GOOD")


@cache
def _essential() -> frozenset[str]:
    facts = reference.table("amino_acids")
    return frozenset(facts.loc[facts["essential"].astype(bool), "name"])


def _demand(config: ExperimentConfig, who: dict[str, Any]) -> float:
    cell, s = config.cell_lines[who["cell_line"]], config.settings
    usual = s.protein_pg_adherent if cell.growth_mode == "adherent" else s.protein_pg_suspension
    return protein_demand_fmol(who["amino_acid"], cell.protein_pg_per_cell or usual)


OF_TABLES = (
    "UPTAKE_ABOVE_RANGE",
    "UPTAKE_BELOW_RANGE",
    "UPTAKE_EVAPORATION",
    "UPTAKE_SAMPLE_ABSENT",
)
"""Codes that are told as findings of a whole table: a row shows their title alone."""


def _words(code: str, row: dict[str, Any], config: ExperimentConfig) -> dict[str, str]:
    """Note and advice of a code, the design's change in numbers."""
    change = abs(row.get("change_percent", math.nan))
    s = config.settings
    factor = s.min_uptake_change_percent / change if change > 0 else math.nan
    left = row.get("supply_left", math.nan)
    spare = (1 - left) / (1 - s.min_supply_left) if left < s.min_supply_left else 1.0
    values = {
        "change": change,
        "factor": min(factor, 99.0),
        "supply": row.get("blank_uM", math.nan),
        "lower": row.get("blank_uM", math.nan) / factor if factor == factor else math.nan,
        "left": 100 * left,
        "cv": row.get("blank_cv_percent", math.nan),
        "spare": 2 * spare,
        **s.model_dump(),
    }
    entry = codes()[code]
    if code in OF_TABLES:
        return {"note": entry.title, "advice": ""}
    return {"note": say(entry.sentence, "", values), "advice": say(entry.remedy, "", values)}


def _over_experiments(table: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """Mean and t interval of each rate over experiments, and the gate of the mean."""
    rows = []
    keys = ["cell_line", "medium", "condition", "amino_acid"]
    for names, own in table.groupby(keys, sort=False):
        who = dict(zip(keys, names, strict=True))
        known = own.dropna(subset="v_fmol_per_cell_h")
        row: dict[str, Any] = who | {"replicate": ALL}
        if known.empty:
            rows.append(own.iloc[0].to_dict() | row | {"n_points": 0})
            continue
        row |= {name: float(known[name].mean()) for name in (*MEASURES, "k_decay_per_h")}
        row["blank_cv_percent"] = float(np.sqrt(np.mean(known["blank_cv_percent"] ** 2)))
        interval = over_experiments(known["v_fmol_per_cell_h"])
        row |= {"ci_low": interval.low, "ci_high": interval.high, "n_points": len(known)}
        spread = known["change_percent"].std(ddof=1) / math.sqrt(len(known))
        if len(known) > 1 and spread > 0:
            row["change_over_se"] = abs(row["change_percent"]) / spread
        row["method"] = known["method"].iloc[0]
        code = _gate(row, row["method"], who, config)
        gate = "fail" if code in FAILS else "provisional" if code in DOUBTS else "pass"
        rows.append(row | {"gate": gate, "code": code} | _words(code, row, config))
    return pd.DataFrame(rows)
