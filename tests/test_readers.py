"""Plate readers: imitated exports of many instruments, everything that must be refused, and random
plates written and read back.
"""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from bad_plate_files import BAD, Bad, plate, workbook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.core.errors import InputError
from kit.core.wells import PLATES, plate_shape
from kit.readers import Read, choose, parse_well, read_plates, tokens, well_name
from kit.readers.sheets import MAX_BYTES
from kit.readers.tokens import TOKENS


def write(folder: Path, content: str | bytes, name: str = "plate.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def signal(read: Read, well: str) -> float:
    return float(read.wells.set_index("well")["signal"][well])


def flags(read: Read) -> dict[str, str]:
    return {well: flag for well, flag in zip(read.wells["well"], read.wells["flag"]) if flag}


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [(1, 1, "A01"), (8, 12, "H12"), (26, 9, "Z09"), (27, 1, "AA01"), (32, 48, "AF48")],
)
def test_well_names(row: int, column: int, name: str) -> None:
    assert well_name(row, column) == name
    assert (
        parse_well(name)
        == parse_well(name.lower())
        == parse_well(name.replace("0", "") if column < 10 else name)
        == (row, column)
    )


@pytest.mark.parametrize(
    "text", ["", "A", "1", "A0", "A00", "A49", "AG1", "I", "A1B", "1A", "A-1", "B123"]
)
def test_no_well(text: str) -> None:
    with pytest.raises(ValueError, match="is not a well"):
        parse_well(text)


def test_wells_beyond_every_plate() -> None:
    for place in ((0, 1), (33, 1), (1, 49)):
        with pytest.raises(ValueError, match="on no plate"):
            well_name(*place)


@pytest.mark.parametrize("shape", PLATES)
def test_a_full_plate_has_its_own_shape(shape: tuple[int, int]) -> None:
    assert plate_shape((r + 1, c + 1) for r in range(shape[0]) for c in range(shape[1])) == shape


def test_a_partial_plate_has_96_wells_or_more_unless_the_file_says_otherwise() -> None:
    assert plate_shape([(1, 1), (1, 2)]) == (8, 12)
    assert plate_shape([(1, 1), (1, 2)], stated=24) == (4, 6)
    assert plate_shape([(r, c) for r in (1, 2) for c in (1, 2, 3)], stated=96) == (8, 12)
    assert plate_shape([(9, 1)]) == (16, 24)
    assert plate_shape([(1, 1)], stated=384) == (16, 24)


@pytest.mark.parametrize(
    ("word", "flag"),
    [
        *TOKENS.items(),
        ("", "missing"),
        ("*****", "missing"),
        ("-", "missing"),
        (">3.5", "saturated"),
    ],
)
def test_words_for_no_number_are_missing_with_a_flag(word: str, flag: str) -> None:
    for spelling in (word, word.upper(), word.capitalize()):
        values = tokens.parse([spelling, "7"])
        assert math.isnan(values.signals[0])
        assert (values.flags, values.signals[1], values.bad) == ([flag, ""], 7.0, {})


@pytest.mark.parametrize(
    "word",
    [
        "OVRFLW",
        "OVER",
        "OVERFLOW",
        "#SAT",
        "SAT",
        "#Low",
        "Path?",
        "Range?",
        "MISSED",
        "*****",
        "NaN",
        "N/A",
        "-",
    ],
)
def test_words_the_instruments_write_are_known(tmp_path: Path, word: str) -> None:
    (read,) = read_plates(write(tmp_path, plate({"C7": word})))
    assert math.isnan(signal(read, "C07"))
    assert list(flags(read)) == ["C07"]


