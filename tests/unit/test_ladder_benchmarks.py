"""The commands in benchmarks/ that measure the ladder."""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from arcomp.measure.record import Measurement
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.pixelcnnpp import PixelCNNpp
from arcomp.models.temporal_conv import TemporalConv
from benchmarks import caches, evaluation, fronts, ladder
from tests.contents import pictures
from tests.specimens import layered


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With weights of two families and data for them; it is searched for weights before what is shipped."""
    monkeypatch.setenv("ARCOMP_MODELS", str(tmp_path))
    layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3).weights.save(
        tmp_path / "pixelcnn-digits.safetensors"
    )
    layered(TemporalConv, channels=1, depth=8, width=3, blocks=1, kernel=2).weights.save(tmp_path / "own.safetensors")
    np.save(tmp_path / "digits.npy", np.stack([pictures("noise", (8, 9, 1), 1, s)[..., 0] for s in range(20)]))
    (tmp_path / "notes.txt").write_bytes(b"to be, or not to be: that is the question. " * 20)
    return tmp_path


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_table_of_digits(folder: Path) -> None:
    paths = [str(folder / "digits.npy"), "--models", "pixelcnn-digits", "--json", str(folder / "out.json")]
    said = CliRunner().invoke(ladder.main, ["digits", *paths, "--limit", "12"])
    assert said.exit_code == 0, said.output
    assert "digits.npy, 12 pictures; nats a picture:" in said.output
    (row,) = [cells(line) for line in said.output.splitlines() if line.startswith("| `pixelcnn-digits`")]
    (found,) = [m for m in json.loads((folder / "out.json").read_text()) if m["codec"] == "pixelcnn-digits"]
    assert found["round_trip"]
    assert row[2:5] == [
        f"{bits * np.log(2) / 12:.2f}"
        for bits in (found["nll_bits_float"], found["nll_bits_exact"], 8 * found["bytes"])
    ]
    assert row[-1] == "81.30"


def test_a_table_of_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "ALLOWED_BYTES", 80)  # of so short a file the header is much
    said = CliRunner().invoke(
        ladder.main, ["text", str(folder / "notes.txt"), "--models", str(folder / "own.safetensors")]
    )
    assert said.exit_code == 0, said.output
    names = [cells(line)[0] for line in said.output.splitlines() if line.startswith("| ")]
    assert {"`own`", "gzip -9", "xz -9", "bzip2 -9"} <= set(names)


def test_families_are_in_the_ladders_order(folder: Path) -> None:
    for name in ("gated_pixelcnn-mine", "made-2-mine", "made-mine", "histogram-mine"):
        (folder / f"{name}.safetensors").write_bytes((folder / "pixelcnn-digits.safetensors").read_bytes())
    assert ladder.weights_of("mine") == ["made-mine", "made-2-mine", "gated_pixelcnn-mine", "histogram-mine"]
    said = CliRunner().invoke(ladder.main, ["colour", str(folder / "digits.npy"), "--models", "pixelcnn-digits"])
    assert said.exit_code == 0, said.output
    assert "published" not in said.output  # what was is of CIFAR-10


def test_files_that_are_too_large_are_told_of() -> None:
    usual = Measurement("m", "d", 100, 100, 1, 1064, nll_bits_exact=8000.0, round_trip=True)
    large = Measurement("m", "d", 100, 100, 1, 1066, nll_bits_exact=8000.0, round_trip=True)
    wrong = Measurement("m", "d", 100, 100, 1, 1000, nll_bits_exact=8000.0, round_trip=False, failed=True)
    assert [ladder.remarks([m]) for m in (usual, large, wrong)] == [True, False, False]


def test_parallel_evaluation_is_timed(folder: Path) -> None:
    layered(PixelCNNpp, channels=3, depth=8, mixture=2, width=4, blocks=1, dropout=0).weights.save(
        folder / "pixelcnnpp-colour.safetensors"
    )
    np.save(folder / "some.npy", np.stack([pictures("smooth", (8, 8, 3), 8, seed) for seed in range(3)]))
    said = CliRunner().invoke(evaluation.main, [str(folder / "some.npy"), "--models", "pixelcnnpp", "--limit", "2"])
    assert said.exit_code == 0, said.output
    row = said.output.splitlines()[2].split()
    assert row[:2] == ["pixelcnnpp", "2"]
    assert abs(float(row[4]) / float(row[5]) - 1) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("command", "title"), [(fronts.main, "fronts"), (caches.main, "naive / cached")])
def test_they_run_without_arguments(command: click.Command, title: str) -> None:
    said = CliRunner().invoke(command, [])
    assert said.exit_code == 0, said.output
    assert title in said.output
    assert said.output.index("...") < said.output.index(title)  # something is said before all is measured
