"""The ladder's models: what each adds to the one before it."""

from __future__ import annotations

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from arcomp.contract import registry
from arcomp.contract.weights_file import network_name
from arcomp.errors import ModelError
from arcomp.layers.attention import KEY
from arcomp.layers.conv import tap_mask
from arcomp.layers.embedding import Embedding
from arcomp.layers.masked import Masked
from arcomp.layers.samples import carried, symbols
from arcomp.layers.spec import Conv, Spec
from arcomp.models.bayes_net import BayesNet
from arcomp.models.char_rnn import CharRNN
from arcomp.models.gated_pixelcnn import GatedPixelCNN
from arcomp.models.grayscale_pixelcnn import GrayscalePixelCNN
from arcomp.models.image_transformer import NEIGHBOURS, ImageTransformer
from arcomp.models.made import MADE
from arcomp.models.multiscale_pixelcnn import MultiscalePixelCNN
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.pixelcnnpp import PixelCNNpp
from arcomp.models.pixelrnn import PixelRNN
from arcomp.models.pixelsnail import PixelSNAIL
from arcomp.models.subscale import SubscalePixelNetwork
from arcomp.models.wavenet import WaveNet
from arcomp.network.float.model import FloatModel, shown
from arcomp.network.layered import Layered
from arcomp.network.likelihoods import FOLLOW
from arcomp.orders import GROUP, Batch, split
from tests.coded import decode, encode
from tests.contents import pictures
from tests.layers import linear_of
from tests.specimens import MODELS, layered

SIDE = 11


