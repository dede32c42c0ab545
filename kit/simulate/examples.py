"""Writes simulated experiments as folders, in the formats of several reader vendors: `python -m
kit.simulate.examples data/examples`.

The same bytes come out each time, whatever the day and the machine.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd

from kit.core.wells import row_letters
from kit.simulate import (
    doses,
    synthetic,
    synthetic_blots,
    synthetic_signaling,
    synthetic_timecourse,
    synthetic_uptake,
)

Grid = np.ndarray
_EPOCH = (2026, 3, 2, 0, 0, 0)


def _grid(plan: pd.DataFrame, where: str = "signal") -> Grid:
    return plan.pivot_table(index="row", columns="column", values=where, sort=True).to_numpy(float)


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"


def envision_csv(plan: pd.DataFrame, plate: str) -> bytes:
    """In the manner of a PerkinElmer EnVision list: a plate block, then a labelled grid."""
    lines = [
        "Plate information",
        "Plate,Repeat,Barcode,Measured height,Measurement date",
        f"1,1,{plate},N/A,2026-03-04 10:12:00",
        "",
        "Results for US LUM 96 (1)",
        "," + ",".join(f"{column:02d}" for column in range(1, 13)) + ",",
    ]
    for index, row in enumerate(_grid(plan), start=1):
        lines.append(row_letters(index) + "," + ",".join(f"{value:.3f}" for value in row) + ",")
    lines += ["", "Protocol information", "Protocol name,CTG_LUM 96", ""]
    return "\r\n".join(lines).encode()


def gen5_txt(plan: pd.DataFrame, plate: str) -> bytes:
    """In the manner of an Agilent BioTek Gen5 report: tab-separated, each row ending in the name of
    its read.
    """
    lines = [
        "",
        "Software Version\t3.12.08",
        "",
        "Plate Number\t" + plate,
        "Reader Type:\tSynergy",
        "",
        "Procedure Details",
        "Read\tLUM",
        "",
        "Results",
        "\t" + "\t".join(str(column) for column in range(1, 13)),
    ]
    for index, row in enumerate(_grid(plan), start=1):
        lines.append(
            row_letters(index) + "\t" + "\t".join(_number(value) for value in row) + "\tLum"
        )
    return ("\r\n".join(lines) + "\r\n").encode()


def mars_csv(plan: pd.DataFrame, plate: str) -> bytes:
    """In the manner of a BMG MARS table: header lines, then a grid with semicolons and a byte-order
    mark.
    """
    lines = [
        "User: USER;Path: C:\\Data;Test run no.: 12",
        "Test name: CELLTITER GLO;Date: 04.03.2026;Time: 10:12:00",
        f"ID1: {plate};ID2: ;ID3: ",
        "Luminescence",
        "",
        "Raw Data (Lens)",
        "",
        ";" + ";".join(str(column) for column in sorted(plan["column"].unique())),
    ]
    for index, row in enumerate(_grid(plan), start=1):
        lines.append(row_letters(index) + ";" + ";".join(_number(value) for value in row))
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def tecan_xlsx(plan: pd.DataFrame, plate: str) -> bytes:
    """In the manner of Tecan i-control: settings, then a grid under `<>`."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sheet1"
    header = [
        "Application: Tecan i-control",
        "Device: infinite",
        f"Plate: {plate}",
        "",
        "Mode: Luminescence",
        "Attenuation: NONE",
        "Integration Time: 1000 ms",
        "",
    ]
    for line in header:
        sheet.append([line])
    sheet.append(["<>", *range(1, 13)])
    for index, row in enumerate(_grid(plan), start=1):
        sheet.append(
            [row_letters(index), *[int(value) if np.isfinite(value) else "OVER" for value in row]]
        )
    return workbook_bytes(book)


def workbook_bytes(book: openpyxl.Workbook) -> bytes:
    """An Excel file without the time of day in it, so that the same content is the same bytes."""
    raw, out = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w") as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "docProps/core.xml":
                content = (
                    b'<?xml version="1.0" encoding="UTF-8"?><cp:coreProperties'
                    b' xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
                )
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = (
                0o644 << 16
            )  # stored: compressed bytes would depend on the zlib at hand
            new.writestr(info, content)
    return out.getvalue()


