"""Pictures of every kind as PNG: read again, they are the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from arcomp.errors import OutputError
from arcomp.formats import read, write
from arcomp.formats.metadata import Metadata, read_metadata
from arcomp.formats.png_writing import write_png
from arcomp.samples import Samples
from tests.unit.picture_files import GRAY, LARGE, RGB

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
    data = write_png(Samples.of(RGB[None]), Metadata(profile, exif, b"<x/>", texts))
    same(data, Samples.of(RGB[None]))
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        info = image.info
    assert info["icc_profile"] == profile
    assert info["exif"].removeprefix(b"Exif\0\0") == exif
    assert info["xmp"] == b"<x/>"
    assert {key: str(info[key]) for key in texts} == texts
    assert read_metadata(data) == Metadata(profile, exif, b"<x/>", texts)


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
        write_png(Samples.of(RGB[None]), Metadata(text={key: "x"}))
