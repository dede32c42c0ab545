"""Gated tables and sample sheets: every usual form read, every problem said with row, value and
remedy.
"""

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from kit.core.errors import InputError
from kit.flow.sample_sheet import parse_gates, read_sample_sheet
from kit.readers.flow.gated_table import COLUMNS, read_flow_table
from kit.readers.flow.headings import recognise
from kit.readers.flow.samples import split_sample_name

HEAD = ",".join(COLUMNS)
TRUTH = [
    ("MOLT-4", "complete", 1, 92.0, 4.0, 3.0, 1.0, 10_000),
    ("MOLT-4", "no_asn", 1, 50.5, 30.0, 15.0, 4.5, 8_000),
]
OWN = HEAD + "\n" + "\n".join(",".join(map(str, row)) for row in TRUTH) + "\n"
FRACTIONS = (
    HEAD + "\nMOLT-4,complete,1,.92,.04,.03,.01,10000\nMOLT-4,no_asn,1,0.505,0.30,0.15,0.045,8000\n"
)
GERMAN = (
    "Cell line;Medium;Replicate;Viable (%);Early apoptotic (%);Late apoptotic (%);Necrotic"
    " (%);Events\nMOLT-4;complete;R1;92,0;4,0;3,0;1,0;10.000\nMOLT-4;no_asn;R1;50,5"
    " %;30;15;4,5;8.000\n"
)
FLOWJO = (
    "\tCells/Singlets | Count\tCells/Singlets/Q1: AnnV- , PI+ | Freq. of Parent"
    " (%)\tCells/Singlets/Q2: AnnV+ , PI+ | Freq. of Parent (%)\t"
    "Cells/Singlets/Q3: AnnV+ , PI- | Freq. of Parent (%)\tCells/Singlets/Q4: AnnV- , PI- | Freq."
    " of Parent (%)\t\n"
    "MOLT-4_complete_R1.fcs\t10000\t1.0 %\t3.0 %\t4.0 %\t92.0 %\t\nMOLT-4_no_asn_R1.fcs\t8000\t4.5"
    " %\t15.0 %\t30.0 %\t50.5 %\t\n"
    "Unstained.fcs\t9000\t0.1\t0.1\t0.1\t99.7\t\nMean\t9000\t1.9\t6.0\t11.4\t80.7\t\nSD\t1000\t1\t1\t1\t1\t\n"
)
FLOWJO_COUNTS = (
    "Sample:,Q1: Annexin V-FITC- ; PI+ | Count,Q2: Annexin V-FITC+ ; PI+ | Count,Q3: Annexin"
    " V-FITC+ ; PI- | Count,Q4: Annexin V-FITC- ; PI- |"
    " Count\nMOLT-4_complete_R1.fcs,100,300,400,9200\nMOLT-4_no_asn_R1.fcs,360,1200,2400,4040\n"
)
DIVA = (
    "Experiment 12\n\nRecord Date,Specimen Name,Tube Name,All Events #Events,Singlets #Events,Q1-UL"
    " %Parent,Q1-UR %Parent,Q1-LL %Parent,"
    "Q1-LR %Parent\n1/1/26,Specimen_001,MOLT-4_complete_R1,14000,10000,1.0,3.0,92.0,4.0\n"
    "1/1/26,Specimen_001,MOLT-4_no_asn_R1,14000,8000,4.5,15.0,50.5,30.0\n"
)
CYTEXPERT = (
    "Tube Name,Population,Events,% Total,% Parent\n"
    "MOLT-4_complete_R1,All"
    " Events,12000,100,100\nMOLT-4_complete_R1,Singlets,10000,83.3,90\nMOLT-4_complete_R1,Q1-UL,100,.8,1.0\n"
    "MOLT-4_complete_R1,Q1-UR,300,2.5,3.0\nMOLT-4_complete_R1,Q1-LL,9200,76.7,92.0\nMOLT-4_complete_R1,Q1-LR,400,3.3,4.0\n"
    "MOLT-4_no_asn_R1,Singlets,8000,83.3,90\nMOLT-4_no_asn_R1,Q1-UL,360,.8,4.5\nMOLT-4_no_asn_R1,Q1-UR,1200,2.5,15.0\n"
    "MOLT-4_no_asn_R1,Q1-LL,4040,76.7,50.5\nMOLT-4_no_asn_R1,Q1-LR,2400,3.3,30.0\n"
)


