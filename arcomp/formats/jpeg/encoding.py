"""Coefficients to the symbols and bits of a scan (T.81, annexes F.1 and G.1), as libjpeg has them but where a log says
otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Blocks
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.masks import Masks, band, lowest, ones
from arcomp.formats.jpeg.output import (
    BLOCK,
    BREAKS,
    HELD,
    KEPT,
    MADE,
    NO_MARKER,
    PREDICTED,
    RUN,
    TOGETHER,
    WRONG,
    ZEROS,
    Tokens,
    Whole,
    bits_of_size,
    put_code,
    put_end,
    put_own,
)
from arcomp.formats.jpeg.scans import (
    AC_FIRST,
    AC_MORE,
    ALL_COLUMNS,
    CORRECTIONS,
    DC_FIRST,
    DC_MORE,
    SEQUENTIAL,
    TALL,
    WIDE,
    ZIGZAG,
    Scan,
    empty_blocks,
    first_block,
)


class Given(NamedTuple):
    """What a scan has beside coefficients: see :class:`arcomp.formats.jpeg.decoding.Log`.

    Attributes:
        zeros, breaks: of this scan, ascending.
        units: that it has. restarts: markers that it has at most.
    """

    zeros: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.int64]
    units: int
    restarts: int


class Seen(NamedTuple):
    """The blocks of all components, as a scan sees them.

    Attributes:
        blocks: int16 [n, 64]. dc: int16 [n], the first of each; for scans of DC alone. now: which coefficients are not
            0 without the scan's low bits. before: which are not without one bit more.
    """

    blocks: Blocks
    dc: npt.NDArray[np.int16]
    now: Masks
    before: Masks


@kernel(inline="always")
def _difference(out: Tokens, made: int, component: int, value: Whole) -> int:
    state = out.state
    difference = value - state[PREDICTED + component]
    state[PREDICTED + component] = value
    bits = bits_of_size(abs(difference))
    if bits > 15:
        state[WRONG] = 1
        return made
    return put_code(out, made, component, bits, difference if difference >= 0 else difference - 1, bits)


@kernel(inner=True)
def _flush(out: Tokens, made: int) -> int:
    """Write the run that there is."""
    state = out.state
    if state[RUN]:
        bits = bits_of_size(state[RUN]) - 1
        if bits > 14:
            state[WRONG] = 1
            bits = 14
        made = put_code(out, made, 4, bits << 4, state[RUN], bits)
        for at in range(state[HELD]):
            made = put_own(out, made, out.held[at, 0], out.held[at, 1])
    state[RUN], state[KEPT], state[HELD] = 0, 0, 0
    return made


@kernel(inline="always")
def _count_empty(
    out: Tokens, made: int, scan: Scan, given: Given, own: Whole, corrections: Whole
) -> int:  # fmt: skip
    """A block goes to the run, with some correction bits of its own."""
    state = out.state
    if corrections:
        if state[HELD] == len(out.held):
            state[WRONG] = 1
            return made
        out.held[state[HELD], 0], out.held[state[HELD], 1] = own, corrections
        state[HELD] += 1
    state[RUN] += 1
    state[KEPT] += corrections
    usual = state[RUN] == scan.longest or state[KEPT] > CORRECTIONS
    other = state[BREAKS] < len(given.breaks) and given.breaks[state[BREAKS]] == state[BLOCK]
    state[BREAKS] += other
    if usual != other:
        made = _flush(out, made)
    elif other:
        state[KEPT] = 0
    return made


@kernel(inline="always")
def _surplus(out: Tokens, given: Given) -> int:
    """Runs of 16 zeros after the last coefficient of this block."""
    at = out.state[ZEROS]
    if at < len(given.zeros) and given.zeros[at, 0] == out.state[BLOCK]:
        out.state[ZEROS] += 1
        return int(given.zeros[at, 1])
    return 0


@kernel(inline="always")
def _band(
    out: Tokens, made: int, scan: Scan, given: Given, seen: Seen, place: int, table: int
) -> int:  # fmt: skip
    """Write AC of a block for the first time."""
    surplus, k, last, low = _surplus(out, given), max(1, scan.first), scan.last, scan.low
    rest = seen.now[place] & band(k, last)
    if rest and scan.kind != SEQUENTIAL and out.state[RUN]:
        made = _flush(out, made)
    while rest:
        at = lowest(rest)
        rest &= rest - np.uint64(1)
        value, zeros = np.int64(seen.blocks[place, ZIGZAG[at]]), at - k
        while zeros > 15:
            made = put_code(out, made, table, 0xF0, 0, 0)
            zeros -= 16
        size = abs(value) >> low
        bits = bits_of_size(size)
        if bits > 15:
            out.state[WRONG] = 1
            return made
        made = put_code(out, made, table, zeros << 4 | bits, size if value > 0 else ~size, bits)
        k = at + 1
    if surplus and scan.kind != SEQUENTIAL:
        made = _flush(out, made)
    for _ in range(surplus):
        if k > last:
            out.state[WRONG] = 1
            return made
        made = put_code(out, made, table, 0xF0, 0, 0)
        k += 16
    if k <= last and scan.kind == SEQUENTIAL:
        made = put_code(out, made, table, 0, 0, 0)
    elif k <= last:
        made = _count_empty(out, made, scan, given, 0, 0)
    return made


@kernel(inline="always")
def _more(out: Tokens, made: int, scan: Scan, given: Given, seen: Seen, place: int) -> int:
    """Write one more bit of AC of a block."""
    surplus, k, last = _surplus(out, given), scan.first, scan.last
    within = band(k, last)
    known, now = seen.before[place] & within, seen.now[place] & within
    new, own, left = now & ~known, _corrections(seen, place, known, scan.low), ones(known)
    if out.state[RUN] and (new or surplus):
        made = _flush(out, made)
    while new:
        at = lowest(new)
        new &= new - np.uint64(1)
        between = now & band(k, at)
        zeros, count = at - k + 1 - ones(between), ones(between) - 1
        while zeros > 15:
            to = _after_zeros(now, k)
            made, left = _zeros(out, made, own, left, ones(now & band(k, to)))
            count, zeros, k = count - ones(now & band(k, to)), zeros - 16, to + 1
        made = put_code(out, made, 4, zeros << 4 | 1, np.int64(seen.blocks[place, ZIGZAG[at]] > 0), 1)
        made, left, k = put_own(out, made, own >> (left - count), count), left - count, at + 1
    for _ in range(surplus):
        if k > last or last + 1 - k - ones(now & band(k, last)) < 16:
            out.state[WRONG] = 1
            return made
        to = _after_zeros(now, k)
        made, left = _zeros(out, made, own, left, ones(now & band(k, to)))
        k = to + 1
    if k <= last:
        made = _count_empty(out, made, scan, given, own & ((1 << left) - 1), left)
    return made


@kernel(inline="always")
def _corrections(seen: Seen, place: int, known: np.uint64, low: int) -> Whole:
    """The low bits of these coefficients, the first one's the highest."""
    own, block = np.int64(0), seen.blocks[place]
    while known:
        own = own << 1 | (abs(np.int64(block[ZIGZAG[lowest(known)]])) >> low & 1)
        known &= known - np.uint64(1)
    return own


