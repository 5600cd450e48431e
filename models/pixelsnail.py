"""``pixelsnail``: gated residual blocks, and attention to all that was before.

Paper: Chen et al. 2017, "PixelSNAIL: an improved autoregressive generative model", section 2 and figure 3: residual
blocks of causal convolutions see what is near in full, an attention block after them sees all earlier positions, by
keys and values made of features, the samples and the position ("background"); both are joined by a gated block.

What it adds to ``pixelcnnpp``: attention in place of two streams and three scales. Where it differs: sizes are small;
convolutions may see what is above to the right (``kernel`` 3), which the paper leaves to many blocks of attention (with
2 the first one sees what the paper's two do: three samples above, and the one before); places are learnt features; keys
and values are linear in their sources; layers begin with even outputs, and a short-cut leads to the mixtures, as in
``pixelcnnpp``.

Train it with ``arcomp train --recipe pixelsnail-colour DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.errors import ModelError
from arcomp.layers.attention import KEY, Attention
from arcomp.layers.conv import Tap, square
from arcomp.layers.elu import ConcatELU
from arcomp.layers.position import PositionEmbedding
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.shift import Shift
from arcomp.layers.spec import Add, Conv, Requantize, Spec, linear
from arcomp.network.configuration import MixtureConfig
from arcomp.network.gated_resnet import SUMS, GatedResnet
from arcomp.network.layered import Layered
from arcomp.network.linear_skip import LinearSkipWiring
from arcomp.network.wiring import Run
from arcomp.orders import Order, Raster

RASTER = Raster()
TAPS: dict[int, tuple[Tap, ...]] = {2: tuple((dy, dx) for dy in (-1, 0) for dx in (-1, 0)), 3: square(3)}
"""Of residual blocks, by ``kernel``."""
FIRST: dict[int, tuple[Tap, ...]] = {2: ((-1, -1), (-1, 0), (-1, 1), (0, -1)), 3: square(5)[:-1]}
"""Of the samples."""
VALUE = 16
"""Features of a head's values."""


@dataclass(frozen=True)
class PixelSNAILConfig(MixtureConfig):
    """Shape of a network.

    Attributes:
        rows, columns: of the largest pictures.
        width: features.
        blocks: times residual blocks and attention. resnets: residual blocks in each.
        heads: of attention.
        dropout: percent.
        kernel: 2: convolutions as the paper has them, which see nothing of what is above to the right; 3: they do.
    """

    rows: int = setting(1, 64)
    columns: int = setting(1, 64)
    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    resnets: int = setting(1, 8)
    heads: int = setting(1, 16)
    dropout: int = setting(0, 90)
    kernel: int = setting(1, 64, default=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel not in TAPS:
            raise ModelError(f"a kernel of side {self.kernel}", remedy="set 2 or 3")

    @property
    def frame(self) -> tuple[int, int]:
        return self.rows, self.columns


class PixelSNAILWiring(LinearSkipWiring):
    """The network: figure 3 of the paper."""

    config: PixelSNAILConfig

    def resnet(self, block: int, i: int) -> GatedResnet:
        """The i-th residual block of a block."""
        return GatedResnet(f"resnet.{block}.{i}", TAPS[self.config.kernel], self.config.width, 0, self.config.dropout)

    def joining(self, block: int) -> GatedResnet:
        """What joins a block's convolutions and its attention."""
        return GatedResnet(f"both.{block}", ((0, 0),), self.config.width, 1, self.config.dropout)

    def layers(self) -> dict[str, Spec]:
        a, c, p = self.config, self.channels, self.config.width
        position_features = p // 2
        keys, values = a.heads * KEY, a.heads * VALUE
        found: dict[str, Spec] = {
            "first": Conv(FIRST[a.kernel], "B", 1, c, p, SIGNED8, SUMS, samples=True, data_dependent_init=True),
            "before": Shift(RASTER, c, SIGNED8, samples=True),
            "place": PositionEmbedding(a.rows, a.columns, position_features),
            "place.before": Shift(RASTER, position_features, SIGNED8),
        }
        for b in range(a.blocks):
            for i in range(a.resnets):
                found |= self.resnet(b, i).layers()
            found[f"kept.{b}"] = Requantize(1, SUMS, SIGNED8)
            found[f"past.{b}"] = Shift(RASTER, p, SIGNED8)
            for name, outputs in (("key", keys), ("value", values)):
                found[f"{name}.{b}.past"] = linear(
                    1, p, outputs, SIGNED8, SUMS, init_scale=0.4, data_dependent_init=True
                )
                found[f"{name}.{b}.samples"] = linear(
                    1, c, outputs, SIGNED8, SUMS, init_scale=0.4, data_dependent_init=True
                )
                found[f"{name}.{b}.place"] = linear(
                    1, position_features, outputs, SIGNED8, SUMS, init_scale=0.4, data_dependent_init=True
                )
                found[f"{name}.{b}.sum"] = Add(1, (SUMS,) * 3, SUMS)
                found[f"{name}.{b}"] = Requantize(1, SUMS, SIGNED8)
            found[f"query.{b}.here"] = linear(1, p, keys, SIGNED8, SUMS, data_dependent_init=True)
            found[f"query.{b}.place"] = linear(1, position_features, keys, SIGNED8, SUMS, data_dependent_init=True)
            found[f"query.{b}.sum"] = Add(1, (SUMS,) * 2, SUMS)
            found[f"query.{b}"] = Requantize(1, SUMS, SIGNED8)
            found[f"attention.{b}"] = Attention(RASTER, a.heads, VALUE)
            found[f"found.{b}"] = linear(1, values, p, SIGNED8, SUMS, data_dependent_init=True)
            found |= self.joining(b).layers()
        found["kept"] = Requantize(1, SUMS, SIGNED8)
        found["elu"] = ConcatELU()
        found |= self.linear_skip.layers()
        found["outputs"] = linear(1, 2 * p, c * a.head.outputs, SIGNED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        x, before, position = run("first", samples), run("before", samples), run("place", samples)
        position_before = run("place.before", position)
        for b in range(self.config.blocks):
            for i in range(self.config.resnets):
                x = self.resnet(b, i).forward(run, x)
            here = run(f"kept.{b}", x)
            past = run(f"past.{b}", here)
            key, value = (
                run(
                    f"{name}.{b}",
                    run(
                        f"{name}.{b}.sum",
                        run(f"{name}.{b}.past", past),
                        run(f"{name}.{b}.samples", before),
                        run(f"{name}.{b}.place", position_before),
                    ),
                )
                for name in ("key", "value")
            )
            query = run(
                f"query.{b}", run(f"query.{b}.sum", run(f"query.{b}.here", here), run(f"query.{b}.place", position))
            )
            x = self.joining(b).forward(run, x, run(f"found.{b}", run(f"attention.{b}", query, key, value)))
        return self.linear_skip.forward(run, run("outputs", run("elu", run("kept", x))), samples)


@register
class PixelSNAIL(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "pixelsnail"
    config_type = PixelSNAILConfig
    wiring_type = PixelSNAILWiring
    sequence: Order = RASTER
