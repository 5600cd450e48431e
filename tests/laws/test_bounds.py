"""Compiled code never indexes by what a file says without a check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("patterns", [("*.arcomp",)], ids=["all"])
def test_no_index_is_outside_of_its_array(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    """All vectors damaged, by code that checks each index; compiling that takes minutes."""
    own = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "tests.laws.bounds", *patterns], cwd=ROOT, env=own, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) > 500
