"""How long one large FCS file takes: `python tests/benchmarks/flow.py [events]`. Prints the best of
three runs of each step.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kit.flow.acquisition import gate_files
from kit.flow.gating import FlowGates, Logicle, logicle
from kit.readers.flow.events import Events, Spill
from kit.readers.flow.fcs import read_fcs
from kit.simulate.synthetic_flow import DEBRIS_BELOW, simulate, write_fcs


def best(step: Callable[[], Any]) -> tuple[float, Any]:
    """Shortest of three runs, and what the last returned."""
    seconds, result = [], None
    for _ in range(3):
        start = time.perf_counter()
        result = step()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def main(count: int = 1_000_000) -> None:
    made = simulate(
        {"viable": 0.6, "early": 0.2, "late": 0.15, "necrotic": 0.05}, events=count
    ).events
    extra = np.random.default_rng(1).normal(0, 100, (count, 2)).astype(np.float32)
    values = np.column_stack([made.values, extra])
    spill = np.eye(5)
    spill[:3, :3] = made.spill.matrix if made.spill else spill[:3, :3]
    channels = (*made.channels, "BV421-A", "BV605-A")
    wide = Events(
        "big.fcs",
        channels,
        ("",) * 9,
        values,
        (262_144.0,) * 9,
        Spill(("FITC-A", "PE-A", "APC-A", "BV421-A", "BV605-A"), spill),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.fcs"
        write_fcs(wide, path)
        sheet = pd.DataFrame(
            [
                {
                    "file": "big.fcs",
                    "cell_line": "MOLT-4",
                    "medium": "complete",
                    "replicate": 1,
                    "role": "sample",
                    "dataset": 0,
                }
            ]
        )
        gates = FlowGates(
            annexin="FITC-A",
            pi="PE-A",
            debris_fsc_min=DEBRIS_BELOW,
            annexin_threshold=3000,
            pi_threshold=3000,
        )
        reading, events = best(lambda: read_fcs(path))
        gating, _ = best(lambda: gate_files(sheet, gates, lambda row: events))
        both, run = best(lambda: gate_files(sheet, gates, lambda row: read_fcs(path)))
        display, _ = best(lambda: logicle(events.values[:, 3:5], Logicle()))
    print(f"{count:,} events x {len(channels)} channels")
    print(
        f"read {reading:.3f} s; gate {gating:.3f} s; read and gate {both:.3f} s; logicle of two"
        f" channels {display:.3f} s"
    )
    print(
        run.table[["events", "viable_percent", "early_percent", "late_percent", "necrotic_percent"]]
        .round(2)
        .to_string(index=False)
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
