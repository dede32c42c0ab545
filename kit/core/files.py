"""A small text file of the user's changed in one step: readers see the old one or the new one, and
two writers wait for each other.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kit.core.errors import InputError, Problem

PATIENCE_S = 5.0


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Hold `folder` against other processes of this machine that change its files; the system drops
    the lock when the process ends.

    Where folders cannot be locked (Windows, some network drives) changes are still whole, yet two
    in the same instant may lose one.
    Raises InputError when somebody holds it for longer than `PATIENCE_S`.
    """
    descriptor = None
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        pass
    try:
        until = time.monotonic() + PATIENCE_S
        while descriptor is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise InputError(
                        Problem(
                            folder.name,
                            "",
                            "another program is writing here",
                            "Try again in a moment.",
                        )
                    ) from None
                time.sleep(0.02)
            except OSError:
                break
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def replace_text(path: Path, text: str, name: str) -> None:
    """Write `text` (UTF-8) beside `path` and put it in its place, keeping the file's permissions.
    Raises InputError where that fails.
    """
    target = path.resolve()  # a link stays a link
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(temporary, target)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        raise InputError(
            Problem(
                name,
                "",
                f"cannot be written: {error.strerror or error}",
                "Free the file or the disk, then try again.",
            )
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
