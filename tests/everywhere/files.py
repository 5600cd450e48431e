"""Files of a few models, to compare between machines: ``python -m tests.everywhere.files FOLDER``.

In an empty folder it writes them. In one that has files it writes none: it encodes the same pictures, compares, and
decodes what is there; exit status 1 if anything differs. So another machine, or an emulated one, is held to this one.
For ARM (with the folder's files written on x86-64, and Debian's packages and wheels for arm64 unpacked without being
installed: ``apt-get download``, ``dpkg -x``, ``pip download --platform manylinux_2_28_aarch64``)::

    PYTHONPATH=SITE:. qemu-aarch64-static -L ROOT ROOT/usr/bin/python3 -m tests.everywhere.files FOLDER
"""

from __future__ import annotations

import io
import platform
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import arcomp
from arcomp import load
from arcomp.contract.model import Model
from tests.coded import decode, encode

NAMES = ("histogram", "pixelcnn-digits", "context", "graphic", "photo-fast", "jpeg-fast")


def picture(name: str) -> npt.NDArray[np.uint8]:
    """[1, height, width, channels], uint8: a scene of edges, slopes and grain, its like in few colours, or strokes of
    1 bit. Integers alone."""
    y, x = np.mgrid[:28, :36].astype(np.int64)
    if name.endswith("-digits"):
        ring = abs((y - 14) ** 2 + (x - 14) ** 2 - 80) < 30
        disc: npt.NDArray[np.uint8] = ring[:, :28].astype(np.uint8)[None, :, :, None]
        return disc
    grain = (y * 7919 + x * 104729 + y * x * 31) % 23
    planes = [(y * 3 + x * (c + 2) + grain + np.where(x > 4 + y, 60, 0)) % 256 for c in range(3)]
    scene: npt.NDArray[np.uint8] = np.stack(planes, -1).astype(np.uint8)[None]
    return scene // 48 * 48 if name == "graphic" else scene


def array_there_and_back(name: str, model: Model, path: Path) -> tuple[bytes, bool]:
    """Code a picture; the file, and whether the samples of the one at `path`, or of this one, are that picture's."""
    pixels = picture(name)
    data = encode(pixels, 1 if name.endswith("-digits") else 8, model, threads=1).data
    return data, np.array_equal(decode(path.read_bytes() if path.exists() else data, model=model, threads=1)[0], pixels)


def jpeg_there_and_back(name: str, model: Model, path: Path) -> tuple[bytes, bool]:
    """The same of a JPEG. The one in the file that is there is taken: another library's encoder may make another."""
    if path.exists():
        jpeg = arcomp.restore(path.read_bytes(), threads=1)
    else:
        made = io.BytesIO()
        Image.fromarray(picture(name)[0]).save(made, "JPEG", quality=85)
        jpeg = made.getvalue()
    data = arcomp.compress(jpeg, model, threads=1)
    return data, arcomp.restore(data, threads=1) == jpeg


def main(folder: Path, names: tuple[str, ...] = NAMES) -> int:
    """Write or compare the files of all models named; how many differ."""
    here = [m for m in ("constriction", "torch") if find_spec(m)]
    print(
        f"{platform.machine()}, Python {platform.python_version()}, with {' and '.join(here) or 'neither'}", flush=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    wrong, writing = 0, not any(folder.iterdir())
    for name in names:
        path, model, began = folder / f"{name}.arcomp", load(name), time.perf_counter()
        there_and_back = jpeg_there_and_back if model.takes_coefficients else array_there_and_back
        data, read = there_and_back(name, model, path)
        if writing:
            path.write_bytes(data)
        same = data == path.read_bytes()
        wrong += not (same and read)
        said = f"{'the same file' if same else 'ANOTHER FILE'}, {'the same' if read else 'OTHER'} samples"
        print(f"{name}: {len(data)} bytes, {said} ({time.perf_counter() - began:.1f} s)", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]), tuple(sys.argv[2:]) or NAMES) else 0)
