"""Correlation over lines: the rules of small n, lineage, influence, comparison and ROC, by hand, by
simulation and on the real panel.
"""

import math
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sps

import kit
from kit import stats
from kit.asns.claims import claims_table
from kit.asns.correlation import (
    BANNER,
    NOT_A_TEST,
    banner,
    by_lineage,
    comparisons,
    correlations,
    discordant,
    influence,
    roc,
)
from kit.asns.lines import (
    GI50_OUTCOME,
    GR_OUTCOME,
    IC50_OUTCOME,
    MRNA,
    PROTEIN,
    lines_table,
    mrna_by_line,
    nci60_panel,
    panel_positions,
    pool,
    sensitivity_from_calls,
    sensitivity_from_dose_response,
    sensitivity_from_growth,
)
from kit.config.settings import Settings
from kit.core.columns import TABLES
from kit.plots import asns as plots
from kit.plots import blot as blots
from kit.plots import style

DEFAULTS = {
    "min_lines_estimate": 5,
    "min_lines_inference": 8,
    "preferred_lines": 10,
    "min_lines_per_class": 5,
    "discordant_z": 1.0,
}
OTHERS = {"asns_low_percent": 10.0, "alpha": 0.05, "bootstrap_draws": 500, "seed": 1}
S = SimpleNamespace(**DEFAULTS, **OTHERS)


def test_settings_agree_with_the_specification() -> None:
    shared = {
        name: field.default for name, field in Settings.model_fields.items() if name in DEFAULTS
    }
    assert shared == {name: DEFAULTS[name] for name in shared}


def frame(x, y, **more) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell_line": [f"L{i}" for i in range(len(x))],
            PROTEIN: np.asarray(x, float),
            GR_OUTCOME: np.asarray(y, float),
            **more,
        }
    )


def simulated(
    n: int, seed: int, *, protein: float = -0.9, mrna: float = 0.0, link: float = 0.2
) -> pd.DataFrame:
    """Lines whose sensitivity correlates with protein and mRNA as asked."""
    cov = np.array([[1, link, protein], [link, 1, mrna], [protein, mrna, 1]])
    values = np.random.default_rng(seed).multivariate_normal(np.zeros(3), cov, n)
    return frame(values[:, 0], values[:, 2], **{MRNA: values[:, 1]})


# ---- how many lines allow what
# -------------------------------------------------------------------------------------------

SIZES = [
    (3, False, False),
    (4, False, False),
    (5, True, False),
    (7, True, False),
    (8, True, True),
    (12, True, True),
]


@pytest.mark.parametrize(("n", "estimate", "inference"), SIZES)
def test_rules_of_small_n(n: int, estimate: bool, inference: bool) -> None:
    rng = np.random.default_rng(n)
    row = correlations(
        frame(rng.normal(size=n), rng.normal(size=n)), [PROTEIN], [GR_OUTCOME], S, source="here"
    ).iloc[0]
    assert row["n_lines"] == n
    assert math.isfinite(row["spearman"]) is estimate and math.isfinite(row["pearson"]) is estimate
    for column in ("p", "spearman_ci_low", "pearson_ci_high", "bca_low"):
        assert math.isfinite(row[column]) is inference, column
    words = "plotted only" if not estimate else "descriptive" if not inference else ""
    assert words in row["note"]


def test_four_lines_of_the_source_support_nothing() -> None:
    row = correlations(frame([1, 2, 3, 4], [4, 3, 2, 1]), [PROTEIN], [GR_OUTCOME], S).iloc[0]
    assert math.isnan(row["spearman"]) and "an exact p below 0.05 is impossible" in row["note"]
    assert stats.spearman([1, 2, 3, 4], [4, 3, 2, 1]).p == pytest.approx(2 / math.factorial(4))


def test_table_agrees_with_scipy_and_ranks() -> None:
    lines = simulated(25, 3)
    row = correlations(lines, [PROTEIN], [GR_OUTCOME], S).iloc[0]
    rho = sps.spearmanr(lines[PROTEIN], lines[GR_OUTCOME])
    assert (row["spearman"], row["p"]) == pytest.approx((rho.statistic, rho.pvalue))
    assert row["pearson"] == pytest.approx(np.corrcoef(lines[PROTEIN], lines[GR_OUTCOME])[0, 1])
    half = 1.959963984540054 * math.sqrt((1 + rho.statistic**2 / 2) / 22)  # Bonett & Wright
    ends = np.tanh(np.arctanh(rho.statistic) + half * np.array([-1, 1]))
    assert (row["spearman_ci_low"], row["spearman_ci_high"]) == pytest.approx(tuple(ends))


