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
)
from arcomp.models.photo import covariance

Function = Callable[[Any], Any]
INT32 = st.integers(-(2**31), 2**31 - 1)


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


@kernel()
def _multiply_rectified(weights: Any, x: Any, begin: Any, count: int, scale: Any, out: Any) -> None:
    dense.multiply_rectified(weights, x, begin, count, (scale[0], scale[1], scale[2]), 2, out)


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


@settings(max_examples=40)
@given(st.integers(1, 21), st.integers(1, 9), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_rescaled_products_are_numpys(m: int, k: int, count: int, seed: int, begun: bool) -> None:
    """Packed as the next layer takes them; with sums, biases and multipliers at which 32 bits are not enough."""
    rng = np.random.default_rng(seed)
    weight, x = rng.integers(-63, 64, (m, k)).astype(np.int8), rng.integers(-128, 128, (k, count)).astype(np.int8)
    columns = -(-count // 16) * 16
    begin = rng.integers(-(2**20), 2**20, (m, columns)).astype(np.int32)
    scale = np.stack([rng.integers(-(2**31), 2**31, m + 2), rng.integers(0, 2**15, m + 2), rng.integers(1, 47, m + 2)])
    scale[0] >>= rng.integers(0, 31, m + 2)
    packed, out = (aligned((dense.words(n), columns), np.int32) for n in (k, m))
    _pack(x, count, packed)
    _multiply_rectified(dense.pack_weights(weight), packed, begin if begun else None, count, scale, out)
    sums = weight.astype(np.int64) @ (x.astype(np.int64) + 128) + (begin[:, :count] if begun else 0)
    bias, multiplier, shift = scale[:, 2:, None]
    expected = np.clip(((sums + bias) * multiplier + (np.int64(1) << (shift - 1))) >> shift, 0, 255)
    made = out.view(np.uint8).reshape(len(out), columns, 4).transpose(0, 2, 1).reshape(-1, columns)
    assert np.array_equal(made[:m, :count], expected)


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