VENDORS: dict[str, tuple[str, Callable[[pd.DataFrame, str], bytes]]] = {
    "Jurkat": ("csv", envision_csv),
    "MOLT-4": ("xlsx", tecan_xlsx),
    "A549": ("txt", gen5_txt),
    "MDA-MB-231": ("csv", mars_csv),
}


def layout_csv(plan: pd.DataFrame) -> bytes:
    """One row per well."""
    return (
        plan[["well", *(["cell_line"] if "cell_line" in plan else []), "medium", "role"]]
        .to_csv(index=False, lineterminator="\n")
        .encode()
    )


def layout_xlsx(plan: pd.DataFrame) -> bytes:
    """One plate-shaped sheet per attribute."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for attribute in ("medium", "role"):
        sheet = book.create_sheet(attribute)
        cells = plan.pivot_table(index="row", columns="column", values=attribute, aggfunc="first")
        sheet.append([attribute, *cells.columns])
        for index, row in zip(cells.index, cells.to_numpy(), strict=True):
            sheet.append([row_letters(index), *[value or None for value in row]])
    return workbook_bytes(book)


def layout_toml(plan: pd.DataFrame) -> bytes:
    """A wellmap file, well by well (a randomised plate has no blocks)."""
    lines = ["# wellmap layout: https://wellmap.readthedocs.io", ""]
    for record in plan.to_dict("records"):
        medium = f"medium = '{record['medium']}'\n" if record["medium"] else ""
        lines.append(f"[well.{record['well']}]\n{medium}role = '{record['role']}'\n")
    return "\n".join(lines).encode()


def write(folder: Path, text: str, files: dict[str, bytes]) -> None:
    """experiment.yaml and its files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiment.yaml").write_bytes(text.encode())
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def demo_01(root: Path) -> None:
    """EXP-DEMO-01: four lines, five media, three biological replicates, plates in four vendors'
    formats; three ASNS blots and mRNA.
    """
    truth = synthetic.demo_01()
    plates = synthetic.plates(truth)
    plans = {plate["hours"]: plate["plan"] for plate in plates}
    files = {
        "layouts/start.toml": layout_toml(plans[0.0]),
        "layouts/dropout.csv": layout_csv(plans[48.0]),
        "layouts/dropout.xlsx": layout_xlsx(plans[48.0]),
    }
    entries = []
    for plate in plates:
        ending, vendor = VENDORS[plate["cell_line"]]
        name = f"raw/{plate['plate'].lower()}.{ending}"
        files[name] = vendor(plate["plan"], plate["plate"])
        chart = (
            "layouts/start.toml"
            if plate["hours"] == 0
            else f"layouts/dropout.{'xlsx' if plate['cell_line'] == 'A549' else 'csv'}"
        )
        entries.append(_entry(plate, name, chart))
    files["raw/annexin_72h.csv"] = _csv(synthetic.flow_table(truth))
    for replicate in range(1, truth.replicates + 1):
        files[f"raw/asns-blot-r{replicate}.csv"] = _csv(synthetic_blots.membrane(truth, replicate))
    files["raw/asns-mrna.csv"] = _csv(synthetic_blots.mrna_table(truth))
    write(root / "EXP-DEMO-01", DEMO_01 + "\n".join(entries) + "\n" + FLOW + ASNS, files)


