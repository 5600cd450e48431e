"""What a model declares of its mixing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

LANES = 16
"""Inputs that are mixed, at most; unused ones are 0. Also the sets of weights and maps, at most."""


@dataclass(frozen=True)
class Shape:
    """The shape of a model's mixing.

    Attributes:
        tables: contexts that are counted.
        bits: log2 of the counters of a table.
        sets: rows of each set of weights; a decision uses the sum of one row of each.
        maps: rows of each adaptive map that corrects the result: none, one or two maps.
        experts: predictions that the model makes itself; the first set's weights start with their mean.
        first_rate, last_rate: of the weights at the start and in the long run, in 2**-16.
        limit: count at which a counter stops slowing down.
    """

    tables: int
    bits: int
    sets: tuple[int, ...]
    maps: tuple[int, ...] = ()
    experts: int = 1
    first_rate: int = 328
    last_rate: int = 46
    limit: int = 60

    def __post_init__(self) -> None:
        assert self.experts + self.tables < LANES, "more inputs than lanes"
        assert 0 < self.bits <= 28, "addresses have 28 bits"
        assert len(self.maps) <= 2, "at most two maps"
        assert self.sets, "no weights"
        assert len(self.sets) + len(self.maps) <= LANES, "more rows than lanes"
        assert 0 < self.limit < 64, "a count has six bits"

    @property
    def weight_rows(self) -> int:
        """Rows of weights: all sets, one after the other."""
        return sum(self.sets)

    @property
    def set_starts(self) -> tuple[int, ...]:
        """The first row of each set."""
        return (0, *accumulate(self.sets[:-1]))

    @property
    def map_rows(self) -> int:
        """Rows of both maps, one after the other."""
        return sum(self.maps)
