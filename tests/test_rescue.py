"""Rescue classes on planted tables; every class, and every way not to earn one."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sps

from kit.core.columns import TABLES
from kit.effects.effects import effects
from kit.effects.rescue import rescue
from kit.simulate.simulations import MEDIA, growth_table
from kit.stats import holm

SETTINGS = SimpleNamespace(
    alpha=0.05,
    min_replicates=3,
    max_sd_ratio=3.0,
    equivalence_margin_log2=0.322,
    min_rescue_denominator=0.3,
    rescue_index_likely_full=0.8,
    rescue_index_failed=0.3,
    rescue_index_failed_upper=0.5,
)
WIGGLE = {
    3: np.array([-1.0, 0.0, 1.0]),
    4: np.array([-1.0, 1.0, -1.0, 1.0]),
    5: np.array([-1.0, 1.0, 0.0, 1.0, -1.0]),
}


def table(drop, back, spread=0.05, n=3, doublings=2.0, noise=0.0):
    """A line with given mean log2 changes. Dropout and rescue move against each other, the rest
    together, so nothing is exact.
    """
    wiggle = WIGGLE.get(n, np.arange(n) - 0.5)
    series = {
        "complete": np.zeros(n),
        "no_asn": drop + spread * wiggle,
        "no_gln": -0.3 + spread * np.roll(wiggle, 1),
        "no_ser": 0.0 + (spread + noise) * np.roll(wiggle, 2),
        "no_asn_rescue": back + (spread + noise) * -wiggle,
    }
    rows = [
        (name, i + 1, value) for name, values in series.items() for i, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=["medium", "replicate", "log2_fc"]).assign(
        cell_line="MOLT-4", hours=48.0, readout="ATP"
    )
    return frame.assign(gr=2 ** (1 + frame["log2_fc"] / doublings) - 1)


def classified(*arguments, **options):
    found = rescue(table(*arguments, **options), MEDIA, SETTINGS)
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("case", "drop", "back", "spread", "n", "expected"),
    [
        ("restored and tightly measured", -2.0, -0.02, 0.05, 5, "full"),
        ("restored, too noisy to prove it", -2.0, -0.25, 0.10, 3, "likely_full"),
        ("half of GR back", -2.0, -0.85, 0.05, 3, "partial"),
        ("nothing back", -2.0, -2.0, 0.04, 5, "failed"),
        ("a little back, surely little", -2.0, -1.8, 0.03, 5, "failed"),
        ("noise all over", -2.0, -1.2, 1.2, 3, "indeterminate"),
        ("the line does not need it", -0.2, -0.1, 0.05, 3, "not_applicable"),
    ],
)
def test_classes(case, drop, back, spread, n, expected):
    found = classified(drop, back, spread, n)
    assert found["class"] == expected, (case, found.to_dict())
    assert found["note"].endswith(".")


def test_not_significant_is_never_restored():
    """A rescue that cannot be told from control only because the data are poor."""
    poor = table(-1.2, -0.6, spread=0.9)
    found = rescue(poor, MEDIA, SETTINGS).iloc[0]
    against_control = (
        effects(poor, MEDIA, SETTINGS)
        .set_index(["contrast", "scale"])
        .loc[("no_asn_rescue - complete", "log2_fc")]
    )
    assert against_control["p"] > 0.05
    assert found["class"] == "indeterminate" and "not shown to be equivalent" in found["note"]


def test_full_needs_both_superiority_and_equivalence():
    shallow = table(-0.75, -0.05, spread=0.18, n=5)
    found = rescue(shallow, MEDIA, SETTINGS).iloc[0]
    strict = SimpleNamespace(**{**vars(SETTINGS), "equivalence_margin_log2": 0.06})
    severe = SimpleNamespace(**{**vars(SETTINGS), "alpha": 1e-9})
    assert found["class"] == "full"
    assert rescue(shallow, MEDIA, strict).iloc[0]["class"] == "likely_full"
    assert rescue(shallow, MEDIA, severe).iloc[0]["class"] == "indeterminate"


def test_tests_rest_on_the_block_model():
    data = table(-2.0, -0.25, 0.1)
    found, contrasts = (
        rescue(data, MEDIA, SETTINGS).iloc[0],
        effects(data, MEDIA, SETTINGS).query("scale == 'log2_fc'").set_index("contrast"),
    )
    over, same = (
        contrasts.loc["no_asn_rescue - no_asn"],
        contrasts.loc["no_asn_rescue - complete"].to_dict(),
    )
    assert (found["superiority"], found["superiority_p"]) == pytest.approx(
        (over["estimate"], over["p"] / 2)
    )
    half = sps.t.isf(0.05, same["df"]) * same["se"]
    assert (found["tost_ci_low"], found["tost_ci_high"]) == pytest.approx(
        (same["estimate"] - half, same["estimate"] + half)
    )
    one_sided = [
        sps.t.sf((0.322 + sign * same["estimate"]) / same["se"], same["df"]) for sign in (1, -1)
    ]
    assert found["tost_p"] == pytest.approx(max(one_sided))


def test_rescue_index_by_hand():
    data = table(-2.0, -0.85)
    gr = data.pivot_table(index="replicate", columns="medium", values="gr")
    gained, lost = gr["no_asn_rescue"] - gr["no_asn"], 1 - gr["no_asn"]
    found = rescue(data, MEDIA, SETTINGS).iloc[0]
    assert found["rescue_index"] == pytest.approx(gained.mean() / lost.mean())
    for limit in (
        found["ci_low"],
        found["ci_high"],
    ):  # Fieller: the paired t test of gained - limit * lost is just significant
        assert sps.ttest_1samp(gained - limit * lost, 0).pvalue == pytest.approx(0.05, abs=1e-6)


def test_worse_than_the_dropout_is_no_superiority():
    found = classified(-2.0, -2.6)
    assert found["superiority_p"] > 0.5 and found["class"] == "failed"


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_replicates_are_indeterminate(n):
    found = classified(-2.0, 0.0, 0.05, n)
    assert found["class"] == "indeterminate" and found["note"].startswith("Exploratory")
    assert all(
        math.isnan(found[name])
        for name in ("superiority_p", "tost_p", "rescue_index", "ci_low", "ci_high", "tost_ci_low")
    )


def test_no_index_on_next_to_nothing_and_the_open_end_is_said():
    found = classified(-0.3, -0.1, spread=0.2)
    assert found["gr_loss"] < 0.3 < found["gr_loss_ci_high"]
    assert (
        found["class"] == "not_applicable"
        and math.isnan(found["rescue_index"])
        and "not excluded" in found["note"]
    )
    unsure = classified(-0.8, -0.1, spread=0.7)
    assert (
        unsure["gr_loss"] > 0.3
        and unsure["gr_loss_ci_low"] < 0
        and math.isnan(unsure["rescue_index"])
    )
    assert "includes 0" in unsure["note"]


def test_without_gr_the_logarithms_decide():
    no_gr = {"gr": np.nan, "readout": "BrdU"}
    assert (
        rescue(table(-2.0, -0.02, n=5).assign(**no_gr), MEDIA, SETTINGS).iloc[0]["class"] == "full"
    )
    half = rescue(table(-2.0, -0.85).assign(**no_gr), MEDIA, SETTINGS).iloc[0]
    assert half["class"] == "indeterminate" and "without GR" in half["note"]
    assert (
        rescue(table(-0.2, 0.0).assign(**no_gr), MEDIA, SETTINGS).iloc[0]["class"]
        == "not_applicable"
    )


def test_every_rescue_is_set_against_the_dropout_of_the_same_amino_acid():
    media = MEDIA | {
        "no_gln_rescue": SimpleNamespace(role="rescue", removes=None, restores="glutamine"),
        "no_ser_rescue": SimpleNamespace(role="rescue", removes=None, restores="serine"),
        "glycine": SimpleNamespace(role="rescue", removes=None, restores="glycine"),
    }
    data = growth_table(1, 4, {"no_asn": -2.0, "no_gln": -1.5, "no_ser": -1.0}, 0.08, 1)
    source = data[data["medium"].eq("no_asn_rescue")]
    extra = [source.assign(medium=name, log2_fc=source["log2_fc"] + shift) for name, shift in
             (("no_gln_rescue", 0.02), ("no_ser_rescue", -0.03), ("glycine", 0.01))]  # fmt: skip
    found = rescue(pd.concat([data, *extra]), media, SETTINGS).set_index("medium")
    partners = {
        "no_asn_rescue": "no_asn",
        "no_gln_rescue": "no_gln",
        "no_ser_rescue": "no_ser",
        "glycine": "",
    }
    assert found["dropout"].to_dict() == partners
    assert (
        found.loc["glycine", "class"] == "not_applicable"
        and "no dropout medium removes just glycine" in found.loc["glycine", "note"]
    )
    tested = found[found["dropout"].ne("")]
    assert tested["superiority_p_holm"].to_numpy() == pytest.approx(holm(tested["superiority_p"]))
    assert (tested["superiority_p_holm"] >= tested["superiority_p"]).all()


def test_an_index_below_full_is_said_where_the_dropout_lies_near_the_margin():
    found = classified(-0.55, -0.15, spread=0.03, n=5, doublings=1.0)
    assert (
        found["class"] == "full"
        and found["rescue_index"] < 0.8
        and "near the margin" in found["note"]
    )


def test_columns_are_the_contract_also_of_nothing():
    for found in (
        rescue(table(-2.0, 0.0), MEDIA, SETTINGS),
        rescue(table(-2.0, 0.0).iloc[:0], MEDIA, SETTINGS),
    ):
        assert list(found)[: len(TABLES["rescue"])] == list(TABLES["rescue"])
        assert {
            "n_replicates",
            "note",
            "tost_ci_low",
            "tost_ci_high",
            "superiority",
            "superiority_p_holm",
            "dropout",
        } <= set(found)
    only_dropouts = table(-2.0, 0.0).query("medium != 'no_asn_rescue'")
    assert rescue(only_dropouts, MEDIA, SETTINGS).empty
