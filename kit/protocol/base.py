"""What a check is, what it sees, and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from kit.config.model import CALLED, ExperimentConfig
from kit.config.settings import Settings
from kit.core.findings import Finding, as_row, codes, listing
from kit.plates.design import nearest
from kit.plates.quality import is_incorporation
from kit.plates.readouts import call_arms
from kit.protocol.carryover import carryover

READ = ("plate", "cell_line", "medium", "readout", "hours", "replicate")
PLACED = (*READ, "role", "row", "column")
EFFECT = {"remark": "none", "cap": "cap", "mask": "masking", "void": "void"}
"""Effect of a code -> as the compliance table names it."""


@dataclass(frozen=True)
class Ruling:
    """One judgement: what was found (a code with the values of its sentence), about whom, the
    verdict, and which calls it touches. `missing` names the fields that would decide.
    """

    code: str
    subject: str
    verdict: str
    values: Mapping[str, object] = field(default_factory=dict)
    scope: str = "all"
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
    """One rule: `id` is its code, whose sentence is the rule; `severity` is the worst it can say;
    `judge` yields a ruling per subject, or nothing where it does not apply.
    """

    id: str
    severity: str
    judge: Callable[[Evidence], Iterable[Ruling]]


def as_rows(check: Check, evidence: Evidence) -> list[dict[str, str]]:
    """The check's rulings as rows of the compliance table; a check without subject says so."""
    rulings = list(check.judge(evidence)) or [Ruling("NOT_APPLICABLE", "experiment", "info")]
    limits = evidence.settings.model_dump()
    return [
        as_row(
            Finding(item.code, item.verdict, item.subject, {**limits, **item.values}),
            check.id,
            check.severity,
        )
        | {"scope": item.scope, "effect": _effect(item), "missing": item.missing}
        for item in rulings
    ]


def _effect(ruling: Ruling) -> str:
    """What a ruling does to the calls it touches: a warning of a code that voids only caps."""
    if ruling.verdict not in ("warn", "fail"):
        return "none"
    found = codes()[ruling.code].effect
    return EFFECT["cap" if found == "void" and ruling.verdict == "warn" else found]


def covers(scope: str, line: str, amino_acid: str) -> bool:
    """Whether a scope touches the call of this line and amino acid."""
    return scope in ("all", line, amino_acid, f"{line}|{amino_acid}")


def not_given(subject: str, field: str, scope: str = "all", limits: bool = True) -> Ruling:
    """A warning that `field` of experiment.yaml is empty, so nothing can be judged; `limits`:
    whether it keeps calls provisional.
    """
    code = "NOT_GIVEN" if limits else "NOT_GIVEN_NOTED"
    return Ruling(code, subject, "warn", {"field": field}, scope, field)


def scope_of(config: ExperimentConfig, medium: str) -> str:
    """The calls that rest on a medium: a dropout's or rescue's own amino acid, everything for the
    control, nothing for others.
    """
    entry = config.media[medium]
    if entry.role == "control":
        return "all"
    return str(entry.removes or entry.restores or f"medium {medium}")


def replicates_named(numbers: Iterable[object]) -> str:
    """`replicate 2`, `replicates 1 and 3`."""
    known = list(numbers)
    return f"replicate{'s' * (len(known) > 1)} {listing(known)}"
