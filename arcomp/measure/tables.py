"""Results as a text table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a text table.

    Attributes:
        key: of the rows' values.
        title: shown above.
        spec: format of numbers, as for :func:`format`, or :data:`THREE_DIGITS`.
    """

    key: str
    title: str
    spec: str = ""


THREE_DIGITS = "three digits"
"""Besides those of :func:`format`: three digits that count, and never an exponent."""


def three_digits(value: float) -> str:
    """A number such as 5,710, 12.3 or 0.00143."""
    if not value:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, places):,.{places}f}" if places else f"{float(f'{value:.3g}'):,.0f}"


def cell(value: Any, spec: str = "") -> str:
    """One value: numbers by ``spec``, None as "-", truth as yes or no, text as it is."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    return three_digits(value) if spec == THREE_DIGITS else format(value, spec)


def text(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """A table with a line of titles; columns that hold numbers are aligned at the right."""
    cells = [[cell(row.get(c.key), c.spec) for c in columns] for row in rows]
    widths = [max(len(c.title), *(len(line[i]) for line in cells), 0) for i, c in enumerate(columns)]
    right = [bool(c.spec) for c in columns]

    def line(values: Sequence[str]) -> str:
        padded = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
        return "  ".join(padded).rstrip()

    return "\n".join([line([c.title for c in columns]), line(["-" * w for w in widths]), *map(line, cells)])
