"""Uptake rates and the exchange test against published fluxes, another program and planted truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

import kit
from kit.exchange import elasticity, rates
from kit.exchange.lag import lag_fit
from kit.stats.robust import robust_line


@pytest.fixture(scope="module")
def source(shared_data):
    return shared_data / "exchange"


@pytest.fixture(scope="module")
def golden(source):
    return pd.read_csv(source / "golden.csv").set_index("id")


def agrees(golden, name, value):
    assert value == pytest.approx(golden.value[name], abs=golden.abs_tolerance[name]), name


def test_golden_core(golden):
    mu, k, x0, q, start = 0.03, 0.003, 2e5, 40.0, 4000.0
    growth = rates.growth_fit([0, 24, 48, 72], x0 * np.exp(mu * np.array([0, 24, 48, 72])))
    for t in (24, 48, 72):
        right = [lambda _t, m: -k * m - q * 1e-6 * x0 * np.exp(mu * _t)]
        left = solve_ivp(right[0], (0, t), [start], rtol=1e-11, atol=1e-9).y[0, -1]
        agrees(golden, f"core.M{t}", left)
        blank = start * np.exp(-k * t)
        agrees(golden, f"core.exact{t}", rates.two_point_rate(blank, left, t, growth, k))
        agrees(golden, f"core.twopoint{t}", rates.two_point_rate(blank, left, t, growth))
        agrees(golden, f"core.noblank{t}", rates.two_point_rate(start, left, t, growth))
    times = np.array([24.0, 48, 72])
    left = [golden.value[f"core.M{t:g}"] for t in times]
    t, m = np.r_[0, times], np.r_[start, left]
    rate, se = kit.exchange_rate(t, m, x0 * np.exp(mu * t), k_decay=k)
    assert rate == pytest.approx(q, rel=1e-8) and se < 1e-3
    agrees(golden, "core.v_per_k", round(rate / mu, 6))


def test_golden_times_of_exhaustion(golden):
    growth = rates.growth_fit([0, 24], [2e5, 4e5])
    agrees(golden, "exhaust.cellhours", growth.cell_hours(72))
    agrees(golden, "exhaust.fraction", 20 * growth.cell_hours(72) / 572e6)
    agrees(golden, "exhaust.t", rates.runs_out_at(572, 20, growth.mu, 2e5))
    sparse = rates.growth_fit([0, 24], [1e5, 2e5])
    k, left = 0.0017574, 0.0
    used = solve_ivp(
        lambda t, m: -k * m - 40e-6 * 1e5 * 2 ** (t / 24), (0, 48), [4000.0], rtol=1e-10, atol=1e-8
    )
    left = used.y[0, -1]
    agrees(golden, "decay.sparse_noblank", rates.two_point_rate(4000.0, left, 48, sparse))


def test_published_fluxes_follow_from_the_raw_amounts(source):
    folder = source / "copeland_2023"
    raw = pd.read_csv(folder / "measurements.csv")
    raw = raw[raw.time_h < 96]
    decay = pd.read_csv(folder / "k_published.csv").set_index(["metabolite", "oxygen"]).k_per_h
    flux = pd.read_csv(folder / "fluxes_published.csv")
    flux = flux.set_index(["metabolite", "date", "oxygen"]).flux_fmol_cell_h
    grown = pd.read_csv(folder / "growth_rates_published.csv").set_index(["date", "oxygen"])
    compared = 0
    for (day, oxygen), rows in raw.groupby(["date", "oxygen"]):
        counts = rows[rows.metabolite.eq("cells")]
        growth = rates.growth_fit(counts.time_h, counts.conc_uM_or_cells)
        assert growth.mu == pytest.approx(grown.mu[day, oxygen], rel=1e-6)
        for name, own in rows[rows.type.eq("cells")].groupby("metabolite"):
            if (name, day, oxygen) in flux.index:
                k = float(decay.get((name, oxygen), 0.0))
                found = rates.uptake(own.time_h, own.nmol, growth, k)
                assert -found.rate == pytest.approx(flux[name, day, oxygen], rel=1e-6)
                compared += 1
    assert compared == 40


def test_lagged_growth_agrees_with_physiofit(source):
    data = pd.read_csv(source / "physiofit_oracle/data.csv")
    expected = pd.read_csv(source / "physiofit_oracle/expected.csv")
    expected = expected.pivot(index="experiment", columns="param", values="physiofit_v3_4")
    sd = {"sd_cells": 0.002, "sd_amount": 0.5}
    for name, rows in data.groupby("experiment"):
        k = 0.008643483
        found = lag_fit(rows.time_h, rows.X_gDW_L, rows.DHA_mM, k_decay=k, **sd)
        assert found.mu == pytest.approx(expected.growth_rate[name], rel=2e-4)
        assert -found.rate == pytest.approx(expected.DHA_q[name], rel=0.01)
        assert found.determined
    loose = data[data.experiment.eq("delta_glpK-1")]
    assert not lag_fit(loose.time_h, loose.X_gDW_L, loose.Glycerol_mM, **sd).determined


def test_one_wild_point_moves_the_robust_line_less_than_least_squares():
    x = np.arange(12.0)
    y = 2 * x + np.random.default_rng(1).normal(0, 0.1, 12)
    y[-1] += 40
    assert abs(robust_line(x, y).slope - 2) < 0.1 < abs(np.polyfit(x, y, 1)[0] - 2)


def test_without_wild_points_the_error_is_that_of_least_squares():
    rng = np.random.default_rng(2)
    x = np.linspace(0, 10, 400)
    y = 3 * x + rng.normal(0, 1, 400)
    least = np.sqrt(1 / np.sum((x - x.mean()) ** 2))
    assert robust_line(x, y).slope_se == pytest.approx(least, rel=0.15)


def test_rate_of_cells_that_do_not_grow():
    t = np.array([0.0, 24, 48])
    rate, _ = kit.exchange_rate(t, 100 - 1e-6 * 5 * 1e5 * t, np.full(3, 1e5))
    assert rate == pytest.approx(5, rel=1e-6)


@pytest.mark.parametrize(
    ("hours", "amount", "cells"),
    [([0, 1], [1, 2], [1]), ([0, 1], [1, -2], [1, 2]), ([0, 1], [1, 2], [0, 2])],
)
def test_what_is_no_measurement_is_refused(hours, amount, cells):
    with pytest.raises(ValueError, match=r"differ|negative"):
        kit.exchange_rate(hours, amount, cells)


def test_times_that_are_equal_give_no_rate():
    assert np.isnan(kit.exchange_rate([24, 24], [10, 11], [1e5, 1.1e5])[0])


def test_golden_elasticities(golden):
    a = np.array([4.2321, 5.5624, 13.0, 20.0, 0.96, 4.8])
    mu = 0.008 + 0.021 * a / (a + 3.5)
    assert elasticity.slope(a, 7 * mu / mu) == pytest.approx(0, abs=1e-12)
    assert 0.2 < elasticity.slope(a, 7 * mu) < 0.3
    assert -0.2 < elasticity.slope(a, (0.5 * mu + 0.01) / mu) < -0.1
    assert elasticity.slope(a, 7 * (a / 8) ** 0.25) == pytest.approx(0.25)


def test_intervals_cover_and_demand_alone_rarely_supports():
    """2,000 simulated sets of slopes: the t interval covers, and demand alone is not support."""
    rng = np.random.default_rng(11)
    for n in (3, 4, 6):
        hits = support = 0
        for _ in range(700):
            slopes = rng.normal(0, 0.05, (5, n))
            control = slopes[4]
            found = [elasticity.elasticity(str(i), slopes[i], slopes[i], control) for i in range(4)]
            adjusted = elasticity.adjusted(found)
            hits += found[0].epsilon.low <= 0 <= found[0].epsilon.high
            support += any(
                elasticity.verdict(item, p, 0.10) == elasticity.SUPPORTS
                for item, p in zip(found, adjusted, strict=True)
            )
        assert 0.92 <= hits / 700 <= 0.98
        assert support / 700 < 0.05