def test_saturation_makes_signals_missing(tmp_path: Path) -> None:
    (read,) = read_plates(write(tmp_path, plate()), saturation=811)
    assert flags(read) == {"H11": "saturated", "H12": "saturated"}
    assert math.isnan(signal(read, "H11"))
    assert signal(read, "H10") == 810


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_refused_with_one_clear_message(tmp_path: Path, bad: Bad) -> None:
    path = write(tmp_path, bad.content, bad.name)
    with pytest.raises(InputError) as caught:
        read_plates(path, sheet=bad.sheet, format=bad.format, name=f"raw/{bad.name}")
    message = str(caught.value)
    assert all(word in message for word in bad.says), message
    assert all(str(problem).startswith(f"raw/{bad.name}: ") for problem in caught.value.problems)
    assert len(caught.value.problems) == bad.problems


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, plate(), "ctg48_r1.csv")
    with pytest.raises(
        InputError, match=r"ctg48_rl\.csv: there is no such file\. Did you mean 'ctg48_r1\.csv'\?"
    ):
        read_plates(tmp_path / "ctg48_rl.csv")
    with pytest.raises(InputError, match="this is a folder"):
        read_plates(tmp_path)


def test_a_huge_file_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2**30)  # a sparse gigabyte
    tracemalloc.start()
    with pytest.raises(
        InputError,
        match=f"1024 MB is more than a plate file may have \\({MAX_BYTES // 2**20} MB\\)",
    ):
        read_plates(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000, "it was not read"


@pytest.mark.parametrize("shape", PLATES[-3:])
def test_columns_counted_from_0_over_a_whole_plate(tmp_path: Path, shape: tuple[int, int]) -> None:
    rows, columns = shape
    planted = np.arange(rows * columns, dtype=float).reshape(rows, columns) + 100
    letters = [chr(65 + k) for k in range(26)] + ["A" + chr(65 + k) for k in range(6)]
    table = pd.DataFrame(planted, index=letters[:rows])  # a data frame counts its columns from 0
    table.to_csv(tmp_path / "frame.csv")
    table.to_excel(tmp_path / "frame.xlsx")
    for name in ("frame.csv", "frame.xlsx"):
        (read,) = read_plates(tmp_path / name)
        assert (read.n_rows, read.n_columns) == shape
        assert (
            read.wells.pivot(index="row", columns="column", values="signal").to_numpy().tolist()
            == planted.tolist()
        )


def test_a_file_that_leaves_out_empty_cells_at_line_ends_is_read(tmp_path: Path) -> None:
    (read,) = read_plates(write(tmp_path, ",1,2,3,4\nA,1,2\nB,3\nC,4,5,6,7\n"))
    assert (signal(read, "A02"), signal(read, "B01"), signal(read, "C04")) == (2, 3, 7)
    assert math.isnan(signal(read, "B02"))


def test_damaged_workbooks_never_end_in_a_traceback(tmp_path: Path) -> None:
    whole, rng = workbook(), np.random.default_rng(7)
    for k in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), size=1 + k // 6):
            data[place] ^= int(rng.integers(1, 256))
        path = write(tmp_path, bytes(data[: len(data) - (k % 3) * 40]), "plate.xlsx")
        try:
            reads = read_plates(path)
        except InputError:
            continue
        assert reads


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, ending: str) -> None:
    text = plate(title="Luminescence at 37 °C, 5 µl\n").replace("\n", ending)
    (read,) = read_plates(write(tmp_path, text.encode(encoding)))
    assert (signal(read, "A01"), signal(read, "H12"), read.mode) == (101, 812, "luminescence")


def test_an_excel_file_under_another_name(tmp_path: Path) -> None:
    (read,) = read_plates(write(tmp_path, workbook(), "plate.csv"))
    assert (read.sheet, signal(read, "H12")) == ("Results", 812)


