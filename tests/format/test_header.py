"""Rules for a header's fields, and claims that no file may make."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arcomp.container import MAX_SIDE_BYTES, Geometry, Member, ModelId, Original, Part, pack, read_header, unpack
from arcomp.container.member import MAX_NAME_BYTES
from arcomp.errors import FormatError
from arcomp.form import Literal
from arcomp.samples import Array, Bytes, Picture
from arcomp.transforms import Coded, Constant
from tests.format import reference_container
from tests.format.faults import part
from tests.format.fields import (
    CODED,
    CONTENT,
    FILE,
    MEMBER,
    MODE,
    MODELS,
    MODIFIED,
    NAME,
    ORIGINAL,
    PARTS,
    PICTURES,
    SAMPLES,
    SKELETON,
    STREAMS,
    build,
    changed,
    extents,
    fields_of,
    number,
    numbers,
    refusal,
    with_field,
)

ORIGINAL_FILE = Original(300, bytes(range(32)), "x.png")


class TestRulesForFields:
    def test_unknown_optional_field_is_ignored(self) -> None:
        assert unpack(with_field(0xF7, b"later")) == MEMBER
        assert unpack(with_field(0x80, b"")) == MEMBER

    @pytest.mark.parametrize("tag", [0, 9, 0x7F])
    def test_unknown_critical_field_is_refused_by_name(self, tag: int) -> None:
        line = refusal(with_field(tag, b""))
        assert f"{tag:#04x}" in line
        assert "newer arcomp" in line

    @pytest.mark.parametrize("version", [2, 3, 255])
    def test_newer_version(self, version: int) -> None:
        line = refusal(build(fields_of(FILE), version=version))
        assert f"version {version}" in line
        assert "newer arcomp" in line

    def test_version_0(self) -> None:
        assert "version 0" in refusal(build(fields_of(FILE), version=0))

    @pytest.mark.parametrize("kind", [3, 0x80])
    def test_kinds_that_are_not_known(self, kind: int) -> None:
        line = refusal(build(fields_of(FILE), kind=kind))
        assert f"kind {kind}" in line
        assert "newer arcomp" in line

    def test_an_index_is_no_member(self) -> None:
        data = build(fields_of(FILE), kind=1)
        assert "index" in refusal(data)
        with pytest.raises(FormatError, match="index"):
            read_header(io.BytesIO(data))

    def test_a_field_twice(self) -> None:
        fields = fields_of(FILE)
        assert "twice" in refusal(build([*fields[:2], fields[1], *fields[2:]]))
        assert "twice" in refusal(build([*fields, fields[-1]]))

    def test_fields_out_of_order(self) -> None:
        fields = fields_of(FILE)
        fields[0], fields[1] = fields[1], fields[0]
        assert "out of order" in refusal(build(fields))
        assert "out of order" in refusal(build([(0x85, b""), *fields_of(FILE)]))

    @pytest.mark.parametrize("tag", range(1, 8))
    def test_missing_field(self, tag: int) -> None:
        refusal(with_field(tag, None))

    @pytest.mark.parametrize("tag", [*range(1, 8), 0x81, 0x82, 0x84])
    def test_empty_field(self, tag: int) -> None:
        refusal(with_field(tag, b""))

    @pytest.mark.parametrize("tag", [PICTURES, MODELS, PARTS, SAMPLES, STREAMS, ORIGINAL, SKELETON, MODIFIED, MODE])
    @pytest.mark.parametrize("change", [-1, 1])
    def test_field_of_the_wrong_length(self, tag: int, change: int) -> None:
        value = dict(fields_of(FILE))[tag]
        line = refusal(with_field(tag, (value + b"\0")[: len(value) + change]))
        assert "wrong length" in line or "is no number" in line

    @pytest.mark.parametrize(
        ("time", "size"),
        [
            ((1 << 63) - 1, 8),
            (-(1 << 63), 8),
            (1 << 63, 12),
            (-(1 << 63) - 1, 12),
            (-(10**9 << 63), 12),
            (10**9 * ((1 << 39) - 1) + 1, 12),
            (1_700_000_000 * 10**9 + 1, 8),
            (1_700_000_000 * 10**9, 5),
            (-(10**9 << 39), 5),
            (10**9 << 39, 12),
        ],
    )
    def test_times_of_all_clocks(self, time: int, size: int) -> None:
        data = pack(replace(MEMBER, original=replace(ORIGINAL_FILE, modified=time)))
        assert unpack(data).original == replace(ORIGINAL_FILE, modified=time)
        stored = time // 10**9 if size == 5 else time
        assert dict(fields_of(data))[MODIFIED] == stored.to_bytes(size, "little", signed=True)
        reference_container.header_of(reference_container.section(data, 0)[1])

    def test_the_usual_mode_is_no_bytes(self) -> None:
        data = pack(replace(MEMBER, original=replace(ORIGINAL_FILE, mode=0o644)))
        assert dict(fields_of(data))[MODE] == b""
        assert unpack(data).original == replace(ORIGINAL_FILE, mode=0o644)
        refusal(with_field(MODE, b"\xa4\1"))

    @pytest.mark.parametrize(("length", "size"), [(0, 8), (4095, 8), (4096, 32)])
    def test_short_files_have_short_hashes(self, length: int, size: int) -> None:
        original = Original(length, bytes(range(32)))
        assert original.sha256 == bytes(range(size))
        data = pack(replace(MEMBER, original=original))
        assert unpack(data).original == original
        assert reference_container.header_of(reference_container.section(data, 0)[1]).original == (
            length,
            bytes(range(size)),
        )

    def test_the_page_has_the_limit_of_names(self) -> None:
        page = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
        assert f"| name | 1 | {MAX_NAME_BYTES} bytes |" in page
        assert f"path in an archive: 1 to {MAX_NAME_BYTES} bytes |" in page

    @pytest.mark.parametrize("name", [b"", b"a" * 65, b"Photo", b"a b", b"../x", b"\xff", b"a\n"])
    def test_model_names(self, name: bytes) -> None:
        refusal(with_field(MODELS, bytes(8) + number(len(name)) + name))

    @pytest.mark.parametrize("name", [
        b"/", b"..", b".", b"a\0", b"a" * 4097, b"/a", b"a//b", b"../a", b"a/..", b"a/./b", b"a/", b"a/../b", b"./a",
    ])  # fmt: skip
    def test_names_that_no_file_has(self, name: bytes) -> None:
        refusal(with_field(NAME, name))

    @pytest.mark.parametrize(
        "name", [b"x", b"...", b"a" * 4096, b"a/b", b"a/..b/c.", b"\xff\xfe", "ä".encode(), b"a\nb"]
    )
    def test_names(self, name: bytes) -> None:
        original = unpack(with_field(NAME, name)).original
        assert original is not None
        assert original.name.encode("utf-8", "surrogateescape") == name
        assert pack(unpack(with_field(NAME, name))) == with_field(NAME, name)

    @pytest.mark.parametrize("content", [b"", b"\x01\0", b"\x02", b"\x02\0", b"\x02\x35", b"\x02\x40",
                                         b"\x02\x30\xff", b"\x02\x30" + b"a" * 256])  # fmt: skip
    def test_contents(self, content: bytes) -> None:
        refusal(with_field(CONTENT, content))

    def test_a_content_must_be_what_the_samples_are(self) -> None:
        assert "content" in refusal(with_field(CONTENT, b"\x01"))  # a picture of several rows
        assert "content" in refusal(with_field(CONTENT, b"\x02\x31"))  # 8 bits

    def test_contents_that_are_not_known_are_pictures(self) -> None:
        assert unpack(with_field(CONTENT, b"\x09abc")).form == Picture()

    def test_bytes_that_are_no_field_after_the_last(self) -> None:
        assert "is no number" in refusal(build(fields_of(FILE), extra=b"\xff\xff"))

    @pytest.mark.parametrize("value", [b"\x80", b"\x80\x00", b"\xff" * 9 + b"\x01", b"\x83\x80\x00"])
    def test_numbers_have_one_form(self, value: bytes) -> None:
        assert "is no number" in refusal(with_field(PICTURES, value + bytes([8, 0, 2, 5, 7])))

    def test_what_is_said_of_a_file_needs_one(self) -> None:
        without = {ORIGINAL: None, SKELETON: None, NAME: None, MODIFIED: None, MODE: None,
                   STREAMS: extents(b"side", CODED)}  # fmt: skip
        assert unpack(changed(FILE, without, streams=b"side" + CODED)).original is None
        for tag, value in ((NAME, b"x"), (MODIFIED, bytes(8)), (MODE, bytes(2))):
            assert "original" in refusal(changed(FILE, without | {tag: value}, streams=b"side" + CODED))


class TestHostileClaims:
    @pytest.mark.parametrize(
        "pictures",
        [
            (3, 8, 0, 0, 5, 7),
            (3, 8, 0, 2, 0, 7),
            (3, 8, 0, 2, 5, 0),
            (0, 8, 0, 2, 5, 7),
            (5, 8, 0, 2, 5, 7),
            (3, 0, 0, 2, 5, 7),
            (3, 17, 0, 2, 5, 7),
            (3, 8, 4, 2, 5, 7),
            (3, 8, 2, 1, 2, 5, 7),
            (3, 8, 2, 0),
            (3, 8, 2, (1 << 16) + 1),
            (3, 8, 2, 1 << 60, 2, 5, 7),
            (255, 255, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
            (1, 8, 0, 0x10000, 0x10000, 0x10000),
            (1, 8, 0, 1, 0x8001, 0x8000),
            (1, 8, 2, 2, 1, 0x8000, 0x8000, 1, 1, 1),
        ],
    )
    def test_geometry(self, pictures: tuple[int, ...]) -> None:
        refusal(with_field(PICTURES, numbers(*pictures)))

    def test_largest_geometry_is_read(self) -> None:
        values = {PICTURES: numbers(4, 16, 1, 1, 0x8000, 0x8000), PARTS: part(16, (16, 16), 2)}
        geometry = unpack(changed(FILE, values)).geometry
        assert geometry == Geometry(((1, 0x8000, 0x8000),), 4, 16, True)

    @pytest.mark.parametrize("tile", [(0, 4), (4, 0), (1 << 32, 4)])
    def test_half_a_tile_size(self, tile: tuple[int, int]) -> None:
        assert "imposs" in refusal(with_field(PARTS, part(8, tile, 2)))

    @pytest.mark.parametrize("length", [59, 61, 1 << 32, (1 << 63) - 1])
    def test_stream_length(self, length: int) -> None:
        streams = dict(fields_of(FILE))[STREAMS][:-5]
        refusal(with_field(STREAMS, streams + number(length) + struct.pack("<I", zlib.crc32(CODED))))

    def test_streams_that_nobody_asked_for(self) -> None:
        streams = dict(fields_of(FILE))[STREAMS]
        assert "4 streams in place of 3" in refusal(with_field(STREAMS, streams + number(0) + bytes(4)))

    @pytest.mark.parametrize("length", [(17 << 20) + 1, (1 << 28) - 1])
    def test_header_length(self, length: int) -> None:
        data = FILE[:10] + number(length) + FILE[12:]
        assert "the limit is" in refusal(data)
        with pytest.raises(FormatError, match="the limit is"):
            read_header(io.BytesIO(data))

    def test_field_length(self) -> None:
        body = b"\1" + number(0xFFFFFFFF) + b"x"
        start = FILE[:10] + number(len(body)) + body
        assert "claims 4294967295 bytes" in refusal(start + struct.pack("<I", zlib.crc32(start)))

    def test_too_much_side_information(self) -> None:
        side = bytes(MAX_SIDE_BYTES + 1)
        streams = b"\x00\x02\x81\x7f" + side + CODED
        refused = changed(FILE, {STREAMS: extents(b"\x00\x02\x81\x7f", side, CODED)}, streams=streams)
        assert "side information" in refusal(refused)

    @pytest.mark.parametrize("skeleton", [(3, 4, 1, 0, 0), (0, 3, 1, 0, 0), (0, 5, 1, 0, 0), (0, 1 << 35, 1, 0, 0),
                                          (0, 4, 2, 0, 0), (0, 4, 0, 0, 0), (0, 4, 1, 1, 3), (0, 4, 0, 1, 4),
                                          (0, 4, 1, 0, 3), (0, 4, 1, 1, 2), (0, 4, 1, 1, 0)])  # fmt: skip
    def test_skeleton(self, skeleton: tuple[int, ...]) -> None:
        refusal(with_field(SKELETON, numbers(*skeleton)))

    @pytest.mark.parametrize("tree", [b"\x0d\x08\x00", b"\x00\x08\x02", b"\x00\x08", b"\x0a" * 20 + b"\x00\x08\x00",
                                      b"\x01\xff\xff\x03", b"\x04\x7f\x00"])  # fmt: skip
    def test_transforms(self, tree: bytes) -> None:
        refusal(with_field(PARTS, tree + part(8, (4, 3), 2)[3:]))

    def test_no_memory_is_taken_for_claims(self) -> None:
        hostile = [
            FILE[:10] + number((1 << 28) - 1) + FILE[12:],
            with_field(PICTURES, numbers(4, 16, 0, 1, 1 << 16, 1 << 16)),
            with_field(STREAMS, number(1 << 60) + bytes(4)),
            with_field(SKELETON, numbers(0, 1 << 34, 1, 0, 0)),
            with_field(SKELETON, numbers(2, 1 << 34, 1, 0, 0)),
        ]
        tracemalloc.start()
        try:
            for data in hostile:
                refusal(data)
            assert tracemalloc.get_traced_memory()[1] < 1 << 25
        finally:
            tracemalloc.stop()


GEOMETRY, PART, MODEL = Geometry(((1, 5, 7),), 3, 8), Part((4, 3), (b"",)), ModelId("photo-1", bytes(8))


class TestMembersThatCannotBe:
    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            (Geometry, {"stacks": ()}),
            (Geometry, {"stacks": ((0, 5, 7),)}),
            (Geometry, {"stacks": ((1, -1, 7),)}),
            (Geometry, {"stacks": ((1, 1 << 30, 2),)}),
            (Geometry, {"channels": 5}),
            (Geometry, {"depth": 17}),
            (ModelId, {"name": "Photo"}),
            (ModelId, {"digest": bytes(32)}),
            (Part, {"tile": (0, 4)}),
            (Part, {"tile": (4, 1 << 32)}),
            (Part, {"streams": ()}),
            (Part, {"side": bytes(MAX_SIDE_BYTES + 1)}),
            (Original, {"length": -1}),
            (Original, {"sha256": bytes(31)}),
            (Original, {"name": "a//b"}),
            (Original, {"name": "\ud800"}),
            (Original, {"modified": 10**9 << 63}),
            (Original, {"mode": 0o10000}),
            (Member, {"samples_crc": 1 << 32}),
            (Member, {"trees": ()}),
            (Member, {"parts": ()}),
            (Member, {"models": ()}),
            (Member, {"trees": (Constant((0,)),)}),
            (Member, {"original": None}),
            (Member, {"geometry": None, "trees": (), "parts": (), "skeleton": None}),
            (Member, {"form": Bytes()}),
            (Member, {"form": Array("int16", True, True)}),
            (Member, {"form": Array("float32", True, True)}),
        ],
    )
    def test_all(self, kind: type, values: dict[str, Any]) -> None:
        right: dict[type, Any] = {Geometry: GEOMETRY, ModelId: MODEL, Part: PART, Original: Original(5, bytes(32))}
        whole = Member(GEOMETRY, (Coded(8),), (PART,), (MODEL,), original=Original(5, bytes(32)),
                       skeleton=(Literal(b"x"),))  # fmt: skip
        with pytest.raises(FormatError):
            replace(right.get(kind, whole), **values)
