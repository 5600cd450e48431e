"""Several processes train one network as one process with the same batch does, up to rounding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from arcomp.errors import TrainingError
from arcomp.training.processes import together
from tests.training.runs import PIXELCNN, shortened, train, weights_of

CHILD = """
import sys
from pathlib import Path
from tests.training.runs import PIXELCNN, shortened, train, weights_of
from safetensors.torch import save_file
from arcomp.training.processes import together
recipe = shortened(PIXELCNN, steps=12, batch=5)
with together("cpu") as team:
    assert team.size == 2
    out = Path(sys.argv[2])
    state = train(recipe, Path(sys.argv[1]), out / f"checkpoint{team.rank}", team=team)
    save_file({k: v.contiguous() for k, v in weights_of(state).items()}, out / f"{team.rank}.safetensors")
"""
RECIPE = """
model = "pixelcnn"
seed = 1
[config]
channels = 1
depth = 1
width = 4
blocks = 1
kernel = 3
[data]
crop = 8
crops = 8
held_out = 4
resampled = 0.0
turned = false
[optimiser]
batch = 8
steps = 6
"""

ROOT = Path(__file__).parents[2]


def torchrun(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run something in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=env, capture_output=True, text=True, cwd=ROOT, timeout=300)


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    folder = tmp_path / "digits"
    folder.mkdir()
    np.save(folder / "a.npy", np.random.default_rng(0).integers(0, 2, (24, 16, 16)).astype(np.uint8))
    return folder


def test_two_are_as_one(digits: Path, tmp_path: Path) -> None:
    """Shares of 3 and 2 of a batch of 5: the same weights in both, near those of one process that has all."""
    child = tmp_path / "child.py"
    child.write_text(CHILD)
    done = torchrun(child, digits, tmp_path)
    assert done.returncode == 0, done.stderr
    mine, other = (load_file(tmp_path / f"{rank}.safetensors") for rank in range(2))
    alone = weights_of(train(shortened(PIXELCNN, steps=12, batch=5), digits, tmp_path / "alone"))
    assert mine.keys() == other.keys() == alone.keys()
    for name, value in alone.items():
        assert torch.equal(mine[name], other[name]), name
        torch.testing.assert_close(mine[name], value, rtol=0, atol=1e-5)
    assert any(not torch.equal(mine[k], torch.zeros_like(v)) for k, v in alone.items())
    assert sorted(p.name for p in tmp_path.glob("checkpoint*")) == ["checkpoint0"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2, but RANK and LOCAL_RANK and MASTER_ADDR and MASTER_PORT are not set"),
        ({"WORLD_SIZE": "2", "RANK": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}, "RANK is 2 of"),
        (
            {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "y"},
            "MASTER_PORT is 'y'",
        ),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two', not a number"),
    ],
)
def test_an_environment_that_is_not_torchruns(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], words: str
) -> None:
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match=words), together("cpu"):
        pass


@pytest.mark.slow
def test_the_command_line_in_two_processes(digits: Path, tmp_path: Path) -> None:
    """One reports and writes; what is wrong is said once."""
    (tmp_path / "tiny.toml").write_text(RECIPE)
    output = tmp_path / "w.safetensors"
    command: list[str | Path] = ["-m", "arcomp", "train", "--recipe", tmp_path / "tiny.toml", digits, "-o", output]
    command.append("--json")
    done = torchrun(*command)
    assert done.returncode == 0, done.stderr
    started, *progress, finished = map(json.loads, done.stdout.splitlines())
    assert started["device"] == "cpu, 2 processes"
    assert [p["step"] for p in progress] == list(range(1, 7))
    assert finished["path"] == str(output)
    done = torchrun(*command)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("arcomp:")]
    assert lines == [f"arcomp: {output}: exists already; -f overwrites it"]
