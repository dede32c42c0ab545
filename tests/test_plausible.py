"""Planted mistakes that every other check passes: none leaves a confident call."""

import copy

import numpy as np
import pandas as pd
import pytest

from kit.config.model import ExperimentConfig
from kit.plates import growth as growing
from kit.plates import quality
from kit.protocol import affecting, compliance
from kit.simulate import synthetic

NOTHING = pd.DataFrame(columns=["plate", "well", "reason"])


@pytest.fixture(scope="module")
def honest():
    """Configuration as plain data, and the wells as an instrument read them."""
    truth = synthetic.demo_01()
    return synthetic.config(truth).model_dump(mode="json"), synthetic.wells(truth)


def judged(honest, change=lambda data: None, spoil=lambda wells: wells):
    data = copy.deepcopy(honest[0])
    change(data)
    config = ExperimentConfig.model_validate(data)
    wells = quality.prepare(spoil(honest[1].copy()), NOTHING, config.settings)
    plates = pd.DataFrame({"plate": wells["plate"].unique(), "verdict": "pass"})
    return compliance(config, wells, growing.growth(wells, config, plates))


def found(table, check):
    bad = table["check"].eq(check) & table["verdict"].isin(["warn", "fail"])
    return set(table.loc[bad, ["code", "verdict", "effect"]].itertuples(index=False, name=None))


def test_an_honest_experiment_passes(honest):
    table = judged(honest)
    assert set().union(*(found(table, check) for check in ("P26", "P27", "P29", "P30"))) == set()


@pytest.mark.parametrize(("made", "warns"), [(2.0, True), (20.0, True), (21.0, False)])
def test_glutamine_typed_in_millimolar(honest, made, warns):
    def typed(data):
        for name, medium in data["media"].items():
            if name != "no_gln":
                medium["glutamine_uM"] = made

    table = judged(honest, typed)
    assert found(table, "P26") == ({("P26_UNUSUAL", "warn", "cap")} if warns else set())


def factor(hours, by, replicates=(1, 2, 3)):
    def spoil(wells):
        hit = wells["hours"].eq(hours) & wells["replicate"].isin(replicates)
        wells["signal"] = wells["signal"].where(~hit, wells["signal"] * by)
        return wells

    return spoil


def swapped(wells):
    hours = wells["hours"].max()
    return wells.assign(hours=wells["hours"].map({0.0: hours, hours: 0.0}))


@pytest.mark.parametrize(
    ("spoil", "codes"),
    [
        (factor(0, 0.5), {"P27_DOUBLINGS"}),
        (factor(0, 0.01), {"P27_IMPOSSIBLE"}),
        (factor(0, 0.01, [2]), {"P27_IMPOSSIBLE", "P27_REPLICATES"}),
        (factor(0, 0.4, [2]), {"P27_DOUBLINGS", "P27_REPLICATES"}),
        (swapped, {"P27_NEGATIVE"}),
    ],
)
def test_another_gain_or_exchanged_times(honest, spoil, codes):
    table = judged(honest, spoil=spoil)
    assert codes <= {code for code, _, _ in found(table, "P27")}
    for line in honest[0]["cell_lines"]:
        assert len(affecting(table, line, "glutamine").query("check == 'P27'"))


def test_one_replicate_with_impossible_growth_is_left_out_where_enough_remain(honest):
    """Its 0 h plate read at a hundredth: the two sound replicates carry line and call."""

    def two(data):
        data["settings"] = {**data.get("settings", {}), "min_replicates": 2}

    table = judged(honest, two, factor(0, 0.01, [2]))
    assert found(table, "P27") == {("P27_LEFT_OUT", "warn", "cap")}
    config = ExperimentConfig.model_validate({**honest[0], "settings": {"min_replicates": 2}})
    wells = quality.prepare(factor(0, 0.01, [2])(honest[1].copy()), NOTHING, config.settings)
    plates = pd.DataFrame({"plate": wells["plate"].unique(), "verdict": "pass"})
    rows = growing.growth(wells, config, plates)
    assert set(rows.loc[rows["left_out"], "replicate"]) == {2}
    assert rows["left_out"].equals(rows["replicate"].eq(2))


