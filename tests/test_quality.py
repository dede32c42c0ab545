"""Plate metrics against closed forms and independent calculations; position against planted
effects.
"""

import re
import statistics

import numpy as np
import pandas as pd
import pytest

import kit
from kit.core.findings import codes
from kit.plates import quality, spatial
from kit.plates.findings import quality_findings
from kit.simulate import synthetic
from kit.simulate.synthetic import Design, LineTruth, Noise, Truth

C = [100.0, 110.0, 90.0, 105.0, 95.0, 100.0]
K = [10.0, 12.0, 8.0, 11.0, 9.0, 10.0]


def test_metrics_by_hand():
    mc, mk, sc, sk = (
        statistics.mean(C),
        statistics.mean(K),
        statistics.stdev(C),
        statistics.stdev(K),
    )
    assert quality.z_prime(C, K) == pytest.approx(1 - 3 * (sc + sk) / (mc - mk), abs=1e-12)
    assert quality.ssmd(C, K) == pytest.approx((mc - mk) / (sc**2 + sk**2) ** 0.5, abs=1e-12)
    mad = [statistics.median(abs(v - statistics.median(x)) for v in x) for x in (C, K)]
    assert quality.robust_z_prime(C, K) == pytest.approx(
        1 - 3 * 1.4826 * sum(mad) / (statistics.median(C) - statistics.median(K)), abs=1e-12
    )
    assert quality.signal_to_background(C, K) == pytest.approx(mc / mk)
    assert quality.signal_to_noise(C, K) == pytest.approx((mc - mk) / sk)
    assert quality.cv_percent(C) == pytest.approx(100 * sc / mc)


def test_metrics_work_along_the_last_axis():
    rng = np.random.default_rng(1)
    a, b = rng.normal(100, 5, (7, 6)), rng.normal(10, 1, (7, 8))
    for metric in (quality.z_prime, quality.robust_z_prime, quality.ssmd):
        assert metric(a, b) == pytest.approx(
            [float(metric(x, y)) for x, y in zip(a, b, strict=True)]
        )


@pytest.mark.parametrize("metric", [quality.z_prime, quality.robust_z_prime, quality.ssmd])
def test_no_spread_or_no_difference_gives_no_number(metric):
    assert np.isnan(metric([5.0, 5.0, 5.0], [5.0, 5.0, 5.0]))


def test_spec_example_of_z_prime_between_control_and_dropout():
    """At 10 % CV a dropout at 25 % of control shows Z' 0.5, at 60 % it shows -0.2: biology, not
    quality.
    """
    for share, expected in ((0.25, 0.50), (0.60, -0.20)):
        control, dropout = np.array([-1, 0, 1]) * 0.1 + 1, (np.array([-1, 0, 1]) * 0.1 + 1) * share
        assert quality.z_prime(control, dropout) == pytest.approx(expected, abs=0.005)


@pytest.fixture(scope="module")
def demo():
    return kit.analyse(synthetic.experiment(synthetic.demo_01()))


def test_table_equals_an_independent_calculation(demo):
    raw = synthetic.wells(synthetic.demo_01())
    qc = (
        demo.plate_qc.drop_duplicates(["plate", "metric"])
        .set_index(["plate", "metric"])
        .sort_index()
    )
    for plate, wells in raw.groupby("plate"):
        control = wells[wells["role"].eq("sample") & wells["medium"].eq("complete")]["signal"]
        killed, blank = (
            wells[wells["role"].eq("kill")]["signal"],
            wells[wells["role"].eq("blank") & wells["medium"].eq("complete")]["signal"],
        )
        expected = {
            "z_prime": 1 - 3 * (control.std() + killed.std()) / abs(control.mean() - killed.mean()),
            "ssmd": (control.mean() - killed.mean()) / np.hypot(control.std(), killed.std()),
            "signal_to_background": control.mean() / blank.mean(),
            "signal_to_noise": (control.mean() - blank.mean()) / blank.std(),
            "cv_control_percent": 100 * control.std() / control.mean(),
        }
        for metric, value in expected.items():
            row = qc.loc[(plate, metric)]
            assert row["value"] == pytest.approx(value, rel=1e-9), (plate, metric)


def test_blanks_are_subtracted_per_medium(demo):
    wells = demo.wells
    for (plate, medium), group in wells[wells["role"].eq("blank")].groupby(["plate", "medium"]):
        same = wells[wells["plate"].eq(plate) & wells["medium"].eq(medium)]
        assert np.allclose(same["signal"] - same["signal_corrected"], group["signal"].median())


def noisy(seed, **noise):
    lines = {"A549": LineTruth({"no_asn": 0.8}, {}, 24.0)}
    return Truth(
        lines,
        replicates=1,
        noise=Noise(**noise),
        design=Design(("complete", "no_asn"), 30, 8, 4, outer_ring=True),
        seed=seed,
    )


def samples(truth):
    experiment = synthetic.experiment(truth)
    wells = quality.prepare(experiment.wells, experiment.exclusions, experiment.settings)
    return wells[wells["role"].eq("sample") & wells["hours"].gt(0)]


