"""Bits of samples under a mixture of discretised logistics, in float: what training minimises.

Salimans et al. 2017, "PixelCNN++", section 2.1. Its exact twin is :func:`arcomp.layers.mixture.mixture_of`.
"""

from __future__ import annotations

import torch

from arcomp.layers.mixture import MIN_SCALE


def mixture_bits(
    x: torch.Tensor,
    logits: torch.Tensor,
    means: torch.Tensor,
    scales: torch.Tensor,
    depth: int = 8,
) -> torch.Tensor:
    """Bits that the levels x cost.

    Args:
        x: float [n], levels 0 .. 2**depth - 1.
        logits, means, scales: float [n, K]; means and scales in levels.

    Returns:
        float [n]. Every level has the mass 2**-24 besides (2**-16 over the alphabet for depth 8), as in the exact twin.
    """
    levels = 1 << depth
    x = x[:, None]
    inverse = 1.0 / scales.clamp_min(MIN_SCALE)
    above = (x + 0.5 - means) * inverse
    below = (x - 0.5 - means) * inverse
    # A difference of two sigmoids near 1 loses all digits: mirror it to the lower tail.
    flip = torch.where(above + below > 0, -1.0, 1.0)
    above, below = torch.where(flip > 0, above, -below), torch.where(flip > 0, below, -above)
    upper = torch.sigmoid(above)
    lower = torch.sigmoid(below)
    mass = upper - lower
    mass = torch.where(x < 0.5, torch.sigmoid((x + 0.5 - means) * inverse), mass)
    mass = torch.where(x > levels - 1.5, torch.sigmoid((means - x + 0.5) * inverse), mass)
    p = (torch.softmax(logits, 1) * mass).sum(1)
    floor = 2.0 ** (max(0, 12 - depth) - 28)
    return -torch.log2(p * (1 - levels * floor) + floor)