def test_excel_keeps_positions_of_a_table_that_begins_elsewhere(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for i, row in enumerate("ABCDEFGH"):
        sheet.cell(5 + i, 4, row)
        for column in range(1, 13):
            sheet.cell(4, 4 + column, column)
            sheet.cell(5 + i, 4 + column, (i + 1) * 100 + column)
    sheet["G7"] = "broken"
    book.save(tmp_path / "plate.xlsx")
    with pytest.raises(InputError, match="sheet 'Sheet', row 7: well C03: signal 'broken'"):
        read_plates(tmp_path / "plate.xlsx")


def test_protected_text_cells(tmp_path: Path) -> None:
    text = plate({"A1": '="101"', "A2": '"=""102"""'}, title='Barcode,"=""0012"""\nLuminescence\n')
    (read,) = read_plates(write(tmp_path, text))
    assert (read.plate, signal(read, "A01"), signal(read, "A02")) == ("0012", 101, 102)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_comma(tmp_path: Path, delimiter: str) -> None:
    text = (
        plate({"A1": "0#5", "B2": "12#25", "H12": "1#5E+03"})
        .replace(",", delimiter)
        .replace("#", ",")
    )
    (read,) = read_plates(write(tmp_path, text))
    assert (signal(read, "A01"), signal(read, "B02"), signal(read, "H12"), signal(read, "H11")) == (
        0.5,
        12.25,
        1500,
        811,
    )


def test_numbers_with_three_decimals_everywhere_are_decimals(tmp_path: Path) -> None:
    values = {
        f"{row}{column}": f"{(8 * i + column) / 40:.3f}"
        for i, row in enumerate("ABCDEFGH")
        for column in range(1, 13)
    }
    (read,) = read_plates(write(tmp_path, plate(values, title="Absorbance\n")))
    assert {well: signal(read, well_name(*parse_well(well))) for well in values} == {
        well: float(text) for well, text in values.items()
    }
    high = plate({well: f"{100 + i}.125" for i, well in enumerate(values)})
    assert signal(read_plates(write(tmp_path, high))[0], "A02") == 101.125


def test_a_point_beside_whole_numbers_of_excel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'95\.017' may be 95017 or 95\.017"):
        read_plates(
            write(
                tmp_path,
                workbook(lambda sheet: setattr(sheet["C4"], "value", "95.017")),
                "plate.xlsx",
            )
        )


def test_negative_absorbance_and_corrected_signals_are_kept(tmp_path: Path) -> None:
    for title in ("Absorbance\n", "Luminescence\nBlank corrected based on Raw Data (Lens)\n"):
        (read,) = read_plates(write(tmp_path, plate({"B2": "-0.5"}, title=title)))
        assert signal(read, "B02") == -0.5


def test_many_bad_wells_are_named_and_then_counted(tmp_path: Path) -> None:
    text = plate({f"{row}{column}": "-1" for row in "ABC" for column in range(1, 13)})
    with pytest.raises(InputError) as caught:
        read_plates(write(tmp_path, text))
    assert len(caught.value.problems) == 13
    assert "24 more wells" in str(caught.value)


# Imitations, written here, of how instruments lay out their files: text -> (labels, wells of the
# first read)

BLOCK = plate(title="")
GRID = BLOCK.replace(",", "\t")
LONG_WELLS = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]

