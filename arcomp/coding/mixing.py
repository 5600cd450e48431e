"""A stage that learns from the picture while it is coded: binary logistic mixing of a mixture of logistics with
statistics of exact values, in integers.

Mahoney 2005, "Adaptive weighing of context models for lossless data compression" (PAQ): each symbol becomes a sequence
of binary decisions; for each, several predictions are taken to the logistic domain, summed with weights that a
context selects, and the weights follow the gradient of the code length. Here one prediction is the model's mixture; the
others are counters found by hashing a context, a candidate value and the kind of decision.

**Decisions.** Around ``base``, the rounded mean of the mixture: is the value at least base? Then outwards in steps of
1, 1, 1, 1, 2, 4, 8, ... until it is passed, then halving. A counter belongs to a candidate *value*, not to a distance
from the base, so that statistics are shared by all bases.

Both sides run :func:`code`; encoding is told the values, decoding finds them. What a front teaches is known at
the next decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.binary import decode_bit, encode_bit
from arcomp.exact import tables
from arcomp.exact.kernels import kernel
from arcomp.exact.lanes import (
    aligned,
    all_words,
    leading_zeros,
    load_words,
    shift_words,
    store_words,
    sum_of_words,
)

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]

NODES = 64
"""Places in the sequence of decisions that have weights of their own."""
SCALES = 16
"""Classes of the mixture's scale."""
RESIDUALS = 9
"""Classes of a neighbouring residual."""
LANES = 16
"""Inputs of the mixer, those not used zero."""
SINGLE_STEPS = 4
WEIGHT_BITS = 16
EXPERT_LIMIT = 2047
SUM_LIMIT = 3071
CONSTANT = 77
"""The mixer's input that does not change: 0.3 in the logistic domain."""
MOST_DECISIONS = 40
"""More than the decisions of any 8-bit value."""


@dataclass(frozen=True)
class Stage:
    """Settings of the stage.

    Attributes:
        tables: contexts that are counted.
        bits: log2 of the counters of a context.
        refine: correct the result by two adaptive maps (Mahoney's APM, "secondary symbol estimation").
        first_rate, last_rate: of the weights at the first pixel and in the long run, in 2**-16.
        limit: count at which a counter stops slowing down, at most 60.
    """

    tables: int
    bits: int
    refine: bool
    first_rate: int = 328
    last_rate: int = 46
    limit: int = 60


STAGES = {"cheap": Stage(5, 16, False), "full": Stage(7, 18, True), "deep": Stage(7, 20, True)}


class Constants(NamedTuple):
    """Tables of integers, the same for all pictures; and the settings as numbers."""

    logistic: Int32
    squash: Int32
    stretch: Int32
    mantissa: Int32
    power: Int32
    rate: Int32
    confidence: Int32
    cost: npt.NDArray[np.float64]
    """Bits of a decision by its probability: for the report, not for coding."""
    tables: int
    limit: int
    refine: bool
    first_rate: int
    last_rate: int


class State(NamedTuple):
    """What has been learnt."""

    counters: UInt32
    """[tables, entries]: probability 18 bits, check 8, count 6."""
    weights: Int32
    """[rows, LANES], Q16."""
    maps: Int32
    """[2, rows, 33]."""
    pixels: Int64
    """[3]: pixels so far; of those with a lattice, how many were looked up, and how many were not on it."""


def weight_rows(channels: int) -> int:
    """Rows of weights: four sets one after the other."""
    return channels * (NODES + SCALES * 8 + RESIDUALS * RESIDUALS * 4 + 3 * 64)


