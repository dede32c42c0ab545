"""Tab mTORC1: which lanes count and how gels are scaled, and the class in words that follows."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pandas as pd

from kit.analysis import rag_loss
from kit.explore import parts
from kit.explore.parts import Page, Tab, row
from kit.explore.state import Session
from kit.plots import signaling as plots
from kit.plots import style
from kit.signaling import names
from kit.signaling.ratios import lane_name
from kit.signaling.sensitivity import CHOICES
from kit.signaling.study import Signaling, analyse_signaling

SCALINGS = ("reference", "unscaled", "geometric_mean", "sum", "no_background", "total_protein")
_SHOWN = {"stimulus": "stimulus", "words": "class", "a_wt": "A(WT)", "rdi": "RDI",
          "rdi_low": "95 % from", "rdi_high": "to", "note": "why"}  # fmt: skip


class SignalingTab(Tab):
    """Wired to `kit.signaling.study.analyse_signaling`; a what-if, nothing is saved."""

    title = "mTORC1"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.scaling = w.Dropdown(
            description="Values",
            options=[(CHOICES[name], name) for name in SCALINGS],
            layout=w.Layout(width="430px"),
        )
        self.left_out = w.SelectMultiple(
            description="Leave out", options=[], rows=8, layout=w.Layout(width="560px")
        )
        self.state, self.figure, self.table, self.rules = w.HTML(), w.HTML(), w.HTML(), w.HTML()
        self._setting, self._drawn_for = False, None
        for control in (self.scaling, self.left_out):
            control.observe(page.guard(self._changed, "Fitting…"), "value")
        pair = w.HBox(
            [w.VBox([self.figure]), w.VBox([self.table], layout=w.Layout(flex="1 1 480px"))],
            layout=w.Layout(flex_flow="row wrap", grid_gap="20px"),
        )
        self.controls = w.VBox([row([self.scaling]), row([self.left_out])])
        self.box.children = [self.controls, self.state, pair, self.rules]

    @property
    def bands(self) -> pd.DataFrame | None:
        """Bands of the experiment, or None."""
        return None if self.session.experiment is None else self.session.experiment.signaling

    def draw(self) -> None:
        """Offer the lanes of this experiment, then show."""
        self.controls.layout.display = "none" if self.bands is None else ""
        if self.bands is None:
            self.state.value = parts.note("This experiment lists no blots under `signaling:`.")
            self.figure.value = self.table.value = self.rules.value = ""
            return
        if self._drawn_for is not self.bands:
            own = self.bands[self.bands["target"].eq(names.PRIMARY)]
            lanes = own.drop_duplicates(["membrane", "lane"]).to_dict("records")
            self._setting = True
            self.left_out.options = [
                (lane_name(lane), (lane["membrane"], lane["lane"])) for lane in lanes
            ]
            self.left_out.value, self.scaling.value = (), "reference"
            self._setting, self._drawn_for = False, self.bands
        self._show()

    def _changed(self, _: Any) -> None:
        if not self._setting:
            self._show()

    def what_if(self) -> Signaling:
        """The study without the lanes left out, by the values chosen."""
        bands, experiment = self.bands, self.session.experiment
        if bands is None or experiment is None:
            raise ValueError("no experiment with signalling blots is open")
        out = pd.MultiIndex.from_frame(bands[["membrane", "lane"]]).isin(list(self.left_out.value))
        bands = bands.assign(excluded=bands["excluded"] | out)
        stated = rag_loss(experiment)
        return analyse_signaling(bands, experiment.settings, stated, self.scaling.value)

    def _show(self) -> None:
        study, settings = self.what_if(), self.session.experiment.settings  # type: ignore[union-attr]
        changed = bool(self.left_out.value) or self.scaling.value != "reference"
        self.state.value = parts.note(
            _state(len(self.left_out.value), changed), "warn" if changed else "info"
        )
        table = study.mtorc1_divergence
        fig, ax = style.figure(4.6, 3.9)
        plots.divergence(
            table,
            ax,
            dependent=settings.min_rdi_dependent,
            half=settings.rdi_half,
            arf1=settings.min_adi,
        )
        self.figure.value = parts.figure(fig, "Rag against Arf1", "Bars: 95 % Fieller intervals.")
        words = [names.words_of(name) for name in table["class"]]
        self.table.value = parts.table(
            table.assign(words=words), "mtorc1_divergence", "Class in words.", _SHOWN
        )
        rules = study.mtorc1_validity
        broken = rules[rules["verdict"].isin(["warn", "fail"])]
        self.rules.value = (
            parts.table(
                broken,
                "mtorc1_validity",
                "Rules that do not pass.",
                ["rule", "verdict", "note", "advice"],
            )
            if len(broken)
            else ""
        )


def _state(count: int, changed: bool) -> str:
    if not changed:
        return "As in the report. Choose lanes to leave out, or another scaling."
    return (
        f"What if: {count} lane{'s' * (count != 1)} left out. Nothing is saved: to leave a lane out"
        " for good, write true into the column excluded of its table, and the reason into"
        " exclusion_reason."
    )
