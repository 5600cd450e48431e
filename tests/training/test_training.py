"""Training: models learn, and are frozen to weights that code what they learnt."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arcomp.contract import registry
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError, OutputError, TrainingError
from arcomp.training import loop
from arcomp.training.checkpoint import load
from arcomp.training.finish import finish
from arcomp.training.loader import examples_of
from arcomp.training.recipes import Recipe
from arcomp.training.schedule import moment
from arcomp.training.sources import gather
from arcomp.training.state import start
from tests.coded import decode, encode
from tests.training.runs import PHOTO, PIXELCNN, RECIPE, TEXT, shortened, train, weights_of


def test_training_learns_and_freezes(photographs: Path, tmp_path: Path) -> None:
    reports: list[loop.Progress] = []
    state = train(RECIPE, photographs, tmp_path / "c", report=reports.append, validate_every=1)
    data, fresh = gather(RECIPE, [photographs]), start(RECIPE).average
    untrained = loop.evaluate(fresh, examples_of(fresh, data.validation()), rounding=False)
    assert reports[-1].validation_bits is not None
    assert reports[-1].validation_bits < untrained - 0.3
    assert (reports[-1].step, reports[-1].part) == (80, 1)
    done = finish(state, RECIPE, data, tmp_path / "w.safetensors")
    model = registry.load(str(tmp_path / "w.safetensors"))
    assert model.digest.hex() == done.digest
    assert done.exact_bits == pytest.approx(done.float_bits, rel=0.02)
    assert done.coded_bits > done.exact_bits
    with pytest.raises(OutputError):
        finish(state, RECIPE, data, tmp_path / "w.safetensors")


def test_photo_is_trained_and_its_mixing_stage_learns(photographs: Path, tmp_path: Path) -> None:
    state, data = train(PHOTO, photographs, tmp_path / "c", validate_every=1), gather(PHOTO, [photographs])
    done = finish(state, PHOTO, data, tmp_path / "w.safetensors")
    weights = Weights.load(tmp_path / "w.safetensors")
    assert weights.digest.hex() == done.digest
    assert weights.arrays["3.mixer"].any()
    assert weights.arrays["3.prior"].any()
    assert set(weights.layers) >= {"3.trunk.0", "3.hidden.2", "3.heads.0", "3.mixture.1", "3.stream"}
    assert done.exact_bits == pytest.approx(done.float_bits, rel=0.01)
    assert state.history[-1]["validation_bits"] == pytest.approx(done.float_bits)
    again = finish(load(tmp_path / "c", PHOTO), PHOTO, data, tmp_path / "again.safetensors")
    assert again.digest == done.digest


def test_a_network_of_layers_is_trained_on_arrays(tmp_path: Path) -> None:
    """Stripes, so that all but a position's first look is known."""
    phase = np.random.default_rng(0).integers(0, 4, (24, 1, 1))
    stripes = ((np.arange(16)[None, None, :] + np.arange(16)[None, :, None] + phase) % 4 < 2).astype(np.uint8)
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    np.save(arrays / "a.npy", stripes[:12])
    np.savez(arrays / "b.npz", one=stripes[12:18], two=stripes[18:, ..., None])
    recipe = replace(PIXELCNN, optimiser=replace(PIXELCNN.optimiser, steps=90))
    state = train(recipe, arrays, tmp_path / "c", validate_every=10)
    assert state.history[-1]["validation_bits"] < 0.3
    done = finish(state, recipe, gather(recipe, [arrays]), tmp_path / "w.safetensors")
    assert done.exact_bits == pytest.approx(done.float_bits, abs=0.003)
    model = registry.load(str(tmp_path / "w.safetensors"))
    pixels = stripes[:3, ..., None]
    encoded = encode(pixels, 1, model)
    assert np.array_equal(decode(encoded.data, model=model)[0], pixels)
    assert set(Weights.load(tmp_path / "w.safetensors").layers) >= {"1x1.first", "1x1.sum.0", "1x1.masses.0"}
    with pytest.raises(ModelError, match="1 channel of 1 bit"):
        encode(pixels * 200, 8, model)


