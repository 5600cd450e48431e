"""Files that cannot be taken, disks that are full, interrupts: one line, and nothing left behind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import MODEL, compressed, names, refused, save, say


class TestBadFiles:
    def test_kinds(self, picture: Path, folder: Path) -> None:
        (folder / "empty.arcomp").touch()
        (folder / "d.png.arcomp").mkdir()
        (folder / "renamed.png.arcomp").write_bytes(picture.read_bytes())
        before = names(folder)
        for verb in ("decompress", "test", "info"):
            refused(say(verb, "empty.arcomp"), "empty.arcomp: the file is empty")
            refused(say(verb, "d.png.arcomp"), "d.png.arcomp: is a directory")
            refused(say(verb, "renamed.png.arcomp"), "PNG")
            refused(say(verb, "none.arcomp"), "none.arcomp: does not exist")
        for name in ("d.png.arcomp", "none.png"):
            refused(say("compress", *MODEL, name), name)
        assert names(folder) == before

    def test_truncated_and_flipped(self, picture: Path, folder: Path) -> None:
        packed = compressed(picture)
        whole = packed.read_bytes()
        bad = folder / "bad.png.arcomp"
        damaged = [whole[:n] for n in {*range(0, len(whole), 5), len(whole) - 1}] + [whole + b"x"]
        for at in range(0, len(whole), 3):
            damaged.append(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        for data in damaged:
            bad.write_bytes(data)
            refused(say("decompress", bad), "bad.png.arcomp")
            assert bad.read_bytes() == data
        refused(say("test", bad), "bad.png.arcomp")
        refused(say("info", bad), "bad.png.arcomp")
        assert names(folder) == {"img.png", "img.png.arcomp", "bad.png.arcomp"}

    def test_one_bad_among_many(self, picture: Path, folder: Path) -> None:
        (folder / "bad.png").mkdir()
        save(folder / "b.png", seed=1)
        said = say("compress", *MODEL, "img.png", "bad.png", "b.png")
        assert said.status == 1
        errors = [line for line in said.lines if line.startswith("arcomp: ")]
        assert len(errors) == 1
        assert "bad.png" in errors[0]
        assert said.results[-1].startswith("2 files: ")
        assert said.results[-1].endswith("1 failed")
        assert names(folder) == {"img.png", "b.png", "img.png.arcomp", "b.png.arcomp"}

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do anything")
    def test_no_permission(self, picture: Path, folder: Path) -> None:
        (folder / "closed").mkdir(mode=0o500)
        refused(say("compress", *MODEL, picture, "-o", "closed"), "permission")
        picture.chmod(0)
        refused(say("compress", *MODEL, picture), "permission")

    @pytest.mark.parametrize("call", ["write", "fsync"])
    def test_disk_full(self, picture: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        original = picture.read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(os, call, full)
            refused(say("compress", *MODEL, "--rm", picture), "no space")
        assert names(folder) == {"img.png"}
        assert picture.read_bytes() == original

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_full_standard_output(self, picture: Path) -> None:
        for arguments in (["compress", *MODEL, "-c", str(picture)], ["models"]):
            with open("/dev/full", "wb") as full:
                command = [sys.executable, "-m", "arcomp", *arguments]
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, text=True)
            assert done.returncode == 1
            assert len(done.stderr.splitlines()) == 1
            assert "no space is left on the device; free some space" in done.stderr

    def test_a_missing_folder(self, picture: Path) -> None:
        refused(say("compress", *MODEL, picture, "-o", "none/x.arcomp"), "folder does not exist")


class TestUnexpected:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (MemoryError(), "not enough memory"),
            (RecursionError("too deep"), "internal error"),
            (ZeroDivisionError("oops\nand more"), "internal error"),
            (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        ],
    )
    def test_one_line(self, picture: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
        from arcomp import files

        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(files, "encode", fail)
        said = say("compress", *MODEL, picture)
        assert (said.status, len(said.lines)) == (1, 1)
        assert words in said.err
        assert "img.png" in said.err
        assert names(picture.parent) == {"img.png"}
        assert "Traceback" in say("compress", *MODEL, "-v", picture).err

    def test_interrupt(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp import files

        def interrupt(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(files, "encode", interrupt)
        said = say("compress", *MODEL, "--rm", picture)
        assert (said.status, said.err) == (130, "arcomp: interrupted\n")
        said = say("compress", *MODEL, "--rm", picture, __file__)
        assert said.err == "arcomp: interrupted; 0 of 2 files are done; --skip-existing goes on\n"
        monkeypatch.undo()
        monkeypatch.setattr(os, "fsync", interrupt)
        assert say("compress", *MODEL, "--rm", picture).status == 130
        assert names(picture.parent) == {"img.png"}

    @pytest.mark.slow
    @pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
    def test_interrupt_from_outside(self, folder: Path) -> None:
        import signal

        Image.fromarray(np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)).save("big.png")
        command = [sys.executable, "-m", "arcomp", "compress", "--threads", "1", "big.png"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder)
        time.sleep(8)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (130, "arcomp: interrupted\n")
        assert names(folder) == {"big.png"}

    @pytest.mark.slow
    @pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
    @pytest.mark.parametrize("seconds", [1.0, 1.3, 4.0])
    def test_interrupt_while_kernels_are_compiled(
        self, picture: Path, tmp_path_factory: pytest.TempPathFactory, seconds: float
    ) -> None:
        import signal

        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("nothing"))}
        command = [sys.executable, "-m", "arcomp", "compress", str(picture)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 3
        assert process.returncode == 130
        assert err.splitlines()[-1] == "arcomp: interrupted"
        assert "Traceback" not in err
        assert names(picture.parent) == {picture.name}
