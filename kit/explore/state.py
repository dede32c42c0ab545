"""What the workbench holds: an experiment, its analysis, and the changes that can be undone. No
widgets here.

The numbers come from `kit.load` and `kit.analyse`, as a report's do; what is saved goes to the
experiment's own files, where the next
batch finds it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kit.analysis import Analysis, analyse, judge_plates
from kit.calls import calls as calling
from kit.config.model import FILE
from kit.config.settings import CallSettings
from kit.core.errors import InputError, Problem
from kit.core.reference import priors
from kit.experiment import exclusions
from kit.experiment.exclusions import Change, read_exclusions
from kit.experiment.load import Experiment, load

Stamp = tuple[int, int] | None


class Nothing(str):
    """What is said when a wish changed nothing: shown as a warning, never as done."""


@dataclass(frozen=True)
class Step:
    """A change that can be undone: the change and what it was, in words."""

    change: Change
    words: str


class Session:
    """One open experiment. `quick` listeners run once the plates are judged, `listeners` once
    everything is; both get nothing.
    """

    def __init__(self) -> None:
        self.experiment: Experiment | None = None
        self.analysis: Analysis | None = None
        self.before: Analysis | None = None
        """The analysis before the last change, to say what it did."""
        self.done: list[Step] = []
        self.undone: list[Step] = []
        self.quick: list[Callable[[], None]] = []
        self.listeners: list[Callable[[], None]] = []
        self._stamps: dict[str, Stamp] = {}

    # ---- opening

    def open(self, path: str | Path) -> None:
        """Load and analyse the experiment folder `path`. Raises InputError; the experiment that was
        open then stays.
        """
        folder = Path(path).expanduser()
        stamps = {FILE: _stamp(folder / FILE), exclusions.FILE: _stamp(folder / exclusions.FILE)}
        self._take(analyse(load(folder, self._overrides(folder))), stamps)

    def adopt(self, analysis: Analysis) -> None:
        """Take an analysis as it is, with the settings it was made with: a notebook's."""
        folder = analysis.experiment.folder
        self._take(analysis, {name: _stamp(folder / name) for name in (FILE, exclusions.FILE)})

    def _take(self, analysis: Analysis, stamps: dict[str, Stamp]) -> None:
        experiment = analysis.experiment
        if self.experiment is None or experiment.folder != self.experiment.folder:
            self.done, self.undone, self.before = [], [], None
        self.experiment, self.analysis = experiment, analysis
        self._stamps = stamps | {
            item.path: _stamp(experiment.folder / item.path)
            for item in experiment.inputs
            if item.path not in stamps
        }
        self._tell(self.quick, self.listeners)

    def _overrides(self, folder: Path) -> Mapping[str, Any]:
        """Settings that were given beside those of experiment.yaml when the experiment in `folder`
        was opened: they stay.
        """
        known = self.experiment
        return known.overrides if known is not None and folder.resolve() == known.folder else {}

    @property
    def loaded(self) -> Experiment:
        """The open experiment. Raises InputError where none is."""
        if self.experiment is None:
            raise InputError(Problem("", "", "no experiment is open", "Choose one above."))
        return self.experiment

    def changed_files(self) -> list[str]:
        """Files of the experiment that somebody changed since they were read."""
        return [
            name
            for name, stamp in self._stamps.items()
            if _stamp(self.loaded.folder / name) != stamp
        ]

    def look_again(self) -> str:
        """Read what changed underneath; returns what was done in words, empty when nothing had
        changed.
        """
        if self.experiment is None or not (changed := self.changed_files()):
            return ""
        if changed == [exclusions.FILE]:
            self._read_exclusions()
            return "exclusions.csv was changed by somebody else: their entries are shown now."
        self.open(self.experiment.folder)
        return f"{', '.join(changed[:3])} changed on disk: the experiment was read again."

    # ---- wells left out

    def exclude(self, plate: str, wells: Iterable[str], reason: str, by: str) -> str:
        """Leave wells of a plate out; written to exclusions.csv at once. Returns what was done in
        words.
        """
        self._catch_up()
        names = self._on(plate, wells)
        change = exclusions.exclude(
            self.loaded.folder, [(plate, well) for well in names], reason, by
        )
        already = len(names) - len(change.added)
        said = self._record(change, "left out")
        return type(said)(said + (f" {already} had been left out before." if already else ""))

    def _on(self, plate: str, wells: Iterable[str]) -> list[str]:
        """The wells, all of which are on the plate. Raises InputError for the first that is not."""
        table, names = self.loaded.wells, list(wells)
        there = set(table.loc[table["plate"].eq(plate), "well"]) if len(table) else set()
        absent = [name for name in names if name not in there]
        if absent:
            raise InputError(
                Problem(
                    "",
                    f"plate {plate}",
                    f"has no well {absent[0]}",
                    "Choose wells of the plate that is shown.",
                )
            )
        return names

    def bring_back(self, plate: str, wells: Iterable[str]) -> str:
        """Count wells of a plate again. Returns what was done in words."""
        self._catch_up()
        change = exclusions.bring_back(self.loaded.folder, [(plate, well) for well in wells])
        return self._record(change, "brought back")

    def undo(self) -> str:
        """Take the last change back. Returns what was done in words."""
        return self._turn(self.done, self.undone, "Undone")

    def redo(self) -> str:
        """Make the last undone change again."""
        return self._turn(self.undone, self.done, "Done again")

    def _catch_up(self) -> None:
        """Read the experiment again where a file other than exclusions.csv has changed, so that
        nothing is decided on what is no more.
        """
        if set(self.changed_files()) - {exclusions.FILE}:
            self.open(self.loaded.folder)

    def _record(self, change: Change, verb: str) -> str:
        if not change.wells:
            return Nothing(f"Nothing to do: no chosen well is to be {verb}.")
        step = Step(change, f"{wells_in_words(change.wells)} {verb}")
        self.done.append(step)
        self.undone.clear()
        self._read_exclusions()
        return f"{step.words[:1].upper()}{step.words[1:]}: saved in exclusions.csv."

    def _turn(self, source: list[Step], target: list[Step], verb: str) -> str:
        if not source:
            return Nothing(
                "There is nothing to undo." if verb == "Undone" else "There is nothing to do again."
            )
        step = source[-1]
        back = exclusions.revert(self.loaded.folder, step.change)
        source.pop()
        if back.wells:
            target.append(Step(back, step.words))
        self._read_exclusions()
        if not back.wells:
            others = (
                "all of the wells had been changed by somebody else since, and stay as they are."
            )
            return Nothing(
                f"Nothing was {'undone' if verb == 'Undone' else 'done again'} of {step.words}:"
                f" {others}"
            )
        missed = len(step.change.wells) - len(back.wells)
        rest = (
            f" {missed} of the wells had been changed by somebody else since and stay as they are."
            if missed > 0
            else ""
        )
        return f"{verb}: {step.words}.{rest}"

    def _read_exclusions(self) -> None:
        """Take exclusions.csv as it is now; first the plates, which are shown at once, then the
        rest.
        """
        experiment, before = self.loaded, self.analysis
        stamp = _stamp(experiment.folder / exclusions.FILE)
        rows = read_exclusions(experiment.folder, experiment.wells)
        self.experiment = dataclasses.replace(experiment, exclusions=rows)
        self._stamps[exclusions.FILE] = stamp
        quick = judge_plates(self.experiment, before)
        self.before, self.analysis = before, quick
        self._tell(self.quick)
        self.analysis = analyse(self.experiment, quick)
        self._tell(self.listeners)

    # ---- what if

    def calls_with(self, settings: Mapping[str, Any]) -> pd.DataFrame:
        """The calls with other cut-offs, from the evidence as it is: nothing is saved. Raises
        InputError for settings out of bounds.
        """
        if not set(settings) <= set(CallSettings.model_fields):
            return self.calls_from(settings=settings)
        gathered = [] if self.analysis is None else self.analysis.evidence
        return calling.judge(gathered, with_settings(self.loaded, settings).settings, priors())

    def calls_from(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        growth: pd.DataFrame | None = None,
        apoptosis: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The calls with some of the evidence or some of the cut-offs replaced. Only settings of
        the call itself may be given.
        """
        found = self.analysis
        if found is None or found.growth is None:
            raise InputError(
                Problem("", "", "no growth was measured in this experiment, so nothing is called")
            )
        config = with_settings(self.loaded, settings or {}).config
        tables = (
            found.growth if growth is None else growth,
            found.apoptosis if apoptosis is None else apoptosis,
        )
        return calling.calls(
            config, *tables, found.rescue, found.carryover, found.compliance, priors=priors()
        )

    @staticmethod
    def _tell(*groups: list[Callable[[], None]]) -> None:
        for group in groups:
            for listener in list(group):
                listener()


def with_settings(experiment: Experiment, settings: Mapping[str, Any]) -> Experiment:
    """The experiment with some settings replaced, checked as those of experiment.yaml are."""
    from pydantic import ValidationError

    from kit.config.settings import Settings

    if not settings:
        return experiment
    try:
        checked = Settings.model_validate({**experiment.settings.model_dump(), **settings})
    except ValidationError as error:
        raise InputError(
            [
                Problem("settings", ".".join(map(str, item["loc"])), item["msg"])
                for item in error.errors()
            ]
        ) from None
    return dataclasses.replace(
        experiment, config=experiment.config.model_copy(update={"settings": checked})
    )


def wells_in_words(wells: list[tuple[str, str]]) -> str:
    """`B03, B04 and 10 more (12 wells) on CTG48-R1`."""
    plates = list(dict.fromkeys(plate for plate, _ in wells))
    names = [well for _, well in wells]
    more = f" and {len(names) - 4} more ({len(names)} wells)" if len(names) > 4 else ""
    return f"{', '.join(names[:4])}{more} on {', '.join(plates)}"


def experiments_below(path: str | Path) -> list[Path]:
    """Experiment folders at or below `path`, at most 500. Raises InputError where there is none."""
    from kit.batch.find import find

    # a `~` of nobody stays as it is, and is not there
    return find([os.path.expanduser(path)]).folders[:500]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
