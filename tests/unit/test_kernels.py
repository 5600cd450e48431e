"""Vectors and small matrix products inside kernels, against numpy; and that every processor's instructions agree."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.exact import dense
from arcomp.exact.compiled import Compiling, kernel
from arcomp.exact.lanes import (
    ALIGNMENT,
    aligned,
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
from arcomp.models.photo import covariance

Function = Callable[[Any], Any]
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
def word_conversions(x: Any, words: Any, shorts: Any, lane: int, value: int, out: Any) -> np.int64:
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


@pytest.mark.parametrize("shape", [(3,), (5, 7), (2, 3, 11)])
def test_aligned(shape: tuple[int, ...]) -> None:
    for kind in (np.int8, np.int32, np.float64):
        made = aligned(shape, kind)
        assert made.ctypes.data % ALIGNMENT == 0
        assert made.shape == shape
        assert made.dtype == kind
        assert made.flags.c_contiguous
        assert not made.any()


# --- products -------------------------------------------------------------------------------------------------------


@kernel()
def _pack(x: Any, count: int, out: Any) -> None:
    dense.pack(x, count, out)


@kernel()
def _multiply(weights: Any, x: Any, count: int, out: Any) -> None:
    dense.multiply(weights, x, count, out)


def product(weight: Any, x: Any, count: int, columns: int) -> Any:
    packed = aligned((dense.words(weight.shape[1]), columns), np.int32)
    packed[:] = -1
    _pack(x, count, packed)
    out = aligned((len(weight), columns), np.int32)
    _multiply(dense.pack_weights(weight), packed, count, out)
    return out[:, :count].astype(np.int64) - dense.offset(weight)[:, None]


@settings(max_examples=80)
@given(st.integers(1, 40), st.integers(1, 41), st.integers(1, 50), st.integers(0, 2**32 - 1), st.booleans())
def test_products_are_numpys(m: int, k: int, count: int, seed: int, extreme: bool) -> None:
    """For numbers of outputs, inputs and pixels that are no multiples of 4, 8 or 16; also at the ends of the ranges."""
    rng = np.random.default_rng(seed)
    weight = (rng.choice([-63, 63], (m, k)) if extreme else rng.integers(-63, 64, (m, k))).astype(np.int8)
    x = (rng.choice([-128, 127], (k, count)) if extreme else rng.integers(-128, 128, (k, count))).astype(np.int8)
    expected = weight.astype(np.int64) @ x.astype(np.int64)
    assert np.array_equal(product(weight, x, count, -(-count // 16) * 16), expected)


@pytest.mark.parametrize("w", [-63, 63])
@pytest.mark.parametrize("v", [-128, 127])
def test_largest_sums(w: int, v: int) -> None:
    """The widest layer allowed, all at their limits: 16-bit sums of two products do not saturate."""
    weight, x = np.full((9, 1024), w, np.int8), np.full((1024, 5), v, np.int8)
    assert (product(weight, x, 5, 16) == w * v * 1024).all()


@kernel()
def _add_pairs(m: int, count: int, pairs: Any, sums: Any, at: int) -> None:
    covariance.add(m, count, pairs, sums, at)


def sums_of_pairs(m: int, count: int, seed: int) -> None:
    """The lower triangle of all products of two samples' 16-bit numbers, added to what is there; nothing beside it."""
    rng = np.random.default_rng(seed)
    pairs = covariance.pairs_of(m)
    for workspace in pairs:
        workspace[:] = rng.integers(-(2**31) + 1, 2**31, workspace.shape)
    pairs.weighted.view(np.int16)[:] = rng.integers(-16320, 16321, pairs.weighted.view(np.int16).shape)
    pairs.plain.view(np.int16)[:] = rng.integers(-255, 256, pairs.plain.view(np.int16).shape)
    sums = aligned((m * (m + 1) // 2, 48), np.int32)
    sums[:] = rng.integers(-1000, 1000, sums.shape)
    expected = sums.astype(np.int64)
    u, v = (p[: count * m].view(np.int16).astype(np.int64).reshape(count, m, 16, 2) for p in pairs)
    products = np.einsum("simk,sjmk->ijm", u, v)
    expected[:, 16:32] += products[np.tril_indices(m)]
    _add_pairs(m, count, pairs, sums, 16)
    assert np.array_equal(sums, expected), (m, count)


@pytest.mark.parametrize("m", [*range(1, 16), 21, 24, 39])
def test_sums_of_pairs_are_numpys(m: int) -> None:
    for count in (0, 1, 2, covariance.BLOCK):
        sums_of_pairs(m, count, m)


def test_kernels_for_kernels_say_so() -> None:
    """There is no machine code for a call from Python: it must not be tried."""
    with pytest.raises(TypeError, match="add is for kernels alone"):
        covariance.add(1, 1, covariance.pairs_of(1), aligned((1, 16), np.int32), 0)


ROOT = Path(__file__).parents[2]
_CHILD = """
import sys
import numpy as np
from numba.core.registry import cpu_target
from arcomp.exact import dense
from tests.unit.test_kernels import product, sums_of_pairs

features = dense._features(cpu_target.target_context)
by = "vnni" if {"avx512vnni", "avx512f"} <= features else "avx2" if "avx2" in features else "shifts"
rng = np.random.default_rng(0)
total = 0
for m, k, count in ((1, 1, 1), (7, 5, 3), (8, 4, 16), (9, 33, 17), (20, 100, 40), (3, 1024, 33)):
    for extreme in (False, True):
        weight = (rng.choice([-63, 63], (m, k)) if extreme else rng.integers(-63, 64, (m, k))).astype(np.int8)
        x = (rng.choice([-128, 127], (k, count)) if extreme else rng.integers(-128, 128, (k, count))).astype(np.int8)
        made = product(weight, x, count, -(-count // 16) * 16)
        assert np.array_equal(made, weight.astype(np.int64) @ x.astype(np.int64)), (m, k, count)
        total += 1
for m in (1, 4, 7, 12, 15, 21):
    sums_of_pairs(m, 5, m)
print(by, total)
"""
PROCESSORS = {
    "here": ({}, None),
    "generic": ({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}, "shifts"),
    "haswell": ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+avx,+sse4.2"}, "avx2"),
}
X86 = platform.machine().lower() in ("x86_64", "amd64")


def on(processor: str, code: str, cache: Path, *arguments: str) -> str:
    """What a child says whose kernels are compiled for another processor."""
    if processor == "haswell" and not (X86 and _has_avx2()):
        pytest.skip("needs a processor with AVX2")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    environment |= {"NUMBA_CACHE_DIR": str(cache), **PROCESSORS[processor][0]}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _has_avx2() -> bool:
    from numba.core.registry import cpu_target

    return "avx2" in dense._features(cpu_target.target_context)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_every_instruction_gives_the_same_products(processor: str, tmp_path: Path) -> None:
    by, total = on(processor, _CHILD, tmp_path).split()
    expected = PROCESSORS[processor][1]
    assert expected is None or by == expected
    assert total == "12"


_STREAMS = """
import hashlib, sys
from tests.contents import pictures
from tests.specimens import LEARNERS
h = hashlib.sha256()
for name in ("rgb", "three windows rgb", "three windows extreme gray", "online rgb", "similarity rgb"):
    make, channels = LEARNERS["photo " + name]
    model = make()
    for content in ("smooth", "noise", "extreme", "converted"):
        h.update(model.encode_tile(pictures(content, (21, 34, channels), 8)).data)
print(h.hexdigest())
"""


@pytest.mark.slow
@pytest.mark.skipif(not X86, reason="compares processors of one family")
def test_every_processor_writes_the_same_streams(tmp_path: Path) -> None:
    """The least squares' float64 included: no instruction fuses or reorders."""
    assert len({on(p, _STREAMS, tmp_path / p) for p in PROCESSORS}) == 1


def test_compiling_leaves_the_collector_as_it_was() -> None:
    """It pauses while a kernel, and those that it calls, are compiled; also if that fails."""
    seen: list[bool] = []

    jitable: Callable[[Function], Function] = numba.extending.register_jitable
    compiled: Callable[[Function], Function] = numba.njit

    @jitable
    def inner(x: Any) -> Any:
        return x + 1

    @compiled
    def right(x: Any) -> Any:
        return inner(x)

    @compiled
    def wrong(x: Any) -> Any:
        return x.nothing

    with Compiling(0.0, seen.append):
        assert right(1) == 2
        assert gc.isenabled()
        with pytest.raises(numba.TypingError):
            wrong(1)
        assert gc.isenabled()
        gc.disable()
        try:
            assert right(1.5) == 2.5
            assert not gc.isenabled()
        finally:
            gc.enable()


def test_code_for_other_types_has_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where an entry was lost: of two processes that write the index at once, one is later."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    def twice(x: Any) -> Any:
        return x + x

    assert kernel()(twice)(1) == 2
    (index,) = tmp_path.rglob("*.nbi")
    index.unlink()
    assert kernel()(twice)(1.5) == 3
    assert len(list(tmp_path.rglob("*.nbc"))) == 2
    again = kernel()(twice)
    assert again(1.5) == 3
    dispatcher: Any = again
    assert sum(dispatcher.stats.cache_hits.values()) == 1
