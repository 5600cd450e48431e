"""Evaluations of layers and models, to be compared: random inputs, and all frequencies of all positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import Distribution, digit_widths
from arcomp.contract.distributions import DistributionModel, coded
from arcomp.contract.model import BatchSpec
from arcomp.layers.embedding import ExactEmbedding
from arcomp.layers.masked import ExactMasked
from arcomp.layers.spatial import ExactConv
from arcomp.orders import Batch, grouped
from tests.specimens import MODELS, batch_of, pictures

CONTENTS = ("smooth", "noise", "extreme")


SIZES = ((7, 9), (1, 13), (11, 1), (5, 6))


def random_input(seed: int, batch: Batch, features: int, grid: Any) -> npt.NDArray[Any]:
    rng = np.random.default_rng(seed)
    shape = (len(batch), int(batch.heights.max()), int(batch.widths.max()), features)
    values = rng.integers(grid.low, grid.high + 1, shape)
    ends = rng.choice([grid.low, grid.high], shape)
    kind = np.int8 if grid.largest <= 128 else np.int16
    return np.where(rng.random(shape) < 0.3, ends, values).astype(kind)


def inputs_of(seed: int, batch: Batch, features: int, grids: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
    return [random_input(seed + i, batch, features, grid) for i, grid in enumerate(grids)]


def sees_itself(layer: Any) -> bool:
    """Whether a group's outputs depend on its own inputs at the position, as under mask B."""
    if isinstance(layer, ExactEmbedding):
        return layer.spec.mask == "B"
    if not isinstance(layer, ExactConv):
        return not isinstance(layer, ExactMasked)
    here = layer.taps.tolist().index([0, 0]) if [0, 0] in layer.taps.tolist() else None
    features = layer.groups * layer.inputs
    weight = layer.group[0].weight
    return here is not None and bool(weight[:, here * features : here * features + layer.inputs].any())


def spec_for(model: DistributionModel, padded: npt.NDArray[Any], batch: Batch, depth: int) -> BatchSpec:
    kind = BatchSpec(batch, padded.shape[3], depth)
    return coded(model, padded, replace(kind, side=model.side_information(padded, kind)))[-1][2]


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
    model: DistributionModel, padded: npt.NDArray[Any], kind: BatchSpec, least: int = 1
) -> dict[tuple[int, ...], list[Any]]:
    """Fingerprints of all positions and channels by (image, y, x, channel), from a whole evaluation."""
    whole = model.parallel(padded, kind)
    found: dict[tuple[int, ...], list[Any]] = {}
    for front, _ in grouped(model.order.fronts(kind.batch), least):
        values = padded[front.image, front.y, front.x].astype(np.int32)
        for c, d in enumerate(whole.distributions(front)):
            parts = fingerprint(d, np.ascontiguousarray(values[:, c]))
            for i in range(len(front)):
                found[int(front.image[i]), int(front.y[i]), int(front.x[i]), c] = [p[i].tolist() for p in parts]
    return found


def stepped(model: DistributionModel, padded: npt.NDArray[Any], kind: BatchSpec) -> dict[tuple[int, ...], list[Any]]:
    """The same from an evaluation front by front."""
    state = model.incremental(kind)
    found: dict[tuple[int, ...], list[Any]] = {}
    for front in model.order.fronts(kind.batch):
        state.begin(front)
        for c in range(kind.channels):
            values = np.ascontiguousarray(padded[front.image, front.y, front.x, c].astype(np.int32))
            parts = fingerprint(state.distribution(c), values)
            state.fill(c, values)
            for i in range(len(front)):
                found[int(front.image[i]), int(front.y[i]), int(front.x[i]), c] = [p[i].tolist() for p in parts]
    return found
