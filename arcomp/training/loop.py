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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from arcomp.contract import registry
from arcomp.contract.library import ENDING
from arcomp.errors import TrainingError
from arcomp.training.checkpoint import is_checkpoint, load, save
from arcomp.training.data import Data
from arcomp.training.loader import Examples, Loader, loader
from arcomp.training.processes import ALONE, Team
from arcomp.training.recipes import Recipe
from arcomp.training.schedule import Moment, moment
from arcomp.training.state import State, start
from arcomp.training.step import Step, stepper
from arcomp.training.trainable import Trainable

EVALUATED = 1 << 14
"""Positions that are evaluated at a time, about."""
REPORT_EVERY, KEEP_EVERY = 10.0, 120.0
"""Seconds between reports within a long round, and between checkpoints."""


@dataclass
class Progress:
    """The state of a run, reported after each round and within long ones.

    Bits are per sub-pixel (of text, per character).

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


@torch.no_grad()
def evaluate(model: Trainable, examples: Examples, rounding: bool) -> float:
    """Mean bits per sub-pixel."""
    total, count = 0.0, 0
    device = next(model.parameters()).device
    positions = math.prod(examples["values"].shape[1:-1])  # of an example: a position, or a whole crop
    batch = max(1, EVALUATED // positions)
    for at in range(0, len(examples["values"]), batch):
        part = {name: a[at : at + batch].to(device) for name, a in examples.items()}
        bits = model.bits(**part, rounding=rounding)
        total += float(bits.double().sum())
        count += bits.numel()
    return total / count


def train(
    recipe: Recipe,
    data: Data,
    checkpoint: Path,
    *,
    resume: bool = False,
    begin_from: str | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    validate_every: int = 5,
    team: Team = ALONE,
) -> State:
    """Run a recipe to its end.

    Args:
        recipe: what to train, how long. data: what it asks for.
        checkpoint: file that the process that leads replaces every few rounds, and after a round that ends
            :data:`KEEP_EVERY` seconds after the last one was written.
        resume: go on from the checkpoint.
        begin_from: weights, by name or file, or a checkpoint, of a network of the same shape, which a fresh one begins
            as; or of a smaller one, whose function it takes over.
        report: called after every round, and now and then within a long one, by the process that leads.
        validate_every: rounds between validations, at most, each of which writes the checkpoint.
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
    with loader(state.model, data, team.device) as examples:
        held_out = examples.validation() if team.leads else {}
        take = stepper(state, recipe, team)
        clock = _Clock(state, team)
        reporter, kept = _Reporter(clock, recipe, report), clock.last
        part = clock.moment(recipe).part
        while part < 1:  # the same reading says that it is over and that it must be kept
            bits = _round(state, take, recipe, examples, clock, reporter, team)
            _check_number(bits, state, checkpoint)
            part = clock.moment(recipe).part
            progress = reporter.so_far(bits, part)
            due = team.broadcast(clock.last - kept) >= KEEP_EVERY  # all must agree, so the leader's clock decides
            if due or state.round % validate_every == 0 or part >= 1:
                if team.leads:
                    progress.validation_bits = evaluate(state.average, held_out, rounding=False)
                    progress.rounded_bits = evaluate(state.average, held_out, rounding=True)
                _check_number(team.broadcast(progress.validation_bits or 0.0), state, checkpoint)
                state.history.append(asdict(progress))
                clock.read()
                if team.leads:
                    save(state, recipe, checkpoint)
                kept = clock.last
            reporter(progress)
    return state


def _check_number(bits: float, state: State, checkpoint: Path) -> None:
    """Stop where a loss, or what the weights then gave, is not a number: before that is kept."""
    if math.isfinite(bits):
        return
    remedy = "try a lower --rate"
    if state.history:  # what is there otherwise, if anything, is of another run
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


def _fresh(recipe: Recipe, data: Data, begin_from: str | None, team: Team) -> State:
    """A state that has taken from the data, or from another network, what it begins with."""
    state = start(recipe, team.device)
    state.data = data.digest
    state.model.prepare(data.round(0))
    if begin_from is not None:
        try:
            _begin(state.model, _other(begin_from, recipe, team))
        except (ValueError, AttributeError) as error:
            raise TrainingError(f"cannot be started from: {error}", path=begin_from) from error
    state.average.load_state_dict(state.model.state_dict())
    return state