def test_a_sequence_model_learns_text(tmp_path: Path) -> None:
    """Two letters in turn: half a bit is far below the one that their frequencies cost."""
    (tmp_path / "letters.txt").write_bytes(b"ab" * 1000)
    state, data = train(TEXT, tmp_path / "letters.txt", tmp_path / "c"), gather(TEXT, [tmp_path / "letters.txt"])
    done = finish(state, TEXT, data, tmp_path / "w.safetensors")
    assert data.unit == "character"
    assert done.float_bits < 0.3
    assert done.exact_bits == pytest.approx(done.float_bits, abs=0.02)
    assert done.exact_bits < done.coded_bits
    model = registry.load(str(tmp_path / "w.safetensors"))
    text = np.frombuffer(b"ab" * 100, np.uint8).reshape(1, 1, 200, 1)
    encoded = encode(text, 8, model, tile=(1, 200))
    assert encoded.bits_per_subpixel < 3
    assert np.array_equal(decode(encoded.data, model=model)[0], text)


def test_samples_that_a_network_does_not_take(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="8 bits, the recipe's network takes 1"):
        train(PIXELCNN, photographs, tmp_path / "c")


def test_networks_are_joined(photographs: Path, tmp_path: Path) -> None:
    """A network for gray beside one for colour: the other's arrays and digests are kept as they are."""
    short = shortened(PHOTO, steps=4)
    colour, gray = (replace(short, config={**short.config, "channels": c}) for c in (3, 1))
    first, second = tmp_path / "colour.safetensors", tmp_path / "both.safetensors"
    finish(train(colour, photographs, tmp_path / "c"), colour, gather(colour, [photographs]), first)
    finish(train(gray, photographs, tmp_path / "g"), gray, gather(gray, [photographs]), second, join=first)
    alone, both = Weights.load(first), Weights.load(second)
    assert set(both.config["networks"]) == {"1", "3"}
    assert {k: v for k, v in both.layers.items() if k.startswith("3.")} == alone.layers
    for name, a in alone.arrays.items():
        assert np.array_equal(both.arrays[name], a)
    assert {k.split(".")[0] for k in both.arrays} == {"1", "3"}
    with pytest.raises(TrainingError, match="not of context"):
        finish(start(RECIPE), RECIPE, gather(RECIPE, [photographs]), tmp_path / "x.safetensors", join=first)


def test_a_batch_larger_than_a_round(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="batch"):
        train(shortened(RECIPE, batch=100000), photographs, tmp_path / "c")


def test_products_in_bfloat16(photographs: Path, tmp_path: Path) -> None:
    """Other weights, about as good."""
    short = shortened(RECIPE, steps=40)
    exact, rough = (
        train(r, photographs, tmp_path / name) for name, r in (("f", short), ("b", shortened(short, bf16=True)))
    )
    assert all(v.dtype == torch.float32 for v in rough.average.parameters())
    assert not torch.equal(*(next(iter(s.average.parameters())) for s in (exact, rough)))
    assert rough.history[-1]["validation_bits"] == pytest.approx(exact.history[-1]["validation_bits"], rel=0.02)


def test_weights_decay_and_biases_do_not() -> None:
    """Without a gradient a step is the decay alone: AdamW, not Adam with a penalty."""
    recipe = shortened(RECIPE, weight_decay=0.5, rate=0.1)
    state = start(recipe)
    before = weights_of(state)
    for p in state.model.parameters():
        p.grad = torch.zeros_like(p)
    state.optimiser.step()
    for name, value in state.model.named_parameters():
        expected = before[f"model.{name}"] * (1 - 0.1 * 0.5 if value.ndim > 1 else 1)
        assert torch.allclose(value, expected), name


def test_a_schedule_follows_the_steps_or_the_clock() -> None:
    o = RECIPE.optimiser
    assert [moment(o, step, 1e9).part for step in (0, 40, 80)] == [0, 0.5, 1]
    assert moment(o, 0, 0).rate == pytest.approx(o.rate / 5)
    assert moment(o, 5, 0).rate == pytest.approx(o.rate)
    assert moment(o, 80, 0).rate == pytest.approx(o.rate / 200)
    assert [moment(o, step, 0).rounding for step in (47, 48)] == [False, True]
    clock = shortened(RECIPE, minutes=2.0).optimiser
    assert [moment(clock, 10**6, seconds).part for seconds in (0, 60, 200)] == [0, 0.5, 1]
    assert moment(clock, 10**6, 60).rate == pytest.approx(o.rate * (0.005 + 0.995 / 2))
    assert [moment(clock, 1, seconds).rounding for seconds in (71, 73)] == [False, True]


