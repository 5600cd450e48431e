"""The process that :mod:`benchmarks.speed` measures: one codec, encoding or decoding one picture.

The folder it is given holds pixels.npy; encoding leaves ``coded`` there, and ``coded.small``, a picture of a
few pixels by which decoding is warmed up: what is loaded or compiled for it counts as start-up.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.measure.codecs import identical
from benchmarks import children
from benchmarks.choice import Choice
from benchmarks.external import External

SMALL = 12
"""Rows and columns of the picture that start-up ends with."""


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Encode or decode as often as asked.

    Args:
        request: folder, codec, choice (its fields), action, repeat, and when it was asked (seconds since the epoch).

    Returns:
        bytes, startup_s, seconds (of each time), startup_mib, peak_mib, and for decoding whether the pixels
        are the same; or "note" alone if the codec does not do this here.
    """
    folder, encoding = Path(request["folder"]), request["action"] == "encode"
    codec = Choice(**request["choice"]).named(request["codec"])
    pixels = np.load(folder / "pixels.npy", mmap_mode=None if encoding else "r")
    note = codec.available() or codec.takes(pixels)
    if note:
        return {"note": note}
    coded, small = folder / "coded", folder / "coded.small"
    if encoding:
        small.write_bytes(codec.encode(np.ascontiguousarray(pixels[:SMALL, :SMALL])))
    else:
        codec.decode(small.read_bytes())
        data = coded.read_bytes()
    most = children_mib if isinstance(codec, External) else peak_mib
    started, memory, seconds = time.time(), most(), []
    for _ in range(request["repeat"]):
        began = time.perf_counter()
        if encoding:
            data = codec.encode(pixels)
        else:
            decoded = codec.decode(data)
        seconds.append(time.perf_counter() - began)
    found = {"bytes": len(data), "startup_s": started - request["asked"], "seconds": seconds}
    found |= {"startup_mib": memory, "peak_mib": most()}
    if encoding:
        coded.write_bytes(data)
    else:
        found["same"] = identical(pixels, decoded)
    return found


def peak_mib() -> float:
    """Most memory this process has held so far.

    Linux counts in ru_maxrss what the parent held when it started this process; VmHWM is this one's alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return _maximum(False)


def children_mib() -> float:
    """Most memory that a process started from here has held; on Linux what is held here is counted in as well."""
    return _maximum(True)


def _maximum(children: bool) -> float:
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / unit


if __name__ == "__main__":
    children.answer(measure)
