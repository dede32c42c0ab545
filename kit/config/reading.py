"""experiment.yaml of a folder -> its checked settings, with every problem found: what pydantic
refuses, and what does not fit together.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from kit.config import faults as config_faults
from kit.config import salvage
from kit.config.model import FILE, ExperimentConfig, Uptake
from kit.core.errors import Problems, did_you_mean
from kit.core.text import plain_name
from kit.core.yaml_file import YamlFile, read_yaml, value_at

RESERVED = ("index.html", "index.json", "across.html", "manifest.json")
"""Names that a folder of reports has taken itself."""


def read_config(folder: Path, overrides: Mapping[str, Any] | None = None) -> ExperimentConfig:
    """The checked experiment.yaml of `folder`; `overrides` replace settings. Raises InputError with
    every problem found.
    """
    config, problems = read_parts(folder, overrides)
    problems.raise_if_any()
    return cast(ExperimentConfig, config)  # without a problem there is one


def read_parts(
    folder: Path, overrides: Mapping[str, Any] | None = None
) -> tuple[ExperimentConfig | None, Problems]:
    """(what of experiment.yaml can be used, every problem found); the first is None where nothing
    can, whole where there is no problem.
    """
    source = read_yaml(folder / FILE, FILE)
    data = dict(source.data)
    if overrides:
        data["settings"] = {**(data.get("settings") or {}), **overrides}
    for section in (
        "sera",
        "media",
        "protocol",
        "replicates",
        "plates",
        "flow",
        "blots",
        "expression",
        "signaling",
        "uptake",
        "timecourse",
        "settings",
    ):
        if section in data and data[section] is None:
            del data[section]
    config, problems = _validated(data, source)
    if config is not None:
        _check_references(config, source, folder, problems)
    return config, problems


def _validated(data: dict[str, Any], source: YamlFile) -> tuple[ExperimentConfig | None, Problems]:
    """The settings, or what remains of them without their faults, and those faults."""
    problems = Problems()
    for _ in salvage.rounds():
        try:
            return _one_spelling(ExperimentConfig.model_validate(data)), problems
        except ValidationError as error:
            if not problems and (written := _as_written(data, error, source)):
                data = written
                continue
            problems = problems or Problems(config_faults.in_words(error, source, ExperimentConfig))
            faults = [
                (config_faults.path_of(item), item["type"])
                for item in error.errors(include_url=False)
            ]
            rest = salvage.without_faults(data, dict.fromkeys(faults))
            if rest is None:
                break
            data = rest
    return None, problems


def _as_written(
    data: dict[str, Any], error: ValidationError, source: YamlFile
) -> dict[str, Any] | None:
    """`data` with the text of the file where a date or a truth value stands in a field of text."""
    paths = [
        path
        for item in error.errors(include_url=False)
        if item["type"] == "string_type"
        and (path := config_faults.path_of(item)) in source.texts
        and isinstance(value_at(data, path), (bool, dt.date))
    ]
    if not paths:
        return None
    data = copy.deepcopy(data)
    for path in paths:
        value_at(data, path[:-1])[path[-1]] = source.texts[path]
    return data


_SHORT = {"ctg": "celltiterglo", "celltitreglo": "celltiterglo"}


def _one_spelling(config: ExperimentConfig) -> ExperimentConfig:
    """One read-out spelt two ways ("CTG", "celltiter-glo") is one: all take the first spelling, or
    CellTiter-Glo's own.
    """
    spelt: dict[str, str] = {}
    for plate in config.plates:
        key = re.sub(r"[^a-z0-9]", "", plate.readout.casefold()) or plate.readout
        key = _SHORT.get(key, key)
        spelt.setdefault(plate.readout, key)
    first = {key: name for name, key in reversed(spelt.items())}
    first["celltiterglo"] = "CellTiter-Glo"
    if all(first[key] == name for name, key in spelt.items()):
        return config
    plates = [
        plate.model_copy(update={"readout": first[spelt[plate.readout]]}) for plate in config.plates
    ]
    return config.model_copy(update={"plates": plates})


def _check_references(
    config: ExperimentConfig, source: YamlFile, folder: Path, problems: Problems
) -> None:
    def say(path: tuple[str | int, ...], what: str, remedy: str = "") -> None:
        problems.say(FILE, source.place(path), what, remedy)

    stands_in = bool(problems) and config.experiment_id == salvage.UNNAMED
    if config.experiment_id != folder.resolve().name and not stands_in:
        say(
            ("experiment_id",),
            f"'{config.experiment_id}' differs from the folder's name '{folder.resolve().name}'",
            "Make them equal.",
        )
    if config.experiment_id.casefold() in RESERVED:
        say(
            ("experiment_id",),
            f"'{config.experiment_id}' is the name of a file in the folder of reports",
            "Give the experiment another name.",
        )
    _check_media(config, say)
    _check_plates(config, folder, say)
    for index, course in enumerate(config.timecourse):
        _check_file(folder, course.layout, ("timecourse", index, "layout"), say)
    _check_parents(config, say)
    for section in ("flow", "blots", "expression", "signaling", "timecourse"):
        for index, entry in enumerate(getattr(config, section)):
            _check_file(folder, entry.file, (section, index, "file"), say)
            if getattr(entry, "lanes", None):
                _check_file(folder, entry.lanes, (section, index, "lanes"), say)
    for index, entry in enumerate(config.uptake):
        for field, name in uptake_files(entry).items():
            _check_file(folder, name, ("uptake", index, field), say)


def uptake_files(entry: Uptake) -> dict[str, str]:
    """The files of an uptake entry by field."""
    fields = ("concentrations", "samples", "counts", "intracellular", "transport")
    return {field: name for field in fields if (name := getattr(entry, field)) is not None}


def _check_parents(config: ExperimentConfig, say: Any) -> None:
    for name, line in config.cell_lines.items():
        if line.parent is not None and (
            line.parent == name or line.parent not in config.cell_lines
        ):
            own = line.parent == name
            what = (
                f"parent '{line.parent}' is {'the line itself' if own else 'not under cell_lines'}"
            )
            others = [other for other in config.cell_lines if other != name]
            say(("cell_lines", name, "parent"), what, did_you_mean(line.parent, others))
    names = [plate.plate for plate in config.plates]
    names += [course.plate for course in config.timecourse]
    for index, course in enumerate(config.timecourse):
        if names.count(course.plate) > 1:
            what = f"plate '{course.plate}' stands twice"
            say(("timecourse", index, "plate"), what, "Give each plate its own name.")


def _check_media(config: ExperimentConfig, say: Any) -> None:
    measured = [section for section in ("plates", "flow", "timecourse") if getattr(config, section)]
    if measured and not config.media:
        what = f"no medium is named, but {' and '.join(measured)} are listed"
        say(
            ("media",),
            what,
            "List each medium with its role: `media: {complete: {role: control}, no_asn: {role:"
            " dropout, removes: asparagine}}`.",
        )
    controls = [name for name, medium in config.media.items() if medium.role == "control"]
    if len(controls) > 1:
        say(
            ("media", controls[1], "role"),
            f"'{controls[0]}' and '{controls[1]}' are both role control",
            "Keep one; give the other role 'other'.",
        )
    for name, medium in config.media.items():
        if medium.serum is not None and medium.serum not in config.sera:
            say(
                ("media", name, "serum"),
                f"serum '{medium.serum}' is not under sera",
                did_you_mean(medium.serum, config.sera),
            )
        if medium.role == "dropout" and medium.removes is None:
            say(
                ("media", name),
                "role dropout does not say what it removes",
                "Add `removes: asparagine` (or glutamine, serine).",
            )
        if medium.role == "rescue" and medium.restores is None:
            say(
                ("media", name),
                "role rescue does not say what it restores",
                "Add `restores: asparagine` (or glutamine, serine).",
            )
        if medium.role == "control" and medium.removes:
            say(
                ("media", name, "removes"),
                f"a control removes '{medium.removes}'",
                "Use role dropout.",
            )
    wanted = config.protocol.acclimatization_serum
    if wanted is not None and wanted not in config.sera:
        say(
            ("protocol", "acclimatization_serum"),
            f"serum '{wanted}' is not under sera",
            did_you_mean(wanted, config.sera),
        )


def _check_plates(config: ExperimentConfig, folder: Path, say: Any) -> None:
    first: dict[str, int] = {}
    for index, plate in enumerate(config.plates):
        if plate.plate in first:
            say(
                ("plates", index, "plate"),
                f"plate '{plate.plate}' is already entry {first[plate.plate] + 1} of plates",
                "Give each plate its own name.",
            )
        first.setdefault(plate.plate, index)
        for field in ("file", "layout"):
            _check_file(folder, getattr(plate, field), ("plates", index, field), say)
        if plate.cell_line is not None and plate.cell_line not in config.cell_lines:
            say(
                ("plates", index, "cell_line"),
                f"line '{plate.cell_line}' is not under cell_lines",
                did_you_mean(plate.cell_line, config.cell_lines),
            )


def _check_file(folder: Path, relative: str, path: tuple[str | int, ...], say: Any) -> None:
    root = folder.resolve()
    if relative == salvage.NOWHERE:
        return  # what is not named was said to be missing
    if (
        "\x00" in relative
        or Path(relative).is_absolute()
        or not (target := (root / relative).resolve()).is_relative_to(root)
    ):
        link = _link_in(root, relative)
        say(
            path,
            f"'{relative}' leaves the experiment folder"
            + (f": '{link}' is a link" if link else ""),
            "Copy what it points to into the folder."
            if link
            else "Put the file inside the folder and write its path from there.",
        )
    elif "\\" in relative and is_inside(folder, relative.replace("\\", "/")):
        say(
            path,
            f"'{relative}' has backslashes",
            f"Write {relative.replace(chr(92), '/')}, with /.",
        )
    elif not target.is_file() and (alike := _looks_alike(target)):
        say(
            path,
            f"'{relative}' is not there; '{alike}' prints alike but is made of other characters",
            "Rename the file to what experiment.yaml says.",
        )
    elif not target.is_file():
        siblings = (
            [str(item.relative_to(root)) for item in target.parent.glob("*")]
            if target.parent.is_dir()
            else []
        )
        siblings = [
            name for name in siblings if _letters(name) != _letters(relative)
        ]  # another replicate's file is no misspelling
        remedy = (
            did_you_mean(relative, siblings, listing=False)
            or "Put the file there, or correct the path."
        )
        say(path, f"'{relative}' is {'a folder' if target.is_dir() else 'not there'}", remedy)


def _looks_alike(target: Path) -> str:
    """The file beside `target` whose name prints like it."""
    names = [item.name for item in target.parent.iterdir()] if target.parent.is_dir() else []
    wanted = plain_name(target.name)
    return next((name for name in names if name != target.name and plain_name(name) == wanted), "")


def _link_in(root: Path, relative: str) -> str:
    """The first part of a path that is a link, "" for none."""
    if "\x00" in relative or Path(relative).is_absolute():
        return ""
    parts = [
        root.joinpath(*Path(relative).parts[: n + 1]) for n in range(len(Path(relative).parts))
    ]
    return next((str(part.relative_to(root)) for part in parts if part.is_symlink()), "")


def is_inside(folder: Path, relative: str) -> bool:
    """Whether a file of the experiment is there, and in its folder."""
    if "\x00" in relative or Path(relative).is_absolute():
        return False
    target = (folder.resolve() / relative).resolve()
    return target.is_relative_to(folder.resolve()) and target.is_file()


def _letters(name: str) -> str:
    return "".join(char for char in name if not char.isdigit())
