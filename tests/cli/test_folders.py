"""Folders and lists of files: mirrored, resumed, by several processes, and back."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import MODEL, Said, names, refused, said_well, save, say

BYTES = (*MODEL, "--bytes")
WHEN = 1_234_567_890_123_456_789


def tree(root: Path) -> Path:
    """A folder of files and folders, private and empty ones too."""
    for i, (name, mode) in enumerate(
        {"a/one.txt": 0o644, "a/b/.hidden": 0o600, "a/b/noending": 0o755, "z.txt.arcomp": 0o444, "ä.txt": 0o640}.items()
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * (i + 1))
        path.chmod(mode)
        os.utime(path, ns=(WHEN + i, WHEN + i))
    save(root / "img.png")
    (root / "empty" / "inner").mkdir(parents=True)
    (root / "empty").chmod(0o700)
    for path in [root / "empty/inner", root / "empty", root / "a/b", root / "a", root]:
        os.utime(path, ns=(WHEN, WHEN))
    return root


def seen(root: Path) -> dict[str, Any]:
    """Everything in a folder: content, mode, time."""
    found = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[path.relative_to(root).as_posix()] = (content, stat.S_IMODE(status.st_mode), status.st_mtime_ns)
    return found


@pytest.fixture
def folder_d(folder: Path) -> Path:
    return tree(folder / "D")


class TestMirrors:
    def test_there_and_back(self, folder_d: Path, folder: Path) -> None:
        said = said_well(say("compress", *BYTES, "-r", "D", "-o", "OUT", "-j", "1"))
        assert said.results[-1].startswith("6 files: ")
        assert {f"{name}.arcomp" for name in names(folder_d)} == names(folder / "OUT")
        said_well(say("decompress", "-r", "OUT", "-o", "BACK", "-j", "1"))
        assert seen(folder / "BACK") == seen(folder_d)

    def test_by_two_processes(self, folder_d: Path, folder: Path) -> None:
        (folder_d / "a/bad.png").symlink_to("nowhere")
        said = say("compress", *BYTES, "-r", "D", "none.txt", "-o", "OUT", "-j", "2", "--json")
        assert said.status == 1
        assert {o["input"] for o in said.objects} == {f"D/{name}" for name in names(folder_d)} | {"none.txt"}
        assert [o["error"] for o in said.objects if "error" in o] == ["none.txt: does not exist; check the path"]
        said_well(say("test", "-r", "OUT", "-j", "2"))
        said_well(say("decompress", "-r", "OUT/D", "-o", "BACK", "-j", "2"))
        (folder_d / "a/bad.png").unlink()
        os.utime(folder_d / "a", ns=(WHEN, WHEN))
        back = seen(folder / "BACK")
        assert back.pop("a")[:2] == (None, 0o755)
        assert back.items() <= seen(folder_d).items()

    def test_without_r(self, folder_d: Path) -> None:
        refused(say("compress", *BYTES, "D"), "D: is a directory; -r takes the files in it")

    def test_what_is_left_out(self, folder_d: Path, folder: Path) -> None:
        (folder_d / "link").symlink_to("a")
        os.mkfifo(folder_d / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(b"D/socket")
            said = said_well(say("compress", *BYTES, "-r", "D", "-o", "D/out", "--only-pictures", "-j", "1"))
        assert "left out: 1 named pipe, 5 other files, 1 socket, 1 symbolic link" in said.results[-1]
        assert names(folder / "D/out") == {"img.png.arcomp"}
        said = said_well(say("compress", *BYTES, "-r", "D", "-o", "D/out", "--only-pictures", "-f", "-j", "1"))
        assert said.results[-1].startswith("1 file: ")  # outputs are no inputs
        for quiet in ("-q", "--json"):  # who removes D then knows what goes with it
            said = say("compress", *BYTES, "-r", "D", "-o", "D/out", "--only-pictures", "-f", "-j", "1", quiet)
            assert said.lines == ["arcomp: warning: left out: 1 named pipe, 1 socket, 1 symbolic link"]

    def test_beside_the_inputs(self, folder_d: Path) -> None:
        before = names(folder_d)
        said = said_well(say("compress", *BYTES, "-r", "D", "-j", "1"))
        assert "left out: 1 compressed file" in said.results[-1]
        assert names(folder_d) == before | {f"{name}.arcomp" for name in before if not name.endswith(".arcomp")}

    def test_resuming(self, folder_d: Path, folder: Path) -> None:
        go_on = ("compress", *BYTES, "-r", "D", "-o", "OUT", "-j", "1", "--skip-existing")
        said_well(say(*go_on))
        (folder / "OUT/a/one.txt.arcomp").unlink()
        half = folder / "OUT/img.png.arcomp"
        half.write_bytes(half.read_bytes()[:-1])
        said = say(*go_on)
        assert [said.status, said.results[-1].partition(";")[2]] == [1, " 4 there already; 1 failed"]
        assert "img.png.arcomp: exists already" in said.err
        (folder_d / "ä.txt").write_bytes(b"changed")
        said = said_well(say(*go_on, "-f"))
        assert "2 files: " in said.results[-1]
        assert "4 there already" in said.results[-1]
        back = ("decompress", "-r", "OUT", "-o", "BACK", "-j", "1", "--skip-existing")
        said_well(say(*back))
        assert "6 there already" in said_well(say(*back)).results[-1]

    def test_names_that_would_meet(self, folder: Path) -> None:
        for name in ("a/x.txt", "b/x.txt"):
            (folder / name).parent.mkdir()
            (folder / name).write_bytes(name.encode())
        said = say("compress", *BYTES, "a/x.txt", "b/x.txt", "-o", "OUT/", "-j", "2")
        assert (said.status, len(said.results)) == (1, 2)
        assert "another input of this run is written to OUT/x.txt.arcomp" in said.err

    def test_lists(self, folder_d: Path, folder: Path) -> None:
        (folder / "list").write_bytes(b"D/a/one.txt\n\nD/nothing\n./D/../D/a/b/.hidden\n../x")
        said = say("compress", *BYTES, "--files-from", "list", "-o", "OUT", "-j", "1")
        assert said.status == 1
        assert names(folder / "OUT") == {"D/a/one.txt.arcomp", "D/a/b/.hidden.arcomp"}
        assert "arcomp: failed: ../x, D/nothing" in said.err
        assert "3 failed" not in said.results[-1]
        piped = (str(folder_d / "ä.txt") + "\0").encode()
        said_well(say("compress", *BYTES, "-0", "--files-from", "-", "-o", "ABS", "-j", "1", stdin=piped))
        assert names(folder / "ABS") == {f"{folder_d.as_posix()[1:]}/ä.txt.arcomp"}

    @pytest.mark.parametrize("count", ["1", "2"])
    def test_progress_of_all(self, folder_d: Path, monkeypatch: pytest.MonkeyPatch, count: str) -> None:
        from arcomp.cli import console

        monkeypatch.setattr(console, "PATIENCE", -1.0)
        said = said_well(say("compress", *BYTES, "-r", "D", "-o", "OUT", "-j", count, terminals=("stderr",)))
        assert "left  0 of 6 files" in said.err
        assert said.err.endswith("\r")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
class TestStopped:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_at_once_and_cleanly(self, folder: Path, number: signal.Signals) -> None:
        (folder / "D").mkdir()
        for i in range(4):
            (folder / f"D/{i}").write_bytes(os.urandom(5_000_000))  # seconds each
        (folder / "D/small").write_bytes(b"small")
        command = [sys.executable, "-m", "arcomp", "compress", *MODEL, "-j", "2", "-r", "D", "-o", "all.arcomp"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert process.stdout is not None
        process.stdout.readline()  # one is done, others are not
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 128 + number
        said = "" if number == signal.SIGINT else "terminated; "
        *others, last = err.splitlines()
        assert last == f"arcomp: interrupted; {said}no archive is written"
        assert not others or others == ["arcomp: compiling for this processor, the first time only ..."]
        assert {name for name in names(folder) if not name.startswith("D/")} == set()


def test_standard_input_without_a_dash(folder: Path) -> None:
    packed = said_well(say("compress", *MODEL, stdin=b"A note."))
    assert said_well(say("decompress", stdin=packed.out)).out == b"A note."
    assert said_well(say("test", stdin=packed.out)).status == 0


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_private_standard_input(folder: Path) -> None:
    (folder / "x").write_bytes(b"private")
    (folder / "x").chmod(0o600)
    with (folder / "x").open("rb") as file:
        command = [sys.executable, "-m", "arcomp", "compress", *MODEL, "-o", "x.arcomp"]
        assert subprocess.run(command, stdin=file, cwd=folder).returncode == 0
    assert stat.S_IMODE((folder / "x.arcomp").stat().st_mode) == 0o600


@pytest.mark.parametrize("threads", ["0", "2"])
def test_threads(folder: Path, threads: str) -> None:
    (folder / "x").write_bytes(bytes(2000))
    said: Said = said_well(say("compress", *MODEL, "-T", threads, "x"))
    assert said.err == ""
