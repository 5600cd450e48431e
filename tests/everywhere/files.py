"""Files of a few models, to compare between machines: ``python -m tests.everywhere.files FOLDER``.

In an empty folder it writes them. In one that has files it writes none: it encodes the same pictures, compares, and
decodes what is there; exit status 1 if anything differs. So another machine, or an emulated one, is held to this one.
For ARM (with the folder's files written on x86-64, and Debian's packages and wheels for arm64 unpacked without being
installed: ``apt-get download``, ``dpkg -x``, ``pip download --platform manylinux_2_28_aarch64``)::

    PYTHONPATH=SITE:. qemu-aarch64-static -L ROOT ROOT/usr/bin/python3 -m tests.everywhere.files FOLDER
"""

from __future__ import annotations

import platform
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arcomp import load
from tests.coded import decode, encode

NAMES = ("histogram", "context", "photo-fast", "pixelcnn-digits")


def picture(name: str) -> npt.NDArray[np.uint8]:
    """[1, height, width, channels], uint8: a scene of edges, slopes and grain, or strokes of 1 bit. Integers alone."""
    y, x = np.mgrid[:28, :36].astype(np.int64)
    if name.endswith("-digits"):
        ring = abs((y - 14) ** 2 + (x - 14) ** 2 - 80) < 30
        disc: npt.NDArray[np.uint8] = ring[:, :28].astype(np.uint8)[None, :, :, None]
        return disc
    grain = (y * 7919 + x * 104729 + y * x * 31) % 23
    planes = [(y * 3 + x * (c + 2) + grain + np.where(x > 4 + y, 60, 0)) % 256 for c in range(3)]
    return np.stack(planes, -1).astype(np.uint8)[None]


def main(folder: Path, names: tuple[str, ...] = NAMES) -> int:
    """Write or compare the files of all models named; how many differ."""
    here = [m for m in ("constriction", "torch") if find_spec(m)]
    print(
        f"{platform.machine()}, Python {platform.python_version()}, with {' and '.join(here) or 'neither'}", flush=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    wrong, writing = 0, not any(folder.iterdir())
    for name in names:
        path, pixels, model = folder / f"{name}.arcomp", picture(name), load(name)
        began = time.perf_counter()
        data = encode(pixels, 1 if name.endswith("-digits") else 8, model, threads=1).data
        encoded = time.perf_counter()
        if writing:
            path.write_bytes(data)
        back = decode(path.read_bytes(), model=model, threads=1)[0]
        same, read = data == path.read_bytes(), np.array_equal(back, pixels)
        wrong += not (same and read)
        took = f"{encoded - began:.1f} s and {time.perf_counter() - encoded:.1f} s"
        said = f"{'the same file' if same else 'ANOTHER FILE'}, {'the same' if read else 'OTHER'} samples"
        print(f"{name}: {len(data)} bytes, {said} ({took})", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]), tuple(sys.argv[2:]) or NAMES) else 0)
