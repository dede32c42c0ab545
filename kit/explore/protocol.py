"""Tab Protocol: what the checks say of this experiment, and two planners that need none: carry-over
and replicates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ipywidgets as w
import numpy as np
import pandas as pd

from kit import stats
from kit.config.model import CALLED
from kit.config.settings import Settings
from kit.core.protein import amino_acid_per_cell_fmol
from kit.explore import parts
from kit.explore.parts import LABELLED, WIDE, Page, Tab
from kit.explore.state import Session
from kit.plots import carryover as plots
from kit.plots import planner, style
from kit.protocol.carryover_model import (
    Carry,
    next_wash_advice,
    serum_uM,
    show_uM,
)
from kit.report.sections import protocol

VERDICTS = {
    "pass": "harmless",
    "warn": "calls stay provisional",
    "fail": "partial and prototroph calls are void",
}
MOST_REPLICATES = 12
LARGER = 1.1
"""The larger of the two standard errors over the true one: its mean by simulation, 3 to 6
replicates."""
PAIRED_SD = "SD of the paired difference from control (log2)"
"""What the test divides by: the spread, between biological replicates, of medium less control
within a replicate.
"""
POWER_CAPTION = (
    "Dunnett over the dropout media, as in the report. The SD is that of log2(medium) less log2(control) within a"
    " replicate, not that of the replicates' raw values."
)


@dataclass(frozen=True)
class Plan:
    """A planned wash and serum: volumes in uL, concentrations in uM."""

    amino_acid: str = "asparagine"
    start_uM: float = 378.0
    washes: int = 2
    residual_uL: float = 10.0
    wash_uL: float = 100.0
    added_uL: float = 100.0
    serum_percent: float = 10.0
    dialyzed: bool = True
    adherent: bool = False
    cells: float = 10_000.0
    doublings: float = 2.0

    def carry(self, settings: Settings) -> Carry:
        """The plan in the reports' carry-over model."""
        free = getattr(settings, f"serum_{self.amino_acid}_uM")
        fresh = serum_uM(
            self.serum_percent, free, settings.dialysis_removal if self.dialyzed else 0.0
        )
        protein = settings.protein_pg_adherent if self.adherent else settings.protein_pg_suspension
        need = float(
            amino_acid_per_cell_fmol(
                protein, getattr(settings, f"{self.amino_acid}_share_of_residues")
            )
        )
        return Carry(
            self.start_uM,
            self.washes,
            self.residual_uL,
            self.wash_uL,
            self.added_uL,
            fresh,
            self.cells,
            need,
            self.doublings,
        )


def verdict(carry: Carry, settings: Settings) -> str:
    """pass, warn or fail by the reports' limits of `gr_mask`."""
    return (
        "fail"
        if carry.gr_mask >= settings.gr_mask_high
        else "warn"
        if carry.gr_mask >= settings.gr_mask_moderate
        else "pass"
    )


