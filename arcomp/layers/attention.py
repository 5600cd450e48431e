"""Causal attention: every position looks at all positions up to itself, in any order that takes one at a time.

Vaswani et al. 2017, "Attention is all you need", section 3.2; over pictures Parmar et al. 2018, "Image transformer",
and Chen et al. 2017, "PixelSNAIL", section 2. For each of several heads, with queries q, keys k (KEY features each) and
values v,

    output_i = sum_j p_ij v_j / sum_j p_ij,    p_ij = exp(q_i . k_j / sqrt(KEY)),    j up to i in the order

Exactly: with integers q, k and v quantised as SIGNED8, scores (q . k + 8) >> 4 are in 1/256; with m the largest of
those seen, p is the table of 2**16 exp(-i / 256) at m - score, 0 from 4096 on; the quotient is rounded, halves up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arcomp.exact import tables
from arcomp.exact.arrays import Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host
from arcomp.exact.lanes import WORDS, all_words, load_words, shift_words, store_words, sum_of_words
from arcomp.exact.threads import in_parts
from arcomp.kernels import instructions
from arcomp.kernels.attention import Past, attend
from arcomp.kernels.workspace import Workspace
from arcomp.layers.layer import ExactLayer
from arcomp.layers.quantisation import SIGNED8, Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front, Order, sequences

KEY = 16
"""Features of a head's queries and keys: of 2 * 5 fractional bits of a product and 2 of the square root, 8 stay."""
_SHIFT = 4
LANES = WORDS.lanes
"""Numbers of a vector."""
BLOCK = 128
"""Products of a weight, 16 bits and one more, and a value, 7 bits, of which sums fit into 31 bits."""


@dataclass(frozen=True)
class Attention(Spec):
    """Queries, keys and values -> what each position finds.

    Attributes:
        order: what a position's past is.
        heads: each with KEY features of a query and a key.
        features: of a head's values.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.attention.FloatAttention"

    order: Order
    heads: int
    features: int
    groups: int = 1
    quantisation: Quantisation = SIGNED8

    @property
    def cached(self) -> int:
        return self.heads * (KEY + self.features)

    @property
    def working(self) -> int:
        return 4 * self.heads * (2 * KEY + 2 * self.features)

    def total(self, *inputs: int) -> int:
        return self.heads * self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactAttention:
        return ExactAttention(self)


@kernel(allocates=True)
def _attend_once(
    query: Any, keys: Any, values: Any, image: Any, seen: Any, heads: int, exponential: Any, out: Any
) -> None:
    """For queries [n, heads KEY] of positions that see so many of their images' keys [N, P, heads KEY]."""
    features = values.shape[2] // heads
    score, total = np.empty(keys.shape[1], np.int64), np.empty(features, np.int64)
    for i in range(query.shape[0]):
        own, contents = keys[image[i]].reshape(-1), values[image[i]].reshape(-1)
        for h in range(heads):
            past = Past(own[h * KEY :], contents[h * features :], seen[i], heads, KEY, features)
            attend(query[i, h * KEY :], past, exponential, score, total, out[i, h * features :])


@kernel(inner=True)
def _scores(query: Any, keys: Any, count: int, score: Any) -> Any:
    """Those of the first positions, and the largest."""
    shift = all_words(np.int32(_SHIFT))
    for j in range(0, count, LANES):
        total = all_words(np.int32(1 << (_SHIFT - 1)))
        for f in range(KEY):
            total = total + all_words(np.int32(query[f])) * load_words(keys, f, j)
        store_words(score, 0, j, shift_words(total, shift))
    best = np.int32(-(1 << 30))
    for j in range(count):
        best = max(best, score[0, j])
    return best


