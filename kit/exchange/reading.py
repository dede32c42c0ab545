"""The uptake section of experiment.yaml -> amounts in the wells, counts and intracellular
asparagine, with what was found on the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kit.config.model import ExperimentConfig, Uptake
from kit.core.errors import InputError, Problems
from kit.core.findings import Finding
from kit.exchange import volume
from kit.exchange.calibration import Calibration, calibrate, cv_percent, drift_percent
from kit.readers.lcms.compounds import compound, molar_mass
from kit.readers.lcms.formats import quantifier, read_lcms
from kit.readers.lcms.samples import read_counts, read_intracellular, read_samples, read_transport
from kit.readers.lcms.units import micromolar

ARM = ["replicate", "cell_line", "medium", "condition"]
AMOUNTS = (*ARM, "sample", "kind", "hours", "amino_acid", "conc_uM", "volume_mL", "amount_nmol",
           "code")  # fmt: skip
QC = ("replicate", "amino_acid", "check", "value", "limit", "verdict", "code")


@dataclass(frozen=True)
class UptakeData:
    """`amounts` one row a sample and amino acid (kind cells or blank), `counts`, `intracellular`
    and `transport` (None where not measured), `qc` of the mass spectrometer, `evaporation`
    percent by replicate, and `findings`.
    """

    amounts: pd.DataFrame
    counts: pd.DataFrame
    intracellular: pd.DataFrame | None
    transport: pd.DataFrame | None
    qc: pd.DataFrame
    evaporation: dict[int, float]
    findings: tuple[Finding, ...]


def read_uptake(folder: Path, config: ExperimentConfig) -> UptakeData:
    """Every entry of `uptake`. Raises InputError with every problem of every file."""
    problems, parts = Problems(), []
    for number, entry in enumerate(config.uptake, 1):
        try:
            parts.append(_entry(folder, config, entry, number))
        except InputError as error:
            problems.extend(error.problems)
    problems.raise_if_any()

    def stacked(field: str) -> Any:
        tables = [table for part in parts if (table := getattr(part, field)) is not None]
        return pd.concat(tables, ignore_index=True) if tables else None

    amounts, counts, qc = stacked("amounts"), stacked("counts"), stacked("qc")
    found = tuple(finding for part in parts for finding in part.findings)
    evaporation = {key: value for part in parts for key, value in part.evaporation.items()}
    return UptakeData(
        amounts, counts, stacked("intracellular"), stacked("transport"), qc, evaporation, found
    )


def _entry(folder: Path, config: ExperimentConfig, entry: Uptake, number: int) -> UptakeData:
    lines, media, own = list(config.cell_lines), list(config.media), entry.replicate or number
    table = read_lcms(
        folder / entry.concentrations, name=entry.concentrations, unit=entry.unit or ""
    )
    sheet = read_samples(folder / entry.samples, entry.samples, lines, media)
    counts = read_counts(folder / entry.counts, entry.counts, lines, media)
    inside = entry.intracellular and read_intracellular(
        folder / entry.intracellular, entry.intracellular, lines, media
    )
    labelled = entry.transport and read_transport(folder / entry.transport, entry.transport, lines)
    sheet, counts = _numbered(sheet, own), _numbered(counts, own)
    sheet, losses, found = _volumes(sheet, entry, config)
    rows, more = _means(table.rows, entry)
    findings = [*table.findings, *found, *more]
    measured, qc, more = _concentrations(rows, sheet, config, own)
    findings += more
    wanted = sheet[sheet["kind"].isin(["cells", "blank"])]
    absent = wanted.loc[~wanted["sample"].isin(rows["sample"]), "sample"]
    if len(absent):
        values = {"samples": list(absent), "count": len(absent)}
        findings.append(Finding("UPTAKE_SAMPLE_ABSENT", "warn", entry.concentrations, values))
    amounts = wanted.merge(measured, on="sample", how="inner", validate="one_to_many")
    amounts["conc_uM"] *= amounts["dilution"].fillna(1.0)
    amounts["amount_nmol"] = amounts["conc_uM"] * amounts["volume_mL"]
    return UptakeData(
        amounts[list(AMOUNTS)],
        counts,
        _numbered(inside, own) if isinstance(inside, pd.DataFrame) else None,
        _numbered(labelled, own) if isinstance(labelled, pd.DataFrame) else None,
        qc,
        losses,
        tuple(findings),
    )


def _numbered(table: pd.DataFrame, own: int) -> pd.DataFrame:
    return table.assign(replicate=table["replicate"].fillna(own).astype(int))


def _volumes(
    sheet: pd.DataFrame, entry: Uptake, config: ExperimentConfig
) -> tuple[pd.DataFrame, dict[int, float], list[Finding]]:
    """Volume of each sample: as the sheet says, else the start less what evaporated."""
    start = entry.volume_mL or (config.protocol.well_volume_uL or math.nan) / 1000
    hours = sheet["hours"].to_numpy(float)
    last = float(np.nanmax(hours)) if np.isfinite(hours).any() else 0.0
    loss = entry.evaporation_percent
    loss = config.protocol.volume_loss_percent if loss is None else loss
    if entry.plate_masses_g and entry.empty_plate_g:
        weighed, masses = zip(*sorted(entry.plate_masses_g.items()), strict=True)
        guess = volume.from_masses(hours, weighed, masses, entry.empty_plate_g, start)
    else:
        guess = volume.from_loss(hours, loss or 0.0, last or 1.0, start)
    own = sheet["volume_mL"].to_numpy(float)
    sheet = sheet.assign(volume_mL=np.where(np.isfinite(own), own, guess))
    findings, losses = [], {}
    measured = sheet[sheet["kind"].isin(["cells", "blank"])]
    if measured["volume_mL"].isna().any():
        findings.append(Finding("UPTAKE_NO_VOLUME", "warn", entry.samples))
    for replicate, rows in measured.groupby("replicate"):
        span = rows.groupby("hours")["volume_mL"].mean().dropna()
        lost = 100 * (1 - float(span.iloc[-1] / span.iloc[0])) if len(span) > 1 else 0.0
        losses[int(str(replicate))] = lost
        if lost > config.settings.fail_volume_loss_percent:
            values = {"percent": lost, "limit": config.settings.fail_volume_loss_percent}
            findings.append(Finding("UPTAKE_EVAPORATION", "fail", f"replicate {replicate}", values))
    return sheet, losses, findings


def _means(rows: pd.DataFrame, entry: Uptake) -> tuple[pd.DataFrame, list[Finding]]:
    """Rows with their amino acid; ambiguous names are asked for, doubled compounds are missing."""
    named = rows["compound"].map(entry.compounds)
    rows = rows.assign(amino_acid=named.where(named.notna(), rows["amino_acid"]))
    findings = []
    for name in dict.fromkeys(rows.loc[rows["amino_acid"].eq(""), "compound"]):
        if choices := compound(name).choices:
            values = {"choices": list(choices)}
            findings.append(Finding("LCMS_AMBIGUOUS", "warn", str(name), values))
    rows = rows[rows["amino_acid"].ne("") & ~rows["internal_standard"]]
    areas = rows[rows["quantity"].eq("area")]
    for name, own in areas.groupby("amino_acid"):
        if len(set(own["transition"])) > 1:
            best = quantifier(own["transition"], own["value"].fillna(0.0))
            other = rows["amino_acid"].eq(name) & rows["transition"].ne(best)
            rows = rows[~other]
            findings.append(Finding("LCMS_TRANSITION", "info", str(name), {"transition": best}))
    keys = ["sample", "amino_acid", "quantity"]
    twice = rows.duplicated(keys, keep=False)
    for name in dict.fromkeys(rows.loc[twice, "amino_acid"]):
        findings.append(Finding("LCMS_TWICE", "warn", str(name)))
    rows = rows.assign(code=np.where(twice, "LCMS_TWICE", ""))
    rows.loc[twice, "value"] = np.nan
    return rows.drop_duplicates(keys), findings


def _concentrations(
    rows: pd.DataFrame, sheet: pd.DataFrame, config: ExperimentConfig, replicate: int
) -> tuple[pd.DataFrame, pd.DataFrame, list[Finding]]:
    """µM of each sample and amino acid, the mass spectrometer's quality, and findings. A stated
    concentration counts before one from areas and standards.
    """
    about = sheet.set_index("sample")
    sheet_known = rows["sample"].map(about["known_uM"])
    known = sheet_known.where(sheet_known.notna(), rows["known"])
    kinds = about["kind"].to_dict()
    rows = rows.assign(kind=[kinds.get(name, "") for name in rows["sample"]], known=known)
    standard = rows["kind"].eq("standard") | (
        rows["kind"].eq("") & rows["sample_type"].str.contains(r"(?i)^(?:std|cal|standard)")
    )
    found, qc, findings = [], [], []
    for name, own in rows.groupby("amino_acid", sort=False):
        own = own.assign(standard=standard.loc[own.index])
        stated = own[own["quantity"].eq("conc")]
        usable = stated["value"].notna().any() or own["code"].ne("").any()
        part, line, code = _stated(stated, str(name)) if usable else _calibrated(own)
        if code:
            findings.append(Finding(code, "warn", str(name)))
        high = stated.loc[stated["standard"], "known"].max() if usable else line.high
        part = _in_range(part, float(high), float(line.low))
        for why in ("UPTAKE_ABOVE_RANGE", "UPTAKE_BELOW_RANGE"):
            out = part.loc[part["code"].eq(why), "sample"]
            if len(out):
                values = {"samples": list(out), "high": float(high), "low": float(line.low)}
                findings.append(Finding(why, "warn", str(name), values))
        found.append(part.assign(amino_acid=name))
        qc += _quality(own, part, line, config, replicate, str(name))
    columns = ["sample", "amino_acid", "conc_uM", "code"]
    table = pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)
    return table, pd.DataFrame(qc, columns=QC), findings


def _stated(rows: pd.DataFrame, name: str) -> tuple[pd.DataFrame, Calibration, str]:
    """Concentrations of the file in µM; without a unit there are none."""
    nothing = Calibration(*[math.nan] * 5, 0)
    factor = rows["unit"].map(lambda unit: micromolar(str(unit), molar_mass(name)))
    bare = bool(factor.isna().any() and rows["code"].eq("").all())
    code = rows["code"].where(rows["code"].ne("") | factor.notna(), "LCMS_NO_UNIT")
    part = rows.assign(conc_uM=rows["value"] * factor, code=code)
    return part, nothing, "LCMS_NO_UNIT" if bare else ""


def _calibrated(rows: pd.DataFrame) -> tuple[pd.DataFrame, Calibration, str]:
    """Concentrations from areas over those of the internal standard, by the standards."""
    areas = rows[rows["quantity"].eq("area")]
    with_standard = areas["standard_area"].notna().all() and len(areas) > 0
    response = areas["value"] / (areas["standard_area"] if with_standard else 1.0)
    known = areas["known"].where(areas["standard"])
    line = calibrate(known, response)
    code = "" if math.isfinite(line.slope) else "LCMS_NO_STANDARDS"
    missing = areas["code"].where(areas["code"].ne(""), code)
    return areas.assign(conc_uM=line.concentration(response), code=missing), line, code


def _in_range(part: pd.DataFrame, high: float, low: float) -> pd.DataFrame:
    """Concentrations outside the standards are missing, with a code."""
    measured = part["conc_uM"] / part["dilution"]
    wanted = part["kind"].isin(["cells", "blank"]) & part["code"].eq("")
    above = wanted & (measured > high * 1.0001)
    below = wanted & (measured < low * 0.9999)
    code = part["code"].mask(above, "UPTAKE_ABOVE_RANGE").mask(below, "UPTAKE_BELOW_RANGE")
    return part.assign(conc_uM=part["conc_uM"].mask(above | below), code=code)


def _quality(
    own: pd.DataFrame,
    part: pd.DataFrame,
    line: Calibration,
    config: ExperimentConfig,
    replicate: int,
    name: str,
) -> list[tuple]:
    """Back-calculated error of standards, spread and drift of QC samples."""
    s = config.settings
    qc = part[part["kind"].eq("qc") | part["sample_type"].str.contains(r"(?i)^(?:qc|quality)")]
    standards = part[part["standard"] & part["known"].gt(0)]
    back = (100 * (standards["conc_uM"] / standards["known"] - 1)).abs().max()
    worst = back if math.isfinite(back) else line.worst_percent
    checks = [
        ("calibration_error_percent", worst, s.max_calibration_error_percent),
        ("qc_cv_percent", cv_percent(qc["conc_uM"]), s.max_lcms_cv_percent),
        ("qc_drift_percent", drift_percent(qc["order"], qc["conc_uM"]), s.max_lcms_cv_percent),
        (
            "internal_standard_cv_percent",
            cv_percent(own["standard_area"]),
            2 * s.max_lcms_cv_percent,
        ),
    ]
    rows = []
    for check, value, limit in checks:
        known = math.isfinite(value)
        good = known and abs(value) <= limit
        code = "LCMS_QC_GOOD" if good else "LCMS_QC_BAD" if known else "LCMS_QC_NONE"
        verdict = "pass" if good else "warn" if known else "info"
        rows.append((replicate, name, check, float(value), limit, verdict, code))
    return rows
