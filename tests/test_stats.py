"""Statistics against published values, peer libraries, closed forms and their own definitions."""

import csv
import itertools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats as sps

from kit import stats
from kit.simulate.simulations import block_analysis, blocks

# r_jk, r_jh, r_kh, n, Williams t, p, Steiger Z, p, Zou low, high: R package cocor 1.1-4
# (Diedenhofen & Musch 2015, PLoS One 10:e0121945)
COCOR = [
    (
        0.2,
        0.5,
        0.1,
        315,
        -4.49499254102116,
        9.818136702755e-06,
        -4.41518276006752,
        1.00924691487677e-05,
        -0.430712413868641,
        -0.16749035509626,
    ),
    (
        0.3,
        0.4,
        0.5,
        100,
        -1.07673563783735,
        0.2842690470032,
        -1.07181687018363,
        0.283802294205981,
        -0.282341348413007,
        0.0824042979500825,
    ),
    (
        0.5,
        0.6,
        0.7,
        100,
        -1.59522514672299,
        0.113915053902322,
        -1.57968986595333,
        0.114177907552567,
        -0.231480781851654,
        0.0239436288521675,
    ),
    (
        0.4,
        0.5,
        0.1,
        103,
        -0.891279904760541,
        0.374918517491256,
        -0.888718469955872,
        0.374154402172002,
        -0.320195207095602,
        0.120250289770941,
    ),
]


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- two correlations that share a variable
# -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", COCOR)
def test_dependent_correlations_agree_with_cocor(case):
    found = [
        *stats.williams_test(*case[:4]),
        *stats.steiger_test(*case[:4]),
        *stats.zou_interval(*case[:4]),
    ]
    assert_allclose(found, case[4:], rtol=1e-9, atol=1e-9)


def test_every_cocor_reference_agrees(shared_data):
    reference = rows(shared_data / "stats_reference" / "cocor_reference.csv")
    assert reference
    for row in reference:
        r = [float(row[name]) for name in ("rjk", "rjh", "rkh", "n")]
        found = [*stats.williams_test(*r), *stats.steiger_test(*r), *stats.zou_interval(*r)]
        names = (
            "williams1959.stat",
            "williams1959.p",
            "steiger1980.stat",
            "steiger1980.p",
            "zou.lo",
            "zou.hi",
        )
        assert_allclose(found, [float(row[name]) for name in names], rtol=1e-9, atol=1e-9)


def test_published_examples_of_dependent_correlations():
    assert stats.williams_test(0.3, 0.4, 0.5, 100) == pytest.approx(
        (-1.0767, 0.2843), abs=5e-5
    )  # Silver, Hittner & May 2006
    assert stats.steiger_test(0.3, 0.4, 0.5, 100) == pytest.approx(
        (-1.0718, 0.2838), abs=5e-5
    )  # the same
    assert stats.zou_interval(0.396, 0.179, 0.088, 66) == pytest.approx(
        (-0.093, 0.517), abs=5e-4
    )  # Zou 2007


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1.2, 0, 0, 20), "r_jk"),
        ((0.9, -0.9, 0.9, 20), "together"),
        ((0.5, 0.4, 0.3, 3), "at least 4"),
    ],
)
def test_impossible_correlations_are_refused(arguments, words):
    for function in (stats.williams_test, stats.steiger_test, stats.zou_interval):
        with pytest.raises(ValueError, match=words):
            function(*arguments)


# --- correlation
# ----------------------------------------------------------------------------------------------------------------------


