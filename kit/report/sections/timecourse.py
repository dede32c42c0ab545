"""Exhibits of 08_time_course: when growth stops, whether it comes back, and who dies."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from kit.analysis import Analysis
from kit.config.settings import Settings
from kit.core.columns import known
from kit.core.findings import number
from kit.plots import style
from kit.plots import timecourse as plots
from kit.report.exhibits import Exhibit
from kit.timecourse.arms import Arm, arms
from kit.timecourse.tables import ALL

RATES = {
    "cell_line": "cell line", "medium": "medium", "replicate": "replicate", "phase": "phase",
    "rate_per_h": "rate, 1/h", "ci_low": "95 % low", "ci_high": "95 % high",
    "doublings_per_h": "doublings per h", "from_h": "from, h", "to_h": "to, h",
    "n_points": "scans", "note": "note",
}  # fmt: skip
ONSET = {
    "cell_line": "cell line", "amino_acid": "without", "replicate": "replicate",
    "class": "class", "onset_h": "onset, h", "ci_low": "95 % low", "ci_high": "95 % high",
    "rate_before": "rate before, 1/h", "rate_after": "rate after, 1/h",
    "recovery_share": "recovery", "recovery_low": "recovery low", "recovery_high": "recovery high",
    "lag_h": "lag, h", "gr_endpoint": "GR of end point", "gr_late": "GR after onset",
    "note": "note",
}  # fmt: skip
READ = ("auxotrophic", "partially dependent", "prototrophic")
"""What a GR says by itself: up to the first cut-off, between both, above the second."""
WORDS = {
    "reversible": "growth stops and comes back (cytostatic)",
    "partly_reversible": "growth comes back in part",
    "irreversible": "growth stops and does not come back",
    "no_effect": "growth is as in the control",
    "indeterminate": "the class cannot be told",
}


def _arms(analysis: Analysis) -> list[Arm]:
    table, config = analysis.timecourse, analysis.experiment.config
    return [] if table is None else [*arms(table, config.timecourse, config.control_name)]


def _dropouts(analysis: Analysis) -> list[Arm]:
    media = analysis.experiment.config.media
    return [arm for arm in _arms(analysis) if media[arm.medium].role == "dropout" and len(arm.y)]


def _lacks(analysis: Analysis, medium: str) -> str:
    return str(analysis.experiment.config.media[medium].removes or medium).replace("+", " and ")


def sentences(analysis: Analysis) -> list[str]:
    """What was found, one sentence for each line and medium."""
    found = []
    for row in _pooled(analysis).to_dict("records"):
        text = (
            f"{row['cell_line']} without {_lacks(analysis, row['medium'])}: {WORDS[row['class']]}."
        )
        if np.isfinite(row["onset_h"]):
            interval = (
                f" (95 % interval {number(row['ci_low'])} to {number(row['ci_high'])} h)"
                if np.isfinite(row["ci_low"])
                else ""
            )
            text += f" The effect starts {number(row['onset_h'])} h after the withdrawal{interval}."
        if np.isfinite(row["recovery_share"]):
            text += (
                f" After the add-back growth runs at {number(100 * row['recovery_share'])} % of the"
                " control's rate."
            )
        if np.isfinite(row["gr_endpoint"]):
            text += _endpoint(row, analysis.experiment.settings)
        found.append(text)
    return found


def _endpoint(row: dict[Hashable, Any], settings: Settings) -> str:
    """What the end point alone would have said, and where it would have misled."""
    limits = (settings.gr_auxotroph, settings.gr_prototroph)
    end, late = (
        READ[sum(row[name] > limit for limit in limits)] for name in ("gr_endpoint", "gr_late")
    )
    when = "after the onset" if row["onset_found"] else "over the whole phase"
    text = (
        f" An end point at {number(row['endpoint_h'])} h alone gives GR"
        f" {_gr(row['gr_endpoint'])}, which reads as {end}"
    )
    if not np.isfinite(row["gr_late"]):
        return f"{text}."
    text += f"; growth {when} corresponds to GR {_gr(row['gr_late'])}"
    text += f", which reads as {late}: the end point misleads." if end != late else "."
    if row["class"] in ("reversible", "irreversible", "partly_reversible"):
        text += " Whether growth comes back, the end point does not say."
    return text


def _gr(value: float) -> str:
    return number(round(value, 2))


def _pooled(analysis: Analysis) -> pd.DataFrame:
    table = known(analysis.onset, "onset")
    return table[table["replicate"].eq(ALL)]


def curves(analysis: Analysis) -> list[Exhibit]:
    """ln N of every line and replicate."""
    found = _dropouts(analysis)
    records = known(analysis.onset, "onset").to_dict("records")
    fits = {(row["cell_line"], row["medium"], row["replicate"]): row for row in records}
    colors = {str(name): color for name, color in style.colors(a.medium for a in found).items()}
    exhibits = []
    for line in dict.fromkeys(arm.cell_line for arm in found):
        own = [arm for arm in found if arm.cell_line == line and len(arm.control)]
        plates = list(dict.fromkeys(arm.entry.plate for arm in own))
        if not plates:
            continue
        fig, axes = style.figure(style.WIDTH, 2.7, 1, len(plates), sharey=True)
        flat = list(np.atleast_1d(axes).flat)
        for ax, plate in zip(flat, plates):
            here = [arm for arm in own if arm.entry.plate == plate]
            entry = here[0].entry
            rows = {arm.medium: fits[line, arm.medium, str(entry.replicate)] for arm in here}
            plots.growth_curve(
                here[0].control,
                {arm.medium: arm.y for arm in here},
                rows,
                entry.withdrawal_h,
                entry.addback_h,
                colors,
                ax,
            )
            ax.set_title(f"replicate {entry.replicate}", fontsize=style.FONT)
            ax.set_xlabel("hours")
        flat[0].set_ylabel("ln N over the first scan")
        key = ", ".join(f"without {_lacks(analysis, medium)}" for medium in colors)
        caption = (
            f"Grey: control. Coloured: {key}, with the fitted broken line. The dashed line is the"
            " onset, the band its interval from this one curve. The solid vertical line is the"
            " add-back."
        )
        name = "growth_curves_" + "".join(c if c.isalnum() else "_" for c in line)
        exhibits.append(Exhibit(name, f"Growth of {line}", caption, fig))
    return exhibits


def forest(analysis: Analysis) -> Exhibit:
    """Onset and recovery of every line and medium."""
    pooled, table = _pooled(analysis), known(analysis.onset, "onset")
    height = 1.3 + 0.45 * max(len(pooled), 1)
    fig, axes = style.figure(style.WIDTH, height, 1, 2)
    names = [
        f"{row['cell_line']}, −{_lacks(analysis, row['medium'])}"
        for row in pooled.to_dict("records")
    ]
    plots.forest(pooled, table[table["replicate"].ne(ALL)], names, list(axes.flat))
    limits = analysis.experiment.settings
    for value in (limits.recovery_irreversible, limits.recovery_reversible):
        style.limit_line(axes.flat[1], value, f"{value:g}", axis="x")
    caption = (
        "Bars are 95 % intervals over experiments, small grey points the experiments. Green:"
        " reversible; red: irreversible; orange: partly; blue: no effect; grey: cannot be told."
    )
    return Exhibit("onset_recovery", "Onset and recovery", caption, fig)


def gr_over_time(analysis: Analysis) -> Exhibit:
    """GR from the withdrawal to every scan, and the end point's hour."""
    found = _dropouts(analysis)
    lines = list(dict.fromkeys(arm.cell_line for arm in found)) or [""]
    fig, axes = style.figure(style.WIDTH, 2.6, 1, len(lines), sharey=True)
    colors = style.colors(arm.medium for arm in found)
    settings = analysis.experiment.settings
    for ax, line in zip(np.atleast_1d(axes).flat, lines):
        for arm in (arm for arm in found if arm.cell_line == line):
            both = pd.concat([arm.y, arm.control], axis=1, keys=["y", "c"]).dropna()
            both = both[both.index >= arm.entry.withdrawal_h]
            both = both[both.index < arm.withdrawn_to()]
            grown = both - both.iloc[0] if len(both) else both
            grown = grown[grown["c"] >= settings.undefined_control_doublings]
            gr = 2 ** (grown["y"] / grown["c"]) - 1
            plots.gr_over_time([gr], colors[arm.medium], ax)
        for limit in (settings.gr_auxotroph, settings.gr_prototroph):
            ax.axhline(limit, color=style.GREY, lw=0.8, ls=(0, (4, 3)))
        ax.axhline(0, color=style.FAINT, lw=0.8)
        ax.set_title(style.short(line), fontsize=style.FONT)
        ax.set_xlabel("hours")
    np.atleast_1d(axes).flat[0].set_ylabel("GR from the withdrawal")
    caption = (
        "A line an experiment, up to the add-back. GR is constant only where the rate is: a curve"
        " that falls shows a phase fed by stores, and an end point reads too high. Dashed: the"
        " cut-offs gr_auxotroph and gr_prototroph."
    )
    return Exhibit("gr_over_time", "GR over time", caption, fig)


