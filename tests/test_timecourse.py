"""Growth rates, onset and recovery against closed forms, another program and planted truth."""

import math

import numpy as np
import pandas as pd
import pytest

import kit
from kit.core.errors import InputError
from kit.timecourse import dip_rate, find_onset, growth_rate, recovery_class, recovery_share
from kit.timecourse.rates import LN2


@pytest.fixture(scope="module")
def source(shared_data):
    return shared_data / "timecourse"


@pytest.fixture(scope="module")
def tiny(source):
    table = pd.read_csv(source / "tiny_exact.csv")
    return {name: (part.elapsed_h, part.value) for name, part in table.groupby("curve")}


@pytest.fixture(scope="module")
def planted(source):
    table = pd.read_csv(source / "planted_growth.csv")
    table["y"] = np.log2(table.value.where(table.value > 0))
    return table.groupby(["condition", "elapsed_h"]).y.mean().unstack("condition")


def test_rates_equal_the_closed_forms(tiny, source):
    assert growth_rate(*tiny["two_points"]).rate == pytest.approx(LN2, abs=1e-12)
    expected = pd.read_csv(source / "tiny_exact_expected.csv")
    seen = 0
    for row in expected[expected.parameter.str.startswith("rate_per_day_window_")].itertuples():
        low, high = row.parameter.split("[")[1][:-1].split(",")
        window = (float(low), float(high) + (0.5 if row.parameter.endswith("]") else 0))
        rate = kit.growth_rate(*tiny[row.curve], window=window).rate
        assert rate / LN2 * 24 == pytest.approx(row.value, abs=1e-6)
        seen += 1
    assert seen == 8


def test_dip_rates_equal_another_programs(source):
    table = pd.read_csv(source / "hts007_subset.csv")
    expected = pd.read_csv(source / "hts007_subset_expected.csv")
    seen = 0
    for curve, part in table.groupby("well"):
        wanted = expected[expected.curve == curve]
        pieces = [piece for _, piece in part.groupby((part.elapsed_h.diff() < 0).cumsum())]
        for piece, (_, row) in zip(
            pieces, wanted[wanted.parameter.str.endswith("per_h")].iterrows()
        ):
            control = row.parameter.startswith("control")
            rate = (growth_rate if control else dip_rate)(piece.elapsed_h, piece["count"])
            assert rate.rate / LN2 == pytest.approx(float(row.value), abs=1e-9)
            if not control:
                assert rate.se / LN2 == pytest.approx(row.se, abs=1e-9)
            seen += 1
    assert seen == 76


def test_a_rate_needs_ordered_times_and_signal():
    for hours in ([0, 4, 2], [0, 2, 2], [0, math.nan, 2], [0, 2]):
        with pytest.raises(InputError):
            growth_rate(hours, [1.0, 2.0, 4.0])
    assert math.isnan(growth_rate([0, 2, 4], [0, 0, 0]).rate)
    assert math.isnan(growth_rate([0, 2, 4], [-1.0, math.nan, 3]).rate)


@pytest.mark.parametrize(
    ("condition", "until", "truth"),
    [("delay16_quarter", 97, 16), ("delay12_arrest", 97, 12), ("delay24_death", 97, 24),
     ("addback48_recovers", 48, 12), ("addback48_none", 48, 12)],
)  # fmt: skip
def test_planted_onsets_are_found(planted, condition, until, truth):
    d = (planted[condition] - planted["control"])[planted.index < until].dropna()
    found = find_onset(d.index, d)
    assert found.found and abs(found.onset_h - truth) < 1.5
    assert found.ci_low < found.onset_h < found.ci_high


def test_no_onset_where_none_was_planted(planted):
    for condition in ("control_artefacts", "seed_lag10"):
        d = (planted[condition] - planted["control"]).dropna()
        assert not find_onset(d.index, d).found
    assert math.isnan(find_onset([0, 2, 4], [0, -1, -2]).onset_h)


def ar1(rng, shape, sd=0.05, rho=0.5):
    noise = rng.normal(0, sd, shape)
    for i in range(1, shape[-1]):
        noise[..., i] = rho * noise[..., i - 1] + math.sqrt(1 - rho**2) * noise[..., i]
    return noise


def test_false_onsets_and_bias_stay_small():
    """300 series without an onset, 100 with one at 24 h; noise of treated and control wells."""
    rng, hours = np.random.default_rng(19), np.arange(0, 72.1, 2)
    noise = ar1(rng, (300, len(hours))) - ar1(rng, (300, len(hours)))
    assert np.mean([find_onset(hours, d).found for d in noise]) < 0.05
    broken = -np.maximum(hours - 24, 0) / 24 + noise[:100]
    found = [find_onset(hours, d) for d in broken]
    assert all(item.found for item in found)
    assert abs(np.mean([item.onset_h for item in found]) - 24) < 1


def test_recovery_shares_and_classes():
    full = recovery_share([0.038, 0.040, 0.037, 0.039], [0.041, 0.042, 0.040, 0.041])
    assert full.ratio == pytest.approx(0.154 / 0.164) and recovery_class(full) == "reversible"
    none = recovery_share([0.001, -0.001, 0.000], [0.041, 0.040, 0.042])
    assert recovery_class(none) == "irreversible"
    half = recovery_share([0.020, 0.021, 0.022], [0.041, 0.040, 0.042])
    assert recovery_class(half) == "partly_reversible"
    assert recovery_class(recovery_share([0.04], [0.04])) == "indeterminate"
    assert recovery_class(recovery_share([0.04, 0.03], [0.001, -0.001])) == "indeterminate"
    assert math.isnan(recovery_share([], []).ratio)
