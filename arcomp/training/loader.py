"""Examples of one round after the other; for a GPU they are made by all processors while it learns from the last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy

import torch

from arcomp.training.data import Data, UInt8
from arcomp.training.trainable import Trainable

Examples = dict[str, torch.Tensor]
AHEAD = 2
"""Rounds that are made before they are asked for."""


def examples_of(model: Trainable, crops: list[UInt8]) -> Examples:
    """Training examples of all positions of the crops, one after the other."""
    return _joined([_examples(model, crop) for crop in crops])


def _examples(model: Trainable, crop: UInt8) -> Examples:
    return {name: torch.from_numpy(a) for name, a in model.examples(crop).items()}


def _joined(parts: list[Examples]) -> Examples:
    return {name: torch.cat([p[name] for p in parts]) for name in parts[0]}


class Supply:
    """Examples, made when they are asked for."""

    def __init__(self, model: Trainable, data: Data) -> None:
        self.model, self.data = model, data

    def round(self, number: int) -> Examples:
        """Those of a round, where they are trained on."""
        return examples_of(self.model, self.data.round(number))

    def validation(self) -> Examples:
        """Those of what is held out."""
        return examples_of(self.model, self.data.validation())


class EarlySupply(Supply):
    """Examples for a CUDA device, made ahead, crop by crop by as many threads as there are processors.

    Args:
        model: what of it examples depend on does not change from here on.
    """

    def __init__(self, model: Trainable, data: Data, device: torch.device, workers: int) -> None:
        super().__init__(deepcopy(model).cpu(), data)
        self.device, self.stream = device, torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.workers, self.coming = ThreadPoolExecutor(workers), ThreadPoolExecutor(1)
        self.rounds: dict[int, Future[Examples]] = {}

    def round(self, number: int) -> Examples:
        """See :meth:`Supply.round`. Before it is let go, the device must have finished with it."""
        for n in range(number, number + AHEAD + 1):
            if n not in self.rounds:
                self.rounds[n] = self.coming.submit(self._made, n)
        return self.rounds.pop(number).result()

    def validation(self) -> Examples:
        """See :meth:`Supply.validation`."""
        return _joined(list(self.workers.map(self._there, self.data.validation())))

    def _made(self, number: int) -> Examples:
        parts = list(self.workers.map(self._there, self.data.round(number)))
        with torch.cuda.stream(self.stream):
            made = _joined(parts)
        self.stream.synchronize()
        return made

    def _there(self, crop: UInt8) -> Examples:
        """Examples of a crop on the device, by a stream of their own: not behind the steps that wait there."""
        with torch.cuda.stream(self.stream):
            made = {name: a.to(self.device) for name, a in _examples(self.model, crop).items()}
        self.stream.synchronize()
        return made

    def close(self) -> None:
        """Make no more."""
        self.coming.shutdown(cancel_futures=True)
        self.workers.shutdown(cancel_futures=True)


@contextmanager
def supply(model: Trainable, data: Data, device: torch.device) -> Iterator[Supply]:
    """Examples for a run on a device: on processors by the thread that asks, which is one of those that train."""
    if device.type != "cuda":
        yield Supply(model, data)
        return
    early = EarlySupply(model, data, device, os.cpu_count() or 1)
    try:
        yield early
    finally:
        early.close()
