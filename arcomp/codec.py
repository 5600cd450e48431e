"""Pictures to a file and back: the one path that every model goes.

pixels -> tiles -> the model's distributions, many fronts at a time -> range coder -> container
container -> range decoder <-> the model, front by front -> tiles -> pixels
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import Decoder, Distribution, Encoder
from arcomp.container import DIGEST_BYTES, Header, pack, pixels_checksum, unpack
from arcomp.errors import ArcompError, VerificationError
from arcomp.models import registry
from arcomp.models.base import Canvas, ExactModel, Kind, Whole
from arcomp.orders import Batch, Front, Order, grouped

Pixels = npt.NDArray[Any]
Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""
CHUNK = 1 << 14
"""Positions that the encoder evaluates at a time, at least; memory is bounded by it, not by the picture."""


@dataclass(frozen=True)
class Encoded:
    """A file and what is known of it.

    Attributes:
        data: the file's bytes.
        nll_bits: negative log-likelihood of the samples under the exact model, in bits, and the bits of what the
            model itself sends (the histogram's counts).
        samples: number of sub-pixels.
        seconds: evaluation and coding, without start-up.
    """

    data: bytes
    nll_bits: float
    samples: int
    seconds: float

    @property
    def overhead_percent(self) -> float:
        """How much larger the file is than the model's NLL, in percent (0 for no information at all)."""
        return 100 * (8 * len(self.data) / self.nll_bits - 1) if self.nll_bits else 0.0

    @property
    def bits_per_subpixel(self) -> float:
        """Of the whole file."""
        return 8 * len(self.data) / self.samples


class Tiling:
    """How pictures are cut into a batch of tiles and laid together again.

    Args:
        shape: (images, height, width) of the pictures.
        tile: (height, width) of a tile; (0, 0) for whole pictures. Tiles at the right and lower edges are smaller.
    """

    def __init__(self, shape: tuple[int, int, int], tile: tuple[int, int]) -> None:
        images, height, width = shape
        th, tw = (tile[0] or height, tile[1] or width)
        rows, columns = range(0, height, th), range(0, width, tw)
        self.corners = [(n, y, x) for n in range(images) for y in rows for x in columns]
        heights = [min(th, height - y) for _, y, _ in self.corners]
        widths = [min(tw, width - x) for _, _, x in self.corners]
        self.batch = Batch(np.array(heights, np.int32), np.array(widths, np.int32))
        self.shape = (len(self.batch), int(self.batch.heights.max()), int(self.batch.widths.max()))
        self.whole = len(rows) == len(columns) == 1

    def cut(self, pixels: Pixels) -> Canvas:
        """[N, H, W, C] -> [tiles, h, w, C]; the pixels themselves if they are not cut."""
        if self.whole:
            return pixels
        canvas = self.blank(pixels.shape[3], pixels.dtype)
        for i, (n, y, x) in enumerate(self.corners):
            h, w = self.batch.heights[i], self.batch.widths[i]
            canvas[i, :h, :w] = pixels[n, y : y + h, x : x + w]
        return canvas

    def blank(self, channels: int, dtype: npt.DTypeLike) -> Canvas:
        """A canvas of zeros."""
        return np.zeros((*self.shape, channels), dtype)

    def join(self, canvas: Canvas, shape: tuple[int, int, int]) -> Pixels:
        """The inverse of :meth:`cut`."""
        if self.whole:
            return canvas
        pixels = np.zeros((*shape, canvas.shape[3]), canvas.dtype)
        for i, (n, y, x) in enumerate(self.corners):
            h, w = self.batch.heights[i], self.batch.widths[i]
            pixels[n, y : y + h, x : x + w] = canvas[i, :h, :w]
        return pixels


def encode(
    pixels: Pixels,
    depth: int,
    model: ExactModel,
    *,
    tile: tuple[int, int] = (0, 0),
    source: str = "",
    device: str = "cpu",
    progress: Progress = lambda part: None,
) -> Encoded:
    """Write pictures of one size into one file.

    Args:
        pixels: uint8 (depth up to 8) or uint16 [N, H, W, C].
        depth: bits of a sample; no sample may be 2**depth or more.
        model: see :mod:`arcomp.models.registry`.
        tile: tiles that are coded side by side, each on its own; (0, 0) for whole pictures.
        source: ending of the picture's file, for restoring it.
        device: where the model is evaluated; the file does not depend on it.
        progress: told the part done now and then.

    Raises:
        ModelError: the model does not take such pictures.
        ArcompError: a sample is too large for the depth, the array has no samples, or it needs more memory than
            this machine has.
    """
    began = time.perf_counter()
    if pixels.ndim != 4 or not pixels.size:
        raise ArcompError("there are no pixels to compress")
    if pixels.dtype.kind != "u" or int(pixels.max()) >> depth:
        raise ArcompError(f"samples are not unsigned integers of {depth} bits")
    images, height, width, channels = pixels.shape
    model.check(channels, depth)
    tiling = Tiling((images, height, width), tile)
    tile = (0, 0) if tiling.whole else tile
    kind = Kind(tiling.batch, channels, depth)
    _check_memory(tiling, kind, pixels.dtype, model)
    canvas = tiling.cut(pixels)[..., list(model.coding_order(channels))]
    kind = replace(kind, side=model.side_information(canvas, kind))
    whole = model.whole(canvas, kind, device)
    payload, nll = _encode_fronts(canvas, kind, model.order, whole, progress)
    nll += 8 * len(kind.side)
    header = Header(
        images, height, width, channels, depth, model.name, model.digest[:DIGEST_BYTES], *tile,
        pixels_checksum(pixels, depth), kind.side, source,
    )  # fmt: skip
    return Encoded(pack(header, payload), nll, pixels.size, time.perf_counter() - began)


def _encode_fronts(canvas: Canvas, kind: Kind, order: Order, whole: Whole, progress: Progress) -> tuple[bytes, float]:
    """The payload, and its NLL in bits. While one chunk is evaluated, the one before is coded by a second thread."""
    encoder = Encoder()

    def code(distributions: list[Distribution], values: npt.NDArray[np.int32], ends: npt.NDArray[np.int64]) -> float:
        encoder.encode(distributions, values, ends)
        return sum(d.bits(np.ascontiguousarray(values[:, c])) for c, d in enumerate(distributions))

    nll, done = 0.0, 0
    coding: Future[float] | None = None
    with ThreadPoolExecutor(1) as coder:
        for front, ends in grouped(order.fronts(kind.batch), CHUNK):
            values = canvas[front.image, front.y, front.x].astype(np.int32)
            distributions = whole.distributions(front)
            nll += coding.result() if coding else 0.0
            coding = coder.submit(code, distributions, values, ends)
            done += len(front)
            progress(done / kind.batch.positions)
        nll += coding.result() if coding else 0.0
    return encoder.finish(), nll


def decode(
    data: bytes | memoryview,
    *,
    model: ExactModel | None = None,
    naive: bool = False,
    progress: Progress = lambda part: None,
) -> tuple[Pixels, Header]:
    """Read a file.

    Args:
        data: the file's bytes.
        model: the model, if it is not to be looked up by the name and digest in the file.
        naive: decode by a whole evaluation for every front, to test the caches against (slow).
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
    kind = Kind(tiling.batch, header.channels, header.depth, header.side)
    dtype = np.dtype(np.uint8 if header.depth <= 8 else np.uint16)
    _check_memory(tiling, kind, dtype, model)
    canvas = tiling.blank(header.channels, dtype)
    fill = _decode_naively if naive else _decode_stepwise
    with _one_thread():
        fill(canvas, kind, model, Decoder(payload), progress)
    pixels = tiling.join(canvas, shape)
    if pixels_checksum(pixels, header.depth) != header.pixels_crc:
        raise VerificationError(
            "the pixels decoded are not those that were encoded",
            remedy="run `arcomp doctor`, or get a fresh copy of the file",
        )
    return pixels, header


def physical_memory() -> float:
    """Bytes of this machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _check_memory(tiling: Tiling, kind: Kind, dtype: np.dtype[Any], model: ExactModel) -> None:
    """Refuse what cannot fit, before any of it is taken.

    Raises:
        ArcompError: samples (held twice) and what the model keeps are more than this machine's memory.
    """
    canvas = math.prod(tiling.shape) * kind.channels * dtype.itemsize
    need, have = 2 * canvas + model.memory(kind), physical_memory()
    if need > have:
        raise ArcompError(
            f"needs {need / 2**30:.1f} GiB of memory, there are {have / 2**30:.1f}",
            remedy="use a machine with more, or cut the picture into smaller ones",
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """A front is too little work to share: threads of Torch would cost more than they give."""
    torch = sys.modules.get("torch")
    if torch is None:  # a model that does without
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _decode_stepwise(canvas: Canvas, kind: Kind, model: ExactModel, decoder: Decoder, progress: Progress) -> None:
    state = model.stepwise(kind)
    order = model.coding_order(kind.channels)
    done, told, total = 0, 0, kind.batch.positions
    for front in model.order.fronts(kind.batch):
        state.begin(front)
        for c in range(kind.channels):
            values = decoder.decode(state.distribution(c))
            state.fill(c, values)
            canvas[front.image, front.y, front.x, order[c]] = values
        done += len(front)
        if done - told >= CHUNK:
            progress(done / total)
            told = done
    progress(1.0)


def _decode_naively(canvas: Canvas, kind: Kind, model: ExactModel, decoder: Decoder, progress: Progress) -> None:
    """Every front, and every channel in it, by an evaluation of the whole picture so far."""
    order = list(model.coding_order(kind.channels))
    past: list[Front] = []
    for front in model.order.fronts(kind.batch):
        past.append(front)
        for c in range(kind.channels):
            whole = model.whole(canvas[..., order], kind)
            for earlier in past:
                distributions = whole.distributions(earlier)
            values = decoder.decode(distributions[c])
            canvas[front.image, front.y, front.x, order[c]] = values
