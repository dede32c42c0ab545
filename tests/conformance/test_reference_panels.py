"""Correlations of the carried panels against an independent script's numbers (expected/*.csv), to
1e-6.

The expected files print six significant digits, so a value of size 1 is known to 5e-7. The
asparaginase GR24 rows rest on data that have no
licence and are not carried; they are the only rows left out.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kit import stats
from kit.asns.lines import GI50_OUTCOME, nci60_panel
from kit.core import reference

COLUMNS = {
    "asns_mrna_xai_log2": "asns_mrna_log2",
    "asns_swath": "asns_swath_log10",
    "asns_ms_gholami_log10": "asns_ms_log10",
    "asns_rppa_ccle": "asns_rppa_log2",
    "lasp_neglog10_gi50": "asnase_neglog10_gi50",
    "asns_rppa": "asns_rppa_log2",
    "asparagine_log10": "asparagine_log10",
    "aspartate_log10": "aspartate_log10",
}
NOT_CARRIED = ("ASNase_GR24", "NCI_GI50_vs_GR24")
TOLERANCE = 1e-6


def subset(name: str) -> pd.DataFrame:
    """The rows of a panel that a set of the expected file means."""
    nci, ccle = reference.nci60(), reference.table("ccle_asns")
    complete = ccle.dropna(subset=["asns_rppa_log2", "asparagine_log10"])
    medium = complete["growth_medium"].fillna(
        ""
    )  # the expected sets go by these letters, mixtures counted in both
    detected = nci["asns_swath_detected"].fillna(False).astype(bool)
    return {
        "NCI60_all": nci,
        "NCI60_independent57": reference.nci60(independent=True),
        "leukemia": nci[nci["lineage"] == "leukemia"],
        "ovarian": nci[nci["lineage"] == "ovary"],
        "non_leukemia": nci[nci["lineage"] != "leukemia"],
        "SWATH_detected_only": nci[detected],
        "epithelial_excl_LE_ME_CNS": nci[~nci["lineage"].isin(["leukemia", "melanoma", "glioma"])],
        "mRNA_vs_protein_or_platforms": nci,
        "platforms_SWATH_detected": nci[detected],
        "CCLE_888": complete,
        "CCLE_RPMI": complete[medium.str.contains("RPMI")],
        "CCLE_DMEM": complete[medium.str.contains("DMEM")],
    }[name]


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> Path:
    return shared_data / "expected"


def test_every_correlation(expected: Path) -> None:
    rows = pd.read_csv(expected / "correlations_expected.csv")
    rows = rows[~rows["set"].str.startswith(NOT_CARRIED)]
    assert len(rows) == 36
    for row in rows.to_dict("records"):
        lines = subset(row["set"])[[COLUMNS[row["x"]], COLUMNS[row["y"]]]].dropna()
        x, y = lines.to_numpy(float).T
        found = (len(x), stats.pearson(x, y).r, stats.pearson(x, y).p, stats.spearman(x, y).r)
        wanted = (row["n"], row["pearson_r"], row["pearson_p"], row["spearman_rho"])
        assert found == pytest.approx(wanted, abs=TOLERANCE), (row["set"], row["x"], row["y"])
        if row["n"] > 12:
            assert stats.spearman(x, y).p == pytest.approx(row["spearman_p"], abs=TOLERANCE)
        else:  # exact here; the expected file lists 10,000 random pairings or all of them
            assert stats.spearman(x, y).p == pytest.approx(row["spearman_perm_p"], abs=0.02)


def test_bca_intervals_agree_with_another_bootstrap(expected: Path) -> None:
    """Other draws, so other digits: the ends lie within 0.06 of one another (0.02 on average)."""
    rows = pd.read_csv(expected / "correlations_expected.csv")
    rows = rows[
        ~rows["set"].str.startswith(NOT_CARRIED)
        & rows["spearman_bca_lo"].notna()
        & (rows["n"].between(20, 100))
    ]
    gaps = []
    for row in rows.to_dict("records"):
        lines = subset(row["set"])[[COLUMNS[row["x"]], COLUMNS[row["y"]]]].dropna()
        interval = stats.correlation_bca(*lines.to_numpy(float).T, n_draws=4999, seed=1)
        gaps += [
            abs(interval.low - row["spearman_bca_lo"]),
            abs(interval.high - row["spearman_bca_hi"]),
        ]
    assert len(gaps) > 20
    assert max(gaps) < 0.06 and np.mean(gaps) < 0.02


def test_every_comparison_of_protein_with_mrna(expected: Path) -> None:
    rows = pd.read_csv(expected / "dependent_correlation_tests.csv")
    rows = rows[~rows["set"].str.startswith(NOT_CARRIED)]
    assert len(rows) == 16
    for row in rows.to_dict("records"):
        columns = [COLUMNS[row["protein"]], COLUMNS[row["mrna"]], COLUMNS[row["y"]]]
        protein, mrna, outcome = subset(row["set"])[columns].dropna().to_numpy(float).T
        corr = stats.pearson if row["kind"] == "pearson" else stats.spearman
        r = corr(protein, outcome).r, corr(mrna, outcome).r, corr(protein, mrna).r
        assert (len(outcome), *r) == pytest.approx(
            (row["n"], row["r_protein"], row["r_mrna"], row["r_prot_mrna"]), abs=TOLERANCE
        )
        arguments = (*r, len(outcome))
        williams, steiger, zou = (
            stats.williams_test(*arguments),
            stats.steiger_test(*arguments),
            stats.zou_interval(*arguments),
        )
        found = (*williams, *steiger, *zou)
        wanted = [
            row[name]
            for name in ("williams_t", "williams_p", "steiger_z", "steiger_p", "zou_lo", "zou_hi")
        ]
        assert found == pytest.approx(wanted, abs=5e-6), row[
            "set"
        ]  # statistics above 1 are printed to 1e-5


def test_panel_object_gives_the_same_numbers(expected: Path) -> None:
    """What the notebook reads (`nci60_panel`) is what the expected file was computed from."""
    rows = (
        pd.read_csv(expected / "correlations_expected.csv")
        .query("set == 'NCI60_independent57'")
        .set_index("x")["spearman_rho"]
    )
    panel = nci60_panel()
    names = {
        "mRNA": "asns_mrna_xai_log2",
        "protein (SWATH)": "asns_swath",
        "protein (MS)": "asns_ms_gholami_log10",
        "protein (RPPA)": "asns_rppa_ccle",
    }
    for predictor in panel.predictors:
        assert stats.spearman(panel.lines[predictor], panel.lines[GI50_OUTCOME]).r == pytest.approx(
            rows[names[predictor]], abs=TOLERANCE
        )


def test_carried_numbers_are_the_sources(shared_data: Path) -> None:
    """Row by row, value by value, against the files the facts were taken from."""
    source = pd.read_csv(shared_data / "nci60" / "nci60_asns_lasp.csv").set_index("cell_line")
    carried = reference.nci60().set_index("cell_line")
    assert list(source.index) == list(carried.index)
    for theirs, ours in list(COLUMNS.items())[:5]:
        np.testing.assert_array_equal(source[theirs].to_numpy(float), carried[ours].to_numpy(float))
    source = pd.read_csv(shared_data / "ccle" / "ccle_asns_rppa_metabolites.csv").set_index(
        "ccle_id"
    )
    carried = reference.table("ccle_asns").set_index("ccle_id")
    for column in ("asns_rppa", "asparagine_log10", "aspartate_log10"):
        np.testing.assert_array_equal(
            source[column].to_numpy(float),
            carried.loc[source.index, COLUMNS[column]].to_numpy(float),
        )
