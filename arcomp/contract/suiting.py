"""Which weights of a model suit an input, where only the model is named."""

from __future__ import annotations

from arcomp.contract import registry
from arcomp.contract.fitting import narrowed, takes, takes_samples
from arcomp.contract.library import family, folders
from arcomp.contract.model import Model
from arcomp.errors import ModelError
from arcomp.samples import Samples
from arcomp.transforms.sounds import is_row

TILES = 8
"""Of a picture, at most, for a model that is made for pictures of its size."""


def is_ambiguous(name: str) -> bool:
    """Whether a name is that of a model with several sets of weights, none of which is its default."""
    if len(family(name, tuple(folders()))) < 2:
        return False
    try:
        registry.load(name)
    except ModelError:
        return True
    return False


def suiting(name: str, samples: Samples | None) -> str:
    """The name of the weights of a model that take some samples as they are, the first by name; or the same name,
    where none do, or where it is no question.

    Args:
        name: of a model, or of weights.
        samples: None: bytes that are no picture.
    """
    if not is_ambiguous(name):
        return name
    for found in family(name, tuple(folders())):
        model = registry.load(found)
        if model.takes_bytes if samples is None else _takes(samples, found):
            return found
    return name


def made_for(model: Model, shape: tuple[int, ...], depth: int) -> bool:
    """Whether pictures [N, H, W, C] that a model takes are of about the size it was made for: larger ones are cut into
    many tiles that know nothing of each other. Strips as wide as the picture are no such tiles."""
    _, height, width, channels = shape
    rows, columns = model.tile(height, width, channels, depth)
    return not (0 < columns < width and height * width > TILES * rows * columns)


def _takes(samples: Samples, name: str) -> bool:
    model = registry.load(name)
    if not model.learns and takes(model, 2, 8) and all(is_row(stack.shape, samples.depth) for stack in samples.stacks):
        return True  # sounds, by their bytes
    try:
        return takes_samples(model, narrowed(samples, model))
    except ModelError:
        return False
