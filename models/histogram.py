"""``histogram``: each channel's levels are independent draws from one distribution, counted in the picture itself.

The floor of the ladder: every later model must beat it. The maximum-likelihood fit of a categorical distribution is
the vector of relative frequencies (Bishop 2006, "Pattern Recognition and Machine Learning", section 2.2); the
counts are sent in the file, so there is nothing to train. New pictures are drawn by the inverse of the distribution
function (:func:`arcomp.coding.sample`).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from arcomp.coding import Distribution, FrequencyTable
from arcomp.coding.distribution import Int64
from arcomp.coding.table import cumulate
from arcomp.container.numbers import decode_number, encode_number
from arcomp.contract.distributions import DistributionModel, Incremental, Int32, Parallel
from arcomp.contract.model import BatchSpec, Padded, Watch, refuse
from arcomp.contract.registry import register
from arcomp.contract.weights_file import Weights
from arcomp.errors import FormatError, ModelError
from arcomp.orders import Batch, Front, Independent, Order

COUNT_BITS = 16
"""Counts are scaled down to sum to less than 2**17 a channel before they are sent; none that occurs becomes 0."""
COUNT_LIMIT = 1 << 20
"""A channel's counts sum to less: products in :func:`arcomp.coding.table.cumulate` then stay below 2**48."""


def pack_counts(counts: Int64) -> bytes:
    """Counts (int64 [r, levels]) as numbers, row by row; a zero is followed by how many more zeros there are."""
    out = bytearray()
    for row in counts.tolist():
        at = 0
        while at < len(row):
            run = 1
            out += encode_number(row[at])
            if row[at] == 0:
                while at + run < len(row) and row[at + run] == 0:
                    run += 1
                out += encode_number(run - 1)
            at += run
    return bytes(out)


def unpack_counts(data: bytes, rows: int, levels: int) -> Int64:
    """What :func:`pack_counts` packed.

    Raises:
        ModelError: not such data, a row without counts, or one that sums to COUNT_LIMIT or more.
    """
    error = ModelError("the histogram in the file is damaged", remedy="get a fresh copy of the file")
    flat: list[int] = []
    at = 0
    try:
        while len(flat) < rows * levels:
            count, at = decode_number(data, at, "a count")
            run = 1
            if count == 0:
                more, at = decode_number(data, at, "a run")
                run += more
            if count >= COUNT_LIMIT or len(flat) % levels + run > levels:
                raise error
            flat += [count] * run
    except FormatError:
        raise error from None
    counts = np.array(flat, np.int64).reshape(rows, levels)
    totals = counts.sum(1)
    if at != len(data) or not totals.all() or totals.max() >= COUNT_LIMIT:
        raise error
    return counts


class _Evaluation(Parallel, Incremental):
    """Both evaluations: nothing depends on what came before."""

    def __init__(self, spec: BatchSpec) -> None:
        self.spec = spec
        self.edges = cumulate(unpack_counts(spec.side, spec.channels, 1 << spec.depth), spec.depth)

    def distributions(self, front: Front) -> list[Distribution]:
        self.begin(front)
        return [self.distribution(c) for c in range(self.spec.channels)]

    def begin(self, front: Front) -> None:
        self.positions = len(front)

    def distribution(self, channel: int) -> Distribution:
        return FrequencyTable(self.edges, np.full(self.positions, channel, np.int32), self.spec.depth)

    def fill(self, channel: int, values: Int32) -> None:
        """Nothing depends on them."""


@register
class Histogram(DistributionModel):
    """The model; it has no weights of its own."""

    name: ClassVar[str] = "histogram"
    weightless: ClassVar[bool] = True
    takes_side: ClassVar[bool] = True
    batches: ClassVar[bool] = False  # the counts are of all that is coded together

    def __init__(self, weights: Weights | None = None) -> None:
        self.digest = (weights or Weights(self.name, {}, {})).digest
        self.parameters = 0

    def check(self, channels: int, depth: int) -> None:
        if not (1 <= channels <= 4 and 1 <= depth <= 16):
            raise refuse(self.name, "1 to 4 channels of 1 to 16 bits", channels, depth)

    @property
    def order(self) -> Order:
        return Independent()

    def side_information(self, padded: Padded, spec: BatchSpec) -> bytes:
        """The counts of every channel's levels."""
        levels = 1 << spec.depth
        counts = np.zeros((spec.channels, levels), np.int64)
        for n, (h, w) in enumerate(zip(spec.batch.heights, spec.batch.widths, strict=True)):
            for c in range(spec.channels):
                counts[c] += np.bincount(padded[n, :h, :w, c].ravel(), minlength=levels)
        total = counts.sum(1, keepdims=True)
        scaled = -(-(counts << COUNT_BITS) // np.maximum(total, 1 << COUNT_BITS))  # rounded up: none is lost
        return pack_counts(scaled)

    def float_bits(self, pixels: Padded, depth: int, device: str = "cpu") -> float:
        """Under relative frequencies, and the counts."""
        sizes = np.full((2, len(pixels)), [[pixels.shape[1]], [pixels.shape[2]]], np.int32)
        spec = BatchSpec(Batch(*sizes), pixels.shape[3], depth)
        bits = 8.0 * len(self.side_information(pixels, spec))
        for c in range(spec.channels):
            counts = np.bincount(pixels[..., c].ravel()).astype(np.float64)
            counts = counts[counts > 0]
            bits -= float((counts * np.log2(counts / counts.sum())).sum())
        return bits

    def parallel(self, padded: Padded, spec: BatchSpec, device: str = "cpu", watch: Watch | None = None) -> Parallel:
        return _Evaluation(spec)

    def incremental(self, spec: BatchSpec) -> Incremental:
        return _Evaluation(spec)
