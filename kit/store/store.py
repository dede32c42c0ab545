"""Results across experiments: each report's `results.parquet` holds its rows, all of them are read
as one frame per table.

A file is long: `schema_version`, `experiment_id`, `table`, `row` (0-based), `values` (the row as
JSON, numbers exactly). Five plain columns and few
row groups keep a file quick to open, so thousands are read in a second or two, and any SQL engine
can reach a value
(`SELECT experiment_id, values->>'call' FROM 'reports/*/results.parquet' WHERE "table" = 'calls'`).
Rows of `wells` are not
repeated here: they are in tables/wells.csv. A report is replaced as a whole, so the store never
doubles an experiment.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.json

from kit.core.columns import TABLES
from kit.core.errors import InputError, Problem, did_you_mean
from kit.store import store_file
from kit.store.store_file import FILE, SCHEMA, SCHEMA_VERSION, Part, Rows, save

LEFT_OUT = ("wells",)
AT_ONCE = 256
"""Files whose text is held at once: little enough that its memory is used again for the next ones,
which counts for more than the reading.
"""
AHEAD = 4
"""Batches of files that may be read before the first of them is parsed."""
OTHER_VERSION = "Run the experiment again with this kit, or use the kit that wrote it."

_ARROW = {"number": pa.float64(), "whole": pa.float64(), "text": pa.string(), "flag": pa.bool_()}


def write(report: Path, experiment_id: str) -> Path:
    """Write `report`/results.parquet from the contract's tables in `report`/tables; returns its
    path.
    """
    rows: list[tuple[str, int, str]] = []
    for name in TABLES:
        path = report / "tables" / f"{name}.csv"
        if name not in LEFT_OUT and path.is_file():
            rows += [
                (name, index, json.dumps(values, ensure_ascii=False))
                for index, values in enumerate(_rows(path, name))
            ]
    columns = [
        [SCHEMA_VERSION] * len(rows),
        [experiment_id] * len(rows),
        *([row[i] for row in rows] for i in range(3)),
    ]
    return save(
        pa.table(
            [pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)],
            schema=SCHEMA,
        ),
        report / FILE,
    )


def _rows(path: Path, name: str) -> Iterator[dict[str, Any]]:
    contract = TABLES[name]
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {
                column: _value(text, contract.get(column, ("text", ""))[0])
                for column, text in row.items()
            }


def _value(text: str, kind: str) -> Any:
    """A CSV cell as JSON holds it; an empty cell is None, and so is NaN."""
    if text == "":
        return None
    if kind in ("number", "whole"):
        number = float(text)
        return (
            None
            if math.isnan(number)
            else int(number)
            if kind == "whole" and number.is_integer()
            else number
        )
    if kind == "flag":
        return text.strip().lower() in ("true", "1", "1.0", "yes")
    return text


def read(reports: Path | str, table: str) -> pd.DataFrame:
    """All rows of `table` under `reports`, with `experiment_id` first; a column nobody has is
    absent, a missing value is NaN or None.

    Raises InputError when the table is unknown, and with every file that cannot be read or was
    written in another schema version.
    """
    return read_tables(reports, [table])[table]


def read_tables(reports: Path | str, tables: Sequence[str]) -> dict[str, pd.DataFrame]:
    """`read` of several tables, each file opened once. Raises InputError as `read` does."""
    known = [name for name in TABLES if name not in LEFT_OUT]
    unknown = [
        Problem("", "", f"the store has no table '{table}'", did_you_mean(table, known))
        for table in tables
        if table not in known
    ]
    if unknown:
        raise InputError(unknown)
    files = sorted(str(path) for path in Path(reports).glob(f"[!.]*/{FILE}"))
    problems: list[Problem] = []
    chunks: dict[str, list[Future[pa.Table | _Mixed | None]]] = {table: [] for table in tables}
    with ThreadPoolExecutor(
        min(8, os.cpu_count() or 1)
    ) as pool:  # parsing leaves Python to the reading of the next files
        for batch in _batches(files):
            parts = store_file.read(batch, tables)
            problems += [
                _problem(part)
                for part in parts
                if part.problem or part.version not in (None, SCHEMA_VERSION)
            ]
            for table, futures in chunks.items():
                futures.append(pool.submit(_columns, parts, table))
                if len(futures) > AHEAD:
                    futures[-AHEAD].result()  # so that little unparsed text is held
    if problems:
        raise InputError(problems)
    return {
        table: _frame([future.result() for future in futures], files, table)
        for table, futures in chunks.items()
    }


def _batches(files: Sequence[str]) -> list[Sequence[str]]:
    return [files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE)]


def _problem(part: Part) -> Problem:
    if part.problem:
        return Problem(part.path, "", part.problem, "Make the report again.")
    return Problem(
        part.path,
        "",
        f"schema version {part.version}; this kit reads {SCHEMA_VERSION}",
        OTHER_VERSION,
    )


class _Mixed:
    """Stands for the rows of some files in whose JSON a column is of more than one kind."""


def _columns(parts: Sequence[Part], table: str) -> pa.Table | _Mixed | None:
    """All rows of a table in some files as typed columns; None where there are none."""
    rows = _joined(parts, table)
    try:
        return _typed(rows, table) if rows is not None else None
    except pa.ArrowInvalid:
        return _Mixed()


def _joined(parts: Iterable[Part], table: str) -> Rows | None:
    """The rows of all parts; None where there are none."""
    found = [part.rows[table] for part in parts if table in part.rows]
    return (
        Rows(
            pa.concat_arrays([rows.experiments for rows in found]),
            pa.concat_arrays([rows.values for rows in found]),
        )
        if found
        else None
    )


def _frame(
    chunks: Sequence[pa.Table | _Mixed | None], files: Sequence[str], table: str
) -> pd.DataFrame:
    """The rows of all chunks, `experiment_id` and the contract's columns first."""
    first = ["experiment_id", *TABLES[table]]
    frame = _together([chunk for chunk in chunks if chunk is not None], files, table)
    return (
        pd.DataFrame(columns=first)
        if frame is None
        else frame[[*first, *(name for name in frame.columns if name not in first)]]
    )


