"""Checkpoints: all of a run's state in a file of tensors (safetensors: no pickle), from which it goes on exactly."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from arcomp.container.atomic import write_atomically
from arcomp.container.tensors import in_order, part
from arcomp.errors import TrainingError
from arcomp.exact.digest import weights_digest
from arcomp.training.recipes import Recipe
from arcomp.training.state import State, start

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter."""
FREE = ("steps", "minutes", "rate", "batch", "passes")
"""Settings of the optimiser that a run may be resumed with others of."""


def save(state: State, recipe: Recipe, path: Path) -> None:
    """Write a checkpoint; the old one stays until the new one is whole.

    Raises:
        OutputError: it cannot be written (no space, no permission ...); the old one is still there.
    """
    tensors: dict[str, torch.Tensor] = {}
    for name, module in (("model", state.model), ("average", state.average)):
        tensors |= {f"{name}.{k}": v.contiguous() for k, v in module.state_dict().items()}
    for i, parameter in enumerate(state.model.parameters()):
        moments = state.optimiser.state[parameter]
        tensors |= {f"adam.{i}.{k}": v.contiguous() for k, v in moments.items()}
    about = {
        "recipe": recipe.to_dict(),
        "step": state.step,
        "round": state.round,
        "seconds": state.seconds,
        "history": state.history,
        "data": state.data,
    }
    _write(path, about, tensors)


def _write(path: Path, about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    said = {"arcomp": json.dumps(about | {"digest": _digest(tensors, about)})}
    write_atomically(path, in_order(save_tensors(tensors, said)), overwrite=True)


def _digest(tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> str:
    """Of the tensors and of what is said of them."""
    said = json.dumps({k: v for k, v in about.items() if k != "digest"}, sort_keys=True)
    return weights_digest("checkpoint", said, {k: v.cpu().numpy() for k, v in tensors.items()}).hex()


def load(path: Path, recipe: Recipe, device: torch.device | str = "cpu", *, same: bool = True) -> State:
    """Read a checkpoint.

    Args:
        recipe: the one it must have been made with, but for the length of the run and its rate: one whose end is moved
            goes on at the rate that the longer schedule has there, one whose loss was no number can go on at a lower.
        same: whether it must; if not, it must be of the recipe's model.

    Raises:
        TrainingError: missing, damaged, of another model or of another recipe.
    """
    about, tensors = read_checkpoint(path)
    made_with = Recipe.from_dict(about["recipe"])
    check_recipe(made_with, recipe if same else replace(made_with, model=recipe.model), path)
    state = start(made_with, device)
    try:
        parts = {name: part(tensors, name) for name in ("model", "average")}
        state.average.load_state_dict(parts["average"])
        state.model.load_state_dict(parts["model"] or parts["average"])
        for i, parameter in enumerate(state.model.parameters()):
            names = {k: f"adam.{i}.{k}" for k in MOMENTS if f"adam.{i}.{k}" in tensors}
            if names:
                _load_moments(state, parameter, {k: tensors.pop(name) for k, name in names.items()})
        if any(k.startswith("adam.") for k in tensors):
            raise ValueError  # moments of nothing
    except (RuntimeError, KeyError, ValueError) as error:
        raise TrainingError("the checkpoint's tensors do not fit its recipe", path=str(path)) from error
    state.step, state.round, state.seconds = about["step"], about["round"], about["seconds"]
    state.history, state.data = about["history"], about["data"]
    return state


def recipe_of(path: Path) -> Recipe:
    """The recipe that a checkpoint was made with.

    Raises:
        TrainingError: missing, damaged, or not a run that can be.
    """
    return Recipe.from_dict(read_checkpoint(path)[0]["recipe"])


def _load_moments(state: State, parameter: torch.Tensor, moments: dict[str, torch.Tensor]) -> None:
    shapes = {"step": torch.Size(), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
    if any(moments[k].shape != shape or moments[k].dtype != torch.float32 for k, shape in shapes.items()):
        raise ValueError
    state.optimiser.state[parameter] = {k: v.to(parameter.device) for k, v in moments.items()}


def check_recipe(made_with: Recipe, recipe: Recipe, path: Path) -> None:
    """Refuse a checkpoint of another run.

    Raises:
        TrainingError: it was made with another recipe, but for what may differ (:data:`FREE`).
    """
    if made_with.model != recipe.model:
        raise TrainingError(
            f"this is a checkpoint of {made_with.model}, not of {recipe.model}",
            path=str(path),
            remedy="give the checkpoint of that run, or start a new one",
        )
    o = replace(made_with.optimiser, **{name: getattr(recipe.optimiser, name) for name in FREE})
    if replace(made_with, optimiser=o) != recipe:
        raise TrainingError(
            f"this checkpoint was made with another recipe: {_difference(made_with, recipe)}",
            path=str(path),
            remedy="resume with that recipe or start a new run",
        )


def _difference(there: Recipe, here: Recipe) -> str:
    """The first setting in which recipes differ."""
    mine, theirs = _flat(here.to_dict()), _flat(there.to_dict())
    for name in sorted(mine | theirs):
        if mine.get(name) != theirs.get(name) and name.removeprefix("optimiser.") not in FREE:
            return f"{name} {theirs.get(name)} there, {mine.get(name)} here"
    return ""


def _flat(d: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in d.items():
        found |= _flat(value, f"{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def is_checkpoint(path: Path) -> bool:
    """Whether a file says that it is one: those in the repository are called as weights are."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return "recipe" in json.loads((file.metadata() or {})["arcomp"])
    except (SafetensorError, KeyError, TypeError, ValueError, OSError, RecursionError):
        return False


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What a checkpoint says of itself, and its tensors, all of them numbers.

    Raises:
        TrainingError: missing or damaged.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {})["arcomp"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (not a dict)
        if (
            not _makes_sense(about)
            or about.get("digest") != _digest(tensors, about)
            or not all(bool(torch.isfinite(t).all()) for t in tensors.values())
        ):
            raise ValueError  # or another file of tensors, such as frozen weights
        return about, tensors
    except FileNotFoundError:
        raise TrainingError("no such checkpoint", path=str(path), remedy="check the path, or start a new run") from None
    except (SafetensorError, KeyError, TypeError, ValueError, OSError, RecursionError) as error:
        raise TrainingError("not a checkpoint, or damaged", path=str(path), remedy="give another, or none") from error


def _makes_sense(about: Any) -> bool:
    """Whether what a checkpoint says of itself is of the types that it must be."""
    return (
        isinstance(about, dict)
        and isinstance(about.get("recipe"), dict)
        and all(type(about.get(name)) is int and 0 <= about[name] < 2**40 for name in ("step", "round"))
        and type(about.get("seconds")) in (int, float)
        and math.isfinite(about["seconds"])
        and about["seconds"] >= 0
        and isinstance(about.get("history"), list)
        and isinstance(about.get("data"), str)
    )
