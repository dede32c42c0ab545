"""mTORC1 divergence: planted scenarios, scaling of published data, error rates, power, and input
that must never get a class.
"""

import numpy as np
import pandas as pd
import pytest
from signalling import NO_BOTH, NO_RAG, RAG, made, planted

from kit.config.settings import Settings
from kit.core.errors import InputError
from kit.signaling import names
from kit.signaling.activation import activation, less, model_of
from kit.signaling.bands import read_signaling, tidy
from kit.signaling.classes import classify, evidence, p_values
from kit.signaling.power import Truth, class_chances, decide, simulated_arms
from kit.signaling.ratios import combine, lane_ratios
from kit.signaling.scaling import gel_scales
from kit.signaling.study import analyse_signaling
from kit.stats import fit_blocks, paired_contrast

S = Settings()
CALLS = {
    "RAG-DEPENDENT": ("classed", "rag_dependent"),
    "RAG-INDEPENDENT, ARF1-DEPENDENT": ("classed", "rag_independent_arf1"),
    "MIXED": ("classed", "mixed"),
    "MIXED (KO part ARF1-dependent)": ("classed", "mixed"),
    "INCONCLUSIVE": ("classed", "inconclusive"),
    "INVALID": ("invalid", ""),
    "NOT ACTIVATING (no RDI)": ("not_activating", ""),
}
SCENARIOS = (
    "textbook", "mixed", "all_rag", "noise", "failed_control", "no_asn_response", "split_gels",
    "total_s6k_drift",
)  # fmt: skip
TRUTHS = {
    "Leu": Truth(2.0, 0.1, 0.05), "Arg": Truth(1.8, 0.1, 0.05), "Gln": Truth(1.6, 1.5, 0.15),
    "Asn": Truth(1.4, 1.3, 0.1),
}  # fmt: skip


def classes(bands, **options):
    table = analyse_signaling(bands, S, **options).mtorc1_divergence
    return dict(zip(table["stimulus"], table["class"], strict=True))


def status(bands, stimulus="Leu"):
    table = analyse_signaling(bands, S).mtorc1_divergence.set_index("stimulus")
    return tuple(table.loc[stimulus, ["status", "class", "code"]])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_planted_scenarios_get_their_class_and_numbers(shared_data, scenario):
    folder = shared_data / "mtorc1/planted"
    study = analyse_signaling(planted(shared_data, scenario), S)
    expected = pd.read_csv(folder / "expected_estimates.csv").query("scenario == @scenario")
    both = study.mtorc1_divergence.merge(expected, on="stimulus", validate="one_to_one")
    assert [tuple(row) for row in both[["status", "class"]].to_numpy()] == [
        CALLS[call] for call in both["call"]
    ]
    assert both["a_wt"].to_numpy() == pytest.approx(both["A_WT"], abs=1e-4)
    assert both["a_wt_low"].to_numpy() == pytest.approx(both["A_WT_lo95"], abs=1e-4)
    kept = both[both["status"].eq("classed")]
    for own, other in (
        ("rdi", "RDI"), ("rdi_low", "RDI_lo95"), ("rdi_high", "RDI_hi95"),
        ("rdi_high_90", "RDI_hi90"), ("adi", "ADI"), ("p_rag", "p_interaction"),
        ("p_adjusted", "p_interaction_holm"), ("p_arf1_adjusted", "p_drug_holm"),
    ):  # fmt: skip
        assert kept[own].to_numpy() == pytest.approx(kept[other], abs=1e-4, nan_ok=True), own
    hidden = both[both["status"].ne("classed")]
    assert hidden[["rdi", "adi", "p_rag", "p_adjusted"]].isna().all(axis=None)
    gates = pd.read_csv(folder / "expected_gates.csv").set_index("scenario").loc[scenario]
    rules = study.mtorc1_validity
    found = {
        (rule, who): value for rule, who, value in rules[["rule", "subject", "value"]].to_numpy()
    }
    assert found["all_amino_acids", "WT"] == pytest.approx(gates["all_A_WT"], abs=1e-4)
    assert found["torin", "WT"] == pytest.approx(gates["torin_vs_starved"], abs=1e-4)
    assert found["total_s6k", "RagAB_KO"] == pytest.approx(gates["s6k_dko_vs_wt_pct"], abs=1.0)
    assert found["total_s6k", "BFA"] == pytest.approx(gates["s6k_bfa_vs_veh_pct"], abs=1.0)
    assert (study.model.residual_sd, study.model.fit.df) == pytest.approx(
        (gates["residual_sd_log2"], gates["df"]), abs=1e-4
    )


