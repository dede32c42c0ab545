"""Exhibits of 03_asns_correlation, first half: what the blots show and how far they can be
trusted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kit.analysis import Analysis
from kit.asns.claims import at_most
from kit.experiment.load import MeasuredBlot
from kit.plots import asns as plots
from kit.plots import blot as drawings
from kit.plots import style
from kit.report.exhibits import Exhibit, Tabled, tabled
from kit.western.quantify import Western

WORST = ("fail", "warn", "info", "pass")
LINES = {"cell_line": "line", "lineage": "lineage", "class_range": "class", "percent_of_reference": "% of reference", "ci_low_percent": "95 % from",
         "ci_high_percent": "to", "n_lysates": "lysates", "class_probability": "P of class"}  # fmt: skip
QC = ("check", "verdict", "subject", "value", "rule", "advice")
LYSATES = {"cell_line": "line", "replicate": "lysate", "percent_of_reference": "% of reference", "class": "class", "mw_kDa": "mass (kDa)",
           "off_target_share": "off-target", "verdict": "verdict", "note": "note"}  # fmt: skip
INDUCED = {"cell_line": "line", "replicate": "lysate", "condition": "condition", "induction_log2": "ASNS, log2", "atf4_log2": "ATF4, log2",
           "response": "response"}  # fmt: skip
PERCENTS = dict.fromkeys(("percent_of_reference", "ci_low_percent", "ci_high_percent"), ".1f")
_PER_ROW = 2
_MOST = 8  # lanes shown as profiles, and membranes in a figure; the tables hold all


def levels(analysis: Analysis) -> Exhibit:
    """ASNS per line with every lysate."""
    settings, blotted = analysis.experiment.settings, analysis.western
    count = 1 if blotted is None else len(blotted.asns_lines)
    fig, ax = style.figure(style.WIDTH, max(1.6, 1.1 + 0.42 * count))
    if blotted is None:
        style.no_data(ax, "no western blot in this experiment: ASNS protein is not known")
    else:
        plots.levels(
            blotted.asns_protein,
            blotted.asns_lines,
            ax,
            low_percent=settings.asns_low_percent,
            high_percent=settings.asns_high_percent,
        )
    caption = (
        "Each point is an independent lysate, relative to the pooled reference lanes of its own"
        " membrane; bar: mean with its 95 % interval over lysates. The cut-offs (asns_low_percent"
        f" = {settings.asns_low_percent:g}, asns_high_percent = {settings.asns_high_percent:g}) are"
        " this kit's convention."
    )
    return Exhibit("asns_levels", "ASNS protein per line", caption, fig)


@tabled("asns_lines", PERCENTS)
def lines(analysis: Analysis) -> Tabled:
    """One row per line: class and how sure it is."""
    table = analysis.asns_lines
    if table is None or analysis.western is None:
        return None, "No blot, so no line has an ASNS class.", None
    known = table[table["n_lysates"].notna()]
    caption = (
        "The class is that of the mean; where the interval spans a cut-off both classes are named."
        " P: share of the t distribution within the class."
    )
    least = [
        str(name) for name, floored in zip(known["cell_line"], known["floored"]) if at_most(floored)
    ]
    if least:
        caption += (
            f" {', '.join(least)}: no lysate above"
            f" {analysis.experiment.settings.asns_floor_percent:g} %, so the line has <="
            f" {analysis.experiment.settings.asns_floor_percent:g} %."
        )
    return known, caption, LINES


@tabled("asns_protein", PERCENTS)
def lysates(analysis: Analysis) -> Tabled:
    """One row per line and lysate."""
    if analysis.asns_protein is None:
        return None, "No blot.", None
    return (
        analysis.asns_protein,
        "A lysate with a failed verdict is shown and not counted.",
        LYSATES,
    )


def membranes(analysis: Analysis) -> list[Exhibit]:
    """Ladder and lanes of every membrane; nothing without blots."""
    if analysis.western is None:
        return []
    ladders = (
        [_ladders(analysis, analysis.western)]
        if len(analysis.western.lanes) or analysis.western.ladders
        else []
    )
    return [*ladders, *([_lanes(analysis.western)] if len(analysis.western.lanes) else [])]


def _grid(count: int, height: float) -> tuple:
    rows = int(np.ceil(count / _PER_ROW))
    columns = min(_PER_ROW, count)
    fig, axes = style.figure(
        style.WIDTH + 0.6 if columns > 1 else 4.6, height * rows, rows, columns
    )
    flat = list(np.atleast_1d(axes).ravel())
    for ax in flat[count:]:
        ax.set_axis_off()
    return fig, flat[:count]


def _ladders(analysis: Analysis, blotted: Western) -> Exhibit:
    settings = analysis.experiment.settings
    names = list(dict.fromkeys([*blotted.lanes["membrane"].astype(str), *blotted.ladders]))
    shown = names[:_MOST]
    fig, axes = _grid(len(shown), 2.7)
    rf = _asns_rf(analysis)
    for ax, name in zip(axes, shown, strict=True):
        lanes = blotted.lanes[
            blotted.lanes["membrane"].astype(str).eq(name) & blotted.lanes["mw_kDa"].notna()
        ]
        at = lanes["lane"].astype(str).map(rf.get(name, {}))
        fit = blotted.ladders.get(name)
        drawings.ladder(
            fit,
            lanes,
            ax,
            expected_kDa=settings.asns_mw_kDa,
            tolerance_percent=settings.max_mw_error_percent,
            rf=at if len(at) and at.notna().all() else None,
        )
        ax.set_title(style.short(name, 30), fontsize=style.FONT, loc="left", color=style.INK)
        if ax is not axes[0]:
            ax.set_ylabel("")
    caption = (
        "Mass against migration. The band has to lie in the shaded range (max_mw_error_percent ="
        f" {settings.max_mw_error_percent:g}). The curve used is the one with the least error when"
        " one marker is left out." + _rest(names, "membranes")
    )
    return Exhibit("asns_ladders", "Ladder and ASNS band", caption, fig)


def _asns_rf(analysis: Analysis) -> dict[str, dict[str, float]]:
    """Rf of the ASNS band by membrane and lane, where the table has one."""
    bands = analysis.experiment.bands
    if bands is None:
        return {}
    own = bands[bands["target"].eq("ASNS") & bands["rf"].notna()].drop_duplicates(
        ["membrane", "lane"]
    )
    return {
        str(name): dict(zip(rows["lane"].astype(str), rows["rf"], strict=True))
        for name, rows in own.groupby("membrane", sort=False)
    }


def _lanes(blotted: Western) -> Exhibit:
    names = list(dict.fromkeys(blotted.lanes["membrane"]))
    shown = names[:_MOST]
    fig, axes = _grid(len(shown), 2.6)
    for ax, name in zip(axes, shown, strict=True):
        drawings.band_dots(
            blotted.lanes[
                blotted.lanes["membrane"].eq(name) & blotted.lanes["lane_role"].ne("dilution")
            ],
            ax,
        )
        ax.set_title(style.short(name, 30), fontsize=style.FONT, loc="left", color=style.INK)
    caption = (
        "Lanes in the order of the gel, ASNS over total protein (or the loading control) in percent"
        " of the reference lanes. A cross is a lane that cannot be quantified."
    )
    return Exhibit(
        "asns_lanes", "Lane by lane", caption + _rest(names, "membranes"), fig, blotted.lanes
    )


def images(analysis: Analysis) -> list[Exhibit]:
    """What was measured on each blot image: an overlay and the lane profiles."""
    return measured(analysis.experiment.blot_images, "blot")


def measured(blots: Sequence[MeasuredBlot], stem: str) -> list[Exhibit]:
    """An overlay and the lane profiles of each image; `stem` begins their names."""
    return [
        exhibit
        for number, blot in enumerate(blots, start=1)
        for exhibit in _image(f"{stem}_{number}", blot)
    ]


def _image(name: str, blot: MeasuredBlot) -> list[Exhibit]:
    height, width = blot.image.pixels.shape
    fig, ax = style.figure(
        style.WIDTH, float(np.clip(style.WIDTH * height / width, 2.0, 6.0)) + 0.6
    )
    drawings.overlay(blot.image, blot.bands, ax)
    turned = "; turned over, bands were dark" if blot.image.inverted else ""
    caption = (
        f"{blot.image.name}, {blot.image.bits} bit{turned}. A box is a band that was integrated;"
        " grey levels are shown by their root, so that faint bands are seen."
    )
    found = [Exhibit(f"{name}_overlay", "What was measured", caption, fig, blot.bands, kind="png")]
    lanes = list(dict.fromkeys(blot.bands["lane"]))
    shown = blot.bands[blot.bands["lane"].isin(lanes[:_MOST])]
    fig, axes = _profile_axes(min(len(lanes), _MOST))
    drawings.lane_profiles(blot.image, shown, axes)
    caption = (
        "Mean grey level down each lane; the coloured area above the line under it is the band's"
        " volume." + _rest(lanes, "lanes")
    )
    return [*found, Exhibit(f"{name}_profiles", "Lane profiles", caption, fig)]


def _profile_axes(count: int) -> tuple:
    columns = min(4, count)
    rows = int(np.ceil(count / columns))
    fig, axes = style.figure(style.WIDTH + 0.6, 1.9 * rows + 0.2, rows, columns)
    flat = list(np.atleast_1d(axes).ravel())
    for ax in flat[count:]:
        ax.set_axis_off()
    return fig, flat[:count]


def _rest(names: list, what: str) -> str:
    return (
        f" The first {_MOST} of {len(names)} {what} are drawn; the tables hold all."
        if len(names) > _MOST
        else ""
    )


@tabled("western_qc")
def quality(analysis: Analysis) -> Tabled:
    """Every rule of the blots, what failed first."""
    table = analysis.western_qc
    if table is None:
        return None, "No blot to judge.", None
    ordered = table.iloc[table["verdict"].map(WORST.index).argsort(kind="stable")].reset_index(
        drop=True
    )
    counts = ", ".join(
        f"{count} {name}" for name in WORST if (count := int(table["verdict"].eq(name).sum()))
    )
    columns = QC if ordered["advice"].ne("").any() else QC[:-1]
    return ordered, f"W01 to W14: {counts}.", columns


@tabled("asns_induction")
def induction(analysis: Analysis) -> Tabled:
    """What asparagine loss did to ASNS, per line and lysate."""
    table = None if analysis.western is None else analysis.western.asns_induction
    if table is None or table.empty:
        return (
            None,
            "Induction was not measured: no line has a basal and a starved lane on one membrane.",
            None,
        )
    least = analysis.experiment.settings.min_induction_log2
    caption = (
        f"log2 against the line's basal lane on the same membrane; a rise is {least:g} or more."
        " ATF4 up and ASNS up: competent. ATF4 up and ASNS flat: silenced, which predicts"
        " auxotrophy. ATF4 flat: the stimulus failed."
    )
    return table, caption, INDUCED


@tabled("expression")
def mrna(analysis: Analysis) -> Tabled:
    """mRNA (and other expression values) per line and lysate."""
    table = analysis.experiment.mrna
    if table is None:
        return None, "No mRNA in this experiment.", None
    wanted = (
        "cell_line",
        "replicate",
        "kind",
        "value",
        "n_wells",
        "technical_sd",
        "verdict",
        "note",
        "file",
    )
    return (
        table,
        "log2 values; `value` of a qPCR file is minus delta-delta Cq.",
        tuple(name for name in wanted if name in table),
    )