def test_coefficients_by_ranks_and_corrcoef_and_pairs_with_gaps_left_out():
    x, y = np.random.default_rng(1).normal(size=(2, 14)).round(1)
    x[3], y[7] = np.nan, np.nan
    keep = np.isfinite(x) & np.isfinite(y)
    assert stats.pearson(x, y).r == pytest.approx(np.corrcoef(x[keep], y[keep])[0, 1])
    ranks = [sps.rankdata(v[keep]) for v in (x, y)]
    found = stats.spearman(x, y)
    assert found.r == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert (found.n, found.p_method) == (12, "exact")


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]),
        ([1, 1, 2, 3, 3, 3], [5, 1, 4, 4, 2, 7]),
        ([3, 1, 2], [1, 2, 3]),
    ],
)
def test_exact_p_by_listing_every_permutation(x, y):
    a, b = sps.rankdata(x), sps.rankdata(y)
    observed = abs(np.corrcoef(a, b)[0, 1])
    every = [abs(np.corrcoef(a, permuted)[0, 1]) for permuted in itertools.permutations(b)]
    assert stats.spearman_exact_p(x, y) == pytest.approx(
        np.mean(np.array(every) >= observed - 1e-9)
    )


@pytest.mark.parametrize(
    ("n", "critical"),
    [
        (5, 1.0),
        (6, 0.886),
        (7, 0.786),
        (8, 0.738),
        (9, 0.700),
        (10, 0.648),
        (11, 0.618),
        (12, 0.587),
    ],
)
def test_exact_critical_values_of_spearman(n, critical):
    """Zar 1972, J Am Stat Assoc 67:578, two-sided 0.05."""
    assert stats.spearman_critical(n) == pytest.approx(critical, abs=6e-4)


def test_four_lines_cannot_be_significant():
    assert math.isnan(stats.spearman_critical(4))
    assert stats.spearman([1, 2, 3, 4], [1, 2, 3, 4]).p == pytest.approx(2 / 24)


@pytest.mark.parametrize(
    ("n", "low", "high"), [(6, -0.98, 0.20), (10, -0.96, -0.24), (20, -0.93, -0.50)]
)
def test_bonett_wright_interval(n, low, high):
    assert stats.spearman_interval(-0.8, n) == pytest.approx((low, high), abs=0.005)


def test_fisher_interval_agrees_with_scipy():
    x, y = np.random.default_rng(2).normal(size=(2, 25))
    expected, found = sps.pearsonr(x, x + y), stats.pearson(x, x + y)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("kind", ["pearson", "spearman"])
def test_bca_interval_agrees_with_scipy(kind):
    rng = np.random.default_rng(3)
    x = rng.normal(size=20)
    y = x + rng.normal(size=20)
    route = {"pearson": sps.pearsonr, "spearman": sps.spearmanr}[kind]
    peer = sps.bootstrap(
        (x, y),
        lambda a, b: route(a, b)[0],
        paired=True,
        vectorized=False,
        n_resamples=1500,
        random_state=np.random.default_rng(0),
    )
    found = stats.correlation_bca(x, y, kind, n_draws=8000, seed=1)
    assert found == pytest.approx(tuple(peer.confidence_interval), abs=0.035)
    assert found == stats.correlation_bca(x, y, kind, n_draws=8000, seed=1)


def test_bootstrap_of_a_correlation_needs_eight_lines():
    x = np.arange(7.0)
    assert all(map(math.isnan, stats.correlation_bca(x, x**2)))


def test_one_line_that_makes_the_correlation_is_found():
    x = np.array([1.0, 2, 3, 4, 5, 6, 7, 30])
    y = np.array([3.0, 1, 4, 2, 4.5, 2.5, 3.5, 60])
    found = stats.leave_one_out(x, y, "pearson")
    by_hand = [np.corrcoef(np.delete(x, i), np.delete(y, i))[0, 1] for i in range(8)]
    assert_allclose(found.values, by_hand)
    assert found.max_change == pytest.approx(max(abs(np.array(by_hand) - np.corrcoef(x, y)[0, 1])))
    assert found.significance_changes and not found.sign_changes
    steady = stats.leave_one_out(np.arange(10.0), np.arange(10.0) + 0.1, "spearman")
    assert not steady.significance_changes and steady.max_change == pytest.approx(0)


def test_partial_spearman_by_the_recursion_formula():
    x, y, z = np.random.default_rng(4).normal(size=(3, 15))
    x, y = x + z, y + z
    xy, xz, yz = (sps.spearmanr(a, b)[0] for a, b in ((x, y), (x, z), (y, z)))
    found = stats.partial_spearman(x, y, z)
    assert found.r == pytest.approx((xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2)))
    t = found.r * math.sqrt(12 / (1 - found.r**2))
    assert found.p == pytest.approx(2 * sps.t.sf(abs(t), 12))


