"""Every name of the kit in plain words: checks and findings, metrics, settings, table columns, calls
and statuses. `kit explain` prints them.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from kit.config.settings import Settings
from kit.core.columns import TABLES
from kit.core.errors import InputError, Problem, did_you_mean
from kit.core.findings import codes, say


class Entry(NamedTuple):
    """One name: what kind of thing it is, what it means, where it comes from, what to do."""

    kind: str
    meaning: str
    source: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        more = (("Source", self.source), ("What to do", self.remedy))
        lines = [f"{label}: {text}" for label, text in more if text]
        return "\n  ".join([f"{self.kind}: {self.meaning}", *lines])


EFFECTS = {
    "remark": "",
    "cap": " A call that it touches is provisional at most.",
    "mask": " It rules out the calls partially dependent and prototrophic where it fails.",
    "void": " Where it fails, there is no call.",
}


@cache
def _names() -> dict[str, dict[str, Any]]:
    """Words such as calls and statuses -> (kind, meaning), and columns beyond the contract."""
    return tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))


@cache
def entries() -> dict[str, tuple[Entry, ...]]:
    """Name -> what it stands for; a name may be a column of several tables or a setting too."""
    found: dict[str, list[Entry]] = {}
    limits, metrics = Settings().model_dump(), _names()["metrics"]
    for name, text in metrics.items():
        if name.upper() not in codes():
            found.setdefault(name, []).append(Entry("metric", text))
    for name, code in codes().items():
        rule = "_" not in name and name[1:].isdigit()
        metric = metrics.get(name.lower(), "")
        kind = "check" if rule else "metric" if metric else "finding"
        meaning = metric or f"{code.title}."
        if rule:
            meaning = f"{code.title}: {say(code.sentence, values=limits)}."
        remedy = "" if code.remedy.count("{") else code.remedy
        names = (name, name.lower()) if kind == "metric" else (name,)
        for each in names:
            entry = Entry(kind, meaning + EFFECTS[code.effect], code.source, remedy)
            found.setdefault(each, []).append(entry)
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        source = str(extra.get("source", "")) if isinstance(extra, dict) else ""
        own = "the kit's own convention" if source == "[K]" else source
        usual = {True: "yes", False: "no"}.get(field.default, field.default)
        text = f"{field.description} (default {usual})"
        found.setdefault(name, []).append(Entry("setting", text, own))
    for table in TABLES:
        for name in TABLES[table]:
            found.setdefault(name, []).append(Entry(f"column of {table}", _of_column(name, table)))
    for name, (kind, text) in _names()["words"].items():
        found.setdefault(name, []).append(Entry(kind, text))
    for name, text in _ended(_names()["columns"]).items():
        found.setdefault(name, []).append(Entry("column", text))
    for table in TABLES:
        found.setdefault(table, []).append(Entry("table", f"Columns: {', '.join(TABLES[table])}."))
    return {name: tuple(dict.fromkeys(items)) for name, items in found.items()}


IN_A_REPORT = (
    "check",
    "finding",
    "metric",
    "setting",
    "call",
    "subtype",
    "confidence",
    "rescue",
    "class",
)
"""Kinds that a report's glossary finds by their names; columns of tables are found by their
headings.
"""
_HEADING = re.compile(r'<th scope="col"[^>]* title="([^"]*)"[^>]*>([^<]*)</th>')
_METRIC = re.compile(r'<td[^>]* title="(\w+): ')


@cache
def _columns(table: str) -> dict[str, str]:
    return _ended({name: text for name, (_, text) in TABLES.get(table, {}).items()})


def _of_column(name: str, table: str) -> str:
    """What a column of the contract's `table` means; empty where it has none of that name."""
    return _columns(table).get(name, "")


def _ended(meanings: dict[str, str]) -> dict[str, str]:
    """The same with `upper end` alone said in full, as of the interval whose lower end is before."""
    found, before = {}, ""
    for name, text in meanings.items():
        found[name] = before.replace("lower end", "upper end") if text == "upper end" else text
        before = text
    return found


def meaning(name: object, table: str = "") -> str:
    """What a name means in one sentence, for a tooltip; empty where it is no name of the kit. Of a
    column of several tables, what it means in `table`.
    """
    own = _of_column(str(name), table)
    if own:
        return own
    found = entries().get(str(name), ())
    of_columns = [entry for entry in found if entry.kind.startswith("column")] if table else []
    return next((entry.meaning for entry in (*of_columns, *found)), "")


def used(html: str) -> list[tuple[str, str]]:
    """The glossary of a page: every check, finding, metric, setting, call and column that stands
    on it, with its meaning.
    """
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)
    words = {*re.findall(r"[A-Za-z][A-Za-z0-9_]*", text), *_METRIC.findall(html)}
    folded = f" {' '.join(text.split())} "
    pairs = [(unescape(head), unescape(tip)) for tip, head in set(_HEADING.findall(html))]
    for name, items in entries().items():
        shown = name.replace("_", " ")
        if name in words or ("_" in name and not name.isupper() and f" {shown} " in folded):
            fitting = [item for item in items if item.kind.startswith(IN_A_REPORT)]
            pairs += [(name, item.meaning) for item in fitting[:1]]
    return sorted(set(pairs))


def explain(name: str) -> str:
    """What a name means, in words; with a code of a check also the findings that it can make.
    Raises InputError with the nearest name when nothing is called so.
    """
    known = entries()
    folded = {each.casefold().replace(" ", "_").replace("-", "_"): each for each in reversed(known)}
    plain = name.casefold().replace(" ", "_").replace("-", "_")
    wanted = name if name in known else folded.get(plain)
    if wanted is None:
        remedy = did_you_mean(name, known, listing=False) or "`kit explain` lists every name."
        raise InputError(Problem("kit explain", "", f"'{name}' is no name of the kit", remedy))
    parts = [f"{wanted}\n  {entry}" for entry in known[wanted]]
    made = [each for each in known if each.startswith(f"{wanted}_") and wanted in codes()]
    if made:
        parts.append(
            "It can find:\n" + "\n".join(f"  {each}: {codes()[each].title}" for each in made)
        )
    return "\n".join(parts)


def overview() -> str:
    """Every name, by kind."""
    by_kind: dict[str, list[str]] = {}
    for name, items in entries().items():
        for item in items:
            kind = "column" if item.kind.startswith("column") else item.kind
            by_kind.setdefault(kind, []).append(name)
    return "\n".join(
        f"{kind}: {', '.join(dict.fromkeys(names))}" for kind, names in sorted(by_kind.items())
    )
