"""ASNS figures: level per line, correlation with sensitivity, place in a panel, influence of single
lines, comparison of predictors, ROC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kit.core.findings import p_text
from kit.plots import style

_MAX_LABELS = 24  # points named in a scatter; in a larger panel names would hide the points
_MIN_PERCENT = 0.5  # left end of the level axis; lower values stand there

OPEN = "Open points: GI50 at an end of the tested range."
"""What open points of `correlation` mean."""


def levels(
    protein: pd.DataFrame,
    lines: pd.DataFrame,
    ax: Axes,
    *,
    low_percent: float = 10,
    high_percent: float = 50,
) -> Axes:
    """ASNS per line, percent of the reference on a log axis: every lysate, the mean with its 95 %
    interval, the class and its cut-offs.
    """
    known = protein[protein["percent_of_reference"].notna()]
    if known.empty:
        return style.no_data(ax, "no quantified lysate")
    order = list(lines.sort_values("log2_relative", na_position="first")["cell_line"])
    place = {line: index for index, line in enumerate(order)}
    for row in lines.to_dict("records"):
        y = place[row["cell_line"]]
        if math.isfinite(row["ci_low_percent"]):
            ax.plot(
                [max(row["ci_low_percent"], _MIN_PERCENT), row["ci_high_percent"]],
                [y, y],
                color=style.INK,
                linewidth=1.6,
                zorder=2,
                solid_capstyle="butt",
            )
        if math.isfinite(row["percent_of_reference"]):
            ax.plot(
                max(row["percent_of_reference"], _MIN_PERCENT),
                y,
                "|",
                color=style.INK,
                markersize=13,
                markeredgewidth=2,
                zorder=3,
            )
        text = row["class_range"] if isinstance(row["class_range"], str) else "no class"
        ax.text(
            1.01,
            y,
            text,
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=style.FONT - 1,
            color=style.INK,
        )
    failed = known["verdict"].eq("fail")
    offset = (
        known.groupby("cell_line").cumcount() * 0.0
        + known["replicate"].sub(known.groupby("cell_line")["replicate"].transform("mean")) * 0.12
    )
    y = known["cell_line"].map(place).to_numpy(float) + offset.clip(-0.3, 0.3).to_numpy(float)
    x = known["percent_of_reference"].clip(lower=_MIN_PERCENT).to_numpy(float)
    ax.plot(
        x[~failed],
        y[~failed],
        "o",
        color=style.VERMILION,
        markersize=5,
        alpha=0.9,
        zorder=4,
        label="lysate",
    )
    if failed.any():
        ax.plot(
            x[failed],
            y[failed],
            "x",
            color=style.GREY,
            markersize=6,
            zorder=4,
            label="failed, not counted",
        )
        ax.legend(frameon=False, fontsize=style.FONT - 2, loc="lower right")
    ax.set_xscale("log")
    ax.set_xlim(
        _MIN_PERCENT * 0.9,
        max(
            200.0,
            float(np.nanmax(x)) * 1.4,
            float(np.nanmax(lines["ci_high_percent"].fillna(0)).clip(0, 1000)) * 1.1,
        ),
    )
    ax.set_xticks([1, 10, 50, 100], ["1", "10", "50", "100"])
    ax.minorticks_off()
    ax.set_yticks(range(len(order)), [style.short(line) for line in order])
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.set_xlabel("ASNS protein, % of reference lanes")
    style.limit_line(ax, low_percent, f"low ≤ {low_percent:g} %", axis="x")
    style.limit_line(ax, high_percent, f"high > {high_percent:g} %", axis="x")
    return style.clean(ax)


def lineage_styles(lines: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Colour and marker of each lineage, most lines first; no two lineages share both (up to 64),
    so one legend serves several axes.
    """
    order = list(
        _lineage(lines)
        .value_counts(sort=True)
        .sort_index()
        .sort_values(ascending=False, kind="stable")
        .index
    )
    cycle, marks = style.CYCLE, style.MARKERS
    return {
        name: (cycle[i % len(cycle)], marks[(i + i // len(cycle)) % len(marks)])
        for i, name in enumerate(order)
    }


def _lineage(lines: pd.DataFrame) -> pd.Series:
    return (
        lines["lineage"].fillna("").replace("", "unknown")
        if "lineage" in lines
        else pd.Series("line", index=lines.index)
    )


def lineage_legend(fig: Figure, styles: Mapping[str, tuple[str, str]]) -> None:
    """One legend of lineages beside all axes of a figure; none for a single lineage."""
    if len(styles) > 1:
        handles = [
            Line2D(
                [],
                [],
                color=color,
                marker=mark,
                linestyle="none",
                markersize=5.5,
                label=style.short(name, 24),
            )
            for name, (color, mark) in styles.items()
        ]
        fig.legend(
            handles=handles,
            loc="outside right upper",
            frameon=False,
            fontsize=style.FONT - 2,
            handletextpad=0.2,
        )


def correlation(
    lines: pd.DataFrame,
    predictor: str,
    outcome: str,
    ax: Axes,
    *,
    row: Mapping[str, Any] | None = None,
    highlight: tuple[str, ...] = (),
    styles: Mapping[str, tuple[str, str]] | None = None,
) -> Axes:
    """Sensitivity against one measure of ASNS, a point per line, marker and colour by lineage;
    `row` of `asns_correlation` is written above.

    No line is fitted: the statistic is a rank correlation. `highlight` names the user's lines
    within a panel. Censored outcomes are open.
    `styles` of `lineage_styles` makes several axes agree and leaves their legend to
    `lineage_legend`.
    """
    if not {predictor, outcome} <= set(lines) or not len(lines[[predictor, outcome]].dropna()):
        return style.no_data(ax, f"no line has both {predictor} and {outcome}")
    pairs = lines.dropna(subset=[predictor, outcome])
    lineages = _lineage(pairs)
    looks = styles or lineage_styles(pairs)
    order = [name for name in looks if name in set(lineages)]
    censored = (
        pairs["censored"].astype(bool)
        if "censored" in pairs
        else pd.Series(False, index=pairs.index)
    )
    for name in order:
        for open_, part in (
            (False, pairs[(lineages == name) & ~censored]),
            (True, pairs[(lineages == name) & censored]),
        ):
            color, mark = looks[name]
            face = "none" if open_ else color
            label = style.short(name, 24) if not open_ and len(order) > 1 else None
            ax.plot(
                part[predictor],
                part[outcome],
                mark,
                color=color,
                markerfacecolor=face,
                markersize=5.5,
                alpha=0.85,
                linestyle="none",
                label=label,
            )
    _names(pairs, predictor, outcome, ax, highlight)
    if len(order) > 1 and styles is None:
        ax.legend(
            frameon=False,
            fontsize=style.FONT - 2.5,
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            handletextpad=0.2,
        )
    ax.set_xlabel(
        style.text(f"ASNS {predictor}" + (" (log2 of reference)" if predictor == "protein" else ""))
    )
    ax.set_ylabel(style.text(outcome))
    if row is not None:
        ax.set_title(statistic_text(row), fontsize=style.FONT - 1, color=style.INK, loc="left")
    return style.clean(ax)


def _names(
    pairs: pd.DataFrame, predictor: str, outcome: str, ax: Axes, highlight: tuple[str, ...]
) -> None:
    """Name the points, each label on that side of its point where it covers least of other points
    and labels.
    """
    wanted = (
        pairs
        if len(pairs) <= _MAX_LABELS
        else pairs[pairs["cell_line"].isin(highlight) | pairs["line_key"].isin(highlight)]
    )
    if wanted.empty:
        return
    size, height = style.FONT - 2.5, style.FONT - 1.5
    places = np.column_stack(
        [_in_points(pairs[predictor], ax, "x"), _in_points(pairs[outcome], ax, "y")]
    )
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in places]
    taken += [
        (-999.0, -999.0, 0.0, 9999.0),
        (-999.0, -999.0, 9999.0, 0.0),
    ]  # beyond the axes: tick labels stand there
    for at in np.flatnonzero(pairs.index.isin(wanted.index)):
        text = style.short(pairs["cell_line"].iloc[at], 14)
        (x, y), width = places[at], 0.56 * size * len(text)
        sides = [
            (5.0, 3.0),
            (5.0, -height),
            (-5.0 - width, 3.0),
            (-5.0 - width, -height),
            (-width / 2, 6.0),
            (-width / 2, -height - 5),
        ]
        boxes = [(x + dx, y + dy, x + dx + width, y + dy + height) for dx, dy in sides]
        best = min(
            range(len(sides)), key=lambda side: sum(_overlap(boxes[side], other) for other in taken)
        )
        taken.append(boxes[best])
        point = (float(pairs[predictor].iloc[at]), float(pairs[outcome].iloc[at]))
        ax.annotate(
            text,
            point,
            xytext=sides[best],
            textcoords="offset points",
            fontsize=size,
            color=style.INK,
        )


def _in_points(values: pd.Series, ax: Axes, axis: str) -> np.ndarray:
    """Where values will stand along an axis, in points (1/72 inch); the layout comes later and
    moves them little.
    """
    box, (width, height) = ax.get_position(), ax.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    inches = box.width * width if axis == "x" else box.height * height
    return (values.to_numpy(float) - low) / (high - low) * inches * 72


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Area that two boxes (left, bottom, right, top) share."""
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(
        0.0, min(one[3], other[3]) - max(one[1], other[1])
    )


def statistic_text(row: Mapping[str, Any]) -> str:
    """One line with n, rho, its interval and p, or why there is none."""
    n = int(row["n_lines"])
    if not math.isfinite(row["spearman"]):
        return f"n = {n} lines: no correlation estimated"
    if not math.isfinite(row["p"]):
        return f"n = {n} lines: Spearman ρ = {row['spearman']:+.2f}, descriptive only"
    return (
        f"n = {n} lines: Spearman ρ = {row['spearman']:+.2f} ({row['spearman_ci_low']:+.2f} to"
        f" {row['spearman_ci_high']:+.2f}), {p_text(row['p'])}"
    )


def distribution(values: pd.Series, positions: pd.DataFrame, ax: Axes, *, label: str) -> Axes:
    """A panel's values as a histogram with the user's lines (`cell_line`, `value`, `percentile`)
    drawn in it.
    """
    known = values.dropna()
    if known.empty:
        return style.no_data(ax, "the panel has no values")
    counts, _, _ = ax.hist(
        known,
        bins=min(40, max(8, len(known) // 8)),
        color=style.FAINT,
        edgecolor="white",
        linewidth=0.4,
    )
    there = positions.dropna(subset="value").sort_values("value", ignore_index=True)
    top = float(np.max(counts))
    colors = style.colors(there["cell_line"])
    for index, row in enumerate(there.to_dict("records")):
        height = top * (1.06 + 0.11 * index)
        ax.plot([row["value"]] * 2, [0, height], color=colors[row["cell_line"]], linewidth=1.3)
        side = "left" if row["percentile"] < 60 else "right"
        text = f"  {style.short(row['cell_line'])}, {row['percentile']:.0f} %  "
        box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.4}
        ax.text(
            row["value"],
            height,
            text,
            ha=side,
            va="center",
            fontsize=style.FONT - 1.5,
            color=colors[row["cell_line"]],
            bbox=box,
        )
    absent = positions[positions["value"].isna()]["cell_line"]
    if len(absent):
        few = ", ".join(style.short(name) for name in absent)
        said = few if len(few) < 42 else f"{len(absent)} of {len(positions)} lines"
        ax.set_title(
            f"not in this panel: {said}",
            fontsize=style.FONT - 2,
            color=style.GREY,
            loc="left",
        )
    ax.set_ylim(0, top * (1.15 + 0.11 * len(there)))
    ax.set_xlabel(style.text(label))
    ax.set_ylabel(f"lines (of {len(known)})")
    return style.clean(ax)


def influence(table: pd.DataFrame, full: float, ax: Axes, *, most: int = 12) -> Axes:
    """rho without each line in turn (`kit.asns.correlation.influence`), the `most` influential
    ones, against rho of all lines.
    """
    if table.empty or not math.isfinite(full):
        return style.no_data(ax, "too few lines to leave one out")
    shown = table.head(most).iloc[::-1].reset_index(drop=True)
    ax.hlines(shown.index, full, shown["spearman_without"], color=style.FAINT, linewidth=2)
    flips = np.sign(shown["spearman_without"]) != np.sign(full)
    ax.plot(
        shown["spearman_without"][~flips], shown.index[~flips], "o", color=style.BLUE, markersize=5
    )
    ax.plot(
        shown["spearman_without"][flips],
        shown.index[flips],
        "o",
        color=style.VERMILION,
        markersize=5,
    )
    ax.axvline(full, color=style.INK, linewidth=1)
    ax.axvline(0, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_yticks(
        range(len(shown)), [style.short(f"without {line}", 24) for line in shown["cell_line"]]
    )
    ax.set_xlabel(f"Spearman ρ (all lines {full:+.2f})")
    return style.clean(ax)


def comparison(table: pd.DataFrame, ax: Axes) -> Axes:
    """Difference of two correlations on the same lines with Zou's 95 % interval, a row per
    comparison; zero is no difference.
    """
    shown = table[table["zou_ci_low"].notna()].iloc[::-1].reset_index(drop=True)
    if shown.empty:
        return style.no_data(ax, "no set of lines has both predictors and the outcome often enough")
    gap = shown["r_a"] - shown["r_b"]
    ax.hlines(
        shown.index, shown["zou_ci_low"], shown["zou_ci_high"], color=style.BLUE, linewidth=1.6
    )
    ax.plot(gap, shown.index, "o", color=style.BLUE, markersize=5)
    ax.axvline(0, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    kinds = shown["kind"] if "kind" in shown else pd.Series([""] * len(shown))
    sources = shown["source"] + ", " if "source" in shown else pd.Series([""] * len(shown))
    names = [
        f"{row.predictor_a} − {row.predictor_b}\n{style.text(source)}{kind}, n {row.n_lines}"
        for row, kind, source in zip(shown.itertuples(), kinds, sources)
    ]
    ax.set_yticks(range(len(shown)), names)
    for y, p in zip(shown.index, shown["williams_p"]):
        ax.text(
            1.01,
            y,
            p_text(p),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=style.FONT - 2,
            color=style.INK,
        )
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.set_xlabel("difference of the correlations with sensitivity (95 %, Zou)")
    return style.clean(ax)


def lineages(table: pd.DataFrame, ax: Axes) -> Axes:
    """rho over all lines, with lineage held fixed, and within each lineage
    (`kit.asns.correlation.by_lineage`); open where it is descriptive.
    """
    shown = table[table["spearman"].notna()].iloc[::-1].reset_index(drop=True)
    if shown.empty:
        return style.no_data(ax, "no scope has enough lines")
    sure = shown["ci_low"].notna()
    ax.hlines(
        shown.index[sure],
        shown["ci_low"][sure],
        shown["ci_high"][sure],
        color=style.BLUE,
        linewidth=1.6,
    )
    ax.plot(shown["spearman"][sure], shown.index[sure], "o", color=style.BLUE, markersize=5)
    ax.plot(
        shown["spearman"][~sure],
        shown.index[~sure],
        "o",
        color=style.BLUE,
        markerfacecolor="none",
        markersize=5,
        label="descriptive",
    )
    ax.axvline(0, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.set_xlim(-1.05, 1.05)
    ax.set_yticks(
        range(len(shown)),
        [style.short(f"{row.scope} (n {row.n_lines})", 30) for row in shown.itertuples()],
    )
    ax.set_xlabel("Spearman ρ")
    if not sure.all():
        ax.legend(frameon=False, fontsize=style.FONT - 2)
    return style.clean(ax)


def roc(lines: pd.DataFrame, predictor: str, result: Mapping[str, Any], ax: Axes) -> Axes:
    """ROC of low ASNS for auxotrophs, with the AUC, its interval and the note of
    `kit.asns.correlation.roc` (small samples are said).
    """
    known = (
        lines.dropna(subset=["auxotroph", predictor])
        if {"auxotroph", predictor} <= set(lines)
        else lines.iloc[:0]
    )
    if not result["n_positive"] or not result["n_negative"]:
        return style.no_data(ax, "both auxotrophs and other lines are needed")
    values, positive = known[predictor].to_numpy(float), known["auxotroph"].to_numpy(bool)
    cuts = np.r_[-np.inf, np.unique(values)]
    sensitivity = [np.mean(values[positive] <= cut) for cut in cuts]
    false = [np.mean(values[~positive] <= cut) for cut in cuts]
    ax.plot([0, 1], [0, 1], color=style.FAINT, linewidth=1)
    ax.step(false, sensitivity, where="post", color=style.BLUE, linewidth=1.6)
    title = (
        f"AUC {result['auc']:.2f} ({result['ci_low']:.2f} to {result['ci_high']:.2f}),"
        f" {result['n_positive']} auxotrophs, {result['n_negative']} others"
    )
    ax.set_title(title, fontsize=style.FONT - 1, color=style.INK, loc="left")
    ax.set_aspect("equal")
    ax.set_xlabel("other lines called auxotroph")
    ax.set_ylabel("auxotrophs found")
    return style.clean(ax)
