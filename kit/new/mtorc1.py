"""A new signalling experiment: the lane list of every gel, and where its densitometry goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

import kit
from kit.core.errors import InputError, Problem
from kit.new.scaffold import check_target
from kit.signaling import names

EXPERIMENTS, SEED = 5, 6
ARMS = (
    (names.WILD_TYPE, names.VEHICLE),
    (names.WILD_TYPE, "BFA"),
    (names.KNOCK_OUT, names.VEHICLE),
    (names.KNOCK_OUT, "BFA"),
)
STIMULI = (names.STARVED, "Leu", "Arg", "Gln", "Asn", names.ALL)
TARGETS = ("pS6K_T389", "S6K", "total_protein", "RagA")

YAML = """\
# Written by kit new --kind mtorc1 (kit {version}). Every field is described in the manual; `kit check` names what is missing.
schema_version: 1
experiment_id: {name}
title: {title}
date: null
simulated: {simulated}
cell_lines:
  HEK293A: {{growth_mode: adherent}}   # the line of wild type and knock-out
signaling:                             # one densitometry table per experiment: own cells, own day
{entries}
"""
README = """\
{name}: does an amino acid reach mTORC1 through Rag, or without it through Arf1?

Per experiment, on ONE gel of 28 lanes (lanes.csv): WT and RagA/B knock-out, vehicle and BFA, each starved (2 h) and stimulated with
Leu, Arg (10 to 30 min), Gln, Asn (1 to 2.5 h) and all amino acids; all amino acids with Torin for each genotype; the same pooled lysate twice.
Where one gel does not hold them, split by genotype and drug: never put a starved lane on another gel than its stimulated lanes, and put the
pooled lysate twice on each gel.

Blot phospho-S6K T389, total S6K, total protein and RagA (which shows that Rag is lost). Use serum-free medium: albumin signals without Rag.
Export volume and background of every band and write one row per lane and band:
  membrane, lane, experiment, genotype, drug, stimulus, target, volume, background, saturated
Plan {experiments} experiments; fewer than 3 give no class.
{next}
"""
BLANK = "Then put the tables into raw/ under the names of experiment.yaml, and run kit check on this folder."
SIMULATED = (
    "raw/simulated-* are SIMULATED: replace them by your own tables, name those in experiment.yaml,"
    " and set simulated: false."
)


def lanes() -> pd.DataFrame:
    """The lanes of one experiment in an order to load: starved beside its stimulated lanes."""
    rows = [(genotype, drug, stimulus) for genotype, drug in ARMS for stimulus in STIMULI]
    rows += [(genotype, names.TORIN, names.ALL) for genotype in (names.WILD_TYPE, names.KNOCK_OUT)]
    rows += [(names.REFERENCE, names.VEHICLE, names.REFERENCE)] * 2
    table = pd.DataFrame(rows, columns=["genotype", "drug", "stimulus"])
    table.insert(0, "lane", range(1, len(table) + 1))
    return table


def write(folder: Path, *, title: str = "", simulated: bool = True) -> str:
    """Write the experiment folder; returns what to do next. Raises InputError where something is
    there already.
    """
    write_files(folder, contents(folder.name, title=title, simulated=simulated))
    told = f"Wrote {folder}: {EXPERIMENTS} experiments of {len(lanes())} lanes; see README.txt."
    return told if simulated else f"{told} kit check {folder} names the tables still missing."


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write new files below a folder. Raises InputError where something is there already, the
    folder's name cannot be an experiment's, or there is no room.
    """
    check_target(folder)
    try:
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(content)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        remedy = "Choose another place, or make room; delete what was begun."
        raise InputError(Problem(str(folder), "", what, remedy)) from None


def contents(name: str, *, title: str, simulated: bool) -> dict[str, bytes]:
    """path under the folder -> content."""
    prefix = "simulated-" if simulated else ""
    numbers = range(1, EXPERIMENTS + 1)
    raw = {number: f"raw/{prefix}ps6k_e{number}.csv" for number in numbers}
    entries = "\n".join(f"  - {{file: {raw[n]}, experiment: {n}}}" for n in numbers)
    yaml = YAML.format(
        version=kit.__version__,
        name=name,
        simulated=str(simulated).lower(),
        entries=entries,
        title='"' + (title or f"{name}: Rag or Arf1").replace('"', "'") + '"',
    )
    told = SIMULATED if simulated else BLANK
    readme = README.format(name=name, experiments=EXPERIMENTS, next=told)
    files = {
        "experiment.yaml": yaml.encode(),
        "README.txt": readme.encode(),
        "lanes.csv": lanes().to_csv(index=False, lineterminator="\n").encode(),
        "raw/README.txt": ("Expected here: " + ", ".join(raw.values()) + "\n").encode(),
    }
    if simulated:
        from kit.simulate.synthetic_signaling import experiment_bands

        for number, path in raw.items():
            table = experiment_bands(number, seed=SEED)
            files[path] = table.to_csv(index=False, lineterminator="\n").encode()
    return files
