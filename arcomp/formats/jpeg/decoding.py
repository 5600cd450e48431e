"""The Huffman codes of a scan to coefficients (T.81, annexes F.2 and G.2), as far as they are what a scan has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import MAX_VALUE
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.bits import Bits
from arcomp.formats.jpeg.huffman import LOOK, Codes
from arcomp.formats.jpeg.masks import band, bit, lowest, ones
from arcomp.formats.jpeg.scans import (
    AC_FIRST,
    ALL_COLUMNS,
    CORRECTIONS,
    DC_FIRST,
    DC_MORE,
    SEQUENTIAL,
    TALL,
    WIDE,
    ZIGZAG,
    Scan,
    Stored,
    empty_blocks,
    first_block,
)

_DC_BITS = MAX_VALUE.bit_length() + 1
_AC_BITS = MAX_VALUE.bit_length()

AT, END, LEFT, RUN, KEPT, ENDED, EMPTY = range(7)
"""Of the state: the next bit; the interval's end; blocks left of a run without new coefficients; how many it has so
far, if it is a run as libjpeg makes them; correction bits of it; the block in which one ended that could have gone on,
or -1; whether the block being read has begun with a run."""
ZEROS, BREAKS, PADS, UNIT, RESTARTS, BLOCK = range(7, 13)
"""How many there are of each log; units read; restarts read; blocks read."""
PREDICTED = 13
"""DC of each component, the last one read."""
STATE = PREDICTED + 4


class Log(NamedTuple):
    """What a scan has beside coefficients.

    Attributes:
        zeros: int64 [n, 2]: (block, how many runs of 16 zeros come after its last coefficient).
        breaks: int64: blocks in which a run ends otherwise than libjpeg's would.
        pads: uint8: bits that fill bytes up at the ends of intervals.
    """

    zeros: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.int64]
    pads: npt.NDArray[np.uint8]


@kernel(inline="always")
def _peek(data: npt.NDArray[np.uint8], at: int, count: int) -> int:
    """The next bits, at most 16."""
    byte = at >> 3
    word = (np.int64(data[byte]) << 16) | (np.int64(data[byte + 1]) << 8) | np.int64(data[byte + 2])
    return int((word >> (24 - count - (at & 7))) & ((1 << count) - 1))


@kernel(inline="always")
def _take(data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], count: int) -> int:
    value: int = _peek(data, state[AT], count)
    state[AT] += count
    return value


@kernel(inline="always")
def _symbol(data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], codes: Codes, table: int) -> int:
    """The value of the next code; -1 if there is no such code."""
    at = state[AT]
    found = np.int64(codes.short[table, _peek(data, at, LOOK)])
    if found:
        state[AT] = at + (found >> 8)
        return int(found & 255)
    for length in range(LOOK + 1, 17):
        code = _peek(data, at, length)
        if code <= codes.last[table, length]:
            state[AT] = at + length
            return int(codes.values[table, (code + codes.offset[table, length]) & 255])
    return -1


@kernel(inline="always")
def _signed(data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], bits: int) -> int:
    """A value of so many bits, at least 1, with its sign (T.81, F.2.2.1: EXTEND)."""
    value = _take(data, state, bits)
    return int(value if value >> (bits - 1) else value - (1 << bits) + 1)


@kernel(inline="always")
def _difference(
    data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], codes: Codes, component: int, shift: int
) -> bool:
    """Read the DC of a block."""
    bits = _symbol(data, state, codes, component)
    if bits < 0 or bits > _DC_BITS:
        return False
    state[PREDICTED + component] += _signed(data, state, bits) if bits else 0
    return bool(abs(state[PREDICTED + component] << shift) <= MAX_VALUE)


@kernel(inline="always")
def _band(
    data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], codes: Codes, scan: Scan, stored: Stored, place: int,
    table: int, log: Log,
) -> bool:  # fmt: skip
    """Read AC of a block whose coefficients are not known."""
    if state[LEFT]:
        state[LEFT] -= 1
        _count_empty(state, scan, log, 0)
        return True
    k, zeros, last = max(1, scan.first), 0, scan.last
    state[EMPTY] = 1
    while k <= last:
        symbol = _symbol(data, state, codes, table)
        if symbol < 0:
            return False
        run, bits = symbol >> 4, symbol & 15
        if not bits and run < 15:
            if scan.kind == SEQUENTIAL and run:
                return False
            _begin(state, log)
            if scan.kind != SEQUENTIAL:
                state[LEFT] = (1 << run) + (_take(data, state, run) if run else 0) - 1
                _count_empty(state, scan, log, 0)
            break
        state[EMPTY] = 0
        if not bits:
            k, zeros = k + 16, zeros + 1
            continue
        k, zeros = k + run, 0
        if k > last or bits + scan.low > _AC_BITS:
            return False
        value = _signed(data, state, bits)
        stored.blocks[place, ZIGZAG[k]] = value << scan.low if value > 0 else -(-value << scan.low)
        stored.known[place] |= bit(k)
        k += 1
    else:
        _begin(state, log)
    if zeros:
        log.zeros[state[ZEROS], 0], log.zeros[state[ZEROS], 1] = state[BLOCK], zeros
        state[ZEROS] += 1
    return True


@kernel(inline="always")
def _more(
    data: npt.NDArray[np.uint8],
    state: npt.NDArray[np.int64],
    codes: Codes,
    scan: Scan,
    stored: Stored,
    place: int,
    log: Log,
) -> bool:
    """Read one more bit of AC of a block."""
    k, zeros, last, one = scan.first, 0, scan.last, 1 << scan.low
    state[EMPTY] = 1
    begins = not state[LEFT]
    while begins and k <= last:
        symbol = _symbol(data, state, codes, 4)
        if symbol < 0 or symbol & 15 > 1:
            return False
        run, value = symbol >> 4, 0
        if symbol & 15:
            value = one if _take(data, state, 1) else -one
        elif run < 15:
            state[LEFT] = (1 << run) + (_take(data, state, run) if run else 0)
            break
        state[EMPTY] = 0
        known = stored.known[place] & band(k, last)
        while known and lowest(known) <= k + run:
            run -= lowest(known) - k
            k = lowest(known)
            _correct(data, state, stored, place, k, one)
            known &= known - np.uint64(1)
            k += 1
        k += run
        if k > last:
            return False
        stored.blocks[place, ZIGZAG[k]] = value
        if value:
            stored.known[place] |= bit(k)
        zeros = 0 if value else zeros + 1
        k += 1
    if begins:
        _begin(state, log)
    if zeros:
        log.zeros[state[ZEROS], 0], log.zeros[state[ZEROS], 1] = state[BLOCK], zeros
        state[ZEROS] += 1
    if state[LEFT]:
        corrections = bits = 0
        rest = stored.known[place] & band(k, last)
        while rest:
            if not corrections & 7:
                count = min(8, ones(rest))
                bits = _take(data, state, count) << (8 - count)
            if bits & 128:
                _move(stored, place, lowest(rest), one)
            bits, rest, corrections = bits << 1, rest & (rest - np.uint64(1)), corrections + 1
        state[LEFT] -= 1
        _count_empty(state, scan, log, corrections)
    return True


@kernel(inline="always")
def _correct(
    data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], stored: Stored, place: int, k: int, one: int
) -> None:
    """Read a bit of a coefficient that is not 0."""
    if _take(data, state, 1):
        _move(stored, place, k, one)


@kernel(inline="always")
def _move(stored: Stored, place: int, k: int, one: int) -> None:
    """Make a coefficient larger by a bit."""
    stored.blocks[place, ZIGZAG[k]] += one if stored.blocks[place, ZIGZAG[k]] > 0 else -one


@kernel(inline="always")
def _begin(state: npt.NDArray[np.int64], log: Log) -> None:
    """A block was read that is not within a run: if it begins one where another ended, it could have been the same."""
    if state[EMPTY] and state[ENDED] >= 0:
        log.breaks[state[BREAKS]] = state[ENDED]
        state[BREAKS] += 1
    state[RUN], state[KEPT], state[ENDED] = 0, 0, -1


@kernel(inline="always")
def _count_empty(state: npt.NDArray[np.int64], scan: Scan, log: Log, corrections: int) -> None:
    """A block of a run was read."""
    state[RUN] += 1
    state[KEPT] += corrections
    usual = state[RUN] == scan.longest or state[KEPT] > CORRECTIONS
    if usual and state[LEFT]:
        log.breaks[state[BREAKS]] = state[BLOCK]
        state[BREAKS] += 1
        state[KEPT] = 0
    elif usual:
        state[RUN], state[KEPT] = 0, 0
    elif not state[LEFT]:
        state[ENDED] = state[BLOCK]


@kernel(inline="always")
def _block(
    data: npt.NDArray[np.uint8],
    state: npt.NDArray[np.int64],
    codes: Codes,
    scan: Scan,
    stored: Stored,
    place: int,
    component: int,
    log: Log,
) -> bool:
    """Read what a scan has of a block."""
    good = True
    if scan.kind == SEQUENTIAL:
        good = _difference(data, state, codes, component, 0)
        stored.blocks[place, 0] = state[PREDICTED + component]
        good = good and _band(data, state, codes, scan, stored, place, 4 + component, log)
    elif scan.kind == DC_FIRST:
        good = _difference(data, state, codes, component, scan.low)
        stored.blocks[place, 0] = state[PREDICTED + component] << scan.low
    elif scan.kind == DC_MORE:
        stored.blocks[place, 0] |= _take(data, state, 1) << scan.low
    elif scan.kind == AC_FIRST:
        good = _band(data, state, codes, scan, stored, place, 4 + component, log)
    else:
        good = _more(data, state, codes, scan, stored, place, log)
    state[BLOCK] += 1
    return bool(good and state[AT] <= state[END])


@kernel()
def pad(bits: Bits, state: npt.NDArray[np.int64], log: Log) -> None:
    """Read the bits up to the next whole byte."""
    while state[AT] & 7:
        log.pads[state[PADS]] = _take(bits.data, state, 1)
        state[PADS] += 1


@kernel(inner=True)
def _restart(bits: Bits, state: npt.NDArray[np.int64], log: Log) -> bool:
    """Go to the next interval, if this one is at its end and the right marker follows; go on without one if there is
    none any more, but bits are."""
    number, kept = state[RESTARTS], state[AT]
    if number == len(bits.ends) - 1:
        return bool((state[AT] + 7) >> 3 << 3 < state[END])
    if state[LEFT] or (state[AT] + 7) >> 3 << 3 != state[END] or bits.counts[number] != number & 7:
        state[AT] = kept
        return False
    pad(bits, state, log)
    state[RESTARTS] += 1
    state[END] = 8 * bits.ends[state[RESTARTS]]
    state[RUN], state[KEPT], state[ENDED] = 0, 0, -1
    state[PREDICTED : PREDICTED + 4] = 0
    return True


@kernel(inline="always")
def _nothing_in(state: npt.NDArray[np.int64], scan: Scan, stored: Stored, unit: int, row: int, column: int) -> int:
    """How many of the next blocks, of one component, are within a run that neither ends nor is broken there, and have
    no bits of their own."""
    most = min(state[LEFT] - 1, scan.units - unit)
    if scan.interval:
        most = min(most, scan.interval - unit % scan.interval)
    if state[RUN] < scan.longest:
        most = min(most, scan.longest - 1 - state[RUN])
    if scan.kind == AC_FIRST:
        return int(most)
    return empty_blocks(scan, stored.known, row, column, int(most))


@kernel(inner=True)
def _keep(state: npt.NDArray[np.int64], kept: npt.NDArray[np.int64]) -> None:
    for i in range(STATE):
        kept[i] = state[i]


@kernel()
def decode(
    scan: Scan,
    codes: Codes,
    bits: Bits,
    stored: Stored,
    state: npt.NDArray[np.int64],
    safe: npt.NDArray[np.int64],
    log: Log,
) -> int:
    """Read a scan.

    Args:
        stored: all blocks, which get its coefficients.
        state: int64 [STATE], zeros; gets that after the last unit that is right, or, if that is within a run, after
            the last one before it.
        safe: the same, room for a state.

    Returns:
        Units that were begun: those from the state's on are to be undone.
    """
    state[END], state[ENDED] = 8 * bits.ends[0], -1
    _keep(state, safe)
    data, components = bits.data, scan.components
    unit, row, column, good = 0, 0, 0, True
    while good and unit < scan.units:
        if not state[LEFT]:
            _keep(state, safe)
        if scan.interval and unit and unit % scan.interval == 0 and not _restart(bits, state, log):
            break
        if state[LEFT] > 1:
            nothing = _nothing_in(state, scan, stored, unit, row, column)
            state[LEFT], state[RUN] = state[LEFT] - nothing, state[RUN] + nothing
            state[BLOCK], state[UNIT] = state[BLOCK] + nothing, unit + nothing
            unit, column = unit + nothing, column + nothing
            row, column = row + column // scan.across, column % scan.across
            if nothing:
                continue
        for component in range(len(components)):
            first = first_block(components, component, row, column)
            for _ in range(components[component, TALL]):
                for place in range(first, first + components[component, WIDE]):
                    good = good and _block(data, state, codes, scan, stored, place, component, log)
                first += components[component, ALL_COLUMNS]
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
        state[UNIT] = unit
    if not good or unit < scan.units or state[LEFT]:
        _keep(safe, state)
    return unit


def log_of(scan: Scan, bits: Bits) -> Log:
    """Room for all that a scan can have."""
    blocks = scan.blocks + 1
    return Log(np.empty((blocks, 2), np.int64), np.empty(blocks, np.int64), np.empty(8 * len(bits.ends), np.uint8))


def length_of(bits: Bits, state: npt.NDArray[np.int64]) -> int:
    """Bytes of a scan up to where it was read, with what is stuffed into them."""
    made = int(state[AT] + 7) >> 3
    return made + int(np.count_nonzero(bits.data[:made] == 0xFF)) + 2 * int(state[RESTARTS])
