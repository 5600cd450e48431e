"""In how many fronts, and how fast, models of one size code colour pictures in their several orders.

    python -m benchmarks.fronts [PATH...] [--models a,b,..] [--size name=integer ..]

Weights are fresh: what they are does not matter for the speed. An array (.npy, uint8 [N, H, W, 3]) is one input of N
pictures; without any PATH, four pictures of 32 x 32 are drawn at random. Seconds are the codec's, of a second run;
every file is decoded and compared.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
import numpy.typing as npt
import torch

import arcomp
from arcomp import codec
from arcomp.codec import plan
from arcomp.contract import registry
from arcomp.contract.distributions import DistributionModel
from arcomp.measure.tables import Column, text
from arcomp.samples import Samples
from arcomp.training import recipes
from benchmarks.outputs import say

MODELS = "gated_pixelcnn,multiscale_pixelcnn,grayscale_pixelcnn,subscale"
SIZES = {"width": 24, "blocks": 2, "mixture": 5, "dropout": 0}
COLUMNS = (
    Column("model", "model"),
    Column("input", "input"),
    Column("fronts", "fronts", ","),
    Column("encode_seconds", "encode s", ".2f"),
    Column("decode_seconds", "decode s", ".2f"),
)
Pixels = npt.NDArray[np.uint8]
SIDE, DRAWN = 32, 4
"""Of pictures that are drawn where none are given, and how many of them."""


def random_walks(count: int) -> Pixels:
    """Pictures that are smooth in places: uint8 [count, 32, 32, 3]."""
    steps = np.random.default_rng(0).integers(-3, 4, (count, SIDE, SIDE, 3))
    return (128 + steps.cumsum(1).cumsum(2) // 2).clip(0, 255).astype(np.uint8)


def fresh(name: str, sizes: dict[str, int]) -> DistributionModel:
    """A model for colour pictures with random weights: of the sizes those that its configuration has, the others as
    its recipe has them.

    Raises:
        ModelError: no such model. TrainingError: no such recipe. click.ClickException: nothing to train.
    """
    model = registry.find(name)
    trainer = model.trainer()
    if trainer is None:
        raise click.ClickException(f"model {name} has no sizes")
    names = trainer.settings.__dataclass_fields__
    recipe = recipes.find(f"{name}-colour").config
    config = {**recipe, **{key: value for key, value in sizes.items() if key in names}}
    torch.manual_seed(0)
    return cast(DistributionModel, model(trainer.freeze({3: trainer.start(config)})))


def fronts_of(model: DistributionModel, pixels: Pixels) -> int:
    """How many fronts pictures are decoded in, with those of their view."""
    _, kind = plan(pixels, 8, model, None, None)
    viewer = model.viewer(kind)
    parts = [(model, kind)] if viewer is None else [viewer, (model, kind)]
    return sum(1 for own, part in parts for _ in own.order.fronts(part.batch))


def measured(model: DistributionModel, pixels: Pixels, device: str = "cpu") -> dict[str, Any]:
    """Seconds of a second run, and fronts.

    Args:
        device: where pictures are evaluated to encode.

    Raises:
        click.ClickException: what was decoded is not what was encoded.
    """
    seconds: list[float] = []
    for _ in range(2):
        began = time.perf_counter()
        data = codec.encode(Samples.of(pixels), model, device=device).data
        middle = time.perf_counter()
        decoded = codec.decode(data, model).pixels
        seconds = [middle - began, time.perf_counter() - middle]
        if not np.array_equal(decoded, pixels):
            raise click.ClickException(f"{model.name}: not the same pixels")
    return {"fronts": fronts_of(model, pixels), "encode_seconds": seconds[0], "decode_seconds": seconds[1]}


def _size(_: Any, __: Any, given: tuple[str, ...]) -> dict[str, int]:
    try:
        return {key: int(value) for key, value in (one.split("=") for one in given)}
    except ValueError:
        raise click.BadParameter("a size is name=integer") from None


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--models", default=MODELS, show_default=True)
@click.option("--size", "sizes", multiple=True, callback=_size, help=f"Instead of {SIZES}.")
def main(paths: tuple[Path, ...], models: str, sizes: dict[str, int]) -> None:
    """Code PATHS, or random pictures, with fresh models."""
    inputs = {path.name: arcomp.open(path).pixels for path in paths} or {"random": random_walks(DRAWN)}
    rows = []
    for name in models.split(","):
        model = fresh(name, SIZES | sizes)
        for called, pixels in inputs.items():
            say(f"{name}, {called} ...")
            rows.append({"model": name, "input": called, **measured(model, pixels)})
    print(text(rows, COLUMNS))


if __name__ == "__main__":
    main()
