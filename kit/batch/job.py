"""One experiment -> one report folder, built aside and put in place when it is whole."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import functools
import json
import os
import shutil
import signal
import sys
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import kit
from kit.batch import isolate, notebook_run
from kit.core.errors import InputError, KitError, Problem, did_you_mean
from kit.experiment import held
from kit.store import outfolder, reportfolder


def _lists(*sections: str) -> Callable[[Any], bool]:
    """Whether experiment.yaml has any of these sections."""
    return lambda experiment: any(getattr(experiment.config, name) for name in sections)


NOTEBOOKS: dict[str, Callable[[Any], bool]] = {
    "01_assay_qc": _lists("plates"),
    "02_dropout_analysis": _lists("plates", "flow"),
    "03_asns_correlation": _lists("blots", "expression"),
}
"""Notebook -> whether an Experiment has the data it needs. A new kind of assay is one entry."""

WITHOUT_DATA = ("03_asns_correlation",)
"""Notebooks that also run without data: the reference panels tell of cell lines by name alone."""

POOLING = "03_asns_correlation"
"""The notebook that looks at the other reports of the folder."""

PACKAGES = (
    "numpy", "pandas", "scipy", "matplotlib", "seaborn", "pyarrow", "pydantic", "wellmap", "python-calamine", "openpyxl", "flowio", "flowutils",
    "scikit-image", "tifffile", "imagecodecs", "ruamel.yaml", "ipython", "ipykernel", "papermill", "nbclient", "nbformat", "jinja2", "mistune", "pygments",
)  # fmt: skip

WORST = ("pass", "warn", "fail")


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


def make_report(job: Job) -> dict[str, Any]:
    """Build the report and put it in place; returns its manifest, which says whether that
    worked.
    """
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(1)
    )  # so that what is half built is cleared away
    out = Path(job.out)
    built = outfolder.building(out, f"{job.name}-{os.getpid()}-{uuid.uuid4().hex[:6]}")
    try:
        manifest = _build(job, built)
        return reportfolder.place(built, out / job.name, manifest, run=job.run, only=job.only)
    finally:
        shutil.rmtree(built, ignore_errors=True)


def failed(job: Job, problems: Sequence[str], started: dt.datetime | None = None) -> dict[str, Any]:
    """The manifest of an experiment that could not be reported."""
    start = started or _now()
    return {
        "experiment_id": job.name, "status": "failed", "verdict": "fail", "reasons": list(problems), "problems": list(problems),
        "kit_version": kit.__version__, "python": sys.version.split()[0], "packages": packages(), "settings": dict(job.settings), "seed": None,
        "inputs": [], "notebooks": [], "started": start.isoformat(), "seconds": _seconds(start), "simulated": False, "title": "", "date": None,
        "cell_lines": [], "calls": [], "next_actions": [], "recipe": job.recipe, "source": job.folder,
    }  # fmt: skip


def _build(job: Job, built: Path) -> dict[str, Any]:
    started = _now()
    manifest = failed(job, [], started)
    try:
        experiment = kit.load(job.folder, dict(job.settings) or None)
        notebooks = choose(experiment, Path(job.notebooks), job.only)
    except InputError as error:
        problems = [str(problem) for problem in error.problems]
        manifest |= {"problems": problems, "reasons": problems}
    except Exception as error:
        problem = (
            f"{job.name}: the kit itself failed while reading: {type(error).__name__}: {error}"
            f" ({_where(error)})."
        )
        manifest |= {"problems": [problem], "reasons": [problem]}
    else:
        manifest |= _about(experiment)
        _analyse_ahead(job, experiment, notebooks)
        pool = functools.partial(_pool, job, experiment, notebooks)
        before, kept = pool(), _kept(job, manifest)
        manifest["notebooks"] = [
            _notebook(path, job, built, kept.get(path.stem)) for path in notebooks
        ]
        manifest |= {"pool": before if pool() == before else "changed while it was made"}
        manifest |= _conclude(manifest["notebooks"], built)
    return _write(job, built, manifest, started)


def _analyse_ahead(job: Job, experiment: Any, notebooks: Sequence[Path]) -> None:
    """Analyse once for all notebooks that will be forked from here. In a process of its own, so
    that the limits hold for it too; where
    it fails, the notebooks do it themselves and say where they stopped."""
    if _forked(job) and any(b"kit.open_notebook" in path.read_bytes() for path in notebooks):
        outcome = isolate.run(
            _analyse,
            experiment,
            method="fork",
            timeout_s=job.timeout_s,
            memory_bytes=job.memory_bytes,
        )
        if outcome.how == "done":
            held.hold(outcome.value)


def _analyse(experiment: Any) -> Any:
    notebook_run.quiet()
    return kit.analyse(experiment)


def _pool(job: Job, experiment: Any, notebooks: Sequence[Path]) -> str | None:
    """A fingerprint of what the other reports of the folder add to this one; None where no notebook
    looks at them.
    """
    if POOLING not in [path.stem for path in notebooks]:
        return None
    from kit.store import other_reports

    return other_reports.read(Path(job.out)).fingerprint(
        job.name, bool(experiment.config.simulated)
    )


def _forked(job: Job) -> bool:
    return isolate.CAN_FORK and not job.plain


def _write(job: Job, built: Path, manifest: dict[str, Any], started: dt.datetime) -> dict[str, Any]:
    from kit.store import store

    if manifest["notebooks"]:
        store.write(built, job.name)
    manifest["seconds"] = _seconds(started)
    return _finish(built, manifest)


def _finish(built: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the page and the manifest, which lists what is there; returns it."""
    from kit.report import page

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
        names = ", ".join(only) or "any notebook"
        raise InputError(
            Problem(
                "experiment.yaml",
                "",
                f"has no data for {names}",
                "List plates, flow, blots or expression.",
            )
        )
    return wanted


