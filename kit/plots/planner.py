"""Planning figures: what a number of biological replicates can find."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from kit.plots import style


def detectable(effects: pd.DataFrame, ax: Axes, *, chosen: int, power: float) -> Axes:
    """Smallest detectable log2 difference (`effect`) against the number of biological replicates
    (`replicates`), the chosen one marked.
    """
    known = effects.dropna(subset="effect")
    if known.empty:
        return style.no_data(ax, "two replicates and two media are the least")
    ax.plot(
        known["replicates"],
        known["effect"],
        color=style.BLUE,
        marker="o",
        markersize=4,
        linewidth=1.4,
    )
    here = known[known["replicates"].eq(chosen)]
    ax.scatter(here["replicates"], here["effect"], s=90, color=style.VERMILION, zorder=3)
    ax.axhline(1.0, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.text(
        known["replicates"].max(),
        1.0,
        "half of control",
        ha="right",
        va="bottom",
        fontsize=style.FONT - 2,
        color=style.GREY,
    )
    ax.set_ylim(0, max(1.3, min(float(known["effect"].max()) * 1.08, 8.0)))
    ax.set_xticks(known["replicates"])
    ax.set(
        xlabel="biological replicates",
        ylabel=f"log2 difference found\nwith {100 * power:.0f} % power",
    )
    return ax
