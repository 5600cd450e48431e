"""Bits of each pixel of one picture under several models, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from arcomp.contract.model import Model
from arcomp.measure.bits import measure
from arcomp.samples import Samples
from arcomp.show.drawing import Picture, bare, panels, titled


def one(samples: Samples) -> Samples:
    """The first picture."""
    return replace(samples, stacks=(samples.stacks[0][:1],))


def draw(samples: Samples, models: Sequence[Model], names: Sequence[str]) -> Picture:
    """The first of some pictures, and its heat map under each model.

    Args:
        names: what maps are called.
    """
    picture_itself = one(samples)
    maps = [measure(picture_itself, model)[0] for model in models]
    top = 8.0 if samples.depth > 1 else 2.0
    with panels(1 + len(models), (1.7, 1.95), 4) as (picture, axes):
        pixels = picture_itself.pixels[0].astype(np.float64) / ((1 << samples.depth) - 1)
        axes[0].imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=1)
        titled(axes[0], "the picture")
        for name, bits, own in zip(names, maps, axes[1:], strict=True):
            each = bits.samples[0].mean(-1)
            image = own.imshow(each, cmap="viridis", vmin=0, vmax=top)
            titled(own, f"{name}\n{bits.total:,.1f} bits")
            picture.say(
                f"{name}: {bits.total:,.1f} bits, the dearest pixel {each.max():.2f}", model=name, bits=bits.total,
                most=float(each.max()),
            )  # fmt: skip
        for own in axes:
            bare(own)
        if len(models):
            picture.figure.colorbar(image, ax=list(axes), shrink=0.7, label="bits a sample")
    return picture
