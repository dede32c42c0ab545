"""Carry-over: what is left after each wash, and where this experiment stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from kit.config.settings import ProtocolSettings
from kit.core.findings import VERDICTS
from kit.plots import style
from kit.protocol.carryover_model import residual_uM, wash_grid

FLOOR_UM = 1e-3  # below this nobody can measure it, and no cell can live on it
SHADES = (style.SKY, style.BLUE, "#00395C")


def residual_against_washes(
    carryover: pd.DataFrame | None,
    ax: Axes,
    settings: ProtocolSettings,
    *,
    amino_acid: str = "asparagine",
    start_uM: float,
    wash_uL: float,
    added_uL: float,
    residual_volumes_uL: Sequence[float] = (5, 10, 20),
    max_washes: int = 4,
) -> Axes:
    """Concentration left against the number of washes (log axis), one line per residual volume,
    without serum.

    `carryover` is the contract's table (or None): its lines stand as points at the residue computed
    for them, serum included, and the
    residues at which their verdict changes as named limits. The range that sustains growth is
    shaded (asparagine only).
    """
    grid = wash_grid(start_uM, wash_uL, added_uL, residual_volumes_uL, max_washes)
    shades = [SHADES[index % len(SHADES)] for index in range(len(residual_volumes_uL))]
    for shade, (volume, line) in zip(shades, grid.groupby("residual_uL"), strict=True):
        ax.plot(
            line["washes"],
            line["residual_uM"],
            color=shade,
            linewidth=1.6,
            marker="o",
            markersize=3,
            zorder=2,
        )
        ax.text(
            -0.08,
            line["residual_uM"].iloc[0],
            f"{volume:g} µL",
            ha="right",
            va="center",
            fontsize=style.FONT - 2,
            color=shade,
        )
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_ylim(
        FLOOR_UM / 2,
        max(2 * float(residual_uM(start_uM, 0, max(residual_volumes_uL), wash_uL, added_uL)), 200),
    )
    ax.set_xlim(-0.55, max_washes + 0.3)
    ax.set_xticks(range(max_washes + 1))
    ax.set_xlabel(
        f"washes (of {wash_uL:g} uL, from {start_uM:g} uM; lines: residual volume in the plate)"
    )
    ax.set_ylabel(f"residual {amino_acid}, µM")
    if amino_acid == "asparagine":
        _growth_range(ax, settings, max_washes)
    if carryover is not None:
        own = carryover[carryover["amino_acid"].eq(amino_acid) & carryover["residual_uM"].notna()]
        _limits(ax, own, settings)
        _points(ax, own)
    return ax


def _growth_range(ax: Axes, settings: ProtocolSettings, max_washes: int) -> None:
    low, high = settings.growth_sustaining_low_uM, settings.growth_sustaining_high_uM
    ax.axhspan(low, high, color=style.YELLOW, alpha=0.25, linewidth=0, zorder=0)
    words = f"sustains growth: {low:g} to {high:g} µM [K]"
    ax.text(
        max_washes + 0.22,
        np.sqrt(low * high),
        words,
        ha="right",
        va="center",
        fontsize=style.FONT - 2,
        color=style.INK,
    )


def _limits(ax: Axes, own: pd.DataFrame, settings: ProtocolSettings) -> None:
    """The residues at which the strictest line's verdict changes: small cells and slow controls
    have the lowest.
    """
    if own.empty:
        return
    for column, name, verdict in (
        ("limit_moderate_uM", "gr_mask_moderate", "warn"),
        ("limit_high_uM", "gr_mask_high", "fail"),
    ):
        strictest = own.sort_values(column).iloc[0]
        line = style.short(strictest["cell_line"], 14)
        label = f"GR mask {getattr(settings, name):g}, {line}\n({name})"
        style.limit_line(ax, float(strictest[column]), "", color=style.VERDICT[verdict])
        side = "bottom" if verdict == "fail" else "top"
        ax.text(
            1.005,
            strictest[column],
            label,
            transform=ax.get_yaxis_transform(),
            va=side,
            ha="left",
            fontsize=style.FONT - 2.5,
            color=style.VERDICT[verdict],
        )


def _points(ax: Axes, own: pd.DataFrame) -> None:
    """One point per way of washing and residue, named by its lines; washes in bulk tubes are
    diamonds.
    """
    keyed = own.assign(
        shown=own["residual_uM"].clip(lower=FLOOR_UM),
        digits=own["residual_uM"].map(lambda value: f"{value:.3g}"),
    )
    for _, group in keyed.groupby(["washing", "washes", "digits"], sort=False):
        washing, washes = group["washing"].iloc[0], group["washes"].iloc[0]
        color = style.VERDICT[max(group["verdict"], key=VERDICTS.index)]
        x, y = float(washes), float(group["shown"].iloc[0])
        ax.scatter(
            x,
            y,
            s=70,
            marker="D" if washing == "bulk" else "o",
            color=color,
            edgecolors="white",
            linewidths=1.0,
            zorder=4,
        )
        names = [style.short(name, 14) for name in dict.fromkeys(group["cell_line"])]
        words = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        words += "\n(washed in bulk)" if washing == "bulk" else ""
        back = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
        ax.annotate(
            words,
            (x, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.FONT - 1.5,
            color=color,
            bbox=back,
            zorder=3,
        )
