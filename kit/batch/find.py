"""Paths, folders of experiments and globs -> the experiment folders to report, and what cannot be.

What is no experiment is named and passed over; two folders of one name, whose reports would be one,
stop each other and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kit.config.model import FILE
from kit.config.settings import Settings
from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.core.yaml_file import read_yaml
from kit.store import outfolder

NEAR_CONFIG = ("experiment.yml", "Experiment.yaml", "experiment.YAML", "experiment.yaml.txt")


@dataclass
class Found:
    """What was named."""

    folders: list[Path] = field(default_factory=list)
    """Experiment folders, each once, in order."""
    doubled: dict[str, Problem] = field(default_factory=dict)
    """Names that several folders have, and what to do about it."""
    passed: list[Problem] = field(default_factory=list)
    """What is no experiment, and holds none."""


def find(experiments: Iterable[str | Path]) -> Found:
    """The experiments named by paths, folders of experiments and globs.

    Raises
    ------
    InputError
        For a path where nothing is or that may not be read, and where no experiment is found.
    """
    problems, passed, folders = Problems(), Problems(), dict[Path, None]()
    for given in experiments:
        matches = (
            [Path(match) for match in sorted(glob(str(given)))]
            if has_magic(str(given)) and not os.path.exists(given)
            else [Path(given)]
        )
        try:
            here = [folder for match in matches for folder in _experiments_in(match)]
        except OSError as error:
            what = f"cannot be looked into: {error.strerror or error}"
            problems.say(given, "", what, "Name a folder that you may read.")
            continue
        if not here:
            _nothing_there(Path(given), passed if os.path.exists(given) else problems)
        folders |= dict.fromkeys(folder.resolve() for folder in here)
    if problems or not folders:
        raise InputError([*problems, *passed])
    by_name: dict[str, list[Path]] = {}
    for folder in folders:
        by_name.setdefault(safe_name(folder).casefold(), []).append(folder)
    single = [same[0] for same in by_name.values() if len(same) == 1]
    doubled = {same[0].name: _doubled(same) for same in by_name.values() if len(same) > 1}
    return Found(single, doubled, list(passed))


def _doubled(same: list[Path]) -> Problem:
    where, name = " and ".join(map(str, same)), same[0].name
    what = f"have one name, '{name}', so their reports would be one"
    return Problem(where, "", what, "Rename one, or use another --out.")


def _experiments_in(path: Path) -> list[Path]:
    """The experiment folders at or below a folder; what lies inside an experiment is its own.
    Folders in it that nobody may read are passed.
    """
    if _is_experiment(path):
        return [path]
    if not path.is_dir():
        return []
    found: list[Path] = []
    for item in sorted(item for item in path.iterdir() if not item.name.startswith(".")):
        with suppress(OSError):
            found += _experiments_in(item)
    return found


def _is_experiment(path: Path) -> bool:
    return path.is_dir() and any((path / name).is_file() for name in (FILE, *NEAR_CONFIG))


def _nothing_there(path: Path, problems: Problems) -> None:
    if path.is_file():
        problems.say(path, "", "is a file", f"Name the folder that holds {FILE}.")
    elif path.is_dir():
        remedy = "Name an experiment folder, or make one with `kit new`."
        problems.say(path, "", f"holds no {FILE}, nor do the folders in it", remedy)
    else:
        folder = path.parent
        near = [item.name for item in folder.iterdir() if item.is_dir()] if folder.is_dir() else []
        remedy = did_you_mean(path.name, near, listing=False) or "Correct the path."
        problems.say(path, "", "is not there", remedy)


def safe_name(folder: Path) -> str:
    """The report's folder name: the experiment's id, made safe where it is no valid one."""
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_"
        for letter in folder.name
    )
    return f"_{kept}"[:64] if kept.startswith(".") or not kept else kept[:64]


def refuse(folders: Iterable[Path], out: Path, settings: Mapping[str, Any]) -> None:
    """Raise InputError, before anything is touched, where a report would take the place of what is
    no report, or where these settings cross limits of an experiment.
    """
    problems = Problems()
    for folder in folders:
        outfolder.refuse(out, safe_name(folder), folder, problems)
        if settings and (what := _crossed(folder, settings)):
            problems.say("--set", folder.name, what, "Change both limits, or neither.")
    problems.raise_if_any()


def _crossed(folder: Path, settings: Mapping[str, Any]) -> str:
    """How settings cross limits that experiment.yaml sets soundly; empty where they do not."""
    try:
        own = dict(read_yaml(folder / FILE, FILE).data.get("settings") or {})
        Settings.model_validate(own)
    except (InputError, ValidationError, TypeError, ValueError):
        return ""  # the report tells what is wrong there
    try:
        Settings.model_validate({**own, **settings})
    except ValidationError as error:
        return "; ".join(item["msg"] for item in error.errors())
    return ""
