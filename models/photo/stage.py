"""The mixing stage of ``photo``: a value as decisions, each mixed of the network's opinion and of counts.

The network's mixture says of each decision (:mod:`arcomp.coding.decisions`) how likely it is; that is the one expert of
:mod:`arcomp.coding.mixing`. A counter belongs to a candidate *value*, not to a distance from the base, so that
statistics are shared by all bases. What is declared here is which rows of weights and maps a decision uses.

Of samples of more than 8 bits the lowest bits are equally likely where noise is wider than they are
(:func:`arcomp.models.photo.depth.even_bits`): they follow the decisions, which are about what is above them.

Encoder and decoder run the same :func:`code`; encoding is given the values, decoding finds them. What is learnt from a
decision serves the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding import mixing
from arcomp.coding.binary import Coder, close, decode, encode, opened
from arcomp.coding.decisions import NODES, SHARE, mass_before, mixture_logit, next_decision, restrict
from arcomp.coding.levels import LEVELS
from arcomp.exact import tables
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import all_words, load_words, with_word
from arcomp.exact.records import Fixed
from arcomp.models.photo.depth import Depth, even_bits
from arcomp.models.photo.direct import Direct
from arcomp.models.photo.planes import Int32, Int64

SCALES = 16
"""Number of classes of the mixture's scale."""
RESIDUALS = 9
"""Number of classes of a neighbouring residual."""
OUTWARD, NEAR_OUTWARD = 8, 4
"""Numbers of outward steps that are told apart by the second and the third set of weights."""
PHASES = 3
FAMILIAR = 3
"""Tables whose counts choose a row of the last set of weights."""
MAP_CLASSES = 32
"""Rows of a map for each node."""
COUNTERS, LEAST_BITS = 16, 10
"""Of a context: so many for each value, but not fewer than a power of two."""


_SMALL = 1e-80
"""Products of probabilities stay above its square."""


@dataclass(frozen=True)
class StageSettings:
    """Settings of the mixing stage.

    Attributes:
        tables: contexts that are counted.
        bits: log2 of the counters of a context, at most.
        refine: correct the result by two adaptive maps.
    """

    tables: int
    bits: int
    refine: bool

    def shape(self, channels: int, pixels: int) -> mixing.Shape:
        """Rows by node; by scale and outward steps; by residuals and outward steps; by phase and counts. Maps by node
        and scale; by node and residuals. Counters for so many pixels: small pictures need few."""
        bits = max(LEAST_BITS, min(self.bits, (COUNTERS * channels * pixels).bit_length() - 1))
        each = (NODES, SCALES * OUTWARD, RESIDUALS**2 * NEAR_OUTWARD, PHASES * 4**FAMILIAR)
        maps = (channels * NODES * MAP_CLASSES,) * (2 if self.refine else 0)
        return mixing.Shape(self.tables, bits, tuple(channels * rows for rows in each), maps)


STAGES = {"cheap": StageSettings(6, 18, False), "full": StageSettings(7, 20, True), "deep": StageSettings(7, 22, True)}
DIRECT = "direct"
"""The name of having no mixing stage (:mod:`arcomp.models.photo.direct`)."""


class Stage(NamedTuple):
    """One strip's mixing stage."""

    mixer: mixing.Mixer
    starts: Int64
    """[4]: the first row of each set of weights; [2]: of each map."""
    logistic: Int32
    """[6145]: 2**24 times the logistic function of -12 .. 12, in steps of 1/256."""
    mantissa: Int32
    """[256]: 256 ln(1 + (i + 1/2) / 256)."""
    power: Int32
    """[25]: 256 ln(2**i)."""
    edges: Int64
    """[LEVELS + 1], workspace: on a lattice, masses below the values."""
    pixels: Int64
    """[3]: pixels coded; third-channel values checked against the lattice; of these, how many were off it."""
    channels: int
    components: int
    """K of the mixtures."""


class Coding(NamedTuple):
    """What codes a strip's decisions. It stands by itself: kernels without it are the same for all stages."""

    stage: Stage | Direct
    coder: Coder


