"""What a check is, what it sees, and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from kit.config.model import CALLED, ExperimentConfig
from kit.config.settings import Settings
from kit.plates.design import nearest
from kit.plates.quality import is_incorporation
from kit.plates.readouts import call_arms
from kit.protocol.carryover import carryover

FILE = "experiment.yaml"
READ = ("plate", "cell_line", "medium", "readout", "hours", "replicate")
PLACED = (*READ, "role", "row", "column")
USUAL_EFFECT = {"fail": "void", "warn": "cap", "pass": "none", "info": "none"}


@dataclass(frozen=True)
class Ruling:
    """One judgement: whom it is about, what was found, the verdict, what to do, and which calls it
    touches.

    `effect` is empty for the usual one of the verdict (fail: void, warn: cap). `missing` names the
    field that would decide.
    """

    subject: str
    value: str
    verdict: str
    advice: str = ""
    scope: str = "all"
    effect: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Evidence:
    """All that a check may look at."""

    config: ExperimentConfig
    wells: pd.DataFrame | None = None
    growth: pd.DataFrame | None = None
    carryover: pd.DataFrame | None = None
    priors: pd.DataFrame | None = None

    @property
    def settings(self) -> Settings:
        """Every limit, by name."""
        return self.config.settings

    def lines(self, *modes: str | None) -> list[str]:
        """Lines of these growth modes; all lines when none is named."""
        return [
            name
            for name, line in self.config.cell_lines.items()
            if not modes or line.growth_mode in modes
        ]

    @cached_property
    def dropped(self) -> list[str]:
        """Amino acids that some medium takes away alone and that are called."""
        return [amino_acid for amino_acid in CALLED if self.config.dropouts(amino_acid)]

    @cached_property
    def residues(self) -> pd.DataFrame:
        """The carry-over table; computed here where none was handed in."""
        return carryover(self.config, self.growth) if self.carryover is None else self.carryover

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Used sample wells; no rows where there are no plates."""
        if self.wells is None or self.wells.empty:
            return pd.DataFrame(columns=list(PLACED))
        used = self.wells["used"] if "used" in self.wells else ~self.wells["excluded"].astype(bool)
        return self.wells.loc[self.wells["role"].eq("sample") & used, list(PLACED)]

    @cached_property
    def later(self) -> pd.DataFrame:
        """What was read after 0 h, once however many wells it took: plate, line, medium, readout,
        hours and replicate.
        """
        return self.samples.loc[self.samples["hours"].gt(0), list(READ)].drop_duplicates(
            ignore_index=True
        )

    @cached_property
    def read(self) -> pd.DataFrame:
        """Those of `later` that a call rests on by their time."""
        return nearest(self.later, self.settings.proliferation_h)

    @cached_property
    def arms(self) -> pd.DataFrame | None:
        """The growth readings that calls rest on; None where growth was not measured."""
        return (
            None
            if self.growth is None or self.growth.empty
            else call_arms(self.growth, self.config)
        )

    @cached_property
    def viability(self) -> pd.DataFrame:
        """Sample wells of readouts that count cells; incorporation (BrdU) has no start value."""
        return self.samples[~self.samples["readout"].map(is_incorporation).astype(bool)]

    @cached_property
    def last_day(self) -> dt.date | None:
        """The latest day given for the experiment or one of its replicates."""
        days = [
            self.config.date,
            *(replicate.date for replicate in self.config.replicates.values()),
        ]
        return max((day for day in days if day is not None), default=None)


@dataclass(frozen=True)
class Check:
    """One rule: `severity` is the worst it can say; `judge` yields a ruling per subject, or nothing
    where it does not apply.

    `rule` names settings in braces, so that the limits in force are the ones printed.
    """

    id: str
    rule: str
    severity: str
    judge: Callable[[Evidence], Iterable[Ruling]]


def as_rows(check: Check, evidence: Evidence) -> list[dict[str, str]]:
    """The check's rulings as rows of the compliance table; a check without subject says so."""
    rulings = list(check.judge(evidence)) or [Ruling("experiment", "does not apply here", "info")]
    rule = check.rule.format(**evidence.settings.model_dump())
    return [
        {"check": check.id, "subject": item.subject, "value": item.value, "rule": rule, "severity": check.severity, "verdict": item.verdict,
         "advice": item.advice, "scope": item.scope, "effect": item.effect or USUAL_EFFECT[item.verdict], "missing": item.missing}
        for item in rulings
    ]  # fmt: skip


def covers(scope: str, line: str, amino_acid: str) -> bool:
    """Whether a scope touches the call of this line and amino acid."""
    return scope in ("all", line, amino_acid, f"{line}|{amino_acid}")


def not_given(subject: str, field: str, scope: str = "all", effect: str = "") -> Ruling:
    """A warning that `field` of experiment.yaml is empty, so nothing can be judged."""
    return Ruling(
        subject, "not given", "warn", f"Fill in `{field}` in {FILE}.", scope, effect, field
    )


def scope_of(config: ExperimentConfig, medium: str) -> str:
    """The calls that rest on a medium: a dropout's or rescue's own amino acid, everything for the
    control, nothing for others.
    """
    entry = config.media[medium]
    if entry.role == "control":
        return "all"
    return str(entry.removes or entry.restores or f"medium {medium}")


def band(good: bool, bad: bool) -> str:
    """`pass` when good, `fail` when bad, `warn` between."""
    return "fail" if bad else "pass" if good else "warn"


def listing(names: Iterable[object], limit: int = 4) -> str:
    """`A, B and C`; beyond `limit` names only their number."""
    known = [str(name) for name in names]
    if len(known) > limit:
        known = [*known[: limit - 1], f"{len(known) - limit + 1} more"]
    return (
        known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}" if known else ""
    )
