"""Dose-response curves against certified, published and planted values."""

import math
import time

import numpy as np
import pandas as pd
import pytest

import kit
from kit.core.errors import InputError
from kit.dose.fit import Box, fit_batch
from kit.dose.rivals import aicc, fit_rival

DOSES = np.array([0, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0])
FALLING = {"top": (1, 1), "bottom": (-1, 1), "hill": (0.3, 10)}
RISING = {"top": (0.5, 1.2), "bottom": (-1, 1), "hill": (-10, -0.3)}


@pytest.fixture(scope="module")
def read(shared_data):
    folder = shared_data / "dose_response"
    return lambda name: pd.read_csv(folder / f"{name}.csv")


def expected(table, curve):
    rows = table[table["curve"].astype(str).eq(curve)].set_index("parameter")
    return rows["value"].fillna(rows.get("computed_here")), rows.get("se")


def planted(n, seed=0, sd=0.05, rising=False, doses=DOSES):
    """Means, pure error and true midpoints of curves with three wells a dose."""
    rng = np.random.default_rng(seed)
    m = rng.uniform(-3.3, -1.7, n)
    hill, end = np.exp(rng.uniform(np.log(0.8), np.log(2.5), n)), rng.uniform(-0.3, 0.4, n)
    y = end[:, None] + (1 - end[:, None]) / (1 + (doses / 10 ** m[:, None]) ** hill[:, None])
    wells = (1 - y if rising else y)[..., None] + rng.normal(0, sd, (n, len(doses), 3))
    mean = wells.mean(2)
    return mean, ((wells - mean[..., None]) ** 2).sum((1, 2)), m


def test_nist_rat42_is_certified_to_six_digits(read):
    data, (value, se) = read("nist_rat42"), expected(read("nist_rat42_expected"), "Rat42")
    fit = kit.fit_curve(
        np.exp(data["x"]), data["y"], bounds={"bottom": (0, 0)}, information="expected"
    )
    b2 = -fit.hill * fit.log10_ec50 * math.log(10)
    np.testing.assert_allclose(
        [fit.top, b2, -fit.hill, fit.rss], value[["b1", "b2", "b3", "rss"]], rtol=1e-6
    )
    np.testing.assert_allclose([fit.se["top"], fit.se["hill"]], se[["b1", "b3"]], rtol=1e-6)


def test_nist_rat43_is_certified_to_six_digits(read):
    data, (value, _) = read("nist_rat43"), expected(read("nist_rat43_expected"), "Rat43")
    fit = fit_rival("richards", np.exp(data["x"]), data["y"], np.ones(len(data)))
    m, b3, b4 = fit.shapes
    found = [fit.levels[0], b3 * m * math.log(10), b3, b4, fit.rss]
    np.testing.assert_allclose(found, value[["b1", "b2", "b3", "b4", "rss"]], rtol=2e-6)


@pytest.mark.parametrize("curve", "12345")
def test_spinach_coefficients(read, curve):
    value, _ = expected(read("drc_spinach_expected"), curve)
    data = read("drc_spinach").query(f"curve == {curve}")
    fit = kit.fit_curve(data["dose"], data["response"])
    np.testing.assert_allclose(
        [fit.hill, fit.top, fit.ec50], value[["b", "d", "e"]].astype(float), rtol=5e-5
    )
    assert fit.bottom == pytest.approx(float(value["c"]), abs=1e-5)


@pytest.mark.parametrize("method", ["fieller", "delta"])
def test_spinach_potency_ratios(read, method):
    fits = {
        str(name): kit.fit_curve(group["dose"], group["response"])
        for name, group in read("drc_spinach").groupby("curve")
    }
    df = sum(fit.df for fit in fits.values())
    variance = sum(fit.rss for fit in fits.values()) / df
    table = read("drc_spinach_expected").query("parameter == 'ED50_ratio'")
    assert len(table) == 10
    for row in table.to_dict("records"):
        a, b = row["curve"].split("/")
        found = kit.potency_ratio(
            fits[a], fits[b], method=method, residual_variance=variance, df=df
        )
        assert found.ratio == pytest.approx(row["value"], rel=5e-5)
        assert found.se == pytest.approx(row["se"], rel=2e-4)
        assert found.low < found.ratio < found.high


def test_acidiq_effective_doses_with_their_errors(read):
    data = read("drc_acidiq_17_and_0")
    fit = kit.fit_curve(data["dose"], data["response"])
    value, se = expected(read("drc_acidiq_expected"), "17|0")
    for share in (10, 20, 50):
        found = fit.effective_dose(share / 100)
        assert found[0] == pytest.approx(float(value[f"ED{share}"]), rel=3e-6)
        assert found[1] == pytest.approx(float(se[f"ED{share}"]), rel=1e-5)


