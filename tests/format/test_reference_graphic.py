"""What a decoder written from docs/format.md alone makes of the files of model ``graphic``."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.container import pack, unpack
from arcomp.contract.weights_file import Weights
from arcomp.errors import ArcompError
from arcomp.models.graphic.model import GraphicModel
from arcomp.models.graphic.tile import Start, Tile, table_bits
from tests.coded import decode, encode
from tests.contents import pictures, screen
from tests.format import reference
from tests.format.reference_graphic import Drawing
from tests.format.reference_numbers import Refused
from tests.specimens import graphic

Picture = npt.NDArray[np.uint8]


def saved(weights: Weights) -> bytes:
    """The file of a model's weights."""
    with TemporaryDirectory() as folder:
        weights.save(Path(folder) / "graphic.safetensors")
        return (Path(folder) / "graphic.safetensors").read_bytes()


@cache
def made(extreme: bool) -> tuple[GraphicModel, bytes]:
    """A model, and the file of its weights."""
    model = graphic(extreme)
    return model, saved(model.weights)


def check(pixels: Picture, depth: int = 8, extreme: bool = False, tile: tuple[int, int] = (0, 0)) -> int:
    """Both decoders give the pictures that were encoded; returns how many bytes they take."""
    model, weights = made(extreme)
    data = encode(pixels, depth, model, tile=tile).data
    (decoded,) = reference.decode(data, weights)
    assert decoded == (pixels.shape, depth, pixels.ravel().tolist())
    assert np.array_equal(decode(data, model=model)[0], pixels)
    return len(data)


@pytest.mark.parametrize(("channels", "content"), [(1, "smooth"), (2, "noise"), (3, "smooth"), (4, "extreme")])
def test_graphic(channels: int, content: str) -> None:
    for height, width in ((1, 1), (1, 9), (9, 1), (5, 6)):
        check(pictures(content, (height, width, channels), 8)[None])


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 14, 19), (2, 9, 30), (3, 20, 24), (4, 14, 19)])
def test_letters(channels: int, height: int, width: int) -> None:
    check(screen(height, width, channels)[None])


@pytest.mark.parametrize("depth", [1, 3])
def test_fewer_bits(depth: int) -> None:
    check(np.right_shift(screen(13, 20, 1), np.uint8(8 - depth))[None], depth)


@pytest.mark.parametrize(("channels", "content"), [(1, "noise"), (3, "extreme"), (4, "smooth")])
def test_weights_at_their_limits(channels: int, content: str) -> None:
    check(pictures(content, (5, 8, channels), 8)[None], extreme=True)


def test_letters_with_weights_at_their_limits() -> None:
    check(screen(13, 20, 3)[None], extreme=True)


def test_several_tiles() -> None:
    check(np.stack([screen(7, 10, 3, seed) for seed in range(2)]), tile=(4, 6))


def test_matches_by_rows() -> None:
    """Rows that are shifted, in which nothing else repeats."""
    rng = np.random.default_rng(1)
    row = rng.integers(0, 256, (6, 3), np.uint8)[rng.integers(0, 6, 50)]
    check(np.stack([np.roll(row, int(rng.integers(50)), 0) for _ in range(5)])[None])


def test_matches_that_are_wrong_now_and_then() -> None:
    """Also so often that they are given up, and of all classes of lengths."""
    rng = np.random.default_rng(2)
    pattern = rng.integers(0, 256, (5, 1), np.uint8)[rng.integers(0, 5, (5, 90))]
    page = np.tile(pattern, (3, 2, 1))
    wrong = page[6:, 40:90]
    wrong[:] = np.where(rng.random(wrong.shape) < 0.3, rng.integers(0, 256, wrong.shape), wrong)
    check(page[None])


def test_counters_that_are_full() -> None:
    """And weights far from where they started."""
    rng = np.random.default_rng(3)
    check((rng.random((24, 40, 1)) < 0.06).astype(np.uint8)[None], 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (4, 8), (3, 11), (64, 64), (1, 4097), (256, 256), (300, 900)])
def test_sizes_of_tables(size: tuple[int, int]) -> None:
    assert Drawing(3, *size, ([], []), b"").bits == table_bits(*size)


@pytest.mark.slow
def test_large_tables() -> None:
    """Those of spelled colours end to grow before the others do."""
    rng = np.random.default_rng(4)
    blocks = rng.integers(0, 256, (8, 11, 2), np.uint8)
    check(np.repeat(np.repeat(blocks, 25, 0), 16, 1)[None])


def test_places_and_margins_to_the_last_one() -> None:
    """Where surroundings were last, though no sample shows it."""
    pixels, weights = screen(15, 12, 2), made(False)[0].weights
    tile = Tile(Start(), 15, 12, 2)
    data = tile.encode(pixels, lambda positions: None).data
    rows = [[[0] * 16 for _ in range(len(weights.arrays[name]))] for name in ("3.candidates", "3.escape")]
    for row in rows[0][:1024]:
        row[:9] = [(1 << 16) // 3] * 9
    for row in rows[1][:2112]:
        row[:14] = [(1 << 16) // 4] * 14
    drawing = Drawing(2, 15, 12, (rows[0], rows[1]), data)
    assert [colour for _, colour in drawing.colours()] == tile.colours.ravel().tolist()
    past = tile.parts.past
    assert drawing.colour == past.pixels.ravel().tolist()
    kinds = {"two": 0, "six": 1, "twelve": 2, "wide": 3, "row": 4}
    for name, which in kinds.items():
        own = {entry: at for (kind, entry), at in drawing.last.items() if kind == name}
        assert own == {int(entry): int(past.last[which, entry]) for entry in np.flatnonzero(past.last[which])}
    for match, of in ((drawing.a, past.wide), (drawing.b, past.row)):
        assert (match.at, match.length) == (of.at[0], of.length[0])
    assert drawing.a.misses == past.wide.misses[0]
    learnt = tile.weights()
    assert np.array_equal(np.array(drawing.offers.weights), learnt.arrays()["candidates"][:, :10])
    assert np.array_equal(np.array(drawing.spelling.weights), learnt.arrays()["escape"])


def test_refuses_other_streams() -> None:
    model, weights = made(False)
    member = unpack(encode(screen(8, 6, 1)[None], 8, model, tile=(4, 6)).data)
    (part,) = member.parts
    first, second = map(bytes, part.streams)
    for streams in [(first,), (first, second, second), (first, b"\xab" * 3)]:
        data = pack(replace(member, parts=(replace(part, streams=streams),)))
        with pytest.raises(Refused):
            reference.decode(data, weights)
        with pytest.raises(ArcompError):
            decode(data, model=model)


def test_refuses_other_weights() -> None:
    model, right = made(False)
    data = encode(screen(3, 3, 3)[None], 8, model).data
    own = model.weights
    less = {name: a[1:] for name, a in own.arrays.items()}
    for weights in ((), (b"",), (made(True)[1],), (right[:-1] + bytes([right[-1] ^ 1]),)):
        with pytest.raises(Refused):
            reference.decode(data, *weights)
    for other in (less, {name: a + (1 << 20) for name, a in own.arrays.items()}, {"3.escape": own.arrays["3.escape"]}):
        wrong = Weights("graphic", own.config, other)
        member = unpack(data)
        (of,) = member.models
        named = pack(replace(member, models=(replace(of, digest=wrong.digest[:8]),)))
        with pytest.raises(Refused):
            reference.decode(named, saved(wrong))
