"""Exhibits of 04_across_experiments: what many reports say together. Reports folder -> figures and
tables.
"""

from __future__ import annotations

import math
from functools import lru_cache

import pandas as pd

from kit.across import charts as compute
from kit.across.gather import ALL, GROWTH, OPTIMISTIC, Z_PRIME, Across, gather
from kit.asns.lines import MRNA, PROTEIN, Panel
from kit.asns.study import correlate, mrna_only, predictors, sources
from kit.config.settings import Settings
from kit.plots import across as plots
from kit.plots import asns as asns_plots
from kit.plots import style
from kit.report.exhibits import Exhibit, Tabled, tabled

__all__ = [
    "agreement",
    "asns_figures",
    "asns_tables",
    "asns_warning",
    "call_history",
    "calls_in_time",
    "chart_table",
    "charts",
    "gather",
    "repeats",
    "repeats_table",
    "standing",
]

NEWEST = 500  # calls listed
LAST = 60  # experiments shown as tiles; the table holds all
MOST_LINES = 10  # lines shown as tiles: those with the most experiments
MOST_REPEATS = 30  # rows of the figure of repeats
MOST_CHARTS = (
    6  # control charts shown: those with the most points marked, then with the most experiments
)
HISTORY = (
    "experiment_id",
    "date",
    "cell_line",
    "amino_acid",
    "call",
    "confidence",
    "gr",
    "gr_ci_low",
    "gr_ci_high",
)
AGREED = {"scope": "calls", "n_subjects": "lines", "n_calls": "calls made", "agreement": "agreement", "kappa": "κ", "gr_n_values": "GR values", "gr_sd_within": "SD of GR",
          "gr_sd_low": "from", "gr_sd_high": "to", "gr_limit": "limit", "gr_icc": "ICC", "gr_icc_low": "from", "gr_icc_high": "to"}  # fmt: skip
CHARTED = (
    "readout",
    "hours",
    "cell_line",
    "n_experiments",
    "centre",
    "lower",
    "upper",
    "n_beyond",
    "n_run",
    "n_jump",
    "finding",
    "marked",
)
CORRELATED = {"source": "lines of", "predictor": "predictor", "outcome": "outcome", "n_lines": "n", "spearman": "ρ", "spearman_ci_low": "from", "spearman_ci_high": "to", "p": "p",
              "pearson": "r", "max_leave_one_out_change": "max. change", "note": "what may be said"}  # fmt: skip
COMPARED = {"source": "lines of", "predictor_a": "a", "predictor_b": "b", "kind": "kind", "n_lines": "n", "r_a": "r of a", "r_b": "r of b", "williams_p": "p (Williams)",
            "zou_ci_low": "difference from", "zou_ci_high": "to", "note": "what it shows"}  # fmt: skip


def standing(view: Across) -> list[str]:
    """What is there, in sentences; says so where nothing is."""
    if view.experiments.empty:
        return [
            f"No reports in {view.folder or 'the folder'} yet: nothing to compare. Make some with:"
            f" kit run EXPERIMENT... --out {view.folder or 'DIR'}"
        ]
    dates, calls = view.experiments["date"].dropna(), view.calls
    span = f", {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}" if len(dates) else ""
    said = [
        f"{len(view.experiments)}"
        f" {'simulated ' * view.simulated}experiment{'s' * (len(view.experiments) != 1)}{span}."
    ]
    said += [
        f"{calls['cell_line'].nunique()} cell lines, {len(calls)} calls, of which"
        f" {int(calls['call'].eq(compute.NO_CALL).sum())} inconclusive."
    ]
    said += (
        [
            f"{view.left_out} simulated experiment{'s are' if view.left_out > 1 else ' is'} left"
            " out: they are not mixed with real ones."
        ]
        if view.left_out
        else []
    )
    undated = int(view.experiments["date"].isna().sum())
    return [*said, *([f"{undated} without a date stand last in every figure."] if undated else [])]


def calls_in_time(view: Across) -> Exhibit:
    """Tiles of the latest experiments and the lines most often measured."""
    often = (
        view.calls.groupby("cell_line")["experiment_id"]
        .nunique()
        .sort_values(ascending=False, kind="stable")
        .index[:MOST_LINES]
    )
    latest = list(dict.fromkeys(view.calls["experiment_id"]))[-LAST:]
    shown = view.calls[
        view.calls["experiment_id"].isin(latest) & view.calls["cell_line"].isin(often)
    ]
    rows = shown[["cell_line", "amino_acid"]].drop_duplicates()
    fig, ax = style.figure(
        style.WIDTH + 0.6, 1.5 + 0.2 * max(len(rows), 1) + 0.1 * rows["cell_line"].nunique()
    )
    plots.calls_in_time(shown, ax, lines=list(often))
    plots.call_legend(fig, shown)
    cut = (
        f" Shown are the latest {LAST} experiments and the {MOST_LINES} lines measured most; the"
        " table holds all."
        if len(shown) < len(view.calls)
        else ""
    )
    caption = (
        "A column is an experiment, in order of time. Full tiles are confident calls, half tiles"
        f" provisional ones; dashed: inconclusive.{cut}"
    )
    return Exhibit("calls_in_time", "Calls in order of time", caption, fig, view.calls)


