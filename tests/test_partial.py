"""Bad and partial data: a call of 'inconclusive' with its reason or a lower confidence, never a
number that looks real.
"""

import dataclasses

import numpy as np
import pytest

import kit
from kit.simulate import synthetic
from kit.simulate.synthetic import Truth

LINES = {"MOLT-4": synthetic.SOURCE_LINES["MOLT-4"], "A549": synthetic.SOURCE_LINES["A549"]}


def analyse(change_wells=lambda wells: wells, change_flow=lambda flow: flow, **config):
    experiment = synthetic.experiment(Truth(LINES, seed=7))
    settings = experiment.config.model_copy(update=config)
    wells = change_wells(experiment.wells.copy())
    settings = settings.model_copy(
        update={
            "plates": [plate for plate in settings.plates if plate.plate in set(wells["plate"])]
        }
    )
    return kit.analyse(
        dataclasses.replace(
            experiment, config=settings, wells=wells, flow=change_flow(experiment.flow.copy())
        )
    )


def call(analysis, line="MOLT-4", amino_acid="asparagine"):
    return analysis.calls.set_index(["cell_line", "amino_acid"]).loc[(line, amino_acid)]


def finite_calls_are_honest(analysis):
    """Whatever is missing: a call that is not inconclusive has a GR, a probability and reasons."""
    for row in analysis.calls.to_dict("records"):
        assert row["reasons"]
        if row["call"] != "inconclusive":
            assert np.isfinite(row["gr"]) and np.isfinite(row["probability"])


def test_complete_data_give_a_clear_call():
    row = call(analyse())
    assert (row["call"], row["subtype"], row["rescue"]) == ("auxotrophic", "cytotoxic", "full")


def test_no_flow():
    analysis = analyse(change_flow=lambda flow: None)
    row = call(analysis)
    assert analysis.apoptosis is None
    assert (row["call"], row["subtype"], row["confidence"]) == (
        "auxotrophic",
        "death_not_assessed",
        "provisional",
    )
    assert np.isnan(row["specific_apoptosis"]) and "Death was not assessed" in row["reasons"]


def test_no_0h_plate_caps_the_confidence():
    analysis = analyse(lambda wells: wells[wells["hours"].gt(0)])
    row = call(analysis)
    assert row["confidence"] == "provisional" and "doubling time" in row["reasons"]
    finite_calls_are_honest(analysis)


def test_neither_0h_plate_nor_doubling_time():
    lines = {
        name: (
            synthetic.config(Truth(LINES))
            .cell_lines[name]
            .model_copy(update={"doubling_time_h": None})
        )
        for name in LINES
    }
    analysis = analyse(lambda wells: wells[wells["hours"].gt(0)], cell_lines=lines)
    assert analysis.calls["call"].eq("inconclusive").all() and analysis.calls["gr"].isna().all()
    assert analysis.calls["reasons"].str.contains("GR is undefined").all()


def test_one_replicate_misses_a_group():
    def missing(wells):
        return wells[~(wells["medium"].eq("no_asn") & wells["plate"].eq("MOLT-4-48h-R2"))]

    analysis = analyse(missing)
    row = call(analysis)
    assert (
        row["n_replicates"] == 2
        and row["confidence"] == "none"
        and "Exploratory: 2" in row["reasons"]
    )
    contrast = analysis.effects[
        analysis.effects["cell_line"].eq("MOLT-4")
        & analysis.effects["medium"].eq("no_asn")
        & analysis.effects["family"].eq("dropout")
    ]
    assert contrast["n_replicates"].eq(2).all() and contrast["p"].isna().all()
    assert call(analysis, "MOLT-4", "glutamine")["n_replicates"] == 3


def test_control_missing_on_one_plate_of_a_replicate():
    def second_plate(wells):
        """no_gln of MOLT-4 lies on a plate of its own, without control."""
        own = wells["cell_line"].eq("MOLT-4") & wells["medium"].eq("no_gln") & wells["hours"].gt(0)
        wells.loc[own, "plate"] = wells.loc[own, "plate"] + "-b"
        return wells

    experiment = synthetic.experiment(Truth(LINES, seed=7))
    wells = second_plate(experiment.wells.copy())
    extra = [
        plate.model_copy(update={"plate": f"{plate.plate}-b"})
        for plate in experiment.config.plates
        if plate.cell_line is None and plate.hours > 0 and plate.plate.startswith("MOLT")
    ]
    config = experiment.config.model_copy(update={"plates": [*experiment.config.plates, *extra]})
    analysis = kit.analyse(dataclasses.replace(experiment, config=config, wells=wells))
    rows = analysis.growth[
        analysis.growth["cell_line"].eq("MOLT-4") & analysis.growth["medium"].eq("no_gln")
    ]
    assert (
        rows["borrowed_control"].all()
        and rows["note"].str.contains("another plate").all()
        and rows["verdict"].ne("pass").all()
    )
    assert rows["relative_viability"].notna().all()


