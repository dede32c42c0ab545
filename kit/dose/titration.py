"""A nutrient's rising curve: how much of it a line needs, beside what cells were left with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from kit.core.columns import check, empty
from kit.core.findings import Finding
from kit.dose.curves import ALL, LINE

Row = dict[Any, Any]
LEVELS = {"stasis": 0.0, "gr60": 0.6}
"""Names of the responses whose dose is read from the curve on GR."""


def dose_for(row: Any, share: float) -> float:
    """The dose at a share of the way from the lower to the upper plateau of a rising curve,
    EC50 (share / (1 - share))^(1/h); NaN beyond half a log step outside the doses.

    >>> round(dose_for({"ic50_relative": 2.0, "hill": 2.0, "aoc_low_c": 0.1, "aoc_high_c": 99.0},
    ...                0.9), 9)
    6.0
    """
    if not 0 < share < 1:
        return math.nan
    dose = float(row["ic50_relative"] * (share / (1 - share)) ** (1 / row["hill"]))
    step = math.sqrt(10)
    return dose if row["aoc_low_c"] / step <= dose <= row["aoc_high_c"] * step else math.nan


def titration(responses: pd.DataFrame) -> pd.DataFrame:
    """A row for each line, nutrient and medium with rising doses, on GR: EC50, EC90 (sustains 90 %
    of what the nutrient gives), and the doses of GR 0 (stasis) and GR 0.6, each the mean of log10
    over biological replicates with a t interval from three on. Doses include the carry-over.

    A line that grows at the lowest dose has no EC50: `ec50_text` says that it lies below.
    """
    rows = []
    rising = responses[responses["direction"].eq("rising") & responses["scale"].eq("gr")]
    for key, part in rising.groupby(LINE, sort=False):
        line = part[part["replicate"].eq(ALL)].iloc[0]
        single = part[part["replicate"].ne(ALL)].to_dict("records")
        row = dict(zip(LINE, key, strict=True)) | {"n_replicates": len(single)}
        row |= {"unit": line["unit"], "status": line["status"], "ec50_text": line["ic50_text"]}
        rows.append(row | _doses(single, bool(line["reportable"])) | _said(line))
    return check(pd.DataFrame(rows), "titration") if rows else empty("titration")


def _doses(curves: Sequence[Row], reportable: bool) -> Row:
    found: Row = {}
    for name, share in (("ec50", lambda _: 0.5), ("ec90", lambda _: 0.9)):
        values = [dose_for(one, share(one)) for one in curves] if reportable else []
        found |= _mean(name, values)
    for name, level in LEVELS.items():
        values = [dose_for(one, _share(one, level)) for one in curves] if reportable else []
        found |= _mean(name, values)
    return found


def _share(curve: Row, level: float) -> float:
    span = curve["top"] - curve["bottom"]
    return (level - curve["bottom"]) / span if span > 0 else math.nan


def _mean(name: str, doses: Sequence[float]) -> Row:
    """Mean of log10 with its t interval; missing where a replicate has none."""
    logs = np.log10(np.array(doses, float)) if len(doses) else np.array([math.nan])
    if not np.isfinite(logs).all():
        return dict.fromkeys((name, f"{name}_ci_low", f"{name}_ci_high"), math.nan)
    half = math.nan
    if len(logs) >= 3:
        half = float(stats.t.isf(0.025, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs)))
    mean = float(logs.mean())
    ends = {f"{name}_ci_low": 10 ** (mean - half), f"{name}_ci_high": 10 ** (mean + half)}
    return {name: 10**mean} | ends


def _said(line: Any) -> Row:
    if not line["reportable"] and line["censored"] != "left":
        return {"note": line["note"], "code": line["code"]}
    found = Finding("TITRATION_NEEDS" if line["reportable"] else "TITRATION_NO_NEED", "info")
    return {"note": found.phrase, "code": found.code}


def with_measured_need(
    carryover: pd.DataFrame, table: pd.DataFrame, assumed_uM: float
) -> pd.DataFrame:
    """`carryover` with `need_uM`, the concentration that gives half of what the amino acid gives:
    the EC50 that this experiment measured for the line, else for asparagine the lower end of the
    assumed range; `need_source` says which.
    """
    sound = table[table["unit"].str.casefold().eq("um") & table["ec50"].notna()]
    keys = zip(sound["cell_line"], sound["agent"].str.casefold(), strict=True)
    measured = dict(zip(keys, sound["ec50"], strict=True))
    asked = list(zip(carryover["cell_line"], carryover["amino_acid"], strict=True))
    usual = {"asparagine": assumed_uM}
    return carryover.assign(
        need_uM=[measured.get(key, usual.get(key[1], math.nan)) for key in asked],
        need_source=[
            "measured here" if key in measured else "assumed" if key[1] in usual else ""
            for key in asked
        ],
    )