def test_lettuce_hormesis(read):
    data, value = read("drc_lettuce"), expected(read("drc_lettuce_expected"), "BC.4")[0]
    dose, y = data["dose"].to_numpy(), data["response"].to_numpy()
    fit = fit_rival("hormetic_to_zero", dose, y, np.ones(len(y)))
    ec50 = 10 ** fit.shapes[0]
    np.testing.assert_allclose(
        [fit.levels[0], ec50, fit.levels[1] / ec50, fit.shapes[1]],
        value[["d", "e", "f", "b"]].astype(float),
        rtol=3e-3,
    )
    rows = expected(read("drc_lettuce_expected"), "LL.4")[0]
    plain = kit.fit_curve(dose, y)
    assert plain.ec50 == pytest.approx(float(rows["e"]), rel=1e-5)
    assert aicc(plain.rss, len(y), 4) == pytest.approx(float(rows["AICc"]), abs=1e-5)
    assert aicc(fit.rss, len(y), 4) == pytest.approx(float(value["AICc"]), abs=1e-5)


@pytest.mark.parametrize("scale", ["loglogistic", "logistic"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fixed", [False, True])
def test_drda_fits(read, scale, weighted, fixed):
    rows = read("drda_test_sets").query(f"set == '{scale}'")
    alpha = 0.9 if weighted else 0.8
    bounds = {"top": (alpha, alpha), "bottom": (alpha - 0.9, alpha - 0.9)} if fixed else None
    dose = rows["x"] if scale == "loglogistic" else np.exp(rows["x"])
    fit = kit.fit_curve(
        dose, rows["response"], bounds=bounds, weights=rows["weight"] if weighted else None
    )
    kind = "weighted" * weighted + ", " * (weighted and fixed)
    kind += f"alpha {alpha}, delta -0.9 fixed" * fixed or "free" * (not weighted)
    value, _ = expected(read("drda_test_sets_expected"), f"{scale}: {kind}")
    phi = fit.ec50 if scale == "loglogistic" else math.log(fit.ec50)
    np.testing.assert_allclose(
        [fit.top, fit.bottom - fit.top, fit.hill, phi, fit.rss],
        value[["alpha", "delta", "eta", "phi", "rss"]].astype(float),
        rtol=1e-6,
    )


def test_voropm2(read):
    data, table = read("voropm2"), read("voropm2_expected")
    for kind, weights in (("unweighted", None), ("weighted", data["weight"])):
        fit = kit.fit_curve(data["dose_nM"], data["response"], weights=weights)
        value, _ = expected(table, kind)
        np.testing.assert_allclose(
            [fit.top, fit.bottom, fit.ec50, fit.hill, fit.rss],
            value[["top", "bottom", "ec50_nM", "hill", "rss"]].astype(float),
            rtol=1e-5,
        )


def test_neutralisation_curves(read):
    table = read("doud2018_expected")
    data = read("doud2018")
    dropped = data["antibody"].eq("H17-L19") & data["replicate"].eq(2)
    seen = 0
    for (antibody, virus), group in data[~dropped].groupby(["antibody", "virus"]):
        value, _ = expected(table, f"{antibody}|{virus}")
        if "midpoint" not in value or virus == "H330R":
            continue
        mean = group.groupby("dose")["response"].mean()
        fit = kit.fit_curve(
            mean.index, mean, bounds={"top": (1, 1), "bottom": (0, 0), "hill": (0.1, 50)}
        )
        if fit.ec50 <= mean.index.max():
            assert fit.ec50 == pytest.approx(float(value["midpoint"]), rel=6e-3)
            assert fit.hill == pytest.approx(float(value["hill"]), rel=6e-3)
            seen += 1
    assert seen >= 8


def test_gain_and_loss_is_found_exactly(read):
    data = read("tcplfit2_gain_loss").query("curve == 'gnls_planted'")
    fit = fit_rival("gain_loss", data["dose"], data["response"], np.ones(len(data)))
    found = [fit.levels[0], 10 ** fit.shapes[0], 10 ** fit.shapes[1], *fit.shapes[2:]]
    np.testing.assert_allclose(found, [750, 15, 50, 1.45, 1.34], rtol=1e-4)


def test_sarcoma_curves_agree_where_the_peer_is_sure(read):
    data, table = read("sarcoma_subset"), read("sarcoma_subset_expected")
    wide = table.pivot_table(index="curve", columns="parameter", values="value", aggfunc="first")
    peer = table[table["parameter"].eq("pEC50")].set_index("curve")
    down = wide.index[wide["regulation"].eq("down")]
    sure = [curve for curve in down if float(peer.loc[curve, "se"]) < 0.2]
    off = []
    for curve in sure[::2]:
        rows = data[data["curve"].eq(curve)]
        fit = kit.fit_curve(rows["dose_nM"] * 1e-9, rows["response"])
        off.append(abs(-fit.log10_ec50 - float(peer.loc[curve, "value"])))
    assert len(off) >= 9
    assert np.median(off) < 0.05


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_sets_on_which_peers_stop_end_with_a_status(read, number):
    data = read("dr4pl_error_sets").query(f"curve == 'drc_error_{number}'")
    assert kit.fit_curve(data["dose"], data["response"]).status != "ok"


@pytest.mark.parametrize("name", ["planted_exact", "planted_noisy"])
def test_planted_curves_get_their_code(read, name):
    truth = read("planted_expected").query("parameter == 'code'").set_index("curve")["value"]
    ec50 = read("planted_expected").query("parameter == 'ec50_rel'").set_index("curve")["value"]
    found = {}
    for curve, rows in read(name).groupby("curve"):
        bounds = RISING if curve.startswith("rise") else FALLING
        fit = kit.fit_curve(rows["dose"], rows["response"], bounds=bounds)
        found[curve] = fit.status.upper()
        if truth[curve] == "OK" and curve in ec50 and name == "planted_exact":
            assert fit.ec50 == pytest.approx(float(ec50[curve]), rel=1e-5)
    wrong = {curve: (code, truth[curve]) for curve, code in found.items() if code != truth[curve]}
    assert wrong == {}


def test_titration_is_refitted_on_the_true_dose(read):
    rows = read("planted_exact").query("curve == 'rise_carryover_1.5uM'")
    assert kit.fit_curve(rows["dose"] + 1.5, rows["response"]).ec50 == pytest.approx(4.5, rel=1e-5)


def test_no_result_depends_on_unit_order_or_scale():
    mean, _, _ = planted(1, 3)
    first = kit.fit_curve(DOSES, mean[0])
    order = np.random.default_rng(0).permutation(len(DOSES))
    other = kit.fit_curve(DOSES[order] * 1e6, mean[0][order] * 4e5)
    assert other.status == first.status
    np.testing.assert_allclose(
        [other.ec50 / 1e6, other.hill, other.top / 4e5, other.se["log10_ec50"]],
        [first.ec50, first.hill, first.top, first.se["log10_ec50"]],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        np.array(other.ci_log10_ec50) - 6, np.array(first.ci_log10_ec50), atol=1e-6
    )


@pytest.mark.parametrize("rising", [False, True])
def test_intervals_cover_and_none_are_printed_without_an_effect(rising):
    mean, pure, m = planted(1200, 7, rising=rising)
    box = Box((-0.2, 0.8), (0.5, 1.5)) if rising else Box((0.8, 1.2), (-1, 0.8))
    fits = fit_batch(DOSES, mean, np.full(mean.shape, 3.0), pure, box)
    assert np.mean((fits.low <= m) & (m <= fits.high)) == pytest.approx(0.95, abs=0.02)


def test_no_ec50_is_printed_without_an_effect():
    rng = np.random.default_rng(1)
    status = [
        kit.fit_curve(np.repeat(DOSES, 3), 1 + rng.normal(0, 0.05, 33), bounds=FALLING).status
        for _ in range(20)
    ]
    assert "ok" not in status


def test_two_thousand_fits_with_intervals_a_second():
    mean, pure, _ = planted(600, 5)
    n = np.full(mean.shape, 3.0)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        fit_batch(DOSES, mean, n, pure, Box((1.0, 1.0), (-1.0, 0.8)))
        seconds.append(time.process_time() - start)
    assert 600 / min(seconds) > 2000


@pytest.mark.parametrize(
    ("dose", "response", "problems"),
    [
        ([0, 1, -2, 3, 4, 5], [1] * 6, 1),
        ([0, 1, 2, 3, 4, 5], [1, math.nan, 1, 1, math.inf, 1], 2),
        ([0, 1, 2], [1, 2], 1),
    ],
)
def test_bad_values_are_named(dose, response, problems):
    with pytest.raises(InputError) as caught:
        kit.fit_curve(dose, response)
    assert len(caught.value.problems) == problems


@pytest.mark.parametrize("dose", [[1] * 6, [0] * 6, [0, 1, 10, 100], [3]])
def test_too_few_doses_give_no_number(dose):
    fit = kit.fit_curve(dose, np.linspace(1, 0, len(dose)))
    assert fit.status == "TOO_FEW"
    assert math.isnan(fit.ec50)
