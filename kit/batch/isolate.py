"""One task in a process of its own, which can be waited for, limited and ended, and which never
outlives its starter.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
"""macOS can fork, but its system libraries do not survive it."""

POLL_S = 0.25
SOCKET_PATH_BYTES = 107


_up: Connection | None = None
"""In a task: the way to its starter, which is told of the groups of processes that the task starts
in turn.
"""


@dataclass(frozen=True)
class Outcome:
    """How a task ended: `done` (with its value), `raised`, `killed`, `timeout` or `memory`, with a
    text for people.
    """

    how: str
    value: Any = None
    text: str = ""


class Task:
    """A running process; `method` is a start method of multiprocessing."""

    def __init__(
        self, function: Callable[..., Any], *args: Any, method: str, group: bool = False
    ) -> None:
        context: Any = multiprocessing.get_context(method)
        self._receive, send = context.Pipe(duplex=False)
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self._group = group and hasattr(os, "killpg")
        # the group that the task itself runs at the moment: it outlives a task that is killed
        self._below = 0
        close = self._lifeline if method == "fork" else None
        self.process = context.Process(
            target=_run, args=(function, args, send, lifeline, close, self._group)
        )
        self.started = time.monotonic()
        if method == "forkserver":
            _start_server()
        self.process.start()
        send.close()
        lifeline.close()

    @property
    def handles(self) -> list[Any]:
        """What to wait on: ready when the task has ended or has sent its result."""
        return [self.process.sentinel, self._receive]

    def ended(self) -> Outcome | None:
        """The outcome, or None while the task is running."""
        sent = self._received()
        if sent is None and self.process.is_alive():
            return None
        self.process.join()
        sent = sent or self._received()
        self._clear()
        if sent is not None:
            return sent
        return Outcome("killed", text=_by_what(self.process.exitcode))

    def end(self, patience_s: float = 0.0) -> None:
        """End it now: politely at first where `patience_s` is given, so that it can clear up."""
        if patience_s:
            self.process.terminate()
            self.process.join(patience_s)
        if self.process.is_alive():
            self._received()
            self._clear(group_only=True)
            self.process.kill()
        self.process.join()
        self._clear()

    def memory_bytes(self) -> int:
        """Resident memory of the process and all below it."""
        import psutil

        total = 0
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.process.pid)
            for one in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += one.memory_info().rss
        return total

    def _received(self) -> Outcome | None:
        try:
            while not self._receive.closed and self._receive.poll():
                sent = self._receive.recv()
                if isinstance(sent, Outcome):
                    return sent
                self._below = sent
        except (EOFError, OSError):
            pass
        return None

    def _clear(self, group_only: bool = False) -> None:
        """End whatever the task itself started, and let go of the pipes."""
        for group in ([self.process.pid] if self._group else []) + (
            [self._below] if self._below else []
        ):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        if not group_only:
            self._receive.close()
            self._lifeline.close()


def _tell_starter(group: int) -> None:
    """Tell who started this task which group of processes it runs; 0: none any more."""
    if _up is not None and hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            _up.send(group)


def run(
    function: Callable[..., Any],
    *args: Any,
    method: str,
    timeout_s: float = 0,
    memory_bytes: int = 0,
) -> Outcome:
    """Run one task to its end; 0 is no limit. Raises SystemExit when the process that started this
    one has gone.
    """
    task = Task(function, *args, method=method, group=True)
    _tell_starter(task.process.pid or 0)
    starter = multiprocessing.parent_process()
    watched = [starter.sentinel] if starter is not None else []
    try:
        while True:
            left = task.started + timeout_s - time.monotonic() if timeout_s else POLL_S
            ready = wait([*task.handles, *watched], timeout=max(0.0, min(left, POLL_S)))
            if (outcome := task.ended()) is not None:
                return outcome
            if watched and watched[0] in ready:
                raise SystemExit(1)
            if timeout_s and time.monotonic() - task.started >= timeout_s:
                return Outcome("timeout", text=f"ran longer than the limit of {timeout_s:g} s")
            if memory_bytes and (used := task.memory_bytes()) > memory_bytes:
                return Outcome(
                    "memory",
                    text=(
                        f"used {used / 1e6:.0f} MB, more than the limit of"
                        f" {memory_bytes / 1e6:.0f} MB"
                    ),
                )
    finally:
        task.end()
        _tell_starter(0)


def _run(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    send: Connection,
    lifeline: Connection,
    inherited: Connection | None,
    group: bool,
) -> None:
    """In the new process: do the task and send the outcome. Ctrl-C and a lost session are the
    starter's to handle: it ends this process by SIGTERM, which clears up.
    """
    global _up
    _up = send
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if inherited is not None:
        inherited.close()  # the starter's end of the lifeline: held here too, it would never break
    if group:
        os.setsid()
        _die_with_starter(lifeline)
    try:
        outcome = Outcome("done", function(*args))
    except Exception as error:
        outcome = Outcome("raised", text=f"{type(error).__name__}: {error}")
    send.send(outcome)
    send.close()


def _die_with_starter(lifeline: Connection) -> None:
    """End this process, and all it started, when the starter ends: the pipe breaks then, however it
    ended.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(
            1, signal.SIGKILL
        )  # PR_SET_PDEATHSIG: also while a C call keeps Python from running

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()


def _by_what(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        try:
            name = signal.Signals(-exitcode).name
        except ValueError:
            name = f"signal {-exitcode}"
        hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
        return f"its process was killed ({name}{hint})"
    return f"its process ended by itself (exit status {exitcode})"


def _start_server() -> None:
    """Start the fork server, unless it runs, with Ctrl-C held back: it is still held back there
    while `kit.batch.warm` begins, and ignored from then on.
    """
    from multiprocessing import forkserver, resource_tracker

    _choose_socket_folder()
    resource_tracker.ensure_running()  # first, as it lets Ctrl-C through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _choose_socket_folder() -> None:
    """Let the server's socket lie in /tmp where TMPDIR is too long for the path of a socket (107
    bytes), as a cluster's folder for a job can be.
    """
    from multiprocessing.util import get_temp_dir

    kept, path = (
        tempfile.tempdir,
        os.path.join(tempfile.gettempdir(), "pymp-12345678", "listener-12345678"),
    )
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES and os.access("/tmp", os.W_OK):
        tempfile.tempdir = "/tmp"
    try:
        get_temp_dir()  # once chosen, it is used from then on
    finally:
        tempfile.tempdir = kept


def start_method() -> str:
    """How report processes are started: forked from a warmed server where that is possible."""
    if not CAN_FORK:
        return "spawn"
    # One thread for linear algebra: threads do not survive a fork, and workers share the cores
    # already.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    multiprocessing.set_forkserver_preload(["kit.batch.warm"])
    return "forkserver"
