"""From a file to cells: what kind of file it is by its bytes, its text encoding, its delimiter, its
Excel sheets.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import python_calamine as calamine

from kit.core.errors import InputError, did_you_mean, refused
from kit.core.text import plain_name
from kit.readers.bounds import TooLarge, check_archive
from kit.readers.tokens import Cell, excel_text

MAX_BYTES = 64 * 2**20
"""Largest plate file read, 64 MB: a 1536-well kinetic export takes a few; more is no plate
export.
"""
MAX_UNPACKED = 2 * MAX_BYTES
"""Largest Excel file once unpacked."""
MAX_CELLS = 4_000_000
"""Largest area of one Excel sheet, rows times columns, and most separators of any kind in a
text.
"""
MAX_LINES = 250_000
"""Most lines of a text: a table of 300 compounds in 800 samples, one line each, is 240,000."""
DELIMITERS = ("\t", ";", ",", "|", " ")
"""Tried in this order; a space stands for any run of white space and comes last, as it cannot show
an empty cell.
"""

_NOT_PLATES = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"FCS2", "a flow cytometry (FCS) file"),
    (b"FCS3", "a flow cytometry (FCS) file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PAR1", "a parquet file"),
    (b"SQLite format", "a database"),
    (b"{\\rtf", "a rich text document"),
)
_EXPORT = "Export the plate as CSV, TXT or XLSX."


@dataclass(frozen=True)
class Sheet:
    """Rows of cells, ragged for text; `numbers` are their 1-based line or row numbers, `merged`
    0-based ranges.
    """

    name: str
    rows: list[list[Cell]]
    numbers: list[int]
    delimiter: str = ""
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    cut: bool = False
    """Text whose last line has no end: the file may have been cut off there."""
    left: int = 0
    """Empty columns of an Excel sheet before the first one here."""

    def place(self, row: int) -> str:
        """Where a row is, as the user sees it."""
        number = (
            self.numbers[row]
            if row < len(self.numbers)
            else (self.numbers[-1] if self.numbers else 1)
        )
        return f"line {number}" if self.delimiter else f"sheet '{self.name}', row {number}"


@dataclass(frozen=True)
class Source:
    """A file recognised by its bytes: `text` for anything in characters, `sheets` for Excel."""

    file: str
    text: str = ""
    sheets: tuple[Sheet, ...] = ()


def open_source(path: Path, file: str, sheet: str | None) -> Source:
    """Read `path` once; raise `InputError`, in words, when it is missing, too large, or not text or
    Excel.
    """
    data = _bytes(path, file)
    if data.startswith(b"PK"):
        return Source(file, sheets=_excel(data, file, sheet, _check_zip(data, file)))
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Source(file, sheets=_excel(data, file, sheet, _ole_kind(data, file)))
    for magic, what in _NOT_PLATES:
        if data.startswith(magic):
            raise refused(file, f"this is {what}, not a plate file", _EXPORT)
    text = decode(data, file)
    if text.count("\n") > MAX_LINES or max(map(text.count, DELIMITERS)) > MAX_CELLS:
        what = f"{text.count(chr(10)) + 1} lines are more than a plate file may have ({MAX_LINES})"
        if text.count("\n") <= MAX_LINES:
            what = f"more than {MAX_CELLS} cells are more than a plate file may have"
        raise refused(file, what, "Export the plates of this experiment alone.")
    start = text.lstrip()[:300].lower()
    if re.match(r"<(\?xml|!doctype|html|workbook|table)", start):
        what = "an HTML or XML document"
        if program := re.search(r"<workspace\b.*flowjo|<bdfacs\b", text[:4000].lower(), re.DOTALL):
            what = "a FACSDiva" if "bdfacs" in program[0] else "a FlowJo"
            remedy = (
                "Export the table of statistics as CSV and name that."
                if "bdfacs" in program[0]
                else 'Export a table (Table Editor, CSV), or run pip install "asn-dropout-kit[flowjo]"'
                " and use kit.readers.flow.flowjo.read_flowjo_workspace."
            )
            raise refused(file, f"this is {what} experiment, not a table", remedy)
        raise refused(
            file,
            f"this is {what}, not a table",
            "Open it in Excel and save it as XLSX, or export CSV.",
        )
    if sheet:
        raise refused(
            file,
            f"sheet '{sheet}' is asked for, but this is a text file without sheets",
            "Remove `sheet`.",
        )
    return Source(file, text=text)


def _bytes(path: Path, file: str) -> bytes:
    """The file's bytes, after its size has been looked at."""
    try:
        if not path.exists():
            known = (
                sorted(p.name for p in path.parent.iterdir() if p.is_file())
                if path.parent.is_dir()
                else []
            )
            raise refused(
                file, "there is no such file", did_you_mean(path.name, known, listing=False)
            )
        if not path.is_file():
            raise refused(
                file,
                "this is a folder" if path.is_dir() else "this is not a regular file",
                "Name the file itself.",
            )
        size = path.stat().st_size
        if size > MAX_BYTES:
            what = (
                f"{size / 2**20:.0f} MB is more than a plate file may have"
                f" ({MAX_BYTES // 2**20} MB)"
            )
            raise refused(file, what, "Export the plates of this experiment alone.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise refused(
            file, f"the file cannot be opened ({getattr(error, 'strerror', None) or error})"
        ) from error
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise refused(file, "the file is empty", "Export it again.")
    return data


