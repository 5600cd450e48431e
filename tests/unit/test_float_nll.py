"""The float evaluation of frozen weights, beside the exact one."""

from __future__ import annotations

import re
from dataclasses import asdict

import numpy as np
import pytest
import torch

import arcomp
from arcomp.measure.compare import float_nll
from arcomp.models.context.model import ContextModel
from arcomp.models.gated_pixelcnn import GatedPixelCNN
from arcomp.models.photo import training as photo_training
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.net import Photo
from arcomp.network.layered import Layered
from tests.coded import encode
from tests.contents import pictures
from tests.specimens import LEARNERS, MODELS, layered


class TestFloat:
    """The float evaluation of frozen weights."""

    @pytest.mark.parametrize("name", [name for name in MODELS if not re.search("extreme|histogram|context", name)])
    def test_dequantized_weights_freeze_to_what_they_were(self, name: str) -> None:
        make, channels, depth = MODELS[name]
        model = make()
        assert isinstance(model, Layered)
        again = model.freeze({channels: model.dequantized(channels, depth)})
        assert {k: v.tolist() for k, v in again.arrays.items()} == {
            k: v.tolist() for k, v in model.weights.arrays.items()
        }

    @pytest.mark.parametrize("name", ["pixelcnn rgb", "gated_pixelcnn binary", "made rgb", "wavenet gray"])
    def test_bits_are_those_of_the_network_that_was_frozen(self, name: str) -> None:
        make, channels, depth = MODELS[name]
        model = make()
        assert isinstance(model, Layered)
        torch.manual_seed(0)
        network = model.float_model(asdict(model.configs[channels, depth]))
        pixels = np.stack([pictures(kind, (14, 14, channels), depth) for kind in ("smooth", "noise")])
        with torch.no_grad():
            before = float(network.bits(torch.from_numpy(pixels)).double().sum())
        assert model.float_bits(pixels, depth) == pytest.approx(before, rel=0.02)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_context_is_near_its_integers(self, channels: int) -> None:
        model = arcomp.load("context")
        assert isinstance(model, ContextModel)
        pixels = pictures("smooth", (24, 33, channels), 8)[None]
        exact = encode(pixels, 8, model).nll_bits
        assert model.float_bits(pixels, 8) == pytest.approx(exact, rel=0.002)

    @pytest.mark.parametrize("name", ["photo rgb", "photo gray"])
    def test_photo_is_near_its_network_alone(self, name: str) -> None:
        make, channels = LEARNERS[name]
        model = make()
        pixels = pictures("smooth", (24, 33, channels), 8)[None]
        encoded = encode(pixels, 8, model)
        assert model.float_bits(pixels, 8) == pytest.approx(encoded.network_bits, rel=0.01)

    def test_photo_is_dequantized_to_what_it_was(self) -> None:
        model = LEARNERS["photo three windows rgb"][0]()
        assert isinstance(model, PhotoModel)
        from arcomp.network.float.perceptron import dequantize_layers

        net = Photo(model.configs[3])
        own = {k[2:]: a for k, a in model.weights.arrays.items() if k.startswith("3.")}
        dequantize_layers(net, own)
        again = photo_training.freeze({3: net}).arrays
        assert all(np.array_equal(again[f"3.{k}"], a) for k, a in own.items() if k.endswith(("weight", "multiplier")))

    def test_histogram_is_entropy_and_counts(self) -> None:
        pixels = pictures("noise", (20, 30, 3), 3)[None]
        model = arcomp.load("histogram")
        exact = encode(pixels, 3, model).nll_bits
        found = model.float_bits(pixels, 3)
        assert found is not None
        assert exact * 0.99 < found <= exact

    def test_pictures_are_cut_into_the_tiles_that_are_coded(self) -> None:
        model = layered(GatedPixelCNN, channels=1, depth=2, width=3, blocks=1, kernel=3)
        pixels = pictures("noise", (40, 50, 1), 2)[None]
        parts = [pixels[:, :32, :32], pixels[:, :32, 32:], pixels[:, 32:, :32], pixels[:, 32:, 32:]]
        whole, tiles = float_nll(model, pixels, 2), [model.float_bits(part, 2) for part in parts]
        assert whole == pytest.approx(sum(filter(None, tiles)), rel=1e-6)
        assert whole != pytest.approx(model.float_bits(pixels, 2), rel=1e-6)
