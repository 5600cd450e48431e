"""The examples of each round. For a GPU all processors make them beforehand, while it trains on the last ones."""

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
PREFETCHED = 2
"""Rounds made before the one that is trained on is done."""


def examples_of(model: Trainable, crops: list[UInt8]) -> Examples:
    """Training examples of all positions of the crops, one after the other."""
    return _joined([_examples(model, crop) for crop in crops])


def _examples(model: Trainable, crop: UInt8) -> Examples:
    return {name: torch.from_numpy(a) for name, a in model.examples(crop).items()}


def _joined(parts: list[Examples]) -> Examples:
    return {name: torch.cat([p[name] for p in parts]) for name in parts[0]}


class Loader:
    """Makes examples when they are asked for."""

    def __init__(self, model: Trainable, data: Data) -> None:
        self.model, self.data = model, data

    def round(self, number: int) -> Examples:
        """The examples of a round, on the device that trains."""
        return examples_of(self.model, self.data.round(number))

    def validation(self) -> Examples:
        """The examples of the held-out part."""
        return examples_of(self.model, self.data.validation())


class PrefetchingLoader(Loader):
    """Makes examples for a CUDA device beforehand: crop by crop, with a thread for each processor.

    Args:
        model: the parts of it that examples depend on must not change any more; it is copied.
        workers: threads.
    """

    def __init__(self, model: Trainable, data: Data, device: torch.device, workers: int) -> None:
        super().__init__(deepcopy(model).cpu(), data)
        self.device, self.stream = device, torch.cuda.Stream(device)
        self.workers, self.coming = ThreadPoolExecutor(workers), ThreadPoolExecutor(1)
        self.rounds: dict[int, Future[Examples]] = {}

    def round(self, number: int) -> Examples:
        """The same. The device must be done with a round before it is freed."""
        for n in range(number, number + PREFETCHED + 1):
            if n not in self.rounds:
                self.rounds[n] = self.coming.submit(self._made, n)
        return self.rounds.pop(number).result()

    def validation(self) -> Examples:
        return _joined(list(self.workers.map(self._there, self.data.validation())))

    def _made(self, number: int) -> Examples:
        parts = list(self.workers.map(self._there, self.data.round(number)))
        with torch.cuda.stream(self.stream):
            made = _joined(parts)
        self.stream.synchronize()
        return made

    def _there(self, crop: UInt8) -> Examples:
        """Examples of a crop on the device, by a stream of their own, so that they do not wait for its steps."""
        with torch.cuda.stream(self.stream):
            made = {name: a.to(self.device) for name, a in _examples(self.model, crop).items()}
        self.stream.synchronize()
        return made

    def close(self) -> None:
        """Make no more."""
        self.coming.shutdown(cancel_futures=True)
        self.workers.shutdown(cancel_futures=True)


@contextmanager
def loader(model: Trainable, data: Data, device: torch.device) -> Iterator[Loader]:
    """The loader for a device. On the CPU the training thread makes the examples itself."""
    if device.type != "cuda":
        yield Loader(model, data)
        return
    made = PrefetchingLoader(model, data, device, os.cpu_count() or 1)
    try:
        yield made
    finally:
        made.close()
