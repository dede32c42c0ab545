"""How fast `kit run` is against papermill and nbconvert as people use them: python tests/benchmarks/batch.py [--reports 6]

Every way makes the same reports, from copies of an example experiment with the kit's own notebooks, one after the other in one run:
  baseline   one papermill command and one nbconvert command per notebook
  kit 1, 2   `kit run` with one and two workers
  floor      the notebooks' code in processes forked from a warmed one: the same analysis and figures, no notebook, no page
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

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ("01_assay_qc", "02_dropout_analysis")


def copies(folder: Path, source: Path, count: int) -> list[Path]:
    """So many copies of an experiment, each with a name of its own."""
    made = []
    for number in range(count):
        copy = folder / f"EXP-B-{number:04d}"
        shutil.copytree(source, copy)
        text = (copy / "experiment.yaml").read_text(encoding="utf-8")
        (copy / "experiment.yaml").write_text(text.replace(f"experiment_id: {source.name}", f"experiment_id: {copy.name}"), encoding="utf-8")
        made.append(copy)
    return made


def command(*words: object) -> None:
    """Run a command of this environment; stop when it fails."""
    done = subprocess.run([sys.executable, "-m", *map(str, words)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def baseline(experiments: list[Path], out: Path) -> None:
    """papermill and nbconvert from the command line."""
    for folder in experiments:
        for name in NOTEBOOKS:
            target = out / folder.name / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            parameters = ["-p", "experiment", folder, "-p", "out", target.parent]
            command("papermill", ROOT / "notebooks" / target.name, target, *parameters, "--no-progress-bar")
            command("nbconvert", "--to", "html", target)


def kit_run(experiments: list[Path], out: Path, workers: int) -> None:
    """The kit from the command line."""
    command("kit", "run", experiments[0].parent, "--out", out, "--workers", workers)


def floor(experiments: list[Path], out: Path) -> None:
    """Bare code in warm processes."""
    code = {name: _code(name) for name in NOTEBOOKS}
    context = multiprocessing.get_context("fork")
    for folder in experiments:
        for name in NOTEBOOKS:
            process = context.Process(target=_bare, args=(code[name], folder, out / folder.name))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"the floor failed on {folder.name}, {name}")


def _code(name: str) -> list[str]:
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _bare(cells: list[str], folder: Path, out: Path) -> None:
    from kit import exhibits

    exhibits.display = lambda *args, **kwargs: None  # type: ignore[assignment]
    space: dict[str, object] = {"__name__": "__main__"}
    for index, cell in enumerate(cells):
        exec(compile(cell, f"cell {index}", "exec"), space)
        if index == 0:
            space |= {"experiment": str(folder), "out": str(out)}


def timed(way: Callable[[], None]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def main() -> None:
    """Time every way once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=6)
    parser.add_argument("--source", type=Path, default=ROOT / "data" / "examples" / "EXP-DEMO-02")
    given = parser.parse_args()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        experiments = copies(folder / "in", given.source, given.reports)
        command("kit", "check", experiments[0])  # files and compiled code are in the cache for all ways alike
        import kit.warm  # noqa: F401

        ways: dict[str, Callable[[], None]] = {
            "floor": lambda: floor(experiments, folder / "floor"),
            "kit, 1 worker": lambda: kit_run(experiments, folder / "kit1", 1),
            "kit, 2 workers": lambda: kit_run(experiments, folder / "kit2", 2),
            "baseline": lambda: baseline(experiments, folder / "baseline"),
        }
        seconds = {name: timed(way) for name, way in ways.items()}
    show(seconds, given.reports)


def show(seconds: dict[str, float], reports: int) -> None:
    """Print the table, as Markdown."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{reports} reports of {len(NOTEBOOKS)} notebooks; {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}\n")
    print("| way | s | s per report | baseline / way | way / floor |\n|---|---|---|---|---|")
    for name in ("baseline", "kit, 1 worker", "kit, 2 workers", "floor"):
        value = seconds[name]
        print(f"| {name} | {value:.1f} | {value / reports:.2f} | {seconds['baseline'] / value:.1f} | {value / seconds['floor']:.2f} |")


if __name__ == "__main__":
    main()
