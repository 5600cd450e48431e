"""Paths to what is compared: pictures, folders of them, arrays of many small pictures that are coded as one, text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arcomp.container import Array, Bytes, Content
from arcomp.errors import ArcompError, PictureError
from arcomp.formats import files_below, is_array, read_array, read_picture
from arcomp.inputs import kind

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Input:
    """What is coded into one file.

    Attributes:
        name: as the user gave it, or its path below the folder given.
        pixels: uint8 [N, H, W, C]; of bytes [1, 1, length, 1].
        depths: bits of a sample that it may be coded with, the first that a model takes.
        content: what its file says it was.
    """

    name: str
    pixels: UInt8
    depths: tuple[int, ...] = (8,)
    content: Content = None

    @property
    def binary(self) -> bool:
        """Whether all samples are 0 or 1, to be seen as black and white."""
        return self.depths[-1] == 1

    @property
    def bytes(self) -> bool:
        """Whether it is text or other bytes."""
        return isinstance(self.content, Bytes)

    @property
    def samples(self) -> int:
        """Sub-pixels, or bytes."""
        return self.pixels.size

    @property
    def positions(self) -> int:
        """Pixels."""
        return int(np.prod(self.pixels.shape[:3]))


@dataclass(frozen=True)
class Place:
    """Where an input lies.

    Attributes:
        asked: named by the user, not found in a folder.
        bytes: neither a picture nor an array of them.
    """

    path: Path
    asked: bool
    bytes: bool = False


def find(paths: Iterable[Path], limit: int | None = None) -> list[Place]:
    """All files, and those in folders whose endings are of pictures or arrays; hidden ones are left out.

    Args:
        limit: most files of a folder, the first by name.

    Raises:
        ArcompError: a path does not exist, or a folder has no such file.
    """
    found: list[Place] = []
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise ArcompError("does not exist", remedy="check the path", path=str(path))
            found.append(Place(path, True, _is_bytes(_start(path))))
            continue
        inside = files_below(path, pictures=True)
        if not inside:
            remedy = "PNG, WebP (lossless), BMP, TIFF and PNM are read, and arrays (.npy, .npz)"
            raise ArcompError("no pictures in this folder", remedy=remedy, path=str(path))
        found += [Place(f, False) for f in inside[:limit]]
    return found


def read(path: Path, limit: int | None = None, *, text: bool = False) -> Input:
    """A picture, an array of pictures (:mod:`arcomp.formats.arrays`), or bytes.

    Args:
        limit: most pictures of an array, the first ones.
        text: take what does not begin like a picture as bytes.

    Raises:
        PictureError: it cannot be read, or holds something else.
    """
    start = _start(path)
    if text and _is_bytes(start):
        values = np.frombuffer(path.read_bytes(), np.uint8)
        return Input(str(path), values.reshape(1, 1, -1, 1), (8,), Bytes())
    if not is_array(start):
        picture = read_picture(path)
        return Input(str(path), picture.pixels[None], (picture.depth,))
    try:
        array = read_array(path.read_bytes())
    except PictureError as error:
        raise error.at(str(path)) from error
    boolean, pixels = array.values.dtype == np.bool_, np.ascontiguousarray(array.pixels[:limit])
    depths = (1,) if boolean else tuple(range(8, max(1, int(pixels.max()).bit_length()) - 1, -1))
    return Input(str(path), pixels, depths, Array(boolean, *array.axes, array.name))


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(320)
    except OSError:
        return b""  # whoever reads it as a picture says why


def _is_bytes(start: bytes) -> bool:
    """Whether a file that begins so is neither an array nor a picture; not if it is empty."""
    return bool(start) and kind(start, of_bytes=True) == "bytes"
