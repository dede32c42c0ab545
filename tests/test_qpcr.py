"""qPCR: known Cq of real exports, delta-delta Cq by hand and by amounts, what is not detected stays
missing.
"""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kit.asns.expression import delta_delta_cq
from kit.asns.lines import mrna_by_line
from kit.core.errors import InputError
from kit.readers.qpcr import is_cq_file, read_cq, read_expression, split_sample
from kit.western.bands import read_mrna

HEAD = "Well,Sample,Target,Task,Cq\n"


def test_cfx_export(shared_data: Path) -> None:
    wells = read_cq(shared_data / "qpcr" / "cfx_maestro_cq.csv")
    assert len(wells) == 48
    assert wells.loc[0, ["well", "sample", "target", "cq"]].tolist() == [
        "A01",
        "M3905 R Ctx",
        "FAM",
        21.1877528266099,
    ]
    assert set(wells["target"]) == {"FAM", "VIC"}


def test_quantstudio_export(shared_data: Path) -> None:
    wells = read_cq(shared_data / "qpcr" / "quantstudio_example01.txt")
    assert wells.loc[0, ["well", "sample", "target", "cq"]].tolist() == [
        "A1",
        "1SAMPLE_1.1",
        "TARGET_1",
        18.717,
    ]
    assert set(wells["target"]) == {"TARGET_1"}


def test_design_and_analysis_workbook(shared_data: Path) -> None:
    """Its preamble has a row 'Quantification Cycle Method, CT', which is no heading."""
    wells = read_cq(
        shared_data
        / "qpcr"
        / "appbio_quantstudio_designandanalysis_QS7Pro_Primary_Analysis_example18.xlsx"
    )
    assert len(wells) == 96
    assert wells.loc[0, ["well", "task", "cq"]].tolist() == ["A1", "STANDARD", 17.97]


def test_cfx_ratio_against_a_hand_calculation(shared_data: Path) -> None:
    """VIC against FAM of sample M3905: mean Cq of its two wells each; the calibrator is at 0."""
    wells = read_cq(shared_data / "qpcr" / "cfx_maestro_cq.csv")
    result = delta_delta_cq(wells, "VIC", ["FAM"], "M3905 R Ctx").set_index("cell_line")["value"]
    assert result["M3905 R Ctx"] == pytest.approx(0, abs=1e-12)
    delta = {
        "M3905": (21.1590717001335 + 21.0520703748196 - 21.1877528266099 - 21.1025534163483) / 2
    }
    delta["M4181"] = (22.0378602901219 + 22.0335313144809 - 22.5194977976743 - 22.5040807858603) / 2
    assert result["M4181 R Ctx"] == pytest.approx(delta["M3905"] - delta["M4181"], abs=1e-6)


def cq(tmp_path: Path, rows: str) -> Path:
    (tmp_path / "q.csv").write_text(HEAD + rows)
    return tmp_path / "q.csv"


def planted(amounts: dict[str, float], seed: int = 0) -> str:
    """Cq of known amounts: ASNS as planted, reference genes constant, every lysate with its own
    amount of RNA.
    """
    rng = np.random.default_rng(seed)
    rows, well = [], 0
    for line, amount in amounts.items():
        for replicate in (1, 2, 3):
            rna = rng.uniform(-2, 2)
            for gene, level in (("ASNS", math.log2(amount)), ("GAPDH", 5.0), ("TBP", -1.0)):
                for _ in range(3):
                    well += 1
                    rows.append(
                        f"W{well},{line}"
                        f" R{replicate},{gene},UNKNOWN,{25 - level - rna + rng.normal(0, 0.02):.4f}"
                    )
    return "\n".join(rows) + "\n"


def test_planted_amounts_come_back(tmp_path: Path) -> None:
    amounts = {"MOLT-4": 0.1, "A549": 1.0, "HeLa": 2.0}
    wells = read_cq(cq(tmp_path, planted(amounts)), lines=list(amounts))
    table = delta_delta_cq(wells, "ASNS", ["GAPDH", "TBP"], "A549")
    assert len(table) == 9 and set(table["verdict"]) == {"pass"}
    means = table.groupby("cell_line")["value"].mean()
    for line, amount in amounts.items():
        assert means[line] == pytest.approx(math.log2(amount), abs=0.05)


