"""Files of tensors (safetensors) that are the same whenever they hold the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
ALIGNED = 8
"""Bytes that a header's length is a multiple of."""


def in_order(saved: bytes) -> bytes:
    """What safetensors saved, with the names in its header sorted: it writes metadata in a new sequence each time."""
    size = int.from_bytes(saved[:8], "little")
    header = json.dumps(json.loads(saved[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % ALIGNED)
    return len(header).to_bytes(8, "little") + header + saved[8 + size :]


def part(tensors: Mapping[str, T], name: str) -> dict[str, T]:
    """Those of a part, ``NAME.REST``, by the rest of their names."""
    return {key.removeprefix(name + "."): value for key, value in tensors.items() if key.startswith(name + ".")}
