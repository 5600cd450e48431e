"""``bilevel``: scans and dithers, what is not known yet, damaged streams, two colours of any kind of picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.contract import registry
from arcomp.errors import FormatError, ModelError
from arcomp.models.bilevel import model as bilevel_model
from arcomp.models.bilevel.model import BilevelModel
from arcomp.models.bilevel.tile import Tile
from arcomp.planning import plan
from arcomp.transforms import Coded, Divide, Index
from tests.coded import decode, encode
from tests.format import reference

Bits = npt.NDArray[np.uint8]
MODEL = BilevelModel()


def page(height: int, width: int, seed: int = 1) -> Bits:
    """Strokes, a screen of dots and specks: [1, height, width, 1]."""
    rng, (y, x) = np.random.default_rng(seed), np.mgrid[:height, :width]
    bits = ((x // 5 % 4 == 0) & (y // 9 % 3 > 0)) ^ ((x + 2 * y) % 5 < 2) & (y > height // 2)
    made: Bits = (bits ^ (rng.random(bits.shape) < 0.01)).astype(np.uint8)[None, ..., None]
    return made


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (30, 50), (130, 140)])
def test_both_decoders(size: tuple[int, int]) -> None:
    """The one that is shipped and the one in plain Python give back what was encoded."""
    pixels = page(*size)
    data = encode(pixels, 1, MODEL, tile=(60, 0) if size[0] == 130 else (0, 0)).data
    assert np.array_equal(decode(data, model=MODEL)[0], pixels)
    if pixels.size < 1 << 14:
        assert reference.decode(data)[0].samples == pixels.ravel().tolist()


def test_nothing_is_looked_at_before_it_is_known() -> None:
    """What is decoded so far is the same whatever comes after it."""
    first = page(40, 60)
    second = first.copy()
    second[0, 25:] ^= 1
    costs = [MODEL.tile_bits(pixels[0])[0] for pixels in (first, second)]
    assert np.array_equal(costs[0][:25], costs[1][:25])
    assert not np.array_equal(costs[0][25:], costs[1][25:])


def test_costs_are_what_streams_take() -> None:
    pixels = page(200, 150)[0]
    costs, total = MODEL.tile_bits(pixels)
    stream = MODEL.encode_tile(pixels)
    assert abs(float(costs.sum()) - total) < 1
    assert abs(len(stream.data) * 8 - total) < 64


def test_a_stream_that_ends_too_soon() -> None:
    pixels = np.random.default_rng(3).integers(0, 2, (60, 60, 1), np.uint8)
    data = MODEL.encode_tile(pixels).data
    with pytest.raises(FormatError, match="end too soon"):
        MODEL.decode_tile(data[:60], np.zeros_like(pixels))


def test_other_pictures_are_refused() -> None:
    for channels, depth in ((1, 2), (3, 1), (1, 8)):
        with pytest.raises(ModelError, match="bilevel takes one channel of one bit"):
            MODEL.check(channels, depth)


def test_large_pictures_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MODEL.tile(4000, 4000, 1, 1) == (4000, 4000)
    assert MODEL.tile(5000, 4000, 1, 1) == (2500, 4000)
    monkeypatch.setattr(bilevel_model, "MOST_PIXELS", 100)
    assert MODEL.tile(3, 1000, 1, 1) == (1, 1000)


def test_samples() -> None:
    pixels = np.zeros((90, 80, 1), np.uint8)
    MODEL.sample_tile(pixels, np.random.default_rng(1))
    again = np.zeros_like(pixels)
    Tile(90, 80).decode(MODEL.encode_tile(pixels).data, again, lambda positions: None)
    assert np.array_equal(again, pixels)


def test_two_colours_of_any_picture_are_for_it() -> None:
    """Gray, colours, palettes; and alpha beside a photograph."""
    photo, bits = registry.load("photo-fast"), page(70, 90)
    assert plan(bits, 1, False, None, photo, drawings=True) == Coded(1, 3)
    gray = plan(bits * np.uint8(255), 8, False, None, photo, drawings=True)
    assert gray == Index(bytes((0, 255)), Coded(1, 3))
    colours = np.array([(10, 20, 30), (200, 100, 0)], np.uint8)[bits[..., 0]]
    assert plan(colours, 8, False, None, photo, drawings=True) == Index(bytes((10, 20, 30, 200, 100, 0)), Coded(1, 3))
    assert plan(bits, 1, False, None, registry.load("context"), drawings=True) != Coded(1, 3)
    noise = np.random.default_rng(2).integers(0, 256, (1, 70, 90, 3), np.uint8)
    tree = plan(np.concatenate([noise, bits * np.uint8(255)], axis=3), 8, True, None, photo, drawings=True)
    assert isinstance(tree, Divide)
    assert tree.children()[1] == gray
