"""The dependencies in pyproject.toml, and what pip finds of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


def dependencies(*extras: str) -> list[Requirement]:
    """Those of an installation, and of extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [
        *project["dependencies"],
        *(r for extra in extras for r in project["optional-dependencies"].get(extra, [])),
    ]
    return [Requirement(r) for r in named]


def lowest(requirement: Requirement) -> str:
    """The requirement of its lowest version alone, but for corrections: numba>=0.63 -> numba==0.63.*, 4 -> 4.0.*"""
    (low,) = [s.version for s in requirement.specifier if s.operator == ">="]
    return f"{requirement.name}=={low}{'' if '.' in low else '.0'}.*"


def pip(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-m", "pip", *arguments], capture_output=True, text=True, timeout=1800)


def resolve(requirements: Sequence[str], options: Sequence[str], folder: Path) -> str:
    """What pip says if it cannot install these; nothing is downloaded that is not needed to tell."""
    fixed = ["install", "--dry-run", "--quiet", "--only-binary=:all:", "--ignore-installed", "--target", str(folder)]
    done = pip(*fixed, *options, *requirements)
    return "" if done.returncode == 0 else done.stderr


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Needs a package index."""
    if resolve(["click"], [], tmp_path_factory.mktemp("index")):
        pytest.skip("no package index can be reached")
