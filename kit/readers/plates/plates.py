"""Read plates from whatever the reader's software wrote: the table of formats, and the one function
that uses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kit.core.errors import InputError, did_you_mean, refused
from kit.core.wells import plate_shape
from kit.readers.plates.asm import looks_like_asm, read_asm
from kit.readers.plates.bare_grid import read_bare
from kit.readers.plates.grid_search import find_grids, turned
from kit.readers.plates.plate_grid import read_grids
from kit.readers.plates.reads import Found, Read, finish
from kit.readers.plates.softmax import read_softmax
from kit.readers.plates.well_table import read_well_tables
from kit.readers.sheets import Sheet, Source, open_source, text_sheets
from kit.readers.tokens import Cell

MAX_PLATE_LINES = 100_000
"""Most lines of a plate file: 1536 wells at 60 time points, one line each, are 92,000."""
_MANY_LINES = 20_000
_WELL = re.compile(r"\b[A-Za-z]{1,2}-?[0-9]{1,2}\b")
_BY_ROW = re.compile(r"\brow\b.*\bcol", re.IGNORECASE)
"""So many lines are a list of wells, by name or by row and column, or no plate file."""
Answer = tuple[list[Found], list[str]]


@dataclass(frozen=True)
class Format:
    """One kind of export: how its content shows that it is meant, and the reader of a sheet (or of
    the whole source).
    """

    recognises: Callable[[Source], bool]
    of_sheet: Callable[[Sheet], Answer] | None = None
    of_source: Callable[[Source], Answer] | None = None


def _text(pattern: str) -> Callable[[Source], bool]:
    return lambda source: re.search(pattern, source.text[:4000], re.MULTILINE) is not None


def _any(source: Source) -> bool:
    return True


def _on_request(source: Source) -> bool:
    return False


def read_labelled(sheet: Sheet) -> Answer:
    """Labelled grids, and tables of wells outside of them: a kinetic export has its raw values in
    one, a summary in the other.
    """
    grids = find_grids(sheet)
    found, passed = read_grids(sheet, grids)
    taken = {r for grid in grids for r in range(grid.header, grid.end)}
    rows: list[list[Cell]] = [[] if r in taken else row for r, row in enumerate(sheet.rows)]
    more, reasons = read_well_tables(replace(sheet, rows=rows))
    if not found and not more and (other_way := turned(sheet)) is not None:
        return read_grids(other_way)
    return found + more, passed + reasons


FORMATS: dict[str, Format] = {
    "asm": Format(looks_like_asm, of_source=read_asm),
    "softmax": Format(_text(r"^\W*##BLOCKS="), of_sheet=read_softmax),
    "labelled": Format(_any, of_sheet=read_labelled),
    "bare grid": Format(_any, of_sheet=read_bare),
    "grid": Format(_on_request, of_sheet=read_grids),
    "wells": Format(_on_request, of_sheet=read_well_tables),
}
"""Formats by name, tried in this order; the first that finds a signal reads the file. The last two
only when asked for. A new instrument is one entry.
"""

_LOOKED_FOR = (
    "Looked for: a grid of row letters and column numbers, a table with a column of wells, wells as"
    " column headings, and 8 x 12, 16 x 24 or 32 x 48 numbers"
)


def read_plates(
    path: str | Path,
    *,
    sheet: str | None = None,
    format: str = "auto",
    saturation: float | None = None,
    name: str | None = None,
    strict: bool = True,
) -> list[Read]:
    """Every plate read of a file, in its order.

    `sheet` limits an Excel file to one sheet; `format` is "auto" or a name of `FORMATS`; signals at
    or above
    `saturation` (the detector's maximum) become missing with the flag "saturated"; `name` is how
    messages call the file. Raises `InputError` naming everything that is wrong: file, sheet or
    line, well, value, remedy; with `strict` off, faults of single reads stay with them for `choose`.
    """
    path = Path(path)
    file = name or path.name
    if format != "auto" and format not in FORMATS:
        raise refused(
            file, f"format '{format}' is not known", did_you_mean(format, ["auto", *FORMATS])
        )
    source = open_source(path, file, sheet or None)
    _bounded(source)
    found, passed = _find(source, format)
    if not found:
        seen = f" Passed over: {'; '.join(passed[:4])}" if passed else ""
        raise refused(
            file,
            f"no plate signals found. {_LOOKED_FOR}.{seen}",
            place=f"sheet '{sheet}'" if sheet else "",
        )
    reads = finish(found, file, saturation)
    faults = dict.fromkeys(fault for read in reads for fault in read.problems)
    if strict and faults:
        raise InputError(faults)
    return reads


def _bounded(source: Source) -> None:
    """Refuse what is too long for a plate file, before it is searched."""
    lines, head = source.text.count("\n"), source.text[:5000]
    what = (
        f"{lines} lines are more than a plate file has ({MAX_PLATE_LINES})"
        if lines > MAX_PLATE_LINES
        else ""
    )
    if lines > _MANY_LINES and not (_BY_ROW.search(head) or what):
        wells = len(_WELL.findall(source.text))
        what = f"most of its {lines} lines name no well" if 2 * wells < lines else ""
    if what:
        remedy = "Export the plates of this experiment alone."
        raise refused(source.file, what, remedy)


def _find(source: Source, format: str) -> Answer:
    """Reads of the first format that finds any; text is cut by each delimiter in turn until one
    does.
    """
    if format == "auto":
        names = [name for name, entry in FORMATS.items() if entry.recognises(source)]
        names = names[:1] if names[0] == "asm" else names
    else:
        names = [format]
    passed: list[str] = []
    cuts = (
        [[sheet] for sheet in text_sheets(source.text)]
        if source.text and names != ["asm"]
        else [list(source.sheets)]
    )
    for entry in (FORMATS[name] for name in names):
        if entry.of_source is not None:
            return entry.of_source(source)
        found, reasons = _of_sheets(cuts, entry.of_sheet) if entry.of_sheet else ([], [])
        passed += reasons
        if found:
            return found, passed
    return [], list(dict.fromkeys(passed))


def _whole(sheet: Sheet, answer: Answer) -> Answer:
    """The reads; the one in a last line without an end has a fault where its last value may be cut
    off: shorter than every other one, or in the middle of a list.
    """
    last = sheet.place(len(sheet.rows) - 1) if sheet.cut else ""
    for read in answer[0] if sheet.cut else ():
        if read.wells[-1].place != last:
            continue
        *before, cell = [str(well.cell) for well in read.wells]
        lengths = [len(text) for text in before if text]
        rows, columns = {well.row for well in read.wells}, {well.column for well in read.wells}
        short = bool(cell) and len(cell) < min(lengths, default=0)
        shape = plate_shape([(w.row, w.column) for w in read.wells], read.stated)
        upper = min(rows) == 1 and shape is not None and max(rows) < shape[0]
        if short or upper or len(read.wells) < len(rows) * len(columns):
            what = f"the file ends with '{cell}', without a line end"
            remedy = "It may be cut off: export it again, or end its last line."
            read.problems.append((last, what, remedy))
    return answer


def _of_sheets(cuts: list[list[Sheet]], reader: Callable[[Sheet], Answer]) -> Answer:
    """Reads of all sheets of a workbook, or of a text in the first cut that has any."""
    passed: list[str] = []
    for sheets in cuts:
        answers = [_whole(sheet, reader(sheet)) for sheet in sheets]
        found = [read for reads, _ in answers for read in reads]
        passed += [reason for _, reasons in answers for reason in reasons]
        if found:
            return found, passed
    return [], passed
