"""Which medium plays which part, and which rows of `growth` belong to a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kit.errors import Problem, Problems, did_you_mean


@dataclass(frozen=True)
class Design:
    """Which medium plays which part. `taken` and `given`: medium -> the set of amino acids it removes or restores."""

    control: str
    dropouts: tuple[str, ...]
    rescues: tuple[str, ...]
    others: tuple[str, ...]
    taken: Mapping[str, frozenset[str]]
    given: Mapping[str, frozenset[str]]

    @property
    def modelled(self) -> tuple[str, ...]:
        """Media whose residuals are pooled; `other` media (a death inducer, say) keep their own SD."""
        return (self.control, *self.dropouts, *self.rescues)

    def partner(self, rescue: str) -> str | None:
        """The dropout medium that lacks just what the rescue medium gives back."""
        return next((name for name in self.dropouts if self.taken[name] and self.taken[name] == self.given[rescue]), None)

    def factorials(self) -> list[tuple[str, str, str]]:
        """(medium lacking two amino acids, medium lacking the first, medium lacking the second), where all three exist."""
        single = {next(iter(self.taken[name])): name for name in self.dropouts if len(self.taken[name]) == 1}
        pairs = [(name, sorted(self.taken[name])) for name in self.dropouts if len(self.taken[name]) == 2]
        return [(both, single[first], single[second]) for both, (first, second) in pairs if first in single and second in single]


def _amino_acids(value: object) -> frozenset[str]:
    """`asparagine`, `asparagine+glutamine`, a list of such, or None, as a set."""
    if value is None:
        return frozenset()
    parts = value.split("+") if isinstance(value, str) else [str(part) for part in value]  # type: ignore[attr-defined]
    return frozenset(part.strip().casefold() for part in parts if part.strip())


def read_design(media: Mapping[str, Any]) -> Design:
    """Sort media (name -> object with `role`, `removes`, `restores`) by role; raise InputError when none is a control.

    Of several controls the first is the reference; the others are treated as `other`.
    """
    by_role: dict[str, list[str]] = {}
    problems = Problems()
    for name, medium in media.items():
        role = str(medium.role)
        if role not in ("control", "dropout", "rescue", "other"):
            remedy = did_you_mean(role, ("control", "dropout", "rescue", "other"))
            problems.say("experiment.yaml", f"media: {name}: role", f"unknown role '{role}'", remedy)
        by_role.setdefault(role, []).append(name)
    controls = by_role.get("control", [])
    if not controls:
        problems.say("experiment.yaml", "media", "no medium has the role control", "Name the complete medium and give it 'role: control'.")
    problems.raise_if_any()
    others = (*controls[1:], *by_role.get("other", []))
    taken = {name: _amino_acids(getattr(medium, "removes", None)) for name, medium in media.items()}
    given = {name: _amino_acids(getattr(medium, "restores", None)) for name, medium in media.items()}
    return Design(controls[0], tuple(by_role.get("dropout", [])), tuple(by_role.get("rescue", [])), others, taken, given)


def unknown_media(growth: pd.DataFrame, media: Mapping[str, Any]) -> list[Problem]:
    """One problem per medium of the growth table that is not among `media`."""
    problems = Problems()
    for name in sorted(set(growth["medium"].dropna().astype(str)) - set(media)):
        problems.say("growth", "medium", f"'{name}' is not among the media", did_you_mean(name, media))
    return problems


def untreated(growth: pd.DataFrame) -> pd.DataFrame:
    """Rows without an agent, or at concentration 0."""
    none = pd.Series(True, index=growth.index)
    if "agent" in growth:
        agent = growth["agent"]
        none = agent.isna() | agent.astype(str).str.strip().isin(["", "nan", "None"])
    if "concentration" in growth:
        none = none | pd.to_numeric(growth["concentration"], errors="coerce").eq(0)
    return growth[none]


def at_time(growth: pd.DataFrame, hours: float | None, tolerance: float) -> pd.DataFrame:
    """Rows at the time point: of each line, readout and replicate the reading nearest `hours`, if within `tolerance`.

    Returns a copy whose `hours` is the asked time; None keeps every time apart.
    """
    if hours is None:
        return growth.copy()
    away = (growth["hours"] - hours).abs()
    near = growth[away <= tolerance].assign(_away=away)
    nearest = near.groupby(["cell_line", "readout", "replicate"])["_away"].transform("min")
    return near[near["_away"] == nearest].drop(columns="_away").assign(hours=float(hours))