class ProtocolTab(Tab):
    """Wired to `kit.protocol.carryover_model` and `kit.stats.minimum_detectable_effect`, and to the
    compliance table.
    """

    title = "Protocol"

    def __init__(self, session: Session, page: Page) -> None:
        super().__init__(page)
        self.session = session
        self.controls = {**_wash_controls(), **_cell_controls()}
        self.power = _power_controls()
        self.like = w.Dropdown(
            description="Begin with", options=["usual values"], style=LABELLED, layout=WIDE
        )
        self.compliance, self.residue, self.detectable = w.HTML(), w.HTML(), w.HTML()
        self._plan_canvas, self._power_canvas = parts.Canvas(6.6, 3.3), parts.Canvas(6.0, 2.8)
        self._setting = False
        for control in self.controls.values():
            control.observe(page.guard(self._plan_changed, "Computing…"), "value")
        for control in self.power.values():
            control.observe(page.guard(self._power_changed, "Computing…"), "value")
        self.like.observe(page.guard(self._begin, "Computing…"), "value")
        washing = _pair([self.like, *self.controls.values()], self.residue)
        for control in self.power.values():
            control.style, control.layout = {"description_width": "310px"}, w.Layout(width="570px")
        planning = _pair(list(self.power.values()), self.detectable, "580px")
        self.box.children = [
            w.HTML("<h3>Carry-over planner</h3>"),
            washing,
            w.HTML("<h3>Replicate planner</h3>"),
            planning,
            self.compliance,
        ]

    @property
    def settings(self) -> Settings:
        """The experiment's settings, or the defaults."""
        return Settings() if self.session.experiment is None else self.session.experiment.settings

    @property
    def plan(self) -> Plan:
        """What the controls say."""
        return Plan(**{name: control.value for name, control in self.controls.items()})

    def draw(self) -> None:
        """The experiment's lines to begin with, and everything below."""
        rows = self._carryover()
        names = ["usual values", *(f"{row['cell_line']}, {row['amino_acid']}" for row in rows)]
        if tuple(names) != tuple(self.like.options):
            self._setting = True
            self.like.options = names
            self.like.value = names[0]
            self._setting = False
            self._take_spread()
        self._show_plan()
        self._show_power()
        self.compliance.value = self._compliance()

    def _compliance(self) -> str:
        if self.session.analysis is None:
            return ""
        shown = protocol.compliance(self.session.analysis)
        return "<h3>Protocol of this experiment</h3>" + parts.table(
            shown.table, shown.name, shown.caption, shown.columns
        )

    # ---- carry-over

    def _carryover(self) -> list[dict[str, Any]]:
        table = None if self.session.analysis is None else self.session.analysis.carryover
        if table is None:
            return []
        called = table[table["amino_acid"].isin(CALLED)]
        rows = called.drop_duplicates(["cell_line", "amino_acid"]).to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in rows]

    def _begin(self, _: object) -> None:
        """Set the controls as the chosen line was treated; where something is not known they keep
        the usual value.
        """
        if self._setting:
            return
        index = self.like.options.index(self.like.value)
        self._setting = True
        for name, value in (
            _usual() if index == 0 else self._as_done(self._carryover()[index - 1])
        ).items():
            self.controls[name].value = value
        self._setting = False
        self._show_plan()

    def _as_done(self, row: dict[str, Any]) -> dict[str, Any]:
        config = self.session.loaded.config
        medium = config.media[row["medium"]]
        serum = config.sera.get(medium.serum or "")
        previous = getattr(config.protocol.previous_medium, f"{row['amino_acid']}_uM", None)
        known = {
            "amino_acid": row["amino_acid"],
            "start_uM": previous,
            "washes": row["washes"],
            "residual_uL": row["residual_uL"],
            "wash_uL": row["wash_uL"],
            "added_uL": row["added_uL"],
            "cells": row["cells_per_well"],
            "doublings": row["control_doublings"],
            "serum_percent": None if serum is None else serum.percent,
            "dialyzed": None if serum is None else serum.dialyzed,
            "adherent": config.cell_lines[row["cell_line"]].growth_mode == "adherent",
        }
        return {
            **_usual(),
            **{
                name: value
                for name, value in known.items()
                if value is not None and not _missing(value)
            },
        }

    def _plan_changed(self, _: object) -> None:
        if not self._setting:
            self._show_plan()

    def _show_plan(self) -> None:
        plan, settings = self.plan, self.settings
        carry = plan.carry(settings)
        judged = verdict(carry, settings)
        advice = next_wash_advice(carry, settings.gr_mask_moderate, plan.amino_acid)
        said = (
            f"{show_uM(carry.residual_uM)} µM {plan.amino_acid} left; pays for {carry.masked_doublings:.2f} of {plan.doublings:g} doublings; "
            f"an auxotroph could show GR {carry.gr_mask:.2f}: {VERDICTS[judged]}."
        )
        ax = self._plan_canvas.blank(plan.amino_acid)
        volumes = sorted({round(plan.residual_uL * share, 2) for share in (0.5, 1, 2)})
        plots.residual_against_washes(
            _point(plan, carry, judged, settings),
            ax,
            settings,
            amino_acid=plan.amino_acid,
            start_uM=plan.start_uM,
            wash_uL=plan.wash_uL,
            added_uL=plan.added_uL,
            residual_volumes_uL=volumes,
            max_washes=max(4, plan.washes),
        )
        self.residue.value = (
            parts.note(said, judged)
            + (parts.note(advice.text) if advice else "")
            + parts.figure(self._plan_canvas.fig, "What the washes leave behind")
        )

    # ---- replicates

    def _take_spread(self) -> None:
        """Begin with the spread that this experiment has shown."""
        effects = None if self.session.analysis is None else self.session.analysis.effects
        if effects is None:
            return
        tested = effects[effects["family"].eq("dropout") & effects["se"].gt(0)]
        spread = (tested["se"] * np.sqrt(tested["n_replicates"])).median()
        self._setting = True
        if np.isfinite(spread):
            self.power["sd"].value = round(float(spread), 2)
        self._setting = False

    def _power_changed(self, _: object) -> None:
        if not self._setting:
            self._show_power()

    def _show_power(self) -> None:
        value = {name: control.value for name, control in self.power.items()}
        numbers = range(2, MOST_REPLICATES + 1)
        curve = pd.DataFrame(
            {
                "replicates": numbers,
                "effect": [
                    smallest(n, value["media"], value["sd"], value["power"], value["alpha"])
                    for n in numbers
                ],
            }
        )
        effect = curve.set_index("replicates")["effect"][value["replicates"]]
        said = (
            f"{value['replicates']} replicates find a log2 difference of {effect:.2f}, a fall to"
            f" {100 * 2**-effect:.0f} % of control, with {100 * value['power']:.0f} % power."
        )
        few = value["replicates"] < self.settings.min_replicates
        warn = (
            f" Below {self.settings.min_replicates} replicates the kit tests nothing."
            if few
            else ""
        )
        ax = self._power_canvas.blank("power")
        planner.detectable(curve, ax, chosen=value["replicates"], power=value["power"])
        ax.set_title(f"{PAIRED_SD}: {value['sd']:.2f}", fontsize=style.FONT - 1, loc="left")
        self.detectable.value = parts.note(said + warn, "warn" if few else "info") + parts.figure(
            self._power_canvas.fig, "Replicates against detectable effect", POWER_CAPTION
        )


