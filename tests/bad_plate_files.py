"""Plate files that must be refused: how each is made, and words its message must hold.
`test_readers.py` runs them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import openpyxl

HEADER = "," + ",".join(str(c) for c in range(1, 13)) + "\n"


def plate(
    replace: dict[str, str] | None = None, *, title: str = "Luminescence\n", rows: str = "ABCDEFGH"
) -> str:
    """A 96-well CSV whose well A01 holds 101 and H12 holds 812; `replace` puts other text into
    wells (A1: "x").
    """
    replace = replace or {}
    lines = [
        ",".join([r, *(replace.get(f"{r}{c}", str((i + 1) * 100 + c)) for c in range(1, 13))])
        for i, r in enumerate(rows)
    ]
    return title + HEADER + "\n".join(lines) + "\n"


def workbook(
    change: Callable[[openpyxl.worksheet.worksheet.Worksheet], None] | None = None,
) -> bytes:
    """The same plate as an Excel file, after `change`."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Results"
    for line in plate().splitlines():
        sheet.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    if change:
        change(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def archive(*names: str) -> bytes:
    """A zip archive with files of these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return buffer.getvalue()


def long(lines: list[str], header: str = "plate,well,luminescence") -> str:
    return "\n".join([header, *lines]) + "\n"


def lopsided(replace: tuple[str, str]) -> str:
    return plate().replace(*replace)


@dataclass(frozen=True)
class Bad:
    """Content under a file name, options of `read_plates`, and what the message must say."""

    content: str | bytes
    says: tuple[str, ...]
    name: str = "plate.csv"
    sheet: str | None = None
    format: str = "auto"
    problems: int = 1


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SEMICOLON = plate().replace(",", ";")
TAKEN = plate().replace("101", "1,5", 1)

BAD: dict[str, Bad] = {
    "empty": Bad("", ("the file is empty",)),
    "only blanks": Bad("\n\n  \n", ("the file is empty",)),
    "only a mark": Bad(b"\xef\xbb\xbf", ("the file is empty",)),
    "binary": Bad(bytes(range(256)) * 40, ("binary file",)),
    "pdf": Bad(b"%PDF-1.7\n...", ("PDF",)),
    "png": Bad(b"\x89PNG\r\n\x1a\n000", ("PNG",)),
    "jpeg": Bad(b"\xff\xd8\xff\xe0000", ("JPEG",)),
    "gzip": Bad(b"\x1f\x8b\x08000", ("gzip",)),
    "zip": Bad(archive("plate.txt"), ("zip archive", "Unpack")),
    "word": Bad(archive("word/document.xml", "[Content_Types].xml"), ("Word document",)),
    "html": Bad("<!DOCTYPE html><html><table></table></html>", ("HTML",)),
    "flow": Bad(b"FCS3.1    58", ("flow cytometry",)),
    "cut xlsx": Bad(workbook()[:3000], ("damaged or cut off",), "plate.xlsx"),
    "hollow xlsx": Bad(archive("xl/workbook.xml"), ("damaged",), "plate.xlsx"),
    "password": Bad(
        OLE + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le"), ("password",), "plate.xlsx"
    ),
    "broken xls": Bad(
        OLE + b"\0" * 504 + "Workbook".encode("utf-16-le"),
        ("old Excel file (.xls)", "damaged"),
        "plate.xls",
    ),
    "no such sheet": Bad(
        workbook(), ("no sheet 'Result'", "Did you mean 'Results'?"), "plate.xlsx", sheet="Result"
    ),
    "sheet of a text": Bad(plate(), ("without sheets",), sheet="Results"),
    "no such format": Bad(
        plate(), ("format 'gird' is not known", "Did you mean 'grid'?"), format="gird"
    ),
    "no grid": Bad(
        "some,words\nand,1\n", ("no plate signals found", "row letters and column numbers")
    ),
    "layout only": Bad(
        plate({f"{r}{c}": f"SPL{c}" for r in "ABCDEFGH" for c in range(1, 13)}),
        ("text such as 'SPL1'",),
    ),
    "unknown word": Bad(plate({"C7": "broken"}), ("line 5: well C07", "'broken'")),
    "two unknown words": Bad(
        plate({"C7": "broken", "D1": "1.2.3"}), ("well C07", "well D01", "'1.2.3'"), problems=2
    ),
    "fault of Excel": Bad(plate({"C7": "#DIV/0!"}), ("well C07", "#DIV/0!")),
    "date in a well": Bad(plate({"C7": "12-May"}), ("well C07", "12-May")),
    "negative counts": Bad(
        plate({"B2": "-5"}), ("line 4: well B02", "-5 is negative", "blank corrected")
    ),
    "negative, mode unknown": Bad(plate({"B2": "-5"}, title=""), ("well B02", "negative")),
    "infinite": Bad(plate({"B2": "inf"}), ("well B02", "not a finite number")),
    "too large": Bad(plate({"B2": "1e999"}), ("well B02", "1e999", "not a finite number")),
    "comma as separator and decimal": Bad(TAKEN, ("line 3", "goes on with", "decimal comma")),
    "ambiguous comma": Bad(SEMICOLON.replace("101", "1,234"), ("1,234", "1.234", "1234")),
    "mixed decimals": Bad(
        SEMICOLON.replace("101", "1,5").replace("812", "1.5"), ("decimal point",)
    ),
    "thousands": Bad(SEMICOLON.replace("101", "1,234,567"), ("thousands separator",)),
    "point as thousands separator": Bad(
        SEMICOLON.replace("812", "95.017"), ("'95.017' may be 95017 or 95.017",)
    ),
    "thousands and decimals": Bad(plate({"A1": '"1,234.5"'}), ("thousands separator",)),
    "columns out of order": Bad(lopsided((",3,4,", ",4,3,")), ("line 2", "from 4 to 3")),
    "column twice": Bad(lopsided((",3,4,", ",3,3,")), ("line 2", "from 3 to 3")),
    "column without number": Bad(lopsided((",3,4,", ",3,,")), ("without a number",), problems=8),
    "row letter lost": Bad(
        lopsided(("\nC,", "\n8,")), ("'8' is not a row letter", "between rows B and D")
    ),
    "row letter empty": Bad(lopsided(("\nC,", "\n,")), ("row B has 2 lines",)),
    "rows out of order": Bad(lopsided(("\nC,", "\nG,")), ("row D comes after row G",)),
    "cut line": Bad(plate()[:-20], ("row H has", "cut off")),
    "spaces hide a gap": Bad(plate({"D4": ""}).replace(",", " "), ("row D has 11 values",)),
    "nine bare rows": Bad(
        "\n".join(",".join(["5"] * 12) for _ in range(9)), ("9 rows by 12 columns",)
    ),
    "bare rows, place unclear": Bad(
        "\n".join("," + ",".join(["5"] * 11) + "," for _ in range(8)),
        ("first or the second column",),
    ),
    "bare rows, small": Bad(
        "\n".join(",".join(["5"] * 13) for _ in range(8)), ("8 rows by 13 columns",)
    ),
    "well twice": Bad(
        long(["P1,A1,5", "P1,A2,6", "P1,A1,7"]), ("line 4: well A01 stands twice", "line 2")
    ),
    "well misspelt": Bad(
        long(["P1,A1,5", "P1,A2,6", "P1,A2x,7", "P1,A4,7"]), ("line 4: 'A2x' is not a well",)
    ),
    "last well misspelt": Bad(
        long(["P1,A1,5", "P1,A2,6", "P1,XX3,7"]), ("line 4: 'XX3' is not a well",)
    ),
    "plates partly named": Bad(
        long(["P1,A1,5", "P2,A1,6", ",A2,7"]), ("line 4: the plate is not named",)
    ),
    "word in a list": Bad(
        long(["P1,A1,5", "P1,A2,oops", "P1,A3,7"]), ("line 3: well A02", "'oops'")
    ),
    "decimal comma in a comma-separated list": Bad(
        long(["A1,0,050", "A2,0,063", "A3,1"], "Well,OD600"),
        ("line 2", "goes on with '050'", "1 more", "decimal comma"),
    ),
    "decimal comma before another column": Bad(
        long(["A1,S,7,5,x", "A2,S,8,5,x"], "Well,Sample,Lum,Note"), ("line 2", "goes on with 'x'")
    ),
    "decimal comma, wells across": Bad(
        "Lum\nTime,A1,A2,A3\n0,1,5,2,5,3,5\n", ("line 3", "goes on with '5'", "decimal comma")
    ),
    "decimal comma without headings": Bad(
        "A1,7,5\nA2,8,25\nA3,9,1\n", ("line 1", "'7,5' may be one number", "heading"), problems=1
    ),
    "a line one cell short": Bad(
        plate().replace("D,401,402,", "D,401,"),
        ("line 6", "row D has 11 values", "A cell is missing"),
    ),
    "a line one cell short, in tabs": Bad(
        plate().replace("D,401,402,", "D,401,").replace(",", "\t"), ("row D has 11 values",)
    ),
    "columns counted from 0, part of a plate": Bad(
        plate().replace(HEADER, ",0,1,2,3,4,5,6,7,8,9,10\n"), ("from 0 to 10",), problems=10
    ),
    "a number before the first column": Bad(
        ",,1,2,3\nA,7,1,2,3\nB,8,4,5,6\n",
        ("line 2", "row A has '7' in a column without a number"),
        problems=2,
    ),
    "a count under the last row": Bad(
        plate() + "N,8,8,8,8,8,8,8,8,8,8,8,8\n",
        ("line 11", "'N' stands under row H", "96-well plate"),
    ),
    "mean and SD under the last row": Bad(
        plate() + "M,8,8,8,8,8,8,8,8,8,8,8,8\nS,1,1,1,1,1,1,1,1,1,1,1,1\n",
        ("line 11", "'M' stands under row H"),
    ),
    "a comment inside a list": Bad(
        long(["A1,5", "A2,6", "# page 2", "A3,7", "A4,8"], "Well,Lum"),
        ("line 4", "'# page 2' stands inside a list of wells"),
    ),
    "a well of another plate": Bad(
        long(["P1,P1-A01,5", "P1,P2-A02,6", "P1,P1-A03,7"]), ("line 3: 'P2-A02' is not a well",)
    ),
    "cut json": Bad(
        '{"plate reader aggregate document": {"plate', ("not valid JSON",), "plate.json"
    ),
    "deep json": Bad('[[[["' + "[" * 200_000, ("not valid JSON",), "plate.json"),
    "other json": Bad('{"a": 1}', ("no luminescence",), "plate.json"),
    "merged cells": Bad(
        workbook(lambda sheet: sheet.merge_cells("C4:D4")),
        ("sheet 'Results', row 4", "merged"),
        "plate.xlsx",
    ),
    "far cell": Bad(
        workbook(lambda sheet: sheet.cell(1_000_000, 200, 1)),
        ("reaches down to row 1000000",),
        "plate.xlsx",
    ),
    "date in Excel": Bad(
        workbook(
            lambda sheet: setattr(sheet["C4"], "value", __import__("datetime").date(2024, 5, 1))
        ),
        ("sheet 'Results', row 4: well B02", "2024-05-01"),
        "plate.xlsx",
    ),
}
