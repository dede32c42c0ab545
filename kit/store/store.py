"""Results across experiments: each report's typed tables, read as one frame per table.

`results.parquet` is one row: `experiment_id`, and a column per table that holds its rows, each
value in its own type. Any engine reads it
(`SELECT experiment_id, unnest(calls, recursive := true) FROM 'reports/*/results.parquet'`).
The same rows lie in `results/<table>.arrow`, which opens forty times as quickly: thousands are read
in a second. `results/CRC32` has the checksum of each of these files, so damage is told and gives no
number. Rows of `wells` are not repeated here: they are in tables/wells.csv, and `plates` says what
each plate is. A report is replaced as a whole, so the store never doubles an experiment.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kit.core.columns import TABLES, Table
from kit.core.errors import InputError, Problem, did_you_mean

FILE, FOLDER, CHECKSUMS = "results.parquet", "results", "CRC32"
SCHEMA_VERSION = 2
VERSION = "schema_version"
AGAIN = "Make the report again."
PLATES: Table = {
    "plate": ("text", "plate name"),
    "readout": ("text", "assay"),
    "hours": ("number", "hours after the medium switch"),
}
STORED: dict[str, Table] = {
    **{name: columns for name, columns in TABLES.items() if name != "wells"},
    "plates": PLATES,
}
"""Tables of the store, with the columns that each of them always has."""

_ARROW = {"number": pa.float64(), "whole": pa.int64(), "text": pa.string(), "flag": pa.bool_()}


def write(report: Path, experiment_id: str, tables: Mapping[str, pd.DataFrame]) -> Path:
    """Write a report's rows of the store.

    Parameters
    ----------
    report
        The folder of the report.
    experiment_id
        Whose rows they are.
    tables
        Tables of an analysis by name; of `wells` only what each plate is goes to the store.

    Returns
    -------
    Path
        results.parquet.
    """
    frames = {name: frame for name, frame in tables.items() if name in STORED}
    if "wells" in tables:
        frames["plates"] = tables["wells"].reindex(columns=list(PLATES)).drop_duplicates("plate")
    (report / FOLDER).mkdir(exist_ok=True)
    sums, nested = {VERSION: str(SCHEMA_VERSION)}, {"experiment_id": pa.array([experiment_id])}
    for name, frame in frames.items():
        rows = typed(frame, name, experiment_id)
        sums[name] = save(rows, report / FOLDER / f"{name}.arrow")
        nested[name] = _nested(rows.drop_columns("experiment_id"))
    (report / FOLDER / CHECKSUMS).write_text("".join(f"{k} {v}\n" for k, v in sums.items()))
    whole = pa.table(nested).replace_schema_metadata({VERSION: str(SCHEMA_VERSION)})
    pq.write_table(whole, report / FILE, store_schema=False, write_page_checksum=True)
    return report / FILE


def save(rows: pa.Table, path: Path) -> str:
    """Write a file of typed rows; returns its checksum."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, rows.schema) as file:
        file.write_table(rows)
    content = sink.getvalue()
    path.write_bytes(content)
    return crc32(content)


def _nested(rows: pa.Table) -> pa.Array:
    """All rows of a table as the value of one cell."""
    batch = rows.combine_chunks().to_struct_array().combine_chunks()
    return pa.ListArray.from_arrays(pa.array([0, len(batch)], pa.int32()), batch)


def typed(frame: pd.DataFrame, table: str, experiment_id: str | None = None) -> pa.Table:
    """A table's rows with each column in its type: the contract's, or else the one it has."""
    kinds = {**STORED[table], "experiment_id": ("text", "")}
    columns = {} if experiment_id is None else {"experiment_id": [experiment_id] * len(frame)}
    for name in frame.columns:
        columns[str(name)] = _array(frame[name], kinds.get(str(name), ("", ""))[0])
    return pa.table(columns)


def _array(values: pd.Series, kind: str) -> pa.Array:
    """A column as Arrow holds it; text of several kinds, as of a category, becomes plain text."""
    if kind == "text" or (not kind and not pd.api.types.is_numeric_dtype(values)):
        return pa.array([None if pd.isna(value) else str(value) for value in values], pa.string())
    return pa.array(values, _ARROW.get(kind), from_pandas=True)


