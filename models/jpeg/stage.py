"""The mixing stage of ``jpeg``: ends of blocks and coefficients as decisions, each mixed of the network and of counts.

A coefficient: is it 0 (not asked of the last that is not); is it positive; then, of its magnitude, outwards in steps of
1, six times, then 2, 4, 8, ... until it is passed, then halving. The end of a block: six decisions, halving 64 places.
The network (or two) says of each how likely it is, an expert of :mod:`arcomp.coding.mixing`; what is declared here is
which rows of weights and maps a decision uses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding import mixing
from arcomp.coding.binary import Coder, decode, encode
from arcomp.coding.decisions import mass, mixture_logit
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned, all_words, load_words, with_word, word
from arcomp.models.jpeg.contexts import OPINIONS, hash_end
from arcomp.models.jpeg.exact import COMPONENTS, ENDS
from arcomp.models.jpeg.planes import NEAR_ENDS, PLACES
from arcomp.models.jpeg.tables import Int32, Int64

MOST = 4096
"""Magnitudes are below it: a coefficient and what DC is coded as the difference from have 11 bits each."""
MOST_DECISIONS = 36
"""More than the decisions of any coefficient, or of the end of a block."""
NODES = 32
"""Places in the sequence of a coefficient's decisions that are told apart."""
SINGLE, HALVING = 6, 20
"""Steps of 1; node of the first halving."""
AROUND, NEAR_NODES, SUMS, MIDDLES, COUNTS = 16, 16, 8, 32, 16
"""Numbers of classes."""
_END_SETS = (2 * ENDS, 2 * ENDS * 16, 2 * ENDS, 2 * ENDS, 2 * ENDS)
_SETS = (NODES * PLACES, 2 * NODES * AROUND, NEAR_NODES * 2 * NEAR_ENDS * SUMS, 2 * NODES * MIDDLES, 2 * NODES * COUNTS)
_MAPS = (PLACES * 8, NEAR_NODES * AROUND * NEAR_ENDS)
_END_MAPS = (2 * ENDS, 2 * ENDS * 16)
_SMALL = 1e-80


class Stage(NamedTuple):
    """One strip's mixing stage."""

    mixer: mixing.Mixer
    contexts: Int32
    """[4, LANES], workspace: hashes of a coefficient's contexts, and what tells those with equal addresses apart; the
    same of the next coefficient, whose counters are fetched from memory meanwhile."""
    starts: Int64
    """[7]: the first row of each set of weights and of each map."""
    done: Int64
    """[1]: symbols coded."""
    cumulated: Int64
    """[65], workspace: masses of the ends below each."""
    totals: npt.NDArray[np.float64]
    """[2]: product of the probabilities coded since the last logarithm; bits before it."""


class Coding(NamedTuple):
    """What codes a strip's decisions."""

    stage: Stage
    coder: Coder


def shape(tables: int, bits: int, experts: int) -> mixing.Shape:
    """Rows by node and place; by node and neighbours; by node, distance to the end and what is around; by node and
    prediction; by node and count so far. Maps by node and place; by node, neighbours and distance. After each, those
    for ends of blocks."""
    sets = tuple(a + b for a, b in zip(_SETS, _END_SETS, strict=True))
    maps = tuple(a + b for a, b in zip(_MAPS, _END_MAPS, strict=True))
    return mixing.Shape(tables, bits, sets, maps, experts, first_rate=98, last_rate=20)


def new_stage(own: mixing.Shape) -> Stage:
    """The stage before the first decision."""
    return Stage(
        mixing.new_mixer(own),
        aligned((4, mixing.LANES), np.int32),
        np.array([*own.set_starts, 0, own.maps[0]], np.int64),
        np.zeros(1, np.int64),
        np.zeros(ENDS + 1, np.int64),
        np.array([1.0, 0.0]),
    )


def bits(stage: Stage) -> float:
    """Of all that was encoded."""
    return float(stage.totals[1] - np.log2(stage.totals[0]))


@kernel(inline="always")
def _add(stage: Any, share: Any) -> None:
    """Count a symbol of this probability."""
    totals = stage.totals
    totals[0] *= share
    if totals[0] < _SMALL:
        totals[1] -= np.log2(totals[0])
        totals[0] = 1.0


