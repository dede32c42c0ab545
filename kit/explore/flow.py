"""Every event of an experiment's FCS acquisitions, held while the workbench is open, so that
percentages can follow a slider.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.config.model import Flow
from kit.experiment.load import Experiment
from kit.explore import parts
from kit.flow.acquisition import Gated, gate_files
from kit.flow.gating import FlowGates, quadrants
from kit.flow.sample_sheet import parse_gates, read_sample_sheet
from kit.readers.flow.fcs import read_fcs

QUADRANTS = ("viable", "early", "late", "necrotic")
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Acquisition:
    """One `flow` entry with FCS files: its place in experiment.yaml, the gates in force, and all
    single cells of its samples.
    """

    name: str
    entry: int
    gates: FlowGates
    saved: dict[str, float]
    """The thresholds in force, whether they were given as numbers or come from controls."""
    samples: dict[str, Gated]
    pairs: dict[str, NDArray[np.floating[Any]]]
    """Per file: single cells x (Annexin V, PI), compensated."""
    keys: dict[str, Key]
    """File of each sample, in the order of the sheet -> line, medium, replicate."""

    @property
    def files(self) -> list[str]:
        """Files of samples."""
        return list(self.keys)

    def label(self, file: str) -> str:
        """Line, medium and replicate of a file."""
        line, medium, replicate = self.keys[file]
        return f"{line}, {parts.labels().name(medium)}, replicate {replicate}"

    def events(self, file: str) -> int:
        """Number of single cells."""
        return len(self.pairs[file])

    def percents(
        self, file: str, annexin_threshold: float, pi_threshold: float
    ) -> dict[str, float]:
        """Percentage of each quadrant among all single cells of a file."""
        pair = self.pairs[file]
        counts = quadrants(pair[:, 0], pair[:, 1], annexin_threshold, pi_threshold)
        return {
            name: 100 * getattr(counts, name) / counts.total if counts.total else float("nan")
            for name in QUADRANTS
        }

    def flow(self, table: pd.DataFrame, now: dict[str, float]) -> pd.DataFrame:
        """The experiment's flow table with the percentages of this acquisition counted anew."""
        changed, own = table.copy(), table["file"].eq(self.name)
        for file, (line, medium, replicate) in self.keys.items():
            row = (
                own
                & table["cell_line"].eq(line)
                & table["medium"].eq(medium)
                & table["replicate"].eq(replicate)
            )
            for name, percent in self.percents(
                file, now["annexin_threshold"], now["pi_threshold"]
            ).items():
                changed.loc[row, f"{name}_percent"] = percent
        return changed


def acquisitions(experiment: Experiment) -> list[Acquisition]:
    """Read and gate every entry of `flow` that has gates, as `kit.load` does, keeping the
    events.
    """
    entries = [
        (index, entry)
        for index, entry in enumerate(experiment.config.flow)
        if entry.gates is not None
    ]
    return [_acquisition(experiment, index, entry) for index, entry in entries]


def _acquisition(experiment: Experiment, index: int, entry: Flow) -> Acquisition:
    path: Path = experiment.folder / entry.file
    gates = parse_gates(entry.gates or {}, entry.file)
    sheet = read_sample_sheet(
        path, name=entry.file, lines=experiment.config.cell_lines, media=experiment.config.media
    )
    pairs: dict[str, NDArray[np.floating[Any]]] = {}

    def read(row: Any) -> Any:
        return read_fcs(path.parent / row["file"], name=row["file"], dataset=row["dataset"] or None)

    run = gate_files(sheet, gates, read, keep=pairs.__setitem__)
    samples = sheet[sheet["role"].eq("sample")]
    keys = {
        row["file"]: (row["cell_line"], row["medium"], row["replicate"])
        for row in samples.to_dict("records")
    }
    saved = {"annexin_threshold": run.annexin_threshold, "pi_threshold": run.pi_threshold}
    return Acquisition(entry.file, index, gates, saved, run.samples, pairs, keys)
