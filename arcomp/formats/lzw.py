"""TIFF's LZW (TIFF 6.0, section 13): unpacked, and packed again to the very same bytes.

Codes have 9 to 12 bits, the highest first. After k codes of data since the last Clear, the next code has as many bits
as 258 + k needs, at most 12: the table grows by a string a code. Who packs takes the longest string that is in the
table. All that packers do differently is when they clear the table, and how they end.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]

CLEAR, END, FIRST = 256, 257, 258
STRINGS = 4096
"""Most strings in a table."""
_SLOTS = 1 << 14
_MULTIPLIER = 2654435761
"""Of multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4): 2**32 times the golden ratio."""
_END_BITS = 64
"""Most bits of an end, with its highest 1."""

Clears = tuple[tuple[int, int], ...]


class Unpacked(NamedTuple):
    """What a stream holds.

    Attributes:
        data: what was packed.
        clears, end: as of :class:`arcomp.form.Lzw`.
        used: bytes of the stream, up to its end.
    """

    data: bytes
    clears: Clears
    end: int | None
    used: int


def unpack(stream: memoryview, limit: int) -> Unpacked | None:
    """Unpack a stream, up to its end or that of the bytes.

    Args:
        stream: which begins with a Clear.
        limit: most bytes that may come of it.

    Returns:
        None if it is no such stream, or one that :func:`pack` cannot make, or if more comes of it.
    """
    packed = np.frombuffer(stream, np.uint8)
    out = np.empty(limit, np.uint8)
    clears = np.empty(len(packed) + 1, np.int64)
    found = np.zeros(5, np.int64)
    _unpack(packed, out, clears, np.empty((2, STRINGS), np.int64), found)
    length, cleared, codes, bit, last = found.tolist()
    if length < 0:
        return None
    used = -(-last // 8)
    rest = 8 * used - bit
    tail = int.from_bytes(stream[bit // 8 : used], "big") & ((1 << rest) - 1) | 1 << rest
    runs = tuple((count, len(list(same))) for count, same in groupby(clears[:cleared].tolist()))
    end = None if tail == _usual_end(codes, bit) else tail
    data = out[:length].tobytes()
    try:
        same = pack(data, runs, end) == stream[:used]
    except ValueError:
        same = False
    return Unpacked(data, runs, end, used) if same else None


def pack(data: bytes, clears: Clears, end: int | None) -> bytes:
    """Pack bytes, with the table cleared and the end as :class:`arcomp.form.Lzw` has them.

    Raises:
        ValueError: there are more Clears than codes, or the end is no end.
    """
    times = sum(count for _, count in clears)
    if any(codes < 1 or count < 1 for codes, count in clears) or times > len(data):
        raise ValueError("an LZW stream of more Clears than codes")
    each = np.repeat(*np.array(clears, np.int64).reshape(-1, 2).T)
    out = np.zeros((len(data) + times + 2) * 12 // 8 + 16, np.uint8)
    codes, bit, cleared = (int(n) for n in _pack(np.frombuffer(data, np.uint8), each, out, np.empty(_SLOTS, np.uint32)))
    if cleared != times:
        raise ValueError("an LZW stream of more Clears than codes")
    end = _usual_end(codes, bit) if end is None else end
    rest = end.bit_length() - 1
    if not 0 <= rest < _END_BITS or (bit + rest) % 8:
        raise ValueError("an LZW stream without an end")
    whole, begun = divmod(bit, 8)
    last = int(out[whole]) >> (8 - begun) << rest | end ^ 1 << rest
    return out[:whole].tobytes() + last.to_bytes((begun + rest) // 8, "big")


def _usual_end(codes: int, bit: int) -> int:
    """The code that says so, and zeros up to a whole byte; below a highest bit of 1."""
    width = int(_width(codes))
    zeros = -(bit + width) % 8
    return (1 << width | END) << zeros


@kernel(inline="always")
def _width(codes: int) -> int:
    """Bits of a code after so many since the last Clear."""
    return 9 + (codes >= 254) + (codes >= 766) + (codes >= 1790)


@kernel(inner=True)
def _code(packed: Octets, bit: int, width: int) -> int:
    """The code that begins at a bit."""
    word = 0
    for at in range(bit >> 3, (bit + width + 7) >> 3):
        word = word << 8 | int(packed[at])
    return word >> (-(bit + width) & 7) & ((1 << width) - 1)


@kernel()
def _unpack(packed: Octets, out: Octets, clears: Ints, strings: Ints, found: Ints) -> None:
    """Write to found: bytes of data (-1: no stream), Clears but the first, codes of data since the last, bits before
    what ends the stream, bits after it.

    Strings are where they stand in the data and how long they are: [2, STRINGS]; each is the one before it and a byte.
    """
    bits = 8 * len(packed)
    bit = 0
    length = np.int64(0)
    cleared = -1
    codes = 0
    before = np.int64(0)
    before_length = np.int64(0)
    found[0] = -1
    while True:
        width = _width(codes)
        if bit + width > bits:
            after = bits
            break
        code = _code(packed, bit, width)
        after = bit + width
        if code == END:
            break
        bit = after
        if code == CLEAR:
            if cleared >= 0:
                clears[cleared] = codes
            cleared += 1
            codes = 0
            continue
        known = min(FIRST + codes - 1, STRINGS)  # strings that the table has but for the one of this code and the last
        if cleared < 0 or (code >= FIRST and (codes == 0 or code > known)):
            return
        if codes and known < STRINGS:
            strings[0, known] = before
            strings[1, known] = before_length + 1
        start = length
        many = np.int64(1)
        if code < CLEAR:
            if length == len(out):
                return
            out[length] = code
        else:
            source = strings[0, code]
            many = strings[1, code]
            if length + many > len(out):
                return
            for i in range(many):
                out[length + i] = out[source + i]
        before = start
        before_length = many
        length = start + many
        codes += 1
    if cleared < 0:
        return
    found[0] = length
    found[1] = cleared
    found[2] = codes
    found[3] = bit
    found[4] = after


@kernel()
def _pack(data: Octets, clears: Ints, out: Octets, slots: Words) -> tuple[int, int, int]:
    """Write the codes of data, after a first Clear; the codes since the last Clear, all bits, and Clears but the first.

    A slot has a string's code in its lower 12 bits, above it the code of all but its last byte, and that byte.
    """
    slots[:] = 0
    held = np.uint64(CLEAR)
    waiting = 9
    bits = 0
    at = 0
    codes = 0
    cleared = 0
    next_clear = clears[0] if len(clears) else -1
    prefix = np.int64(-1)
    for i in range(len(data) + 1):
        if i < len(data):
            byte = np.int64(data[i])
            if prefix < 0:
                prefix = byte
                continue
            key = prefix << 8 | byte
            slot = (key * _MULTIPLIER >> 18) & (_SLOTS - 1)
            kept = np.int64(slots[slot])
            while kept and kept >> 12 != key:
                slot = (slot + 1) & (_SLOTS - 1)
                kept = np.int64(slots[slot])
            if kept:
                prefix = kept & 0xFFF
                continue
            if codes < STRINGS - FIRST:
                slots[slot] = key << 12 | (FIRST + codes)
        elif prefix < 0:
            break
        width = _width(codes)
        held = held << np.uint64(width) | np.uint64(prefix)
        waiting += width
        codes += 1
        if codes == next_clear:
            width = _width(codes)
            held = held << np.uint64(width) | np.uint64(CLEAR)
            waiting += width
            slots[:] = 0
            codes = 0
            cleared += 1
            next_clear = clears[cleared] if cleared < len(clears) else -1
        while waiting >= 8:
            waiting -= 8
            out[at] = (held >> np.uint64(waiting)) & np.uint64(0xFF)
            at += 1
        prefix = byte if i < len(data) else np.int64(-1)
    while waiting >= 8:
        waiting -= 8
        out[at] = (held >> np.uint64(waiting)) & np.uint64(0xFF)
        at += 1
    bits = 8 * at + waiting
    if waiting:
        out[at] = (held << np.uint64(8 - waiting)) & np.uint64(0xFF)
    return codes, bits, cleared
