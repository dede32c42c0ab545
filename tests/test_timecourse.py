"""Growth rates, onset and recovery against closed forms, another program and planted truth."""

import math
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import kit
from kit.calls.calls import call_evidence
from kit.core.errors import InputError
from kit.explore.parts import Page
from kit.explore.timecourse import TimeCourseTab
from kit.report.sections import factorial, timecourse
from kit.timecourse import dip_rate, find_onset, growth_rate, recovery_class, recovery_share
from kit.timecourse.rates import LN2
from kit.timecourse.tables import time_courses, timecourse_findings


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


def test_dip_rates_of_mda_mb_231_equal_the_published_rule(source):
    table = pd.read_csv(source / "dipdrc_mda231.csv")
    expected = pd.read_csv(source / "dipdrc_mda231_expected.csv")
    wanted = expected[expected.parameter.eq("dip_rate_doublings_per_h")].set_index("curve")
    for well, part in table.groupby("well"):
        rate = dip_rate(part.elapsed_h, part["count"])
        assert rate.rate / LN2 == pytest.approx(wanted.computed_here[well], abs=1e-8)
        assert rate.se / LN2 == pytest.approx(wanted.se[well], abs=1e-8)


def test_t47d_grows_as_its_published_confluences_say(source):
    """3.5 doublings from 5 h (5.72 %) to the published cut time, 153 h (64.7 %)."""
    table = pd.read_csv(source / "incucytedrc_t47d.csv")
    told = pd.read_csv(source / "incucytedrc_t47d_expected.csv").set_index("parameter").value
    doublings = np.log2(told["confluence_after_3.5_doublings"] / told["confluence_at_5h_loess"])
    control = table[table["sample"].str.startswith("DMSO")]
    mean = control.groupby("elapsed_h").confluence_percent.mean()
    rate = kit.growth_rate(mean.index, mean, window=(5, told["cut_time_h"])).rate / LN2
    assert rate == pytest.approx(doublings / (told["cut_time_h"] - 5), rel=0.1)


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


@pytest.fixture(scope="module")
def demo(root):
    return kit.load(root / "data/examples/EXP-DEMO-07")


@pytest.fixture(scope="module")
def analysed(demo):
    return kit.analyse(demo)


def test_the_example_gives_its_planted_truth(analysed):
    pooled = analysed.onset[analysed.onset.replicate.eq("all")].set_index("cell_line")
    classes = pooled["class"].to_dict()
    assert classes == {"A549": "no_effect", "A549-ASNS-KO": "reversible", "MOLT-4": "irreversible"}
    for line, hour in (("A549-ASNS-KO", 12), ("MOLT-4", 16)):
        assert abs(pooled.onset_h[line] - hour) < 1
        assert pooled.ci_low[line] < hour < pooled.ci_high[line]
    assert abs(pooled.lag_h["A549-ASNS-KO"] - 6) < 1 and math.isnan(pooled.lag_h["MOLT-4"])
    assert pooled.recovery_share["A549-ASNS-KO"] == pytest.approx(0.95, abs=0.05)
    rates = analysed.growth_rates.query("medium == 'complete' and phase == 'withdrawn'")
    doubling = LN2 / rates.groupby("cell_line").rate_per_h.mean()
    assert doubling.to_dict() == pytest.approx(
        {"A549": 22, "A549-ASNS-KO": 22, "MOLT-4": 27.9}, rel=0.05
    )


def test_the_factorial_of_the_example(analysed):
    table = analysed.interaction[analysed.interaction.contrast.eq("factorial")]
    codes = table.set_index("cell_line").code.to_dict()
    assert codes == {"A549": "FACTORIAL_ACTS_THROUGH", "A549-ASNS-KO": "", "MOLT-4": "FACTORIAL_NOT_TESTABLE"}  # fmt: skip
    assert [text.split(":")[0] for text in factorial.sentences(analysed)] == ["A549", "MOLT-4"]
    beside = analysed.interaction[analysed.interaction.contrast.eq("parent A549")]
    assert set(beside.amino_acid_a) == {"asparagine", "glutamine", "asparagine+glutamine"}


