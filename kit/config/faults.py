"""pydantic's faults -> problems in words: place in the file, what is wrong, the nearest known name
or unit.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from kit.config.model import FILE
from kit.config.settings import CROSSED
from kit.core.errors import Problem, did_you_mean
from kit.core.yaml_file import YamlFile


def in_words(error: ValidationError, source: YamlFile, model: type[BaseModel]) -> list[Problem]:
    """Each fault once, with its line and the nearest known name; `model` is what the whole file has
    to be.
    """
    found = []
    for item in error.errors(include_url=False):
        path = path_of(item)
        what, remedy = _explain(item, path, model)
        found.append(Problem(FILE, source.place(path), what, remedy))
    return list(dict.fromkeys(found))


def path_of(item: Any) -> tuple[str | int, ...]:
    """Where an entry of pydantic's list stands in the file."""
    return tuple(part for part in item["loc"] if not _is_branch(part))


def _is_branch(part: Any) -> bool:
    """pydantic names the branch of a union in the path; the user never wrote that."""
    return isinstance(part, str) and (
        part.startswith(("literal[", "list[", "constrained-")) or part == "[key]"
    )


def _explain(item: Any, path: tuple[str | int, ...], model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong and what to do, for one entry of pydantic's list."""
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        known = list(_model_at(path[:-1], model).model_fields)
        return f"'{path[-1]}' is not a field here", did_you_mean(path[-1], known)
    if kind == "missing":
        return f"'{path[-1]}' is missing", "Add it."
    if kind == "literal_error":
        allowed = [name for name in _choices(item["ctx"]["expected"])]
        return f"{_show(value)} is not allowed", did_you_mean(value, allowed)
    if kind == CROSSED:
        return item["msg"], "Change one of them, here or in --set."
    if kind.startswith(("int_", "float_")) and isinstance(value, str):
        whole = "whole " * kind.startswith("int_")
        number = re.match(r"\s*([0-9]+(?:\.[0-9]+)?)\s*[a-zA-Zµ%]", value)
        remedy = _unit_hint(path) or f"Write a {whole}number, such as 1."
        remedy = f"Write {number[1]} alone." if number else remedy
        return f"{_show(value)} is not a {whole}number", remedy
    if path == ("experiment_id",):
        return f"{_show(value)} is not a name", "Use letters, digits, '.', '_' and '-', at most 64."
    return f"{_show(value)}: {item['msg'].lower()}", _unit_hint(path)


def _choices(expected: str) -> list[str]:
    return [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unit_hint(path: tuple[str | int, ...]) -> str:
    units = {
        "_uM": "in uM",
        "_uL": "in uL",
        "_mL": "in mL",
        "_h": "in hours",
        "_kDa": "in kDa",
        "_percent": "in percent, 0 to 100",
    }
    unit = (
        next((text for ending, text in units.items() if str(path[-1]).endswith(ending)), None)
        if path
        else None
    )
    return f"Write a plain number {unit}." if unit else ""


def _model_at(path: tuple[str | int, ...], whole: type[BaseModel]) -> type[BaseModel]:
    """The model that stands at `path` in the file."""
    model: Any = whole
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[str(part)].annotation
        model = _inner_model(model)
    return model


def _inner_model(annotation: Any) -> Any:
    """The model inside `dict[str, Model]`, `list[Model]` or `Model | None`, or the annotation
    itself.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _inner_model(argument)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return annotation