@pytest.mark.parametrize("scenario", ["textbook", "split_gels", "total_s6k_drift"])
def test_sensitivity_is_that_of_the_planted_data(shared_data, scenario):
    table = analyse_signaling(planted(shared_data, scenario), S).mtorc1_sensitivity
    own = table.set_index(["choice", "quantity", "stimulus"])
    choice = {
        "r_raw": "unscaled", "r_ref": "reference", "r_gelmean": "geometric_mean",
        "p_each_sum": "sum", "r_totalprotein": "total_protein", "r_nobg": "no_background",
    }  # fmt: skip
    quantity = {
        "A_WT-A_KO Leu": ("A_WT - A_KO", "Leu"),
        "A_WT-A_KO Gln": ("A_WT - A_KO", "Gln"),
        "baseline DKO-WT (starved)": ("starved KO - WT", ""),
    }
    expected = pd.read_csv(shared_data / "mtorc1/planted/expected_scaling_sensitivity.csv")
    for row in expected.query("scenario == @scenario").to_dict("records"):
        found = own.loc[(choice[row["scaling"]], *quantity[row["quantity"]])]
        assert found[["estimate", "sd"]].tolist() == pytest.approx(
            [row["mean_log2"], row["sd_over_experiments"]], abs=1e-4
        )
    moves = own.loc[own["code"].eq("MTORC1_CONTRAST_MOVES"), "change"]
    assert (moves.abs() > S.max_contrast_change_log2).all()
    assert ("sum", "starved KO - WT", "") in moves.index or scenario != "split_gels"


def test_scaling_is_that_of_the_blotit_example(shared_data):
    folder = shared_data / "mtorc1/blotit"
    data = pd.read_csv(folder / "sim_wide_two_targets_long.csv")
    scales = pd.read_csv(folder / "expected_scales.csv")
    levels = pd.read_csv(folder / "expected_aligned.csv")
    for target, own in data.groupby("target"):
        arms = [
            f"{condition.split()[0]} t{time}"
            for condition, time in own[["condition", "time"]].to_numpy()
        ]
        fit = gel_scales(np.log2(own["value"]), arms, list(own["experiment"]))
        for row in scales[scales["target"].eq(target)].to_dict("records"):
            # measured = true / scale, so the scale is minus the offset of the gel
            assert -fit.gel[row["experiment"]] == pytest.approx(
                row["log2_scale_vs_exp1_lsq"], abs=1e-5
            ) or fit.gel[row["experiment"]] == pytest.approx(
                row["log2_scale_vs_exp1_lsq"], abs=1e-5
            )
            assert fit.gel_se[row["experiment"]] == pytest.approx(row["se_lsq"], abs=1e-5)
        known = levels[levels["target"].eq(target)].set_index("arm")["log2_aligned_lsq"]
        shift = np.array([fit.arm[arm] for arm in known.index]) - known.to_numpy()
        assert np.ptp(shift) < 1e-5


def test_contrasts_of_real_gels_are_those_published_with_their_blocks(shared_data):
    folder = shared_data / "mtorc1/copeland_blots"
    data = pd.read_csv(folder / "densitometry.csv")
    data["y"] = np.log2(data["band_volume"] / data["total_lane_signal"])
    for row in pd.read_csv(folder / "expected_contrasts.csv").to_dict("records"):
        own = data[data["experiment"].eq(row["experiment"]) & data["protein"].eq(row["protein"])]
        first, second = (list(dict.fromkeys(own[key])) for key in ("factor_a", "factor_b"))
        table = own.pivot_table(index="gel", columns=["factor_a", "factor_b"], values="y")
        order = [(a, b) for a in first for b in second]
        weights = {
            "A_main_at_B0": [-1, 0, 1, 0],
            "B_main_at_A0": [-1, 1, 0, 0],
            "interaction": [1, -1, -1, 1],
        }[row["contrast"]]
        y = table[order].to_numpy()
        pooled, paired = fit_blocks(y).contrast(weights), paired_contrast(y, weights)
        assert pooled == pytest.approx(
            (row["estimate_log2"], row["se_pooled"], row["df_pooled"]), rel=1e-5
        )
        assert paired.se == pytest.approx(row["se_paired"], rel=1e-5)


