"""Exhibits of 03_asns_correlation, last part: the source's claims about ASNS beside these data,
published numbers, and methods.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from kit.across.pool import ALL, Study
from kit.asns.claims import CONTRADICTED, SUPPORTED, at_most, claims_table, percent_text
from kit.asns.lines import PROTEIN
from kit.asns.study import OWN
from kit.core import reference
from kit.report.exhibits import Tabled, tabled

CLAIMS = {"claim": "claim", "source_says": "the source says", "judged": "judged", "these_data": "these data", "literature": "papers", "finding": "what the papers found"}  # fmt: skip
HERE = ("C1", "C2", "C3", "S4", "S2", "S3", "S5", "S7")
"""Claims of the source that concern ASNS and its measurement, in the order shown."""


@tabled("published_correlations")
def published() -> Tabled:
    """Published associations of ASNS with sensitivity."""
    table = reference.published_correlations()
    return (
        table,
        "As far as the papers were read (column read from).",
        ("citation", "system", "n", "x", "y", "statistic", "value", "p", "tail", "read_from"),
    )


@tabled("asns_claims")
def claims(study: Study) -> Tabled:
    """Claims about ASNS beside what these data say."""
    blotted, simulated = study.analysis.western, study.analysis.experiment.config.simulated
    correlation, comparison = study.everything
    if simulated:  # invented lines tell nothing of the world
        correlation, comparison = (
            table[~table["source"].isin([OWN, ALL])] for table in (correlation, comparison)
        )
    config = study.analysis.experiment.config
    table = claims_table(
        protein_lines=None if blotted is None else blotted.asns_lines,
        correlation=correlation,
        comparison=comparison,
        sera=config.sera,
        alpha=study.analysis.experiment.settings.alpha,
    )
    table = table[table["claim"].isin(HERE)]
    table = table.iloc[table["claim"].map(HERE.index).argsort(kind="stable")].reset_index(drop=True)
    own = {"S2": _line_text(study, "Jurkat"), "S3": _line_text(study, "MOLT-4")}
    table["these_data"] = [
        own.get(claim) or text
        for claim, text in zip(table["claim"], table["these_data"], strict=True)
    ]
    caption = (
        "Judged: by these data (this experiment and the panels) where they address the claim, else"
        " by the cited papers. Papers: what their findings come to (disputed and unproven leave a"
        " claim open)."
    )
    if simulated:
        table["judged"] = table["judged"].where(
            ~table["claim"].isin(["S2", "S3", "S7"]), table["literature"]
        )
        levels = table["claim"].isin(["C1", "C2"]) & table["judged"].isin([SUPPORTED, CONTRADICTED])
        table["judged"] = table["judged"].where(~levels, table["judged"] + " (simulated)")
        caption += (
            " This experiment is simulated: its blots are no evidence for or against any claim, and"
            " its correlations are left out here."
        )
    return table, caption, CLAIMS


def _line_text(study: Study, name: str) -> str:
    """What was found of one line: its ASNS, and its call without asparagine."""
    lines = (
        study.lines[study.lines["line_key"].eq(reference.line_key(name))]
        if len(study.lines)
        else study.lines
    )
    if lines.empty:
        return ""
    row, said = lines.iloc[0], []
    if PROTEIN in row and pd.notna(row[PROTEIN]):
        interval = (
            ""
            if pd.isna(row["ci_low_percent"]) or at_most(row["floored"])
            else f" (95 % {row['ci_low_percent']:.0f} to {row['ci_high_percent']:.0f} %)"
        )
        said.append(f"ASNS {percent_text(row)} of reference{interval}")
    if "auxotroph" in row and pd.notna(row["auxotroph"]):
        said.append("called auxotrophic" if row["auxotroph"] else "not called auxotrophic")
    return f"{name}: {', '.join(said)}." if said else ""


def methods(study: Study) -> Iterable[str]:
    """How the numbers were made, with the settings in force."""
    s = study.analysis.experiment.settings
    if study.analysis.western is not None:
        yield (
            "Band volumes are net of local background and divided by total protein of the same"
            " lane (a loading control where there is none), then by the mean of the membrane's"
            " reference lanes; lanes of one lysate are averaged, lysates on log2 (values below"
            f" {s.asns_floor_percent:g} % count as that much). Saturated lanes and bands more than"
            f" {s.fail_mw_error_percent:g} % from {s.asns_mw_kDa:g} kDa are not counted. Low: up to"
            f" {s.asns_low_percent:g} % of the reference or below a signal to noise of"
            f" {s.western_loq_snr:g}; high: above {s.asns_high_percent:g} %."
        )
    yield (
        f"The unit is the line. Below {s.min_lines_estimate} lines nothing is estimated, below"
        f" {s.min_lines_inference} nothing is tested. Spearman's rho with Bonett-Wright interval"
        f" and exact p at small n; BCa intervals from {s.bootstrap_draws} bootstrap draws (seed"
        f" {s.seed}). Dependent correlations on complete pairs by Williams' t, Steiger's Z and"
        " Zou's interval."
    )
