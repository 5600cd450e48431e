"""Small training runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from arcomp.container import write_atomically
from arcomp.training import loop, recipes
from arcomp.training.data import DataConfig
from arcomp.training.recipes import OptimiserPart, Recipe
from arcomp.training.sources import gather
from arcomp.training.state import State
from tests.coded import write_picture
from tests.contents import pictures

RECIPE = Recipe(
    "context",
    1,
    {"channels": 3, "trunk": (16, 12), "head": 8, "mixture": 2},
    DataConfig(crop=24, crops=4, held_out=2, resampled=0.5),
    OptimiserPart(batch=64, steps=80, rate=3e-3, warmup=5, ema=0.9, rounding_from=0.6),
)
PHOTO = replace(
    RECIPE,
    model="photo",
    config=recipes.find("photo-fast").config | {"trunk": (16, 12), "head": 8, "mixture": 2, "stage": "cheap"},
    data=replace(RECIPE.data, resampled=0.0),
    optimiser=replace(RECIPE.optimiser, steps=60),
)
PIXELCNN = replace(
    RECIPE,
    model="pixelcnn",
    config={"channels": 1, "depth": 1, "width": 6, "blocks": 1, "kernel": 3},
    data=DataConfig(crop=16, crops=8, held_out=4, resampled=0.0, turned=False),
    optimiser=OptimiserPart(batch=8, steps=60, rate=5e-3, warmup=5, ema=0.9, rounding_from=0.6),
)
TEXT = Recipe(
    "wavenet",
    1,
    {"channels": 1, "depth": 8, "width": 8, "blocks": 3, "cycle": 3},
    DataConfig(kind="bytes", crop=64, crops=16, held_out=4, resampled=0.0, turned=False),
    OptimiserPart(batch=8, steps=60, rate=1e-2, warmup=5, ema=0.9, rounding_from=0.6),
)


def save_pictures(folder: Path, count: int = 6) -> Path:
    """A folder of small colour pictures."""
    folder.mkdir(parents=True)
    for i in range(count):
        smooth = pictures("smooth", (30, 40, 3), 8, seed=i)
        write_atomically(folder / f"{i}.png", write_picture(smooth, 8, "png"), overwrite=False)
    return folder


def train(recipe: Recipe, folder: Path, checkpoint: Path, **kwargs: Any) -> State:
    """A run on the data of a folder."""
    return loop.train(recipe, gather(recipe, [folder]), checkpoint, **kwargs)


def shortened(recipe: Recipe, **optimiser: Any) -> Recipe:
    """A recipe with another length, or other settings of the optimiser."""
    return replace(recipe, optimiser=replace(recipe.optimiser, **optimiser))


def weights_of(state: State) -> dict[str, torch.Tensor]:
    """A copy of all weights."""
    both = (("model", state.model), ("average", state.average))
    return {f"{name}.{k}": v.clone() for name, module in both for k, v in module.state_dict().items()}
