"""Tab Calls: the evidence, the cut-offs as sliders, the probability of each class. A what-if
changes nothing until it is saved.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np
import pandas as pd

from kit.calls import calls as calling
from kit.calls.evidence import Evidence
from kit.config.settings import Settings
from kit.core.errors import InputError
from kit.explore import parts, yaml_edit
from kit.explore.parts import LABELLED, WIDE, Page, Tab, button, row
from kit.explore.saving import Saving
from kit.explore.state import Session, with_settings
from kit.plots import evidence as plots
from kit.plots import style
from kit.report import markup
from kit.report.sections.dropout import SHORT

CUTOFFS = (
    "gr_auxotroph",
    "gr_prototroph",
    "sa_low",
    "sa_high",
    "min_probability_provisional",
    "min_probability_confident",
)
STEP = 0.01
NO_MOVE = 0.6 * STEP
"""A browser rounds a value to the slider's step by itself: what differs by less than this was moved
by nobody.
"""
NOT_ASSESSED, MOST_TOLD = "death_not_assessed", 3
CLASSES = (("p_auxotrophic", "auxotrophic or dependent", style.VERMILION), ("p_partially_dependent", "partially dependent", style.GREY),
           ("p_prototrophic", "prototrophic", style.GREEN))  # fmt: skip


class CallsTab(Tab):
    """Wired to `Session.calls_with`, the reports' `calls` with other cut-offs."""

    title = "Calls"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.sliders = {name: self._slider(name) for name in CUTOFFS}
        self.which = w.Dropdown(
            description="Evidence of", options=[], layout=w.Layout(width="360px")
        )
        self.reset = button("Back to the saved cut-offs")
        self.saving = Saving(session, page, self._propose, "these cut-offs")
        self.state, self.table, self.evidence = w.HTML(), w.HTML(), w.HTML()
        self._setting = False
        self._touched: set[str] = set()
        """Cut-offs that the user has moved: only these can be a what-if."""
        self._shown: dict[str, float] = {}
        self._drawn_for: tuple[Any, ...] = ()
        self._cloud = Cloud()
        redraw = page.guard(self._moved, "Calling…")
        for slider in self.sliders.values():
            slider.observe(redraw, "value")
        self.which.observe(page.guard(self._chosen, "Drawing…"), "value")
        self.reset.on_click(page.guard(self._reset))
        left = w.VBox(
            [
                *self.sliders.values(),
                row([self.reset, self.saving.show]),
                self.saving.below,
                self.state,
            ],
            layout=w.Layout(flex="0 1 460px"),
        )
        right = w.VBox(
            [self.which, self.evidence], layout=w.Layout(flex="1 1 420px", min_width="380px")
        )
        self.box.children = [
            self.table,
            w.HBox([left, right], layout=w.Layout(flex_flow="row wrap", grid_gap="20px")),
        ]

    @staticmethod
    def _slider(name: str) -> w.FloatSlider:
        """As wide as the setting's own bounds."""
        field, low, high = Settings.model_fields[name], 0.0, 1.0
        for bound in field.metadata:
            low = getattr(bound, "ge", getattr(bound, "gt", low - STEP) + STEP)
            high = getattr(bound, "le", getattr(bound, "lt", high + STEP) - STEP)
        return w.FloatSlider(
            description=name,
            min=low,
            max=high,
            step=STEP,
            value=field.default,
            style=LABELLED,
            layout=WIDE,
            readout_format=".2f",
            tooltip=field.description,
        )

    # ---- cut-offs

    @property
    def what_if(self) -> dict[str, float]:
        """The cut-offs that the user moved away from the saved ones."""
        return {
            name: round(self.sliders[name].value, 4) for name in CUTOFFS if name in self._touched
        }

    @property
    def called(self) -> bool:
        """Whether there is a call to show."""
        analysis = self.session.analysis
        return analysis is not None and analysis.calls is not None and not analysis.calls.empty

    def _reset(self, _: object = None) -> None:
        if not self.called:
            return
        self._touched.clear()
        self._take_saved()
        self.saving.forget()
        self._draw_all()

    def _take_saved(self) -> None:
        """The saved values in the sliders that the user has not moved."""
        self._setting = True
        for name, slider in self.sliders.items():
            if name not in self._touched:
                slider.value = getattr(self.session.loaded.settings, name)
        self._setting = False

    def _moved(self, change: Any) -> None:
        if self._setting or not self.called:
            return
        name = change.owner.description
        saved = float(getattr(self.session.loaded.settings, name))
        (self._touched.discard if abs(change.new - saved) < NO_MOVE else self._touched.add)(name)
        if self.what_if != self._shown:
            self.saving.forget()
            self._draw_all()

    def _chosen(self, _: object) -> None:
        if not self._setting and self.called:
            self._draw_evidence(self._calls())

    def _propose(self) -> yaml_edit.Proposal:
        return yaml_edit.propose_settings(self.session.loaded.folder, self.what_if)

    # ---- drawing

    def draw(self) -> None:
        """Read the saved cut-offs, then show."""
        analysis = self.session.analysis
        if analysis is None or analysis.calls is None or analysis.calls.empty:
            self.table.value = parts.note(
                "Nothing is called: growth was not measured in a dropout medium."
            )
            self.evidence.value = self.state.value = ""
            return
        self._keep_or_take()
        self._setting, kept = True, self.which.value
        keys = [
            f"{row.cell_line} without {row.amino_acid} ({parts.labels().name(str(row.medium))})"
            for row in analysis.calls.itertuples()
        ]
        self.which.options = list(zip(keys, range(len(keys))))
        self.which.value = kept if kept is not None and kept < len(keys) else 0
        self._setting = False
        self._draw_all()

    def _keep_or_take(self) -> None:
        """A what-if survives a well left out. Saved cut-offs that changed end a comparison, and
        stand in every slider that nobody moved;
        another experiment ends the what-if."""
        settings, folder = self.session.loaded.settings, self.session.loaded.folder
        key = (folder, *(getattr(settings, name) for name in CUTOFFS))
        if key == self._drawn_for:
            return
        other = not self._drawn_for or self._drawn_for[0] != folder
        self._touched = {
            name
            for name in self._touched
            if not other and abs(self.sliders[name].value - getattr(settings, name)) >= NO_MOVE
        }
        self._drawn_for = key
        self.saving.forget()
        self._take_saved()

    def _calls(self) -> pd.DataFrame:
        changed = self.what_if
        return self.session.calls_with(changed) if changed else self.session.analysis.calls  # type: ignore[union-attr,return-value]

    def _draw_all(self) -> None:
        changed = self._shown = self.what_if
        words = ", ".join(f"{name} = {value:g}" for name, value in changed.items())
        self.state.value = (
            parts.note(f"What if: {words}. Not saved; reports use the saved cut-offs.", "warn")
            if changed
            else ""
        )
        try:
            found = self._calls()
        except (
            InputError
        ) as error:  # cut-offs that cross call nothing, so nothing is shown beside them
            self.state.value = parts.note(
                "\n".join(problem.what for problem in error.problems), "fail"
            )
            self.table.value, self.evidence.value = parts.note("No calls with these cut-offs."), ""
            return
        before = self.session.analysis.calls if changed else None  # type: ignore[union-attr]
        caption = (
            "P: probability of each class. Distance: GR less the nearest GR cut-off, so near 0 is a"
            " close call."
        )
        self.table.value = parts.table(call_rows(found, before, full=True), "calls", caption)
        self._draw_evidence(found)

    def _draw_evidence(self, found: pd.DataFrame) -> None:
        if self.which.value is None or self.which.value >= len(found):
            self.evidence.value = ""
            return
        call = found.iloc[self.which.value].to_dict()
        settings = with_settings(self.session.loaded, self.what_if).settings
        picture = self._cloud.picture(self._evidence_of(call), call, settings)
        reasons = markup.items(call["reasons"].replace(". ", ".\n").split("\n"))
        self.evidence.value = (
            bars(call) + distances(call, settings) + picture + markup.wrapped(reasons)
        )

    def _evidence_of(self, call: dict[str, Any]) -> Evidence | None:
        key = (call["cell_line"], call["amino_acid"], call["medium"])
        found = self.session.analysis.evidence if self.session.analysis else []
        return next(
            (item for item in found if (item.cell_line, item.amino_acid, item.medium) == key), None
        )


