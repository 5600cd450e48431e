"""``subscale``: a picture as interleaved slices, one after the other.

Paper: Menick and Kalchbrenner 2018, "Generating high fidelity images with subscale pixel networks and multidimensional
upscaling", sections 3.1 and 3.2: every so many rows and columns are a slice, a small picture; slices come in raster
order of their offsets, each in raster order, by one decoder, which is given what an embedding network makes of the
slices before. These lie where they are relative to the slice to come; where there is none yet, nothing.

What it adds to ``pixelcnnpp``: what is far away in the picture is near in a slice, and later slices see all sides of a
pixel. Where it differs: 2 x 2 slices; no attention in the decoder, and no upscaling in depth; the first slice, which
has no other to look at, has a decoder of its own; for the others the embedding network makes a draft of the
distributions besides, as ``multiscale_pixelcnn`` does; a plane for each says which slices are there.

Train it with ``arcomp train --recipe subscale-colour DATA``.
"""

from __future__ import annotations

from typing import ClassVar

from arcomp.contract.registry import register
from arcomp.exact.arrays import Array
from arcomp.exact.devices import backend_of
from arcomp.layers.conv import Tap
from arcomp.network.stacks import Around, Causal, StackConfig
from arcomp.network.staged import AROUND, CAUSAL, Staged
from arcomp.network.wiring import Wiring
from arcomp.orders import Pass, Passes, Subscale

STEP = 2
EARLIER = tuple((dy, dx) for dy in range(1 - STEP, 1) for dx in range(1 - STEP, STEP) if (dy, dx) < (0, 0))
"""Where earlier slices are relative to a slice, at the most."""
SIDES: dict[tuple[int, int], dict[Tap, float]] = {
    (0, -1): dict.fromkeys([(0, 0), (0, 1)], 1 / 2),
    (-1, 0): dict.fromkeys([(0, 0), (1, 0)], 1 / 2),
    (-1, -1): dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], -1 / 4),
}
"""What means begin as, by earlier slice: the mean of left and right, the mean of above and below, or, where both are
known, their sum less the mean of the corners."""


@register
class SubscalePixelNetwork(Staged):
    """The model; see the top of this file."""

    name: ClassVar[str] = "subscale"
    config_type = StackConfig
    sequence: Passes = Subscale(STEP)

    @classmethod
    def wirings(cls, config: StackConfig) -> dict[str, Wiring]:
        size, outputs = (config, config.width, config.blocks), config.channels * config.head.outputs
        planes = len(EARLIER) * (config.channels + 1)
        start = {(EARLIER.index(at), tap): part for at, taps in SIDES.items() for tap, part in taps.items()}
        return {
            f"first.{CAUSAL}.": Causal(*size, outputs, conditioned=False),
            f"later.{AROUND}.": Around(*size, outputs + config.width, planes, start),
            f"later.{CAUSAL}.": Causal(*size, outputs, conditioned=True, draft=True),
        }

    @classmethod
    def known(cls, one: Pass, samples: Array, view: Array | None) -> Array:
        """The slices before."""
        lattice = one.lattice
        there = [lattice.y + dy >= 0 and 0 <= lattice.x + dx < STEP for dy, dx in EARLIER]
        planes = [lattice.beside(samples, dy, dx) for dy, dx in EARLIER]
        return backend_of(samples).concat([plane * is_there for plane, is_there in zip(planes, there, strict=True)], 3)
