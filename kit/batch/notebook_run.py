"""One notebook in a process of its own -> the executed notebook, and in words whether and where it
stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.batch import isolate, partial
from kit.core.errors import InputError, Problem, did_you_mean
from kit.store import other_reports, reportfolder

ADDED = ("injected-parameters", "papermill-error-cell-tag")
"""Tags of the cells that papermill adds to a notebook."""


def run(
    paths: Sequence[Path],
    built: Path,
    home: Path,
    parameters: Mapping[str, str],
    *,
    analysis: Any = None,
    at_once: int = 1,
    timeout_s: float = 0,
    memory_bytes: int = 0,
) -> list[dict[str, Any]]:
    """Run notebooks into a half-built report, each in a process of its own.

    Parameters
    ----------
    paths
        The notebooks.
    built, home
        The folder in which the report is built, and the one in which it will lie.
    parameters
        What the notebooks are given besides `out`. papermill only warns of a parameter that a
        notebook does not have: here it is refused.
    analysis
        What the notebooks show; they are then forked from this process. None: they run in ordinary
        kernels and analyse for themselves.
    at_once
        How many may run side by side.
    timeout_s, memory_bytes
        Limits of each notebook; 0 is no limit.

    Returns
    -------
    list of dict
        The entries of the manifest: name, status, seconds, error, and the files that each wrote.
    """
    names = [*parameters, "out"]
    refused = {path: error for path in paths if (error := _unknown(path, names))}
    runs = [_Run(path, _part(built, path), built, home) for path in paths if path not in refused]
    outcomes = isolate.run_all(
        [(_execute, run.path, run.part, parameters, analysis) for run in runs],
        method="spawn" if analysis is None else "fork",
        at_once=at_once,
        timeout_s=timeout_s,
        memory_bytes=memory_bytes,
    )
    entries = {run.path: run.settle(outcome) for run, outcome in zip(runs, outcomes, strict=True)}
    for path, error in refused.items():
        entries[path] = {"name": path.stem, "status": "failed", "seconds": 0.0, "outputs": []}
        entries[path]["error"] = str(error)
    return [entries[path] for path in paths]


def _part(built: Path, path: Path) -> Path:
    """A folder for what one notebook writes, so that what runs beside it cannot be in its way."""
    part = built / f".part-{path.stem}"
    (part / "notebooks").mkdir(parents=True)
    if (pool := built / other_reports.POOL).is_file():
        shutil.copyfile(pool, part / pool.name)
    return part


@dataclass(frozen=True)
class _Run:
    """A notebook, and where it writes to before its files join those of the report."""

    path: Path
    part: Path
    built: Path
    home: Path

    def settle(self, outcome: isolate.Outcome) -> dict[str, Any]:
        """Take what the notebook's process left; returns its entry in the manifest."""
        target = self.part / "notebooks" / self.path.name
        error, fault = _settle(target, outcome, self.part, self.home)
        (self.part / other_reports.POOL).unlink(missing_ok=True)
        entry = {
            "name": self.path.stem,
            "status": "failed" if error else "ok",
            "seconds": round(outcome.seconds, 3),
            "error": error,
            "outputs": reportfolder.join(self.part, self.built),
        }
        return {**entry, "fault": fault} if error and fault in reportfolder.TRANSIENT else entry


def _unknown(path: Path, parameters: Sequence[str]) -> InputError | None:
    """What the notebook has no parameter for, with the nearest name it has."""
    import papermill

    known = papermill.inspect_notebook(str(path))
    problems = [
        Problem(
            path.name,
            "parameters",
            f"the notebook has no parameter '{name}'",
            did_you_mean(name, known),
        )
        for name in parameters
        if name not in known
    ]
    return InputError(problems) if problems else None


def _execute(path: Path, part: Path, parameters: Mapping[str, str], analysis: Any) -> None:
    """In the notebook's own process: run it and write it to `part`. A cell that raises is told by
    the notebook itself.
    """
    quiet()
    import papermill

    target = part / "notebooks" / path.name
    options: dict[str, Any] = {"cwd": str(part)}
    if analysis is not None:
        from kit.batch import engine
        from kit.report import notebook

        _like_a_fresh_process()
        notebook.give(analysis)
        options = {
            "engine_name": engine.NAME,
            "request_save_on_cell_execute": False,
            "partial": f"{target}.partial",
        }
    with contextlib.suppress(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            _unbraced(path),
            _unbraced(target),
            {**parameters, "out": str(part)},
            progress_bar=False,
            kernel_name="python3",
            **options,
        )