IMITATIONS: dict[str, tuple[str, list[str], dict[str, float]]] = {
    "victor list": (
        "Protocol,CTG\n\nPlate,Repeat,Well,Type,Time,Luminescence (CPS)\n"
        + "".join(f"1,1,{w},M,00:00:0{i % 10}.5,{i}\n" for i, w in enumerate(LONG_WELLS)),
        ["plate 1 / luminescence"],
        {"A01": 0, "A02": 1, "H12": 95},
    ),
    "list by row and column, several values": (
        (
            "[Data]\nRow\tColumn\tPlane\tTimepoint\tNuclei - Number of Objects\tNuclei - Intensity"
            " Mean\n2\t3\t1\t0\t512\t1.5\n2\t4\t1\t0\t498\t1.25\n"
        ),
        ["signal / Nuclei - Number of Objects", "signal / Nuclei - Intensity Mean"],
        {"B03": 512, "B04": 498},
    ),
    "list with its row and column apart": (
        (
            "User: x\nWell Row,Well Col,Content,Raw Data (Luminescence)\nA,1,Sample"
            " X1,10\nA,2,Sample X2,20\n"
        ),
        ["luminescence"],
        {"A01": 10, "A02": 20},
    ),
    "plates one after the other in a list": (
        "Barcode;Well;Hours;Signal\nP1;A1;48;1,5\nP1;A2;48;2,5\nP2;A1;48;3,25\nP2;A2;48;4,5\n",
        ["P1 / signal", "P2 / signal"],
        {"A01": 1.5, "A02": 2.5},
    ),
    "sample names that look like wells": (
        "Well ID,Well,Value\nS1,A1,5\nS2,A2,7\n",
        ["signal"],
        {"A01": 5, "A02": 7},
    ),
    "kinetic values and a summary grid": (
        (
            "Lum\nTime\tA1\tA2\tA3\n0:00\t1\t2\t3\n0:05\t4\t5\t6\n\nResults\n\t1\t2\t3\nA\t9\t9\t9\tMax"
            " V [Lum]\n"
        ),
        [
            "luminescence / Max V [Lum]",
            "luminescence / Lum, Time 0:00",
            "luminescence / Lum, Time 0:05",
        ],
        {"A01": 9, "A02": 9, "A03": 9},
    ),
    "time points in a list": (
        "Well,Cycle,Luminescence\nA1,1,10\nA2,1,20\nA1,2,11\nA2,2,21\n",
        ["luminescence / Luminescence, Cycle 1", "luminescence / Luminescence, Cycle 2"],
        {"A01": 10, "A02": 20},
    ),
    "cycles across": (
        (
            "Mode\tLuminescence\n\nCycle Nr.\t1\t2\nTime [s]\t0\t60\nTemp."
            " [°C]\t37\t37.1\nA1\t10\t11\nA2\t20\t21\n\nEnd Time:\t10:00\n"
        ),
        ["luminescence / Cycle Nr. 1 Time [s] 0", "luminescence / Cycle Nr. 2 Time [s] 60"],
        {"A01": 10, "A02": 20},
    ),
    "wells across, kinetic": (
        "Luminescence\nTime\tT°\tA1\tA2\tA3\n00:00:00\t37\t1\t2\t3\n00:01:00\t37\t4\t5\t6\n",
        [
            "luminescence / Luminescence, Time 00:00:00",
            "luminescence / Luminescence, Time 00:01:00",
        ],
        {"A01": 1, "A02": 2, "A03": 3},
    ),
    "corner and part of a plate": (
        (
            "Label: Label1\nMode\tLuminescence\nPart of"
            " Plate\tB2-C4\n\t\n<>\t2\t3\t4\nB\t1\t2\t3\nC\t4\tOVER\t6\n\nEnd Time:\t12:00\n"
        ),
        ["luminescence"],
        {"B02": 1, "B03": 2, "B04": 3, "C02": 4, "C03": math.nan, "C04": 6},
    ),
    "two reads in each row, wavelengths behind": (
        (
            "Plate Number\tPlate"
            " 7\n\nResults\n\t1\t2\t3\nA\t0.1\t0.2\t0.3\t450\n\t0.01\t0.02\t0.03\t570\nB\t0.4\t0.5\t0.6\t450\n\t0.04\t0.05\t0.06\t570\n"
        ),
        ["Plate 7 / absorbance / 450", "Plate 7 / absorbance / 570"],
        {"A01": 0.1, "A02": 0.2, "A03": 0.3, "B01": 0.4, "B02": 0.5, "B03": 0.6},
    ),
    "grids one below the other": (
        "Plate 1\nLuminescence\n" + GRID + "\nPlate 2\nLuminescence\n" + GRID.replace("101", "999"),
        ["Plate 1 / luminescence", "Plate 2 / luminescence"],
        {"A01": 101, "H12": 812},
    ),
    "grids side by side": (
        "Luminescence\nfirst,,,,second,,\n,1,2,,,1,2\nA,1,2,,A,5,6\nB,3,4,,B,7,8\n",
        ["luminescence / first", "luminescence / second"],
        {"A01": 1, "A02": 2, "B01": 3, "B02": 4},
    ),
    "metadata below": (
        BLOCK + "\nMeasurement mode,Luminescence\nBarcode,X77\n",
        ["X77 / luminescence"],
        {"A01": 101, "H12": 812},
    ),
    "runs of spaces": (
        "RLU\n" + BLOCK.replace(",", "   "),
        ["luminescence"],
        {"A01": 101, "H12": 812},
    ),
    "column words and lower-case rows": (
        "Luminescence\nWell;Col 1;Col 2\nrow a;1;2\nrow b;3;4\n",
        ["luminescence"],
        {"A01": 1, "A02": 2, "B01": 3, "B02": 4},
    ),
    "a mean beside the grid": (
        "RLU\n,1,2,Mean\nA,1,3,2\nB,5,7,6\n",
        ["luminescence"],
        {"A01": 1, "A02": 3, "B01": 5, "B02": 7},
    ),
    "no labels": (
        "RLU\n" + "\n".join(",".join(str(r * 12 + c) for c in range(12)) for r in range(8)) + "\n",
        ["luminescence / positions inferred"],
        {"A01": 0, "H12": 95},
    ),
    "letters without numbers": (
        "RLU\n"
        + "\n".join(
            r + "," + ",".join(str(i * 12 + c) for c in range(12)) for i, r in enumerate("ABCDEFGH")
        )
        + "\n",
        ["luminescence / positions inferred"],
        {"A01": 0, "H12": 95},
    ),
    "numbers without letters": (
        "RLU\n,1,2,3,4,5,6,7,8,9,10,11,12\n"
        + "\n".join("," + ",".join(str(i * 12 + c) for c in range(12)) for i in range(8))
        + "\n",
        ["luminescence / positions inferred"],
        {"A01": 0, "H12": 95},
    ),
    "concentrations and a layout beside the signal": (
        "Layout\n"
        + BLOCK.replace(",1", ",SPL1")
        + "\nConcentration\n"
        + BLOCK
        + "\nLuminescence\n"
        + BLOCK.replace("101", "7"),
        ["luminescence"],
        {"A01": 7, "H12": 812},
    ),
    "SoftMax grid": (
        "##BLOCKS="
        " 1\nPlate:\tP9\t1.3\tPlateFormat\tEndpoint\tLuminescence\tRaw\tFALSE\t1\t\t\t\t\t\t1\t0"
        " \t1\t12\t96\t1\t8\n\tTemperature\t"
        + "\t".join(str(c) for c in range(1, 13))
        + "\n"
        + "\n".join(
            ("\t25\t" if i == 0 else "\t\t") + "\t".join(str(i * 12 + c) for c in range(12))
            for i in range(8)
        )
        + "\n\n~End\n",
        ["P9 / luminescence"],
        {"A01": 0, "H12": 95},
    ),
    "labels of one method, by their names": (
        "".join(
            f"Mode\tLuminescence\nName\t{name}\nPart of Plate\tA1-A2\n\nStart"
            f" Time\t10:00\nTemperature [°C]\t25\n\n<>\t1\t2\nA\t{value}\t{value}\n\n\nEnd"
            " Time\t10:01\n\n"
            for name, value in (("Luminescence_1", 5), ("Luminescence_2", 6))
        ),
        ["luminescence / Luminescence_1", "luminescence / Luminescence_2"],
        {"A01": 5, "A02": 5},
    ),
    "signals and cell counts in a list": (
        "Well\tWell ID\tLum\tCell Count\tSample No\nA1\tSPL1\t500\t12\t1\nA2\tSPL2\t600\t0\t2\n",
        ["luminescence", "signal / Cell Count"],
        {"A01": 500, "A02": 600},
    ),
    "cells per well are no signal": (
        "Well,Cells per well,Lum\nA1,5000,500\nA2,5000,600\n",
        ["luminescence"],
        {"A01": 500, "A02": 600},
    ),
    "a list with an empty line inside": (
        "Well;Lum\nA1;5\nA2;6\n\nA3;7\nA4;8\n",
        ["luminescence"],
        {"A01": 5, "A02": 6, "A03": 7, "A04": 8},
    ),
    "a list with its headings again": (
        "Well;Lum\nA1;5\nA2;6\nWell;Lum\nA3;7\nA4;8\n\nWell;Lum\nA5;9\nA6;10\n",
        ["luminescence"],
        {f"A0{k}": k + 4 for k in range(1, 7)},
    ),
    "lists of two plates, one below the other": (
        "Plate 1\nWell;Lum\nA1;5\nA2;6\n\nPlate 2\nWell;Lum\nA3;7\nA4;8\n",
        ["Plate 1 / luminescence", "Plate 2 / luminescence"],
        {"A01": 5, "A02": 6},
    ),
    "wells with a dash": (
        "Well,Lum\nA-01,5\nA-02,6\nB-12,7\n",
        ["luminescence"],
        {"A01": 5, "A02": 6, "B12": 7},
    ),
    "wells behind their plate": (
        "Plate,Well,Lum\nP1,P1-A01,5\nP1,P1-B02,6\n",
        ["P1 / luminescence"],
        {"A01": 5, "B02": 6},
    ),
    "an inch mark in a comment": (
        'Comment,5" plate\nLuminescence\n' + BLOCK,
        ["luminescence"],
        {"A01": 101, "H12": 812},
    ),
}


