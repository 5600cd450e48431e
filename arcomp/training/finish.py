"""From a trained float model to a file of weights: freeze, take digests of all layers, compare float and exact NLL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.codec import Encoded, encode
from arcomp.contract import registry
from arcomp.contract.fixed_input import layer_digests
from arcomp.contract.model import Model
from arcomp.contract.trainer import Crops
from arcomp.contract.weights_file import Weights, channels_and_depth
from arcomp.errors import TrainingError
from arcomp.samples import Samples
from arcomp.training.data import Data
from arcomp.training.loader import examples_of
from arcomp.training.loop import evaluate
from arcomp.training.recipes import Recipe
from arcomp.training.state import State
from arcomp.training.trainable import trainer_of

PICTURES = 48
"""Training pictures that are coded to learn what is learnt after freezing."""


@dataclass(frozen=True)
class Finished:
    """What came of a training run, on its held-out crops; bits are bits per sub-pixel (of text, per character).

    Attributes:
        path: the weights' file. digest: of the weights, hex.
        float_bits: NLL of the float model (no rounding at all).
        exact_bits: NLL of the frozen model, before it learns from the pictures. coded_bits: of the files it writes.
    """

    path: Path
    digest: str
    float_bits: float
    exact_bits: float
    coded_bits: float


def frozen(state: State, model: str, pictures: Callable[[], Crops], joined: Weights | None = None) -> Weights:
    """Weights of a trained state.

    Args:
        model: its name. pictures: gives training pictures, where something is learnt from them after freezing.
        joined: weights whose other networks are kept.

    Returns:
        The weights with the digests of all layers.
    """
    average: Any = state.average
    trainer, channels = trainer_of(model), int(average.config.channels)
    try:
        weights = trainer.complete(trainer.freeze({channels: average}), channels, pictures)
    except ValueError as error:
        raise TrainingError(f"the weights cannot be frozen: {error}", remedy="try a lower rate") from error
    if joined is not None:
        networks = {**joined.config["networks"], **weights.config["networks"]}
        own = tuple(f"{c}." for c in weights.config["networks"])
        kept = {k: a for k, a in joined.arrays.items() if not k.startswith(own)}
        weights = Weights(weights.model, {"networks": networks}, {**kept, **weights.arrays})
    made = registry.from_weights(weights)
    layers: dict[str, str] = {}
    for network in sorted(weights.config["networks"]):
        layers |= layer_digests(made, *channels_and_depth(network))
    return replace(weights, layers=layers)


def weights_to_join(path: Path, recipe: Recipe) -> Weights:
    """Weights whose networks are to be kept beside the one of a recipe.

    Raises:
        TrainingError: of another model, or of another order or size of pictures than the recipe's. ModelError: they
            cannot be read, or are not what they claim.
    """
    weights = Weights.load(path)
    if weights.model != recipe.model:
        raise TrainingError(
            f"these are weights of {weights.model}, not of {recipe.model}",
            path=str(path),
            remedy="give weights of that model",
        )
    registry.from_weights(weights)  # are they what they claim?
    what = trainer_of(recipe.model).mismatch(weights, recipe.config)
    if what:
        raise TrainingError(
            f"its networks have another {what} than the recipe's", path=str(path), remedy="train without --join"
        )
    return weights


def finish(
    state: State,
    recipe: Recipe,
    data: Data,
    output: Path,
    *,
    join: Path | None = None,
    overwrite: bool = False,
) -> Finished:
    """Freeze a trained state into a file.

    Args:
        state: what :func:`arcomp.training.loop.train` returned.
        recipe, data: what it was trained with; what is held out is measured.
        output: the weights' file.
        join: weights whose other networks (of other numbers of channels) are kept.
        overwrite: replace an existing output.

    Raises:
        TrainingError: the weights to join are of another model, order or size of pictures.
        ModelError, OutputError: weights that cannot be read or written.
    """
    other = weights_to_join(join, recipe) if join else None
    state.average.cpu()
    weights = frozen(state, recipe.model, lambda: data.uncropped(PICTURES), other)
    weights.save(output, overwrite=overwrite)
    model = registry.from_weights(weights)
    crops = data.validation()
    exact, coded = trainer_of(recipe.model).measured(model, crops) or _files(model, crops, recipe)
    return Finished(
        output,
        model.digest.hex(),
        evaluate(state.average, examples_of(state.average, crops), rounding=False),
        exact,
        coded,
    )


def _files(model: Model, crops: Crops, recipe: Recipe) -> tuple[float, float]:
    """Bits of a sample under the frozen network before it learns, and of the files."""
    sizes = sorted({crop.shape for crop in crops})  # a file for each size, so that headers say little of small crops
    files: list[Encoded] = [
        encode(
            Samples.of(np.stack([c for c in crops if c.shape == size]), recipe.depth),
            model,
            tile=size[:2] if recipe.data.kind == "bytes" else None,
        )
        for size in sizes
    ]
    samples = sum(f.samples for f in files)
    network = sum(f.nll_bits if f.network_bits is None else f.network_bits for f in files)
    return network / samples, sum(8 * len(f.data) for f in files) / samples
