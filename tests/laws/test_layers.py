"""Layers: their float evaluation is near the exact one; those that change the scale; sequences along an order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from arcomp.layers.attention import KEY, Attention, ExactAttention
from arcomp.layers.conv import Tap
from arcomp.layers.depth_to_space import DepthToSpace
from arcomp.layers.elu import ConcatELU, SigmoidGate, elu_table
from arcomp.layers.float.layer import float_layer
from arcomp.layers.position import PositionEmbedding
from arcomp.layers.quantisation import LOGITS, SIGNED8, Quantisation
from arcomp.layers.shift import Shift
from arcomp.layers.spec import Add, Conv, Gate, Requantize, Spec
from arcomp.network.layered import Layered
from arcomp.network.program import has_instructions
from arcomp.orders import Raster, Zigzag, coarser, sequences
from tests.laws.evaluations import padded_of, random_input, stepped
from tests.specimens import MODELS, ORDERS, batch_of

SQUARE: tuple[Tap, ...] = tuple((dy, dx) for dy in (-1, 0) for dx in (-1, 0, 1))
# name -> (layer, features of inputs, quantisations of inputs, how many steps of its own the evaluations may differ)
SPECS: dict[str, tuple[Spec, int, tuple[Quantisation, ...], int]] = {
    "conv of stride 2": (Conv(SQUARE, "B", 1, 5, 6, SIGNED8, LOGITS, stride=2), 5, (SIGNED8,), 2),
    "concat elu": (ConcatELU(), 4, (SIGNED8,), 0),
    "sigmoid gate": (SigmoidGate(), 4, (LOGITS, LOGITS), 1),
    "gate": (Gate(1), 4, (LOGITS, LOGITS), 1),
    "add": (Add(1, (LOGITS, LOGITS), LOGITS), 3, (LOGITS, LOGITS), 0),
    "requantize": (Requantize(1, LOGITS, SIGNED8), 3, (LOGITS,), 1),
    "position embedding": (PositionEmbedding(8, 13, 4), 2, (SIGNED8,), 1),
    "shift": (Shift(Raster(), 3, SIGNED8), 3, (SIGNED8,), 0),
    "shift zigzag": (Shift(Zigzag(), 3, LOGITS), 3, (LOGITS,), 0),
    "attention": (Attention(Raster(), 2, KEY), 2 * KEY, (SIGNED8,) * 3, 1),
    "attention zigzag": (Attention(Zigzag(), 1, KEY), KEY, (SIGNED8,) * 3, 1),
}


def mild(seed: int, batch: Any, features: int, quantisation: Quantisation) -> npt.NDArray[Any]:
    """Inputs of which some are at the ends of the range and most are of usual size."""
    x = torch.from_numpy(random_input(seed, batch, features, quantisation))
    usual = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)) / quantisation.step
    pick = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed + 1)) < 0.1
    return torch.where(pick, x, usual.round().clamp(quantisation.low, quantisation.high).to(x.dtype)).numpy()


@pytest.mark.parametrize("name", SPECS)
def test_float_layer_is_near_the_exact_one(name: str) -> None:
    spec, features, quantisations, steps = SPECS[name]
    torch.manual_seed(0)
    layer, batch = float_layer(spec), batch_of((8, 13), (8, 13))
    inputs = [mild(3 + i, batch, features, quantisation) for i, quantisation in enumerate(quantisations)]
    exact = torch.from_numpy(spec.exact_layer(layer.freeze(), "cpu").parallel(batch, *inputs))
    with torch.no_grad():
        real = layer(
            *((torch.from_numpy(x).float() - g.zero) * g.step for x, g in zip(inputs, quantisations, strict=True)),
            rounding=True,
        )
    distance = (real / spec.quantisation.step + spec.quantisation.zero - exact.float()).abs()
    assert float(distance.max()) <= steps + 1e-3
    assert float(exact.float().std()) > 2  # there was something to compare


def test_elu_is_rounded() -> None:
    x = (np.arange(256) - 128) / 32
    assert np.array_equal(elu_table(), np.rint(np.where(x < 0, np.expm1(x), x) * 32))


SIZES = ((7, 9), (1, 13), (11, 1), (6, 4))


@pytest.mark.parametrize("order", ["raster", "wavefront 4"])
def test_a_strided_layer_and_dealing_out_are_front_by_front(order: str) -> None:
    """The coarse outputs come with the first pixel of their square, and what is dealt out is there for all of it."""
    torch.manual_seed(1)
    batch = batch_of(*SIZES)
    down, up = Conv(SQUARE[:5], "B", 1, 3, 8, SIGNED8, LOGITS, stride=2), DepthToSpace(2, LOGITS)
    first, second = down.exact_layer(float_layer(down).freeze(), "cpu"), up.exact_layer({}, "cpu")
    x = random_input(2, batch, 3, SIGNED8)
    coarse = first.parallel(batch, x)
    fine = second.parallel(batch, coarse, x)
    assert coarse.shape == (4, 6, 7, 8)
    assert fine.shape == (4, 11, 13, 2)
    for layer in (first, second):
        layer.start(batch)
    for front in ORDERS[order].fronts(batch):
        given = np.ascontiguousarray(x[front.image, front.y, front.x])
        here, squares = first.step(front, 0, given), coarser(front, 2)
        assert np.array_equal(here, coarse[squares.image, squares.y, squares.x])
        assert np.array_equal(second.step(front, 0, here, given), fine[front.image, front.y, front.x])


def test_strided_outputs_do_not_depend_on_the_batch() -> None:
    torch.manual_seed(1)
    spec, batch = Conv(SQUARE, "B", 1, 3, 8, SIGNED8, LOGITS, stride=2), batch_of(*SIZES)
    layer = spec.exact_layer(float_layer(spec).freeze(), "cpu")
    x = random_input(2, batch, 3, SIGNED8)
    together = layer.parallel(batch, x)
    for i, (h, w) in enumerate(SIZES):
        alone = layer.parallel(batch_of((h, w)), x[i : i + 1, :h, :w])
        assert np.array_equal(alone[0], together[i, : (h + 1) // 2, : (w + 1) // 2])


@pytest.mark.parametrize("order", [Raster(), Zigzag()])
def test_sequences_go_there_and_back(order: Any) -> None:
    batch = batch_of(*SIZES)
    places, x = sequences(order, batch), random_input(4, batch, 3, SIGNED8)
    gathered = places.gathered(x)
    back = places.scattered(gathered)
    for i, (h, w) in enumerate(SIZES):
        assert np.array_equal(back[i, :h, :w], x[i, :h, :w])
        assert not bool(gathered[i, h * w :].any())
    assert not bool(back[1, 1:].any())


def test_an_order_of_wide_fronts_is_no_sequence() -> None:
    with pytest.raises(ValueError, match="no sequence"):
        sequences(ORDERS["wavefront 1"], batch_of((4, 5)))
    with pytest.raises(ValueError, match="no sequence"):
        sequences(ORDERS["independent"], batch_of((4, 5), (4, 5)))


def test_zigzag_goes_up_and_down() -> None:
    places = [(int(f.y[0]), int(f.x[0])) for f in Zigzag().fronts(batch_of((3, 4)))]
    assert places[:8] == [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2)]


@pytest.mark.parametrize("length", [1, 40, 700])
def test_attention_by_products_is_attention(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other devices compute, in pieces or not."""
    layer, batch = ExactAttention(Attention(Raster(), 2, KEY)), batch_of((1, length))
    inputs = [mild(i, batch, 2 * KEY, SIGNED8) for i in range(3)]
    expected, tensors = layer.parallel(batch, *inputs), [torch.from_numpy(x) for x in inputs]
    assert np.array_equal(layer.parallel(batch, *tensors), expected)
    monkeypatch.setattr("arcomp.exact.by_torch.SCORES", 500)
    assert np.array_equal(layer.parallel(batch, *tensors), expected)


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith(("histogram", "context"))])
def test_a_program_computes_what_its_layers_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Front by front from the layers' own caches, in Python, as the laws have it of compiled instructions."""
    model, padded, kind = padded_of(name, "noise", SIZES)
    assert isinstance(model, Layered)
    networks = model.fresh(kind.channels, kind.depth).values()
    if not all(has_instructions(network.layers.values()) for network in networks):
        pytest.skip("a layer has no instruction: the laws run over the layers")
    reference = stepped(model, padded, kind)
    monkeypatch.setattr("arcomp.network.definition.has_instructions", lambda layers: False)
    assert reference == stepped(model, padded, kind)
