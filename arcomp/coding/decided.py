"""Samples of 1 bit as decisions of a binary range coder, in place of digits.

A digit costs about 1.3e-4 bits more than its probability says: of the coder's range, cut into 2**24 parts, what is left
over is lost (:mod:`arcomp.coding.stream`). Where a sample costs 0.2 bits that is too much. Here nothing is left over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import binary
from arcomp.coding.distribution import Distribution, Int32, Int64
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record


@kernel()
def _encode(coder: Any, bits: Any, ones: Any) -> None:
    """Bits [n] whose frequencies of 1 are ``ones``, int64 [n]."""
    for i in range(bits.shape[0]):
        binary.encode_finely(coder, bits[i] != 0, ones[i])


@kernel()
def _decode(coder: Any, ones: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        out[i] = binary.decode_finely(coder, ones[i])


def _ones(distribution: Distribution) -> Int64:
    """Frequencies of 1, int64 [n]."""
    less_one = distribution.frequencies(0, np.zeros(len(distribution), np.int32))[:, 1]
    return less_one.astype(np.int64) + 1


class DecisionEncoder:
    """As :class:`arcomp.coding.stream.Encoder`, for samples of 1 bit."""

    def __init__(self) -> None:
        self._coder = binary.encoder(1024)
        self._record = record(self._coder)

    def encode(self, distributions: Sequence[Distribution], symbols: Int32, ends: npt.NDArray[np.int64]) -> None:
        self._coder = binary.with_space(self._coder, symbols.size)  # a word for each is the most
        self._record = record(self._coder)
        ones = [_ones(d) for d in distributions]
        columns = [np.ascontiguousarray(symbols[:, c]) for c in range(symbols.shape[1])]
        begin = 0
        for end in [len(symbols)] if len(distributions) == 1 else ends.tolist():
            for column, own in zip(columns, ones, strict=True):
                _encode(self._record, column[begin:end], own[begin:end])
            begin = end

    def finish(self) -> bytes:
        """The coded bytes."""
        return binary.finish(self._coder)


class DecisionDecoder:
    """As :class:`arcomp.coding.stream.Decoder`, for samples of 1 bit.

    Args:
        data: what :meth:`DecisionEncoder.finish` gave.
    """

    def __init__(self, data: bytes) -> None:
        self._coder = binary.decoder(data)
        self._record = record(self._coder)

    def decode(self, distribution: Distribution) -> Int32:
        """One symbol for each position: int32 [n].

        Raises:
            FormatError: the data has ended.
        """
        symbols = np.zeros(len(distribution), np.int32)
        _decode(self._record, _ones(distribution), symbols)
        binary.check_end(binary.beyond(self._coder))
        return symbols
