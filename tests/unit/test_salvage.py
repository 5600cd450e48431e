"""Damage stays where it is: what is known of damaged files is right, and what is not known is said, no more."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import arcomp
from arcomp import codec
from arcomp.container import Original, pack, unpack
from arcomp.container.archive import index_of, joined, read_archive
from arcomp.container.damage import remains_at
from arcomp.container.layout import extent
from arcomp.damage import explained, listed, rectangles
from arcomp.errors import FormatError
from arcomp.form import Literal
from arcomp.salvage import NO_MEMBER, Salvaged, places, salvage
from arcomp.samples import Samples
from arcomp.transforms import Coded, Divide, Fold, HighLow, Index, Node, Predict, Transpose
from tests.raw import Raw


def streams_in(data: bytes) -> list[int]:
    """Where each stream of a member begins, and where the last ends."""
    ends = [extent(data[:14])[2]]
    for stream in remains_at(memoryview(data), 0).header.streams:
        ends.append(ends[-1] + stream.length)
    return ends


def flipped(data: bytes, *streams: int) -> bytes:
    made = bytearray(data)
    for i in streams:
        made[streams_in(data)[i]] ^= 1
    return bytes(made)


def a_file(text: bytes, name: str = "") -> bytes:
    """A file that is kept as bytes."""
    made = unpack(arcomp.compress(text, "histogram"))
    assert made.original is not None
    return pack(replace(made, original=replace(made.original, name=name)))


def known_is_right(found: Salvaged, stack: npt.NDArray[Any]) -> None:
    """All that is not said to be lost is right; what is lost is one gray."""
    assert found.samples is not None
    right = (found.samples.pixels == stack).all(axis=3)
    lost = np.zeros(right.shape, np.bool_)
    for part in found.lost:
        place = lost[part.picture, part.y : part.y + part.height, part.x : part.x + part.width]
        assert not place.any()
        place[...] = True
    assert (right | lost).all()
    assert found.lost_pixels == lost.sum() > 0
    assert found.pixels == lost.size


TREES: dict[str, tuple[Node, int, int]] = {
    "as it is": (Coded(8), 8, 3),
    "alpha": (Divide(3, Coded(8), Coded(8)), 8, 4),
    "high and low": (HighLow(8, Coded(8), Coded(8)), 16, 1),
    "predicted": (Predict(3, 7, HighLow(8, Coded(8), Coded(8))), 16, 1),
    "turned": (Transpose(Coded(8)), 8, 1),
    "folded": (Fold(3, Coded(8)), 8, 1),
    "colours": (Index(bytes(range(8)), Coded(8)), 3, 1),
}


@pytest.mark.parametrize("name", TREES)
def test_what_is_known_is_right(name: str) -> None:
    tree, depth, channels = TREES[name]
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 1 << depth, (2, 20, 36, channels)).astype(np.uint8 if depth <= 8 else np.uint16)
    data = codec.encode(Samples.of(stack, depth), Raw(), trees=(tree,), tile=(8, 8)).data
    count = len(streams_in(data)) - 1
    draw = random.Random(0)
    for many in (1, 2, 5):
        chosen = draw.sample(range(count), many)
        (found,) = salvage(flipped(data, *chosen), Raw())
        known_is_right(found, stack)
        assert not found.whole
        assert found.data is None
        said = listed(remains_at(memoryview(flipped(data, *chosen)), 0), 9)
        assert [int(line.split()[1]) - 1 for line in said] == sorted(chosen)


def test_a_tile_and_no_more() -> None:
    stack = np.random.default_rng(0).integers(0, 256, (1, 20, 36, 4)).astype(np.uint8)
    tree = Divide(3, Coded(8), Coded(8))
    samples = Samples((stack,), 8, alpha=True)
    data = codec.encode(samples, Raw(), trees=(tree,), tile=(8, 8)).data
    (found,) = salvage(flipped(data, 15 + 6), Raw())  # a tile of alpha: colours are known, and seen
    assert found.samples is not None
    assert [tuple(part) for part in found.lost] == [(0, 8, 8, 8, 8)]
    assert np.array_equal(found.samples.pixels[..., :3], stack[..., :3])
    assert (found.samples.pixels[0, 8:16, 8:16, 3] == 255).all()
    (found,) = salvage(flipped(data, 14), Raw())
    assert found.samples is not None
    assert [tuple(part) for part in found.lost] == [(0, 32, 16, 4, 4)]
    assert (found.samples.pixels[0, 16:, 32:, :3] == 128).all()
    assert found.damage == ("stream 15 of 30 is damaged",)


def test_tiles_before_a_cut() -> None:
    stack = np.random.default_rng(0).integers(0, 256, (1, 20, 36, 1)).astype(np.uint8)
    data = codec.encode(Samples.of(stack), Raw(), trees=(Coded(8),), tile=(8, 36)).data
    (found,) = salvage(data[: streams_in(data)[2] + 3], Raw())
    known_is_right(found, stack)
    assert [tuple(part) for part in found.lost] == [(0, 0, 16, 36, 4)]
    assert "cut off" in found.damage[0]
    (found,) = salvage(data[: streams_in(data)[0] + 3], Raw())
    assert (found.samples, found.lost_pixels) == (None, 20 * 36)


def test_models_with_one_stream_lose_all() -> None:
    data = arcomp.compress(np.arange(400, dtype=np.uint8).reshape(20, 20), "context", tile=(8, 8))
    (found,) = salvage(flipped(data, 0))
    assert found.samples is None
    assert found.lost_pixels == found.pixels == 400
    with pytest.raises(FormatError) as caught:
        unpack(flipped(data, 0))
    assert str(explained(flipped(data, 0), caught.value)).startswith("stream 1 of 1 is damaged: all tiles; ")


def test_pixels_without_their_form() -> None:
    picture = (99 + np.random.default_rng(0).geometric(0.85, (40, 50))).astype(np.uint8)
    data = arcomp.compress(b"P5 50 40 255 " + picture.tobytes(), "histogram")
    assert unpack(data).geometry
    (found,) = salvage(flipped(data, 0))
    assert found.samples is not None
    assert np.array_equal(found.samples.array, picture)
    assert (found.lost_pixels, found.whole, found.data) == (0, False, None)


def test_palettes_that_are_lost() -> None:
    """Indices are no colours, but all that there is."""
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 4, (1, 9, 9, 1)).astype(np.uint8)
    palette = rng.integers(0, 256, (4, 3)).astype(np.uint8)
    samples = Samples((stack,), 2, palette=palette)
    tree = Index(bytes(range(4)), Coded(8))
    data = codec.encode(samples, Raw(), trees=(tree,), tile=(4, 4)).data
    (found,) = salvage(flipped(data, 0), Raw())
    assert found.samples is not None
    assert np.array_equal(found.samples.pixels, stack)
    assert found.damage == ("the form of its file is damaged",)
    (found,) = salvage(flipped(data, 1), Raw())
    known_is_right(found, stack)


MEMBERS = [a_file(b"one " * 30, "one.txt"), a_file(b"two " * 30, "two.txt"), a_file(b"three " * 30, "three.txt")]


def test_a_damaged_header_in_an_archive() -> None:
    at = len(MEMBERS[0])
    with_index = bytearray(joined(MEMBERS))
    with_index[at + 20] ^= 1
    without = with_index[: sum(map(len, MEMBERS))]
    for data, name in ((bytes(with_index), "two.txt"), (bytes(without), "")):
        found = list(salvage(data))
        assert [part.data for part in found] == [b"one " * 30, None, b"three " * 30]
        assert [part.whole for part in found] == [True, False, True]
        assert found[1].damage == (NO_MEMBER,)
        assert found[1].name == name
        assert (found[1].begin, found[1].end) == (at, at + len(MEMBERS[1]))


def test_a_damaged_index_loses_nothing() -> None:
    data, size = joined(MEMBERS), sum(map(len, MEMBERS))
    for at in (size + 9, size + 12, size + 30, len(data) - 20, len(data) - 3):
        broken = bytearray(data)
        broken[at] ^= 4
        found = list(salvage(bytes(broken)))
        assert [part.data for part in found if part.whole] == [b"one " * 30, b"two " * 30, b"three " * 30]
        assert len(found) == 3 + (at == size + 9)  # of a section of no known kind it is not known what is lost


def test_an_archive_that_is_cut() -> None:
    data = joined(MEMBERS)[: len(MEMBERS[0]) + len(MEMBERS[1]) - 5]
    found = list(salvage(data))
    assert [part.data for part in found] == [b"one " * 30, None]
    assert found[1].name == "two.txt"
    assert found[1].damage[0] == "the last 5 bytes are cut off"


def test_an_index_that_lies_about_a_member() -> None:
    """What an index says is checked by the member itself."""
    (entry,) = read_archive(MEMBERS[0]).entries
    data = MEMBERS[0] + index_of([replace(entry, name="../x", length=20)], len(MEMBERS[0]))
    assert [part.data for part in salvage(data)] == [b"one " * 30]


def test_what_holds_no_member() -> None:
    for data in (b"", b"text", b"\x89PNG\r\n\x1a\n" + bytes(50)):
        with pytest.raises(FormatError):
            places(data)


def test_another_file_than_was_compressed() -> None:
    original = Original(4, bytes(32), "a")
    (found,) = salvage(pack(replace(unpack(a_file(b"text")), original=original, skeleton=(Literal(b"text"),))))
    assert found.data is None
    assert found.damage == ("the file decoded is not the one that was compressed",)


def test_rectangles() -> None:
    mask = np.array([[1, 1, 0, 1], [1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]], np.bool_)
    assert list(rectangles(mask)) == [(0, 0, 2, 2), (0, 3, 2, 1), (3, 1, 1, 3)]
    assert list(rectangles(np.zeros((3, 3), np.bool_))) == []
    assert list(rectangles(np.ones((3, 3), np.bool_))) == [(0, 0, 3, 3)]
