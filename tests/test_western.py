"""ASNS from densitometry: ratios by hand, every rule of the blot with a case on each side, ladders
against a published gel.
"""

import io
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kit.config.settings import Settings
from kit.core.columns import check
from kit.readers.blots.densitometry import net_volume
from kit.western.antibody import proportionality
from kit.western.conditions import response_of
from kit.western.ladder import fit_ladder, left_out_errors
from kit.western.quantify import asns_lines, class_of, quantify

DEFAULTS = {
    "western_saturation_fraction": 0.98,
    "western_lod_snr": 3.0,
    "western_loq_snr": 10.0,
    "min_western_linearity_r2": 0.98,
    "min_lane_factor": 0.7,
    "max_lane_factor": 1.3,
    "min_reference_lanes": 2,
    "max_reference_spread": 1.5,
    "fail_reference_spread": 3.0,
    "min_induction_log2": 1.0,
    "min_lysates": 3,
    "asns_mw_kDa": 64.0,
    "max_mw_error_percent": 10.0,
    "fail_mw_error_percent": 15.0,
    "min_ladder_markers": 4,
    "min_ladder_r2": 0.98,
    "min_knockout_loss_percent": 80.0,
    "max_off_target_share": 0.5,
    "min_control_lane_ratio": 5.0,
    "fail_control_lane_ratio": 2.0,
    "asns_low_percent": 10.0,
    "asns_high_percent": 50.0,
    "asns_floor_percent": 1.0,
    "asns_high_lines": ("HeLa", "A549"),
}
S = Settings(**DEFAULTS)


def test_settings_agree_with_the_specification() -> None:
    """Where the project's settings carry one of these names, its default is the one given here."""
    shared = {
        name: field.default for name, field in Settings.model_fields.items() if name in DEFAULTS
    }
    assert shared == {name: DEFAULTS[name] for name in shared}


HEAD = "membrane,lane,cell_line,replicate,target,rf,mw_kDa,volume,background,saturated,lane_role\n"


def blot(text: str) -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(HEAD + text), keep_default_na=False, na_values=[""])
    return frame.assign(
        cell_line=frame["cell_line"].fillna(""), saturated=frame["saturated"].astype(bool)
    )


def membrane(
    samples: dict[str, float],
    *,
    name: str = "M1",
    replicate: int = 1,
    mw: float = 64.0,
    extra: str = "",
) -> str:
    """A clean membrane: total protein 1000 in every lane, two reference lanes of ASNS 200, samples
    by their ASNS.
    """
    rows = []
    for lane, (line, role, value) in enumerate(
        [
            ("pool", "reference", 200.0),
            ("pool", "reference", 200.0),
            *((line, "sample", float(v)) for line, v in samples.items()),
        ],
        start=1,
    ):
        rows.append(f"{name},{lane},{line},{replicate},ASNS,,{mw},{value + 50},50,false,{role}")
        rows.append(f"{name},{lane},{line},{replicate},total_protein,,,1100,100,false,{role}")
    return "\n".join(rows) + "\n" + extra


def verdicts(result, rule: str) -> list[str]:
    return list(result.western_qc.loc[result.western_qc["check"] == rule, "verdict"])


def test_ratio_by_hand() -> None:
    """R = (ASNS/TPN) over the mean (ASNS/TPN) of the reference lanes, with background taken off
    both.
    """
    text = (
        "M1,1,pool,1,ASNS,,64,450,50,false,reference\nM1,1,pool,1,total_protein,,,2100,100,false,reference\n"  # 400/2000 = 0.2
        "M1,2,pool,1,ASNS,,64,350,50,false,reference\nM1,2,pool,1,total_protein,,,1100,100,false,reference\n"  # 300/1000 = 0.3
        "M1,3,MOLT-4,1,ASNS,,63,100,25,false,sample\nM1,3,MOLT-4,1,total_protein,,,1600,100,false,sample\n"  # 75/1500 = 0.05
    )
    row = check(quantify(blot(text), S).asns_protein, "asns_protein").iloc[0]
    assert row["asns_relative"] == pytest.approx(0.05 / 0.25)
    assert row["percent_of_reference"] == pytest.approx(20)
    assert (row["class"], row["mw_kDa"]) == ("moderate", 63)
    assert row["log2_relative"] == pytest.approx(math.log2(0.2))