class FrontData(NamedTuple):
    """One channel of one front of at most n pixels: what is known of its values, and the values."""

    mixture: Int32
    """[n, 3 K + 2]: weights (2**16 in all), means (Q8), inverse scales (Q16), rounded mean, class of the scale."""
    selectors: Int32
    """[n, 2]: class of the channel before's residual, class of the neighbours' residuals; 0 .. 8."""
    contexts: Int32
    """[n, LANES]: hashed contexts; the address of candidate 0."""
    checks: Int32
    """[n, LANES]: 0 .. 255, shifted left by 6, to tell contexts with equal addresses apart."""
    colours: npt.NDArray[np.uint8]
    """[65536, 32]: a lattice (:mod:`arcomp.coding.lattice`), or [0, 32]."""
    lattice_rows: Int32
    """[n]: the row of the lattice that holds for the third channel."""
    values: Int32
    """[channels, n]: samples; given in encoding, found in decoding."""
    scale: Int32
    """[channels, n]: their mean errors, Q8."""
    depth: Depth
    costs: npt.NDArray[np.float32]
    """[n]: set in encoding to the bits of each value's decisions; or [0]."""
    totals: npt.NDArray[np.float64]
    """[2], added to in encoding: bits of the decisions, bits under the mixture alone."""
    tables: int
    """Contexts that are counted."""


def new_stage(
    settings: StageSettings, channels: int, pixels: int, components: int, weights: Int32 | None = None
) -> Stage:
    """The stage before the first decision.

    Args:
        pixels: that will be coded. components: K of the mixtures.
        weights: int32 [rows, LANES] to start from, or all weight on the mixture.
    """
    shape = settings.shape(channels, pixels)
    starts = (*shape.set_starts, 0, channels * NODES * MAP_CLASSES)
    return Stage(
        mixing.new_mixer(shape, weights),
        np.array(starts, np.int64),
        tables.fine_logistic(),
        tables.mantissa_logarithm(),
        tables.power_logarithm(),
        np.zeros(LEVELS + 1, np.int64),
        np.zeros(3, np.int64),
        channels,
        Fixed(components),
    )


@kernel(inner=True)
def code(stage: Any, coder: Any, front: Any, decoding: bool, channel: int, count: int) -> None:
    """Code one channel of a front.

    Args:
        stage: record of a :class:`Stage`.
        coder: record of a :class:`arcomp.coding.binary.Coder`; encoding needs MOST_DECISIONS / 2 words for a value.
        front: record of a :class:`FrontData`. count: its pixels.
    """
    pixels, edges, mixture = stage.pixels, stage.edges, front.mixture
    colours, totals, costs = front.colours, front.totals, front.costs
    base_at = 3 * stage.components
    restricted = channel == 2 and colours.shape[0] > 0
    rate = mixing.learning_rate(stage.mixer, pixels[0])
    numbers, shares = opened(coder), (1.0, 1.0)
    for i in range(count):
        following = min(i + 1, count - 1)
        its_even = even_bits(front.scale[channel, following], front.depth)
        ahead, its_base = load_words(front.contexts, following, 0), (mixture[following, base_at] >> its_even) << 4
        mixing.fetch(stage.mixer, ahead, its_base)
        mixing.fetch(stage.mixer, ahead, its_base + 17)
        mixing.fetch(stage.mixer, ahead, its_base - 30)
        if restricted:
            off = ((pixels[2] + 1) << 16) // (pixels[1] + 64)
            allowed = colours[front.lattice_rows[i]]
            restrict(mixture[i], stage.components, stage.logistic, allowed, min(1 << 16, off), edges)
        value, numbers, own = _value(stage, coder, numbers, front, decoding, channel, i, rate)
        front.values[channel, i] = value
        shares = (shares[0] * own[0], shares[1] * own[1])
        if costs.shape[0]:
            costs[i] = -np.log2(own[0])
        if min(shares[0], shares[1]) < _SMALL or i == count - 1:  # a logarithm for each value would take longer
            totals[0] -= np.log2(shares[0])
            totals[1] -= np.log2(shares[1])
            shares = (1.0, 1.0)
        if restricted:
            pixels[1] += 1
            pixels[2] += 1 - ((np.int64(colours[front.lattice_rows[i], value >> 3]) >> (value & 7)) & 1)
    close(coder, numbers)
    if channel == stage.channels - 1:
        pixels[0] += count


