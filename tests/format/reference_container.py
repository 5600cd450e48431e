"""docs/format.md's Layout, Fields, Packed bytes and Limits: from a file's bytes to a member and its streams."""

from __future__ import annotations

import lzma
import zlib
from typing import Any, NamedTuple

from tests.format.reference_dictionary import DICTIONARY
from tests.format.reference_numbers import Reader, Refused, clamp, is_time, number, require
from tests.format.reference_records import NODES, SEGMENTS, Record, coded_leaves, read_record

__all__ = ["Refused", "clamp", "number", "require"]

MAGIC = bytes.fromhex("89 41 52 43 0D 0A 1A 0A")
END = bytes.fromhex("89 41 52 43 45 4E 44 0A")
PICTURES, MODELS, PARTS, SAMPLES, STREAMS, ORIGINAL, SKELETON, JPEGS = range(1, 9)
NAME, MODIFIED, MODE, CONTENT = range(0x81, 0x85)
ENTRIES = PACKED = 1
DIGEST = 2
CRITICAL = {0: range(PICTURES, JPEGS + 1), 1: (ENTRIES, STREAMS), 2: (PACKED, DIGEST, STREAMS)}  # by kind of section
LOWER, DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"0123456789"
Shape = tuple[int, int, int, int]


class Kind(NamedTuple):
    """What a stack is."""

    shape: Shape
    depth: int


class Part(NamedTuple):
    """A coded leaf: a stack, and what its model needs to decode it."""

    images: int
    height: int
    width: int
    channels: int
    depth: int
    digest: bytes
    model: str
    tile_height: int
    tile_width: int
    decisions: bool
    side: bytes
    streams: tuple[bytes, ...]


class Plan(NamedTuple):
    """What a header says of a part."""

    tile_height: int
    tile_width: int
    flags: int
    streams: int


class Header(NamedTuple):
    """The fields of a member. Without pictures there are no stacks."""

    stacks: list[tuple[int, int, int]]
    channels: int
    depth: int
    alpha: bool
    models: list[tuple[bytes, str]]
    trees: list[Record]
    plans: list[Plan]
    samples: int
    streams: list[tuple[int, int]]
    original: tuple[int, bytes] | None
    jpeg_model: int
    jpegs: list[list[int]]  # width, height, components, streams
    packed: list[int]  # of the skeleton: method, length, segments, entries, channels


class Member(NamedTuple):
    """A header, and what is in the streams."""

    header: Header
    segments: list[Record] | None
    palette: list[tuple[int, ...]]
    parts: list[tuple[bytes, tuple[bytes, ...]]]  # side information, streams
    jpegs: list[tuple[bytes, ...]]  # streams
    weights: tuple[bytes, ...] = ()  # files of weights in the file


# ---------------------------------------------------------------- Sections


def section(data: bytes, at: int) -> tuple[int, dict[int, bytes], int]:
    """Kind and fields of the section that begins at a place, and where its streams begin (rules 1 to 6)."""
    require(data[at : at + 8] == MAGIC, "not an arcomp file")
    require(data[at + 8 : at + 9] == b"\x01", "another version: a newer arcomp is needed")
    kind = data[at + 9 : at + 10]
    require(kind in (b"\0", b"\1", b"\2"), "another kind of section: a newer arcomp is needed")
    length, b = number(data, at + 10)
    require(length <= 17825792, "the header is too long")
    require(len(data) >= b + length + 4, "truncated within the header")
    checksum = int.from_bytes(data[b + length : b + length + 4], "little")
    require(zlib.crc32(data[at : b + length]) == checksum, "the header is damaged")
    return kind[0], split_fields(data[b : b + length], kind[0]), b + length + 4


def split_fields(block: bytes, kind: int) -> dict[int, bytes]:
    """The values by their tags (rules 5 and 6)."""
    fields: dict[int, bytes] = {}
    at, previous = 0, -1
    while at < len(block):
        tag = block[at]
        size, at = number(block, at + 1)
        require(tag > previous, "fields are out of order or twice there")
        require(at + size <= len(block), "a field does not end with the header")
        require(tag >= 128 or tag in CRITICAL[kind], f"unknown field {tag}: a newer arcomp is needed")
        optional = tag >= 128 and tag not in (NAME, MODIFIED, CONTENT)
        require(size > 0 or optional, "an empty field")
        fields[tag] = block[at : at + size]
        at, previous = at + size, tag
    return fields


