"""Exhibits of 07_exchange_factor: what cells take up, and whether it follows asparagine."""

from __future__ import annotations

import pandas as pd

from kit.analysis import Analysis
from kit.core.columns import known
from kit.exchange.exchange import per_experiment
from kit.exchange.uptake import ALL
from kit.plots import exchange as plots
from kit.plots import style
from kit.report.exhibits import Exhibit

COLUMNS_WIDE = 3
EXCHANGE = {
    "cell_line": "cell line", "amino_acid": "amino acid", "verdict": "verdict", "grade": "evidence",
    "slope": "slope ε", "ci_low": "95 % low", "ci_high": "95 % high", "delta": "over controls δ",
    "delta_low": "δ low", "delta_high": "δ high", "p_adjusted": "p (Holm)",
    "n_experiments": "experiments", "note": "in words",
}  # fmt: skip
RATES = {
    "cell_line": "cell line", "medium": "medium", "condition": "condition",
    "amino_acid": "amino acid", "v_fmol_per_cell_h": "uptake, fmol per cell and h",
    "ci_low": "95 % low", "ci_high": "95 % high",
    "v_per_new_cell_fmol": "uptake per new cell, fmol", "mu_per_h": "growth, 1/h",
    "k_decay_per_h": "decay, 1/h", "change_percent": "change, % of blank",
    "supply_left": "share left", "gate": "gate", "n_points": "experiments", "note": "why",
    "advice": "what to change",
}  # fmt: skip


def _arms(table: pd.DataFrame) -> pd.DataFrame:
    """With a column `arm`: medium, and condition where there is one."""
    condition = table["condition"].where(table["condition"].eq(""), " · " + table["condition"])
    return table.assign(arm=table["medium"] + condition)


def _lines(analysis: Analysis) -> list[str]:
    return list(dict.fromkeys(known(analysis.uptake_rates, "uptake_rates")["cell_line"]))


def amounts(analysis: Analysis) -> list[Exhibit]:
    """Amounts over time with fits of each line's first experiment, one panel an amino acid."""
    rates, samples = analysis.uptake_rates, analysis.uptake_samples
    if rates is None or samples is None or rates.empty:
        return []
    rates, samples = _arms(rates), _arms(samples)
    exhibits = []
    for line in _lines(analysis):
        own = rates[rates["cell_line"].eq(line) & rates["replicate"].ne(ALL)]
        first = str(own["replicate"].iloc[0])
        own = own[own["replicate"].astype(str).eq(first)]
        names, colors = list(dict.fromkeys(own["amino_acid"])), style.colors(own["arm"])
        high = -(-len(names) // COLUMNS_WIDE)
        fig, axes = style.figure(style.WIDTH, 2.1 * high + 0.4, high, COLUMNS_WIDE)
        flat = list(axes.flat) if hasattr(axes, "flat") else [axes]
        here = samples[samples["replicate"].astype(str).eq(first)]
        here = here[here["cell_line"].isin([line, ""])]
        for ax, name in zip(flat, names, strict=False):
            mine = here[here["amino_acid"].eq(name)]
            plots.amounts_over_time(mine, own[own["amino_acid"].eq(name)], ax, colors)
            ax.set_title(name, fontsize=style.FONT, loc="left")
        for ax in flat[len(names) :]:
            ax.set_axis_off()
        flat[0].set_ylabel("amount in the well, nmol")
        flat[0].set_xlabel("hours")
        _legend(fig, {str(arm): color for arm, color in colors.items()})
        caption = (
            f"Experiment {first} of {line}. Squares: medium without cells. Points: medium of wells"
            " with cells, by arm; curves: growth, uptake and decay as fitted. Uptake is the gap"
            " between the two. The other experiments stand in the table."
        )
        name = f"uptake_amounts_{_file(line)}"
        exhibits.append(Exhibit(name, f"Amounts over time, {line}", caption, fig))
    return exhibits


def _legend(fig, colors: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=color, marker="o", linewidth=1.2) for color in colors.values()]
    fig.legend(
        handles,
        [style.text(name) for name in colors],
        loc="outside lower center",
        ncols=min(len(colors), 4),
        frameon=False,
        fontsize=style.FONT - 1,
    )


def _file(name: str) -> str:
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in name)


