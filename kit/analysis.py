"""experiment -> every table: the one place where the order of steps stands. Notebooks, scripts and the workbench all call this."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from kit import growth as growing
from kit import quality, verdict
from kit import apoptosis as dying
from kit.calls import calls
from kit.carryover import carryover
from kit.columns import TABLES, check
from kit.effects import effects
from kit.experiment import Experiment
from kit.reference import priors
from kit.protocol import compliance, protocol_findings
from kit.rescue import rescue
from kit.verdict import Summary


@dataclass(frozen=True)
class Analysis:
    """Every table that the data allow, as a DataFrame; None where they do not. See `kit.columns` for what a table holds."""

    experiment: Experiment
    wells: pd.DataFrame | None = None
    plate_qc: pd.DataFrame | None = None
    plate_verdicts: pd.DataFrame | None = None
    compliance: pd.DataFrame | None = None
    carryover: pd.DataFrame | None = None
    growth: pd.DataFrame | None = None
    readout_agreement: pd.DataFrame | None = None
    effects: pd.DataFrame | None = None
    rescue: pd.DataFrame | None = None
    apoptosis: pd.DataFrame | None = None
    apoptosis_effects: pd.DataFrame | None = None
    calls: pd.DataFrame | None = None
    asns_protein: pd.DataFrame | None = None
    asns_correlation: pd.DataFrame | None = None
    correlation_comparison: pd.DataFrame | None = None
    dose_response: pd.DataFrame | None = None
    findings: tuple[verdict.Finding, ...] = field(default=())

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The contract's tables that exist, by name, in the contract's order."""
        return {name: table for name in TABLES if (table := getattr(self, name)) is not None}

    @property
    def exploratory(self) -> bool:
        """Some line has fewer biological replicates than a test needs."""
        if self.growth is None or self.growth.empty:
            return False
        return bool(self.growth.groupby("cell_line")["replicate"].nunique().min() < self.experiment.settings.min_replicates)

    @property
    def marks(self) -> tuple[str, ...]:
        """What every figure has to say of itself."""
        return ("EXPLORATORY: fewer than the biological replicates a test needs",) if self.exploratory else ()

    @cached_property
    def summary(self) -> Summary:
        """Verdict, reasons and next actions."""
        plates = 0 if self.plate_verdicts is None else len(self.plate_verdicts)
        return verdict.summarise(list(self.findings), f"All {plates} plates pass quality control.")


def analyse(experiment: Experiment) -> Analysis:
    """Run every step the data allow. Pure: reads nothing, writes nothing, and gives the same numbers each time."""
    config, settings = experiment.config, experiment.settings
    steps: dict[str, pd.DataFrame] = {}
    if len(experiment.wells):
        steps |= _plates(experiment)
    if experiment.flow is not None:
        steps["apoptosis"] = dying.apoptosis(experiment.flow, config.media, settings)
        steps["apoptosis_effects"] = dying.apoptosis_effects(steps["apoptosis"], config.media, settings)
    if "growth" in steps:
        steps["carryover"] = carryover(config, steps["growth"])
    steps["compliance"] = compliance(config, steps.get("wells"), steps.get("growth"), steps.get("carryover"), priors())
    if "growth" in steps:
        evidence = (steps.get(name) for name in ("apoptosis", "rescue", "carryover", "compliance"))
        steps["calls"] = calls(config, steps["growth"], *evidence, priors=priors())
    findings = _findings(experiment, steps)
    return Analysis(experiment, **steps, findings=findings)


def _plates(experiment: Experiment) -> dict[str, pd.DataFrame]:
    config, settings = experiment.config, experiment.settings
    wells = quality.prepare(experiment.wells, experiment.exclusions, settings)
    qc = quality.plate_qc(wells, config)
    verdicts = quality.plate_verdicts(qc)
    growth = growing.growth(wells, config, verdicts)
    steps = {"wells": wells, "plate_qc": qc, "plate_verdicts": verdicts, "growth": growth}
    steps["readout_agreement"] = growing.readout_agreement(growth, settings.max_readout_disagreement_gr)
    if len(growth):
        steps["effects"] = check(effects(growth, config.media, settings, hours=settings.proliferation_h), "effects")
        steps["rescue"] = check(rescue(growth, config.media, settings, hours=settings.proliferation_h), "rescue")
    return steps


def _findings(experiment: Experiment, steps: dict[str, pd.DataFrame]) -> tuple[verdict.Finding, ...]:
    """What the first screen says, worst first within each kind."""
    found = protocol_findings(steps["compliance"], steps.get("carryover"), experiment.config)
    if "plate_qc" in steps:
        found += verdict.quality_findings(steps["plate_qc"])
        found += verdict.growth_findings(steps["growth"])
        found += verdict.design_findings(experiment.config)
    return tuple(found)