def test_one_experiment_by_hand():
    """Noise-free lanes: every activation is its truth, and RDI and ADI follow by arithmetic."""
    table = analyse_signaling(made(sd=1e-9), S).mtorc1_divergence.set_index("stimulus")
    for name in ("Leu", "Gln"):
        assert table.loc[name, "a_wt"] == pytest.approx(RAG[name], abs=1e-6)
        assert table.loc[name, "rdi"] == pytest.approx(1 - NO_RAG[name] / RAG[name], abs=1e-6)
        assert table.loc[name, "adi"] == pytest.approx(1 - NO_BOTH[name] / NO_RAG[name], abs=1e-6)


def test_classes_of_other_truths():
    half = RAG | {"Leu": 2.0}
    assert classes(made(truths=(RAG, RAG, {k: v / 2 for k, v in RAG.items()}, NO_BOTH)))["Leu"] in (
        "mixed",
        "inconclusive",
    )
    no_arf1 = classes(made(truths=(half, RAG, NO_RAG, NO_RAG)))
    assert no_arf1["Gln"] == "rag_independent" and no_arf1["Leu"] == "rag_dependent"
    bands = made()
    untested = bands[bands["drug"].ne("BFA")]
    row = analyse_signaling(untested, S).mtorc1_divergence.set_index("stimulus").loc["Gln"]
    assert (row["class"], row["code"]) == ("rag_independent", "MTORC1_ARF1_NOT_TESTED")
    assert row["matches_expected"] is True or bool(row["matches_expected"])


def test_the_quick_rules_decide_as_the_classes_do():
    """Linear contrasts over all draws, against Fieller's sets one by one."""
    truths = {"Leu": Truth(1.5, 0.5, 0.2), "Gln": Truth(1.2, 0.8, 0.3)}
    y = simulated_arms(truths, 3, 0.4, n_arms=12, draws=60, seed=3)
    fast = decide(y, list(truths), S)
    ko, wt = names.KNOCK_OUT, names.WILD_TYPE
    groups = ((wt, "vehicle"), (ko, "vehicle"), (ko, "BFA"))
    arms = [(*group, stimulus) for stimulus in ("starved", *truths) for group in groups]
    arms += [(wt, "BFA", "starved"), (wt, "BFA", "Leu"), (wt, "BFA", "Gln")]
    slow = {name: [] for name in truths}
    for draw in y:
        found = evidence(model_of([1, 2, 3], arms, draw, S.max_paired_se_ratio))
        p = p_values(found)
        for one in found:
            state, name, _ = classify(one, *p[one.stimulus][2:], S)
            slow[one.stimulus].append(name or state)
    assert {name: list(values) for name, values in fast.items()} == slow


@pytest.mark.parametrize(("sd", "n"), [(0.2, 3), (0.3, 3), (0.5, 3), (0.5, 5)])
def test_a_true_rdi_of_one_half_is_rarely_called_either(sd, n):
    truths = {str(k): Truth(a, a / 2, 0.1) for k, a in enumerate((2.0, 1.8, 1.6, 1.4))}
    chances = class_chances(truths, n, sd, S, biological_sd=0.1, draws=2000, seed=5)
    dependent = np.mean([one.get("rag_dependent", 0) for one in chances.values()])
    independent = np.mean(
        [
            one.get("rag_independent", 0) + one.get("rag_independent_arf1", 0)
            for one in chances.values()
        ]
    )
    assert dependent <= 0.05 and independent <= 0.06


@pytest.mark.parametrize(
    ("sd", "n", "leu", "gln", "asn"),
    [
        (0.2, 3, 0.98, 0.94, 0.87),
        (0.3, 3, 0.83, 0.75, 0.62),
        (0.3, 4, 0.93, 0.86, 0.76),
        (0.3, 5, 0.98, 0.92, 0.84),
        (0.5, 6, 0.76, 0.67, 0.55),
    ],
)
def test_power_is_that_of_the_table(sd, n, leu, gln, asn):
    chances = class_chances(TRUTHS, n, sd, S, biological_sd=0.1, draws=4000)
    found = [chances["Leu"].get("rag_dependent", 0)] + [
        chances[name].get("rag_independent_arf1", 0) + chances[name].get("rag_independent", 0)
        for name in ("Gln", "Asn")
    ]
    assert found == pytest.approx([leu, gln, asn], abs=0.03)