def test_membranes_are_normalised_each_by_its_own_reference_then_averaged() -> None:
    second = membrane({"A549": 100}, name="M2").replace(
        "1100,100", "5100,100"
    )  # other exposure: all ratios a fifth
    result = quantify(blot(membrane({"A549": 160}) + second), S)
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx([(0.8 + 0.5) / 2])


def test_loading_controls_stand_in_for_total_protein_with_a_warning() -> None:
    text = membrane({"A549": 160}).replace("total_protein", "GAPDH")
    result = quantify(blot(text), S)
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx([0.8])
    assert verdicts(result, "W04") == ["warn"]


def test_two_loading_controls_count_by_their_geometric_mean() -> None:
    extra = "".join(
        f"M1,{lane},x,1,actin,,,{volume},0,false,{role}\n"
        for lane, volume, role in [
            (1, 4000, "reference"),
            (2, 4000, "reference"),
            (3, 1000, "sample"),
        ]
    )
    result = quantify(blot(membrane({"A549": 200}).replace("total_protein", "GAPDH") + extra), S)
    # GAPDH 1000 everywhere; actin a quarter in the sample: normaliser sqrt(1000*1000) against
    # sqrt(1000*4000)
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx([2.0])


CLASS_CASES = [
    (-3, "low"),
    (0, "low"),
    (10, "low"),
    (10.01, "moderate"),
    (50, "moderate"),
    (50.01, "high"),
    (300, "high"),
    (math.nan, None),
]


@pytest.mark.parametrize(("percent", "expected"), CLASS_CASES)
def test_classes(percent: float, expected: str | None) -> None:
    assert class_of(percent, S) == expected


def test_below_quantification_is_low_whatever_its_percent() -> None:
    bands = blot(membrane({"A549": 160})).assign(snr=5.0)
    row = quantify(bands, S).asns_protein.iloc[0]
    assert (row["class"], row["below_loq"], row["note"]) == (
        "low",
        True,
        "below the limit of quantification",
    )


def test_negative_signal_is_low_and_keeps_a_finite_log() -> None:
    """Image Studio's Signal is negative where a lane is darker than its surroundings."""
    row = quantify(blot(membrane({"MOLT-4": -20})), S).asns_protein.iloc[0]
    assert row["asns_relative"] == pytest.approx(-0.1)
    assert row["class"] == "low"
    assert row["log2_relative"] == pytest.approx(math.log2(0.01))
    assert row["floored"]


