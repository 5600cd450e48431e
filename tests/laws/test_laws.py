"""The laws of the contract, over every layer, order and model in tests/specimens.py.

exact whole == exact front by front == exact naive, bit for bit; independent of batch composition, batch size, threads
and backend; a position does not move when one that is not before it changes; frequencies are positive with a
fixed sum; float and exact NLL agree; freeze -> save -> load keeps the digest.
"""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
import torch

from arcomp import codec
from arcomp.coding import Distribution, digit_widths
from arcomp.container import pack, unpack
from arcomp.contract import registry
from arcomp.contract.distributions import DistributionModel, coded
from arcomp.contract.model import BatchSpec
from arcomp.contract.tiling import Tiling
from arcomp.contract.weights_file import Weights
from arcomp.errors import ArcompError, ModelError
from arcomp.exact import matmul, threads
from arcomp.layers.conv import above, full, line, square
from arcomp.layers.embedding import ExactEmbedding
from arcomp.layers.float.layer import float_layer
from arcomp.layers.masked import ExactMasked
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spatial import ExactConv
from arcomp.layers.spec import Conv
from arcomp.models.context.config import ContextConfig
from arcomp.models.context.model import ContextModel
from arcomp.models.context.net import Context
from arcomp.models.context.training import freeze
from arcomp.models.histogram import unpack_counts
from arcomp.network.float import likelihoods
from arcomp.orders import Batch, Front, Raster, Wavefront, grouped, sequences
from tests import specimens
from tests.coded import decode, encode, read_picture
from tests.specimens import LAYERS, LEARNERS, MODELS, ORDERS, batch_of, pictures

CONTENTS = ("smooth", "noise", "extreme")
SIZES = ((7, 9), (1, 13), (11, 1), (5, 6))


def random_input(seed: int, batch: Batch, features: int, grid: Any) -> npt.NDArray[Any]:
    rng = np.random.default_rng(seed)
    shape = (len(batch), int(batch.heights.max()), int(batch.widths.max()), features)
    values = rng.integers(grid.low, grid.high + 1, shape)
    ends = rng.choice([grid.low, grid.high], shape)
    kind = np.int8 if grid.largest <= 128 else np.int16
    return np.where(rng.random(shape) < 0.3, ends, values).astype(kind)


