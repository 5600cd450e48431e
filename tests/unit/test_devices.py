"""A step of training stays on its device, which can be seen without a GPU: on torch's device "meta", which computes
shapes alone. A copy from the processor or a number that it waits for could not be part of a recorded step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from arcomp.exact.by_torch import LARGEST, constant
from arcomp.training import recipes
from arcomp.training.trainable import trainer_of

META = torch.device("meta")
RECURRENT = {"char_rnn", "pixelrnn"}
"""Their steps write into parts of tensors, which "meta" does not know."""
FIRST_OF = {recipes.find(name).model: name for name in sorted(recipes.names(), reverse=True)}
LARGE = {"subscale", "multiscale_pixelcnn", "pixelsnail", "pixelcnnpp", "grayscale_pixelcnn", "image_transformer"}
"""Models whose step takes seconds."""
WAITING = ("local_scalar", "nonzero", "masked_select")


class Watch(TorchDispatchMode):
    """Notes operations that look at the processor."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(
        self, f: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        tensors = [a for a in tree_leaves((args, kwargs)) if isinstance(a, torch.Tensor)]
        if any(a.device != META for a in tensors) or any(name in str(f) for name in WAITING):
            self.found.append(str(f))
        return f(*args, **(kwargs or {}))


def _move(net: nn.Module) -> None:
    for module in net.modules():
        for name, p in module._parameters.items():
            if p is not None:
                module._parameters[name] = nn.Parameter(torch.empty_like(p, device=META))
        for name, b in module._buffers.items():
            if b is not None:
                module._buffers[name] = torch.empty_like(b, device=META)


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] if model in LARGE else [])
    for model, name in sorted(FIRST_OF.items()) if model not in RECURRENT
])  # fmt: skip
def test_a_step_stays_on_its_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # which "meta" has not
    recipe = recipes.find(name)
    trainer = trainer_of(recipe.model)
    height, width = trainer.frame(recipe.config) or (16, 16)
    if recipe.data.kind != "pictures":
        height, width = 1, 64
    crop = np.random.default_rng(0).integers(0, 1 << recipe.depth, (height, width, recipe.channels)).astype(np.uint8)
    net = trainer.start(recipe.config)
    examples = {key: torch.from_numpy(a).to(META) for key, a in net.examples(crop).items()}
    _move(net)
    net.train()
    for _ in range(2):  # what is copied once is, by then
        found = []
        for rounding in (False, True):
            with Watch() as watch:
                net.bits(**examples, rounding=rounding).sum().backward()
            found += watch.found
    assert not found


@pytest.mark.parametrize("count", [3, LARGEST])
def test_constants(count: int) -> None:
    array = np.arange(count, dtype=np.int64)
    here = constant(array, torch.device("cpu"))
    assert here.tolist() == array.tolist()
    there = [constant(array.copy(), META) for _ in range(2)]
    assert all(a.device == META and a.shape == array.shape and a.dtype == torch.int64 for a in there)
    assert (there[0] is there[1]) == (array.nbytes <= LARGEST)
