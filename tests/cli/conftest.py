"""What the tests of the command line start from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.wavenet import WaveNet
from tests.cli.command import save
from tests.specimens import layered


@pytest.fixture
def picture(folder: Path) -> Path:
    return save(folder / "img.png")


@pytest.fixture
def untrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with untrained weights in it."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    layered(WaveNet, channels=1, depth=8, width=4, blocks=2, cycle=2).weights.save(tmp_path / "text.safetensors")
    layered(PixelCNN, channels=1, depth=1, width=4, blocks=1, kernel=3).weights.save(tmp_path / "binary.safetensors")
    return tmp_path
