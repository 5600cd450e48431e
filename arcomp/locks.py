"""A lock that a fork finds open: another thread of its parent may have held it, and that thread is not here."""

from __future__ import annotations

import os
import threading


class ForkedLock:
    """A lock for ``with``, new in each fork."""

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()
