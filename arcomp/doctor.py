"""Whether this machine computes what it must: versions, devices, backends, and every layer of every shipped model."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from arcomp import __version__
from arcomp.contract import registry
from arcomp.contract.coefficients import comes_back
from arcomp.contract.fixed_input import fixed_picture, layer_digests, stream_digest
from arcomp.contract.library import ENDING, SHIPPED
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights, channels_and_depth
from arcomp.errors import ArcompError, has_torch
from arcomp.samples import Samples

OPTIONAL = {
    "torch": "not installed: it is for training, GPUs and likelihoods in float alone",
    "constriction": "not installed: the project's own range coder, which writes the same, takes its place",
}
"""Packages of PACKAGES that may be missing, and what is said then."""
PACKAGES = ("torch", "constriction", "numba", "numpy", "pillow", "safetensors")


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    value: str
    ok: bool = True


def examine(device: str = "cpu") -> Iterator[Finding]:
    """Findings, each as soon as it is found; a machine is fit to write and read files if all are ok.

    Args:
        device: "cpu" or "cuda", for the checks of backends and layers.
    """
    yield Finding("arcomp", __version__)
    yield Finding("python", f"{platform.python_version()} on {platform.machine()}")
    for package in PACKAGES:
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, OPTIONAL.get(package, "not installed"), ok=package in OPTIONAL)
    yield from _devices(device)
    yield from _backends(device)
    yield _coder()
    yield from _models(device)


def _devices(device: str) -> Iterator[Finding]:
    from arcomp.exact.dense import instructions
    from arcomp.exact.threads import threads

    yield Finding("cpu", f"products by {instructions()}, {threads()} threads")
    if not has_torch():
        return
    import torch

    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    yield Finding("cuda", cuda, ok=device == "cpu" or torch.cuda.is_available())


def _backends(device: str) -> Iterator[Finding]:
    from arcomp.exact.matmul import BACKENDS, choose, self_test

    for backend in BACKENDS:
        said = self_test(backend, device)
        yield Finding(f"backend {backend}", said or "known answers are right")
    try:
        chosen, _ = choose(device)
        asked = "ARCOMP_BACKEND" in os.environ
        why = "asked for by ARCOMP_BACKEND" if asked else "the first that is right here"
        yield Finding("backend chosen", f"{chosen} ({why})")
    except ArcompError as error:
        yield Finding("backend chosen", str(error), ok=False)


def _coder() -> Finding:
    """The range coder writes the words it wrote when the format was fixed."""
    from arcomp.coding import Encoder, FrequencyTable
    from arcomp.coding.choice import chosen
    from arcomp.coding.table import cumulate

    edges = cumulate((np.arange(256, dtype=np.int64) ** 2)[None], 8)
    symbols = np.array([[255], [0], [17], [200], [128], [64], [255], [254]], np.int32)
    try:
        name, encoder = chosen(), Encoder()
    except ArcompError as error:
        return Finding("range coder", str(error), ok=False)
    encoder.encode([FrequencyTable(edges, np.zeros(8, np.int32), 8)], symbols, np.array([3, 8]))
    words = encoder.finish().hex()
    right = words == "2bf6dad24222a49786df34f1"
    return Finding("range coder", f"{name}, " + ("known words" if right else f"wrong words: {words}"), ok=right)


def _models(device: str) -> Iterator[Finding]:
    paths = sorted(SHIPPED.glob("*" + ENDING))
    for path in paths:
        try:
            yield _model(path, device)
        except ArcompError as error:
            yield Finding(f"model {path.stem}", str(error), ok=False)
    if not paths:
        yield Finding("models", "no weights are shipped with this installation", ok=False)


def _model(path: Path, device: str) -> Finding:
    weights = Weights.load(path)
    model = registry.from_weights(weights)
    found: dict[str, str] = {}
    for network in sorted({name.split(".")[0] for name in weights.layers}):
        found |= layer_digests(model, *channels_and_depth(network), device=device)
    wrong = sorted(k for k in weights.layers if found.get(k) != weights.layers[k])
    name = f"model {path.stem}"
    if wrong or not found:
        return Finding(name, f"wrong output of layers {', '.join(wrong) or '(none were recorded)'}", ok=False)
    for network in sorted({layer.split(".")[0] for layer in found}):
        said = _coding(model, *channels_and_depth(network), weights.layers.get(f"{network}.stream", ""), device)
        if said:
            return Finding(name, said, ok=False)
    about = f"{len(found)} layers as they were when frozen; the fixed picture comes back"
    return Finding(name, f"{model.digest.hex()[:16]}, {about}")


def _coding(model: Model, channels: int, depth: int, stream: str, device: str) -> str:
    """What is wrong with how files are coded and decoded, by the kernels that do it, which give away no layers.

    Args:
        stream: digest of what a model that learns makes of the fixed picture; "" for others.
    """
    from arcomp import codec

    picture = fixed_picture(channels) >> (8 - depth)
    if stream and stream_digest(model, channels, device) != stream:
        return "its fixed picture is coded otherwise than when it was frozen"
    try:
        if model.takes_coefficients:
            return "" if comes_back(model, picture) else "its fixed coefficients do not come back"
        data = codec.encode(Samples.of(picture, depth), model, device=device).data
        decoded = codec.decode(data, model).pixels
    except ArcompError as error:
        return f"its fixed picture cannot be decoded: {error.cause}"
    return "" if np.array_equal(decoded, picture) else "its fixed picture does not come back"
