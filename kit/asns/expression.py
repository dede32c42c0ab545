"""mRNA per line: delta-delta Cq with reference genes, replicates kept apart, technical wells
averaged first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.core.reference import line_key

MAX_TECHNICAL_SD = 0.5  # cycles; wells of one sample and target further apart disagree ([K])
COLUMNS = (
    "cell_line",
    "replicate",
    "condition",
    "value",
    "delta_cq",
    "n_wells",
    "technical_sd",
    "verdict",
    "note",
)


def delta_delta_cq(
    wells: pd.DataFrame,
    target: str,
    references: Sequence[str],
    calibrator: str | None = None,
    *,
    efficiency: Mapping[str, float] | None = None,
    name: str = "",
) -> pd.DataFrame:
    """log2 of the target's amount relative to the calibrator, per line and lysate: `COLUMNS`.

    delta Cq = Cq_target log2 E_target - mean over reference genes of Cq log2 E; value = -(delta Cq
    - delta Cq of the calibrator)
    (Livak & Schmittgen 2001 with E = 2; Pfaffl 2001 with measured efficiencies; the mean of Cq is
    the geometric mean of amounts,
    Vandesompele 2002). `calibrator` is a line, its lysates averaged; None: the mean of all lines. A
    target not detected gives NaN.
    """
    used = wells[
        ~wells["omitted"]
        & ~wells["task"].isin(["NTC", "NRT", "STANDARD", "STD", "POS CTRL"])
        & wells["cell_line"].ne("")
    ]
    _check(used, target, references, name)
    keys = ["cell_line", "replicate", "condition"]
    doublings = {
        gene: math.log2((efficiency or {}).get(gene, 2.0)) for gene in (target, *references)
    }
    rows = [
        _sample(dict(zip(keys, key)), group, target, references, doublings)
        for key, group in used.groupby(keys, sort=False)
    ]
    table = pd.DataFrame(rows)
    base = _calibrator_level(table, calibrator, name)
    table["value"] = -(table["delta_cq"] - base)
    if said := _without_template(wells, target):
        table["note"] = [f"{note}; {said}" if note else said for note in table["note"]]
    return table[list(COLUMNS)]


def _without_template(wells: pd.DataFrame, target: str) -> str:
    """What the wells without template show of the target; they are never used."""
    own = wells[wells["task"].isin(["NTC", "NRT"]) & wells["target"].eq(target) & ~wells["omitted"]]
    risen = own["cq"].dropna()
    if own.empty:
        return ""
    return f"{len(own)} well{'s' * (len(own) > 1)} without template left out, " + (
        f"{len(risen)} with a Cq from {risen.min():.1f}" if len(risen) else "none with a Cq"
    )


def _check(wells: pd.DataFrame, target: str, references: Sequence[str], name: str) -> None:
    """All that keeps a ratio from being formed."""
    problems = Problems()
    genes = list(dict.fromkeys(wells["target"]))
    for gene in (target, *references):
        if gene not in genes:
            problems.say(name, "", f"target '{gene}' is not in the file", did_you_mean(gene, genes))
    if not references:
        problems.say(
            name,
            "",
            "no reference gene is named",
            "Set reference_genes; without one the amount of RNA is unknown.",
        )
    if target in references:
        problems.say(name, "", f"'{target}' is both target and reference gene")
    if wells.empty:
        problems.say(
            name,
            "",
            "no well names a cell line",
            "Fill in the sample names, or add a column cell_line.",
        )
    problems.raise_if_any()


def _sample(
    key: dict[str, Any],
    group: pd.DataFrame,
    target: str,
    references: Sequence[str],
    doublings: Mapping[str, float],
) -> dict[str, Any]:
    """delta Cq of one lysate from the means of its technical wells."""
    means = group.groupby("target")["cq"].mean()
    spread = (
        group[group["target"].isin([target, *references])].groupby("target")["cq"].std(ddof=1).max()
    )
    scaled = {gene: means.get(gene, math.nan) * doublings[gene] for gene in (target, *references)}
    delta = scaled[target] - float(np.mean([scaled[gene] for gene in references]))
    undetected = group.loc[group["target"] == target, "undetermined"]
    notes = []
    if len(undetected) and undetected.all():
        notes.append("target not detected")
    elif undetected.any():
        notes.append(
            f"{int(undetected.sum())} of {len(undetected)} target wells not detected: the mean is"
            " too low a Cq"
        )
    if any(math.isnan(scaled[gene]) for gene in references):
        notes.append("a reference gene is missing")
    if spread > MAX_TECHNICAL_SD:
        notes.append(f"technical wells differ (SD {spread:.2f} cycles)")
    verdict = "fail" if math.isnan(delta) else "warn" if notes else "pass"
    return key | {
        "delta_cq": delta,
        "n_wells": int((group["target"] == target).sum()),
        "technical_sd": float(spread),
        "verdict": verdict,
        "note": "; ".join(notes),
    }


def _calibrator_level(table: pd.DataFrame, calibrator: str | None, name: str) -> float:
    """Mean delta Cq of the calibrator's basal lysates, or over the lines' means."""
    basal = table[table["condition"] == "basal"] if (table["condition"] == "basal").any() else table
    by_line = basal.groupby("cell_line")["delta_cq"].mean()
    if calibrator is None:
        return float(by_line.mean())
    found = [line for line in by_line.index if line_key(str(line)) == line_key(calibrator)]
    if not found:
        raise InputError(
            Problem(
                name,
                "calibrator",
                f"'{calibrator}' is no sample of the file",
                did_you_mean(calibrator, by_line.index),
            )
        )
    level = float(by_line[found[0]])
    if math.isnan(level):
        raise InputError(
            Problem(
                name,
                "calibrator",
                f"'{calibrator}' has no delta Cq: target or reference gene not detected",
                "Choose another.",
            )
        )
    return level