def test_two_clusters_alone_make_a_correlation_that_lineage_takes_away():
    """Simpson: within each lineage there is nothing, between them everything."""
    lineage = np.repeat([0.0, 1.0], 8)
    noise = np.random.default_rng(5).permutation(8), np.random.default_rng(8).permutation(8)
    x, y = lineage * 100 + np.tile(noise[0], 2), lineage * 100 + np.tile(noise[1], 2)
    assert stats.spearman(x, y).p < 0.01
    within = np.corrcoef(noise[0], noise[1])[0, 1]
    assert stats.partial_spearman(x, y, lineage).r == pytest.approx(within)
    assert stats.partial_spearman(lineage, y, lineage).p_method == "not separable"


PERMUTED = {"leukemia", "ovarian"}  # sets small enough for all permutations


def test_nci60_correlations_of_an_independent_script(shared_data):
    lines = rows(shared_data / "nci60" / "nci60_asns_lasp.csv")
    subsets = {
        "NCI60_all": lines,
        "leukemia": [line for line in lines if line["tissue"] == "LE"],
        "ovarian": [line for line in lines if line["tissue"] == "OV" and not line["derivative_of"]],
    }
    number = lambda line, name: float(line[name]) if line[name] else math.nan  # noqa: E731
    checked = 0
    for row in rows(shared_data / "expected" / "correlations_expected.csv"):
        if row["set"] not in subsets:
            continue
        x, y = ([number(line, row[axis]) for line in subsets[row["set"]]] for axis in ("x", "y"))
        if row["x"].startswith("asns_ms"):  # the script left out what the instrument did not detect
            x = [
                value if line["asns_ms_gholami_detected"] != "no" else math.nan
                for value, line in zip(x, subsets[row["set"]])
            ]
        pearson, spearman = stats.pearson(x, y), stats.spearman(x, y)
        if pearson.n != int(row["n"]):
            continue
        checked += 1
        assert (pearson.r, spearman.r) == pytest.approx(
            (float(row["pearson_r"]), float(row["spearman_rho"])), abs=1e-6
        )
        assert pearson.p == pytest.approx(float(row["pearson_p"]), rel=1e-5)
        if row["set"] in PERMUTED:
            assert spearman.p == pytest.approx(float(row["spearman_perm_p"]), abs=1e-6)
        else:
            bca = stats.correlation_bca(x, y)
            assert bca == pytest.approx(
                (float(row["spearman_bca_lo"]), float(row["spearman_bca_hi"])), abs=0.04
            )
    assert checked >= 8


def test_nci60_comparisons_of_an_independent_script(shared_data):
    lines = rows(shared_data / "nci60" / "nci60_asns_lasp.csv")
    column = {name: np.array([float(line[name]) if line[name] else math.nan for line in lines]) for name in lines[0] if name.startswith(("asns", "lasp_neg"))
              and not name.endswith("detected")}  # fmt: skip
    checked = 0
    for row in rows(shared_data / "expected" / "dependent_correlation_tests.csv"):
        if row["set"] != "NCI60_all":
            continue
        data = np.array([column[row[name]] for name in ("y", "protein", "mrna")])
        data = data[:, np.isfinite(data).all(axis=0)]
        y, protein, mrna = sps.rankdata(data, axis=1) if row["kind"] == "spearman" else data
        r = [stats.pearson(a, b).r for a, b in ((y, protein), (y, mrna), (protein, mrna))]
        found = [
            *r,
            *stats.williams_test(*r, len(y)),
            *stats.steiger_test(*r, len(y)),
            *stats.zou_interval(*r, len(y)),
        ]
        names = (
            "r_protein",
            "r_mrna",
            "r_prot_mrna",
            "williams_t",
            "williams_p",
            "steiger_z",
            "steiger_p",
            "zou_lo",
            "zou_hi",
        )
        assert_allclose(found, [float(row[name]) for name in names], rtol=2e-5, atol=1e-6)
        checked += 1
    assert checked == 6


