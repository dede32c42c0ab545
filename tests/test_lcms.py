"""LC-MS tables of every vendor, to their expected long form; standards and sample sheets."""

import numpy as np
import pandas as pd
import pytest

from kit.core.errors import InputError
from kit.exchange import calibration, volume
from kit.readers.lcms import read_lcms, samples
from kit.readers.lcms.compounds import compound
from kit.readers.lcms.units import micromolar

FORMAT = {
    "elmaven_group_report.csv": "El-MAVEN groups",
    "elmaven_peak_report.synthetic.csv": "El-MAVEN peaks",
    "masshunter_compound_table.csv": "MassHunter compounds",
    "masshunter_wide_final_conc.csv": "MassHunter batch",
    "masshunter_wide_two_row_header.csv": "MassHunter batch",
    "plain_wide_decimal_comma.synthetic.csv": "compounds down",
    "plain_wide_medium_metaproviz.csv": "samples down",
    "sciex_multiquant_conc.synthetic.txt": "MultiQuant",
    "sciex_multiquant_long.txt": "MultiQuant",
    "skyline_molecule_transition_results.csv": "Skyline",
    "thermo_tracefinder_long.synthetic.csv": "TraceFinder",
    "thermo_xcalibur_quan_short_report.synthetic.xlsx": "Xcalibur",
}
UNIT_ASKED_FOR = ("sciex_multiquant_conc.synthetic.txt", "thermo_tracefinder_long.synthetic.csv")


@pytest.mark.parametrize("name", FORMAT)
def test_table_gives_its_expected_long_form(shared_data, name):
    folder = shared_data / "exchange/lcms_tables"
    read = read_lcms(folder / name, unit="uM" if name in UNIT_ASKED_FOR else "")
    assert read.format == FORMAT[name]
    stem = name.rsplit(".", 1)[0]
    expected = pd.read_csv(folder / f"{stem}.expected.csv", keep_default_na=False, dtype=str)
    keys = ["sample", "sample_type", "compound", "quantity", "unit"]
    left = read.rows.copy()
    for row in expected.to_dict("records"):
        same = (left[keys] == [row[key] for key in keys]).all(axis=1)
        values = left.loc[same, "value"]
        wanted = float(row["value"] or "nan")
        hit = values[np.isclose(values, wanted, rtol=1e-5, equal_nan=True)]
        assert len(hit), row
        left = left.drop(hit.index[0])
    extra = left[left["sample"].isin(expected["sample"])]
    assert (extra["quantity"].eq("area") | extra["internal_standard"]).all()


def test_of_several_peak_groups_the_nearest_in_time_is_read(shared_data):
    name = "elmaven_three_peak_groups_one_compound"
    read = read_lcms(shared_data / f"exchange/lcms_tables/{name}.csv")
    assert [item.code for item in read.findings] == ["LCMS_PEAK_GROUPS"]
    first = read.rows[read.rows["sample"].eq("H-Glc-G6PD-1")]
    assert first["value"].iloc[0] == 2019045 and len(first) == 4


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Asn", "asparagine"), ("L-asparagine", "asparagine"), ("ASN", "asparagine"),
        ("HMDB0000168", "asparagine"), ("HMDB00168", "asparagine"), ("C00152", "asparagine"),
        ("Asparagin", "asparagine"), ("asparaginsäure", "aspartate"), ("Aspartic acid", "aspartate"),
        ("L-Leucine", "leucine"), ("serine|C12 PARENT", "serine"), ("D-serine", ""),
        ("cysteine", "cysteine"), ("S1P d18:1 [M>60]", ""),
    ],
)  # fmt: skip
def test_names_of_compounds(name, meant):
    assert compound(name).name == meant and not compound(name).choices


@pytest.mark.parametrize("name", ["leucine+isoleucine", "Leu/Ile", "Asx", "Glx"])
def test_a_name_that_may_mean_two_is_asked_for(name):
    assert not compound(name).name and len(compound(name).choices) == 2


