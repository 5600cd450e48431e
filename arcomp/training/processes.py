"""Several processes that train one network together, as ``torchrun`` starts them; or one alone.

Each has the whole network and all the data, and computes its share of every batch; gradients are averaged by torch's
DistributedDataParallel (Li et al. 2020, "PyTorch distributed: experiences on accelerating data parallel training",
section 3), over gloo on processors and NCCL on CUDA. They take the same steps as one process with the same batch, up
to the rounding of floating-point sums (but for dropout, which each draws for itself). The first process leads: it
alone measures, reports and writes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from arcomp.errors import TrainingError


@dataclass(frozen=True)
class Team:
    """The processes, as one of them sees them.

    Attributes:
        device: where this one computes.
        rank: its number, 0 for the one that leads. size: how many there are.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this one measures, reports and writes."""
        return self.rank == 0

    def share(self, order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """This one's part of a batch."""
        return order[self.rank :: self.size]

    def joined(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are the means over all processes."""
        if self.size == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        with warnings.catch_warnings():  # newer releases of torch have another name for it, that older ones lack
            warnings.simplefilter("ignore", FutureWarning)
            return DistributedDataParallel(module, device_ids=devices, broadcast_buffers=False)

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """The sum over all processes; every one gets it."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value

    def told(self, value: float) -> float:
        """The leader's value."""
        if self.size == 1:
            return value
        sent = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(sent, 0)
        return float(sent)


ALONE = Team(torch.device("cpu"))


@contextmanager
def together(device: str) -> Iterator[Team]:
    """Join the processes that ``torchrun`` started with this one, if it did.

    Args:
        device: "cpu" or "cuda"; each process of a machine then takes a GPU of its own.

    Raises:
        TrainingError: they do not meet, or more of them than GPUs; another one stopped.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if size == 1:
        yield Team(torch.device(device))
        return
    here = torch.device(device, local_rank()) if device == "cuda" else torch.device(device)
    if here.type == "cuda" and local_rank() >= torch.cuda.device_count():
        raise TrainingError(
            f"process {local_rank() + 1} of this machine has no GPU of its own",
            remedy=f"start {torch.cuda.device_count()} processes on it",
        )
    try:
        distributed.init_process_group("nccl" if here.type == "cuda" else "gloo")
        yield Team(here, rank, size)
    except (distributed.DistError, RuntimeError) as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error).lower():
            raise TrainingError(f"process {rank} of {size} lost the others", remedy="see what they say") from error
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def local_rank() -> int:
    """The number of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", 0))