@kernel(inline="always")
def _value(
    stage: Any, coder: Any, numbers: Any, front: Any, decoding: bool, channel: Any, i: Any, rate: Any
) -> Any:  # fmt: skip
    """Code one value, decision after decision; returns it, the coder's numbers, and, in encoding, the value's
    probability: the product of its decisions', and the mixture's."""
    mixer, starts, edges, logistic, depth = stage.mixer, stage.starts, stage.edges, stage.logistic, front.depth
    mixture, k = front.mixture[i], stage.components
    restricted = channel == 2 and front.colours.shape[0] > 0
    contexts, checks = load_words(front.contexts, i, 0), load_words(front.checks, i, 0)
    value, base, scale = np.int64(front.values[channel, i]), np.int64(mixture[3 * k]), np.int64(mixture[3 * k + 1])
    even = even_bits(front.scale[channel, i], depth)
    levels, places, half = (depth.highest >> even) + 1, 8 - depth.shift + even, 128 >> depth.shift
    wanted, base = value >> even, max(np.int64(1), min(levels - 1, base >> even))
    before, around = np.int64(front.selectors[i, 0]), np.int64(front.selectors[i, 1])
    by_node = channel * NODES
    by_scale = starts[1] + (channel * SCALES + scale) * OUTWARD
    by_residuals = starts[2] + ((channel * RESIDUALS + before) * RESIDUALS + around) * NEAR_OUTWARD
    by_counts = starts[3] + channel * PHASES * 64
    second_map = starts[5] + before * 3 + around // 3
    below, above = (edges[0], edges[LEVELS]) if restricted else (np.int64(0), np.int64(1 << 24))
    whole = above - below
    low, high = np.int64(0), np.int64(levels)
    middle, phase, side, outward, step, node, kind = base, 0, 0, 0, 0, 0, 0
    share = 1.0
    while high - low > 1:
        here = edges[middle] if restricted else mass_before((middle << places) - half, mixture, k, logistic)
        says = mixture_logit((below, here, above), (low, middle, high), stage.mantissa, stage.power)
        offset = ((middle - (1 if phase and side else 0)) << 4) + kind
        found = mixing.find(mixer, with_word(all_words(np.int32(0)), 0, says), contexts, checks, offset)
        rows = with_word(all_words(np.int32(0)), 0, by_node + node)
        rows = with_word(rows, 1, by_scale + min(7, outward))
        rows = with_word(rows, 2, by_residuals + min(3, outward))
        rows = with_word(rows, 3, by_counts + phase * 64 + mixing.familiarity(mixer, found, FAMILIAR))
        rows = with_word(rows, 4, (by_node + node) * MAP_CLASSES + scale)
        rows = with_word(rows, 5, (by_node + node) * MAP_CLASSES + second_map)
        said = mixing.predict(mixer, found, rows)
        if decoding:
            bit, numbers = decode(coder, numbers, said[0])
        else:
            bit = 1 if wanted >= middle else 0
            numbers = encode(coder, numbers, bit, said[0])
            share *= float(said[0] if bit else 65536 - said[0]) * (1.0 / 65536.0)
        mixing.learn(mixer, found, rows, said, bit, rate)
        if bit:
            low, below = middle, here
        else:
            high, above = middle, here
        middle, phase, side, outward, step, node, kind = next_decision(
            bit, low, high, base, phase, side, outward, step
        )  # fmt: skip
    known = float(above - below + SHARE) / float(whole + SHARE * levels)
    for at in range(even - 1, -1, -1):
        if decoding:
            bit, numbers = decode(coder, numbers, 1 << 15)
        else:
            bit = (value >> at) & 1
            numbers = encode(coder, numbers, bit, 1 << 15)
        share, known = 0.5 * share, 0.5 * known
        low = low * 2 + bit
    return low, numbers, (share, known)
