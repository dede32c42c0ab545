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


KINETIC |= {
    "gen5_results.txt": "Software Version\t3.11\n\nPlate Number\tPlate 1\nDate\t27.11.2025\n"
    "Time\t10:01:02\n\nRead\tLuminescence Endpoint\n\nLum\n\nTime\tT° Lum\tA1\tA2\tB1\n"
    "0:00:00\t37.0\t10\t20\t30\n2:30:00\t37.0\t11\t22\t33\n0:00:00\t\t\t\t\n\n"
    "Results\n\t1\t2\t3\nA\t1.0\t2.0\t\tMax V [Lum]\n",
    "gen5_german.txt": "Datum\t27.11.2025\nZeit\t10:01:02\n\nLum\n\nZeit\tT° Lum\tA1\tA2\tB1\n"
    "0:00:00\t37,0\t10,0\t20,0\t30,0\n2:30:00\t37,0\t11,0\t22,0\t33,0\n",
    "softmax_columns.txt": "##BLOCKS= 1\nPlate:\tP1\t1.3\tTimeFormat\tKinetic\tLuminescence\n"
    "\tTemperature(¡C)\tA1\tA2\tB1\n0:00:00\t37.0\t10\t20\t30\n"
    "2:30:00\t37.0\t11\t22\t33\n\n~End\n",
    "softmax_grids.txt": "##BLOCKS= 1\nPlate:\tP1\t1.3\tPlateFormat\tKinetic\tLuminescence\n"
    "\tTemperature(°C)\t1\t2\t3\n00:00:00\t37.0\t10\t20\t\n\t\t30\t\t\n\n"
    "02:30:00\t37.0\t11\t22\t\n\t\t33\t\t\n\n~End\nOriginal Filename: x\n",
    "icontrol_german.csv": "Modus;Lumineszenz\n\nZyklus Nr.;1;2\nZeit [s];0;9000\n"
    "Temp. [°C];37,0;37,1\nA1;10,0;11,0\nA2;20,0;22,0\nB1;30,0;33,0\n\nEnde Zeit:;27.11.2025\n",
    "spark_reads.csv": "Mode,Luminescence\n\nCycle Nr.,Time [s],Temp. [°C],A1 (Mean),A1 (StDev),"
    "A2 (Mean),A2 (StDev),B1 (Mean),B1 (StDev)\n1,0,37,10,1,20,1,30,1\n2,9000,37,11,1,22,1,33,1\n",
    "mars_across.csv": "User: X,Path: C\nTest Name: Luminescence kinetics\n\nTime [s],A01,A02,B01\n"
    ",Sample X1,Sample X2,Sample X3\n0,10,20,30\n9000,11,22,33\n",
}
"""The same numbers in further forms: dates above, headings left empty, reads never made."""


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


@pytest.mark.parametrize("text", [
    "Time\tA1\tA2\n0:00:00\t1\t2\n2:00:00\t1\t2\n1:00:00\t3\t4\n",
    "Time\tA1\tA2\n0:00:00\t1\t2\n1:00:00\t1\t2\n1:00:00\t3\t4\n",
    "Cycle Nr.\t1\t2\t3\nTime [s]\t0\t7200\t3600\nA1\t1\t2\t3\nA2\t1\t2\t3\n",
    "Time\tA1\tA2\n0:00:00\t1\t2\n1:00:00\tOVRFLW\t2\n",
])  # fmt: skip
def test_times_out_of_order_and_overflows_are_no_numbers(tmp_path, text):
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_livecell(tmp_path / "x.txt")
    assert all(problem.place for problem in caught.value.problems)


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


@pytest.mark.parametrize("channel", ["phase", "green", "red"])
def test_a_real_export_with_columns_of_one_name(shared_data, channel):
    """PC9 in two copies of 17 treatments: every column by itself, no value lost."""
    path = shared_data / "viability_timecourse" / f"incucyte_062117_PC9_confluence_{channel}.csv"
    plain = pd.read_csv(path, encoding="latin-1")
    scans = read_livecell(path).scans
    assert scans["group"].nunique() == plain.shape[1] - 2 == 34
    wide = scans.pivot(index="elapsed_h", columns="group", values="value")
    names = scans["group"].unique()
    np.testing.assert_array_equal(wide[names].to_numpy(), plain.iloc[:, 2:].to_numpy(float))
    assert list(names[[0, 17]]) == ["Control (column 3)", "Control (column 20)"]