# rule -> (membrane text, expected verdicts)
CLEAN = membrane({"A549": 200, "MOLT-4": 10})
LADDER = "".join(
    f"M1,9,,1,ladder,{rf},{mw},,,false,ladder\n"
    for rf, mw in [(0.1, 150), (0.25, 100), (0.4, 75), (0.55, 50), (0.75, 37), (0.9, 25)]
)
KNOCKOUT = "M1,8,A549,1,ASNS,,64,{volume},50,false,knockout\nM1,8,A549,1,total_protein,,,1100,100,false,knockout\n"
RULES = [
    ("W01", CLEAN, {"pass"}),
    (
        "W01",
        CLEAN.replace(
            "M1,3,A549,1,ASNS,,64.0,250.0,50,false", "M1,3,A549,1,ASNS,,64.0,250.0,50,true"
        ),
        {"pass", "fail"},
    ),
    ("W04", CLEAN, {"pass"}),
    ("W04", CLEAN.replace("total_protein", "off_target"), {"fail"}),
    ("W05", CLEAN, {"pass"}),
    (
        "W05",
        CLEAN.replace("M1,4,MOLT-4,1,total_protein,,,1100", "M1,4,MOLT-4,1,total_protein,,,400"),
        {"pass", "warn"},
    ),
    ("W06", CLEAN, {"pass"}),
    (
        "W06",
        CLEAN.replace(
            "M1,2,pool,1,ASNS,,64.0,250.0,50,false", "M1,2,pool,1,ASNS,,64.0,250.0,50,true"
        ),
        {"warn"},
    ),
    ("W06", membrane({"MOLT-4": 10}).replace("reference", "sample"), {"fail"}),
    ("W06", CLEAN.replace("reference", "dilution"), {"warn"}),
    ("W07", CLEAN, {"warn"}),
    (
        "W07",
        "".join(membrane({"A549": 180}, name=f"M{i}", replicate=i) for i in (1, 2, 3)),
        {"pass"},
    ),
    ("W08", CLEAN + LADDER, {"pass"}),
    ("W08", CLEAN + LADDER.replace("0.9,25", "0.9,1"), {"warn"}),
    ("W08", CLEAN + "".join(LADDER.splitlines(keepends=True)[:3]), {"warn"}),
    ("W08", CLEAN, {"info"}),
    ("W08", CLEAN.replace("64.0", ""), {"warn"}),
    ("W09", membrane({"A549": 200}, mw=70.3), {"pass"}),
    ("W09", membrane({"A549": 200}, mw=71.0), {"warn"}),
    ("W09", membrane({"A549": 200}, mw=57.7), {"pass"}),
    ("W09", membrane({"A549": 200}, mw=74.0), {"fail"}),
    ("W10", CLEAN, {"warn"}),
    ("W10", CLEAN + KNOCKOUT.format(volume=80), {"pass"}),
    ("W10", CLEAN + KNOCKOUT.format(volume=130), {"warn"}),
    ("W11", CLEAN + "M1,3,A549,1,off_target,,40,240,50,false,sample\n", {"pass"}),
    ("W11", CLEAN + "M1,3,A549,1,ASNS,,40,260,50,false,sample\n", {"pass", "warn"}),
    ("W12", CLEAN, {"pass"}),
    ("W12", membrane({"A549": 200, "MOLT-4": 60}), {"warn"}),
    ("W12", membrane({"A549": 200, "MOLT-4": 150}), {"fail"}),
]


@pytest.mark.parametrize(("rule", "text", "expected"), RULES)
def test_every_rule_on_both_sides(rule: str, text: str, expected: set[str]) -> None:
    found = verdicts(quantify(blot(text), S), rule)
    assert set(found) == expected
    if "warn" in expected or "fail" in expected:
        qc = quantify(blot(text), S).western_qc
        assert (
            qc.loc[(qc["check"] == rule) & qc["verdict"].isin(["warn", "fail"]), "advice"] != ""
        ).all()


def test_saturated_lane_has_no_number() -> None:
    text = CLEAN.replace(
        "M1,3,A549,1,ASNS,,64.0,250.0,50,false", "M1,3,A549,1,ASNS,,64.0,250.0,50,true"
    )
    row = quantify(blot(text), S).asns_protein.set_index("cell_line").loc["A549"]
    assert math.isnan(row["asns_relative"])
    assert row["verdict"] == "fail"
    assert row["class"] is None or pd.isna(row["class"])


def test_saturated_normaliser_counts_like_a_saturated_band() -> None:
    text = CLEAN.replace(
        "M1,3,A549,1,total_protein,,,1100,100,false", "M1,3,A549,1,total_protein,,,1100,100,true"
    )
    assert math.isnan(
        quantify(blot(text), S).asns_protein.set_index("cell_line").loc["A549", "asns_relative"]
    )


