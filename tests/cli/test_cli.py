"""The command line, as a user meets it: names, refusals, pipes, JSON, and nothing left behind."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numba.core.event import trigger_event
from PIL import Image, PngImagePlugin

from arcomp.cli import main
from arcomp.contract import library
from tests.coded import read_picture

MODEL = ("-m", "histogram")
ROOT = Path(__file__).parents[2]


def pixels(height: int = 9, width: int = 13, channels: int = 3, seed: int = 0) -> Any:
    """A small picture with few levels, so that the histogram is worth its bytes."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(100, 108, (height, width, channels), np.uint8)
    return samples[:, :, 0] if channels == 1 else samples


def save(path: Path, **kind: int) -> Path:
    Image.fromarray(pixels(**kind)).save(path)
    return path


@pytest.fixture
def picture(folder: Path) -> Path:
    return save(folder / "img.png")


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


class TestHelp:
    @pytest.mark.parametrize("argument", ["--help", "--version"])
    def test_is_quick(self, argument: str) -> None:
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            assert spawn(argument).returncode == 0
            taken.append(time.perf_counter() - began)
        assert min(taken) < (0.6 if os.environ.get("CI") else 0.3)

    def test_imports_nothing_heavy(self) -> None:
        code = (
            "import sys; from arcomp.cli import main; main(['--help']); main(['compress', '--help']);"
            "main(['train', '--help']); print([m for m in ('numpy', 'torch', 'numba', 'PIL') if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"

    def test_names_every_verb(self) -> None:
        said = say("--help")
        assert said.status == 0
        for verb in ("compress", "decompress", "test", "info", "models", "train", "doctor"):
            assert f"  {verb} ".encode() in said.out
            assert say(verb, "--help").status == 0

    def test_wrong_usage(self, picture: Path) -> None:
        refused(say("squash"), "squash", 2)
        refused(say("img.png"), "did you mean `arcomp compress img.png`", 2)
        refused(say("compress"), "FILE", 2)
        refused(say("compress", "--frobnicate", picture), "--frobnicate", 2)
        refused(say("compress", "--threads", "0", picture), "threads", 2)
        assert say().status == 2


class TestNames:
    def test_there_and_back(self, picture: Path, folder: Path) -> None:
        original = picture.read_bytes()
        said = say("compress", *MODEL, "img.png")
        assert (said.status, len(said.results), said.err) == (0, 1, "")
        for word in ("img.png -> img.png.arcomp", "bits/sub-pixel", "NLL", "overhead", " s"):
            assert word in said.results[0]
        assert picture.read_bytes() == original
        picture.unlink()
        said = say("decompress", "img.png.arcomp")
        assert (said.status, len(said.results), said.err) == (0, 1, "")
        assert np.array_equal(read_picture(picture), pixels())
        assert names(folder) == {"img.png", "img.png.arcomp"}

    @pytest.mark.parametrize("ending", ["bmp", "tiff", "webp", "ppm"])
    def test_formats(self, folder: Path, ending: str) -> None:
        options = {"lossless": True} if ending == "webp" else {}
        path = folder / f"a.{ending}"
        Image.fromarray(pixels()).save(path, **options)
        start = path.read_bytes()[:2]
        packed = compressed(path)
        path.unlink()
        assert say("decompress", packed).status == 0
        assert path.read_bytes()[:2] == start
        assert np.array_equal(read_picture(path), pixels())

    def test_gray(self, folder: Path) -> None:
        path = save(folder / "g.png", channels=1)
        assert say("decompress", compressed(path), "-o", "g.pgm").status == 0
        assert np.array_equal(read_picture("g.pgm")[:, :, 0], pixels(channels=1))

    def test_output_file_and_folder(self, picture: Path, folder: Path) -> None:
        (folder / "there").mkdir()
        assert say("compress", *MODEL, "img.png", "-o", "x.arcomp").status == 0
        assert say("compress", *MODEL, "img.png", "-o", "there").status == 0
        assert say("compress", *MODEL, "img.png", "-o", "new/er/").status == 0
        assert names(folder) == {"img.png", "x.arcomp", "there/img.png.arcomp", "new/er/img.png.arcomp"}
        assert say("decompress", "there/img.png.arcomp", "-o", "back/").status == 0
        assert "back/img.png" in names(folder)

    def test_several_need_a_folder(self, picture: Path, folder: Path) -> None:
        save(folder / "b.png", seed=1)
        refused(say("compress", *MODEL, "img.png", "b.png", "-o", "x.arcomp"), "folder", 2)
        refused(say("compress", *MODEL, "img.png", "b.png", "-c"), "one", 2)
        refused(say("compress", *MODEL, "img.png", "-c", "-o", "x"), "two places", 2)
        refused(say("compress", *MODEL, "img.png", "-"), "standard input", 2)
        assert names(folder) == {"img.png", "b.png"}

    def test_same_name_twice(self, folder: Path) -> None:
        for name in ("a", "b"):
            (folder / name).mkdir()
            save(folder / name / "img.png", seed=ord(name))
        said = say("compress", *MODEL, "-q", "-f", "--rm", "a/img.png", "b/img.png", "-o", "out/")
        refused(said, "another input")
        assert names(folder) == {"b/img.png", "out/img.png.arcomp"}

    def test_format_from_the_header(self, picture: Path, folder: Path) -> None:
        assert say("compress", *MODEL, "img.png", "-o", "x.arcomp").status == 0
        assert say("decompress", "x.arcomp").status == 0
        assert names(folder) == {"img.png", "x.arcomp", "x.png"}

    def test_no_format_at_all(self, picture: Path, folder: Path) -> None:
        compressed(picture).rename(folder / "x.arcomp")
        refused(say("decompress", "x.arcomp"), "-o")
        assert say("decompress", "x.arcomp", "-o", "x.png").status == 0

    def test_input_without_the_ending(self, picture: Path, folder: Path) -> None:
        compressed(picture).rename(folder / "x")
        refused(say("decompress", "x"), "-o")
        assert say("decompress", "x", "-o", "x.bmp").status == 0

    def test_dashes(self, folder: Path) -> None:
        save(folder / "-f.png")
        assert say("compress", *MODEL, "--", "-f.png").status == 0
        assert names(folder) == {"-f.png", "-f.png.arcomp"}

    def test_names_stay_on_one_line(self, folder: Path) -> None:
        save(folder / "a\nb é.png")
        assert len(say("compress", *MODEL, "a\nb é.png").results) == 1
        refused(say("compress", *MODEL, "a\nb é.png"), "a\\nb é.png.arcomp: exists already")


class TestOverwriting:
    def test_needs_force(self, picture: Path) -> None:
        packed = compressed(picture)
        packed.write_bytes(b"mine")
        refused(say("compress", *MODEL, picture), "-f")
        assert packed.read_bytes() == b"mine"
        assert say("compress", *MODEL, "-f", picture).status == 0
        refused(say("decompress", packed), "exists already")
        assert say("decompress", "-f", packed).status == 0

    def test_never_the_input(self, picture: Path) -> None:
        original = picture.read_bytes()
        refused(say("compress", *MODEL, "-f", picture, "-o", picture), "input itself")
        assert picture.read_bytes() == original

    def test_rm(self, picture: Path, folder: Path) -> None:
        assert say("compress", *MODEL, "--rm", picture).status == 0
        assert names(folder) == {"img.png.arcomp"}
        assert say("decompress", "--rm", "img.png.arcomp").status == 0
        assert names(folder) == {"img.png"}
        assert say("compress", *MODEL, "--rm", "-k", picture).status == 0
        assert names(folder) == {"img.png", "img.png.arcomp"}

    def test_rm_only_what_can_be_made_again(self, folder: Path) -> None:
        text = PngImagePlugin.PngInfo()
        text.add_text("Title", "a test")
        Image.fromarray(pixels()).save("a.png", pnginfo=text)
        said = say("compress", *MODEL, "--rm", "a.png")
        assert said.status == 0
        assert said.lines[0] == "arcomp: warning: a.png: not kept: text; so the input stays (--drop removes it)"
        assert say("compress", *MODEL, "--rm", "-f", "-q", "a.png").status == 0
        assert names(folder) == {"a.png", "a.png.arcomp"}
        assert say("compress", *MODEL, "--rm", "-f", "--drop", "a.png").status == 0
        assert names(folder) == {"a.png.arcomp"}
        Image.fromarray(pixels()).save("b.jpg")
        refused(say("compress", *MODEL, "--rm", "--pixels", "b.jpg"), "--pixels", 2)
        refused(say("compress", *MODEL, "--drop", "b.jpg"), "--rm", 2)
        assert "b.jpg" in names(folder)

    def test_places_that_cannot_be_written(self, picture: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before anything is coded."""
        from arcomp import codec

        def never(*args: Any, **kwargs: Any) -> Any:
            raise AssertionError("coded")

        monkeypatch.setattr(codec, "encode", never)
        (folder / "file").write_bytes(b"")
        for output, what in (
            ("file/", "file is a file"),
            ("file/in/", "file is a file"),
            ("/dev/null", "not a regular file"),
            ("x" * 300, "too long"),
        ):
            refused(say("compress", *MODEL, "-f", picture, "-o", output), what)
        refused(say("compress", *MODEL, picture, "-o", ""), "names nothing", 2)
        assert names(folder) == {"img.png", "file"}

    def test_rm_only_what_was_verified(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp import codec

        refused(say("compress", *MODEL, "--rm", "--no-verify", picture), "--no-verify", 2)
        decode = codec.decode

        def wrong(*args: Any, **kwargs: Any) -> Any:
            found = decode(*args, **kwargs)
            return replace(found, stacks=(found.pixels ^ 1,))

        monkeypatch.setattr(codec, "decode", wrong)
        refused(say("compress", *MODEL, "--rm", picture), "does not decode")
        assert names(picture.parent) == {"img.png"}

    def test_rm_with_stdout(self, picture: Path) -> None:
        said = say("compress", *MODEL, "--rm", "-c", "-q", picture)
        assert (said.status, said.err) == (0, "")
        assert picture.exists()


class TestPipes:
    def test_both_ways(self, picture: Path, folder: Path) -> None:
        packed = say("compress", *MODEL, "-", stdin=picture.read_bytes())
        assert packed.status == 0
        back = say("decompress", "-", stdin=packed.out)
        assert back.status == 0
        assert back.out[:4] == b"\x89PNG"
        assert np.array_equal(read_picture(back.out), pixels())
        assert names(folder) == {"img.png"}

    def test_to_stdout_and_to_a_file(self, picture: Path, folder: Path) -> None:
        packed = say("compress", *MODEL, "-q", "-c", "img.png")
        assert (packed.status, packed.err) == (0, "")
        assert say("compress", *MODEL, "img.png", "-o", "-").out == packed.out
        assert say("decompress", "-", "-o", "x.bmp", stdin=packed.out).status == 0
        assert say("test", "-", stdin=packed.out).status == 0
        assert say("info", "-", stdin=packed.out).status == 0
        assert np.array_equal(read_picture("x.bmp"), pixels())
        assert names(folder) == {"img.png", "x.bmp"}

    def test_terminals(self, picture: Path) -> None:
        said = say("compress", *MODEL, "-c", picture, terminals=("stdout",))
        refused(said, "terminal")
        assert said.out == b""
        assert say("compress", *MODEL, "-c", "-f", picture, terminals=("stdout",)).out != b""
        refused(say("compress", *MODEL, "-", terminals=("stdin",)), "terminal")

    def test_naive_decoding_is_the_same(self, folder: Path) -> None:
        Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)).save(folder / "few.png")
        assert say("compress", "-m", "context", "few.png").status == 0
        assert say("test", "--naive", "few.png.arcomp").status == 0
        assert say("decompress", "--naive", "few.png.arcomp", "-o", "again.png").status == 0
        assert np.array_equal(np.asarray(Image.open("again.png")), np.asarray(Image.open("few.png")))

    def test_progress_on_terminals_only(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp.cli import console

        monkeypatch.setattr(console, "PATIENCE", -1.0)
        said = say("compress", *MODEL, picture, terminals=("stderr",))
        assert re.search(r"\r  0%\| +\| \? left  compressing ", said.err)
        assert said.err.endswith(" \r")  # the line has been wiped
        assert said.results[0].startswith(f"{picture} -> ")
        for quiet in (("-q",), ("--json",)):
            assert say("compress", *MODEL, "-f", *quiet, picture, terminals=("stderr",)).err == ""
        assert "\r" not in say("compress", *MODEL, "-f", picture).err

    def test_json_of_a_pipe(self, picture: Path) -> None:
        said = say("compress", *MODEL, "-c", "--json", picture)
        assert said.out.startswith(b"\x89ARC")
        assert json.loads(said.err)["output"] == "-"

    @pytest.mark.skipif(os.name != "posix", reason="needs pipes that break")
    def test_a_reader_that_leaves(self, picture: Path) -> None:
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "-m", "arcomp", "compress", *MODEL, "-q", "-c", str(picture)]
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=60)
        os.close(write)
        assert done.stderr == b""
        assert done.returncode == 1


class TestJson:
    def test_compress(self, picture: Path) -> None:
        said = say("compress", *MODEL, "--json", "img.png")
        (about,) = said.objects
        assert said.err == ""
        expected = {
            "input": "img.png", "output": "img.png.arcomp", "model": "histogram", "width": 13, "height": 9,
            "channels": 3, "bit_depth": 8, "input_bytes": picture.stat().st_size, "verified": True, "dropped": [],
            "output_bytes": Path("img.png.arcomp").stat().st_size,
        }  # fmt: skip
        assert {k: about[k] for k in expected} == expected
        assert about["bits_per_subpixel"] == 8 * about["output_bytes"] / (9 * 13 * 3)
        assert about["overhead_percent"] == pytest.approx(100 * (8 * about["output_bytes"] / about["nll_bits"] - 1))
        assert about["seconds"] > 0
        assert about["startup_seconds"] > 0

    def test_decompress_test_and_info(self, picture: Path) -> None:
        packed = compressed(picture)
        (about,) = say("decompress", "--json", packed, "-o", "x.png").objects
        assert (about["input"], about["output"]) == (str(packed), "x.png")
        assert about["seconds"] > 0
        (about,) = say("test", "--json", packed).objects
        assert about["verified"] is True
        (about,) = say("info", "--json", packed).objects
        assert (about["model"], about["available"], about["width"], about["format_version"]) == (
            "histogram",
            True,
            13,
            1,
        )
        assert about["input_bytes"] == packed.stat().st_size > about["payload_bytes"]

    def test_one_object_a_line(self, picture: Path, folder: Path) -> None:
        save(folder / "b.png", seed=1)
        said = say("compress", *MODEL, "--json", "--no-verify", "img.png", "missing.png", "b.png")
        assert [o["input"] for o in said.objects] == ["img.png", "b.png"]
        assert [o["verified"] for o in said.objects] == [False, False]
        refused(said, "missing.png: does not exist")


class TestPictures:
    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16", "CMYK"])
    def test_other_modes(self, folder: Path, mode: str) -> None:
        name = "a.tiff" if mode == "CMYK" else "a.png"
        Image.new(mode, (5, 4)).save(name)
        refused(say("compress", *MODEL, name), f"{name}: ")
        assert names(folder) == {name}

    def test_jpeg(self, folder: Path) -> None:
        Image.fromarray(pixels()).save("a.jpg")
        refused(say("compress", *MODEL, "a.jpg"), "would grow; --pixels")
        assert say("compress", *MODEL, "--pixels", "a.jpg").status == 0
        assert say("decompress", "a.jpg.arcomp").status == 0  # of its pixels: no JPEG holds them
        assert names(folder) == {"a.jpg", "a.jpg.arcomp", "a.jpg.png"}

    def test_conversion(self, picture: Path, folder: Path) -> None:
        packed = compressed(picture)
        for name in ("x.bmp", "x.tif", "x.webp", "x.ppm", "X.PNG"):
            assert say("decompress", packed, "-o", name).status == 0
            assert np.array_equal(read_picture(name), pixels())
        before = names(folder)
        for name in ("x.jpg", "x.pgm", "x.gif", "x.xyz"):
            refused(say("decompress", packed, "-o", name), "-o")
        assert names(folder) == before

    def test_what_is_not_kept(self, folder: Path) -> None:
        text = PngImagePlugin.PngInfo()
        text.add_text("Title", "a test")
        Image.fromarray(pixels()).save("a.png", pnginfo=text)
        said = say("compress", *MODEL, "a.png")
        assert said.status == 0
        assert said.lines[0] == "arcomp: warning: a.png: not kept: text"
        (about,) = say("compress", *MODEL, "-f", "--json", "-q", "a.png").objects
        assert about["dropped"] == ["text"]
        assert say("compress", *MODEL, "-f", "-q", "a.png").err == ""


class TestBadFiles:
    def test_kinds(self, picture: Path, folder: Path) -> None:
        (folder / "empty.arcomp").touch()
        (folder / "d.png.arcomp").mkdir()
        (folder / "renamed.png.arcomp").write_bytes(picture.read_bytes())
        (folder / "text.png").write_text("a text\n")
        before = names(folder)
        for verb in ("decompress", "test", "info"):
            refused(say(verb, "empty.arcomp"), "empty.arcomp: the file is empty")
            refused(say(verb, "d.png.arcomp"), "d.png.arcomp: is a directory")
            refused(say(verb, "renamed.png.arcomp"), "PNG")
            refused(say(verb, "none.arcomp"), "none.arcomp: does not exist")
        for name in ("empty.arcomp", "d.png.arcomp", "text.png", "none.png"):
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
        (folder / "bad.png").write_bytes(picture.read_bytes()[:50])
        save(folder / "b.png", seed=1)
        said = say("compress", *MODEL, "img.png", "bad.png", "b.png")
        assert said.status == 1
        errors = [line for line in said.lines if line.startswith("arcomp: ")]
        assert len(errors) == 1
        assert "bad.png" in errors[0]
        assert said.results[-1].startswith("2 files: ")
        assert said.results[-1].endswith("1 failed")
        assert names(folder) == {"img.png", "bad.png", "b.png", "img.png.arcomp", "b.png.arcomp"}

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
        monkeypatch.setattr(os, call, full)
        refused(say("compress", *MODEL, "--rm", picture), "no space")
        monkeypatch.undo()
        os.chdir(folder)
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
            assert "No space left" in done.stderr

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
        from arcomp import codec

        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(codec, "encode", fail)
        said = say("compress", *MODEL, picture)
        assert (said.status, len(said.lines)) == (1, 1)
        assert words in said.err
        assert "img.png" in said.err
        assert names(picture.parent) == {"img.png"}
        assert "Traceback" in say("compress", *MODEL, "-v", picture).err

    def test_interrupt(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp import codec

        def interrupt(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(codec, "encode", interrupt)
        said = say("compress", *MODEL, "--rm", picture, picture)
        assert (said.status, said.err) == (130, "arcomp: interrupted\n")
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


class TestModels:
    def test_default(self, picture: Path) -> None:
        (about,) = say("compress", "--json", picture).objects
        (row,) = [row for row in say("models", "--json").objects if row["default"]]
        assert (about["model"], row["name"], about["digest"]) == ("photo", "photo-balanced", row["digest"])
        assert say("test", f"{picture}.arcomp").status == 0

    def test_unknown(self, picture: Path) -> None:
        refused(say("compress", "-m", "nope", picture), "no model 'nope'")
        refused(say("compress", "-m", "none.safetensors", picture), "none.safetensors")
        refused(say("models", "nope"), "no model 'nope'")

    def test_other_weights(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp.models.histogram import Histogram

        packed = compressed(picture)
        init = Histogram.__init__

        def other(self: Histogram, *args: Any) -> None:
            init(self, *args)
            self.digest = bytes(32)

        digest = say("info", "--json", packed).objects[0]["digest_begins"]
        monkeypatch.setattr(Histogram, "__init__", other)
        refused(say("test", packed), digest[:8])

    def test_list(self) -> None:
        rows = {row["name"]: row for row in say("models", "--json").objects}
        assert rows["histogram"]["where"] == "built in"
        assert set(rows["histogram"]) >= {"name", "digest", "parameters", "where", "default"}
        assert rows["photo-fast"]["takes"] == ["gray", "RGB"]
        assert rows["char_rnn-text"]["takes"] == ["bytes", "gray"]
        said = say("models")
        assert b"histogram" in said.out
        assert b"built in" in say("models", "histogram").out

    def test_earlier_weights_are_listed_on_demand(self) -> None:
        short, long, own = (say("models", *more).out.decode() for more in ((), ("-v",), ("pixelsnail",)))
        assert "pixelsnail-colour.safetensors" in short
        assert "pixelsnail-colour.98466cfd.safetensors" not in short
        assert set(short.splitlines()) < set(long.splitlines())
        assert all("pixelsnail-colour.98466cfd.safetensors" in listed for listed in (long, own))

    def test_a_file_of_weights(self, folder: Path) -> None:
        shipped = library.SHIPPED / "pixelcnn-digits.safetensors"
        (folder / "mine.safetensors").write_bytes(shipped.read_bytes())
        said = say("models", "mine.safetensors")
        assert said.status == 0
        assert said.out.startswith(b"  mine ")
        assert b"# pixelcnn" in said.out

    def test_cards_and_damaged_weights(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "context.safetensors").write_bytes(b"damaged")
        (folder / "context.md").write_text("# The card\n")
        monkeypatch.setenv("ARCOMP_MODELS", str(folder))
        assert b"# The card" in say("models", "context").out
        assert b"damaged" in say("models").out

    def test_info_without_torch(self, picture: Path) -> None:
        code = (
            "import sys; from arcomp.cli import main; main(['info', sys.argv[1]]);"
            "print([m for m in ('torch', 'numba', 'PIL') if m in sys.modules])"
        )
        command = [sys.executable, "-c", code, str(compressed(picture))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"
        assert "9, RGB, 8 bits" in done.stdout

    def test_cuda_where_there_is_none(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        refused(say("compress", *MODEL, "--device", "cuda", picture), "--device cpu")
        assert say("compress", *MODEL, "--device", "auto", picture).status == 0
        for verb in ("decompress", "test"):
            refused(say(verb, "--device", "cuda", "img.png.arcomp"), "--device cpu")


class TestPresets:
    @pytest.mark.parametrize("preset", ["fast", "balanced", "max"])
    def test_each(self, picture: Path, preset: str) -> None:
        (about,) = say("compress", "--json", "--preset", preset, picture).objects
        row, *_ = (row for row in say("models", "--json").objects if row["name"] == f"photo-{preset}")  # the newest
        assert (about["model"], about["digest"]) == ("photo", row["digest"])
        first = Path(f"{picture}.arcomp").read_bytes()
        for same in (("-m", f"photo-{preset}"), ("-m", "photo", "-p", preset)):
            assert say("compress", "-f", *same, picture).status == 0
            assert Path(f"{picture}.arcomp").read_bytes() == first
        assert say("test", f"{picture}.arcomp").status == 0
        picture.unlink()
        assert say("decompress", f"{picture}.arcomp").status == 0
        assert np.array_equal(read_picture(picture), pixels())

    def test_refused(self, picture: Path, folder: Path) -> None:
        refused(say("compress", "-m", "context", "--preset", "fast", picture), "--preset", 2)
        refused(say("compress", "-m", "photo-max", "--preset", "fast", picture), "--preset", 2)
        refused(say("compress", *MODEL, "-p", "max", picture), "histogram", 2)
        refused(say("compress", "--preset", "best", picture), "best", 2)
        assert names(folder) == {"img.png"}

    def test_threads_do_not_change_the_file(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        from arcomp.models.photo import model

        path = save(folder / "img.png", height=40, width=30)
        monkeypatch.setattr(model, "SPLIT_PIXELS", 100)  # so that there are strips
        monkeypatch.setattr(model, "STRIP_PIXELS", 300)
        before, files = torch.get_num_threads(), set()
        try:
            for options in ((), ("--threads", "1"), ("--threads", "2"), ("--threads", "5")):
                assert say("compress", "-f", *options, path).status == 0
                files.add((folder / "img.png.arcomp").read_bytes())
            assert say("test", "--threads", "1", "img.png.arcomp").status == 0
        finally:
            torch.set_num_threads(before)
        assert len(files) == 1

    def test_json_tells_what_learning_gave(self, folder: Path) -> None:
        path = save(folder / "img.png", height=40, width=50)
        said = say("compress", "--json", path)
        (about,) = said.objects
        assert 0 < about["nll_bits"] < about["static_nll_bits"]
        assert 8 * about["output_bytes"] > about["nll_bits"]
        assert b"NLL before the stage that mixes" in say("compress", "-f", "-v", path).out
        (about,) = say("compress", "-f", "--json", *MODEL, path).objects
        assert about["static_nll_bits"] is None

    @pytest.mark.parametrize("kept", [True, False])
    def test_says_that_it_compiles(self, picture: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
        """After a while, once, on standard error; not for those who asked for silence, and not for what is quick."""
        from arcomp import codec
        from arcomp.cli import coding

        decode = codec.decode
        cache = SimpleNamespace(_cache_file=None) if kept else SimpleNamespace()
        compiled = {"dispatcher": SimpleNamespace(_cache=cache)}

        def slow(*args: Any, **kwargs: Any) -> Any:
            with trigger_event("numba:compile", data=compiled):
                time.sleep(0.3)
            return decode(*args, **kwargs)

        assert "compiling" not in say("compress", "-p", "fast", picture).err
        monkeypatch.setattr(codec, "decode", slow)
        monkeypatch.setattr(coding, "COMPILING", 0.05)
        other = save(picture.parent / "other.png", seed=1)
        said = say("compress", "-f", "-p", "fast", picture, other)
        why = "the first time only" if kept else "each time: set NUMBA_CACHE_DIR to a folder to keep it in"
        assert said.lines == [f"arcomp: compiling for this processor, {why} ..."]
        for quiet in ("-q", "--json"):
            assert say("compress", "-f", quiet, "-p", "fast", picture).err == ""

    def test_a_preset_that_is_not_here(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp.contract import library

        monkeypatch.setattr(library, "SHIPPED", picture.parent / "none")
        monkeypatch.setenv("ARCOMP_MODELS", "")
        monkeypatch.setenv("HOME", str(picture.parent))
        refused(say("compress", "-p", "max", picture), "photo-max is not in")


class TestDoctor:
    def test_warm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp.contract import registry

        monkeypatch.setattr(registry, "names", lambda: ["histogram", "context"])
        said = say("doctor", "--warm")
        assert said.status == 0
        assert [line.split()[:3:2] for line in said.out.decode().splitlines()] == [
            ["histogram", "in"],
            ["context", "in"],
        ]
        assert [o["problem"] for o in say("doctor", "--warm", "--json").objects] == ["", ""]
        monkeypatch.setattr(registry, "names", lambda: ["nothing"])
        assert say("doctor", "--warm").status == 1

    def test_status(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp import doctor

        monkeypatch.setattr(doctor, "examine", lambda device: [doctor.Finding("python", "3", True)])
        assert say("doctor", "--device", "cpu").status == 0
        bad = [doctor.Finding("python", "3", True), doctor.Finding("backend", "wrong", False)]
        monkeypatch.setattr(doctor, "examine", lambda device: bad)
        said = say("doctor", "--device", "cpu")
        assert said.status == 1
        assert b"backend" in said.out
        assert [o["ok"] for o in say("doctor", "--device", "cpu", "--json").objects] == [True, False]

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_findings_are_printed_as_they_are_found(
        self, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
    ) -> None:
        from arcomp import doctor

        def interrupted(device: str) -> Iterator[doctor.Finding]:
            yield doctor.Finding("python", "3", True)
            raise KeyboardInterrupt

        monkeypatch.setattr(doctor, "examine", interrupted)
        assert b"python" in say("doctor", "--device", "cpu", *options).out
