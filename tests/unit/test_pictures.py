"""Pictures: read exactly as stored or refused in one line, and written so that they read back the same."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from arcomp.errors import ArcompError, OutputError, PictureError
from arcomp.formats import ENDINGS, format_of, read
from tests.coded import write_picture

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
RANDOM = np.random.default_rng(7)
GRAY = RANDOM.integers(0, 256, (11, 13, 1), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (11, 13, 3), dtype=np.uint8)
LARGE = RANDOM.integers(0, 256, (150, 210, 3), dtype=np.uint8)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def saved(pixels: Pixels, form: str, mode: str | None = None, **options: Any) -> bytes:
    """What Pillow saves for an array, or for it turned into another mode."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, format=form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    pixels: Pixels,
    *,
    depth: int = 8,
    colour: int | None = None,
    chunks: Iterable[bytes] = (),
    size: tuple[int, int] | None = None,
    rows: int | None = None,
) -> bytes:
    """A PNG written here, by its specification: filter 0, one IDAT."""
    width, height = size or (pixels.shape[1], pixels.shape[0])
    kind = {1: 0, 3: 2, 4: 6}[pixels.shape[2]] if colour is None else colour
    raw = b"".join(b"\0" + row.tobytes() for row in pixels[:rows])
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)),
            *chunks,
            chunk(b"IDAT", zlib.compress(raw)),
            chunk(b"IEND", b""),
        )
    )


def interlaced(pixels: Pixels) -> bytes:
    """The rows of the seven passes of a PNG, each after a zero for its filter."""
    passes = ["00 88", "40 88", "04 48", "20 44", "02 24", "10 22", "01 12"]
    parts = [pixels[int(p[1]) :: int(p[4]), int(p[0]) :: int(p[3])] for p in passes]
    return b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)


def interlaced_png(width: int, height: int, raw: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def tiff(tags: dict[int, tuple[str, tuple[int, ...]]], data: bytes, *, order: str = "<") -> bytes:
    """A TIFF written here: `data` at byte 8 as one strip, then the tags (format letter, values)."""
    entries = {273: ("I", (8,)), 279: ("I", (len(data),)), **tags}
    directory, extra = b"", b""
    data += b"\0" * (len(data) % 2)
    at = 8 + len(data) + 2 + 12 * len(entries) + 4
    for tag, (letter, values) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        kind = {"B": 1, "H": 3, "I": 4}[letter]
        if len(packed) > 4:
            extra, packed = extra + packed, struct.pack(f"{order}I", at + len(extra))
        directory += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data))
    return head + data + struct.pack(f"{order}H", len(entries)) + directory + bytes(4) + extra


def tiff_rgb(pixels: Pixels, order: str = "<", data: bytes | None = None, **changes: Any) -> bytes:
    """An uncompressed 8-bit RGB TIFF with some tags changed (t258=...) or, with None, left out."""
    tags: dict[int, Any] = {
        256: ("H", (pixels.shape[1],)),
        257: ("H", (pixels.shape[0],)),
        258: ("H", (8, 8, 8)),
        259: ("H", (1,)),
        262: ("H", (2,)),
        277: ("H", (3,)),
        278: ("H", (pixels.shape[0],)),
    }
    tags |= {int(name[1:]): value for name, value in changes.items()}
    return tiff(
        {tag: value for tag, value in tags.items() if value is not None},
        pixels.tobytes() if data is None else data,
        order=order,
    )


