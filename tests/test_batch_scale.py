"""Long runs: killed at any moment nothing is lost and nothing is left behind; memory stays where it
was.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from lab import BANNER, alive, experiment, litter, notebook, until

from kit.batch import batch, isolate

pytestmark = pytest.mark.skipif(not isolate.CAN_FORK, reason="processes are not forked here")

RUN = """
import sys
from kit.batch import batch
if __name__ == "__main__":
    root = sys.argv[1]
    batch.run([root + "/in"], root + "/out", notebooks=root + "/nb", workers=2)
"""

FIGURE = """from matplotlib.figure import Figure
from kit.report.exhibits import Exhibit
figure = Figure()
figure.subplots().plot([1, 3, 2])
show.show(Exhibit("line", "A line", "It bends.", figure))"""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Four experiments, two notebooks with a figure and the tables of an analysis."""
    for name in ("01_assay_qc", "02_dropout_analysis"):
        notebook(
            tmp_path / "nb",
            BANNER.format(verdict="pass"),
            FIGURE.replace("line", f"line_{name[:2]}", 1),
            name=name,
        )
    for number in range(4):
        experiment(tmp_path / "in", f"EXP-{number}")
    return tmp_path


def run(root: Path) -> batch.Progress:
    return batch.run([root / "in"], root / "out", notebooks=root / "nb", workers=2)


def contents(folder: Path) -> dict[str, Any]:
    """Every file below a folder by its path, without the times that reports tell."""
    return {
        str(path.relative_to(folder)): timeless(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def timeless(path: Path) -> Any:
    if path.name in ("manifest.json", "index.json") or path.suffix == ".ipynb":
        return without(
            json.loads(path.read_text(encoding="utf-8")), {"started", "seconds", "papermill"}
        )
    if path.name == "report.html":
        return re.sub(r"made [-0-9: ]+ UTC in [0-9.]+ s\.", "", path.read_text(encoding="utf-8"))
    return path.read_bytes()


def without(value: Any, keys: set[str]) -> Any:
    if isinstance(
        value, dict
    ):  # files that tell times vary in size, so of a manifest's files only the paths are kept
        return {
            key: (
                sorted(item) if key == "outputs" and isinstance(item, dict) else without(item, keys)
            )
            for key, item in value.items()
            if key not in keys
        }
    return [without(item, keys) for item in value] if isinstance(value, list) else value


def files(folder: Path) -> int:
    """How many files there are, half-built reports included."""
    return sum(len(names) for _, _, names in os.walk(folder))


def kill_when(root: Path, count: int, temporary: Path) -> list[int]:
    """Start a run and kill it as soon as it has written so many more files, or when it ends; the
    numbers of all its processes.
    """
    environment = {**os.environ, "TMPDIR": str(temporary)}
    running = subprocess.Popen(
        [sys.executable, "-c", RUN, str(root)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process, seen, before = psutil.Process(running.pid), {running.pid}, files(root / "out")

    def far_enough() -> bool:
        seen.update(child.pid for child in process.children(recursive=True))
        return files(root / "out") >= before + count or running.poll() is not None

    until(far_enough, f"the run should write {count} files")
    (
        seen.update(child.pid for child in process.children(recursive=True))
        if process.is_running()
        else None
    )
    running.kill()
    running.wait()
    return sorted(seen)


@pytest.mark.parametrize("replacing", [False, True])
def test_killed_at_random_moments_and_run_again(
    many: Path, tmp_path_factory: pytest.TempPathFactory, replacing: bool
) -> None:
    out, temporary = many / "out", tmp_path_factory.mktemp("t")
    old: dict[str, Any] = {}
    # the reports that are there were made from other data, and have to stay until the new ones are
    # whole
    if replacing:
        run(many)
        old = contents(out)
        for folder in (many / "in").iterdir():
            path = folder / "raw" / "p1.csv"
            path.write_text(path.read_text().replace("1000", "1001"))
        shutil.copytree(out, many / "kept")
    run(many)
    undisturbed = contents(out)
    shutil.rmtree(out)
    (many / "kept").rename(out) if replacing else out.mkdir()
    moments = random.Random(int(replacing))
    for _ in range(3):
        processes = kill_when(many, moments.randrange(1, 60), temporary)
        until(lambda pids=processes: not any(map(alive, pids)), "no process should outlive its run")
        for number in range(4):
            name = f"EXP-{number}{os.sep}"
            here, before, after = (
                {path: text for path, text in whole.items() if path.startswith(name)}
                for whole in (contents(out), old, undisturbed)
            )
            assert here in (before, after)
    result = run(many)
    assert not result.failed and result.done == 4
    assert contents(out) == undisturbed
    assert litter(out) == [] and list(temporary.iterdir()) == []


MEMORY = """
import gc, sys
import psutil
from kit.batch import batch
def told(progress, manifest):
    gc.collect()
    one = psutil.Process()
    servers = [child.memory_info().rss for child in one.children() if child.ppid() == one.pid]
    print(one.memory_info().rss, max(servers, default=0), flush=True)
if __name__ == "__main__":
    root = sys.argv[1]
    batch.run([root + "/in"], root + "/out", notebooks=root + "/nb", workers=2, report=told)
"""


def test_memory_does_not_grow_with_the_reports(tmp_path: Path) -> None:
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"))
    for number in range(40):
        experiment(tmp_path / "in", f"EXP-{number}")
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, timeout=600
    )
    sizes = [tuple(map(int, line.split())) for line in told.stdout.splitlines()]
    assert len(sizes) == 41, told.stderr
    for which in (0, 1):  # this process, and the server that forks the reports'
        assert sizes[-1][which] - sizes[10][which] < 2_000_000
