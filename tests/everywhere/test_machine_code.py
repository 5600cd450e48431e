"""No kernel's code lets a compiler fuse a product and a sum, for this processor or for others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_kernels_for_other_processors(tmp_path: Path) -> None:
    """In a process of its own, which compiles all anew for the least of processors."""
    command = [sys.executable, "-m", "tests.everywhere.machine_code"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stdout + done.stderr
