"""The file format: what is written is read back, and nothing else is."""

from __future__ import annotations

import io
import re
import struct
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
    Geometry,
    Member,
    ModelId,
    Original,
    Part,
    pack,
    packing,
    read_header,
    samples_checksum,
    unpack,
)
from arcomp.errors import FormatError
from arcomp.form import Literal
from arcomp.samples import Array, Bytes, Picture
from arcomp.transforms import Coded, Constant
from tests.format import reference_dictionary
from tests.format.fields import (
    CODED,
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
    Fields,
    build,
    extents,
    fields_of,
    refusal,
    streams_of,
)

text = st.text("abcxyz0189_-", min_size=1, max_size=64)
originals = st.builds(
    Original,
    length=st.integers(0, (1 << 63) - 1),
    sha256=st.binary(min_size=32, max_size=32),
    name=st.text("abc äöü.-", max_size=40).filter(lambda name: name not in (".", "..")),
    modified=st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-(10**9 << 63), (10**9 << 63) - 1),
    mode=st.none() | st.integers(0, 0o7777),
)
parts = st.builds(
    Part,
    tile=st.just((0, 0)) | st.tuples(st.integers(1, (1 << 32) - 1), st.integers(1, (1 << 32) - 1)),
    streams=st.lists(st.binary(max_size=50), min_size=1, max_size=3).map(tuple),
    side=st.binary(max_size=20),
    binary_samples=st.booleans(),
)
sizes = st.tuples(st.integers(1, 1 << 9), st.integers(1, 1 << 9), st.integers(1, 1 << 8))


@st.composite
def members(draw: st.DrawFn) -> Member:
    """With pictures, or kept as bytes."""
    original = draw(originals)
    skeleton = draw(st.none() | st.lists(st.builds(Literal, data=st.binary(max_size=30)), max_size=3).map(tuple))
    if draw(st.booleans()):
        return Member(None, original=original, skeleton=skeleton or ())
    stacks = tuple(draw(st.lists(sizes, min_size=1, max_size=3)))
    depth = draw(st.integers(1, 16))
    made = tuple(draw(parts) for _ in stacks)
    models = tuple(draw(st.lists(st.builds(ModelId, name=text, digest=st.binary(min_size=8, max_size=8)),
                                 min_size=1, max_size=2)))  # fmt: skip
    trees = tuple(Coded(depth, draw(st.integers(0, len(models) - 1))) for _ in stacks)
    geometry = Geometry(stacks, draw(st.integers(1, 4)), depth, draw(st.booleans()))
    crc = draw(st.integers(0, (1 << 32) - 1))
    return Member(geometry, trees, made, models, Picture(), crc, original, skeleton)


arrays = st.builds(
    Array,
    dtype=st.sampled_from(["bool", "uint8", "uint16"]),
    images=st.booleans(),
    channels=st.booleans(),
    name=st.text(max_size=63),
)


