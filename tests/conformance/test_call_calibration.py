"""The published table of confident calls, and that a small run of it still agrees."""

from pathlib import Path

import pandas as pd
import pytest

from kit.simulate.calibration import NOISE, calibration

PUBLISHED = pd.read_csv(Path(__file__).with_name("call_calibration.csv"))


@pytest.mark.parametrize("kind", NOISE)
def test_a_small_run_agrees_with_the_published_table(kind):
    told = PUBLISHED.query("noise == @kind and replicates == 3").iloc[0]
    found = calibration(kind, 3, 250 if kind.startswith("one outlier") else 40, seed=7)
    size = found["calls"]
    for name in ("confident", "right", "interval_covers"):
        slack = 4 * (told[name] * (1 - told[name]) / size) ** 0.5 + 0.02  # lines share a scale
        assert found[name] == pytest.approx(told[name], abs=slack), name


def test_confident_calls_are_wrong_in_few():
    table = PUBLISHED.query("replicates >= 3").set_index(["noise", "replicates"])
    wrong = table["wrong_of_confident"]
    outlier = table.index.get_level_values("noise").str.startswith("one outlier")
    assert (wrong[~outlier] <= 0.03).all()
    assert (wrong[outlier] <= 0.05).all()
    assert PUBLISHED.query("replicates == 2")["confident"].eq(0).all()
