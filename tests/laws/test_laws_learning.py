"""The laws of models that learn while they code, over every specimen of LEARNERS in tests/specimens.py.

Encoding in chunks == encoding front by front, byte for byte; decoding == decoding naively == the pixels; the bytes do
not depend on threads, backend, device, size of chunks, or on what else is coded; nothing seen of a position moves when
one that is not before it changes; a stream is as long as its NLL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp import limits
from arcomp.container import unpack
from arcomp.contract.learning import Tile
from arcomp.errors import ArcompError, FormatError, ModelError
from arcomp.exact import last_layers, matmul
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.models.photo import strip as strips
from arcomp.models.photo.depth import of_tile
from arcomp.models.photo.exact import mixtures, new_workspace
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.planes import SKEW
from arcomp.models.photo.strip import Strip
from tests.coded import decode, encode
from tests.contents import deep, pictures
from tests.laws.learners import (
    CONTENTS,
    FEW_SHAPES,
    MODELS,
    PHOTOS,
    SHAPES,
    SMALL,
    as_long_as_its_nll,
    by_chunks,
    decoded,
    nothing,
    parallel,
    specimen,
)

# --- one function, however it is computed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [pytest.param(c, marks=pytest.mark.slow if c in ("noise", "constant") else ()) for c in CONTENTS]
)
@pytest.mark.parametrize("name", PHOTOS)
def test_chunks_are_fronts_and_decode(name: str, content: str) -> None:
    check_chunks(name, content, FEW_SHAPES)


@pytest.mark.slow
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", PHOTOS)
def test_chunks_are_fronts_in_every_shape(name: str, content: str) -> None:
    check_chunks(name, content, SHAPES)


def check_chunks(name: str, content: str, shapes: tuple[tuple[int, int], ...]) -> None:
    for shape in shapes:
        model, pixels = specimen(name, content, shape)
        stream = parallel(model, pixels)
        assert stream == by_chunks(model, pixels), shape
        assert np.array_equal(decoded(model, stream, pixels), pixels), shape
        assert as_long_as_its_nll(stream)


@pytest.mark.parametrize("content", ["smooth", pytest.param("extreme", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MODELS)
def test_naive_decoder(name: str, content: str) -> None:
    for shape in SMALL:
        model, pixels = specimen(name, content, shape)
        assert np.array_equal(decoded(model, parallel(model, pixels), pixels, naive=True), pixels)
    model, pixels = specimen(name, content, (3, 5))
    found, _ = decode(encode(pixels[None], 8, model).data, model=model, naive=True)
    assert np.array_equal(found[0], pixels)


@pytest.mark.parametrize(
    "name",
    [
        "photo similarity gray",
        pytest.param("photo three windows rgb", marks=pytest.mark.slow),
        pytest.param("photo inner gray", marks=pytest.mark.slow),
    ],
)
def test_more_than_8_bits(name: str) -> None:
    """Of the same pictures at any depth: the same for all evaluations, as long as its NLL."""
    model, channels = MODELS[name][0](), MODELS[name][1]
    for bits, shape in ((9, (6, 11)), (12, (1, 5)), (16, (19, 8))):
        pixels = deep((*shape, channels), bits)
        stream = parallel(model, pixels)
        assert "inner" in name or stream == by_chunks(model, pixels)
        for naive in (False, True):
            assert np.array_equal(decoded(model, stream, pixels, naive), pixels)
        assert as_long_as_its_nll(stream)
        costs, _ = model.tile_bits(pixels)
        assert float(costs.sum()) == pytest.approx(stream.nll_bits, rel=1e-4)
    with pytest.raises(ModelError, match="8 bits only"):
        model.sample_tile(np.zeros_like(pixels), np.random.default_rng(1))
    for bad in (b"", b"\x0f\xff", b"\0\0\0", b"\xff\xff\3", b"\xff\xff\7"):
        with pytest.raises(FormatError, match="damaged"):
            model.decode_tile(bad, np.zeros_like(pixels))


@pytest.mark.parametrize("name", ["photo online gray", "photo online rgb"])
def test_naive_decoder_when_heads_have_learnt(name: str) -> None:
    """A picture of more pixels than a step takes."""
    model, pixels = specimen(name, "converted", (19, 28))
    assert pixels.shape[0] * pixels.shape[1] > model.configs[pixels.shape[2]].group
    stream = parallel(model, pixels)
    assert np.array_equal(decoded(model, stream, pixels, naive=True), pixels)


@pytest.mark.parametrize("name", [n for n in MODELS if "online" in n])
def test_heads_learn(name: str) -> None:
    """After the first steps their weights have moved, by Adam's rate at most, and stay finite."""
    model, pixels = specimen(name, "smooth", (60, 70))
    strip = Strip(model.frozen(pixels.shape[2]), 60, 70)
    heads = strip.learners[0]
    assert heads is not None
    weights = heads.fields.weights
    before = weights.copy()
    stream = strip.encode(pixels, nothing)
    moved = np.abs(weights - before)
    assert np.isfinite(weights).all()
    config = model.configs[pixels.shape[2]]
    assert 0 < moved.max() < 10 * last_layers.BIAS * config.rate * pixels.shape[0] * pixels.shape[1] / config.group
    assert np.array_equal(decoded(model, stream, pixels), pixels)


