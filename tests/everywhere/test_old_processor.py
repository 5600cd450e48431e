"""A processor of 2008 (no AVX, no fused multiply-add), emulated, writes and reads the same files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.everywhere.files import NAMES

ROOT = Path(__file__).parents[2]
QEMU = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
NEHALEM = {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": "+sse4.2,+popcnt"}


def run(folder: Path, emulator: list[str], environment: dict[str, str]) -> str:
    command = [*emulator, sys.executable, "-m", "tests.everywhere.files", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=3000
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(QEMU is None, reason="qemu-x86_64 is not installed")
def test_nehalem_writes_the_same_files(tmp_path: Path) -> None:
    """Kernels are compiled for it without emulation first: the compiler would take an hour."""
    assert QEMU
    run(tmp_path / "files", [], {})
    kernels = {**NEHALEM, "NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "OMP_NUM_THREADS": "1"}
    run(tmp_path / "files", [], kernels)
    said = run(tmp_path / "files", [QEMU, "-cpu", "Nehalem"], kernels)
    assert said.count("the same file, the same samples") == len(NAMES)
