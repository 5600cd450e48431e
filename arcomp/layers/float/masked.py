"""Masked networks over all samples of a picture (:mod:`arcomp.layers.masked`) in float."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from arcomp.exact.arrays import Ints
from arcomp.exact.devices import backend_of
from arcomp.layers.dense import placed
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.linear import Linear, dequantize_linear, freeze_linear, rounded
from arcomp.layers.float.rounding import carry
from arcomp.layers.frozen import Arrays
from arcomp.layers.masked import Masked
from arcomp.layers.packed import packed
from arcomp.layers.quantisation import SIGNED8


class FloatMasked(FloatLayer):
    """In training under one mask, the next of them in every step, as in the paper (4.2); else under all of them."""

    def __init__(self, spec: Masked) -> None:
        super().__init__()
        self.spec = spec
        self.linears = nn.ModuleList(Linear(inputs, outputs, to) for outputs, inputs, _, to in spec.layers.values())
        masks = [spec.visible(s) for s in range(spec.masks)]
        for i in range(len(self.linears)):  # one for all of what is direct
            own = np.stack([m[i] for m in masks[: 1 if i > spec.blocks else None]])
            self.register_buffer(f"masks{i}", torch.from_numpy(own), persistent=False)
        self.register_buffer("turn", torch.zeros(1, dtype=torch.int64))  # a tensor: recorded steps count it, too
        if spec.direct:
            nn.init.zeros_(self.parts[-1].weight)
        with torch.no_grad():  # as if each row had no more inputs than it sees, those being within +-1
            for i, linear in enumerate(self.parts):
                shown = self.masks(i)
                seen = shown.sum(2, keepdim=True).float().mean(0).clamp_min(1)
                linear.weight *= (linear.in_features / seen).sqrt() * shown.any(0) * (0.25 if i == 0 else 1.0)

    @property
    def parts(self) -> list[Linear]:
        """The layers in turn."""
        return [linear for linear in self.linears if isinstance(linear, Linear)]

    def masks(self, i: int) -> torch.Tensor:
        """What each mask shows of a layer's weights: bool [masks, outputs, inputs]; of what is direct, [1, ..]."""
        return self.get_buffer(f"masks{i}")

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, h, w, groups] -> [N, h, w, groups * masks * each]; in training, of one mask only."""
        spec = self.spec
        n, height, width, _ = x.shape
        positions, numbers = (backend_of(x).constant(a) for a in spec.places)
        shown = x - SIGNED8.low * SIGNED8.step
        given = placed(shown, spec.height, spec.width, 0).reshape(n, len(positions), -1)[:, positions].flatten(1)
        masks = torch.arange(spec.masks, device=x.device)
        if self.training:
            turn = self.get_buffer("turn")
            masks = turn.clone()
            turn.copy_((turn + 1) % spec.masks)
        weights = [rounded(linear.weight) if rounding else linear.weight for linear in self.parts]

        def through(i: int, used: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
            linear = self.parts[i]
            return carry(functional.linear(inputs, weights[i] * used, linear.bias), linear.quantisation, rounding)

        beside = through(spec.blocks + 1, self.masks(spec.blocks + 1)[0], given) if spec.direct else 0.0
        found = []
        for mask in masks[:, None]:
            made = given
            for i in range(spec.blocks + 1):
                made = through(i, self.masks(i).index_select(0, mask)[0], made)
            made = carry(made + beside, spec.quantisation, rounding)
            found.append(made.reshape(n, len(positions), spec.groups, 1, -1))
        outputs = torch.cat(found, 3).index_select(1, numbers).reshape(n, spec.height, spec.width, -1)
        return outputs[:, :height, :width]

    def freeze(self) -> Arrays:
        arrays: Arrays = {}
        for i, (name, (_, inputs, source, _)) in enumerate(self.spec.layers.items()):
            linear, free = self.parts[i], self.spec.free(i)
            with torch.no_grad():
                linear.weight *= torch.from_numpy(free)
            own = packed(freeze_linear(linear, source.bits, np.full(inputs, source.zero, np.int64)), free)
            arrays |= {f"{name}.{key}": a for key, a in own.items()}
        return arrays

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        for i, (name, (_, inputs, source, _)) in enumerate(self.spec.layers.items()):
            own = self.spec.of_layer(i, name, arrays)
            dequantize_linear(self.parts[i], own, source.bits, np.full(inputs, source.zero, np.int64))
