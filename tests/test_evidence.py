"""What a call may rest on: one value per biological replicate, one reading, one readout, its own
rescue, and what is not known.
"""

import numpy as np
import pandas as pd
import pytest

from kit.calls import posterior
from kit.calls.calls import calls
from kit.calls.evidence import gather
from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.effects.effects import effects
from kit.effects.rescue import rescue
from kit.plates.design import nearest, untreated
from kit.plates.readouts import call_arms, readout_agreement, readout_findings, wells_of
from kit.protocol.carryover import observed_doublings
from kit.simulate import synthetic

MEDIA = ("complete", "no_asn", "no_gln", "no_asn_rescue", "no_gln_rescue", "no_gln_late_rescue")
CONFIG = synthetic.config(
    synthetic.Truth({"A549": synthetic.SOURCE_LINES["A549"]}, design=synthetic.Design(media=MEDIA))
)
SPREAD = (-0.02, 0.0, 0.03)
DOUBLINGS = 2.0
GROWN = {"no_asn": 0.78, "no_gln": 0.05, "no_asn_rescue": 0.97, "no_gln_rescue": 0.98}
PLATE = {"cell_line": "A549", "readout": "CellTiter-Glo", "agent": "", "concentration": np.nan, "concentration_unit": "", "control_doublings": DOUBLINGS, "n_wells": 6,
         "verdict": "pass", "note": "", "code": "", "gr_basis": "0 h plate", "below_lod": False}  # fmt: skip


def growth(
    gr: dict[str, float] = GROWN, hours: dict[int, float] | float = 48.0, **fields: object
) -> pd.DataFrame:
    """A growth table with GR planted per medium, three replicates; log2 follows from GR = 2^(1 +
    log2_fc / D) - 1.
    """
    hours = hours if isinstance(hours, dict) else dict.fromkeys((1, 2, 3), hours)
    rows = [
        {
            **PLATE,
            "medium": medium,
            "replicate": number,
            "hours": hours[number],
            "gr": value + shift * (medium != "complete"),
        }
        for medium, value in {"complete": 1.0, **gr}.items()
        for number, shift in zip(hours, SPREAD, strict=False)
    ]
    table = pd.DataFrame(rows).assign(**fields)
    return table.assign(
        log2_fc=DOUBLINGS * (np.log2(table["gr"] + 1) - 1),
        relative_viability=(table["gr"] + 1) ** DOUBLINGS / 2**DOUBLINGS,
    )


def called(
    table: pd.DataFrame,
    amino_acid: str = "glutamine",
    config: ExperimentConfig = CONFIG,
    **tables: pd.DataFrame | None,
) -> pd.Series:
    """The call of A549; rescue classes as the kit finds them in the same table."""
    given = {
        "apoptosis": None,
        "rescue": rescue(table, config.media, config.settings),
        "carryover": None,
        "compliance": None,
        **tables,
    }
    return calls(config, table, **given).set_index("amino_acid").loc[amino_acid]


def contrast(table: pd.DataFrame, medium: str = "no_gln") -> pd.Series:
    found = effects(table, CONFIG.media, CONFIG.settings)
    return found[found["family"].eq("dropout") & found["medium"].eq(medium)].iloc[0]


# ---- n is the number of biological replicates
# ----------------------------------------------------------------------------------------


def test_wells_at_concentration_0_are_no_replicates_of_their_own():
    plain = growth()
    zero = plain[plain["medium"].isin(["no_asn", "no_gln"])].assign(
        agent="asparaginase", concentration=0.0, gr=-0.5, log2_fc=-2.0, n_wells=2
    )
    table = pd.concat([plain, zero], ignore_index=True)
    for amino_acid in ("asparagine", "glutamine"):
        one, two = called(plain, amino_acid), called(table, amino_acid)
        assert two["n_replicates"] == one["n_replicates"] == 3
        assert (two["gr"], two["gr_ci_low"], two["probability"]) == (
            one["gr"],
            one["gr_ci_low"],
            one["probability"],
        )
    pd.testing.assert_series_equal(contrast(table), contrast(plain))
    pd.testing.assert_frame_equal(
        rescue(table, CONFIG.media, CONFIG.settings), rescue(plain, CONFIG.media, CONFIG.settings)
    )


