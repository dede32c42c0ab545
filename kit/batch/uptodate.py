"""Whether a report still says what making it again would say: what it was made from, what it
consists of, and which other reports it pooled.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import kit
from kit.batch.job import Job, available, packages
from kit.core.paths import share
from kit.experiment.inputs import unchanged
from kit.store import reportfolder


def recipe(notebooks: str, settings: Mapping[str, Any], only: Sequence[str]) -> str:
    """A hash of everything but the inputs that a report is made from: notebooks, kit, templates,
    reference data, libraries, options.
    """
    root = share()
    files = [
        *available(Path(notebooks)),
        *Path(kit.__file__).parent.rglob("*.py"),
        *(root / "templates" / "report").glob("*"),
    ]
    files += [path for path in (root / "data" / "reference").rglob("*") if path.is_file()]
    digest = hashlib.sha256(
        json.dumps(
            [kit.__version__, sys.version, packages(), dict(settings), list(only)],
            sort_keys=True,
            default=str,
        ).encode()
    )
    for content in sorted(
        path.name.encode() + hashlib.sha256(path.read_bytes()).digest() for path in files
    ):
        digest.update(
            content
        )  # by name and content: the same kit may lie in a checkout or in a wheel
    return digest.hexdigest()


def up_to_date(job: Job) -> dict[str, Any] | None:
    """The manifest of the report that is there, when it is whole, the last attempt at it did not
    fail, and nothing it was made from has changed;
    else None. Which other reports it pooled is not looked at here: `with_changed_pool` does, once
    all of them are made."""
    report, source = Path(job.out) / job.name, Path(job.folder)
    manifest = reportfolder.read_manifest(report)
    try:
        same = (
            manifest["recipe"] == job.recipe
            and manifest["source"] == job.folder
            and "last_attempt" not in manifest
        )
        same = (
            same
            and reportfolder.is_good(report, manifest)
            and {"report.html", "results.parquet"} <= set(manifest["outputs"])
        )
        same = same and unchanged(
            source, {entry["path"]: entry["sha256"] for entry in manifest["inputs"]}
        )
    except (OSError, KeyError, TypeError, AttributeError):
        return None
    return manifest if same else None


def with_changed_pool(jobs: Sequence[Job]) -> list[Job]:
    """The jobs whose reports pooled other reports than are there now, or other numbers of them;
    what hangs on no other report may be kept.

    One whose last attempt failed for a reason of the moment is left to the next run.
    """
    pooled = [(job, manifest) for job in jobs if (manifest := _settled(job)).get("pool")]
    if not pooled:
        return []
    from kit.store import other_reports

    there = {out: other_reports.read(Path(out)) for out in {job.out for job, _ in pooled}}
    return [
        replace(job, keep=True)
        for job, told in pooled
        if told["pool"] != there[job.out].fingerprint(job.name, bool(told["simulated"]))
    ]


def _settled(job: Job) -> dict[str, Any]:
    """The manifest of the report that this job would make and that no fault of the moment touched;
    else empty.
    """
    manifest = reportfolder.read_manifest(Path(job.out) / job.name)
    faulty = "last_attempt" in manifest or any(
        entry.get("fault") in reportfolder.TRANSIENT for entry in manifest.get("notebooks", ())
    )
    return {} if faulty or manifest.get("recipe") != job.recipe else manifest
