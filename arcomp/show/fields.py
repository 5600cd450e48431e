"""Receptive fields: the gradient of one position's outputs with respect to all samples.

Where it is nothing for every input, the network does not see the sample: what lies before the position in the order
and is not seen is a blind spot (van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders",
figure 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from arcomp.contract.fitting import takes
from arcomp.contract.model import Model
from arcomp.errors import ModelError, needs_torch
from arcomp.network.layered import Layered
from arcomp.orders import Batch, sequences
from arcomp.show.drawing import Picture, bare, panels, titled

SIDE = 29
"""Of the pictures, if the model takes any size."""
PICTURES = 12
"""Of noise, that gradients are averaged over."""
DECADES = 4
"""Of gradients, that colours tell apart."""
BLIND = "#f3c3bd"


class Field(NamedTuple):
    """What a position sees.

    Attributes:
        gradient: float64 [H, W], the mean of its sizes, 1 at most.
        before: bool [H, W], which positions are decoded before it.
        at: the position, y and x.
    """

    gradient: npt.NDArray[np.float64]
    before: npt.NDArray[np.bool_]
    at: tuple[int, int]

    @property
    def blind(self) -> npt.NDArray[np.bool_]:
        """What is before it and not seen: bool [H, W]."""
        return np.asarray(self.before & (self.gradient == 0))


def field(model: Model) -> Field:
    """Of a position in the middle.

    Raises:
        ModelError: the model is no single network of layers, or takes no pictures.
    """
    with needs_torch("a gradient"):
        import torch

        from arcomp.network.float.model import Float, shown
    kinds = [(channels, depth) for channels in (1, 3) for depth in (1, 8) if takes(model, channels, depth)]
    try:
        network: Any = model.dequantized(*kinds[0])
    except (IndexError, NotImplementedError):
        network = None
    if not isinstance(network, Float):
        raise ModelError(f"model {model.name} is no single network with gradients", remedy="choose another with -m")
    (channels, depth), layered = kinds[0], cast(Layered, model)
    height, width = model.tile(SIDE, SIDE, channels, depth)
    height, width = (SIDE, SIDE) if max(height, width) > 2 * SIDE else (height, width)
    at = height // 2, width // 2
    values = np.random.default_rng(0).integers(0, 1 << depth, (PICTURES, height, width, channels), np.uint8)
    samples = shown(torch.from_numpy(values), depth).requires_grad_()
    seen = samples.flatten(1, 2)[:, None] if network.flat else samples
    outputs = network.net(seen).reshape(PICTURES, height, width, -1)[:, at[0], at[1]]
    signs = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0))
    (made,) = torch.autograd.grad((outputs * signs).sum(), samples, allow_unused=True)
    if made is None:
        raise ModelError(
            f"model {model.name} takes samples as symbols, which have no gradient", remedy="choose another with -m"
        )
    gradient = made.abs().mean((0, 3)).double().numpy()
    batch = Batch(np.array([height], np.int32), np.array([width], np.int32))
    return Field(gradient / max(gradient.max(), 1e-30), _before(layered, batch, at), at)


def _before(model: Layered, batch: Batch, at: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """What is decoded before a position: row by row, but for orders of another sequence."""
    height, width = int(batch.heights[0]), int(batch.widths[0])
    if model.row_by_row:
        y, x = np.indices((height, width))
        return np.asarray((y < at[0]) | ((y == at[0]) & (x < at[1])))
    number = np.argsort(sequences(model.sequence, batch).at[0]).reshape(height, width)
    return np.asarray(number < number[at])


def draw(models: Sequence[Model]) -> Picture:
    """A panel a model."""
    from matplotlib.colors import LogNorm

    with panels(len(models), (2.2, 1.85), 2 if len(models) in (2, 4) else 3) as (picture, axes):
        for model, own in zip(models, axes, strict=True):
            found = field(model)
            size = found.gradient.shape
            image = np.ma.masked_equal(found.gradient, 0)
            own.imshow(np.where(found.blind, 1.0, np.nan), cmap=_single(BLIND), vmin=0, vmax=1)
            own.imshow(image, cmap="viridis", norm=LogNorm(10.0**-DECADES, 1))
            own.plot(found.at[1], found.at[0], "s", ms=4, color="#d1242f")
            own.set_xlim(-0.5, size[1] - 0.5)
            own.set_ylim(found.at[0] + 2.5, -0.5)
            bare(own)
            before, blind = int(found.before.sum()), int(found.blind.sum())
            titled(own, f"{model.name}\n{before - blind} of {before} seen")
            half = _half(found)
            picture.say(
                f"{model.name}: sees {before - blind} of the {before} positions before; half of what it goes by is "
                f"within {half} pixels",
                model=model.name, before=before, seen=before - blind, half_within=half,
            )  # fmt: skip
    return picture


def _single(colour: str) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([colour])


def _half(found: Field) -> int:
    """The least distance, along rows or columns, within which half of the gradient is."""
    y, x = np.indices(found.gradient.shape)
    distance = np.maximum(abs(y - found.at[0]), abs(x - found.at[1]))
    within = np.bincount(distance.ravel(), weights=found.gradient.ravel()).cumsum()
    return int(np.searchsorted(within, within[-1] / 2))
