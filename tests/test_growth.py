"""Growth against closed forms and planted truth."""

import math

import numpy as np
import pytest

import kit
from kit.plates.growth import gr_of_doublings, gr_value
from kit.simulate import synthetic
from kit.simulate.synthetic import Noise, Truth


@pytest.mark.parametrize(
    ("x", "control", "start", "expected"),
    [
        (2, 4, 1, math.sqrt(2) - 1),
        (4, 4, 1, 1),
        (1, 4, 1, 0),
        (0.5, 4, 1, 2**-0.5 - 1),
        (0.36 * 4, 4, 1, 0.20),
        (8, 4, 1, 2**1.5 - 1),
    ],
)
def test_gr_closed_forms(x, control, start, expected):
    assert gr_value(x, control, start) == pytest.approx(
        expected, abs=5e-4 if expected == 0.2 else 1e-12
    )


@pytest.mark.parametrize(
    ("x", "control", "start"),
    [(2, 1, 1), (2, 0.5, 1), (-1, 4, 1), (0, 4, 1), (2, 4, 0), (math.nan, 4, 1)],
)
def test_gr_is_undefined_where_control_does_not_grow_or_signals_are_not_positive(x, control, start):
    assert np.isnan(gr_value(x, control, start))


def test_gr_02_is_a_different_percentage_at_each_growth():
    for doublings, percent in ((1, 60), (2, 36), (3, 22)):
        assert gr_value(2**doublings * percent / 100, 2**doublings, 1) == pytest.approx(
            0.20, abs=0.01
        )


def test_without_t0_it_is_the_same_value_if_the_doubling_time_is_right():
    doublings = 1.7
    f = np.array([0.2, 0.5, 0.9, 1.0])
    assert gr_of_doublings(np.log2(f), doublings) == pytest.approx(
        gr_value(f * 2**doublings, 2**doublings, 1), abs=1e-12
    )


@pytest.fixture(scope="module")
def demo():
    return kit.analyse(synthetic.experiment(synthetic.demo_01()))


def test_table_equals_an_independent_calculation(demo):
    raw = synthetic.wells(synthetic.demo_01())
    table = demo.growth.set_index(["cell_line", "medium", "replicate"])
    for (line, replicate), wells in raw.groupby(["cell_line", "replicate"]):

        def mean(hours, medium, wells=wells):
            here = wells[wells["hours"].eq(hours) & wells["medium"].eq(medium)]
            return (
                here[here["role"].eq("sample")]["signal"].mean()
                - here[here["role"].eq("blank")]["signal"].median()
            )

        x0, control = mean(0, "complete"), mean(48, "complete")
        for medium in synthetic.MEDIA:
            x, row = mean(48, medium), table.loc[(line, medium, replicate)]
            assert row["relative_viability"] == pytest.approx(x / control, rel=1e-9)
            assert row["log2_fc"] == pytest.approx(math.log2(x / control), abs=1e-9)
            assert row["gr"] == pytest.approx(
                2 ** (math.log2(x / x0) / math.log2(control / x0)) - 1, abs=1e-9
            )
            assert row["control_doublings"] == pytest.approx(math.log2(control / x0), abs=1e-9)
            assert row["n_wells"] == 6


def test_planted_gr_comes_back():
    quiet = Noise(well_cv=0.001, replicate_log2=0.0, run_log2=0.2, blank_cv=0.0)
    analysis = kit.analyse(
        synthetic.experiment(Truth(synthetic.SOURCE_LINES, replicates=1, noise=quiet, seed=9))
    )
    for row in analysis.growth.to_dict("records"):
        planted = (
            1.0
            if row["medium"] == "complete"
            else synthetic.SOURCE_LINES[row["cell_line"]].gr[row["medium"]]
        )
        assert row["gr"] == pytest.approx(planted, abs=0.01)


def without(wells, keep):
    experiment = synthetic.experiment(synthetic.demo_01())
    return kit.analyse(
        type(experiment)(
            experiment.folder,
            experiment.config,
            experiment.wells[keep(experiment.wells)],
            experiment.exclusions,
        )
    ).growth


def test_without_a_0h_plate_the_doubling_time_serves_and_it_warns():
    table = without(None, lambda wells: wells["hours"].gt(0))
    assert table["gr_basis"].eq("doubling time").all() and table["verdict"].eq("warn").all()
    row = table.iloc[1]
    doubling = synthetic.SOURCE_LINES[row["cell_line"]].doubling_time_h
    assert row["gr"] == pytest.approx(
        float(gr_of_doublings(np.log2(row["relative_viability"]), 48 / doubling)), abs=1e-9
    )


