"""Compiled code that was damaged while it was kept: it is compiled anew, and what is computed stays right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from arcomp.contract import fixed_input, registry
from arcomp.contract.model import Model
from arcomp.errors import ExactnessError
from arcomp.exact import kept
from arcomp.exact.compiled import kernel

ROOT = Path(__file__).parents[2]


def cubes(values: Any) -> int:
    """A sum."""
    total = 0
    for i in range(len(values)):
        total += values[i] ** 3
    return total


def hits(function: Any) -> int:
    """How many versions of a kernel were loaded; it is called first, and has to be right."""
    assert function(np.arange(10)) == 2025
    return sum(function.stats.cache_hits.values())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the kernel, and nothing else."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert hits(kernel()(cubes)) == 0
    assert hits(kernel()(cubes)) == 1
    return tmp_path


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_damaged_files_are_compiled_anew(cache: Path, ending: str) -> None:
    (path,) = cache.rglob(f"*.{ending}")
    whole = path.read_bytes()
    flips = [whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in range(0, len(whole), 401)]
    for damaged in [*flips, b"", whole[:9], whole[:-1], whole + b"x", bytes(len(whole))]:
        path.write_bytes(damaged)
        assert hits(kernel()(cubes)) == 0
        assert hits(kernel()(cubes)) == 1


def test_files_that_lead_to_others(cache: Path) -> None:
    """Undamaged, but no code."""
    (path,) = cache.rglob("*.nbc")
    path.write_bytes(kept._digest(b"none") + b"none")
    assert hits(kernel()(cubes)) == 0
    path.unlink()
    path.mkdir()
    assert hits(kernel()(cubes)) == 0


def test_known_answers_once_for_each_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_folder", lambda: cache / "marks")
    model, asked = registry.load("pixelcnn-digits"), list[int]()
    digests = fixed_input.layer_digests

    def counted(model: Model, channels: int, depth: int) -> dict[str, str]:
        asked.append(channels)
        return digests(model, channels, depth)

    monkeypatch.setattr(fixed_input, "layer_digests", counted)
    for _ in range(2):
        fixed_input.check_answers(model, 1, 1)
    assert len(asked) == 1
    assert hits(kernel()(lambda values: 2025 + 0 * len(values))) == 0  # something new
    fixed_input.check_answers(model, 1, 1)
    assert len(asked) == 2
    kept.forget_answers()
    monkeypatch.setattr(model, "answers", {name: digest[::-1] for name, digest in model.answers.items()})
    forgotten: list[bool] = []
    monkeypatch.setattr(kept, "forget_all", lambda: forgotten.append(True))
    with pytest.raises(ExactnessError, match="compiled code of model pixelcnn computes"):
        fixed_input.check_answers(model, 1, 1)
    assert forgotten == [True]
    assert not list((cache / "marks").iterdir())


@pytest.mark.slow
def test_one_flipped_bit_in_every_file(tmp_path: Path) -> None:
    """Of all kernels that a photograph in a PNG needs: in one after the other of a few, then in all at once."""
    cache, picture = tmp_path / "cache", ROOT / "tests" / "pictures" / "lighthouse.png"
    command = [sys.executable, "-m", "arcomp", "compress", "-q", "-p", "fast", "-f", str(picture), "-o"]

    def run(name: str) -> bytes:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
        done = subprocess.run([*command, str(tmp_path / name)], env=environment, capture_output=True, timeout=600)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        return (tmp_path / name).read_bytes()

    rng = np.random.default_rng(0)

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)

    right = run("right")
    files = sorted(cache.rglob("*.nb?"))
    assert len(files) > 20
    for path in files[::7]:
        flip(path)
        assert run("one") == right
    for path in files:
        flip(path)
    assert run("all") == run("again") == right
