"""Stacks of gated residual blocks: what the models that break the raster order are made of.

One looks around, at what was decoded earlier; its outputs stand for distributions, or are features that a causal stack
is given at every block, as over a short-cut of ``pixelcnnpp``, or both: a draft of the distributions, to which the
causal stack adds what it makes of the samples that came since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arcomp.contract.settings import setting
from arcomp.layers.conditioning import Conditioning
from arcomp.layers.conv import Tap, full, square
from arcomp.layers.elu import ConcatELU
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spec import Add, Conv, Requantize, Spec, linear
from arcomp.network.configuration import LayeredConfig, MixtureConfig
from arcomp.network.gated_resnet import SUMS, GatedResnet
from arcomp.network.linear_skip import PLANE, LinearSkip, causal
from arcomp.network.wiring import Floats, Run, Wiring

FIRST, INNER = 5, 3
"""Sides of the first convolutions and of those in blocks."""


@dataclass(frozen=True)
class StackConfig(MixtureConfig):
    """Shape of the stacks.

    Attributes:
        width: features. blocks: of each stack.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)


class _Stack(Wiring):
    linear_skip: LinearSkip | None = None
    """Its short-cut, if its outputs stand for distributions."""

    def __init__(self, config: LayeredConfig, width: int, blocks: int, outputs: int) -> None:
        super().__init__(config)
        self.width, self.blocks, self.outputs = width, blocks, outputs

    def last(self) -> dict[str, Spec]:
        """The layers that make the outputs."""
        linear_skip = self.linear_skip.layers() if self.linear_skip else {}
        return {
            "kept": Requantize(1, SUMS, SIGNED8),
            "elu": ConcatELU(),
            **linear_skip,
            "outputs": linear(1, 2 * self.width, self.outputs, SIGNED8, LOGITS),
        }

    def init(self, weights: Callable[[str], Floats]) -> None:
        if self.linear_skip:
            self.linear_skip.init(weights)

    def end(self, run: Run, x: Any, samples: Any) -> Any:
        """The outputs."""
        made = run("outputs", run("elu", run("kept", x)))
        return self.linear_skip.forward(run, made, samples) if self.linear_skip else made


class Around(_Stack):
    """A stack that sees samples on all sides; it is evaluated in parallel only.

    Args:
        config, width, blocks, outputs: of the stack. planes: features of its input, quantised as SIGNED8.
        start: of outputs that stand for distributions, the first ones: what these begin as
            (:attr:`arcomp.network.linear_skip.LinearSkip.start`).
    """

    def __init__(
        self,
        config: LayeredConfig,
        width: int,
        blocks: int,
        outputs: int,
        planes: int,
        start: Mapping[tuple[int, Tap], float] | None = None,
    ) -> None:
        super().__init__(config, width, blocks, outputs)
        self.planes = planes
        if start is not None:
            more = outputs - config.channels * config.head.outputs
            self.linear_skip = LinearSkip(
                config.head, config.channels, planes, config.channels + 1, full(INNER), start, more=more
            )

    def init(self, weights: Callable[[str], Floats]) -> None:
        super().init(weights)
        if self.linear_skip and self.linear_skip.more:  # a draft begins as little as the outputs that it is added to
            weights("outputs")[: -self.linear_skip.more] *= 0.1

    def block(self, i: int) -> GatedResnet:
        """The i-th block."""
        return GatedResnet(f"block.{i}", full(INNER), self.width)

    def layers(self) -> dict[str, Spec]:
        found: dict[str, Spec] = {
            "first": Conv(
                full(FIRST), "B", 1, self.planes, self.width, SIGNED8, SUMS, samples=True, data_dependent_init=True
            )
        }
        for i in range(self.blocks):
            found |= self.block(i).layers()
        return found | self.last()

    def forward(self, run: Run, samples: Any) -> Any:
        """The network; ``samples``: the input."""
        x = run("first", samples)
        for i in range(self.blocks):
            x = self.block(i).forward(run, x)
        return self.end(run, x, samples)


class Causal(_Stack):
    """A causal stack: it sees the samples before a position.

    Args:
        config, width, blocks: of the stack. outputs: of a position. conditioned: whether it is given features, as
            many as its own. draft: whether it is given a draft of its outputs, before those.
    """

    def __init__(
        self, config: LayeredConfig, width: int, blocks: int, outputs: int, conditioned: bool, draft: bool = False
    ) -> None:
        super().__init__(config, width, blocks, outputs)
        self.conditioned, self.draft = conditioned, draft
        self.linear_skip = causal(config.head, config.channels, {} if draft else PLANE)

    def block(self, i: int) -> GatedResnet:
        """The i-th block."""
        return GatedResnet(f"block.{i}", square(INNER), self.width, int(self.conditioned))

    def layers(self) -> dict[str, Spec]:
        before = square(FIRST)[:-1]
        found: dict[str, Spec] = {
            "first": Conv(
                before, "B", 1, self.channels, self.width, SIGNED8, SUMS, samples=True, data_dependent_init=True
            )
        }
        if self.conditioned:
            found["given"] = Conditioning(self.width, SUMS, self.outputs if self.draft else 0)
        for i in range(self.blocks):
            found |= self.block(i).layers()
        if self.draft:
            found |= {"draft": Conditioning(self.outputs, LOGITS), "sum.draft": Add(1, (LOGITS, LOGITS), LOGITS)}
        return found | self.last()

    def forward(self, run: Run, samples: Any) -> Any:
        x = run("first", samples)
        conditioning = (run("given"),) if self.conditioned else ()
        for i in range(self.blocks):
            x = self.block(i).forward(run, x, *conditioning)
        made = self.end(run, x, samples)
        return run("sum.draft", made, run("draft")) if self.draft else made
