"""Results across experiments: each report's `results.parquet` holds its rows, all of them are read as one frame per table.

A file is long: `schema_version`, `experiment_id`, `table`, `row` (0-based), `values` (the row as JSON, numbers exactly). Five plain columns and a
row group for each table keep a file quick to open, so thousands are read in a second or two, and any SQL engine can reach a value
(`SELECT experiment_id, values->>'call' FROM 'reports/*/results.parquet' WHERE "table" = 'calls'`). Rows of `wells` are not
repeated here: they are in tables/wells.csv. A report is replaced as a whole, so the store never doubles an experiment.
"""

from __future__ import annotations

import csv
import functools
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.json
import pyarrow.parquet

from kit.columns import TABLES
from kit.errors import InputError, Problem, did_you_mean

FILE = "results.parquet"
SCHEMA_VERSION = 1
SCHEMA = pa.schema(
    [("schema_version", pa.int16()), ("experiment_id", pa.string()), ("table", pa.string()), ("row", pa.int32()), ("values", pa.string())]
)
LEFT_OUT = ("wells",)
NEEDED = ["experiment_id", "values"]
OTHER_VERSION = "Run the experiment again with this kit, or use the kit that wrote it."

_ARROW = {"number": pa.float64(), "whole": pa.float64(), "text": pa.string(), "flag": pa.bool_()}


def write(report: Path, experiment_id: str) -> Path:
    """Write `report`/results.parquet from the contract's tables in `report`/tables; returns its path."""
    rows: list[tuple[str, int, str]] = []
    for name in TABLES:
        path = report / "tables" / f"{name}.csv"
        if name not in LEFT_OUT and path.is_file():
            rows += [(name, index, json.dumps(values, ensure_ascii=False)) for index, values in enumerate(_rows(path, name))]
    columns = [[SCHEMA_VERSION] * len(rows), [experiment_id] * len(rows), *([row[i] for row in rows] for i in range(3))]
    return save(pa.table([pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)], schema=SCHEMA), report / FILE)


def save(rows: pa.Table, path: Path) -> Path:
    """Write rows of SCHEMA with a row group for each table, found by its statistics: a reader takes what it wants and leaves the rest packed."""
    options = {"write_statistics": ["schema_version", "experiment_id", "table"], "use_dictionary": False, "store_schema": False}
    with pa.parquet.ParquetWriter(path, SCHEMA, compression="zstd", **options) as file:
        for name in rows["table"].unique().to_pylist():
            file.write_table(rows.filter(pa.compute.equal(rows["table"], name)))
    return path


def _rows(path: Path, name: str) -> Iterator[dict[str, Any]]:
    contract = TABLES[name]
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {column: _value(text, contract.get(column, ("text", ""))[0]) for column, text in row.items()}


def _value(text: str, kind: str) -> Any:
    """A CSV cell as JSON holds it; an empty cell is None, and so is NaN."""
    if text == "":
        return None
    if kind in ("number", "whole"):
        number = float(text)
        return None if math.isnan(number) else int(number) if kind == "whole" and number.is_integer() else number
    if kind == "flag":
        return text.strip().lower() in ("true", "1", "1.0", "yes")
    return text


def read(reports: Path | str, table: str) -> pd.DataFrame:
    """All rows of `table` under `reports`, with `experiment_id` first; a column nobody has is absent, a missing value is NaN or None.

    Raises InputError when the table is unknown or a file was written in another schema version.
    """
    if table not in TABLES or table in LEFT_OUT:
        known = [name for name in TABLES if name not in LEFT_OUT]
        raise InputError(Problem("", "", f"the store has no table '{table}'", did_you_mean(table, known)))
    files = sorted(str(path) for path in Path(reports).glob(f"[!.]*/{FILE}"))
    if not files:
        return pd.DataFrame(columns=["experiment_id", *TABLES[table]])
    parts = [part for found in _in_threads(functools.partial(_part, table=table), files) for part in found]
    others = [(path, part.version) for path, part in zip(files, parts, strict=True) if part.version not in (None, SCHEMA_VERSION)]
    problems = [Problem(path, "", part.problem, "Make the report again.") for path, part in zip(files, parts, strict=True) if part.problem]
    problems += [Problem(path, "", f"schema version {version}; this kit reads {SCHEMA_VERSION}", OTHER_VERSION) for path, version in others]
    if problems:
        raise InputError(problems)
    return _frame(pa.concat_tables([part.rows for part in parts if part.rows is not None] or [SCHEMA.empty_table().select(NEEDED)]), table)


