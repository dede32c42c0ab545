"""Simulated signalling blots with planted truth: wild type and Rag knock-out, vehicle and BFA."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kit.signaling import names

TRUTH: dict[str, dict[str, float]] = {
    "WT, vehicle": {"Leu": 2.0, "Arg": 1.8, "Gln": 1.6, "Asn": 1.4, "all": 3.0},
    "WT, BFA": {"Leu": 1.9, "Arg": 1.7, "Gln": 0.3, "Asn": 0.25, "all": 2.3},
    "RagAB_KO, vehicle": {"Leu": 0.1, "Arg": 0.1, "Gln": 1.5, "Asn": 1.3, "all": 1.7},
    "RagAB_KO, BFA": {"Leu": 0.05, "Arg": 0.05, "Gln": 0.15, "Asn": 0.1, "all": 0.25},
}
"""genotype and drug -> true activation, log2 over starved: as published."""


def experiment_bands(
    experiment: int,
    *,
    truth: Mapping[str, Mapping[str, float]] = TRUTH,
    sd: float = 0.2,
    split_starved: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """Bands of one experiment in the columns of the contract; with `split_starved` the starved
    lanes stand on a gel of their own, as they should not.
    """
    rng = np.random.default_rng([seed, experiment])
    gel_factor = {name: 2.0 ** rng.normal(0, 0.9, 2) for name in ("A", "B")}
    rows = []
    for gel, genotype, drug, stimulus, level, lane in _plan(truth, split_starved):
        load = 2 ** rng.normal(0, 0.15)
        phospho = 800 * 2 ** (level + rng.normal(0, sd)) * load * gel_factor[gel][0]
        total = 2600 * load * 2 ** rng.normal(0, 0.05) * gel_factor[gel][1]
        rag = (0.03 if genotype == names.KNOCK_OUT else 1.0) * 1500 * load
        for target, net, background in (
            ("pS6K_T389", phospho, 60.0),
            ("S6K", total, 80.0),
            ("total_protein", 22000 * load, 0.0),
            ("RagA", rag, 40.0),
        ):
            rows.append(
                (
                    f"E{experiment}{gel}",
                    lane,
                    experiment,
                    genotype,
                    drug,
                    stimulus,
                    target,
                    round(net + background, 1),
                    background,
                    False,
                )
            )
    columns = [
        "membrane",
        "lane",
        "experiment",
        "genotype",
        "drug",
        "stimulus",
        "target",
        "volume",
        "background",
        "saturated",
    ]
    return pd.DataFrame(rows, columns=columns)


def _plan(truth: Mapping[str, Mapping[str, float]], split: bool) -> list[tuple]:
    """(gel, genotype, drug, stimulus, level, lane) of every lane."""
    plan = []
    for arm, levels in truth.items():
        genotype, drug = arm.split(", ")
        plan.append(("B" if split else "A", genotype, drug, names.STARVED, 0.0))
        plan += [("A", genotype, drug, stimulus, level) for stimulus, level in levels.items()]
        if drug == names.VEHICLE:
            plan.append(("A", genotype, names.TORIN, names.ALL, -1.0))
    for gel in ("A", "B") if split else ("A",):
        plan += [(gel, names.REFERENCE, names.VEHICLE, names.REFERENCE, 1.0)] * 2
    count = {"A": 0, "B": 0}
    numbered = []
    for row in plan:
        count[row[0]] += 1
        numbered.append((*row, count[row[0]]))
    return numbered


def demo_05() -> tuple[str, dict[str, bytes]]:
    """experiment.yaml and files of EXP-DEMO-05: four experiments with the published routes; in the
    third the starved lanes stand on a gel of their own.
    """
    files, entries = {}, []
    for experiment in range(1, 5):
        name = f"raw/ps6k_e{experiment}.csv"
        bands = experiment_bands(experiment, split_starved=experiment == 3, seed=5)
        files[name] = bands.to_csv(index=False, lineterminator="\n").encode()
        entries.append(f"  - {{file: {name}, experiment: {experiment}}}")
    return DEMO_05 + "\n".join(entries) + "\n", files


DEMO_05 = """\
# Simulated by `python -m kit.simulate.examples`: leucine and arginine act through Rag, glutamine and asparagine through Arf1.
# The trap: in experiment 3 the starved lanes stand on a gel of their own, and only the reference lanes link the two gels.
schema_version: 1
experiment_id: EXP-DEMO-05
title: Rag or Arf1, by amino acid, in wild type and RagA/B knock-out cells (simulated)
date: 2026-04-20
simulated: true
cell_lines:
  HEK293A: {growth_mode: adherent}
signaling:
"""
