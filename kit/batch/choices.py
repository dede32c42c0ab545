"""What a report owes to choices of its maker: settings that differ from the kit's and wells left
out by hand, each with the calls that it changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kit.analysis import Analysis, analyse
from kit.config.settings import Settings, moved
from kit.core.findings import listing, number
from kit.experiment.load import Experiment

KEYS = ["cell_line", "amino_acid", "medium"]
UNTOUCHED = ("seed", "bootstrap_draws")
"""Settings that the analysis beside it takes over: they move no limit."""


def choices(analysis: Analysis) -> list[str]:
    """One sentence for the settings that were moved, one for the wells left out; none where
    nothing was. Each costs one more analysis, with what has not changed taken over.
    """
    experiment = analysis.experiment
    told, config = [], experiment.config
    differing = moved(experiment.settings)
    if differing:
        kept = {name: getattr(experiment.settings, name) for name in UNTOUCHED}
        plain = config.model_copy(update={"settings": Settings(**kept)})
        other = _otherwise(replace(experiment, config=plain), analysis)
        what = listing(
            [f"{name} {_said(value)} ({_said(usual)})" for name, value, usual in differing], 8
        )
        told.append(
            f"Settings differ from the kit's (in brackets): {what}. " + _changes(analysis, other)
        )
    if len(experiment.exclusions):
        every = replace(experiment, exclusions=experiment.exclusions.iloc[:0])
        rows = len(experiment.exclusions)
        what = f"{rows} {'entry' if rows == 1 else 'entries'} of exclusions.csv left out by hand. "
        told.append(what + _changes(analysis, _otherwise(every, analysis)))
    return [analysis.labels.text(text) for text in told]


def _otherwise(experiment: Experiment, analysis: Analysis) -> Analysis | None:
    """The analysis without a choice; None where it cannot be made: the report stands all the same."""
    try:
        return analyse(experiment, analysis)
    except Exception:
        return None


def _changes(made: Analysis, other: Analysis | None) -> str:
    """Which calls are not those of the other analysis."""
    if other is None:
        return "Without them the analysis cannot be made, so what they change is unknown."
    here, there = _calls(made), _calls(other)
    found = [
        f"{line} {medium} {_call(call)} ({_call(there.get((line, acid, medium), ''))})"
        for (line, acid, medium), call in here.items()
        if call != there.get((line, acid, medium), "")
    ]
    return f"Calls that this changes: {listing(found, 8)}." if found else "No call changes by it."


def _calls(analysis: Analysis) -> dict[tuple[str, ...], str]:
    if analysis.calls is None:
        return {}
    rows = analysis.calls
    said = rows["call"] + ", " + rows["confidence"].fillna("none").astype(str)
    return dict(zip(rows[KEYS].itertuples(index=False, name=None), said, strict=True))


def _call(said: str) -> str:
    return said.replace("_", " ").removesuffix(", none") or "no call"


def _said(value: Any) -> str:
    return number(float(value)) if isinstance(value, int | float) else str(value)