def test_planted_edge_effect_is_found_with_its_size():
    found = [spatial.edge_effect(samples(noisy(seed, edge=0.25)), 400, 0) for seed in range(8)]
    assert np.mean([item.percent for item in found]) == pytest.approx(-25, abs=2)
    assert all(item.p < 0.02 for item in found)
    assert sum(item.low <= -25 <= item.high for item in found) >= 6


def test_edge_effect_of_noise_has_a_fair_p_value():
    p = np.array(
        [
            spatial.edge_effect(samples(noisy(100 + seed, well_cv=0.08)), 200, seed).p
            for seed in range(80)
        ]
    )
    assert 0.0 < (p < 0.2).mean() < 0.4


def test_outer_ring_of_buffer_is_not_testable(demo):
    edge = demo.plate_qc[demo.plate_qc["metric"].eq("edge_effect_percent")]
    assert (
        edge["value"].isna().all()
        and edge["note"].str.contains("not testable").all()
        and edge["verdict"].eq("info").all()
    )


def test_planted_row_drift_is_found_with_its_size():
    found = [spatial.drift(samples(noisy(seed, row_drift=0.3)), "row", 400, 0) for seed in range(8)]
    assert np.mean([item.percent for item in found]) == pytest.approx(30, abs=3)


def test_treatment_in_its_own_rows_cannot_pose_as_drift():
    wells = pd.DataFrame(
        [(r, c, "A" if r < 5 else "B") for r in range(1, 9) for c in range(1, 13)],
        columns=["row", "column", "medium"],
    )
    rng = np.random.default_rng(0)
    wells = wells.assign(
        cell_line="x",
        agent="",
        concentration=np.nan,
        signal_corrected=np.where(wells["medium"].eq("A"), 100, 40) * rng.normal(1, 0.02, 96),
    )
    assert spatial.drift(wells, "row", 200, 0).percent < 5
    one_each = wells.assign(medium=wells["row"].astype(str))
    assert "keeps to its own rows" in spatial.drift(one_each, "row", 200, 0).note


def spoil(change):
    """EXP with one plate of one line; `change` edits its raw wells; returns metric -> row of the 48
    h plate.
    """
    truth = Truth(
        {"A549": LineTruth({"no_asn": 0.8}, {}, 24.0)},
        replicates=1,
        design=Design(("complete", "no_asn")),
        seed=3,
    )
    experiment = synthetic.experiment(truth)
    wells = change(experiment.wells.copy())
    analysis = kit.analyse(
        type(experiment)(experiment.folder, experiment.config, wells, experiment.exclusions)
    )
    qc = analysis.plate_qc
    return qc[qc["plate"].eq("A549-48h-R1")].drop_duplicates("metric").set_index("metric"), analysis


def late(wells, role, medium=None):
    return (
        wells["hours"].gt(0)
        & wells["role"].eq(role)
        & (wells["medium"].eq(medium) if medium else True)
    )


def test_without_killed_wells_blanks_stand_in_and_it_says_so():
    qc, _ = spoil(lambda wells: wells[~wells["role"].eq("kill")])
    assert qc.loc["z_prime", "code"] in ("AGAINST_BLANKS", "LOW_AGAINST_BLANKS", "FEW_KILLED_WELLS")
    assert qc.loc["z_prime", "verdict"] == "warn"


def test_too_few_control_wells_give_no_z_prime():
    qc, _ = spoil(
        lambda wells: wells[
            ~(late(wells, "sample", "complete") & (late(wells, "sample", "complete").cumsum() > 3))
        ]
    )
    assert (
        np.isnan(qc.loc["z_prime", "value"])
        and qc.loc["z_prime", "code"] == "FEW_KILLED_WELLS"
        and qc.loc["z_prime", "n_control"] == 3
    )


def test_a_saturated_control_well_fails_the_plate():
    def change(wells):
        first = wells.index[late(wells, "sample", "complete")][0]
        wells.loc[first, ["signal", "flag"]] = [np.nan, "saturated"]
        return wells

    qc, analysis = spoil(change)
    assert qc.loc["saturated_control_wells", "verdict"] == "fail"
    assert analysis.summary.verdict == "fail" and any(
        code == "SATURATED_CONTROL_WELLS" for code in analysis.summary.codes
    )
    assert analysis.calls["call"].eq("inconclusive").all()


def test_more_than_a_tenth_missing_fails():
    def change(wells):
        wells.loc[wells.index[late(wells, "sample", "no_asn")], "signal"] = np.nan
        return wells

    qc, analysis = spoil(change)
    assert qc.loc["missing_wells_percent", "verdict"] == "fail"
    codes = analysis.growth.set_index("medium").loc["no_asn", "code"]
    assert "NO_USABLE_WELL" in codes.split()


def test_no_blanks_is_said():
    qc, _ = spoil(lambda wells: wells[~wells["role"].eq("blank")])
    assert (
        qc.loc["cv_blank_percent", "code"] == "NO_BLANKS"
        and qc.loc["cv_blank_percent", "verdict"] == "warn"
    )


