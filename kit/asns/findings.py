"""Blots and correlation as sentences for the first screen: one per rule, worst first."""

from __future__ import annotations

import pandas as pd

from kit.asns.study import OWN, mrna_only
from kit.config.model import ExperimentConfig
from kit.core.findings import Finding, told

LABEL = {
    "W01": "saturation",
    "W02": "detection",
    "W03": "linearity",
    "W04": "normaliser",
    "W05": "load over the mean",
    "W06": "reference lanes",
    "W07": "independent lysates",
    "W08": "ladder",
    "W09": "mass of the band",
    "W10": "specificity",
    "W11": "off-target share",
    "W12": "high over low line",
    "W13": "class",
    "W14": "induction",
}
_SHOWN = 2  # subjects named in a sentence


def western_findings(western_qc: pd.DataFrame) -> list[Finding]:
    """Rules of the blots that failed or warn; all subjects of one rule and verdict share a
    sentence.
    """
    bad = western_qc[western_qc["verdict"].isin(["fail", "warn"])]
    findings = [
        told(str(verdict), _sentence(str(check), rows), str(rows["advice"].iloc[0]))
        for (verdict, check), rows in bad.groupby(["verdict", "check"], sort=True)
    ]
    return findings


def class_findings(lines: pd.DataFrame, config: ExperimentConfig) -> list[Finding]:
    """Lines whose blot contradicts the `asns_class` of experiment.yaml, on which the reference-line
    checks rest.
    """
    known = lines.loc[lines["class_range"].notna(), ["cell_line", "class_range"]]
    given = {
        name: cells.asns_class for name, cells in config.cell_lines.items() if cells.asns_class
    }
    return [
        told(
            "warn",
            f"{name}: given as ASNS-{given[name]}, its blot says {found}.",
            f"Correct `asns_class` of {name}, or check the identity of its lysates.",
        )
        for name, found in known.itertuples(index=False)
        if name in given and given[name] not in str(found)
    ]


def correlation_findings(
    correlation: pd.DataFrame, lines: pd.DataFrame, alpha: float
) -> list[Finding]:
    """mRNA without protein, and which of this experiment's own correlations (p below `alpha`) hang
    on one line; the reference panel is no
    verdict on the experiment, and a correlation that nobody would claim needs no warning on the
    first screen."""
    own = correlation[
        correlation["source"].eq(OWN)
        & correlation["p"].lt(alpha)
        & correlation["note"].str.contains("WARN: ")
    ]
    alone = mrna_only(lines)
    return [told("warn", alone, "Blot ASNS of the same lines.")] * bool(alone) + [
        told(
            "warn",
            f"ASNS {row['predictor']} against {row['outcome']}: {_warning(row['note'])}"
            f" ({row['n_lines']} lines).",
            "Measure further lines before a correlation is claimed.",
        )
        for row in own.to_dict("records")
    ]


def _sentence(check: str, rows: pd.DataFrame) -> str:
    parts = [f"{subject}: {value}" for subject, value in zip(rows["subject"], rows["value"])]
    rest = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f"ASNS blot, {LABEL.get(check, check)}: {'; '.join(parts[:_SHOWN])}{rest} ({check})."


def _warning(note: str) -> str:
    return " and ".join(
        part.removeprefix("WARN: ") for part in note.split("; ") if part.startswith("WARN: ")
    )
