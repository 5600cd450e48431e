"""The project's own range coder is constriction's: the same words for the same digits, the same answer to any words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp import load
from arcomp.coding import choice, range_coder
from arcomp.coding.distribution import FREQUENCY_BITS
from arcomp.errors import ArcompError, FormatError
from tests.coded import decode, encode

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


class Constrictions:
    """constriction's decoder, as :class:`arcomp.coding.range_coder.RangeDecoder`."""

    def __init__(self, words: npt.NDArray[np.uint32]) -> None:
        self._coder = choice._constriction().stream.queue.RangeDecoder(words)

    def decode(self, less_one: Float32) -> Int32:
        try:
            return np.asarray(self._coder.decode(choice._categorical(), less_one), np.int32)
        except (ValueError, AssertionError) as error:
            raise FormatError("damaged") from error


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs constriction."""
    pytest.importorskip("constriction")
    monkeypatch.setenv(choice.ENVIRONMENT, "constriction")


def frequencies(rng: np.random.Generator, n: int, values: int, skew: float) -> Float32:
    """Frequencies less one of n digits, float32 [n, values]; the larger ``skew``, the more one value has of all."""
    weights = rng.random((n, values)) ** skew
    room = (1 << FREQUENCY_BITS) - values
    ends = np.floor(np.cumsum(weights, 1) / weights.sum(1, keepdims=True) * room).astype(np.int64)
    ends[:, -1] = room
    found: npt.NDArray[np.float32] = np.diff(ends, axis=1, prepend=0).astype(np.float32)
    return found


def draw(rng: np.random.Generator, less_one: Float32, likely: float) -> Int32:
    """A digit of each row: by its frequencies, or (1 - likely of the time) any."""
    below = np.cumsum(less_one.astype(np.int64) + 1, 1)
    by_frequency = (below <= rng.integers(1 << FREQUENCY_BITS, size=(len(less_one), 1))).sum(1)
    any_digit = rng.integers(less_one.shape[1], size=len(less_one))
    return np.where(rng.random(len(less_one)) < likely, by_frequency, any_digit).astype(np.int32)


def chunks(seed: int, sizes: list[int], skew: float, likely: float) -> list[tuple[Int32, Float32]]:
    rng = np.random.default_rng(seed)
    rows = [frequencies(rng, n, int(2 ** rng.integers(1, 5)), skew) for n in sizes]
    return [(draw(rng, row, likely), row) for row in rows]


def decoded(decoder: Any, rows: list[Float32]) -> tuple[list[list[int]], bool]:
    """The digits of each chunk before the words prove damaged, and whether they do."""
    out = []
    for row in rows:
        try:
            out.append(decoder.decode(row).tolist())
        except FormatError:
            return out, True
    return out, False


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 60), max_size=12),
    skew=st.sampled_from([0.1, 1.0, 8.0, 60.0]),
    likely=st.sampled_from([0.0, 0.9, 1.0]),
)
@pytest.mark.usefixtures("both")
def test_the_same_words(seed: int, sizes: list[int], skew: float, likely: float) -> None:
    """Digits of several alphabets, in chunks: word for word, and back by both."""
    parts = chunks(seed, sizes, skew, likely)
    own, other = range_coder.RangeEncoder(), choice.range_encoder()
    for digits, less_one in parts:
        own.encode(digits, less_one)
        other.encode(digits, less_one)
        assert own.words().tolist() == other.words().tolist()
    words = own.words()
    own_decoder = range_coder.RangeDecoder(words)
    decoded(own_decoder, [row for _, row in parts])
    assert own_decoder.beyond <= (1 if len(words) else 2)
    for decoder in (range_coder.RangeDecoder(words), Constrictions(words)):
        assert decoded(decoder, [row for _, row in parts]) == ([d.tolist() for d, _ in parts], False)


@settings(deadline=None, max_examples=200)
@given(
    words=st.lists(st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 2**32 - 1])), max_size=30),
    seed=st.integers(0, 2**32 - 1),
    skew=st.sampled_from([0.1, 8.0, 60.0]),
)
@pytest.mark.usefixtures("both")
def test_the_same_from_any_words(words: list[int], seed: int, skew: float) -> None:
    """Words that nobody coded, too few of them among these: the same digits, refused at the same chunk."""
    rows = [row for _, row in chunks(seed, [1, 7, 30, 60], skew, 1.0)]
    data = np.array(words, np.uint32)
    assert decoded(range_coder.RangeDecoder(data), rows) == decoded(Constrictions(data), rows)


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("last", [0, 15, None], ids=["below", "above", "open"])
def test_carries_through_many_words(last: int | None) -> None:
    """Intervals that straddle 2**64 for a long time, until a digit falls below it, or above it (or none does)."""
    rng = np.random.default_rng(0)
    less_one = np.full((1, 16), (1 << 20) - 1, np.float32)
    longest = 0
    for _ in range(100):
        own, other = range_coder.RangeEncoder(), choice.range_encoder()
        open_words = 0
        for _ in range(400):
            lower, span, at = (int(v) for v in own._coder)
            if lower + span > 1 << 64:
                open_words = open_words or at
                digit = ((1 << 64) - 1 - lower) // (span >> 4)  # the one at the top of the lower end's words
                if at - open_words >= rng.integers(3, 9):
                    digit = digit if last is None else last
            else:
                open_words = 0
                digit = int(rng.integers(16))
            digits = np.array([min(digit, 15)], np.int32)
            own.encode(digits, less_one)
            other.encode(digits, less_one)
            longest = max(longest, int(own._coder[2]) - open_words if open_words else 0)
        assert own.words().tolist() == other.words().tolist()
    assert longest >= 4


@pytest.mark.usefixtures("both")
def test_files_are_the_same_by_either(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load("histogram")
    pixels = np.random.default_rng(1).integers(0, 256, (1, 20, 30, 3)).astype(np.uint8)
    files = {}
    for coder in choice.CODERS:
        monkeypatch.setenv(choice.ENVIRONMENT, coder)
        files[coder] = encode(pixels, 8, model).data
    assert files["own"] == files["constriction"]
    for coder in choice.CODERS:
        monkeypatch.setenv(choice.ENVIRONMENT, coder)
        assert np.array_equal(decode(files["own"], model=model)[0], pixels)


class TestChoice:
    def test_own_where_there_is_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choice, "_constriction", lambda: None)
        monkeypatch.delenv(choice.ENVIRONMENT, raising=False)
        assert choice.chosen() == "own"
        assert isinstance(choice.range_encoder(), range_coder.RangeEncoder)
        monkeypatch.setenv(choice.ENVIRONMENT, "constriction")
        with pytest.raises(ArcompError, match="not installed"):
            choice.range_encoder()

    def test_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(choice.ENVIRONMENT, "own")
        monkeypatch.setenv(choice.ENVIRONMENT, "best")
        with pytest.raises(ArcompError, match="no range coder 'best'"):
            choice.chosen()
