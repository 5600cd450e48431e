"""A request to end (SIGTERM) ends as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = "terminated"
"""What an interrupt says that was a request to end (SIGTERM)."""


def terminate(number: int, frame: FrameType | None) -> None:
    """End as after Ctrl-C: nothing is left half-written, and what trains keeps its state."""
    raise KeyboardInterrupt(TERMINATED)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """A context in which SIGTERM raises KeyboardInterrupt, unless somebody else minds it."""
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
