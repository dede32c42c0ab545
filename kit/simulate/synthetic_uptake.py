"""Uptake experiments with planted truth: which amino acids are exchanged for asparagine, and which
only follow growth. Run it for the test's operating characteristics over many such experiments.

    μ = 0.008 + 0.021·A/(A + 3.5);  v/μ = d·(A/8)^e,  e = 0 where uptake only follows growth
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from kit.exchange import elasticity

LINE, CELLS, VOLUME_ML, LOSS_PER_H, GLN_DECAY = "DEMO-A", 5e5, 2.0, 0.0004, 0.003
MEDIA = {"asn_0": 0.0, "asn_20": 20.0, "complete": 100.0, "asn_378": 378.0}
SUPPLY = {"serine": 220.0, "arginine": 180.0, "histidine": 80.0, "leucine": 300.0,
          "valine": 180.0, "glutamine": 2000.0}  # fmt: skip
DEMAND = {"serine": 200.0, "arginine": 160.0, "histidine": 60.0, "leucine": 230.0,
          "valine": 130.0, "glutamine": 1200.0}  # fmt: skip
"""Uptake per new cell at 8 units of intracellular asparagine, fmol."""
TRUTH = {"serine": 0.25, "arginine": 0.20}
INSIDE = {"asn_0": 4.2, "asn_20": 5.6, "complete": 13.0, "asn_378": 20.0}
TIMES = (24.0, 48.0)


def experiment(seed: int, exponents: Mapping[str, float] = TRUTH) -> dict[str, pd.DataFrame]:
    """One biological replicate: `concentrations` (with standards and QC), `samples`, `counts` and
    `intracellular` as an instrument and a bench would write them.
    """
    rng = np.random.default_rng(seed)
    long, sheet, counts, inside = [], [], [], []

    def sample(name: str, kind: str, medium: str, hours: float, true: Mapping[str, float]) -> None:
        sheet.append(
            {
                "sample": name,
                "kind": kind,
                "cell_line": LINE if kind == "cells" else "",
                "medium": medium,
                "hours": hours,
                "volume_mL": round(VOLUME_ML * (1 - LOSS_PER_H * hours), 4),
            }
        )
        for amino_acid, value in true.items():
            read = value * rng.lognormal(0, 0.015)
            kinds = {"cells": "Unknown", "blank": "Blank", "qc": "QC"}
            long.append(
                {
                    "sample": name,
                    "sample type": kinds[kind],
                    "compound": amino_acid,
                    "concentration": round(read, 3),
                    "unit": "uM",
                    "known um": "",
                }
            )

    for level in (10.0, 50.0, 250.0, 1000.0, 3000.0):
        for amino_acid in SUPPLY:
            read = level * rng.lognormal(0, 0.015)
            long.append(
                {
                    "sample": f"STD_{level:g}",
                    "sample type": "Standard",
                    "compound": amino_acid,
                    "concentration": round(read, 3),
                    "unit": "uM",
                    "known um": level,
                }
            )
    batch = {name: rng.lognormal(0, 0.05) for name in DEMAND}
    for hours in (0.0, *TIMES):
        for well in (1, 2):
            volume = VOLUME_ML * (1 - LOSS_PER_H * hours)
            decayed = {name: _left(name, hours) * VOLUME_ML / volume for name in SUPPLY}
            sample(f"blank_{hours:g}h_{well}", "blank", "", hours, decayed)
    for number in (1, 2, 3):
        sample(f"QC_{number}", "qc", "", 0.0, SUPPLY)
    for medium in MEDIA:
        asparagine = INSIDE[medium] * rng.lognormal(0, 0.05)
        mu = 0.008 + 0.021 * asparagine / (asparagine + 3.5)
        for _ in (1, 2):
            read = asparagine * rng.lognormal(0, 0.04)
            inside.append({"cell_line": LINE, "medium": medium, "asparagine": round(read, 3)})
        for hours in (0.0, *TIMES):
            for _ in range(3):
                cells = CELLS * np.exp(mu * hours) * rng.lognormal(0, 0.03)
                counts.append(
                    {"cell_line": LINE, "medium": medium, "hours": hours, "cells": round(cells)}
                )
        for hours in TIMES:
            volume = VOLUME_ML * (1 - LOSS_PER_H * hours)
            for well in (1, 2):
                left = {
                    name: (
                        _left(name, hours) * VOLUME_ML
                        - _taken(name, asparagine, mu, hours, exponents) * batch[name]
                    )
                    / volume
                    for name in SUPPLY
                }
                sample(f"{medium}_{hours:g}h_{well}", "cells", medium, hours, left)
    tables = {"concentrations": long, "samples": sheet, "counts": counts, "intracellular": inside}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def _left(name: str, hours: float) -> float:
    return SUPPLY[name] * np.exp(-(GLN_DECAY if name == "glutamine" else 0.0) * hours)


def _taken(
    name: str, asparagine: float, mu: float, hours: float, exponents: Mapping[str, float]
) -> float:
    """nmol taken up: v·X0·(e^{μt} − e^{−kt})/(μ+k)."""
    k = GLN_DECAY if name == "glutamine" else 0.0
    v = mu * DEMAND[name] * (asparagine / 8) ** exponents.get(name, 0.0)
    return v * CELLS * (np.exp(mu * hours) - np.exp(-k * hours)) / (mu + k) / 1e6


def demo_06(root: Path, replicates: tuple[int, ...] = (1, 2, 3, 4)) -> None:
    """EXP-DEMO-06: exchange is true for serine and arginine; histidine, leucine and valine only
    follow growth.
    """
    folder = root / "EXP-DEMO-06"
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    text = YAML
    for replicate in replicates:
        names = {}
        for field, table in experiment(600 + replicate).items():
            names[field] = f"raw/{field}_{replicate}.csv"
            (folder / names[field]).write_text(table.to_csv(index=False, lineterminator="\n"))
        files = ", ".join(f"{field}: {name}" for field, name in names.items())
        text += f"  - {{{files}, replicate: {replicate}}}\n"
    (folder / "experiment.yaml").write_text(text, encoding="utf-8")


def _medium(name: str, asparagine: float) -> str:
    rest = {key: value for key, value in SUPPLY.items() if key not in ("serine", "glutamine")}
    others = ", ".join(f"{key}: {value:g}" for key, value in rest.items())
    role = {"complete": "role: control", "asn_0": "role: dropout, removes: asparagine"}
    return (
        f"  {name}: {{{role.get(name, 'role: other')}, serum: dFBS, asparagine_uM: {asparagine:g},"
        f" glutamine_uM: {SUPPLY['glutamine']:g}, serine_uM: {SUPPLY['serine']:g},\n"
        f"    glutamine_form: L-glutamine, amino_acids_uM: {{{others}}}}}\n"
    )


YAML = f"""\
# Simulated by `python -m kit.simulate.examples`: exchange is planted for serine and arginine, uptake
# of histidine, leucine and valine only follows growth. The numbers are invented.
schema_version: 1
experiment_id: EXP-DEMO-06
title: Does uptake follow intracellular asparagine beyond growth? (simulated)
date: 2026-04-13
simulated: true
cell_lines:
  {LINE}: {{growth_mode: adherent, doubling_time_h: 30, asns_class: high}}
