"""Everything an experiment says of ASNS and sensitivity, one row per line, and the correlations
over it and over the reference panel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from kit.asns.correlation import banner, comparisons, correlations
from kit.asns.lines import (
    GR_OUTCOME,
    IC50_OUTCOME,
    MRNA,
    MRNA_SCALE,
    PROTEIN,
    Panel,
    lines_table,
    mrna_by_line,
    nci60_panel,
    sensitivity_from_calls,
    sensitivity_from_dose_response,
    sensitivity_from_growth,
)
from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import TABLES, check, empty

OWN = "this experiment"
_FROM_BLOTS = {"log2_relative": PROTEIN, "n_replicates": "n_lysates"}
_NOT_PREDICTORS = {
    "se",
    "percent_of_reference",
    "ci_low_percent",
    "ci_high_percent",
    "class_probability",
    "n_lysates",
    "n_experiments",
}


def asns_lines(
    config: ExperimentConfig,
    *,
    blotted: pd.DataFrame | None = None,
    expression: pd.DataFrame | None = None,
    calls: pd.DataFrame | None = None,
    growth: pd.DataFrame | None = None,
    dose_response: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Table `asns_lines`: protein (log2 R, mean over lysates) with its class, mRNA and other
    predictors, and the measures of sensitivity.

    `blotted` is `Western.asns_lines`, `expression` is `Experiment.mrna`. Without calls the
    sensitivity comes from growth. Order: as in
    experiment.yaml, lines known from blots alone last.
    """
    parts = [
        None if blotted is None else blotted.rename(columns=_FROM_BLOTS),
        *_by_kind(expression),
        _sensitivity(config, calls, growth),
    ]
    if dose_response is not None and len(dose_response):
        parts.append(sensitivity_from_dose_response(dose_response, config.control_name))
    lines = lines_table(
        *parts, lineage={name: cells.lineage or "" for name, cells in config.cell_lines.items()}
    )
    place = {name: index for index, name in enumerate(config.cell_lines)}
    lines = lines.iloc[
        lines["cell_line"].map(lambda name: place.get(name, len(place))).argsort(kind="stable")
    ].reset_index(drop=True)
    for column, (kind, _) in TABLES["asns_lines"].items():
        if column not in lines:
            lines[column] = math.nan if kind == "number" else None
    return check(lines, "asns_lines")


def _by_kind(expression: pd.DataFrame | None) -> list[pd.DataFrame]:
    """One table per kind of expression value; its column carries the kind's name."""
    if expression is None:
        return []
    found = []
    for kind, rows in expression.groupby("kind", sort=False):
        own = mrna_by_line(rows)
        own = own if kind == MRNA else own.drop(columns=MRNA_SCALE, errors="ignore")
        found.append(
            own.rename(
                columns={
                    MRNA: f"{PROTEIN} (table)" if str(kind).casefold() == PROTEIN else str(kind)
                }
            )
        )
    return found


def _sensitivity(
    config: ExperimentConfig, calls: pd.DataFrame | None, growth: pd.DataFrame | None
) -> pd.DataFrame | None:
    if calls is not None and calls["amino_acid"].eq("asparagine").any():
        known = sensitivity_from_calls(calls)
        return known[known[GR_OUTCOME].notna()].drop_duplicates("cell_line")
    if growth is None or growth.empty:
        return None
    return sensitivity_from_growth(
        growth, config.dropouts("asparagine"), config.settings.proliferation_h
    )


def predictors(lines: pd.DataFrame) -> tuple[str, ...]:
    """Measures of ASNS in `lines`, protein first: every numeric column that is not an outcome nor
    tells how sure one is.
    """
    numbers = [
        str(column)
        for column in lines
        if pd.api.types.is_float_dtype(lines[column]) and lines[column].notna().any()
    ]
    kept = [
        column for column in numbers if column not in {*_NOT_PREDICTORS, GR_OUTCOME, IC50_OUTCOME}
    ]
    return tuple(sorted(kept, key=lambda name: (name != PROTEIN, name == MRNA)))


def mrna_only(lines: pd.DataFrame) -> str:
    """The warning where these lines have mRNA and no protein; else empty."""
    return banner(pd.DataFrame({"predictor": predictors(lines)}))


def sources(lines: pd.DataFrame, name: str = OWN) -> list[Panel]:
    """`lines` as one panel per measure of sensitivity that it holds."""
    outcomes = [
        outcome
        for outcome in (GR_OUTCOME, IC50_OUTCOME)
        if outcome in lines and lines[outcome].notna().any()
    ]
    return [Panel(name, lines, predictors(lines), outcome, {}) for outcome in outcomes]


def reference_panel() -> Panel:
    """NCI-60 without derived lines: the one panel that carries asparaginase sensitivity."""
    return nci60_panel()


def correlate(panels: Iterable[Panel], settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`asns_correlation` and `correlation_comparison` (every measure of protein against mRNA, with
    `source`) over several panels, the
    reference panel last."""
    found = [*(_correlate(panel, settings) for panel in panels), _reference(settings)]
    return _stack([table for table, _ in found], "asns_correlation"), _stack(
        [table for _, table in found], "correlation_comparison"
    )


@lru_cache(maxsize=4)
def _reference(settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    return _correlate(reference_panel(), settings)


def _correlate(one: Panel, settings: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs = (
        [(name, MRNA) for name in one.predictors if name.startswith(PROTEIN)]
        if MRNA in one.predictors
        else []
    )
    table = correlations(
        one.lines, one.predictors, [one.outcome], settings, source=one.name, caveats=one.caveats
    )
    return table, comparisons(one.lines, pairs, one.outcome, settings).assign(source=one.name)


def _stack(tables: Sequence[pd.DataFrame], name: str) -> pd.DataFrame:
    kept = [table for table in tables if len(table)]
    return check(pd.concat(kept, ignore_index=True), name) if kept else empty(name)
