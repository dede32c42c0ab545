"""Exhibits of the protocol: compliance, carry-over."""

from __future__ import annotations

from kit.analysis import Analysis
from kit.core.findings import listing, number
from kit.plots import carryover as plots
from kit.plots import style
from kit.protocol.carryover import before_wash_uM
from kit.report.exhibits import Exhibit, Tabled, tabled

WORST = ("fail", "warn", "pass", "info")
COMPLIANCE = ("check", "subject", "verdict", "value", "advice", "rule")


@tabled("compliance")
def compliance(analysis: Analysis) -> Tabled:
    """Every check, what failed first, with its advice."""
    table = analysis.compliance
    if table is None:
        return None, "No protocol was judged.", None
    ordered = table.iloc[table["verdict"].map(WORST.index).argsort(kind="stable")].reset_index(
        drop=True
    )
    counts = ", ".join(
        f"{count} {name}" for name in WORST if (count := int(table["verdict"].eq(name).sum()))
    )
    return ordered, f"P01 to P30: {counts}.", COMPLIANCE


CARRYOVER = (
    "cell_line",
    "medium",
    "amino_acid",
    "residual_uM",
    "masked_doublings",
    "masked_hours",
    "control_doublings",
    "gr_mask",
    "verdict",
    "note",
)


@tabled("carryover")
def carryover(analysis: Analysis) -> Tabled:
    """Residual amino acids per line and dropout medium."""
    if analysis.carryover is None or analysis.carryover.empty:
        return None, "No dropout medium, so nothing can be carried over.", None
    s = analysis.experiment.settings
    return (
        analysis.carryover,
        (
            f"gr_mask from {s.gr_mask_moderate:g} warns, from {s.gr_mask_high:g} voids partial and"
            " prototroph calls; it can never void an auxotroph."
        ),
        CARRYOVER,
    )


def carryover_figure(analysis: Analysis) -> Exhibit:
    """Residual asparagine against washes and residual volume, with this experiment's point."""
    fig, ax = style.figure(style.WIDTH, 3.0)
    config = analysis.experiment.config
    wash, usual = config.protocol.wash, config.settings.assumed_well_volume_uL
    added = config.protocol.well_volume_uL or usual
    start, assumed = before_wash_uM(config, "asparagine")
    volume = None if wash is None else wash.volume_uL
    if volume is None:
        assumed = [*assumed, f"{added:g} µL for each wash"]
    plots.residual_against_washes(
        analysis.carryover,
        ax,
        config.settings,
        start_uM=start,
        wash_uL=volume or added,
        added_uL=added,
    )
    unknown = f" Not given and assumed: {'; '.join(assumed)}." if assumed else ""
    caption = (
        "Each wash divides what is left by (residual + wash volume) / residual volume. The shaded"
        f" range can sustain growth [K]; the point is this experiment.{unknown}"
    )
    caption += _measured(analysis)
    return Exhibit("carryover_washes", "What the washes leave behind", caption, fig)


def _measured(analysis: Analysis) -> str:
    """Which lines' need for asparagine was measured in this experiment."""
    table = analysis.carryover
    if table is None or "need_source" not in table:
        return ""
    own = table[table["need_source"].eq("measured here") & table["amino_acid"].eq("asparagine")]
    told = [
        f"{line} {number(need)} µM"
        for line, need in own.groupby("cell_line", sort=False)["need_uM"].first().items()
    ]
    return f" EC50 measured here, in place of that range: {listing(told)}." if told else ""
