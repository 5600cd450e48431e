"""The training loop: rounds of shuffled examples, AdamW, a schedule, an average of the weights, checkpoints.

A run whose length is in steps is a function of its recipe and its data: every round draws from its own seed, so that
one resumed from a checkpoint goes on as if it had never stopped, bit for bit on the same machine with the same number
of threads and processes. A run whose length is in minutes is not: how many steps fit depends on the machine and on what
else it does. Resumed, it goes on from the checkpoint's weights, moments, batches and time used; what was done after
that checkpoint is done again, and its time is given back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.errors import TrainingError
from arcomp.training.checkpoint import load, save
from arcomp.training.data import Data, UInt8
from arcomp.training.processes import ALONE, Team
from arcomp.training.recipes import Recipe
from arcomp.training.schedule import Moment, moment
from arcomp.training.state import State, start
from arcomp.training.trainable import Trainable

Examples = dict[str, npt.NDArray[Any]]
EVALUATED = 1 << 14
"""Positions that are evaluated at a time, about."""
CLIP = 1.0
"""Largest norm of the gradient of all weights together; longer ones are shortened to it."""


@dataclass
class Progress:
    """What a run reports after each round. Bits are bits per sub-pixel (bits per dimension; of text, per character).

    Attributes:
        steps: all of the run; None if its length is in minutes. part: of the run that is done, 0 to 1.
    """

    step: int
    steps: int | None
    round: int
    seconds: float
    part: float
    training_bits: float
    validation_bits: float | None = None
    rounded_bits: float | None = None


def examples_of(model: Trainable, crops: list[UInt8]) -> Examples:
    """Training examples of all positions of the crops, one after the other."""
    parts = [model.examples(crop) for crop in crops]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _tensors(examples: Examples, part: Any, device: torch.device) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(a[part]).to(device) for name, a in examples.items()}


@torch.no_grad()
def evaluate(model: Trainable, examples: Examples, rounding: bool) -> float:
    """Mean bits per sub-pixel."""
    total, count = 0.0, 0
    device = next(model.parameters()).device
    positions = math.prod(examples["values"].shape[1:-1])  # of an example: a position, or a whole crop
    batch = max(1, EVALUATED // positions)
    for at in range(0, len(examples["values"]), batch):
        bits = model.bits(**_tensors(examples, slice(at, at + batch), device), rounding=rounding)
        total += float(bits.double().sum())
        count += bits.numel()
    return total / count


class _Loss(nn.Module):
    """Mean bits of a batch, of which this process has a share."""

    def __init__(self, model: Trainable, recipe: Recipe, team: Team) -> None:
        super().__init__()
        self.model, self.bf16, self.team, self.batch = model, recipe.optimiser.bf16, team, recipe.optimiser.batch

    def forward(self, examples: dict[str, torch.Tensor], rounding: bool) -> torch.Tensor:
        with torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.bf16):
            bits = self.model.bits(**examples, rounding=rounding)
        # The processes' gradients are averaged: shares may differ in size.
        return bits.sum() / (self.batch * bits[0].numel() / self.team.size)


def train(
    recipe: Recipe,
    data: Data,
    checkpoint: Path,
    *,
    resume: bool = False,
    begin_from: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    validate_every: int = 5,
    team: Team = ALONE,
) -> State:
    """Run a recipe to its end.

    Args:
        recipe: what to train, how long. data: what it asks for.
        checkpoint: file that is replaced after every few rounds, by the process that leads.
        resume: go on from the checkpoint.
        begin_from: checkpoint of a smaller network whose function a fresh one takes over.
        report: called after every round, by the process that leads.
        validate_every: rounds between validations, each of which writes the checkpoint.
        team: the processes that train together; ``batch`` is that of all.

    Raises:
        TrainingError: a checkpoint of another recipe or of other data, or a loss that is not a number (the last good
            one is kept).
        OutputError: a checkpoint cannot be written (the last one is kept).
    """
    o = recipe.optimiser
    if o.batch < team.size:
        raise TrainingError(f"{team.size} processes cannot share a batch of {o.batch}", remedy="start fewer")
    state = _resumed(checkpoint, recipe, data, team) if resume else _fresh(recipe, data, begin_from, team)
    held_out = examples_of(state.average, data.validation()) if team.leads else {}
    loss = team.joined(_Loss(state.model, recipe, team))
    clock = _Clock(state, team)
    part = clock.moment(recipe).part
    while part < 1:  # the same reading says that it is over and that it must be kept
        bits = _round(state, loss, recipe, data, clock, team)
        _check_number(bits, state, checkpoint)
        steps, part = (o.steps if o.minutes is None else None), clock.moment(recipe).part
        progress = Progress(state.step, steps, state.round, state.seconds, part, bits)
        if state.round % validate_every == 0 or part >= 1:
            if team.leads:
                progress.validation_bits = evaluate(state.average, held_out, rounding=False)
                progress.rounded_bits = evaluate(state.average, held_out, rounding=True)
            _check_number(team.told(progress.validation_bits or 0.0), state, checkpoint)
            state.history.append(asdict(progress))
            clock.read()
            if team.leads:
                save(state, recipe, checkpoint)
        if team.leads:
            report(progress)
    return state


def _check_number(bits: float, state: State, checkpoint: Path) -> None:
    """Stop where a loss, or what the weights then gave, is not a number: before that is kept."""
    if math.isfinite(bits):
        return
    remedy = "try a lower --rate"
    if checkpoint.exists():
        remedy = f"the last good checkpoint is {checkpoint}; --resume with a lower --rate goes on from it"
    raise TrainingError(f"the loss is not a number after step {state.step}", remedy=remedy)


def _resumed(checkpoint: Path, recipe: Recipe, data: Data, team: Team) -> State:
    """A checkpoint's state, if it is of these data: of others, what was held out may have been trained on."""
    state = load(checkpoint, recipe, team.device)
    if state.data not in ("", data.digest):
        raise TrainingError(
            f"this checkpoint was made with other data than these ({data.about})",
            path=str(checkpoint),
            remedy="resume with the same files or start a new run",
        )
    state.data = data.digest
    return state


