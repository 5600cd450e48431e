"""Causal attention (:mod:`arcomp.layers.attention`) in float."""

from __future__ import annotations

import torch
from torch.nn import functional

from arcomp.layers.attention import Attention
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.rounding import carry
from arcomp.layers.shift import whole_batch
from arcomp.orders import sequences


class FloatAttention(FloatLayer):
    """By torch's scaled dot products; positions are brought into the order's sequence before, and back after."""

    def __init__(self, spec: Attention) -> None:
        super().__init__()
        self.spec = spec

    def forward(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rounding: bool = False
    ) -> torch.Tensor:
        places, heads = sequences(self.spec.order, whole_batch(query.shape)), self.spec.heads

        def parted(x: torch.Tensor) -> torch.Tensor:
            """[N, H, W, heads F] -> [N, heads, P, F]."""
            inside: torch.Tensor = places.gathered(x)
            return inside.reshape(*inside.shape[:2], heads, -1).transpose(1, 2).contiguous()

        found = functional.scaled_dot_product_attention(parted(query), parted(key), parted(value), is_causal=True)
        return carry(places.scattered(found.transpose(1, 2).flatten(2)), self.spec.quantisation, rounding)
