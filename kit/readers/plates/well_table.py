"""Tables of wells: one row per well, with the well in one column or its row and column in two.

Columns of wells are found by their content, values by their numbers and their headings: times,
temperatures, counts of
repeats and the like are no signals. Several value columns, plates or time points are several reads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from kit.core.wells import well_name
from kit.readers import tokens
from kit.readers.plates.grid_search import blank, cell_at
from kit.readers.plates.headings import (
    MAX_REACH,
    Heading,
    heading,
    is_wavelength,
    mode_of,
    shorten,
    wavelength_mode,
)
from kit.readers.plates.reads import Found, Well
from kit.readers.plates.well_search import PLATE, WELL_HEAD, Table, find_tables, side_by_side
from kit.readers.plates.wide_table import read_wide
from kit.readers.ragged import LOST, beyond, last_filled, uneven_faults
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text

_SIGNAL = re.compile(
    r"signal|value|luminesc|\blum\b|\brlu\b|\bcps\b|counts\b|absorb|\babs\b|\bod\d*\b|optical|fluoresc|\brfu\b|\braw\b|readout|result|intensity"
    r"|\bread(?:ing)?\b|\bdata\b|measurement\b|number of objects|\bnm\b|celltiter|response"
    r"|\b(?:mtt|mts|xtt|wst-?\d?|cck-?8|srb|a\d{3})\b|prestoblue|alamar|resazurin|crystal violet",
    re.IGNORECASE,
)
_QUALIFIER = re.compile(
    r"\(?\b(?:repeat|replicate|rep|read|cycle|loop|scan|day|time ?point|position|no|nr|#)[ _.#-]*\d+"
    r"\b\)?|\b\d+(?:[.,]\d+)?[ _]*(?:h|hrs?|hours?|min(?:utes?)?|s|sec(?:onds?)?|d|days?)\b"
    r"|background[-_ ]*(?:corrected|subtracted|adjusted|removed)",
    re.IGNORECASE,
)
"""Which of several signals a heading means: it takes nothing from its being a signal."""
_STATISTIC = re.compile(
    r"(?P<centre>mean|average|avg\.?|median)|(?:std?\.?|standard)[ _.-]*dev(?:iation)?\.?|s\.?d\.?|sem?"
    r"|%? ?cv ?(?:\(?%\)?)?|variance|range",
    re.IGNORECASE,
)
_NO_SIGNAL = re.compile(
    r"background|sample|content|gene|comment|time|temp|t°|\brow\b|\bcol(?:umn)?\b|cycle|repeat|replicate|\bconc|dose|dilution|volume|height|\bx\b|\by\b|\bid\b|index|wavelength"
    r"|date|flash|gain|position|hours?\b|\bwells?\b|plane|field|loop|group|passage|seed|number$|id$|\bno\.?$|duration|elapsed|kinetic|excluded|flag",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"(?:cell|nucle(?:i|us)|object)s?[ _-]*(?:counts?|numbers?)|(?:counts?|number)[ _]of["
    r" _](?:cells|nuclei|objects)|(?:viable |live |total )?(?:cells|nuclei)|counts?",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"time|cycle|repeat|wavelength|label|channel|\bread|measurement|kinetic|loop|interval|scan|hours|plane|mode|filter",
    re.IGNORECASE,
)


def read_well_tables(sheet: Sheet) -> tuple[list[Found], list[str]]:
    """(reads of every table of wells in the sheet, why tables were passed over)."""
    found: list[Found] = []
    passed: list[str] = []
    before, start = Heading(), 0
    for table in find_tables(sheet):
        parts = side_by_side(sheet, table)
        top = table.header if table.header >= 0 else table.body[0]
        above = heading(sheet.rows[start:top], before)
        reads = _joined([_reads(sheet, part, above) for part in parts])
        if not reads:
            passed.append(
                f"{sheet.place(table.body[0])}: a column of wells, but no column of signals"
                " beside it"
            )
        found += reads
        before, start = above, table.body[-1] + 1
    found += read_wide(sheet)
    below = heading(sheet.rows[start : start + MAX_REACH]) if found else Heading()
    for read in found:
        read.mode, read.stated = read.mode or below.mode, read.stated or below.stated
    return found, passed


def _joined(blocks: list[list[Found]]) -> list[Found]:
    """Reads of blocks side by side: the same signal of other wells goes on with the read before."""
    reads: list[Found] = []
    for n, block in enumerate(blocks, start=1):
        for read in block:
            key = (read.plate, read.title)
            here = {(well.row, well.column) for well in read.wells}
            before = [each for each in reads if (each.plate, each.title) == key]
            free = [e for e in before if not any((w.row, w.column) in here for w in e.wells)]
            if free:
                free[0].wells += read.wells
                free[0].problems += read.problems
                continue
            read.title += f", block {n}" if before else ""
            reads.append(read)
    return reads


def _reads(sheet: Sheet, table: Table, above: Heading) -> list[Found]:
    """One read per value column, plate and time point of a table."""
    rows = [sheet.rows[r] for r in table.body]
    heads = _heads(sheet, table)
    plates, plate_faults = _plates(sheet, table, heads, above)
    values = _value_columns(rows, table, heads)
    plate_faults += table.faults + _cut_numbers(sheet, table, values)
    reads = []
    for column in values:
        groups, faults = _groups(sheet, table, heads, plates, values)
        for (plate, key), lines in groups.items():
            wells = [
                Well(*well, cell_at(sheet.rows[r], column), sheet.place(r)) for r, well in lines
            ]
            head = heads[column] or f"column {column + 1 - table.columns.start}"
            label = above.title if _OVER_TIME.match(head) else ""
            title = ", ".join(part for part in (label, head, key, table.name) if part)
            mode = mode_of(head) or wavelength_mode(head.split(":")[-1]) or above.mode
            reads.append(
                Found(
                    sheet.place(lines[0][0]),
                    wells,
                    sheet.name,
                    plate,
                    mode,
                    shorten(title),
                    above.stated,
                )
            )
            reads[-1].problems = [*faults, *plate_faults, *_faults_of(sheet, table, lines)]
            if not reads[-1].problems:
                reads[-1].problems = _lost_cells(sheet, table, column, [r for r, _ in lines])
    return reads


def _lost_cells(
    sheet: Sheet, table: Table, column: int, lines: Sequence[int]
) -> list[tuple[str, str, str]]:
    """Lines with fewer cells than most, so that another column's number may stand in `column`."""
    faults = uneven_faults(sheet, lines)
    if faults or not sheet.delimiter or not lines:
        return faults
    widths = Counter(len(sheet.rows[r]) for r in lines)
    usual, count = widths.most_common(1)[0]
    if column >= usual - 1 or 2 * count <= len(lines):
        return []
    return [
        (sheet.place(r), f"the line has {len(sheet.rows[r])} cells where others have {usual}", LOST)
        for r in lines
        if len(sheet.rows[r]) < usual
    ]


