"""What a data set would cost: bits of every picture, array or text under a model, without coding any.

Pictures of one size are evaluated together where the model allows it: each costs what it costs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arcomp import files as whole_files
from arcomp.contract.model import Bits, Execution, Model, Progress
from arcomp.errors import ArcompError, ModelError, PictureError
from arcomp.formats.common import LOSSY_HINT
from arcomp.jpegs import encode_jpegs, for_jpegs
from arcomp.measure.bits import Planned, measure
from arcomp.measure.inputs import first_of
from arcomp.measure.jpegs import Jpeg
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
    files: Iterable[tuple[str, Planned]],
    model: Model,
    *,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
    refused: Refused | None = None,
) -> Iterator[Cost]:
    """What each picture of some files costs, in their sequence.

    Args:
        files: names, and samples as the model measures them (:func:`arcomp.measure.bits.planned`); no more of them are
            taken than are evaluated together.
        model, device, threads: see :func:`arcomp.measure.bits.measure`.
        progress: callback given the part done of what is evaluated together.
        refused: callback given those that cannot be evaluated; the others go on.

    Raises:
        ArcompError: the model does not take them, or they do not fit into memory, and there is no callback for them.
    """

    def measured() -> Iterator[Cost]:
        try:
            found = measure(_joined(waiting), model, device=device, threads=threads, progress=progress)
        except ArcompError as error:
            if refused is None:
                raise
            for name, _ in waiting:
                refused(name, copy(error))  # each may have the name filled in
            return
        yield from _each(waiting, found)

    waiting: list[tuple[str, Planned]] = []
    for name, plan in files:
        if waiting and not _together(waiting, plan, model):
            yield from measured()
            waiting = []
        waiting.append((name, plan))
    if waiting:
        yield from measured()


def _together(waiting: list[tuple[str, Planned]], new: Planned, model: Model) -> bool:
    """Whether a file may be evaluated together with others: single pictures of one size and depth, and not too many."""
    _, first = waiting[0]
    if not (first.is_plain and new.is_plain) or first.trees != new.trees:
        return False
    own, other = first.samples, new.samples
    positions = own.pixels.shape[1] * own.pixels.shape[2]
    if (own.pixels.shape, own.depth, other.count) != (other.pixels.shape, other.depth, 1):
        return False
    return model.batches and (len(waiting) + 1) * positions <= BATCH


def _joined(waiting: list[tuple[str, Planned]]) -> Planned:
    """All their pictures, one file's after the other's."""
    first = waiting[0][1]
    if len(waiting) == 1:
        return first
    pixels = np.concatenate([plan.samples.pixels for _, plan in waiting])
    return Planned(Samples.of(pixels, first.samples.depth), first.trees)


def _each(waiting: list[tuple[str, Planned]], found: list[Bits]) -> Iterator[Cost]:
    """The costs of all pictures, of several files with one stack each, or of one file."""
    pictures = ((each, bits.side / len(bits.samples)) for bits in found for each in bits.samples)
    for name, plan in waiting:
        count, text = plan.samples.count, isinstance(plan.samples.form, Bytes)
        for i in range(count):
            samples, side = next(pictures)
            yield Cost(name, i if count > 1 else None, samples, side, text)


def limited(files: Iterable[tuple[str, Samples | Jpeg]], most: int | None) -> Iterator[tuple[str, Samples | Jpeg]]:
    """The first pictures of some files, at most so many."""
    left = most
    for name, found in files:
        if left is not None and isinstance(found, Jpeg):
            left -= 1
        elif left is not None and isinstance(found, Samples):
            found = first_of(found, left)
            left -= found.count
        yield name, found
        if left == 0:
            return


def jpeg_bits(
    jpeg: Jpeg, model: Model, *, threads: int | None = None, progress: Progress = lambda part: None
) -> float:  # fmt: skip
    """Bits of the coefficients of a JPEG, and of JPEGs in it, under the model that codes them where a model is asked
    for. What restores the file besides is not among them.

    Args:
        threads, progress: see :func:`costs`.

    Raises:
        ModelError: no model codes them. PictureError: they cannot be read.
    """
    of_jpegs = for_jpegs(model)
    if of_jpegs is None:
        raise ModelError(f"model {model.name} codes no JPEGs", remedy=LOSSY_HINT)
    found = whole_files.examine(jpeg.data, of_jpegs)
    if not found.jpegs:
        raise PictureError("a JPEG that is damaged, or so odd that it is kept as bytes", remedy=LOSSY_HINT)
    return encode_jpegs(found.jpegs, of_jpegs, Execution(threads=threads, progress=progress))[1]
