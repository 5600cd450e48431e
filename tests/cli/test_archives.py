"""Archives: made, listed, tested, taken apart; and hostile ones."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from arcomp.container import Member, Original, pack
from arcomp.container.archive import Entry, index_of, joined, read_archive
from arcomp.form import Literal
from tests.cli.command import names, refused, said_well, say
from tests.cli.test_folders import BYTES, folder_d, seen, tree

__all__ = ["folder_d"]


def member(name: str, content: bytes = b"content") -> bytes:
    original = Original(len(content), hashlib.sha256(content).digest(), name)
    return pack(Member(None, original=original, skeleton=(Literal(content),)))


@pytest.fixture
def archive(folder_d: Path, folder: Path) -> Path:
    said_well(say("compress", *BYTES, "-r", "D", "-o", "all.arcomp", "-j", "1"))
    return folder / "all.arcomp"


class TestMaking:
    def test_there_and_back(self, archive: Path, folder_d: Path, folder: Path) -> None:
        with archive.open("rb") as file:
            listed = [entry.name for entry in read_archive(file).entries]
        expected = ["/", "a/", "a/b/", "a/b/.hidden", "a/b/noending", "a/one.txt", "empty/", "empty/inner/", "img.png"]
        assert listed == [*expected, "z.txt.arcomp", "ä.txt"]
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600  # one file in it is private
        said_well(say("extract", "all.arcomp", "-o", "BACK", "-j", "1"))
        assert seen(folder / "BACK") == seen(folder_d)
        said_well(say("decompress", "all.arcomp", "-o", "BACK2", "-j", "2"))
        assert seen(folder / "BACK2") == seen(folder_d)

    def test_by_two_processes_it_is_the_same(self, archive: Path, folder_d: Path, folder: Path) -> None:
        said_well(say("compress", *BYTES, "-r", "D", "-o", "two.arcomp", "-j", "2"))
        assert (folder / "two.arcomp").read_bytes() == archive.read_bytes()
        piped = said_well(say("compress", *BYTES, "-r", "D", "-c", "-j", "1"))
        assert piped.out == archive.read_bytes()
        said_well(say("extract", "-", "-o", "BACK", "-j", "2", stdin=piped.out))
        assert seen(folder / "BACK") == seen(folder_d)

    def test_what_cannot_be(self, archive: Path, folder: Path) -> None:
        refused(say("compress", *BYTES, "-r", "D", "-o", "all.arcomp", "-j", "1"), "all.arcomp: exists already")
        refused(say("compress", *BYTES, "-r", "D", "-o", "x.arcomp", "--rm"), "--rm", 2)
        refused(say("compress", *BYTES, "-r", "D", "-o", "x.arcomp", "--skip-existing"), "whole", 2)
        (folder / "nothing").mkdir()
        refused(say("compress", *BYTES, "-r", "nothing", "-o", "x.arcomp", "-j", "1"), "no file")
        said = say("compress", *BYTES, "none", "nowhere", "-o", "x.arcomp")
        assert (said.status, len(said.lines)) == (1, 3)
        assert not (folder / "x.arcomp").exists()

    def test_joined_by_cat(self, archive: Path, folder: Path) -> None:
        said_well(say("compress", *BYTES, "D/ä.txt", "-o", "one.arcomp"))
        both = (folder / "one.arcomp").read_bytes() + archive.read_bytes()
        (folder / "both.arcomp").write_bytes(both)
        refused(say("decompress", "both.arcomp"), "name a folder with -o, or see `arcomp extract`")
        said = said_well(say("extract", "both.arcomp", "-o", "BACK", "-j", "1"))
        warning = "arcomp: warning: both.arcomp: 1 name in it more than once (ä.txt); the last one of each is taken\n"
        assert said.err == warning
        assert names(folder / "BACK") == names(folder / "D")

    def test_the_last_of_a_name_counts(self, folder: Path) -> None:
        parts = [joined([member("a/b", b"old"), member("c")]), joined([member("a/b", b"new")])]
        (folder / "both.arcomp").write_bytes(b"".join(parts))
        assert said_well(say("extract", "both.arcomp", "a/b", "-c")).out == b"new"
        said = said_well(say("decompress", "both.arcomp", "-o", "x", "-j", "1"))
        assert said.lines == [
            "arcomp: warning: both.arcomp: 1 name in it more than once (a/b); the last one of each is taken"
        ]
        assert (folder / "x/a/b").read_bytes() == b"new"
        assert said_well(say("list", "both.arcomp")).results[-1].endswith("3 files")
        refused(say("decompress", "--crop", "0,0,1,1", "both.arcomp"), "an archive; take the picture out first: `arc")


class TestReading:
    def test_some_of_it(self, archive: Path, folder: Path) -> None:
        said_well(say("extract", "all.arcomp", "a/b", "img.png", "-o", "x", "-j", "1"))
        assert names(folder / "x") == {"a/b/.hidden", "a/b/noending", "img.png"}
        said_well(say("extract", "all.arcomp", "*.txt", "-o", "y", "-j", "1"))
        assert names(folder / "y") == {"a/one.txt", "ä.txt"}
        refused(say("extract", "all.arcomp", "no*", "-o", "y"), "there is no 'no*' in it; see `arcomp list`")
        refused(say("extract", "all.arcomp", "img.png", "-o", "x"), "x/img.png: exists already")
        said = said_well(say("extract", "all.arcomp", "a/one.txt", "-c"))
        assert said.out == (folder / "D/a/one.txt").read_bytes()
        refused(say("extract", "all.arcomp", "a/*", "-c"), "3 are meant", 2)

    def test_list_info_and_test(self, archive: Path) -> None:
        said = said_well(say("list", "all.arcomp"))
        assert [line.split()[-1] for line in said.results[1:4]] == ["/", "a/", "a/b/"]
        assert "2009-02-13 23:31  a/one.txt" in said.out.decode()
        assert said.results[-1].endswith("6 files")
        assert "mode 0600, no model, SHA-256 " in said_well(say("list", "-v", "all.arcomp")).out.decode()
        objects = said_well(say("list", "--json", "all.arcomp")).objects
        assert sum(o["compressed_bytes"] for o in objects) == objects[-1]["offset"] + objects[-1]["compressed_bytes"]
        assert "archive  of 6 files, 5 folders" in said_well(say("info", "all.arcomp")).out.decode()
        assert said_well(say("info", "--json", "all.arcomp")).objects[0]["members"] == 6
        assert said_well(say("test", "all.arcomp", "-j", "1")).results[-1] == "11 files, all ok"

    def test_damage_stays_where_it_is(self, archive: Path, folder: Path) -> None:
        data = bytearray(archive.read_bytes())
        with archive.open("rb") as file:
            (entry,) = (entry for entry in read_archive(file).entries if entry.name == "a/one.txt")
        data[entry.end - 1] ^= 1
        (folder / "bad.arcomp").write_bytes(data)
        for verb in (("test",), ("extract", "-o", "x")):
            said = say(verb[0], "bad.arcomp", *verb[1:], "-j", "1")
            assert (said.status, len(said.lines)) == (1, 1)
            assert said.lines[0].startswith("arcomp: bad.arcomp: a/one.txt: stream 1 of 1 is damaged")
        assert names(folder / "x") == names(folder / "D") - {"a/one.txt"}

    def test_one_of_many(self, folder: Path) -> None:
        """By the index alone: 10,000 headers are not read."""
        each, last = member("d/0", b"0"), member("d/last", b"1")
        entries = [Entry(i * len(each), len(each), f"d/{i}", 1) for i in range(9_999)]
        entries.append(Entry(entries[-1].end, len(last), "d/last", 1))
        (folder / "many.arcomp").write_bytes(each * 9_999 + last + index_of(entries, entries[-1].end))
        began = time.process_time()
        assert said_well(say("extract", "many.arcomp", "d/last", "-c")).out == b"1"
        assert time.process_time() - began < 1


class TestHostile:
    def test_nothing_lands_outside(self, folder: Path) -> None:
        """Names in headers cannot lead out (tests/format); here by what is in the folder, and by the index."""
        (folder / "x").mkdir()
        (folder / "x/out").symlink_to("..")
        (folder / "x/file").symlink_to("../file")
        (folder / "bad.arcomp").write_bytes(joined([member("out/evil"), member("file"), member("good/file")]))
        for options in ((), ("-f",)):
            said = say("extract", "bad.arcomp", "-o", "x", "-j", "1", *options)
            assert said.status == 1
            assert said.err.count("a symbolic link is in the way") == 2
        assert names(folder) == {"bad.arcomp", "x/good/file"}

    def test_an_index_that_lies(self, folder: Path) -> None:
        both = member("one") + member("two")
        first, second = read_archive(both).entries
        for name, words in (
            ("../evil", "its name leads out of the folder"),
            ("three", "index has another name for it"),
        ):
            lies = index_of([first, replace(second, name=name)], len(both))
            (folder / "bad.arcomp").write_bytes(both + lies)
            assert words in say("extract", "bad.arcomp", "-o", "x", "-f", "-j", "1").err
        assert names(folder) == {"bad.arcomp", "x/one"}

    def test_a_file_in_place_of_a_folder(self, folder: Path) -> None:
        (folder / "bad.arcomp").write_bytes(joined([member("a"), member("a/b"), member("c")]))
        said = say("extract", "bad.arcomp", "-o", "x", "-j", "1")
        assert (said.status, len(said.lines)) == (1, 1)
        assert names(folder) == {"bad.arcomp", "x/a", "x/c"}


def test_trees_are_as_they_say(tmp_path: Path) -> None:
    assert seen(tree(tmp_path / "t")) == seen(tmp_path / "t")
    assert os.stat(tmp_path / "t/empty").st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
class TestTop:
    """The folder that an archive is made of."""

    @pytest.fixture
    def packed(self, folder: Path) -> Path:
        (folder / "d/e").mkdir(parents=True)
        (folder / "d/open").write_bytes(b"open")
        (folder / "d/private").write_bytes(b"private")
        for name, mode in (("d/open", 0o644), ("d/private", 0o600), ("d", 0o751)):
            (folder / name).chmod(mode)
        os.utime(folder / "d", ns=(1, 10**18 + 1))
        said_well(say("compress", *BYTES, "-r", "d", "-o", "all.arcomp", "-j", "1"))
        return folder / "all.arcomp"

    @pytest.mark.parametrize("verb", [("extract",), ("decompress",), ("decompress", "-r")])
    def test_comes_back(self, packed: Path, folder: Path, verb: tuple[str, ...]) -> None:
        said_well(say(*verb, "all.arcomp", "-o", "back", "-j", "1"))
        assert seen(folder / "back") == seen(folder / "d")
        assert as_is(folder / "back") == (0o751, 10**18 + 1)
        assert stat.S_IMODE((folder / "back/private").stat().st_mode) == 0o600

    def test_comes_back_from_a_damaged_archive_as_private_as_that(self, packed: Path, folder: Path) -> None:
        data = packed.read_bytes()
        (folder / "cut.arcomp").write_bytes(data[:-10])
        (folder / "cut.arcomp").chmod(0o640)
        say("decompress", "--salvage", "cut.arcomp", "-o", "back/")
        assert as_is(folder / "back") == (0o750, 10**18 + 1)

    def test_is_as_private_as_somebody_made_the_archive(self, packed: Path, folder: Path) -> None:
        (folder / "d/private").unlink()
        said_well(say("compress", *BYTES, "-f", "-r", "d", "-o", "all.arcomp", "-j", "1"))
        packed.chmod(0o644)
        said_well(say("extract", "all.arcomp", "-o", "as-written", "-j", "1"))
        packed.chmod(0o600)
        said_well(say("extract", "all.arcomp", "-o", "private", "-j", "1"))
        assert (as_is(folder / "as-written")[0], as_is(folder / "private")[0]) == (0o751, 0o700)

    def test_one_that_is_there_stays_as_it_is(self, packed: Path, folder: Path) -> None:
        (folder / "back").mkdir(mode=0o700)
        said_well(say("extract", "all.arcomp", "-o", "back", "-j", "1"))
        assert as_is(folder / "back")[0] == 0o700
        said_well(say("extract", "--skip-existing", "all.arcomp", "-o", "back", "-j", "1"))  # it may be of that run
        assert as_is(folder / "back") == (0o700, 10**18 + 1)

    def test_only_it_is_no_archive(self, packed: Path, folder: Path) -> None:
        (folder / "none").mkdir()
        refused(say("compress", *BYTES, "-r", "none", "-o", "n.arcomp"), "there is no file to put into it")


def as_is(path: Path) -> tuple[int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_mtime_ns
