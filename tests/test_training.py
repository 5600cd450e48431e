"""Training: a run is a function of its recipe and data, goes on as if never stopped, and loses nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from specimens import pictures

import arcomp
from arcomp.container import write_atomically
from arcomp.errors import ArcompError, ModelError, OutputError, TrainingError
from arcomp.models import library, registry
from arcomp.models.weights_file import Weights
from arcomp.pictures import write_picture
from arcomp.training import loop, recipes
from arcomp.training.data import DataConfig, Pictures, find_pictures, mosaic, subsample_chroma
from arcomp.training.finish import finish, frozen
from arcomp.training.recipes import OptimiserPart, Recipe

CHECKPOINTS = Path(__file__).parents[1] / "benchmarks" / "checkpoints"
RECIPE = Recipe(
    "context",
    1,
    {"channels": 3, "trunk": (16, 12), "head": 8, "mixture": 2},
    DataConfig(crop=24, crops=4, held_out=2, resampled=0.5),
    OptimiserPart(batch=64, steps=80, rate=3e-3, warmup=5, ema=0.9, rounding_from=0.6),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(6):
        smooth = pictures("smooth", (30, 40, 3), 8, seed=i)
        write_atomically(folder / f"{i}.png", write_picture(smooth, 8, "png"), overwrite=False)
    return folder


def weights_of(state: loop.State) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in state.average.state_dict().items()}


def test_training_learns_and_freezes(data: Path, tmp_path: Path) -> None:
    reports: list[loop.Progress] = []
    state = loop.train(RECIPE, [data], tmp_path / "c", report=reports.append, validate_every=1)
    fresh = loop.start(RECIPE).average
    held_out = loop.examples_of(fresh, Pictures(find_pictures([data]), 3, RECIPE.data, 1).validation())
    untrained = loop.evaluate(fresh, held_out, rounding=False)
    assert reports[-1].validation_bits is not None
    assert reports[-1].validation_bits < untrained - 0.3
    assert reports[-1].step == 80
    done = finish(state, RECIPE, [data], tmp_path / "w.safetensors")
    model = registry.load(str(tmp_path / "w.safetensors"))
    assert model.digest.hex() == done.digest
    assert done.exact_bits == pytest.approx(done.float_bits, rel=0.02)
    assert done.coded_bits > done.exact_bits
    with pytest.raises(OutputError):
        finish(state, RECIPE, [data], tmp_path / "w.safetensors")


PHOTO = replace(
    RECIPE,
    model="photo",
    config=recipes.find("photo-fast").config | {"trunk": (16, 12), "head": 8, "mixture": 2, "stage": "cheap"},
    data=replace(RECIPE.data, resampled=0.0),
    optimiser=replace(RECIPE.optimiser, steps=60),
)


def test_photo_is_trained_and_its_mixing_stage_learns(data: Path, tmp_path: Path) -> None:
    state = loop.train(PHOTO, [data], tmp_path / "c", validate_every=1)
    done = finish(state, PHOTO, [data], tmp_path / "w.safetensors")
    weights = Weights.load(tmp_path / "w.safetensors")
    assert weights.digest.hex() == done.digest
    assert weights.arrays["3.mixer"].any()
    assert weights.arrays["3.prior"].any()
    assert set(weights.layers) >= {"3.trunk.0", "3.hidden.2", "3.heads.0", "3.mixture.1", "3.stream"}
    assert done.exact_bits == pytest.approx(done.float_bits, rel=0.01)
    assert state.history[-1]["validation_bits"] == pytest.approx(done.float_bits)
    again = finish(loop.load(tmp_path / "c", PHOTO), PHOTO, [data], tmp_path / "again.safetensors")
    assert again.digest == done.digest


PIXELCNN = replace(
    RECIPE,
    model="pixelcnn",
    config={"channels": 1, "depth": 1, "width": 6, "blocks": 1},
    data=DataConfig(crop=16, crops=8, held_out=4, resampled=0.0, turned=False),
    optimiser=OptimiserPart(batch=8, steps=60, rate=5e-3, warmup=5, ema=0.9, rounding_from=0.6),
)


def test_a_network_of_layers_is_trained_on_arrays(tmp_path: Path) -> None:
    """Stripes, so that all but a position's first look is known."""
    phase = np.random.default_rng(0).integers(0, 4, (24, 1, 1))
    stripes = ((np.arange(16)[None, None, :] + np.arange(16)[None, :, None] + phase) % 4 < 2).astype(np.uint8)
    np.save(tmp_path / "a.npy", stripes[:12])
    np.savez(tmp_path / "b.npz", one=stripes[12:18], two=stripes[18:, ..., None])
    state = loop.train(PIXELCNN, [tmp_path], tmp_path / "c", validate_every=10)
    assert state.history[-1]["validation_bits"] < 0.3
    done = finish(state, PIXELCNN, [tmp_path], tmp_path / "w.safetensors")
    assert done.exact_bits == pytest.approx(done.float_bits, abs=0.003)
    model = registry.load(str(tmp_path / "w.safetensors"))
    pixels = stripes[:3, ..., None]
    encoded = arcomp.encode(pixels, 1, model)
    assert np.array_equal(arcomp.decode(encoded.data, model=model)[0], pixels)
    assert set(Weights.load(tmp_path / "w.safetensors").layers) >= {"1x1.first", "1x1.sum.0", "1x1.masses.0"}
    with pytest.raises(ModelError, match="1 channel of 1 bit"):
        arcomp.encode(pixels * 200, 8, model)


