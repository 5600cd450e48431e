"""Samples as networks take them: numbers in SIGNED8, 0 as -128, the largest as 127, evenly between."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

LARGEST = 4.0
"""Their largest size as real numbers. Weights are drawn for inputs of size 1: those of layers that read samples begin
smaller by it."""


def carried(values: npt.NDArray[Any], depth: int) -> npt.NDArray[np.int8]:
    """Samples as integers in SIGNED8."""
    return np.asarray(_levels(depth)[values], np.int8)


@cache
def _levels(depth: int) -> npt.NDArray[np.int8]:
    top = (1 << depth) - 1
    return np.array([(2 * 255 * v + top) // (2 * top) - 128 for v in range(top + 1)], np.int8)


@cache
def symbols(depth: int) -> npt.NDArray[np.int16]:
    """The samples that integers of SIGNED8 stand for, the nearest where none does: int16 [256], for -128 and on."""
    top = (1 << depth) - 1
    return np.array([(2 * top * v + 255) // (2 * 255) for v in range(256)], np.int16)
