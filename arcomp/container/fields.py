"""The fields of a header: what they hold, their limits, and their bytes.

A :class:`Header` that exists is valid: every limit of FORMAT.md is checked when it is made, whether it
comes from a file or from a caller, and before any memory is taken for what it claims.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from arcomp.container.content import check_content, decode_content, encode_content
from arcomp.container.numbers import decode_number, encode_number
from arcomp.errors import FormatError
from arcomp.samples import MAX_CHANNELS, MAX_DEPTH, MAX_PIXELS, Form, Picture

MAX_TILES = 1 << 20
"""Most tiles in a file (images, where they are not cut)."""

MAX_SIDE_BYTES = 16 << 20
"""Most bytes of side information."""

MAX_HEADER_BYTES = 17 << 20
"""Most bytes of fields in a header."""

DIGEST_BYTES = 8
"""Bytes of a digest that a file carries: the first of the SHA-256."""

OPTIONAL = 0x80
"""Bit of a tag that marks a field readers may ignore."""

TAG_GEOMETRY, TAG_MODEL, TAG_TILES, TAG_PAYLOAD, TAG_PIXELS, TAG_SIDE, TAG_STRIPS, TAG_CODER = range(1, 9)
TAG_SOURCE, TAG_CONTENT = OPTIONAL | 1, OPTIONAL | 2

_REQUIRED = {
    TAG_GEOMETRY: "geometry",
    TAG_MODEL: "model",
    TAG_PAYLOAD: "payload",
    TAG_PIXELS: "pixels",
}
_KNOWN = {*_REQUIRED, TAG_TILES, TAG_SIDE, TAG_STRIPS, TAG_CODER, TAG_SOURCE, TAG_CONTENT}

DECISIONS = b"\x01"
"""Value of the coder field."""

_CRC = struct.Struct("<I")

_MODEL_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_SOURCE_NAME = re.compile(r"[a-z0-9]{0,16}")

DAMAGED = "get the file again from where it came from"
NEWER = "install a newer arcomp"


@dataclass(frozen=True)
class Header:
    """What a file says about its pixels and how they were coded.

    Attributes:
        images: number of images N, at least 1.
        height: rows of each image, in pixels.
        width: columns of each image, in pixels.
        channels: samples a pixel, 1 to 4.
        depth: bits a sample, 1 to 16.
        model: name of the model, 1 to 64 characters of a-z, 0-9, `_` and `-`.
        digest: the first 8 bytes of the SHA-256 of the model's frozen weights.
        tile_height: rows of a tile, in pixels; 0 together with tile_width: each image is one tile.
        tile_width: columns of a tile, in pixels.
        pixels_crc: CRC-32 of the decoded samples, see :func:`pixels_checksum`.
        side: bytes the model needs beside the payload; empty when it needs none.
        source: lower-case ending, without a dot, of the file the pixels came from; empty when unknown.
        form: what the samples were made of.
        decisions: samples, of 1 bit, are coded as decisions, not as digits.

    Raises:
        FormatError: on construction, for a value outside its limits.
    """

    images: int
    height: int
    width: int
    channels: int
    depth: int
    model: str
    digest: bytes
    tile_height: int
    tile_width: int
    pixels_crc: int
    side: bytes = b""
    source: str = ""
    form: Form = Picture()
    decisions: bool = False

    def __post_init__(self) -> None:
        _check_geometry(self)
        if _MODEL_NAME.fullmatch(self.model) is None:
            raise FormatError(f"a model's name must be 1 to 64 of a-z 0-9 _ -, not {self.model[:80]!r}")
        if len(self.digest) != DIGEST_BYTES:
            raise FormatError(f"a model's digest must be {DIGEST_BYTES} bytes, not {len(self.digest)}")
        if not 0 <= self.pixels_crc < 1 << 32:
            raise FormatError(f"a checksum must fit in 32 bits, not {self.pixels_crc}")
        if len(self.side) > MAX_SIDE_BYTES:
            raise FormatError(f"{len(self.side)} bytes of side information, the limit is {MAX_SIDE_BYTES}")
        if _SOURCE_NAME.fullmatch(self.source) is None:
            raise FormatError(f"a source format must be up to 16 of a-z 0-9, not {self.source[:80]!r}")
        check_content(self.form, self.shape, self.depth)
        if self.decisions and self.depth != 1:
            raise FormatError(f"samples of {self.depth} bits are no decisions")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the decoded samples: (images, height, width, channels)."""
        return self.images, self.height, self.width, self.channels


