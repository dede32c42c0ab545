"""settings -> amino acid left over from the previous medium and the serum, and the growth it can
hide.

What matters is amount per cell, not concentration alone: the residue is divided by what a new cell
takes. Too much of it lets a true
auxotroph grow, so it masks; it can never make a prototroph look auxotrophic. The equations stand in
`kit.protocol.carryover_model`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kit.config.model import CALLED, ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, empty
from kit.core.findings import Finding, judged
from kit.core.protein import amino_acid_per_cell_fmol
from kit.plates.design import nearest, untreated
from kit.protocol.carryover_model import (
    BULK_RESIDUES_UL,
    PLATE_RESIDUES_UL,
    Carry,
    WashAdvice,
    gr_mask,
    masked_doublings,
    next_wash_advice,
    residual_uM,
    serum_uM,
    wash_grid,
)

__all__ = [
    "Carry",
    "WashAdvice",
    "WashPlan",
    "amino_acid_per_cell_fmol",
    "carryover",
    "cells_per_well",
    "gr_mask",
    "masked_doublings",
    "next_wash_advice",
    "observed_doublings",
    "residual_uM",
    "serum_uM",
    "wash_grid",
    "wash_plan",
]


@dataclass(frozen=True)
class WashPlan:
    """How one line was washed: `kind` is plate or bulk; volumes in uL, NaN where unknown; `missing`
    names the fields to fill in.
    """

    kind: str
    washes: int | None
    wash_uL: float
    residual_uL: float
    added_uL: float
    assumed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def wash_plan(config: ExperimentConfig, line: str) -> WashPlan:
    """Adherent lines are washed in the plate, suspension lines in bulk tubes before plating; the
    other kind counts where it is all.
    """
    wash, spin = config.protocol.wash, config.protocol.pre_plating_spin_washes
    in_plate, in_bulk = bool(wash and wash.count), bool(spin and spin.count)
    bulk_first = config.cell_lines[line].growth_mode == "suspension"
    if bulk_first:
        return _plate_plan(config) if in_plate and not in_bulk else _bulk_plan(config)
    return (
        _bulk_plan(config)
        if config.cell_lines[line].growth_mode is None and in_bulk and not in_plate
        else _plate_plan(config)
    )


def _plate_plan(config: ExperimentConfig) -> WashPlan:
    wash, added = config.protocol.wash, config.protocol.well_volume_uL
    count, kept, volume = (
        (wash.count, wash.residual_uL, wash.volume_uL) if wash else (None, None, None)
    )
    if count == 0 and volume is None:
        volume = 1.0  # of no consequence: nothing is diluted
    given = {"count": count, "residual_uL": kept, "volume_uL": volume}
    missing = tuple(f"protocol.wash.{name}" for name, value in given.items() if value is None)
    assumed = () if added else (f"{config.settings.assumed_well_volume_uL:g} µL medium per well",)
    return WashPlan(
        "plate",
        count,
        _number(volume),
        _number(kept),
        added or config.settings.assumed_well_volume_uL,
        assumed,
        missing,
    )


def _bulk_plan(config: ExperimentConfig) -> WashPlan:
    """Volumes of the tube. Without any spin the residue above the pellet cannot be assumed: it may
    be the whole culture.
    """
    spin = config.protocol.pre_plating_spin_washes
    count, volume, kept, taken_up = (
        (spin.count, spin.volume_mL, spin.residual_mL, spin.resuspended_mL) if spin else (None,) * 4
    )
    assumed = []
    if kept is None and count:
        kept = config.settings.assumed_spin_residual_mL
        assumed.append(f"{kept:g} mL left above the pellet")
    if taken_up is None and volume is not None:
        taken_up = volume
        assumed.append(f"pellet taken up in {volume:g} mL")
    needed = {
        "count": count,
        "volume_mL": volume if count != 0 else volume or 0.0,
        "residual_mL": kept,
        "resuspended_mL": taken_up,
    }
    missing = tuple(
        f"protocol.pre_plating_spin_washes.{name}"
        for name, value in needed.items()
        if value is None
    )
    if count is None:
        missing = (
            "protocol.pre_plating_spin_washes.count",
            "protocol.pre_plating_spin_washes.volume_mL",
        )
    return WashPlan(
        "bulk",
        count,
        1000 * _number(volume or 0.0),
        1000 * _number(kept),
        1000 * _number(taken_up),
        tuple(assumed),
        missing,
    )


def cells_per_well(config: ExperimentConfig, line: str) -> float:
    """Cells per well at the start: as given, else viable cells per mL times the well's volume; NaN
    where neither is given.
    """
    given = config.cells(line, "seeding_cells_per_well")
    density, volume = config.cells(line, "seeding_viable_per_mL"), config.protocol.well_volume_uL
    if given is None and density is not None and config.cell_lines[line].growth_mode != "adherent":
        return density * (volume or config.settings.assumed_well_volume_uL) / 1000
    return _number(given)


def observed_doublings(growth: pd.DataFrame | None, settings: Settings) -> dict[str, float]:
    """Doublings of control per line at the growth readout: mean over biological replicates, without
    agents.
    """
    if growth is None or growth.empty:
        return {}
    rows = nearest(untreated(growth.dropna(subset="control_doublings")), settings.proliferation_h)
    per_replicate = rows.groupby(["cell_line", "replicate"])["control_doublings"].mean()
    means = per_replicate.groupby("cell_line").mean()
    return {str(line): float(value) for line, value in means.items() if value > 0}


def carryover(config: ExperimentConfig, growth: pd.DataFrame | None = None) -> pd.DataFrame:
    """The contract's `carryover` table: one row per line, dropout medium and removed amino acid.

    Further columns: `masked_hours`, `residual_from_wash_uM`, `residual_from_serum_uM`,
    `residual_from_medium_uM` (as made, and impurities),
    `control_doublings`, `cells_per_well`, `washing` (plate or bulk), `washes`, `residual_uL`,
    `wash_uL`, `added_uL`, `limit_moderate_uM`,
    `limit_high_uM` (the residues at which the verdict changes), `assumed` (inputs that were not
    given), `missing` (fields without which
    there is no number), `note`, `advice`.
    """
    doublings = observed_doublings(growth, config.settings)
    rows = [
        _row(config, line, medium, amino_acid, doublings.get(line))
        for line in config.cell_lines
        for medium, amino_acid in _dropouts(config)
    ]
    return check(pd.DataFrame(rows), "carryover") if rows else empty("carryover")


def _dropouts(config: ExperimentConfig) -> Iterator[tuple[str, str]]:
    for name, medium in config.media.items():
        if medium.role == "dropout" and medium.removes:
            yield from ((name, amino_acid) for amino_acid in str(medium.removes).split("+"))


def _row(
    config: ExperimentConfig, line: str, medium: str, amino_acid: str, observed: float | None
) -> dict:
    """One residue, judged."""
    plan, settings = wash_plan(config, line), config.settings
    serum, assumed, missing = from_serum_uM(config, medium, amino_acid)
    made = _number(getattr(config.media[medium], f"{amino_acid}_uM", None) or 0.0) + (
        config.protocol.serum_impurity_uM or 0.0
    )
    start, start_assumed = before_wash_uM(config, amino_acid)
    cells = cells_per_well(config, line)
    fixed = [*plan.assumed, *start_assumed, *assumed]
    if np.isnan(cells):
        cells = settings.assumed_cells_per_well
        fixed.append(f"{cells:g} cells per well")
    if observed is None:
        fixed.append(f"{settings.assumed_control_doublings:g} doublings of control")
    carry = Carry(
        start,
        plan.washes or 0,
        plan.residual_uL,
        plan.wash_uL,
        plan.added_uL,
        serum + made,
        cells,
        _need_fmol(config, line, amino_acid),
        observed or settings.assumed_control_doublings,
        float("nan")
        if plan.kind == "plate"
        else config.protocol.well_volume_uL or settings.assumed_well_volume_uL,
    )
    gaps = [*plan.missing, *missing]
    if gaps:
        carry = dataclasses.replace(carry, fresh_uM=float("nan"))
    return {
        "cell_line": line,
        "medium": medium,
        "amino_acid": amino_acid,
        **_numbers(carry, serum, made, bool(plan.missing), settings),
        **_judged(carry, settings, amino_acid, gaps, plan),
        "masked_hours": carry.masked_doublings * _doubling_time(config, line, carry),
        "washing": plan.kind,
        "washes": float("nan") if plan.washes is None else plan.washes,
        "residual_uL": plan.residual_uL,
        "wash_uL": plan.wash_uL,
        "added_uL": plan.added_uL,
        "assumed": "; ".join(fixed),
        "missing": " ".join(gaps),
    }


def _numbers(
    carry: Carry, serum: float, made: float, unwashed: bool, settings: Settings
) -> dict[str, float]:
    washed = float("nan") if unwashed else dataclasses.replace(carry, fresh_uM=0.0).residual_uM
    share = carry.added_uL / (carry.residual_uL + carry.added_uL)
    return {
        "residual_uM": carry.residual_uM,
        "masked_doublings": carry.masked_doublings,
        "gr_mask": carry.gr_mask,
        "residual_from_wash_uM": washed,
        "residual_from_serum_uM": serum * share,
        "residual_from_medium_uM": made * share,
        "control_doublings": carry.control_doublings,
        "cells_per_well": carry.cells_per_well,
        "limit_moderate_uM": carry.limit_uM(settings.gr_mask_moderate),
        "limit_high_uM": carry.limit_uM(settings.gr_mask_high),
    }


def _judged(
    carry: Carry, settings: Settings, amino_acid: str, gaps: list[str], plan: WashPlan
) -> dict[str, str]:
    if amino_acid not in CALLED:
        found = Finding("CARRYOVER_NO_MODEL", "warn", amino_acid)
        return judged([found]) | {"advice": ""}
    if gaps:
        fields = " and ".join(f"`{name}`" for name in gaps)
        found = Finding("CARRYOVER_UNKNOWN", "warn", values={"fields": fields})
        return judged([found]) | {"advice": found.remedy}
    if not math.isfinite(carry.gr_mask):
        found = Finding("CARRYOVER_NO_GR", "warn")
        return judged([found]) | {"advice": found.remedy}
    verdict = (
        "fail"
        if carry.gr_mask >= settings.gr_mask_high
        else "warn"
        if carry.gr_mask >= settings.gr_mask_moderate
        else "pass"
    )
    advice = next_wash_advice(
        carry,
        settings.gr_mask_moderate,
        amino_acid,
        PLATE_RESIDUES_UL if plan.kind == "plate" else BULK_RESIDUES_UL,
    )
    paid = min(carry.masked_doublings, carry.control_doublings)
    values = {"paid": paid, "of": carry.control_doublings}
    found = Finding("CARRYOVER_PAYS", verdict, values=values)
    return judged([found]) | {"advice": advice.text if advice else ""}


def before_wash_uM(config: ExperimentConfig, amino_acid: str) -> tuple[float, list[str]]:
    """Concentration on the cells before the wash; where not given the richer of RPMI 1640 and the
    control medium.
    """
    before = config.protocol.previous_medium
    given = before.amount_uM(amino_acid) if before else None
    if given is not None or amino_acid not in CALLED:
        return _number(given), []
    usual = getattr(config.settings, f"assumed_previous_{amino_acid}_uM")
    control = config.media[config.control_medium] if config.control_medium else None
    value = max(usual, getattr(control, f"{amino_acid}_uM", None) or 0.0)
    return value, [f"{value:g} µM {amino_acid} on the cells before the wash"]


def from_serum_uM(
    config: ExperimentConfig, medium: str, amino_acid: str
) -> tuple[float, list[str], list[str]]:
    """What serum brings into the fresh medium, uM, with what was assumed for it and the fields that
    are missing.
    """
    name = config.media[medium].serum
    if name is None:
        return float("nan"), [], [f"media.{medium}.serum"]
    serum, settings, assumed = config.sera[name], config.settings, []
    percent = serum.percent
    if percent is None:
        percent = settings.assumed_serum_percent
        assumed.append(f"{percent:g} % serum")
    measured = serum.amount_uM(amino_acid)
    if measured is not None or percent == 0:
        return serum_uM(percent, measured or 0.0), assumed, []
    if amino_acid not in CALLED or serum.dialyzed is None:
        return float("nan"), assumed, [] if amino_acid not in CALLED else [f"sera.{name}.dialyzed"]
    free = getattr(settings, f"serum_{amino_acid}_uM")
    removed = settings.dialysis_removal if serum.dialyzed else 0.0
    assumed.append(f"{free * (1 - removed):g} µM {amino_acid} in undiluted serum")
    return serum_uM(percent, free, removed), assumed, []


def _need_fmol(config: ExperimentConfig, line: str, amino_acid: str) -> float:
    """Amino acid per new cell, fmol. A line of unknown growth mode is taken as small: small cells
    need less, so more is masked.
    """
    cell, settings = config.cell_lines[line], config.settings
    usual = (
        settings.protein_pg_adherent
        if cell.growth_mode == "adherent"
        else settings.protein_pg_suspension
    )
    share = getattr(settings, f"{amino_acid}_share_of_residues", float("nan"))
    return float(amino_acid_per_cell_fmol(cell.protein_pg_per_cell or usual, share))


def _doubling_time(config: ExperimentConfig, line: str, carry: Carry) -> float:
    """Hours per doubling: as given, else the growth readout's time over the doublings of
    control.
    """
    return (
        config.cell_lines[line].doubling_time_h
        or config.settings.proliferation_h / carry.control_doublings
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