def refusal(data: bytes, **options: Any) -> str:
    with pytest.raises(PictureError) as caught:
        read(data, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert " at 0x" not in line
    assert len(line) < 200
    return line


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
        assert (picture.depth, picture.dropped) == (8, ())
        expected = {"PPM": "pgm" if pixels.shape[2] == 1 else "ppm"}.get(form, form.lower())
        assert picture.ending == expected

    @pytest.mark.parametrize("pixels", [GRAY, RGB], ids=["gray", "rgb"])
    def test_png_by_its_specification(self, pixels: Pixels) -> None:
        np.testing.assert_array_equal(read(png(pixels)).pixels[0], pixels)

    def test_plain_and_raw_pnm(self) -> None:
        plain = b"P3 #c\n13 11\n255\n" + b"\n".join(b"%d" % value for value in RGB.ravel())
        raw = b"P6\n# one\n# two\n13\t11 255\n" + RGB.tobytes()
        for data in (plain, raw):
            picture = read(data)
            np.testing.assert_array_equal(picture.pixels[0], RGB)
            assert (picture.ending, picture.dropped) == ("ppm", ("comments",))
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
        assert picture.dropped == (() if orientation == 1 else ("orientation",))

    def test_png_orientation_is_not_applied(self) -> None:
        exif = Image.Exif()
        exif[274] = 6
        picture = read(saved(RGB, "PNG", exif=exif))
        np.testing.assert_array_equal(picture.pixels[0], RGB)
        assert picture.dropped == ("Exif",)

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


class TestDropped:
    def test_png(self) -> None:
        info = PngImagePlugin.PngInfo()
        info.add_text("Author", "somebody")
        info.add_itxt("XML:com.adobe.xmp", "<x/>")
        exif = Image.Exif()
        exif[271] = "camera"
        data = saved(RGB, "PNG", pnginfo=info, dpi=(300, 300), icc_profile=b"p" * 200, exif=exif)
        picture = read(data + b"more")
        expected = ("Exif", "ICC profile", "XMP", "data after its end", "resolution", "text")
        assert picture.dropped == expected
        np.testing.assert_array_equal(picture.pixels[0], RGB)

    def test_png_chunks(self) -> None:
        chunks = [chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"tIME", bytes(7)), chunk(b"prVt", b"x")]
        assert read(png(RGB, chunks=chunks)).dropped == ("gamma", "prVt chunk", "time")

    def test_ordinary_defaults_are_nothing(self) -> None:
        chunks = [chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 45455))]
        chunks.append(chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)))
        assert read(png(RGB, chunks=chunks)).dropped == ()

    def test_text_larger_than_pillow_takes(self) -> None:
        text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(1 << 24)))
        assert read(png(RGB, chunks=[text])).dropped == ("text",)

    def test_tiff_bmp_webp(self) -> None:
        data = saved(RGB, "TIFF", tiffinfo={270: "hello", 65000: 3}, dpi=(300, 300), icc_profile=b"p" * 200)
        assert read(data).dropped == ("ICC profile", "TIFF tag 65000", "description", "resolution")
        assert read(saved(RGB, "BMP", dpi=(300, 300))).dropped == ("resolution",)
        data = saved(RGB, "WEBP", lossless=True, icc_profile=b"p" * 200, xmp=b"<x/>")
        assert read(data).dropped == ("ICC profile", "XMP")


class TestOneBit:
    """Gray pictures of 1 bit: 0 is black, whatever the file says it with."""

    BITS = RANDOM.integers(0, 2, (11, 13, 1), dtype=np.uint8)

    @pytest.mark.parametrize("form", ["PNG", "PPM"])
    def test_they_are_read_and_written_the_same(self, form: str) -> None:
        data = saved(255 * self.BITS, form, "1")
        picture = read(data)
        ending = {"PNG": "png", "PPM": "pbm"}[form]
        assert (picture.depth, picture.ending) == (1, ending)
        assert np.array_equal(picture.pixels[0], self.BITS)
        assert write_picture(picture.pixels[0], 1, ending) == data

    def test_one_written_by_the_specification(self) -> None:
        rows = np.packbits(self.BITS[:, :, 0], axis=1)[:, :, None]
        picture = read(png(rows, depth=1, size=(13, 11)))
        assert np.array_equal(picture.pixels[0], self.BITS)
        assert "ends too early" in refusal(png(rows, depth=1, size=(13, 11), rows=10))

    @pytest.mark.parametrize("gap", [b" ", b"\n", b"# a comment\n"])
    def test_plain_pbm(self, gap: bytes) -> None:
        picture = read(b"P1" + b" #x\n3 " + b"2\n" + gap.join([b"1", b"0", b"1", b"0", b"0", b"1"]))
        assert picture.pixels[0][:, :, 0].tolist() == [[0, 1, 0], [1, 1, 0]]
        assert picture.dropped == ("comments",)

    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (b"P4 9 2\n" + bytes(3), "truncated, 3 of 4"),
            (b"P4 9 2\n" + bytes(5), "more after"),
            (b"P1 2 2\n1 0 1", "truncated, 3 of 4"),
            (b"P1 2 2\n1 0 2 1", "neither 0 nor 1"),
            (b"P4 2\n", "header"),
            (b"P4 99999 99999\n", "limit"),
        ],
    )
    def test_damaged_pbm(self, data: bytes, word: str) -> None:
        assert word in refusal(data)

    @pytest.mark.parametrize("ending", ["bmp", "tif", "pgm"])
    def test_files_that_cannot_hold_them(self, ending: str) -> None:
        with pytest.raises(OutputError, match="1 bit"):
            write_picture(self.BITS, 1, ending)

    def test_what_pbm_cannot_hold(self) -> None:
        with pytest.raises(OutputError, match="8 bits"):
            write_picture(GRAY, 8, "pbm")
        with pytest.raises(OutputError, match="1 bit of gray"):
            write_picture(RGB & 1, 1, "png")


