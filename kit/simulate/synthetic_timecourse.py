"""EXP-DEMO-07: time courses with add-back, and the asparagine x glutamine factorial, simulated.

Planted: A549 does without asparagine; A549-ASNS-KO stops 12 h after the withdrawal and grows again
6 h after the add-back; MOLT-4 dies from 16 h on and does not return. In A549 the loss of glutamine
acts through asparagine.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from kit.simulate import synthetic

LINES = {"A549": 22.0, "A549-ASNS-KO": 22.0, "MOLT-4": 27.9}
"""Doubling time of each line in the complete medium, h."""
BREAKS = {"A549": [], "A549-ASNS-KO": [(12.0, 0.0), (54.0, 0.95)], "MOLT-4": [(16.0, -0.5)]}
"""Without asparagine: from hour -> rate over the control's."""
HOURS, ADDBACK_H, SEED = np.arange(0.0, 96.1, 2.0), 48.0, 7
DOUBLINGS = {
    "A549": {"complete": 2.18, "no_asn": 2.10, "no_gln": 1.85, "no_asn_no_gln": 0.45},
    "A549-ASNS-KO": {"complete": 2.18, "no_asn": 0.10, "no_gln": 1.80, "no_asn_no_gln": 0.05},
    "MOLT-4": {"complete": 1.72, "no_asn": -0.20, "no_gln": 0.60, "no_asn_no_gln": -0.25},
}
"""Doublings in 48 h of the factorial."""


def live_layout() -> pd.DataFrame:
    """Three lines in two media, four wells each: rows B to D, columns 2 to 9."""
    rows = [
        (f"{letter}{column:02d}", line, "complete" if column < 6 else "no_asn", "sample")
        for letter, line in zip("BCD", LINES)
        for column in range(2, 10)
    ]
    return pd.DataFrame(rows, columns=["well", "cell_line", "medium", "role"])


def doublings(line: str, medium: str) -> np.ndarray:
    """Planted doublings at each scan."""
    rate = 1 / LINES[line]
    slopes = np.full(len(HOURS), 1.0)
    for start, share in BREAKS[line] if medium == "no_asn" else []:
        slopes[HOURS > start] = share
    return np.concatenate([[0.0], np.cumsum(slopes[1:] * np.diff(HOURS) * rate)])


