"""Files beside experiment.yaml: layouts in three formats, and simulated raw files that say so."""

from __future__ import annotations

import io
import json

import numpy as np
import openpyxl
import pandas as pd

from kit.core.reference import same_line
from kit.core.wells import row_letters
from kit.new.plan import CONTROL, INDUCER, Plan
from kit.readers.blots.densitometry import BAND_COLUMNS
from kit.simulate import synthetic
from kit.simulate.examples import workbook_bytes

MARK = "Simulated by kit new: invented numbers, not a measurement"
PREFIX = "simulated-"
FLOW_FILE, BLOT_FILE = "annexin_72h.csv", "asns_densitometry.csv"

_OTHER_LINE = synthetic.LineTruth({}, {})
_GR_OF_DROPOUT, _GR_OF_RESCUE, _DEATH_OF_DROPOUT, _DEATH_OF_INDUCER = 0.5, 0.98, 0.05, 0.7
_ASNS = {"A549": 1.0, "MDA-MB-231": 0.35, "MOLT-4": 0.05, "Jurkat": 0.08}
"""Planted values, all invented, as in kit.simulate.synthetic."""


def layout_bytes(plan: pd.DataFrame, ending: str, title: str) -> bytes:
    """A layout as `csv`, `xlsx` or `toml`; `title` (with the seed) stands in its first line or in a
    sheet of its own.
    """
    columns = [
        column
        for column in ("cell_line", "medium", "role")
        if column != "cell_line" or plan["cell_line"].ne("").any()
    ]
    return {"csv": _csv, "xlsx": _xlsx, "toml": _toml}[ending](plan, columns, title)


def _csv(plan: pd.DataFrame, columns: list[str], title: str) -> bytes:
    return f"# {title}\n{plan[['well', *columns]].to_csv(index=False, lineterminator=chr(10))}".encode()


