"""Any file as samples: a picture, an array, or bytes, told apart by how it begins."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from arcomp.errors import OutputError, PictureError
from arcomp.formats.common import GET_AGAIN
from arcomp.formats.kinds import kind_of
from arcomp.formats.npy import ARR_0, is_array, read_array
from arcomp.formats.picture import read_picture
from arcomp.samples import Array, Bytes, Samples, of_bytes

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


def differences(samples: Samples, again: Samples) -> tuple[str, ...]:
    """Names of what samples say and others do not, which were read from a file that was made of them.

    Raises:
        OutputError: the file holds other pixels.
    """
    lost: list[str] = []
    stacks = samples.stacks
    if samples.alpha and not again.alpha:
        lost.append("that the last channel is opacity")
        opaque = all(int(stack[..., -1].min()) + 1 == 1 << samples.depth for stack in stacks)
        if again.channels < samples.channels and opaque:  # as WebP leaves it out
            lost, stacks = ["opacity, which is full everywhere"], tuple(stack[..., :-1] for stack in stacks)
    own, others = ([picture for stack in each for picture in stack] for each in (stacks, again.stacks))
    if len(own) != len(others) or not all(map(np.array_equal, own, others)):
        raise OutputError("the file that was made holds other pixels", remedy="choose another ending")
    if samples.depth != again.depth:
        lost.append(f"that samples have {samples.depth} bit{'s' if samples.depth > 1 else ''}")
    if samples.maximum != again.maximum:
        lost.append("maximum value")
    palette, held = samples.palette, again.palette
    if palette is not None and (held is None or not np.array_equal(held[: len(palette)], palette)):
        lost.append("palette")
    if isinstance(samples.form, Array) and samples.form.name not in ("", ARR_0, getattr(again.form, "name", "")):
        lost.append("names of arrays")
    if isinstance(again.form, Array) and samples.form != replace(again.form, name=getattr(samples.form, "name", "")):
        lost += ["type or axes of the array"] if isinstance(samples.form, Array) else []
    return tuple(lost)


def lost_in(data: bytes, samples: Samples) -> tuple[str, ...]:
    """Names of what samples say that a file does not, which was made of them.

    Raises:
        OutputError: it holds other pixels, or cannot be read.
    """
    try:
        return differences(samples, read(data, as_bytes=isinstance(samples.form, Bytes)))
    except PictureError as error:
        raise OutputError(f"the file that was made cannot be read: {error.cause}", remedy="choose another") from error


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
