"""PBM, PGM, PPM and BMP: headers checked here, because Pillow rescales and widens without a word."""

from __future__ import annotations

import re
import struct

import numpy as np

from arcomp.errors import PictureError
from arcomp.formats.common import TO_8_BITS, TO_RGB, check_size, damaged, names, ordinary_resolution

_GAP = rb"(?:[ \t\n\v\f\r]|#[^\r\n]*[\r\n])+"
_PNM_HEADER = re.compile(rb"P([2356])" + 3 * (_GAP + rb"(\d{1,10})") + rb"\s")
_PBM_HEADER = re.compile(rb"P([14])" + 2 * (_GAP + rb"(\d{1,10})") + rb"\s")
_HEADER_ROOM = 1 << 16

_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


def read_pnm(data: bytes) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], str, tuple[str, ...]]:
    """Read a PGM or PPM picture, raw (P5, P6) or plain (P2, P3), of maximum value 255.

    Args:
        data: the whole file.

    Returns:
        Pixels, uint8 [H, W, C]; "pgm" or "ppm"; and the names of what is not kept.

    Raises:
        PictureError: the picture is damaged, truncated, too long, too large, or of another maximum value.
    """
    header = _PNM_HEADER.match(data[:_HEADER_ROOM])
    if header is None:
        raise damaged("PNM", "its header is not understood")
    kind, width, height, maximum = (int(group) for group in header.groups())
    ending = "ppm" if kind in (3, 6) else "pgm"
    if maximum != 255:
        raise PictureError(f"a {ending.upper()} picture of maximum value {maximum}, not 255", remedy=TO_8_BITS)
    check_size(width, height)
    channels = 3 if ending == "ppm" else 1
    count = width * height * channels
    dropped = ["comments"] if b"#" in header.group() else []
    if kind in (5, 6):
        raster = np.frombuffer(data, np.uint8, offset=header.end())
    else:
        raster = _plain_samples(data[header.end() :], count)
    if raster.size < count:
        raise damaged(ending.upper(), f"it is truncated, {raster.size} of {count} samples")
    if raster.size > count:
        raise PictureError(
            f"a {ending.upper()} file with {raster.size - count} samples after its picture",
            remedy="keep one picture in a file",
        )
    return raster.reshape(height, width, channels).copy(), ending, names(dropped)


def read_pbm(data: bytes) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], tuple[str, ...]]:
    """Read a PBM picture, raw (P4) or plain (P1).

    Args:
        data: the whole file.

    Returns:
        Pixels, uint8 [H, W, 1] of 0 (black) and 1 (white), as in other pictures: in the file it is the other way round;
        and the names of what is not kept.

    Raises:
        PictureError: the picture is damaged, truncated, too long, or too large.
    """
    header = _PBM_HEADER.match(data[:_HEADER_ROOM])
    if header is None:
        raise damaged("PBM", "its header is not understood")
    kind, width, height = (int(group) for group in header.groups())
    check_size(width, height)
    row = -(-width // 8)
    count = height * row if kind == 4 else height * width
    raster = np.frombuffer(data, np.uint8, offset=header.end())
    if kind == 1:
        text = re.sub(rb"#[^\r\n]*|\s", b"", data[header.end() :])
        raster = np.frombuffer(text, np.uint8)
        if raster.size and not np.isin(raster, (ord("0"), ord("1"))).all():
            raise damaged("PBM", "a sample is neither 0 nor 1")
    if raster.size < count:
        raise damaged("PBM", f"it is truncated, {raster.size} of {count} {'bytes' if kind == 4 else 'samples'}")
    if raster.size > count:
        raise PictureError("a PBM file with more after its picture", remedy="keep one picture in a file")
    if kind == 4:
        raster = np.unpackbits(raster.reshape(height, row), axis=1)[:, :width]
    white = ((raster.reshape(height, width, 1) & 1) ^ 1).astype(np.uint8)
    return white, names(["comments"] if b"#" in header.group() else [])


def _plain_samples(text: bytes, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The samples of a plain picture: decimal numbers up to 255 between white space."""
    if len(text) < 2 * count - 1:
        raise damaged("PNM", f"it is truncated, {len(text)} bytes for {count} samples")
    words = re.sub(rb"#[^\r\n]*", b" ", text).split()
    if not all(word.isdigit() and len(word) <= 3 for word in words):
        raise damaged("PNM", "a sample is not a number")
    samples = np.fromiter((int(word) for word in words), dtype=np.int16, count=len(words))
    if samples.size and int(samples.max()) > 255:
        raise damaged("PNM", f"a sample is {int(samples.max())}, above its maximum of 255")
    return samples.astype(np.uint8)


def check_bmp(data: bytes) -> tuple[str, ...]:
    """Check that a BMP file is of 24-bit RGB, or of 8 bits that may be gray, uncompressed.

    Args:
        data: the whole file.

    Returns:
        The names of what is not kept. Whether 8 bits are gray, Pillow tells from the palette.

    Raises:
        PictureError: the file is truncated, too large, or of another kind.
    """
    size = struct.unpack_from("<I", data, 14)[0] if len(data) >= 26 else 0
    if size not in _BMP_HEADERS or len(data) < 14 + size:
        raise damaged("BMP", "its header is truncated or of an unknown kind")
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = across = down = 0
    else:
        width, height, _, bits, compression, _, across, down = struct.unpack_from("<iiHHIIii", data, 18)
    if bits < 8:
        raise PictureError(f"a {bits}-bit BMP picture is not supported", remedy=TO_RGB)
    if bits not in (8, 24):
        why = "which may have transparency" if bits == 32 else "not 8 bits a sample"
        raise PictureError(f"a BMP picture of {bits}-bit pixels, {why}, is not supported", remedy=TO_RGB)
    if compression:
        raise PictureError(
            f"a BMP picture with compression {compression} is not supported", remedy="save it uncompressed"
        )
    check_size(width, abs(height))
    dropped = []
    if not (across == down and ordinary_resolution(across * 0.0254)):
        dropped.append("resolution")
    if size == 124 and data[70:74] in (b"DEBM", b"KNIL"):
        dropped.append("ICC profile")
    return names(dropped)