class TestRefusedKinds:
    @pytest.mark.parametrize("mode", ["P", "1", "LA", "RGBA"])
    @pytest.mark.parametrize("form", ["PNG", "TIFF"])
    def test_modes(self, form: str, mode: str) -> None:
        if (form, mode) == ("PNG", "1"):
            return  # which is taken
        line = refusal(saved(RGB, form, mode))
        words = {"P": ["palette"], "1": ["1-bit"]}
        assert any(word in line for word in words.get(mode, ["with alpha", "RGBA", "with transparency"]))
        assert "; " in line

    @pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "F", "I", "I;16"])
    def test_tiff_modes(self, mode: str) -> None:
        if mode == "LAB":
            buffer = io.BytesIO()
            Image.new("LAB", (4, 4)).save(buffer, format="TIFF")
            line = refusal(buffer.getvalue())
        else:
            line = refusal(saved(GRAY if mode[0] in "FI" else RGB, "TIFF", mode))
        words = {"LAB": "Lab", "F": "floating", "I": "signed", "I;16": "16-bit"}
        assert words.get(mode, mode) in line

    @pytest.mark.parametrize("colour", [0, 2, 4, 6])
    def test_16_bit_png(self, colour: int) -> None:
        channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
        pixels = RANDOM.integers(0, 256, (3, 4, 2 * channels), dtype=np.uint8)
        assert "16-bit" in refusal(png(pixels, depth=16, colour=colour))

    @pytest.mark.parametrize("depth", [2, 4])
    def test_png_of_few_bits(self, depth: int) -> None:
        data = png(GRAY[:, :depth], depth=depth, size=(8, 11))
        with Image.open(io.BytesIO(data)) as image:
            image.load()  # the file itself is sound: Pillow widens it
        assert f"{depth}-bit" in refusal(data)

    @pytest.mark.parametrize("pixels", [GRAY, RGB], ids=["gray", "rgb"])
    def test_transparent_colour(self, pixels: Pixels) -> None:
        body = struct.pack(f">{pixels.shape[2]}H", *pixels[0, 0])
        assert "tRNS" in refusal(png(pixels, chunks=[chunk(b"tRNS", body)]))

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_16_bit_tiff(self, order: str) -> None:
        wide = RANDOM.integers(0, 65536, (5, 6, 3)).astype(f"{order}u2")
        data = tiff_rgb(wide, order, t258=("H", (16, 16, 16)))
        with Image.open(io.BytesIO(data)) as image:
            assert image.mode == "RGB"  # what this guards against
        assert "16-bit" in refusal(data)
        gray = tiff_rgb(wide[:, :, :1], order, t258=("H", (16,)), t262=("H", (1,)), t277=("H", (1,)))
        assert "16-bit" in refusal(gray)

    def test_tiff_with_a_fourth_channel(self) -> None:
        pixels = np.dstack([RGB, GRAY])
        data = tiff_rgb(pixels, t258=("H", (8, 8, 8, 8)), t277=("H", (4,)), t338=("H", (0,)))
        with Image.open(io.BytesIO(data)) as image:
            assert image.mode == "RGB"  # Pillow forgets the fourth
        assert "extra channels" in refusal(data)

    @pytest.mark.parametrize("maximum", [1, 100, 254, 256, 65535])
    def test_pnm_of_another_maximum(self, maximum: int) -> None:
        assert str(maximum) in refusal(b"P5 2 2 %d\n" % maximum + bytes(8))
        assert str(maximum) in refusal(b"P2 2 2 %d\n0 0 1 1" % maximum)

    @pytest.mark.parametrize("start", [b"P7\n", b"Pf 1 1 -1\n", b"PF 1 1 -1\n"])
    def test_other_pnm(self, start: bytes) -> None:
        assert "not supported" in refusal(start)

    def test_bmp(self) -> None:
        assert "palette" in refusal(saved(RGB, "BMP", "P"))
        assert "1-bit" in refusal(saved(RGB, "BMP", "1"))
        assert "32-bit" in refusal(saved(RGB, "BMP", "RGBA"))
        packed = bytearray(saved(GRAY, "BMP"))
        packed[30] = 1
        assert "compression 1" in refusal(bytes(packed))

    def test_more_than_one_picture(self) -> None:
        frames = [Image.fromarray(RGB[::-1])]
        for form, word in (("PNG", "animated"), ("TIFF", "2 pages")):
            assert word in refusal(saved(RGB, form, save_all=True, append_images=frames))
        line = refusal(saved(RGB, "WEBP", save_all=True, append_images=frames, lossless=True))
        assert "animated" in line
        assert "18 samples after" in refusal(b"P5 2 2 255\n" + bytes(22))
        assert "1 samples after" in refusal(b"P2 2 2 255\n 1 2 3 4 5")

    def test_webp_with_transparency(self) -> None:
        pixels = np.dstack([RGB, GRAY])
        assert "transparency" in refusal(saved(pixels, "WEBP", lossless=True))
        assert "transparency" in refusal(saved(pixels, "WEBP"), allow_lossy=True)

    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (b"", "empty"),
            (b"\x89ARC\r\n\x1a\n" + bytes(40), "arcomp file"),
            (b"GIF89a" + bytes(40), "GIF"),
            (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
            (b"\0\0\0\x18ftypavif" + bytes(40), "AVIF"),
            (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
            (b"\x89PNG\n\x1a\n" + bytes(40), "text mode"),
            (b"hello", "not a picture"),
            (bytes(100), "not a picture"),
        ],
    )
    def test_other_files(self, data: bytes, word: str) -> None:
        assert word in refusal(data)


