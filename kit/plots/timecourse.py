"""Growth curves with their broken line, onset and recovery, and GR over time."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kit.plots import style

CLASS = {
    "reversible": style.GREEN,
    "partly_reversible": style.ORANGE,
    "irreversible": style.VERMILION,
    "no_effect": style.BLUE,
    "indeterminate": style.GREY,
}
LN2 = math.log(2)


def growth_curve(
    control: pd.Series,
    curves: Mapping[str, pd.Series],
    rows: Mapping[str, Mapping],
    withdrawal_h: float,
    addback_h: float | None,
    colors: Mapping[str, str],
    ax: Axes,
) -> Axes:
    """ln N of control and dropout media in one experiment, from their first scan on, with the
    broken line of the fit and the onset.

    `curves` are log2 signals by hours for each medium, `rows` their rows of `onset`.
    """
    ax.plot(control.index, (control - control.iloc[0]) * LN2, ".", ms=3, color=style.GREY)
    for medium, y in curves.items():
        color, row = colors[medium], rows[medium]
        ax.plot(y.index, (y - y.iloc[0]) * LN2, ".", ms=3, color=color)
        if not np.isfinite(row["onset_h"]):
            continue
        at = row["onset_h"] + withdrawal_h
        end = min(y.index[-1], math.inf if addback_h is None else addback_h)
        after = y[(y.index >= at) & (y.index <= end)]
        if len(after) > 1 and np.isfinite(row["rate_after"]):
            middle, level = after.index.to_numpy().mean(), (after.mean() - y.iloc[0]) * LN2
            hours = np.array([at, end])
            ax.plot(hours, level + row["rate_after"] * (hours - middle), color=color, lw=1.6)
            meeting = level + row["rate_after"] * (at - middle)
            ax.plot([y.index[0], at], [0, meeting], color=color, lw=1.6)
        ax.axvspan(
            *(row[name] + withdrawal_h for name in ("ci_low", "ci_high")),
            color=color,
            alpha=0.18,
            lw=0,
        )
        ax.axvline(at, color=color, lw=0.9, ls=(0, (4, 3)))
    for hour in (withdrawal_h or None, addback_h):
        if hour is not None:
            ax.axvline(hour, color=style.INK, lw=0.9)
    ax.set_xlim(left=0)
    return ax


def forest(pooled: pd.DataFrame, single: pd.DataFrame, names: list[str], axes: list[Axes]) -> None:
    """Onset on the left and recovery on the right: a bar an arm, small points its experiments."""
    for place, row in enumerate(pooled.to_dict("records")):
        own = single[single["cell_line"].eq(row["cell_line"]) & single["medium"].eq(row["medium"])]
        color = CLASS[row["class"]]
        for ax, value, low, high in (
            (axes[0], "onset_h", "ci_low", "ci_high"),
            (axes[1], "recovery_share", "recovery_low", "recovery_high"),
        ):
            points = own[value].dropna()
            ax.scatter(points, [place + 0.22] * len(points), s=9, color=style.GREY, zorder=2)
            if not np.isfinite(row[value]):
                ax.text(
                    0.03,
                    place,
                    "none found" if value == "onset_h" else "not tested",
                    transform=ax.get_yaxis_transform(),
                    va="center",
                    color=style.GREY,
                    fontsize=style.FONT - 1,
                )
                continue
            if np.isfinite(row[low]) and np.isfinite(row[high]):
                ax.plot([row[low], row[high]], [place, place], color=color, lw=2)
            ax.plot(row[value], place, "o", color=color, ms=6)
    axes[0].set_xlim(left=0)
    axes[0].set_yticks(range(len(names)), [style.text(name) for name in names])
    axes[1].set_yticks(range(len(names)), [""] * len(names))
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    axes[1].set_ylim(len(names) - 0.5, -0.5)
    axes[0].set_xlabel("onset, h after the withdrawal")
    axes[1].set_xlabel("rate after add-back over control")


def gr_over_time(curves: list[pd.Series], color: str, ax: Axes) -> Axes:
    """GR per scan, a thin line an experiment."""
    for gr in curves:
        ax.plot(gr.index, gr, color=color, lw=1)
    return ax


def death_over_time(curves: list[pd.Series], color: str, ax: Axes) -> Axes:
    """Dead objects over cells, a thin line an experiment."""
    for share in curves:
        ax.plot(share.index, share, color=color, lw=1)
    return ax