def extents(fields: dict[int, bytes]) -> list[tuple[int, int]]:
    """Length and CRC-32 of each stream."""
    reader, found = Reader(fields.get(STREAMS, b"")), []
    while reader.more:
        found.append((reader.number(), reader.u32()))
    return found


def cut(data: bytes, at: int, claimed: list[tuple[int, int]]) -> tuple[list[bytes], int]:
    """The streams that begin at a place, and where they end (rule 8)."""
    found = []
    for length, crc in claimed:
        require(at + length <= len(data), "truncated within the streams")
        stream = data[at : at + length]
        require(zlib.crc32(stream) == crc, "a stream is damaged")
        found.append(stream)
        at += length
    return found, at


# ---------------------------------------------------------------- Fields


def header_of(fields: dict[int, bytes]) -> Header:
    """The fields' values within their limits (rule 5)."""
    stacks: list[tuple[int, int, int]] = []
    channels = depth = samples = 0
    alpha, models = False, models_of(Reader(fields.get(MODELS, b"")))
    trees: list[Record] = []
    plans: list[Plan] = []
    if PICTURES in fields:
        require(SAMPLES in fields, "a field is missing")
        channels, depth, alpha, stacks = pictures_of(Reader(fields[PICTURES]))
        usual = bytes([0, depth, 0, 0])  # a leaf of its depth and of model 0, flags 0
        parts = fields.get(PARTS, usual if len(stacks) == 1 else b"")
        require(PARTS not in fields or parts != usual or len(stacks) > 1, "parts that are usual")
        trees, plans = parts_of(Reader(parts), len(stacks), len(models))
        require(len(fields[SAMPLES]) == 4, "bad samples field")
        samples = int.from_bytes(fields[SAMPLES], "little")
    else:
        require(not {PARTS, SAMPLES, CONTENT} & set(fields), "there are no pictures")
    original, packed = original_of(fields), []
    if SKELETON in fields:
        reader = Reader(fields[SKELETON])
        limits = ((0, 2), (0, 1 << 34), (0, 1), (0, 1 << 16), (0, 4))
        packed = [reader.number(*limit) for limit in limits]
        reader.end()
        require(packed[1] <= (1 << 18) + (original[0] << 12 if original else 0), "too long a skeleton")
        entries, of = packed[3:]
        require((entries, of) == (0, 0) or (entries > 0 and of >= 3), "a palette without colours")
        require(entries == 0 or channels == 1, "a palette of other pictures")
        require(entries > 0 or packed[2] == 1, "an empty skeleton")
    jpegs = jpegs_of(Reader(fields[JPEGS]), len(models)) if JPEGS in fields else (0, [])
    require(bool(stacks or jpegs[1]) or MODELS not in fields, "models of nothing")
    require(not jpegs[1] or (original is not None and bool(packed) and packed[2] == 1), "JPEGs of no file")
    require(sum(p.streams for p in plans) + sum(j[3] for j in jpegs[1]) <= 1 << 20, "too many streams")
    require(bool(stacks) or (original is not None and bool(packed) and packed[2] == 1), "there is nothing in it")
    require(original is not None or not packed or packed[2] == 0, "the skeleton of a file that there is not")
    if CONTENT in fields:
        check_content(fields[CONTENT], stacks[0], channels, depth)
    return Header(stacks, channels, depth, alpha, models, trees, plans, samples, extents(fields), original,
                  *jpegs, packed)  # fmt: skip


def pictures_of(reader: Reader) -> tuple[int, int, bool, list[tuple[int, int, int]]]:
    channels, depth = reader.number(1, 4), reader.number(1, 16)
    flags, most = reader.number(0, 3), (1 << 32) - 1
    count = reader.number(2, 1 << 16) if flags & 2 else 1
    stacks = [(reader.number(1, most), reader.number(1, most), reader.number(1, most)) for _ in range(count)]
    reader.end()
    require(sum(n * h * w for n, h, w in stacks) <= 1 << 30, "too many pixels")
    return channels, depth, flags & 1 == 1, stacks


