"""On a CUDA device every model gives the same bytes, and trains as on the processor. Skipped where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arcomp import doctor
from arcomp.contract.model import Model
from arcomp.training import recipes, step
from arcomp.training.finish import finish
from arcomp.training.loader import examples_of
from arcomp.training.processes import Team
from arcomp.training.recipes import Recipe
from arcomp.training.schedule import Moment
from arcomp.training.sources import gather
from arcomp.training.state import start
from arcomp.training.trainable import trainer_of
from tests.coded import decode, encode
from tests.contents import pictures
from tests.specimens import LEARNERS, MODELS
from tests.training.runs import PHOTO, RECIPE, shortened, train, weights_of

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")]
CUDA = torch.device("cuda")
SPECIMENS: dict[str, tuple[Callable[[], Model], int, int]] = {
    **MODELS,
    **{name: (make, channels, 8) for name, (make, channels) in LEARNERS.items()},
}


@pytest.mark.parametrize("content", ["smooth", "noise", "extreme"])
@pytest.mark.parametrize("name", SPECIMENS)
def test_files_are_the_same(name: str, content: str) -> None:
    make, channels, depth = SPECIMENS[name]
    model = make()
    pixels = np.stack([pictures(content, (16, 16, channels), depth, seed) for seed in range(3)])
    here, there = (encode(pixels, depth, model, device=device) for device in ("cpu", "cuda"))
    assert there.data == here.data
    assert np.array_equal(decode(there.data, model=model)[0], pixels)


@pytest.mark.parametrize("name", MODELS)
def test_naive_decoder(name: str) -> None:
    make, channels, depth = MODELS[name]
    model = make()
    pixels = pictures("noise", (4, 5, channels), depth)[None]
    assert np.array_equal(decode(encode(pixels, depth, model).data, model=model, naive=True, device="cuda")[0], pixels)


def test_layers_of_shipped_models() -> None:
    assert [f for f in doctor.examine("cuda") if not f.ok] == []


@pytest.mark.parametrize("name", SPECIMENS)
def test_float_evaluation(name: str) -> None:
    make, channels, depth = SPECIMENS[name]
    model = make()
    pixels = np.stack([pictures("smooth", (16, 16, channels), depth, seed) for seed in range(2)])
    here, there = (model.float_bits(pixels, depth, device) for device in ("cpu", "cuda"))
    assert there == (here if here is None else pytest.approx(here, rel=1e-3))


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_a_step_there(name: str) -> None:
    """Bits and gradients are those of the processor, but for the rounding of floats."""
    recipe = recipes.find(name)
    trainer = trainer_of(recipe.model)
    sizes = trainer.frame(recipe.config) or (min(32, recipe.data.crop),) * 2
    if recipe.data.kind != "pictures":
        sizes = 1, 64
    crops = [pictures("smooth", (*sizes, recipe.channels), recipe.depth, seed) for seed in range(2)]
    norms, bits = [], []
    for device in ("cpu", "cuda"):
        model = start(recipe, device).average
        model.prepare(crops)
        found = model.bits(False, **{k: a.to(device) for k, a in examples_of(model, crops).items()})
        found.mean().backward()
        bits.append(float(found.detach().mean()))
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
    assert bits[1] == pytest.approx(bits[0], rel=1e-3)
    assert norms[1] == pytest.approx(norms[0], rel=2e-2)
    short = replace(recipe, optimiser=replace(recipe.optimiser, batch=2))
    take = step.stepper(start(short, "cuda"), short, Team(CUDA))
    examples = {k: a[:2].cuda() for k, a in examples_of(model.cpu(), crops).items()}
    for rounding in (False, True):  # steps are recorded, where they are alike
        lost = [float(take(examples, Moment(1e-4, rounding, 0.5))) for _ in range(step.FIRST + 3)]
        assert np.isfinite(lost).all()
        assert lost[-1] < 1.02 * lost[0]


@pytest.mark.parametrize("recipe", [RECIPE, PHOTO])
def test_training(photographs: Path, tmp_path: Path, recipe: Recipe) -> None:
    """It learns what it does on the processor, and goes on there."""
    half = shortened(recipe, steps=recipe.optimiser.steps // 2)
    here = train(half, photographs, tmp_path / "cpu")
    there = train(half, photographs, tmp_path / "cuda", team=Team(CUDA))
    assert there.history[-1]["validation_bits"] == pytest.approx(here.history[-1]["validation_bits"], rel=0.02)
    state = train(recipe, photographs, tmp_path / "cuda", resume=True)
    assert next(state.model.parameters()).device.type == "cpu"
    done = finish(state, recipe, gather(recipe, [photographs]), tmp_path / "w.safetensors")
    assert done.exact_bits == pytest.approx(done.float_bits, rel=0.02)


@pytest.mark.parametrize(("recipe", "passes"), [(PHOTO, 1), (PHOTO, 3), (RECIPE, 1)])
def test_replayed_steps_are_steps(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, passes: int
) -> None:
    """Recorded and replayed, with rounding and without, as one by one."""
    recipe = shortened(recipe, passes=passes)
    replayed = train(recipe, photographs, tmp_path / "a", team=Team(CUDA))
    monkeypatch.setattr(step, "RecordedStep", step.Step)
    one_by_one = train(recipe, photographs, tmp_path / "b", team=Team(CUDA))
    assert replayed.step == one_by_one.step == recipe.optimiser.steps
    others = weights_of(one_by_one)
    for name, a in weights_of(replayed).items():
        assert torch.allclose(a.double(), others[name].double(), rtol=1e-2, atol=1e-3), name
