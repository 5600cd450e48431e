"""How ``jpeg`` is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arcomp.contract.settings import checked
from arcomp.contract.trainer import Crops, Trainer
from arcomp.contract.weights_file import Weights
from arcomp.models.jpeg.config import JpegConfig
from arcomp.models.jpeg.examples import examples
from arcomp.models.jpeg.making import make_coefficients, settings_for
from arcomp.models.jpeg.net import Jpeg, freeze_network


class JpegTrainer(Trainer):
    """Examples are coefficients of JPEGs that are made of crops.

    The mixing stage starts with the network's opinion: what it learns of other pictures is no better start.
    """

    settings = JpegConfig

    def start(self, config: Mapping[str, Any]) -> Jpeg:
        return Jpeg(checked(JpegConfig, config))

    def freeze(self, networks: Mapping[int, Any]) -> Weights:
        arrays = {f"{c}.{name}": a for c, net in networks.items() for name, a in freeze_network(net).items()}
        return Weights("jpeg", {"networks": {str(c): n.config.to_dict() for c, n in networks.items()}}, arrays)

    def measured(self, model: Any, pictures: Crops) -> tuple[float, float]:
        """Bits of a coefficient up to the ends of blocks, ends and all: learning is never left out."""
        bits, size, count = 0.0, 0, 0
        for picture in pictures:
            made = make_coefficients(picture, settings_for(picture))
            coded = model.encode_coefficients(made)
            bits, size = bits + coded.nll_bits, size + sum(map(len, coded.streams))
            count += len(examples(made.components).values)
        return bits / count, 8 * size / count
