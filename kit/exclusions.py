"""exclusions.csv: wells left out, by whom, when, why. Read and checked here, applied in `kit.quality`."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pandas as pd

from kit.errors import InputError, Problem, Problems, did_you_mean
from kit.readers.geometry import parse_well, well_name
from kit.yamlfile import read_text

FILE = "exclusions.csv"
COLUMNS = ("plate", "well", "reason", "by", "at")


def read_exclusions(folder: Path, wells: pd.DataFrame) -> pd.DataFrame:
    """The exclusions of an experiment (no rows where there is no file), each checked against `wells` (columns plate, well)."""
    path = folder / FILE
    if not path.exists():
        return pd.DataFrame(columns=list(COLUMNS))
    rows = list(csv.reader(io.StringIO(read_text(path, FILE), newline="")))
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    absent = [column for column in COLUMNS if column not in header]
    if absent:
        found = did_you_mean(absent[0], header, listing=False)
        raise InputError(Problem(FILE, "line 1", f"lacks the column {', '.join(absent)}", found or f"The columns are {', '.join(COLUMNS)}."))
    problems, records = Problems(), []
    known = {plate: set(group) for plate, group in wells.groupby("plate")["well"]}
    for line, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            record = {name: cell.strip() for name, cell in zip(header, row)} | {name: "" for name in header[len(row) :]}
            records.append(_checked(record, f"line {line}", known, problems))
    problems.raise_if_any()
    return pd.DataFrame(records, columns=list(COLUMNS)).drop_duplicates(["plate", "well"], keep="last")


def _checked(record: dict[str, str], place: str, known: dict[str, set[str]], problems: Problems) -> dict[str, str]:
    try:
        record["well"] = well_name(*parse_well(record["well"]))
    except ValueError:
        problems.say(FILE, place, f"'{record['well']}' is not a well", "Write a letter and a number, such as B07.")
        return record
    if record["plate"] not in known:
        problems.say(FILE, place, f"plate '{record['plate']}' is not in experiment.yaml", did_you_mean(record["plate"], known))
    elif record["well"] not in known[record["plate"]]:
        problems.say(FILE, place, f"well {record['well']} is not on plate '{record['plate']}'", "Correct the well, or delete the line.")
    if not record["reason"]:
        problems.say(FILE, place, f"well {record['well']} is left out without a reason", "Write why: a technical cause that was seen.")
    if not record["by"]:
        problems.say(FILE, place, f"well {record['well']}: 'by' is empty", "Write who decided.")
    try:
        dt.datetime.fromisoformat(record["at"])
    except ValueError:
        problems.say(FILE, place, f"at '{record['at']}' is not an ISO 8601 time", "Write, for example, 2026-03-04T09:30:00.")
    return record
