"""EXP-DEMO-04: asparaginase in three lines, with and without glutamine refeed, and an asparagine
titration; simulated, with the planted curves below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kit.core.wells import well_name

ENZYME = (0.0, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 10.0)
"""IU/mL: half-log doses and one far beyond."""
TITRATION = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 378.0)
"""µM."""
RESIDUE_UM = 0.06
"""Left of the previous medium by the washes of experiment.yaml."""
ROWS, COLUMNS = 16, 24
EMPTY = ("", "", "empty", "", 0.0)


@dataclass(frozen=True)
class Curve:
    """GR = end + (start - end) / (1 + (dose / ec50)^hill)."""

    ec50: float
    hill: float
    start: float
    end: float

    def gr(self, dose: float) -> float:
        """The planted GR value at one dose."""
        return self.end + (self.start - self.end) / (1 + (dose / self.ec50) ** self.hill)


@dataclass(frozen=True)
class Planted:
    """The curves of one line, and how it grows."""

    enzyme: Curve
    refed: Curve
    titration: Curve
    doublings: float = 1.9
    cells: float = 5000.0


TRUTH: Mapping[str, Planted] = {
    "MOLT-4": Planted(
        Curve(0.004, 1.3, 1, -0.5), Curve(0.0045, 1.3, 1, -0.45), Curve(4.5, 1.6, -0.3, 1)
    ),
    "Jurkat": Planted(Curve(0.02, 1.2, 1, 0.0), Curve(0.09, 1.2, 1, 0.25), Curve(2.5, 1.5, 0.3, 1)),
    "A549": Planted(Curve(80, 1.0, 1, 0.2), Curve(300, 1.0, 1, 0.4), Curve(3, 1.5, 0.93, 1)),
}
"""Auxotrophic, partial and resistant."""


def _groups() -> Iterator[tuple[str, str, str, str, float]]:
    """(line, medium, role, agent, dose) of every well that is filled."""
    for line in TRUTH:
        for medium in ("complete", "complete_refed"):
            for dose in ENZYME:
                for _ in range(2 if dose else 6):
                    yield line, medium, "sample", "asparaginase" if dose else "", dose
        for dose in TITRATION:
            for _ in range(2 if dose else 4):
                yield line, "no_asn", "sample", "asparagine" if dose else "", dose
        for _ in range(6):
            yield line, "complete", "kill", "", 0.0
    for medium in ("complete", "complete_refed", "no_asn"):
        for _ in range(5):
            yield "", medium, "blank", "", 0.0


def layout(rng: np.random.Generator, start: bool) -> pd.DataFrame:
    """A randomised 384-well plate map; at the start only untreated wells of control."""
    groups = list(_groups())
    if start:
        groups = [one for one in groups if one[1] == "complete" and not one[3]]
    inner = [(row, column) for row in range(2, ROWS) for column in range(2, COLUMNS)]
    chosen = rng.permutation(len(inner))[: len(groups)]
    filled = {inner[place]: group for place, group in zip(chosen, groups, strict=True)}
    records = [
        (well_name(row, column), row, column, *filled.get((row, column), EMPTY))
        for row in range(1, ROWS + 1)
        for column in range(1, COLUMNS + 1)
    ]
    columns = ["well", "row", "column", "cell_line", "medium", "role", "agent", "concentration"]
    table = pd.DataFrame(records, columns=columns)
    unit = {"asparaginase": "IU/mL", "asparagine": "uM", "": ""}
    return table.assign(concentration_unit=table["agent"].map(unit))


def plates(seed: int = 20260504) -> list[dict]:
    """Dicts of plate, hours, replicate and plan (with `signal` on all wells of the plate)."""
    rng = np.random.default_rng(seed)
    plans = {0.0: layout(rng, True), 48.0: layout(rng, False)}
    found = []
    for replicate in (1, 2, 3):
        shift = {line: rng.normal(0, 0.06) for line in TRUTH}
        for hours, plan in plans.items():
            signal = [
                _signal(row, hours, shift.get(row["cell_line"], 0.0), rng)
                for row in plan.to_dict("records")
            ]
            found.append(
                {
                    "plate": f"D{hours:g}h-R{replicate}",
                    "hours": hours,
                    "replicate": replicate,
                    "plan": plan.assign(signal=np.round(signal)),
                }
            )
    return found


def _signal(row: dict, hours: float, shift: float, rng: np.random.Generator) -> float:
    blank = 400 * (1 + 0.03 * rng.standard_normal())
    if row["role"] in ("blank", "empty"):
        return blank
    line = TRUTH[row["cell_line"]]
    start = line.cells * 20
    if row["role"] == "kill":
        return blank + start * 0.01 * rng.lognormal(0, 0.2)
    gr = 1.0
    if row["medium"] == "no_asn":
        gr = line.titration.gr((row["concentration"] + RESIDUE_UM) * 10**shift)
    elif row["agent"]:
        curve = line.enzyme if row["medium"] == "complete" else line.refed
        gr = curve.gr(row["concentration"] * 10**shift)
    grown = line.doublings * np.log2(gr + 1) if hours else 0.0
    return blank + start * 2**grown * rng.lognormal(0, 0.04)