def _unbraced(path: Path) -> str:
    """A path as papermill leaves it: it fills in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def quiet() -> None:
    """Nothing of the notebook goes to the terminal except through the notebook."""
    import logging

    logging.getLogger("papermill").setLevel(logging.ERROR)
    sink = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(sink, descriptor)


def _like_a_fresh_process() -> None:
    """Undo what a fork shares that fresh processes do not: the state of the global random
    generators.
    """
    import random

    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _settle(
    target: Path, outcome: isolate.Outcome, part: Path, home: Path
) -> tuple[str | None, str]:
    """Take the notebook that a process left, whole or not; returns in words why and where it
    stopped (None when it did not), and the kind of the fault.
    """
    kept = Path(f"{target}.partial")
    notebook = read(target) or partial.read(kept)
    kept.unlink(missing_ok=True)
    if notebook is None:
        target.unlink(missing_ok=True)
        why = outcome.sentence or "it left nothing behind"
        return f"{target.stem} stopped before its first cell: {why}", outcome.how
    cells = notebook["cells"]
    stopped = next((index for index, cell in enumerate(cells) if _state(cell) == "failed"), None)
    error, fault = None, outcome.how
    if stopped is not None:
        raised = _raised(cells[stopped])
        error = f"{target.stem} stopped in {_place(cells, stopped)}: {raised[0]}: {raised[1]}"
        fault = "system" if raised[0] in [kind.__name__ for kind in isolate.SYSTEM] else "raised"
    elif outcome.how != "done":
        error = f"{target.stem} stopped {_where_it_was(cells)}: {outcome.sentence}"
    _name_added_cells(cells)
    # It was built elsewhere: what it says of paths should hold where it ends up.
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    here, there = (json.dumps(str(path), ensure_ascii=False)[1:-1] for path in (part, home))
    target.write_text(text.replace(here, there), encoding="utf-8")
    return error, fault


def _name_added_cells(cells: Sequence[dict[str, Any]]) -> None:
    """papermill gives the cells it adds random ids: with ids that are always the same, the same
    inputs make the same notebook.
    """
    for index, cell in enumerate(cells):
        added = next((tag for tag in cell["metadata"].get("tags", ()) if tag in ADDED), None)
        if added and "id" in cell:
            cell["id"] = f"{added}-{index}"


def read(path: Path) -> dict[str, Any] | None:
    """A stored notebook; None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _state(cell: Mapping[str, Any]) -> str:
    return (cell["metadata"].get("papermill") or {}).get("status", "")


def _where_it_was(cells: Sequence[Mapping[str, Any]]) -> str:
    """How far a notebook came whose process was ended, in words."""
    running = next((index for index, cell in enumerate(cells) if _state(cell) == "running"), None)
    if running is not None:
        return f"in {_place(cells, running)}"
    done = [
        index
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code" and _state(cell) == "completed"
    ]
    return f"after {_place(cells, done[-1])}" if done else "before its first cell"


def _place(cells: Sequence[Mapping[str, Any]], index: int) -> str:
    """Where a cell stands, in words: its number among the code cells and the heading above it."""
    number = sum(cell["cell_type"] == "code" for cell in cells[: index + 1])
    for cell in reversed(cells[:index]):
        headings = (
            re.findall(r"^#{1,4}\s+(.+)$", _source(cell), re.M)
            if cell["cell_type"] == "markdown"
            else []
        )
        if headings:
            return f"code cell {number}, under the heading '{headings[-1].strip()}'"
    return f"code cell {number}"


def _raised(cell: Mapping[str, Any]) -> tuple[str, str]:
    """Class and text of what a cell raised."""
    errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
    return (errors[0]["ename"], errors[0]["evalue"]) if errors else ("error", "unknown")


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
