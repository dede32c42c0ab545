"""wellmap layouts: every file a layout takes in is checked before wellmap reads it.

wellmap ignores what it does not know and reads whatever an include names. A misspelt table would
leave wells out without a
word, so each file is walked first: its tables, the keys of [meta], its size, and where its includes
lead.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from kit.core.errors import InputError, Problems, did_you_mean, refused
from kit.core.yaml_file import read_text

TABLES = ("meta", "plate", "expt", "block", "row", "irow", "col", "icol", "well")
META = ("include", "concat", "path", "paths", "alert", "style", "param_styles")


def read_wellmap(path: Path, name: str) -> tuple[pd.DataFrame, Problems]:
    """The wells of a wellmap layout; raises InputError (file shown as `name`) with every problem of
    it and of what it takes in.
    """
    problems = Problems()
    _check_files(path, name, problems)
    problems.raise_if_any()
    import wellmap  # 1.4 s: it imports pyplot

    try:
        return (
            wellmap.load(path, on_alert=lambda *_: None).drop(
                columns=["well0", "row_i", "col_j", "row", "col", "path"], errors="ignore"
            ),
            problems,
        )
    except (
        wellmap.LayoutError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OSError,
        RecursionError,
    ) as error:
        raise refused(
            name, f"wellmap cannot read it: {_reason(error, path)}", "See the wellmap file format."
        ) from None


def included(path: Path) -> list[str]:
    """Further layouts that a readable layout takes in, and those take in, relative to its folder;
    sorted.
    """
    if path.suffix.lower() != ".toml":
        return []
    found = {relative for relative, _, _ in _walk(path, path.name, Problems())}
    return sorted(found - {path.name})


def _check_files(path: Path, name: str, problems: Problems) -> None:
    for _, shown, raw in _walk(path, name, problems):
        _check_tables(raw, "", shown, problems)
        plates = raw.get("plate", {})
        for plate, inner in plates.items() if isinstance(plates, dict) else ():
            if isinstance(inner, dict):
                _check_tables(
                    {key: value for key, value in inner.items() if isinstance(value, dict)},
                    f"plate.{plate}.",
                    shown,
                    problems,
                )
        meta = raw.get("meta", {})
        for key in meta if isinstance(meta, dict) else ():
            if key not in META:
                problems.say(
                    shown,
                    f"[meta] {key}",
                    f"'{key}' is not a key of [meta] and would be ignored",
                    did_you_mean(key, META),
                )


def _check_tables(raw: dict[str, Any], prefix: str, shown: str, problems: Problems) -> None:
    for table in raw:
        if table not in TABLES:
            what = f"'{table}' is not a table of a wellmap layout and would be ignored"
            problems.say(shown, f"[{prefix}{table}]", what, did_you_mean(table, TABLES))


def _walk(path: Path, name: str, problems: Problems) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path relative to the layout's folder, name shown, content) of the layout and of each file it
    takes in, each once.
    """
    root, waiting, seen = path.parent.resolve(), [path], set()
    while waiting:
        here = waiting.pop()
        relative = os.path.relpath(here, path.parent).replace(os.sep, "/")
        shown = (
            name if relative == path.name else (PurePosixPath(name).parent / relative).as_posix()
        )
        raw = _parsed(here, shown, problems)
        if raw is None:
            continue
        yield relative, shown, raw
        for value in _paths(raw):
            target = Path(os.path.normpath(here.parent / value))
            if not (here.parent / value).resolve().is_relative_to(root):
                problems.say(
                    shown,
                    "[meta]",
                    f"'{value}' is outside the layout's folder",
                    "Include only layouts beside this one.",
                )
            elif not target.is_file():
                problems.say(
                    shown,
                    "[meta]",
                    f"'{value}' is not there",
                    "Correct the path, or put the layout beside this one.",
                )
            elif target not in seen:
                seen.add(target)
                waiting.append(target)


def _parsed(path: Path, shown: str, problems: Problems) -> dict[str, Any] | None:
    try:
        return tomllib.loads(read_text(path, shown))
    except tomllib.TOMLDecodeError as error:
        problems.say(
            shown, "", f"not valid TOML: {error}", "wellmap layouts are described in the README."
        )
    except RecursionError:
        problems.say(
            shown,
            "",
            "not valid TOML: nested too deeply",
            "wellmap layouts are described in the README.",
        )
    except InputError as error:
        problems.extend(error.problems)
    return None


def _paths(raw: dict[str, Any]) -> Iterator[str]:
    """The files that a wellmap layout names itself, as they stand there."""
    meta = raw.get("meta", {}) if isinstance(raw.get("meta"), dict) else {}
    values = [meta.get("include", []), meta.get("concat", [])]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += [item for key, item in value.items() if key != "shift"]
        elif isinstance(value, list):
            values += value
        elif isinstance(value, str):
            yield value


def _reason(error: Exception, path: Path) -> str:
    """wellmap's words without the absolute path it puts in front."""
    return " ".join(
        str(error).replace(f"{path.parent.resolve()}{os.sep}", "").replace(path.name, "").split()
    ).lstrip(": ")