# Excel


def _check_zip(data: bytes, file: str) -> str:
    """What kind of Excel file a zip archive is; raise when it is damaged, oversized or no
    workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            check_archive(archive, MAX_CELLS, MAX_UNPACKED)
    except TooLarge as error:
        remedy = "Delete what stands far outside the table, or export CSV."
        raise refused(file, str(error), remedy) from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        ValueError,
        NotImplementedError,
        EOFError,
        RuntimeError,
    ) as error:
        raise refused(file, "this Excel file is damaged or cut off", "Export it again.") from error
    if any(name.startswith("word/") for name in names):
        raise refused(file, "this is a Word document, not a plate file", _EXPORT)
    if any(name.startswith("ppt/") for name in names):
        raise refused(file, "this is a PowerPoint file, not a plate file", _EXPORT)
    if not any(name.startswith("xl/") or name == "content.xml" for name in names):
        raise refused(
            file,
            "this is a zip archive, not a plate file",
            "Unpack it and name the plate file itself.",
        )
    return "Excel file"


def _ole_kind(data: bytes, file: str) -> str:
    """Tell an old .xls from an encrypted workbook; both come in the same container."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        what = "this Excel file is protected by a password and cannot be read"
        raise refused(file, what, "Save a copy without a password.")
    if "Workbook".encode("utf-16-le") not in data and "Book".encode("utf-16-le") not in data:
        raise refused(file, "this is an old Office document, not a plate file", _EXPORT)
    return "old Excel file (.xls)"


def _excel(data: bytes, file: str, sheet: str | None, what: str) -> tuple[Sheet, ...]:
    """The workbook's sheets, or the one asked for."""
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            meta.name
            for meta in book.sheets_metadata
            if meta.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        if sheet and sheet not in names:
            raise refused(file, f"there is no sheet '{sheet}'", did_you_mean(sheet, names))
        return tuple(_sheet(book.get_sheet_by_name(name)) for name in ([sheet] if sheet else names))
    except calamine.PasswordError as error:
        raise refused(
            file, f"this {what} is protected by a password", "Save a copy without a password."
        ) from error
    except (
        BaseException
    ) as error:  # calamine's parser can panic on damaged files, which is no Exception
        if isinstance(error, (InputError, KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        remedy = (
            "Open it in Excel and save it as XLSX." if what != "Excel file" else "Export it again."
        )
        raise refused(
            file, f"this {what} is damaged or cannot be read ({error})", remedy
        ) from error


def _sheet(sheet: calamine.CalamineSheet) -> Sheet:
    """One sheet's used area as rows of text and floats."""
    top, left = sheet.start or (0, 0)
    rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=True)]
    merged = tuple(
        ((a - top, b - left), (c - top, d - left))
        for (a, b), (c, d) in sheet.merged_cell_ranges or []
    )
    return Sheet(
        sheet.name, rows, list(range(top + 1, top + 1 + len(rows))), merged=merged, left=left
    )


