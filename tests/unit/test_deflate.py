"""Deflate streams come back bit for bit, and those of zlib cost next to nothing."""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np
import pytest

from arcomp.deflate import DeflateError, predict, restore

KINDS = ("text", "noise", "photo", "runs", "zeros")


@cache
def content(kind: str, size: int = 60000) -> bytes:
    """Bytes of a kind, the same each time."""
    rng = np.random.default_rng(1)
    if kind == "text":
        words = [bytes(rng.integers(97, 123, int(n), dtype=np.uint8)) for n in rng.integers(2, 9, 300)]
        return b" ".join(words[i] for i in rng.zipf(1.3, size // 3) % 300)[:size]
    if kind == "noise":
        return rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    if kind == "photo":
        return np.clip(rng.normal(0, 4, size), -100, 100).astype(np.int8).tobytes()
    if kind == "runs":
        values, lengths = rng.integers(0, 5, size // 20, dtype=np.uint8), rng.integers(1, 60, size // 20)
        return np.repeat(values, lengths).tobytes()[:size]
    return bytes(size)


def deflated(data: bytes, level: int = 6, strategy: int = 0, memory: int = 8, window: int = 15) -> bytes:
    """zlib's raw deflate stream."""
    encoder = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    return encoder.compress(data) + encoder.flush()


def corrections(stream: bytes) -> int:
    """Bytes of corrections of a stream, which comes back."""
    predicted = predict(stream + b"what follows")
    assert predicted.length == len(stream)
    assert predicted.data == zlib.decompress(stream, -15)
    assert restore(predicted.data, predicted.coded) == stream
    return len(predicted.coded)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_and_strategies_of_zlib(kind: str) -> None:
    for level in range(10):
        for strategy in range(5):
            stream = deflated(content(kind), level, strategy)
            assert corrections(stream) <= 16 + len(stream) // 1000, (level, strategy)


@pytest.mark.parametrize("kind", KINDS)
def test_memory_levels_and_windows_of_zlib(kind: str) -> None:
    for level, strategy in ((1, 0), (6, 0), (9, 1)):
        for memory, window in [(m, 15) for m in range(1, 10)] + [(8, w) for w in range(9, 15)]:
            stream = deflated(content(kind), level, strategy, memory, window)
            assert corrections(stream) <= 16 + len(stream) // 1000, (level, strategy, memory, window)


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", b"aaaa", b"abcabc"])
def test_little(data: bytes) -> None:
    for level in range(10):
        corrections(deflated(data, level))


@pytest.mark.parametrize("data", [b"", b"\x07", b"\x00", b"\x05", b"not deflate", deflated(content("text"))[:-3]])
def test_what_is_no_deflate_stream_is_refused(data: bytes) -> None:
    with pytest.raises(DeflateError):
        predict(data)
