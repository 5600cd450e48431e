"""Which range coder digits are encoded with: constriction's where it is installed, else the project's own.

constriction (Bamler 2022, "Understanding entropy coding with ANS") has packages for Linux on x86-64, macOS and Windows.
Both write the same words, and the project's own decodes them. The environment variable ARCOMP_CODER asks for one of
them: ``constriction`` or ``own``.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from arcomp.coding import range_coder
from arcomp.coding.distribution import Float32, Int32
from arcomp.errors import ArcompError

CODERS = ("constriction", "own")
ENVIRONMENT = "ARCOMP_CODER"
UInt32 = npt.NDArray[np.uint32]


class DigitEncoder(Protocol):
    """What :class:`arcomp.coding.range_coder.RangeEncoder` does."""

    def encode(self, digits: Int32, less_one: Float32) -> None: ...

    def words(self) -> UInt32: ...


def chosen() -> str:
    """One of CODERS.

    Raises:
        ArcompError: ARCOMP_CODER asks for another, or for one that is not installed.
    """
    wanted = os.environ.get(ENVIRONMENT) or None
    if wanted not in (None, *CODERS):
        raise ArcompError(f"no range coder {wanted!r}", remedy=f"{ENVIRONMENT} is {' or '.join(CODERS)}, or not set")
    if wanted == "constriction" and _constriction() is None:
        raise ArcompError("constriction is not installed", remedy=f"install it, or do not set {ENVIRONMENT}")
    return wanted or ("own" if _constriction() is None else "constriction")


def range_encoder() -> DigitEncoder:
    """An encoder of digits that has written nothing. Raises what :func:`chosen` raises."""
    return range_coder.RangeEncoder() if chosen() == "own" else _Encoder()


@cache
def _constriction() -> Any:
    """The module, or None."""
    try:
        import constriction
    except ImportError:
        return None
    return constriction


@cache
def _categorical() -> Any:
    """constriction's model of digits.

    ``Categorical(perfect=False)`` with parameters that are non-negative integers summing to 2**24 - s codes s symbols
    with frequencies of exactly one more than each, out of 2**24. ``perfect`` is always passed: its default differs
    between releases, and True calls the C library's logarithm. Golden files catch a release that does otherwise.
    """
    return _constriction().stream.model.Categorical(perfect=False)


class _Encoder:
    """constriction's, as :class:`DigitEncoder`."""

    def __init__(self) -> None:
        self._coder = _constriction().stream.queue.RangeEncoder()

    def encode(self, digits: Int32, less_one: Float32) -> None:
        self._coder.encode(digits, _categorical(), less_one)

    def words(self) -> UInt32:
        return np.asarray(self._coder.get_compressed(), np.uint32)
