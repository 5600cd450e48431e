"""A model of coefficients that stands in for a trained one in tests: LZMA of the components, frequency by frequency."""

from __future__ import annotations

import lzma
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import MAX_VALUE, Coefficients, Component, Shape
from arcomp.contract.model import USUAL, CoefficientPayload, Execution
from arcomp.contract.weights_file import Weights
from arcomp.errors import FormatError
from arcomp.models.histogram import Histogram


def _bytes_apart(plane: npt.NDArray[np.int16]) -> bytes:
    """All low bytes, then all high ones."""
    octets = plane.reshape(-1, 1).view(np.uint8)
    return octets.T.tobytes()


class StandIn(Histogram):
    """One stream for each component. Any bytes decode to something, as with trained models."""

    name = "standin"

    @property
    def takes_coefficients(self) -> bool:
        return True

    def encode_coefficients(self, coefficients: Coefficients, how: Execution = USUAL) -> CoefficientPayload:
        planes = (one.blocks.reshape(-1, 64).T.astype("<i2") for one in coefficients.components)
        streams = tuple(lzma.compress(_bytes_apart(plane), lzma.FORMAT_ALONE) for plane in planes)
        return CoefficientPayload(streams, 8.0 * sum(map(len, streams)))

    def decode_coefficients(
        self, shape: Shape, streams: Sequence[bytes | memoryview | None], how: Execution = USUAL
    ) -> Coefficients:
        if len(streams) != len(shape.components):
            raise FormatError("other streams")
        made = []
        for one, stream in zip(shape.components, streams, strict=True):
            size = one.coefficients
            try:
                data = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(bytes(stream or b""), 2 * size)
            except lzma.LZMAError:
                data = b""
            low, high = np.frombuffer(data.ljust(2 * size, b"\0"), np.uint8).reshape(2, size).astype(np.int16)
            values = np.clip(high << 8 | low, -MAX_VALUE, MAX_VALUE).reshape(64, one.rows, one.columns)
            made.append(Component(values.transpose(1, 2, 0).copy(), one.quantisation, one.sampling))
        return Coefficients(tuple(made), shape.width, shape.height)

    def coefficient_memory(self, shape: Shape, threads: int | None = None) -> int:
        return 2 * shape.coefficients


def standin() -> StandIn:
    return StandIn(Weights("standin", {}, {}))
