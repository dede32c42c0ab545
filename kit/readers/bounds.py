"""How large the tables of a workbook are, told from its bytes before anything is unpacked in full.

A single cell in the last corner of a sheet, or one row repeated over all of them, takes a few bytes
in the file and gigabytes in memory.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator

_CHUNK = 2**18
_MARGIN = 2048
"""Longest tag that may lie across two chunks."""
_CELL = re.compile(rb"<(?:[\w.-]+:)?(row|c)\b([^>]*)>")
_AT = re.compile(rb"\br\s*=\s*[\"']\s*([A-Za-z]{0,3})\$?([0-9]{1,9})")
_ODS = re.compile(rb"<(/?)(?:[\w.-]+:)?(table-row|table-cell|covered-table-cell|table)\b([^>]*)>")
_REPEATED = re.compile(rb"number-(?:rows|columns)-repeated\s*=\s*[\"']\s*([0-9]{1,9})")


class TooLarge(ValueError):
    """A part of a workbook that no plate export has; the words say which."""


def check_archive(archive: zipfile.ZipFile, cells: int, unpacked: int) -> None:
    """Raise `TooLarge` where a sheet has more than `cells` cells, counted as rows x columns up to
    the last one, or the parts together more than `unpacked` bytes.
    """
    infos = archive.infolist()
    if sum(info.file_size for info in infos) > unpacked:
        raise TooLarge(f"unpacked, this Excel file is larger than {unpacked // 2**20} MB")
    for info in infos:
        name = info.filename.lower()
        if name.endswith(".bin"):
            _check(_binary_extent(archive.read(info)), cells)
        elif name == "content.xml":
            for extent in _ods_extents(_tags(archive, info, _ODS)):
                _check(extent, cells)
        elif name.endswith(".xml"):
            _check_sheet(_tags(archive, info, _CELL), cells)


def _check(extent: tuple[int, int], cells: int) -> None:
    rows, columns = extent
    if rows * columns > cells:
        raise TooLarge(f"a sheet reaches down to row {rows} and out to column {columns}")


def _tags(archive: zipfile.ZipFile, info: zipfile.ZipInfo, tag: re.Pattern) -> Iterator[re.Match]:
    """The tags of one part, read piece by piece."""
    rest = b""
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            if len(chunk) == _CHUNK and b"<" not in chunk:
                raise TooLarge("a cell holds more text than Excel allows")
            text = rest + chunk
            end = max(text.rfind(b">") + 1, len(text) - _MARGIN)
            yield from tag.finditer(text, 0, end)
            rest = text[end:]


def _check_sheet(tags: Iterator[re.Match], cells: int) -> None:
    """Rows and cells count on where they do not say where they are."""
    rows = columns = row = column = last = 0
    for match in tags:
        at = _AT.search(match[2])
        if match[1] == b"row":
            row, column = (int(at[2]) if at else last + 1), 0
        else:
            column += 1
            if at and at[1]:
                row = int(at[2])
                column = 0
                for letter in at[1].upper():
                    column = 26 * column + letter - 64
            if match[2].endswith(b"/"):
                continue
            columns = max(columns, column)
        last = row
        rows = max(rows, row)
        if rows * columns > cells:
            _check((rows, columns), cells)


def _ods_extents(tags: Iterator[re.Match]) -> Iterator[tuple[int, int]]:
    """(rows, columns) of an OpenDocument table, growing, each time a row ends."""
    rows = columns = empty = repeats = column = last = 0
    for match in tags:
        closing, name, rest = match[1] == b"/", match[2], match[3]
        found = _REPEATED.search(rest)
        count = int(found[1]) if found else 1
        if name == b"table":
            rows = columns = empty = 0
        elif name == b"table-row":
            if not closing:
                repeats, column, last = count, 0, 0
            if closing or rest.endswith(b"/"):
                empty += repeats
                if last:
                    rows, empty, columns = rows + empty, 0, max(columns, last)
                    yield rows, columns
        elif not closing:
            column += count
            last = last if rest.endswith(b"/") and b"value" not in rest else column


def _binary_extent(data: bytes) -> tuple[int, int]:
    """(rows, columns) of the records of an .xlsb sheet."""
    at = rows = columns = 0
    while at + 2 <= len(data):
        kind, at = data[at], at + 1
        if kind & 0x80 and at < len(data):
            kind, at = kind + (data[at] << 8), at + 1
        size = shift = 0
        while at < len(data):
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift > 21:
                break
        if kind <= 11 and size >= 4 and at + 4 <= len(data):
            (number,) = struct.unpack_from("<I", data, at)
            rows, columns = (
                (max(rows, number + 1), columns)
                if kind == 0
                else (
                    rows,
                    max(columns, number + 1),
                )
            )
        at += size
    return rows, columns
