"""A YAML file as plain data, with the line each value stands on; every trap of the format refused
in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from kit.core.errors import InputError, Problem
from kit.core.text import plain_name

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
    texts: dict[Path_, str] = field(default_factory=dict)
    """Path -> how a number, a date or a truth value is written."""

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
        written = YAML(typ="rt", pure=True).compose(text)
        _check_keys(written, name, set())
        node = YAML(typ="rt", pure=True).load(text)
    except InputError:
        raise
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
    data = plain.convert(node, written, ())
    return YamlFile(data, plain.lines, plain.texts)


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
        raise InputError(Problem(name, "", "is not there", _misnamed(path))) from None
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


def _misnamed(path: Path) -> str:
    """A remedy for a file that stands there under nearly its name."""
    stem = path.stem.casefold()
    near = [
        item.name
        for item in (path.parent.iterdir() if path.parent.is_dir() else ())
        if re.fullmatch(rf"{re.escape(stem)}( ?\(\d+\))?\.(ya?ml)(\.txt)?", item.name.casefold())
    ]
    if near:
        return f"Rename {sorted(near)[0]} to {path.name}."
    return "`kit new` writes a complete experiment folder."


def _check_keys(node: Any, name: str, seen: set[int]) -> None:
    """Raise for a key that is no name: `{{ line }}` of a template, or `? a : b`."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if id(here) in seen or isinstance(here, ScalarNode) or here is None:
            continue
        seen.add(id(here))
        if isinstance(here, SequenceNode):
            waiting += here.value
            continue
        for key, value in here.value:
            waiting.append(value)
            if not isinstance(key, ScalarNode):
                remedy = "Fill in what stands in {{ }}, or write `name: value` (without `?`)."
                place = f"line {key.start_mark.line + 1}"
                raise InputError(Problem(name, place, "the key is no name", remedy))


class _Plain:
    """Turns ruamel's round-trip nodes into plain data and notes lines and spellings on the way.

    `nodes` are what ruamel composed the data from: they know how each value is written.
    """

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.lines: dict[Path_, int] = {}
        self.texts: dict[Path_, str] = {}

    def convert(self, data: Any, node: Any, path: Path_) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or len(path) > 20:
            what = "unfolds to far more values than an experiment has"
            raise self._fault("", what, "Remove the nested aliases (&, *).")
        tag = getattr(getattr(data, "tag", None), "value", None) or ""
        if isinstance(data, TaggedScalar) or str(tag).startswith("!"):
            place = ".".join(map(str, path))
            what = f"has the YAML tag {data.tag.value}"
            raise self._fault(place, what, "Tags are not allowed: write a plain value.")
        if isinstance(data, CommentedMap):
            return dict(self._entries(data, node, path))
        if isinstance(data, CommentedSeq):
            nodes = node.value if isinstance(node, SequenceNode) else [None] * len(data)
            for index, item in enumerate(nodes):
                self._note((*path, index), item)
            return [
                self.convert(value, item, (*path, index))
                for index, (value, item) in enumerate(zip(data, nodes, strict=True))
            ]
        return self._scalar(data, node, path)

    def _entries(self, data: CommentedMap, node: Any, path: Path_) -> Iterator[tuple[str, Any]]:
        """Keys as they are written: 1E5, 0012 and true are names like any other."""
        pairs = list(node.value) if isinstance(node, MappingNode) else []
        by_text = {key.value: (key, value) for key, value in pairs}
        odd = iter([pair for pair in pairs if not pair[0].tag.endswith((":str", ":merge"))])
        for key, value in data.items():
            found = by_text.get(key) if isinstance(key, str) else next(odd, None)
            name = plain_name(found[0].value if found else str(key))
            inner = (*path, name)
            if found:
                self._note(inner, found[0])
            yield name, self.convert(value, found[1] if found else None, inner)

    def _note(self, path: Path_, node: Any) -> None:
        if node is not None:
            self.lines[path] = node.start_mark.line + 1

    def _scalar(self, data: Any, node: Any, path: Path_) -> Any:
        """Round-trip scalar types (ScalarFloat, quoted strings, ...) as built-in ones; numbers keep
        how they are written, for fields that are text.
        """
        written = node.value if isinstance(node, ScalarNode) and node.style is None else ""
        if written and not isinstance(data, str):
            self.texts[path] = written
        if isinstance(data, bool):
            return bool(data)
        if isinstance(data, int):
            return WrittenInt(data, written)
        if isinstance(data, float):
            return WrittenFloat(data, written)
        if isinstance(data, str):
            return str(data) if "/" in data else plain_name(str(data))
        return data

    def _fault(self, place: str, what: str, remedy: str) -> InputError:
        return InputError(Problem(self.name, place, what, remedy))


class WrittenInt(int):
    """A whole number that as text is what the file says: 0012."""

    def __new__(cls, value: int, written: str = "") -> WrittenInt:
        made = super().__new__(cls, value)
        made.written = written or int.__repr__(made)
        return made

    written: str

    def __str__(self) -> str:
        return self.written

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return int, (int(self),)


class WrittenFloat(float):
    """A number that as text is what the file says: 1E5."""

    def __new__(cls, value: float, written: str = "") -> WrittenFloat:
        made = super().__new__(cls, value)
        made.written = written or float.__repr__(made)
        return made

    written: str

    def __str__(self) -> str:
        return self.written

    def __reduce__(self) -> tuple[type, tuple[float]]:
        return float, (float(self),)


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