def test_missing_values_drop_lines_and_empty_predictors_drop_rows() -> None:
    lines = simulated(12, 4)
    lines.loc[:2, MRNA] = np.nan
    table = correlations(
        lines.assign(other=np.nan), [PROTEIN, MRNA, "other", "absent"], [GR_OUTCOME, "absent"], S
    )
    assert dict(zip(table["predictor"], table["n_lines"])) == {PROTEIN: 12, MRNA: 9}
    assert list(correlations(lines, ["absent"], [GR_OUTCOME], S).columns) == list(
        TABLES["asns_correlation"]
    )


def test_constant_values_have_no_correlation() -> None:
    row = correlations(frame([1] * 9, range(9)), [PROTEIN], [GR_OUTCOME], S).iloc[0]
    assert math.isnan(row["spearman"]) and "does not vary" in row["note"]


def test_one_line_that_makes_the_correlation_is_named() -> None:
    """Nine unrelated lines and one far out: without it nothing is left."""
    x, y = (
        np.r_[0.1, 0.9, 0.5, 0.3, 0.7, 0.2, 0.8, 0.4, 9],
        np.r_[0.6, 0.4, 0.9, 0.2, 0.7, 0.5, 0.3, 0.8, 9],
    )
    lines = frame(x, y)
    row = correlations(lines, [PROTEIN], [GR_OUTCOME], S).iloc[0]
    table = influence(lines, PROTEIN, GR_OUTCOME)
    by_hand = [sps.spearmanr(np.delete(x, i), np.delete(y, i)).statistic for i in range(9)]
    assert table.set_index("cell_line")["spearman_without"].reindex(
        [f"L{i}" for i in range(9)]
    ).tolist() == pytest.approx(by_hand)
    assert table["cell_line"].iloc[0] == "L8"
    assert row["max_leave_one_out_change"] == pytest.approx(
        np.max(np.abs(np.array(by_hand) - row["spearman"]))
    )
    assert "SIGN_DEPENDS" in row["code"].split()


# ---- protein against mRNA
# ------------------------------------------------------------------------------------------------


def test_comparison_uses_complete_pairs_only() -> None:
    lines = simulated(20, 5)
    lines.loc[:4, MRNA] = np.nan
    table = comparisons(lines, [(PROTEIN, MRNA)], GR_OUTCOME, S).set_index("kind")
    complete = lines.dropna()
    assert set(table["n_lines"]) == {15}
    r = np.corrcoef(complete[[PROTEIN, MRNA, GR_OUTCOME]].to_numpy().T)
    assert table.loc["pearson", ["r_a", "r_b", "r_ab"]].tolist() == pytest.approx(
        [r[0, 2], r[1, 2], r[0, 1]]
    )
    rank = np.corrcoef(sps.rankdata(complete[[PROTEIN, MRNA, GR_OUTCOME]], axis=0).T)
    assert table.loc["spearman", ["r_a", "r_b", "r_ab"]].tolist() == pytest.approx(
        [rank[0, 2], rank[1, 2], rank[0, 1]]
    )
    assert NOT_A_TEST in table.loc["pearson", "note"]


def test_lorenzi_2008_is_reproduced() -> None:
    """Published r -0.65 (protein) and -0.21 (mRNA) on 19 lines; with an inter-r of 0.5 cocor gives
    t = -2.3239, p = 0.0336.
    """
    from kit.asns.correlation import compared

    t = stats.williams_test(-0.65, -0.21, 0.5, 19)
    assert (t.statistic, t.p) == pytest.approx((-2.32392505378081, 0.033623636369017), abs=1e-12)
    zou = stats.zou_interval(-0.65, -0.21, 0.5, 19)
    row = {
        "predictor_a": PROTEIN,
        "predictor_b": MRNA,
        "n_lines": 19,
        "r_a": -0.65,
        "r_b": -0.21,
        "williams_p": t.p,
    }
    row |= {"zou_ci_low": zou.low, "zou_ci_high": zou.high}
    assert compared(row, S).sentence.startswith(
        "On 19 lines protein predicts better (Williams p = 0.034; difference from -0.87 to -0.04)."
    )


