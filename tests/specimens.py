"""What the laws run over: every layer, order and model, with random and with extreme weights.

Add a layer or a model here and it gets all laws for free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.contract import registry
from arcomp.contract.distributions import DistributionModel
from arcomp.contract.library import SHIPPED, family
from arcomp.contract.weights_file import Weights, network_name
from arcomp.exact.bounds import FINE_LIMIT, WEIGHT_LIMIT
from arcomp.layers.attention import KEY, Attention, ExactAttention
from arcomp.layers.conv import Tap, above, line, square, tap_mask
from arcomp.layers.elu import ExactConcatELU, ExactSigmoidGate
from arcomp.layers.embedding import Embedding
from arcomp.layers.float.layer import float_layer
from arcomp.layers.masked import Masked
from arcomp.layers.mingru import MinGRU
from arcomp.layers.pointwise import ExactAdd, ExactGate, ExactRequantize
from arcomp.layers.position import ExactPositionEmbedding, PositionEmbedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, Quantisation
from arcomp.layers.recurrent import ALONG, DOWN, LSTM
from arcomp.layers.shift import ExactShift, Shift
from arcomp.layers.spatial import ExactConv, ExactLayer
from arcomp.layers.spec import Conv, Spec
from arcomp.models.context.config import ContextConfig
from arcomp.models.context.model import ContextModel
from arcomp.models.context.net import Context
from arcomp.models.context.training import freeze
from arcomp.models.grayscale_pixelcnn import View
from arcomp.models.histogram import Histogram
from arcomp.models.photo import training as photo_training
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.net import Photo
from arcomp.models.photo.windows import Window
from arcomp.network.layered import Layered
from arcomp.orders import Batch, Independent, Multiscale, Once, Order, Raster, Shuffled, Subscale, Wavefront, Zigzag

Arrays = dict[str, npt.NDArray[Any]]
DEVICE = "cpu"
"""Of the layers that are made."""


def batch_of(*sizes: tuple[int, int]) -> Batch:
    """A batch of (height, width)."""
    return Batch(*(np.array(a, np.int32) for a in zip(*sizes, strict=True)))


def conv(
    seed: int, taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int,
    source: Quantisation = SIGNED8, grid: Quantisation = RECTIFIED8, *, extreme: bool = False, fine: bool = False,
) -> ExactConv:  # fmt: skip
    """A convolution with random weights, or with weights, biases and multipliers at their limits."""
    torch.manual_seed(seed)
    spec = Conv(taps, mask, groups, inputs, outputs, source, grid, fine=fine)
    arrays = float_layer(spec).freeze()
    if extreme:
        arrays = beyond_training(tap_mask(taps, mask, groups, inputs, outputs), seed, fine)
    return ExactConv(arrays, taps, mask, groups, inputs, outputs, source=source, grid=grid, device=DEVICE, fine=fine)


def ends(fine: bool) -> npt.NDArray[Any]:
    """The least and the largest weight."""
    return np.array([-FINE_LIMIT, FINE_LIMIT], np.int16) if fine else np.array([-WEIGHT_LIMIT, WEIGHT_LIMIT], np.int8)


def beyond_training(free: npt.NDArray[np.bool_], seed: int, fine: bool = False, rows: int | None = None) -> Arrays:
    """A linear layer's weights (where they are free), biases and multipliers at their limits."""
    rng = np.random.default_rng(seed)
    rows = len(free) if rows is None else rows
    return {
        "weight": rng.choice(ends(fine), free.shape) * free,
        "bias": rng.choice(np.array([-(2**31) + 1, 0, 2**31 - 1], np.int32), rows),
        "multiplier": rng.choice(np.array([0, 1, 2**15 - 1], np.int16), rows),
        "shift": rng.choice(np.array([1, 20, 46], np.int8), rows),
    }


