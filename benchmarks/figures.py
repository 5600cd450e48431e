"""The README's plot: ``python -m benchmarks.figures [--png FILE]`` draws a table of RESULTS.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from arcomp.measure.plot import front
from benchmarks import drawing
from benchmarks.pareto import Point

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADING = "## Size against speed"
DRAWN = Path("docs/pictures/pareto.png")
TITLE = "Size against decoding speed: 25 photographs of CID22"
ABOUT = ("Sizes and speeds: benchmarks/RESULTS.md, two cores at 2.6 GHz, without start-up.",)


def points(text: str) -> list[Point]:
    """The rows of the table under the heading: codec, size, megapixels a second encoding and decoding."""
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    found = []
    for name, *numbers in rows[1:]:
        size, encode, decode = map(float, numbers)
        found.append(Point(name.strip("`"), name.startswith("`"), 0, 0.0, size, encode, decode))
    for i in front([(p.decode_mps, p.size) for p in found]):
        found[i].front = True
    return sorted(found, key=lambda p: (p.decode_mps, -p.size))


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw it."""
    parser = argparse.ArgumentParser("python -m benchmarks.figures", description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument("--png", type=Path, default=DRAWN, help=f"where (default {DRAWN})")
    options = parser.parse_args(arguments)
    drawing.png(options.png, TITLE, ABOUT, points(RESULTS.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