def spoilt(demo, change):
    """The cleaned scans and the onset table after `change` of the scans of the first plate."""
    scans = demo.timecourse.copy()
    rows = scans.plate.eq("LIVE-R1") & scans.chosen
    scans.loc[rows, "value"] = change(scans[rows]).astype(float)
    return time_courses(scans, demo.config, demo.exclusions)


def test_scans_of_zeros_and_wells_without_cells_are_no_numbers(demo):
    zero = spoilt(demo, lambda rows: rows.value.where(rows.hours.ne(30), 0))
    here = zero.timecourse.query("plate == 'LIVE-R1' and hours == 30 and chosen")
    assert here.excluded.all() and set(here.code) == {"TIMECOURSE_AT_BLANK"}
    empty = spoilt(demo, lambda rows: rows.value.where(rows.well.ne("B02") | rows.hours.gt(0), 0))
    here = empty.timecourse.query("plate == 'LIVE-R1' and well == 'B02' and chosen")
    assert set(here.code) == {"TIMECOURSE_STARTS_AT_ZERO"}
    codes = [item.code for item in timecourse_findings(empty.timecourse, empty.onset)]
    assert "TIMECOURSE_STARTS_AT_ZERO" in codes


def test_a_moved_plate_and_a_stray_scan_are_found(demo):
    moved = spoilt(demo, lambda rows: rows.value * np.where(rows.hours.ge(30), 0.5, 1))
    here = moved.timecourse.query("plate == 'LIVE-R1' and chosen and code == 'TIMECOURSE_MOVED'")
    assert here.hours.min() == 30 and here.well.nunique() == 24
    dip = spoilt(demo, lambda rows: rows.value * np.where(rows.hours.eq(30), 0.6, 1))
    here = dip.timecourse.query("plate == 'LIVE-R1' and chosen")
    assert set(here[here.hours.eq(30)].code) == {"TIMECOURSE_STRAY_SCAN"}
    assert here.code.eq("TIMECOURSE_STRAY_SCAN").sum() < 28
    assert not here.code.eq("TIMECOURSE_MOVED").any()


def test_intervals_over_experiments_cover(demo):
    """The t interval over four experiments and the planted onset, on arms as analysed."""
    rng, hours, inside = np.random.default_rng(4), np.arange(4, 72.1, 2), 0
    for _ in range(120):
        found = []
        for _ in range(4):
            noise = ar1(rng, (8, len(hours)))
            d = -np.maximum(hours - 24, 0) / 24 + noise[:4].mean(0) - noise[4:].mean(0)
            found.append(find_onset(hours, d).onset_h)
        half = 3.182 * np.std(found, ddof=1) / 2
        inside += abs(np.mean(found) - 24) <= half
    assert 0.88 < inside / 120 < 0.995


@pytest.mark.parametrize(
    ("old", "new"),
    [("addback_h: 48", "addback_h: 0.0"), ("replicate: 2, with", "replicate: 0, with"),
     ("parent: A549", "parent: A54"), ("plate: LIVE-R2", "plate: LIVE-R1"),
     ("withdrawal_h: 0", "metric: Confluence, withdrawal_h: 0")],
)  # fmt: skip
def test_what_does_not_fit_is_said(demo, tmp_path, old, new):
    folder = shutil.copytree(demo.folder, tmp_path / demo.folder.name)
    path = folder / "experiment.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError):
        kit.load(folder)


def test_the_sections_show_what_was_analysed(analysed):
    assert len(timecourse.sentences(analysed)) == 3
    exhibits = [*timecourse.curves(analysed), timecourse.forest(analysed)]
    exhibits += [timecourse.gr_over_time(analysed), *timecourse.death(analysed)]
    assert len(exhibits) == 6 and all(item.figure is not None for item in exhibits)
    for table, _, headings in (timecourse.rates(analysed), timecourse.onset(analysed)):
        assert set(headings) <= set(table)
    (arms,) = factorial.figures(analysed)
    assert len(arms.figure.axes) == 3
    table, _, headings = factorial.verdicts(analysed)
    assert set(headings) <= set(table)


