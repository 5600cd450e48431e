"""What the laws run over: every order and model, with random and with extreme weights; layers are in layers.py.

Add a model here and it gets all laws for free.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from arcomp.contract import registry
from arcomp.contract.distributions import DistributionModel
from arcomp.contract.learning import LearningModel
from arcomp.contract.library import SHIPPED, family
from arcomp.contract.weights_file import Weights, network_name
from arcomp.layers.conv import tap_mask
from arcomp.layers.embedding import Embedding
from arcomp.layers.spec import Conv
from arcomp.models.context.config import ContextConfig
from arcomp.models.context.model import ContextModel
from arcomp.models.context.net import Context
from arcomp.models.context.training import freeze
from arcomp.models.graphic.model import GraphicModel
from arcomp.models.grayscale_pixelcnn import View
from arcomp.models.histogram import Histogram
from arcomp.models.photo import training as photo_training
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.net import Photo
from arcomp.models.photo.windows import Window
from arcomp.network.layered import Layered
from arcomp.orders import (
    Batch,
    Hilbert,
    Independent,
    Multiscale,
    Once,
    Order,
    Raster,
    Shuffled,
    Subscale,
    Wavefront,
    Zigzag,
)
from tests.contents import pictures
from tests.layers import ends


def batch_of(*sizes: tuple[int, int]) -> Batch:
    """A batch of (height, width)."""
    return Batch(*(np.array(a, np.int32) for a in zip(*sizes, strict=True)))


ORDERS: dict[str, Order] = {
    "raster": Raster(),
    "wavefront 1": Wavefront(1),
    "wavefront 4": Wavefront(4),
    "wavefront 9": Wavefront(9),
    "independent": Independent(block=37),
    "zigzag": Zigzag(),
    "hilbert": Hilbert(),
    "once": Once(Raster()),
    "multiscale": Multiscale(4),
    "multiscale from one position": Multiscale(1),
    "subscale 2": Subscale(2),
    "subscale 4": Subscale(4),
    "shuffled": Shuffled(3),
}


def at_their_limits(weights: Weights, seed: int) -> Weights:
    """The same layers, every weight and bias at an end of its range."""
    rng = np.random.default_rng(seed)
    arrays = dict(weights.arrays)
    for name, a in arrays.items():
        if name.endswith("weight"):
            arrays[name] = rng.choice(ends(a.dtype == np.int16), a.shape)
        elif name.endswith("bias"):
            arrays[name] = rng.choice(np.array([-(2**31) + 1, 2**31 - 1], np.int32), a.shape)
    return Weights(weights.model, weights.config, arrays)


def layered(kind: type[Layered], extreme: bool = False, /, seed: int = 0, **config: int) -> Layered:
    """A model of layers with random weights, or with those that are free at their limits."""
    torch.manual_seed(seed)
    trained = kind.float_model(config)
    weights = kind.freeze({config["channels"]: trained})
    if not extreme:
        return kind(weights)
    arrays = dict(at_their_limits(weights, seed).arrays)
    beginning = network_name(config["channels"], config["depth"]) + "."
    specs = {prefix + name: s for prefix, net in trained.networks().items() for name, s in net.specs.items()}
    for name, spec in specs.items():
        free = None
        if isinstance(spec, Conv):
            free = tap_mask(spec.taps, spec.mask, spec.groups, spec.inputs, spec.outputs)
        elif isinstance(spec, Embedding):
            free = spec.free()
        if free is not None:
            key = f"{beginning}{name}.weight"
            arrays[key] = arrays[key] * free
    return kind(Weights(weights.model, weights.config, arrays))


@cache
def _context_weights(seed: int) -> Weights:
    torch.manual_seed(seed)
    return freeze({c: Context(ContextConfig(c, trunk=(24, 16), head=8, mixture=3)) for c in (1, 3)})


def context(extreme: bool = False, seed: int = 0) -> ContextModel:
    """A small ``context`` with random weights, or with all of them at their limits."""
    weights = _context_weights(seed)
    return ContextModel(at_their_limits(weights, seed) if extreme else weights)


def shipped_context() -> ContextModel:
    """The one that comes with arcomp."""
    model = registry.load("context")
    assert isinstance(model, ContextModel)
    return model


SNAIL = {"rows": 17, "columns": 40, "width": 4, "blocks": 2, "resnets": 1, "heads": 2, "dropout": 0}


FRAME = {"rows": 14, "columns": 14}


TRANSFORMER = {"rows": 17, "columns": 40, "width": 6, "blocks": 2, "heads": 2}


SIZES: dict[str, dict[str, dict[str, int]]] = {
    "pixelcnn": {
        "rgb": dict(channels=3, depth=4, width=4, blocks=1, kernel=5),
        "binary": dict(channels=1, depth=1, width=6, blocks=2, kernel=5),
        "symbols": dict(channels=3, depth=3, width=4, blocks=1, kernel=3, symbols=1),
        "gray": dict(channels=1, depth=8, width=4, blocks=1, kernel=3),
        "extreme": dict(channels=2, depth=3, width=5, blocks=2, kernel=3),
    },
    "gated_pixelcnn": {
        "rgb": dict(channels=3, depth=4, width=4, blocks=2, kernel=5),
        "direct": dict(channels=3, depth=4, width=4, blocks=1, kernel=3, direct=1),
        "before_gate": dict(channels=2, depth=3, width=4, blocks=2, kernel=3, before_gate=1),
        "symbols": dict(channels=1, depth=3, width=4, blocks=1, kernel=3, direct=1, symbols=1),
        "binary": dict(channels=1, depth=1, width=6, blocks=1, kernel=5),
        "extreme": dict(channels=2, depth=3, width=4, blocks=1, kernel=3),
    },
    "bayes_net": {
        "rgb": dict(channels=3, depth=2, width=2, **FRAME),
        "binary": dict(channels=1, depth=1, width=3, **FRAME),
        "extreme": dict(channels=1, depth=3, width=2, **FRAME),
    },
    "made": {
        "rgb": dict(channels=3, depth=2, width=30, blocks=1, masks=1, degrees=5, direct=1, order=0, **FRAME),
        "binary": dict(channels=1, depth=1, width=40, blocks=2, masks=3, degrees=5, direct=0, order=0, **FRAME),
        "shuffled": dict(channels=2, depth=2, width=40, blocks=2, masks=2, degrees=5, direct=1, order=7, **FRAME),
        "extreme": dict(channels=2, depth=3, width=9, blocks=3, masks=4, degrees=5, direct=1, order=3, **FRAME),
    },
    "char_rnn": {
        "bytes": dict(channels=1, depth=8, width=9, blocks=1),
        "rgb": dict(channels=3, depth=2, width=4, blocks=2),
        "extreme": dict(channels=2, depth=1, width=5, blocks=2),
    },
    "pixelrnn": {
        "rgb": dict(channels=3, depth=4, width=4, blocks=1),
        "symbols": dict(channels=3, depth=3, width=4, blocks=1, symbols=1),
        "binary": dict(channels=1, depth=1, width=6, blocks=2),
        "extreme": dict(channels=2, depth=3, width=5, blocks=2),
    },
    "mingru": {
        "rgb": dict(channels=3, depth=4, width=4, blocks=2),
        "binary": dict(channels=1, depth=1, width=6, blocks=3),
        "extreme": dict(channels=2, depth=3, width=5, blocks=2),
    },
    "temporal_conv": {
        "rgb": dict(channels=3, depth=2, width=4, blocks=2, kernel=3),
        "binary": dict(channels=1, depth=1, width=6, blocks=1, kernel=5),
        "extreme": dict(channels=1, depth=3, width=5, blocks=2, kernel=2),
    },
    "wavenet": {
        "gray": dict(channels=1, depth=8, width=4, blocks=4, cycle=3),
        "rgb": dict(channels=3, depth=3, width=4, blocks=2, cycle=2),
        "extreme": dict(channels=2, depth=1, width=4, blocks=3, cycle=3),
    },
    "pixelcnnpp": {
        "rgb": dict(channels=3, depth=8, width=4, blocks=1, mixture=3, dropout=0),
        "binary": dict(channels=1, depth=1, width=5, blocks=1, mixture=0, dropout=0),
        "extreme": dict(channels=2, depth=5, width=4, blocks=1, mixture=2, dropout=0),
    },
    "pixelsnail": {
        "rgb": dict(channels=3, depth=8, mixture=2, **SNAIL),
        "wide": dict(channels=3, depth=8, mixture=2, kernel=3, **SNAIL),
        "binary": dict(channels=1, depth=1, mixture=0, **SNAIL),
        "extreme": dict(channels=2, depth=5, mixture=1, **SNAIL),
    },
    "image_transformer": {
        "rgb": dict(channels=3, depth=8, mixture=2, order=0, **TRANSFORMER),
        "zigzag": dict(channels=1, depth=1, mixture=0, order=1, **TRANSFORMER),
        "hilbert": dict(channels=1, depth=1, mixture=0, order=2, **TRANSFORMER),
        "random": dict(channels=1, depth=1, mixture=0, order=9, **TRANSFORMER),
        "extreme": dict(channels=2, depth=5, mixture=1, order=1, **TRANSFORMER),
    },
    "multiscale_pixelcnn": {
        "rgb": dict(channels=3, depth=8, width=4, blocks=1, mixture=2),
        "binary": dict(channels=1, depth=1, width=5, blocks=2, mixture=0),
        "extreme": dict(channels=2, depth=5, width=4, blocks=1, mixture=1),
    },
    "grayscale_pixelcnn": {
        "rgb": dict(channels=3, depth=8, width=4, blocks=1, mixture=2),
        "extreme": dict(channels=3, depth=8, width=4, blocks=2, mixture=1),
    },
    "subscale": {
        "rgb": dict(channels=3, depth=8, width=4, blocks=1, mixture=2),
        "binary": dict(channels=1, depth=1, width=5, blocks=2, mixture=0),
        "extreme": dict(channels=2, depth=5, width=4, blocks=1, mixture=1),
    },
}
"""Models of layers: the settings of each one's specimens; "extreme" ones have weights at their limits."""


