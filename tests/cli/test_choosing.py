"""Which inputs are meant: lists, files that are named twice, names that are the program's own, and long ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcomp.cli import many
from tests.cli.command import MODEL, names, refused, said_well, say

CODE = ("compress", *MODEL, "-j", "1")


def test_a_file_is_taken_once(folder: Path) -> None:
    (folder / "a").write_bytes(b"a")
    said_well(say(*CODE, "a", "./a", str(folder / "a"), "-o", "out/"))
    said_well(say(*CODE, "a", "./a", "a", "-o", "x.arcomp"))
    assert len(said_well(say("list", "--json", "x.arcomp")).objects) == 1


def test_lists_with_line_ends_of_windows(folder: Path) -> None:
    (folder / "a").write_bytes(b"a")
    (folder / "b\r").write_bytes(b"b")
    said_well(say(*CODE, "--files-from", "-", "-o", "out", stdin=b"a\r\nb\r\n\r\n"))
    assert names(folder / "out") == {"a.arcomp", "b\r.arcomp"}


def test_nothing_to_do(folder: Path) -> None:
    (folder / "empty").mkdir()
    commands = ((*CODE, "--files-from", "-", "-o", "out"), (*CODE, "-r", "empty", "-o", "out"), ("test", "-r", "empty"))
    for command in commands:
        said = said_well(say(*command))
        assert said.err == "arcomp: warning: there is no file in what was named\n"


def test_files_that_only_look_like_leftovers(folder: Path) -> None:
    (folder / "D").mkdir()
    for name in (".arcomp-notes.part", ".arcomp-0123456789abcdef.part", ".ARCOMP-0123456789abcdef.part"):
        (folder / "D" / name).write_bytes(b"")
    said = said_well(say(*CODE, "-r", "D", "-o", "out"))
    assert "left out: 1 leftover file" in said.results[-1]
    assert names(folder / "out") == {".arcomp-notes.part.arcomp", ".ARCOMP-0123456789abcdef.part.arcomp"}


def test_names_too_long_to_get_an_ending(folder: Path) -> None:
    (folder / "D").mkdir()
    name = "n" * (os.pathconf("D", "PC_NAME_MAX") - 6)
    (folder / "D" / name).write_bytes(b"x")
    refused(say(*CODE, "-r", "D", "-o", "out"), "its name is too long; an archive takes it: -o NAME.arcomp")
    said_well(say(*CODE, "-r", "D", "-o", "x.arcomp"))
    said_well(say("extract", "x.arcomp", "-o", "back", "-j", "1"))
    assert names(folder / "back") == {name}


def test_folders_of_listed_files_are_as_they_were(folder: Path) -> None:
    """Their permissions and times come back, there and in an archive, each once."""
    Path("a/b").mkdir(parents=True)
    for name in ("a/x", "a/b/y", "a/b/z"):
        Path(name).write_bytes(b"some")
    for name, mode, when in (("a/b", 0o700, 10**9), ("a", 0o750, 2 * 10**9)):
        os.chmod(name, mode)
        os.utime(name, (when, when))
    Path("list").write_bytes(b"a/b/y\na/x\n./a/b/z\n")
    said_well(say("compress", "-m", "histogram", "--files-from", "list", "-o", "out/"))
    said_well(say("compress", "-m", "histogram", "--files-from", "list", "-o", "all.arcomp"))
    said_well(say("decompress", "-r", "out", "-o", "back/"))
    said_well(say("extract", "all.arcomp", "-o", "taken"))
    for place in ("out", "back", "taken"):
        for name, mode, when in (("a/b", 0o700, 10**9), ("a", 0o750, 2 * 10**9)):
            found = os.stat(Path(place) / name)
            assert (found.st_mode & 0o777, found.st_mtime) == (mode, when), (place, name)


def test_little_work_is_done_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for it, unless asked for."""
    for name in ("a", "b"):
        Path(name).write_bytes(b"some")
    said_well(say("compress", "-m", "histogram", "a", "b", "-o", "all.arcomp"))
    started: list[int] = []

    def by_processes(*args: Any) -> Iterator[Any]:
        started.append(args[3])
        return many._here(*args)

    monkeypatch.setattr(many, "_by_processes", by_processes)
    said_well(say("extract", "all.arcomp", "-o", "out"))
    assert not started
    said_well(say("extract", "all.arcomp", "-o", "out", "-f", "-j", "2"))
    assert started == [2]
