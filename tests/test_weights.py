"""Weights from elsewhere: damaged, hostile, and found by their digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import RECIPE

from arcomp.errors import ArcompError, ModelError
from arcomp.models import library, registry
from arcomp.models.weights_file import Weights
from arcomp.training.finish import frozen
from arcomp.training.state import start


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    frozen(start(RECIPE), RECIPE.model, list).save(path)
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
