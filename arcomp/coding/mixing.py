"""A stage that learns from the picture while it is coded: binary logistic mixing of a mixture of logistics with
statistics of exact values, in integers.

Mahoney 2005, "Adaptive weighing of context models for lossless data compression" (PAQ): each symbol becomes a sequence
of binary decisions (:mod:`arcomp.coding.decisions`); for each, several predictions are taken to the logistic domain,
summed with weights that contexts select, and the weights follow the gradient of the code length. Here one prediction is
the model's mixture; the others are counters found by hashing a context, a candidate value and the kind of decision.

A counter belongs to a candidate *value*, not to a distance from the base, so that statistics are shared by all bases.

Encoder and decoder run the same :func:`code`; encoding is given the values, decoding finds them. What is learnt from a
decision serves the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.binary import decode_bit, encode_bit
from arcomp.coding.decisions import LOGIT_LIMIT, NODES, SHARE, mass, mixture_logit, next_decision, restrict
from arcomp.coding.levels import LEVELS
from arcomp.exact import tables
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned, all_words, load_words, shift_words, store_words, sum_of_words

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]

SCALES = 16
"""Number of classes of the mixture's scale."""
RESIDUALS = 9
"""Number of classes of a neighbouring residual."""
LANES = 16
"""Number of inputs that are mixed; unused ones are 0."""
WEIGHT_BITS = 16
SUM_LIMIT = 3071
CONSTANT = 77
"""The input that does not change: 0.3 in the logistic domain."""


@dataclass(frozen=True)
class StageSettings:
    """Settings of the mixing stage.

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


STAGES = {"cheap": StageSettings(5, 16, False), "full": StageSettings(7, 18, True), "deep": StageSettings(7, 20, True)}


class Constants(NamedTuple):
    """Tables of integers, the same for all pictures; and the settings as numbers."""

    logistic: Int32
    """[6145]: 2**24 times the logistic function of -12 .. 12, in steps of 1/256."""
    squash: Int32
    """[6145]: the same in 16 bits, 1 .. 65535."""
    stretch: Int32
    """[4096]: 256 times the logarithm of the odds of a probability in 12 bits."""
    mantissa: Int32
    """[256]: 256 ln(1 + (i + 1/2) / 256)."""
    power: Int32
    """[25]: 256 ln(2**i)."""
    rate: Int32
    """[64]: of a counter by its count, Q16."""
    confidence: Int32
    """[64]: what a counter's prediction is multiplied by, by its count, Q8."""
    cost: npt.NDArray[np.float64]
    """[65536]: bits of a decision by its probability; for the report, not for coding."""
    tables: int
    limit: int
    refine: bool
    first_rate: int
    last_rate: int
    channels: int


class State(NamedTuple):
    """What has been learnt from the picture so far."""

    counters: UInt32
    """[tables, entries]: probability 18 bits, check 8, count 6."""
    weights: Int32
    """[rows, LANES], Q16."""
    maps: Int32
    """[2, rows, 33]."""
    pixels: Int64
    """[3]: pixels coded; third-channel values checked against the lattice; of these, how many were off it."""


class Workspace(NamedTuple):
    """What :func:`code` works in, a value at a time."""

    components: Int64
    """[3, K]: weights, means, inverse scales."""
    edges: Int64
    """[LEVELS + 1]: masses below the values; only the first and the last are filled, unless on a lattice."""
    own: Int64
    """[5]: first row in weight sets 1 to 3; scale class; combined residual class."""
    inputs: Int32
    """[1, LANES]: what is mixed: the mixture, the counters, CONSTANT."""
    at: Int64
    """[tables]: addresses of the decision's counters."""
    slot: Int64
    """[2]: its map cell and interpolation weight."""
    rows: Int64
    """[4]: its row in each set of weights."""


def workspace(settings: StageSettings, components: int) -> Workspace:
    """For mixtures of so many components."""
    inputs: Int32 = aligned((1, LANES), np.int32)
    inputs[0, settings.tables + 1] = CONSTANT
    return Workspace(
        np.zeros((3, components), np.int64), np.zeros(LEVELS + 1, np.int64), np.zeros(5, np.int64), inputs,
        np.zeros(settings.tables, np.int64), np.zeros(2, np.int64), np.zeros(4, np.int64),
    )  # fmt: skip


