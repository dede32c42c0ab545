"""Densitometry tables of each program, by its own column names; lane lists; every mistake named
with its place.
"""

from pathlib import Path

import pandas as pd
import pytest

from kit.core.errors import InputError
from kit.readers.blots.densitometry import net_volume, read_bands, read_lanes

OWN = "membrane,lane,cell_line,replicate,target,rf,mw_kDa,volume,background,saturated,lane_role\n"


def write(folder: Path, text: str, name: str = "blot.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def lanes(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_own_form(tmp_path: Path) -> None:
    bands = read_bands(
        write(
            tmp_path,
            OWN
            + "M1,1,A549,2,ASNS,0.42,,1200,200,false,sample\nM1,1,A549,2,total_protein,,,9000,,true,sample\nM1,2,,,ladder,0.4,75,,,,ladder\n",
        )
    )
    assert bands["format"].unique().tolist() == ["kit"]
    assert net_volume(bands)[:2].tolist() == [1000, 9000]
    assert bands["saturated"][:2].tolist() == [False, True]
    assert pd.isna(bands["saturated"][2])  # not stated is not "no"
    assert bands[["lane", "replicate"]].values.tolist() == [[1, 2], [1, 2], [2, 1]]
    assert bands.loc[2, ["lane_role", "mw_kDa"]].tolist() == ["ladder", 75]


def test_semicolons_decimal_commas_and_grouped_thousands(tmp_path: Path) -> None:
    text = (
        "lane;cell"
        " line;target;rf;volume;background\n1;A549;ASNS;0,42;1.234.567;12,5\n2;HeLa;ASNS;0,43;2.234.567,5;0\n"
    )
    bands = read_bands(write(tmp_path, text))
    assert bands["volume"].tolist() == [1_234_567, 2_234_567.5]
    assert bands["background"].tolist() == [12.5, 0]
    assert bands["rf"].tolist() == [0.42, 0.43]


def test_image_lab_side_by_side(tmp_path: Path) -> None:
    """Eleven columns per lane beside one another, a row of lane names above; net is Adj. Volume."""
    head = (
        "Lane,Band No.,Band Label,Mol. Wt. (KDa),Relative Front,Adj. Volume (Int),Volume (Int),Abs."
        " Quant.,Rel. Quant.,Band %,Lane %"
    )
    one = ["1,1,,64.2,0.45,1000,1500,N/A,1.0,60,40", "1,2,,40.1,0.66,400,900,N/A,0.4,40,20"]
    two = ['2,1,,63.8,0.46,"2,500,000","2,600,000",N/A,1.0,100,50', ",,,,,,,,,,"]
    text = (
        "Lane 1,,,,,,,,,,,Lane 2,,,,,,,,,,\n"
        + f"{head},{head}\n"
        + "\n".join(f"{a},{b}" for a, b in zip(one, two))
        + "\n"
    )
    table = lanes(lane=[1, 2], cell_line=["A549", "HeLa"], lane_role=["sample", "sample"])
    bands = read_bands(write(tmp_path, text), lanes=table, replicate=3)
    assert bands["format"].unique().tolist() == ["Image Lab"]
    assert bands["cell_line"].tolist() == ["A549", "A549", "HeLa"]
    assert net_volume(bands).tolist() == [1000, 400, 2_500_000]
    assert bands["volume"].tolist() == [1500, 900, 2_600_000]
    assert bands["mw_kDa"].tolist() == [64.2, 40.1, 63.8]
    assert bands["rf"].tolist() == [0.45, 0.66, 0.46]
    assert set(bands["replicate"]) == {3}


STUDIO = "Image Name\tChannel\tName\tSignal\tTotal\tArea\tBkgnd.\tType\n"


def test_image_studio_with_channels_and_a_negative_signal(tmp_path: Path) -> None:
    """Signal = Total - Bkgnd. x Area (LI-COR), and may be negative; the lane list says which
    channel is what.
    """
    text = (
        STUDIO
        + "b1\t800\tS1\t500\t1500\t100\t10\tSignal\nb1\t800\tS2\t-30\t970\t100\t10\tSignal\nb1\t700\tS1\t8000\t9000\t100\t10\tSignal\nb1\t700\tS2\t7000\t8000\t100\t10\tSignal\n"
    )
    table = lanes(
        lane=[1, 2, 1, 2],
        label=["S1", "S2"] * 2,
        channel=[800, 800, 700, 700],
        target=["ASNS", "ASNS", "total_protein", "total_protein"],
        cell_line=["A549", "MOLT-4"] * 2,
    )
    bands = read_bands(write(tmp_path, text, "b.txt"), lanes=table)
    assert bands["format"].unique().tolist() == ["Image Studio"]
    assert net_volume(bands).tolist() == [500, -30, 8000, 7000]
    assert bands["target"].tolist() == ["ASNS", "ASNS", "total_protein", "total_protein"]
    assert bands["membrane"].unique().tolist() == ["b1"]


def test_imagej_gel_peaks_in_order(tmp_path: Path) -> None:
    """The gel analyser writes areas without names: rows follow the lane list."""
    bands = read_bands(
        write(tmp_path, " \tArea\tPercent\n1\t1200.5\t60\n2\t800\t40\n", "Results.txt"),
        lanes=lanes(lane=[1, 2], cell_line=["A549", "HeLa"], target=["ASNS"] * 2),
    )
    assert bands["format"].unique().tolist() == ["ImageJ"]
    assert net_volume(bands).tolist() == [1200.5, 800]
    assert bands["cell_line"].tolist() == ["A549", "HeLa"]


def test_imagej_boxes_less_the_background_box(tmp_path: Path) -> None:
    text = " ,Label,Area,Mean,Min,Max,IntDen,RawIntDen\n1,a,100,30,1,90,3000,3000\n2,b,200,15,1,90,3000,3000\n3,bg,50,10,1,20,500,500\n"
    table = lanes(
        label=["a", "b", "bg"],
        lane=[1, 2, 3],
        cell_line=["A549", "HeLa", ""],
        lane_role=["sample", "sample", "background"],
    )
    assert net_volume(read_bands(write(tmp_path, text), lanes=table)).tolist() == [2000, 1000]


def test_excel_reads_like_text(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "lane": [1],
            "cell_line": ["A549"],
            "target": ["asns"],
            "volume": [12.5],
            "saturated": [True],
        }
    )
    frame.to_excel(tmp_path / "b.xlsx", index=False, startrow=3)
    bands = read_bands(tmp_path / "b.xlsx")
    assert bands.loc[0, ["target", "volume", "saturated", "lane"]].tolist() == [
        "ASNS",
        12.5,
        True,
        1,
    ]