def seen_from_the_middle(kind: type[Layered]) -> np.ndarray:
    """bool [SIDE, SIDE]: which samples move the outputs of the last row's middle, in a network of eight blocks."""
    torch.manual_seed(0)
    net = kind.float_model({"channels": 1, "depth": 1, "width": 8, "blocks": 8, "kernel": 3}).net
    x = (0.5 * torch.randn(1, SIDE, SIDE, 1)).requires_grad_()
    net(x)[0, -1, SIDE // 2].abs().sum().backward()
    assert x.grad is not None
    return np.asarray(x.grad[0, :, :, 0].abs().numpy() > 0)


def test_a_masked_square_has_a_blind_spot() -> None:
    """Right of a slanted line nothing is seen, however many layers there are."""
    seen = seen_from_the_middle(PixelCNN)
    for up in range(1, SIDE):
        row, reach = seen[-1 - up], SIDE // 2 + 3 + up - 1
        assert row[: min(SIDE, reach + 1)].mean() > 0.9, up
        assert not row[reach + 1 :].any(), up
    assert not seen[-1, SIDE // 2 :].any()


def test_two_stacks_have_none() -> None:
    seen = seen_from_the_middle(GatedPixelCNN)
    assert seen[:-1].mean() > 0.99
    assert seen[-1, : SIDE // 2].all()
    assert not seen[-1, SIDE // 2 :].any()


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        (PixelCNN, {"kernel": 3}),
        (GatedPixelCNN, {"kernel": 3}),
        (WaveNet, {"cycle": 1}),
        (CharRNN, {}),
        (PixelRNN, {}),
    ],
)
def test_large_pictures_are_coded_in_tiles_group_after_group(
    kind: type[Layered], sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = layered(kind, channels=3, depth=4, width=4, blocks=1, **sizes)
    pixels = pictures("smooth", (70, 53, 3), 4)[None]
    whole = encode(pixels, 4, model, tile=(32, 32))
    assert np.array_equal(decode(whole.data, model=model)[0], pixels)
    if kind.side == 32:
        assert encode(pixels, 4, model).data == whole.data
    monkeypatch.setattr("arcomp.network.layered.GROUP", 1500)
    grouped = encode(pixels, 4, model, tile=(32, 32))
    assert np.array_equal(decode(grouped.data, model=model)[0], pixels)
    assert grouped.nll_bits == pytest.approx(whole.nll_bits)


def test_tiles_are_of_the_network_that_is_used() -> None:
    """Weights with networks of several sizes, whichever comes first, cut no picture that its network takes whole."""
    sizes = {"width": 4, "blocks": 1, "heads": 1, "order": 0}
    binary = layered(ImageTransformer, channels=1, depth=1, mixture=0, rows=4, columns=4, **sizes).weights
    colour = layered(ImageTransformer, channels=3, depth=8, mixture=1, rows=8, columns=8, **sizes).weights
    for first, other in ((binary, colour), (colour, binary)):
        networks = {**first.config["networks"], **other.config["networks"]}
        model = ImageTransformer(replace(first, config={"networks": networks}, arrays={**first.arrays, **other.arrays}))
        for channels, depth, tile in ((3, 8, (0, 0)), (1, 1, (4, 4))):
            pixels = pictures("noise", (8, 8, channels), depth)[None]
            data = encode(pixels, depth, model).data
            found, member = decode(data, model=model)
            assert member.parts[0].tile == tile
            assert np.array_equal(found, pixels)


def free_numbers(spec: Spec, arrays: dict[str, np.ndarray]) -> int:
    """Of a layer: weights that masks let through, and biases; not what re-scales sums."""
    if isinstance(spec, Masked):
        each = [np.logical_or.reduce(layers) for layers in zip(*map(spec.visible, range(spec.masks)), strict=True)]
        return sum(int(a.sum()) + len(a) for a in each)
    count = sum(a.size for key, a in arrays.items() if key not in ("multiplier", "shift"))
    if isinstance(spec, Conv):
        return count - int((~tap_mask(spec.taps, spec.mask, spec.groups, spec.inputs, spec.outputs)).sum())
    return count - (int((~spec.free()).sum()) if isinstance(spec, Embedding) else 0)


@pytest.mark.parametrize("name", [name for name in MODELS if not re.search("histogram|context", name)])
def test_parameters_are_what_training_chooses(name: str) -> None:
    make, channels, depth = MODELS[name]
    model = make()
    assert isinstance(model, Layered)
    networks = model.float_model(model.weights.config["networks"][network_name(channels, depth)]).networks()
    count = 0
    for net in networks.values():
        for key, spec in net.specs.items():
            count += free_numbers(spec, net.by_name[key.replace(".", "_")].freeze())
    assert model.parameters == count


def test_parameters_of_layers_without_masks_are_weights_and_biases() -> None:
    for model in (registry.load("context"), registry.load("photo-fast")):
        arrays = model.weights.arrays.items()
        assert model.parameters == sum(a.size for name, a in arrays if name.endswith((".weight", ".bias")))


def test_groups_are_of_whole_pictures() -> None:
    sides = np.array([100, 200, 256, 300, 10, 10], np.int32)
    assert [(g.start, g.stop) for g in split(Batch(sides, sides), GROUP)] == [(0, 2), (2, 3), (3, 4), (4, 6)]
    assert [(g.start, g.stop) for g in split(Batch(sides[:1], sides[:1]), 1)] == [(0, 1)]
    tiny = np.ones(5000, np.int32)
    assert [(g.start, g.stop) for g in split(Batch(tiny, tiny), GROUP)] == [(0, 2048), (2048, 4096), (4096, 5000)]


@pytest.mark.parametrize("depth", range(1, 9))
def test_samples_fill_the_range_of_a_byte(depth: int) -> None:
    found = carried(np.arange(1 << depth), depth).tolist()
    assert (found[0], found[-1]) == (-128, 127)
    assert sorted(set(found)) == found
    assert symbols(depth)[np.array(found) + 128].tolist() == list(range(1 << depth))


def test_many_samples_of_one_bit_are_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of both kinds decode, cached and naive; the header says which it is."""
    model = layered(GatedPixelCNN, channels=1, depth=1, width=4, blocks=1, kernel=3)
    pixels = np.stack([pictures("noise", (6, 7, 1), 1, seed) for seed in range(5)])
    digits = encode(pixels, 1, model)
    monkeypatch.setattr("arcomp.contract.distributions.DECISIONS_FROM", 0)
    decisions = encode(pixels, 1, model)
    assert decisions.nll_bits == digits.nll_bits
    for encoded, said in ((digits, False), (decisions, True)):
        for naive in (False, True):
            decoded, member = decode(encoded.data, model=model, naive=naive)
            assert member.parts[0].binary_samples == said
            assert np.array_equal(decoded, pixels)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0}, {"width": 10**6}, {"blocks": 1.0}, {"depth": 9}, {"channels": True}, {"more": 1},
        {"kernel": 4}, {"kernel": 9},
    ],
)  # fmt: skip
def test_hostile_configurations_are_refused(change: dict[str, object]) -> None:
    plain = {"channels": 1, "depth": 1, "width": 8, "blocks": 1, "kernel": 3}
    with pytest.raises(ModelError):
        PixelCNN.float_model({**plain, **change})


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        (PixelCNN, {"blocks": 1, "kernel": 3}),
        (BayesNet, {"rows": 5, "columns": 6}),
        (MADE, {"rows": 5, "columns": 6, "blocks": 1, "masks": 2, "degrees": 0, "direct": 1, "order": 0}),
    ],
)
def test_hostile_weights_are_refused(kind: type[Layered], sizes: dict[str, int]) -> None:
    """Arrays missing, too many, of other types and shapes, beyond the bounds; sizes that are only claimed."""
    good = layered(kind, channels=1, depth=1, width=3, **sizes).weights
    pixels = pictures("noise", (5, 6, 1), 1)[None]
    name = next(key for key in sorted(good.arrays) if key.endswith("weight"))
    wrong = [
        {k: a for k, a in good.arrays.items() if k != name},
        {**good.arrays, "1x1.more.weight": good.arrays[name]},
        {**good.arrays, name.replace("weight", "more.weight"): good.arrays[name]},
        {**good.arrays, name: good.arrays[name].astype(np.int16)},
        {**good.arrays, name: good.arrays[name][..., 1:].copy()},
        {**good.arrays, name: np.full_like(good.arrays[name], 127)},
    ]
    large = {"networks": {"1x1": {**good.config["networks"]["1x1"], "width": 512}}}
    encode(pixels, 1, kind(good))  # what is imported at first use is not counted below
    for weights in [replace(good, arrays=arrays) for arrays in wrong] + [replace(good, config=large)]:
        tracemalloc.start()
        with pytest.raises(ModelError):
            encode(pixels, 1, kind(weights))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
        tracemalloc.stop()


def test_heads_begin_by_looking_at_neighbours() -> None:
    """Before any training, attention in the first layer is where NEIGHBOURS says, whatever the samples are."""
    torch.manual_seed(0)
    config = {
        "channels": 1, "depth": 1, "mixture": 0, "rows": 20, "columns": 24, "width": 48, "blocks": 1, "heads": 3,
        "order": 0,
    }  # fmt: skip
    network = ImageTransformer.float_model(config).net
    seen: list[torch.Tensor] = []
    network.by_name["attention_0"].register_forward_pre_hook(lambda _, inputs: seen.extend(inputs))
    with torch.no_grad():
        network(2.0 * torch.randint(0, 2, (1, 20, 24, 1)))
    query, key = (x[0].reshape(-1, 3, KEY) for x in seen[:2])
    at = 12 * 24 + 10
    for head, (down, right) in enumerate(NEIGHBOURS[:3]):
        scores = key[: at + 1, head] @ query[at, head]
        assert divmod(int(scores.argmax()), 24) == (12 + down, 10 + right)


SIZES = {"width": 8, "blocks": 1}
MIXTURES: dict[type[Layered], dict[str, int]] = {
    PixelCNNpp: {"dropout": 0},
    PixelSNAIL: {"rows": 16, "columns": 16, "resnets": 1, "heads": 1, "dropout": 0},
    ImageTransformer: {"rows": 16, "columns": 16, "heads": 1, "order": 0},
    MultiscalePixelCNN: {},
    SubscalePixelNetwork: {},
    GrayscalePixelCNN: {},
}


def fresh(kind: type[Layered], mixture: int = 3) -> FloatModel:
    torch.manual_seed(0)
    made: FloatModel = kind.float_model({"channels": 3, "depth": 8, "mixture": mixture, **SIZES, **MIXTURES[kind]})
    return made


@pytest.mark.parametrize("kind", MIXTURES)
def test_training_begins_near_the_neighbours(kind: type[Layered]) -> None:
    """Slopes cost as much as the components are wide, not eight bits, if features say nothing."""
    y, x = np.mgrid[:16, :16]
    slope = np.stack([60 + 4 * y + 5 * x, 70 + 4 * y + 5 * x, 90 + 3 * y + 5 * x], -1).astype(np.uint8)
    model = fresh(kind).eval()
    with torch.no_grad():
        for network in model.networks().values():
            if "near" in network.specs:
                assert network.last is not None
                network.last.weight.zero_()
        bits = model.bits(torch.from_numpy(slope[None]))[0, 4:, 4:].mean((0, 1))
    of_view = 4 / 3 if kind is GrayscalePixelCNN else 0.0
    worse = 0.0 if kind in (PixelCNNpp, PixelSNAIL) else 0.3  # others begin with W, or with neighbours farther away
    assert float(bits.max()) < 5.4 + of_view + worse


def test_means_begin_as_a_plane_and_the_channel_befores_residual() -> None:
    model = fresh(PixelCNNpp, mixture=3)
    pixels = pictures("smooth", (9, 8, 3), 8)
    net, head = model.networks()[""], model.config.head
    with torch.no_grad():
        linear_of(net.by_name["outputs"]).weight.zero_()  # features say nothing
        z = net(shown(torch.from_numpy(pixels[None]), 8)).reshape(9, 8, 3, head.outputs)
    x = pixels.astype(np.float64) - 128
    plane = np.zeros_like(x)
    plane[1:, 1:] = 0.75 * x[1:, :-1] + 0.75 * x[:-1, 1:] - 0.5 * x[:-1, :-1]
    for c in range(3):
        expected = plane[1:, 1:, c] - (FOLLOW * plane[1:, 1:, c - 1] if c else 0)
        np.testing.assert_allclose(64 * z[1:, 1:, c, 3:6], np.stack([expected] * 3, -1), atol=1e-3)
        if c:
            np.testing.assert_allclose(z[1:, 1:, c, 9 + c - 1], FOLLOW, atol=1e-6)


def test_a_softmax_has_no_short_cut() -> None:
    """Weights of before stay readable."""
    config = {"channels": 1, "depth": 1, "mixture": 0, **SIZES, **MIXTURES[PixelSNAIL]}
    assert "near" not in PixelSNAIL.float_model(config).networks()[""].specs
    assert "near" in fresh(PixelSNAIL).networks()[""].specs


def test_data_dependent_init() -> None:
    """Mean 0 and the deviation they name, on the crops they are shown; but for outputs that are constant there."""
    model = fresh(PixelCNNpp).eval()
    crops = [pictures(content, (16, 16, 3), 8) for content in ("smooth", "noise", "converted")]
    model.prepare(list(crops))
    net = model.networks()[""]
    wanted, seen = dict(net.data_dependent()), {}
    assert len(wanted) > 20
    for layer in wanted:
        layer.register_forward_hook(lambda layer, _, made: seen.update({layer: made.flatten(0, -2)}))
    with torch.no_grad():
        model.bits(torch.from_numpy(np.stack(crops)))
    for layer, deviation in wanted.items():
        features = seen[layer]
        torch.testing.assert_close(features.mean(0), torch.zeros(features.shape[1]), atol=1e-3, rtol=0)
        torch.testing.assert_close(features.std(0), torch.full([features.shape[1]], deviation), atol=0, rtol=1e-2)
