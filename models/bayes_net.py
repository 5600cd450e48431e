"""``bayes_net``: the textbook's fully visible belief network, each conditional a small network of its own.

Papers: Frey, Hinton and Dayan 1996 ("Does the wake-sleep algorithm produce good density estimators?") with logistic
regressions, Bengio and Bengio 2000 ("Modeling high-dimensional discrete data with multi-layer neural networks") with
hidden units: p(x) = product of p(x_i | x_1 .. x_{i-1}), p(x_1) a histogram (its network sees nothing but a bias) and
each other factor a network of its own on all samples before, with `width` hidden units (of one, a logistic regression).

What it adds to ``histogram``: dependence. Nothing is shared between positions, so that parameters grow with the square
of the number of samples and each is taught by one position alone: that is what the models after it on the ladder mend.
It takes pictures of one size, or tiles of it.

Train it with ``arcomp train --recipe bayes_net-digits DATA``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.dense import Dense
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spec import Spec
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.likelihoods import Ensemble
from arcomp.network.wiring import Floats, Run, Wiring
from arcomp.orders import Order, Raster

INIT_SCALE = 0.1
"""How large hidden units' weights are before training, beside those of other layers."""


@dataclass(frozen=True)
class BayesNetConfig(LayeredConfig):
    """Shape of the network.

    Attributes:
        rows, columns: of the pictures it takes.
        width: hidden units of each sample's own network, linear up to where they are clamped: of so few, none
            should be lost, as one can be that is rectified.
    """

    rows: int = setting(1, 64)
    columns: int = setting(1, 64)
    width: int = setting(1, 512)

    @property
    def frame(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def head(self) -> Ensemble:
        """Of a single member: one logit of two, as in a logistic regression."""
        return Ensemble(self.depth, 1)


class BayesNetWiring(Wiring):
    """A network of two layers for each sample."""

    config: BayesNetConfig

    def layers(self) -> dict[str, Spec]:
        a, c = self.config, self.channels
        return {
            "hidden": Dense(a.rows, a.columns, c, 1, a.width, SIGNED8, SIGNED8),
            "logits": Dense(a.rows, a.columns, c, a.width, a.head.outputs, SIGNED8, LOGITS, local=True),
        }

    def init(self, weights: Callable[[str], Floats]) -> None:
        """Hidden units begin with little weight, where they are not yet clamped."""
        weights("hidden")[:] *= INIT_SCALE

    def forward(self, run: Run, samples: Any) -> Any:
        return run("logits", run("hidden", samples))


@register
class BayesNet(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "bayes_net"
    config_type = BayesNetConfig
    wiring_type = BayesNetWiring
    sequence: Order = Raster()
