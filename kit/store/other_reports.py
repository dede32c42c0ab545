"""The finished reports beside one another: the lines each adds to a pool, and a fingerprint of what
one of them would pool.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kit.core import reference
from kit.core.columns import TABLES
from kit.core.errors import InputError
from kit.store import store
from kit.store.reportfolder import MANIFEST, read_manifest

TABLE = "asns_lines"


@dataclass(frozen=True)
class Sibling:
    """What a report adds: its lines, and whether its data are simulated (None where it does not
    say).
    """

    lines: pd.DataFrame
    simulated: bool | None

    @functools.cached_property
    def digest(self) -> str:
        """A hash of the lines: columns by name, without those that are empty."""
        filled = self.lines.dropna(axis="columns", how="all")
        return hashlib.sha256(
            filled[sorted(filled, key=str)].to_csv(index=False).encode()
        ).hexdigest()


@dataclass(frozen=True)
class Siblings:
    """The reports of a folder that have lines, by name in order, or why they cannot be read."""

    found: dict[str, Sibling]
    problem: InputError | None = None

    def show_tabs(self, name: str, simulated: bool) -> dict[str, pd.DataFrame]:
        """Lines of the reports other than `name`, by experiment; simulated and real ones are never
        mixed.

        Raises InputError when a report could not be read.
        """
        if self.problem is not None:
            raise self.problem
        return {other: sibling.lines for other, sibling in self._others(name, simulated)}

    def fingerprint(self, name: str, simulated: bool) -> str:
        """A hash of what `beside` gives. It rests on the others' own data alone, so making a report
        again leaves the others' fingerprints alone.
        """
        told = [f"{other} {sibling.digest}" for other, sibling in self._others(name, simulated)]
        return hashlib.sha256("\n".join([*told, f"{self.problem or ''}"]).encode()).hexdigest()

    def _others(self, name: str, simulated: bool) -> list[tuple[str, Sibling]]:
        return [
            (other, sibling)
            for other, sibling in self.found.items()
            if other != name and sibling.simulated == simulated
        ]


def read(reports: Path) -> Siblings:
    """The reports with lines that are in the folder now."""
    try:
        return _read(reports, _signature(reports))
    except InputError as error:
        return Siblings({}, error)


def _signature(reports: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Changes with every report that comes, goes or is replaced; much cheaper than reading them."""
    found: list[tuple[str, int, int, int]] = []
    if not reports.is_dir():  # a notebook run by itself may be the first to write there
        return ()
    for folder in sorted(
        item.name for item in os.scandir(reports) if item.is_dir() and not item.name.startswith(".")
    ):
        for file in (store.FILE, MANIFEST):
            try:
                state = os.stat(reports / folder / file)
            except OSError:
                continue
            found.append((f"{folder}/{file}", state.st_ino, state.st_mtime_ns, state.st_size))
    return tuple(found)


@functools.lru_cache(maxsize=1)
def _read(reports: Path, signature: tuple[tuple[str, int, int, int], ...]) -> Siblings:
    """Held until a report changes: a notebook forked from a process that has read them need not
    read them again.
    """
    rows = store.read(reports, TABLE)
    return Siblings(
        {
            str(name): Sibling(
                reference.with_keys(_numbers(own.drop(columns="experiment_id"))),
                _simulated(reports / str(name)),
            )
            for name, own in rows.groupby("experiment_id", sort=True)
        }
    )


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Measures of sensitivity and other columns beyond the contract's as numbers: the store keeps
    those as text.
    """
    further = [str(column) for column in rows if column not in TABLES[TABLE]]
    converted = {column: pd.to_numeric(rows[column], errors="coerce") for column in further}
    return rows.assign(
        **{column: values for column, values in converted.items() if values.notna().any()}
    )


def _simulated(report: Path) -> bool | None:
    told = read_manifest(report).get("simulated")
    return None if told is None else bool(told)