def test_efficiency_enters_as_its_logarithm(tmp_path: Path) -> None:
    """At E = 1.9 ten cycles are 1.9**10, not 2**10."""
    rows = "1,A549,ASNS,,30\n2,A549,TBP,,20\n3,HeLa,ASNS,,20\n4,HeLa,TBP,,20\n"
    table = delta_delta_cq(
        read_cq(cq(tmp_path, rows)), "ASNS", ["TBP"], "A549", efficiency={"ASNS": 1.9, "TBP": 2.0}
    )
    assert table.set_index("cell_line")["value"]["HeLa"] == pytest.approx(10 * math.log2(1.9))


def test_undetermined_is_missing_never_a_number(tmp_path: Path) -> None:
    rows = "1,A549,ASNS,,22\n2,A549,TBP,,20\n3,MOLT-4,ASNS,,Undetermined\n4,MOLT-4,TBP,,20\n"
    table = delta_delta_cq(read_cq(cq(tmp_path, rows)), "ASNS", ["TBP"], "A549").set_index(
        "cell_line"
    )
    assert math.isnan(table["value"]["MOLT-4"])
    assert (table["verdict"]["MOLT-4"], table["note"]["MOLT-4"]) == ("fail", "target not detected")


def test_omitted_and_template_free_wells_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(
        "Well,Omit,Sample,Target,Task,CT\n1,false,A549,ASNS,UNKNOWN,22\n2,true,A549,ASNS,UNKNOWN,35\n3,false,A549,TBP,UNKNOWN,20\n4,false,A549,ASNS,NTC,38\n"
    )
    assert delta_delta_cq(read_cq(path), "ASNS", ["TBP"]).loc[
        0, ["delta_cq", "n_wells"]
    ].tolist() == [2, 1]


def test_technical_wells_that_disagree_are_said(tmp_path: Path) -> None:
    rows = "1,A549,ASNS,,22\n2,A549,ASNS,,24\n3,A549,TBP,,20\n"
    row = delta_delta_cq(read_cq(cq(tmp_path, rows)), "ASNS", ["TBP"]).iloc[0]
    assert row["verdict"] == "warn" and "SD 1.41 cycles" in row["note"]


BAD = [
    ("1,A549,ASNS,,abc\n", {}, "line 2: Cq 'abc' is not a number"),
    ("1,A549,ASNS,,-3\n", {}, "Cq -3 is no cycle number"),
    (
        "1,A594,ASNS,,22\n",
        {"lines": ["A549"]},
        "sample 'A594' is no cell line.*Did you mean 'A549'",
    ),
    ("1,T T,ASNS,,22\n", {"lines": ["A549"]}, "no cell line"),
]


@pytest.mark.parametrize(("rows", "options", "why"), BAD)
def test_bad_tables(tmp_path: Path, rows: str, options: dict, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_cq(cq(tmp_path, rows), **options)


ASKED = [
    (("ANSN", ["TBP"], None), "target 'ANSN'.*Did you mean 'ASNS'"),
    (("ASNS", [], None), "no reference gene"),
    (("ASNS", ["ASNS"], None), "both target and reference"),
    (("ASNS", ["TBP"], "HeLa"), "calibrator: 'HeLa' is no sample"),
]


@pytest.mark.parametrize(("arguments", "why"), ASKED)
def test_wrong_questions(tmp_path: Path, arguments: tuple, why: str) -> None:
    wells = read_cq(cq(tmp_path, "1,A549,ASNS,,22\n2,A549,TBP,,20\n"))
    with pytest.raises(InputError, match=why):
        delta_delta_cq(wells, *arguments)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("Molt 4", ("MOLT-4", None)),
        ("MOLT-4_R2", ("MOLT-4", 2)),
        ("A549 rep 3", ("A549", 3)),
        ("HL-60", ("HL-60", None)),
        ("H2O", ("", None)),
    ],
)
def test_sample_names(sample: str, expected: tuple) -> None:
    assert split_sample(sample, ["MOLT-4", "A549", "HL-60"]) == expected


