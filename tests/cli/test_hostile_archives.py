"""Archives that somebody made to harm: what they may do to folders, permissions and other members."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from arcomp.container import Member, Original, pack
from arcomp.container.archive import folder as folder_member
from arcomp.container.archive import joined
from arcomp.form import Literal
from tests.cli.command import names, refused, said_well, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and permissions as POSIX has them")
VERBS = (("extract", "-j", "1"), ("decompress", "-j", "1"), ("decompress", "--salvage"))


def member(name: str, content: bytes = b"content", mode: int | None = None) -> bytes:
    original = Original(len(content), hashlib.sha256(content).digest(), name, 1, mode)
    return pack(Member(None, original=original, skeleton=(Literal(content),)))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("verb", VERBS)
class TestOfAnyVerb:
    def test_folders_stay_below(self, folder: Path, verb: tuple[str, ...]) -> None:
        """Links that are there lead neither folders nor what is done to them elsewhere."""
        (folder / "victim").mkdir(mode=0o700)
        before = (folder / "victim").stat()
        (folder / "out").mkdir()
        (folder / "out/link").symlink_to("../victim")
        bad = joined([member("a"), folder_member("link/", 10**18, 0o777), folder_member("link/new/", 1, 0o777)])
        (folder / "bad.arcomp").write_bytes(bad)
        said = say(*verb, "bad.arcomp", "-o", "out/")
        after = (folder / "victim").stat()
        assert (said.status, mode(folder / "victim"), after.st_mtime_ns) == (1, 0o700, before.st_mtime_ns)
        assert not list((folder / "victim").iterdir())
        assert said.err.count("a symbolic link is in the way") == 2
        assert names(folder / "out") == {"a"}

    def test_the_top_folder_is_no_other(self, folder: Path, verb: tuple[str, ...]) -> None:
        """What an archive says of the folder that all is in opens or changes none that is there, nor where it leads."""
        for name in ("victim", "there", "victim/in"):
            (folder / name).mkdir(mode=0o700)
        (folder / "link").symlink_to("victim")
        top = folder_member("/", 1, 0o7777)
        (folder / "bad.arcomp").write_bytes(joined([top, member("a")]))
        goes_on = () if "--salvage" in verb else ("--skip-existing",)
        for out, more in (("there/", ()), ("link/", ()), ("new/", ()), ("there/", goes_on)):
            (folder / out / "a").unlink(missing_ok=True)
            said_well(say(*verb, *more, "bad.arcomp", "-o", out))
        assert [mode(folder / name) for name in ("there", "victim", "victim/in")] == [0o700] * 3
        assert mode(folder / "new") == (0o755 if "--salvage" in verb else 0o777)
        assert ((folder / "new").stat().st_mtime_ns, (folder / "victim").stat().st_mtime_ns > 1) == (1, True)

    def test_no_set_user_id(self, folder: Path, verb: tuple[str, ...]) -> None:
        bad = joined([member("a", mode=0o6755), folder_member("d/", 1, 0o7755), member("d/b", mode=0o4711)])
        (folder / "bad.arcomp").write_bytes(bad)
        said_well(say(*verb, "bad.arcomp", "-o", "out/"))
        assert [mode(folder / "out" / name) for name in ("a", "d", "d/b")] == [0o755, 0o755, 0o711]

    def test_a_name_for_a_file_and_a_folder(self, folder: Path, verb: tuple[str, ...]) -> None:
        bad = joined([member("a"), folder_member("a/", 1, 0o755), member("z", b"precious")])
        (folder / "bad.arcomp").write_bytes(bad)
        said = say(*verb, "bad.arcomp", "-o", "out/")
        assert (said.status, len(said.lines)) == (1, 1)
        assert "out/a" in said.err
        assert (folder / "out/z").read_bytes() == b"precious"
        assert mode(folder / "out/a") == 0o644 or (folder / "out/a").is_dir()

    def test_a_new_folder_is_as_private_as_the_archive(self, folder: Path, verb: tuple[str, ...]) -> None:
        (folder / "x.arcomp").write_bytes(joined([member("a", mode=0o644), member("d/b", mode=0o644)]))
        (folder / "x.arcomp").chmod(0o600)
        said_well(say(*verb, "x.arcomp", "-o", "out/"))
        assert (mode(folder / "out"), mode(folder / "out/a")) == (0o700, 0o644)


def test_names_of_unfinished_files(folder: Path) -> None:
    """They would be removed by the next run."""
    name = ".arcomp-0123456789abcdef.part"
    (folder / "bad.arcomp").write_bytes(joined([member(name), member("z")]))
    refused(say("extract", "bad.arcomp", "-o", "out", "-j", "1"), "is a name of unfinished files, which are removed")
    assert names(folder / "out") == {"z"}


def test_odd_names_come_back_and_are_not_printed(folder: Path) -> None:
    name = "d/a\x1b[31m\nb\u202ec"
    (folder / "x.arcomp").write_bytes(joined([member(name)]))
    said = said_well(say("extract", "x.arcomp", "-o", "out", "-j", "1"))
    assert names(folder / "out") == {name}
    for printed in (said, say("list", "x.arcomp"), say("list", "--json", "x.arcomp")):
        assert not set(printed.out.decode()) & set("\x1b\u202e")
