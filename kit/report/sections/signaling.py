"""Exhibits of 06_mtorc1_divergence: classes, activation, validity, sensitivity, lanes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from kit.analysis import Analysis
from kit.core.columns import known
from kit.core.findings import number
from kit.plots import signaling as plots
from kit.plots import style
from kit.report.exhibits import Exhibit
from kit.report.markup import Cell
from kit.report.sections import blots
from kit.signaling import names
from kit.signaling.classes import CLASSES
from kit.signaling.sensitivity import CHOICES

TONE = dict(zip(CLASSES, ("pass", "pass", "pass", "warn", "info"), strict=True))
_MOST = 8
COLUMNS = {
    "stimulus": "stimulus", "class": "class", "published": "as published", "A(WT)": "A(WT)",
    "A(KO)": "A(KO)", "RDI": "RDI [95 %]", "ADI": "ADI [95 %]", "p_adjusted": "p(Rag), Holm",
    "n_experiments": "n",
}  # fmt: skip
VALIDITY = {
    "rule": "rule", "verdict": "verdict", "subject": "subject", "value": "value", "limit": "limit",
    "said": "what was found, and what to do",
}  # fmt: skip


def cards(analysis: Analysis) -> tuple[dict, str, pd.DataFrame | None]:
    """One card per stimulus: class, RDI, ADI, expected or not, reason, experiments needed."""
    table = known(analysis.mtorc1_divergence, "mtorc1_divergence")
    caption = (
        "RDI: share of the activation that needs Rag. ADI: share of what is left without Rag that"
        " needs Arf1. With 95 % Fieller intervals over experiments."
    )
    return (
        {(_word(row["stimulus"]), "mTORC1"): _card(row) for row in table.to_dict("records")},
        caption,
        None,
    )


def _word(stimulus: str) -> str:
    return names.STIMULUS_WORDS[stimulus]


def _card(row: dict) -> Cell:
    head = names.words_of(row["class"]) if row["class"] else row["status"].replace("_", " ")
    lines = []
    for name in ("rdi", "adi"):
        if math.isfinite(row[name]):
            lines.append(f"{name.upper()} {_with_interval(row, name)}")
    lines += [_published(row)] if row["expected"] else []
    if row["n_needed"] > 0 and row["class"] in ("", "inconclusive"):
        lines.append(f"{row['n_needed']:g} experiments give 80 % power at this spread")
    tone = TONE.get(row["class"], "fail" if row["status"] == "invalid" else "info")
    return Cell(tone, head, [*lines, row["note"]], f"n = {row['n_experiments']}")


def _with_interval(row: dict, name: str) -> str:
    """`0.89 (0.69 to 1.07)`; a share of what may be nothing has no number."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not defined (too little is left)" if math.isfinite(row[name]) else "–"
    return f"{row[name]:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")


def _published(row: dict) -> str:
    if row["matches_expected"] is None or pd.isna(row["matches_expected"]):
        return f"published: {names.words_of(row['expected'])}"
    return (
        "as published"
        if row["matches_expected"]
        else f"published: {names.words_of(row['expected'])}"
    )


def classes(analysis: Analysis) -> tuple:
    """One row per stimulus with its numbers; the CSV holds all of them."""
    table = known(analysis.mtorc1_divergence, "mtorc1_divergence")
    rows = [
        row
        | {
            "class": names.words_of(row["class"])
            if row["class"]
            else row["status"].replace("_", " "),
            "published": _agrees(row["matches_expected"]),
            "A(WT)": number(row["a_wt"]),
            "A(KO)": number(row["a_ko"]),
            "RDI": _with_interval(row, "rdi"),
            "ADI": _with_interval(row, "adi"),
        }
        for row in table.to_dict("records")
    ]
    shown = pd.DataFrame(rows, columns=list(COLUMNS))
    return shown, "Activations A are log2 over starved. " + _drug(table), COLUMNS


def _agrees(matches: bool | None) -> str:
    return "–" if matches is None or pd.isna(matches) else "yes" if matches else "no"


def _drug(table: pd.DataFrame) -> str:
    drugs = [name for name in dict.fromkeys(table.get("drug", [])) if name]
    return f"Arf1 was taken away by {drugs[0]}." if drugs else "Arf1 was not taken away."


