"""Live-imaging and kinetic exports against their expected long tables, and broken ones in words."""

import numpy as np
import pandas as pd
import pytest

from kit.core.errors import InputError
from kit.core.wells import find_well, well_name
from kit.readers.livecell import read_livecell
from kit.readers.livecell.cells import metric_kind

FORMATS = ["zoom_classic.txt", "sx5_colon_korean.txt", "csv_metric_suffix.csv", "simple_tab.txt",
           "group_names_stderr.txt", "vessel_wide_us.txt", "decimal_comma_bom.txt",
           "matrix_blocks_images.txt", "per_image_columns.txt", "counts_mixed_dates.txt",
           "long_hts.csv", "columbus_like.tsv", "barcode_sheet.xlsx",
           "kinetic_luminescence.csv"]  # fmt: skip


@pytest.fixture(scope="module")
def source(shared_data):
    return shared_data / "timecourse"


@pytest.mark.parametrize("name", FORMATS)
def test_formats_give_their_expected_table(source, name):
    expected = pd.read_csv(source / "formats" / f"{name}.expected.csv", dtype={"image": str})
    got = read_livecell(source / "formats" / name)
    assert not got.findings
    where = "group" if "group" in expected else "well"
    if where == "well":
        expected["well"] = [well_name(*find_well(well)) for well in expected["well"]]
    keys = [where, "elapsed_h", "metric", "image"]
    expected = expected.reindex(columns=[*keys, "value"])
    expected[["metric", "image"]] = expected[["metric", "image"]].astype(object).fillna("")
    assert len(got.scans) == len(expected)
    both = expected.merge(got.scans, on=keys, how="left", suffixes=("", "_read"), indicator=True)
    assert (both["_merge"] == "both").all()
    np.testing.assert_array_equal(both["value"], both["value_read"])


def test_broken_exports_are_refused_or_warned(source):
    expected = pd.read_csv(source / "errors" / "expected.csv")
    for row in expected.itertuples():
        path = source / "errors" / row.file
        if row.expected == "warn":
            assert [item.code for item in read_livecell(path).findings] == ["LIVE_CLOCK"]
        elif row.file == "two_metrics_one_file.txt":
            assert read_livecell(path).scans["metric"].nunique() == 2
        else:
            with pytest.raises(InputError) as caught:
                read_livecell(path)
            assert all(problem.what for problem in caught.value.problems)


KINETIC = {
    "gen5.txt": "Software Version\t3.05\n\nRead\tLuminescence Endpoint\n\nLum\n\n"
    "Time\tT° Lum\tA1\tA2\tB1\n0:00:00\t37.0\t10\t20\t30\n2:30:00\t37.0\t11\t22\t33\n",
    "icontrol.csv": "Mode,Luminescence\n\nCycle Nr.,1,2\nTime [s],0,9000\nTemp. [°C],37,37\n"
    "A1,10,11\nA2,20,22\nB1,30,33\n",
    "spark.csv": "Mode;Luminescence\n\nCycle Nr.;Time [s];Temp. [°C];A1;A2;B1\n"
    "1;0;37,0;10;20;30\n2;9000;37,1;11;22;33\n",
    "softmax.txt": "Plate:\tP1\t1.3\tTimeFormat\tKinetic\tLuminescence\n"
    "Time(hh:mm:ss)\tTemperature(C)\t1\t2\t3\n00:00:00\t37.0\t10\t20\t\n\t\t30\t\t\n\n"
    "02:30:00\t37.0\t11\t22\t\n\t\t33\t\t\n\n~End\n",
    "mars.csv": "User: X,Path: C\nTest name: Luminescence kinetics\n\n"
    "Well Row,Well Col,Content,Raw Data (Lum),Raw Data (Lum)\n,,Time,0 h,2 h 30 min\n"
    "A,1,Sample X1,10,11\nA,2,Sample X2,20,22\nB,1,Sample X3,30,33\n",
    "mars_headings.csv": "Well,Content,Raw Data (Lum 0 h 0 min),Raw Data (Lum 2 h 30 min)\n"
    "A01,X,10,11\nA02,X,20,22\nB01,X,30,33\n",
    "long.csv": "well,hours,metric,value\nA1,0,Luminescence,10\nA2,0,Luminescence,20\n"
    "B1,0,Luminescence,30\nA1,2.5,Luminescence,11\nA2,2.5,Luminescence,22\n"
    "B1,2.5,Luminescence,33\n",
}


@pytest.mark.parametrize("name", KINETIC)
def test_kinetic_exports(tmp_path, name):
    (tmp_path / name).write_text(KINETIC[name], encoding="utf-8")
    scans = read_livecell(tmp_path / name).scans
    table = scans.pivot(index="elapsed_h", columns="well", values="value")
    assert table.loc[0.0].to_dict() == {"A01": 10, "A02": 20, "B01": 30}
    assert table.loc[2.5].to_dict() == {"A01": 11, "A02": 22, "B01": 33}
    assert len(scans) == 6 and scans["metric"].str.casefold().str.startswith("lum").all()


@pytest.mark.parametrize(
    ("heading", "rows"),
    [("Time,A1,A2", "0,1,2\n3600,1,2"), ("Cycle Nr.,1,2\nTime,0,3600", "A1,10,11\nA2,1,2")],
)
def test_times_without_a_unit_are_refused(tmp_path, heading, rows):
    (tmp_path / "x.csv").write_text(f"{heading}\n{rows}\n", encoding="utf-8")
    with pytest.raises(InputError):
        read_livecell(tmp_path / "x.csv")


def test_a_job_named_like_a_well_and_notes_with_commas(tmp_path):
    text = (
        "Label: x, y\nMetric: Red Object Count (1/mm2)\nNotes: a, b, c, d, e, f\n"
        "Analysis Job: B2\n\nDate Time\tElapsed\tB2\tB3\n04.03.2026 17:00\t0\t1\t\n"
        "04.03.2026 19:00\t2\t2\t3\n"
    )
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    scans = read_livecell(tmp_path / "x.txt").scans
    assert scans["metric"].unique().tolist() == ["Red Object Count (1/mm2)"]
    assert scans["value"].isna().sum() == 1 and len(scans) == 4


def test_metrics_by_name():
    names = {"Phase Object Confluence (%)": "confluence", "Konfluenz Phase (Prozent)": "confluence",
             "Red Object Count (1/mm2)": "dead", "cell_count__dead": "dead", "cell.count": "count",
             "Annexin V Area": "annexin", "Luminescence": "luminescence", "": "other"}  # fmt: skip
    assert {name: metric_kind(name) for name in names} == names
