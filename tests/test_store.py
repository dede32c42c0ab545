"""The store reads what any writer of its schema wrote, quickly where it was written well, and names
what it cannot read.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest

from kit.core.errors import InputError
from kit.store import store

CALLS = "cell_line,amino_acid,call,gr\nJurkat,asparagine,dependent,0.25\nA549,asparagine,prototrophic,0.875\n"
GROWTH = "cell_line,medium,replicate,gr\nJurkat,no_asn,1,0.25\n"


def report(parent: Path, name: str) -> Path:
    (parent / name / "tables").mkdir(parents=True)
    (parent / name / "tables" / "calls.csv").write_text(CALLS)
    (parent / name / "tables" / "growth.csv").write_text(GROWTH)
    return store.write(parent / name, name)


def plain(path: Path) -> None:
    """The same rows as another writer would leave them: tables mixed in one row group, no
    statistics.
    """
    rows = pq.read_table(path).take(pa.array([0, 2, 1]))
    pq.write_table(rows, path, write_statistics=False)


def grouped(path: Path) -> None:
    """One row group with statistics, which cannot tell where a table's rows lie."""
    pq.write_table(pq.read_table(path), path)


def swapped(path: Path) -> None:
    """A footer that tells the row groups in an order they are not in."""
    rows = pq.read_table(path)
    with pq.ParquetWriter(path, rows.schema) as file:
        for name in ("calls", "growth"):
            file.write_table(rows.filter(pa.compute.equal(rows["table"], name)))
        file.add_key_value_metadata({"tables": "growth,calls"})


def by_pandas(path: Path) -> None:
    """Another kind of text, and pandas' own footer."""
    pd.read_parquet(path).to_parquet(path)


def by_dictionary(path: Path) -> None:
    """Text as a dictionary's numbers, and a footer that is no text under the kit's key."""
    rows = pq.read_table(path)
    coded = rows.set_column(
        1, "experiment_id", rows["experiment_id"].dictionary_encode()
    ).set_column(2, "table", rows["table"].dictionary_encode())
    pq.write_table(coded.replace_schema_metadata({b"tables": b"\xff\xfe"}), path)


@pytest.mark.parametrize(
    "rewrite", [lambda path: None, plain, grouped, swapped, by_pandas, by_dictionary]
)
@pytest.mark.parametrize(
    ("table", "lines"), [("calls", ["Jurkat", "A549"]), ("growth", ["Jurkat"]), ("rescue", [])]
)
def test_rows_are_found_however_a_file_is_laid_out(
    tmp_path: Path, rewrite: object, table: str, lines: list[str]
) -> None:
    for name in ("EXP-1", "EXP-2"):
        rewrite(report(tmp_path, name))  # type: ignore[operator]
    read = store.read(tmp_path, table)
    assert read["cell_line"].tolist() == 2 * lines
    assert read["experiment_id"].tolist() == ["EXP-1"] * len(lines) + ["EXP-2"] * len(lines)
    if table == "calls":
        assert read["gr"].tolist() == [0.25, 0.875] * 2


def test_tables_read_across_experiments_have_row_groups_of_their_own_and_the_others_share_one(
    tmp_path: Path,
) -> None:
    report(tmp_path, "EXP-1")
    for name in ("rescue", "effects"):
        (tmp_path / "EXP-1" / "tables" / f"{name}.csv").write_text("cell_line\nJurkat\nA549\n")
    file = pq.ParquetFile(store.write(tmp_path / "EXP-1", "EXP-1"))
    held = [file.read_row_group(index)["table"].to_pylist() for index in range(file.num_row_groups)]
    assert held == [["calls", "calls"], ["growth"], ["effects", "effects", "rescue", "rescue"]]
    assert store.read(tmp_path, "rescue")["cell_line"].tolist() == ["Jurkat", "A549"]


def test_several_tables_are_read_at_once_as_one_by_one(tmp_path: Path) -> None:
    for name in ("EXP-1", "EXP-2"):
        report(tmp_path, name)
    plain(tmp_path / "EXP-2" / store.FILE)
    tables = ("growth", "rescue", "calls")
    read = store.read_tables(tmp_path, tables)
    assert list(read) == list(tables) and len(read["calls"]) == 4 and len(read["growth"]) == 2
    for table in tables:
        pd.testing.assert_frame_equal(read[table], store.read(tmp_path, table))
    with pytest.raises(InputError) as caught:
        store.read_tables(tmp_path, ["calls", "call", "grwth"])
    assert [problem.what for problem in caught.value.problems] == [
        "the store has no table 'call'",
        "the store has no table 'grwth'",
    ]


@pytest.mark.parametrize("table", ["calls", "rescue"])
def test_every_file_that_cannot_be_read_is_named(tmp_path: Path, table: str) -> None:
    for name in ("EXP-1", "EXP-2", "EXP-3", "EXP-4"):
        report(tmp_path, name)
    (tmp_path / "EXP-2" / store.FILE).write_bytes(b"PAR1 cut short")
    for name, statistics in (("EXP-3", True), ("EXP-4", False)):
        rows = pq.read_table(tmp_path / name / store.FILE)
        newer = rows.set_column(0, "schema_version", pa.array([7] * len(rows), pa.int16()))
        pq.write_table(newer, tmp_path / name / store.FILE, write_statistics=statistics)
    with pytest.raises(InputError) as caught:
        store.read(tmp_path, table)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 3 and "EXP-2" in said[0] and "cannot be read" in said[0]
    assert all(
        name in text and "schema version 7" in text
        for name, text in zip(("EXP-3", "EXP-4"), said[1:], strict=True)
    )


@pytest.mark.parametrize("values", [[1, 2, 3], [None, None, None], ["{cut", "[]", "7"]])
def test_rows_that_are_no_json_objects_are_named_by_file(
    tmp_path: Path, values: list[object]
) -> None:
    for name in ("EXP-1", "EXP-2", "EXP-3"):
        report(tmp_path, name)
    for name in ("EXP-2", "EXP-3"):
        path = tmp_path / name / store.FILE
        pq.write_table(pq.read_table(path).set_column(4, "values", pa.array(values)), path)
    with pytest.raises(InputError) as caught:
        store.read(tmp_path, "calls")
    assert [problem.what for problem in caught.value.problems] == [
        "a row of 'calls' is no JSON object"
    ] * 2
    assert [Path(problem.file).parent.name for problem in caught.value.problems] == [
        "EXP-2",
        "EXP-3",
    ]


@pytest.mark.parametrize(
    "columns",
    [
        ["schema_version", "experiment_id"],
        ["table", "schema_version", "experiment_id", "row", "values"],
    ],
)
def test_a_file_of_other_columns_is_named(tmp_path: Path, columns: list[str]) -> None:
    report(tmp_path, "EXP-1")
    path = report(tmp_path, "EXP-2")
    pq.write_table(pq.read_table(path).select(columns), path)
    with pytest.raises(
        InputError,
        match=r"EXP-2.*its columns have to be schema_version, experiment_id, table, row, values",
    ):
        store.read(tmp_path, "calls")
