"""Tab Time course: which plates and hours count, and the onset, recovery and class that follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import ipywidgets as w

from kit.analysis import Analysis
from kit.config.settings import Settings
from kit.core.columns import known
from kit.explore import parts
from kit.explore.parts import Page, Tab, row
from kit.explore.state import Session
from kit.report.exhibits import Exhibit
from kit.report.sections import timecourse as section
from kit.timecourse.tables import ALL, time_courses

HOURS = {
    "settling_h": "settling, h",
    "medium_change_h": "after a change, h",
    "recovery_from_h": "recovery from, h",
    "recovery_to_h": "recovery to, h",
}
"""Settings that the tab offers -> their words."""


class TimeCourseTab(Tab):
    """Wired to `kit.timecourse.time_courses`; a what-if, nothing is saved."""

    title = "Time course"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.line = w.Dropdown(description="Line", options=[], layout=w.Layout(width="260px"))
        self.left_out = w.SelectMultiple(
            description="Leave out", options=[], rows=4, layout=w.Layout(width="360px")
        )
        self.hours = {
            name: w.BoundedFloatText(
                description=words,
                min=0,
                max=1000,
                step=1,
                style={"description_width": "120px"},
                layout=w.Layout(width="220px"),
            )
            for name, words in HOURS.items()
        }
        self.state, self.found, self.curves = w.HTML(), w.HTML(), w.HTML()
        self._setting = False
        self._drawn_for: object = None
        for control in (self.line, self.left_out, *self.hours.values()):
            control.observe(page.guard(self._changed, "Fitting…"), "value")
        self.controls = w.VBox([row([self.line, self.left_out]), row([*self.hours.values()])])
        self.box.children = [self.controls, self.state, self.found, self.curves]

    @property
    def analysis(self) -> Analysis | None:
        """The analysis of an experiment with scans, or None."""
        analysis = self.session.analysis
        return None if analysis is None or analysis.onset is None else analysis

    def draw(self) -> None:
        """Offer the plates and lines of this experiment, then show."""
        analysis = self.analysis
        self.controls.layout.display = "none" if analysis is None else ""
        if analysis is None:
            words = "This experiment lists no scans under `timecourse:`."
            self.state.value = parts.note(words)
            self.found.value = self.curves.value = ""
            return
        if self._drawn_for is not analysis.experiment:
            entries, settings = analysis.experiment.config.timecourse, analysis.experiment.settings
            self._setting = True
            self.left_out.options = [
                (f"{entry.plate}, replicate {entry.replicate}", entry.plate) for entry in entries
            ]
            self.left_out.value = ()
            lines = list(dict.fromkeys(known(analysis.onset, "onset")["cell_line"]))
            self.line.options = lines
            self.line.value = lines[0] if lines else None
            for name, control in self.hours.items():
                control.value = getattr(settings, name)
            self._setting, self._drawn_for = False, analysis.experiment
        self._show()

    def _changed(self, _: Any) -> None:
        if not self._setting:
            self._show()

    def what_if(self) -> Analysis:
        """The analysis with time courses without the plates left out, at the hours chosen.

        Raises
        ------
        ValueError
            Where no experiment with scans is open, or every plate is left out.
        InputError
            Where the hours cross, such as a recovery that ends before it begins.
        """
        analysis = self.analysis
        if analysis is None or (scans := analysis.experiment.timecourse) is None:
            raise ValueError("no experiment with scans is open")
        experiment = analysis.experiment
        out = set(self.left_out.value)
        kept = [entry for entry in experiment.config.timecourse if entry.plate not in out]
        if not kept:
            raise ValueError("every plate is left out")
        chosen = {name: control.value for name, control in self.hours.items()}
        settings = Settings.model_validate({**experiment.settings.model_dump(), **chosen})
        config = experiment.config.model_copy(update={"settings": settings, "timecourse": kept})
        found = time_courses(scans, config, experiment.exclusions)
        changed = replace(experiment, config=config)
        return replace(analysis, experiment=changed, **found._asdict())

    def _show(self) -> None:
        entries = self.session.analysis.experiment.config.timecourse  # type: ignore[union-attr]
        if len(self.left_out.value) == len(entries):
            self.state.value = parts.note("Every plate is left out: keep one.", "warn")
            self.found.value = self.curves.value = ""
            return
        analysis, report = self.what_if(), self.session.analysis.experiment.settings  # type: ignore[union-attr]
        changed = bool(self.left_out.value) or any(
            control.value != getattr(report, name) for name, control in self.hours.items()
        )
        words = (
            "What if: other plates or hours than in the report. Nothing is saved: to leave a"
            " plate's wells out for good use exclusions.csv, for other hours `settings:`."
            if changed
            else "As in the report. Choose plates to leave out, or other hours."
        )
        self.state.value = parts.note(words, "warn" if changed else "info")
        exhibit = section.forest(analysis)
        onset = known(analysis.onset, "onset")
        pooled = onset[onset["replicate"].eq(ALL)]
        self.found.value = _drawn([exhibit]) + parts.table(
            pooled, "onset", " ".join(section.sentences(analysis)), section.ONSET
        )
        wanted = f"Growth of {self.line.value}"
        self.curves.value = _drawn(
            item for item in section.curves(analysis) if item.title == wanted
        )


def _drawn(exhibits: Iterable[Exhibit]) -> str:
    return "".join(
        parts.figure(item.figure, item.title, item.caption)
        for item in exhibits
        if item.figure is not None
    )
