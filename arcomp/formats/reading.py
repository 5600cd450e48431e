"""Any file as samples: a picture, an array, or bytes, told apart by how it begins."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from arcomp.errors import ArcompError, PictureError
from arcomp.formats.common import GET_AGAIN
from arcomp.formats.kinds import kind_of
from arcomp.formats.npy import is_array, read_array
from arcomp.formats.picture import read_picture
from arcomp.samples import Bytes, Samples, of_bytes

START = 320
"""Bytes that tell what a file is."""

Path = str | os.PathLike[str]


def kind(start: bytes, *, or_bytes: bool = False) -> str:
    """ "picture", "array" or "bytes": what a file is that begins so.

    Args:
        start: the file, or its first START bytes.
        or_bytes: take what is neither a picture nor an array as bytes.

    Raises:
        PictureError: none of them.
    """
    if is_array(start):
        return "array"
    try:
        kind_of(start)
    except PictureError:
        if or_bytes and start:
            return "bytes"
        raise
    return "picture"


def read(source: Path | bytes, *, allow_lossy: bool = False, or_bytes: bool = False, as_bytes: bool = False) -> Samples:
    """Read a file.

    Args:
        source: a path, or the bytes of a file.
        allow_lossy: take JPEG, lossy WebP and lossy TIFF too; their pixels are what Pillow decodes.
        or_bytes: take what is neither a picture nor an array as bytes.
        as_bytes: take any file as bytes, pictures too.

    Returns:
        A picture of 8-bit gray or RGB or of 1-bit gray; an array of uint8 or bool; or bytes.

    Raises:
        PictureError: the file cannot be read, is empty, damaged, or of a kind that is not supported.
    """
    if not isinstance(source, bytes):
        path = os.fspath(source)
        try:
            data = whole(path, lambda start: as_bytes or kind(start, or_bytes=or_bytes))
            return read(data, allow_lossy=allow_lossy, or_bytes=or_bytes, as_bytes=as_bytes)
        except PictureError as error:
            raise error.at(path) from error.__cause__
    if not source:
        raise PictureError("the file is empty", remedy=GET_AGAIN)
    found = "bytes" if as_bytes else kind(source, or_bytes=or_bytes)
    if found == "bytes":
        return of_bytes(source)
    return read_array(source) if found == "array" else read_picture(source, allow_lossy=allow_lossy)


def reads_back(data: bytes, samples: Samples) -> bool:
    """Whether a file holds these samples."""
    try:
        again = read(data, as_bytes=isinstance(samples.form, Bytes))
    except ArcompError:
        return False
    return bool(np.array_equal(again.pixels, samples.pixels))


def start_of(path: Path) -> bytes:
    """The first bytes of a file; none if it cannot be read: who reads it then says why."""
    try:
        with open(path, "rb") as file:
            return file.read(START)
    except (OSError, ValueError):
        return b""


def whole(path: str, check: Callable[[bytes], object] = lambda start: None) -> bytes:
    """All bytes of a file; ``check`` is given the first START and raises where reading the rest would be a waste.

    Raises:
        PictureError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(START)
            check(start)
            return start + file.read()
    except FileNotFoundError:
        raise PictureError("does not exist", remedy="check the path") from None
    except IsADirectoryError:
        raise PictureError("is a directory", remedy="name a picture") from None
    except PermissionError:
        raise PictureError("permission denied", remedy="make the file readable") from None
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror or error}") from None
    except ValueError:  # a zero byte in the name
        raise PictureError("is not a possible file name") from None
