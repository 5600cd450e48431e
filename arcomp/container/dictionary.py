"""What the forms of common files are made of: the preset dictionary of :mod:`arcomp.container.packing`.

It is a part of the format (docs/format.md has its length and checksum). What is frequent stands at its end.
"""

from __future__ import annotations

import zlib

from arcomp.jpeg_tables import HUFFMAN, quantisation

_XMP = (
    b'XML:com.adobe.xmp\0\0\0\0\0<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?> '
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/"'
)
_TEXTS = (
    b"Software\0Adobe ImageReady", b"Software\0GIMP", _XMP, b"Comment\0Created with GIMP", b"date:create\x002",
    b"date:modify\x002", b"Title\0", b"Author\0",
    b"Copyright\0CC Attribution-ShareAlike http://creativecommons.org/licenses/by-sa/4.0/",
    b"Software\0www.inkscape.org", b"Software\0Matplotlib version3., https://matplotlib.org/",
)  # fmt: skip
_TIFF_TAGS = (
    (256, 4, 512), (257, 4, 512), (258, 3, 8), (259, 3, 1), (262, 3, 2), (273, 4, 8), (274, 3, 1), (277, 3, 3),
    (278, 4, 512), (279, 4, 0), (284, 3, 1), (317, 3, 2), (339, 3, 1),
)  # fmt: skip
"""(tag, type, value) of directories: width, height, bits, compression, colour and so on."""
_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""Of sRGB, in units of 1 / 100,000."""
_DENSITIES = (2834, 2835, 3780, 3779, 11811)
"""Pixels a metre: 72, 96 and 300 dots an inch."""


_JFIF = (b"\1\2\0\0\1\0\1", b"\1\1\1,\1,", b"\1\1\0H\0H", b"\1\1\0`\0`", b"\1\0\0\1\0\1")
"""What follows JFIF's major version: the minor one, and the density."""
_JPEG_TEXTS = (
    b"\xff\xe1\0\0http://ns.adobe.com/xap/1.0/\0", b"\xff\xe2\0\0ICC_PROFILE\0\1\1",
    b"\xff\xec\0\x11Ducky\0\1\0\4\0\0\0", b"\xff\xed\0\0Photoshop 3.0\08BIM\4\4\0\0\0\0",
    b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\1", b"\xff\xdd\0\4\0\0",
    b"\xff\xfe\0\0CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n",
    b"Apple\0iPhone\0Canon EOS\0NIKON\0samsung\0Google\0", b"0232\x91\1\0\7\0\0\0\4\1\2\3\0",
    b"\xa0\0\0\7\0\0\0\x040100\xa0\1\0\3\0\0\0\1\0\1\0\0\xa0\2\0\4\0\0\0\1\0\0", b"2024:01:01 12:00:00\0",
    b"\xff\xe1\0\0Exif\0\0II*\0\x08\0\0\0", b"\xff\xe1\0\0Exif\0\0MM\0*\0\0\0\x08",
)  # fmt: skip
_SCANS = (
    b"\x0c\3\1\0\2\x10\3\x10\0\0\1", b"\x08\1\1\0\1\5\2", b"\x08\1\3\1\1?\1", b"\x08\1\2\1\1?\1",
    b"\x08\1\1\0\6?\2", b"\x08\1\1\0\1?\x21", b"\x0c\3\1\0\2\0\3\0\0\0\x10", b"\x08\1\3\1\1?\x10",
    b"\x08\1\2\1\1?\x10", b"\x08\1\1\0\1?\x10",
)  # fmt: skip
"""Scans of a progressive JPEG as libjpeg has them, from the second byte of their length on."""


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _long(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def _png() -> bytes:
    """Headers, chunks, and records of segments as they follow each other in forms of PNGs."""
    start = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    return b"".join(
        (
            start, _long(32, 32), b"\x08\x03\0\0\0",
            png_chunk(b"gAMA", _long(45455)), png_chunk(b"cHRM", _long(*_CHROMATICITIES)),
            png_chunk(b"bKGD", b"\0\xff" * 3),
            *(png_chunk(b"pHYs", _long(density, density) + b"\1") for density in _DENSITIES),
            png_chunk(b"tIME", b"\x07\xe0\1\1\0\0\0"),
            b"\0\0\1biCCPICC profile\0\0", b"\0\0\0\3PLTE", b"\0\0\0\0\0\0\1tRNS\0@\xe6\xd8f",
            b"\x08\3\0\0", b"\x08\1\5\1\2\0\1\1\0\0\0\0\0\0\0\0\0\0\0", b"\x08\1\5\1\2\0\4\1\0\0\0\0\0\0\0\0\0\0\0",
            b"\x08\2\0\0\x0d", png_chunk(b"sRGB", b"\0"),
            b"\x08\1\5\1\1\0\x08\1\0\0\0\0\0\0\0\0\0\0\0", b"\x08\1\5\1\1\0\x08\3\0\1\2\0\0\0\0\0\0\0\0\x20",
            b"\1\2\2\2\2\1\4\2\2\1\0\0\0\0\0\0\0\1\1\0\0\0\0\0\0", b"\x08\6\0\0\x10", png_chunk(b"sBIT", b"\x08" * 4),
            b"\x08\1\5\1\2\0\x08\4\0\1\2\3\0\0\0\0\0\0\0\0\0\0\3\x10\xc2\xf2\1\2\x38\x8d\0",
            b"\2x\xda\1\2x\x5e\1\2x\x9c\1\0\4IDAT\0\0\0\0\x0c\0\0\0\0IEND\xaeB`\x82",
        )
    )  # fmt: skip


def _table(key: tuple[int, int]) -> bytes:
    """A Huffman table of annex K.3.3 as a DHT segment."""
    kind, number = key
    stored = HUFFMAN[key]
    return b"\xff\xc4" + (len(stored) + 3).to_bytes(2, "big") + bytes([kind << 4 | number]) + stored


def _jpeg() -> bytes:
    """What JPEGs begin with: libjpeg's quantisation, metadata, then frames, tables and scans without their data."""
    steps = b"".join(
        b"\xff\xdb\0C" + bytes([number]) + table
        for quality in range(1, 101)
        for number, table in enumerate(quantisation(quality))
    )
    starts = b"".join(b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + rest + b"\0\0" for rest in _JFIF)
    colour = b"\x11\x08\0\0\0\0\3\1\x22\0\2\x11\1\3\x11\1"
    gray = b"\x0b\x08\0\0\0\0\1\1\x11\0"
    ends = b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0?\0\xff\xd9", b"\xff\xda\0\x08\1\1\0\0?\0\xff\xd9"
    omitted = [b"\xff\xc4\0\3" + bytes([one]) for one in (0x80, 0x90, 0x81, 0x91)]
    dc, ac, dc_chroma, ac_chroma = omitted
    scans = b"".join(
        (b"" if script[1] > 1 else ac_chroma if script[3] else ac) + b"\xff\xda\0" + script for script in _SCANS
    )
    return b"".join((
        steps, *_JPEG_TEXTS, b"\xff\xc2\0", colour, dc, dc_chroma, scans, b"\xff\xd9",
        b"\xff\xc0\0", colour, *omitted, ends[0], b"\xff\xc0\0", gray, _table((0, 0)), _table((1, 0)), ends[1],
        starts, b"\xff\xc0\0", colour, *map(_table, ((0, 0), (1, 0), (0, 1), (1, 1))), ends[0],
    ))  # fmt: skip


def dictionary() -> bytes:
    """All of it."""
    ramp = bytes(value for level in range(256) for value in (level, level, level, 0))
    bitmap = b"BM\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\x18\0\0\0\0\0\0\0\0\0\x13\x0b\0\0\x13\x0b\0\0\0\0\0\0\0\0\0\0"
    array = b"\x93NUMPY\1\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (256, 256, 3), }" + b" " * 60
    tags = b"".join(
        tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + (3 if tag == 258 else 1).to_bytes(4, "little")
        + value.to_bytes(4, "little")
        for tag, kind, value in _TIFF_TAGS
    )  # fmt: skip
    texts = b"".join(png_chunk(b"iTXt" if text is _XMP else b"tEXt", text) for text in _TEXTS)
    return b"".join(
        (_jpeg(), ramp, b"II*\0\x08\0\0\0MM\0*\0\0\0\x08", bitmap, array, b"\nP5\n255\nP6\n", tags, texts, _png())
    )
