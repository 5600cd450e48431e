"""The fields of a member's header, as bytes and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from arcomp.container.content import decode_content, encode_content
from arcomp.container.fields import CRC, DAMAGED, OPTIONAL, Cursor, numbers, read_fields, write_fields
from arcomp.container.jpegs import JpegPlans, decode_jpegs, encode_jpegs
from arcomp.container.member import (
    DIGEST_BYTES,
    MAX_NAME_BYTES,
    MAX_STACKS,
    MAX_TILES,
    CodedJpeg,
    Geometry,
    Member,
    ModelId,
    Original,
    Part,
    hash_bytes,
)
from arcomp.container.records import Family
from arcomp.container.skeleton import unpack_skeleton
from arcomp.errors import FormatError
from arcomp.limits import PACKED_PER_BYTE, USUAL_LIMITS, Budget, Limits
from arcomp.samples import MAX_CHANNELS, MAX_ENTRIES, Form, Picture
from arcomp.transforms import MAX_NODES, NODES, Coded, Node, coded_leaves

TAG_PICTURES, TAG_MODELS, TAG_PARTS, TAG_SAMPLES, TAG_STREAMS, TAG_ORIGINAL, TAG_SKELETON, TAG_JPEGS = range(1, 9)
TAG_NAME, TAG_MODIFIED, TAG_MODE, TAG_CONTENT = (OPTIONAL | i for i in range(1, 5))
KNOWN = frozenset((*range(1, 9), *(OPTIONAL | i for i in range(1, 5))))
MAX_SKELETON_BYTES = 1 << 34
"""Most bytes of a skeleton: the largest file that is kept as bytes."""
_MANY = "the file is damaged: a transform has more parts than it may have"
ITEMS_OF_A_TREE = MAX_NODES + 64 * MAX_CHANNELS
"""Nodes of a tree, and values of its constants."""
_SKELETON_FREELY = 4 * MAX_ENTRIES
"""Bytes of a skeleton, the largest palette among them, that any file may have, however short the original."""
NODE_RECORDS = Family(NODES, "a transform")

_HAS_ALPHA, _STACKS = 1, 2
_BINARY, _HAS_SIDE, _TILES, _STREAMS = 1, 2, 4, 8
_MODE = struct.Struct("<H")
_SECONDS_BYTES, _TIME_BYTES, _LONG_TIME_BYTES = 5, 8, 12
"""Of a time in whole seconds, of one in nanoseconds, and of one that is too far away for that."""
_SECOND = 10**9
_USUAL_MODE = 0o644
"""Is stored as no bytes."""


@dataclass(frozen=True)
class Extent:
    """A stream's length in bytes, and its CRC-32."""

    length: int
    crc: int


def header_fields(member: Member, streams: list[Extent], skeleton: tuple[int, int] | None) -> bytes:
    """All fields of a member's header.

    Args:
        streams: of all streams, in their sequence.
        skeleton: of the stream that holds form and palette, its method and unpacked length; None: there is none.
    """
    fields: list[tuple[int, bytes]] = []
    if member.geometry:
        fields.append((TAG_PICTURES, _pictures(member.geometry)))
    if member.models:
        models = (model.digest + numbers(len(model.name)) + model.name.encode() for model in member.models)
        fields.append((TAG_MODELS, b"".join(models)))
    if member.geometry:
        parts = _parts(member)
        fields += [(TAG_PARTS, parts)] if parts != _usual_part(member.geometry) else []
        fields.append((TAG_SAMPLES, CRC.pack(member.samples_crc)))
    if streams:
        fields.append((TAG_STREAMS, b"".join(numbers(s.length) + CRC.pack(s.crc) for s in streams)))
    original = member.original
    if original:
        fields.append((TAG_ORIGINAL, numbers(original.length) + original.sha256))
    if skeleton is not None:
        palette = member.geometry.palette if member.geometry else None
        entries = (0, 0) if palette is None else palette.shape
        fields.append((TAG_SKELETON, numbers(*skeleton, member.skeleton is not None, *entries)))
    if member.jpegs:
        fields.append((TAG_JPEGS, encode_jpegs(member.jpeg_model, member.jpegs)))
    if original and original.name:
        fields.append((TAG_NAME, original.name.encode("utf-8", "surrogateescape")))
    if original and original.modified is not None:
        fields.append((TAG_MODIFIED, _time(original.modified)))
    if original and original.mode is not None:
        fields.append((TAG_MODE, _mode(original.mode)))
    if member.geometry and not isinstance(member.form, Picture):
        fields.append((TAG_CONTENT, encode_content(member.form)))
    return write_fields(fields)