def test_long_rounds_are_reported_and_kept(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock, not by rounds alone; which changes nothing of what is learnt."""
    plain = train(RECIPE, photographs, tmp_path / "a", validate_every=10**6)
    reports: list[loop.Progress] = []
    monkeypatch.setattr(loop, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(loop, "KEEP_EVERY", 0.0)
    state = train(RECIPE, photographs, tmp_path / "b", report=reports.append, validate_every=10**6)
    assert len(plain.history) == 1  # at the end
    assert len(state.history) == state.round > 1
    within = [r.step for r in reports if r.validation_bits is None]
    assert within == list(range(1, state.step))  # the last step ends its round
    assert len(reports) == len(within) + state.round
    others = weights_of(plain)
    assert all(torch.equal(a, others[name]) for name, a in weights_of(state).items())


def test_a_run_by_the_clock_ends_by_it(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes each time the clock is read; a minute is so many steps, and the rest of it after resuming."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    recipe, reports = shortened(RECIPE, minutes=1.0), list[loop.Progress]()

    class StopError(Exception):
        pass

    def stop(progress: loop.Progress) -> None:
        reports.append(progress)
        if progress.round == 1:
            raise StopError

    with pytest.raises(StopError):
        train(recipe, photographs, tmp_path / "c", report=stop, validate_every=1)
    state = train(recipe, photographs, tmp_path / "c", report=reports.append, resume=True, validate_every=1)
    assert 60 <= state.seconds < 66
    assert reports[0].step < state.step < 60
    assert [r.steps for r in reports] == [None] * len(reports)
    assert [r.part for r in reports] == sorted(r.part for r in reports)
    assert reports[-1].part == 1


def test_the_end_by_the_clock_is_kept(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between whichever two of its readings the time is over."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    for seconds in range(37, 43):  # the first round takes 39
        recipe, path = shortened(RECIPE, minutes=seconds / 60), tmp_path / str(seconds)
        state = train(recipe, photographs, path, validate_every=10**6)
        assert load(path, recipe).step == state.step


@pytest.mark.parametrize("recipe", [PHOTO, RECIPE])
def test_a_run_begins_from_another_network(photographs: Path, tmp_path: Path, recipe: Recipe) -> None:
    """As it, where it has the same shape; with another seed's data."""
    short = shortened(recipe, steps=12)
    first = train(short, photographs, tmp_path / "first")
    silent = replace(shortened(recipe, steps=1, rate=1e-9), seed=recipe.seed + 1)
    begun = train(silent, photographs, tmp_path / "begun", begin_from=str(tmp_path / "first"))
    assert begun.step == 1
    for name, a in first.average.state_dict().items():
        assert torch.allclose(a, begun.model.state_dict()[name], atol=1e-6), name


def test_a_wider_photo_network_begins_as_a_smaller_one(photographs: Path, tmp_path: Path) -> None:
    first = train(shortened(PHOTO, steps=40), photographs, tmp_path / "first")
    config = PHOTO.config | {"trunk": (24, 16), "head": 12}
    wide = replace(shortened(PHOTO, steps=1, rate=1e-9), config=config)
    begun = train(wide, photographs, tmp_path / "begun", begin_from=str(tmp_path / "first"))
    crops = examples_of(begun.average, gather(wide, [photographs]).validation())
    found, expected = (loop.evaluate(net.eval(), crops, rounding=False) for net in (begun.model, first.average))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("recipe", "other"), [(RECIPE, {"head": 12}), (PHOTO, {"head": 4}), (PHOTO, {"mixture": 3})])
def test_what_cannot_be_begun_from_is_refused(
    photographs: Path, tmp_path: Path, recipe: Recipe, other: dict[str, int]
) -> None:
    train(shortened(recipe, steps=2), photographs, tmp_path / "first")
    changed = replace(recipe, config=recipe.config | other)
    with pytest.raises(TrainingError, match="first: cannot be started from"):
        train(changed, photographs, tmp_path / "c", begin_from=str(tmp_path / "first"))
    assert not (tmp_path / "c").exists()
