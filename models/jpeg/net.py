"""``jpeg``: the quantised DCT coefficients of JPEG files, predicted by a small network and by what was counted.

Recompressing JPEG files is as old as Ziv and Lempel's followers (packJPG, Lepton, brunsli, PAQ's model of JPEG); all
of them count under contexts made by hand. Here a multilayer perceptron sees what those contexts are made of: the same
coefficient in the blocks around, the coefficients of its own block that are coded already, what the samples at the
borders to the blocks above and to the left say (as in PAQ8's and Lepton's edge predictions), and for chroma the luma
at the same place. Its output is PixelCNN++'s mixture of discretised logistics (Salimans et al. 2017, section 2.1) and a
mass at zero; a second perceptron says where a block ends. The mixing stage is that of Mahoney's PAQ
(:mod:`arcomp.coding.mixing`), on top of both.

Train it with ``arcomp train --recipe jpeg-balanced DATA`` (``-fast``, ``-max``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.layers.float.linear import Linear, freeze_linear, rounded, weight_steps
from arcomp.layers.float.rounding import carry
from arcomp.layers.frozen import Arrays
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8
from arcomp.models.jpeg.config import JpegConfig
from arcomp.models.jpeg.exact import COMPONENTS, widths
from arcomp.models.jpeg.planes import PLACES

_FLOOR = 2.0**-22
"""Of a probability: what the coder's decisions leave to every value."""


class PlacedLinear(Linear):
    """A linear layer with biases for every place in the order of coefficients."""

    def __init__(self, inputs: int, outputs: int, last: bool) -> None:
        super().__init__(inputs, outputs, LOGITS if last else RECTIFIED8)
        self.places = nn.Parameter(torch.zeros(PLACES, outputs))

    def at(self, x: torch.Tensor, place: torch.Tensor, rounding: bool) -> torch.Tensor:
        """As :meth:`forward`, each example at its place."""
        weight = rounded(self.weight, self.limit) if rounding else self.weight
        made = functional.linear(x, weight, self.bias) + functional.embedding(place, self.places)
        return carry(made, self.quantisation, rounding)


def _coefficient_layers(own: list[tuple[int, int]]) -> nn.ModuleList:
    return nn.ModuleList(
        [PlacedLinear(*own[0], last=False), Linear(*own[1], RECTIFIED8), PlacedLinear(*own[2], last=True)]
    )