def _time(modified: int) -> bytes:
    seconds, rest = divmod(modified, _SECOND)
    if not rest and -(1 << 39) <= seconds < 1 << 39:
        return seconds.to_bytes(_SECONDS_BYTES, "little", signed=True)
    short = -(1 << 63) <= modified < 1 << 63
    return modified.to_bytes(_TIME_BYTES if short else _LONG_TIME_BYTES, "little", signed=True)


def _mode(mode: int) -> bytes:
    return b"" if mode == _USUAL_MODE else _MODE.pack(mode)


def _pictures(geometry: Geometry) -> bytes:
    several = len(geometry.stacks) > 1
    flags = _HAS_ALPHA * geometry.alpha | _STACKS * several
    count = numbers(len(geometry.stacks)) if several else b""
    sizes = b"".join(numbers(*stack) for stack in geometry.stacks)
    return numbers(geometry.channels, geometry.depth, flags) + count + sizes


def _usual_part(geometry: Geometry) -> bytes:
    """What the field of parts would hold for one picture coded as it is, in one tile and one stream; it is left out."""
    return NODE_RECORDS.encode(Coded(geometry.depth)) + numbers(0) if len(geometry.stacks) == 1 else b""


def _parts(member: Member) -> bytes:
    """Each stack's tree, then what its parts say."""
    out, parts = [], iter(member.parts)
    for tree in member.trees:
        out.append(NODE_RECORDS.encode(tree))
        for part in (next(parts) for _ in coded_leaves(tree)):
            tiles, several = part.tile != (0, 0), len(part.streams) > 1
            flags = _BINARY * part.binary_samples | _HAS_SIDE * bool(part.side) | _TILES * tiles | _STREAMS * several
            out.append(numbers(flags, *(part.tile if tiles else ()), *((len(part.streams),) if several else ())))
    return b"".join(out)


@dataclass(frozen=True)
class PartPlan:
    """What a header says of a part; its streams follow the header."""

    tile: tuple[int, int]
    binary_samples: bool
    has_side: bool
    streams: int


@dataclass(frozen=True)
class Header:
    """What a header says, before any stream is read."""

    geometry: Geometry | None
    trees: tuple[Node, ...]
    plans: tuple[PartPlan, ...]
    models: tuple[ModelId, ...]
    samples_crc: int
    streams: tuple[Extent, ...]
    original: Original | None
    packed: tuple[int, int, bool, int, int] | None
    form: Form
    jpegs: JpegPlans

    @property
    def length(self) -> int:
        """Bytes of all streams."""
        return sum(stream.length for stream in self.streams)

    @property
    def wanted(self) -> int:
        """How many streams there must be."""
        of_parts = sum(plan.streams + plan.has_side for plan in self.plans)
        return (self.packed is not None) + of_parts + self.jpegs.streams


