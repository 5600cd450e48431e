"""Vectors of numbers inside kernels: each operation is NumPy's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    aligned,
    all_floats,
    all_words,
    clamped_halves,
    larger_floats,
    leading_zeros,
    load_floats,
    load_pairs,
    load_shorts,
    load_words,
    prefetch,
    root_of_floats,
    shift_words,
    smaller_floats,
    smaller_shorts,
    store_floats,
    store_shorts,
    store_words,
    subtract_halves,
    sum_of_words,
    with_word,
    without_tiny,
    word,
    words_of_floats,
)

INT32 = st.integers(-(2**31), 2**31 - 1)


@kernel()
def word_operations(x: Any, scalar: int, column: int, out: Any) -> np.int64:
    """Rows of out: a + b, a - b, a * b, a >> b % 32, all lanes scalar."""
    a, b = load_words(x, 0, column), load_words(x, 1, column)
    store_words(out, 0, column, a + b)
    store_words(out, 1, column, a - b)
    store_words(out, 2, column, a * b)
    store_words(out, 3, column, shift_words(a, load_words(x, 2, column)))
    store_words(out, 4, column, all_words(np.int32(scalar)))
    return np.int64(sum_of_words(a))


@kernel()
def float_operations(x: Any, words: Any, shorts: Any, scalar: Any, column: int, out: Any) -> None:
    """Rows of out: a + b, a - b, a * b, a / b, scalar, (a * b) + a, a word, a short, the larger, the smaller, the root
    of a, a where it is not smaller than b."""
    a, b = load_floats(x, 0, column), load_floats(x, 1, column)
    store_floats(out, 0, column, a + b)
    store_floats(out, 1, column, a - b)
    store_floats(out, 2, column, a * b)
    store_floats(out, 3, column, a / b)
    store_floats(out, 4, column, all_floats(scalar))
    store_floats(out, 5, column, a * b + a)
    store_floats(out, 6, column, load_floats(words, 0, column))
    store_floats(out, 7, column, load_floats(shorts, 0, column))
    store_floats(out, 8, column, larger_floats(a, b))
    store_floats(out, 9, column, smaller_floats(a, b))
    store_floats(out, 10, column, root_of_floats(a))
    store_floats(out, 11, column, without_tiny(a, b))


@kernel()
def byte_loads(levels: Any, column: int, other: int, words: Any, shorts: Any, floats: Any) -> None:
    """Bytes of row 0 at a column as shorts and as floats; as words, with those of row 1 at another one above them."""
    store_words(words, 0, 0, load_pairs(levels, 0, column, 1, other))
    store_shorts(shorts, 0, 0, load_shorts(levels, 0, column))
    store_floats(floats, 0, 0, load_floats(levels, 0, column))


@kernel()
def word_conversions(x: Any, words: Any, lane: int, value: int, out: Any) -> Any:
    """Rows of out: x towards zero, a - b by halves, words with a lane changed, a & b."""
    a, b = load_words(words, 0, 0), load_words(words, 1, 0)
    store_words(out, 0, 0, words_of_floats(load_floats(x, 0, 0)))
    store_words(out, 1, 0, subtract_halves(a, b))
    store_words(out, 2, 0, with_word(a, lane, value))
    store_words(out, 3, 0, a & b)
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
    out = np.full((5, 21), 77, np.int32)
    total = word_operations(x, scalar, column, out)
    own = slice(column, column + 16)
    a, b = x[0, own].astype(np.int64), x[1, own].astype(np.int64)
    wrapped = [(v & 0xFFFFFFFF).astype(np.uint32).astype(np.int32) for v in (a + b, a - b, a * b)]
    expected = [*wrapped, a >> (b & 31), np.full(16, scalar)]
    for row, values in zip(out, expected, strict=True):
        assert np.array_equal(row[own], values)
    assert (np.delete(out, np.arange(column, column + 16), 1) == 77).all()
    assert (total - int(a.sum())) % 2**32 == 0
    assert -(2**31) <= total < 2**31


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
    out = np.full((12, 19), 0.5, np.float32)
    float_operations(x, words, shorts, np.float32(scalar), column, out)
    own = slice(column, column + 16)
    a, b = x[0, own], x[1, own]
    with np.errstate(all="ignore"):
        product, quotient = a * b, a / b
        expected = [a + b, a - b, product, quotient, np.full(16, scalar, np.float32), product + a]
    expected += [words[0, own].astype(np.float32), shorts[0, own].astype(np.float32)]
    with np.errstate(all="ignore"):
        expected += [np.where(a > b, a, b), np.where(a < b, a, b), np.sqrt(a), np.where(np.abs(a) >= b, a, 0)]
    for row, values in zip(out, expected, strict=True):
        assert np.array_equal(row[own], values, equal_nan=True)
    assert (np.delete(out, np.arange(column, column + 16), 1) == 0.5).all()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 15), INT32)
def test_conversions_of_words(seed: int, lane: int, value: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-(2.0**30), 2.0**30, (1, 16)).astype(np.float32) / np.float32(2.0 ** rng.integers(0, 31))
    words = rng.integers(-(2**31), 2**31, (2, 16)).astype(np.int32)
    out = np.zeros((4, 16), np.int32)
    assert word_conversions(x, words, lane, value, out) == int(words[0, lane]) % 2**32
    halves = words.view(np.int16)
    changed = words[0].copy()
    changed[lane] = value
    expected = [np.trunc(x[0]).astype(np.int32), (halves[0] - halves[1]).view(np.int32), changed, words[0] & words[1]]
    assert np.array_equal(out, expected)


def test_products_and_sums_are_not_fused() -> None:
    """(1 + e)(1 - e) - 1 is -e * e, and zero if the product is rounded first."""
    few = np.float32(2.0**-13)
    y = np.zeros((2, 16), np.float32)
    y[0], y[1] = 1 + few, -(1 - few)
    singles = np.empty((12, 16), np.float32)
    float_operations(y, np.zeros((1, 16), np.int32), np.zeros((1, 16), np.int16), np.float32(0), 0, singles)
    assert (singles[5] == -((1 + few) * (1 - few)) + (1 + few)).all()


def test_bytes_have_no_sign() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (2, 40)).astype(np.uint8)
    words, shorts, floats = np.zeros((1, 16), np.int32), np.zeros((1, 16), np.int16), np.zeros((1, 16), np.float32)
    for column, other in ((0, 24), (7, 7), (24, 1)):
        byte_loads(levels, column, other, words, shorts, floats)
        low, high = (levels[r, c : c + 16].astype(np.int32) for r, c in ((0, column), (1, other)))
        assert np.array_equal(words[0], low | high << 16)
        assert np.array_equal(shorts[0], low)
        assert np.array_equal(floats[0], low)


def test_leading_zeros() -> None:
    values = np.array([v for n in range(63) for v in {1 << n, (1 << n) + 1, (2 << n) - 1} if v < 2**63], np.int64)
    out = np.zeros_like(values)
    zeros_before(values, out)
    assert out.tolist() == [64 - int(v).bit_length() for v in values]


@kernel()
def wide_loads(levels: Any, values: Any, limit: int, column: int, words: Any, shorts: Any) -> None:
    """Pairs of int16 within a limit; the lowest 16 bits of int32, and the smaller ones of two rows."""
    pairs = load_pairs(levels, 0, column, 1, column)
    store_words(words, 0, 0, clamped_halves(pairs, all_words(np.int32(limit * 65537))))
    store_shorts(shorts, 0, 0, load_shorts(values, 0, column))
    store_shorts(shorts, 1, 0, smaller_shorts(load_shorts(levels, 0, column), load_shorts(levels, 1, column)))


@settings(max_examples=30)
@given(st.lists(INT32, min_size=44, max_size=44), st.integers(1, 32767), st.integers(0, 5))
def test_wide_loads_are_numpys(numbers: list[int], limit: int, column: int) -> None:
    values = np.array(numbers, np.int64).astype(np.int32).reshape(2, 22)
    levels = np.ascontiguousarray(values.astype(np.int16))
    words, shorts = aligned((1, 16), np.int32), aligned((2, 16), np.int16)
    wide_loads(levels, values, limit, column, words, shorts)
    own = levels[:, column : column + 16]
    assert np.array_equal(words.view(np.int16).reshape(16, 2).T, own.astype(np.int32).clip(-limit, limit))
    assert np.array_equal(shorts, np.stack([own[0], own.min(axis=0)]))