def test_outliers_are_flagged_and_kept():
    def change(wells):
        wells.loc[wells.index[late(wells, "sample", "no_asn")][0], "signal"] *= 3
        return wells

    _, analysis = spoil(change)
    assert analysis.wells["outlier"].sum() == 1
    assert analysis.growth.set_index("medium").loc["no_asn", "n_wells"] == 6


def test_bootstrap_interval_covers_the_true_z_prime():
    """Control 100 +- 8, killed 5 +- 2: true Z' = 1 - 3 (8 + 2) / 95. With 24 wells the percentile
    interval covers about 90 %.
    """
    rng = np.random.default_rng(5)
    true = 1 - 3 * 10 / 95
    hits = 0
    for seed in range(150):
        interval = kit.stats.bootstrap_interval(
            (rng.normal(100, 8, 24), rng.normal(5, 2, 24)),
            quality.z_prime,
            400,
            seed=seed,
            level=0.95,
        )
        hits += interval[0] <= true <= interval[1]
    assert 125 <= hits <= 149


def judged(metric, value, code="", note="", limit=0.5, verdict="warn", plate="P1"):
    return {
        "plate": plate,
        "cell_line": "A549",
        "metric": metric,
        "value": value,
        "verdict": verdict,
        "limit_pass": limit,
        "note": note,
        "code": code or metric.upper(),
    }


def said(*rows):
    return quality_findings(pd.DataFrame(rows))


def test_a_value_that_keeps_its_limit_is_not_said_to_miss_it():
    """Z' 0.85 warns for its blanks, not for its size; 0.3 warns for its size: two reasons with two
    remedies.
    """
    high, low = said(
        judged("z_prime", 0.85, "AGAINST_BLANKS"),
        judged("ssmd", 20.0, "AGAINST_BLANKS", limit=5),
        judged("z_prime", 0.3, "LOW_AGAINST_BLANKS", plate="P2"),
    )
    assert (high.code, high.subject, high.values["value"]) == ("AGAINST_BLANKS", "P1", "0.85")
    assert "killed wells" in high.remedy and "pipetting" not in high.remedy
    assert (low.code, low.subject) == ("LOW_AGAINST_BLANKS", "P2")
    assert (low.values["value"], low.values["limit"]) == ("0.3", "0.5")
    assert "pipetting" in low.remedy


def test_a_value_that_could_not_be_formed_is_told_apart_from_a_bad_one():
    none = judged("z_prime", np.nan, "FEW_KILLED_WELLS", "3 control wells and 2 blanks")
    found = {item.code: item for item in said(none, judged("z_prime", 0.3, plate="P2"))}
    assert found["Z_PRIME"].subject == "P2" and found["FEW_KILLED_WELLS"].subject == "P1"
    assert "3 control wells and 2 blanks" in found["FEW_KILLED_WELLS"].sentence
    assert "pipetting" not in found["FEW_KILLED_WELLS"].remedy


def test_limits_on_both_sides_are_said_as_such():
    slope = [
        said(judged("linearity_slope", value, note="0.9 to 1.1 required", limit=0.9))[0].sentence
        for value in (0.7, 1.3)
    ]
    assert "0.7 on P1 (0.9 to 1.1 required)" in slope[0] and "1.3 on P1" in slope[1]
    edge = said(judged("edge_effect_percent", -15.0, limit=10))[0].sentence
    assert "−15 % on P1; within ±10 % is required." in edge


def test_no_reason_of_any_spoilt_plate_contradicts_its_value():
    """Whatever was spoilt, a sentence with a limit quotes a value beyond it."""
    spoilt = (
        lambda wells: wells[~wells["role"].eq("kill")],
        lambda wells: wells[~wells["role"].eq("blank")],
        lambda wells: wells.iloc[::3],
    )
    for change in spoilt:
        bad = spoil(change)[1].plate_qc.query("verdict in ('warn', 'fail')")
        for row in bad.to_dict("records"):
            bound = re.search("(at least|at most) {limit}", codes()[row["code"]].sentence)
            if bound:
                low = row["value"] < row["limit_pass"]
                assert low == (bound[1] == "at least"), row


@pytest.mark.parametrize(
    ("blanks", "value", "verdict"),
    [((0, 0), 0.0, "pass"), ((0, 30), 100.0, None), ((-20, 10), np.nan, "warn")],
)
def test_blanks_of_nothing_leave_the_analysis_whole(blanks, value, verdict):
    def change(wells):
        for medium, level in zip(("complete", "no_asn"), blanks, strict=True):
            wells.loc[late(wells, "blank", medium), "signal"] = float(level)
        return wells

    qc, analysis = spoil(change)
    row = qc.loc["blank_disagreement_percent"]
    assert row["value"] == pytest.approx(value, nan_ok=True) and (
        verdict is None or row["verdict"] == verdict
    )
    assert analysis.growth["relative_viability"].notna().all()
