"""The folder of reports: one run at a time writes to it, and a report replaces its predecessor in
one step.

The lock file also tells who writes: the number of the run's process, the run's token, and a count
that goes up every few seconds. Workers on other
machines see no lock of this one, but they see that file: they end their work when the token is
another or gone, or when the count stands still.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kit.core.errors import InputError, Problem, Problems


class OutputError(InputError):
    """The folder of reports cannot be used: the request was sound, but nothing can be reported."""


MANIFEST = "manifest.json"
INDEX = ("index.html", "index.json", "across.html")
BUILDING, OLD, GONE, LOCK = ".building-", ".old-", ".gone-", ".kit-lock"
BEAT_S, SILENT_S = 5.0, 60.0
"""How often a run shows that it lives, and after how long without that it is taken for dead:
network file systems may show a file late.
"""


class Run:
    """A run that holds a folder of reports: its token, which its jobs carry, and the beat that
    shows others that it lives.
    """

    def __init__(self, out: Path, descriptor: int) -> None:
        self.out, self.token = out, uuid.uuid4().hex
        self._descriptor, self._over = descriptor, threading.Event()
        os.ftruncate(descriptor, 0)
        self._tell(0)
        threading.Thread(target=self._beat, daemon=True, name="beat").start()

    def end(self) -> None:
        """Nothing of this run is put in place any more; what is half built is removed. The folder
        stays reserved.
        """
        if not self._over.is_set():
            self._over.set()
            with suppress(OSError):
                os.ftruncate(self._descriptor, len(f"{os.getpid()}\n"))
            tidy(self.out)

    def _tell(self, count: int) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, f"{os.getpid()}\n{self.token}\n{count:012d}\n".encode())

    def _beat(self) -> None:
        count = 0
        while not self._over.wait(BEAT_S):
            count += 1
            with suppress(OSError):
                self._tell(count)


class Watch:
    """What another process sees of the run that it works for."""

    def __init__(self, out: Path, token: str) -> None:
        self.out, self.token = out, token
        self._count, self._seen = "", time.monotonic()

    def over(self) -> bool:
        """The run has ended, or another has the folder, or it has shown no life for so long that it
        must be dead.
        """
        try:
            _, token, count, *_ = [
                *(self.out / LOCK).read_text(encoding="utf-8").split("\n"),
                "",
                "",
            ]
        except FileNotFoundError:
            return True
        except OSError:
            token, count = (
                self.token,
                self._count,
            )  # a file system out of reach says nothing of the run
        if count != self._count:
            self._count, self._seen = count, time.monotonic()
        return token != self.token or time.monotonic() - self._seen > SILENT_S


@contextmanager
def reserved(out: Path) -> Iterator[Run]:
    """Hold `out` for this run, made if need be and cleared of what a killed run left behind.

    The operating system drops the lock when the process ends, however it ends, so it cannot go
    stale.
    Raises OutputError when the folder cannot be written to or another run holds it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(out / LOCK)
    except OSError as error:
        raise _cannot_write(out, error) from None
    run: Run | None = None
    try:
        try:
            run = Run(out, descriptor)
        except OSError as error:
            raise _cannot_write(out, error) from None
        tidy(out)
        yield run
    finally:
        if run is not None:
            run.end()
        _unlock(out / LOCK, descriptor)


def refuse(out: Path, name: str, source: Path, problems: Problems) -> None:
    """Note where the report `name` in `out` would harm something.

    Parameters
    ----------
    out, name
        The folder of reports, and the name of the report's folder in it.
    source
        The folder of the experiment.
    problems
        Where it is noted.
    """
    report, source = (out / name).resolve(), source.resolve()
    other = "Choose another --out."
    if report == source or source in report.parents or report in source.parents:
        what = "the report would lie in, on or around the folder of the experiment"
        problems.say(report, "", what, other)
    elif name.casefold() in INDEX:
        what = "the index has this name, so no report can have it"
        problems.say(report, "", what, "Give the experiment another id.")
    elif foreign(report):
        what = "is not a report of the kit, so it is not replaced"
        problems.say(report, "", what, f"{other} Or move it away.")


def foreign(report: Path) -> bool:
    """Whether something is there that is no report of the kit: it has no manifest of the kit's."""
    if not os.path.lexists(report):
        return False
    try:
        if not any(report.iterdir()):
            return report.is_symlink()
        told = json.loads((report / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return not (isinstance(told, dict) and {"experiment_id", "status", "verdict"} <= set(told))


def _cannot_write(out: Path, error: OSError) -> OutputError:
    return OutputError(
        Problem(
            str(out),
            "",
            f"cannot write here: {error.strerror or error}",
            "Choose another --out, or free it.",
        )
    )


def _locked(path: Path) -> int:
    """A descriptor that holds the lock on `path`; the file found again afterwards must be the one
    that was locked.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _try_lock(descriptor):
            holder = os.read(descriptor, 100).decode(errors="replace").partition("\n")[0]
            os.close(descriptor)
            what = f"another run is writing here{f' (process {holder})' if holder else ''}"
            raise OutputError(
                Problem(str(path.parent), "", what, "Wait until it ends, or choose another --out.")
            )
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass  # its holder took it away between our opening and our locking it
        os.close(descriptor)


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
    # first the name, then the lock: nobody can lock a file that is about to vanish and keep it
    else:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def tidy(out: Path) -> None:
    """Remove half-built reports; put a predecessor back that was moved aside when its run was
    killed.
    """
    for path in out.glob(f"{OLD}*"):
        final = out / path.name.removeprefix(OLD)
        if final.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.rename(final)
    for path in out.glob(f"{BUILDING}*"):
        with suppress(
            OSError
        ):  # in one step out of reach of who builds it: half removed, it must not be put in place
            path.rename(out / f"{GONE}{path.name}-{uuid.uuid4().hex[:6]}")
    for path in out.glob(f"{GONE}*"):
        shutil.rmtree(path, ignore_errors=True)


def building(out: Path, name: str) -> Path:
    """A new, empty folder in which the report `name` is built."""
    folder = out / f"{BUILDING}{name}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def swap_in(built: Path, final: Path) -> None:
    """Put a finished report in the place of its predecessor, which stays whole until this moment,
    and for good when the new one cannot be put there.
    """
    if not final.exists():
        built.rename(final)
    elif _exchange(built, final):
        shutil.rmtree(built, ignore_errors=True)
    else:
        aside = final.parent / f"{OLD}{final.name}"
        shutil.rmtree(aside, ignore_errors=True)
        final.rename(aside)
        try:
            built.rename(final)
        except OSError:
            aside.rename(final)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system cannot (Linux can: renameat2 with
    RENAME_EXCHANGE). Raises OSError.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    if (code := ctypes.get_errno()) in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))
