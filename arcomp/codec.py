"""Samples to a file and back.

samples -> a transform -> leaves -> tiles -> each leaf's model -> streams -> container, and back. How a picture is coded
is the model's (:mod:`arcomp.contract.model`); which transform a kind of samples needs, :mod:`arcomp.planning`'s. Whole
files, of which samples are a part, are in :mod:`arcomp.files`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

import numpy as np

from arcomp import trials
from arcomp.claims import check_member, check_memory, check_seconds, coded_bytes
from arcomp.container import DIGEST_BYTES, Geometry, Member, ModelId, Part, pack, samples_checksum, unpack
from arcomp.contract import registry
from arcomp.contract.fitting import narrowed
from arcomp.contract.fixed_input import check_answers
from arcomp.contract.model import USUAL, BatchSpec, Execution, Model, Payload, Progress
from arcomp.contract.tiling import Tiling
from arcomp.errors import ArcompError, FormatError, ModelError, VerificationError
from arcomp.formats.pnm import maximum_of
from arcomp.limits import USUAL_LIMITS, Limits
from arcomp.planning import FALLBACK, number
from arcomp.planning import plan as plan_stack
from arcomp.samples import Bytes, Pixels, Samples
from arcomp.transforms import Coded, Kind, Leaf, Node, coded_leaves, joined, leaf_kinds, leaves, renumbered

_asked: set[tuple[bytes, int, int]] = set()


@dataclass(frozen=True)
class Encoded:
    """Compressed samples, and figures about them.

    Attributes:
        member: what a file of them holds.
        nll_bits: negative log-likelihood of the samples under the exact models, in bits, plus the bits of their side
            information (the histogram's counts).
        samples: number of sub-pixels.
        seconds: evaluation and coding, without start-up.
        network_bits: for a model that learns while it codes, bits under its network alone: without what it counts, but
            with the lattice of colours, and with heads that learn. None for other models.
    """

    member: Member
    nll_bits: float
    samples: int
    seconds: float
    network_bits: float | None = None
    _data: list[bytes] = field(default_factory=list, repr=False, compare=False)

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        if not self._data:
            self._data.append(pack(self.member))
        return self._data[0]

    @property
    def overhead_percent(self) -> float:
        """How much larger the file is than the model's NLL, in percent (0 for no information at all)."""
        return 100 * (8 * len(self.data) / self.nll_bits - 1) if self.nll_bits else 0.0

    @property
    def bits_per_subpixel(self) -> float:
        """Bits of the whole file, divided by the number of its samples."""
        return 8 * len(self.data) / self.samples if self.samples else 0.0


def encode(
    samples: Samples,
    model: Model,
    *,
    trees: tuple[Node, ...] | None = None,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> Encoded:
    """Compress samples.

    Args:
        samples: pictures, or bytes. Their form is stored, so that decoding gives the same array.
        model: see :mod:`arcomp.contract.registry`. What it does not take is made into what it takes, if it can be.
        trees: the transform of each stack; None: what :func:`transforms` gives.
        tile: (height, width) of the tiles, which are coded independently; (0, 0): whole pictures; None: what suits the
            model.
        device: where the model is evaluated; the file does not depend on it.
        threads: how many tiles a model that learns codes at a time; None: one for each processor.
        progress: callback that is given the part done, 0 to 1, now and then.

    Raises:
        ModelError: the model does not take such samples.
        LimitError: more memory is needed than is free.
        ArcompError: they are too large for a file.
    """
    began = time.perf_counter()
    samples = narrowed(samples, model)
    geometry = Geometry(
        tuple(stack.shape[:3] for stack in samples.stacks), samples.channels, samples.depth, samples.alpha,
        samples.palette,
    )  # fmt: skip
    trees = transforms(samples, model) if trees is None else trees
    models = Models(model)
    parts: list[Part] = []
    bits, network = 0.0, 0.0
    work = Work(progress, sum(stack.size for stack in samples.stacks))
    for stack, tree in zip(samples.stacks, trees, strict=True):
        made = leaves(tree, stack, samples.depth, samples.palette)
        kinds = leaf_kinds(tree, stack.shape, samples.depth, samples.palette)
        for leaf, kind in zip(made, kinds, strict=True):
            how = Execution(device, threads, progress=work.part(leaf.size))
            part, payload = _encode_leaf(leaf, kind.depth, models[kind.model], tile, how)
            parts.append(part)
            bits, network = bits + payload.nll_bits, network + (payload.network_bits or payload.nll_bits)
    crc = samples_checksum(samples.stacks, samples.depth)
    trees, ids = models.listed(trees)
    member = Member(geometry, trees, tuple(parts), ids, samples.form, crc)
    return Encoded(member, bits, samples.size, time.perf_counter() - began, network if model.learns else None)


def transforms(samples: Samples, model: Model, drawings: bool = False) -> tuple[Node, ...]:
    """How each stack is made into what models take.

    Args:
        drawings: whether a model of drawings may be used where it is better.

    Raises:
        ModelError: the model does not take such samples.
    """
    samples = narrowed(samples, model)
    if isinstance(samples.form, Bytes):
        model.check(1, 8)
        return (Coded(8),)
    depth, alpha, palette = samples.depth, samples.alpha, samples.palette
    trees = tuple(plan_stack(stack, depth, alpha, palette, model, drawings) for stack in samples.stacks)
    leaves = leaves_of(samples, trees)
    if leaves and all(leaf.model == FALLBACK for leaf in leaves):  # the one that was asked for would code nothing
        model.check(samples.channels, depth)
    return trees


def leaves_of(samples: Samples, trees: tuple[Node, ...]) -> list[Leaf]:
    """What is coded of samples, without coding it."""
    found: list[Leaf] = []
    for stack, tree in zip(samples.stacks, trees, strict=True):
        found += leaf_kinds(tree, stack.shape, samples.depth, samples.palette)
    return found


def _encode_leaf(
    pixels: Pixels, depth: int, model: Model, tile: tuple[int, int] | None, how: Execution
) -> tuple[Part, Payload]:
    tiling, spec = plan(pixels, depth, model, tile, how.threads)
    _sure_of(model, spec.channels, depth)
    payload = trials.encode(model, pixels, tiling, spec, how)
    return Part(tiling.tile, payload.streams, payload.side, payload.binary_samples), payload


def _sure_of(model: Model, channels: int, depth: int) -> None:
    """Check a model's known answers, in this process once.

    Raises:
        ExactnessError: it gives others.
    """
    asked = (model.digest, channels, depth)
    if asked not in _asked:
        check_answers(model, channels, depth)
        _asked.add(asked)


class Models:
    """The models that code samples, by the numbers that planning gives: the one that was asked for, and others."""

    def __init__(self, first: Model) -> None:
        self._models = {0: first}

    def __getitem__(self, i: int) -> Model:
        if i not in self._models:
            self._models[i] = number(i)
        return self._models[i]

    def listed(self, trees: tuple[Node, ...]) -> tuple[tuple[Node, ...], tuple[ModelId, ...]]:
        """Trees with the numbers that models have in a file, and what it says of those that are used."""
        used = sorted({leaf.model for tree in trees for leaf in coded_leaves(tree)}) or [0]
        ids = tuple(ModelId(self[i].name, self[i].digest[:DIGEST_BYTES]) for i in used)
        return tuple(renumbered(tree, used) for tree in trees), ids


class Work:
    """Makes one progress of the progress of several parts."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, max(1, total), 0

    def part(self, size: int) -> Progress:
        """The callback of a part of so many samples."""
        before, self.done = self.done, self.done + size
        self.total = max(self.total, self.done)
        return lambda part: self.progress((before + part * size) / self.total)


def plan(
    pixels: Pixels, depth: int, model: Model, tile: tuple[int, int] | None, threads: int | None
) -> tuple[Tiling, BatchSpec]:
    """How pictures are cut for a model, and the spec of the tiles; arguments and errors are those of :func:`encode`."""
    images, height, width, channels = pixels.shape
    model.check(channels, depth)
    tiling = Tiling((images, height, width), model.tile(height, width, channels, depth) if tile is None else tile)
    spec = BatchSpec(tiling.batch, channels, depth)
    check_memory(tiling, spec, model, threads, USUAL_LIMITS)
    return tiling, spec


def decode(data: bytes | memoryview, model: Model | None = None, how: Execution = USUAL) -> Samples:
    """Decompress the samples of a file.

    Args:
        data: the file's bytes.
        model: the model, if it is not to be looked up by the name and digest in the file.
        how: the samples do not depend on it.

    Returns:
        What was compressed, with its form.

    Raises:
        FormatError: not an arcomp file, damaged, or from a newer version.
        VerificationError: the samples decoded are not those that were encoded.
        ModelError: the model is not here, is not the file's, or does not take such pictures.
        LimitError: it has more pixels, or needs more memory, than is allowed.
        ArcompError: the file holds no pictures.
    """
    return decode_member(unpack(data, how.limits), model, how)


def decode_member(member: Member, model: Model | None = None, how: Execution = USUAL) -> Samples:
    """The samples of a member; arguments and errors are those of :func:`decode`."""
    geometry = member.geometry
    if geometry is None:
        raise ArcompError("holds a file that is no picture", remedy="`arcomp decompress` gives the file back")
    check_member(member, how.limits)
    check_seconds(member, coded_by(member, model), how.limits)
    models = models_of(member, model)
    work = Work(how.progress, sum(math.prod(stack) for stack in geometry.stacks) * geometry.channels)
    stacks = []
    for tree, kind, parts in stacks_of(member):
        made = (
            decode_leaf(part, leaf, models[leaf.model], replace(how, progress=work.part(leaf.size)))
            for part, leaf in parts
        )
        stacks.append(joined(tree, made, kind.shape, kind.depth, kind.palette))
    if samples_checksum(tuple(stacks), geometry.depth) != member.samples_crc:
        raise VerificationError(
            "the samples decoded are not those that were encoded",
            remedy="run `arcomp doctor`, or get a fresh copy of the file",
        )
    maximum = maximum_of(member.skeleton or (), geometry.depth)
    return Samples(tuple(stacks), geometry.depth, member.form, geometry.alpha, geometry.palette, maximum)


def coded_by(member: Member, model: Model | None = None) -> list[tuple[Model, Leaf]]:
    """Which model codes which leaf of a member.

    Args:
        model: see :func:`decode`.

    Raises:
        ModelError: a model is not here.
        FormatError: a transform is not one of its pictures.
    """
    models = models_of(member, model)
    return [(models[leaf.model], leaf) for _, _, parts in stacks_of(member) for _, leaf in parts]


def stacks_of(member: Member) -> list[tuple[Node, Kind, list[tuple[Part, Leaf]]]]:
    """Each stack's transform, what it is, and its coded leaves.

    Raises:
        FormatError: a transform is not one of its pictures.
    """
    geometry, parts = member.geometry, iter(member.parts)
    if geometry is None:
        return []
    found = []
    for tree, stack in zip(member.trees, geometry.stacks, strict=True):
        kind = Kind((*stack, geometry.channels), geometry.depth, geometry.palette)
        kinds = leaf_kinds(tree, kind.shape, kind.depth, kind.palette)
        found.append((tree, kind, [(next(parts), leaf) for leaf in kinds]))
    return found


def check_model(member: Member, model: Model) -> None:
    """Refuse a model that a file was not written with.

    Raises:
        ModelError: it is another one, or has other weights.
    """
    if member.models and not any(is_model(model, wanted) for wanted in member.models):
        wanted = " and ".join(f"{wanted.name}, digest {wanted.digest.hex()}" for wanted in member.models)
        raise ModelError(
            f"was written with {f'model {wanted}' if wanted else 'no model'}, not with {model.name}, digest "
            f"{model.digest.hex()[:16]}",
            remedy="give those weights as the model, or none",
        )


def if_used(model: Model, member: Member) -> Model | None:
    """A model, if parts of a member were coded by it."""
    return model if any(is_model(model, wanted) for wanted in member.models) else None


def is_model(model: Model, wanted: ModelId) -> bool:
    """Whether a model is the one that a file names."""
    return model.name == wanted.name and model.digest[:DIGEST_BYTES] == wanted.digest


def models_of(member: Member, given: Model | None) -> dict[int, Model]:
    """The models that parts of a member need, by their numbers, the given one among them.

    Raises:
        ModelError: one is not here, or the given one is none of them.
    """
    if given is not None:
        check_model(member, given)
    needed = {leaf.model for tree in member.trees for leaf in coded_leaves(tree)}
    return {i: _the(wanted, given, member) for i, wanted in enumerate(member.models) if i in needed}


def model_of_jpegs(member: Member, given: Model | None) -> Model:
    """The model that coded a member's JPEGs.

    Args:
        given: one of the member's models.

    Raises:
        ModelError: it is not here, or the given one is none of the member's.
    """
    if given is not None:
        check_model(member, given)
    return _the(member.models[member.jpeg_model], given, member)


def _the(wanted: ModelId, given: Model | None, member: Member) -> Model:
    if given is not None and is_model(given, wanted):
        return given
    return registry.load_for(wanted.name, wanted.digest, member.weights)


def decode_leaf(part: Part, leaf: Leaf, model: Model, how: Execution) -> Pixels:
    """The samples of a leaf, [N, H, W, C].

    Raises:
        FormatError, ModelError: its streams are damaged, or not ones of such a leaf.
        ArcompError: it needs more memory than this machine has.
    """
    if part.binary_samples and leaf.depth != 1:
        raise FormatError("decisions of samples of more than a bit", remedy="get a fresh copy of the file")
    tiling, spec = tiles_of(part, leaf, model, how.threads, how.limits)
    return model.decode(Payload(part.streams, part.side, part.binary_samples), tiling, spec, how)


def tiles_of(
    part: Part, leaf: Leaf, model: Model, threads: int | None = None, limits: Limits = USUAL_LIMITS
) -> tuple[Tiling, BatchSpec]:
    """How a part's pictures are cut, and the spec of the tiles.

    Raises:
        ModelError, FormatError: the model does not take such pictures; there are too many tiles.
        LimitError: it has more pixels, or needs more memory, than is allowed.
    """
    images, height, width, channels = leaf.shape
    model.check(channels, leaf.depth)
    tiling = Tiling((images, height, width), part.tile)
    spec, pixels = BatchSpec(tiling.batch, channels, leaf.depth), math.prod(tiling.pictures)
    limits.check_pixels(pixels, pixels * channels, coded_bytes(part))
    check_memory(tiling, spec, model, threads, limits, coded_bytes(part))
    return tiling, spec


def warm_up(model: Model, channels: int, depth: int, device: str = "cpu") -> None:
    """Code a few pixels, so that networks are made and kernels compiled before a clock starts.

    Raises:
        ModelError: the model does not take such pictures.
    """
    few = np.zeros((1, 8, 8, channels), np.uint8 if depth <= 8 else np.uint16)
    how = Execution(device)
    part, _ = _encode_leaf(few, depth, model, None, how)
    decode_leaf(part, Leaf(few.shape, depth, 0), model, Execution())
