"""The Huffman codes of a scan to coefficients (T.81, annexes F.2 and G.2), as far as they are what a scan has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import MAX_VALUE
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.bits import Bits, ahead, first_bits, next_bits
from arcomp.formats.jpeg.huffman import Codes, next_value
from arcomp.formats.jpeg.masks import band, bit, lowest, ones
from arcomp.formats.jpeg.scans import (
    AC_FIRST,
    AC_MORE,
    ALL_COLUMNS,
    CORRECTIONS,
    DC_MORE,
    SEQUENTIAL,
    TALL,
    WIDE,
    ZIGZAG,
    Scan,
    Stored,
    empty_blocks,
    first_block,
    undo,
)

_DC_BITS = MAX_VALUE.bit_length() + 1
_AC_BITS = MAX_VALUE.bit_length()

AT, END, LEFT, RUN, KEPT, ENDED = range(6)
"""Of the state: the next bit; the interval's end; blocks left of a run without new coefficients; how many it has so
far, if it is a run as libjpeg makes them; correction bits of it; the block in which one ended that could have gone on,
or -1."""
ZEROS, BREAKS, PADS, UNIT, RESTARTS, BLOCK = range(6, 12)
"""How many there are of each log; units that are right and end no run too early; restarts read; blocks read."""
PREDICTED = 12
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
def _signed(word: np.uint64, count: int) -> int:
    """The same as a value with its sign (T.81, F.2.2.1: EXTEND)."""
    value = first_bits(word, count)
    return value if value >> (count - 1) else value - (1 << count) + 1


@kernel(inline="always")
def _difference(
    data: npt.NDArray[np.uint8], at: int, state: npt.NDArray[np.int64], codes: Codes, component: int, low: int
) -> tuple[bool, int]:
    """Read the DC of a block; gives whether it is right, and where it ends."""
    size, word, at = next_value(data, at, codes, component)
    if size < 0 or size > _DC_BITS:
        return False, at
    if size:
        state[PREDICTED + component] += _signed(word, size)
    return abs(state[PREDICTED + component] << low) <= MAX_VALUE, at + size


@kernel(inline="always")
def _band(
    data: npt.NDArray[np.uint8], at: int, state: npt.NDArray[np.int64], codes: Codes, scan: Scan, stored: Stored,
    where: tuple[int, int], log: Log,
) -> tuple[bool, int]:  # fmt: skip
    """Read AC of a block whose coefficients are not known; gives whether it is right, and where it ends.

    Args:
        where: place of the block, number of the table.
    """
    place, table = where
    k, zeros, last, empty, known = max(1, scan.first), 0, scan.last, True, stored.known[place]
    while k <= last:
        symbol, word, at = next_value(data, at, codes, table)
        run, size = symbol >> 4, symbol & 15
        if size:
            k += run
            if symbol < 0 or k > last or size + scan.low > _AC_BITS:
                return False, at
            stored.blocks[place, ZIGZAG[k]] = _signed(word, size) << scan.low
            known |= bit(k)
            at, k, zeros, empty = at + size, k + 1, 0, False
        elif run == 15:
            k, zeros, empty = k + 16, zeros + 1, False
        elif scan.kind == SEQUENTIAL and run:
            return False, at
        else:
            _begin(state, log, empty)
            if scan.kind != SEQUENTIAL:
                state[LEFT] = (1 << run) + (first_bits(word, run) if run else 0) - 1
                _count_empty(state, scan, log, 0)
            at += run
            break
    else:
        _begin(state, log, empty)
    stored.known[place] = known
    _log_zeros(state, log, zeros)
    return True, at


@kernel(inline="always")
def _more(
    data: npt.NDArray[np.uint8], at: int, state: npt.NDArray[np.int64], codes: Codes, scan: Scan, stored: Stored,
    place: int, log: Log,
) -> tuple[bool, int]:  # fmt: skip
    """Read one more bit of AC of a block; gives whether it is right, and where it ends."""
    k, zeros, last, empty, one = scan.first, 0, scan.last, True, 1 << scan.low
    known, new, own, begins = stored.known[place], np.uint64(0), np.uint64(0), state[LEFT] == 0
    while begins and k <= last:
        symbol, word, at = next_value(data, at, codes, 4)
        run, size = symbol >> 4, symbol & 15
        if size > 1:
            return False, at
        if not size and run < 15:
            state[LEFT] = (1 << run) + (first_bits(word, run) if run else 0)
            at += run
            break
        free = _without(~known & band(k, last), run)
        if not free:
            return False, at
        to = lowest(free)
        count = ones(known & band(k, to))
        own, at = own << np.uint64(count) | next_bits(data, at + size, count), at + size + count
        zeros, empty, k = zeros + 1, False, to + 1
        if size:
            stored.blocks[place, ZIGZAG[to]] = one if word >> np.uint64(63) else -one
            new, zeros = new | bit(to), 0
    if begins:
        _begin(state, log, empty)
    stored.known[place] = known | new
    _log_zeros(state, log, zeros)
    if state[LEFT]:
        count = ones(known & band(k, last))
        own, at = own << np.uint64(count) | next_bits(data, at, count), at + count
        state[LEFT] -= 1
        _count_empty(state, scan, log, count)
    _correct(stored, place, known & band(scan.first, last), own, one)
    return True, at


@kernel(inline="always")
def _without(mask: np.uint64, count: int) -> np.uint64:
    """A mask without so many of its lowest bits, 0 to 15."""
    mask = mask & (mask - np.uint64(1)) if count > 0 else mask
    mask = mask & (mask - np.uint64(1)) if count > 1 else mask
    mask = mask & (mask - np.uint64(1)) if count > 2 else mask
    for _ in range(3, count):
        mask &= mask - np.uint64(1)
    return mask


@kernel(inline="always")
def _correct(stored: Stored, place: int, rest: np.uint64, own: np.uint64, one: int) -> None:
    """A bit of each of these coefficients, which are not 0, is known: the highest is the first one's."""
    block = stored.blocks[place]
    if own:
        bits = own << np.uint64(64 - ones(rest))
        while bits:
            n = ZIGZAG[lowest(rest)]
            value = np.int64(block[n])
            block[n] = value + np.int64(bits >> np.uint64(63)) * (one if value > 0 else -one)
            bits, rest = bits << np.uint64(1), rest & (rest - np.uint64(1))


