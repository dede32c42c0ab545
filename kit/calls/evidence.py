"""What a call rests on: growth, death, rescue, carry-over and protocol of one line in one dropout
medium, with what each forbids.

Gathering judges nothing: it writes down sentences that void, mask or cap a call, and
`kit.calls.calls` decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.plates.design import nearest
from kit.protocol.carryover_model import show_uM


@dataclass
class Evidence:
    """Everything a call rests on, for one line and amino acid; GR and SA hold one value per
    biological replicate.

    `voids` forbid any call, `masks` a partial or prototrophic one; `caps` keep any call from being
    confident, `mask_caps` all but an
    auxotrophic one, since carry-over can hide an auxotroph and never make one. `remarks` tell where
    the numbers come from, whatever the
    call; `notes` are said beside a call.
    """

    cell_line: str
    amino_acid: str
    medium: str
    gr: np.ndarray
    sa: np.ndarray | None
    gr_mask: float = np.nan
    rescue: str = ""
    rescue_index: float = np.nan
    voids: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    caps: list[str] = field(default_factory=list)
    mask_caps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    death: str = "Annexin V+"
    gr_replicates: tuple[int, ...] = ()
    sa_replicates: tuple[int, ...] = ()
    death_hours: tuple[float, ...] = ()
    comparable: bool = True
    """Read near enough to the source's times to be compared with its table (P16)."""

    @property
    def linked(self) -> list[tuple[int, int]] | None:
        """Positions in `gr` and `sa` of the replicates that have both; None where the replicates
        are not named.
        """
        if not self.gr_replicates or not self.sa_replicates:
            return None
        return [
            (i, self.sa_replicates.index(number))
            for i, number in enumerate(self.gr_replicates)
            if number in self.sa_replicates
        ]

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray | None]:
        """GR and SA of the replicates that have both, for drawing; GR alone where there is no
        death.
        """
        if self.sa is None or (pairs := self.linked) is None:
            return self.gr, self.sa
        return self.gr[[i for i, _ in pairs]], self.sa[[j for _, j in pairs]]


def gather(
    config: ExperimentConfig,
    line: str,
    amino_acid: str,
    medium: str,
    arms: pd.DataFrame,
    apoptosis: pd.DataFrame | None,
    rescue: pd.DataFrame | None,
    carryover: pd.DataFrame | None,
    compliance: pd.DataFrame | None,
) -> Evidence | None:
    """Collect what is known of one line in one dropout medium; None when nothing was measured
    there.

    `arms` are the growth readings that calls rest on (`kit.plates.readouts.call_arms`), of all
    lines.
    """
    arms = arms[arms["cell_line"].eq(line) & arms["medium"].eq(medium)]
    death = _death(apoptosis, line, medium, config.settings)
    if arms.empty and death is None:
        return None
    known = arms[arms["gr"].notna()]
    evidence = Evidence(
        line,
        amino_acid,
        medium,
        known["gr"].to_numpy(float),
        None,
        gr_replicates=tuple(known["replicate"]),
    )
    _plates(evidence, arms)
    _apoptosis(evidence, death, config)
    _rescue(evidence, rescue, arms, config)
    _masking(evidence, carryover, config.settings)
    _compliance(evidence, compliance, config)
    return evidence


def _death(
    apoptosis: pd.DataFrame | None, line: str, medium: str, settings: Settings
) -> pd.DataFrame | None:
    """The samples of this line and medium: of each replicate the one nearest to `apoptosis_h`."""
    if apoptosis is None:
        return None
    rows = apoptosis[apoptosis["cell_line"].eq(line) & apoptosis["medium"].eq(medium)]
    if "hours" in rows and rows["hours"].notna().any():
        rows = nearest(rows, settings.apoptosis_h)
    return rows if len(rows) else None