def test_band_of_wrong_mass_is_off_target_not_asns() -> None:
    """The antibody's 40 kDa band is as strong as the 64 kDa one: it must not be added to ASNS."""
    extra = "M1,3,A549,1,ASNS,,40,550,50,false,sample\n"
    result = quantify(blot(membrane({"A549": 200}) + extra), S)
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx([1.0])
    assert result.asns_protein["off_target_share"].tolist() == pytest.approx([500 / 700])
    assert "off-target" in result.asns_protein["note"].iloc[0]


def test_high_lines_stand_in_for_a_missing_reference() -> None:
    """R is then relative to the mean of HeLa and A549, and the lysate's verdict says so."""
    result = quantify(
        blot(membrane({"HeLa": 300, "A549": 100, "MOLT-4": 20}).replace("reference", "dilution")), S
    )
    protein = result.asns_protein.set_index("cell_line")["asns_relative"]
    assert protein.to_dict() == pytest.approx({"HeLa": 1.5, "A549": 0.5, "MOLT-4": 0.1})
    assert set(result.asns_protein["verdict"]) == {"warn"}


def test_linearity_is_judged_against_the_mean() -> None:
    """y = 2x + 40 is a perfect line but not proportional: an R2 against zero would still pass
    it.
    """
    load = np.array([1.0, 2, 4, 8, 16])
    slope, r2 = proportionality(load, 2 * load)
    assert (slope, r2) == pytest.approx((2, 1))
    offset = 2 * load + 40
    _, r2 = proportionality(load, offset)
    best = (load @ offset) / (load @ load)
    assert r2 == pytest.approx(
        1 - ((offset - best * load) ** 2).sum() / ((offset - offset.mean()) ** 2).sum()
    )
    assert r2 < 0 < 1 - ((offset - best * load) ** 2).sum() / (offset**2).sum()


@pytest.mark.parametrize(
    ("signals", "expected"), [((20, 40, 80, 160, 320), "pass"), ((20, 40, 80, 110, 130), "fail")]
)
def test_dilution_series(signals: tuple[int, ...], expected: str) -> None:
    rows = "".join(
        f"M1,{20 + i},A549,1,ASNS,,64,{v + 50},50,false,dilution\n" for i, v in enumerate(signals)
    )
    bands = blot(CLEAN + rows)
    bands["load"] = [2.0 ** (lane - 20) if lane >= 20 else math.nan for lane in bands["lane"]]
    result = quantify(bands, S)
    assert verdicts(result, "W03") == [expected]
    assert set(result.asns_protein["cell_line"]) == {"A549", "MOLT-4"}


def test_line_interval_and_class_probability_by_hand() -> None:
    """t interval on log2 over lysates; the probability is a t distribution's share between the
    cut-offs.
    """
    from scipy import stats

    levels = [60.0, 80.0, 110.0]
    text = "".join(
        membrane({"A549": v}, name=f"M{i}", replicate=i) for i, v in enumerate(levels, start=1)
    )
    line = quantify(blot(text), S).asns_lines.iloc[0]
    logs = np.log2(np.array(levels) / 200)
    low, high = stats.t.interval(0.95, 2, logs.mean(), stats.sem(logs))
    assert (line["ci_low_percent"], line["ci_high_percent"]) == pytest.approx(
        (100 * 2**low, 100 * 2**high)
    )
    assert (line["class"], line["class_range"]) == ("moderate", "moderate-high")
    draws = (
        stats.t.rvs(2, size=200_000, random_state=np.random.default_rng(1)) * stats.sem(logs)
        + logs.mean()
    )
    inside = np.mean((100 * 2**draws > 10) & (100 * 2**draws <= 50))
    assert line["class_probability"] == pytest.approx(inside, abs=0.005)


def test_class_interval_covers_the_truth() -> None:
    """Over 400 simulated lines of three lysates the 95 % interval holds the planted level in 95 %
    of them.
    """
    rng = np.random.default_rng(7)
    truth = math.log2(0.3)
    values = truth + rng.normal(0, 0.4, (400, 3))
    table = pd.DataFrame(
        {
            "cell_line": np.repeat(np.arange(400), 3),
            "log2_relative": values.ravel(),
            "verdict": "pass",
            "below_loq": False,
        }
    )
    lines = asns_lines(table, S)
    covered = ((lines["ci_low_percent"] < 30) & (lines["ci_high_percent"] > 30)).mean()
    assert 0.92 < covered < 0.98


