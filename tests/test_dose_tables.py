"""Dose points, curves per line, and what a report says of them."""

import math

import numpy as np
import pandas as pd
import pytest

import kit
from kit.core.columns import check
from kit.core.findings import codes
from kit.dose.curves import dose_response
from kit.dose.points import series_problems
from kit.dose.status import ORDER
from kit.report.sections import dose as section
from kit.simulate import doses


@pytest.fixture(scope="module")
def analysis(root):
    return kit.analyse(kit.load(root / "data/examples/EXP-DEMO-04"))


@pytest.fixture(scope="module")
def lines(analysis):
    table = analysis.dose_response
    rows = table[table["replicate"].eq("all") & table["scale"].eq("gr")]
    return rows.set_index(["cell_line", "medium"])


def test_every_code_has_its_words():
    assert all(codes()[code].sentence and codes()[code].remedy for code in ORDER)


def test_tables_keep_the_contract(analysis):
    for name in ("dose_points", "dose_response"):
        check(getattr(analysis, name), name)


@pytest.mark.parametrize("line", ["MOLT-4", "Jurkat"])
@pytest.mark.parametrize(
    ("medium", "curve"),
    [("complete", "enzyme"), ("complete_refed", "refed"), ("no_asn", "titration")],
)
def test_planted_ec50_is_found(lines, line, medium, curve):
    row, truth = lines.loc[(line, medium)], getattr(doses.TRUTH[line], curve)
    assert row["status"] == "ok"
    assert row["ic50_relative"] == pytest.approx(truth.ec50, rel=0.25)
    assert row["ci_low"] < truth.ec50 < row["ci_high"]


def test_resistant_line_has_a_bound_and_no_number(lines):
    enzyme, titration = lines.loc[("A549", "complete")], lines.loc[("A549", "no_asn")]
    assert (enzyme["status"], enzyme["censored"]) == ("NO_EFFECT", "right")
    assert enzyme["ic50_text"] == ">10 IU/mL"
    assert titration["censored"] == "left"
    assert titration["ic50_text"].startswith("<")


def test_a_number_stands_only_where_it_may(analysis):
    table = analysis.dose_response
    numbers = table[["ic50_relative", "ic50_absolute", "ci_low", "ci_high", "se_log10_ic50"]]
    assert numbers[~table["reportable"]].isna().all(axis=None)
    assert table["reportable"].eq(table["status"].eq("ok")).all()


def test_a_line_is_the_mean_of_log10_over_replicates(analysis, lines):
    table = analysis.dose_response
    own = table[
        table["cell_line"].eq("MOLT-4")
        & table["medium"].eq("complete")
        & table["scale"].eq("gr")
        & table["replicate"].ne("all")
    ]
    logs = np.log10(own["ic50_relative"])
    row = lines.loc[("MOLT-4", "complete")]
    assert math.log10(row["ic50_relative"]) == pytest.approx(logs.mean())
    half = 4.302653 * logs.std() / math.sqrt(3)
    assert math.log10(row["ci_high"]) == pytest.approx(logs.mean() + half, abs=1e-6)


def test_unit_and_order_of_rows_change_nothing(analysis):
    points = analysis.dose_points[analysis.dose_points["cell_line"].eq("MOLT-4")]
    scaled = points.assign(dose=points["dose"] * 1e6, concentration=points["concentration"] * 1e6)
    config = analysis.experiment.config
    first = dose_response(points, config)
    other = dose_response(scaled.sample(frac=1, random_state=0), config)
    keys = ["agent", "medium", "scale", "replicate"]
    first, other = (table.set_index(keys).sort_index() for table in (first, other))
    assert (first["status"] == other["status"]).all()
    np.testing.assert_allclose(other["ic50_relative"] / 1e6, first["ic50_relative"], rtol=1e-6)


def test_one_censored_replicate_takes_the_number_of_the_line(analysis):
    points = analysis.dose_points.copy()
    here = points["cell_line"].eq("MOLT-4") & points["medium"].eq("complete")
    one = here & points["replicate"].eq(1)
    points.loc[one, ["gr", "relative_viability"]] = 1.0
    table = dose_response(points[here], analysis.experiment.config)
    rows = table[table["scale"].eq("gr")].set_index("replicate")
    assert rows.loc["1", "status"] == "NO_EFFECT"
    assert not rows.loc["all", "reportable"]
    assert rows.loc["all", "censored"] == "none"


def test_replicate_that_lacks_doses_is_told(analysis):
    points = analysis.dose_points
    here = points["cell_line"].eq("MOLT-4") & points["medium"].eq("complete")
    few = points["replicate"].ne(2) | points["concentration"].isin([0, 1e-2, 1e-1])
    table = dose_response(points[here & few], analysis.experiment.config)
    rows = table[table["scale"].eq("gr")].set_index("replicate")["status"]
    assert (rows["2"], rows["all"]) == ("TOO_FEW", "TOO_FEW")


def test_bad_series_are_named(analysis):
    config, wells = analysis.experiment.config, analysis.experiment.wells
    assert series_problems(wells, config) == []
    row = wells.index[wells["agent"].eq("asparaginase")][0]
    other = wells.copy()
    other.loc[row, "concentration_unit"] = "mg/mL"
    assert len(series_problems(other, config)) == 1
    lost = wells.copy()
    lost.loc[row, "concentration"] = np.nan
    assert len(series_problems(lost, config)) == 1
    bare = config.model_copy(update={"agents": {}})
    assert len(series_problems(wells.assign(concentration_unit=""), bare)) == 2


def test_cards_and_figures(analysis):
    cells, _, _ = section.cards(analysis)
    assert cells["MOLT-4", "asparaginase in complete"].kind == "pass"
    assert cells["A549", "asparaginase in complete"].kind == "info"
    shown = [*section.curves(analysis), *section.forests(analysis)]
    assert len(shown) == 4
    assert all(isinstance(one.table, pd.DataFrame) for one in shown)
