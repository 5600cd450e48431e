"""``--rm`` removes what was read, and nothing else; inputs that change meanwhile; outputs that are pipes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arcomp import files
from tests.cli.command import MODEL, names, refused, said_well, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and links as POSIX has them")


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def replaced(path: Path) -> None:
    """By a file of the same size and time."""
    data, found = path.read_bytes(), path.stat()
    path.with_name("other").write_bytes(data)
    os.utime(path.with_name("other"), ns=(found.st_atime_ns, found.st_mtime_ns))
    path.with_name("other").replace(path)


def written(path: Path) -> None:
    path.write_bytes(b"mine, and new")


def turned_into_a_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def turned_into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES = (touched, replaced, written, turned_into_a_link, turned_into_a_folder)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen while a file is being coded."""

    def happens(what: Callable[[], object]) -> None:
        real = files.compress

        def compress(*args: Any, **kwargs: Any) -> Any:
            what()
            return real(*args, **kwargs)

        monkeypatch.setattr(files, "compress", compress)

    return happens


class TestRemoving:
    @pytest.mark.parametrize("change", CHANGES)
    def test_another_file_is_kept(
        self, picture: Path, meanwhile: Callable[[Any], None], change: Callable[[Path], None]
    ) -> None:
        meanwhile(lambda: change(picture))
        refused(say("compress", *MODEL, "-q", "--rm", picture), "")
        assert os.path.lexists(picture)
        assert picture.with_name("img.png.arcomp").exists()

    def test_a_file_that_is_gone(self, picture: Path, folder: Path, meanwhile: Callable[[Any], None]) -> None:
        meanwhile(picture.unlink)
        said_well(say("compress", *MODEL, "--rm", picture))
        assert names(folder) == {"img.png.arcomp"}

    def test_links_are_kept(self, picture: Path, folder: Path) -> None:
        (folder / "link.png").symlink_to("img.png")
        refused(say("compress", *MODEL, "--rm", "link.png"), "is a symbolic link, which --rm does not remove")
        assert names(folder) == {"img.png", "link.png"}
        said_well(say("compress", *MODEL, "link.png"))

    def test_pipes_are_kept(self, picture: Path, folder: Path) -> None:
        os.mkfifo("pipe")
        refused(say("compress", *MODEL, "--rm", "pipe"), "is no regular file, which --rm does not remove")
        writer = threading.Thread(target=lambda: Path("pipe").write_bytes(picture.read_bytes()))
        writer.start()
        said_well(say("compress", *MODEL, "pipe", "-o", "x.arcomp"))
        writer.join()
        said_well(say("decompress", "x.arcomp", "-o", "back.png"))
        assert (folder / "back.png").read_bytes() == picture.read_bytes()
        assert Path("pipe").is_fifo()

    def test_decompressing(self, picture: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said_well(say("compress", *MODEL, "--rm", picture))
        packed, real = folder / "img.png.arcomp", files.restored

        def restored(*args: Any) -> bytes:
            replaced(packed)
            return real(*args)

        monkeypatch.setattr(files, "restored", restored)
        refused(say("decompress", "--rm", packed), "changed or replaced")
        assert names(folder) == {"img.png", "img.png.arcomp"}


def test_an_input_that_changes_while_it_is_read(picture: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from arcomp.cli import inputs

    real = inputs._all_of

    def all_of(file: Any, check: Any) -> bytes:
        data = real(file, check)
        with open(picture, "ab") as more:
            more.write(b"more")
        return data

    monkeypatch.setattr(inputs, "_all_of", all_of)
    refused(say("compress", *MODEL, picture), "img.png: was changed while it was read; try again")
    assert names(folder) == {"img.png"}


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc")
def test_files_that_say_that_they_are_empty(folder: Path) -> None:
    said_well(say("compress", *MODEL, "/proc/version", "-o", "x.arcomp"))
    assert say("decompress", "x.arcomp", "-o", "-").out == Path("/proc/version").read_bytes()


class TestPipesAsOutputs:
    def test_named_ones(self, picture: Path, folder: Path) -> None:
        os.mkfifo("pipe")
        refused(say("compress", *MODEL, "--rm", picture, "-o", "pipe"), "is a pipe, of which nothing can be verified")
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(Path("pipe").read_bytes()))
        reader.start()
        said_well(say("compress", *MODEL, picture, "-o", "pipe"))
        reader.join()
        assert say("decompress", "-", stdin=read[0]).out == picture.read_bytes()
        assert Path("pipe").is_fifo()

    def test_one_that_nobody_reads_any_more(self, picture: Path, folder: Path) -> None:
        os.mkfifo("pipe")
        reader = threading.Thread(target=lambda: open("pipe", "rb").close())
        reader.start()
        said = say("compress", *MODEL, "--bytes", picture, "-o", "pipe")
        reader.join()
        assert said.status in (0, 1)  # it may have been quick
        assert len(said.lines) <= 1

    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
    def test_standard_output_by_its_name(self, picture: Path, name: str) -> None:
        command = [sys.executable, "-m", "arcomp", "compress", *MODEL, "-q", str(picture), "-o", name]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        assert say("decompress", "-", stdin=done.stdout).out == picture.read_bytes()
