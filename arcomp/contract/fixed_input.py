"""The fixed picture that digests of layers are taken on: integers from a linear congruential generator."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.model import BatchSpec, ExactModel, LearningModel, Model, Stream, coded
from arcomp.contract.tiling import Tiling
from arcomp.contract.weights_file import network_name
from arcomp.orders import grouped

HEIGHT, WIDTH = 24, 40


def fixed_picture(channels: int) -> npt.NDArray[np.uint8]:
    """uint8 [1, 24, 40, channels]: ramps, edges and noise; the same everywhere."""
    samples = []
    state = 12345
    for y in range(HEIGHT):
        for x in range(WIDTH):
            for c in range(channels):
                state = (state * 1103515245 + 12345) % 2**31
                noise = (state >> 16) % (1 if x < 10 else 7 if x < 20 else 40 if x < 30 else 256)
                samples.append((5 * x + 3 * y + 20 * c + noise + (90 if y > 12 else 0)) % 256)
    return np.array(samples, np.uint8).reshape(1, HEIGHT, WIDTH, channels)


def _hash_of(stream: Stream) -> Any:
    return hashlib.sha256(np.frombuffer(stream.data, np.uint8).astype("<i8").tobytes())


def stream_digest(model: LearningModel, channels: int, device: str = "cpu") -> str:
    """Digest (hex) of what a model that learns makes of the fixed picture, nobody watching its layers."""
    ordered = fixed_picture(channels)[0][..., list(model.coding_order(channels))]
    return str(_hash_of(model.encode(np.ascontiguousarray(ordered), device)).hexdigest())


def layer_digests(model: Model, channels: int, depth: int = 8, device: str = "cpu") -> dict[str, str]:
    """Digest (hex) of every layer's output on the fixed picture, by "network.layer"."""
    network = network_name(channels, depth)
    canvas = fixed_picture(channels)[..., list(model.coding_order(channels))] >> (8 - depth)
    hashes: dict[str, Any] = {}

    def watch(name: str, values: npt.NDArray[Any]) -> None:
        h = hashes.setdefault(f"{network}.{name}", hashlib.sha256())
        h.update(np.ascontiguousarray(values, "<i8").tobytes())

    if isinstance(model, LearningModel):
        stream = model.encode(np.ascontiguousarray(canvas[0]), device, watch=watch)
        hashes[f"{network}.stream"] = _hash_of(stream)
    elif isinstance(model, ExactModel):
        tiling = Tiling((1, HEIGHT, WIDTH), model.tile(HEIGHT, WIDTH, channels, depth))  # some take no larger pictures
        kind = BatchSpec(tiling.batch, channels, depth)
        for own, samples, part in coded(model, tiling.cut(canvas), kind):

            def told(name: str, values: npt.NDArray[Any], of_view: bool = own is not model) -> None:
                watch(f"view.{name}" if of_view else name, values)

            whole = own.parallel(samples, part, device, told)
            for front, _ in grouped(own.order.fronts(tiling.batch), 1 << 20):
                values = samples[front.image, front.y, front.x].astype(np.int32)
                for c, distribution in enumerate(whole.distributions(front)):
                    told(f"masses.{c}", distribution.masses(np.ascontiguousarray(values[:, c])))
    return {name: h.hexdigest() for name, h in hashes.items()}
