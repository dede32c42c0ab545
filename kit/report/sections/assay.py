"""Exhibits of 01_assay_qc: plates, controls, position, replicates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kit.analysis import Analysis
from kit.core.columns import known
from kit.core.findings import title, worst
from kit.plates.findings import quality_findings
from kit.plots import plates, style
from kit.report.exhibits import Banner, Exhibit, Tabled, tabled

GLANCE = ("z_prime", "ssmd", "signal_to_background", "cv_control_percent", "edge_effect_percent", "row_drift_percent", "column_drift_percent",
          "missing_wells_percent")  # fmt: skip
WORST = ("fail", "warn", "pass", "info")
SAID = {"fail": "failed", "warn": "warned", "pass": "passed", "info": "not judged"}
MOST = 8  # plates named above the table


def verdict(analysis: Analysis) -> Banner | None:
    """What quality control says of the plates: the worst verdict, and each plate that does not
    pass with its causes. None where no plate was read.
    """
    table = analysis.plate_verdicts
    if table is None:
        return None
    counts = table["verdict"].value_counts()
    facts = [f"{counts[name]} {SAID[name]}" for name in WORST if name in counts]
    bad = table[table["verdict"].isin(["fail", "warn"])]
    reasons = [
        f"{plate} {SAID[verdict]}: {_causes(because)}"
        for verdict in ("fail", "warn")
        for plate, because in bad.loc[bad["verdict"].eq(verdict), ["plate", "because"]].to_numpy()
    ]
    more = [f"{len(reasons) - MOST} more: see the table below."] if len(reasons) > MOST else []
    head = f"{len(table)} plate{'s' * (len(table) != 1)}"
    found = quality_findings(known(analysis.plate_qc, "plate_qc"))
    todo = list(dict.fromkeys(finding.remedy for finding in found if finding.remedy))
    return Banner(worst(table["verdict"]), [*reasons[:MOST], *more], todo, head, facts)


def _causes(because: str) -> str:
    """Names of metrics, as the table has them, in words."""
    names = [title(name) for name in because.split("; ") if name]
    return f"{', '.join(names) or 'see the table below'}."


@tabled("plates_at_a_glance")
def glance(analysis: Analysis) -> Tabled:
    """`plate_overview` with its caption and headings."""
    table = plate_overview(analysis)
    return (
        (table if len(table) else None),
        "Key metrics per plate.",
        {str(name): GLANCE_HEADINGS.get(str(name), str(name).replace("_", " ")) for name in table},
    )


def plate_overview(analysis: Analysis) -> pd.DataFrame:
    """One row per plate: verdict, what caused it, and the key metrics (the worst where a plate
    carries several lines).
    """
    qc = analysis.plate_qc
    if qc is None or analysis.plate_verdicts is None:
        return pd.DataFrame()
    key = qc[qc["metric"].isin(GLANCE)]
    order = key.assign(rank=key["verdict"].map(WORST.index)).sort_values("rank", kind="stable")
    values = order.drop_duplicates(["plate", "metric"]).pivot_table(
        index="plate", columns="metric", values="value", dropna=False
    )
    values = values.reindex(columns=[name for name in GLANCE if name in values])
    verdicts = analysis.plate_verdicts.set_index("plate")
    because = verdicts["because"].map(
        lambda names: ", ".join(title(name) for name in names.split("; ") if name)
    )
    table = pd.concat(
        [verdicts[["verdict"]], because.rename("because"), values], axis=1
    ).reset_index()
    facts = {plate.plate: plate for plate in analysis.experiment.config.plates}
    table.insert(1, "readout", [facts[name].readout for name in table["plate"]])
    table.insert(2, "hours", [facts[name].hours for name in table["plate"]])
    table.insert(3, "replicate", [facts[name].replicate for name in table["plate"]])
    return table.iloc[table["verdict"].map(WORST.index).argsort(kind="stable")].reset_index(
        drop=True
    )


GLANCE_HEADINGS = {"z_prime": "Z'", "ssmd": "SSMD", "signal_to_background": "S/B", "cv_control_percent": "control CV %", "edge_effect_percent": "edge %",
                   "row_drift_percent": "row drift %", "column_drift_percent": "column drift %", "missing_wells_percent": "missing %"}  # fmt: skip


DETAILS = (
    "plate",
    "cell_line",
    "medium",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "verdict",
    "limit_pass",
    "limit_fail",
    "note",
)


@tabled("plate_qc")
def qc_details(analysis: Analysis) -> Tabled:
    """`plate_qc` with what failed first."""
    qc = analysis.plate_qc
    if qc is None:
        return None, "No plates.", None
    return (
        qc.iloc[qc["verdict"].map(WORST.index).argsort(kind="stable")].reset_index(drop=True),
        "What failed comes first.",
        DETAILS,
    )


def heatmaps(analysis: Analysis, kind: str) -> Exhibit:
    """All plates on one scale: raw signal, or deviation from wells treated alike."""
    wells = known(analysis.wells, "wells")
    if kind == "raw":
        caption = (
            "What the reader wrote, all plates on one logarithmic scale. A cross is an excluded"
            " well, a ring a missing or saturated one."
        )
        return Exhibit(
            "plates_raw", "Raw signal", caption, plates.heatmaps(wells, "raw"), kind="png"
        )
    caption = (
        "Each sample well against the mean of the wells treated alike on its plate. Good plates"
        " look like noise; a frame, a stripe or a slope is an effect of position."
    )
    return Exhibit(
        "plates_residual",
        "Deviation by position",
        caption,
        plates.heatmaps(wells, "residual"),
        kind="png",
    )


def controls(analysis: Analysis) -> Exhibit:
    """Control, killed and blank wells per plate."""
    wells = known(analysis.wells, "wells")
    rows = style.chunks(list(dict.fromkeys(wells["plate"])), 40)
    width = max(4.5, min(style.WIDTH + 1.6, 1.2 + 0.33 * len(rows[0])))
    fig, axes = style.figure(width, 3.6 * len(rows), len(rows), 1, sharey=True)
    for ax, names in zip(np.atleast_1d(axes).flat, rows):
        part = wells[wells["plate"].isin(names)]
        plates.control_distributions(part, analysis.experiment.config.control_medium, ax)
    settings = analysis.experiment.settings
    caption = (
        "Each point is a well. Z' asks that control and killed wells lie far apart for their"
        f" spread (min_z_prime = {settings.min_z_prime:g})."
    )
    return Exhibit("controls", "Control, killed and blank wells", caption, fig)


def drift(analysis: Analysis) -> Exhibit:
    """Mean deviation per row and column."""
    fig, axes = style.figure(style.WIDTH, 2.7, 1, 2, sharey=True)
    for ax, axis in zip(axes[0], ("row", "column"), strict=True):
        plates.drift(known(analysis.wells, "wells"), axis, analysis.experiment.settings, ax)
    axes[0, 1].set_ylabel("")
    caption = (
        "Thin lines are plates, the thick one their mean. A slope is drift (seeding order,"
        " reagent), raised or sunken ends are an edge effect."
    )
    return Exhibit("drift", "Drift over rows and columns", caption, fig)


def replicates(analysis: Analysis) -> Exhibit:
    """Biological replicates against each other."""
    fig, ax = style.figure(5.6, 3.6)
    plates.replicate_agreement(known(analysis.growth, "growth"), ax)
    caption = (
        "Each point is one medium in one biological replicate; on the diagonal the replicates"
        " agree."
    )
    return Exhibit("replicate_agreement", "Agreement of biological replicates", caption, fig)


@tabled("left_out")
def left_out(analysis: Analysis) -> Tabled:
    """Wells that were excluded by hand, and wells without a value, with the reason; flagged
    outliers stay in and are listed too.
    """
    wells, caption = analysis.wells, "No well is dropped without a line here."
    if wells is None:
        return pd.DataFrame(), caption
    lost = wells["signal"].isna() & wells["role"].ne("empty")
    rows = wells[wells["excluded"] | lost | wells["outlier"]].copy()
    rows["status"] = [
        "excluded" if excluded else (flag or "missing") if missing else "outlier, kept"
        for excluded, missing, flag in zip(
            rows["excluded"], lost[rows.index], rows["flag"], strict=True
        )
    ]
    who = analysis.experiment.exclusions[["plate", "well", "by", "at"]]
    rows = rows.merge(who, on=["plate", "well"], how="left", validate="many_to_one")
    columns = ("plate", "well", "cell_line", "medium", "role", "signal", "status")
    return rows[[*columns, "exclusion_reason", "by", "at"]], caption
