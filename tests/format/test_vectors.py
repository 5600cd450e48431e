"""Files of every released format version decode for ever, by the product and by the reference decoder.

Faulty ones are refused, each in one line.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from arcomp.container import unpack
from arcomp.contract import library, registry
from arcomp.contract.model import Model
from arcomp.errors import ArcompError, FormatError
from tests.coded import decode
from tests.format import reference

VECTORS = Path(__file__).parent / "vectors"
GOOD = sorted(p for p in VECTORS.glob("*.arcomp") if not p.name.startswith("bad-"))
WRITTEN_OUT = {"histogram", "context", "photo"}
"""Models that the reference decoder has."""
REFERENCED = [p for p in GOOD if unpack(p.read_bytes())[0].model in WRITTEN_OUT]
"""Those that the reference decoder reads: models of layers are written down in docs/format.md, and not in it."""
BAD = json.loads((VECTORS / "faults.json").read_text())


def weights_for(path: Path) -> Path | None:
    """The weights' file that a vector needs."""
    header, _ = unpack(path.read_bytes())
    if registry.find(header.model).weightless:
        return None
    for candidate in [*VECTORS.glob("*.safetensors"), *library.SHIPPED.glob("*.safetensors")]:
        if library.digest_of(candidate).startswith(header.digest.hex()):
            return candidate
    raise AssertionError(f"the weights that {path.name} was written with are no longer here")


def model_for(path: Path) -> Model | None:
    weights = weights_for(path)
    return registry.load(str(weights)) if weights else None


def test_there_are_vectors() -> None:
    assert len(GOOD) >= 15
    assert len(BAD) >= 20
    assert {p.name for p in VECTORS.glob("bad-*")} == set(BAD)


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_vector_decodes(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    pixels, header = decode(path.read_bytes(), model=model_for(path))
    assert list(pixels.shape) == expected["shape"]
    assert header.depth == expected["depth"]
    samples = np.ascontiguousarray(pixels, "<u2" if header.depth > 8 else "u1").tobytes()
    assert hashlib.sha256(samples).hexdigest() == expected["sha256"]


@pytest.mark.parametrize("path", REFERENCED, ids=lambda p: p.stem)
def test_vector_decodes_by_the_reference(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    weights = weights_for(path)
    decoded = reference.decode(path.read_bytes(), weights.read_bytes() if weights else None)
    size = 2 if expected["depth"] > 8 else 1
    samples = b"".join(v.to_bytes(size, "little") for v in decoded.samples)
    assert hashlib.sha256(samples).hexdigest() == expected["sha256"]


@pytest.mark.parametrize("name", BAD)
def test_fault_is_refused_in_one_line(name: str) -> None:
    data = (VECTORS / name).read_bytes()
    model = registry.load(str(VECTORS / "context-tiny.safetensors"))
    with pytest.raises(ArcompError) as caught:
        decode(data, model=model)
    assert BAD[name] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_truncation_and_every_flipped_byte_of_a_vector() -> None:
    data = (VECTORS / "context-tiny-one-pixel.arcomp").read_bytes()
    model = model_for(VECTORS / "context-tiny-one-pixel.arcomp")
    for size in range(len(data)):
        with pytest.raises(FormatError):
            decode(data[:size], model=model)
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0xFF
        with pytest.raises(FormatError):
            decode(bytes(flipped), model=model)