@pytest.mark.parametrize(("text", "labels", "wells"), IMITATIONS.values(), ids=IMITATIONS.keys())
def test_imitated_exports(
    tmp_path: Path, text: str, labels: list[str], wells: dict[str, float]
) -> None:
    reads = read_plates(write(tmp_path, text, "export.txt"))
    assert [read.label for read in reads] == labels
    np.testing.assert_equal({well: signal(reads[0], well) for well in wells}, wells)
    full = {"A01", "H12"} <= wells.keys()
    assert len(reads[0].wells) == (96 if full else len(wells))


def measurement(
    well: str, value: object, mode: str = "luminescence", plate_id: str = "P1"
) -> dict[str, object]:
    sample = {
        "sample identifier": "s",
        "location identifier": well,
        "well plate identifier": plate_id,
    }
    return {
        "sample document": sample,
        mode: {"value": value, "unit": "RLU"},
        "detector wavelength setting": {"value": 450, "unit": "nm"},
    }


def asm(*wells: list[dict[str, object]]) -> str:
    documents = [
        {
            "measurement aggregate document": {
                "plate well count": {"value": 96, "unit": "#"},
                "measurement document": well,
            }
        }
        for well in wells
    ]
    return json.dumps(
        {
            "$asm.manifest": "http://purl.allotrope.org/manifests/plate-reader",
            "plate reader aggregate document": {"plate reader document": documents},
        }
    )


