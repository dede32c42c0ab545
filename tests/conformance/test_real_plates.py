"""Real CellTiter-Glo plates (384 wells, day 0 and 120 h) through the whole analysis, against
numbers known from elsewhere.
"""

import math

import pytest
import python_calamine

import kit
from kit.readers import well_name

YAML = """\
experiment_id: REAL-CTG
cell_lines: {line: {growth_mode: adherent}}
media:
  complete: {role: control}
plates:
  - {plate: D0, file: raw/H0109269D00.csv, layout: start.csv, readout: CellTiter-Glo, hours: 0, replicate: 1}
  - {plate: D5, file: raw/H0109269D01.csv, layout: treated.csv, readout: CellTiter-Glo, hours: 120, replicate: 1}
"""


def template(path, sheet):
    """A template sheet with an empty header row and column: sheet cell D4 is well C3."""
    rows = (
        python_calamine.CalamineWorkbook.from_path(path)
        .get_sheet_by_name(sheet)
        .to_python(skip_empty_area=False)
    )
    return {
        well_name(r, c): value
        for r, row in enumerate(rows)
        for c, value in enumerate(row)
        if value != ""
    }


@pytest.fixture(scope="module")
def analysis(shared_data, tmp_path_factory):
    source = shared_data / "ctg_384_envision"
    folder = tmp_path_factory.mktemp("real") / "REAL-CTG"
    (folder / "raw").mkdir(parents=True)
    for name in ("H0109269D00.csv", "H0109269D01.csv"):
        (folder / "raw" / name).write_bytes((source / name).read_bytes())
    drugs = template(source / "Project40.treated.template.xlsx", "gnumber")
    doses = template(source / "Project40.treated.template.xlsx", "concentration")
    read = kit.readers.choose(kit.readers.read_plates(source / "H0109269D01.csv"))
    wells = list(read.wells.loc[read.wells["signal"].notna(), "well"])
    lines = ["well,medium,role,agent,concentration,concentration_unit"]
    for well in wells:
        drug = str(drugs.get(well, "vehicle"))
        treated = drug not in ("vehicle", "")
        dose = f"{drug},{doses[well]},uM" if treated else ",,"
        lines.append(f"{well},complete,sample,{dose}")
    (folder / "treated.csv").write_text("\n".join(lines) + "\n")
    (folder / "start.csv").write_text(
        "well,medium,role\n" + "".join(f"{well},complete,sample\n" for well in wells)
    )
    (folder / "experiment.yaml").write_text(YAML)
    return kit.analyse(kit.load(folder))


def test_vehicle_wells_and_growth_since_day_0(analysis):
    wells = analysis.wells
    vehicle = wells[wells["plate"].eq("D5") & wells["agent"].eq("")]["signal"]
    assert len(vehicle) == 54
    assert vehicle.mean() == pytest.approx(557933.1, abs=0.1)
    assert vehicle.std() / vehicle.mean() == pytest.approx(0.082, abs=5e-4)
    assert wells[wells["plate"].eq("D0")]["signal"].mean() == pytest.approx(124548.9, rel=0.02)
    untreated = analysis.growth[analysis.growth["agent"].eq("")].iloc[0]
    assert untreated["control_doublings"] == pytest.approx(math.log2(4.4796), abs=0.03)
    assert untreated["gr"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("dose", "expected"), [(0.2469, 0.719), (0.7407, 0.355), (2.2222, 0.187), (20.0, 0.057)]
)
def test_a_drug_s_relative_viability(analysis, dose, expected):
    rows = analysis.growth[analysis.growth["agent"].eq("G02663206")]
    nearest = rows.iloc[(rows["concentration"] - dose).abs().argmin()]
    assert nearest["relative_viability"] == pytest.approx(expected, abs=6e-4)


def test_a_plate_without_blanks_or_killed_wells_says_so(analysis):
    assert "NO_BLANKS" in set(analysis.plate_qc["code"])
    assert analysis.plate_qc.loc[analysis.plate_qc["metric"].eq("z_prime"), "value"].isna().all()
    assert analysis.summary.verdict in ("warn", "fail")
