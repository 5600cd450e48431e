"""TIFF files of every kind of samples."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from arcomp.errors import OutputError
from arcomp.formats import read, write
from arcomp.formats.rebuild import rebuild
from arcomp.formats.tiff import parse
from arcomp.samples import Samples
from tests.unit.test_tiff import pictures

KINDS = [(1, False), (2, True), (2, False), (3, False), (4, True), (4, False)]


@pytest.mark.parametrize("depth", range(1, 17))
@pytest.mark.parametrize(("channels", "alpha"), KINDS)
def test_every_kind_and_several_sizes(depth: int, channels: int, alpha: bool) -> None:
    stacks = tuple(np.stack([pictures(channels, depth, *size) for _ in range(2)]) for size in ((21, 37), (1, 5)))
    data = write(Samples(stacks, depth, alpha=alpha), "tif")
    again = read(data)
    assert (again.depth, again.alpha, again.palette) == (depth, alpha, None)
    for stored, stack in zip(again.stacks, stacks, strict=True):
        np.testing.assert_array_equal(stored, stack)
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palettes(depth: int) -> None:
    colours = np.random.default_rng(depth).integers(0, 256, (1 << depth, 3), dtype=np.uint8)
    pixels = pictures(1, depth)
    data = write(Samples((pixels[None],), depth, palette=colours), "tiff")
    again = read(data)
    np.testing.assert_array_equal(again.pixels[0], pixels)
    assert again.palette is not None
    np.testing.assert_array_equal(again.palette, colours)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), colours[pixels[..., 0]])
    with pytest.raises(OutputError, match="opacity"):
        write(Samples((pixels[None],), depth, palette=np.zeros((1 << depth, 4), np.uint8)), "tif")


@pytest.mark.parametrize(("channels", "alpha"), [(1, False), (2, True), (3, False), (4, True), (4, False)])
def test_pillow_reads_them(channels: int, alpha: bool) -> None:
    pixels = pictures(channels, 8, 300, 400)
    with Image.open(io.BytesIO(write(Samples((pixels[None],), 8, alpha=alpha), "tif"))) as image:
        np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)


@pytest.mark.parametrize("depth", [1, 8, 12, 16])
@pytest.mark.parametrize(("channels", "alpha"), KINDS)
def test_tifffile_reads_them(depth: int, channels: int, alpha: bool) -> None:
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    if depth == 12 and channels > 1:
        pytest.skip("tifffile takes packed samples of 12 bits for gray pictures only")
    pixels = pictures(channels, depth, 30, 40)
    with tifffile.TiffFile(io.BytesIO(write(Samples((pixels[None],), depth, alpha=alpha), "tif"))) as file:
        stored = file.pages[0].asarray()
    np.testing.assert_array_equal(stored.reshape(pixels.shape), pixels)
