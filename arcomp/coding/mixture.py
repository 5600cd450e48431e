"""Mixture of discretised logistics, exactly, as a distribution of a ladder model's samples.

Its float twin is :mod:`arcomp.layers.float.mixture`. ``photo`` has its own: :mod:`arcomp.coding.decisions`.

Salimans et al. 2017, "PixelCNN++", section 2.1. The distribution function at the edge below symbol e is

    F(e) = sum_k weight_k sigma((e - 1/2 - mean_k) inverse_k),    F(0) = 0, F(2**depth) = 1 (the ends take the tails)

with sigma interpolated linearly in a table of integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.coding.distribution import (
    TOTAL_BITS,
    Distribution,
    Float32,
    Int32,
    Int64,
    floor_mass,
    share_out,
)
from arcomp.exact import tables
from arcomp.exact.compiled import kernel

WEIGHT_TOTAL = 1 << 16
INVERSE_LIMIT = (1, 1 << 25)
"""Inverse scales are clamped to these: scales of 2**20 to 2**-5 levels."""


class Logistics(NamedTuple):
    """Parameters of n mixtures of K logistics.

    Attributes:
        weights: int32 [n, K], each row sums to WEIGHT_TOTAL. means: int64 [n, K], in 1/256 of a level.
        inverses: int64 [n, K], of the scales, in 1/2**20.
    """

    weights: Int32
    means: Int64
    inverses: Int64


@kernel(inline="always")
def _edge(e: Any, depth: int, floor: int, weights: Any, means: Any, inverses: Any, components: int, sigma: Any) -> Any:
    """G at edge e of one mixture."""
    total = np.int64(1) << TOTAL_BITS
    if e == 0:
        return np.int64(0)
    if e == (1 << depth):
        return total
    at = np.int64(e) * 256 - 128
    f = np.int64(0)
    for k in range(components):
        z = ((at - means[k]) * inverses[k]) >> 12  # Q16
        t = max(-(1 << 20), min((1 << 20) - 1, z)) + (1 << 20)
        i = t >> 10
        low = np.int64(sigma[i])
        f += weights[k] * (low + (((sigma[i + 1] - low) * (t & 1023)) >> 10))
    return (((f >> 16) * (total - (floor << depth))) >> TOTAL_BITS) + floor * np.int64(e)


@kernel(allocates=True)
def _frequencies(depth: int, floor: int, below: int, prefix: Any, mixtures: Logistics, sigma: Any, out: Any) -> None:
    """As :func:`_edge` at all edges of a digit; the loops over edges are innermost, for SIMD."""
    weights, means, inverses, values = mixtures.weights, mixtures.means, mixtures.inverses, out.shape[1]
    edges = np.empty(values + 1, np.int64)
    total = np.int64(1) << TOTAL_BITS
    share = total - (np.int64(floor) << depth)
    for i in range(weights.shape[0]):
        first = (np.int64(prefix[i]) * values) << below
        edges[:] = 0
        for k in range(weights.shape[1]):
            weight = np.int64(weights[i, k])
            inverse = inverses[i, k]
            start = first * 256 - 128 - means[i, k]
            for j in range(values + 1):
                z = ((start + ((np.int64(j) << below) << 8)) * inverse) >> 12
                t = min(max(z, np.int64(-(1 << 20))), np.int64((1 << 20) - 1)) + np.int64(1 << 20)
                at = np.uint64(t >> 10)  # unsigned: no wrap-around of negative indices to check for
                low = np.int64(sigma[at])
                edges[j] += weight * (low + (((sigma[at + np.uint64(1)] - low) * (t & 1023)) >> 10))
        for j in range(values + 1):
            edges[j] = (((edges[j] >> 16) * share) >> TOTAL_BITS) + floor * (first + (np.int64(j) << below))
        if first == 0:
            edges[0] = 0
        if (first + (np.int64(values) << below)) == (np.int64(1) << depth):
            edges[values] = total
        share_out(edges, values, out[i])


@kernel()
def _masses(
    depth: int, floor: int, symbols: Any, weights: Any, means: Any, inverses: Any, sigma: Any, out: Any
) -> None:
    components = weights.shape[1]
    for i in range(weights.shape[0]):
        v = np.int64(symbols[i])
        upper = _edge(v + 1, depth, floor, weights[i], means[i], inverses[i], components, sigma)
        out[i] = upper - _edge(v, depth, floor, weights[i], means[i], inverses[i], components, sigma)


class LogisticMixture(Distribution):
    """n mixtures of K logistics.

    Args:
        weights: int32 [n, K], non-negative, each row sums to 65536.
        means: int64 [n, K], in 1/256 of a level, within +-2**31.
        inverses: int64 [n, K], inverse scales in 1/2**20, within INVERSE_LIMIT.
        depth: bits of a symbol, 1 .. 16.
    """

    def __init__(self, weights: Int32, means: Int64, inverses: Int64, depth: int) -> None:
        super().__init__(depth)
        self.weights, self.means, self.inverses = weights, means, inverses
        self._sigma = tables.logistic()
        self._floor = floor_mass(depth)

    def __len__(self) -> int:
        return len(self.weights)

    def _share_out(self, below: int, prefix: Int32, out: Float32) -> None:
        _frequencies(
            self.depth, self._floor, below, prefix, Logistics(self.weights, self.means, self.inverses), self._sigma, out
        )

    def masses(self, symbols: Int32) -> Int64:
        out = np.empty(len(self), np.int64)
        _masses(self.depth, self._floor, symbols, self.weights, self.means, self.inverses, self._sigma, out)
        return out
