"""``made``: one masked network that gives all conditionals at once.

Paper: Germain et al. 2015, "MADE: masked autoencoder for distribution estimation": hidden units have a degree, drawn at
random; weights are masked so that a unit sees only samples and units of its degree or lower ones, and outputs only
units of lower degrees than theirs (section 3), and samples before them directly. In training the next one of several
masks is laid over the weights in each step (4.2, "connectivity-agnostic training"), and the prediction is the mean of
those under all masks.

What it adds to ``bayes_net``: hidden units are shared by the conditionals of all later samples. Where it differs: all
masks are of one order, natural or random. The paper's ensemble over orders (4.1) is a mean of joint probabilities,
p(x) = mean of p_o(x), whose conditionals in one order no network gives; a coder codes sample after sample, with the
mean of each sample's probabilities. Of each sample's logits the first is 0, so that a binary one takes one output.
Sizes are small: weights have 8 bits, and a file of them less than 1.5 MiB. It takes pictures of one size, or tiles of
it.

Train it with ``arcomp train --recipe made-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.masked import Masked
from arcomp.layers.spec import Spec
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.likelihoods import Ensemble
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Raster, Shuffled

NATURAL = Raster()


@dataclass(frozen=True)
class MADEConfig(LayeredConfig):
    """Shape of the network.

    Attributes:
        rows, columns: of the pictures it takes.
        width: hidden units of a layer. blocks: hidden layers.
        masks: how many are averaged. degrees: the seed of those of their units.
        direct: whether there are direct connections (0 or 1).
        order: 0: natural (row by row); else the seed of a random one.
    """

    rows: int = setting(1, 64)
    columns: int = setting(1, 64)
    width: int = setting(1, 4096)
    blocks: int = setting(1, 64)
    masks: int = setting(1, 32)
    degrees: int = setting(0, 65535)
    direct: int = setting(0, 1)
    order: int = setting(0, 65535)

    @property
    def frame(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def head(self) -> Ensemble:
        return Ensemble(self.depth, self.masks)

    @property
    def sequence(self) -> Order:
        """The order of a picture."""
        return Shuffled(self.order) if self.order else NATURAL


class MADEWiring(Wiring):
    """The masked network is one layer: its hidden units belong to no position."""

    config: MADEConfig

    def layers(self) -> dict[str, Spec]:
        a = self.config
        size, each = (a.rows, a.columns, self.channels), (1 << a.depth) - 1
        return {"net": Masked(a.sequence, *size, a.width, a.blocks, each, a.masks, a.degrees, bool(a.direct))}

    def forward(self, run: Run, samples: Any) -> Any:
        return run("net", samples)


@register
class MADE(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "made"
    config_type = MADEConfig
    wiring_type = MADEWiring
