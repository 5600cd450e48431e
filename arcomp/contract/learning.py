"""The payload of models that learn: every tile a stream of its own, several coded at a time.

The payload is the length of each tile's stream (a number), then the streams.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import numpy as np
import numpy.typing as npt

from arcomp.container.numbers import decode_number, encode_number
from arcomp.contract.model import BatchSpec, Canvas, LearningModel, Stream
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError, ModelError

Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""


def processors() -> int:
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


class _Meter:
    """Adds up what the threads say and tells the part done, from the thread that said it, one at a time."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.total, self.progress = total, progress
        self.done, self.stopped = 0, False
        self.lock = threading.Lock()

    def __call__(self, positions: int) -> None:
        with self.lock:
            self.done += positions
            if self.stopped:
                raise _StoppedError
            self.progress(self.done / self.total)


class _StoppedError(Exception):
    """Raised in threads whose work is no longer wanted."""


def _run(work: Callable[[int], None], count: int, threads: int | None, meter: _Meter) -> None:
    """Do the work for 0 .. count - 1, some at a time; the first error ends all."""
    with ThreadPoolExecutor(min(count, threads or processors())) as pool:
        waiting = [pool.submit(work, i) for i in range(count)]
        try:
            for future in wait(waiting, return_when=FIRST_EXCEPTION).done:
                future.result()
        except BaseException:
            meter.stopped = True
            for future in waiting:
                future.cancel()
            raise


def encode(
    pixels: Canvas,
    tiling: Tiling,
    kind: BatchSpec,
    model: LearningModel,
    device: str,
    threads: int | None,
    progress: Progress,
) -> tuple[bytes, float, float]:
    """The payload of pictures [N, H, W, C], its NLL and the static one, in bits; a tile is copied while it is coded."""
    batch, order = kind.batch, list(model.coding_order(kind.channels))
    meter = _Meter(batch.positions, progress)
    streams: list[Stream] = [Stream(b"", 0.0, 0.0)] * len(batch)

    def work(i: int) -> None:
        tile = np.ascontiguousarray(tiling.part(pixels, i)[..., order])
        streams[i] = model.encode(tile, device, meter)

    _run(work, len(batch), threads, meter)
    lengths = b"".join(encode_number(len(s.data)) for s in streams)
    payload = lengths + b"".join(s.data for s in streams)
    return payload, sum(s.nll_bits for s in streams), sum(s.static_bits for s in streams)


def bits(
    pixels: Canvas,
    found: npt.NDArray[np.float32],
    tiling: Tiling,
    kind: BatchSpec,
    model: LearningModel,
    threads: int | None,
    progress: Progress,
) -> float:
    """Fill the bits of each sample [N, H, W, C] as :func:`encode` codes them; the sum of the static ones."""
    batch, order = kind.batch, list(model.coding_order(kind.channels))
    meter = _Meter(batch.positions, progress)
    static = [0.0] * len(batch)

    def work(i: int) -> None:
        tile = np.ascontiguousarray(tiling.part(pixels, i)[..., order])
        tiling.part(found, i)[..., order], static[i] = model.bits(tile, meter)

    _run(work, len(batch), threads, meter)
    return sum(static)


def decode(
    payload: bytes | memoryview,
    pixels: Canvas,
    tiling: Tiling,
    kind: BatchSpec,
    model: LearningModel,
    naive: bool,
    threads: int | None,
    progress: Progress,
) -> None:
    """Fill pictures [N, H, W, C].

    Raises:
        FormatError: the streams are not as long as the payload says.
        ModelError: there is side information.
    """
    if kind.side:
        raise ModelError(
            "a model that learns has no side information, the file has", remedy="get a fresh copy of the file"
        )
    batch, order = kind.batch, list(model.coding_order(kind.channels))
    parts = _parts(memoryview(payload), len(batch))
    meter = _Meter(batch.positions, progress)

    def work(i: int) -> None:
        tile = np.zeros((batch.heights[i], batch.widths[i], kind.channels), pixels.dtype)
        model.decode(parts[i], tile, meter, naive)
        tiling.part(pixels, i)[..., order] = tile

    _run(work, len(batch), threads, meter)


def _parts(payload: memoryview, count: int) -> list[memoryview]:
    lengths, at = [], 0
    for i in range(count):
        length, at = decode_number(payload, at, f"the length of stream {i}")
        lengths.append(length)
    if at + sum(lengths) != len(payload):
        raise FormatError("the payload's streams are not as long as it says", remedy="get a fresh copy of the file")
    parts = []
    for length in lengths:
        parts.append(payload[at : at + length])
        at += length
    return parts
