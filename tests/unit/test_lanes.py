"""Vectors of numbers inside kernels: each operation is NumPy's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    all_doubles,
    all_floats,
    all_words,
    larger_floats,
    leading_zeros,
    load_doubles,
    load_floats,
    load_floats_of_shorts,
    load_floats_of_words,
    load_shorts,
    load_words,
    prefetch,
    shift_words,
    shorts_of_words,
    smaller_floats,
    store_doubles,
    store_floats,
    store_shorts,
    store_words,
    subtract_halves,
    sum_of_words,
    with_word,
    word,
    words_of_floats,
    words_of_shorts,
)

INT32 = st.integers(-(2**31), 2**31 - 1)


@kernel()
def word_operations(x: Any, shorts: Any, scalar: int, column: int, out: Any) -> np.int64:
    """Rows of out: a + b, a - b, a * b, a >> b % 32, all lanes scalar, a widened short."""
    a, b = load_words(x, 0, column), load_words(x, 1, column)
    store_words(out, 0, column, a + b)
    store_words(out, 1, column, a - b)
    store_words(out, 2, column, a * b)
    store_words(out, 3, column, shift_words(a, load_words(x, 2, column)))
    store_words(out, 4, column, all_words(np.int32(scalar)))
    store_words(out, 5, column, words_of_shorts(load_shorts(shorts, 0, column)))
    return np.int64(sum_of_words(a))


@kernel()
def double_operations(x: Any, scalar: float, column: int, out: Any) -> None:
    """Rows of out: a + b, a - b, a * b, a / b, scalar, (a * b) + a."""
    a, b = load_doubles(x, 0, column), load_doubles(x, 1, column)
    store_doubles(out, 0, column, a + b)
    store_doubles(out, 1, column, a - b)
    store_doubles(out, 2, column, a * b)
    store_doubles(out, 3, column, a / b)
    store_doubles(out, 4, column, all_doubles(scalar))
    store_doubles(out, 5, column, a * b + a)


@kernel()
def float_operations(x: Any, words: Any, shorts: Any, scalar: Any, column: int, out: Any) -> None:
    """Rows of out: as of doubles, then a word, a short, the larger, the smaller."""
    a, b = load_floats(x, 0, column), load_floats(x, 1, column)
    store_floats(out, 0, column, a + b)
    store_floats(out, 1, column, a - b)
    store_floats(out, 2, column, a * b)
    store_floats(out, 3, column, a / b)
    store_floats(out, 4, column, all_floats(scalar))
    store_floats(out, 5, column, a * b + a)
    store_floats(out, 6, column, load_floats_of_words(words, 0, column))
    store_floats(out, 7, column, load_floats_of_shorts(shorts, 0, column))
    store_floats(out, 8, column, larger_floats(a, b))
    store_floats(out, 9, column, smaller_floats(a, b))


@kernel()
def word_conversions(x: Any, words: Any, shorts: Any, lane: int, value: int, out: Any) -> Any:
    """Rows of out: x towards zero, a - b by halves, words with a lane changed; shorts, written: low halves of words."""
    a, b = load_words(words, 0, 0), load_words(words, 1, 0)
    store_words(out, 0, 0, words_of_floats(load_floats(x, 0, 0)))
    store_words(out, 1, 0, subtract_halves(a, b))
    store_words(out, 2, 0, with_word(a, lane, value))
    store_words(out, 3, 0, a & b)
    store_shorts(shorts, 0, 0, shorts_of_words(a))
    prefetch(words, 1, lane)
    return word(a, lane)


@kernel()
def zeros_before(values: Any, out: Any) -> None:
    """Leading zeros of each."""
    for i in range(len(values)):
        out[i] = leading_zeros(values[i])


@settings(max_examples=60)
@given(st.lists(INT32, min_size=32, max_size=32), INT32, st.integers(0, 5))
def test_words_are_numpys(numbers: list[int], scalar: int, column: int) -> None:
    """All modulo 2**32, at columns that are no multiples of anything; what is beside is not touched."""
    x = np.zeros((3, 21), np.int32)
    x[0, column : column + 16], x[1, column : column + 16] = numbers[:16], numbers[16:]
    x[2] = x[1] & 31
    shorts = x[:1].astype(np.int16)
    out = np.full((6, 21), 77, np.int32)
    total = word_operations(x, shorts, scalar, column, out)
    own = slice(column, column + 16)
    a, b = x[0, own].astype(np.int64), x[1, own].astype(np.int64)
    wrapped = [(v & 0xFFFFFFFF).astype(np.uint32).astype(np.int32) for v in (a + b, a - b, a * b)]
    expected = [*wrapped, a >> (b & 31), np.full(16, scalar), shorts[0, own]]
    for row, values in zip(out, expected, strict=True):
        assert np.array_equal(row[own], values)
    assert (np.delete(out, np.arange(column, column + 16), 1) == 77).all()
    assert (total - int(a.sum())) % 2**32 == 0
    assert -(2**31) <= total < 2**31


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1e150, 1e150), min_size=16, max_size=16),
    st.floats(allow_nan=False),
    st.integers(0, 3),
)
def test_doubles_are_numpys(numbers: list[float], scalar: float, column: int) -> None:
    """Bit for bit, and a product and a sum are rounded one after the other."""
    x = np.ones((2, 11))
    x[0, column : column + 8], x[1, column : column + 8] = numbers[:8], numbers[8:]
    out = np.full((6, 11), 0.5)
    double_operations(x, scalar, column, out)
    own = slice(column, column + 8)
    a, b = x[0, own], x[1, own]
    with np.errstate(all="ignore"):
        quotient, product = a / b, a * b
        expected = [a + b, a - b, product, quotient, np.full(8, scalar), product + a]
    for row, values in zip(out, expected, strict=True):
        assert np.array_equal(row[own], values, equal_nan=True)
    assert (np.delete(out, np.arange(column, column + 8), 1) == 0.5).all()


FLOAT32 = st.floats(width=32)


@settings(max_examples=60)
@given(st.lists(FLOAT32, min_size=32, max_size=32), FLOAT32, st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_floats_are_numpys(numbers: list[float], scalar: float, column: int, seed: int) -> None:
    """The same; infinities and NaN too, which are neither larger nor smaller."""
    rng = np.random.default_rng(seed)
    x = np.ones((2, 19), np.float32)
    x[0, column : column + 16], x[1, column : column + 16] = numbers[:16], numbers[16:]
    words = rng.integers(-(2**31), 2**31, (1, 19)).astype(np.int32)
    shorts = rng.integers(-(2**15), 2**15, (1, 19)).astype(np.int16)
    out = np.full((10, 19), 0.5, np.float32)
    float_operations(x, words, shorts, np.float32(scalar), column, out)
    own = slice(column, column + 16)
    a, b = x[0, own], x[1, own]
    with np.errstate(all="ignore"):
        product, quotient = a * b, a / b
        expected = [a + b, a - b, product, quotient, np.full(16, scalar, np.float32), product + a]
    expected += [words[0, own].astype(np.float32), shorts[0, own].astype(np.float32)]
    expected += [np.where(a > b, a, b), np.where(a < b, a, b)]
    for row, values in zip(out, expected, strict=True):
        assert np.array_equal(row[own], values, equal_nan=True)
    assert (np.delete(out, np.arange(column, column + 16), 1) == 0.5).all()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 15), INT32)
def test_conversions_of_words(seed: int, lane: int, value: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-(2.0**30), 2.0**30, (1, 16)).astype(np.float32) / np.float32(2.0 ** rng.integers(0, 31))
    words, shorts = rng.integers(-(2**31), 2**31, (2, 16)).astype(np.int32), np.zeros((1, 16), np.int16)
    out = np.zeros((4, 16), np.int32)
    assert word_conversions(x, words, shorts, lane, value, out) == int(words[0, lane]) % 2**32
    halves = words.view(np.int16)
    changed = words[0].copy()
    changed[lane] = value
    expected = [np.trunc(x[0]).astype(np.int32), (halves[0] - halves[1]).view(np.int32), changed, words[0] & words[1]]
    assert np.array_equal(out, expected)
    assert np.array_equal(shorts[0], words[0].astype(np.int16))


def test_products_and_sums_are_not_fused() -> None:
    """(1 + e)(1 - e) - 1 is -e * e, and zero if the product is rounded first."""
    e = 2.0**-30
    x = np.zeros((2, 8))
    x[0], x[1] = 1 + e, -(1 - e)
    out = np.empty((6, 8))
    double_operations(x, 0.0, 0, out)
    assert (out[5] == np.float64(-((1 + e) * (1 - e))) + (1 + e)).all()
    few = np.float32(2.0**-13)
    y = np.zeros((2, 16), np.float32)
    y[0], y[1] = 1 + few, -(1 - few)
    singles = np.empty((10, 16), np.float32)
    float_operations(y, np.zeros((1, 16), np.int32), np.zeros((1, 16), np.int16), np.float32(0), 0, singles)
    assert (singles[5] == -((1 + few) * (1 - few)) + (1 + few)).all()


def test_leading_zeros() -> None:
    values = np.array([v for n in range(63) for v in {1 << n, (1 << n) + 1, (2 << n) - 1} if v < 2**63], np.int64)
    out = np.zeros_like(values)
    zeros_before(values, out)
    assert out.tolist() == [64 - int(v).bit_length() for v in values]
