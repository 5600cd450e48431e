"""Huffman tables of JPEG (T.81, annex C), for the compiled loops that decode and encode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError
from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.bits import ahead
from arcomp.jpeg_tables import HUFFMAN

LOOK = 10
"""Bits that are looked up at once."""
TABLES = 8
"""Of a scan: four of DC, then four of AC."""


@dataclass(frozen=True)
class Table:
    """A table as DHT has it.

    Attributes:
        counts: how many codes there are of 1 to 16 bits. values: what they stand for.
    """

    counts: bytes
    values: bytes

    def codes(self) -> list[tuple[int, int, int]]:
        """(value, code, its length) of each.

        Raises:
            PictureError: there are more codes of a length than there can be.
        """
        found, code, at = [], 0, 0
        for length in range(1, 17):
            for value in self.values[at : at + self.counts[length - 1]]:
                found.append((value, code, length))
                code += 1
            at += self.counts[length - 1]
            if code > 1 << length:
                raise PictureError("a Huffman table that cannot be")
            code <<= 1
        return found

    @property
    def stored(self) -> bytes:
        """As DHT has it, after its number."""
        return self.counts + self.values


def optimal(counts: Sequence[int]) -> Table:
    """The table that libjpeg makes of how often each value occurs: T.81, annex K.2, with its choice among equals.

    Args:
        counts: of 256 values.
    """
    trees = {value: [value] for value, count in enumerate(counts) if count} | {256: [256]}
    queue = [(count, -value) for value, count in enumerate([*counts, 1]) if count]
    heapify(queue)
    sizes = dict.fromkeys(trees, 0)
    while len(queue) > 1:  # the two of the smallest counts, of equal ones those of the largest values
        (few, first), (more, second) = heappop(queue), heappop(queue)
        trees[-first] += trees.pop(-second)
        for value in trees[-first]:
            sizes[value] += 1
        heappush(queue, (few + more, first))
    lengths = [0] * (max(sizes.values()) + 17)
    for size in sizes.values():
        lengths[size] += 1
    for size in range(len(lengths) - 1, 16, -1):  # codes of more than 16 bits become shorter, others longer
        while lengths[size]:
            shorter = max(i for i in range(size - 1) if lengths[i])
            lengths[size] -= 2
            lengths[size - 1] += 1
            lengths[shorter + 1] += 2
            lengths[shorter] -= 1
    lengths[max(i for i in range(17) if lengths[i])] -= 1  # the code of all ones, which no value has
    values = sorted((size, value) for value, size in sizes.items() if value < 256)
    return Table(bytes(lengths[1:17]), bytes(value for _, value in values))


class Codes(NamedTuple):
    """Tables of a scan, by number.

    Attributes:
        short: int16 [8, 2^LOOK]: by the next bits, 256 x length + value of a code; 0: it has more bits.
        last: int32 [8, 17]: by length, the last code; -1 if there is none. offset: what to add to a code for its place
            in `values`, uint8 [8, 256].
        code, size: int32, uint8 [8, 256]: by value; a size of 0: it has none.
    """

    short: npt.NDArray[np.int16]
    last: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int32]
    values: npt.NDArray[np.uint8]
    code: npt.NDArray[np.int32]
    size: npt.NDArray[np.uint8]


@lru_cache(maxsize=32)
def codes_of(tables: tuple[Table | None, ...]) -> Codes:
    """Tables as the loops take them. Many JPEGs have the same ones, so those that were made are kept for a while.

    Args:
        tables: at most 8; None: it is not there, and has no codes.

    Raises:
        PictureError: a table has more codes of a length than there can be.
    """
    made = Codes(
        np.zeros((TABLES, 1 << LOOK), np.int16), np.full((TABLES, 17), -1, np.int32), np.zeros((TABLES, 17), np.int32),
        np.zeros((TABLES, 256), np.uint8), np.zeros((TABLES, 256), np.int32), np.zeros((TABLES, 256), np.uint8),
    )  # fmt: skip
    for number, table in enumerate(tables):
        for place, (value, code, length) in enumerate(table.codes() if table else ()):
            if length <= LOOK:
                made.short[number, code << LOOK - length : code + 1 << LOOK - length] = 256 * length + value
            made.last[number, length] = code
            made.offset[number, length] = place - code
            made.values[number, place] = value
            made.code[number, value], made.size[number, value] = code, length
    return made


def standard_tables() -> dict[tuple[int, int], Table | None]:
    """Those of T.81, annex K.3.3, by (0 of DC or 1 of AC, number): what a JPEG without tables means."""
    return {key: Table(stored[:16], stored[16:]) for key, stored in HUFFMAN.items()}


@kernel(inner=True)
def _long_code(word: np.uint64, codes: Codes, table: int) -> tuple[int, int]:
    """The value of a code that is longer than LOOK, or -1 if there is no such code; its length."""
    for length in range(LOOK + 1, 17):
        code = np.int64(word >> np.uint64(64 - length))
        if code <= codes.last[table, length]:
            return int(np.int64(codes.values[table, (code + codes.offset[table, length]) & 255])), length
    return int(np.int64(-1)), 16


@kernel(inline="always")
def next_value(data: npt.NDArray[np.uint8], at: int, codes: Codes, table: int) -> tuple[int, np.uint64, int]:
    """The value of the code at a bit, or -1 if there is none; the bits after it, the highest first; where they are."""
    word = ahead(data, at)
    found = int(np.int64(codes.short[table, int(np.int64(word >> np.uint64(64 - LOOK)))]))
    value, length = found & 255, found >> 8
    if not found:
        value, length = _long_code(word, codes, table)
    return value, word << np.uint64(length), at + length
