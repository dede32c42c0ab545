"""Plate quality as sentences for the first screen: what was missed, what could not be estimated,
and what is only noted.
"""

from __future__ import annotations

import pandas as pd

from kit.core.findings import Finding, some, told

LABEL = {
    "z_prime": "Z'",
    "robust_z_prime": "robust Z'",
    "ssmd": "SSMD",
    "signal_to_background": "signal to background",
    "signal_to_noise": "signal to noise",
    "cv_control_percent": "CV of control wells",
    "cv_group_percent": "CV of a group's wells",
    "sd_group_points": "SD of a group's wells",
    "cv_blank_percent": "CV of blanks",
    "blank_disagreement_percent": "disagreement of the media's blanks",
    "media_without_blank": "media without own blanks",
    "edge_effect_percent": "edge effect",
    "row_drift_percent": "row drift",
    "column_drift_percent": "column drift",
    "missing_wells_percent": "missing wells",
    "saturated_control_wells": "saturated control wells",
    "volume_loss_percent": "volume loss",
    "linearity_slope": "slope of the cell-number series",
    "linearity_r2": "R2 of the cell-number series",
}
REMEDY = {
    "z_prime": (
        "Check pipetting of control and killed wells; raise the cell number per well if the signal"
        " is low."
    ),
    "ssmd": "Check that the kill agent kills, and the spread of the control wells.",
    "signal_to_background": (
        "Seed more cells or check the reagent: the signal is too close to the blanks."
    ),
    "signal_to_noise": "Look for a stray blank well; the blanks vary too much for this signal.",
    "cv_control_percent": (
        "Mix the cell suspension while seeding and check the multichannel pipette."
    ),
    "cv_group_percent": "Look at the residual heatmap for single wells; more wells per group help.",
    "edge_effect_percent": (
        "Leave the outer ring as buffer, and equilibrate plates at room temperature before"
        " incubating."
    ),
    "row_drift_percent": (
        "Shorten seeding per plate, mix cells between rows, and randomise the layout."
    ),
    "column_drift_percent": (
        "Shorten seeding per plate, mix cells between columns, and randomise the layout."
    ),
    "missing_wells_percent": "Read the plate again, or repeat it.",
    "saturated_control_wells": (
        "Lower the gain or integration time, or seed fewer cells: the detector is saturated."
    ),
    "cv_blank_percent": "Look for a contaminated or mis-pipetted blank well.",
    "media_without_blank": "Add three blank wells (medium and reagent, no cells) for every medium.",
    "blank_disagreement_percent": "Prepare blanks for each medium from the same reagent lot.",
    "sd_group_points": "Look at the residual heatmap for single wells; more wells per group help.",
    "linearity_slope": "Seed within the range in which the signal follows the cell number.",
    "linearity_r2": "Repeat the cell-number series; its wells stray from one line.",
    "volume_loss_percent": "Humidify the incubator, and leave the outer ring as buffer.",
}
TOO_LITTLE = {
    "z_prime": (
        "Give every line at least as many control wells and killed wells a plate as Z' needs."
    ),
    "ssmd": (
        "Give every line at least as many control wells and killed wells a plate as SSMD needs."
    ),
    "signal_to_background": (
        "Add control wells and at least two blank wells (medium and reagent, no cells) to every"
        " plate."
    ),
    "signal_to_noise": "Add control wells and at least two blank wells that were read one by one.",
    "cv_control_percent": "Put several control wells of every line on each plate.",
    "cv_blank_percent": "Add three blank wells (medium and reagent, no cells) for every medium.",
}
"""What to do where a metric could not be estimated: never the advice for a bad value."""
NOTED = {
    "z_prime": (
        "Add killed wells to every plate; against blanks Z' and SSMD show an optimistic window."
    ),
    "ssmd": "Add killed wells to every plate; against blanks SSMD shows an optimistic window.",
    "cv_group_percent": "Give every group at least four wells.",
}
"""What to do where a value keeps its limit and yet warns, for the reason in its note."""
HIGHER_IS_BETTER = (
    "z_prime",
    "robust_z_prime",
    "ssmd",
    "signal_to_background",
    "signal_to_noise",
    "linearity_r2",
)
RANGE = "linearity_slope"  # has a lower and an upper limit, which its note names
SIGNED = "edge_effect_percent"  # its limit holds for both signs


