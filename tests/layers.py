"""Layers that the laws run over, with random and with extreme weights.

Add a layer here and it gets all laws for free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.exact.bounds import FINE_LIMIT, WEIGHT_LIMIT
from arcomp.layers.attention import KEY, Attention, ExactAttention
from arcomp.layers.conv import ExactConv, Tap, above, line, square, tap_mask
from arcomp.layers.elu import ExactConcatELU, ExactSigmoidGate
from arcomp.layers.embedding import Embedding
from arcomp.layers.float.layer import float_layer
from arcomp.layers.float.linear import Linear
from arcomp.layers.layer import ExactLayer
from arcomp.layers.masked import Masked
from arcomp.layers.mingru import MinGRU
from arcomp.layers.pointwise import ExactAdd, ExactGate, ExactRequantize
from arcomp.layers.position import ExactPositionEmbedding, PositionEmbedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, Quantisation
from arcomp.layers.recurrent import ALONG, DOWN, LSTM
from arcomp.layers.shift import ExactShift, Shift
from arcomp.layers.spec import Conv, Spec
from arcomp.orders import Raster, Shuffled, Zigzag

Arrays = dict[str, npt.NDArray[Any]]


DEVICE = "cpu"
"""Of the layers that are made."""


def conv(
    seed: int, taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int,
    source: Quantisation = SIGNED8, quantisation: Quantisation = RECTIFIED8, *,
    extreme: bool = False, fine: bool = False,
) -> ExactConv:  # fmt: skip
    """A convolution with random weights, or with weights, biases and multipliers at their limits."""
    torch.manual_seed(seed)
    spec = Conv(taps, mask, groups, inputs, outputs, source, quantisation, fine=fine)
    arrays = float_layer(spec).freeze()
    if extreme:
        arrays = beyond_training(tap_mask(taps, mask, groups, inputs, outputs), seed, fine)
    return ExactConv(
        arrays, taps, mask, groups, inputs, outputs, source=source, quantisation=quantisation, device=DEVICE, fine=fine
    )


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


def position_embedding() -> ExactPositionEmbedding:
    """Random features of places."""
    rng = np.random.default_rng(0)
    rows, columns = (rng.integers(-128, 128, (size, 5), np.int8) for size in (11, 13))
    return ExactPositionEmbedding(PositionEmbedding(11, 13, 5), {"rows": rows, "columns": columns}, DEVICE)


HERE: tuple[Tap, ...] = ((0, 0),)


# name -> (layer, groups, features of each group's inputs, quantisations of the inputs)
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
    "requantize": (lambda: ExactRequantize(LOGITS, RECTIFIED8), 3, 4, (LOGITS,)),
    "add": (lambda: ExactAdd((RECTIFIED8, SIGNED8), SIGNED8), 3, 4, (RECTIFIED8, SIGNED8)),
    "concat elu": (ExactConcatELU, 1, 4, (SIGNED8,)),
    "sigmoid gate": (ExactSigmoidGate, 3, 4, (LOGITS, LOGITS)),
    "position embedding": (position_embedding, 1, 1, (SIGNED8,)),
    "shift": (lambda: ExactShift(Shift(Raster(), 3, SIGNED8)), 1, 3, (SIGNED8,)),
    "shift zigzag": (lambda: ExactShift(Shift(Zigzag(), 3, LOGITS)), 1, 3, (LOGITS,)),
    "masked": (lambda: of(Masked(Raster(), 11, 13, 1, 30, 1, 3, 2, 5, False), 20), 1, 1, (SIGNED8,)),
    "masked shuffled": (lambda: of(Masked(Shuffled(2), 12, 14, 3, 40, 2, 1, 3, 6, True), 21), 3, 1, (SIGNED8,)),
    "masked extreme": (lambda: of(Masked(Shuffled(3), 11, 13, 2, 7, 3, 2, 2, 7, True), 22, True), 2, 1, (SIGNED8,)),
    "attention": (lambda: ExactAttention(Attention(Raster(), 2, KEY)), 1, 2 * KEY, (SIGNED8,) * 3),
    "attention zigzag": (lambda: ExactAttention(Attention(Zigzag(), 1, KEY)), 1, KEY, (SIGNED8,) * 3),
    "add of 16 bits": (lambda: ExactAdd((LOGITS,) * 3, LOGITS), 3, 4, (LOGITS,) * 3),
}  # fmt: skip


def linear_of(layer: torch.nn.Module) -> Linear:
    """The linear function that a float layer is made of."""
    found = layer.linear
    assert isinstance(found, Linear)
    return found
