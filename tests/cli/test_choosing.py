"""Which inputs are meant: lists, files that are named twice, names that are the program's own, and long ones."""

from __future__ import annotations

import os
from pathlib import Path

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
