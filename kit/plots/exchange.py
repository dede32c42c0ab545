"""Uptake over time, between arms, and against intracellular asparagine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import FuncFormatter

from kit.exchange.rates import FMOL_PER_NMOL
from kit.plots import style

VERDICT = {
    "supports": style.GREEN,
    "follows_growth": style.BLUE,
    "inconclusive": style.GREY,
    "invalid": style.VERMILION,
}
WORDS = {
    "supports": "supports exchange",
    "follows_growth": "follows growth",
    "inconclusive": "inconclusive",
    "invalid": "invalid",
}


def amounts_over_time(
    samples: pd.DataFrame, rates: pd.DataFrame, ax: Axes, colors: Mapping[str, str]
) -> Axes:
    """Amounts of one amino acid in one experiment: cells by arm with their fit, blanks in grey.

    `samples` are rows of `uptake_samples`, `rates` of `uptake_rates`, both with a column `arm`.
    """
    blank = samples[samples["kind"].eq("blank")]
    ax.scatter(
        blank["hours"],
        blank["amount_nmol"],
        s=16,
        marker="s",
        facecolors="none",
        edgecolors=style.GREY,
        linewidths=0.9,
        zorder=2,
    )
    for row in rates.dropna(subset="v_fmol_per_cell_h").itertuples():
        own = samples[samples["arm"].eq(row.arm) & samples["kind"].eq("cells")]
        color = colors[row.arm]
        ax.scatter(own["hours"], own["amount_nmol"], s=16, color=color, zorder=3)
        hours = np.linspace(0, row.last_h, 60)
        together = row.mu_per_h + row.k_decay_per_h
        grown = hours if together == 0 else np.expm1(together * hours) / together
        taken = row.v_fmol_per_cell_h * row.x0_cells * grown / FMOL_PER_NMOL
        left = (row.start_nmol - taken) * np.exp(-row.k_decay_per_h * hours)
        ax.plot(hours, left, color=color, linewidth=1.2, zorder=2)
    ax.set_ylim(bottom=0)
    return ax


def rates_between_arms(
    rates: pd.DataFrame, column: str, ax: Axes, colors: Mapping[str, str]
) -> Axes:
    """Each arm's rate: a point an experiment, a bar at their mean; open where the gate failed."""
    names = list(dict.fromkeys(rates["amino_acid"]))
    arms = list(colors)
    for place, name in enumerate(names):
        for index, arm in enumerate(arms):
            own = rates[rates["amino_acid"].eq(name) & rates["arm"].eq(arm)]
            x = place + (index - (len(arms) - 1) / 2) * 0.8 / max(len(arms), 1)
            single = own[own["replicate"].ne("all")]
            whole = own[own["replicate"].eq("all")]
            failed = bool(len(whole) and whole["gate"].iloc[0] == "fail")
            ax.scatter(
                [x] * len(single),
                single[column],
                s=13,
                linewidths=0.9,
                color="none" if failed else colors[arm],
                edgecolors=colors[arm],
            )
            if len(whole):
                width = 0.36 / max(len(arms), 1)
                ax.hlines(whole[column], x - width, x + width, color=colors[arm], linewidth=1.6)
    values = rates[column].dropna()
    if len(values) and values.min() > 0:
        ax.set_yscale("log")  # glutamine is taken up tenfold
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        ax.axhline(0, color=style.GREY, linewidth=0.7)
    style.name_ticks(ax, names)
    return ax


def slopes(exchange: pd.DataFrame, single: pd.DataFrame, least: float, ax: Axes) -> Axes:
    """ε (filled) and δ (open) per line and amino acid with 95 % intervals, coloured by verdict;
    small points are experiments. The dashed line is the smallest slope that counts.
    """
    if exchange.empty:
        return style.no_data(ax, "no intracellular asparagine, so no slope")
    labels = []
    several = len(set(exchange["cell_line"])) > 1
    for y, row in enumerate(exchange.iloc[::-1].itertuples()):
        color = VERDICT[row.verdict]
        for shift, value, low, high, face in (
            (0.13, row.slope, row.ci_low, row.ci_high, color),
            (-0.17, row.delta, row.delta_low, row.delta_high, "white"),
        ):
            ax.plot([low, high], [y + shift] * 2, color=color, linewidth=1.4, zorder=2)
            ax.scatter(value, y + shift, s=34, color=face, edgecolors=color, zorder=3)
        own = single[
            single["cell_line"].eq(row.cell_line) & single["amino_acid"].eq(row.amino_acid)
        ]
        ax.scatter(own["epsilon"], [y + 0.32] * len(own), s=6, color=style.GREY, zorder=2)
        labels.append(f"{row.cell_line}: {row.amino_acid}" if several else row.amino_acid)
        ax.text(
            1.01,
            y,
            WORDS[row.verdict] + (", provisional" if row.provisional else ""),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=style.FONT - 1,
            color=color,
        )
    ax.set_yticks(range(len(labels)), [style.short(name, 26) for name in labels])
    ax.axvline(0, color=style.GREY, linewidth=0.8)
    style.limit_line(ax, least, f"least elasticity {least:g} (min_exchange_elasticity)", axis="x")
    ax.set_ylim(-0.6, len(labels) - 0.4)
    ax.set_xlabel("slope of log2 uptake per new cell on log2 intracellular asparagine")
    return ax


def exchange_picture(exchange: pd.DataFrame, ax: Axes) -> Axes:
    """The cell with its exchanger: asparagine goes out, each amino acid in, coloured by what was
    found.
    """
    ax.set_axis_off()
    ax.set_xlim(0, 10)
    ax.set_ylim(0, 6)
    box = FancyBboxPatch(
        (3.6, 0.5),
        6.1,
        5.0,
        boxstyle="round,pad=0.05,rounding_size=0.8",
        facecolor="#F4F7FA",
        edgecolor=style.INK,
        linewidth=1.2,
    )
    ax.add_patch(box)
    ax.text(9.4, 5.1, "cell", ha="right", fontsize=style.FONT, color=style.INK)
    ax.text(0.2, 5.1, "medium", ha="left", fontsize=style.FONT, color=style.INK)
    rows = list(exchange.itertuples())
    for y, row in zip(np.linspace(4.4, 2.0, max(len(rows), 1)), rows, strict=False):
        color = VERDICT[row.verdict]
        arrow = FancyArrowPatch(
            (2.2, y),
            (5.0, y),
            arrowstyle="-|>",
            mutation_scale=13,
            linewidth=2.2,
            color=color,
            linestyle="-" if row.verdict == "supports" else (0, (3, 2)),
        )
        ax.add_patch(arrow)
        ax.text(2.1, y, row.amino_acid, ha="right", va="center", fontsize=style.FONT, color=color)
        ax.text(5.2, y, WORDS[row.verdict], va="center", fontsize=style.FONT - 1, color=color)
    ax.add_patch(
        FancyArrowPatch(
            (5.0, 0.95),
            (2.2, 0.95),
            arrowstyle="-|>",
            mutation_scale=13,
            linewidth=2.2,
            color=style.AMINO_ACID["asparagine"],
        )
    )
    ax.text(
        5.2,
        0.95,
        "asparagine, the proposed exchange factor",
        va="center",
        fontsize=style.FONT - 1,
        color=style.AMINO_ACID["asparagine"],
    )
    return ax
