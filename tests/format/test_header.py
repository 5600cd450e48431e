"""Rules for a header's fields, and claims that no file may make."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import pytest

from arcomp.container import (
    MAX_SIDE_BYTES,
    read_header,
    unpack,
)
from arcomp.errors import FormatError
from arcomp.samples import Picture
from tests.format.fields import (
    FILE,
    HEADER,
    PAYLOAD,
    build,
    fields_of,
    number,
    numbers,
    refusal,
    with_field,
)


class TestRulesForFields:
    def test_unknown_optional_field_is_ignored(self) -> None:
        assert unpack(with_field(0xF7, b"later")) == (HEADER, PAYLOAD)
        assert unpack(with_field(0x80, b"")) == (HEADER, PAYLOAD)

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

    @pytest.mark.parametrize("flags", [1, 0x80])
    def test_reserved_flags(self, flags: int) -> None:
        assert "reserved" in refusal(build(fields_of(FILE), flags=flags))

    def test_a_field_twice(self) -> None:
        fields = fields_of(FILE)
        assert "twice" in refusal(build([*fields[:2], fields[1], *fields[2:]]))
        assert "twice" in refusal(build([*fields, fields[-1]]))

    def test_fields_out_of_order(self) -> None:
        fields = fields_of(FILE)
        fields[0], fields[1] = fields[1], fields[0]
        assert "out of order" in refusal(build(fields))
        assert "out of order" in refusal(build([(0x83, b""), *fields_of(FILE)]))

    @pytest.mark.parametrize("tag", [1, 2, 4, 5])
    def test_missing_field(self, tag: int) -> None:
        assert "missing" in refusal(with_field(tag, None))

    @pytest.mark.parametrize("tag", [1, 2, 3, 4, 5, 6, 8, 0x81])
    def test_empty_field(self, tag: int) -> None:
        refusal(with_field(tag, b""))

    @pytest.mark.parametrize("tag", [1, 3, 4, 5])
    @pytest.mark.parametrize("change", [-1, 1])
    def test_field_of_the_wrong_length(self, tag: int, change: int) -> None:
        value = dict(fields_of(FILE))[tag]
        line = refusal(with_field(tag, (value + b"\0")[: len(value) + change]))
        assert "wrong length" in line or "is no number" in line

    @pytest.mark.parametrize("name", [b"", b"a" * 65, b"Photo", b"a b", b"../x", b"\xff", b"a\n"])
    def test_model_names(self, name: bytes) -> None:
        refusal(with_field(2, bytes(8) + name))

    @pytest.mark.parametrize("source", [b"PNG", b".png", b"a/b", b"a" * 17, b"\xe9", b"a\n"])
    def test_source_formats(self, source: bytes) -> None:
        refusal(with_field(0x81, source))

    @pytest.mark.parametrize("content", [b"", b"\x01\0", b"\x02", b"\x02\x08", b"\x02\0\xff", b"\x02\0" + b"a" * 256])
    def test_contents(self, content: bytes) -> None:
        refusal(with_field(0x82, content))

    def test_a_content_must_be_what_the_samples_are(self) -> None:
        assert "content" in refusal(with_field(0x82, b"\x01"))  # a picture of several rows
        assert "content" in refusal(with_field(0x82, b"\x02\x01"))  # 8 bits

    def test_contents_that_are_not_known_are_pictures(self) -> None:
        assert unpack(with_field(0x82, b"\x09abc"))[0].form == Picture()

    def test_bytes_that_are_no_field_after_the_last(self) -> None:
        assert "is no number" in refusal(build(fields_of(FILE), extra=b"\xff\xff"))

    @pytest.mark.parametrize("value", [b"\x80", b"\x80\x00", b"\xff" * 9 + b"\x01", b"\x82\x80\x00"])
    def test_numbers_have_one_form(self, value: bytes) -> None:
        assert "is no number" in refusal(with_field(1, value + bytes([5, 7, 3, 8])))


class TestHostileClaims:
    @pytest.mark.parametrize(
        "geometry",
        [
            (0, 5, 7, 3, 8),
            (1, 0, 7, 3, 8),
            (1, 5, 0, 3, 8),
            (1, 5, 7, 0, 8),
            (1, 5, 7, 5, 8),
            (1, 5, 7, 3, 0),
            (1, 5, 7, 3, 17),
            (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 255, 255),
            (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 4, 16),
            (0x10000, 0x10000, 0x10000, 1, 8),
            (1, 0x4001, 0x4000, 1, 8),
        ],
    )
    def test_geometry(self, geometry: tuple[int, ...]) -> None:
        refusal(with_field(1, numbers(*geometry)))

    def test_largest_geometry_is_read(self) -> None:
        fields = dict(fields_of(FILE)) | {1: numbers(1, 0x4000, 0x4000, 4, 16), 3: numbers(16, 16)}
        header, _ = unpack(build(sorted(fields.items())))
        assert header.shape == (1, 0x4000, 0x4000, 4)

    @pytest.mark.parametrize("value", [numbers(0), numbers(1 << 32), numbers(4, 4), b"", b"\x80"])
    def test_strips_that_cannot_be(self, value: bytes) -> None:
        fields = {k: v for k, v in fields_of(FILE) if k != 3} | {7: value}
        refusal(build(sorted(fields.items())))

    @pytest.mark.parametrize("tiles", [(0, 4), (4, 0), (0, 0), (1 << 32, 4)])
    def test_half_a_tile_size(self, tiles: tuple[int, int]) -> None:
        assert "tile" in refusal(with_field(3, numbers(*tiles)))

    def test_too_many_tiles(self) -> None:
        fields = dict(fields_of(FILE)) | {1: numbers(1, 1 << 14, 1 << 14, 1, 8), 3: numbers(16, 15)}
        assert "tiles" in refusal(build(sorted(fields.items())))
        fields[3] = numbers(16, 16)
        assert unpack(build(sorted(fields.items())))[0].tile_width == 16
        del fields[3]
        fields[1] = numbers((1 << 20) + 1, 1, 1, 1, 8)
        assert "tiles" in refusal(build(sorted(fields.items())))

    @pytest.mark.parametrize("length", [59, 61, 1 << 32, (1 << 63) - 1])
    def test_payload_length(self, length: int) -> None:
        refusal(with_field(4, number(length) + struct.pack("<I", zlib.crc32(PAYLOAD))))

    @pytest.mark.parametrize("length", [(17 << 20) + 1, (1 << 28) - 1])
    def test_header_length(self, length: int) -> None:
        data = FILE[:10] + number(length) + FILE[11:]
        assert "the limit is" in refusal(data)
        with pytest.raises(FormatError, match="the limit is"):
            read_header(io.BytesIO(data))

    def test_field_length(self) -> None:
        body = b"\1" + number(0xFFFFFFFF) + b"x"
        start = FILE[:10] + number(len(body)) + body
        assert "claims 4294967295 bytes" in refusal(start + struct.pack("<I", zlib.crc32(start)))

    def test_too_much_side_information(self) -> None:
        assert "side information" in refusal(with_field(6, bytes(MAX_SIDE_BYTES + 1)))

    def test_no_memory_is_taken_for_claims(self) -> None:
        hostile = [
            FILE[:10] + number((1 << 28) - 1) + FILE[11:],
            with_field(1, numbers(1, 1 << 16, 1 << 16, 4, 16)),
            with_field(4, number(1 << 60) + bytes(4)),
        ]
        tracemalloc.start()
        try:
            for data in hostile:
                refusal(data)
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()


class TestHeader:
    @pytest.mark.parametrize(
        "change",
        [
            {"images": 0},
            {"height": -1},
            {"width": 1 << 28},
            {"channels": 5},
            {"depth": 17},
            {"model": "Photo"},
            {"digest": bytes(32)},
            {"tile_height": 0},
            {"tile_width": 1 << 32},
            {"pixels_crc": 1 << 32},
            {"side": bytes(MAX_SIDE_BYTES + 1)},
            {"source": "PNG"},
        ],
    )
    def test_a_header_that_could_not_be_read_cannot_be_made(self, change: dict[str, Any]) -> None:
        with pytest.raises(FormatError):
            replace(HEADER, **change)