def test_intervals_cover_the_truth():
    rng, inside, draws = np.random.default_rng(8), 0, 600
    ko, wt = names.KNOCK_OUT, names.WILD_TYPE
    arms = [(g, "vehicle", s) for g in (wt, ko) for s in ("starved", "Leu", "Gln", "Arg")]
    mean = np.array([0, 2.0, 1.6, 1.8, 0, 1.0, 1.5, 0.1])
    wild, knock = activation(wt, "vehicle", "Leu"), activation(ko, "vehicle", "Leu")
    for _ in range(draws):
        fitted = model_of([1, 2, 3, 4], arms, mean + 0.3 * rng.standard_normal((4, 8)))
        found = fitted.ratio(less(wild, knock), wild)
        inside += found.low <= 0.5 <= found.high
    assert 0.93 <= inside / draws <= 0.97


def edited(change, where):
    bands = made()
    chosen = where(bands)
    assert chosen.any()
    return change(bands, chosen)


def drop(bands, rows):
    return bands[~rows]


def set_to(**values):
    def change(bands, rows):
        bands = bands.copy()
        for column, value in values.items():
            bands.loc[rows, column] = value
        return bands

    return change


def lane(target="pS6K_T389", experiment=1, **sample):
    def where(bands):
        rows = bands["target"].eq(target) if target else bands["volume"].notna()
        rows &= bands["experiment"].eq(experiment) if experiment else True
        for column, value in sample.items():
            rows &= bands[column].eq(value)
        return rows

    return where