@tabled("call_history")
def call_history(view: Across) -> Tabled:
    """The newest calls, one row per experiment, line and amino acid; the table of `calls_in_time`
    holds all.
    """
    if view.calls.empty:
        return None, "No experiment called a line.", None
    newest = view.calls.iloc[::-1].head(NEWEST)
    newest = newest.assign(date=newest["date"].dt.strftime("%Y-%m-%d"))
    cut = (
        f" The newest {len(newest)} of {len(view.calls):,}."
        if len(newest) < len(view.calls)
        else ""
    )
    caption = (
        "Where one experiment took an amino acid away in two media with different calls, the call"
        f" counts as inconclusive.{cut}"
    )
    return newest, caption, HISTORY


def repeats(view: Across) -> Exhibit:
    """GR of every experiment per line and amino acid, worst agreement first."""
    settings, table = Settings(), compute.repeats(view.calls)
    shown = table.head(MOST_REPEATS)
    fig, ax = style.figure(style.WIDTH + 0.4, max(1.6, 1.1 + 0.27 * len(shown)))
    limits = {"gr_auxotroph": settings.gr_auxotroph, "gr_prototroph": settings.gr_prototroph}
    plots.repeats(view.calls, shown, ax, limits=limits)
    cut = (
        f" The {MOST_REPEATS} rows that agree least of {len(table)}."
        if len(table) > len(shown)
        else ""
    )
    caption = (
        "Colours are the calls as above, bars the means over experiments; rows with the least"
        f" agreement come first.{cut}"
    )
    return Exhibit("repeats", "Repeats of one line across experiments", caption, fig, table)


@tabled("repeats")
def repeats_table(view: Across) -> Tabled:
    """The rows of the figure."""
    table = compute.repeats(view.calls)
    if table.empty:
        return None, "No line was measured in two experiments.", None
    return (
        table,
        (
            "Agreement: share of pairs of experiments with the same call; inconclusive ones form no"
            " pair. GR counts from every experiment."
        ),
        None,
    )


@tabled("agreement")
def agreement(view: Across) -> Tabled:
    """Agreement of calls and repeatability of GR, over all and by amino acid."""
    table = compute.agreement(view.calls)
    if not (table["gr_n_subjects"].max() or table["n_subjects"].max()):
        return None, "No line was measured in two experiments.", None
    caption = (
        "κ (Fleiss 1971): agreement beyond chance. SD: between experiments of one line, with its 95"
        " % interval. Limit: 95 % of differences of two experiments are smaller (2.77 SD). ICC(1,1)"
        " (Shrout and Fleiss 1979): share of the variance that lies between lines; it is high"
        " wherever lines differ much."
    )
    return table, caption, AGREED


def charts(view: Across, measure: str) -> list[Exhibit]:
    """Control charts of `z_prime` or `growth`; a window against blanks is no Z' of the same kind
    and has a figure of its own.
    """
    kinds = [GROWTH] if measure == "growth" else [Z_PRIME, OPTIMISTIC]
    found = [kind for kind in kinds if view.points["measure"].eq(kind).any()]
    return [_chart_figure(view, kind) for kind in found or kinds[:1]]


def _chart_figure(view: Across, kind: str) -> Exhibit:
    charted = compute.charts(view.points[view.points["measure"].eq(kind)])
    series = [
        (_title(part), part)
        for _, part in charted.groupby(list(compute.SERIES), sort=False)
        if len(part) > 1
    ]
    # What needs a look comes first; 0 h plates last, as no call rests on their window.
    series.sort(
        key=lambda item: (
            item[1]["hours"].iloc[0] == 0,
            -item[1]["beyond"].sum(),
            -item[1]["run"].sum(),
            -len(item[1]),
        )
    )
    shown, name = (
        series[:MOST_CHARTS],
        {Z_PRIME: "chart_z_prime", OPTIMISTIC: "chart_z_prime_blanks", GROWTH: "chart_growth"}[
            kind
        ],
    )
    title = f"Control charts: {kind}"
    if not shown:
        fig, ax = style.figure(5.0, 1.2)
        style.no_data(ax, f"no line has {kind} in two experiments")
        return Exhibit(name, title, "A chart needs experiments in a row.", fig, charted)
    settings = Settings()
    limit = None if kind == GROWTH else ("min_z_prime", settings.min_z_prime)
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    fig, axes = style.figure(
        style.WIDTH + 0.6,
        0.5 + 2.15 * rows,
        2 * rows,
        columns,
        gridspec_kw={"height_ratios": [3, 1] * rows},
    )
    plots.control_charts(
        shown, axes, unit="doublings / day" if kind == GROWTH else "Z'", limit=limit
    )
    plots.chart_legend(fig, "" if limit is None else f"{limit[0]} = {limit[1]:g}")
    cut = (
        f" Shown are {MOST_CHARTS} of {len(series)} charts, those with most points marked first;"
        " the table holds all."
        if len(series) > len(shown)
        else ""
    )
    caption = (
        "A point is an experiment, its plates or replicates averaged. Limits: mean ± 3 × mean"
        f" moving range / 1.128, from {compute.MIN_POINTS} experiments on and provisional below"
        f" {compute.FIRM_POINTS}.{cut}"
    )
    return Exhibit(name, title, caption, fig, charted)


