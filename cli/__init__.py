"""The command line: ``arcomp VERB ...``. Verbs are imported when they are asked for, so that help is quick."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

STARTED = time.perf_counter()
"""When this process began, as nearly as it can tell; start-up seconds are counted from here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0, 1 for errors, 2 for wrong usage, 130 when interrupted (Ctrl-C),
    143 when terminated."""
    # Read when Torch is imported: a thread that waits for work must not burn the core that another one needs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with terminated_as_interrupted():
            from arcomp.cli.group import run

            return run(arguments)
    except KeyboardInterrupt:
        import sys

        print("arcomp: interrupted", file=sys.stderr)
        return 130


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