def test_calls_rest_on_the_time_course(analysed):
    table = analysed.calls[analysed.calls.amino_acid.eq("asparagine")].set_index("cell_line")
    assert table.rescue["A549-ASNS-KO"] == "reversible" and table.rescue["MOLT-4"] == ""
    codes = {
        item.cell_line: {found.code for found in item.findings}
        for item in analysed.evidence
        if item.amino_acid == "asparagine"
    }
    assert "CALL_ADDBACK_REVERSIBLE" in codes["A549-ASNS-KO"]
    assert "CALL_NO_RESCUE_MEDIUM" not in codes["A549-ASNS-KO"]
    assert {"CALL_ADDBACK_IRREVERSIBLE", "CALL_NO_RESCUE_MEDIUM"} <= codes["MOLT-4"]
    assert not any(code.startswith("CALL_ADDBACK") for code in codes["A549"])


def called(demo, scans, line):
    """Codes and confidence of the calls of a line after other scans."""
    onset = time_courses(scans, demo.config, demo.exclusions).onset
    found = kit.analyse(demo)
    item = next(
        item
        for item in call_evidence(
            demo.config, found.growth, found.apoptosis, found.rescue, None, None, onset
        )
        if item.cell_line == line
    )
    return item, onset


def test_a_doubtful_time_course_caps_the_call_that_rests_on_it(demo):
    """A clock that disagrees, or a plate moved late, on one of three plates."""
    line = "A549-ASNS-KO"
    clean, _ = called(demo, demo.timecourse, line)
    assert not any(item.code == "CALL_TIMECOURSE_DOUBTED" for item in clean.caps)
    clock = demo.timecourse.assign(clock=demo.timecourse.plate.eq("LIVE-R1"))
    item, onset = called(demo, clock, line)
    assert item.rescue == clean.rescue
    assert "CALL_TIMECOURSE_DOUBTED" in [found.code for found in item.caps]
    doubted = onset[onset.code.str.contains("LIVE_CLOCK")]
    assert set(doubted.replicate) == {"1", "all"} and doubted.note.str.contains("LIVE-R1").all()


def test_replicates_of_a_moved_plate_do_not_count_as_recovered(demo):
    """Scans after the move are left out, so that replicate has no rate after the add-back."""
    scans = demo.timecourse.copy()
    late = scans.plate.eq("LIVE-R1") & scans.chosen & scans.hours.ge(30)
    scans.loc[late, "value"] = scans.loc[late, "value"] * 0.5
    item, onset = called(demo, scans, "A549-ASNS-KO")
    row = onset[onset.replicate.eq("all") & onset.cell_line.eq("A549-ASNS-KO")].iloc[0]
    assert "TIMECOURSE_MOVED" in row.code.split()
    assert row.n_recovered == row.n_replicates - 1
    told = [found.code for found in item.findings]
    enough = row.n_recovered >= demo.settings.min_replicates
    assert ("CALL_TIMECOURSE_DOUBTED" in told) == enough


def test_the_workbench_tab_starts_as_the_report_and_follows_plates_and_hours(analysed):
    session = SimpleNamespace(experiment=analysed.experiment, analysis=analysed)
    tab = TimeCourseTab(session, Page())
    tab.draw()
    pd.testing.assert_frame_equal(tab.what_if().onset, analysed.onset)
    assert "<img" in tab.found.value and "<img" in tab.curves.value
    tab.left_out.value = ("LIVE-R1",)
    pooled = tab.what_if().onset.query("replicate == 'all'")
    assert pooled.n_replicates.eq(2).all() and "What if" in tab.state.value
    tab.hours["recovery_from_h"].value = 24.0
    late = tab.what_if().growth_rates.query("phase == 'after_addback'")
    assert (late.from_h >= analysed.experiment.config.timecourse[0].addback_h + 24).all()
    tab.left_out.value = tuple(value for _, value in tab.left_out.options)
    assert tab.found.value == "" and "keep one" in tab.state.value


def test_the_workbench_tab_without_scans_says_so():
    tab = TimeCourseTab(SimpleNamespace(experiment=None, analysis=None), Page())
    tab.draw()
    assert "timecourse" in tab.state.value and tab.found.value == ""
