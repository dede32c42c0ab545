"""mTORC1 figures: activation with every experiment, RDI against ADI with the regions of the
classes, lanes of each membrane, the sensitivity of contrasts, and the routes this experiment
supports.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kit.plots import pathways, style

CLASS_COLOR = {
    "rag_dependent": style.PURPLE,
    "rag_independent_arf1": style.BLUE,
    "rag_independent": style.SKY,
    "mixed": style.ORANGE,
}
"""Colour of a class, as in the picture of the routes; anything else is grey."""


def activation(
    each: pd.DataFrame, means: pd.DataFrame, stimuli: list[str], ax: Axes, *, legend: bool = True
) -> Axes:
    """Activation per stimulus: a group of columns per stimulus, one column per genotype and drug.

    `each` holds stimulus, arm, experiment, value; `means` stimulus, arm, a, ci_low, ci_high.
    """
    arms = list(dict.fromkeys(means["arm"]))
    if not arms:
        return style.no_data(ax, "no activation could be measured")
    colors = style.colors(arms)
    width = 0.8 / len(arms)
    for number, arm in enumerate(arms):
        shift = (number - (len(arms) - 1) / 2) * width
        own = means[means["arm"].eq(arm)].set_index("stimulus").reindex(stimuli)
        x = np.arange(len(stimuli)) + shift
        span = np.abs(own[["ci_low", "ci_high"]].to_numpy().T - own["a"].to_numpy())
        ax.errorbar(
            x,
            own["a"],
            yerr=span,
            fmt="_",
            color=colors[arm],
            markersize=9,
            linewidth=1.3,
            label=style.text(arm),
        )
        dots = each[each["arm"].eq(arm)]
        at = dots["stimulus"].map({name: i for i, name in enumerate(stimuli)}).to_numpy(float)
        jitter = (dots["experiment"].rank(method="dense").to_numpy() - 2.5) * width * 0.09
        ax.plot(
            at + shift + jitter, dots["value"], "o", color=colors[arm], alpha=0.55, markersize=3
        )
    ax.axhline(0, color=style.GREY, linewidth=0.8)
    style.name_ticks(ax, stimuli)
    ax.set_ylabel("activation, log2 over starved")
    if legend:
        ax.legend(
            frameon=False,
            fontsize=style.FONT - 1.5,
            ncols=2,
            loc="upper left",
            bbox_to_anchor=(0, 1.2),
        )
    return ax


def divergence(
    table: pd.DataFrame, ax: Axes, *, dependent: float, half: float, arf1: float
) -> Axes:
    """RDI against ADI with 95 % intervals, and the regions that the point has to lie in for a
    class. A stimulus without ADI stands on the lower edge.
    """
    low, high = -0.6, 1.6
    kwargs = {"linewidth": 0, "zorder": 0}
    ax.axvspan(dependent, high, color=CLASS_COLOR["rag_dependent"], alpha=0.08, **kwargs)
    ax.fill_between(
        [low, half], arf1, high, color=CLASS_COLOR["rag_independent_arf1"], alpha=0.08, **kwargs
    )
    for value in (half, dependent):
        ax.axvline(value, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.axhline(arf1, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    known = table[table["rdi"].notna()]
    if known.empty:
        return style.no_data(ax, "no stimulus has an RDI")
    edge, others = low + 0.1, list(zip(known["rdi"], known["adi"], strict=True))
    for row in known.sort_values("rdi").to_dict("records"):
        color = CLASS_COLOR.get(row["class"], style.GREY)
        has_adi = np.isfinite(row["adi_low"]) and np.isfinite(row["adi_high"])
        y = row["adi"] if has_adi else edge
        edge += 0.0 if has_adi else 0.17
        ax.plot(
            np.clip([row["rdi_low"], row["rdi_high"]], low, high),
            [y, y],
            color=color,
            linewidth=1.3,
        )
        if has_adi:
            ax.plot(
                [row["rdi"]] * 2,
                np.clip([row["adi_low"], row["adi_high"]], low, high),
                color=color,
                linewidth=1.3,
            )
        ax.plot(
            row["rdi"],
            y,
            "o",
            color=color,
            markersize=6,
            markerfacecolor=color if has_adi else "white",
        )
        _name(ax, row["stimulus"], row["rdi"], y, others)
    ax.text(
        0.02,
        0.98,
        "without Rag,\nthrough Arf1",
        transform=ax.transAxes,
        va="top",
        fontsize=style.FONT - 1,
        color=CLASS_COLOR["rag_independent_arf1"],
    )
    ax.text(
        0.98,
        0.98,
        "through Rag",
        transform=ax.transAxes,
        va="top",
        ha="right",
        fontsize=style.FONT - 1,
        color=CLASS_COLOR["rag_dependent"],
    )
    ax.set(xlim=(low, high), ylim=(low, high))
    ax.set_xlabel("Rag dependence, RDI = 1 − A(KO)/A(WT)")
    ax.set_ylabel("Arf1 dependence, ADI = 1 − A(KO, drug)/A(KO)")
    return style.clean(ax)


def _name(ax: Axes, name: str, x: float, y: float, others: list[tuple[float, float]]) -> None:
    """A name beside its point; on the left where another point stands close to the right of it."""
    left = any(0 < a - x < 0.35 and abs(y - b) < 0.15 for a, b in others)
    ax.annotate(
        name,
        (x, y),
        xytext=(-5 if left else 5, -5 if left else 5),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top" if left else "bottom",
        fontsize=style.FONT,
        color=style.INK,
        fontweight="bold",
    )


def lanes(membrane: pd.DataFrame, ax: Axes) -> Axes:
    """Phospho over total of each lane as measured, in the order of the membrane; a cross is a lane
    that takes no part.
    """
    shown = membrane.reset_index(drop=True)
    colors = style.colors(["WT", "RagAB_KO", "reference", *shown["genotype"]])
    for genotype, own in shown.groupby("genotype", sort=False):
        ax.plot(
            own.index,
            own["log2_ratio"],
            "o",
            color=colors[genotype],
            markersize=4.5,
            label=style.text(genotype),
        )
    lost = shown[shown["log2_ratio"].isna()]
    if len(lost):
        floor = np.nanmin(shown["log2_ratio"]) if shown["log2_ratio"].notna().any() else 0.0
        ax.plot(
            lost.index,
            [floor] * len(lost),
            "x",
            color=style.INK,
            markersize=6,
            label="takes no part",
        )
    names = [
        "reference"
        if row["stimulus"] == "reference"
        else row["stimulus"] + ("" if row["drug"] == "vehicle" else f" {row['drug']}")
        for row in shown.to_dict("records")
    ]
    ax.set_xticks(range(len(shown)), [style.short(name, 14) for name in names], rotation=90)
    ax.set_ylabel("log2 pS6K/S6K")
    return style.clean(ax)


def sensitivity(table: pd.DataFrame, choices: dict[str, str], ax: Axes, *, limit: float) -> Axes:
    """Change of each contrast from the one used, per choice; the limit as lines."""
    names = [name for name in choices if name in set(table["choice"])]
    if not names:
        return style.no_data(ax, "no contrast could be estimated")
    for number, name in enumerate(names):
        own = table[table["choice"].eq(name)]
        moves = own["verdict"].eq("warn")
        for part, color in ((own[~moves], style.GREY), (own[moves], style.VERMILION)):
            ax.plot(
                part["change"], [number] * len(part), "o", color=color, markersize=4.5, alpha=0.8
            )
        worst = own.loc[own["change"].abs().idxmax()] if moves.any() else None
        if worst is not None:
            ax.annotate(
                f"{worst['quantity']} {worst['stimulus']}",
                (worst["change"], number),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=style.FONT - 2,
                color=style.INK,
            )
    for edge in (-limit, limit):
        ax.axvline(edge, color=style.VERMILION, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.axvline(0, color=style.GREY, linewidth=0.8)
    ax.set_yticks(range(len(names)), [choices[name] for name in names])
    ax.set_ylim(len(names) - 0.4, -0.7)
    reach = max(1.3 * limit, 1.25 * float(table["change"].abs().max()))
    ax.set_xlim(-reach, reach)
    ax.set_xlabel("change of the contrast, log2")
    return style.clean(ax)


def routes(table: pd.DataFrame, ax: Axes) -> Axes:
    """The routes to mTORC1, each amino acid drawn to what this experiment supports: solid where it
    has a class, dashed and grey where it has none.
    """
    pathways.page(ax)
    mtorc1 = pathways.Point(6.3, 1.5)
    rag, arf1 = pathways.Point(4.2, 2.3), pathways.Point(4.2, 0.7)
    pathways.box(ax, rag, "Rag GTPases", style.PURPLE, 1.1)
    pathways.box(ax, arf1, "Arf1", style.BLUE, 1.1)
    pathways.box(ax, mtorc1, "mTORC1", style.INK, 0.95, 0.42)
    pathways.arrow(ax, pathways.Point(4.8, 2.25), pathways.Point(5.8, 1.62), style.INK)
    pathways.arrow(ax, pathways.Point(4.8, 0.75), pathways.Point(5.8, 1.38), style.INK)
    order = {"rag_dependent": 0, "mixed": 1}
    rows = sorted(table.to_dict("records"), key=lambda row: order.get(row["class"], 2))
    step = 2.4 / max(len(rows), 1)
    for number, row in enumerate(rows):
        at = pathways.Point(0.5, 2.75 - step * (number + 0.5))
        color = CLASS_COLOR.get(row["class"], style.GREY)
        pathways.pill(ax, at, row["stimulus"], color, dashed=row["class"] not in CLASS_COLOR)
        start = pathways.Point(at.x + 0.32, at.y)
        to_rag, to_arf1 = pathways.Point(3.58, 2.3), pathways.Point(3.58, 0.7)
        if row["class"] in ("rag_dependent", "mixed"):
            pathways.arrow(ax, start, to_rag, color, dashed=row["class"] == "mixed")
        if row["class"] in ("rag_independent_arf1", "mixed"):
            pathways.arrow(ax, start, to_arf1, color, dashed=row["class"] == "mixed")
        if row["class"] == "rag_independent":
            pathways.arrow(ax, start, pathways.Point(5.8, 1.5), color)
        if row["class"] not in CLASS_COLOR:
            word = str(row["class"] or row["status"]).replace("_", " ")
            pathways.note(ax, pathways.Point(at.x + 0.4, at.y), word, align="left")
    return ax
