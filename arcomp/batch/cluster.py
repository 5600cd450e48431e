"""Work shared out among processes of several machines, by dask.distributed.

Items go out in tasks of many, so that the scheduler has few of them to think of. A task whose worker is killed is done
again by another one; one that kills every worker is taken apart, so that only the item that did it is lost.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from typing import Any
from uuid import uuid4

from arcomp.batch.workers import Done, Lost, Start, Work
from arcomp.errors import ArcompError

LOCAL = "local"
"""In place of an address: processes of this machine."""
PER_TASK = 200
"""Items of a task, at most."""
SIZE_OF_TASK = 1 << 26
"""Of the items of a task together, about."""
TASKS_EACH = 4
"""Tasks for each worker, at least, where there are items enough: so that all end at about the same time."""
PATIENCE = 30.0
"""Seconds that a scheduler and its first worker have to answer."""
_works: dict[bytes, Work] = {}


class Cluster:
    """Processes that a scheduler of dask knows.

    Args:
        start: see :data:`arcomp.batch.workers.Start`; it and what work returns are pickled.
        address: of the scheduler, such as tcp://HOST:8786; :data:`LOCAL`: processes are started here.
        count: how many, then.
    """

    def __init__(self, start: Start, address: str, count: int) -> None:
        # With a name of its own: workers stay, and what they remember of a run is not for the next one.
        self._start, self._address, self._count = pickle.dumps((uuid4().hex, start)), address, count

    def run(self, items: Sequence[Any], sizes: Sequence[int]) -> Generator[Done | Lost, None, None]:
        """Do all items, each with one thread.

        Args:
            items: each is pickled. sizes: how much work each is, about.

        Yields:
            What happens, as it happens. If the iterator is closed, what is not begun is cancelled.

        Raises:
            ArcompError: no scheduler or worker answers, or no longer; they are of another version, or what starting
                raised.
        """
        from distributed import KilledWorker, as_completed

        with self._client() as client:
            workers = _workers(client)
            self._warm(client, workers)
            here = os.getcwd()

            def submit(part: list[int]) -> Any:
                future = client.submit(_do, self._start, here, [items[i] for i in part], pure=False)
                parts[future.key] = part
                return future

            parts: dict[str, list[int]] = {}
            suspects: list[int] = []
            waiting = as_completed([submit(part) for part in tasks(sizes, len(workers))], loop=client.loop)
            for future in waiting:
                part, error = parts.pop(future.key), _error(future)
                if error is None:
                    yield from (Done(i, result) for i, result in zip(part, future.result(), strict=True))
                elif not isinstance(error, KilledWorker):
                    raise error
                elif len(part) > 1:
                    waiting.update([submit([i]) for i in part])
                else:  # or it was beside one that kills
                    suspects += part
            for i in suspects:
                future = submit([i])  # alone
                error = _error(future)
                if error is None:
                    yield Done(i, future.result()[0])
                elif not isinstance(error, KilledWorker):
                    raise error
                else:
                    yield Lost(i, "every worker that had it was killed")

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """A connection to the scheduler."""
        try:
            import dask
            from distributed import Client, LocalCluster
        except ModuleNotFoundError as error:
            raise ArcompError("--scheduler needs dask", remedy="install it with pip install 'arcomp[dask]'") from error
        with ExitStack() as stack:
            address: Any = self._address
            if address == LOCAL:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="arcomp-", ignore_cleanup_errors=True))
                # A worker that looks a hundred times a second at where it is needs a tenth more time for small files.
                stack.enter_context(dask.config.set({"distributed.worker.profile.enabled": False}))
                address = stack.enter_context(
                    LocalCluster(
                        self._count,
                        threads_per_worker=1,
                        dashboard_address="127.0.0.1:0",
                        silence_logs=50,
                        memory_limit=0,
                        local_directory=folder,
                        host="127.0.0.1",
                    )
                )
            try:
                client = stack.enter_context(Client(address, timeout=PATIENCE, set_as_default=False))
                client.wait_for_workers(1, timeout=PATIENCE)
            except (OSError, TimeoutError, ValueError) as error:
                said = " ".join(str(error).split())[:120]
                raise ArcompError(
                    f"no scheduler with workers at {self._address}: {said}",
                    remedy="start `dask scheduler` and `dask worker ADDRESS --nworkers auto --nthreads 1`",
                ) from error
            yield client

    def _warm(self, client: Any, workers: dict[str, str]) -> None:
        """Have one worker of each machine compile what is needed, before others do the same.

        Args:
            workers: the machine of each, by its address.
        """
        for there in set(client.run(_version).values()):
            if there != _version():
                raise ArcompError(f"workers have arcomp {there}, not {_version()}", remedy="install the same there")
        one_each = {host: address for address, host in workers.items()}
        client.gather([client.submit(_ready, self._start, True, workers=[a], pure=False) for a in one_each.values()])


def _workers(client: Any) -> dict[str, str]:
    """The machine of each worker, by its address.

    Raises:
        ArcompError: one has several threads: those of one process would wait for each other.
    """
    found = client.scheduler_info(n_workers=-1)["workers"]
    if any(worker["nthreads"] > 1 for worker in found.values()):
        raise ArcompError(
            "workers of several threads", remedy="start one for each core: dask worker --nworkers auto --nthreads 1"
        )
    return {address: str(worker["host"]) for address, worker in found.items()}


def tasks(sizes: Sequence[int], workers: int) -> list[list[int]]:
    """Which items are done together, the largest first.

    Args:
        sizes: of the items.
    """
    most = max(1, min(PER_TASK, -(-len(sizes) // (TASKS_EACH * max(1, workers)))))
    made: list[list[int]] = []
    room = 0
    for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        if not made or len(made[-1]) >= most or sizes[i] > room:
            made.append([])
            room = SIZE_OF_TASK
        made[-1].append(i)
        room -= sizes[i]
    return made


def _error(future: Any) -> BaseException | None:
    """What a task has raised.

    Raises:
        ArcompError: it was given up, as the scheduler is gone.
    """
    try:
        error: BaseException | None = future.exception()
    except CancelledError as cancelled:
        error = cancelled
    if isinstance(error, CancelledError):
        raise ArcompError("the scheduler is gone", remedy="start it again: the same command goes on") from error
    return error


def _version() -> str:
    return version("arcomp")


def _ready(start: bytes, first: bool) -> None:
    """Get a worker ready, once."""
    key = hashlib.sha256(start).digest()
    if key not in _works:
        _works.clear()
        _, begin = pickle.loads(start)
        _works[key] = begin(_say_nothing, first)


def _say_nothing(what: Any) -> None:
    """Nobody is told how far an item is."""


def _do(start: bytes, folder: str, items: list[Any]) -> list[Any]:
    """Do a task, in the folder that the items are named from.

    Raises:
        ArcompError: there is no such folder on this machine.
    """
    before = os.getcwd()
    try:
        os.chdir(folder)
    except OSError as error:
        raise ArcompError(
            f"a worker has no folder {folder}", remedy="give all machines the same file system"
        ) from error
    try:
        _ready(start, False)
        (work,) = _works.values()
        return [work(item, 1) for item in items]
    finally:
        with suppress(OSError):
            os.chdir(before)
