"""Uptake per new cell against intracellular asparagine -> the contract's `exchange`: what the
slopes say, how strong the evidence is, and what else would explain it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from kit.config.model import ExperimentConfig
from kit.core.columns import check, empty
from kit.core.findings import Finding, codes, say
from kit.exchange import elasticity as slopes
from kit.exchange.reading import UptakeData
from kit.exchange.uptake import ALL

TESTED = ("serine", "arginine", "histidine", "leucine")
CODE = {
    slopes.SUPPORTS: "EXCHANGE_SUPPORTS",
    slopes.FOLLOWS: "EXCHANGE_FOLLOWS",
    slopes.INCONCLUSIVE: "EXCHANGE_INCONCLUSIVE",
}


def exchange(rates: pd.DataFrame, data: UptakeData, config: ExperimentConfig) -> pd.DataFrame:
    """The contract's `exchange`: one row per line and amino acid under test. `slope` is ε with its
    95 % interval. Further columns: `delta`, `delta_low`, `delta_high`, `epsilon_high90`,
    `delta_high90`, `slope_of_v`, `p_adjusted`, `verdict`, `code`, `provisional`, `controls`.
    """
    if data.intracellular is None or rates.empty:
        return empty("exchange")
    controls = list(dict.fromkeys(name for e in config.uptake for name in e.negative_controls))
    rows = []
    for line, own in rates.groupby("cell_line", sort=False):
        tested = [name for name in TESTED if own["amino_acid"].eq(name).any()]
        single = _with_asparagine(own[own["replicate"].ne(ALL)], data.intracellular)
        per = {name: _per_experiment(single, name) for name in [*tested, *controls]}
        known = [per[name]["epsilon"] for name in controls if not per[name].empty]
        shared = pd.concat(known, axis=1).mean(axis=1) if known else pd.Series(dtype=float)
        found = [
            slopes.elasticity(
                name,
                per[name]["epsilon"],
                per[name]["raw"],
                shared.reindex(per[name].index).to_numpy(float),
            )
            for name in tested
        ]
        for item, p in zip(found, slopes.adjusted(found), strict=True):
            whole = own[own["replicate"].eq(ALL) & own["amino_acid"].eq(item.amino_acid)]
            rows.append(
                {"cell_line": line} | _row(item, p, whole, controls, data, str(line), config)
            )
    return check(pd.DataFrame(rows), "exchange") if rows else empty("exchange")


def per_experiment(
    rates: pd.DataFrame, data: UptakeData, amino_acids: Sequence[str] = TESTED
) -> pd.DataFrame:
    """ε of each experiment, for the figure: cell_line, amino_acid, replicate, epsilon, raw."""
    if data.intracellular is None:
        return pd.DataFrame(columns=["cell_line", "amino_acid", "replicate", "epsilon", "raw"])
    joined = _with_asparagine(rates[rates["replicate"].ne(ALL)], data.intracellular)
    parts = [
        _per_experiment(own, name).reset_index().assign(cell_line=line, amino_acid=name)
        for line, own in joined.groupby("cell_line", sort=False)
        for name in amino_acids
    ]
    return pd.concat(parts, ignore_index=True)


def _with_asparagine(rates: pd.DataFrame, inside: pd.DataFrame) -> pd.DataFrame:
    keys = ["replicate", "cell_line", "medium", "condition"]
    means = inside.groupby(keys, as_index=False)["asparagine"].mean()
    means["replicate"] = means["replicate"].astype(str)
    return rates.assign(replicate=rates["replicate"].astype(str)).merge(
        means, on=keys, how="inner", validate="many_to_one"
    )


def _per_experiment(joined: pd.DataFrame, amino_acid: str) -> pd.DataFrame:
    own = joined[joined["amino_acid"].eq(amino_acid)]
    rows = {
        replicate: (
            slopes.slope(arms["asparagine"], arms["v_per_new_cell_fmol"]),
            slopes.slope(arms["asparagine"], arms["v_fmol_per_cell_h"]),
        )
        for replicate, arms in own.groupby("replicate")
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["epsilon", "raw"], dtype=float)
    return frame.rename_axis("replicate")


def _row(
    item: slopes.Elasticity,
    p: float,
    arms: pd.DataFrame,
    controls: Sequence[str],
    data: UptakeData,
    line: str,
    config: ExperimentConfig,
) -> dict[str, object]:
    s = config.settings
    verdict = slopes.verdict(item, p, s.min_exchange_elasticity, s.alpha)
    code = CODE[verdict]
    if invalid := _invalid(item, arms, config):
        verdict, code = slopes.INVALID, invalid
    weak = arms["change_percent"].abs().min() < s.min_uptake_change_percent
    provisional = bool(verdict == slopes.SUPPORTS and weak)
    grade = _grade(verdict, item, data.transport, line)
    values = {
        "slope": item.epsilon.estimate,
        "delta": item.delta.estimate,
        "limit": s.min_exchange_elasticity,
        "n": item.epsilon.n,
        "left": 100 * arms["supply_left"].min(),
        "change": arms["change_percent"].abs().min(),
        "controls": list(controls),
        "doublings": arms["doublings"].min(),
    }
    note = say(codes()[code].sentence, item.amino_acid, values)
    if provisional:
        note += " " + say(codes()["EXCHANGE_PROVISIONAL"].sentence, item.amino_acid, values)
    return {
        "amino_acid": item.amino_acid,
        "slope": item.epsilon.estimate,
        "ci_low": item.epsilon.low,
        "ci_high": item.epsilon.high,
        "p": item.p,
        "n_experiments": item.epsilon.n,
        "grade": grade,
        "note": note,
        "code": code,
        "verdict": verdict,
        "provisional": provisional,
        "p_adjusted": p,
        "delta": item.delta.estimate,
        "delta_low": item.delta.low,
        "delta_high": item.delta.high,
        "epsilon_high90": item.epsilon.high90,
        "delta_high90": item.delta.high90,
        "slope_of_v": item.raw.estimate,
        "controls": ", ".join(controls),
    }


def _invalid(item: slopes.Elasticity, arms: pd.DataFrame, config: ExperimentConfig) -> str:
    """The gate that makes the test invalid, "" where none does; judged on means over experiments."""
    s = config.settings
    known = arms.dropna(subset="v_fmol_per_cell_h")
    if known.empty or item.raw.n == 0:
        return "EXCHANGE_NO_DATA"
    if known["supply_left"].min() < s.min_supply_left:
        return "EXCHANGE_EXHAUSTED"
    unsure = known["code"].isin(["UPTAKE_UNSURE", "UPTAKE_NOISY", "UPTAKE_UNIT"])
    if known["change_percent"].abs().min() < s.provisional_uptake_change_percent or unsure.any():
        return "EXCHANGE_UNMEASURABLE"
    if item.epsilon.n < item.raw.n or known["doublings"].min() < s.min_doublings_for_growth:
        return "EXCHANGE_NO_GROWTH"
    if item.epsilon.n < 2:
        return "EXCHANGE_TOO_FEW"
    return ""


def _grade(verdict: str, item: slopes.Elasticity, transport: pd.DataFrame | None, line: str) -> str:
    """How strong the evidence is; slopes alone never go beyond `growth_corrected`."""
    if verdict == slopes.INCONCLUSIVE and item.raw.low > 0:
        return "correlative"
    if verdict != slopes.SUPPORTS:
        return "none"
    if transport is None:
        return "growth_corrected"
    own = transport[transport["cell_line"].eq(line) & transport["amino_acid"].eq(item.amino_acid)]
    stimulated = _stimulation(own[~own["blocked"]], "uptake")
    out = _stimulation(own[~own["blocked"]], "efflux")
    if not (_above_zero(stimulated) and _above_zero(out)):
        return "growth_corrected"
    blocked = _stimulation(own[own["blocked"]], "uptake")
    lost = (stimulated - blocked).dropna()
    return "transporter_dependent" if _above_zero(lost) else "trans_stimulated"


def _stimulation(rows: pd.DataFrame, column: str) -> pd.Series:
    """log2 of preloaded over not preloaded, one value a replicate."""
    logs = np.log2(rows[column].where(rows[column] > 0))
    means = logs.groupby([rows["replicate"], rows["preload"]]).mean().unstack()
    if not {True, False} <= set(means):
        return pd.Series(dtype=float)
    return (means[True] - means[False]).dropna()


def _above_zero(values: pd.Series) -> bool:
    low = slopes.over_experiments(values.to_numpy(float)).low
    return bool(math.isfinite(low) and low > 0)


def exchange_findings(table: pd.DataFrame, rates: pd.DataFrame) -> list[Finding]:
    """For the first screen: what is invalid, and how to change the design."""
    found = []
    bad = table[table["verdict"].eq(slopes.INVALID)] if len(table) else table
    for (line, code), rows in bad.groupby(["cell_line", "code"], sort=False):
        names = list(rows["amino_acid"])
        own = rates[rates["cell_line"].eq(line) & rates["amino_acid"].isin(names)]
        own = own[own["replicate"].eq(ALL) & own["advice"].ne("")]
        advice = str(own.sort_values("change_percent")["advice"].iloc[0]) if len(own) else ""
        values = {"amino_acids": names, "what": codes()[str(code)].title.lower()}
        found.append(Finding("EXCHANGE_INVALID", "warn", str(line), values, advised=advice))
    return found
