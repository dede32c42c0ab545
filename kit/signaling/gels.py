"""Starved beside stimulated: which lanes stand on one gel, and what becomes of those that do not.

On one gel an activation is the same under every scaling. On two gels it rests on the reference
lanes of both; without them it is no measurement.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from kit.signaling import names
from kit.signaling.ratios import lane_name, words
from kit.signaling.scaling import links, reference_lanes

GROUP = ["experiment", "genotype", "drug"]
FAULTS = (
    "MTORC1_SATURATED",
    "MTORC1_BELOW_BACKGROUND",
    "MTORC1_TOTAL_BELOW_BACKGROUND",
    "MTORC1_NO_TOTAL",
)
"""Codes of a lane that was measured and cannot be quantified."""


class Split(NamedTuple):
    """A group of lanes whose starved lane is missing or stands on another gel."""

    code: str
    experiment: int
    group: str
    """genotype and drug"""


def beside_starved(
    lanes: pd.DataFrame, min_reference_lanes: int
) -> tuple[pd.DataFrame, list[Split]]:
    """`lanes` of one target with the stimulated lanes excluded that no starved lane belongs to, and
    every group that is split or incomplete.
    """
    lanes, splits = lanes.copy(), []
    sample = lanes["stimulus"].ne(names.REFERENCE) & lanes["drug"].ne(names.TORIN)
    references = reference_lanes(lanes)
    for (experiment, genotype, drug), group in lanes[sample].groupby(GROUP, sort=False):
        own = lanes[lanes["experiment"].eq(experiment) & lanes["log2_ratio"].notna()]
        starved = group[group["stimulus"].eq(names.STARVED)]
        used = starved[starved["log2_ratio"].notna()]
        stimulated = group[group["stimulus"].ne(names.STARVED) & group["log2_ratio"].notna()]
        apart = stimulated[~stimulated["membrane"].isin(used["membrane"])]
        if apart.empty:
            continue
        if used.empty:
            code = "MTORC1_STARVED_LOST" if len(starved) else "MTORC1_NO_STARVED"
        else:
            joined = _joined(own, apart, used, references, min_reference_lanes)
            code = "MTORC1_SPLIT_GELS" if joined else "MTORC1_SPLIT_UNLINKED"
        if code != "MTORC1_SPLIT_GELS":
            _exclude(lanes, apart, code)
        splits.append(Split(code, int(experiment), f"{genotype} ({drug})"))
    return lanes, splits


def _joined(
    own: pd.DataFrame, apart: pd.DataFrame, used: pd.DataFrame, references: pd.Series, least: int
) -> bool:
    """Whether the gels of some stimulated lanes and of their starved lane hold enough reference
    lanes to be put on one scale.
    """
    group = links(own)
    gels = {*apart["membrane"], *used["membrane"]}
    enough = all(references.get(gel, 0) >= least for gel in gels)
    return enough and len({group[gel] for gel in gels}) == 1


def _exclude(lanes: pd.DataFrame, rows: pd.DataFrame, code: str) -> None:
    """Take the ratio out of `rows` of `lanes`, with its reason."""
    lanes.loc[rows.index, "log2_ratio"] = float("nan")
    lanes.loc[rows.index, "excluded"] = True
    lanes.loc[rows.index, "code"] = code
    lanes.loc[rows.index, "note"] = [
        words(code, row, groups=f"{row['genotype']} ({row['drug']})")
        for row in rows.to_dict("records")
    ]


def lane_faults(lanes: pd.DataFrame, arf1_drug: str | None) -> list[tuple[str, str, str]]:
    """(code, lane, whom it concerns) of lanes that cannot be quantified: a stimulus, `all` for a
    lane that every class rests on, or empty for one that no class needs.
    """
    needed = {(names.WILD_TYPE, names.VEHICLE), (names.KNOCK_OUT, names.VEHICLE)}
    needed |= {(names.KNOCK_OUT, arf1_drug)} if arf1_drug else set()
    found = []
    for lane in lanes[lanes["code"].isin(FAULTS)].to_dict("records"):
        stimulus, torin = lane["stimulus"], lane["drug"] == names.TORIN
        if torin and lane["code"] == "MTORC1_BELOW_BACKGROUND":
            continue  # no signal is what Torin is for
        control = lane["genotype"] == names.WILD_TYPE and (
            torin or (stimulus == names.ALL and lane["drug"] == names.VEHICLE)
        )
        concerns = ""
        if control or stimulus == names.REFERENCE:
            concerns = "all" if control else ""
        elif (lane["genotype"], lane["drug"]) in needed and stimulus != names.ALL:
            concerns = "all" if stimulus == names.STARVED else str(stimulus)
        found.append((str(lane["code"]), lane_name(lane), concerns))
    return found
