"""mRNA input: qPCR exports (QuantStudio, Design & Analysis, CFX Maestro, any table of Cq) and
tables of one value per line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import Problems, did_you_mean, refused
from kit.core.reference import line_key
from kit.readers import headed

CQ_COLUMNS = (
    "well",
    "sample",
    "cell_line",
    "replicate",
    "target",
    "task",
    "cq",
    "undetermined",
    "omitted",
)
_CQ = (
    "cq",
    "ct",
    "cт",
    "cp",
    "crt",
    "quantification cycle",
)  # one of them with a Cyrillic т, as QuantStudio writes it
_HEADINGS = {
    "well": ("well position", "well", "position"),
    "sample": ("sample name", "sample"),
    "cell_line": ("cell line", "line"),
    "replicate": ("replicate", "biological replicate"),
    "target": ("target name", "target", "gene", "detector", "assay"),
    "reporter": ("fluor", "reporter", "dye"),
    "task": ("task", "content", "sample type"),
    "omitted": ("omit", "omitted", "excluded"),
    "condition": ("condition", "medium", "treatment"),
    "cq": _CQ,
}
_NOT_DETECTED = frozenset({"undetermined", "nan", "n/a", "na", "no cq", "no ct", "-", ""})
BLANK_SAMPLES = frozenset(
    {
        "ntc",
        "no template",
        "no template control",
        "no-template control",
        "water",
        "h2o",
        "blank",
        "nrt",
        "-rt",
        "no rt",
    }
)
"""Names of wells without template: no cell line, whatever the export's Task column says or
lacks.
"""
_VALUE = (
    "value",
    "expression",
    "log2 relative",
    "log2",
    "log2 expression",
    "relative",
    "tpm",
    "log2 tpm",
)
_REPLICATE = re.compile(
    r"[\s_-]*(?:\(|\b|_)(?:r|rep|replicate|lysate|n|#)[\s_-]*(\d{1,3})\)?$", re.IGNORECASE
)


def read_cq(
    path: Path | str, *, name: str = "", lines: Iterable[str] | None = None
) -> pd.DataFrame:
    """One row per well and target: `CQ_COLUMNS`. A well without a Cq has NaN and `undetermined`,
    never 40 or 0.

    `lines` (names of experiment.yaml) turns sample names into cell lines; "MOLT-4 R2" is lysate 2
    of MOLT-4. Where an export names no
    target, its dye stands for it. Raises InputError with every problem.
    """
    path = Path(path)
    name = name or path.name
    table = headed.find(path, name, _is_cq)
    if table is None:
        remedy = "Export the results table with the columns Sample, Target and Cq."
        raise refused(name, "holds no table of Cq values", remedy)
    problems = Problems()
    rows = [_well(record, name, problems) for record in table.records()]
    frame = pd.DataFrame([row for row in rows if row], columns=[*CQ_COLUMNS, "condition", "_place"])
    _name_lines(frame, lines, name, problems)
    problems.raise_if_any()
    return frame.drop(columns="_place").reset_index(drop=True)


def _is_cq(headings: list[str]) -> bool:
    known = set(headings)
    return bool(known & set(_CQ)) and bool(
        known & {"well", "well position", "sample", "sample name", "cell line"}
    )


def _cell(record: dict[str, Any], field: str) -> Any:
    return next((record[heading] for heading in _HEADINGS[field] if heading in record), None)


def _well(record: dict[str, Any], name: str, problems: Problems) -> dict[str, Any] | None:
    """One well; None for a row that measures nothing (no sample, no target, no Cq)."""
    cq, place = _cell(record, "cq"), record["_place"]
    text = str(cq if cq is not None else "").strip()
    missing = text.casefold() in _NOT_DETECTED
    value = math.nan if missing else headed.number(cq)
    if not missing and math.isnan(value):
        problems.say(
            name, place, f"Cq '{text}' is not a number", "Write the cycle, or Undetermined."
        )
    elif not missing and not 0 < value < 60:
        problems.say(name, place, f"Cq {value:g} is no cycle number")
    sample, target = _cell(record, "sample"), _cell(record, "target") or _cell(record, "reporter")
    if sample is None and target is None and missing:
        return None
    replicate = headed.number(_cell(record, "replicate") or "")
    return {
        "well": str(_cell(record, "well") or ""),
        "sample": str(sample or ""),
        "cell_line": str(_cell(record, "cell_line") or ""),
        "replicate": replicate,
        "target": str(target or ""),
        "task": str(_cell(record, "task") or "").upper(),
        "cq": value,
        "undetermined": missing,
        "omitted": bool(headed.flag(_cell(record, "omitted") or "")),
        "condition": _cell(record, "condition") or "basal",
        "_place": place,
    }


def split_sample(sample: str, lines: Iterable[str]) -> tuple[str, int | None]:
    """(cell line of `lines` or "", replicate or None) that a sample's name means."""
    names = {line_key(line): line for line in lines}
    found = _REPLICATE.search(sample)
    whole = names.get(line_key(sample), "")
    if whole or not found:
        return whole, None
    return names.get(line_key(sample[: found.start()].strip(" _-")), ""), int(found[1])


