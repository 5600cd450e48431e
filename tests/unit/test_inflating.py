"""Inflating piece by piece."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from arcomp.formats.inflating import Inflater

DATA = np.random.default_rng(2).integers(0, 9, 300_000, dtype=np.uint8).tobytes() + bytes(300_000)


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("sizes", [(1, 7, 100), (65536,), (300_000, 1), (1 << 22,)])
def test_all_of_it(level: int, sizes: tuple[int, ...]) -> None:
    raw = zlib.compress(DATA, level)[2:-4]
    inflater = Inflater(memoryview(raw + b"more" * 50_000))
    made = b""
    while len(made) < len(DATA):
        for size in sizes:
            part = inflater.take(size)
            assert len(part) == min(size, len(DATA) - len(made))
            made += part
        if len(sizes) == 3:
            sizes = (*sizes[:2], 50_000)
    assert made == DATA
    assert inflater.take(9) == b""
    assert (inflater.ended, inflater.used, inflater.check) == (True, len(raw), zlib.adler32(DATA))


def test_a_stream_that_is_cut_off() -> None:
    raw = zlib.compress(DATA, 6)[2:-4]
    for size in (0, 1, 1000, len(raw) - 1):
        inflater = Inflater(memoryview(raw[:size]))
        assert DATA.startswith(inflater.take(1 << 22))
        assert not inflater.ended


def test_no_stream() -> None:
    with pytest.raises(zlib.error):
        Inflater(memoryview(b"\xff" * 9)).take(9)
