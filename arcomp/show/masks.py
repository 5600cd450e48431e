"""MADE's masks: which weights a masked network of a few samples has, and what each output sees in the end."""

from __future__ import annotations

import numpy as np

from arcomp.layers.degrees import Bools, degrees, visible
from arcomp.show.drawing import Picture, bare, panels, titled

SAMPLES, UNITS, BLOCKS = 9, 30, 2
"""Of the network that is drawn: a picture of 3 x 3, and its hidden units and layers."""


def connected(masks: list[Bools]) -> Bools:
    """What outputs see of samples through all layers: bool [outputs, samples]."""
    found = masks[0].astype(np.int64)
    for mask in masks[1:]:
        found = (mask.astype(np.int64) @ found > 0).astype(np.int64)
    return np.asarray(found > 0)


def draw(seed: int = 1) -> Picture:
    """Two hidden layers of a picture of 3 x 3, units sorted by their degree."""
    own = [np.sort(each[0]) for each in degrees(SAMPLES, UNITS, BLOCKS, 1, seed)]
    masks = visible(SAMPLES, 1, own)
    names = ["samples to units", "units to units", "units to outputs"]
    with panels(4, (2.0, 2.3)) as (picture, axes):
        for mask, name, part in zip([*masks, connected(masks)], [*names, "all together"], axes, strict=True):
            part.imshow(mask, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
            part.set_xticks(np.arange(mask.shape[1] + 1) - 0.5, minor=True)
            part.set_yticks(np.arange(mask.shape[0] + 1) - 0.5, minor=True)
            bare(part)
            part.grid(which="minor", lw=0.5)
            part.tick_params(which="minor", length=0)
            titled(part, name)
            kept = int(mask.sum())
            picture.say(f"{name}: {kept} of {mask.size} are there", part=name, kept=kept, of=int(mask.size))
        axes[0].set_ylabel("units, by degree")
        axes[3].set_ylabel("output i")
        axes[3].set_xlabel("sample j")
    return picture