def demo_02(root: Path) -> None:
    """EXP-DEMO-02: undialyzed serum, one wash, an edge effect, no rescue, a saturated well, two
    replicates.
    """
    truth = synthetic.demo_02()
    plates = synthetic.plates(truth)
    files = {
        "layouts/start.csv": layout_csv(plates[0]["plan"]),
        "layouts/full_plate.csv": layout_csv(plates[1]["plan"]),
    }
    entries = []
    for plate in plates:
        plan = plate["plan"]
        if plate["plate"] == "A549-48h-R2":
            hot = plan.index[plan["role"].eq("sample") & plan["medium"].eq("complete")][4]
            plan = plan.assign(signal=plan["signal"].where(plan.index != hot))
        name = f"raw/{plate['plate'].lower()}.xlsx"
        files[name] = tecan_xlsx(
            (
                plan.assign(signal=plan["signal"].fillna(np.inf))
                if plan["signal"].isna().any()
                else plan
            ),
            plate["plate"],
        )
        entries.append(
            _entry(
                plate,
                name,
                "layouts/start.csv" if plate["hours"] == 0 else "layouts/full_plate.csv",
            )
        )
    write(root / "EXP-DEMO-02", DEMO_02 + "\n".join(entries) + "\n", files)


def demo_03(root: Path) -> None:
    """EXP-DEMO-03: twelve lines on shared 384-well plates, three ASNS blots, mRNA: protein explains
    sensitivity, mRNA does not.
    """
    truth = synthetic.demo_03()
    plates = synthetic.shared_plates(truth)
    files = {
        "layouts/start.csv": layout_csv(plates[0]["plan"]),
        "layouts/dropout.csv": layout_csv(plates[1]["plan"]),
    }
    entries = []
    for plate in plates:
        name = f"raw/{plate['plate'].lower()}.csv"
        files[name] = mars_csv(plate["plan"], plate["plate"])
        entries.append(
            f"  - {{plate: {plate['plate']}, file: {name}, layout: layouts/{'dropout' if plate['hours'] else 'start'}.csv, "
            f"readout: CellTiter-Glo, hours: {plate['hours']:g}, replicate: {plate['replicate']}, saturation: 5000000}}"
        )
    files["raw/annexin_72h.csv"] = _csv(synthetic.flow_table(truth))
    for replicate in range(1, truth.replicates + 1):
        files[f"raw/asns-blot-r{replicate}.csv"] = _csv(synthetic_blots.membrane(truth, replicate))
    files["raw/asns-mrna.csv"] = _csv(synthetic_blots.mrna_table(truth))
    common = (
        "passage: 12, str_date: 2025-11-03, str_match: true, mycoplasma: {date: 2026-03-20, result:"
        " negative}, asparagine_free_history: false"
    )
    lines = [
        f"  {name}: {{growth_mode: {mode}, lineage: {lineage}, doubling_time_h: {doubling:g},"
        f" {common}}}"
        for name, mode, lineage, doubling, *_ in synthetic.PANEL
    ]
    text = (
        DEMO_03 + "\n".join(lines) + "\n" + DEMO_03_REST + "\n".join(entries) + "\n" + FLOW + ASNS
    )
    write(root / "EXP-DEMO-03", text, files)


def demo_04(root: Path) -> None:
    """EXP-DEMO-04: asparaginase with and without glutamine refeed, and an asparagine titration, in
    an auxotrophic, a partial and a resistant line.
    """
    plates = doses.plates()
    kept = ["well", "cell_line", "medium", "role", "agent", "concentration", "concentration_unit"]
    files = {
        f"layouts/{name}.csv": _csv(plate["plan"][kept])
        for name, plate in zip(("start", "doses"), plates, strict=False)
    }
    entries = []
    for plate in plates:
        name = f"raw/{plate['plate'].lower()}.csv"
        files[name] = mars_csv(plate["plan"], plate["plate"])
        entries.append(
            f"  - {{plate: {plate['plate']}, file: {name},"
            f" layout: layouts/{'doses' if plate['hours'] else 'start'}.csv,"
            f" readout: CellTiter-Glo, hours: {plate['hours']:g},"
            f" replicate: {plate['replicate']}, saturation: 5000000}}"
        )
    rest = DEMO_03_REST.split("protocol:")[1].replace("SIM-M3", "SIM-M4")
    for old, new in (("2026-04-01", "2026-05-04"), ("2026-04-08", "2026-05-11")):
        rest = rest.replace(old, new)
    rest = rest.replace("2026-04-15", "2026-05-18")
    text = DEMO_04 + "protocol:" + rest + "\n".join(entries) + "\n"
    write(root / "EXP-DEMO-04", text, files)