def activation(analysis: Analysis) -> Exhibit:
    """Activation per stimulus, genotype and drug with every experiment."""
    means = known(analysis.mtorc1_activation, "mtorc1_activation")
    means = means[means["target"].eq(names.PRIMARY)].copy()
    means["arm"] = means["genotype"] + ", " + means["drug"]
    first = means["genotype"].ne(names.WILD_TYPE), means["drug"].ne(names.VEHICLE)
    means = means.assign(g=first[0], d=first[1]).sort_values(["g", "genotype", "d", "drug"])
    stimuli = [
        name for name in [*names.STIMULUS_WORDS, names.ALL] if name in set(means["stimulus"])
    ]
    each = _each(analysis)
    fig, ax = style.figure(style.WIDTH, 3.6)
    plots.activation(each, means, stimuli, ax)
    caption = (
        "log2 of pS6K T389 over total S6K, less that of the starved lane of the same genotype, drug"
        " and experiment. Each point is an experiment; bar: mean with its 95 % interval, blocked by"
        " experiment. The effect of the drug in wild type alone proves nothing about Arf1."
    )
    return Exhibit("mtorc1_activation_figure", "Activation of mTORC1", caption, fig, each)


def _each(analysis: Analysis) -> pd.DataFrame:
    """Activation of every experiment."""
    lanes = known(analysis.signaling_ratios, "signaling_ratios")
    lanes = lanes[lanes["target"].eq(names.PRIMARY) & lanes["stimulus"].ne(names.REFERENCE)]
    keys = ["experiment", "genotype", "drug"]
    level = lanes.groupby([*keys, "stimulus"])["log2_scaled"].mean().reset_index()
    starved = level[level["stimulus"].eq(names.STARVED)].set_index(keys)["log2_scaled"]
    base = starved.reindex(pd.MultiIndex.from_frame(level[keys])).to_numpy()
    level["value"] = level["log2_scaled"] - base
    level["arm"] = level["genotype"] + ", " + level["drug"]
    kept = level["stimulus"].ne(names.STARVED) & level["value"].notna()
    return level.loc[kept, ["stimulus", "arm", "experiment", "value"]].reset_index(drop=True)


def divergence(analysis: Analysis) -> Exhibit:
    """RDI against ADI."""
    s, table = analysis.experiment.settings, known(analysis.mtorc1_divergence, "mtorc1_divergence")
    fig, ax = style.figure(5.0, 4.2)
    plots.divergence(table, ax, dependent=s.min_rdi_dependent, half=s.rdi_half, arf1=s.min_adi)
    caption = (
        "Bars: 95 % Fieller intervals, cut at the edge of the figure. Shaded: where the point of a"
        f" class has to lie (min_rdi_dependent = {s.min_rdi_dependent:g}, rdi_half = {s.rdi_half:g},"
        f" min_adi = {s.min_adi:g}); the class also asks for its interval. Open point: ADI has no"
        " interval, because nothing is left without Rag or Arf1 was not tested."
    )
    return Exhibit("mtorc1_rdi_adi", "Rag against Arf1", caption, fig, table)


def routes(analysis: Analysis) -> Exhibit:
    """The routes that this experiment supports."""
    table = known(analysis.mtorc1_divergence, "mtorc1_divergence")
    fig, ax = style.figure(style.WIDTH, 3.0)
    plots.routes(table, ax)
    caption = (
        "Each amino acid goes where this experiment puts it; two dashed arrows: partly through Rag."
        " Published: leucine and arginine through Rag; glutamine and asparagine without Rag, through"
        " Arf1 (Jewell 2015 Science 347:194; Meng 2020 J Biol Chem, doi 10.1074/jbc.AC119.011578)."
        " The source that lets glutamine need Rag is contradicted."
    )
    return Exhibit("mtorc1_routes_found", "Routes supported here", caption, fig)


def validity(analysis: Analysis) -> tuple:
    """Every rule of the assay, what failed first."""
    table = known(analysis.mtorc1_validity, "mtorc1_validity")
    order = table["verdict"].map({"fail": 0, "warn": 1, "info": 2, "pass": 3})
    table = table.iloc[order.argsort(kind="stable")].reset_index(drop=True)
    shown = table.assign(
        rule=table["rule"].str.replace("_", " "),
        value=[number(value) for value in table["value"]],
        limit=[number(value) for value in table["limit"]],
        said=(table["note"] + " " + table["advice"]).str.strip(),
    )
    return shown, "A broken rule takes the class away from all it concerns.", VALIDITY