def parse_header(data: memoryview) -> Header:
    """The header in a member's fields, their checksum already verified.

    Raises:
        FormatError: fields are missing, malformed, beyond a limit, or critical and unknown.
    """
    values = dict(read_fields(data, KNOWN))
    geometry, crc = None, 0
    trees: tuple[Node, ...] = ()
    plans: tuple[PartPlan, ...] = ()
    if TAG_PICTURES in values:
        geometry = _read_pictures(Cursor(values[TAG_PICTURES], "pictures"))
        usual = _usual_part(geometry)
        parts = values.get(TAG_PARTS, memoryview(usual))
        if TAG_PARTS in values and parts == usual:
            raise FormatError("the header is damaged: its parts field says what is usual", remedy=DAMAGED)
        trees, plans = _read_parts(Cursor(parts, "parts"), len(geometry.stacks))
        cursor = _required(values, TAG_SAMPLES, "samples")
        crc = cursor.crc()
        cursor.end()
    elif set(values) & {TAG_PARTS, TAG_SAMPLES, TAG_CONTENT}:
        raise FormatError("the header is damaged: its pictures field is missing", remedy=DAMAGED)
    jpegs = decode_jpegs(values[TAG_JPEGS]) if TAG_JPEGS in values else JpegPlans()
    models = _read_models(values)
    if models and not (geometry or jpegs.each):
        raise FormatError("the header is impossible: models of nothing", remedy=DAMAGED)
    original, packed = _read_original(values), _read_skeleton(values)
    if packed and packed[1] > _SKELETON_FREELY + PACKED_PER_BYTE * (original.length if original else 0):
        raise FormatError(f"the header is impossible: {packed[1]} bytes of skeleton", remedy=DAMAGED)
    form = decode_content(_present(values, TAG_CONTENT, "content")) if TAG_CONTENT in values else Picture()
    return Header(geometry, trees, plans, models, crc, read_streams(values), original, packed, form, jpegs)


def _required(values: dict[int, memoryview], tag: int, name: str) -> Cursor:
    if tag not in values:
        raise FormatError(f"the header is damaged: its {name} field is missing", remedy=DAMAGED)
    return Cursor(values[tag], name)


def _present(values: dict[int, memoryview], tag: int, name: str) -> bytes:
    """The bytes of a field that may be missing but, if there, is never empty: one form for each header."""
    if not len(values[tag]):
        raise FormatError(f"the header is damaged: its {name} field is empty", remedy=DAMAGED)
    return bytes(values[tag])


def _read_pictures(cursor: Cursor) -> Geometry:
    channels, depth, flags = cursor.number(), cursor.number(), cursor.number(0, _HAS_ALPHA | _STACKS)
    count = cursor.number(2, MAX_STACKS) if flags & _STACKS else 1
    stacks = tuple((cursor.number(), cursor.number(), cursor.number()) for _ in range(count))
    cursor.end()
    return Geometry(stacks, channels, depth, bool(flags & _HAS_ALPHA))


def _read_models(values: dict[int, memoryview]) -> tuple[ModelId, ...]:
    if TAG_MODELS not in values:
        return ()
    cursor, models = Cursor(_present(values, TAG_MODELS, "models"), "models"), []
    while cursor.left:
        digest = cursor.take(DIGEST_BYTES)
        models.append(ModelId(cursor.text(cursor.number(1, 64)), digest))
    return tuple(models)


def _read_parts(cursor: Cursor, stacks: int) -> tuple[tuple[Node, ...], tuple[PartPlan, ...]]:
    trees, plans = [], []
    for _ in range(stacks):
        nodes = Budget(ITEMS_OF_A_TREE, FormatError, _MANY)
        tree, cursor.at = NODE_RECORDS.decode(cursor.value, cursor.at, nodes)
        trees.append(tree)
        for _ in coded_leaves(tree):
            flags = cursor.number(0, _BINARY | _HAS_SIDE | _TILES | _STREAMS)
            tile = (cursor.number(1), cursor.number(1)) if flags & _TILES else (0, 0)
            streams = cursor.number(2, MAX_TILES) if flags & _STREAMS else 1
            plans.append(PartPlan(tile, bool(flags & _BINARY), bool(flags & _HAS_SIDE), streams))
    cursor.end()
    return tuple(trees), tuple(plans)


def read_streams(values: dict[int, memoryview]) -> tuple[Extent, ...]:
    """Length and checksum of each stream of a section, from its fields.

    Raises:
        FormatError: they are malformed.
    """
    if TAG_STREAMS not in values:
        return ()
    cursor, found = Cursor(_present(values, TAG_STREAMS, "streams"), "streams"), []
    while cursor.left:
        found.append(Extent(cursor.number(), cursor.crc()))
    return tuple(found)


