"""Results as CSV and as JSON (as a text table: :mod:`arcomp.measure.tables`)."""

from __future__ import annotations

import csv
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from arcomp.measure.tables import Row

PACKAGES = ("arcomp", "torch", "numba", "numpy", "constriction", "pillow", "pillow-jxl-plugin")


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


def say(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)
