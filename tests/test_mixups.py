"""Plates that fit another reading than their own: turned, or with another plate's layout."""

import pandas as pd
import pytest

from kit.flow.findings import flow_findings
from kit.plates import quality
from kit.plates.mixups import mixup_findings
from kit.simulate import synthetic

TRUTH = synthetic.demo_01()
PLATED = synthetic.experiment(TRUTH).config
NOTHING = pd.DataFrame(columns=["plate", "well", "reason"])


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return synthetic.wells(TRUTH)


# ---- plates that fit another reading


def _mixups(raw: pd.DataFrame) -> list:
    wells = quality.prepare(raw, NOTHING, PLATED.settings)
    return mixup_findings(wells, quality.plate_qc(wells, PLATED), PLATED)


@pytest.fixture(scope="module")
def two(raw) -> pd.DataFrame:
    """Plates of one line at 0 h and 48 h, one replicate each, whose layouts differ."""
    return raw[raw["plate"].str.match("A549-.*-R[12]$")].reset_index(drop=True)


def test_plates_as_they_are_fit(two):
    assert _mixups(two) == []


def test_a_turned_plate_is_named(two):
    plate = two["plate"].eq("A549-48h-R1")
    signals = two[plate].set_index(["row", "column"])["signal"]
    full = pd.MultiIndex.from_product([range(1, 9), range(1, 13)])
    signals = signals.reindex(full).fillna(250.0)
    places = [
        (9 - row, 13 - column) for row, column in zip(two[plate]["row"], two[plate]["column"])
    ]
    changed = two.copy()
    changed.loc[plate, "signal"] = signals.loc[places].to_numpy()
    found = _mixups(changed)
    assert [(item.code, item.subject) for item in found] == [("PLATE_TURNED", "A549-48h-R1")]
    assert found[0].values["fits"] > 0.5 > 0 > found[0].values["stands"]


def test_exchanged_files_are_named(two):
    """The 0 h and the 48 h file of one replicate, whose layouts differ, change places."""
    changed = two.copy()
    names = ["A549-0h-R1", "A549-48h-R1"]
    here = [two[two["plate"].eq(name)].set_index("well")["signal"] for name in names]
    for name, other in zip(names, here[::-1], strict=True):
        rows = two["plate"].eq(name)
        changed.loc[rows, "signal"] = other.reindex(two.loc[rows, "well"]).fillna(250.0).to_numpy()
    found = {item.subject: item for item in _mixups(changed)}
    assert found["A549-48h-R1"].code == "PLATE_OTHER_LAYOUT"
    assert "0h" in found["A549-48h-R1"].values["other"]
    assert "0 h" in found["A549-48h-R1"].remedy


# ---- flow


def _samples(bad: int) -> pd.DataFrame:
    rows = [
        ("A549", medium, n, "fail" if medium == "no_asn" and n <= bad else "pass", "500 singlets")
        for medium in ("complete", "no_asn")
        for n in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["cell_line", "medium", "replicate", "verdict", "note"])


@pytest.mark.parametrize(
    ("bad", "said"),
    [(0, []), (1, [("FLOW_SAMPLES_FAILED", "warn")]), (3, [("FLOW_ARM_FAILED", "fail")])],
)
def test_failed_samples_reach_the_first_screen(bad, said):
    found = flow_findings(_samples(bad))
    assert [(item.code, item.severity) for item in found] == said
    assert all("A549" in item.subject and "500" in item.sentence for item in found)


@pytest.mark.parametrize(
    ("control", "sample", "warns"), [(30, 6, True), (12, 9, False), (6, 30, False)]
)
def test_control_and_dropout_exchanged_in_flow(control, sample, warns):
    table = _samples(0).assign(control_annexin_percent=float(control))
    table["annexin_percent"] = table["medium"].map({"complete": control, "no_asn": sample})
    codes = [item.code for item in flow_findings(table.astype({"annexin_percent": float}))]
    assert codes == (["FLOW_CONTROL_DIES_MORE"] if warns else [])
    once = table[table["replicate"].eq(1)]
    assert flow_findings(once) == [], "one replicate may be chance"


def test_nothing_left_of_flow_is_said_once():
    table = _samples(0).assign(verdict="fail")
    assert [item.code for item in flow_findings(table)] == ["FLOW_ALL_FAILED"]