def _cell(value: object) -> Cell:
    """A cell as text or float: dates become text, so that a value Excel took for a date is
    noticed.
    """
    if isinstance(value, str):
        return excel_text(plain_name(value))
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return str(value)
    return "" if value is None else str(value)


# Text


def decode(data: bytes, file: str) -> str:
    """Text of a file in UTF-8, UTF-16 (with a byte order mark or without), or the Windows and
    Latin-1 code page.
    """
    text = _decoded(data)
    if text is None or _controls(text) > max(2, len(text) // 1000):
        raise refused(file, "this is a binary file, neither text nor Excel", _EXPORT)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff\x1a\x00")


def _decoded(data: bytes) -> str | None:
    marks = (
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    )
    encodings = [name for mark, name in marks if data.startswith(mark)]
    if not encodings and b"\x00" in data:
        # Without a mark the zero bytes of plain letters show the order: behind each letter, or
        # before it.
        sample = data[:4096]
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        encodings = (
            ["utf-16-le" if odd > even else "utf-16-be"]
            if max(even, odd) > len(sample) // 5
            else []
        )
        if not encodings:
            return None
    for encoding in encodings or ["utf-8-sig", "cp1252", "latin-1"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            # A last odd byte is a cut-off character, which the last line's check will report.
            if encoding.startswith("utf-16") and len(data) % 2:
                return data[:-1].decode(encoding, errors="replace")
    return None


def _controls(text: str) -> int:
    """How many characters no text file has."""
    return len(re.findall("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f\ufffd]", text[:100_000]))


def text_sheets(text: str) -> Iterator[Sheet]:
    """The text cut by each delimiter that occurs in it, the likeliest first."""
    lines = text.split("\n")
    cut = bool(lines[-1].strip())
    for delimiter in DELIMITERS:
        if delimiter in text:
            rows, numbers = _split(lines, delimiter)
            yield Sheet("", rows, numbers, delimiter, cut=cut)


def _split(lines: list[str], delimiter: str) -> tuple[list[list[Cell]], list[int]]:
    if delimiter == " ":
        rows: list[list[Cell]] = [
            [line] if "\t" in line or ";" in line else list(line.split()) for line in lines
        ]
        return _corners(rows), list(range(1, len(lines) + 1))
    rows, numbers, i = [], [], 0
    while i < len(lines):
        line, first = lines[i], i + 1
        i += 1
        if '"' not in line:
            rows.append([cell.strip() for cell in line.split(delimiter)])
        else:
            if line.count('"') % 2:
                # A quoted cell may run over a few lines; a lone inch mark in a comment must not
                # swallow the table.
                extra = next(
                    (n for n in range(1, 4) if "\n".join(lines[i : i + n]).count('"') % 2), 0
                )
                line, i = "\n".join([line, *lines[i : i + extra]]), i + extra
            rows.append(_quoted(line, delimiter))
        if not line.isascii():
            rows[-1] = [plain_name(cell) for cell in rows[-1] if isinstance(cell, str)]
        numbers.append(first)
    return rows, numbers


def _quoted(line: str, delimiter: str) -> list[Cell]:
    try:
        cells = next(csv.reader(io.StringIO(line), delimiter=delimiter, strict=False), [])
    except csv.Error:
        cells = line.split(delimiter)
    return [excel_text(" ".join(cell.split("\n"))) for cell in cells]


def _corners(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Give a line of column numbers the empty corner that a run of spaces cannot show."""
    for here, below in itertools.pairwise(rows):
        numbers = all(str(cell).isdigit() for cell in here)
        if len(here) > 1 and numbers and len(below) > len(here) and str(below[0]).isalpha():
            here.insert(0, "")
    return rows
