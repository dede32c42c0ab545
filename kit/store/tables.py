"""Tables as CSV files: written exactly, harmless in a spreadsheet, and read back as they were."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from kit.core.columns import TABLES

_FORMULA = re.compile(r"^(?='*[=+\-@\t\r])")
_MARKED = re.compile(r"^'(?='*[=+\-@\t\r])")


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table: floats read back to the same number, a missing value is an empty cell.

    A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@`. Text that does gets an
    apostrophe in front, and `read_csv` takes it away; text that is a number stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_text(frame, ",").encode())


def tsv(frame: pd.DataFrame) -> str:
    """A table to paste into a spreadsheet, guarded as `write_csv` does."""
    return _text(frame, "\t")


def _text(frame: pd.DataFrame, separator: str) -> str:
    text = [str(name) for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    safe = frame.assign(**{name: frame[name].map(_guarded) for name in text})
    named = safe.rename(columns=_guarded)
    return str(named.to_csv(index=False, sep=separator, lineterminator="\n"))


def read_csv(path: Path) -> pd.DataFrame:
    """A table that `write_csv` wrote, its text as it was; columns of the contract that are text
    stay text.
    """
    contract = TABLES.get(path.stem, {})
    kinds = {name: str for name, (kind, _) in contract.items() if kind == "text"}
    frame = pd.read_csv(path, dtype=kinds, low_memory=False).rename(columns=_plain)
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return frame.assign(**{str(name): frame[name].map(_plain) for name in text})


def _guarded(value: object) -> object:
    return _FORMULA.sub("'", value) if isinstance(value, str) and not _number(value) else value


def _plain(value: object) -> object:
    return _MARKED.sub("", value) if isinstance(value, str) else value


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
