"""How fast JPEGs are read and written, without coding: ``python -m benchmarks.jpegs FILE...``.

Megabytes of JPEG a second of processor time, the best of some runs: reading alone; reading and trying whether it can be
written again, as ``compress`` does; writing, as ``decompress`` does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from arcomp.formats.jpeg import Found, read
from arcomp.formats.jpeg.scanning import Reader
from arcomp.formats.rebuild import joined, pieces
from arcomp.limits import JpegBudget
from arcomp.samples import of_bytes

T = TypeVar("T")
RUNS = 7


def best(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of processor time, and what came of it."""
    seconds = []
    for _ in range(RUNS):
        began = time.process_time()
        made = work()
        seconds.append(time.process_time() - began)
    return min(seconds), made


def written(found: Found) -> bytes:
    """The file again."""
    known = found.coefficients
    return joined(pieces(found.skeleton, of_bytes(b"\0"), jpegs=lambda number, shape: known[number]))


def main() -> None:
    """Print a line for each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for path in parser.parse_args().files:
        data = path.read_bytes()
        found = read(data)
        if found is None or written(found) != data:  # kernels are compiled
            print(f"{path.name}: none that is read")
            continue
        alone, _ = best(lambda: Reader(data, 0, len(data), JpegBudget(len(data))).read())  # noqa: B023
        tried, _ = best(lambda: read(data))  # noqa: B023
        again, _ = best(lambda: written(found))  # noqa: B023
        size = len(data) / 1e6
        rates = f"read {size / alone:.1f}, tried as well {size / tried:.1f}, write {size / again:.1f} MB/s"
        print(f"{path.name}: {size:.2f} MB, {rates}")


if __name__ == "__main__":
    main()
