"""Integer matrix products by three interchangeable backends.

==========  =====================================  ==============================================
backend     how                                    why it is exact
==========  =====================================  ==============================================
int8        ``torch._int_mm``, int8 x int8         32-bit integer sums, weights of at most 7 bits
float32     ``@`` on integers held in float32      every partial sum is below 2**24
float64     ``@`` on integers held in float64      every partial sum is below 2**53
==========  =====================================  ==============================================

On processors without VNNI the int8 product adds pairs in 16 bits: int8 weights of full range saturate there and
give wrong sums. Weights are therefore limited to +-63; wider ones, and 16-bit activations, are split into such
digits. Whether a backend is right on this machine is not assumed but tested (:func:`self_test`) with extreme values.

This is the one place on the coded path where floats carry integers (besides the tables handed to the range coder).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.errors import ExactnessError
from arcomp.exact.bounds import FINE_LIMIT, WEIGHT_LIMIT, bound
from arcomp.exact.precision import whole

BACKENDS = ("int8", "float32", "float64")
PREFERRED = {"cuda": ("float32", "float64", "int8")}
"""Another order in which they are tried: a GPU's integer products refuse some shapes, and are launched more often."""
LIMITS = {"int8": 2**31, "float32": 2**24, "float64": 2**53}
_ENVIRONMENT = "ARCOMP_BACKEND"

Integers = npt.NDArray[Any]


def digits(w: Integers) -> list[npt.NDArray[np.int8]]:
    """Split integer weights into planes of digits: w = sum of planes[i] * 64**i, each within +-63.

    A matrix already within +-63 is its own only plane.
    """
    rest = w.astype(np.int64)
    planes = []
    while np.abs(rest).max(initial=0) > WEIGHT_LIMIT:
        low = (rest + 32) % 64 - 32
        planes.append(low.astype(np.int8))
        rest = (rest - low) // 64
    return [*planes, rest.astype(np.int8)]


@dataclass
class Matrix:
    """A weight matrix made ready for one backend and device.

    Args:
        weight: int8 or int16 [m, k].
        largest: bound of the absolute activations: at most 128 for int8 ones, 32768 for int16 ones.
        backend: one of BACKENDS.
        device: torch device.

    Raises:
        ExactnessError: no exact product is possible with these bounds.
    """

    weight: Integers
    largest: int
    backend: str
    device: str = "cpu"
    _planes: list[tuple[int, torch.Tensor]] = field(init=False, repr=False)
    _rows: int = field(init=False, repr=False, default=1)

    def __post_init__(self) -> None:
        if self.largest > 32768 or not np.issubdtype(self.weight.dtype, np.signedinteger):
            raise ExactnessError(
                f"no exact product for activations up to {self.largest} with {self.weight.dtype} weights"
            )
        self.bound = bound(self.weight, self.largest)
        if self.bound >= LIMITS["float64"]:
            raise ExactnessError(f"sums up to {self.bound} do not fit into 53 bits")
        self.wide = self.bound >= 2**31
        backend = self.backend
        if backend == "float32" and self.bound >= LIMITS["float32"]:
            backend = "float64"
        if backend != "int8":
            kind = torch.float32 if backend == "float32" else torch.float64
            self._planes = [(0, torch.from_numpy(self.weight.T.copy()).to(self.device, kind))]
            self._multiply = self._by_float
            return
        planes = digits(self.weight)
        if max(bound(p, 128) for p in planes) >= LIMITS["int8"]:
            raise ExactnessError(f"sums of {self.weight.shape[1]} products do not fit into 32 bits")
        m, k = self.weight.shape
        # CUDA takes columns of weights that lie one after the other, and sizes in sixteens (more than 16 rows, too).
        on_cuda = torch.device(self.device).type == "cuda"
        self._rows, step = (32, 16) if on_cuda else (1, 8)
        room = np.zeros((-(-m // step) * step, -(-k // step) * step), np.int8)
        self._planes = []
        for i, plane in enumerate(planes):
            room[:m, :k] = plane
            made = torch.from_numpy(room.copy()).to(self.device).t()
            self._planes.append((6 * i, made if on_cuda else made.contiguous()))
        self._multiply = self._by_int8

    def __call__(self, a: torch.Tensor) -> torch.Tensor:
        """The product: int8 or int16 [n, k] -> int32 [n, m] (int64 where sums may pass 31 bits)."""
        return self._multiply(a)

    def _by_float(self, a: torch.Tensor) -> torch.Tensor:
        weight = self._planes[0][1]
        kind = whole(weight.dtype, weight.device)
        product = a.to(kind) @ weight.to(kind)
        return product.to(torch.int64 if self.wide else torch.int32)

    def _by_int8(self, a: torch.Tensor) -> torch.Tensor:
        n, k = a.shape
        m = self.weight.shape[0]
        rows, inner = self._planes[0][1].shape[0], k
        height = -(-n // self._rows) * self._rows
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
            for right, w in self._planes:
                product = torch._int_mm(x, w)
                if left + right or self.wide:
                    product = product.to(torch.int64) << (left + right)
                total = product if total is None else total + product
        assert total is not None
        total = total[:n, :m]
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


def self_test(backend: str, device: str = "cpu") -> str:
    """Known answers with extreme values; "" if all are right, else what is wrong."""
    rng = np.random.default_rng(0)
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
                    got = Matrix(weight, largest, backend, device)(torch.from_numpy(a.astype(kind)).to(device))
                except (RuntimeError, ExactnessError) as error:
                    return f"{type(error).__name__}: {str(error).splitlines()[0]}"
                if not np.array_equal(got.cpu().numpy(), a.astype(np.int64) @ w.astype(np.int64).T):
                    return f"wrong sums for {n} x {k} x {m} with {np.dtype(kind).name} activations"
    return ""


@cache
def choose(device: str = "cpu", wanted: str | None = None) -> tuple[str, dict[str, str]]:
    """The first backend that passes its self-test, and what each tested one said.

    ``wanted``, or the environment variable ARCOMP_BACKEND, asks for one backend; it is tested as well.

    Raises:
        ExactnessError: none passes (or not the one asked for): this machine must not write or read files.
    """
    wanted = wanted or os.environ.get(_ENVIRONMENT) or None
    if wanted is not None and wanted not in BACKENDS:
        raise ExactnessError(f"no backend {wanted!r}", remedy=f"there are {', '.join(BACKENDS)}")
    found: dict[str, str] = {}
    for backend in PREFERRED.get(torch.device(device).type, BACKENDS) if wanted is None else (wanted,):
        found[backend] = self_test(backend, device)
        if not found[backend]:
            return backend, found
    said = "; ".join(f"{k}: {v}" for k, v in found.items())
    raise ExactnessError(
        f"integer matrix products are wrong on {device} ({said})", remedy="report this machine, please"
    )
