"""One tile of one bit: pixel by pixel, row by row. Each is a decision; where all that is near is of one colour, that of
a single counter, else mixed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding import binary, mixing
from arcomp.coding.binary import Coder, close, code, opened
from arcomp.contract.learning import Stream
from arcomp.contract.side_by_side import Positions
from arcomp.contract.tiling import row_steps
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import all_words, with_word
from arcomp.exact.records import record
from arcomp.models.bilevel.surroundings import (
    SIDE,
    TABLES,
    TOP,
    before,
    contexts,
    is_flat,
    moved,
    nearest_pixels,
    thickness,
)

STEP = 1 << 16
"""Pixels between two reports of progress, about."""
FEWEST_BITS, MOST_COUNTERS = 8, 20
"""log2 of the counters of a table: of the smallest tiles and of the largest."""
NEAREST, THICK, FAMILIAR = 1 << 10, 1 << 6, 3
"""What rows are chosen by: nearest pixels, densities, counts of so many tables."""
FLAT_BITS, SETTLED = 22, 1023
"""Of the probability of a flat place's counter; pixels after which it slows down no more."""
Int64 = npt.NDArray[np.int64]


class Page(NamedTuple):
    """One tile for the kernels."""

    pixels: npt.NDArray[np.uint8]
    """[TOP + height, SIDE + width + SIDE]"""
    mixer: mixing.Mixer
    starts: Int64
    """[5]: the first row of each set of weights, then of each map."""
    flats: Int64
    """[2, 2]: of flat places of each colour: probability of the other one, how many there were."""
    coder: Coder
    costs: npt.NDArray[np.float32]
    """[height, width]: set in encoding to the bits of each pixel; or [0, 0]."""
    totals: npt.NDArray[np.float64]
    """[1]: bits of all decisions."""
    mixed: Int64
    """[1]: decisions that were mixed so far."""


def shape(bits: int) -> mixing.Shape:
    """Rows by the nearest pixels; by counts; by densities. Maps by the nearest pixels; by densities and two pixels."""
    return mixing.Shape(TABLES, bits, (NEAREST, 4**FAMILIAR, THICK), (NEAREST, 4 * THICK), 0, 500, 50)


def table_bits(height: int, width: int) -> int:
    """log2 of the counters of a table: two for each pixel or more, within limits."""
    return min(MOST_COUNTERS, max(FEWEST_BITS, (height * width - 1).bit_length() + 1))


def memory(height: int, width: int) -> int:
    """Bytes that a tile takes while it is coded, about."""
    pixels = (height + TOP) * (width + 2 * SIDE)
    return pixels + height * width // 4 + mixing.memory(shape(table_bits(height, width)))


