"""Float and exact evaluations agree: what is trained is what is coded."""

from __future__ import annotations

import re
from unittest.mock import patch

import numpy as np
import pytest
import torch

from arcomp.models.context.config import ContextConfig
from arcomp.models.context.model import ContextModel
from arcomp.models.context.net import Context
from arcomp.models.context.training import freeze
from arcomp.network.float import likelihoods
from tests import specimens
from tests.coded import encode
from tests.contents import pictures
from tests.specimens import MODELS


@pytest.mark.parametrize("content", ["smooth", pytest.param("noise", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [name for name in MODELS if "extreme" not in name])
def test_float_and_exact_nll_agree(name: str, content: str) -> None:
    """Within 0.1 %, of samples of 1 bit within 0.3 %; not with weights at their limits, where activations are clamped
    that float has as they are."""
    make, channels, depth = MODELS[name]
    model = make()
    pixels = np.stack([pictures(content, (14, 14, channels), depth, seed) for seed in range(3)])
    exact = encode(pixels, depth, model, tile=(0, 0)).nll_bits
    assert model.float_bits(pixels, depth) == pytest.approx(exact, rel=3e-3 if depth == 1 else 1e-3)


@pytest.mark.parametrize("name", [name for name in MODELS if not re.search("extreme|histogram|context", name)])
def test_float_and_exact_nll_agree_where_levels_are_not_alike(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A softmax that begins at random, not with all levels about alike: errors have something to change."""
    make, channels, depth = MODELS[name]
    monkeypatch.setattr(specimens, "weights_of", specimens.weights_of.__wrapped__)
    with patch.object(likelihoods, "init"):
        model = make()
    pixels = pictures("smooth", (14, 14, channels), depth)[None]
    exact = encode(pixels, depth, model, tile=(0, 0)).nll_bits
    assert model.float_bits(pixels, depth) == pytest.approx(exact, rel=2.5e-2)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("content", ["smooth", "noise"])
def test_what_is_trained_is_what_is_coded(channels: int, content: str) -> None:
    """With weights and activations rounded as frozen, float is within 0.1 % of exact; without any rounding, within the
    0.5 % that is promised, even for untrained weights."""
    torch.manual_seed(7)
    net = Context(ContextConfig(channels, trunk=(64, 48), head=32))
    model = ContextModel(freeze({channels: net}))
    pixels = pictures(content, (40, 48, channels), 8)
    exact = encode(pixels[None], 8, model).nll_bits / pixels.size
    batch = {k: torch.from_numpy(a) for k, a in net.examples(pixels).items()}
    with torch.no_grad():
        rounded, plain = (float(net.bits(**batch, rounding=r).double().mean()) for r in (True, False))
    assert rounded == pytest.approx(exact, rel=1e-3)
    assert plain == pytest.approx(exact, rel=5e-3)
