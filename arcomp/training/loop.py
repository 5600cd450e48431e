"""The training loop: rounds of shuffled examples, Adam, warm-up and cosine, an average of the weights, checkpoints.

A run is a function of its recipe and its data: every round draws from its own seed, so that a run resumed
from a checkpoint goes on as if it had never stopped.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from arcomp.container.atomic import write_atomically
from arcomp.errors import TrainingError
from arcomp.training.data import Pictures, find_pictures
from arcomp.training.recipes import Recipe
from arcomp.training.trainable import KINDS, Trainable

Examples = dict[str, npt.NDArray[Any]]
EVALUATED = 1 << 14
"""Positions that are evaluated at a time, about."""


@dataclass
class Progress:
    """What a run reports after each round. Bits are bits per sub-pixel (bits per dimension)."""

    step: int
    steps: int
    round: int
    seconds: float
    training_bits: float
    validation_bits: float | None = None
    rounded_bits: float | None = None


@dataclass
class State:
    """All of a run that a checkpoint holds."""

    model: Trainable
    average: Trainable
    optimiser: torch.optim.Adam
    step: int = 0
    round: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def rate_at(step: int, recipe: Recipe) -> float:
    """Learning rate: linear warm-up, then cosine to a two-hundredth."""
    o = recipe.optimiser
    if step < o.warmup:
        return o.rate * (step + 1) / o.warmup
    done = (step - o.warmup) / max(1, o.steps - o.warmup)
    return o.rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def examples_of(model: Trainable, crops: list[npt.NDArray[np.uint8]]) -> Examples:
    """Training examples of all positions of the crops, one after the other."""
    parts = [model.examples(crop) for crop in crops]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def batches(
    examples: Examples, batch: int, order: npt.NDArray[np.int64] | None = None
) -> Iterator[dict[str, torch.Tensor]]:
    """Batches of examples, in the given order or as they come; the last incomplete one is left out if ordered."""
    count = len(next(iter(examples.values())))
    for at in range(0, count if order is None else count - count % batch, batch):
        part = slice(at, at + batch) if order is None else order[at : at + batch]
        yield {name: torch.from_numpy(a[part]) for name, a in examples.items()}


@torch.no_grad()
def evaluate(model: Trainable, examples: Examples, rounding: bool) -> float:
    """Mean bits per sub-pixel."""
    total, count = 0.0, 0
    positions = math.prod(examples["values"].shape[1:-1])  # of an example: a position, or a whole crop
    for batch in batches(examples, max(1, EVALUATED // positions)):
        bits = model.bits(**batch, rounding=rounding)
        total += float(bits.double().sum())
        count += bits.numel()
    return total / count


def start(recipe: Recipe) -> State:
    """A fresh state: weights drawn from the recipe's seed."""
    torch.manual_seed(recipe.seed)
    make = KINDS[recipe.model].make
    model, average = make(recipe.config), make(recipe.config)
    average.load_state_dict(model.state_dict())
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.optimiser.rate, betas=(0.9, 0.99), fused=True)
    return State(model, average, optimiser)


def train(
    recipe: Recipe,
    folders: list[Path],
    checkpoint: Path,
    *,
    resume: bool = False,
    begin_from: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    validate_every: int = 5,
) -> State:
    """Run a recipe to its end.

    Args:
        recipe: what to train, on what, how long.
        folders: pictures.
        checkpoint: file that is replaced after every few rounds.
        resume: go on from the checkpoint.
        begin_from: checkpoint of a smaller network whose function a fresh one takes over.
        report: called after every round.
        validate_every: rounds between validations, each of which writes the checkpoint.

    Raises:
        TrainingError: no data, a checkpoint of another recipe, or a loss that is not a number (the last good
            checkpoint is kept).
    """
    data = Pictures(find_pictures(folders), int(recipe.config["channels"]), recipe.data, recipe.seed)
    if resume:
        state = load(checkpoint, recipe)
    else:
        state = start(recipe)
        state.model.prepare(data.round(0))
        if begin_from is not None:
            _adopt(state.model, begin_from)
        state.average.load_state_dict(state.model.state_dict())
    held_out = examples_of(state.average, data.validation())
    while state.step < recipe.optimiser.steps:
        began = time.monotonic()
        bits = _round(state, recipe, data)
        if not math.isfinite(bits):
            raise TrainingError(
                f"the loss is not a number after step {state.step}",
                remedy=f"the last good checkpoint is {checkpoint}; try a lower rate",
            )
        state.seconds += time.monotonic() - began
        progress = Progress(state.step, recipe.optimiser.steps, state.round, state.seconds, bits)
        last = state.step >= recipe.optimiser.steps
        if state.round % validate_every == 0 or last:
            progress.validation_bits = evaluate(state.average, held_out, rounding=False)
            progress.rounded_bits = evaluate(state.average, held_out, rounding=True)
            state.history.append(asdict(progress))
            save(state, recipe, checkpoint)
        report(progress)
    return state


