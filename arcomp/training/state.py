"""What changes in a run, and its beginning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from arcomp.layers.float.linear import Linear
from arcomp.training.recipes import OptimiserPart, Recipe
from arcomp.training.trainable import Trainable, trainer_of

FINE_RATE = 0.1
"""Part of the rate at which weights of many bits change: a step of one is multiplied by how bright the picture is, so
that at the others' rate they would shake all means by more than training gains. At 600 steps of ``subscale``: 4.31 bits
instead of 4.80."""


@dataclass
class State:
    """All of a run that a checkpoint holds.

    Attributes:
        model: what is trained. average: of its weights, the one that is kept.
        optimiser: with the moments of the model's gradients.
        step, round: how many are done. seconds: that they took, with validation and checkpoints.
        history: what was reported at validations.
        data: digest of what it is trained on; "" where a checkpoint of before does not say.
    """

    model: Trainable
    average: Trainable
    optimiser: torch.optim.AdamW
    step: int = 0
    round: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    data: str = ""


def start(recipe: Recipe, device: torch.device | str = "cpu") -> State:
    """A fresh state: weights drawn from the recipe's seed, the same on every device."""
    torch.manual_seed(recipe.seed)
    trainer, o = trainer_of(recipe.model), recipe.optimiser
    model, average = trainer.start(recipe.config).to(device), trainer.start(recipe.config).to(device)
    average.load_state_dict(model.state_dict())
    average.eval()
    return State(model, average, torch.optim.AdamW(_groups(model, o), lr=o.rate, betas=(0.9, 0.99), fused=True))


def _groups(model: torch.nn.Module, o: OptimiserPart) -> list[dict[str, Any]]:
    """Parameters with their weight decay, and their part of the rate."""
    fine = {id(m.weight) for m in model.modules() if isinstance(m, Linear) and m.fine}
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for p in model.parameters():
        kind = o.weight_decay if p.ndim > 1 else 0.0, FINE_RATE if id(p) in fine else 1.0
        groups.setdefault(kind, []).append(p)
    return [{"params": own, "weight_decay": decay, "part": part} for (decay, part), own in groups.items()]