def written(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "annexin.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def problems_of(folder: Path, text: str, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_flow_table(written(folder, text), **options)  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


FORMS = {
    "own form": (OWN, "utf-8"),
    "byte-order mark": (OWN, "utf-8-sig"),
    "UTF-16": (OWN.replace(",", "\t"), "utf-16"),
    "fractions": (FRACTIONS, "utf-8"),
    "German Excel": (GERMAN, "cp1252"),
    "FlowJo percents": (FLOWJO, "utf-8"),
    "FlowJo counts": (FLOWJO_COUNTS, "utf-8"),
    "FACSDiva": (DIVA, "utf-8"),
    "CytExpert list": (CYTEXPERT, "utf-8"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_table(form: str, tmp_path: Path) -> None:
    text, encoding = FORMS[form]
    table = read_flow_table(written(tmp_path, text, encoding=encoding))
    assert list(table.columns[:8]) == list(COLUMNS)
    rows = [tuple(row) for row in table[list(COLUMNS)].itertuples(index=False)]
    for got, want in zip(rows, TRUTH, strict=True):
        assert got[:3] == want[:3]
        assert got[3:] == pytest.approx(want[3:], abs=1e-9)


def test_excel_with_a_title_above_and_numbers_as_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Annexin V, 72 h"])
    book.active.append(list(COLUMNS))
    for row in TRUTH:
        book.active.append(list(row))
    book.create_sheet("notes").append(["nothing"])
    book.save(tmp_path / "a.xlsx")
    table = read_flow_table(tmp_path / "a.xlsx")
    assert [tuple(row) for row in table.itertuples(index=False)] == TRUTH


def test_control_tubes_are_left_out_and_said(tmp_path: Path) -> None:
    assert "Unstained.fcs" in read_flow_table(written(tmp_path, FLOWJO)).attrs["notes"][0]


def test_counts_overrule_rounded_percents(tmp_path: Path) -> None:
    names = ("viable", "early", "late", "necrotic")
    head = "cell_line,medium,replicate," + ",".join(
        [f"{name}_percent" for name in names] + [f"{name}_count" for name in names]
    )
    table = read_flow_table(written(tmp_path, f"{head}\nA549,complete,1,94,4,1,1,2807,121,42,30\n"))
    assert table["viable_percent"][0] == pytest.approx(100 * 2807 / 3000)
    assert table["events"][0] == 3000


BAD_ROWS = {
    "sum": ("A,m,1,92,4,3,9,10000", "line 2: the four quadrants sum to 108, not 100"),
    "one fraction among percents": (
        "A,m,1,92,4,3,1,10000\nA,n,1,.92,.04,.03,.01,10000",
        "They look like fractions",
    ),
    "not a number": ("A,m,1,n/a,4,3,1,10000", "viable percent is 'n/a', not a number"),
    "above 100": ("A,m,1,192,4,3,1,10000", "viable percent is 192, outside 0 to 100"),
    "below 0": ("A,m,1,97,4,-2,1,10000", "late percent is -2, outside 0 to 100"),
    "negative events": ("A,m,1,92,4,3,1,-5", "events is '-5'"),
    "half an event": ("A,m,1,92,4,3,1,10.5", "events is '10.5'"),
    "infinite": ("A,m,1,inf,4,3,1,10000", "viable percent is 'inf'"),
    "double": (
        "A,m,1,92,4,3,1,10000\nA,m,R1,92,4,3,1,10000",
        "A, m, replicate 1 stands already in line 2",
    ),
    "replicate": ("A,m,first,92,4,3,1,10000", "replicate is 'first'"),
    "replicate 0": ("A,m,0,92,4,3,1,10000", "replicate is '0'"),
    "no line": (",m,1,92,4,3,1,10000", "cell_line missing"),
    "quadrant missing": ("A,m,1,92,4,3,,10000", "necrotic missing"),
    "decimal commas unquoted": (
        "A,m,1,92,5,4,2,5,0,5,10000",
        "Decimal commas need another delimiter",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused_in_words(case: str, tmp_path: Path) -> None:
    rows, said = BAD_ROWS[case]
    found = problems_of(tmp_path, f"{HEAD}\n{rows}\n")
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("annexin.csv: ") for problem in found)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    rows = [
        BAD_ROWS[case][0].replace("A,m", f"A,{case}")
        for case in ("sum", "not a number", "above 100", "negative events", "replicate")
    ]
    places = {problem.split(": ")[1] for problem in problems_of(tmp_path, "\n".join([HEAD, *rows]))}
    assert places == {f"line {number}" for number in range(2, 7)}


BAD_FILES = {
    "empty": ("", "empty"),
    "another table": ("well,value\nA1,3\n", "no row names the four quadrants"),
    "header only": (HEAD + "\n", "holds no samples"),
    "FCS": ("FCS3.1    ", "is an FCS file, not a gated table"),
    "counts disagree": (
        "cell_line,medium,replicate,viable_count,early_count,late_count,necrotic_count,early_percent\nA,m,1,900,50,30,20,9\n",
        "early is 9 in percent but 5.00 by counts",
    ),
    "two columns for one thing": (
        "cell_line,medium,replicate,viable %,live %,early %,late %,necrotic %\nA,m,1,92,92,4,3,1\n",
        "'viable %' and 'live %' both look like viable percent",
    ),
    "bare numbers": (
        "Sample,Q1 %,Q2 %,Q3 %,Q4 %\nA_m_R1,1,3,4,92\n",
        "no row names the four quadrants",
    ),
    "only three quadrants": (
        "cell_line,medium,replicate,viable %,early %,late %\nA,m,1,92,4,3\n",
        "no column for necrotic",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_in_words(case: str, tmp_path: Path) -> None:
    text, said = BAD_FILES[case]
    assert said in "\n".join(problems_of(tmp_path, text))


def test_missing_events_are_kept_as_unknown(tmp_path: Path) -> None:
    assert np.isnan(read_flow_table(written(tmp_path, f"{HEAD}\nA,m,1,92,4,3,1,\n"))["events"][0])


HEADINGS = {
    "Q3 | Freq. of Parent": ("early", "percent"),  # FlowJo numbers clockwise
    "Q3 %Parent": ("viable", "percent"),  # FACSDiva numbers in reading order
    "Q3 %": None,  # nobody knows
    "Cells/Q1: Comp-FITC-A- , Comp-PE-A+ | Freq. of Parent": ("necrotic", "percent"),
    "Cells/Singlets/Q1: AnnV- , PI+ | Freq. of Total": None,
    "Annexin V-FITC+ PI- %": ("early", "percent"),  # the dash in V-FITC is no sign
    "Annexin V-FITC-A+ , PI-A- | Count": ("early", "count"),
    "AnnexinV+/PI- %": ("early", "percent"),
    "PI+/Annexin V- %": ("necrotic", "percent"),
    "Annexin V−/7-AAD− (%)": ("viable", "percent"),
    "Q3: AnnV+ , Live/Dead- | Count": ("early", "count"),
    "Annexin V - FITC + PI - %": None,  # three signs, two stains
    "All Events #Events": None,
    "Cells/Single Cells | Count": ("events", "count"),
    "Q1-UL Median FITC-A": None,
}


@pytest.mark.parametrize("heading", HEADINGS)
def test_headings(heading: str) -> None:
    meaning = recognise(heading)
    assert (meaning and (meaning.field, meaning.statistic)) == HEADINGS[heading]


NAMES = {
    ("MOLT-4_no_asn_R1.fcs", False): ("MOLT-4", "no_asn", "1"),
    ("Specimen_001_MDA-MB-231_complete_R12_003.fcs", False): ("MDA-MB-231", "complete", "12"),
    ("MOLT-4_no_asn.fcs", False): None,
    ("MOLT-4_R1.fcs", False): None,
    ("U_937_no_asn_rep2.fcs", True): ("U_937", "no_asn", "2"),
    ("molt-4 no asn R1", True): ("MOLT-4", "no_asn", "1"),
    ("HeLa_no_asn_R1.fcs", True): None,
    ("A_B_C_R1.fcs", True): None,  # line A in B_C, or line A_B in C
}


@pytest.mark.parametrize("case", NAMES)
def test_sample_names_only_when_unambiguous(case: tuple[str, bool]) -> None:
    sample, known = case
    lines, media = (
        (["MOLT-4", "U_937", "A", "A_B"], ["no_asn", "complete", "B_C", "C"])
        if known
        else (None, None)
    )
    parsed = split_sample_name(sample, lines, media)
    assert (parsed and (parsed["cell_line"], parsed["medium"], parsed["replicate"])) == NAMES[case]


def test_sample_sheet(tmp_path: Path) -> None:
    text = (
        "File name,Cell"
        " line,Medium,Replicate,Role\nu.fcs,,,,unstained\nb/x.fcs,A549,complete,R2,\nMOLT-4_no_asn_R1.fcs,,,,sample\n"
    )
    sheet = read_sample_sheet(written(tmp_path, text))
    assert sheet["role"].tolist() == ["unstained", "sample", "sample"]
    assert sheet.loc[1, ["cell_line", "medium", "replicate"]].tolist() == ["A549", "complete", 2]
    assert sheet.loc[2, ["cell_line", "medium", "replicate"]].tolist() == ["MOLT-4", "no_asn", 1]


def test_sample_sheet_problems_come_at_once(tmp_path: Path) -> None:
    text = (
        "file,cell_line,medium,replicate,role\n../x.fcs,A,m,1,sample\n/etc/y.fcs,A,m,2,sample\nz.fcs,A,m,3,unstaind\n"
        "p.fcs,,m,4,sample\nq.fcs,A,m,x,sample\nr.fcs,A,m,7,sample\nr.fcs,A,m,8,sample\ns.fcs,A,m,7,sample\n"
    )
    with pytest.raises(InputError) as caught:
        read_sample_sheet(written(tmp_path, text))
    said = str(caught.value)
    for part in (
        "line 2: '../x.fcs' is outside",
        "line 3: '/etc/y.fcs' is outside",
        "Did you mean 'unstained'?",
        "cell_line missing",
        "replicate is 'x'",
        "'r.fcs' stands already in line 7",
        "A, m, replicate 7 stands already in line 7",
    ):
        assert part in said


def test_gates_are_checked_with_the_nearest_name() -> None:
    with pytest.raises(InputError) as caught:
        parse_gates(
            {
                "annexin": "FITC-A",
                "pi": "PE-A",
                "debris_fsc_mn": 1,
                "pi_threshold": {"control": "unstaned"},
            },
            "experiment.yaml",
        )
    assert "Did you mean 'debris_fsc_min'?" in str(caught.value)
    assert "gates.pi_threshold" in str(caught.value)


QUADRANT_HEADS = "Singlets Events,Q1-UL % Parent,Q1-UR % Parent,Q1-LL % Parent,Q1-LR % Parent"
TWO_NAMES = {
    "identifier empty": (
        "Tube Name:,Sample ID:",
        "MOLT-4_complete_R1,",
        "MOLT-4_no_asn_R1,",
        "Tube Name:",
    ),
    "identifier numbered": (
        "Sample ID,Tube Name",
        "1,MOLT-4_complete_R1",
        "2,MOLT-4_no_asn_R1",
        "Tube Name",
    ),
    "identifier tells": (
        "Tube Name,Sample ID",
        "01-Well-A1,MOLT-4_complete_R1",
        "01-Well-A2,MOLT-4_no_asn_R1",
        "Sample ID",
    ),
    "both tell": (
        "Sample ID,Tube Name",
        "A549_complete_R1,MOLT-4_complete_R1",
        "A549_no_asn_R1,MOLT-4_no_asn_R1",
        "Tube Name",
    ),
}


@pytest.mark.parametrize("case", TWO_NAMES)
def test_of_two_columns_that_name_samples_the_telling_one_is_read_and_said(
    case: str, tmp_path: Path
) -> None:
    head, first, second, chosen = TWO_NAMES[case]
    text = f"{head},{QUADRANT_HEADS}\n{first},10000,1.0,3.0,92.0,4.0\n{second},8000,4.5,15.0,50.5,30.0\n"
    table = read_flow_table(
        written(tmp_path, text), lines=["MOLT-4", "A549"], media=["complete", "no_asn"]
    )
    assert list(table[list(COLUMNS)].itertuples(index=False, name=None)) == TRUTH
    assert f"samples are named by '{chosen}'" in table.attrs["notes"][0]


@pytest.mark.parametrize(
    "line",
    ["Tube: MOLT-4_complete_R1", "Tube:,MOLT-4_complete_R1", "Tube Name: MOLT-4_complete_R1"],
)
def test_a_list_of_one_tube_takes_its_name_from_above(line: str, tmp_path: Path) -> None:
    text = (
        f"Specimen_001\n{line}\nPopulation,#Events,%Parent,%Total\nAll"
        " Events,12000,####,100\nSinglets,10000,83,83\n"
    )
    text += "Q1-UL,100,1.0,.8\nQ1-UR,300,3.0,2.5\nQ1-LL,9200,92.0,76.7\nQ1-LR,400,4.0,3.3\n"
    assert (
        list(
            read_flow_table(written(tmp_path, text))[list(COLUMNS)].itertuples(
                index=False, name=None
            )
        )
        == TRUTH[:1]
    )
