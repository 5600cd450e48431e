"""Checkpoints: a run goes on as if never stopped, and nothing that was good is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from arcomp.contract.library import SHIPPED
from arcomp.errors import OutputError, TrainingError
from arcomp.training import checkpoint, loop, recipes
from arcomp.training.checkpoint import is_checkpoint, load, read_checkpoint
from arcomp.training.recipes import Recipe
from arcomp.training.schedule import moment
from arcomp.training.step import Step
from tests.training.runs import PIXELCNN, RECIPE, shortened, train, weights_of

CHECKPOINTS = Path(__file__).parents[2] / "models" / "checkpoints"
SHORT = shortened(RECIPE, steps=8)


def test_shipped_ones_are_told_from_weights() -> None:
    """Both end in .safetensors, and a run can begin from either."""
    assert all(is_checkpoint(path) for path in CHECKPOINTS.glob("*.safetensors"))
    assert not is_checkpoint(SHIPPED / "photo-turbo.safetensors")
    assert not is_checkpoint(CHECKPOINTS / "README.md")


def test_resuming_goes_on_exactly(photographs: Path, tmp_path: Path) -> None:
    straight = train(RECIPE, photographs, tmp_path / "a", validate_every=1)

    class StopError(Exception):
        pass

    def stop(progress: loop.Progress) -> None:
        if progress.round == 1:
            raise StopError

    with pytest.raises(StopError):
        train(RECIPE, photographs, tmp_path / "b", report=stop, validate_every=1)
    resumed = train(RECIPE, photographs, tmp_path / "b", resume=True, validate_every=1)
    expected, found = weights_of(straight), weights_of(resumed)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_a_checkpoint_of_another_recipe_is_refused(photographs: Path, tmp_path: Path) -> None:
    train(SHORT, photographs, tmp_path / "c")
    for other, words in (
        (shortened(SHORT, ema=0.5), "another recipe: optimiser.ema 0.9 there, 0.5 here"),
        (shortened(SHORT, bf16=True), "optimiser.bf16 False there, True here"),
        (PIXELCNN, "of context, not of pixelcnn"),
    ):
        with pytest.raises(TrainingError, match=words):
            load(tmp_path / "c", other)
    with pytest.raises(TrainingError, match="of context, not of pixelcnn"):
        load(tmp_path / "c", PIXELCNN, same=False)
    longer = shortened(SHORT, steps=12)
    assert train(longer, photographs, tmp_path / "c", resume=True).step == 12
    assert Recipe.from_dict(read_checkpoint(tmp_path / "c")[0]["recipe"]) == longer
    with pytest.raises(TrainingError, match="no such checkpoint"):
        train(RECIPE, photographs, tmp_path / "missing", resume=True)


def test_recipes_of_before_mean_what_they_meant() -> None:
    """A checkpoint that says nothing of newer settings is of the recipe that says nothing of them."""
    old = SHORT.to_dict()
    for name in ("weight_decay", "bf16", "minutes"):
        del old["optimiser"][name]
    del old["data"]["kind"]
    assert Recipe.from_dict(old) == SHORT


def test_a_checkpoint_may_not_say_of_which_data_it_is(photographs: Path, tmp_path: Path) -> None:
    train(SHORT, photographs, tmp_path / "c")
    assert load(tmp_path / "c", SHORT).data
    longer = shortened(SHORT, steps=9)
    (photographs / "0.png").unlink()
    with pytest.raises(TrainingError, match="made with other data"):
        train(longer, photographs, tmp_path / "c", resume=True)
    _rewritten(tmp_path / "c", lambda about, tensors: about.update(data=""))
    assert train(longer, photographs, tmp_path / "c", resume=True).step == 9


def _rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, torch.Tensor]], None]) -> None:
    """With a digest that is right: what is refused is refused for what it says."""
    about, tensors = read_checkpoint(path)
    del about["digest"]
    change(about, tensors)
    checkpoint._write(path, about, {k: v.contiguous() for k, v in tensors.items()})


def _negative(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    about["step"] = -1


def _text(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    about["seconds"] = "long"


def _no_recipe(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    about["recipe"] = {"model": "context", "seed": 1, "config": [], "data": [], "optimiser": []}


def _missing(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    del tensors["average.trunk.0.weight"]


def _shorter(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.trunk.0.weight"] = tensors["model.trunk.0.weight"][1:]


def _moments(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    tensors["adam.0.exp_avg"] = tensors["adam.0.exp_avg"][:, 1:]


def _half_of_them(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    del tensors["adam.0.exp_avg"]


def _type(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    tensors["adam.0.exp_avg_sq"] = tensors["adam.0.exp_avg_sq"].to(torch.int32)


def _too_many(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    tensors["adam.99.step"] = torch.zeros(())


def _no_number(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    tensors["average.trunk.0.bias"][0] = float("nan")


@pytest.mark.parametrize(
    "change",
    [_negative, _text, _no_recipe, _missing, _shorter, _moments, _half_of_them, _type, _too_many, _no_number],
)
def test_hostile_checkpoints_are_refused(photographs: Path, tmp_path: Path, change: Any) -> None:
    train(SHORT, photographs, tmp_path / "c")
    load(tmp_path / "c", SHORT)
    _rewritten(tmp_path / "c", change)
    with pytest.raises(TrainingError):
        load(tmp_path / "c", SHORT)


def test_damaged_checkpoints_are_refused(photographs: Path, tmp_path: Path) -> None:
    train(SHORT, photographs, tmp_path / "c")
    data = (tmp_path / "c").read_bytes()
    nested = b"[" * 100000
    for bad in (b"", b"\0" * 100, data[:50], data[:-1], len(nested).to_bytes(8, "little") + nested, b"\xff" * 200):
        (tmp_path / "c").write_bytes(bad)
        with pytest.raises(TrainingError, match="damaged"):
            load(tmp_path / "c", SHORT)
    flipped = bytearray(data)
    flipped[-40] ^= 1
    for bad in (bytes(flipped), data.replace(b'\\"step\\": 8', b'\\"step\\": 9', 1)):
        assert bad != data
        (tmp_path / "c").write_bytes(bad)
        with pytest.raises(TrainingError, match="damaged"):
            load(tmp_path / "c", SHORT)


def test_a_checkpoint_of_another_run_is_not_the_last_good_one(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(SHORT, photographs, tmp_path / "c")
    monkeypatch.setattr(Step, "__call__", lambda self, batch, now: torch.tensor(float("nan")))
    with pytest.raises(TrainingError) as caught:
        train(RECIPE, photographs, tmp_path / "c")
    assert "last good" not in str(caught.value)


@pytest.mark.parametrize("where", ["rate", "last gradient"])
def test_a_loss_that_is_not_a_number_stops_and_keeps_the_checkpoint(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Also where a round's losses are numbers, but its last step makes weights of them that are not."""

    def poison(progress: loop.Progress) -> None:
        if progress.round != 1:
            return
        step = Step.__call__

        def poisoned(self: Step, batch: Any, now: Any) -> torch.Tensor:
            bits = step(self, batch, replace(now, rate=float("inf")) if where == "rate" else now)
            if self.state.step == RECIPE.optimiser.steps and where == "last gradient":
                for parameter in self.state.average.parameters():
                    parameter.data.fill_(float("nan"))
            return bits

        monkeypatch.setattr(Step, "__call__", poisoned)

    with pytest.raises(TrainingError, match=r"not a number.*last good checkpoint is .*--resume with a lower --rate"):
        train(RECIPE, photographs, tmp_path / "c", report=poison, validate_every=1)
    kept = load(tmp_path / "c", RECIPE)
    assert kept.round == (1 if where == "rate" else 2)
    assert all(bool(torch.isfinite(v).all()) for v in kept.average.state_dict().values())
    monkeypatch.undo()
    lower = shortened(RECIPE, rate=1e-4)
    assert train(lower, photographs, tmp_path / "c", resume=True).step == RECIPE.optimiser.steps
    assert Recipe.from_dict(read_checkpoint(tmp_path / "c")[0]["recipe"]) == lower


def test_a_full_disk_keeps_the_checkpoint(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    folder.mkdir()

    def fill(progress: loop.Progress) -> None:
        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)

    with pytest.raises(OutputError, match="space"):
        train(RECIPE, photographs, folder / "c", report=fill, validate_every=1)
    assert load(folder / "c", RECIPE).round == 1
    assert os.listdir(folder) == ["c"]


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.safetensors")), ids=lambda path: path.stem)
def test_shipped_checkpoints_can_be_resumed(path: Path) -> None:
    """They are of the recipes in the package, but for how long and in what batches, and at their end."""
    about, _ = read_checkpoint(path)
    state, made_with = load(path, recipes.find(path.stem)), Recipe.from_dict(about["recipe"])
    assert moment(made_with.optimiser, state.step, state.seconds).part == 1