def _cut_numbers(sheet: Sheet, table: Table, values: Sequence[int]) -> list[tuple[str, str, str]]:
    """Numbers with a decimal comma that the comma as a separator has cut in two: cells without a
    heading, or no headings at all.
    """
    if table.header >= 0 and not table.faults:
        above = range(table.header, table.body[0])
        return beyond(sheet, max(last_filled(sheet.rows[r]) for r in above), table.body)
    rows = [sheet.rows[r] for r in table.body]
    pairs = [
        i
        for i in values
        if i + 1 in values
        and all(str(cell_at(row, k)).isdigit() for row in rows for k in (i, i + 1))
    ]
    if sheet.delimiter != "," or not pairs:
        return []
    one, other = cell_at(rows[0], pairs[0]), cell_at(rows[0], pairs[0] + 1)
    what = (
        f"without headings, '{one},{other}' may be one number with a decimal comma or two numbers"
    )
    return [
        (
            sheet.place(table.body[0]),
            what,
            "Write a heading over every column, or export with ';' as separator.",
        )
    ]


def _heads(sheet: Sheet, table: Table) -> list[str]:
    """The heading over each column; where a table has several lines of them (cycle, time), all but
    the temperatures.
    """
    width = max(len(sheet.rows[r]) for r in table.body)
    if table.header < 0:
        return [""] * width
    return [
        head if i in table.columns or (PLATE.fullmatch(head) and i < table.columns.start) else ""
        for i, head in enumerate(_all_heads(sheet, table, width))
    ]


