"""The report's first words: pass, warn or fail, why, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kit.config import ExperimentConfig
from kit.quality import worst

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
    "z_prime": "Check pipetting of control and killed wells; raise the cell number per well if the signal is low.",
    "ssmd": "Check that the kill agent kills, and the spread of the control wells.",
    "signal_to_background": "Seed more cells or check the reagent: the signal is too close to the blanks.",
    "signal_to_noise": "Look for a stray blank well; the blanks vary too much for this signal.",
    "cv_control_percent": "Mix the cell suspension while seeding and check the multichannel pipette.",
    "cv_group_percent": "Look at the residual heatmap for single wells; more wells per group help.",
    "edge_effect_percent": "Leave the outer ring as buffer, and equilibrate plates at room temperature before incubating.",
    "row_drift_percent": "Shorten seeding per plate, mix cells between rows, and randomise the layout.",
    "column_drift_percent": "Shorten seeding per plate, mix cells between columns, and randomise the layout.",
    "missing_wells_percent": "Read the plate again, or repeat it.",
    "saturated_control_wells": "Lower the gain or integration time, or seed fewer cells: the detector is saturated.",
    "cv_blank_percent": "Look for a contaminated or mis-pipetted blank well.",
    "media_without_blank": "Add three blank wells (medium and reagent, no cells) for every medium.",
    "blank_disagreement_percent": "Prepare blanks for each medium from the same reagent lot.",
    "volume_loss_percent": "Humidify the incubator, and leave the outer ring as buffer.",
}


@dataclass(frozen=True)
class Finding:
    """One judged fact: `severity` warn or fail, a sentence, and what to do about it."""

    severity: str
    text: str
    action: str = ""


@dataclass(frozen=True)
class Summary:
    """The experiment's verdict with its reasons (worst first) and the next actions, all as sentences."""

    verdict: str
    reasons: tuple[str, ...]
    next_actions: tuple[str, ...]


def summarise(findings: list[Finding], all_good: str) -> Summary:
    """Worst severity first; `all_good` is the reason of a pass."""
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: finding.severity != "fail")
    verdict = worst([finding.severity for finding in ordered])
    reasons = tuple(dict.fromkeys(finding.text for finding in ordered)) or (all_good,)
    actions = tuple(dict.fromkeys(finding.action for finding in ordered if finding.action))
    return Summary(verdict, reasons, actions)


def quality_findings(qc: pd.DataFrame) -> list[Finding]:
    """Failed and doubtful metrics, one finding per metric and severity, naming the plates and the worst value."""
    findings = []
    for (verdict, name), group in qc[qc["verdict"].isin(["warn", "fail"])].groupby(["verdict", "metric"], sort=False):
        metric = str(name)
        plates = list(dict.fromkeys(group["plate"]))
        known = group.dropna(subset="value")
        label = LABEL.get(metric, metric)
        if known.empty:
            text = f"{_capital(label)} not estimable on {_some(plates)}: {group['note'].iloc[0]}."
        else:
            size = known["value"].abs().to_numpy(float)
            row = known.iloc[int(size.argmin() if _higher_is_better(metric) else size.argmax())]
            limit = f" ({'at least' if _higher_is_better(metric) else 'at most'} {row['limit_pass']:g} asked)" if pd.notna(row["limit_pass"]) else ""
            text = f"{_capital(label)} {row['value']:.3g}{limit} on {_some(plates, row['plate'])}."
        findings.append(Finding(str(verdict), text, REMEDY.get(str(metric), "")))
    return findings


def growth_findings(growth: pd.DataFrame) -> list[Finding]:
    """What weakens the growth numbers, apart from failed plates (those speak for themselves)."""
    findings = []
    for (verdict, note), group in growth[growth["verdict"].isin(["warn", "fail"])].groupby(["verdict", "note"], sort=False):
        text = str(note).replace("the plate failed quality control", "").strip("; ")
        if text:
            findings.append(Finding(str(verdict), f"{_some(list(dict.fromkeys(group['cell_line'])))}: {text}.", _growth_remedy(text)))
    return findings


def design_findings(config: ExperimentConfig) -> list[Finding]:
    """No control. (Replicates and rescues are checks of the protocol.)"""
    findings = []
    if config.control_medium is None:
        findings.append(Finding("fail", "No medium has role control: nothing can be compared.", "Name the complete medium as control."))
    return findings


def _growth_remedy(text: str) -> str:
    if "0 h plate" in text:
        return "Read a 0 h plate within an hour of the medium switch, or give doubling_time_h for the line."
    if "doublings" in text:
        return "Let control grow at least one doubling: seed fewer cells or read later."
    return ""


def _higher_is_better(metric: str) -> bool:
    return metric in ("z_prime", "robust_z_prime", "ssmd", "signal_to_background", "signal_to_noise", "linearity_r2")


def _some(names: list[str], first: str | None = None) -> str:
    """`A`, `A and B`, or `A and 4 more`, the worst first."""
    ordered = [first, *[name for name in names if name != first]] if first in names else names
    if len(ordered) <= 2:
        return " and ".join(str(name) for name in ordered)
    return f"{ordered[0]} and {len(ordered) - 1} more"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
