"""Samples in the bytes of rows: packed or not, in any sequence of channels, with padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from arcomp.form import Layout
from arcomp.samples import MAX_DEPTH, Pixels

Octets = npt.NDArray[np.uint8]
Buffer = bytes | bytearray | memoryview | Octets

MAX_STRIDE = 1 << 30
"""Most bytes from one row to the next."""
_PIECE = 1 << 22
"""About how many bytes are worked on at once, so that no second copy of a picture is held."""

BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Each byte with its bits in reverse."""


def check(layout: Layout) -> None:
    """Refuse what no layout can be.

    Raises:
        ValueError: it cannot.
    """
    if not 1 <= layout.bits <= MAX_DEPTH or layout.word not in (0, 16, 32):
        raise ValueError("samples of no layout")
    if len(layout.fields) != (len(layout.channels) if layout.word else 0):
        raise ValueError("fields of other channels")
    used = 0
    for place, bits in layout.fields:
        if not 1 <= bits <= layout.bits or place + bits > layout.word or used >> place & ((1 << bits) - 1):
            raise ValueError("fields that a word does not have")
        used |= ((1 << bits) - 1) << place


def pixel_bits(layout: Layout) -> int:
    """Bits of a pixel."""
    return layout.word or len(layout.channels) * layout.bits


