"""Work shared out among processes: each item goes to whoever is free, and a process that is killed costs its item only.

Processes are started anew (not forked), so that no thread of this one is missing in them.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, TypeAlias

from arcomp.errors import ArcompError

Work: TypeAlias = Callable[[Any, int], Any]
"""Does an item with so many threads."""
Start: TypeAlias = Callable[[Callable[[Any], None], bool], Work]
"""Called once in each process, with a function that tells something about the item at hand, and whether this process is
the first, for whom the others wait. It is pickled."""
GRACE = 2.0
"""Seconds that processes have to end once they are told to."""
HELD = 1 << 28
"""Bytes of finished items that wait for one before them."""
_READY, _FAILED, _MESSAGE, _DONE = range(4)


@dataclass(frozen=True)
class Message:
    """What a process says of the item at hand; None: of none."""

    index: int | None
    what: Any


@dataclass(frozen=True)
class Done:
    """An item is done."""

    index: int
    result: Any


@dataclass(frozen=True)
class Lost:
    """The process that had an item has ended without a word."""

    index: int
    why: str


Event: TypeAlias = Message | Done | Lost


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: connection.Connection
    ready: bool = False
    waits: bool = False  # for the first one, before it starts
    item: int | None = None


class Workers:
    """Processes that do items.

    Args:
        start: see :data:`Start`; it and what work returns are pickled.
        count: how many processes. threads: of all of them together.
        modules: imported while the first process gets ready.
    """

    def __init__(self, start: Start, count: int, threads: int, modules: tuple[str, ...] = ()) -> None:
        self._start, self._count, self._threads, self._modules = start, count, threads, modules
        self._workers: list[_Worker] = []
        self._first_is_ready = False
        self._failures = 0

    def run(self, items: Sequence[Any], sizes: Sequence[int], *, in_turn: int = 0) -> Generator[Event, None, None]:
        """Do all items.

        The share of the threads that an item gets is that of its size in what is not begun: one each for many small
        ones, more for a large one where little else is left to do.

        Args:
            items: each is pickled.
            sizes: how much work each is, about.
            in_turn: 0: largest first. Else: in their sequence, and no more than so many of them are begun after one
                that is not done.

        Yields:
            What happens, as it happens. If the iterator is closed, all processes are stopped at once.

        Raises:
            ArcompError: what starting raised, or processes end as they start.
        """
        order = range(len(items)) if in_turn else sorted(range(len(items)), key=lambda i: (-sizes[i], i))
        waiting, unfinished = deque(order), dict.fromkeys(order)
        left = sum(sizes)
        try:
            while unfinished:
                self._fill(len(waiting))
                for worker in [worker for worker in self._workers if worker.ready and worker.item is None]:
                    if waiting and self._may(waiting[0], unfinished, sizes, in_turn):
                        worker.item = waiting.popleft()
                        threads = math.ceil(self._threads * sizes[worker.item] / left) if left else 1
                        left -= sizes[worker.item]
                        with suppress(OSError):  # it is found dead below
                            worker.pipe.send((items[worker.item], max(1, min(threads, self._threads))))
                for event in self._wait():
                    if not isinstance(event, Message):
                        unfinished.pop(event.index)
                    yield event
        finally:
            self._stop(at_once=bool(unfinished))

    def _may(self, index: int, unfinished: dict[int, None], sizes: Sequence[int], in_turn: int) -> bool:
        """Whether an item may begin: not too far after one that is not done."""
        if not in_turn:
            return True
        oldest = next(iter(unfinished))
        return index - oldest <= in_turn and sum(sizes[oldest + 1 : index + 1]) <= max(HELD, sizes[index])

    def _fill(self, waiting: int) -> None:
        """Have as many processes as there is work for."""
        busy = sum(worker.item is not None for worker in self._workers)
        while len(self._workers) < min(self._count, waiting + busy):
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            first = not self._workers and not self._first_is_ready
            process = context.Process(
                target=_serve, args=(theirs, self._start, first, self._modules), name="arcomp", daemon=True
            )
            with _interrupts_wait():
                process.start()
            theirs.close()  # so that its end is seen here
            worker = _Worker(process, ours, waits=not first)
            self._workers.append(worker)
            if self._first_is_ready:
                self._go(worker)

    def _go(self, worker: _Worker) -> None:
        worker.waits = False
        with suppress(OSError):
            worker.pipe.send(None)

    def _wait(self) -> Iterator[Event]:
        """What processes say next."""
        by_pipe = {worker.pipe: worker for worker in self._workers}
        for pipe in connection.wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]
            try:
                kind, what = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._ended(worker)
                continue
            if kind == _FAILED:
                raise what
            if kind == _READY:
                worker.ready, self._failures = True, 0
                if not self._first_is_ready:
                    self._first_is_ready = True
                    for other in self._workers:
                        if other.waits:
                            self._go(other)
            elif kind == _MESSAGE:
                yield Message(worker.item, what)
            elif worker.item is not None:
                index, worker.item = worker.item, None
                yield Done(index, what)

    def _ended(self, worker: _Worker) -> Iterator[Event]:
        """A process is no more."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(GRACE)
        why = _why(worker.process.exitcode)
        if worker.item is not None:
            yield Lost(worker.item, why)
        elif not worker.ready:
            self._failures += 1
            if self._failures > 2:
                raise ArcompError(f"processes end as they start: {why}", remedy="use fewer of them: -j 1")
            for other in self._workers:  # one of them is the first now
                if other.waits and not self._first_is_ready:
                    self._go(other)
                    break

    def _stop(self, at_once: bool) -> None:
        """End all processes."""
        for worker in self._workers:
            if at_once:
                worker.process.terminate()
            worker.pipe.close()  # an end of what it reads
        for worker in self._workers:
            worker.process.join(GRACE)
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
        self._workers = []


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait, also in a process that is started meanwhile, and for good: this one says when to stop."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _why(code: int | None) -> str:
    if code is None:
        return "its process does not answer"
    if code >= 0:
        return f"its process ended with status {code}"
    try:
        return f"its process was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"its process was killed by signal {-code}"


def _serve(pipe: connection.Connection, start: Start, first: bool, modules: tuple[str, ...]) -> None:
    """What a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process says when to stop
    signal.signal(signal.SIGTERM, _end)
    status = 0
    try:
        for module in modules:
            import_module(module)
        if not first:
            pipe.recv()
        try:
            work = start(lambda what: pipe.send((_MESSAGE, what)), first)
        except Exception as error:
            pipe.send((_FAILED, error))
            return
        pipe.send((_READY, None))
        while True:
            item, threads = pipe.recv()
            pipe.send((_DONE, work(item, threads)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody is there any more
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(status)  # threads may still be computing what nobody waits for


def _end(number: int, frame: FrameType | None) -> None:
    """Undo what is half done, and end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)


def in_order(events: Iterable[Event]) -> Generator[Event, None, None]:
    """The same events, those of finished items in the items' sequence."""
    held: dict[int, Event] = {}
    due = 0
    for event in events:
        if isinstance(event, Message):
            yield event
            continue
        held[event.index] = event
        while due in held:
            yield held.pop(due)
            due += 1
