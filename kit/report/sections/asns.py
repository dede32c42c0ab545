"""Exhibits of 03_asns_correlation, second half: ASNS against sensitivity here, over all experiments
and in the panels, and what follows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from kit.across.pool import ALL, Study
from kit.asns import correlation
from kit.asns.lines import GR_OUTCOME, IC50_OUTCOME, MRNA, PROTEIN, SWATH, Panel, panel_positions
from kit.asns.study import OWN, mrna_only, predictors
from kit.core import reference
from kit.plots import asns as plots
from kit.plots import style
from kit.report.exhibits import Banner, Exhibit, Tabled, tabled

SHOWN = {"source": "lines of", "predictor": "predictor", "n_lines": "n", "spearman": "ρ", "spearman_ci_low": "from", "spearman_ci_high": "to", "p": "p",
         "note": "what may be said", "pearson": "r", "bca_low": "BCa from", "bca_high": "to", "max_leave_one_out_change": "max. change"}  # fmt: skip
COMPARED = {"source": "lines of", "predictor_a": "a", "predictor_b": "b", "kind": "kind", "n_lines": "n", "r_a": "r of a", "r_b": "r of b", "r_ab": "r of a, b",
            "williams_p": "p (Williams)", "steiger_p": "p (Steiger)", "zou_ci_low": "difference from", "zou_ci_high": "to"}  # fmt: skip
POSITIONS = (
    ("CCLE", "asns_rppa_log2", "ASNS protein in CCLE (RPPA, log2)"),
    ("NCI-60", "asns_mrna_log2", "ASNS mRNA in NCI-60 (log2)"),
)
_MAIN = {OWN: (PROTEIN, MRNA), ALL: (PROTEIN, MRNA), "NCI-60": ("protein (RPPA)", MRNA)}


def _settings(study: Study) -> Any:
    return study.analysis.experiment.settings


def panel_marks(study: Study) -> tuple[str, ...]:
    """What figures with public data in them say in a report of simulated data: the panels were
    measured.
    """
    return (
        ("SIMULATED DATA, except NCI-60 and CCLE",)
        if study.analysis.experiment.config.simulated
        else ()
    )


def verdict(study: Study) -> Banner | None:
    """The verdict, where no other notebook of the report gives it."""
    experiment, summary = study.analysis.experiment, study.analysis.summary
    config = experiment.config
    if config.plates or config.flow:
        return None
    facts = [experiment.id, str(config.date or ""), ", ".join(config.cell_lines)]
    title = config.title or experiment.id
    return Banner(summary.verdict, summary.reasons, summary.next_actions, title, facts)


def present(study: Study) -> list[str]:
    """What there is and what is missing, in sentences."""
    lines = study.lines
    outcome = next(
        (
            name
            for name in (GR_OUTCOME, IC50_OUTCOME)
            if name in lines and lines[name].notna().any()
        ),
        None,
    )
    said = [_count(lines, PROTEIN, "ASNS protein (western blot)"), _count(lines, MRNA, "ASNS mRNA")]
    said.append(
        _count(lines, outcome, f"Sensitivity ({outcome})")
        if outcome
        else "Sensitivity was not measured here: no line was grown without asparagine."
    )
    both = (
        int(lines[[PROTEIN, outcome]].notna().all(axis=1).sum())
        if outcome and PROTEIN in lines
        else 0
    )
    settings = _settings(study)
    if both < settings.min_lines_estimate:
        said.append(
            f"{both} lines have both protein and sensitivity: {settings.min_lines_estimate} are needed for an estimate, {settings.min_lines_inference} for a p value. "
            "No correlation can be supported by this experiment alone."
        )
    return [*said, study.note]


def _count(lines: pd.DataFrame, column: str, what: str) -> str:
    known = list(lines.loc[lines[column].notna(), "cell_line"]) if column in lines else []
    if not known:
        return f"{what}: not measured here."
    return (
        f"{what}: {len(known)} line{'s' * (len(known) > 1)}"
        f" ({', '.join(map(str, known[:12]))}{', …' if len(known) > 12 else ''})."
    )


def warning(study: Study) -> str:
    """The banner over results that rest on mRNA alone; empty otherwise."""
    return mrna_only(study.lines) if predictors(study.lines) else ""


def _row(study: Study, panel: Panel, predictor: str) -> dict | None:
    table = study.everything[0]
    found = table[
        table["source"].eq(panel.name)
        & table["predictor"].eq(predictor)
        & table["outcome"].eq(panel.outcome)
    ]
    return found.iloc[0].to_dict() if len(found) else None


def _scatter(
    study: Study, panel: Panel, name: str, title: str, caption: str, highlight: tuple[str, ...] = ()
) -> Exhibit:
    names = [
        predictor
        for predictor in panel.predictors
        if panel.lines[[predictor, panel.outcome]].notna().all(axis=1).any()
    ][:4]
    rows, columns = max(1, math.ceil(len(names) / 2)), min(2, max(1, len(names)))
    fig, axes = style.figure(style.WIDTH + 0.6 if columns > 1 else 5.0, 3.0 * rows, rows, columns)
    fig.set_layout_engine("constrained", h_pad=0.09)
    flat = list(np.atleast_1d(axes).ravel())
    styles = plots.lineage_styles(panel.lines)
    for index, (ax, predictor) in enumerate(zip(flat, names, strict=False)):
        row = _row(study, panel, predictor)
        plots.correlation(
            panel.lines, predictor, panel.outcome, ax, row=row, highlight=highlight, styles=styles
        )
        ax.set_title(ax.get_title(loc="left"), fontsize=style.FONT - 2, loc="left", color=style.INK)
        if index % columns:
            ax.set_ylabel("")
    for ax in flat[len(names) :]:
        ax.set_axis_off()
    if names:
        plots.lineage_legend(fig, styles)
    else:
        style.no_data(flat[0], "no line has both ASNS and sensitivity")
    return Exhibit(name, title, caption, fig, panel.lines)


def own(study: Study) -> list[Exhibit]:
    """This experiment's lines, a figure per measure of sensitivity."""
    text = (
        "A point is a line, replicates averaged. No line is fitted: the statistic is a rank"
        " correlation, and below five lines there is none."
    )
    if not study.own:
        fig, ax = style.figure(5.0, 1.2)
        style.no_data(ax, "ASNS and sensitivity were not measured on the same lines here")
        return [Exhibit("asns_own", "This experiment", "", fig)]
    return [
        _scatter(
            study,
            panel,
            f"asns_own{_suffix(panel)}",
            "ASNS against sensitivity, this experiment",
            text,
        )
        for panel in study.own
    ]


