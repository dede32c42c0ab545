"""The store gives back what was written, typed and exactly, and tells of every file that is damaged
or of another kit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from kit.core.errors import InputError
from kit.store import store, tables

CALLS = pd.DataFrame(
    {
        "cell_line": ["Jurkat", "A549"],
        "amino_acid": "asparagine",
        "call": ["dependent", None],
        "gr": [0.1 + 0.2, np.nan],
        "matches_prior": [True, None],
        "further": [1, 2],
    }
)
GROWTH = pd.DataFrame({"cell_line": ["Jurkat"], "replicate": [3], "gr": [0.25]})
WELLS = pd.DataFrame({"plate": ["P1", "P1"], "readout": "ATP", "hours": 48.0, "signal": [1.0, 2.0]})


def report(parent: Path, name: str) -> Path:
    (parent / name).mkdir(parents=True)
    return store.write(parent / name, name, {"calls": CALLS, "growth": GROWTH, "wells": WELLS})


def test_rows_come_back_exactly_and_in_their_types(tmp_path: Path) -> None:
    for name in ("EXP-2", "EXP-1"):
        report(tmp_path, name)
    (tmp_path / "not a report").mkdir()
    read = store.read_tables(tmp_path, ["growth", "rescue", "calls", "plates"])
    calls = read["calls"]
    assert calls["experiment_id"].tolist() == ["EXP-1"] * 2 + ["EXP-2"] * 2
    assert calls["gr"].iloc[0] == 0.1 + 0.2 and np.isnan(calls["gr"].iloc[1])
    assert calls["matches_prior"].tolist()[:2] == [True, None] and calls["call"].isna().sum() == 2
    assert calls["further"].tolist() == [1, 2, 1, 2] and calls["further"].dtype == np.int64
    assert read["growth"]["replicate"].dtype == np.int64 and read["rescue"].empty
    assert (
        read["plates"].drop(columns="experiment_id").to_dict("records")
        == [{"plate": "P1", "readout": "ATP", "hours": 48.0}] * 2
    )
    for table in ("growth", "calls"):
        pd.testing.assert_frame_equal(read[table], store.read(tmp_path, table))


def test_other_programs_read_the_same_rows(tmp_path: Path) -> None:
    """By two routes that share no code with `read`: a dataset of Arrow files, and the parquet."""
    report(tmp_path, "EXP-1")
    rows = pa.dataset.dataset([tmp_path / "EXP-1/results/calls.arrow"], format="ipc").to_table()
    assert rows["cell_line"].to_pylist() == ["Jurkat", "A549"]
    assert rows.schema.field("gr").type == pa.float64()
    whole = pq.read_table(tmp_path / "EXP-1" / store.FILE, page_checksum_verification=True)
    assert whole["experiment_id"].to_pylist() == ["EXP-1"]
    assert [row["gr"] for row in whole["calls"].to_pylist()[0]] == [0.1 + 0.2, None]


def test_a_column_of_two_kinds_becomes_text(tmp_path: Path) -> None:
    for name, value in (("EXP-1", 7), ("EXP-2", "seven")):
        (tmp_path / name).mkdir()
        store.write(tmp_path / name, name, {"calls": CALLS.assign(further=value)})
    assert store.read(tmp_path, "calls")["further"].tolist() == ["7", "7", "seven", "seven"]


def test_an_unknown_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        store.read_tables(tmp_path, ["calls", "call", "grwth"])
    assert [problem.what for problem in caught.value.problems] == [
        "the store has no table 'call'",
        "the store has no table 'grwth'",
    ]


def test_a_flipped_bit_anywhere_gives_no_number(tmp_path: Path) -> None:
    report(tmp_path, "EXP-1")
    path = tmp_path / "EXP-1" / "results" / "calls.arrow"
    whole = path.read_bytes()
    for place in range(0, len(whole), 37):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        with pytest.raises(InputError, match=r"calls\.arrow: cannot be read"):
            store.read(tmp_path, "calls")


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name in ("EXP-1", "EXP-2", "EXP-3", "EXP-4", "EXP-5"):
        report(tmp_path, name)
    (tmp_path / "EXP-2/results/calls.arrow").unlink()
    sums = tmp_path / "EXP-3/results/CRC32"
    sums.write_text(sums.read_text().replace("schema_version 2", "schema_version 7"))
    (tmp_path / "EXP-4/results/CRC32").unlink()  # as an earlier kit left its reports
    (tmp_path / "EXP-5/results/CRC32").write_text("calls")
    with pytest.raises(InputError) as caught:
        store.read(tmp_path, "calls")
    said = sorted(str(problem) for problem in caught.value.problems)
    words = ("cannot be read", "schema version 7", "schema version 1", "cannot be read")
    assert len(said) == 4 and all(word in text for word, text in zip(words, said, strict=True))


TEXTS = ["=1+2", "+1+cmd|' /C calc'!A0", "-x", "@SUM(1)", "'=1", "\t=1", "''-x", "'plain", "", "-5"]


def test_text_that_a_spreadsheet_would_run_is_harmless_and_reads_back(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=head": TEXTS, "value": [-1.5] * len(TEXTS)})
    tables.write_csv(frame, tmp_path / "compliance.csv")
    plain = pd.read_csv(tmp_path / "compliance.csv", dtype=str, keep_default_na=False)
    cells = [*plain.columns, *plain.iloc[:, 0]]
    assert [text for text in cells if text[:1] in ("=", "+", "-", "@", "\t")] == ["-5"]
    assert plain["value"].tolist() == ["-1.5"] * len(TEXTS)
    back = tables.read_csv(tmp_path / "compliance.csv")
    assert back["=head"].fillna("").tolist() == TEXTS
