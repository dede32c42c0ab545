"""What a call rests on: growth, death, rescue, carry-over and protocol of one line in one dropout
medium, with what each forbids.

Gathering judges nothing: it collects findings whose codes void, mask or cap a call, and
`kit.calls.calls` decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.findings import Finding, codes, has_code, listing
from kit.plates.design import nearest
from kit.protocol.carryover_model import show_uM


@dataclass(frozen=True)
class Cells:
    """GR and SA of every line in every medium but control, one array of replicates each: what the
    experiment's own scatter is pooled from.
    """

    gr: tuple[np.ndarray, ...] = ()
    sa: tuple[np.ndarray, ...] = ()


@dataclass
class Evidence:
    """Everything a call rests on, for one line and amino acid; GR and SA hold one value per
    biological replicate.

    `findings` are what limits the call, each by the effect of its code: `voids` forbid any call,
    `masks` a partial or prototrophic one; `caps` keep any call from being confident, `mask_caps`
    all but an auxotrophic one, since carry-over can hide an auxotroph and never make one. `notes`
    are said beside a call.
    """

    cell_line: str
    amino_acid: str
    medium: str
    gr: np.ndarray
    sa: np.ndarray | None
    gr_mask: float = np.nan
    rescue: str = ""
    rescue_index: float = np.nan
    findings: list[Finding] = field(default_factory=list)
    death: str = "Annexin V+"
    gr_replicates: tuple[int, ...] = ()
    sa_replicates: tuple[int, ...] = ()
    death_hours: tuple[float, ...] = ()
    cells: Cells = field(default_factory=lambda: Cells())
    comparable: bool = True
    """Read near enough to the source's times to be compared with its table (P16)."""

    def with_effect(self, effect: str, *severities: str) -> list[Finding]:
        """The findings of this effect, of these severities (all when none is named)."""
        return [
            item
            for item in self.findings
            if item.effect == effect and (not severities or item.severity in severities)
        ]

    @property
    def voids(self) -> list[Finding]:
        return self.with_effect("void")

    @property
    def masks(self) -> list[Finding]:
        return self.with_effect("mask", "fail")

    @property
    def mask_caps(self) -> list[Finding]:
        return self.with_effect("mask", "warn")

    @property
    def caps(self) -> list[Finding]:
        return self.with_effect("cap")

    @property
    def notes(self) -> list[Finding]:
        return self.with_effect("remark")

    def add(self, code: str, severity: str = "warn", **values: object) -> None:
        """Note what was found."""
        named = {"amino_acid": self.amino_acid, **values}
        self.findings.append(Finding(code, severity, self.cell_line, named))

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
    onset: pd.DataFrame | None = None,
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
    known = arms[arms["gr"].notna() & ~_left_out(arms)]
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
    evidence.rescue = _added_back(evidence, onset, config.settings)
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


def _left_out(arms: pd.DataFrame) -> pd.Series:
    """Failed replicates that the call does without (`kit.plates.growth.left_out`)."""
    if "left_out" not in arms:
        return pd.Series(False, index=arms.index)
    return arms["left_out"].astype(bool)


def _plates(evidence: Evidence, arms: pd.DataFrame) -> None:
    out = _left_out(arms)
    failed = arms[arms["verdict"].eq("fail") & ~out]
    told = (
        ("CALL_REPLICATE_FAILED", "fail", failed),
        ("CALL_REPLICATE_LEFT_OUT", "warn", arms[out]),
    )
    for code, severity, rows in told:
        for note, group in rows.groupby("note"):
            numbers = [int(number) for number in group["replicate"]]
            which = f"Replicate{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
            evidence.add(code, severity, which=which, note=note)
    arms = arms[~out]
    if arms.empty:
        evidence.add("CALL_NO_GROWTH", "fail")
    elif has_code(arms["code"], "INCORPORATION").any():
        evidence.add("CALL_INCORPORATION", "fail")
    elif not len(evidence.gr) and failed.empty:
        evidence.add("CALL_GR_UNDEFINED", "fail", note=arms["note"].iloc[0])
    if arms["gr_basis"].eq("doubling time").any():
        evidence.add("CALL_BY_DOUBLING_TIME")
    slow = arms[arms["verdict"].eq("warn") & has_code(arms["code"], "CONTROL_SLOW")]
    if len(slow):
        evidence.add("CALL_CONTROL_SLOW", doublings=slow["control_doublings"].iloc[0])
    for note in dict.fromkeys(arms["readout_note"]):
        if note:
            evidence.add("CALL_READOUTS_DISAGREE", note=note)
    if arms["below_lod"].any():
        evidence.add("CALL_BELOW_LOD", "info")
        evidence.add("CALL_ONLY_A_BOUND", "fail")


def _apoptosis(evidence: Evidence, rows: pd.DataFrame | None, config: ExperimentConfig) -> None:
    if rows is None:
        evidence.add("CALL_NO_DEATH")
        return
    usable = rows[rows["verdict"].ne("fail") & rows["specific_apoptosis"].notna()].sort_values(
        "replicate"
    )
    if usable.empty:
        note = rows["note"].iloc[0] if "note" in rows else ""
        evidence.add("CALL_DEATH_UNUSABLE", note=note or "no usable sample")
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
        counted = f"{count} biological replicate{'s' * (count > 1)}"
        evidence.add("CALL_DEATH_FEW", counted=counted, min_replicates=asked)
    _unlinked(evidence)