BAD = [
    (
        OWN + "M1,1,A549,1,ASNS,1.4,,10,0,false,sample\n",
        "line 2: rf 1.4 does not lie between 0 and 1",
    ),
    (OWN + "M1,1,A549,1,ASNS,,,ten,0,false,sample\n", "line 2: volume 'ten' is not a number"),
    (OWN + "M1,1,A549,1,ASNS,,,,0,false,sample\n", "line 2: lane 1, ASNS: volume is missing"),
    (OWN + "M1,1,A549,1,ASNS,,,10,0,maybe,sample\n", "saturated 'maybe' is neither true nor false"),
    (
        OWN + "M1,1,A549,1,ASNS,,,10,0,false,sampel\n",
        "lane_role 'sampel' is not known. Did you mean 'sample'",
    ),
    (OWN + "M1,1,,1,ASNS,,,10,0,false,sample\n", "lane 1 has no cell line"),
    (OWN + "M1,1,A549,1,ASNS,,-5,10,0,false,sample\n", "mw_kDa -5 is no protein's mass"),
    (
        'lane,cell_line,target,volume\n1,A549,ASNS,"1,234"\n',
        "'1,234' is not a number.*may be 1.234 or 1234",
    ),
    ("a,b\n1,2\n", "holds no densitometry table"),
]


