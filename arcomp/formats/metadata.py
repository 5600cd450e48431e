"""What a picture's file says besides its pixels, as far as other formats have room for it."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from arcomp.formats import png

_XMP = b"XML:com.adobe.xmp"
_EXIF = b"Exif\0\0"
_LIMIT = 1 << 24
"""Most bytes of a profile or a text, unpacked."""

_TEXTS_OF_TIFF = {270: "Description", 305: "Software", 315: "Author", 33432: "Copyright"}
_EXIF_OF_TIFF = (271, 272, 274, 282, 283, 296, 306)
"""Maker, model, orientation, resolution and time: what Exif has, too."""


@dataclass(frozen=True)
class Metadata:
    """What is known about a picture.

    Attributes:
        icc: a colour profile.
        exif: Exif, from its byte order mark on.
        xmp: XMP, in UTF-8.
        text: texts by their keywords.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    text: Mapping[str, str] = field(default_factory=dict)


NONE = Metadata()


def read_metadata(data: bytes) -> Metadata:
    """What a picture's file says besides its pixels; what is damaged is left out.

    Args:
        data: the whole file.
    """
    return _of_png(data) if data.startswith(png.SIGNATURE) else _by_pillow(data)


def _of_png(data: bytes) -> Metadata:
    found: dict[str, bytes] = {}
    text: dict[str, str] = {}
    for chunk in png.chunks_of(data):
        body = data[chunk.body]
        if chunk.kind == b"eXIf":
            found.setdefault("exif", body.removeprefix(_EXIF))
        elif chunk.kind == b"iCCP":
            _, _, packed = body.partition(b"\0")
            if profile := _inflated(packed[1:]):
                found.setdefault("icc", profile)
        elif chunk.kind in (b"tEXt", b"zTXt", b"iTXt"):
            for key, value in _texts(chunk.kind, body):
                if key == _XMP:
                    found.setdefault("xmp", value)
                else:
                    decoded = value.decode("utf-8" if chunk.kind == b"iTXt" else "latin-1", "replace")
                    text.setdefault(key.decode("latin-1"), decoded)
    return Metadata(found.get("icc"), found.get("exif"), found.get("xmp"), text)


def _texts(kind: bytes, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keyword and the text of a chunk, if it is sound."""
    key, _, rest = body.partition(b"\0")
    value: bytes | None = rest
    if kind == b"zTXt":
        value = _inflated(rest[1:])
    elif kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        value = _inflated(rest) if packed else rest
    if key and value is not None:
        yield key, value


def _inflated(packed: bytes) -> bytes | None:
    """What is in a stream of zlib; None if it is damaged or too large."""
    inflater = zlib.decompressobj()
    try:
        made = inflater.decompress(packed, _LIMIT)
    except zlib.error:
        return None
    return made if inflater.eof else None


def _by_pillow(data: bytes) -> Metadata:
    """Of other formats; the pixels are not decoded."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                return _opened(image, Image)
        except Exception:  # Pillow raises nearly anything at files that it does not know, or damaged ones
            return NONE


def _opened(image: Any, module: Any) -> Metadata:
    info, text = image.info, {}
    exif, xmp, comment = info.get("exif"), info.get("xmp"), info.get("comment")
    if image.format == "TIFF":
        tags, kept = image.tag_v2, module.Exif()
        text = {name: str(tags[tag]) for tag, name in _TEXTS_OF_TIFF.items() if tag in tags}
        for tag in _EXIF_OF_TIFF:
            if tag in tags:
                kept[tag] = tags[tag]
        exif, xmp = kept.tobytes() if len(kept) else None, tags.get(700)
    if comment:
        text["Comment"] = comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)
    profile = info.get("icc_profile")
    return Metadata(profile or None, exif.removeprefix(_EXIF) if exif else None, bytes(xmp) if xmp else None, text)
