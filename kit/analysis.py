"""experiment -> every table: the one place where the order of steps stands. Notebooks, scripts and
the workbench all call this.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from kit.asns import study
from kit.asns.findings import class_findings, correlation_findings, western_findings
from kit.calls.calls import call_evidence, calls
from kit.calls.evidence import Evidence
from kit.config.labels import labels_of
from kit.core import findings as verdict
from kit.core.columns import TABLES, check, empty
from kit.core.errors import InputError, Problem
from kit.core.findings import Summary
from kit.core.labels import Labels
from kit.core.reference import priors
from kit.dose.curves import dose_response
from kit.dose.points import dose_points
from kit.dose.shifts import curve_shifts, enzyme_split
from kit.dose.titration import titration, with_measured_need
from kit.effects.effects import effects
from kit.effects.interactions import interactions
from kit.effects.rescue import rescue
from kit.exchange.exchange import exchange, exchange_findings
from kit.exchange.reading import UptakeData
from kit.exchange.uptake import uptake_rates
from kit.experiment import exclusions
from kit.experiment.load import Experiment
from kit.flow import apoptosis as dying
from kit.flow.findings import flow_findings
from kit.plates import growth as growing
from kit.plates import quality
from kit.plates.findings import growth_findings, quality_findings
from kit.plates.mixups import mixup_findings
from kit.plates.readouts import readout_agreement, readout_findings
from kit.protocol import compliance, protocol_findings
from kit.protocol.carryover import carryover
from kit.protocol.findings import design_findings
from kit.protocol.ledger import exhaustion, medium_ledger, runs_out_findings
from kit.signaling import study as signaling_study
from kit.timecourse.tables import time_courses, timecourse_findings
from kit.western import quantify

DEATH = ("apoptosis", "apoptosis_effects")
SIGNALING = (
    "signaling_ratios", "mtorc1_validity", "mtorc1_activation", "mtorc1_divergence",
    "mtorc1_sensitivity",
)  # fmt: skip


@dataclass(frozen=True)
class Analysis:
    """Every table that the data allow, as a DataFrame; None where they do not. See
    `kit.core.columns` for what a table holds.
    """

    experiment: Experiment
    wells: pd.DataFrame | None = None
    plate_qc: pd.DataFrame | None = None
    plate_verdicts: pd.DataFrame | None = None
    compliance: pd.DataFrame | None = None
    carryover: pd.DataFrame | None = None
    medium_ledger: pd.DataFrame | None = None
    exhaustion: pd.DataFrame | None = None
    uptake_rates: pd.DataFrame | None = None
    exchange: pd.DataFrame | None = None
    uptake_samples: pd.DataFrame | None = None
    lcms_qc: pd.DataFrame | None = None
    growth: pd.DataFrame | None = None
    readout_agreement: pd.DataFrame | None = None
    effects: pd.DataFrame | None = None
    rescue: pd.DataFrame | None = None
    apoptosis: pd.DataFrame | None = None
    apoptosis_effects: pd.DataFrame | None = None
    calls: pd.DataFrame | None = None
    asns_protein: pd.DataFrame | None = None
    asns_lines: pd.DataFrame | None = None
    asns_induction: pd.DataFrame | None = None
    western_qc: pd.DataFrame | None = None
    asns_correlation: pd.DataFrame | None = None
    correlation_comparison: pd.DataFrame | None = None
    dose_points: pd.DataFrame | None = None
    dose_response: pd.DataFrame | None = None
    curve_shifts: pd.DataFrame | None = None
    enzyme_split: pd.DataFrame | None = None
    titration: pd.DataFrame | None = None
    timecourse: pd.DataFrame | None = None
    growth_rates: pd.DataFrame | None = None
    onset: pd.DataFrame | None = None
    interaction: pd.DataFrame | None = None
    signaling_ratios: pd.DataFrame | None = None
    mtorc1_validity: pd.DataFrame | None = None
    mtorc1_activation: pd.DataFrame | None = None
    mtorc1_divergence: pd.DataFrame | None = None
    mtorc1_sensitivity: pd.DataFrame | None = None
    findings: tuple[verdict.Finding, ...] = field(default=())
    western: quantify.Western | None = None
    signaling: signaling_study.Signaling | None = None

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The contract's tables that exist, by name, in the contract's order."""
        return {name: table for name in TABLES if (table := getattr(self, name)) is not None}

    @property
    def exploratory(self) -> bool:
        """Some line has fewer biological replicates than a test needs."""
        few = self.experiment.settings.min_replicates
        if self.signaling is not None and len(self.signaling.model.experiments) < few:
            return True
        if self.growth is None or self.growth.empty:
            return False
        return bool(
            self.growth.groupby("cell_line")["replicate"].nunique().min()
            < self.experiment.settings.min_replicates
        )

    @property
    def marks(self) -> tuple[str, ...]:
        """What every figure has to say of itself."""
        return (
            ("EXPLORATORY: fewer than the biological replicates a test needs",)
            if self.exploratory
            else ()
        )

    @cached_property
    def evidence(self) -> list[Evidence]:
        """What each call rests on, in the order of `calls`."""
        if self.growth is None or self.calls is None:
            return []
        return call_evidence(
            self.experiment.config,
            self.growth,
            self.apoptosis,
            self.rescue,
            self.carryover,
            self.compliance,
            self.onset,
        )

    @cached_property
    def labels(self) -> Labels:
        """What people read in the place of the media's names."""
        return labels_of(self.experiment.config)

    @cached_property
    def summary(self) -> Summary:
        """Verdict, reasons and next actions, in the words that people read."""
        plates = 0 if self.plate_verdicts is None else len(self.plate_verdicts)
        good = [f"All {plates} plates pass quality control."] if plates else []
        good += ["The blots keep every rule."] if self.western_qc is not None else []
        if self.uptake_rates is not None and self.uptake_rates["gate"].eq("pass").all():
            good.append("Every rate of uptake passes its gates.")
        good += ["The mTORC1 assay keeps every rule."] if self.signaling is not None else []
        found = verdict.summarise(
            list(self.findings), " ".join(good) or "Nothing was measured that has quality limits."
        )
        return replace(
            found,
            reasons=tuple(map(self.labels.text, found.reasons)),
            next_actions=tuple(map(self.labels.text, found.next_actions)),
        )


