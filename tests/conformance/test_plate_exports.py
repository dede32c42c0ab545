"""Real exports of plate readers: every well against an independent reading of the same file.

The expected values are those of other programs (allotropy, gDRimport) or stated beside the files;
nothing here is our own
output. allotropy writes -0.0 for a well without a value, so a negative zero there means missing.
"""

import csv
import math
from pathlib import Path

import pytest

from kit.core.errors import InputError
from kit.readers import Read, choose, parse_well, read_plates

EXPORTS = (
    "agilent_gen5.txt",
    "bmg_mars.csv",
    "moldev_softmax_pro.txt",
    "perkin_elmer_envision.csv",
    "revvity_kaleido.csv",
)
ENVISION_ROWS = {1: 1, 2: 5, 3: 9, 4: 13}
"""allotropy counts the lines of the EnVision grid (A, B, C, D); the file itself labels them A, E, I
and M, and that counts.
"""
EXPORTS += ("tecan_magellan.xlsx", "thermo_skanit.xlsx")


@pytest.fixture(scope="module")
def exports(shared_data: Path) -> Path:
    return shared_data / "plate_exports"


def signals(read: Read) -> dict[tuple[int, int], float]:
    return {
        (row, column): signal
        for row, column, signal in zip(
            read.wells["row"], read.wells["column"], read.wells["signal"]
        )
    }


def same(one: dict[tuple[int, int], float], other: dict[tuple[int, int], float]) -> bool:
    """Equal in every well, bit for bit; NaN equals NaN."""
    return one.keys() == other.keys() and all(
        one[well] == other[well] or (one[well] != one[well] and other[well] != other[well])
        for well in one
    )


def expected_plates(path: Path) -> dict[tuple[str, str], dict[tuple[int, int], float]]:
    """(plate, mode) -> well -> value, of an `.expected.csv`."""
    plates: dict[tuple[str, str], dict[tuple[int, int], float]] = {}
    with path.open(newline="") as lines:
        for line in csv.DictReader(lines):
            value = float(line["value"])
            missing = value == 0 and math.copysign(1, value) < 0
            plates.setdefault((line["plate"], line["mode"]), {})[parse_well(line["well"])] = (
                math.nan if missing else value
            )
    return plates


@pytest.mark.parametrize("name", EXPORTS)
def test_every_well_of_every_export(exports: Path, name: str) -> None:
    reads = read_plates(exports / name)
    for (plate, mode), wells in expected_plates(
        exports / f"{Path(name).stem}.expected.csv"
    ).items():
        label = f"{plate} / {mode}"
        assert label in [read.label for read in reads]
        read = choose(reads, read=label)
        if name == "perkin_elmer_envision.csv":
            wells = {(ENVISION_ROWS[row], column): value for (row, column), value in wells.items()}
        assert same(signals(read), wells)
        assert (read.plate, read.mode, read.labelled) == (plate, mode, True)


def test_crosstalk_corrected_values_are_a_read_of_their_own(exports: Path) -> None:
    labels = [read.label for read in read_plates(exports / "perkin_elmer_envision.csv")]
    assert len(labels) == 4
    assert sum("crosstalk corrected" in label for label in labels) == 2
    with pytest.raises(
        InputError, match=r'holds 4 plate reads: .*crosstalk corrected.*Write `read: "'
    ):
        choose(read_plates(exports / "perkin_elmer_envision.csv"))


def test_all_4608_wells_of_the_envision_workbooks(exports: Path) -> None:
    folder = exports / "gdrimport_data1"
    expected: dict[str, dict[tuple[int, int], float]] = {}
    with (folder / "ref_RawData_day0_day7_xlsx.csv").open(newline="") as lines:
        for line in csv.DictReader(lines, delimiter=";"):
            well = parse_well(line["WellRow"] + line["WellColumn"])
            expected.setdefault(line["Barcode"], {})[well] = float(line["ReadoutValue"])
    reads = {
        read.plate: read
        for day in (0, 7)
        for read in read_plates(folder / f"RawData_day{day}.xlsx")
    }
    assert sum(map(len, expected.values())) == 4608
    assert reads.keys() == expected.keys()
    assert all(same(signals(reads[plate]), expected[plate]) for plate in expected)
    assert {(read.mode, read.labelled, read.n_rows) for read in reads.values()} == {
        ("fluorescence", False, 16)
    }


def test_the_reference_list_reads_to_the_same_plates(exports: Path) -> None:
    folder = exports / "gdrimport_data1"
    listed = {read.plate: read for read in read_plates(folder / "ref_RawData_day0_xlsx.csv")}
    grids = {read.plate: read for read in read_plates(folder / "RawData_day0.xlsx")}
    assert listed.keys() == grids.keys()
    assert all(same(signals(listed[plate]), signals(grids[plate])) for plate in grids)


def test_unlabelled_384_well_exports(shared_data: Path) -> None:
    files = sorted((shared_data / "ctg_384_envision").glob("H*.csv"))
    assert len(files) == 14
    for path in files:
        (read,) = read_plates(path)
        here = read.wells.dropna(subset="signal")
        assert (read.plate, read.mode, read.labelled, len(read.wells), len(here)) == (
            path.stem,
            "luminescence",
            False,
            384,
            252,
        )
        assert (here["well"].iloc[0], here["well"].iloc[-1]) == ("C02", "N22")
        assert set(read.wells.loc[read.wells["signal"].isna(), "flag"]) == {"missing"}
    first, last = (
        read_plates(files[1])[0].wells.set_index("well")["signal"][well] for well in ("C02", "D03")
    )
    assert (first, last) == (611495, 457291)