@kernel(inline="always")
def _after_zeros(now: np.uint64, k: int) -> int:
    """The place of the 16th zero from one on."""
    free = ~now & band(k, 63)
    for _ in range(15):
        free &= free - np.uint64(1)
    return int(lowest(free))


@kernel(inline="always")
def _zeros(out: Tokens, made: int, own: Whole, left: Whole, count: Whole) -> tuple[int, Whole]:
    """Write 16 zeros, and the correction bits of so many coefficients among them; gives how many bits are left."""
    made = put_code(out, made, 4, 0xF0, 0, 0)
    return put_own(out, made, own >> (left - count), count), left - count


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


@kernel(inner=True)
def _write_bands(scan: Scan, seen: Seen, given: Given, out: Tokens, unit: int, stop: int) -> None:
    """Write units, up to another, of a scan of AC: blocks of one component."""
    state, row, column = out.state, unit // scan.across, unit % scan.across
    made, within = int(state[MADE]), band(scan.first, scan.last)
    while unit < stop and not state[WRONG]:
        place = first_block(scan.components, 0, row, column)
        if not seen.now[place] & within:
            nothing = _nothing_in(scan, seen, given, state, unit, row, column)
            state[RUN], state[BLOCK] = state[RUN] + nothing, state[BLOCK] + nothing
            unit, column = unit + nothing, column + nothing
            row, column = row + column // scan.across, column % scan.across
            if nothing:
                continue
        if scan.kind == AC_FIRST:
            made = _band(out, made, scan, given, seen, place, 4)
        else:
            made = _more(out, made, scan, given, seen, place)
        state[BLOCK] += 1
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
    state[MADE] = made


