"""One experiment -> one report folder, built aside and put in place when it is whole.

The job analyses once, in a process of its own. Tables, store, verdict and calls come from that
analysis; the notebooks show it.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import sys
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kit
from kit.batch import isolate, notebook_run
from kit.batch.choices import choices
from kit.batch.manifest import Manifest, begun, of_analysis, spoil, timed
from kit.core.errors import InputError, KitError, Problem, did_you_mean
from kit.experiment import inputs
from kit.store import outfolder, reportfolder


def _lists(*sections: str) -> Callable[[Any], bool]:
    """Whether experiment.yaml has any of these sections."""
    return lambda experiment: any(getattr(experiment.config, name) for name in sections)


def has_doses(experiment: Any) -> bool:
    """Whether a layout gives doses of an agent."""
    wells = experiment.wells
    return len(wells) > 0 and bool(wells["concentration"].gt(0).any())


NOTEBOOKS: dict[str, Callable[[Any], bool]] = {
    "01_assay_qc": _lists("plates"),
    "02_dropout_analysis": _lists("plates", "flow"),
    "03_asns_correlation": _lists("blots", "expression"),
    "05_dose_response": has_doses,
    "06_mtorc1_divergence": _lists("signaling"),
    "07_exchange_factor": _lists("uptake"),
    "08_time_course": _lists("timecourse"),
}
"""Notebook -> whether an Experiment has the data it needs. A new kind of assay is one entry."""

WITHOUT_DATA = ("03_asns_correlation",)
"""Notebooks that also run without data: the reference panels tell of cell lines by name alone."""

POOLING = "03_asns_correlation"
"""The notebook that looks at the other reports of the folder."""

ASIDE, TRIES = ".analysis.pickle", 3


@dataclass(frozen=True)
class Job:
    """What to report: `folder` (absolute), into `out` (absolute), with the notebooks of which
    folder, and how. Zero is no limit.
    """

    folder: str
    out: str
    name: str
    notebooks: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    recipe: str = ""
    timeout_s: float = 0
    memory_bytes: int = 0
    plain: bool = False
    """Run notebooks in ordinary kernels although processes can be forked."""
    run: str = ""
    """Token of the run that asks for it: when that run is over, nothing is put in place. Empty: no
    run, nothing to look at.
    """
    keep: bool = False
    """Take notebooks that do not look at other reports from the report that is there, when it was
    made from the same inputs.
    """
    side: int = 1
    """Notebooks that may run side by side."""
    ahead: bool = False
    """Wait with the pages of a report that pools others, until what they give is known."""
    built: str = ""
    """The folder of such a report, to be finished now."""


def make_report(job: Job) -> Manifest:
    """Build the report and put it in place.

    Returns
    -------
    dict
        Its manifest, which says whether that worked. A report that waits for others has `waits`,
        the folder in which it is finished when `job.built` names it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is half built is cleared away
    out = Path(job.out)
    name = f"{job.name}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    built = Path(job.built) if job.built else outfolder.building(out, name)
    waits = False
    try:
        manifest, analysis = _aside(built) if job.built else _analysed(job, built)
        waits = job.ahead and analysis is not None and POOLING in _stems(job, analysis)
        if waits:
            (built / ASIDE).write_bytes(pickle.dumps((manifest, analysis)))
            return manifest | {"waits": str(built)}
        manifest = timed(_shown(job, built, manifest, analysis))
        return reportfolder.place(
            built, out / job.name, finish(built, manifest), run=job.run, only=job.only
        )
    finally:
        if not waits:
            shutil.rmtree(built, ignore_errors=True)


def _aside(built: Path) -> tuple[Manifest, Any]:
    """What `make_report` left in the folder of a report that waited."""
    path = built / ASIDE
    found = pickle.loads(path.read_bytes())
    path.unlink()
    return found


