"""Compliance as sentences for the first screen: worst first, one per check, each with the next
action.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from kit.config.model import ExperimentConfig
from kit.core.findings import Finding, codes, listing, of_rows, say
from kit.protocol.carryover import wash_plan

SEVERE = {"fail": 0, "warn": 1}
OF_LINES = ("P04", "P22")
"""Checks of a line's history and identity, which matter for a lysate as much as for an assay."""
WEIGHT = {"void": 0, "masking": 1, "cap": 2, "none": 3}


def protocol_findings(
    compliance: pd.DataFrame, carryover: pd.DataFrame | None, config: ExperimentConfig
) -> list[Finding]:
    """Failed and doubtful checks, then one finding for all that is not given.

    `carryover` (None where there is none) tells which line has most left over, so that the advice
    on washing is the one that mends all.
    """
    bad = compliance[
        compliance["verdict"].isin(list(SEVERE)) & _concerned(compliance["check"], config)
    ]
    judged = bad[bad["missing"].eq("")]
    weight = judged["effect"].map(WEIGHT)
    weight = weight.where(
        judged["verdict"].eq("fail"), weight.clip(lower=WEIGHT["cap"])
    )  # a warning that masks weighs as one that caps
    ranked = judged.assign(order=judged["verdict"].map(SEVERE), weight=weight)
    ranked = ranked.sort_values(["order", "weight", "check"], kind="stable")
    findings = []
    for check, rows in ranked.groupby("check", sort=False):
        worst = rows[rows["verdict"].eq(rows["verdict"].iloc[0])]
        if check == "P17" and _named_by_p08(worst, judged):
            continue
        if check == "P13" and carryover is not None:
            worst = _most_masked_first(worst, carryover)
        action = _wash_action(worst, config) if check == "P13" else _action(worst, 2)
        findings.append(of_rows(worst, action))
    return [*findings, *_missing(bad[bad["missing"].ne("")])]


def _concerned(checks: pd.Series, config: ExperimentConfig) -> pd.Series:
    """Where no cells were grown in the media, only what concerns the lines themselves counts; where
    nothing was measured, nothing does.
    """
    if config.plates or config.flow:
        return pd.Series(True, index=checks.index)
    return checks.isin(OF_LINES if config.blots or config.expression else ())


def _action(rows: pd.DataFrame, limit: int) -> str:
    """What to do about the first rows."""
    advice = [text for text in dict.fromkeys(rows["advice"]) if text]
    return " ".join(advice[:limit])


def _wash_action(rows: pd.DataFrame, config: ExperimentConfig) -> str:
    """One remedy for all adherent lines, that of the line with most left over; suspension cells are
    washed in tubes, whatever was done.
    """
    line_of = rows["scope"].str.split("|").str[0]
    lines = [line for line in config.cell_lines if line in set(line_of)]
    in_tubes = [line for line in lines if config.cell_lines[line].growth_mode == "suspension"]
    if not in_tubes:
        return _action(rows, 1)
    settings, washed = config.settings, wash_plan(config, in_tubes[0])
    bulk = rows[line_of.isin(in_tubes)]
    in_bulk = all(wash_plan(config, line).kind == "bulk" for line in in_tubes)
    if in_bulk and (washed.washes or 0) >= settings.min_washes:
        spun = f"{listing(in_tubes)}: {_action(bulk, 1)}"
    else:
        remedy = say(codes()["P13_IN_PLATE"].remedy, values=settings.model_dump())
        spun = f"{listing(in_tubes)}: {remedy}"
    adherent, there = (
        [line for line in lines if line not in in_tubes],
        _action(rows[~line_of.isin(in_tubes)], 1),
    )
    if adherent and there:
        return f"{spun} {listing(adherent)}, in the plate: {there}"
    return f"{spun} {there}".strip()


def _named_by_p08(groups: pd.DataFrame, judged: pd.DataFrame) -> bool:
    """Whether all that P17 misses is the asparagine rescue, which P08 has named already."""
    named = (
        judged["check"].eq("P08")
        & judged["subject"].eq("asparagine")
        & judged["verdict"].eq("warn")
    )
    return bool(named.any() and groups["code"].eq("P17_NO_RESCUE").all())


def _most_masked_first(rows: pd.DataFrame, carryover: pd.DataFrame) -> pd.DataFrame:
    """Rows of the model before rows that only count washes: they hold numbers; the largest GR_mask
    first.
    """
    masks = {f"{row.cell_line}|{row.amino_acid}": row.gr_mask for row in carryover.itertuples()}
    known = rows["scope"].map(masks).astype(float)
    return rows.assign(mask=known.fillna(-1.0)).sort_values("mask", ascending=False, kind="stable")


def _missing(rows: pd.DataFrame) -> list[Finding]:
    """All fields that are not given, as one finding; those that limit a call come first."""
    if rows.empty:
        return []
    ordered = rows.assign(weight=rows["effect"].map(WEIGHT)).sort_values("weight", kind="stable")
    fields = list(
        dict.fromkeys(field for text in ordered["missing"] for field in str(text).split())
    )
    one = len(fields) == 1
    values = {
        "which": f"{len(fields)} field{'s' * (not one)} of experiment.yaml {'is' if one else 'are'}",
        "checks": listing(sorted(set(rows["check"])), 5),
        "fields": listing((f"`{field}`" for field in fields), 5),
    }
    return [Finding("FIELDS_NOT_GIVEN", "warn", "", values)]


def gaps(compliance: pd.DataFrame) -> list[str]:
    """The empty fields of experiment.yaml as lines of text, one for each section of the file and
    what they cost, those that cost most first.
    """
    rows = compliance[compliance["missing"].ne("") & compliance["verdict"].eq("warn")]
    costs: dict[tuple[str, str], list[str]] = {}
    row: Any
    for row in rows.sort_values("effect", key=lambda names: names.map(WEIGHT)).itertuples():
        who = "all calls" if row.scope == "all" else f"calls of {row.scope.replace('|', ', ')}"
        cost = "limits no call" if row.effect == "none" else f"keeps {who} provisional"
        for field in str(row.missing).split():
            costs.setdefault((field.split(".")[0], cost), []).append(f"`{field}`")
    return [
        f"{section}: {listing(dict.fromkeys(fields), 8)} empty, which {cost}"
        for (section, cost), fields in costs.items()
    ]


def design_findings(config: ExperimentConfig) -> list[Finding]:
    """No control. (Replicates and rescues are checks of the protocol.)"""
    return [] if config.control_medium else [Finding("NO_CONTROL_MEDIUM", "fail")]
