"""PackBits (TIFF 6.0, section 9): unpacked, and packed again to the very same bytes.

A packet is a header h and what it heads: of 0 to 127, h + 1 bytes as they are; of 129 to 255, one byte that stands
257 - h times; 128 heads nothing. What packers do differently is how they cut bytes into packets.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel

Octets = npt.NDArray[np.uint8]


class Unpacked(NamedTuple):
    """What a stream holds.

    Attributes:
        data: what was packed.
        headers: of all packets; none if they are those of :func:`pack` for the row length that was given.
        used: bytes of the stream.
    """

    data: bytes
    headers: bytes
    used: int


def unpack(stream: memoryview, need: int, row: int) -> Unpacked | None:
    """Unpack so many bytes, or a few more if the last packet has them.

    Args:
        stream: which may have more than the packets that are needed.
        need: bytes that are wanted.
        row: bytes of a row.

    Returns:
        None if the stream has fewer.
    """
    packed = np.frombuffer(stream, np.uint8)
    out = np.empty(need + 128, np.uint8)
    headers = np.empty(len(packed), np.uint8)
    length, many, used = (int(n) for n in _unpack(packed, need, out, headers))
    if length < need:
        return None
    data = out[:length].tobytes()
    if pack(data, row) == stream[:used]:
        return Unpacked(data, b"", used)
    return Unpacked(data, headers[:many].tobytes(), used)


def pack(data: bytes, row: int, headers: bytes = b"") -> bytes:
    """Pack bytes.

    Args:
        data: what is packed.
        row: bytes that are cut into packets by themselves, at least 1; the last row may have fewer.
        headers: of all packets; none: those of libtiff.

    Raises:
        ValueError: the headers are of other data, or the row is none.
    """
    source = np.frombuffer(data, np.uint8)
    if headers:
        out = np.empty(len(data) + len(headers), np.uint8)
        end = int(_pack_as_told(source, np.frombuffer(headers, np.uint8), out))
    elif row < 1:
        raise ValueError("rows of no bytes")
    else:
        rows = -(-len(data) // row)
        out = np.empty(len(data) + len(data) // 64 + 2 * rows + 16, np.uint8)
        end = int(_pack(source, row, out))
    if end < 0:
        raise ValueError("headers of other bytes")
    return out[:end].tobytes()


@kernel()
def _unpack(packed: Octets, need: int, out: Octets, headers: Octets) -> tuple[np.int64, int, np.int64]:
    """Bytes that came, packets, and bytes of packed that were used; fewer than needed if the stream ends too soon."""
    at = np.int64(0)
    length = np.int64(0)
    many = 0
    while length < need and at < len(packed):
        header = np.int64(packed[at])
        more = 257 - header if header > 128 else header + 1
        takes = np.int64(0) if header == 128 else np.int64(1) if header > 128 else more
        if at + 1 + takes > len(packed):
            break
        if header > 128:
            out[length : length + more] = packed[at + 1]
            length += more
        elif header < 128:
            for i in range(more):
                out[length + i] = packed[at + 1 + i]
            length += more
        headers[many] = header
        many += 1
        at += 1 + takes
    return length, many, at


@kernel()
def _pack_as_told(data: Octets, headers: Octets, out: Octets) -> np.int64:
    """Bytes written, or -1."""
    at = np.int64(0)
    end = np.int64(0)
    for place in range(len(headers)):
        header = np.int64(headers[place])
        more = np.int64(0) if header == 128 else 257 - header if header > 128 else header + 1
        if at + more > len(data):
            return np.int64(-1)
        out[end] = header
        end += 1
        if header > 128:
            out[end] = data[at]
            end += 1
        else:
            for i in range(more):
                out[end + i] = data[at + i]
            end += more
        at += more
    return end if at == len(data) else np.int64(-1)


_CLOSED, _OPEN, _AFTER_RUN = 0, 1, 2
"""Whether the last packet of bytes as they are may grow: no; yes; only with the run of 2 that came after it."""


@kernel()
def _pack(data: Octets, row: int, out: Octets) -> int:
    """Bytes written, as libtiff cuts them: equal bytes are a run from 2 on; a run of 2 between bytes as they are joins
    them, up to 128."""
    end = 0
    literal = 0
    for begin in range(0, len(data), row):
        stop = min(begin + row, len(data))
        at = begin
        state = _CLOSED
        while at < stop:
            byte = data[at]
            run = 1
            while at + run < stop and data[at + run] == byte:
                run += 1
            at += run
            while run:
                if state == _AFTER_RUN:
                    state = _CLOSED
                    if run == 1 and out[end - 2] == 255 and out[literal] < 126:
                        out[literal] += 2
                        out[end - 2] = out[end - 1]
                        state = _CLOSED if out[literal] == 127 else _OPEN
                many = min(run, 128)
                run -= many
                if many > 1:
                    out[end] = 257 - many
                    out[end + 1] = byte
                    end += 2
                    state = _AFTER_RUN if state == _OPEN else _CLOSED
                    continue
                if state == _OPEN:
                    out[literal] += 1
                    state = _CLOSED if out[literal] == 127 else _OPEN
                else:
                    literal = end
                    out[end] = 0
                    end += 1
                    state = _OPEN
                out[end] = byte
                end += 1
    return end
