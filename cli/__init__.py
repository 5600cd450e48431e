"""The command line: ``arcomp VERB ...``. Verbs are imported when they are asked for, so that help is quick."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

STARTED = time.perf_counter()
"""When this process began, as nearly as it can tell; start-up seconds are counted from here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0, 1 for errors, 2 for wrong usage, 130 when interrupted (Ctrl-C),
    143 when terminated."""
    # Read when Torch is imported: a thread that waits for work must not burn the core that another one needs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from arcomp.cli.group import run

        return run(arguments)
    except KeyboardInterrupt:
        import sys

        print("arcomp: interrupted", file=sys.stderr)
        return 130
