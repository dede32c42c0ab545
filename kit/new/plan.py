"""What a new experiment is to be: answers and flags of `kit new` as text -> a checked plan."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from kit.config import labels
from kit.config.model import AMINO_ACIDS
from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.core.reference import resolve_line
from kit.new import plate_design
from kit.plates.quality import is_incorporation

SHORT = {acid: letters.casefold() for acid, letters in labels.SHORT.items()}
MODES = ("adherent", "suspension")
CONTROL, INDUCER, SERUM = "complete", "inducer", "dFBS"
WHERE = "kit new"


@dataclass(frozen=True)
class PlannedMedium:
    """A medium: its role, and the amino acids it takes away or adds back."""

    role: str
    amino_acids: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedPlate:
    """One reading: `line` is empty where several lines share the plate; `stem` names its raw file
    without the ending.
    """

    name: str
    line: str
    hours: float
    replicate: int
    layout: str
    stem: str


@dataclass(frozen=True)
class Plan:
    """Everything `kit new` has to know. `lines` gives each line's growth mode (None: not known);
    hours are those of the readings.
    """

    experiment_id: str
    title: str
    lines: Mapping[str, str | None]
    dropouts: tuple[tuple[str, ...], ...]
    rescues: tuple[tuple[str, ...], ...]
    replicates: int
    hours: tuple[float, ...]
    plate: int
    readout: str
    flow: bool
    blot: bool
    together: bool
    wells_per_group: int | None
    seed: int
    layout_format: str

    @cached_property
    def media(self) -> dict[str, PlannedMedium]:
        """Media on the plates by name, control first."""
        found = {CONTROL: PlannedMedium("control")}
        found |= {medium_name(group): PlannedMedium("dropout", group) for group in self.dropouts}
        return found | {
            f"{medium_name(group)}_rescue": PlannedMedium("rescue", group) for group in self.rescues
        }

    @property
    def plate_lines(self) -> list[str]:
        """Lines a layout names: all where they share the plate, else none (the plate's entry says
        which line it is).
        """
        return list(self.lines) if self.together else [""]

    @property
    def group_wells(self) -> int:
        """Wells per dropout or rescue group. Raises InputError when the groups do not fit on the
        plate.
        """
        return plate_design.fitting_group(
            self.plate_lines, list(self.media), self.plate, self.wells_per_group
        )

    @property
    def has_start(self) -> bool:
        """Whether there is a 0 h plate: incorporation (BrdU) has no start value."""
        return not is_incorporation(self.readout)

    @cached_property
    def layouts(self) -> dict[str, pd.DataFrame]:
        """path -> all wells of the plate. One layout for 0 h; a new draw per replicate, so that
        position cannot pose as treatment.
        """
        wells, plans = self.group_wells, {}
        if self.has_start:
            start = plate_design.groups_of(self.plate_lines, [CONTROL], wells)
            plans[f"layouts/start.{self.layout_format}"] = plate_design.randomised(
                start, self.plate, np.random.default_rng([self.seed, 0])
            )
        groups = plate_design.groups_of(self.plate_lines, list(self.media), wells)
        for number in range(1, self.replicates + 1):
            rng = np.random.default_rng([self.seed, number])
            plans[f"layouts/dropout-r{number}.{self.layout_format}"] = plate_design.randomised(
                groups, self.plate, rng
            )
        return plans

    @cached_property
    def plates(self) -> list[PlannedPlate]:
        """Every reading, by line, time and replicate."""
        slugs, found = _slugs(["plate"] if self.together else list(self.lines)), []
        for line, slug in slugs.items():
            for hours in (*((0.0,) if self.has_start else ()), *self.hours):
                for number in range(1, self.replicates + 1):
                    layout = f"layouts/{'start' if hours == 0 else f'dropout-r{number}'}.{self.layout_format}"
                    name = f"{line if not self.together else 'Plate'}-{hours:g}h-R{number}"
                    owner = "" if self.together else line
                    found.append(
                        PlannedPlate(
                            name, owner, hours, number, layout, f"{slug}-{hours:g}h-r{number}"
                        )
                    )
        return found


def medium_name(amino_acids: tuple[str, ...]) -> str:
    """`no_asn`; without two amino acids `no_asn_gln`."""
    return "no_" + "_".join(SHORT[item] for item in amino_acids)


def _slugs(names: list[str]) -> dict[str, str]:
    """File-name stems of lines: small letters, digits and hyphens, each its own."""
    found: dict[str, str] = {}
    for name in names:
        base = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "line"
        taken = [slug for slug in found.values() if slug == base or slug.startswith(f"{base}--")]
        found[name] = base if not taken else f"{base}--{len(taken) + 1}"
    return found


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_lines(text: str) -> dict[str, str | None]:
    """`MOLT-4:suspension,A549` -> growth mode per line; a known line's mode need not be given.
    Raises InputError.
    """
    problems, found = Problems(), dict[str, str | None]()
    for item in _names(text):
        name, separator, mode = (part.strip() for part in item.partition(":"))
        matches = [known for known in MODES if mode and known.startswith(mode.casefold())]
        if not name or len(name) > 60 or not name.isprintable():
            problems.say(
                WHERE,
                "--lines",
                f"'{item}' does not name a line",
                "Write NAME:adherent or NAME:suspension; names have at most 60 characters.",
            )
        elif name.casefold() in map(str.casefold, found):
            problems.say(WHERE, "--lines", f"'{name}' stands there twice", "Name each line once.")
        elif separator and not matches:
            problems.say(
                WHERE, "--lines", f"'{mode}' is not a growth mode", did_you_mean(mode, MODES)
            )
        else:
            found[name] = matches[0] if matches else _known_mode(name)
    if not found and not problems:
        problems.say(
            WHERE,
            "--lines",
            "no line is named",
            "Write for example MOLT-4:suspension,A549:adherent.",
        )
    problems.raise_if_any()
    return found


def _known_mode(name: str) -> str | None:
    """The growth mode of a line in the kit's list, where it is one of the two."""
    try:
        known = resolve_line(name)
    except InputError:
        return None
    return known.growth_mode if known is not None and known.growth_mode in MODES else None


