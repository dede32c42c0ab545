"""One report's folder: its manifest, the files it should hold, and whether a report just built
takes the place of the one that is there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from kit.core.errors import KitError
from kit.core.files import replace_text
from kit.store import outfolder
from kit.store.outfolder import MANIFEST

TRANSIENT = ("killed", "timeout", "memory", "system", "out of reach", "changed")
"""Faults of a moment or a machine (killed, over a limit, no room, files out of reach or changed
while they were read): they say nothing of the data, so a good report is not given up
for them.
"""

STAYS = "the earlier report stays"


def read_manifest(report: Path) -> dict[str, Any]:
    """The manifest of a report; empty where there is none that can be read."""
    with suppress(OSError, ValueError):
        manifest = json.loads((report / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(manifest, dict):
            return manifest
    return {}


def write_manifest(report: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a report, whole or not at all."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False, default=str) + "\n"
    replace_text(report / MANIFEST, text, MANIFEST)


def outputs(report: Path) -> dict[str, int]:
    """Every file of a report but its manifest, by path, with its size in bytes."""
    files = sorted(path for path in report.rglob("*") if path.is_file())
    return {
        path.relative_to(report).as_posix(): path.stat().st_size
        for path in files
        if path != report / MANIFEST
    }


def take(report: Path, built: Path, names: Iterable[str]) -> None:
    """Copy files of a report, by path, into one that is being built."""
    for name in names:
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(report / name, built / name)


def join(part: Path, built: Path) -> list[str]:
    """Move every file of the folder `part` into the report that is being built; returns their
    paths there.
    """
    files = [path.relative_to(part) for path in sorted(part.rglob("*")) if path.is_file()]
    for name in files:
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(part / name, built / name)
    shutil.rmtree(part)
    return [name.as_posix() for name in files]


def intact(report: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether every file that the manifest lists is there in its size."""
    try:
        return all(
            (report / path).stat().st_size == size for path, size in manifest["outputs"].items()
        )
    except (OSError, KeyError, AttributeError):
        return False


def is_good(report: Path, manifest: Mapping[str, Any]) -> bool:
    """A report that was made without a fault and still is whole."""
    return manifest.get("status") == "ok" and intact(report, manifest)


def transient(manifest: Mapping[str, Any]) -> bool:
    """Whether nothing but faults of the moment kept a report from being made."""
    if "fault" in manifest:
        return True
    bad = [entry for entry in manifest["notebooks"] if entry["status"] != "ok"]
    return bool(bad) and all(entry.get("fault") in TRANSIENT for entry in bad)


def place(
    built: Path,
    final: Path,
    manifest: Mapping[str, Any],
    *,
    run: str = "",
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """Put a built report in its place; returns its manifest, with a `note` of what a run should
    tell besides.

    A good report stays when nothing but a fault of the moment kept the new one from being whole.
    `run` is the token of the run that asks for it,
    empty: none. Raises KitError when that run no longer holds the folder, OSError when the report
    cannot be put there.
    """
    if run and outfolder.Watch(final.parent, run).over():
        raise KitError(
            f"the run that asked for the report {final.name} is over; nothing was changed"
        )
    if outfolder.foreign(final):
        raise KitError(f"{final.name} is not a report of the kit, so it was not replaced")
    earlier = read_manifest(final)
    if transient(manifest) and is_good(final, earlier):
        note_attempt(final, manifest)
        return {**manifest, "note": STAYS}
    for path in (built / "report.html", built / "results.parquet"):
        _sync(path)
    outfolder.swap_in(built, final)
    return {**manifest, **_left_out(manifest, earlier, only)}


def note_attempt(report: Path, attempt: Mapping[str, Any]) -> None:
    """Say in the manifest of the report that stays when the last attempt to make it anew was, and
    why that failed.
    """
    if manifest := read_manifest(report):
        write_manifest(
            report,
            {
                **manifest,
                "last_attempt": {
                    "started": attempt["started"],
                    "problems": list(attempt["problems"]),
                },
            },
        )


def _left_out(
    manifest: Mapping[str, Any], earlier: Mapping[str, Any], only: Sequence[str]
) -> dict[str, str]:
    """A note of the notebooks that the replaced report had and this one, made of some notebooks
    only, has not.
    """
    has = [entry["name"] for entry in manifest["notebooks"]]
    had = [entry["name"] for entry in earlier.get("notebooks", ()) if entry["name"] not in has]
    return (
        {"note": f"only {', '.join(only)}; the full report it replaces had {', '.join(had)}"}
        if only and had
        else {}
    )


def _sync(path: Path) -> None:
    """Have the disk hold a file before anything relies on it; what is not there need not be."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