# --- area under the curve
# -------------------------------------------------------------------------------------------------------------


def test_auc_and_its_p_agree_with_mann_whitney():
    high, low = np.random.default_rng(6).normal(0.8, 1, 9), np.random.default_rng(7).normal(0, 1, 7)
    peer = sps.mannwhitneyu(high, low, method="exact")
    found = stats.auc(high, low)
    assert found.auc == pytest.approx(peer.statistic / 63)
    assert found.p == pytest.approx(peer.pvalue)


def test_auc_p_with_ties_by_listing_every_allocation():
    high, low = [1, 2, 2, 3], [0, 1, 2]
    pool, expected = np.array(high + low), stats.auc(high, low)
    areas = []
    for chosen in itertools.combinations(range(7), 4):
        other = [i for i in range(7) if i not in chosen]
        difference = pool[list(chosen)][:, None] - pool[other][None, :]
        areas.append((difference > 0).mean() + (difference == 0).mean() / 2)
    far = np.abs(np.array(areas) - 0.5) >= abs(expected.auc - 0.5) - 1e-9
    assert expected.p == pytest.approx(far.mean())


@pytest.mark.parametrize(("n", "one_sided"), [(2, 1 / 6), (3, 1 / 20)])
def test_perfect_separation_of_few_lines_happens_by_chance(n, one_sided):
    found = stats.auc(np.arange(n) + 10, np.arange(n))
    assert (found.auc, found.p / 2) == pytest.approx((1, one_sided))
    assert found.ci_low < 0.55 and found.ci_high == 1 and found.method == "Newcombe score"


def test_newcombe_limits_solve_their_equation():
    """At each limit A the distance to the estimate is z times the Hanley-McNeil SD of A, written
    with their Q1 and Q2.
    """
    found = stats.auc([3, 5, 6, 8], [1, 2, 4])
    for a in (found.ci_low, found.ci_high):
        q1, q2, mean_n = a / (2 - a), 2 * a**2 / (1 + a), 3.5
        variance = (a * (1 - a) + (mean_n - 1) * (q1 - a**2) + (mean_n - 1) * (q2 - a**2)) / 12
        assert abs(found.auc - a) == pytest.approx(
            1.959964 * math.sqrt(variance), rel=1e-5
        ) or a in (0.0, 1.0)


def test_delong_interval_covers():
    rng = np.random.default_rng(8)
    truth = sps.norm.cdf(1 / math.sqrt(2))
    found = [stats.auc(rng.normal(1, 1, 20), rng.normal(0, 1, 20)) for _ in range(300)]
    assert {item.method for item in found} == {"DeLong"}
    assert 0.90 <= np.mean([item.ci_low <= truth <= item.ci_high for item in found]) <= 0.98


# --- several comparisons
# --------------------------------------------------------------------------------------------------------------

# Dunnett 1964, Biometrics 20:482, two-sided: (k, df, alpha, critical value)
DUNNETT_TABLE = [
    (2, 5, 0.05, 3.03), (3, 5, 0.05, 3.29), (4, 5, 0.05, 3.48), (2, 8, 0.05, 2.67), (3, 8, 0.05, 2.88), (4, 8, 0.05, 3.02), (3, 12, 0.05, 2.68),
    (4, 12, 0.05, 2.81), (4, 20, 0.05, 2.65), (2, math.inf, 0.05, 2.21), (4, math.inf, 0.05, 2.44), (2, 10, 0.01, 3.53), (4, 10, 0.01, 3.88),
]  # fmt: skip


@pytest.mark.parametrize(("k", "df", "alpha", "critical"), DUNNETT_TABLE)
def test_dunnett_critical_values_as_published(k, df, alpha, critical):
    assert stats.dunnett_critical(k, df, alpha) == pytest.approx(critical, abs=0.0055)