@kernel(inline="always")
def _decide(
    coding: Any, hashed: Any, numbers: Any, says: Any, node: Any, rows: Any, bit: Any, rate: Any
) -> Any:  # fmt: skip
    """Code a decision.

    Args:
        hashed: contexts and checks. says: of both experts. bit: -1 in decoding.

    Returns:
        the decision, the coder's numbers, its probability.
    """
    mixer, coder, (contexts, checks) = coding.stage.mixer, coding.coder, hashed
    opinion = ((says[0] + 2048) * 3) >> 8
    for j in range(OPINIONS):
        contexts = with_word(contexts, j, word(contexts, j) + opinion * 64)
    experts = with_word(all_words(np.int32(0)), 0, says[0])
    if mixer.experts > 1:
        experts = with_word(experts, 1, says[1])
    found = mixing.find(mixer, experts, contexts, checks, node)
    said = mixing.predict(mixer, found, rows)
    if bit < 0:
        bit, numbers = decode(coder, numbers, said[0])
    else:
        numbers = encode(coder, numbers, bit, said[0])
    share = float(said[0] if bit else 65536 - said[0]) * (1.0 / 65536.0)
    mixing.learn(mixer, found, rows, said, bit, rate)
    return bit, numbers, share


@kernel(inner=True)
def code_end(
    tables: Any, coding: Any, numbers: Any, plane: Any, front: Any, outputs: Any, k: int, decoding: bool
) -> Any:  # fmt: skip
    """Code the end of a block of a front (``front.end``); outputs: int32 [ENDS, columns], logits. Returns the coder's
    numbers."""
    stage = coding.stage
    mean = hash_end(tables, stage, plane, front, k)
    hashed = load_words(stage.contexts, 0, 0), load_words(stage.contexts, 1, 0)
    cumulated, starts = stage.cumulated, stage.starts
    best = outputs[0, k]
    for i in range(1, ENDS):
        best = max(best, outputs[i, k])
    cumulated[0] = 0
    for i in range(ENDS):
        cumulated[i + 1] = cumulated[i] + tables.exponential[min(4095, best - outputs[i, k])]
    rate = mixing.learning_rate(stage.mixer, stage.done[0])
    low, high, node, share = np.int64(0), np.int64(ENDS), np.int64(1), 1.0
    by_node = plane.kind * ENDS
    for _ in range(6):
        middle = (low + high) >> 1
        masses = (cumulated[low], cumulated[middle], cumulated[high])
        says = mixture_logit(masses, (0, 1, 2), tables.log_mantissa, tables.log_power)
        at = by_node + node
        rows = with_word(all_words(np.int32(0)), 0, starts[0] + NODES * PLACES + at)
        rows = with_word(rows, 1, starts[1] + 2 * NODES * AROUND + at * 16 + (mean >> 2))
        rows = with_word(rows, 2, starts[2] + NEAR_NODES * 2 * NEAR_ENDS * SUMS + at)
        rows = with_word(rows, 3, starts[3] + 2 * NODES * MIDDLES + at)
        rows = with_word(rows, 4, starts[4] + 2 * NODES * COUNTS + at)
        rows = with_word(rows, 5, starts[5] + PLACES * 8 + at)
        rows = with_word(rows, 6, starts[6] + NEAR_NODES * AROUND * NEAR_ENDS + at * 16 + (mean >> 2))
        bit = np.int64(-1) if decoding else np.int64(front.end[k] >= middle)
        bit, numbers, own = _decide(coding, hashed, numbers, (says, says), node, rows, bit, rate)
        share *= own
        node = node * 2 + bit
        if bit:
            low = middle
        else:
            high = middle
    front.end[k] = low
    stage.done[0] += 1
    _add(stage, share)
    return numbers


@kernel(inline="always")
def _rows(starts: Any, place: Any, kind: Any, node: Any, classes: Any) -> Any:
    """Of weights and maps; classes: neighbours, distance, what is around, prediction, count."""
    around, distance, sums, middle, count = classes
    by_node = kind * NODES + node
    near = min(NEAR_NODES - 1, node)
    rows = with_word(all_words(np.int32(0)), 0, starts[0] + node * PLACES + place)
    rows = with_word(rows, 1, starts[1] + by_node * AROUND + around)
    rows = with_word(rows, 2, starts[2] + ((near * 2 + kind) * NEAR_ENDS + distance) * SUMS + sums)
    rows = with_word(rows, 3, starts[3] + by_node * MIDDLES + middle)
    rows = with_word(rows, 4, starts[4] + by_node * COUNTS + count)
    rows = with_word(rows, 5, starts[5] + place * 8 + min(7, node))
    return with_word(rows, 6, starts[6] + (near * AROUND + around) * NEAR_ENDS + distance)


