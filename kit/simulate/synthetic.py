"""Simulated experiments with planted truth: for the examples, for tests, and for trying a design
before doing it.

Every number is invented. The four lines' GR and death at 48 and 72 h without asparagine or
glutamine are the fixture values of the kit's
specification; the rest (serine, noise, signal) is chosen to look like CellTiter-Glo plates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from kit.config.model import ExperimentConfig, Plate
from kit.core.wells import well_name
from kit.experiment.load import Experiment

MEDIA = ("complete", "no_asn", "no_gln", "no_ser", "no_asn_rescue")


@dataclass(frozen=True)
class LineTruth:
    """What is planted for one line: GR per medium (control is 1), share of cells killed per medium,
    how the line grows, and its ASNS
    (protein in percent of the pooled reference, mRNA in log2 of A549's; NaN: not simulated)."""

    gr: dict[str, float]
    death: dict[str, float]
    doubling_time_h: float = 24.0
    growth_mode: str = "adherent"
    signal_0h: float = 120_000.0
    asns_percent: float = math.nan
    asns_mrna_log2: float = math.nan


@dataclass(frozen=True)
class Noise:
    """SDs of the simulation: wells as CV, biological replicates as log2 per medium and per run, and
    effects of position.
    """

    well_cv: float = 0.05
    replicate_log2: float = 0.06
    run_log2: float = 0.15
    blank: float = 250.0
    blank_cv: float = 0.06
    killed: float = 0.012
    edge: float = 0.0
    row_drift: float = 0.0


@dataclass(frozen=True)
class Design:
    """How one plate is laid out: wells per group, blanks per medium, and whether the outer ring is
    used.
    """

    media: tuple[str, ...] = MEDIA
    wells_per_group: int = 6
    kill_wells: int = 6
    blanks_per_medium: int = 3
    outer_ring: bool = False
    plate: tuple[int, int] = (8, 12)
    randomised: bool = True


@dataclass(frozen=True)
class Truth:
    """A whole simulated experiment: lines, media, replicates, noise."""

    lines: dict[str, LineTruth]
    replicates: int = 3
    hours: float = 48.0
    noise: Noise = field(default_factory=Noise)
    design: Design = field(default_factory=Design)
    seed: int = 0


SOURCE_LINES = {
    "Jurkat": LineTruth({"no_asn": -0.20, "no_gln": 0.38, "no_ser": 0.72, "no_asn_rescue": 0.98}, {"no_asn": 0.50, "no_gln": 0.15, "no_ser": 0.05}, 25.0, "suspension", asns_percent=6.0, asns_mrna_log2=0.6),
    "MOLT-4": LineTruth({"no_asn": -0.10, "no_gln": 0.40, "no_ser": 0.70, "no_asn_rescue": 0.97}, {"no_asn": 0.40, "no_gln": 0.15, "no_ser": 0.06}, 27.9, "suspension", asns_percent=3.0, asns_mrna_log2=-2.5),
    "A549": LineTruth({"no_asn": 0.78, "no_gln": 0.08, "no_ser": 0.74, "no_asn_rescue": 1.00}, {"no_asn": 0.02, "no_gln": 0.08, "no_ser": 0.03}, 22.0, asns_percent=90.0, asns_mrna_log2=0.0),
    "MDA-MB-231": LineTruth({"no_asn": 0.42, "no_gln": 0.08, "no_ser": 0.40, "no_asn_rescue": 0.98}, {"no_asn": 0.05, "no_gln": 0.10, "no_ser": 0.05}, 28.0, asns_percent=28.0, asns_mrna_log2=-0.7),
}  # fmt: skip
"""The four lines of the source table with the fixture values of the call; serine and ASNS values
are invented here (Jurkat: mRNA without
protein, a discordant line)."""


def layout(
    design: Design, rng: np.random.Generator, media: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """A plate map (well, medium, role), groups scattered over the plate; the wells left over are
    `empty`.
    """
    rows, columns = design.plate
    ring = 0 if design.outer_ring else 1
    free = [
        (row, column)
        for row in range(1 + ring, rows + 1 - ring)
        for column in range(1 + ring, columns + 1 - ring)
    ]
    media = media or design.media
    groups = [(medium, "sample") for medium in media for _ in range(design.wells_per_group)]
    groups += [(media[0], "kill")] * design.kill_wells + [
        (medium, "blank") for medium in media for _ in range(design.blanks_per_medium)
    ]
    if len(groups) > len(free):
        raise ValueError(
            f"{len(groups)} wells do not fit on the {len(free)} usable wells of a"
            f" {rows * columns}-well plate"
        )
    order = rng.permutation(len(free)) if design.randomised else np.arange(len(free))
    filled = {free[position]: group for position, group in zip(order, groups, strict=False)}
    cells = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    records = [(well_name(*cell), *cell, *filled.get(cell, ("", "empty"))) for cell in cells]
    return pd.DataFrame(records, columns=["well", "row", "column", "medium", "role"])


def signals(
    plan: pd.DataFrame,
    truth: LineTruth,
    hours: float,
    noise: Noise,
    run: dict[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Reader signals of one plate laid out as `plan`: `run` holds the log2 deviation of each medium
    in this replicate.
    """
    doublings = hours / truth.doubling_time_h
    control = (
        plan["medium"].iloc[0]
        if plan.empty
        else plan.loc[plan["role"].eq("kill"), "medium"].iloc[0]
    )
    level = {}
    for medium in plan["medium"].unique():
        gr = 1.0 if medium == control else truth.gr.get(medium, 1.0)
        level[medium] = truth.signal_0h * 2 ** (
            doublings * np.log2(gr + 1)
            + run.get("", 0.0)
            + (run.get(medium, 0.0) if hours else 0.0)
        )
    mean = plan["medium"].map(level).to_numpy(float).copy()
    mean[plan["role"].eq("kill")] = noise.killed * level[control]
    mean[~plan["role"].isin(["sample", "kill"])] = 0.0
    rows, columns = plan["row"].to_numpy(), plan["column"].to_numpy()
    edge = np.isin(rows, [1, rows.max()]) | np.isin(columns, [1, columns.max()])
    mean = (
        mean
        * (1 - noise.edge * edge)
        * (1 + noise.row_drift * ((rows - rows.min()) / max(np.ptp(rows), 1) - 0.5))
    )
    lit = mean * np.exp(rng.normal(0, noise.well_cv, len(plan)) - noise.well_cv**2 / 2)
    return np.round(lit + noise.blank * (1 + noise.blank_cv * rng.standard_normal(len(plan))))


def plates(truth: Truth) -> list[dict]:
    """All plates of an experiment, one line to a plate: dicts of plate, cell_line, hours,
    replicate, plan (with `signal`).
    """
    rng = np.random.default_rng(truth.seed)
    media = truth.design.media
    plans = {
        hours: layout(truth.design, rng, media if hours else media[:1])
        for hours in (0.0, truth.hours)
    }
    found = []
    for line, planted in truth.lines.items():
        for replicate in range(1, truth.replicates + 1):
            run = {
                "": rng.normal(0, truth.noise.run_log2),
                **{medium: rng.normal(0, truth.noise.replicate_log2) for medium in media[1:]},
            }
            for hours, plan in plans.items():
                values = signals(plan, planted, hours, truth.noise, run, rng)
                found.append(
                    {
                        "plate": f"{line}-{hours:g}h-R{replicate}",
                        "cell_line": line,
                        "hours": hours,
                        "replicate": replicate,
                        "plan": plan.assign(signal=values),
                    }
                )
    return found


def shared_layout(truth: Truth, media: tuple[str, ...], rng: np.random.Generator) -> pd.DataFrame:
    """A plate map (well, cell_line, medium, role) with all lines on one plate, scattered; blanks
    belong to no line.
    """
    design, (rows, columns) = truth.design, truth.design.plate
    ring = 0 if design.outer_ring else 1
    free = [
        (row, column)
        for row in range(1 + ring, rows + 1 - ring)
        for column in range(1 + ring, columns + 1 - ring)
    ]
    groups = [
        (line, medium, "sample")
        for line in truth.lines
        for medium in media
        for _ in range(design.wells_per_group)
    ]
    groups += [(line, media[0], "kill") for line in truth.lines for _ in range(design.kill_wells)]
    groups += [("", medium, "blank") for medium in media for _ in range(design.blanks_per_medium)]
    if len(groups) > len(free):
        raise ValueError(
            f"{len(groups)} wells do not fit on the {len(free)} usable wells of a"
            f" {rows * columns}-well plate"
        )
    filled = {
        free[position]: group
        for position, group in zip(rng.permutation(len(free)), groups, strict=False)
    }
    cells = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    records = [(well_name(*cell), *cell, *filled.get(cell, ("", "", "empty"))) for cell in cells]
    return pd.DataFrame(records, columns=["well", "row", "column", "cell_line", "medium", "role"])


def shared_plates(truth: Truth) -> list[dict]:
    """All plates of an experiment with every line on each plate: dicts of plate, hours, replicate,
    plan (with `signal`).
    """
    rng = np.random.default_rng(truth.seed)
    media, noise = truth.design.media, truth.noise
    plans = {
        hours: shared_layout(truth, media if hours else media[:1], rng)
        for hours in (0.0, truth.hours)
    }
    found = []
    for replicate in range(1, truth.replicates + 1):
        runs = {
            line: {
                "": rng.normal(0, noise.run_log2),
                **{medium: rng.normal(0, noise.replicate_log2) for medium in media[1:]},
            }
            for line in truth.lines
        }
        for hours, plan in plans.items():
            values = np.round(noise.blank * (1 + noise.blank_cv * rng.standard_normal(len(plan))))
            for line, planted in truth.lines.items():
                own = plan["cell_line"].eq(line).to_numpy()
                values[own] = signals(plan[own], planted, hours, noise, runs[line], rng)
            found.append(
                {
                    "plate": f"P{hours:g}h-R{replicate}",
                    "hours": hours,
                    "replicate": replicate,
                    "plan": plan.assign(signal=values),
                }
            )
    return found


def flow_table(
    truth: Truth, events: int = 20_000, control_annexin: float = 0.05, replicate_sd: float = 0.15
) -> pd.DataFrame:
    """A gated Annexin V / PI table at 72 h with the planted death: SA = (A - A_control) / (1 -
    A_control) by construction.
    """
    rng = np.random.default_rng([truth.seed, 72])
    rows = []
    for line, planted in truth.lines.items():
        for replicate in range(1, truth.replicates + 1):
            base = control_annexin * np.exp(rng.normal(0, replicate_sd))
            for medium in truth.design.media:
                share = planted.death.get(medium, 0.0)
                share = (
                    share
                    if share == 0
                    else 1
                    / (1 + np.exp(-(np.log(share / (1 - share)) + rng.normal(0, replicate_sd))))
                )
                annexin = base + share * (1 - base)
                counts = rng.multinomial(
                    events,
                    [(1 - annexin) * 0.985, annexin * 0.6, annexin * 0.4, (1 - annexin) * 0.015],
                )
                rows.append((line, medium, replicate, *np.round(100 * counts / events, 3), events))
    columns = [
        "cell_line",
        "medium",
        "replicate",
        "viable_percent",
        "early_percent",
        "late_percent",
        "necrotic_percent",
        "events",
    ]
    return pd.DataFrame(rows, columns=columns)


def demo_01() -> Truth:
    """The four lines of the source table in five media, three biological replicates: everything
    done well.
    """
    return Truth(SOURCE_LINES, seed=20260302)


def demo_02() -> Truth:
    """Two lines, no rescue, two replicates, plates filled to the rim with a strong edge effect:
    what a report must object to.
    """
    lines = {name: replace(SOURCE_LINES[name]) for name in ("MOLT-4", "A549")}
    design = Design(
        media=("complete", "no_asn"),
        wells_per_group=30,
        kill_wells=8,
        blanks_per_medium=4,
        outer_ring=True,
    )
    return Truth(
        lines, replicates=2, noise=Noise(edge=0.32, well_cv=0.08), design=design, seed=20260317
    )


PANEL = (
    ("MOLT-4", "suspension", "leukemia", 27.9, 3.0, -0.14, 0.4), ("Jurkat", "suspension", "leukemia", 25.0, 6.0, -0.06, -1.9),
    ("CCRF-CEM", "suspension", "leukemia", 26.7, 4.0, -0.20, -0.5), ("Reh", "suspension", "leukemia", 30.0, 8.0, 0.06, 1.1),
    ("U-937", "suspension", "leukemia", 28.0, 5.0, 0.02, -1.2), ("HL-60", "suspension", "leukemia", 28.6, 20.0, 0.50, 0.7),
    ("K-562", "suspension", "leukemia", 19.6, 38.0, 0.34, -1.6), ("MDA-MB-231", "adherent", "breast", 28.0, 28.0, 0.42, -0.2),
    ("MCF7", "adherent", "breast", 25.4, 12.0, 0.10, 0.9), ("A549", "adherent", "lung", 22.0, 90.0, 0.70, -0.8),
    ("HeLa", "adherent", "cervix", 22.0, 100.0, 0.74, 0.1), ("PC-3", "adherent", "prostate", 27.1, 65.0, 0.82, -2.2),
)  # fmt: skip
"""Twelve lines of EXP-DEMO-03: name, growth, lineage, doubling time, ASNS protein (% of reference),
GR without asparagine, ASNS mRNA (log2).
Invented such that protein explains the sensitivity and mRNA does not, within leukemias as over all
lines."""


def demo_03() -> Truth:
    """Twelve lines on shared 384-well plates, without asparagine and with its rescue: protein
    predicts, mRNA does not.
    """
    lines = {}
    for name, mode, _, doubling, percent, gr, mrna in PANEL:
        death = {"no_asn": float(np.clip(0.35 - 0.5 * gr, 0.02, 0.6))}
        lines[name] = LineTruth(
            {"no_asn": gr, "no_asn_rescue": 0.98}, death, doubling, mode, 60_000.0, percent, mrna
        )
    design = Design(
        media=("complete", "no_asn", "no_asn_rescue"),
        kill_wells=5,
        blanks_per_medium=4,
        plate=(16, 24),
    )
    return Truth(lines, design=design, seed=20260401)


def config(truth: Truth) -> ExperimentConfig:
    """The experiment.yaml of a simulated experiment done by the book, without files."""
    role: dict[str, dict] = {"complete": {"role": "control"}}
    for medium in truth.design.media[1:]:
        amino_acid = {"asn": "asparagine", "gln": "glutamine", "ser": "serine"}.get(
            medium.split("_")[1], "asparagine"
        )
        role[medium] = (
            {"role": "rescue", "restores": amino_acid}
            if medium.endswith("rescue")
            else {"role": "dropout", "removes": amino_acid}
        )
    lines = {
        name: {"growth_mode": line.growth_mode, "doubling_time_h": line.doubling_time_h}
        for name, line in truth.lines.items()
    }
    return ExperimentConfig.model_validate(
        {"experiment_id": "SIMULATED", "simulated": True, "cell_lines": lines, "media": role}
    )


def wells(truth: Truth) -> pd.DataFrame:
    """All plates as the tidy frame of `Experiment.wells`."""
    frames = []
    for plate in plates(truth):
        plan = plate.pop("plan")
        frames.append(plan[plan["role"].ne("empty")].assign(**plate))
    table = pd.concat(frames, ignore_index=True)
    return table.assign(
        readout="CellTiter-Glo", flag="", agent="", concentration=np.nan, concentration_unit=""
    )


def experiment(truth: Truth) -> Experiment:
    """A simulated experiment in memory, ready for `kit.analyse`."""
    settings = config(truth)
    table = wells(truth)
    found = [
        Plate(
            plate=name,
            file="simulated",
            layout="simulated",
            readout="CellTiter-Glo",
            hours=group["hours"].iloc[0],
            replicate=group["replicate"].iloc[0],
        )
        for name, group in table.groupby("plate", sort=False)
    ]
    settings = settings.model_copy(update={"plates": found})
    return Experiment(
        Path("simulated"),
        settings,
        table,
        pd.DataFrame(columns=["plate", "well", "reason", "by", "at"]),
        flow_table(truth),
    )
