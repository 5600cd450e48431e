"""Ctrl-C and SIGTERM at many moments, full disks, names that are not UTF-8, two processes at one file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from arcomp import files
from arcomp.container import unpack
from tests.cli.command import MODEL, names, refused, said_well, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits as POSIX has them")
COMMAND = [sys.executable, "-m", "arcomp", "compress", *MODEL, "-q", "--bytes"]


@pytest.mark.parametrize(("number", "status", "said"), [
    (signal.SIGINT, 130, "arcomp: interrupted\n"), (signal.SIGTERM, 143, "arcomp: interrupted; terminated\n"),
])  # fmt: skip
@pytest.mark.parametrize("moment", ["write", "fsync", "link", "unlink", "read"])
def test_signals(
    picture: Path, monkeypatch: pytest.MonkeyPatch, moment: str, number: int, status: int, said: str
) -> None:
    """At calls of the system; those between are lines of Python, which is interrupted at those, too."""
    where, real = (files, files.compress) if moment == "read" else (os, getattr(os, moment))

    def called(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        os.kill(os.getpid(), number)
        return real(*args, **kwargs)

    monkeypatch.chdir(picture.parent)
    monkeypatch.setattr(where, "compress" if moment == "read" else moment, called)
    found = say("compress", *MODEL, "--bytes", picture)
    assert (found.status, found.err) == (status, said)
    there = names(picture.parent)
    assert there - {"img.png.arcomp"} == {"img.png"}
    if "img.png.arcomp" in there:  # it was done by then
        assert moment == "unlink"
        assert files.restored(unpack((picture.parent / "img.png.arcomp").read_bytes())) == picture.read_bytes()


def test_an_interrupt_while_python_makes_code(folder: Path) -> None:
    """The status is ours, though Python would end by SIGINT after this."""
    Path("main.py").write_text("""
import sys
from arcomp.cli.console import report
from arcomp.cli.ending import TERMINATED
try:
    exec(f"raise KeyboardInterrupt({TERMINATED!r})")
except KeyboardInterrupt as error:
    sys.exit(report(error))
""")
    done = subprocess.run([sys.executable, "-m", "main"], capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (143, "arcomp: interrupted; terminated\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_from_outside(folder: Path, number: int) -> None:
    """From the first moment of the process to its last: one line or none, and nothing half-written."""
    (folder / "a").write_bytes(os.urandom(1 << 20))
    for i in range(30):
        process = subprocess.Popen([*COMMAND, "-f", "a"], stderr=subprocess.PIPE, text=True, cwd=folder)
        time.sleep(0.25 + 0.03 * i)  # Python itself is there by then
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130, 143, -number), err
        assert len(err.splitlines()) <= 1 or process.returncode == -number, err
        assert names(folder) <= {"a", "a.arcomp"}


def test_a_limit_on_sizes(folder: Path) -> None:
    """What a full disk does to the largest writes."""
    import resource

    (folder / "a").write_bytes(os.urandom(300000))

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    done = subprocess.run([*COMMAND, "a"], capture_output=True, text=True, preexec_fn=limited, cwd=folder)
    assert done.returncode == 1
    assert done.stderr == "arcomp: a.arcomp: the file would be too large for its file system; write elsewhere\n"
    assert names(folder) == {"a"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take only UTF-8")
def test_names_that_are_not_utf_8(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (folder / name).write_bytes(b"A note.")
    said_well(say("compress", *MODEL, name, "--rm"))
    assert os.listdir(b".") == [b"caf\xe9.txt.arcomp"]
    assert b"caf\\udce9" in said_well(say("info", f"{name}.arcomp")).out
    refused(say("compress", *MODEL, f"{name}x"), "does not exist")
    said_well(say("decompress", f"{name}.arcomp", "--rm"))
    assert os.listdir(b".") == [b"caf\xe9.txt"]


def test_two_processes_at_one_file(picture: Path, folder: Path) -> None:
    """One writes it, the other says that it is there; with -f either of them, whole."""
    both = [subprocess.Popen([*COMMAND, "img.png"], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    line = "".join(said)
    assert line.count("\n") == 1
    assert "exists already" in line or "another process is making it now" in line
    assert files.restored(unpack(Path("img.png.arcomp").read_bytes())) == picture.read_bytes()
    assert names(folder) == {"img.png", "img.png.arcomp"}


def test_many_threads_at_one_file(tmp_path: Path) -> None:
    from arcomp.container import write_atomically
    from arcomp.errors import OutputError

    done: list[int] = []

    def write(i: int) -> None:
        try:
            write_atomically(tmp_path / "a", bytes([i]) * 99999, overwrite=False)
            done.append(i)
        except OutputError:
            pass

    threads = [threading.Thread(target=write, args=[i]) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() == bytes(done) * 99999
    assert names(tmp_path) == {"a"}