def analyse(experiment: Experiment, previous: Analysis | None = None) -> Analysis:
    """Run every step the data allow. Pure: reads nothing, writes nothing, and gives the same
    numbers each time.

    `previous` is an earlier analysis of the same experiment: steps whose input has not changed
    since are taken from it, so that a well
    left out in the workbench shows at once. The numbers are the same with it and without it.
    """
    if not isinstance(experiment, Experiment):
        what = f"{experiment!r} is not an experiment that was loaded"
        remedy = "Write kit.analyse(kit.load(FOLDER))."
        raise InputError(Problem("kit.analyse", "", what, remedy))
    config = experiment.config
    previous = _comparable(experiment, previous)
    steps: dict[str, pd.DataFrame] = {}
    if len(experiment.wells):
        steps |= _plates(experiment, previous)
    steps |= _flow(experiment, previous)
    if experiment.timecourse is not None:
        steps |= time_courses(experiment.timecourse, config, experiment.exclusions)._asdict()
    if "growth" in steps:
        steps["carryover"] = carryover(config, steps["growth"])
        steps |= _doses(experiment, steps)
        if "titration" in steps:
            assumed = experiment.settings.growth_sustaining_low_uM
            steps["carryover"] = with_measured_need(steps["carryover"], steps["titration"], assumed)
    if experiment.uptake is not None:
        steps |= _uptake(experiment, experiment.uptake)
    if config.media:
        steps["medium_ledger"] = medium_ledger(config)
        steps["exhaustion"] = exhaustion(config, steps.get("growth"), steps.get("uptake_rates"))
    steps["compliance"] = compliance(
        config, steps.get("wells"), steps.get("growth"), steps.get("carryover"), priors()
    )
    if "growth" in steps:
        death, rescued, carried = (steps.get(name) for name in ("apoptosis", "rescue", "carryover"))
        steps["calls"] = calls(
            config,
            steps["growth"],
            death,
            rescued,
            carried,
            steps["compliance"],
            priors(),
            steps.get("onset"),
        )
    blotted = _blots(experiment, previous)
    steps |= _asns(experiment, steps, blotted)
    signalled = _signaling(experiment, previous)
    if signalled is not None:
        steps |= {name: check(getattr(signalled, name), name) for name in SIGNALING}
    findings = _findings(experiment, steps)
    findings += signalled.findings if signalled is not None else ()
    return Analysis(experiment, **steps, findings=findings, western=blotted, signaling=signalled)


