"""``graphic``: what matches and blends are worth, tiles, damaged streams."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.contract import registry
from arcomp.errors import FormatError, ModelError
from arcomp.models.graphic import model as graphic_model
from arcomp.models.graphic.model import GraphicModel
from arcomp.models.graphic.tile import Tile, memory, table_bits
from tests.coded import decode, encode
from tests.specimens import graphic

Picture = npt.NDArray[np.uint8]


def coded(pixels: Picture) -> int:
    """Bytes of a tile, which comes back."""
    model = graphic()
    assert isinstance(model, GraphicModel)
    stream = model.encode_tile(pixels)
    back = np.zeros_like(pixels)
    model.decode_tile(stream.data, back)
    assert np.array_equal(back, pixels)
    assert 8 * len(stream.data) <= stream.nll_bits * 1.0002 + 8 * 8
    return len(stream.data)


def noise(height: int, width: int, channels: int = 3, colours: int = 9) -> Picture:
    rng = np.random.default_rng(1)
    palette = rng.integers(0, 256, (colours, channels), np.uint8)
    return palette[rng.integers(0, colours, (height, width))]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_one_colour_costs_next_to_nothing(channels: int) -> None:
    pixels = np.full((200, 300, channels), 77, np.uint8)
    assert coded(pixels) < 40


def test_decoding_makes_no_copies_of_a_tile() -> None:
    model, pixels = graphic(), np.full((600, 1000, 1), 77, np.uint8)
    assert isinstance(model, GraphicModel)
    stream, tile = model.encode_tile(pixels), Tile(model.start, *pixels.shape)
    tracemalloc.start()
    try:
        tile.decode(stream.data, pixels, lambda done: None)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20  # colours take 2.4 MB
    finally:
        tracemalloc.stop()


def test_a_pattern_that_repeats_is_found() -> None:
    tile = noise(24, 40)
    once = coded(tile)
    assert coded(np.tile(tile, (4, 4, 1))) < 1.5 * once + 300


def test_rows_that_are_shifted_are_found() -> None:
    """Surroundings in two dimensions never repeat, what is to the left does."""
    row, rng = noise(1, 1000)[0], np.random.default_rng(2)
    pixels = np.stack([np.roll(row, int(rng.integers(1000))) for _ in range(30)])
    assert coded(pixels) < 0.25 * coded(noise(30, 1000))


def test_a_match_outlasts_letters_on_a_pattern() -> None:
    pixels = np.tile(noise(32, 64), (3, 3, 1))
    plain = coded(pixels)
    pixels[70:90:4, 70:180:9] = 255
    assert coded(pixels) < plain + 650


def test_blends_of_two_colours_are_guessed_from_the_first_channel() -> None:
    rng = np.random.default_rng(3)
    part = rng.integers(0, 255, (60, 60, 1))
    edges = np.where(rng.random((60, 60, 1)) < 0.3, part, 0)
    blended = ((255 - edges) * np.array([250, 240, 30]) + edges * np.array([20, 60, 200])) // 255
    mixed = rng.integers(0, 256, (60, 60, 3)) * (edges > 0) + (edges == 0) * np.array([250, 240, 30])
    assert coded(blended.astype(np.uint8)) < 0.6 * coded(mixed.astype(np.uint8))


def test_what_it_takes() -> None:
    model = graphic()
    for channels, depth in ((1, 1), (1, 8), (2, 8), (3, 8), (4, 8), (1, 4)):
        model.check(channels, depth)
    for channels, depth in ((5, 8), (1, 9), (3, 16)):
        with pytest.raises(ModelError, match="graphic takes 1 to 4 channels of up to 8 bits"):
            model.check(channels, depth)


def test_large_pictures_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    model = graphic()
    assert model.tile(2000, 3000, 3, 8) == (2000, 3000)
    assert model.tile(3000, 3000, 3, 8) == (1500, 3000)
    assert model.tile(1, 10**8, 3, 8) == (1, 10**8)
    monkeypatch.setattr(graphic_model, "MOST_PIXELS", 100)
    pixels = noise(20, 14)[None]
    assert np.array_equal(decode(encode(pixels, 8, model).data, model=model)[0], pixels)


def test_memory_grows_with_small_tiles_only() -> None:
    assert table_bits(1, 1) < table_bits(64, 64) < table_bits(1000, 1000) == table_bits(9000, 9000)
    assert memory(16, 16) < 1 << 21
    assert memory(4000, 2000) < 200e6


def test_damaged_streams_decode_to_something_or_are_refused() -> None:
    """The file's checksums tell. Zeros say yes to the first candidate for ever, which takes no information."""
    model, rng = graphic(), np.random.default_rng(3)
    assert isinstance(model, GraphicModel)
    for data in (rng.bytes(60000), b"\xff" * 9000, b""):
        model.decode_tile(data, np.zeros((60, 60, 3), np.uint8))
    with pytest.raises(FormatError, match="end too soon"):
        model.decode_tile(rng.bytes(400), np.zeros((60, 60, 3), np.uint8))


def test_weights_of_another_shape_are_refused() -> None:
    shipped = registry.load("graphic").weights
    for name in shipped.arrays:
        for bad in (shipped.arrays[name][1:], shipped.arrays[name].astype(np.int64), shipped.arrays[name] + (1 << 20)):
            with pytest.raises(ModelError, match="mixing weights"):
                GraphicModel(type(shipped)("graphic", shipped.config, {**shipped.arrays, name: bad}))
    with pytest.raises(ModelError, match="another generation"):
        GraphicModel(type(shipped)("graphic", {}, {}))
