"""What each sample costs: the exact models' bits, without coding, for ``arcomp eval``, ``score`` and heat maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arcomp import codec
from arcomp.contract.fitting import fitted, narrowed
from arcomp.contract.model import Bits, Execution, Model, Progress
from arcomp.errors import ModelError
from arcomp.samples import Array, Bytes, Pixels, Samples
from arcomp.transforms import Coded, Fold, Leaf, Node, Pile, Transpose, leaf_kinds, leaves
from arcomp.transforms.node import Kind


@dataclass(frozen=True)
class Planned:
    """Samples, and how each stack of them is made into what models take."""

    samples: Samples
    trees: tuple[Node, ...]

    def coded_by(self, model: Model) -> list[tuple[Model, Leaf]]:
        """Which model is asked about which leaf; `model` is the one that was asked for."""
        models = codec.Models(model)
        return [(models[leaf.model], leaf) for leaf in codec.leaves_of(self.samples, self.trees)]

    @property
    def is_plain(self) -> bool:
        """Whether it is one stack that the model takes as it is."""
        return len(self.trees) == 1 and isinstance(self.trees[0], Coded)


def planned(samples: Samples, model: Model) -> Planned:
    """How a model measures samples: as they are, if it takes them; pictures of other kinds as the codec codes them.

    Raises:
        ModelError: it does not take them.
    """
    try:
        own = fitted(samples, model)
    except ModelError:
        if isinstance(samples.form, Array | Bytes):
            raise
        return as_coded(samples, model)
    return Planned(own, (Coded(own.depth),) * len(own.stacks))


def as_coded(samples: Samples, model: Model) -> Planned:
    """How the codec codes samples.

    Raises:
        ModelError: the model does not take them.
    """
    own = narrowed(samples, model)
    return Planned(own, codec.transforms(own, model))


def measure(
    samples: Samples | Planned,
    model: Model,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> list[Bits]:
    """Negative log-likelihood of each sample of each stack under exact models, as :func:`arcomp.codec.encode` would
    code it. Where samples are coded as other pictures, what a pixel costs in all of them is shared out equally among
    its samples.

    Args:
        samples: pictures, or bytes.
        model: see :mod:`arcomp.contract.registry`.
        tile: (height, width) of tiles; (0, 0) for whole pictures; None for what suits the model.
        device: of parallel evaluation; models that learn are evaluated on the processor.
        threads: how many tiles a model that learns evaluates at a time; None: one for each processor.
        progress: callback given the part done, 0 to 1, now and then.

    Raises:
        ModelError, ArcompError: as :func:`arcomp.codec.encode`.
    """
    plan = samples if isinstance(samples, Planned) else planned(samples, model)
    models, work = codec.Models(model), codec.Work(progress, plan.samples.size)
    found = []
    for stack, tree in zip(plan.samples.stacks, plan.trees, strict=True):
        depth, palette = plan.samples.depth, plan.samples.palette
        made = []
        kinds = leaf_kinds(tree, stack.shape, depth, palette)
        for leaf, kind in zip(leaves(tree, stack, depth, palette), kinds, strict=True):
            how = Execution(device, threads, progress=work.part(leaf.size))
            made.append(_of_leaf(leaf, kind.depth, models[kind.model], tile, how))
        pictures, height, width, channels = stack.shape
        found.append(_together(tree, made, Kind((pictures, height, width, channels), depth, palette)))
    return found


def _of_leaf(leaf: Pixels, depth: int, model: Model, tile: tuple[int, int] | None, how: Execution) -> Bits:
    tiling, spec = codec.plan(leaf, depth, model, tile, how.threads)
    return model.bits(leaf, tiling, spec, how)


def _together(tree: Node, made: list[Bits], kind: Kind) -> Bits:
    """The bits of a stack of those of its leaves."""
    if isinstance(tree, Coded):
        return made[0]
    each = _of_pixels(tree, (bits.samples.sum(-1) for bits in made), kind) / np.float32(kind.channels)
    network = None
    if any(bits.network is not None for bits in made):
        network = sum(bits.total if bits.network is None else bits.network for bits in made)
    return Bits(np.repeat(each[..., None], kind.channels, axis=3), sum(bits.side for bits in made), network)


def _of_pixels(node: Node, leaves: Iterator[npt.NDArray[np.float32]], kind: Kind) -> npt.NDArray[np.float32]:
    """Bits of each pixel of a stack [N, H, W], where its leaves' are known."""
    if isinstance(node, Coded):
        return next(leaves)
    parts = [_of_pixels(child, leaves, made) for child, made in zip(node.children(), node.kinds(kind), strict=True)]
    if isinstance(node, Transpose | Pile | Fold):
        return node.join([parts[0][..., None]], kind.of(channels=1))[..., 0]
    return sum(parts, np.zeros(kind.shape[:3], np.float32))
