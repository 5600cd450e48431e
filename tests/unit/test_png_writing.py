"""Pictures of every kind as PNG: read again, they are the same."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from arcomp.errors import OutputError, PictureError
from arcomp.formats import read, write
from arcomp.formats.conversion import converted
from arcomp.formats.metadata.fields import Metadata
from arcomp.formats.metadata.reading import read_metadata
from arcomp.formats.png import chunks_of, is_sound, parse
from arcomp.formats.png_writing import write_png
from arcomp.samples import Samples
from tests.unit.picture_files import GRAY, LARGE, RGB, chunk, png

RANDOM = np.random.default_rng(6)
KINDS = [(1, False, depth) for depth in (1, 2, 4, 8, 16)]
KINDS += [(channels, channels != 3, depth) for channels in (2, 3, 4) for depth in (8, 16)]


def samples_of(height: int, width: int, channels: int, alpha: bool, depth: int) -> Samples:
    values = RANDOM.integers(0, 1 << depth, (1, height, width, channels))
    return Samples((values.astype(np.uint8 if depth <= 8 else np.uint16),), depth, alpha=alpha)


def same(data: bytes, samples: Samples, depth: int | None = None) -> None:
    again = read(data)
    np.testing.assert_array_equal(again.pixels, samples.pixels)
    assert (again.depth, again.alpha) == (depth or samples.depth, samples.alpha)
    if samples.palette is None:
        assert again.palette is None
    else:
        np.testing.assert_array_equal(again.palette, samples.palette)


@pytest.mark.parametrize(("channels", "alpha", "depth"), KINDS)
def test_every_kind(channels: int, alpha: bool, depth: int) -> None:
    for height, width in ((1, 1), (1, 9), (7, 1), (13, 11), (40, 1000)):
        samples = samples_of(height, width, channels, alpha, depth)
        same(write(samples, "png"), samples)
        with Image.open(io.BytesIO(write(samples, "png"))) as image:
            image.load()
            assert image.size == (width, height)


@pytest.mark.parametrize("depth", range(1, 9))
@pytest.mark.parametrize("entries", [3, 4])
def test_palettes(depth: int, entries: int) -> None:
    indices = RANDOM.integers(0, 1 << depth, (1, 9, 13, 1), dtype=np.uint8)
    palette = RANDOM.integers(0, 256, (1 << depth, entries), dtype=np.uint8)
    samples = Samples((indices,), depth, palette=palette)
    data = write(samples, "png")
    same(data, samples, {3: 4, 5: 8, 6: 8, 7: 8}.get(depth, depth))
    with Image.open(io.BytesIO(data)) as image:
        colours = np.asarray(image.convert("RGBA" if entries == 4 else "RGB"))
    np.testing.assert_array_equal(colours, palette[indices[0, :, :, 0]])


def test_opaque_palettes_with_alpha() -> None:
    palette = np.full((2, 4), 255, np.uint8)
    samples = Samples((np.eye(5, dtype=np.uint8)[None, :, :, None],), 1, palette=palette)
    same(write(samples, "png"), samples)


def test_it_is_as_small_as_others_make_it() -> None:
    """Filters are chosen by their rows."""
    y, x = np.mgrid[:300, :400]
    waves = (128 + 60 * np.sin(x / 31) * np.cos(y / 17) + RANDOM.integers(0, 5, (300, 400))).astype(np.uint8)
    for pixels in (waves[:, :, None], np.dstack([waves, waves.T[:300, :300].repeat(2, axis=1)[:, :400], waves // 2])):
        made, other = len(write(Samples.of(pixels[None]), "png")), io.BytesIO()
        Image.fromarray(pixels.squeeze()).save(other, format="PNG", compress_level=6)
        assert made < 1.1 * len(other.getvalue())


def test_image_data_is_cut_into_chunks() -> None:
    samples = samples_of(1500, 1000, 3, False, 8)
    data = write(samples, "png")
    assert data.count(b"IDAT") == 5
    same(data, samples)


def test_what_is_known_about_it() -> None:
    profile, exif = LARGE.tobytes()[:3000], b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    texts = {"Author": "somebodÿ", "Title": "\u03c0"}
    data = write_png(Samples.of(RGB[None]), Metadata(profile, exif, b"<x/>", tuple(texts.items())))
    same(data, Samples.of(RGB[None]))
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        info = image.info
    assert info["icc_profile"] == profile
    assert info["exif"].removeprefix(b"Exif\0\0") == exif
    assert info["xmp"] == b"<x/>"
    assert {key: str(info[key]) for key in texts} == texts
    assert read_metadata(data) == Metadata(profile, exif, b"<x/>", tuple(texts.items()))


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (Samples.of(GRAY[None] & 7, 3), "gray of 3 bits"),
        (Samples.of(GRAY[None].astype(np.uint16), 12), "gray of 12 bits"),
        (Samples.of(RGB[None] & 1, 1), "RGB of 1 bits"),
        (Samples.of(RGB[None, :, :, :2]), "2 channels"),
        (Samples.of(RGB[None].repeat(2, axis=0)), "2 pictures"),
        (Samples((GRAY[None] & 1,), 1, palette=np.zeros((3, 3), np.uint8)), "3 colours"),
        (Samples((GRAY[None].astype(np.uint16),), 9, palette=np.zeros((3, 3), np.uint8)), "9 bits"),
    ],
)
def test_what_png_cannot_hold(samples: Samples, word: str) -> None:
    with pytest.raises(OutputError, match=word):
        write(samples, "png")


@pytest.mark.parametrize("key", ["", "x" * 80, "\u03c0", "a\0b"])
def test_keywords_that_png_does_not_take(key: str) -> None:
    with pytest.raises(OutputError, match="name"):
        write_png(Samples.of(RGB[None]), Metadata(text=((key, "x"),)))


class TestRepacking:
    def of(self, data: bytes) -> bytes:
        made = converted(data, "png").data
        before, after = parse(data), parse(made)
        assert before is not None
        assert after is not None
        for a, b in zip(before.samples.stacks, after.samples.stacks, strict=True):
            np.testing.assert_array_equal(a, b)
        others = [[c for c in chunks_of(x) if c.kind not in (b"IDAT", b"fdAT")] for x in (data, made)]
        bodies = [[x[c.start : c.end] for c in found] for x, found in zip((data, made), others, strict=True)]
        assert bodies[0] == bodies[1]
        assert is_sound(made, after)
        return made

    def test_all_else_stays(self) -> None:
        text = chunk(b"prVt", b"hello")
        for more in ([], [text, chunk(b"gAMA", bytes(4)), text], [chunk(b"tRNS", bytes(6))]):
            self.of(png(RGB, chunks=more) + b"after its end")

    def test_it_is_a_stream_of_zlib(self) -> None:
        stream = zlib.compress(b"".join(b"\0" + row.tobytes() for row in LARGE), 1)
        data = png(LARGE)
        start, end = data.index(b"IDAT") - 4, len(data) - 12
        odd = (
            data[:start]
            + b"".join(chunk(b"IDAT", stream[i : i + 999]) for i in range(0, len(stream), 999))
            + data[end:]
        )
        assert self.of(odd) == self.of(data)

    def test_large_pictures(self) -> None:
        assert self.of(write(samples_of(1500, 1000, 3, False, 8), "png")).count(b"IDAT") == 5

    @pytest.mark.parametrize("size", [1, 20, 50, 1000])
    def test_animations(self, size: int) -> None:
        """Chunks with numbers stay as many, however long they are."""
        stream = zlib.compress(b"".join(b"\0" + row.tobytes() for row in RGB), 9)
        parts = [stream[i : i + size] for i in range(0, len(stream), size)]
        frames, number = [], 0
        for _ in range(2):
            frames.append(chunk(b"fcTL", struct.pack(">5IHHBB", number, 13, 11, 0, 0, 1, 10, 0, 0)))
            frames += [chunk(b"fdAT", struct.pack(">I", number + 1 + i) + part) for i, part in enumerate(parts)]
            number += 1 + len(parts)
        data = png(RGB)
        self.of(data[:-12] + b"".join(frames) + data[-12:])

    def test_a_damaged_one_is_refused(self) -> None:
        data = bytearray(png(RGB))
        data[-20] ^= 1
        with pytest.raises(PictureError, match="damaged"):
            converted(bytes(data), "png")

    def test_a_transparent_colour_is_not_forgotten(self) -> None:
        data = png(RGB, chunks=[chunk(b"tRNS", bytes(6))])
        with pytest.raises(OutputError, match="transparent"):
            converted(data, "tif")
        converted(png(RGB), "tif")
