"""One combination of :mod:`benchmarks.exactness`: encode all pictures, decode the first one's files."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.samples import Pixels
from benchmarks import children
from benchmarks.specimens import SEPARATOR, samples_of


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """Encode and decode.

    Args:
        request: folder (with specimens.json, pixels and files), models, first (whether to write the files),
            threads, chunk, decoder, device.

    Returns:
        Digests of files and of pixels by file name (files None if this decoder takes tiny ones alone), what a
        decoder said instead of pixels, and what was computed with.
    """
    from arcomp import load
    from arcomp.contract import distributions
    from arcomp.exact.matmul import choose
    from arcomp.exact.threads import set_threads
    from arcomp.models.photo import strip

    set_threads(request["threads"])
    if request["device"] != "cpu":
        import torch

        torch.set_num_threads(request["threads"])
    if request["chunk"]:
        distributions.CHUNK = strip.CHUNK = request["chunk"]
    backend = choose(request["device"])[0]
    folder, naive = Path(request["folder"]), request["decoder"] == "naive"
    models = [load(name) for name in request["models"]]
    specimens = json.loads((folder / "specimens.json").read_text(encoding="utf-8"))
    if naive:
        specimens = [s for s in specimens if s["tiny"]]
    files: dict[str, str] = {}
    pixels: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, model in zip(request["models"], models, strict=True):
        for specimen in specimens:
            original = np.load(folder / f"{specimen['name']}.npy")
            file = f"{Path(name).stem}{SEPARATOR}{specimen['name']}"
            path = folder / "files" / file
            if not request["first"] and not path.exists():
                continue
            if not naive:
                data = _encode(original, model, specimen, request)
                if data is None:
                    continue
                files[file] = hashlib.sha256(data).hexdigest()
                if request["first"]:
                    path.write_bytes(data)
            pixels[file], errors[file] = _decode(path.read_bytes(), model, naive, request["threads"], specimen)
    found = {
        "files": None if naive else files,
        "pixels": pixels,
        "errors": {k: v for k, v in errors.items() if v},
    }
    return {
        **found,
        "backend": backend,
        "capability": _capability(request["device"]),
        "devices": _devices() if request["first"] else [],
    }


def _capability(device: str) -> str:
    """The vectors of this processor: those that torch uses where it computes, else what LLVM says of it."""
    if device != "cpu":
        import torch

        return str(torch.backends.cpu.get_cpu_capability())
    from llvmlite.binding import get_host_cpu_features

    features = get_host_cpu_features()
    return "AVX512" if features.get("avx512bw") else "AVX2" if features.get("avx2") else "DEFAULT"


def _devices() -> list[str]:
    """Where pictures can be encoded here."""
    if find_spec("torch") is None:
        return ["cpu"]
    import torch

    return ["cpu", "torch", *(["cuda"] if torch.cuda.is_available() else [])]


def _encode(pixels: Pixels, model: Any, specimen: dict[str, Any], request: dict[str, Any]) -> bytes | None:
    """The file, or None if the model does not take such pictures."""
    from arcomp import codec, files
    from arcomp.errors import ModelError

    device, threads = request["device"], request["threads"]
    try:
        if specimen["file"]:
            settings = files.Settings(None, device, threads, False)
            found = files.examine(bytes.fromhex(specimen["file"]), model, settings=settings)
            return files.compress(found, model, settings).data
        tile = tuple(specimen["tile"])
        return codec.encode(samples_of(specimen, pixels), model, tile=tile, device=device, threads=threads).data
    except ModelError:
        return None


def _decode(data: bytes, model: Any, naive: bool, threads: int, specimen: dict[str, Any]) -> tuple[str, str]:
    """Digest of the pixels, or of the file, and what is said if there are none."""
    from arcomp import codec, files
    from arcomp.container import unpack
    from arcomp.contract.model import Execution
    from arcomp.errors import ArcompError

    how = Execution(threads=threads, naive=naive)
    try:
        if specimen["file"]:
            found = files.restored(unpack(data), model, how)
        else:
            found = codec.decode(data, model, how).pixels.tobytes()
    except ArcompError as error:
        return "", str(error)
    return hashlib.sha256(found).hexdigest(), ""


if __name__ == "__main__":
    children.answer(evaluate)