def _analysed(job: Job, built: Path) -> tuple[Manifest, Any]:
    """The manifest so far, and the analysis; None where there is none."""
    manifest = begun(job.name, job.folder, job.recipe, job.settings)
    outcome = isolate.run(
        _analyse,
        job,
        built,
        method="fork" if isolate.CAN_FORK else "spawn",
        timeout_s=job.timeout_s,
        memory_bytes=job.memory_bytes,
    )
    if outcome.how == "done":
        told, analysis = outcome.value
        return manifest | told, analysis
    problem = f"{job.name}: reading or analysing stopped: {outcome.sentence}."
    return spoil(manifest, [problem], outcome.how), None


def _analyse(job: Job, built: Path) -> tuple[Manifest, Any]:
    """In a process of its own: read, analyse, write tables and store; returns what the manifest
    says of it, and the analysis.
    """
    from kit.store import store, tables

    notebook_run.quiet()
    doing = "reading"
    try:
        experiment = kit.load(job.folder, dict(job.settings) or None)
        choose(experiment, Path(job.notebooks), job.only)
        doing = "analysing"
        analysis = kit.analyse(experiment)
    except InputError as error:
        problems = [str(problem) for problem in error.problems]
        return {"problems": problems, "reasons": problems, **_out_of_reach(job)}, None
    except Exception as error:
        if type(error) in isolate.SYSTEM:
            raise
        what = f"{type(error).__name__}: {error} ({_where(error)})"
        problem = f"{job.name}: the kit itself failed while {doing}: {what}."
        return {"problems": [problem], "reasons": [problem]}, None
    for name, table in analysis.tables.items():
        tables.write_csv(table, built / "tables" / f"{name}.csv")
    store.write(built, job.name, analysis.tables)
    return of_analysis(analysis) | {"choices": choices(analysis)}, analysis


def _out_of_reach(job: Job) -> Manifest:
    """A fault of the moment where a file that the earlier report was made from is not there."""
    earlier = reportfolder.read_manifest(Path(job.out) / job.name)
    known = [entry["path"] for entry in earlier.get("inputs", ())]
    same = earlier.get("source") == job.folder
    gone = same and any(not os.access(Path(job.folder) / path, os.R_OK) for path in known)
    return {"fault": "out of reach"} if gone else {}


def _shown(job: Job, built: Path, manifest: Manifest, analysis: Any) -> Manifest:
    """Run the notebooks; once more where a file has changed since it was read, so that a report
    never mixes two versions.
    """
    for _ in range(TRIES):
        if analysis is None:
            return manifest
        manifest = _with_notebooks(job, built, manifest, analysis)
        changed = inputs.changed(analysis.experiment.folder, analysis.experiment.inputs)
        if not changed:
            return manifest
        for name in ("notebooks", "tables", "figures", "results"):
            shutil.rmtree(built / name, ignore_errors=True)
        manifest, analysis = _analysed(job, built)
    remedy = "Run it again when nobody changes the files."
    what = "changed while the report was being made"
    return spoil(manifest, [str(Problem(name, "", what, remedy)) for name in changed], "changed")


def _with_notebooks(job: Job, built: Path, manifest: Manifest, analysis: Any) -> Manifest:
    """Run the notebooks on the analysis, or take them from the report that is there."""
    paths = choose(analysis.experiment, Path(job.notebooks), job.only)
    pool, kept = _pool(job, built, manifest), _kept(job, manifest)
    parameters = {"experiment": job.folder}
    if job.settings:
        parameters["settings"] = json.dumps(dict(job.settings))
    ran = notebook_run.run(
        [path for path in paths if path.stem not in kept],
        built,
        Path(job.out) / job.name,
        parameters,
        analysis=analysis if isolate.CAN_FORK and not job.plain else None,
        at_once=job.side,
        timeout_s=job.timeout_s,
        memory_bytes=job.memory_bytes,
    )
    entries = {**kept, **{entry["name"]: entry for entry in ran}}
    for entry in kept.values():
        reportfolder.take(Path(job.out) / job.name, built, entry["outputs"])
    manifest = manifest | {"notebooks": [entries[path.stem] for path in paths]}
    if POOLING in entries:
        same = _pool(job, built, manifest) == pool
        manifest["pool"] = pool if same else "changed while it was made"
    errors = [entry["error"] for entry in manifest["notebooks"] if entry["error"]]
    return spoil(manifest, errors) if errors else manifest


