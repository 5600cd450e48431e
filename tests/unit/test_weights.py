"""Weights from elsewhere: damaged, hostile, and found by their digests."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcomp
from arcomp.contract import library, registry
from arcomp.contract.model import BatchSpec
from arcomp.contract.weights_file import Weights
from arcomp.errors import ArcompError, ModelError
from arcomp.models.pixelcnn import PixelCNN
from arcomp.training.finish import frozen
from arcomp.training.state import start
from tests.specimens import batch_of, layered
from tests.training.runs import RECIPE


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    frozen(start(RECIPE), RECIPE.model, list).save(path)
    return path


def test_equal_weights_are_equal_files(weights: Path, tmp_path: Path) -> None:
    for _ in range(4):  # the library has metadata in a new sequence each time
        Weights.load(weights).save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == weights.read_bytes()


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


def test_several_weights_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a digest the file that bears the name alone is taken, with one the file that has it."""
    monkeypatch.setenv("ARCOMP_MODELS", str(tmp_path))
    first, second = (layered(PixelCNN, channels=1, depth=1, width=w, blocks=1, kernel=3).weights for w in (3, 4))
    first.save(tmp_path / f"pixelcnn-small.{first.digest.hex()[:8]}.safetensors")
    second.save(tmp_path / "pixelcnn-small.safetensors")
    assert registry.load("pixelcnn-small").digest == second.digest
    for weights in (first, second):
        assert registry.load("pixelcnn-small", weights.digest).digest == weights.digest
        assert registry.load("pixelcnn", weights.digest[:8]).digest == weights.digest
    with pytest.raises(ModelError, match="with digest"):
        registry.load("pixelcnn-small", bytes(8))


def pixelcnn(path: Path, **more: np.ndarray) -> Path:
    """Weights of a small network, some of its arrays others."""
    good = layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3).weights
    Weights(good.model, good.config, {**good.arrays, **more}).save(path)
    return path


def test_a_family_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of several is meant is not guessed; one alone is, and one that is called just so."""
    monkeypatch.setattr(library, "SHIPPED", tmp_path)
    monkeypatch.delenv("ARCOMP_MODELS", raising=False)
    pixelcnn(tmp_path / "pixelcnn-b.safetensors")
    assert registry.load("pixelcnn").name == "pixelcnn"
    pixelcnn(tmp_path / "pixelcnn-a.safetensors")
    registry._load.cache_clear()
    with pytest.raises(ModelError) as refusal:
        registry.load("pixelcnn")
    assert str(refusal.value) == "there are several weights of model pixelcnn; name one of pixelcnn-a, pixelcnn-b"
    digest = registry.load("pixelcnn-a").digest
    assert registry.load("pixelcnn", digest).digest == digest  # as files name it
    pixelcnn(tmp_path / "pixelcnn.safetensors")
    registry._load.cache_clear()
    assert registry.load("pixelcnn").digest == digest
    assert [path.name for path in library.candidates("pixelcnn", (tmp_path,))] == ["pixelcnn.safetensors"]


@pytest.mark.parametrize("name", ["photo-**", "photo-*", "photo-[a-z]*", "photo-fas?"])
def test_names_are_no_patterns(name: str) -> None:
    with pytest.raises(ModelError, match="is not in"):
        registry.load(name)


def test_weights_of_a_model_that_has_none(tmp_path: Path) -> None:
    path = tmp_path / "h.safetensors"
    Weights("histogram", {"a": 1}, {"weight": np.zeros((2, 2), np.int8)}).save(path)
    with pytest.raises(ModelError, match=r"h\.safetensors: weights of model histogram, which has none"):
        registry.load(str(path))


def test_refusals_name_the_file(tmp_path: Path) -> None:
    """Also those of what is in it, which is looked at when it is used."""
    path = pixelcnn(tmp_path / "w.safetensors", **{"1x1.more": np.zeros(3, np.int8)})
    with pytest.raises(ModelError, match=r"w\.safetensors: .* arrays of no layer"):
        registry.load(str(path)).incremental(BatchSpec(batch_of((2, 2)), 1, 1))  # type: ignore[attr-defined]
    Weights("pixelcnn", {"networks": {}}, {}).save(path)
    with pytest.raises(ModelError, match=r"w\.safetensors: the weights' configuration"):
        registry.load(str(path))
    good = registry.load("context")
    bad = {key: a for key, a in good.weights.arrays.items() if key != "1.trunk.0.bias"}
    Weights("context", good.weights.config, bad).save(path)
    with pytest.raises(ModelError, match=r"w\.safetensors: a layer's bias is missing"):
        registry.load(str(path)).network(1)  # type: ignore[attr-defined]


class TestHub:
    """Addresses of weights on a hub, by a stand-in for the library that fetches them."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str | None]]:
        from arcomp.contract.library import SHIPPED

        asked: list[tuple[str, str, str | None]] = []

        def download(repo: str, file: str, revision: str | None = None) -> str:
            asked.append((repo, file, revision))
            if "absent" in repo:
                raise OSError("404 Client Error: no such repository\nand more")
            return str(SHIPPED / file.rpartition("/")[2])

        standin = types.ModuleType("huggingface_hub")
        standin.hf_hub_download = download  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "huggingface_hub", standin)
        return asked

    def test_weights_are_fetched(self, asked: list[Any]) -> None:
        found = arcomp.load("hf://me/codecs@v1.0/weights/photo-fast.safetensors")
        assert asked == [("me/codecs", "weights/photo-fast.safetensors", "v1.0")]
        assert found.digest == arcomp.load("photo-fast").digest
        arcomp.load("hf://me/codecs/context.safetensors")
        assert asked[1] == ("me/codecs", "context.safetensors", None)
        for revision, asks in (("refs/pr/7", "refs/pr/7"), ("users%2Fme%2Fnew", "users/me/new"), ("1a2b3c", "1a2b3c")):
            arcomp.load(f"hf://me/codecs@{revision}/weights/context.safetensors")
            assert asked[-1] == ("me/codecs", "weights/context.safetensors", asks)

    def test_what_is_damaged_or_not_there_is_refused(
        self, asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from arcomp.contract import library

        data = bytearray((library.SHIPPED / "context.safetensors").read_bytes())
        data[-1] ^= 1
        (tmp_path / "context.safetensors").write_bytes(data)
        monkeypatch.setattr(library, "SHIPPED", tmp_path)
        monkeypatch.setattr(
            sys.modules["huggingface_hub"], "hf_hub_download", lambda *_, **__: str(tmp_path / "context.safetensors")
        )
        with pytest.raises(ModelError, match="their digest is wrong"):
            arcomp.load("hf://me/codecs/context.safetensors")

    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("hf://me/absent/context.safetensors", "cannot be fetched: 404 Client Error: no such repository"),
            ("hf://me/context.safetensors", "no address of weights"),
            ("hf://me/codecs/../../context.bin", "no address of weights"),
        ],
    )
    def test_addresses(self, asked: list[Any], address: str, said: str) -> None:
        with pytest.raises(ModelError, match=said):
            arcomp.load(address)

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(ModelError, match="pip install huggingface_hub"):
            arcomp.load("hf://me/codecs/context.safetensors")