class Stage(NamedTuple):
    """One strip's mixing stage."""

    constants: Constants
    state: State
    workspace: Workspace


class FrontData(NamedTuple):
    """One channel of one front of at most n pixels: what is known of its values, and the values."""

    mixture: Int32
    """[n, 3 K + 2]: weights (2**16 in all), means (Q8), inverse scales (Q16), rounded mean, class of the scale."""
    selectors: Int32
    """[2, n]: class of the channel before's residual, class of the neighbours' residuals; 0 .. 8."""
    contexts: Int64
    """[tables, n]: hashed contexts; the address of candidate 0."""
    checks: Int32
    """[tables, n]: 0 .. 255, to tell contexts with equal addresses apart."""
    colours: npt.NDArray[np.uint8]
    """[65536, 32]: a lattice (:mod:`arcomp.coding.lattice`), or [0, 32]."""
    lattice_rows: Int32
    """[n]: the row of the lattice that holds for the third channel."""
    values: Int32
    """[channels, n]: levels; given in encoding, found in decoding."""
    costs: npt.NDArray[np.float32]
    """[n]: set in encoding to the bits of each value's decisions; or [0]."""
    totals: npt.NDArray[np.float64]
    """[2], added to in encoding: bits of the decisions, bits under the mixture alone."""


def new_stage(settings: StageSettings, channels: int, components: int, weights: Int32 | None = None) -> Stage:
    """The stage before the first decision.

    Args:
        components: K of the mixtures. weights: int32 [rows, LANES] to start from, or all weight on the mixture.
    """
    return Stage(
        constants(settings, channels), initial_state(settings, channels, weights), workspace(settings, components)
    )


def weight_rows(channels: int) -> int:
    """Rows of weights: four sets one after the other."""
    return channels * (NODES + SCALES * 8 + RESIDUALS * RESIDUALS * 4 + 3 * 64)


def constants(settings: StageSettings, channels: int = 1) -> Constants:
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
        np.clip(tables.stretch(), -LOGIT_LIMIT, LOGIT_LIMIT).astype(np.int32),
        tables.mantissa_logarithm(),
        tables.power_logarithm(),
        rate.astype(np.int32),
        confidence.astype(np.int32),
        -np.log2(probabilities / 65536),
        settings.tables, settings.limit, settings.refine, settings.first_rate, settings.last_rate, channels,
    )  # fmt: skip


def initial_state(settings: StageSettings, channels: int, weights: Int32 | None = None) -> State:
    """The state before the first decision; ``weights`` int32 [rows, LANES] to start from, or none."""
    counters = aligned((settings.tables, 1 << settings.bits), np.uint32)
    counters[:] = 1 << 31
    started: Int32 = aligned((weight_rows(channels), LANES), np.int32)
    if weights is None:
        started[: channels * NODES, 0] = 1 << WEIGHT_BITS
    else:
        started[:] = weights
    rows = channels * NODES * 32 if settings.refine else 1
    squash = constants(settings).squash
    at = np.clip((np.arange(33) - 16) * 128 + SUM_LIMIT + 1, 0, 2 * SUM_LIMIT + 2)
    maps = np.broadcast_to(squash[at].astype(np.int32), (2, rows, 33)).copy()
    return State(counters, started, maps, np.zeros(3, np.int64))


def memory(settings: StageSettings) -> int:
    """Bytes of a state."""
    return (settings.tables * 4 << settings.bits) + (2 << 20)


@kernel(inner=True)
def _refined(maps: Any, p: Any, d: Any, row1: Any, row2: Any, slot: Any) -> Any:
    """The mean of p and what two adaptive maps make of it; ``slot`` int64 [2] keeps where to learn."""
    at = min(2047, max(-2048, d)) + 2048
    i, f = at >> 7, at & 127
    slot[0], slot[1] = i, f
    a = (maps[0, row1, i] * (128 - f) + maps[0, row1, i + 1] * f) >> 7
    b = (maps[1, row2, i] * (128 - f) + maps[1, row2, i + 1] * f) >> 7
    return max(1, min(65535, (2 * p + a + b + 2) >> 2))


