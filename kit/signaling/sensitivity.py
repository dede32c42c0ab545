"""How far each contrast depends on what one could have done otherwise: scaling of gels, background,
denominator.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from kit.signaling import names
from kit.signaling.activation import activation, arf1_arm, less, stimuli_of
from kit.signaling.scaling import on_one_scale

CHOICES = {
    "reference": "gels scaled by their shared lanes (used)",
    "unscaled": "gels as they are",
    "geometric_mean": "gels scaled by the geometric mean of their lanes",
    "sum": "each band divided by the gel's sum of its volumes",
    "no_background": "background not subtracted",
    "total_protein": "divided by total protein instead of total S6K",
}
"""choice -> what was done; the first is the one the classes rest on."""
COLUMNS = (
    "choice", "quantity", "stimulus", "estimate", "sd", "n_experiments", "change", "verdict", "code"
)  # fmt: skip
ACTIVATION, RAG, ARF1, BASELINE = "A_WT", "A_WT - A_KO", "A_KO - A_KO,drug", "starved KO - WT"


def values_of(lanes: pd.DataFrame) -> dict[str, pd.Series]:
    """choice -> log2 value of each lane that counts (`log2_ratio` is known)."""
    own = lanes[lanes["log2_ratio"].notna()].copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        own["gross"] = np.log2(own["phospho_gross"] / own["total_gross"])
        own["per_protein"] = np.log2(own["phospho"] / own["total_protein"])
        own["log_phospho"] = np.log2(own["phospho"])
    raw, gels = own["log2_ratio"], own.groupby("membrane")
    sums = np.log2(gels["phospho_gross"].transform("sum") / gels["total_gross"].transform("sum"))
    return {
        "reference": on_one_scale(own),
        "unscaled": raw,
        "geometric_mean": raw - gels["log2_ratio"].transform("mean"),
        "sum": raw - sums,
        "no_background": on_one_scale(own, "gross"),
        "total_protein": on_one_scale(own[own["per_protein"].notna()], "per_protein"),
    }


def sensitivity(lanes: pd.DataFrame, max_change: float) -> pd.DataFrame:
    """Mean over experiments of each contrast under each choice, and its change from the first
    choice; a change above `max_change` (log2) warns. Lanes of the primary target.
    """
    arms = list(lanes[["genotype", "drug", "stimulus"]].itertuples(index=False, name=None))
    rows = []
    for choice, value in values_of(lanes).items():
        own = lanes.loc[value.index].assign(value=value)
        own = own[own["value"].notna() & own["stimulus"].ne(names.REFERENCE)]
        if own.empty:
            continue
        table = own.pivot_table(
            index="experiment", columns=["genotype", "drug", "stimulus"], values="value"
        )
        for quantity, stimulus, weights in _contrasts(arms):
            if all(arm in table for arm in weights):
                each = sum(weight * table[arm] for arm, weight in weights.items()).dropna()
                rows.append(_row(choice, quantity, stimulus, each))
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    used = found[found["choice"].eq("reference")].set_index(["quantity", "stimulus"])["estimate"]
    keys = pd.MultiIndex.from_frame(found[["quantity", "stimulus"]])
    found["change"] = found["estimate"] - used.reindex(keys).to_numpy()
    moves = found["change"].abs() > max_change
    found["verdict"] = np.where(moves, "warn", "pass")
    found["code"] = np.where(moves, "MTORC1_CONTRAST_MOVES", "MTORC1_CONTRAST_STEADY")
    return found


def _contrasts(arms: list[tuple]) -> list[tuple[str, str, dict]]:
    """Every quantity with its stimulus and weights."""
    drug, found = arf1_arm(arms), []
    for stimulus in stimuli_of(arms):
        wild = activation(names.WILD_TYPE, names.VEHICLE, stimulus)
        knock = activation(names.KNOCK_OUT, names.VEHICLE, stimulus)
        found += [(ACTIVATION, stimulus, wild), (RAG, stimulus, less(wild, knock))]
        if drug:
            blocked = activation(names.KNOCK_OUT, drug, stimulus)
            found.append((ARF1, stimulus, less(knock, blocked)))
    starved = {
        (names.KNOCK_OUT, names.VEHICLE, names.STARVED): 1.0,
        (names.WILD_TYPE, names.VEHICLE, names.STARVED): -1.0,
    }
    return [*found, (BASELINE, "", starved)]


def _row(choice: str, quantity: str, stimulus: str, each: pd.Series) -> dict:
    return {
        "choice": choice,
        "quantity": quantity,
        "stimulus": stimulus,
        "estimate": float(each.mean()) if len(each) else math.nan,
        "sd": float(each.std(ddof=1)) if len(each) > 1 else math.nan,
        "n_experiments": len(each),
    }
