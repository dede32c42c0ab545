"""A folder of reports -> what the experiments say together: calls, points of control charts, ASNS
lines, in order of time. Only reads.

Simulated and real experiments are never mixed: where both are there, the real ones count and the
others are only counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from kit.across.charts import NO_CALL, SERIES
from kit.asns.lines import pool
from kit.core import reference
from kit.store import store

ALL = "all experiments"
TIME_BIN_H = 12.0
"""Readouts are compared within this many hours: 46 h and 50 h stand in one chart, 24 h, 48 h and 72
h do not.
"""
Z_PRIME, OPTIMISTIC, GROWTH = "Z'", "Z' against blanks", "doublings of control per day"
POINT = ("experiment_id", "date", *SERIES, "value", "n")
STORED = ("calls", "plate_qc", "growth", "asns_lines", "plates")
MEASURED = "0 h plate"  # growth from an assumed doubling time says nothing of the culture


@dataclass(frozen=True, eq=False)
class Across:
    """Everything notebook 04 rests on.

    `experiments`: experiment_id, date, in order of time. `calls`: one row per experiment, line and
      amino acid. `points`: one row per
    experiment and control chart (`kit.across.charts.SERIES`), `n` plates or biological replicates
    averaged. `lines`: every line once
    (`kit.asns.lines.pool`), empty when no experiment has any. `left_out` experiments are simulated
    while others are real.
    """

    folder: str
    experiments: pd.DataFrame
    calls: pd.DataFrame
    points: pd.DataFrame
    lines: pd.DataFrame
    simulated: bool = False
    left_out: int = 0


def gather(reports: str | Path) -> Across:
    """Read the reports that lie in the folder `reports`; a folder that is missing or holds none
    gives empty tables.

    Raises InputError when a results.parquet was written in another schema version
    (`kit.store.read`).
    """
    folder, there = Path(reports), listed(reports)
    stored = {
        table: _in_time(rows, there.experiments)
        for table, rows in store.read_tables(folder, STORED).items()
    }
    points = pd.concat(
        [_z_prime(stored["plate_qc"], stored["plates"]), _growth(stored["growth"])],
        ignore_index=True,
    )
    lines = _lines(stored["asns_lines"])
    return Across(
        str(reports),
        there.experiments,
        _calls(stored["calls"]),
        points,
        lines,
        there.simulated,
        there.left_out,
    )


class Listed(NamedTuple):
    """The experiments that count, in order of time (`experiment_id`, `date`); whether they are
    simulated; how many simulated ones do not count.
    """

    experiments: pd.DataFrame
    simulated: bool
    left_out: int


def listed(reports: str | Path) -> Listed:
    """What lies in the folder `reports`, by the manifests alone."""
    rows = [_about(path.parent) for path in sorted(Path(reports).glob(f"[!.]*/{store.FILE}"))]
    found = pd.DataFrame(rows, columns=["experiment_id", "date", "simulated"])
    found["date"] = pd.to_datetime(found["date"], errors="coerce")
    real = ~found["simulated"].astype(bool)
    kept = found[real] if real.any() else found
    experiments = kept.sort_values(
        ["date", "experiment_id"], na_position="last", ignore_index=True
    )[["experiment_id", "date"]]
    return Listed(experiments, bool(len(found)) and not real.any(), len(found) - len(kept))


def _about(report: Path) -> tuple[str, Any, bool]:
    """Folder's name, date and whether simulated, as the manifest says."""
    try:
        manifest = json.loads((report / "manifest.json").read_text(encoding="utf-8"))
        return report.name, manifest.get("date"), bool(manifest.get("simulated"))
    except (OSError, ValueError, AttributeError):
        return report.name, None, False


def _in_time(rows: pd.DataFrame, experiments: pd.DataFrame) -> pd.DataFrame:
    """A table of the store with `date`, the experiments in order; one spelling per cell line."""
    order = pd.Series(range(len(experiments)), index=experiments["experiment_id"])
    rows = rows[rows["experiment_id"].isin(order.index)]
    rows = rows.sort_values(
        "experiment_id", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )
    rows = rows.merge(experiments, on="experiment_id", how="left", validate="many_to_one")
    return _one_spelling(rows) if "cell_line" in rows else rows


def _one_spelling(rows: pd.DataFrame) -> pd.DataFrame:
    """ "Molt 4" and "MOLT-4" are one line, called as in its first experiment."""
    keyed = reference.with_keys(rows.dropna(subset="cell_line"))
    return keyed.assign(cell_line=keyed.groupby("line_key")["cell_line"].transform("first"))


def _calls(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per experiment, line and amino acid; where two dropout media give two calls, there is
    none.
    """
    keys = ["experiment_id", "date", "cell_line", "amino_acid"]
    several = rows.groupby(keys, dropna=False)["call"].transform("nunique") > 1
    rows["call"] = rows["call"].where(~several, NO_CALL)
    grouped = rows.groupby(keys, dropna=False, sort=False)
    firsts = {name: (name, "first") for name in ("call", "confidence")}
    return grouped.agg(
        **firsts, **{name: (name, "mean") for name in ("gr", "gr_ci_low", "gr_ci_high")}
    ).reset_index()


def _z_prime(rows: pd.DataFrame, plates: pd.DataFrame) -> pd.DataFrame:
    """Mean Z' of an experiment's plates, by readout, time and line; a window against blanks is a
    chart of its own.
    """
    rows = rows[rows["metric"].eq("z_prime") & rows["value"].notna()]
    if rows.empty:
        return pd.DataFrame(columns=POINT)
    plate = ["experiment_id", "plate"]
    kinds = plates[[*plate, "readout", "hours"]]
    rows = rows.merge(kinds, on=plate, how="left", validate="many_to_one")
    optimistic = rows["code"].isin(["AGAINST_BLANKS", "LOW_AGAINST_BLANKS"])
    return _points(
        rows.assign(
            measure=optimistic.map({True: OPTIMISTIC, False: Z_PRIME}),
            readout=rows["readout"].fillna("readout not known"),
        )
    )


def _growth(rows: pd.DataFrame) -> pd.DataFrame:
    """Doublings of control per day, mean over biological replicates, where there was a 0 h
    plate.
    """
    measured = rows["gr_basis"].eq(MEASURED) if "gr_basis" in rows else True
    rows = rows[rows["control_doublings"].notna() & rows["hours"].gt(0) & measured]
    rows = rows.drop_duplicates(
        ["experiment_id", "cell_line", "readout", "hours", "replicate"]
    )  # the same beside every medium
    return _points(
        rows.assign(
            value=24 * rows["control_doublings"].astype(float) / rows["hours"].astype(float),
            measure=GROWTH,
        )
    )


def _points(rows: pd.DataFrame) -> pd.DataFrame:
    hours = (rows["hours"].astype(float) / TIME_BIN_H).round() * TIME_BIN_H
    keys = ["experiment_id", "date", *SERIES]
    grouped = rows.assign(hours=hours).groupby(keys, dropna=False, sort=False)["value"]
    return grouped.agg(["mean", "size"]).reset_index().set_axis(list(POINT), axis=1)


def _lines(rows: pd.DataFrame) -> pd.DataFrame:
    """ASNS and sensitivity of every line, averaged over the experiments that have it."""
    if rows.empty:
        return pd.DataFrame(columns=["cell_line", "line_key", "lineage"])
    own = rows.drop(columns=["experiment_id", "date"])
    return pool([part for _, part in own.groupby(rows["experiment_id"], sort=False)], ALL)
