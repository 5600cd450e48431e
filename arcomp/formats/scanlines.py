"""Scanlines of PNG: filtered, interlaced rows, to and from samples (PNG, third edition, sections 7 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from arcomp.form import Layout, Scanlines
from arcomp.formats.layouts import Buffer, Octets, packed, padding_bytes, row_bytes, rows_at_once, unpack
from arcomp.samples import Pixels

Take = Callable[[int], Buffer]
LOOKED = 32
"""Rows that are looked at before all are."""
FILTERS = 5
"""None, Sub, Up, Average and Paeth, by their numbers."""

# First column and row, and steps, of each pass of an interlaced picture.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_WHOLE = ((0, 0, 1, 1),)


def _passes(picture: Pixels, interlaced: bool) -> Iterator[Pixels]:
    """The pixels of each pass that has any: views [h, w, C]."""
    for x, y, across, down in _ADAM7 if interlaced else _WHOLE:
        part = picture[y::down, x::across]
        if part.size:
            yield part


def filtered_size(height: int, width: int, layout: Layout, interlaced: bool) -> tuple[int, int]:
    """Bytes of a picture as scanlines, and how many scanlines there are."""
    size = count = 0
    for x, y, across, down in _ADAM7 if interlaced else _WHOLE:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            count += rows
            size += rows * (1 + row_bytes(layout, columns))
    return size, count


def _pixel_bytes(layout: Layout) -> int:
    """How far back the byte is that a byte is predicted from: a pixel, at least one byte."""
    return max(1, len(layout.channels) * layout.bits // 8)


def unfilter(take: Take, into: Pixels, layout: Layout, interlaced: bool) -> tuple[bytes, bytes]:
    """Read the samples of scanlines.

    Args:
        take: gives as many of their bytes as it is asked for, one after the other.
        into: uint8 or uint16 [H, W, C], the picture to fill.
        layout: of the samples, big-endian.
        interlaced: whether there are the passes of Adam7.

    Returns:
        The filter bytes, and the padding of all rows (empty if it is all 0).

    Raises:
        ValueError: there are too few bytes, or there is no such filter.
    """
    filters: list[bytes] = []
    paddings: list[bytes] = []
    for part in _passes(into, interlaced):
        _unfilter_pass(take, part, layout, filters, paddings)
    padding = b"".join(paddings) if any(any(tails) for tails in paddings) else b""
    return b"".join(filters), padding


def _unfilter_pass(take: Take, part: Pixels, layout: Layout, filters: list[bytes], paddings: list[bytes]) -> None:
    """The samples of one pass; to the lists its filters are added, and the padding of its rows, even if it is 0."""
    from arcomp.formats.filters import unfilter_rows  # Numba takes a second to import

    height, width, _ = part.shape
    need = row_bytes(layout, width)
    step = rows_at_once(need)
    plain = np.zeros((min(step, height) + 1, need), np.uint8)
    tail = padding_bytes(layout, width, 0)
    for top in range(0, height, step):
        count = min(step, height - top)
        data = take(count * (1 + need))
        if len(data) < count * (1 + need):
            raise ValueError("fewer bytes than scanlines need")
        rows = np.frombuffer(data, np.uint8).reshape(count, 1 + need).copy()
        if int(rows[:, 0].max()) >= FILTERS:
            raise ValueError("a filter that PNG does not have")
        unfilter_rows(rows, plain[: count + 1], _pixel_bytes(layout))
        padding = unpack(plain[1 : count + 1], part[top : top + count], layout)
        filters.append(rows[:, 0].tobytes())
        paddings.append(padding or bytes(tail * count))
        plain[0] = plain[count]


def scanlines(segment: Scanlines, picture: Pixels) -> Iterator[Octets]:
    """The bytes of a picture as scanlines, some rows after the other.

    Raises:
        ValueError: there are filters, but not as many as rows need, or not as much padding.
    """
    layout, padding = segment.layout, segment.padding
    stored = segment.filters if segment.filters or segment.interlaced else chosen(picture, layout)
    filters = np.frombuffer(stored, np.uint8)
    if filters.size and int(filters.max()) >= FILTERS:
        raise ValueError("a filter that PNG does not have")
    for part in _passes(picture, segment.interlaced):
        height, width, _ = part.shape
        tail = padding_bytes(layout, width, 0) * height if padding else 0
        rows = packed(part, layout, padding=padding[:tail])
        yield from _filter_pass(rows, filters[:height], _pixel_bytes(layout))
        padding, filters = padding[tail:], filters[height:]
    if padding or filters.size:
        raise ValueError("more filters or padding than rows")


def _filter_pass(pieces: Iterator[Octets], filters: Octets, pixel: int) -> Iterator[Octets]:
    from arcomp.formats.filters import filter_rows  # Numba takes a second to import

    before: Octets | None = None
    for rows in pieces:
        before = np.zeros((1, rows.shape[1]), np.uint8) if before is None else before
        kinds, filters = filters[: len(rows)], filters[len(rows) :]
        if len(kinds) < len(rows):
            raise ValueError("fewer filters than rows")
        out = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        out[:, 0] = kinds
        filter_rows(np.concatenate((before, rows)), out, pixel)
        yield out
        before = rows[-1:]


def chosen(picture: Pixels, layout: Layout) -> bytes:
    """A filter for each row, by the smallest sum of absolute differences (PNG, third edition, section 12.7).

    Args:
        picture: uint8 or uint16 [H, W, C], not interlaced.
        layout: of its samples.
    """
    if layout.bits < 8:
        return bytes(len(picture))  # as the same section recommends
    from arcomp.formats.filters import costs_of_rows  # Numba takes a second to import

    before: Octets | None = None
    best = []
    for rows in packed(picture, layout):
        before = np.zeros((1, rows.shape[1]), np.uint8) if before is None else before
        costs = np.zeros((len(rows), FILTERS), np.int64)
        costs_of_rows(np.concatenate((before, rows)), costs, _pixel_bytes(layout))
        best.append(costs.argmin(axis=1).astype(np.uint8))
        before = rows[-1:]
    return np.concatenate(best).tobytes()


def is_chosen(filters: bytes, picture: Pixels, layout: Layout) -> bool:
    """Whether these are :func:`chosen`; of most pictures the first rows show that they are not."""
    first = filters[:LOOKED]
    return first == chosen(picture[:LOOKED], layout) and filters == chosen(picture, layout)