def models_of(reader: Reader) -> list[tuple[bytes, str]]:
    found = []
    while reader.more:
        digest = reader.bytes(8)
        name = reader.bytes(reader.number(1, 64))
        require(not name.strip(LOWER + DIGITS + b"_-"), "bad name of a model")
        found.append((digest, name.decode()))
    return found


def parts_of(reader: Reader, stacks: int, models: int) -> tuple[list[Record], list[Plan]]:
    trees, plans = [], []
    for _ in range(stacks):
        reader.items = 320
        trees.append(read_record(reader, NODES, 16))
        for leaf in coded_leaves(trees[-1]):
            require(leaf.model < min(2, models), "a part of a model that is not named")
            flags, most = reader.number(0, 15), (1 << 32) - 1
            tile = (reader.number(1, most), reader.number(1, most)) if flags & 4 else (0, 0)
            plans.append(Plan(*tile, flags & 3, reader.number(2, 1 << 20) if flags & 8 else 1))
    reader.end()
    return trees, plans


def jpegs_of(reader: Reader, models: int) -> tuple[int, list[list[int]]]:
    model, found = reader.number(), list[list[int]]()
    while reader.more or not found:
        found.append([reader.number(1, most) for most in (65535, 65535, 4, 1 << 20)])
    require(model < models and len(found) <= 1 << 16, "JPEGs of no model, or too many")
    return model, found


def original_of(fields: dict[int, bytes]) -> tuple[int, bytes] | None:
    """Length and SHA-256; what is said about the file besides is checked and left."""
    if ORIGINAL not in fields:
        require(not {NAME, MODIFIED, MODE} & set(fields), "something of a file that is not there")
        return None
    reader = Reader(fields[ORIGINAL])
    length = reader.number()
    sha256 = reader.bytes(8 if length < 4096 else 32)
    reader.end()
    name = fields.get(NAME, b"x")
    parts = [b"x"] if name == b"/" else name.removesuffix(b"/").split(b"/")
    require(len(name) <= 4096 and not {b"", b".", b".."} & set(parts) and 0 not in name, "bad name")
    require(name[-1:] != b"/" or (length == 0 and PICTURES not in fields), "a folder that holds something")
    require(is_time(fields.get(MODIFIED, bytes(5))), "bad time")
    mode = fields.get(MODE, b"")
    require(len(mode) in (0, 2) and int.from_bytes(mode, "little") <= 0o7777, "bad mode")
    require(mode != b"\xa4\1", "a mode that is longer than need be")
    return length, sha256


def check_content(value: bytes, stack: tuple[int, int, int], c: int, depth: int) -> None:
    """What the samples are said to have been made of can be so (rule 5)."""
    n, h, _ = stack
    if value[0] == 1:
        require(value == b"\x01" and (n, h, c, depth) == (1, 1, 1, 8), "not bytes")
    if value[0] == 2:
        require(2 <= len(value) <= 257, "bad array")
        axes, kind = divmod(value[1], 16)
        require(kind < 5 and axes < 4, "bad array")
        most = (8, 1, 16, 8, 16)[kind]
        require(depth <= most and (kind < 3 or depth == most), "of another depth than the array")
        require((n == 1 or axes & 1 > 0) and (c == 1 or axes & 2 > 0), "axes that the array does not have")
        try:
            value[2:].decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("the array's name is not UTF-8") from None


# ---------------------------------------------------------------- Members


def unpacked(method: int, data: bytes, length: int) -> bytes:
    """Packed bytes."""
    made: bytes | None = data
    try:
        if method:
            window = max(4096, min(1 << 24, length))
            inflater: Any = zlib.decompressobj(-15, zdict=DICTIONARY)
            if method == 2:
                filters = [{"id": lzma.FILTER_LZMA2, "dict_size": window}]
                inflater = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
            made = inflater.decompress(data, length + 1)
            made = made if inflater.eof and not inflater.unused_data else None
    except (zlib.error, lzma.LZMAError, EOFError):
        made = None
    require(made is not None and len(made) == length, "packed bytes are damaged")
    return made or b""