def test_ladder_errors_on_a_real_gel() -> None:
    """Rows of a real ladder gel (GelGenie, NEB N0550): medians of 1.2, 3.1 and 11.8 % were measured
    independently.
    """
    rows = [185, 197, 212, 224, 241, 269, 313, 347, 377, 400, 478, 503, 527, 557, 582]
    masses = [10000, 8000, 6000, 5000, 4000, 3000, 2000, 1500, 1200, 1000, 500, 400, 300, 200, 100]
    fit = fit_ladder(np.array(rows) / 1024, masses)
    assert fit is not None and fit.method == "pchip"
    assert {name: round(error, 1) for name, error in fit.errors.items()} == {
        "pchip": 1.2,
        "cubic": 3.1,
        "log_linear": 11.8,
    }


def test_straight_ladder_is_recovered() -> None:
    rf = np.linspace(0.1, 0.9, 7)
    mass = 10 ** (2.4 - 1.2 * rf)
    fit = fit_ladder(rf[::-1], mass[::-1])
    assert fit is not None
    assert (fit.slope, fit.intercept, fit.r2) == pytest.approx((-1.2, 2.4, 1.0))
    assert fit.mass([0.05, 0.5, 0.95]) == pytest.approx(
        10 ** (2.4 - 1.2 * np.array([0.05, 0.5, 0.95]))
    )
    assert left_out_errors("log_linear", rf, np.log10(mass)) == pytest.approx(np.zeros(5), abs=1e-9)
    assert fit.brackets(64) and not fit.brackets(300)
    assert fit_ladder([0.5], [64]) is None


def test_mass_comes_from_the_membranes_own_ladder() -> None:
    """Log-linear markers 150 to 25 kDa; a band at the Rf of 64 kDa must come out at 64."""
    slope = (math.log10(25) - math.log10(150)) / 0.8
    rf64 = 0.1 + (math.log10(64) - math.log10(150)) / slope
    marks = "".join(
        f"M1,9,,1,ladder,{0.1 + (math.log10(m) - math.log10(150)) / slope},{m},,,false,ladder\n"
        for m in (150, 100, 75, 50, 37, 25)
    )
    text = membrane({"A549": 200}).replace(",,64.0,", f",{rf64},,") + marks
    assert quantify(blot(text), S).asns_protein["mw_kDa"].tolist() == pytest.approx([64.0])


def test_induction_and_what_it_means() -> None:
    text = membrane({"A549": 50, "x": 200}).replace("M1,4,x,1", "M1,4,A549,1")
    bands = blot(text)
    bands["condition"] = np.where(bands["lane"] == 4, "no_asn_24h", "basal")
    result = quantify(bands, S)
    assert len(result.asns_protein) == 1
    assert result.asns_induction[["condition", "induction_log2"]].values.tolist() == [
        ["no_asn_24h", pytest.approx(2.0)]
    ]
    assert [response_of(2, 2), response_of(0, 2), response_of(2, 0), response_of(math.nan, 1)] == [
        "competent",
        "silenced",
        "stimulus failed",
        "not assessed",
    ]


def test_net_volume_treats_an_empty_background_as_net() -> None:
    assert net_volume(
        pd.DataFrame({"volume": [10.0, 10.0], "background": [4.0, math.nan]})
    ).tolist() == [6.0, 10.0]


# ---- one normaliser, valid ratios, dedicated blots, what is not stated
# --------------------------------------------------


def said(result, rule: str) -> str:
    rows = result.western_qc[result.western_qc["check"] == rule]
    return " | ".join(
        f"{subject}: {value} [{verdict}]"
        for subject, value, verdict in rows[["subject", "value", "verdict"]].values
    )