def _plates(evidence: Evidence, arms: pd.DataFrame) -> None:
    failed = arms[arms["verdict"].eq("fail")]
    for note, group in failed.groupby("note"):
        which = ", ".join(str(int(replicate)) for replicate in group["replicate"])
        evidence.voids.append(f"Replicate{'s' * int(len(group) > 1)} {which}: {note}.")
    if arms.empty:
        evidence.voids.append("Growth was not measured in this medium.")
    elif arms["note"].str.contains("S-phase incorporation").any():
        evidence.voids.append(
            "Only BrdU or EdU was read: incorporation is not biomass, so there is no GR value."
        )
    elif not len(evidence.gr) and failed.empty:
        evidence.voids.append(f"GR is undefined: {arms['note'].iloc[0]}.")
    if arms["gr_basis"].eq("doubling time").any():
        evidence.caps.append("GR rests on a given doubling time, not on a 0 h plate.")
    grown = arms.loc[arms["verdict"].eq("warn") & arms["note"].str.contains("doublings"), "note"]
    if len(grown):
        evidence.caps.append(
            f"{grown.iloc[0].split(';')[0][:1].upper()}{grown.iloc[0].split(';')[0][1:]}."
        )
    evidence.remarks += [note for note in dict.fromkeys(arms["readout_note"]) if note]
    evidence.caps += evidence.remarks
    if arms["below_lod"].any():
        evidence.notes.append("Signal below the limit of detection: GR is an upper bound.")


def _apoptosis(evidence: Evidence, rows: pd.DataFrame | None, config: ExperimentConfig) -> None:
    if rows is None:
        evidence.caps.append("Death was not assessed.")
        return
    usable = rows[rows["verdict"].ne("fail") & rows["specific_apoptosis"].notna()].sort_values(
        "replicate"
    )
    if usable.empty:
        note = rows["note"].iloc[0] if "note" in rows else ""
        evidence.caps.append(f"Death could not be assessed: {note or 'no usable sample'}.")
        return
    if config.protocol.caspase_evidence:
        evidence.death = "apoptotic"
    evidence.sa, evidence.sa_replicates = (
        usable["specific_apoptosis"].to_numpy(float),
        tuple(usable["replicate"]),
    )
    evidence.death_hours = tuple(sorted(set(usable["hours"].dropna()))) if "hours" in usable else ()
    asked, count = config.settings.min_replicates, len(usable)
    if count < asked:
        evidence.caps.append(
            f"Death rests on {count} biological replicate{'s' * (count > 1)} (min_replicates ="
            f" {asked})."
        )
    _unlinked(evidence)


def _unlinked(evidence: Evidence) -> None:
    """Name the replicates that have growth without death, or death without growth."""
    both = set(evidence.gr_replicates) & set(evidence.sa_replicates)
    for what, numbers in (("Death", evidence.gr_replicates), ("Growth", evidence.sa_replicates)):
        lacking = sorted(set(numbers) - both)
        if lacking and evidence.gr_replicates:
            evidence.notes.append(
                f"{what} has no usable value in replicate{'s' * (len(lacking) > 1)}"
                f" {', '.join(f'{number:g}' for number in lacking)}."
            )


CAUTIOUS = ("failed", "indeterminate", "partial", "likely_full", "full", "not_applicable")
"""Rescue classes, the one that claims least first. Of several rescue media it decides; not
applicable says nothing.
"""


