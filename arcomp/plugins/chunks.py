"""Chunks of arrays as compressed files: of 2 to 5 axes, of which the last two or three are those of pictures.

An axis of up to 4 at the end, of 3 or more, is one of channels; the two before it are rows and columns; all others are
one of pictures. Each chunk is an `.arcomp` file of its own, and is coded by the thread that asks for it: programs that
have chunks code many at a time. No thread or lock of this module outlives a call, so that programs may fork.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import ArcompError, FormatError
from arcomp.samples import MAX_CHANNELS, MAX_PIXELS

Chunk = npt.NDArray[Any]
"""bool or integers of 8 or 16 bits, of 2 to 5 axes."""
TYPES = ("bool", "uint8", "uint16", "int8", "int16")
MOST_AXES = 5
_GIVE = f"give {', '.join(TYPES[:-1])} or {TYPES[-1]}, or another codec"


def check(dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Refuse arrays that cannot be compressed.

    Raises:
        ArcompError: they are of another type, as of floats, or number of axes, or too large.
    """
    name = dtype.newbyteorder("=").name
    if name not in TYPES:
        raise ArcompError(f"an array of {name[:40]} is not supported", remedy=_GIVE)
    if not 2 <= len(shape) <= MOST_AXES:
        raise ArcompError(f"chunks of {len(shape)} axes are not supported", remedy=f"give them 2 to {MOST_AXES} axes")
    count, height, width, _ = pictures_of(shape)
    if count * height * width > MAX_PIXELS:
        raise ArcompError(f"a chunk of {list(shape)} is too large", remedy="choose smaller chunks")


def pictures_of(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The shape [N, H, W, C] of the pictures that a chunk of 2 to 5 axes is."""
    channels = shape[-1] if len(shape) > 2 and shape[-1] <= MAX_CHANNELS else 1
    *others, height, width = shape[: -1 if len(shape) > 2 and shape[-1] <= MAX_CHANNELS else None]
    return int(np.prod(others, dtype=np.int64)), height, width, channels


def encode(chunk: Chunk, model: str) -> bytes:
    """Compress a chunk.

    Args:
        chunk: any layout in memory; where its low byte does not come first, its bytes are kept in that sequence.
        model: its name.

    Raises:
        ArcompError: see :func:`check`; or there is no such model.
    """
    from arcomp import codec, files
    from arcomp.contract import registry
    from arcomp.samples import of_array

    check(chunk.dtype, chunk.shape)
    if not chunk.size:
        raise ArcompError(f"a chunk of {list(chunk.shape)} holds nothing", remedy="give one with samples in it")
    pictures = chunk.reshape(pictures_of(chunk.shape))
    coder = registry.load(model)
    if chunk.dtype.newbyteorder("<") != chunk.dtype:
        made = io.BytesIO()
        np.save(made, pictures)
        how = files.Settings(threads=1, verify=False)
        return files.compress(files.examine(made.getvalue(), coder, settings=how), coder, how).data
    return codec.encode(of_array(pictures), coder, threads=1).data


def decode(data: bytes | memoryview, pixels: int | None = None) -> Chunk:
    """The chunk, of its type and byte order, as pictures [N, H, W, C].

    Args:
        data: what :func:`encode` gave.
        pixels: how many it has, at most; None: as many as a file holds.

    Raises:
        ArcompError: it is damaged, its model is not here, or it is none of an array.
    """
    from arcomp import codec, files
    from arcomp.container import unpack
    from arcomp.contract.model import Execution
    from arcomp.limits import Limits
    from arcomp.samples import Array

    how = Execution(threads=1, limits=Limits(pixels=MAX_PIXELS if pixels is None else pixels))
    member = unpack(data, how.limits)
    if member.original is not None:
        try:
            found: Chunk = np.load(io.BytesIO(files.restored(member, None, how)), allow_pickle=False)
        except ValueError as error:
            raise FormatError("no chunk of an array", remedy="read it with arcomp.restore") from error
        return found
    if member.geometry is None or not isinstance(member.form, Array):
        raise FormatError("no chunk of an array", remedy="read it with arcomp.decompress")
    return codec.decode_member(member, None, how).array
