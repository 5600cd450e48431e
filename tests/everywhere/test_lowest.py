"""The lowest versions that pyproject.toml allows, in an environment of their own, read all vectors."""

from __future__ import annotations

import os
import shutil
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
    """Vectors, the coders and, where torch publishes a build of its lowest version for processors, exact arithmetic."""
    python = str(tmp_path / "bin" / "python")
    venv.create(tmp_path, with_pip=True)
    required = [lowest(r) for r in dependencies() if r.marker is None or r.marker.evaluate()]
    if torch:
        (build,) = [lowest(r) for r in dependencies("torch") if r.name == "torch"]
        if pip("install", "--quiet", "--no-deps", f"--index-url={CPU_BUILDS}", build, python=python).returncode:
            pytest.skip(f"no {build} for processors can be reached")
        required += ["filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions"]
    for arguments in ([*required, "pytest", "hypothesis"], ["--no-deps", str(ROOT)]):
        done = pip("install", "--quiet", *arguments, python=python)
        assert done.returncode == 0, done.stderr
    # Beside a copy of the tests: what they import is the installed package, not the one in the repository.
    shutil.copytree(ROOT / "tests", tmp_path / "work" / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "work")
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        "-o",
        "addopts=",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        *TESTS,
        *WITH_TORCH * torch,
    ]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
