"""TIFF files taken apart: samples as they were put in, and every byte back."""

from __future__ import annotations

import io
import zlib
from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.form import BitsReversed, Deflated, Differences, Lzw, PackBits, Raster
from arcomp.formats.parsed import Parsed
from arcomp.formats.parsing import parse
from arcomp.formats.predicting import predicted
from arcomp.formats.rebuild import rebuild
from tests.unit.picture_files import LARGE, RGB, refusal, saved
from tests.unit.tiff_files import Array, Page, page_of, tiff_of

RANDOM = np.random.default_rng(11)
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def pictures(channels: int, bits: int, height: int = 21, width: int = 37) -> Array:
    values = RANDOM.integers(0, 1 << bits, (height, width, channels))
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def taken_apart(data: bytes) -> Parsed:
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data
    return parsed


def same(data: bytes, pixels: Array, depth: int = 8) -> Parsed:
    """Taken apart, one picture or several of one size."""
    parsed = taken_apart(data)
    assert parsed.samples.depth == depth
    np.testing.assert_array_equal(parsed.samples.pixels, pixels if pixels.ndim == 4 else pixels[None])
    return parsed


def segments(parsed: Parsed, kind: type) -> list[Any]:
    """The segments of a kind that stand outside all others."""
    return [segment for segment in parsed.skeleton if isinstance(segment, kind)]


class TestSamples:
    @pytest.mark.parametrize("bits", range(1, 17))
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_every_depth_and_number_of_channels(self, bits: int, order: str) -> None:
        for channels, planar, tile in product((1, 2, 3, 4), (False, True), (None, (16, 16))):
            pixels = pictures(channels, bits)
            page = page_of(pixels, bits, order=order, planar=planar, rows=5, tile=tile)
            same(tiff_of(page, order=order), pixels, bits)

    @pytest.mark.parametrize("bits", [8, 16])
    @pytest.mark.parametrize("compression", [8, 32946])
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_differences_in_deflate(self, bits: int, compression: int, order: str) -> None:
        for channels, planar, tile, big in product((1, 3), (False, True), (None, (16, 16)), (False, True)):
            pixels = pictures(channels, bits)
            layout: dict[str, Any] = {"planar": planar, "tile": tile, "rows": 8}
            page = page_of(pixels, bits, order=order, compression=compression, predictor=2, **layout)
            parsed = same(tiff_of(page, order=order, big=big), pixels, bits)
            streams = segments(parsed, Deflated)
            assert len(streams) == len(page.blocks)
            assert all(isinstance(stream.content[0], Differences) and stream.check is None for stream in streams)

    @pytest.mark.parametrize("bits", [1, 4, 8, 12, 16])
    def test_signed_samples_rise_with_their_values(self, bits: int) -> None:
        pixels = pictures(1, bits)
        stored = pixels ^ pixels.dtype.type(1 << bits - 1)
        same(tiff_of(page_of(stored, bits, t339=2)), pixels, bits)

    @pytest.mark.parametrize("bits", [1, 2, 8, 16])
    def test_zero_is_black(self, bits: int) -> None:
        pixels = pictures(1, bits)
        same(tiff_of(page_of(pixels ^ pixels.dtype.type((1 << bits) - 1), bits, t262=0)), pixels, bits)

    def test_opacity(self) -> None:
        for channels, photometric, extra, alpha in (
            (4, 2, 1, True),
            (4, 2, 2, True),
            (2, 1, 2, True),
            (4, 2, 0, False),
            (2, 1, 0, False),
            (4, 5, None, False),
            (2, 0, 2, False),  # 0 is white: not inverted here, since opacity is not
        ):
            pixels = pictures(channels, 8)
            parsed = same(tiff_of(page_of(pixels, t262=photometric, t338=extra)), pixels)
            assert parsed.samples.alpha is alpha

    def test_palettes(self) -> None:
        pixels = pictures(1, 4)
        colours = RANDOM.integers(0, 256, (3, 16))
        for stored in (colours * 257, colours * 256, colours):
            parsed = same(tiff_of(page_of(pixels, 4, t262=3, t320=(3, stored.ravel().tolist()))), pixels, 4)
            assert parsed.samples.palette is not None
            np.testing.assert_array_equal(parsed.samples.palette, colours.T)
        parsed = same(tiff_of(page_of(pixels, 4, t262=3, t320=(3, [1, 2, 3]))), pixels, 4)
        assert parsed.samples.palette is None
        wide = RANDOM.integers(0, 65536, 48)
        wide[0] = 65535
        parsed = same(tiff_of(page_of(pixels, 4, t262=3, t320=(3, wide.tolist()))), pixels, 4)
        assert parsed.samples.palette is not None
        np.testing.assert_array_equal(parsed.samples.palette, (wide >> 8).reshape(3, 16).T)

    @pytest.mark.parametrize("orientation", [(3, [6]), (4, [5]), (11, [6.0]), (12, [3.0]), (3, [0]), (3, [999])])
    def test_orientation_is_not_applied(self, orientation: Any) -> None:
        same(tiff_of(page_of(RGB, t274=orientation)), RGB)
        xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
        same(tiff_of(page_of(RGB, t700=xmp)), RGB)

    def test_planes_of_many_channels_are_pictures(self) -> None:
        pixels = pictures(6, 8)
        parsed = taken_apart(tiff_of(page_of(pixels, planar=True, t262=1)))
        np.testing.assert_array_equal(parsed.samples.pixels[..., 0], pixels.transpose(2, 0, 1))


