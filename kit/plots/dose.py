"""Dose series: points and curve of one line, and the IC50 of many. Data and ax in, ax out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kit.core.findings import number
from kit.dose.points import unit_text
from kit.plots import style

LABELS = {"gr": "GR value", "relative_viability": "relative viability"}
BREAK = 0.75
"""Decades between the lowest dose and the place of dose zero."""


def curve(
    points: pd.DataFrame, line: pd.Series, scale: str, ax: Axes, *, color: str = style.BLUE
) -> Axes:
    """Every replicate's points, the curve of the line, and its IC50 with interval, the last two
    only where they may be reported.

    `points` are rows of `dose_points` of one series, `line` its row `all` of `dose_response`.
    """
    used = points[~points["excluded"] & points[scale].notna()]
    if used.empty:
        return style.no_data(ax, "no usable points")
    positive = used.loc[used["concentration"].gt(0), "dose"]
    zero = positive.min() / 10**BREAK
    shown = used["dose"].where(used["concentration"].gt(0), zero)
    for replicate, marker in style.markers(sorted(used["replicate"].unique())).items():
        own = used["replicate"].eq(replicate)
        ax.plot(
            shown[own],
            used.loc[own, scale],
            marker,
            color=color,
            alpha=0.65,
            markersize=3.8,
            markeredgewidth=0,
            linestyle="none",
        )
    if line["reportable"]:
        _reported(line, positive, color, ax)
    else:
        means = used.assign(shown=shown).groupby("shown")[scale].mean()
        ax.plot(means.index, means, color=style.GREY, linewidth=0.9, linestyle=(0, (2, 2)))
    ax.axhline(0, color=style.FAINT, linewidth=0.8, zorder=0)
    ax.axhline(1, color=style.FAINT, linewidth=0.8, zorder=0)
    _dose_axis(ax, positive, zero, unit_text(str(line["unit"])))
    ax.set_ylabel(LABELS[scale])
    text = line["ic50_text"]
    if line["reportable"]:
        text = f"{'EC50' if line['direction'] == 'rising' else 'IC50'} {text}"
    title = f"{line['cell_line']} · {line['medium']}"
    ax.set_title(f"{style.text(title)}\n{style.text(text)}", fontsize=style.FONT - 1, loc="left")
    return ax


def _reported(line: pd.Series, positive: pd.Series, color: str, ax: Axes) -> None:
    grid = np.geomspace(positive.min(), positive.max(), 200)
    start, end = line["top"], line["bottom"]
    if line["direction"] == "rising":
        start, end = end, start
    middle = line["ic50_relative"]
    ax.plot(grid, end + (start - end) / (1 + (grid / middle) ** line["hill"]), color=color, lw=1.6)
    if np.isfinite(line["ci_low"]):
        ax.axvspan(line["ci_low"], line["ci_high"], color=color, alpha=0.13, linewidth=0)
    ax.axvline(middle, color=color, linewidth=0.9, linestyle=(0, (4, 3)))
    for level in (start, end):
        ax.axhline(level, color=color, linewidth=0.5, linestyle=":")


def _dose_axis(ax: Axes, positive: pd.Series, zero: float, unit: str) -> None:
    """A log axis whose dose zero stands behind a break."""
    ax.set_xscale("log")
    low, high = np.log10(positive.min()), np.log10(positive.max())
    step = max(1, int(np.ceil((high - low) / 5)))
    powers = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1, step)
    ax.set_xticks([zero, *10.0**powers], ["0", *(_power(one) for one in powers)])
    ax.set_xticks([], minor=True)
    ax.set_xlim(zero / 10**0.25, 10 ** (high + 0.2))
    at = (BREAK * 0.5 + 0.25) / (high + 0.2 - low + BREAK + 0.25)
    ax.text(
        at,
        0,
        "//",
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=style.FONT,
        color=style.GREY,
    )
    ax.set_xlabel(unit)


def _power(exponent: float) -> str:
    return number(10.0**exponent) if -3 <= exponent <= 3 else f"$10^{{{int(exponent)}}}$"


def forest(lines: pd.DataFrame, ax: Axes) -> Axes:
    """IC50 of each line and medium on a log axis, with its interval; an arrow where it lies beyond
    the doses, words where it cannot be reported. `lines` are rows `all` of one agent and scale.
    """
    if lines.empty:
        return style.no_data(ax, "no dose series")
    ax.set_xscale("log")
    media = style.colors(lines["medium"])
    names = []
    for place, row in enumerate(lines.to_dict("records")):
        color = media[row["medium"]]
        if row["reportable"]:
            if np.isfinite(row["ci_low"]):
                ax.plot([row["ci_low"], row["ci_high"]], [place, place], color=color, linewidth=1.4)
            ax.plot(row["ic50_relative"], place, "o", color=color, markersize=5)
        elif row["censored"] != "none":
            right = row["censored"] == "right"
            ax.plot(row["censored_at"], place, ">" if right else "<", color=color, markersize=7)
        else:
            ax.text(
                0.02,
                place,
                style.text(row["ic50_text"]),
                va="center",
                fontsize=style.FONT - 2,
                color=style.GREY,
                transform=ax.get_yaxis_transform(),
            )
        names.append(f"{row['cell_line']} · {row['medium']}")
    ax.set_yticks(range(len(names)), [style.short(name, 34) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(f"IC50 or EC50, {style.text(unit_text(str(lines['unit'].iloc[0])))}")
    return ax


def shifts(table: pd.DataFrame, ax: Axes) -> Axes:
    """Fold of the IC50 between two curves, with its interval, on a log axis; an arrow at a bound.

    `table` holds rows of `curve_shifts` and a column `name` for the axis.
    """
    ends = table[["ci_low", "ci_high"]].replace([0.0, np.inf], np.nan)
    rows = table[table["fold"].notna() | ends.notna().any(axis=1)]
    if rows.empty:
        return style.no_data(ax, "no pair of reportable curves")
    ax.set_xscale("log")
    for place, row in enumerate(rows.to_dict("records")):
        if row["method"] == "censored":
            least = row["ci_low"] > 1
            ax.plot(
                row["ci_low" if least else "ci_high"],
                place,
                ">" if least else "<",
                color=style.BLUE,
                markersize=7,
            )
            continue
        if np.isfinite(row["ci_low"]):
            ax.plot([row["ci_low"], row["ci_high"]], [place, place], color=style.BLUE, lw=1.4)
        ax.plot(row["fold"], place, "o", color=style.BLUE, markersize=5)
    ax.set_yticks(range(len(rows)), [style.short(name, 48) for name in rows["name"]])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    style.limit_line(ax, 1.0, "no shift", axis="x")
    ax.set_xlabel("fold of the IC50 (95 % interval)")
    return ax


def grid_shape(count: int, most: int = 3) -> Sequence[int]:
    """Rows and columns of a figure of `count` panels."""
    columns = max(1, min(most, count))
    return max(1, -(-count // columns)), columns
