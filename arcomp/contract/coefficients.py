"""Models of JPEG coefficients: what they give and are asked.

They are models like others (weights, digest, known answers, training), but what they code is not pictures: asked for
one, they refuse. A JPEG is cut into strips of whole rows of blocks, each a stream of its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Coefficients, Component, ComponentShape, Shape
from arcomp.contract.learning import Stream
from arcomp.contract.model import (
    USUAL,
    BatchSpec,
    CoefficientPayload,
    Execution,
    Model,
    Watch,
)
from arcomp.contract.side_by_side import Positions, do_all, processors
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError, ModelError
from arcomp.samples import Pixels


class CoefficientModel(Model):
    """A model of JPEG coefficients, whose state learns from each decision. Subclasses say how one strip is coded, and
    how many strips there are."""

    learns: ClassVar[bool] = True
    batches: ClassVar[bool] = False

    @abstractmethod
    def strips(self, shape: Shape) -> int:
        """How many strips coefficients of that shape are cut into, at most."""

    @abstractmethod
    def strip_memory(self, shapes: Sequence[ComponentShape]) -> int:
        """Bytes of memory that a strip takes while it is coded, besides its coefficients."""

    @abstractmethod
    def encode_strip(self, components: Sequence[Component], progress: Positions) -> Stream:
        """Code a strip."""

    @abstractmethod
    def decode_strip(self, data: bytes | memoryview, components: Sequence[Component], progress: Positions) -> None:
        """Fill a strip's blocks, all 0 so far, from coded bytes; others than were encoded give some coefficients.

        Raises:
            FormatError: they end too soon.
        """

    def encode_coefficients(self, coefficients: Coefficients, how: Execution = USUAL) -> CoefficientPayload:
        """Code the coefficients of a JPEG."""
        cut = cut_rows(coefficients.shape, self.strips(coefficients.shape))
        streams = [Stream(b"", 0.0, 0.0)] * len(cut)

        def work(i: int, meter: Positions) -> None:
            streams[i] = self.encode_strip(_part(coefficients.components, cut[i]), meter)

        do_all(work, _sizes(cut, coefficients.shape), how.threads, how.progress)
        return CoefficientPayload(tuple(s.data for s in streams), sum(s.nll_bits for s in streams))

    def decode_coefficients(
        self, shape: Shape, streams: Sequence[bytes | memoryview | None], how: Execution = USUAL
    ) -> Coefficients:
        """The coefficients that were encoded to streams; some, if the streams are others; zeros where one is None.

        Raises:
            FormatError: the streams end too soon, or are not as many as the shape's strips.
        """
        cut = cut_rows(shape, self.strips(shape))
        if len(streams) != len(cut):
            raise FormatError(
                f"the file has {len(streams)} streams for {len(cut)} strips", remedy="get a fresh copy of it"
            )
        components = tuple(
            Component(np.zeros((c.rows, c.columns, 64), np.int16), c.quantisation, c.sampling) for c in shape.components
        )

        def work(i: int, meter: Positions) -> None:
            stream = streams[i]
            if stream is not None:
                self.decode_strip(stream, _part(components, cut[i]), meter)

        do_all(work, _sizes(cut, shape), how.threads, how.progress)
        return Coefficients(components, shape.width, shape.height)

    def coefficient_memory(self, shape: Shape, threads: int | None = None) -> int:
        """Bytes of memory that coding takes besides the coefficients (2 bytes each).

        Args:
            threads: see :class:`Execution`.
        """
        cut = cut_rows(shape, self.strips(shape))
        each = [
            self.strip_memory([replace(s, rows=b - a) for s, (a, b) in zip(shape.components, rows, strict=True)])
            for rows in cut
        ]
        return sum(sorted(each)[-(threads or processors()) :])

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        """It takes no pictures.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"model {self.name} takes coefficients of JPEG files, not pictures",
            remedy="choose another model (`arcomp models` lists them)",
        )

    check = encode = decode = bits = check_sampling = sample = _refuse

    @property
    def takes_coefficients(self) -> bool:
        return True

    def watch(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, callback: Watch, device: str = "cpu") -> None:
        """Of coefficients made of the first picture; the coded bytes alone."""
        for stream in self.known_streams(pixels, tiling, spec, Execution(device)):
            callback("stream", np.frombuffer(stream, np.uint8))

    def known_streams(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> tuple[bytes, ...]:
        return self.encode_coefficients(coefficients_of(pixels[0]), how).streams


def comes_back(model: Model, pixels: Pixels) -> bool:
    """Whether coefficients made of the first picture come back from a model of coefficients.

    Raises:
        ModelError: it is none.
    """
    made = coefficients_of(pixels[0])
    back = model.decode_coefficients(made.shape, model.encode_coefficients(made).streams)
    return all(np.array_equal(a.blocks, b.blocks) for a, b in zip(made.components, back.components, strict=True))


def cut_rows(shape: Shape, strips: int) -> list[list[tuple[int, int]]]:
    """For each strip and component the first row of blocks and the one after the last.

    A strip holds whole units of interleaved blocks: of a component as many rows for each as its vertical sampling.
    There are as many strips as asked for, or as there are units.
    """
    units = min(-(-c.rows // c.sampling[1]) for c in shape.components)
    strips = max(1, min(strips, units))
    edges = [units * i // strips for i in range(strips)]
    ends = [[edge * c.sampling[1] for c in shape.components] for edge in edges[1:]] + [
        [c.rows for c in shape.components]
    ]
    begins = [[edge * c.sampling[1] for c in shape.components] for edge in edges]
    return [list(zip(begin, end, strict=True)) for begin, end in zip(begins, ends, strict=True)]


def _part(components: Sequence[Component], rows: Sequence[tuple[int, int]]) -> list[Component]:
    return [replace(c, blocks=c.blocks[a:b]) for c, (a, b) in zip(components, rows, strict=True)]


def _sizes(cut: list[list[tuple[int, int]]], shape: Shape) -> list[int]:
    """Blocks of each strip."""
    columns = [c.columns for c in shape.components]
    return [sum((b - a) * n for (a, b), n in zip(rows, columns, strict=True)) for rows in cut]


def coefficients_of(picture: npt.NDArray[np.uint8]) -> Coefficients:
    """Coefficients that look like a JPEG's, of a picture, uint8 [H, W, C]: Hadamard's transform, which is exact, in
    place of the cosine's. What digests are taken on."""
    hadamard = np.array([[1]])
    for _ in range(3):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    frequency = np.argsort((np.diff(hadamard) != 0).sum(1))
    hadamard = hadamard[frequency]
    rows, columns = picture.shape[0] // 8, picture.shape[1] // 8
    components = []
    for c in range(picture.shape[2]):
        samples = picture[: 8 * rows, : 8 * columns, c].astype(np.int64) - 128
        blocks = samples.reshape(rows, 8, columns, 8).swapaxes(1, 2)
        made = hadamard @ blocks @ hadamard.T
        steps = 16 + 4 * np.add.outer(np.arange(8), np.arange(8))
        found = np.sign(made) * (np.abs(made) // (8 * steps))
        components.append(
            Component(found.reshape(rows, columns, 64).astype(np.int16), steps.reshape(64).astype(np.uint16), (1, 1))
        )
    return Coefficients(tuple(components), 8 * columns, 8 * rows)
