"""Pieces of work by several threads: kernels release the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

Positions = Callable[[int], None]
"""Callback that is given how many positions have been done since it was last called."""
_WAITING = 4
"""How many times as many pieces of work as there are threads have been handed to them."""
_AT_ONCE = 1 << 16
"""Positions of all tiles, at most, that one thread does without being begun for it."""
_TOGETHER = 1 << 6
"""Positions of small tiles, at least, that are one piece of work."""


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


class Meter:
    """Adds up the positions that threads have done and calls back with the part done, one thread at a time."""

    def __init__(self, total: int, progress: Callable[[float], None]) -> None:
        self.total, self.progress = total, progress
        self.done, self.stopped = 0, False
        self.lock = threading.Lock()

    def __call__(self, positions: int) -> None:
        with self.lock:
            self.done += positions
            if self.stopped:
                raise _StoppedError
            self.progress(self.done / self.total)


def _together(sizes: Sequence[int]) -> Iterator[range]:
    """All tiles, those that are small several at a time."""
    first, positions = 0, 0
    for i, size in enumerate(sizes):
        positions += size
        if positions >= _TOGETHER:
            yield range(first, i + 1)
            first, positions = i + 1, 0
    if first < len(sizes):
        yield range(first, len(sizes))


def _first(waiting: set[Future[None]]) -> None:
    """Wait for the first of several, and take it out; raises what it raised."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    waiting -= done
    for future in done:
        future.result()


class _StoppedError(Exception):
    """Raised in threads whose work is no longer wanted."""


def do_all(
    work: Callable[[int, Positions], None], sizes: Sequence[int], threads: int | None, progress: Callable[[float], None]
) -> None:
    """Do the work for each tile, several at a time; the first error stops all of them. Small tiles are done many at a
    time, and no more wait than will be begun soon: there may be a million.

    Args:
        work: is given the tile's number, and a callback.
        sizes: positions of each tile.
        threads: how many; None: one for each processor.
        progress: callback that is given the part done, 0 to 1.
    """
    meter, threads = Meter(sum(sizes), progress), min(len(sizes), threads or processors())
    waiting: set[Future[None]] = set()

    def some(tiles: range) -> None:
        for i in tiles:
            if meter.stopped:
                raise _StoppedError
            work(i, meter)

    if threads == 1 and sum(sizes) <= _AT_ONCE:
        some(range(len(sizes)))
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            for tiles in _together(sizes):
                if len(waiting) >= _WAITING * threads:
                    _first(waiting)
                waiting.add(pool.submit(some, tiles))
            while waiting:
                _first(waiting)
        except BaseException:
            meter.stopped = True
            for future in waiting:
                future.cancel()
            raise