def test_a_toxic_medium_leaves_no_call_unwarned(honest):
    def toxic(wells):
        hit = wells["hours"].gt(0) & wells["medium"].eq("no_ser") & wells["role"].eq("sample")
        wells["signal"] = wells["signal"].where(~hit, wells["signal"] * 0.2)
        return wells

    assert "serine" not in set(judged(honest).query("code == 'P28_ALL_LOSE'")["subject"])
    table = judged(honest, spoil=toxic)
    assert "serine" in set(table.query("code == 'P28_ALL_LOSE' and effect == 'cap'")["subject"])


@pytest.mark.parametrize("jitter", [0.0, 0.01])
def test_a_copied_replicate(honest, jitter):
    def copied(wells):
        rng = np.random.default_rng(1)
        plate = "A549-48h-R1"
        source = wells[wells["plate"].eq(plate)].set_index("well")["signal"]
        hit = wells["plate"].eq("A549-48h-R2")
        noise = 1 + jitter * rng.standard_normal(int(hit.sum()))
        wells.loc[hit, "signal"] = 1.03 * wells.loc[hit, "well"].map(source).to_numpy() * noise
        return wells

    table = judged(honest, spoil=copied)
    assert found(table, "P29") == {("P29_COPY", "fail", "void")}
    assert table.query("code == 'P29_COPY'")["subject"].tolist() == ["A549-48h-R1, A549-48h-R2"]


def test_honest_plates_with_one_edge_effect_are_no_copies(honest):
    """Treatment means alone leave a shared edge effect, and honest plates correlate above 0.8."""

    def edged(wells):
        used = wells[wells["role"].eq("sample")]
        edge = used["row"].isin([used["row"].min(), used["row"].max()]) | used["column"].isin(
            [used["column"].min(), used["column"].max()]
        )
        wells.loc[used.index[edge], "signal"] *= 0.6
        return wells

    assert found(judged(honest, spoil=edged), "P29") == set()


def test_a_rescue_medium_made_wrongly(honest):
    def weak(wells):
        hit = wells["medium"].eq("no_asn_rescue") & wells["cell_line"].eq("A549")
        hit &= wells["hours"].gt(0) & wells["role"].eq("sample")
        wells["signal"] = wells["signal"].where(~hit, wells["signal"] * 0.6)
        return wells

    def same_recipe(data):
        for name in ("complete", "no_asn_rescue"):
            amounts = {"asparagine_uM": 100, "glutamine_uM": 2000, "serine_uM": 400}
            data["media"][name].update(amounts)

    assert found(judged(honest, same_recipe), "P30") == set()
    table = judged(honest, same_recipe, weak)
    assert table.query("code == 'P30_RESCUE' and verdict == 'warn'")["subject"].tolist() == ["A549"]


def test_exchanged_lines_void_all_their_calls(honest):
    def exchanged(wells):
        names = {"A549": "MOLT-4", "MOLT-4": "A549"}
        return wells.assign(cell_line=wells["cell_line"].replace(names))

    table = judged(honest, spoil=exchanged).query("code == 'P20_LINES_EXCHANGED'")
    assert set(table["scope"]) == {"A549", "MOLT-4"} and set(table["effect"]) == {"void"}


def test_exchanged_media_void_both_amino_acids(honest):
    def exchanged(wells):
        names = {"no_asn": "no_gln", "no_gln": "no_asn"}
        return wells.assign(medium=wells["medium"].replace(names))

    table = judged(honest, spoil=exchanged)
    assert "glutamine" in set(table.query("code == 'P20_MEDIA_EXCHANGED'")["scope"])
    assert "asparagine" in set(table.query("code == 'P19_GR' and verdict == 'fail'")["scope"])