def demo_05(root: Path) -> None:
    """EXP-DEMO-05: phospho-S6K blots, Rag or Arf1, with starved lanes on a gel of their own once."""
    write(root / "EXP-DEMO-05", *synthetic_signaling.demo_05())


def demo_07(root: Path) -> None:
    """EXP-DEMO-07: three time courses with add-back at 48 h, and the factorial as end points."""
    rng = np.random.default_rng(synthetic_timecourse.SEED)
    files, courses, entries = {"layouts/live.csv": _csv(synthetic_timecourse.live_layout())}, [], []
    for replicate in (1, 2, 3):
        name = f"raw/live_r{replicate}.txt"
        files[name] = synthetic_timecourse.export(rng, replicate)
        courses.append(
            f"  - {{file: {name}, layout: layouts/live.csv, plate: LIVE-R{replicate}, replicate:"
            f" {replicate}, withdrawal_h: 0, addback_h: {synthetic_timecourse.ADDBACK_H:g}}}"
        )
    for plate in synthetic.plates(synthetic_timecourse.factorial()):
        chart = f"layouts/plate_{plate['hours']:g}h.csv"
        name = f"raw/{plate['plate'].lower()}.csv"
        files[chart] = layout_csv(plate["plan"])
        files[name] = envision_csv(plate["plan"], plate["plate"])
        entries.append(_entry(plate, name, chart))
    text = synthetic_timecourse.DEMO_07 + "\n".join([*entries, "timecourse:", *courses]) + "\n"
    write(root / "EXP-DEMO-07", text, files)


def _entry(plate: dict, name: str, chart: str) -> str:
    return (
        f"  - {{plate: {plate['plate']}, cell_line: {plate['cell_line']}, file: {name}, layout: {chart}, "
        f"readout: CellTiter-Glo, hours: {plate['hours']:g}, replicate: {plate['replicate']}, saturation: 5000000}}"
    )


DEMO_01 = """\
# Simulated by `python -m kit.simulate.examples`: the numbers are invented, the planted truth stands in kit/simulate/synthetic.py.
schema_version: 1
experiment_id: EXP-DEMO-01
title: Asparagine, glutamine and serine dropout in four lines (simulated)
date: 2026-03-02
simulated: true
cell_lines:
  Jurkat:     {growth_mode: suspension, doubling_time_h: 25.0, passage: 11, str_date: 2025-11-03, str_match: true, asns_class: low,
               mycoplasma: {date: 2026-02-20, result: negative}, asparagine_free_history: false, lineage: T-ALL}
  MOLT-4:     {growth_mode: suspension, doubling_time_h: 27.9, passage: 12, str_date: 2025-11-03, str_match: true, asns_class: low,
               mycoplasma: {date: 2026-02-20, result: negative}, asparagine_free_history: false, lineage: T-ALL}
  A549:       {growth_mode: adherent, doubling_time_h: 22.0, passage: 18, str_date: 2025-11-03, str_match: true, asns_class: high,
               mycoplasma: {date: 2026-02-20, result: negative}, asparagine_free_history: false, lineage: lung}
  MDA-MB-231: {growth_mode: adherent, doubling_time_h: 28.0, passage: 21, str_date: 2025-11-03, str_match: true, asns_class: moderate,
               mycoplasma: {date: 2026-02-20, result: negative}, asparagine_free_history: false, lineage: breast}
sera:
  dFBS: {dialyzed: true, cutoff_kDa: 10, percent: 10, lot: SIM-1, asparagine_uM: 0.4}
media:
  complete:      {role: control, serum: dFBS, asparagine_uM: 100, glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                  glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M1, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_asn:        {role: dropout, removes: asparagine, serum: dFBS, asparagine_uM: 0, glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                  glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M1, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_gln:        {role: dropout, removes: glutamine, serum: dFBS, asparagine_uM: 100, glutamine_uM: 0, serine_uM: 400, glycine_uM: 400,
                  glutamine_form: none, lot: SIM-M1, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_ser:        {role: dropout, removes: serine, serum: dFBS, asparagine_uM: 100, glutamine_uM: 2000, serine_uM: 0, glycine_uM: 400,
                  glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M1, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_asn_rescue: {role: rescue, restores: asparagine, serum: dFBS, asparagine_uM: 100, glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                  glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M1, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
protocol:
  acclimatization_passages: 2
  acclimatization_serum: dFBS
  seeding_confluence_percent: 30
  seeding_cells_per_well: 10000
  seeding_viable_per_mL: 200000
  adherence_h: 8
  previous_medium: {asparagine_uM: 378, glutamine_uM: 2053, serine_uM: 286}
  wash: {buffer: PBS, count: 2, volume_uL: 100, residual_uL: 10}
  pre_plating_spin_washes: {count: 2, volume_mL: 10, residual_mL: 0.1}
  well_volume_uL: 100
  t0_delay_h: 0.5
  viability_at_seeding_percent: 96
  cell_loss_by_wash_percent: 8
  control_endpoint_viable_per_mL: 800000
  layout_randomised: true
  oxygen_percent: 20
  etc_inhibitors: false
  instrument: simulated
  reagent: simulated
replicates:
  1: {date: 2026-03-02, passage: 11, medium_lot: SIM-M1a}
  2: {date: 2026-03-09, passage: 13, medium_lot: SIM-M1b}
  3: {date: 2026-03-16, passage: 15, medium_lot: SIM-M1c}
plates:
"""
FLOW = "flow:\n  - {file: raw/annexin_72h.csv, hours: 72}\n"
ASNS = """\
blots:
  - {file: raw/asns-blot-r1.csv, replicate: 1, antibody: simulated}
  - {file: raw/asns-blot-r2.csv, replicate: 2, antibody: simulated}
  - {file: raw/asns-blot-r3.csv, replicate: 3, antibody: simulated}
expression:
  - {file: raw/asns-mrna.csv, kind: mRNA, unit: log2 relative to A549}
"""