class Jpeg(nn.Module):
    """The float evaluation of all networks."""

    def __init__(self, config: JpegConfig) -> None:
        super().__init__()
        self.config = config
        shapes = {name: list(pairwise(own)) for name, own in widths(config).items()}
        self.coefficient = _coefficient_layers(shapes["coefficient"])
        self.end = nn.ModuleList(
            Linear(a, b, LOGITS if i == 2 else RECTIFIED8) for i, (a, b) in enumerate(shapes["end"])
        )
        self.second = _coefficient_layers(shapes["second"]) if config.second else None
        with torch.no_grad():
            for layers in (self.coefficient, self.end, *([] if self.second is None else [self.second])):
                first, last = layers[0], layers[2]
                assert isinstance(first, Linear)
                assert isinstance(last, Linear)
                first.weight *= 1.5
                last.weight *= 0.3
                if isinstance(last, PlacedLinear):
                    last.bias[COMPONENTS : 2 * COMPONENTS] = torch.tensor([-1.0, 0.0, 1.5])
                    last.bias[-1] = -1.0

    def prepare(self, crops: list[npt.NDArray[np.uint8]]) -> None:
        """Nothing is taken from the data but what is trained."""

    def adopt(self, other: Jpeg) -> None:
        """Not offered.

        Raises:
            ValueError: always.
        """
        raise ValueError("only a network of the same shape can be started from")

    def examples(self, pixels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        """The coefficients of a JPEG that is made of a picture, as arguments of :meth:`bits`; with each an end of one
        of its blocks."""
        from arcomp.models.jpeg.examples import examples
        from arcomp.models.jpeg.making import make_coefficients, settings_for

        rng = settings_for(pixels)
        found = examples(make_coefficients(pixels, rng).components)
        n = len(found.values)
        block = rng.integers(0, len(found.ends), n)
        return {
            "inputs": found.inputs,
            "place": found.place,
            "values": np.stack([found.values, found.ends[block].astype(np.int16)], 1),
            "predictions": found.predictions,
            "last": found.last,
            "end_inputs": found.end_inputs[block],
        }

    def bits(
        self,
        inputs: torch.Tensor,
        place: torch.Tensor,
        values: torch.Tensor,
        predictions: torch.Tensor,
        last: torch.Tensor,
        end_inputs: torch.Tensor,
        rounding: bool = False,
    ) -> torch.Tensor:
        """Bits of n coefficients (the mean over the networks, if there are two), and of an end of a block with each.

        Args:
            inputs: int8 [n, inputs]. place: uint8 [n]. values: int16 [n, 2]: coefficients, ends.
            predictions: int16 [n, predictions], Q6. last: bool [n].
            end_inputs: int8 [n, inputs].
            rounding: evaluate as frozen (weights and activations quantised).

        Returns:
            float [n, 2].
        """
        at, seen = place.int(), inputs.float() * SIGNED8.step
        networks = [self.coefficient] if self.second is None else [self.coefficient, self.second]
        said = [self._outputs(layers, seen, at, rounding) for layers in networks]
        bits = [coefficient_bits(values[:, 0].float(), z, predictions.float() / 64, last) for z in said]
        own = torch.stack(bits).mean(0)
        x = end_inputs.float() * SIGNED8.step
        for layer in self.end:
            x = layer(x, rounding)
        end = functional.cross_entropy(x, values[:, 1].long(), reduction="none") / float(np.log(2))
        return torch.stack([own, end], 1)

    @staticmethod
    def _outputs(layers: nn.ModuleList, seen: torch.Tensor, place: torch.Tensor, rounding: bool) -> torch.Tensor:
        """Of a network of coefficients."""
        first, second, third = layers
        assert isinstance(first, PlacedLinear)
        assert isinstance(third, PlacedLinear)
        return third.at(second(first.at(seen, place, rounding), rounding), place, rounding)


def coefficient_bits(
    values: torch.Tensor, z: torch.Tensor, predictions: torch.Tensor, last: torch.Tensor
) -> torch.Tensor:
    """Bits of coefficients, float [n], under outputs z [n, OUTPUTS]; of the last of a block, known not to be 0."""
    k = COMPONENTS
    logits = torch.cat([z[:, :k], torch.where(last, -50.0, z[:, -1])[:, None]], 1)
    weights = torch.softmax(logits, 1)
    means = z[:, 2 * k : 3 * k] + (z[:, 3 * k : -1] * predictions).sum(1, keepdim=True)
    inverse = torch.exp(-z[:, k : 2 * k].clamp(-3, 6))

    def mass(x: torch.Tensor) -> torch.Tensor:
        """Of an integer, mirrored to the lower tail, where a difference of logistics keeps its digits."""
        d = (x[:, None] - means).abs()
        half = (weights[:, :k] * (torch.sigmoid((0.5 - d) * inverse) - torch.sigmoid((-0.5 - d) * inverse))).sum(1)
        return half

    own = mass(values)
    zero = torch.where(last, mass(torch.zeros_like(values)), 0.0)
    own = own + torch.where(values == 0, weights[:, k], 0.0)
    return torch.log2(1 - zero + _FLOOR) - torch.log2(own + _FLOOR)


def freeze_network(net: Jpeg) -> Arrays:
    """The integers of all layers, by "network.layer.array"."""
    made: Arrays = {}
    for name in ("coefficient", "end") if net.second is None else ("coefficient", "end", "second"):
        for i, layer in enumerate(getattr(net, name)):
            zero = SIGNED8.zero if i == 0 else RECTIFIED8.zero
            own = freeze_linear(layer, SIGNED8.bits, np.full(layer.in_features, zero, np.int64))
            if isinstance(layer, PlacedLinear):
                steps = weight_steps(layer.weight, layer.limit).double() * SIGNED8.step
                own["places"] = torch.round(layer.places.detach().double() / steps.T).numpy().astype(np.int32)
            made |= {f"{name}.{i}.{key}": a for key, a in own.items()}
    return made
