"""Digests of integer arrays: the same bytes on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def array_digest(array: npt.NDArray[Any]) -> str:
    """SHA-256 (hex) of an integer array: its shape and its values as little-endian int64."""
    h = hashlib.sha256()
    h.update(",".join(str(s) for s in array.shape).encode() + b":")
    h.update(np.ascontiguousarray(array, "<i8").tobytes())
    return h.hexdigest()


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
