"""Coefficients to the Huffman codes of a scan (T.81, annexes F.1 and G.1), as libjpeg codes them but where a log says
otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Blocks
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.huffman import Codes
from arcomp.formats.jpeg.masks import Masks, band, bit, highest, lowest
from arcomp.formats.jpeg.scans import (
    AC_FIRST,
    AC_MORE,
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
    empty_blocks,
    first_block,
)

WORD, COUNT, MADE, WRONG, RUN, KEPT, HELD, BLOCK, ZEROS, BREAKS, PADS = range(11)
"""Of the state: bits that are not written yet, and how many, at most 62; bytes made; whether something cannot be coded;
blocks of the run without new coefficients; its correction bits that count, and that are held back; blocks coded; how
much of each log is used up."""
PREDICTED = 11
STATE = PREDICTED + 4
_BLOCK_BITS = 64
MOST_HELD = (LONGEST_RUN + 1) * _BLOCK_BITS
"""Correction bits that a run can have."""


Whole = int | np.int64


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


class Seen(NamedTuple):
    """The blocks of all components, as a scan sees them.

    Attributes:
        blocks: int16 [n, 64]. now: which coefficients are not 0 without the scan's low bits. before: which are not
            without one bit more.
    """

    blocks: Blocks
    now: Masks
    before: Masks


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


@kernel(inner=True)
def _drain(state: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> None:
    """Write the bytes that there are among the bits."""
    word, count, made = state[WORD], state[COUNT], state[MADE]
    if made + count // 4 > len(data):  # each byte may be stuffed
        state[WRONG] = 1
        made = 0
    while count >= 8:
        count -= 8
        byte = (word >> count) & 255
        data[made] = byte
        made += 1
        if byte == 255:
            data[made] = 0
            made += 1
    state[WORD], state[COUNT], state[MADE] = word & 255, count, made


@kernel(inline="always")
def _put(out: Output, value: Whole, bits: Whole) -> None:
    """Write the lowest bits, at most 31, of a value."""
    state = out.state
    state[WORD] = (state[WORD] << bits) | (value & ((1 << bits) - 1))
    state[COUNT] += bits
    if state[COUNT] > 31:
        _drain(state, out.data)


@kernel(inner=True)
def _marker(out: Output, number: int) -> None:
    """Write a restart marker between bytes."""
    state, data = out.state, out.data
    made = state[MADE]
    if made + 2 > len(data):
        state[WRONG] = 1
        return
    data[made], data[made + 1] = 0xFF, 0xD0 + number
    state[MADE] = made + 2


@kernel(inline="always")
def _code(out: Output, codes: Codes, table: int, symbol: int, value: Whole, bits: int) -> None:
    """Write a symbol, and the lowest bits, at most 15, of a value."""
    size = np.int64(codes.size[table, symbol])
    out.counts[table, symbol] += 1
    if not size:
        out.state[WRONG] = 1
    _put(out, np.int64(codes.code[table, symbol]) << bits | (value & ((1 << bits) - 1)), size + bits)


@kernel(inline="always")
def _bits_of(value: Whole) -> int:
    bits = 0
    while value:
        value >>= 1
        bits += 1
    return bits


@kernel(inline="always")
def _difference(out: Output, codes: Codes, component: int, value: Whole) -> None:
    state = out.state
    difference = value - state[PREDICTED + component]
    state[PREDICTED + component] = value
    bits = _bits_of(abs(difference))
    _code(out, codes, component, bits, difference if difference >= 0 else difference - 1, bits)


@kernel(inner=True)
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


@kernel(inline="always")
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


@kernel(inline="always")
def _surplus(out: Output, given: Given) -> int:
    """Runs of 16 zeros after the last coefficient of this block."""
    at = out.state[ZEROS]
    if at < len(given.zeros) and given.zeros[at, 0] == out.state[BLOCK]:
        out.state[ZEROS] += 1
        return int(given.zeros[at, 1])
    return 0


@kernel(inline="always")
def _band(out: Output, codes: Codes, scan: Scan, given: Given, seen: Seen, place: int, table: int) -> None:
    """Write AC of a block for the first time."""
    surplus, k, last, low = _surplus(out, given), max(1, scan.first), scan.last, scan.low
    rest = seen.now[place] & band(k, last)
    if rest and scan.kind != SEQUENTIAL and out.state[RUN]:
        _flush(out, codes)
    while rest:
        at = lowest(rest)
        rest &= rest - np.uint64(1)
        value, zeros = np.int64(seen.blocks[place, ZIGZAG[at]]), at - k
        while zeros > 15:
            _code(out, codes, table, 0xF0, 0, 0)
            zeros -= 16
        size = abs(value) >> low
        bits = _bits_of(size)
        if bits > 15:
            out.state[WRONG] = 1
            return
        _code(out, codes, table, zeros << 4 | bits, size if value > 0 else ~size, bits)
        k = at + 1
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


@kernel(inline="always")
def _own(out: Output, count: int) -> int:
    """Write the correction bits since the last symbol; gives how many there are now."""
    word, bits = np.int64(0), 0
    for place in range(count):
        word, bits = word << 1 | np.int64(out.own[place]), bits + 1
        if bits == 31:
            _put(out, word, bits)
            word, bits = np.int64(0), 0
    _put(out, word, bits)
    return 0


@kernel(inline="always")
def _more(out: Output, codes: Codes, scan: Scan, given: Given, seen: Seen, place: int) -> None:
    """Write one more bit of AC of a block."""
    surplus, last, low = _surplus(out, given), scan.last, scan.low
    within = band(scan.first, last)
    known, now = seen.before[place] & within, seen.now[place] & within
    newest = highest(now & ~known) if now != known else -1
    if out.state[RUN] and (newest >= 0 or surplus):
        _flush(out, codes)
    zeros = corrections = 0
    written, k = scan.first - 1, scan.first
    while now:
        at = lowest(now)
        now &= now - np.uint64(1)
        zeros, k = zeros + at - k, at + 1
        while zeros > 15 and (at <= newest or surplus):
            _code(out, codes, 4, 0xF0, 0, 0)
            surplus -= at > newest
            zeros, corrections, written = zeros - 16, _own(out, corrections), at - 1
        value = np.int64(seen.blocks[place, ZIGZAG[at]])
        if known & bit(at):
            out.own[corrections] = abs(value) >> low & 1
            corrections += 1
        else:
            _code(out, codes, 4, zeros << 4 | 1, np.int64(value > 0), 1)
            zeros, corrections, written = 0, _own(out, corrections), at
    while surplus and zeros + last + 1 - k > 15:
        _code(out, codes, 4, 0xF0, 0, 0)
        k += 16 - zeros
        zeros, surplus, corrections, written = 0, surplus - 1, _own(out, corrections), k - 1
    if surplus:
        out.state[WRONG] = 1
    if written < last:
        _count_empty(out, codes, scan, given, corrections)


@kernel(inline="always")
def _block(out: Output, codes: Codes, scan: Scan, given: Given, seen: Seen, place: int, component: int) -> None:
    """Write what a scan has of a block."""
    low = scan.low
    if scan.kind == SEQUENTIAL:
        _difference(out, codes, component, np.int64(seen.blocks[place, 0]))
        _band(out, codes, scan, given, seen, place, 4 + component)
    elif scan.kind == DC_FIRST:
        _difference(out, codes, component, np.int64(seen.blocks[place, 0]) >> low)
    elif scan.kind == DC_MORE:
        _put(out, np.int64(seen.blocks[place, 0]) >> low, 1)
    elif scan.kind == AC_FIRST:
        _band(out, codes, scan, given, seen, place, 4 + component)
    else:
        _more(out, codes, scan, given, seen, place)
    out.state[BLOCK] += 1


@kernel(inner=True)
def _pad(out: Output, given: Given) -> None:
    """Fill the byte up, and write all."""
    state = out.state
    while state[COUNT] & 7:
        _put(out, given.pads[state[PADS] % len(given.pads)], 1)
        state[PADS] += 1
    _drain(state, out.data)


@kernel(inline="always")
def _nothing_in(
    scan: Scan, seen: Seen, given: Given, state: npt.NDArray[np.int64], unit: int, row: int, column: int
) -> int:  # fmt: skip
    """How many of the next blocks, of one component, have nothing in a scan of AC, and only make the run longer."""
    most, block = given.units - unit, state[BLOCK]
    if scan.interval:
        most = min(most, scan.interval - unit % scan.interval)
    if state[RUN] < scan.longest:
        most = min(most, scan.longest - 1 - state[RUN])
    if state[ZEROS] < len(given.zeros):
        most = min(most, given.zeros[state[ZEROS], 0] - block)
    if state[BREAKS] < len(given.breaks):
        most = min(most, given.breaks[state[BREAKS]] - block)
    return empty_blocks(scan, seen.now, row, column, int(most))


@kernel()
def encode(scan: Scan, codes: Codes, seen: Seen, given: Given, out: Output) -> None:
    """Write a scan.

    Args:
        seen: all blocks. out: its state is zeros but for `PADS`; `WRONG` is set if the scan cannot be, or has
            more bytes than `out` has room for.
    """
    state, components = out.state, scan.components
    restarts = row = column = unit = 0
    alone = scan.kind in (AC_FIRST, AC_MORE)
    while unit < given.units:
        if scan.interval and unit and unit % scan.interval == 0 and restarts < given.restarts:
            _flush(out, codes)
            _pad(out, given)
            _marker(out, restarts & 7)
            restarts += 1
            state[PREDICTED : PREDICTED + 4] = 0
        nothing = _nothing_in(scan, seen, given, state, unit, row, column) if alone else 0
        if nothing:
            state[RUN], state[BLOCK] = state[RUN] + nothing, state[BLOCK] + nothing
            unit, column = unit + nothing, column + nothing
            row, column = row + column // scan.across, column % scan.across
            continue
        for component in range(len(components)):
            first = first_block(components, component, row, column)
            for _ in range(components[component, TALL]):
                for place in range(first, first + components[component, WIDE]):
                    _block(out, codes, scan, given, seen, place, component)
                first += components[component, ALL_COLUMNS]
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
        if state[WRONG]:
            return
    _flush(out, codes)
    _pad(out, given)
    state[WRONG] |= state[ZEROS] < len(given.zeros) or state[BREAKS] < len(given.breaks)
