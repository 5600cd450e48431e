"""The laws of layers and orders, over every one in tests/specimens.py.

parallel == front by front, bit for bit, whatever else is in the batch; a position does not move when one that is
not before it changes; every order covers every position once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from arcomp.layers.conv import ExactConv, above, full, line, square
from arcomp.layers.embedding import ExactEmbedding
from arcomp.layers.float.layer import float_layer
from arcomp.layers.masked import ExactMasked
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spec import Conv
from arcomp.orders import Front, Raster, Wavefront, grouped, sequences
from tests import layers
from tests.laws.evaluations import SIZES, inputs_of, random_input, sees_itself
from tests.layers import LAYERS
from tests.specimens import ORDERS, batch_of


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("order", [Raster(), Wavefront(4)], ids=["raster", "wavefront"])
def test_layer_in_parallel_is_front_by_front(name: str, order: Any) -> None:
    make, groups, features, sources = LAYERS[name]
    layer, batch = make(), batch_of(*SIZES)
    inputs = inputs_of(1, batch, groups * features, sources)
    parallel = layer.parallel(batch, *inputs)
    outputs = parallel.shape[3] // groups
    layer.start(batch)
    for front in getattr(layer, "order", order).fronts(batch):
        for g in range(groups):
            own = slice(g * features, (g + 1) * features)
            new = [np.ascontiguousarray(x[front.image, front.y, front.x][:, own]) for x in inputs]
            expected = parallel[front.image, front.y, front.x][:, g * outputs : (g + 1) * outputs]
            if sees_itself(layer):
                assert np.array_equal(layer.step(front, g, *new), expected)
            else:  # outputs of a group come before its inputs are known
                assert isinstance(layer, ExactConv | ExactEmbedding | ExactMasked)
                assert np.array_equal(layer.step(front, g), expected)
                layer.push(front, g * features, new[0])


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_the_same_by_torch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, groups, features, sources = LAYERS[name]
    layer, batch = make(), batch_of(*SIZES)
    inputs = inputs_of(1, batch, groups * features, sources)
    monkeypatch.setattr(layers, "DEVICE", "torch")
    there = make().parallel(batch, *map(torch.from_numpy, inputs)).numpy()
    here = layer.parallel(batch, *inputs)
    assert there.dtype == here.dtype
    for i, (h, w) in enumerate(SIZES):
        assert np.array_equal(there[i, :h, :w], here[i, :h, :w])


@pytest.mark.parametrize("name", LAYERS)
def test_layer_does_not_depend_on_the_batch(name: str) -> None:
    make, groups, features, sources = LAYERS[name]
    layer, batch = make(), batch_of(*SIZES)
    inputs = inputs_of(2, batch, groups * features, sources)
    together = layer.parallel(batch, *inputs)
    for i, (h, w) in enumerate(SIZES):
        alone = layer.parallel(batch_of((h, w)), *[x[i : i + 1, :h, :w] for x in inputs])
        assert np.array_equal(alone[0], together[i, :h, :w])


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_causal(name: str) -> None:
    make, groups, features, sources = LAYERS[name]
    layer, batch = make(), batch_of((6, 7))
    inputs = inputs_of(3, batch, groups * features, sources)
    sequence = sequences(getattr(layer, "order", Raster()), batch).at[0]
    before = layer.parallel(batch, *inputs).reshape(6 * 7, groups, -1)[sequence]
    rng = np.random.default_rng(4)
    for _ in range(12):
        at, g, which = int(rng.integers(6 * 7)), int(rng.integers(groups)), int(rng.integers(len(inputs)))
        changed = [x.copy() for x in inputs]
        source, dtype = sources[which], changed[which].dtype
        changed[which][0, sequence[at] // 7, sequence[at] % 7, g * features : (g + 1) * features] = rng.integers(
            source.low, source.high + 1, features
        ).astype(dtype)
        after = layer.parallel(batch, *changed).reshape(6 * 7, groups, -1)[sequence]
        assert np.array_equal(before[:at], after[:at])
        own = g if sees_itself(layer) else g + 1
        assert np.array_equal(before[at, :own], after[at, :own])


@pytest.mark.parametrize("name", ["conv B 3x3", "conv A 5x5", "conv above", "conv A line", "linear over channels"])
def test_layer_sees_its_past(name: str) -> None:
    """The perturbation test above can fail: the past does move the outputs."""
    make, groups, features, (source,) = LAYERS[name]
    layer, batch = make(), batch_of((6, 7))
    x = random_input(3, batch, groups * features, source)
    changed = x.copy()
    changed[:, :, :, :features] = -1 - changed[:, :, :, :features]
    assert not np.array_equal(layer.parallel(batch, x), layer.parallel(batch, changed))


@pytest.mark.parametrize("taps", [square(3), square(7), above(5), line(3, 2), line(2, 5), full(5), ((0, 0),)])
def test_float_convolution_is_the_exact_one(taps: Any) -> None:
    """What is trained, with rounding, is what is frozen: equal but for ties of the last rounding."""
    torch.manual_seed(3)
    spec = Conv(taps, "B", 2, 3, 4, SIGNED8, LOGITS)
    layer = float_layer(spec)
    exact = spec.exact_layer(layer.freeze(), "cpu")
    batch = batch_of((8, 13))
    x = random_input(5, batch, 6, SIGNED8)
    with torch.no_grad():
        real = layer(torch.from_numpy(x).float() * SIGNED8.step, rounding=True) / LOGITS.step
    assert float(np.abs(real.numpy() - exact.parallel(batch, x)).max()) <= 2


@pytest.mark.parametrize("name", ORDERS)
def test_order_covers_every_position_once(name: str) -> None:
    batch = batch_of(*SIZES, (1, 1), (9, 40))
    seen = np.zeros((len(batch), 11, 40), int)
    for front in ORDERS[name].fronts(batch):
        assert len(front)
        key = (front.image.astype(np.int64) * 100 + front.y) * 100 + front.x
        assert (np.diff(key) > 0).all()
        seen[front.image, front.y, front.x] += 1
    for i, (h, w) in enumerate(zip(batch.heights, batch.widths, strict=True)):
        assert (seen[i, :h, :w] == 1).all()
        assert seen[i].sum() == h * w


@pytest.mark.parametrize("skew", [1, 4, 9])
def test_wavefront_knows_what_its_skew_promises(skew: int) -> None:
    batch = batch_of((6, 23))
    when = np.zeros((6, 23), int)
    for t, front in enumerate(Wavefront(skew).fronts(batch)):
        when[front.y, front.x] = t
    for y in range(6):
        for x in range(23):
            assert x == 0 or when[y, x - 1] < when[y, x]
            if y:
                assert (when[y - 1, : min(23, x + skew)] < when[y, x]).all()


def test_grouping_keeps_the_fronts() -> None:
    batch = batch_of((6, 23), (3, 4))
    fronts = list(Wavefront(4).fronts(batch))
    joined = list(grouped(iter(fronts), 20))
    assert all(len(front) >= 20 for front, _ in joined[:-1])
    sizes = np.concatenate([np.diff(ends, prepend=0) for _, ends in joined])
    assert sizes.tolist() == [len(f) for f in fronts]
    assert np.array_equal(np.concatenate([f.y for f, _ in joined]), np.concatenate([f.y for f in fronts]))


def test_front_length() -> None:
    assert len(Front(*(np.zeros(3, np.int32),) * 3)) == 3