def rates_figure(analysis: Analysis) -> list[Exhibit]:
    """v and v/μ between arms, a figure a line."""
    table = analysis.uptake_rates
    if table is None or table.empty:
        return []
    table, exhibits = _arms(table), []
    for line in _lines(analysis):
        own = table[table["cell_line"].eq(line)]
        colors = {str(k): v for k, v in style.colors(own["arm"]).items()}
        fig, axes = style.figure(style.WIDTH, 5.4, 2, 1)
        for ax, column, label in zip(
            axes.flat,
            ("v_fmol_per_cell_h", "v_per_new_cell_fmol"),
            ("uptake, fmol per cell and h", "uptake per new cell, fmol"),
            strict=True,
        ):
            plots.rates_between_arms(own, column, ax, colors)
            ax.set_ylabel(label)
        _legend(fig, colors)
        caption = (
            "A point is an experiment, a bar their mean; open points did not pass their gate. A fall"
            " per cell (above) that is gone per new cell (below) is slower growth, not less"
            " transport."
        )
        exhibits.append(Exhibit(f"uptake_rates_{_file(line)}", f"Uptake, {line}", caption, fig))
    return exhibits


def rates(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str] | None]:
    """Means over experiments with intervals, gates, and what to change in the design."""
    table = analysis.uptake_rates
    if table is None or table.empty:
        return None, "No uptake was measured.", None
    shown = table[table["replicate"].eq(ALL)]
    s = analysis.experiment.settings
    caption = (
        f"Positive is taken up. A change from {s.min_uptake_change_percent:g} % of the blank passes"
        f" (min_uptake_change_percent), less than {s.provisional_uptake_change_percent:g} % cannot"
        " be measured. Intervals are over experiments; a single experiment has none."
    )
    return shown, caption, RATES


def slopes_figure(analysis: Analysis) -> Exhibit:
    """ε and δ with intervals and the threshold."""
    table = known(analysis.exchange, "exchange")
    fig, ax = style.figure(style.WIDTH, 1.3 + 0.55 * max(len(table), 1))
    data = analysis.experiment.uptake
    single = (
        per_experiment(analysis.uptake_rates, data)
        if len(table) and data is not None and analysis.uptake_rates is not None
        else pd.DataFrame()
    )
    plots.slopes(table, single, analysis.experiment.settings.min_exchange_elasticity, ax)
    caption = (
        "Filled: slope ε of uptake per new cell on intracellular asparagine. Open: δ, the same less"
        " the negative controls. Bars are 95 % t intervals over experiments, small grey points the"
        " experiments. Exchange needs both beyond the dashed line with bars right of zero."
    )
    return Exhibit("exchange_slopes", "Uptake against asparagine, beyond growth", caption, fig)


def exchange(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str] | None]:
    """Verdicts with their evidence."""
    table = analysis.exchange
    if table is None or table.empty:
        return None, "No intracellular asparagine was measured, so nothing is tested.", None
    caption = (
        "Evidence in rising order: correlative, growth_corrected, trans_stimulated,"
        " transporter_dependent. Slopes alone never go beyond the second."
    )
    return table, caption, EXCHANGE


def picture(analysis: Analysis) -> list[Exhibit]:
    """The exchange picture of each line, coloured by what was found."""
    table = known(analysis.exchange, "exchange")
    exhibits = []
    for line, rows in table.groupby("cell_line", sort=False):
        fig, ax = style.figure(style.WIDTH * 0.8, 3.2)
        plots.exchange_picture(rows, ax)
        caption = (
            "Solid arrows: uptake rises with asparagine beyond growth, as an exchanger would make"
            " it. Dashed: that was not shown. A slope names no transporter."
        )
        name = f"exchange_picture_{_file(str(line))}"
        exhibits.append(Exhibit(name, f"What was found in {line}", caption, fig))
    return exhibits


def quality(analysis: Analysis) -> tuple[pd.DataFrame | None, str, tuple[str, ...] | None]:
    """Calibration, QC spread and drift, internal standards."""
    table = analysis.lcms_qc
    if table is None or table.empty:
        return None, "No quality control of the mass spectrometer was given.", None
    measured = table[table["value"].notna()]
    if measured.empty:
        return None, "The tables hold no standards and no QC samples.", None
    columns = ("replicate", "amino_acid", "check", "value", "limit", "verdict")
    return measured, "Percent; what was not measured is left out here.", columns


def sentences(analysis: Analysis) -> list[str]:
    """What was found, and the alternative that has to stand beside it."""
    table = known(analysis.exchange, "exchange")
    told = [f"{row.cell_line}: {row.note}" for row in table.itertuples()]
    told.append(
        "The alternative is protein synthesis: Pavlova 2018 found that asparagine rescues cells by"
        " allowing protein synthesis, and that glutamine-starved cells keep their uptake of"
        " essential amino acids. Growth correction and negative controls address it; labelled"
        " efflux and a blocked transporter would decide it."
    )
    return told
