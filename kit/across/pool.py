"""Lines of several experiments: what the finished reports beside this one add to it. Reads the
reports folder and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from kit.analysis import Analysis
from kit.asns.lines import Panel, mrna_scales, pool
from kit.asns.study import correlate, predictors, reference_panel, sources
from kit.store import other_reports

ALL = "all experiments"


@dataclass(frozen=True)
class Study:
    """What notebook 03 rests on: the analysis, its own lines, the lines pooled with other reports
    (None where there are none), and NCI-60.
    """

    analysis: Analysis
    lines: pd.DataFrame
    pooled: pd.DataFrame | None
    others: tuple[str, ...]
    note: str

    @cached_property
    def own(self) -> list[Panel]:
        """This experiment's lines, one panel per measure of sensitivity; none where ASNS was not
        measured.
        """
        return sources(self.lines) if predictors(self.lines) else []

    @cached_property
    def together(self) -> list[Panel]:
        """The pooled lines, in the same way."""
        return (
            [] if self.pooled is None or not predictors(self.pooled) else sources(self.pooled, ALL)
        )

    @cached_property
    def panel(self) -> Panel:
        """NCI-60, without derived lines."""
        return reference_panel()

    @cached_property
    def correlation(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`asns_correlation` and `correlation_comparison` of this experiment and of the panel."""
        a = self.analysis
        if a.asns_correlation is not None and a.correlation_comparison is not None:
            return a.asns_correlation, a.correlation_comparison
        return correlate(self.own, a.experiment.settings)

    @cached_property
    def pooled_correlation(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The same of the pooled lines alone."""
        found = correlate(self.together, self.analysis.experiment.settings)
        return found[0][found[0]["source"].eq(ALL)], found[1][found[1]["source"].eq(ALL)]

    @cached_property
    def everything(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`correlation` and `pooled_correlation` under one another."""
        own, all_ = self.correlation, self.pooled_correlation
        return pd.concat([own[0], all_[0]], ignore_index=True), pd.concat(
            [own[1], all_[1]], ignore_index=True
        )

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The analysis' tables, with the panel's correlations also where the experiment has none of
        its own.
        """
        made = dict(
            zip(("asns_correlation", "correlation_comparison"), self.correlation, strict=True)
        )
        return {**made, **self.analysis.tables}


def study(analysis: Analysis, out: str | Path = "") -> Study:
    """`analysis` beside the reports that lie in the folder of `out` (empty: none are looked
    for).
    """
    lines = (
        analysis.asns_lines
        if analysis.asns_lines is not None
        else pd.DataFrame({"cell_line": [], "line_key": [], "lineage": []})
    )
    if not out:
        return Study(
            analysis,
            lines,
            None,
            (),
            "No reports folder was given, so other experiments were not looked for.",
        )
    siblings = other_reports.of_report(Path(out))
    if siblings.problem:
        told = f"Other reports could not be read: {siblings.problem}"
        return Study(analysis, lines, None, (), told)
    others = siblings.beside(analysis.experiment.id, analysis.experiment.config.simulated)
    if not others:
        kind = "simulated" if analysis.experiment.config.simulated else "real"
        return Study(
            analysis,
            lines,
            None,
            (),
            f"The reports folder holds no other {kind} experiment with ASNS or sensitivity without"
            " asparagine.",
        )
    named = {
        name: table
        for name, table in {analysis.experiment.id: lines, **others}.items()
        if len(table)
    }
    note = f"Pooled with the other reports of this folder: {', '.join(others)}."
    return Study(analysis, lines, pool(named.values(), ALL), tuple(others), note + _left_out(named))


def _left_out(named: Mapping[str, pd.DataFrame]) -> str:
    """Whose mRNA the pool does not hold, and why."""
    names, (kept, left) = list(named), mrna_scales(list(named.values()))
    if not left:
        return ""
    parts = ", ".join(f"{names[index]} ({scale})" for index, scale in left.items())
    return (
        f" mRNA of {parts} is left out of the pool: its unit or calibrator is not that of"
        f" {', '.join(names[index] for index in sorted(kept))}."
    )
