"""docs/format.md's Overview, Layout, Fields, Limits and Order: from a file's bytes to its header and tiles."""

from __future__ import annotations

import zlib
from itertools import product
from typing import NamedTuple


class Refused(ValueError):  # noqa: N818 (reads as a sentence)
    """The file, or its weights, must not be decoded."""


def require(true: bool, otherwise: str) -> None:
    """Refuse the file unless a rule holds."""
    if not true:
        raise Refused(otherwise)


def clamp(v: int, a: int, b: int) -> int:
    return max(a, min(b, v))


MAGIC = bytes.fromhex("89 41 52 43 0D 0A 1A 0A")


GEOMETRY, MODEL, TILES, PAYLOAD, PIXELS, SIDE, STRIPS, CODER, SOURCE, CONTENT = *range(1, 9), 0x81, 0x82


LOWER, DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"0123456789"


class Header(NamedTuple):
    """The values of the fields."""

    images: int
    height: int
    width: int
    channels: int
    depth: int
    digest: bytes
    model: str
    tile_height: int
    tile_width: int
    pixels: int
    side: bytes
    decisions: bool


class Decoded(NamedTuple):
    """Samples by image, row, column, channel."""

    images: int
    height: int
    width: int
    channels: int
    depth: int
    samples: list[int]


def number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it."""
    value = 0
    for i in range(9):
        require(at + i < len(data), "a number does not end")
        byte = data[at + i]
        value |= (byte & 127) << (7 * i)
        if byte < 128:
            require(byte > 0 or i == 0, "a number is not in its shortest form")
            return value, at + i + 1
    raise Refused("a number does not end")


def numbers(value: bytes, count: int) -> tuple[list[int], bytes]:
    """So many numbers at the start of a field's value, and the bytes after them."""
    found, at = [], 0
    for _ in range(count):
        v, at = number(value, at)
        found.append(v)
    return found, value[at:]


def split_fields(block: bytes) -> dict[int, bytes]:
    """The values by their tags (rules 5 and 6)."""
    fields: dict[int, bytes] = {}
    at, previous = 0, -1
    while at < len(block):
        tag = block[at]
        size, at = number(block, at + 1)
        require(tag > previous, "fields are out of order or twice there")
        require(at + size <= len(block), "a field does not end with the header")
        require(tag >= 128 or GEOMETRY <= tag <= CODER, f"unknown field {tag}: a newer arcomp is needed")
        fields[tag] = block[at : at + size]
        at, previous = at + size, tag
    for tag in (GEOMETRY, MODEL, PAYLOAD, PIXELS):
        require(tag in fields, f"field {tag} is missing")
    return fields


def header_of(fields: dict[int, bytes]) -> Header:
    """The fields' values within their limits (rule 5)."""
    (n, h, w, c, depth), rest = numbers(fields[GEOMETRY], 5)
    require(not rest, "bytes after the geometry")
    require(all(1 <= v < 1 << 32 for v in (n, h, w)) and n * h * w <= 1 << 28, "too few or many pixels")
    require(1 <= c <= 4 and 1 <= depth <= 16, "channels or depth outside the limits")

    digest, name = fields[MODEL][:8], fields[MODEL][8:]
    require(1 <= len(name) <= 64 and not name.strip(LOWER + DIGITS + b"_-"), "bad name of a model")

    require(not (TILES in fields and STRIPS in fields), "both tiles and strips")
    (tile_height, tile_width), rest = numbers(fields[TILES], 2) if TILES in fields else ([h, w], b"")
    if STRIPS in fields:
        (tile_height,), rest = numbers(fields[STRIPS], 1)
    require(not rest, "bytes after the tile size")
    require(1 <= tile_height < 1 << 32 and 1 <= tile_width < 1 << 32, "bad tile size")
    require(n * -(-h // tile_height) * -(-w // tile_width) <= 1 << 20, "too many tiles")

    require(len(fields[PIXELS]) == 4, "bad pixels field")
    side = fields.get(SIDE, b"")
    require(SIDE not in fields or 1 <= len(side) <= 1 << 24, "bad side information")
    source = fields.get(SOURCE, b"x")
    require(1 <= len(source) <= 16 and not source.strip(LOWER + DIGITS), "bad source format")

    if CONTENT in fields:
        check_content(fields[CONTENT], n, h, c, depth)

    if CODER in fields:
        require(fields[CODER] == b"\1" and depth == 1, "coded in an unknown way: a newer arcomp is needed")

    pixels = int.from_bytes(fields[PIXELS], "little")
    return Header(
        n, h, w, c, depth, digest, name.decode(), tile_height, tile_width, pixels, side, CODER in fields
    )  # fmt: skip


def check_content(value: bytes, n: int, h: int, c: int, depth: int) -> None:
    """What the samples are said to have been made of can be so (rule 5)."""
    require(len(value) > 0, "an empty content")
    if value[0] == 1:
        require(value == b"\x01" and (n, h, c, depth) == (1, 1, 1, 8), "not bytes")
    if value[0] == 2:
        require(2 <= len(value) <= 257 and value[1] < 8, "bad array")
        require(depth <= (1 if value[1] & 1 else 8), "too deep for the array")
        require((n == 1 or value[1] & 2 > 0) and (c == 1 or value[1] & 4 > 0), "axes that the array does not have")
        try:
            value[2:].decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("the array's name is not UTF-8") from None


def read(data: bytes) -> tuple[Header, bytes]:
    """Header and payload (rules 1 to 8)."""
    require(data[:8] == MAGIC, "not an arcomp file")
    require(data[8:9] == b"\x01", "another version: a newer arcomp is needed")
    require(data[9:10] == b"\x00", "reserved flags: a newer arcomp is needed")
    length, b = number(data, 10)
    require(length <= 17825792, "the header is too long")
    require(len(data) >= b + length + 4, "truncated within the header")
    checksum = int.from_bytes(data[b + length : b + length + 4], "little")
    require(zlib.crc32(data[: b + length]) == checksum, "the header is damaged")

    fields = split_fields(data[b : b + length])
    header = header_of(fields)
    (p,), rest = numbers(fields[PAYLOAD], 1)
    require(len(rest) == 4, "bad payload field")
    payload = data[b + length + 4 :]
    require(len(payload) == p, f"{len(payload)} bytes of payload instead of {p}")
    require(zlib.crc32(payload) == int.from_bytes(rest, "little"), "the payload is damaged")
    return header, payload


Position = tuple[int, int, int]  # tile, y, x


class Tile(NamedTuple):
    """Where a tile lies."""

    image: int
    top: int
    left: int
    height: int
    width: int


def tiles_of(header: Header) -> list[Tile]:
    """All tiles, image by image, row by row."""
    h, w, th, tw = header.height, header.width, header.tile_height, header.tile_width
    corners = product(range(header.images), range(0, h, th), range(0, w, tw))
    return [Tile(image, y, x, min(th, h - y), min(tw, w - x)) for image, y, x in corners]
