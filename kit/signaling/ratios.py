"""Bands -> one log2 ratio per lane: the phosphorylated band over total protein of the same kind,
and the reason where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kit.core.errors import Problems
from kit.core.findings import codes, say
from kit.readers.blots.densitometry import net_volume
from kit.signaling import names

ARM = ["genotype", "drug", "stimulus"]
SAMPLE = ["experiment", *ARM]
COLUMNS = (
    "experiment", "membrane", "lane", "lane_role", "genotype", "drug", "stimulus", "target",
    "phospho", "phospho_gross", "total", "total_gross", "total_protein", "log2_ratio",
    "normaliser", "excluded", "code", "note",
)  # fmt: skip


def combine(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Bands of all files as one table; a membrane's name that several experiments use is told
    apart by the experiment. Raises InputError where a lane's target stands in two files.
    """
    bands = pd.concat(tables, ignore_index=True)
    shared = bands.groupby("membrane")["experiment"].transform("nunique") > 1
    keys = ["membrane", "lane", "target"]
    if bands.duplicated(keys).any():
        label = bands["membrane"].astype(str) + " (experiment " + bands["experiment"].astype(str)
        bands["membrane"] = bands["membrane"].astype(str).where(~shared, label + ")")
    problems = Problems()
    for row in bands[bands.duplicated(keys)].drop_duplicates(keys).to_dict("records"):
        what = f"membrane {row['membrane']}, lane {row['lane']} has {row['target']} in two files"
        problems.say(row.get("file", ""), "", what, "Name each membrane differently.")
    problems.raise_if_any()
    return bands


def lane_ratios(bands: pd.DataFrame) -> pd.DataFrame:
    """One row per lane and phosphorylated target, `log2_ratio` = log2[(p - bg)/(T - bg)].

    `bands` is the table of `kit.signaling.bands`, of all experiments. The total stands on the same
    membrane, else on another membrane that holds the same sample of the same experiment
    (`normaliser` says which). A lane that cannot be quantified has no ratio, and its `code` says
    why.
    """
    bands = bands.assign(net=net_volume(bands))
    index = _Index(bands)
    rows = []
    for band in bands[bands["target"].isin(names.TOTALS)].to_dict("records"):
        total = index.partner(band, names.TOTALS[str(band["target"])])
        loaded = index.partner(band, "total_protein")
        rows.append(_row(band, total, loaded))
    return pd.DataFrame(rows, columns=list(COLUMNS))


class _Index:
    """Finds the band of a target that belongs to the same lane, or the same sample elsewhere."""

    def __init__(self, bands: pd.DataFrame) -> None:
        self.by_lane: dict[tuple, dict] = {}
        self.by_sample: dict[tuple, list[dict]] = {}
        for band in bands.to_dict("records"):
            self.by_lane[(band["membrane"], str(band["lane"]), band["target"])] = band
            key = (*(band[name] for name in SAMPLE), band["target"])
            self.by_sample.setdefault(key, []).append(band)

    def partner(self, band: Mapping[Any, Any], target: str) -> Mapping[Any, Any] | None:
        """The band of `target` for the lane of `band`; None where there is none, or more than one
        on other membranes and none of the same lane number.
        """
        own = self.by_lane.get((band["membrane"], str(band["lane"]), target))
        if own is not None:
            return own
        others = self.by_sample.get((*(band[name] for name in SAMPLE), target), [])
        same = [other for other in others if str(other["lane"]) == str(band["lane"])]
        found = same if len(same) == 1 else others
        return found[0] if len(found) == 1 else None


def _row(
    band: Mapping[Any, Any], total: Mapping[Any, Any] | None, loaded: Mapping[Any, Any] | None
) -> dict[str, Any]:
    code = next(_faults(band, total), "")
    value = math.nan
    if not code and total is not None:
        value = float(np.log2(band["net"] / total["net"]))
    elsewhere = total is not None and total["membrane"] != band["membrane"]
    name = "" if total is None else str(total["target"])
    reason = band["exclusion_reason"] or "no reason given"
    return {
        **{key: band[key] for key in ("membrane", "lane", "lane_role", "target", *SAMPLE)},
        "phospho": band["net"],
        "phospho_gross": band["volume"],
        "total": math.nan if total is None else total["net"],
        "total_gross": math.nan if total is None else total["volume"],
        "total_protein": math.nan if loaded is None else loaded["net"],
        "log2_ratio": value,
        "normaliser": f"{name} (membrane {total['membrane']})" if elsewhere else name,  # type: ignore[index]
        "excluded": bool(code),
        "code": code,
        "note": words(code, band, reason=reason) if code else "",
    }


def _faults(band: Mapping[Any, Any], total: Mapping[Any, Any] | None) -> Iterator[str]:
    """Codes of what keeps a lane from having a ratio, the gravest first."""
    if band["excluded"] or (total is not None and total["excluded"]):
        yield "MTORC1_LANE_EXCLUDED"
    if total is None:
        yield "MTORC1_NO_TOTAL"
    if _is_true(band["saturated"]) or (total is not None and _is_true(total["saturated"])):
        yield "MTORC1_SATURATED"
    if not band["net"] > 0:
        yield "MTORC1_BELOW_BACKGROUND"
    if total is not None and not total["net"] > 0:
        yield "MTORC1_TOTAL_BELOW_BACKGROUND"


def _is_true(value: Any) -> bool:
    return bool(value) if not pd.isna(value) else False


def words(code: str, lane: Mapping[Any, Any], **values: Any) -> str:
    """The sentence of a code about one lane."""
    return say(codes()[code].sentence, lane_name(lane), {"target": lane.get("target"), **values})


def lane_name(lane: Mapping[Any, Any]) -> str:
    """How a lane is named to people: `E1A, lane 3 (WT, BFA, Leu, experiment 1)`."""
    sample = ", ".join(str(lane[name]) for name in ARM)
    if lane["stimulus"] == names.REFERENCE:
        sample = "reference"
    return f"{lane['membrane']}, lane {lane['lane']} ({sample}, experiment {lane['experiment']})"