def test_value_tables(tmp_path: Path) -> None:
    """Linear units go to log2, zero is not detected; log2 units stay."""
    path = tmp_path / "e.csv"
    path.write_text("cell_line,replicate,value\nMolt 4,1,0.25\nA549,1,0\nA549,2,8\n")
    linear = read_expression(path, unit="TPM", lines=["MOLT-4", "A549"])
    assert linear["cell_line"].tolist() == ["MOLT-4", "A549", "A549"]
    assert linear["value"].tolist() == pytest.approx([-2, math.nan, 3], nan_ok=True)
    assert linear["note"].tolist() == ["", "not detected", ""]
    assert read_expression(path, unit="log2 relative")["value"].tolist() == [0.25, 0, 8]
    assert not is_cq_file(path)
    with pytest.raises(InputError, match="below zero in linear"):
        path.write_text("cell_line,value\nA549,-1\n")
        read_expression(path, unit="fold")


def test_no_table_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for reader in (read_cq, read_expression):
        with pytest.raises(InputError, match="holds no"):
            reader(tmp_path / "x.csv")


def test_frame_has_the_declared_columns(tmp_path: Path) -> None:
    wells = read_cq(cq(tmp_path, "1,A549,ASNS,,22\n"))
    assert (
        isinstance(wells, pd.DataFrame)
        and wells["replicate"].tolist() == [1]
        and wells["condition"].tolist() == ["basal"]
    )


@pytest.mark.parametrize("sample", ["NTC", "water", "H2O", "Blank"])
def test_wells_without_template_are_known_by_name_and_told(tmp_path, sample):
    """No Task column: the name says it. delta Cq of MOLT-4 is 23 - 18, A549's 25 - 18; against A549
    log2 is 2.
    """
    path = tmp_path / "cq.csv"
    rows = [
        "A1,MOLT-4,ASNS,23",
        "A2,MOLT-4,GAPDH,18",
        "A3,A549,ASNS,25",
        "A4,A549,GAPDH,18",
        f"A5,{sample},ASNS,38",
        f"A6,{sample},GAPDH,Undetermined",
    ]
    path.write_text("\n".join(["Well,Sample,Target,Cq", *rows]) + "\n")
    table = delta_delta_cq(
        read_cq(path, lines=["MOLT-4", "A549"]), "ASNS", ["GAPDH"], "A549"
    ).set_index("cell_line")
    assert table["value"].to_dict() == pytest.approx({"MOLT-4": 2.0, "A549": 0.0})
    assert table["note"].unique().tolist() == [
        "1 well without template left out, 1 with a Cq from 38.0"
    ]


def test_cells_of_the_control_medium_are_basal(tmp_path):
    """A Condition column that names the control medium must not make the lines vanish as not
    measured.
    """
    rows = [
        "A1,MOLT-4,ASNS,23,complete",
        "A2,MOLT-4,GAPDH,18,complete",
        "A3,MOLT-4,ASNS,21,no_asn",
        "A4,MOLT-4,GAPDH,18,no_asn",
    ]
    (tmp_path / "cq.csv").write_text("\n".join(["Well,Sample,Target,Cq,Condition", *rows]) + "\n")
    media = {
        "complete": SimpleNamespace(role="control", removes=None),
        "no_asn": SimpleNamespace(role="dropout", removes="asparagine"),
    }
    table = read_mrna(
        tmp_path, "cq.csv", references=["GAPDH"], calibrator="MOLT-4", lines=["MOLT-4"], media=media
    )
    assert table.set_index("condition")["value"].to_dict() == pytest.approx(
        {"basal": 0.0, "no_asn": 2.0}
    )
    assert mrna_by_line(table)["mRNA"].tolist() == pytest.approx([0.0])
