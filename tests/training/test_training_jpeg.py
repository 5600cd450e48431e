"""Training of model ``jpeg``: JPEGs made of pictures, networks that learn from their coefficients, and freeze."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
from PIL import Image

from arcomp.models.jpeg.making import make_file, settings_for
from arcomp.models.jpeg.model import JpegModel
from arcomp.models.jpeg.training import JpegTrainer
from tests.contents import pictures

CONFIG = {"channels": 3, "hidden": [16, 16], "end_hidden": [8, 8], "tables": 12, "bits": 10}


def test_made_files_are_of_many_kinds_and_the_same_again() -> None:
    picture, kinds, tables = pictures("smooth", (96, 96, 3), 8), set(), set()
    for seed in range(40):
        made = make_file(picture, np.random.default_rng(seed))
        assert made == make_file(picture, np.random.default_rng(seed))
        opened = Image.open(io.BytesIO(made))
        kinds.add((opened.mode, opened.size[0] < 96))
        tables.add(tuple(opened.quantization[0]))  # type: ignore[attr-defined]
    assert {mode for mode, _ in kinds} == {"RGB", "L"}
    assert len({smaller for _, smaller in kinds}) == 2
    assert len(tables) > 20


def test_a_network_learns_and_freezes() -> None:
    """It costs less after a few steps, about as much when rounded, and the frozen model is what was trained."""
    torch.manual_seed(0)
    trainer, crops = JpegTrainer(), [pictures("smooth", (40, 40, 3), 8, seed) for seed in range(2)]
    network = trainer.start(CONFIG)
    examples: Any = {name: torch.from_numpy(a) for name, a in network.examples(crops[0]).items()}
    assert {len(a) for a in examples.values()} == {len(examples["values"])}
    assert torch.equal(examples["inputs"], torch.from_numpy(network.examples(crops[0])["inputs"]))
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    costs = []
    for _ in range(25):
        bits = network.bits(rounding=False, **examples).mean()
        optimiser.zero_grad()
        bits.backward()
        optimiser.step()
        costs.append(float(bits.detach()))
    assert costs[-1] < 0.9 * costs[0]
    assert abs(float(network.bits(rounding=True, **examples).mean().detach()) - costs[-1]) < 0.3
    frozen = JpegModel(trainer.freeze({3: network}))
    exact, coded = trainer.measured(frozen, crops)
    assert 0 < exact <= coded < 1.1 * exact
    assert settings_for(crops[0]).random() == settings_for(crops[0]).random()
