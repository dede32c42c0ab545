"""Confident calls are rarely wrong, and one straying replicate does not make one."""

import numpy as np
import pytest

from kit.calls import posterior
from kit.calls.calls import decide
from kit.calls.evidence import Cells, Evidence
from kit.config.settings import Settings

SETTINGS = Settings(posterior_draws=2000)


def item(gr, cells=(), sa=None):
    numbers = tuple(range(1, len(gr) + 1))
    return Evidence(
        "L", "asparagine", "no_asn", np.asarray(gr, float), sa, gr_replicates=numbers,
        rescue="full", cells=Cells(tuple(cells)), sa_replicates=numbers if sa is not None else (),
    )  # fmt: skip


def simulate(sd, outlier=0.0, experiments=60, lines=8, seed=0):
    """Shares of confident calls, and of wrong ones among them; with an outlier only its line
    counts."""
    rng = np.random.default_rng(seed)
    sure = wrong = total = 0
    for _ in range(experiments):
        truth = rng.uniform(-0.5, 1.1, lines)
        data = truth[:, None] + rng.normal(0, sd, (lines, 3))
        hit = int(rng.integers(lines))
        data[hit, rng.integers(3)] += outlier * rng.choice([-1, 1])
        for line in [hit] if outlier else range(lines):
            call = decide(item(data[line], data), SETTINGS)
            right = posterior.classify(truth[line], None, posterior.Cutoffs.of(SETTINGS))
            total += 1
            if call.confidence == "confident":
                sure += 1
                wrong += call.certainty.winner != right
    return sure / total, wrong / max(sure, 1)


@pytest.mark.parametrize(("sd", "least", "most"), [(0.08, 0.75, 0.02), (0.15, 0.65, 0.045)])
def test_confident_calls_are_rarely_wrong(sd, least, most):
    confident, wrong = simulate(sd)
    assert confident >= least and wrong <= most


@pytest.mark.parametrize("outlier", [0.8, 1.2])
def test_one_outlier_of_three_rarely_makes_a_confident_wrong_call(outlier):
    assert simulate(0.08, outlier, experiments=400)[1] <= 0.07  # 0.17 and 0.26 before


def test_a_class_that_rests_on_one_replicate_is_not_confident():
    call = decide(item([0.53, 1.24, 0.56]), SETTINGS)
    told = {finding.code: finding.values for finding in call.reasons}
    assert call.confidence != "confident"
    assert told["CALL_ONE_REPLICATE"]["replicate"] == 2
    assert posterior.without_one([0.53, 1.24, 0.56], None, SETTINGS) == [(1, posterior.PARTIAL)]
    assert posterior.without_one([0.53, 1.24], None, SETTINGS) == []


def test_a_mean_at_a_cutoff_is_not_confident():
    call = decide(item([0.23, 0.24, 0.25]), SETTINGS)
    assert call.confidence != "confident"
    assert posterior.certainty(np.full(10, 0.24), None, SETTINGS).near == 1.0


def test_scatter_is_pooled_over_the_experiment():
    cells = [np.array([0.1, 0.3, 0.5]), np.array([0.7, 0.7, 0.7])]
    by_hand = np.sqrt((8 * 0.10**2 + 2 * 0.04 + 0) / (8 + 4))
    assert posterior.pooled_sd(cells, 0.10, 8) == pytest.approx(by_hand, rel=1e-12)
    assert posterior.pooled_sd([], 0.10, 8) == 0.10


def test_subtypes_have_their_own_probability():
    rng = np.random.default_rng(0)
    gr, sa = rng.normal(-0.2, 0.05, 5000), rng.normal(0.2, 0.05, 5000)
    assert posterior.certainty(gr, sa, SETTINGS).deadly == pytest.approx(0.5, abs=0.03)