class Cloud:
    """The reports' picture of one call's posterior. Cut-offs move no draw, so the draws and the
    room for labels are found once a call.
    """

    def __init__(self) -> None:
        self._of: Evidence | None = None
        self._draws: tuple[np.ndarray, np.ndarray | None] = (np.empty(0), None)
        self._canvas = parts.Canvas(5.0, 2.9)

    def picture(self, item: Evidence | None, call: dict[str, Any], settings: Settings) -> str:
        """The picture of `call`, which rests on `item`, with the cut-offs of `settings`."""
        if item is None or not len(item.gr):
            return parts.note("This call rests on no GR value.")
        if item is not self._of:
            self._of, self._draws = item, calling.draws(item, settings)
        title = (
            f"{call['cell_line']} −{SHORT[call['amino_acid']]}:"
            f" {str(call['call']).replace('_', ' ')}"
        )
        ax = self._canvas.blank(id(item))
        gr, sa = self._draws
        plots.cloud(gr, sa, settings, ax, title=title, points=item.points)
        ax.set(xlabel="GR", ylabel="draws" if item.sa is None else "specific Annexin V+ (fraction)")
        areas = "Red: auxotrophic or dependent; green: prototrophic."
        dots = f"Dots: posterior draws of the mean; dark points: replicates. {areas}"
        bars = (
            "Bars: posterior draws of the mean GR; dark points: replicates. Death was not assessed."
            " The dashed lines are the cut-offs of GR."
        )
        return parts.figure(self._canvas.fig, title, bars if item.sa is None else dots)