def test_allotrope_json(tmp_path: Path) -> None:
    text = asm(
        [measurement("A1", 5.5), measurement("A1", 0.25, "absorbance")],
        [measurement("A2", 7), measurement("A2", 0.5, "absorbance")],
    )
    reads = read_plates(write(tmp_path, text, "plate.json"))
    assert [read.label for read in reads] == ["P1 / luminescence", "P1 / absorbance"]
    assert [read.wells["signal"].tolist() for read in reads] == [[5.5, 7.0], [0.25, 0.5]]
    assert (reads[0].n_rows, reads[0].n_columns) == (8, 12)


@pytest.mark.parametrize("missing", [None, -0.0, float("nan"), "N/A"])
def test_allotrope_values_that_are_not_there_are_missing(tmp_path: Path, missing: object) -> None:
    (read,) = read_plates(
        write(tmp_path, asm([measurement("A1", missing)], [measurement("A2", 0.0)]), "plate.json")
    )
    assert math.isnan(signal(read, "A01"))
    assert (flags(read), signal(read, "A02")) == ({"A01": "missing"}, 0)


def test_allotrope_infinity_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="well A01: signal 'inf' is not a finite number"):
        read_plates(
            write(
                tmp_path,
                asm([measurement("A1", float("inf"))], [measurement("A2", 1.0)]),
                "plate.json",
            )
        )


