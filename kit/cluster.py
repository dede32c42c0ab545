"""The same jobs on the workers of a running Dask cluster, which see the same folders.

Each worker keeps a warmed fork server of its own and makes each report in a process of its own, as on one machine. A job whose worker dies is done
elsewhere; when the scheduler is lost, what is left is told as not reported, and the next run does it.
"""

from __future__ import annotations

import functools
import multiprocessing
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from multiprocessing.connection import wait
from typing import Any

from kit import isolate
from kit.errors import InputError, KitError, Problem
from kit.job import Job, lost, make_report, recipe

CONNECT_S = 10


def results(jobs: Sequence[Job], address: str) -> Iterator[dict[str, Any]]:
    """The manifest of each job, as they come. Raises InputError when there is no scheduler at `address`."""
    if not jobs:
        return
    client = _connect(address)
    try:
        run = uuid.uuid4().hex[:8]
        futures = {client.submit(run_one, job, key=f"report-{job.name}-{run}", pure=False): job for job in jobs}
        yield from _as_they_come(client, futures, address)
    finally:
        client.close(timeout=2)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(Problem("--scheduler", "", "Dask is not installed", "Install the kit with its extra: asn-dropout-kit[cluster].")) from None
    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(Problem("--scheduler", address, f"no Dask scheduler answers ({error})", "Start one, or correct the address.")) from None


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
    """On a worker: make one report in a process of its own; returns its manifest."""
    if _own_recipe(job.notebooks, tuple(job.settings.items()), job.only) != job.recipe:
        raise KitError("this Dask worker has another version of the kit, its notebooks or its libraries: install the same everywhere")
    # Dask starts workers as daemonic processes, which may not have children; this one waits for its child, so none is orphaned.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    task = isolate.Task(make_report, job, method=isolate.start_method())
    try:
        while (outcome := task.ended()) is None:
            wait(task.handles, timeout=1.0)
    finally:
        task.end()
    return outcome.value if outcome.how == "done" else lost(job, outcome.text)


@functools.lru_cache(maxsize=8)
def _own_recipe(notebooks: str, settings: tuple[tuple[str, Any], ...], only: tuple[str, ...]) -> str:
    return recipe(notebooks, dict(settings), only)
