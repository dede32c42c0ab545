"""What a blot's antibody is worth: proportional to load (a dilution series), and silent without
ASNS (a knockout or siRNA lane).

Both are properties of the antibody, so one dedicated blot serves every membrane on which it is
used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kit.config.settings import Settings
from kit.western.rows import lane_name, row

UNNAMED = "the ASNS antibody"
_MIN_LOADS, _FULL_LOADS = 3, 5


def purposes(lanes: pd.DataFrame) -> pd.Series:
    """What each lane's membrane is for: `quantify`, or a dedicated `series` or `knockout` blot,
    which has no lines to quantify.

    A blot without reference lanes whose every line stands beside its own knockout is a knockout
    blot.
    """
    found = {}
    for membrane, own in lanes.groupby("membrane", sort=False):
        roles, nulls = (
            set(own["lane_role"]),
            set(own.loc[own["lane_role"] == "knockout", "cell_line"]),
        )
        parents = set(own.loc[own["lane_role"] == "sample", "cell_line"])
        dedicated = "knockout" in roles and "reference" not in roles and parents <= nulls
        found[membrane] = (
            "series" if roles <= {"dilution"} else "knockout" if dedicated else "quantify"
        )
    return lanes["membrane"].map(found)


def series(lanes: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """One row per dilution series (an antibody on a membrane): `antibody`, `membrane`, `loads`,
    `r2`, `verdict`.
    """
    usable = lanes[
        (lanes["lane_role"] == "dilution")
        & (lanes["load"] > 0)
        & lanes["asns"].notna()
        & ~lanes["saturated"]
    ]
    rows = []
    for (antibody, membrane), own in usable.groupby(["antibody", "membrane"], sort=False):
        loads = own["load"].nunique()
        if loads >= _MIN_LOADS:
            _, r2 = proportionality(own["load"], own["asns"])
            verdict = (
                "pass" if r2 >= settings.min_western_linearity_r2 else "fail"
            )  # not a number is no proof
            rows.append(
                (
                    antibody,
                    membrane,
                    loads,
                    r2,
                    "warn" if verdict == "pass" and loads < _FULL_LOADS else verdict,
                )
            )
    return pd.DataFrame(rows, columns=["antibody", "membrane", "loads", "r2", "verdict"])


def not_linear(lanes: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Whether a lane's ratios are void: the series on its own membrane failed, or, where it has
    none, any series of its antibody did.
    """
    failed = {
        (row["antibody"], row["membrane"]): row["verdict"] == "fail"
        for row in found.to_dict("records")
    }
    anywhere = {antibody for (antibody, _), bad in failed.items() if bad}
    keys = zip(lanes["antibody"], lanes["membrane"])
    return pd.Series(
        [failed.get(key, key[0] in anywhere) for key in keys], index=lanes.index, dtype=bool
    )


def proportionality(load: ArrayLike, signal: ArrayLike) -> tuple[float, float]:
    """Slope and R2 of signal = slope * load. R2 is against the mean, as for any line: against 0 it
    would flatter every series.
    """
    x, y = np.asarray(load, float), np.asarray(signal, float)
    slope = float(x @ y / (x @ x))
    spread = float(((y - y.mean()) ** 2).sum())
    return slope, 1 - float(((y - slope * x) ** 2).sum()) / spread if spread > 0 else math.nan


def linearity_rows(lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W03: each dilution series, and each antibody that has none."""
    found = series(lanes, settings)
    for one in found.to_dict("records"):
        subject = f"{one['membrane']} ({_named(one['antibody'])})"
        code = "W03_NOT_LINEAR" if one["verdict"] == "fail" else "W03_SERIES"
        values = {"r2": f"{one['r2']:.3f}", "loads": one["loads"]}
        yield row(code, subject, one["verdict"], settings, **values)
    for antibody in dict.fromkeys(lanes["antibody"]):
        if antibody not in set(found["antibody"]):
            yield row("W03_NO_SERIES", _named(antibody), "warn", settings)


def specificity_rows(lanes: pd.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """W10: each knockout or siRNA lane against the same line's own lanes of its membrane or else
    the reference, and each antibody that has none.
    """
    null = lanes[lanes["lane_role"] == "knockout"]
    losses = [
        (lane, *_loss(lane, lanes[lanes["membrane"] == lane["membrane"]]))
        for lane in null.to_dict("records")
    ]
    for lane, loss, basis in losses:
        if math.isnan(loss):
            yield row("W10_UNKNOWN", lane_name(lane), "warn", settings, why=basis)
            continue
        verdict = "pass" if loss >= settings.min_knockout_loss_percent else "warn"
        values = {"loss": f"{loss:.0f}", "basis": basis}
        yield row("W10_KNOCKOUT", lane_name(lane), verdict, settings, **values)
    judged = {lane["antibody"] for lane, loss, _ in losses if not math.isnan(loss)}
    for antibody in dict.fromkeys(lanes["antibody"]):
        if antibody not in judged:
            yield row("W10_UNVALIDATED", _named(antibody), "warn", settings)


def _loss(lane: dict[Any, Any], own: pd.DataFrame) -> tuple[float, str]:
    """Percent of signal lost in a knockout lane, and against what; the reference is its membrane's
    own, so any common unit serves.
    """
    parent = own[
        (own["lane_role"] == "sample")
        & (own["cell_line"] == lane["cell_line"])
        & (own["condition"] == lane["condition"])
    ]
    level = parent["per_load"].mean()
    basis = "its parent"
    if not level > 0:
        level, basis = own.loc[own["lane_role"] == "reference", "per_load"].mean(), "the reference"
    if not level > 0:
        return math.nan, "neither its parent nor a reference lane can be quantified on its membrane"
    if math.isnan(lane["per_load"]):
        return math.nan, "it cannot be quantified"
    return 100 * (1 - lane["per_load"] / level), basis


def _named(antibody: str) -> str:
    return f"antibody {antibody}" if antibody else UNNAMED