@kernel(inline="always")
def _masses(tables: Any, workspace: Any, m: Any, mixture: Any, phase: Any, middle: Any, near: Any, far: Any) -> Any:
    """What the mixture says of a decision: the masses below (0), of what is not decided for, and of both; and the one
    that narrows what is left."""
    logistic, c, whole = tables.logistic, COMPONENTS, np.int64(1 << 24)
    if phase == 0:
        here = (workspace.zero[m] << 8) + mass(1, mixture, c, logistic) - mass(0, mixture, c, logistic)
        return (np.int64(0), whole - here, whole), here
    if phase == 1:
        here = mass(0, mixture, c, logistic)
        return (np.int64(0), here, here + mass(0, workspace.mixture[m, 1], c, logistic)), here
    here = max(far, min(near, mass(1 - middle, mixture, c, logistic)))
    return (np.int64(0), near - here, near - far), here


@kernel(inline="always")
def _truth(value: Any, phase: Any, middle: Any) -> Any:
    """What is decided, where the value is known."""
    if phase == 0:
        return np.int64(value == 0)
    return np.int64(value > 0) if phase == 1 else np.int64(abs(value) >= middle)


@kernel(inline="always")
def _next(bit: Any, phase: Any, node: Any, low: Any, high: Any, step: Any, middle: Any) -> Any:
    """After a decision: (phase, node, low, high, step); phase 4 is the end."""
    if phase < 2:
        phase = np.int64(4) if phase == 0 and bit else phase + 1
        return phase, phase, low, high, step
    if bit:
        low = middle
    else:
        high = middle
    if phase == 2 and bit:
        node = min(HALVING - 1, node + 1)
        if low > SINGLE:
            step *= 2
        if low + step >= MOST:
            phase, node = np.int64(3), np.int64(HALVING)
    elif phase == 2:
        phase, node = np.int64(3), np.int64(HALVING)
    else:
        node = min(NODES - 1, node + 1)
    if phase == 3 and high - low <= 1:
        phase = np.int64(4)
    return phase, node, low, high, step


@kernel(inner=True)
def code_coefficient(
    tables: Any, coding: Any, numbers: Any, parts: Any, z: int, m: int, value: int, decoding: bool
) -> Any:  # fmt: skip
    """Code the coefficient at place z of an active block, less its anchor.

    Args:
        parts: the plane, the front, the workspaces of both experts (the same twice, if there is one), what
            :func:`arcomp.models.jpeg.contexts.hash_coefficient` returned of this coefficient.

    Returns:
        the value and the coder's numbers.
    """
    plane, front, workspace, other, (around, sums, prediction) = parts
    stage, slot = coding.stage, m & 1
    hashed = load_words(stage.contexts, 2 * slot, 0), load_words(stage.contexts, 2 * slot + 1, 0)
    k = front.active[m]
    distance, place = front.end[k] - z, 64 * plane.kind + z
    count = min(COUNTS - 1, front.seen[k, 0])
    classes = (around, min(NEAR_ENDS - 1, distance), min(SUMS - 1, sums), prediction, count)
    rate = mixing.learning_rate(stage.mixer, stage.done[0])
    mixture, second = workspace.mixture[m, 0], other.mixture[m, 0]
    phase = np.int64(1 if distance == 0 and z > 0 else 0)
    low, high, step, node = np.int64(1), np.int64(MOST), np.int64(1), phase
    near, far, positive, share = np.int64(0), np.int64(0), np.int64(0), 1.0  # masses from low on, from high on
    near_second, far_second = np.int64(0), np.int64(0)
    while True:
        middle = low + step if phase == 2 else (low + high) >> 1
        masses, here = _masses(tables, workspace, m, mixture, phase, middle, near, far)
        says = mixture_logit(masses, (0, 1, 2), tables.log_mantissa, tables.log_power)
        also, whole, here_second = says, masses[2], here
        if stage.mixer.experts > 1:
            masses, here_second = _masses(tables, other, m, second, phase, middle, near_second, far_second)
            also = mixture_logit(masses, (0, 1, 2), tables.log_mantissa, tables.log_power)
        bit = np.int64(-1) if decoding else _truth(value, phase, middle)
        rows = _rows(stage.starts, place, plane.kind, node, classes)
        bit, numbers, own = _decide(coding, hashed, numbers, (says, also), node + NODES * positive, rows, bit, rate)
        share *= own
        if phase == 0 and bit:
            low = np.int64(0)
        elif phase == 1:
            positive, near = bit, whole - here if bit else here
            near_second = masses[2] - here_second if bit else here_second
            mixture, second = workspace.mixture[m, bit], other.mixture[m, bit]
        elif phase > 1 and bit:
            near, near_second = here, here_second
        elif phase > 1:
            far, far_second = here, here_second
        phase, node, low, high, step = _next(bit, phase, node, low, high, step, middle)
        if phase == 4:
            break
    stage.done[0] += 1
    _add(stage, share)
    return (low if positive else -low), numbers
