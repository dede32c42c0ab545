"""Plates as they lie on the bench: heatmaps, control distributions, drift, agreement of
replicates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

from kit.config.settings import Settings
from kit.core.wells import row_letters
from kit.plates import spatial
from kit.plots import style

ROLE_COLOR = {"control": style.BLUE, "killed": style.VERMILION, "blank": style.GREY}
RAW, RESIDUAL = "viridis", "RdBu_r"
MOST_COLORS = 12  # lines that colours can tell apart


def plate_map(
    wells: pd.DataFrame,
    values: pd.Series,
    norm: Normalize,
    cmap: str,
    ax: Axes,
    *,
    letters: bool = True,
    numbers: bool = True,
) -> Axes:
    """One plate as an image: excluded wells are crossed out, missing or saturated ones carry a
    ring.

    `letters` and `numbers`: whether rows and columns are named beside it, which the leftmost and
    lowest of equal plates can do for all.
    """
    rows, columns = spatial.plate_shape(wells)
    grid = np.full((rows, columns), np.nan)
    grid[wells["row"] - 1, wells["column"] - 1] = values
    ax.imshow(grid, norm=norm, cmap=cmap, aspect="equal", interpolation="nearest")
    excluded, lost = (
        wells[wells["excluded"]],
        wells[wells["signal"].isna() & wells["role"].ne("empty") & ~wells["excluded"]],
    )
    size = 160 / columns
    ax.scatter(
        excluded["column"] - 1,
        excluded["row"] - 1,
        marker="x",
        s=size,
        color=style.INK,
        linewidths=0.9,
    )
    ax.scatter(
        lost["column"] - 1,
        lost["row"] - 1,
        marker="o",
        s=size,
        facecolors="none",
        edgecolors=style.VERMILION,
        linewidths=0.9,
    )
    step = max(1, columns // 12)
    named_columns, named_rows = (
        range(0, columns, step) if numbers else (),
        range(0, rows, step) if letters else (),
    )
    ax.set_xticks(named_columns, [str(column + 1) for column in named_columns])
    ax.set_yticks(named_rows, [row_letters(row + 1) for row in named_rows])
    ax.tick_params(length=0, labelsize=5.5, pad=1)
    ax.spines[:].set_visible(False)
    return ax


def heatmaps(wells: pd.DataFrame, kind: str, columns: int = 6) -> Figure:
    """Every plate of `wells` on one shared scale: `kind` raw (signal, log scale) or residual (% of
    the treatment's mean).
    """
    plates = list(dict.fromkeys(wells["plate"]))
    columns = min(columns, max(len(plates), 1))
    count = int(np.ceil(len(plates) / columns))
    height = 1.2 * max(count, 1) + 0.45
    fig = Figure(
        figsize=(style.WIDTH + 1.6, height)
    )  # placed by hand: a layout engine would draw all the labels twice
    axes = np.atleast_1d(fig.subplots(max(count, 1), columns, squeeze=False)).ravel()
    fig.subplots_adjust(0.025, 0.2 / height, 0.915, 1 - 0.25 / height, 0.12, 0.42)
    if not plates:
        style.no_data(axes[0], "no plates")
        return fig
    values, norm, cmap, label = heatmap_values(wells, kind)
    groups = dict(list(wells.groupby("plate", sort=False)))
    alike = (
        len({spatial.plate_shape(group) for group in groups.values()}) == 1
    )  # then a row's letters hold for all plates beside it
    for index, (ax, plate) in enumerate(zip(axes, plates, strict=False)):
        left, lowest = index % columns == 0, index + columns >= len(plates)
        plate_map(
            groups[plate],
            values[groups[plate].index],
            norm,
            cmap,
            ax,
            letters=left or not alike,
            numbers=lowest or not alike,
        )
        ax.set_title(
            style.short(plate, 22), fontsize=6.5, color=style.INK, y=1.0, pad=2
        )  # a given y spares a search for free space
    for ax in axes[len(plates) :]:
        ax.set_axis_off()
    image = axes[0].images[0]
    bar = fig.colorbar(image, cax=fig.add_axes((0.93, 0.2, 0.01, 0.6)))
    bar.set_label(label, fontsize=7)
    bar.ax.tick_params(labelsize=6.5)
    bar.outline.set_visible(False)
    return fig


def heatmap_values(wells: pd.DataFrame, kind: str) -> tuple[pd.Series, Normalize, str, str]:
    """What a heatmap of `kind` raw, corrected or residual shows: the wells' values, their scale,
    the colour map's name and the label.
    """
    if kind == "residual":
        values = _residuals(wells)
        return values, *_scale(values, kind), "deviation (%)"
    column, label = (
        ("signal", "signal (log scale)")
        if kind == "raw"
        else ("signal_corrected", "signal less blank (log scale)")
    )
    values = wells[column].where(wells[column] > 0)
    return values, *_scale(values, kind), label


def _residuals(wells: pd.DataFrame) -> pd.Series:
    parts = [
        spatial.residual_percent(group[group["role"].eq("sample") & group["used"]])
        for _, group in wells.groupby("plate")
    ]
    return pd.concat(parts).reindex(wells.index) if parts else pd.Series(dtype=float)


def _scale(values: pd.Series, kind: str) -> tuple[Normalize, str]:
    known = values.dropna()
    if kind != "residual":
        low, high = (known.min(), known.max()) if len(known) else (1, 10)
        return LogNorm(max(low, 1e-9), max(high, low * 1.01)), RAW
    reach = max(20.0, float(np.ceil(known.abs().quantile(0.99) / 10) * 10)) if len(known) else 20.0
    return TwoSlopeNorm(0, -reach, reach), RESIDUAL


def control_distributions(wells: pd.DataFrame, control_medium: str | None, ax: Axes) -> Axes:
    """Control, killed and blank wells of every plate on a log scale: far apart is good."""
    used = wells[wells["used"] & wells["signal"].gt(0)]
    kind = used["role"].map({"kill": "killed", "blank": "blank"}).fillna("")
    kind[used["role"].eq("sample") & used["medium"].eq(control_medium or "")] = "control"
    shown = used.assign(kind=kind)[kind != ""]
    if shown.empty:
        return style.no_data(ax, "no control, killed or blank wells")
    shown = shown.assign(plate=pd.Categorical(shown["plate"], list(dict.fromkeys(wells["plate"]))))
    rng_state = np.random.get_state()  # noqa: NPY002  seaborn's jitter draws from numpy's global state
    np.random.seed(0)  # noqa: NPY002
    sns.stripplot(
        shown,
        x="plate",
        y="signal",
        hue="kind",
        palette=ROLE_COLOR,
        hue_order=list(ROLE_COLOR),
        size=2.6,
        alpha=0.75,
        jitter=0.22,
        ax=ax,
    )
    np.random.set_state(rng_state)  # noqa: NPY002
    ax.set_yscale("log")
    ax.set(xlabel="", ylabel="signal")
    ticks = ax.get_xticks()
    ax.set_xticks(
        ticks,
        [style.short(label.get_text(), 20) for label in ax.get_xticklabels()],
        rotation=90,
        fontsize=6.5,
    )
    ax.legend(
        title="",
        fontsize=7.5,
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        frameon=False,
        handletextpad=0.1,
    )
    return ax


def drift(wells: pd.DataFrame, axis: str, settings: Settings, ax: Axes) -> Axes:
    """Mean deviation per row or column, one line per plate, with the limits of drift drawn."""
    samples = wells[wells["role"].eq("sample") & wells["used"]]
    residual = _residuals(wells).reindex(samples.index)
    means = (
        samples.assign(residual=residual)
        .dropna(subset="residual")
        .groupby(["plate", axis])["residual"]
        .mean()
    )
    if means.empty:
        return style.no_data(ax, "no two wells treated alike")
    for plate in means.index.get_level_values("plate").unique():
        line = means[plate]
        ax.plot(line.index, line.to_numpy(), color=style.BLUE, alpha=0.35, linewidth=0.9)
    overall = means.groupby(axis).mean()
    ax.plot(
        overall.index, overall.to_numpy(), color=style.INK, linewidth=1.8, label="mean of plates"
    )
    for bound in (-settings.max_drift_percent / 2, settings.max_drift_percent / 2):
        ax.axhline(bound, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    labels = (
        [row_letters(int(value)) for value in overall.index]
        if axis == "row"
        else [str(int(value)) for value in overall.index]
    )
    ax.set_xticks(overall.index, labels)
    ax.set(xlabel=axis, ylabel="deviation (%)", title="")
    ax.text(
        0.99,
        0.98,
        f"dashed: {settings.max_drift_percent:g} % over the plate (max_drift_percent)",
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontsize=6.5,
        color=style.GREY,
    )
    return ax


def replicate_agreement(growth: pd.DataFrame, ax: Axes) -> Axes:
    """Each biological replicate against the mean of the others, log2 change: points on the diagonal
    agree.
    """
    rows = growth[growth["log2_fc"].notna()].copy()
    keys = ["cell_line", "medium", "agent", "concentration", "readout", "hours"]
    groups = rows.groupby(keys, dropna=False)["log2_fc"]
    size = groups.transform("size")
    rows["others"] = (groups.transform("sum") - rows["log2_fc"]) / (size - 1).where(size > 1)
    rows = rows[rows["others"].notna() & rows["log2_fc"].ne(0)]
    if rows.empty:
        return style.no_data(ax, "one biological replicate only")
    marks = style.markers(sorted(set(rows["replicate"])))
    lines = rows["cell_line"]
    few = lines.nunique() <= MOST_COLORS
    palette = style.colors(lines) if few else dict.fromkeys(lines, style.BLUE)
    for (line, replicate), group in rows.groupby(["cell_line", "replicate"], sort=False):
        ax.scatter(
            group["others"],
            group["log2_fc"],
            s=26,
            color=palette[line],
            marker=marks[replicate],
            alpha=0.85,
            linewidths=0,
        )
    low, high = (
        min(rows[["others", "log2_fc"]].min()) - 0.2,
        max(rows[["others", "log2_fc"]].max()) + 0.2,
    )
    ax.plot([low, high], [low, high], color=style.GREY, linewidth=0.9, zorder=0)
    ax.set(
        xlim=(low, high),
        ylim=(low, high),
        xlabel="mean of the other replicates (log2 change)",
        ylabel="one replicate (log2 change)",
    )
    ax.set_aspect("equal")
    for line, color in palette.items() if few else [("any line", style.BLUE)]:
        ax.scatter([], [], color=color, s=26, label=style.short(line))
    for replicate, mark in marks.items():
        ax.scatter([], [], color=style.GREY, marker=mark, s=26, label=f"replicate {replicate}")
    ax.legend(fontsize=7.5, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax
