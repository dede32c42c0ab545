"""Exhibits of 05_dose_response: cards, curves, forest, tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from kit.analysis import Analysis
from kit.core.columns import known
from kit.core.findings import codes, number
from kit.dose.points import unit_text
from kit.plots import dose, style
from kit.report.exhibits import Exhibit
from kit.report.markup import Cell, significant

PRIMARY = ("gr", "relative_viability")
SHOWN = {
    "cell_line": "cell line", "agent": "agent", "medium": "medium", "scale": "scale",
    "replicate": "replicate", "status": "status", "ic50_text": "IC50 or EC50", "ci_low": "95 % from",
    "ci_high": "to", "ic50_absolute": "at response 0.5", "hill": "Hill slope", "top": "top",
    "bottom": "bottom", "aoc": "area over the curve", "n_doses": "doses", "code": "all codes",
}  # fmt: skip


def primary(analysis: Analysis) -> pd.DataFrame:
    """Rows `all` of `dose_response` on GR, or on viability where a series has no GR."""
    table = known(analysis.dose_response, "dose_response")
    lines = table[table["replicate"].eq("all")]
    order = lines["scale"].map(PRIMARY.index)
    keys = ["cell_line", "agent", "medium", "readout", "hours"]
    return lines.iloc[order.argsort(kind="stable")].drop_duplicates(keys).sort_index()


def cards(analysis: Analysis) -> tuple[dict[tuple[str, str], Cell], str, pd.DataFrame]:
    """A card per line and series: the IC50, or why there is none."""
    lines = primary(analysis)
    cells = {}
    for row in lines.to_dict("records"):
        column = f"{row['agent']} in {row['medium']}"
        if lines.duplicated(["cell_line", "agent", "medium"], keep=False).any():
            column += f", {row['readout']} {row['hours']:g} h"
        cells[row["cell_line"], column] = _card(row)
    caption = (
        "IC50 (falling) or EC50 (rising) is the dose halfway between the two plateaus, the mean of"
        " the biological replicates on the log scale with its 95 % interval. It is printed only"
        " where every replicate's curve may be reported; > and < say that it lies beyond the tested"
        " doses. Nothing is extrapolated."
    )
    return cells, caption, lines[["cell_line", "agent", "medium", "status", "ic50_text", "note"]]


def _card(row: dict) -> Cell:
    name = "EC50" if row["direction"] == "rising" else "IC50"
    unit = unit_text(row["unit"])
    if row["reportable"]:
        lines = [f"n = {row['n_replicates']}, Hill slope {number(row['hill'])}"]
        if row["ci_low"] == row["ci_low"]:
            lines.insert(0, f"95 % {number(row['ci_low'])} to {number(row['ci_high'])} {unit}")
        return Cell("pass", f"{name} {row['ic50_text']}", lines)
    title = codes()[row["status"]].title
    if row["censored"] != "none":
        return Cell("info", f"{name} {row['ic50_text']}", [title, f"n = {row['n_replicates']}"])
    return Cell("warn", f"{name} not reportable", [title, f"n = {row['n_replicates']}"])


def curves(analysis: Analysis, scale: str = "gr") -> Iterator[Exhibit]:
    """One figure per agent, read-out and time: a panel per line and medium."""
    table = known(analysis.dose_response, "dose_response")
    points = known(analysis.dose_points, "dose_points")
    lines = table[table["replicate"].eq("all") & table["scale"].eq(scale)]
    keys = ["cell_line", "agent", "medium", "readout", "hours"]
    for number_of, ((agent, _, hours), rows) in enumerate(
        lines.groupby(["agent", "readout", "hours"], sort=False), start=1
    ):
        shape = dose.grid_shape(len(rows), max(2, rows["medium"].nunique()))
        fig, axes = (
            style.figure(style.WIDTH, 0.3 + 2.35 * shape[0], *shape, sharey=True)
            if len(rows) > 1
            else style.figure(4.2, 2.9)
        )
        flat = axes.flat if len(rows) > 1 else [axes]
        for ax, (_, row) in zip(flat, rows.iterrows(), strict=False):
            own = points[(points[keys] == row[keys]).all(axis=1)]
            dose.curve(own, row, scale, ax)
        for ax in list(flat)[len(rows) :]:
            ax.set_axis_off()
        caption = (
            "Points are biological replicates (one marker each), dose zero stands behind the break."
            " A solid curve, the dashed line at the IC50 and the band of its 95 % interval are drawn"
            " only where the IC50 may be reported; otherwise a grey line joins the means."
        )
        yield Exhibit(
            f"dose_{scale}_{number_of}",
            f"{agent}, {hours:g} h: {dose.LABELS[scale]}",
            caption,
            fig,
            rows.reset_index(drop=True),
        )


def forests(analysis: Analysis) -> Iterator[Exhibit]:
    """One forest of the IC50 per agent."""
    for index, (agent, rows) in enumerate(primary(analysis).groupby("agent", sort=False), start=1):
        fig, ax = style.figure(style.WIDTH, 0.9 + 0.3 * len(rows))
        dose.forest(rows, ax)
        caption = (
            "Dots are means over biological replicates with their 95 % interval. An arrow stands at"
            " the outermost dose: the IC50 lies beyond it."
        )
        yield Exhibit(f"dose_forest_{index}", f"{agent}: IC50 per line", caption, fig, rows)


def _named(row: dict) -> str:
    """What two curves of a shift are called."""
    if row["compares"] == "media":
        return f"{row['cell_line']}, {row['agent']}: {row['medium_b']} vs {row['medium_a']}"
    if row["compares"] == "agents":
        return f"{row['cell_line']}: {row['agent_b']} vs {row['agent']}"
    return f"{row['agent']}: {row['cell_line_b']} vs {row['cell_line']}, {row['medium_a']}"


def _shifts(analysis: Analysis) -> pd.DataFrame:
    """Comparisons on GR, or on viability where there is no GR, with a name for each."""
    table = known(analysis.curve_shifts, "curve_shifts")
    scale = "gr" if table["scale"].eq("gr").any() else "relative_viability"
    table = table[table["scale"].eq(scale)].reset_index(drop=True)
    return table.assign(name=[_named(row) for row in table.to_dict("records")])


def shift_figure(analysis: Analysis) -> Exhibit | None:
    """How far the IC50 moves between media, agents and lines."""
    table = _shifts(analysis)
    if table.empty:
        return None
    fig, ax = style.figure(style.WIDTH, 1.0 + 0.3 * len(table))
    dose.shifts(table, ax)
    caption = (
        "The IC50 of the curve named first over that of the second, the mean over biological"
        " replicates. An arrow is a bound: one of the two lies beyond the doses. Curves that are not"
        " parallel have no fold."
    )
    return Exhibit("curve_shifts_figure", "Shifts of the IC50", caption, fig, table)


def shift_table(analysis: Analysis) -> Exhibit:
    """Every comparison with its test."""
    caption = (
        "Media and agents are paired by biological replicate, lines are independent. The minimum"
        " significant ratio is the smallest fold that this spread between replicates would show."
    )
    columns = {
        "name": "comparison", "note": "what it shows", "fold": "fold", "ci_low": "95 % from",
        "ci_high": "to", "p": "p", "p_parallel": "p parallel", "delta_aoc": "change of area",
        "msr": "least ratio", "method": "method", "n_replicates": "n",
    }  # fmt: skip
    table = _shifts(analysis)
    shown = None if table.empty else table
    written = dict.fromkeys(("fold", "ci_low", "ci_high"), _fold)
    return Exhibit("curve_shifts_shown", "", caption, table=shown, columns=columns, formats=written)


def _fold(value: float) -> str:
    """A fold, or that it has no bound."""
    return significant(value) if 0 < value < float("inf") else "no bound"


def split_cards(analysis: Analysis) -> Exhibit | None:
    """A card per line and enzyme: asparagine, glutamine, or both."""
    table = known(analysis.enzyme_split, "enzyme_split")
    cells = {
        (row["cell_line"], f"{row['agent']}, with {row['against']}"): _split_card(row)
        for row in table.to_dict("records")
    }
    caption = (
        "The shift is that of log10 IC50 when glutamine is given again (or with the enzyme that has"
        " less glutaminase), GR that with glutamine at ten times the IC50; both with 90 % intervals."
    )
    return Exhibit("enzyme_split_cards", "", caption, table=table, cards=cells) if cells else None


def _split_card(row: dict) -> Cell:
    lines = [row["note"], f"n = {row['n_replicates']}"]
    if row["delta_low"] == row["delta_low"]:
        ends = " to ".join(number(row[name]) for name in ("delta_low", "delta_high"))
        lines.insert(0, f"shift {ends} log10".replace("inf", "more"))
    if row["ci_low"] == row["ci_low"]:
        lines.insert(1, f"GR {number(row['ci_low'])} to {number(row['ci_high'])}")
    kind = "info" if row["class"] == "indeterminate" else "pass"
    return Cell(kind, row["class"], lines)


def titration_table(analysis: Analysis) -> Exhibit | None:
    """How much of a nutrient each line needs."""
    table = known(analysis.titration, "titration")
    if table.empty:
        return None
    caption = (
        "EC50 is the dose halfway up, EC90 the dose that sustains 90 % of what the nutrient gives,"
        " stasis the dose of GR 0; the carry-over is part of each dose. Published needs for"
        " asparagine lie between 3 and 10 µM [K]; a rescue should give several times the EC90."
    )
    columns = {
        "cell_line": "cell line", "agent": "nutrient", "medium": "medium", "ec50_text": "EC50",
        "ec50_ci_low": "95 % from", "ec50_ci_high": "to", "ec90": "EC90", "stasis": "stasis",
        "gr60": "GR 0.6", "unit": "unit", "n_replicates": "n", "note": "what it shows",
    }  # fmt: skip
    return Exhibit("titration_shown", "", caption, table=table, columns=columns)


def fits(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str]]:
    """`dose_response` with lines first."""
    table = known(analysis.dose_response, "dose_response")
    order = table["replicate"].ne("all").argsort(kind="stable")
    caption = (
        "Rows `all` are lines, the others single biological replicates. The status is the first code"
        " that applies; without `ok` no number is given."
    )
    return table.iloc[order].reset_index(drop=True), caption, SHOWN


def methods(analysis: Analysis) -> list[str]:
    """What was done, for the methods section."""
    settings = analysis.experiment.settings
    return [
        "Drugs and enzymes are read against the wells without them in the same medium, nutrients"
        " against the control medium; a nutrient's dose has the modelled carry-over in it.",
        "A four-parameter log-logistic curve is fitted to each biological replicate by least squares"
        " on the dose means, weighted by wells. Its interval is the profile likelihood, that of a"
        " line a t interval on log10 over replicates (from three on).",
        "An IC50 is reported only with two doses beyond each bend (Sebaugh 2011), an effect of at"
        f" least {settings.min_dose_effect:.0%}, a Hill slope of 0.5 to 4 and an interval of at most"
        f" {settings.max_ic50_ci_log10:g} decade.",
        "Two phases and stimulation are tested by AICc against the four-parameter curve, a constant"
        " by an F test.",
    ]
