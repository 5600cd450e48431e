"""LZW and PackBits of TIFF, unpacked and packed again to the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.formats import lzw, packbits

BYTES = st.binary(max_size=600) | st.lists(st.sampled_from([0, 0, 0, 1, 255]), max_size=3000).map(bytes)
RUNS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 300)), max_size=20).map(
    lambda runs: b"".join(bytes([value]) * times for value, times in runs)
)


def bits(*codes: tuple[int, int]) -> bytes:
    """Codes as (value, bits)."""
    text = "".join(f"{value:0{width}b}" for value, width in codes)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


class TestLzw:
    def test_the_example_of_the_specification(self) -> None:
        data = bytes([7, 7, 7, 8, 8, 7, 7, 6, 6])
        stream = bits(*((code, 9) for code in (256, 7, 258, 8, 8, 258, 6, 6, 257)))
        assert lzw.pack(data, (), None) == stream
        assert lzw.unpack(memoryview(stream + b"more"), 9) == (data, (), None, len(stream))
        assert lzw.unpack(memoryview(stream), 8) is None

    @settings(deadline=None)
    @given(BYTES | RUNS)
    def test_comes_back(self, data: bytes) -> None:
        stream = lzw.pack(data, (), None)
        assert lzw.unpack(memoryview(stream), len(data)) == (data, (), None, len(stream))

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, stream: bytes) -> None:
        found = lzw.unpack(memoryview(b"\x80" + stream), 100_000)
        if found is not None:
            assert lzw.pack(found.data, found.clears, found.end) == (b"\x80" + stream)[: found.used]

    def test_long_streams_with_tables_that_are_full(self) -> None:
        data = np.random.default_rng(1).integers(0, 8, 100_000, dtype=np.uint8).tobytes()
        for clears in ((), ((3836, 3),), ((3838, 2), (1, 1), (100, 7))):
            stream = lzw.pack(data, clears, None)
            assert lzw.unpack(memoryview(stream), len(data)) == (data, clears, None, len(stream))

    def test_other_ends(self) -> None:
        for codes in (((5, 9),), ((5, 9), (257, 9), (1, 3)), ((5, 9), (256, 9), (257, 9))):
            stream = bits((256, 9), *codes)
            found = lzw.unpack(memoryview(stream), 1)
            assert found is not None
            assert found.data == b"\5"
            assert lzw.pack(*found[:3]) == stream[: found.used]

    def test_what_is_no_stream(self) -> None:
        for codes in ((5, 257), (256, 258), (256, 5, 259), (257,), ()):
            assert lzw.unpack(memoryview(bits(*((code, 9) for code in codes), (0, 0)) or b""), 99) is None

    @pytest.mark.parametrize(
        ("clears", "end"),
        [(((9, 1),), None), (((0, 1),), None), (((1, -1),), None), (((1, 1 << 40),), None), ((), 0), ((), 2)],
    )
    def test_forms_of_no_stream(self, clears: lzw.Clears, end: int | None) -> None:
        with pytest.raises(ValueError, match="stream"):
            lzw.pack(b"abc", clears, end)

    def test_other_encoders(self) -> None:
        imagecodecs = pytest.importorskip("imagecodecs")
        data = np.random.default_rng(2).integers(0, 50, 200_000, dtype=np.uint8).tobytes()
        stream = imagecodecs.lzw_encode(data)
        found = lzw.unpack(memoryview(stream), len(data))
        assert found is not None
        assert (found.data, found.used) == (data, len(stream))


class TestPackBits:
    def test_the_example_of_the_specification(self) -> None:
        stream = bytes.fromhex("FEAA 0280002A FDAA 0380002A22 F7AA")
        data = bytes.fromhex("AAAAAA 80002A AAAAAAAA 80002A22 AAAAAAAAAAAAAAAAAAAA")
        assert packbits.unpack(memoryview(stream), len(data), len(data)) == (data, b"", len(stream))

    @settings(deadline=None)
    @given(BYTES | RUNS, st.integers(1, 700))
    def test_comes_back(self, data: bytes, row: int) -> None:
        stream = packbits.pack(data, row)
        assert packbits.unpack(memoryview(stream + b"\x80"), len(data), row) == (data, b"", len(stream))

    @settings(deadline=None)
    @given(st.binary(max_size=300), st.integers(0, 400), st.integers(1, 50))
    def test_any_bytes(self, stream: bytes, need: int, row: int) -> None:
        found = packbits.unpack(memoryview(stream), need, row)
        if found is not None:
            assert len(found.data) >= need
            assert packbits.pack(found.data, row, found.headers) == stream[: found.used]

    @pytest.mark.parametrize(
        ("data", "packed"),
        [
            ("01 02 02 03", "03 01020203"),  # a run of 2 joins what is around it
            ("01 02 02 02 03", "00 01 FE 02 00 03"),
            ("01 02 02", "00 01 FF 02"),
            ("02 02 03", "FF 02 00 03"),
        ],
    )
    def test_runs_of_two(self, data: str, packed: str) -> None:
        assert packbits.pack(bytes.fromhex(data), 99) == bytes.fromhex(packed)

    def test_rows_are_packed_by_themselves(self) -> None:
        assert packbits.pack(b"aaaaaa", 3) == bytes([254, 97, 254, 97])

    @pytest.mark.parametrize("headers", [b"\0", b"\3", b"\x81", b"\2\0", b"\x80"])
    def test_headers_of_other_bytes(self, headers: bytes) -> None:
        with pytest.raises(ValueError, match="headers"):
            packbits.pack(b"abc", 3, headers)

    def test_no_rows(self) -> None:
        with pytest.raises(ValueError, match="rows"):
            packbits.pack(b"abc", 0)