def test_without_untreated_wells_those_at_concentration_0_count_once_weighted_by_wells():
    """Two agents' zero doses on one plate, 2 and 6 wells: log2 is averaged over wells, and GR =
    2^(1 + log2_fc / D) - 1.
    """
    plain = growth()
    rows = plain["medium"].eq("no_gln")
    twice = [
        plain[rows].assign(agent=agent, concentration=0.0, n_wells=n, log2_fc=log2)
        for agent, n, log2 in (("a", 2, -2.0), ("b", 6, -1.6))
    ]
    table = pd.concat([plain[~rows], *twice], ignore_index=True)
    row = called(table)
    log2 = (2 * -2.0 + 6 * -1.6) / 8
    assert row["n_replicates"] == 3 and row["gr"] == pytest.approx(2 ** (1 + log2 / DOUBLINGS) - 1)
    assert contrast(table)["n_replicates"] == 3 and contrast(table)["estimate"] == pytest.approx(
        log2
    )
    assert untreated(table).loc[lambda found: found["medium"].eq("no_gln"), "n_wells"].tolist() == [
        8,
        8,
        8,
    ]


# ---- one choice of readings
# --------------------------------------------------------------------------------------------------------


def test_a_replicate_read_an_hour_later_still_counts():
    row = called(growth(hours={1: 48.0, 2: 48.0, 3: 49.0}))
    assert row["n_replicates"] == 3 and row["gr"] == pytest.approx(0.05 + np.mean(SPREAD))
    assert not row["exploratory"]


def test_of_two_readings_of_a_replicate_only_the_nearest_counts_and_of_a_tie_the_earlier():
    early, late, far = (
        growth(hours=46.0),
        growth({**GROWN, "no_gln": 0.9}, hours=50.0),
        growth({**GROWN, "no_gln": -0.9}, hours=72.0),
    )
    table = pd.concat([far, late, early], ignore_index=True)
    row = called(table)
    assert (row["n_replicates"], row["gr"]) == (3, pytest.approx(called(early)["gr"]))
    assert contrast(table)["estimate"] == pytest.approx(contrast(early)["estimate"])
    assert set(nearest(table, 48.0)["hours"]) == {46.0}


@pytest.mark.parametrize("hours", [51.0, 52.0, 60.0, {1: 48.0, 2: 51.0, 3: 54.0}])
def test_late_readings_keep_effects_and_rescue(hours):
    """A failed rescue voids the call however late the plates were read."""
    on_time, late = growth(), growth(hours=hours)
    assert (
        contrast(late)[["estimate", "se", "n_replicates"]].tolist()
        == contrast(on_time)[["estimate", "se", "n_replicates"]].tolist()
    )
    assert called(late)["rescue"] == called(on_time)["rescue"] == "full"
    failed = called(growth({**GROWN, "no_gln_rescue": 0.04}, hours=hours))
    assert (failed["rescue"], failed["call"]) == ("failed", "inconclusive")
    assert "was not measured" not in failed["reasons"]


@pytest.mark.parametrize(
    ("hours", "shown"), [(49.9, 48.0), (52.0, 52.0), ({1: 48.0, 2: 48.0, 3: 51.0}, 49.0)]
)
def test_contrasts_say_when_the_plates_were_read_if_not_at_the_asked_time(hours, shown):
    assert contrast(growth(hours=hours))["hours"] == shown


def test_doublings_of_control_are_of_the_readings_that_the_call_rests_on():
    table = growth(hours={1: 48.0, 2: 48.0, 3: 49.0})
    table.loc[table["replicate"].eq(3), "control_doublings"] = 3.5
    assert observed_doublings(table, Settings())["A549"] == pytest.approx((2 + 2 + 3.5) / 3)


def test_death_is_taken_at_the_nearest_time_of_each_replicate():
    death = pd.DataFrame(
        {
            "cell_line": "A549",
            "medium": "no_gln",
            "replicate": [1, 2, 3, 3],
            "hours": [72.0, 72.0, 73.0, 24.0],
            "specific_apoptosis": [0.3, 0.3, 0.6, 0.0],
            "verdict": "pass",
            "note": "",
        }
    )
    assert called(growth(), apoptosis=death)["specific_apoptosis"] == pytest.approx(0.4)


# ---- its own rescue
# ------------------------------------------------------------------------------------------------------------------


