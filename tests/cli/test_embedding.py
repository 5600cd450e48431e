"""Weights in a compressed file: it is decompressed where they are nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arcomp
from arcomp.container.embedded import weights_of
from arcomp.container.layout import unpack
from arcomp.contract import registry
from arcomp.contract.weights_file import Weights
from arcomp.errors import FormatError, ModelError
from arcomp.salvage import salvage
from arcomp.samples import Pixels
from tests.cli.command import refused, said_well, say
from tests.format import reference
from tests.format.reference_container import read_all


def photograph(seed: int) -> Pixels:
    """Slopes and a little noise [30, 28]."""
    y, x = np.ogrid[:30, :28]
    return np.asarray(40 + 5 * y + x + np.random.default_rng(seed).integers(0, 5, (30, 28)), np.uint8)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Weights that no other test has: those of ``context`` with one bias changed."""
    found = registry.load("context").weights
    arrays = {**found.arrays, "1.trunk.0.bias": found.arrays["1.trunk.0.bias"] + 1}
    path = tmp_path / "mine.safetensors"
    Weights("context", found.config, arrays).save(path)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(2):
        Image.fromarray(photograph(i)).save(folder / f"{i}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def gone(mine: Path) -> None:
    """Remove the weights, and what remembers them."""
    mine.unlink()
    registry._load.cache_clear()
    registry._embedded.clear()


def test_a_file_needs_nothing_else(mine: Path, pictures: Path, tmp_path: Path) -> None:
    picture, with_it, without = pictures / "0.png", tmp_path / "with.arcomp", tmp_path / "without.arcomp"
    said_well(say("compress", picture, "-m", mine, "-o", without))
    said_well(say("compress", picture, "-m", mine, "-o", with_it, "--embed-model"))
    assert with_it.stat().st_size > without.stat().st_size + 80_000
    weights = mine.read_bytes()
    assert reference.restore(with_it.read_bytes()) == picture.read_bytes()
    gone(mine)
    refused(say("decompress", without, "-o", tmp_path / "x.png"), "with digest")
    said_well(say("decompress", with_it, "-o", tmp_path / "back.png"))
    assert (tmp_path / "back.png").read_bytes() == picture.read_bytes()
    assert say("info", "--json", with_it).objects[0]["where"] == ["in the file"]
    assert b", in the file" in say("info", with_it).out
    (section,) = unpack(with_it.read_bytes()).weights
    assert weights_of(section) == weights


def test_an_archive_holds_them_once(mine: Path, pictures: Path, tmp_path: Path) -> None:
    one, archive = tmp_path / "one.arcomp", tmp_path / "all.arcomp"
    said_well(say("compress", pictures / "0.png", "-m", mine, "-o", one, "--embed-model"))
    said_well(say("compress", "-r", pictures, "-m", mine, "-o", archive, "--embed-model"))
    assert archive.stat().st_size < one.stat().st_size + 4000
    weights = mine.read_bytes()
    gone(mine)
    said_well(say("extract", archive, "-o", tmp_path / "back"))
    for file in pictures.iterdir():
        assert (tmp_path / "back" / file.name).read_bytes() == file.read_bytes()
    found = arcomp.open(archive)
    assert sorted(found) == ["0.png", "1.png", "notes.txt"]
    assert found.file("1.png") == (pictures / "1.png").read_bytes()
    assert {member.weights for member in read_all(archive.read_bytes())} == {(weights,)}
    together = one.read_bytes() + archive.read_bytes()
    assert arcomp.open(together).file("1.png") == (pictures / "1.png").read_bytes()


def test_arrays_and_salvage(mine: Path) -> None:
    pixels = photograph(3)
    data = arcomp.compress(pixels, str(mine), embed_model=True)
    gone(mine)
    assert np.array_equal(arcomp.decompress(data).pixels[0, ..., 0], pixels)
    damaged = bytearray(data)
    damaged[-9] ^= 1
    with pytest.raises(FormatError, match="weights in it are damaged"):
        arcomp.decompress(bytes(damaged))
    _, made = salvage(b"junk" * 9 + data)
    assert made.samples is not None
    assert np.array_equal(made.samples.pixels[0, ..., 0], pixels)


def test_weights_that_are_others_than_they_claim(mine: Path) -> None:
    from arcomp.container.embedded import weights_section

    pixels = photograph(4)
    data, own = arcomp.compress(pixels, str(mine)), registry.load(str(mine))
    gone(mine)
    other = registry.load("context").weights.to_bytes()
    with pytest.raises(ModelError, match="others than it says"):
        arcomp.decompress(data + weights_section(other, own.digest))
    assert arcomp.compress(pixels, "histogram", embed_model=True) == arcomp.compress(pixels, "histogram")