@pytest.mark.parametrize("name", ["photo inner rgb", "photo inner gray"])
def test_layers_learn(name: str) -> None:
    """Their weights move, by the rate at most in a step; what is coded with is what they are rounded to; and a naive
    decoder follows."""
    model, pixels = specimen(name, "smooth", (40, 50))
    config = model.configs[pixels.shape[2]]
    strip = Strip(model.frozen(pixels.shape[2]), 40, 50)
    layers, net = strip.learners[1], strip.parts.net
    assert layers is not None
    before, packed = layers.fields.weights.copy(), net.weights.copy()
    stream = strip.encode(pixels, nothing)
    rows = len(layers.fields.weights)
    moved = np.abs(layers.fields.weights - before) * layers.fields.factor[0, :rows, None]
    assert np.isfinite(moved).all()
    assert 0 < moved.max() < config.inner_rate * layers.fields.progress[2] * 1.001
    assert not np.array_equal(net.weights, packed)
    assert stream == parallel(model, pixels)
    assert np.array_equal(decoded(model, stream, pixels), pixels)
    model, pixels = specimen(name, "converted", (19, 28))
    assert np.array_equal(decoded(model, parallel(model, pixels), pixels, naive=True), pixels)


@pytest.mark.parametrize("name", ["photo inner rgb", "photo inner gray", "photo inner extreme rgb"])
def test_strips_of_layers_that_learn_decode(name: str) -> None:
    for content in CONTENTS:
        for shape in FEW_SHAPES:
            model, pixels = specimen(name, content, shape)
            stream = parallel(model, pixels)
            assert np.array_equal(decoded(model, stream, pixels), pixels), (content, shape)
            assert as_long_as_its_nll(stream)


