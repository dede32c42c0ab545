"""exclusions.csv: wells left out, by whom, when, why. Read, checked and written here, applied in
`kit.plates.quality`.

Every change reads the file anew, changes the rows it is about, and puts the whole in place in one
step: what somebody else wrote in
between stays, and a reader never sees half a file.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kit.core.errors import Problems, did_you_mean, refused
from kit.core.files import replace_text, reserved
from kit.core.text import plain_name
from kit.core.wells import parse_well, well_name
from kit.core.yaml_file import read_text

FILE = "exclusions.csv"
COLUMNS = ("plate", "well", "reason", "by", "at")


def read_exclusions(folder: Path, wells: pd.DataFrame, plates: Iterable[str] = ()) -> pd.DataFrame:
    """The exclusions of an experiment (no rows where there is no file), each checked against
    `wells` (columns plate, well).

    `plates` are further plates whose wells are not known, as their files cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return pd.DataFrame(columns=list(COLUMNS))
    problems, table = Problems(), _table(read_text(path, FILE))
    listed = {line: {n: plain_name(c) for n, c in row.items()} for line, row in table.rows.items()}
    known = _known(wells, {record["plate"] for record in listed.values()}, plates)
    records = [_checked(record, f"line {line}", known, problems) for line, record in listed.items()]
    problems.raise_if_any()
    found = pd.DataFrame(records, columns=list(COLUMNS))
    reasons = found.groupby(["plate", "well"], sort=False)["reason"].agg(
        lambda each: "; ".join(dict.fromkeys(each))
    )
    found = found.drop_duplicates(["plate", "well"], keep="last")
    return found.assign(reason=[reasons[key] for key in zip(found["plate"], found["well"])])


def _known(
    wells: pd.DataFrame, named: Collection[str], plates: Iterable[str]
) -> dict[str, set[str] | None]:
    """Every plate with its wells; None where they are not known (`plates`) or not asked for (not
    among those `named`).
    """
    there = wells[wells["plate"].isin(named)]
    return dict.fromkeys([*plates, *map(str, wells["plate"].unique())]) | {
        str(plate): set(group) for plate, group in there.groupby("plate")["well"]
    }


def _checked(
    record: dict[str, str], place: str, known: Mapping[str, set[str] | None], problems: Problems
) -> dict[str, str]:
    try:
        record["well"] = well_name(*parse_well(record["well"]))
    except ValueError:
        problems.say(
            FILE,
            place,
            f"'{record['well']}' is not a well",
            "Write a letter and a number, such as B07.",
        )
        return record
    if record["plate"] not in known:
        problems.say(
            FILE,
            place,
            f"plate '{record['plate']}' is not in experiment.yaml",
            did_you_mean(record["plate"], known),
        )
    elif (wells := known[record["plate"]]) is not None and record["well"] not in wells:
        problems.say(
            FILE,
            place,
            f"well {record['well']} is not on plate '{record['plate']}'",
            "Correct the well, or delete the line.",
        )
    if not record["reason"]:
        problems.say(
            FILE,
            place,
            f"well {record['well']} is left out without a reason",
            "Write why: a technical cause that was seen.",
        )
    if not record["by"]:
        problems.say(FILE, place, f"well {record['well']}: 'by' is empty", "Write who decided.")
    try:
        record["at"] = _iso(record["at"])
    except ValueError as error:
        two_days = isinstance(error, TwoDays)
        problems.say(
            FILE,
            place,
            f"at '{record['at']}' may be two days: {error}. "
            if two_days
            else f"at '{record['at']}' is not an ISO 8601 time",
            "Write, for example, 2026-03-04T09:30:00.",
        )
    return record


_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?[ T]+(\d{1,2}:\d{2}(?::\d{2})?))?")


class TwoDays(ValueError):
    """A date such as 3/4/2026, whose day may be its month."""


