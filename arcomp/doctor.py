"""Whether this machine computes what it must: versions, devices, backends, and every layer of every shipped model."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from arcomp import __version__
from arcomp.contract import registry
from arcomp.contract.fixed_input import fixed_picture, layer_digests, stream_digest
from arcomp.contract.library import ENDING, SHIPPED
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights, kind_of
from arcomp.errors import ArcompError

PACKAGES = ("torch", "constriction", "numba", "numpy", "pillow", "safetensors")


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    value: str
    ok: bool = True


def examine(device: str = "cpu") -> list[Finding]:
    """All findings; a machine is fit to write and read files if all are ok.

    Args:
        device: "cpu" or "cuda", for the checks of backends and layers.
    """
    findings = [
        Finding("arcomp", __version__),
        Finding("python", f"{platform.python_version()} on {platform.machine()}"),
    ]
    for package in PACKAGES:
        try:
            findings.append(Finding(package, version(package)))
        except PackageNotFoundError:
            findings.append(Finding(package, "not installed", ok=False))
    return findings + _devices(device) + _backends(device) + _coder() + _models(device)


def _devices(device: str) -> list[Finding]:
    import torch

    cpu = f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return [Finding("cpu", cpu), Finding("cuda", cuda, ok=device == "cpu" or torch.cuda.is_available())]


def _backends(device: str) -> list[Finding]:
    from arcomp.exact.matmul import BACKENDS, choose, self_test

    findings = []
    for backend in BACKENDS:
        said = self_test(backend, device)
        findings.append(Finding(f"backend {backend}", said or "known answers are right", ok=True))
    try:
        chosen, _ = choose(device)
        asked = "ARCOMP_BACKEND" in os.environ
        why = "asked for by ARCOMP_BACKEND" if asked else "the first that is right here"
        findings.append(Finding("backend chosen", f"{chosen} ({why})"))
    except ArcompError as error:
        findings.append(Finding("backend chosen", str(error), ok=False))
    return findings


def _coder() -> list[Finding]:
    """The range coder writes the words it wrote when the format was fixed."""
    from arcomp.coding import Encoder, FrequencyTable
    from arcomp.coding.table import cumulate

    edges = cumulate((np.arange(256, dtype=np.int64) ** 2)[None], 8)
    encoder = Encoder()
    symbols = np.array([[255], [0], [17], [200], [128], [64], [255], [254]], np.int32)
    encoder.encode([FrequencyTable(edges, np.zeros(8, np.int32), 8)], symbols, np.array([3, 8]))
    words = encoder.finish().hex()
    known = "2bf6dad24222a49786df34f1"
    return [Finding("range coder", "known words" if words == known else f"wrong words: {words}", ok=words == known)]


def _models(device: str) -> list[Finding]:
    findings = []
    for path in sorted(SHIPPED.glob("*" + ENDING)):
        try:
            findings.append(_model(path, device))
        except ArcompError as error:
            findings.append(Finding(f"model {path.stem}", str(error), ok=False))
    return findings or [Finding("models", "no weights are shipped with this installation", ok=False)]


def _model(path: Path, device: str) -> Finding:
    weights = Weights.load(path)
    model = registry.from_weights(weights)
    found: dict[str, str] = {}
    for network in sorted({name.split(".")[0] for name in weights.layers}):
        found |= layer_digests(model, *kind_of(network), device=device)
    wrong = sorted(k for k in weights.layers if found.get(k) != weights.layers[k])
    name = f"model {path.stem}"
    if wrong or not found:
        return Finding(name, f"wrong output of layers {', '.join(wrong) or '(none were recorded)'}", ok=False)
    for network in sorted({layer.split(".")[0] for layer in found}):
        said = _coding(model, *kind_of(network), weights.layers.get(f"{network}.stream", ""), device)
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
        decoded, _ = codec.decode(codec.encode(picture, depth, model, device=device).data, model=model)
    except ArcompError as error:
        return f"its fixed picture cannot be decoded: {error.cause}"
    return "" if np.array_equal(decoded, picture) else "its fixed picture does not come back"