def test_partial_tecan_plates(shared_data: Path) -> None:
    reads = read_plates(shared_data / "ctg_tecan_96" / "RawData_Tecan_96_well_plates.xlsx")
    assert sorted(read.sheet for read in reads) == ["H2122-1", "H2122-2", "H358-1", "H358-2"]
    read = choose(reads, read="H358-1")
    wells = read.wells.set_index("well")["signal"]
    assert (len(wells), wells["B02"], wells["B11"], wells["G11"]) == (60, 308, 114508, 96369)
    assert (read.n_rows, read.n_columns, read.mode, read.plate) == (
        8,
        12,
        "luminescence",
        "Plate 22",
    )


CELLHTS = [
    ("KcCellTiter/KcCellTiter0607.txt", 3, "X001T006", 384),
    ("KcCellTiter/KcCellTiter0707.txt", 3, "X001T011", 384),
    ("EnVisionExample/XXX_1500.csv", 2, "1", 384),
    ("TwoWayAssay/DHA001LU1.CSV", 1, "835", 96),
    ("TwoWayAssay/DHA001LU2.CSV", 1, "847", 96),
]


@pytest.mark.parametrize(("name", "count", "plate", "wells"), CELLHTS)
def test_cellhts2_files_cell_by_cell(
    exports: Path, name: str, count: int, plate: str, wells: int
) -> None:
    """Against a plain split of the lines that begin with a row letter: no shared code, no
    search.
    """
    text = (exports / "cellhts2" / name).read_bytes().decode("latin-1")
    separator = "," if "," in text else "\t"
    lines = [[cell.strip() for cell in line.split(separator)] for line in text.splitlines()]
    numbers = [
        [float(cell) for cell in line[1:] if cell]
        for line in lines
        if len(line[0]) == 1 and line[0].isalpha() and len(line) > 12
    ]
    reads = read_plates(exports / "cellhts2" / name)
    assert (len(reads), reads[0].plate, {read.mode for read in reads}) == (
        count,
        plate,
        {"luminescence"},
    )
    found = [value for read in reads for value in read.wells["signal"].tolist()]
    assert found == [value for line in numbers for value in line]
    assert all(len(read.wells) == wells for read in reads)


def test_exports_no_vendor_library_reads(exports: Path) -> None:
    (glomax,) = read_plates(exports / "fallback" / "glomax_example.csv")
    wells = glomax.wells.set_index("well")["signal"]
    assert (glomax.mode, wells["A01"], wells["D12"], wells["H12"]) == (
        "absorbance",
        1.03,
        0.145,
        0.0748,
    )
    (spark,) = read_plates(exports / "fallback" / "tecan_spark_example.xlsx")
    wells = spark.wells.set_index("well")["signal"]
    assert (spark.mode, len(wells), wells["A01"], wells["C07"], wells["H12"]) == (
        "absorbance",
        96,
        0.0635,
        0.2131,
        0.0614,
    )
    infinite = read_plates(exports / "fallback" / "tecan_infinite_example.xlsx")
    assert [len(read.wells) for read in infinite] == [96, 60, 96, 96, 96, 18, 18, 18]
    sixth = infinite[5].wells
    assert (infinite[5].sheet, sixth["well"].iloc[0], sixth["well"].iloc[-1]) == ("6", "E01", "F09")
    assert sixth["signal"].iloc[0] == pytest.approx(0.1066, abs=1e-6)


REFUSED = [
    ("garbage_error.txt", "no plate signals found"),
    ("missing_results_error.txt", "no plate signals found"),
    ("magellan_no_well_positions.xlsx", "no plate signals found"),
    ("softmax_duplicate_plate_id.txt", "line 2: 2 plates are called 'Plate01'"),
    ("softmax_header_size_mismatch.txt", "line 4: the line has 10 values for 96 wells"),
]


@pytest.mark.parametrize(("name", "words"), REFUSED)
def test_refused_in_words(exports: Path, name: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_plates(exports / "errors" / name)
    assert str(caught.value).startswith(f"{name}: ")
    assert words in str(caught.value)


def test_wells_without_a_value_are_missing_not_zero(exports: Path) -> None:
    (read,) = read_plates(exports / "errors" / "softmax_all_nan.txt")
    assert (read.n_rows, read.n_columns) == (2, 3)
    assert read.wells["well"].tolist() == ["A01", "A02", "A03", "B01", "B02", "B03"]
    assert read.wells["signal"].isna().all()
    assert set(read.wells["flag"]) == {"missing"}


def test_a_file_of_three_plates_lists_them(exports: Path) -> None:
    reads = read_plates(exports / "errors" / "gen5_lum_multiplate.txt")
    assert [read.plate for read in reads] == [
        "Plate 1",
        "Plate 1",
        "Plate 2",
        "Plate 2",
        "Plate 3",
        "Plate 3",
    ]
    with pytest.raises(InputError, match="'Plate 3 / luminescence'"):
        choose(reads, plate="CTG48-R1", name="raw/multi.txt")
    assert choose(reads, read="Plate 2 / luminescence").wells["signal"].iloc[0] == 9067
