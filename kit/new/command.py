"""Flags and questions of `kit new`. Light to import: the work is imported when the command runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kit.core.errors import InputError, Problem

if TYPE_CHECKING:
    from kit.new.plan import Plan

DESCRIPTION = """\
Write a complete experiment folder: a commented experiment.yaml with a JSON schema for editors, randomised plate layouts with the outer
ring left to buffer, a printable plate map, raw/ with the list of expected files, exclusions.csv and README.txt. Nothing is overwritten.

On a terminal it asks for what no flag gives, and writes the folder without raw files: kit check DIR then names the files still missing.
Without a terminal (or with --yes) it asks nothing and writes SIMULATED raw files too (raw/simulated-*, marked simulated: true), so that
kit check DIR passes at once; the head of experiment.yaml says how to replace them. --blank leaves them out, --example puts them in.
"""

TEXTS = {
    "lines": (
        "NAME:MODE,...",
        "cell lines; MODE adherent or suspension (default MOLT-4:suspension,A549:adherent)",
    ),
    "dropouts": (
        "NAME,...",
        (
            "amino acids taken away; asparagine+glutamine takes both (default"
            " asparagine,glutamine,serine)"
        ),
    ),
    "rescues": (
        "NAME,...",
        "those of the dropouts that are added back, or none (default: each dropout)",
    ),
    "replicates": ("N", "biological replicates (default 3)"),
    "hours": (
        "H,...",
        "readings after the medium switch, in hours; 0 h comes of itself (default 48)",
    ),
    "plate": ("96|384", "wells of a plate (default 96)"),
    "readout": ("NAME", "assay (default CellTiter-Glo)"),
    "title": ("TEXT", "one line for the report's head"),
    "wells_per_group": (
        "N",
        "wells of each dropout and rescue, at least 4 (default 6, or what fits)",
    ),
    "seed": ("N", "seed of the layouts (default: from the experiment's name)"),
    "layout_format": ("csv|xlsx|toml", "kind of layout file (default csv)"),
}
QUESTIONS = (
    ("lines", "Cell lines, as NAME:adherent or NAME:suspension, with commas between"),
    ("dropouts", "Amino acids to take away"),
    ("rescues", "Amino acids to add back (none for no rescue)"),
    ("replicates", "Biological replicates"),
    ("hours", "Readings after the switch, in hours (0 h comes of itself)"),
    ("plate", "Wells of a plate, 96 or 384"),
    ("readout", "Assay"),
    ("title", "Title (Enter: made from the answers)"),
)
DECIDE_ROOM = ("lines", "dropouts", "rescues", "plate")
STOPPED = InputError(Problem("kit new", "", "stopped; nothing was written", ""))


KINDS = ("mtorc1", "dose", "exchange", "timecourse")
"""Kind of experiment without dropout plates -> module whose `write` makes its folder."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The arguments of `kit new`."""
    parser.description, parser.formatter_class = DESCRIPTION, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "folder", metavar="DIR", help="folder to write; its name becomes the experiment_id"
    )
    for name, (metavar, text) in TEXTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar=metavar, help=text)
    yes_no = argparse.BooleanOptionalAction
    parser.add_argument(
        "--flow",
        action=yes_no,
        default=None,
        help="Annexin V / PI flow cytometry at 72 h (default: with simulated files)",
    )
    parser.add_argument(
        "--blot", action=yes_no, default=None, help="western blots of ASNS (default: no)"
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="all lines on each plate (default: a plate per line)",
    )
    parser.add_argument(
        "--kind",
        choices=("dropout", *KINDS),
        default="dropout",
        help="dropout plates (default); mtorc1: phospho-S6K blots; dose: asparaginase and"
        " titration; exchange: LC-MS uptake; timecourse: live imaging and the Asn x Gln factorial",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--example", action="store_true", help="with simulated raw files; asks nothing"
    )
    which.add_argument("--blank", action="store_true", help="without raw files")
    parser.add_argument("--yes", action="store_true", help="ask nothing, take the defaults")


