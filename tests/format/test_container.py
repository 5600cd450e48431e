"""The file format: what is written is read back, and nothing else is."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcomp.container import (
    MAGIC,
    MAX_SIDE_BYTES,
    Header,
    pack,
    pixels_checksum,
    read_header,
    unpack,
    write_atomically,
)
from arcomp.errors import FormatError, OutputError
from arcomp.samples import Array, Bytes, Picture

HEADER = Header(
    images=2,
    height=5,
    width=7,
    channels=3,
    depth=8,
    model="photo-1",
    digest=bytes(range(8)),
    tile_height=4,
    tile_width=4,
    pixels_crc=0x89ABCDEF,
    side=b"side",
    source="png",
)
PAYLOAD = bytes(range(60))
FILE = pack(HEADER, PAYLOAD)

Fields = list[tuple[int, bytes]]


def fields_of(data: bytes) -> Fields:
    """The fields of a file, parsed here from FORMAT.md alone."""
    length, at = number_at(data, 10)
    end, found = at + length, []
    while at < end:
        size, begin = number_at(data, at + 1)
        found.append((data[at], data[begin : begin + size]))
        at = begin + size
    return found


def number_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > 127:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
    return value | data[at] << shift, at + 1


def number(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def numbers(*values: int) -> bytes:
    return b"".join(number(v) for v in values)


def build(fields: Fields, *, version: int = 1, flags: int = 0, extra: bytes = b"") -> bytes:
    """A file with these fields, the sample payload and a right checksum, by FORMAT.md alone."""
    body = b"".join(bytes([tag]) + number(len(value)) + value for tag, value in fields) + extra
    start = b"\x89ARC\r\n\x1a\n" + bytes([version, flags]) + number(len(body)) + body
    return start + struct.pack("<I", zlib.crc32(start)) + PAYLOAD


def with_field(tag: int, value: bytes | None) -> bytes:
    """The sample file with one field replaced, added in its place, or (None) left out."""
    fields = dict(fields_of(FILE))
    if value is None:
        del fields[tag]
    else:
        fields[tag] = value
    return build(sorted(fields.items()))


def refusal(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        unpack(data)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 250
    return line


headers = st.builds(
    Header,
    images=st.integers(1, 1 << 9),
    height=st.integers(1, 1 << 9),
    width=st.integers(1, 1 << 10),
    channels=st.integers(1, 4),
    depth=st.integers(1, 16),
    model=st.text("abcxyz0189_-", min_size=1, max_size=64),
    digest=st.binary(min_size=8, max_size=8),
    tile_height=st.integers(1 << 6, (1 << 32) - 1),
    tile_width=st.integers(1 << 6, (1 << 32) - 1),
    pixels_crc=st.integers(0, (1 << 32) - 1),
    side=st.binary(max_size=50),
    source=st.text("abcxyz0189", max_size=16),
)
arrays = st.builds(
    Array,
    dtype=st.sampled_from(["bool", "uint8"]),
    images=st.booleans(),
    channels=st.booleans(),
    name=st.text(max_size=63),
)


class TestRoundTrip:
    @given(headers, st.binary(max_size=200))
    def test_what_is_packed_is_unpacked(self, header: Header, payload: bytes) -> None:
        data = pack(header, payload)
        assert unpack(data) == (header, payload)
        assert unpack(memoryview(data)) == (header, payload)
        assert read_header(io.BytesIO(data)) == (header, len(payload), len(data) - len(payload))

    @given(arrays)
    def test_contents_come_back(self, array: Array) -> None:
        of_bytes = replace(HEADER, images=1, height=1, width=9, channels=1, depth=8, form=Bytes(), side=b"")
        of_array = replace(of_bytes, depth=1, form=array)
        for header in (of_bytes, of_array):
            assert unpack(pack(header, b""))[0] == header

    def test_bytes_are_those_of_the_specification(self) -> None:
        expected = build(
            [
                (1, bytes([2, 5, 7, 3, 8])),
                (2, bytes(range(8)) + b"photo-1"),
                (3, bytes([4, 4])),
                (4, bytes([60]) + struct.pack("<I", zlib.crc32(PAYLOAD))),
                (5, struct.pack("<I", 0x89ABCDEF)),
                (6, b"side"),
                (0x81, b"png"),
            ]
        )
        assert expected == FILE

    def test_strips_say_only_how_high_they_are(self) -> None:
        header = replace(HEADER, tile_height=3, tile_width=HEADER.width)
        data = pack(header, PAYLOAD)
        assert (7, bytes([3])) in fields_of(data)
        assert 3 not in dict(fields_of(data))
        assert unpack(data) == (header, PAYLOAD)
        as_tiles = build(sorted((dict(fields_of(FILE)) | {3: numbers(3, HEADER.width)}).items()))
        assert unpack(as_tiles)[0] == header
        assert "both tiles and strips" in refusal(with_field(7, numbers(3)))

    def test_empty_optional_parts_take_no_field(self) -> None:
        bare = replace(HEADER, side=b"", source="", tile_height=0, tile_width=0)
        data = pack(bare, b"")
        assert [tag for tag, _ in fields_of(data)] == [1, 2, 4, 5]
        assert unpack(data) == (bare, b"")

    def test_header_is_read_from_a_stream_that_hands_out_single_bytes(self) -> None:
        class Slow(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                return super().read(min(1, size or 0))

        header, length, before = read_header(Slow(FILE))
        assert (header, length, before) == (HEADER, 60, len(FILE) - 60)

    def test_largest_side_information(self) -> None:
        header = replace(HEADER, side=bytes(MAX_SIDE_BYTES))
        assert unpack(pack(header, b""))[0] == header


class TestDamage:
    def test_every_truncation(self) -> None:
        for size in range(len(FILE)):
            line = refusal(FILE[:size])
            assert ("empty" if size == 0 else f"truncated, {size} of") in line
        assert f"of {len(FILE)} bytes" in refusal(FILE[:-1])

    def test_every_truncation_of_the_header_in_a_stream(self) -> None:
        for size in range(len(FILE) - len(PAYLOAD)):
            with pytest.raises(FormatError):
                read_header(io.BytesIO(FILE[:size]))

    @pytest.mark.parametrize("mask", [1, 2, 4, 8, 16, 32, 64, 128, 0xFF, 0x55])
    def test_every_byte_flipped(self, mask: int) -> None:
        for at in range(len(FILE)):
            damaged = bytearray(FILE)
            damaged[at] ^= mask
            refusal(bytes(damaged))

    def test_bytes_after_the_end(self) -> None:
        assert "3 bytes after its end" in refusal(FILE + b"abc")

    def test_payload_and_header_damage_are_told_apart(self) -> None:
        assert "payload is damaged" in refusal(FILE[:-1] + b"\0")
        assert "header is damaged" in refusal(FILE[:30] + b"\xaa" + FILE[31:])

    @given(st.binary(max_size=300))
    def test_noise_is_refused(self, noise: bytes) -> None:
        refusal(noise)
        refusal(MAGIC + b"\1\0" + noise)

    @given(st.lists(st.tuples(st.integers(0, 9) | st.sampled_from([0x81, 0x82]), st.binary(max_size=50)), max_size=8))
    def test_checksummed_noise_never_raises_anything_else(self, fields: Fields) -> None:
        with pytest.raises(FormatError):
            unpack(build(fields))


class TestWhatElseItMayBe:
    @pytest.mark.parametrize(
        ("start", "word"),
        [
            (b"", "empty"),
            (b"\x89PNG\r\n\x1a\n" + bytes(30), "a PNG picture"),
            (b"\xff\xd8\xff\xe0" + bytes(30), "a JPEG picture"),
            (b"RIFF\1\2\3\4WEBPVP8L" + bytes(30), "a WebP picture"),
            (b"BM" + bytes(30), "a BMP picture"),
            (b"II*\0" + bytes(30), "a TIFF picture"),
            (b"MM\0*" + bytes(30), "a TIFF picture"),
            (b"\x1f\x8b\x08" + bytes(30), "gzip data"),
            (b"PK\x03\x04" + bytes(30), "a zip archive"),
            (b"hello", "not an arcomp file"),
        ],
    )
    def test_other_files_are_named(self, start: bytes, word: str) -> None:
        assert word in refusal(start)

    @pytest.mark.parametrize(
        "mangle",
        [
            lambda data: data.replace(b"\r\n", b"\n"),
            lambda data: data.replace(b"\n", b"\r\n"),
            lambda data: data.replace(b"\r", b"\n"),
            lambda data: data.replace(b"\n", b"\r"),
            lambda data: bytes(byte & 0x7F for byte in data),
            lambda data: data.decode("latin-1").encode("utf-8"),
            lambda data: data.decode("utf-8", "replace").encode("utf-8"),
            lambda data: data.decode("ascii", "replace").encode("ascii", "replace"),
        ],
    )
    def test_transfers_in_text_mode_are_recognised(self, mangle: Callable[[bytes], bytes]) -> None:
        assert "text mode" in refusal(mangle(FILE))


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


class TestPixelsChecksum:
    def test_bytes_of_8_bit_samples(self) -> None:
        pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        assert pixels_checksum(pixels, 8) == zlib.crc32(bytes(range(24)))

    def test_bytes_of_16_bit_samples(self) -> None:
        pixels = np.array([[[0x0102], [0xFFFE]]], dtype=np.uint16)
        assert pixels_checksum(pixels, 16) == zlib.crc32(b"\x02\x01\xfe\xff")
        assert pixels_checksum(np.array([1, 2], dtype=np.uint8), 9) == zlib.crc32(b"\1\0\2\0")

    def test_memory_layout_and_type_do_not_matter(self) -> None:
        pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        turned = np.asfortranarray(pixels)
        assert pixels_checksum(turned, 8) == pixels_checksum(pixels, 8)
        assert pixels_checksum(pixels.astype(">i4"), 8) == pixels_checksum(pixels, 8)
        assert pixels_checksum(pixels[::-1], 8) == zlib.crc32(pixels[::-1].tobytes())

    @pytest.mark.parametrize(
        ("pixels", "depth"),
        [
            (np.array([256]), 8),
            (np.array([-1]), 8),
            (np.array([16], np.uint8), 4),
            (np.array([1.0]), 8),
            (np.array([1]), 17),
        ],
    )
    def test_samples_that_do_not_fit(self, pixels: np.ndarray[Any, Any], depth: int) -> None:
        with pytest.raises(FormatError):
            pixels_checksum(pixels, depth)


class TestAtomicWriting:
    def test_writes_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / "a", b"one", overwrite=False)
        write_atomically(str(tmp_path / "b"), memoryview(b"two"), overwrite=True)
        write_atomically(tmp_path / "b", b"", overwrite=True)
        assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a": b"one", "b": b""}

    def test_relative_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write_atomically("a", b"one", overwrite=False)
        assert (tmp_path / "a").read_bytes() == b"one"

    def test_existing_file_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"old")
        with pytest.raises(OutputError, match="exists already") as caught:
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert caught.value.path == str(tmp_path / "a")
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"old"]

    @pytest.mark.parametrize("links", [True, False])
    def test_file_that_appears_meanwhile_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
    ) -> None:
        real = os.fsync

        def race(handle: int) -> None:
            (tmp_path / "a").write_bytes(b"theirs")
            real(handle)

        monkeypatch.setattr(os, "fsync", race)
        if not links:
            monkeypatch.setattr(os, "link", raiser(OSError(errno.EPERM, "no links")))
        with pytest.raises(OutputError, match="exists already"):
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"theirs"]

    def test_file_system_without_hard_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "link", raiser(OSError(errno.ENOTSUP, "no links")))
        write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"new"]

    @pytest.mark.parametrize(
        ("call", "overwrite"),
        [
            ("write", True),
            ("write", False),
            ("fsync", True),
            ("fsync", False),
            ("replace", True),
            ("link", False),
        ],
    )
    @pytest.mark.parametrize(
        ("error", "word"),
        [
            (OSError(errno.ENOSPC, "No space left on device"), "no space"),
            (OSError(errno.EIO, "Input/output error"), "Input/output error"),
            (KeyboardInterrupt("stopped"), "stopped"),
        ],
    )
    def test_failure_leaves_what_was_there(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        call: str,
        overwrite: bool,
        error: BaseException,
        word: str,
    ) -> None:
        if overwrite:
            (tmp_path / "a").write_bytes(b"old")
        monkeypatch.setattr(os, call, raiser(error))
        kind = OutputError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(kind, match=word):
            write_atomically(tmp_path / "a", b"new", overwrite=overwrite)
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([b"old"] if overwrite else [])

    def test_failure_after_a_claim_gives_the_name_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "link", raiser(OSError(errno.EPERM, "no links")))
        monkeypatch.setattr(os, "replace", raiser(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(OutputError):
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert list(tmp_path.iterdir()) == []

    def test_short_writes_are_continued(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.write
        monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:3]))
        write_atomically(tmp_path / "a", b"0123456789", overwrite=False)
        assert (tmp_path / "a").read_bytes() == b"0123456789"

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("missing/a", "folder does not exist"),
            ("", "is a directory"),
            ("n" * 300, "name is too long"),
            ("file/a", "not a folder"),
            ("a\0b", "not a possible file name"),
        ],
    )
    @pytest.mark.parametrize("overwrite", [True, False])
    def test_places_that_cannot_be(self, tmp_path: Path, name: str, word: str, overwrite: bool) -> None:
        (tmp_path / "file").write_bytes(b"old")
        with pytest.raises(OutputError, match=word) as caught:
            write_atomically(f"{tmp_path}/{name}", b"new", overwrite=overwrite)
        assert caught.value.path == f"{tmp_path}/{name}"
        assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

    @pytest.mark.parametrize(("number", "word"), [(errno.EACCES, "permission"), (errno.EROFS, "read-only")])
    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str) -> None:
        monkeypatch.setattr(os, "open", raiser(OSError(number, "no")))
        with pytest.raises(OutputError, match=word):
            write_atomically(tmp_path / "a", b"new", overwrite=False)

    def test_longest_name(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / ("n" * 255), b"new", overwrite=False)
        assert (tmp_path / ("n" * 255)).read_bytes() == b"new"

    def test_pipe_is_not_replaced(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OutputError, match="regular"):
            write_atomically(tmp_path / "pipe", b"new", overwrite=True)
        assert stat.S_ISFIFO(os.lstat(tmp_path / "pipe").st_mode)

    def test_symbolic_links(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_bytes(b"old")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
        write_atomically(tmp_path / "link", b"new", overwrite=True)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_bytes() == b"new"
        with pytest.raises(OutputError, match="exists already"):
            write_atomically(tmp_path / "dangling", b"new", overwrite=False)
        assert not (tmp_path / "nowhere").exists()

    def test_permissions_follow_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def raiser(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it
