"""Pipes, terminals and JSON."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arcomp.container.member import hash_bytes
from tests.cli.command import MODEL, compressed, names, pixels, refused, save, say
from tests.coded import read_picture


class TestPipes:
    def test_both_ways(self, picture: Path, folder: Path) -> None:
        packed = say("compress", *MODEL, "-", stdin=picture.read_bytes())
        assert packed.status == 0
        back = say("decompress", "-", stdin=packed.out)
        assert back.status == 0
        assert back.out == picture.read_bytes()
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
            "input": "img.png", "output": "img.png.arcomp", "model": "histogram", "models": ["histogram"],
            "content": "picture", "images": 1, "width": 50, "height": 40, "channels": 3, "bit_depth": 8, "alpha": False,
            "palette": None, "input_bytes": picture.stat().st_size, "verified": True,
            "output_bytes": Path("img.png.arcomp").stat().st_size,
        }  # fmt: skip
        assert {k: about[k] for k in expected} == expected
        assert about["bits_per_subpixel"] == 8 * about["output_bytes"] / (40 * 50 * 3)
        assert about["digest"].startswith(about["digest_begins"])
        assert about["form"] == "literal, chunks, deflated (predicted), scanlines"
        assert 0 < about["form_bytes"] < 250
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
            50,
            1,
        )
        assert about["input_bytes"] == packed.stat().st_size == about["coded_bytes"] + about["form_bytes"]
        original = picture.read_bytes()
        assert about["original"] == {
            "name": "img.png",
            "bytes": len(original),
            "sha256": hashlib.sha256(original).hexdigest()[: 2 * hash_bytes(len(original))],
            "modified_ns": picture.stat().st_mtime_ns,
            "mode": f"{picture.stat().st_mode & 0o7777:04o}",
        }

    def test_of_a_file_that_is_kept_as_bytes(self, folder: Path) -> None:
        (folder / "notes.txt").write_bytes(b"A note.")
        (about,) = say("compress", *MODEL, "--json", "notes.txt").objects
        none = ("model", "digest", "digest_begins", "width", "height", "channels", "bit_depth", "alpha", "palette")
        assert {about[key] for key in none} == {None}
        assert (about["models"], about["images"], about["content"], about["form"]) == ([], 0, "file", "bytes")
        assert "bits_per_subpixel" not in about
        (about,) = say("info", "--json", "notes.txt.arcomp").objects
        assert (about["available"], about["where"], about["bits_per_subpixel"]) == (True, [], None)
        (about,) = say("decompress", "--json", "notes.txt.arcomp", "-o", "x.txt").objects
        assert (about["output_bytes"], about["converted"]) == (7, False)

    def test_one_object_a_line(self, picture: Path, folder: Path) -> None:
        save(folder / "b.png", seed=1)
        said = say("compress", *MODEL, "--json", "--no-verify", "img.png", "missing.png", "b.png")
        assert [o["input"] for o in said.objects] == ["img.png", "missing.png", "b.png"]
        assert [o.get("verified") for o in said.objects] == [False, None, False]
        assert said.objects[1]["error"] == "missing.png: does not exist; check the path"
        refused(said, "missing.png: does not exist")