class Tile:
    """Everything that one tile of so many rows and columns needs while it is coded."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        of = shape(table_bits(height, width))
        self.parts = Page(
            np.zeros((TOP + height, SIDE + width + SIDE), np.uint8),
            mixing.new_mixer(of, mixing.even_weights(of, 4)),
            np.array([*of.set_starts, 0, of.maps[0]], np.int64),
            np.array([[1 << FLAT_BITS - 7, 0]] * 2, np.int64),
            binary.encoder(0),
            np.zeros((0, 0), np.float32),
            np.zeros(1),
            np.zeros(1, np.int64),
        )
        self.inner = self.parts.pixels[TOP:, SIDE : SIDE + width]

    def encode(
        self, pixels: npt.NDArray[np.uint8], progress: Positions, costs: npt.NDArray[np.float32] | None = None
    ) -> Stream:
        """Code uint8 [height, width, 1]; ``costs``, float32 [height, width], is filled with each pixel's bits."""
        self.inner[:] = pixels[..., 0]
        coder = binary.encoder(0)
        parts = self.parts if costs is None else self.parts._replace(costs=costs)
        for begin, end in row_steps(self.height, self.width, STEP):
            done = (end - begin) * self.width
            coder = binary.with_space(coder, done // 2 + 16)
            _code_rows(record(parts._replace(coder=coder)), False, begin, end)
            progress(done)
        bits = float(parts.totals[0])
        return Stream(binary.finish(coder), bits, bits)

    def decode(self, data: bytes | memoryview, pixels: npt.NDArray[np.uint8], progress: Positions) -> None:
        """Fill uint8 [height, width, 1] from coded bytes.

        Raises:
            FormatError: they end too soon.
        """
        coder = binary.decoder(data)
        parts = record(self.parts._replace(coder=coder))
        for begin, end in row_steps(self.height, self.width, STEP):
            _code_rows(parts, True, begin, end)
            pixels[begin:end, :, 0] = self.inner[begin:end]
            progress((end - begin) * self.width)
            binary.check_end(binary.beyond(coder))


@kernel(inline="always")
def _decide_flat(page: Any, numbers: Any, colour: Any, decoding: bool, wanted: Any) -> Any:
    """Code a pixel where all that is near has a colour; returns its own, the coder's numbers, its probability."""
    flats = page.flats
    p, n = flats[colour, 0], flats[colour, 1]
    other, numbers, share = code(page.coder, numbers, decoding, wanted ^ colour, max(1, p >> (FLAT_BITS - 16)))
    flats[colour, 0] = p + ((other << FLAT_BITS) - other - p) // (n + 2)
    flats[colour, 1] = min(SETTLED, n + 1)
    return colour ^ other, numbers, share


@kernel(inline="always")
def _decide(page: Any, numbers: Any, known: Any, around: Any, decoding: bool, wanted: Any) -> Any:
    """Code a pixel by what is mixed; ``known``: its contexts. Returns it, the coder's numbers, its probability."""
    mixer, starts, nothing = page.mixer, page.starts, all_words(np.int32(0))
    found = mixing.find(mixer, nothing, known[0], known[1], np.int64(around[0] & np.uint64(1)))
    nearest, thick = nearest_pixels(around), thickness(known[2])
    rows = with_word(nothing, 0, starts[0] + nearest)
    rows = with_word(rows, 1, starts[1] + mixing.familiarity(mixer, found, FAMILIAR))
    rows = with_word(rows, 2, starts[2] + thick)
    rows = with_word(rows, 3, starts[3] + nearest)
    rows = with_word(rows, 4, starts[4] + thick * 4 + ((nearest >> 4) & 3))
    rate = mixing.learning_rate(mixer, page.mixed[0] >> 3)
    page.mixed[0] += 1
    said = mixing.predict(mixer, found, rows)
    bit, numbers, share = code(page.coder, numbers, decoding, wanted, said[0])
    mixing.learn(mixer, found, rows, said, bit, rate)
    return bit, numbers, share


@kernel(inner=True)
def _begin_row(pixels: Any, y: Any) -> None:
    """Make the left margin of a row, and the right one of the row above."""
    end = pixels.shape[1] - SIDE
    for x in range(SIDE):
        pixels[y, x] = pixels[y - 1, SIDE]
        pixels[y - 1, end + x] = pixels[y - 1, end - 1]


@kernel()
def _code_rows(page: Any, decoding: bool, begin: int, end: int) -> None:
    """Code rows begin .. end - 1.

    Args:
        page: record of :class:`Page`; in encoding its pixels are there from the start, but none is looked at before it
            is coded.
    """
    pixels, totals, costs = page.pixels, page.totals, page.costs
    numbers = opened(page.coder)
    for y in range(TOP + begin, TOP + end):
        _begin_row(pixels, y)
        around = moved(before(pixels, y), pixels, y, SIDE)
        known, is_known = contexts(around, pixels, y, SIDE), True
        for x in range(SIDE, pixels.shape[1] - SIDE):
            colour, bit = np.int64(pixels[y, x - 1]), np.int64(pixels[y, x])
            left, one, two, three, four, five, six = around
            around = left | np.uint64(colour), one, two, three, four, five, six
            ahead = moved(around, pixels, y, x + 1)
            if is_flat(around, colour):
                bit, numbers, share = _decide_flat(page, numbers, colour, decoding, bit)
                is_known = False
            else:
                if not is_known:
                    known = contexts(around, pixels, y, x)
                following = contexts(ahead, pixels, y, x + 1)
                mixing.fetch(page.mixer, following[0], np.int64(0))
                bit, numbers, share = _decide(page, numbers, known, around, decoding, bit)
                known, is_known = following, True
            pixels[y, x] = bit
            around = ahead
            bits = -np.log2(share)
            totals[0] += bits
            if costs.size:
                costs[y - TOP, x - SIDE] = bits
    close(page.coder, numbers)
