"""growth -> the rows a call rests on: no agent, the reading nearest the asked time, and of several
readouts the one to believe.

Calls, P19 and P20 and the figures take their rows from here; `kit.plates.design` makes the same
choice of reading for contrasts and rescues.
"""

from __future__ import annotations

import pandas as pd

from kit.config.model import ExperimentConfig
from kit.core.columns import check, empty
from kit.core.findings import Finding
from kit.plates.design import nearest, untreated
from kit.plates.quality import is_incorporation

SIGNAL, COUNT, INCORPORATION = 0, 1, 2
"""Kinds of readout in the order in which a call takes them."""


def kind(readout: object) -> int:
    """Signal of living cells (ATP and its like), counts of cells or nuclei, or incorporation (no
    GR).
    """
    text = str(readout)
    if is_incorporation(text):
        return INCORPORATION
    return COUNT if any(word in text.casefold() for word in ("count", "nuclei")) else SIGNAL


def call_arms(growth: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """One row per line, medium and biological replicate: the readings a call rests on, with
    `readout_note` where readouts disagree.

    Of each replicate the reading nearest `proliferation_h`; of several readouts of a line and
    medium ATP before counts before
    incorporation. Where ATP and counts disagree in a dropout medium or in its rescue, counts come
    first in both.
    """
    if growth.empty:
        return growth.assign(readout_note="")
    rows = nearest(untreated(growth), config.settings.proliferation_h)
    doubted = _doubted(_agreement(rows, config), config)
    pairs = list(zip(rows["cell_line"], rows["medium"].map(_group(config)), strict=True))
    counted = rows["readout"].map(kind).eq(COUNT) & rows["gr"].notna()
    chosen = _first(
        rows, counted & pd.Series([pair in doubted for pair in pairs], index=rows.index)
    )
    notes = [
        _note(doubted[pair], rank, config) if pair in doubted else ""
        for pair, rank in zip(pairs, rows["readout"].map(kind), strict=True)
    ]
    return rows.assign(readout_note=notes)[chosen]


def _first(rows: pd.DataFrame, preferred: pd.Series | None = None) -> pd.Series:
    """Whether a row is of the readout chosen for its line and medium: a preferred one, else by
    kind, else the first of the table.
    """
    order = rows[["cell_line", "medium", "readout"]].assign(
        rank=rows["readout"].map(kind).astype(int)
    )
    if preferred is not None:
        order["rank"] = order["rank"].mask(preferred, -1)
    first = (
        order.sort_values("rank", kind="stable")
        .drop_duplicates(["cell_line", "medium"])
        .set_index(["cell_line", "medium"])["readout"]
    )
    return rows["readout"].eq(
        rows[["cell_line", "medium"]].join(first.rename("chosen"), on=["cell_line", "medium"])[
            "chosen"
        ]
    )


def wells_of(wells: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """The wells (of `growth.per_well`) behind these arms: same reading, readout and agent."""
    keys = ["cell_line", "medium", "replicate", "readout", "hours", "agent", "concentration"]
    return wells.merge(arms[keys].drop_duplicates(), on=keys, how="inner", validate="many_to_one")


# ---- ATP against counts


def readout_agreement(growth: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """GR of ATP (or its like) beside GR of counts, per line, medium and replicate in which both
    were read; control's is 1 by definition.

    ATP per cell changes where amino acids are taken away (Chan 2013), so a signal is checked
    against counts. Judged on the mean over the
    replicates: `agrees` where |mean_difference| is at most `max_readout_disagreement_gr`.
    """
    if growth.empty:
        return empty("readout_agreement")
    return _agreement(nearest(untreated(growth), config.settings.proliferation_h), config)


def _agreement(rows: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    known = rows[rows["gr"].notna() & rows["medium"].ne(config.control_medium or "")]
    kinds, keys = known["readout"].map(kind), ["cell_line", "medium", "replicate"]
    signals, counts = (
        known.loc[kinds.eq(which), [*keys, "hours", "readout", "gr"]] for which in (SIGNAL, COUNT)
    )
    if signals.empty or counts.empty:
        return empty("readout_agreement")
    both = signals[_first(signals)].merge(
        counts[_first(counts)].drop(columns="hours"),
        on=keys,
        suffixes=("_signal", "_count"),
        validate="one_to_one",
    )
    both["difference"] = both["gr_signal"] - both["gr_count"]
    both["mean_difference"] = both.groupby(["cell_line", "medium"])["difference"].transform("mean")
    both["agrees"] = both["mean_difference"].abs() <= config.settings.max_readout_disagreement_gr
    both["code"] = both["agrees"].map({True: "", False: "READOUTS_DISAGREE"})
    return check(both, "readout_agreement")


def _group(config: ExperimentConfig) -> dict[str, str]:
    """Media whose readouts are chosen together: a dropout and what gives the same amino acid
    back.
    """
    return {
        name: str(medium.removes or medium.restores or name)
        for name, medium in config.media.items()
    }


def _doubted(agreement: pd.DataFrame, config: ExperimentConfig) -> dict[tuple[str, str], dict]:
    """(line, group) -> the row of its largest disagreement, where there is one."""
    if agreement.empty:
        return {}
    worst = agreement[~agreement["agrees"].astype(bool)]
    worst = worst.assign(size=worst["mean_difference"].abs()).sort_values(
        "size", ascending=False, kind="stable"
    )
    groups, found = _group(config), dict[tuple[str, str], dict]()
    for row in worst.to_dict("records"):
        found.setdefault((row["cell_line"], groups[row["medium"]]), row)
    return found


def _note(row: dict, rank: int, config: ExperimentConfig) -> str:
    """The disagreement as a sentence of the arm, which rests on a readout of this kind."""
    limit = f"max_readout_disagreement_gr = {config.settings.max_readout_disagreement_gr:g}"
    used = "counts are used" if rank == COUNT else "there are no counts of this medium to use"
    return (
        f"{row['readout_signal']} and {row['readout_count']} differ by"
        f" {abs(row['mean_difference']):.2f} GR in {row['medium']} ({limit}): {used}."
    )


def readout_findings(agreement: pd.DataFrame, limit: float) -> list[Finding]:
    """A warning for the first screen where ATP and counts disagree."""
    if agreement.empty or agreement["agrees"].all():
        return []
    rows = agreement[~agreement["agrees"].astype(bool)].drop_duplicates(["cell_line", "medium"])
    where = [
        f"{row['cell_line']}, {row['medium']} ({abs(row['mean_difference']):.2f})"
        for row in rows.to_dict("records")
    ]
    values = {
        "signal": rows["readout_signal"].iloc[0],
        "count": rows["readout_count"].iloc[0],
        "limit": limit,
        "where": "; ".join(where[:3]) + (f"; and {len(where) - 3} more" if where[3:] else ""),
    }
    return [Finding("READOUTS_DISAGREE", "warn", "", values)]