def _other(begin_from: str, recipe: Recipe, team: Team) -> Trainable:
    """The network of a checkpoint, or the one that frozen weights stand for.

    Raises:
        TrainingError: of another model, or without a network for such pictures.
    """
    path = Path(begin_from)
    if path.is_file() and (path.suffix != ENDING or is_checkpoint(path)):
        return load(path, recipe, team.device, same=False).average
    model = registry.load(begin_from)
    if model.name != recipe.model:
        raise TrainingError(f"weights of {model.name}, not of {recipe.model}", path=begin_from)
    model.check(recipe.channels, recipe.depth)
    try:
        found: Trainable = model.dequantized(recipe.channels, recipe.depth).to(team.device)
    except NotImplementedError as error:
        raise TrainingError(f"cannot be started from: {error}", path=begin_from) from error
    return found


def _begin(model: Trainable, other: Trainable) -> None:
    """As another network, if that has the same shape; as its function if it is smaller. Raises ValueError where that is
    not offered."""
    shapes = [{name: a.shape for name, a in net.state_dict().items()} for net in (model, other)]
    if shapes[0] == shapes[1]:
        model.load_state_dict(other.state_dict())
    else:
        model.adopt(other)


class _Clock:
    """Adds to a state's seconds; where the time matters all processes use the leader's."""

    def __init__(self, state: State, team: Team) -> None:
        self.state, self.team, self.last = state, team, time.monotonic()

    def read(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self.last
        self.last = now

    def moment(self, recipe: Recipe) -> Moment:
        self.read()
        if recipe.optimiser.minutes is not None:
            self.state.seconds = self.team.broadcast(self.state.seconds)
        return moment(recipe.optimiser, self.state.step, self.state.seconds)


class _Reporter:
    """Calls the callback ``report``, in the process that leads."""

    def __init__(self, clock: _Clock, recipe: Recipe, report: Callable[[Progress], None]) -> None:
        self.clock, self.report, self.last = clock, report, clock.last
        self.steps = recipe.optimiser.steps if recipe.optimiser.minutes is None else None

    def so_far(self, bits: float, part: float) -> Progress:
        """Progress up to now."""
        state = self.clock.state
        return Progress(state.step, self.steps, state.round, state.seconds, part, bits)

    def __call__(self, progress: Progress) -> None:
        if self.clock.team.leads:
            self.report(progress)
        self.last = self.clock.last

    def within(self, losses: list[torch.Tensor], part: float) -> None:
        """Report within a long round, from this process's share of the losses."""
        if self.clock.team.leads and self.clock.last - self.last >= REPORT_EVERY:
            self(self.so_far(float(torch.stack(losses).mean()), part))


def _round(
    state: State, take: Step, recipe: Recipe, loaded: Loader, clock: _Clock, reporter: _Reporter, team: Team
) -> float:
    """One round of steps, or what is left of the run; mean training bits."""
    examples, o = loaded.round(state.round), recipe.optimiser
    count = len(examples["values"])
    if count < o.batch:
        raise TrainingError(
            f"a round has {count} positions, a batch {o.batch}", remedy="choose a smaller batch or more crops"
        )
    # What a network draws itself (dropout) begins anew with each round.
    torch.manual_seed(int(np.random.SeedSequence([recipe.seed, 4, state.round, team.rank]).generate_state(1)[0]))
    losses, now = [], clock.moment(recipe)
    state.model.train()
    for at in _batches(recipe, state.round, count, team):
        batch = {name: a.index_select(0, at) for name, a in examples.items()}
        losses.append(take(batch, now))
        now = clock.moment(recipe)
        if now.part >= 1:
            break
        reporter.within(losses, now.part)
    state.round += 1
    return float(team.sum(torch.stack(losses).mean()) / team.size)


def _batches(recipe: Recipe, number: int, count: int, team: Team) -> Iterator[torch.Tensor]:
    """This process's shares of the batches of a round of so many examples, int64 each: all of these, in as many orders
    as they are gone through."""
    batch = recipe.optimiser.batch
    for turn in range(recipe.optimiser.passes):
        seed = [recipe.seed, 2, number, turn] if turn else [recipe.seed, 2, number]
        order = torch.from_numpy(np.random.default_rng(seed).permutation(count)).to(team.device)
        for at in range(0, count - batch + 1, batch):
            yield team.share(order[at : at + batch])
