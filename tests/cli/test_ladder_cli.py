"""Each model of the ladder through the command line, as its recipes have it: pictures come back, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from arcomp.training import recipes
from arcomp.training.trainable import trainer_of
from tests.cli.command import refused, say
from tests.specimens import SIZES

ROOT = Path(__file__).parents[1]


def colour(path: Path) -> None:
    """32 x 32, RGB."""
    with Image.open(ROOT / "pictures" / "lighthouse.png") as picture:
        picture.crop((60, 100, 92, 132)).save(path)


def photograph(path: Path) -> None:
    """451 x 300, RGB."""
    with Image.open(ROOT / "pictures" / "lighthouse.png") as picture:
        picture.resize((451, 300)).save(path)


def digit(path: Path) -> None:
    """28 x 28, black and white."""
    y, x = np.mgrid[:28, :28]
    Image.fromarray(abs(np.hypot(y - 14, x - 14) - 8) < 1.5).save(path)


INPUTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "colour": (colour, "colour"),
    "photograph": (photograph, "colour"),
    "digit": (digit, "digits"),
}
"""What is coded, and the family of weights that takes it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, and fresh weights of every recipe for pictures."""
    folder = tmp_path_factory.mktemp("ladder")
    for name, (save, _) in INPUTS.items():
        save(folder / f"{name}.png")
    for name in recipes.names():
        model, _, family = name.rpartition("-")
        if model in SIZES and family in ("colour", "digits"):
            torch.manual_seed(0)
            recipe = recipes.find(name)
            trainer = trainer_of(recipe.model)
            trainer.freeze({recipe.channels: trainer.start(recipe.config)}).save(folder / f"{name}.safetensors")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("family", ["colour", "digits"])
@pytest.mark.parametrize("model", SIZES)
def test_pictures_come_back_or_are_refused(
    model: str, family: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCOMP_MODELS", str(folder))
    weights, picture = folder / f"{model}-{family}.safetensors", folder / f"{name}.png"
    if not weights.exists():
        pytest.skip(f"{model} has no recipe for {family}")
    coded, back = folder / f"{model}-{family}-{name}.arcomp", folder / f"{model}-{family}-{name}.png"
    said = say("compress", "-m", weights, picture, "-o", coded)
    if family != INPUTS[name][1]:
        refused(said, "takes")
        assert not coded.exists()
        return
    assert said.status == 0, said.err
    assert say("decompress", coded, "-o", back).status == 0
    with Image.open(picture) as given, Image.open(back) as found:
        assert given.mode == found.mode
        assert np.array_equal(np.asarray(given), np.asarray(found))
    print(f"{model:20s} {name:10s} {picture.stat().st_size:7d} -> {coded.stat().st_size:7d} bytes, the same pixels")


def test_every_model_has_a_recipe_for_pictures() -> None:
    made = {name.rpartition("-")[0] for name in recipes.names() if name.endswith(("-colour", "-digits"))}
    assert set(SIZES) <= made
