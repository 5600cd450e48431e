"""A step of the optimiser. On a GPU it is recorded once and replayed: all steps of a model do the same."""

from __future__ import annotations

import torch
from torch import nn

from arcomp.training.processes import Team
from arcomp.training.recipes import Recipe
from arcomp.training.schedule import Moment
from arcomp.training.state import State
from arcomp.training.trainable import Trainable

Batch = dict[str, torch.Tensor]
CLIP = 1.0
"""Largest norm of the gradient of all weights together; longer ones are shortened to it."""
FIRST = 3
"""Steps before one is recorded: what libraries do at first use is no part of a step."""


class Loss(nn.Module):
    """Mean bits of a batch, of which this process has a share."""

    def __init__(self, model: Trainable, recipe: Recipe, team: Team) -> None:
        super().__init__()
        self.model, self.bf16, self.team, self.batch = model, recipe.optimiser.bf16, team, recipe.optimiser.batch

    def forward(self, examples: Batch, rounding: bool) -> torch.Tensor:
        with torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.bf16):
            bits = self.model.bits(**examples, rounding=rounding)
        # The processes' gradients are averaged: shares may differ in size.
        return bits.sum() / (self.batch * bits[0].numel() / self.team.size)


class Step:
    """Takes one step of the optimiser after the other."""

    def __init__(self, state: State, recipe: Recipe, team: Team) -> None:
        self.state, self.ema = state, recipe.optimiser.ema
        self.loss = team.joined(Loss(state.model, recipe, team))

    def __call__(self, batch: Batch, now: Moment) -> torch.Tensor:
        """Take a step.

        Returns:
            its mean bits.
        """
        for group in self.state.optimiser.param_groups:
            self._set(group, now.rate * group["part"])
        bits = self._learn(batch, now.rounding)
        decay = min(self.ema, (1 + self.state.step) / (10 + self.state.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.state.average.parameters()), list(self.state.model.parameters()), 1 - decay)
        self.state.step += 1
        return bits

    def _set(self, group: dict[str, object], rate: float) -> None:
        group["lr"] = rate

    def _learn(self, batch: Batch, rounding: bool) -> torch.Tensor:
        bits: torch.Tensor = self.loss(batch, rounding)
        self.state.optimiser.zero_grad(set_to_none=True)
        bits.backward()
        torch.nn.utils.clip_grad_norm_(self.state.model.parameters(), CLIP)
        self.state.optimiser.step()
        return bits.detach()


class RecordedStep(Step):
    """The same on a CUDA device, as a graph that is launched as one (Nguyen, Carilli et al. 2021, "Accelerating PyTorch
    with CUDA graphs"): the kernels of a small network end sooner than they can be launched one by one."""

    def __init__(self, state: State, recipe: Recipe, team: Team) -> None:
        super().__init__(state, recipe, team)
        self.taken, self.rounding = 0, False  # the former: since rounding began, or did not yet
        self.graph: torch.cuda.CUDAGraph | None = None
        self.batch: Batch = {}
        for group in state.optimiser.param_groups:
            group["capturable"] = True
            group["lr"] = torch.zeros((), device=team.device)

    def _set(self, group: dict[str, object], rate: float) -> None:
        kept = group["lr"]
        assert isinstance(kept, torch.Tensor)
        kept.fill_(rate)

    def _learn(self, batch: Batch, rounding: bool) -> torch.Tensor:
        if self.rounding != rounding:
            self.graph, self.taken, self.rounding = None, 0, rounding
        if self.taken < FIRST:
            self.taken += 1
            return super()._learn(batch, rounding)
        if self.graph is None:
            self._record(batch, rounding)
        assert self.graph is not None
        for name, kept in self.batch.items():
            kept.copy_(batch[name])
        self.graph.replay()
        return self.bits.clone()

    def _record(self, batch: Batch, rounding: bool) -> None:
        self.batch = {name: a.clone() for name, a in batch.items()}
        self.graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        # Other threads make examples meanwhile, which is none of the recording's business.
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.bits = super()._learn(self.batch, rounding)


def stepper(state: State, recipe: Recipe, team: Team) -> Step:
    """What takes the steps of this run: recorded ones on a single GPU."""
    recorded = team.device.type == "cuda" and team.size == 1
    return (RecordedStep if recorded else Step)(state, recipe, team)
