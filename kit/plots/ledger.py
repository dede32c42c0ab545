"""What each medium holds, and how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from kit.core.findings import number
from kit.exchange.rates import runs_out_at
from kit.plots import style

FLOOR_UM, CEILING_UM = 0.1, 3000.0


def ledger_map(ledger: pd.DataFrame, ax: Axes, labels: Mapping[str, str] | None = None) -> Axes:
    """Heat map medium x amino acid of the concentration at the start; the second number is what is
    left at the read-out without cells, where it differs by more than 2 %.
    """
    if ledger.empty:
        return style.no_data(ax, "no medium has a concentration")
    start = ledger.pivot(index="medium", columns="amino_acid", values="at_start_uM")
    later = ledger.pivot(index="medium", columns="amino_acid", values="at_readout_uM")
    order = list(dict.fromkeys(ledger["medium"])), list(dict.fromkeys(ledger["amino_acid"]))
    start = start.reindex(index=order[0], columns=order[1])
    later = later.reindex(index=order[0], columns=order[1])
    shown = start.clip(lower=FLOOR_UM).to_numpy(float)
    ax.imshow(shown, norm=LogNorm(FLOOR_UM, CEILING_UM), cmap="Blues", aspect="auto")
    for row, medium in enumerate(start.index):
        for column, amino_acid in enumerate(start.columns):
            now, then = start.loc[medium, amino_acid], later.loc[medium, amino_acid]
            if np.isnan(now):
                continue
            words = number(float(now)) if now >= 0.005 else "0"
            if now > 0 and abs(then / now - 1) > 0.02:
                words += f"\n→ {number(float(then))}"
            dark = now > 60
            ax.text(
                column,
                row,
                words,
                ha="center",
                va="center",
                fontsize=style.FONT - 2,
                color="white" if dark else style.INK,
            )
    style.name_ticks(ax, list(start.columns))
    names = [(labels or {}).get(name, name) for name in start.index]
    ax.set_yticks(range(len(start)), [style.short(name) for name in names])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    return ax


def what_is_left(rows: pd.DataFrame, ax: Axes) -> Axes:
    """Share of each amino acid left in one medium over time, cells and decay together; `rows` are
    those of `exhaustion` of one line and medium. Dashed: the uptake is assumed.
    """
    rows = rows[rows["supply_umol"].gt(0) & rows["code"].ne("EXHAUSTION_BY_DESIGN")]
    if rows.empty:
        return style.no_data(ax, "the medium's concentrations are not given")
    readout = float(rows["readout_h"].iloc[0])
    hours = np.linspace(0, readout * 1.5, 200)
    colors = style.colors(rows["amino_acid"])
    ends = []
    row: Any
    for row in rows.itertuples():
        left = _left(row, hours)
        color = style.AMINO_ACID.get(row.amino_acid, colors[row.amino_acid])
        line = "-" if row.measured else (0, (4, 2))
        ax.plot(hours, 100 * left, color=color, linewidth=1.5, linestyle=line)
        ends.append((100 * float(np.interp(readout * 1.5, hours, left)), row.amino_acid, color))
    for place, (_, name, color) in zip(_spread([end[0] for end in ends]), ends, strict=True):
        ax.text(
            readout * 1.52,
            place,
            style.short(name, 12),
            color=color,
            va="center",
            fontsize=style.FONT - 2,
        )
    style.limit_line(ax, readout, f"read-out {readout:g} h", axis="x")
    ax.set_ylim(0, 104)
    ax.set_xlim(0, readout * 1.5)
    ax.set_xlabel("hours after the medium switch")
    ax.set_ylabel("left of the supply, %")
    return ax


def _left(row: Any, hours: np.ndarray) -> np.ndarray:
    """Share left at these hours: M = M0·e^{−kt} − v·X0·(e^{μt} − e^{−kt})/(μ+k), never below 0."""
    k, mu = row.k_decay_per_h, row.mu_per_h
    together = mu + k
    grown = hours if abs(together) < 1e-12 else np.expm1(together * hours) / together
    taken = row.v_fmol_per_cell_h * row.cells_at_start * grown / (row.supply_umol * 1e9)
    gone = runs_out_at(row.supply_umol * 1000, row.v_fmol_per_cell_h, mu, row.cells_at_start, k)
    return np.where(hours >= gone, 0.0, np.exp(-k * hours) * (1 - taken))


def _spread(values: list[float], least: float = 7.0) -> list[float]:
    """Places for labels that would touch, in the order of `values`."""
    order = np.argsort(values)
    places = np.array(values, float)[order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + least)
    places -= max(0.0, places[-1] - 100.0) if len(places) else 0.0
    result = np.empty_like(places)
    result[order] = places
    return result.tolist()
