"""``context``: a multilayer perceptron on each pixel's causal neighbourhood.

Paper: the idea of a small network on a causal template goes back to Bengio and Bengio 2000 ("Modeling
high-dimensional discrete data with multi-layer neural networks") and, for pictures, to Theis and Bethge 2015
(MCGSM, "Generative image modeling using spatial LSTMs", section 2.1); the output is PixelCNN++'s mixture of discretised
logistics with later channels conditioned on earlier ones (Salimans et al. 2017, sections 2.1 and 2.2).

What it adds to ``histogram``: the neighbourhood. Where it differs from its sources: inputs are differences to
an adaptive base in units of an adaptive scale (:mod:`arcomp.models.context.inputs`), so that one small
network serves dark and bright, flat and busy regions alike.

Train it with ``arcomp train --recipe context-rgb DATA`` (and ``context-gray``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.layers.float.linear import Linear
from arcomp.layers.float.mixture import mixture_bits
from arcomp.layers.mixture import LOG_SCALE_RANGE
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8
from arcomp.models.context import inputs as context_inputs
from arcomp.models.context.config import CODING_ORDER, ContextConfig


class Context(nn.Module):
    """The float evaluation."""

    def __init__(self, config: ContextConfig) -> None:
        super().__init__()
        self.config = config
        widths = (context_inputs.inputs(config.channels), *config.trunk)
        self.trunk = nn.ModuleList(Linear(a, b, RECTIFIED8) for a, b in pairwise(widths))
        self.hidden = nn.ModuleList(Linear(widths[-1] + 2 * c, config.head, RECTIFIED8) for c in range(config.channels))
        self.heads = nn.ModuleList(Linear(config.head, config.outputs(c), LOGITS) for c in range(config.channels))
        k = config.mixture
        with torch.no_grad():
            for head in self.heads:
                assert isinstance(head, Linear)
                head.weight *= 0.3
                head.bias[k : 2 * k] = torch.linspace(-0.2, 0.2, k)
                head.bias[2 * k : 3 * k] = torch.linspace(-1.5, 1.0, k)

    def bits(
        self,
        inputs: torch.Tensor,
        extras: torch.Tensor,
        values: torch.Tensor,
        base: torch.Tensor,
        scale: torch.Tensor,
        rounding: bool = False,
    ) -> torch.Tensor:
        """Bits of each channel of n pixels.

        Args:
            inputs: int8 [n, inputs]. extras: int8 [n, extras]. values: [n, C], levels.
            base: int [n, C] in Q4. scale: int [n, C] in Q8.
            rounding: evaluate as frozen (weights and activations quantised).

        Returns:
            float [n, C].
        """
        h = inputs.float() * SIGNED8.step
        for layer in self.trunk:
            h = layer(h, rounding)
        e = extras.float() * SIGNED8.step
        x, b, s = values.float(), base.float() / 16, scale.float() / 256
        bits = []
        at = 0
        k = self.config.mixture
        for c in range(self.config.channels):
            z = self.hidden[c](torch.cat([h, e[:, at : at + 2 * c]], 1), rounding)
            at += 2 * c
            z = self.heads[c](z, rounding)
            means = b[:, c : c + 1] + s[:, c : c + 1] * z[:, k : 2 * k]
            if c:
                means = means + (z[:, 3 * k :] * (x[:, :c] - b[:, :c])).sum(1, keepdim=True)
            scales = 0.5 * s[:, c : c + 1] * torch.exp(z[:, 2 * k : 3 * k].clamp(*LOG_SCALE_RANGE))
            bits.append(mixture_bits(x[:, c], z[:, :k], means, scales))
        return torch.stack(bits, 1)

    def prepare(self, crops: list[npt.NDArray[np.uint8]]) -> None:
        """Nothing is taken from pictures before training."""

    def adopt(self, other: Context) -> None:
        """Not offered for this model."""
        raise ValueError("its network has another shape, and this model cannot grow")

    def examples(self, pixels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        """All positions of a picture (uint8 [H, W, C]), in raster order, as arguments of :meth:`bits`."""
        coded = np.ascontiguousarray(pixels[..., list(CODING_ORDER[pixels.shape[2]])]).astype(np.int32)
        seen = context_inputs.extract_features(coded)
        extras = context_inputs.all_extras(coded.reshape(-1, coded.shape[2]), seen.base, seen.scale)
        return {
            "inputs": seen.inputs,
            "extras": extras,
            "values": coded.reshape(-1, coded.shape[2]).astype(np.uint8),
            "base": seen.base.astype(np.int16),
            "scale": seen.scale,
        }
