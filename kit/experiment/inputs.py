"""The files an experiment's numbers came from, by content: what the manifest lists and what makes a
report stale.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from kit.config.model import FILE, ExperimentConfig
from kit.config.reading import uptake_files
from kit.core.findings import Finding
from kit.experiment.exclusions import FILE as EXCLUSIONS
from kit.readers.layouts.layout import included


@dataclass(frozen=True)
class InputFile:
    """A file the numbers came from: path relative to the experiment folder, and its SHA-256."""

    path: str
    sha256: str
    stamp: tuple[int, ...] = field(default=(), compare=False)
    """What the file system said of it when it was read: it changes whenever the file does."""


def stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """The stamp of every file below a folder, by path."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = stamp(path)
    return found


def stamp(path: Path) -> tuple[int, ...]:
    """Size, times and number of a file. Raises OSError."""
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def inputs(
    folder: Path, config: ExperimentConfig, gated: Iterable[Any] = ()
) -> tuple[InputFile, ...]:
    """Every file the experiment was read from, with its hash; `gated` are the runs of its sample
    sheets, in their order.
    """
    return tuple(
        InputFile(name, sha256(folder / name), stamp(folder / name))
        for name in dict.fromkeys(_names(folder, config, gated))
    )


_LIKE_EXCLUSIONS = re.compile(r"exclu(?:sion|ded?)s?\b.*\.(?:csv|txt|tsv|xlsx?|ods)", re.IGNORECASE)


def unread_files(folder: Path) -> list[Finding]:
    """Files of the folder that look like its list of exclusions and are not read."""
    names = sorted(item.name for item in folder.iterdir() if item.is_file())
    return [
        Finding("FILE_NOT_READ", "warn", name, {"name": EXCLUSIONS})
        for name in names
        if name != EXCLUSIONS and _LIKE_EXCLUSIONS.fullmatch(name)
    ]


def unchanged(folder: Path, recorded: Mapping[str, str]) -> bool:
    """Whether the files of `folder` still have the recorded hashes (by path), and no list of
    exclusions has come or gone.

    Raises OSError when one cannot be read.
    """
    if not recorded or (EXCLUSIONS in recorded) != (folder / EXCLUSIONS).exists():
        return False
    return all(sha256(folder / path) == digest for path, digest in recorded.items())


def changed(folder: Path, recorded: Iterable[InputFile]) -> list[str]:
    """The files that are no longer what was read, by path; a list of exclusions that has come
    counts too.
    """
    known = {item.path: item for item in recorded}
    new = EXCLUSIONS not in known and (folder / EXCLUSIONS).exists()
    return [name for name, item in known.items() if not _as_read(folder / name, item)] + (
        [EXCLUSIONS] if new else []
    )


def _as_read(path: Path, item: InputFile) -> bool:
    try:
        return stamp(path) == item.stamp or sha256(path) == item.sha256
    except OSError:
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _names(folder: Path, config: ExperimentConfig, gated: Iterable[Any]) -> Iterator[str]:
    yield FILE
    if (folder / EXCLUSIONS).exists():
        yield EXCLUSIONS
    for plate in config.plates:
        yield plate.layout
        yield plate.file
    courses = config.timecourse
    yield from (course.layout for course in courses)
    layouts = [plate.layout for plate in config.plates] + [course.layout for course in courses]
    for layout in dict.fromkeys(layouts):
        yield from (_beside(layout, name) for name in included(folder / layout))
    for section in (config.flow, config.blots, config.expression, config.signaling, courses):
        yield from (entry.file for entry in section)
    lanes = [entry.lanes for entry in config.blots] + [entry.lanes for entry in config.signaling]
    yield from (name for name in lanes if name)
    yield from (name for entry in config.uptake for name in uptake_files(entry).values())
    for entry, run in zip(
        [entry for entry in config.flow if entry.gates is not None], gated, strict=False
    ):
        yield from (_beside(entry.file, name) for name in run.samples)


def _beside(file: str, name: str) -> str:
    """`name`, which is relative to the folder of `file`, relative to the experiment folder."""
    return (PurePosixPath(file).parent / name).as_posix()