class TestLossy:
    JPEG = saved(LARGE, "JPEG")

    def test_is_refused_with_a_hint(self) -> None:
        line = refusal(self.JPEG)
        assert line == ("JPEG is already compressed and would grow; --pixels compresses its decoded pixels")
        assert "--pixels" in refusal(saved(LARGE, "WEBP"))
        assert "--pixels" in refusal(saved(LARGE, "TIFF", compression="jpeg"))

    @pytest.mark.parametrize(("form", "options"), [("JPEG", {}), ("WEBP", {}), ("TIFF", {"compression": "jpeg"})])
    def test_is_read_when_asked(self, form: str, options: dict[str, Any]) -> None:
        data = saved(LARGE, form, **options)
        picture = read(data, allow_lossy=True)
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(picture.pixels[0], np.asarray(image))
        assert picture.ending == form.lower()

    def test_cmyk_jpeg_is_refused_still(self) -> None:
        assert "CMYK" in refusal(saved(LARGE, "JPEG", "CMYK"), allow_lossy=True)

    def test_metadata(self) -> None:
        data = saved(LARGE, "JPEG", icc_profile=b"p" * 200, comment=b"hello", dpi=(72, 72))
        assert read(data, allow_lossy=True).dropped == ("ICC profile", "comment")


class TestDamage:
    @pytest.mark.parametrize(
        ("form", "options"),
        [
            ("PNG", {}),
            ("BMP", {}),
            ("PPM", {}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("WEBP", {"lossless": True}),
        ],
    )
    def test_every_truncation(self, form: str, options: dict[str, Any]) -> None:
        # Twelve columns, so that the rows of a BMP end without padding, which could be cut off unnoticed.
        data = saved(RGB[:, :12], form, **options)
        for size in range(len(data)):
            refusal(data[:size])

    def test_every_bit_of_a_png(self) -> None:
        data = png(RGB, chunks=[chunk(b"tEXt", b"key\0value")])
        for at in range(len(data)):
            for mask in (1, 0x20, 0x80):
                damaged = bytearray(data)
                damaged[at] ^= mask
                refusal(bytes(damaged))

    def test_png_of_too_few_rows(self) -> None:
        for rows in range(11):
            assert "too early" in refusal(png(RGB, rows=rows))

    def test_png_whose_stream_is_not_finished(self) -> None:
        raw = zlib.compress(b"".join(b"\0" + row.tobytes() for row in RGB))
        whole, header = png(RGB), chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, 8, 2, 0, 0, 0))
        for size in range(len(raw)):
            data = whole[:8] + header + chunk(b"IDAT", raw[:size]) + chunk(b"IEND", b"")
            assert "damaged PNG" in refusal(data)
        wrong = raw[:-1] + bytes([raw[-1] ^ 1])
        assert "inflated" in refusal(whole[:8] + header + chunk(b"IDAT", wrong) + chunk(b"IEND", b""))

    def test_interlaced_png_of_every_small_size(self) -> None:
        for height in range(1, 10):
            for width in range(1, 10):
                raw = interlaced(RGB[:height, :width])
                np.testing.assert_array_equal(read(interlaced_png(width, height, raw)).pixels[0], RGB[:height, :width])
                assert "too early" in refusal(interlaced_png(width, height, raw[:-1]))

    def test_png_with_parts_missing(self) -> None:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, 8, 2, 0, 0, 0))
        data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in RGB)))
        end, start = chunk(b"IEND", b""), b"\x89PNG\r\n\x1a\n"
        read(start + header + data + end)
        assert "no image data" in refusal(start + header + end)
        assert "header" in refusal(start + data + end)
        assert "two headers" in refusal(start + header + header + data + end)
        assert "separate" in refusal(start + header + data + chunk(b"tEXt", b"a\0b") + data + end)
        assert "critical" in refusal(start + header + chunk(b"ABCD", b"") + data + end)

    def test_tiff_with_parts_missing(self) -> None:
        assert "1 of 2 parts" in refusal(tiff_rgb(RGB, t278=("H", (6,))))
        assert "truncated" in refusal(tiff_rgb(RGB, t279=("I", (100000,))))
        assert "truncated" in refusal(tiff_rgb(RGB, t273=("I", (0,))))
        assert "428 of 429" in refusal(tiff_rgb(RGB, t279=("I", (428,))))

    @pytest.mark.parametrize("text", [b"1 2 3 x", b"1 2 3 -4", b"1 2 3 256", b"1 2 3 0004", b"1 2 3"])
    def test_plain_samples(self, text: bytes) -> None:
        assert "damaged" in refusal(b"P2 2 2 255\n" + text)

    @settings(deadline=None)
    @given(st.sampled_from(["PNG", "BMP", "PPM", "TIFF", "WEBP", "JPEG"]), st.data())
    def test_damage_raises_nothing_else(self, form: str, draw: st.DataObject) -> None:
        data = bytearray(saved(RGB, form, lossless=True) if form == "WEBP" else saved(RGB, form))
        for _ in range(draw.draw(st.integers(1, 4))):
            data[draw.draw(st.integers(0, min(200, len(data) - 1)))] = draw.draw(st.integers(0, 255))
        try:
            picture = read(bytes(data), allow_lossy=True)
        except PictureError:
            return
        assert picture.pixels[0].dtype == np.uint8
        assert picture.pixels[0].shape[2] in (1, 3)


