"""Figures of cell death: gates and their limits, Annexin V x PI density, stacked quadrants,
specific Annexin V+ per replicate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from kit.flow.gating import Logicle, logicle
from kit.flow.gating import quadrants as count_quadrants
from kit.plots.style import (
    BLUE,
    FONT,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    colors,
    name_ticks,
    no_data,
    short,
    text,
)

QUADRANT_COLORS = {"viable": GREEN, "early": ORANGE, "late": VERMILION, "necrotic": BLUE}
QUADRANT_LABELS = {
    "viable": "viable (Annexin V−/PI−)",
    "early": "early (Annexin V+/PI−)",
    "late": "late (Annexin V+/PI+)",
    "necrotic": "necrotic (Annexin V−/PI+)",
}
_LIMIT: dict[str, Any] = {"color": "#444444", "linewidth": 1.0, "linestyle": (0, (4, 2))}
_BINS = 160


# ---- one sample


def density(
    ax: Axes,
    points: ArrayLike,
    annexin_threshold: float,
    pi_threshold: float,
    *,
    percents: Mapping[str, float] | None = None,
    scale: Logicle | None = None,
    title: str = "",
) -> Axes:
    """Annexin V (x) against PI (y) of single cells on logicle axes, with thresholds and the
    percentage of each quadrant.

    `points`: events x 2, linear, compensated. `percents` (viable, early, late, necrotic) are those
      of all events where `points` is a
    sample of them; else they are counted here.
    """
    values, scale = np.asarray(points, dtype=float), scale or Logicle()
    if not len(values):
        return no_data(ax, f"{title}: no single cells" if title else "no single cells")
    if percents is None:
        counts = count_quadrants(values[:, 0], values[:, 1], annexin_threshold, pi_threshold)
        percents = {name: 100 * getattr(counts, name) / counts.total for name in QUADRANT_COLORS}
    shown = logicle(values, scale)
    low = min(
        float(np.percentile(shown, 0.1)) - 0.03, float(logicle(np.array([0.0]), scale)[0]) - 0.03
    )
    box = [[low, 1.0], [low, 1.0]]
    drawn = np.clip(shown, low, 1.0)
    counts2d, xs, ys = np.histogram2d(drawn[:, 0], drawn[:, 1], bins=_BINS, range=box)
    ax.pcolormesh(
        xs,
        ys,
        np.ma.masked_equal(counts2d.T, 0),
        norm=LogNorm(vmin=0.6),
        cmap="viridis",
        rasterized=True,
    )
    cut_x, cut_y = logicle(np.array([annexin_threshold, pi_threshold]), scale)
    ax.axvline(cut_x, **_LIMIT)
    ax.axhline(cut_y, **_LIMIT)
    _corner_percents(ax, percents)
    for axis, label in ((ax.xaxis, "Annexin V"), (ax.yaxis, "PI")):
        _logicle_ticks(axis, scale, low)
        axis.set_label_text(f"{label} (logicle)")
    ax.set(xlim=(low, 1.0), ylim=(low, 1.0), title=text(title))
    ax.set_box_aspect(1)
    return ax


def _corner_percents(ax: Axes, percents: Mapping[str, float]) -> None:
    corners = {
        "necrotic": (0.02, 0.98),
        "late": (0.98, 0.98),
        "viable": (0.02, 0.02),
        "early": (0.98, 0.02),
    }
    for name, (x, y) in corners.items():
        ax.text(
            x,
            y,
            f"{name}\n{percents[name]:.1f} %",
            transform=ax.transAxes,
            ha="left" if x < 0.5 else "right",
            va="top" if y > 0.5 else "bottom",
            fontsize="small",
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
        )


def _logicle_ticks(axis: Any, scale: Logicle, low: float) -> None:
    """Decades labelled as powers of ten, 0 in between, and unlabelled ticks at 2..9 of each
    decade.
    """
    top = int(np.floor(np.log10(scale.t)))
    decades = [10.0**power for power in range(3, top + 1)]
    major = np.array([-d for d in decades[:1]] + [0.0, *decades])
    names = [f"−10$^{{{3}}}$", "0", *(f"10$^{{{power}}}$" for power in range(3, top + 1))]
    minor = np.array(
        [
            sign * digit * 10.0**power
            for sign in (-1, 1)
            for power in range(2, top + 1)
            for digit in range(1, 10)
        ]
    )
    places, small = logicle(major, scale), logicle(minor, scale)
    inside = (places >= low) & (places <= 1)
    axis.set_major_locator(FixedLocator(places[inside].tolist()))
    axis.set_ticklabels([name for name, keep in zip(names, inside) if keep])
    axis.set_minor_locator(FixedLocator(small[(small >= low) & (small <= 1)].tolist()))
    axis.set_minor_formatter(NullFormatter())


def _density2d(ax: Axes, x: NDArray[Any], y: NDArray[Any]) -> None:
    box = [[0.0, float(np.percentile(x, 99.8)) * 1.1], [0.0, float(np.percentile(y, 99.8)) * 1.3]]
    counts, xs, ys = np.histogram2d(x, y, bins=_BINS, range=box)
    ax.pcolormesh(
        xs,
        ys,
        np.ma.masked_equal(counts.T, 0),
        norm=LogNorm(vmin=0.6),
        cmap="viridis",
        rasterized=True,
    )
    ax.ticklabel_format(style="sci", scilimits=(-3, 3), useMathText=True)


# ---- all samples


def quadrants(
    ax: Axes, table: pd.DataFrame, *, media: Sequence[str] | None = None, legend: bool = True
) -> Axes:
    """Stacked quadrants: one thin bar per biological replicate, grouped by line and medium (in the
    order of `media`).
    """
    if table.empty:
        return no_data(ax, "no flow cytometry")
    groups = _groups(table, media)
    ticks, names, heads, x = [], [], [], 0.0
    for line, members in groups.items():
        first = x
        for medium in members:
            part = table[(table["cell_line"] == line) & (table["medium"] == medium)].sort_values(
                "replicate"
            )
            bars = x + np.arange(len(part)) * 0.9
            _stack(ax, bars, part)
            ticks.append(float(bars.mean()))
            names.append(text(medium))
            x = float(bars[-1]) + 1.6
        heads.append((line, (first + x - 1.6) / 2))
        x += 1.0
    ax.set_xticks(ticks, names, rotation=40, ha="right", rotation_mode="anchor")
    room = int(66 / max(len(heads), 1))  # letters that fit above a line's bars
    for line, middle in heads:
        name = short(line, max(10, room))
        ax.text(middle, 101.5, name, ha="center", va="bottom", fontweight="bold", fontsize=FONT - 1)
    ax.set(ylabel="single cells (%)", ylim=(0, 100), xlim=(-1, x - 1.6))
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        handles = [
            ax.bar([np.nan], [0], color=color, label=QUADRANT_LABELS[name])
            for name, color in reversed(QUADRANT_COLORS.items())
        ]
        ax.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            frameon=False,
            title="one bar per replicate",
            fontsize=FONT - 1.5,
            title_fontsize=FONT - 1,
        )
    return ax


def _groups(table: pd.DataFrame, media: Sequence[str] | None) -> dict[str, list[str]]:
    """Line -> its media, in the given order (media not listed come last)."""
    order = list(dict.fromkeys([*(media or []), *table["medium"]]))
    return {
        str(line): [name for name in order if name in set(part["medium"])]
        for line, part in table.groupby("cell_line", sort=False)
    }


def _stack(ax: Axes, bars: NDArray[Any], part: pd.DataFrame) -> None:
    bottom = np.zeros(len(part))
    for name, color in QUADRANT_COLORS.items():
        height = part[f"{name}_percent"].to_numpy(dtype=float)
        ax.bar(bars, height, 0.85, bottom=bottom, color=color, edgecolor="white", linewidth=0.4)
        bottom = bottom + height
    for bar, verdict in zip(bars, part.get("verdict", pd.Series("pass", index=part.index))):
        if verdict == "fail":
            ax.text(bar, 50, "✕", ha="center", va="center", color="black", fontweight="bold")


def specific_apoptosis(
    ax: Axes,
    table: pd.DataFrame,
    *,
    media: Sequence[str] | None = None,
    sa_low: float = 0.10,
    sa_high: float = 0.20,
    word: str = "Annexin V+",
    min_replicates: int = 3,
    by_line: bool = False,
) -> Axes:
    """Specific death per line and medium: a dot per replicate (left to right) and the mean as a
    bar. Groups are media with a colour per line, or lines with a colour per medium (`by_line`).

    The limits of the call are drawn and named. Samples whose check failed are hollow and not in the
    mean; fewer than `min_replicates`
    are marked exploratory.
    """
    shown = (
        table[(table["role"] != "control") & table["specific_apoptosis"].notna()]
        if "role" in table
        else table.dropna(subset=["specific_apoptosis"])
    )
    if shown.empty:
        return no_data(ax, "no sample has a control of its own line and replicate")
    order = [*(media or []), *shown["medium"]]
    known = [name for name in dict.fromkeys(order) if name in set(shown["medium"])]
    lines = list(dict.fromkeys(shown["cell_line"]))
    members, shades = (lines, known) if by_line else (known, lines)
    columns = ["cell_line", "medium"] if by_line else ["medium", "cell_line"]
    width = 0.8 / len(shades)
    groups = {key: part.sort_values("replicate") for key, part in shown.groupby(columns)}
    exploratory = any(len(part) < min_replicates for part in groups.values())
    for index, (shade, color) in enumerate(colors(shades).items()):
        offset = (index - (len(shades) - 1) / 2) * width
        for position, member in enumerate(members):
            if (member, shade) in groups:
                _replicates(ax, position + offset, width, groups[member, shade], color)
        ax.plot([], [], "o", color=color, label=short(shade, 20))
    for value, name in ((sa_low, "sa_low"), (sa_high, "sa_high")):
        _named_limit(ax, value, f"cut-off {value:g} ({name})")
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    name_ticks(ax, members)
    ax.set(
        ylabel=f"specific {word}\n(share of control's\nnegative cells)",
        xlim=(-0.5, len(members) - 0.5),
    )
    for edge in range(1, len(members)):
        ax.axvline(edge - 0.5, color="#dddddd", linewidth=0.8, zorder=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        title="dot: replicate\nbar: mean\nhollow: failed check",
        fontsize=FONT - 1.5,
        title_fontsize=FONT - 1.5,
    )
    if exploratory:
        ax.set_title(
            f"EXPLORATORY: fewer than {min_replicates} replicates",
            loc="left",
            fontsize="small",
            color=VERMILION,
        )
    return ax


def odds_forest(ax: Axes, effects: pd.DataFrame, word: str = "Annexin V+") -> Axes:
    """Odds ratio and interval of each row of TABLES["apoptosis_effects"] on a log axis, grouped by
    line; hollow where nothing was tested.
    """
    if effects.empty:
        return no_data(ax, "no line has a control and another medium in the same replicate")
    shades = colors(effects["cell_line"])
    places, y = [], 0.0
    for line, part in effects.groupby("cell_line", sort=False):
        color = shades[line]
        for row in part.to_dict("records"):
            y += 1.0
            tested = bool(np.isfinite(row["odds_ratio_low"]))
            if tested:
                ax.hlines(
                    y, row["odds_ratio_low"], row["odds_ratio_high"], color=color, linewidth=1.6
                )
            ax.scatter(
                row["odds_ratio"],
                y,
                s=34,
                color=color if tested else "white",
                edgecolors=color,
                zorder=3,
            )
            places.append((y, f"{short(line, 14)}: {short(row['contrast'], 34)}"))
        y += 0.7
    ax.axvline(1, color=GREY, linewidth=0.9)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks([place for place, _ in places], [name for _, name in places], fontsize=7.5)
    ax.set(ylim=(places[-1][0] + 0.8, 0.2), xlabel=f"odds ratio of {word} (95 % interval)")
    return ax


def _named_limit(ax: Axes, value: float, name: str) -> None:
    """A dashed line across, its name on it at the right, clear of the dots below."""
    ax.axhline(value, zorder=0, **_LIMIT)
    ax.text(
        0.995,
        value,
        name,
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize="small",
        color="#444444",
    )


def _replicates(ax: Axes, center: float, width: float, part: pd.DataFrame, color: str) -> None:
    """Dots of one line in one medium, left to right by replicate, and the mean of those that
    passed.
    """
    if part.empty:
        return
    values = part["specific_apoptosis"].to_numpy(dtype=float)
    good = (
        (part["verdict"] != "fail").to_numpy()
        if "verdict" in part
        else np.ones(len(part), dtype=bool)
    )
    places = center + (
        np.linspace(-0.22, 0.22, len(part)) * width if len(part) > 1 else np.zeros(1)
    )
    ax.scatter(places[good], values[good], s=22, color=color, alpha=0.85, linewidths=0, zorder=3)
    ax.scatter(places[~good], values[~good], s=22, facecolors="none", edgecolors=color, zorder=3)
    if good.any():
        mean = values[good].mean()
        ax.plot(
            [center - 0.36 * width, center + 0.36 * width],
            [mean, mean],
            color=color,
            linewidth=2.2,
            solid_capstyle="butt",
            zorder=2,
        )
