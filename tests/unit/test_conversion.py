"""One picture's file as another's: what the other can hold it holds; what not is named, or refused if pixels would be
others."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from arcomp.errors import ArcompError, OutputError, PictureError
from arcomp.formats import read, write
from arcomp.formats.conversion import converted
from arcomp.formats.metadata.reading import read_metadata
from arcomp.samples import Samples, of_array
from tests.unit.picture_files import GRAY, RGB, chunk, png, saved
from tests.unit.test_bmp import bitmap, colours
from tests.unit.test_ico import bitmap as of_icon
from tests.unit.test_ico import colours as colours_of_icon
from tests.unit.test_ico import icon

RANDOM = np.random.default_rng(9)
RGBA = RANDOM.integers(0, 256, (11, 13, 4), dtype=np.uint8)
PROFILE = b"p" * 200
SHORT, FLOAT, DOUBLE, XMP = 3, 11, 12, 700


def seen(data: bytes) -> npt.NDArray[np.uint8]:
    """What a picture looks like to Pillow: uint8 [H, W, 4]."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def tiff(pixels: npt.NDArray[Any], *tags: tuple[int, int, bytes], gap: bytes = b"") -> bytes:
    """An uncompressed TIFF of 8 bits; tags are (tag, type, values in little endian)."""
    height, width, channels = pixels.shape
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 11: 4, 12: 8}
    own = [
        (256, 4, struct.pack("<I", width)), (257, 4, struct.pack("<I", height)),
        (258, 3, struct.pack("<H", 8) * channels), (262, 3, struct.pack("<H", 2)),
        (273, 4, struct.pack("<I", 8)), (277, 3, struct.pack("<H", channels)),
        (278, 4, struct.pack("<I", height)), (279, 4, struct.pack("<I", pixels.size)),
    ]  # fmt: skip
    body = pixels.tobytes() + bytes(pixels.size % 2) + gap
    entries = b""
    for tag, kind, values in sorted([*own, *tags]):
        place = values.ljust(4, b"\0")
        if len(values) > 4:
            place = struct.pack("<I", 8 + len(body))
            body += values + bytes(len(values) % 2)
        entries += struct.pack("<HHI", tag, kind, len(values) // sizes[kind]) + place
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(body))
        + body
        + struct.pack("<H", len(own) + len(tags))
        + entries
        + bytes(4)
    )