def test_dunnett_reduces_to_what_is_known():
    assert stats.dunnett_critical(1, 7) == pytest.approx(sps.t.isf(0.025, 7))
    independent = sps.norm.isf(
        (1 - 0.95 ** (1 / 3)) / 2
    )  # no shared control, no estimated SD: Sidak
    assert stats.dunnett_critical(3, math.inf, rho=0.0) == pytest.approx(independent, abs=1e-6)
    assert stats.dunnett_coverage(2.5, 1, 6) == pytest.approx(1 - 2 * sps.t.sf(2.5, 6), abs=1e-8)


def test_dunnett_critical_value_by_simulation():
    rng = np.random.default_rng(9)
    z = math.sqrt(0.5) * (rng.normal(size=(400_000, 3)) + rng.normal(size=(400_000, 1)))
    t = np.abs(z / np.sqrt(rng.chisquare(8, (400_000, 1)) / 8)).max(axis=1)
    assert np.mean(t > stats.dunnett_critical(3, 8)) == pytest.approx(0.05, abs=0.0015)


def test_unblocked_dunnett_agrees_with_scipy():
    rng = np.random.default_rng(10)
    control, groups = rng.normal(0, 1, 6), [rng.normal(shift, 1, 6) for shift in (0.3, 1.2, -0.8)]
    pooled = np.mean([np.var(v, ddof=1) for v in (control, *groups)])
    t = [(np.mean(v) - np.mean(control)) / math.sqrt(pooled / 3) for v in groups]
    assert_allclose(
        stats.dunnett_adjusted_p(t, 20),
        sps.dunnett(*groups, control=control, random_state=np.random.default_rng(0)).pvalue,
        atol=2e-3,
    )


def test_dunnett_p_and_critical_value_are_two_views_of_one_thing():
    critical = stats.dunnett_critical(3, 8)
    p = stats.dunnett_adjusted_p([critical, -critical, 0.0, math.nan], 8)
    assert_allclose(p, [0.05, 0.05, 1, math.nan], atol=1e-6)


def test_holm_is_the_closed_test_of_bonferroni():
    p = [0.011, 0.04, 0.02, 0.3, 0.001]
    subsets = [s for size in range(1, 6) for s in itertools.combinations(range(5), size)]
    expected = [
        max(min(1, len(s) * min(p[j] for j in s)) for s in subsets if i in s) for i in range(5)
    ]
    assert_allclose(stats.holm(p), expected)
    assert_allclose(stats.holm([0.01, math.nan, 0.04]), [0.02, math.nan, 0.04])


def test_benjamini_hochberg_by_its_definition():
    p = np.array([0.011, 0.04, 0.02, 0.3, 0.001])
    expected = [min(min(1, 5 * q / np.sum(p <= q)) for q in p if q >= value) for value in p]
    assert_allclose(stats.benjamini_hochberg(p), expected)
    assert np.isnan(stats.benjamini_hochberg([math.nan])).all()


@pytest.mark.parametrize(
    ("k", "df", "f_max"),
    [(2, 2, 39.0), (3, 2, 87.5), (4, 2, 142), (4, 5, 13.7), (3, 10, 4.85), (4, 10, 5.67)],
)
def test_ratio_of_spreads_as_published(k, df, f_max):
    """Hartley 1950, Biometrika 37:308, upper 5 % points of the largest over the smallest
    variance.
    """
    assert stats.spread_ratio_p(math.sqrt(f_max), k, df) == pytest.approx(0.05, abs=5e-4)


# --- blocks
# ---------------------------------------------------------------------------------------------------------------------------


def test_complete_blocks_give_the_textbook_analysis():
    y = blocks(1, 4, [0.2] * 5, 1.0, np.random.default_rng(11))
    estimate, se, df = block_analysis(y)
    fit = stats.fit_blocks(y[0])
    contrast = fit.contrast([-1, 0, 1, 0, 0])
    assert contrast == pytest.approx((estimate[0, 1], se[0], df))
    assert fit.correlation([-1, 1, 0, 0, 0], [-1, 0, 0, 1, 0]) == pytest.approx(0.5)


