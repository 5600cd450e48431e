"""What is measured: every model and codec on every input, from files that are made and decoded again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp import codec
from arcomp.contract import registry
from arcomp.contract.fitting import fitted
from arcomp.contract.model import Model
from arcomp.contract.tiling import Tiling
from arcomp.errors import ArcompError, ModelError
from arcomp.measure.codecs import INSTALL_PEERS, NOT_INSTALLED, Codec, identical, of_bytes, of_pictures
from arcomp.measure.inputs import least_depth
from arcomp.measure.sheets import sheet
from arcomp.samples import Bytes, Samples

Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""
Prepare = Callable[[Model, int, int], None]
"""Is given a model, channels and depth before files of them are timed."""


@dataclass(frozen=True)
class Measured:
    """One model or codec on one input.

    Attributes:
        codec: its name.
        input: name of the input.
        samples: sub-pixels, or bytes.
        positions: pixels, or bytes.
        depth: bits of a sample, as coded.
        bytes: of the file; None if there is none.
        nll_bits_float: under the model's float evaluation (:meth:`arcomp.contract.model.Model.float_bits`); None for
            codecs, and for models without one.
        nll_bits_exact: under the exact model, as the file was coded.
        nll_bits_static: the same before a model that learns mixes in what it has counted in the picture.
        encode_seconds: evaluation and coding, without start-up.
        decode_seconds: the same.
        round_trip: the decoded pixels are those that were encoded.
        skipped: why there is no file, in a few words.
        failed: it should have worked.
    """

    codec: str
    input: str
    samples: int
    positions: int
    depth: int
    bytes: int | None = None
    nll_bits_float: float | None = None
    nll_bits_exact: float | None = None
    nll_bits_static: float | None = None
    encode_seconds: float | None = None
    decode_seconds: float | None = None
    round_trip: bool | None = None
    skipped: str = ""
    failed: bool = False


class Contestant(ABC):
    """What is compared.

    Attributes:
        name: as tables show it; no two have the same.
        digest: of the weights, hex; "" where there is no model.
        parameters: see :class:`arcomp.contract.model.Model`; None where there is no model.
        startup_seconds: loading, compiling and a few pixels to warm up, so far.
    """

    name: str
    digest: str = ""
    parameters: int | None = None
    startup_seconds: float = 0.0
    takes_bytes: bool = False
    """Whether it is a model of text."""

    def measure(self, name: str, samples: Samples, progress: Progress = lambda part: None) -> Measured:
        """Code an input of some name and decode it again; what goes wrong is a result too, and others go on."""
        try:
            return self._measure(name, samples, progress)
        except (ArcompError, MemoryError) as error:
            said = error.cause if isinstance(error, ArcompError) else "not enough memory"
            return self._skipped(name, samples, f"failed: {said}", failed=True)

    @abstractmethod
    def _measure(self, name: str, samples: Samples, progress: Progress) -> Measured: ...

    def _skipped(self, name: str, samples: Samples, why: str, *, failed: bool = False) -> Measured:
        """There is no file."""
        return Measured(self.name, name, samples.size, samples.positions, samples.depth, skipped=why, failed=failed)


def warm_up(model: Model, channels: int, depth: int) -> None:
    """The usual :data:`Prepare`."""
    codec.warm_up(model, channels, depth)


class ModelContestant(Contestant):
    """One of arcomp's models.

    Args:
        source: as :func:`arcomp.contract.registry.load` takes it.
        name: as tables show it.
        device: where it is evaluated to encode.
        threads: tiles that a learning model codes at a time; as many as there are processors if None.
        prepare: called before the first file of a kind is timed.

    Raises:
        ModelError: no such model, or damaged weights.
    """

    def __init__(
        self,
        source: str,
        name: str = "",
        device: str = "cpu",
        threads: int | None = None,
        prepare: Prepare = warm_up,
    ) -> None:
        began = time.perf_counter()
        self.model = registry.load(source)
        self.name, self.digest = name or source, self.model.digest.hex()
        self.parameters, self.takes_bytes = self.model.parameters, self.model.takes_bytes
        self.device, self.threads, self.prepare = device, threads, prepare
        self._prepared: set[tuple[int, int]] = set()
        self.startup_seconds = time.perf_counter() - began

    def _measure(self, name: str, samples: Samples, progress: Progress) -> Measured:
        try:
            samples = fitted(samples, self.model)
        except ModelError as error:
            return self._skipped(name, samples, error.cause)
        self._warm_up(samples.channels, samples.depth)
        began = time.perf_counter()
        encoded = codec.encode(
            samples, self.model, device=self.device, threads=self.threads, progress=lambda part: progress(part / 2)
        )
        between = time.perf_counter()
        decoded = codec.decode(
            encoded.data, model=self.model, threads=self.threads, progress=lambda part: progress((1 + part) / 2)
        )
        ended = time.perf_counter()
        same = bool(np.array_equal(decoded.pixels, samples.pixels))
        nll_float = float_nll(self.model, samples.pixels, samples.depth, self.device)
        return Measured(
            self.name, name, samples.size, samples.positions, samples.depth, len(encoded.data), nll_float,
            encoded.nll_bits, encoded.static_bits, between - began, ended - between, same, failed=not same,
        )  # fmt: skip

    def _warm_up(self, channels: int, depth: int) -> None:
        if (channels, depth) not in self._prepared:
            began = time.perf_counter()
            self.prepare(self.model, channels, depth)
            self._prepared.add((channels, depth))
            self.startup_seconds += time.perf_counter() - began

    @property
    def learns(self) -> bool:
        """Whether it learns from the picture, which its float evaluation does not."""
        return self.model.learns


def float_nll(model: Model, pixels: npt.NDArray[Any], depth: int, device: str = "cpu") -> float | None:
    """Bits of pictures [N, H, W, C] under a model's float evaluation, cut into tiles as the codec cuts them; None if
    it has none."""
    count, height, width, channels = pixels.shape
    tiling = Tiling((count, height, width), model.tile(height, width, channels, depth))
    sizes = np.stack([tiling.batch.heights, tiling.batch.widths], 1)
    total = 0.0
    for size in np.unique(sizes, axis=0):
        tiles = [tiling.part(pixels, int(i)) for i in np.flatnonzero((sizes == size).all(1))]
        bits = model.float_bits(np.stack(tiles), depth, device)
        if bits is None:
            return None
        total += bits
    return total


class CodecContestant(Contestant):
    """A codec of others. Many small pictures are one sheet to it: a file each would be all headers."""

    def __init__(self, made: Codec) -> None:
        self.name, self.codec = made.name, made

    def _measure(self, name: str, samples: Samples, progress: Progress) -> Measured:
        pixels, depth = sheet(samples.pixels), least_depth(samples)
        if depth == 1:  # black and white
            pixels = pixels * np.uint8(255)
        missing = self.codec.available()
        if missing == NOT_INSTALLED:
            missing = f"{NOT_INSTALLED}: {INSTALL_PEERS}"
        if self.codec.of_bytes != isinstance(samples.form, Bytes):
            missing = "takes bytes only" if self.codec.of_bytes else "takes pictures only"
        missing = missing or self.codec.takes(pixels)
        if missing:
            return self._skipped(name, samples, missing)
        if not self.startup_seconds:
            began = time.perf_counter()
            self.codec.decode(self.codec.encode(np.ascontiguousarray(pixels[:8, :8])))
            self.startup_seconds = time.perf_counter() - began
        began = time.perf_counter()
        data = self.codec.encode(pixels)
        between = time.perf_counter()
        progress(0.8)
        decoded = self.codec.decode(data)
        ended = time.perf_counter()
        same = identical(pixels, decoded)
        return Measured(
            self.name, name, samples.size, samples.positions, depth, len(data), encode_seconds=between - began,
            decode_seconds=ended - between, round_trip=same, failed=not same,
        )  # fmt: skip


def classical(threads: int | None = None) -> list[Contestant]:
    """Codecs of pictures."""
    return [CodecContestant(made) for made in of_pictures(threads)]


def classical_of_bytes() -> list[Contestant]:
    """Codecs of bytes."""
    return [CodecContestant(made) for made in of_bytes()]