def bars(call: dict[str, Any]) -> str:
    """The probability of each class as a bar with its number."""
    if not np.isfinite(call["probability"]):
        return parts.note("No probability: the call is void, for the reasons below.", "warn")
    rows = "".join(
        f'<tr><td>{label}</td><td style="width:200px"><div'
        f' style="height:11px;width:{100 * call[name]:.1f}%;background:{color};border-radius:2px"></div></td><td'
        f" class=n>{call[name]:.3f}</td></tr>"
        for name, label, color in CLASSES
    )
    return markup.wrapped(f'<table aria-label="probability of each class">{rows}</table>')


def distances(call: dict[str, Any], settings: Settings) -> str:
    """How far GR and SA lie from each cut-off, in words."""
    said = []
    for value, word, names in (
        (call["gr"], "GR", ("gr_auxotroph", "gr_prototroph")),
        (call["specific_apoptosis"], "SA", ("sa_low", "sa_high")),
    ):
        if np.isfinite(value):
            gaps = (
                f"{value - getattr(settings, name):+.2f} from {name} ({getattr(settings, name):g})"
                for name in names
            )
            said.append(f"{word} {value:.2f}: {', '.join(gaps)}")
    return f'<p class="cap">{markup.escape("; ".join(said))}</p>'


def call_rows(
    calls: pd.DataFrame, before: pd.DataFrame | None = None, full: bool = False
) -> pd.DataFrame:
    """Calls for people: line, amino acid, call and beside it what it was where it changed,
    confidence, probability.
    """
    name = calls["call"] + calls["subtype"].map(
        lambda text: f", {markup.words(text)}" if text not in ("", NOT_ASSESSED) else ""
    )
    table = pd.DataFrame(
        {"line": calls["cell_line"], "without": calls["amino_acid"].map(SHORT), "call": name}
    )
    was = [] if before is None else _was(calls, before)
    if any(was):
        table["was"] = was
    table["confidence"] = calls["confidence"]
    if full:
        for column, title in (
            ("p_auxotrophic", "P aux/dep"),
            ("p_partially_dependent", "P partial"),
            ("p_prototrophic", "P prototr"),
        ):
            table[title] = [_digits(value) for value in calls[column]]
        table["distance"] = [_digits(value, "+.2f") for value in calls["distance"]]
    else:
        table["P"] = [_digits(value) for value in calls["probability"]]
    table["GR"] = [_digits(value) for value in calls["gr"]]
    if full:
        table["SA"] = [_digits(value) for value in calls["specific_apoptosis"]]
        table["rescue"] = calls["rescue"].map(markup.words)
    return table


def _digits(value: float, wanted: str = ".2f") -> str:
    return "–" if pd.isna(value) else format(value, wanted).replace("-", "−")


def _was(calls: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """The earlier call and probability where either differs."""
    keys = ["cell_line", "amino_acid", "medium"]
    old = {tuple(row[key] for key in keys): row for row in before.to_dict("records")}
    said = []
    for row_ in calls.to_dict("records"):
        past = old.get(tuple(row_[key] for key in keys))
        same = past is not None and (past["call"], past["confidence"]) == (
            row_["call"],
            row_["confidence"],
        )
        moved = (
            past is not None
            and abs((past["probability"] or 0) - (row_["probability"] or 0)) >= 0.005
        )
        said.append(
            ""
            if past is None or (same and not moved)
            else (
                f"← {markup.words(past['call'])}, {past['confidence']}, P"
                f" {_digits(past['probability'])}"
            )
        )
    return said


def changes(calls: pd.DataFrame | None, before: pd.DataFrame | None) -> str:
    """The calls that changed their class or confidence, as a sentence; empty where none did."""
    if calls is None or before is None or calls.empty:
        return ""
    old = {
        (row["cell_line"], row["amino_acid"], row["medium"]): row
        for row in before.to_dict("records")
    }
    said = []
    for row_ in calls.to_dict("records"):
        past = old.get((row_["cell_line"], row_["amino_acid"], row_["medium"]))
        if past is not None and (past["call"], past["confidence"]) != (
            row_["call"],
            row_["confidence"],
        ):
            now, then = (
                f"{markup.words(item['call'])} ({item['confidence']})" for item in (row_, past)
            )
            said.append(f"{row_['cell_line']} −{SHORT[row_['amino_acid']]} is {now}, was {then}")
    more = f" and {len(said) - MOST_TOLD} more" if len(said) > MOST_TOLD else ""
    return f" Changed: {'; '.join(said[:MOST_TOLD])}{more}." if said else ""
