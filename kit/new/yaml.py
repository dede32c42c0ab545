"""Commented YAML from the models of kit.config.model: every field with its meaning and unit, so
that the file cannot lag behind the code.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Set
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings

_UNITS = {"_per_mL": "per mL", "_per_cell": "", "_per_well": "", "_uM": "uM", "_uL": "uL", "_mL": "mL", "_kDa": "kDa", "_percent": "%, 0 to 100", "_h": "h",
          "_days": "days"}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]*( [A-Za-z0-9_.+-]+)*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_COLUMN = 44

ASKED = {
    "acclimatization_passages": "asked: at least {min_acclimatization_passages}",
    "cutoff_kDa": "asked: at most {max_serum_cutoff_kDa:g}",
    "seeding_confluence_percent": "asked: {min_confluence_percent:g} to {max_confluence_percent:g}",
    "seeding_viable_per_mL": "asked: {min_viable_per_mL:.0f} to {max_viable_per_mL:.0f}",
    "viability_at_seeding_percent": "asked: at least {min_viability_percent:g}",
    "cell_loss_by_wash_percent": "asked: at most {max_cell_loss_percent:g}",
    "control_endpoint_viable_per_mL": "asked: at most {max_endpoint_viable_per_mL:.0f}",
    "adherence_h": "asked: {min_adherence_h:g} to {max_adherence_h:g}",
    "count": "asked: at least {min_washes}",
    "t0_delay_h": "asked: at most {max_t0_delay_h:g}",
    "volume_loss_percent": "asked: at most {max_volume_loss_percent:g}",
    "glutamine_age_days": "asked: at most {max_glutamine_age_days:g}",
    "volume_mL": "asked: at least {min_spin_wash_mL:g}",
}
"""What the protocol asks of a field, in the limits of kit.config.settings."""


def scalar(value: Any) -> str:
    """A value as YAML that reads back as itself in any YAML version: text is quoted unless it is
    plainly text.
    """
    if isinstance(value, Mapping):
        return f"{{{flow(value)}}}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e6 else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(scalar, value))}]"
    text = str(value)
    return (
        text
        if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS
        else json.dumps(text, ensure_ascii=False)
    )


def flow(entry: Mapping[str, Any]) -> str:
    """`key: value, key: value`, for inside braces."""
    return ", ".join(f"{key}: {scalar(value)}" for key, value in entry.items())


def fields(
    model: type[BaseModel],
    given: Mapping[str, Any],
    indent: int,
    shown: Set[str] = frozenset(),
    *,
    explain: bool = True,
) -> str:
    """The fields of `model` as YAML lines, those in force first.

    Those of `given` have their value; those `shown` (nested ones as `wash.count`, or all of `wash`)
    are null, for the user to fill in;
    the rest are commented out, or left out where `explain` is false. `explain` puts meaning and
    unit behind each line.
    """
    return "\n".join(_lines(model, given, indent, shown, explain, "", False))


def _lines(
    model: type[BaseModel],
    given: Mapping[str, Any],
    indent: int,
    shown: Set[str],
    explain: bool,
    path: str,
    outside: bool,
) -> Iterator[str]:
    def is_live(name: str) -> bool:
        return not outside and (
            name in given or f"{path}{name}" in shown or (bool(path) and path[:-1] in shown)
        )

    for name, info in sorted(model.model_fields.items(), key=lambda item: not is_live(item[0])):
        here, live = f"{path}{name}", is_live(name)
        if not live and not explain:
            continue
        head, inner = " " * indent + ("" if live else "# ") + f"{name}:", _inner(info)
        if inner is not None:
            yield _commented(head, meaning(name, info) if explain else "")
            below = given.get(name) or {}
            yield from _lines(inner, below, indent + 2, shown, explain, f"{here}.", not live)
        else:
            yield _commented(
                f"{head} {scalar(given.get(name, _default(info)))}",
                meaning(name, info) if explain else "",
            )


def _default(info: FieldInfo) -> Any:
    return None if info.is_required() else info.get_default(call_default_factory=True)


def _inner(info: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that holds one."""
    candidates = [info.annotation, *get_args(info.annotation)]
    return next(
        (item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)),
        None,
    )


def _commented(text: str, comment: str) -> str:
    return f"{text:<{_COLUMN}}# {comment}" if comment else text


def meaning(name: str, info: FieldInfo) -> str:
    """A field's meaning, unit or allowed values, and what the protocol asks."""
    parts = [info.description or "", _kind(name, info)]
    if name in ASKED:
        parts.append(ASKED[name].format(**Settings().model_dump()))
    return "; ".join(part for part in parts if part)


def _kind(name: str, info: FieldInfo) -> str:
    """Unit, or what may stand there."""
    unit = next((text for ending, text in _UNITS.items() if name.endswith(ending)), "")
    if unit:
        return unit
    options = [
        item for item in (info.annotation, *get_args(info.annotation)) if item is not NoneType
    ]
    choices = next((get_args(item) for item in options if get_origin(item) is Literal), ())
    if bool in options:
        return "true or false"
    if dt.date in options:
        return "YYYY-MM-DD"
    return " or ".join(map(str, choices)) if 1 < len(choices) <= 4 else ""


def settings_list() -> str:
    """Every setting, commented out, with its default, meaning and source."""
    rows, group = [], ""
    for row in Settings.describe():
        if row["group"] != group:
            group = row["group"]
            rows.append(f"  # -- {group}")
        text = json.dumps(row["default"])
        rows.append(_commented(f"  # {row['name']}: {text}", f"{row['meaning']} ({row['source']})"))
    return "\n".join(rows)


def json_schema() -> str:
    """The JSON schema of experiment.yaml, for editors."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ExperimentConfig.model_json_schema(),
    }
    schema["title"] = "experiment.yaml of the dropout kit"
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
