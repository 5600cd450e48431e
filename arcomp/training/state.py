"""What changes in a run, and its beginning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from arcomp.training.recipes import Recipe
from arcomp.training.trainable import KINDS, Trainable


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
    make, o = KINDS[recipe.model].make, recipe.optimiser
    model, average = make(recipe.config).to(device), make(recipe.config).to(device)
    average.load_state_dict(model.state_dict())
    average.eval()
    decayed = {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": o.weight_decay}
    others = {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0}
    return State(model, average, torch.optim.AdamW([decayed, others], lr=o.rate, betas=(0.9, 0.99), fused=True))
