"""What a reader written from docs/deflate.md makes of corrections: the same streams."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from arcomp.deflate import DeflateError, Predictor, predict, restore
from arcomp.deflate.rules import NUMBERS, Rules
from benchmarks.deflate import encoders
from tests.deflate_streams import KINDS, content, deflated, flushed, odd
from tests.format import reference_deflate
from tests.format.reference_numbers import Refused


def check(stream: bytes) -> None:
    predicted = predict(stream)
    assert reference_deflate.restore(bytes(predicted.data), predicted.coded) == stream[: predicted.length]


@pytest.mark.parametrize("kind", KINDS)
def test_zlib(kind: str) -> None:
    for level, strategy, memory in (
        (0, 0, 8),
        (1, 0, 8),
        (3, 0, 1),
        (4, 1, 8),
        (6, 0, 8),
        (9, 0, 9),
        (6, 2, 8),
        (6, 3, 8),
    ):
        check(deflated(content(kind, 8000), level, strategy, memory))


@pytest.mark.parametrize("kind", KINDS)
def test_flushes(kind: str) -> None:
    for mode in (zlib.Z_PARTIAL_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH):
        check(flushed(content(kind, 5000), 6, mode, 900))


@pytest.mark.parametrize("name", [name for name, _ in odd()])
def test_odd_streams(name: str) -> None:
    check(dict(odd())[name])


@pytest.mark.parametrize("kind", KINDS)
def test_other_encoders(kind: str) -> None:
    for name, encode in encoders():
        if not name.startswith("zlib-"):
            check(encode(content(kind, 12000)))


@pytest.mark.parametrize("number", NUMBERS)
def test_each_rule(number: int) -> None:
    """On a stream that another encoder has made, so that much is corrected."""
    data = content("text", 4000) + content("photo", 3000) + content("runs", 4000) + content("noise", 600)
    coded = Predictor().corrections(deflated(data, 5), Rules(number, 12, 5))
    assert restore(data, coded) == reference_deflate.restore(data, coded) == deflated(data, 5)


@pytest.mark.parametrize("number", [41, 43, 46, 56])
@pytest.mark.parametrize("feed", [0, 700, 20])
def test_an_encoder_that_is_fed(number: int, feed: int) -> None:
    data = content("text", 5000) + bytes(3000) + content("runs", 2000) + content("photo", 3000)
    coded = Predictor().corrections(deflated(data, 6), Rules(number, 10, 8, feed))
    assert restore(data, coded) == reference_deflate.restore(data, coded) == deflated(data, 6)


def test_damaged_corrections() -> None:
    """Both refuse the same, or make the same."""
    rng = np.random.default_rng(4)
    data = content("text", 1500) + content("runs", 500)
    for stream in (deflated(data, 9), deflated(data, 6, 3), flushed(data, 1, zlib.Z_FULL_FLUSH, 300)):
        coded = Predictor().corrections(stream, Rules(6, 10, 8))
        for _ in range(30):
            damaged = bytearray(coded)
            damaged[rng.integers(2, len(damaged))] ^= 1 << int(rng.integers(8))
            try:
                ours: bytes | memoryview | None = restore(data, bytes(damaged))
            except DeflateError:
                ours = None
            try:
                theirs: bytes | None = reference_deflate.restore(data, bytes(damaged))
            except Refused:
                theirs = None
            assert ours == theirs