def test_a_failed_rescue_is_not_mended_by_another_readout():
    """ATP says failed, BrdU (no GR) says full: the call rests on ATP."""
    atp = growth({**GROWN, "no_gln_rescue": 0.05})
    brdu = growth().assign(
        readout="BrdU",
        gr=np.nan,
        control_doublings=np.nan,
        note="S-phase incorporation: ratio to control only, no GR",
    )
    table = pd.concat([brdu, atp], ignore_index=True)
    classes = rescue(table, CONFIG.media, CONFIG.settings).set_index(["readout", "medium"])["class"]
    assert (
        classes["BrdU", "no_gln_rescue"] == "full"
        and classes["CellTiter-Glo", "no_gln_rescue"] == "failed"
    )
    assert (called(table)["call"], called(table)["rescue"]) == ("inconclusive", "failed")
    only_there = pd.concat([brdu, atp[atp["medium"].ne("no_gln_rescue")]], ignore_index=True)
    assert (
        called(only_there)["rescue"] == ""
        and "was not measured by CellTiter-Glo" in called(only_there)["reasons"]
    )


@pytest.mark.parametrize(
    ("late", "decides", "call"),
    [(0.04, "failed", "inconclusive"), (0.55, "partial", "dependent"), (0.97, "full", "dependent")],
)
def test_of_several_rescue_media_the_more_cautious_class_decides_and_both_are_said(
    late, decides, call
):
    row = called(growth({**GROWN, "no_gln_late_rescue": late}))
    assert (row["rescue"], row["call"]) == (decides, call)
    said = f"(no_gln_late_rescue {decides}, no_gln_rescue full)" in row["reasons"]
    assert said == (decides != "full")


# ---- carry-over caps what it can mask, and nothing else
# --------------------------------------------------------------------------------

CAREFUL = Settings(prior_sd_gr=0.02)
DEATH = pd.DataFrame([("A549", medium, number, 72.0, 0.01, "pass", "") for medium in ("no_asn", "no_gln") for number in (1, 2, 3)],
                     columns=["cell_line", "medium", "replicate", "hours", "specific_apoptosis", "verdict", "note"])  # fmt: skip
SURE = CONFIG.model_copy(update={"settings": CAREFUL})


def left_over(mask: float, missing: str = "") -> pd.DataFrame:
    rows = [
        ("A549", medium, amino_acid, 1.0, mask, missing)
        for medium, amino_acid in (("no_asn", "asparagine"), ("no_gln", "glutamine"))
    ]
    return pd.DataFrame(
        rows, columns=["cell_line", "medium", "amino_acid", "residual_uM", "gr_mask", "missing"]
    )


@pytest.mark.parametrize(
    ("mask", "confidence", "text"),
    [
        (0.05, "confident", ""),
        (0.12, "provisional", "could account for GR up to 0.12"),
        (np.nan, "provisional", "fill in `protocol.wash.residual_uL`"),
        (0.3, "none", "reach GR 0.30"),
    ],
)
def test_carry_over_caps_a_prototroph_and_never_an_auxotroph(mask, confidence, text):
    tables = {
        "apoptosis": DEATH,
        "carryover": left_over(mask, "protocol.wash.residual_uL" if np.isnan(mask) else ""),
    }
    free, bound = (
        called(growth(), "asparagine", SURE, **tables),
        called(growth(), "glutamine", SURE, **tables),
    )
    assert (free["confidence"], bound["confidence"]) == (confidence, "confident")
    assert text in free["reasons"] and bound["call"] == "dependent"
    assert mask == 0.05 or "can only hide an auxotroph" in bound["reasons"]


CODE = {
    "void": "P22_MYCOPLASMA",
    "masking": "P13_RESIDUE",
    "cap": "P24_LINE",
    "none": "P10_UNKNOWN",
}


def checks(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(*row, "said", "", CODE[row[3]]) for row in rows],
        columns=["check", "subject", "verdict", "effect", "scope", "value", "missing", "code"],
    )


@pytest.mark.parametrize("check", ["P13", "P08", "P24"])
def test_a_check_that_warns_caps_whatever_its_number(check):
    row = called(
        growth(),
        "glutamine",
        SURE,
        apoptosis=DEATH,
        compliance=checks((check, "A549", "warn", "cap", "A549")),
    )
    assert row["confidence"] == "provisional" and f"Protocol checks {check} warn" in row["reasons"]


def test_an_absent_rescue_is_said_once():
    media = {name: medium for name, medium in SURE.media.items() if "rescue" not in name}
    config = ExperimentConfig.model_validate({**SURE.model_dump(), "media": media})
    row = called(
        growth({"no_gln": 0.05}),
        "glutamine",
        config,
        apoptosis=DEATH,
        compliance=checks(("P08", "glutamine", "warn", "cap", "glutamine")),
    )
    assert "No medium gives glutamine back" in row["reasons"] and "P08" not in row["reasons"]