def _signaling(
    experiment: Experiment, previous: Analysis | None
) -> signaling_study.Signaling | None:
    """mTORC1 divergence, where signalling blots are listed."""
    if experiment.signaling is None:
        return None
    if previous is not None and previous.experiment.signaling is experiment.signaling:
        return previous.signaling
    return signaling_study.analyse_signaling(
        experiment.signaling, experiment.settings, rag_loss(experiment)
    )


def _doses(experiment: Experiment, steps: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Points and curves of agents given in doses; a nutrient's dose has the carry-over in it."""
    grown, carried = steps["growth"], steps["carryover"]
    if not grown["concentration"].gt(0).any():
        return {}
    keys = zip(carried["cell_line"], carried["medium"], carried["amino_acid"], strict=True)
    residual = dict(zip(keys, carried["residual_uM"], strict=True))
    single = growing.per_well(steps["wells"], grown)
    points = dose_points(grown, single, experiment.config, residual)
    if points.empty:
        return {}
    config = experiment.config
    found = {"dose_points": points, "dose_response": dose_response(points, config)}
    return found | {
        "curve_shifts": curve_shifts(found["dose_response"], config),
        "enzyme_split": enzyme_split(points, found["dose_response"], config),
        "titration": titration(found["dose_response"]),
    }


def rag_loss(experiment: Experiment) -> str:
    """How the loss of Rag was shown elsewhere, as experiment.yaml states it."""
    stated = [entry.rag_loss for entry in experiment.config.signaling if entry.rag_loss]
    return "; ".join(dict.fromkeys(stated))


def _uptake(experiment: Experiment, data: UptakeData) -> dict[str, pd.DataFrame]:
    """Uptake of every arm with its gates, and the exchange test."""
    rates = uptake_rates(data, experiment.config)
    return {
        "uptake_rates": rates,
        "exchange": exchange(rates, data, experiment.config),
        "uptake_samples": check(data.amounts, "uptake_samples"),
        "lcms_qc": check(data.qc, "lcms_qc"),
    }


def _blots(experiment: Experiment, previous: Analysis | None) -> quantify.Western | None:
    if experiment.bands is None:
        return None
    if (
        previous is not None
        and previous.western is not None
        and previous.experiment.bands is experiment.bands
    ):
        return previous.western
    return quantify.quantify(experiment.bands, experiment.settings, experiment.config.media)


def _asns(
    experiment: Experiment, steps: dict[str, pd.DataFrame], blotted: quantify.Western | None
) -> dict[str, pd.DataFrame]:
    """ASNS per line beside sensitivity; correlations only where ASNS was measured."""
    found: dict[str, pd.DataFrame] = {}
    if blotted is not None:
        found |= {
            name: check(getattr(blotted, name), name) for name in ("asns_protein", "western_qc")
        }
        if len(blotted.asns_induction):
            found["asns_induction"] = check(blotted.asns_induction, "asns_induction")
    lines = study.asns_lines(
        experiment.config,
        blotted=None if blotted is None else blotted.asns_lines,
        expression=experiment.mrna,
        calls=steps.get("calls"),
        growth=steps.get("growth"),
        dose_response=steps.get("dose_response"),
    )
    if len(lines) or blotted is not None or experiment.mrna is not None:
        found["asns_lines"] = lines
    if blotted is not None or experiment.mrna is not None:
        tables = study.correlate(study.sources(lines), experiment.settings)
        found["asns_correlation"], found["correlation_comparison"] = tables
    return found


def judge_plates(experiment: Experiment, previous: Analysis | None = None) -> Analysis:
    """The first steps alone (`wells`, `plate_qc`, `plate_verdicts`), for a quick look; `analyse`
    goes on from there when given the result.
    """
    previous = _comparable(experiment, previous)
    if not len(experiment.wells):
        return Analysis(experiment)
    if previous is not None and previous.experiment is experiment and previous.wells is not None:
        return previous
    if (
        previous is None
        or previous.wells is None
        or previous.plate_qc is None
        or previous.experiment.wells is not experiment.wells
    ):
        wells = quality.prepare(experiment.wells, experiment.exclusions, experiment.settings)
        qc = quality.plate_qc(wells, experiment.config)
    else:
        changed = exclusions.changed_plates(previous.experiment.exclusions, experiment.exclusions)
        wells = quality.prepare_again(
            previous.wells, experiment.wells, experiment.exclusions, experiment.settings, changed
        )
        qc = quality.plate_qc(wells, experiment.config, previous.plate_qc, changed)
    return Analysis(
        experiment, wells, qc, quality.plate_verdicts(qc), **_untouched(experiment, previous)
    )


def _untouched(experiment: Experiment, previous: Analysis | None) -> dict[str, Any]:
    """Results of the earlier analysis that rest on the very same flow table or bands."""
    if previous is None:
        return {}
    names = (
        *(DEATH if previous.experiment.flow is experiment.flow else ()),
        *(("western",) if previous.experiment.bands is experiment.bands else ()),
        *(("signaling",) if previous.experiment.signaling is experiment.signaling else ()),
    )
    return {name: getattr(previous, name) for name in names}


def _comparable(experiment: Experiment, previous: Analysis | None) -> Analysis | None:
    """The earlier analysis, if it judged the same plates and samples by the same settings."""
    return (
        previous
        if previous is not None and previous.experiment.config == experiment.config
        else None
    )


def _flow(experiment: Experiment, previous: Analysis | None) -> dict[str, pd.DataFrame]:
    if experiment.flow is None:
        return {}
    if (
        previous is not None
        and previous.apoptosis is not None
        and previous.experiment.flow is experiment.flow
    ):
        return {name: getattr(previous, name) for name in DEATH}
    table = dying.apoptosis(experiment.flow, experiment.config.media, experiment.settings)
    return {
        "apoptosis": table,
        "apoptosis_effects": dying.apoptosis_effects(
            table, experiment.config.media, experiment.settings
        ),
    }


def _plates(experiment: Experiment, previous: Analysis | None) -> dict[str, pd.DataFrame]:
    config, settings = experiment.config, experiment.settings
    judged = judge_plates(experiment, previous)
    steps: dict[str, pd.DataFrame] = {
        name: getattr(judged, name) for name in ("wells", "plate_qc", "plate_verdicts")
    }
    steps["growth"] = growth = growing.growth(steps["wells"], config, steps["plate_verdicts"])
    if len(both := readout_agreement(growth, config)):
        steps["readout_agreement"] = both
    if len(growth):
        at, near = settings.proliferation_h, settings.max_proliferation_offset_h
        steps["effects"] = check(
            effects(growth, config.media, settings, hours=at, tolerance=near), "effects"
        )
        if len(pairs := interactions(growth, config)):
            steps["interaction"] = pairs
        steps["rescue"] = check(
            rescue(growth, config.media, settings, hours=at, tolerance=near), "rescue"
        )
    return steps


def _findings(
    experiment: Experiment, steps: dict[str, pd.DataFrame]
) -> tuple[verdict.Finding, ...]:
    """What the first screen says, worst first within each kind."""
    found = [*experiment.notices]
    found += protocol_findings(steps["compliance"], steps.get("carryover"), experiment.config)
    if experiment.uptake is not None:
        found += experiment.uptake.findings
        found += exchange_findings(steps["exchange"], steps["uptake_rates"])
    if "exhaustion" in steps:
        found += runs_out_findings(steps["exhaustion"], experiment.config)
    if "apoptosis" in steps:
        found += flow_findings(steps["apoptosis"])
    if "plate_qc" in steps:
        found += mixup_findings(steps["wells"], steps["plate_qc"], experiment.config)
        found += quality_findings(steps["plate_qc"])
        found += growth_findings(steps["growth"], experiment.settings.model_dump())
        found += readout_findings(
            steps.get("readout_agreement", empty("readout_agreement")),
            experiment.settings.max_readout_disagreement_gr,
        )
        found += design_findings(experiment.config)
    if "onset" in steps:
        found += timecourse_findings(steps["timecourse"], steps["onset"])
    if "western_qc" in steps:
        found += western_findings(steps["western_qc"]) + class_findings(
            steps["asns_lines"], experiment.config
        )
    if "asns_correlation" in steps:
        found += correlation_findings(
            steps["asns_correlation"], steps["asns_lines"], experiment.settings.alpha
        )
    return tuple(found)
