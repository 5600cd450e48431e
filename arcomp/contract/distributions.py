"""Models that give distributions, and how they are coded: one range coder over the fronts of all tiles.

A model gives two exact evaluations of one function, equal bit for bit: :class:`Parallel` for pictures that are known
(encoding) and :class:`Incremental` for pictures that become known front by front (decoding, sampling). The third
evaluation, in float, is not part of this interface: it is for training, and for float NLL
(:mod:`arcomp.network.float`).
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.coding import DecisionDecoder, DecisionEncoder, Decoder, Distribution, Encoder, sample
from arcomp.contract.model import BatchSpec, Bits, Execution, Model, Padded, Payload, Progress, Watch, surplus_side
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError, ModelError
from arcomp.orders import Batch, Front, Order, grouped
from arcomp.samples import Pixels

Int32 = npt.NDArray[np.int32]
Source = Callable[[Front, int, Distribution], Int32]
"""Gives the values of a channel (numbered in coding order) over a front, int32 [n], given their distribution."""
CHUNK = 1 << 14
"""Positions that the encoder evaluates at a time, at least. It bounds the memory, whatever the picture's size."""
WATCHED = 1 << 20
"""Positions that are evaluated at a time while layers are watched."""
DECISIONS_FROM = 1 << 18
"""From this many 1-bit samples on, binary decisions are used: below it, the header field costs more than they save."""


class Parallel(ABC):
    """Exact evaluation of known pictures."""

    @abstractmethod
    def distributions(self, front: Front) -> list[Distribution]:
        """One distribution for each channel over the given positions.

        Called with all positions of the order, in the order's sequence, any number of fronts at a time. The
        distribution of channel c may depend on the batch's channels before c at the same position, and on all
        channels of positions in earlier fronts.
        """


class Incremental(ABC):
    """Exact evaluation front by front, each position once."""

    @abstractmethod
    def begin(self, front: Front) -> None:
        """Go to the next front."""

    @abstractmethod
    def distribution(self, channel: int) -> Distribution:
        """A channel's distribution over the front, when the channels before it have been filled."""

    @abstractmethod
    def fill(self, channel: int, values: Int32) -> None:
        """Take the front's values of a channel: int32 [n]."""