@kernel(inner=True)
def _update_maps(maps: Any, row1: int, row2: int, slot: Any, target: int) -> None:
    i, f = slot[0], slot[1]
    for m in range(2):
        row = row2 if m else row1
        maps[m, row, i] += ((target - maps[m, row, i]) * (128 - f) + 4096) >> 13
        maps[m, row, i + 1] += ((target - maps[m, row, i + 1]) * f + 4096) >> 13


@kernel(inner=True)
def _look_up(stage: Any, front: Any, i: Any, offset: Any) -> int:
    """Look up every table's counter for a decision: writes addresses and inputs into the workspace; returns a 6-bit
    class of how often the first three counters were updated."""
    consts, counters, x, at = stage.constants, stage.state.counters, stage.workspace.inputs, stage.workspace.at
    classes = 0
    mask = counters.shape[1] - 1
    for j in range(consts.tables):
        address = (front.contexts[j, i] + offset) & mask
        at[j] = address
        e = np.int64(counters[j, address])
        check = np.int64(front.checks[j, i]) << 6
        if (e & 0x3FC0) != check:  # another context's: start anew
            e = (1 << 31) | check
            counters[j, address] = e
        seen = e & 63
        x[0, 1 + j] = (consts.stretch[e >> 20] * consts.confidence[seen]) >> 8
        if j < 3:
            classes = classes * 4 + (0 if seen == 0 else 1 if seen < 4 else 2 if seen < 16 else 3)
    return classes


@kernel(inner=True)
def _count(stage: Any, bit: int) -> None:
    """Tell the counters what was decided."""
    consts, counters, at = stage.constants, stage.state.counters, stage.workspace.at
    target = 262143 if bit else 0
    for j in range(consts.tables):
        e = np.int64(counters[j, at[j]])
        seen = e & 63
        p = e >> 14
        p += ((target - p) * consts.rate[seen]) >> 16
        counters[j, at[j]] = (p << 14) | (e & 0x3FC0) | min(consts.limit, seen + 1)


@kernel(inner=True)
def _mix(weights: Any, x: Any, rows: Any) -> Any:
    """The inputs' sum with the sum of four rows of weights, 256 times a logarithm of odds."""
    w = load_words(weights, rows[0], 0) + load_words(weights, rows[1], 0)
    w = w + load_words(weights, rows[2], 0) + load_words(weights, rows[3], 0)
    d = np.int64(sum_of_words(load_words(x, 0, 0) * w)) >> WEIGHT_BITS
    return max(-SUM_LIMIT, min(SUM_LIMIT, d))


@kernel(inner=True)
def _descend(weights: Any, x: Any, rows: Any, gradient: Any) -> None:
    """One step of all four rows down the gradient of the code length."""
    half, down = all_words(np.int32(1 << 13)), all_words(np.int32(14))
    change = shift_words(all_words(np.int32(gradient)) * load_words(x, 0, 0) + half, down)
    for s in range(4):
        store_words(weights, rows[s], 0, load_words(weights, rows[s], 0) + change)