def test_too_few_lines_are_not_compared() -> None:
    row = comparisons(simulated(7, 1), [(PROTEIN, MRNA)], GR_OUTCOME, S).iloc[0]
    assert (
        math.isnan(row["williams_p"])
        and math.isnan(row["zou_ci_low"])
        and "too few to compare" in row["note"]
    )


def test_no_difference_is_not_called_equality() -> None:
    row = comparisons(
        simulated(12, 8, protein=-0.4, mrna=-0.4, link=0.5), [(PROTEIN, MRNA)], GR_OUTCOME, S
    ).iloc[0]
    assert "equality is not shown either" in row["note"]


def test_opposite_signs_are_said() -> None:
    row = comparisons(
        simulated(40, 2, protein=-0.6, mrna=0.6, link=0.0), [(PROTEIN, MRNA)], GR_OUTCOME, S
    ).iloc[0]
    assert "opposite signs" in row["note"]


@pytest.mark.parametrize(("n", "power"), [(10, 0.49), (20, 0.88), (30, 0.98)])
def test_power_table_of_the_specification(n: int, power: float) -> None:
    """|0.8| against |0.3|, inter-r 0.5: share of 4,000 simulated sets with Williams p < 0.05."""
    cov = np.array([[1, 0.5, 0.8], [0.5, 1, 0.3], [0.8, 0.3, 1]])
    draws = np.random.default_rng(n).multivariate_normal(np.zeros(3), cov, (4000, n))
    centred = draws - draws.mean(axis=1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True))
    r = np.einsum("snj,snk->sjk", scaled, scaled)
    found = np.mean(stats.williams_test(r[:, 0, 2], r[:, 1, 2], r[:, 0, 1], n).p < 0.05)
    assert found == pytest.approx(power, abs=0.03)


def test_planted_twelve_line_panel() -> None:
    """Protein explains sensitivity, mRNA does not: over 60 simulated panels protein is found and
    rarely mRNA.
    """
    tables = [
        correlations(simulated(12, seed), [PROTEIN, MRNA], [GR_OUTCOME], S).set_index("predictor")
        for seed in range(60)
    ]
    assert np.mean([t.loc[PROTEIN, "p"] < 0.05 for t in tables]) > 0.95
    assert np.mean([t.loc[MRNA, "p"] < 0.05 for t in tables]) < 0.15
    assert np.mean([t.loc[PROTEIN, "spearman"] for t in tables]) < -0.75


def test_mrna_alone_carries_the_banner() -> None:
    lines = simulated(12, 1)
    assert banner(correlations(lines, [MRNA], [GR_OUTCOME], S)) == BANNER
    assert banner(correlations(lines, [PROTEIN, MRNA], [GR_OUTCOME], S)) == ""
    assert banner(correlations(lines, [PROTEIN], [GR_OUTCOME], S)) == ""


# ---- lineage, discordance, ROC
# -------------------------------------------------------------------------------------------


def test_simpson_two_clusters_make_a_correlation() -> None:
    rng = np.random.default_rng(6)
    cluster = np.repeat([0.0, 6.0], 15)
    lines = frame(
        cluster + rng.normal(size=30),
        -cluster + rng.normal(size=30),
        lineage=np.repeat(["leukemia", "carcinoma"], 15),
    )
    table = by_lineage(lines, PROTEIN, GR_OUTCOME, S).set_index("scope")
    assert table.loc["all lines", "p"] < 1e-4
    assert table.loc["within lineages", "p"] > 0.05
    assert abs(table.loc["within lineages", "spearman"]) < 0.4
    assert table.loc[["leukemia", "carcinoma"], "n_lines"].tolist() == [15, 15]


def test_confounded_lineage_is_not_separable() -> None:
    lines = frame([1, 1, 1, 1, 1, 5, 5, 5, 5, 5], range(10), lineage=["a"] * 5 + ["b"] * 5)
    assert (
        by_lineage(lines, PROTEIN, GR_OUTCOME, S).set_index("scope").loc["within lineages", "note"]
        == "not separable"
    )


