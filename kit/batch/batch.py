"""Many experiments -> many reports and an index: what to run, on how many workers, and what came of
it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from glob import glob, has_magic
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from kit.batch import isolate
from kit.batch.job import WORST, Job, available, lost, make_report
from kit.batch.uptodate import recipe, up_to_date, with_changed_pool
from kit.core.errors import Problem, Problems, did_you_mean
from kit.core.paths import share
from kit.store import outfolder

CONFIG = "experiment.yaml"
NEAR_CONFIG = ("experiment.yml", "Experiment.yaml", "experiment.YAML", "experiment.yaml.txt")
PATIENCE_S = 5.0
KEPT = ("experiment_id", "status", "verdict", "problems")
AGAIN = "made again: other reports' ASNS changed"

Work = Callable[[Sequence[Job]], Iterator[dict[str, Any]]]
"""Does jobs; gives the manifest of each as they come."""

Report = Callable[["Progress", Mapping[str, Any] | None], None]
"""Called after each experiment, with its manifest; before the first, and when there is a notice to
tell, with None.
"""


@dataclass
class Progress:
    """How far a run is; its end state is its result. Of a manifest only what a run tells at its end
    is kept, so memory stays small.
    """

    total: int
    made: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    notice: str = ""
    """What the run waits for, when it waits for something that people can mend."""

    def note(self, manifest: Mapping[str, Any]) -> None:
        """One more experiment was dealt with."""
        (self.skipped if manifest.get("skipped") else self.made).append(
            {name: manifest[name] for name in KEPT if name in manifest}
        )

    def again(self, names: Collection[str]) -> None:
        """These experiments are dealt with once more: what was noted of them no longer counts."""
        self.made, self.skipped = (
            [one for one in noted if one["experiment_id"] not in names]
            for noted in (self.made, self.skipped)
        )

    @property
    def done(self) -> int:
        """Experiments dealt with."""
        return len(self.made) + len(self.skipped)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """What could not be reported, with its problems."""
        return [manifest for manifest in self.made if manifest["status"] != "ok"]

    @property
    def worst(self) -> str:
        """The worst verdict of all, skipped ones included."""
        return max(
            (manifest["verdict"] for manifest in [*self.made, *self.skipped]),
            key=WORST.index,
            default="pass",
        )


def run(
    experiments: Iterable[str | Path],
    out: str | Path,
    *,
    workers: int = 1,
    only: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    force: bool = False,
    timeout_s: float = 0,
    memory_bytes: int = 0,
    plain: bool = False,
    scheduler: str = "",
    notebooks: str | Path | None = None,
    report: Report = lambda progress, manifest: None,
) -> Progress:
    """Make a report of each experiment (folders, folders of experiments, or globs) under `out`,
    then the index.

    Reports whose inputs, settings, notebooks and libraries are unchanged are left as they are
    unless `force`. An experiment that cannot be reported
    does not keep the others from it: its manifest says why. `notebooks` is a folder to use instead
    of the kit's own, `scheduler` the
    address of a Dask scheduler whose workers do the work. Raises InputError when the request itself
    makes no sense or `out` cannot be used.
    Processes are started afresh (multiprocessing's fork server): a script needs its `if __name__ ==
    "__main__"`.
    """
    folders = expand(experiments)
    target = Path(out).resolve()
    source = Path(notebooks).resolve() if notebooks else share() / "notebooks"
    names = tuple(path.stem for path in available(source, only)) if only else ()
    common: dict[str, Any] = {
        "notebooks": str(source),
        "settings": dict(settings or {}),
        "only": names,
    }
    common |= {
        "recipe": recipe(**common),
        "timeout_s": timeout_s,
        "memory_bytes": memory_bytes,
        "plain": plain,
    }
    progress = Progress(len(folders))
    with (
        _workers(workers, scheduler, partial(_tell, progress, report)) as work,
        outfolder.reserved(target) as held,
    ):
        jobs = [
            Job(str(folder), str(target), safe_name(folder), run=held.token, **common)
            for folder in folders
        ]
        report(progress, None)
        try:
            for manifest in _results(jobs, work, force, progress):
                progress.note(manifest)
                report(progress, manifest)
        finally:
            held.end()
            _write_index(target)
    return progress


def _workers(
    workers: int, scheduler: str, say: Callable[[str], None]
) -> AbstractContextManager[Work]:
    """Who does the jobs: processes of this machine, or the workers of a cluster."""
    if not scheduler:
        return nullcontext(partial(_run_here, workers=max(1, workers)))
    from kit.batch import cluster

    return cluster.connected(scheduler, say)


def _tell(progress: Progress, report: Report, notice: str) -> None:
    progress.notice = notice
    report(progress, None)
    progress.notice = ""


def _write_index(out: Path) -> None:
    from kit.report import index

    try:
        index.write(out)
    except OSError as error:
        raise outfolder.OutputError(
            Problem(
                str(out),
                "",
                f"the index cannot be written: {error.strerror or error}",
                "Make room, then: kit index.",
            )
        ) from None


def _results(
    jobs: Sequence[Job], work: Work, force: bool, progress: Progress
) -> Iterator[dict[str, Any]]:
    """The manifest of each job, as they come; first those that are up to date, last those made
    again because of what the others gave.
    """
    todo = []
    for job in jobs:
        manifest = None if force else up_to_date(job)
        if manifest is None:
            todo.append(job)
        else:
            yield {**manifest, "skipped": True}
    yield from work(todo)
    # Which reports were there when one was made hangs on order, number of workers and
    # interruptions: those that saw others are made again.
    stale = with_changed_pool(jobs)
    progress.again({job.name for job in stale})
    for manifest in work(stale):
        yield {
            **manifest,
            "note": "; ".join([AGAIN, *([manifest["note"]] if "note" in manifest else [])]),
        }


def _run_here(jobs: Sequence[Job], workers: int) -> Iterator[dict[str, Any]]:
    """Run jobs on this machine, one process each, at most `workers` at a time."""
    method = isolate.start_method()
    waiting, running = deque(jobs), dict[isolate.Task, Job]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.popleft()
                running[isolate.Task(make_report, job, method=method)] = job
            wait(
                [handle for task in running for handle in task.handles], timeout=isolate.POLL_S * 4
            )
            for task, job in list(running.items()):
                if (outcome := task.ended()) is not None:
                    del running[task]
                    yield outcome.value if outcome.how == "done" else lost(job, outcome.text)
    finally:
        for task in running:
            task.process.terminate()
        for task in running:
            task.end(PATIENCE_S)


def expand(experiments: Iterable[str | Path]) -> list[Path]:
    """Experiment folders named by paths, folders of experiments and globs, each once, in order.

    Raises InputError for a path where nothing is, and for two folders of one name: their reports
    would be one.
    """
    problems, found = Problems(), dict[Path, None]()
    for given in experiments:
        matches = (
            [Path(match) for match in sorted(glob(str(given)))]
            if has_magic(str(given)) and not os.path.exists(given)
            else [Path(given)]
        )
        try:
            here = [folder for match in matches for folder in _experiments_in(match)]
        except OSError as error:
            problems.say(
                given,
                "",
                f"cannot be looked into: {error.strerror or error}",
                "Name a folder that you may read.",
            )
            continue
        if not here:
            _nothing_there(given, problems)
        found |= dict.fromkeys(folder.resolve() for folder in here)
    _same_names(found, problems)
    problems.raise_if_any()
    return list(found)


def _experiments_in(path: Path) -> list[Path]:
    """The experiment folders at or below a folder; what lies inside an experiment is its own.
    Folders in it that nobody may read are passed.
    """
    if _is_experiment(path):
        return [path]
    if not path.is_dir():
        return []
    found: list[Path] = []
    for item in sorted(item for item in path.iterdir() if not item.name.startswith(".")):
        with suppress(OSError):
            found += _experiments_in(item)
    return found


def _is_experiment(path: Path) -> bool:
    return path.is_dir() and any((path / name).is_file() for name in (CONFIG, *NEAR_CONFIG))


def _nothing_there(given: str | Path, problems: Problems) -> None:
    path = Path(given)
    if path.is_file():
        problems.say(given, "", "is a file", f"Name the folder that holds {CONFIG}.")
    elif path.is_dir():
        problems.say(
            given,
            "",
            f"holds no {CONFIG}, nor do the folders in it",
            "Name an experiment folder, or make one with `kit new`.",
        )
    else:
        siblings = (
            [item.name for item in path.parent.iterdir() if item.is_dir()]
            if path.parent.is_dir()
            else []
        )
        problems.say(
            given,
            "",
            "is not there",
            did_you_mean(path.name, siblings, listing=False) or "Correct the path.",
        )


def _same_names(folders: Iterable[Path], problems: Problems) -> None:
    by_name: dict[str, list[Path]] = {}
    for folder in folders:
        by_name.setdefault(safe_name(folder).casefold(), []).append(folder)
    for same in by_name.values():
        if len(same) > 1:
            where = " and ".join(str(folder) for folder in same)
            problems.say(
                where,
                "",
                f"have one name, '{same[0].name}', so their reports would be one",
                "Rename one, or use another --out.",
            )


def safe_name(folder: Path) -> str:
    """The report's folder name: the experiment's id, made safe where it is no valid one."""
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_"
        for letter in folder.name
    )
    return f"_{kept}"[:64] if kept.startswith(".") or not kept else kept[:64]
