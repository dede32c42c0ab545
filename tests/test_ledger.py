"""What media hold and whether they last, against closed forms and a differential equation."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from kit.config.model import ExperimentConfig
from kit.core.protein import protein_demand_fmol
from kit.protocol.ledger import exhaustion, medium_ledger, runs_out_findings


def config(**changes):
    data = {
        "experiment_id": "E",
        "cell_lines": {"A549": {"growth_mode": "adherent", "doubling_time_h": 24}},
        "sera": {"dFBS": {"dialyzed": True, "percent": 10, "glutamine_uM": 0}},
        "media": {
            "complete": {"role": "control", "serum": "dFBS", "asparagine_uM": 100,
                         "glutamine_uM": 2000, "serine_uM": 286},
            "no_asn": {"role": "dropout", "removes": "asparagine", "serum": "dFBS",
                       "asparagine_uM": 0, "amino_acids_uM": {"arginine": 1000}},
        },
        "protocol": {
            "previous_medium": {"asparagine_uM": 378, "glutamine_uM": 0, "serine_uM": 0},
            "wash": {"count": 2, "volume_uL": 100, "residual_uL": 10}, "well_volume_uL": 100,
        },
    }  # fmt: skip
    return ExperimentConfig.model_validate({**data, **changes})


def cell(table, medium, amino_acid):
    rows = table[table["medium"].eq(medium) & table["amino_acid"].eq(amino_acid)]
    return rows.iloc[0]


@pytest.fixture(scope="module")
def golden(shared_data):
    return pd.read_csv(shared_data / "exchange/golden.csv").set_index("id").value


def test_golden_ledger(golden):
    table = medium_ledger(config())
    asn = cell(table, "no_asn", "asparagine")
    assert asn.at_start_uM == pytest.approx(golden["ledger.asn"], abs=1e-4)
    assert asn.carry_over_uM == pytest.approx(378 / 121 * 10 / 110)
    assert not asn.decay_48h_uM and asn.at_readout_uM == asn.at_start_uM
    assert cell(table, "no_asn", "arginine").recipe_uM == pytest.approx(1000 * 0.9 / 1.1)


@pytest.mark.parametrize(("loss", "name"), [(None, "ledger.gln48"), (5, "ledger.gln48_evap")])
def test_golden_glutamine_after_48_hours(golden, loss, name):
    protocol = {
        "wash": {"count": 2, "volume_uL": 100, "residual_uL": 1e-9},
        "previous_medium": {"glutamine_uM": 0},
        "well_volume_uL": 100,
        "volume_loss_percent": loss,
    }
    found = medium_ledger(config(protocol=protocol, settings={"glutamine_decay_per_h": 0.0017574}))
    left = cell(found, "complete", "glutamine").at_readout_uM
    assert left == pytest.approx(golden[name], abs=0.01)


def test_a_recipe_stated_with_serum_is_not_diluted_by_it():
    protocol = {"concentrations_stated_for": "with_serum"}
    row = cell(medium_ledger(config(protocol=protocol)), "complete", "serine")
    assert row.recipe_uM == pytest.approx(286)


def test_golden_demand_of_a_new_cell(golden):
    for short, name in [("Leu", "leucine"), ("Ser", "serine"), ("Arg", "arginine"),
                        ("His", "histidine"), ("Asn", "asparagine"), ("Gln", "glutamine"),
                        ("Val", "valine"), ("Gly", "glycine")]:  # fmt: skip
        found = protein_demand_fmol(name, 200)
        assert found == pytest.approx(golden[f"demand.{short}"], abs=1e-6)


def big_well(**settings):
    return config(
        protocol={"seeding_cells_per_well": 2e5, "well_volume_uL": 2000,
                  "concentrations_stated_for": "with_serum"},
        sera={"dFBS": {"dialyzed": True, "percent": 0}},
        flow=[{"file": "x", "hours": 72}],
        settings={"assumed_uptake_serine_fmol": 20, **settings},
    )  # fmt: skip


def test_golden_exhaustion(golden):
    row = cell(exhaustion(big_well()), "complete", "serine")
    assert row.share_used == pytest.approx(golden["exhaust.fraction"], abs=1e-5)
    assert row.runs_out_at_h == pytest.approx(golden["exhaust.t"], abs=1e-4)
    assert row.code == "EXHAUSTION_EMPTY" and row.verdict == "fail"


def test_glutamine_runs_out_when_decay_and_uptake_together_have_taken_it():
    settings = big_well(assumed_uptake_glutamine_fmol=200, glutamine_decay_per_h=0.01)
    row = cell(exhaustion(settings), "complete", "glutamine")

    def change(t, m):
        return -0.01 * m - 200e-6 * 2e5 * 2 ** (t / 24)

    def is_empty(t, m):
        return m[0]

    is_empty.terminal = True
    run = solve_ivp(change, (0, 72), [4000.0], events=is_empty, rtol=1e-9, atol=1e-9)
    assert row.runs_out_at_h == pytest.approx(run.t_events[0][0], rel=1e-4)


def test_first_screen_names_the_medium_that_runs_out():
    found = runs_out_findings(exhaustion(big_well()), big_well())
    assert [item.code for item in found] == ["MEDIUM_RUNS_OUT"]
    assert found[0].severity == "warn" and found[0].values["amino_acid"] == "serine"
    assert "57 h" in found[0].sentence and "assumed" in found[0].sentence


def test_measured_uptake_replaces_the_assumed():
    measured = pd.DataFrame(
        {"cell_line": ["A549"], "medium": ["complete"], "amino_acid": ["serine"], "replicate": ["all"],
         "v_fmol_per_cell_h": [30.0]}
    )  # fmt: skip
    row = cell(exhaustion(big_well(), uptake=measured), "complete", "serine")
    assert row.v_fmol_per_cell_h == 30 and row.measured
    assert [item.severity for item in runs_out_findings(
        exhaustion(big_well(), uptake=measured), big_well())] == ["fail"]  # fmt: skip


def test_what_a_dropout_medium_lacks_is_no_fault():
    row = cell(exhaustion(config()), "no_asn", "asparagine")
    assert row.code == "EXHAUSTION_BY_DESIGN" and row.verdict == "info"


def test_growth_measured_in_the_arm_sets_its_demand():
    growth = pd.DataFrame(
        {"cell_line": "A549", "medium": ["complete", "no_asn"], "replicate": 1, "hours": 48.0,
         "readout": "count", "relative_viability": [1, 0.5], "log2_fc": [0, -1],
         "gr": [1.0, 0.0], "control_doublings": 2.0, "n_wells": 4}
    )  # fmt: skip
    found = exhaustion(config(), growth)
    assert cell(found, "complete", "serine").mu_per_h == pytest.approx(2 * np.log(2) / 48)
    assert cell(found, "no_asn", "arginine").mu_per_h == 0