def _kind(name: str) -> type[Layered]:
    kind = registry.find(name)
    assert issubclass(kind, Layered)
    return kind


@cache
def weights_of(name: str, label: str) -> Weights:
    """Of a specimen: making them takes longer than most tests of it. Tests that change how they are made put its
    `__wrapped__` in its place."""
    return layered(_kind(name), label == "extreme", **SIZES[name][label]).weights


def _of_sizes(name: str, label: str) -> Callable[[], DistributionModel]:
    return lambda: _kind(name)(weights_of(name, label))


# name -> (model, channels, depth)
MODELS: dict[str, tuple[Callable[[], DistributionModel], int, int]] = {
    "histogram": (Histogram, 3, 8),
    "histogram 16 bits": (Histogram, 1, 16),
    "context rgb": (context, 3, 8),
    "context gray": (context, 1, 8),
    "context extreme": (lambda: context(extreme=True), 3, 8),
    "context shipped rgb": (shipped_context, 3, 8),
    "context shipped gray": (shipped_context, 1, 8),
    "grayscale_pixelcnn's view": (lambda: layered(View, channels=1, depth=4, width=4, blocks=1), 1, 4),
    **{
        f"{name} {label}": (_of_sizes(name, label), sizes["channels"], sizes["depth"])
        for name, specimens in SIZES.items()
        for label, sizes in specimens.items()
    },
}


