"""Every dependency has a wheel on each platform where it is required: ARM Linux has no constriction, and needs none."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.everywhere.requirements import dependencies, index, resolve

__all__ = ["index"]


class Platform(NamedTuple):
    """What markers see, and the tags of wheels that it takes."""

    system: str
    machine: str
    tags: tuple[str, ...]

    def options(self, python: str) -> list[str]:
        return [f"--python-version={python}", "--implementation=cp", *(f"--platform={tag}" for tag in self.tags)]

    def required(self, python: str) -> list[str]:
        """Requirements whose markers hold here, without markers."""
        seen = {"sys_platform": self.system, "platform_machine": self.machine, "python_version": python}
        seen |= {"platform_python_implementation": "CPython", "extra": ""}
        held = [r for r in dependencies() if r.marker is None or r.marker.evaluate(seen)]
        return [f"{r.name}{r.specifier}" for r in held]


def linux(machine: str) -> Platform:
    tags = [f"manylinux{of}_{machine}" for of in ("2014", "_2_17", "_2_27", "_2_28")]
    return Platform("linux", machine, tuple(tags))


PLATFORMS = {
    "Linux aarch64": linux("aarch64"),
    "Linux x86-64": linux("x86_64"),
    "macOS arm64": Platform("darwin", "arm64", tuple(f"macosx_{of}_0_arm64" for of in (11, 12, 13, 14))),
    "Windows x86-64": Platform("win32", "AMD64", ("win_amd64",)),
}


@pytest.mark.slow
@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("python", ["3.10", "3.13"])
@pytest.mark.parametrize("name", PLATFORMS)
def test_every_dependency_has_a_wheel(name: str, python: str, tmp_path: Path) -> None:
    """With what the dependencies depend on (of torch, not: pip reads its markers as of this machine)."""
    options, required = PLATFORMS[name].options(python), PLATFORMS[name].required(python)
    assert any(r.startswith("numba") for r in required)
    torch = [r for r in required if r.startswith("torch")]
    assert resolve([r for r in required if r not in torch], options, tmp_path) == ""
    assert not torch or resolve(torch, [*options, "--no-deps"], tmp_path) == ""


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_the_check_can_fail(tmp_path: Path) -> None:
    """constriction, if it were required on ARM Linux."""
    assert "constriction" in resolve(["constriction"], PLATFORMS["Linux aarch64"].options("3.11"), tmp_path)


def test_where_constriction_is_required() -> None:
    wanted = {name: any("constriction" in r for r in p.required("3.11")) for name, p in PLATFORMS.items()}
    assert wanted == {"Linux aarch64": False, "Linux x86-64": True, "macOS arm64": True, "Windows x86-64": True}
