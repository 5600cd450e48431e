"""What the float models of ``context`` and ``photo`` share: a trunk and heads, frozen layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.layers.float.linear import Linear, dequantize_linear, freeze_linear
from arcomp.layers.frozen import Arrays
from arcomp.layers.quantisation import RECTIFIED8, SIGNED8

CHUNK = 1 << 14
"""Positions that are evaluated at a time."""


def _layers(net: Any) -> Iterator[tuple[str, Linear, npt.NDArray[np.int64]]]:
    """Layers by name, with the zero points of their inputs."""
    for part in ("trunk", "hidden", "heads"):
        for i, layer in enumerate(getattr(net, part)):
            zeros = np.full(layer.in_features, RECTIFIED8.zero, np.int64)
            if part == "trunk" and i == 0:
                zeros[:] = SIGNED8.zero
            elif part == "hidden":  # a head's further inputs are around zero
                zeros[len(zeros) - net.config.extras(i) :] = SIGNED8.zero
            yield f"{part}.{i}", layer, zeros


def freeze_layers(net: Any) -> Arrays:
    """The integers of all layers, by "part.number.array"."""
    return {
        f"{name}.{key}": a
        for name, layer, zeros in _layers(net)
        for key, a in freeze_linear(layer, SIGNED8.bits, zeros).items()
    }


def dequantize_layers(net: Any, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Give a float network the weights that integers stand for."""
    for name, layer, zeros in _layers(net):
        own = {key: arrays[f"{name}.{key}"] for key in ("weight", "bias", "multiplier", "shift")}
        dequantize_linear(layer, own, SIGNED8.bits, zeros)


@torch.inference_mode()
def total_bits(net: Any, pictures: npt.NDArray[np.uint8], device: str = "cpu") -> float:
    """Bits of pictures, uint8 [n, H, W, C], under a float network, nothing rounded, on a device."""
    total = 0.0
    net.to(device)
    for picture in pictures:
        examples = {name: torch.from_numpy(a).to(device) for name, a in net.examples(picture).items()}
        for begin in range(0, len(examples["values"]), CHUNK):
            part = {name: a[begin : begin + CHUNK] for name, a in examples.items()}
            total += float(net.bits(**part).double().sum())
    return total
