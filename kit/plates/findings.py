"""Plate quality as sentences for the first screen: what was missed, what could not be estimated,
and what is only noted.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kit.core.findings import Finding, number, some, title
from kit.plates.growth import SEVERITY

HIGHER_IS_BETTER = (
    "z_prime",
    "robust_z_prime",
    "ssmd",
    "signal_to_background",
    "signal_to_noise",
    "linearity_r2",
)
RANGE = "linearity_slope"  # has a lower and an upper limit


def quality_findings(qc: pd.DataFrame) -> list[Finding]:
    """Failed and doubtful metrics, naming the plates and the worst value: one finding per metric,
    severity and code.
    """
    bad = qc[qc["verdict"].isin(["warn", "fail"])]
    bad = bad[~_said_by_z_prime(bad)]
    groups = bad.groupby(["verdict", "metric", "code"], sort=False)
    return [_finding(str(verdict), str(code), rows) for (verdict, _, code), rows in groups]


def _said_by_z_prime(bad: pd.DataFrame) -> pd.Series:
    """SSMD rows against blanks, where Z' of the same line and plate says so: one sentence is
    enough.
    """
    places = pd.MultiIndex.from_frame(bad[["plate", "cell_line"]])
    against = bad["code"].eq("AGAINST_BLANKS")
    return (
        against
        & bad["metric"].eq("ssmd")
        & places.isin(places[against & bad["metric"].eq("z_prime")])
    )


def _finding(verdict: str, code: str, rows: pd.DataFrame) -> Finding:
    row = _worst(rows)
    metric = str(row["metric"])
    unit = unit_of(metric)
    values = {
        "label": title(metric),
        "value": f"{number(row['value'])}{unit}",
        "limit": f"{row['limit_pass']:g}{unit}",
        "note": row["note"],
    }
    return Finding(code, verdict, some(list(dict.fromkeys(rows["plate"])), row["plate"]), values)


def _worst(rows: pd.DataFrame) -> pd.Series:
    """The row farthest from its limit; the first where there is no value."""
    metric = rows["metric"].iloc[0]
    size = (rows["value"] - (metric == RANGE)).abs()
    order = size if metric in HIGHER_IS_BETTER else -size
    return rows.iloc[int(order.fillna(float("inf")).to_numpy(float).argmin())]


def unit_of(metric: str) -> str:
    """The unit that a metric's name ends with, as it stands behind a number."""
    units = {"percent": " %", "points": " points of control"}
    return units.get(metric.rsplit("_", 1)[-1], "")


def growth_findings(growth: pd.DataFrame, limits: Mapping[str, object]) -> list[Finding]:
    """What weakens the growth numbers, apart from failed plates (those speak for themselves): one
    finding per code. `limits` are the settings by name.
    """
    found = []
    rows = growth.assign(code=growth["code"].str.split()).explode("code")
    for code, group in rows.groupby("code", sort=False):
        severity = SEVERITY.get(str(code), "pass")
        if severity in ("warn", "fail") and code != "PLATE_FAILED":
            values = {"doublings": group["control_doublings"].min()}
            lines = some(list(dict.fromkeys(group["cell_line"])))
            found.append(Finding(str(code), severity, lines, {**limits, **values}))
    return found
