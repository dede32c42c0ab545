"""Every name of the kit in plain words: checks and findings, metrics, settings, table columns, calls
and statuses. `kit explain` prints them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

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
WORDS = {
    "auxotrophic": ("call", "The line does not grow without this amino acid."),
    "dependent": ("call", "The line does not grow without this amino acid, which human cells make."),
    "partially_dependent": ("call", "The line grows less without this amino acid, or more cells die."),
    "prototrophic": ("call", "The line grows without this amino acid."),
    "inconclusive": ("call", "The data do not allow a call; `reasons` says why."),
    "cytotoxic": ("subtype of a call", "Without the amino acid many cells die."),
    "cytostatic": ("subtype of a call", "Without the amino acid cells stop and few die."),
    "slowed": ("subtype of a call", "The line grows without the amino acid, but more slowly."),
    "death_not_assessed": ("subtype of a call", "No usable sample of Annexin V and PI."),
    "confident": ("confidence of a call", "Probability, replicates, rescue and protocol allow it."),
    "provisional": ("confidence of a call", "The class is likely, but something limits it."),
    "none": ("confidence of a call", "Too few replicates, or no call."),
    "full": ("rescue class", "Better than the dropout, and equivalent to control."),
    "likely_full": ("rescue class", "Better than the dropout; equivalence is not shown."),
    "partial": ("rescue class", "Better than the dropout, but only part of the loss comes back."),
    "failed": ("rescue class, or status of a report", "The rescue restores nothing; the report was not made."),
    "indeterminate": ("rescue class", "The data cannot tell, or there are too few replicates."),
    "not_applicable": ("rescue class", "There is no loss to restore, or no dropout to compare with."),
    "reversible": ("class of a time course, and rescue", "Growth stops without the amino acid and returns after the add-back."),
    "partly_reversible": ("class of a time course", "Growth returns after the add-back, but slower than control."),
    "irreversible": ("class of a time course", "Growth does not return after the add-back."),
    "no_effect": ("class of a time course", "No onset was found, and the line grows as control does."),
    "synergistic": ("class of an interaction", "The two losses cost more together than their sum."),
    "antagonistic": ("class of an interaction", "The two losses cost less together than their sum."),
    "additive": ("class of an interaction", "The two losses add up, within the margin of equivalence."),
    "pass": ("verdict", "The limit is kept."),
    "info": ("verdict", "Noted; it limits nothing."),
    "warn": ("verdict", "Between the limits, or something required is missing."),
    "fail": ("verdict", "Beyond the limit."),
    "ok": ("status", "The report was made, or the curve was fitted."),
}  # fmt: skip


@cache
def entries() -> dict[str, tuple[Entry, ...]]:
    """Name -> what it stands for; a name may be a column of several tables or a setting too."""
    found: dict[str, list[Entry]] = {}
    limits = Settings().model_dump()
    for name, code in codes().items():
        rule = "_" not in name and name[1:].isdigit()
        kind = "check" if rule else "metric" if name.lower() in METRICS else "finding"
        meaning = f"{code.title}: {say(code.sentence, values=limits)}" if rule else f"{code.title}."
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
    for table, columns in TABLES.items():
        for name, (_, meaning) in columns.items():
            found.setdefault(name, []).append(Entry(f"column of {table}", meaning))
    for name, (kind, text) in WORDS.items():
        found.setdefault(name, []).append(Entry(kind, text))
    return {name: tuple(dict.fromkeys(items)) for name, items in found.items()}


METRICS = frozenset(
    [
        "z_prime",
        "robust_z_prime",
        "ssmd",
        "signal_to_background",
        "signal_to_noise",
        "cv_control_percent",
        "cv_group_percent",
        "sd_group_points",
        "cv_blank_percent",
        "blank_disagreement_percent",
        "media_without_blank",
        "edge_effect_percent",
        "row_drift_percent",
        "column_drift_percent",
        "missing_wells_percent",
        "saturated_control_wells",
        "volume_loss_percent",
        "linearity_slope",
        "linearity_r2",
    ]
)
"""Metrics of `plate_qc`; the code of each is its name in capitals."""


IN_A_REPORT = ("check", "metric", "setting", "call", "subtype", "confidence", "rescue", "class")
"""Kinds that a report's glossary holds; columns of tables explain themselves by a tooltip."""


def meaning(name: object, table: str = "") -> str:
    """What a name means in one sentence, for a tooltip; empty where it is no name of the kit. Of a
    column of several tables, what it means in `table`.
    """
    own = TABLES.get(table, {}).get(str(name))
    if own:
        return own[1]
    found = entries().get(str(name), ())
    return found[0].meaning if found else ""


def used(html: str) -> list[tuple[str, str]]:
    """The glossary of a page: every check, metric, setting and call that stands on it, with its
    meaning.
    """
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z][A-Za-z0-9_]*", text))
    folded = f" {' '.join(text.split())} "
    pairs = []
    for name, items in entries().items():
        shown = name.replace("_", " ")
        if name in words or ("_" in name and not name.isupper() and f" {shown} " in folded):
            pairs += [(name, item) for item in items if item.kind.startswith(IN_A_REPORT)][:1]
    return [(name, item.meaning) for name, item in sorted(pairs)]


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
