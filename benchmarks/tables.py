"""Results as a text table, as CSV and as JSON."""

from __future__ import annotations

import csv
import json
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
PACKAGES = ("arcomp", "torch", "numba", "numpy", "constriction", "pillow", "pillow-jxl-plugin")


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


def claim(path: Path | None) -> None:
    """Make sure that a result can be written there, before hours are spent on it.

    Raises:
        OSError: it cannot.
    """
    if path is not None:
        with open(path, "a", encoding="utf-8"):
            pass


def write_csv(path: Path | None, rows: Iterable[Row]) -> None:
    """All values of all rows; columns in the order they first appear. Nothing if there is no path."""
    if path is None:
        return
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: Path | None, document: Mapping[str, Any]) -> None:
    """Indented, with what it was measured with. Nothing if there is no path."""
    if path is None:
        return
    whole = {**document, "measured_with": surroundings()}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def surroundings() -> dict[str, str | None]:
    """Versions, and the kind of machine."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        **versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def number_or(value: Any, otherwise: str) -> Any:
    """A value, or what a table shows in its place where there is none."""
    return otherwise if value is None else value


def say(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)