class DistributionModel(Model):
    """A model that gives distributions. Subclasses implement :meth:`parallel` and :meth:`incremental`."""

    learns: ClassVar[bool] = False
    batches: ClassVar[bool] = True
    takes_side: ClassVar[bool] = False
    """Whether it has side information."""

    @property
    @abstractmethod
    def order(self) -> Order:
        """The order in which positions are decoded."""

    @abstractmethod
    def parallel(self, padded: Padded, spec: BatchSpec, device: str = "cpu", watch: Watch | None = None) -> Parallel:
        """Evaluation of known pictures; ``watch`` is given every layer's output.

        Raises:
            ModelError: the side information is damaged.
        """

    @abstractmethod
    def incremental(self, spec: BatchSpec) -> Incremental:
        """Evaluation of pictures that are to be decoded.

        Raises:
            ModelError: the side information is damaged.
        """

    @property
    def row_by_row(self) -> bool:
        """Whether every position depends only on earlier ones in raster order, so that a picture can be completed from
        its first rows."""
        return True

    def side_information(self, padded: Padded, spec: BatchSpec) -> bytes:
        """What a file must carry besides the coded pixels for this model to decode it. Most models need nothing."""
        return b""

    def viewer(self, spec: BatchSpec) -> tuple[DistributionModel, BatchSpec] | None:
        """For a model that has a view of the pictures, which is coded before them as a picture of its own: the model
        that codes the view, and the view's spec. None for most models."""
        return None

    def view(self, padded: Padded) -> Padded:
        """The view, a function of the samples: [N, H, W, channels of the view]. Called only if there is a viewer."""
        raise NotImplementedError

    def encode(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Payload:
        padded, spec = laid_out(self, pixels, tiling, spec)
        binary = spec.depth == 1 and pixels.size >= DECISIONS_FROM
        encoder, parts = DecisionEncoder() if binary else Encoder(), coded(self, padded, spec)
        nll = sum(
            _encode(encoder, model, samples, part, how.device, shared(how.progress, i, len(parts)))
            for i, (model, samples, part) in enumerate(parts)
        )
        return Payload((encoder.finish(),), spec.side, binary, nll + 8 * len(spec.side))

    def decode(self, payload: Payload, tiling: Tiling, spec: BatchSpec, how: Execution) -> Pixels:
        if len(payload.streams) != 1:
            raise FormatError(f"the file has {len(payload.streams)} streams in place of one", remedy="get a fresh copy")
        if payload.side and not self.takes_side:
            raise surplus_side()
        data = bytes(payload.streams[0])
        decoder = DecisionDecoder(data) if payload.binary_samples else Decoder(data)

        def source(front: Front, channel: int, distribution: Distribution) -> Int32:
            return decoder.decode(distribution)

        padded = tiling.blank(spec.channels, spec.dtype)
        fill(padded, replace(spec, side=bytes(payload.side)), self, source, how)
        return tiling.join(padded)

    def bits(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Bits:
        found = np.zeros(pixels.shape, np.float32)
        padded, spec = laid_out(self, pixels, tiling, spec)
        parts = coded(self, padded, spec)
        for i, (model, samples, part) in enumerate(parts):
            share = np.zeros((*pixels.shape[:3], part.channels), np.float32)
            _bits(samples, part, model, tiling, share, replace(how, progress=shared(how.progress, i, len(parts))))
            found += share if model is self else share.sum(3, keepdims=True) / spec.channels
        return Bits(found, 8 * len(spec.side))

    def check_sampling(self, temperature: float, kept: int) -> None:
        if kept and not self.row_by_row:  # in another order, later samples would not be conditioned on all kept ones
            raise ModelError(
                f"model {self.name} with these weights does not go row by row and cannot complete pictures",
                remedy="choose a model that does (`arcomp models` lists all)",
            )

    def sample(
        self,
        pixels: Pixels,
        spec: BatchSpec,
        rng: np.random.Generator,
        temperature: float = 1.0,
        kept: int = 0,
        progress: Progress = lambda part: None,
    ) -> None:
        known = pixels[..., list(self.coding_order(spec.channels))]
        width = pixels.shape[2]

        def source(front: Front, channel: int, distribution: Distribution) -> Int32:
            values = sample(distribution, rng, temperature)
            if not kept:
                return values
            there = known[front.image, front.y, front.x, channel]
            return np.where(front.y.astype(np.int64) * width + front.x < kept, there, values).astype(np.int32)

        spec = replace(spec, side=_side_of_kept(self, known, spec, kept))
        fill(pixels, spec, self, source, Execution(progress=progress))

    def watch(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, callback: Watch, device: str = "cpu") -> None:
        for model, samples, part in coded(self, *laid_out(self, pixels, tiling, spec)):

            def called(name: str, values: npt.NDArray[np.int64], of_view: bool = model is not self) -> None:
                callback(f"view.{name}" if of_view else name, values)

            known = model.parallel(samples, part, device, called)
            for front, _ in grouped(model.order.fronts(part.batch), WATCHED):
                values = samples[front.image, front.y, front.x].astype(np.int32)
                for c, distribution in enumerate(known.distributions(front)):
                    called(f"masses.{c}", distribution.masses(np.ascontiguousarray(values[:, c])))


def laid_out(model: DistributionModel, pixels: Pixels, tiling: Tiling, spec: BatchSpec) -> tuple[Padded, BatchSpec]:
    """Pictures as a padded batch, channels in coding order, and its BatchSpec, with side information filled in."""
    padded = np.ascontiguousarray(tiling.cut(pixels)[..., list(model.coding_order(spec.channels))])
    return padded, replace(spec, side=model.side_information(padded, spec))


def coded(
    model: DistributionModel, padded: Padded, spec: BatchSpec
) -> list[tuple[DistributionModel, Padded, BatchSpec]]:
    """The batches to code, one after the other, each with its model: the view, if there is one, then the pictures."""
    viewer = model.viewer(spec)
    if viewer is None:
        return [(model, padded, spec)]
    view = model.view(padded)
    return [(viewer[0], view, viewer[1]), (model, padded, replace(spec, view=view))]


def shared(progress: Progress, part: int, parts: int) -> Progress:
    """A callback for the progress of one of several equal parts."""
    return lambda done: progress((part + done) / parts)


def _encode(
    encoder: Encoder | DecisionEncoder,
    model: DistributionModel,
    padded: Padded,
    spec: BatchSpec,
    device: str,
    progress: Progress,
) -> float:
    """Code a padded batch; its NLL in bits. While one chunk is evaluated, a second thread codes the one before."""
    known = model.parallel(padded, spec, device)

    def code(distributions: list[Distribution], values: Int32, ends: npt.NDArray[np.int64]) -> float:
        encoder.encode(distributions, values, ends)
        return sum(float(d.bits(np.ascontiguousarray(values[:, c])).sum()) for c, d in enumerate(distributions))

    nll, done = 0.0, 0
    coding: Future[float] | None = None
    with ThreadPoolExecutor(1) as coder:
        for front, ends in grouped(model.order.fronts(spec.batch), CHUNK):
            values = padded[front.image, front.y, front.x].astype(np.int32)
            distributions = known.distributions(front)
            nll += coding.result() if coding else 0.0
            coding = coder.submit(code, distributions, values, ends)
            done += len(front)
            progress(done / spec.batch.positions)
        nll += coding.result() if coding else 0.0
    return nll


def _bits(
    padded: Padded,
    spec: BatchSpec,
    model: DistributionModel,
    tiling: Tiling,
    found: npt.NDArray[np.float32],
    how: Execution,
) -> None:
    """Fill bits [N, H, W, C] from a padded batch."""
    corners = tiling.corners.astype(np.int64)
    order = model.coding_order(spec.channels)
    known, done = model.parallel(padded, spec, how.device), 0
    for front, _ in grouped(model.order.fronts(spec.batch), CHUNK):
        values = padded[front.image, front.y, front.x].astype(np.int32)
        image, y, x = corners[front.image].T + np.stack([np.zeros_like(front.y), front.y, front.x])
        for c, distribution in enumerate(known.distributions(front)):
            found[image, y, x, order[c]] = distribution.bits(np.ascontiguousarray(values[:, c]))
        done += len(front)
        how.progress(done / spec.batch.positions)


def _side_of_kept(model: DistributionModel, known: Pixels, spec: BatchSpec, kept: int) -> bytes:
    """Side information computed from the rows to be completed (channels in coding order), for models that have any.

    Raises:
        ModelError: the model needs it, and nothing is kept.
    """
    flat = np.ascontiguousarray(known.reshape(len(known), 1, -1, spec.channels)[:, :, : max(1, kept)])
    sizes = np.ones(len(flat), np.int32)
    side = model.side_information(flat, replace(spec, batch=Batch(sizes, sizes * flat.shape[2])))
    if side and not kept:
        raise ModelError(
            f"model {model.name} has no distribution until it has seen a picture", remedy="give one to complete"
        )
    return side


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch with one thread: a front is too little work to share out."""
    torch = sys.modules.get("torch")
    if torch is None:  # nothing has imported it
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fill(padded: Padded, spec: BatchSpec, model: DistributionModel, source: Source, how: Execution) -> None:
    """Fill a batch (channels as stored) front by front with a source's values. If the model has a view, fill that
    first."""
    run, viewer, progress = partial(_fill_naively, how.device) if how.naive else _fill, model.viewer(spec), how.progress
    with _one_thread():
        if viewer is not None:
            own, of_view = viewer
            view: Padded = np.zeros((*padded.shape[:3], of_view.channels), np.uint8)
            run(view, of_view, own, source, shared(progress, 0, 2))
            spec, progress = replace(spec, view=view), shared(progress, 1, 2)
        run(padded, spec, model, source, progress)


def _fill(padded: Padded, spec: BatchSpec, model: DistributionModel, source: Source, progress: Progress) -> None:
    state = model.incremental(spec)
    order = model.coding_order(spec.channels)
    done, reported, total = 0, 0, spec.batch.positions
    for front in model.order.fronts(spec.batch):
        state.begin(front)
        for c in range(spec.channels):
            values = source(front, c, state.distribution(c))
            state.fill(c, values)
            padded[front.image, front.y, front.x, order[c]] = values
        done += len(front)
        if done - reported >= CHUNK:
            progress(done / total)
            reported = done
    progress(1.0)


def _fill_naively(
    device: str, padded: Padded, spec: BatchSpec, model: DistributionModel, source: Source, progress: Progress
) -> None:
    """Evaluate the picture so far in parallel for every front, and for every channel in it."""
    order = list(model.coding_order(spec.channels))
    past: list[Front] = []
    for front in model.order.fronts(spec.batch):
        past.append(front)
        for c in range(spec.channels):
            known = model.parallel(padded[..., order], spec, device)
            for earlier in past:
                distributions = known.distributions(earlier)
            values = source(front, c, distributions[c])
            padded[front.image, front.y, front.x, order[c]] = values