def test_missing_cells_by_full_dummy_regression():
    rng = np.random.default_rng(12)
    y = rng.normal(size=(4, 4)) + 3 * rng.normal(size=(4, 1))
    y[1, 2] = y[3, 0] = np.nan
    cells = np.argwhere(np.isfinite(y))
    design = np.hstack(
        [np.eye(4)[cells[:, 0]], np.eye(4)[cells[:, 1]]]
    )  # over-parameterised on purpose
    values = y[tuple(cells.T)]
    beta, *_ = np.linalg.lstsq(design, values, rcond=None)
    df = len(values) - np.linalg.matrix_rank(design)
    variance = np.sum((values - design @ beta) ** 2) / df
    weights = np.array([0, 0, 0, 0, -1, 0, 1, 0])
    found = stats.fit_blocks(y).contrast([-1, 0, 1, 0])
    assert found == pytest.approx(
        (
            weights @ beta,
            math.sqrt(variance * weights @ np.linalg.pinv(design.T @ design) @ weights),
            df,
        )
    )


def test_blocks_that_nothing_links_are_refused():
    with pytest.raises(ValueError, match="link"):
        stats.fit_blocks([[1, 2, math.nan, math.nan], [math.nan, math.nan, 3, 4]])
    with pytest.raises(ValueError, match="zero"):
        stats.fit_blocks([[1, 2], [2, 4]]).contrast([1, 0])


def test_paired_contrast_is_the_paired_t_test():
    a, b = np.random.default_rng(13).normal(size=(2, 5))
    peer = sps.ttest_rel(a, b)
    found = stats.paired_contrast(np.column_stack([a, b]), [1, -1])
    assert (found.t, stats.two_sided_p(found)) == pytest.approx((peer.statistic, peer.pvalue))
    assert stats.one_sided_p(found) == pytest.approx(
        sps.ttest_rel(a, b, alternative="greater").pvalue
    )
    assert stats.t_interval(found) == pytest.approx(tuple(peer.confidence_interval()))


# --- equivalence, power
# ---------------------------------------------------------------------------------------------------------------


def test_tost_is_two_one_sided_t_tests():
    a, b = np.random.default_rng(14).normal(0, 0.2, size=(2, 5))
    lower = sps.ttest_1samp(a - b, -0.322, alternative="greater").pvalue
    upper = sps.ttest_1samp(a - b, 0.322, alternative="less").pvalue
    found = stats.tost_paired(a, b, 0.322)
    assert found.p == pytest.approx(max(lower, upper))
    assert (found.ci_low, found.ci_high) == pytest.approx(
        tuple(sps.ttest_1samp(a - b, 0).confidence_interval(0.90))
    )


def test_tost_p_and_interval_say_the_same():
    for estimate, se in itertools.product(np.linspace(-0.5, 0.5, 21), (0.02, 0.08, 0.15, 0.3)):
        found = stats.tost(estimate, se, 4, 0.322)
        assert (found.p < 0.05) == (found.ci_low > -0.322 and found.ci_high < 0.322)


def test_no_spread_is_no_proof_of_equivalence():
    assert math.isnan(stats.tost(0.0, math.nan, 2, 0.322).p)
    assert math.isnan(stats.tost_paired([1.0], [1.0], 0.322).p)
    with pytest.raises(ValueError, match="margin"):
        stats.tost(0, 1, 2, -0.322)


def test_detectable_effect_by_the_noncentral_t():
    for n_blocks, k in ((3, 4), (4, 3), (6, 4)):
        df, critical = (n_blocks - 1) * 4, stats.dunnett_critical(k, (n_blocks - 1) * 4)
        effect = stats.minimum_detectable_effect(n_blocks, 5, 0.25, k)
        assert sps.nct.sf(critical, df, effect / (0.25 / math.sqrt(n_blocks))) == pytest.approx(
            0.8, abs=1e-6
        )


# --- intervals
# ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("successes", "n", "half_points"), [(3000, 10_000, 0.9), (300, 1000, 2.8)])
def test_wilson_interval_of_events(successes, n, half_points):
    low, high = stats.wilson_interval(successes, n)
    assert 50 * (high - low) == pytest.approx(half_points, abs=0.05)
    assert (low, high) == pytest.approx(
        tuple(sps.binomtest(successes, n).proportion_ci(method="wilson"))
    )


