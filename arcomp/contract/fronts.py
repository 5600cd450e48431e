"""The payload of models that give distributions: one range coder over the fronts of all tiles.

model's distributions, many fronts at a time -> range coder; range decoder <-> the model, front by front (or whatever
else gives values: :mod:`arcomp.sampling`)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from arcomp.coding import DecisionDecoder, DecisionEncoder, Decoder, Distribution, Encoder
from arcomp.contract.model import BatchSpec, Canvas, ExactModel, coded
from arcomp.orders import Front, grouped

Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""
AnyEncoder = Encoder | DecisionEncoder
Source = Callable[[Front, int, Distribution], npt.NDArray[np.int32]]
"""Gives a channel's values over a front, int32 [n], told which (in coding order) and how they are distributed."""
CHUNK = 1 << 14
"""Positions that the encoder evaluates at a time, at least; memory is bounded by it, not by the picture."""


DECISIONS_FROM = 1 << 18
"""Samples of 1 bit from which on a file is made of decisions: what they save is then more than to say so."""


def as_decisions(samples: int, depth: int) -> bool:
    """Whether so many samples are to be coded as decisions."""
    return depth == 1 and samples >= DECISIONS_FROM


def encode(
    canvas: Canvas, kind: BatchSpec, model: ExactModel, device: str, progress: Progress, decisions: bool = False
) -> tuple[bytes, float]:
    """The payload, and its NLL in bits.

    Args:
        decisions: code samples, which are then of 1 bit, as decisions (:mod:`arcomp.coding.decided`).
    """
    encoder = DecisionEncoder() if decisions else Encoder()
    parts = coded(model, canvas, kind)
    nll = sum(
        _encode(encoder, own, samples, part, device, shared(progress, i, len(parts)))
        for i, (own, samples, part) in enumerate(parts)
    )
    return encoder.finish(), nll


def shared(progress: Progress, part: int, parts: int) -> Progress:
    """Progress of one of several parts."""
    return lambda done: progress((part + done) / parts)


def _encode(
    encoder: AnyEncoder, model: ExactModel, canvas: Canvas, kind: BatchSpec, device: str, progress: Progress
) -> float:
    """The NLL in bits. While one chunk is evaluated, the one before is coded by a second thread."""
    whole = model.parallel(canvas, kind, device)

    def code(distributions: list[Distribution], values: npt.NDArray[np.int32], ends: npt.NDArray[np.int64]) -> float:
        encoder.encode(distributions, values, ends)
        return sum(float(d.bits(np.ascontiguousarray(values[:, c])).sum()) for c, d in enumerate(distributions))

    nll, done = 0.0, 0
    coding: Future[float] | None = None
    with ThreadPoolExecutor(1) as coder:
        for front, ends in grouped(model.order.fronts(kind.batch), CHUNK):
            values = canvas[front.image, front.y, front.x].astype(np.int32)
            distributions = whole.distributions(front)
            nll += coding.result() if coding else 0.0
            coding = coder.submit(code, distributions, values, ends)
            done += len(front)
            progress(done / kind.batch.positions)
        nll += coding.result() if coding else 0.0
    return nll


def decode(
    payload: bytes | memoryview,
    canvas: Canvas,
    kind: BatchSpec,
    model: ExactModel,
    naive: bool,
    device: str,
    progress: Progress,
    decisions: bool = False,
) -> None:
    """Fill the canvas (channels as stored); arguments as of :func:`fill`."""
    decoder = DecisionDecoder(bytes(payload)) if decisions else Decoder(bytes(payload))

    def source(front: Front, channel: int, distribution: Distribution) -> npt.NDArray[np.int32]:
        return decoder.decode(distribution)

    fill(canvas, kind, model, source, progress, naive=naive, device=device)


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


def fill(
    canvas: Canvas,
    kind: BatchSpec,
    model: ExactModel,
    source: Source,
    progress: Progress,
    *,
    naive: bool = False,
    device: str = "cpu",
) -> None:
    """Fill the canvas (channels as stored) front by front with a source's values, and before it the view's, if there is
    one.

    Args:
        naive: by a whole evaluation for every front, on the device; caches are the processor's.
    """
    run, viewer = partial(_fill_naively, device) if naive else _fill, model.viewer(kind)
    with _one_thread():
        if viewer is not None:
            own, kind_of_view = viewer
            view: Canvas = np.zeros((*canvas.shape[:3], kind_of_view.channels), np.uint8)
            run(view, kind_of_view, own, source, shared(progress, 0, 2))
            kind, progress = replace(kind, view=view), shared(progress, 1, 2)
        run(canvas, kind, model, source, progress)


def _fill(canvas: Canvas, kind: BatchSpec, model: ExactModel, source: Source, progress: Progress) -> None:
    state = model.incremental(kind)
    order = model.coding_order(kind.channels)
    done, told, total = 0, 0, kind.batch.positions
    for front in model.order.fronts(kind.batch):
        state.begin(front)
        for c in range(kind.channels):
            values = source(front, c, state.distribution(c))
            state.fill(c, values)
            canvas[front.image, front.y, front.x, order[c]] = values
        done += len(front)
        if done - told >= CHUNK:
            progress(done / total)
            told = done
    progress(1.0)


def _fill_naively(
    device: str, canvas: Canvas, kind: BatchSpec, model: ExactModel, source: Source, progress: Progress
) -> None:
    """Every front, and every channel in it, by an evaluation of the whole picture so far."""
    order = list(model.coding_order(kind.channels))
    past: list[Front] = []
    for front in model.order.fronts(kind.batch):
        past.append(front)
        for c in range(kind.channels):
            whole = model.parallel(canvas[..., order], kind, device)
            for earlier in past:
                distributions = whole.distributions(earlier)
            values = source(front, c, distributions[c])
            canvas[front.image, front.y, front.x, order[c]] = values