def _fresh(recipe: Recipe, data: Data, begin_from: Path | None, team: Team) -> State:
    """A state that has taken from the data, or from another network, what it begins with."""
    state = start(recipe, team.device)
    state.data = data.digest
    state.model.prepare(data.round(0))
    if begin_from is not None:
        try:
            state.model.adopt(load(begin_from, recipe, team.device, same=False).average)
        except (ValueError, AttributeError) as error:
            raise TrainingError(f"cannot be started from: {error}", path=str(begin_from)) from error
    state.average.load_state_dict(state.model.state_dict())
    return state


class _Clock:
    """Adds to a state's seconds, and tells all processes the same time where it matters."""

    def __init__(self, state: State, team: Team) -> None:
        self.state, self.team, self.last = state, team, time.monotonic()

    def read(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self.last
        self.last = now

    def moment(self, recipe: Recipe) -> Moment:
        self.read()
        if recipe.optimiser.minutes is not None:
            self.state.seconds = self.team.told(self.state.seconds)
        return moment(recipe.optimiser, self.state.step, self.state.seconds)


def _round(state: State, loss: nn.Module, recipe: Recipe, data: Data, clock: _Clock, team: Team) -> float:
    """One round of steps, or what is left of the run; mean training bits."""
    examples = examples_of(state.model, data.round(state.round))
    order = np.random.default_rng([recipe.seed, 2, state.round]).permutation(len(examples["values"]))
    o = recipe.optimiser
    if len(order) < o.batch:
        raise TrainingError(
            f"a round has {len(order)} positions, a batch {o.batch}", remedy="choose a smaller batch or more crops"
        )
    # What a network draws itself (dropout) begins anew with each round.
    torch.manual_seed(int(np.random.SeedSequence([recipe.seed, 4, state.round, team.rank]).generate_state(1)[0]))
    losses, now = [], clock.moment(recipe)
    state.model.train()
    for at in range(0, len(order) - o.batch + 1, o.batch):
        batch = _tensors(examples, team.share(order[at : at + o.batch]), team.device)
        losses.append(_step(state, loss, batch, now, o.ema))
        now = clock.moment(recipe)
        if now.part >= 1:
            break
    state.round += 1
    return float(team.sum(torch.stack(losses).mean()) / team.size)


def _step(state: State, loss: nn.Module, batch: dict[str, torch.Tensor], now: Moment, ema: float) -> torch.Tensor:
    """One step of the optimiser; its loss."""
    for group in state.optimiser.param_groups:
        group["lr"] = now.rate * group["part"]
    bits: torch.Tensor = loss(batch, now.rounding)
    state.optimiser.zero_grad(set_to_none=True)
    bits.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), CLIP)
    state.optimiser.step()
    decay = min(ema, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        torch._foreach_lerp_(list(state.average.parameters()), list(state.model.parameters()), 1 - decay)
    state.step += 1
    return bits.detach()