def controlled(
    well: str, value: float, *, wavelength: float = 0, gain: str = "", plate_id: str = "P1"
) -> dict[str, object]:
    """A measurement whose wavelength stands in the detector's document, where most converters write
    it.
    """
    setting = (
        {"detector wavelength setting": {"value": wavelength, "unit": "nm"}} if wavelength else {}
    )
    detector = {
        "device type": "plate reader",
        **setting,
        **({"detector gain setting": gain} if gain else {}),
    }
    sample = {"location identifier": well, "well plate identifier": plate_id}
    around = {"device control aggregate document": {"device control document": [detector]}}
    return {"sample document": sample, "absorbance": {"value": value, "unit": "mAU"}, **around}


def test_allotrope_reads_are_told_apart_by_wavelength_in_any_order(tmp_path: Path) -> None:
    wells = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
    documents = [
        [controlled(well, wave + i / 100, wavelength=wave)]
        for i, well in enumerate(wells)
        for wave in (450, 600)
    ]
    np.random.default_rng(4).shuffle(documents)
    reads = {
        read.label: read for read in read_plates(write(tmp_path, asm(*documents), "plate.json"))
    }
    assert sorted(reads) == ["P1 / absorbance / 450 nm", "P1 / absorbance / 600 nm"]
    for label, read in reads.items():
        wave = float(label.split()[-2])
        assert {well: signal(read, well) for well in read.wells["well"]} == {
            well_name(*parse_well(well)): wave + i / 100 for i, well in enumerate(wells)
        }


def test_allotrope_reads_are_told_apart_by_the_detector_s_settings_or_not_at_all(
    tmp_path: Path,
) -> None:
    mixed = [
        [controlled("A1", 1.0, gain="100"), controlled("A1", 9.0, gain="50")],
        [controlled("A2", 8.0, gain="50"), controlled("A2", 2.0, gain="100")],
    ]
    reads = read_plates(write(tmp_path, asm(*mixed), "plate.json"))
    assert sorted(read.wells["signal"].tolist() for read in reads) == [[1.0, 2.0], [9.0, 8.0]]
    same = [
        [controlled("A1", 1.0), controlled("A1", 9.0)],
        [controlled("A2", 8.0), controlled("A2", 2.0)],
    ]
    with pytest.raises(
        InputError,
        match="well A01: measured 2 times, and neither plate, wavelength, detector nor time tells",
    ):
        read_plates(write(tmp_path, asm(*same), "plate.json"))


def test_choosing_a_read(tmp_path: Path) -> None:
    text = (
        "Plate 1\nLuminescence\n"
        + BLOCK
        + "\nPlate 2\nLuminescence\n"
        + BLOCK.replace("101", "999")
    )
    reads = read_plates(write(tmp_path, text))
    assert choose(reads, read="Plate 2 / luminescence") is reads[1]
    assert choose(reads, read="plate 2") is reads[1]
    assert choose(reads[:1]) is reads[0]
    with pytest.raises(
        InputError,
        match=(
            r"raw/a\.csv: plate CTG0: the file holds 2 plate reads: .*Plate 1 / luminescence.*Write"
            r' `read: "Plate 1'
        ),
    ):
        choose(reads, plate="CTG0", name="raw/a.csv")
    with pytest.raises(InputError, match="fits several of the 2 plate reads"):
        choose(reads, read="luminescence")
    with pytest.raises(
        InputError, match=r"is none of the 1 plate reads.*Did you mean 'Plate 1 / luminescence'"
    ):
        choose(reads[:1], read="Plate 1 / luminescense")


