"""What a report's process has read and analysed, held for the notebooks it is about to fork: each
asks for the same experiment again.

Only `kit.batch.job` fills it. What is held is handed out once, and only to who would get the same
by reading and computing anew: the folder, the
overrides and the SHA-256 of every input file have to agree, and the tables must not have been
changed between `load` and `analyse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from kit.experiment.inputs import unchanged


@dataclass
class _Held:
    experiment: Any
    analysis: Any
    tables: dict[str, pd.DataFrame]
    """The experiment's tables as they were read."""
    handed_out: bool = False


_held: _Held | None = None


def hold(analysis: Any) -> None:
    """Keep an Analysis and its Experiment for the first who loads that experiment."""
    global _held
    _held = _Held(
        analysis.experiment,
        analysis,
        {name: table.copy() for name, table in _tables(analysis.experiment).items()},
    )


def release() -> None:
    """Forget what is held."""
    global _held
    _held = None


def experiment(folder: Path, overrides: Mapping[str, Any]) -> Any | None:
    """The held Experiment if it is the one in `folder` with these overrides, none of its files has
    changed, and nobody has it yet.
    """
    if _held is None or _held.handed_out:
        return None
    found = _held.experiment
    if folder.resolve() != found.folder or dict(overrides) != dict(found.overrides):
        return None
    try:
        same = unchanged(folder, {item.path: item.sha256 for item in found.inputs})
    except OSError:
        return None  # reading it anew says what is wrong
    _held.handed_out = same
    return found if same else None


def analysis(experiment: Any) -> Any | None:
    """The held Analysis if it is of this very object and its tables are as they were read; at most
    once.
    """
    if _held is None or experiment is not _held.experiment:
        return None
    now, held = _tables(experiment), _held
    release()
    return (
        held.analysis
        if all(now[name].equals(table) for name, table in held.tables.items())
        else None
    )


def _tables(experiment: Any) -> dict[str, pd.DataFrame]:
    values = {item.name: getattr(experiment, item.name) for item in fields(experiment)}
    return {name: value for name, value in values.items() if isinstance(value, pd.DataFrame)}
