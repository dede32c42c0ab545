"""Files of the store: their columns, how one is written, and how the rows of some tables are found
in many without unpacking the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

FILE = "results.parquet"
SCHEMA_VERSION = 1
SCHEMA = pa.schema(
    [
        ("schema_version", pa.int16()),
        ("experiment_id", pa.string()),
        ("table", pa.string()),
        ("row", pa.int32()),
        ("values", pa.string()),
    ]
)
GROUPS = "tables"
"""Key of the footer under which the tables of the row groups stand, in order."""
APART = ("calls", "growth", "plate_qc", "asns_lines")
"""Tables read across experiments have a row group each; all others share one, because each group
more costs every reader of the file.
"""
SHARED = "others"


def save(rows: pa.Table, path: Path) -> Path:
    """Write rows of SCHEMA; the footer tells which row group is whose, so a reader takes one and
    leaves the rest packed.
    """
    groups = {name: rows.filter(pa.compute.equal(rows["table"], name)) for name in APART}
    groups[SHARED] = rows.filter(
        pa.compute.invert(pa.compute.is_in(rows["table"], pa.array(APART)))
    )
    filled = {name: group for name, group in groups.items() if len(group)}
    options = {
        "write_statistics": ["schema_version", "experiment_id", "table"],
        "use_dictionary": False,
        "store_schema": False,
    }
    with pa.parquet.ParquetWriter(path, SCHEMA, compression="snappy", **options) as file:
        for group in filled.values():
            file.write_table(group)
        file.add_key_value_metadata({GROUPS: ",".join(filled)})
    return path


@dataclass(frozen=True)
class Rows:
    """Rows of one table: the experiment of each, and its values as JSON."""

    experiments: pa.Array
    values: pa.Array


@dataclass
class Part:
    """What a file holds of the tables asked for, and its schema version (None where it is empty);
    or what is wrong with it.
    """

    path: str
    rows: dict[str, Rows] = field(default_factory=dict)
    version: int | None = None
    problem: str = ""


def read(paths: Sequence[str], tables: Sequence[str]) -> list[Part]:
    """What each file holds of `tables`. Raises nothing: what cannot be read is said in the file's
    part.

    Every step goes over all files before the next begins: its code stays at hand in the processor,
    which is a third faster than file by file.
    """
    files = [_File(Part(path), tables) for path in paths]
    for step in (_File.load, _File.open, _File.judge, _File.find, _File.unpack, _File.take):
        for file in files:
            file.do(step)
    return [file.part for file in files]


class _File:
    """A file while it is read: after `find`, `own` has the row group of a table and its experiment,
    `among` the row groups to search for one.
    """

    def __init__(self, part: Part, tables: Sequence[str]) -> None:
        self.part, self.tables, self.going = part, tables, True
        self.own: dict[str, tuple[int, str]] = {}
        self.among: dict[str, list[int]] = {}
        self.unpacked: dict[str, pa.Table] = {}

    def do(self, step: Callable[[_File], None]) -> None:
        if self.going:
            try:
                step(self)
            except (pa.ArrowException, OSError, KeyError) as error:
                self.part.problem, self.going = f"cannot be read: {error}", False

    def load(self) -> None:
        with open(self.part.path, "rb") as file:
            self.packed = file.read()

    def open(self) -> None:
        self.file = pa.parquet.ParquetFile(pa.BufferReader(self.packed))

    def judge(self) -> None:
        """Schema and version; a file of another version, or an empty one, is read no further."""
        if self.file.schema.names != SCHEMA.names:
            self.part.problem = (
                f"is not of this schema: its columns have to be {', '.join(SCHEMA.names)}"
            )
        elif self.file.num_row_groups:
            self.part.version = self._version()
        self.going = self.part.version == SCHEMA_VERSION

    def _version(self) -> int | None:
        told = self._range(0, "schema_version")[1]
        return (
            told
            if told is not None
            else max(
                self._rows([0], ["schema_version"])["schema_version"].to_pylist(), default=None
            )
        )

    def find(self) -> None:
        """Where the footer says which row group is a table's and that group's statistics agree, it
        is its own; else whichever may hold rows of it.
        """
        told = (
            (self.file.metadata.metadata or {})
            .get(GROUPS.encode(), b"")
            .decode(errors="replace")
            .split(",")
        )
        for table in self.tables:
            if (
                len(told) == self.file.num_row_groups
                and told.count(table) == 1
                and self._is_own(told.index(table), table)
            ):
                continue
            ranges = [self._range(group, "table") for group in range(self.file.num_row_groups)]
            self.among[table] = [
                group
                for group, (low, high) in enumerate(ranges)
                if low is None or low <= table <= high
            ]

    def _is_own(self, group: int, table: str) -> bool:
        experiment, last = self._range(group, "experiment_id")
        if (
            experiment is None
            or experiment != last
            or self._range(group, "table") != (table, table)
        ):
            return False
        self.own[table] = group, experiment
        return True

    def unpack(self) -> None:
        for table, (group, _) in self.own.items():
            self.unpacked[table] = self._rows([group], ["values"])
        for table, groups in self.among.items():
            rows = self._rows(groups, ["table", "experiment_id", "values"])
            self.unpacked[table] = rows.filter(
                pa.compute.equal(rows["table"].cast(pa.string()), table)
            )

    def take(self) -> None:
        for table, rows in self.unpacked.items():
            values = _text(rows["values"])
            if table in self.own:
                self.part.rows[table] = Rows(pa.repeat(self.own[table][1], len(values)), values)
            elif len(values):
                self.part.rows[table] = Rows(_text(rows["experiment_id"]), values)

    def _rows(self, groups: Sequence[int], columns: Sequence[str]) -> pa.Table:
        return self.file.read_row_groups(groups, columns=columns, use_threads=False)

    def _range(self, group: int, column: str) -> tuple[Any, Any]:
        """Smallest and largest value of a column in a row group, from its statistics; None where
        they are not told.
        """
        told = self.file.metadata.row_group(group).column(SCHEMA.names.index(column)).statistics
        return (told.min, told.max) if told is not None and told.has_min_max else (None, None)


def _text(column: pa.ChunkedArray) -> pa.Array:
    """As the kit writes text; other writers have further kinds of it."""
    return (column if column.type == pa.string() else column.cast(pa.string())).combine_chunks()
