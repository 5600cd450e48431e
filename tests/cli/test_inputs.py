"""The command line takes arrays, pictures of 1 bit and any file as bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arcomp.container import unpack
from arcomp.formats.npy import write_array
from arcomp.samples import Array, Bytes
from tests.cli.command import DIGITS, TEXT, npy, npz, refused, said_well, say, spawn
from tests.specimens import pictures


@pytest.fixture
def folder(untrained: Path) -> Path:
    """The current folder, with untrained weights in it."""
    return untrained


def test_the_command_line_takes_arrays(folder: Path) -> None:
    files = {"a.npy": npy(DIGITS), "b.npy": npy(DIGITS.astype(bool)), "c.npz": write_array(DIGITS, "file", "npz")}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    binary = ("-m", "binary.safetensors")
    (about, *_) = said_well(say("compress", *binary, "--json", *files)).objects
    assert (about["content"], about["images"], about["bit_depth"]) == ("array", 6, 1)
    assert (folder / "a.npy.arcomp").stat().st_size < len(files["a.npy"]) * 2
    assert "array    6 pictures of 9 x 7, gray, 1 bit" in said_well(say("info", "a.npy.arcomp")).out.decode()
    said_well(say("test", *binary, "a.npy.arcomp", "b.npy.arcomp"))
    said_well(say("decompress", *binary, "--rm", *(f"{name}.arcomp" for name in files), "-o", "back/"))
    assert (folder / "back" / "a.npy").read_bytes() == files["a.npy"]
    assert (folder / "back" / "b.npy").read_bytes() == files["b.npy"]
    assert np.array_equal(np.load(folder / "back" / "c.npz")["file"], DIGITS)
    assert not list(folder.glob("*.arcomp"))


def test_arrays_and_pictures_convert_where_they_can(folder: Path) -> None:
    (folder / "a.npy").write_bytes(npy(DIGITS))
    Image.fromarray(DIGITS[0].astype(bool)).save(folder / "one.png")
    said_well(say("compress", "-m", "histogram", "-q", "a.npy", "one.png"))
    refused(
        say("decompress", "a.npy.arcomp", "-o", "a.png"), "holds 6 pictures; name the output with -o, as in -o out.npy"
    )
    said_well(say("decompress", "one.png.arcomp", "-o", "one.npy"))
    assert np.load(folder / "one.npy").shape == (1, 7, 9, 1)
    said_well(say("compress", "-m", "histogram", "a.npy", "-o", "x.arcomp"))
    said_well(say("decompress", "x.arcomp"))
    assert (folder / "x.npy").read_bytes() == npy(DIGITS)


def test_the_command_line_takes_pictures_of_one_bit(folder: Path) -> None:
    picture = Image.fromarray(DIGITS[0].astype(bool))
    picture.save(folder / "one.png")
    picture.save(folder / "one.pbm")
    before = (folder / "one.pbm").read_bytes()
    said_well(say("compress", "-m", "binary.safetensors", "one.png", "one.pbm"))
    said_well(say("decompress", "-m", "binary.safetensors", "one.png.arcomp", "one.pbm.arcomp", "-o", "back/"))
    assert (folder / "back" / "one.pbm").read_bytes() == before
    with Image.open(folder / "back" / "one.png") as back:
        assert back.mode == "1"
        assert np.array_equal(np.asarray(back), np.asarray(picture))
    refused(say("decompress", "-m", "binary.safetensors", "one.png.arcomp", "-o", "one.tif"), "1 bit")
    for model in ("photo-fast", "context"):
        refused(say("compress", "-m", model, "-f", "one.png"), "not 1 channel of 1 bit; choose another model")


@pytest.mark.parametrize("length", [1, 4000, 17001])
def test_the_command_line_takes_any_file_as_bytes(folder: Path, length: int) -> None:
    (folder / "notes.txt").write_bytes(TEXT[:length])
    (about,) = said_well(say("compress", "-m", "text.safetensors", "--json", "notes.txt")).objects
    assert (about["content"], about["width"], about["height"]) == ("bytes", length, 1)
    data = (folder / "notes.txt.arcomp").read_bytes()
    header, _ = unpack(data)
    assert header.form == Bytes()
    assert (header.tile_height, header.tile_width) == ((1, 8192) if length > 8192 else (0, 0))
    assert f"bytes    {length} byte" in said_well(say("info", "notes.txt.arcomp")).out.decode()
    piped = said_well(say("decompress", "-m", "text.safetensors", "-", stdin=data))
    assert piped.out == TEXT[:length]
    (folder / "notes.txt").unlink()
    said_well(say("decompress", "-m", "text.safetensors", "--rm", "notes.txt.arcomp"))
    assert (folder / "notes.txt").read_bytes() == TEXT[:length]


def test_what_bytes_are_called(folder: Path) -> None:
    text = ("-m", "text.safetensors")
    (folder / "notes.txt").write_bytes(TEXT[:100])
    (folder / "README").write_bytes(TEXT[:100])
    said_well(say("compress", *text, "notes.txt", "-o", "x.arcomp"))
    said_well(say("decompress", *text, "x.arcomp", "-o", "back/"))
    said_well(say("compress", *text, "README"))
    said_well(say("decompress", *text, "README.arcomp", "-o", "back/"))
    assert sorted(p.name for p in (folder / "back").iterdir()) == ["README", "x.txt"]


def test_a_picture_is_a_picture_unless_it_is_said(folder: Path) -> None:
    text = ("-m", "text.safetensors")
    Image.fromarray(pictures("noise", (6, 5, 1), 8)[:, :, 0]).save(folder / "gray.png")
    Image.fromarray(pictures("noise", (6, 5, 3), 8)).save(folder / "rgb.png")
    (folder / "bmw.txt").write_bytes(b"BMW makes cars.")
    (folder / "empty.txt").write_bytes(b"")
    (about,) = said_well(say("compress", *text, "--json", "gray.png")).objects
    assert about["content"] == "picture"
    refused(say("compress", *text, "rgb.png"), "takes 1 channel of 8 bits (with these weights), not 3 channels")
    refused(say("compress", *text, "bmw.txt"), "--bytes takes the file's bytes as they are")
    for flags in ((), ("--bytes",)):
        refused(say("compress", *text, *flags, "empty.txt"), "empty.txt: the file is empty")
    refused(say("compress", "-m", "histogram", "--bytes", "bmw.txt"), "does not take bytes; choose a model of text")
    refused(say("compress", "-m", "histogram", "bmw.txt"), "BMP")
    said_well(say("compress", *text, "--bytes", "rgb.png", "bmw.txt"))
    said_well(say("decompress", *text, "rgb.png.arcomp", "bmw.txt.arcomp", "-o", "back/"))
    for name in ("rgb.png", "bmw.txt"):
        assert (folder / "back" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (npy(np.zeros((8, 8))), "an array of float64 is not supported"),
        (npy(DIGITS)[:-1], "377 of 378 samples"),
        (npz(a=DIGITS)[:-30], "damaged archive"),
        (b"\x93NUMPY\x01\x00", "damaged array"),
    ],
)
def test_bad_arrays_take_one_line_and_leave_nothing(folder: Path, data: bytes, words: str) -> None:
    (folder / "bad.npy").write_bytes(data)
    before = sorted(p.name for p in folder.iterdir())
    refused(say("compress", "-m", "histogram", "bad.npy"), words)
    assert sorted(p.name for p in folder.iterdir()) == before


def test_in_a_process_of_its_own(folder: Path) -> None:
    (folder / "a.npy").write_bytes(npy(DIGITS))
    done = spawn("compress", "-m", "histogram", "-c", "a.npy", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert isinstance(unpack(done.stdout)[0].form, Array)
