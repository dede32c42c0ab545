"""Which medium plays which part, and which rows of `growth` belong to a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kit.core.errors import Problem, Problems, did_you_mean
from kit.core.findings import VERDICTS


@dataclass(frozen=True)
class Design:
    """Which medium plays which part. `taken` and `given`: medium -> the set of amino acids it
    removes or restores.
    """

    control: str
    dropouts: tuple[str, ...]
    rescues: tuple[str, ...]
    others: tuple[str, ...]
    taken: Mapping[str, frozenset[str]]
    given: Mapping[str, frozenset[str]]

    @property
    def modelled(self) -> tuple[str, ...]:
        """Media whose residuals are pooled; `other` media (a death inducer, say) keep their own
        SD.
        """
        return (self.control, *self.dropouts, *self.rescues)

    def partner(self, rescue: str) -> str | None:
        """The dropout medium that lacks just what the rescue medium gives back."""
        return next(
            (
                name
                for name in self.dropouts
                if self.taken[name] and self.taken[name] == self.given[rescue]
            ),
            None,
        )

    def factorials(self) -> list[tuple[str, str, str]]:
        """(medium lacking two amino acids, medium lacking the first, medium lacking the second),
        where all three exist.
        """
        single = {
            next(iter(self.taken[name])): name
            for name in self.dropouts
            if len(self.taken[name]) == 1
        }
        pairs = [
            (name, sorted(self.taken[name])) for name in self.dropouts if len(self.taken[name]) == 2
        ]
        return [
            (both, single[first], single[second])
            for both, (first, second) in pairs
            if first in single and second in single
        ]


def _amino_acids(value: object) -> frozenset[str]:
    """`asparagine`, `asparagine+glutamine`, a list of such, or None, as a set."""
    if value is None:
        return frozenset()
    parts = value.split("+") if isinstance(value, str) else [str(part) for part in value]  # type: ignore[attr-defined]
    return frozenset(part.strip().casefold() for part in parts if part.strip())


def read_design(media: Mapping[str, Any]) -> Design:
    """Sort media (name -> object with `role`, `removes`, `restores`) by role; raise InputError when
    none is a control.

    Of several controls the first is the reference; the others are treated as `other`.
    """
    by_role: dict[str, list[str]] = {}
    problems = Problems()
    for name, medium in media.items():
        role = str(medium.role)
        if role not in ("control", "dropout", "rescue", "other"):
            remedy = did_you_mean(role, ("control", "dropout", "rescue", "other"))
            problems.say(
                "experiment.yaml", f"media: {name}: role", f"unknown role '{role}'", remedy
            )
        by_role.setdefault(role, []).append(name)
    controls = by_role.get("control", [])
    if not controls:
        problems.say(
            "experiment.yaml",
            "media",
            "no medium has the role control",
            "Name the complete medium and give it 'role: control'.",
        )
    problems.raise_if_any()
    others = (*controls[1:], *by_role.get("other", []))
    taken = {name: _amino_acids(getattr(medium, "removes", None)) for name, medium in media.items()}
    given = {
        name: _amino_acids(getattr(medium, "restores", None)) for name, medium in media.items()
    }
    return Design(
        controls[0],
        tuple(by_role.get("dropout", [])),
        tuple(by_role.get("rescue", [])),
        others,
        taken,
        given,
    )


def unknown_media(growth: pd.DataFrame, media: Mapping[str, Any]) -> list[Problem]:
    """One problem per medium of the growth table that is not among `media`."""
    problems = Problems()
    for name in sorted(set(growth["medium"].dropna().astype(str)) - set(media)):
        problems.say(
            "growth", "medium", f"'{name}' is not among the media", did_you_mean(name, media)
        )
    return problems


ARM = ("cell_line", "medium", "replicate", "readout", "hours")
"""What names one value of a biological replicate: everything but the agent."""


def untreated(growth: pd.DataFrame) -> pd.DataFrame:
    """One row per arm: its wells without an agent; where it has none, its wells at concentration 0,
    averaged by their number.

    Wells at concentration 0 lie on the plate of the same replicate: they are no replicate of their
    own.
    """
    none, zero = _without_agent(growth), pd.Series(False, index=growth.index)
    keys = [name for name in ARM if name in growth]
    if "concentration" in growth:
        zero = pd.to_numeric(growth["concentration"], errors="coerce").eq(0) & ~none
    if zero.any():
        zero &= ~none.groupby([growth[name] for name in keys]).transform("any")
    rows = growth[none | zero]
    again = rows.duplicated(keys, keep=False) & zero[rows.index]
    if not again.any():
        return rows
    averaged = [_average(part) for _, part in rows[again].groupby(keys, sort=False)]
    return (
        pd.concat([rows[~again], pd.DataFrame(averaged)])
        .sort_index(kind="stable")
        .astype(rows.dtypes.to_dict())
    )


def untreated_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows (wells, say) without an agent or at concentration 0, each as it is."""
    zero = (
        pd.to_numeric(rows["concentration"], errors="coerce").eq(0)
        if "concentration" in rows
        else False
    )
    return rows[_without_agent(rows) | zero]


