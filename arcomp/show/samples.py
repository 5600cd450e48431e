"""Samples of several models, or of one at several times of its training, a row each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arcomp.contract.fitting import takes
from arcomp.contract.model import Model
from arcomp.errors import ModelError
from arcomp.samples import Samples
from arcomp.sampling import draw as drawn
from arcomp.show.drawing import Picture, bare, panels

SIDE, DIGIT = 32, 28
"""Of pictures whose model takes any size; of binary ones."""
GAP = 2


def kind(model: Model) -> tuple[int, int, int, int]:
    """(height, width, channels, depth) of pictures that a model draws.

    Raises:
        ModelError: it draws none.
    """
    for channels in (3, 1):
        for depth in (8, 1):
            if takes(model, channels, depth):
                side = SIDE if depth > 1 else DIGIT
                height, width = model.tile(side, side, channels, depth)
                own = min(height, width) > 1 and max(height, width) < side  # the size that it was made for
                return (height, width, channels, depth) if own else (side, side, channels, depth)
    raise ModelError(f"model {model.name} draws no pictures", remedy="choose another with -m")


def strip(samples: Samples) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Pictures side by side: uint8 [H, W, 3]."""
    shown = np.rint(samples.pixels * (255 / ((1 << samples.depth) - 1))).astype(np.uint8)
    if shown.shape[3] == 1:
        shown = shown.repeat(3, 3)
    padded = np.pad(shown, [(0, 0), (0, 0), (0, GAP), (0, 0)], constant_values=255)
    return np.concatenate(list(padded), axis=1)[:, :-GAP]


def draw(models: Sequence[Model], names: Sequence[str], count: int = 12, side: int | None = None) -> Picture:
    """A row of so many pictures of each model, all by the same random numbers.

    Args:
        names: what rows are called. side: of the pictures, of models that take any.
    """
    with panels(len(models), (6.6, 0.72), 1) as (picture, axes):
        for model, name, own in zip(models, names, axes, strict=True):
            height, width, channels, depth = kind(model)
            if side is not None:
                height = width = side
            samples = drawn(model, (count, height, width, channels), depth)
            own.imshow(strip(samples), interpolation="nearest")
            bare(own)
            own.spines[:].set_visible(False)
            own.set_ylabel(name.replace("-", "\n"), rotation=0, ha="right", va="center", fontsize=7)
            picture.say(f"{name}: {count} pictures of {width} x {height}", model=name, pictures=count)
    return picture
