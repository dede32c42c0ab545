"""Wells of one arm as one curve: log2 signal of a line in a medium, in one experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from kit.config.model import TimeCourse


class Arm(NamedTuple):
    """One line in one medium on one plate: `y` and `control` are log2 signals by hours."""

    cell_line: str
    medium: str
    entry: TimeCourse
    metric: str
    y: pd.Series
    control: pd.Series

    @property
    def difference(self) -> pd.Series:
        """Log2 of the arm over the control of the same plate, where both were scanned."""
        return (self.y - self.control).dropna()

    def withdrawn_to(self) -> float:
        """The hour before which nothing was added back."""
        return float("inf") if self.entry.addback_h is None else self.entry.addback_h


def curve(rows: pd.DataFrame) -> pd.Series:
    """The mean of wells on log2, each well's constant offset taken out first: a well that misses a
    scan then makes no step.
    """
    wells = rows.pivot_table(index="hours", columns="well", values="log2", dropna=False)
    wells = wells.dropna(axis=1, how="all")
    offsets = wells.sub(wells.median(axis=1), axis=0).median()
    return wells.sub(offsets - offsets.mean()).mean(axis=1).dropna()


def arms(table: pd.DataFrame, entries: list[TimeCourse], control: str) -> Iterator[Arm]:
    """Every arm of every plate, in the order of experiment.yaml."""
    used = table[table["chosen"] & table["role"].eq("sample")]
    for entry in entries:
        plate = used[used["plate"].eq(entry.plate)]
        for line, rows in plate.groupby("cell_line", sort=False):
            curves = {medium: curve(part) for medium, part in rows.groupby("medium", sort=False)}
            own = curves.get(control, pd.Series(dtype=float))
            for medium, y in curves.items():
                metric = str(rows["metric"].iloc[0])
                yield Arm(str(line), str(medium), entry, metric, y, own)
