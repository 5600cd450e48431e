"""The file format: what is written is read back, and nothing else is."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
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
)
from arcomp.errors import FormatError
from arcomp.samples import Array, Bytes
from tests.format.fields import (
    FILE,
    HEADER,
    PAYLOAD,
    Fields,
    build,
    fields_of,
    numbers,
    refusal,
    with_field,
)

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
            (b"hello", "not an arcomp file; compress it first"),
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
