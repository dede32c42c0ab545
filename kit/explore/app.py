"""The page: choose an experiment, then the tabs; above them what happened and whether something
runs.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from kit.core.errors import InputError, Problem
from kit.core.labels import Labels
from kit.explore import parts
from kit.explore.apoptosis import ApoptosisTab
from kit.explore.asns import AsnsTab
from kit.explore.calls import CallsTab
from kit.explore.dose import DoseTab
from kit.explore.exchange import ExchangeTab
from kit.explore.growth import GrowthTab
from kit.explore.parts import Page, Tab, button, row
from kit.explore.plates import PlatesTab
from kit.explore.protocol import ProtocolTab
from kit.explore.report import ReportBox
from kit.explore.signaling import SignalingTab
from kit.explore.state import Session, experiments_below
from kit.explore.timecourse import TimeCourseTab
from kit.report import markup

if TYPE_CHECKING:
    from kit.analysis import Analysis

NOBODY = ("root", "jovyan", "user", "ubuntu", "admin", "student")
"""Account names that say nothing about who decides."""

TABS: tuple[type[Tab], ...] = (
    PlatesTab,
    GrowthTab,
    ApoptosisTab,
    CallsTab,
    AsnsTab,
    ExchangeTab,
    SignalingTab,
    TimeCourseTab,
    DoseTab,
    ProtocolTab,
)


class Workbench:
    """The whole page. `experiment` is an experiment folder, a folder of them, or empty: then
    KIT_EXPERIMENT, else the page asks.
    """

    def __init__(self, experiment: str | Path = "") -> None:
        self.session = Session()
        self.page = Page(who=_who())
        self.place = w.Text(
            description="Folder",
            placeholder="an experiment folder, or a folder of them",
            continuous_update=False,
            layout=w.Layout(width="460px"),
        )
        self.find = button("Find", tooltip="list the experiments in this folder")
        self.choice = w.Dropdown(
            description="Experiment", options=[], layout=w.Layout(width="340px")
        )
        self.again = button("Read again", tooltip="read the files of this experiment again")
        self.verdict = w.HTML()
        self.tabs: list[Tab] = [tab(self.session, self.page) for tab in TABS]  # type: ignore[call-arg,arg-type]
        self.stack = w.Tab(
            children=[tab.box for tab in self.tabs], titles=[tab.title for tab in self.tabs]
        )
        self.report = ReportBox(self.session, self.page)
        self._setting = False
        self._looked = ("", 0.0)
        self._opened: tuple[tuple[tuple[str, str], ...], str] = ((), "")
        self._wire()
        head = row([self.place, self.find, self.choice, self.again, self.page.who, self.page.busy])
        self.root = w.VBox(
            [
                w.HTML(parts.STYLE),
                head,
                self.page.message,
                self.verdict,
                self.report.box,
                self.stack,
            ]
        )
        self.root.add_class("kit-app")
        self._begin_with = str(experiment) or os.environ.get("KIT_EXPERIMENT", "")
        self._started = False
        if not _in_notebook():
            self.start()

    def start(self) -> Workbench:
        """Open what the page was made for, once. In a notebook this waits until the page is shown,
        so that it is never blank.
        """
        if not self._started:
            self._started = True
            self._start(self._begin_with)
        return self

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.root)
        self.start()

    def _wire(self) -> None:
        guard = self.page.guard
        self.find.on_click(guard(self._look, "Looking…"))
        self.place.observe(guard(self._look, "Looking…"), "value")
        self.choice.observe(guard(self._open, "Reading and analysing…"), "value")
        self.again.on_click(guard(self._reload, "Reading again…"))
        self.stack.observe(guard(self._turned, "Drawing…"), "selected_index")
        self.session.listeners.append(self._analysed)
        self.page.labels = lambda: (
            self.session.analysis.labels if self.session.analysis is not None else Labels()
        )

    def _start(self, folder: str) -> None:
        self._setting = True
        self.place.value = folder
        self._setting = False
        self.tabs[0].visible = True
        if folder:
            self.page.guard(lambda: self._list(folder), "Reading and analysing…")()
        else:
            self.page.say(
                "Name a folder above and press Find. The Protocol tab plans washes and replicates"
                " without an experiment."
            )

    def _look(self, _: Any) -> str:
        """Enter, or leaving the field, or Find: all may come at once and mean one thing."""
        folder = self.place.value.strip()
        if (
            self._setting
            or not folder
            or (folder == self._looked[0] and time.monotonic() - self._looked[1] < 1)
        ):
            return ""
        try:
            return self._list(folder)
        finally:
            self._looked = (folder, time.monotonic())

    def _list(self, folder: str) -> str:
        """Offer the experiments of a folder and open the first that can be read; those before it
        are told with what is wrong.
        """
        found = experiments_below(folder)
        options, broken = [(path.name, str(path)) for path in found], dict[str, InputError]()
        for path in found:
            self._offer(options, str(path))
            try:
                self._open()
                break
            except InputError as error:
                broken[path.name] = error
        if len(broken) == len(found):
            if self.session.experiment is None:
                self._offer(options, options[0][1])
            raise InputError(
                _told(broken)
                if len(broken) > 1
                else [problem for error in broken.values() for problem in error.problems]
            )
        head = f"{len(found)} experiments found." if len(found) > 1 else ""
        if broken:
            problems = "\n".join(map(str, _told(broken)))
            self.page.say(
                f"{head} {self.choice.label} is open: it is the first that can be"
                f" read.\n{problems}",
                "warn",
            )
        return "" if broken else head

    def _open(self, _: Any = None) -> None:
        if self._setting or not self.choice.value:
            return
        self.page.say("")
        try:
            self.session.open(self.choice.value)
        except Exception:
            if (
                self.session.experiment is not None
            ):  # it stays open, so it has to be the one that is named
                self._offer([*self._opened[0]], self._opened[1])
            raise
        self._opened = (tuple(self.choice.options), self.choice.value)

    def _offer(self, options: list[tuple[str, str]], value: str) -> None:
        self._setting = True
        self.choice.options = options
        self.choice.value = value
        self._setting = False

    def _reload(self, _: Any) -> str:
        if self.session.experiment is None:
            self._open()
        else:
            self.session.open(self.session.experiment.folder)
        return "Read again." if self.session.experiment is not None else ""

    def _turned(self, _: Any) -> str:
        return _turn(self.session, self.page, self.tabs, self.stack.selected_index)

    def _analysed(self) -> None:
        self.report.offer()
        for tab in self.tabs:
            tab.refresh()
        self._draw_verdict()

    def _draw_verdict(self) -> None:
        analysis = self.session.analysis
        if analysis is None:
            return
        config, summary = analysis.experiment.config, analysis.summary
        marks = "".join(
            f" {markup.escape(text)}."
            for text in (("SIMULATED DATA",) if config.simulated else ()) + analysis.marks
        )
        reasons = markup.items(summary.reasons)
        more = (
            f"<details><summary>{len(summary.reasons)}"
            f" reason{'s' * (len(summary.reasons) != 1)}</summary>{reasons}</details>"
            if summary.reasons
            else ""
        )
        head = (
            f"<b>{markup.escape(config.title or config.experiment_id)}</b>"
            f" {markup.badge(summary.verdict)}{marks}"
        )
        self.verdict.value = markup.wrapped(f'<div class="kit-head">{head}{more}</div>')


class Beside:
    """Some tabs of the workbench on an analysis that a notebook has made; `kit.explore.beside`
    decides whether to show them.
    """

    def __init__(self, analysis: Analysis, titles: Sequence[str]) -> None:
        known = {tab.title: tab for tab in TABS}
        self.session, self.page = Session(), Page(who=_who())
        self.tabs: list[Tab] = [known[title](self.session, self.page) for title in titles]  # type: ignore[call-arg,arg-type]
        self.stack = w.Tab(children=[tab.box for tab in self.tabs], titles=list(titles))
        self.root = w.VBox(
            [
                w.HTML(parts.STYLE),
                row([self.page.who, self.page.busy]),
                self.page.message,
                self.stack,
            ]
        )
        self.root.add_class("kit-app")
        self.stack.observe(self.page.guard(self._turned, "Drawing…"), "selected_index")
        self.session.listeners.append(self._analysed)
        self.page.labels = lambda: (
            self.session.analysis.labels if self.session.analysis is not None else Labels()
        )
        self.tabs[0].visible = True
        self.page.guard(lambda: self.session.adopt(analysis), "Drawing…")()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.root)

    def _analysed(self) -> None:
        for tab in self.tabs:
            tab.refresh()

    def _turned(self, _: Any) -> str:
        return _turn(self.session, self.page, self.tabs, self.stack.selected_index)


def _told(broken: Mapping[str, InputError]) -> list[Problem]:
    """The first problem of each experiment that cannot be read."""
    return [
        replace(error.problems[0], file=f"{name}: {error.problems[0].file}")
        for name, error in broken.items()
    ]


def _turn(session: Session, page: Page, tabs: list[Tab], front: int | None) -> str:
    """Another tab came to the front: look whether files changed meanwhile; returns what was done in
    words. A warning of the tab before is
    over, but for why nothing is open; what was done is still told, since a click after the turn may
    be heard before it."""
    if session.experiment is not None:
        page.end_warning()
    said = session.look_again()
    for index, tab in enumerate(tabs):
        tab.shown(index == front)
    return said


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this."""
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _who() -> str:
    """A name to begin with: KIT_USER, else the account's where it is a person's."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError):
        account = ""
    return os.environ.get("KIT_USER", "") or (account if account not in NOBODY else "")