def _all_heads(sheet: Sheet, table: Table, width: int) -> list[str]:
    lines = range(table.header, table.header - 4, -1)
    key = table.keys[0]
    first = str(cell_at(sheet.rows[table.header], key))
    if not WELL_HEAD.fullmatch(first) and all(
        tokens.kind(cell_at(sheet.rows[table.header], i)) != "text"
        for i in range(width)
        if i != key
    ):
        # Tecan writes wells down and time points across, with a line each for cycle, time and
        # temperature.
        tops = [
            r
            for r in lines
            if r >= 0
            and tokens.kind(cell_at(sheet.rows[r], key)) == "text"
            and sum(cell != "" for cell in sheet.rows[r]) > 1
            and not any(tokens.kind(cell) == "text" for cell in sheet.rows[r][key + 1 :])
        ]
        tops = [
            r for r in tops if not re.match("temp", str(sheet.rows[r][key]), re.IGNORECASE)
        ] or [table.header]
        return [
            " ".join(
                f"{sheet.rows[r][key]} {cell_text(cell_at(sheet.rows[r], i))}"
                for r in reversed(tops)
            )
            for i in range(width)
        ]
    heads = [cell_text(cell_at(sheet.rows[table.header], i)) for i in range(width)]
    between = [r for r in range(table.header + 1, table.body[0]) if not blank(sheet.rows[r])]
    if between and any(
        isinstance(cell, str) and _OVER_TIME_HEAD.match(cell) for cell in sheet.rows[between[0]]
    ):
        # MARS writes the times under the headings, which stand over the first column of each only.
        below, last = sheet.rows[between[0]], ""
        for i, head in enumerate(heads):
            last = head or last
            text = cell_text(cell_at(below, i))
            heads[i] = f"{last} {text}".strip() if tokens.kind(text) == "number" else head
    return heads


def _value_columns(rows: Sequence[Sequence[Cell]], table: Table, heads: Sequence[str]) -> list[int]:
    """Columns that hold signals: those whose headings say so, else all with numbers that are not
    something else. The number of replicates beside their mean or SD is never one.
    """
    statistics = any(_STATISTIC.fullmatch(head.strip()) for head in heads)
    candidates = []
    for i, head in enumerate(heads):
        if i in table.keys or i not in table.columns or PLATE.fullmatch(head):
            continue
        if table.header >= 0 and not head:
            # a column without a heading in a table with headings is a row count, not a signal
            continue
        kinds = Counter(tokens.kind(cell_at(row, i)) for row in rows)
        if statistics and re.fullmatch(r"counts?|n|number", head.strip(), re.IGNORECASE):
            continue
        named = _names_signal(head) or bool(_COUNT.fullmatch(head.strip()))
        if kinds["number"] + kinds["token"] > kinds["text"] or (named and kinds["number"]):
            candidates.append((i, named))
    signals = [i for i, _ in candidates if _names_signal(heads[i])]
    over_time = [i for i, _ in candidates if _OVER_TIME.match(heads[i])]
    if not signals and len(over_time) > 1:
        return over_time
    others = [
        i
        for i, named in candidates
        if (named or not _NO_SIGNAL.search(heads[i])) and not _STATISTIC.fullmatch(heads[i].strip())
    ]
    if signals:
        return [i for i, named in candidates if named]
    centres = [i for i, _ in candidates if _is_centre(heads[i])]
    return others or centres


_OVER_TIME_HEAD = re.compile(r"cycle|time|kinetic|wavelength", re.IGNORECASE)
_OVER_TIME = re.compile(r"(?:cycle|time|kinetic).*\d", re.IGNORECASE)


def _is_centre(head: str) -> bool:
    match = _STATISTIC.fullmatch(head.strip())
    return bool(match and match["centre"])


def _names_signal(head: str) -> bool:
    """Whether a heading names a signal, whatever it says of its repeat, time or correction."""
    if is_wavelength(head.split(":")[-1]):
        return True
    text = _QUALIFIER.sub(" ", head)
    return bool(_SIGNAL.search(text) or mode_of(text)) and not _NO_SIGNAL.search(text)


