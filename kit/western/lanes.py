"""Bands -> lanes of a blot: net volume, mass, normaliser, load, and ASNS relative to the reference
lanes of the same membrane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kit.config.settings import Settings
from kit.core.reference import line_letters
from kit.readers.blots.densitometry import net_volume
from kit.western.antibody import not_linear, purposes, series
from kit.western.conditions import BASAL
from kit.western.ladder import LadderFit, fit_ladder
from kit.western.rows import JUDGED

NOT_CONTROLS = frozenset(
    {"ASNS", "total_protein", "ladder", "off_target", "ATF4", "p-eIF2a", "CHOP"}
)
"""Targets that are never a loading control; any other name is one."""


def membrane_ladders(bands: pd.DataFrame) -> dict[str, LadderFit]:
    """Ladder fit of each membrane whose ladder rows carry both Rf and mass."""
    marks = bands[(bands["target"] == "ladder") & bands["rf"].notna() & bands["mw_kDa"].notna()]
    fits = {
        str(membrane): fit_ladder(group["rf"], group["mw_kDa"])
        for membrane, group in marks.groupby("membrane", sort=False)
    }
    return {membrane: fit for membrane, fit in fits.items() if fit is not None}


def with_masses(bands: pd.DataFrame, ladders: dict[str, LadderFit]) -> pd.DataFrame:
    """`bands` with `mw_kDa` from the membrane's own ladder wherever a band has an Rf; a stated mass
    stays where there is no ladder.
    """
    bands = bands.copy()
    for membrane, fit in ladders.items():
        here = (
            (bands["membrane"].astype(str) == membrane)
            & (bands["target"] != "ladder")
            & bands["rf"].notna()
        )
        bands.loc[here, "mw_kDa"] = fit.mass(bands.loc[here, "rf"])
    return bands


_CARRIED = (
    "membrane",
    "lane",
    "cell_line",
    "replicate",
    "lane_role",
    "condition",
    "starved",
    "antibody",
)
_LANE = (
    *_CARRIED,
    "load",
    "asns",
    "off_target",
    "off_target_share",
    "mw_kDa",
    "snr",
    "asns_saturated",
    "saturated",
    "saturation_known",
    "atf4",
)


def lane_table(bands: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """One row per lane: net `asns`, `off_target` and `atf4`, `mw_kDa` of the ASNS band, `snr`,
    `saturated` (any band of the antibody), the
    membrane's `normaliser` and its name, `lane_factor`, `per_load` (ASNS over the normaliser), the
    membrane's `purpose`, and `not_linear`.

    ASNS is what lies within the mass limit of 64 kDa (all ASNS rows where no mass is known); the
    rest of the antibody's bands are off-target.
    `bands` carries `condition` and `starved` (`kit.western.conditions.with_conditions`).
    """
    named = bands["antibody"].fillna("") if "antibody" in bands else ""
    bands = bands.assign(
        net=net_volume(bands), antibody=named, saturated=bands["saturated"].astype("boolean")
    )
    bands = bands[~bands["lane_role"].isin(["ladder", "background"])]
    groups = [group for _, group in bands.groupby(["membrane", "lane"], sort=False)]
    lanes = pd.DataFrame([_lane(group, settings) for group in groups], columns=list(_LANE))
    lanes = pd.concat([lanes, _normalisers(bands, groups)], axis=1)
    judged = lanes["normaliser"].where(lanes["lane_role"].isin(JUDGED))
    lanes["lane_factor"] = lanes["normaliser"] / judged.groupby(lanes["membrane"]).transform("mean")
    lanes["ratio"] = (lanes["asns"] / lanes["normaliser"]).where(lanes["normaliser"] > 0)
    lanes["normalised"] = (
        lanes["normaliser_name"].ne("").groupby(lanes["membrane"]).transform("any")
    )
    full = lanes["saturated"] | lanes["normaliser_saturated"]
    lanes["per_load"] = lanes["ratio"].where(lanes["normalised"], lanes["asns"]).where(~full)
    lanes["atf4"] = (lanes["atf4"] / lanes["normaliser"]).where(lanes["normalised"], lanes["atf4"])
    lanes["purpose"] = purposes(lanes)
    lanes["not_linear"] = not_linear(lanes, series(lanes, settings))
    return lanes


def _lane(group: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    first = group.iloc[0]
    own = group[group["target"] == "ASNS"]
    error = (own["mw_kDa"] / settings.asns_mw_kDa - 1).abs() * 100
    on = own[~(error > settings.fail_mw_error_percent)]
    stray = pd.concat(
        [own[error > settings.fail_mw_error_percent], group[group["target"] == "off_target"]]
    )
    off = float(stray["net"].clip(lower=0).sum())
    asns = float(on["net"].sum()) if len(on) else (math.nan if len(own) or not len(stray) else 0.0)
    whole = off + max(asns, 0.0) if math.isfinite(asns) else off
    antibodys = pd.concat([own, stray])["saturated"]
    atf4 = group.loc[group["target"] == "ATF4", "net"]
    return {
        **{key: first[key] for key in _CARRIED},
        "load": float(first["load"]) if "load" in group else math.nan,
        "asns": asns,
        "off_target": off,
        "off_target_share": (
            off / whole if whole > 0 and (len(stray) or own["mw_kDa"].notna().any()) else math.nan
        ),
        "mw_kDa": _weighted_mass(on if len(on) else own),
        "snr": float(on["snr"].max()) if "snr" in group and len(on) else math.nan,
        "asns_saturated": bool(on["saturated"].fillna(False).any()),
        "saturated": bool(antibodys.fillna(False).any()),
        "saturation_known": bool(group["saturated"].notna().all()),
        "atf4": float(atf4.sum()) if len(atf4) else math.nan,
    }


def _weighted_mass(bands: pd.DataFrame) -> float:
    """Mass of the strongest band; NaN when none is known."""
    known = bands.dropna(subset=["mw_kDa", "net"])
    return (
        float(known["mw_kDa"].to_numpy()[known["net"].to_numpy().argmax()])
        if len(known)
        else math.nan
    )


def _normalisers(bands: pd.DataFrame, groups: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """`normaliser`, its name and whether it is saturated, per lane: the same for every lane of a
    membrane, nothing where a lane lacks it.
    """
    chosen = {membrane: _shared(own) for membrane, own in bands.groupby("membrane", sort=False)}
    rows = [_normaliser(group, chosen[group["membrane"].iloc[0]]) for group in groups]
    return pd.DataFrame(rows, columns=["normaliser", "normaliser_name", "normaliser_saturated"])


def _shared(bands: pd.DataFrame) -> tuple[str, ...]:
    """What normalises a membrane: total protein where every sample and reference lane has it, else
    the loading controls that all of them
    have, else what most of them have. Two lanes divided by different things have no ratio."""
    loaded = bands[bands["lane_role"].isin(["sample", "reference"])]
    loaded = loaded if len(loaded) else bands
    lanes = loaded["lane"].nunique()
    able = bands["target"].eq("total_protein") | ~bands["target"].isin(NOT_CONTROLS)
    held = {
        str(name): own["lane"].nunique()
        for name, own in loaded[able.reindex(loaded.index)].groupby("target")
    }
    if held.get("total_protein") == lanes:
        return ("total_protein",)
    common = tuple(name for name, count in held.items() if count == lanes)
    if common or not held:
        return common
    return (max(held, key=lambda name: (held[name], name == "total_protein")),)


def _normaliser(group: pd.DataFrame, names: tuple[str, ...]) -> dict[str, Any]:
    """The geometric mean of the lane's targets `names`; not a number where one is missing or not
    above background.
    """
    own = group[group["target"].isin(names)]
    sums = own.groupby("target")["net"].sum()
    if not names or len(sums) < len(names):
        return {"normaliser": math.nan, "normaliser_name": "", "normaliser_saturated": False}
    value = float(np.exp(np.log(sums).mean())) if (sums > 0).all() else math.nan
    full = bool(own["saturated"].fillna(False).any())
    return {
        "normaliser": value,
        "normaliser_name": " and ".join(sums.index),
        "normaliser_saturated": full,
    }


def relative_to_reference(lanes: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """`lanes` with `asns_relative` R, `reference`, what R is relative to ("pooled reference", the
    high lines, or empty: none), and
    `reference_spread`, the highest over the lowest pooled lane.

    Without a normaliser anywhere on a membrane the raw volumes are compared, and the row says so.
    Saturated lanes give no R.
    """
    parts = []
    for _, group in lanes.groupby("membrane", sort=False):
        group, value = group.copy(), group["per_load"]
        pooled = value[(group["lane_role"] == "reference") & value.notna()]
        basal_high = group["cell_line"].map(lambda line: _is_high(line, settings)) & group[
            "condition"
        ].eq(BASAL)
        stand_in = value[(group["lane_role"] == "sample") & basal_high & value.notna()]
        base = pooled if len(pooled) else stand_in
        level = float(base.mean()) if len(base) and base.mean() > 0 else math.nan
        group["asns_relative"] = value / level
        group["reference"] = (
            ("pooled reference" if len(pooled) else "high lines") if math.isfinite(level) else ""
        )
        group["reference_spread"] = _fold(pooled)
        parts.append(group)
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else lanes.assign(asns_relative=math.nan, reference="", reference_spread=math.nan)
    )


def _fold(values: pd.Series) -> float:
    """Highest over lowest; infinite where one of several is not above background, not a number
    below two.
    """
    if len(values) < 2:
        return math.nan
    return float(values.max() / values.min()) if values.min() > 0 else math.inf


def _is_high(line: object, settings: Settings) -> bool:
    return line_letters(str(line)) in {line_letters(name) for name in settings.asns_high_lines}
