"""How fast pictures are evaluated in parallel, in integers and in float: what encoding waits for, without coding.

    python -m benchmarks.evaluation ARRAY [--models pixelcnnpp,pixelsnail] [--limit 1000] [--device cpu]

ARRAY is .npy, uint8 [N, 32, 32, 3]. Models are those shipped as NAME-colour, or as the recipe of that name has them,
with fresh weights. Each is timed once over all pictures, after a warm-up, with as many threads as there are processors,
or on a GPU (--device cuda).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from arcomp.measure import bits
from arcomp.measure.tables import Column, text
from arcomp.samples import Samples
from benchmarks.caches import Pixels, shipped

COLUMNS = (
    Column("model", "model"),
    Column("pictures", "pictures", ","),
    Column("exact_rate", "exact, pictures/s", ".1f"),
    Column("float_rate", "float, pictures/s", ".1f"),
    Column("exact_bits", "exact bits/dim", ".4f"),
    Column("float_bits", "float bits/dim", ".4f"),
)
WARM = 16
"""Pictures of the warm-up."""


def timed(evaluate: Callable[[Pixels], float], pixels: Pixels) -> tuple[float, float]:
    """What it gives, and pictures a second."""
    evaluate(pixels[:WARM])
    began = time.perf_counter()
    found = evaluate(pixels)
    return found, len(pixels) / (time.perf_counter() - began)


def row(name: str, pixels: Pixels, device: str) -> dict[str, Any]:
    """A row of the table."""
    model = shipped(name)

    def exact(some: Pixels) -> float:
        return bits.measure(Samples.of(some), model, device=device)[0].total

    def in_float(some: Pixels) -> float:
        found = model.float_bits(some, 8, device)
        assert found is not None
        return found

    (total, rate), (float_total, float_rate) = timed(exact, pixels), timed(in_float, pixels)
    return {
        "model": name,
        "pictures": len(pixels),
        "exact_rate": rate,
        "float_rate": float_rate,
        "exact_bits": total / pixels.size,
        "float_bits": float_total / pixels.size,
    }


@click.command()
@click.argument("array", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--models", default="pixelcnnpp,pixelsnail", show_default=True)
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--device", default="cpu", show_default=True)
def main(array: Path, models: str, limit: int, device: str) -> None:
    """Time the parallel evaluation of ARRAY's pictures."""
    pixels = np.ascontiguousarray(np.load(array, allow_pickle=False)[:limit])
    print(text([row(name, pixels, device) for name in models.split(",")], COLUMNS))


if __name__ == "__main__":
    main()
