"""What people read in the place of the names that programs use: a medium's label, µM for uM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import pandas as pd

from kit.core.findings import number

MEDIUM_COLUMNS = ("medium", "reference", "dropout", "control", "contrast", "arm", "control_medium")
"""Columns of tables whose cells hold names of media."""

_UNITS = {"uM": "µM", "uL": "µL", "um": "µm", "ug": "µg"}
_UNIT = re.compile(r"(?<![\w`.-])(uM|uL|um|ug)(?![\w`-])")
_CODE = re.compile(r"(<code\b.*?</code>|<style\b.*?</style>|<[^>]*>)", re.DOTALL)
_MINUS = re.compile(r"(?<![\w.–-])-(?=\d)")
_NOTHING = re.compile(r"(?<![\w.–-])−(0(?:\.0+)?)(?!\.?\w)")
_POWER = re.compile(r"(?<![\w.])[-−]?\d(?:\.\d+)?e[+-]?\d+(?!\.?\w)")
_TINY_P = re.compile(r"\bp = \d(?:\.\d+)?e-\d\d")
_WORD = re.compile(r"[A-Za-z]+")


class Labels:
    """Writes texts with labels in the place of keys.

    `names` holds each key with its label. A key that is a plain word (`control`) stands for itself
    within a sentence, where it may be a word of the language; in a cell, an axis or a legend of
    its own it is a name.

    >>> labels = Labels({"no_asn": "−Asn", "full": "complete"})
    >>> labels.text("no_asn holds 3 uM, full holds 100 uM")
    '−Asn holds 3 µM, full holds 100 µM'
    >>> labels.name("full"), labels.name("no_asn - full")
    ('complete', '−Asn vs complete')
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.known = dict(names or {})
        self.names = {key: label for key, label in self.known.items() if key != label}

    def text(self, text: str) -> str:
        """A sentence with labels, µ, true minus signs and p values as people write them."""
        text = _UNIT.sub(lambda found: _UNITS[found[1]], self._replaced(self._in_text, text))
        text = _MINUS.sub("−", _TINY_P.sub("p < 0.0001", text))
        text = _POWER.sub(lambda found: number(float(found[0].replace("−", "-"))), text)
        return _NOTHING.sub(r"\1", text)

    def name(self, text: str) -> str:
        """A cell, a tick or an entry of a legend: a key, several with signs between, or text."""
        parts = re.split(r"(: | - |, )", text)
        media = [part in self.known for part in parts]
        for at, sign in enumerate(parts):
            if sign == " - " and media[at - 1] and media[at + 1]:
                parts[at] = " vs "
        return self.text("".join(self.known.get(part, part) for part in parts))

    def html(self, html: str) -> str:
        """HTML whose texts show labels; tags, styles and code stay as they are."""
        parts = _CODE.split(html)
        return "".join(part if part.startswith("<") else self.text(part) for part in parts)

    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table to show: names of media as labels."""
        shown = [name for name in MEDIUM_COLUMNS if name in frame and self.names]
        return frame.assign(
            **{
                name: frame[name].map(
                    lambda cell: self.name(cell) if isinstance(cell, str) else cell
                )
                for name in shown
            }
        )

    def _replaced(self, pattern: re.Pattern[str] | None, text: str) -> str:
        return pattern.sub(lambda found: self.names[found[0]], text) if pattern else text

    @cached_property
    def _in_text(self) -> re.Pattern[str] | None:
        """Finds the keys that are no plain words, the longest first."""
        keys = sorted((key for key in self.names if not _WORD.fullmatch(key)), key=len)
        either = "|".join(re.escape(key) for key in reversed(keys))
        return re.compile(rf"(?<![\w`/.-])(?:{either})(?![\w`/]|[.-]\w)") if keys else None
