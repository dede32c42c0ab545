"""The same jobs on the workers of a running Dask cluster, which see the same folders.

Each worker keeps a warmed fork server of its own and makes each report in a process of its own, as
on one machine. A job whose worker dies is done
elsewhere; when the scheduler is lost, what is left is told as not reported, and the next run does
it. A worker looks at the lock file of the reports'
folder while it works, and ends its work when the run is over, however it ended.
"""

from __future__ import annotations

import functools
import logging
import multiprocessing
import re
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from kit.batch import isolate
from kit.batch.job import Job, lost, make_report
from kit.batch.uptodate import recipe
from kit.core.errors import InputError, KitError, Problem, did_you_mean
from kit.store.outfolder import Watch

CONNECT_S, NO_WORKER_S, LOOK_S, PATIENCE_S = 10.0, 4.0, 1.0, 5.0
SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")
NO_WORKER = "No worker has joined the scheduler yet; waiting for one."

Work = Callable[[Sequence[Job]], Iterator[dict[str, Any]]]
"""Does jobs; gives the manifest of each as they come."""


@contextmanager
def connected(address: str, say: Callable[[str], None]) -> Iterator[Work]:
    """A way to have jobs done by the workers of the scheduler at `address`; `say` tells people what
    they wait for.

    Raises InputError when the address makes no sense or no scheduler is there.
    """
    client = _connect(*_checked(address))
    try:
        yield functools.partial(_results, client, address, say)
    finally:
        client.close(timeout=2)


def _checked(address: str) -> tuple[str, str, int]:
    """The address in full, its host and its port."""
    found = re.fullmatch(
        r"(?:([A-Za-z]+)://)?(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]@]+):(\d{1,5})", address
    )
    if not found or not 0 < int(found[3]) < 65536:
        raise InputError(
            Problem(
                "--scheduler",
                address,
                "is not the address of a scheduler",
                "Write it as tcp://HOST:PORT, as the scheduler prints it.",
            )
        )
    scheme = (found[1] or "tcp").lower()
    if scheme not in SCHEMES:
        raise InputError(
            Problem(
                "--scheduler",
                address,
                f"'{scheme}' is not a way to reach a scheduler",
                did_you_mean(scheme, SCHEMES),
            )
        )
    return f"{scheme}://{found[2]}:{found[3]}", found[2].strip("[]"), int(found[3])


def _connect(address: str, host: str, port: int) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            Problem(
                "--scheduler",
                "",
                "Dask is not installed",
                "Install the kit with its extra: asn-dropout-kit[cluster].",
            )
        ) from None
    _silence()
    try:
        _ask(address, host, port)
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # TypeError: tls:// without certificates
        raise InputError(
            Problem(
                "--scheduler",
                address,
                f"no Dask scheduler answers ({error})",
                "Start one, or correct the address.",
            )
        ) from None


def _ask(address: str, host: str, port: int) -> None:
    """Whether somebody is there: Dask's client waits for ever for a listener that says nothing. A
    scheduler speaks first. Raises OSError.
    """
    with socket.create_connection((host, port), timeout=CONNECT_S) as line:
        if address.startswith("tcp:") and not line.recv(1):
            raise ConnectionError("it hung up")


def _silence() -> None:
    """What Dask logs of a lost connection is told by the reports it concerns, in words."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _results(
    client: Any, address: str, say: Callable[[str], None], jobs: Sequence[Job]
) -> Iterator[dict[str, Any]]:
    """The manifest of each job, as they come."""
    if not jobs:
        return
    _look_for_workers(client, say)
    try:
        run = uuid.uuid4().hex[:8]
        futures = {
            client.submit(run_one, job, key=f"report-{job.name}-{run}", pure=False): job
            for job in jobs
        }
    except Exception as error:
        yield from (
            lost(
                job, f"the connection to the scheduler {address} was lost ({type(error).__name__})"
            )
            for job in jobs
        )
        return
    yield from _as_they_come(client, futures, address)


def _look_for_workers(client: Any, say: Callable[[str], None]) -> None:
    try:
        client.wait_for_workers(1, timeout=NO_WORKER_S)
    except TimeoutError:
        say(NO_WORKER)
    except Exception:
        return  # a lost scheduler is told with the jobs


def _as_they_come(client: Any, futures: dict[Any, Job], address: str) -> Iterator[dict[str, Any]]:
    from distributed import as_completed

    for future in as_completed(futures, loop=client.loop):
        job = futures.pop(future)  # the cluster may forget its result
        try:
            yield future.result()
        except CancelledError:
            yield lost(job, f"the connection to the scheduler {address} was lost")
        except Exception as error:
            yield lost(job, f"{type(error).__name__}: {error}")


def run_one(job: Job) -> dict[str, Any]:
    """On a worker: make one report in a process of its own; returns its manifest. Raises KitError
    when the run that asks for it is over.
    """
    if _own_recipe(job.notebooks, tuple(job.settings.items()), job.only) != job.recipe:
        raise KitError(
            "this Dask worker has another version of the kit, its notebooks or its libraries:"
            " install the same everywhere"
        )
    watch = Watch(Path(job.out), job.run)
    _heed(watch)
    # Dask starts workers as daemonic processes, which may not have children; this one waits for its
    # child, so none is orphaned.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    task = isolate.Task(make_report, job, method=isolate.start_method())
    try:
        while (outcome := task.ended()) is None:
            _heed(watch)
            wait(task.handles, timeout=LOOK_S)
    finally:
        task.end(PATIENCE_S)
    return outcome.value if outcome.how == "done" else lost(job, outcome.text)


def _heed(watch: Watch) -> None:
    if watch.over():
        raise KitError(f"the run that asked for reports in {watch.out} is over")


@functools.lru_cache(maxsize=8)
def _own_recipe(
    notebooks: str, settings: tuple[tuple[str, Any], ...], only: tuple[str, ...]
) -> str:
    return recipe(notebooks, dict(settings), only)
