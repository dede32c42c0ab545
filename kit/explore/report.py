"""The button that makes this experiment's report: the very command of the nightly batch, in a
process of its own, with progress.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import anywidget
import ipywidgets as w
import traitlets

from kit.batch.job import NOTEBOOKS
from kit.explore.parts import Page, button, row
from kit.explore.state import Session

POLL_S = 0.3
LAST_LINES = 6


class ReportLink(anywidget.AnyWidget):
    """A link that opens `page`, the HTML of a report; nothing is shown while that is empty."""

    _esm = (Path(__file__).parent / "report_link.js").read_text(encoding="utf-8")
    page = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Unicode("Open the report").tag(sync=True)


class ReportBox:
    """Button, progress and link. `KIT_REPORTS` names the folder of reports to begin with, else
    `reports` beside the experiment.
    """

    def __init__(self, session: Session, page: Page) -> None:
        self.session, self.page = session, page
        self.run = button(
            "Make the report",
            "primary",
            tooltip="kit run on this experiment, with what is saved in its files",
        )
        self.out = w.Text(
            description="into", placeholder="folder of reports", layout=w.Layout(width="420px")
        )
        self.bar = w.IntProgress(
            min=0, max=len(NOTEBOOKS) + 1, layout=w.Layout(width="160px", visibility="hidden")
        )
        self.said = w.HTML()
        self.link = ReportLink()
        self.running: threading.Thread | None = None
        self.run.on_click(page.guard(self._start, "Starting…"))
        self.box = row([self.run, self.out, self.bar, self.said, self.link])

    def offer(self) -> None:
        """A folder to begin with, once an experiment is open."""
        if not self.out.value and self.session.experiment is not None:
            self.out.value = os.environ.get("KIT_REPORTS") or str(
                self.session.experiment.folder.parent / "reports"
            )

    def _start(self, _: object) -> None:
        experiment = self.session.loaded
        if self.running is not None and self.running.is_alive():
            return  # a second click
        self.run.disabled, self.link.page = True, ""
        self.running = threading.Thread(
            target=self._make,
            args=(experiment.folder, Path(self.out.value).expanduser().resolve()),
            daemon=True,
        )
        self.running.start()

    def _make(self, folder: Path, out: Path) -> None:
        """In a thread: run the command, show how far it is, then the link or what went wrong."""
        self.bar.layout.visibility, self.bar.value, self.bar.bar_style = "visible", 0, "info"
        try:
            started = time.monotonic()
            process = subprocess.Popen(
                _command(folder, out),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=_environment(),
            )
            lines = _Lines(process)
            while lines.thread.is_alive():
                done = _notebooks_begun(out, folder.name)
                self.bar.value = max(self.bar.value, done)
                self.said.value = (
                    f"notebook {done} of {len(NOTEBOOKS)}, " * (done > 0)
                    + f"{time.monotonic() - started:.0f} s"
                )
                time.sleep(POLL_S)
            self._conclude(
                process.returncode,
                out / folder.name / "report.html",
                lines.text(),
                time.monotonic() - started,
            )
        except Exception as error:
            self.bar.bar_style, self.said.value = "danger", ""
            self.page.show(error)
        finally:
            self.run.disabled = False

    def _conclude(self, status: int, report: Path, text: str, seconds: float) -> None:
        self.bar.value, self.bar.bar_style = self.bar.max, "danger" if status else "success"
        self.said.value = f"{seconds:.0f} s"
        if report.is_file():
            self.link.page = report.read_text(encoding="utf-8")
        if status:
            self.page.say(f"The report could not be made whole:\n{text}", "fail")
        else:
            self.page.say(f"The report is made: {report}", "pass")


class _Lines:
    """The last lines a process wrote, read as they come so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.kept: list[str] = []
        self.thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        self.thread.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        with process:
            for line in process.stdout or ():
                self.kept = [*self.kept, line.rstrip()][-LAST_LINES:]

    def text(self) -> str:
        """What was kept, once the process has ended."""
        self.thread.join(5)
        return "\n".join(self.kept)


def _command(folder: Path, out: Path) -> Sequence[str]:
    return [sys.executable, "-m", "kit", "run", str(folder), "--out", str(out)]


def _environment() -> dict[str, str]:
    """That of this process, without what only makes sense inside a notebook's kernel."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JPY_", "MPLBACKEND"))
    }


def _notebooks_begun(out: Path, name: str) -> int:
    """How many notebooks of a report that is being built have been begun."""
    return (
        min(sum(1 for _ in out.glob(f".building-{name}-*/notebooks/*_*.ipynb*")), len(NOTEBOOKS))
        if out.is_dir()
        else 0
    )