@pytest.mark.parametrize(("text", "why"), BAD)
def test_mistakes_are_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_bands(write(tmp_path, text))


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = OWN + "M1,1,A549,1,ASNS,1.4,,x,0,false,sample\nM1,2,,1,ASNS,,,10,0,false,simple\n"
    with pytest.raises(InputError) as caught:
        read_bands(write(tmp_path, text))
    assert len(caught.value.problems) >= 3
    assert {problem.place for problem in caught.value.problems} == {"line 2", "line 3"}


JOINS = [
    (
        lanes(lane=[1, 2, 3], cell_line=["a", "b", "c"]),
        "2 rows and no column in common with a lane list of 3 rows",
    ),
    (
        lanes(label=["1", "9"], lane=[1, 2], cell_line=["a", "b"]),
        "names label '9', which the export does not hold",
    ),
    (lanes(label=["1"], lane=[1], cell_line=["a"]), "label '2' is not in the lane list"),
    (lanes(label=["1", "1"], lane=[1, 2], cell_line=["a", "b"]), "stands there twice"),
]


@pytest.mark.parametrize(("table", "why"), JOINS)
def test_lane_lists_that_do_not_fit(tmp_path: Path, table: pd.DataFrame, why: str) -> None:
    text = (
        "Label,Area,Percent\n1,100,50\n2,100,50\n"
        if "label" in table
        else "Area,Percent\n100,50\n100,50\n"
    )
    with pytest.raises(InputError, match=why):
        read_bands(write(tmp_path, text), lanes=table)


def test_lane_list_reads_and_checks(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "lane,cell_line,lane_role,replicate,ladder_kDa,left,right\n1,,ladder,,150|100|75,10,40\n2,A549,sample,2,,50,80\n",
        "lanes.csv",
    )
    table = read_lanes(path, lines=["A549"])
    assert table["ladder_kDa"].tolist()[0] == "150|100|75"
    assert table[["left", "right"]].values.tolist() == [[10, 40], [50, 80]]
    with pytest.raises(
        InputError, match=r"cell line 'A549' is not in experiment.yaml. Did you mean 'A-549'"
    ):
        read_lanes(path, lines=["A-549"])
    with pytest.raises(InputError, match="is no lane list"):
        read_lanes(write(tmp_path, "a,b\n1,2\n", "x.csv"))


def test_a_lane_list_may_know_lanes_by_label_alone(tmp_path: Path) -> None:
    """An ImageJ table of boxes names each box; the list says by that name what was loaded."""
    boxes = write(tmp_path, "Label,Area,Mean,IntDen\nb:one,100,210,21000\nb:two,100,30,3000\n")
    listing = tmp_path / "lanes.csv"
    listing.write_text(
        "label,cell_line,lane_role,target\nb:two,MOLT-4,sample,ASNS\nb:one,pool,reference,ASNS\n"
    )
    bands = read_bands(boxes, lanes=read_lanes(listing)).set_index("cell_line")
    assert bands["volume"].to_dict() == {"pool": 21000, "MOLT-4": 3000}
    assert bands["lane"].nunique() == 2


@pytest.mark.parametrize("cell", ["", "n/a", "NA", "-"])
def test_a_background_that_is_missing_in_one_band_is_not_0(tmp_path: Path, cell: str) -> None:
    """Beside bands that have one; a membrane without any has net volumes."""
    path = tmp_path / "blot.csv"
    rows = [f"m1,1,A549,1,ASNS,,,1000,{cell},,", "m1,2,HeLa,1,ASNS,,,1000,200,,"]
    path.write_text(OWN + "\n".join(rows) + "\n")
    with pytest.raises(InputError) as caught:
        read_bands(path)
    (problem,) = caught.value.problems
    assert "lane 1, ASNS" in str(problem) and "background" in str(problem)
    path.write_text(OWN + "m1,1,A549,1,ASNS,,,1000,,,\nm1,2,HeLa,1,ASNS,,,900,,,\n")
    assert net_volume(read_bands(path)).tolist() == [1000, 900]