@pytest.mark.parametrize(
    "content", [np.zeros((3, 4), np.uint8), np.zeros((2, 3, 4), np.float32), np.zeros((0, 3, 4), np.uint8), None]
)
def test_arrays_that_are_no_pictures(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}], object) if content is None else content, allow_pickle=True)
    with pytest.raises(TrainingError, match="array"):
        loop.train(PIXELCNN, [tmp_path], tmp_path / "c")
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(TrainingError, match="damaged"):
        loop.train(PIXELCNN, [tmp_path], tmp_path / "c")


def test_samples_that_a_network_does_not_take(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="8 bits, the recipe's network takes 1"):
        loop.train(PIXELCNN, [data], tmp_path / "c")


def test_networks_are_joined(data: Path, tmp_path: Path) -> None:
    """A network for gray beside one for colour: the other's arrays and digests are kept as they are."""
    short = replace(PHOTO, optimiser=replace(PHOTO.optimiser, steps=4))
    colour, gray = (replace(short, config={**short.config, "channels": c}) for c in (3, 1))
    first, second = tmp_path / "colour.safetensors", tmp_path / "both.safetensors"
    finish(loop.train(colour, [data], tmp_path / "c"), colour, [data], first)
    finish(loop.train(gray, [data], tmp_path / "g"), gray, [data], second, join=first)
    alone, both = Weights.load(first), Weights.load(second)
    assert set(both.config["networks"]) == {"1", "3"}
    assert {k: v for k, v in both.layers.items() if k.startswith("3.")} == alone.layers
    for name, a in alone.arrays.items():
        assert np.array_equal(both.arrays[name], a)
    assert {k.split(".")[0] for k in both.arrays} == {"1", "3"}
    with pytest.raises(TrainingError, match="not of context"):
        finish(loop.start(RECIPE), RECIPE, [data], tmp_path / "x.safetensors", join=first)


