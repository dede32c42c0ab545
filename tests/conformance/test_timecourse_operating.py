"""The published table of planted onsets, recoveries and factorials, and that a small run agrees."""

from pathlib import Path

import pandas as pd
import pytest

from kit.simulate import courses

PUBLISHED = pd.read_csv(Path(__file__).with_name("timecourse_operating.csv"))


def near(found: dict, told: pd.Series, name: str) -> None:
    """A share of a small run lies within chance of the published one."""
    slack = 4 * (told[name] * (1 - told[name]) / found["n"]) ** 0.5 + 0.02
    assert found[name] == pytest.approx(told[name], abs=slack), name


def told(question: str, **cells: float) -> pd.Series:
    rows = PUBLISHED[PUBLISHED["question"].str.startswith(question)]
    for name, value in cells.items():
        rows = rows[rows[name].sub(value).abs() < 1e-9]
    assert len(rows) == 1
    return rows.iloc[0]


def test_planted_onsets_and_recoveries_are_found():
    onset = PUBLISHED[PUBLISHED["question"].str.startswith("hour")]
    assert (onset["bias"].abs() < 1).all() and (onset["found"] > 0.99).all()
    recovery = PUBLISHED[PUBLISHED["question"].str.startswith("recovery")]
    assert (recovery["bias"].abs() < 0.02).all()
    covers = pd.concat([onset, recovery])["covers"]
    assert covers.between(0.93, 0.97).all()


def test_nothing_is_found_where_nothing_was_planted():
    none = PUBLISHED[PUBLISHED["question"].str.startswith("onset where")]
    assert (none["found"] < 0.05).all()
    assert (PUBLISHED["wrong"].dropna() < 0.05).all()


def test_a_small_run_agrees_with_the_published_table():
    """Other seeds than the table's."""
    found = courses.onsets(16.0, 4, 60, seed=1)
    row = told("hour", truth=16.0, experiments=4)
    near(found, row, "covers")
    assert abs(found["bias"] - row["bias"]) < 0.4
    near(courses.onsets(float("inf"), 4, 60, seed=2), told("onset where"), "found")
    near(
        courses.recoveries(0.95, 3, 60, seed=3),
        told("recovery", truth=0.95, experiments=3),
        "covers",
    )
    row = told("factorial", truth=0.0, sd=0.25, experiments=4)
    found = courses.factorials(0.0, 0.25, 4, 60, seed=4)
    near(found, row, "found")
    assert found["wrong"] <= 0.05


@pytest.mark.slow
def test_the_table_is_made_again(tmp_path):
    again = courses.table(400, seed=5)
    for row, other in zip(again.to_dict("records"), PUBLISHED.to_dict("records"), strict=True):
        assert row["question"] == other["question"]
        for name in ("covers", "found"):
            if pd.notna(other[name]):
                near(row, pd.Series(other), name)
