"""The asparagine x glutamine factorial against planted scenarios and their verdicts."""

import numpy as np
import pandas as pd
import pytest

from kit import stats
from kit.effects.factorial import factorial_verdict, fit_factorial

VERDICTS = {
    "GLN EFFECT EXPLAINED BY ASN": "FACTORIAL_ACTS_THROUGH",
    "PARTLY EXPLAINED BY ASN": "FACTORIAL_PART",
    "GLN NEEDED BEYOND ASN (Asn does not rescue)": "FACTORIAL_BEYOND",
    "NOT TESTABLE (line needs external Asn even with Gln)": "FACTORIAL_NOT_TESTABLE",
    "INCONCLUSIVE": "FACTORIAL_INCONCLUSIVE",
}
ARMS = [(line, q, n) for line in ("ASNS+", "ASNS-KO") for q in "+-" for n in "+-"]


@pytest.fixture(scope="module")
def scenarios(shared_data):
    counts = pd.read_csv(shared_data / "factorial" / "planted_counts.csv")
    counts["y"] = np.log2(counts.cells_72h / counts.cells_0h)
    return {
        name: part.pivot_table(index="experiment", columns=["genotype", "gln", "asn"], values="y")[
            ARMS
        ].to_numpy()
        for name, part in counts.groupby("scenario")
    }


def test_contrasts_equal_the_expected(scenarios, shared_data):
    expected = pd.read_csv(shared_data / "factorial" / "expected_contrasts.csv")
    names = {
        "NxQ": "interaction",
        "N_at_+Q": "a_with_b",
        "N_at_-Q": "a_without_b",
        "Q_at_-N": "b_without_a",
    }
    seen = 0
    for row in expected.itertuples():
        line, _, contrast = row.contrast.partition(":")
        if contrast in names:
            found = fit_factorial(scenarios[row.scenario], line=int(line == "ASNS-KO"))
            got = getattr(found, names[contrast])
            numbers = [*got, *stats.t_interval(got), stats.two_sided_p(got)]
            wanted = [row.estimate, row.se_pooled, row.df, row.lo95, row.hi95, row.p_pooled]
            assert numbers == pytest.approx(wanted, rel=1e-5), row
            seen += 1
    assert seen == 40


def test_verdicts_equal_the_expected(scenarios, shared_data):
    expected = pd.read_csv(shared_data / "factorial" / "expected_verdicts.csv")
    for row in expected.itertuples():
        blocks = scenarios[row.scenario]
        line, knockout = fit_factorial(blocks), fit_factorial(blocks, line=1)
        assert factorial_verdict(line, knockout) == VERDICTS[row.verdict]
        if np.isfinite(row.share_lo95):
            got = [line.share.ratio, line.share.low, line.share.high, line.share90.high]
            wanted = [row.share, row.share_lo95, row.share_hi95, row.share_hi90]
            assert got == pytest.approx(wanted, rel=1e-5)
        else:
            assert line.share.kind == "unbounded"


def test_a_knockout_that_asparagine_does_not_help_decides_nothing(scenarios):
    blocks = scenarios["gln_via_asn"].copy()
    blocks[:, 4], blocks[:, 5] = blocks[:, 5].copy(), blocks[:, 4].copy()
    verdict = factorial_verdict(fit_factorial(blocks), fit_factorial(blocks, line=1))
    assert verdict == "FACTORIAL_KO_NOT_VALIDATED"


@pytest.mark.parametrize(
    "truth", [(2.4, 2.3, 0.5, 0.5), (2.4, 2.4, 1.2, 1.2), (2.4, 2.3, 1.0, 0.6)]
)
def test_false_acts_through_asparagine_is_rare(truth):
    """Where asparagine restores little or nothing, under 5 % of experiments say it does."""
    rng = np.random.default_rng(19)
    draws = truth + rng.normal(0, 0.25, (200, 4, 4)) + rng.normal(0, 0.3, (200, 4, 1))
    said = [factorial_verdict(fit_factorial(blocks)) for blocks in draws]
    assert np.mean([item == "FACTORIAL_ACTS_THROUGH" for item in said]) < 0.05


def test_glutamine_that_nobody_needs_is_no_verdict():
    rng = np.random.default_rng(3)
    blocks = np.array([2.4, 2.3, 2.9, 2.85]) + rng.normal(0, 0.03, (4, 4))
    assert factorial_verdict(fit_factorial(blocks)) == "FACTORIAL_INCONCLUSIVE"