class TestRoundTrip:
    @given(members())
    def test_what_is_packed_is_unpacked(self, member: Member) -> None:
        data = pack(member)
        assert unpack(data) == member
        assert unpack(memoryview(data)) == member
        assert pack(unpack(data)) == data
        header, before = read_header(io.BytesIO(data))
        assert before + header.length == len(data)
        assert (header.geometry, header.original, header.trees) == (member.geometry, member.original, member.trees)

    @given(arrays)
    def test_contents_come_back(self, array: Array) -> None:
        geometry = Geometry(((1, 1, 9),), 1, 1)
        of_array = replace(MEMBER, geometry=geometry, form=array)
        of_bytes = replace(MEMBER, geometry=replace(geometry, depth=8), form=Bytes())
        for member in (of_array, of_bytes):
            assert unpack(pack(member)) == member

    @given(st.integers(1, 256), st.sampled_from([3, 4]), st.booleans())
    def test_palettes_come_back(self, entries: int, channels: int, of_file: bool) -> None:
        palette = np.random.default_rng(entries).integers(0, 256, (entries, channels), dtype=np.uint8)
        member = replace(MEMBER, geometry=Geometry(((1, 5, 7),), 1, 2, palette=palette))
        member = member if of_file else replace(member, original=None, skeleton=None)
        found = unpack(pack(member))
        assert found == member
        assert found.geometry is not None
        assert found.geometry.palette is not None
        assert np.array_equal(found.geometry.palette, palette)

    def test_bytes_are_those_of_the_specification(self) -> None:
        skeleton = b"\x00\x02\x81\x7f"
        expected = build(
            [
                (PICTURES, bytes([3, 8, 0, 2, 5, 7])),
                (MODELS, bytes(range(8)) + b"\x07photo-1"),
                (PARTS, bytes([0, 8, 0, 6, 4, 3])),
                (SAMPLES, struct.pack("<I", 0x89ABCDEF)),
                (STREAMS, extents(skeleton, b"side", CODED)),
                (ORIGINAL, b"\xac\x02" + bytes(range(8))),
                (SKELETON, bytes([0, 4, 1, 0, 0])),
                (NAME, b"x.png"),
                (MODIFIED, struct.pack("<q", -5)),
                (MODE, b"\x80\x01"),
            ],
            streams=skeleton + b"side" + CODED,
        )
        assert expected == FILE

    def test_the_preset_dictionary_is_that_of_the_specification(self) -> None:
        page = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
        rest = page.split("Then, in hexadecimal:", 1)[1].split("##", 1)[0]
        of_jpegs, others = (
            bytes.fromhex("".join(re.findall("    ([0-9a-f]+)", part))) for part in rest.split("Then v,")
        )
        assert packing.DICTIONARY == reference_dictionary.DICTIONARY
        assert packing.DICTIONARY[13800:] == of_jpegs + packing.DICTIONARY[-len(others) - 1024 : -len(others)] + others
        assert f"dictionary has {len(packing.DICTIONARY)} bytes" in page

    def test_empty_optional_parts_take_no_field(self) -> None:
        bare = Member(Geometry(((1, 1, 1),), 1, 8), (Constant((5,)),), samples_crc=7)
        data = pack(bare)
        assert [tag for tag, _ in fields_of(data)] == [PICTURES, PARTS, SAMPLES]
        assert unpack(data) == bare
        empty = Member(None, original=Original(0, bytes(32)), skeleton=())
        data = pack(empty)
        assert [tag for tag, _ in fields_of(data)] == [STREAMS, ORIGINAL, SKELETON]
        assert unpack(data) == empty

    def test_header_is_read_from_a_stream_that_hands_out_single_bytes(self) -> None:
        class Slow(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                return super().read(min(1, size or 0))

        header, before = read_header(Slow(FILE))
        assert header.original == MEMBER.original
        assert before + header.length == len(FILE)

    def test_largest_side_information(self) -> None:
        member = replace(MEMBER, parts=(replace(MEMBER.parts[0], side=bytes(MAX_SIDE_BYTES)),))
        assert unpack(pack(member)) == member


class TestDamage:
    def test_every_truncation(self) -> None:
        for size in range(len(FILE)):
            line = refusal(FILE[:size])
            assert ("empty" if size == 0 else f"truncated, {size} of") in line
        assert f"of {len(FILE)} bytes" in refusal(FILE[:-1])

    def test_every_truncation_of_the_header_in_a_stream(self) -> None:
        for size in range(len(FILE) - len(streams_of(FILE))):
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

    def test_stream_and_header_damage_are_told_apart(self) -> None:
        assert "stream 3 of 3 is damaged" in refusal(FILE[:-1] + b"\0")
        assert "header is damaged" in refusal(FILE[:30] + b"\xaa" + FILE[31:])

    @given(st.binary(max_size=300))
    def test_noise_is_refused(self, noise: bytes) -> None:
        refusal(noise)
        refusal(MAGIC + b"\1\0" + noise)

    @given(
        st.lists(
            st.tuples(st.integers(0, 9) | st.sampled_from([0x81, 0x82, 0x83, 0x84]), st.binary(max_size=50)), max_size=8
        )
    )
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


class TestSamplesChecksum:
    def test_bytes_of_8_bit_samples(self) -> None:
        pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        assert samples_checksum((pixels,), 8) == zlib.crc32(bytes(range(24)))

    def test_bytes_of_16_bit_samples(self) -> None:
        pixels = np.array([[[0x0102], [0xFFFE]]], dtype=np.uint16)
        assert samples_checksum((pixels,), 16) == zlib.crc32(b"\x02\x01\xfe\xff")
        assert samples_checksum((np.array([[1, 2]], dtype=np.uint8),), 9) == zlib.crc32(b"\1\0\2\0")

    def test_memory_layout_and_type_do_not_matter(self) -> None:
        pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        turned = np.asfortranarray(pixels)
        assert samples_checksum((turned,), 8) == samples_checksum((pixels,), 8)
        assert samples_checksum((pixels.astype(">i4"),), 8) == samples_checksum((pixels,), 8)
        assert samples_checksum((pixels[::-1],), 8) == zlib.crc32(pixels[::-1].tobytes())

    @pytest.mark.parametrize(
        ("pixels", "depth"),
        [
            (np.array([[256]]), 8),
            (np.array([[-1]]), 8),
            (np.array([[16]], np.uint8), 4),
            (np.array([[1.0]]), 8),
        ],
    )
    def test_samples_that_do_not_fit(self, pixels: np.ndarray[Any, Any], depth: int) -> None:
        with pytest.raises(FormatError):
            samples_checksum((pixels,), depth)