def _xlsx(plan: pd.DataFrame, columns: list[str], title: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for attribute in columns:
        sheet = book.create_sheet(attribute)
        sheet.append([attribute, *sorted(plan["column"].unique().tolist())])
        for row, wells in plan.groupby("row"):
            sheet.append(
                [
                    row_letters(int(str(row))),
                    *[value or None for value in wells.sort_values("column")[attribute]],
                ]
            )
    book.create_sheet("about").append([title])
    return workbook_bytes(book)


def _toml(plan: pd.DataFrame, columns: list[str], title: str) -> bytes:
    blocks = [f"# {title}\n# wellmap layout: https://wellmap.readthedocs.io\n"]
    for record in plan.to_dict("records"):
        told = [
            f"{column} = {json.dumps(record[column], ensure_ascii=False)}\n"
            for column in columns
            if record[column]
        ]
        blocks.append(f"[well.{record['well']}]\n{''.join(told)}")
    return "\n".join(blocks).encode()


def simulated_raw(plan: Plan) -> dict[str, bytes]:
    """name in raw/ -> content, for everything the experiment expects; every name begins with
    `simulated-`.
    """
    files = {f"{PREFIX}{stem}.csv": content for stem, content in _plate_files(plan).items()}
    if plan.flow:
        files[PREFIX + FLOW_FILE] = _flow_file(plan)
    if plan.blot:
        files[PREFIX + BLOT_FILE] = _blot_file(plan)
    return files


def _truth(plan: Plan, line: str) -> synthetic.LineTruth:
    """What is planted for a line: that of kit.simulate.synthetic where it knows the line, middling
    values elsewhere.
    """
    known = next(
        (truth for name, truth in synthetic.SOURCE_LINES.items() if same_line(name, line)),
        _OTHER_LINE,
    )
    gr, death = {INDUCER: 0.0}, {INDUCER: _DEATH_OF_INDUCER}
    for name, medium in plan.media.items():
        if medium.role != "control":
            rescue = medium.role == "rescue"
            gr[name] = known.gr.get(name, _GR_OF_RESCUE if rescue else _GR_OF_DROPOUT)
            death[name] = 0.0 if rescue else known.death.get(name, _DEATH_OF_DROPOUT)
    return synthetic.LineTruth(gr, death, known.doubling_time_h, known.growth_mode, known.signal_0h)


def _plate_files(plan: Plan) -> dict[str, bytes]:
    rng, noise = np.random.default_rng([plan.seed, 1_000_000]), synthetic.Noise()
    truths = {line: _truth(plan, line) for line in plan.lines}
    runs = {
        (line, number): _run(plan, noise, rng)
        for line in plan.lines
        for number in range(1, plan.replicates + 1)
    }
    files = {}
    for plate in plan.plates:
        wells = plan.layouts[plate.layout].assign(signal=np.nan)
        for line in [plate.line] if plate.line else plan.lines:
            part = wells[
                wells["cell_line"].isin(["", line])
            ]  # wells without a line are blanks, buffer, or all of the plate's one line
            wells.loc[part.index, "signal"] = synthetic.signals(
                part, truths[line], plate.hours, noise, runs[line, plate.replicate], rng
            )
        files[plate.stem] = _grid(wells, plate.name)
    return files


def _run(plan: Plan, noise: synthetic.Noise, rng: np.random.Generator) -> dict[str, float]:
    """log2 deviation of a biological replicate, for all its wells (key empty) and per medium."""
    return {
        "": rng.normal(0, noise.run_log2),
        **{name: rng.normal(0, noise.replicate_log2) for name in plan.media if name != CONTROL},
    }


def _grid(wells: pd.DataFrame, plate: str) -> bytes:
    cells = wells.pivot_table(index="row", columns="column", values="signal", sort=True)
    lines = [MARK, f"Plate: {plate}", "", "," + ",".join(map(str, cells.columns))]
    lines += [
        f"{row_letters(int(row))}," + ",".join(f"{value:.0f}" for value in values)
        for row, values in zip(cells.index, cells.to_numpy(), strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


def _flow_file(plan: Plan) -> bytes:
    design = synthetic.Design(media=(*plan.media, INDUCER))
    truth = synthetic.Truth(
        {line: _truth(plan, line) for line in plan.lines},
        plan.replicates,
        design=design,
        seed=plan.seed,
    )
    return _table(synthetic.flow_table(truth))


def _blot_file(plan: Plan) -> bytes:
    """A membrane per lysate: ladder, two lanes of the pooled reference, a knockout, the lines; ASNS
    over total protein is what is planted.
    """
    rng = np.random.default_rng([plan.seed, 2_000_000])
    rows: list[dict[str, object]] = []
    for lysate in range(1, plan.replicates + 1):
        lanes = [
            ("pooled HeLa+A549", "reference", 1.0),
            ("pooled HeLa+A549", "reference", 1.0),
            ("ASNS knockout", "knockout", 0.0),
        ]
        lanes += [(line, "sample", _planted_asns(line)) for line in plan.lines]
        common = {
            "membrane": f"M{lysate}",
            "replicate": lysate,
            "background": 20.0,
            "saturated": "false",
        }
        for mass in (150, 100, 75, 50, 37, 25):
            rows.append(
                {
                    **common,
                    "lane": 1,
                    "cell_line": "",
                    "target": "ladder",
                    "rf": _rf(mass),
                    "mw_kDa": mass,
                    "volume": 500.0,
                    "lane_role": "ladder",
                }
            )
        for lane, (name, role, asns) in enumerate(lanes, start=2):
            for target, mean in (("ASNS", 1000 * asns), ("total_protein", 1000.0)):
                place = (
                    {"rf": _rf(64), "mw_kDa": 64} if target == "ASNS" else {"rf": "", "mw_kDa": ""}
                )
                volume = round(20 + mean * float(np.exp(rng.normal(0, 0.05))), 1)
                rows.append(
                    {
                        **common,
                        **place,
                        "lane": lane,
                        "cell_line": name,
                        "target": target,
                        "volume": volume,
                        "lane_role": role,
                    }
                )
    return _table(pd.DataFrame(rows, columns=list(BAND_COLUMNS)))


def _planted_asns(line: str) -> float:
    return next((value for name, value in _ASNS.items() if same_line(name, line)), 0.3)


def _rf(mass_kDa: float) -> float:
    """Relative front on a gel where log10 of the mass falls in a straight line."""
    return round((2.3 - float(np.log10(mass_kDa))) / 1.1, 3)


def _table(frame: pd.DataFrame) -> bytes:
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode()


def raw_path(name: str, *, simulated: bool) -> str:
    """Where experiment.yaml looks for a raw file."""
    return f"raw/{PREFIX if simulated else ''}{name}"