def run(given: argparse.Namespace) -> int:
    """Write the folder that the flags and answers describe; returns 0. Raises InputError."""
    from kit.new import mtorc1, scaffold, wings
    from kit.new.plan import check_answers, plan_of

    folder = Path(given.folder)
    if given.kind in KINDS:
        title, simulated = given.title or "", not given.blank
        write = mtorc1.write if given.kind == "mtorc1" else wings.writer(given.kind)
        print(write(folder, title=title, simulated=simulated))
        return 0
    experiment_id = scaffold.check_target(folder)
    texts = {name: value for name in TEXTS if (value := getattr(given, name)) is not None}
    asking = sys.stdin.isatty() and sys.stdout.isatty() and not given.yes and not given.example
    check_answers(texts)  # a wrong flag is said before the first question
    simulated = not given.blank and not asking
    flow, blot = given.flow, given.blot
    if asking:
        texts, flow, blot = answers(
            texts, flow, blot, lambda found: plan_of(experiment_id, found, together=given.together)
        )
        simulated = not given.blank and _yes(
            "Put simulated raw files into raw/, to try the kit", False
        )
    plan = plan_of(
        experiment_id,
        texts,
        flow=simulated if flow is None else flow,
        blot=bool(blot),
        together=given.together,
    )
    scaffold.new(folder, plan, simulated=simulated)
    print(summary(plan, folder, simulated))
    return 0


def answers(
    texts: dict[str, str],
    flow: bool | None,
    blot: bool | None,
    fits: Callable[[dict[str, str]], object],
) -> tuple[dict[str, str], bool, bool]:
    """Ask for everything that no flag gave. An answer that is wrong, or does not go with the
    earlier ones, is explained and asked again;
    so are those that decide what has to go on a plate, until `fits` raises nothing."""
    print("Enter takes what stands in brackets; Ctrl-C stops, and nothing is written.")
    found = _ask_all(texts)
    while True:
        try:
            fits(found)
            break
        except InputError as error:
            again = [name for name in DECIDE_ROOM if name not in texts]
            if not again:
                raise
            print(f"  {error}")
            found = _ask_all(
                {name: text for name, text in found.items() if name not in again}, found
            )
    return (
        found,
        _yes("Annexin V / PI flow cytometry at 72 h", False) if flow is None else flow,
        _yes("Western blots of ASNS", False) if blot is None else blot,
    )


def _ask_all(known: dict[str, str], before: dict[str, str] | None = None) -> dict[str, str]:
    """Texts for every question that is not answered by `known`; an earlier answer in `before` is
    offered instead of the default.
    """
    from kit.new.plan import DEFAULTS, check_answers

    found, defaults = dict(known), {**DEFAULTS, **(before or {})}
    for name, question in QUESTIONS:
        if name not in found:
            default = found.get("dropouts", "") if name == "rescues" else defaults[name]
            found[name] = _ask(question, default, partial(_check, found, name, check_answers))
    return found


def _check(
    found: dict[str, str], name: str, check: Callable[[dict[str, str]], object], text: str
) -> None:
    """Raise InputError where `text` does not answer question `name` beside the earlier answers."""
    check({**found, name: text})


def _ask(question: str, default: str, check: Callable[[str], object]) -> str:
    while True:
        text = _read(f"{question} [{default}]: ").strip() or default
        try:
            check(text)
        except InputError as error:
            print(f"  {error}")
        else:
            return text


def _yes(question: str, default: bool) -> bool:
    while True:
        text = _read(f"{question}? [{'Y/n' if default else 'y/N'}]: ").strip().casefold()
        if not text:
            return default
        if text in ("y", "yes", "n", "no"):
            return text.startswith("y")
        print("  Please answer y or n.")


def _read(prompt: str) -> str:
    try:
        return input(prompt)
    except (EOFError, KeyboardInterrupt):
        print()
        raise STOPPED from None


def summary(plan: Plan, folder: Path, simulated: bool) -> str:
    """What was written, and what to do next."""
    from kit.config.settings import Settings
    from kit.new.plate_design import USUAL_GROUP

    lines = [
        f"Wrote {folder}: {len(plan.lines)} line{'s' * (len(plan.lines) > 1)}, {len(plan.media)} media, {len(plan.plates)} plates, "
        f"{len(plan.layouts)} layouts (seed {plan.seed}), {folder / 'plate_map.html'} to print."
    ]
    if plan.wells_per_group is None and plan.group_wells < USUAL_GROUP:
        lines.append(
            f"Each dropout and rescue has {plan.group_wells} wells: {USUAL_GROUP} do not fit on"
            f" {plan.plate} wells with {len(plan.media)} media."
        )
    if plan.replicates < Settings().min_replicates:
        lines.append(
            f"With {plan.replicates} biological replicate{'s' * (plan.replicates > 1)} nothing is"
            " tested: the report will be exploratory."
        )
    if simulated:
        lines.append(
            "raw/ holds SIMULATED files (raw/simulated-*); the head of experiment.yaml says how to"
            " replace them. Now: edit, then"
        )
    else:
        lines.append("raw/README.txt lists the files to put into raw/. Edit experiment.yaml, then")
    return "\n".join([*lines, f"  kit check {folder}"])