@lru_cache(maxsize=2000)
def smallest(replicates: int, media: int, sd: float, power: float, alpha: float) -> float:
    """Smallest log2 difference from control found with `power`, by the reports' Dunnett test over
    `media` dropout media (degrees of freedom between those of block model and pairs).
    """
    df = (replicates - 1) * math.sqrt(media)
    critical = stats.dunnett_critical(media, df, alpha)
    return stats.minimum_detectable_effect(
        replicates, media + 1, LARGER * sd, media, power, alpha=alpha, df=df, critical=critical
    )


def _point(plan: Plan, carry: Carry, judged: str, settings: Settings) -> pd.DataFrame:
    """The plan as a row of the carry-over table."""
    limits = {
        "limit_moderate_uM": carry.limit_uM(settings.gr_mask_moderate),
        "limit_high_uM": carry.limit_uM(settings.gr_mask_high),
    }
    row = {
        "cell_line": "this plan",
        "amino_acid": plan.amino_acid,
        "residual_uM": carry.residual_uM,
        "washing": "plate",
        "washes": plan.washes,
        "verdict": judged,
    }
    return pd.DataFrame([{**row, **limits}])


def _usual() -> dict[str, Any]:
    return {name: getattr(Plan(), name) for name in Plan.__dataclass_fields__}


def _missing(value: Any) -> bool:
    return isinstance(value, float) and not np.isfinite(value)


def _pair(controls: list[w.Widget], shown: w.HTML, room: str = "460px") -> w.HBox:
    left, right = (
        w.VBox(controls, layout=w.Layout(flex=f"0 1 {room}")),
        w.VBox([shown], layout=w.Layout(flex="1 1 520px")),
    )
    return w.HBox([left, right], layout=w.Layout(flex_flow="row wrap", grid_gap="20px"))


def _slider(
    kind: type[w.Widget],
    label: str,
    low: float,
    high: float,
    step: float,
    value: float,
    form: str = "",
) -> Any:
    options = {"readout_format": form} if form else {}
    return kind(
        description=label,
        min=low,
        max=high,
        step=step,
        value=value,
        style=LABELLED,
        layout=WIDE,
        **options,
    )


def _wash_controls() -> dict[str, Any]:
    return {
        "amino_acid": w.Dropdown(
            description="Amino acid", options=list(CALLED), style=LABELLED, layout=WIDE
        ),
        "start_uM": _slider(w.FloatSlider, "On the cells before (µM)", 0, 4000, 1, 378, ".0f"),
        "washes": _slider(w.IntSlider, "Washes", 0, 8, 1, 2),
        "residual_uL": _slider(w.FloatLogSlider, "Residual volume (µL)", -0.3, 4, 0.01, 10, ".3g"),
        "wash_uL": _slider(w.FloatLogSlider, "Volume of a wash (µL)", 1, 4.7, 0.01, 100, ".4g"),
        "added_uL": _slider(w.FloatLogSlider, "Medium added (µL)", 1, 4.7, 0.01, 100, ".4g"),
        "serum_percent": _slider(w.FloatSlider, "Serum (%)", 0, 20, 0.5, 10, ".1f"),
        "dialyzed": w.Checkbox(
            description="dialyzed serum", value=True, style=LABELLED, layout=WIDE
        ),
    }


def _cell_controls() -> dict[str, Any]:
    return {
        "adherent": w.Checkbox(
            description="adherent cells (they need more)", value=False, style=LABELLED, layout=WIDE
        ),
        "cells": _slider(w.FloatLogSlider, "Cells per well", 2, 6, 0.01, 10_000, ",.0f"),
        "doublings": _slider(w.FloatSlider, "Doublings of control", 0.5, 6, 0.1, 2, ".1f"),
    }


def _power_controls() -> dict[str, Any]:
    return {
        "replicates": _slider(w.IntSlider, "Biological replicates", 2, MOST_REPLICATES, 1, 3),
        "media": _slider(w.IntSlider, "Dropout media compared", 1, 8, 1, 3),
        "sd": _slider(w.FloatSlider, PAIRED_SD, 0.02, 1.5, 0.01, 0.25, ".2f"),
        "power": _slider(w.FloatSlider, "Power", 0.5, 0.99, 0.01, 0.8, ".2f"),
        "alpha": _slider(w.FloatSlider, "Alpha, family-wise", 0.01, 0.2, 0.01, 0.05, ".2f"),
    }
