"""Bits of each sample: those that coding takes, each at its place."""

from __future__ import annotations

import numpy as np
import pytest

from arcomp.contract import registry
from arcomp.contract.model import Model
from arcomp.errors import ArcompError, ModelError
from arcomp.measure.heat_map import TOP, heat
from arcomp.models.pixelcnn import PixelCNN
from tests.coded import encode, measure
from tests.contents import pictures
from tests.specimens import LEARNERS, MODELS, layered

NAMES = ["histogram", "context rgb", "context shipped gray", "pixelcnn rgb", "made binary", "wavenet gray"]
LEARNING = ["photo rgb", "photo three windows gray", "photo online rgb"]


def specimen(name: str) -> tuple[Model, int, int]:
    if name in LEARNERS:
        make, channels = LEARNERS[name]
        return make(), channels, 8
    return MODELS[name][0](), *MODELS[name][1:]


@pytest.mark.parametrize("name", NAMES + LEARNING)
def test_they_sum_to_the_nll(name: str) -> None:
    model, channels, depth = specimen(name)
    pixels = np.stack([pictures("smooth", (15, 19, channels), depth, seed) for seed in range(2)])
    reported: list[float] = []
    found = measure(pixels, depth, model, progress=reported.append)
    encoded = encode(pixels, depth, model)
    assert found.samples.shape == pixels.shape
    assert found.samples.dtype == np.float32
    assert found.total == pytest.approx(encoded.nll_bits, rel=1e-6)
    assert (found.samples > 0).all()
    assert found.network == (None if name in NAMES else pytest.approx(encoded.network_bits))
    assert reported[-1] == 1


@pytest.mark.parametrize("name", ["context rgb", "pixelcnn rgb", "wavenet gray", "photo rgb", "photo online gray"])
def test_each_is_where_its_sample_is(name: str) -> None:
    """A tile's are what they are in a picture that is the tile, and no sample's channel is another's."""
    model, channels, depth = specimen(name)
    pixels = pictures("noise", (21, 30, channels), depth)[None]
    tiles = measure(pixels, depth, model, tile=(9, 13)).samples
    for y, x in ((0, 0), (9, 13), (18, 26)):
        part = np.ascontiguousarray(pixels[:, y : y + 9, x : x + 13])
        assert np.array_equal(measure(part, depth, model, tile=(0, 0)).samples, tiles[:, y : y + 9, x : x + 13])
    changed = pixels.copy()
    last = model.coding_order(channels)[-1]
    changed[0, -1, -1, last] ^= 1  # no other sample is predicted from it
    moved = measure(changed, depth, model, tile=(0, 0)).samples != measure(pixels, depth, model, tile=(0, 0)).samples
    assert set(zip(*np.nonzero(moved), strict=True)) <= {(0, 20, 29, last)}
    assert moved.any()


def test_what_a_file_carries_besides_is_counted() -> None:
    pixels = pictures("smooth", (9, 9, 1), 8)[None]
    found = measure(pixels, 8, registry.load("histogram"))
    assert found.side > 0
    assert found.total == pytest.approx(float(found.samples.sum()) + found.side)


def test_refusals_are_those_of_coding() -> None:
    with pytest.raises(ModelError, match="takes 1 channel"):
        measure(
            pictures("noise", (4, 4, 3), 8)[None],
            8,
            layered(PixelCNN, channels=1, depth=8, width=3, blocks=1, kernel=3),
        )
    with pytest.raises(ArcompError, match="not unsigned integers of 1 bit"):
        measure(np.full((1, 2, 2, 1), 2, np.uint8), 1, registry.load("histogram"))


def test_heat_rises_evenly_on_a_fixed_scale() -> None:
    """From dark to light, in every step; what is beyond the scale has its last colour."""
    bits = np.linspace(0, 2 * TOP, 33, dtype=np.float32)[None, :, None]
    shown = heat(np.repeat(bits, 3, 2))[0].astype(int)
    assert shown[0].tolist() == [68, 1, 84]
    assert shown[16].tolist() == shown[-1].tolist() == [253, 231, 37]
    lightness = shown @ np.array([299, 587, 114])
    assert (np.diff(lightness)[:16] > 0).all()
