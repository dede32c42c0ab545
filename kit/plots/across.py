"""Figures over many experiments: calls in time, repeats of one line, control charts."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from kit.config.labels import SHORT
from kit.plots import style

CALL = {
    "auxotrophic": "#A5410F",
    "dependent": "#F0A35E",
    "partially_dependent": "#F3E9A4",
    "prototrophic": "#7DB8DE",
    "inconclusive": "#FFFFFF",
}
"""Colours of the calls: those of the report's badges, a shade stronger."""
LETTER = {
    "auxotrophic": "A",
    "dependent": "D",
    "partially_dependent": "P",
    "prototrophic": "N",
    "inconclusive": "·",
}
_LETTERS_UP_TO = 32  # experiments; beyond, a letter would not fit its tile
_FEW = 12  # columns for which there is always room, so that few tiles do not become bars
_DATES = 9  # dates named below the tiles
_HEIGHT = {"confident": 0.86, "provisional": 0.5, "none": 0.5}


def calls_in_time(calls: pd.DataFrame, ax: Axes, *, lines: Sequence[str]) -> Axes:
    """A tile per experiment (column) and line and amino acid (row): colour is the call, full height
    confident, half height not.

    `calls` has `experiment_id`, `date`, `cell_line`, `amino_acid`, `call`, `confidence`, in order
    of time; `lines` is the order from
    the top.
    """
    if calls.empty:
        return style.no_data(ax, "no experiment called a line")
    columns = {name: index for index, name in enumerate(dict.fromkeys(calls["experiment_id"]))}
    rows = _rows(calls, lines)
    for record in calls.to_dict("records"):
        x, y = columns[record["experiment_id"]], rows[record["cell_line"], record["amino_acid"]]
        _tile(ax, x, y, record, letters=len(columns) <= _LETTERS_UP_TO)
    ax.set_xlim(-0.6, max(len(columns), _FEW) - 0.4)
    ax.set_ylim(max(rows.values()) + 0.6, -0.6)
    ax.set_yticks(
        list(rows.values()), [f"−{SHORT.get(acid, style.short(acid, 10))}" for _, acid in rows]
    )
    for line in dict.fromkeys(name for name, _ in rows):
        places = [y for (name, _), y in rows.items() if name == line]
        ax.text(
            -0.085,
            float(np.mean(places)),
            style.short(line, 16),
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=style.FONT - 0.5,
        )
    _name_columns(calls, columns, ax)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def _rows(calls: pd.DataFrame, lines: Sequence[str]) -> dict[tuple[str, str], float]:
    """(line, amino acid) -> place from the top; lines stand apart."""
    rows: dict[tuple[str, str], float] = {}
    place = 0.0
    for line in lines:
        for acid in sorted(set(calls.loc[calls["cell_line"].eq(line), "amino_acid"])):
            rows[line, acid] = place
            place += 1
        place += 0.5
    return rows


def _tile(ax: Axes, x: float, y: float, record: Mapping[Hashable, Any], letters: bool) -> None:
    call = str(record["call"])
    height = _HEIGHT.get(str(record["confidence"]), 0.5)
    line = (
        {"edgecolor": style.GREY, "linewidth": 0.6, "linestyle": (0, (2, 1.5))}
        if call == "inconclusive"
        else {"linewidth": 0}
    )
    ax.add_patch(
        Rectangle(
            (x - 0.42, y - height / 2), 0.84, height, facecolor=CALL.get(call, "#FFFFFF"), **line
        )
    )
    if letters:
        color = "white" if call == "auxotrophic" else style.INK
        ax.text(
            x,
            y,
            LETTER.get(call, "·"),
            ha="center",
            va="center",
            fontsize=style.FONT - 2.5,
            color=color,
        )


def _name_columns(calls: pd.DataFrame, columns: Mapping[str, int], ax: Axes) -> None:
    """Dates below some of the columns; names of experiments where there are no dates."""
    dates = calls.drop_duplicates("experiment_id").set_index("experiment_id")["date"]
    named = list(columns)[:: max(1, math.ceil(len(columns) / _DATES))]
    texts = [
        f"{dates[name]:%Y-%m-%d}" if pd.notna(dates[name]) else style.short(name, 12)
        for name in named
    ]
    ax.set_xticks(
        [columns[name] for name in named], texts, rotation=30, ha="right", rotation_mode="anchor"
    )