ONE_WINDOW = (Window(1, 3, 3, 3, 5, False, 0.05, 10.0),)


THREE_WINDOWS = (
    Window(1, 2, 3, 2, 5, False, 0.05, 10.0),
    Window(2, 2, 2, 1, 4, True, 0.2, 4.0),
    Window(1, 4, 5, 4, 7, True, 0.02, 20.0),
)


SIMILARITY_WINDOWS = (
    Window(1, 5, 4, 3, 4, False, 0.003, 1.0, similarity=6.0, fade=0.8125),
    Window(1, 2, 3, 2, 5, False, 0.05, 10.0),
    Window(1, 3, 3, 2, 6, False, 0.01, 1.0, similarity=20.0, fade=0.95),
)


def photo_net(
    channels: int,
    windows: tuple[Window, ...] = ONE_WINDOW,
    stage: str = "cheap",
    seed: int = 0,
    online: bool = False,
    inner: float = 0.0,
) -> Photo:
    """A small float network of ``photo`` with random weights."""
    torch.manual_seed(seed)
    net = Photo(PhotoConfig(channels, windows, (20, 12), 10, 3, stage, online, inner_rate=inner, inner_group=40))
    net.prepare([pictures(kind, (20, 28, channels), 8, seed) for kind in ("smooth", "noise")])
    return net