def test_lanes_without_the_shared_normaliser_have_no_ratio() -> None:
    """Reference lanes by total protein, samples by GAPDH only: 5000/100 over 10000/1000 would be a
    number without meaning.
    """
    text = membrane({"A549": 200, "MOLT-4": 10})
    for lane in (3, 4):
        text = "\n".join(
            line.replace("total_protein", "GAPDH") if line.startswith(f"M1,{lane},") else line
            for line in text.splitlines()
        )
    result = quantify(blot(text + "\n"), S)
    assert result.asns_protein["asns_relative"].isna().all()
    assert (
        set(result.asns_protein["verdict"]) == {"fail"}
        and "normaliser" in result.asns_protein["note"][0]
    )
    assert result.asns_lines["class"].isna().all()
    assert "not measured in lanes 3, 4" in said(result, "W04") and verdicts(result, "W04") == [
        "fail"
    ]


def test_the_loading_control_common_to_all_lanes_is_preferred_to_total_protein_of_some() -> None:
    extra = "".join(f"M1,{lane},x,1,GAPDH,,,{volume},0,false,{role}\n" for lane, volume, role in [(1, 100, "reference"), (2, 100, "reference"), (3, 50, "sample"), (4, 100, "sample")])  # fmt: skip
    text = "\n".join(
        line
        for line in membrane({"A549": 200, "MOLT-4": 10}).splitlines()
        if not line.startswith("M1,4,MOLT-4,1,total")
    )
    protein = quantify(blot(text + "\n" + extra), S).asns_protein.set_index("cell_line")[
        "asns_relative"
    ]
    assert protein.to_dict() == pytest.approx(
        {"A549": (200 / 50) / (200 / 100), "MOLT-4": (10 / 100) / (200 / 100)}
    )


def dilution(signals: tuple[int, ...], name: str = "M1") -> str:
    return "".join(
        f"{name},{20 + i},pool,1,ASNS,,64,{v + 50},50,false,dilution\n"
        for i, v in enumerate(signals)
    )


def with_loads(text: str, antibodies: dict[str, str] | None = None) -> pd.DataFrame:
    bands = blot(text)
    bands["load"] = [2.0 ** (lane - 20) if lane >= 20 else math.nan for lane in bands["lane"]]
    return bands.assign(antibody=[(antibodies or {}).get(name, "") for name in bands["membrane"]])


PROPORTIONAL, BENT = (20, 40, 80, 160, 320), (20, 40, 80, 110, 130)


def test_ratios_of_an_antibody_that_is_not_proportional_are_void() -> None:
    """No class, not in the line's mean, not in the table that correlations are made from."""
    result = quantify(with_loads(membrane({"A549": 200, "MOLT-4": 10}) + dilution(BENT)), S)
    assert (
        set(result.asns_protein["verdict"]) == {"fail"}
        and "not proportional" in result.asns_protein["note"][0]
    )
    assert result.asns_protein["class"].isna().all() and result.asns_lines["class"].isna().all()
    assert (
        result.asns_lines["n_replicates"].tolist() == [0, 0]
        and result.asns_lines["log2_relative"].isna().all()
    )
    assert "no line has a valid ratio" not in said(result, "W07") and "not assessable" in said(
        result, "W12"
    )


SERIES_CASES = [  # antibodies of the three blots and of the series blot, the series, verdict of a lysate, verdicts of W03
    ({}, PROPORTIONAL, "pass", ["pass"]),
    ({}, BENT, "fail", ["fail"]),
    ({"M1": "A", "M2": "A", "M3": "A", "LIN": "A"}, PROPORTIONAL, "pass", ["pass"]),
    ({"M1": "A", "M2": "A", "M3": "A", "LIN": "B"}, BENT, "pass", ["fail", "warn"]),
]