@pytest.mark.parametrize("chunk", [40, *(pytest.param(size, marks=pytest.mark.slow) for size in (1, 1 << 20))])
@pytest.mark.parametrize("name", PHOTOS)
def test_stream_does_not_depend_on_the_size_of_chunks(name: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, pixels = specimen(name, "smooth", (26, 25))
    expected = parallel(model, pixels)
    monkeypatch.setattr(strips, "CHUNK", chunk)
    assert by_chunks(model, pixels) == expected


@pytest.mark.parametrize("name", PHOTOS)
def test_stream_does_not_depend_on_the_backend(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, pixels = specimen(name, "noise", (9, 12))
    expected = parallel(model, pixels)
    try:
        for backend in matmul.BACKENDS:
            monkeypatch.setenv("ARCOMP_BACKEND", backend)
            matmul.choose.cache_clear()
            assert matmul.choose()[0] == backend
            assert by_chunks(model, pixels) == expected, backend
            assert parallel(model, pixels) == expected, backend  # in chunks too where a backend is asked for
    finally:
        matmul.choose.cache_clear()


@pytest.mark.parametrize("name", PHOTOS)
def test_stream_is_the_same_by_torch(name: str) -> None:
    """What a GPU computes, here on the processor, is what NumPy and the kernels compute."""
    pytest.importorskip("torch")
    model, pixels = specimen(name, "noise", (9, 12))
    assert by_chunks(model, pixels, "torch") == by_chunks(model, pixels)


@pytest.fixture
def restored_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("name", MODELS)
def test_file_does_not_depend_on_threads(name: str) -> None:
    make, channels = MODELS[name]
    model = make()
    pixels = np.stack([pictures("smooth", (23, 17, channels), 8, seed) for seed in range(2)])
    files = set()
    for ours, torchs in ((1, 1), (2, 1), (7, 2)):
        torch.set_num_threads(torchs)
        files.add(encode(pixels, 8, model, tile=(9, 11), threads=ours).data)
    assert len(files) == 1
    for ours in (1, 2):
        assert np.array_equal(decode(files.copy().pop(), model=model, threads=ours)[0], pixels)


@pytest.mark.parametrize("name", MODELS)
def test_stream_does_not_depend_on_the_batch(name: str) -> None:
    """Every tile's stream in a file of many is the one it has alone."""
    make, channels = MODELS[name]
    model = make()
    pixels = np.stack([pictures(content, (13, 10, channels), 8) for content in CONTENTS])
    encoded = encode(pixels, 8, model, tile=(7, 0))  # 0: as wide as the picture
    (part,) = unpack(encoded.data).parts
    assert part.tile == (7, 10)
    order = list(model.coding_order(channels))
    nll = network = 0.0
    for i, (n, y) in enumerate((n, y) for n in range(len(CONTENTS)) for y in (0, 7)):
        alone = parallel(model, np.ascontiguousarray(pixels[n, y : y + 7][..., order]))
        assert bytes(part.streams[i]) == alone.data
        nll, network = nll + alone.nll_bits, network + alone.network_bits
    assert encoded.nll_bits == pytest.approx(nll)
    assert encoded.network_bits == pytest.approx(network)
    assert np.array_equal(decode(encoded.data, model=model)[0], pixels)


def test_a_large_picture_is_cut_into_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    from arcomp.models.photo import model as photo_model

    model, pixels = specimen("photo gray", "smooth", (20, 30))
    assert model.tile(20, 30, 1, 8) == (20, 30)
    monkeypatch.setattr(photo_model, "SPLIT_PIXELS", 599)
    assert model.tile(20, 30, 1, 8) == (10, 30)
    assert model.tile(1, 10**6, 1, 8) == (1, 10**6)
    (part,) = unpack(encode(pixels[None], 8, model).data).parts
    assert part.tile == (10, 30)
    monkeypatch.setattr(photo_model, "STRIP_PIXELS", 200)
    assert model.tile(20, 30, 1, 8) == (5, 30)  # three would leave a processor without work at the end


def test_a_picture_of_four_megapixels_is_work_for_eight_processors() -> None:
    model, _ = specimen("photo gray", "smooth", (20, 30))
    assert model.tile(2000, 2000, 3, 8) == (1000, 500)
    assert model.tile(1500, 2000, 3, 8) == (750, 2000)
    assert model.tile(3000, 4000, 3, 8) == (500, 2000)
    assert model.tile(6000, 6000, 3, 8) == (334, 6000)
    assert model.tile(8000, 500, 3, 8) == (4000, 500)  # parts of few columns are slow


# --- causality ------------------------------------------------------------------------------------------------------


@kernel()
def _mixtures(net: Any, activations: Any, base: Any, scale: Any, depth: Any, n: int, out: Any) -> None:
    mixtures(net, activations, base, scale, depth, n, out)


def seen(model: PhotoModel, pixels: Tile) -> tuple[Any, list[Any]]:
    """(trunk's inputs [n, *], for each channel everything that its coding looks at [n, *]), by position in the
    order."""
    channels = pixels.shape[2]
    frozen = model.frozen(channels)
    depth = of_tile(pixels)
    strip = Strip(frozen, pixels.shape[0], pixels.shape[1], depth)
    whole = strip.extract_features(pixels, 0, strip.fronts)
    chunk, hashed = whole.seen, whole.hashed
    n = pixels.shape[0] * pixels.shape[1]
    assert chunk.values.shape == (channels, n)
    outputs, _ = model.chunk_network(channels).outputs(chunk.inputs, chunk.extras)
    parts, at, net = [], 0, record(frozen.net)
    for c in range(channels):
        activations = new_workspace(frozen.config, n)._replace(outputs=outputs[c], residuals=chunk.residuals[c])
        _mixtures(net, record(activations), chunk.base[c], chunk.scale[c], record(depth), n, whole.mixture[c])
        more = frozen.config.extras(c)
        rows = [
            chunk.extras[at : at + more], outputs[c], chunk.base[c][None], chunk.scale[c][None], chunk.residuals[c],
            whole.mixture[c].T, hashed.contexts[c].T, hashed.checks[c].T, hashed.selectors[c].T,
        ]  # fmt: skip
        at += more
        parts.append(np.concatenate([r.astype(np.int64) for r in rows]).T)
    return chunk.inputs.T.copy(), parts


@pytest.mark.parametrize("shape", [(7, 11), *(pytest.param(s, marks=pytest.mark.slow) for s in ((12, 3), (2, 40)))])
@pytest.mark.parametrize("name", PHOTOS)
def test_learner_is_causal(name: str, shape: tuple[int, int]) -> None:
    model, pixels = specimen(name, "smooth", shape)
    height, width = shape
    order = sorted(((y, x) for y in range(height) for x in range(width)), key=lambda at: (at[1] + SKEW * at[0], at[0]))
    front = np.array([x + SKEW * y for y, x in order])
    inputs, parts = seen(model, pixels)
    rng = np.random.default_rng(7)
    moved = 0
    for _ in range(8):
        at, c = int(rng.integers(len(order))), int(rng.integers(pixels.shape[2]))
        changed = pixels.copy()
        changed[(*order[at], c)] ^= 1 + int(rng.integers(255))
        inputs_after, parts_after = seen(model, changed)
        before = front <= front[at]
        assert np.array_equal(inputs[before], inputs_after[before])
        others = before.copy()
        others[at] = False
        for other in range(pixels.shape[2]):
            assert np.array_equal(parts[other][others], parts_after[other][others])
            if other <= c:
                assert np.array_equal(parts[other][at], parts_after[other][at])
            else:
                moved += not np.array_equal(parts[other][at], parts_after[other][at])
        moved += not np.array_equal(inputs, inputs_after)
    assert moved, "the past does not move anything: this test could not fail"


# --- any picture ----------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    st.sampled_from(sorted(MODELS)),
    st.integers(1, 24),
    st.integers(1, 24),
    st.integers(0, 2**32 - 1),
    st.integers(0, 3),
)
def test_any_picture_comes_back(name: str, height: int, width: int, seed: int, style: int) -> None:
    make, channels = MODELS[name]
    rng = np.random.default_rng(seed)
    shape = (height, width, channels)
    if style == 0:
        pixels = rng.integers(0, 256, shape)
    elif style == 1:  # few values, repeated
        pixels = rng.choice(rng.integers(0, 256, 3), shape)
    elif style == 2:  # a ramp with steps
        pixels = (
            np.add.outer(np.arange(height) // 3 * 17, np.arange(width))[..., None] * np.arange(1, channels + 1) % 256
        )
    else:  # an edge
        pixels = np.broadcast_to(np.where(np.arange(width) < width // 2, 0, 255)[:, None], shape)
    pixels = np.ascontiguousarray(pixels, np.uint8)
    encoded = encode(pixels[None], 8, make())
    assert np.array_equal(decode(encoded.data, model=make())[0][0], pixels)


def test_damaged_streams_decode_to_something_or_are_refused() -> None:
    """A stream that is long enough decodes to some pixels; the file's checksums tell which."""
    model, pixels = specimen("photo rgb", "smooth", (9, 12))
    data = encode(pixels[None], 8, model).data
    with pytest.raises(ArcompError):
        decode(data[:-1] + bytes([data[-1] ^ 1]), model=model)
    rng = np.random.default_rng(3)
    for known in range(3):
        for rest in (rng.bytes(5000), b"\xff" * 3000):
            model.decode_tile(bytes([known]) + rest, np.zeros_like(pixels))
        for size in (0, 1, 3, 4):
            with pytest.raises(FormatError, match="end too soon"):
                model.decode_tile(bytes([known]) + rng.bytes(size), np.zeros_like(pixels))
    for bad in (b"", b"\3abcd", b"\xff"):
        for naive in (False, True):
            with pytest.raises(FormatError, match="damaged"):
                model.decode_tile(bad, np.zeros_like(pixels), naive=naive)
    with pytest.raises(FormatError, match="damaged"):  # gray pictures have no colours
        model.decode_tile(b"\1abcd", np.zeros((4, 5, 1), np.uint8))


def test_pictures_that_it_does_not_take() -> None:
    model = MODELS["photo rgb"][0]()
    for channels, depth in ((2, 8), (4, 16), (3, 17), (3, 7)):
        with pytest.raises(ModelError, match="photo takes gray and RGB of 8 to 16 bits"):
            model.check(channels, depth)


def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model, pixels = specimen("photo gray", "smooth", (9, 12))
    data = encode(pixels[None], 8, model).data
    assert model.tile_memory(1, 2**20, 1) > 2**28 > model.tile_memory(1, 512, 512)
    monkeypatch.setattr(limits, "free_memory", lambda: 1000.0)
    for call in (lambda: encode(pixels[None], 8, model), lambda: decode(data, model=model)):
        with pytest.raises(ArcompError, match="of memory"):
            call()
