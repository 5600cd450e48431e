"""``pixelcnnpp``: two streams of gated residual blocks over three scales, and a mixture of logistics.

Paper: Salimans et al. 2017, "PixelCNN++: improving the PixelCNN with discretized logistic mixture likelihood and other
modifications". Whole pixels are conditioned on whole pixels, and a mixture of logistics says how the channels of one
depend on each other (sections 2.1, 2.2); a downward and a down-rightward stream of blocks at full, half and quarter
size, and back, with short-cuts between blocks of the same size (2.3, 2.4, figure 2); dropout (2.5).

What it adds to ``gated_pixelcnn``: the mixture, the scales and the short-cuts. Where it differs: sizes are small;
up-sampling deals the outputs of a linear layer out; in place of weight normalisation, layers only begin with even
outputs (:func:`arcomp.network.definition.data_dependent_init`); a linear skip leads from the samples to the mixtures
(:mod:`arcomp.network.linear_skip`); see :class:`arcomp.network.likelihoods.Mixture` and
:class:`arcomp.network.gated_resnet.GatedResnet`.

Features of a quarter size position are computed when the first pixel of its square comes, a row of the downward stream
when the row begins. Train it with ``arcomp train --recipe pixelcnnpp-colour DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.conv import Tap
from arcomp.layers.depth_to_space import SIDE, DepthToSpace
from arcomp.layers.elu import ConcatELU
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spec import Conv, Requantize, Spec, linear
from arcomp.network.configuration import MixtureConfig
from arcomp.network.gated_resnet import SUMS, GatedResnet
from arcomp.network.layered import Layered
from arcomp.network.linear_skip import LinearSkipWiring
from arcomp.network.wiring import Run
from arcomp.orders import Order, Raster

SCALES = (1, 2, 4)
TAPS: dict[str, tuple[Tap, ...]] = {
    "down": tuple((dy, dx) for dy in (-1, 0) for dx in (-1, 0, 1)),
    "right": tuple((dy, dx) for dy in (-1, 0) for dx in (-1, 0)),
}
"""What the streams look at; of the downward one all of a row is known before the row's first sample."""
FIRST: dict[str, tuple[Tap, ...]] = {
    "down": tuple((dy, dx) for dy in (-2, -1) for dx in (-1, 0, 1)),
    "right": ((-1, -1), (-1, 0), (-1, 1), (0, -1)),
}
"""What of the samples."""


@dataclass(frozen=True)
class PixelCNNppConfig(MixtureConfig):
    """Shape of a network.

    Attributes:
        width: features of each stream.
        blocks: of each stream at each scale on the way down; on the way up as many, and one more at all but the last.
        dropout: percent.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    dropout: int = setting(0, 90)


class PixelCNNppWiring(LinearSkipWiring):
    """The network: figure 2 of the paper."""

    config: PixelCNNppConfig

    def block(self, stream: str, way: str, scale: int, i: int) -> GatedResnet:
        """The i-th block of a stream at a scale, on its way "in" (to smaller scales) or "out"."""
        short_cuts = (stream == "right") + (way == "out")
        a = self.config
        return GatedResnet(
            f"{stream}.{way}.{scale}.{i}", TAPS[stream], a.width, short_cuts, a.dropout, stream == "down", scale
        )

    def layers(self) -> dict[str, Spec]:
        a, p, outputs = self.config, self.config.width, self.channels * self.config.head.outputs
        found: dict[str, Spec] = {}
        for stream, taps in TAPS.items():
            row_level = stream == "down"
            found[f"{stream}.first"] = Conv(
                FIRST[stream],
                "B",
                1,
                self.channels,
                p,
                SIGNED8,
                SUMS,
                samples=True,
                row_level=row_level,
                data_dependent_init=True,
            )
            for scale in SCALES:
                for i in range(a.blocks):
                    found |= self.block(stream, "in", scale, i).layers()
                for i in range(a.blocks + (scale < SCALES[-1])):
                    found |= self.block(stream, "out", scale, i).layers()
            for scale in SCALES[:-1]:
                at: dict[str, Any] = {"row_level": row_level, "scale": scale}
                coarse: dict[str, Any] = {"row_level": row_level, "scale": SIDE * scale}
                found[f"{stream}.in.{scale}.kept"] = Requantize(1, SUMS, SIGNED8, **at)
                found[f"{stream}.in.{scale}"] = Conv(
                    taps, "B", 1, p, p, SIGNED8, SUMS, stride=SIDE, **at, data_dependent_init=True
                )
                found[f"{stream}.out.{scale}.kept"] = Requantize(1, SUMS, SIGNED8, **coarse)
                found[f"{stream}.out.{scale}.all"] = linear(
                    1, p, SIDE * SIDE * p, SIGNED8, SUMS, **coarse, data_dependent_init=True
                )
                found[f"{stream}.out.{scale}"] = DepthToSpace(p, SUMS, **at)
        found["kept"] = Requantize(1, SUMS, SIGNED8)
        found["elu"] = ConcatELU()
        found |= self.linear_skip.layers()
        found["outputs"] = linear(1, 2 * p, outputs, SIGNED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        down, right = [run("down.first", samples)], [run("right.first", samples)]
        for scale in SCALES:
            for i in range(self.config.blocks):
                down.append(self.block("down", "in", scale, i).forward(run, down[-1]))
                right.append(self.block("right", "in", scale, i).forward(run, right[-1], down[-1]))
            if scale < SCALES[-1]:
                for stream, past in (("down", down), ("right", right)):
                    past.append(run(f"{stream}.in.{scale}", run(f"{stream}.in.{scale}.kept", past[-1])))
        u, v = down.pop(), right.pop()
        for scale in reversed(SCALES):
            if scale < SCALES[-1]:
                u, v = (
                    run(name, run(f"{name}.all", run(f"{name}.kept", x)), past[-1])
                    for name, x, past in ((f"down.out.{scale}", u, down), (f"right.out.{scale}", v, right))
                )
            for i in range(self.config.blocks + (scale < SCALES[-1])):
                u = self.block("down", "out", scale, i).forward(run, u, down.pop())
                v = self.block("right", "out", scale, i).forward(run, v, u, right.pop())
        return self.linear_skip.forward(run, run("outputs", run("elu", run("kept", v))), samples)


@register
class PixelCNNpp(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "pixelcnnpp"
    config_type = PixelCNNppConfig
    wiring_type = PixelCNNppWiring
    sequence: Order = Raster()