def _suffix(panel: Panel) -> str:
    return "_ic50" if "IC50" in panel.outcome else ""


def pooled(study: Study) -> list[Exhibit]:
    """Lines of all experiments of the reports folder; nothing where there are no others."""
    text = (
        "A point is a line, averaged over the experiments that have it, so one measured twice"
        " counts once. Protein is relative to each experiment's own reference lanes; mRNA is pooled"
        " within one unit and calibrator only."
    )
    return [
        _scatter(
            study,
            panel,
            f"asns_all{_suffix(panel)}",
            "ASNS against sensitivity, all experiments",
            text,
        )
        for panel in study.together
    ]


def pooled_tables(study: Study) -> list[Exhibit]:
    """Correlations over the pooled lines; nothing where there are no others."""
    table = study.pooled_correlation[0]
    name, caption = "asns_correlation_all_experiments", "Each line counts once."
    return [Exhibit(name, "", caption, table=table, columns=SHOWN)] if len(table) else []


def nci60(study: Study) -> Exhibit:
    """Four measures of ASNS against the GI50 of asparaginase, with the user's lines named."""
    keys = tuple(study.lines["line_key"]) if "line_key" in study.lines else ()
    caption = (
        f"NCI-60: {study.panel.caveats[SWATH]}. {plots.OPEN} Lines of this experiment are named"
        f" where the panel has them. Source: {reference.citation('nci60_asns')}."
    )
    shown = _scatter(
        study, study.panel, "asns_nci60", "ASNS against asparaginase, NCI-60", caption, keys
    )
    return replace(shown, marks=panel_marks(study))


@tabled("asns_correlation")
def correlations(study: Study) -> Tabled:
    """This experiment and the panel: Spearman first, Pearson beside, and what may be said."""
    text = (
        "Spearman with Bonett-Wright interval and p; Pearson; BCa bootstrap interval of Spearman;"
        " largest change when one line is left out."
    )
    return study.correlation[0], text, SHOWN


