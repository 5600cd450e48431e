"""What a decoder written from docs/format.md alone makes of the files of model ``photo``."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from arcomp.coding import lattice, mixing
from arcomp.coding.mixing.mixer import constants as mixer_constants
from arcomp.container import pack, unpack
from arcomp.contract.weights_file import Weights
from arcomp.errors import ArcompError
from arcomp.exact import last_layers, tables
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned
from arcomp.models.photo import descent, least_squares
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.net import Photo
from arcomp.models.photo.planes import LANES
from arcomp.models.photo.stage import STAGES
from arcomp.models.photo.strip import Strip
from arcomp.models.photo.training import freeze
from arcomp.models.photo.windows import Window
from tests.coded import decode, encode
from tests.contents import deep, pictures
from tests.format import (
    reference,
    reference_container,
    reference_mixing,
    reference_photo,
    reference_squares,
    reference_stage,
    reference_tiles,
)

NEAR = Window(step=1, rows=2, left=2, right=2, taps=4, weighted=False, beta=0.05, ridge=10.0)
WIDE = Window(step=1, rows=3, left=2, right=7, taps=7, weighted=True, beta=0.03, ridge=1.0)
ODD = Window(step=1, rows=1, left=3, right=0, taps=5, weighted=False, beta=0.0, ridge=2.5)
SPARSE = Window(step=2, rows=2, left=2, right=3, taps=4, weighted=True, beta=0.03, ridge=1.0)
LONG = Window(step=1, rows=1, left=1, right=7, taps=16, weighted=True, beta=0.1, ridge=1.0)
SIMILAR = Window(
    step=1, rows=3, left=4, right=3, taps=4, weighted=False, beta=0.003, ridge=1.0, similarity=6.0, fade=0.8
)
EVEN = Window(step=1, rows=2, left=2, right=1, taps=7, weighted=False, beta=0.02, ridge=3.0, similarity=0.3, fade=1.0)
# name -> (windows, stage, with weights of the mixing stage)
KINDS: dict[str, tuple[tuple[Window, ...], str, bool]] = {
    "one": ((NEAR,), "cheap", False),
    "two": ((NEAR, WIDE), "full", True),
    "three": ((ODD, NEAR, SPARSE), "full", False),
    "sparse": ((SPARSE,), "deep", True),
    "similarity": ((SIMILAR,), "cheap", False),
    "similarity and others": ((SIMILAR, WIDE, EVEN), "cheap", True),
    "none": ((), "direct", False),
}


@cache
def tiny(
    windows: tuple[Window, ...],
    stage: str,
    mixer: bool,
    extreme: bool = False,
    online: bool = False,
    inner: float = 0.0,
) -> PhotoModel:
    """Small networks with random weights, or with most of them at their limits."""
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    networks = {}
    rate, group = (0.008, 200) if len(windows) > 1 else (0.016, 512)
    for channels in (1, 3):
        config = PhotoConfig(channels, windows, (10, 9), 6, 3, stage, online, rate, group, inner, 50)
        network = Photo(config)
        network.prepare([pictures("smooth", (20, 30, channels), 8, seed) for seed in range(2)])
        networks[channels] = network
    weights = freeze(networks)
    arrays = dict(weights.arrays)
    for name, a in weights.arrays.items():
        if extreme and name.endswith("weight"):
            arrays[name] = rng.choice(np.array([-63, 63], np.int8), a.shape)
        elif extreme and name.endswith("bias"):
            arrays[name] = rng.choice(np.array([-(2**31) + 1, 0, 2**31 - 1], np.int32), a.shape)
    for channels in networks if mixer else ():
        shape = (STAGES[stage].shape(channels, 1).weight_rows, mixing.LANES)
        limit = (1 << 20) if extreme else 20000
        arrays[f"{channels}.mixer"] = rng.integers(-limit + 1, limit, shape).astype(np.int32)
    return PhotoModel(Weights(weights.model, weights.config, arrays))


def saved(model: PhotoModel, folder: Path) -> bytes:
    """The file of a model's weights."""
    model.weights.save(folder / "photo.safetensors")
    return (folder / "photo.safetensors").read_bytes()


