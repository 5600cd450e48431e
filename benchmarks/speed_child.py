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

from benchmarks import children
from benchmarks.codecs import Codec, Model, identical, peers

SMALL = 12
"""Rows and columns of the picture that start-up ends with."""


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Encode or decode as often as asked.

    Args:
        request: folder, codec, action, threads, repeat, and when it was asked (seconds since the epoch).

    Returns:
        bytes, startup_s, seconds (of each time), startup_mib, peak_mib, and for decoding whether the pixels
        are the same; or "note" alone if the codec does not do this here.
    """
    folder, encoding = Path(request["folder"]), request["action"] == "encode"
    codec = _codec(request["codec"], request["threads"])
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
    started, memory, seconds = time.time(), peak_mib(), []
    for _ in range(request["repeat"]):
        began = time.perf_counter()
        if encoding:
            data = codec.encode(pixels)
        else:
            decoded = codec.decode(data)
        seconds.append(time.perf_counter() - began)
    found = {"bytes": len(data), "startup_s": started - request["asked"], "seconds": seconds}
    found |= {"startup_mib": memory, "peak_mib": peak_mib()}
    if encoding:
        coded.write_bytes(data)
    else:
        found["same"] = identical(pixels, decoded)
    return found


def _codec(name: str, threads: int) -> Codec:
    for codec in peers(threads=threads):
        if codec.name == name:
            return codec
    import torch

    torch.set_num_threads(threads)
    return Model(name)


def peak_mib() -> float:
    """Most memory this process has held so far.

    Linux counts in ru_maxrss what the parent held when it started this process; VmHWM is this one's alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    children.answer(measure)
