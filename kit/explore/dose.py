"""Tab Dose-response: one series with its curve, points that can be left out, and what the curve
says in words.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pandas as pd

from kit.core.findings import codes, number
from kit.dose.curves import ALL, LINE, dose_response
from kit.dose.points import SCALES, unit_text
from kit.explore import parts
from kit.explore.parts import Page, Tab, row
from kit.explore.state import Session
from kit.plots import dose as plots
from kit.plots import style

Series = tuple[Any, ...]
_SHOWN = {
    "replicate": "replicate", "status": "status", "ic50_text": "IC50 or EC50",
    "ci_low": "95 % from", "ci_high": "to", "hill": "Hill slope", "top": "top",
    "bottom": "bottom", "note": "why",
}  # fmt: skip


class DoseTab(Tab):
    """Wired to `kit.dose.curves.dose_response`; a what-if, nothing is saved."""

    title = "Dose-response"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.series = w.Dropdown(description="Series", layout=w.Layout(width="560px"))
        self.scale = w.Dropdown(
            description="Scale", options=[(plots.LABELS[name], name) for name in SCALES]
        )
        self.left_out = w.SelectMultiple(
            description="Leave out", rows=9, layout=w.Layout(width="430px")
        )
        self.state, self.figure, self.table = w.HTML(), w.HTML(), w.HTML()
        self._setting = False
        self._drawn_for: pd.DataFrame | None = None
        self.series.observe(page.guard(self._chosen, "Fitting…"), "value")
        for control in (self.scale, self.left_out):
            control.observe(page.guard(self._changed, "Fitting…"), "value")
        self.controls = w.VBox([row([self.series, self.scale]), row([self.left_out])])
        pair = w.HBox(
            [self.figure, w.VBox([self.table], layout=w.Layout(flex="1 1 480px"))],
            layout=w.Layout(flex_flow="row wrap", grid_gap="20px"),
        )
        self.box.children = [self.controls, self.state, pair]

    @property
    def points(self) -> pd.DataFrame | None:
        """Points of the experiment's dose series, or None."""
        return None if self.session.analysis is None else self.session.analysis.dose_points

    def draw(self) -> None:
        """Offer the series of this experiment, then show the first."""
        self.controls.layout.display = "none" if self.points is None else ""
        if self.points is None:
            self.state.value = parts.note("No layout of this experiment holds doses of an agent.")
            self.figure.value = self.table.value = ""
            return
        if self._drawn_for is not self.points:
            keys = self.points[LINE].drop_duplicates().itertuples(index=False, name=None)
            labels = self.session.analysis.labels  # type: ignore[union-attr]
            self._setting = True
            self.series.options = [(_name(key, labels.name(str(key[2]))), key) for key in keys]
            self.series.index = 0
            self._setting, self._drawn_for = False, self.points
        self._chosen(None)

    def _chosen(self, _: Any) -> None:
        """Offer the points of the series that was chosen."""
        if self._setting or self.points is None:
            return
        own = self._own().sort_values(["replicate", "dose"])
        self._setting = True
        self.left_out.value = ()
        self.left_out.options = [
            (_point(point), (point["replicate"], point["concentration"]))
            for point in own.to_dict("records")
        ]
        self._setting = False
        self._show()

    def _changed(self, _: Any) -> None:
        if not self._setting:
            self._show()

    def _own(self) -> pd.DataFrame:
        points = self.points
        if points is None or self.series.value is None:
            raise ValueError("no series of doses is chosen")
        return points[(points[LINE] == list(self.series.value)).all(axis=1)]

    def what_if(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Points and curves of the series without the points left out."""
        own = self._own()
        out = pd.MultiIndex.from_frame(own[["replicate", "concentration"]]).isin(
            list(self.left_out.value)
        )
        own = own.assign(excluded=own["excluded"] | out)
        return own, dose_response(own, self.session.experiment.config)  # type: ignore[union-attr]

    def _show(self) -> None:
        own, curves = self.what_if()
        curves = curves[curves["scale"].eq(self.scale.value)]
        count = len(self.left_out.value)
        self.state.value = parts.note(_state(count), "warn" if count else "info")
        if curves.empty:
            self.figure.value, self.table.value = "", parts.note("No point is left on this scale.")
            return
        line = curves[curves["replicate"].eq(ALL)].iloc[0]
        labels = self.session.analysis.labels  # type: ignore[union-attr]
        fig, ax = style.figure(4.8, 3.4)
        plots.curve(own, line, self.scale.value, ax)
        ax.set_title(labels.text(ax.get_title(loc="left")), fontsize=style.FONT, loc="left")
        self.figure.value = parts.figure(fig, "Curve", _words(line))
        self.table.value = parts.table(
            curves.assign(replicate=curves["replicate"].replace(ALL, "all together")),
            "dose_response", "Every replicate's curve, and the line's.", _SHOWN,
        )  # fmt: skip


def _name(key: Series, medium: str) -> str:
    line, agent, _, readout, hours = key
    return f"{line}, {agent} in {medium} ({readout}, {hours:g} h)"


def _point(point: dict[Any, Any]) -> str:
    dose = f"{number(point['concentration'])} {unit_text(str(point['unit']))}".strip()
    return f"replicate {point['replicate']:g}, {dose}, GR {number(point['gr'])}"


def _words(line: pd.Series) -> str:
    """What the line's curve says."""
    if line["reportable"]:
        kind = "EC50" if line["direction"] == "rising" else "IC50"
        return f"{kind} {line['ic50_text']}, the mean of {line['n_replicates']} replicates."
    return f"{codes()[line['status']].title}: {line['note']}"


def _state(count: int) -> str:
    if not count:
        return "As in the report. Choose points to leave out."
    return (
        f"What if: {count} point{'s' * (count != 1)} left out. Nothing is saved: to leave wells out"
        " for good, choose them in the tab Plates and give the reason."
    )
