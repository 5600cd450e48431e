"""Peak memory of this process, or of those that it started."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mib() -> float:
    """Most memory this process has held so far, in MiB.

    Linux counts in ru_maxrss what the parent held when it started this process; VmHWM is this one's alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return _maximum(children=False)


def children_mib() -> float:
    """Most memory that a process started from here has held; on Linux what is held here is counted in as well."""
    return _maximum(children=True)


def _maximum(children: bool) -> float:
    import resource  # not on Windows

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / unit
