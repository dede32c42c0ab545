"""Tab Exchange: the slopes of this experiment, and a planner for the next."""

from __future__ import annotations

import math

import ipywidgets as w

from kit.config.model import CALLED
from kit.core.columns import known
from kit.core.findings import number
from kit.core.protein import protein_demand_fmol
from kit.exchange.design import plan
from kit.exchange.exchange import TESTED, per_experiment
from kit.explore import parts
from kit.explore.parts import Page, Tab, row
from kit.explore.state import Session
from kit.plots import exchange as plots
from kit.plots import style

USUAL_PG, LN2 = 200.0, math.log(2)


class ExchangeTab(Tab):
    """Wired to `plots.exchange.slopes` on the report's `exchange`, and to `exchange.design.plan`."""

    title = "Exchange"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        names = [*TESTED, *(name for name in CALLED if name not in TESTED)]
        self.amino_acid = w.Dropdown(description="amino acid", options=names)
        self.cells = _field("cells per well", 5e5)
        self.volume = _field("volume, mL", 2.0)
        self.supply = _field("supply, µM", 286.0)
        self.hours = _field("last sample, h", 48.0)
        self.doubling = _field("doubling time, h", 24.0)
        self.rate = _field("uptake, fmol/cell/h", 0.0)
        self.found, self.answer = w.HTML(), w.HTML()
        self.controls = (
            self.amino_acid,
            self.cells,
            self.volume,
            self.supply,
            self.hours,
            self.doubling,
            self.rate,
        )
        for control in self.controls:
            control.observe(page.guard(lambda _: self._plan(), "Planning…"), "value")
        head = w.HTML("<h3>Plan the next experiment</h3>")
        self.box.children = [self.found, head, row(self.controls), self.answer]

    def draw(self) -> None:
        """The slopes of this experiment, then the plan."""
        analysis = self.session.analysis
        table = known(None if analysis is None else analysis.exchange, "exchange")
        if analysis is None or analysis.uptake_rates is None or table.empty:
            words = "This experiment has no uptake beside intracellular asparagine."
            self.found.value = parts.note(words)
        else:
            data, settings = analysis.experiment.uptake, analysis.experiment.settings
            fig, ax = style.figure(6.4, 1.3 + 0.5 * len(table))
            single = per_experiment(analysis.uptake_rates, data)
            plots.slopes(table, single, settings.min_exchange_elasticity, ax)
            caption = "Filled: slope of uptake per new cell; open: less the negative controls."
            columns = ["cell_line", "amino_acid", "verdict", "grade", "note"]
            self.found.value = parts.figure(
                fig, "Uptake against asparagine", caption
            ) + parts.table(table, "exchange", "What the slopes say.", columns)
        self._plan()

    def _plan(self) -> None:
        """The change expected, against the gate; an uptake of 0 stands for protein's demand."""
        analysis = self.session.analysis
        gate = 10.0 if analysis is None else analysis.experiment.settings.min_uptake_change_percent
        values = [c.value for c in self.controls[1:6]]
        if not all(value > 0 for value in values):
            self.answer.value = parts.note("Every number has to be above zero.", "warn")
            return
        cells, volume, supply, hours, doubling = values
        need = protein_demand_fmol(self.amino_acid.value, USUAL_PG) * LN2 / doubling
        rate = self.rate.value or need
        found = plan(cells, volume, supply, hours, doubling, rate, gate)
        basis = "" if self.rate.value else " (what new protein needs)"
        words = (
            f"At {number(rate)} fmol per cell and hour{basis} the medium changes by"
            f" {number(found.change_percent)} % until {hours:g} h; the gate is {gate:g} %. "
        )
        if found.left < 0.2:
            self.answer.value = parts.note(
                words + "Less than a fifth would be left: use fewer"
                " cells, more volume, or an earlier sample.",
                "warn",
            )
        elif found.factor > 1:
            self.answer.value = parts.note(
                f"{words}Seed {number(found.factor)} times the cells, use 1/{number(found.factor)}"
                f" of the volume, or lower the supply to {number(supply / found.factor)} µM.",
                "warn",
            )
        else:
            self.answer.value = parts.note(words + "This design can measure it.", "pass")


def _field(name: str, value: float) -> w.FloatText:
    return w.FloatText(
        value=value,
        description=name,
        style={"description_width": "130px"},
        layout=w.Layout(width="240px"),
    )