def inputs_of(seed: int, batch: Batch, features: int, grids: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
    return [random_input(seed + i, batch, features, grid) for i, grid in enumerate(grids)]


# --- layers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("order", [Raster(), Wavefront(4)], ids=["raster", "wavefront"])
def test_layer_whole_is_front_by_front(name: str, order: Any) -> None:
    make, groups, features, grids = LAYERS[name]
    layer, batch = make(), batch_of(*SIZES)
    inputs = inputs_of(1, batch, groups * features, grids)
    whole = layer.parallel(batch, *inputs)
    outputs = whole.shape[3] // groups
    layer.start(batch)
    for front in getattr(layer, "order", order).fronts(batch):
        for g in range(groups):
            own = slice(g * features, (g + 1) * features)
            new = [np.ascontiguousarray(x[front.image, front.y, front.x][:, own]) for x in inputs]
            expected = whole[front.image, front.y, front.x][:, g * outputs : (g + 1) * outputs]
            if sees_itself(layer):
                assert np.array_equal(layer.step(front, g, *new), expected)
            else:  # outputs of a group come before its inputs are known
                assert isinstance(layer, ExactConv | ExactEmbedding | ExactMasked)
                assert np.array_equal(layer.step(front, g), expected)
                layer.push(front, g * features, new[0])


def sees_itself(layer: Any) -> bool:
    """Whether a group's outputs depend on its own inputs at the position, as under mask B."""
    if isinstance(layer, ExactEmbedding):
        return layer.spec.mask == "B"
    if not isinstance(layer, ExactConv):
        return not isinstance(layer, ExactMasked)
    here = layer.taps.tolist().index([0, 0]) if [0, 0] in layer.taps.tolist() else None
    features = layer.groups * layer.inputs
    weight = layer.group[0].weight
    return here is not None and bool(weight[:, here * features : here * features + layer.inputs].any())


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_the_same_by_torch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, groups, features, grids = LAYERS[name]
    layer, batch = make(), batch_of(*SIZES)
    inputs = inputs_of(1, batch, groups * features, grids)
    monkeypatch.setattr(specimens, "DEVICE", "torch")
    there = make().parallel(batch, *map(torch.from_numpy, inputs)).numpy()
    here = layer.parallel(batch, *inputs)
    assert there.dtype == here.dtype
    for i, (h, w) in enumerate(SIZES):
        assert np.array_equal(there[i, :h, :w], here[i, :h, :w])


@pytest.mark.parametrize("name", LAYERS)
def test_layer_does_not_depend_on_the_batch(name: str) -> None:
    make, groups, features, grids = LAYERS[name]
    layer, batch = make(), batch_of(*SIZES)
    inputs = inputs_of(2, batch, groups * features, grids)
    together = layer.parallel(batch, *inputs)
    for i, (h, w) in enumerate(SIZES):
        alone = layer.parallel(batch_of((h, w)), *[x[i : i + 1, :h, :w] for x in inputs])
        assert np.array_equal(alone[0], together[i, :h, :w])


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_causal(name: str) -> None:
    make, groups, features, grids = LAYERS[name]
    layer, batch = make(), batch_of((6, 7))
    inputs = inputs_of(3, batch, groups * features, grids)
    sequence = sequences(getattr(layer, "order", Raster()), batch).at[0]
    before = layer.parallel(batch, *inputs).reshape(6 * 7, groups, -1)[sequence]
    rng = np.random.default_rng(4)
    for _ in range(12):
        at, g, which = int(rng.integers(6 * 7)), int(rng.integers(groups)), int(rng.integers(len(inputs)))
        changed = [x.copy() for x in inputs]
        grid, kind = grids[which], changed[which].dtype
        changed[which][0, sequence[at] // 7, sequence[at] % 7, g * features : (g + 1) * features] = rng.integers(
            grid.low, grid.high + 1, features
        ).astype(kind)
        after = layer.parallel(batch, *changed).reshape(6 * 7, groups, -1)[sequence]
        assert np.array_equal(before[:at], after[:at])
        own = g if sees_itself(layer) else g + 1
        assert np.array_equal(before[at, :own], after[at, :own])


@pytest.mark.parametrize("name", ["conv B 3x3", "conv A 5x5", "conv above", "conv A line", "linear over channels"])
def test_layer_sees_its_past(name: str) -> None:
    """The perturbation test above can fail: the past does move the outputs."""
    make, groups, features, (grid,) = LAYERS[name]
    layer, batch = make(), batch_of((6, 7))
    x = random_input(3, batch, groups * features, grid)
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


# --- orders ---------------------------------------------------------------------------------------------------------


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


# --- models ---------------------------------------------------------------------------------------------------------


def kind_for(model: DistributionModel, padded: npt.NDArray[Any], batch: Batch, depth: int) -> BatchSpec:
    kind = BatchSpec(batch, padded.shape[3], depth)
    return coded(model, padded, replace(kind, side=model.side_information(padded, kind)))[-1][2]


def fingerprint(d: Distribution, values: npt.NDArray[np.int32]) -> list[npt.NDArray[Any]]:
    """All frequencies on the way to the values, and the values' masses."""
    out: list[npt.NDArray[Any]] = [d.masses(values)]
    widths = digit_widths(d.depth)
    for level in range(len(widths)):
        prefix = (values >> sum(widths[level:])).astype(np.int32)
        f = d.frequencies(level, prefix)
        assert (f >= 0).all()
        assert (f == np.floor(f)).all()
        assert (f.astype(np.int64).sum(1) == (1 << 24) - (1 << widths[level])).all()
        out.append(f)
    return out


def padded_of(
    name: str, content: str, sizes: tuple[tuple[int, int], ...]
) -> tuple[DistributionModel, npt.NDArray[Any], BatchSpec]:
    make, channels, depth = MODELS[name]
    model = make()
    batch = batch_of(*sizes)
    padded = pictures(content, (int(batch.heights.max()) * len(batch), int(batch.widths.max()), channels), depth)
    padded = padded.reshape(len(batch), -1, padded.shape[1], channels).copy()
    for i, (h, w) in enumerate(sizes):
        padded[i, h:] = 0
        padded[i, :, w:] = 0
    return model, padded, kind_for(model, padded, batch, depth)


def evaluated(
    model: DistributionModel, padded: npt.NDArray[Any], kind: BatchSpec, least: int = 1
) -> dict[tuple[int, ...], list[Any]]:
    """Fingerprints of all positions and channels by (image, y, x, channel), from a whole evaluation."""
    whole = model.parallel(padded, kind)
    found: dict[tuple[int, ...], list[Any]] = {}
    for front, _ in grouped(model.order.fronts(kind.batch), least):
        values = padded[front.image, front.y, front.x].astype(np.int32)
        for c, d in enumerate(whole.distributions(front)):
            parts = fingerprint(d, np.ascontiguousarray(values[:, c]))
            for i in range(len(front)):
                found[int(front.image[i]), int(front.y[i]), int(front.x[i]), c] = [p[i].tolist() for p in parts]
    return found


def stepped(model: DistributionModel, padded: npt.NDArray[Any], kind: BatchSpec) -> dict[tuple[int, ...], list[Any]]:
    """The same from an evaluation front by front."""
    state = model.incremental(kind)
    found: dict[tuple[int, ...], list[Any]] = {}
    for front in model.order.fronts(kind.batch):
        state.begin(front)
        for c in range(kind.channels):
            values = np.ascontiguousarray(padded[front.image, front.y, front.x, c].astype(np.int32))
            parts = fingerprint(state.distribution(c), values)
            state.fill(c, values)
            for i in range(len(front)):
                found[int(front.image[i]), int(front.y[i]), int(front.x[i]), c] = [p[i].tolist() for p in parts]
    return found


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", MODELS)
def test_model_whole_is_front_by_front(name: str, content: str) -> None:
    model, padded, kind = padded_of(name, content, SIZES)
    reference = evaluated(model, padded, kind)
    assert reference == stepped(model, padded, kind)
    assert reference == evaluated(model, padded, kind, least=1000)


@pytest.mark.parametrize("name", MODELS)
def test_model_does_not_depend_on_the_batch(name: str) -> None:
    model, padded, kind = padded_of(name, "smooth", SIZES)
    together = evaluated(model, padded, kind)
    for i, (h, w) in enumerate(SIZES):
        alone = evaluated(model, padded[i : i + 1, :h, :w].copy(), kind.part(slice(i, i + 1)))
        assert alone == {(0, *k[1:]): v for k, v in together.items() if k[0] == i}


@pytest.fixture
def restored_threads() -> Iterator[None]:
    count = threads.threads()
    yield
    threads.set_threads(count)


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("name", MODELS)
def test_model_does_not_depend_on_threads(name: str) -> None:
    model, padded, kind = padded_of(name, "noise", ((17, 23),))
    threads.set_threads(1)
    one = evaluated(model, padded, kind, least=1000)
    threads.set_threads(2)
    assert one == evaluated(model, padded, kind, least=1000)


@pytest.mark.parametrize("backend", matmul.BACKENDS)
@pytest.mark.parametrize("name", [n for n in MODELS if not n.startswith("histogram")])
def test_model_does_not_depend_on_the_backend(name: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, padded, kind = padded_of(name, "smooth", ((9, 12),))
    first = evaluated(model, padded, kind)
    monkeypatch.setenv("ARCOMP_BACKEND", backend)
    matmul.choose.cache_clear()
    registry._load.cache_clear()
    try:
        model, padded, kind = padded_of(name, "smooth", ((9, 12),))
        assert matmul.choose()[0] == backend
        assert first == evaluated(model, padded, kind)
        assert first == stepped(model, padded, kind)
    finally:
        matmul.choose.cache_clear()
        registry._load.cache_clear()


@pytest.mark.parametrize("name", MODELS)
def test_model_is_causal(name: str) -> None:
    """Nothing at or before a position in the order moves when it changes, nor what is before it row by row where that
    is promised."""
    model, padded, kind = padded_of(name, "smooth", ((7, 11),))
    before = evaluated(model, padded, kind)
    sequence = [
        (0, int(f.y[i]), int(f.x[i]), c)
        for f in model.order.fronts(kind.batch)
        for c in range(kind.channels)
        for i in range(len(f))
    ]
    step = {key: t for t, key in enumerate(sequence)}
    rng = np.random.default_rng(5)
    moved = 0
    for _ in range(8):
        at = sequence[int(rng.integers(len(sequence)))]
        changed = padded.copy()
        changed[at] = (int(padded[at]) + 1 + int(rng.integers((1 << kind.depth) - 1))) % (1 << kind.depth)
        after = evaluated(model, changed, kind)
        for key, value in before.items():
            if step[key] < step[at] or (model.row_by_row and key[1:3] < at[1:3]):
                assert value == after[key], (at, key)
            moved += value != after[key]
        assert before[at][1] == after[at][1]  # its own first digit's frequencies
    assert moved or model.name == "histogram", "the past does not move anything: this test could not fail"


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", MODELS)
def test_codec_round_trip_and_naive_decoder(name: str, content: str) -> None:
    make, channels, depth = MODELS[name]
    model = make()
    pixels = pictures(content, (6, 9, channels), depth)[None]
    encoded = encode(pixels, depth, model)
    for naive in (False, True):
        decoded, _ = decode(encoded.data, model=model, naive=naive)
        assert np.array_equal(decoded, pixels)


def test_naive_decoder_evaluates_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make, channels, depth = MODELS["pixelcnn rgb"]
    model = make()
    assert isinstance(model, DistributionModel)
    pixels = pictures("noise", (2, 3, channels), depth)[None]
    data, whole, devices = encode(pixels, depth, model).data, model.whole, set[str]()

    def watched(padded: Any, kind: BatchSpec, device: str = "cpu") -> Any:
        devices.add(device)
        return whole(padded, kind)

    monkeypatch.setattr(model, "parallel", watched)
    assert np.array_equal(decode(data, model=model, naive=True, device="cuda")[0], pixels)
    assert devices == {"cuda"}
    devices.clear()
    assert np.array_equal(decode(data, model=model, device="cuda")[0], pixels)
    assert not devices  # from caches


@pytest.mark.parametrize("name", MODELS)
def test_codec_with_tiles_and_several_images(name: str) -> None:
    make, channels, depth = MODELS[name]
    model = make()
    pixels = np.stack([pictures("smooth", (13, 10, channels), depth, seed) for seed in range(3)])
    encoded = encode(pixels, depth, model, tile=(5, 4))
    decoded, header = decode(encoded.data, model=model)
    assert np.array_equal(decoded, pixels)
    assert (header.tile_height, header.tile_width) == (5, 4)


def test_a_tile_as_large_as_the_picture_is_no_tile() -> None:
    pixels = pictures("smooth", (6, 9, 3), 8)[None]
    model = registry.load("histogram")
    assert encode(pixels, 8, model, tile=(6, 100)).data == encode(pixels, 8, model).data


def test_side_information_that_a_model_has_no_use_for_is_refused() -> None:
    model = MODELS["context gray"][0]()
    header, payload = unpack(encode(pictures("smooth", (4, 5, 1), 8)[None], 8, model).data)
    with pytest.raises(ModelError, match="side information"):
        decode(pack(replace(header, side=b"x"), payload), model=model)


@pytest.mark.parametrize(
    "side",
    [
        b"\x81\x00\x00\xfe\x01",
        b"\x80\x80\x40\x00\xfe\x01",
        b"\x01\x00\xff\x01",
        b"\x00\xff\x01",
        b"\x01",
        b"\xff\xff\x3f\x01\x00\xfd\x01",
    ],
)
def test_damaged_counts_are_refused(side: bytes) -> None:
    """Not in shortest form; too large; beyond the row; a row without counts; cut; too large in sum."""
    assert unpack_counts(b"\x01\x00\xfe\x01", 1, 256).sum() == 1
    with pytest.raises(ModelError):
        unpack_counts(side, 1, 256)


def test_what_does_not_fit_is_refused_before_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file with right checksums that claims a picture of 2**28 pixels, each row with its padding."""
    model = MODELS["context gray"][0]()
    header, payload = unpack(encode(pictures("smooth", (4, 5, 1), 8)[None], 8, model).data)
    monkeypatch.setattr(codec, "physical_memory", lambda: 2.0**30)
    tracemalloc.start()
    try:
        with pytest.raises(ArcompError, match="GiB of memory"):
            decode(pack(replace(header, height=2**28, width=1, channels=1), payload), model=model)
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("part", [(0, 40, 0, 60), (100, 228, 100, 292)])
def test_a_file_is_as_large_as_its_nll(part: tuple[int, int, int, int]) -> None:
    """Whole files of photographs: at most 0.05 % and 64 bytes over, with header and all."""
    photo = read_picture(str(Path(__file__).parents[1] / "pictures" / "lighthouse.png"))
    for pixels in (photo, photo[..., 1:2]):
        crop = np.ascontiguousarray(pixels[part[0] : part[1], part[2] : part[3]])[None]
        encoded = encode(crop, 8, registry.load("context"))
        assert 8 * len(encoded.data) <= 1.0005 * encoded.nll_bits + 8 * 64
        assert 8 * len(encoded.data) > encoded.nll_bits


def test_tiling_cuts_and_joins() -> None:
    pixels = np.arange(2 * 7 * 9 * 3, dtype=np.uint16).reshape(2, 7, 9, 3)
    tiling = Tiling((2, 7, 9), (3, 4))
    assert len(tiling.batch) == 2 * 3 * 3
    assert np.array_equal(tiling.join(tiling.cut(pixels)), pixels)


# --- float and exact ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["smooth", "noise"])
@pytest.mark.parametrize("name", [name for name in MODELS if "extreme" not in name])
def test_float_and_exact_nll_agree(name: str, content: str) -> None:
    """Within 0.1 %, of samples of 1 bit within 0.3 %; not with weights at their limits, where activations are clamped
    that float has as they are."""
    make, channels, depth = MODELS[name]
    model = make()
    pixels = np.stack([pictures(content, (16, 20, channels), depth, seed) for seed in range(2)])
    exact = encode(pixels, depth, model, tile=(0, 0)).nll_bits
    assert model.float_bits(pixels, depth) == pytest.approx(exact, rel=3e-3 if depth == 1 else 1e-3)


@pytest.mark.parametrize("name", [name for name in MODELS if not re.search("extreme|histogram|context", name)])
def test_float_and_exact_nll_agree_where_levels_are_not_alike(name: str) -> None:
    """A softmax that begins at random, not with all levels about alike: errors have something to change."""
    make, channels, depth = MODELS[name]
    with patch.object(likelihoods, "init"):
        model = make()
    pixels = pictures("smooth", (16, 20, channels), depth)[None]
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


@pytest.mark.parametrize("name", [name for name in (*MODELS, *LEARNERS) if not name.startswith("histogram")])
def test_freeze_save_load_keeps_the_digest(name: str, tmp_path: Path) -> None:
    model: Any = (LEARNERS[name] if name in LEARNERS else MODELS[name])[0]()
    model.weights.save(tmp_path / "w.safetensors")
    loaded = Weights.load(tmp_path / "w.safetensors")
    assert loaded.digest == model.digest
    assert type(model)(loaded).digest == model.digest


def test_front_length() -> None:
    assert len(Front(*(np.zeros(3, np.int32),) * 3)) == 3
