"""Which backend belongs to a device or to an array; torch is imported for devices other than the processor."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from arcomp.errors import needs_torch
from arcomp.exact.arrays import CPU, HOST, Array, Backend


@lru_cache(16)
def backend(device: str) -> Backend:
    """That of a device: "cpu", "cuda", or "torch".

    Raises:
        ArcompError: torch is needed and not installed.
    """
    if device == CPU:
        return HOST
    with needs_torch(f"device {device}"):
        from arcomp.exact.by_torch import Torch
    return Torch(device)


def on_host(x: Array) -> bool:
    """Whether an array is one of NumPy's."""
    return isinstance(x, np.ndarray)


def backend_of(x: Array) -> Backend:
    """That of an array."""
    if on_host(x):
        return HOST
    return backend("torch" if x.device.type == CPU else str(x.device))