# ---- death: how much of it, of which replicates, when
# ------------------------------------------------------------------------------------


def deaths(values: dict[int, float], hours: float = 72.0) -> pd.DataFrame:
    return pd.DataFrame(
        [("A549", "no_gln", number, hours, value, "pass", "") for number, value in values.items()],
        columns=DEATH.columns,
    )


def test_death_of_too_few_replicates_is_no_basis_for_a_confident_call():
    three, two = (
        called(growth(), config=SURE, apoptosis=deaths({1: 0.4, 2: 0.4, 3: 0.4})),
        called(growth(), config=SURE, apoptosis=deaths({1: 0.4, 2: 0.4})),
    )
    assert (three["confidence"], two["confidence"]) == ("confident", "provisional")
    assert "Death rests on 2 biological replicates (min_replicates = 3)." in two["reasons"]
    assert "Death has no usable value in replicate 3." in two["reasons"]


def test_growth_and_death_are_paired_by_replicate_not_by_position():
    """Growth of replicates 1 to 3, death of 2 to 4: linked are 2 and 3 alone, so the draws are not
    correlated by position.
    """
    table, death = growth(), deaths({2: 0.40, 3: 0.42, 4: 0.45})
    item = gather(
        CONFIG, "A549", "glutamine", "no_gln", call_arms(table, CONFIG), death, None, None, None
    )
    assert item is not None and item.linked == [(1, 0), (2, 1)]
    unlinked = [note.values for note in item.notes if note.code == "CALL_UNLINKED"]
    assert {"what": "Growth", "which": "replicate 4"}.items() <= unlinked[-1].items()
    assert [values.tolist() for values in item.points] == [
        pytest.approx([0.05, 0.08]),
        [0.40, 0.42],
    ]
    gr, sa = posterior.draw(item.gr, item.sa, CONFIG.settings, 1, item.linked)
    assert abs(np.corrcoef(gr, sa)[0, 1]) < 0.03
    paired = gather(
        CONFIG,
        "A549",
        "glutamine",
        "no_gln",
        call_arms(table, CONFIG),
        deaths({3: 0.45, 2: 0.42, 1: 0.40}),
        None,
        None,
        None,
    )
    gr, sa = posterior.draw(paired.gr, paired.sa, CONFIG.settings, 1, paired.linked)
    assert np.corrcoef(gr, sa)[0, 1] == pytest.approx(
        np.corrcoef(SPREAD, [0.40, 0.42, 0.45])[0, 1] * 2 / 6, abs=0.04
    )


def test_linked_replicates_among_more_dilute_the_correlation_of_the_means():
    """cov(mean g, mean a) = n_linked cov / (n_g n_a): with 3 of 6 and 6 linked and perfect
    correlation, half of the shrunk one.
    """
    settings = Settings(prior_df=0.0, posterior_draws=200_000)
    gr, sa = posterior.draw(
        np.array([0.1, 0.3, 0.5, 0.1, 0.3, 0.5]),
        np.array([0.1, 0.3, 0.5, 0.5, 0.1, 0.3]),
        settings,
        1,
        [(0, 0), (1, 1), (2, 2)],
    )
    ranks = [pd.Series(values).rank() for values in (gr, sa)]
    assert np.corrcoef(*ranks)[0, 1] == pytest.approx(
        6 / np.pi * np.arcsin(0.5 / 2), abs=0.02
    )  # Spearman of a normal pair with r 0.5


def test_the_sentence_on_death_tells_the_hours_measured():
    assert (
        "after 66 h"
        in called(growth(), apoptosis=deaths({1: 0.4, 2: 0.4, 3: 0.4}, 66.0))["reasons"]
    )


# ---- the source's expectation
# ----------------------------------------------------------------------------------------------------------


def expected(line: str) -> pd.DataFrame:
    return pd.DataFrame(
        [(line, "glutamine", "dependent", "", False, "")],
        columns=[
            "cell_line",
            "amino_acid",
            "expected_call",
            "expected_subtype",
            "disputed",
            "note",
        ],
    )


@pytest.mark.parametrize("spelling", ["A549", "A-549", "a 549"])
def test_priors_are_found_by_any_spelling_of_the_line(spelling):
    assert called(growth(), priors=expected(spelling))["matches_prior"] is True


