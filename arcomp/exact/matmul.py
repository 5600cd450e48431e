"""Integer matrix products by three interchangeable backends.

==========  =======================================================  ==============================================
backend     how                                                      why it is exact
==========  =======================================================  ==============================================
int8        int8 x int8, compiled (:mod:`arcomp.exact.products`);    32-bit integer sums, weights of at most 7 bits
\\            on other devices ``torch._int_mm``
float32     ``@`` on integers held in float32                        every partial sum is below 2**24
float64     ``@`` on integers held in float64                        every partial sum is below 2**53
==========  =======================================================  ==============================================

On processors without VNNI the int8 product adds pairs in 16 bits: int8 weights of full range saturate there and
give wrong sums. Weights are therefore limited to +-63; wider ones, and 16-bit activations, are split into such
digits. Whether a backend is right on this machine is not assumed but tested (:func:`self_test`) with extreme values.

This is the one place on the coded path where floats carry integers (besides the tables handed to the range coder).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import ExactnessError
from arcomp.exact import products
from arcomp.exact.arrays import CPU, Array
from arcomp.exact.bounds import FINE_LIMIT, LIMITS, WEIGHT_LIMIT, bound, digits
from arcomp.exact.devices import backend as device_backend

log = logging.getLogger(__name__)
BACKENDS = ("int8", "float32", "float64")
PREFERRED = {"cuda": ("float32", "float64", "int8")}
"""Another order in which they are tried: a GPU's integer products refuse some shapes, and are launched more often."""
_ENVIRONMENT = "ARCOMP_BACKEND"

Integers = npt.NDArray[Any]


class Matrix:
    """A weight matrix made ready for one backend and device.

    Args:
        weight: int8 or int16 [m, k].
        largest: bound of the absolute activations: at most 128 for int8 ones, 32768 for int16 ones.
        backend: one of BACKENDS.
        device: see :mod:`arcomp.exact.devices`.

    Attributes:
        bound: of the absolute sums. wide: whether they may pass 31 bits.
        packed: what the compiled kernels take, of the backend int8 on the processor; None of others.

    Raises:
        ExactnessError: no exact product is possible with these bounds.
    """

    def __init__(self, weight: Integers, largest: int, backend: str, device: str = CPU) -> None:
        if largest > 32768 or not np.issubdtype(weight.dtype, np.signedinteger):
            raise ExactnessError(f"no exact product for activations up to {largest} with {weight.dtype} weights")
        self.weight, self.device, self.bound = weight, device, bound(weight, largest)
        if self.bound >= LIMITS["float64"]:
            raise ExactnessError(f"sums up to {self.bound} do not fit into 53 bits")
        self.wide = self.bound >= 2**31
        if backend == "float32" and self.bound >= LIMITS["float32"]:
            backend = "float64"
        if backend == "int8" and max(bound(p, 128) for p in digits(weight)) >= LIMITS["int8"]:
            raise ExactnessError(f"sums of {weight.shape[1]} products do not fit into 32 bits")
        self.packed: products.Packed | None = None
        self._multiply = self._on_host(backend) if device == CPU else self._by_torch(backend)

    def __call__(self, a: Array) -> Array:
        """The product: int8 or int16 [n, k] -> int32 [n, m] (int64 where sums may pass 31 bits)."""
        return self._multiply(a)

    def _on_host(self, backend: str) -> Callable[[Array], Array]:
        if backend == "int8":
            packed = self.packed = products.pack(self.weight)
            return lambda a: products.multiply(packed, a, self.wide)
        held = np.ascontiguousarray(self.weight.T).astype(backend)
        return lambda a: (a.astype(held.dtype) @ held).astype(np.int64 if self.wide else np.int32)

    def _by_torch(self, backend: str) -> Callable[[Array], Array]:
        device_backend(self.device)  # says so where torch is not installed
        from arcomp.exact import by_torch

        return by_torch.products(self.weight, self.wide, backend, self.device)


def self_test(backend: str, device: str = CPU) -> str:
    """Known answers with extreme values; "" if all are right, else what is wrong."""
    rng = np.random.default_rng(0)
    arrays = device_backend(device)
    for n, k, m in ((1, 8, 8), (5, 129, 64), (33, 192, 24), (70, 520, 8), (48, 40, 47), (17, 12, 200)):
        for kind, largest in ((np.int8, 128), (np.int16, 32768)):
            limit = int(np.iinfo(kind).max)
            for a, w in (
                (np.full((n, k), -largest), np.full((m, k), -WEIGHT_LIMIT)),
                (np.full((n, k), limit), np.full((m, k), WEIGHT_LIMIT)),
                (rng.choice([-largest, limit], (n, k)), rng.choice([-WEIGHT_LIMIT, WEIGHT_LIMIT], (m, k))),
                (rng.integers(-largest, largest, (n, k)), rng.integers(-WEIGHT_LIMIT, WEIGHT_LIMIT + 1, (m, k))),
                (rng.integers(-largest, largest, (n, k)), rng.integers(-FINE_LIMIT, FINE_LIMIT + 1, (m, k))),
                # all bits of the activations, and sums that float32 holds: seen if operands are rounded
                (rng.integers(-largest, largest, (n, k)), (rng.random((m, k)) < 200 / k).astype(int)),
            ):
                weight = w.astype(np.int16 if np.abs(w).max() > WEIGHT_LIMIT else np.int8)
                try:
                    got = Matrix(weight, largest, backend, device)(arrays.constant(a.astype(kind)))
                except (RuntimeError, ExactnessError) as error:
                    return f"{type(error).__name__}: {str(error).splitlines()[0]}"
                if not np.array_equal(arrays.numpy(got), a.astype(np.int64) @ w.astype(np.int64).T):
                    return f"wrong sums for {n} x {k} x {m} with {np.dtype(kind).name} activations"
    return ""


@cache
def choose(device: str = CPU, wanted: str | None = None) -> tuple[str, dict[str, str]]:
    """The first backend that passes its self-test, and what each tested one said.

    ``wanted``, or the environment variable ARCOMP_BACKEND, asks for one backend; it is tested as well.

    Raises:
        ExactnessError: none passes (or not the one asked for): this machine must not write or read files.
    """
    wanted = wanted or os.environ.get(_ENVIRONMENT) or None
    if wanted is not None and wanted not in BACKENDS:
        raise ExactnessError(f"no backend {wanted!r}", remedy=f"there are {', '.join(BACKENDS)}")
    found: dict[str, str] = {}
    for backend in PREFERRED.get(device.partition(":")[0], BACKENDS) if wanted is None else (wanted,):
        found[backend] = self_test(backend, device)
        if not found[backend]:
            log.debug("matrix products on %s by %s", device, backend)
            return backend, found
    said = "; ".join(f"{k}: {v}" for k, v in found.items())
    raise ExactnessError(
        f"integer matrix products are wrong on {device} ({said})", remedy="report this machine, please"
    )
