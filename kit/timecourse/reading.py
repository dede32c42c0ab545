"""A live-imaging file and its layout -> one row per well, scan and metric."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kit.config.model import ExperimentConfig, TimeCourse
from kit.core.errors import Problems, did_you_mean
from kit.core.findings import Finding
from kit.readers.layouts.layout import read_layout
from kit.readers.livecell import read_livecell
from kit.readers.livecell.cells import GROWTH_KINDS, metric_kind

COLUMNS = ["plate", "well", "hours", "metric", "value", "cell_line", "medium", "role", "replicate"]


def read_timecourse(
    folder: Path, entry: TimeCourse, config: ExperimentConfig
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The scans of one entry of `timecourse`, with the line and medium of every well.

    Images of one well are averaged; standard errors are left out. `kind` says what the metric
    measures.

    Raises
    ------
    InputError
        With every problem of the file, the layout, and the two together.
    """
    read = read_livecell(folder / entry.file, name=entry.file, sheet=entry.sheet)
    layout = read_layout(folder / entry.layout, entry.layout)
    if "plate" in layout and layout["plate"].astype(str).eq(entry.plate).any():
        layout = layout[layout["plate"].astype(str).eq(entry.plate)]
    problems = Problems()
    scans = read.scans[~read.scans["metric"].str.casefold().str.startswith("std err")]
    if scans["group"].ne("").any():
        what = f"the columns are groups ('{scans['group'].iloc[0]}'), not wells"
        problems.say(entry.file, "", what, "Export every well by itself.")
    for column, known, section in (
        ("cell_line", config.cell_lines, "cell_lines"),
        ("medium", config.media, "media"),
    ):
        used = layout.loc[layout["role"].isin(["sample", "kill"]) & layout[column].ne(""), column]
        for name in dict.fromkeys(used):
            if name not in known:
                what = f"{column.replace('_', ' ')} '{name}' is not under {section}"
                problems.say(entry.layout, "", what, did_you_mean(name, known))
    _check_metric(scans, entry, problems)
    problems.raise_if_any()
    means = scans.groupby(["well", "elapsed_h", "metric"], sort=False, dropna=False)["value"]
    table = means.mean().reset_index().rename(columns={"elapsed_h": "hours"})
    names = ["well", "cell_line", "medium", "role"]
    table = table.merge(layout[names], on="well", how="left", validate="many_to_one")
    unknown = table.loc[table["role"].isna(), "well"].unique()
    if len(unknown):
        listed = ", ".join(unknown[:6])
        problems.say(entry.layout, "", f"wells {listed} of {entry.file} are missing", "Add them.")
        problems.raise_if_any()
    table["kind"] = table["metric"].map(metric_kind)
    if entry.metric != "auto" and table["metric"].eq("").all():
        table["metric"], table["kind"] = entry.metric, metric_kind(entry.metric)
    table["chosen"] = table["metric"].eq(_chosen(table, entry))
    clock = any(item.code == "LIVE_CLOCK" for item in read.findings)
    return table.assign(plate=entry.plate, replicate=entry.replicate, clock=clock), read.findings


def _check_metric(scans: pd.DataFrame, entry: TimeCourse, problems: Problems) -> None:
    """The metric asked for is there; of several that measure cells in one way none is guessed."""
    names = [str(name) for name in scans["metric"].unique()]
    if entry.metric != "auto":
        if entry.metric not in names and names != [""]:
            what = f"there is no metric '{entry.metric}'"
            problems.say(entry.file, "", what, did_you_mean(entry.metric, names))
        return
    for kind in GROWTH_KINDS:
        same = [name for name in names if metric_kind(name) == kind]
        if len(same) > 1:
            what = f"{' and '.join(same)} both measure {kind}"
            problems.say(entry.file, "", what, f"Choose one: `metric: {same[0]}`.")
        if same:
            return
    what = f"no metric stands for cell number; found {', '.join(names)}"
    problems.say(entry.file, "", what, "Export the confluence or the count of cells.")


def _chosen(table: pd.DataFrame, entry: TimeCourse) -> str:
    """The metric that stands for cell number."""
    if entry.metric != "auto":
        return entry.metric
    kinds = dict(zip(table["metric"], table["kind"]))
    return next(name for kind in GROWTH_KINDS for name, own in kinds.items() if own == kind)