def call_legend(fig: Figure, calls: pd.DataFrame) -> None:
    """The calls that occur, and what height means, above the axes."""
    there = [call for call in CALL if calls["call"].eq(call).any()]
    handles = [
        Patch(
            facecolor=CALL[call],
            edgecolor=style.GREY,
            linewidth=0.4,
            label=f"{LETTER[call]}  {call.replace('_', ' ')}",
        )
        for call in there
    ]
    if handles:
        options: dict[str, Any] = {
            "loc": "outside upper left",
            "ncols": len(handles),
            "frameon": False,
        }
        fig.legend(
            handles=handles,
            fontsize=style.FONT - 1.5,
            handlelength=1.0,
            columnspacing=1.2,
            **options,
        )


def repeats(
    calls: pd.DataFrame, table: pd.DataFrame, ax: Axes, *, limits: Mapping[str, float]
) -> Axes:
    """GR of every experiment (dot, coloured by its call) per line and amino acid, the mean as a
    bar; agreement of the calls at the right.

    `table` is `kit.across.charts.repeats`, its rows from the top; `limits` name the cut-offs of the
    call.
    """
    if table.empty:
        return style.no_data(ax, "no line was measured in two experiments")
    for y, row in enumerate(table.to_dict("records")):
        own = calls[
            calls["cell_line"].eq(row["cell_line"])
            & calls["amino_acid"].eq(row["amino_acid"])
            & calls["gr"].notna()
        ]
        offsets = _spread(len(own))
        colors = [CALL.get(str(call), "#FFFFFF") for call in own["call"]]
        ax.scatter(
            own["gr"], y + offsets, s=20, c=colors, edgecolors=style.INK, linewidths=0.4, zorder=3
        )
        ax.plot(
            [row["gr_mean"]] * 2, [y - 0.42, y + 0.42], color=style.INK, linewidth=1.6, zorder=2
        )
        ax.text(
            1.015,
            y,
            _agreed(row),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=style.FONT - 1.5,
            color=style.INK,
        )
    for name, value in limits.items():
        style.limit_line(ax, value, f"{name} = {value:g}", axis="x")
    ax.set_yticks(
        range(len(table)),
        [
            f"{style.short(line, 16)} −{SHORT.get(str(acid), style.short(acid, 10))}"
            for line, acid in zip(table["cell_line"], table["amino_acid"])
        ],
    )
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlabel("GR, a dot per experiment")
    return ax


def _spread(n: int) -> np.ndarray:
    """Heights that keep neighbours in time apart: 0, then by the golden ratio within +-0.3."""
    return 0.6 * ((np.arange(n) * 0.618034 + 0.5) % 1 - 0.5)


def _agreed(row: Mapping[Hashable, Any]) -> str:
    n = f"n {row['n_experiments']}"
    if not math.isfinite(row["agreement"]):
        return f"{n}, fewer than two calls"
    return f"{n}, {100 * row['agreement']:.0f} % of pairs agree"


def individuals(
    chart: pd.DataFrame, ax: Axes, *, title: str = "", limit: tuple[str, float] | None = None
) -> Axes:
    """Values in order with centre line and limits; diamonds lie beyond the limits, open rings end
    nine in a row on one side.

    `chart` is one series of `kit.across.charts.charts`; `limit` names a cut-off of the kit to draw
    beside the chart's own limits.
    """
    x, y = np.arange(len(chart)), chart["value"].to_numpy(float)
    row = chart.iloc[0]
    if math.isfinite(row["lower"]):
        ax.axhspan(row["lower"], row["upper"], color=style.BLUE, alpha=0.07, linewidth=0)
        for value in (row["lower"], row["upper"]):
            ax.axhline(value, color=style.BLUE, linewidth=0.8, linestyle=(0, (4, 3)))
        ax.axhline(row["centre"], color=style.BLUE, linewidth=0.9)
    if limit is not None:
        ax.axhline(limit[1], color=style.VERDICT["warn"], linewidth=0.8, linestyle=(0, (1, 1.5)))
    ax.plot(x, y, color=style.FAINT, linewidth=0.9, zorder=2)
    beyond, run = (
        chart["beyond"].to_numpy(bool),
        chart["run"].to_numpy(bool) & ~chart["beyond"].to_numpy(bool),
    )
    plain = ~(beyond | run)
    ax.plot(x[plain], y[plain], "o", color=style.INK, markersize=2.6, zorder=3)
    ax.plot(
        x[run],
        y[run],
        "o",
        color=style.ORANGE,
        markersize=4.2,
        markerfacecolor="white",
        markeredgewidth=1.1,
        zorder=4,
    )
    ax.plot(x[beyond], y[beyond], "D", color=style.VERDICT["fail"], markersize=4.6, zorder=5)
    ax.set_title(title, fontsize=style.FONT - 1, loc="left", color=style.INK)
    ax.set_xlim(-0.8, len(chart) - 0.2)
    _name_few(chart, ax)
    ax.tick_params(labelbottom=False)
    return ax


