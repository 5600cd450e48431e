"""Pictures: read exactly as stored or refused in one line, and written so that they read back the same."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from arcomp.errors import ArcompError, OutputError
from arcomp.formats import ENDINGS, format_of, read, write
from tests.coded import write_picture
from tests.unit.picture_files import (
    GRAY,
    LARGE,
    RANDOM,
    RGB,
    ROOT,
    Pixels,
    chunk,
    png,
    refusal,
    saved,
    tiff_rgb,
)


class TestReading:
    @pytest.mark.parametrize("pixels", [GRAY, RGB], ids=["gray", "rgb"])
    @pytest.mark.parametrize(
        ("form", "options"),
        [
            ("PNG", {}),
            ("BMP", {}),
            ("PPM", {}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("TIFF", {"compression": "tiff_adobe_deflate"}),
            ("TIFF", {"compression": "packbits"}),
            ("WEBP", {"lossless": True}),
        ],
    )
    def test_what_pillow_writes(self, pixels: Pixels, form: str, options: dict[str, Any]) -> None:
        picture = read(saved(pixels, form, **options))
        if form == "WEBP" and pixels is GRAY:
            pixels = np.repeat(GRAY, 3, axis=2)
        np.testing.assert_array_equal(picture.pixels[0], pixels)
        assert picture.pixels[0].dtype == np.uint8
        assert picture.pixels[0].flags.c_contiguous
        assert picture.depth == 8

    def test_icon(self) -> None:
        buffer = io.BytesIO()
        Image.fromarray(LARGE).save(buffer, "ICO", sizes=[(64, 64), (32, 32)])
        assert sorted(stack.shape[1:3] for stack in read(buffer.getvalue()).stacks) == [(23, 32), (46, 64)]

    @pytest.mark.parametrize("pixels", [GRAY, RGB], ids=["gray", "rgb"])
    def test_png_by_its_specification(self, pixels: Pixels) -> None:
        np.testing.assert_array_equal(read(png(pixels)).pixels[0], pixels)

    def test_plain_and_raw_pnm(self) -> None:
        plain = b"P3 #c\n13 11\n255\n" + b"\n".join(b"%d" % value for value in RGB.ravel())
        raw = b"P6\n# one\n# two\n13\t11 255\n" + RGB.tobytes()
        for data in (plain, raw):
            picture = read(data)
            np.testing.assert_array_equal(picture.pixels[0], RGB)
        assert read(b"P2 1 2 255 7 255").pixels[0].ravel().tolist() == [7, 255]

    def test_raster_that_looks_like_white_space_or_a_comment(self) -> None:
        assert read(b"P5 2 1 255\n#\n").pixels[0].ravel().tolist() == [35, 10]
        assert read(b"P5 2 1 255\n\n ").pixels[0].ravel().tolist() == [10, 32]

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_tiff_by_its_specification(self, order: str) -> None:
        np.testing.assert_array_equal(read(tiff_rgb(RGB, order)).pixels[0], RGB)

    def test_planar_and_white_is_zero_tiff(self) -> None:
        planes = np.ascontiguousarray(RGB.transpose(2, 0, 1))
        offsets = tuple(8 + i * 143 for i in range(3))
        data = tiff_rgb(RGB, data=planes.tobytes(), t284=("H", (2,)), t273=("I", offsets), t279=("I", (143, 143, 143)))
        np.testing.assert_array_equal(read(data).pixels[0], RGB)
        white = tiff_rgb(GRAY, t258=("H", (8,)), t262=("H", (0,)), t277=("H", (1,)))
        np.testing.assert_array_equal(read(white).pixels[0], 255 - GRAY)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
    def test_tiff_orientation_is_not_applied(self, orientation: int, compression: str) -> None:
        data = saved(RGB, "TIFF", compression=compression, tiffinfo={274: orientation})
        picture = read(data)
        np.testing.assert_array_equal(picture.pixels[0], RGB)

    def test_png_orientation_is_not_applied(self) -> None:
        exif = Image.Exif()
        exif[274] = 6
        picture = read(saved(RGB, "PNG", exif=exif))
        np.testing.assert_array_equal(picture.pixels[0], RGB)

    def test_bmp_from_the_top_down(self) -> None:
        data = bytearray(saved(RGB, "BMP"))
        struct.pack_into("<i", data, 22, -11)
        np.testing.assert_array_equal(read(bytes(data)).pixels[0], RGB[::-1])

    def test_path(self, tmp_path: Path) -> None:
        (tmp_path / "a.gif").write_bytes(png(RGB))  # the content counts, not the name
        for path in (tmp_path / "a.gif", str(tmp_path / "a.gif")):
            np.testing.assert_array_equal(read(path).pixels[0], RGB)

    def test_pixels_are_the_callers_own(self) -> None:
        read(png(RGB)).pixels[0, 0, 0, 0] ^= 1
        read(b"P6 13 11 255\n" + RGB.tobytes()).pixels[0, 0, 0, 0] ^= 1

    def test_pillow_is_imported_late(self) -> None:
        code = "import sys, arcomp.formats, arcomp.container; sys.exit('PIL' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


class TestOtherReaders:
    """Formats that Pillow decodes."""

    def test_png_with_much_metadata(self) -> None:
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", "<x/>")
        data = saved(RGB, "PNG", pnginfo=info, dpi=(300, 300), icc_profile=b"p" * 200)
        text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(1 << 24)))
        for whole in (data + b"more", png(RGB, chunks=[text])):
            np.testing.assert_array_equal(read(whole).pixels[0], RGB)

    def test_webp_with_alpha(self) -> None:
        pixels = np.dstack([RGB, GRAY & 1])  # with colour where nothing is seen
        samples = read(saved(pixels, "WEBP", lossless=True, exact=True))
        np.testing.assert_array_equal(samples.pixels[0], pixels)
        assert samples.alpha
        again = read(write(samples, "webp"))
        np.testing.assert_array_equal(again.pixels[0], pixels)
        assert again.alpha

    @pytest.mark.parametrize("colours", [2, 3, 16, 17, 256])
    @pytest.mark.parametrize("transparent", [None, 1])
    def test_gif(self, colours: int, transparent: int | None) -> None:
        palette = RANDOM.integers(0, 256, (colours, 3), dtype=np.uint8)
        indices = RANDOM.integers(0, colours, (40, 30), dtype=np.uint8)
        image = Image.fromarray(indices, "P")
        image.putpalette(palette.tobytes())
        stream = io.BytesIO()
        image.save(stream, "GIF", optimize=False, **({} if transparent is None else {"transparency": transparent}))
        samples = read(stream.getvalue())
        assert samples.palette is not None
        seen = samples.palette[samples.pixels[0, :, :, 0]]
        np.testing.assert_array_equal(seen[..., :3], palette[indices])
        assert seen.shape[2] == (3 if transparent is None else 4)
        if transparent is not None:
            np.testing.assert_array_equal(seen[..., 3] == 0, indices == transparent)
        assert samples.depth == {2: 2, 3: 2, 16: 4}.get(colours, 8)
        again = read(write(samples, "png"))
        np.testing.assert_array_equal(again.pixels, samples.pixels)
        np.testing.assert_array_equal(again.palette, samples.palette)

    def test_gif_of_grays(self) -> None:
        samples = read(saved(GRAY, "GIF"))
        seen = samples.pixels[0] if samples.palette is None else samples.palette[samples.pixels[0, :, :, 0]]
        np.testing.assert_array_equal(np.broadcast_to(GRAY, seen.shape), seen)


class TestOneBit:
    """Gray pictures of 1 bit: 0 is black, whatever the file says it with."""

    BITS = RANDOM.integers(0, 2, (11, 13, 1), dtype=np.uint8)

    @pytest.mark.parametrize("form", ["PNG", "PPM"])
    def test_they_are_read_and_written_the_same(self, form: str) -> None:
        data = saved(255 * self.BITS, form, "1")
        picture = read(data)
        ending = {"PNG": "png", "PPM": "pbm"}[form]
        assert picture.depth == 1
        assert np.array_equal(picture.pixels[0], self.BITS)
        written = write_picture(picture.pixels[0], 1, ending)
        assert np.array_equal(read(written).pixels[0], self.BITS)
        with Image.open(io.BytesIO(written)) as image:
            assert np.array_equal(np.asarray(image), self.BITS[:, :, 0].astype(bool))

    def test_one_written_by_the_specification(self) -> None:
        rows = np.packbits(self.BITS[:, :, 0], axis=1)[:, :, None]
        picture = read(png(rows, depth=1, size=(13, 11)))
        assert np.array_equal(picture.pixels[0], self.BITS)
        assert "no whole picture" in refusal(png(rows, depth=1, size=(13, 11), rows=10))

    @pytest.mark.parametrize("gap", [b" ", b"\n", b""])
    def test_plain_pbm(self, gap: bytes) -> None:
        picture = read(b"P1" + b" #x\n3 " + b"2\n" + gap.join([b"1", b"0", b"1", b"0", b"0", b"1"]))
        assert picture.pixels[0][:, :, 0].tolist() == [[0, 1, 0], [1, 1, 0]]

    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (b"P4 9 2\n" + bytes(3), "truncated, 3 of 4"),
            (b"P1 2 2\n1 0 1", "truncated, 3 of 4"),
            (b"P1 2 2\n1 0 # 1\n1 1", "comments among"),
            (b"P1 2 2\n1 0 2 1", "neither 0 nor 1"),
            (b"P4 2\n", "header"),
            (b"P4 99999 99999\n", "limit"),
        ],
    )
    def test_damaged_pbm(self, data: bytes, word: str) -> None:
        assert word in refusal(data)

    def test_what_pbm_cannot_hold(self) -> None:
        with pytest.raises(OutputError, match="gray of 1 bit"):
            write_picture(GRAY, 8, "pbm")
        with pytest.raises(OutputError, match="RGB of 1 bits"):
            write_picture(RGB & 1, 1, "png")


class TestWriting:
    @pytest.mark.parametrize("ending", list(ENDINGS))
    @given(st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])), st.integers(0, 99))
    @settings(max_examples=20, deadline=None)
    def test_reads_back_the_same(self, ending: str, shape: tuple[int, int, int], seed: int) -> None:
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        channels = shape[2]
        if ending == "pbm" or (ending, channels) == ("webp", 1):
            with pytest.raises(OutputError):
                write_picture(pixels, 8, ending)
            return
        picture = read(write_picture(pixels, 8, ending))
        np.testing.assert_array_equal(picture.pixels[0], pixels)
        assert write_picture(picture.pixels[0], picture.depth, ending) == write_picture(pixels, 8, ending)

    @pytest.mark.parametrize("ending", ["png", "bmp", "tif", "webp", "ppm"])
    def test_flat_and_large_pictures(self, ending: str) -> None:
        for pixels in (np.zeros((40, 50, 3), np.uint8), np.full((40, 50, 3), 255, np.uint8), LARGE):
            np.testing.assert_array_equal(read(write_picture(pixels, 8, ending)).pixels[0], pixels)

    def test_memory_layout_and_spelling_do_not_matter(self) -> None:
        turned = np.asfortranarray(RGB)
        assert write_picture(turned, 8, ".PNG") == write_picture(RGB, 8, "png")

    @pytest.mark.parametrize("ending", ["jpg", "gif", "jxl", "xyz", "", "avif"])
    def test_endings_that_lose(self, ending: str) -> None:
        with pytest.raises(OutputError, match=r"choose one of png, bmp"):
            write_picture(RGB, 8, ending)

    def test_sides_too_long_for_webp(self) -> None:
        long = np.zeros((1, 16384, 3), np.uint8)
        with pytest.raises(OutputError, match="16383"):
            write_picture(long, 8, "webp")
        assert read(write_picture(long[:, 1:], 8, "webp")).pixels.shape == (1, 1, 16383, 3)

    @pytest.mark.parametrize(
        ("pixels", "depth"),
        [
            (RGB, 7),
            (RGB.astype(np.float32), 8),
            (RGB[:, :, 0], 8),
            (RGB[:, :, :2], 8),
            (np.dstack([RGB, GRAY]), 8),
            (RGB[:0], 8),
        ],
    )
    def test_arrays_that_are_not_pictures(self, pixels: np.ndarray[Any, Any], depth: int) -> None:
        with pytest.raises(ArcompError):
            write_picture(pixels, depth, "png")

    def test_codec_that_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(*_: Any, **__: Any) -> None:
            raise OSError("encoder libwebp not available")

        monkeypatch.setattr(Image.Image, "save", missing)
        with pytest.raises(OutputError, match="encoder libwebp not available"):
            write_picture(RGB, 8, "webp")

    def test_format_of(self) -> None:
        paths: list[str | Path] = ["a/B.PNG", "x.tar.TIF", "none", ".hidden", "a.b/c", Path("q.pgm")]
        assert [format_of(path) for path in paths] == ["png", "tif", "", "", "", "pgm"]
