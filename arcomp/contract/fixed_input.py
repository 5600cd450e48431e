"""The fixed picture that digests of layers are taken on: integers from a linear congruential generator.

Digests of shipped weights say what every machine must make of it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.model import BatchSpec, Execution, Model
from arcomp.contract.tiling import Tiling
from arcomp.contract.weights_file import network_name
from arcomp.errors import ExactnessError
from arcomp.exact import kept

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


def _tiles(model: Model, channels: int, depth: int) -> tuple[Tiling, BatchSpec]:
    """How the fixed picture is cut, and the spec of its tiles: some models take no pictures larger than a tile."""
    tiling = Tiling((1, HEIGHT, WIDTH), model.tile(HEIGHT, WIDTH, channels, depth))
    return tiling, BatchSpec(tiling.batch, channels, depth)


def stream_digest(model: Model, channels: int, device: str = "cpu") -> str:
    """Digest (hex) of the stream that the fixed picture is coded to, while nobody watches the layers."""
    tiling, spec = _tiles(model, channels, 8)
    digest = hashlib.sha256()
    for stream in model.known_streams(fixed_picture(channels), tiling, spec, Execution(device)):
        digest.update(np.frombuffer(stream, np.uint8).astype("<i8").tobytes())
    return digest.hexdigest()


def layer_digests(model: Model, channels: int, depth: int = 8, device: str = "cpu") -> dict[str, str]:
    """Digest (hex) of every layer's output on the fixed picture, by "network.layer"."""
    network = network_name(channels, depth)
    hashes: dict[str, Any] = {}

    def watch(name: str, values: npt.NDArray[Any]) -> None:
        digest = hashes.setdefault(f"{network}.{name}", hashlib.sha256())
        digest.update(np.ascontiguousarray(values, "<i8").tobytes())

    model.watch(fixed_picture(channels) >> (8 - depth), *_tiles(model, channels, depth), watch, device)
    return {name: digest.hexdigest() for name, digest in hashes.items()}


def check_answers(model: Model, channels: int, depth: int) -> None:
    """Make sure that compiled code does what it did when a model was frozen: once for each cache of compiled code.

    Encoding and verifying run the same code, so wrong code might agree with itself.

    Args:
        model: will code pictures of that many channels and that depth; no answer may be known for them.

    Raises:
        ExactnessError: it computes otherwise. All compiled code is forgotten then.
    """
    network = network_name(channels, depth)
    known = {name: digest for name, digest in model.answers.items() if name.startswith(network + ".")}
    question = f"{model.digest.hex()} {network}"
    if not known or kept.answered(question):
        return
    stream = f"{network}.stream"
    found = {stream: stream_digest(model, channels)} if stream in known else layer_digests(model, channels, depth)
    if any(known.get(name) != digest for name, digest in found.items()):
        kept.forget_all()
        raise ExactnessError(
            f"compiled code of model {model.name} computes what it should not",
            remedy="try again: it is compiled anew then; and run `arcomp doctor`",
        )
    kept.remember_answer(question)
