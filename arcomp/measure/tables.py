"""Results as a text table."""

from __future__ import annotations

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
        spec: format of numbers, as for :func:`format`.
    """

    key: str
    title: str
    spec: str = ""


def cell(value: Any, spec: str = "") -> str:
    """One value: numbers by ``spec``, None as "-", truth as yes or no, text as it is."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    return format(value, spec)


def text(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """A table with a line of titles; columns that hold numbers are aligned at the right."""
    cells = [[cell(row.get(c.key), c.spec) for c in columns] for row in rows]
    widths = [max(len(c.title), *(len(line[i]) for line in cells), 0) for i, c in enumerate(columns)]
    right = [bool(c.spec) for c in columns]

    def line(values: Sequence[str]) -> str:
        padded = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
        return "  ".join(padded).rstrip()

    return "\n".join([line([c.title for c in columns]), line(["-" * w for w in widths]), *map(line, cells)])