def _without_agent(growth: pd.DataFrame) -> pd.Series:
    if "agent" not in growth:
        return pd.Series(True, index=growth.index)
    return growth["agent"].isna() | growth["agent"].astype(str).str.strip().isin(
        ["", "nan", "None"]
    )


def _average(rows: pd.DataFrame) -> pd.Series:
    """Rows of one arm as one: log2 is averaged by wells and GR follows from it, as for the plates
    of one replicate.
    """
    weights = rows["n_wells"].to_numpy(float) if "n_wells" in rows else np.ones(len(rows))
    weights = weights if weights.sum() > 0 else np.ones(len(rows))
    found = rows.iloc[0].copy()
    for name in ("relative_viability", "log2_fc", "signal_mean", "gr"):
        values = rows[name].to_numpy(float) if name in rows else np.full(len(rows), np.nan)
        known = np.isfinite(values)
        if weights[known].sum() > 0:
            found[name] = np.average(values[known], weights=weights[known])
    if {"gr", "log2_fc", "control_doublings"} <= set(rows) and pd.notna(found["gr"]):
        found["gr"] = 2 ** (1 + found["log2_fc"] / found["control_doublings"]) - 1
    for name in ("n_wells", "n_excluded"):
        if name in rows:
            found[name] = rows[name].sum()
    if "verdict" in rows:
        worst = rows.iloc[int(rows["verdict"].map(VERDICTS.index).argmax())]
        found["verdict"], found["note"] = worst["verdict"], worst["note"]
    return found


def nearest(rows: pd.DataFrame, hours: float) -> pd.DataFrame:
    """Of each line, readout and biological replicate the reading nearest `hours`; of two equally
    near the earlier.

    Chosen per replicate, so that one read an hour later than the others still counts.
    """
    read = rows["hours"]
    if len(rows) and read.eq(read.iloc[0]).all():
        return rows
    keys = [name for name in ("cell_line", "readout", "replicate") if name in rows]
    own = rows.groupby(keys, dropna=False).ngroup()
    away = (read - hours).abs()
    closest = read.where(away.eq(away.groupby(own).transform("min")))
    return rows[read.eq(closest.groupby(own).transform("min"))]


def at_time(growth: pd.DataFrame, hours: float | None, tolerance: float) -> pd.DataFrame:
    """The readings `nearest` the asked time, however far: a late reading weakens a comparison, it
    does not unmake it.

    Returns a copy whose `hours` is the asked time where every replicate of a line and readout was
    read within `tolerance` of it, else
    the mean time at which they were read; None keeps every time apart.
    """
    if hours is None:
        return growth.copy()
    near = nearest(growth, hours)
    keys = [near["cell_line"], near["readout"]]
    off = (near["hours"] - hours).abs().gt(tolerance).groupby(keys).transform("any").astype(bool)
    read = near["hours"].groupby(keys).transform("mean").round(1)
    return near.assign(hours=read.where(off, float(hours)).astype(float))
