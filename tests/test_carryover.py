"""Carry-over: the published table of the specification, mass balance done step by step, and growth
simulated from a pool.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from kit.config.model import ExperimentConfig
from kit.config.reading import read_config
from kit.config.settings import Settings
from kit.core.protein import amino_acid_per_cell_fmol
from kit.plates.growth import gr_value
from kit.plots.carryover import residual_against_washes
from kit.protocol.carryover import (
    Carry,
    carryover,
    gr_mask,
    masked_doublings,
    next_wash_advice,
    observed_doublings,
    residual_uM,
    serum_uM,
    wash_grid,
    wash_plan,
)

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "data" / "examples"
TD, N0, Q = 24.0, 1e4, 33.0

# washes, residual uL, residue uM and masked hours as the specification prints them, with half a
# unit of their last digit
GOLDEN = [
    (0, 5, 18, 0.5, 66, 0.5), (0, 10, 34, 0.5, 87, 0.5), (0, 20, 63, 0.5, 110, 0.5),
    (1, 5, 0.86, 0.005, 8, 0.5), (1, 10, 3.1, 0.05, 25, 0.5), (1, 20, 10.5, 0.05, 54, 0.5),
    (2, 5, 0.04, 0.005, 0.4, 0.05), (2, 10, 0.28, 0.005, 3, 0.5), (2, 20, 1.75, 0.005, 17, 0.5),
    (3, 5, 0, 0.5, 0, 0.5), (3, 10, 0.03, 0.005, 0.3, 0.05), (3, 20, 0.29, 0.005, 3.5, 0.05),
]  # fmt: skip


@pytest.mark.parametrize(
    ("washes", "kept", "uM", "uM_tolerance", "hours", "hours_tolerance"), GOLDEN
)
def test_every_cell_of_the_published_table(washes, kept, uM, uM_tolerance, hours, hours_tolerance):
    left = residual_uM(378, washes, kept, 100, 100)
    assert left == pytest.approx(uM, abs=uM_tolerance)
    assert masked_doublings(left, kept + 100, N0, Q) * TD == pytest.approx(
        hours, abs=hours_tolerance
    )


def test_golden_numbers():
    left = residual_uM(378, 2, 10, 100, 100)
    assert left == pytest.approx(0.284, abs=0.0005)
    assert masked_doublings(left, 110, N0, Q) == pytest.approx(0.13, abs=0.005)
    assert gr_mask(0.5, 2.0) == pytest.approx(0.189, abs=0.0005)
    assert gr_mask(0.25, 2.0) == pytest.approx(0.09, abs=0.001)
    assert residual_uM(2000, 2, 10, 100, 100) == pytest.approx(1.5, abs=0.05)
    assert amino_acid_per_cell_fmol(100, 0.036) == pytest.approx(33, abs=0.5)
    assert amino_acid_per_cell_fmol(200, 0.036) == pytest.approx(65, abs=0.5)


@pytest.mark.parametrize(("serum", "doublings"), [(50, 1.3), (150, 2.5)])
def test_undialyzed_serum_alone_pays_for_doublings(serum, doublings):
    fresh = serum_uM(10, serum)
    assert masked_doublings(fresh, 100, N0, Q) == pytest.approx(doublings, abs=0.05)


def test_one_spin_wash_in_bulk_leaves_a_hundredth_to_a_seventh_of_a_micromole():
    """0.05 to 0.2 mL above the pellet, 10 mL of wash, taken up in 10 mL: the range that the
    specification gives.
    """
    assert residual_uM(378, 1, [50, 200], 10_000, 10_000) == pytest.approx([0.01, 0.15], abs=0.006)


@pytest.mark.parametrize(
    ("washes", "kept", "wash", "added", "start", "fresh"),
    [(0, 7, 80, 120, 300, 0.4), (1, 20, 100, 100, 378, 5), (4, 3.5, 150, 90, 2053, 0)],
)
def test_residue_is_a_mass_balance(washes, kept, wash, added, start, fresh):
    """Amount (pmol) followed by hand: aspirate, add buffer, mix, and so on; nothing of the closed
    form is used.
    """
    amount = start * kept
    for _ in range(washes):
        amount = amount / (kept + wash) * kept
    amount += fresh * added
    assert residual_uM(start, washes, kept, wash, added, fresh) == pytest.approx(
        amount / (kept + added)
    )


@pytest.mark.parametrize("control", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("pool_uM", [0.1, 1.0, 4.0, 60.0])
def test_mask_is_the_gr_of_an_auxotroph_that_grows_until_the_pool_is_spent(pool_uM, control):
    """Cells added until the pool is used up, but never more than control makes; then GR by its own
    definition.
    """
    volume = 110.0
    cells = min(N0 + pool_uM * volume * 1000 / Q, N0 * 2**control)
    shown = gr_mask(masked_doublings(pool_uM, volume, N0, Q), control)
    assert shown == pytest.approx(float(gr_value(cells, N0 * 2**control, N0)))


def test_mask_is_undefined_where_control_did_not_grow():
    assert np.isnan(gr_mask([0.3, 0.3], [0.0, -1.0])).all()


@pytest.mark.parametrize("limit", [0.09, 0.18])
def test_limit_is_where_the_mask_reaches_it(limit):
    carry = Carry(start_uM=0, washes=0, residual_uL=10, control_doublings=1.7)
    reached = masked_doublings(
        carry.limit_uM(limit), 110, carry.cells_per_well, carry.fmol_per_new_cell
    )
    assert gr_mask(reached, 1.7) == pytest.approx(limit)


def test_range_that_sustains_growth_is_one_doubling_of_lymphoid_cells():
    settings = Settings()
    needed = np.array([1e4, 2e4]) * Q / (110 * 1000)
    assert needed == pytest.approx([3.0, 6.0], abs=0.05)
    assert (
        settings.growth_sustaining_low_uM
        <= needed[0]
        < needed[1]
        <= settings.growth_sustaining_high_uM
    )


def test_grid_falls_by_the_dilution_of_each_wash():
    grid = wash_grid(378, 100, 100, (5, 10, 20), 4)
    assert len(grid) == 15
    for kept, line in grid.groupby("residual_uL"):
        values = line.sort_values("washes")["residual_uM"].to_numpy()
        assert values[1:] / values[:-1] == pytest.approx(kept / (kept + 100))


# ---- advice
# ------------------------------------------------------------------------------------------------------------------------


def test_advice_names_the_third_wash_and_what_it_leaves():
    advice = next_wash_advice(Carry(378, 2, 20, fmol_per_new_cell=Q), 0.09)
    assert advice is not None
    assert (
        advice.text
        == "Repeat with a third wash: residual asparagine falls from 1.8 to 0.29 µM; a residual"
        " volume of 10 µL would leave 0.28 µM."
    )


def test_advice_counts_the_washes_that_are_needed_and_no_more():
    carry = Carry(378, 1, 20, fmol_per_new_cell=Q)
    advice = next_wash_advice(carry, 0.09)
    assert advice is not None and advice.washes == 3
    masks = [
        float(gr_mask(masked_doublings(residual_uM(378, n, 20, 100, 100), 120, N0, Q), 2))
        for n in (2, 3)
    ]
    assert masks[0] >= 0.09 > masks[1]


def test_no_advice_below_the_limit():
    assert next_wash_advice(Carry(378, 2, 10), 0.09) is None


def test_advice_against_undialyzed_serum_is_another_serum_first():
    advice = next_wash_advice(Carry(378, 1, 20, fresh_uM=5), 0.09)
    assert advice is not None and advice.washes is None
    assert (
        advice.text.startswith("Use dialyzed serum")
        and "4.2 of the 14.7 µM" in advice.text
        and "3 washes" in advice.text
    )


# ---- an experiment's table
# ---------------------------------------------------------------------------------------------------------


def config(**changes) -> ExperimentConfig:
    """A small experiment: one adherent and one suspension line, asparagine dropout, dialyzed serum
    measured at zero.
    """
    data = {
        "experiment_id": "E",
        "cell_lines": {"A549": {"growth_mode": "adherent"}, "MOLT-4": {"growth_mode": "suspension"}},
        "sera": {"S": {"dialyzed": True, "cutoff_kDa": 10, "percent": 10, "asparagine_uM": 0, "glutamine_uM": 0}},
        "media": {"full": {"role": "control", "serum": "S"}, "no_asn": {"role": "dropout", "removes": "asparagine", "serum": "S"}},
        "protocol": {"wash": {"count": 2, "volume_uL": 100, "residual_uL": 10}, "well_volume_uL": 100, "seeding_cells_per_well": 10_000,
                     "previous_medium": {"asparagine_uM": 378},
                     "pre_plating_spin_washes": {"count": 1, "volume_mL": 10, "residual_mL": 0.2}},
    }  # fmt: skip
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for parent in parents:
            place = place[parent]
        place[last] = value
    return ExperimentConfig.model_validate(data)


def row(table: pd.DataFrame, line: str) -> pd.Series:
    return table.set_index("cell_line").loc[line]


def test_adherent_lines_are_washed_in_the_plate_and_suspension_lines_in_bulk():
    table = carryover(config())
    adherent, suspended = row(table, "A549"), row(table, "MOLT-4")
    assert adherent["residual_uM"] == pytest.approx(378 * 10 / 110 * (10 / 110) ** 2)
    assert suspended["residual_uM"] == pytest.approx(378 * (0.2 / 10.2) ** 2)
    assert (adherent["washing"], suspended["washing"]) == ("plate", "bulk")
    # the cells of a well share the well's volume, not the tube's
    pool_fmol = suspended["residual_uM"] * 100 * 1000
    assert 2 ** suspended["masked_doublings"] == pytest.approx(
        1 + pool_fmol / (1e4 * 100_000 * 0.036 / 110)
    )


def test_suspension_line_with_plate_washes_only_uses_those():
    table = carryover(config(protocol__pre_plating_spin_washes=None))
    assert row(table, "MOLT-4")["residual_uM"] == row(table, "A549")["residual_uM"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"protocol__wash": {"count": 2, "volume_uL": 100}}, "protocol.wash.residual_uL"),
        ({"protocol__wash": {"residual_uL": 10, "volume_uL": 100}}, "protocol.wash.count"),
        ({"protocol__wash": {"count": 2, "residual_uL": 10}}, "protocol.wash.volume_uL"),
        ({"protocol__wash": None}, "protocol.wash.count"),
        ({"sera__S": {"percent": 10}}, "sera.S.dialyzed"),
        ({"media__no_asn": {"role": "dropout", "removes": "asparagine"}}, "media.no_asn.serum"),
    ],
)
def test_what_is_unknown_warns_and_is_never_a_number(changes, field):
    found = row(carryover(config(**changes)), "A549")
    assert np.isnan(found["residual_uM"]) and np.isnan(found["gr_mask"])
    assert found["verdict"] == "warn"
    assert field in found["missing"].split() and f"`{field}`" in found["advice"]


def test_unknown_bulk_washes_warn():
    found = row(
        carryover(config(protocol__wash=None, protocol__pre_plating_spin_washes=None)), "MOLT-4"
    )
    assert (
        np.isnan(found["residual_uM"])
        and found["verdict"] == "warn"
        and "pre_plating_spin_washes.count" in found["missing"]
    )


def test_no_wash_needs_no_wash_volume():
    found = row(carryover(config(protocol__wash={"count": 0, "residual_uL": 10})), "A549")
    assert found["residual_uM"] == pytest.approx(378 * 10 / 110)


@pytest.mark.parametrize(("kept", "verdict"), [(10, "pass"), (30, "fail"), (17, "warn")])
def test_verdict_follows_the_two_limits(kept, verdict):
    found = row(
        carryover(config(protocol__wash={"count": 2, "volume_uL": 100, "residual_uL": kept})),
        "A549",
    )
    band = "pass" if found["gr_mask"] < 0.09 else "warn" if found["gr_mask"] < 0.18 else "fail"
    assert found["verdict"] == band == verdict
    assert bool(found["advice"]) == (verdict != "pass")


def test_assumptions_are_named_and_take_the_careful_side():
    found = row(
        carryover(
            config(
                protocol__previous_medium=None,
                protocol__seeding_cells_per_well=None,
                media__full={"role": "control", "asparagine_uM": 500},
            )
        ),
        "A549",
    )
    assert (
        "500 µM asparagine on the cells" in found["assumed"]
        and "10000 cells per well" in found["assumed"]
    )
    assert found["residual_uM"] == pytest.approx(500 * 10 / 110 * (10 / 110) ** 2)


@pytest.mark.parametrize(("serum", "uM"), [({"dialyzed": False, "percent": 10}, 5.0), ({"dialyzed": True, "percent": 10}, 0.05), ({"dialyzed": False, "percent": 0}, 0.0),
                                           ({"dialyzed": True, "percent": 5, "asparagine_uM": 8}, 0.4)])  # fmt: skip
def test_serum_measured_assumed_or_absent(serum, uM):
    found = row(carryover(config(sera__S=serum)), "A549")
    assert found["residual_from_serum_uM"] == pytest.approx(uM * 100 / 110)
    assert found["residual_uM"] == pytest.approx(
        found["residual_from_wash_uM"] + found["residual_from_serum_uM"]
    )


def test_what_the_dropout_medium_holds_counts():
    made = {"role": "dropout", "removes": "asparagine", "serum": "S", "asparagine_uM": 2.2}
    assert row(carryover(config(media__no_asn=made)), "A549")[
        "residual_from_medium_uM"
    ] == pytest.approx(2.0)


def test_two_amino_acids_of_one_medium_are_two_rows_and_an_unknown_one_warns():
    both = {"role": "dropout", "removes": ["asparagine", "arginine"], "serum": "S"}
    table = carryover(config(media__no_asn=both))
    assert list(table[table["cell_line"].eq("A549")]["amino_acid"]) == ["arginine", "asparagine"]
    assert set(table.loc[table["amino_acid"].eq("arginine"), "verdict"]) == {"warn"}


def test_control_doublings_are_means_over_replicates_at_the_readout():
    growth = pd.DataFrame(
        [("A549", "full", 1, 48.0, 1.0), ("A549", "no_asn", 1, 48.0, 1.0), ("A549", "full", 2, 48.0, 2.0), ("A549", "full", 1, 96.0, 9.0), ("MOLT-4", "full", 1, 48.0, -0.2)],
        columns=["cell_line", "medium", "replicate", "hours", "control_doublings"],
    )  # fmt: skip
    assert observed_doublings(growth, Settings()) == {"A549": 1.5}
    table = carryover(config(), growth)
    assert row(table, "A549")["control_doublings"] == 1.5
    assert (
        "2 doublings of control" in row(table, "MOLT-4")["assumed"]
        and "doublings" not in row(table, "A549")["assumed"]
    )


def test_no_dropout_gives_an_empty_table():
    assert carryover(config(media__no_asn={"role": "other"})).empty


def test_demo_experiments():
    good, bad = (carryover(read_config(EXAMPLES / name)) for name in ("EXP-DEMO-01", "EXP-DEMO-02"))
    assert len(good) == 12 and "fail" not in set(good["verdict"])
    assert set(bad["verdict"]) == {"fail"}
    assert bad["residual_from_wash_uM"].unique() == pytest.approx([10.5])


def test_unknown_growth_mode_uses_the_washes_that_are_known():
    plan = wash_plan(config(cell_lines__A549={}, protocol__wash=None), "A549")
    assert plan.kind == "bulk" and plan.washes == 1


# ---- figure
# ------------------------------------------------------------------------------------------------------------------------


def test_figure_shows_every_residual_volume_the_limits_and_this_experiment():
    ax = Figure().subplots()
    table = carryover(read_config(EXAMPLES / "EXP-DEMO-01"))
    residual_against_washes(table, ax, Settings(), start_uM=378, wash_uL=100, added_uL=100)
    words = " ".join(text.get_text() for text in ax.texts)
    for wanted in (
        "5 µL",
        "10 µL",
        "20 µL",
        "[K]",
        "(gr_mask_moderate)",
        "(gr_mask_high)",
        "A549, MDA-MB-231",
        "washed in bulk",
    ):
        assert wanted in words
    assert ax.get_yscale() == "log"
    drawn = {
        round(float(y), 6)
        for collection in ax.collections
        for x, y in np.asarray(collection.get_offsets())
    }
    own = table[table["amino_acid"].eq("asparagine")]
    assert {round(value, 6) for value in own["residual_uM"]} <= drawn


@pytest.mark.parametrize(
    "table", [None, carryover(config(protocol__wash=None, protocol__pre_plating_spin_washes=None))]
)
def test_figure_without_a_residue_still_shows_what_washing_does(table):
    ax = residual_against_washes(
        table, Figure().subplots(), Settings(), start_uM=378, wash_uL=100, added_uL=100
    )
    assert len(ax.lines) == 3
