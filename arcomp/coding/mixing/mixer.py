"""A mixer: the tables that it looks things up in, and what it has learnt so far."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.mixing.shape import LANES, Shape
from arcomp.exact import tables
from arcomp.exact.lanes import aligned
from arcomp.exact.records import Fixed

Int32 = npt.NDArray[np.int32]
UInt32 = npt.NDArray[np.uint32]

SUM_LIMIT = 3071
"""Of the mixed sum, 256 times a logarithm of odds: 12."""
STRETCH_LIMIT = 2047
WEIGHT_BITS = 16
CONSTANT = 77
"""The input that does not change: 0.3 in the logistic domain."""
MAP_BINS = 33
"""Of an adaptive map: 1/2 of the logistic domain apart."""
HALF = 1 << 31
"""A counter that has counted nothing, with check 0."""


class Constants(NamedTuple):
    """Tables of integers, the same for all mixers."""

    squash: Int32
    """[6145]: 2**16 times the logistic function of -12 .. 12, in steps of 1/256, within 1 .. 65535."""
    stretch: Int32
    """[4096]: 256 times the logarithm of the odds of a probability in 12 bits."""
    rate: Int32
    """[64]: of a counter by its count, Q16."""
    confidence: Int32
    """[64]: what a counter's prediction is multiplied by, by its count, Q8."""
    familiarity: Int32
    """[64]: a count's class: 0, 1 .. 3, 4 .. 15, more."""


class Mixer(NamedTuple):
    """One stream's mixer, for :func:`arcomp.exact.records.record`."""

    constants: Constants
    counters: UInt32
    """[tables, 2**bits]: probability 18 bits, check 8, count 6."""
    weights: Int32
    """[all sets' rows, LANES], Q16."""
    maps: Int32
    """[all maps' rows, MAP_BINS], Q16."""
    experts: int
    tables: int
    sets: int
    corrections: int
    """How many maps."""
    limit: int
    first_rate: int
    last_rate: int


@cache
def constants() -> Constants:
    """Everything that is looked up."""
    counts = np.arange(64)
    rate = (2 * 655360 + 10 * counts + 16) // (2 * (10 * counts + 16))  # 65536 / (n + 1.6)
    confidence = (2 * 512 * counts + 2 * counts + 3) // (2 * (2 * counts + 3))  # 256 n / (n + 1.5)
    return Constants(
        np.clip((tables.fine_logistic() + 128) >> 8, 1, 65535).astype(np.int32),
        np.clip(tables.stretch(), -STRETCH_LIMIT, STRETCH_LIMIT).astype(np.int32),
        rate.astype(np.int32),
        confidence.astype(np.int32),
        ((counts > 0).astype(np.int32) + (counts > 3) + (counts > 15)).astype(np.int32),
    )


def new_mixer(shape: Shape, weights: Int32 | None = None) -> Mixer:
    """A mixer before the first decision.

    Args:
        weights: int32 [shape.weight_rows, LANES] to start from, or none: those of the first set are the mean of the
            experts, all others 0.
    """
    own = constants()
    counters: UInt32 = aligned((shape.tables, 1 << shape.bits), np.uint32)
    counters[:] = HALF
    started: Int32 = aligned((shape.weight_rows, LANES), np.int32)
    if weights is None:
        started[: shape.sets[0], : shape.experts] = (1 << WEIGHT_BITS) // shape.experts
    else:
        started[:] = weights
    maps = np.tile(_map(), (max(1, shape.map_rows), 1))
    return Mixer(
        own, counters, started, maps,
        Fixed(shape.experts), Fixed(shape.tables), Fixed(len(shape.sets)), Fixed(len(shape.maps)),
        shape.limit, shape.first_rate, shape.last_rate,
    )  # fmt: skip


@cache
def _map() -> Int32:
    """A row of an adaptive map that has learnt nothing: it corrects nothing."""
    at = np.clip((np.arange(MAP_BINS) - 16) * 128 + SUM_LIMIT + 1, 0, 2 * SUM_LIMIT + 2)
    row: Int32 = constants().squash[at]
    return row


def renew(mixer: Mixer, weights: Int32) -> None:
    """Make a mixer as it was before the first decision, in the memory that it has; ``weights``: to start from."""
    mixer.counters.fill(HALF)
    mixer.weights[:] = weights
    mixer.maps[:] = _map()


def even_weights(shape: Shape, part: int) -> Int32:
    """Weights for a mixer without experts: those of the first set are 1 / part for every table, all others 0."""
    weights: Int32 = np.zeros((shape.weight_rows, LANES), np.int32)
    weights[: shape.sets[0], : shape.tables] = (1 << WEIGHT_BITS) // part
    return weights


def memory(shape: Shape) -> int:
    """Bytes of what a mixer learns."""
    return 4 * ((shape.tables << shape.bits) + shape.weight_rows * LANES + shape.map_rows * MAP_BINS)
