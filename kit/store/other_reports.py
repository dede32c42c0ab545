"""The lines that each report adds to a pool: of finished reports, and of those that a run is about
to make; and a fingerprint of what one of them would pool.

A run analyses first and makes pages later. What it has analysed lies beside the finished reports,
and `save` puts both together into one file, which a report that is being made reads in the place of
the folder.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from kit.core import reference
from kit.core.errors import InputError
from kit.store import store
from kit.store.reportfolder import MANIFEST, read_manifest

TABLE = "asns_lines"
POOL = ".pool.arrow"
"""In a report that is being made: the lines of all reports of its folder."""

_KIND, _PROBLEM = "simulated", b"problem"


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
    problem: str = ""

    def beside(self, name: str, simulated: bool) -> dict[str, pd.DataFrame]:
        """Lines of the reports other than `name`, by experiment; simulated and real ones are never
        mixed.
        """
        return {other: sibling.lines for other, sibling in self._others(name, simulated)}

    def fingerprint(self, name: str, simulated: bool) -> str:
        """A hash of what `beside` gives. It rests on the others' own data alone, so making a report
        again leaves the others' fingerprints alone.
        """
        told = [f"{other} {sibling.digest}" for other, sibling in self._others(name, simulated)]
        return hashlib.sha256("\n".join([*told, self.problem]).encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Write all lines into one file, for `read_file`."""
        frames = [
            store.typed(own.lines.assign(**{_KIND: own.simulated}), TABLE, name)
            for name, own in self.found.items()
        ]
        rows = pa.concat_tables(frames, promote_options="permissive") if frames else pa.table({})
        store.save(rows.replace_schema_metadata({_PROBLEM: self.problem.encode()}), path)

    def _others(self, name: str, simulated: bool) -> list[tuple[str, Sibling]]:
        return [
            (other, sibling)
            for other, sibling in self.found.items()
            if other != name and sibling.simulated == simulated
        ]


def of_report(report: Path) -> Siblings:
    """What the report in this folder pools: the file that its run put there, or else the finished
    reports beside it.
    """
    there = report / POOL
    return read_file(there) if there.is_file() else read(report.resolve().parent)


def read_file(path: Path) -> Siblings:
    """What `Siblings.save` wrote."""
    rows = pa.ipc.open_file(path.read_bytes()).read_all()
    problem = (rows.schema.metadata or {}).get(_PROBLEM, b"").decode()
    return Siblings(_by_experiment(rows.to_pandas()) if len(rows) else {}, problem)


def read(reports: Path, analysed: Mapping[str, tuple[Path, bool]] | None = None) -> Siblings:
    """The reports with lines that are in the folder now; `analysed` has the folder and the kind
    (simulated or not) of those that a run is about to make, by name.
    """
    try:
        found = _read(reports, _signature(reports)).copy()
        for name, (folder, simulated) in (analysed or {}).items():
            found.pop(name, None)
            rows = store.read_report(folder, TABLE)
            found |= {} if rows is None else _by_experiment(rows.assign(**{_KIND: simulated}))
    except InputError as error:
        return Siblings({}, str(error))
    return Siblings(dict(sorted(found.items())))


def _by_experiment(rows: pd.DataFrame) -> dict[str, Sibling]:
    found = {}
    for name, own in rows.groupby("experiment_id", sort=True):
        kind = own[_KIND].iloc[0]
        lines = own.drop(columns=["experiment_id", _KIND]).reset_index(drop=True)
        simulated = None if pd.isna(kind) else bool(kind)
        found[str(name)] = Sibling(reference.with_keys(lines), simulated)
    return found


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
def _read(reports: Path, signature: tuple[tuple[str, int, int, int], ...]) -> dict[str, Sibling]:
    """Held until a report changes."""
    rows = store.read(reports, TABLE)
    kinds = {name: _simulated(reports / name) for name in rows["experiment_id"].unique()}
    return _by_experiment(rows.assign(**{_KIND: rows["experiment_id"].map(kinds).astype(object)}))


def _simulated(report: Path) -> bool | None:
    told = read_manifest(report).get("simulated")
    return None if told is None else bool(told)
