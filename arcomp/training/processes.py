"""Several processes that train one network together, as ``torchrun`` starts them; or one alone.

Each has the whole network and all the data, and computes its share of every batch; gradients are averaged by torch's
DistributedDataParallel (Li et al. 2020, "PyTorch distributed: experiences on accelerating data parallel training",
section 3), over gloo on processors and NCCL on CUDA. They take the same steps as one process with the same batch, up
to the rounding of floating-point sums, unless a network draws at random in training (dropout, masks): each
process then draws for its own share. The first process leads: it alone measures, reports and writes.
"""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from arcomp.errors import TrainingError

VARIABLES = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""Environment variables that ``torchrun`` sets for a process."""


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

    def share(self, order: torch.Tensor) -> torch.Tensor:
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

    def broadcast(self, value: float) -> float:
        """The leader's value, on every process."""
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
        device: "cpu" or "cuda"; each process of a machine then takes a GPU of its own. Products of float32 are
            computed there in TF32, of which exact evaluations want nothing to know (:mod:`arcomp.exact.matmul`).

    Raises:
        TrainingError: they do not meet, or more of them than GPUs; another one stopped.
    """
    size = _number("WORLD_SIZE", 1)
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    if size == 1:
        yield Team(torch.device(device))
        return
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise TrainingError(
            f"WORLD_SIZE is {size}, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            remedy="start the processes by torchrun, or one without WORLD_SIZE",
        )
    rank, _ = _number("RANK", 0), _number("MASTER_PORT", 0)  # of the latter torch would say it in other words
    if not 0 <= rank < size:
        raise TrainingError(f"RANK is {rank} of WORLD_SIZE {size}", remedy="start the processes by torchrun")
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
            # DistributedDataParallel refers to itself, and to the group, whose threads should end with it here, not as
            # the process exits: one was once aborted there.
            gc.collect()
            distributed.destroy_process_group()


def local_rank() -> int:
    """The number of this process on its machine."""
    return _number("LOCAL_RANK", 0)


def _number(name: str, default: int) -> int:
    """What a variable of the environment says."""
    said = os.environ.get(name) or str(default)
    try:
        return int(said)
    except ValueError:
        raise TrainingError(
            f"{name} is {said[:20]!r}, not a number", remedy="start the processes by torchrun"
        ) from None
