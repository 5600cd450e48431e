"""What a picture's file says besides its pixels, as far as other formats have room for it."""

from __future__ import annotations

import importlib
import io
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from arcomp.errors import PictureError
from arcomp.formats import png
from arcomp.formats.kinds import kind_of

ORIENTATION = 274
"""The tag of Exif and TIFF that says how a picture is to be turned."""
_XMP = b"XML:com.adobe.xmp"
_EXIF = b"Exif\0\0"
_LIMIT = 1 << 24
"""Most bytes of a profile or a text, unpacked."""

_TEXTS_OF_TIFF = {270: "Description", 305: "Software", 315: "Author", 33432: "Copyright"}
OF_THE_FILE = {
    *range(254, 260), *range(262, 267), 273, *range(277, 285), 288, 289, 290, 291, 292, 293, 296, 297, 317, 320,
    *range(322, 326), 330, *range(338, 342), 347, *range(512, 522), *range(529, 533), 700, 34675, *_TEXTS_OF_TIFF,
}  # fmt: skip
"""Tags of a TIFF's directory that speak of the file, or are fields here; the others, Exif has too."""
_DIRECTORIES = (0x8769, 0x8825)
"""Tags that hold directories: Exif's own, and the one of places on Earth."""
_PLUGINS = {
    "bmp": "BmpImagePlugin", "gif": "GifImagePlugin", "jpeg": "JpegImagePlugin", "tiff": "TiffImagePlugin",
    "webp": "WebPImagePlugin",
}  # fmt: skip
_INCH = 0.0254
_NAMES = {"icc": "ICC profile", "exif": "Exif", "xmp": "XMP", "text": "text", "resolution": "resolution"}
_SILENT = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"sRGB", b"tIME", b"eXIf", b"iCCP", b"pHYs",
           b"tEXt", b"zTXt", b"iTXt")  # fmt: skip
"""Chunks of a PNG of which nothing is lost, or that are fields here."""
_CHUNKS = {
    b"gAMA": "gamma", b"cHRM": "chromaticities", b"bKGD": "background", b"tRNS": "transparent colour",
    b"sBIT": "significant bits", b"hIST": "frequencies", b"sPLT": "suggested palette", b"cICP": "colour space",
}  # fmt: skip
_GAMMA_OF_SRGB = (45455).to_bytes(4, "big")


@dataclass(frozen=True)
class Metadata:
    """What is known about a picture.

    Attributes:
        icc: a colour profile.
        exif: Exif, from its byte order mark on.
        xmp: XMP, in UTF-8.
        text: texts by their keywords.
        resolution: pixels a metre, across and down.
        others: names of what else there is, which no conversion keeps.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    resolution: tuple[int, int] | None = None
    others: tuple[str, ...] = ()

    @property
    def turned(self) -> bool:
        """Whether Exif says that the picture is to be turned."""
        if not self.exif:
            return False
        try:
            return exif_of(self.exif).get(ORIENTATION, 1) in range(2, 9)
        except Exception:  # Pillow raises nearly anything at damaged files
            return False

    def lost(self, kept: tuple[str, ...]) -> tuple[str, ...]:
        """Names of what a file does not say that keeps some fields only."""
        gone = [name for key, name in _NAMES.items() if getattr(self, key) and key not in kept]
        return (*gone, *(["orientation"] if "exif" not in kept and self.turned else []), *self.others)


NONE = Metadata()


def read_metadata(data: bytes) -> Metadata:
    """What a picture's file says besides its pixels; what is damaged is left out.

    Args:
        data: the whole file.
    """
    if data.startswith(png.SIGNATURE):
        return _of_png(data)
    try:
        kind = kind_of(data[:64])
    except PictureError:
        return NONE
    if kind in _PLUGINS:
        return _by_pillow(data, kind)
    return Metadata(others=("comments",)) if kind == "pnm" and b"#" in data[:32].split(b"255")[0] else NONE


def _of_png(data: bytes) -> Metadata:
    found: dict[str, bytes] = {}
    text: dict[str, str] = {}
    resolution = None
    chunks = list(png.chunks_of(data))
    kinds = {chunk.kind for chunk in chunks}
    others = {"frames"} if b"fdAT" in kinds else set()
    for chunk in chunks:
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
        elif chunk.kind == b"pHYs" and len(body) == 9 and body[8] == 1:
            sides = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
            resolution = sides if all(sides) else None
        elif chunk.kind not in _SILENT and not _usual(chunk.kind, body, kinds):
            others.add(_CHUNKS.get(chunk.kind, f"{chunk.kind.decode('latin-1')} chunk"))
    known = found.get("icc"), found.get("exif"), found.get("xmp")
    return Metadata(*known, text, resolution, tuple(sorted(others)))


def _usual(kind: bytes, body: bytes, kinds: set[bytes]) -> bool:
    """Whether a chunk says nothing: what sRGB means anyhow, or a palette's opacity, which the samples have."""
    if kind == b"tRNS":
        return b"PLTE" in kinds
    return kind in (b"gAMA", b"cHRM") and (b"sRGB" in kinds or body == _GAMMA_OF_SRGB)


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


def _by_pillow(data: bytes, kind: str) -> Metadata:
    """Of other formats; the pixels are not decoded."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module(f"PIL.{_PLUGINS[kind]}")
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                return _opened(image, Image)
        except Exception:  # Pillow raises nearly anything at files that it does not know, or damaged ones
            return NONE


def _opened(image: Any, module: Any) -> Metadata:
    info, text = image.info, {}
    exif, xmp, comment = info.get("exif"), info.get("xmp"), info.get("comment")
    if image.format == "TIFF":
        tags, kept = image.tag_v2, module.Exif()
        text = {name: str(tags[tag]) for tag, name in _TEXTS_OF_TIFF.items() if tag in tags}
        for tag, value in (found := image.getexif()).items():
            if tag not in OF_THE_FILE:
                kept[tag] = found.get_ifd(tag) if tag in _DIRECTORIES else value
        exif, xmp = kept.tobytes() if len(kept) else None, tags.get(700)
    if comment:
        text["Comment"] = comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)
    profile = info.get("icc_profile")
    dots = info.get("dpi") if info.get("jfif_unit", 1) else None
    others = tuple(name for key, name in (("mp", "further pictures"), ("photoshop", "Photoshop data")) if key in info)
    return Metadata(
        profile or None, exif.removeprefix(_EXIF) if exif else None, bytes(xmp) if xmp else None, text,
        _per_metre(dots), others,
    )  # fmt: skip


def _per_metre(dots: Any) -> tuple[int, int] | None:
    """Dots an inch as pixels a metre."""
    try:
        across, down = (round(float(value) / _INCH) for value in dots)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return (across, down) if 0 < across < 1 << 31 and 0 < down < 1 << 31 else None


def exif_of(exif: bytes) -> Any:
    """Exif as Pillow has it."""
    from PIL import Image

    found = Image.Exif()
    found.load(_EXIF + exif)
    return found
