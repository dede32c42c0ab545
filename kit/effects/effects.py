"""growth -> contrasts: what each medium does to each line, with simultaneous intervals and the
family it was judged in.

The unit is the biological replicate; a replicate is a block. Families of one line, each kept at
alpha:
`dropout` every dropout medium against control, Dunnett · `rescue` rescue against its
dropout and against control, Holm ·
`other` remaining media against control, paired t, Holm · `factorial` two-fold against single
dropouts, Holm ·
`gr` the loss of GR, paired t, Holm over media of the same role, ordinary intervals · `line` the
same dropout in two lines, Holm over the pairs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kit import stats
from kit.core.columns import check, empty, plain_text
from kit.core.errors import InputError
from kit.effects.contrasts import (
    EffectLimits,
    Family,
    LineModel,
    Spec,
    blocks_by_media,
    judge_family,
)
from kit.plates.design import Design, at_time, read_design, unknown_media, untreated

EXTRA = ("family", "readout", "hours", "mde_log2", "q_across_lines", "q_family", "note", "code")
"""Columns beyond the contract. `mde_log2`: true difference this test would find with 80 % power,
given the SD seen (log2).
"""

Group = tuple[str, str, float]  # cell line, readout, hours


def effects(
    growth: pd.DataFrame,
    media: Mapping[str, Any],
    settings: EffectLimits,
    *,
    hours: float | None = 48.0,
    readout: str | None = None,
    tolerance: float = 2.0,
    max_lines_compared: int = 6,
) -> pd.DataFrame:
    """The contract's `effects` table from the `growth` table.

    `media` maps names to objects with `role`, `removes`, `restores`; `settings` has alpha,
    min_replicates, max_sd_ratio. Of each
    replicate the reading nearest `hours` counts (None: every time apart; `design.at_time` says what
    the table's `hours` is when one lies
    more than `tolerance` off); treated rows (agent at a concentration above 0) do not.
    `readout` None takes each readout by itself. Lines are compared pairwise only up to
    `max_lines_compared`, else the table
    would hold little but pairs. Raises InputError when no medium is a control, or a medium of
    `growth` is unknown.
    """
    design = read_design(media)
    rows: list[dict[str, Any]] = []
    models: dict[Group, LineModel] = {}
    for key, part in line_groups(growth, media, hours, readout, tolerance):
        models[key] = LineModel.of(part, design, settings)
        found = [*_log2_rows(models[key], design, settings), *_gr_rows(part, design, settings)]
        rows += [dict(zip(("cell_line", "readout", "hours"), key)) | row for row in found]
    rows += _line_rows(models, design, settings, max_lines_compared)
    if not rows:
        return empty("effects").assign(**dict.fromkeys(EXTRA, pd.Series(dtype=object)))
    return check(_across_lines(pd.DataFrame(rows)), "effects")


def line_groups(
    growth: pd.DataFrame,
    media: Mapping[str, Any],
    hours: float | None,
    readout: str | None,
    tolerance: float,
) -> Iterator[tuple[Group, pd.DataFrame]]:
    """Untreated rows at the asked time by (line, readout, hours), in the order of the table."""
    problems = unknown_media(growth, media)
    if problems:
        raise InputError(problems)
    if "left_out" in growth:
        growth = growth[~growth["left_out"].astype(bool)]
    rows = plain_text(at_time(untreated(growth), hours, tolerance))
    rows = rows if readout is None else rows[rows["readout"] == readout]
    for (line, assay, _), part in rows.groupby(["cell_line", "readout", "hours"], sort=False):
        yield (str(line), str(assay), float(part["hours"].iloc[0])), part


def _versus(name: str, reference: str) -> Spec:
    return Spec(name, f"{name} - {reference}", {name: 1.0, reference: -1.0})


def _log2_rows(model: LineModel, design: Design, settings: EffectLimits) -> list[dict[str, Any]]:
    """All contrasts of one line on log2."""
    against_control = [_versus(name, design.control) for name in design.dropouts]
    rescues = []
    for name in design.rescues:
        partner = design.partner(name)
        rescues += [_versus(name, partner)] if partner else []
        rescues.append(_versus(name, design.control))
    factorial = [
        Spec(
            both,
            f"({both} - {second}) - ({first} - {design.control})",
            {both: 1.0, second: -1.0, first: -1.0, design.control: 1.0},
        )
        for both, first, second in design.factorials()
    ]
    families = [
        (Family("dropout", "dropout media against control", dunnett=True), against_control),
        (Family("rescue", "rescue contrasts"), rescues),
        (
            Family("other", "other media against control"),
            [_versus(name, design.control) for name in design.others],
        ),
        (Family("factorial", "interactions of two dropouts"), factorial),
    ]
    return [
        {"scale": "log2_fc"} | row
        for family, specs in families
        for row in judge_family(model, specs, family, settings)
    ]


def _gr_rows(rows: pd.DataFrame, design: Design, settings: EffectLimits) -> list[dict[str, Any]]:
    """GR less the control's 1 per medium, each with its own SD: the control has none, so there is
    no residual to pool.
    """
    if "gr" not in rows or not np.isfinite(pd.to_numeric(rows["gr"], errors="coerce")).any():
        return []
    table = blocks_by_media(rows, "gr", (*design.modelled, *design.others), design.control, 1.0)
    model = LineModel(table, None, math.nan, ())
    found = []
    for members, names in (
        ("dropout media", design.dropouts),
        ("rescue media", design.rescues),
        ("other media", design.others),
    ):
        specs = [_versus(name, design.control) for name in names]
        found += judge_family(
            model,
            specs,
            Family("gr", f"{members} (GR - 1), intervals one at a time", simultaneous=False),
            settings,
        )
    return [{"scale": "gr"} | row | {"mde_log2": math.nan} for row in found]


def _line_rows(
    models: Mapping[Group, LineModel], design: Design, settings: EffectLimits, limit: int
) -> list[dict[str, Any]]:
    """Line by dropout interactions, (dropout - control) in one line less the same in another; lines
    keep their own residuals.

    Welch's df. If a replicate number means the same day in both lines, a shared batch effect makes
    these tests cautious.
    """
    rows: list[dict[str, Any]] = []
    for readout, hours in dict.fromkeys(key[1:] for key in models):
        lines = [key[0] for key in models if key[1:] == (readout, hours)]
        if len(lines) > limit:
            continue
        for name in design.dropouts:
            weights = _versus(name, design.control).weights
            usable = {line: models[line, readout, hours] for line in lines}
            usable = {
                k: m
                for k, m in usable.items()
                if m.has(weights) and m.n(weights) >= settings.min_replicates and m.spreads(weights)
            }
            shared = {"readout": readout, "hours": hours, "medium": name}
            rows += [
                shared | row
                for row in _pairs(usable, weights, f"{name} - {design.control}", settings.alpha)
            ]
    return rows


def _pairs(
    models: Mapping[str, LineModel], weights: Mapping[str, float], wording: str, alpha: float
) -> list[dict[str, Any]]:
    """All pairs of lines for one dropout medium."""
    pairs = list(itertools.combinations(models, 2))
    contrasts = [
        _difference(models[a].contrast(weights), models[b].contrast(weights)) for a, b in pairs
    ]
    adjusted = stats.holm([stats.two_sided_p(c) for c in contrasts])
    rows = []
    for (a, b), contrast, p_adjusted in zip(pairs, contrasts, adjusted):
        low, high = stats.t_interval(contrast, 1 - alpha / len(pairs))
        text = {
            "cell_line": a,
            "contrast": f"({wording}) in {a} - in {b}",
            "scale": "log2_fc",
            "family": "line",
        }
        numbers = {
            "estimate": contrast.estimate,
            "se": contrast.se,
            "df": contrast.df,
            "ci_low": low,
            "ci_high": high,
        }
        tests = {
            "p": stats.two_sided_p(contrast),
            "p_adjusted": float(p_adjusted),
            "adjustment": f"Welch t, Holm over {len(pairs)} pairs of lines",
        }
        rows.append(
            text
            | numbers
            | tests
            | {
                "n_replicates": min(models[a].n(weights), models[b].n(weights)),
                "note": "",
                "code": "",
            }
        )
    return rows


def _difference(a: stats.Contrast, b: stats.Contrast) -> stats.Contrast:
    """a - b with Welch–Satterthwaite df."""
    variances = (a.se**2, b.se**2)
    df = sum(variances) ** 2 / (variances[0] ** 2 / a.df + variances[1] ** 2 / b.df)
    return stats.Contrast(a.estimate - b.estimate, math.sqrt(sum(variances)), df)


def _across_lines(table: pd.DataFrame) -> pd.DataFrame:
    """Add Benjamini–Hochberg q over all tested dropout contrasts of all lines, per readout and
    time; the family is written beside it.
    """
    table = table.assign(
        q_across_lines=math.nan, q_family="", mde_log2=table.get("mde_log2", math.nan)
    )
    dropout = table["family"].eq("dropout") & table["p"].notna()
    for (readout, hours), part in table[dropout].groupby(["readout", "hours"]):
        table.loc[part.index, "q_across_lines"] = stats.benjamini_hochberg(
            part["p"].to_numpy(float)
        )
        members = (
            f"{len(part)} dropout contrasts in {part['cell_line'].nunique()} lines, {readout},"
            f" {hours:g} h"
        )
        table.loc[part.index, "q_family"] = f"Benjamini-Hochberg over {members}"
    return table
