"""One tile, coded on its own, pixel by pixel in raster order. Encoding and decoding are one loop."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding import binary, mixing
from arcomp.coding.binary import Coder, close, code, opened
from arcomp.coding.mixing.hashing import fold
from arcomp.contract.learning import Stream
from arcomp.contract.side_by_side import Positions
from arcomp.contract.tiling import row_steps
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.models.graphic import candidates, escape, smooth
from arcomp.models.graphic.candidates import CANDIDATES, Candidates
from arcomp.models.graphic.escape import BITS, CHANNELS, LEVELS, Escape
from arcomp.models.graphic.past import (
    REMEMBERED,
    SIDE,
    TOP,
    Past,
    begin_row,
    gather_neighbours,
    new_past,
    remember,
)

ESCAPED = 15
"""Slot of a pixel that was no candidate; that of another one is the number of offers."""
STEP = 1 << 14
"""Pixels between two reports of progress, about."""
MOST_DECISIONS = CANDIDATES + CHANNELS * BITS
"""For a pixel."""
FEWEST_BITS, MOST_COUNTERS, MOST_SPELLED = 8, 20, 18
"""log2 of counters and places of a table: of the smallest tiles, of candidates and places, and of escapes."""

LARGEST_KEPT, KEPT = 15, 4
"""Tables of tiles that are done are kept for others: log2 of the counters of the largest such, how many of a size."""


@dataclass(frozen=True)
class Start:
    """Mixing weights to start from, int32 [rows, LANES]; None: all tables count the same."""

    candidates: npt.NDArray[np.int32] | None = None
    escape: npt.NDArray[np.int32] | None = None

    def arrays(self) -> dict[str, npt.NDArray[np.int32]]:
        """Those that are there, by name."""
        return {name: array for name, array in vars(self).items() if array is not None}


class Drawing(NamedTuple):
    """One tile for the kernels."""

    past: Past
    candidates: Candidates
    escape: Escape
    coder: Coder
    costs: npt.NDArray[np.float32]
    """[height, width]: set in encoding to the bits of each pixel; or [0, 0]."""
    totals: npt.NDArray[np.float64]
    """[1]: bits of all decisions."""
    channels: int


_spare: dict[int, deque[tuple[Candidates, Escape, npt.NDArray[np.int32]]]] = {}
"""Tables of tiles that are done, by log2 of their counters. (Ends of deques are put on and taken off by threads.)"""


def table_bits(height: int, width: int) -> int:
    """log2 of the counters of a table: eight for each pixel or more, within limits."""
    return min(MOST_COUNTERS, max(FEWEST_BITS, (height * width - 1).bit_length() + 3))


def memory(height: int, width: int) -> int:
    """Bytes that a tile takes while it is coded, about."""
    bits = table_bits(height, width)
    stages = candidates.shape(bits), escape.shape(min(bits, MOST_SPELLED))
    plane = 4 * (height + TOP) * (width + 2 * SIDE)
    coder = 2 * MOST_DECISIONS * min(STEP + width, height * width)
    return plane + coder + (REMEMBERED * 4 << bits) + sum(map(mixing.memory, stages))


class Tile:
    """Everything that one tile needs while it is coded.

    Args:
        start: mixing weights. height, width, channels: of the tile.
    """

    def __init__(self, start: Start, height: int, width: int, channels: int) -> None:
        self.height, self.width, self.channels = height, width, channels
        self._bits = table_bits(height, width)
        offers, spelling, last = self._tables(start)
        self.parts = Drawing(
            new_past(height, width, last),
            offers,
            spelling,
            binary.encoder(0),
            np.zeros((0, 0), np.float32),
            np.zeros(1),
            channels,
        )
        self.colours = self.parts.past.pixels[TOP:, SIDE : SIDE + width]

    def _tables(self, start: Start) -> tuple[Candidates, Escape, npt.NDArray[np.int32]]:
        """What is large of a tile: as new, but of one that was done where there is such a one."""
        try:
            offers, spelling, last = _spare[self._bits].pop()
        except (KeyError, IndexError):
            offers = candidates.new_candidates(self._bits, start.candidates)
            spelling = escape.new_escape(min(self._bits, MOST_SPELLED), start.escape)
            return offers, spelling, np.zeros((REMEMBERED, 1 << self._bits), np.int32)
        candidates.renew(offers, start.candidates)
        escape.renew(spelling, start.escape)
        last.fill(0)
        return offers, spelling, last

    def done(self) -> None:
        """This tile is not used any more: a small one's memory is for the next. To get a megabyte from the system takes
        longer than to code an icon."""
        if self._bits <= LARGEST_KEPT:
            tables = self.parts.candidates, self.parts.escape, self.parts.past.last
            _spare.setdefault(self._bits, deque(maxlen=KEPT)).append(tables)

    def encode(
        self, pixels: npt.NDArray[np.uint8], progress: Positions, costs: npt.NDArray[np.float32] | None = None
    ) -> Stream:
        """Code uint8 [height, width, C]; ``costs``, float32 [height, width], is filled with each pixel's bits."""
        for begin, end in row_steps(self.height, self.width, STEP):
            for c in range(self.channels):
                self.colours[begin:end] |= pixels[begin:end, :, c].astype(np.uint32) << np.uint32(BITS * c)
        coder = binary.encoder(0)
        parts = self.parts if costs is None else self.parts._replace(costs=costs)
        for begin, end in row_steps(self.height, self.width, STEP):
            pixels_done = (end - begin) * self.width
            coder = binary.with_space(coder, pixels_done * MOST_DECISIONS // 2 + 16)
            _code_rows(record(parts._replace(coder=coder)), False, begin, end)
            progress(pixels_done)
        bits = float(parts.totals[0])
        return Stream(binary.finish(coder), bits, bits)

    def decode(self, data: bytes | memoryview, pixels: npt.NDArray[np.uint8], progress: Positions) -> None:
        """Fill uint8 [height, width, C] from coded bytes.

        Raises:
            FormatError: they end too soon.
        """
        coder = binary.decoder(data)
        parts = record(self.parts._replace(coder=coder))
        for begin, end in row_steps(self.height, self.width, STEP):
            _code_rows(parts, True, begin, end)
            for c in range(self.channels):
                pixels[begin:end, :, c] = (self.colours[begin:end] >> np.uint32(BITS * c)) & np.uint32(255)
            progress((end - begin) * self.width)
            binary.check_end(binary.beyond(coder))

    def weights(self) -> Start:
        """What the mixers have learnt so far."""
        return Start(self.parts.candidates.mixer.weights.copy(), self.parts.escape.mixer.weights.copy())


@kernel(inline="always")
def _decide(
    mixer: Any, coder: Any, numbers: Any, question: Any, decoding: bool, bit: Any, rate: Any
) -> Any:  # fmt: skip
    """Code one decision; ``question``: what was found, and rows. Returns it, the coder's numbers, its probability."""
    found, rows = question
    said = mixing.predict(mixer, found, rows)
    bit, numbers, share = code(coder, numbers, decoding, bit, said[0])
    mixing.learn(mixer, found, rows, said, bit, rate)
    return bit, numbers, share


@kernel(inner=True)
def _offer(tile: Any, decoding: bool, colour: Any, x: Any) -> Any:
    """Offer candidates to the pixel in column x until it is one: its slot (0: none), its colour, the probability."""
    past, stage, coder = tile.past, tile.candidates, tile.coder
    candidates.gather(past, stage)
    equal, slots, wide, row = candidates.surroundings(past, x)
    rate = mixing.learning_rate(stage.mixer, past.done[0] >> 3)
    numbers, share, offered, slot, refused = opened(coder), 1.0, 0, 0, np.uint64(0)
    for i in range(CANDIDATES):
        offer = stage.colours[i]
        if not stage.there[i] or candidates.holders(stage, offer) & ((1 << i) - 1):
            continue  # none, or offered already
        question = candidates.find(past, stage, offer, offered, (equal, slots, wide, row, refused))
        bit, numbers, own = _decide(stage.mixer, coder, numbers, question, decoding, 1 if colour == offer else 0, rate)
        share *= own
        offered += 1
        if bit:
            colour, slot = offer, offered
            break
        refused += fold(np.uint64(9), offer)
    close(coder, numbers)
    return slot, colour, share


@kernel(inline="always")
def _spell_channel(
    stage: Any, coder: Any, numbers: Any, c: Any, decoding: bool, wanted: Any, rate: Any
) -> Any:  # fmt: skip
    """Code a channel; returns its value, the coder's numbers, its probability."""
    low, high, below, above = np.int64(0), np.int64(LEVELS), np.int64(0), np.int64(1 << 24)
    prefix, share = np.int64(1), 1.0
    for i in range(BITS):
        middle = (low + high) >> 1
        here = smooth.mass_below(stage.smooth, middle)
        said = smooth.logit(stage.smooth, (below, here, above), (low, middle, high))
        question = escape.find(stage, np.int64(c), np.int64(i), prefix, said)
        own = (wanted >> (BITS - 1 - i)) & 1
        bit, numbers, probability = _decide(stage.mixer, coder, numbers, question, decoding, own, rate)
        share *= probability
        prefix = prefix * 2 + bit
        if bit:
            low, below = middle, here
        else:
            high, above = middle, here
    return low, numbers, share


@kernel(inner=True)
def _spell(tile: Any, decoding: bool, colour: Any, y: Any, x: Any) -> Any:
    """Code the colour of a place of ``pixels``: with alpha, first whether that is all that is new; then bit by bit.
    Returns it and its probability."""
    past, stage, coder = tile.past, tile.escape, tile.coder
    guess = tile.candidates.colours[0] if tile.candidates.there[0] else past.around[0]
    rate = mixing.learning_rate(stage.mixer, past.done[1])
    numbers, share, known, first = opened(coder), 1.0, np.uint32(0), 0
    alpha = tile.channels - 1 if tile.channels % 2 == 0 else CHANNELS
    if alpha < CHANNELS:
        kept = escape.kept_colour(stage, past.around, alpha)
        escape.begin_kept(past, stage, kept, alpha, guess)
        question = escape.find(stage, np.int64(CHANNELS), np.int64(0), np.int64(0), np.int32(0))
        same = 1 if kept == colour & escape.below(alpha) else 0
        bit, numbers, own = _decide(stage.mixer, coder, numbers, question, decoding, same, rate)
        share *= own
        if bit:
            known, first = kept, alpha
    for c in range(first, tile.channels):
        escape.begin_channel(past, stage, known, c, alpha, guess)
        before, alone = escape.channel(known, max(0, c - 1)), c == 0 or c == alpha
        smooth.expect(past.pixels, stage.smooth, y, x, c, before, alone)
        wanted = escape.channel(colour, c)
        value, numbers, own = _spell_channel(stage, coder, numbers, c, decoding, wanted, rate)
        share *= own
        known |= np.uint32(value << (BITS * c))
    close(coder, numbers)
    stage.recent[0] = known
    past.done[1] += 1
    return known, share


@kernel()
def _code_rows(tile: Any, decoding: bool, begin: int, end: int) -> None:
    """Code rows begin .. end - 1.

    Args:
        tile: record of :class:`Drawing`; in encoding its pixels are there from the start, but none is looked at before
            it is coded.
    """
    past, totals, costs = tile.past, tile.totals, tile.costs
    pixels, slots = past.pixels, past.slots
    width = pixels.shape[1] - 2 * SIDE
    for y in range(TOP + begin, TOP + end):
        begin_row(past, y)
        for x in range(width):
            colour = pixels[y, SIDE + x]
            gather_neighbours(past, y, SIDE + x)
            slot, colour, share = _offer(tile, decoding, colour, x)
            bits = -np.log2(share)
            if slot == 0:
                slot = ESCAPED
                colour, share = _spell(tile, decoding, colour, y, SIDE + x)
                bits -= np.log2(share)
            totals[0] += bits
            if costs.size:
                costs[y - TOP, x] = bits
            pixels[y, SIDE + x] = colour
            slots[0, x + 1] = slot
            remember(past, y * pixels.shape[1] + SIDE + x, colour)
