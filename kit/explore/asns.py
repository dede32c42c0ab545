"""Tab ASNS: this experiment's lines and the reference panel, names on hover."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pandas as pd

from kit.asns.lines import PROTEIN, Panel
from kit.asns.study import predictors, reference_panel, sources
from kit.explore import parts
from kit.explore.parts import Page, Tab, row
from kit.explore.state import Session
from kit.plots import asns as plots
from kit.plots import style


class AsnsTab(Tab):
    """Wired to `plots.asns.correlation` on the reports' `asns_lines` and on the panel of the
    reports.
    """

    title = "ASNS"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.measure = w.Dropdown(
            description="ASNS here", options=[], layout=w.Layout(width="330px")
        )
        self.panel_measure = w.Dropdown(
            description="in the panel", options=[], layout=w.Layout(width="330px")
        )
        self.own, self.panel, self.table = w.HTML(), w.HTML(), w.HTML()
        self._setting = False
        for control in (self.measure, self.panel_measure):
            control.observe(page.guard(self._changed, "Drawing…"), "value")
        pair = w.HBox(
            [
                w.VBox([self.own], layout=w.Layout(flex="1 1 480px")),
                w.VBox([self.panel], layout=w.Layout(flex="1 1 480px")),
            ],
            layout=w.Layout(flex_flow="row wrap", grid_gap="20px"),
        )
        self.box.children = [row([self.measure, self.panel_measure]), pair, self.table]

    @property
    def lines(self) -> pd.DataFrame | None:
        """One row per line of this experiment, or None."""
        return None if self.session.analysis is None else self.session.analysis.asns_lines

    def draw(self) -> None:
        """Offer the measures there are, then show."""
        self._setting = True
        _offer(self.measure, [] if self.lines is None else list(predictors(self.lines)))
        _offer(self.panel_measure, list(reference_panel().predictors))
        self._setting = False
        self.measure.layout.display = "" if self.measure.options else "none"
        self._show()

    def _changed(self, _: object) -> None:
        if not self._setting:
            self._show()

    def _show(self) -> None:
        panel = reference_panel()
        mine = frozenset() if self.lines is None else frozenset(self.lines["line_key"])
        self.panel.value = self._scatter(
            panel,
            self.panel_measure.value,
            "Reference panel: asparaginase in NCI-60, this experiment's lines named",
            tuple(mine),
        )
        own = [] if self.lines is None else sources(self.lines)
        if self.measure.value is None or not own:
            self.own.value = parts.note(
                "This experiment has no ASNS (blots or mRNA) beside sensitivity, so there is"
                " nothing of it to draw; the reference panel stands alone."
            )
        else:
            self.own.value = "".join(
                self._scatter(one, self.measure.value, "This experiment", ()) for one in own
            )
        self.table.value = "" if self.lines is None else self._lines_table(self.lines)

    def _lines_table(self, lines: pd.DataFrame) -> str:
        outcomes = [panel.outcome for panel in sources(lines)]
        wanted = [
            "cell_line",
            "lineage",
            *predictors(lines),
            "percent_of_reference",
            "class",
            *outcomes,
            "auxotroph",
        ]
        return parts.table(
            lines,
            "asns_lines",
            "One row per line, replicates averaged.",
            [name for name in dict.fromkeys(wanted) if name in lines],
        )

    def _scatter(
        self, panel: Panel, measure: str | None, title: str, highlight: tuple[str, ...]
    ) -> str:
        if measure is None or measure not in panel.lines:
            return parts.note(f"{title}: {measure or 'ASNS'} was not measured.")
        fig, ax = style.figure(5.4, 3.8)
        plots.correlation(
            panel.lines,
            measure,
            panel.outcome,
            ax,
            row=self._row(panel, measure),
            highlight=highlight,
        )
        names = [
            (ax, point[measure], point[panel.outcome], _told(point, measure, panel.outcome))
            for point in _points(panel, measure)
        ]
        caption = (
            "A point is a line; its name shows on hover. No line is fitted: the statistic is a rank"
            " correlation."
        )
        caption += (
            f" {plots.OPEN}" if "censored" in panel.lines and panel.lines["censored"].any() else ""
        )
        caption += f" {panel.caveats[measure]}." if measure in panel.caveats else ""
        return f"<h3>{title}</h3>" + parts.figure(fig, title, caption, names)

    def _row(self, panel: Panel, measure: str) -> dict[Any, Any] | None:
        table = (
            self.session.analysis.asns_correlation if self.session.analysis is not None else None
        )
        if table is None:
            return None
        found = table[
            table["source"].eq(panel.name)
            & table["predictor"].eq(measure)
            & table["outcome"].eq(panel.outcome)
        ]
        return found.iloc[0].to_dict() if len(found) else None


def _offer(control: w.Dropdown, names: list[str]) -> None:
    kept = control.value
    if tuple(names) != tuple(control.options):
        control.options = names
        control.value = (
            kept
            if kept in names
            else (PROTEIN if PROTEIN in names else names[0])
            if names
            else None
        )


def _points(panel: Panel, measure: str) -> list[dict[str, Any]]:
    return panel.lines.dropna(subset=[measure, panel.outcome]).to_dict("records")  # type: ignore[return-value]


def _told(point: dict[str, Any], measure: str, outcome: str) -> str:
    lineage = (
        f" ({point['lineage']})"
        if isinstance(point.get("lineage"), str) and point["lineage"]
        else ""
    )
    return (
        f"{point['cell_line']}{lineage}: {measure} {point[measure]:.2f}, {outcome}"
        f" {point[outcome]:.2f}"
    )
