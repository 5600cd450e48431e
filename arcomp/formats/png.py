"""PNG, chunk by chunk: Pillow is given only the chunks that make the pixels.

Pillow reads 16-bit colour as 8-bit, widens 1, 2 and 4 bits, forgets about transparency, does not check the
checksums of image data, and leaves rows black that are missing from a complete stream. So every chunk is
walked here, and what cannot be kept exactly is refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from arcomp.errors import PictureError
from arcomp.formats.common import TO_8_BITS, TO_RGB, check_size, damaged, names, ordinary_resolution

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">IIBBBBB")

# First column and row, and steps, of each pass of an interlaced picture.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_COLOURS = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGBA"}

_DROPPED = {
    b"PLTE": "suggested palette",
    b"sPLT": "suggested palette",
    b"hIST": "histogram",
    b"bKGD": "background colour",
    b"sBIT": "significant bits",
    b"iCCP": "ICC profile",
    b"cICP": "colour space",
    b"mDCV": "mastering display",
    b"cLLI": "light level",
    b"tEXt": "text",
    b"zTXt": "text",
    b"iTXt": "text",
    b"tIME": "time",
    b"eXIf": "Exif",
    b"caBX": "content credentials",
    b"iDOT": "",  # where a decoder may split the data: nothing about the picture
    b"sRGB": "",  # what a picture without colour information is taken for anyway
}
_CHRM_OF_SRGB = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def prepare(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Check a PNG file and reduce it to the chunks that make its pixels.

    Args:
        data: the whole file.

    Returns:
        A PNG of the same pixels, gray of 1 or 8 bits or RGB of 8, with only IHDR, IDAT and IEND; and the names of what
        was left out.

    Raises:
        PictureError: the file is damaged, or its pixels are of another kind or have transparency.
    """
    kept: list[bytes] = []
    dropped: list[str] = []
    previous = b""
    end = len(_SIGNATURE)
    for kind, start, end in _chunks(data):
        body = data[start + 8 : end - 4]
        if not previous:
            _check_header(kind, body)
        if kind == b"IDAT" and previous != b"IDAT" and len(kept) > 1:
            raise damaged("PNG", "its image data is in separate places")
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            if kind == b"IHDR" and previous:
                raise damaged("PNG", "it has two headers")
            kept.append(data[start:end])
        else:
            dropped.append(_name(kind, body))
        previous = kind
    if len(kept) < 3:
        raise damaged("PNG", "it has no image data")
    _check_length(kept)
    if end < len(data):
        dropped.append("data after its end")
    return _SIGNATURE + b"".join(kept), names(dropped)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk up to IEND, with its checksum verified."""
    at = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if len(data) - at < 12:
            raise damaged("PNG", "it is truncated")
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        end = at + 12 + length
        if not kind.isalpha():
            raise damaged("PNG", f"no chunk is at byte {at}")
        if end > len(data):
            raise damaged("PNG", "it is truncated")
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise damaged("PNG", f"the checksum of its {kind.decode('ascii')} chunk differs")
        yield kind, at, end
        at = end


def _check_header(kind: bytes, body: bytes) -> None:
    if kind != b"IHDR" or len(body) != _IHDR.size:
        raise damaged("PNG", "it does not begin with a header")
    width, height, depth, colour, compression, filtering, interlace = _IHDR.unpack(body)
    if depth not in _DEPTHS.get(colour, ()):
        raise damaged("PNG", f"there is no colour type {colour} with {depth} bits")
    if compression or filtering or interlace > 1:
        raise damaged("PNG", "its header names an unknown method")
    what = f"a PNG picture ({_COLOURS[colour]}, {depth}-bit)"
    if colour not in (0, 2):
        raise PictureError(f"{what} is not supported", remedy=TO_RGB)
    if depth != 8 and (colour, depth) != (0, 1):
        remedy = TO_8_BITS if depth > 8 else "convert it to 8-bit gray first"
        raise PictureError(f"{what} is not supported", remedy=remedy)
    check_size(width, height)


def _check_length(kept: list[bytes]) -> None:
    """Refuse image data that ends before the picture does; it is inflated piece by piece and let go."""
    width, height, depth, colour, _, _, interlace = _IHDR.unpack(kept[0][8:-4])
    left = _filtered_size(width, height, depth * (3 if colour == 2 else 1), interlaced=bool(interlace))
    inflater = zlib.decompressobj()
    try:
        for part in kept[1:-1]:
            rest: bytes | memoryview = memoryview(part)[8:-4]
            # More data than the picture needs is harmless, and not worth inflating.
            while len(rest) and left >= 0 and not inflater.eof:
                left -= len(inflater.decompress(rest, _PIECE))
                rest = inflater.unconsumed_tail
    except zlib.error:
        raise damaged("PNG", "its image data cannot be inflated") from None
    if left > 0 or (left == 0 and not inflater.eof):
        raise damaged("PNG", "its image data ends too early")


def _filtered_size(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Bytes of a picture before deflation, at so many bits a pixel: each row of each pass has a byte for its filter."""
    total = 0
    for x, y, across, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _name(kind: bytes, body: bytes) -> str:
    """What a chunk besides the pixels is called; refuses those that change what is seen."""
    if kind == b"tRNS":
        raise PictureError("a PNG picture with transparency (a tRNS chunk) is not supported", remedy=TO_RGB)
    if kind in (b"acTL", b"fcTL", b"fdAT"):
        raise PictureError("an animated PNG picture is not supported", remedy="extract its frames first")
    if kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0"):
        return "XMP"
    if kind == b"gAMA":
        return "" if body == struct.pack(">I", 45455) else "gamma"
    if kind == b"cHRM":
        return "" if body == _CHRM_OF_SRGB else "chromaticities"
    if kind == b"pHYs":
        return "" if _ordinary_density(body) else "resolution"
    name = _DROPPED.get(kind)
    if name is None and kind[:1].isupper():
        raise PictureError(f"a PNG picture with an unknown critical chunk ({kind.decode('ascii')})")
    return f"{kind.decode('ascii')} chunk" if name is None else name


def _ordinary_density(body: bytes) -> bool:
    if len(body) != 9:
        return False
    across, down, unit = struct.unpack(">IIB", body)
    return across == down and (ordinary_resolution(across * 0.0254) if unit == 1 else across == 1)
