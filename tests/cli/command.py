"""The command line, run in this process, and what its tests start from."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from arcomp.cli import main
from tests.contents import pictures

MODEL = ("-m", "histogram")
DIGITS = pictures("noise", (6 * 7, 9, 1), 1).reshape(6, 7, 9)
MANY_DIGITS = np.random.default_rng(1).integers(0, 2, (400, 7, 9), np.uint8)
"""So many that they are worth what a file says about pictures."""
TEXT = (b"It is a truth universally acknowledged, \xe2\x80\x94 that a single \0\xff byte " * 300)[:17001]


def pixels(height: int = 40, width: int = 50, channels: int = 3, seed: int = 0) -> Any:
    """A small picture of few levels, most of them one, of which the histogram makes less than general codecs do."""
    rng = np.random.default_rng(seed)
    samples = (99 + rng.geometric(0.85, (height, width, channels))).astype(np.uint8)
    return samples[:, :, 0] if channels == 1 else samples


def save(path: Path, **kind: int) -> Path:
    Image.fromarray(pixels(**kind)).save(path)
    return path


@dataclass
class Said:
    """What came of a command."""

    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()

    @property
    def results(self) -> list[str]:
        return self.out.decode().splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Stream(io.TextIOWrapper):
    """A standard stream in memory, with its ``buffer``, as the real ones have."""

    def __init__(self, data: bytes = b"", terminal: bool = False) -> None:
        self.held, self.terminal = io.BytesIO(data), terminal
        super().__init__(self.held, "utf-8", newline="", write_through=True)

    def isatty(self) -> bool:
        return self.terminal


def say(*arguments: str | Path, stdin: bytes = b"", terminals: tuple[str, ...] = ()) -> Said:
    """Run a command in this process: starting one takes as long as a hundred of these tests."""
    data = {"stdin": stdin, "stdout": b"", "stderr": b""}
    streams = {name: Stream(held, name in terminals) for name, held in data.items()}
    before = {name: getattr(sys, name) for name in streams}
    try:
        for name, stream in streams.items():
            setattr(sys, name, stream)
        status = main([str(a) for a in arguments])
    finally:
        for name, was in before.items():
            setattr(sys, name, was)
    return Said(status, streams["stdout"].held.getvalue(), streams["stderr"].held.getvalue().decode())


def spawn(*arguments: str | Path, **kwargs: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "arcomp", *(str(a) for a in arguments)]
    return subprocess.run(command, capture_output=True, timeout=120, **kwargs)


def refused(said: Said, words: str, status: int = 1) -> None:
    """One line that says why, and the status."""
    assert said.status == status
    assert len(said.lines) == 1, said.err
    assert said.lines[0].startswith("arcomp: ")
    assert words in said.lines[0]
    assert "Traceback" not in said.err
    assert "internal error" not in said.err


def compressed(picture: Path) -> Path:
    assert say("compress", *MODEL, "-q", picture).status == 0
    return picture.with_name(picture.name + ".arcomp")


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def said_well(said: Said) -> Said:
    assert said.status == 0, said.err
    return said
