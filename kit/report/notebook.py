"""What a report's notebook starts with: one call that gives the analysis and the page."""

from __future__ import annotations

import json

from kit.analysis import Analysis, analyse
from kit.experiment.load import load
from kit.report.exhibits import Exhibits


def open_notebook(experiment: str, out: str = "", settings: str = "") -> tuple[Analysis, Exhibits]:
    """The analysis of an experiment folder and the page that shows it.

    Parameters
    ----------
    experiment
        The experiment folder.
    out
        Where tables and figures go; empty writes nothing.
    settings
        Settings that differ from experiment.yaml, as JSON.

    Raises
    ------
    InputError
        With every problem of the folder.
    """
    analysis = analyse(load(experiment, json.loads(settings or "{}")))
    return analysis, Exhibits(out, analysis.experiment.config.simulated, analysis.marks)
