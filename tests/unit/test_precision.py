"""Products of integers whatever a program has asked of torch's float32 products, at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from arcomp.exact.by_torch import product
from arcomp.exact.matmul import Matrix
from arcomp.exact.precision import whole

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
NEW = hasattr(torch.backends, "fp32_precision")


def _set(path: str, value: str) -> Callable[[], None]:
    """Set an attribute of torch.backends."""
    *way, last = path.split(".")

    def act() -> None:
        owner: Any = torch.backends
        for name in way:
            owner = getattr(owner, name)
        setattr(owner, last, value)

    return act


SETTINGS = [
    pytest.param(lambda: torch.set_float32_matmul_precision("medium"), True, True, id="medium"),
    pytest.param(lambda: torch.set_float32_matmul_precision("high"), True, True, id="high"),
    pytest.param(lambda: setattr(torch.backends.cuda.matmul, "allow_tf32", True), None, True, id="allow_tf32"),
    *(
        pytest.param(
            _set(path, value), cpu, cuda, id=path, marks=pytest.mark.skipif(not NEW, reason="a setting of torch 2.9")
        )
        for path, value, cpu, cuda in (
            ("cuda.matmul.fp32_precision", "tf32", False, True),
            ("mkldnn.matmul.fp32_precision", "bf16", True, False),
            ("mkldnn.fp32_precision", "bf16", None, False),
            ("fp32_precision", "tf32", None, None),
        )
    ),
]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """As a process begins."""
    yield
    for path in ("fp32_precision", "mkldnn.fp32_precision", "mkldnn.matmul.fp32_precision") if NEW else ():
        _set(path, "none")()
    if NEW:
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.mkldnn.matmul.fp32_precision = "ieee"  # type: ignore[attr-defined]
    torch.set_float32_matmul_precision("highest")


class Kinds(TorchDispatchMode):
    """The types that matrices are multiplied in."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: set[torch.dtype] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(name in str(function) for name in ("mm", "matmul")):
            self.seen.add(args[0].dtype)
        return function(*args, **(kwargs or {}))


def test_float32_where_nothing_was_asked_for() -> None:
    assert whole(torch.float32, CPU) == whole(torch.float32, CUDA) == torch.float32
    assert whole(torch.float64, CPU) == torch.float64


@pytest.mark.parametrize(("ask", "cpu", "cuda"), SETTINGS)
def test_settings_are_seen(ask: Callable[[], None], cpu: bool | None, cuda: bool | None) -> None:
    """None: as torch sees it; what matters is that nothing is raised."""
    ask()
    for device, rounded in ((CPU, cpu), (CUDA, cuda)):
        found = whole(torch.float32, device)
        assert rounded is None or found == (torch.float64 if rounded else torch.float32)


@pytest.mark.parametrize(("ask", "cpu", "cuda"), SETTINGS)
def test_products_after_the_backend_was_chosen(ask: Callable[[], None], cpu: bool | None, cuda: bool | None) -> None:
    """A matrix made before the setting gives the same sums after it, in float64 where float32 would be rounded."""
    rng = np.random.default_rng(0)
    a = torch.from_numpy(rng.integers(-32768, 32768, (70, 96)).astype(np.int16))
    w = rng.integers(-1, 2, (64, 96)).astype(np.int8)
    matrix = Matrix(w, 32768, "float32", "torch")
    before = matrix(a)
    ask()
    with Kinds() as kinds:
        after = matrix(a)
        both = product(a, torch.from_numpy(w.T.astype(np.int16)), matrix.bound)
    assert torch.equal(before, after)
    assert torch.equal(both, before.to(torch.int64))
    assert kinds.seen
    assert cpu is None or kinds.seen == {torch.float64 if cpu else torch.float32}
