"""What a design would show: the change of the medium that uptake makes, against the gate."""

from __future__ import annotations

import math
from typing import NamedTuple

from kit.exchange.rates import FMOL_PER_NMOL, Growth
from kit.stats.robust import Line


class Plan(NamedTuple):
    """`change_percent` of the blank at the last sample, `left` share of the supply, and the factor
    on cells (or on 1/volume) that brings the change to the gate.
    """

    change_percent: float
    left: float
    factor: float


def plan(
    cells: float,
    volume_mL: float,
    supply_uM: float,
    hours: float,
    doubling_time_h: float,
    rate: float,
    gate_percent: float = 10.0,
) -> Plan:
    """The change expected in one arm.

    Parameters
    ----------
    cells, volume_mL, supply_uM
        Cells at the switch, medium per well, and its concentration, µM.
    hours, doubling_time_h
        Hours until the last sample, and per doubling.
    rate
        Uptake expected, fmol per cell and hour.
    gate_percent
        Change that passes.

    >>> round(plan(2e5, 2.0, 286.0, 24.0, 24.0, 20.0).change_percent, 1)
    24.2
    """
    growth = Growth(math.log(2) / doubling_time_h, cells, _NO_LINE)
    taken = rate * growth.cell_hours(hours) / FMOL_PER_NMOL
    share = taken / (volume_mL * supply_uM) if supply_uM > 0 else math.nan
    factor = gate_percent / (100 * share) if share > 0 else math.inf
    return Plan(100 * share, 1 - share, factor)


_NO_LINE = Line(math.nan, math.nan, None, 0)  # type: ignore[arg-type]
