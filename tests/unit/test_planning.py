"""Plans: what samples are made into, and that it is the stack again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcomp
from arcomp.contract import registry
from arcomp.contract.fitting import takes
from arcomp.contract.library import SHIPPED
from arcomp.contract.model import Model
from arcomp.errors import ModelError
from arcomp.jpegs import for_jpegs
from arcomp.planning import number, plan
from arcomp.samples import Pixels, Samples
from arcomp.transforms import (
    Coded,
    Constant,
    Divide,
    Expand,
    Fold,
    HighLow,
    Index,
    Inset,
    Levels,
    Luma,
    Node,
    Pile,
    Predict,
    Reorder,
    Repeat,
    Scale,
    Transpose,
    coded_leaves,
    joined,
    leaf_kinds,
    leaves,
    looks,
)
from arcomp.transforms.node import Palette
from tests.contents import converted

RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def photo() -> Model:
    return registry.load("photo-fast")


def smooth(height: int, width: int, channels: int = 1, depth: int = 8) -> Pixels:
    """A picture of slopes and a little noise, all levels between its lowest and its highest in use."""
    y, x, c = np.ogrid[:height, :width, :channels]
    value = ((np.sin(y / 9 + c) + np.cos(x / 7)) / 5 + 0.5 + RNG.normal(0, 0.03, (height, width, channels))).clip(0, 1)
    return (value * ((1 << depth) - 1)).astype(np.uint8 if depth <= 8 else np.uint16)[None]


def planned(
    stack: Pixels, depth: int, model: Model, alpha: bool = False, palette: Palette | None = None
) -> tuple[Node, list[type[Node]]]:
    """The tree, checked to give back the stack and to have leaves that are taken, and the types of its nodes."""
    tree = plan(stack, depth, alpha, palette, model)
    pictures, height, width, channels = stack.shape
    shape = (pictures, height, width, channels)
    assert np.array_equal(joined(tree, leaves(tree, stack, depth, palette), shape, depth, palette), stack)
    for leaf in leaf_kinds(tree, shape, depth, palette):
        assert takes(number(leaf.model) if leaf.model else model, leaf.shape[3], leaf.depth)
    types, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        types.append(type(node))
        waiting += reversed(node.children())
    return tree, types


@pytest.mark.parametrize("channels", [1, 3])
def test_photographs_are_not_tried(channels: int, photo: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "encode", None)
    assert plan(smooth(200, 300, channels), 8, False, None, photo) == Coded(8)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 8, 9, 10, 12, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_kind(depth: int, channels: int, photo: Model) -> None:
    planned(smooth(20, 30, channels, depth), depth, photo, channels in (2, 4))
    planned(RNG.integers(0, 1 << depth, (2, 5, 7, channels)).astype(smooth(1, 1, 1, depth).dtype), depth, photo)


def test_constants(photo: Model) -> None:
    for channels in (1, 2, 3, 4):
        stack = np.full((2, 9, 8, channels), 7, np.uint16)
        assert planned(stack, 12, photo)[0] == Constant((7,) * channels)


def test_alpha(photo: Model) -> None:
    stack = smooth(60, 70, 4)
    assert planned(stack, 8, photo, True)[0] == Divide(3, Coded(8), Coded(8))
    stack[..., 3] = 255
    assert planned(stack, 8, photo, True)[0] == Divide(3, Coded(8), Constant((255,)))
    stack[:, 20:50, 20:50, 3] = 0
    tree, types = planned(stack, 8, photo, True)
    assert types == [Divide, Coded, Index, Coded]
    assert len(leaves(tree, stack, 8)[1]) == 1


def test_gray_stored_as_colour(photo: Model) -> None:
    stack = np.repeat(smooth(60, 70), 3, axis=3)
    assert planned(stack, 8, photo)[0] == Repeat(Coded(8))
    stack[0, 59, 69, 2] ^= 1
    assert Repeat not in planned(stack, 8, photo)[1]


def test_few_colours_are_listed(photo: Model) -> None:
    colours = RNG.integers(0, 256, (5, 3)).astype(np.uint8)
    assert Index in planned(colours[smooth(60, 70)[..., 0] // 60], 8, photo)[1]


def test_palettes(photo: Model) -> None:
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[:, None], 3, axis=1)
    shuffle = RNG.permutation(64)
    stack = np.argsort(shuffle).astype(np.uint8)[smooth(64, 64) // 4]
    assert planned(stack, 8, photo, palette=ramp[shuffle])[1] == [Luma, Coded]
    assert planned(stack, 8, photo, palette=RNG.permutation(ramp))[1] == [Reorder, Coded]
    assert planned(smooth(64, 64) // 4, 8, photo, palette=ramp)[0] == Coded(8)
    planned(stack | 128, 8, photo, palette=ramp)  # beyond its palette
    planned(stack % 13, 4, photo, palette=RNG.integers(0, 256, (300, 4)).astype(np.uint8))  # more than it can use


def test_many_bits(photo: Model) -> None:
    assert planned(smooth(90, 90, 1, 8).astype(np.uint16) * 257, 16, photo)[1] == [Levels, Coded]
    assert planned(smooth(90, 90, 3, 8).astype(np.uint16) * 257, 16, photo)[1] == [Levels, Coded]
    noisy = smooth(90, 90, 1, 8).astype(np.uint16) * 256 + RNG.integers(0, 256, (1, 90, 90, 1), np.uint16)
    assert planned(noisy, 16, photo) == (Coded(16), [Coded])
    y, x = np.mgrid[:90, :90]
    slope = (3000 + 40 * y + 70 * x + RNG.integers(0, 4, (90, 90))).astype(np.uint16)[None, ..., None]
    assert planned(slope, 14, photo)[1][-1] is Coded
    colours = converted(smooth(90, 90, 3, 8)[0]).astype(np.uint16)[None] * 256 + RNG.integers(0, 16, (1, 90, 90, 3))
    assert HighLow in planned(colours.astype(np.uint16), 16, photo)[1]


def test_one_bit(photo: Model) -> None:
    stack = (smooth(64, 64) > 128).astype(np.uint8)
    assert planned(stack, 1, photo)[0] in (Coded(8), Scale(16, 8, Coded(8)))


def test_shapes(photo: Model) -> None:
    wide = np.broadcast_to(smooth(1, 1 << 18), (1, 20, 1 << 18, 1))
    assert planned(wide, 8, photo)[0] == Fold(8, Coded(8))
    assert planned(smooth(2, 9000), 8, photo)[1] == [Fold, Coded]  # a single row may be a sound
    assert planned(smooth(9000, 1), 8, photo)[1] == [Transpose, Fold, Coded]
    assert planned(smooth(3000, 24), 8, photo)[1] == [Transpose, Coded]
    assert planned(np.concatenate([smooth(16, 16)] * 20), 8, photo)[1][:2] == [Pile, Transpose]


def test_models_of_the_ladder_get_what_they_take() -> None:
    digits, colour = registry.load("pixelcnn-digits"), registry.load("made-digits")
    bits = (smooth(28, 28) > 128).astype(np.uint8)
    for model in (digits, colour):
        assert planned(bits, 1, model)[0] == Coded(1)
        assert planned(bits * np.uint8(255), 8, model)[1] == [Levels, Coded]
        with pytest.raises(ModelError, match="8 bits"):
            plan(smooth(28, 28), 8, False, None, model)
        with pytest.raises(ModelError, match="16 bits"):
            plan(smooth(28, 28, 1, 16), 16, False, None, model)


def test_what_a_model_does_not_take_goes_to_another() -> None:
    model = registry.load("pixelcnnpp-colour")
    assert planned(smooth(40, 40, 4), 8, model, True)[0] == Divide(3, Coded(8), Coded(8, 1))
    assert planned(smooth(40, 40, 3, 12), 12, model)[1] == [Predict, HighLow, Coded, Coded]
    palette = RNG.permutation(256).astype(np.uint8)[:, None].repeat(4, axis=1)
    assert planned(smooth(40, 40), 8, model, palette=palette)[1] == [Expand, Divide, Coded, Coded]


def test_samples_are_parts() -> None:
    for shape in (
        (1, 1, 1, 3),
        (3, 40, 50, 1),
        (1, 1, 1 << 18, 3),
        (1, 1 << 18, 1, 1),
        (2, 500, 700, 2),
        (1, 5, 1 << 16, 1),
    ):
        few = looks.sample(np.broadcast_to(np.uint8(3), shape))
        assert few.shape[0] == 1
        assert few.shape[3] == shape[3]
        assert few.size <= np.prod(shape)
        assert min(1 << 13, int(np.prod(shape[:3]))) <= few.size // shape[3] <= 1 << 16


def window(height: int, width: int) -> Pixels:
    """Flat areas, frames and something like text."""
    rng = np.random.default_rng(3)
    picture = np.full((height, width, 3), 240, np.uint8)
    picture[10 : height // 2, 8:-8] = (30, 60, 90)
    glyphs = rng.random((9, 6, 5)) < 0.4
    for y in range(14, height - 8, 9):
        for x in range(12, width - 8, 6):
            picture[y : y + 6, x : x + 5][glyphs[int(rng.integers(9))]] = (250, 250, 210)
    return picture[None]


class TestDrawings:
    """Which pictures are coded by the model of drawings, where that is asked for."""

    @pytest.mark.parametrize("size", [(40, 50), (200, 260)])
    def test_a_drawing(self, photo: Model, size: tuple[int, int]) -> None:
        stack = window(*size)
        assert plan(stack, 8, False, None, photo, drawings=True) == Coded(8, 2)
        assert plan(stack, 8, False, None, photo) != Coded(8, 2)
        own = plan(stack, 8, False, None, registry.load("graphic"), drawings=True)
        assert {leaf.model for leaf in leaf_kinds(own, (1, *size, 3), 8)} == {0}

    def test_a_photograph_is_only_looked_at(self, photo: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(photo, "encode", None)
        assert plan(smooth(200, 300, 3), 8, False, None, photo, drawings=True) == Coded(8)

    def test_a_photograph_in_a_flat_frame(self, photo: Model) -> None:
        """Most of it is flat, but what costs is not."""
        stack = np.full((1, 300, 400, 3), 255, np.uint8)
        stack[:, 90:210, 100:300] = smooth(120, 200, 3)
        assert looks.share_repeated(stack) > 0.7
        assert coded_leaves(plan(stack, 8, False, None, photo, drawings=True))[0] == Coded(8)

    def test_transparency_and_palettes(self, photo: Model) -> None:
        stack = window(60, 80)
        clear = np.concatenate([stack, np.where(stack[..., :1] == 240, np.uint8(0), np.uint8(255))], axis=3)
        assert plan(clear, 8, True, None, photo, drawings=True) == Coded(8, 2)
        colours, indices = np.unique(stack.reshape(-1, 3), axis=0, return_inverse=True)
        listed = indices.reshape(stack.shape[:3]).astype(np.uint8)[..., None]
        assert plan(listed, 2, False, colours, photo, drawings=True) == Coded(2, 2)

    def test_deep_samples_are_no_drawings(self, photo: Model) -> None:
        tree = plan(window(60, 80).astype(np.uint16)[..., :1] * 257, 16, False, None, photo, drawings=True)
        assert all(leaf.model != 2 for leaf in leaf_kinds(tree, (1, 60, 80, 1), 16))

    def test_photographs_in_them(self, photo: Model) -> None:
        """Are found, to a pixel or two, and coded apart."""
        stack = window(300, 400)
        stack[0, 70:220, 90:290] = smooth(150, 200, 3)[0]
        tree = plan(stack, 8, False, None, photo, drawings=True)
        assert isinstance(tree, Inset)
        assert np.allclose((tree.y, tree.x, tree.height, tree.width), (70, 90, 150, 200), rtol=0, atol=2)
        assert [leaf.model for leaf in coded_leaves(tree)] == [0, 2]


def test_what_was_tried_is_not_coded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaf of a small picture is coded once, in choosing and in coding, whatever it is a part of."""
    model, coded = registry.load("photo-fast"), list[bytes]()
    inner = model.encode

    def watched(pixels: Pixels, *args: Any) -> Any:
        coded.append(repr(pixels.shape).encode() + pixels.tobytes())
        return inner(pixels, *args)

    monkeypatch.setattr(model, "encode", watched)
    rng = np.random.default_rng(11)
    icon = rng.integers(0, 30, (7, 3)).astype(np.uint8)[rng.integers(0, 7, (12, 12))]
    pixels = np.concatenate([icon, rng.choice(np.array([0, 128, 255], np.uint8), (12, 12, 1))], 2)
    data = arcomp.compress(Samples((pixels[None],), 8, alpha=True), model)
    assert len(coded) > 4
    assert len(set(coded)) == len(coded)
    assert np.array_equal(arcomp.decompress(data).array, pixels)


class TestModelsOfJpegs:
    def test_weights_of_any_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """JPEGs are coded by the model of the same preset, or, for weights that are called otherwise, by the usual."""
        usual = for_jpegs(registry.load(registry.DEFAULT))
        fast = for_jpegs(registry.load("photo-fast"))
        assert usual is not None
        assert fast is not None
        assert usual.name == fast.name
        assert usual.digest != fast.digest
        shutil.copy(SHIPPED / "photo-fast.safetensors", tmp_path / "photo-mine.safetensors")
        monkeypatch.setenv("ARCOMP_MODELS", str(tmp_path))
        for own in (registry.load("photo-mine"), registry.load(str(tmp_path / "photo-mine.safetensors"))):
            found = for_jpegs(own)
            assert found is not None
            assert found.digest == usual.digest

    def test_only_those_that_a_model_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        other = registry.load("histogram")
        assert for_jpegs(other) is None
        monkeypatch.setattr(type(other), "for_jpegs", "jpeg")
        assert for_jpegs(other) is for_jpegs(registry.load(registry.DEFAULT))
