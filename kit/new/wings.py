"""A new experiment of one of the wings: doses, uptake or a time course, made from the example whose
design it shares, with what only you can know left empty.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

import kit
from kit.new.mtorc1 import BLANK, SIMULATED, write_files

UNKNOWN = frozenset(
    [
        "date",
        "lot",
        "passage",
        "medium_lot",
        "str_date",
        "str_match",
        "mycoplasma",
        "instrument",
        "reagent",
        "source",
        "lineage",
        "asns_class",
        "asparagine_free_history",
        "viability_at_seeding_percent",
        "cell_loss_by_wash_percent",
        "control_endpoint_viable_per_mL",
        "saturation",
        "oxygen_percent",
        "etc_inhibitors",
        "t0_delay_h",
    ]
)
"""Fields of experiment.yaml that are emptied without simulated files: they are yours to measure."""


class Wing(NamedTuple):
    """One kind: the example it is made from, and what its README says."""

    example: str
    title: str
    told: str


WINGS = {
    "dose": Wing(
        "demo_04",
        "Dose-response of asparaginase and titration of asparagine",
        "Dose-response: one randomised 384-well map for all replicates (layouts/doses.csv).\n"
        "Asparaginase 0 and eleven doses from 3e-5 to 10 IU/mL, half a log step apart, each in two"
        " wells; zero dose in six: at least two doses lie beyond each bend of the curve.\n"
        "The same with glutamine given again after 24 h (complete_refed) tells asparagine from"
        " glutamine. Asparagine 0 to 378 µM in the medium without it shows how much a line needs.\n"
        "Put your lines in the place of the three in experiment.yaml and in both layouts. Plan at"
        " least three biological replicates: own passage, own day.",
    ),
    "exchange": Wing(
        "demo_06",
        "Uptake of amino acids per new cell",
        "Exchange: cells in media with 0, 20, 100 and 378 µM asparagine, media sampled at 0, 24 and"
        " 48 h, wells without cells beside them (kind: blank), cells counted at each time.\n"
        "Per biological replicate: concentrations (LC-MS, with standards and QC), samples (which"
        " sample is what), counts, and intracellular asparagine.\n"
        "Enough cells that the medium changes by 5 to 50 %: the workbench's tab Exchange plans"
        " cells, volume and hours. Plan at least four biological replicates.",
    ),
    "timecourse": Wing(
        "demo_07",
        "Time course with add-back, and asparagine x glutamine",
        "Time course: scan every 2 h from before the medium switch to 72 h; give the amino acid"
        " back to half of the wells at 24 h (addback_h).\n"
        "The factorial beside it (−Asn, −Gln, both, complete; a knock-out of ASNS if you have one,"
        " named by `parent`) asks whether glutamine acts through asparagine.\n"
        "Put your lines in the place of those in experiment.yaml and in the layouts. Plan at least"
        " three biological replicates.",
    ),
}


def writer(kind: str) -> Callable[..., str]:
    """The function that writes a folder of this kind: (folder, title, simulated) -> what is next."""
    return partial(write, kind)


def write(kind: str, folder: Path, *, title: str = "", simulated: bool = True) -> str:
    """Write the experiment folder; returns what to do next. Raises InputError where something is
    there already.
    """
    write_files(folder, contents(kind, folder.name, title=title, simulated=simulated))
    told = f"Wrote {folder}; see README.txt."
    return told if simulated else f"{told} kit check {folder} names the files still missing."


def contents(kind: str, name: str, *, title: str, simulated: bool) -> dict[str, bytes]:
    """path under the folder -> content."""
    wing = WINGS[kind]
    files = _example(wing.example)
    plan = YAML()
    plan.width = 10_000
    config = plan.load(files.pop("experiment.yaml").decode())
    if not simulated:
        _empty(config)
    config["experiment_id"], config["simulated"] = name, simulated
    config["title"] = title or f"{name}: {wing.title}"
    stream = io.StringIO()
    plan.dump(config, stream)
    body = "\n".join(line for line in stream.getvalue().split("\n") if not line.startswith("#"))
    head = f"# Written by kit new --kind {kind} (kit {kit.__version__}). `kit check` names what is missing.\n"
    told = SIMULATED if simulated else BLANK
    raw = [path for path in files if path.startswith("raw/")]
    kept = files if simulated else {path: text for path, text in files.items() if path not in raw}
    return {
        "experiment.yaml": (head + body).encode(),
        "README.txt": f"{name}: {wing.title}\n\n{wing.told}\n{told}\n".encode(),
        "raw/README.txt": ("Expected here: " + ", ".join(raw) + "\n").encode(),
        **kept,
    }


def _example(name: str) -> dict[str, bytes]:
    """The files of an example, made anew."""
    from kit.simulate import examples, synthetic_uptake

    make = getattr(examples, name, None) or getattr(synthetic_uptake, name)
    with tempfile.TemporaryDirectory(prefix="kit-new-") as place:
        make(Path(place))
        (root,) = Path(place).iterdir()
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


def _empty(part: Any) -> None:
    """Empty the fields of UNKNOWN, wherever they stand."""
    if isinstance(part, Mapping):
        for key in part:
            if key in UNKNOWN and not isinstance(part[key], list):
                part[key] = None  # type: ignore[index]
            else:
                _empty(part[key])
    elif isinstance(part, list):
        for item in part:
            _empty(item)