def _together(
    chunks: Sequence[pa.Table | _Mixed], files: Sequence[str], table: str
) -> pd.DataFrame | None:
    if not any(isinstance(chunk, _Mixed) for chunk in chunks):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowTypeError):
            return (
                pa.concat_tables(chunks, promote_options="permissive").to_pandas()
                if chunks
                else None
            )
    return _mixed(
        [
            part
            for batch in _batches(files)
            for part in store_file.read(batch, [table])
            if table in part.rows
        ],
        table,
    )


def _typed(rows: Rows, table: str) -> pa.Table:
    """The JSON of many rows as typed columns. Raises pa.ArrowInvalid where a column is of more than
    one kind.
    """
    types = pa.schema([(column, _ARROW[kind]) for column, (kind, _) in TABLES[table].items()])
    longest = pa.compute.max(pa.compute.binary_length(rows.values)).as_py()
    block = min(
        max(1 << 20, 4 * longest), 1 << 30
    )  # a row longer than a block would stop the reader
    options = {
        "parse_options": pa.json.ParseOptions(explicit_schema=types),
        "read_options": pa.json.ReadOptions(block_size=block, use_threads=False),
    }
    lines = pa.compute.binary_join_element_wise(rows.values, "\n", "").buffers()[
        2
    ]  # they lie side by side as they are
    return pa.json.read_json(pa.BufferReader(lines), **options).append_column(
        "experiment_id", pa.chunked_array([rows.experiments])
    )


def _mixed(parts: Sequence[Part], table: str) -> pd.DataFrame:
    """Rows whose columns differ in kind, as when an earlier kit did not know a column yet and kept
    it as text.

    Raises InputError with every file in which a row is no JSON object.
    """
    found = [(part, _objects(part.rows[table].values)) for part in parts]
    problems = [
        Problem(part.path, "", f"a row of '{table}' is no JSON object", "Make the report again.")
        for part, rows in found
        if rows is None
    ]
    if problems:
        raise InputError(problems)
    frame = pd.DataFrame([row for _, rows in found for row in rows or ()])
    for column, (kind, _) in TABLES[table].items():
        if column not in frame:
            frame[column] = None
        if kind in ("number", "whole"):
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame.assign(
        experiment_id=pa.concat_arrays([part.rows[table].experiments for part in parts]).to_pandas()
    )


def _objects(values: pa.Array) -> list[dict[str, Any]] | None:
    """The JSON objects of these rows; None where some row is none."""
    try:
        rows = [json.loads(text) for text in values.to_pylist()]
    except (TypeError, ValueError):
        return None
    return rows if all(isinstance(row, dict) for row in rows) else None
