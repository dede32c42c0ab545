"""An experiment folder read and checked as a whole: every problem of every file is reported at
once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd

from kit.asns.lines import OWN_LINES
from kit.config.model import Blot, ExperimentConfig, Expression, Flow, Plate, Signaling
from kit.config.reading import is_inside, read_parts, uptake_files
from kit.config.salvage import NOWHERE
from kit.config.settings import Settings
from kit.core.errors import InputError, Problem, Problems, did_you_mean, refused
from kit.core.findings import Finding
from kit.dose.points import series_problems
from kit.exchange.reading import UptakeData, read_uptake
from kit.experiment.exclusions import read_exclusions
from kit.experiment.inputs import InputFile, inputs, stamps, unread_files
from kit.flow.sample_sheet import read_flow
from kit.plates.tidy import tidy_wells
from kit.readers import Read, choose, read_plates
from kit.readers.blots.image import BlotImage
from kit.readers.layouts.layout import read_layout
from kit.signaling.bands import read_signaling
from kit.signaling.ratios import combine
from kit.timecourse.reading import read_timecourse
from kit.western.bands import read_blot, read_mrna

T = TypeVar("T")
TRIES = 3


@dataclass(frozen=True)
class MeasuredBlot:
    """A blot image and the bands measured on it, with their pixel borders."""

    image: BlotImage
    bands: pd.DataFrame


@dataclass(frozen=True)
class Experiment:
    """A checked experiment: its settings, and its raw data as tidy frames. `wells` is before
    exclusions and corrections.

    `bands` is the blot table of all blots (`kit.readers.blots.densitometry`) with `file`;
    `blot_images` the images among them, each with its own bands;
    `mrna` holds `cell_line`, `replicate`, `value` (log2), `kind` (as the expression entry says:
    mRNA or another), `file` and notes.
    """

    folder: Path
    config: ExperimentConfig
    wells: pd.DataFrame
    exclusions: pd.DataFrame
    flow: pd.DataFrame | None = None
    gated: tuple[Any, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    bands: pd.DataFrame | None = None
    blot_images: tuple[MeasuredBlot, ...] = ()
    mrna: pd.DataFrame | None = None
    notices: tuple[Finding, ...] = ()
    """What is no error of the input but has to be told: wells left out, files that are not read."""
    signaling: pd.DataFrame | None = None
    """Bands of the signalling blots (`kit.signaling.bands`), with `file`."""
    signaling_images: tuple[MeasuredBlot, ...] = ()
    uptake: UptakeData | None = None
    timecourse: pd.DataFrame | None = None
    """Scans of all time courses (`kit.timecourse.reading`), before cleaning."""

    @property
    def id(self) -> str:
        """The experiment's name, equal to its folder's."""
        return self.config.experiment_id

    @property
    def settings(self) -> Settings:
        """All settings in force."""
        return self.config.settings


def load(path: str | Path, settings: Mapping[str, Any] | None = None) -> Experiment:
    """Read and check the experiment folder `path`; `settings` override those of experiment.yaml by
    name.

    Raises InputError with every problem of every file: file, place, value, remedy. A file that
    changes while it is read is read again, so that the hashes are those of the bytes that were
    read.
    """
    folder = Path(path)
    if not folder.is_dir():
        what = "is a file, not an experiment folder" if folder.exists() else "is not there"
        raise refused(str(path), what, "Name the folder that holds experiment.yaml.")
    for _ in range(TRIES):
        before = stamps(folder)
        experiment = _load(folder, settings)
        moved = [
            item.path
            for item in experiment.inputs
            if before.get(normpath(item.path), item.stamp) != item.stamp
        ]
        if not moved:
            return experiment
    what = "changed again and again while it was being read"
    raise InputError([Problem(name, "", what, "Read it when it is finished.") for name in moved])


def _load(folder: Path, settings: Mapping[str, Any] | None) -> Experiment:
    config, problems = read_parts(folder, settings)
    if config is None:
        raise InputError(problems)
    absent = (
        _absent(folder, config) if problems else set()
    )  # the files that are there are read even so: their problems are told with these
    config = _with_files(config, absent)
    maps = {plate.layout: plate.layout for plate in config.plates if plate.layout not in absent}
    layouts = _read_each(maps, lambda name: read_layout(folder / name, name), problems)
    reads = _read_each(
        {plate.plate: plate for plate in config.plates if plate.file not in absent},
        _PlateFiles(folder),
        problems,
    )
    notices = unread_files(folder)
    wells = _attempt(lambda: tidy_wells(config, layouts, reads, notices), problems)
    problems.extend(series_problems(wells, config) if wells is not None else ())
    known = wells if wells is not None and not problems else pd.DataFrame(columns=["plate", "well"])
    plates = [plate.plate for plate in config.plates] if problems else []
    exclusions = _attempt(lambda: read_exclusions(folder, known, plates), problems)
    flow, gated = _read_flow(folder, config, problems)
    bands, images = _read_blots(folder, config, problems)
    mrna = _read_expression(folder, config, problems)
    signaling, signaling_images = _read_signaling(folder, config, problems)
    uptake = _attempt(lambda: read_uptake(folder, config), problems) if config.uptake else None
    courses = _read_timecourses(folder, config, problems, notices)
    problems.raise_if_any()
    files = inputs(folder, config, gated)
    tables = (
        cast(pd.DataFrame, wells),
        cast(pd.DataFrame, exclusions),
    )  # what could not be read was raised above
    return Experiment(
        folder.resolve(),
        config,
        *tables,
        flow,
        gated,
        files,
        dict(settings or {}),
        bands,
        images,
        mrna,
        tuple(notices),
        signaling,
        signaling_images,
        uptake,
        courses,
    )


def _absent(folder: Path, config: ExperimentConfig) -> set[str]:
    """Files of experiment.yaml that are not there or not in the folder, which has been said, and
    the stand-in for those it does not name.
    """
    entries = [*config.plates, *config.flow, *config.blots, *config.expression, *config.signaling]
    entries += config.timecourse
    named = [
        getattr(entry, field, None) for entry in entries for field in ("file", "layout", "lanes")
    ]
    named += [name for entry in config.uptake for name in uptake_files(entry).values()]
    return {NOWHERE, *(name for name in named if name and not is_inside(folder, name))}


def _with_files(config: ExperimentConfig, absent: set[str]) -> ExperimentConfig:
    """Without entries of flow, blots and expression whose files are absent."""
    if not absent:
        return config
    sections = ("flow", "blots", "expression", "signaling", "timecourse")
    kept = {
        name: [
            entry
            for entry in getattr(config, name)
            if not {entry.file, *(getattr(entry, field, None) for field in ("lanes", "layout"))}
            & absent
        ]
        for name in sections
    }
    kept["uptake"] = [item for item in config.uptake if not {*uptake_files(item).values()} & absent]
    return config.model_copy(update=kept)


def _read_flow(
    folder: Path, config: ExperimentConfig, problems: Problems
) -> tuple[pd.DataFrame | None, tuple[Any, ...]]:
    """All flow entries as one table (with `hours` and `file`), and the gated runs of those that are
    FCS files.
    """
    tables, runs = [], []
    for entry in config.flow:
        found = _attempt(lambda entry=entry: _one_flow(folder, entry, config), problems)  # type: ignore[misc]
        if found is not None:
            tables.append(found[0].assign(hours=entry.hours, file=entry.file))
            runs += [found[1]] if found[1] is not None else []
    return (pd.concat(tables, ignore_index=True) if tables else None), tuple(runs)


def _one_flow(folder: Path, entry: Flow, config: ExperimentConfig) -> tuple[pd.DataFrame, Any]:
    table, run = read_flow(
        folder / entry.file,
        entry.gates,
        name=entry.file,
        lines=config.cell_lines,
        media=config.media,
    )
    problems = Problems()
    for column, known, section in (
        ("cell_line", config.cell_lines, "cell_lines"),
        ("medium", config.media, "media"),
    ):
        for name in dict.fromkeys(table.loc[~table[column].isin(list(known)), column]):
            what = f"{column.replace('_', ' ')} '{name}' is not under {section} in experiment.yaml"
            problems.say(entry.file, f"column {column}", what, did_you_mean(name, known))
    problems.raise_if_any()
    return table, run


def _read_blots(
    folder: Path, config: ExperimentConfig, problems: Problems
) -> tuple[pd.DataFrame | None, tuple[MeasuredBlot, ...]]:
    """All blots as one band table, and the images among them."""
    tables, images = [], []
    for entry in config.blots:
        found = _attempt(lambda entry=entry: _one_blot(folder, entry, config), problems)  # type: ignore[misc]
        if found is not None:
            tables.append(found[0].assign(file=entry.file, antibody=entry.antibody or ""))
            images += [MeasuredBlot(found[1], found[0])] if found[1] is not None else []
    tables = (
        _own_membranes(tables, [entry.replicate for entry in config.blots], problems)
        if len(tables) == len(config.blots)
        else tables
    )
    return (pd.concat(tables, ignore_index=True) if tables else None), tuple(images)


def _one_blot(
    folder: Path, entry: Blot, config: ExperimentConfig
) -> tuple[pd.DataFrame, BlotImage | None]:
    return read_blot(
        folder,
        entry.file,
        config.settings,
        lanes=entry.lanes,
        replicate=entry.replicate,
        lines=config.cell_lines,
        dark_bands=entry.dark_bands,
    )


def _read_signaling(
    folder: Path, config: ExperimentConfig, problems: Problems
) -> tuple[pd.DataFrame | None, tuple[MeasuredBlot, ...]]:
    """All signalling blots as one band table, and the images among them."""
    tables, images = [], []
    for entry in config.signaling:
        found = _attempt(lambda entry=entry: _one_signaling(folder, entry, config), problems)  # type: ignore[misc]
        if found is not None:
            tables.append(found[0].assign(file=entry.file))
            images += [MeasuredBlot(found[1], found[0])] if found[1] is not None else []
    whole = len(tables) == len(config.signaling)
    return (_attempt(lambda: combine(tables), problems) if tables and whole else None), tuple(
        images
    )


def _one_signaling(
    folder: Path, entry: Signaling, config: ExperimentConfig
) -> tuple[pd.DataFrame, BlotImage | None]:
    return read_signaling(
        folder,
        entry.file,
        config.settings,
        experiment=entry.experiment,
        lanes=entry.lanes,
        dark_bands=entry.dark_bands,
    )


def _own_membranes(
    tables: list[pd.DataFrame], replicates: list[int | None], problems: Problems
) -> list[pd.DataFrame]:
    """Two files may hold two targets of one membrane, but never one lane's target twice: then the
    name stands for several membranes
    (a program numbers them anew in every file), which their replicates tell apart."""
    tables = list(tables)
    for name in _doubled(tables):
        here = [
            index
            for index, table in enumerate(tables)
            if table["membrane"].astype(str).eq(name).any()
        ]
        for index in here:
            own, label = (
                tables[index]["membrane"].astype(str),
                f"{name} ({replicates[index] or tables[index]['file'].iloc[0]})",
            )
            tables[index] = tables[index].assign(membrane=own.where(own.ne(name), label))
    for name in _doubled(tables):
        files = [
            str(table["file"].iloc[0])
            for table in tables
            if table["membrane"].astype(str).eq(name).any()
        ]
        what = f"membrane '{name}' has the same lane and target in {' and '.join(files)}"
        problems.say(
            files[-1],
            "column membrane",
            what,
            "Name each membrane differently, or give each file its replicate.",
        )
    return tables


def _doubled(tables: list[pd.DataFrame]) -> list[str]:
    """Membranes of which two tables hold the same target of the same lane."""
    keys = ["membrane", "lane", "target"]
    rows = [
        table.loc[~table["target"].isin(["ladder", "off_target"]), keys]
        .astype(str)
        .drop_duplicates()
        for table in tables
    ]
    stacked = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=keys)
    return list(dict.fromkeys(stacked.loc[stacked.duplicated(keys), "membrane"]))


def _read_expression(
    folder: Path, config: ExperimentConfig, problems: Problems
) -> pd.DataFrame | None:
    """All expression entries as one table."""
    tables = []
    for entry in config.expression:
        found = _attempt(lambda entry=entry: _one_expression(folder, entry, config), problems)  # type: ignore[misc]
        if found is not None:
            kind = "mRNA" if entry.kind.casefold() == "mrna" else entry.kind
            tables.append(found.assign(kind=kind, file=entry.file, scale=_scale(entry, found)))
    return pd.concat(tables, ignore_index=True) if tables else None


def _read_timecourses(
    folder: Path, config: ExperimentConfig, problems: Problems, notices: list[Finding]
) -> pd.DataFrame | None:
    """The scans of all time courses as one table."""
    tables = []
    for entry in config.timecourse:
        found = _attempt(lambda entry=entry: read_timecourse(folder, entry, config), problems)  # type: ignore[misc]
        if found is not None:
            tables.append(found[0])
            notices += found[1]
    return pd.concat(tables, ignore_index=True) if tables else None


def _scale(entry: Expression, found: pd.DataFrame) -> str:
    """What values of one expression entry are relative to: its unit, or the calibrator and
    reference genes of a qPCR file.
    """
    if "delta_cq" not in found:
        return entry.unit or ""
    genes = ", ".join(sorted(entry.reference_genes or ())) or "the reference genes"
    return f"delta-delta Cq over {genes} against {entry.calibrator or OWN_LINES}"


def _one_expression(folder: Path, entry: Expression, config: ExperimentConfig) -> pd.DataFrame:
    return read_mrna(
        folder,
        entry.file,
        unit=entry.unit or "",
        target=entry.target or "ASNS",
        references=entry.reference_genes or (),
        calibrator=entry.calibrator,
        lines=config.cell_lines,
        media=config.media,
    )


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
                    self.folder / plate.file,
                    sheet=plate.sheet,
                    format=plate.format,
                    saturation=plate.saturation,
                    name=plate.file,
                    strict=False,
                )
            except InputError as error:
                self.cache[key] = error
        found = self.cache[key]
        if isinstance(found, InputError):
            raise found
        return choose(found, read=plate.read, plate=plate.plate, name=plate.file)


def _read_each(
    items: Mapping[str, Any], read: Callable[[Any], T], problems: Problems
) -> dict[str, T]:
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
