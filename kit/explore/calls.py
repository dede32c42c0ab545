"""Tab Calls: the evidence, the cut-offs as sliders, the probability of each class. A what-if changes nothing until it is saved."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np
import pandas as pd

from kit import calls as calling
from kit import markup, posterior, yaml_edit
from kit.evidence import gather
from kit.explore import parts
from kit.explore.parts import LABELLED, WIDE, Page, Tab, button, row
from kit.explore.saving import Saving
from kit.explore.state import Session, with_settings
from kit.plots import evidence as plots
from kit.plots import style
from kit.sections.dropout import SHORT
from kit.settings import Settings

CUTOFFS = (("gr_auxotroph", -0.5, 0.99), ("gr_prototroph", -0.5, 1.0), ("sa_low", 0.0, 1.0), ("sa_high", 0.0, 1.0),
           ("min_probability_provisional", 0.0, 1.0), ("min_probability_confident", 0.0, 1.0))  # fmt: skip
CLASSES = (("p_auxotrophic", "auxotrophic or dependent", style.VERMILION), ("p_partially_dependent", "partially dependent", style.GREY),
           ("p_prototrophic", "prototrophic", style.GREEN))  # fmt: skip


class CallsTab(Tab):
    """Wired to `Session.calls_with`, the reports' `calls` with other cut-offs."""

    title = "Calls"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.sliders = {name: self._slider(name, low, high) for name, low, high in CUTOFFS}
        self.which = w.Dropdown(description="Evidence of", options=[], layout=w.Layout(width="360px"))
        self.reset = button("Back to the saved cut-offs")
        self.saving = Saving(session, page, self._propose, "these cut-offs")
        self.state, self.table, self.evidence = w.HTML(), w.HTML(), w.HTML()
        self._setting = False
        redraw = page.guard(self._moved, "Calling…")
        for slider in self.sliders.values():
            slider.observe(redraw, "value")
        self.which.observe(page.guard(self._chosen, "Drawing…"), "value")
        self.reset.on_click(page.guard(self._reset))
        left = w.VBox([*self.sliders.values(), row([self.reset, self.saving.show]), self.saving.below, self.state], layout=w.Layout(flex="0 1 460px"))
        right = w.VBox([self.which, self.evidence], layout=w.Layout(flex="1 1 420px", min_width="380px"))
        self.box.children = [self.table, w.HBox([left, right], layout=w.Layout(flex_flow="row wrap", grid_gap="20px"))]

    @staticmethod
    def _slider(name: str, low: float, high: float) -> w.FloatSlider:
        return w.FloatSlider(description=name, min=low, max=high, step=0.01, value=Settings.model_fields[name].default, style=LABELLED, layout=WIDE,
                             readout_format=".2f", tooltip=Settings.model_fields[name].description)  # fmt: skip

    # ---- cut-offs ------------------------------------------------------------------------------------------------------------------

    @property
    def what_if(self) -> dict[str, float]:
        """The cut-offs that differ from the saved ones."""
        saved = self.session.loaded.settings
        values = {name: round(slider.value, 4) for name, slider in self.sliders.items()}
        return {name: value for name, value in values.items() if abs(value - getattr(saved, name)) > 1e-9}

    def _reset(self, _: object = None) -> None:
        self._take_saved()
        self.saving.forget()
        self._draw_all()

    def _take_saved(self) -> None:
        self._setting = True
        for name, slider in self.sliders.items():
            slider.value = getattr(self.session.loaded.settings, name)
        self._setting = False

    def _moved(self, _: object) -> None:
        if not self._setting:
            self.saving.forget()
            self._draw_all()

    def _chosen(self, _: object) -> None:
        if not self._setting:
            self._draw_evidence(self._calls())

    def _propose(self) -> yaml_edit.Proposal:
        return yaml_edit.propose_settings(self.session.loaded.folder, self.what_if)

    # ---- drawing -------------------------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Read the saved cut-offs, then show."""
        analysis = self.session.analysis
        if analysis is None or analysis.calls is None or analysis.calls.empty:
            self.table.value = parts.note("Nothing is called: growth was not measured in a dropout medium.")
            self.evidence.value = self.state.value = ""
            return
        if not self.saving.proposal:
            self._keep_or_take()
        self._setting, kept = True, self.which.value
        keys = [f"{row.cell_line} without {row.amino_acid} ({row.medium})" for row in analysis.calls.itertuples()]
        self.which.options = list(zip(keys, range(len(keys))))
        self.which.value = kept if kept is not None and kept < len(keys) else 0
        self._setting = False
        self._draw_all()

    def _keep_or_take(self) -> None:
        """A what-if survives a well left out; another experiment, or newly saved settings, brings its own cut-offs."""
        saved = tuple(getattr(self.session.loaded.settings, name) for name, _, _ in CUTOFFS)
        key = (self.session.loaded.folder, saved)
        if key != getattr(self, "_drawn_for", None):
            self._drawn_for = key
            self._take_saved()

    def _calls(self) -> pd.DataFrame:
        changed = self.what_if
        return self.session.calls_with(changed) if changed else self.session.analysis.calls  # type: ignore[union-attr,return-value]

    def _draw_all(self) -> None:
        changed = self.what_if
        found = self._calls()
        before = self.session.analysis.calls if changed else None  # type: ignore[union-attr]
        words = ", ".join(f"{name} = {value:g}" for name, value in changed.items())
        self.state.value = parts.note(f"What if: {words}. Not saved; reports use the saved cut-offs.", "warn") if changed else ""
        caption = "P: probability of each class. Distance: GR less the nearest GR cut-off, so near 0 is a close call."
        self.table.value = parts.table(call_rows(found, before, full=True), "calls", caption)
        self._draw_evidence(found)

    def _draw_evidence(self, found: pd.DataFrame) -> None:
        if self.which.value is None or self.which.value >= len(found):
            self.evidence.value = ""
            return
        call = found.iloc[self.which.value].to_dict()
        settings = with_settings(self.session.loaded, self.what_if).settings
        picture = cloud(self.session, call, settings)
        reasons = markup.items(call["reasons"].replace(". ", ".\n").split("\n"))
        self.evidence.value = bars(call) + distances(call, settings) + picture + markup.wrapped(reasons)


