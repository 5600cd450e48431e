"""Pictures that are refused, each for its reason, and files that are damaged."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import arcomp
from arcomp.errors import PictureError
from arcomp.formats import read
from arcomp.formats.conversion import converted
from arcomp.formats.png import SIGNATURE
from tests.unit.picture_files import (
    GRAY,
    LARGE,
    RGB,
    chunk,
    interlaced,
    interlaced_png,
    png,
    refusal,
    saved,
    tiff_rgb,
)
from tests.unit.tiff_files import page_of, tiff_of


class TestRefusedKinds:
    @pytest.mark.parametrize("mode", ["F", "I"])
    def test_tiff_modes(self, mode: str) -> None:
        assert "16 bits; " in refusal(saved(GRAY, "TIFF", mode))

    @pytest.mark.parametrize("start", [b"Pf 1 1 -1\n", b"PF 1 1 -1\n"])
    def test_other_pnm(self, start: bytes) -> None:
        assert "not supported" in refusal(start)

    def test_bmp(self) -> None:
        packed = bytearray(saved(GRAY, "BMP"))
        packed[30] = 1
        assert "compression 1" in refusal(bytes(packed))

    def test_more_than_one_picture(self) -> None:
        frames = [Image.fromarray(RGB[::-1])]
        assert "animated" in refusal(saved(RGB, "WEBP", save_all=True, append_images=frames, lossless=True))
        assert "2 pictures" in refusal(saved(RGB, "GIF", save_all=True, append_images=frames))

    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (b"", "empty"),
            (b"\x89ARC\r\n\x1a\n" + bytes(40), "arcomp file"),
            (b"GIF89a" + bytes(40), "a damaged GIF"),
            (b"\0\0\1\0" + bytes(40), "an icon file"),
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
        assert line == ("JPEG does not store its pixels exactly; convert it to PNG first")
        assert "pixels exactly" in refusal(saved(LARGE, "WEBP"))
        assert "pixels exactly" in refusal(saved(LARGE, "TIFF", compression="jpeg"))

    @pytest.mark.parametrize(("form", "options"), [("JPEG", {}), ("WEBP", {}), ("TIFF", {"compression": "jpeg"})])
    def test_is_read_when_asked(self, form: str, options: dict[str, Any]) -> None:
        data = saved(LARGE, form, **options)
        picture = read(data, allow_lossy=True)
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(picture.pixels[0], np.asarray(image))

    @pytest.mark.parametrize("compression", [2, 34712, 34887, 34925, 34933, 50000, 50001, 50002])
    def test_what_is_not_read_is_not_called_damaged(self, compression: int) -> None:
        data = tiff_of(page_of(RGB)._replace(blocks=[b"what it is packed to"]))
        data = data.replace(struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, compression))
        for lossy in (False, True):
            line = refusal(data, allow_lossy=lossy)
            assert "is not supported; save it again, uncompressed or with deflate" in line
            assert "damaged" not in line

    def test_libtiff_says_nothing_itself(self, capfd: pytest.CaptureFixture[str]) -> None:
        data = saved(LARGE, "TIFF", compression="jpeg")
        assert "damaged" in refusal(data.replace(b"\xff\xdb", b"\xff\xfe"), allow_lossy=True)
        assert capfd.readouterr() == ("", "")
        os.write(2, b"and then it may")
        assert capfd.readouterr() == ("", "and then it may")

    def test_a_height_after_the_scan(self) -> None:
        plain = self.JPEG
        at = plain.index(b"\xff\xc0") + 5
        lines = b"\xff\xdc\0\4" + plain[at : at + 2]
        data = plain[:at] + b"\0\0" + plain[at + 2 : -2] + lines + plain[-2:]
        assert np.array_equal(read(data, allow_lossy=True).pixels, read(plain, allow_lossy=True).pixels)
        assert "damaged" in refusal(data.replace(lines, b""), allow_lossy=True)

    @pytest.mark.parametrize(("frame", "bits", "words"), [(0xC1, 12, "of 12 bits"), (0xC3, 8, "in a rare way")])
    def test_kinds_of_jpeg(self, frame: int, bits: int, words: str) -> None:
        data = self.JPEG.replace(b"\xff\xc0\0\x11\x08", bytes([0xFF, frame, 0, 0x11, bits]))
        assert f"{words} is not supported" in refusal(data, allow_lossy=True)

    def test_cmyk_jpeg_is_refused_still(self) -> None:
        assert "CMYK" in refusal(saved(LARGE, "JPEG", "CMYK"), allow_lossy=True)


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
        end = 12 if form == "PNG" else 0  # a PNG that lacks nothing but its end is read
        for size in range(len(data) - end):
            refusal(data[:size])

    def test_every_bit_of_a_png(self) -> None:
        """Pixels are refused, or they are the right ones."""
        data = png(RGB, chunks=[chunk(b"tEXt", b"key\0value")])
        refused = 0
        for at in range(len(data)):
            for mask in (1, 0x20, 0x80):
                damaged = bytearray(data)
                damaged[at] ^= mask
                try:
                    np.testing.assert_array_equal(read(bytes(damaged)).pixels[0], RGB)
                except PictureError:
                    refused += 1
        assert refused > 3 * (len(data) - 50)

    def test_png_of_too_few_rows(self) -> None:
        for rows in range(11):
            assert "no whole picture" in refusal(png(RGB, rows=rows))

    def test_png_whose_stream_is_not_finished(self) -> None:
        raw = zlib.compress(b"".join(b"\0" + row.tobytes() for row in RGB))
        whole, header = png(RGB), chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, 8, 2, 0, 0, 0))
        for size in range(len(raw)):
            data = whole[:8] + header + chunk(b"IDAT", raw[:size]) + chunk(b"IEND", b"")
            assert "damaged PNG" in refusal(data)
        wrong = raw[:-1] + bytes([raw[-1] ^ 1])
        assert "checksum" in refusal(whole[:8] + header + chunk(b"IDAT", wrong) + chunk(b"IEND", b""))

    def test_interlaced_png_of_every_small_size(self) -> None:
        for height in range(1, 10):
            for width in range(1, 10):
                raw = interlaced(RGB[:height, :width])
                np.testing.assert_array_equal(read(interlaced_png(width, height, raw)).pixels[0], RGB[:height, :width])
                assert "no whole" in refusal(interlaced_png(width, height, raw[:-1]))

    def test_png_with_parts_missing(self) -> None:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, 8, 2, 0, 0, 0))
        data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in RGB)))
        end, start = chunk(b"IEND", b""), b"\x89PNG\r\n\x1a\n"
        read(start + header + data + end)
        assert "no whole picture" in refusal(start + header + end)
        refusal(start + data + end)

    def test_tiff_with_parts_missing(self) -> None:
        for tag, value in (
            ("t278", ("H", (6,))),
            ("t273", ("I", (0,))),
            ("t273", ("I", (900,))),
            ("t279", ("I", (428,))),
        ):
            changed: dict[str, Any] = {tag: value}
            assert "damaged" in refusal(tiff_rgb(RGB, **changed))

    @pytest.mark.parametrize("text", [b"1 2 3 x", b"1 2 3 -4", b"1 2 3 256", b"1 2 3"])
    def test_plain_samples(self, text: bytes) -> None:
        assert "damaged" in refusal(b"P2 2 2 255\n" + text)
        assert "save it as a raw picture" in refusal(b"P2 2 2 255\n1 2 3 0004")

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
        assert form == "PNG" or picture.pixels.dtype == np.uint8
        assert form == "PNG" or picture.pixels[0].shape[2] in (1, 3)


class TestSize:
    @pytest.mark.parametrize("size", [(1 << 15, (1 << 15) + 1), ((1 << 31) - 1, (1 << 31) - 1)])
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
        (tmp_path / "a.png").write_bytes(png(RGB)[:-13])
        for name, word in (("a.png", "damaged"), ("none.png", "does not exist"), (".", "is a directory")):
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


@pytest.mark.parametrize("length", [7, 10, 771])
def test_palettes_of_odd_length(length: int) -> None:
    """The file comes back; its colours are nobody's to say, so it is not read as a picture."""
    data = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 1, 8, 3, 0, 0, 0))
    data += chunk(b"PLTE", bytes(length)) + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")
    assert arcomp.restore(arcomp.compress(data, "histogram")) == data
    with pytest.raises(PictureError, match="its palette has a length that no palette has"):
        arcomp.open(data)
    for ending in ("bmp", "ppm", "tif"):
        with pytest.raises(PictureError, match="its palette has a length that no palette has"):
            converted(data, ending)
