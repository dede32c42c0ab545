"""Judgements as data: a check says what it found by a code, and the words come last.

`codes.toml` beside this module gives every code its sentence, its remedy, what it does to a call
and its source. Nothing in the kit decides by reading a sentence.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pandas as pd

VERDICTS = ("pass", "info", "warn", "fail")
"""From best to worst: the one order of verdicts."""

EFFECTS = ("remark", "cap", "mask", "void")
"""What a finding does to a call: nothing; at most provisional; no partial or prototrophic call;
no call at all."""


@dataclass(frozen=True)
class Code:
    """One kind of finding: its words, what it does to a call, and where the rule comes from."""

    title: str
    sentence: str
    """Names the values in braces: `{subject}: {count} wells are saturated.`"""
    note: str = ""
    """The note of a metric's row, which the sentence repeats where it needs it."""
    remedy: str = ""
    effect: str = "remark"
    source: str = ""


@cache
def codes() -> dict[str, Code]:
    """Every code with its words, in the order of the file."""
    text = (Path(__file__).parent / "codes.toml").read_text(encoding="utf-8")
    return {name: Code(**entry) for name, entry in tomllib.loads(text).items()}


def title(name: str) -> str:
    """The short name of a code, a check or a metric as people read it; `name` where it has none."""
    entry = codes().get(name.upper())
    return entry.title if entry else name


@dataclass(frozen=True)
class Finding:
    """One judged fact: `code` names it, `severity` is info, warn or fail, `subject` says whom it
    concerns, `values` fill the sentence.
    """

    code: str
    severity: str
    subject: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    """The sentence, where rows of a table that share one have filled it already."""
    advised: str = ""

    @property
    def phrase(self) -> str:
        """What was found, in words; without a full stop it follows its subject."""
        return say(codes()[self.code].sentence, self.subject, self.values)

    @property
    def sentence(self) -> str:
        """What was found, as a sentence of its own."""
        text = self.said or self.phrase
        if text[-1:] != ".":
            text = f"{self.subject}: {text}." if self.subject else f"{text}."
        return text[:1].upper() + text[1:]

    @property
    def remedy(self) -> str:
        """What to do about it; empty where there is nothing to do."""
        return self.advised or say(codes()[self.code].remedy, self.subject, self.values)

    @property
    def effect(self) -> str:
        """What it does to a call, one of EFFECTS."""
        return codes()[self.code].effect


def say(template: str, subject: str = "", values: Mapping[str, Any] | None = None) -> str:
    """Fill a sentence. Numbers take three significant digits, several names become `A, B and C`."""
    return _Words().vformat(template, (), {"subject": subject, **(values or {})})


class _Words(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            return format(value, format_spec)
        if isinstance(value, float):
            return number(value)
        if isinstance(value, (list, tuple)):
            return listing(value)
        return str(value)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """A number as people write it: `digits` significant digits at most, a true minus sign, a power
    of ten only below 0.0001 and from a billion, a dash where it is missing.

    >>> number(4751234.0), number(-0.12345), number(3e-05), number(0.0)
    ('4,750,000', '−0.123', '3 × 10⁻⁵', '0')
    """
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e9:
        text = f"{float(text):,.0f}" if abs(value) >= 1e4 else f"{value:.0f}"
    elif "e" in text:
        base, _, power = text.partition("e")
        text = f"{base} × 10{str(int(power)).translate(_RAISED)}"
        return text.replace("-", "−", 1) if value < 0 else text
    return "0" if float(text.replace(",", "")) == 0 else text.replace("-", "−", 1)


def probability(p: float) -> str:
    """A p value as people write it: two significant digits, never 0.

    >>> probability(0.0336), probability(0.19), probability(2e-7)
    ('0.034', '0.19', '< 0.0001')
    """
    if p < 1e-4:
        return "< 0.0001"
    return f"{p:.4f}" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def p_text(p: float) -> str:
    """`p = 0.034`, or `p < 0.0001`."""
    said = probability(p)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def listing(names: Iterable[Any], at_most: int = 6) -> str:
    """`A`, `A and B`, `A, B and C`, or `A, B and 4 more`."""
    texts = [number(name) if isinstance(name, float) else str(name) for name in names]
    if len(texts) > at_most:
        texts = [*texts[: at_most - 1], f"{len(texts) - at_most + 1} more"]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def band(good: bool, bad: bool) -> str:
    """`pass` when good, `fail` when bad, `warn` between."""
    return "fail" if bad else "pass" if good else "warn"


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts; pass where there is none, or where all only inform."""
    found = max(verdicts, key=VERDICTS.index, default="pass")
    return "pass" if found == "info" else found


@dataclass(frozen=True)
class Summary:
    """The experiment's verdict with its reasons (worst first) and the next actions, all as
    sentences; `codes` names the findings behind the reasons, in the same order.
    """

    verdict: str
    reasons: tuple[str, ...]
    next_actions: tuple[str, ...]
    codes: tuple[str, ...] = ()


def summarise(findings: Sequence[Finding], all_good: str) -> Summary:
    """Worst severity first; `all_good` is the reason of a pass."""
    told = [item for item in findings if item.severity in ("warn", "fail")]
    ordered = sorted(told, key=lambda item: item.severity != "fail")
    reasons = {item.sentence: item.code for item in reversed(ordered)}
    return Summary(
        worst(item.severity for item in ordered),
        tuple(reversed(reasons)) or (all_good,),
        tuple(dict.fromkeys(item.remedy for item in ordered if item.remedy)),
        tuple(reversed(reasons.values())),
    )


def as_row(finding: Finding, check: str, severity: str) -> dict[str, str]:
    """A finding as a row of a table of checks (`compliance`, `western_qc`): `check` is the code of
    the rule, `severity` the worst it can say. The rule takes its limits from the finding's values.
    """
    amiss = finding.severity != "pass"
    return {
        "check": check,
        "subject": finding.subject,
        "value": finding.phrase,
        "rule": say(codes()[check].sentence, values=finding.values),
        "severity": severity,
        "verdict": finding.severity,
        "advice": finding.remedy if amiss else "",
        "code": finding.code,
    }


def of_rows(rows: pd.DataFrame, remedy: str, title: str = "") -> Finding:
    """One finding for rows of one check: subjects of one value share it, two values at most are
    spelt out, and the worst comes first.
    """
    groups = [
        f"{listing(dict.fromkeys(group['subject']), 4)}: {value}"
        for value, group in rows.groupby("value", sort=False)
    ]
    more = f"; and {len(groups) - 2} more" if len(groups) > 2 else ""
    first, text = rows.iloc[0], title + "; ".join(groups[:2]) + more
    said = f"{text[:1].upper()}{text[1:]} ({first['check']})."
    return Finding(first["code"], first["verdict"], said=said, advised=remedy)


def judged(found: Sequence[Finding]) -> dict[str, str]:
    """Several findings on one row of a table as its `verdict`, `note` and `code`."""
    return {
        "verdict": worst(item.severity for item in found),
        "note": "; ".join(item.phrase for item in found),
        "code": " ".join(item.code for item in found),
    }


def has_code(column: pd.Series, code: str) -> pd.Series:
    """Whether each row's codes (several stand with a space between) hold this one."""
    return column.map(lambda codes: code in str(codes).split()).astype(bool)


def some(names: list[str], first: str | None = None) -> str:
    """`A`, `A and B`, or `A and 4 more`, the worst first."""
    ordered = [first, *[name for name in names if name != first]] if first in names else names
    if len(ordered) <= 2:
        return " and ".join(str(name) for name in ordered)
    return f"{ordered[0]} and {len(ordered) - 1} more"
