"""What files say besides pixels: all of it becomes a field or is named, and goes along where there is room for it."""

from __future__ import annotations

import io
import struct
import time
import warnings
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from arcomp.errors import ArcompError
from arcomp.formats.conversion import converted
from arcomp.formats.metadata.exif import entries_of
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.metadata.reading import read_metadata
from tests.unit.picture_files import GRAY, RGB, chunk, png, saved
from tests.unit.test_bmp import bitmap
from tests.unit.tiff_files import page_of, tiff_of

PROFILE = b"p" * 200
XMP = b"<x:xmpmeta/>"
PACKED = zlib.compress(PROFILE)


def exif(orientation: Any = 6) -> Image.Exif:
    made = Image.Exif()
    made[271], made[274], made[0x8769] = "camera", orientation, {33434: IFDRational(1, 60)}
    return made


EXIF = exif().tobytes().removeprefix(b"Exif\0\0")


def said(data: bytes, ending: str) -> tuple[str, ...]:
    """What of a file another one does not say. Nobody writes to the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return converted(data, ending).lost


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {})])
@pytest.mark.parametrize("ending", ["png", "webp"])
def test_of_what_pillow_writes(form: str, options: dict[str, Any], ending: str) -> None:
    data = saved(RGB, form, icc_profile=PROFILE, exif=exif(), xmp=XMP, **options)
    about = read_metadata(data)
    assert (about.icc, about.exif) == (PROFILE, EXIF)
    if form != "PNG":  # for which Pillow writes none
        assert about.xmp == XMP
    assert read_metadata(converted(data, ending).data) == about
    assert said(data, ending) == ()


def test_of_tiff() -> None:
    data = saved(RGB, "TIFF", icc_profile=PROFILE, tiffinfo={270: "a text", 271: "camera", 274: 6, 700: XMP})
    about = read_metadata(data)
    assert (about.icc, about.xmp, about.text) == (PROFILE, XMP, (("Description", "a text"),))
    made = converted(data, "png").data
    assert read_metadata(made) == about
    with Image.open(io.BytesIO(made)) as image:
        assert (image.getexif()[271], image.getexif()[274]) == ("camera", 6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_as_tags_of_tiff(order: str) -> None:
    source = exif()
    source.endian = order
    data = saved(RGB, "PNG", exif=source)
    made = converted(data, "tif").data
    assert said(data, "tif") == ()
    about = read_metadata(made)
    assert about.exif is not None
    assert entries_of(about.exif) == entries_of(read_metadata(data).exif or b"")
    with Image.open(io.BytesIO(made)) as image:
        assert image.getexif()[274] == 6
        assert float(image.getexif().get_ifd(0x8769)[33434]) == 1 / 60


def test_comments() -> None:
    assert read_metadata(saved(RGB, "JPEG", comment=b"caf\xe9")).text == (("Comment", "caf\xe9"),)
    assert read_metadata(saved(GRAY, "GIF", comment=b"caf\xe9")).text == (("Comment", "caf\xe9"),)


def test_texts_of_png() -> None:
    packed = zlib.compress("\u03c0".encode())
    chunks = [
        chunk(b"tEXt", b"A\0caf\xe9"),
        chunk(b"tEXt", b"A\0again"),
        chunk(b"zTXt", b"B\0\0" + zlib.compress(b"b")),
        chunk(b"iTXt", b"C\0\1\0de\0c\0" + packed),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)),
    ]
    about = read_metadata(png(RGB, chunks=chunks))
    assert about == Metadata(xmp=XMP, text=(("A", "caf\xe9"), ("A", "again"), ("B", "b"), ("C", "\u03c0")))


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (chunk(b"tEXt", b""), "tEXt chunk (damaged)"),
        (chunk(b"zTXt", b"B\0\0xx"), "zTXt chunk (damaged)"),
        (chunk(b"zTXt", b"B\0\0" + zlib.compress(bytes(1 << 25))), "zTXt chunk (damaged)"),
        (chunk(b"iTXt", b"C\0\1"), "iTXt chunk (damaged)"),
        (chunk(b"iCCP", b"name"), "ICC profile (damaged)"),
        (chunk(b"iCCP", b"name\0\0" + PACKED[:9]), "ICC profile (damaged)"),
        (chunk(b"tEXt", b"A\0b")[:-1] + b"x", "tEXt chunk (damaged)"),
        (chunk(b"pHYs", bytes(9)), "resolution"),
        (chunk(b"pHYs", struct.pack(">IIB", 1, 2, 7)), "resolution (damaged)"),
        (chunk(b"sRGB", b"\0"), "sRGB"),
        (chunk(b"gAMA", (45455).to_bytes(4, "big")), "gamma"),
        (chunk(b"tIME", bytes(7)), "time of change"),
        (chunk(b"PLTE", bytes(6)), "suggested palette"),
        (chunk(b"sPLT", bytes(6)), "suggested palette"),
        (chunk(b"vpAg", bytes(9)), "vpAg chunk"),
    ],
)
def test_every_chunk_of_a_png_is_a_field_or_named(broken: bytes, name: str) -> None:
    assert read_metadata(png(RGB, chunks=[broken])) == Metadata(others=(name,))


def test_what_lies_after_a_picture() -> None:
    for data in (png(RGB), saved(RGB, "JPEG"), saved(GRAY, "GIF"), saved(RGB, "WEBP", lossless=True), b"P5 1 1 255 x",
                 saved(RGB, "BMP"), saved(RGB, "ICO"), saved(RGB, "ICNS"), saved(RGB, "TIFF")):  # fmt: skip
        assert read_metadata(data).others == ()
        assert read_metadata(data + bytes(9)).others == ()
        assert read_metadata(data + b"P5 or not").others == ("9 bytes of no known meaning",)


@pytest.mark.parametrize("data", [b"", b"x" * 50, saved(RGB, "JPEG")[:30], saved(RGB, "TIFF")[:30], png(RGB)[:9]])
def test_no_picture(data: bytes) -> None:
    assert read_metadata(data).missing_in(NONE) in ((), ("1 byte of no known meaning",))


def test_resolution_beyond_all_numbers() -> None:
    data = tiff_of(page_of(RGB, t282=(12, [1e308]), t283=(12, [1e308])))
    assert said(data, "png") == ("resolution",)


def test_low_bytes_of_a_palette() -> None:
    """Colours of 16 bits are taken by their high bytes: what is in the low ones is named, unless they say the same."""
    fine = np.arange(768).reshape(3, 256) % 50 * 1000 + 77
    for colours, names in ((fine, ("low bytes of its palette",)), (fine >> 8 << 8, ()), ((fine >> 8) * 257, ())):
        data = tiff_of(page_of(GRAY, t262=3, t320=(3, colours.ravel().tolist())))
        assert (said(data, "tif"), said(data, "png")) == (names, names)


@pytest.mark.parametrize(("size", "compression"), [(52, 3), (56, 3), (56, 0)])
def test_masks_in_the_header_of_a_bmp(size: int, compression: int) -> None:
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000 if compression else 0)
    rows = np.tile(np.array([9, 8, 7, 0 if size == 52 else 9 * compression], np.uint8), (2, 3))
    assert said(bitmap(rows, 32, size=size, compression=compression, inside=masks), "tif") == ()
    assert said(bitmap(rows % 2, 8, size=52, inside=b"\1", palette=bytes(1024)), "png") == ("fields of OS/2",)


def test_comments_in_many_blocks() -> None:
    """In linear time."""
    data = saved(GRAY, "GIF")
    comment = b"!\xfe" + b"\1x" * 1_000_000 + b"\0"
    begin = time.process_time()
    assert read_metadata(data[:-1] + comment + b";").text == (("Comment", "x" * 1_000_000),)
    assert time.process_time() - begin < 4


WHOLE = (
    png(RGB, chunks=[chunk(b"iCCP", b"a\0\0" + PACKED), chunk(b"iTXt", b"C\0\1\0de\0c\0" + PACKED)]),
    saved(RGB, "TIFF", icc_profile=PROFILE, tiffinfo={270: "a text", 274: 6}, dpi=(72, 72)),
    png(RGB, chunks=[chunk(b"eXIf", EXIF)]),
    saved(RGB[:4, :4], "JPEG", exif=exif(), icc_profile=PROFILE, comment=b"x"),
    saved(GRAY[:4, :4], "GIF", comment=b"x"),
    saved(RGB[:4, :4], "WEBP", lossless=True, exif=exif()),
    saved(RGB, "ICO"),
    b"BM" + struct.pack("<IHHI", 140, 0, 0, 138) + struct.pack("<IiiHHI", 124, 1, 1, 1, 24, 0) + bytes(104 + 4),
    b"P5#a\n1 #b\n1 255 x",
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_damage_is_read_or_named(draw: st.DataObject) -> None:
    """Nothing but our own errors, and none where metadata alone is read."""
    data = bytearray(draw.draw(st.sampled_from(WHOLE)))
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(data) - 1))
        if draw.draw(st.booleans()):
            data[at] = draw.draw(st.integers(0, 255))
        else:
            data[at : at + draw.draw(st.integers(0, 3))] = draw.draw(st.binary(max_size=4))
    about = read_metadata(bytes(data))
    assert about.missing_in(about) == ()
    for ending in ("png", "tif", "bmp"):
        with suppress(ArcompError):
            converted(bytes(data), ending)