def test_a_replicate_without_its_own_0h_plate_borrows_none(demo):
    table = without(None, lambda wells: ~(wells["hours"].eq(0) & wells["replicate"].eq(2)))
    assert set(table.loc[table["replicate"].eq(2), "gr_basis"]) == {"doubling time"}
    assert set(table.loc[table["replicate"].ne(2), "gr_basis"]) == {"0 h plate"}


def altered(change, **config):
    experiment = synthetic.experiment(synthetic.demo_01())
    settings = experiment.config.model_copy(update=config)
    return kit.analyse(
        type(experiment)(
            experiment.folder, settings, change(experiment.wells.copy()), experiment.exclusions
        )
    )


def test_a_control_that_hardly_grows_leaves_gr_undefined():
    def start_high(wells):
        wells.loc[wells["hours"].eq(0) & wells["role"].eq("sample"), "signal"] *= 3.2
        return wells

    table = altered(start_high).growth
    low = table["control_doublings"] < 0.5
    assert (
        low.any()
        and table.loc[low, "gr"].isna().all()
        and table.loc[low, "verdict"].eq("fail").all()
    )
    between = table["control_doublings"].between(0.5, 1)
    assert table.loc[between, "verdict"].eq("warn").all()


def test_an_agent_at_concentration_0_is_no_agent(demo):
    """Untreated wells may be written either way: the 0 h plate counts, and every number is the
    same.
    """
    table = altered(
        lambda wells: wells.assign(
            agent=wells["role"].eq("sample").map({True: "asparaginase", False: ""}),
            concentration=0.0,
        )
    ).growth
    assert set(table["gr_basis"]) == {"0 h plate"} and set(table["agent"]) == {"asparaginase"}
    for column in ("relative_viability", "log2_fc", "gr", "control_doublings"):
        np.testing.assert_allclose(table[column], demo.growth[column], rtol=1e-12)


def test_an_agent_at_a_concentration_is_no_start():
    def treat(wells):
        wells.loc[wells["hours"].eq(0), ["agent", "concentration"]] = ["drug", 5.0]
        return wells

    assert set(altered(treat).growth["gr_basis"]) == {"doubling time"}


def test_brdu_gives_a_ratio_and_no_gr():
    table = altered(lambda wells: wells.assign(readout="BrdU")).growth
    assert (
        table["gr"].isna().all()
        and table["relative_viability"].notna().all()
        and table["code"].eq("INCORPORATION").all()
    )


def test_below_the_limit_of_detection_the_limit_stands_in():
    def drown(wells):
        target = wells["medium"].eq("no_asn") & wells["hours"].gt(0) & wells["role"].eq("sample")
        wells.loc[target, "signal"] = 200.0
        return wells

    table = altered(drown).growth.set_index("medium").loc["no_asn"]
    assert (
        table["below_lod"].all()
        and np.isfinite(table["log2_fc"]).all()
        and (table["relative_viability"] < 0.001).all()
    )
    assert table["code"].eq("BELOW_LOD").all()


def test_two_technical_plates_of_one_replicate_are_one_row():
    def twice(wells):
        import pandas as pd

        again = wells[wells["hours"].gt(0)].assign(
            plate=lambda frame: frame["plate"] + "-b", signal=lambda frame: frame["signal"] * 1.3
        )
        return pd.concat([wells, again], ignore_index=True)

    once, doubled = altered(lambda wells: wells).growth, altered(twice).growth
    assert len(once) == len(doubled)
    assert doubled["n_wells"].eq(12).all() and doubled["n_plates"].eq(2).all()
    assert np.allclose(once["log2_fc"], doubled["log2_fc"], atol=2e-3)


def test_counts_that_disagree_with_atp_are_found(demo):
    def counted(wells):
        import pandas as pd

        counts = wells.assign(readout="nuclei count", plate=wells["plate"] + "-n")
        counts.loc[counts["medium"].eq("no_gln") & counts["role"].eq("sample"), "signal"] *= 0.6
        return pd.concat([wells, counts], ignore_index=True)

    agreement = altered(counted).readout_agreement
    assert not agreement.loc[agreement["medium"].eq("no_gln"), "agrees"].any()
    assert agreement.loc[agreement["medium"].ne("no_gln"), "agrees"].all()
