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
from kit.readers.plates.grid_search import cell_at
from kit.readers.plates.headings import MAX_REACH, Heading, heading, mode_of, shorten
from kit.readers.plates.reads import Found, Well
from kit.readers.plates.well_search import PLATE, Table, find_tables
from kit.readers.plates.wide_table import read_wide
from kit.readers.ragged import surplus_faults
from kit.readers.sheets import Sheet
from kit.readers.tokens import Cell, cell_text

_SIGNAL = re.compile(
    r"signal|value|luminesc|\blum\b|\brlu\b|\bcps\b|counts\b|absorb|\babs\b|\bod\d*\b|optical|fluoresc|\brfu\b|\braw\b|readout|result|intensity"
    r"|\bread(?:ing)?\b|\bdata\b|measurement\b|number of objects|\bnm\b|celltiter|response",
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
        top = table.header if table.header >= 0 else table.body[0]
        above = heading(sheet.rows[start:top], before)
        reads = _reads(sheet, table, above)
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
            head = heads[column] or f"column {column + 1}"
            title = ", ".join(part for part in (head, key) if part)
            mode = mode_of(head) or above.mode
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
            faults, plate_faults = [], []
    return reads


def _cut_numbers(sheet: Sheet, table: Table, values: Sequence[int]) -> list[tuple[str, str, str]]:
    """Numbers with a decimal comma that the comma as a separator has cut in two: cells without a
    heading, or no headings at all.
    """
    if table.header >= 0 and not table.faults:
        return surplus_faults(sheet, table.header, table.body)
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
    lines = range(table.header, table.header - 4, -1)
    key = table.keys[0]
    first = str(cell_at(sheet.rows[table.header], key))
    if all(
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
            and len(sheet.rows[r]) > 2
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
    return [
        first if i == key else cell_text(cell_at(sheet.rows[table.header], i)) for i in range(width)
    ]


def _value_columns(rows: Sequence[Sequence[Cell]], table: Table, heads: Sequence[str]) -> list[int]:
    """Columns that hold signals: those whose headings say so, else all with numbers that are not
    something else.
    """
    candidates = []
    for i, head in enumerate(heads):
        if i in table.keys or PLATE.fullmatch(head) or (table.header >= 0 and not head):
            # a column without a heading in a table with headings is a row count, not a signal
            continue
        kinds = Counter(tokens.kind(cell_at(row, i)) for row in rows)
        named = bool(_SIGNAL.search(head) and not _NO_SIGNAL.search(head)) or bool(
            _COUNT.fullmatch(head.strip())
        )
        if kinds["number"] + kinds["token"] > kinds["text"] or (named and kinds["number"]):
            candidates.append((i, named))
    named_only = [i for i, named in candidates if named]
    over_time = [
        i
        for i, _ in candidates
        if re.match(r"(cycle|time|kinetic)", heads[i], re.IGNORECASE) and re.search(r"\d", heads[i])
    ]
    if not named_only and len(over_time) > 1:
        return over_time
    return named_only or [i for i, _ in candidates if not _NO_SIGNAL.search(heads[i])]


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
