"""The laws of models and of the codec, over every model in tests/specimens.py.

exact and parallel == exact front by front == exact naive, bit for bit; independent of batch composition, batch size,
threads, backend and device; a position does not move when one that is not before it changes; frequencies are positive
with a fixed sum; freeze -> save -> load keeps the digest.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arcomp import limits
from arcomp.container import Geometry, pack, unpack
from arcomp.contract import registry
from arcomp.contract.distributions import DistributionModel
from arcomp.contract.model import BatchSpec
from arcomp.contract.tiling import Tiling
from arcomp.contract.weights_file import Weights
from arcomp.errors import ArcompError, ModelError
from arcomp.exact import matmul, threads
from arcomp.models.histogram import unpack_counts
from tests.coded import decode, encode, read_picture
from tests.contents import pictures
from tests.laws.evaluations import CONTENTS, SIZES, evaluated, padded_of, stepped
from tests.specimens import LEARNERS, MODELS


@pytest.mark.parametrize("content", ["smooth", "extreme", pytest.param("noise", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MODELS)
def test_model_in_parallel_is_front_by_front(name: str, content: str) -> None:
    model, padded, spec = padded_of(name, content, SIZES)
    reference = evaluated(model, padded, spec)
    assert reference == stepped(model, padded, spec)
    assert reference == evaluated(model, padded, spec, least=1000)


@pytest.mark.parametrize("name", MODELS)
def test_model_does_not_depend_on_the_batch(name: str) -> None:
    model, padded, spec = padded_of(name, "smooth", SIZES)
    together = evaluated(model, padded, spec)
    for i, (h, w) in enumerate(SIZES):
        alone = evaluated(model, padded[i : i + 1, :h, :w].copy(), spec.part(slice(i, i + 1)))
        assert alone == {(0, *k[1:]): v for k, v in together.items() if k[0] == i}


@pytest.fixture
def restored_threads() -> Iterator[None]:
    count = threads.threads()
    yield
    threads.set_threads(count)


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("name", MODELS)
def test_model_does_not_depend_on_threads(name: str) -> None:
    model, padded, spec = padded_of(name, "noise", ((14, 14), (14, 14)))
    threads.set_threads(1)
    one = evaluated(model, padded, spec, least=1000)
    threads.set_threads(2)
    assert one == evaluated(model, padded, spec, least=1000)


@pytest.mark.parametrize("name", [n for n in MODELS if not n.startswith("histogram")])
def test_model_does_not_depend_on_the_backend(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluated(*padded_of(name, "smooth", ((5, 7),)))
    try:
        for backend in matmul.BACKENDS:
            monkeypatch.setenv("ARCOMP_BACKEND", backend)
            matmul.choose.cache_clear()
            registry._load.cache_clear()
            there = padded_of(name, "smooth", ((5, 7),))
            assert matmul.choose()[0] == backend
            assert first == evaluated(*there), backend
            assert first == stepped(*there), backend
    finally:
        matmul.choose.cache_clear()
        registry._load.cache_clear()


@pytest.mark.parametrize("name", [n for n in MODELS if not n.startswith("histogram")])
def test_model_is_the_same_by_torch(name: str) -> None:
    """What a GPU computes, here on the processor, is what NumPy and the kernels compute."""
    pytest.importorskip("torch")
    model, padded, spec = padded_of(name, "smooth", ((9, 12), (5, 14)))
    assert evaluated(model, padded, spec, least=1000) == evaluated(model, padded, spec, least=1000, device="torch")


@pytest.mark.parametrize("name", MODELS)
def test_model_is_causal(name: str) -> None:
    """Nothing at or before a position in the order moves when it changes, nor what is before it row by row where that
    is promised."""
    model, padded, spec = padded_of(name, "smooth", ((7, 11),))
    before = evaluated(model, padded, spec)
    sequence = [
        (0, int(f.y[i]), int(f.x[i]), c)
        for f in model.order.fronts(spec.batch)
        for c in range(spec.channels)
        for i in range(len(f))
    ]
    step: dict[tuple[int, ...], int] = {key: t for t, key in enumerate(sequence)}
    rng = np.random.default_rng(5)
    moved = 0
    for _ in range(8):
        at = sequence[int(rng.integers(len(sequence)))]
        changed = padded.copy()
        changed[at] = (int(padded[at]) + 1 + int(rng.integers((1 << spec.depth) - 1))) % (1 << spec.depth)
        after = evaluated(model, changed, spec)
        for key, value in before.items():
            if step[key] < step[at] or (model.row_by_row and key[1:3] < at[1:3]):
                assert value == after[key], (at, key)
            moved += value != after[key]
        assert before[at][1] == after[at][1]  # its own first digit's frequencies
    assert moved or model.name == "histogram", "the past does not move anything: this test could not fail"


@pytest.mark.parametrize("content", ["smooth", "extreme", pytest.param("noise", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MODELS)
def test_codec_round_trip(name: str, content: str) -> None:
    make, channels, depth = MODELS[name]
    model = make()
    pixels = pictures(content, (6, 9, channels), depth)[None]
    assert np.array_equal(decode(encode(pixels, depth, model).data, model=model)[0], pixels)


@pytest.mark.parametrize("content", ["smooth", *(pytest.param(c, marks=pytest.mark.slow) for c in CONTENTS[1:])])
@pytest.mark.parametrize("name", MODELS)
def test_naive_decoder(name: str, content: str) -> None:
    """It evaluates all positions for each sample."""
    make, channels, depth = MODELS[name]
    model = make()
    pixels = pictures(content, (5, 6, channels), depth)[None]
    assert np.array_equal(decode(encode(pixels, depth, model).data, model=model, naive=True)[0], pixels)


def test_naive_decoder_evaluates_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make, channels, depth = MODELS["pixelcnn rgb"]
    model = make()
    assert isinstance(model, DistributionModel)
    pixels = pictures("noise", (2, 3, channels), depth)[None]
    data, parallel, devices = encode(pixels, depth, model).data, model.parallel, set[str]()

    def watched(padded: Any, spec: BatchSpec, device: str = "cpu") -> Any:
        devices.add(device)
        return parallel(padded, spec)

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
    decoded, member = decode(encoded.data, model=model)
    assert np.array_equal(decoded, pixels)
    assert member.parts[0].tile == (5, 4)


def test_a_tile_as_large_as_the_picture_is_no_tile() -> None:
    pixels = pictures("smooth", (6, 9, 3), 8)[None]
    model = registry.load("histogram")
    assert encode(pixels, 8, model, tile=(6, 100)).data == encode(pixels, 8, model).data


def test_side_information_that_a_model_has_no_use_for_is_refused() -> None:
    model = MODELS["context gray"][0]()
    member = unpack(encode(pictures("smooth", (4, 5, 1), 8)[None], 8, model).data)
    with pytest.raises(ModelError, match="side information"):
        decode(pack(replace(member, parts=(replace(member.parts[0], side=b"x"),))), model=model)


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
    member = unpack(encode(pictures("smooth", (4, 5, 1), 8)[None], 8, model).data)
    monkeypatch.setattr(limits, "free_memory", lambda: 2.0**30)
    for freely in ("CODED_FREELY", "MADE_FREELY"):
        monkeypatch.setattr(limits, freely, 1 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(ArcompError, match="of memory"):
            decode(pack(replace(member, geometry=Geometry(((1, 2**28, 1),), 1, 8))), model=model)
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


@pytest.mark.parametrize("name", [name for name in (*MODELS, *LEARNERS) if not name.startswith("histogram")])
def test_freeze_save_load_keeps_the_digest(name: str, tmp_path: Path) -> None:
    model: Any = (LEARNERS[name] if name in LEARNERS else MODELS[name])[0]()
    model.weights.save(tmp_path / "w.safetensors")
    loaded = Weights.load(tmp_path / "w.safetensors")
    assert loaded.digest == model.digest
    assert type(model)(loaded).digest == model.digest