def _iso(text: str) -> str:
    """A time as ISO 8601; 4.3.2026 is the fourth of March. ValueError where 4/3/2026 may be two
    days, or the text is no time.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        dt.datetime.fromisoformat(text)
        return text
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] != "." and first <= 12 and second <= 12 and first != second:
        days = [dt.date(year, month, day) for day, month in ((first, second), (second, first))]
        raise TwoDays(f"it may be {days[0]} or {days[1]}")
    day, month = (first, second) if match[2] == "." or second <= 12 else (second, first)
    clock = (match[5] or "0:00").rjust(5, "0")
    return f"{dt.date(year, month, day)}T{dt.time.fromisoformat(clock).isoformat()}"


def changed_plates(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    """Plates on which other wells are left out, or for other reasons."""
    one, other = (
        {tuple(row) for row in rows[["plate", "well", "reason"]].itertuples(index=False)}
        for rows in (before, after)
    )
    return {plate for plate, _, _ in one ^ other}


# ---- writing


@dataclass(frozen=True)
class Change:
    """Rows that were added to and taken from the file, as dicts by column; `revert` undoes it."""

    added: tuple[dict[str, str], ...] = ()
    removed: tuple[dict[str, str], ...] = ()

    @property
    def wells(self) -> list[tuple[str, str]]:
        """(plate, well) of every row it is about."""
        return list(
            dict.fromkeys((row["plate"], row["well"]) for row in (*self.added, *self.removed))
        )


def exclude(
    folder: Path,
    wells: Iterable[tuple[str, str]],
    reason: str,
    by: str,
    at: dt.datetime | None = None,
) -> Change:
    """Leave (plate, well) pairs out, for `reason`, decided by `by`, at `at` (now). Wells that are
    left out already keep their entry.

    Raises InputError when the reason or the name is missing, or the file cannot be read or written.
    """
    problems, said = Problems(), {"reason": " ".join(reason.split()), "by": " ".join(by.split())}
    if not said["reason"]:
        problems.say(FILE, "reason", "is empty", "Write why: a technical cause that was seen.")
    if not said["by"]:
        problems.say(FILE, "by", "is empty", "Write who decided.")
    problems.raise_if_any()
    when = (at or dt.datetime.now().astimezone()).isoformat(timespec="seconds")

    def change(rows: list[dict[str, str]]) -> Change:
        there = {_key(row) for row in rows}
        new = [(plate, well) for plate, well in dict.fromkeys(wells) if (plate, well) not in there]
        return Change(
            added=tuple({"plate": plate, "well": well, **said, "at": when} for plate, well in new)
        )

    return _edit(folder, change)


def bring_back(folder: Path, wells: Iterable[tuple[str, str]]) -> Change:
    """Take every entry of these (plate, well) pairs out of the file."""
    wanted = set(wells)
    return _edit(
        folder, lambda rows: Change(removed=tuple(row for row in rows if _key(row) in wanted))
    )


def revert(folder: Path, change: Change) -> Change:
    """Undo a change: its rows go, and the rows it took come back, except where the well has got
    another entry since.
    """
    gone = {_key(row) for row in change.added}

    def back(rows: list[dict[str, str]]) -> Change:
        mine = tuple(row for row in rows if any(_same(row, added) for added in change.added))
        there = {_key(row) for row in rows} - gone
        return Change(
            added=tuple(row for row in change.removed if _key(row) not in there), removed=mine
        )

    return _edit(folder, back)


def _same(row: dict[str, str], other: dict[str, str]) -> bool:
    return _key(row) == _key(other) and all(
        row.get(name) == other.get(name) for name in ("reason", "by", "at")
    )


def _key(row: dict[str, str]) -> tuple[str, str]:
    """Plate and well, however the file writes the well (B7, b07)."""
    try:
        return row["plate"], well_name(*parse_well(row["well"]))
    except ValueError:
        return row["plate"], row["well"]


def _edit(folder: Path, decide: Callable[[list[dict[str, str]]], Change]) -> Change:
    """Read, decide, write, while no other process of this machine does the same."""
    path = folder / FILE
    with reserved(folder):
        text = (
            read_text(path, FILE)
            if path.exists() and path.stat().st_size
            else ",".join(COLUMNS) + "\n"
        )
        table = _table(text)
        rows = list(table.rows.values())
        change = decide(rows)
        if change.added or change.removed:
            kept = [
                row
                for row in rows
                if not any(row is gone or row == gone for gone in change.removed)
            ]
            replace_text(
                path,
                _text(table, [*kept, *change.added], "\r\n" if "\r\n" in text else "\n"),
                FILE,
            )
    return change


@dataclass(frozen=True)
class _Table:
    """The file as it stands: what is in front, how cells are parted, column names, line -> row."""

    before: str
    delimiter: str
    header: list[str]
    rows: dict[int, dict[str, str]]


def _table(text: str) -> _Table:
    """Excel parts cells by semicolons or tabs where the comma is the decimal sign, and may say so
    in a first line `sep=;`. Columns of somebody's own stay.
    """
    first = re.match(r"\s*sep=(.)[^\n]*\n", text)
    top = (text[first.end() :] if first else text).lstrip().split("\n", 1)[0]
    delimiter = first[1] if first else max(",;\t", key=top.count)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    filled = [n for n, row in enumerate(lines) if n >= bool(first) and any(c.strip() for c in row)]
    header = [cell.strip().casefold() for cell in lines[filled[0]]] if filled else list(COLUMNS)
    while header and not header[-1]:
        header.pop()
    if absent := [column for column in COLUMNS if column not in header]:
        what = f"lacks the column {', '.join(absent)}"
        remedy = did_you_mean(absent[0], header, listing=False)
        remedy = remedy or f"The columns are {', '.join(COLUMNS)}."
        raise refused(FILE, what, remedy, place=f"line {filled[0] + 1 if filled else 1}")
    rows = {
        n + 1: dict.fromkeys(header, "") | {k: c.strip() for k, c in zip(header, lines[n])}
        for n in filled[1:]
    }
    return _Table(first[0] if first else "", delimiter, header, rows)


def _text(table: _Table, rows: list[dict[str, str]], newline: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(
        stream, table.header, restval="", lineterminator=newline, delimiter=table.delimiter
    )
    writer.writeheader()
    writer.writerows(rows)
    return table.before + stream.getvalue()
