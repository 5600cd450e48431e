"""Icons: their pictures, and every byte back."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from arcomp.form import Raster
from arcomp.formats.parsed import Parsed
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from tests.unit.picture_files import Pixels, png

RANDOM = np.random.default_rng(8)
RGBA = RANDOM.integers(0, 256, (9, 6, 4), dtype=np.uint8)


def taken_apart(data: bytes) -> Parsed:
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data
    return parsed


def bitmap(rows: bytes, width: int, height: int, bits: int, palette: bytes = b"", mask: bytes = b"mask") -> bytes:
    used = len(palette) // 4 % (1 << bits)
    return struct.pack("<IiiHHIIiiII", 40, width, 2 * height, 1, bits, 0, 0, 0, 0, used, 0) + palette + rows + mask


def colours(pixels: Pixels) -> bytes:
    """RGB or RGBA as an icon has it."""
    rows = pixels[::-1, :, [2, 1, 0, 3][: pixels.shape[2]]].reshape(len(pixels), -1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()


def icon(*bodies: bytes, start: bytes = b"\0\0\1\0", between: bytes = b"") -> bytes:
    at = 6 + 16 * len(bodies)
    entries = b""
    for body in bodies:
        entries += struct.pack("<8xII", len(body), at)
        at += len(body) + len(between)
    return start + struct.pack("<H", len(bodies)) + entries + between.join(bodies)


TRUE = bitmap(colours(RGBA), 6, 9, 32)


@pytest.mark.parametrize("start", [b"\0\0\1\0", b"\0\0\2\0"])
def test_pictures_with_alpha(start: bytes) -> None:
    small = RGBA[:4]
    data = icon(TRUE, png(RGBA[::-1]), bitmap(colours(small), 6, 4, 32), start=start, between=b"gap")
    samples = taken_apart(data + b"end").samples
    assert (samples.alpha, samples.depth) == (True, 8)
    expected = [np.stack([RGBA, RGBA[::-1]]), small[None]]
    assert all(np.array_equal(a, b) for a, b in zip(samples.stacks, expected, strict=True))


def test_colour_without_alpha() -> None:
    samples = taken_apart(icon(bitmap(colours(RGBA[:, :5, :3]), 5, 9, 24))).samples
    assert np.array_equal(samples.pixels[0], RGBA[:, :5, :3])
    assert not samples.alpha


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palettes(bits: int) -> None:
    palette = RANDOM.bytes(4 << bits)
    stride = -(-13 * bits // 32) * 4
    rows = RANDOM.integers(0, 256, (3, stride), dtype=np.uint8)  # with bits in what is padding
    samples = taken_apart(icon(bitmap(rows.tobytes(), 13, 3, bits, palette))).samples
    single = np.unpackbits(rows[::-1], axis=1)[:, : 13 * bits].reshape(3, 13, bits)
    assert np.array_equal(samples.pixels[0, :, :, 0], single @ (1 << np.arange(bits)[::-1]))
    assert samples.palette is not None
    assert np.array_equal(samples.palette, np.frombuffer(palette, np.uint8).reshape(-1, 4)[:, [2, 1, 0]])
    assert samples.depth == bits


def test_the_kind_that_holds_most_bytes() -> None:
    few = bitmap(bytes(4 * 9), 6, 9, 4, bytes(64))
    parsed = taken_apart(icon(few, TRUE))
    assert parsed.samples.channels == 4
    assert sum(isinstance(segment, Raster) for segment in parsed.skeleton) == 1


def test_a_picture_twice_and_pictures_that_overlap() -> None:
    data = bytearray(icon(TRUE, TRUE))
    struct.pack_into("<I", data, 18 + 16, 38)
    assert taken_apart(bytes(data)).samples.count == 1
    struct.pack_into("<I", data, 18 + 16, 40)
    assert taken_apart(bytes(data)).samples.count == 1


def test_no_pictures() -> None:
    wrong = [icon(), icon(b"x" * 100), icon(TRUE[:100]), icon(TRUE)[:60], b"\0\0\1\0", b"icns", b"icns" + bytes(100)]
    wrong += [
        icon(bitmap(bytes(99), 6, 9, 16)),
        icon(bitmap(bytes(900), 6, 0, 32)),
        icon(bitmap(bytes(900), -6, 2, 32)),
    ]
    assert [data for data in wrong if parse(data) is not None] == []


@pytest.mark.parametrize("form", ["ICO", "ICNS"])
def test_what_pillow_writes(form: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 4), dtype=np.uint8)).save(stream, form)
    samples = taken_apart(stream.getvalue()).samples
    sizes = {picture.shape[:2] for stack in samples.stacks for picture in stack}
    assert (64, 64) in sizes


@settings(deadline=None)
@given(st.data())
def test_any_damage_is_kept_or_given_up(draw: st.DataObject) -> None:
    data = bytearray(icon(TRUE, png(RGBA), bitmap(bytes(36), 6, 9, 4, bytes(64))))
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, min(len(data) - 1, 300)))
        if draw.draw(st.booleans()):
            data[at] = draw.draw(st.integers(0, 255))
        else:
            data[at : at + draw.draw(st.integers(0, 3))] = draw.draw(st.binary(max_size=4))
    parsed = parse(bytes(data))
    assert parsed is None or rebuild(parsed.skeleton, parsed.samples) == data
