"""How ``graphic`` is trained: there is no network; mixing weights are learnt by coding one picture after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.settings import checked
from arcomp.contract.trainer import Crops, Trainer
from arcomp.contract.weights_file import Weights
from arcomp.models.graphic.net import GraphicConfig, Nothing
from arcomp.models.graphic.tile import Start, Tile

LARGEST = 640
"""Rows and columns of what is coded of a picture: many pictures say more than large ones."""
SETTLED = 3
"""Weights are averaged after this part of the pictures, one in so many."""


class GraphicTrainer(Trainer):
    """Learns the mixing weights after a loop that trains nothing."""

    settings = GraphicConfig

    def start(self, config: Mapping[str, Any]) -> Nothing:
        return Nothing(checked(GraphicConfig, config))

    def freeze(self, networks: Mapping[int, Any]) -> Weights:
        return _weights(Tile(Start(), 1, 1, 3).weights())

    def complete(self, weights: Weights, channels: int, pictures: Callable[[], Crops]) -> Weights:
        return _weights(learn(_variants(pictures())))


def _weights(start: Start) -> Weights:
    arrays = {f"3.{name}": array for name, array in start.arrays().items()}
    return Weights("graphic", {"networks": {"3": {"channels": 3}}}, arrays)


def _variants(pictures: Crops) -> Iterable[npt.NDArray[np.uint8]]:
    """Pictures as they are, and as indices of colours where these are few, else as one of the channels."""
    for picture in pictures:
        part = np.ascontiguousarray(picture[:LARGEST, :LARGEST])
        yield part
        colours, indices = np.unique(part.reshape(-1, 3), axis=0, return_inverse=True)
        few = len(colours) <= 256
        yield (indices.astype(np.uint8).reshape(part.shape[:2]) if few else part[..., 1])[..., None]


def learn(pictures: Iterable[npt.NDArray[np.uint8]]) -> Start:
    """The mean of the weights after each of the later pictures, each coded from where the one before ended."""
    start, learnt = Start(), list[Start]()
    for picture in pictures:
        tile = Tile(start, *picture.shape)
        tile.encode(np.ascontiguousarray(picture), lambda positions: None)
        start = tile.weights()
        learnt.append(start)
    later = [one.arrays() for one in learnt[len(learnt) // SETTLED :]]
    return Start(**{name: _mean([arrays[name] for arrays in later]) for name in later[0]})


def _mean(arrays: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    mean: npt.NDArray[np.int32] = np.rint(np.mean(arrays, axis=0)).astype(np.int32)
    return mean