DEMO_02 = """\
# Simulated by `python -m kit.simulate.examples`: a spoiled experiment, for seeing how a report objects.
schema_version: 1
experiment_id: EXP-DEMO-02
title: Asparagine dropout done badly (simulated)
date: 2026-03-17
simulated: true
cell_lines:
  MOLT-4: {growth_mode: suspension, doubling_time_h: 27.9}
  A549:   {growth_mode: adherent, doubling_time_h: 22.0}
sera:
  FBS: {dialyzed: false, percent: 10}
media:
  complete: {role: control, serum: FBS, asparagine_uM: 378, glutamine_uM: 2000, serine_uM: 286}
  no_asn:   {role: dropout, removes: asparagine, serum: FBS, asparagine_uM: 0, glutamine_uM: 2000, serine_uM: 286}
protocol:
  acclimatization_passages: 0
  seeding_confluence_percent: 30
  seeding_cells_per_well: 10000
  adherence_h: 8
  previous_medium: {asparagine_uM: 378, glutamine_uM: 2053, serine_uM: 286}
  wash: {buffer: PBS, count: 1, volume_uL: 100, residual_uL: 20}
  well_volume_uL: 100
plates:
"""


DEMO_03 = """\
# Simulated by `python -m kit.simulate.examples`: a panel in which ASNS protein explains the sensitivity and ASNS mRNA does not.
schema_version: 1
experiment_id: EXP-DEMO-03
title: Asparagine dropout and ASNS in twelve lines (simulated)
date: 2026-04-01
simulated: true
cell_lines:
"""
DEMO_03_REST = """\
sera:
  dFBS: {dialyzed: true, cutoff_kDa: 10, percent: 10, lot: SIM-1, asparagine_uM: 0.4}
media:
  complete:      {role: control, serum: dFBS, asparagine_uM: 100, glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400, glutamine_form: L-glutamine,
                  glutamine_age_days: 3, lot: SIM-M3, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_asn:        {role: dropout, removes: asparagine, serum: dFBS, asparagine_uM: 0, glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                  glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M3, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_asn_rescue: {role: rescue, restores: asparagine, serum: dFBS, asparagine_uM: 100, glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                  glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M3, pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
protocol:
  acclimatization_passages: 2
  acclimatization_serum: dFBS
  seeding_confluence_percent: 30
  seeding_cells_per_well: 5000
  seeding_viable_per_mL: 200000
  adherence_h: 8
  previous_medium: {asparagine_uM: 378, glutamine_uM: 2053, serine_uM: 286}
  wash: {buffer: PBS, count: 3, volume_uL: 50, residual_uL: 5}
  pre_plating_spin_washes: {count: 2, volume_mL: 10, residual_mL: 0.1}
  well_volume_uL: 50
  t0_delay_h: 0.5
  viability_at_seeding_percent: 96
  cell_loss_by_wash_percent: 8
  control_endpoint_viable_per_mL: 800000
  layout_randomised: true
  oxygen_percent: 20
  etc_inhibitors: false
  instrument: simulated
  reagent: simulated
replicates:
  1: {date: 2026-04-01, passage: 11, medium_lot: SIM-M3a}
  2: {date: 2026-04-08, passage: 13, medium_lot: SIM-M3b}
  3: {date: 2026-04-15, passage: 15, medium_lot: SIM-M3c}
plates:
"""


