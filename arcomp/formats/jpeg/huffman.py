"""Huffman tables of JPEG (T.81, annex C), for the compiled loops that decode and encode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError

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


def codes_of(tables: Sequence[Table | None]) -> Codes:
    """Tables as the loops take them.

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


def standard_tables() -> dict[tuple[int, int], Table]:
    """Those of T.81, annex K.3.3, by (0 of DC or 1 of AC, number): what a JPEG without tables means."""
    return dict(_STANDARD)


def _ac(counts: Sequence[int], values: str) -> Table:
    return Table(bytes(counts), bytes.fromhex(values))


_DC_VALUES = bytes(range(12))
_STANDARD = {
    (0, 0): Table(bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]), _DC_VALUES),
    (0, 1): Table(bytes([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]), _DC_VALUES),
    (1, 0): _ac(
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
        "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738"
        "393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5"
        "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
    ),
    (1, 1): _ac(
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
        "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a353637"
        "38393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3"
        "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
    ),
}
