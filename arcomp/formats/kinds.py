"""What kind of picture some bytes are, by how they begin."""

from __future__ import annotations

from arcomp.errors import LossyError, PictureError
from arcomp.formats.common import GET_AGAIN, LOSSY_HINT
from arcomp.formats.npy import is_array
from arcomp.formats.png import SIGNATURE

STARTS: tuple[tuple[bytes, str], ...] = (
    (SIGNATURE, "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"BM", "bmp"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\1\0", "icon"),
    (b"\0\0\2\0", "icon"),
    (b"icns", "icon"),
)
"""How files begin, and the kind that they then are. Files of WebP, WAV and Netpbm begin in no fixed way."""
_RIFF = {b"WEBP": "webp", b"WAVE": "wav"}

_REFUSED = (
    (b"\x89ARC", "an arcomp file", "it is compressed already"),
    (b"\x89PNG", "a damaged PNG picture, perhaps by a transfer in text mode", "transfer it again as binary"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", "convert it to PNG first"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", "convert it to PNG first"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", "convert it to PNG first"),
    (b"\xff\x0a", "a JPEG XL picture", "convert it to PNG first"),
    (b"8BPS", "a Photoshop file", "export it as PNG first"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture of floating-point samples", ""),
    (b"qoif", "a QOI picture", "convert it to PNG first"),
    (b"%PDF", "a PDF document", "export its pictures as PNG first"),
    (b"<svg", "an SVG drawing, which has no pixels", "render it to PNG first"),
    (b"<?xml", "an XML file", ""),
    (b"\x1f\x8b", "gzip data", "unpack it first"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
)


def kind_of(start: bytes) -> str:
    """The kind of a picture that can perhaps be read.

    Args:
        start: the file's first bytes, 16 or more where there are so many.

    Returns:
        "webp", "wav", "pnm", or one of :data:`STARTS`.

    Raises:
        PictureError: the file is empty, or of a kind that cannot be read, named where it is known.
    """
    if not start:
        raise PictureError("the file is empty", remedy=GET_AGAIN)
    for magic, kind in STARTS:
        if start.startswith(magic):
            return kind
    if start[:4] == b"RIFF" and start[8:12] in _RIFF:
        return _RIFF[start[8:12]]
    if start[:1] == b"P" and (start[2:3].isspace() or start[2:3] == b"#"):
        if start[1:2] in b"1234567":
            return "pnm"
        if start[1:2] in b"Ff":
            what = "a PFM picture of floating-point samples"
            raise PictureError(f"{what} is not supported", remedy="convert it to 8 bits a sample first")
    raise _refusal(start)


def is_picture(start: bytes) -> bool:
    """Whether a file that begins so is a picture, or an array, of any kind that is known.

    Args:
        start: its first bytes, 300 or more where there are so many.
    """
    try:
        return kind_of(start) != "wav"
    except PictureError:
        others = tuple(magic for magic, what, _ in _REFUSED if "picture" in what or "Photoshop" in what)
        return start.startswith(others) or start[4:10] in (b"ftypav", b"ftyphe", b"ftypmi") or is_array(start)


def _refusal(start: bytes) -> PictureError:
    for magic, what, remedy in _REFUSED:
        if start.startswith(magic):
            return PictureError(f"{what}, not a picture that can be read", remedy=remedy)
    if start[4:8] == b"ftyp":
        what = {b"av": "an AVIF", b"he": "a HEIC", b"mi": "a HEIC"}.get(start[8:10], "an MP4-like")
        return PictureError(f"{what} file is not supported", remedy="convert it to PNG first")
    return PictureError(
        "not a picture of a known kind", remedy="PNG, BMP, TIFF, GIF, lossless WebP, PBM, PGM, PPM and PAM can be read"
    )


def refuse_lossy(what: str) -> LossyError:
    """The error for a picture that lost information when it was made, where that is not allowed."""
    return LossyError(f"{what} does not store its pixels exactly", remedy=LOSSY_HINT)
