"""The unit that speeds are said in: millions of pixels or bytes a second, or thousands where models are slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from arcomp.measure.results import Result

SLOW = 0.1
"""Millions a second; where half of the models are slower, thousands are counted."""


@dataclass(frozen=True)
class Rate:
    """A unit of speed.

    Attributes:
        short: for tables.
        words: for axes.
        parts: how many of it are a million a second.
    """

    short: str
    words: str
    parts: float

    def of(self, speed: float | None) -> float | None:
        """A speed in millions a second, in this unit."""
        return None if speed is None else speed * self.parts


def rate(found: Sequence[Result], of_bytes: bool) -> Rate:
    """The unit that suits some results.

    Args:
        of_bytes: all inputs are bytes.
    """
    models = [speed for r in found if r.kind == "model" and (speed := r.mps("decode_seconds"))]
    slow = bool(models) and median(models) < SLOW
    what = ("kilo" if slow else "mega") + ("bytes" if of_bytes else "pixels")
    short = ("k" if slow else "M") + ("B/s" if of_bytes else "P/s")
    return Rate(short, f"{what} a second", 1000.0 if slow else 1.0)