def quality_findings(qc: pd.DataFrame) -> list[Finding]:
    """Failed and doubtful metrics, naming the plates and the worst value.

    One finding per metric, severity and kind of trouble: a value beyond its limit is told with the
    limit; one that keeps it, and one that
    could not be formed, with the note that says why the row warns.
    """
    bad = qc[qc["verdict"].isin(["warn", "fail"])]
    if bad.empty:
        return []
    judged = bad.assign(kind=[_kind(row) for row in bad.to_dict("records")])
    judged = judged[~_said_by_z_prime(judged)]
    groups = judged.groupby(["verdict", "metric", "kind"], sort=False)
    return [
        _finding(str(verdict), str(metric), str(kind), rows)
        for (verdict, metric, kind), rows in groups
    ]


def _said_by_z_prime(judged: pd.DataFrame) -> pd.Series:
    """SSMD rows that are only noted, for the reason for which the same plate's Z' is noted: one
    sentence is enough.
    """
    noted = judged["kind"].eq("noted")
    same = pd.MultiIndex.from_frame(judged[["plate", "note"]])
    metric = judged["metric"]
    return noted & metric.eq("ssmd") & same.isin(same[noted & metric.eq("z_prime")])


def _kind(row: dict) -> str:
    """`unknown` without a value, `noted` where the value keeps its limit, else `missed`."""
    if pd.isna(row["value"]):
        return "unknown"
    return "noted" if pd.notna(row["limit_pass"]) and _keeps_limit(row) else "missed"


def _keeps_limit(row: dict) -> bool:
    metric, value, limit = row["metric"], row["value"], row["limit_pass"]
    if metric == RANGE:
        return False
    return bool(
        value >= limit
        if metric in HIGHER_IS_BETTER
        else (abs(value) if metric == SIGNED else value) <= limit
    )


def _finding(verdict: str, metric: str, kind: str, rows: pd.DataFrame) -> Finding:
    label, plates = _capital(LABEL.get(metric, metric)), list(dict.fromkeys(rows["plate"]))
    if kind == "unknown":
        why = (
            str(rows["note"].iloc[0])
            .removeprefix("not estimable: ")
            .removesuffix(": not estimable")
        )
        return told(
            verdict,
            f"{label} not estimable on {some(plates)}: {why}.",
            TOO_LITTLE.get(metric, REMEDY.get(metric, "")),
        )
    row = _worst(rows, metric)
    where = some(plates, row["plate"])
    value = f"{row['value']:.3g}{_unit(metric)}"
    if kind == "noted":
        return told(
            verdict,
            f"{label} ({value}, within its limit) on {where}: {row['note']}.",
            NOTED.get(metric, ""),
        )
    return told(
        verdict, f"{label} {value}{_asked(row, metric)} on {where}.", REMEDY.get(metric, "")
    )


def _worst(rows: pd.DataFrame, metric: str) -> pd.Series:
    size = (rows["value"] - (metric == RANGE)).abs().to_numpy(float)
    return rows.iloc[int(size.argmin() if metric in HIGHER_IS_BETTER else size.argmax())]


def _asked(row: pd.Series, metric: str) -> str:
    """` (at least 0.5 asked)`; both ends where a metric errs on both sides."""
    limit = row["limit_pass"]
    if metric == RANGE:
        return f" ({row['note']})"
    if pd.isna(limit):
        return ""
    bound = (
        "at least" if metric in HIGHER_IS_BETTER else "within ±" if metric == SIGNED else "at most"
    )
    return f" ({bound} {limit:g}{_unit(metric)} asked)".replace("± ", "±")


def _unit(metric: str) -> str:
    """As the metric's name ends."""
    return (
        " %"
        if metric.endswith("_percent")
        else " points of control"
        if metric.endswith("_points")
        else ""
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def growth_findings(growth: pd.DataFrame) -> list[Finding]:
    """What weakens the growth numbers, apart from failed plates (those speak for themselves)."""
    findings = []
    for (verdict, note), group in growth[growth["verdict"].isin(["warn", "fail"])].groupby(
        ["verdict", "note"], sort=False
    ):
        text = str(note).replace("the plate failed quality control", "").strip("; ")
        if text:
            findings.append(
                told(
                    str(verdict),
                    f"{some(list(dict.fromkeys(group['cell_line'])))}: {text}.",
                    _growth_remedy(text),
                )
            )
    return findings


def _growth_remedy(text: str) -> str:
    if "0 h plate" in text:
        return "Read a 0 h plate within an hour of the medium switch, or give doubling_time_h for the line."
    if "doublings" in text:
        return "Let control grow at least one doubling: seed fewer cells or read later."
    return ""
