"""The sample sheet of an FCS acquisition, its gates, and the flow table they give."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd
from pydantic import ValidationError

from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.flow.acquisition import GatedRun, gate_files
from kit.flow.gating import ROLES, FlowGates, FromControl, Logicle
from kit.readers.flow.fcs import read_fcs
from kit.readers.flow.gated_table import read_flow_table
from kit.readers.flow.headings import fold
from kit.readers.flow.samples import split_sample_name
from kit.readers.sheets import Sheet, open_source, text_sheets

COLUMNS = ("file", "cell_line", "medium", "replicate", "role", "dataset")

_HEADINGS = {
    "file": r"(fcs )?file( ?name)?s?",
    "cell_line": r"cell ?lines?|lines?",
    "medium": r"medium|media|condition",
    "replicate": r"(biological )?(replicate|repeat|rep)",
    "role": r"role|control|control role|type",
    "dataset": r"data ?set",
}


def read_flow(
    path: Path | str,
    gates: FlowGates | Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    lines: Collection[str] | None = None,
    media: Collection[str] | None = None,
) -> tuple[pd.DataFrame, GatedRun | None]:
    """A flow entry of experiment.yaml: a gated table, or with `gates` the sample sheet of FCS files
    (and then the gated run as well).
    """
    if gates is None:
        return read_flow_table(path, name=name, lines=lines, media=media), None
    run = gate_sample_sheet(path, gates, name=name, lines=lines, media=media)
    return run.table, run


def gate_sample_sheet(
    path: Path | str,
    gates: FlowGates | Mapping[str, Any],
    *,
    name: str | None = None,
    lines: Collection[str] | None = None,
    media: Collection[str] | None = None,
) -> GatedRun:
    """Read every FCS file of a sample sheet and gate all of them the same way; files lie in the
    sheet's folder or below.
    """
    path = Path(path)
    rules = gates if isinstance(gates, FlowGates) else parse_gates(gates, name or path.name)
    sheet = read_sample_sheet(path, name=name, lines=lines, media=media)
    run = gate_files(
        sheet,
        rules,
        lambda row: read_fcs(
            path.parent / row["file"], name=row["file"], dataset=row["dataset"] or None
        ),
    )
    run.table.attrs["notes"] = list(run.notes)
    return run


def parse_gates(gates: Mapping[str, Any], name: str) -> FlowGates:
    """`gates:` of experiment.yaml checked; every problem at once, with the nearest known name for
    an unknown field.
    """
    try:
        return FlowGates.model_validate(dict(gates))
    except ValidationError as error:
        known = [*FlowGates.model_fields, *FromControl.model_fields, *Logicle.model_fields]
        problems = []
        for item in error.errors():
            place = ".".join(
                str(part)
                for part in ("gates", *item["loc"])
                if part not in ("float", "FromControl")
            )
            remedy = (
                did_you_mean(item["loc"][-1], known) if item["type"] == "extra_forbidden" else ""
            )
            said = (
                "unknown field"
                if item["type"] == "extra_forbidden"
                else item["msg"].removeprefix("Value error, ")
            )
            problems.append(Problem(name, place, said, remedy))
        raise InputError(problems) from None


def read_sample_sheet(
    path: Path | str,
    *,
    name: str | None = None,
    lines: Collection[str] | None = None,
    media: Collection[str] | None = None,
) -> pd.DataFrame:
    """One row per FCS file with `COLUMNS`; `role` defaults to sample, `dataset` to 0 (the only or
    last one).

    Samples need cell_line, medium and replicate (or a file name that says them,
    `MOLT-4_no_asn_R1.fcs`); controls need only a role.
    Raises InputError with every problem.
    """
    path, name = Path(path), name or Path(path).name
    sheet, header = _find(path, name)
    problems = Problems()
    rows: list[dict[str, Any]] = []
    for number, cells in enumerate(sheet.rows[header + 1 :], start=header + 1):
        given = {
            field: str(cell).strip()
            for field, cell in zip(_fields(sheet.rows[header]), cells)
            if field and str(cell).strip()
        }
        if given:
            rows.append(
                {
                    **_row(given, path.parent, name, sheet.place(number), lines, media, problems),
                    "_place": sheet.place(number),
                }
            )
    _check(rows, name, problems)
    problems.raise_if_any()
    return pd.DataFrame(rows, columns=[*COLUMNS])


def _find(path: Path, name: str) -> tuple[Sheet, int]:
    source = open_source(path, name, None)
    for sheet in source.sheets or text_sheets(source.text):
        for index, row in enumerate(sheet.rows[:30]):
            fields = set(_fields(row))
            if "file" in fields and len(fields - {None}) > 1:
                return sheet, index
    remedy = f"Write one row per FCS file with the columns {', '.join(COLUMNS[:-1])}."
    raise InputError(
        Problem(name, "", "is no sample sheet: no row of headings with 'file'", remedy)
    )


def _fields(row: Iterable[Any]) -> list[str | None]:
    return [
        next(
            (field for field, pattern in _HEADINGS.items() if re.fullmatch(pattern, fold(cell))),
            None,
        )
        for cell in row
    ]


def _row(
    given: dict[str, str],
    folder: Path,
    name: str,
    place: str,
    lines: Collection[str] | None,
    media: Collection[str] | None,
    problems: Problems,
) -> dict[str, Any]:
    """One checked row of the sheet."""
    file, role = (
        given.get("file", ""),
        fold(given.get("role", "sample")).replace(" ", "_").replace("-", "_"),
    )
    if not file:
        problems.say(name, place, "no file named")
    elif (
        PurePosixPath(file).is_absolute()
        or PureWindowsPath(file).is_absolute()
        or not _inside(folder, file)
    ):
        problems.say(
            name,
            place,
            f"'{file}' is outside the sheet's folder",
            "Keep the FCS files beside the sample sheet or below it.",
        )
    if role not in ROLES:
        problems.say(name, place, f"role '{given['role']}' is not known", did_you_mean(role, ROLES))
    row = {"file": file, "cell_line": "", "medium": "", "replicate": 0, "role": role, "dataset": 0}
    dataset = given.get("dataset", "0").removesuffix(".0")
    if not dataset.isdecimal():
        problems.say(name, place, f"dataset is '{dataset}'", "Write 1, 2, ... or leave it empty.")
    else:
        row["dataset"] = int(dataset)
    keys = {**(split_sample_name(PurePosixPath(file).name, lines, media) or {}), **given}
    missing = [key for key in ("cell_line", "medium", "replicate") if not keys.get(key)]
    if role == "sample" and missing:
        problems.say(
            name,
            place,
            f"'{file}': {', '.join(missing)} missing",
            "Fill in the columns, or give the control's role.",
        )
    replicate = re.fullmatch(
        r"(?:r|rep)?[ _.-]?0*([1-9]\d*)(?:\.0+)?", keys.get("replicate", "1").casefold()
    )
    if role == "sample" and not replicate:
        problems.say(
            name,
            place,
            f"replicate is '{keys['replicate']}'",
            "Number biological replicates 1, 2, 3.",
        )
    if role == "sample" and not missing and replicate:
        row |= {
            "cell_line": keys["cell_line"],
            "medium": keys["medium"],
            "replicate": int(replicate[1]),
        }
    return row


def _inside(folder: Path, file: str) -> bool:
    return (folder / file).resolve().is_relative_to(folder.resolve())


def _check(rows: list[dict[str, Any]], name: str, problems: Problems) -> None:
    """Each file once, each sample once, at least one sample."""
    files: dict[str, str] = {}
    samples: dict[tuple[Any, ...], str] = {}
    for row in rows:
        key = (row["cell_line"], row["medium"], row["replicate"])
        if row["file"] in files:
            problems.say(
                name,
                row["_place"],
                f"'{row['file']}' stands already in {files[row['file']]}",
                "Keep one.",
            )
        elif key in samples and row["cell_line"]:
            what = f"{key[0]}, {key[1]}, replicate {key[2]} stands already in {samples[key]}"
            problems.say(
                name, row["_place"], what, "Give each biological replicate its own number."
            )
        files.setdefault(row["file"], row["_place"])
        samples.setdefault(key, row["_place"])
    if not any(row["role"] == "sample" for row in rows):
        problems.say(name, "", "lists no samples", "Give at least one file the role 'sample'.")