class TestPixelsThatWouldChange:
    def test_white_that_is_not_the_largest_sample(self) -> None:
        data = b"P5\n# a word\n3 1\n200\n" + bytes([0, 100, 200])
        for ending in ("png", "bmp", "tif", "webp"):
            with pytest.raises(OutputError, match="200 is white"):
                converted(data, ending)
        made = converted(data, "pam")
        assert b"MAXVAL 200\n" in made.data
        assert made.data.startswith(b"P7\n# a word\n")
        assert made.lost == ()
        assert converted(data, "npy").lost == ("maximum value", "text")
        several = data + b"P5 3 1 210 " + bytes([0, 100, 200])
        for ending in ("tif", "pam"):
            with pytest.raises(OutputError, match=r"another number|different maximum"):
                converted(several, ending)

    def test_colours_that_are_multiplied_by_opacity(self) -> None:
        opacity = (338, 3, struct.pack("<H", 1))
        for ending in ("png", "webp", "npy"):
            with pytest.raises(PictureError, match="multiplied by opacity"):
                converted(tiff(RGBA, opacity), ending)
        assert np.array_equal(seen(converted(tiff(RGBA, (338, 3, b"\2\0")), "png").data), RGBA)

    def test_negative_numbers(self) -> None:
        values = RGB.view(np.int8)
        data = write(of_array(values), "npy")
        with pytest.raises(OutputError, match="negative"):
            converted(data, "png")
        assert np.array_equal(read(converted(data, "npz").data).array, values)

    @pytest.mark.parametrize("size", [40, 108, 124])
    def test_bits_that_mean_nothing(self, size: int) -> None:
        """The fourth byte is no opacity, whatever the header, unless a mask says so."""
        data = bitmap(colours(RGBA), 32, size=size)
        made = converted(data, "png")
        assert np.array_equal(seen(made.data), seen(data))
        assert made.lost == ("reserved bits",)

    @pytest.mark.parametrize("bits", [4, 8, 24, 32])
    def test_masks_of_icons(self, bits: int) -> None:
        """They are opacity, unless there is some already."""
        hidden = RANDOM.integers(0, 2, (9, 13)).astype(bool)
        mask = np.packbits(np.pad(hidden, ((0, 0), (0, 19))), axis=1)[::-1].tobytes()
        stride = -(-13 * bits // 32) * 4
        rows = RANDOM.integers(0, 256, (9, stride), dtype=np.uint8)
        rows[:, 13 * bits // 8 :] = 0
        if bits == 32:
            rows[:, 3::4] = 0
        palette = RANDOM.bytes(4 << bits) if bits <= 8 else b""
        data = icon(of_icon(rows.tobytes(), 13, 9, bits, palette, mask))
        made = converted(data, "png")
        assert made.lost == ()
        alpha = seen(made.data)[..., 3]
        assert np.array_equal(alpha == 0, hidden)
        assert set(np.unique(alpha)) == {0, 255}

    def test_gif_whose_picture_does_not_fill_its_screen(self) -> None:
        data = bytearray(saved(GRAY, "GIF"))
        struct.pack_into("<HH", data, 6, 20, 20)
        with pytest.raises(PictureError, match="screen"):
            converted(bytes(data), "png")

    def test_opacity_that_webp_leaves_out(self) -> None:
        opaque = RGBA.copy()
        opaque[..., 3] = 255
        made = converted(png(opaque), "webp")
        assert made.lost == ("opacity, which is full everywhere",)
        assert np.array_equal(seen(made.data), opaque)
        assert converted(png(RGBA), "webp").lost == ()


class TestWhatIsNamed:
    def test_bytes_in_a_packed_stream(self) -> None:
        """Those after an array's numbers, not its header before them."""
        for tail in (b"", b"more"):
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
                made.writestr("arr_0.npy", write(of_array(GRAY), "npy") + tail)
            assert ("data after its pixels" in converted(archive.getvalue(), "png").lost) == bool(tail)

    def test_further_pictures(self) -> None:
        small = np.zeros((2, 3, 3), np.uint16)
        archive = io.BytesIO()
        np.savez(archive, arr_0=RGB, other=small)
        assert converted(archive.getvalue(), "npy").lost == ("names of arrays", "1 further picture")
        with zipfile.ZipFile(archive, "a") as made:
            made.writestr("notes.txt", "a note")
        assert "what is no array of pictures" in read_metadata(archive.getvalue()).others
        both = icon(png(RGB), png(RGBA))
        assert np.array_equal(read(both).stacks[0][1], RGBA)  # pictures of two kinds, both seen
        wide = png(np.zeros((4, 2, 3), np.uint16), depth=16)
        assert converted(icon(png(RGB), wide), "png").lost == ("1 further picture",)

    def test_of_cursors(self) -> None:
        data = bytearray(icon(png(RGBA), start=b"\0\0\2\0"))
        assert converted(bytes(data), "png").lost == ()
        data[6 + 4] = 7
        assert converted(bytes(data), "png").lost == ("hotspot",)

    def test_mask_beside_opacity(self) -> None:
        body = of_icon(colours_of_icon(RGBA), 13, 11, 32, mask=b"\xff" * 44)
        made = converted(icon(body), "png")
        assert np.array_equal(seen(made.data), RGBA)
        assert made.lost == ("mask",)

    @pytest.mark.parametrize(
        ("fields", "lost"),
        [
            ({}, ()),
            ({96: b"x"}, ("gamma",)),
            ({60: b"x"}, ("colour endpoints",)),
            ({108: b"\4"}, ("rendering intent",)),
            ({56: b"BGRs"}, ("sRGB",)),
            ({56: b"KNIL"}, ("linked profile",)),
            ({36: b"\3"}, ("important colours",)),
        ],
    )
    def test_fields_of_bmp(self, fields: dict[int, bytes], lost: tuple[str, ...]) -> None:
        data = bytearray(bitmap(colours(RGB), 24, size=124))
        for at, value in fields.items():
            data[14 + at : 14 + at + len(value)] = value
        assert converted(bytes(data), "png").lost == lost
        data[6] = 1
        assert converted(bytes(data), "png").lost == ("reserved fields", *lost)

    def test_what_gif_says(self) -> None:
        def extension(kind: int, *blocks: bytes) -> bytes:
            return bytes([0x21, kind]) + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"

        plain = saved(GRAY, "GIF")
        begin = plain.index(b"\x2c\0\0\0\0")
        trailer = bytes([1, *range(255, -1, -1)])
        pieces = [
            (b"\x21\xff\x0bXMP DataXMP<x:xmpmeta/>" + trailer + b"\0", "XMP"),
            (extension(0x01, b"x" * 12, b"words"), "plain text"),
            (extension(0xF9, b"\0\x05\0\0"), "delay"),
            (extension(0xFF, b"NETSCAPE2.0", b"\1\0\0"), "number of loops"),
            (extension(0xFF, b"MYOWNAPP1.0", b"x"), "MYOWNAPP extension"),
            (extension(0x77, b"x"), "extension 119"),
            (extension(0xFE, b"a comment"), "text"),
        ]
        for piece, name in pieces:
            made = converted(plain[:begin] + piece + plain[begin:], "bmp")
            assert made.lost == (name,)
        data = bytearray(plain)
        data[12] = 113
        assert read_metadata(bytes(data)).aspect == (64, 128)
        assert read_metadata(converted(bytes(data), "png").data).aspect == (64, 128)
        assert converted(bytes(data), "bmp").lost == ("shape of pixels",)

    def test_segments_of_jpeg(self) -> None:
        plain = saved(RGB, "JPEG")
        for marker, body, name in (
            (0xEB, b"JP\0\1", "content credentials"), (0xE5, b"x", "APP5 segment"), (0xFE, b"one", ""),
            (0xE1, b"http://ns.adobe.com/xmp/extension/\0", "extended XMP"), (0xE2, b"MPF\0", "further pictures"),
        ):  # fmt: skip
            segment = bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body
            assert converted(plain[:2] + segment + plain[2:], "png").lost == ((name,) if name else ())
            if not name:  # comments, as many as there are
                data = plain[:2] + segment + segment.replace(b"one", b"two") + plain[2:]
                assert read_metadata(converted(data, "png").data).text == (("Comment", "one"), ("Comment", "two"))

    def test_chunks_of_webp(self) -> None:
        data = saved(RGB, "WEBP", lossless=True, xmp=b"<x/>")
        data += b"abcd" + struct.pack("<I", 3) + b"xyz\0"
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
        assert converted(data, "png").lost == ("'abcd' chunk",)

    @pytest.mark.parametrize(
        ("tag", "kind", "values", "lost"),
        [
            (280, 3, [0, 0, 0], ()),
            (280, 3, [1, 0, 0], ("MinSampleValue",)),
            (281, 3, [255, 255, 255], ()),
            (281, 3, [200, 255, 255], ("MaxSampleValue",)),
            (291, 3, [1, 2], ("GrayResponseCurve",)),
            (297, 3, [1, 3], ("PageNumber",)),
            (532, 5, [1, 1, 2, 1], ("ReferenceBlackWhite",)),
            (274, 3, [1], ()),
            (274, 3, [6], ("Exif", "orientation")),
            (274, 11, [6.0], ("Exif", "orientation")),
            (274, 12, [3.0], ("Exif", "orientation")),
            (301, 3, [1, 2, 3], ("Exif",)),
            (50000, 4, [7, 8, 9], ("Exif",)),
            (50001, 99, [7], ("TIFF tag 50001 (damaged)",)),
            (270, 2, [65, 0], ("text",)),
        ],
    )
    def test_tags_of_tiff(self, tag: int, kind: int, values: list[Any], lost: tuple[str, ...]) -> None:
        letter = {2: "B", 3: "H", 4: "I", 5: "I", 11: "f", 12: "d", 99: "I"}[kind]
        known = kind if kind != 99 else 4
        data = tiff(RGB, (tag, known, struct.pack(f"<{len(values)}{letter}", *values)))
        if kind == 99:
            data = data.replace(struct.pack("<HH", tag, known), struct.pack("<HH", tag, kind))
        assert converted(data, "ppm").lost == lost
        if set(lost) & {"Exif", "text"}:  # for which PNG has room
            assert converted(data, "png").lost == ()

    def test_bytes_of_a_tiff_that_no_tag_points_to(self) -> None:
        assert converted(tiff(RGB), "png").lost == ()
        assert converted(tiff(RGB, gap=b"hidden"), "png").lost == ("7 bytes of no known meaning",)

    def test_comments_of_pnm(self) -> None:
        raster = b"##" * 6
        assert converted(b"P6 1 2 65535\n" + raster, "png").lost == ()
        data = b"P6#one\n 1 #two\n 2 65535\n" + raster
        assert read_metadata(converted(data, "png").data).text == (("Comment", "one"), ("Comment", "two"))
        assert converted(data, "npy").lost == ("text",)

    def test_palettes_and_bytes_between_pixels(self) -> None:
        indices = png(GRAY % 4, colour=3, chunks=[chunk(b"PLTE", bytes(range(12)))])
        assert converted(indices, "bmp").lost == ()
        assert converted(indices, "ppm").lost == ("palette",)
        lacking = png(GRAY % 5, colour=3, chunks=[chunk(b"PLTE", bytes(range(12)))])
        assert converted(lacking, "bmp").lost == ()
        for ending in ("tif", "webp", "pam", "ppm"):
            with pytest.raises(OutputError, match="colours that its palette lacks"):
                converted(lacking, ending)
        rows = np.pad(colours(RGB)[:, :39], ((0, 0), (0, 1)), constant_values=1)
        assert converted(bitmap(rows, 24), "png").lost == ("padding of rows",)


def test_resolution_and_profile_of_bmp() -> None:
    data = saved(RGB, "PNG", icc_profile=PROFILE, dpi=(300, 150))
    made = converted(data, "bmp")
    assert made.lost == ()
    assert np.array_equal(seen(made.data), seen(data))
    back = read_metadata(converted(made.data, "png").data)
    assert (back.icc, back.resolution) == (PROFILE, (11811, 5906))


def test_shape_of_pixels() -> None:
    data = png(RGB, chunks=[chunk(b"pHYs", struct.pack(">IIB", 3, 2, 0))])
    for ending, lost in (("tif", ()), ("bmp", ("shape of pixels",))):
        assert converted(data, ending).lost == lost
    assert read_metadata(converted(converted(data, "tif").data, "png").data).aspect == (3, 2)


def test_texts_that_tiff_has_tags_for() -> None:
    data = png(RGB, chunks=[chunk(b"tEXt", b"Author\0me"), chunk(b"tEXt", b"Description\0this")])
    assert converted(data, "tif").lost == ()
    data = png(RGB, chunks=[chunk(b"tEXt", b"Author\0me"), chunk(b"tEXt", b"Author\0you")])
    assert converted(data, "tif").lost == ("text",)


def test_what_was_made_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that fails is noticed."""
    monkeypatch.setattr(
        "arcomp.formats.conversion.write", lambda samples, ending, about: write(Samples.of(RGB[None] ^ 1), ending)
    )
    with pytest.raises(ArcompError, match="other pixels"):
        converted(png(RGB), "bmp")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
@pytest.mark.parametrize("kind", [SHORT, FLOAT, DOUBLE, XMP])
def test_pictures_are_not_turned(compression: str, kind: int) -> None:
    """Whatever the type of the tag, and where it stands: readers that turn them are told nothing of it."""
    tags = ImageFileDirectory_v2()
    if kind == XMP:
        tags[XMP] = b'<rdf:Description tiff:Orientation="6"/>'
    else:
        tags[274] = 6
        tags.tagtype[274] = kind
    data = saved(RGB, "TIFF", compression=compression, tiffinfo=tags)
    plain = saved(RGB, "TIFF", compression=compression)
    assert np.array_equal(read(data, allow_lossy=True).pixels, read(plain, allow_lossy=True).pixels)
