"""Curves against each other, the split of asparagine and glutamine, and titrations: by scipy, by
the closed form of the curve, and with planted truth.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import kit
from kit.config.model import ExperimentConfig
from kit.dose.shifts import curve_shifts, enzyme_split
from kit.dose.titration import dose_for, titration

CONFIG = ExperimentConfig.model_validate(
    {
        "experiment_id": "X",
        "cell_lines": {"A": {}, "B": {}},
        "media": {
            "complete": {"role": "control", "asparagine_uM": 100, "glutamine_uM": 2000},
            "refed": {"role": "other", "refeeds": {"glutamine": 24}, "glutamine_uM": 2000},
            "no_asn": {"role": "dropout", "removes": "asparagine"},
        },
        "agents": {
            "native": {"kind": "enzyme", "unit": "IU/mL", "glutaminase_percent": 5},
            "pure": {"kind": "enzyme", "unit": "IU/mL", "glutaminase_percent": 0},
            "asparagine": {"kind": "nutrient", "unit": "uM"},
        },
    }
)
SERIES = {"readout": "ATP", "hours": 48.0, "scale": "gr", "unit": "IU/mL"}


def curve(
    logs: Any, line: str = "A", agent: str = "native", medium: str = "complete", **more: Any
) -> pd.DataFrame:
    """Rows of `dose_response`, one per replicate with this log10 IC50."""
    logs = np.asarray(logs, float)
    values = {
        "ic50_relative": 10**logs, "hill": 1.2, "top": 1.0, "bottom": 0.0, "reportable": True,
        "censored": "none", "censored_at": math.nan, "aoc": 0.5, "aoc_low_c": 3e-5,
        "aoc_high_c": 10.0, "direction": "falling",
    }  # fmt: skip
    rows = pd.DataFrame(values | more, index=range(len(logs)))
    return rows.assign(
        cell_line=line, agent=agent, medium=medium, **SERIES,
        replicate=[str(1 + i) for i in range(len(rows))],
    )  # fmt: skip


def beyond(side: str, at: float, n: int = 3, **more: Any) -> pd.DataFrame:
    """Replicates whose IC50 lies beyond the doses."""
    lost = {"ic50_relative": math.nan, "reportable": False, "censored": side, "censored_at": at}
    return curve(np.zeros(n), **(lost | more))


def compared(*parts: pd.DataFrame) -> pd.Series:
    (row,) = curve_shifts(pd.concat(parts), CONFIG).to_dict("records")
    return pd.Series(row)


A, B = np.array([-2.0, -2.2, -1.9]), np.array([-1.5, -1.8, -1.3])


def test_media_are_paired_and_lines_are_not() -> None:
    media = compared(curve(A), curve(B, medium="refed"))
    test = stats.ttest_rel(B, A)
    assert (media["method"], media["p"]) == ("paired", pytest.approx(test.pvalue))
    ends = 10 ** np.array(test.confidence_interval(0.95))
    assert (media["ci_low"], media["ci_high"]) == pytest.approx(tuple(ends))
    assert media["fold"] == pytest.approx(10 ** (B - A).mean())
    s = math.sqrt((A.var(ddof=1) + B.var(ddof=1)) / 2)
    assert media["msr"] == pytest.approx(10 ** (2 * math.sqrt(2) * s))
    lines = compared(curve(A), curve(B, line="B"))
    welch = stats.ttest_ind(B, A, equal_var=False)
    assert (lines["method"], lines["p"]) == ("welch", pytest.approx(welch.pvalue))
    agents = compared(curve(A), curve(B, agent="pure"))
    assert (agents["compares"], agents["p"]) == ("agents", pytest.approx(test.pvalue))


def test_pairs_follow_the_replicate_and_not_the_order() -> None:
    turned = curve(B, medium="refed").iloc[::-1]
    assert compared(curve(A), turned)["p"] == compared(curve(A), curve(B, medium="refed"))["p"]


def test_curves_that_are_not_parallel_get_no_fold() -> None:
    apart = curve(B, medium="refed", bottom=[0.29, 0.3, 0.31], aoc=[0.2, 0.25, 0.22])
    row = compared(curve(A, bottom=[0.0, 0.01, -0.01], aoc=[0.5, 0.52, 0.49]), apart)
    assert row["code"] == "SHIFT_NOT_PARALLEL" and row["method"] == "aoc"
    assert math.isnan(row["fold"]) and math.isnan(row["ci_low"])
    want = stats.ttest_rel([0.2, 0.25, 0.22], [0.5, 0.52, 0.49])
    assert (row["delta_aoc"], row["p"]) == pytest.approx((-0.28, want.pvalue))
    near = curve(B, medium="refed", bottom=[0.05, 0.051, 0.049])  # certain, but too small to matter
    assert compared(curve(A, bottom=[0.0, 0.001, -0.001]), near)["method"] == "paired"


def test_an_ic50_beyond_the_doses_gives_a_bound_and_is_never_replaced() -> None:
    up = compared(curve(A), beyond("right", 10.0, medium="refed"))
    assert (up["method"], up["code"]) == ("censored", "SHIFT_AT_LEAST")
    assert up["ci_low"] == pytest.approx(10 / 10**-1.9) and up["ci_high"] == math.inf
    assert math.isnan(up["fold"]) and up["p"] == 0.25
    down = compared(curve(A), beyond("left", 1e-5, medium="refed"))
    assert (down["code"], down["ci_low"]) == ("SHIFT_AT_MOST", 0)
    assert down["ci_high"] == pytest.approx(1e-5 / 10**-2.2)
    both = compared(beyond("right", 10.0), beyond("right", 10.0, medium="refed"))
    assert both["code"] == "SHIFT_NOT_REPORTABLE"


def test_few_replicates_or_an_ic50_that_is_not_reportable_give_no_p() -> None:
    two = compared(curve(A[:2]), curve(B[:2], medium="refed"))
    assert two["code"] == "SHIFT_EXPLORATORY" and math.isnan(two["p"]) and two["fold"] > 0
    bad = curve(B, medium="refed", reportable=[True, True, False])
    row = compared(curve(A), bad)
    assert row["code"] == "SHIFT_NOT_REPORTABLE" and math.isnan(row["fold"])


def test_without_a_shift_one_in_twenty_is_called() -> None:
    rng = np.random.default_rng(5)
    called = 0
    for _ in range(400):
        day, a, b = rng.normal(0, [[0.3], [0.1], [0.1]], (3, 4))
        called += compared(curve(day + a), curve(day + b, medium="refed"))["p"] < 0.05
    assert called / 400 == pytest.approx(0.05, abs=0.03)


# ---- split


def falling(ic50: float, bottom: float, medium: str, noise: float, seed: int) -> pd.DataFrame:
    """Points of three replicates of a planted curve."""
    rng = np.random.default_rng(seed)
    dose = np.array([0, *np.geomspace(3e-5, 10, 12)])
    parts = []
    for replicate in (1, 2, 3):
        gr = bottom + (1 - bottom) / (1 + (dose / ic50) ** 1.2) + rng.normal(0, noise, len(dose))
        parts.append(
            pd.DataFrame({"dose": dose, "concentration": dose, "gr": gr, "replicate": replicate})
        )
    return pd.concat(parts).assign(
        cell_line="A", agent="native", medium=medium, readout="ATP", hours=48.0, excluded=False
    )


@pytest.mark.parametrize(
    ("shift", "bottom", "wanted"),
    [(0.02, -0.4, "asparagine"), (0.8, 0.75, "glutamine"), (0.6, 0.1, "both")],
)
def test_the_split_finds_what_was_planted(shift: float, bottom: float, wanted: str) -> None:
    points = pd.concat(
        [
            falling(0.01, -0.4, "complete", 0.02, 1),
            falling(0.01 * 10**shift, bottom, "refed", 0.02, 2),
        ]
    )
    logs = np.array([-2.01, -2.0, -1.99])
    refed = logs + shift + [0.01, 0, -0.01]
    responses = pd.concat([curve(logs), curve(refed, medium="refed", bottom=bottom)])
    (row,) = enzyme_split(points, responses, CONFIG).to_dict("records")
    assert (row["class"], row["against"]) == (wanted, "refed")
    assert row["delta_log10"] == pytest.approx(shift, abs=1e-9)
    at = bottom + (1 - bottom) / (1 + (0.1 / (0.01 * 10**shift)) ** 1.2)
    assert row["gr_restored"] == pytest.approx(at, abs=0.05)
    assert row["asn_share"] + row["gln_share"] == pytest.approx(1)


def test_a_design_that_cannot_tell_says_so() -> None:
    points = pd.concat([falling(0.01, -0.4, m, 0.02, 1) for m in ("complete", "refed")])
    spread = np.array([-2.3, -2.0, -1.7])
    unclear = pd.concat([curve(spread), curve(spread[::-1].copy(), medium="refed")])
    (row,) = enzyme_split(points, unclear, CONFIG).to_dict("records")
    assert (row["class"], row["code"]) == ("indeterminate", "SPLIT_INDETERMINATE")
    high = pd.concat([curve([0.5, 0.51, 0.49]), curve([1.2, 1.0, 1.4], medium="refed")])
    (row,) = enzyme_split(points, high, CONFIG).to_dict("records")
    assert (row["class"], row["code"]) == ("indeterminate", "SPLIT_DOSE_NOT_TESTED")
    (row,) = enzyme_split(
        points, pd.concat([beyond("right", 10.0), curve(A, medium="refed")]), CONFIG
    ).to_dict("records")
    assert row["code"] == "SPLIT_NO_CURVE" and math.isnan(row["gln_share"])
    assert enzyme_split(points, curve(A), CONFIG).empty


# ---- titration


def test_doses_of_a_titration_are_those_of_its_curve() -> None:
    m, h, top, bottom = 4.0, 1.6, 1.02, -0.3
    rising = {"direction": "rising", "hill": h, "top": top, "bottom": bottom, "aoc_low_c": 0.1,
              "aoc_high_c": 378.0, "n_replicates": 3, "ic50_text": "4 µM", "status": "ok", "note": ""}  # fmt: skip
    part = curve([math.log10(m)] * 3, agent="asparagine", medium="no_asn", **rising)
    line = part.iloc[:1].assign(replicate="all")
    (row,) = titration(pd.concat([part, line])).to_dict("records")

    def response(dose: float) -> float:
        return top + (bottom - top) / (1 + (dose / m) ** h)

    assert row["ec50"] == pytest.approx(m)
    assert response(row["ec90"]) == pytest.approx(bottom + 0.9 * (top - bottom))
    assert response(row["stasis"]) == pytest.approx(0, abs=1e-12)
    assert response(row["gr60"]) == pytest.approx(0.6)
    short = dict(ic50_relative=4.0, hill=1.0, aoc_low_c=1.0, aoc_high_c=10.0)
    assert dose_for(short, 0.85) == pytest.approx(4 * 0.85 / 0.15)
    assert math.isnan(dose_for(short, 0.9)), "36 lies more than half a log step above 10"


def test_the_example_shows_what_was_planted(root: Path) -> None:
    found = kit.analyse(kit.load(root / "data" / "examples" / "EXP-DEMO-04"))
    split = found.enzyme_split.set_index("cell_line")["class"].to_dict()
    assert split == {"MOLT-4": "asparagine", "Jurkat": "both", "A549": "indeterminate"}
    need = found.titration.set_index("cell_line")
    assert need.loc["MOLT-4", "ec50"] > need.loc["Jurkat", "ec50"]
    assert need.loc["A549", "code"] == "TITRATION_NO_NEED" and math.isnan(need.loc["A549", "ec90"])
    assert found.curve_shifts["code"].ne("").all()
    own = found.carryover[found.carryover["amino_acid"].eq("asparagine")].set_index("cell_line")
    assert own.loc["MOLT-4", "need_uM"] == need.loc["MOLT-4", "ec50"]
    assert own["need_source"].to_dict() == {
        "MOLT-4": "measured here", "Jurkat": "measured here", "A549": "assumed",
    }  # fmt: skip
    assert own.loc["A549", "need_uM"] == found.experiment.settings.growth_sustaining_low_uM
