"""Weights of which a mask leaves out many are stored without these, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact.arrays import Ints
from arcomp.layers.frozen import Arrays

Bools = npt.NDArray[np.bool_]


def packed(arrays: Arrays, free: Bools) -> Arrays:
    """A linear layer's arrays, its weights [m, k] as those alone that are free: [number of them]."""
    return {**arrays, "weight": arrays["weight"][free]}


def unpacked(arrays: Mapping[str, Ints], count: int, free: Callable[[], Bools]) -> Arrays:
    """The inverse of :func:`packed`.

    Args:
        count: of the free weights. free: bool [m, k]; not asked for unless there are so many, as it may be large.

    Raises:
        ModelError: there are others.
    """
    weight = arrays.get("weight")
    if weight is None or weight.shape != (count,):
        raise ModelError("a layer's weights do not fit its mask", remedy="install the model's weights again")
    mask = free()
    whole = np.zeros(mask.shape, weight.dtype)
    whole[mask] = weight
    return {**arrays, "weight": whole}
