"""One file of the store: its columns, how it is written, and how the rows of one table are found in it without unpacking the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

FILE = "results.parquet"
SCHEMA_VERSION = 1
SCHEMA = pa.schema(
    [("schema_version", pa.int16()), ("experiment_id", pa.string()), ("table", pa.string()), ("row", pa.int32()), ("values", pa.string())]
)
GROUPS = "tables"
"""Key of the footer under which the tables of the row groups stand, in order."""


def save(rows: pa.Table, path: Path) -> Path:
    """Write rows of SCHEMA with a row group for each table; the footer tells which is whose, so a reader takes one and leaves the rest packed."""
    names = rows["table"].unique().to_pylist()
    options = {"write_statistics": ["schema_version", "experiment_id", "table"], "use_dictionary": False, "store_schema": False}
    with pa.parquet.ParquetWriter(path, SCHEMA, compression="zstd", **options) as file:
        for name in names:
            file.write_table(rows.filter(pa.compute.equal(rows["table"], name)))
        file.add_key_value_metadata({GROUPS: ",".join(names)})
    return path


@dataclass(frozen=True)
class Rows:
    """Rows of one table: the experiment of each, and its values as JSON."""

    experiments: pa.Array
    values: pa.Array


@dataclass(frozen=True)
class Part:
    """What a file holds of a table, and its schema version (None where it is empty); or what is wrong with it."""

    rows: Rows | None = None
    version: int | None = None
    problem: str = ""


def read(path: str, table: str) -> Part:
    """What the file at `path` holds of `table`. Raises nothing: what cannot be read is said in the part."""
    try:
        with open(path, "rb") as packed:
            file = pa.parquet.ParquetFile(pa.BufferReader(packed.read()))
        if file.schema.names != SCHEMA.names:
            return Part(problem=f"is not of this schema: its columns have to be {', '.join(SCHEMA.names)}")
        if not file.num_row_groups:
            return Part()
        version = _version(file)
        return Part(_told(file, table) or _searched(file, table) if version == SCHEMA_VERSION else None, version)
    except (pa.ArrowException, OSError, KeyError) as error:
        return Part(problem=f"cannot be read: {error}")


def _version(file: pa.parquet.ParquetFile) -> int | None:
    told = _range(file, 0, "schema_version")[1]
    return told if told is not None else max(file.read(columns=["schema_version"], use_threads=False)["schema_version"].to_pylist(), default=None)


def _told(file: pa.parquet.ParquetFile, table: str) -> Rows | None:
    """The rows of `table` where the footer says which row group is theirs and that group's statistics agree; None where they do not."""
    names = (file.metadata.metadata or {}).get(GROUPS.encode(), b"").decode().split(",")
    if len(names) != file.num_row_groups or names.count(table) != 1:
        return None
    group = names.index(table)
    experiment, last = _range(file, group, "experiment_id")
    if experiment is None or experiment != last or _range(file, group, "table") != (table, table):
        return None
    values = file.read_row_groups([group], columns=["values"], use_threads=False)["values"].combine_chunks()
    return Rows(pa.repeat(experiment, len(values)), values)


def _searched(file: pa.parquet.ParquetFile, table: str) -> Rows | None:
    """The rows of `table` in a file as anybody may have written it: only groups that cannot hold any are left packed. None where there are none."""
    ranges = [_range(file, group, "table") for group in range(file.num_row_groups)]
    wanted = [group for group, (low, high) in enumerate(ranges) if low is None or low <= table <= high]
    if not wanted:
        return None
    rows = file.read_row_groups(wanted, columns=["table", "experiment_id", "values"], use_threads=False)
    rows = rows.filter(pa.compute.equal(rows["table"], table))
    return Rows(rows["experiment_id"].combine_chunks(), rows["values"].combine_chunks()) if len(rows) else None


def _range(file: pa.parquet.ParquetFile, group: int, column: str) -> tuple[Any, Any]:
    """Smallest and largest value of a column in a row group, from its statistics; None where they are not told."""
    told = file.metadata.row_group(group).column(SCHEMA.names.index(column)).statistics
    return (told.min, told.max) if told is not None and told.has_min_max else (None, None)
