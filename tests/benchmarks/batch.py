"""How fast `kit run` is against papermill and nbconvert as people use them: python
tests/benchmarks/batch.py [--reports 20]

Every way makes the same reports, from copies of an example experiment with the kit's own notebooks,
one after the other in one run:
  baseline   one papermill command and one nbconvert command per notebook, for --baseline reports
  kit 1, 2   `kit run` with one and two workers, its start included
  floor      the notebooks' code in processes forked from a warmed one: the same figures, analysed
  once a report; no notebook, no page
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

import kit
from kit.batch import job
from kit.report.notebook import give

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "data" / "examples" / "EXP-DEMO-02"


def copies(folder: Path, source: Path, count: int) -> list[Path]:
    """So many copies of an experiment, each with a name of its own."""
    made = []
    for number in range(count):
        copy = folder / f"EXP-B-{number:04d}"
        shutil.copytree(source, copy)
        text = (copy / "experiment.yaml").read_text(encoding="utf-8")
        (copy / "experiment.yaml").write_text(
            text.replace(f"experiment_id: {source.name}", f"experiment_id: {copy.name}"),
            encoding="utf-8",
        )
        made.append(copy)
    return made


def command(*words: object) -> None:
    """Run a command of this environment; stop when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)], capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def chosen(experiment: Path) -> list[Path]:
    """The notebooks that the kit runs for an experiment."""
    return job.choose(kit.load(experiment), ROOT / "notebooks")


def baseline(experiments: list[Path], out: Path) -> None:
    """papermill and nbconvert from the command line."""
    notebooks = chosen(experiments[0])
    for folder in experiments:
        for notebook in notebooks:
            target = out / folder.name / notebook.name
            target.parent.mkdir(parents=True, exist_ok=True)
            parameters = ["-p", "experiment", folder, "-p", "out", target.parent]
            command("papermill", notebook, target, *parameters, "--no-progress-bar")
            command("nbconvert", "--to", "html", target)


def kit_run(experiments: list[Path], out: Path, workers: int) -> None:
    """The kit from the command line."""
    command("kit", "run", experiments[0].parent, "--out", out, "--workers", workers)


def floor(experiments: list[Path], out: Path) -> None:
    """Bare code in warm processes, which find the analysis done."""
    code = [_code(path) for path in chosen(experiments[0])]
    context = multiprocessing.get_context("fork")
    for folder in experiments:
        give(kit.analyse(kit.load(folder)))
        for cells in code:
            process = context.Process(target=_bare, args=(cells, folder, out / folder.name))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"the floor failed on {folder.name}")


def _code(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _bare(cells: list[str], folder: Path, out: Path) -> None:
    from kit.report import exhibits

    exhibits.display = lambda *args, **kwargs: None  # type: ignore[assignment]
    space: dict[str, object] = {"__name__": "__main__"}
    for index, cell in enumerate(cells):
        exec(compile(cell, f"cell {index}", "exec"), space)
        if index == 0:
            space |= {"experiment": str(folder), "out": str(out)}


def timed(way: Callable[[], None]) -> float:
    """Seconds that a way takes."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def measure(reports: int, baseline_reports: int, source: Path) -> tuple[dict[str, float], str]:
    """Seconds per report of every way, timed once one after the other, and what was made."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        experiments = copies(folder / "in", source, reports)
        command(
            "kit", "check", experiments[0]
        )  # files and compiled code are in the cache for all ways alike
        import kit.batch.warm  # noqa: F401

        few = experiments[:baseline_reports]
        ways: dict[str, tuple[Callable[[], None], int]] = {
            "floor": (lambda: floor(experiments, folder / "floor"), len(experiments)),
            "kit, 1 worker": (lambda: kit_run(experiments, folder / "kit1", 1), len(experiments)),
            "kit, 2 workers": (lambda: kit_run(experiments, folder / "kit2", 2), len(experiments)),
            "baseline": (lambda: baseline(few, folder / "baseline"), len(few)),
        }
        each = {name: timed(way) / count for name, (way, count) in ways.items()}
        return (
            each,
            (
                f"{reports} reports of {len(chosen(experiments[0]))} notebooks ({source.name}),"
                f" baseline {len(few)}"
            ),
        )


def machine() -> str:
    """The size of this machine."""
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB, Python"
        f" {platform.python_version()}"
    )


def load() -> str:
    """What else the machine had to do."""
    return f"Load at the end {os.getloadavg()[0]:.1f}." if hasattr(os, "getloadavg") else ""


def show(each: dict[str, float], what: str) -> None:
    """Print the table, as Markdown."""
    print(f"{what}.\n\n| way | s per report | baseline / way | way / floor |\n|---|---|---|---|")
    for name in ("baseline", "kit, 1 worker", "kit, 2 workers", "floor"):
        print(
            f"| {name} | {each[name]:.2f} | {each['baseline'] / each[name]:.1f} |"
            f" {each[name] / each['floor']:.2f} |",
            flush=True,
        )


def main() -> None:
    """Time every way once and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=20)
    parser.add_argument(
        "--baseline",
        type=int,
        default=5,
        help="reports of the baseline, which has no start to spread over many",
    )
    parser.add_argument("--source", type=Path, default=SOURCE)
    given = parser.parse_args()
    print(machine())
    show(*measure(given.reports, given.baseline, given.source))
    print(load())


if __name__ == "__main__":
    main()
