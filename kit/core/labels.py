"""What people read in the place of the names that programs use: a medium's label, µM for uM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import pandas as pd

MEDIUM_COLUMNS = ("medium", "reference", "dropout", "control", "contrast", "arm", "control_medium")
"""Columns of tables whose cells hold names of media."""

_UNITS = {"uM": "µM", "uL": "µL", "um": "µm", "ug": "µg"}
_UNIT = re.compile(r"(?<![\w`.-])(uM|uL|um|ug)(?![\w`-])")
_CODE = re.compile(r"(<code\b.*?</code>|<style\b.*?</style>|<[^>]*>)", re.DOTALL)
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
    ('complete', '−Asn - complete')
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.names = {key: label for key, label in (names or {}).items() if key != label}

    def text(self, text: str) -> str:
        """A sentence with labels and µ."""
        return _UNIT.sub(lambda found: _UNITS[found[1]], self._replaced(self._in_text, text))

    def name(self, text: str) -> str:
        """A cell, a tick or an entry of a legend: a key, several with signs between, or text."""
        if text in self.names:
            return self.names[text]
        parts = re.split(r"( - | vs |, | / )", text)
        if len(parts) > 1 and all(part in self.names for part in parts[::2] if part != "complete"):
            return "".join(self.names.get(part, part) for part in parts)
        return self.text(text)

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
