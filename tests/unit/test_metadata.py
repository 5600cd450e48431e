"""Metadata goes along where a picture becomes another file."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pytest
from PIL import Image

from arcomp.formats.conversion import converted
from arcomp.formats.metadata import NONE, Metadata, read_metadata
from tests.unit.picture_files import RGB, chunk, png, saved

PROFILE = b"p" * 200
XMP = b"<x:xmpmeta/>"


def exif() -> Image.Exif:
    made = Image.Exif()
    made[271] = "camera"
    return made


EXIF = exif().tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {})])
@pytest.mark.parametrize("ending", ["png", "webp"])
def test_of_what_pillow_writes(form: str, options: dict[str, Any], ending: str) -> None:
    data = saved(RGB, form, icc_profile=PROFILE, exif=exif(), xmp=XMP, **options)
    about = read_metadata(data)
    assert (about.icc, about.exif) == (PROFILE, EXIF)
    if form != "PNG":  # for which Pillow writes none
        assert about.xmp == XMP
    assert read_metadata(converted(data, ending).data) == about


def test_of_tiff() -> None:
    data = saved(RGB, "TIFF", icc_profile=PROFILE, tiffinfo={270: "a text", 271: "camera", 274: 6, 700: XMP})
    about = read_metadata(data)
    assert (about.icc, about.xmp, about.text) == (PROFILE, XMP, {"Description": "a text"})
    made = converted(data, "png").data
    assert read_metadata(made) == about
    with Image.open(io.BytesIO(made)) as image:
        assert (image.getexif()[271], image.getexif()[274]) == ("camera", 6)


def test_comments() -> None:
    assert read_metadata(saved(RGB, "JPEG", comment=b"caf\xe9")).text == {"Comment": "caf\xe9"}


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
    assert about == Metadata(xmp=XMP, text={"A": "caf\xe9", "B": "b", "C": "\u03c0"})


@pytest.mark.parametrize(
    "broken",
    [
        chunk(b"tEXt", b""),
        chunk(b"zTXt", b"B\0\0xx"),
        chunk(b"zTXt", b"B\0\0" + zlib.compress(bytes(1 << 25))),
        chunk(b"iTXt", b"C\0\1"),
        chunk(b"iCCP", b"name"),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(PROFILE)[:9]),
    ],
)
def test_what_is_damaged_is_left_out(broken: bytes) -> None:
    assert read_metadata(png(RGB, chunks=[broken])) == NONE


@pytest.mark.parametrize("data", [b"", b"x" * 50, saved(RGB, "JPEG")[:30], saved(RGB, "TIFF")[:30], png(RGB)[:9]])
def test_no_picture(data: bytes) -> None:
    assert read_metadata(data) == NONE