@kernel(inline="always")
def _log_zeros(state: npt.NDArray[np.int64], log: Log, zeros: int) -> None:
    """So many runs of 16 zeros come after the last coefficient of a block."""
    if zeros:
        log.zeros[state[ZEROS], 0], log.zeros[state[ZEROS], 1] = state[BLOCK], zeros
        state[ZEROS] += 1


@kernel(inline="always")
def _begin(state: npt.NDArray[np.int64], log: Log, empty: bool) -> None:
    """A block was read that is not within a run: if it is empty, and begins one where another ended, it could have been
    the same."""
    if empty and state[ENDED] >= 0:
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


@kernel()
def pad(bits: Bits, state: npt.NDArray[np.int64], log: Log) -> None:
    """Read the bits up to the next whole byte."""
    while state[AT] & 7:
        log.pads[state[PADS]] = first_bits(ahead(bits.data, state[AT]), 1)
        state[AT], state[PADS] = state[AT] + 1, state[PADS] + 1


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
def _read_bands(
    bits: Bits, state: npt.NDArray[np.int64], codes: Codes, scan: Scan, stored: Stored, log: Log, unit: int, stop: int
) -> tuple[int, bool]:  # fmt: skip
    """Read units, up to another, of a scan of AC: blocks of one component. Gives how many were begun, and whether all
    are right."""
    data, at, end = bits.data, state[AT], state[END]
    row, column, good = unit // scan.across, unit % scan.across, True
    while good and unit < stop:
        left, nothing = state[LEFT], 0
        if left > 1:
            nothing = _nothing_in(state, scan, stored, unit, row, column)
        elif not left:
            state[UNIT] = unit
        if nothing:
            state[LEFT], state[RUN], state[BLOCK] = left - nothing, state[RUN] + nothing, state[BLOCK] + nothing
            unit, column = unit + nothing, column + nothing
            row, column = row + column // scan.across, column % scan.across
            continue
        place = first_block(scan.components, 0, row, column)
        if scan.kind == AC_MORE:
            good, at = _more(data, at, state, codes, scan, stored, place, log)
        elif left:
            state[LEFT] = left - 1
            _count_empty(state, scan, log, 0)
        else:
            good, at = _band(data, at, state, codes, scan, stored, (place, 4), log)
        good = good and at <= end
        state[BLOCK] += 1
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
    state[AT] = at
    return unit, good


