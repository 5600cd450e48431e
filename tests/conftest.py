"""Settings of all tests, and what several of them start from."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Before torch is imported. Pictures are small here, and a worker runs on each processor: threads would wait for each
# other. Tests of threads ask for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A machine that is busy with something else is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of small colour pictures."""
    from tests.training.runs import save_pictures

    return save_pictures(tmp_path / "photographs")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def binary(folder: Path) -> Path:
    """Weights for pictures of one bit."""
    from arcomp.models.pixelcnn import PixelCNN
    from tests.specimens import layered

    model = layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3)
    model.weights.save(folder / "small.safetensors")
    return folder / "small.safetensors"
