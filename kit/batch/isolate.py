"""One task in a process of its own, which can be waited for, limited and ended, and which never
outlives its starter.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
"""macOS can fork, but its system libraries do not survive it."""

POLL_S = 0.25
SOCKET_PATH_BYTES = 107
SYSTEM = (OSError, MemoryError)
"""What the machine raises when it has no room. Kinds of OSError of their own, such as a file that
is not there, are faults of what was asked.
"""


_up: Connection | None = None
"""In a task: the way to its starter, which is told of the groups of processes that the task starts
in turn.
"""


@dataclass(frozen=True)
class Outcome:
    """How a task ended: `done` (with its value), `raised`, `system` (the machine had no room),
    `killed`, `timeout` or `memory`, with a text for people.
    """

    how: str
    value: Any = None
    text: str = ""
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The text, to stand after a colon."""
        return f"it {self.text}" if self.how in ("timeout", "memory") else self.text


class Task:
    """A running process; `method` is a start method of multiprocessing."""

    def __init__(
        self, function: Callable[..., Any], *args: Any, method: str, group: bool = False
    ) -> None:
        context: Any = multiprocessing.get_context(method)
        self._receive, send = context.Pipe(duplex=False)
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self._group = group and hasattr(os, "killpg")
        # the groups that the task itself runs at the moment: they outlive a task that is killed
        self._below: tuple[int, ...] = ()
        close = self._lifeline if method == "fork" else None
        self.process = context.Process(
            target=_run, args=(function, args, send, lifeline, close, self._group)
        )
        self.started = time.monotonic()
        with _safe_path():
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
        for group in ([self.process.pid] if self._group else []) + list(self._below):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        if not group_only:
            self._receive.close()
            self._lifeline.close()


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """What is started here does not import files of the folder it happens to run in."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _tell_starter(tasks: Iterable[Task]) -> None:
    """Tell who started this task which groups of processes it runs."""
    if _up is not None and hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            _up.send(tuple(task.process.pid for task in tasks))


def run(
    function: Callable[..., Any],
    *args: Any,
    method: str,
    timeout_s: float = 0,
    memory_bytes: int = 0,
) -> Outcome:
    """Run one task to its end, as `run_all` does."""
    limits = {"timeout_s": timeout_s, "memory_bytes": memory_bytes}
    return run_all([(function, *args)], method=method, **limits)[0]


def run_all(
    calls: Sequence[tuple[Any, ...]],
    *,
    method: str,
    at_once: int = 1,
    timeout_s: float = 0,
    memory_bytes: int = 0,
) -> list[Outcome]:
    """Run tasks to their ends, several at once.

    Parameters
    ----------
    calls
        A function and its arguments for each task.
    method
        A start method of multiprocessing.
    at_once
        How many may run side by side.
    timeout_s, memory_bytes
        Limits of each task; 0 is no limit.

    Returns
    -------
    list of Outcome
        In the order of the calls.

    Raises
    ------
    SystemExit
        When the process that started this one has gone.
    """
    waiting, running, outcomes = deque(enumerate(calls)), dict[int, Task](), dict[int, Outcome]()
    starter = multiprocessing.parent_process()
    watched = [starter.sentinel] if starter is not None else []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                index, (function, *args) = waiting.popleft()
                running[index] = Task(function, *args, method=method, group=True)
                _tell_starter(running.values())
            handles = [handle for task in running.values() for handle in task.handles]
            ready = wait([*handles, *watched], timeout=_patience(running.values(), timeout_s))
            for index, task in list(running.items()):
                if (outcome := task.ended() or _over(task, timeout_s, memory_bytes)) is not None:
                    task.end()
                    outcomes[index] = replace(outcome, seconds=time.monotonic() - task.started)
                    del running[index]
            if watched and watched[0] in ready:
                raise SystemExit(1)
    finally:
        for task in running.values():
            task.end()
        _tell_starter(())
    return [outcomes[index] for index in range(len(calls))]


def _patience(tasks: Iterable[Task], timeout_s: float) -> float:
    """How long to wait before the limits are looked at again."""
    left = min((task.started for task in tasks), default=0.0) + timeout_s - time.monotonic()
    return max(0.0, min(left, POLL_S)) if timeout_s else POLL_S


def _over(task: Task, timeout_s: float, memory_bytes: int) -> Outcome | None:
    """How a task that still runs broke a limit; None where it did not."""
    if timeout_s and time.monotonic() - task.started >= timeout_s:
        return Outcome("timeout", text=f"ran longer than the limit of {timeout_s:g} s")
    if memory_bytes and (used := task.memory_bytes()) > memory_bytes:
        limit = f"more than the limit of {memory_bytes / 1e6:.0f} MB"
        return Outcome("memory", text=f"used {used / 1e6:.0f} MB, {limit}")
    return None


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
        how = "system" if type(error) in SYSTEM else "raised"
        outcome = Outcome(how, text=f"{type(error).__name__}: {error}")
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
    _clear_stale_sockets()
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


def _clear_stale_sockets() -> None:
    """Remove the folders of sockets that servers left behind when they were killed: the system
    knows of nobody who listens there. (To ask at a socket would end a server that does listen.)
    """
    with contextlib.suppress(OSError):
        heard = Path("/proc/net/unix").read_text(errors="replace")
        for listener in Path(get_temp_dir()).parent.glob("pymp-*/listener-*"):
            if listener.stat().st_uid == os.getuid() and f" {listener}\n" not in heard:
                shutil.rmtree(listener.parent)


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