@pytest.mark.parametrize(("antibodies", "signals", "lysate", "expected"), SERIES_CASES)
def test_linearity_is_judged_per_antibody(
    antibodies: dict, signals: tuple, lysate: str, expected: list[str]
) -> None:
    """A blot of its own carries the series: it serves every membrane of its antibody, and has
    itself nothing to normalise or to compare.
    """
    three = "".join(
        membrane({"A549": 200, "MOLT-4": 10}, name=f"M{i}", replicate=i) for i in (1, 2, 3)
    )
    result = quantify(with_loads(three + dilution(signals, "LIN"), antibodies), S)
    assert verdicts(result, "W03") == expected
    assert set(result.asns_protein["verdict"]) == {lysate}
    for rule in ("W02", "W04", "W05", "W06", "W09", "W11"):
        assert "LIN" not in said(result, rule), rule


def test_a_knockout_blot_of_its_own_validates_the_antibody_of_the_others() -> None:
    """Parent 200, knockout 20 on a blot without reference or total protein: 90 % lost; its parent
    lane is no lysate.
    """
    knockout = (
        "KO,1,A549,1,ASNS,,64,250,50,false,sample\nKO,2,A549,1,ASNS,,64,70,50,false,knockout\n"
    )
    result = quantify(with_loads(membrane({"A549": 180}) + knockout), S)
    assert verdicts(result, "W10") == ["pass"] and "90 % less than its parent" in said(
        result, "W10"
    )
    assert "KO" not in said(result, "W04") + said(result, "W06")
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx(
        [0.9]
    ) and result.asns_protein["verdict"].tolist() == ["pass"]
    alone = quantify(with_loads(membrane({"A549": 180}) + knockout.splitlines()[1] + "\n"), S)
    assert "not assessable" in said(alone, "W10") and set(verdicts(alone, "W10")) == {"warn"}


def test_saturation_that_is_not_stated_is_no_pass() -> None:
    bands = blot(membrane({"A549": 200}))
    result = quantify(bands.assign(saturated=pd.array([None] * len(bands), dtype="boolean")), S)
    assert set(verdicts(result, "W01")) == {"warn"} and "not stated" in said(result, "W01")
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx([1.0])


def test_a_saturated_off_target_band_spoils_the_lane() -> None:
    for row in (
        "M1,3,A549,1,off_target,,40,9050,50,true,sample\n",
        "M1,3,A549,1,ASNS,,150,9050,50,true,sample\n",
    ):
        result = quantify(blot(membrane({"A549": 200}) + row), S)
        assert math.isnan(result.asns_protein["asns_relative"][0]) and "fail" in verdicts(
            result, "W01"
        )


@pytest.mark.parametrize("rule", [f"W{n:02d}" for n in range(1, 15)])
def test_every_rule_has_a_row_even_for_the_barest_blot(rule: str) -> None:
    """Volumes of two lanes and nothing else: what cannot be judged says so."""
    bare = "M1,1,pool,1,ASNS,,,250,50,false,reference\nM1,2,A549,1,ASNS,,,150,50,false,sample\n"
    assert said(quantify(blot(bare), S), rule)
    if rule in ("W02", "W05", "W09", "W11"):
        assert "not assessable: " in said(quantify(blot(bare), S), rule)


@pytest.mark.parametrize(
    ("second", "verdict", "lysate"),
    [(140, "pass", "pass"), (100, "warn", "warn"), (20, "fail", "fail")],
)
def test_reference_lanes_have_to_agree(second: float, verdict: str, lysate: str) -> None:
    """200 against 140, 100, 20: 1.4-fold, 2-fold, 10-fold."""
    text = membrane({"A549": 100}).replace(
        "M1,2,pool,1,ASNS,,64.0,250.0", f"M1,2,pool,1,ASNS,,64.0,{second + 50}"
    )
    result = quantify(blot(text), S)
    assert verdicts(result, "W06") == [verdict] and result.asns_protein["verdict"].tolist() == [
        lysate
    ]
    assert f"{200 / second:.2f}" in said(result, "W06")


