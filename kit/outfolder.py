"""The folder of reports: one run at a time writes to it, and a report replaces its predecessor in one step."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.errors import InputError, Problem


class OutputError(InputError):
    """The folder of reports cannot be used: the request was sound, but nothing can be reported."""


BUILDING, OLD, LOCK = ".building-", ".old-", ".kit-lock"


@contextmanager
def reserved(out: Path) -> Iterator[None]:
    """Hold `out` for this run, made if need be and cleared of what a killed run left behind.

    The operating system drops the lock when the process ends, however it ends, so it cannot go stale.
    Raises OutputError when the folder cannot be written to or another run holds it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(out / LOCK)
    except OSError as error:
        raise OutputError(Problem(str(out), "", f"cannot write here: {error.strerror or error}", "Choose another --out, or free it.")) from None
    try:
        tidy(out)
        yield
    finally:
        _unlock(out / LOCK, descriptor)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock on `path`; the file found again afterwards must be the one that was locked."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _try_lock(descriptor):
            holder = os.read(descriptor, 100).decode(errors="replace").strip()
            os.close(descriptor)
            what = f"another run is writing here{f' (process {holder})' if holder else ''}"
            raise OutputError(Problem(str(path.parent), "", what, "Wait until it ends, or choose another --out."))
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                _sign(path, descriptor)
                return descriptor
        except FileNotFoundError:
            pass  # its holder took it away between our opening and our locking it
        os.close(descriptor)


def _sign(path: Path, descriptor: int) -> None:
    """Say in the lock whose it is; where there is no room for that, there is none for reports either, and the lock goes."""
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
    except OSError:
        _unlock(path, descriptor)
        raise


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _unlock(path: Path, descriptor: int) -> None:
    if os.name == "nt":
        os.close(descriptor)
        path.unlink(missing_ok=True)
    else:  # first the name, then the lock: nobody can lock a file that is about to vanish and keep it
        path.unlink(missing_ok=True)
        os.close(descriptor)


def tidy(out: Path) -> None:
    """Remove half-built reports; put a predecessor back that was moved aside when its run was killed."""
    for path in out.glob(f"{OLD}*"):
        final = out / path.name.removeprefix(OLD)
        if final.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.rename(final)
    for path in out.glob(f"{BUILDING}*"):
        shutil.rmtree(path, ignore_errors=True)


def building(out: Path, name: str) -> Path:
    """A new, empty folder in which the report `name` is built."""
    folder = out / f"{BUILDING}{name}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def swap_in(built: Path, final: Path) -> None:
    """Put a finished report in the place of its predecessor, which stays whole until this moment."""
    if not final.exists():
        built.rename(final)
    elif _exchange(built, final):
        shutil.rmtree(built, ignore_errors=True)
    else:
        aside = final.parent / f"{OLD}{final.name}"
        shutil.rmtree(aside, ignore_errors=True)
        final.rename(aside)
        built.rename(final)
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can (Linux: renameat2 with RENAME_EXCHANGE)."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0
