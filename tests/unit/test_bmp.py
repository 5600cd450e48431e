"""BMP: every header and depth, odd files, and every byte back."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from arcomp.errors import OutputError
from arcomp.formats import read, write
from arcomp.formats.parsed import Parsed
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Pixels, Samples
from tests.unit.picture_files import GRAY, RGB, refusal, saved

RANDOM = np.random.default_rng(4)
RGBA = RANDOM.integers(0, 256, (11, 13, 4), dtype=np.uint8)
INDICES = RANDOM.integers(0, 2, (11, 13), dtype=np.uint8)
COLOURS = RANDOM.integers(0, 256, (256, 3), dtype=np.uint8)
RED_GREEN_BLUE = struct.pack("<3I", 0xFF0000, 0xFF00, 0xFF)


def bitmap(rows: npt.NDArray[Any], bits: int, *, size: int = 40, **fields: Any) -> bytes:
    """A BMP written here, from the bottom up.

    Args:
        rows: uint8 [H, bytes] from the top down, without padding.
        bits: of a pixel.
        size: of the header.
        fields: width, height, compression, used (colours), offset (of the pixels), reserved; palette and masks (bytes
            after the header), gap before the pixels, tail after them, pad (the byte that rows are filled up with).
    """
    put = {
        "width": 8 * rows.shape[1] // bits,
        "height": len(rows),
        "compression": 0,
        "used": 0,
        "offset": None,
    } | fields
    if size == 12:
        header = struct.pack("<IHHHH", 12, put["width"], put["height"], 1, bits)
    else:
        header = struct.pack("<IiiHHI", size, put["width"], put["height"], 1, bits, put["compression"])
        header += struct.pack("<IiiII", 0, 2835, 2835, put["used"], 0)
        header = (header + put.get("inside", b"")).ljust(size, b"\0")[:size]
    before = header + put.get("masks", b"") + put.get("palette", b"") + put.get("gap", b"")
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)), constant_values=put.get("pad", 0))
    body = padded[::-1].tobytes() + put.get("tail", b"")
    offset = 14 + len(before) if put["offset"] is None else put["offset"]
    start = b"BM" + struct.pack("<IHHI", 14 + len(before) + len(body), put.get("reserved", 0), 0, offset)
    return bytes(start + before + body)


def taken_apart(data: bytes) -> Parsed:
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data
    return parsed


def colours(pixels: Pixels) -> Pixels:
    """RGB or RGBA as rows of a BMP."""
    return pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]].reshape(len(pixels), -1)


@pytest.mark.parametrize("size", [12, 16, 40, 42, 52, 56, 64, 108, 124])
@pytest.mark.parametrize(
    "odd",
    [{}, {"pad": 7}, {"tail": b"more"}, {"gap": b"gap"}, {"reserved": 26984}, {"offset": 0}, {"palette": b"12341234"}],
    ids=lambda odd: "".join(odd),
)
def test_colour(size: int, odd: dict[str, Any]) -> None:
    if odd.get("palette"):
        odd = odd | {"used": 2}
    samples = taken_apart(bitmap(colours(RGB), 24, size=size, **odd)).samples
    assert (samples.depth, samples.alpha, samples.palette) == (8, False, None)
    assert np.array_equal(samples.pixels[0], RGB)


def test_from_the_top_down() -> None:
    data = bytearray(bitmap(colours(RGB), 24))
    struct.pack_into("<i", data, 22, -11)
    assert np.array_equal(taken_apart(bytes(data)).samples.pixels[0], RGB[::-1])


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [12, 40, 124])
def test_palettes(bits: int, size: int) -> None:
    indices = RANDOM.integers(0, 1 << bits, (11, 13), dtype=np.uint8)
    ones = (indices[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(ones.reshape(11, -1).astype(np.uint8), axis=1)
    table = COLOURS[: 1 << bits]
    palette = table[:, ::-1].tobytes() if size == 12 else np.pad(table[:, ::-1], ((0, 0), (0, 1))).tobytes()
    rows[:, -1] |= (1 << (-13 * bits % 8)) - 1  # bits after the last pixel
    data = bitmap(rows, bits, size=size, width=13, palette=palette)
    samples = taken_apart(data).samples
    assert samples.depth == bits
    assert np.array_equal(samples.pixels[0, ..., 0], indices)
    assert samples.palette is not None
    assert np.array_equal(samples.palette, table)
    if bits != 2:
        with Image.open(io.BytesIO(data)) as image:
            assert np.array_equal(np.asarray(image.convert("RGB")), table[indices])


def test_palettes_that_are_short_or_long() -> None:
    palette = np.pad(COLOURS, ((0, 0), (0, 1))).tobytes()
    few = taken_apart(bitmap(INDICES * 9, 8, used=2, palette=palette[:8])).samples
    assert few.palette is not None
    assert few.palette.tolist() == [*COLOURS[:2, ::-1].tolist(), *[[0, 0, 0]] * 8]  # index 9 is there
    cut = taken_apart(bitmap(INDICES, 8, palette=palette[:8])).samples  # none used said, so 256: there is room for 2
    assert cut.palette is not None
    assert len(cut.palette) == 2
    many = taken_apart(bitmap(INDICES, 8, used=300, palette=palette + bytes(4 * 44))).samples
    assert many.palette is not None
    assert len(many.palette) == 256


WORDS = RANDOM.integers(0, 1 << 16, (11, 13)).astype("<u2")


@pytest.mark.parametrize(
    ("masks", "depth"),
    [((0x7C00, 0x3E0, 0x1F), 5), ((0xF800, 0x7E0, 0x1F), 6), ((0xF, 0xF0, 0xF00), 4), ((0xE000, 0x1C00, 0x3FF), 10)],
)
@pytest.mark.parametrize("size", [40, 52, 108])
def test_16_bits(masks: tuple[int, int, int], depth: int, size: int) -> None:
    words = WORDS & sum(masks)
    where = {"masks" if size == 40 else "inside": struct.pack("<3I", *masks)}
    samples = taken_apart(bitmap(words.view(np.uint8), 16, size=size, width=13, compression=3, **where)).samples
    assert (samples.depth, samples.alpha, samples.channels) == (depth, False, 3)
    for channel, mask in enumerate(masks):
        low = mask & -mask
        bits = (mask // low).bit_length()
        assert np.array_equal(samples.pixels[0, ..., channel] >> (depth - bits), (words & mask) // low)


def test_16_bits_without_masks() -> None:
    samples = taken_apart(bitmap((WORDS & 0x7FFF).view(np.uint8), 16)).samples
    assert (samples.depth, samples.channels, samples.alpha) == (5, 3, False)
    samples = taken_apart(bitmap(WORDS.view(np.uint8), 16)).samples  # the highest bit is used
    assert (samples.depth, samples.channels, samples.alpha) == (5, 4, False)
    assert np.array_equal(samples.pixels[0, ..., 3], 31 * (WORDS >> 15))


def test_32_bits() -> None:
    samples = taken_apart(bitmap(colours(RGBA), 32)).samples
    assert (samples.depth, samples.alpha) == (8, False)
    assert np.array_equal(samples.pixels[0], RGBA)
    data = bitmap(colours(RGBA), 32)
    assert np.array_equal(read(data).pixels[0], RGBA[..., :3])  # as Pillow and browsers see it
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image), RGBA[..., :3])
    without = RGBA.copy()
    without[..., 3] = 0
    samples = taken_apart(bitmap(colours(without), 32)).samples
    assert (samples.depth, samples.alpha, samples.channels) == (8, False, 3)
    assert np.array_equal(samples.pixels[0], RGBA[..., :3])


@pytest.mark.parametrize("places", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 2, 3, 0)])
def test_32_bits_in_other_sequences(places: tuple[int, ...]) -> None:
    stored = np.empty_like(RGBA)
    for channel, place in enumerate(places):
        stored[..., place] = RGBA[..., channel]
    masks = struct.pack("<4I", *(0xFF << 8 * place for place in places))
    ways: list[dict[str, Any]] = [
        {"masks": masks, "compression": 6},
        {"size": 56, "inside": masks, "compression": 3},
    ]
    for fields in ways:
        samples = taken_apart(bitmap(stored.reshape(11, -1), 32, **fields)).samples
        assert samples.alpha
        assert np.array_equal(samples.pixels[0], RGBA)


def test_10_bits() -> None:
    words = RANDOM.integers(0, 1 << 32, (11, 13)).astype("<u4")
    masks = struct.pack("<4I", 0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)
    samples = taken_apart(bitmap(words.view(np.uint8), 32, size=124, inside=masks, compression=3)).samples
    assert (samples.depth, samples.alpha, samples.pixels.dtype.name) == (10, True, "uint16")
    assert np.array_equal(samples.pixels[0, ..., 1], (words >> 10) & 1023)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"BM", "header"),
        (b"BM" + bytes(60), "header"),
        (bitmap(colours(RGB), 24)[:-1], "truncated, 439 of 440"),
        (bitmap(colours(RGB), 24, offset=30), "inside its header"),
        (bitmap(colours(RGB), 24, offset=1 << 31), "truncated, 0 of"),
        (bitmap(colours(RGB), 24, size=41)[:40], "header"),
        (bitmap(colours(RGB), 24, width=0), "0 x 11"),
        (bitmap(colours(RGB), 24, width=-13), "-13 x 11"),
        (bitmap(colours(RGB), 24, width=1 << 30, height=1 << 30), "limit"),
        (bitmap(INDICES, 8, compression=1), "compression 1"),
        (bitmap(INDICES, 4, compression=2), "compression 2"),
        (bitmap(INDICES, 24, compression=4), "compression 4"),
        (bitmap(colours(RGB), 24, compression=3), "compression 3"),
        (bitmap(colours(RGBA), 32, size=64, compression=3), "compression 3"),
        (bitmap(INDICES, 3), "3 bits"),
        (bitmap(colours(RGBA), 32, compression=3, masks=struct.pack("<3I", 0xFF, 0x1FE, 0xFF0000)), "masks"),
        (bitmap(colours(RGBA), 32, compression=3, masks=struct.pack("<3I", 0x5F, 0xFF00, 0xFF0000)), "masks"),
        (bitmap(colours(RGBA), 32, compression=3, masks=struct.pack("<3I", 0, 0xFF00, 0xFF0000)), "masks"),
        (bitmap(colours(RGBA), 32, compression=3, masks=struct.pack("<3I", 0xF, 0xF000, 0xF00000)), "masks"),
        (bitmap(colours(RGBA), 32, compression=3, masks=struct.pack("<3I", 0xFFFFF, 0xF00000, 0xF000000)), "masks"),
    ],
)
def test_what_is_left_as_bytes(data: bytes, words: str) -> None:
    assert parse(data) is None
    assert words in refusal(data)


def test_grays_are_gray() -> None:
    """The palette of all grays is a part of the file, not of its pictures."""
    for data in (saved(GRAY, "BMP"), saved(255 * INDICES[..., None], "BMP", "1")):
        assert taken_apart(data).samples.palette is None
        assert read(data).palette is None
    inverted = np.pad(np.repeat(np.arange(255, -1, -1, dtype=np.uint8), 3).reshape(-1, 3), ((0, 0), (0, 1)))
    assert read(bitmap(GRAY[..., 0], 8, palette=inverted.tobytes())).palette is not None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage(draw: st.DataObject) -> None:
    """Bytes changed, put in or taken out: what is still taken apart comes back."""
    masks = struct.pack("<4I", 0xF800, 0x7E0, 0x1F, 0)
    files = [
        bitmap(colours(RGB), 24, tail=b"tail", pad=3),
        bitmap(INDICES, 8, used=2, palette=bytes(8), size=124),
        bitmap(WORDS.view(np.uint8), 16, compression=3, masks=masks),
        bitmap(colours(RGBA), 32, size=12),
    ]
    data = bytearray(draw.draw(st.sampled_from(files)))
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, 90))
        data[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2))
    parsed = parse(bytes(data))
    if parsed is not None:
        assert rebuild(parsed.skeleton, parsed.samples) == data


WRITTEN = (
    Samples.of(RGB[None]),
    Samples.of(GRAY[None]),
    Samples.of(INDICES[None, ..., None], 1),
    Samples.of(GRAY[None] >> 4, 4),
    Samples((RGBA[None],), 8, alpha=True),
    Samples((GRAY[None],), 8, palette=COLOURS),
    Samples((GRAY[None] >> 4,), 4, palette=COLOURS[:9]),
    Samples((INDICES[None, ..., None],), 1, palette=COLOURS[:2]),
)


@pytest.mark.parametrize("samples", WRITTEN)
def test_writing(samples: Samples) -> None:
    data = write(samples, "bmp")
    again = read(data)
    assert np.array_equal(again.pixels, samples.pixels)
    assert (again.depth, again.alpha) == (samples.depth, samples.alpha)
    with Image.open(io.BytesIO(data)) as image:
        shown = np.asarray(image.convert("RGBA" if samples.alpha else "RGB"))
    pixels = samples.pixels[0]
    if samples.palette is not None:
        table = np.zeros((256, 3), np.uint8)
        table[: len(samples.palette)] = samples.palette
        assert np.array_equal(shown, table[pixels[..., 0]])
    elif pixels.shape[2] == 1:
        assert np.array_equal(shown, np.repeat(pixels * (255 // ((1 << samples.depth) - 1)), 3, axis=2))
    else:
        assert np.array_equal(shown, pixels)


@pytest.mark.parametrize(
    "samples",
    [
        Samples.of(GRAY[None] >> 6, 2),
        Samples.of(GRAY[None].astype(np.uint16), 16),
        Samples.of(RGB[None].astype(np.uint16), 16),
        Samples.of(RGB[None] >> 4, 4),
        Samples.of(RGBA[None]),
        Samples((RGBA[None, ..., :2],), 8, alpha=True),
        Samples((GRAY[None],), 8, palette=RANDOM.integers(0, 256, (256, 4), dtype=np.uint8)),
        Samples.of(np.stack([RGB, RGB])),
    ],
)
def test_what_cannot_be_written(samples: Samples) -> None:
    with pytest.raises(OutputError):
        write(samples, "bmp")


@pytest.mark.parametrize(("size", "entry"), [(12, 3), (40, 4)])
@pytest.mark.parametrize("offset", [0, "header"])
def test_pixels_come_after_the_palette(size: int, entry: int, offset: int | str) -> None:
    """Also where the file says 0, or where its header ends, as some programs write it."""
    palette = np.pad(COLOURS[:, ::-1], ((0, 0), (0, entry - 3))).tobytes()
    at = 14 + size if offset == "header" else 0
    data = bitmap(GRAY[..., 0], 8, size=size, palette=palette, offset=at)
    samples = taken_apart(data).samples
    assert samples.palette is not None
    assert np.array_equal(samples.palette[samples.pixels[0, ..., 0]], COLOURS[GRAY[..., 0]])
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), COLOURS[GRAY[..., 0]])
