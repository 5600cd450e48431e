"""Rectangles of pictures: the samples of the whole, from the tiles that they touch and no others."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

import arcomp
from arcomp import codec, files, regions
from arcomp.container import Member, unpack
from arcomp.contract.tiling import Tiling
from arcomp.errors import ArcompError
from arcomp.formats import read
from arcomp.formats.hollow import metadata_of
from arcomp.formats.metadata.reading import read_metadata
from arcomp.formats.parsing import parse
from arcomp.samples import Samples
from arcomp.transforms import Coded, Constant, Divide, Forecast, HighLow, Node, Octets, Pile, Predict, Region, Transpose
from tests.raw import Raw
from tests.unit.test_bmp import bitmap
from tests.unit.test_conversion import tiff
from tests.unit.test_ico import bitmap as of_icon
from tests.unit.test_ico import icon


def a_picture(shape: tuple[int, ...], depth: int = 8) -> npt.NDArray[Any]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 1 << depth, shape).astype(np.uint8 if depth <= 8 else np.uint16)


def coded(stack: npt.NDArray[Any], tree: Node, depth: int = 8, tile: tuple[int, int] = (8, 8)) -> Member:
    return codec.encode(Samples.of(stack, depth), Raw(), trees=(tree,), tile=tile, threads=1).member


def test_tiles_that_cover_a_region() -> None:
    tiling = Tiling((2, 20, 30), (8, 16))
    for region in (Region(1, 3, 4, 2, 2), Region(0, 7, 15, 2, 2), Region(1, 0, 0, 20, 30), Region(1, 17, 29, 3, 1)):
        found, box = tiling.covering(region)
        touched = [
            i for i, (n, y, x) in enumerate(tiling.corners)
            if n == region.picture and y < region.y + region.height and y + 8 > region.y
            and x < region.x + region.width and x + 16 > region.x
        ]  # fmt: skip
        assert found == touched
        tiles = [tiling.region(i) for i in found]
        assert (box.y, box.x) == (min(t.y for t in tiles), min(t.x for t in tiles))
        assert (box.y + box.height, box.x + box.width) == (
            tiles[-1].y + tiles[-1].height,
            tiles[-1].x + tiles[-1].width,
        )
        assert box.height * box.width == sum(t.height * t.width for t in tiles)


@pytest.mark.parametrize(
    ("tree", "depth", "channels", "expected"),
    [
        (Coded(8), 8, 3, 2),
        (Divide(3, Coded(8), Coded(8)), 8, 4, 4),
        (Divide(3, Coded(8), Constant((255,))), 8, 4, 2),
        (HighLow(8, Coded(8), Coded(8)), 16, 1, 4),
        (Transpose(Coded(8)), 8, 1, 2),
        (Predict(2, 0, HighLow(8, Coded(8), Coded(8))), 16, 1, 12),
        (Forecast(4, 8, Octets(Coded(8))), 16, 1, 3),
    ],
)
def test_only_tiles_that_are_touched_are_decoded(tree: Node, depth: int, channels: int, expected: int) -> None:
    stack = a_picture((1, 20, 36, channels), depth)
    if isinstance(tree, Divide):
        stack[..., 3] = 255
    member, model = coded(stack, tree, depth), Raw()
    found = regions.crop(member, (12, 9, 10, 6), model=model)
    assert np.array_equal(found.samples.pixels, stack[:, 9:15, 12:22])
    assert (found.decoded, len(model.begun)) == (expected, expected)
    assert found.tiles == sum(len(part.streams) for part in member.parts)


def test_one_of_several_pictures() -> None:
    stack = a_picture((5, 20, 36, 1))
    for tree, expected in ((Coded(8), 1), (Pile(Coded(8)), 2)):
        member, model = coded(stack, tree), Raw()
        found = regions.crop(member, (9, 1, 3, 4), 3, model)
        assert np.array_equal(found.samples.pixels, stack[3:4, 1:5, 9:12])
        assert len(model.begun) == expected
        with pytest.raises(ArcompError, match=r"holds 5 pictures; choose one, 0 to 4, with --picture"):
            regions.crop(member, (9, 1, 3, 4), model=Raw())
        with pytest.raises(ArcompError, match="has no picture 5"):
            regions.crop(member, (9, 1, 3, 4), 5, Raw())


@pytest.mark.parametrize("area", [(0, 0, 37, 1), (0, 0, 1, 21), (36, 0, 1, 1), (-1, 0, 1, 1), (0, 0, 0, 1)])
def test_what_is_not_within_the_picture_is_refused(area: regions.Area) -> None:
    member = coded(a_picture((1, 20, 36, 1)), Coded(8))
    with pytest.raises(ArcompError, match=r"is not within the picture of 36 x 20"):
        regions.crop(member, area, model=Raw())


def test_models_with_one_stream_for_all_tiles_decode_all() -> None:
    picture = a_picture((20, 36, 3))
    data = arcomp.compress(picture, "histogram", tile=(8, 8))
    found = regions.crop(unpack(data), (12, 9, 10, 6))
    assert np.array_equal(found.samples.array, picture[9:15, 12:22])
    assert (found.decoded, found.tiles) == (15, 15)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int16"])
@pytest.mark.parametrize("several", [False, True])
def test_arrays_keep_their_type(dtype: str, several: bool) -> None:
    rng = np.random.default_rng(0)
    array = rng.integers(0, 2, (3, 20, 36) if several else (20, 36)).astype(dtype)
    array[..., :4, :5] = np.array(-1).astype(dtype)
    data = arcomp.compress(array, "context")
    found = arcomp.decompress(data, crop=(3, 2, 9, 5), picture=2 if several else None).array
    assert found.dtype == array.dtype
    assert np.array_equal(found, (array[2] if several else array)[2:7, 3:12])


def test_files_kept_as_bytes() -> None:
    """A JPEG, and a text, in which there is nothing to cut."""
    held = io.BytesIO()
    Image.fromarray(a_picture((40, 50, 3))).save(held, "jpeg")
    whole = np.asarray(Image.open(io.BytesIO(held.getvalue())))
    data = arcomp.compress(held.getvalue(), "histogram")
    assert np.array_equal(arcomp.decompress(data, crop=(5, 6, 7, 8)).array, whole[6:14, 5:12])
    with pytest.raises(ArcompError, match="no picture that can be cut"):
        arcomp.decompress(arcomp.compress(b"text", "histogram"), crop=(0, 0, 1, 1))


@pytest.mark.parametrize("argument", [(1, 2, 3), "1,2,3,4", (0, 0, -1, 1), (0, 0, 1.5, 1)])
def test_crops_that_are_none(argument: Any) -> None:
    data = arcomp.compress(a_picture((4, 5)), "histogram")
    with pytest.raises(ArcompError, match="is no rectangle"):
        arcomp.decompress(data, crop=argument)
    with pytest.raises(ArcompError, match="picture= without crop="):
        arcomp.decompress(data, picture=0)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "b.tif", "c.tif", "a.bmp"])
def test_metadata_without_pixels(name: str, tmp_path: Any) -> None:
    """Read from the form alone, it is that of the file; of a TIFF whose directory follows its strips, too."""
    options: dict[str, Any] = {"dpi": (300, 300)}
    if name != "a.bmp":
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if name == "b.tif":
        options["compression"] = "tiff_lzw"
    if name == "c.tif":
        options["compression"] = "tiff_adobe_deflate"
    Image.fromarray(np.zeros((300, 500, 3), np.uint8)).save(tmp_path / name, **options)
    data = (tmp_path / name).read_bytes()
    member = unpack(arcomp.compress(data, "histogram"))
    assert member.original is not None
    assert member.skeleton
    found = metadata_of(member.skeleton, member.original.length)
    assert found == read_metadata(data)
    assert found.resolution
    assert read(data).stacks[0].shape == (1, 300, 500, 3)


def test_of_files_whose_samples_alone_are_no_picture() -> None:
    """Icons have masks, BMPs channels that mean nothing, TIFFs colours that are multiplied by opacity."""
    pixels, model = a_picture((9, 13, 4)), arcomp.load("histogram")
    rows = np.pad(pixels[::-1, :, 2::-1].reshape(9, -1), ((0, 0), (0, 1))).tobytes()
    hidden = np.packbits(np.pad(np.ones((9, 13), np.uint8), ((0, 0), (0, 19))), axis=1).tobytes()
    masked = icon(of_icon(rows, 13, 9, 24, mask=hidden))
    unnamed = bitmap(pixels[:, :, [2, 1, 0, 3]].reshape(9, -1), 32)

    def cropped(data: bytes) -> npt.NDArray[Any]:
        parsed = parse(data)
        assert parsed is not None
        member = codec.encode(parsed.samples, model).member
        member = replace(member, original=files.examine(data, model).original, skeleton=parsed.skeleton)
        found: npt.NDArray[Any] = regions.crop(member, (2, 1, 5, 4)).samples.pixels[0]
        return found

    assert np.array_equal(cropped(masked)[..., :3], pixels[1:5, 2:7, :3])
    assert not cropped(masked)[..., 3].any()
    assert np.array_equal(cropped(unnamed), pixels[1:5, 2:7, :3])
    with pytest.raises(ArcompError, match="multiplied by opacity"):
        cropped(tiff(pixels, (338, 3, b"\1\0")))
