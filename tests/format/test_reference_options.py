"""Settings of the ladder's models that no shipped weights have, by both decoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from arcomp.contract import registry
from arcomp.network.layered import Layered
from tests.coded import encode
from tests.contents import pictures
from tests.format import reference
from tests.specimens import SIZES, layered

OPTIONS = [("gated_pixelcnn", "before_gate")] + [
    ("image_transformer", order) for order in ("zigzag", "hilbert", "random")
]


@pytest.mark.parametrize(("name", "specimen"), OPTIONS)
def test_both_decode(name: str, specimen: str, tmp_path: Path) -> None:
    kind, sizes = registry.find(name), SIZES[name][specimen]
    assert issubclass(kind, Layered)
    model = layered(kind, **sizes)
    model.weights.save(tmp_path / "own.safetensors")
    shape = (2, 7, 9, sizes["channels"])
    pixels = np.stack([pictures("noise", shape[1:], sizes["depth"], seed) for seed in range(2)])
    data = encode(pixels, sizes["depth"], model, tile=(7, 6)).data
    (decoded,) = reference.decode(data, (tmp_path / "own.safetensors").read_bytes())
    assert decoded == (shape, sizes["depth"], pixels.ravel().tolist())