def _adopt(model: Trainable, path: Path) -> None:
    try:
        model.adopt(load(path).average)
    except (ValueError, AttributeError) as error:
        raise TrainingError(f"cannot be started from: {error}", path=str(path)) from error


def _round(state: State, recipe: Recipe, data: Pictures) -> float:
    """One round of steps; mean training bits."""
    examples = examples_of(state.model, data.round(state.round))
    order = np.random.default_rng([recipe.seed, 2, state.round]).permutation(len(examples["values"]))
    o = recipe.optimiser
    losses = []
    for batch in batches(examples, o.batch, order):
        if state.step >= o.steps:
            break
        for group in state.optimiser.param_groups:
            group["lr"] = rate_at(state.step, recipe)
        loss = state.model.bits(**batch, rounding=state.step >= o.rounding_from * o.steps).mean()
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
        state.optimiser.step()
        decay = min(o.ema, (1 + state.step) / (10 + state.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(state.average.parameters()), list(state.model.parameters()), 1 - decay)
        losses.append(loss.detach())
        state.step += 1
    if not losses:
        raise TrainingError(
            f"a round has {len(order)} positions, a batch {o.batch}", remedy="choose a smaller batch or more crops"
        )
    state.round += 1
    return float(torch.stack(losses).mean())


def save(state: State, recipe: Recipe, path: Path) -> None:
    """Write a checkpoint: safetensors, no pickle; the old one stays until the new one is whole."""
    tensors: dict[str, torch.Tensor] = {}
    for name, module in (("model", state.model), ("average", state.average)):
        tensors |= {f"{name}.{k}": v.contiguous() for k, v in module.state_dict().items()}
    for i, moments in state.optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{k}": v.contiguous() for k, v in moments.items()}
    about = {
        "recipe": recipe.to_dict(),
        "step": state.step,
        "round": state.round,
        "seconds": state.seconds,
        "history": state.history,
    }
    write_atomically(path, save_tensors(tensors, {"arcomp": json.dumps(about)}), overwrite=True)


def load(path: Path, recipe: Recipe | None = None) -> State:
    """Read a checkpoint. With a recipe, it must be the one the checkpoint was made with, but for the number of steps: a
    run whose end is moved goes on at the rate that the longer schedule has there.

    Raises:
        TrainingError: missing, damaged, or of another recipe.
    """
    about, tensors = read_checkpoint(path)
    made_with = Recipe.from_dict(about["recipe"])
    if recipe is not None and recipe != replace(
        made_with, optimiser=replace(made_with.optimiser, steps=recipe.optimiser.steps)
    ):
        raise TrainingError(
            "this checkpoint was made with another recipe",
            path=str(path),
            remedy="resume with that recipe or start a new run",
        )
    state = start(made_with)
    try:
        for name, module in (("model", state.model), ("average", state.average)):
            module.load_state_dict({k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(name + ".")})
    except RuntimeError as error:
        raise TrainingError("the checkpoint's tensors do not fit its recipe", path=str(path)) from error
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for k, v in tensors.items():
        if k.startswith("adam."):
            _, i, what = k.split(".")
            moments.setdefault(int(i), {})[what] = v
    state.optimiser.load_state_dict({"state": moments, "param_groups": state.optimiser.state_dict()["param_groups"]})
    state.step, state.round, state.seconds = about["step"], about["round"], about["seconds"]
    state.history = about["history"]
    return state


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What a checkpoint says of itself, and its tensors.

    Raises:
        TrainingError: missing or damaged.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {})["arcomp"])
            if not isinstance(about, dict) or not about.keys() >= {"recipe", "step", "round", "seconds", "history"}:
                raise ValueError  # another file of tensors, such as frozen weights
            return about, {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise TrainingError("no such checkpoint", path=str(path), remedy="start without --resume") from None
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise TrainingError("not a checkpoint, or damaged", path=str(path), remedy="give another, or none") from error
