"""Results across experiments: each report's `results.parquet` holds its rows, all of them are read as one frame per table.

A file is long: `schema_version`, `experiment_id`, `table`, `row` (0-based), `values` (the row as JSON, numbers exactly). Five plain columns keep
a file small and quick to open, so thousands are read in a second or two, and any SQL engine can reach a value
(`SELECT experiment_id, values->>'call' FROM 'reports/*/results.parquet' WHERE "table" = 'calls'`). Rows of `wells` are not
repeated here: they are in tables/wells.csv. A report is replaced as a whole, so the store never doubles an experiment.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
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

_ARROW = {"number": pa.float64(), "whole": pa.float64(), "text": pa.string(), "flag": pa.bool_()}


def write(report: Path, experiment_id: str) -> Path:
    """Write `report`/results.parquet from the contract's tables in `report`/tables; returns its path."""
    rows: list[tuple[str, int, str]] = []
    for name in TABLES:
        path = report / "tables" / f"{name}.csv"
        if name not in LEFT_OUT and path.is_file():
            rows += [(name, index, json.dumps(values, ensure_ascii=False)) for index, values in enumerate(_rows(path, name))]
    columns = [[SCHEMA_VERSION] * len(rows), [experiment_id] * len(rows), *([row[i] for row in rows] for i in range(3))]
    table = pa.table([pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
    pa.parquet.write_table(table, report / FILE, compression="zstd")
    return report / FILE


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
    dataset = pa.dataset.dataset(files, schema=SCHEMA, format="parquet")
    rows = dataset.to_table(columns=["schema_version", "experiment_id", "values"], filter=pa.dataset.field("table") == table)
    versions = set(rows["schema_version"].unique().to_pylist())
    if versions - {SCHEMA_VERSION}:
        raise InputError(_other_version(files, versions - {SCHEMA_VERSION}))
    return _frame(rows, table)


def _other_version(files: list[str], versions: set[int]) -> list[Problem]:
    """Name the files that another version of the kit wrote."""
    found = []
    for path in files:
        used = set(pa.parquet.read_table(path, columns=["schema_version"])["schema_version"].unique().to_pylist()) & versions
        if used:
            what = f"schema version {used.pop()}; this kit reads {SCHEMA_VERSION}"
            found.append(Problem(path, "", what, "Run the experiment again with this kit, or use the kit that wrote it."))
    return found


def _frame(rows: pa.Table, table: str) -> pd.DataFrame:
    """The JSON of many rows as typed columns, contract columns in their order."""
    contract = TABLES[table]
    text = "\n".join(rows["values"].to_pylist())
    if not text:
        return pd.DataFrame(columns=["experiment_id", *contract])
    types = pa.schema([(column, _ARROW[kind]) for column, (kind, _) in contract.items()])
    options = {"parse_options": pa.json.ParseOptions(explicit_schema=types), "read_options": pa.json.ReadOptions(block_size=_block(text))}
    try:
        frame = pa.json.read_json(io.BytesIO(text.encode()), **options).to_pandas()
    except pa.ArrowInvalid:
        frame = _mixed(text, table)
    frame = frame[[*contract, *(name for name in frame.columns if name not in contract)]]
    frame.insert(0, "experiment_id", rows["experiment_id"].to_pandas())
    return frame


def _mixed(text: str, table: str) -> pd.DataFrame:
    """Rows whose columns differ in kind, as when an earlier kit did not know a column yet and kept it as text."""
    frame = pd.DataFrame([json.loads(line) for line in text.split("\n")])
    for column, (kind, _) in TABLES[table].items():
        if column not in frame:
            frame[column] = None
        if kind in ("number", "whole"):
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame


def _block(text: str) -> int:
    """Block size of the JSON reader in bytes: a row longer than a block would stop it."""
    return min(max(1 << 20, 4 * max(map(len, text.split("\n")))), 1 << 30)
