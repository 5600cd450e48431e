"""Coefficients to the Huffman codes of a scan (T.81, annexes F.1 and G.1), as libjpeg codes them but where a log says
otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Blocks
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.huffman import Codes
from arcomp.formats.jpeg.masks import Masks, band, lowest, ones
from arcomp.formats.jpeg.output import (
    BLOCK,
    BREAKS,
    COUNT,
    HELD,
    KEPT,
    MADE,
    PREDICTED,
    RUN,
    WORD,
    WRONG,
    ZEROS,
    Output,
    Pen,
    Whole,
    bits_of_size,
    put,
    put_code,
    put_marker,
    put_own,
    put_padding,
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


@kernel(inline="always")
def _difference(out: Output, pen: Pen, codes: Codes, component: int, value: Whole) -> Pen:
    state = out.state
    difference = value - state[PREDICTED + component]
    state[PREDICTED + component] = value
    bits = bits_of_size(abs(difference))
    return put_code(out, pen, codes, component, bits, difference if difference >= 0 else difference - 1, bits)


@kernel(inner=True)
def _flush(out: Output, pen: Pen, codes: Codes) -> Pen:
    """Write the run that there is."""
    state = out.state
    if state[RUN]:
        bits = bits_of_size(state[RUN]) - 1
        if bits > 14:
            state[WRONG] = 1
            bits = 14
        pen = put_code(out, pen, codes, 4, bits << 4, state[RUN], bits)
        for at in range(state[HELD]):
            pen = put_own(out, pen, out.held[at, 0], out.held[at, 1])
    state[RUN], state[KEPT], state[HELD] = 0, 0, 0
    return pen


@kernel(inline="always")
def _count_empty(
    out: Output, pen: Pen, codes: Codes, scan: Scan, given: Given, own: Whole, corrections: Whole
) -> Pen:  # fmt: skip
    """A block goes to the run, with some correction bits of its own."""
    state = out.state
    if corrections:
        if state[HELD] == len(out.held):
            state[WRONG] = 1
            return pen
        out.held[state[HELD], 0], out.held[state[HELD], 1] = own, corrections
        state[HELD] += 1
    state[RUN] += 1
    state[KEPT] += corrections
    usual = state[RUN] == scan.longest or state[KEPT] > CORRECTIONS
    other = state[BREAKS] < len(given.breaks) and given.breaks[state[BREAKS]] == state[BLOCK]
    state[BREAKS] += other
    if usual != other:
        pen = _flush(out, pen, codes)
    elif other:
        state[KEPT] = 0
    return pen


@kernel(inline="always")
def _surplus(out: Output, given: Given) -> int:
    """Runs of 16 zeros after the last coefficient of this block."""
    at = out.state[ZEROS]
    if at < len(given.zeros) and given.zeros[at, 0] == out.state[BLOCK]:
        out.state[ZEROS] += 1
        return int(given.zeros[at, 1])
    return 0


@kernel(inline="always")
def _band(
    out: Output, pen: Pen, codes: Codes, scan: Scan, given: Given, seen: Seen, place: int, table: int
) -> Pen:  # fmt: skip
    """Write AC of a block for the first time."""
    surplus, k, last, low = _surplus(out, given), max(1, scan.first), scan.last, scan.low
    rest = seen.now[place] & band(k, last)
    if rest and scan.kind != SEQUENTIAL and out.state[RUN]:
        pen = _flush(out, pen, codes)
    while rest:
        at = lowest(rest)
        rest &= rest - np.uint64(1)
        value, zeros = np.int64(seen.blocks[place, ZIGZAG[at]]), at - k
        while zeros > 15:
            pen = put_code(out, pen, codes, table, 0xF0, 0, 0)
            zeros -= 16
        size = abs(value) >> low
        bits = bits_of_size(size)
        if bits > 15:
            out.state[WRONG] = 1
            return pen
        pen = put_code(out, pen, codes, table, zeros << 4 | bits, size if value > 0 else ~size, bits)
        k = at + 1
    if surplus and scan.kind != SEQUENTIAL:
        pen = _flush(out, pen, codes)
    for _ in range(surplus):
        if k > last:
            out.state[WRONG] = 1
            return pen
        pen = put_code(out, pen, codes, table, 0xF0, 0, 0)
        k += 16
    if k <= last and scan.kind == SEQUENTIAL:
        pen = put_code(out, pen, codes, table, 0, 0, 0)
    elif k <= last:
        pen = _count_empty(out, pen, codes, scan, given, 0, 0)
    return pen


@kernel(inline="always")
def _more(out: Output, pen: Pen, codes: Codes, scan: Scan, given: Given, seen: Seen, place: int) -> Pen:
    """Write one more bit of AC of a block."""
    surplus, k, last = _surplus(out, given), scan.first, scan.last
    within = band(k, last)
    known, now = seen.before[place] & within, seen.now[place] & within
    new, own, left = now & ~known, _corrections(seen, place, known, scan.low), ones(known)
    if out.state[RUN] and (new or surplus):
        pen = _flush(out, pen, codes)
    while new:
        at = lowest(new)
        new &= new - np.uint64(1)
        between = now & band(k, at)
        zeros, count = at - k + 1 - ones(between), ones(between) - 1
        while zeros > 15:
            to = _after_zeros(now, k)
            pen, left = _zeros(out, pen, codes, own, left, ones(now & band(k, to)))
            count, zeros, k = count - ones(now & band(k, to)), zeros - 16, to + 1
        pen = put_code(out, pen, codes, 4, zeros << 4 | 1, np.int64(seen.blocks[place, ZIGZAG[at]] > 0), 1)
        pen, left, k = put_own(out, pen, own >> (left - count), count), left - count, at + 1
    for _ in range(surplus):
        if k > last or last + 1 - k - ones(now & band(k, last)) < 16:
            out.state[WRONG] = 1
            return pen
        to = _after_zeros(now, k)
        pen, left = _zeros(out, pen, codes, own, left, ones(now & band(k, to)))
        k = to + 1
    if k <= last:
        pen = _count_empty(out, pen, codes, scan, given, own & ((1 << left) - 1), left)
    return pen


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
def _zeros(out: Output, pen: Pen, codes: Codes, own: Whole, left: Whole, count: Whole) -> tuple[Pen, Whole]:
    """Write 16 zeros, and the correction bits of so many coefficients among them; gives how many bits are left."""
    pen = put_code(out, pen, codes, 4, 0xF0, 0, 0)
    return put_own(out, pen, own >> (left - count), count), left - count


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
def _write_bands(scan: Scan, codes: Codes, seen: Seen, given: Given, out: Output, unit: int, stop: int) -> None:
    """Write units, up to another, of a scan of AC: blocks of one component."""
    state, row, column = out.state, unit // scan.across, unit % scan.across
    pen, within = (state[WORD], state[COUNT], state[MADE]), band(scan.first, scan.last)
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
            pen = _band(out, pen, codes, scan, given, seen, place, 4)
        else:
            pen = _more(out, pen, codes, scan, given, seen, place)
        state[BLOCK] += 1
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
    state[WORD], state[COUNT], state[MADE] = pen


@kernel(inline="always")
def _write_units(
    kind: int, scan: Scan, codes: Codes, seen: Seen, given: Given, out: Output, unit: int, stop: int
) -> None:  # fmt: skip
    """The same of another scan; ``kind``: of it."""
    state, row, column, components = out.state, unit // scan.across, unit % scan.across, scan.components
    pen = (state[WORD], state[COUNT], state[MADE])
    while unit < stop and not state[WRONG]:
        for component in range(len(components)):
            first = first_block(components, component, row, column)
            for _ in range(components[component, TALL]):
                for place in range(first, first + components[component, WIDE]):
                    value = np.int64(seen.blocks[place, 0]) >> scan.low
                    pen = put(out, pen, value, 1) if kind == DC_MORE else _difference(out, pen, codes, component, value)
                    if kind == SEQUENTIAL:
                        pen = _band(out, pen, codes, scan, given, seen, place, 4 + component)
                    state[BLOCK] += 1
                first += components[component, ALL_COLUMNS]
        unit, column = unit + 1, column + 1
        if column == scan.across:
            row, column = row + 1, 0
    state[WORD], state[COUNT], state[MADE] = pen


@kernel(inner=True)
def _write_dc(scan: Scan, codes: Codes, seen: Seen, given: Given, out: Output, unit: int, stop: int) -> None:
    if scan.kind == DC_MORE:
        _write_units(DC_MORE, scan, codes, seen, given, out, unit, stop)
    else:
        _write_units(DC_FIRST, scan, codes, seen, given, out, unit, stop)


@kernel(inner=True)
def _write_blocks(scan: Scan, codes: Codes, seen: Seen, given: Given, out: Output, unit: int, stop: int) -> None:
    _write_units(SEQUENTIAL, scan, codes, seen, given, out, unit, stop)


@kernel(inner=True)
def _end_run(out: Output, codes: Codes) -> None:
    """Write the run that there is, at the end of an interval."""
    state = out.state
    state[WORD], state[COUNT], state[MADE] = _flush(out, (state[WORD], state[COUNT], state[MADE]), codes)


@kernel()
def encode(scan: Scan, codes: Codes, seen: Seen, given: Given, out: Output) -> None:
    """Write a scan.

    Args:
        seen: all blocks. out: its state is zeros but for `PADS`; `WRONG` is set if the scan cannot be, or has
            more bytes than `out` has room for.
    """
    state, unit, restarts = out.state, 0, 0
    while unit < given.units and not state[WRONG]:
        if unit and restarts < given.restarts:
            _end_run(out, codes)
            put_padding(out, given.pads)
            put_marker(out, restarts & 7)
            restarts += 1
            state[PREDICTED : PREDICTED + 4] = 0
        stop = min(given.units, unit + scan.interval) if scan.interval else given.units
        if scan.kind in (AC_FIRST, AC_MORE):
            _write_bands(scan, codes, seen, given, out, unit, stop)
        elif scan.kind in (DC_FIRST, DC_MORE):
            _write_dc(scan, codes, seen, given, out, unit, stop)
        else:
            _write_blocks(scan, codes, seen, given, out, unit, stop)
        unit = stop
    _end_run(out, codes)
    put_padding(out, given.pads)
    state[WRONG] |= state[ZEROS] < len(given.zeros) or state[BREAKS] < len(given.breaks)
