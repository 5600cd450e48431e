"""``made``: one masked network that gives all conditionals at once.

Paper: Germain et al. 2015, "MADE: masked autoencoder for distribution estimation", sections 3 and 4: hidden units have
a degree, and weights are masked so that a unit sees only units and samples of lower or equal degree, outputs only
those of lower degree; outputs also see the samples directly (section 4.3, "direct connections").

What it adds to ``bayes_net``: hidden units are shared by the conditionals of all later samples. Where it differs:
degrees are even, with ``width`` units for each sample in the natural order; one mask. It takes pictures of one size,
or tiles of it.

Train it with ``arcomp train --recipe made-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.layers.dense import Dense
from arcomp.layers.grid import LOGITS, RECTIFIED8, SIGNED8
from arcomp.layers.network import Run, Wiring
from arcomp.layers.spec import Add, Spec
from arcomp.models.layered import Layered, LayeredConfig
from arcomp.orders import Order, Raster


@dataclass(frozen=True)
class MADEConfig(LayeredConfig):
    """Shape of the network.

    Attributes:
        rows, columns: of the pictures it takes.
        width: hidden units of each degree, in each layer.
        blocks: hidden layers.
    """

    rows: int
    columns: int
    width: int
    blocks: int


class MADEWiring(Wiring):
    """Masked layers; the first sees samples before, and so do all after it."""

    config: MADEConfig

    def layers(self) -> dict[str, Spec]:
        """See :meth:`Wiring.layers`."""
        a, c, h = self.config, self.channels, self.config.width
        levels = 1 << a.depth
        found: dict[str, Spec] = {
            "hidden.0": Dense(a.rows, a.columns, "A", c, 1, h, SIGNED8, RECTIFIED8, samples=True),
            "direct": Dense(a.rows, a.columns, "A", c, 1, levels, SIGNED8, LOGITS, samples=True),
        }
        for i in range(1, a.blocks):
            found[f"hidden.{i}"] = Dense(a.rows, a.columns, "B", c, h, h, RECTIFIED8, RECTIFIED8)
        found["out"] = Dense(a.rows, a.columns, "B", c, h, levels, RECTIFIED8, LOGITS)
        found["logits"] = Add(c, (LOGITS, LOGITS), LOGITS)
        return found

    def join(self, run: Run, samples: Any) -> Any:
        """See :meth:`Wiring.join`."""
        x = run("hidden.0", samples)
        for i in range(1, self.config.blocks):
            x = run(f"hidden.{i}", x)
        return run("logits", run("direct", samples), run("out", x))


class MADE(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "made"
    config_type = MADEConfig
    wiring_type = MADEWiring
    sequence: Order = Raster()