class TestSize:
    @pytest.mark.parametrize("size", [(1 << 14, (1 << 14) + 1), ((1 << 31) - 1, (1 << 31) - 1)])
    def test_too_many_pixels_are_refused_from_the_header(self, size: tuple[int, int]) -> None:
        assert "limit" in refusal(png(RGB, size=size))
        assert "limit" in refusal(b"P6 %d %d 255\n" % size)
        wide, high = (("I", (side,)) for side in size)
        assert "limit" in refusal(tiff_rgb(RGB, t256=wide, t257=high))
        bmp = bytearray(saved(RGB, "BMP"))
        struct.pack_into("<ii", bmp, 18, *size)
        assert "limit" in refusal(bytes(bmp))

    def test_no_pixels(self) -> None:
        assert "0 x 11" in refusal(png(RGB, size=(0, 11)))
        assert "0 x 1" in refusal(b"P5 0 1 255\n")

    def test_pillows_own_limit_does_not_apply_and_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
        for form in ("PNG", "BMP", "TIFF", "PPM"):
            np.testing.assert_array_equal(read(saved(RGB, form)).pixels[0], RGB)
        refusal(b"BM" + bytes(100))
        assert Image.MAX_IMAGE_PIXELS == 20


class TestPaths:
    def test_errors_carry_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.png").write_bytes(png(RGB)[:-1])
        for name, word in (("a.png", "truncated"), ("none.png", "does not exist"), (".", "is a directory")):
            with pytest.raises(PictureError, match=word) as caught:
                read(tmp_path / name)
            assert caught.value.path == os.fspath(tmp_path / name)

        def denied(*_: Any, **__: Any) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", denied)
        with pytest.raises(PictureError, match="permission denied"):
            read(tmp_path / "a.png")

    def test_zero_byte_in_a_name(self) -> None:
        with pytest.raises(PictureError, match="file name"):
            read("a\0b")