def constants(stage: Stage) -> Constants:
    """Everything :func:`code` looks up."""
    logistic = tables.fine_logistic()
    counts = np.arange(64)
    rate = (2 * 655360 + 10 * counts + 16) // (2 * (10 * counts + 16))  # 65536 / (n + 1.6)
    confidence = (2 * 512 * counts + 2 * counts + 3) // (2 * (2 * counts + 3))  # 256 n / (n + 1.5)
    probabilities = np.arange(1 << 16)
    probabilities[0] = 1
    return Constants(
        logistic,
        np.clip((logistic + 128) >> 8, 1, 65535).astype(np.int32),
        np.clip(tables.stretch(), -EXPERT_LIMIT, EXPERT_LIMIT).astype(np.int32),
        tables.mantissa_logarithm(),
        tables.power_logarithm(),
        rate.astype(np.int32),
        confidence.astype(np.int32),
        -np.log2(probabilities / 65536),
        stage.tables,
        stage.limit,
        stage.refine,
        stage.first_rate,
        stage.last_rate,
    )


def fresh(stage: Stage, channels: int, weights: Int32 | None = None) -> State:
    """The state before the first decision; ``weights`` int32 [rows, LANES] to start from, or none."""
    counters = aligned((stage.tables, 1 << stage.bits), np.uint32)
    counters[:] = 1 << 31
    started: Int32 = aligned((weight_rows(channels), LANES), np.int32)
    if weights is None:
        started[: channels * NODES, 0] = 1 << WEIGHT_BITS
    else:
        started[:] = weights
    rows = channels * NODES * 32 if stage.refine else 1
    squash = constants(stage).squash
    at = np.clip((np.arange(33) - 16) * 128 + SUM_LIMIT + 1, 0, 2 * SUM_LIMIT + 2)
    maps = np.broadcast_to(squash[at].astype(np.int32), (2, rows, 33)).copy()
    return State(counters, started, maps, np.zeros(3, np.int64))


def memory(stage: Stage) -> int:
    """Bytes of a state."""
    return (stage.tables * 4 << stage.bits) + (2 << 20)


@kernel(inline="always")
def _mass(edge: int, components: Any, k: int, logistic: Any) -> int:
    """2**24 times the mixture's mass below a value: components int64 [3, k], weights (2**16 in all), means (Q8),
    inverse scales (Q16)."""
    total = np.int64(0)
    at = (edge << 8) - 128
    for j in range(k):
        z = (((at - components[1, j]) * components[2, j]) >> 16) + 3072
        total += components[0, j] * np.int64(logistic[max(0, min(6144, z))])
    return total >> 16


@kernel()
def _restrict(components: Any, k: int, logistic: Any, allowed: Any, off: int, edges: Any) -> None:
    """The mixture's masses below every value, int64 [257], where values that are not allowed (a bit each of uint8 [32])
    keep only off / 2**16 of their own."""
    before = _mass(0, components, k, logistic)
    edges[0] = before
    for v in range(256):
        here = _mass(v + 1, components, k, logistic)
        own = here - before
        if not (allowed[v >> 3] >> (v & 7)) & 1:
            own = (own * off) >> 16
        edges[v + 1] = edges[v] + own
        before = here


@kernel(inline="always")
def _ln(v: int, mantissa: Any, power: Any) -> int:
    """256 ln v for 16 <= v < 2**25."""
    n = 63 - leading_zeros(v)
    return np.int64(power[n]) + mantissa[((v << 8) >> n) & 255]


@kernel(inline="always")
def _next(bit: int, low: int, high: int, base: int, phase: int, side: int, k: int, step: int) -> Any:
    """After a decision: (middle, phase, side, outward steps, step, node, kind of decision)."""
    node, kind = 63, 11
    middle = (low + high) >> 1
    if phase == 0:
        side = 0 if bit else 1
        phase, k, step = 1, 1, 1
        middle = base + 1 if bit else base - 1
        node = 1 + side
        kind = 1 + side
    elif phase == 1 and (bit == 0) == (side == 0):  # passed it
        phase = 2
        node = 24 + min(18, 2 * (k - 1) + side)
        kind = 9 if high - low <= 2 else 10
    elif phase == 1:
        k += 1
        if k > SINGLE_STEPS:
            step *= 2
        middle = high - step if side else low + step
        node = min(22, 2 * k - 1 + side)
        kind = (1 if step == 1 else 3 if step == 2 else 5 if step == 4 else 7) + side
    else:
        node = min(62, 44 + 2 * (k - 1) + side)
        kind = 9 if high - low <= 2 else 10
    if phase == 1 and (middle <= low or middle >= high):
        phase = 2
        middle = (low + high) >> 1
        node, kind = 63, 11
    return middle, phase, side, k, step, node, kind


