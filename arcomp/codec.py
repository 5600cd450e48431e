"""Pictures to a file and back.

pixels -> tiles -> the model's payload -> container, and back. How a payload is made is the model's
(:mod:`arcomp.contract.model`).
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass

import numpy as np

from arcomp.container import DIGEST_BYTES, Header, pack, pixels_checksum, possible_source, unpack
from arcomp.contract import registry
from arcomp.contract.fitting import fitted
from arcomp.contract.model import BatchSpec, Execution, Model, Payload, Progress
from arcomp.contract.tiling import Tiling
from arcomp.errors import ArcompError, ModelError, VerificationError
from arcomp.samples import Pixels, Samples


@dataclass(frozen=True)
class Encoded:
    """A compressed file, and figures about it.

    Attributes:
        data: the file's bytes.
        nll_bits: negative log-likelihood of the samples under the exact model, in bits, plus the bits of the model's
            side information (the histogram's counts).
        samples: number of sub-pixels.
        seconds: evaluation and coding, without start-up.
        network_bits: for a model that learns while it codes, bits under its network alone: without what it counts, but
            with the lattice of colours, and with heads that learn. None for other models.
    """

    data: bytes
    nll_bits: float
    samples: int
    seconds: float
    network_bits: float | None = None

    @property
    def overhead_percent(self) -> float:
        """How much larger the file is than the model's NLL, in percent (0 for no information at all)."""
        return 100 * (8 * len(self.data) / self.nll_bits - 1) if self.nll_bits else 0.0

    @property
    def bits_per_subpixel(self) -> float:
        """Bits of the whole file, divided by the number of its samples."""
        return 8 * len(self.data) / self.samples


def encode(
    samples: Samples,
    model: Model,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> Encoded:
    """Compress samples into one file.

    Args:
        samples: pictures of one size, or bytes. Their form and ending are stored, so that decoding can restore a file
            of the same kind.
        model: see :mod:`arcomp.contract.registry`.
        tile: (height, width) of the tiles, which are coded independently; (0, 0): whole pictures; None: what suits the
            model.
        device: where the model is evaluated; the file does not depend on it.
        threads: how many tiles a model that learns codes at a time; None: one for each processor.
        progress: callback that is given the part done, 0 to 1, now and then.

    Raises:
        ModelError: the model does not take such samples.
        ArcompError: pictures of several sizes, more memory is needed than this machine has, or they are too large for
            a file.
    """
    began = time.perf_counter()
    samples = fitted(samples, model)
    pixels, depth = samples.pixels, samples.depth
    tiling, spec = plan(pixels, depth, model, tile, threads)
    payload = model.encode(pixels, tiling, spec, Execution(device, threads, progress=progress))
    images, height, width, channels = pixels.shape
    header = Header(
        images, height, width, channels, depth, model.name, model.digest[:DIGEST_BYTES], *tiling.tile,
        pixels_checksum(pixels, depth), payload.side, possible_source(samples.ending), samples.form,
        payload.binary_samples,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    return Encoded(pack(header, payload.data), payload.nll_bits, pixels.size, seconds, payload.network_bits)


def plan(
    pixels: Pixels, depth: int, model: Model, tile: tuple[int, int] | None, threads: int | None
) -> tuple[Tiling, BatchSpec]:
    """How pictures are cut for a model, and the spec of the tiles; arguments and errors are those of :func:`encode`."""
    images, height, width, channels = pixels.shape
    model.check(channels, depth)
    tiling = Tiling((images, height, width), model.tile(height, width, channels, depth) if tile is None else tile)
    spec = BatchSpec(tiling.batch, channels, depth)
    _check_memory(tiling, spec, model, threads)
    return tiling, spec


def decode(
    data: bytes | memoryview,
    *,
    model: Model | None = None,
    naive: bool = False,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> Samples:
    """Decompress a file.

    Args:
        data: the file's bytes.
        model: the one that the file was written with, if it is not to be looked up by name and digest.
        naive: decode without caches, by a parallel evaluation for every front (slow; a test of the caches).
        device: used with naive=True only; otherwise decoding runs on the CPU.
        threads: how many tiles a model that learns decodes at a time; None: one for each processor.
        progress: callback that is given the part done, 0 to 1, now and then.

    Returns:
        What was compressed, with its form and ending.

    Raises:
        FormatError: not an arcomp file, damaged, or from a newer version.
        VerificationError: the pixels decoded are not those that were encoded.
        ModelError: the model is not here, is not the file's, or does not take such pictures.
        ArcompError: the pictures need more memory than this machine has.
    """
    header, payload = unpack(data)
    if model is None:
        model = registry.load(header.model, header.digest)
    check_model(header, model)
    model.check(header.channels, header.depth)
    shape = (header.images, header.height, header.width)
    tiling = Tiling(shape, (header.tile_height, header.tile_width))
    spec = BatchSpec(tiling.batch, header.channels, header.depth)
    _check_memory(tiling, spec, model, threads)
    found = Payload(payload, header.side, header.decisions)
    pixels = model.decode(found, tiling, spec, Execution(device, threads, naive, progress))
    if pixels_checksum(pixels, header.depth) != header.pixels_crc:
        raise VerificationError(
            "the pixels decoded are not those that were encoded",
            remedy="run `arcomp doctor`, or get a fresh copy of the file",
        )
    return Samples.of(pixels, header.depth, form=header.form, ending=header.source)


def check_model(header: Header, model: Model) -> None:
    """Refuse a model that a file was not written with.

    Raises:
        ModelError: it is another one, or has other weights.
    """
    if model.name != header.model or model.digest[:DIGEST_BYTES] != header.digest:
        raise ModelError(
            f"was written with model {header.model}, digest {header.digest.hex()[:16]}, not with {model.name}, digest "
            f"{model.digest.hex()[:16]}",
            remedy="give those weights as the model, or none",
        )


def warm_up(model: Model, channels: int, depth: int, device: str = "cpu") -> None:
    """Code a few pixels, so that networks are made and kernels compiled before a clock starts.

    Raises:
        ModelError: the model does not take such pictures.
    """
    few = np.zeros((1, 8, 8, channels), np.uint8 if depth <= 8 else np.uint16)
    decode(encode(Samples.of(few, depth), model, device=device).data, model=model)


def physical_memory() -> float:
    """Bytes of this machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _check_memory(tiling: Tiling, spec: BatchSpec, model: Model, threads: int | None) -> None:
    """Refuse what cannot fit, before any of it is taken.

    Raises:
        ArcompError: samples (held twice) and what the model keeps are more than this machine's memory.
    """
    samples = math.prod(tiling.shape) * spec.channels * spec.dtype.itemsize
    need, have = 2 * samples + model.memory(spec, threads), physical_memory()
    if need > have:
        raise ArcompError(
            f"needs {need / 2**30:.1f} GiB of memory, there are {have / 2**30:.1f}",
            remedy="use a machine with more, or cut the picture into smaller ones",
        )
