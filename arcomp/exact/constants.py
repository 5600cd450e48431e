"""Constants on the device that uses them. A copy from the processor waits for all work on a GPU, and cannot be part of
a recorded CUDA graph: small constants are copied once and kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

KEPT, LARGEST = 256, 1 << 20
"""How many are kept, and bytes of the largest."""


def constant(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """An array as a tensor that nobody writes to."""
    if device.type == "cpu":
        return torch.from_numpy(array)
    if array.nbytes > LARGEST:
        return torch.from_numpy(array).to(device)
    return _kept(array.tobytes(), array.shape, array.dtype.str, device)


@lru_cache(KEPT)
def _kept(data: bytes, shape: tuple[int, ...], dtype: str, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy()).to(device)