def test_no_control_at_all():
    analysis = analyse(lambda wells: wells[wells["medium"].ne("complete") | wells["hours"].eq(0)])
    assert analysis.growth["gr"].isna().all() and analysis.growth["relative_viability"].isna().all()
    assert analysis.calls["call"].eq("inconclusive").all() and analysis.summary.verdict == "fail"


def test_one_replicate_only_is_exploratory():
    analysis = analyse(
        lambda wells: wells[wells["replicate"].eq(1)], lambda flow: flow[flow["replicate"].eq(1)]
    )
    assert analysis.exploratory and analysis.calls["confidence"].eq("none").all()
    assert analysis.effects["p"].isna().all() and analysis.calls["gr_ci_low"].isna().all()


def test_zero_events_are_no_evidence_of_life():
    def empty(flow):
        flow.loc[flow["cell_line"].eq("MOLT-4"), "events"] = 0
        return flow

    analysis = analyse(change_flow=empty)
    row = call(analysis)
    assert np.isnan(row["specific_apoptosis"]) and row["subtype"] in ("death_not_assessed", "")
    assert row["confidence"] != "confident" and "Death could not be assessed" in row["reasons"]


def test_flow_without_its_control():
    analysis = analyse(
        change_flow=lambda flow: flow[
            ~(flow["cell_line"].eq("MOLT-4") & flow["medium"].eq("complete"))
        ]
    )
    assert (
        np.isnan(call(analysis)["specific_apoptosis"])
        and call(analysis)["confidence"] != "confident"
    )
    assert np.isfinite(call(analysis, "A549")["specific_apoptosis"])


def test_all_wells_of_a_medium_missing():
    def lose(wells):
        wells.loc[
            wells["medium"].eq("no_asn")
            & wells["cell_line"].eq("A549")
            & wells["role"].eq("sample"),
            "signal",
        ] = np.nan
        return wells

    analysis = analyse(lose)
    row = call(analysis, "A549")
    assert row["call"] == "inconclusive" and np.isnan(row["gr"])


def test_a_plate_that_fails_voids_only_its_line():
    def saturate(wells):
        first = wells.index[
            wells["plate"].eq("A549-48h-R1")
            & wells["medium"].eq("complete")
            & wells["role"].eq("sample")
        ][0]
        wells.loc[first, ["signal", "flag"]] = [np.nan, "saturated"]
        return wells

    analysis = analyse(saturate)
    assert (
        call(analysis, "A549")["call"] == "inconclusive"
        and "failed quality control" in call(analysis, "A549")["reasons"]
    )
    assert call(analysis)["call"] == "auxotrophic"


@pytest.mark.parametrize(
    "keep",
    [
        lambda wells: wells["medium"].eq("complete"),
        lambda wells: wells["hours"].eq(0),
        lambda wells: wells["role"].eq("blank"),
    ],
)
def test_only_a_sliver_of_data_gives_tables_and_no_call(keep):
    analysis = analyse(lambda wells: wells[keep(wells)], lambda flow: None)
    assert analysis.calls is None or analysis.calls.empty
    assert analysis.summary.verdict in ("warn", "fail") and set(analysis.tables) >= {
        "wells",
        "plate_qc",
        "compliance",
    }


def test_rescue_not_measured_in_one_line_caps_that_line():
    analysis = analyse(
        lambda wells: wells[
            ~(wells["medium"].eq("no_asn_rescue") & wells["cell_line"].eq("MOLT-4"))
        ]
    )
    row = call(analysis)
    assert (
        row["confidence"] == "provisional"
        and "Rescue with asparagine was not measured in this line" in row["reasons"]
    )
    assert "not measured" not in call(analysis, "A549")["reasons"]


def test_death_is_taken_at_the_time_nearest_to_72_h():
    import pandas as pd

    def two_times(flow):
        early = flow.assign(hours=24.0)
        early[["early_percent", "late_percent"]] = early[["early_percent", "late_percent"]] * 0.1
        early["viable_percent"] = (
            100 - early["early_percent"] - early["late_percent"] - early["necrotic_percent"]
        )
        return pd.concat([early, flow.assign(hours=72.0)], ignore_index=True)

    assert call(analyse(change_flow=two_times))["specific_apoptosis"] == pytest.approx(
        call(analyse())["specific_apoptosis"]
    )
