"""How much of one picture's time further cores take away: measured with one and two threads, simulated beyond.

``python -m benchmarks.cores PICTURE [--models photo-fast,photo-balanced] [--repeat 2]``

Each part's seconds are measured alone, on one thread; the whole picture's with one thread and with two. For more, parts
are given to whichever core is free first, in turn, as threads take them. What the simulation leaves out is that cores
share memory, and heat: the measured column for two beside the simulated one says how much that is here.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from arcomp.api import load
from arcomp.contract.model import BatchSpec, Execution, Model, Payload
from arcomp.contract.tiling import Tiling
from arcomp.measure import tables
from arcomp.measure.inputs import read
from arcomp.measure.tables import Column
from arcomp.samples import Samples

SIMULATED = (2, 4, 8, 16)
COLUMNS = (
    Column("model", "model"), Column("action", ""), Column("parts", "parts", "d"),
    Column("one", "1 thread, MP/s", ".2f"), Column("two", "2 threads", ".2f"),
    *(Column(f"of{n}", f"{n} simulated", ".2f") for n in SIMULATED),
)  # fmt: skip


def seconds(work: Callable[[], object], repeat: int) -> float:
    """The least of some runs."""
    taken = []
    for _ in range(repeat):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def simulated(strips: Sequence[float], cores: int) -> float:
    """Seconds until all strips are done, each taken in turn by the core that is free first."""
    free = [0.0] * cores
    for strip in strips:
        heapq.heapreplace(free, free[0] + strip)
    return max(free)


def measure(name: str, model: Model, samples: Samples, repeat: int) -> list[dict[str, object]]:
    """Rows of a table: encoding and decoding."""
    pixels = np.ascontiguousarray(samples.pixels)
    _, height, width, channels = pixels.shape
    tiling = Tiling(pixels.shape[:3], model.tile(height, width, channels, samples.depth))
    spec = BatchSpec(tiling.batch, channels, samples.depth)
    payload = model.encode(pixels, tiling, spec, Execution(threads=1))
    if not np.array_equal(model.decode(payload, tiling, spec, Execution(threads=2)), pixels):
        raise SystemExit(f"{name}: not the same samples")
    rows: list[dict[str, object]] = []
    for action in ("encode", "decode"):

        def whole(threads: int, action: str = action) -> None:
            how = Execution(threads=threads)
            if action == "encode":
                model.encode(pixels, tiling, spec, how)
            else:
                model.decode(payload, tiling, spec, how)

        def strip(i: int, action: str = action) -> None:
            part = np.ascontiguousarray(tiling.part(pixels, i)[None])
            alone = Tiling(part.shape[:3], tiling.tile)
            of_one, how = BatchSpec(alone.batch, channels, samples.depth), Execution(threads=1)
            if action == "encode":
                model.encode(part, alone, of_one, how)
            else:
                model.decode(Payload(payload.streams[i : i + 1]), alone, of_one, how)

        each = [seconds(partial(strip, i), repeat) for i in range(len(tiling.batch))]
        row: dict[str, object] = {"model": name, "action": action, "parts": len(each)}
        for key, taken in {
            "one": seconds(partial(whole, 1), repeat),
            "two": seconds(partial(whole, 2), repeat),
            **{f"of{n}": simulated(each, n) for n in SIMULATED},
        }.items():
            row[key] = height * width / taken / 1e6
        rows.append(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--models", default="photo-turbo,photo-fast,photo-balanced,photo-max")
    parser.add_argument("--repeat", type=int, default=1, help="runs, of which the fastest counts")
    given = parser.parse_args()
    samples = read(given.picture)
    for name in given.models.split(","):
        print(tables.text(measure(name, load(name), samples, given.repeat), COLUMNS), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