MEDIA = {
    "complete": SimpleNamespace(role="control", removes=None),
    "drop": SimpleNamespace(role="dropout", removes="asparagine"),
    "no_gln": SimpleNamespace(role="dropout", removes="glutamine"),
}


@pytest.mark.parametrize("word", ["complete", "Complete ", "basal", "", None])
def test_the_control_medium_is_basal(word: str | None) -> None:
    bands = blot(membrane({"A549": 100})).assign(condition=word)
    result = quantify(bands, S, MEDIA)
    assert result.asns_protein["asns_relative"].tolist() == pytest.approx([0.5])


STARVED = [
    ("drop", True),
    ("no_asn_24h", True),
    ("-Asn 16 h", True),
    ("Asn-free", True),
    ("asparaginase", True),
    ("no_gln", False),
    ("tunicamycin", False),
]


@pytest.mark.parametrize(("word", "starved"), STARVED)
def test_starved_conditions_are_told(word: str, starved: bool) -> None:
    from kit.western.conditions import with_conditions

    assert (
        with_conditions(blot(membrane({"A549": 100})).assign(condition=word), MEDIA)[
            "starved"
        ].tolist()
        == [starved] * 6
    )


def test_a_blot_without_a_basal_lane_says_so() -> None:
    result = quantify(blot(membrane({"A549": 100})).assign(condition="serum X"), S, MEDIA)
    assert result.asns_protein.empty
    assert "no basal lane of A549: the lanes are of condition 'serum X'" in said(
        result, "W14"
    ) and verdicts(result, "W14") == ["warn"]


ATF4 = "M1,{lane},A549,1,ATF4,,39,{volume},0,false,sample\n"
RESPONSES = [  # ASNS and ATF4 of the starved lane (basal 50 and 100), response, verdict
    (200, 800, "competent", "pass"),
    (55, 800, "silenced", "info"),
    (55, 110, "stimulus failed", "warn"),
    (200, None, "not assessed", "warn"),
]


@pytest.mark.parametrize(("asns", "atf4", "response", "verdict"), RESPONSES)
def test_induction_is_a_verdict_row_and_a_table(
    asns: float, atf4: float | None, response: str, verdict: str
) -> None:
    text = membrane({"A549": 50, "x": asns}).replace("M1,4,x,1", "M1,4,A549,1")
    text += (
        "" if atf4 is None else ATF4.format(lane=3, volume=100) + ATF4.format(lane=4, volume=atf4)
    )
    bands = blot(text)
    bands["condition"] = np.where(bands["lane"] == 4, "drop", "complete")
    result = quantify(bands, S, MEDIA)
    row = check(result.asns_induction, "asns_induction").iloc[0]
    assert (row["response"], row["starved"]) == (response, True) and verdicts(result, "W14") == [
        verdict
    ]
    assert row["induction_log2"] == pytest.approx(math.log2(asns / 50))
    assert (
        math.isnan(row["atf4_log2"])
        if atf4 is None
        else row["atf4_log2"] == pytest.approx(math.log2(atf4 / 100))
    )


def test_induction_from_nothing_is_a_finite_rise() -> None:
    """Basal ATF4 below background: it stands at 1 % of the starved lane, log2(100)."""
    text = (
        membrane({"A549": 50, "x": 200}).replace("M1,4,x,1", "M1,4,A549,1")
        + ATF4.format(lane=3, volume=-5)
        + ATF4.format(lane=4, volume=900)
    )
    bands = blot(text)
    bands["condition"] = np.where(bands["lane"] == 4, "drop", "complete")
    assert quantify(bands, S, MEDIA).asns_induction["atf4_log2"].tolist() == pytest.approx(
        [math.log2(100)]
    )


def test_no_starved_lane_is_told_as_not_measured() -> None:
    assert "not measured" in said(quantify(blot(membrane({"A549": 50})), S), "W14")