def _check_geometry(header: Header) -> None:
    for what, side in (("images", header.images), ("height", header.height), ("width", header.width)):
        if not 1 <= side < 1 << 32:
            raise FormatError(f"the geometry is impossible: {what} is {side}")
    if not 1 <= header.channels <= MAX_CHANNELS:
        raise FormatError(f"{header.channels} channels are not supported, only 1 to {MAX_CHANNELS}")
    if not 1 <= header.depth <= MAX_DEPTH:
        raise FormatError(f"{header.depth} bits a sample are not supported, only 1 to {MAX_DEPTH}")
    pixels = header.images * header.height * header.width
    if pixels > MAX_PIXELS:
        size = f"{header.images} x {header.height} x {header.width}"
        raise FormatError(
            f"{size} is {pixels} pixels, the limit is {MAX_PIXELS}", remedy="cut it into smaller pictures"
        )
    tiles = (header.tile_height, header.tile_width)
    if not all(0 <= tile < 1 << 32 for tile in tiles) or (tiles[0] == 0) != (tiles[1] == 0):
        raise FormatError(f"the tile size is impossible: {tiles[0]} x {tiles[1]}")
    down, across = (-(-side // (tile or side)) for side, tile in zip((header.height, header.width), tiles, strict=True))
    if header.images * down * across > MAX_TILES:
        raise FormatError(
            f"{header.images * down * across} tiles, the limit is {MAX_TILES}",
            remedy="choose larger tiles or fewer images",
        )


def possible_source(ending: str) -> str:
    """A file name's ending as a header can hold it; "" for others."""
    return ending if _SOURCE_NAME.fullmatch(ending) else ""


def pixels_checksum(pixels: np.ndarray[Any, Any], depth: int) -> int:
    """CRC-32 of decoded samples, as the pixels field holds it.

    Args:
        pixels: samples, an unsigned or signed integer array [..., H, W, C]; any memory layout.
        depth: bits a sample, 1 to 16; up to 8 a sample counts as one byte, above as two, low byte first.

    Returns:
        The checksum, 0 to 2**32 - 1, of the samples in row-major order with channels interleaved.

    Raises:
        FormatError: the array is not of integers, or a sample does not fit in `depth` bits.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise FormatError(f"{depth} bits a sample are not supported, only 1 to {MAX_DEPTH}")
    if pixels.dtype.kind not in "ui":
        raise FormatError(f"samples must be integers, not {pixels.dtype}")
    if pixels.size and (int(pixels.min()) < 0 or int(pixels.max()) >> depth):
        raise FormatError(f"a sample does not fit in {depth} bits")
    samples = np.ascontiguousarray(pixels, dtype=np.dtype("u1" if depth <= 8 else "<u2"))
    return zlib.crc32(samples.data)


def encode_fields(header: Header, payload: bytes | memoryview) -> bytes:
    """The fields of a header, in ascending order of their tags.

    Args:
        header: what to write.
        payload: the payload whose length and checksum go in.

    Returns:
        The bytes between the header's length and its checksum.
    """
    fields = [
        (TAG_GEOMETRY, _numbers(header.images, header.height, header.width, header.channels, header.depth)),
        (TAG_MODEL, bytes(header.digest) + header.model.encode("ascii")),
        (TAG_PAYLOAD, _numbers(len(payload)) + _CRC.pack(zlib.crc32(payload))),
        (TAG_PIXELS, _CRC.pack(header.pixels_crc)),
    ]
    strips = header.tile_width == header.width
    if header.tile_height and not strips:
        fields.insert(2, (TAG_TILES, _numbers(header.tile_height, header.tile_width)))
    if header.side:
        fields.append((TAG_SIDE, bytes(header.side)))
    if strips:
        fields.append((TAG_STRIPS, _numbers(header.tile_height)))
    if header.decisions:
        fields.append((TAG_CODER, DECISIONS))
    if header.source:
        fields.append((TAG_SOURCE, header.source.encode("ascii")))
    if not isinstance(header.form, Picture):
        fields.append((TAG_CONTENT, encode_content(header.form)))
    return b"".join(bytes([tag]) + encode_number(len(value)) + value for tag, value in fields)


def _numbers(*values: int) -> bytes:
    return b"".join(encode_number(v) for v in values)


def decode_fields(data: memoryview) -> tuple[Header, int, int]:
    """The header in the bytes between a header's length and its checksum.

    Args:
        data: the fields, contiguous bytes, their checksum already verified.

    Returns:
        The header, the payload's length in bytes and the payload's CRC-32.

    Raises:
        FormatError: fields are out of order, twice there, missing, malformed, beyond a limit, or critical
            and unknown.
    """
    values = dict(_fields(data))
    for tag, name in _REQUIRED.items():
        if tag not in values:
            raise FormatError(f"the header is damaged: its {name} field is missing", remedy=DAMAGED)
    images, height, width, channels, depth = _unpacked(values[TAG_GEOMETRY], 5, 0, "geometry")
    tile_height, tile_width = _tile(values, width)
    payload_length, payload_crc = _unpacked(values[TAG_PAYLOAD], 1, 1, "payload")
    (pixels_crc,) = _unpacked(values[TAG_PIXELS], 0, 1, "pixels")
    model = values[TAG_MODEL]
    header = Header(
        images=images,
        height=height,
        width=width,
        channels=channels,
        depth=depth,
        model=_text(model[DIGEST_BYTES:], "model"),
        digest=bytes(model[:DIGEST_BYTES]),
        tile_height=tile_height,
        tile_width=tile_width,
        pixels_crc=pixels_crc,
        side=_present(values, TAG_SIDE, "side information"),
        source=_text(_present(values, TAG_SOURCE, "source format"), "source format"),
        form=decode_content(_present(values, TAG_CONTENT, "content")) if TAG_CONTENT in values else Picture(),
        decisions=_decisions(values),
    )
    return header, payload_length, payload_crc


def _decisions(values: dict[int, memoryview]) -> bool:
    """Whether the coder field is there; it can say one thing only."""
    if TAG_CODER in values and values[TAG_CODER] != DECISIONS:
        raise FormatError("the samples are coded in a way that is not known here", remedy=NEWER)
    return TAG_CODER in values


def _tile(values: dict[int, memoryview], width: int) -> tuple[int, int]:
    """Tile height and tile width, (0, 0) for whole images; strips are tiles as wide as the image."""
    if TAG_TILES not in values and TAG_STRIPS not in values:
        return 0, 0
    if TAG_STRIPS not in values:
        tile_height, tile_width = _unpacked(values[TAG_TILES], 2, 0, "tiles")
    elif TAG_TILES not in values:
        (tile_height,), tile_width = _unpacked(values[TAG_STRIPS], 1, 0, "strips"), width
    else:
        raise FormatError("the header is damaged: it has both tiles and strips", remedy=DAMAGED)
    if not tile_height:
        raise FormatError("the tile size is impossible: 0")
    return tile_height, tile_width


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The known fields, in order; refuses what breaks the rules for fields."""
    at, last = 0, -1
    while at < len(data):
        tag = data[at]
        length, at = decode_number(data, at + 1, f"the length of field {tag:#04x}")
        if tag <= last:
            what = "is there twice" if tag == last else "is out of order"
            raise FormatError(f"the header is damaged: field {tag:#04x} {what}", remedy=DAMAGED)
        if length > len(data) - at:
            raise FormatError(
                f"the header is damaged: field {tag:#04x} claims {length} bytes, {len(data) - at} are left",
                remedy=DAMAGED,
            )
        if tag in _KNOWN:
            yield tag, data[at : at + length]
        elif not tag & OPTIONAL:
            raise FormatError(f"field {tag:#04x} is not known here and cannot be ignored", remedy=NEWER)
        at += length
        last = tag


def _unpacked(value: memoryview, numbers: int, checksums: int, name: str) -> list[int]:
    """A field's numbers, then its checksums, and nothing else."""
    found, at = [], 0
    for _ in range(numbers):
        number, at = decode_number(value, at, f"a part of its {name} field")
        found.append(number)
    if len(value) - at != _CRC.size * checksums:
        raise FormatError(f"the header is damaged: its {name} field is of the wrong length", remedy=DAMAGED)
    return found + [crc for (crc,) in _CRC.iter_unpack(value[at:])]


def _present(values: dict[int, memoryview], tag: int, name: str) -> bytes:
    """The bytes of a field that may be missing but, if there, is never empty: one form for each header."""
    if tag not in values:
        return b""
    if not len(values[tag]):
        raise FormatError(f"the header is damaged: its {name} field is empty", remedy=DAMAGED)
    return bytes(values[tag])


def _text(value: bytes | memoryview, name: str) -> str:
    try:
        return bytes(value).decode("ascii")
    except UnicodeDecodeError:
        raise FormatError(f"the header is damaged: its {name} field is not ASCII", remedy=DAMAGED) from None
