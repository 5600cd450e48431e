"""Bits of samples in float, given a network's outputs; and how the layer that makes these begins.

One function for each kind of distribution of :mod:`arcomp.network.likelihoods`.
"""

from __future__ import annotations

import math
from functools import singledispatch

import torch
from torch.nn import functional

from arcomp.layers.float.linear import Linear
from arcomp.layers.float.mixture import mixture_bits
from arcomp.layers.mixture import LOG_SCALE_RANGE
from arcomp.network.likelihoods import FOLLOW, Ensemble, Head, Mixture, Softmax


@singledispatch
def bits(head: Head, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Bits of samples: float [n, C, outputs], uint8 [n, C] -> float [n, C]."""
    raise NotImplementedError(f"{type(head).__name__} has no float evaluation")


@singledispatch
def init(head: Head, last: Linear) -> None:
    """Begin training well: the layer that makes the outputs of all channels."""


@init.register
def _(head: Softmax, last: Linear) -> None:
    """All levels about equally likely."""
    with torch.no_grad():
        last.weight *= 0.1


@bits.register
def _(head: Softmax, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    nats = functional.cross_entropy(outputs.flatten(0, 1), values.flatten().long(), reduction="none")
    return nats.reshape(values.shape) / math.log(2)


@bits.register
def _(head: Ensemble, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """In training, outputs may be those of fewer members."""
    members = outputs.reshape(*values.shape, -1, (1 << head.depth) - 1)
    logits = functional.pad(members, (1, 0))
    picked = logits.gather(3, values.long()[..., None, None].expand(-1, -1, logits.shape[2], 1))[..., 0]
    nats = picked - torch.logsumexp(logits, 3)
    return (math.log(nats.shape[2]) - torch.logsumexp(nats, 2)) / math.log(2)


@init.register
def _(head: Mixture, last: Linear) -> None:
    """Components of several widths around one mean, which comes over :mod:`arcomp.network.linear_skip`."""
    k = head.components
    with torch.no_grad():
        last.weight *= 0.1
        bias = last.bias.view(-1, head.outputs)
        bias[:, 2 * k : 3 * k] = torch.linspace(-2.0, 0.0, k) if k > 1 else -1.0
        for c in range(1, head.channels):
            bias[c, 3 * k + c - 1] = FOLLOW


@bits.register
def _(head: Mixture, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    k, middle, unit = head.components, head.middle / 16, head.unit / 256
    x = values.float()
    bits = []
    for c in range(head.channels):
        z = outputs[:, c]
        means = middle + unit * z[:, k : 2 * k]
        if c:
            shift = (z[:, 3 * k : 3 * k + c] * (x[:, :c] - middle)).sum(1, keepdim=True)
            means = means + shift
        scales = 0.5 * unit * torch.exp(z[:, 2 * k : 3 * k].clamp(*LOG_SCALE_RANGE))
        bits.append(mixture_bits(x[:, c], z[:, :k], means, scales, head.depth))
    return torch.stack(bits, 1)
