"""Whether a report still says what making it again would say: what it was made from, what it
consists of, and which other reports it pooled.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kit
from kit.batch.job import Job, available
from kit.batch.manifest import packages
from kit.core.paths import share
from kit.experiment.inputs import unchanged
from kit.store import reportfolder
from kit.store.other_reports import Siblings


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
    else None. Which other reports it pooled is not looked at here: `with_other_pool` does, once
    all of them are analysed."""
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


def with_other_pool(there: Mapping[str, Mapping[str, Any]], siblings: Siblings) -> list[str]:
    """The names of reports that, by their manifests, pooled other lines than these."""
    return [
        name
        for name, told in there.items()
        if told.get("pool") and told["pool"] != siblings.fingerprint(name, bool(told["simulated"]))
    ]