def test_resuming_goes_on_exactly(data: Path, tmp_path: Path) -> None:
    straight = loop.train(RECIPE, [data], tmp_path / "a", validate_every=1)

    class StopError(Exception):
        pass

    def stop(progress: loop.Progress) -> None:
        if progress.round == 1:
            raise StopError

    with pytest.raises(StopError):
        loop.train(RECIPE, [data], tmp_path / "b", report=stop, validate_every=1)
    resumed = loop.train(RECIPE, [data], tmp_path / "b", resume=True, validate_every=1)
    for name, value in weights_of(straight).items():
        assert torch.equal(value, resumed.average.state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_refused(data: Path, tmp_path: Path) -> None:
    short = replace(RECIPE, optimiser=replace(RECIPE.optimiser, steps=8))
    loop.train(short, [data], tmp_path / "c")
    other = replace(short, optimiser=replace(short.optimiser, rate=0.1))
    with pytest.raises(TrainingError, match="another recipe"):
        loop.train(other, [data], tmp_path / "c", resume=True)
    longer = replace(short, optimiser=replace(short.optimiser, steps=12))
    assert loop.train(longer, [data], tmp_path / "c", resume=True).step == 12
    assert Recipe.from_dict(loop.read_checkpoint(tmp_path / "c")[0]["recipe"]) == longer
    with pytest.raises(TrainingError, match="no such checkpoint"):
        loop.train(RECIPE, [data], tmp_path / "missing", resume=True)
    (tmp_path / "damaged").write_bytes(b"\0" * 100)
    with pytest.raises(TrainingError, match="damaged"):
        loop.train(RECIPE, [data], tmp_path / "damaged", resume=True)


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_checkpoint(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poison(progress: loop.Progress) -> None:
        if progress.round == 1:
            monkeypatch.setattr(loop, "rate_at", lambda step, recipe: float("inf"))

    with pytest.raises(TrainingError, match="not a number"):
        loop.train(RECIPE, [data], tmp_path / "c", report=poison, validate_every=1)
    kept = loop.load(tmp_path / "c")
    assert kept.round == 1
    assert all(bool(torch.isfinite(v).all()) for v in kept.average.state_dict().values())


def test_data_that_cannot_be_used(data: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, word in ((empty, "no pictures"), (tmp_path / "nowhere", "no such")):
        with pytest.raises(TrainingError, match=word):
            find_pictures([folder])
    with pytest.raises(TrainingError, match="held out"):
        loop.train(replace(RECIPE, data=replace(RECIPE.data, held_out=6)), [data], tmp_path / "c")
    (data / "bad.png").write_bytes(b"not a picture")
    with pytest.raises(TrainingError, match=r"bad\.png"):
        loop.train(RECIPE, [data], tmp_path / "c")


def test_recipes() -> None:
    for name in recipes.names():
        recipe = recipes.find(name)
        assert Recipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(TrainingError, match="no recipe 'nothing'"):
        recipes.find("nothing")


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("", "model", "histogram"),
        ("", "seed", -1),
        ("", "seed", 1.5),
        ("config", "channels", 2),
        ("config", "mixture", 99),
        ("config", "head", 99999),
        ("config", "trunk", []),
        ("config", "what", 1),
        ("data", "crop", -3),
        ("data", "crops", 0),
        ("data", "held_out", 0),
        ("data", "resampled", 2.0),
        ("optimiser", "batch", 0),
        ("optimiser", "rate", "x"),
        ("optimiser", "rate", 1e30),
        ("optimiser", "ema", float("nan")),
        ("optimiser", "steps", 0),
    ],
)
def test_recipes_with_values_out_of_range(part: str, name: str, value: Any) -> None:
    d = RECIPE.to_dict()
    (d[part] if part else d)[name] = value
    with pytest.raises(TrainingError):
        Recipe.from_dict(d)


def test_a_batch_larger_than_a_round(data: Path, tmp_path: Path) -> None:
    large = replace(RECIPE, optimiser=replace(RECIPE.optimiser, batch=100000))
    with pytest.raises(TrainingError, match="batch"):
        loop.train(large, [data], tmp_path / "c")


@pytest.mark.parametrize(
    "text", ["model = ", "model = 'context'", "model='context'\nseed=1\n[config]\n[data]\nwhat=1\n[optimiser]\n"]
)
def test_bad_recipes(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(TrainingError):
        recipes.find(str(tmp_path / "r.toml"))


def test_rounds_are_reproducible_and_degradations_degrade() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (32, 40, 3)).astype(np.uint8)
    for degrade in (mosaic, subsample_chroma):
        changed = degrade(picture, np.random.default_rng(1))
        assert changed.shape == picture.shape
        assert not np.array_equal(changed, picture)
    flat = np.full((16, 16, 3), 77, np.uint8)
    assert np.array_equal(mosaic(flat, rng), flat)
    assert np.abs(subsample_chroma(flat, rng).astype(int) - 77).max() <= 1


# --- weights from elsewhere -----------------------------------------------------------------------------------------


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    frozen(loop.start(RECIPE), RECIPE.model, list).save(path)
    return path


def test_every_damaged_weights_file_is_refused(weights: Path, tmp_path: Path) -> None:
    data = weights.read_bytes()
    bad = tmp_path / "bad.safetensors"
    rng = np.random.default_rng(0)
    for at in [*range(0, 2000, 37), *rng.integers(0, len(data), 60).tolist()]:
        flipped = bytearray(data)
        flipped[at] ^= 1 << int(rng.integers(8))
        bad.write_bytes(flipped)
        try:
            same = Weights.load(bad)
        except ModelError:
            continue
        good = Weights.load(weights)  # what is neither digest nor weights may change: digests of layers
        assert same.digest == good.digest
    for size in (0, 1, 7, 8, 100, len(data) - 1):
        bad.write_bytes(data[:size])
        with pytest.raises(ModelError):
            Weights.load(bad)


@pytest.mark.parametrize(
    "change",
    [
        {"channels": 2},
        {"trunk": []},
        {"trunk": [10**9]},
        {"trunk": "ab"},
        {"head": -1},
        {"head": 2.5},
        {"mixture": 0},
        {"skew": 1},
        {"what": 1},
        {"trunk": [16, 13]},
    ],
)
def test_hostile_configurations_are_refused(weights: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    good = Weights.load(weights)
    config = {"networks": {"3": {**good.config["networks"]["3"], **change}}}
    path = tmp_path / "h.safetensors"
    Weights(good.model, config, good.arrays).save(path)
    with pytest.raises(ModelError):
        registry.load(str(path)).network(3)  # type: ignore[attr-defined]


def test_deeply_nested_headers_are_refused(tmp_path: Path) -> None:
    header = b"[" * 100000
    path = tmp_path / "context.bad.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert library.digest_of(path) == ""
    with pytest.raises(ModelError):
        Weights.load(path)


def test_a_damaged_copy_does_not_hide_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = registry.load("context")
    data = bytearray((library.SHIPPED / "context.safetensors").read_bytes())
    data[-5] ^= 1
    (tmp_path / "context.safetensors").write_bytes(data)
    monkeypatch.setenv("ARCOMP_MODELS", str(tmp_path))
    assert registry.load("context").digest == good.digest
    assert registry.load("context", good.digest[:8]).digest == good.digest


def test_weights_are_found_by_digest(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Weights.load(weights)
    with pytest.raises(ModelError, match=good.digest.hex()[:16]):
        registry.load("context", good.digest)
    folder = tmp_path / "models"
    folder.mkdir()
    good.save(folder / "context.old.safetensors")
    monkeypatch.setenv("ARCOMP_MODELS", str(folder))
    assert registry.load("context", good.digest).digest == good.digest
    assert registry.load("context", good.digest[:8]).digest == good.digest
    with pytest.raises(ModelError, match="no model 'unheard'"):
        registry.load("unheard")
    with pytest.raises(ArcompError, match="digest"):
        registry.load("histogram", bytes(8))


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("photo-*.safetensors")), ids=lambda path: path.stem)
def test_shipped_checkpoints_can_be_resumed(path: Path) -> None:
    """They are of the recipes in the package, and at their end."""
    about, _ = loop.read_checkpoint(path)
    recipe = recipes.find(path.stem)
    assert Recipe.from_dict(about["recipe"]) == recipe
    assert about["step"] == recipe.optimiser.steps