class TestCompressions:
    @pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate"])
    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
    def test_what_pillow_writes(self, mode: str, compression: str | None) -> None:
        data = saved(LARGE, "TIFF", mode, compression=compression)
        pixels = np.asarray(Image.fromarray(LARGE).convert(mode)).astype(np.uint8)
        parsed = taken_apart(data)
        if mode != "LAB":  # of which Pillow stores two channels signed
            np.testing.assert_array_equal(parsed.samples.pixels[0].reshape(pixels.shape), pixels)
        found = segments(parsed, Lzw if compression == "tiff_lzw" else PackBits)
        assert bool(found) is (compression in ("tiff_lzw", "packbits"))
        assert all(not packed.headers for packed in found if isinstance(packed, PackBits))

    @pytest.mark.parametrize("compression", [1, 8])
    def test_bits_in_reverse(self, compression: int) -> None:
        for bits in (1, 8, 16):
            pixels = pictures(3, bits)
            page = page_of(pixels, bits, compression=compression, t266=2)
            parsed = same(tiff_of(Page(page.tags, [block.translate(REVERSED) for block in page.blocks])), pixels, bits)
            (turned,) = segments(parsed, BitsReversed)
            assert isinstance(turned.content[0], Deflated if compression == 8 else Raster)

    def test_bytes_after_streams_and_samples(self) -> None:
        page = page_of(RGB, compression=8, rows=4)
        same(tiff_of(Page(page.tags, [block + b"more" for block in page.blocks])), RGB)
        longer = [zlib.compress(zlib.decompress(block) + b"more") for block in page.blocks]
        same(tiff_of(Page(page.tags, longer)), RGB)
        plain = page_of(RGB, rows=4)
        same(tiff_of(Page(plain.tags, [block + b"more" for block in plain.blocks])), RGB)

    def test_wrong_checksum(self) -> None:
        page = page_of(RGB, compression=8)
        data = tiff_of(Page(page.tags, [page.blocks[0][:-1] + bytes([page.blocks[0][-1] ^ 1])]))
        (stream,) = segments(same(data, RGB), Deflated)
        assert len(stream.check) == 4
        assert "checksum" in refusal(data)

    def test_streams_are_predicted(self) -> None:
        parsed = taken_apart(tiff_of(page_of(LARGE, compression=8, predictor=2, rows=40)))
        form = predicted(parsed.skeleton, parsed.samples)
        assert rebuild(form, parsed.samples) == rebuild(parsed.skeleton, parsed.samples)

    def test_strips_that_follow_each_other_are_one_segment(self) -> None:
        parsed = taken_apart(tiff_of(page_of(pictures(3, 8, 20, 4), rows=3)))
        assert [raster.height for raster in segments(parsed, Raster)] == [20]