def _title(part: pd.DataFrame) -> str:
    row = part.iloc[0]
    return (
        f"{style.short(row['cell_line'], 16)}, {style.short(row['readout'], 16)}, {row['hours']:g}"
        f" h (n {len(part)})"
    )


def chart_table(view: Across, measure: str) -> Exhibit:
    """One row per control chart, those with points beyond the limits first."""
    kinds = [GROWTH] if measure == "growth" else [Z_PRIME, OPTIMISTIC]
    points = view.points[view.points["measure"].isin(kinds)]
    name = f"chart_{measure}_summary"
    if points.empty:
        return Exhibit(name, "", "No experiment measured it.")
    columns = CHARTED if measure == "growth" else ("measure", *CHARTED)
    caption = (
        "beyond: outside the limits (0.27 % of points where nothing changes); run: ends nine or"
        " more in a row on one side; jump: neighbours further apart than 3.27 mean moving ranges."
    )
    table = compute.chart_summary(compute.charts(points))
    return Exhibit(name, "", caption, table=table, columns=columns)


def _panels(view: Across) -> list[Panel]:
    return sources(view.lines, ALL) if len(view.lines) and predictors(view.lines) else []


@lru_cache(maxsize=1)
def _correlated(view: Across) -> tuple[pd.DataFrame, pd.DataFrame]:
    return correlate(_panels(view), Settings())


def asns_warning(view: Across) -> str:
    """What the results rest on: mRNA alone, nothing, or lines of all experiments."""
    if not _panels(view):
        return (
            "No experiment measured ASNS and sensitivity, so no correlation can be given; the panel"
            " below is public data."
        )
    return mrna_only(view.lines) or "Lines of all experiments, then the public panel."


def asns_figures(view: Across) -> list[Exhibit]:
    """A figure per measure of sensitivity: protein and mRNA against it, a point per line."""
    table = _correlated(view)[0]
    found = []
    for index, panel in enumerate(_panels(view)):
        names = [
            name
            for name in panel.predictors
            if panel.lines[[name, panel.outcome]].notna().all(axis=1).any()
        ][:2] or [PROTEIN]
        fig, axes = style.figure(style.WIDTH + 0.6, 3.1, 1, len(names))
        looks = asns_plots.lineage_styles(panel.lines)
        for ax, name in zip([axes] if len(names) == 1 else axes[0], names):
            rows = table[
                table["source"].eq(ALL)
                & table["predictor"].eq(name)
                & table["outcome"].eq(panel.outcome)
            ]
            row = {str(column): rows[column].iloc[0] for column in rows} if len(rows) else None
            asns_plots.correlation(panel.lines, name, panel.outcome, ax, row=row, styles=looks)
            ax.set_title(
                ax.get_title(loc="left"), fontsize=style.FONT - 2, loc="left", color=style.INK
            )
        asns_plots.lineage_legend(fig, looks)
        caption = (
            "A point is a line, averaged over the experiments that have it. Protein and mRNA may"
            " come from different experiments. No line is fitted: the statistic is a rank"
            " correlation."
        )
        found.append(
            Exhibit(
                f"asns_across{'_ic50' * (index > 0)}",
                f"ASNS against {panel.outcome}",
                caption,
                fig,
                panel.lines,
            )
        )
    return found


def asns_tables(view: Across) -> list[Exhibit]:
    """Correlations and the comparison of protein with mRNA, the lines' beside the public
    panel's.
    """
    table, compared = _correlated(view)
    first = (
        "The unit is the line: repeats and experiments are averaged first. p and intervals are"
        " those of Spearman; below five lines nothing is estimated, below eight nothing is tested."
    )
    second = (
        f"Does {PROTEIN} predict better than {MRNA}? Tested on the lines that have both (Williams"
        " 1959, Zou 2007); two p values of two correlations would not answer it."
    )
    name = "asns_across_correlation"
    both = compared if len(compared) else None
    return [
        Exhibit(name, "", first, table=table, columns=CORRELATED),
        Exhibit("asns_across_comparison", "", second, table=both, columns=COMPARED),
    ]
