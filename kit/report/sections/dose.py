"""Exhibits of 05_dose_response: cards, curves, forest, tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from kit.analysis import Analysis
from kit.core.columns import known
from kit.core.findings import codes, number
from kit.dose.points import unit_text
from kit.plots import dose, style
from kit.report.exhibits import Exhibit
from kit.report.markup import Cell

PRIMARY = ("gr", "relative_viability")
SHOWN = {
    "cell_line": "cell line", "agent": "agent", "medium": "medium", "scale": "scale",
    "replicate": "replicate", "status": "status", "ic50_text": "IC50 or EC50", "ci_low": "95 % from",
    "ci_high": "to", "ic50_absolute": "at response 0.5", "hill": "Hill slope", "top": "top",
    "bottom": "bottom", "aoc": "area over the curve", "n_doses": "doses", "code": "all codes",
}  # fmt: skip


def primary(analysis: Analysis) -> pd.DataFrame:
    """Rows `all` of `dose_response` on GR, or on viability where a series has no GR."""
    table = known(analysis.dose_response, "dose_response")
    lines = table[table["replicate"].eq("all")]
    order = lines["scale"].map(PRIMARY.index)
    keys = ["cell_line", "agent", "medium", "readout", "hours"]
    return lines.iloc[order.argsort(kind="stable")].drop_duplicates(keys).sort_index()


def cards(analysis: Analysis) -> tuple[dict[tuple[str, str], Cell], str, pd.DataFrame]:
    """A card per line and series: the IC50, or why there is none."""
    lines = primary(analysis)
    cells = {}
    for row in lines.to_dict("records"):
        column = f"{row['agent']} in {row['medium']}"
        if lines.duplicated(["cell_line", "agent", "medium"], keep=False).any():
            column += f", {row['readout']} {row['hours']:g} h"
        cells[row["cell_line"], column] = _card(row)
    caption = (
        "IC50 (falling) or EC50 (rising) is the dose halfway between the two plateaus, the mean of"
        " the biological replicates on the log scale with its 95 % interval. It is printed only"
        " where every replicate's curve may be reported; > and < say that it lies beyond the tested"
        " doses. Nothing is extrapolated."
    )
    return cells, caption, lines[["cell_line", "agent", "medium", "status", "ic50_text", "note"]]


def _card(row: dict) -> Cell:
    name = "EC50" if row["direction"] == "rising" else "IC50"
    unit = unit_text(row["unit"])
    if row["reportable"]:
        lines = [f"n = {row['n_replicates']}, Hill slope {number(row['hill'])}"]
        if row["ci_low"] == row["ci_low"]:
            lines.insert(0, f"95 % {number(row['ci_low'])} to {number(row['ci_high'])} {unit}")
        return Cell("pass", f"{name} {row['ic50_text']}", lines)
    title = codes()[row["status"]].title
    if row["censored"] != "none":
        return Cell("info", f"{name} {row['ic50_text']}", [title, f"n = {row['n_replicates']}"])
    return Cell("warn", f"{name} not reportable", [title, f"n = {row['n_replicates']}"])


def curves(analysis: Analysis, scale: str = "gr") -> Iterator[Exhibit]:
    """One figure per agent, read-out and time: a panel per line and medium."""
    table = known(analysis.dose_response, "dose_response")
    points = known(analysis.dose_points, "dose_points")
    lines = table[table["replicate"].eq("all") & table["scale"].eq(scale)]
    keys = ["cell_line", "agent", "medium", "readout", "hours"]
    for number_of, ((agent, _, hours), rows) in enumerate(
        lines.groupby(["agent", "readout", "hours"], sort=False), start=1
    ):
        shape = dose.grid_shape(len(rows), max(2, rows["medium"].nunique()))
        fig, axes = (
            style.figure(style.WIDTH, 0.3 + 2.35 * shape[0], *shape, sharey=True)
            if len(rows) > 1
            else style.figure(4.2, 2.9)
        )
        flat = axes.flat if len(rows) > 1 else [axes]
        for ax, (_, row) in zip(flat, rows.iterrows(), strict=False):
            own = points[(points[keys] == row[keys]).all(axis=1)]
            dose.curve(own, row, scale, ax)
        for ax in list(flat)[len(rows) :]:
            ax.set_axis_off()
        caption = (
            "Points are biological replicates (one marker each), dose zero stands behind the break."
            " A solid curve, the dashed line at the IC50 and the band of its 95 % interval are drawn"
            " only where the IC50 may be reported; otherwise a grey line joins the means."
        )
        yield Exhibit(
            f"dose_{scale}_{number_of}",
            f"{agent}, {hours:g} h: {dose.LABELS[scale]}",
            caption,
            fig,
            rows.reset_index(drop=True),
        )


def forests(analysis: Analysis) -> Iterator[Exhibit]:
    """One forest of the IC50 per agent."""
    for index, (agent, rows) in enumerate(primary(analysis).groupby("agent", sort=False), start=1):
        fig, ax = style.figure(style.WIDTH, 0.9 + 0.3 * len(rows))
        dose.forest(rows, ax)
        caption = (
            "Dots are means over biological replicates with their 95 % interval. An arrow stands at"
            " the outermost dose: the IC50 lies beyond it."
        )
        yield Exhibit(f"dose_forest_{index}", f"{agent}: IC50 per line", caption, fig, rows)


def fits(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str]]:
    """`dose_response` with lines first."""
    table = known(analysis.dose_response, "dose_response")
    order = table["replicate"].ne("all").argsort(kind="stable")
    caption = (
        "Rows `all` are lines, the others single biological replicates. The status is the first code"
        " that applies; without `ok` no number is given."
    )
    return table.iloc[order].reset_index(drop=True), caption, SHOWN


def methods(analysis: Analysis) -> list[str]:
    """What was done, for the methods section."""
    settings = analysis.experiment.settings
    return [
        "Drugs and enzymes are read against the wells without them in the same medium, nutrients"
        " against the control medium; a nutrient's dose has the modelled carry-over in it.",
        "A four-parameter log-logistic curve is fitted to each biological replicate by least squares"
        " on the dose means, weighted by wells. Its interval is the profile likelihood, that of a"
        " line a t interval on log10 over replicates (from three on).",
        "An IC50 is reported only with two doses beyond each bend (Sebaugh 2011), an effect of at"
        f" least {settings.min_dose_effect:.0%}, a Hill slope of 0.5 to 4 and an interval of at most"
        f" {settings.max_ic50_ci_log10:g} decade.",
        "Two phases and stimulation are tested by AICc against the four-parameter curve, a constant"
        " by an F test.",
    ]