@kernel(inline="always")
def _write_units(
    kind: int, scan: Scan, seen: Seen, given: Given, out: Tokens, unit: int, stop: int
) -> None:  # fmt: skip
    """The same of another scan; ``kind``: of it."""
    state, row, column, components = out.state, unit // scan.across, unit % scan.across, scan.components
    made, own, count = int(state[MADE]), np.int64(0), 0
    while unit < stop and not state[WRONG]:
        for component in range(len(components)):
            first = first_block(components, component, row, column)
            for _ in range(components[component, TALL]):
                for place in range(first, first + components[component, WIDE]):
                    dc = seen.blocks[place, 0] if kind == SEQUENTIAL else seen.dc[place]
                    value = np.int64(dc) >> scan.low
                    if kind == DC_MORE:
                        own, count = own << 1 | value & 1, count + 1
                        if count == TOGETHER:
                            made, count = put_own(out, made, own, TOGETHER), 0
                    else:
                        made = _difference(out, made, component, value)
                    if kind == SEQUENTIAL:
                        made = _band(out, made, scan, given, seen, place, 4 + component)
                    state[BLOCK] += 1
                first += components[component, ALL_COLUMNS]
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
    state[MADE] = put_own(out, made, own, count)


@kernel(inner=True)
def _write_dc(scan: Scan, seen: Seen, given: Given, out: Tokens, unit: int, stop: int) -> None:
    if scan.kind == DC_MORE:
        _write_units(DC_MORE, scan, seen, given, out, unit, stop)
    else:
        _write_units(DC_FIRST, scan, seen, given, out, unit, stop)


@kernel(inner=True)
def _write_blocks(scan: Scan, seen: Seen, given: Given, out: Tokens, unit: int, stop: int) -> None:
    _write_units(SEQUENTIAL, scan, seen, given, out, unit, stop)


@kernel(inner=True)
def _end_interval(out: Tokens, marker: int) -> None:
    """Write the run that there is, and the end of an interval."""
    out.state[MADE] = put_end(out, _flush(out, int(out.state[MADE])), marker)


@kernel()
def encode(scan: Scan, seen: Seen, given: Given, out: Tokens) -> None:
    """Make a scan into tokens.

    Args:
        seen: all blocks. out: its state is zeros; `WRONG` is set if the scan cannot be, or has more tokens than `out`
            has room for.
    """
    state, unit, restarts = out.state, 0, 0
    while unit < given.units and not state[WRONG]:
        if unit and restarts < given.restarts:
            _end_interval(out, restarts & 7)
            restarts += 1
            state[PREDICTED : PREDICTED + 4] = 0
        stop = min(given.units, unit + scan.interval) if scan.interval else given.units
        if scan.kind in (AC_FIRST, AC_MORE):
            _write_bands(scan, seen, given, out, unit, stop)
        elif scan.kind in (DC_FIRST, DC_MORE):
            _write_dc(scan, seen, given, out, unit, stop)
        else:
            _write_blocks(scan, seen, given, out, unit, stop)
        unit = stop
    _end_interval(out, NO_MARKER)
    state[WRONG] |= state[ZEROS] < len(given.zeros) or state[BREAKS] < len(given.breaks)