sera:
  dFBS: {{dialyzed: true, cutoff_kDa: 10, percent: 10, asparagine_uM: 0, glutamine_uM: 0, serine_uM: 0}}
media:
{"".join(_medium(name, value) for name, value in MEDIA.items())}\
protocol:
  seeding_cells_per_well: {CELLS:g}
  well_volume_uL: {1000 * VOLUME_ML:g}
  concentrations_stated_for: with_serum
  wash: {{buffer: PBS, count: 2, volume_uL: 2000, residual_uL: 50}}
  previous_medium: {{asparagine_uM: 100, glutamine_uM: 2000, serine_uM: 220}}
uptake:
"""


def characteristics(
    n: int, sd: float, truth: float = 0.0, draws: int = 2000, seed: int = 0, least: float = 0.10
) -> dict[str, float]:
    """Coverage of the 95 % interval of ε, and the share of `supports` for one of four amino acids,
    at `n` experiments whose slopes scatter by `sd`; the other three have no exchange.
    """
    rng = np.random.default_rng(seed)
    covered = supports = 0
    for _ in range(draws):
        slopes = rng.normal(0, sd, (5, n))
        slopes[0] += truth
        found = [elasticity.elasticity(str(i), slopes[i], slopes[i], slopes[4]) for i in range(4)]
        p = elasticity.adjusted(found)
        covered += found[0].epsilon.low <= truth <= found[0].epsilon.high
        supports += elasticity.verdict(found[0], p[0], least) == elasticity.SUPPORTS
    return {"coverage": covered / draws, "supports": supports / draws}


if __name__ == "__main__":
    for scatter in (0.05, 0.10):
        for count in (3, 4, 6):
            for effect in (0.0, 0.2):
                print(count, scatter, effect, characteristics(count, scatter, effect))