def test_discordant_lines_by_hand() -> None:
    lines = frame(
        [0, 0, 0, -4],
        [1, 1, 1, 1],
        **{MRNA: [0.0, 1, 2, 3], "percent_of_reference": [100.0, 100, 100, 6.25]},
    )
    table = discordant(lines, S)
    z_mrna, z_protein = (
        (3 - 1.5) / np.std([0, 1, 2, 3], ddof=1),
        (-4 + 1) / np.std([0, 0, 0, -4], ddof=1),
    )
    assert table[["cell_line", "difference"]].values.tolist() == [
        ["L3", pytest.approx(z_mrna - z_protein)]
    ]
    assert discordant(lines.assign(percent_of_reference=50.0), S).empty
    assert discordant(lines.drop(columns=MRNA), S).empty


def test_roc_area_by_counting_pairs() -> None:
    values, positive = (
        [1, 2, 3, 6, 2.5, 4.5, 5, 7, 8, 9],
        [True, True, True, True, True, False, False, False, False, False],
    )
    lines = frame(values, [0] * 10, auxotroph=pd.array(positive, dtype="boolean"))
    result = roc(lines, PROTEIN, S)
    pairs = [(a, b) for a in values[:5] for b in values[5:]]
    assert result["auc"] == pytest.approx(np.mean([a < b for a, b in pairs]))
    every = [
        np.mean([sum(c) for c in [chosen]]) for chosen in combinations(sps.rankdata(values), 5)
    ]
    extreme = np.mean([abs(s - 27.5) >= abs(sum(sps.rankdata(values)[:5]) - 27.5) for s in every])
    assert result["p"] == pytest.approx(extreme)
    assert result["cutoff"] == 3.75  # between 3 and 4.5: four of five found, none wrongly
    assert result["accuracy_left_out"] == pytest.approx(
        0.9
    )  # only the auxotroph at 6 is missed, whatever is left out


@pytest.mark.parametrize(("n", "chance"), [(2, "17 %"), (3, "5 %")])
def test_small_classes_are_warned_of(n: int, chance: str) -> None:
    lines = frame(
        range(2 * n), [0] * 2 * n, auxotroph=pd.array([True] * n + [False] * n, dtype="boolean")
    )
    result = roc(lines, PROTEIN, S)
    assert result["auc"] == 1 and chance in result["note"] and math.isnan(result["cutoff"])
    assert roc(lines.drop(columns="auxotroph"), PROTEIN, S)["n_positive"] == 0


# ---- where the lines come from
# ---------------------------------------------------------------------------------------------


def test_lines_meet_whatever_their_spelling() -> None:
    protein = pd.DataFrame({"cell_line": ["Molt 4", "A549", "own"], PROTEIN: [1.0, 2, 3]})
    mrna = pd.DataFrame({"cell_line": ["MOLT-4", "a549", "HeLa"], MRNA: [4.0, 5, 6]})
    table = lines_table(protein, mrna, None, lineage={"own": "home"}).set_index("line_key")
    assert table.loc["MOLT-4", [PROTEIN, MRNA]].tolist() == [1, 4]
    assert table.loc["A549", [PROTEIN, MRNA]].tolist() == [2, 5]
    assert set(table["cell_line"]) == {"Molt 4", "A549", "own", "HeLa"}
    assert table["lineage"].to_dict() == {
        "MOLT-4": "lymphoid",
        "A549": "lung",
        "own": "home",
        "HeLa": "cervix",
    }


def test_replicates_are_averaged_before_anything_is_counted() -> None:
    mrna = pd.DataFrame(
        {
            "cell_line": ["A", "A", "A"],
            "value": [1.0, 3, np.nan],
            "condition": ["basal", "basal", "basal"],
        }
    )
    assert mrna_by_line(mrna)[MRNA].tolist() == [2]


