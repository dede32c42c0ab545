"""Exhibits of the media: what they hold, and whether they last until the read-out."""

from __future__ import annotations

from kit.analysis import Analysis
from kit.core.columns import known
from kit.plots import ledger as plots
from kit.plots import style
from kit.report.exhibits import Exhibit, Tabled, tabled

PANELS = 4
LEDGER = {
    "medium": "medium",
    "amino_acid": "amino acid",
    "recipe_uM": "recipe, µM",
    "serum_uM": "serum, µM",
    "carry_over_uM": "carry-over, µM",
    "at_start_uM": "at the start, µM",
    "decay_48h_uM": "lost by decay in 48 h, µM",
    "at_readout_uM": "at the read-out without cells, µM",
    "assumed": "assumed",
}
EXHAUSTION = {
    "cell_line": "cell line",
    "medium": "medium",
    "amino_acid": "amino acid",
    "demand_umol": "demand, µmol",
    "supply_umol": "supply, µmol",
    "share_used": "share used",
    "runs_out_at_h": "runs out at, h",
    "verdict": "verdict",
    "note": "what it means",
    "assumed": "assumed",
}


def ledger_figure(analysis: Analysis) -> Exhibit:
    """Heat map of what each medium holds."""
    table = known(analysis.medium_ledger, "medium_ledger")
    media = max(table["medium"].nunique(), 1)
    fig, ax = style.figure(style.WIDTH, 1.0 + 0.42 * media)
    plots.ledger_map(table, ax)
    caption = (
        "Concentration in the well at the medium switch, in µM: recipe, serum and what the washes"
        " left. An arrow leads to what is left at the read-out if no cell takes any."
    )
    return Exhibit("medium_ledger_map", "What each medium holds", caption, fig)


@tabled("medium_ledger")
def ledger(analysis: Analysis) -> Tabled:
    """The ledger as a table."""
    table = analysis.medium_ledger
    if table is None or table.empty:
        return None, "No medium has a concentration in experiment.yaml.", None
    return table, "What was not given is assumed, and stands in the last column.", LEDGER


def exhaustion_figure(analysis: Analysis) -> Exhibit:
    """What is left of the control medium over time, one panel a line."""
    table = known(analysis.exhaustion, "exhaustion")
    control = analysis.experiment.config.control_name
    rows = table[table["medium"].eq(control)]
    worst = rows.groupby("cell_line")["share_used"].max().sort_values(ascending=False)
    lines = list(worst.index[:PANELS])
    columns = min(max(len(lines), 1), 2)
    high = -(-max(len(lines), 1) // columns)
    fig, axes = style.figure(style.WIDTH, 2.4 * high, high, columns)
    flat = axes.flat if len(lines) > 1 else [axes]
    for ax, line in zip(flat, lines, strict=False):
        plots.what_is_left(rows[rows["cell_line"].eq(line)], ax)
        ax.set_title(style.short(line), fontsize=style.FONT, loc="left")
    for ax in list(flat)[len(lines) :]:
        style.no_data(ax, "no line") if not lines else ax.set_axis_off()
    dropped = len(worst) - len(lines)
    more = f" The {dropped} other lines use less." if dropped > 0 else ""
    caption = (
        "Supply left in the control medium as the cells grow. Dashed lines rest on an assumed"
        f" uptake. A line that reaches zero before the read-out is a hidden dropout.{more}"
    )
    return Exhibit("exhaustion", "How long the control medium lasts", caption, fig)


@tabled("exhaustion")
def exhaustion(analysis: Analysis) -> Tabled:
    """Demand against supply, what is used most first."""
    table = analysis.exhaustion
    if table is None or table.empty:
        return None, "No medium has a concentration in experiment.yaml.", None
    judged = table[table["verdict"].ne("info")]
    s = analysis.experiment.settings
    caption = (
        f"A share up to {s.max_share_used:g} (max_share_used) passes, above"
        f" {s.fail_share_used:g} (fail_share_used) fails. Amino acids that a medium lacks by"
        " design stand in the CSV only."
    )
    shown = judged.sort_values("share_used", ascending=False, kind="stable")
    return shown, caption, EXHAUSTION
