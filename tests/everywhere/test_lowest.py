"""The lowest versions that pyproject.toml allows, in an environment of their own, read all vectors."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

from tests.everywhere.requirements import ROOT, dependencies, index, lowest, pip

__all__ = ["index"]
TESTS = ("tests/format/test_vectors.py", "tests/unit/test_coding.py", "tests/laws/test_range_coder.py")
WITH_TORCH = ("tests/unit/test_exact.py", "tests/unit/test_precision.py")
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


@pytest.mark.slow
@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("torch", [False, True], ids=["without torch", "with torch"])
def test_lowest_versions_pass(torch: bool, tmp_path: Path) -> None:
    """Vectors, the coders and, with torch, exact arithmetic."""
    if not torch and any(r.name == "torch" for r in dependencies()):
        pytest.skip("torch is required")
    python = str(tmp_path / "bin" / "python")
    venv.create(tmp_path, with_pip=True)
    found = [r for r in dependencies(*["torch"] * torch) if r.marker is None or r.marker.evaluate()]
    extra = [f"--extra-index-url={CPU_BUILDS}"] if torch else []
    for arguments in (
        [*extra, *map(lowest, found), "pytest", "hypothesis"],
        ["--no-deps", str(ROOT)],
    ):
        done = pip("install", "--quiet", *arguments, python=python)
        assert done.returncode == 0, done.stderr
    # the installed package, not the one in the working directory: tests are read from a copy of their own
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "work" / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, *WITH_TORCH * torch]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
