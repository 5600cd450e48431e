"""The ladder's models: what each adds to the one before it."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from specimens import layered, pictures

import arcomp
from arcomp.errors import ModelError
from arcomp.layers.attention import KEY
from arcomp.layers.samples import carried, symbols
from arcomp.models.bayes_net import BayesNet
from arcomp.models.char_rnn import CharRNN
from arcomp.models.gated_pixelcnn import GatedPixelCNN
from arcomp.models.image_transformer import NEIGHBOURS, ImageTransformer
from arcomp.models.layered import GROUP, Layered
from arcomp.models.made import MADE
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.pixelrnn import PixelRNN
from arcomp.models.wavenet import WaveNet
from arcomp.orders import Batch, split

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
    whole = arcomp.encode(pixels, 4, model, tile=(32, 32))
    assert np.array_equal(arcomp.decode(whole.data, model=model)[0], pixels)
    if kind.side == 32:
        assert arcomp.encode(pixels, 4, model).data == whole.data
    monkeypatch.setattr("arcomp.models.layered.GROUP", 1500)
    grouped = arcomp.encode(pixels, 4, model, tile=(32, 32))
    assert np.array_equal(arcomp.decode(grouped.data, model=model)[0], pixels)
    assert grouped.nll_bits == pytest.approx(whole.nll_bits)


def test_groups_are_of_whole_pictures() -> None:
    sides = np.array([100, 200, 256, 300, 10, 10], np.int32)
    assert [(g.start, g.stop) for g in split(Batch(sides, sides), GROUP)] == [(0, 2), (2, 3), (3, 4), (4, 6)]
    assert [(g.start, g.stop) for g in split(Batch(sides[:1], sides[:1]), 1)] == [(0, 1)]


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
    digits = arcomp.encode(pixels, 1, model)
    monkeypatch.setattr("arcomp.fronts.DECISIONS_FROM", 0)
    decisions = arcomp.encode(pixels, 1, model)
    assert decisions.nll_bits == digits.nll_bits
    for encoded, said in ((digits, False), (decisions, True)):
        for naive in (False, True):
            decoded, header = arcomp.decode(encoded.data, model=model, naive=naive)
            assert header.decisions == said
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
        {**good.arrays, name: good.arrays[name][:, 1:].copy()},
        {**good.arrays, name: np.full_like(good.arrays[name], 127)},
    ]
    large = {"networks": {"1x1": {**good.config["networks"]["1x1"], "width": 512}}}
    for weights in [replace(good, arrays=arrays) for arrays in wrong] + [replace(good, config=large)]:
        tracemalloc.start()
        with pytest.raises(ModelError):
            arcomp.encode(pixels, 1, kind(weights))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
        tracemalloc.stop()


def test_heads_begin_by_looking_at_neighbours() -> None:
    """Before any training, attention in the first layer is where NEIGHBOURS says, whatever the samples are."""
    torch.manual_seed(0)
    config = {
        "channels": 1, "depth": 1, "mixture": 0, "rows": 20, "columns": 24, "width": 48, "blocks": 1, "heads": 3,
        "zigzag": 0,
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