def test_sensitivity_of_each_kind() -> None:
    calls = pd.DataFrame(
        {
            "cell_line": ["A", "B", "C", "A"],
            "amino_acid": ["asparagine"] * 3 + ["serine"],
            "gr": [-0.1, 0.8, 0.3, 1],
        }
    )
    table = sensitivity_from_calls(
        calls.assign(call=["auxotrophic", "prototrophic", "inconclusive", "prototrophic"])
    )
    assert table[GR_OUTCOME].tolist() == pytest.approx([1.1, 0.2, 0.7])
    assert table["auxotroph"].tolist()[:2] == [True, False] and table[
        "auxotroph"
    ].isna().tolist() == [False, False, True]
    growth = pd.DataFrame(
        {
            "cell_line": "A",
            "medium": ["no", "no", "no", "full"],
            "replicate": [1, 1, 2, 1],
            "hours": 48.0,
            "gr": [0.1, 0.3, 0.6, 1],
        }
    )
    assert sensitivity_from_growth(growth, ["no"])[GR_OUTCOME].tolist() == pytest.approx(
        [1 - (0.2 + 0.6) / 2]
    )
    row = {"cell_line": "A", "agent": "L-asparaginase", "medium": "complete", "replicate": "all"}
    row |= {"scale": "gr", "status": "ok", "ic50_relative": 0.01}
    others = [  # none of these is the line's own IC50
        {"replicate": "1", "ic50_relative": 0.1},
        {"medium": "refed", "ic50_relative": 10.0},
        {"scale": "relative_viability", "ic50_relative": 0.5},
        {"cell_line": "C", "status": "NO_EFFECT", "ic50_relative": np.nan},
    ]
    doses = pd.DataFrame([row, *(row | other for other in others)])
    found = sensitivity_from_dose_response(doses, "complete")
    assert found.values.tolist() == [["A", 2.0]] and IC50_OUTCOME in found
    only = doses[doses["scale"].eq("relative_viability")]
    assert sensitivity_from_dose_response(only, "complete")[IC50_OUTCOME].tolist() == [
        pytest.approx(-np.log10(0.5))
    ]


def test_a_lines_sensitivity_is_the_ic50_that_its_report_prints(root: Path) -> None:
    found = kit.analyse(kit.load(root / "data" / "examples" / "EXP-DEMO-04"))
    table = found.dose_response
    printed = table[
        table["replicate"].eq("all") & table["scale"].eq("gr") & table["medium"].eq("complete")
    ].set_index("cell_line")
    lines = found.asns_lines.set_index("cell_line")[IC50_OUTCOME]
    for line in ("MOLT-4", "Jurkat"):
        assert lines[line] == pytest.approx(-np.log10(printed.loc[line, "ic50_relative"]))


def test_experiments_are_pooled_line_by_line() -> None:
    one = lines_table(
        pd.DataFrame(
            {
                "cell_line": ["A549", "HeLa"],
                PROTEIN: [1.0, 2.0],
                "auxotroph": pd.array([False, False], dtype="boolean"),
            }
        )
    )
    two = lines_table(
        pd.DataFrame(
            {
                "cell_line": ["A-549", "Reh"],
                PROTEIN: [3.0, 5.0],
                "auxotroph": pd.array([True, True], dtype="boolean"),
            }
        )
    )
    pooled = pool([one, two]).set_index("line_key")
    assert pooled[PROTEIN].to_dict() == {"A549": 2.0, "HeLa": 2.0, "Reh": 5.0}
    assert pooled["n_experiments"].to_dict() == {"A549": 2, "HeLa": 1, "Reh": 1}
    assert pooled["auxotroph"].isna().to_dict() == {"A549": True, "HeLa": False, "Reh": False}


# ---- the real panel
# ------------------------------------------------------------------------------------------------------


def test_nci60_tells_the_weaker_story() -> None:
    """README of the data: |r| at most 0.35 where n is at least 42; no Spearman comparison favours
    either predictor.
    """
    panel = nci60_panel()
    table = correlations(panel.lines, panel.predictors, [panel.outcome], S, caveats=panel.caveats)
    large = table[table["n_lines"] >= 42]
    assert len(large) == 3 and large[["spearman", "pearson"]].abs().max(axis=None) < 0.35
    compared = comparisons(
        panel.lines, [(name, MRNA) for name in panel.predictors[:3]], panel.outcome, S
    )
    ranks = compared[compared["kind"] == "spearman"]
    assert (ranks["williams_p"] > 0.05).all() and len(ranks) == 3
    pearson = compared[(compared["kind"] == "pearson") & (compared["williams_p"] < 0.05)]
    assert (
        pearson["predictor_a"].tolist() == ["protein (SWATH)"]
        and (pearson["r_b"].abs() > pearson["r_a"].abs()).all()
    )
    claims = claims_table(correlation=table, comparison=compared).set_index("claim")
    assert claims.loc["S4", "judged"] == "contradicted"
    assert (
        claims.loc["C3", "judged"] == "left open"
        and "0 favour protein and 1 mRNA" in claims.loc["C3", "these_data"]
    )
    assert "ties" in table["note"].iloc[0]