# Random plates, written and read back

STYLES = ["labels", "padded numbers", "corner", "lower case", "quoted"]
NOTHING = ["", "NaN", "OVRFLW", "#SAT", "MISSED", "*****", "#Low", "N/A"]


@st.composite
def plates(draw: st.DrawFn) -> dict[str, object]:
    rows, columns = draw(st.sampled_from(PLATES))
    top, left = draw(st.integers(1, rows)), draw(st.integers(1, columns - 1))
    bottom, right = draw(st.integers(top, rows)), draw(st.integers(left + 1, columns))
    keep = [r for r in range(top, bottom + 1) if draw(st.booleans())] or [top]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([1.0, 1e3, 1e7]))
    values = {
        (r, c): round(float(rng.uniform(0, scale)), 3) for r in keep for c in range(left, right + 1)
    }
    gaps = {well: draw(st.sampled_from(NOTHING)) for well in values if rng.uniform() < 0.05}
    delimiter = draw(st.sampled_from([",", "\t", ";", "|", "  "]))
    comma = delimiter in ("\t", ";") and draw(st.booleans())
    return {
        "values": values, "gaps": gaps, "delimiter": delimiter, "comma": comma, "style": draw(st.sampled_from(STYLES)),
        "encoding": draw(st.sampled_from(ENCODINGS)), "ending": draw(st.sampled_from(["\n", "\r\n"])),
    }  # fmt: skip


def written(case: dict[str, object]) -> bytes:
    """The plate as a file; independent of the readers."""
    values, gaps, delimiter, style = case["values"], case["gaps"], case["delimiter"], case["style"]
    columns = sorted({c for _, c in values})
    letters = [chr(65 + k) for k in range(26)] + ["A" + chr(65 + k) for k in range(6)]
    corner = "<>" if style == "corner" or len(columns) < 2 else "" if delimiter != "  " else "<>"
    lines = [
        ["Luminescence"],
        [],
        [corner, *(f"{c:02d}" if style == "padded numbers" else str(c) for c in columns)],
    ]
    for r in sorted({r for r, _ in values}):
        label = letters[r - 1].lower() if style == "lower case" else letters[r - 1]
        cells = []
        for c in columns:
            text = (
                f"{values[r, c]:.3f}"
                if (r, c) not in gaps
                else gaps[r, c] or ("NaN" if delimiter == "  " else "")
            )
            text = text.replace(".", ",") if case["comma"] and (r, c) not in gaps else text
            cells.append(f'"{text}"' if style == "quoted" and delimiter != "  " else text)
        lines.append([label, *cells])
    return (
        case["ending"].join(delimiter.join(line) for line in [*lines, []]).encode(case["encoding"])
    )


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(plates())
def test_a_random_plate_survives_writing_and_reading(
    tmp_path: Path, case: dict[str, object]
) -> None:
    values, gaps = case["values"], case["gaps"]
    if case["comma"] and all(v >= 1 and v < 1000 for well, v in values.items() if well not in gaps):
        return  # every number would read as thousands too: refused, as another test shows
    if all(gaps.get(well) == "" for well in values):
        return  # an empty grid is no read
    (read,) = read_plates(write(tmp_path, written(case)))
    here = {
        (r, c): s for r, c, s in zip(read.wells["row"], read.wells["column"], read.wells["signal"])
    }
    np.testing.assert_equal(
        here, {well: math.nan if well in gaps else value for well, value in values.items()}
    )
    assert (read.mode, read.labelled) == ("luminescence", True)
    assert {parse_well(well) for well in flags(read)} == gaps.keys()