@pytest.mark.parametrize(
    "name", ["valine-d8", "13C5-glutamine", "[13C6]-leucine", "Norvaline (IS)"]
)
def test_internal_standards_are_no_analytes(name):
    assert compound(name).labelled


def test_units():
    assert micromolar("µmol/L", 1) == 1 and micromolar("mM", 1) == 1000
    assert micromolar("mg/L", 132.12) == pytest.approx(7.5689, rel=1e-4)
    assert np.isnan(micromolar("counts", 100))


def test_a_cell_that_is_no_number_is_named(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("sample,compound,concentration,unit\na,serine,12,uM\nb,serine,about 5,uM\n")
    with pytest.raises(InputError) as caught:
        read_lcms(file)
    assert [problem.place for problem in caught.value.problems] == ["line 3"]


def test_a_negative_area_is_missing_and_told(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("sample,compound,area\na,serine,1200\nb,serine,-5\n")
    read = read_lcms(file)
    assert [item.code for item in read.findings] == ["LCMS_NEGATIVE"]
    assert np.isnan(read.rows["value"].iloc[1]) and "negative" in read.rows["note"].iloc[1]


def test_what_is_no_lcms_table_is_refused(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(InputError, match="recognised"):
        read_lcms(file)


def test_calibration_gives_published_concentrations_back(shared_data):
    """Areas over norvaline on a plain line, as the authors of the data did."""
    folder = shared_data / "exchange/copeland_2023"
    raw = pd.read_csv(folder / "raw_aa_peak_areas_2018-11-15.csv")
    published = pd.read_csv(folder / "measurements.csv")
    published = published[published.date.eq("2018-11-15") & published.metabolite.eq("serine")]
    found = []
    for _, run in raw.groupby("run"):
        ratio = run.fld_serine / run.fld_norvaline
        known = run.std_conc_uM_nominal.where(run.std_conc_uM_nominal < 900)
        line = calibration.calibrate(known, ratio, weight_power=0)
        found.append(run.assign(conc=line.concentration(ratio) * 200 / 190).dropna(subset="type"))
    keys = ["type", "oxygen", "time_h", "well"]
    both = pd.concat(found).merge(published, on=keys)
    assert len(both) > 20
    np.testing.assert_allclose(both.conc, both.conc_uM_or_cells, rtol=1e-6)


def test_volumes_follow_plate_weights(shared_data):
    rows = pd.read_csv(shared_data / "exchange/copeland_2023/evaporation_mass.csv")
    for _, own in rows.groupby(["date", "oxygen"]):
        empty, wells = own[own.time_h < 0].plate_mass_g.iloc[0], own[own.time_h >= 0]
        found = volume.from_masses(wells.time_h, wells.time_h, wells.plate_mass_g, empty, 2.0)
        np.testing.assert_allclose(found, wells.volume_mL_expected, rtol=1e-6)
    golden = pd.read_csv(shared_data / "exchange/golden.csv").set_index("id").value
    assert 2 / golden["evap.V_ratio"] - 1 == pytest.approx(golden["evap.bias72"], abs=1e-5)


def test_sample_sheet_names_every_fault(tmp_path):
    file = tmp_path / "s.csv"
    file.write_text(
        "sample,kind,cell_line,medium,hours,volume\n"
        "a,cells,A459,complete,24,2\nb,blank,,complete,,2\nb,pudding,,complete,1,x\n"
    )
    with pytest.raises(InputError) as caught:
        samples.read_samples(file, "s.csv", ["A549"], ["complete"])
    told = "\n".join(map(str, caught.value.problems))
    for part in ("A549", "no hours", "pudding", "listed twice", "not a number"):
        assert part in told


def test_a_count_of_nothing_is_refused(tmp_path):
    file = tmp_path / "c.csv"
    file.write_text("cell_line,medium,hours,cells\nA549,complete,24,0\n")
    with pytest.raises(InputError, match="not positive"):
        samples.read_counts(file, "c.csv", ["A549"], ["complete"])
