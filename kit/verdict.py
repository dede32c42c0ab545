"""The report's first words: pass, warn or fail, why, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kit.config import ExperimentConfig
from kit.quality import worst


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


def growth_findings(growth: pd.DataFrame) -> list[Finding]:
    """What weakens the growth numbers, apart from failed plates (those speak for themselves)."""
    findings = []
    for (verdict, note), group in growth[growth["verdict"].isin(["warn", "fail"])].groupby(["verdict", "note"], sort=False):
        text = str(note).replace("the plate failed quality control", "").strip("; ")
        if text:
            findings.append(Finding(str(verdict), f"{some(list(dict.fromkeys(group['cell_line'])))}: {text}.", _growth_remedy(text)))
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


def some(names: list[str], first: str | None = None) -> str:
    """`A`, `A and B`, or `A and 4 more`, the worst first."""
    ordered = [first, *[name for name in names if name != first]] if first in names else names
    if len(ordered) <= 2:
        return " and ".join(str(name) for name in ordered)
    return f"{ordered[0]} and {len(ordered) - 1} more"
