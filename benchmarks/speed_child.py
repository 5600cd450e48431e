"""The process that :mod:`benchmarks.speed` measures: one codec, encoding or decoding one picture.

The folder it is given holds pixels.npy; encoding leaves ``coded`` there, and ``coded.small``, a picture of a
few pixels by which decoding is warmed up: what is loaded or compiled for it counts as start-up.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.measure.contestants import CodecContestant, NotTakenError
from arcomp.measure.external import External
from arcomp.measure.memory import children_mib, peak_mib
from arcomp.samples import Samples
from benchmarks import children
from benchmarks.choice import Choice

SMALL = 12
"""Rows and columns of the picture that start-up ends with."""


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Encode or decode as often as asked.

    Args:
        request: folder, codec, choice (its fields), depth (of the samples), action, repeat, and when it was asked
            (seconds since the epoch).

    Returns:
        bytes, startup_s, seconds (of each time), startup_mib, peak_mib, and for decoding whether the pixels
        are the same; or "note" alone if the codec does not do this here.
    """
    folder, encoding = Path(request["folder"]), request["action"] == "encode"
    contestant = Choice(**request["choice"]).named(request["codec"])
    pixels = np.load(folder / "pixels.npy", mmap_mode=None if encoding else "r")
    samples = Samples.of(pixels, request["depth"])
    coded, small = folder / "coded", folder / "coded.small"
    if encoding:
        try:
            samples = contestant.fitted(samples)
        except NotTakenError as error:
            return {"note": error.cause}
        few = Samples.of(pixels[:, :SMALL, :SMALL], samples.depth)
        small.write_bytes(contestant.encode(few).data)
    else:
        contestant.decode(small.read_bytes())
        data = coded.read_bytes()
    external = isinstance(contestant, CodecContestant) and isinstance(contestant.codec, External)
    most = children_mib if external else peak_mib
    started, memory, seconds = time.time(), most(), []
    for _ in range(request["repeat"]):
        began = time.perf_counter()
        if encoding:
            data = contestant.encode(samples).data
        else:
            decoded = contestant.decode(data)
        seconds.append(time.perf_counter() - began)
    found = {"bytes": len(data), "startup_s": started - request["asked"], "seconds": seconds}
    found |= {"startup_mib": memory, "peak_mib": most()}
    if encoding:
        coded.write_bytes(data)
    else:
        found["same"] = contestant.identical(samples, decoded)
    return found


if __name__ == "__main__":
    children.answer(measure)
