"""The factorial of two amino acids over the lines of an experiment: the table `interaction`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from kit import stats
from kit.config.model import ExperimentConfig
from kit.core.columns import check, empty
from kit.core.findings import codes, say
from kit.effects.factorial import Factorial, factorial_verdict, fit_factorial
from kit.plates.design import at_time, read_design, untreated

PAIR = ("asparagine", "glutamine")
"""The pair with a verdict: does the loss of the second act through the first?"""


def interactions(growth: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """One row per line and pair of amino acids that a medium lacks together, and one per line and
    dropout where the line has a `parent`.

    `estimate` is the effect of the first amino acid without the second less its effect with it, in
    doublings; above 0 the two losses together cost more than their sum. For a line and its parent
    it is the line's change by the dropout less the parent's.

    Parameters
    ----------
    growth
        The table `growth`.
    config
        The experiment: media, lines with `parent`, settings.
    """
    settings = config.settings
    rows = at_time(untreated(growth), settings.proliferation_h, settings.max_proliferation_offset_h)
    design = read_design(config.media)
    found: list[dict[str, Any]] = []
    for readout, part in rows.groupby("readout", sort=False):
        part = part.assign(y=part["log2_fc"] + part["control_doublings"].fillna(0.0))
        table = part.pivot_table(index="replicate", columns=["cell_line", "medium"], values="y")
        doublings = part["control_doublings"].notna().all()
        for both, no_a, no_b in design.factorials():
            arms = [design.control, no_a, no_b, both]
            names = sorted(design.taken[both])
            own = _pair(table, arms, names, config, bool(doublings))
            found += [row | {"readout": readout} for row in own]
        found += [row | {"readout": readout} for row in _parents(table, design, config)]
    if not found:
        return empty("interaction").assign(code="", readout="")
    result = pd.DataFrame(found)
    tested = result["p"].notna()
    result["p_adjusted"] = math.nan
    if tested.any():
        result.loc[tested, "p_adjusted"] = stats.holm(result.loc[tested, "p"].to_list())
    return check(result, "interaction")


def _pair(
    table: pd.DataFrame, arms: list[str], names: list[str], config: ExperimentConfig, grown: bool
) -> list[dict[str, Any]]:
    """Rows of one pair of amino acids. A line and its knockouts share a residual."""
    lines = [
        line for line in config.cell_lines if all((line, arm) in table.columns for arm in arms)
    ]
    rows = []
    for line in lines:
        parent = config.cell_lines[line].parent
        head = parent if parent in lines else line
        family = [head, *[o for o in lines if config.cell_lines[o].parent == head]]
        family = family if line in family else [line]
        blocks = table[[(name, arm) for name in family for arm in arms]].to_numpy(float)
        blocks = blocks[np.isfinite(blocks).any(axis=1)]
        try:
            fits = {name: fit_factorial(blocks, line=i) for i, name in enumerate(family)}
        except ValueError:
            continue
        knockout = next((fits[name] for name in family if _is_knockout(name, config)), None)
        verdict = ""
        if tuple(names) == PAIR and not _is_knockout(line, config):
            enough = fits[line].n >= config.settings.min_replicates and grown
            verdict = (
                factorial_verdict(fits[line], knockout, config.settings.alpha)
                if enough
                else "FACTORIAL_INCONCLUSIVE"
            )
        rows.append(_row(line, names, fits[line], verdict, config))
    return rows


def _is_knockout(line: str, config: ExperimentConfig) -> bool:
    entry = config.cell_lines[line]
    return entry.parent is not None and "ASNS" in str(entry.genotype).upper()


def _row(
    line: str, names: list[str], fit: Factorial, verdict: str, config: ExperimentConfig
) -> dict[str, Any]:
    contrast, alpha = fit.interaction, config.settings.alpha
    p = stats.two_sided_p(contrast)
    low, high = stats.t_interval(contrast, 1 - alpha)
    tested = fit.n >= config.settings.min_replicates and math.isfinite(p)
    values = {"share": fit.share.ratio, "low": fit.share.low, "high": fit.share.high}
    bounded = fit.share.kind == "bounded"
    words = ""
    if verdict:
        words = say(codes()[verdict].sentence, "", values).removeprefix(": ")
        words = f"{words[:1].upper()}{words[1:]}"
    return {
        "cell_line": line,
        "amino_acid_a": names[0],
        "amino_acid_b": names[1],
        "scale": "log2_fc",
        "estimate": contrast.estimate,
        "se": contrast.se,
        "df": contrast.df,
        "ci_low": low,
        "ci_high": high,
        "p": p if tested else math.nan,
        "class": _class(contrast, p, config) if tested else "indeterminate",
        "n_replicates": fit.n,
        "note": words,
        "share": fit.share.ratio if bounded else math.nan,
        "share_low": fit.share.low if bounded else math.nan,
        "share_high": fit.share.high if bounded else math.nan,
        "a_with_b": fit.a_with_b.estimate,
        "a_without_b": fit.a_without_b.estimate,
        "control_doublings": fit.control_doublings,
        "contrast": "factorial",
        "code": verdict,
    }


def _class(contrast: stats.Contrast, p: float, config: ExperimentConfig) -> str:
    """Synergistic where the two losses cost more together than their sum; additive only where that
    is shown within the margin of equivalence.
    """
    if p < config.settings.alpha:
        return "synergistic" if contrast.estimate > 0 else "antagonistic"
    margin = config.settings.equivalence_margin_log2
    same = stats.tost(contrast.estimate, contrast.se, contrast.df, margin, config.settings.alpha)
    return "additive" if same.p < config.settings.alpha else "indeterminate"


def _parents(table: pd.DataFrame, design: Any, config: ExperimentConfig) -> list[dict[str, Any]]:
    """(line, dropout - control) - (parent, dropout - control), paired by replicate."""
    rows = []
    for line, entry in config.cell_lines.items():
        for medium in design.dropouts:
            keys = [(a, b) for a in (line, entry.parent) for b in (medium, design.control)]
            if entry.parent is None or not all(key in table.columns for key in keys):
                continue
            cells = table[keys].to_numpy(float)
            contrast = stats.paired_contrast(cells, [1.0, -1.0, -1.0, 1.0])
            n = int(np.isfinite(cells).all(axis=1).sum())
            p = stats.two_sided_p(contrast)
            tested = n >= config.settings.min_replicates and math.isfinite(p)
            low, high = stats.t_interval(contrast, 1 - config.settings.alpha)
            lacks = "+".join(sorted(design.taken[medium]))
            rows.append(
                {
                    "cell_line": line,
                    "amino_acid_a": lacks,
                    "amino_acid_b": "",
                    "scale": "log2_fc",
                    "estimate": contrast.estimate,
                    "se": contrast.se,
                    "df": contrast.df,
                    "ci_low": low,
                    "ci_high": high,
                    "p": p if tested else math.nan,
                    "class": _line_class(contrast, p, config) if tested else "indeterminate",
                    "n_replicates": n,
                    "note": f"Change by the dropout less that of {entry.parent}.",
                    "contrast": f"parent {entry.parent}",
                    "code": "",
                }
            )
    return rows


def _line_class(contrast: stats.Contrast, p: float, config: ExperimentConfig) -> str:
    """A line that loses more than its parent is synergistic with the dropout."""
    turned = stats.Contrast(-contrast.estimate, contrast.se, contrast.df)
    return _class(turned, p, config)