@kernel(inner=True)
def _read_blocks(
    bits: Bits, state: npt.NDArray[np.int64], codes: Codes, scan: Scan, stored: Stored, log: Log, unit: int, stop: int
) -> tuple[int, bool]:  # fmt: skip
    """The same of another scan."""
    data, at, end, components = bits.data, state[AT], state[END], scan.components
    row, column, good = unit // scan.across, unit % scan.across, True
    while good and unit < stop:
        state[UNIT] = unit
        for component in range(len(components)):
            first = first_block(components, component, row, column)
            for _ in range(components[component, TALL]):
                for place in range(first, first + components[component, WIDE]):
                    if not good:
                        break
                    if scan.kind == DC_MORE:
                        stored.blocks[place, 0] |= first_bits(ahead(data, at), 1) << scan.low
                        at += 1
                    else:
                        good, at = _difference(data, at, state, codes, component, scan.low)
                        stored.blocks[place, 0] = state[PREDICTED + component] << scan.low
                    if scan.kind == SEQUENTIAL and good:
                        good, at = _band(data, at, state, codes, scan, stored, (place, 4 + component), log)
                    good = good and at <= end
                    state[BLOCK] += 1
                first += components[component, ALL_COLUMNS]
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
    state[AT] = at
    return unit, good


@kernel()
def _read(scan: Scan, codes: Codes, bits: Bits, stored: Stored, state: npt.NDArray[np.int64], log: Log) -> int:
    """Read a scan, if all of it is right; see :func:`decode`. Gives how many units were begun."""
    state[END], state[ENDED] = 8 * bits.ends[0], -1
    unit, good = 0, True
    while good and unit < scan.units:
        if not state[LEFT]:
            state[UNIT] = unit
        if unit and not _restart(bits, state, log):
            return unit
        stop = min(scan.units, unit + scan.interval) if scan.interval else scan.units
        if scan.kind in (AC_FIRST, AC_MORE):
            unit, good = _read_bands(bits, state, codes, scan, stored, log, unit, stop)
        else:
            unit, good = _read_blocks(bits, state, codes, scan, stored, log, unit, stop)
    if good and not state[LEFT]:
        state[UNIT] = unit
    return unit


def decode(scan: Scan, codes: Codes, bits: Bits, stored: Stored, log: Log) -> npt.NDArray[np.int64]:
    """Read a scan, as far as it is right.

    Args:
        stored: all blocks, which get its coefficients.

    Returns:
        int64 [STATE], that after the last unit that is right, or, if that is within a run, after the last one before
        it.
    """
    state = np.zeros(STATE, np.int64)
    begun, units = _read(scan, codes, bits, stored, state, log), int(state[UNIT])
    if units < scan.units:
        undo(scan, stored, 0, begun)
        state[:] = 0
        _read(scan._replace(units=units), codes, bits, stored, state, log)
    return state


def log_of(scan: Scan, bits: Bits) -> Log:
    """Room for all that a scan can have."""
    blocks = scan.blocks + 1
    return Log(np.empty((blocks, 2), np.int64), np.empty(blocks, np.int64), np.empty(8 * len(bits.ends), np.uint8))


def length_of(bits: Bits, state: npt.NDArray[np.int64]) -> int:
    """Bytes of a scan up to where it was read, with what is stuffed into them."""
    made = int(state[AT] + 7) >> 3
    return made + int(np.count_nonzero(bits.data[:made] == 0xFF)) + 2 * int(state[RESTARTS])