def test_wilson_interval_at_the_ends():
    assert stats.wilson_interval(0, 10).low == 0 and stats.wilson_interval(
        10, 10
    ).high == pytest.approx(1)
    assert all(map(math.isnan, stats.wilson_interval(0, 0)))
    assert all(map(math.isnan, stats.wilson_interval(math.nan, 10)))
    with pytest.raises(ValueError, match="proportion"):
        stats.wilson_interval(11, 10)


def test_fieller_limits_are_where_the_t_test_turns():
    n, d, var_n, var_d, cov, df = 0.6, 0.9, 0.01, 0.02, 0.005, 4
    found = stats.fieller_interval(n, d, var_n, var_d, cov, df)
    assert found.kind == "bounded" and found.low < found.ratio < found.high
    assert found.ratio == pytest.approx(n / d)
    for ratio in (found.low, found.high):
        t = (n - ratio * d) / math.sqrt(var_n - 2 * ratio * cov + ratio**2 * var_d)
        assert abs(t) == pytest.approx(sps.t.isf(0.025, df))


def test_fieller_says_when_the_denominator_may_be_zero():
    found = stats.fieller_interval(0.5, 0.2, 0.01, 0.02, 0.0, 2)
    assert (found.kind, found.low, found.high) == ("unbounded", -math.inf, math.inf)
    assert stats.fieller_interval(math.nan, 1, 1, 1).kind == "none"


def test_fieller_interval_covers_the_planted_ratio():
    rng = np.random.default_rng(15)
    truth, held = 0.75, []
    for _ in range(800):
        lost = 0.8 + rng.normal(0, 0.12, 5)
        gained = truth * 0.8 + 0.5 * (lost - 0.8) + rng.normal(0, 0.1, 5)
        c = np.cov(gained, lost) / 5
        found = stats.fieller_interval(gained.mean(), lost.mean(), c[0, 0], c[1, 1], c[0, 1], 4)
        held.append(found.low <= truth <= found.high)
    assert 0.93 <= np.mean(held) <= 0.97


def difference(a, b):
    return a.mean(axis=1) - b.mean(axis=1)


def test_bootstrap_interval_nears_the_normal_one():
    a, b = np.random.default_rng(16).normal(5, 1, 200), np.random.default_rng(17).normal(3, 2, 150)
    half = 1.96 * math.sqrt(a.var() / 200 + b.var() / 150)
    centre = a.mean() - b.mean()
    assert stats.bootstrap_interval((a, b), difference, 4000) == pytest.approx(
        (centre - half, centre + half), abs=0.03
    )


def test_bootstrap_resamples_inside_each_group():
    """Groups without spread of their own leave no doubt, however far apart they lie; pooled
    resampling would mix them.
    """
    assert stats.bootstrap_interval(([5.0] * 4, [1.0] * 6), difference) == (4, 4)


def test_bootstrap_is_seeded_and_leaves_missing_wells_out():
    a, b = np.random.default_rng(18).normal(size=(2, 8))
    with_gaps = np.append(a, [np.nan, np.nan])
    assert stats.bootstrap_interval((with_gaps, b), difference, seed=3) == stats.bootstrap_interval(
        (a, b), difference, seed=3
    )
    assert stats.bootstrap_interval((a, b), difference, seed=3) != stats.bootstrap_interval(
        (a, b), difference, seed=4
    )


def test_bootstrap_gives_nothing_where_there_is_nothing():
    assert all(map(math.isnan, stats.bootstrap_interval(([1.0], [1.0, 2.0]), difference)))
    undefined = stats.bootstrap_interval(
        ([1.0, 2.0],), lambda a: np.where(a[:, 0] == a[:, 1], np.nan, np.nan)
    )
    assert all(map(math.isnan, undefined))
    with pytest.raises(ValueError, match="one value per draw"):
        stats.bootstrap_interval(([1.0, 2.0],), lambda a: a)
    with pytest.raises(ValueError, match=r"0\.95"):
        stats.bootstrap_interval(([1.0, 2.0],), lambda a: a.mean(axis=1), level=95)