def comparison(study: Study) -> Exhibit:
    """Differences of the correlations on complete pairs."""
    table = study.everything[1]
    known = (
        table[table["zou_ci_low"].notna()]
        if len(table)
        else pd.DataFrame({"zou_ci_low": [], "r_a": [], "r_b": []})
    )
    fig, ax = style.figure(style.WIDTH, max(1.5, 0.9 + 0.4 * len(known)))
    plots.comparison(
        known.sort_values("kind", ascending=False, kind="stable") if len(known) else known, ax
    )
    caption = (
        "Both predictors on the same lines only. Where both correlations are inverse, left of zero"
        " the first (protein) is the stronger; with another sign they only differ. p: Williams."
    )
    marks = panel_marks(study)
    return Exhibit("asns_comparison", "Protein against mRNA", caption, fig, marks=marks)


@tabled("correlation_comparison")
def comparison_table(study: Study) -> Tabled:
    """The same as a table."""
    table = study.everything[1]
    return (
        (
            table,
            "Williams' t is the primary test; Steiger's Z and Zou's interval stand beside it. On ranks all three are approximations.",
            COMPARED,
        )
        if len(table)
        else (None, "No lines with protein, mRNA and sensitivity.", None)
    )


def comparison_sentences(study: Study) -> list[str]:
    """What each comparison on ranks shows and does not."""
    table = study.everything[1]
    table = table[table["kind"].eq("spearman")] if len(table) else table
    said = [
        f"{row.source}, {row.predictor_a} against {row.predictor_b}:"
        f" {str(row.note).replace(correlation.NOT_A_TEST, '').strip()}"
        for row in table.itertuples()
    ]
    return [*said, correlation.NOT_A_TEST] if said else []


def _main(study: Study) -> list[tuple[Panel, str]]:
    """Source and predictor of the figures that look at single lines and lineages."""
    found = []
    for panel in (*study.own[:1], *study.together[:1], study.panel):
        found += [(panel, name) for name in _MAIN[panel.name] if name in panel.predictors]
    least = _settings(study).min_lines_estimate
    return [
        (panel, name)
        for panel, name in found
        if panel.lines[[name, panel.outcome]].notna().all(axis=1).sum() >= least
    ][-6:]


def influence(study: Study) -> Exhibit:
    """rho without each line in turn."""
    chosen = _main(study)
    fig, flat = _pairs(len(chosen), 2.5)
    for ax, (panel, name) in zip(flat, chosen, strict=True):
        table, row = (
            correlation.influence(panel.lines, name, panel.outcome),
            _row(study, panel, name),
        )
        plots.influence(table, row["spearman"] if row else math.nan, ax, most=8)
        ax.set_title(
            style.text(f"{panel.name}, {name}"), fontsize=style.FONT, loc="left", color=style.INK
        )
    caption = (
        "The eight lines whose absence moves the correlation most. Red: the sign changes. A"
        " correlation that depends on one line is no finding."
    )
    return Exhibit("asns_influence", "Leaving out one line", caption, fig)


def lineage(study: Study) -> Exhibit:
    """rho over all lines, with lineage held fixed, and within lineages."""
    chosen = _main(study)
    tables = [
        correlation.by_lineage(panel.lines, name, panel.outcome, _settings(study))
        for panel, name in chosen
    ]
    tallest = max((table["spearman"].notna().sum() for table in tables), default=1)
    fig, flat = _pairs(len(chosen), max(1.9, 0.9 + 0.24 * tallest))
    for ax, (panel, name), table in zip(flat, chosen, tables, strict=True):
        plots.lineages(table, ax)
        if ax.get_legend() is not None:
            ax.get_legend().remove()  # the caption says it; a legend would lie on an interval
        ax.set_title(
            style.text(f"{panel.name}, {name}"), fontsize=style.FONT, loc="left", color=style.INK
        )
    caption = (
        "If the correlation vanishes when lineage is held fixed, it says that lineages differ, not"
        " that ASNS matters within one. Hollow: descriptive."
    )
    marks = panel_marks(study)
    return Exhibit("asns_lineage", "Within lineages", caption, fig, marks=marks)


