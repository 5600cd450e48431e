"""Models by name, weights by name and digest (where they lie: :mod:`arcomp.contract.library`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from arcomp.contract.library import ENDING, WITHOUT_WEIGHTS, candidates, family, folders
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError
from arcomp.models.context.model import ContextModel
from arcomp.models.histogram import Histogram
from arcomp.models.photo.model import PhotoModel

LADDER = {
    "bayes_net": "BayesNet",
    "char_rnn": "CharRNN",
    "made": "MADE",
    "temporal_conv": "TemporalConv",
    "wavenet": "WaveNet",
    "pixelcnn": "PixelCNN",
    "pixelrnn": "PixelRNN",
    "gated_pixelcnn": "GatedPixelCNN",
    "pixelcnnpp": "PixelCNNpp",
    "image_transformer": "ImageTransformer",
    "pixelsnail": "PixelSNAIL",
    "multiscale_pixelcnn": "MultiscalePixelCNN",
    "grayscale_pixelcnn": "GrayscalePixelCNN",
    "subscale": "SubscalePixelNetwork",
}
"""Classes of the models of layers, each in the module of its name, in the ladder's order: those that are
trained by their recipes, coded and decoded by name, and that the tests have specimens of."""


def layered_class(name: str) -> Any:
    """The class of a model of layers (:class:`arcomp.network.layered.Layered`), imported now: they are in torch."""
    return getattr(import_module(f"arcomp.models.{name}"), LADDER[name])


def _layered(name: str) -> Callable[[Weights], Model]:
    def make(weights: Weights) -> Model:
        made: Model = layered_class(name)(weights)
        return made

    return make


MAKERS: dict[str, Callable[[Weights], Model]] = {
    Histogram.name: Histogram,
    ContextModel.name: ContextModel,
    PhotoModel.name: PhotoModel,
    **{name: _layered(name) for name in LADDER},
}
"""What makes a model out of its weights."""
PRESETS = ("fast", "balanced", "max")
"""Of ``photo``: weights by the names photo-fast and so on."""
DEFAULT = "photo-balanced"


def names() -> list[str]:
    """All models that can be loaded by name here."""
    found = {f.name.split(".")[0] for folder in folders() for f in folder.glob("*" + ENDING)}
    return sorted(WITHOUT_WEIGHTS | {name for name in found if _model_of(name) in MAKERS})


def _model_of(name: str) -> str:
    """The model that weights of a name belong to: "photo" for "photo-fast"."""
    return name.split("-")[0]


def load(name: str, digest: bytes | None = None) -> Model:
    """A model by its name, or by the path of its weights.

    Args:
        name: "context", "photo" (the balanced preset) or "photo-fast", or a path that ends in .safetensors. The name of
            a model without weights of just that name is enough if those of one other name are called after it.
        digest: of the weights that a file was written with, whole or its first bytes; without it the newest are taken.

    Raises:
        ModelError: unknown, not found, damaged, or not with this digest.
    """
    if name.endswith(ENDING):
        return from_weights(Weights.load(Path(name)))
    if name in WITHOUT_WEIGHTS:
        return _fits(MAKERS[name](Weights(name, {}, {})), digest)
    if name == PhotoModel.name and digest is None:
        name = DEFAULT
    if _model_of(name) not in MAKERS:
        raise ModelError(f"no model {name!r}", remedy=f"there are {', '.join(names())}; or update arcomp")
    return _load(name, digest, tuple(folders()))


@lru_cache(maxsize=8)
def _load(name: str, digest: bytes | None, where: tuple[Path, ...]) -> Model:
    damaged: ModelError | None = None
    for path in candidates(name, where, digest or b""):
        try:
            return from_weights(Weights.load(path))
        except ModelError as error:  # there may be a good copy elsewhere
            damaged = damaged or error
    if damaged is not None:
        raise damaged
    others = [] if digest else family(name, where)
    if len(others) == 1:
        return _load(others[0], None, where)
    if others:
        raise ModelError(f"there are several weights of model {name}", remedy=f"name one of {', '.join(others)}")
    searched = ", ".join(str(w) for w in where)
    wanted = f"model {name}" + (f" with digest {digest.hex()[:16]}" if digest else "")
    raise ModelError(
        f"{wanted} is not in {searched}",
        remedy=f"put its weights there as {name}.*{ENDING}, or give them with -m, or update arcomp",
    )


def from_weights(weights: Weights) -> Model:
    """The model that weights belong to.

    Raises:
        ModelError: an unknown model, or not its weights.
    """
    with weights.with_path():
        if weights.model not in MAKERS:
            raise ModelError(f"weights of an unknown model {weights.model!r}", remedy="update arcomp")
        if weights.model in WITHOUT_WEIGHTS:
            raise ModelError(f"weights of model {weights.model}, which has none", remedy="name the model, not a file")
        return MAKERS[weights.model](weights)


def _fits(model: Model, digest: bytes | None) -> Model:
    if digest is not None and not model.digest.startswith(digest):
        raise ModelError(
            f"model {model.name} here has digest {model.digest.hex()[:16]}, the file needs {digest.hex()[:16]}",
            remedy="update arcomp, or use the one the file was written with",
        )
    return model
