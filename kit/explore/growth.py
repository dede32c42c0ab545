"""Tab Growth: one line's SuperPlot on a scale of choice, replicates on and off to see what hangs on
them. Nothing is saved here.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pandas as pd

from kit.explore import parts
from kit.explore.calls import call_rows
from kit.explore.parts import Page, Tab, row
from kit.explore.state import Session
from kit.plates import growth as growing
from kit.plates.readouts import call_arms, wells_of
from kit.plots import growth as plots
from kit.plots import style

SCALES = (
    ("GR value", "gr"),
    ("Relative viability", "relative_viability"),
    ("log2 change", "log2_fc"),
)


class GrowthTab(Tab):
    """Wired to `plots.growth.superplot` and, without some replicates, to the reports' calls."""

    title = "Growth"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.line = w.Dropdown(description="Line", options=[], layout=w.Layout(width="300px"))
        self.scale = w.ToggleButtons(
            options=SCALES,
            value="gr",
            style={"button_width": "auto"},
            tooltips=[label for label, _ in SCALES],
        )
        self.replicates = w.HBox(layout=w.Layout(flex_flow="row wrap"))
        self.state, self.picture, self.table = w.HTML(), w.HTML(), w.HTML()
        self._known: tuple[Any, pd.DataFrame, pd.DataFrame] | None = None
        self._canvas = parts.Canvas(6.2, 3.6)
        self._boxes: dict[int, w.Checkbox] = {}
        self._setting = False
        self._redraw = page.guard(self._changed, "Drawing…")
        self.line.observe(page.guard(self._other_line, "Drawing…"), "value")
        self.scale.observe(self._redraw, "value")
        body = w.HBox(
            [
                w.VBox([self.picture], layout=w.Layout(flex="1 1 560px")),
                w.VBox([self.table], layout=w.Layout(flex="1 1 420px")),
            ],
            layout=w.Layout(flex_flow="row wrap", grid_gap="20px"),
        )
        self.box.children = [
            row([self.line, self.scale]),
            row([w.Label("Replicates shown:"), self.replicates]),
            self.state,
            body,
        ]

    @property
    def arms(self) -> pd.DataFrame:
        """The growth a call rests on, of all lines."""
        return self._held()[1]

    def _held(self) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
        """The analysis, the growth its calls rest on, and the growth of every well; found once for
        an analysis.
        """
        analysis = self.session.analysis
        if self._known is None or self._known[0] is not analysis:
            if analysis is None or analysis.growth is None:
                self._known = (
                    analysis,
                    pd.DataFrame(columns=["cell_line", "replicate", "medium"]),
                    pd.DataFrame(),
                )
            else:
                wells = growing.per_well(analysis.wells, analysis.growth)  # type: ignore[arg-type]
                self._known = (
                    analysis,
                    call_arms(analysis.growth, analysis.experiment.config),
                    wells,
                )
        return self._known

    @property
    def left_off(self) -> list[int]:
        """Replicates that are switched off."""
        return [number for number, box in self._boxes.items() if not box.value]

    def draw(self) -> None:
        """Offer the lines, then show."""
        lines = list(dict.fromkeys(self.arms["cell_line"]))
        self._setting, kept = True, self.line.value
        self.line.options = lines
        self.line.value = kept if kept in lines else (lines[0] if lines else None)
        self._setting = False
        self._offer_replicates()
        self._show()

    def _other_line(self, _: object) -> None:
        if not self._setting:
            self._offer_replicates()
            self._show()

    def _changed(self, _: object) -> None:
        if not self._setting:
            self._show()

    def _offer_replicates(self) -> None:
        here = (
            self.arms[self.arms["cell_line"].eq(self.line.value)]
            if self.line.value
            else self.arms.iloc[:0]
        )
        numbers = sorted(int(number) for number in here["replicate"].unique())
        off = self.left_off
        if list(self._boxes) == numbers:
            return
        self._boxes = {
            number: w.Checkbox(
                value=number not in off,
                description=f"replicate {number}",
                indent=False,
                layout=w.Layout(width="130px"),
            )
            for number in numbers
        }
        for box in self._boxes.values():
            box.observe(self._redraw, "value")
        self.replicates.children = list(self._boxes.values())

    def _show(self) -> None:
        analysis = self.session.analysis
        if analysis is None or analysis.growth is None or self.line.value is None:
            self.picture.value, self.table.value, self.state.value = (
                parts.note("Growth was not measured in this experiment."),
                "",
                "",
            )
            return
        off = self.left_off
        names = ", ".join(map(str, off))
        advice = "to leave it out for good, leave its wells out on the Plates tab, with the reason."
        self.state.value = (
            parts.note(
                f"Without replicate {names}: not saved; reports use all replicates. If it is bad,"
                f" {advice}",
                "warn",
            )
            if off
            else ""
        )
        line = self.arms[self.arms["cell_line"].eq(self.line.value)]
        kept = line[~line["replicate"].isin(off)]
        self.picture.value = self._superplot(kept, off)
        self.table.value = parts.table(
            means(kept, self.scale.value), "growth", "Mean and SD over biological replicates."
        ) + self._calls(off)

    def _superplot(self, kept: pd.DataFrame, off: list[int]) -> str:
        analysis = self.session.analysis
        config, settings = analysis.experiment.config, analysis.experiment.settings  # type: ignore[union-attr]
        few = wells_of(self._held()[2], kept)
        ax = self._canvas.blank((id(analysis), self.line.value, self.scale.value))
        plots.superplot(kept, few, settings, ax, y=self.scale.value, media=list(config.media))
        label = plots.LABEL[self.scale.value]
        ax.set_title(
            style.text(
                f"{self.line.value}"
                + (f" without replicate {', '.join(map(str, off))}: not saved" if off else "")
            ),
            loc="left",
            fontsize=style.FONT,
        )
        shapes = ", ".join(
            f"{_SHAPES[mark]} replicate {number}"
            for number, mark in style.markers(sorted(set(kept["replicate"]))).items()
        )
        return parts.figure(
            self._canvas.fig,
            f"{label} of {self.line.value}",
            f"Grey points are wells (not n), markers biological replicates ({shapes}), bars their"
            " means.",
        )

    def _calls(self, off: list[int]) -> str:
        analysis = self.session.analysis
        saved = analysis.calls  # type: ignore[union-attr]
        if saved is None or saved.empty:
            return ""
        found, before = saved, None
        if off:
            fewer: dict[str, Any] = without(analysis, self.line.value, off)
            found, before = self.session.calls_from(**fewer), saved
        here = found[found["cell_line"].eq(self.line.value)].reset_index(drop=True)
        return "<h3>Calls of this line</h3>" + parts.table(
            call_rows(here, before), "calls", "Not saved." if off else ""
        )


_SHAPES = dict(zip(style.MARKERS, ("●", "■", "▲", "◆", "▼", "✚", "✖", "★")))


def means(arms: pd.DataFrame, scale: str) -> pd.DataFrame:
    """Mean, SD and number of biological replicates per medium."""
    found = arms.groupby("medium", sort=False)[scale].agg(["mean", "std", "count"]).reset_index()
    names = {"mean": plots.LABEL[scale], "std": "SD", "count": "replicates"}
    return found.rename(columns=names).astype({"replicates": int})


def without(analysis: object, line: str, off: list[int]) -> dict[str, pd.DataFrame | None]:
    """Growth and apoptosis of an analysis without some replicates of one line."""
    found = {}
    for name in ("growth", "apoptosis"):
        frame = getattr(analysis, name)
        found[name] = (
            None
            if frame is None
            else frame[~(frame["cell_line"].eq(line) & frame["replicate"].isin(off))]
        )
    return found
