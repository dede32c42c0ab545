"""Tab Plates: the plate on the bench, wells left out with a reason, and what that does to its
metrics and to the calls.
"""

from __future__ import annotations

from collections import defaultdict, deque

import ipywidgets as w
import numpy as np
import pandas as pd

from kit.core.findings import title
from kit.explore import parts
from kit.explore.calls import call_rows, changes
from kit.explore.parts import Page, Tab, button, row
from kit.explore.plate_widget import PlateWidget, on_plate, picture
from kit.explore.state import Nothing, Session
from kit.report import markup

VIEWS = (
    ("Raw signal", "raw"),
    ("Less blank", "corrected"),
    ("Deviation from wells treated alike", "residual"),
)
REASONS = (
    "air bubble",
    "pipetting error",
    "evaporation at the edge",
    "cells detached",
    "contamination",
    "reader error",
)
SEVERITY = ("fail", "warn", "pass", "info")
LISTED = 60


class PlatesTab(Tab):
    """Wired to `Session.exclude`, `bring_back`, `undo` and `redo`."""

    title = "Plates"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.plate = PlateWidget()
        self.choice = w.Dropdown(description="Plate", options=[], layout=w.Layout(width="330px"))
        self.previous, self.next = (
            button("◀", tooltip="plate before"),
            button("▶", tooltip="next plate"),
        )
        self.view = w.ToggleButtons(
            options=VIEWS,
            value="raw",
            style={"button_width": "auto"},
            tooltips=[label for label, _ in VIEWS],
        )
        self.reason = w.Combobox(
            description="Reason",
            placeholder="what was seen",
            options=REASONS,
            layout=w.Layout(width="330px"),
        )
        self.leave_out = button(
            "Leave out", "warning", tooltip="leave the chosen wells out, with the reason"
        )
        self.back = button("Bring back", tooltip="count the chosen wells again")
        self.undo, self.redo = button("Undo"), button("Redo")
        self.clear = button("Clear choice")
        self.metrics, self.calls, self.left_out = w.HTML(), w.HTML(), w.HTML()
        self._setting = False
        self._shown_for: object = None
        self._wire()
        self._lay_out()

    def _wire(self) -> None:
        guard, session = self.page.guard, self.session
        self.choice.observe(guard(self._changed_plate, "Drawing…"), "value")
        self.view.observe(guard(lambda _: self._draw_plate(), "Drawing…"), "value")
        self.previous.on_click(guard(lambda _: self._step(-1)))
        self.next.on_click(guard(lambda _: self._step(1)))
        self.plate.observe(self._selected, "selected")
        self.leave_out.on_click(guard(self._leave_out, "Leaving out…"))
        self.back.on_click(guard(self._bring_back, "Bringing back…"))
        self.undo.on_click(guard(self._undo, "Undoing…"))
        self.redo.on_click(guard(self._redo, "Doing again…"))
        self.clear.on_click(lambda _: setattr(self.plate, "selected", []))
        session.quick.append(self._quick)

    def _lay_out(self) -> None:
        left = w.VBox(
            [
                self.plate,
                row([self.clear, self.reason]),
                row([self.leave_out, self.back, self.undo, self.redo]),
                self.left_out,
            ],
            layout=w.Layout(flex="1 1 460px", max_width="820px", min_width="400px"),
        )
        # What a change did has to be seen beside the plate at the width of a usual screen: calls
        # first, the longer metrics below them.
        right = w.VBox(
            [self.calls, self.metrics], layout=w.Layout(flex="2 1 620px", min_width="380px")
        )
        body = w.HBox([left, right], layout=w.Layout(flex_flow="row wrap", grid_gap="20px"))
        self.box.children = [row([self.choice, self.previous, self.next, self.view]), body]
        self._enable()

    # ---- actions

    def _leave_out(self, _: object) -> str:
        if not self.plate.selected:
            return ""  # the second half of a double click
        said = self.session.exclude(
            self.choice.value, self.plate.selected, self.reason.value, self.page.who.value
        )
        self.plate.selected = []
        return type(said)(said + self._warn_if_emptied() + self._changes(said))

    def _bring_back(self, _: object) -> str:
        if not self.plate.selected:
            return ""
        said = self.session.bring_back(self.choice.value, self.plate.selected)
        self.plate.selected = []
        return type(said)(said + self._changes(said))

    def _changes(self, said: str) -> str:
        """What became of the calls, in words: the table may lie below the screen's end."""
        session = self.session
        if isinstance(said, Nothing) or session.analysis is None or session.before is None:
            return ""
        return changes(session.analysis.calls, session.before.calls)

    def _undo(self, _: object) -> str:
        said = self.session.undo()
        return type(said)(said + self._changes(said))

    def _redo(self, _: object) -> str:
        said = self.session.redo()
        return type(said)(said + self._changes(said))

    def _warn_if_emptied(self) -> str:
        wells = self.session.analysis.wells if self.session.analysis else None
        if wells is None:
            return ""
        left = wells[wells["plate"].eq(self.choice.value) & wells["role"].ne("empty")]["used"]
        return (
            " No well of this plate counts any more: Undo brings them back."
            if not left.any()
            else ""
        )

    def _changed_plate(self, _: object) -> str:
        if self._setting:
            return ""
        said = self.session.look_again()
        self.plate.selected = []
        self._draw_plate()
        self._draw_metrics()
        return said

    def _step(self, by: int) -> None:
        names = [value for _, value in self.choice.options]
        if names:
            self.choice.value = names[(names.index(self.choice.value) + by) % len(names)]

    def _selected(self, _: object) -> None:
        self._enable()

    def _enable(self) -> None:
        chosen = bool(self.plate.selected)
        self.leave_out.disabled = self.back.disabled = self.clear.disabled = not chosen
        self.undo.disabled, self.redo.disabled = not self.session.done, not self.session.undone
        self.undo.tooltip = (
            f"undo: {self.session.done[-1].words}" if self.session.done else "nothing to undo"
        )

    # ---- drawing

    def _quick(self) -> None:
        """The plates are judged: show them before the rest is computed."""
        if self.visible:
            self._fill_choice()
            self._draw_plate()
            self._draw_metrics()
            self._shown_for = self.session.experiment

    def draw(self) -> None:
        """Everything of the tab that is not shown yet."""
        if self._shown_for is not self.session.experiment:
            self._quick()
        self._draw_calls()
        self._enable()

    def _fill_choice(self) -> None:
        verdicts = self.session.analysis.plate_verdicts if self.session.analysis else None
        rows = [] if verdicts is None else verdicts.to_dict("records")
        options = [
            (f"{parts.SIGNS[item['verdict']]} {item['plate']}", item["plate"]) for item in rows
        ]
        if tuple(options) == tuple(self.choice.options):
            return
        self._setting, kept = True, self.choice.value
        names = [name for _, name in options]
        self.choice.options = options
        self.choice.value = (
            kept
            if kept in names
            else next((name for name in names if "48" in name), names[0])
            if names
            else None
        )
        self._setting = False

    def _draw_plate(self) -> None:
        wells = self.session.analysis.wells if self.session.analysis else None
        if wells is None or self.choice.value is None:
            self.plate.plate = {"rows": 8, "columns": 12, "wells": [], "title": "no plate"}
            self.metrics.value = parts.note("This experiment has no plates.")
            return
        self.plate.plate = picture(wells, self.choice.value, self.view.value)
        kept = on_plate(wells, self.choice.value, self.plate.selected)
        if kept != list(self.plate.selected):
            self.plate.selected = kept
        self.left_out.value = self._exclusions()

    def _exclusions(self) -> str:
        rows = self.session.loaded.exclusions
        here = rows[rows["plate"].eq(self.choice.value)]
        elsewhere = len(rows) - len(here)
        caption = f"{elsewhere} more on other plates." if elsewhere else "None on other plates."
        if here.empty:
            return f'<p class="muted">No well of this plate is left out. {caption}</p>'
        return parts.table(here.tail(LISTED), "left_out", caption, ("well", "reason", "by", "at"))

    def _draw_metrics(self) -> None:
        analysis = self.session.analysis
        if (
            analysis is None
            or analysis.plate_qc is None
            or analysis.plate_verdicts is None
            or self.choice.value is None
        ):
            return
        verdict = analysis.plate_verdicts.set_index("plate")["verdict"].get(
            self.choice.value, "info"
        )
        frame = metric_rows(
            analysis.plate_qc,
            None if self.session.before is None else self.session.before.plate_qc,
            self.choice.value,
        )
        head = (
            f'<h3 class="kit-verdict">{markup.escape(self.choice.value)}'
            f" {markup.badge(verdict)}</h3>"
        )
        self.metrics.value = markup.wrapped(
            head + markup.table(frame, name="metrics", formats={"limit": str})
        )

    def _draw_calls(self) -> None:
        before = None if self.session.before is None else self.session.before.calls
        analysis = self.session.analysis
        frame = (
            None
            if analysis is None or analysis.calls is None
            else call_rows(analysis.calls, before)
        )
        self.calls.value = "<h3>Calls</h3>" + parts.table(
            frame, "calls", "" if frame is not None else "No growth was measured."
        )