def of(spec: Spec, seed: int, extreme: bool = False) -> ExactLayer:
    """A layer with random weights, or at their limits."""
    torch.manual_seed(seed)
    arrays = float_layer(spec).freeze()
    if extreme:
        free = {key: np.ones(a.shape, bool) for key, a in arrays.items() if key.endswith("weight")}
        if isinstance(spec, Embedding):
            free = {"weight": spec.free()}
        arrays = {
            key.removesuffix("weight") + name: a
            for key, shown in free.items()
            for name, a in beyond_training(shown, seed, rows=len(arrays[key.removesuffix("weight") + "bias"])).items()
        }
    return spec.exact_layer(arrays, DEVICE)


def place() -> ExactPositionEmbedding:
    """Random features of places."""
    rng = np.random.default_rng(0)
    rows, columns = (rng.integers(-128, 128, (size, 5), np.int8) for size in (11, 13))
    return ExactPositionEmbedding(PositionEmbedding(11, 13, 5), {"rows": rows, "columns": columns}, DEVICE)


HERE: tuple[Tap, ...] = ((0, 0),)
# name -> (layer, groups, features of each group's inputs, grids of the inputs)
LAYERS: dict[str, tuple[Callable[[], ExactLayer], int, int, tuple[Quantisation, ...]]] = {
    "linear": (lambda: conv(1, HERE, "B", 1, 7, 5), 1, 7, (SIGNED8,)),
    "linear over channels": (lambda: conv(2, HERE, "B", 3, 4, 6, SIGNED8, LOGITS), 3, 4, (SIGNED8,)),
    "conv A 5x5": (lambda: conv(3, square(5), "A", 3, 1, 8), 3, 1, (SIGNED8,)),
    "conv A 7x7 gray": (lambda: conv(4, square(7), "A", 1, 1, 8), 1, 1, (SIGNED8,)),
    "conv A line": (lambda: conv(5, line(2, 3), "A", 2, 1, 8), 2, 1, (SIGNED8,)),
    "conv B 3x3": (lambda: conv(5, square(3), "B", 3, 4, 4, RECTIFIED8), 3, 4, (RECTIFIED8,)),
    "conv B 3x3 extreme": (
        lambda: conv(6, square(3), "B", 3, 4, 4, RECTIFIED8, SIGNED8, extreme=True), 3, 4, (RECTIFIED8,),
    ),
    "conv A 5x5 extreme": (lambda: conv(7, square(5), "A", 3, 1, 8, extreme=True), 3, 1, (SIGNED8,)),
    "conv A 5x5 fine": (lambda: conv(9, square(5), "A", 3, 1, 8, fine=True), 3, 1, (SIGNED8,)),
    "conv A 5x5 fine extreme": (
        lambda: conv(10, square(5), "A", 3, 1, 8, SIGNED8, LOGITS, extreme=True, fine=True), 3, 1, (SIGNED8,),
    ),
    "conv B line dilated": (lambda: conv(8, line(3, 2), "B", 1, 4, 4, RECTIFIED8), 1, 4, (RECTIFIED8,)),
    "conv above": (lambda: conv(9, above(5), "B", 1, 3, 4, RECTIFIED8), 1, 3, (RECTIFIED8,)),
    "conv of 16 bits": (lambda: conv(10, square(3), "B", 1, 3, 4, LOGITS, LOGITS), 1, 3, (LOGITS,)),
    "embedding": (lambda: of(Embedding(((0, -1),), "A", 1, 8, 5, LOGITS), 11), 1, 1, (SIGNED8,)),
    "embedding over channels": (lambda: of(Embedding(square(3), "A", 3, 2, 4, SIGNED8), 12), 3, 1, (SIGNED8,)),
    "embedding extreme": (lambda: of(Embedding(line(3), "A", 2, 3, 4, LOGITS), 13, True), 2, 1, (SIGNED8,)),
    "lstm": (lambda: of(LSTM(ALONG, 1, 1, 5), 14), 1, 20, (LOGITS,)),
    "lstm over channels": (lambda: of(LSTM(ALONG, 1, 3, 4), 15), 3, 16, (LOGITS,)),
    "lstm extreme": (lambda: of(LSTM(ALONG, 1, 2, 8), 16, True), 2, 32, (LOGITS,)),
    "row lstm": (lambda: of(LSTM(DOWN, 3, 1, 5), 17), 1, 20, (LOGITS,)),
    "row lstm over channels": (lambda: of(LSTM(DOWN, 3, 3, 4), 18), 3, 16, (LOGITS,)),
    "row lstm extreme": (lambda: of(LSTM(DOWN, 5, 2, 3), 19, True), 2, 12, (LOGITS,)),
    "mingru": (lambda: of(MinGRU(ALONG, 1, 5), 20), 1, 10, (LOGITS,)),
    "mingru down over channels": (lambda: of(MinGRU(DOWN, 3, 4), 21), 3, 8, (LOGITS,)),
    "gate": (ExactGate, 3, 4, (LOGITS, LOGITS)),
    "regrid": (lambda: ExactRequantize(LOGITS, RECTIFIED8), 3, 4, (LOGITS,)),
    "add": (lambda: ExactAdd((RECTIFIED8, SIGNED8), SIGNED8), 3, 4, (RECTIFIED8, SIGNED8)),
    "concat elu": (ExactConcatELU, 1, 4, (SIGNED8,)),
    "sigmoid gate": (ExactSigmoidGate, 3, 4, (LOGITS, LOGITS)),
    "place": (place, 1, 1, (SIGNED8,)),
    "before": (lambda: ExactShift(Shift(Raster(), 3, SIGNED8)), 1, 3, (SIGNED8,)),
    "before zigzag": (lambda: ExactShift(Shift(Zigzag(), 3, LOGITS)), 1, 3, (LOGITS,)),
    "masked": (lambda: of(Masked(Raster(), 11, 13, 1, 30, 1, 3, 2, 5, False), 20), 1, 1, (SIGNED8,)),
    "masked shuffled": (lambda: of(Masked(Shuffled(2), 12, 14, 3, 40, 2, 1, 3, 6, True), 21), 3, 1, (SIGNED8,)),
    "masked extreme": (lambda: of(Masked(Shuffled(3), 11, 13, 2, 7, 3, 2, 2, 7, True), 22, True), 2, 1, (SIGNED8,)),
    "attention": (lambda: ExactAttention(Attention(Raster(), 2, KEY)), 1, 2 * KEY, (SIGNED8,) * 3),
    "attention zigzag": (lambda: ExactAttention(Attention(Zigzag(), 1, KEY)), 1, KEY, (SIGNED8,) * 3),
    "add of 16 bits": (lambda: ExactAdd((LOGITS,) * 3, LOGITS), 3, 4, (LOGITS,) * 3),
}  # fmt: skip

