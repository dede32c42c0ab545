"""The washes, P13: first how they were done, then what the carry-over model makes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kit.protocol.base import FILE, Check, Evidence, Ruling, band, not_given
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
    asked, count = evidence.settings.min_washes, plan.washes or 0
    plural = "es" * (count != 1)
    in_plate = plan.kind == "plate" and evidence.config.cell_lines[line].growth_mode == "suspension"
    how = f"spin-wash{plural} in bulk" if plan.kind == "bulk" else f"wash{plural} in the plate"
    verdict = band(count >= asked and not in_plate, count == 0)
    advice = "" if count >= asked else f"Wash at least {asked} times."
    if in_plate:
        how_much = f"300 g, 5 min, {evidence.settings.min_spin_wash_mL:g} mL or more"
        advice = f"Wash suspension cells {asked} times in bulk tubes ({how_much}) before plating."
    return Ruling(
        line, f"{count} {how}", verdict, advice, line, "masking" if verdict == "fail" else ""
    )


def _volume(evidence: Evidence, line: str, plan: WashPlan) -> Ruling:
    settings = evidence.settings
    well = evidence.config.protocol.well_volume_uL or settings.assumed_well_volume_uL
    asked = well if plan.kind == "plate" else 1000 * settings.min_spin_wash_mL
    unit, factor = ("uL", 1.0) if plan.kind == "plate" else ("mL", 1000.0)
    good = plan.wash_uL >= asked
    advice = "" if good else f"Wash with at least {asked / factor:g} {unit}."
    return Ruling(
        line,
        f"washes of {plan.wash_uL / factor:g} {unit}, {asked / factor:g} {unit} asked",
        band(good, False),
        advice,
        line,
    )


def _inputs(evidence: Evidence) -> Iterator[Ruling]:
    """What the model took for granted. It took the careful side, so that only what the protocol has
    to record keeps a call provisional.
    """
    protocol, wash = evidence.config.protocol, evidence.config.protocol.wash
    if wash is not None and wash.count:
        if wash.buffer is None:
            yield not_given("wash", "protocol.wash.buffer", effect="none")
        elif not any(word in wash.buffer.casefold() for word in SALINE):
            yield Ruling(
                "wash",
                f"washed with {wash.buffer}",
                "warn",
                "Wash with PBS: a medium brings amino acids back.",
            )
    for amino_acid in evidence.dropped:
        if getattr(protocol.previous_medium, f"{amino_acid}_uM", None) is None:
            effect = (
                "none" if protocol.acclimatization_medium else ""
            )  # then the medium before the switch is on record
            yield not_given(
                "previous medium", f"protocol.previous_medium.{amino_acid}_uM", amino_acid, effect
            )
    if protocol.well_volume_uL is None:
        yield not_given("wells", "protocol.well_volume_uL")


def _residues(evidence: Evidence) -> Iterator[Ruling]:
    for row in evidence.residues.to_dict("records"):
        line, amino_acid = str(row["cell_line"]), str(row["amino_acid"])
        alone = evidence.config.media[str(row["medium"])].removes == amino_acid
        scope = f"{line}|{amino_acid}" if alone else f"medium {row['medium']}"
        subject = f"{line}, {row['medium']}" + ("" if alone else f", {amino_acid}")
        if np.isnan(row["gr_mask"]):
            missing = str(row.get("missing", ""))
            advice = str(row.get("advice", "")) or f"Fill in `protocol.wash` in {FILE}."
            yield Ruling(
                subject,
                f"{amino_acid} left over unknown",
                "warn",
                advice,
                scope,
                "masking",
                missing,
            )
            continue
        value = f"{show_uM(row['residual_uM'])} uM {amino_acid} left, GR_mask {row['gr_mask']:.2f}"
        verdict = str(row["verdict"])
        yield Ruling(
            subject,
            value,
            verdict,
            str(row.get("advice", "")),
            scope,
            "none" if verdict == "pass" else "masking",
        )


WASH_CHECKS = (
    Check(
        "P13",
        "at least {min_washes} washes with PBS of a well's volume or more (suspension: in bulk,"
        " {min_spin_wash_mL:g} mL); GR_mask below {gr_mask_moderate:g}, from {gr_mask_high:g}"
        " fails",
        "fail",
        washed,
    ),
)
