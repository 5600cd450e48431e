"""Arrays of whole pictures: NumPy's on the processor, torch's tensors elsewhere, so that a layer is written once.

Slices, indices, arithmetic, ``reshape``, ``swapaxes`` and ``clip`` are spelled the same in both. The rest is here, as
methods of a :class:`Backend`; which one belongs to a device or an array, :mod:`arcomp.exact.devices` says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Array: TypeAlias = Any
"""A NumPy array of integers, or a tensor of torch."""
Int: TypeAlias = int | np.integer[Any]
"""An integer of Python or of NumPy; to a kernel both are the same."""
CPU = "cpu"
"""The device whose arrays are NumPy's. "cuda" and "cuda:1" are GPUs; "torch" is torch on the processor, to test it."""


class Backend(ABC):
    """What is spelled differently.

    Attributes:
        device: its name.
    """

    device: str

    @abstractmethod
    def constant(self, array: Ints) -> Array:
        """An array on the device, not to be written to."""

    @abstractmethod
    def numpy(self, x: Array) -> Ints:
        """An array of the device as one of NumPy's."""

    @abstractmethod
    def cast(self, x: Array, dtype: type[np.generic]) -> Array:
        """The same values in another type, one of NumPy's."""

    @abstractmethod
    def full(self, shape: Sequence[int], value: int, like: Array) -> Array:
        """A new array, of the type of ``like``."""

    @abstractmethod
    def zeros(self, shape: Sequence[int], dtype: type[np.generic]) -> Array:
        """A new array of zeros, of one of NumPy's types."""

    @abstractmethod
    def concat(self, parts: Sequence[Array], axis: int) -> Array:
        """Arrays one after the other along an axis."""


class Host(Backend):
    """NumPy."""

    device = CPU

    def constant(self, array: Ints) -> Ints:
        return array

    def numpy(self, x: Ints) -> Ints:
        return x

    def cast(self, x: Ints, dtype: type[np.generic]) -> Ints:
        return x.astype(dtype)

    def full(self, shape: Sequence[int], value: int, like: Ints) -> Ints:
        return np.full(shape, value, like.dtype)

    def zeros(self, shape: Sequence[int], dtype: type[np.generic]) -> Ints:
        return np.zeros(shape, dtype)

    def concat(self, parts: Sequence[Ints], axis: int) -> Ints:
        return np.concatenate(parts, axis)


HOST = Host()
