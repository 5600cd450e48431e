"""The configuration of one network of ``context``."""

from __future__ import annotations

from dataclasses import dataclass

from arcomp.contract.settings import choice, setting
from arcomp.models.context import inputs as context_inputs

CODING_ORDER = {1: (0,), 3: (1, 0, 2)}
"""Channels in the order they are coded: green first, since it tells most of the others."""


@dataclass(frozen=True)
class ContextConfig:
    """Shape of one network.

    Attributes:
        channels: 1 or 3.
        trunk: widths of the layers that all channels share.
        head: width of each channel's own hidden layer.
        mixture: components K of each channel's mixture.
        skew: of the wavefront it is decoded in.
    """

    channels: int = choice(*CODING_ORDER)
    trunk: tuple[int, ...] = setting(1, 4096, count=8, default=(192, 128, 128))
    head: int = setting(1, 4096, default=64)
    mixture: int = setting(1, 16, default=4)
    skew: int = setting(context_inputs.SKEW, 64, default=context_inputs.SKEW)

    def extras(self, channel: int) -> int:
        """What a head has as inputs besides the trunk's output: two numbers for each earlier channel."""
        return 2 * channel

    def outputs(self, channel: int) -> int:
        """Length of a head's output: K logits, K offsets, K log scales, a gate for each earlier channel."""
        return 3 * self.mixture + channel