def photo(
    windows: tuple[Window, ...] = ONE_WINDOW,
    stage: str = "cheap",
    extreme: bool = False,
    seed: int = 0,
    online: bool = False,
    inner: float = 0.0,
) -> PhotoModel:
    """A small ``photo`` for gray and RGB with random weights, or with all of them at their limits."""
    weights = _photo_weights(windows, stage, seed, online, inner)
    return PhotoModel(at_their_limits(weights, seed) if extreme else weights)


@cache
def _photo_weights(windows: tuple[Window, ...], stage: str, seed: int, online: bool, inner: float) -> Weights:
    return photo_training.freeze({c: photo_net(c, windows, stage, seed, online, inner) for c in (1, 3)})


def _shipped() -> dict[str, tuple[Callable[[], PhotoModel], int]]:
    """The presets that are here, for each number of channels they have a network for."""
    found: dict[str, tuple[Callable[[], PhotoModel], int]] = {}
    for name in family(PhotoModel.name, (SHIPPED,)):

        def load(name: str = name) -> PhotoModel:
            model = registry.load(name)
            assert isinstance(model, PhotoModel)
            return model

        for channels in sorted(load().configs):
            found[f"{name} {'rgb' if channels == 3 else 'gray'}"] = (load, channels)
    return found


def graphic(extreme: bool = False) -> GraphicModel:
    """``graphic`` as it is shipped, or with mixing weights at their limits."""
    shipped = Weights.load(SHIPPED / "graphic.safetensors")
    if not extreme:
        return GraphicModel(shipped)
    rng = np.random.default_rng(4)
    arrays = {n: rng.choice(np.array([1 - 2**20, 2**20 - 1], np.int32), a.shape) for n, a in shipped.arrays.items()}
    return GraphicModel(Weights("graphic", shipped.config, arrays))


# name -> (model that learns, channels)
LEARNERS: dict[str, tuple[Callable[[], LearningModel], int]] = {
    "graphic gray": (graphic, 1),
    "graphic rgb": (graphic, 3),
    "graphic rgba": (graphic, 4),
    "graphic extreme rgb": (lambda: graphic(extreme=True), 3),
    "photo rgb": (photo, 3),
    "photo gray": (photo, 1),
    "photo three windows rgb": (lambda: photo(THREE_WINDOWS, "full"), 3),
    "photo three windows gray": (lambda: photo(THREE_WINDOWS, "full"), 1),
    "photo similarity rgb": (lambda: photo(SIMILARITY_WINDOWS, "full"), 3),
    "photo similarity gray": (lambda: photo(SIMILARITY_WINDOWS), 1),
    "photo extreme rgb": (lambda: photo(extreme=True), 3),
    "photo three windows extreme rgb": (lambda: photo(THREE_WINDOWS, "full", True, 1), 3),
    "photo three windows extreme gray": (lambda: photo(THREE_WINDOWS, "full", True, 2), 1),
    "photo online rgb": (lambda: photo(stage="deep", online=True), 3),
    "photo online gray": (lambda: photo(THREE_WINDOWS, online=True), 1),
    "photo plain rgb": (lambda: photo((), "direct"), 3),
    "photo plain gray": (lambda: photo((), "direct"), 1),
    "photo plain extreme rgb": (lambda: photo((), "direct", True, 1), 3),
    "photo inner rgb": (lambda: photo(THREE_WINDOWS, "deep", online=True, inner=0.02), 3),
    "photo inner gray": (lambda: photo(online=True, inner=0.02), 1),
    "photo inner extreme rgb": (lambda: photo(THREE_WINDOWS, "full", True, 3, True, 0.02), 3),
    "photo online extreme rgb": (lambda: photo(THREE_WINDOWS, "full", True, 3, True), 3),
    **_shipped(),
}