def moving_ranges(chart: pd.DataFrame, ax: Axes) -> Axes:
    """Distances of neighbours with their upper limit; jumps above it marked. Dates stand below."""
    x, y = np.arange(len(chart)), chart["moving_range"].to_numpy(float)
    jump, upper = chart["jump"].to_numpy(bool), chart["range_upper"].iloc[0]
    ax.vlines(x[~jump], 0, y[~jump], color=style.GREY, linewidth=0.9)
    ax.vlines(x[jump], 0, y[jump], color=style.VERDICT["fail"], linewidth=1.6)
    if math.isfinite(upper):
        ax.axhline(upper, color=style.BLUE, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_ylim(0, 1.1 * max(np.nanmax(y, initial=0), upper if math.isfinite(upper) else 0) or 1)
    ax.set_xlim(-0.8, len(chart) - 0.2)
    _name_few(chart, ax)
    return ax


def _name_few(chart: pd.DataFrame, ax: Axes) -> None:
    """Dates of four points, the first and the last among them."""
    last = len(chart) - 1
    places = sorted({0, last // 3, (2 * last) // 3, last})
    texts = [
        f"{date:%Y-%m-%d}" if pd.notna(date) else style.short(name, 12)
        for name, date in zip(chart["experiment_id"].iloc[places], chart["date"].iloc[places])
    ]
    ax.set_xticks(places, texts, fontsize=style.FONT - 2.5)
    labels = ax.get_xticklabels()
    if len(labels) > 1:
        labels[0].set_horizontalalignment("left")
        labels[-1].set_horizontalalignment("right")


def chart_legend(fig: Figure, limit: str = "") -> None:
    """What the marks of a control chart mean, above the axes."""
    handles = [
        Line2D([], [], color=style.BLUE, linewidth=0.9, label="centre"),
        Line2D(
            [], [], color=style.BLUE, linewidth=0.8, linestyle=(0, (4, 3)), label="3-sigma limits"
        ),
        Line2D(
            [],
            [],
            color=style.VERDICT["fail"],
            marker="D",
            markersize=4.6,
            linestyle="none",
            label="beyond",
        ),
        Line2D(
            [],
            [],
            color=style.ORANGE,
            marker="o",
            markersize=4.2,
            markerfacecolor="white",
            linestyle="none",
            label="ends 9 in a row on one side",
        ),
    ]
    if limit:
        handles.append(
            Line2D(
                [],
                [],
                color=style.VERDICT["warn"],
                linewidth=0.8,
                linestyle=(0, (1, 1.5)),
                label=limit,
            )
        )
    fig.legend(
        handles=handles,
        loc="outside upper left",
        ncols=len(handles),
        frameon=False,
        fontsize=style.FONT - 1.5,
        columnspacing=1.2,
        handlelength=1.6,
    )


def control_charts(
    charts: Sequence[tuple[str, pd.DataFrame]],
    axes: np.ndarray,
    *,
    unit: str,
    limit: tuple[str, float] | None = None,
) -> None:
    """Charts (title, series) in pairs of axes, individuals above moving ranges, from the left; axes
    left over are blanked.
    """
    tops, bottoms = axes[0::2].ravel(), axes[1::2].ravel()
    for index, (top, bottom) in enumerate(zip(tops, bottoms)):
        if index >= len(charts):
            top.set_axis_off()
            bottom.set_axis_off()
            continue
        title, chart = charts[index]
        individuals(chart, top, title=title, limit=limit)
        moving_ranges(chart, bottom)
        if index % axes.shape[1] == 0:
            top.set_ylabel(unit)
            bottom.set_ylabel("moving\nrange", fontsize=style.FONT - 2)
