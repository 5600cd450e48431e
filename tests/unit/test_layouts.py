"""Samples in the bytes of rows: what is read is what was written, padding included."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from arcomp.form import Differences, Layout, Literal, Raster, Segment
from arcomp.formats.differences import accumulate, difference
from arcomp.formats.layouts import pack, padding_bytes, row_bytes, unpack
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Samples

RANDOM = np.random.default_rng(3)
CHANNELS = [(0,), (0, 1, 2), (2, 1, 0), (3, 0, 1, 2), (1,)]


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("channels", CHANNELS)
def test_any_rows_come_back(bits: int, channels: tuple[int, ...]) -> None:
    for little, inverted, low_first, upward in itertools.product((False, True), repeat=4):
        for width, more in ((1, 0), (7, 3), (13, 0)):
            layout = Layout(bits, channels, little, inverted, low_first)
            stride = row_bytes(layout, width) + more
            data = RANDOM.bytes(5 * stride)
            into = np.zeros((5, width, max(channels) + 1), np.uint8 if bits <= 8 else np.uint16)
            padding = unpack(data, into, layout, stride=stride, upward=upward)
            assert pack(into, layout, stride=stride, upward=upward, padding=padding).tobytes() == data
            assert int(into.max()) < 1 << bits
            raster = Raster(0, 0, 0, 5, width, layout, stride, upward, padding)
            assert rebuild((Literal(b"a"), raster), Samples.of(into[None], bits)) == b"a" + data


@pytest.mark.parametrize(
    ("layout", "data", "expected"),
    [
        (Layout(1, (0,)), b"\xa0", [1, 0, 1]),
        (Layout(1, (0,), low_first=True), b"\x05", [1, 0, 1]),
        (Layout(1, (0,), inverted=True), b"\x40", [1, 0, 1]),
        (Layout(2, (0,)), b"\x1b", [0, 1, 2, 3]),
        (Layout(4, (0,), low_first=True), b"\x21\x03", [1, 2, 3]),
        (Layout(12, (0,)), b"\x12\x3a\xbc", [0x123, 0xABC]),
        (Layout(12, (0,), low_first=True), b"\x23\xc1\xab", [0x123, 0xABC]),
        (Layout(16, (0,)), b"\1\2\3\4", [0x102, 0x304]),
        (Layout(16, (0,), little=True), b"\1\2\3\4", [0x201, 0x403]),
        (Layout(8, (2, 1, 0)), b"\1\2\3", [3, 2, 1]),
    ],
)
def test_by_hand(layout: Layout, data: bytes, expected: list[int]) -> None:
    channels = len(layout.channels)
    into = np.zeros((1, len(expected) // channels, channels), np.uint8 if layout.bits <= 8 else np.uint16)
    assert unpack(data, into, layout) == b""
    assert into.ravel().tolist() == expected


def test_padding_is_kept_only_where_there_is_any() -> None:
    into, layout = np.zeros((2, 3, 1), np.uint8), Layout(1, (0,))
    assert unpack(b"\xe0\0\xa0\0", into, layout, stride=2) == b""
    assert unpack(b"\xe1\0\xa0\7", into, layout, stride=2) == b"\1\0\0\7"
    assert (padding_bytes(layout, 3, 2), padding_bytes(layout, 8, 0), padding_bytes(layout, 8, 3)) == (2, 0, 2)


def test_large_rasters_are_read_and_written_by_parts() -> None:
    pixels = RANDOM.integers(0, 256, (3000, 1500, 3), dtype=np.uint8)
    for upward in (False, True):
        data = pack(pixels, Layout(8, (2, 1, 0)), stride=4508, upward=upward)
        assert np.array_equal(data[:: -1 if upward else 1, :4500].reshape(pixels.shape), pixels[..., ::-1])
        into = np.empty_like(pixels)
        unpack(data, into, Layout(8, (2, 1, 0)), stride=4508, upward=upward)
        assert np.array_equal(into, pixels)


@pytest.mark.parametrize("layout", [Layout(8, (0, 1, 2)), Layout(16, (2, 1, 0)), Layout(16, (0,), little=True)])
def test_differences(layout: Layout) -> None:
    pixels = RANDOM.integers(0, 1 << layout.bits, (4, 6, 3)).astype(np.uint8 if layout.bits == 8 else np.uint16)
    stride = row_bytes(layout, 5) + 2
    rows = pack(pixels[:, 1:], layout, stride=stride, padding=RANDOM.bytes(8))
    before = rows.copy()
    difference(rows, layout, 5)
    assert np.array_equal(rows[:, -2:], before[:, -2:])
    raster = Raster(0, 0, 1, 4, 5, layout, stride, padding=rows[:, -2:].tobytes())
    assert rebuild((Differences(raster),), Samples.of(pixels[None], layout.bits)) == rows.tobytes()
    made = rows[:, : stride - 2].copy().view(f"{'<' if layout.little else '>'}u{layout.bits // 8}").astype(np.int64)
    expected = pixels[:, 1:, list(layout.channels)].astype(np.int64)
    expected = np.diff(expected, axis=1, prepend=0) % (1 << layout.bits)
    assert np.array_equal(made.reshape(expected.shape), expected)
    accumulate(rows, layout, 5)
    assert np.array_equal(rows, before)


def test_forms_that_are_not_of_these_samples() -> None:
    samples, layout = Samples.of(np.zeros((1, 4, 4, 1), np.uint8)), Layout(8, (0,))
    wrong: list[Segment] = [
        Raster(1, 0, 0, 4, 4, layout),
        Raster(-1, 0, 0, 4, 4, layout),
        Raster(0, 0, 1, 4, 4, layout),
        Raster(0, -1, 0, 4, 4, layout),
        Raster(0, 0, 0, 0, 4, layout),
        Raster(0, 0, 0, 4, 4, Layout(8, (1,))),
        Raster(0, 0, 0, 4, 4, Layout(8, ())),
        Raster(0, 0, 0, 4, 4, layout, stride=3),
        Raster(0, 0, 0, 4, 4, layout, padding=b"x"),
        Differences(Raster(0, 0, 0, 4, 4, Layout(1, (0,)))),
    ]
    for segment in wrong:
        with pytest.raises(ValueError, match=r"."):
            rebuild((segment,), samples)
