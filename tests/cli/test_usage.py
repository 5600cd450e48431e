"""Help, and commands that are not right: quick, in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import refused, say, spawn


class TestHelp:
    @pytest.mark.parametrize("argument", ["--help", "--version"])
    def test_is_quick(self, argument: str) -> None:
        """By what it takes of a processor, so that it does not matter what else is running."""
        taken = []
        for _ in range(3):
            before = os.times()
            assert spawn(argument).returncode == 0
            taken.append(sum(os.times()[2:4]) - sum(before[2:4]))
        assert min(taken) < (0.6 if os.environ.get("CI") else 0.3)

    def test_imports_nothing_heavy(self) -> None:
        code = (
            "import sys; from arcomp.cli import main; main(['--help']); main(['compress', '--help']);"
            "main(['train', '--help']); print([m for m in ('numpy', 'torch', 'numba', 'PIL') if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"

    def test_names_every_verb(self) -> None:
        said = say("--help")
        assert said.status == 0
        for verb in ("compress", "decompress", "test", "info", "models", "train", "doctor"):
            assert f"  {verb} ".encode() in said.out
            assert say(verb, "--help").status == 0

    def test_wrong_usage(self, picture: Path) -> None:
        refused(say("squash"), "squash", 2)
        refused(say("img.png"), "did you mean `arcomp compress img.png`", 2)
        refused(say("compress", terminals=("stdin",)), "name a file", 2)
        refused(say("compress", "-r"), "name a folder", 2)
        refused(say("compress", "--frobnicate", picture), "--frobnicate", 2)
        refused(say("compress", "--threads", "-1", picture), "threads", 2)
        refused(say("compress", "-j", "x", picture), "'x' is not a valid integer", 2)
        refused(say("compress", "--threads", "x", picture), "'x' is not a valid integer;", 2)
        refused(say("sample", "-m", "context", "-o", "-"), "pictures go to a file; name it with -o")
        assert "'x' is not a valid number;" in say("sample", "-m", "context", "--temperature", "x").err
        assert say().status == 2
