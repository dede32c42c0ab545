"""Exhibits of death in 02_dropout_analysis: the samples, and their contrasts over biological
replicates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kit.analysis import Analysis
from kit.plots import apoptosis as plots
from kit.plots import style
from kit.report.exhibits import Exhibit, Tabled, tabled

SHOWN = (
    "cell_line",
    "contrast",
    "mean_specific_apoptosis",
    "odds_ratio",
    "odds_ratio_low",
    "odds_ratio_high",
    "p",
    "p_adjusted",
    "n_replicates",
    "note",
)
UNIT = "n is the number of biological replicates in which both samples passed; cells are never n."


def figures(analysis: Analysis) -> list[Exhibit]:
    """Quadrants, specific Annexin V positivity and its contrasts."""
    table, settings = analysis.apoptosis, analysis.experiment.settings
    if table is None:
        fig, ax = style.figure(5, 1.2)
        style.no_data(ax, "no flow cytometry: death was not assessed")
        return [Exhibit("death", "Death", "Calls without it are provisional at most.", fig)]
    media, lines = list(analysis.experiment.config.media), list(dict.fromkeys(table["cell_line"]))
    rows = style.chunks(lines, max(1, 30 // max(table["medium"].nunique(), 1)))
    fig, axes = style.figure(style.WIDTH + 0.6, 3.0 * len(rows), len(rows), 1)
    for index, (ax, names) in enumerate(zip(np.atleast_1d(axes).flat, rows)):
        plots.quadrants(ax, table[table["cell_line"].isin(names)], media=media, legend=index == 0)
    quadrants = Exhibit(
        "quadrants",
        "Annexin V / PI quadrants",
        "One bar per biological replicate; the four quadrants add to 100 %.",
        fig,
    )
    rows = style.chunks(lines, 12)
    fig, axes = style.figure(style.WIDTH + 0.6, 3.0 * len(rows), len(rows), 1, sharey=True)
    for ax, names in zip(np.atleast_1d(axes).flat, rows):
        part = table[table["cell_line"].isin(names)]
        low, high = settings.sa_low, settings.sa_high
        plots.specific_apoptosis(
            ax, part, media=media, by_line=len(lines) > 6, sa_low=low, sa_high=high
        )
    specific = Exhibit(
        "specific_apoptosis",
        "Cells lost beyond control",
        "Share of control's Annexin V negative cells that became positive; markers are replicates.",
        fig,
    )
    return [quadrants, specific, forest(analysis)]


def forest(analysis: Analysis) -> Exhibit:
    """Odds of being Annexin V positive, each contrast with its interval."""
    effects = analysis.apoptosis_effects
    rows = pd.DataFrame() if effects is None else effects[effects["estimate"].notna()]
    lines = rows["cell_line"].nunique() if len(rows) else 1
    fig, ax = style.figure(style.WIDTH, max(2.0, 0.7 + 0.24 * (len(rows) + 0.7 * lines)))
    plots.odds_forest(ax, rows)
    caption = (
        "Odds ratio of Annexin V positive cells; right of 1: more death. Intervals: 95 %, each for"
        f" its contrast alone (paired t on logits). {UNIT} Hollow: fewer than three replicates,"
        " nothing tested."
    )
    return Exhibit("death_contrasts", "Contrasts of death", caption, fig)


@tabled("apoptosis_effects")
def effects(analysis: Analysis) -> Tabled:
    """Every contrast of death with its unit, test and adjustment."""
    table = analysis.apoptosis_effects
    if table is None or table.empty:
        return (
            None,
            (
                "Contrasts of death need flow cytometry of a control and a dropout in the same"
                " replicate."
            ),
            None,
        )
    least = analysis.experiment.settings.min_replicates
    caption = (
        f"Logit of the Annexin V positive share, paired within the replicate. {UNIT} p: paired t; p"
        " adjusted: Holm within the line over the media against control, and over the rescues"
        " against their dropout. Intervals are not adjusted, so one can leave out 1 beside an"
        f" adjusted p above 0.05. Below {least} replicates nothing is tested. Mean specific Annexin"
        " V+ is against control."
    )
    return table, caption, SHOWN


@tabled("apoptosis")
def samples(analysis: Analysis) -> Tabled:
    """The apoptosis table with its caption."""
    text = "Wilson intervals describe counting within a sample; they say nothing of biology."
    return (
        analysis.apoptosis,
        text if analysis.apoptosis is not None else "No flow cytometry in this experiment.",
    )
