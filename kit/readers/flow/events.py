"""Single-cell events of one acquisition, as every instrument's file ends up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kit.core.errors import did_you_mean, refused


@dataclass(frozen=True)
class Spill:
    """Share of each fluorochrome's signal (rows) seen by each detector (columns); `channels` names
    both.
    """

    channels: tuple[str, ...]
    matrix: NDArray[np.float64]


@dataclass(frozen=True)
class Events:
    """One acquisition: `values` (events x channels, float32) on the linear scale, gain and log
    amplification undone.

    `labels` are the stains ($PnS, empty where none), `ranges` the top of each channel's scale
    ($PnR, linear), `spill` the matrix
    the file carries, `metadata` every keyword (lower case, without $), `notes` what was put right
    while reading.
    """

    name: str
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    values: NDArray[np.float32]
    ranges: tuple[float, ...]
    spill: Spill | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def index(self, channel: str) -> int:
        """Position of a channel by $PnN, else by a $PnS that only one channel carries; raise
        InputError with the nearest name.
        """
        for names in (self.channels, self.labels):
            if names.count(channel) == 1:
                return names.index(channel)
        known = [*self.channels, *(label for label in self.labels if label)]
        raise refused(
            self.name,
            f"there is no channel '{channel}'",
            did_you_mean(channel, known),
            place="channels",
        )

    def column(self, channel: str) -> NDArray[np.float32]:
        """The values of one channel."""
        return self.values[:, self.index(channel)]