def counts(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Counts of live and red objects per well, autocorrelated noise of 5 %."""
    found: dict[str, np.ndarray] = {}
    for record in live_layout().to_dict("records"):
        noise = rng.normal(0, 0.05, len(HOURS))
        for i in range(1, len(HOURS)):
            noise[i] = 0.5 * noise[i - 1] + np.sqrt(0.75) * noise[i]
        y = doublings(record["cell_line"], record["medium"]) + noise + rng.normal(0, 0.1)
        live = 200 * 2**y
        dying = record["cell_line"] == "MOLT-4" and record["medium"] == "no_asn"
        share = 0.02 + (0.006 * np.clip(HOURS - 16, 0, None) if dying else 0.0)
        found[record["well"]] = np.stack([live, live * share])
    return found


def export(rng: np.random.Generator, replicate: int) -> bytes:
    """In the manner of a live imager: two blocks, one a metric, wells across and scans down."""
    wells = counts(rng)
    start = dt.datetime(2026, 5, 4, 9) + dt.timedelta(days=7 * (replicate - 1))
    lines = []
    for index, metric in enumerate(("Phase Object Count (1/mm2)", "Red Object Count (1/mm2)")):
        lines += [
            f"Vessel Name: LIVE-R{replicate}",
            f"Metric: {metric}",
            "Cell Type: several",
            "",
            "Date Time\tElapsed\t" + "\t".join(wells),
        ]
        for i, hour in enumerate(HOURS):
            clock = (start + dt.timedelta(hours=float(hour))).strftime("%d.%m.%Y %H:%M:%S")
            values = "\t".join(f"{wells[well][index][i]:.2f}" for well in wells)
            lines.append(f"{clock}\t{hour:g}\t{values}")
        lines.append("")
    return ("\r\n".join(lines) + "\r\n").encode()


def factorial() -> synthetic.Truth:
    """The end points of the factorial."""
    lines = {
        line: synthetic.LineTruth(
            {medium: 2 ** (value / arms["complete"]) - 1 for medium, value in arms.items()},
            {},
            48 / arms["complete"],
        )
        for line, arms in DOUBLINGS.items()
    }
    design = synthetic.Design(media=tuple(DOUBLINGS["A549"]), wells_per_group=5)
    noise = synthetic.Noise(replicate_log2=0.08)
    return synthetic.Truth(lines, replicates=4, design=design, noise=noise, seed=SEED)


_CELLS = (
    "passage: 11, str_date: 2025-11-03, str_match: true, mycoplasma: {date: 2026-04-20, result:"
    " negative}, asparagine_free_history: false"
)
_MEDIUM = (
    "serum: dFBS, serine_uM: 400, glycine_uM: 400, lot: SIM-M7, pyruvate_uM: 1000,"
    " aspartate_uM: 0, glutamate_uM: 0"
)
_WITH = "glutamine_uM: 2000, glutamine_form: L-glutamine, glutamine_age_days: 3"
_WITHOUT = "glutamine_uM: 0, glutamine_form: none"
DEMO_07 = f"""\
# Simulated by `python -m kit.simulate.examples`: the numbers are invented, the planted truth stands in kit/simulate/synthetic_timecourse.py.
schema_version: 1
experiment_id: EXP-DEMO-07
title: Withdrawal and add-back of asparagine, and the asparagine x glutamine factorial (simulated)
date: 2026-05-04
simulated: true
cell_lines:
  A549: {{growth_mode: adherent, doubling_time_h: 22.0, asns_class: high, genotype: WT, {_CELLS}}}
  A549-ASNS-KO: {{growth_mode: adherent, doubling_time_h: 22.0, genotype: ASNS-KO, parent: A549, {_CELLS}}}
  MOLT-4: {{growth_mode: suspension, doubling_time_h: 27.9, asns_class: low, {_CELLS}}}
sera:
  dFBS: {{dialyzed: true, cutoff_kDa: 10, percent: 10, lot: SIM-1, asparagine_uM: 0.4}}
media:
  complete: {{role: control, asparagine_uM: 100, {_WITH}, {_MEDIUM}}}
  no_asn: {{role: dropout, removes: asparagine, asparagine_uM: 0, {_WITH}, {_MEDIUM}}}
  no_gln: {{role: dropout, removes: glutamine, asparagine_uM: 100, {_WITHOUT}, {_MEDIUM}}}
  no_asn_no_gln: {{role: dropout, removes: [asparagine, glutamine], asparagine_uM: 0, {_WITHOUT}, {_MEDIUM}}}
protocol:
  acclimatization_passages: 2
  acclimatization_serum: dFBS
  seeding_confluence_percent: 30
  seeding_cells_per_well: 10000
  seeding_viable_per_mL: 200000
  adherence_h: 8
  previous_medium: {{asparagine_uM: 378, glutamine_uM: 2053, serine_uM: 286}}
  wash: {{buffer: PBS, count: 2, volume_uL: 100, residual_uL: 10}}
  pre_plating_spin_washes: {{count: 2, volume_mL: 10, residual_mL: 0.1}}
  well_volume_uL: 100
  t0_delay_h: 0.5
  viability_at_seeding_percent: 96
  cell_loss_by_wash_percent: 8
  layout_randomised: true
  oxygen_percent: 20
  etc_inhibitors: false
  instrument: simulated
  reagent: simulated
replicates:
  1: {{date: 2026-05-04, passage: 11, medium_lot: SIM-M7a}}
  2: {{date: 2026-05-11, passage: 13, medium_lot: SIM-M7b}}
  3: {{date: 2026-05-18, passage: 15, medium_lot: SIM-M7c}}
  4: {{date: 2026-05-25, passage: 17, medium_lot: SIM-M7d}}
plates:
"""
