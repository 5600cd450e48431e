"""Features that are known beforehand (:mod:`arcomp.layers.conditioning`), in float."""

from __future__ import annotations

import torch

from arcomp.layers.conditioning import Conditioning
from arcomp.layers.float.layer import FloatLayer


class FloatConditioning(FloatLayer):
    """Those of the features that the layer has."""

    def __init__(self, spec: Conditioning) -> None:
        super().__init__()
        self.part = spec.part

    def forward(self, features: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        return features[..., self.part]