BAD = {
    "starved missing everywhere": (
        drop, lane(None, None, genotype="WT", drug="vehicle", stimulus="starved"), "MTORC1_ARM_MISSING"),
    "starved missing in two of four": (
        drop, lambda b: lane(None, None, genotype="WT", drug="vehicle", stimulus="starved")(b)
        & b["experiment"].le(2), "MTORC1_STIMULUS_FEW"),
    "one genotype": (drop, lane(None, None, genotype="RagAB_KO"), "MTORC1_GENOTYPE_MISSING"),
    "saturated": (set_to(saturated=True), lane(genotype="WT", drug="vehicle", stimulus="Leu"),
                  "MTORC1_SATURATED"),
    "saturated starved": (
        set_to(saturated=True), lane(genotype="RagAB_KO", drug="vehicle", stimulus="starved"),
        "MTORC1_SATURATED"),
    "no total": (drop, lane("S6K", genotype="WT", drug="vehicle", stimulus="Leu"), "MTORC1_NO_TOTAL"),
    "no total at all": (drop, lane("S6K", None), "MTORC1_NO_TOTAL"),
    "one experiment": (drop, lambda b: b["experiment"].gt(1), "MTORC1_FEW_EXPERIMENTS"),
    "negative": (set_to(volume=20.0), lane(genotype="WT", drug="vehicle", stimulus="Leu"),
                 "MTORC1_BELOW_BACKGROUND"),
    "negative total": (
        set_to(volume=20.0), lane("S6K", genotype="WT", drug="vehicle", stimulus="Leu"),
        "MTORC1_TOTAL_BELOW_BACKGROUND"),
    "Torin": (set_to(volume=5000.0), lane("pS6K_T389", None, drug="Torin", genotype="WT"),
              "MTORC1_TORIN_HIGH"),
    "no phospho": (drop, lane("pS6K_T389", None), None),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_invalid_gets_words_and_no_class(name):
    change, where, code = BAD[name]
    bands = edited(change, where)
    study = analyse_signaling(bands, S)
    table = study.mtorc1_divergence
    if code is None:
        assert table.empty and "MTORC1_NO_PRIMARY" in list(study.mtorc1_validity["code"])
        return
    own = table[table["stimulus"].eq("Leu")]
    assert own.empty or (own[["status", "class"]].to_numpy() == [["invalid", ""]]).all()
    assert own[["rdi", "adi", "p_adjusted"]].isna().all(axis=None)
    said = {finding.code for finding in study.findings} | set(table["code"])
    assert code in said
    assert all(finding.sentence for finding in study.findings)


def test_a_saturated_lane_left_out_by_the_user_gives_the_class_back():
    where = lane(genotype="WT", drug="vehicle", stimulus="Leu")
    bands = edited(set_to(saturated=True, excluded=True, exclusion_reason="saturated"), where)
    row = analyse_signaling(bands, S).mtorc1_divergence.set_index("stimulus").loc["Leu"]
    assert (row["class"], row["n_experiments"]) == ("rag_dependent", 3)


def test_a_knock_out_that_is_none_gives_no_independence():
    same = made(truths=(RAG, RAG, RAG, NO_BOTH))
    assert status(same, "Gln")[::2] == ("invalid", "MTORC1_RAG_NOT_SHOWN")
    assert classes(same, rag_loss="sequencing")["Gln"].startswith("rag_independent")
    rag = same[same["target"].eq("S6K")].assign(target="RagA")
    with_band = pd.concat([made(), made()[made()["target"].eq("S6K")].assign(target="RagA")])
    assert status(with_band.reset_index(drop=True))[::2] == ("invalid", "MTORC1_RAG_LEFT")
    lost = rag["genotype"].eq("RagAB_KO")
    rag.loc[lost, "volume"] = 60.0
    shown = analyse_signaling(pd.concat([made(), rag], ignore_index=True), S).mtorc1_validity
    assert shown.loc[shown["rule"].eq("rag_loss"), "code"].tolist() == ["MTORC1_RAG_LOST"]


def test_a_starved_lane_on_another_gel_needs_reference_lanes():
    bands = made()
    moved = bands["experiment"].eq(1) & bands["stimulus"].eq("starved")
    bands.loc[moved, "membrane"] = "E1B"
    study = analyse_signaling(bands, S)
    assert "MTORC1_SPLIT_UNLINKED" in list(study.mtorc1_validity["code"])
    assert set(study.mtorc1_divergence["n_experiments"]) == {3}
    reference = bands[moved].drop_duplicates(["target"]).assign(
        genotype="reference", drug="vehicle", stimulus="reference", lane_role="reference")  # fmt: skip
    extra = [
        reference.assign(membrane=membrane, lane=number)
        for membrane in ("E1", "E1B")
        for number in (91, 92)
    ]
    linked = analyse_signaling(pd.concat([bands, *extra], ignore_index=True), S)
    assert "MTORC1_SPLIT_GELS" in list(linked.mtorc1_validity["code"])
    assert set(linked.mtorc1_divergence["n_experiments"]) == {4}


def test_total_on_a_second_membrane_is_found_by_the_sample():
    bands = made()
    total = bands["target"].eq("S6K")
    bands.loc[total, "membrane"] = bands.loc[total, "membrane"] + "-total"
    ratios = lane_ratios(bands)
    assert ratios["log2_ratio"].notna().all()
    assert ratios["normaliser"].iloc[0] == "S6K (membrane E1-total)"
    assert classes(bands)["Leu"] == "rag_dependent"


TABLE = """membrane,lane,experiment,genotype,drug,stimulus,target,volume,background,saturated
M1,1,1,WT,veh,starved,p-S6K (T389),100,10,false
M1,2,1,DKO,DMSO,leucine,pS6K_T389,200,10,false
M1,3,1,ref,,pool,total S6K,300,10,false
M1,4,1,WT,,all+Torin,S6K,300,10,
"""


def test_words_of_a_table_become_the_kits(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    bands, _ = read_signaling(tmp_path, "a.csv", S)
    assert bands[["genotype", "drug", "stimulus", "target"]].to_numpy().tolist() == [
        ["WT", "vehicle", "starved", "pS6K_T389"],
        ["RagAB_KO", "vehicle", "Leu", "pS6K_T389"],
        ["reference", "vehicle", "reference", "S6K"],
        ["WT", "Torin", "all", "S6K"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("leucine", "leucin", "stimulus 'leucin'"),
        ("p-S6K (T389)", "pS6X", "target 'pS6X'"),
        ("veh,starved", "BFB,starved", "drug 'BFB'"),
        ("M1,2,1,DKO", "M1,1,1,DKO", "twice"),
        ("M1,2,1,DKO", "M1,2,x,DKO", "experiment"),
        ("M1,2,1,DKO", "M1,2,,DKO", "experiment is missing"),
        ("M1,2,1,DKO", "M1,2,1,", "genotype is missing"),
        (",genotype,", ",clone,", "no column genotype"),
    ],
)
def test_bad_tables_are_refused_in_words(tmp_path, old, new, what):
    assert old in TABLE
    (tmp_path / "a.csv").write_text(TABLE.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        read_signaling(tmp_path, "a.csv", S)
    assert what in str(error.value)


def test_one_membrane_name_in_several_experiments_is_told_apart():
    bands = made(experiments=2).assign(membrane="1", file="x.csv")
    assert combine([bands])["membrane"].nunique() == 2
    with pytest.raises(InputError, match="in two files"):
        combine([made(1), made(1)])


def test_tidy_names_every_problem_at_once():
    rows = made(1).assign(cell_line="")
    rows.loc[0, "stimulus"], rows.loc[5, "target"] = "Leuu", "S7K"
    with pytest.raises(InputError) as error:
        tidy(rows, "a.csv")
    assert len(error.value.problems) == 2
