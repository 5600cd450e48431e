"""``multiscale_pixelcnn``: groups of pixels decoded together, in O(log N) fronts.

Paper: Reed et al. 2017, "Parallel multiscale autoregressive density estimation", section 3 and figures 2 and 3: a
picture of 4 x 4 by a small PixelCNN; then each time twice the sides, by three networks: what is to the right of the
known pixels given these, what is below given both, what is across given all three. Pixels of a group are taken as
independent given the groups before, so that a group is one front.

What it adds to ``pixelcnn``: speed, and a look at all sides of a pixel; what it costs are the dependences within a
group. Where it differs: one set of three networks serves all levels, so that pictures of any size have any number of
them; a mixture of logistics says how channels depend on each other, in place of a PixelCNN over channels or patches;
blocks are those of ``pixelcnnpp``.

Train it with ``arcomp train --recipe multiscale_pixelcnn-colour DATA``.
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
from arcomp.orders import Multiscale, Pass, Passes

BASE = 4
"""Side of the largest pictures that have no coarser level."""
BETWEEN: dict[str, dict[tuple[int, Tap], float]] = {
    "right": dict.fromkeys([(0, (0, 0)), (0, (0, 1))], 1 / 2),
    "below": dict.fromkeys([(0, (0, 0)), (0, (1, 0))], 1 / 2),
    "across": dict.fromkeys([(1, (0, 0)), (1, (1, 0)), (2, (0, 0)), (2, (0, 1))], 1 / 4),
}
"""What means begin as: the mean of the nearest known pixels, by which of a square's they are, and of which square."""


@register
class MultiscalePixelCNN(Staged):
    """The model; see the top of this file."""

    name: ClassVar[str] = "multiscale_pixelcnn"
    config_type = StackConfig
    sequence: Passes = Multiscale(BASE)
    side: ClassVar[int] = 256

    @classmethod
    def wirings(cls, config: StackConfig) -> dict[str, Wiring]:
        outputs, size = config.channels * config.head.outputs, (config, config.width, config.blocks)
        found: dict[str, Wiring] = {f"base.{CAUSAL}.": Causal(*size, outputs, conditioned=False)}
        for i, (name, _, _) in enumerate(Multiscale.NEW):
            planes = (i + 1) * (config.channels + 1)
            found[f"{name}.{AROUND}."] = Around(*size, outputs, planes, BETWEEN[name])
        return found

    @classmethod
    def known(cls, one: Pass, samples: Array, view: Array | None) -> Array:
        """Of each square of four pixels those that are known."""
        half = int(one.lattice.step[0]) // 2
        earlier = [(0, 0)]
        for name, y, x in Multiscale.NEW:
            if name == one.name:
                break
            earlier.append((y, x))
        lattice = one.lattice
        planes = [lattice.beside(samples, half * y - lattice.y, half * x - lattice.x) for y, x in earlier]
        return backend_of(samples).concat(planes, 3)
