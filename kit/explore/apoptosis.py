"""Tab Apoptosis: the gates of an FCS acquisition as sliders with percentages of all events live,
saved to experiment.yaml after a look at the diff.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np
import pandas as pd

from kit.explore import parts, yaml_edit
from kit.explore.calls import call_rows
from kit.explore.flow import Acquisition, acquisitions
from kit.explore.parts import LABELLED, Page, Tab, button, row
from kit.explore.saving import Saving
from kit.explore.state import Session
from kit.flow import apoptosis as dying
from kit.plots import apoptosis as plots
from kit.plots import style
from kit.report.sections import death

CHANNELS = (("annexin_threshold", "Annexin V threshold"), ("pi_threshold", "PI threshold"))
LOG_LOW, LOG_HIGH, STEP = 1.0, 5.4, 0.01
"""Ends and step of the sliders, log10. A browser rounds to the step by itself, so less than a step
is no move.
"""


class ApoptosisTab(Tab):
    """Wired to `kit.flow.gating.quadrants` and the reports' apoptosis and calls; without FCS files
    it shows the gated table.
    """

    title = "Apoptosis"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.entry = w.Dropdown(
            description="Acquisition", options=[], layout=w.Layout(width="330px")
        )
        self.sample = w.Dropdown(description="Sample", options=[], layout=w.Layout(width="400px"))
        self.sliders = {
            name: w.FloatLogSlider(
                description=label,
                min=LOG_LOW,
                max=LOG_HIGH,
                step=STEP,
                value=1000,
                readout_format=".4g",
                style=LABELLED,
                layout=w.Layout(width="560px"),
            )
            for name, label in CHANNELS
        }
        self.reset = button("Back to the saved gates")
        self.saving = Saving(session, page, self._propose, "these gates")
        self.state, self.density, self.table, self.plain = w.HTML(), w.HTML(), w.HTML(), w.HTML()
        self._runs: list[Acquisition] = []
        self._read_for: Any = None
        self._setting = False
        self.entry.observe(page.guard(self._other_entry, "Drawing…"), "value")
        self.sample.observe(page.guard(self._other_sample, "Drawing…"), "value")
        for slider in self.sliders.values():
            slider.observe(page.guard(self._moved, "Counting…"), "value")
        self.reset.on_click(page.guard(self._reset))
        gates = [
            row([self.entry, self.sample]),
            *self.sliders.values(),
            row([self.reset, self.saving.show]),
            self.saving.below,
            self.state,
        ]
        pair = w.HBox(
            [w.VBox([self.density]), w.VBox([self.table], layout=w.Layout(flex="1 1 480px"))],
            layout=w.Layout(flex_flow="row wrap", grid_gap="20px"),
        )
        self.gates = w.VBox([*gates, pair])
        self.box.children = [self.gates, self.plain]

    # ---- which

    @property
    def run(self) -> Acquisition | None:
        """The acquisition that is shown."""
        return (
            self._runs[self.entry.value]
            if self.entry.value is not None and self.entry.value < len(self._runs)
            else None
        )

    @property
    def what_if(self) -> dict[str, float]:
        """Thresholds that differ from the saved ones."""
        if self.run is None:
            return {}
        moved = {
            name: slider.value
            for name, slider in self.sliders.items()
            if abs(np.log10(slider.value / _on_slider(self.run.saved[name]))) > STEP * 0.6
        }
        return {
            name: float(f"{value:.4g}") for name, value in moved.items()
        }  # as it would be saved

    def draw(self) -> None:
        """Read the events anew where the experiment was, then show."""
        experiment = self.session.experiment
        has_gates = experiment is not None and bool(experiment.gated)
        self.gates.layout.display = "" if has_gates else "none"
        self.plain.value = "" if has_gates else self._tables()
        if not has_gates or experiment is None:
            return
        if self._read_for is not experiment.gated:
            with self.page.working("Reading the events…"):
                self._runs = acquisitions(experiment)
            self._read_for = experiment.gated
            self._offer()
        self._show()

    def _offer(self) -> None:
        self._setting = True
        self.entry.options = [(run.name, index) for index, run in enumerate(self._runs)]
        self.entry.value = 0
        self._take_run()
        self._setting = False

    def _take_run(self) -> None:
        run = self.run
        if run is None:
            return
        kept = self.sample.value
        self.sample.options = list(run.files)
        self.sample.value = kept if kept in run.files else run.files[0]
        for name, slider in self.sliders.items():
            slider.value = _on_slider(run.saved[name])

    def _other_entry(self, _: object) -> None:
        if not self._setting:
            self._setting = True
            self._take_run()
            self._setting = False
            self.saving.forget()
            self._show()

    def _other_sample(self, _: object) -> None:
        if not self._setting:
            self._draw_density(self._thresholds())

    def _moved(self, _: object) -> None:
        if not self._setting:
            self.saving.forget()
            self._show()

    def _reset(self, _: object) -> None:
        self._setting = True
        self._take_run()
        self._setting = False
        self.saving.forget()
        self._show()

    # ---- what

    def _thresholds(self) -> dict[str, float]:
        return {**self.run.saved, **self.what_if} if self.run is not None else {}

    def _propose(self) -> yaml_edit.Proposal:
        return yaml_edit.propose_gates(self.session.loaded.folder, self.run.entry, self.what_if)  # type: ignore[union-attr]

    def _show(self) -> None:
        if self.run is None:
            return
        changed, now = self.what_if, self._thresholds()
        words = ", ".join(f"{name} = {value:.4g}" for name, value in changed.items())
        self.state.value = (
            parts.note(f"What if: {words}. Not saved; reports use the saved gates.", "warn")
            if changed
            else ""
        )
        self._draw_density(now)
        self._draw_table(now if changed else None)

    def _draw_density(self, now: dict[str, float]) -> None:
        run = self.run
        if run is None or self.sample.value is None:
            return
        fig, ax = style.figure(4.6, 4.4)
        sample = run.samples[self.sample.value]
        percents = run.percents(self.sample.value, now["annexin_threshold"], now["pi_threshold"])
        plots.density(
            ax,
            sample.points,
            now["annexin_threshold"],
            now["pi_threshold"],
            percents=percents,
            scale=run.gates.logicle,
            title=run.label(self.sample.value),
        )
        caption = (
            f"{run.events(self.sample.value):,} single cells, percentages of all of them; at most"
            " 20,000 are drawn."
        )
        self.density.value = parts.figure(
            fig, f"Annexin V against PI of {self.sample.value}", caption
        )

    def _draw_table(self, now: dict[str, float] | None) -> None:
        """The apoptosis table and the calls with these gates, and what the calls were."""
        analysis, config, settings = (
            self.session.analysis,
            self.session.loaded.config,
            self.session.loaded.settings,
        )
        if analysis is None or analysis.apoptosis is None or self.run is None:
            return
        found, calls, before, flow = (
            analysis.apoptosis,
            analysis.calls,
            None,
            self.session.loaded.flow,
        )
        if now is not None and flow is not None:
            found = dying.apoptosis(self.run.flow(flow, now), config.media, settings)
            if calls is not None and len(calls):
                calls, before = self.session.calls_from(apoptosis=found), calls
        columns = {
            "cell_line": "line",
            "medium": "medium",
            "replicate": "replicate",
            "viable_percent": "viable %",
            "early_percent": "early %",
            "late_percent": "late %",
            "necrotic_percent": "necrotic %",
            "specific_apoptosis": "specific",
            "verdict": "verdict",
        }
        self.table.value = parts.table(
            found, "apoptosis", "Specific: share of control's negative cells lost.", columns
        ) + (
            "<h3>Calls</h3>" + parts.table(call_rows(calls, before), "calls", "")
            if calls is not None and len(calls)
            else ""
        )

    def _tables(self) -> str:
        """No FCS files: the figures and the table that the report has."""
        analysis = self.session.analysis
        if analysis is None:
            return ""
        shown = [
            parts.figure(item.figure, item.title, item.caption)
            for item in death.figures(analysis)
            if item.figure is not None
        ]
        why = (
            "Gates can be moved where experiment.yaml lists FCS files (flow: a sample sheet with"
            " gates)."
            if analysis.apoptosis is not None
            else ""
        )
        return (
            (parts.note(why) if why else "")
            + "".join(shown)
            + (parts.table(*_named(analysis)) if analysis.apoptosis is not None else "")
        )


def _named(analysis: Any) -> tuple[pd.DataFrame | None, str, str]:
    shown = death.samples(analysis)
    return shown.table, shown.name, shown.caption


def _on_slider(value: float) -> float:
    """A threshold as the slider can show it."""
    return float(np.clip(value, 10**LOG_LOW, 10**LOG_HIGH))