@kernel(inline="always")
def _refined(maps: Any, p: int, d: int, row1: int, row2: int, bit_slot: Any) -> int:
    """The mean of p and what two adaptive maps make of it; ``bit_slot`` int64 [2] keeps where to learn."""
    at = min(2047, max(-2048, d)) + 2048
    i, f = at >> 7, at & 127
    bit_slot[0], bit_slot[1] = i, f
    a = (maps[0, row1, i] * (128 - f) + maps[0, row1, i + 1] * f) >> 7
    b = (maps[1, row2, i] * (128 - f) + maps[1, row2, i + 1] * f) >> 7
    return max(1, min(65535, (2 * p + a + b + 2) >> 2))


@kernel(inline="always")
def _learn_maps(maps: Any, row1: int, row2: int, slot: Any, target: int) -> None:
    i, f = slot[0], slot[1]
    for m in range(2):
        row = row2 if m else row1
        maps[m, row, i] += ((target - maps[m, row, i]) * (128 - f) + 4096) >> 13
        maps[m, row, i + 1] += ((target - maps[m, row, i + 1]) * f + 4096) >> 13


@kernel()
def code(
    consts: Any, state: Any, coder: Any, words: Any, decoding: bool, channel: int, channels: int, count: int,
    mixture: Any, selectors: Any, contexts: Any, checks: Any, colours: Any, rows: Any, values: Any, totals: Any,
) -> None:  # fmt: skip
    """Code one channel of a front.

    Args:
        coder, words: see :mod:`arcomp.coding.binary`; encoding needs room for MOST_DECISIONS / 2 words a value.
        mixture: int32 [count, 3 K + 2]: weights, means (Q8), inverse scales (Q16), base, scale class.
        selectors: int32 [2, count]: class of the channel before's residual, class of the neighbours' residuals.
        contexts: int64 [tables, count], hashed; the address of candidate 0. checks: int32 [tables, count], 0 .. 255.
        colours: uint8 [65536, 32], a lattice (:mod:`arcomp.coding.lattice`), or without rows; rows: int32 [count],
            which rows of it hold for the third channel.
        values: int32 [count], given or found.
        totals: float64 [2], added to: bits of the decisions, bits under the mixture alone.
    """
    k = (mixture.shape[1] - 2) // 3
    nt = consts.tables
    mask = state.counters.shape[1] - 1
    counters, weights, logistic = state.counters, state.weights, consts.logistic
    set2 = channels * NODES
    set3 = set2 + channels * SCALES * 8
    set4 = set3 + channels * RESIDUALS * RESIDUALS * 4
    components = np.empty((3, k), np.int64)
    x = np.zeros((1, LANES), np.int32)
    x[0, nt + 1] = CONSTANT
    at = np.empty(nt, np.int64)
    slot = np.zeros(2, np.int64)
    restricted = channel == 2 and colours.shape[0] > 0
    edges = np.empty(257, np.int64)
    pixels = state.pixels[0]
    rate = consts.last_rate + (consts.first_rate - consts.last_rate) * 2000 // (2000 + pixels)
    half = all_words(np.int32(1 << 13))
    down = all_words(np.int32(14))
    for i in range(count):
        for j in range(k):
            components[0, j] = mixture[i, j]
            components[1, j] = mixture[i, k + j]
            components[2, j] = mixture[i, 2 * k + j]
        base = np.int64(mixture[i, 3 * k])
        scale = np.int64(mixture[i, 3 * k + 1])
        value = np.int64(values[i])
        if restricted:
            off = ((state.pixels[2] + 1) << 16) // (state.pixels[1] + 64)
            _restrict(components, k, logistic, colours[rows[i]], min(1 << 16, off), edges)
            bottom, top = edges[0], edges[256]
        else:
            bottom = _mass(0, components, k, logistic)
            top = _mass(256, components, k, logistic)
        below, above = bottom, top
        row2 = set2 + (channel * SCALES + scale) * 8
        row3 = set3 + ((channel * RESIDUALS + selectors[0, i]) * RESIDUALS + selectors[1, i]) * 4
        low, high = np.int64(0), np.int64(256)
        middle, phase, side, outward, step, node, kind = base, 0, 0, 0, 0, 0, 0
        while high - low > 1:
            here = edges[middle] if restricted else _mass(middle, components, k, logistic)
            a = above - here + 7 * (high - middle) + 16
            b = here - below + 7 * (middle - low) + 16
            expert = _ln(a, consts.mantissa, consts.power) - _ln(b, consts.mantissa, consts.power)
            x[0, 0] = max(-EXPERT_LIMIT, min(EXPERT_LIMIT, expert))
            row4 = channel * 3 + min(2, phase)
            offset = ((middle - (1 if phase and side else 0)) << 4) + kind
            for j in range(nt):
                address = (contexts[j, i] + offset) & mask
                at[j] = address
                e = np.int64(counters[j, address])
                check = np.int64(checks[j, i]) << 6
                if (e & 0x3FC0) != check:
                    e = (1 << 31) | check
                    counters[j, address] = e
                seen = e & 63
                x[0, 1 + j] = (consts.stretch[e >> 20] * consts.confidence[seen]) >> 8
                if j < 3:
                    row4 = row4 * 4 + (0 if seen == 0 else 1 if seen < 4 else 2 if seen < 16 else 3)
            r1 = channel * NODES + node
            r2 = row2 + min(7, outward)
            r3 = row3 + min(3, outward)
            r4 = set4 + row4
            inputs = load_words(x, 0, 0)
            w1, w2 = load_words(weights, r1, 0), load_words(weights, r2, 0)
            w3, w4 = load_words(weights, r3, 0), load_words(weights, r4, 0)
            d = np.int64(sum_of_words(inputs * (w1 + w2 + w3 + w4))) >> WEIGHT_BITS
            d = max(-SUM_LIMIT, min(SUM_LIMIT, d))
            mixed = np.int64(consts.squash[d + SUM_LIMIT + 1])
            p = mixed
            map1 = r1 * 32 + scale
            map2 = r1 * 32 + selectors[0, i] * 3 + selectors[1, i] // 3
            if consts.refine:
                p = _refined(state.maps, mixed, d, map1, map2, slot)
            if decoding:
                bit = decode_bit(coder, words, p)
            else:
                bit = 1 if value >= middle else 0
                encode_bit(coder, words, bit, p)
                totals[0] += consts.cost[p if bit else 65536 - p]
            if consts.refine:
                _learn_maps(state.maps, map1, map2, slot, 65535 if bit else 0)
            gradient = all_words(np.int32((((bit << 16) - mixed) * rate) >> 10))
            change = shift_words(gradient * inputs + half, down)
            store_words(weights, r1, 0, w1 + change)
            store_words(weights, r2, 0, w2 + change)
            store_words(weights, r3, 0, w3 + change)
            store_words(weights, r4, 0, w4 + change)
            target = 262143 if bit else 0
            for j in range(nt):
                e = np.int64(counters[j, at[j]])
                seen = e & 63
                q = e >> 14
                q += ((target - q) * consts.rate[seen]) >> 16
                if seen < consts.limit:
                    seen += 1
                counters[j, at[j]] = (q << 14) | (e & 0x3FC0) | seen
            if bit:
                low, below = middle, here
            else:
                high, above = middle, here
            middle, phase, side, outward, step, node, kind = _next(bit, low, high, base, phase, side, outward, step)
        values[i] = low
        if restricted:
            state.pixels[1] += 1
            state.pixels[2] += 1 - ((np.int64(colours[rows[i], low >> 3]) >> (low & 7)) & 1)
        if not decoding:
            totals[1] -= np.log2((above - below + 7) / (top - bottom + 7 * 256))
    if channel == channels - 1:
        state.pixels[0] += count