ORDERS: dict[str, Order] = {
    "raster": Raster(),
    "wavefront 1": Wavefront(1),
    "wavefront 4": Wavefront(4),
    "wavefront 9": Wavefront(9),
    "independent": Independent(block=37),
    "zigzag": Zigzag(),
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


def layered(kind: type[Layered], extreme: bool = False, seed: int = 0, **config: int) -> Layered:
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


def context(extreme: bool = False, seed: int = 0) -> ContextModel:
    """A small ``context`` with random weights, or with all of them at their limits."""
    torch.manual_seed(seed)
    networks = {c: Context(ContextConfig(c, trunk=(24, 16), head=8, mixture=3)) for c in (1, 3)}
    weights = freeze(networks)
    return ContextModel(at_their_limits(weights, seed) if extreme else weights)


def shipped_context() -> ContextModel:
    """The one that comes with arcomp."""
    model = registry.load("context")
    assert isinstance(model, ContextModel)
    return model


SNAIL = {"rows": 17, "columns": 40, "width": 4, "blocks": 2, "resnets": 1, "heads": 2, "dropout": 0}
FRAME = {"rows": 17, "columns": 23}
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
        "rgb": dict(channels=3, depth=8, mixture=2, zigzag=0, **TRANSFORMER),
        "zigzag": dict(channels=1, depth=1, mixture=0, zigzag=1, **TRANSFORMER),
        "extreme": dict(channels=2, depth=5, mixture=1, zigzag=1, **TRANSFORMER),
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


def _of_sizes(name: str, label: str) -> Callable[[], DistributionModel]:
    def make() -> Layered:
        kind = registry.find(name)
        assert issubclass(kind, Layered)
        return layered(kind, label == "extreme", **SIZES[name][label])

    return make


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
ALIKE_WINDOWS = (
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
) -> Photo:
    """A small float network of ``photo`` with random weights."""
    torch.manual_seed(seed)
    net = Photo(PhotoConfig(channels, windows, (20, 12), 10, 3, stage, online))
    net.prepare([pictures(kind, (20, 28, channels), 8, seed) for kind in ("smooth", "noise")])
    return net


def photo(
    windows: tuple[Window, ...] = ONE_WINDOW,
    stage: str = "cheap",
    extreme: bool = False,
    seed: int = 0,
    online: bool = False,
) -> PhotoModel:
    """A small ``photo`` for gray and RGB with random weights, or with all of them at their limits."""
    weights = photo_training.freeze({c: photo_net(c, windows, stage, seed, online) for c in (1, 3)})
    return PhotoModel(at_their_limits(weights, seed) if extreme else weights)


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


# name -> (model that learns, channels)
LEARNERS: dict[str, tuple[Callable[[], PhotoModel], int]] = {
    "photo rgb": (photo, 3),
    "photo gray": (photo, 1),
    "photo three windows rgb": (lambda: photo(THREE_WINDOWS, "full"), 3),
    "photo three windows gray": (lambda: photo(THREE_WINDOWS, "full"), 1),
    "photo alike rgb": (lambda: photo(ALIKE_WINDOWS, "full"), 3),
    "photo alike gray": (lambda: photo(ALIKE_WINDOWS), 1),
    "photo extreme rgb": (lambda: photo(extreme=True), 3),
    "photo three windows extreme rgb": (lambda: photo(THREE_WINDOWS, "full", True, 1), 3),
    "photo three windows extreme gray": (lambda: photo(THREE_WINDOWS, "full", True, 2), 1),
    "photo online rgb": (lambda: photo(stage="deep", online=True), 3),
    "photo online gray": (lambda: photo(THREE_WINDOWS, online=True), 1),
    "photo online extreme rgb": (lambda: photo(THREE_WINDOWS, "full", True, 3, True), 3),
    **_shipped(),
}


def converted(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Samples [..., 3] taken for JPEG's YCbCr, as RGB by libjpeg's integers."""
    y, cb, cr = (pixels[..., c].astype(np.int64) - (128 if c else 0) for c in range(3))
    red, blue = y + ((91881 * cr + 32768) >> 16), y + ((116130 * cb + 32768) >> 16)
    green = y + ((-22554 * cb - 46802 * cr + 32768) >> 16)
    return np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8)


def pictures(kind: str, shape: tuple[int, int, int], depth: int, seed: int = 0) -> npt.NDArray[Any]:
    """[H, W, C] of a kind of content: "smooth", "noise", "extreme" (only 0 and the largest level), "constant" or
    "converted" (RGB that was YCbCr before, in coding order)."""
    rng = np.random.default_rng(seed)
    top = (1 << depth) - 1
    h, w, c = shape
    if kind == "noise":
        out = rng.integers(0, top + 1, shape)
    elif kind == "extreme":
        out = rng.integers(0, 2, shape) * top
    elif kind == "converted" and c == 3:
        out = converted(pictures("smooth", shape, depth, seed))[..., [1, 0, 2]]
    elif kind == "constant":
        out = np.broadcast_to(rng.integers(0, top + 1, c), shape)
    else:
        ramp = np.add.outer(np.arange(h) * 3, np.arange(w) * 2)[..., None] + np.arange(c) * 9
        out = (
            (ramp + rng.integers(0, 4, shape)) * (top + 1) // 256 % (top + 1)
            if depth < 8
            else (ramp + rng.integers(0, 4, shape)) % (top + 1)
        )
    return out.astype(np.uint8 if depth <= 8 else np.uint16)