def test_users_lines_stand_in_the_panel() -> None:
    table = panel_positions(["JURKAT", "Molt 4", "A-549", "nowhere"]).set_index("cell_line")
    assert round(table.loc["JURKAT", "percentile"]) == 77
    assert table["panel_line"].to_dict() == {
        "JURKAT": "JURKAT",
        "Molt 4": "",
        "A-549": "A549",
        "nowhere": "",
    }
    mrna = panel_positions(["Molt 4"], "NCI-60", "asns_mrna_log2").iloc[0]
    assert mrna["panel_line"] == "MOLT-4" and mrna["percentile"] < 5


def test_claims_about_levels_follow_the_blots() -> None:
    lines = pd.DataFrame(
        {
            "cell_line": ["HeLa", "A 549", "Molt 4", "JURKAT"],
            "class": ["high", "high", "low", "moderate"],
            "n_replicates": 3,
        }
    )
    lines = lines.assign(class_range=lines["class"], percent_of_reference=[120.0, 90, 5, 30])
    claims = claims_table(protein_lines=lines).set_index("claim")
    assert (claims.loc["C1", "judged"], claims.loc["C2", "judged"]) == ("supported", "contradicted")
    alone = claims_table().set_index("claim")
    assert (
        alone.loc["C1", "judged"] == "left open"
        and "no usable blot of HeLa and A549" in alone.loc["C1", "these_data"]
    )
    assert alone.loc[["S1", "S5", "S2", "S7"], "judged"].tolist() == [
        "contradicted",
        "contradicted",
        "left open",
        "left open",
    ]
    assert (
        alone.loc[["S1", "S5", "S2", "S7"], "these_data"]
        == "Not addressed by these data: judged by the cited papers."
    ).all()


def blotted(**percents: float) -> pd.DataFrame:
    """`Western.asns_lines` of lines by their percent of the reference (dots in names stand for
    hyphens).
    """
    names = [name.replace("_", "-") for name in percents]
    cls = ["low" if p <= 10 else "moderate" if p <= 50 else "high" for p in percents.values()]
    return pd.DataFrame(
        {
            "cell_line": names,
            "class": cls,
            "class_range": cls,
            "percent_of_reference": list(percents.values()),
            "n_replicates": 3,
            "floored": False,
        }
    )


C1_CASES = [
    (
        blotted(HeLa=100, A549=98, MOLT_4=900, Jurkat=1200),
        "contradicted",
    ),  # nine to twelve times the reference stand beside them
    (blotted(HeLa=110, A549=90), "left open"),  # the reference against itself
    (blotted(HeLa=110, A549=90, MOLT_4=5, Reh=20, Jurkat=8), "supported"),
]


@pytest.mark.parametrize(("lines", "judged"), C1_CASES)
def test_high_lines_are_judged_against_others_not_against_themselves(
    lines: pd.DataFrame, judged: str, monkeypatch
) -> None:
    """HeLa and A549 make the reference, so about 100 % is what they have whatever they hold."""
    monkeypatch.setattr("kit.asns.claims._places", lambda names: ({}, []))
    row = claims_table(protein_lines=lines).set_index("claim").loc["C1"]
    assert row["judged"] == judged
    assert ("the reference is made of these lines" in row["these_data"]) == (judged == "left open")


SIGNS = [  # correlations of protein and mRNA with sensitivity, their own, what the sentence says, C3
    (-0.8, -0.1, 0.3, "protein predicts better", "supported"),
    (-0.1, -0.8, 0.3, "mRNA predicts better", "contradicted"),
    (0.8, -0.1, 0.1, "protein and mRNA differ", "left open"),
    (-0.7, 0.7, -0.4, "protein and mRNA differ", "left open"),
    (0.8, 0.1, 0.3, "protein and mRNA differ", "left open"),
]


