"""How cost grows with the number of experiments: python tests/benchmarks/scaling.py [--counts
10,100,1000]

Makes so many small reports (one plate, one notebook with a figure) with `--workers` workers and
prints seconds per report once the run is
warm, memory of the parent and of the server that forks the reports' processes, and how long a
second run takes that finds all of them up to
date. Then the store: 5,000 reports' results.parquet read as one frame.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import BANNER, experiment, notebook

import kit
from kit.batch import batch
from kit.store import store

FIGURE = """from matplotlib.figure import Figure
from kit.report.exhibits import Exhibit
figure = Figure()
figure.subplots().plot([1, 3, 2])
show.show(Exhibit("line", "A line", "It bends.", figure))"""


class Watch:
    """Notes time and memory after each report."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.parent: list[int] = []
        self.server: list[int] = []

    def __call__(self, progress: batch.Progress, manifest: Mapping[str, Any] | None) -> None:
        one = psutil.Process()
        self.times.append(time.perf_counter())
        self.parent.append(one.memory_info().rss)
        self.server.append(max((child.memory_info().rss for child in one.children()), default=0))


def small(count: int, workers: int, folder: Path) -> str:
    """One row of the table."""
    notebook(folder / "nb", BANNER.format(verdict="pass"), FIGURE)
    for number in range(count):
        experiment(folder / "in", f"EXP-{number:05d}")
    watch = Watch()
    batch.run(
        [folder / "in"], folder / "out", notebooks=folder / "nb", workers=workers, report=watch
    )
    each = (watch.times[-1] - watch.times[1]) / (count - 1)
    start = time.perf_counter()
    skipped = len(
        batch.run([folder / "in"], folder / "out", notebooks=folder / "nb", workers=workers).skipped
    )
    again = time.perf_counter() - start
    grown = [(sizes[-1] - sizes[min(5, count)]) / 1e6 for sizes in (watch.parent, watch.server)]
    return (
        f"| {count:,} | {each:.3f} | {watch.parent[-1] / 1e6:.0f} ({grown[0]:+.1f}) |"
        f" {watch.server[-1] / 1e6:.0f} ({grown[1]:+.1f}) | {again:.1f} ({skipped:,}) |"
    )


def fill(experiment: Path, folder: Path, count: int) -> int:
    """So many reports' results with the rows of one analysis, as the kit writes them; returns how
    many rows each has.
    """
    tables = kit.analyse(kit.load(experiment)).tables
    store.write(made(folder, 0), "EXP-00000", tables)
    for number in range(1, count):
        for file in (made(folder, 0) / store.FOLDER).iterdir():
            target = made(folder, number) / store.FOLDER / file.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)
    return sum(len(table) for name, table in tables.items() if name != "wells")


def made(folder: Path, number: int) -> Path:
    """The folder of a report."""
    path = folder / f"EXP-{number:05d}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def show_growth(counts: Sequence[int], workers: int, folder: Path) -> None:
    """Print the table of every count."""
    print(
        f"{workers} workers.\n\n| reports | s per report | parent, MB (grown) | fork server, MB"
        " (grown) | second run, s (skipped) |\n|---|---|---|---|---|"
    )
    for count in counts:
        print(small(count, workers, folder / str(count)), flush=True)


def show_store(count: int, folder: Path) -> None:
    """Print how long tables of so many reports take to read: seconds, and CPU seconds, which hold
    on a busy machine too.
    """
    example = Path(__file__).resolve().parents[2] / "data" / "examples" / "EXP-DEMO-01"
    rows = fill(example, folder / "store", count)
    print(f"{rows} rows each (EXP-DEMO-01).\n\n| table | rows | s | CPU s |\n|---|---|---|---|")
    for table in ("calls", "growth"):
        start, cpu = time.perf_counter(), time.process_time()
        read = store.read(folder / "store", table)
        print(
            f"| {table} | {len(read):,} | {time.perf_counter() - start:.2f} |"
            f" {time.process_time() - cpu:.2f} |",
            flush=True,
        )


def main() -> None:
    """Run every count and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--counts", default="10,100,1000")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stored", type=int, default=5000)
    given = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f}"
        " GB\n"
    )
    with tempfile.TemporaryDirectory() as held:
        show_growth([int(count) for count in given.counts.split(",")], given.workers, Path(held))
        print()
        show_store(given.stored, Path(held))
    print(f"\nLoad at the end {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