@kernel(inner=True)
def code(stage: Any, coder: Any, front: Any, decoding: bool, channel: int, count: int) -> None:
    """Code one channel of a front.

    Args:
        stage: record of a :class:`Stage`.
        coder: record of a :class:`arcomp.coding.binary.Coder`; encoding needs MOST_DECISIONS / 2 words for a value.
        front: record of a :class:`FrontData`. count: its pixels.
    """
    consts, workspace, pixels = stage.constants, stage.workspace, stage.state.pixels
    components, edges, own = workspace.components, workspace.edges, workspace.own
    mixture, selectors, colours, totals = front.mixture, front.selectors, front.colours, front.totals
    values, costs = front.values[channel], front.costs
    k = components.shape[1]
    restricted = channel == 2 and colours.shape[0] > 0
    rate = consts.last_rate + (consts.first_rate - consts.last_rate) * 2000 // (2000 + pixels[0])
    set2 = consts.channels * NODES
    set3 = set2 + consts.channels * SCALES * 8
    for i in range(count):
        for j in range(k):
            components[0, j] = mixture[i, j]
            components[1, j] = mixture[i, k + j]
            components[2, j] = mixture[i, 2 * k + j]
        own[3] = mixture[i, 3 * k + 1]
        own[4] = selectors[0, i] * 3 + selectors[1, i] // 3
        own[0] = channel * NODES
        own[1] = set2 + (channel * SCALES + own[3]) * 8
        own[2] = set3 + ((channel * RESIDUALS + selectors[0, i]) * RESIDUALS + selectors[1, i]) * 4
        edges[0], edges[LEVELS] = 0, 1 << 24
        if restricted:
            off = ((pixels[2] + 1) << 16) // (pixels[1] + 64)
            restrict(components, consts.logistic, colours[front.lattice_rows[i]], min(1 << 16, off), edges)
        before = totals[0]
        value = _value(stage, coder, front, decoding, channel, i, rate)
        values[i] = value
        if costs.shape[0]:
            costs[i] = totals[0] - before
        if restricted:
            pixels[1] += 1
            pixels[2] += 1 - ((np.int64(colours[front.lattice_rows[i], value >> 3]) >> (value & 7)) & 1)
    if channel == consts.channels - 1:
        pixels[0] += count


@kernel(inner=True)
def _value(stage: Any, coder: Any, front: Any, decoding: bool, channel: Any, i: Any, rate: Any) -> Any:
    """Code one value, decision after decision; returns it. The workspace holds the mixture, the masses below the
    first value and of all (on a lattice, below each value), and the first rows of the value's weights."""
    consts, state, workspace = stage.constants, stage.state, stage.workspace
    components, edges, own, logistic = workspace.components, workspace.edges, workspace.own, consts.logistic
    x, slot, rows = workspace.inputs, workspace.slot, workspace.rows
    weights, maps, squash, totals = state.weights, state.maps, consts.squash, front.totals
    restricted = channel == 2 and front.colours.shape[0] > 0
    value, base = np.int64(front.values[channel, i]), np.int64(front.mixture[i, 3 * components.shape[1]])
    set4 = consts.channels * (NODES + SCALES * 8 + RESIDUALS * RESIDUALS * 4)
    below, above = edges[0], edges[LEVELS]
    low, high = np.int64(0), np.int64(LEVELS)
    middle, phase, side, outward, step, node, kind = base, 0, 0, 0, 0, 0, 0
    while high - low > 1:
        here = edges[middle] if restricted else mass(middle, components, logistic)
        x[0, 0] = mixture_logit((below, here, above), (low, middle, high), consts.mantissa, consts.power)
        offset = ((middle - (1 if phase and side else 0)) << 4) + kind
        classes = _look_up(stage, front, i, offset)
        rows[0] = own[0] + node
        rows[1] = own[1] + min(7, outward)
        rows[2] = own[2] + min(3, outward)
        rows[3] = set4 + (channel * 3 + min(2, phase)) * 64 + classes
        d = _mix(weights, x, rows)
        mixed = np.int64(squash[d + SUM_LIMIT + 1])
        map1, map2 = rows[0] * 32 + own[3], rows[0] * 32 + own[4]
        p = _refined(maps, mixed, d, map1, map2, slot) if consts.refine else mixed
        if decoding:
            bit = decode_bit(coder, p)
        else:
            bit = 1 if value >= middle else 0
            encode_bit(coder, bit, p)
            totals[0] += consts.cost[p if bit else 65536 - p]
        if consts.refine:
            _update_maps(maps, map1, map2, slot, 65535 if bit else 0)
        _descend(weights, x, rows, (((bit << 16) - mixed) * rate) >> 10)
        _count(stage, bit)
        if bit:
            low, below = middle, here
        else:
            high, above = middle, here
        middle, phase, side, outward, step, node, kind = next_decision(
            bit, low, high, base, phase, side, outward, step
        )  # fmt: skip
    if not decoding:
        totals[1] -= np.log2((above - below + SHARE) / (edges[LEVELS] - edges[0] + SHARE * LEVELS))
    return low
