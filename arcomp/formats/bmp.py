"""BMP: bitmaps of Windows and OS/2, uncompressed.

Headers are told apart by their size: OS/2 1 has 12 bytes, OS/2 2 has 16 to 64, Windows has 40, 52, 56, 108 (V4) and 124
(V5). What follows is where each says; between the parts there may be anything ([MS-WMF] 2.2.2, "Bitmap Storage" in
Microsoft's documentation of GDI, and bmpsuite's files).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import OutputError, PictureError
from arcomp.form import Layout, Literal, Raster
from arcomp.formats.common import check_size, damaged
from arcomp.formats.layouts import pack, unpack
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.parsed import Parsed
from arcomp.samples import Pixels, Samples

FILE_HEADER = 14
"""Bytes before the header that says what the bitmap is."""

_WINDOWS = (40, 52, 56, 108, 124)
_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
"""Which bits are red, green, blue and opaque, where no header says so."""
_V5 = 124
EMBEDDED, LINKED, SRGB, WINDOWS = b"DEBM", b"KNIL", b"BGRs", b" niW"
"""Colour spaces of V4 and V5, as they lie in a file; the last one says nothing."""
_PIECE = 1 << 20
"""Words that are looked at at once."""


class Bitmap(NamedTuple):
    """What the header of a bitmap says.

    Attributes:
        end: where the header, and masks after it, end.
        width, height: in pixels.
        upward: whether the last row comes first.
        bits: of a pixel: 1, 2, 4, 8, 16, 24 or 32.
        masks: of pixels of 16 and 32 bits: of red, green, blue, and opacity if it has any.
        entry: bytes of an entry of the palette.
        entries: of the palette that follows, which pixels of more than 8 bits do not need.
    """

    end: int
    width: int
    height: int
    upward: bool
    bits: int
    masks: tuple[int, int, int, int]
    entry: int
    entries: int

    @property
    def stride(self) -> int:
        """Bytes of a row."""
        return (self.width * self.bits + 31) // 32 * 4


def parsed(data: bytes) -> Parsed:
    """Take a BMP file apart.

    Raises:
        PictureError: it is damaged, compressed, too large, or not understood.
    """
    bitmap = header(data, FILE_HEADER)
    check_size(bitmap.width, bitmap.height)
    at, size = pixels_at(bitmap, data), bitmap.stride * bitmap.height
    if at < bitmap.end:
        raise damaged("BMP", "its pixels are said to be inside its header")
    if len(data) - at < size:
        raise damaged("BMP", f"it is truncated, {max(0, len(data) - at)} of {size} bytes of pixels")
    layout, alpha = layout_of(bitmap, data, at)
    depth = layout.bits
    pixels = np.empty((bitmap.height, bitmap.width, len(layout.channels)), np.uint8 if depth <= 8 else np.uint16)
    rows = memoryview(data)[at : at + size]
    padding = unpack(rows, pixels, layout, stride=bitmap.stride, upward=bitmap.upward)
    colours = palette(bitmap, data, at, int(pixels.max()) + 1) if bitmap.bits <= 8 else None
    raster = Raster(0, 0, 0, bitmap.height, bitmap.width, layout, bitmap.stride, bitmap.upward, padding)
    parts = (Literal(data[:at]), raster, *((Literal(data[at + size :]),) if len(data) > at + size else ()))
    if colours is not None and _is_of_grays(colours, depth):
        colours = None
    return Parsed(Samples((pixels[None],), depth, alpha=alpha, palette=colours), parts)


def pixels_at(bitmap: Bitmap, data: bytes) -> int:
    """Where the pixels of a file begin. Some programs say 0, or forget that a palette comes first."""
    said = int.from_bytes(data[10:FILE_HEADER], "little")
    after = bitmap.end + bitmap.entry * bitmap.entries
    forgotten = bitmap.bits <= 8 and said == bitmap.end and len(data) - after >= bitmap.stride * bitmap.height
    return after if forgotten else said or after


def header(data: bytes, at: int) -> Bitmap:
    """The header of a bitmap that begins somewhere in some bytes, as in a BMP file or an icon.

    Raises:
        PictureError: it is cut off, or of a kind that is not known; or the bitmap is compressed.
    """
    (size,) = struct.unpack_from("<I", data, at) if len(data) >= at + 16 else (0,)
    if not (size == 12 or 16 <= size <= 64 or size in _WINDOWS) or len(data) < at + size:
        raise damaged("BMP", "its header is truncated or of an unknown kind")
    fields = data[at : at + size].ljust(64, b"\0")
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", fields, 4)
        compression = used = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", fields, 4)
        (used,) = struct.unpack_from("<I", fields, 32)
    if bits not in (1, 2, 4, 8, 16, 24, 32):
        raise PictureError(f"a BMP picture of {bits} bits a pixel is not supported")
    by_masks = compression in (3, 6) and bits in _MASKS and size in _WINDOWS
    if compression and not by_masks:
        raise PictureError(
            f"a BMP picture with compression {compression} is not supported", remedy="save it uncompressed"
        )
    end, masks = at + size, _MASKS.get(bits, (0, 0, 0, 0))
    if by_masks:
        count = 4 if compression == 6 else 3
        end += 4 * count if size == 40 else 0
        read = data[at + 40 : at + 56].ljust(16, b"\0") if len(data) >= end else bytes(16)
        red, green, blue, opacity = struct.unpack("<4I", read)
        masks = red, green, blue, opacity if size >= 56 or (size, count) == (40, 4) else 0
    entries = used or (1 << bits if bits <= 8 else 0)
    return Bitmap(end, width, abs(height), height >= 0, bits, masks, 3 if size == 12 else 4, entries)


def _is_of_grays(colours: npt.NDArray[np.uint8], depth: int) -> bool:
    """Whether a palette is all the grays from black on, as BMP has it for gray pictures: then indices are samples."""
    grays = np.arange(1 << depth) * (255 // ((1 << depth) - 1))
    return len(colours) == len(grays) and bool((colours == grays[:, None]).all())


def palette(bitmap: Bitmap, data: bytes, before: int, needed: int) -> npt.NDArray[np.uint8]:
    """The palette of a bitmap of 8 or fewer bits, uint8 [entries, 3], RGB.

    Args:
        bitmap: what its header says.
        data: the file.
        before: where the palette ends at the latest.
        needed: the fewest entries; black is put in place of those that are not there.
    """
    entries = min(bitmap.entries, 1 << bitmap.bits, (before - bitmap.end) // bitmap.entry)
    stored = np.frombuffer(data, np.uint8, max(0, entries) * bitmap.entry, bitmap.end).reshape(-1, bitmap.entry)
    colours = np.zeros((max(needed, len(stored)), 3), np.uint8)
    colours[: len(stored)] = stored[:, 2::-1]
    return colours


def layout_of(bitmap: Bitmap, data: bytes, at: int) -> tuple[Layout, bool]:
    """The layout of a bitmap's pixels, which lie at `at`, and whether the last of its channels is opacity: only where
    the header has a mask for it. Bits that no mask names are a channel of no meaning, unless they are 0 everywhere.

    Raises:
        PictureError: the masks overlap, have gaps, or leave out bits that are not 0.
    """
    if bitmap.bits <= 8:
        return Layout(bitmap.bits, (0,)), False
    if bitmap.bits == 24:
        return Layout(8, (2, 1, 0)), False
    masks = [mask for mask in bitmap.masks if mask]
    rest = (1 << bitmap.bits) - 1 - sum(masks)
    if rest < 0 or len(masks) < 3 or 0 in bitmap.masks[:3]:
        raise damaged("BMP", "its masks of bits are not understood")
    if rest and _any(data, at, bitmap, rest):
        masks.append(rest)
    fields = tuple(_field(mask) for mask in masks)
    if len(masks) > 4 or sum(n for _, n in fields) != bin(sum(masks)).count("1"):
        raise damaged("BMP", "its masks of bits are not understood")
    alpha, bits = bool(bitmap.masks[3]), max(n for _, n in fields)
    if sorted(fields) == [(0, 8), (8, 8), (16, 8), (24, 8)]:
        places = [shift // 8 for shift, _ in fields]
        return Layout(8, tuple(places.index(place) for place in range(4))), alpha
    channels = tuple(range(len(fields)))
    return Layout(bits, channels, little=True, word=bitmap.bits, fields=fields), alpha


def _field(mask: int) -> tuple[int, int]:
    """Lowest bit and number of bits of a mask.

    Raises:
        PictureError: there is a gap in it, or it has more than 16.
    """
    shift = (mask & -mask).bit_length() - 1
    bits = (mask >> shift).bit_length()
    if mask >> shift != (1 << bits) - 1 or bits > 16:
        raise damaged("BMP", "its masks of bits are not understood")
    return shift, bits


def _any(data: bytes, at: int, bitmap: Bitmap, mask: int) -> bool:
    """Whether any pixel has a bit of a mask."""
    kind = np.dtype(f"<u{bitmap.bits // 8}")
    across = bitmap.stride // kind.itemsize
    words = np.frombuffer(data, kind, across * bitmap.height, at).reshape(-1, across)[:, : bitmap.width]
    step = max(1, _PIECE // across)
    return any(np.any(words[top : top + step] & kind.type(mask)) for top in range(0, len(words), step))


def has_reserved_bits(bitmap: Bitmap, data: bytes, at: int) -> bool:
    """Whether any pixel, of 16 or 32 bits, has a bit that no mask names."""
    rest = (1 << bitmap.bits) - 1 - sum(bitmap.masks)
    return rest > 0 and len(data) - at >= bitmap.stride * bitmap.height and _any(data, at, bitmap, rest)


def read_bmp(data: bytes) -> Samples:
    """The picture of a BMP file, without bits that mean nothing, even if they are not 0: all readers go by the header,
    and only a mask makes them opacity.

    Raises:
        PictureError: as of :func:`parsed`.
    """
    samples = parsed(data).samples
    if samples.alpha or samples.channels != 4:
        return samples
    return replace(samples, stacks=(samples.pixels[..., :3],))


def write_bmp(samples: Samples, metadata: Metadata = NONE) -> bytes:
    """A BMP file of one picture: of 1, 4 or 8 bits with a palette (of grays for gray), of 24 bits, or, with opacity, of
    32 bits. Opacity and a profile need a header of V5, whose masks tell opacity from bits that mean nothing.

    Raises:
        OutputError: a BMP cannot hold it.
    """
    picture: Pixels = samples.pixels[0]
    height, width, channels = picture.shape
    layouts = {1: Layout(samples.depth, (0,)), 3: Layout(8, (2, 1, 0)), 4: Layout(8, (2, 1, 0, 3))}
    meant = channels == 1 or (channels - samples.alpha == 3 and samples.depth == 8)
    if not meant or samples.depth not in (1, 4, 8) or (samples.palette is not None and samples.palette.shape[1] == 4):
        raise OutputError("bmp holds only gray or a palette of 1, 4 or 8 bits, and 8-bit RGB", remedy="choose png")
    layout = layouts[channels]
    bits = layout.bits * channels
    profile = metadata.icc or b""
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) if channels == 4 else bytes(16)
    colours = _entries(samples) if channels == 1 else b""
    stride = (width * bits + 31) // 32 * 4
    long = _V5 if channels == 4 or profile else 40
    start, size = FILE_HEADER + long + len(colours), stride * height
    if start + size + len(profile) >= 1 << 32:
        raise OutputError("bmp holds at most 4 GiB", remedy="choose png")
    dots = metadata.resolution or (0, 0)
    fields = (long, width, height, 1, bits, 3 if channels == 4 else 0, size, *dots, len(colours) // 4, 0)
    head = struct.pack("<2sIHHI", b"BM", start + size + len(profile), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", *fields)
    if long == _V5:
        space, offset = (EMBEDDED, start - FILE_HEADER + size) if profile else (WINDOWS, 0)
        head += masks + space + bytes(48) + struct.pack("<4I", 0, offset, len(profile), 0)
    return b"".join((head, colours, pack(picture, layout, stride=stride, upward=True).tobytes(), profile))


def _entries(samples: Samples) -> bytes:
    """The palette of a file: blue, green, red and 0 for each entry."""
    most = 1 << samples.depth
    grays = np.repeat(np.arange(most, dtype=np.uint8) * (255 // (most - 1)), 3).reshape(-1, 3)
    colours = grays if samples.palette is None else samples.palette[:most]
    return np.pad(colours[:, ::-1], ((0, 0), (0, 1))).tobytes()
