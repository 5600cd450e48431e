"""Work on rows shared out among processor threads: compiled kernels run without Python's lock.

Each row is computed by one thread alone, so that results do not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

_count: int | None = None


def set_threads(count: int) -> None:
    """Use so many threads from now on, at least 1."""
    global _count
    _count = max(1, count)


def threads() -> int:
    """How many threads there are: as many as processors, unless :func:`set_threads` was called."""
    if _count is not None:
        return _count
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(1)
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "arcomp")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a fork has none of the threads


def in_parts(rows: int, least: int, work: Callable[[int, int], object]) -> None:
    """Do rows 0 .. rows - 1, by ``work(first, end)``, in one part for each thread.

    Args:
        rows: how many. least: rows of a part; fewer are not worth a thread.
        work: does rows first .. end - 1 and does not itself call this function.
    """
    parts = min(threads(), rows // max(1, least))
    if parts <= 1:
        work(0, rows)
        return
    ends = [rows * i // parts for i in range(parts + 1)]
    waiting = [_pool(threads()).submit(work, *part) for part in pairwise(ends[1:])]
    work(0, ends[1])
    for one in waiting:
        one.result()
