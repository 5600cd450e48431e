"""What a data set would cost: bits of every picture, array or text under a model, without coding any.

Pictures of one size are evaluated together where the model allows it: each costs what it costs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from arcomp.contract.model import Bits, Model, Progress
from arcomp.errors import ArcompError
from arcomp.measure.bits import measure
from arcomp.samples import Bytes, Samples

BATCH = 1 << 16
"""Positions of pictures that are gathered before they are evaluated."""
Refused = Callable[[str, ArcompError], None]
"""Callback given the name of a file that cannot be evaluated, and why."""


@dataclass(frozen=True, eq=False)
class Cost:
    """What a picture costs, or a text.

    Attributes:
        name: of its file.
        index: in its array; None if it is the file's only one.
        samples: bits of each sample, float32 [H, W, C].
        side: its share of what a file carries for the model besides, in bits.
        text: whether it is bytes, not a picture.
    """

    name: str
    index: int | None
    samples: npt.NDArray[np.float32]
    side: float
    text: bool = False

    @property
    def bits(self) -> float:
        """Of all of it."""
        return float(self.samples.sum(dtype=np.float64)) + self.side

    @property
    def rate(self) -> float:
        """Bits a sample."""
        return self.bits / self.samples.size

    @property
    def label(self) -> str:
        """Such as "digits.npy[17]"."""
        return self.name if self.index is None else f"{self.name}[{self.index}]"


def costs(
    files: Iterable[tuple[str, Samples]],
    model: Model,
    *,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
    refused: Refused | None = None,
) -> Iterator[Cost]:
    """What each picture of some files costs, in their sequence.

    Args:
        files: names and what :func:`arcomp.formats.read` read, as the model takes it
            (:func:`arcomp.contract.fitting.fitted`); no more of them are taken than are evaluated
            together.
        model, device, threads: see :func:`arcomp.measure.bits.measure`.
        progress: callback given the part done of what is evaluated together.
        refused: callback given those that cannot be evaluated; the others go on.

    Raises:
        ArcompError: the model does not take them, or they do not fit into memory, and there is no callback for them.
    """

    def measured() -> Iterator[Cost]:
        try:
            found = _measured(waiting, model, device, threads, progress)
        except ArcompError as error:
            if refused is None:
                raise
            for name, _ in waiting:
                refused(name, copy(error))  # each may have the name filled in
            return
        yield from _each(waiting, found)

    waiting: list[tuple[str, Samples]] = []
    for name, samples in files:
        if waiting and not _together(waiting, samples, model):
            yield from measured()
            waiting = []
        waiting.append((name, samples))
    if waiting:
        yield from measured()


def _together(waiting: list[tuple[str, Samples]], new: Samples, model: Model) -> bool:
    """Whether a file may be evaluated together with others: single pictures of one size and depth, and not too many."""
    _, first = waiting[0]
    positions = first.pixels.shape[1] * first.pixels.shape[2]
    if (first.pixels.shape, first.depth, len(new.pixels)) != (new.pixels.shape, new.depth, 1):
        return False
    return model.batches and (len(waiting) + 1) * positions <= BATCH


def _measured(
    waiting: list[tuple[str, Samples]], model: Model, device: str, threads: int | None, progress: Progress
) -> Bits:
    """Of all their pictures, one file's after the other's."""
    samples = waiting[0][1]
    if len(waiting) > 1:
        samples = Samples.of(np.concatenate([samples.pixels for _, samples in waiting]), samples.depth)
    return measure(samples, model, device=device, threads=threads, progress=progress)


def _each(waiting: list[tuple[str, Samples]], found: Bits) -> Iterator[Cost]:
    at = 0
    for name, samples in waiting:
        count, text = len(samples.pixels), isinstance(samples.form, Bytes)
        for i in range(count):
            share = found.side / len(found.samples)
            yield Cost(name, i if count > 1 else None, found.samples[at + i], share, text)
        at += count


def limited(files: Iterable[tuple[str, Samples]], most: int | None) -> Iterator[tuple[str, Samples]]:
    """The first pictures of some files, at most so many."""
    left = most
    for name, samples in files:
        if left is not None:
            samples = replace(samples, stacks=(samples.pixels[:left],))
            left -= len(samples.pixels)
        yield name, samples
        if left == 0:
            return