def _unlinked(evidence: Evidence) -> None:
    """Name the replicates that have growth without death, or death without growth."""
    both = set(evidence.gr_replicates) & set(evidence.sa_replicates)
    for what, numbers in (("Death", evidence.gr_replicates), ("Growth", evidence.sa_replicates)):
        lacking = sorted(set(numbers) - both)
        if lacking and evidence.gr_replicates:
            which = f"replicate{'s' * (len(lacking) > 1)} {listing(lacking)}"
            evidence.add("CALL_UNLINKED", "info", what=what, which=which)


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
    settled = evidence.rescue == "reversible"
    if not config.rescues(evidence.amino_acid):
        if not settled:
            evidence.add("CALL_NO_RESCUE_MEDIUM")
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
        if not settled:
            evidence.add("CALL_RESCUE_NOT_MEASURED", elsewhere=elsewhere)
        return
    ordered = sorted(rows.to_dict("records"), key=lambda row: CAUTIOUS.index(row["class"]))
    found, evidence.rescue_index = ordered[0]["class"], ordered[0]["rescue_index"]
    if not (settled and found in ("indeterminate", "not_applicable")):
        evidence.rescue = found
    if len({row["class"] for row in ordered}) > 1:
        told = ", ".join(f"{row['medium']} {row['class'].replace('_', ' ')}" for row in ordered)
        evidence.add("CALL_RESCUES_DIFFER", "info", found=told)


ADDED_BACK = {
    "reversible": "CALL_ADDBACK_REVERSIBLE",
    "partly_reversible": "CALL_ADDBACK_IN_PART",
    "irreversible": "CALL_ADDBACK_IRREVERSIBLE",
}


def _added_back(evidence: Evidence, onset: pd.DataFrame | None, settings: Settings) -> str:
    """`reversible` where a time course with add-back over enough experiments shows that growth
    returns: then the loss is specific, whatever the rescue medium was. Said in the reasons.
    """
    if onset is None or onset.empty:
        return ""
    rows = onset[
        onset["cell_line"].eq(evidence.cell_line)
        & onset["medium"].eq(evidence.medium)
        & onset["replicate"].eq("all")
        & onset["n_recovered"].ge(settings.min_replicates)
    ]
    found = str(rows["class"].iloc[0]) if len(rows) else ""
    if found in ADDED_BACK:
        row = rows.iloc[0]
        values = {"onset": float(row["onset_h"]), "percent": 100 * float(row["recovery_share"])}
        evidence.add(ADDED_BACK[found], "info", **values)
        doubts = [code for code in str(row["code"]).split() if codes()[code].effect == "cap"]
        if doubts:
            evidence.add("CALL_TIMECOURSE_DOUBTED", why=[codes()[code].title for code in doubts])
    return found if found == "reversible" else ""


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
    masked = {"gr_mask": evidence.gr_mask, "gr_mask_high": settings.gr_mask_high}
    if np.isnan(evidence.gr_mask):
        missing = str(rows.iloc[0].get("missing", "")).split() or ["protocol.wash"]
        evidence.add("CALL_CARRYOVER_UNKNOWN", fields=[f"`{name}`" for name in missing])
    elif evidence.gr_mask >= settings.gr_mask_high:
        evidence.add("CALL_CARRYOVER_HIGH", "fail", residue=show_uM(residue), **masked)
    elif evidence.gr_mask >= settings.gr_mask_moderate:
        evidence.add("CALL_CARRYOVER_MODERATE", **masked)


def _compliance(
    evidence: Evidence, compliance: pd.DataFrame | None, config: ExperimentConfig
) -> None:
    """Failed or doubtful protocol checks that touch this line and amino acid, by the effect each
    check declares.
    """
    if compliance is None:
        return
    bad = compliance["verdict"].isin(["warn", "fail"])
    scopes = ("all", evidence.cell_line, evidence.amino_acid)
    here = compliance["scope"].isin([*scopes, f"{evidence.cell_line}|{evidence.amino_acid}"])
    rows = compliance[bad & here]
    # without a rescue medium, P08 says no more than the finding on rescue does
    unrescued = not config.rescues(evidence.amino_acid)
    evidence.comparable = not (rows["check"].eq("P16") & rows["verdict"].eq("fail")).any()
    capped = []
    for row in rows.to_dict("records"):
        if row["verdict"] == "fail" and row["effect"] in ("void", "masking"):
            said = f"{row['check']} {row['subject']}: {row['value']}.".replace(": .", ".")
            evidence.findings.append(Finding(row["code"], "fail", row["subject"], said=said))
        elif row["effect"] == "cap" and not (row["check"] == "P08" and unrescued):
            capped.append(row["check"])
    if capped:
        evidence.add("CALL_PROTOCOL_WARNS", checks=", ".join(dict.fromkeys(capped)))
    if not evidence.comparable:
        evidence.add("CALL_NOT_COMPARABLE", "info")