class TestWriting:
    @pytest.mark.parametrize("ending", list(ENDINGS))
    @given(st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])), st.integers(0, 99))
    @settings(max_examples=20, deadline=None)
    def test_reads_back_the_same(self, ending: str, shape: tuple[int, int, int], seed: int) -> None:
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        channels = shape[2]
        if ending == "pbm" or (ending, channels) in {("ppm", 1), ("pgm", 3), ("webp", 1)}:
            with pytest.raises(OutputError):
                write_picture(pixels, 8, ending)
            return
        picture = read(write_picture(pixels, 8, ending))
        np.testing.assert_array_equal(picture.pixels[0], pixels)
        assert picture.dropped == ()
        assert write_picture(picture.pixels[0], picture.depth, picture.ending) == write_picture(
            pixels, 8, picture.ending
        )

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
            (RGB, 16),
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
            raise OSError("encoder libtiff not available")

        monkeypatch.setattr(Image.Image, "save", missing)
        with pytest.raises(OutputError, match="encoder libtiff not available"):
            write_picture(RGB, 8, "tiff")

    def test_format_of(self) -> None:
        paths: list[str | Path] = ["a/B.PNG", "x.tar.TIF", "none", ".hidden", "a.b/c", Path("q.pgm")]
        assert [format_of(path) for path in paths] == ["png", "tif", "", "", "", "pgm"]


def expected_of(data: bytes) -> bool:
    """Whether a PNG of the suite is one to be read: 8-bit gray or RGB or 1-bit gray, no tRNS, sound; from its bytes."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return False
    return (data[24], data[25]) in {(8, 0), (8, 2), (1, 0)} and b"tRNS" not in data


@pytest.mark.parametrize("folder", ["pngsuite", "dev/depths"])
def test_every_odd_png_is_read_exactly_or_refused(folder: str) -> None:
    if not (DATA / folder).is_dir():
        pytest.skip("the pictures are not here")
    read = 0
    for path in sorted((DATA / folder).glob("*.png")):
        data = path.read_bytes()
        broken = path.name.startswith("x") and folder == "pngsuite"
        if broken or not expected_of(data):
            line = refusal(data, name=path.name)
            assert line.startswith(f"{path.name}: ")
            continue
        picture = read(path)
        with Image.open(path) as image:
            assert picture.pixels[0].shape == (*reversed(image.size), len(image.getbands()))
            np.testing.assert_array_equal(picture.pixels[0].squeeze(), np.asarray(image).squeeze())
        read += 1
    assert read > 8