def read(reports: Path | str, table: str) -> pd.DataFrame:
    """All rows of a table under a folder of reports.

    Parameters
    ----------
    reports
        The folder that holds the reports.
    table
        A table of the contract but `wells`, or `plates`.

    Returns
    -------
    DataFrame
        `experiment_id` and the contract's columns first; a missing value is NaN or None.

    Raises
    ------
    InputError
        When the table is unknown, and with every file that cannot be read, is damaged or was
        written in another schema version.
    """
    return read_tables(reports, [table])[table]


def read_tables(reports: Path | str, tables: Sequence[str]) -> dict[str, pd.DataFrame]:
    """`read` of several tables; every problem of every file is raised at once."""
    unknown = [
        Problem("", "", f"the store has no table '{table}'", did_you_mean(table, STORED))
        for table in tables
        if table not in STORED
    ]
    if unknown:
        raise InputError(unknown)
    problems: list[Problem] = []
    listed = [(folder, sums) for folder in _folders(reports) if (sums := _sums(folder, problems))]
    found = {
        table: [
            rows
            for folder, sums in listed
            if table in sums
            and (rows := _rows(f"{folder}/{FOLDER}/{table}.arrow", sums[table], problems))
            is not None
        ]
        for table in tables
    }
    if problems:
        raise InputError(problems)
    return {table: _frame(rows, table) for table, rows in found.items()}


def read_report(report: Path, table: str) -> pd.DataFrame | None:
    """The rows of one report's table; None where it has none. Raises InputError as `read` does."""
    problems: list[Problem] = []
    sums = _sums(str(report), problems)
    path = f"{report}/{FOLDER}/{table}.arrow"
    rows = _rows(path, sums[table], problems) if table in sums else None
    if problems:
        raise InputError(problems)
    return None if rows is None else _frame([rows], table)


def crc32(content: bytes) -> str:
    """The checksum of a file, as eight hexadecimal digits."""
    return f"{zlib.crc32(content):08x}"


def _folders(reports: Path | str) -> list[str]:
    """Folders that may be reports, in order."""
    if not os.path.isdir(reports):
        return []
    return sorted(item.path for item in os.scandir(reports) if not item.name.startswith("."))


def _sums(report: str, problems: list[Problem]) -> dict[str, str]:
    """Table -> checksum of its file; empty where the folder is no report with results."""
    path = f"{report}/{FOLDER}/{CHECKSUMS}"
    try:
        words = _bytes(path).decode().split()
        sums = dict(zip(words[::2], words[1::2], strict=True))
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isfile(f"{report}/{FILE}"):
            return {}
        sums = {VERSION: "1"}
    except (OSError, ValueError) as error:
        problems.append(Problem(path, "", f"cannot be read: {error}", AGAIN))
        return {}
    if (version := sums.pop(VERSION, None)) == str(SCHEMA_VERSION):
        return sums
    what = f"schema version {version}; this kit reads {SCHEMA_VERSION}"
    remedy = "Run the experiment again with this kit, or use the kit that wrote it."
    problems.append(Problem(f"{report}/{FILE}", "", what, remedy))
    return {}


def _bytes(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def _rows(path: str, expected: str, problems: list[Problem]) -> pa.Table | None:
    """The rows of one file; None where it cannot be read, which is said in `problems`."""
    try:
        content = _bytes(path)
        if crc32(content) != expected:
            raise OSError("it is damaged, as its checksum is another")
        return pa.ipc.open_file(pa.py_buffer(content)).read_all()
    except (pa.ArrowException, OSError) as error:
        problems.append(Problem(path, "", f"cannot be read: {error}", AGAIN))
        return None


def _frame(rows: Sequence[pa.Table], table: str) -> pd.DataFrame:
    """Rows of several reports as one frame; a column of two kinds becomes text."""
    first = ["experiment_id", *STORED[table]]
    if not rows:
        return pd.DataFrame(columns=first)
    try:
        together = pa.concat_tables(rows, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        together = pa.concat_tables(_alike(rows), promote_options="permissive")
    frame = together.to_pandas()
    return frame.reindex(columns=[*dict.fromkeys([*first, *frame.columns])])


def _alike(rows: Sequence[pa.Table]) -> list[pa.Table]:
    """The same rows, every column that is text somewhere being text everywhere."""
    text = {field.name for one in rows for field in one.schema if field.type == pa.string()}
    return [
        one.cast(
            pa.schema([(f.name, pa.string() if f.name in text else f.type) for f in one.schema])
        )
        for one in rows
    ]
