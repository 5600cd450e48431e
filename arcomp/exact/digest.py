"""The digest that files name a model by: the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def weights_digest(name: str, config: str, tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """SHA-256 of frozen weights: the model's name, its configuration (canonical JSON), and each tensor in order of
    name.

    Each item is preceded by its length as 8 little-endian bytes; a tensor is its name, its type, its shape (text,
    separated by commas) and its little-endian bytes.
    """
    h = hashlib.sha256()

    def add(data: bytes) -> None:
        h.update(len(data).to_bytes(8, "little") + data)

    add(name.encode())
    add(config.encode())
    for key in sorted(tensors):
        t = np.ascontiguousarray(tensors[key])
        add(key.encode())
        add(t.dtype.name.encode())
        add(",".join(str(s) for s in t.shape).encode())
        add(t.astype(t.dtype.newbyteorder("<")).tobytes())
    return h.digest()
