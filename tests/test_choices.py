"""What a report says of its maker's choices: moved settings, wells left out, and what they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import kit
from kit.batch.choices import choices
from kit.config.settings import Settings, moved
from kit.experiment.exclusions import COLUMNS


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "data" / "examples" / "EXP-DEMO-01"


def test_a_report_without_choices_says_nothing(folder: Path) -> None:
    assert choices(kit.analyse(kit.load(folder))) == []


def test_equal_numbers_are_not_moved() -> None:
    assert moved(Settings(max_drift_percent=10, gr_auxotroph=0.2)) == []
    assert moved(Settings(gr_auxotroph=0.25)) == [("gr_auxotroph", 0.25, 0.2)]


def test_a_moved_cutoff_names_each_call_that_changes(folder: Path) -> None:
    made = kit.analyse(kit.load(folder, {"gr_auxotroph": 0.38}))
    usual = kit.analyse(kit.load(folder))
    (told,) = choices(made)
    keys = ["cell_line", "amino_acid"]
    both = made.calls.merge(usual.calls, on=keys, suffixes=("", "_usual"))
    other = both["call"].ne(both["call_usual"]) | both["confidence"].ne(both["confidence_usual"])
    assert "gr_auxotroph 0.38 (0.2)" in told and 0 < other.sum() < len(both)
    for row, changes in zip(both.itertuples(), other, strict=True):
        named = f"{row.cell_line} {made.labels.names[row.medium]} "
        assert (named in told) == changes, named


def test_wells_left_out_are_told_with_what_they_change(folder: Path) -> None:
    experiment = kit.load(folder)
    well = experiment.wells[experiment.wells["role"].eq("sample")].iloc[0]
    entry = dict.fromkeys(COLUMNS, "x") | {"plate": well["plate"], "well": well["well"]}
    rows = pd.DataFrame([entry], columns=list(COLUMNS))
    (told,) = choices(kit.analyse(replace(experiment, exclusions=rows)))
    assert told.startswith("1 entry of exclusions.csv") and told.endswith("No call changes by it.")


def test_an_analysis_that_fails_without_a_choice_costs_no_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kit.analyse(kit.load(folder, {"gr_auxotroph": 0.38}))

    def fails(*_: object) -> None:
        raise ValueError("no such wells")

    monkeypatch.setattr("kit.batch.choices.analyse", fails)
    (told,) = choices(made)
    assert told.endswith("so what they change is unknown.")
