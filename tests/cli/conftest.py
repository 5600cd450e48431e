"""What the tests of the command line start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import save


@pytest.fixture
def picture(folder: Path) -> Path:
    return save(folder / "img.png")
