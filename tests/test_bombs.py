"""Tiny files that would fill the memory or never end: each is refused in words, at once."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from kit.core.errors import InputError
from kit.readers import read_plates
from kit.readers.blots.image import read_blot_image
from kit.readers.flow.fcs import read_fcs

BOMBS = Path(__file__).parent / "cases" / "bombs"
FAR = {
    "plain": '<row r="1"><c r="A1"><v>1</v></c></row><row><c r="XFD1048576"><v>1</v></c></row>',
    "single quotes": "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
    "other order": '<row><c t="n" s="1" r="XFD1048576"><v>1</v></c></row>',
    "lower case": '<row><c r="xfd1048576"><v>1</v></c></row>',
    "prefix": '<x:row><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
    "long and narrow": '<row r="200000"><c r="GR200000"><v>1</v></c></row>',
    "no addresses": '<row r="1000000"><c r="A1000000"/>' + "<c><v>1</v></c>" * 9 + "</row>",
}


def packed(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refused(path: Path, read: Callable[[Path], object]) -> str:
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read(path)
    assert time.perf_counter() - start < 2
    message = str(caught.value)
    assert path.name in message
    assert len(message) < 3000
    return message


@pytest.mark.parametrize("name", ["far_plain.xlsx", "ods_repeat_cols.ods"])
def test_workbooks(name: str) -> None:
    assert "reaches down to row" in refused(BOMBS / name, read_plates)


@pytest.mark.parametrize("rows", FAR.values(), ids=FAR.keys())
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/elsewhere/deep/s.xml"])
def test_far_cells_however_they_are_written(tmp_path: Path, rows: str, part: str) -> None:
    path = tmp_path / "far.xlsx"
    sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    path.write_bytes(packed(**{"xl/workbook.xml": b"<workbook/>", part: sheet}))
    assert "reaches down to row" in refused(path, read_plates)


def test_text_that_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "text.xlsx"
    path.write_bytes(packed(**{"xl/sharedStrings.xml": b"<sst><si><t>" + b"x" * 2**22}))
    assert "more text than Excel allows" in refused(path, read_plates)
    for name, text in {
        "spaces.csv": " " * 7_000_000,
        "lines.csv": "a,1\n" * 249_000,
        "value.csv": "Well,Luminescence\nA1,5\nA2," + "y" * 3_000_000 + "\nA3,4\n",
    }.items():
        (tmp_path / name).write_text(text)
        refused(tmp_path / name, read_plates)


def test_images(tmp_path: Path) -> None:
    assert "circle" in refused(BOMBS / "page_loop.tif", read_blot_image)
    path = tmp_path / "empty.tif"
    tifffile.imwrite(path, np.zeros((6000, 6000), np.uint16), compression="zlib")
    assert "no camera" in refused(path, read_blot_image)


def test_channels_that_no_header_could_name() -> None:
    assert "$PAR" in refused(BOMBS / "par_999999999.fcs", read_fcs)