def parse_amino_acids(text: str, flag: str) -> tuple[tuple[str, ...], ...]:
    """`asparagine,gln,asn+gln` -> groups of amino acids by full name; `none` is no group. Raises
    InputError.
    """
    if text.strip().casefold() in ("", "none", "no", "-"):
        return ()
    full, problems, found = {short: name for name, short in SHORT.items()}, Problems(), []
    for item in _names(text.casefold()):
        group = tuple(
            sorted(
                {full.get(part.strip(), part.strip()) for part in item.split("+")},
                key=lambda part: (part not in AMINO_ACIDS, part),
            )
        )
        for part in group:
            if part not in AMINO_ACIDS:
                problems.say(
                    WHERE,
                    flag,
                    f"'{part}' is not an amino acid of the kit",
                    did_you_mean(part, AMINO_ACIDS),
                )
        if group in found:
            problems.say(WHERE, flag, f"'{item}' stands there twice", "Name each group once.")
        found.append(group)
    problems.raise_if_any()
    return tuple(found)


def parse_whole(text: str, flag: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`. Raises InputError."""
    if not re.fullmatch(r"\d{1,10}", text.strip()) or not low <= int(text) <= high:
        raise InputError(
            Problem(WHERE, flag, f"'{text}' is not a whole number from {low} to {high}", "")
        )
    return int(text)


def parse_hours(text: str) -> tuple[float, ...]:
    """Hours of the readings after the switch, in order; 0 h has its own plates and is not named.
    Raises InputError.
    """
    found = []
    for item in _names(text):
        number = item.casefold().removesuffix("h").strip()
        if not re.fullmatch(r"\d+(\.\d+)?", number) or not 0 < float(number) <= 2000:
            raise InputError(
                Problem(
                    WHERE,
                    "--hours",
                    f"'{item}' is not a time above 0 and up to 2000 h",
                    "Write for example 48, or 24,48,72.",
                )
            )
        found.append(float(number))
    if not found:
        raise InputError(Problem(WHERE, "--hours", "no reading is named", "Write for example 48."))
    return tuple(sorted(set(found)))


def parse_choice(text: str, flag: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`. Raises InputError with the nearest."""
    if text.strip().casefold() not in allowed:
        raise InputError(
            Problem(WHERE, flag, f"'{text}' is not allowed", did_you_mean(text, allowed))
        )
    return text.strip().casefold()


def parse_text(text: str, flag: str, limit: int) -> str:
    """A line of text. Raises InputError when it is empty where it must not be, too long or holds
    control characters.
    """
    if len(text.strip()) > limit or not text.strip().isprintable():
        raise InputError(
            Problem(
                WHERE,
                flag,
                "is too long or holds control characters",
                f"At most {limit} printable characters.",
            )
        )
    return text.strip()


def parse_readout(text: str) -> str:
    """Name of the assay. Raises InputError."""
    if not text.strip():
        raise InputError(
            Problem(WHERE, "--readout", "is empty", "Name the assay, for example CellTiter-Glo.")
        )
    return parse_text(text, "--readout", 120)


PARSERS: dict[str, Callable[[str], Any]] = {
    "lines": parse_lines,
    "dropouts": lambda text: parse_amino_acids(text, "--dropouts"),
    "rescues": lambda text: parse_amino_acids(text, "--rescues"),
    "replicates": lambda text: parse_whole(text, "--replicates", 1, 20),
    "hours": parse_hours,
    "plate": lambda text: int(parse_choice(text, "--plate", tuple(map(str, plate_design.SHAPES)))),
    "readout": parse_readout,
    "title": lambda text: parse_text(text, "--title", 300),
    "wells_per_group": lambda text: parse_whole(
        text, "--wells-per-group", plate_design.MIN_GROUP, 60
    ),
    "seed": lambda text: parse_whole(text, "--seed", 0, 2**31),
    "layout_format": lambda text: parse_choice(text, "--layout-format", ("csv", "xlsx", "toml")),
}
DEFAULTS = {"lines": "MOLT-4:suspension,A549:adherent", "dropouts": "asparagine,glutamine,serine", "replicates": "3", "hours": "48",
            "plate": "96", "readout": "CellTiter-Glo", "title": "", "layout_format": "csv"}  # fmt: skip


def plan_of(
    experiment_id: str,
    texts: Mapping[str, str],
    *,
    flow: bool = False,
    blot: bool = False,
    together: bool = False,
) -> Plan:
    """The checked plan of texts named as in PARSERS; what is not given takes its default. Raises
    InputError with every problem.
    """
    values: dict[str, Any] = dict.fromkeys(PARSERS) | check_answers({**DEFAULTS, **texts})
    if values["rescues"] is None:
        values["rescues"] = values["dropouts"]
    if values["seed"] is None:  # not one seed for all experiments: their layouts would be the same
        values["seed"] = zlib.crc32(experiment_id.encode()) % 1_000_000
    values["title"] = values["title"] or _title(values)
    plan = Plan(
        experiment_id,
        flow=flow,
        blot=blot,
        together=together and len(values["lines"]) > 1,
        **values,
    )
    plan.group_wells  # noqa: B018  raises when the groups do not fit
    return plan


def check_answers(texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of texts named as in PARSERS, each by itself and those that are given against one
    another. Raises InputError with every
    problem. Whether all of it fits on a plate is for `plan_of` to say, once all of it is known."""
    problems, values = Problems(), dict[str, Any]()
    for name in [name for name in PARSERS if name in texts]:
        try:
            values[name] = PARSERS[name](texts[name])
        except InputError as error:
            problems.extend(error.problems)
    problems.raise_if_any()
    if "dropouts" in values:
        _check_groups(values["dropouts"], values.get("rescues", ()), problems)
    problems.raise_if_any()
    return values


def _check_groups(
    dropouts: Sequence[tuple[str, ...]], rescues: Sequence[tuple[str, ...]], problems: Problems
) -> None:
    if not dropouts:
        problems.say(
            WHERE,
            "--dropouts",
            "nothing is taken away",
            "Name at least one amino acid, for example asparagine.",
        )
    for group in rescues:
        if group not in dropouts:
            known = ["+".join(item) for item in dropouts]
            problems.say(
                WHERE,
                "--rescues",
                f"'{'+'.join(group)}' is added back but never taken away",
                f"Dropouts: {', '.join(known)}.",
            )


def _title(values: Mapping[str, Any]) -> str:
    names = [" with ".join(group) for group in values["dropouts"]]
    taken = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    lines = list(values["lines"])
    where = (
        lines[0]
        if len(lines) == 1
        else f"{len(lines)} lines"
        if len(lines) > 3
        else f"{', '.join(lines[:-1])} and {lines[-1]}"
    )
    return f"{taken.capitalize()} dropout in {where}"
