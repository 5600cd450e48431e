"""Inputs and outputs that fsspec opens by a URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arcomp.batch.urls import is_url
from tests.cli.command import MODEL, refused, said_well, save, say

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def memory() -> Any:
    """A file system in memory, empty."""
    found = fsspec.filesystem("memory")
    found.store.clear()
    yield found
    found.store.clear()


def test_there_and_back(folder: Path, memory: Any) -> None:
    (folder / "D/a").mkdir(parents=True)
    save(folder / "D/a/img.png")
    (folder / "D/note.txt").write_bytes(b"a note")
    said_well(say("compress", *MODEL, "-r", "D", "-j", "1", "-o", "memory://packed/"))
    assert sorted(memory.find("/packed")) == ["/packed/a/img.png.arcomp", "/packed/note.txt.arcomp"]
    assert not (folder / "memory:").exists()
    said_well(say("decompress", "-r", "memory://packed", "-j", "1", "-o", "BACK"))
    assert (folder / "BACK/a/img.png").read_bytes() == (folder / "D/a/img.png").read_bytes()
    assert (folder / "BACK/note.txt").read_bytes() == b"a note"
    said_well(say("decompress", "memory://packed/note.txt.arcomp", "-o", "memory://back.txt"))
    assert memory.cat_file("/back.txt") == b"a note"


def test_nothing_is_overwritten_or_removed(folder: Path, memory: Any) -> None:
    memory.pipe_file("/x.txt", b"text")
    said_well(say("compress", *MODEL, "memory://x.txt"))
    refused(say("compress", *MODEL, "memory://x.txt"), "memory://x.txt.arcomp: exists already")
    said_well(say("compress", *MODEL, "-f", "memory://x.txt"))
    refused(say("compress", *MODEL, "-f", "--rm", "memory://x.txt"), "--rm is for files of this machine", status=2)
    refused(say("compress", *MODEL, "-r", "memory://", "-o", "memory://all.arcomp"), "made on this machine", status=2)
    assert memory.cat_file("/x.txt") == b"text"


def test_what_cannot_be_reached(folder: Path, memory: Any) -> None:
    refused(say("compress", *MODEL, "memory://missing.txt"), "memory://missing.txt: does not exist")
    refused(say("compress", *MODEL, "nosuch://x.txt"), "nosuch://x.txt: cannot be reached")


def test_a_file_that_is_here_is_no_url(folder: Path) -> None:
    (folder / "s3:").mkdir()
    (folder / "s3:/x").write_bytes(b"")
    assert not is_url("s3://x")
    assert is_url("s3://y")
    assert not is_url("C:\\x")
    assert not is_url("x://")