@kernel(inner=True)
def _weigh(score: Any, best: Any, count: int, exponential: Any) -> Any:
    """Make weights of scores, and nothing of what lies beyond them; their sum."""
    mass = np.int64(0)
    for j in range(count):
        weight = exponential[min(np.int32(4095), best - score[0, j])]
        score[0, j] = weight
        mass += weight
    for j in range(count, -(-count // LANES) * LANES):
        score[0, j] = 0
    return mass


@kernel(inner=True)
def _mean(weight: Any, mass: Any, values: Any, count: int, features: int, out: Any) -> None:
    """Of the first positions' values; sums of so few products as BLOCK fit into 32 bits."""
    for f in range(features):
        total = np.int64(0)
        for begin in range(0, count, BLOCK):
            part = all_words(np.int32(0))
            for j in range(begin, min(count, begin + BLOCK), LANES):
                part = part + load_words(weight, 0, j) * load_words(values, f, j)
            total += sum_of_words(part)
        out[f] = (2 * total + mass) // (2 * mass)


@kernel(allocates=True)
def _attend(query: Any, key: Any, value: Any, exponential: Any, first: int, end: int, out: Any) -> None:
    """For all positions of some heads, those of all pictures being counted, int8 [N, P, heads, features] each, at those
    up to each.

    As :func:`_attend_once` does for one position; here keys and values lie so that a vector has many positions.
    """
    length, heads, features = value.shape[1], value.shape[2], value.shape[3]
    padded = -(-length // LANES) * LANES
    keys, values = np.zeros((KEY, padded), np.int32), np.zeros((features, padded), np.int32)
    score = np.zeros((1, padded), np.int32)
    for each in range(first, end):
        i, h = each // heads, each % heads
        for j in range(length):
            for f in range(KEY):
                keys[f, j] = key[i, j, h, f]
            for f in range(features):
                values[f, j] = value[i, j, h, f]
        for j in range(length):
            best = _scores(query[i, j, h], keys, j + 1, score)
            mass = _weigh(score, best, j + 1, exponential)
            _mean(score, mass, values, j + 1, features, out[i, j, h])


class ExactAttention(ExactLayer):
    """The exact evaluations."""

    def __init__(self, spec: Attention) -> None:
        self.spec, self.quantisation, self.order = spec, spec.quantisation, spec.order
        self._exponential = tables.exponential().astype(np.int32)

    def parallel(self, batch: Batch, *x: Array) -> Array:
        places, heads = sequences(self.order, batch), self.spec.heads
        parts = [places.gathered(part) for part in x]
        if on_host(x[0]):
            query, key, value = (np.ascontiguousarray(x).reshape(*x.shape[:2], heads, -1) for x in parts)
            found = np.empty_like(value)
            in_parts(len(found) * heads, 1, lambda a, b: _attend(query, key, value, self._exponential, a, b, found))
            return places.scattered(found.reshape(parts[2].shape))
        from arcomp.exact.by_torch import attention

        made = backend_of(x[2]).full(parts[2].shape, 0, x[2])
        for i in range(len(made)):
            query, key, value = (part[i].reshape(part.shape[1], heads, -1).swapaxes(0, 1) for part in parts)
            of_one = attention(query, key, value, self._exponential, _SHIFT)
            made[i] = of_one.swapaxes(0, 1).reshape(made.shape[1:])
        return places.scattered(made)

    def start(self, batch: Batch) -> None:
        longest = int((batch.heights.astype(np.int64) * batch.widths).max())
        self._keys = np.zeros((len(batch), longest, self.spec.heads * KEY), np.int8)
        self._values = np.zeros((len(batch), longest, self.spec.heads * self.spec.features), np.int8)
        self._seen = np.zeros(len(batch), np.int64)

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        longest = int((batch.heights.astype(np.int64) * batch.widths).max())
        heads, features = self.spec.heads, self.spec.features
        keys, values = (workspace.cache(len(batch) * longest * heads * each, 0) for each in (KEY, features))
        workspace.reserve(scores=longest, totals=features)
        done = workspace.counters(len(batch))
        return instructions.Attention(heads, KEY, features, keys, values, longest, done)

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        query, key, value = x
        image = front.image
        self._keys[image, self._seen[image]] = key
        self._values[image, self._seen[image]] = value
        self._seen[image] += 1
        out = np.empty((len(front), self._values.shape[2]), np.int8)
        given = self._keys, self._values, image, self._seen[image]
        _attend_once(query, *given, self.spec.heads, self._exponential, out)
        return out