def cloud(session: Session, call: dict[str, Any], settings: Settings) -> str:
    """The reports' picture of one call's posterior, drawn with `settings`."""
    found, config = session.analysis, session.loaded.config
    if found is None or found.growth is None:
        return ""
    tables = (found.apoptosis, found.rescue, found.carryover, found.compliance)
    item = gather(config, call["cell_line"], call["amino_acid"], call["medium"], found.growth, *tables)
    if item is None or not len(item.gr):
        return parts.note("This call rests on no GR value.")
    fig, ax = style.figure(5.0, 2.9)
    draws = posterior.draw(item.gr, item.sa, settings, calling.draw_seed(item, settings), item.linked)
    title = f"{call['cell_line']} −{SHORT[call['amino_acid']]}: {str(call['call']).replace('_', ' ')}"
    plots.cloud(*draws, settings, ax, title=title, points=item.points)
    ax.set(xlabel="GR", ylabel="" if item.sa is None else "specific Annexin V+ (fraction)")
    return parts.figure(fig, title, "Dots: posterior draws of the mean; dark points: replicates. Red: auxotrophic or dependent; green: prototrophic.")


def bars(call: dict[str, Any]) -> str:
    """The probability of each class as a bar with its number."""
    if not np.isfinite(call["probability"]):
        return parts.note("No probability: the call is void, for the reasons below.", "warn")
    rows = "".join(
        f'<tr><td>{label}</td><td style="width:200px"><div style="height:11px;width:{100 * call[name]:.1f}%;background:{color};border-radius:2px"></div></td>'
        f"<td class=n>{call[name]:.3f}</td></tr>"
        for name, label, color in CLASSES
    )
    return markup.wrapped(f'<table aria-label="probability of each class">{rows}</table>')


def distances(call: dict[str, Any], settings: Settings) -> str:
    """How far GR and SA lie from each cut-off, in words."""
    said = []
    for value, word, names in ((call["gr"], "GR", ("gr_auxotroph", "gr_prototroph")), (call["specific_apoptosis"], "SA", ("sa_low", "sa_high"))):
        if np.isfinite(value):
            gaps = (f"{value - getattr(settings, name):+.2f} from {name} ({getattr(settings, name):g})" for name in names)
            said.append(f"{word} {value:.2f}: {', '.join(gaps)}")
    return f'<p class="cap">{markup.escape("; ".join(said))}</p>'


def call_rows(calls: pd.DataFrame, before: pd.DataFrame | None = None, full: bool = False) -> pd.DataFrame:
    """Calls for people: line, amino acid, call, confidence, probability, and what the call was where it changed."""
    name = calls["call"] + calls["subtype"].map(lambda text: f", {markup.words(text)}" if text else "")
    table = pd.DataFrame({"line": calls["cell_line"], "without": calls["amino_acid"].map(SHORT), "call": name, "confidence": calls["confidence"]})
    if full:
        for column, title in (("p_auxotrophic", "P aux/dep"), ("p_partially_dependent", "P partial"), ("p_prototrophic", "P prototr")):
            table[title] = [_digits(value) for value in calls[column]]
        table["distance"] = [_digits(value, "+.2f") for value in calls["distance"]]
    else:
        table["P"] = [_digits(value) for value in calls["probability"]]
    table["GR"] = [_digits(value) for value in calls["gr"]]
    if full:
        table["SA"] = [_digits(value) for value in calls["specific_apoptosis"]]
        table["rescue"] = calls["rescue"].map(markup.words)
    was = [] if before is None else _was(calls, before)
    return table.assign(was=was) if any(was) else table


def _digits(value: float, wanted: str = ".2f") -> str:
    return "–" if pd.isna(value) else format(value, wanted).replace("-", "−")


def _was(calls: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """The earlier call and probability where either differs."""
    keys = ["cell_line", "amino_acid", "medium"]
    old = {tuple(row[key] for key in keys): row for row in before.to_dict("records")}
    said = []
    for row_ in calls.to_dict("records"):
        past = old.get(tuple(row_[key] for key in keys))
        same = past is not None and (past["call"], past["confidence"]) == (row_["call"], row_["confidence"])
        moved = past is not None and abs((past["probability"] or 0) - (row_["probability"] or 0)) >= 0.005
        said.append("" if past is None or (same and not moved) else f"{markup.words(past['call'])}, {past['confidence']}, P {_digits(past['probability'])}")
    return said
