"""Exact arithmetic by torch: arrays on a GPU, and on the processor to hold NumPy's evaluation equal to it.

Products of integers are ``torch._int_mm`` of int8, or floats that hold every partial sum (:mod:`arcomp.exact.matmul`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.errors import ExactnessError
from arcomp.exact.arrays import Backend, Ints
from arcomp.exact.bounds import LIMITS, digits
from arcomp.exact.precision import whole

KEPT, LARGEST = 256, 1 << 20
"""How many constants are kept on a device, and bytes of the largest."""


class Torch(Backend):
    """Tensors on a device.

    Args:
        device: as torch names it, or "torch": the processor.
    """

    def __init__(self, device: str) -> None:
        self.device, self.place = device, torch.device("cpu" if device == "torch" else device)

    def constant(self, array: Ints) -> torch.Tensor:
        return constant(array, self.place)

    def numpy(self, x: torch.Tensor) -> Ints:
        return np.asarray(x.cpu().numpy())

    def cast(self, x: torch.Tensor, dtype: type[np.generic]) -> torch.Tensor:
        return x.to(_kind(dtype))

    def full(self, shape: Sequence[int], value: int, like: torch.Tensor) -> torch.Tensor:
        return like.new_full(tuple(shape), value)

    def zeros(self, shape: Sequence[int], dtype: type[np.generic]) -> torch.Tensor:
        return torch.zeros(tuple(shape), dtype=_kind(dtype), device=self.place)

    def concat(self, parts: Sequence[torch.Tensor], axis: int) -> torch.Tensor:
        return torch.cat(list(parts), axis)


def _kind(dtype: type[np.generic]) -> torch.dtype:
    kind: torch.dtype = getattr(torch, np.dtype(dtype).name)
    return kind


def constant(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """An array as a tensor that nobody writes to.

    A copy to a GPU waits for all its work, and cannot be part of a recorded CUDA graph: small constants are copied once
    and kept.
    """
    if device.type == "cpu":
        # torch warns of arrays that must not be written to; nobody does
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    if array.nbytes > LARGEST:
        return torch.from_numpy(array).to(device)
    return _kept(array.tobytes(), array.shape, array.dtype.str, device)


@lru_cache(KEPT)
def _kept(data: bytes, shape: tuple[int, ...], dtype: str, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy()).to(device)


class FloatProduct:
    """Products with a matrix held in float32 or float64.

    Args:
        weight: integers [m, k]. wide: whether sums may pass 31 bits. kind: of floats. device: a torch device.
    """

    def __init__(self, weight: Ints, wide: bool, kind: str, device: torch.device) -> None:
        self.weight = torch.from_numpy(weight.T.copy()).to(device, getattr(torch, kind))
        self.wide = wide

    def __call__(self, a: torch.Tensor) -> torch.Tensor:
        kind = whole(self.weight.dtype, self.weight.device)
        product = a.to(kind) @ self.weight.to(kind)
        return product.to(torch.int64 if self.wide else torch.int32)


class Int8Product:
    """Products by ``torch._int_mm``.

    Args:
        weight: int8 or int16 [m, k]. wide: whether sums may pass 31 bits. device: a torch device.
    """

    def __init__(self, weight: Ints, wide: bool, device: torch.device) -> None:
        (self.outputs, k), self.wide = weight.shape, wide
        # CUDA takes columns of weights that lie one after the other, and sizes in sixteens (more than 16 rows, too).
        on_cuda = device.type == "cuda"
        self.rows, step = (32, 16) if on_cuda else (1, 8)
        padded = np.zeros((-(-self.outputs // step) * step, -(-k // step) * step), np.int8)
        self.planes: list[tuple[int, torch.Tensor]] = []
        for i, plane in enumerate(digits(weight)):
            padded[: self.outputs, :k] = plane
            made = torch.from_numpy(padded.copy()).to(device).t()
            self.planes.append((6 * i, made if on_cuda else made.contiguous()))

    def __call__(self, a: torch.Tensor) -> torch.Tensor:
        n, k = a.shape
        rows, inner = self.planes[0][1].shape[0], k
        height = -(-n // self.rows) * self.rows
        # A view of one row may have any stride and still be contiguous: the product would read what lies beside it.
        if height != n or rows != inner or a.stride(0) != inner:
            padded = torch.zeros((height, rows), dtype=a.dtype, device=a.device)
            padded[:n, :k] = a
            a = padded
        if a.dtype == torch.int8:
            parts = [(0, a)]
        else:  # a = 256 high + low, both int8
            low = a.to(torch.int8)
            high = ((a.to(torch.int32) - low) >> 8).to(torch.int16)
            if bool((high > 127).any()):  # 32640 .. 32767 would need high = 128: three planes
                top = high.clamp(max=127)
                parts = [(0, low), (8, top.to(torch.int8)), (8, (high - top).to(torch.int8))]
            else:
                parts = [(0, low), (8, high.to(torch.int8))]
        total: torch.Tensor | None = None
        for left, x in parts:
            for right, w in self.planes:
                product = torch._int_mm(x, w)
                if left + right or self.wide:
                    product = product.to(torch.int64) << (left + right)
                total = product if total is None else total + product
        assert total is not None
        total = total[:n, : self.outputs]
        return total if self.wide or total.dtype == torch.int32 else total.to(torch.int32)


def product(a: torch.Tensor, b: torch.Tensor, largest: int) -> torch.Tensor:
    """The product of two batches of integer matrices that are both computed, in floats that hold every partial sum.

    [.., n, k] and [.., k, m] -> int64 [.., n, m].

    Args:
        largest: proven bound of the absolute sums, also of parts of them; below 2**53.

    Raises:
        ExactnessError: it is not.
    """
    if largest >= LIMITS["float64"]:
        raise ExactnessError(f"sums up to {largest} do not fit into 53 bits")
    kind = whole(torch.float32, a.device) if largest < LIMITS["float32"] else torch.float64
    return (a.to(kind) @ b.to(kind)).to(torch.int64)


def rescale(sums: torch.Tensor, columns: tuple[Ints, Ints, Ints], quantisation: tuple[int, int, int]) -> torch.Tensor:
    """:class:`arcomp.exact.rescale.Rescale` of int32 or int64 [n, m]: int64, not yet in the result's type.

    Args:
        columns: bias, multiplier and shift, int64 [m]. quantisation: zero, low and high.
    """
    bias, multiplier, shift = (constant(a, sums.device) for a in columns)
    v = (sums.to(torch.int64) + bias) * multiplier + torch.bitwise_left_shift(torch.ones_like(shift), shift - 1)
    zero, low, high = quantisation
    return (torch.bitwise_right_shift(v, shift) + zero).clamp(low, high)


def products(weight: Ints, wide: bool, backend: str, device: str) -> FloatProduct | Int8Product:
    """Products with a matrix on a device, by a backend of :mod:`arcomp.exact.matmul`."""
    place = Torch(device).place
    return Int8Product(weight, wide, place) if backend == "int8" else FloatProduct(weight, wide, backend, place)


SCORES = 1 << 20
"""Scores of attention that are held at a time, about."""


def attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, exponential: Ints, shift: int
) -> torch.Tensor:
    """Causal attention of :mod:`arcomp.layers.attention` of one picture: int8 [heads, P, features] each.

    Args:
        exponential: int32, weights by how far a score is below the largest. shift: from products to scores.
    """
    heads, length, features = query.shape
    rows = max(1, min(length, SCORES // (heads * length)))
    parts = []
    for at in range(0, length, rows):
        end = min(length, at + rows)
        score = product(query[:, at:end], key[:, :end].transpose(1, 2), features << 14)
        score = (score + (1 << (shift - 1))) >> shift
        later = torch.ones(score.shape[1:], dtype=torch.bool, device=score.device).triu(at + 1)
        score = score.masked_fill(later, -(1 << 30))
        below = (score.amax(2, keepdim=True) - score).clamp_max(4095)
        mass = constant(exponential, score.device)[below].masked_fill(later, 0)
        total, whole = product(mass, value[:, :end], end << 23), mass.sum(2, keepdim=True)
        parts.append(torch.div(2 * total + whole, 2 * whole, rounding_mode="floor").to(torch.int8))
    return torch.cat(parts, 1)
