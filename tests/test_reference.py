"""Reference data: names resolve, every file has its provenance, and each trap of the sources is
handled.
"""

import re

import numpy as np
import pandas as pd
import pytest

from kit.core import reference
from kit.core.errors import InputError
from kit.core.paths import share

FOLDER = share() / "data" / "reference"
NAMES = [
    ("Molt 4", "MOLT-4", "CVCL_0013", "ACH-001127"),
    ("MOLT4", "MOLT-4", "CVCL_0013", "ACH-001127"),
    ("molt_4", "MOLT-4", "CVCL_0013", "ACH-001127"),
    ("A549/ATCC", "A549", "CVCL_0023", "ACH-000681"),
    ("a 549", "A549", "CVCL_0023", "ACH-000681"),
    ("MDA MB 231", "MDA-MB-231", "CVCL_0062", "ACH-000768"),
    ("HELA", "HeLa", "CVCL_0030", "ACH-001086"),
    ("HL-60(TB)", "HL-60", "CVCL_0002", "ACH-000002"),
    ("CEM", "CCRF-CEM", "CVCL_0207", "ACH-001738"),
    ("rs4-11", "RS4;11", "CVCL_0093", "ACH-000874"),
    ("JURKAT", "Jurkat", "CVCL_0065", "ACH-000995"),
    ("Jurkat, Clone E6-1", "Jurkat E6-1", "CVCL_0367", ""),
    ("CVCL_0023", "A549", "CVCL_0023", "ACH-000681"),
    ("ACH-000681", "A549", "CVCL_0023", "ACH-000681"),
    ("TT", "TT", "CVCL_1774", "ACH-001321"),
    ("T.T", "T.T", "CVCL_3174", "ACH-000561"),
]


@pytest.mark.parametrize(("spelling", "name", "cellosaurus", "depmap"), NAMES)
def test_names_resolve(spelling: str, name: str, cellosaurus: str, depmap: str) -> None:
    line = reference.resolve_line(spelling)
    assert line is not None
    assert (line.name, line.cellosaurus, line.depmap) == (name, cellosaurus, depmap)


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("T T", ["T.T", "TT"]),
        ("MOLT", ["MOLT-3", "MOLT-4", "MOLT-13", "MOLT-16"]),
        ("nalm", ["NALM-6"]),
        ("CVCL_1122", ["CHL-1"]),
    ],
)
def test_ambiguous_names_list_their_candidates(name: str, candidates: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        reference.resolve_line(name, file="experiment.yaml", place="cell_lines")
    problem = caught.value.problems[0]
    assert (problem.file, problem.place) == ("experiment.yaml", "cell_lines")
    assert all(candidate in problem.what for candidate in candidates)


@pytest.mark.parametrize("name", ["", "  ", "my own line", "A", "-"])
def test_unknown_names_are_none(name: str) -> None:
    assert reference.resolve_line(name) is None


def test_every_listed_line_finds_itself() -> None:
    """Name, DepMap identifier and each alias lead back to the row they stand in."""
    rows = reference.table("cell_lines").to_dict("records")
    for row in rows[::7]:
        for spelling in [row["name"], row["depmap_id"], *row["aliases"].split("|")]:
            if spelling:
                line = reference.resolve_line(spelling)
                assert line is not None and line.name == row["name"], spelling


def test_spellings_join() -> None:
    assert reference.same_line("Molt 4", "MOLT-4")
    assert not reference.same_line("MOLT-3", "MOLT-4")
    assert reference.same_line("own line 1", "Own-Line-1")
    assert not reference.same_line("Jurkat", "Jurkat E6-1")


def test_jurkat_grows_in_suspension_here() -> None:
    line = reference.resolve_line("Jurkat")
    assert line is not None and line.growth_mode == "suspension"


def test_every_file_has_provenance_and_a_citation() -> None:
    listed = set(reference.provenance()["file"])
    present = {path.name for path in FOLDER.glob("*.csv")} - {"provenance.csv"}
    assert listed == present
    assert (reference.provenance()[["citation", "where", "licence"]] != "").all(axis=None)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(present) if name not in text] == []


@pytest.mark.parametrize(
    "name",
    [
        "amino_acid_roles",
        "treatment_groups",
        "sensitivity_profile",
        "control_lines",
        "published_correlations",
    ],
)
def test_source_tables_cite_every_row(name: str) -> None:
    assert (reference.table(name)["citation"].str.len() > 3).all()


def test_priors_are_the_profile_of_the_specification() -> None:
    expected = {
        ("Jurkat", "asparagine"): ("auxotrophic", True, -0.20, 0.50),
        ("Jurkat", "glutamine"): ("partially_dependent", False, 0.38, 0.15),
        ("MOLT-4", "asparagine"): ("auxotrophic", False, -0.10, 0.40),
        ("MOLT-4", "glutamine"): ("partially_dependent", False, 0.40, 0.15),
        ("A549", "asparagine"): ("prototrophic", False, 0.78, 0.02),
        ("A549", "glutamine"): ("dependent", False, 0.08, 0.08),
        ("MDA-MB-231", "asparagine"): ("partially_dependent", False, 0.42, 0.05),
        ("MDA-MB-231", "glutamine"): ("dependent", False, 0.08, 0.10),
    }
    found = {
        (r.cell_line, r.amino_acid): (r.expected_call, r.disputed, r.fixture_gr, r.fixture_sa)
        for r in reference.priors().itertuples()
    }
    assert found == expected