DEMO_04 = """\
# Simulated by `python -m kit.simulate.examples`: the planted curves stand in kit/simulate/doses.py.
schema_version: 1
experiment_id: EXP-DEMO-04
title: Asparaginase and asparagine titration in three lines (simulated)
date: 2026-05-04
simulated: true
cell_lines:
  MOLT-4: {growth_mode: suspension, doubling_time_h: 25.3, passage: 12, str_date: 2025-11-03,
           str_match: true, mycoplasma: {date: 2026-04-20, result: negative},
           asparagine_free_history: false, lineage: T-ALL}
  Jurkat: {growth_mode: suspension, doubling_time_h: 25.3, passage: 11, str_date: 2025-11-03,
           str_match: true, mycoplasma: {date: 2026-04-20, result: negative},
           asparagine_free_history: false, lineage: T-ALL}
  A549:   {growth_mode: adherent, doubling_time_h: 25.3, passage: 18, str_date: 2025-11-03,
           str_match: true, mycoplasma: {date: 2026-04-20, result: negative},
           asparagine_free_history: false, lineage: lung}
sera:
  dFBS: {dialyzed: true, cutoff_kDa: 10, percent: 10, lot: SIM-1, asparagine_uM: 0.4}
media:
  complete:       {role: control, serum: dFBS, asparagine_uM: 100, glutamine_uM: 2000,
                   serine_uM: 400, glycine_uM: 400, glutamine_form: L-glutamine,
                   glutamine_age_days: 3, lot: SIM-M4, pyruvate_uM: 1000, aspartate_uM: 0,
                   glutamate_uM: 0}
  complete_refed: {role: other, refeeds: {glutamine: 24}, serum: dFBS, asparagine_uM: 100,
                   glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                   glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M4,
                   pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
  no_asn:         {role: dropout, removes: asparagine, serum: dFBS, asparagine_uM: 0,
                   glutamine_uM: 2000, serine_uM: 400, glycine_uM: 400,
                   glutamine_form: L-glutamine, glutamine_age_days: 3, lot: SIM-M4,
                   pyruvate_uM: 1000, aspartate_uM: 0, glutamate_uM: 0}
agents:
  asparaginase: {kind: enzyme, unit: IU/mL, source: simulated, glutaminase_percent: 3, lot: SIM-E1}
  asparagine:   {kind: nutrient, unit: uM}
"""


def main(arguments: list[str] | None = None) -> int:
    """Write all examples below the folder given (default data/examples)."""
    given = sys.argv[1:] if arguments is None else arguments
    root = Path(given[0] if given else "data/examples")
    for make in (demo_01, demo_02, demo_03, demo_04, demo_05, synthetic_uptake.demo_06, demo_07):
        make(root)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