def read_member(data: bytes, at: int = 0) -> tuple[Member, int]:
    """The member that begins at a place, and where it ends (rules 1 to 8)."""
    kind, fields, begin = section(data, at)
    require(kind == 0, "an index or weights, not a member")
    header = header_of(fields)
    wanted = bool(header.packed) + sum(plan.streams + plan.flags // 2 for plan in header.plans)
    wanted += sum(streams for _, _, _, streams in header.jpegs)
    require(len(header.streams) == wanted, "more or fewer streams than there should be")
    streams, end = cut(data, begin, header.streams)
    rest = iter(streams)
    segments, palette = skeleton_of(header.packed, next(rest)) if header.packed else (None, [])
    parts = []
    for plan in header.plans:
        side = next(rest) if plan.flags & 2 else b""
        require(not plan.flags & 2 or 1 <= len(side) <= 1 << 24, "bad side information")
        parts.append((side, tuple(next(rest) for _ in range(plan.streams))))
    jpegs = [tuple(next(rest) for _ in range(streams)) for _, _, _, streams in header.jpegs]
    return Member(header, segments, palette, parts, jpegs), end


def skeleton_of(packed: list[int], stream: bytes) -> tuple[list[Record] | None, list[tuple[int, ...]]]:
    """Segments and palette."""
    method, length, has_segments, entries, channels = packed
    data = unpacked(method, stream, length)
    end = length - entries * channels
    require(end >= 0 and (has_segments == 1 or end == 0), "the palette is cut off")
    colours, opacities = data[end : end + 3 * entries], data[end + 3 * entries :]
    palette = [tuple(colours[3 * i : 3 * i + 3]) + tuple(opacities[i : i + 1]) for i in range(entries)]
    reader, segments = Reader(data[:end]), []
    reader.items = (1 << 16) + 16 * len(stream)
    while reader.more:
        segments.append(read_record(reader, SEGMENTS, 4))
    return segments if has_segments else None, palette


def read(data: bytes) -> Member:
    """The only member of a file; weights and indexes may be after it."""
    member, end = read_member(data)
    while end < len(data):
        kind = section(data, end)[0]
        require(kind != 0, "another member after the end")
        if kind == 2:
            weights, end = read_embedded(data, end)
            member = member._replace(weights=(*member.weights, weights))
        else:
            end = index_end(data, end)
    return member


def read_all(data: bytes) -> list[Member]:
    """All members of a file, by their headers."""
    found, weights, at = [], list[bytes](), 0
    while at < len(data):
        kind = section(data, at)[0]
        if kind == 1:
            at = index_end(data, at)
        elif kind == 2:
            embedded, at = read_embedded(data, at)
            weights.append(embedded)
        else:
            member, at = read_member(data, at)
            found.append(member)
    return [member._replace(weights=tuple(weights)) for member in found]


def read_embedded(data: bytes, at: int) -> tuple[bytes, int]:
    """The file of weights in the section that begins at a place, and where that ends."""
    _, fields, begin = section(data, at)
    streams, end = cut(data, begin, extents(fields))
    require(PACKED in fields and len(fields.get(DIGEST, b"")) == 32 and len(streams) == 1, "weights without fields")
    reader = Reader(fields[PACKED])
    method, length = reader.number(), reader.number()
    require(not reader.more and 1 <= length <= 1 << 26, "bad weights")
    return unpacked(method, streams[0], length), end


def index_end(data: bytes, at: int) -> int:
    """Where the index that begins at a place ends; it is verified."""
    _, fields, begin = section(data, at)
    streams, end = cut(data, begin, extents(fields))
    require(ENTRIES in fields and len(streams) == 1, "an index without entries")
    require(data[end : end + 16] == (end + 16 - at).to_bytes(8, "little") + END, "an index without its trailer")
    return end + 16


def entries_of(data: bytes, at: int) -> list[tuple[int, int, int | None, bytes]]:
    """Of the index that begins at a place: where each member is, its length, its original's length, its name."""
    _, fields, begin = section(data, at)
    streams, _ = cut(data, begin, extents(fields))
    reader = Reader(fields[ENTRIES])
    method, length, count = reader.number(0, 2), reader.number(1, 1 << 28), reader.number()
    reader.end()
    reader, found, covered = Reader(unpacked(method, streams[0], length)), [], 0
    for _ in range(count):
        covered += reader.number()
        size, original = reader.number(1), reader.number()
        found.append((covered, size, original - 1 if original else None, reader.bytes(reader.number(0, 4096))))
        covered += size
    begin = at - covered - reader.number()
    reader.end()
    require(begin >= 0, "an index of more than there is")
    return [(begin + place, size, original, name) for place, size, original, name in found]
