"""Coefficients to the Huffman codes of a scan (T.81, annexes F.1 and G.1), as libjpeg codes them but where a log says
otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from arcomp.formats.jpeg.huffman import Codes
from arcomp.formats.jpeg.scans import (
    AC_FIRST,
    ALL_COLUMNS,
    CORRECTIONS,
    DC_FIRST,
    DC_MORE,
    LONGEST_RUN,
    SEQUENTIAL,
    TALL,
    WIDE,
    ZIGZAG,
    Scan,
    Stored,
    first_block,
)

WORD, COUNT, MADE, WRONG, RUN, KEPT, HELD, BLOCK, ZEROS, BREAKS, PADS = range(11)
"""Of the state: bits that are no byte yet, and how many; bytes made; whether something cannot be coded; blocks of the
run without new coefficients; its correction bits that count, and that are held back; blocks coded; how much of each log
is used up."""
PREDICTED = 11
STATE = PREDICTED + 4
_BLOCK_BITS = 64
MOST_HELD = (LONGEST_RUN + 1) * _BLOCK_BITS
"""Correction bits that a run can have."""


class Given(NamedTuple):
    """What a scan has beside coefficients: see :class:`arcomp.formats.jpeg.decoding.Log`.

    Attributes:
        zeros, breaks: of this scan, ascending. pads: bits, which repeat; at least one.
        units: that it has. restarts: markers that it has at most.
    """

    zeros: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.int64]
    pads: npt.NDArray[np.uint8]
    units: int
    restarts: int


class Output(NamedTuple):
    """Where a scan goes.

    Attributes:
        data: uint8. held: uint8 [MOST_HELD], correction bits of a run. own: uint8 [64], those since a block's last
            symbol.
        state: int64 [STATE].
    """

    data: npt.NDArray[np.uint8]
    held: npt.NDArray[np.uint8]
    own: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _byte(out: Output, value: int) -> None:
    made = out.state[MADE]
    if made >= len(out.data):
        out.state[WRONG] = 1
        return
    out.data[made] = value
    out.state[MADE] = made + 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _put(out: Output, value: int, bits: int) -> None:
    """Write the lowest bits of a value."""
    state = out.state
    word, count = (state[WORD] << bits) | (value & ((1 << bits) - 1)), state[COUNT] + bits
    while count >= 8:
        count -= 8
        byte = (word >> count) & 255
        _byte(out, byte)
        if byte == 255:
            _byte(out, 0)
    state[WORD], state[COUNT] = word & 255, count


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _code(out: Output, codes: Codes, table: int, symbol: int, value: int, bits: int) -> None:
    """Write a symbol, and the lowest bits, at most 15, of a value."""
    size = np.int64(codes.size[table, symbol])
    out.counts[table, symbol] += 1
    if not size:
        out.state[WRONG] = 1
    _put(out, np.int64(codes.code[table, symbol]) << bits | (value & ((1 << bits) - 1)), size + bits)


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _bits_of(value: int) -> int:
    bits = 0
    while value:
        value >>= 1
        bits += 1
    return bits


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _difference(out: Output, codes: Codes, component: int, value: int) -> None:
    state = out.state
    difference = value - state[PREDICTED + component]
    state[PREDICTED + component] = value
    bits = _bits_of(abs(difference))
    _code(out, codes, component, bits, difference if difference >= 0 else difference - 1, bits)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _flush(out: Output, codes: Codes) -> None:
    """Write the run that there is."""
    state = out.state
    if state[RUN]:
        bits = _bits_of(state[RUN]) - 1
        if bits > 14:
            state[WRONG] = 1
            bits = 14
        _code(out, codes, 4, bits << 4, state[RUN], bits)
        for place in range(state[HELD]):
            _put(out, out.held[place], 1)
    state[RUN], state[KEPT], state[HELD] = 0, 0, 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_empty(out: Output, codes: Codes, scan: Scan, given: Given, corrections: int) -> None:
    """A block goes to the run, with some correction bits of its own."""
    state = out.state
    if state[HELD] + corrections > len(out.held):
        state[WRONG] = 1
        return
    for place in range(corrections):
        out.held[state[HELD] + place] = out.own[place]
    state[RUN] += 1
    state[KEPT] += corrections
    state[HELD] += corrections
    usual = state[RUN] == scan.longest or state[KEPT] > CORRECTIONS
    other = state[BREAKS] < len(given.breaks) and given.breaks[state[BREAKS]] == state[BLOCK]
    state[BREAKS] += other
    if usual != other:
        _flush(out, codes)
    elif other:
        state[KEPT] = 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _surplus(out: Output, given: Given) -> int:
    """Runs of 16 zeros after the last coefficient of this block."""
    at = out.state[ZEROS]
    if at < len(given.zeros) and given.zeros[at, 0] == out.state[BLOCK]:
        out.state[ZEROS] += 1
        return int(given.zeros[at, 1])
    return 0


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _band(out: Output, codes: Codes, scan: Scan, given: Given, stored: Stored, place: int, table: int) -> None:
    """Write AC of a block for the first time."""
    surplus, k, last, low = _surplus(out, given), max(1, scan.first), scan.last, scan.low
    zeros = 0
    for at in range(k, min(last, int(stored.tops[place])) + 1):
        value = np.int64(stored.blocks[place, ZIGZAG[at]])
        size = abs(value) >> low
        if not size:
            zeros += 1
            continue
        if scan.kind != SEQUENTIAL:
            _flush(out, codes)
        while zeros > 15:
            _code(out, codes, table, 0xF0, 0, 0)
            zeros -= 16
        bits = _bits_of(size)
        if bits > 15:
            out.state[WRONG] = 1
            return
        _code(out, codes, table, zeros << 4 | bits, size if value > 0 else ~size, bits)
        zeros, k = 0, at + 1
    if surplus and scan.kind != SEQUENTIAL:
        _flush(out, codes)
    for _ in range(surplus):
        if k > last:
            out.state[WRONG] = 1
            return
        _code(out, codes, table, 0xF0, 0, 0)
        k += 16
    if k <= last and scan.kind == SEQUENTIAL:
        _code(out, codes, table, 0, 0, 0)
    elif k <= last:
        _count_empty(out, codes, scan, given, 0)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _own(out: Output, count: int) -> int:
    """Write the correction bits since the last symbol; gives how many there are now."""
    for place in range(count):
        _put(out, out.own[place], 1)
    return 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _more(out: Output, codes: Codes, scan: Scan, given: Given, stored: Stored, place: int) -> None:
    """Write one more bit of AC of a block."""
    surplus, last, low = _surplus(out, given), scan.last, scan.low
    newest, written = scan.first - 1, scan.first - 1
    top = min(last, int(stored.tops[place]))
    for at in range(scan.first, top + 1):
        if abs(np.int64(stored.blocks[place, ZIGZAG[at]])) >> low == 1:
            newest = at
    zeros = corrections = 0
    for at in range(scan.first, (last if surplus else top) + 1):
        value = np.int64(stored.blocks[place, ZIGZAG[at]])
        size = abs(value) >> low
        if size > 1:
            out.own[corrections] = size & 1
            corrections += 1
        elif size:
            _flush(out, codes)
            _code(out, codes, 4, zeros << 4 | 1, np.int64(value > 0), 1)
            zeros, corrections, written = 0, _own(out, corrections), at
        else:
            zeros += 1
            if zeros == 16 and (at < newest or surplus):
                _flush(out, codes)
                _code(out, codes, 4, 0xF0, 0, 0)
                surplus -= at > newest
                zeros, corrections, written = 0, _own(out, corrections), at
    if surplus:
        out.state[WRONG] = 1
    if written < last:
        _count_empty(out, codes, scan, given, corrections)


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _block(out: Output, codes: Codes, scan: Scan, given: Given, stored: Stored, place: int, component: int) -> None:
    """Write what a scan has of a block."""
    low = scan.low
    if scan.kind == SEQUENTIAL:
        _difference(out, codes, component, np.int64(stored.blocks[place, 0]))
        _band(out, codes, scan, given, stored, place, 4 + component)
    elif scan.kind == DC_FIRST:
        _difference(out, codes, component, np.int64(stored.blocks[place, 0]) >> low)
    elif scan.kind == DC_MORE:
        _put(out, np.int64(stored.blocks[place, 0]) >> low, 1)
    elif scan.kind == AC_FIRST:
        _band(out, codes, scan, given, stored, place, 4 + component)
    else:
        _more(out, codes, scan, given, stored, place)
    out.state[BLOCK] += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pad(out: Output, given: Given) -> None:
    """Fill the byte up."""
    state = out.state
    while state[COUNT]:
        _put(out, given.pads[state[PADS] % len(given.pads)], 1)
        state[PADS] += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def encode(scan: Scan, codes: Codes, stored: Stored, given: Given, out: Output) -> None:
    """Write a scan.

    Args:
        stored: all blocks. out: its state is zeros but for `PADS`; `WRONG` is set if the scan cannot be, or has
            more bytes than `out` has room for.
    """
    state, components = out.state, scan.components
    restarts = row = column = 0
    for unit in range(given.units):
        if scan.interval and unit and unit % scan.interval == 0 and restarts < given.restarts:
            _flush(out, codes)
            _pad(out, given)
            _byte(out, 0xFF)
            _byte(out, 0xD0 + (restarts & 7))
            restarts += 1
            state[PREDICTED : PREDICTED + 4] = 0
        for component in range(len(components)):
            first = first_block(components, component, row, column)
            for _ in range(components[component, TALL]):
                for place in range(first, first + components[component, WIDE]):
                    _block(out, codes, scan, given, stored, place, component)
                first += components[component, ALL_COLUMNS]
        column += 1
        if column == scan.across:
            row, column = row + 1, 0
        if state[WRONG]:
            return
    _flush(out, codes)
    _pad(out, given)
    state[WRONG] |= state[ZEROS] < len(given.zeros) or state[BREAKS] < len(given.breaks)