@pytest.mark.parametrize(("protein", "mrna", "both", "said", "judged"), SIGNS)
def test_only_inverse_correlations_predict(
    protein: float, mrna: float, both: float, said: str, judged: str
) -> None:
    """40 lines with exactly these correlations (Cholesky of whitened normals): a wrong sign
    predicts nothing, however strong.
    """
    rng = np.random.default_rng(4)
    x = rng.normal(size=(40, 3))
    x = np.linalg.qr(x - x.mean(axis=0))[0]
    values = (
        x
        @ np.linalg.cholesky(np.array([[1, protein, mrna], [protein, 1, both], [mrna, both, 1]])).T
    )
    lines = pd.DataFrame(values, columns=[GR_OUTCOME, PROTEIN, MRNA])
    table = comparisons(lines, [(PROTEIN, MRNA)], GR_OUTCOME, S).assign(source="x")
    pearson = table[table["kind"] == "pearson"].iloc[0]
    assert (pearson["r_a"], pearson["r_b"]) == pytest.approx((protein, mrna)) and pearson[
        "williams_p"
    ] < 0.05
    assert said in pearson["note"] and ("predicts better" in pearson["note"]) == (
        "predicts" in said
    )
    assert (
        claims_table(comparison=table.assign(kind="spearman").iloc[[1]])
        .set_index("claim")
        .loc["C3", "judged"]
        == judged
    )


def strict(**sources: tuple[float, float, float]) -> pd.DataFrame:
    rows = [(name, PROTEIN, rho, low, high, 12) for name, (rho, low, high) in sources.items()]
    return pd.DataFrame(
        rows,
        columns=[
            "source",
            "predictor",
            "spearman",
            "spearman_ci_low",
            "spearman_ci_high",
            "n_lines",
        ],
    )


def test_a_strong_correlation_of_our_own_does_not_undo_the_panels() -> None:
    claims = claims_table(
        correlation=strict(ours=(-0.97, -0.99, -0.9), panel=(-0.2, -0.45, 0.1))
    ).set_index("claim")
    assert claims.loc["S4", "judged"] == "contradicted"
    assert (
        "ours: protein rho -0.97" in claims.loc["S4", "these_data"]
        and "panel: protein rho -0.20" in claims.loc["S4", "these_data"]
    )
    alone = claims_table(correlation=strict(ours=(-0.97, -0.99, -0.9))).set_index("claim")
    assert alone.loc["S4", "judged"] == "left open"
    wrong = claims_table(correlation=strict(ours=(0.97, 0.9, 0.99))).set_index(
        "claim"
    )  # more ASNS, more sensitive: not the claim
    assert wrong.loc["S4", "judged"] == "contradicted"


SERA = [((150.0, False), "supported"), ((40.0, False), "contradicted"), ((0.4, True), "left open")]


@pytest.mark.parametrize(("serum", "judged"), SERA)
def test_measured_serum_judges_its_claim(serum: tuple[float, bool], judged: str) -> None:
    row = (
        claims_table(sera={"FBS": SimpleNamespace(asparagine_uM=serum[0], dialyzed=serum[1])})
        .set_index("claim")
        .loc["S7"]
    )
    assert (row["judged"], row["literature"]) == (
        judged,
        "left open",
    ) and f"{serum[0]:g} uM measured" in row["these_data"]


@pytest.mark.parametrize(("percent", "s3"), [(80.0, "contradicted"), (4.0, "left open")])
def test_a_line_said_to_have_none_is_judged_by_its_blot(percent: float, s3: str) -> None:
    row = claims_table(protein_lines=blotted(MOLT_4=percent)).set_index("claim").loc["S3"]
    assert (row["judged"], row["literature"]) == (s3, "contradicted")


# ---- pooling of mRNA
# ------------------------------------------------------------------------------------------------------


def with_mrna(
    values: dict[str, float], sensitivity: dict[str, float], scale: str | None
) -> pd.DataFrame:
    mrna = pd.DataFrame({"cell_line": list(values), MRNA: list(values.values())})
    return lines_table(mrna if scale is None else mrna.assign(mRNA_scale=scale), pd.DataFrame({"cell_line": list(sensitivity), GR_OUTCOME: list(sensitivity.values())}))  # fmt: skip


TPM = {"MOLT-4": 6.0, "Jurkat": 7.0, "HL-60": 8.0, "Reh": 9.0}
CQ = {"A549": -1.5, "HeLa": -0.5, "PC-3": 0.5}


@pytest.mark.parametrize(
    ("scales", "kept"),
    [
        (("log2 TPM", "log2 TPM"), {**TPM, **CQ}),
        (("log2 TPM", "log2 relative to A549"), TPM),
        ((None, None), TPM),
        (("log2 relative", "log2 relative"), TPM),
        (("delta-delta Cq over GAPDH against the mean of its own lines",) * 2, TPM),
    ],
)
def test_mrna_is_pooled_within_one_scale_only(scales: tuple, kept: dict[str, float]) -> None:
    """Two experiments whose units differ by a shift would make a correlation out of the shift."""
    one = with_mrna(TPM, dict.fromkeys(TPM, 1.0), scales[0])
    two = with_mrna(CQ, dict.fromkeys(CQ, 0.2), scales[1])
    pooled = pool([one, two]).set_index("cell_line")
    assert pooled[MRNA].dropna().to_dict() == kept
    assert pooled[GR_OUTCOME].notna().all()  # the sensitivity of all is kept


