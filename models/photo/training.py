"""How ``photo`` is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.settings import checked
from arcomp.contract.trainer import Crops, Trainer
from arcomp.contract.weights_file import Weights
from arcomp.models.photo import exact
from arcomp.models.photo.config import CODING_ORDER, PhotoConfig
from arcomp.models.photo.net import Photo
from arcomp.models.photo.stage import Stage
from arcomp.models.photo.strip import Frozen, Strip
from arcomp.network.float.perceptron import freeze_layers


class PhotoTrainer(Trainer):
    """Examples are positions; the mixing stage learns after the networks are frozen."""

    settings = PhotoConfig

    def start(self, config: Mapping[str, Any]) -> Photo:
        return Photo(checked(PhotoConfig, config))

    def freeze(self, networks: Mapping[int, Any]) -> Weights:
        return freeze(networks)

    def complete(self, weights: Weights, channels: int, pictures: Callable[[], Crops]) -> Weights:
        plain = checked(PhotoConfig, weights.config["networks"][str(channels)]).plain
        return weights if plain else learn_mixer_weights(weights, channels, pictures())


def freeze(networks: Mapping[int, Photo]) -> Weights:
    """Integers of float networks.

    Args:
        networks: by number of channels.

    Returns:
        The weights of one model; without digests of layers, which need a run, and without weights of
        the mixing stage, which need pictures.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for channels, net in networks.items():
        arrays |= {f"{channels}.{name}": a for name, a in freeze_layers(net).items()}
        if net.config.windows:
            arrays[f"{channels}.prior"] = net.prior.numpy().astype(np.int32)
    return Weights("photo", {"networks": {str(c): n.config.to_dict() for c, n in networks.items()}}, arrays)


def learn_mixer_weights(weights: Weights, channels: int, pictures: Crops) -> Weights:
    """The same weights, the mixing stage starting from what it learnt of training pictures: the mean of its weights
    after each of the second half of them, each coded from where the one before ended."""
    config, prefix = checked(PhotoConfig, weights.config["networks"][str(channels)]), f"{channels}."
    arrays = {key[len(prefix) :]: a for key, a in weights.arrays.items() if key.startswith(prefix)}
    frozen = Frozen(config, exact.pack_net(config, exact.check_arrays(config, arrays)), arrays["prior"], None)
    order = list(CODING_ORDER[channels])
    total, count = np.zeros(()), 0
    for i, picture in enumerate(pictures):
        strip = Strip(frozen, *picture.shape[:2])
        strip.encode(np.ascontiguousarray(picture[..., order]), lambda positions: None)
        assert isinstance(strip.stage, Stage)
        learnt = strip.stage.mixer.weights.copy()
        frozen = replace(frozen, mixer_weights=learnt)
        if i >= len(pictures) // 2:
            total, count = total + learnt, count + 1
    mixer_weights = np.rint(total / max(1, count)).astype(np.int32)
    return replace(weights, arrays={**weights.arrays, f"{channels}.mixer": mixer_weights}, layers={})
