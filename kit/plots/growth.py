"""Growth as SuperPlots: every well faint, every biological replicate plain to see, the limits drawn
and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kit.config.settings import Settings
from kit.plots import style

LABEL = {
    "gr": "GR value",
    "relative_viability": "relative viability",
    "log2_fc": "log2 change against control",
}


def superplot(
    growth: pd.DataFrame,
    wells: pd.DataFrame | None,
    settings: Settings,
    ax: Axes,
    *,
    y: str = "gr",
    media: list[str] | None = None,
    named_limits: bool = True,
) -> Axes:
    """One line: x = medium, small points = wells, large markers = biological replicates, bar =
    their mean.

    `growth` is the contract's table of one line and readout; `wells` the frame of
    `kit.plates.growth.per_well` or None.
    """
    shown = growth[growth[y].notna()]
    media = [
        medium
        for medium in media or list(dict.fromkeys(growth["medium"]))
        if medium in set(shown["medium"])
    ]
    if not media:
        return style.no_data(ax, _why(growth, y))
    marks, rng = style.markers(sorted(set(growth["replicate"]))), np.random.default_rng(0)
    here = [shown[shown["medium"].eq(medium)] for medium in media]
    if wells is not None:
        few = [wells[wells["medium"].eq(medium)][y].dropna().to_numpy(float) for medium in media]
        x = np.concatenate(
            [position + rng.uniform(-0.28, 0.28, len(own)) for position, own in enumerate(few)]
        )
        ax.scatter(
            x,
            np.concatenate(few),
            s=5,
            color=style.FAINT,
            linewidths=0,
            zorder=1,
            rasterized=len(x) > 40 * len(media),
        )
    _replicates(
        ax,
        pd.concat([_abreast(rows, place, 0.15) for place, rows in enumerate(here)]),
        y,
        marks,
        size=34,
        color=style.BLUE,
        edge=0.6,
    )
    _means(ax, [rows[y].mean() for rows in here], range(len(media)), 0.32, 1.4)
    ax.set_xticks(
        range(len(media)),
        [style.short(medium, 16) for medium in media],
        rotation=25,
        ha="right",
        rotation_mode="anchor",
    )
    ax.set_xlim(-0.6, len(media) - 0.4)
    ax.set_ylabel(LABEL[y])
    draw_limits(ax, settings, y, named_limits)
    return ax


def _abreast(rows: pd.DataFrame, center: float, gap: float) -> pd.DataFrame:
    """The biological replicates side by side about `center`: their place is in `x`."""
    rows = rows.sort_values("replicate")
    return rows.assign(x=center + (np.arange(len(rows)) - (len(rows) - 1) / 2) * gap)


def _replicates(
    ax: Axes,
    placed: pd.DataFrame,
    y: str,
    marks: Mapping[object, str],
    *,
    size: float,
    color: str,
    edge: float,
) -> None:
    """One marker per row, its shape that of the replicate."""
    for replicate, rows in placed.groupby("replicate"):
        ax.scatter(
            rows["x"],
            rows[y],
            s=size,
            marker=marks[replicate],
            color=color,
            edgecolors="white",
            linewidths=edge,
            zorder=3,
        )


def _means(
    ax: Axes, values: Sequence[float], centers: Sequence[float], half: float, width: float
) -> None:
    ax.hlines(
        values,
        np.asarray(centers) - half,
        np.asarray(centers) + half,
        color=style.INK,
        linewidth=width,
        zorder=2,
    )


def draw_limits(ax: Axes, settings: Settings, y: str, named: bool = True) -> None:
    """The cut-offs of the call, each with its name and value."""
    if y == "gr":
        limits = [
            (0.0, "stasis", style.INK),
            (
                settings.gr_auxotroph,
                f"cut-off {settings.gr_auxotroph:g}\n(gr_auxotroph)",
                style.VERMILION,
            ),
            (
                settings.gr_prototroph,
                f"cut-off {settings.gr_prototroph:g}\n(gr_prototroph)",
                style.GREEN,
            ),
            (1.0, "control", style.GREY),
        ]
    else:
        limits = [(0.0 if y == "log2_fc" else 1.0, "control", style.GREY)]
    for value, name, color in limits:
        style.limit_line(ax, value, name if named else "", color=color)


def overview(
    growth: pd.DataFrame,
    settings: Settings,
    ax: Axes,
    *,
    lines: list[str],
    media: Mapping[str, str],
    y: str = "gr",
    wells: pd.DataFrame | None = None,
) -> Axes:
    """All lines in one SuperPlot for the first screen: groups of media per line, wells faint behind
    one marker per biological replicate.

    `media` maps each medium shown to its colour, in order; `wells` is the frame of
    `kit.plates.growth.per_well` or None.
    """
    shown = growth[growth[y].notna() & growth["medium"].isin(list(media))]
    lines = [line for line in lines if line in set(shown["cell_line"])]
    if not lines:
        return style.no_data(ax, _why(growth, y))
    marks = style.markers(sorted(set(shown["replicate"])))
    step, size = 0.8 / max(len(media), 1), 26 if len(lines) * len(media) <= 20 else 15
    behind = (
        {}
        if wells is None
        else {
            key: group[y].dropna().to_numpy(float)
            for key, group in wells.groupby(["cell_line", "medium"])
        }
    )
    rng = np.random.default_rng(0)
    for x in range(1, len(lines), 2):
        ax.axvspan(x - 0.5, x + 0.5, color="#F4F6F8", zorder=0, linewidth=0)
    for index, (medium, color) in enumerate(media.items()):
        groups = {(line, medium): x - 0.4 + step * (index + 0.5) for x, line in enumerate(lines)}
        here = {
            center: shown[shown["cell_line"].eq(line) & shown["medium"].eq(medium)]
            for (line, medium), center in groups.items()
        }
        few = {center: behind.get(key, np.empty(0)) for key, center in groups.items()}
        across = np.concatenate(
            [center + rng.uniform(-0.45, 0.45, len(own)) * step for center, own in few.items()]
        )
        ax.scatter(
            across,
            np.concatenate([*few.values()]),
            s=size / 5,
            color=color,
            alpha=0.35,
            linewidths=0,
            zorder=1.5,
        )
        placed = pd.concat(
            [
                _abreast(rows, center, step / max(len(rows), 3) * 0.8)
                for center, rows in here.items()
            ]
        )
        _replicates(ax, placed, y, marks, size=size, color=color, edge=0.5)
        _means(ax, [rows[y].mean() for rows in here.values()], list(here), step * 0.38, 1.2)
    style.name_ticks(ax, lines)
    ax.set_xlim(-0.5, len(lines) - 0.5)
    ax.set_ylabel(LABEL[y])
    draw_limits(ax, settings, y)
    _overview_legend(ax, media, marks, any(map(len, behind.values())))
    return ax


def _overview_legend(
    ax: Axes, media: Mapping[str, str], marks: Mapping[object, str], wells: bool
) -> None:
    """Colours are media, shapes replicates, small points wells."""
    for medium, color in media.items():
        ax.scatter([], [], color=color, s=30, label=style.short(medium))
    for replicate, mark in marks.items():
        ax.scatter([], [], color=style.GREY, marker=mark, s=26, label=f"replicate {replicate}")
    if wells:
        ax.scatter([], [], color=style.GREY, alpha=0.6, s=6, linewidths=0, label="well")
    ax.legend(
        fontsize=7.5,
        frameon=False,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=4,
        handletextpad=0.1,
        columnspacing=1.2,
    )


def control_doublings(growth: pd.DataFrame, settings: Settings, ax: Axes, lines: list[str]) -> Axes:
    """Doublings of control per line, one marker per biological replicate: GR needs the control to
    grow.
    """
    rows = growth.dropna(subset="control_doublings").drop_duplicates(
        ["cell_line", "replicate", "readout", "hours"]
    )
    lines = [line for line in lines if line in set(rows["cell_line"])]
    if not lines:
        return style.no_data(ax, "no 0 h plate and no doubling time")
    marks = style.markers(sorted(set(rows["replicate"])))
    for position, line in enumerate(lines):
        here = rows[rows["cell_line"].eq(line)].sort_values("replicate")
        offsets = (np.arange(len(here)) - (len(here) - 1) / 2) * 0.12
        for offset, (_, row) in zip(offsets, here.iterrows(), strict=True):
            hollow = row["gr_basis"] != "0 h plate"
            color = style.BLUE
            ax.scatter(
                position + offset,
                row["control_doublings"],
                s=34,
                marker=marks[row["replicate"]],
                edgecolors=color,
                facecolors="none" if hollow else color,
            )
    style.name_ticks(ax, lines)
    ax.set_xlim(-0.5, len(lines) - 0.5)
    ax.set_ylim(
        0, 1.08 * max(float(rows["control_doublings"].max()), settings.min_control_doublings)
    )
    ax.set_ylabel("doublings of control")
    style.limit_line(
        ax,
        settings.min_control_doublings,
        f"least doublings {settings.min_control_doublings:g} (min_control_doublings)",
        color=style.GREEN,
    )
    style.limit_line(
        ax,
        settings.undefined_control_doublings,
        f"undefined below {settings.undefined_control_doublings:g}",
        color=style.VERMILION,
    )
    return ax


def forest(
    effects: pd.DataFrame, ax: Axes, palette: Mapping[str, str], scale: str = "log2_fc"
) -> Axes:
    """Estimate and interval of every contrast against control, grouped by line; hollow where
    nothing was tested.
    """
    rows = effects[effects["scale"].eq(scale) & effects["estimate"].notna()].reset_index(drop=True)
    if rows.empty:
        return style.no_data(ax, "no contrast could be formed")
    previous, y, ticks, labels = None, 0.0, [], []
    for _, row in rows.iterrows():
        y += 1.0 + (0.7 if previous not in (None, row["cell_line"]) else 0.0)
        previous = row["cell_line"]
        color = palette.get(row["medium"], style.BLUE)
        tested = np.isfinite(row["ci_low"])
        if tested:
            ax.hlines(y, row["ci_low"], row["ci_high"], color=color, linewidth=1.6)
        ax.scatter(
            row["estimate"], y, s=34, color=color if tested else "white", edgecolors=color, zorder=3
        )
        ticks.append(y)
        labels.append(f"{style.short(row['cell_line'], 14)}: {style.short(row['contrast'], 34)}")
    ax.axvline(0, color=style.GREY, linewidth=0.9)
    ax.set_yticks(ticks, labels, fontsize=7.5)
    ax.set_ylim(y + 0.8, 0.2)
    ax.set_xlabel(
        "difference in log2 signal (95 % interval)"
        if scale == "log2_fc"
        else "difference in GR (95 % interval)"
    )
    return ax


def _why(growth: pd.DataFrame, y: str) -> str:
    notes = [note for note in growth.get("note", pd.Series(dtype=str)).dropna().unique() if note]
    return notes[0] if y == "gr" and notes else "nothing measured"


def agreement(table: pd.DataFrame, settings: Settings, ax: Axes) -> Axes:
    """GR of a signal on GR of counts, one marker per replicate, with the band of the accepted
    difference.
    """
    values = table[["gr_count", "gr_signal"]].to_numpy(float)
    low, high = float(values.min()) - 0.15, float(values.max()) + 0.15
    limit, ends = settings.max_readout_disagreement_gr, np.array([low, high])
    ax.fill_between(ends, ends - limit, ends + limit, color=style.GREEN, alpha=0.12, linewidth=0)
    ax.plot(ends, ends, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    marks = style.markers(sorted(set(table["replicate"])))
    for row in table.to_dict("records"):
        color = style.BLUE if row["agrees"] else style.VERMILION
        ax.scatter(
            row["gr_count"],
            row["gr_signal"],
            s=34,
            marker=marks[row["replicate"]],
            color=color,
            edgecolors="white",
            linewidths=0.6,
            zorder=3,
        )
    bad = table[~table["agrees"].astype(bool)]
    for (line, medium), rows in bad.groupby(["cell_line", "medium"], sort=False):
        below = rows["gr_signal"].mean() < rows["gr_count"].mean()
        spot = (
            rows["gr_count"].mean(),
            rows["gr_signal"].min() if below else rows["gr_signal"].max(),
        )
        ax.annotate(
            style.text(f"{style.short(line, 12)} {style.short(medium, 16)}"),
            spot,
            xytext=(0, -9 if below else 9),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            fontsize=style.FONT - 2,
            color=style.INK,
        )
    ax.text(
        high,
        high,
        f"limit {limit:g} (max_readout_disagreement_gr) ",
        ha="right",
        va="bottom",
        fontsize=style.FONT - 2,
        color=style.GREY,
    )
    ax.set(
        xlim=(low, high),
        ylim=(low, high),
        xlabel="GR by counts",
        ylabel="GR by ATP (or another signal)",
    )
    return ax