# ---- figures
# -------------------------------------------------------------------------------------------------------------


def text_of(ax) -> str:
    return " ".join(
        t.get_text()
        for t in [*ax.texts, ax.title, ax._left_title, *ax.get_yticklabels(), *ax.get_xticklabels()]
    )


def test_figures_show_what_they_are_given(tmp_path) -> None:
    from test_western import LADDER, blot, membrane
    from test_western import S as western_settings

    from kit.western.quantify import quantify

    blotted = quantify(
        blot(
            "".join(
                membrane({"A549": 200, "MOLT-4": 9}, name=f"M{i}", replicate=i) for i in (1, 2, 3)
            )
            + LADDER
        ),
        western_settings,
    )
    panel = nci60_panel()
    row = correlations(panel.lines, [MRNA], [GI50_OUTCOME], S).iloc[0].to_dict()
    compared = comparisons(panel.lines, [("protein (SWATH)", MRNA)], GI50_OUTCOME, S)
    few = frame(range(6), range(6), auxotroph=pd.array([True] * 3 + [False] * 3, dtype="boolean"))
    drawn = {
        "low ≤ 10 %": lambda ax: plots.levels(blotted.asns_protein, blotted.asns_lines, ax),
        "n = 56 lines: Spearman ρ = -0.26": lambda ax: plots.correlation(
            panel.lines, MRNA, GI50_OUTCOME, ax, row=row, highlight=("MOLT-4",)
        ),
        "MOLT-4": lambda ax: plots.correlation(
            panel.lines, MRNA, GI50_OUTCOME, ax, highlight=("MOLT-4",)
        ),
        "A549, 67 %": lambda ax: plots.distribution(
            pd.Series([0.0, 1]), panel_positions(["A549"]), ax, label="x"
        ),
        "not in this panel: HeLa": lambda ax: plots.distribution(
            pd.Series([0.0, 1]), panel_positions(["HeLa"]), ax, label="x"
        ),
        "without T-47D": lambda ax: plots.influence(
            influence(panel.lines, MRNA, GI50_OUTCOME), row["spearman"], ax
        ),
        "p = 0.19": lambda ax: plots.comparison(compared, ax),
        "within lineages (n 56)": lambda ax: plots.lineages(
            by_lineage(panel.lines, MRNA, GI50_OUTCOME, S), ax
        ),
        "AUC 1.00": lambda ax: plots.roc(few, PROTEIN, roc(few, PROTEIN, S), ax),
        "ASNS 64 kDa": lambda ax: blots.ladder(
            blotted.ladders["M1"], blotted.lanes, ax, expected_kDa=64
        ),
        "MOLT-4 r2": lambda ax: blots.band_dots(blotted.lanes, ax),
    }
    for index, (expected, draw) in enumerate(drawn.items()):
        figure, ax = style.figure()
        assert draw(ax) is ax
        figure.savefig(tmp_path / f"{index}.png", dpi=40)
        assert expected in text_of(ax), expected


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.levels(pd.DataFrame({"percent_of_reference": []}), pd.DataFrame(), ax),
        lambda ax: plots.correlation(pd.DataFrame({"cell_line": []}), PROTEIN, GR_OUTCOME, ax),
        lambda ax: plots.influence(pd.DataFrame(), math.nan, ax),
        lambda ax: plots.comparison(pd.DataFrame({"zou_ci_low": [], "r_a": [], "r_b": []}), ax),
        lambda ax: plots.lineages(pd.DataFrame({"spearman": []}), ax),
        lambda ax: blots.ladder(None, pd.DataFrame(), ax, expected_kDa=64),
        lambda ax: blots.band_dots(pd.DataFrame(), ax),
        lambda ax: plots.roc(pd.DataFrame(), PROTEIN, {"n_positive": 0, "n_negative": 0}, ax),
    ],
)
def test_empty_figures_say_why(draw) -> None:
    _, ax = style.figure()
    assert "no data: " in text_of(draw(ax))