def _read_original(values: dict[int, memoryview]) -> Original | None:
    if TAG_ORIGINAL not in values:
        if set(values) & {TAG_NAME, TAG_MODIFIED, TAG_MODE}:
            raise FormatError("the header is damaged: its original field is missing", remedy=DAMAGED)
        return None
    cursor = Cursor(values[TAG_ORIGINAL], "original")
    length = cursor.number()
    sha256 = cursor.take(hash_bytes(length))
    cursor.end()
    name, modified, mode = "", None, None
    if TAG_NAME in values:
        name = _present(values, TAG_NAME, "name")[: MAX_NAME_BYTES + 1].decode("utf-8", "surrogateescape")
    if TAG_MODIFIED in values:
        modified = _read_time(values[TAG_MODIFIED])
    if TAG_MODE in values:
        mode = _read_mode(values[TAG_MODE])
    return Original(length, sha256, name, modified, mode)


def _read_time(value: memoryview) -> int:
    modified = int.from_bytes(value[:_LONG_TIME_BYTES], "little", signed=True)
    modified *= _SECOND if len(value) == _SECONDS_BYTES else 1
    if value != _time(modified):  # of another length, or longer than need be
        raise Cursor(value, "time").wrong()
    return modified


def _read_mode(value: memoryview) -> int:
    if not len(value):
        return _USUAL_MODE
    mode = int(_MODE.unpack(value)[0]) if len(value) == _MODE.size else _USUAL_MODE
    if mode == _USUAL_MODE:  # of another length, or longer than need be
        raise Cursor(value, "mode").wrong()
    return mode


def _read_skeleton(values: dict[int, memoryview]) -> tuple[int, int, bool, int, int] | None:
    if TAG_SKELETON not in values:
        return None
    cursor = Cursor(values[TAG_SKELETON], "skeleton")
    method, length, segments = cursor.number(), cursor.number(0, MAX_SKELETON_BYTES), cursor.number(0, 1)
    entries, channels = cursor.number(0, MAX_ENTRIES), cursor.number(0, 4)
    cursor.end()
    if (entries == 0) != (channels == 0) or channels in (1, 2):
        raise FormatError("the header is impossible: a palette without colours", remedy=DAMAGED)
    if not segments and not entries:
        raise FormatError("the header is impossible: a skeleton of nothing", remedy=DAMAGED)
    return method, length, bool(segments), entries, channels


def assemble(header: Header, streams: list[memoryview], limits: Limits = USUAL_LIMITS) -> Member:
    """The member of a header and its streams.

    Raises:
        FormatError: they do not fit together.
        LimitError: they take more memory than is allowed.
    """
    if header.wanted != len(streams):
        raise FormatError(
            f"the header is impossible: {len(streams)} streams in place of {header.wanted}", remedy=DAMAGED
        )
    rest = iter(streams)
    skeleton, palette = unpack_skeleton(header.packed, next(rest), limits) if header.packed else (None, None)
    parts = []
    for plan in header.plans:
        side = next(rest) if plan.has_side else b""
        if plan.has_side and not len(side):
            raise FormatError("the header is impossible: side information of 0 bytes", remedy=DAMAGED)
        parts.append(Part(plan.tile, tuple(next(rest) for _ in range(plan.streams)), side, plan.binary_samples))
    jpegs = tuple(
        CodedJpeg(plan.width, plan.height, plan.components, tuple(next(rest) for _ in range(plan.streams)))
        for plan in header.jpegs.each
    )
    geometry = header.geometry
    if palette is not None:
        if geometry is None:
            raise FormatError("the header is impossible: a palette without pictures", remedy=DAMAGED)
        geometry = Geometry(geometry.stacks, geometry.channels, geometry.depth, geometry.alpha, palette)
    return Member(
        geometry, header.trees, tuple(parts), header.models, header.form, header.samples_crc, header.original, skeleton,
        jpegs, header.jpegs.model, sum(map(len, streams)),
    )  # fmt: skip
