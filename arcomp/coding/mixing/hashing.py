"""Hashes of contexts, and what a mixer takes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import with_word

_ADDRESS, _EVEN_ADDRESS = np.uint64(0xFFFFFFF), np.uint64(0xFFFFFFE)
FACTOR = np.uint64(0xD6E8FEB86659FD93)
"""Spreads the bits of a hash; odd."""
_ADDED = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@kernel(inline="always")
def fold(h: Any, number: Any) -> Any:
    """One more number in a hash, both uint64."""
    h = (h ^ (np.uint64(number) + _ADDED)) * FACTOR
    return h ^ (h >> _SHIFT)


@kernel(inline="always")
def _put(contexts: Any, checks: Any, table: Any, h: Any, address: Any) -> Any:
    h ^= h >> np.uint64(32)
    return (
        with_word(contexts, table, np.int64(h & address)),
        with_word(checks, table, np.int64((h >> np.uint64(40)) & np.uint64(255)) << 6),
    )


@kernel(inline="always")
def hashed(contexts: Any, checks: Any, table: Any, h: Any) -> Any:
    """A table's context, a hash of 64 bits, in the form that :func:`arcomp.coding.mixing.find` takes."""
    return _put(contexts, checks, table, h, _ADDRESS)


@kernel(inline="always")
def hashed_evenly(contexts: Any, checks: Any, table: Any, h: Any) -> Any:
    """The same at an even address: of two counters side by side."""
    return _put(contexts, checks, table, h, _EVEN_ADDRESS)
