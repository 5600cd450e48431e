"""Kernels of :mod:`arcomp.transforms.forecast`: an adaptive filter over rows of samples, in integers of 64 bits.

Samples x are counted from the middle of their range, so |x| <= 2**15. Weights have 16 bits after the point and are kept
within 2**20 (16 times a sample), so that no sum leaves 64 bits: 64 taps of 2**20 * 2**15, 2**47 of an error, and
2**46 * 2**8 of a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel

POINT = 16
"""Bits after the point of weights."""
LIMIT = 1 << 20
"""Of weights, either way."""


@kernel(inner=True)
def _expected(past: Any, weights: Any, middle: Any) -> Any:
    """The forecast, from the samples before, the last one first; within the range of samples."""
    total = np.int64(1 << (POINT - 1))
    for k in range(len(past)):
        total += weights[k] * past[k]
    return max(-middle, min(middle - 1, total >> POINT))


@kernel(inner=True)
def _learn(past: Any, weights: Any, sample: Any, expected: Any, rate: int) -> None:
    """Change the weights by what the forecast was wrong by, and take the sample into the past."""
    energy = np.int64(1)
    for k in range(len(past)):
        energy += past[k] * past[k]
    step = (np.int64(sample - expected) << 30) // energy
    for k in range(len(past)):
        weight = weights[k] + ((step * past[k] * rate) >> 22)
        weights[k] = max(-LIMIT, min(LIMIT, weight))
    for k in range(len(past) - 1, 0, -1):
        past[k] = past[k - 1]
    past[0] = sample


@kernel()
def subtract(stack: Any, coded: Any, past: Any, weights: Any, rate: int, depth: int) -> None:
    """Fill [N, H, W, C] with differences. ``past`` and ``weights`` are room: int64, one for each tap."""
    middle, mask = np.int64(1) << (depth - 1), (np.int64(1) << depth) - 1
    for n in range(stack.shape[0]):
        for y in range(stack.shape[1]):
            for c in range(stack.shape[3]):
                past[:], weights[:] = 0, 0
                for x in range(stack.shape[2]):
                    expected = _expected(past, weights, middle)
                    coded[n, y, x, c] = (np.int64(stack[n, y, x, c]) - expected) & mask
                    _learn(past, weights, np.int64(stack[n, y, x, c]) - middle, expected, rate)


@kernel()
def add(stack: Any, past: Any, weights: Any, rate: int, depth: int) -> None:
    """Make samples of differences, in place."""
    middle, mask = np.int64(1) << (depth - 1), (np.int64(1) << depth) - 1
    for n in range(stack.shape[0]):
        for y in range(stack.shape[1]):
            for c in range(stack.shape[3]):
                past[:], weights[:] = 0, 0
                for x in range(stack.shape[2]):
                    expected = _expected(past, weights, middle)
                    sample = (np.int64(stack[n, y, x, c]) + expected) & mask
                    stack[n, y, x, c] = sample
                    _learn(past, weights, sample - middle, expected, rate)