def metric_rows(qc: pd.DataFrame, before: pd.DataFrame | None, plate: str) -> pd.DataFrame:
    """The metrics of a plate, what failed first, one row each: metric, of which line or medium,
    value, what it was, limit, verdict.
    """
    here = qc[qc["plate"].eq(plate)].copy()
    keys = ["metric", "cell_line", "medium", "note"]
    here["of"] = [
        ", ".join(parts.labels().name(part) for part in pair if part)
        for pair in zip(here["cell_line"], here["medium"], strict=True)
    ]
    here["was"] = ""
    if before is not None:
        here["was"] = _changed(here, before[before["plate"].eq(plate)], keys[:3])
    order = here["verdict"].map(SEVERITY.index).argsort(kind="stable")
    here = here.iloc[order]
    value = [
        markup.significant(number) if pd.notna(number) else "not estimable"
        for number in here["value"]
    ]
    limit = [
        markup.significant(number) if pd.notna(number) else "" for number in here["limit_pass"]
    ]
    table = pd.DataFrame(
        {
            "metric": here["metric"].map(title),
            "of": here["of"],
            "value": value,
            "was": here["was"],
            "limit": limit,
            "verdict": here["verdict"],
        }
    )
    return table if table["was"].any() else table.drop(columns="was")


def _changed(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> list[str]:
    """The earlier value of each metric where it differs; groups of one metric are matched in their
    order.
    """
    old = defaultdict[tuple[str, ...], deque[float]](deque)
    for *key, value in before[[*keys, "value"]].itertuples(index=False, name=None):
        old[*key].append(value)
    rows = now[[*keys, "value"]].itertuples(index=False, name=None)
    pairs = [(old[*key].popleft() if old[*key] else np.nan, value) for *key, value in rows]
    return ["" if pd.isna(was) or was == value else markup.significant(was) for was, value in pairs]
