"""The stream of a member that holds the form of its file and the palette."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.container import png_starts
from arcomp.container.fields import DAMAGED
from arcomp.container.packing import WINDOW, Parts, size_of, squeeze, unsqueeze
from arcomp.container.records import Family
from arcomp.errors import FormatError
from arcomp.form import SEGMENTS, Skeleton
from arcomp.limits import ITEMS_FREELY, ITEMS_PER_BYTE, USUAL_LIMITS, Budget, Limits

SEGMENT_RECORDS = Family(SEGMENTS, "the file's form", nested=4)
_RECORD_MEMORY = 512
"""Bytes of memory that a segment, or an item of its lists, takes at most about."""


class PackedSkeleton(NamedTuple):
    """The stream of form and palette: its method, its unpacked length, and its bytes."""

    method: int
    length: int
    parts: Parts

    @property
    def size(self) -> int:
        """Of the stream, in bytes."""
        return size_of(self.parts)


def pack_skeleton(skeleton: Skeleton | None, palette: npt.NDArray[np.uint8] | None) -> PackedSkeleton | None:
    """The stream that holds form and palette; None if it is empty.

    A palette is stored as all entries' red, green, blue, and then their opacities, as PNG has them.

    Raises:
        FormatError: the form has more segments, or items of their lists, than a file may have.
    """
    if palette is None and skeleton is None:
        return None
    if palette is None and skeleton == ():
        return PackedSkeleton(0, 0, ())
    colours = b"" if palette is None else palette[:, :3].tobytes() + palette[:, 3:].tobytes()
    short = png_starts.shortened(skeleton or ())
    parts = [*chain.from_iterable(map(SEGMENT_RECORDS.parts, short)), colours]
    method, made = squeeze(parts)
    packed = PackedSkeleton(method, size_of(parts), made)
    if sum(map(SEGMENT_RECORDS.items, short)) > ITEMS_FREELY + ITEMS_PER_BYTE * packed.size:
        raise FormatError("a form of more parts than a file may have")
    return packed


def unpack_skeleton(
    packed: tuple[int, int, bool, int, int], stream: bytes | memoryview, limits: Limits = USUAL_LIMITS
) -> tuple[Skeleton | None, npt.NDArray[np.uint8] | None]:
    """What that stream holds: the form, and the palette.

    Raises:
        FormatError: it is damaged.
        LimitError: it takes more memory than is allowed.
    """
    method, length, segments, entries, channels = packed
    limits.check_memory(2 * length + min(length, WINDOW))
    data = unsqueeze(method, stream, length)
    palette: npt.NDArray[np.uint8] | None = None
    end = length - entries * channels
    if end < 0 or (not segments and end):
        raise FormatError("the file is damaged: its palette is cut off", remedy=DAMAGED)
    if entries:
        palette = np.empty((entries, channels), np.uint8)
        colours = np.frombuffer(data, np.uint8, entries * channels, end)
        palette[:, :3] = colours[: 3 * entries].reshape(entries, 3)
        palette[:, 3:] = colours[3 * entries :].reshape(entries, channels - 3)
    found: list[Any] = []
    checked = ITEMS_FREELY * _RECORD_MEMORY
    at, view = 0, memoryview(data)[:end]
    most = ITEMS_FREELY + ITEMS_PER_BYTE * len(stream)
    items = Budget(most, FormatError, "the file is damaged: its form has more parts than it may have")
    while at < end:
        segment, at = SEGMENT_RECORDS.decode(view, at, items)
        if (most - items.left) * _RECORD_MEMORY > checked:
            limits.check_memory(checked := 2 * (most - items.left) * _RECORD_MEMORY)
        found.append(segment)
    return (png_starts.whole(tuple(found)) if segments else None), palette