def test_what_was_read_too_far_from_the_source_s_times_is_not_compared_with_it():
    far = checks(("P16", "A549", "fail", "cap", "A549"))
    row = called(growth(hours=60.0), priors=expected("A549"), compliance=far)
    assert (
        row["matches_prior"] is None and row["prior"] == "dependent" and row["call"] == "dependent"
    )
    assert "not compared with the source's table" in row["reasons"]
    assert (
        called(growth(), priors=expected("A549"), compliance=far.assign(verdict="warn"))[
            "matches_prior"
        ]
        is True
    )


# ---- ATP against counts
# ------------------------------------------------------------------------------------------------------------------

COUNTED = {"readout": "nuclei count"}


def both(counts: dict[str, float], replicates: tuple[int, ...] = (1, 2, 3)) -> pd.DataFrame:
    count = growth({**GROWN, **counts}).assign(**COUNTED)
    return pd.concat([growth(), count[count["replicate"].isin(replicates)]], ignore_index=True)


@pytest.mark.parametrize(
    ("counted", "differs"), [(0.15, False), (0.19, False), (0.21, True), (0.45, True)]
)
def test_counts_are_used_where_atp_differs_from_them(counted, differs):
    """ATP says 0.05; up to 0.15 of difference is accepted."""
    table = both({"no_gln": counted})
    row, agreement = called(table), readout_agreement(table, CONFIG)
    assert row["gr"] == pytest.approx((counted if differs else 0.05) + np.mean(SPREAD))
    assert (
        f"differ by {counted - 0.05:.2f} GR in no_gln (max_readout_disagreement_gr = 0.15): counts"
        " are used" in row["reasons"]
    ) == differs
    assert agreement.groupby("medium")["agrees"].all().to_dict() == {
        **dict.fromkeys(GROWN, True),
        "no_gln": not differs,
    }
    found = readout_findings(agreement, 0.15)
    assert [item.severity for item in found] == ["warn"] * differs and all(
        "A549, no_gln" in item.sentence for item in found
    )
    assert called(table, "asparagine")["gr"] == pytest.approx(
        0.78 + np.mean(SPREAD)
    )  # the other medium keeps ATP


def test_counts_that_disagree_in_the_rescue_decide_the_rescue_and_cap_the_call():
    table = pd.concat(
        [growth({**GROWN, "no_gln_rescue": 0.05}), growth().assign(**COUNTED)], ignore_index=True
    )
    row = called(table, config=SURE, apoptosis=DEATH)
    assert (row["rescue"], row["confidence"]) == ("full", "provisional")
    assert "differ by 0.93 GR in no_gln_rescue" in row["reasons"]


def test_counts_of_one_replicate_that_disagree_leave_one_replicate():
    row = called(both({"no_gln": 0.6}, replicates=(2,)))
    assert (row["n_replicates"], row["exploratory"]) == (1, True) and "counts are used" in row[
        "reasons"
    ]


def test_without_counts_there_is_nothing_to_compare():
    assert (
        readout_agreement(growth(), CONFIG).empty
        and readout_findings(readout_agreement(growth(), CONFIG), 0.15) == []
    )


def test_counts_read_an_hour_after_atp_are_compared_with_it():
    late = pd.concat(
        [growth(), growth({**GROWN, "no_gln": 0.5}, hours=49.0).assign(**COUNTED)],
        ignore_index=True,
    )
    assert len(readout_agreement(late, CONFIG)) == 3 * len(GROWN) and called(late)[
        "gr"
    ] == pytest.approx(0.5 + np.mean(SPREAD))


def test_each_medium_is_read_by_what_was_read_of_it():
    """Resazurin alone was read of one medium, BrdU alone of another: neither goes unsaid because
    ATP was read of the rest.
    """
    table = growth()
    table.loc[table["medium"].eq("no_gln"), "readout"] = "resazurin"
    assert called(table)["n_replicates"] == 3
    table.loc[table["medium"].eq("no_gln"), ["readout", "gr", "code"]] = [
        "BrdU",
        np.nan,
        "INCORPORATION",
    ]
    assert "CALL_INCORPORATION" in called(table)["code"]


def test_only_the_wells_behind_the_arms_are_drawn():
    table = pd.concat(
        [growth(), growth(hours=24.0), growth().assign(agent="asparaginase", concentration=1.0)],
        ignore_index=True,
    )
    arms = call_arms(table, CONFIG)
    assert len(wells_of(table, arms)) == len(arms) == 15 and set(
        wells_of(table, arms)["agent"]
    ) == {""}
