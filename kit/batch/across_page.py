"""A folder of reports -> its across.html: notebook 04 run over the folder and made into one
self-contained page.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import kit
from kit.across.gather import listed
from kit.batch import isolate
from kit.batch.manifest import packages
from kit.core.errors import Problem
from kit.core.paths import share
from kit.report import page as report
from kit.report.index import ACROSS as FILE
from kit.store import outfolder

NOTEBOOK = "04_across_experiments"
TITLE = "Across experiments"


def write(reports: Path, notebooks: Path | None = None) -> Path:
    """Run notebook 04 over `reports` and write `reports`/across.html, whole or not at all; returns
    its path.

    `notebooks` is a folder to use instead of the kit's own. Raises OutputError where the notebook
    stopped, with what it said; an earlier page
    then stays. Processes are started afresh: a script needs its `if __name__ == "__main__"`.
    """
    source, started = (
        (notebooks or share() / "notebooks") / f"{NOTEBOOK}.ipynb",
        dt.datetime.now(dt.UTC),
    )
    try:
        with outfolder.reserved(reports):
            _make(reports, source, started)
    except OSError as error:
        what = f"{FILE} cannot be written: {error.strerror or error}"
        raise outfolder.OutputError(
            Problem(str(reports), "", what, "Make room or free the folder, then run it again.")
        ) from None
    return reports / FILE


def _make(reports: Path, source: Path, started: dt.datetime) -> None:
    built = outfolder.building(reports, f"across-{os.getpid()}")
    try:
        (built / "notebooks").mkdir()
        target = built / "notebooks" / source.name
        outcome = isolate.run(
            _execute,
            str(source),
            str(target),
            str(reports.resolve()),
            method=isolate.start_method(),
        )
        if outcome.how != "done" or outcome.value:
            raise outfolder.OutputError(
                Problem(
                    source.name,
                    "",
                    str(outcome.value or outcome.text),
                    "Mend that and run it again.",
                )
            )
        page = report.render(built, _manifest(reports, started))
        (built / FILE).write_text(_beside_the_index(page), encoding="utf-8")
        os.replace(built / FILE, reports / FILE)
    finally:
        shutil.rmtree(built, ignore_errors=True)


def _beside_the_index(page: str) -> str:
    """A report's page where it lies in the folder of reports itself: the index is its neighbour,
    and no files of its own lie beside it.
    """
    page = page.replace('href="../index.html"', 'href="index.html"', 1)
    return re.sub(
        r"<h3>Files beside this report</h3>\s*<details>.*?</details>", "", page, count=1, flags=re.S
    )


def _execute(source: str, target: str, reports: str) -> str:
    """In a process of its own: run the notebook into `target`; returns what went wrong, empty when
    nothing did.
    """
    import papermill

    from kit.batch import engine

    options: dict[str, Any] = (
        {"engine_name": engine.NAME, "request_save_on_cell_execute": False}
        if isolate.CAN_FORK
        else {}
    )
    try:
        papermill.execute_notebook(
            source,
            target,
            {"reports": reports, "out": ""},
            progress_bar=False,
            kernel_name="python3",
            **options,
        )
    except papermill.PapermillExecutionError as error:
        number = error.exec_count - 1  # papermill's own cell of parameters is not in the source
        return f"code cell {number} raised {error.ename}: {error.evalue}"
    return ""


def _manifest(reports: Path, started: dt.datetime) -> dict[str, Any]:
    """What the page says of itself."""
    return {
        "experiment_id": TITLE,
        "status": "ok",
        "simulated": listed(reports).simulated,
        "problems": [],
        "notebooks": [{"name": NOTEBOOK}],
        "settings": {},
        "inputs": [],
        "kit_version": kit.__version__,
        "python": sys.version.split()[0],
        "packages": packages(),
        "seed": None,
        "started": started.isoformat(timespec="seconds"),
        "seconds": (dt.datetime.now(dt.UTC) - started).total_seconds(),
    }