def row_bytes(layout: Layout, width: int) -> int:
    """Bytes that the samples of a row of `width` pixels need."""
    return -(-width * pixel_bits(layout) // 8)


def rows_at_once(stride: int) -> int:
    """Rows of so many bytes that are worked on at once."""
    return max(1, _PIECE // max(1, stride))


def padding_bytes(layout: Layout, width: int, stride: int) -> int:
    """Bytes of a row, of `stride` bytes, that are padding or in part: those after its last whole byte of samples."""
    return (stride or row_bytes(layout, width)) - width * pixel_bits(layout) // 8


def unpack(data: Buffer, into: Pixels, layout: Layout, *, stride: int = 0, upward: bool = False) -> bytes:
    """Read samples from rows.

    Args:
        data: stride x H bytes.
        into: uint8 or uint16 [H, W, C], a picture or a rectangle of one: where to put the channels that are there.
        layout: of the rows.
        stride: bytes from one row to the next; 0: what samples need.
        upward: whether the last row comes first.

    Returns:
        The padding of all rows, in their sequence in `data`; empty if it is all 0.
    """
    height, width, _ = into.shape
    stride = stride or row_bytes(layout, width)
    rows = np.frombuffer(data, np.uint8).reshape(height, stride)
    into = into[::-1] if upward else into
    step = rows_at_once(max(stride, width * len(layout.channels)))
    for top in range(0, height, step):
        values = _stored(rows[top : top + step], layout, width)
        if turned := turned_bits(layout):
            values = values ^ values.dtype.type(turned)
        part = into[top : top + step]
        if layout.channels == tuple(range(into.shape[2])):
            part[...] = values
        else:
            for place, channel in enumerate(layout.channels):
                part[..., channel] = values[..., place]
    return _padding(rows, layout, width)


def pack(samples: Pixels, layout: Layout, *, stride: int = 0, upward: bool = False, padding: bytes = b"") -> Octets:
    """Rows of samples: what :func:`unpack` reads.

    Args:
        samples: uint8 or uint16 [H, W, C], of which the layout's channels are taken.
        layout: of the rows.
        stride: bytes from one row to the next; 0: what samples need.
        upward: whether the last row comes first.
        padding: of all rows, as :func:`unpack` returns it.

    Returns:
        uint8 [H, stride].

    Raises:
        ValueError: there is too little or too much padding, the stride is too short, or samples have more bits.
    """
    return np.concatenate(list(packed(samples, layout, stride=stride, upward=upward, padding=padding)))


def packed(
    samples: Pixels, layout: Layout, *, stride: int = 0, upward: bool = False, padding: bytes = b""
) -> Iterator[Octets]:
    """Some rows after the other of what :func:`pack` returns."""
    height, width, _ = samples.shape
    need = row_bytes(layout, width)
    stride = stride or need
    tail = padding_bytes(layout, width, stride)
    if not need <= stride <= MAX_STRIDE or (padding and len(padding) != tail * height):
        raise ValueError("rows with more samples or another padding than they have bytes for")
    samples, channels = samples[::-1] if upward else samples, set(layout.channels)
    fill = np.frombuffer(padding, np.uint8).reshape(height, tail) if padding else None
    step = rows_at_once(max(stride, width * len(layout.channels)))
    if fill is not None and (used := width * pixel_bits(layout) % 8):
        _check_cleared(fill[:, 0], used, layout.low_first)
    for top in range(0, height, step):
        values = samples[top : top + step]
        if layout.bits < 8 * values.dtype.itemsize and any(int(values[..., c].max()) >> layout.bits for c in channels):
            raise ValueError("samples of more bits than their layout has")
        rows = np.zeros((len(values), stride), np.uint8)
        _store(values, rows[:, :need], layout)
        if fill is not None:
            rows[:, stride - tail :] |= fill[top : top + step]
        yield rows


def _check_cleared(last: Octets, used: int, low_first: bool) -> None:
    """Refuse padding in the bits of samples.

    Args:
        last: byte of each row's samples. used: how many of its bits are samples.

    Raises:
        ValueError: there is some.
    """
    mask = (1 << used) - 1 if low_first else 0xFF << (8 - used) & 0xFF
    if (last & mask).any():
        raise ValueError("padding where samples are")


def turned_bits(layout: Layout) -> int:
    """Which bits of a sample are the other way round in the file."""
    return ((1 << layout.bits) - 1) * layout.inverted ^ (1 << layout.bits - 1) * layout.signed


def _stored(rows: Octets, layout: Layout, width: int) -> Pixels:
    """The samples of some rows, in the file's sequence of channels: uint8 or uint16 [R, W, channels]."""
    channels, bits = len(layout.channels), layout.bits
    count = width * channels
    body = rows[:, : row_bytes(layout, width)]
    values: Pixels
    if layout.word:
        values = _of_words(body.view(_word_type(layout)), layout)
    elif bits == 8:
        values = body
    elif bits == 16:
        values = body.view("<u2" if layout.little else ">u2")
        values = values.astype(np.uint16) if turned_bits(layout) else values
    elif bits in (1, 2, 4):
        values = _parted(body, bits, layout.low_first)[:, :count]
    else:
        values = _gathered(body, count, layout)
    return values.reshape(len(rows), width, channels)


def _word_type(layout: Layout) -> str:
    return f"{'<' if layout.little else '>'}u{layout.word // 8}"


def _of_words(words: npt.NDArray[Any], layout: Layout) -> Pixels:
    """The fields of words [R, W], each widened to a sample's bits: [R, W, channels]."""
    values = np.empty((*words.shape, len(layout.fields)), np.uint8 if layout.bits <= 8 else np.uint16)
    for place, (shift, bits) in enumerate(layout.fields):
        field = ((words >> shift) & ((1 << bits) - 1)).astype(values.dtype)
        wide, more = field << (layout.bits - bits), layout.bits - bits
        while more > 0:
            more -= bits
            wide |= field << more if more >= 0 else field >> -more
        values[..., place] = wide
    return values


def _as_words(samples: Pixels, layout: Layout) -> npt.NDArray[Any]:
    """Words [R, W] of samples [R, W, channels] in the file's sequence."""
    words = np.zeros(samples.shape[:2], _word_type(layout))
    for place, (shift, bits) in enumerate(layout.fields):
        words |= (samples[..., place] >> (layout.bits - bits)).astype(words.dtype) << shift
    return words


def _parted(body: Octets, bits: int, low_first: bool) -> Octets:
    """All samples of some bytes that hold 8, 4 or 2 each."""
    if bits == 1:
        return np.unpackbits(body, axis=1, bitorder="little" if low_first else "big")
    shifts = range(0, 8, bits) if low_first else range(8 - bits, -1, -bits)
    values = np.empty((*body.shape, 8 // bits), np.uint8)
    for place, shift in enumerate(shifts):
        values[..., place] = (body >> shift) & ((1 << bits) - 1)
    return values.reshape(len(body), -1)


def _gathered(body: Octets, count: int, layout: Layout) -> Pixels:
    """Samples that do not begin where bytes do, bit by bit."""
    shifts = range(layout.bits) if layout.low_first else range(layout.bits - 1, -1, -1)
    bits = np.unpackbits(body, axis=1, count=count * layout.bits, bitorder="little" if layout.low_first else "big")
    bits = bits.reshape(len(body), count, layout.bits)
    values = np.zeros((len(body), count), np.uint8 if layout.bits <= 8 else np.uint16)
    for place, shift in enumerate(shifts):
        values |= bits[..., place].astype(values.dtype) << shift
    return values


def _store(samples: Pixels, body: Octets, layout: Layout) -> None:
    """Write samples into the bytes of rows that hold them, in the layout's channels and their sequence."""
    channels, bits = len(layout.channels), layout.bits
    if layout.channels != tuple(range(samples.shape[2])):
        chosen = np.empty((*samples.shape[:2], channels), samples.dtype)
        for place, channel in enumerate(layout.channels):
            chosen[..., place] = samples[..., channel]
        samples = chosen
    if turned := turned_bits(layout):
        samples = np.bitwise_xor(samples.astype(np.uint16 if bits > 8 else np.uint8), turned)
    values: Pixels = samples.reshape(len(samples), -1)
    if layout.word:
        body.view(_word_type(layout))[...] = _as_words(samples, layout)
    elif bits == 8:
        body[...] = values
    elif bits == 16:
        body.view("<u2" if layout.little else ">u2")[...] = values
    else:
        body[...] = _bits_packed(values, layout)


def _bits_packed(values: Pixels, layout: Layout) -> Octets:
    """Samples [R, count] in as few bytes as they need."""
    bits, low_first = layout.bits, layout.low_first
    order: Literal["little", "big"] = "little" if low_first else "big"
    if bits == 1:
        return np.packbits(values.astype(np.uint8, copy=False), axis=1, bitorder=order)
    shifts = range(bits) if low_first else range(bits - 1, -1, -1)
    single = np.empty((*values.shape, bits), np.uint8)
    for place, shift in enumerate(shifts):
        single[..., place] = (values >> shift) & 1
    return np.packbits(single.reshape(len(values), -1), axis=1, bitorder=order)


def _padding(rows: Octets, layout: Layout, width: int) -> bytes:
    bits = width * pixel_bits(layout)
    if bits // 8 == rows.shape[1]:
        return b""
    tail = rows[:, bits // 8 :]
    if used := bits % 8:
        tail = tail.copy()
        tail[:, 0] &= (0xFF << used) & 0xFF if layout.low_first else 0xFF >> used
    return tail.tobytes() if tail.any() else b""