def _plates(
    sheet: Sheet, table: Table, heads: Sequence[str], above: Heading
) -> tuple[dict[int, str], list[tuple[str, str, str]]]:
    """(line -> plate, faults). A plate named in part of the lines is that of all of them only if it
    is the only one.
    """
    matching = [i for i, head in enumerate(heads) if PLATE.fullmatch(head) and i not in table.keys]
    matching.sort(key=lambda i: ("barcode" not in heads[i].lower(), "id" not in heads[i].lower()))
    for column in matching:
        names = {r: cell_text(cell_at(sheet.rows[r], column)) for r in table.body}
        known = sorted({name for name in names.values() if name})
        if len(known) == 1:
            return dict.fromkeys(table.body, known[0]), []
        if known:
            empty = [r for r, name in names.items() if not name and table.well(sheet.rows[r])]
            fault = (
                (
                    sheet.place(empty[0]),
                    "the plate is not named, but other lines name several",
                    "Fill in the plate.",
                )
                if empty
                else None
            )
            return names, [fault] if fault else []
    return dict.fromkeys(table.body, above.plate), []


Lines = list[tuple[int, tuple[int, int]]]


def _groups(
    sheet: Sheet, table: Table, heads: Sequence[str], plates: dict[int, str], values: Sequence[int]
) -> tuple[dict[tuple[str, str], Lines], list[tuple[str, str, str]]]:
    """((plate, time point or other key) -> its lines, faults): the key splits lines that repeat the
    wells of a plate.
    """
    wells = [(r, table.well(sheet.rows[r])) for r in table.body]
    faults = []
    for r, well in wells:
        if well is None:
            words = " ".join(cell_text(cell_at(sheet.rows[r], i)) for i in table.keys)
            faults.append((sheet.place(r), f"'{words}' is not a well", "Write it as A1 or A01."))
    good = [(r, well) for r, well in wells if well is not None]
    keyed: list[int] = []
    if max(Counter((plates[r], well) for r, well in good).values(), default=0) > 1:
        others = [
            i
            for i, head in enumerate(heads)
            if i not in table.keys and i not in values and _KEY.search(head)
        ]
        keyed = [
            i for i in others if len({cell_text(cell_at(sheet.rows[r], i)) for r, _ in good}) > 1
        ]
        keyed = _fewest(sheet, good, plates, keyed)
    groups: dict[tuple[str, str], Lines] = {}
    for r, well in good:
        key = ", ".join(f"{heads[i]} {cell_text(cell_at(sheet.rows[r], i))}".strip() for i in keyed)
        groups.setdefault((plates[r], key), []).append((r, well))
    return groups, faults


def _fewest(sheet: Sheet, good: Lines, plates: dict[int, str], keyed: Sequence[int]) -> list[int]:
    """The one column that tells repeated wells apart with the fewest values; all of them when no
    single one does.
    """
    fit = []
    for i in keyed:
        texts = [cell_text(cell_at(sheet.rows[r], i)) for r, _ in good]
        if len({(plates[r], well, text) for (r, well), text in zip(good, texts)}) == len(good):
            fit.append((len(set(texts)), i))
    return [min(fit)[1]] if fit else list(keyed)


def _faults_of(sheet: Sheet, table: Table, lines: Lines) -> list[tuple[str, str, str]]:
    """Wells that stand twice in one read, and a last line that may be cut off."""
    first: dict[tuple[int, int], int] = {}
    faults = []
    for r, well in lines:
        if well in first:
            what = f"well {well_name(*well)} stands twice (also in {sheet.place(first[well])})"
            faults.append(
                (
                    sheet.place(r),
                    what,
                    "Keep one line per well, or add a column that tells plates or reads apart.",
                )
            )
        first.setdefault(well, r)
    widths = Counter(len(sheet.rows[r]) for r in table.body)
    usual = widths.most_common(1)[0][0]
    for r, _ in lines:
        at_end = sheet.cut and r == len(sheet.rows) - 1
        if len(sheet.rows[r]) < usual and (at_end or sheet.delimiter == " "):
            faults.append(
                (
                    sheet.place(r),
                    f"the line has {len(sheet.rows[r])} cells where others have {usual}",
                    "The file may be cut off.",
                )
            )
    if len(faults) > 6:
        return [
            *faults[:5],
            (faults[5][0], f"{len(faults) - 5} more lines repeat a well or are too short", ""),
        ]
    return faults
