"""Exhibits of 02_dropout_analysis: the call, growth, contrasts, rescue, certainty (death: see
`death`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kit.analysis import Analysis
from kit.calls import calls
from kit.core import reference
from kit.core.columns import known
from kit.plates import growth as growing
from kit.plates.readouts import call_arms, wells_of
from kit.plots import evidence, style
from kit.plots import growth as plots
from kit.plots import pathways as drawings
from kit.report.exhibits import Exhibit, Tabled, tabled
from kit.report.markup import Cell
from kit.report.methods import methods_text

SHORT = {"asparagine": "Asn", "glutamine": "Gln", "serine": "Ser"}


def media_colors(
    analysis: Analysis, roles: tuple[str, ...] = ("dropout", "rescue")
) -> dict[str, str]:
    """A colour per medium: its amino acid's for a dropout, a light blue for a rescue, grey
    otherwise.
    """
    found: dict[str, str] = {}
    spare = iter(style.CYCLE[3:])
    for name, medium in analysis.experiment.config.media.items():
        if medium.role in roles:
            rescue = medium.role == "rescue"
            color = style.SKY if rescue else style.AMINO_ACID.get(str(medium.removes), "")
            found[name] = (
                color if color and color not in found.values() else next(spare, style.GREY)
            )
    return found


def _span(value: float, low: float, high: float, digits: int = 2) -> str:
    if pd.isna(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text if pd.isna(low) else f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def call_table(analysis: Analysis) -> Tabled:
    """`call_overview` with its caption."""
    s = analysis.experiment.settings
    caption = (
        f"GR: 1 grows as control, 0 stasis, below 0 loss; cut-offs {s.gr_auxotroph:g} and"
        f" {s.gr_prototroph:g}. SA: share of control's living cells lost, cut-offs {s.sa_low:g} and"
        f" {s.sa_high:g}. Brackets: 95 % intervals over biological replicates. P: probability of"
        " the call."
    )
    return call_overview(analysis), caption


def call_cards(analysis: Analysis) -> Exhibit:
    """The first screen's matrix: a card per line and amino acid, its caption, and the same as a
    table.
    """
    table, caption = call_table(analysis)
    if table is None or analysis.calls is None:
        caption = "No line could be called: growth was not measured in a dropout medium."
        return Exhibit("call_table", "", caption, cards={})
    cards = {}
    narrow = len(set(table["without"])) == 1  # one wide card a line: fewer, longer lines
    for call, row in zip(analysis.calls.to_dict("records"), table.to_dict("records"), strict=True):
        sure = row["confidence"] + (
            f", P {call['probability']:.2f}" if np.isfinite(call["probability"]) else ""
        )
        beside = [
            f"rescue {row['rescue']}" if call["rescue"] else "no rescue",
            *([source] if (source := _source(call)) else []),
        ]
        numbers = [f"GR {row['GR [95 %]']}", f"SA {row['SA [95 %]']}"]
        lines = (
            ["; ".join([sure, *beside]), ", ".join(numbers)]
            if narrow
            else [sure, *numbers, *beside]
        )
        column = f"without {row['without']}"
        column = column if (row["line"], column) not in cards else f"{column} ({call['medium']})"
        cards[row["line"], column] = Cell(
            call["call"], _call(call["call"], ""), lines, str(call["subtype"]).replace("_", " ")
        )
    return Exhibit("call_table", "", caption, table=table, cards=cards)


def _source(call: dict) -> str:
    """`source agrees`, `source (disputed) expects auxotrophic`, or nothing where it is silent."""
    if not call["prior"]:
        return ""
    who = "source (disputed)" if call["prior_disputed"] is True else "source"
    return (
        f"{who} agrees"
        if call["matches_prior"] is True
        else f"{who} expects {str(call['prior']).replace('_', ' ')}"
    )


def call_overview(analysis: Analysis) -> pd.DataFrame | None:
    """The first screen's table: line, amino acid, call, confidence, GR and SA with intervals,
    rescue, agreement with the source.
    """
    calls = analysis.calls
    if calls is None or calls.empty:
        return None
    sources = []
    for prior, disputed, matches in zip(
        calls["prior"], calls["prior_disputed"], calls["matches_prior"], strict=True
    ):
        text = str(prior).replace("_", " ") if prior else "–"
        text += " (disputed)" if disputed is True else ""
        sources.append(
            text
            + (
                ""
                if matches is None or pd.isna(matches)
                else ": agrees"
                if matches
                else ": differs"
            )
        )
    return pd.DataFrame(
        {
            "line": calls["cell_line"],
            "without": calls["amino_acid"],
            "call": [
                _call(call, sub) for call, sub in zip(calls["call"], calls["subtype"], strict=True)
            ],
            "confidence": [
                "exploratory" if few else text
                for few, text in zip(calls["exploratory"], calls["confidence"], strict=True)
            ],
            "P": calls["probability"].round(2),
            "GR [95 %]": [
                _span(*row) for row in calls[["gr", "gr_ci_low", "gr_ci_high"]].to_numpy(float)
            ],
            "SA [95 %]": [
                _span(*row)
                for row in calls[["specific_apoptosis", "sa_ci_low", "sa_ci_high"]].to_numpy(float)
            ],
            "rescue": [str(text).replace("_", " ") or "–" for text in calls["rescue"]],
            "source expects": sources,
        }
    )


def _call(call: str, subtype: str) -> str:
    text = str(call).replace("_", " ")
    return f"{text}, {subtype.replace('_', ' ')}" if subtype else text


def reasons(analysis: Analysis) -> list[str]:
    """One sentence-list per call: `MOLT-4 without asparagine: ...`."""
    if analysis.calls is None:
        return []
    return [
        f"{row['cell_line']} without {row['amino_acid']}: {_call(row['call'], row['subtype'])}."
        f" {row['reasons']}"
        for row in analysis.calls.to_dict("records")
    ]


def overview(analysis: Analysis) -> Exhibit:
    """The one SuperPlot of the first screen: GR of every line and medium, or relative viability
    where there is no GR.
    """
    config, settings = analysis.experiment.config, analysis.experiment.settings
    arms = call_arms(known(analysis.growth, "growth"), config)
    y = "gr" if arms["gr"].notna().any() else "relative_viability"
    rows = style.chunks([line for line in config.cell_lines if line in set(arms["cell_line"])], 12)
    few = len(config.cell_lines) <= 6
    width = 4.6 if len(rows) == 1 else style.WIDTH  # the first screen shows it at this size
    height = 3.5 if few else 4.2 if len(rows) == 1 else 2.8 * len(rows)
    fig, axes = style.figure(width, height, len(rows), 1, sharey=True)
    wells = growing.per_well(known(analysis.wells, "wells"), arms) if len(arms) else None
    for ax, lines in zip(np.atleast_1d(axes).flat, rows):
        colors = media_colors(analysis)
        plots.overview(arms, settings, ax, lines=lines, media=colors, y=y, wells=wells)
    caption = (
        "Small points are wells (not n), markers biological replicates (shape: which), bars their"
        " means, dashed lines the cut-offs of the call."
    )
    return Exhibit(
        "overview",
        f"{plots.LABEL[y][0].upper()}{plots.LABEL[y][1:]} by line and medium",
        caption,
        fig,
        arms,
    )


def superplots(analysis: Analysis, y: str = "gr") -> Exhibit:
    """One panel per line: wells faint, biological replicates plain."""
    config, settings = analysis.experiment.config, analysis.experiment.settings
    table = known(analysis.growth, "growth")
    arms = call_arms(table, config)
    wells = growing.per_well(known(analysis.wells, "wells"), table)
    lines = [line for line in config.cell_lines if line in set(arms["cell_line"])] or ["no line"]
    columns = min(2, len(lines))
    rows = int(np.ceil(len(lines) / columns))
    fig, axes = style.figure(style.WIDTH + 0.6, 2.6 * rows + 0.2, rows, columns, sharey=True)
    flat = np.atleast_1d(axes).ravel()
    for index, (ax, line) in enumerate(zip(flat, lines, strict=False)):
        keep = arms["cell_line"].eq(line)
        few = wells_of(wells, arms[keep])
        plots.superplot(
            arms[keep],
            few,
            settings,
            ax,
            y=y,
            media=[medium for medium in config.media],
            named_limits=index % columns == columns - 1,
        )
        ax.set_title(style.text(line), fontsize=style.FONT, loc="left", color=style.INK)
        if index % columns:
            ax.set_ylabel("")
    for ax in flat[len(lines) :]:
        ax.set_axis_off()
    caption = (
        "Grey points are wells (not n), markers biological replicates, bars their means. Each"
        " marker shape is one replicate throughout."
    )
    return Exhibit(
        f"superplot_{y}",
        f"{plots.LABEL[y][0].upper()}{plots.LABEL[y][1:]} per line",
        caption,
        fig,
        arms,
    )


def doublings(analysis: Analysis) -> Exhibit:
    """Growth of control per line."""
    growth, settings = known(analysis.growth, "growth"), analysis.experiment.settings
    measured = set(growth["cell_line"])
    lines = [line for line in analysis.experiment.config.cell_lines if line in measured]
    rows = style.chunks(lines, 14)
    fig, axes = style.figure(5.6, 2.6 * len(rows), len(rows), 1, sharey=True)
    for ax, names in zip(np.atleast_1d(axes).flat, rows):
        plots.control_doublings(growth, settings, ax, names)
    caption = (
        "GR compares growth with control's, so control has to grow. Hollow markers rest on a given"
        " doubling time instead of a 0 h plate."
    )
    return Exhibit("control_doublings", "Doublings of control", caption, fig)


def forest(analysis: Analysis) -> Exhibit:
    """Contrasts against control, and of rescue."""
    effects = analysis.effects
    rows = (
        None
        if effects is None
        else effects[effects["family"].isin(["dropout", "rescue"]) & effects["scale"].eq("log2_fc")]
    )
    count = 1 if rows is None else len(rows)
    fig, ax = style.figure(
        style.WIDTH,
        max(2.0, 0.6 + 0.24 * (count + 0.7 * (1 if rows is None else rows["cell_line"].nunique()))),
    )
    if rows is None:
        style.no_data(ax, "no contrast could be formed")
    else:
        plots.forest(rows, ax, media_colors(analysis))
    caption = (
        "Difference of means over biological replicates; 95 % intervals hold together within a"
        " line's family: Dunnett's for dropouts, Bonferroni's"
        " for rescues. The p of rescues is Holm's, which is less strict: it can be below 0.05 where"
        " the interval includes 0. Hollow: fewer than three replicates, nothing tested."
    )
    return Exhibit("effects_forest", "Contrasts on log2 signal", caption, fig)


EFFECTS = (
    "cell_line",
    "contrast",
    "scale",
    "estimate",
    "ci_low",
    "ci_high",
    "p_adjusted",
    "q_across_lines",
    "n_replicates",
    "mde_log2",
    "family",
)
RESCUE = (
    "cell_line",
    "restores",
    "class",
    "superiority_p",
    "tost_p",
    "rescue_index",
    "ci_low",
    "ci_high",
    "n_replicates",
    "note",
)


@tabled("effects")
def effects(analysis: Analysis) -> Tabled:
    """Every contrast with its family and adjustment, and what it could have found."""
    table = analysis.effects
    if table is None or table.empty:
        return (
            None,
            "Contrasts need a control, a dropout and a biological replicate that has both.",
            None,
        )
    if not table["p"].notna().any():
        least = analysis.experiment.settings.min_replicates
        return (
            table,
            (
                f"Estimates alone: nothing was tested, since no contrast has {least} biological"
                " replicates (n)."
            ),
            EFFECTS,
        )
    text = (
        "n is the number of biological replicates. p adjusted: Dunnett or Holm within the family,"
        " which tables/effects.csv names in full with the unadjusted p; q: Benjamini-Hochberg"
        " across lines. Beside Holm's p stands Bonferroni's interval, which is wider: it can"
        " include 0 where the adjusted p is below 0.05, and then p decides."
    )
    return table, f"{text}{_power(table)}", EFFECTS


def _power(table: pd.DataFrame) -> str:
    """From which difference on each family would have been found, and in which line that is
    worst.
    """
    known_mde = table[table["mde_log2"].notna() & table["family"].isin(["dropout", "rescue"])]
    found = []
    for family, rows in known_mde.groupby("family", sort=False):
        worst = rows.groupby("cell_line", sort=False)["mde_log2"].max().sort_values()
        each = [f"{line} {value:.2f}" for line, value in worst.items()]
        found.append(
            f"{family} {', '.join(each)}"
            if len(each) <= 4
            else f"{family} {each[0]} to {each[-1]} ({len(each)} lines)"
        )
    if not found:
        return ""
    return (
        " With the spread seen, differences are found with 80 % power from (log2; the least"
        f" favourable contrast of each line): {'; '.join(found)}. Column mde log2: each contrast's"
        " own."
    )


def rescue_figure(analysis: Analysis) -> Exhibit:
    """Equivalence with control and the rescue index, side by side."""
    rescue = known(analysis.rescue, "rescue")
    count = len(rescue)
    fig, axes = style.figure(style.WIDTH + 0.6, max(1.9, 1.0 + 0.3 * count), 1, 2)
    if not count:
        style.no_data(axes[0, 0], "no rescue medium was measured")
        axes[0, 1].set_axis_off()
    else:
        evidence.equivalence(rescue, analysis.experiment.settings, axes[0, 0])
        evidence.index(rescue, analysis.experiment.settings, axes[0, 1])
    caption = (
        "Left: inside the green band rescue is equivalent to control. Right: share of the lost GR"
        " that comes back; none is formed where little was lost."
    )
    return Exhibit("rescue_figure", "Rescue", caption, fig)


@tabled("rescue")
def rescue(analysis: Analysis) -> Tabled:
    """The rescue table with its caption."""
    table = analysis.rescue
    if table is None or table.empty:
        return None, "No medium of role rescue was measured.", None
    caption = (
        "Full: better than the dropout and equivalent to control. Likely full: index high,"
        " equivalence unproven (usual with three replicates)."
    )
    return table, caption, RESCUE


def certainty(analysis: Analysis) -> Exhibit:
    """One panel per call: posterior draws over growth and death."""
    settings = analysis.experiment.settings
    rows = [] if analysis.calls is None else analysis.calls.to_dict("records")
    found = [(row, item) for row, item in zip(rows, analysis.evidence, strict=True) if len(item.gr)]
    columns = min(3, max(len(found), 1))
    count = max(1, int(np.ceil(len(found) / columns)))
    fig, axes = style.figure(style.WIDTH + 0.4, 1.75 * count + 0.2, count, columns)
    flat = np.atleast_1d(axes).ravel()
    for ax, (row, item) in zip(flat, found, strict=False):
        draws = calls.draws(item, settings)
        share = f", P {row['probability']:.2f}" if np.isfinite(row["probability"]) else ""
        title = (
            f"{style.short(row['cell_line'], 12)} −{SHORT[row['amino_acid']]}:"
            f" {_call(row['call'], '').replace('partially', 'part.')}{share}"
        )
        evidence.cloud(*draws, settings, ax, title=title, points=item.points)
        ax.tick_params(labelsize=6.5)
    for ax in flat[len(found) :]:
        ax.set_axis_off()
    if not found:
        style.no_data(flat[0], "no call rests on a GR value")
    else:
        fig.supxlabel("GR", fontsize=style.FONT - 1)
        fig.supylabel(
            (
                "specific Annexin V+ (fraction)"
                if any(item.sa is not None for _, item in found)
                else "posterior draws"
            ),
            fontsize=style.FONT - 1,
        )
    lacking = any(item.sa is None for _, item in found)
    caption = (
        "Dots are posterior draws of the mean, dark points replicates. Red area: auxotrophic or"
        " dependent; green: prototrophic; white: partial."
        f" {'Where death was not assessed, bars are the draws of the mean GR and the dashed lines its cut-offs. ' if lacking else ''}Confident"
        f" needs P of {settings.min_probability_confident:g} and the same class when cut-offs move"
        f" by {settings.cutoff_shift:g}."
    )
    return Exhibit("certainty", "Certainty of the calls", caption, fig, kind="png")


def background(analysis: Analysis) -> list[Exhibit]:
    """The source's tables with their citations and corrections."""
    lines = set(analysis.experiment.config.cell_lines)
    priors = reference.priors()
    here = priors[priors["cell_line"].isin(lines)]
    tables = {
        "amino_acid_roles": (
            reference.amino_acid_roles(),
            "Asparagine, glutamine and serine compared; corrections where the literature"
            " disagrees with the source.",
        ),
        "treatment_groups": (
            reference.treatment_groups(),
            "Groups and concentrations of the source protocol.",
        ),
        "sensitivity_profile": (
            here if len(here) else priors,
            "What the source expects of these lines. Disputed entries are marked; a mismatch"
            " informs and never fails.",
        ),
        "claims": (
            reference.claims(),
            "Claims of the source beside what the literature supports.",
        ),
    }
    return [Exhibit(name, "", text, table=table) for name, (table, text) in tables.items()]


def pathways() -> list[Exhibit]:
    """Two pictures: the routes to mTORC1, and the exchange-factor hypothesis."""
    found = []
    for name, title, draw in (
        ("mtorc1_routes", "Routes to mTORC1", drawings.mtorc1_routes),
        ("exchange_factor", "Exchange-factor hypothesis", drawings.exchange_factor),
    ):
        fig, ax = style.figure(style.WIDTH, 3.0)
        draw(ax)
        found.append(Exhibit(name, title, drawings.CAPTIONS[name], fig, data=False))
    return found


def methods(analysis: Analysis) -> list[str]:
    """How the numbers were made, with the settings in force."""
    return methods_text(analysis)
