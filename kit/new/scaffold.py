"""`kit new`: a plan -> a complete experiment folder from templates/experiment, ready to edit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import kit
from kit.config.model import CellLine, Medium, Plate, Protocol, Replicate, Serum
from kit.config.settings import Settings
from kit.core.errors import InputError, Problem
from kit.core.paths import share
from kit.experiment.exclusions import COLUMNS as EXCLUSION_COLUMNS
from kit.new import plate_map
from kit.new.files import BLOT_FILE, FLOW_FILE, PREFIX, layout_bytes, raw_path, simulated_raw
from kit.new.plan import CONTROL, INDUCER, SERUM, Plan, PlannedMedium, PlannedPlate, plan_of
from kit.new.plate_design import usable_wells
from kit.new.yaml import fields, flow, json_schema, scalar, settings_list
from kit.readers.blots.densitometry import BAND_COLUMNS
from kit.readers.flow.gated_table import COLUMNS as FLOW_COLUMNS

SCHEMA, MAP = "experiment.schema.json", "plate_map.html"
_BENCH = {"acclimatization_passages", "acclimatization_serum", "seeding_cells_per_well", "viability_at_seeding_percent", "cell_loss_by_wash_percent",
          "previous_medium", "wash", "well_volume_uL", "t0_delay_h", "oxygen_percent", "etc_inhibitors", "reagent", "instrument"}  # fmt: skip
_BY_MODE = {
    "adherent": {"seeding_confluence_percent", "adherence_h"},
    "suspension": {"seeding_viable_per_mL", "pre_plating_spin_washes"},
}
_LINE = {
    "doubling_time_h",
    "passage",
    "str_date",
    "str_match",
    "mycoplasma",
    "asparagine_free_history",
}
_MEDIUM = {
    "glycine_uM",
    "pyruvate_uM",
    "aspartate_uM",
    "glutamate_uM",
    "glutamine_form",
    "glutamine_age_days",
    "lot",
}
_SERUM = {"dialyzed", "cutoff_kDa", "percent", "lot", "asparagine_uM", "glutamine_uM", "serine_uM"}
"""What a person at the bench records, and so finds as null; everything else is there commented
out.
"""


def new(folder: Path, plan: Plan | None = None, *, simulated: bool = True) -> Path:
    """Write the experiment folder of `plan` (default: the usual one); with `simulated` raw files,
    or without any.

    Returns the folder. Raises InputError when its name cannot be an experiment's, when anything is
    there already, or when it cannot be
    written; nothing is ever overwritten.
    """
    experiment_id = check_target(folder)
    plan = plan or plan_of(experiment_id, {}, flow=simulated)
    files = contents(plan, simulated=simulated)
    try:
        for name, content in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(content)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise InputError(
            Problem(
                str(folder), "", what, "Choose another place, or make room; delete what was begun."
            )
        ) from None
    return folder


def check_target(folder: Path) -> str:
    """The experiment_id that `folder` gives. Raises InputError when the name will not do or
    something is there already.
    """
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name):
        near = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:64]
        remedy = "Use letters, digits, '.', '_' and '-', at most 64" + (
            f", for example {near}." if near else "."
        )
        raise InputError(
            Problem(str(folder), "", f"'{name}' cannot be the name of an experiment", remedy)
        )
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(Problem(str(folder), "", "is a file", "Name a new folder."))
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(
                Problem(
                    str(folder),
                    "",
                    "is there already and not empty; nothing was changed",
                    "Name a new folder.",
                )
            )
    except OSError as error:
        raise InputError(
            Problem(
                str(folder),
                "",
                f"cannot be looked at: {error.strerror or error}",
                "Choose another place.",
            )
        ) from None
    return name


def contents(plan: Plan, *, simulated: bool) -> dict[str, bytes]:
    """path under the folder -> content, for every file of a new experiment."""
    context = _context(plan, simulated)
    texts = {
        "experiment.yaml": "experiment.yaml.j2",
        "README.txt": "README.txt.j2",
        "raw/README.txt": "raw_README.txt.j2",
        MAP: "plate_map.html.j2",
    }
    files = {
        name: _environment().get_template(template).render(context).encode()
        for name, template in texts.items()
    }
    files |= {
        SCHEMA: json_schema().encode(),
        "exclusions.csv": (",".join(EXCLUSION_COLUMNS) + "\n").encode(),
    }
    for path, wells in plan.layouts.items():
        title = (
            f"{plan.experiment_id}: {Path(path).stem} randomised by kit new with seed {plan.seed}"
        )
        files[path] = layout_bytes(wells, plan.layout_format, title)
    if simulated:
        files |= {f"raw/{name}": content for name, content in simulated_raw(plan).items()}
    return files


@cache
def _environment() -> Environment:
    """Templates of `kit new`; HTML is escaped, plain text is not."""
    loader = FileSystemLoader(share() / "templates" / "experiment")
    return Environment(
        loader=loader,
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _context(plan: Plan, simulated: bool) -> dict[str, Any]:
    """What the templates fill in."""
    raw = {plate.name: raw_path(f"{plate.stem}.csv", simulated=simulated) for plate in plan.plates}
    default_h = Settings().proliferation_h
    return {
        "plan": plan,
        "simulated": simulated,
        "prefix": PREFIX,
        "schema": SCHEMA,
        "map": MAP,
        "version": kit.__version__,
        "scalar": scalar,
        "pages": plate_map.pages(plan),
        "raw": raw,
        "wells": plan.group_wells,
        "inner": usable_wells(plan.plate),
        "sera": _sera(),
        "lines": {scalar(name): text for name, text in _lines(plan).items()},
        "media": _media(plan),
        "protocol": _protocol(plan),
        "replicates": {
            number: fields(Replicate, {}, 4, set(Replicate.model_fields), explain=number == 1)
            for number in range(1, plan.replicates + 1)
        },
        "plates": [
            (flow(_plate(plan, plate)), flow({"file": raw[plate.name], "layout": plate.layout}))
            for plate in plan.plates
        ],
        "plate_fields": {name: info.description for name, info in Plate.model_fields.items()},
        "flow_file": raw_path(FLOW_FILE, simulated=simulated),
        "blot_file": raw_path(BLOT_FILE, simulated=simulated),
        "flow_columns": ", ".join(FLOW_COLUMNS),
        "blot_columns": ", ".join(BAND_COLUMNS),
        "settings": settings_list(),
        "growth_h": None if default_h in plan.hours else plan.hours[-1],
        "default_h": default_h,
    }


def _plate(plan: Plan, plate: PlannedPlate) -> dict[str, Any]:
    owner = {"cell_line": plate.line} if plate.line else {}
    return {
        "plate": plate.name,
        **owner,
        "readout": plan.readout,
        "hours": plate.hours,
        "replicate": plate.replicate,
        "saturation": None,
    }


def _lines(plan: Plan) -> dict[str, str]:
    first = next(iter(plan.lines))
    return {
        name: fields(CellLine, {"growth_mode": mode}, 4, _LINE, explain=name == first)
        for name, mode in plan.lines.items()
    }


def _sera() -> dict[str, str]:
    return {SERUM: fields(Serum, {}, 4, _SERUM)}


def _media(plan: Plan) -> dict[str, str]:
    """All media as YAML; with flow cytometry that of the death inducer too, which is on no
    plate.
    """
    media = {**plan.media, **({INDUCER: PlannedMedium("other")} if plan.flow else {})}
    return {
        name: fields(Medium, _medium(medium, name), 4, _MEDIUM, explain=name == CONTROL)
        for name, medium in media.items()
    }


def _medium(medium: PlannedMedium, name: str) -> dict[str, Any]:
    """Role, serum and the recipe of the source protocol (SPEC P07, P08: the rescues restore
    control's concentrations); what is dropped is 0.
    """
    recipe = Settings()
    given: dict[str, Any] = {"role": medium.role}
    if medium.role in ("dropout", "rescue"):
        group = medium.amino_acids
        given["removes" if medium.role == "dropout" else "restores"] = (
            group[0] if len(group) == 1 else group
        )
    given |= {
        "serum": SERUM,
        "asparagine_uM": recipe.rescue_asparagine_uM,
        "glutamine_uM": recipe.rescue_glutamine_uM,
        "serine_uM": recipe.rescue_serine_uM,
    }
    if medium.role == "dropout":
        given |= {
            f"{item}_uM": 0 for item in medium.amino_acids if f"{item}_uM" in Medium.model_fields
        }
        given |= {"glutamine_form": "none"} if "glutamine" in medium.amino_acids else {}
    return given | ({"inducer": True} if name == INDUCER else {})


def _protocol(plan: Plan) -> str:
    """The protocol: only the layout is known, the bench has to say the rest; fields of a growth
    mode nobody has stay commented out.
    """
    modes = set(plan.lines.values())
    shown = _BENCH.union(
        *(names for mode, names in _BY_MODE.items() if mode in modes or None in modes)
    )
    shown |= {"rnase_or_7aad", "caspase_evidence"} if plan.flow else set()
    return fields(Protocol, {"layout_randomised": True}, 2, shown)
