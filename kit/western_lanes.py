"""Bands -> lanes of a blot: net volume, mass, normaliser, load, and ASNS relative to the reference lanes of the same membrane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from kit.western_ladder import LadderFit, fit_ladder

NOT_CONTROLS = frozenset({"ASNS", "total_protein", "ladder", "off_target", "ATF4", "p-eIF2a", "CHOP"})
"""Targets that are never a loading control; any other name is one."""
BASAL = "basal"
_JUDGED = ("sample", "reference", "knockout")


class WesternLimits(Protocol):
    """The settings this module reads; percents are of the reference lanes."""

    western_loq_snr: float
    asns_mw_kDa: float
    max_mw_error_percent: float
    fail_mw_error_percent: float
    min_lane_factor: float
    max_lane_factor: float
    asns_low_percent: float
    asns_high_percent: float
    asns_floor_percent: float
    max_off_target_share: float
    asns_high_lines: Sequence[str]


def net_volume(bands: pd.DataFrame) -> pd.Series:
    """Volume less background (an empty background is 0: already net); may be negative."""
    return bands["volume"] - bands["background"].fillna(0.0)


def membrane_ladders(bands: pd.DataFrame) -> dict[str, LadderFit]:
    """Ladder fit of each membrane whose ladder rows carry both Rf and mass."""
    marks = bands[(bands["target"] == "ladder") & bands["rf"].notna() & bands["mw_kDa"].notna()]
    fits = {str(membrane): fit_ladder(group["rf"], group["mw_kDa"]) for membrane, group in marks.groupby("membrane", sort=False)}
    return {membrane: fit for membrane, fit in fits.items() if fit is not None}


def with_masses(bands: pd.DataFrame, ladders: dict[str, LadderFit]) -> pd.DataFrame:
    """`bands` with `mw_kDa` from the membrane's own ladder wherever a band has an Rf; a stated mass stays where there is no ladder."""
    bands = bands.copy()
    for membrane, fit in ladders.items():
        here = (bands["membrane"].astype(str) == membrane) & (bands["target"] != "ladder") & bands["rf"].notna()
        bands.loc[here, "mw_kDa"] = fit.mass(bands.loc[here, "rf"])
    return bands


def lane_table(bands: pd.DataFrame, settings: WesternLimits) -> pd.DataFrame:
    """One row per lane: net `asns` and `off_target`, `mw_kDa` of the ASNS band, `snr`, `saturated`, the `normaliser` and its name, `lane_factor`.

    ASNS is what lies within the mass limit of 64 kDa (all ASNS rows where no mass is known); the rest of the antibody's bands are off-target.
    """
    bands = bands.assign(net=net_volume(bands))
    bands = bands[~bands["lane_role"].isin(["ladder", "background"])]
    if "condition" not in bands:
        bands = bands.assign(condition=BASAL)
    rows = [_lane(group, settings) for _, group in bands.groupby(["membrane", "lane"], sort=False)]
    columns = [
        "membrane",
        "lane",
        "cell_line",
        "replicate",
        "lane_role",
        "condition",
        "load",
        "asns",
        "off_target",
        "off_target_share",
        "mw_kDa",
    ]
    lanes = pd.DataFrame(rows, columns=[*columns, "snr", "saturated", "normaliser", "normaliser_name", "normaliser_saturated"])
    judged = lanes["normaliser"].where(lanes["lane_role"].isin(_JUDGED))
    lanes["lane_factor"] = lanes["normaliser"] / judged.groupby(lanes["membrane"]).transform("mean")
    lanes["ratio"] = (lanes["asns"] / lanes["normaliser"]).where(lanes["normaliser"] > 0)
    return lanes


def _lane(group: pd.DataFrame, settings: WesternLimits) -> dict[str, Any]:
    first = group.iloc[0]
    own = group[group["target"] == "ASNS"]
    error = (own["mw_kDa"] / settings.asns_mw_kDa - 1).abs() * 100
    on = own[~(error > settings.fail_mw_error_percent)]
    stray = pd.concat([own[error > settings.fail_mw_error_percent], group[group["target"] == "off_target"]])
    off = float(stray["net"].clip(lower=0).sum())
    asns = float(on["net"].sum()) if len(on) else (math.nan if len(own) or not len(stray) else 0.0)
    whole = off + max(asns, 0.0) if math.isfinite(asns) else off
    return {
        **{key: first[key] for key in ("membrane", "lane", "cell_line", "replicate", "lane_role", "condition")},
        "load": float(first["load"]) if "load" in group else math.nan,
        "asns": asns,
        "off_target": off,
        "off_target_share": off / whole if whole > 0 and (len(stray) or own["mw_kDa"].notna().any()) else math.nan,
        "mw_kDa": _weighted_mass(on if len(on) else own),
        "snr": float(on["snr"].max()) if "snr" in group and len(on) else math.nan,
        "saturated": bool(on["saturated"].any()),
        **_normaliser(group),
    }


def _weighted_mass(bands: pd.DataFrame) -> float:
    """Mass of the strongest band; NaN when none is known."""
    known = bands.dropna(subset=["mw_kDa", "net"])
    return float(known["mw_kDa"].to_numpy()[known["net"].to_numpy().argmax()]) if len(known) else math.nan


def _normaliser(group: pd.DataFrame) -> dict[str, Any]:
    """Total protein where it was measured, else the geometric mean of the loading controls."""
    total = group[group["target"] == "total_protein"]
    controls = group[~group["target"].isin(NOT_CONTROLS)]
    chosen = total if len(total) else controls
    if chosen.empty:
        return {"normaliser": math.nan, "normaliser_name": "", "normaliser_saturated": False}
    sums = chosen.groupby("target")["net"].sum()
    value = float(np.exp(np.log(sums).mean())) if (sums > 0).all() else math.nan
    return {"normaliser": value, "normaliser_name": " and ".join(sums.index), "normaliser_saturated": bool(chosen["saturated"].any())}


def relative_to_reference(lanes: pd.DataFrame, settings: WesternLimits) -> pd.DataFrame:
    """`lanes` with `asns_relative` R and `reference`, what R is relative to ("pooled reference", the high lines, or empty: none).

    Without a normaliser anywhere on a membrane the raw volumes are compared, and the row says so. Saturated lanes give no R.
    """
    parts = []
    for _, group in lanes.groupby("membrane", sort=False):
        group = group.copy()
        bare = group["normaliser_name"].eq("").all()
        value = group["asns"] if bare else group["ratio"]
        value = value.where(~(group["saturated"] | group["normaliser_saturated"]))
        pooled = value[(group["lane_role"] == "reference") & value.notna()]
        basal_high = group["cell_line"].map(lambda line: _is_high(line, settings)) & group["condition"].eq(BASAL)
        stand_in = value[(group["lane_role"] == "sample") & basal_high & value.notna()]
        base = pooled if len(pooled) else stand_in
        level = float(base.mean()) if len(base) and base.mean() > 0 else math.nan
        group["asns_relative"] = value / level
        group["reference"] = ("pooled reference" if len(pooled) else "high lines") if math.isfinite(level) else ""
        group["normalised"] = not bare
        parts.append(group)
    return pd.concat(parts, ignore_index=True) if parts else lanes.assign(asns_relative=math.nan, reference="", normalised=False)


def _is_high(line: object, settings: WesternLimits) -> bool:
    plain = "".join(char for char in str(line).casefold() if char.isalnum())
    return plain in {"".join(char for char in name.casefold() if char.isalnum()) for name in settings.asns_high_lines}
