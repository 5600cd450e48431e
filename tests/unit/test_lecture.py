"""The lecture: its notebook is the page, its pictures are those that its commands draw, and the commands run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lecture import NOTEBOOK, PAGE, PICTURES, commands, notebook, prepare
from tests.cli.command import said_well, say

TEXT = PAGE.read_text(encoding="utf-8")
LARGEST, FEW = 40_000, 40
"""Bytes of a picture; digits that commands run on here."""
MODELS = {path.stem for path in (PAGE.parents[1] / "models").glob("[!_]*.py")}


def test_the_notebook_is_the_page() -> None:
    """``python -m benchmarks.lecture`` makes it anew."""
    assert NOTEBOOK.read_text(encoding="utf-8") == notebook(TEXT)


def test_every_picture_is_drawn_by_a_command() -> None:
    drawn = {words[words.index("-o") + 1] for words in commands(TEXT) if words[0] == "show"}
    shown = {Path(link).name for link in re.findall(r"\]\((pictures/lecture/[^)]+)\)", TEXT)}
    assert shown == drawn == {path.name for path in PICTURES.iterdir()}
    assert [path.name for path in PICTURES.iterdir() if path.stat().st_size > LARGEST] == []


def test_every_model_of_the_ladder_is_in_it() -> None:
    assert {name for name in MODELS if f"`models/{name}.py`" not in TEXT} == set()


SHORTER = {"--minutes": "0.002", "--steps": None, "--held-out": "4", "-n": None}


def shortened(words: list[str]) -> list[str]:
    """The same command on less: fewer pictures, and hardly a step."""
    found = list(words)
    for i, word in enumerate(words[:-1]):
        if word in SHORTER:
            found[i + 1] = SHORTER[word] or str(-(-int(words[i + 1]) // 50))
    return found


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    for words in commands(TEXT):
        said_well(say(*shortened(words)))
        if words[-1] == "digits.npy":  # fewer, which are evaluated sooner
            np.save("digits.npy", np.load("digits.npy")[:FEW])
