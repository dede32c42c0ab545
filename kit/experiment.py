"""An experiment folder read and checked as a whole: every problem of every file is reported at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from kit.config import FILE, ExperimentConfig, Flow, Plate, read_config
from kit.errors import InputError, Problem, Problems, did_you_mean
from kit.exclusions import FILE as EXCLUSIONS
from kit.exclusions import read_exclusions
from kit.layout import read_layout
from kit.readers import Read, choose, read_plates
from kit.readers.flow_sheet import read_flow
from kit.settings import Settings
from kit.tidy import tidy_wells

T = TypeVar("T")


@dataclass(frozen=True)
class InputFile:
    """A file the numbers came from: path relative to the experiment folder, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Experiment:
    """A checked experiment: its settings, and its raw data as tidy frames. `wells` is before exclusions and corrections."""

    folder: Path
    config: ExperimentConfig
    wells: pd.DataFrame
    exclusions: pd.DataFrame
    flow: pd.DataFrame | None = None
    gated: tuple[Any, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The experiment's name, equal to its folder's."""
        return self.config.experiment_id

    @property
    def settings(self) -> Settings:
        """All settings in force."""
        return self.config.settings


def load(path: str | Path, settings: Mapping[str, Any] | None = None) -> Experiment:
    """Read and check the experiment folder `path`; `settings` override those of experiment.yaml by name.

    Raises InputError with every problem of every file: file, place, value, remedy.
    """
    folder = Path(path)
    if not folder.is_dir():
        what = "is a file, not an experiment folder" if folder.exists() else "is not there"
        raise InputError(Problem(str(path), "", what, "Name the folder that holds experiment.yaml."))
    config = read_config(folder, settings)
    problems = Problems()
    layouts = _read_each({plate.layout: plate.layout for plate in config.plates}, lambda name: read_layout(folder / name, name), problems)
    reads = _read_each({plate.plate: plate for plate in config.plates}, _PlateFiles(folder), problems)
    wells = _attempt(lambda: tidy_wells(config, layouts, reads), problems)
    exclusions = _attempt(lambda: read_exclusions(folder, wells), problems) if wells is not None and not problems else None
    flow, gated = _read_flow(folder, config, problems)
    problems.raise_if_any()
    return Experiment(folder.resolve(), config, wells, exclusions, flow, gated, _inputs(folder, config), dict(settings or {}))


def _read_flow(folder: Path, config: ExperimentConfig, problems: Problems) -> tuple[pd.DataFrame | None, tuple[Any, ...]]:
    """All flow entries as one table (with `hours` and `file`), and the gated runs of those that are FCS files."""
    tables, runs = [], []
    for entry in config.flow:
        found = _attempt(lambda entry=entry: _one_flow(folder, entry, config), problems)  # type: ignore[misc]
        if found is not None:
            tables.append(found[0].assign(hours=entry.hours, file=entry.file))
            runs += [found[1]] if found[1] is not None else []
    return (pd.concat(tables, ignore_index=True) if tables else None), tuple(runs)


def _one_flow(folder: Path, entry: Flow, config: ExperimentConfig) -> tuple[pd.DataFrame, Any]:
    table, run = read_flow(folder / entry.file, entry.gates, name=entry.file, lines=config.cell_lines, media=config.media)
    problems = Problems()
    for column, known, section in (("cell_line", config.cell_lines, "cell_lines"), ("medium", config.media, "media")):
        for name in dict.fromkeys(table.loc[~table[column].isin(list(known)), column]):
            what = f"{column.replace('_', ' ')} '{name}' is not under {section} in experiment.yaml"
            problems.say(entry.file, f"column {column}", what, did_you_mean(name, known))
    problems.raise_if_any()
    return table, run


class _PlateFiles:
    """Reads the plates' files, each file once however many plates it holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache: dict[tuple, list[Read] | InputError] = {}

    def __call__(self, plate: Plate) -> Read:
        key = (plate.file, plate.sheet, plate.format, plate.saturation)
        if key not in self.cache:
            try:
                self.cache[key] = read_plates(
                    self.folder / plate.file, sheet=plate.sheet, format=plate.format, saturation=plate.saturation, name=plate.file
                )
            except InputError as error:
                self.cache[key] = error
        found = self.cache[key]
        if isinstance(found, InputError):
            raise found
        return choose(found, read=plate.read, plate=plate.plate, name=plate.file)


def _read_each(items: Mapping[str, Any], read: Callable[[Any], T], problems: Problems) -> dict[str, T]:
    done = {}
    for key, item in items.items():
        value = _attempt(lambda item=item: read(item), problems)  # type: ignore[misc]
        if value is not None:
            done[key] = value
    return done


def _attempt(read: Callable[[], T], problems: Problems) -> T | None:
    try:
        return read()
    except InputError as error:
        problems.extend(error.problems)
        return None


def _inputs(folder: Path, config: ExperimentConfig) -> tuple[InputFile, ...]:
    """Every file named by the experiment, and the two of fixed name, with their hashes."""
    names = [FILE, *([EXCLUSIONS] if (folder / EXCLUSIONS).exists() else [])]
    for plate in config.plates:
        names += [plate.layout, plate.file]
    names += [entry.file for section in (config.flow, config.blots, config.expression) for entry in section]
    return tuple(InputFile(name, _sha256(folder / name)) for name in dict.fromkeys(names))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
