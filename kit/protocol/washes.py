"""The washes, P13: first how they were done, then what the carry-over model makes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kit.core.findings import band
from kit.protocol.base import Check, Evidence, Ruling, not_given
from kit.protocol.carryover import WashPlan, cells_per_well, wash_plan
from kit.protocol.carryover_model import show_uM

SALINE = ("pbs", "hbss", "saline", "dulbecco", "hank")


def washed(evidence: Evidence) -> Iterator[Ruling]:
    """P13: enough washes of enough volume; then the residue decides, and it voids only partial and
    prototrophic calls.
    """
    for line in evidence.lines():
        plan = wash_plan(evidence.config, line)
        if plan.washes is not None:
            yield _count(evidence, line, plan)
        if not plan.missing and plan.washes:
            yield _volume(evidence, line, plan)
        if np.isnan(cells_per_well(evidence.config, line)):
            yield not_given(line, "protocol.seeding_cells_per_well", line)
        if plan.missing and evidence.residues.empty:
            yield from (not_given(line, field, line) for field in plan.missing)
    yield from _inputs(evidence)
    yield from _residues(evidence)


def _count(evidence: Evidence, line: str, plan: WashPlan) -> Ruling:
    count, bulk = plan.washes or 0, plan.kind == "bulk"
    in_plate = not bulk and evidence.config.cell_lines[line].growth_mode == "suspension"
    verdict = band(count >= evidence.settings.min_washes and not in_plate, count == 0)
    if in_plate:
        code = "P13_IN_PLATE" if count else "P13_IN_PLATE_NONE"
    else:
        code = "P13_WASHES" if count else "P13_NO_WASH"
    how = f"{'spin-' * bulk}wash{'es' * (count != 1)} {'in bulk' if bulk else 'in the plate'}"
    return Ruling(code, line, verdict, {"count": count, "how": how}, line)


def _volume(evidence: Evidence, line: str, plan: WashPlan) -> Ruling:
    settings = evidence.settings
    well = evidence.config.protocol.well_volume_uL or settings.assumed_well_volume_uL
    asked = well if plan.kind == "plate" else 1000 * settings.min_spin_wash_mL
    unit, factor = ("µL", 1.0) if plan.kind == "plate" else ("mL", 1000.0)
    values = {"volume": plan.wash_uL / factor, "asked": asked / factor, "unit": unit}
    return Ruling("P13_VOLUME", line, band(plan.wash_uL >= asked, False), values, line)


def _inputs(evidence: Evidence) -> Iterator[Ruling]:
    """What the model took for granted. It took the careful side, so that only what the protocol has
    to record keeps a call provisional.
    """
    protocol, wash = evidence.config.protocol, evidence.config.protocol.wash
    if wash is not None and wash.count:
        if wash.buffer is None:
            yield not_given("wash", "protocol.wash.buffer", limits=False)
        elif not any(word in wash.buffer.casefold() for word in SALINE):
            yield Ruling("P13_BUFFER", "wash", "warn", {"buffer": wash.buffer})
    for amino_acid in evidence.dropped:
        if getattr(protocol.previous_medium, f"{amino_acid}_uM", None) is None:
            # with an acclimatization medium, what was on the cells before the switch is on record
            field = f"protocol.previous_medium.{amino_acid}_uM"
            limits = not protocol.acclimatization_medium
            yield not_given("previous medium", field, amino_acid, limits)
    if protocol.well_volume_uL is None:
        yield not_given("wells", "protocol.well_volume_uL")


def _residues(evidence: Evidence) -> Iterator[Ruling]:
    for row in evidence.residues.to_dict("records"):
        line, amino_acid = str(row["cell_line"]), str(row["amino_acid"])
        alone = evidence.config.media[str(row["medium"])].removes == amino_acid
        scope = f"{line}|{amino_acid}" if alone else f"medium {row['medium']}"
        subject = f"{line}, {row['medium']}" + ("" if alone else f", {amino_acid}")
        if np.isnan(row["gr_mask"]):
            values = {"amino_acid": amino_acid, "advice": row["advice"]}
            missing = str(row["missing"])
            yield Ruling("P13_UNKNOWN", subject, "warn", values, scope, missing)
        else:
            values = {
                "residue": show_uM(row["residual_uM"]),
                "amino_acid": amino_acid,
                "gr_mask": row["gr_mask"],
                "advice": row["advice"],
            }
            yield Ruling("P13_RESIDUE", subject, str(row["verdict"]), values, scope)


WASH_CHECKS = (Check("P13", "fail", washed),)
