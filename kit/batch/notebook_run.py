"""One notebook in a process of its own -> the executed notebook, and in words whether and where it
stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.batch import isolate, partial
from kit.core.errors import InputError, Problem, did_you_mean
from kit.store import reportfolder

ADDED = ("injected-parameters", "papermill-error-cell-tag")
"""Tags of the cells that papermill adds to a notebook."""


def run(
    path: Path,
    built: Path,
    home: Path,
    parameters: Mapping[str, str],
    *,
    forked: bool,
    timeout_s: float,
    memory_bytes: int,
) -> dict[str, Any]:
    """Run the notebook `path` in a process of its own, into the half-built report `built`, which
    will lie at `home`.

    Returns its entry in the manifest. papermill only warns of a parameter that the notebook does
    not have: here it is refused.
    """
    target = built / "notebooks" / path.name
    target.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    if refused := _unknown(path, parameters):
        return {"name": path.stem, "status": "failed", "seconds": 0.0, "error": str(refused)}
    outcome = isolate.run(
        _execute, str(path), str(target), dict(parameters), forked,
        method="fork" if forked else "spawn", timeout_s=timeout_s, memory_bytes=memory_bytes,
    )  # fmt: skip
    error = _settle(target, outcome, built, home)
    entry = {
        "name": path.stem,
        "status": "failed" if error else "ok",
        "seconds": round(time.monotonic() - started, 3),
        "error": error,
    }
    return (
        {**entry, "fault": outcome.how}
        if error and outcome.how in reportfolder.TRANSIENT
        else entry
    )


def _unknown(path: Path, parameters: Mapping[str, str]) -> InputError | None:
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


def _execute(path: str, target: str, parameters: dict[str, str], forked: bool) -> None:
    """In the notebook's own process: run it and write it to `target`. A cell that raises is told by
    the notebook itself.
    """
    quiet()
    import papermill

    options: dict[str, Any] = {}
    if forked:
        from kit.batch import engine

        _like_a_fresh_process()
        options = {
            "engine_name": engine.NAME,
            "request_save_on_cell_execute": False,
            "partial": f"{target}.partial",
        }
    with contextlib.suppress(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            path, target, parameters, progress_bar=False, kernel_name="python3", **options
        )


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


def _settle(target: Path, outcome: isolate.Outcome, built: Path, home: Path) -> str | None:
    """Take what the notebook's process left, whole or not; returns in words why and where it
    stopped, or None when it did not.
    """
    kept = Path(f"{target}.partial")
    notebook = read(target) or partial.read(kept)
    kept.unlink(missing_ok=True)
    if notebook is None:
        target.unlink(missing_ok=True)
        it = "it " if outcome.how in ("timeout", "memory") else ""
        return (
            f"{target.stem} stopped before its first cell:"
            f" {it}{outcome.text or 'it left nothing behind'}"
        )
    cells = notebook["cells"]
    stopped = next((index for index, cell in enumerate(cells) if _state(cell) == "failed"), None)
    error: str | None = None
    if stopped is not None:
        error = f"{target.stem} stopped in {_place(cells, stopped)}: {_raised(cells[stopped])}"
    elif outcome.how != "done":
        error = (
            f"{target.stem} stopped {_where_it_was(cells)}:"
            f" {'it ' if outcome.how in ('timeout', 'memory') else ''}{outcome.text}"
        )
    _name_added_cells(cells)
    # It was built elsewhere: what it says of paths should hold where it ends up.
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    here, there = (json.dumps(str(path), ensure_ascii=False)[1:-1] for path in (built, home))
    target.write_text(text.replace(here, there), encoding="utf-8")
    return error


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


def _raised(cell: Mapping[str, Any]) -> str:
    error = next(
        (output for output in cell["outputs"] if output["output_type"] == "error"),
        {"ename": "error", "evalue": "unknown"},
    )
    return f"{error['ename']}: {error['evalue']}".strip()


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
