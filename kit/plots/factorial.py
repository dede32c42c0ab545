"""The four arms of two amino acids with the additive expectation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kit.plots import style


def four_arms(table: pd.DataFrame, names: list[str], ax: Axes) -> Axes:
    """Doublings of the four arms of one line; a dashed mark is the additive expectation of the arm
    that lacks both.

    `table` holds experiments (rows) by arms: both amino acids, without the first, without the
    second, without both.
    """
    means = table.mean()
    for place, arm in enumerate(table.columns):
        values = table[arm].dropna()
        spread = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else np.zeros(len(values))
        ax.scatter(place + spread, values, s=18, color=style.CYCLE[place], zorder=3)
        ax.plot([place - 0.28, place + 0.28], [means[arm]] * 2, color=style.INK, lw=1.6)
    full, no_a, no_b, _ = means
    ax.plot([2.65, 3.35], [no_a + no_b - full] * 2, color=style.VERMILION, lw=1.6, ls=(0, (3, 2)))
    ax.axhline(0, color=style.FAINT, lw=0.9, zorder=1)
    ax.set_xticks(range(4), [style.text(name) for name in names])
    ax.tick_params(axis="x", labelsize=style.FONT - 2)
    ax.set_xlim(-0.5, 3.5)
    return ax
