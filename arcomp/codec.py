"""Pictures to a file and back.

pixels -> tiles -> payload -> container, and back. A payload is made in one of two ways: of the distributions that a
model gives, by one coder over the fronts of all tiles (:mod:`arcomp.contract.fronts`); or tile by tile, by models that
learn from each decision (:mod:`arcomp.contract.learning`).
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.container import DIGEST_BYTES, Content, Header, pack, pixels_checksum, unpack
from arcomp.contract import fronts, learning, registry
from arcomp.contract.model import BatchSpec, Canvas, ExactModel, LearningModel, Model
from arcomp.contract.tiling import Tiling
from arcomp.errors import ArcompError, VerificationError

Pixels = npt.NDArray[Any]
Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""


@dataclass(frozen=True)
class Encoded:
    """A file and what is known of it.

    Attributes:
        data: the file's bytes.
        nll_bits: negative log-likelihood of the samples under the exact model, in bits, and the bits of what the
            model itself sends (the histogram's counts).
        samples: number of sub-pixels.
        seconds: evaluation and coding, without start-up.
        static_bits: for a model that learns while it codes, bits under its network's mixtures, of the values that the
            picture's colours leave open, before what was counted is mixed in (heads that learn have learnt).
    """

    data: bytes
    nll_bits: float
    samples: int
    seconds: float
    static_bits: float | None = None

    @property
    def overhead_percent(self) -> float:
        """How much larger the file is than the model's NLL, in percent (0 for no information at all)."""
        return 100 * (8 * len(self.data) / self.nll_bits - 1) if self.nll_bits else 0.0

    @property
    def bits_per_subpixel(self) -> float:
        """Of the whole file."""
        return 8 * len(self.data) / self.samples


def encode(
    pixels: Pixels,
    depth: int,
    model: Model,
    *,
    tile: tuple[int, int] | None = None,
    source: str = "",
    content: Content = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> Encoded:
    """Write pictures of one size into one file.

    Args:
        pixels: uint8 (depth up to 8) or uint16 [N, H, W, C].
        depth: bits of a sample; no sample may be 2**depth or more.
        model: see :mod:`arcomp.contract.registry`.
        tile: (height, width) of tiles that are coded each on its own; (0, 0) for whole pictures; None for what suits
            the model.
        source: ending of the picture's file, for restoring it.
        content: what the samples are made of, for restoring it (:mod:`arcomp.inputs`).
        device: where the model is evaluated; the file does not depend on it.
        threads: tiles that a learning model codes at a time; as many as there are processors if None.
        progress: told the part done now and then.

    Raises:
        ModelError: the model does not take such pictures.
        ArcompError: a sample is too large for the depth, the array has no samples, it needs more memory than this
            machine has, or is too large for a file.
    """
    began = time.perf_counter()
    tiling, kind = plan(pixels, depth, model, tile, threads)
    static_bits, decisions = None, False
    if isinstance(model, LearningModel):
        payload, nll, static_bits = learning.encode(pixels, tiling, kind, model, device, threads, progress)
    else:
        assert isinstance(model, ExactModel)
        canvas, kind = laid_out(pixels, tiling, kind, model)
        decisions = fronts.as_decisions(pixels.size, depth)
        payload, nll = fronts.encode(canvas, kind, model, device, progress, decisions)
        nll += 8 * len(kind.side)
    images, height, width, channels = pixels.shape
    header = Header(
        images, height, width, channels, depth, model.name, model.digest[:DIGEST_BYTES], *tiling.tile,
        pixels_checksum(pixels, depth), kind.side, source, content, decisions,
    )  # fmt: skip
    return Encoded(pack(header, payload), nll, pixels.size, time.perf_counter() - began, static_bits)


def plan(
    pixels: Pixels, depth: int, model: Model, tile: tuple[int, int] | None, threads: int | None
) -> tuple[Tiling, BatchSpec]:
    """How pictures are cut for a model, and what it is then given; arguments and errors as of :func:`encode`."""
    if pixels.ndim != 4 or not pixels.size:
        raise ArcompError("there are no pixels to compress")
    if pixels.dtype.kind != "u" or int(pixels.max()) >> depth:
        raise ArcompError(f"samples are not unsigned integers of {depth} bit{'s' if depth > 1 else ''}")
    images, height, width, channels = pixels.shape
    model.check(channels, depth)
    tiling = Tiling((images, height, width), model.tile(height, width, channels, depth) if tile is None else tile)
    kind = BatchSpec(tiling.batch, channels, depth)
    _check_memory(tiling, kind, pixels.dtype, model, threads)
    return tiling, kind


def laid_out(pixels: Pixels, tiling: Tiling, kind: BatchSpec, model: ExactModel) -> tuple[Canvas, BatchSpec]:
    """Pictures as tiles, channels in coding order, and what is coded with what the model sends besides."""
    canvas = np.ascontiguousarray(tiling.cut(pixels)[..., list(model.coding_order(kind.channels))])
    return canvas, replace(kind, side=model.side_information(canvas, kind))


def decode(
    data: bytes | memoryview,
    *,
    model: Model | None = None,
    naive: bool = False,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> tuple[Pixels, Header]:
    """Read a file.

    Args:
        data: the file's bytes.
        model: the model, if it is not to be looked up by the name and digest in the file.
        naive: decode by a whole evaluation for every front, to test the caches against (slow).
        device: where those are computed; caches, and all of ``photo``, are the processor's.
        threads: tiles that a learning model decodes at a time; as many as there are processors if None.
        progress: told the part done now and then.

    Returns:
        uint8 or uint16 [N, H, W, C], and the header.

    Raises:
        FormatError: not an arcomp file, damaged, or from a newer version.
        VerificationError: the pixels decoded are not those that were encoded.
        ModelError: the model is not here, or does not take such pictures.
        ArcompError: the pictures need more memory than this machine has.
    """
    header, payload = unpack(data)
    if model is None or model.digest[:DIGEST_BYTES] != header.digest or model.name != header.model:
        model = registry.load(header.model, header.digest)
    model.check(header.channels, header.depth)
    shape = (header.images, header.height, header.width)
    tiling = Tiling(shape, (header.tile_height, header.tile_width))
    kind = BatchSpec(tiling.batch, header.channels, header.depth, header.side)
    dtype = np.dtype(np.uint8 if header.depth <= 8 else np.uint16)
    _check_memory(tiling, kind, dtype, model, threads)
    if isinstance(model, LearningModel):
        pixels = np.zeros((*shape, header.channels), dtype)
        learning.decode(payload, pixels, tiling, kind, model, naive, threads, progress)
    else:
        assert isinstance(model, ExactModel)
        canvas = tiling.blank(header.channels, dtype)
        fronts.decode(payload, canvas, kind, model, naive, device, progress, header.decisions)
        pixels = tiling.join(canvas, shape)
    if pixels_checksum(pixels, header.depth) != header.pixels_crc:
        raise VerificationError(
            "the pixels decoded are not those that were encoded",
            remedy="run `arcomp doctor`, or get a fresh copy of the file",
        )
    return pixels, header


def warm_up(model: Model, channels: int, depth: int, device: str = "cpu") -> None:
    """Code a few pixels, so that networks are made and kernels compiled before a clock starts.

    Raises:
        ModelError: the model does not take such pictures.
    """
    few = np.zeros((1, 8, 8, channels), np.uint8 if depth <= 8 else np.uint16)
    decode(encode(few, depth, model, device=device).data, model=model)


def physical_memory() -> float:
    """Bytes of this machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _check_memory(tiling: Tiling, kind: BatchSpec, dtype: np.dtype[Any], model: Model, threads: int | None) -> None:
    """Refuse what cannot fit, before any of it is taken.

    Raises:
        ArcompError: samples (held twice) and what the model keeps are more than this machine's memory.
    """
    canvas = math.prod(tiling.shape) * kind.channels * dtype.itemsize
    if isinstance(model, LearningModel):
        at_a_time = min(tiling.shape[0], threads or learning.processors())
        own = at_a_time * model.memory(kind.channels, *tiling.shape[1:])
    else:
        own = model.memory(kind) if isinstance(model, ExactModel) else 0
    need, have = 2 * canvas + own, physical_memory()
    if need > have:
        raise ArcompError(
            f"needs {need / 2**30:.1f} GiB of memory, there are {have / 2**30:.1f}",
            remedy="use a machine with more, or cut the picture into smaller ones",
        )
