"""Deflate streams come back bit for bit, and those of known encoders cost next to nothing."""

from __future__ import annotations

import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from arcomp.deflate import DeflateError, Predictor, predict, restore
from benchmarks.deflate import encoders, stream_of
from tests.deflate_streams import KINDS, content, deflated, flushed, odd

PNGSUITE = Path(__file__).parents[3] / "shared" / "data" / "pngsuite"


def corrections(stream: bytes, data: bytes | None = None) -> int:
    """Bytes of corrections of a stream, which comes back."""
    predicted = predict(stream + b"what follows")
    assert predicted.length == len(stream)
    assert data is None or predicted.data == data
    assert restore(predicted.data, predicted.coded) == stream
    return len(predicted.coded)


FIRST_IS_QUICK = ["text", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS if kind != "text")]
"""Kinds of content, of which the others are tried by the long tests."""


@pytest.mark.parametrize("kind", FIRST_IS_QUICK)
def test_levels_and_strategies_of_zlib(kind: str) -> None:
    for level in range(10):
        for strategy in range(5):
            stream = deflated(content(kind), level, strategy)
            assert corrections(stream, content(kind)) <= 16 + len(stream) // 1000, (level, strategy)


@pytest.mark.parametrize("kind", FIRST_IS_QUICK)
def test_memory_levels_and_windows_of_zlib(kind: str) -> None:
    for level, strategy in ((1, 0), (6, 0), (9, 1)):
        for memory, window in [(m, 15) for m in range(1, 10)] + [(8, w) for w in range(9, 15)]:
            stream = deflated(content(kind), level, strategy, memory, window)
            assert corrections(stream, content(kind)) <= 16 + len(stream) // 1000, (level, strategy, memory, window)


CODE = """
import zlib
from arcomp.deflate import predict, restore
from arcomp.deflate.corrections import check
from arcomp.deflate.headers import correct
from arcomp.deflate.predicting import of_libdeflate, of_zlib, of_zlibng
one = predict(zlib.compress(bytes(range(256)) * 40)[2:])
restore(one.data, one.coded)
print([len(kernel.overloads) for kernel in (of_zlib, of_libdeflate, of_zlibng, check, correct)])
"""


def test_a_plain_stream_needs_few_kernels() -> None:
    """Those of other encoders, and of what is not as expected, are not compiled."""
    said = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[1, 0, 0, 0, 0]"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [zlib.Z_PARTIAL_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_BLOCK])
@pytest.mark.parametrize("levels", [(6,), pytest.param((0, 1, 9), marks=pytest.mark.slow)], ids=str)
def test_flushes(kind: str, mode: int, levels: tuple[int, ...]) -> None:
    data = content(kind)
    for level in levels:
        assert corrections(flushed(data, level, mode), data) <= 16 + 6 * (len(data) // 7000 + 1)


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", b"aaaa", b"abcabc"])
def test_little(data: bytes) -> None:
    for level in range(10):
        corrections(deflated(data, level), data)


@pytest.mark.parametrize("name", [name for name, _ in odd()])
def test_odd_streams(name: str) -> None:
    corrections(dict(odd())[name])


@pytest.mark.skipif(find_spec("imagecodecs") is None, reason="needs imagecodecs")
@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("kind", FIRST_IS_QUICK)
def test_levels_of_libdeflate(kind: str, level: int) -> None:
    import imagecodecs

    stream = bytes(imagecodecs.deflate_encode(content(kind, 400000), level, raw=True))
    assert corrections(stream, content(kind, 400000)) <= 32 + len(stream) // 1000


@pytest.mark.skipif(find_spec("imagecodecs") is None, reason="needs imagecodecs")
@pytest.mark.parametrize("level", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_levels_of_zlib_ng(kind: str, level: int) -> None:
    import imagecodecs

    data = content(kind, 100000)
    stream = bytes(imagecodecs.zlibng_encode(data, level))[2:-4]
    assert corrections(stream, data) <= 64 + len(stream) // 1000


@pytest.mark.parametrize("kind", KINDS)
def test_encoders_without_rules_come_back(kind: str) -> None:
    data = content(kind, 30000)
    for name, encode in encoders():
        if not name.startswith("zlib-"):
            corrections(encode(data), data)


@pytest.mark.skipif(not PNGSUITE.is_dir(), reason="needs PngSuite")
@pytest.mark.parametrize("path", sorted(PNGSUITE.glob("*.png")), ids=lambda path: path.stem)
def test_pngsuite(path: Path) -> None:
    stream = stream_of(path)
    if stream is None or path.stem.startswith("x"):
        pytest.skip("no stream")
    corrections(stream[:-4])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x07",
        b"\x00",
        b"\x05",
        b"not deflate",
        deflated(content("text"))[:-3],
        deflated(content("noise"))[:-3],
        b"\x01\x01\x00\xfe\xfe",
        b"\x02\x08",
    ],
)
def test_what_is_no_deflate_stream_is_refused(data: bytes) -> None:
    with pytest.raises(DeflateError):
        predict(data)


