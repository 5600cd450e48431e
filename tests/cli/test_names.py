"""Where files are written: names, formats, and nothing overwritten or removed that is still needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import arcomp
from tests.cli.command import MODEL, compressed, names, pixels, refused, said_well, save, say
from tests.coded import read_picture


class TestNames:
    def test_there_and_back(self, picture: Path, folder: Path) -> None:
        original = picture.read_bytes()
        said = say("compress", *MODEL, "img.png")
        assert (said.status, len(said.results)) == (0, 1)
        assert all("compiling for this processor" in line for line in said.lines)
        for word in ("img.png -> img.png.arcomp", "bits/sub-pixel", "NLL", "overhead", " s"):
            assert word in said.results[0]
        assert picture.read_bytes() == original
        picture.unlink()
        said = say("decompress", "img.png.arcomp")
        assert (said.status, len(said.results), said.err) == (0, 1, "")
        assert picture.read_bytes() == original
        assert names(folder) == {"img.png", "img.png.arcomp"}

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
        refused(say("compress", *MODEL, "img.png", "b.png", "-o", "x"), "end it with / to make one, or with .arcomp", 2)
        refused(say("decompress", "img.png", "b.png", "-c"), "one", 2)
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

    def test_the_ending_of_the_original(self, picture: Path, folder: Path) -> None:
        """Where the name of a compressed file shows none."""
        (folder / "README").write_bytes(b"Read me.")
        assert say("compress", *MODEL, "img.png", "-o", "x.arcomp").status == 0
        assert say("compress", *MODEL, "README", "-o", "y.arcomp").status == 0
        assert say("compress", *MODEL, "-", "-o", "z.arcomp", stdin=picture.read_bytes()).status == 0
        assert say("decompress", "-q", "x.arcomp", "y.arcomp", "z.arcomp", "-o", "back/").status == 0
        assert names(folder / "back") == {"x.png", "y", "z"}
        assert (folder / "back" / "z").read_bytes() == picture.read_bytes()

    def test_samples_that_came_from_no_file(self, folder: Path) -> None:
        (folder / "a.arcomp").write_bytes(arcomp.compress(pixels(), "histogram"))
        (folder / "b.arcomp").write_bytes(arcomp.compress(Image.fromarray(pixels()), "histogram"))
        assert say("decompress", "-q", "a.arcomp", "b.arcomp", "-o", "back/").status == 0
        assert np.array_equal(np.load(folder / "back" / "a.npy"), pixels())
        assert np.array_equal(read_picture(folder / "back" / "b.png"), pixels())
        assert say("decompress", "a.arcomp", "-o", "a.bmp").status == 0
        assert np.array_equal(read_picture("a.bmp"), pixels())

    def test_input_without_the_ending(self, picture: Path, folder: Path) -> None:
        compressed(picture).rename(folder / "x")
        refused(say("decompress", "x"), "-o")
        assert say("decompress", "x", "-o", "x.bmp").status == 0
        assert np.array_equal(read_picture("x.bmp"), pixels())

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

    def test_rm_only_what_can_be_made_again(self, picture: Path, folder: Path) -> None:
        refused(say("compress", *MODEL, "--rm", "--pixels", "img.png"), "--pixels", 2)
        refused(say("compress", *MODEL, "--bytes", "--pixels", "img.png"), "--pixels", 2)
        packed = compressed(picture)
        refused(say("decompress", "--rm", packed, "-o", "x.bmp"), "--rm would lose the original file")
        assert names(folder) == {"img.png", "img.png.arcomp"}

    def test_places_that_cannot_be_written(self, picture: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before anything is coded."""
        from arcomp import files

        def never(*args: Any, **kwargs: Any) -> Any:
            raise AssertionError("coded")

        monkeypatch.setattr(files, "examine", never)
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
        decode = codec.decode_leaf
        monkeypatch.setattr(codec, "decode_leaf", lambda *args: decode(*args) ^ 1)
        refused(say("compress", *MODEL, "--rm", picture), "samples decoded are not those that were encoded")
        assert names(picture.parent) == {"img.png"}

    def test_a_form_that_makes_another_file_is_not_written(
        self, picture: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from arcomp import codec, files

        original, decode = picture.read_bytes(), codec.decode_member

        def wrong(*args: Any, **kwargs: Any) -> Any:
            found = decode(*args, **kwargs)
            return replace(found, stacks=(found.pixels ^ 1,))

        monkeypatch.setattr(files, "decode_member", wrong)
        (about,) = said_well(say("compress", *MODEL, "--rm", "--json", picture)).objects
        assert (about["form"], about["verified"]) == ("bytes", True)
        monkeypatch.undo()
        assert say("decompress", f"{picture}.arcomp", "-o", picture).status == 0
        assert picture.read_bytes() == original

    @pytest.mark.parametrize("arguments", [["-c", "img.png"], ["img.png", "-o", "/dev/stdout"], ["-", "-o", "x"]])
    def test_rm_of_what_nobody_verified(self, picture: Path, arguments: list[str]) -> None:
        refused(say("compress", *MODEL, "--rm", "-q", *arguments), "--rm removes files", 2)
        assert picture.exists()