@dataclass(frozen=True)
class _Part:
    """What one file holds of a table, and its schema version; None where it is empty."""

    rows: pa.Table | None = None
    version: int | None = None
    problem: str = ""


def _in_threads(work: Callable[[str], _Part], files: Sequence[str]) -> Iterator[list[_Part]]:
    """Apply `work` to files in order, a chunk to a thread at a time: decoding leaves Python to itself."""
    chunks = [files[start : start + 64] for start in range(0, len(files), 64)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        yield from pool.map(lambda chunk: [work(path) for path in chunk], chunks)


def _part(path: str, table: str) -> _Part:
    try:
        with pa.parquet.ParquetFile(path) as file:
            if file.schema.names != SCHEMA.names:
                return _Part(problem=f"is not of this schema: its columns have to be {', '.join(SCHEMA.names)}")
            groups = [file.metadata.row_group(index) for index in range(file.num_row_groups)]
            if not groups:
                return _Part()
            version = _range(groups[0], 0)[1]
            if version is None:
                version = max(file.read(columns=["schema_version"], use_threads=False)["schema_version"].to_pylist(), default=None)
            if version != SCHEMA_VERSION:
                return _Part(version=version)
            ranges = [_range(group, 2) for group in groups]
            wanted = [index for index, (low, high) in enumerate(ranges) if low is None or low <= table <= high]
            return _Part(_read_groups(file, wanted, table, groups, ranges) if wanted else None, version)
    except (pa.ArrowException, OSError, KeyError) as error:
        return _Part(problem=f"cannot be read: {error}")


def _read_groups(file: pa.parquet.ParquetFile, wanted: list[int], table: str, groups: list[Any], ranges: list[tuple[Any, Any]]) -> pa.Table:
    """The rows of `table` in the groups `wanted`; where the statistics say that a group is one table's and one experiment's, only the values."""
    first, last = _range(groups[wanted[0]], 1)
    if len(wanted) == 1 and ranges[wanted[0]] == (table, table) and first == last is not None:
        values = file.read_row_groups(wanted, columns=["values"], use_threads=False)["values"]
        return pa.table([pa.repeat(pa.scalar(first), len(values)), values], names=NEEDED)
    rows = file.read_row_groups(wanted, columns=["table", *NEEDED], use_threads=False)
    return rows.filter(pa.compute.equal(rows["table"], table)).select(NEEDED)


def _range(group: Any, column: int) -> tuple[Any, Any]:
    """Smallest and largest value of a column in a row group, from its statistics; None where they are not told."""
    told = group.column(column).statistics
    return (told.min, told.max) if told is not None and told.has_min_max else (None, None)


def _frame(rows: pa.Table, table: str) -> pd.DataFrame:
    """The JSON of many rows as typed columns, contract columns in their order."""
    contract = TABLES[table]
    if not len(rows):
        return pd.DataFrame(columns=["experiment_id", *contract])
    text = _lines(rows["values"])
    types = pa.schema([(column, _ARROW[kind]) for column, (kind, _) in contract.items()])
    longest = pa.compute.max(pa.compute.binary_length(rows["values"])).as_py()
    block = min(max(1 << 20, 4 * longest), 1 << 30)  # a row longer than a block would stop the reader
    options = {"parse_options": pa.json.ParseOptions(explicit_schema=types), "read_options": pa.json.ReadOptions(block_size=block)}
    try:
        frame = pa.json.read_json(pa.BufferReader(text), **options).to_pandas()
    except pa.ArrowInvalid:
        frame = _mixed(text.to_pybytes().decode(), table)
    frame = frame[[*contract, *(name for name in frame.columns if name not in contract)]]
    frame.insert(0, "experiment_id", rows["experiment_id"].to_pandas())
    return frame


def _mixed(text: str, table: str) -> pd.DataFrame:
    """Rows whose columns differ in kind, as when an earlier kit did not know a column yet and kept it as text."""
    frame = pd.DataFrame([json.loads(line) for line in text.split("\n") if line])
    for column, (kind, _) in TABLES[table].items():
        if column not in frame:
            frame[column] = None
        if kind in ("number", "whole"):
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame


def _lines(values: pa.ChunkedArray) -> pa.Buffer:
    """Texts as one, a line each: in Arrow they lie side by side already, so each chunk is copied once as it is."""
    text = pa.BufferOutputStream()
    for chunk in values.chunks:
        if len(chunk):
            text.write(pa.compute.binary_join_element_wise(chunk, "\n", "").buffers()[2])
    return text.getvalue()
