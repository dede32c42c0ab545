"""A YAML file as plain data, with the line each value stands on; every trap of the format refused
in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kit.core.errors import InputError, Problem

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000  # aliases may multiply a small file into billions of values

Path_ = tuple[str | int, ...]


def value_at(data: Any, path: Path_) -> Any:
    """What stands at a path of nested dicts and lists; None where nothing does."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


@dataclass(frozen=True)
class YamlFile:
    """`data` as dicts, lists and scalars; `lines` maps a path such as ("media", "no_asn", "role")
    to its 1-based line.
    """

    data: dict[str, Any]
    lines: dict[Path_, int]

    def place(self, path: Path_) -> str:
        """`line 12: media.no_asn.role`, the line being that of the nearest known part of the
        path.
        """
        dotted = ".".join(str(part) for part in path)
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return f"line {self.lines[path[:end]]}: {dotted}"
        return dotted


def read_yaml(path: Path, name: str | None = None) -> YamlFile:
    """Read `path`; raise InputError (shown under `name`) when it is not one plain YAML mapping."""
    name = name or path.name
    text = read_text(path, name)
    try:
        node = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        raise InputError(
            Problem(name, _mark(error), f"{_first_line(error.problem)}", "Keep one of the two.")
        ) from None
    except MarkedYAMLError as error:
        raise InputError(
            Problem(
                name,
                _mark(error),
                f"not valid YAML: {_first_line(error.problem)}",
                _yaml_hint(error),
            )
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise InputError(Problem(name, "", f"not valid YAML: {_first_line(str(error))}")) from None
    if not isinstance(node, CommentedMap):
        raise InputError(
            Problem(
                name,
                "",
                "should hold named fields (a mapping), holds something else",
                "`kit new` writes a filled-in one.",
            )
        )
    plain = _Plain(name)
    return YamlFile(plain.convert(node, ()), plain.lines)


def read_text(path: Path, name: str) -> str:
    """UTF-8 text of a small file (a byte-order mark or UTF-16 is understood); raise InputError
    otherwise.
    """
    try:
        size = path.stat().st_size
        if path.is_dir() or size == 0 or size > MAX_BYTES:
            what = (
                "is a folder"
                if path.is_dir()
                else (
                    "is empty"
                    if size == 0
                    else f"is {size:,} bytes; at most {MAX_BYTES:,} make sense"
                )
            )
            raise InputError(Problem(name, "", what, "Is it the right file?"))
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            Problem(name, "", "is not there", "`kit new` writes a complete experiment folder.")
        ) from None
    except OSError as error:
        raise InputError(Problem(name, "", f"cannot be read: {error.strerror}")) from None
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(
            Problem(name, f"line {line}", "is not UTF-8 text", "Save the file as UTF-8.")
        ) from None


class _Plain:
    """Turns ruamel's round-trip nodes into plain data and notes lines on the way."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.lines: dict[Path_, int] = {}

    def convert(self, node: Any, path: Path_) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or len(path) > 20:
            raise InputError(
                Problem(
                    self.name,
                    "",
                    "unfolds to far more values than an experiment has",
                    "Remove the nested aliases (&, *).",
                )
            )
        if isinstance(node, TaggedScalar) or (
            getattr(node, "tag", None) is not None and str(node.tag.value or "").startswith("!")
        ):
            raise InputError(
                Problem(
                    self.name,
                    ".".join(map(str, path)),
                    f"has the YAML tag {node.tag.value}",
                    "Tags are not allowed: write a plain value.",
                )
            )
        if isinstance(node, CommentedMap):
            return {
                self._key(key, node, path): self.convert(value, (*path, self._key(key, node, path)))
                for key, value in node.items()
            }
        if isinstance(node, CommentedSeq):
            return [self._item(index, value, node, path) for index, value in enumerate(node)]
        return _scalar(node)

    def _key(self, key: Any, node: CommentedMap, path: Path_) -> str:
        position = node.lc.data.get(key) if node.lc.data else None
        if position:
            self.lines[(*path, str(key))] = position[0] + 1
        return str(key)

    def _item(self, index: int, value: Any, node: CommentedSeq, path: Path_) -> Any:
        position = node.lc.data.get(index) if node.lc.data else None
        if position:
            self.lines[(*path, index)] = position[0] + 1
        return self.convert(value, (*path, index))


def _scalar(value: Any) -> Any:
    """Round-trip scalar types (ScalarFloat, quoted strings, ...) as built-in ones."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _mark(error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _yaml_hint(error: MarkedYAMLError) -> str:
    if "\\t" in str(error.problem) or "tab" in str(error.problem):
        return "Indent with spaces, not tabs."
    if "mapping values are not allowed" in str(error.problem):
        return "A text that contains ': ' needs quotes."
    return "Check the indentation and the quotes around this line."


def _first_line(text: str | None) -> str:
    return (text or "cannot be understood").strip().splitlines()[0]