def check(pixels: npt.NDArray[Any], model: PhotoModel, folder: Path, tile: tuple[int, int] = (0, 0)) -> None:
    """Both decoders give the pixels that were encoded."""
    depth = 8 * pixels.itemsize
    data = encode(pixels, depth, model, tile=tile).data
    (decoded,) = reference.decode(data, saved(model, folder))
    assert decoded == (pixels.shape, depth, pixels.ravel().tolist())
    assert np.array_equal(decode(data, model=model)[0], pixels)


FLOATS = ("Fit", "single", "larger", "smaller", "less", "factorise", "rounded", "blend", "similarity_weights")


@pytest.mark.parametrize("module", [reference_photo, reference_squares, reference_stage])
def test_floats_are_in_least_squares_and_blending_only(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for part in tree.body:
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.name in FLOATS:
            continue
        for node in ast.walk(part):
            assert not isinstance(node, ast.Div)
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
            assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float")


def test_tables() -> None:
    constants = mixer_constants()
    assert tables.fine_logistic().tolist() == reference_mixing.LOGISTIC
    assert constants.squash.tolist() == reference_mixing.SQUASH
    assert constants.stretch.tolist() == reference_mixing.STRETCH
    assert tables.mantissa_logarithm().tolist() == reference_stage.LN
    assert tables.power_logarithm().tolist() == reference_stage.LN2
    assert constants.rate.tolist() == reference_mixing.RATE
    assert constants.confidence.tolist() == reference_mixing.CONFIDENCE


@pytest.mark.parametrize("content", ["smooth", "extreme", pytest.param("noise", marks=pytest.mark.slow)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_photo(kind: str, channels: int, content: str, tmp_path: Path) -> None:
    model = tiny(*KINDS[kind])
    for height, width in ((1, 1), (1, 9), (9, 1), (5, 7)):
        check(pictures(content, (height, width, channels), 8)[None], model, tmp_path)
    if (content == "smooth") == (channels == 3):
        check(pictures(content, (13, 22, channels), 8)[None], model, tmp_path)


@pytest.mark.parametrize("channels", [1, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "kind", ["two", *(pytest.param(k, marks=pytest.mark.slow) for k in ("none", "three", "similarity and others"))]
)
def test_more_than_8_bits(kind: str, channels: int, tmp_path: Path) -> None:
    model = tiny(*KINDS[kind])
    for bits in (9, 12, 16) if kind in ("two", "none") else (14,):
        check(deep((9, 14, channels), bits)[None], model, tmp_path)
    for content in ("noise", "extreme", "constant") if kind in ("two", "none") else ():
        check(pictures(content, (4, 7, channels), 16)[None], model, tmp_path)
    if kind == "three":
        check(deep((9, 14, channels), 11)[None], tiny(*KINDS[kind], online=True, inner=0.01), tmp_path)


@pytest.mark.parametrize("channels", [1, 3])
def test_several_tiles(channels: int, tmp_path: Path) -> None:
    several = np.stack([pictures("smooth", (7, 9, channels), 8, seed) for seed in range(2)])
    check(several, tiny(*KINDS["two"]), tmp_path, (4, 5))


@pytest.mark.parametrize("content", ["smooth", "noise", "extreme"])
@pytest.mark.parametrize("channels", [1, 3])
def test_weights_at_their_limits(channels: int, content: str, tmp_path: Path) -> None:
    for kind in ("two", "none"):
        check(pictures(content, (6, 8, channels), 8)[None], tiny(*KINDS[kind], extreme=True), tmp_path)


@pytest.mark.parametrize("width", [33, 58, 70])
def test_windows_at_the_right_edge(width: int, tmp_path: Path) -> None:
    """Of tiles wider than what is kept of a row."""
    model = tiny((LONG,), "cheap", False)
    check(pictures("noise", (4, width, 1), 8)[None], model, tmp_path)


@pytest.mark.parametrize("known", lattice.KNOWN)
def test_lattices(known: int, tmp_path: Path) -> None:
    """Also for colours that are not on it, of which there are a few."""
    rows = np.unpackbits(lattice.colours(known).reshape(256, 256, 32), axis=2, bitorder="little")
    rng = np.random.default_rng(known)
    for green, red in rng.integers(80, 140, (3, 2)).tolist():
        assert set(np.flatnonzero(rows[green, red]).tolist()) == reference_stage.blues(known, green, red)
    on = np.argwhere(rows[100:103, 110:114])  # few rows, for the reference's sake
    coded = on[rng.integers(0, len(on), 3 * 17)].reshape(3, 17, 3) + np.array([100, 110, 0])
    coded[2, 3] = (101, 111, 255)
    coded[2, 9] = (100, 113, 0)
    pixels = coded[..., [1, 0, 2]].astype(np.uint8)[None]
    model = tiny(*KINDS["one"])
    (part,) = unpack(encode(pixels, 8, model).data).parts
    assert part.streams[0][0] == known
    check(pixels, model, tmp_path)


def both(model: PhotoModel, pixels: npt.NDArray[np.uint8]) -> tuple[Strip, reference_photo.Strip]:
    """A strip after it was encoded, and the reference decoder after it decoded that: uint8 [H, W, 1]."""
    strip = Strip(model.frozen(1), *pixels.shape[:2])
    data = strip.encode(pixels, lambda positions: None).data
    arrays = {
        name: ({"b": "int8", "h": "int16", "i": "int32"}[a.dtype.char], list(a.shape), a.tobytes())
        for name, a in model.weights.arrays.items()
    }
    own = reference_photo.Photo(model.weights.config["networks"]["1"], arrays)
    depth = reference_squares.Depth()
    decoder = reference_photo.Strip(own, reference_tiles.Tile(0, 0, 0, *pixels.shape[:2]), data, depth)
    values = list(decoder.values())
    assert all(pixels[y, x, c] == value for (y, x), c, value in values)
    return strip, decoder


@pytest.mark.parametrize(("kind", "content", "channels"), [("one", "noise", 1), ("two", "smooth", 3)])
def test_heads_that_learn(kind: str, content: str, channels: int, tmp_path: Path) -> None:
    """Over several of their steps."""
    pixels = pictures(content, (40, 28, 1) if channels == 1 else (23, 24, 3), 8)
    check(pixels[None], tiny(*KINDS[kind], online=True), tmp_path)


@pytest.mark.parametrize(("kind", "content", "channels"), [("one", "smooth", 1), ("two", "converted", 3)])
def test_layers_that_learn(kind: str, content: str, channels: int, tmp_path: Path) -> None:
    pixels = pictures(content, (40, 28, 1) if channels == 1 else (23, 24, 3), 8)
    check(pixels[None], tiny(*KINDS[kind], online=True, inner=0.01), tmp_path)


def test_layers_that_learn_from_absurd_ones(tmp_path: Path) -> None:
    model = tiny(*KINDS["two"], extreme=True, online=True, inner=0.01)
    check(pictures("extreme", (23, 24, 3), 8)[None], model, tmp_path)


def test_layers_that_learn_to_the_last_bit() -> None:
    """Weights are rounded, so that another sequence of operations would seldom show in them."""
    strip, decoder = both(tiny(*KINDS["two"], online=True, inner=0.01), pictures("smooth", (30, 40, 1), 8))
    layers = strip.learners[1]
    assert layers is not None
    assert decoder.layers is not None
    assert decoder.layers.steps > 10
    row = 0
    for n, own in enumerate(decoder.layers.layers):
        rows = slice(row, row + len(own.weights))
        at = descent.places(own.inputs)
        assert np.array_equal(np.array(own.weights, np.float32), layers.fields.weights[rows][:, at]), n
        assert np.array_equal(np.array(own.most, np.float32), layers.fields.largest[rows][:, at]), n
        assert np.array_equal(np.array(own.bias, np.float32), layers.fields.bias[0, rows]), n
        row += len(own.weights)


@pytest.mark.parametrize("channels", [1, 3])
def test_heads_that_learn_from_absurd_ones(channels: int, tmp_path: Path) -> None:
    check(pictures("extreme", (23, 24, channels), 8)[None], tiny(*KINDS["two"], extreme=True, online=True), tmp_path)


def test_heads_that_learn_to_the_last_bit() -> None:
    """Outputs are rounded, so that another sequence of operations would seldom show in them."""
    strip, decoder = both(tiny(*KINDS["two"], online=True), pictures("smooth", (30, 40, 1), 8))
    assert decoder.heads is not None
    made = np.array(decoder.heads.weights, np.float32)
    assert strip.learners[0] is not None
    heads = strip.learners[0].fields
    units, width = heads.units, heads.weights.shape[1]
    weights = heads.weights.reshape(len(made), heads.rows, width)[:, : heads.outputs]
    assert np.array_equal(made[:, :, :units], weights[:, :, :units])
    assert np.array_equal(made[:, :, units], weights[:, :, width - last_layers.LANES])


def test_learning_at_length(tmp_path: Path) -> None:
    """Counters that are full, and weights far from where they started."""
    pixels = np.tile(pictures("noise", (5, 8, 1), 8) // 64, (12, 5, 1))
    check(pixels[None], tiny(*KINDS["one"]), tmp_path)


def test_refuses_other_streams(tmp_path: Path) -> None:
    model = tiny(*KINDS["one"])
    member = unpack(encode(pictures("noise", (4, 6, 1), 8)[None], 8, model, tile=(2, 6)).data)
    (part,) = member.parts
    first, second = map(bytes, part.streams)
    wrong = [(first,), (first, second, second), (b"", second), (b"\1" + first[1:], second)]
    for streams in [*wrong, (first, b"\xff" * len(second))]:  # of no tile; a lattice for gray
        data = pack(replace(member, parts=(replace(part, streams=streams),)))
        with pytest.raises(reference_container.Refused):
            reference.decode(data, saved(model, tmp_path))
        with pytest.raises(ArcompError):
            decode(data, model=model)


def test_refuses_other_weights(tmp_path: Path) -> None:
    model, other = tiny(*KINDS["one"]), tiny(*KINDS["sparse"])
    data = encode(pictures("noise", (2, 2, 3), 8)[None], 8, model).data
    right = saved(model, tmp_path)
    for weights in ((), (b"",), (saved(other, tmp_path),), (right[:-1] + bytes([right[-1] ^ 1]),)):
        with pytest.raises(reference_container.Refused):
            reference.decode(data, *weights)


@kernel()
def factorise(matrix: Any, m: int, ridge: Any) -> None:
    """For Python to call."""
    least_squares._factorise(matrix, m, ridge)


@pytest.mark.parametrize("samples", [60, 2])
@pytest.mark.parametrize("m", [4, 5, 12, 21, 39])
def test_factorisation_to_the_last_bit(m: int, samples: int) -> None:
    """Predictions are rounded, so that another sequence of operations would seldom show in them. Of two samples, all
    pivots after the first two are what rounding left over, or the ridge."""
    rng, ridge = np.random.default_rng(m), 1.1
    v = rng.integers(-255, 256, (LANES, samples, m)) * (1 if samples > 2 else 8)
    sums = np.einsum("kni,knj->kij", v, v).astype(np.float32) + np.float32(ridge) * np.eye(m, dtype=np.float32)
    rows, columns = np.tril_indices(m)
    packed = aligned((len(rows), LANES), np.float32)
    packed[:] = sums[:, rows, columns].T
    factorise(packed, m, np.float32(ridge))
    clamped = 0
    for k in range(LANES):
        a = [sums[k, i, : i + 1].tolist() for i in range(m)]
        reference_squares.factorise(a, float(np.float32(ridge)))
        assert [e for row in a for e in row] == packed[:, k].tolist()
        clamped += sum(a[i][i] == np.float32(ridge) for i in range(m))
    if m > 5:
        assert (clamped > 0) == (samples == 2)