def _rescue(
    evidence: Evidence, rescue: pd.DataFrame | None, arms: pd.DataFrame, config: ExperimentConfig
) -> None:
    """The rescue of this amino acid, read as the call's own growth was: in another readout it is
    another measurement.
    """
    if not config.rescues(evidence.amino_acid):
        evidence.rescue = ""
        evidence.caps.append(
            f"No medium gives {evidence.amino_acid} back: the loss is not shown to be specific."
        )
        return
    rows = (
        pd.DataFrame()
        if rescue is None
        else rescue[
            rescue["cell_line"].eq(evidence.cell_line) & rescue["restores"].eq(evidence.amino_acid)
        ]
    )
    elsewhere = ""
    if len(rows) and len(arms):
        same = rows["readout"].isin(arms["readout"])
        elsewhere = f" by {arms['readout'].iloc[0]}" if not same.any() else ""
        rows = rows[same]
    if rows.empty:
        evidence.caps.append(
            f"Rescue with {evidence.amino_acid} was not measured{elsewhere} in this line."
        )
        return
    ordered = sorted(rows.to_dict("records"), key=lambda row: CAUTIOUS.index(row["class"]))
    evidence.rescue, evidence.rescue_index = ordered[0]["class"], ordered[0]["rescue_index"]
    if len({row["class"] for row in ordered}) > 1:
        found = ", ".join(f"{row['medium']} {row['class'].replace('_', ' ')}" for row in ordered)
        evidence.remarks.append(
            f"The rescue media differ ({found}): the more cautious class counts."
        )


def _masking(evidence: Evidence, carryover: pd.DataFrame | None, settings: Settings) -> None:
    if carryover is None:
        return
    keys = (
        carryover["cell_line"].eq(evidence.cell_line)
        & carryover["medium"].eq(evidence.medium)
        & carryover["amino_acid"].eq(evidence.amino_acid)
    )
    rows = carryover[keys]
    if rows.empty:
        return
    evidence.gr_mask = float(rows["gr_mask"].max())
    residue = rows["residual_uM"].max()
    if np.isnan(evidence.gr_mask):
        fields = (
            " and ".join(f"`{name}`" for name in str(rows.iloc[0].get("missing", "")).split())
            or "`protocol.wash`"
        )
        evidence.mask_caps.append(
            f"Carry-over of {evidence.amino_acid} is unknown: fill in {fields} in experiment.yaml."
        )
    elif evidence.gr_mask >= settings.gr_mask_high:
        text = (
            f"Carry-over of {show_uM(residue)} µM {evidence.amino_acid} alone could let an"
            f" auxotroph reach GR {evidence.gr_mask:.2f}"
        )
        evidence.masks.append(f"{text} (gr_mask_high = {settings.gr_mask_high:g}).")
    elif evidence.gr_mask >= settings.gr_mask_moderate:
        evidence.mask_caps.append(f"Carry-over could account for GR up to {evidence.gr_mask:.2f}.")


def _compliance(
    evidence: Evidence, compliance: pd.DataFrame | None, config: ExperimentConfig
) -> None:
    """Failed or doubtful protocol checks that touch this line and amino acid, by the effect each
    check declares.
    """
    if compliance is None:
        return
    scopes = (
        "all",
        evidence.cell_line,
        evidence.amino_acid,
        f"{evidence.cell_line}|{evidence.amino_acid}",
    )
    rows = compliance[
        compliance["scope"].isin(scopes) & compliance["verdict"].isin(["warn", "fail"])
    ]
    unrescued = not config.rescues(
        evidence.amino_acid
    )  # then P08 says no more than the sentence on rescue does
    evidence.comparable = not (rows["check"].eq("P16") & rows["verdict"].eq("fail")).any()
    capped = []
    for row in rows.to_dict("records"):
        text = f"{row['check']} {row['subject']}: {row['value']}".rstrip(": ")
        if row["verdict"] == "fail" and row["effect"] == "void":
            evidence.voids.append(f"{text}.")
        elif row["verdict"] == "fail" and row["effect"] == "masking":
            evidence.masks.append(f"{text}.")
        elif row["effect"] == "cap" and not (row["check"] == "P08" and unrescued):
            capped.append(row["check"])
    if capped:
        evidence.caps.append(
            f"Protocol checks {', '.join(dict.fromkeys(capped))} warn (see the compliance table)."
        )
    if not evidence.comparable:
        evidence.notes.append(
            "Read too far from the source's times (P16): not compared with its table."
        )
