"""The README's plot: ``python -m benchmarks.figures [--png FILE]`` draws a table of RESULTS.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from arcomp.measure import plot
from arcomp.measure.plot import Mark
from benchmarks.choice import JXL

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADING = "## Size against speed"
DRAWN = Path("docs/pictures/pareto.png")
X_TITLE = "decoding, megapixels a second"
Y_TITLE = f"size, {JXL} = 1, smaller is lower: 25 photographs of CID22"


def marks(text: str) -> list[Mark]:
    """The rows of the table under the heading: codec, size, megapixels a second encoding and decoding."""
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [Mark(name.strip("`"), float(speed), float(size), name.startswith("`")) for name, size, _, speed in rows[1:]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw it."""
    parser = argparse.ArgumentParser("python -m benchmarks.figures", description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument("--png", type=Path, default=DRAWN, help=f"where (default {DRAWN})")
    options = parser.parse_args(arguments)
    plot.figure(marks(RESULTS.read_text(encoding="utf-8")), X_TITLE, Y_TITLE, (8, 5)).savefig(options.png, dpi=160)
    return 0


if __name__ == "__main__":
    sys.exit(main())
