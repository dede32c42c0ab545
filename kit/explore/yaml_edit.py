"""Changes experiment.yaml the way a careful person would: only the lines concerned, so comments,
order and alignment stay.

A file dumped anew loses alignment and line breaks, and a diff of it shows changes nobody made. So
ruamel.yaml tells where each value
stands, the text is changed there, and the changed text is read back: it has to hold the wanted
values and nothing else that is new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kit.config.model import FILE
from kit.config.settings import Settings
from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.core.files import replace_text, reserved
from kit.core.yaml_file import read_text, value_at

Path_ = tuple[str | int, ...]
BY_HAND = "Change it in an editor."


@dataclass(frozen=True)
class Proposal:
    """What would be written: the file's text before and after, and the changed values by path.
    Nothing has been written yet.
    """

    path: Path
    before: str
    after: str
    changes: Mapping[Path_, Any]


def propose_settings(folder: Path, settings: Mapping[str, Any]) -> Proposal:
    """Set `settings:` by name. Raises InputError for unknown names and values out of bounds; writes
    nothing.
    """
    problems = Problems()
    for name in settings:
        if name not in Settings.model_fields:
            problems.say(
                FILE,
                f"settings.{name}",
                f"'{name}' is not a setting",
                did_you_mean(name, Settings.model_fields, listing=False),
            )
        elif wrong := Settings.wrong(name, settings[name]):
            problems.say(FILE, f"settings.{name}", wrong)
    problems.raise_if_any()
    _check_together(folder, settings)
    return propose(folder, {("settings", name): value for name, value in settings.items()})


def _check_together(folder: Path, settings: Mapping[str, Any]) -> None:
    """The file's own settings with the new ones among them, as the next reader will find them.
    Raises InputError.
    """
    present = _plain(_load(read_text(folder / FILE, FILE)))
    own = present.get("settings") if isinstance(present, dict) else None
    try:
        Settings.model_validate({**(own if isinstance(own, dict) else {}), **settings})
    except ValidationError as error:
        raise InputError(
            [
                Problem(FILE, ".".join(map(str, ("settings", *item["loc"]))), item["msg"])
                for item in error.errors()
            ]
        ) from None


def propose_gates(folder: Path, entry: int, gates: Mapping[str, Any]) -> Proposal:
    """Set fields of the `gates:` of flow entry `entry` (from 0). Raises InputError when the gates
    would not be valid; writes nothing.
    """
    from kit.flow.sample_sheet import parse_gates

    data = _plain(_load(read_text(folder / FILE, FILE)))
    try:
        present = data["flow"][entry]["gates"]
    except (KeyError, IndexError, TypeError):
        raise InputError(Problem(FILE, f"flow, entry {entry + 1}", "has no gates")) from None
    parse_gates({**present, **gates}, FILE)
    return propose(folder, {("flow", entry, "gates", name): value for name, value in gates.items()})


def propose(folder: Path, changes: Mapping[Path_, Any]) -> Proposal:
    """The file with values set at paths such as ("settings", "gr_auxotroph"); values are numbers,
    text, true, false or null.

    Missing keys are added below their section, a missing section at the end. Values that stand
    there already are no change. Raises
    InputError where the file is written in a way that cannot be changed safely (aliases, tags).
    """
    before = text = read_text(folder / FILE, FILE)
    wanted, done = _plain(_load(text)), dict[Path_, Any]()
    for path, value in changes.items():
        if value_at(wanted, path) == value and type(value_at(wanted, path)) is type(value):
            continue
        _put(wanted, path, value)
        text = _set(text, path, value)
        if _plain(_load(text, path)) != wanted:
            what = "is written in a way that cannot be changed without changing something else"
            raise InputError(Problem(FILE, ".".join(map(str, path)), what, BY_HAND))
        done[path] = value
    return Proposal(folder / FILE, before, text, done)


def write(proposal: Proposal) -> None:
    """Put the proposed text in place. Raises InputError when the file has changed since the
    proposal was made.
    """
    with reserved(proposal.path.parent):
        if read_text(proposal.path, FILE) != proposal.before:
            raise InputError(
                Problem(
                    FILE,
                    "",
                    "was changed by somebody else since the comparison was made",
                    "Look at the new comparison, then save.",
                )
            )
        replace_text(proposal.path, _as_before(proposal), FILE)


def _as_before(proposal: Proposal) -> str:
    """The new text with the byte-order mark of the old one, where it had one."""
    return ("\ufeff" if proposal.path.read_bytes()[:3] == b"\xef\xbb\xbf" else "") + proposal.after


# ---- one change of the text


def _set(text: str, path: Path_, value: Any) -> str:
    """The text with `value` at `path`."""
    root = _compose(text)
    if not isinstance(root, MappingNode):
        raise InputError(Problem(FILE, "", "should hold named fields (a mapping)", BY_HAND))
    node: Node = root
    for depth, key in enumerate(path):
        pair = _child(node, key)
        if pair is None:
            return _add(text, node, path[depth:], value, root)
        if depth == len(path) - 1 or _is_nothing(pair[1]):
            return _replace(text, pair, path[depth + 1 :], value)
        node = pair[1]
    return text


def _child(node: Node, key: str | int) -> tuple[Node | None, Node] | None:
    """(key node, value node) of a mapping's entry, or (None, item) of a list's."""
    if isinstance(node, MappingNode):
        return next(
            ((name, value) for name, value in node.value if str(name.value) == str(key)), None
        )
    if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
        return None, node.value[key]
    return None


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and str(node.tag).endswith("null")


def _replace(text: str, pair: tuple[Node | None, Node], below: Path_, value: Any) -> str:
    """Another value in the place of the one that stands there; `below` are keys still to be made
    under it.
    """
    key, node = pair
    new = _flow(below, value)
    start, end = node.start_mark.index, _last(node)
    if key is not None and (
        start == end or not _is_inline(node)
    ):  # `key:` alone, or a value on the lines below
        colon = text.index(":", key.end_mark.index) + 1
        start, end, new = colon, colon if start == end else end, f" {new}"
    return text[:start] + new + text[end:]


def _is_inline(node: Node) -> bool:
    """The value stands within its line: a scalar, or written with braces or brackets."""
    return (
        bool(node.flow_style)
        if isinstance(node, (MappingNode, SequenceNode))
        else getattr(node, "style", None) not in ("|", ">")
    )


def _add(text: str, node: Node, path: Path_, value: Any, root: Node) -> str:
    """A new entry at the end of a mapping."""
    if not isinstance(node, MappingNode):
        raise InputError(
            Problem(FILE, ".".join(map(str, path)), "has no place in the file", BY_HAND)
        )
    entry = f"{path[0]}: {_flow(path[1:], value)}"
    if node.flow_style:
        if not node.value:
            at = text.index("{", node.start_mark.index) + 1
            return text[:at] + entry + text[at:]
        at = _last(node.value[-1][1]) or node.value[-1][0].end_mark.index
        return f"{text[:at]}, {entry}{text[at:]}"
    indent = node.value[0][0].start_mark.column
    if node is root and len(path) > 1:
        entry = f"{path[0]}:\n  {path[1]}: {_flow(path[2:], value)}"
    at = _line_end(text, max(_last(node.value[-1][1]), node.value[-1][0].end_mark.index))
    newline = "\r\n" if "\r\n" in text else "\n"
    before = "" if at == 0 or text[at - 1] == "\n" else newline
    lines = entry.replace("\n", newline)
    return f"{text[:at]}{before}{' ' * indent}{lines}{newline}{text[at:]}"


def _last(node: Node) -> int:
    """Where the text of a node ends; a block's own end mark lies beyond its comments, so its last
    scalar counts.
    """
    if isinstance(node, (MappingNode, SequenceNode)) and not node.flow_style and node.value:
        tail = node.value[-1]
        return (
            max(_last(tail[1]), tail[0].end_mark.index)
            if isinstance(node, MappingNode)
            else _last(tail)
        )
    return node.end_mark.index


def _line_end(text: str, at: int) -> int:
    """Just behind the line that `at` stands in."""
    if at and text[at - 1] == "\n":
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _flow(below: Path_, value: Any) -> str:
    """A value as it is written in a line, within `{key: ...}` for each key of `below`."""
    text = _scalar(value)
    for key in reversed(below):
        text = f"{{{key}: {text}}}"
    return text


def _scalar(value: Any) -> str:
    """JSON is YAML; numbers are written without a fuss."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    return json.dumps(value, ensure_ascii=False)


# ---- reading


def _load(text: str, path: Path_ = ()) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        what = (
            f"could not be read{' after the change' if path else ''}: {str(error).splitlines()[0]}"
        )
        raise InputError(Problem(FILE, ".".join(map(str, path)), what, BY_HAND)) from None


def _compose(text: str) -> Node:
    return YAML(typ="rt", pure=True).compose(text)


def _plain(data: Any) -> Any:
    """A copy in which an alias is a value of its own."""
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


def _put(data: Any, path: Path_, value: Any) -> None:
    for key in path[:-1]:
        if isinstance(data, dict) and data.get(key) is None:
            data[key] = {}
        data = data[key]
    if not isinstance(data, dict):
        raise InputError(
            Problem(FILE, ".".join(map(str, path)), "has no place in the file", BY_HAND)
        )
    data[path[-1]] = value
