"""Evaluations of layers and models, to be compared: random inputs, and all frequencies of all positions."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import Distribution, digit_widths
from arcomp.contract.distributions import DistributionModel, coded
from arcomp.contract.model import BatchSpec
from arcomp.layers.conv import ExactConv
from arcomp.layers.embedding import ExactEmbedding
from arcomp.layers.masked import ExactMasked
from arcomp.orders import Batch, Front, grouped
from tests.contents import pictures
from tests.specimens import MODELS, batch_of

CONTENTS = ("smooth", "noise", "extreme")


SIZES = ((7, 9), (1, 13), (11, 1), (5, 6))


def random_input(seed: int, batch: Batch, features: int, source: Any) -> npt.NDArray[Any]:
    rng = np.random.default_rng(seed)
    shape = (len(batch), int(batch.heights.max()), int(batch.widths.max()), features)
    values = rng.integers(source.low, source.high + 1, shape)
    ends = rng.choice([source.low, source.high], shape)
    dtype = np.int8 if source.largest <= 128 else np.int16
    return np.where(rng.random(shape) < 0.3, ends, values).astype(dtype)


def inputs_of(seed: int, batch: Batch, features: int, sources: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
    return [random_input(seed + i, batch, features, source) for i, source in enumerate(sources)]


def sees_itself(layer: Any) -> bool:
    """Whether a group's outputs depend on its own inputs at the position, as under mask B."""
    if isinstance(layer, ExactEmbedding):
        return layer.spec.mask == "B"
    if not isinstance(layer, ExactConv):
        return not isinstance(layer, ExactMasked)
    here = layer.taps.tolist().index([0, 0]) if [0, 0] in layer.taps.tolist() else None
    features = layer.groups * layer.inputs
    weight = layer.by_group[0].weight
    return here is not None and bool(weight[:, here * features : here * features + layer.inputs].any())


def spec_for(model: DistributionModel, padded: npt.NDArray[Any], batch: Batch, depth: int) -> BatchSpec:
    spec = BatchSpec(batch, padded.shape[3], depth)
    return coded(model, padded, replace(spec, side=model.side_information(padded, spec)))[-1][2]


def fingerprint(d: Distribution, values: npt.NDArray[np.int32]) -> list[npt.NDArray[Any]]:
    """All frequencies on the way to the values, and the values' masses."""
    out: list[npt.NDArray[Any]] = [d.masses(values)]
    widths = digit_widths(d.depth)
    for level in range(len(widths)):
        prefix = (values >> sum(widths[level:])).astype(np.int32)
        f = d.frequencies(level, prefix)
        assert (f >= 0).all()
        assert (f == np.floor(f)).all()
        assert (f.astype(np.int64).sum(1) == (1 << 24) - (1 << widths[level])).all()
        out.append(f)
    return out


def by_position(front: Front, channel: int, parts: list[npt.NDArray[Any]]) -> dict[tuple[int, ...], Any]:
    """What each part has for a position, by (image, y, x, channel)."""
    positions = zip(front.image.tolist(), front.y.tolist(), front.x.tolist(), repeat(channel))
    return dict(zip(positions, zip(*(p.tolist() for p in parts), strict=True), strict=True))


def padded_of(
    name: str, content: str, sizes: tuple[tuple[int, int], ...]
) -> tuple[DistributionModel, npt.NDArray[Any], BatchSpec]:
    make, channels, depth = MODELS[name]
    model = make()
    batch = batch_of(*sizes)
    padded = pictures(content, (int(batch.heights.max()) * len(batch), int(batch.widths.max()), channels), depth)
    padded = padded.reshape(len(batch), -1, padded.shape[1], channels).copy()
    for i, (h, w) in enumerate(sizes):
        padded[i, h:] = 0
        padded[i, :, w:] = 0
    return model, padded, spec_for(model, padded, batch, depth)


def evaluated(
    model: DistributionModel, padded: npt.NDArray[Any], spec: BatchSpec, least: int = 1, device: str = "cpu"
) -> dict[tuple[int, ...], Any]:
    """Fingerprints of all positions and channels by (image, y, x, channel), from an evaluation in parallel."""
    parallel = model.parallel(padded, spec, device)
    found: dict[tuple[int, ...], Any] = {}
    for front, _ in grouped(model.order.fronts(spec.batch), least):
        values = padded[front.image, front.y, front.x].astype(np.int32)
        for c, d in enumerate(parallel.distributions(front)):
            found |= by_position(front, c, fingerprint(d, np.ascontiguousarray(values[:, c])))
    return found


def stepped(model: DistributionModel, padded: npt.NDArray[Any], spec: BatchSpec) -> dict[tuple[int, ...], Any]:
    """The same from an evaluation front by front."""
    state = model.incremental(spec)
    found: dict[tuple[int, ...], Any] = {}
    for front in model.order.fronts(spec.batch):
        state.begin(front)
        for c in range(spec.channels):
            values = np.ascontiguousarray(padded[front.image, front.y, front.x, c].astype(np.int32))
            parts = fingerprint(state.distribution(c), values)
            state.fill(c, values)
            found |= by_position(front, c, parts)
    return found