def death(analysis: Analysis) -> list[Exhibit]:
    """Dead objects over cells; nothing where no dye was scanned."""
    table = analysis.timecourse
    if table is None or not table["kind"].isin(["dead", "annexin"]).any():
        return []
    live = table[table["chosen"] & table["role"].eq("sample")]
    dead = table[table["kind"].isin(["dead", "annexin"]) & table["role"].eq("sample")]
    keys = ["plate", "well", "hours"]
    both = live.merge(dead[[*keys, "value"]], on=keys, suffixes=("", "_dead"))
    both = both[both["log2"].notna()]
    both["share"] = 100 * both["value_dead"] / both["value"]
    lines = list(dict.fromkeys(both["cell_line"]))
    fig, axes = style.figure(style.WIDTH, 2.6, 1, len(lines), sharey=True)
    control = analysis.experiment.config.control_name
    colors = style.colors(medium for medium in both["medium"] if medium != control)
    for ax, line in zip(np.atleast_1d(axes).flat, lines):
        for (medium, _), part in both[both["cell_line"].eq(line)].groupby(["medium", "plate"]):
            color = colors.get(medium, style.GREY)
            plots.death_over_time([part.groupby("hours")["share"].mean()], color, ax)
        ax.set_title(style.short(line), fontsize=style.FONT)
        ax.set_xlabel("hours")
    np.atleast_1d(axes).flat[0].set_ylabel("dead over cells, %")
    caption = (
        f"{dead['metric'].iloc[0]} over {live['metric'].iloc[0]}, a line an experiment. Grey:"
        " control. Dead cells detach and fragment, so this is an index of death and no share."
    )
    return [Exhibit("death_over_time", "Death over time", caption, fig)]


def rates(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str]]:
    """Growth rates per phase."""
    caption = (
        "Slopes in windows set beforehand. Intervals are of single curves, widened for scans that"
        " follow each other; the interval of a condition comes from its experiments."
    )
    return analysis.growth_rates, caption, RATES


def onset(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str]]:
    """Onset, recovery and class."""
    caption = (
        "Rows of replicate `all` pool the experiments: their intervals are over experiments, those"
        " of single rows are of one curve."
    )
    return analysis.onset, caption, ONSET


def left_out(analysis: Analysis) -> tuple[pd.DataFrame | None, str]:
    """How many scans of which plate do not count, and why."""
    table = analysis.timecourse
    if table is None or not table["excluded"].any():
        return None, "Every scan counts."
    gone = table[table["excluded"]]
    counts = gone.groupby(["plate", "metric", "note"], sort=False)
    shown = counts.agg(scans=("value", "size"), first_h=("hours", "min"), last_h=("hours", "max"))
    return shown.reset_index(), "Scans that do not count, and why. Their values stay in the table."
