"""What a stream costs, for models that learn while they code: its NLL, and less where there is something to learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from arcomp.coding import lattice
from arcomp.contract import registry
from arcomp.models.photo.config import CODING_ORDER
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.training import freeze
from tests.coded import decode, encode, read_picture
from tests.contents import pictures
from tests.laws.learners import (
    MODELS,
    PHOTOS,
    decoded,
    parallel,
    specimen,
)
from tests.specimens import ONE_WINDOW, SIMILARITY_WINDOWS, THREE_WINDOWS, photo_net


@pytest.mark.parametrize("name", [n for n in MODELS if n.startswith("photo-")])
def test_a_photograph_is_as_long_as_its_nll(name: str) -> None:
    """At most 0.02 % and 64 bytes over; learning makes it smaller, where there is any."""
    make, channels = MODELS[name]
    photo = read_picture(str(Path(__file__).parents[1] / "pictures" / "lighthouse.png"))
    part = np.ascontiguousarray(photo[100:228, 100:260] if channels == 3 else photo[100:228, 100:260, 1:2])
    encoded = encode(part[None], 8, make(), threads=1)
    assert 8 * len(encoded.data) <= encoded.nll_bits * 1.0002 + 8 * 64
    assert 8 * len(encoded.data) > encoded.nll_bits
    assert encoded.network_bits is not None
    assert (encoded.nll_bits < encoded.network_bits) is not make().configs[channels].plain
    assert encoded.nll_bits <= encoded.network_bits
    assert np.array_equal(decode(encoded.data, model=make())[0][0], part)


@pytest.mark.parametrize("content", ["smooth", "noise"])
@pytest.mark.parametrize("name", [name for name in PHOTOS if "extreme" not in name])
def test_float_nll_is_that_of_the_network_alone(name: str, content: str) -> None:
    """Within 0.4 %; not with weights at their limits, where activations are clamped that float has as they are."""
    make, channels = MODELS[name]
    pixels = np.stack([pictures(content, (16, 20, channels), 8, seed) for seed in range(2)])
    exact = encode(pixels, 8, make(), tile=(0, 0)).network_bits
    assert make().float_bits(pixels, 8) == pytest.approx(exact, rel=4e-3)


@pytest.mark.parametrize("windows", [ONE_WINDOW, THREE_WINDOWS, SIMILARITY_WINDOWS], ids=["one", "three", "similarity"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("content", ["smooth", "noise"])
def test_float_and_network_nll_agree(channels: int, content: str, windows: Any) -> None:
    """The NLL of the mixtures before any learning, for untrained weights: of the float network with weights and
    quantised activations within 0.3 % of the exact one, without any rounding within 1 %. Also in noise, where much
    of the mixture's mass is beyond the alphabet."""
    net = photo_net(channels, windows, seed=5)
    pixels = pictures(content, (40, 48, channels), 8)
    coded = np.ascontiguousarray(pixels[..., list(CODING_ORDER[channels])])
    exact = parallel(PhotoModel(freeze({channels: net})), coded).network_bits / pixels.size
    batch = {k: torch.from_numpy(a) for k, a in net.examples(pixels).items()}
    with torch.no_grad():
        rounded, plain = (float(net.bits(**batch, rounding=r).double().mean()) for r in (True, False))
    assert rounded == pytest.approx(exact, rel=3e-3)
    assert plain == pytest.approx(exact, rel=1e-2)


def test_a_file_of_one_colour_costs_little() -> None:
    for name in MODELS:
        if not any(word in name for word in ("extreme", "plain", "turbo")):  # of which the last two do not learn
            model, pixels = specimen(name, "constant", (64, 64))
            stream = parallel(model, pixels)
            assert 8 * len(stream.data) < 0.05 * pixels.size, name


def test_exact_values_that_repeat_become_cheap() -> None:
    """Two far values at random: a bit each, once they are known, whatever the mixture says."""
    rng = np.random.default_rng(1)
    pixels = rng.choice(np.array([37, 201], np.uint8), (128, 128, 1))
    for name in ("photo gray", "photo three windows gray"):
        stream = parallel(MODELS[name][0](), pixels)
        assert stream.nll_bits < 1.45 * pixels.size, name
        assert stream.nll_bits < 0.2 * stream.network_bits, name


def test_pictures_from_a_conversion_are_smaller() -> None:
    """What the third channel may be is known; the same picture with every value of it shifted has to learn it."""
    for name in ("photo rgb", "photo three windows rgb"):
        model, pixels = specimen(name, "converted", (64, 64))
        shifted = pixels.copy()
        shifted[..., 2] ^= 1
        with_it, without = parallel(model, pixels), parallel(model, shifted)
        assert (with_it.data[0], without.data[0]) == (lattice.JFIF, lattice.NONE)
        assert with_it.nll_bits < 0.9 * without.nll_bits
        assert np.array_equal(decoded(model, with_it, pixels), pixels)


def test_registry_knows_the_presets() -> None:
    if not any(n.startswith("photo-") for n in MODELS):
        pytest.skip("no preset is here")
    balanced = registry.load("photo-balanced")
    assert registry.load("photo").digest == balanced.digest
    assert registry.load("photo", balanced.digest[:8]).digest == balanced.digest