class TestPictures:
    def test_pages_of_one_size_are_one_stack(self) -> None:
        first, second, third = pictures(3, 8), pictures(3, 8), pictures(3, 8, 5, 9)
        data = tiff_of(page_of(first), page_of(second, compression=8), page_of(third), page_of(first))
        samples = taken_apart(data).samples
        assert [stack.shape for stack in samples.stacks] == [(2, 21, 37, 3), (1, 5, 9, 3), (1, 21, 37, 3)]
        for pixels, stored in zip((first, second, third, first), (p for s in samples.stacks for p in s), strict=True):
            np.testing.assert_array_equal(stored, pixels)

    def test_the_kind_that_holds_most_is_taken(self) -> None:
        pixels = pictures(1, 16)
        parsed = same(tiff_of(page_of(RGB), page_of(pixels, 16), page_of(RGB[:4])), pixels, 16)
        assert [raster.picture for raster in segments(parsed, Raster)] == [0]

    @pytest.mark.parametrize("big", [False, True])
    def test_pictures_below_others(self, big: bool) -> None:
        levels = [[pictures(1, 8, 16 >> k, 24 >> k) for k in range(3)] for _ in range(2)]
        pages = [Page(page_of(a).tags, page_of(a).blocks, [page_of(b), page_of(c)]) for a, b, c in levels]
        stacks = taken_apart(tiff_of(*pages, big=big)).samples.stacks
        for level, stack in enumerate(stacks):
            np.testing.assert_array_equal(stack, [levels[0][level], levels[1][level]])

    @pytest.mark.parametrize(
        "text",
        [b"ImageJ=1.53t\nimages=%d\nslices=3\n\0", b'{"shape": [%d, 11, 13], "truncated": true}\0'],
        ids=["ImageJ", "shape"],
    )
    def test_pictures_behind_one_directory(self, text: bytes) -> None:
        stack = RANDOM.integers(0, 256, (3, 11, 13, 1), dtype=np.uint8)
        page = page_of(stack[0], t270=text % 3, t279=143)
        data = tiff_of(Page(page.tags, [stack.tobytes()]))
        parsed = same(data, stack)
        assert len(segments(parsed, Raster)) == 3
        same(data + b"more", stack)
        page = page_of(stack[0], t270=text % 100)
        assert taken_apart(tiff_of(Page(page.tags, [stack.tobytes()]))).samples.count < 9  # no more than there are
        same(tiff_of(page_of(stack[0], t270=text % 3, compression=8)), stack[:1])
        same(tiff_of(page_of(stack[0], t270=text % 3), page_of(stack[1])), stack[:2])

    def test_nothing_between_and_after_is_lost(self) -> None:
        data = tiff_of(page_of(RGB, t34675=(1, list(range(200))), t270=b"a picture\0", t305=b"a program\0"))
        same(data + b"more", RGB)
        same(data[:-4] + (1 << 30).to_bytes(4, "little"), RGB)  # the next directory is not in the file
        same(data[:-4] + data[4:8], RGB)  # it is the first again


class TestOtherWriters:
    """Files that tifffile writes."""

    @pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
    @pytest.mark.parametrize("tile", [None, (16, 32)])
    def test_every_layout(self, compression: str | None, tile: tuple[int, int] | None) -> None:
        tifffile = pytest.importorskip("tifffile")
        pytest.importorskip("imagecodecs")
        for channels, planar, bits, order in product((1, 3), (False, True), (8, 16), "<>"):
            stack = np.stack([pictures(channels, bits, 33, 45) for _ in range(2)])
            given = stack.transpose(0, 3, 1, 2) if planar and channels > 1 else stack
            how: dict[str, Any] = {"planarconfig": "separate" if planar else "contig"} if channels > 1 else {}
            how |= {"predictor": compression in ("zlib", "lzw"), "tile": tile, "rowsperstrip": None if tile else 7}
            how |= {"photometric": "rgb" if channels > 1 else "minisblack", "byteorder": order, "metadata": None}
            file = io.BytesIO()
            tifffile.imwrite(file, given if channels > 1 else stack[..., 0], compression=compression, **how)
            same(file.getvalue(), stack, bits)

    @pytest.mark.parametrize(
        "how",
        [{"imagej": True}, {"truncate": True, "photometric": "minisblack"}, {"ome": True}, {"compression": "zlib"}],
    )
    def test_stacks(self, how: dict[str, Any]) -> None:
        tifffile = pytest.importorskip("tifffile")
        stack = np.stack([pictures(1, 16) for _ in range(5)])
        file = io.BytesIO()
        tifffile.imwrite(file, stack[..., 0], **how)
        same(file.getvalue(), stack, 16)

    @pytest.mark.parametrize("bits", [10, 12, 14])
    def test_packed_samples(self, bits: int) -> None:
        tifffile = pytest.importorskip("tifffile")
        pytest.importorskip("imagecodecs")
        pixels = pictures(1, bits)
        file = io.BytesIO()
        tifffile.imwrite(file, pixels[..., 0], bitspersample=bits)
        same(file.getvalue(), pixels, bits)
