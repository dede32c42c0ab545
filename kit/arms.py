"""growth -> the rows a call rests on: no agent, the reading nearest the asked time, and of several readouts the one to believe.

Calls, P19 and P20 and the figures take their rows from here; `kit.design` makes the same choice of reading for contrasts and rescues.
"""

from __future__ import annotations

import pandas as pd

from kit.config import ExperimentConfig
from kit.design import nearest, untreated
from kit.quality import is_incorporation

SIGNAL, COUNT, INCORPORATION = 0, 1, 2
"""Kinds of readout in the order in which a call takes them."""


def kind(readout: object) -> int:
    """Signal of living cells (ATP and its like), counts of cells or nuclei, or incorporation (no GR)."""
    text = str(readout)
    if is_incorporation(text):
        return INCORPORATION
    return COUNT if any(word in text.casefold() for word in ("count", "nuclei")) else SIGNAL


def call_arms(growth: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """One row per line, medium and biological replicate: the readings a call rests on.

    Of each replicate the reading nearest `proliferation_h`; of several readouts of a line and medium ATP before counts before
    incorporation.
    """
    if growth.empty:
        return growth
    rows = nearest(untreated(growth), config.settings.proliferation_h)
    return rows[rows["readout"].eq(_readout(rows))]


def _readout(rows: pd.DataFrame) -> pd.Series:
    """The readout chosen for each row's line and medium; of several of one kind the first of the table."""
    order = rows[["cell_line", "medium", "readout"]].assign(rank=rows["readout"].map(kind).astype(int))
    first = order.sort_values("rank", kind="stable").drop_duplicates(["cell_line", "medium"]).set_index(["cell_line", "medium"])["readout"]
    return rows[["cell_line", "medium"]].join(first.rename("chosen"), on=["cell_line", "medium"])["chosen"]