def sensitivity(analysis: Analysis) -> Exhibit:
    """Change of every contrast by scaling, background and denominator."""
    table = known(analysis.mtorc1_sensitivity, "mtorc1_sensitivity")
    limit = analysis.experiment.settings.max_contrast_change_log2
    fig, ax = style.figure(style.WIDTH, 2.9)
    others = {name: words for name, words in CHOICES.items() if name != "reference"}
    plots.sensitivity(table[table["choice"].ne("reference")], others, ax, limit=limit)
    caption = (
        "Each point is a contrast: the activation of wild type, A(WT) − A(KO), A(KO) − A(KO, drug),"
        " or the starved knock-out less the starved wild type. Dashed: max_contrast_change_log2 ="
        f" {number(limit)}. Where starved and stimulated lanes stand on one gel, scaling changes only"
        " the last."
    )
    return Exhibit("mtorc1_sensitivity_figure", "What the contrasts depend on", caption, fig, table)


def membranes(analysis: Analysis) -> Exhibit:
    """Lanes of each membrane as measured."""
    table = known(analysis.signaling_ratios, "signaling_ratios")
    table = table[table["target"].eq(names.PRIMARY)]
    found = list(dict.fromkeys(table["membrane"]))
    shown = found[:_MOST]
    fig, axes = style.figure(style.WIDTH + 0.6, 2.3 * max(len(shown), 1), max(len(shown), 1), 1)
    axes = [axes] if len(shown) < 2 else list(axes.ravel())
    for ax, membrane in zip(axes, shown, strict=False):
        plots.lanes(table[table["membrane"].eq(membrane)], ax)
        ax.set_title(style.short(membrane, 40), fontsize=style.FONT, loc="left", color=style.INK)
    if shown:
        axes[0].legend(
            frameon=False,
            fontsize=style.FONT - 2,
            ncols=4,
            loc="lower right",
            bbox_to_anchor=(1, 1),
        )
    else:
        style.no_data(axes[0], "no lane holds pS6K T389")
    caption = "Lanes in the order of the table, before gels are put on one scale."
    if len(found) > _MOST:
        caption += f" The first {_MOST} of {len(found)} membranes are drawn; the table holds all."
    return Exhibit("mtorc1_lanes", "Lanes of each membrane", caption, fig, table)


def images(analysis: Analysis) -> list[Exhibit]:
    """What was measured on each blot image."""
    named = [
        replace(
            blot,
            bands=blot.bands.assign(
                cell_line=blot.bands["genotype"] + " " + blot.bands["stimulus"]
            ),
        )
        for blot in analysis.experiment.signaling_images
    ]
    return blots.measured(named, "mtorc1_blot")


def methods(analysis: Analysis) -> Iterable[str]:
    """How the numbers were made, with the settings in force."""
    s, study = analysis.experiment.settings, analysis.signaling
    yield (
        "A ratio is log2 of pS6K T389 over total S6K, both net of background. Gels of one experiment"
        " are put on one scale by least squares over the lanes they share (log y = arm + gel)."
    )
    yield (
        "Activation is stimulated less starved in the same genotype and drug, fitted as experiment +"
        " arm with one residual"
        + (f" (SD {number(study.model.residual_sd)} log2 per lane)" if study else "")
        + ". The paired t counts instead where its standard error is more than"
        f" {s.max_paired_se_ratio:g} times the pooled one. The unit is the experiment, never a lane."
    )
    yield (
        "RDI and ADI have Fieller intervals. Dependence on Rag: Holm p below"
        f" {s.alpha:g} (one-sided, over the stimuli), RDI {s.min_rdi_dependent:g} or more and its"
        f" lower 95 % bound {s.rdi_half:g} or more. Independence: the upper 90 % bound below"
        f" {s.rdi_half:g}, never a test that found nothing. Arf1: Holm p below {s.alpha:g} and ADI"
        f" {s.min_adi:g} or more."
    )
    yield (
        "Not told apart: brefeldin A also stresses the endoplasmic reticulum, glutamine becomes"
        " asparagine in cells with ASNS, and a knock-out clone adapts."
    )
