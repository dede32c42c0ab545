"""What a report's notebook starts with: one call that gives the analysis and the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.analysis import Analysis, analyse
from kit.core.errors import InputError, Problem
from kit.experiment.load import load
from kit.report.exhibits import Exhibits

_given: Analysis | None = None


def give(analysis: Analysis) -> None:
    """In the process of a notebook that a run has forked: what that run has analysed already."""
    global _given
    _given = analysis


def open_notebook(
    experiment: str, out: str = "", settings: str | Mapping[str, Any] = ""
) -> tuple[Analysis, Exhibits]:
    """The analysis of an experiment folder and the page that shows it.

    Parameters
    ----------
    experiment
        The experiment folder.
    out
        Where tables and figures go; empty writes nothing.
    settings
        Settings that differ from experiment.yaml: JSON, or a mapping.

    Raises
    ------
    InputError
        With every problem of the folder, or of the parameters.
    """
    overrides, analysis = _overrides(settings), _given
    if analysis is None or not _same(analysis, str(experiment), overrides):
        analysis = analyse(load(str(experiment), overrides))
    written = analysis.tables if analysis is _given else ()
    simulated = analysis.experiment.config.simulated
    page = Exhibits(str(out or ""), simulated, analysis.marks, written, analysis.labels)
    return analysis, page


def _same(analysis: Analysis, experiment: str, overrides: Mapping[str, Any]) -> bool:
    """Whether an analysis is of that folder with these settings."""
    own = analysis.experiment
    return Path(experiment).resolve() == own.folder and overrides == dict(own.overrides)


def _overrides(settings: str | Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(settings or "{}") if isinstance(settings, str) else settings
        return dict(found)
    except (TypeError, ValueError):
        what = f"'{settings}' is not a list of settings"
        remedy = """Write JSON, for example '{"min_z_prime": 0.4}'."""
        raise InputError(Problem("settings", "", what, remedy)) from None