def available(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """Notebooks of the kit that exist in `folder`, or those named by `only` (01 will do). Raises
    InputError for an unknown name.
    """
    paths = {
        name: folder / f"{name}.ipynb" for name in NOTEBOOKS if (folder / f"{name}.ipynb").is_file()
    }
    if not only:
        return list(paths.values())
    chosen, unknown = [], []
    for name in only:
        found = [
            key for key in paths if key == name.removesuffix(".ipynb") or key.split("_")[0] == name
        ]
        chosen += found
        unknown += (
            []
            if found
            else [
                Problem(
                    "--only",
                    "",
                    f"'{name}' is not a notebook of the kit",
                    did_you_mean(name, paths),
                )
            ]
        )
    if unknown:
        raise InputError(unknown)
    return [path for name, path in paths.items() if name in chosen]


@functools.cache
def packages() -> dict[str, str]:
    """Versions of the libraries the numbers and pages depend on."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _about(experiment: Any) -> dict[str, Any]:
    """What the manifest says of an experiment that could be read."""
    config = experiment.config
    settings = experiment.settings.model_dump(mode="json")
    return {
        "simulated": bool(config.simulated),
        "title": config.title,
        "date": str(config.date) if config.date else None,
        "cell_lines": list(config.cell_lines),
        "settings": settings,
        "seed": settings.get("seed"),
        "inputs": [{"path": item.path, "sha256": item.sha256} for item in experiment.inputs],
    }


def _kept(job: Job, manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What the manifest of the report that is there says of its notebooks that need not be run
    again, by name.
    """
    report = Path(job.out) / job.name
    earlier = reportfolder.read_manifest(report) if job.keep else {}
    same = reportfolder.is_good(report, earlier) and all(
        earlier.get(key) == manifest[key] for key in ("recipe", "source", "inputs", "settings")
    )
    return (
        {
            entry["name"]: entry
            for entry in earlier["notebooks"]
            if "outputs" in entry and entry["name"] != POOLING
        }
        if same
        else {}
    )


def _notebook(path: Path, job: Job, built: Path, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """A notebook's entry in the manifest, with the files it was the first to write: run, or taken
    from the report that is there.
    """
    if kept is not None:
        reportfolder.take(Path(job.out) / job.name, built, kept["outputs"])
        return dict(kept)
    before = reportfolder.outputs(built)
    entry = _run(path, job, built)
    return {
        **entry,
        "outputs": [name for name in reportfolder.outputs(built) if name not in before],
    }


def _run(path: Path, job: Job, built: Path) -> dict[str, Any]:
    parameters = {"experiment": job.folder, "out": str(built)}
    if job.settings:
        parameters["settings"] = json.dumps(dict(job.settings))
    limits: dict[str, Any] = {
        "forked": _forked(job),
        "timeout_s": job.timeout_s,
        "memory_bytes": job.memory_bytes,
    }
    return notebook_run.run(path, built, Path(job.out) / job.name, parameters, **limits)


def _conclude(notebooks: Sequence[Mapping[str, Any]], built: Path) -> dict[str, Any]:
    """Status, verdict, reasons and calls, from what the notebooks said of themselves."""
    errors = [entry["error"] for entry in notebooks if entry["error"]]
    said = [
        summary
        for entry in notebooks
        if (summary := _summary(built / "notebooks" / f"{entry['name']}.ipynb"))
    ]
    verdict = max((summary["verdict"] for summary in said), key=WORST.index, default="warn")
    reasons = list(dict.fromkeys(reason for summary in said for reason in summary["reasons"]))
    actions = list(dict.fromkeys(action for summary in said for action in summary["next_actions"]))
    if not said and not errors:
        reasons = ["No notebook of this run gives a verdict."]
    return {
        "status": "failed" if errors else "ok",
        "verdict": "fail" if errors else verdict,
        "reasons": [*errors, *reasons],
        "problems": errors,
        "next_actions": actions,
        "calls": _calls(built / "tables" / "calls.csv"),
    }


def _summary(path: Path) -> dict[str, Any] | None:
    """The verdict that a notebook's banner carries."""
    for cell in (notebook_run.read(path) or {"cells": []})["cells"]:
        for output in cell.get("outputs", ()):
            found = output.get("metadata", {}).get("kit", {}).get("summary")
            if found and found["verdict"] in WORST:
                return found
    return None


def _calls(path: Path) -> list[dict[str, Any]]:
    """What the index shows of the calls."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {
                key: row.get(key, "")
                for key in ("cell_line", "amino_acid", "call", "confidence", "gr")
            }
            for row in csv.DictReader(file)
        ]


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return (
        f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "unknown place"
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _seconds(since: dt.datetime) -> float:
    return round((dt.datetime.now(dt.UTC) - since).total_seconds(), 3)


def lost(job: Job, why: str) -> dict[str, Any]:
    """The manifest of a report whose process ended before it was whole. It is put in place where no
    report is; one that is there stays, and says so.
    """
    manifest = failed(job, [f"{job.name}: {why}; no report was made"])
    out = Path(job.out)
    try:
        if job.run and outfolder.Watch(out, job.run).over():
            return manifest
        if (out / job.name).exists():
            reportfolder.note_attempt(out / job.name, manifest)
            return {**manifest, "note": reportfolder.STAYS}
        built = outfolder.building(out, f"{job.name}-lost-{uuid.uuid4().hex[:6]}")
        try:
            return reportfolder.place(built, out / job.name, _finish(built, manifest), run=job.run)
        finally:
            shutil.rmtree(built, ignore_errors=True)
    except (OSError, KitError):
        # the very reason, often: a full disk. The exit status and the terminal still tell it.
        return manifest
