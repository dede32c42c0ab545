"""What stands beside the LC-MS table: which sample is what, and how many cells there were."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.core.reference import line_key
from kit.readers import headed

SAMPLES = ("sample", "kind", "cell_line", "medium", "condition", "hours", "replicate", "volume_mL",
           "dilution", "known_uM", "cells")  # fmt: skip
COUNTS = ("cell_line", "medium", "condition", "hours", "replicate", "cells")
INTRACELLULAR = ("cell_line", "medium", "condition", "replicate", "asparagine")
TRANSPORT = ("cell_line", "amino_acid", "replicate", "preload", "blocked", "uptake", "efflux",
             "minutes")  # fmt: skip
NUMBERS = {"hours", "replicate", "volume_mL", "dilution", "known_uM", "cells", "asparagine", "uptake",
           "efflux", "minutes"}  # fmt: skip
_NAMES = {
    "sample": ("sample", "sample name", "sample id", "file", "filename", "data file"),
    "kind": ("kind", "sample type", "type", "role"),
    "cell_line": ("cell line", "line"),
    "medium": ("medium", "media", "arm"),
    "condition": ("condition", "treatment", "genotype", "transporter"),
    "hours": ("hours", "time h", "hour", "time", "h"),
    "replicate": ("replicate", "biological replicate", "experiment"),
    "volume_mL": ("volume ml", "volume", "vol ml"),
    "volume_uL": ("volume ul", "volume µl", "vol ul"),
    "dilution": ("dilution", "dilution factor"),
    "known_uM": ("known um", "nominal um", "standard um", "known µm", "concentration um"),
    "cells": ("cells", "count", "cell count", "viable cells", "cells per well"),
    "asparagine": ("asparagine", "intracellular asparagine", "asn", "asparagine nmol per 1e6",
                   "intracellular asn nmol per 1e6", "value"),
    "amino_acid": ("amino acid", "compound"),
    "preload": ("preload", "preloaded", "asparagine preload"),
    "blocked": ("blocked", "inhibited", "transporter blocked"),
    "uptake": ("uptake", "labelled uptake", "labeled uptake"),
    "efflux": ("efflux", "labelled efflux", "labeled efflux"),
    "minutes": ("minutes", "min"),
}  # fmt: skip
_KINDS = {
    "cells": r"cells?|sample|conditioned( medium)?|spent( medium)?|unknown",
    "blank": r"blank|empty|cell[ -]?free|no cells|medium|fresh medium|matrix blank",
    "standard": r"standard|std|cal(ibrat\w*)?|cal std",
    "qc": r"qc|quality control|pool(ed)?( qc)?",
    "intracellular": r"intracellular|extract|pellet",
    "solvent": r"solvent|double ?blank|wash|ignore|skip",
}


def read_samples(
    path: Path, name: str, lines: Collection[str], media: Collection[str]
) -> pd.DataFrame:
    """The sample sheet: `SAMPLES`, one row a sample. `kind` is cells, blank, standard, qc,
    intracellular or solvent; a blank without a medium serves every medium. Raises InputError with
    every problem.
    """
    table = _table(path, name, ("sample", "kind"), "sample, kind, cell_line, medium, hours")
    problems, rows = Problems(), []
    for record in table.records():
        place, kind = record["_place"], _kind(record)
        if not kind:
            text = _cell(record, "kind")
            what = f"kind '{text}' is not known"
            problems.say(name, place, what, f"Write one of {', '.join(_KINDS)}.")
        row: dict[str, Any] = {"sample": _text(_cell(record, "sample")), "kind": kind or "solvent"}
        row |= _who(record, name, lines, media, problems, needs_line=kind == "cells")
        volume = _number(record, "volume_mL", name, problems)
        small = _number(record, "volume_uL", name, problems)
        row["volume_mL"] = volume if math.isfinite(volume) else small / 1000
        for field in ("hours", "replicate", "dilution", "known_uM", "cells"):
            row[field] = _number(record, field, name, problems)
        if kind in ("cells", "blank") and math.isnan(row["hours"]):
            problems.say(name, place, f"sample '{row['sample']}' has no hours", "Add its time.")
        rows.append(row)
    frame = _typed(rows, SAMPLES)
    twice = frame.loc[frame["sample"].duplicated(), "sample"]
    for sample in dict.fromkeys(twice):
        problems.say(name, "column sample", f"sample '{sample}' is listed twice", "Keep one.")
    problems.raise_if_any()
    return frame


def read_counts(
    path: Path, name: str, lines: Collection[str], media: Collection[str]
) -> pd.DataFrame:
    """Cells per well: `COUNTS`, one row a count; a medium that is not named counts for every medium
    of the line.
    """
    wanted = "cell_line, medium, hours, cells"
    return _measured(path, name, lines, media, COUNTS, ("hours", "cells"), wanted, positive="cells")


def read_intracellular(
    path: Path, name: str, lines: Collection[str], media: Collection[str]
) -> pd.DataFrame:
    """Intracellular asparagine: `INTRACELLULAR`, in any one unit (only ratios count)."""
    wanted = "cell_line, medium, replicate, asparagine"
    fields = ("asparagine",)
    return _measured(path, name, lines, media, INTRACELLULAR, fields, wanted, "asparagine")


def read_transport(path: Path, name: str, lines: Collection[str]) -> pd.DataFrame:
    """Labelled uptake (and efflux) of one to five minutes after a preload with asparagine or none,
    with the transporter blocked or not: `TRANSPORT`.
    """
    wanted = "cell_line, amino_acid, replicate, preload, uptake"
    needs = ("amino_acid", "preload", "uptake")
    frame = _measured(path, name, lines, (), TRANSPORT, needs, wanted, positive="uptake")
    for column in ("preload", "blocked"):
        frame[column] = [bool(headed.flag(value)) for value in frame[column]]
    return frame


def _measured(
    path: Path,
    name: str,
    lines: Collection[str],
    media: Collection[str],
    columns: tuple[str, ...],
    needs: tuple[str, ...],
    wanted: str,
    positive: str,
) -> pd.DataFrame:
    table = _table(path, name, needs, wanted)
    problems, rows = Problems(), []
    for record in table.records():
        row: dict[str, Any] = _who(record, name, lines, media, problems, needs_line=True)
        for field in columns:
            if field in NUMBERS:
                row[field] = _number(record, field, name, problems)
            elif field not in row:
                row[field] = _text(_cell(record, field))
        if not row[positive] > 0:
            what = f"{positive} {row[positive]:g} is not positive"
            problems.say(name, record["_place"], what, "Correct it, or remove the row.")
        rows.append(row)
    problems.raise_if_any()
    return _typed(rows, columns)


def _typed(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    numbers = [column for column in columns if column in NUMBERS]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, float))


def _table(path: Path, name: str, needs: tuple[str, ...], wanted: str) -> headed.Headed:
    def is_header(headings: list[str]) -> bool:
        return all(set(_NAMES[field]) & set(headings) for field in needs)

    table = headed.find(path, name, is_header)
    if table is None:
        raise InputError(Problem(name, "", "the headings are not known", f"Name them {wanted}."))
    return table


def _who(
    record: dict[str, Any],
    name: str,
    lines: Collection[str],
    media: Collection[str],
    problems: Problems,
    *,
    needs_line: bool,
) -> dict[str, Any]:
    """Line, medium and condition of a row, by the names of experiment.yaml."""
    place, found = record["_place"], dict[str, Any]()
    for field, known in (("cell_line", lines), ("medium", media)):
        text = _text(_cell(record, field))
        own = {line_key(item): item for item in known}
        found[field] = text if text in known else own.get(line_key(text), text)
        if text and known and found[field] not in known:
            what = f"{field.replace('_', ' ')} '{text}' is not in experiment.yaml"
            problems.say(name, place, what, did_you_mean(text, known))
    if needs_line and not found["cell_line"]:
        if len(lines) == 1:
            found["cell_line"] = next(iter(lines))
        else:
            problems.say(name, place, "the cell line is missing", "Fill in column cell_line.")
    found["condition"] = _text(_cell(record, "condition"))
    found["replicate"] = _number(record, "replicate", name, problems)
    return found


def _kind(record: dict[str, Any]) -> str:
    text = _text(_cell(record, "kind")).casefold()
    return next((kind for kind, words in _KINDS.items() if re.fullmatch(words, text)), "")


def _cell(record: dict[str, Any], field: str) -> Any:
    return next((record[name] for name in _NAMES[field] if name in record), "")


def _text(cell: Any) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell).strip()


def _number(record: dict[str, Any], field: str, name: str, problems: Problems) -> float:
    cell = _cell(record, field)
    value = headed.number(cell)
    if math.isnan(value) and str(cell).strip():
        problems.say(name, record["_place"], f"{field} '{cell}' is not a number")
    elif value < 0 and field != "hours":
        problems.say(name, record["_place"], f"{field} {value:g} is negative", "Correct it.")
    return value