def _name_lines(
    frame: pd.DataFrame, lines: Iterable[str] | None, name: str, problems: Problems
) -> None:
    """Fill `cell_line` and `replicate` in place; unknown samples are problems only when the
    experiment's lines are known.
    """
    known = list(lines or [])
    line_column: list[str] = []
    replicates: list[int] = []
    tasks = list(frame["task"])
    for row in frame.to_dict("records"):
        given = row["cell_line"] or row["sample"]
        line, number = (
            split_sample(given, known) if known else (row["cell_line"] or row["sample"], None)
        )
        if not line and given.strip().casefold() in BLANK_SAMPLES:
            tasks[len(line_column)] = (
                "NTC"  # an export without a Task column says it by the sample's name
            )
        unknown = (
            known and given and not line and tasks[len(line_column)] in ("", "UNKNOWN", "UNKN")
        )
        if unknown:
            problems.say(
                name,
                row["_place"],
                f"sample '{given}' is no cell line of experiment.yaml",
                did_you_mean(given, known),
            )
        line_column.append(line)
        replicates.append(
            int(row["replicate"]) if not math.isnan(row["replicate"]) else (number or 1)
        )
    frame["cell_line"], frame["replicate"], frame["task"] = line_column, replicates, tasks


def is_cq_file(path: Path | str, *, name: str = "") -> bool:
    """Whether a file holds Cq values (else it is taken for a table of one value per line)."""
    return headed.find(Path(path), name or Path(path).name, _is_cq) is not None


def read_expression(
    path: Path | str, *, name: str = "", unit: str = "", lines: Iterable[str] | None = None
) -> pd.DataFrame:
    """Table of one value per line (and replicate): `cell_line`, `replicate`, `value` on log2,
    `note`.

    No unit means log2. A unit that does not begin with "log" is linear and taken to log2; zero then
    means not detected: NaN and a note, never minus infinity.
    """
    path = Path(path)
    name = name or path.name
    table = headed.find(
        path,
        name,
        lambda headings: (
            bool({"cell line", "line", "sample"} & set(headings))
            and bool(set(_VALUE) & set(headings))
        ),
    )
    if table is None:
        raise refused(
            name, "holds no expression table", "Name the columns cell_line, replicate and value."
        )
    records = list(table.records())
    problems = Problems()
    value_heading = next(heading for heading in _VALUE if heading in table.headings)
    places = [record["_place"] for record in records]
    values = headed.numbers(
        [record.get(value_heading, "") for record in records], value_heading, places, name, problems
    )
    frame = pd.DataFrame(
        {
            "well": "",
            "sample": [str(_cell(r, "cell_line") or _cell(r, "sample") or "") for r in records],
            "_place": places,
        }
    )
    frame["cell_line"], frame["task"] = "", ""
    frame["replicate"] = headed.numbers(
        [_cell(r, "replicate") or "" for r in records], "replicate", places, name, problems
    )
    _name_lines(frame, lines, name, problems)
    scale = unit or ("log2" if value_heading in ("value", "expression") else value_heading)
    linear = not scale.strip().casefold().startswith("log")
    notes = []
    for index, value in enumerate(values):
        if linear and value < 0:
            problems.say(
                name,
                places[index],
                f"{value:g} is below zero in linear units ({unit or value_heading})",
                "State the unit, e.g. log2 relative.",
            )
        values[index] = value if not linear else math.log2(value) if value > 0 else math.nan
        notes.append("not detected" if linear and value == 0 else "")
    problems.raise_if_any()
    return frame[["cell_line", "replicate"]].assign(value=values, note=notes)
