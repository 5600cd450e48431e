"""Paths to what is compared: pictures, folders of them, and arrays of many small pictures that are coded as one."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import ArcompError, PictureError
from arcomp.pictures import read_picture

UInt8 = npt.NDArray[np.uint8]
ENDINGS = {".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm"}
"""Of pictures; files in folders with other endings are passed over."""
ARRAYS = {".npy", ".npz"}


@dataclass(frozen=True, eq=False)
class Input:
    """What is coded into one file.

    Attributes:
        name: as the user gave it, or its path below the folder given.
        pixels: uint8 [N, H, W, C].
        depths: bits of a sample that it may be coded with, the first that a model takes.
    """

    name: str
    pixels: UInt8
    depths: tuple[int, ...] = (8,)

    @property
    def samples(self) -> int:
        """Sub-pixels."""
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
    """

    path: Path
    asked: bool


def find(paths: Iterable[Path], limit: int | None = None) -> list[Place]:
    """All files, and those in folders that look like pictures or arrays.

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
            found.append(Place(path, True))
            continue
        inside = sorted(f for f in path.rglob("*") if f.suffix.lower() in ENDINGS | ARRAYS and f.is_file())
        if not inside:
            remedy = "PNG, WebP (lossless), BMP, TIFF and PNM are read, and arrays (.npy, .npz)"
            raise ArcompError("no pictures in this folder", remedy=remedy, path=str(path))
        found += [Place(f, False) for f in inside[:limit]]
    return found


def read(path: Path, limit: int | None = None) -> Input:
    """A picture, or an array of pictures.

    Args:
        limit: most pictures of an array, the first ones.

    Raises:
        ArcompError: it cannot be read, or holds something else.
    """
    if path.suffix.lower() not in ARRAYS:
        return Input(str(path), read_picture(path).pixels[None])
    array = _load(path)
    if array.ndim not in (3, 4) or not array.size or array.dtype not in (np.uint8, np.bool_):
        shape = " x ".join(map(str, array.shape))
        raise PictureError(
            f"an array of {array.dtype} {shape}", remedy="give uint8 or bool [N, H, W] or [N, H, W, C]", path=str(path)
        )
    array = array[:limit] if array.ndim == 4 else array[:limit, ..., np.newaxis]
    pixels = np.ascontiguousarray(array.astype(np.uint8))
    binary = array.dtype == np.bool_
    return Input(str(path), pixels, (1,) if binary else (8, 1) if int(pixels.max()) <= 1 else (8,))


def _load(path: Path) -> npt.NDArray[Any]:
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                return np.asarray(found)
            if len(found.files) != 1:
                what = f"holds {len(found.files)} arrays: {', '.join(found.files)}"
                raise PictureError(what, remedy="save one array a file", path=str(path))
            return np.asarray(found[found.files[0]])
    except FileNotFoundError:
        raise PictureError("does not exist", remedy="check the path", path=str(path)) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        raise PictureError("not an array of numpy's, or damaged", remedy="save it again", path=str(path)) from error
