"""Kernels of :mod:`arcomp.transforms.predicted`: samples as differences, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel


@kernel(inner=True)
def _prediction(stack: Any, n: int, y: int, x: int, c: int, weight: int) -> int:
    """Of a sample of uint16 [N, H, W, C], from those before it."""
    if y > 0 and x > 0:
        around = np.int64(stack[n, y, x - 1, c]) + np.int64(stack[n, y - 1, x, c])
        return int((weight * around - (2 * weight - 4) * np.int64(stack[n, y - 1, x - 1, c]) + 2) >> 2)
    if x > 0:
        return int(stack[n, y, x - 1, c])
    if y > 0:
        return int(stack[n, y - 1, x, c])
    return 0


@kernel()
def subtract(stack: Any, coded: Any, weight: int, centre: int, mask: int) -> None:
    """Fill uint16 [N, H, W, C] with differences."""
    for n in range(stack.shape[0]):
        for y in range(stack.shape[1]):
            for x in range(stack.shape[2]):
                for c in range(stack.shape[3]):
                    shift = centre - _prediction(stack, n, y, x, c, weight)
                    coded[n, y, x, c] = (np.int64(stack[n, y, x, c]) + shift) & mask


@kernel()
def add(stack: Any, weight: int, centre: int, mask: int) -> None:
    """Make samples of differences, in place."""
    for n in range(stack.shape[0]):
        for y in range(stack.shape[1]):
            for x in range(stack.shape[2]):
                for c in range(stack.shape[3]):
                    shift = _prediction(stack, n, y, x, c, weight) - centre
                    stack[n, y, x, c] = (np.int64(stack[n, y, x, c]) + shift) & mask