@tabled("asns_by_lineage")
def lineage_table(study: Study) -> Tabled:
    """The same in numbers, all sources."""
    settings = _settings(study)
    tables = [
        correlation.by_lineage(panel.lines, name, panel.outcome, settings).assign(
            source=panel.name, predictor=name
        )
        for panel, name in _main(study)
    ]
    columns = (
        "source",
        "predictor",
        "scope",
        "n_lines",
        "spearman",
        "ci_low",
        "ci_high",
        "p",
        "note",
    )
    return (
        (
            pd.concat(tables, ignore_index=True),
            "A scope of fewer than five lines has no estimate.",
            columns,
        )
        if tables
        else (None, "Too few lines.", None)
    )


def _pairs(count: int, height: float) -> tuple:
    columns, rows = min(2, max(count, 1)), max(1, math.ceil(count / 2))
    fig, axes = style.figure(
        style.WIDTH + 0.6 if columns > 1 else 4.8, height * rows, rows, columns
    )
    flat = list(np.atleast_1d(axes).ravel())
    for ax in flat[count:]:
        ax.set_axis_off()
    return fig, flat[:count]


@tabled("asns_discordant")
def discordant(study: Study) -> Tabled:
    """Lines with mRNA and hardly any protein."""
    settings = _settings(study)
    lines, source = (
        (study.pooled, ALL) if study.together and study.pooled is not None else (study.lines, OWN)
    )
    own = correlation.discordant(lines, settings).assign(source=source)
    panel = correlation.discordant(study.panel.lines, settings, protein="protein (RPPA)").assign(
        source="NCI-60 (RPPA)"
    )
    parts = [table for table in (own, panel) if len(table)]
    columns = ("source", "cell_line", "z_mrna", "z_protein", "difference", "percent_of_reference")
    caption = (
        f"z of mRNA over z of protein by more than {settings.discordant_z:g}, protein at most"
        f" {settings.asns_low_percent:g} % of the reference (in a panel: in its lowest quarter)."
    )
    rich = [str(name) for table in parts for name in table.loc[table["z_mrna"].gt(0), "cell_line"]]
    if rich:
        caption += (
            f" {', '.join(dict.fromkeys(rich))}: mRNA above the mean of the lines and, as far as"
            " these assays agree, hardly any of the protein."
        )
    if rich and len(rich) < sum(map(len, parts)):
        caption += " The others have less mRNA than the mean too, and still less protein."
    return (
        (pd.concat(parts, ignore_index=True), caption, columns)
        if parts
        else (pd.DataFrame(columns=list(columns)), caption, columns)
    )


def roc(study: Study) -> Exhibit:
    """How well ASNS tells auxotrophs from other lines, with the warning of small classes."""
    lines = study.pooled if study.together and study.pooled is not None else study.lines
    names = (
        [name for name in (PROTEIN, MRNA) if name in lines and lines[name].notna().any()]
        if "auxotroph" in lines
        else []
    )
    results = [correlation.roc(lines, name, _settings(study)) for name in names]
    fig, flat = _pairs(max(len(names), 1), 2.7)
    for ax, name, result in zip(flat, names, results, strict=False):
        plots.roc(lines, name, result, ax)
        ax.set_xlabel(f"{ax.get_xlabel()} (by {name})")
    if not names:
        style.no_data(flat[0], "no line has both ASNS and a call without asparagine")
    caption = " ".join(
        f"{name}: {result['note']}." for name, result in zip(names, results, strict=True)
    )
    return Exhibit(
        "asns_roc",
        "Telling auxotrophs apart",
        f"Low ASNS as a test for auxotrophy. {caption}".strip(),
        fig,
        pd.DataFrame(results) if results else None,
    )


def positions(study: Study) -> Exhibit:
    """The user's lines on the panels' distributions."""
    names = list(study.analysis.experiment.config.cell_lines)
    fig, flat = _pairs(len(POSITIONS), 2.9)
    tables = []
    for ax, (panel, column, label) in zip(flat, POSITIONS, strict=True):
        where = panel_positions(names, panel, column)
        plots.distribution(reference.table(reference.PANELS[panel])[column], where, ax, label=label)
        tables.append(where.assign(panel=panel, measure=column))
    caption = (
        "The panel's own measurement of these lines with its percentile, not this experiment's:"
        f" the two have different units. Sources: {reference.citation('ccle_asns')};"
        f" {reference.citation('nci60_asns')}."
    )
    return Exhibit(
        "asns_positions",
        "These lines in the public panels",
        caption,
        fig,
        pd.concat(tables, ignore_index=True),
        marks=panel_marks(study),
        both=True,
    )
