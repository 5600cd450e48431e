"""Models as contestants: their files are made and decoded again by the codec."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp import codec, files, jpegs, trials
from arcomp.container import unpack
from arcomp.contract import registry
from arcomp.contract.fitting import narrowed
from arcomp.contract.model import Execution, Model
from arcomp.contract.suiting import made_for
from arcomp.contract.tiling import Tiling
from arcomp.errors import ModelError, has_torch
from arcomp.measure.contestants import Coded, Contestant, NotTakenError, Progress
from arcomp.measure.jpegs import Jpeg, small_jpeg
from arcomp.samples import Bytes, Pixels, Samples
from arcomp.transforms import Node, leaf_kinds, leaves

ABOUT_FILE = 40
"""Bytes of what a member says of its original, at most about: its length and SHA-256."""
Prepare = Callable[[Model, int, int], None]
"""Called with a model, channels and depth before files of them are timed."""


def warm_up(model: Model, channels: int, depth: int) -> None:
    """The usual :data:`Prepare`."""
    codec.warm_up(model, channels, depth)


class ModelContestant(Contestant):
    """One of arcomp's models.

    Args:
        source: as :func:`arcomp.contract.registry.load` takes it.
        name: as tables show it.
        device: where it is evaluated to encode.
        threads: how many tiles a model that learns codes at a time; None: one for each processor.
        prepare: called before the first file of a kind is timed.
        any_size: take pictures that are much larger than those it was made for, too.

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
        any_size: bool = True,
    ) -> None:
        began = time.perf_counter()
        self.model = registry.load(source)
        self.name, self.digest, self.learns = name or source, self.model.digest.hex(), self.model.learns
        self.parameters, self.takes_bytes = self.model.parameters, self.model.takes_bytes
        self.device, self.threads, self.prepare, self.any_size = device, threads, prepare, any_size
        self._prepared: set[tuple[int, int, int]] = set()
        self._prepared_jpegs: set[int] = set()
        self._trees: tuple[Node, ...] = ()
        self.startup_seconds = time.perf_counter() - began

    def fitted(self, samples: Samples) -> Samples:
        try:
            own = narrowed(samples, self.model)
            self._trees = codec.transforms(own, self.model)
            kinds = codec.leaves_of(own, self._trees)
            if kinds and all(leaf.model for leaf in kinds):  # all of it would be coded by another model
                self.model.check(own.channels, own.depth)
            if not self.any_size and self.takes_bytes and not isinstance(own.form, Bytes):
                raise ModelError("is a model of text")
            own_kinds = [leaf for leaf in kinds if not leaf.model and not isinstance(own.form, Bytes)]
            if not (self.any_size or all(made_for(self.model, leaf.shape, leaf.depth) for leaf in own_kinds)):
                raise ModelError("is made for smaller pictures")
        except ModelError as error:
            raise NotTakenError(error.cause) from error
        return own

    def warm_up(self, samples: Samples) -> None:
        models = codec.Models(self.model)
        for leaf in codec.leaves_of(samples, self._trees):
            key = leaf.model, leaf.shape[3], leaf.depth
            if key not in self._prepared:
                began = time.perf_counter()
                self.prepare(models[leaf.model], leaf.shape[3], leaf.depth)
                self._prepared.add(key)
                self.startup_seconds += time.perf_counter() - began

    def encode(self, samples: Samples, progress: Progress = lambda part: None) -> Coded:
        trials.forget()  # a small picture was coded before, to choose its transform
        made = codec.encode(
            samples, self.model, trees=self._trees, device=self.device, threads=self.threads, progress=progress
        )
        return Coded(made.data, made.nll_bits, made.network_bits)

    def decode(self, data: bytes, progress: Progress = lambda part: None) -> tuple[Pixels, ...]:
        return codec.decode(data, self.model, Execution(threads=self.threads, progress=progress)).stacks

    def identical(self, samples: Samples, decoded: tuple[Pixels, ...]) -> bool:
        return len(decoded) == len(samples.stacks) and all(map(np.array_equal, decoded, samples.stacks))

    def float_bits(self, samples: Samples) -> float | None:
        models, total = codec.Models(self.model), 0.0
        for stack, tree in zip(samples.stacks, self._trees, strict=True):
            made = leaves(tree, stack, samples.depth, samples.palette)
            kinds = leaf_kinds(tree, stack.shape, samples.depth, samples.palette)
            for leaf, kind in zip(made, kinds, strict=True):
                bits = float_nll(models[kind.model], leaf, kind.depth, self.device)
                if bits is None:
                    return None
                total += bits
        return total

    def warm_up_jpeg(self, jpeg: Jpeg) -> None:
        if self.takes_bytes or jpegs.for_jpegs(self.model) is None:
            raise NotTakenError("codes no JPEGs")
        if jpeg.components not in self._prepared_jpegs:
            began = time.perf_counter()
            self.decode_jpeg(self.encode_jpeg(small_jpeg(jpeg.components)).data)
            self._prepared_jpegs.add(jpeg.components)
            self.startup_seconds += time.perf_counter() - began

    def encode_jpeg(self, jpeg: Jpeg, progress: Progress = lambda part: None) -> Coded:
        """A whole file. What is said of its NLL includes what restores a file and is no coefficient: skeleton, packed,
        and what is kept about the file."""
        settings = files.Settings(threads=self.threads, verify=False)
        found = files.examine(jpeg.data, self.model, settings=settings)
        restores = ABOUT_FILE + (found.packed.size if found.packed else 0)
        made = files.compress(found, self.model, settings, progress=progress)
        return Coded(made.data, made.coded.nll_bits + 8 * restores if made.coded else None)

    def decode_jpeg(self, data: bytes, progress: Progress = lambda part: None) -> bytes:
        return files.restored(unpack(data), how=Execution(threads=self.threads, progress=progress))


def float_nll(model: Model, pixels: npt.NDArray[Any], depth: int, device: str = "cpu") -> float | None:
    """Bits of pictures [N, H, W, C] under a model's float evaluation, cut into tiles as the codec cuts them; None if
    it has none, or torch is not installed."""
    if not has_torch():
        return None
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
