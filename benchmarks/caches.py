"""How much caches save: decoding from them beside decoding by parallel passes, in the same run.

    python -m benchmarks.caches [ARRAY] [--models pixelcnnpp,pixelsnail] [--batches 1] [--device cpu]

Colour pictures of 32 x 32 (the first ones of ARRAY, .npy, uint8 [N, 32, 32, 3]; without it, drawn at random) are coded
by models with the weights shipped as NAME-colour, or as the recipe of that name has them, with fresh weights.
Decoding from caches is timed to its end, in a second run, and its pixels are compared. Decoding by parallel passes
evaluates all of the pictures for each position, and for each channel of it: some of these passes, spread over the
picture, are timed and multiplied up. Of networks that give all channels at once a pass for each position would do: the
last column is against that. On a GPU (--device cuda) the parallel passes run, of encoding too; caches are the
processor's: a front is too little for it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
import numpy.typing as npt
import torch

from arcomp.codec import plan
from arcomp.contract import registry
from arcomp.contract.distributions import DistributionModel
from arcomp.errors import ModelError
from arcomp.measure.tables import Column, text
from arcomp.training import recipes
from arcomp.training.trainable import trainer_of
from benchmarks.fronts import measured, random_walks
from benchmarks.outputs import say

TIMED = 8
"""Passes that are timed."""
COLUMNS = (
    Column("model", "model"),
    Column("pictures", "pictures"),
    Column("encode_seconds", "encode s", ".2f"),
    Column("cached_seconds", "cached s", ".2f"),
    Column("pass_seconds", "a pass s", ".3f"),
    Column("naive_seconds", "naive s", ",.0f"),
    Column("ratio", "naive / cached", ",.0f"),
    Column("ratio_of_positions", "a pass a position / cached", ",.0f"),
)
Pixels = npt.NDArray[np.uint8]


def shipped(name: str) -> DistributionModel:
    """The model's weights for colour; without any, as its recipe has it, with random ones."""
    try:
        model = registry.load(f"{name}-colour")
    except ModelError:
        recipe = recipes.find(f"{name}-colour")
        torch.manual_seed(0)
        trainer = trainer_of(recipe.model)
        model = registry.from_weights(trainer.freeze({3: trainer.start(recipe.config)}))
    return cast(DistributionModel, model)


def pass_seconds(model: DistributionModel, pixels: Pixels, device: str) -> float:
    """Seconds of a parallel pass and of what it is asked for at a front."""
    _, spec = plan(pixels, 8, model, None, None)
    fronts = list(model.order.fronts(spec.batch))
    taken = []
    for i in np.linspace(0, len(fronts) - 1, TIMED).astype(int):
        began = time.perf_counter()
        model.parallel(pixels, spec, device).distributions(fronts[i])
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def row(model: DistributionModel, pixels: Pixels, device: str) -> dict[str, Any]:
    """A row of the table."""
    timed, one = measured(model, pixels, device), pass_seconds(model, pixels, device)
    cached, by_fronts = timed["decode_seconds"], one * timed["fronts"]
    naive = by_fronts * pixels.shape[3]
    return {
        "model": model.name,
        "pictures": len(pixels),
        "parameters": model.parameters,
        "encode_seconds": timed["encode_seconds"],
        "cached_seconds": cached,
        "pass_seconds": one,
        "naive_seconds": naive,
        "ratio": naive / cached,
        "ratio_of_positions": by_fronts / cached,
    }


@click.command()
@click.argument("array", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--models", default="pixelcnnpp,pixelsnail", show_default=True)
@click.option("--batches", default="1", show_default=True, help="Pictures that are coded together.")
@click.option("--device", default="cpu", show_default=True, help="Where parallel passes run.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows there too.")
def main(array: Path | None, models: str, batches: str, device: str, json_path: Path | None) -> None:
    """Time decoding of colour pictures from caches and by parallel passes."""
    sizes = [int(b) for b in batches.split(",")]
    pixels = random_walks(max(sizes)) if array is None else np.load(array, allow_pickle=False)
    rows = []
    for name in models.split(","):
        for size in sizes:
            say(f"{name}, {size} at a time ...")
            rows.append(row(shipped(name), pixels[:size].copy(), device))
    print(text(rows, COLUMNS))
    if json_path:
        json_path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