@pytest.mark.parametrize("count", [150, pytest.param(1500, marks=pytest.mark.slow)])
def test_damaged_streams_and_corrections(count: int) -> None:
    """One error, or something that comes back: never another exception, nor a crash."""
    rng = np.random.default_rng(2)
    data = content("text", 4000) + content("photo", 3000) + content("noise", 2000)
    streams = [deflated(data, level, 0, memory) for level, memory in ((1, 8), (6, 1), (9, 9))]
    streams += [flushed(data, 6, zlib.Z_FULL_FLUSH, 1000), *(stream for _, stream in odd())]
    refused = 0
    for _ in range(count):
        stream = bytearray(streams[rng.integers(len(streams))])
        for _ in range(rng.integers(1, 4)):
            stream[rng.integers(len(stream))] ^= 1 << int(rng.integers(8))
        try:
            predicted = predict(bytes(stream))
        except DeflateError:
            continue
        assert restore(predicted.data, predicted.coded) == stream[: predicted.length]
        coded = bytearray(predicted.coded)
        coded[rng.integers(len(coded))] ^= 1 << int(rng.integers(8))
        coded = coded[: rng.integers(1, len(coded) + 1)] if rng.integers(2) else coded
        coded += rng.integers(0, 256, int(rng.integers(20)), dtype=np.uint8).tobytes()
        try:
            restore(predicted.data[: rng.integers(len(predicted.data) + 1)], bytes(coded))
        except DeflateError:
            refused += 1
    assert refused > count // 8


def test_random_corrections() -> None:
    rng = np.random.default_rng(3)
    for number in range(256):
        coded = bytes([number, 7 | 8 << 3]) + rng.integers(0, 256, 300, dtype=np.uint8).tobytes()
        for data in (b"", content("text", 3000), content("zeros", 3000)):
            try:
                restore(data, coded)
            except DeflateError:
                continue


def mixed(data: bytes) -> bytes:
    """A stream that no rules fit: its halves are of different levels."""
    first = zlib.compressobj(1, zlib.DEFLATED, -15)
    start = first.compress(data[: len(data) // 2]) + first.flush(zlib.Z_FULL_FLUSH)
    return start + deflated(data[len(data) // 2 :], 9)


def strips(data: bytes, size: int = 2500) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("levels", [(6,), (5, 9)])
def test_rules_of_one_stream_are_tried_first_for_the_next(levels: tuple[int, ...]) -> None:
    """Strips of a picture take about one survey each."""
    predictor, parts = Predictor(), strips(content("photo", 100000))
    for at, part in enumerate(parts):
        stream = deflated(part, levels[at % len(levels)], zlib.Z_FILTERED, 9)
        predicted = predictor.predict(stream)
        assert len(predicted.coded) <= 8
        assert restore(predicted.data, predicted.coded) == stream
    assert predictor.surveys <= 2 * len(parts) + 200


def test_rules_are_looked_for_ever_more_seldom() -> None:
    """Strips that no rules fit take a few surveys each, and corrections nearly as short as if each was alone."""
    predictor, streams = Predictor(), [mixed(part) for part in strips(content("photo", 200000))]
    alone = Predictor()
    alone.predict(streams[0])
    coded = [len(predictor.predict(stream).coded) for stream in streams]
    assert predictor.surveys <= 12 * len(streams) + 8 * alone.surveys
    assert sum(coded) <= 1.05 * sum(len(predict(stream).coded) for stream in streams)


@pytest.mark.skipif(find_spec("imagecodecs") is None, reason="needs imagecodecs")
@pytest.mark.parametrize("level", [1, 6, 9])
def test_short_streams_of_libdeflate(level: int) -> None:
    """It does not find what is at the first byte; there is no other encoder whose rules are near enough."""
    import imagecodecs

    predictor, parts = Predictor(), strips(content("photo", 50000) + content("text", 50000))
    for part in parts:
        stream = bytes(imagecodecs.deflate_encode(part, level, raw=True))
        assert len(predictor.predict(stream).coded) <= 8
    assert predictor.surveys <= 2 * len(parts) + 400
