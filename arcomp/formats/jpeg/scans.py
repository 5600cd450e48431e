"""How the blocks of a scan follow each other, and what compiled loops over them share."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp import jpeg_tables
from arcomp.coefficients import Blocks
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.headers import Frame, ScanHeader
from arcomp.formats.jpeg.huffman import Codes, codes_of
from arcomp.formats.jpeg.masks import Masks, band, bit

ZIGZAG = np.array(jpeg_tables.ZIGZAG)
SEQUENTIAL, DC_FIRST, DC_MORE, AC_FIRST, AC_MORE = range(5)
"""Kinds of scans: of whole blocks; of the high bits of DC or of a band of AC, of one more bit of them."""
LONGEST_RUN = 0x7FFF
CORRECTIONS = 937
"""libjpeg ends a run of blocks without new coefficients when it holds more correction bits than that."""
(
    FIRST,  # of all blocks in memory, its first one
    COLUMNS,  # blocks of a row that are coded if the component is alone in its scan
    ALL_COLUMNS,  # blocks of a row in memory
    WIDE,  # blocks of a unit across,
    TALL,  # and down
    DC,  # number of its table of DC, 0 to 3
    AC,  # number of its table of AC, 4 to 7
) = range(7)
"""Columns of :attr:`Scan.components`."""


class Scan(NamedTuple):
    """A scan, for compiled loops.

    Attributes:
        components: int64 [n, 7], see `FIRST` and those after it.
        kind: see `SEQUENTIAL`. first, last, before, low: as of :class:`ScanHeader`.
        across, units: units of a row, and in all. interval: between two restarts; 0: none.
        longest: most blocks that a run of empty ones can have with its table; 0: the table has no runs.
    """

    components: npt.NDArray[np.int64]
    kind: int
    first: int
    last: int
    before: int
    low: int
    across: int
    units: int
    interval: int
    longest: int

    @property
    def blocks(self) -> int:
        """Blocks that it codes."""
        return self.units * int((self.components[:, WIDE] * self.components[:, TALL]).sum())


class Stored(NamedTuple):
    """Blocks of all components, in memory.

    Attributes:
        blocks: int16 [n, 64]. known: which of their coefficients are not 0.
    """

    blocks: Blocks
    known: Masks


def blocks_coded(frame: Frame, header: ScanHeader) -> int:
    """Blocks that a scan codes."""
    only = frame.components[header.components[0]]
    if len(header.components) == 1:
        return only.columns * only.rows
    of_a_unit = sum(math.prod(frame.components[number].sampling) for number in header.components)
    return math.prod(frame.units) * of_a_unit


def scan_of(frame: Frame, header: ScanHeader) -> tuple[Scan, Codes]:
    """A scan and its tables.

    Raises:
        PictureError: a table cannot be.
    """
    rows, alone = [], len(header.components) == 1
    for place, number in enumerate(header.components):
        one = frame.components[number]
        wide, tall = (1, 1) if alone else one.sampling
        rows.append((one.first, one.columns, one.all_columns, wide, tall, place, 4 + place))
    only = frame.components[header.components[0]]
    across, down = (only.columns, only.rows) if alone else frame.units
    if not frame.progressive:
        kind = SEQUENTIAL
    elif header.first == 0:
        kind = DC_MORE if header.before else DC_FIRST
    else:
        kind = AC_MORE if header.before else AC_FIRST
    tables = [dc for dc, _ in header.tables] + [None] * (4 - len(rows)) + [ac for _, ac in header.tables]
    codes = codes_of(tuple(tables))
    runs = np.flatnonzero(codes.size[4, : 15 << 4 : 16])
    longest = min((2 << int(runs[-1])) - 1, LONGEST_RUN) if len(runs) else 0
    if header.tables[0][1] is None:  # it will be made of what the scan needs
        longest = LONGEST_RUN
    scan = Scan(
        np.array(rows, np.int64), kind, header.first, header.last, header.before, header.low, across, across * down,
        header.interval, longest,
    )  # fmt: skip
    return scan, codes


@kernel(inline="always")
def first_block(components: npt.NDArray[np.int64], component: int, row: int, column: int) -> int:
    """Where in memory the first block is that a component has in a unit."""
    rows = row * components[component, TALL]
    first = components[component, FIRST] + rows * components[component, ALL_COLUMNS]
    return int(first + column * components[component, WIDE])


@kernel(inline="always")
def empty_blocks(scan: Scan, masks: Masks, row: int, column: int, most: int) -> int:
    """How many of the next blocks of a scan of one component, ``most`` at most, have nothing in its band."""
    found, within, place = 0, band(scan.first, scan.last), first_block(scan.components, 0, row, column)
    while found < most and not masks[place] & within:
        found, place, column = found + 1, place + 1, column + 1
        if column == scan.across:
            place, column = place + scan.components[0, ALL_COLUMNS] - scan.across, 0
    return found


@kernel()
def undo(scan: Scan, stored: Stored, unit: int, end: int) -> None:
    """Take from blocks what a scan said of units from one on, up to another."""
    for at in range(unit, end):
        for component in range(len(scan.components)):
            one = scan.components[component]
            first = first_block(scan.components, component, at // scan.across, at % scan.across)
            for down in range(one[TALL]):
                for place in range(first + down * one[ALL_COLUMNS], first + down * one[ALL_COLUMNS] + one[WIDE]):
                    _undo_block(scan, stored, place)


@kernel(inner=True)
def _undo_block(scan: Scan, stored: Stored, place: int) -> None:
    block, shift = stored.blocks[place], scan.before
    for k in range(scan.first, scan.last + 1):
        value = block[ZIGZAG[k]]
        if not shift:
            block[ZIGZAG[k]] = 0
        elif k == 0 or value > 0:
            block[ZIGZAG[k]] = value >> shift << shift
        else:
            block[ZIGZAG[k]] = -(-value >> shift << shift)
        if not block[ZIGZAG[k]]:
            stored.known[place] &= ~bit(k)
