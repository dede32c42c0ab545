"""Many experiments -> many reports and an index: what to run, on how many workers, and what came of
it.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from kit.batch import isolate
from kit.batch.find import Found, find, refuse, safe_name
from kit.batch.job import Job, available, lost, make_report
from kit.batch.manifest import Manifest, begun, spoil
from kit.batch.uptodate import recipe, up_to_date, with_other_pool
from kit.core.findings import worst
from kit.core.paths import share
from kit.report import index
from kit.store import outfolder
from kit.store.other_reports import Siblings

PATIENCE_S = 5.0
KEPT = ("experiment_id", "status", "verdict", "problems")

Work = Callable[[Sequence[Job]], Iterator[Manifest]]
"""Does jobs; gives the manifest of each as they come."""

Report = Callable[["Progress", Manifest | None], None]
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
        return worst([manifest["verdict"] for manifest in [*self.made, *self.skipped]])


def run(
    experiments: Iterable[str | Path],
    out: str | Path,
    *,
    workers: int = 0,
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
    of the kit's own, `workers` how many processes work side by side (0: as many as there are cores),
    `scheduler` the
    address of a Dask scheduler whose workers do the work. Raises InputError when the request itself
    makes no sense or `out` cannot be used.
    Processes are started afresh (multiprocessing's fork server): a script needs its `if __name__ ==
    "__main__"`.
    """
    found, target = find(experiments), Path(out).resolve()
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
    refuse(found.folders, target, common["settings"])
    progress = Progress(len(found.folders) + len(found.doubled))
    tell = partial(_tell, progress, report)
    with _workers(workers, scheduler, tell) as work, outfolder.reserved(target) as held:
        jobs = [
            Job(str(folder), str(target), safe_name(folder), run=held.token, **common)
            for folder in found.folders
        ]
        report(progress, None)
        for problem in found.passed:
            tell(f"Passed over: {problem}")
        try:
            for manifest in chain(_doubled(found), _results(jobs, work, force)):
                progress.note(manifest)
                report(progress, manifest)
        finally:
            held.end()
            index.write(target, tell)
    return progress


def _doubled(found: Found) -> Iterator[Manifest]:
    """What is told of experiments of one name, of which none is reported."""
    for name, problem in found.doubled.items():
        yield spoil(begun(name, problem.file, "", {}), [str(problem)])


def _workers(
    workers: int, scheduler: str, say: Callable[[str], None]
) -> AbstractContextManager[Work]:
    """Who does the jobs: processes of this machine, or the workers of a cluster."""
    if not scheduler:
        return nullcontext(partial(_run_here, workers=workers or cores()))
    from kit.batch import cluster

    return cluster.connected(scheduler, say)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tell(progress: Progress, report: Report, notice: str) -> None:
    progress.notice = notice
    report(progress, None)
    progress.notice = ""


def _results(jobs: Sequence[Job], work: Work, force: bool) -> Iterator[Manifest]:
    """The manifest of each job, as they come; each report is made once.

    Everything is analysed before a report is finished that pools other reports, so what it pools
    depends on no order. Reports that pool nothing are finished at once.
    """
    there = {} if force else {job.name: told for job in jobs if (told := up_to_date(job))}
    waiting: dict[str, Manifest] = {}

    def analysed(some: Iterable[Job]) -> Iterator[Manifest]:
        for manifest in work([replace(job, ahead=True) for job in some]):
            if "waits" in manifest:
                told = ("experiment_id", "waits", "simulated")
                waiting[manifest["experiment_id"]] = {key: manifest[key] for key in told}
            else:
                yield manifest

    yield from analysed(job for job in jobs if job.name not in there)
    if waiting or any(told.get("pool") for told in there.values()):
        siblings = _pool(jobs, waiting)
        stale = with_other_pool(there, siblings)
        yield from analysed(replace(job, keep=True) for job in jobs if job.name in stale)
        there = {name: told for name, told in there.items() if name not in stale}
        _hand_out(siblings, waiting)
        yield from work(
            [
                replace(job, built=waiting[job.name]["waits"], keep=job.name in stale)
                for job in jobs
                if job.name in waiting
            ]
        )
    for manifest in there.values():
        yield {**manifest, "skipped": True}


def _pool(jobs: Sequence[Job], waiting: Mapping[str, Manifest]) -> Siblings:
    """What the reports of the folder give one another, those that wait included."""
    from kit.store import other_reports

    own = {name: (Path(told["waits"]), bool(told["simulated"])) for name, told in waiting.items()}
    return other_reports.read(Path(jobs[0].out), own)


def _hand_out(siblings: Siblings, waiting: Mapping[str, Manifest]) -> None:
    """Put what the reports pool into the folder of each that waited."""
    from kit.store.other_reports import POOL

    targets = [Path(told["waits"]) / POOL for told in waiting.values()]
    for target in targets[:1]:
        siblings.save(target)
    for target in targets[1:]:
        shutil.copyfile(targets[0], target)


def _run_here(jobs: Sequence[Job], workers: int) -> Iterator[dict[str, Any]]:
    """Run jobs on this machine, one process each, at most `workers` at a time."""
    method = isolate.start_method()
    waiting, running = deque(jobs), dict[isolate.Task, Job]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.popleft()
                if not waiting:  # nothing else will use the cores that are free
                    job = replace(job, side=workers)
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
