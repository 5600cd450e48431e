"""Coefficients of made-up JPEGs, and small models of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from arcomp.coefficients import MAX_VALUE, Coefficients, Component
from arcomp.contract.weights_file import Weights
from arcomp.models.jpeg.config import JpegConfig
from arcomp.models.jpeg.model import JpegModel
from arcomp.models.jpeg.net import Jpeg, PlacedLinear
from arcomp.models.jpeg.training import JpegTrainer
from tests.layers import ends

CONFIG = JpegConfig(3, (20, 12), (9, 10), 12, 12)
SAMPLINGS: dict[str, tuple[tuple[int, int], ...]] = {
    "gray": ((1, 1),),
    "two": ((2, 1), (1, 1)),
    "4:4:4": ((1, 1), (1, 1), (1, 1)),
    "4:2:0": ((2, 2), (1, 1), (1, 1)),
    "4:2:0 and 4:2:2": ((2, 2), (1, 1), (1, 2)),
    "4:1:1": ((4, 1), (1, 1), (1, 1)),
    "finer chroma": ((1, 1), (2, 2), (2, 1)),
    "odd": ((3, 2), (1, 1), (2, 1)),
    "four": ((2, 2), (1, 1), (1, 1), (2, 2)),
}
CONTENTS = ("usual", "sparse", "extreme", "zero")


@cache
def tiny(extreme: bool = False, tables: int = 12, online: bool = False) -> JpegModel:
    """Small networks with random weights, or with all of them at their limits. ``online``: two of coefficients, whose
    last layers learn."""
    torch.manual_seed(4)
    second = (7, 9) if online else ()
    network = Jpeg(JpegConfig(3, CONFIG.hidden, CONFIG.end_hidden, tables, CONFIG.bits, second, online, 0.01, 5))
    with torch.no_grad():
        for layers in (network.coefficient, *([] if network.second is None else [network.second])):
            assert isinstance(layers, torch.nn.ModuleList)
            first = layers[0]
            assert isinstance(first, PlacedLinear)
            first.places.normal_(std=0.3)
    weights = JpegTrainer().freeze({3: network})
    if not extreme:
        return JpegModel(weights)
    rng, arrays = np.random.default_rng(4), dict(weights.arrays)
    for name, a in weights.arrays.items():
        if name.endswith("weight"):
            arrays[name] = rng.choice(ends(False), a.shape)
        elif name.endswith("bias"):
            arrays[name] = rng.choice(np.array([-(2**29), 2**29], np.int32), a.shape)
    return JpegModel(Weights(weights.model, weights.config, arrays))


def coefficients(sampling: str, content: str, units: tuple[int, int] = (3, 2), seed: int = 0) -> Coefficients:
    """Of so many units of interleaved blocks, vertically and horizontally."""
    rng, components = np.random.default_rng(seed), []
    for across, down in SAMPLINGS[sampling]:
        shape = (units[0] * down, units[1] * across, 64)
        scale = 60.0 / (1 + np.add.outer(np.arange(8), np.arange(8)).reshape(64) ** 2)
        blocks = np.rint(rng.laplace(size=shape) * scale)
        blocks[..., 0] += 40 * np.arange(shape[1])
        steps = rng.integers(1, 60, 64)
        if content == "sparse":
            blocks *= rng.random(shape) < 0.02
        elif content == "extreme":
            blocks = rng.choice([-MAX_VALUE, MAX_VALUE, 0, 1], shape)
            steps = rng.choice([0, 1, 255, 65535], 64)
        elif content == "zero":
            blocks[:] = 0
        blocks = np.clip(blocks, -MAX_VALUE, MAX_VALUE).astype(np.int16)
        components.append(Component(blocks, steps.astype(np.uint16), (across, down)))
    return Coefficients(tuple(components), 8, 8)


def same(a: Coefficients, b: Coefficients) -> bool:
    return all(np.array_equal(x.blocks, y.blocks) for x, y in zip(a.components, b.components, strict=True))