def _stems(job: Job, analysis: Any) -> list[str]:
    return [path.stem for path in choose(analysis.experiment, Path(job.notebooks), job.only)]


def _pool(job: Job, built: Path, manifest: Manifest) -> str:
    """A fingerprint of what the other reports add to this one."""
    from kit.store import other_reports

    there = built / other_reports.POOL
    siblings = (
        other_reports.read_file(there) if there.is_file() else other_reports.read(Path(job.out))
    )
    return siblings.fingerprint(job.name, bool(manifest["simulated"]))


def _kept(job: Job, manifest: Manifest) -> dict[str, Any]:
    """What the manifest of the report that is there says of its notebooks that need not be run
    again, by name.
    """
    report = Path(job.out) / job.name
    earlier = reportfolder.read_manifest(report) if job.keep else {}
    same = reportfolder.is_good(report, earlier) and all(
        earlier.get(key) == manifest[key] for key in ("recipe", "source", "inputs", "settings")
    )
    return {
        entry["name"]: entry
        for entry in (earlier["notebooks"] if same else ())
        if entry["name"] != POOLING
    }


def finish(built: Path, manifest: Manifest) -> Manifest:
    """Write the page and the manifest, which lists what is there; returns it."""
    from kit.report import page
    from kit.store import other_reports

    (built / other_reports.POOL).unlink(missing_ok=True)
    page.write(built, manifest)
    manifest["outputs"] = reportfolder.outputs(built)
    reportfolder.write_manifest(built, manifest)
    return manifest


def choose(experiment: Any, folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """The notebooks for which the experiment has data, in order; those that need none (the
    reference panels tell of lines alone) also where
    they are asked for by name, or where nothing else could be run. Raises InputError when there is
    none."""
    found = available(folder, only)
    wanted = [
        path
        for path in found
        if NOTEBOOKS[path.stem](experiment) or (only and path.stem in WITHOUT_DATA)
    ]
    wanted = wanted or [path for path in found if path.stem in WITHOUT_DATA]
    if not wanted:
        what = f"has no data for {', '.join(only) or 'any notebook'}"
        remedy = "List plates, flow, blots, expression or uptake."
        remedy = "List plates, flow, blots, expression, signaling or uptake."
        raise InputError(Problem("experiment.yaml", "", what, remedy))
    return wanted


def available(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """Notebooks of the kit that exist in `folder`, or those named by `only` (01 will do). Raises
    InputError for an unknown name.
    """
    paths = {
        name: folder / f"{name}.ipynb" for name in NOTEBOOKS if (folder / f"{name}.ipynb").is_file()
    }
    chosen = {
        name: [
            key for key in paths if key == name.removesuffix(".ipynb") or key.split("_")[0] == name
        ]
        for name in only
    }
    unknown = [
        Problem("--only", "", f"'{name}' is not a notebook of the kit", did_you_mean(name, paths))
        for name, found in chosen.items()
        if not found
    ]
    if unknown:
        raise InputError(unknown)
    wanted = {key for found in chosen.values() for key in found}
    return [path for name, path in paths.items() if not only or name in wanted]


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return (
        f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "unknown place"
    )


def lost(job: Job, why: str) -> Manifest:
    """The manifest of a report whose process ended before it was whole. It is put in place where no
    report is; one that is there stays, and says so.
    """
    manifest = begun(job.name, job.folder, job.recipe, job.settings)
    spoil(manifest, [f"{job.name}: {why}; no report was made"])
    out = Path(job.out)
    try:
        if job.run and outfolder.Watch(out, job.run).over():
            return manifest
        if (out / job.name).exists():
            reportfolder.note_attempt(out / job.name, manifest)
            return {**manifest, "note": reportfolder.STAYS}
        built = outfolder.building(out, f"{job.name}-lost-{uuid.uuid4().hex[:6]}")
        try:
            return reportfolder.place(built, out / job.name, finish(built, manifest), run=job.run)
        finally:
            shutil.rmtree(built, ignore_errors=True)
    except (OSError, KitError):
        # the very reason, often: a full disk. The exit status and the terminal still tell it.
        return manifest
