"""Rescue and certainty: how far back growth comes, and where the posterior lies against the
cut-offs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from kit.config.settings import Settings
from kit.plots import style


def equivalence(rescue: pd.DataFrame, settings: Settings, ax: Axes) -> Axes:
    """Rescue less control with its 90 % interval against the margin of equivalence: inside the band
    is equivalent.
    """
    rows = rescue[rescue["difference_to_control"].notna()].reset_index(drop=True)
    if rows.empty:
        return style.no_data(ax, "no rescue medium was measured")
    margin = settings.equivalence_margin_log2
    ax.axvspan(-margin, margin, color=style.GREEN, alpha=0.10, linewidth=0)
    for y, row in enumerate(rows.to_dict("records")):
        inside = row["tost_ci_low"] > -margin and row["tost_ci_high"] < margin
        color = style.GREEN if inside else style.ORANGE
        if np.isfinite(row["tost_ci_low"]):
            ax.hlines(y, row["tost_ci_low"], row["tost_ci_high"], color=color, linewidth=1.8)
        ax.scatter(
            row["difference_to_control"],
            y,
            s=34,
            color=color if np.isfinite(row["tost_ci_low"]) else "white",
            edgecolors=color,
            zorder=3,
        )
    ax.axvline(0, color=style.GREY, linewidth=0.9)
    ax.set_yticks(
        range(len(rows)),
        [
            f"{style.short(row.cell_line, 14)}: +{style.short(row.restores, 12)}"
            for row in rows.itertuples()
        ],
    )
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel("rescue less control (log2, 90 % interval)")
    ax.set_title(
        f"margin ±{margin:.3g} (equivalence_margin_log2)",
        fontsize=style.FONT - 2,
        color=style.GREEN,
        loc="left",
    )
    return ax


def index(rescue: pd.DataFrame, settings: Settings, ax: Axes) -> Axes:
    """Rescue index with its Fieller interval and the limits of the classes."""
    rows = rescue[rescue["difference_to_control"].notna()].reset_index(drop=True)
    if rows.empty:
        return style.no_data(ax, "no rescue medium was measured")
    for y, row in enumerate(rows.to_dict("records")):
        if np.isfinite(row["rescue_index"]):
            if np.isfinite(row["ci_low"]):
                ax.hlines(y, row["ci_low"], row["ci_high"], color=style.BLUE, linewidth=1.8)
            ax.scatter(row["rescue_index"], y, s=34, color=style.BLUE, zorder=3)
        ax.text(
            1.02,
            y,
            row["class"].replace("_", " "),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=style.FONT - 1.5,
        )
    for value, name in (
        (settings.rescue_index_failed, "failed"),
        (settings.rescue_index_likely_full, "likely full"),
    ):
        style.limit_line(ax, value, f"{name} {value:g}", axis="x")
    ax.axvline(1.0, color=style.GREY, linewidth=0.9)
    ax.set_yticks(range(len(rows)), [""] * len(rows))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    low, high = (
        min(0.0, rows["ci_low"].min(), rows["rescue_index"].min()),
        max(1.1, rows["ci_high"].max(), rows["rescue_index"].max()),
    )
    low, high = (0.0 if pd.isna(low) else low), (1.1 if pd.isna(high) else high)
    ax.set_xlim(max(low, -1.0) - 0.05, min(high, 2.5) + 0.05)
    ax.set_xlabel("rescue index (95 % interval)")
    return ax


def cloud(
    gr: np.ndarray,
    sa: np.ndarray | None,
    settings: Settings,
    ax: Axes,
    *,
    title: str,
    points: tuple[np.ndarray, np.ndarray | None],
) -> Axes:
    """Posterior draws of one call over growth and death, the classes' areas marked, replicates on
    top.

    `gr` and `sa` are draws; `points` the replicates' values. Without death a histogram of GR is
    drawn, replicates along its foot.
    """
    ax.set_title(style.text(title), fontsize=style.FONT - 2, loc="left", color=style.INK)
    for cut, color in (
        (settings.gr_auxotroph, style.VERMILION),
        (settings.gr_prototroph, style.GREEN),
    ):
        ax.axvline(cut, color=color, linewidth=0.9, linestyle=(0, (4, 3)))
    low, high = min(-0.35, float(np.quantile(gr, 0.01))), max(1.1, float(np.quantile(gr, 0.99)))
    ax.set_xlim(low, high)
    if sa is None:
        ax.hist(gr, bins=40, range=(low, high), color=style.SKY)
        ax.scatter(
            points[0],
            np.full(len(points[0]), 0.04),
            s=18,
            color=style.INK,
            edgecolors="white",
            linewidths=0.5,
            zorder=3,
            transform=ax.get_xaxis_transform(),
        )
        ax.set_yticks([])
        return ax
    top = max(0.35, float(np.quantile(sa, 0.995)) + 0.05)
    ax.add_patch(
        Rectangle(
            (low, -0.2),
            settings.gr_auxotroph - low,
            top + 0.2,
            color=style.VERMILION,
            alpha=0.06,
            linewidth=0,
        )
    )
    ax.add_patch(
        Rectangle(
            (settings.gr_prototroph, -0.2),
            high - settings.gr_prototroph,
            settings.sa_low + 0.2,
            color=style.GREEN,
            alpha=0.08,
            linewidth=0,
        )
    )
    ax.scatter(gr[:600], sa[:600], s=2, color=style.BLUE, alpha=0.25, linewidths=0)
    if points[1] is not None and len(points[0]) == len(points[1]):
        ax.scatter(
            points[0],
            points[1],
            s=18,
            color=style.INK,
            edgecolors="white",
            linewidths=0.5,
            zorder=3,
        )
    ax.axhline(settings.sa_low, color=style.GREY, linewidth=0.7, linestyle=(0, (2, 2)))
    ax.axhline(settings.sa_high, color=style.GREY, linewidth=0.7, linestyle=(0, (2, 2)))
    ax.set_ylim(-0.12, top)
    return ax