def test_lines_are_disputed_alike_wherever_they_stand() -> None:
    """A line is marked disputed as a control only where its asparagine entry of the profile is; the
    knockout borrows no one's citation.
    """
    disputed = {
        row.cell_line: row.disputed
        for row in reference.priors().itertuples()
        if row.amino_acid == "asparagine"
    }
    controls = reference.control_lines().set_index("cell_line")
    shared = [line for line in controls.index if line in disputed]
    assert {"Jurkat", "MOLT-4", "A549"} <= set(shared)
    assert all(bool(controls.loc[line, "disputed"]) == bool(disputed[line]) for line in shared)
    assert "Aslanian" not in controls.loc["ASNS knockout", "citation"]


def test_claims_carry_all_findings() -> None:
    claims = reference.claims().set_index("claim")
    assert [f"S{i}" for i in range(1, 12)] == [
        claim for claim in claims.index if re.fullmatch(r"S\d+", claim)
    ]
    assert claims.loc["S1", "status"] == "contradicted" and "Arf1" in claims.loc["S1", "finding"]
    roles = reference.amino_acid_roles()
    assert roles.query("amino_acid == 'glutamine' and aspect == 'mTORC1 route'")[
        "status"
    ].tolist() == ["contradicted"]
    assert set(roles["amino_acid"]) == {"asparagine", "glutamine", "serine"}


def test_treatment_groups_state_numbers() -> None:
    groups = reference.treatment_groups().set_index("group")
    assert groups.loc["-Asn", "asparagine_uM"] == 0
    control, rescue = groups.loc["Control"], groups.loc["Rescue (-Asn + Asn)"]
    assert (
        control[["asparagine_uM", "glutamine_uM", "serine_uM"]].tolist()
        == rescue[["asparagine_uM", "glutamine_uM", "serine_uM"]].tolist()
    )


def test_traps_of_nci60() -> None:
    panel = reference.nci60()
    assert len(panel) == 60 and len(reference.nci60(independent=True)) == 57
    assert set(panel["cell_line"]) - set(reference.nci60(independent=True)["cell_line"]) == {
        "MDA-N",
        "NCI/ADR-RES",
        "SNB-19",
    }
    floor = panel["asns_swath_log10"] == 3.306
    assert floor.sum() == 16
    assert (panel["asns_swath_detected"] == ~floor)[panel["asns_swath_log10"].notna()].all()
    assert (
        panel["asns_ms_log10"].isna() == ~(panel["asns_ms_detected"].fillna(False).astype(bool))
    ).all()
    assert not (panel["asns_ms_log10"] == 0).any()
    censored = (
        panel.dropna(subset="asnase_gi50_censored")
        .set_index("cell_line")["asnase_gi50_U_per_mL"]
        .to_dict()
    )
    assert censored == {"CCRF-CEM": 0.025, "MOLT-4": 0.025, "OVCAR-4": 250.0}
    assert np.allclose(
        panel["asnase_neglog10_gi50"], -np.log10(panel["asnase_gi50_U_per_mL"]), atol=2e-5
    )


def test_traps_of_ccle() -> None:
    panel = reference.table("ccle_asns")
    assert (
        len(panel),
        panel["asns_rppa_log2"].notna().sum(),
        panel["asparagine_log10"].notna().sum(),
    ) == (939, 899, 928)
    assert panel["cell_line"].notna().all()
    jurkat = panel.loc[panel["cell_line"] == "JURKAT", "asns_rppa_log2"].item()
    assert round(reference.percentile(panel["asns_rppa_log2"], jurkat)) == 77


def test_percentile_counts_ties_half() -> None:
    assert reference.percentile(pd.Series([1, 2, 2, 3, np.nan]), 2) == 50
    assert reference.percentile(pd.Series([1.0, 2, 3, 4]), 0.5) == 0
    assert np.isnan(reference.percentile(pd.Series([1.0]), float("nan")))


def test_tables_are_copies_and_unknown_ones_are_named() -> None:
    spoiled = reference.table("claims")
    spoiled.loc[0, "claim"] = "spoiled"
    assert reference.claims().loc[0, "claim"] == "S1"
    with pytest.raises(InputError, match="Did you mean 'claims'"):
        reference.table("claim")


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("H1299", "NCI-H1299"),
        ("LNCaP", "LNCaP clone FGC"),
        ("\uff2d\uff2f\uff2c\uff34\uff0d\uff14", "MOLT-4"),
        ("\uff21\uff15\uff14\uff19", "A549"),
    ],
)
def test_the_benchs_short_forms_and_full_width_letters_resolve(spelling, name):
    assert reference.resolve_line(spelling).name == name
    assert reference.line_key(spelling) == reference.line_key(name)
