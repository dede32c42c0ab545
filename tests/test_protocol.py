"""Every check of the protocol with a case that passes and the cases that warn and fail as the
specification says.
"""

import copy
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kit.config.model import CALLED, ExperimentConfig
from kit.config.reading import read_config
from kit.plates import growth as growing
from kit.plates import quality
from kit.plates.quality import worst
from kit.protocol import CHECKS, affecting, compliance, protocol_findings
from kit.simulate import synthetic

EXAMPLES = Path(__file__).resolve().parents[1] / "data" / "examples"
GONE = "<taken out>"


@pytest.fixture(scope="module")
def book() -> dict:
    """EXP-DEMO-01 as plain data: an experiment done by the book."""
    return read_config(EXAMPLES / "EXP-DEMO-01").model_dump(mode="json")


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Wells and growth of the same design, simulated."""
    truth = synthetic.demo_01()
    nothing = pd.DataFrame(columns=["plate", "well", "reason"])
    config = synthetic.config(truth)
    wells = quality.prepare(synthetic.wells(truth), nothing, config.settings)
    plates = pd.DataFrame({"plate": wells["plate"].unique(), "verdict": "pass"})
    return wells, growing.growth(wells, config, plates)


def changed(book: dict, changes: dict) -> ExperimentConfig:
    """`book` with values replaced at `a/b/c` paths; GONE removes one."""
    data = copy.deepcopy(book)
    for path, value in changes.items():
        *parents, last = path.split("/")
        place = data
        for parent in parents:
            place = place[parent]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return ExperimentConfig.model_validate(data)


def rows_of(table: pd.DataFrame, check: str) -> pd.DataFrame:
    return table[table["check"].eq(check)]


def said(table: pd.DataFrame, check: str) -> str:
    """The worst verdict of a check; info where it says nothing else."""
    verdicts = list(rows_of(table, check)["verdict"])
    return worst(verdicts) if set(verdicts) != {"info"} else "info"


UNDIALYZED = {"dialyzed": False, "percent": 10, "lot": "X"}
BULK = "protocol/pre_plating_spin_washes"
GLN_RESCUE = {
    "role": "rescue",
    "restores": "glutamine",
    "serum": "dFBS",
    "asparagine_uM": 100,
    "glutamine_uM": 2000,
    "serine_uM": 400,
    "glutamine_age_days": 1,
}
SER_RESCUE = {
    "role": "rescue",
    "restores": "serine",
    "serum": "dFBS",
    "asparagine_uM": 100,
    "serine_uM": 400,
    "glutamine_uM": 2000,
    "glutamine_age_days": 1,
}
RESCUES = {"media/no_gln_rescue": GLN_RESCUE, "media/no_ser_rescue": SER_RESCUE}

# check, what is changed in a good experiment, verdict
METADATA = [
    ("P01", {}, "pass"),
    ("P01", {"sera/dFBS/dialyzed": False}, "fail"),
    ("P01", {"sera/dFBS/dialyzed": None}, "warn"),
    ("P01", {"sera/dFBS/cutoff_kDa": 12}, "warn"),
    ("P01", {"sera/dFBS/cutoff_kDa": None}, "warn"),
    ("P01", {"sera/dFBS/cutoff_kDa": 30}, "fail"),
    ("P01", {"sera/dFBS/asparagine_uM": None}, "warn"),
    ("P01", {"sera/dFBS/percent": 0, "sera/dFBS/dialyzed": None, "sera/dFBS/asparagine_uM": None}, "pass"),
    ("P01", {"media/no_asn/serum": None}, "warn"),
    ("P02", {}, "pass"),
    ("P02", {"sera/other": {"dialyzed": True, "cutoff_kDa": 10, "percent": 5, "lot": "SIM-1"}, "media/no_asn/serum": "other"}, "fail"),
    ("P02", {"sera/other": {"dialyzed": True, "cutoff_kDa": 10, "percent": 10, "lot": "SIM-2"}, "media/no_asn/serum": "other"}, "fail"),
    ("P02", {"sera/other": {"dialyzed": True, "percent": 10, "lot": "SIM-2"}, "protocol/acclimatization_serum": "other"}, "warn"),
    ("P02", {"sera/other": {"dialyzed": True, "percent": 10, "lot": "SIM-1"}, "protocol/acclimatization_serum": "other"}, "pass"),
    ("P02", {"sera/dFBS/lot": None}, "warn"),
    ("P02", {"sera/dFBS/percent": None}, "warn"),
    ("P02", {"protocol/acclimatization_serum": None}, "warn"),
    ("P03", {}, "pass"),
    ("P03", {"protocol/acclimatization_passages": 1}, "warn"),
    ("P03", {"protocol/acclimatization_passages": 0}, "fail"),
    ("P03", {"protocol/acclimatization_passages": None}, "warn"),
    ("P03", {"sera/old": UNDIALYZED, "protocol/acclimatization_serum": "old"}, "fail"),
    ("P03", {"protocol/doubling_time_dialyzed_h": 40, "protocol/doubling_time_regular_h": 25}, "warn"),
    ("P03", {"protocol/doubling_time_dialyzed_h": 30, "protocol/doubling_time_regular_h": 25}, "pass"),
    ("P03", {"sera/old": UNDIALYZED, "protocol/acclimatization_serum": "old", "settings": {"strict_serum": False}}, "warn"),
    ("P03", {"protocol/acclimatization_passages": 0, "settings": {"strict_serum": False}}, "fail"),
    ("P04", {}, "pass"),
    ("P04", {"cell_lines/MOLT-4/asparagine_free_history": True}, "warn"),
    ("P04", {"cell_lines/MOLT-4/asparagine_free_history": None}, "warn"),
    ("P05", {}, "pass"),
    ("P05", {"media/no_asn/asparagine_uM": 5}, "fail"),
    ("P05", {"media/no_asn/asparagine_uM": None}, "warn"),
    ("P05", {"media/no_asn/glutamine_uM": 2100}, "pass"),
    ("P05", {"media/no_asn/glutamine_uM": 2101}, "fail"),
    ("P05", {"media/no_gln/serine_uM": 300}, "fail"),
    ("P05", {"media/no_gln/serine_uM": None}, "warn"),
    ("P05", {"media/complete/serine_uM": None}, "warn"),
    ("P05", {"media/no_gln/lot": None, "replicates": {}}, "warn"),
    ("P05", {"media/no_asn_rescue/serine_uM": None}, "warn"),
    ("P06", {}, "pass"),
    ("P06", {"media/complete/asparagine_uM": 0}, "fail"),
    ("P06", {"media/complete/asparagine_uM": 49}, "warn"),
    ("P06", {"media/complete/asparagine_uM": None}, "warn"),
    ("P07", {}, "pass"),
    ("P07", {"media/no_asn_rescue/asparagine_uM": 109}, "pass"),
    ("P07", {"media/no_asn_rescue/asparagine_uM": 111}, "warn"),
    ("P07", {"media/complete/asparagine_uM": 378}, "warn"),
    ("P07", {"media/no_asn_rescue/asparagine_uM": None}, "warn"),
    ("P07", {"media/no_asn_rescue": GONE}, "info"),
    ("P08", RESCUES, "pass"),
    ("P08", {}, "warn"),
    ("P08", RESCUES | {"media/no_gln_rescue": GLN_RESCUE | {"glutamine_uM": 500}}, "warn"),
    ("P08", RESCUES | {"media/no_gln_rescue": GLN_RESCUE | {"glutamine_uM": None}}, "warn"),
    ("P09", {}, "pass"),
    ("P09", {"media/no_gln/glutamine_form": "GlutaMAX"}, "fail"),
    ("P09", {"media/no_gln/glutamine_form": None}, "warn"),
    ("P09", {"media/complete/glutamine_age_days": 15}, "warn"),
    ("P09", {"media/complete/glutamine_age_days": 14}, "pass"),
    ("P09", {"media/complete/glutamine_age_days": None}, "warn"),
    ("P09", {"media/complete/glutamine_age_days": None, "media/complete/glutamine_form": "GlutaMAX"}, "pass"),
    ("P10", {}, "pass"),
    ("P10", {"media/no_ser/glycine_uM": None}, "info"),
    ("P11", {}, "pass"),
    ("P11", {"protocol/seeding_confluence_percent": 45}, "warn"),
    ("P11", {"protocol/seeding_confluence_percent": 15}, "warn"),
    ("P11", {"protocol/seeding_confluence_percent": 60}, "warn"),
    ("P11", {"protocol/seeding_confluence_percent": 61}, "fail"),
    ("P11", {"protocol/seeding_confluence_percent": None}, "warn"),
    ("P11", {"cell_lines/A549/seeding_confluence_percent": 70}, "fail"),
    ("P11", {"protocol/seeding_viable_per_mL": 6e5}, "warn"),
    ("P11", {"protocol/seeding_viable_per_mL": 9e4}, "warn"),
    ("P11", {"protocol/seeding_viable_per_mL": None}, "warn"),
    ("P11", {"protocol/control_endpoint_viable_per_mL": 1.6e6}, "warn"),
    ("P11", {"cell_lines/A549/growth_mode": None}, "warn"),
    ("P12", {}, "pass"),
    ("P12", {"protocol/adherence_h": 5}, "warn"),
    ("P12", {"protocol/adherence_h": 13}, "warn"),
    ("P12", {"protocol/adherence_h": 2.9}, "fail"),
    ("P12", {"protocol/adherence_h": None}, "warn"),
    ("P12", {"protocol/adherence_h": None, "cell_lines": {"Jurkat": {"growth_mode": "suspension"}}}, "info"),
    ("P13", {"media/no_gln": GONE}, "pass"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/count": 1, "protocol/wash/residual_uL": 1}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/count": 0, "protocol/wash/residual_uL": 0.1}, "fail"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/volume_uL": 90}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/residual_uL": None}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/buffer": None}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/buffer": "RPMI 1640"}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/wash/residual_uL": 30}, "fail"),
    ("P13", {"media/no_gln": GONE, "protocol/wash": None}, "warn"),
    ("P13", {"media/no_gln": GONE, f"{BULK}/count": 1}, "warn"),
    ("P13", {"media/no_gln": GONE, f"{BULK}/volume_mL": 5}, "warn"),
    ("P13", {"media/no_gln": GONE, f"{BULK}/count": 0, "protocol/wash": None}, "fail"),
    ("P13", {"media/no_gln": GONE, BULK: None}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/previous_medium": None}, "warn"),
    ("P13", {"media/no_gln": GONE, "protocol/seeding_cells_per_well": None}, "warn"),
    ("P14", {}, "pass"),
    ("P14", {"protocol/cell_loss_by_wash_percent": 16}, "warn"),
    ("P14", {"protocol/cell_loss_by_wash_percent": None}, "warn"),
    ("P17", {}, "pass"),
    ("P17", {"media/complete/role": "other"}, "fail"),
    ("P17", {"media/no_asn_rescue": GONE}, "warn"),
    ("P17", {"media/no_gln": GONE, "media/no_ser": GONE}, "info"),
    ("P18", {}, "pass"),
    ("P18", {"cell_lines/A549/asns_class": None}, "pass"),
    ("P18", {"cell_lines/A549/asns_class": "moderate"}, "warn"),
    ("P18", {"cell_lines": {"A549": {}, "HeLa": {}}}, "warn"),
    ("P18", {"cell_lines": {"hela": {}, "Molt 4": {}}}, "pass"),
    ("P21", {}, "pass"),
    ("P21", {"protocol/viability_at_seeding_percent": 89}, "warn"),
    ("P21", {"protocol/viability_at_seeding_percent": 79}, "fail"),
    ("P21", {"protocol/viability_at_seeding_percent": None}, "warn"),
    ("P22", {}, "pass"),
    ("P22", {"cell_lines/A549/mycoplasma/result": "positive"}, "fail"),
    ("P22", {"cell_lines/A549/mycoplasma/date": "2026-02-01"}, "warn"),
    ("P22", {"cell_lines/A549/mycoplasma": None}, "warn"),
    ("P22", {"cell_lines/A549/str_match": False}, "fail"),
    ("P22", {"cell_lines/A549/str_date": "2025-01-03"}, "warn"),
    ("P22", {"cell_lines/A549/str_date": None}, "warn"),
    ("P22", {"cell_lines/A549/passage": None, "replicates": {}}, "warn"),
    ("P22", {"date": None, "replicates": {}}, "warn"),
    ("P25", {}, "pass"),
    ("P25", {"protocol/oxygen_percent": None}, "info"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "changes", "verdict"),
    METADATA,
    ids=lambda value: str(value)[:70] if not isinstance(value, str) else value,
)
def test_metadata(book, check, changes, verdict):
    assert said(compliance(changed(book, changes)), check) == verdict


# check, change of settings, change of wells, verdict
def _drop(where):
    return lambda wells: wells[~where(wells)]


def _column_layout(wells):
    """Each medium in its own column, as on a strip."""
    later = wells["hours"].gt(0) & wells["role"].eq("sample")
    place = {medium: 2 + index for index, medium in enumerate(sorted(set(wells["medium"])))}
    return wells.assign(column=wells["column"].where(~later, wells["medium"].map(place)))


WELLS = [
    ("P15", {}, None, "pass"),
    ("P15", {}, _drop(lambda w: w["hours"].eq(0) & w["cell_line"].eq("A549") & w["replicate"].eq(2)), "warn"),
    ("P15", {}, _drop(lambda w: w["hours"].eq(0)), "warn"),
    ("P15", {}, _drop(lambda w: w["hours"].eq(0) & w["cell_line"].eq("A549") & w["row"].gt(4)), "warn"),
    ("P15", {"protocol/t0_delay_h": 1.5}, None, "warn"),
    ("P15", {"protocol/t0_delay_h": None}, None, "warn"),
    ("P15", {}, lambda w: w.assign(readout="BrdU"), "info"),
    ("P16", {"plates": []}, None, "pass"),
    ("P16", {"plates": []}, lambda w: w.assign(hours=w["hours"].replace(48, 50.5)), "warn"),
    ("P16", {"plates": []}, lambda w: w.assign(hours=w["hours"].replace(48, 54)), "warn"),
    ("P16", {"plates": []}, lambda w: w.assign(hours=w["hours"].replace(48, 55)), "fail"),
    ("P16", {"plates": []}, lambda w: w.assign(hours=w["hours"].mask(w["hours"].eq(48) & w["replicate"].eq(3), 51)), "warn"),
    ("P16", {"plates": []}, lambda w: w.assign(hours=w["hours"].mask(w["hours"].eq(48) & w["replicate"].eq(3), 55)), "fail"),
    ("P16", {"plates": [], "flow": [{"file": "f.csv", "hours": 68}]}, None, "warn"),
    ("P16", {"plates": [], "flow": [{"file": "f.csv", "hours": 48}]}, None, "fail"),
    ("P16", {}, None, "pass"),
    ("P16", {"plates": [{"plate": "X", "file": "f", "layout": "l", "readout": "ATP", "hours": 48, "replicate": 1}]}, None, "warn"),
    ("P17", {}, None, "pass"),
    ("P17", {}, _drop(lambda w: w["medium"].eq("complete") & w["cell_line"].eq("A549")), "fail"),
    ("P17", {}, _drop(lambda w: w["medium"].eq("no_asn_rescue") & w["cell_line"].eq("A549")), "warn"),
    ("P17", {}, _drop(lambda w: w["medium"].eq("complete") & w["plate"].eq("A549-48h-R2")), "warn"),
    ("P17", {}, _drop(lambda w: w["medium"].eq("no_asn") & w["plate"].eq("A549-48h-R3")), "warn"),
    ("P18", {}, _drop(lambda w: w["cell_line"].eq("A549")), "warn"),
    ("P23", {}, None, "pass"),
    ("P23", {"protocol/layout_randomised": None}, None, "pass"),
    ("P23", {"protocol/layout_randomised": False}, None, "warn"),
    ("P23", {}, lambda w: w.assign(row=w["row"] - 1), "warn"),
    ("P23", {}, lambda w: w.assign(row=w["row"] + 1), "warn"),
    ("P23", {}, lambda w: w.assign(column=w["column"] - 1), "warn"),
    ("P23", {}, lambda w: w.assign(column=w["column"] + 1), "warn"),
    ("P23", {"protocol/layout_randomised": None}, _column_layout, "warn"),
    ("P24", {}, None, "pass"),
    ("P24", {}, _drop(lambda w: w["replicate"].eq(3) & w["cell_line"].eq("A549")), "warn"),
    ("P24", {}, _drop(lambda w: w["medium"].eq("no_asn") & w["plate"].eq("A549-48h-R3")), "warn"),
    ("P24", {"replicates/2/medium_lot": None}, None, "warn"),
    ("P24", {"replicates/2/date": "2026-03-02"}, None, "warn"),
    ("P24", {"replicates/2/medium_lot": "SIM-M1a"}, None, "warn"),
    ("P24", {"replicates": {}}, None, "warn"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "changes", "change_wells", "verdict"), WELLS)
def test_wells(book, tables, check, changes, change_wells, verdict):
    wells = tables[0] if change_wells is None else change_wells(tables[0])
    assert said(compliance(changed(book, changes), wells), check) == verdict


def _growth(**gr: float) -> pd.DataFrame:
    """GR without asparagine, three replicates around the planted mean."""
    rows = [
        (line.replace("_", "-"), "no_asn", replicate, 48.0, value + shift, 2.0)
        for line, value in gr.items()
        for replicate, shift in ((1, -0.05), (2, 0.0), (3, 0.05))
    ]
    return pd.DataFrame(
        rows, columns=["cell_line", "medium", "replicate", "hours", "gr", "control_doublings"]
    ).assign(readout="CellTiter-Glo")


LEFT_OVER = {"protocol/pre_plating_spin_washes": None, "protocol/wash/residual_uL": 30}
REFERENCE = [
    ("P19", {"A549": 0.61}, {}, "pass", "none"),
    ("P19", {"A549": 0.59}, {}, "fail", "void"),
    ("P19", {"A549": float("nan")}, {}, "warn", "cap"),
    ("P19", {"MOLT_4": 0.1}, {}, "warn", "cap"),  # A549 was not measured
    ("P20", {"MOLT_4": 0.19, "Jurkat": -0.1}, {}, "pass", "none"),
    ("P20", {"MOLT_4": 0.40, "Jurkat": -0.1}, {}, "warn", "cap"),
    ("P20", {"MOLT_4": 0.40, "Jurkat": -0.1}, LEFT_OVER, "fail", "masking"),
    ("P20", {"MOLT_4": 0.10, "Jurkat": 0.9}, LEFT_OVER, "warn", "cap"),  # disputed: never fails
]  # fmt: skip


@pytest.mark.parametrize(("check", "gr", "changes", "verdict", "effect"), REFERENCE)
def test_reference_lines(book, check, gr, changes, verdict, effect):
    table = rows_of(compliance(changed(book, changes), growth=_growth(**gr)), check)
    bad = table[table["verdict"].eq(verdict)]
    assert said(table, check) == verdict
    assert set(bad["effect"]) == {effect} and set(bad["scope"]) == {"asparagine"}


def test_disputed_priors_keep_a_mismatch_from_failing(book):
    priors = pd.DataFrame(
        {
            "cell_line": ["Molt-4"],
            "amino_acid": ["asparagine"],
            "disputed": pd.array([True], dtype="boolean"),
        }
    )
    config, growth = changed(book, LEFT_OVER), _growth(MOLT_4=0.4, Jurkat=0.0)
    assert said(compliance(config, growth=growth), "P20") == "fail"
    assert said(compliance(config, growth=growth, priors=priors), "P20") == "warn"


# ---- the table
# ---------------------------------------------------------------------------------------------------------------------


def test_every_check_speaks_and_never_louder_than_its_severity(book, tables):
    bare = ExperimentConfig.model_validate(
        {"experiment_id": "E", "cell_lines": {"X": {}}, "media": {"a": {"role": "control"}}}
    )
    for table in (compliance(changed(book, {}), *tables), compliance(bare)):
        assert list(dict.fromkeys(table["check"])) == [f"P{number:02d}" for number in range(1, 31)]
        order = ["info", "pass", "warn", "fail"]
        assert all(
            order.index(row.verdict) <= max(order.index(row.severity), 1)
            for row in table.itertuples()
        )
        assert set(table["effect"]) <= {"void", "masking", "cap", "none"}
        assert (table.loc[table["verdict"].isin(["pass", "info"]), "effect"] == "none").all()
        assert not table["rule"].str.contains("[{}]").any()
        assert table.loc[table["verdict"].isin(["warn", "fail"]), "advice"].ne("").all()


def test_an_experiment_that_says_nothing_passes_nothing_it_cannot_know(book):
    """Without metadata no check of metadata may pass."""
    media = {"full": {"role": "control"}, "no_asn": {"role": "dropout", "removes": "asparagine"}}
    table = compliance(
        ExperimentConfig.model_validate(
            {"experiment_id": "E", "cell_lines": {"X": {}}, "media": media}
        )
    )
    assert set(table[table["verdict"].eq("pass")]["check"]) == set()
    assert set(table["verdict"]) == {"warn", "info"}
    named = table[table["missing"].ne("") & table["verdict"].eq("warn")]
    assert all(
        f"`{field}`" in row.advice for row in named.itertuples() for field in row.missing.split()
    )


def test_limits_are_settings_and_the_rule_prints_the_one_in_force(book):
    table = compliance(changed(book, {"settings": {"min_viability_percent": 97.5}}))
    assert said(table, "P21") == "warn"
    assert rows_of(table, "P21")["rule"].str.contains("97.5 %").all()


@pytest.mark.parametrize(
    ("medium", "scope"),
    [
        ("no_asn", "A549|asparagine"),
        ("no_gln", "A549|glutamine"),
        ("no_asn_rescue", "A549|asparagine"),
    ],
)
def test_a_replicate_that_lacks_one_group_is_named(book, tables, medium, scope):
    wells = tables[0][~(tables[0]["medium"].eq(medium) & tables[0]["plate"].eq("A549-48h-R3"))]
    table = compliance(changed(book, {}), wells)
    found = rows_of(table, "P17")[lambda rows: rows["verdict"].eq("warn")]
    assert found[["subject", "value", "scope", "effect"]].to_numpy().tolist() == [
        ["A549", f"{medium} missing in replicate 3", scope, "cap"]
    ]
    few = rows_of(table, "P24")[lambda rows: rows["verdict"].eq("warn")]
    assert few[["subject", "value", "scope"]].to_numpy().tolist() == [
        ["A549", f"2 biological replicates of {medium}: exploratory", scope]
    ]


REQUIRED = [
    ("replicates", {}, "replicates", "all"), ("replicates/2/medium_lot", None, "replicates.2.medium_lot", "all"), ("replicates/1/passage", None, "replicates.1.passage", "all"),
    ("protocol/reagent", None, "protocol.reagent", "all"), ("protocol/well_volume_uL", None, "protocol.well_volume_uL", "all"),
    ("media/no_asn_rescue/glutamine_uM", None, "media.no_asn_rescue.glutamine_uM", "asparagine"), ("protocol/previous_medium/asparagine_uM", None, "protocol.previous_medium.asparagine_uM", "asparagine"),
    ("sera/dFBS/lot", None, "sera.dFBS.lot", "all"), ("protocol/t0_delay_h", None, "protocol.t0_delay_h", "all"), ("cell_lines/A549/str_date", None, "cell_lines.A549.str_date", "A549"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "field", "scope"), REQUIRED)
def test_a_required_field_that_is_missing_caps_the_calls_it_touches(
    book, tables, path, value, field, scope
):
    rows = compliance(changed(book, {path: value}), *tables).query("missing == @field")
    assert set(zip(rows["verdict"], rows["effect"], rows["scope"], strict=True)) == {
        ("warn", "cap", scope)
    }
    assert compliance(changed(book, {}), *tables).query("missing == @field").empty


def test_without_any_record_of_lots_passages_and_saturation_calls_are_provisional(book, tables):
    gone = {
        "replicates": {},
        **{f"media/{name}/lot": None for name in book["media"]},
        "cell_lines/A549/passage": None,
    }
    table = compliance(
        changed(book, gone | {"plates": [book["plates"][0] | {"saturation": None}]}), *tables
    )
    caps = {str(row.missing) for row in table.itertuples() if row.effect == "cap"}
    assert {
        "media.no_asn.lot",
        "cell_lines.A549.passage",
        "plates.saturation",
        "replicates",
    } <= caps


@pytest.mark.parametrize(
    ("changes", "effect"),
    [({"protocol/wash/residual_uL": None}, "masking"), ({"protocol/wash/residual_uL": 20}, "masking"), ({"protocol/wash/count": 1, "protocol/wash/residual_uL": 1}, "cap"),
     ({"protocol/wash/volume_uL": 90}, "cap"), ({"protocol/wash/buffer": "RPMI 1640"}, "cap")],
)  # fmt: skip
def test_what_the_model_doubts_only_masks_and_how_it_was_washed_caps(book, changes, effect):
    table = rows_of(compliance(changed(book, changes)), "P13")
    found = table[
        table["verdict"].eq("warn") & table["scope"].isin(["all", "A549", "A549|asparagine"])
    ]
    assert effect in set(found["effect"]) and "none" not in set(found["effect"])


@pytest.mark.parametrize(("strict", "effect"), [(True, "void"), (False, "masking")])
def test_undialyzed_serum_voids_all_calls_unless_told_otherwise(book, strict, effect):
    table = compliance(
        changed(book, {"sera/dFBS/dialyzed": False, "settings": {"strict_serum": strict}})
    )
    row = rows_of(table, "P01")[lambda rows: rows["verdict"].eq("fail")].iloc[0]
    assert (row["scope"], row["effect"]) == ("all", effect)


def test_carry_over_voids_only_partial_and_prototrophic_calls_of_its_line(book):
    table = compliance(changed(book, {"protocol/wash/residual_uL": 30}))
    bad = rows_of(table, "P13")[lambda rows: rows["verdict"].eq("fail")]
    assert set(bad["effect"]) == {"masking"}
    assert "A549|asparagine" in set(bad["scope"]) and "MOLT-4|asparagine" not in set(bad["scope"])


def test_effects_reach_the_calls_they_touch_and_no_others(book):
    table = compliance(
        changed(
            book,
            {
                "media/no_gln/glutamine_form": "GlutaMAX",
                "cell_lines/A549/mycoplasma/result": "positive",
            },
        )
    )
    void = {
        (line, amino_acid): set(affecting(table, line, amino_acid).query("effect == 'void'")["check"])
        for line in ("A549", "MOLT-4") for amino_acid in CALLED
    }  # fmt: skip
    assert void == {
        ("A549", "asparagine"): {"P22"}, ("A549", "glutamine"): {"P09", "P22"}, ("A549", "serine"): {"P22"},
        ("MOLT-4", "asparagine"): set(), ("MOLT-4", "glutamine"): {"P09"}, ("MOLT-4", "serine"): set(),
    }  # fmt: skip


@pytest.mark.parametrize(("uM", "scope", "effect"), [(0, "all", "void"), (20, "asparagine", "cap")])
def test_control_without_asparagine_is_no_control_for_anything(book, uM, scope, effect):
    row = rows_of(compliance(changed(book, {"media/complete/asparagine_uM": uM})), "P06").iloc[0]
    assert (row["scope"], row["effect"]) == (scope, effect)


def test_absent_rescue_caps_its_own_amino_acid(book):
    table = compliance(changed(book, {}))
    assert "P08" in set(affecting(table, "A549", "glutamine")["check"])
    assert "P08" not in set(affecting(table, "A549", "asparagine")["check"])


# ---- the examples
# ------------------------------------------------------------------------------------------------------------------


def test_good_example_has_no_fail_and_its_asparagine_calls_are_untouched(book, tables):
    table = compliance(changed(book, {}), *tables)
    assert "fail" not in set(table["verdict"])
    for line in ("Jurkat", "MOLT-4", "A549", "MDA-MB-231"):
        assert affecting(table, line, "asparagine").empty


def test_spoiled_example_fails_where_it_was_spoiled():
    config = read_config(EXAMPLES / "EXP-DEMO-02")
    truth = synthetic.demo_02()
    wells = quality.prepare(
        synthetic.wells(truth), pd.DataFrame(columns=["plate", "well", "reason"]), config.settings
    )
    table = compliance(config, wells)
    verdicts = {check: said(table, check) for check in table["check"].unique()}
    assert {check for check, verdict in verdicts.items() if verdict == "fail"} == {
        "P01",
        "P03",
        "P13",
    }
    assert verdicts["P08"] == verdicts["P17"] == verdicts["P23"] == verdicts["P24"] == "warn"


# ---- findings
# ----------------------------------------------------------------------------------------------------------------------


def findings(config: ExperimentConfig) -> list:
    from kit.protocol.carryover import carryover

    left = carryover(config)
    return protocol_findings(compliance(config, carryover=left), left, config)


def test_findings_are_worst_first_one_per_check_with_something_to_do():
    found = findings(read_config(EXAMPLES / "EXP-DEMO-02"))
    assert [item.severity for item in found] == sorted(
        (item.severity for item in found), key=["fail", "warn"].index
    )
    assert all(item.sentence.endswith(".") and item.remedy for item in found)
    checks = [item.code.split("_")[0] for item in found]
    assert len(checks) == len(set(checks))
    assert found[0].code.startswith("P01_NOT_DIALYZED")


def test_advice_on_washing_holds_numbers_computed_from_what_failed(book):
    found = findings(changed(book, {"protocol/wash/residual_uL": 20, "media/no_gln": GONE}))
    washing = next(item for item in found if item.code.startswith("P13_"))
    # 378 x 20/120 x (20/120)^n uM from the wash, 0.4 µM x 10 % x 100/120 from serum
    two, three = (378 * (20 / 120) ** (1 + n) + 0.04 * 100 / 120 for n in (2, 3))
    assert (
        f"a third wash: residual asparagine falls from {two:.2g} to {three:.2g} µM"
        in washing.remedy
    )


def test_missing_metadata_is_one_finding_however_much_is_missing(book):
    gaps = {
        "protocol/adherence_h": None,
        "protocol/viability_at_seeding_percent": None,
        "protocol/reagent": None,
        "cell_lines/A549/str_date": None,
    }
    found = findings(changed(book, gaps))
    missing = [item for item in found if item.code == "FIELDS_NOT_GIVEN"]
    assert len(missing) == 1
    assert "4 fields" in missing[0].sentence
    assert "`protocol.adherence_h`" in missing[0].remedy


def test_a_good_experiment_needs_no_words(book):
    perfect = RESCUES | {"plates": [], "protocol/wash/residual_uL": 5}
    assert findings(changed(book, perfect)) == []


def test_checks_are_declared_once():
    assert len({check.id for check in CHECKS}) == len(CHECKS) == 30
    assert np.all([check.severity in ("fail", "warn", "info") for check in CHECKS])


def test_suspension_lines_are_told_to_spin_and_adherent_ones_to_wash_in_the_plate(book):
    """EXP-DEMO-02 washed its suspension line in the plate: its remedy is tubes; the adherent lines
    keep theirs.
    """
    spoiled = read_config(EXAMPLES / "EXP-DEMO-02")
    washing = next(item.remedy for item in findings(spoiled) if item.code.startswith("P13_"))
    modes = {name: line.growth_mode for name, line in spoiled.cell_lines.items()}
    suspended = [name for name, mode in modes.items() if mode == "suspension"]
    assert (
        suspended
        and f"{suspended[0]}: Wash suspension cells 2 times in bulk tubes (300 g, 5 min, 10 mL or"
        " more) before plating."
        in washing
    )
    both = changed(
        book, {"protocol/wash/residual_uL": 20, "protocol/pre_plating_spin_washes": None}
    )
    action = next(item.remedy for item in findings(both) if item.code.startswith("P13_"))
    for name, line in both.cell_lines.items():
        tubes, _, plate = action.partition(" in the plate: ")
        assert name in (tubes if line.growth_mode == "suspension" else action)
        assert "in bulk tubes" in tubes and "tubes" not in plate


@pytest.mark.parametrize("control", [378.0, 100.0, 150.0])
def test_doing_what_p08_advises_leaves_p07_content(book, control):
    """Add the rescue, and the control where one is asked, with the very numbers of the advice:
    neither check has a word left.
    """
    media = {
        name: medium
        for name, medium in book["media"].items()
        if medium.get("restores") != "asparagine"
    }
    media = {
        name: {**medium, "asparagine_uM": control if medium.get("asparagine_uM") else 0.0}
        for name, medium in media.items()
    }
    advice = next(row for row in compliance(ExperimentConfig(**{**book, "media": media, "plates": [], "flow": []})).to_dict("records")
                  if row["check"] == "P08" and row["subject"] == "asparagine")["advice"]  # fmt: skip
    amount = float(re.search(r"plus ([\d.]+) µM asparagine", advice)[1])
    assert amount == 100 and ("Control@100 µM" in advice) == (control > 200)
    complete = next(medium for medium in media.values() if medium["role"] == "control")
    media["asn_rescue"] = {
        **complete,
        "role": "rescue",
        "restores": "asparagine",
        "asparagine_uM": amount,
    }
    if "Control@100 µM" in advice:
        media["complete_100"] = {**complete, "role": "other", "asparagine_uM": 100.0}
    after = compliance(ExperimentConfig(**{**book, "media": media, "plates": [], "flow": []}))
    rows = after[
        after["check"].isin(["P07", "P08"])
        & (after["check"].eq("P07") | after["subject"].eq("asparagine"))
    ]
    assert set(rows["verdict"]) == {"pass"}


def test_rescues_are_advised_at_the_protocols_concentrations(book):
    config = changed(
        book,
        {
            "media/gln_rescue": {
                **book["media"]["complete"],
                "role": "rescue",
                "restores": "glutamine",
                "glutamine_uM": 500,
            }
        },
    )
    table = compliance(config)
    advice = " ".join(table.loc[table["check"].eq("P08"), "advice"])
    assert "Rescue with 2000 µM glutamine." in advice
    assert "serine" not in advice or "400 µM serine" in advice
